"""Of a suppressed id nothing is kept: not what is sent, nor what comes past collection."""
import urllib.request

from client import Case, json, message, unittest
from disk import places_of


class Searching(Case):
    def assert_nowhere(self, *secrets):
        self.assertEqual({secret: places_of(self.server.data, secret) for secret in secrets},
                         {secret: [] for secret in secrets})


class Suppressing(Searching):
    config = {"journal": {"segment_bytes": "1MiB"}}

    def counted(self):
        text = self.raw("/metrics")[2]
        return next(int(float(line.split()[1])) for line in text.splitlines()
                    if line.startswith("onym_messages_suppressed_total "))

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


class SuppressingExternalIds(Searching):
    config = {"identity": {"externals": ["email=traits.email:fold", "device=context.device.id"]},
              "journal": {"segment_bytes": "1MiB"}}

    def kept(self):
        return [each["messageId"] for each in self.server.export(raw=True)]

    def listed(self):
        return {f"{each['type']}:{each['id']}" for each in self.ask("suppressions")["ids"]}

    def test_whoever_carries_it_is_kept_out(self):
        answer = self.ask("suppressions", "POST", {"ids": ["email:X-Secret@X.example", "device:x-secret-d:1"]})
        self.assertEqual(answer["ids"], [{"type": "email", "id": "x-secret@x.example"},       # never seen, as folded
                                         {"type": "device", "id": "x-secret-d:1"}])
        out = [message("identify", "x-secret-1", 1, userId="x-new", traits={"email": "x-secret@x.example"}),
               message("identify", "x-secret-2", 2, anonymousId="x-anon", traits={"email": " X-SECRET@x.example"}),
               message("identify", "x-secret-3", 3, userId="x-new", context={"traits": {"email": "x-secret@X.example"}}),
               message("track", "x-secret-4", 4, userId="x-new", event="E", context={"device": {"id": "x-secret-d:1"}}),
               message("track", "x-secret-5", 5, userId="x-new", context={"device": {"id": "x-secret-d:1"}})]   # no event
        kept = [message("identify", "x-kept-1", 1, userId="x-kept", traits={"email": "other@x.example"}),
                message("identify", "x-kept-2", 2, userId="x-kept", traits={"mail": "x_secret@x.example"}),
                message("track", "x-kept-3", 3, userId="x-kept", event="E", context={"device": {"id": "email:x"}}),
                message("track", "x-kept-4", 4, userId="device:x-kept", event="E", context={"device": {"id": ["q"]}})]
        self.send(*out, *kept)
        body = {"batch": [message("track", "x-secret-6", 6, userId="x-new", event="E")], "writeKey": "wk_website",
                "context": {"device": {"id": "x-secret-d:1"}}}
        self.assertEqual(self.raw("/v1/batch", "POST", body, key=None)[0], 200)
        self.wait_applied()
        self.assertEqual([each for each in self.kept() if each.startswith("m-x-")],
                         ["m-x-kept-%d" % n for n in (1, 2, 3, 4)])
        self.assertEqual(places_of(self.server.data, "m-x-secret"), [])
        self.server.stop()
        self.server.start()
        self.send(out[0])
        self.assertEqual(places_of(self.server.data, "m-x-secret"), [])
        self.server.stop()
        path = self.server.directory / "import.ndjson"
        path.write_text("".join(json.dumps({**each, "projectId": "website"}) + "\n" for each in out[:4]))
        self.server.run("import", str(path))
        self.server.start()
        self.until(lambda: not places_of(self.server.data, "m-x-secret"), "the imported records to be erased")
        self.ask("suppressions", "DELETE", {"ids": ["email:x-secret@x.example", "device:x-secret-d:1"]})
        self.assertFalse({each for each in self.listed() if "x-secret" in each})
        self.send(message("identify", "x-after", 9, userId="x-new", traits={"email": "x-secret@x.example"}))
        self.assertIn("m-x-after", self.kept())
        self.assertEqual(self.server.errors(), [])

    def test_it_stands_for_its_person_and_goes_with_the_person(self):
        self.send(message("identify", "y-1", 1, userId="y-user", anonymousId="y-anon", traits={"email": "y@x.example"}),
                  message("identify", "y-2", 2, anonymousId="y-visitor", traits={"email": "y.visitor@x.example"}))
        answer = self.ask("suppressions", "POST", {"ids": ["email:y@x.example"]})
        self.assertEqual({each["type"] + ":" + each["id"] for each in answer["ids"]},
                         {"user_id:y-user", "anonymous_id:y-anon", "email:y@x.example"})
        self.assertLessEqual({"user_id:y-user", "email:y@x.example"}, self.listed())
        self.ask("suppressions", "DELETE", {"ids": ["email:y@x.example"]})
        self.assertNotIn("email:y@x.example", self.listed())
        self.send(message("identify", "y-3", 3, userId="y-third", traits={"email": "y.third@x.example"}))
        for email in ("y.third@x.example", "y.visitor@x.example"):
            erasure = self.ask(f"people/email:{email.upper()}", "DELETE", status=202)
            self.assertIn({"type": "email", "id": email}, erasure["ids"])
            self.until(lambda: not self.ask("erasures")["erasures"], "the erasure to be done")
            self.ask(f"people/resolve?id=email:{email}", status=404)
        self.server.stop()
        self.assert_nowhere("y.third@x.example", "y.visitor@x.example")
        self.server.start()

    def test_the_command_takes_a_persons_external_ids_along(self):
        self.send(message("identify", "z-1", 1, userId="z-user", anonymousId="z-anon", traits={"email": "Z@x.example"},
                          context={"device": {"id": "z-device"}}),
                  message("identify", "z-2", 2, userId="z-other", traits={"email": "z.other@x.example"}))
        for name in ("z-user", "email:z@x.example"):
            said = self.server.run("suppress", "--person", name).stdout.decode()
            ids = {"user_id:z-user", "anonymous_id:z-anon", "email:z@x.example", "device:z-device"}
            self.assertEqual({":".join(line.split()[:2]) for line in said.splitlines() if " " in line} & ids, ids, said)
            self.assertNotIn("z-other", said)
            self.assertLessEqual(ids, self.listed())
            self.server.run("unsuppress", "--person", name)
            self.assertFalse(ids & self.listed())
        self.server.run("suppress", "--person", "z-user")
        self.send(message("identify", "z-secret", 3, userId="z-new", traits={"email": "z@X.example"}))
        self.wait_applied()
        self.assertEqual(places_of(self.server.data, "m-z-secret"), [])


if __name__ == "__main__":
    unittest.main()
