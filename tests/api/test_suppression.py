"""Of a suppressed id nothing is kept: not what is sent, nor what comes past collection."""
import urllib.request

from client import Case, json, message, unittest
from disk import places_of


class Suppressing(Case):
    config = {"journal": {"segment_bytes": "1MiB"}}

    def counted(self):
        text = self.raw("/metrics")[2]
        return next(int(float(line.split()[1])) for line in text.splitlines()
                    if line.startswith("onym_messages_suppressed_total "))

    def assert_nowhere(self, *secrets):
        self.assertEqual({secret: places_of(self.server.data, secret) for secret in secrets},
                         {secret: [] for secret in secrets})

    def test_what_is_sent_for_a_suppressed_id_leaves_no_trace(self):
        self.send(message("track", "s-before", 0, userId="s-user", event="Before"))
        self.ask("suppressions", "POST", {"user_ids": ["s-user", "7"], "anonymous_ids": ["s-visitor"]})
        before = self.counted()
        self.send(message("track", "s-secret-1", 1, userId="s-user", event="S Secret Event"),
                  message("page", "s-secret-2", 2, anonymousId="s-visitor", name="S Secret Page"),
                  message("identify", "s-secret-3", 3, userId="s-other", anonymousId="s-visitor",
                          traits={"email": "s.secret@x.example"}),
                  message("alias", "s-secret-4", 4, userId="s-other", previousId="s-user"),
                  message("track", "s-secret-5", 5, userId=7, event="S Secret Event"),
                  {"type": "track", "messageId": "m-s-secret-6", "userId": "s-user", "properties": {"x": "S Secret"}},
                  message("track", "s-kept", 6, userId="s-other", event="Kept"),
                  message("track", "s-kept-2", 7, userId="s-visitor", event="Kept"))         # another kind of id
        with urllib.request.urlopen(f"{self.server.url}/v1/pixel/page?writeKey=wk_website&anonymousId=s-visitor"
                                    "&name=S%20Secret%20Pixel") as answer:
            self.assertEqual(answer.status, 200)
        self.send(message("track", "s-secret-7", 8, userId="s-user", event="S Secret Event"))     # nothing else in it
        self.assertEqual(self.counted() - before, 8)
        self.assertEqual([each["messageId"] for each in self.server.export(raw=True)
                          if each["messageId"].startswith("m-s-")], ["m-s-before", "m-s-kept", "m-s-kept-2"])
        self.assert_nowhere("s-secret", "s secret", "s.secret@x.example")
        self.assertEqual(self.resolve(user_id="s-other")["events"], 1)
        self.server.stop()
        self.server.start()
        self.send(message("track", "s-secret-8", 9, userId="s-user", event="S Secret Event"))
        self.assert_nowhere("s-secret")
        self.ask("suppressions", "DELETE", {"user_ids": ["s-user", "7"], "anonymous_ids": ["s-visitor"]})
        self.send(message("track", "s-after", 10, userId="s-user", event="After"))
        self.assertEqual(self.resolve(user_id="s-user")["events"], 2)
        self.assertEqual(self.server.errors(), [])

    def test_what_an_import_writes_while_no_server_runs_is_erased_in_time(self):
        self.ask("suppressions", "POST", {"user_id": "i-user"})
        self.server.stop()
        lines = [message("track", f"i-secret-{n}" if n % 3 else f"i-kept-{n}", n, userId="i-user" if n % 3 else "i-other",
                         event="I Secret Event" if n % 3 else "Kept", projectId="website") for n in range(300)]
        path = self.server.directory / "import.ndjson"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.server.run("import", str(path))
        self.assertTrue(places_of(self.server.data, "i-secret"))
        self.server.start()
        self.server.kill()                                 # noted or not, saved or not
        self.server.start()
        self.until(lambda: not places_of(self.server.data, "i-secret"), "the records to be erased")
        self.assert_nowhere("i-secret", "i secret event")
        self.wait_applied()
        self.assertEqual(self.resolve(user_id="i-other")["events"], 100)
        self.assertEqual(self.server.run("verify").returncode, 0)
        self.assertEqual(self.server.errors(), [])


if __name__ == "__main__":
    unittest.main()
