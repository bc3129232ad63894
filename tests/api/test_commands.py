"""`onym person`, `links`, `why`, `unmerge`, `delete`: beside a running server and on a stopped directory."""
import os
import pty
import re
import select
import subprocess

from client import Case, json, lib, message, unittest
from disk import places_of


class Commanding(Case):
    def onym(self, *arguments, code=0, env=None):
        done = subprocess.run([lib.program(), *arguments, "--config", str(self.server.config)], capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=60, env={**os.environ, **(env or {})})
        self.err = done.stderr.decode()
        self.assertEqual(done.returncode, code, done.stdout.decode() + self.err)
        return done.stdout.decode()


class Commands(Commanding):
    def on_a_terminal(self, *arguments, say="", env=None):
        """(exit code, what it printed) with standard input, output and error a terminal."""
        master, slave = pty.openpty()
        process = subprocess.Popen([lib.program(), *arguments, "--config", str(self.server.config)], stdin=slave,
                                   stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm", **(env or {})})
        os.close(slave)
        os.write(master, say.encode())
        text = b""
        while True:
            ready, _, _ = select.select([master], [], [], 30)
            try:
                more = os.read(master, 65536) if ready else b""
            except OSError:                            # the other end is closed
                more = b""
            if not more:
                break
            text += more
        os.close(master)
        return process.wait(30), text.decode()

    def story(self, name):
        self.send(message("page", f"{name}-1", 0, anonymousId=f"{name}-a", name="Landing"),
                  message("identify", f"{name}-2", 1, anonymousId=f"{name}-a", userId=f"{name}-u",
                          traits={"email": f"{name}@x.example", "name": "Peter Gibbons"}),
                  message("track", f"{name}-3", 2, userId=f"{name}-u", event="Account Created",
                          properties={"plan": "Free"}))
        return f"{name}-u"

    def test_person_prints_the_object_of_resolve(self):
        user = self.story("json")
        want = self.resolve(user_id=user)
        for text in (user, "json-a", f"user_id:{user}", f"u_{user}"):
            self.assertEqual(json.loads(self.onym("person", text, "--json")), want)
        self.server.stop()
        try:
            self.assertEqual(json.loads(self.onym("person", user, "--json")), want, "and where no server runs")
        finally:
            self.server.start()

    def test_person_is_drawn_with_traits_and_timeline(self):
        user = self.story("draw")
        text = self.onym("person", user)
        self.assertEqual(text.splitlines(), [
            "u_draw-u  Peter Gibbons  draw@x.example",
            "user ids      draw-u",
            "anonymous ids ~draw-a",
            "events        3, from 2026-11-01 10:00 to 2026-11-01 10:02 UTC",
            "",
            "Traits",
            "email  draw@x.example",
            "name   Peter Gibbons",
            "",
            "Timeline, newest first",
            text.splitlines()[10], text.splitlines()[11],
            "2026-11-01 10:00  page      Landing          ~draw-a  website",
        ])
        self.assertRegex(text.splitlines()[10], r"10:02  track     Account Created  draw-u   website  plan=Free$")
        self.assertNotIn("Timeline", self.onym("person", user, "--events", "0"))
        self.assertIn("and more", self.onym("person", user, "--events", "1"))
        self.onym("person", user, "--events", "none", code=2)

    def test_colours_are_a_terminals_and_no_color_is_heard(self):
        user = self.story("colour")
        self.assertNotIn("\x1b[", self.onym("person", user))
        self.assertIn("\x1b[1m", self.on_a_terminal("person", user)[1])
        self.assertNotIn("\x1b[", self.on_a_terminal("person", user, env={"NO_COLOR": "1"})[1])

    def test_nothing_from_events_reaches_the_terminal_as_a_command(self):
        self.send(message("identify", "esc-1", 0, userId="esc-\x1b[2J", traits={"name": "\x1b]0;bad\x07", "a\x1b": 1}))
        for arguments in (("person", "esc-\x1b[2J"), ("person", "esc-\x1b[2J", "--history"), ("links", "esc-\x1b[2J")):
            self.assertNotIn("\x1b", self.onym(*arguments))

    def test_history_and_export(self):
        user = self.story("hist")
        rows = json.loads(self.onym("person", user, "--history", "--json"))["history"]
        self.assertEqual({row["trait"] for row in rows}, {"email", "name"})
        self.assertRegex(self.onym("person", user, "--history"), r"10:01  email +hist@x.example +hist-u +website +m-hist-2")
        lines = [json.loads(line) for line in self.onym("person", user, "--export").splitlines()]
        self.assertEqual([line["kind"] for line in lines][-4:], ["event", "event", "event", "end"])

    def test_links_and_why(self):
        user = self.story("link")
        self.assertEqual(json.loads(self.onym("links", user, "--json")), self.ask(f"people/u_{user}/links"))
        self.assertRegex(self.onym("links", "link-a"), r"10:01  ~link-a  link-u  identify  m-link-2  website +\d+\n")
        self.assertRegex(self.onym("why", user, "link-a"), r"^one person: (.|\n)*m-link-2")
        self.assertTrue(json.loads(self.onym("why", user, "link-a", "--json"))["same"])
        self.assertIn("never seen", self.onym("why", user, "nobody"))

    def test_unmerge_and_restore(self):
        user = self.story("un")
        self.assertRegex(self.onym("unmerge", user, "m-un-2"), r"no longer links; onym unmerge \d+ --restore")
        self.assertEqual(self.resolve(anonymous_id="un-a")["person_id"], "a_un-a")
        position = str(json.loads(self.onym("links", "un-a", "--json"))["links"][0]["position"])
        self.assertIn("(taken back)", self.onym("links", "un-a"))
        self.assertIn("nothing changed", self.onym("unmerge", position))
        answer = json.loads(self.onym("unmerge", position, "--restore", "--json"))
        self.assertIn("nothing changed", self.onym("unmerge", position, "--restore"))
        self.assertEqual(answer["people"][0]["person_id"], f"u_{user}")
        self.onym("unmerge", user, code=2)
        self.onym("unmerge", user, "no-such-message", code=1)

    def test_unmerge_between_two_ids_takes_every_message_of_theirs(self):
        calls = [message("track", f"bt-{at}", at, userId="bt-u", anonymousId="bt-a", event="E") for at in range(1200)]
        for at in range(0, len(calls), 400):
            self.send(*calls[at:at + 400])
        self.send(message("identify", "bt-x", 1300, userId="bt-u", anonymousId="bt-other"))
        self.onym("unmerge", "bt-u", "m-bt-0")
        self.assertTrue(self.ask("people/why?ids=bt-u,bt-a")["same"], "one of many messages parts nobody")
        answer = json.loads(self.onym("unmerge", "--between", "bt-u", "bt-a", "--json"))
        self.assertEqual((answer["removed"], len(set(answer["positions"])), len(answer["positions"])), (True, 1199, 1199))
        self.assertEqual((answer["why"]["same"], answer["why"]["reason"]), (False, "removed"))
        self.assertEqual(self.resolve(anonymous_id="bt-a")["person_id"], "a_bt-a")
        self.assertEqual(self.resolve(user_id="bt-u")["anonymous_ids"], ["bt-other"], "others' links stay")
        self.onym("unmerge", "--between", "bt-u", "bt-a", code=1)
        self.assertIn("onym why", self.err)
        self.onym("unmerge", "--between", "bt-u", code=2)
        self.assertRegex(self.onym("unmerge", "--restore", "--between", "user_id:bt-u", "anonymous_id:bt-a"),
                         r"^\d+ messages link them again\none person: ")
        self.assertEqual(self.resolve(anonymous_id="bt-a")["person_id"], "u_bt-u")

    def test_a_rebuild_agrees_on_who_was_parted_and_joined(self):
        for name in ("rb1", "rb2"):
            self.send(message("identify", f"{name}-1", 0, userId=f"{name}-u", anonymousId=f"{name}-a", traits={"n": name}),
                      message("track", f"{name}-2", 1, userId=f"{name}-u", anonymousId=f"{name}-a", event="E"),
                      message("alias", f"{name}-3", 2, userId=f"{name}-v", previousId=f"{name}-u"))
            self.onym("unmerge", "--between", f"{name}-u", f"{name}-a")
            self.onym("unmerge", f"{name}-v", f"m-{name}-3")
        self.onym("unmerge", "--restore", "--between", "rb2-u", "rb2-a")
        self.onym("unmerge", "--restore", "rb2-u", "m-rb2-3")

        def told():
            paths = [f"people/why?ids={name}-{a},{name}-{b}" for name in ("rb1", "rb2") for a, b in ("ua", "uv")]
            people = [self.resolve(id=f"{name}-{which}") for name in ("rb1", "rb2") for which in "uav"]
            links = [self.ask(f"people/{person['person_id']}/links") for person in people]
            return people, links, [self.ask(path) for path in paths]

        before = told()
        self.assertEqual([why["same"] for why in before[2]], [False, False, True, True])
        self.assertEqual([person["person_id"] for person in before[0]],
                         ["u_rb1-u", "a_rb1-a", "u_rb1-v"] + [before[0][3]["person_id"]] * 3)
        self.server.stop()
        try:
            self.server.run("rebuild")
        finally:
            self.server.start()
        self.assertEqual(told(), before)

    def test_delete_asks_and_does(self):
        user = self.story("del")
        self.onym("delete", user, code=2)
        self.assertIn("--yes", self.err)
        code, text = self.on_a_terminal("delete", user, say="no\n")
        self.assertEqual(code, 1)
        self.assertIn("nothing was erased", text)
        self.resolve(user_id=user)
        code, text = self.on_a_terminal("delete", user, say="yes\n")
        self.assertEqual(code, 0, text)
        self.assertIn("u_del-u is erased", text)
        self.refused(f"people/resolve?user_id={user}", 404)
        self.assertNotIn("m-del-", self.server.run("export").stdout.decode())

    def test_delete_and_suppress(self):
        user = self.story("sup")
        answer = json.loads(self.onym("delete", user, "--yes", "--suppress", "--json"))
        self.assertTrue(answer["suppressed"])
        self.send(message("track", "sup-9", 9, userId=user, event="Again"))
        self.refused(f"people/resolve?user_id={user}", 404)

    def test_delete_works_on_a_stopped_directory(self):
        user = self.story("off")
        self.server.stop()
        try:
            self.assertIn("is erased", self.onym("delete", user, "--yes"))
            self.assertNotIn("m-off-", self.server.run("export").stdout.decode())
            self.onym("person", user, code=1)
        finally:
            self.server.start()

    def test_a_dry_run_of_rules_tells_who_would_merge_and_split(self):
        self.send(message("page", "dry-1", 0, anonymousId="dry-a", context={"device": {"id": "dry-device"}}),
                  message("identify", "dry-2", 1, userId="dry-u", context={"device": {"id": "dry-device"}}),
                  message("identify", "dry-3", 2, anonymousId="dry-b", userId="dry-v"))
        rules = self.server.directory / "rules.yaml"
        rules.write_text('identity: {blocked_values: ["dry-b"], externals: ["device=context.device.id"]}\n')
        before = self.resolve(user_id="dry-u")
        answer = json.loads(self.onym("identity", "--dry-run", str(rules), "--json"))
        self.assertIn({"after": "u_dry-u", "before": ["a_dry-a", "u_dry-u"], "count": 2}, answer["merges"])
        self.assertEqual(answer["merged"], 1)
        text = self.onym("identity", "--dry-run", str(rules))
        self.assertIn("2 people would merge into 1:\n  a_dry-a, u_dry-u -> u_dry-u\n", text)
        self.assertEqual(self.resolve(user_id="dry-u"), before, "nothing is touched")
        self.assertEqual([path.name for path in self.server.data.iterdir() if "dry" in path.name], [])
        same = self.onym("identity", "--dry-run", str(self.server.config))
        self.assertIn("nobody would merge or split", same)
        self.send(*(message("identify", f"dry-nan-{n}", 3 + n, anonymousId=f"dry-nan-{n}", userId="NaN") for n in range(2)))
        rules.write_text("identity: {placeholders: 1}\n")         # the list of the first release knew no NaN
        answer = json.loads(self.onym("identity", "--dry-run", str(rules), "--json"))
        self.assertEqual([merge["after"] for merge in answer["merges"]], ["u_NaN"])
        rules.write_text("identity: {placeholders: 4}\n")
        self.onym("identity", "--dry-run", str(rules), code=2)
        rules.write_text("identity: {externals: [nonsense]}\n")
        self.onym("identity", "--dry-run", str(rules), code=2)
        self.assertIn("rules.yaml:1", self.err)
        self.onym("identity", code=2)

    def test_who_is_not_there_and_what_makes_no_sense(self):
        for command in ("person", "links"):
            self.onym(command, "never-there", code=1)
            self.assertRegex(self.err, r"never-there.* was never seen")
            self.onym(command, code=2)
            self.onym(command, "a", "b", code=2)
        self.onym("delete", "never-there", "--yes", code=1)
        self.onym("why", "a", code=2)


class Externals(Commanding):
    config = {"identity": {"externals": ["email=traits.email"]}}

    def test_external_ids_are_ids_like_any_other_to_the_commands(self):
        self.send(message("identify", "y1", 0, userId="yve", anonymousId="a-yve", traits={"email": "yve@x.example"}),
                  message("page", "y2", 1, anonymousId="a-yve2", traits={"email": "yve@x.example"}))
        self.assertEqual(self.resolve(id="email:yve@x.example")["person_id"], "u_yve")
        self.assertIn("u_yve", self.onym("person", "email:yve@x.example"))
        self.assertIn("yve@x.example", self.onym("links", "email:yve@x.example"))
        self.assertIn("yve", self.onym("why", "email:yve@x.example", "a-yve"))
        self.assertIn("no longer links", self.onym("unmerge", "email:yve@x.example", "m-y1"))
        self.onym("unmerge", "email:yve@x.example", "m-y1", "--restore")
        self.send(message("identify", "z1", 2, userId="zoe", traits={"email": "zoe@x.example"}))
        text = self.onym("suppress", "email:zoe@x.example")
        self.assertIn("user_id zoe is suppressed", text)
        self.assertNotIn("user_id email:", text)
        self.assertIn("email zoe@x.example is suppressed", text)
        self.assertIn("email:zoe@x.example", self.onym("suppressions"))
        self.onym("unsuppress", "email:zoe@x.example")
        self.assertNotIn("zoe", self.onym("suppressions"))
        self.assertEqual(self.onym("suppress", "email:nobody@x.example"), "email nobody@x.example is suppressed\n")
        self.onym("unsuppress", "email:nobody@x.example")
        self.assertNotIn("email:", self.onym("suppressions"))
        self.assertIn("user_id auth0:17 is suppressed", self.onym("suppress", "auth0:17"))
        self.onym("unsuppress", "user_id:auth0:17")
        self.onym("suppress", "user_id:email:x")                  # a user id of that spelling
        self.assertIn("user_id:email:x", self.onym("suppressions"))
        self.onym("unsuppress", "user_id:email:x")
        self.assertIn("is erased", self.onym("delete", "email:yve@x.example", "--yes"))
        self.onym("person", "yve", code=1)
        self.onym("person", "email:yve@x.example", code=1)
        self.server.stop()
        self.assertEqual(places_of(self.server.data, "yve@x.example"), [])
        self.server.start()
        self.onym("person", "email:yve@x.example", code=1)


class Emails(Commanding):
    def test_an_email_that_is_a_trait_finds_its_person_too(self):
        self.send(message("identify", "z1", 0, userId="zoe", traits={"email": "Zoe@x.example"}))
        self.assertEqual(self.resolve(id="email:zoe@x.example")["person_id"], "u_zoe")
        self.assertIn("u_zoe", self.onym("person", "email:zoe@x.example"))
        self.assertIn("user_id zoe is suppressed", self.onym("suppress", "email:zoe@x.example"))
        self.onym("unsuppress", "zoe")
        self.onym("person", "email:nobody@x.example", code=1)


class Impostors(Commanding):
    """Anybody with the write key may send an id that is spelt as somebody else's, as a person id, or as `kind:value`."""

    def refused(self, *arguments):
        self.onym(*arguments, code=2)
        self.assertIn("more than one person", self.err)

    def test_what_names_two_people_names_nobody(self):
        self.send(message("identify", "im1", 0, userId="vic", anonymousId="a-vic", traits={"email": "vic@x.example"}),
                  message("track", "im2", 1, userId="u_vic", event="E"),                      # as a person id
                  message("track", "im3", 2, userId="a-vic", event="E"),                      # as a visitor's
                  message("track", "im4", 3, anonymousId="vic", event="E"),                   # as a user's, by a visitor
                  message("track", "im5", 4, userId="user_id:vic", event="E"),
                  message("track", "im6", 5, userId="anonymous_id:a-vic", event="E"),
                  message("track", "im7", 6, userId="person_id:u_vic", event="E"),
                  message("track", "im8", 7, userId="email:vic@x.example", event="E"))
        for text in ("u_vic", "a-vic", "vic"):
            for command in (["person"], ["links"], ["delete", "--yes"], ["why", "im-other"], ["unmerge", "m-im1"]):
                self.refused(command[0], text, *command[1:])
            status, _, answer = self.raw(f"/api/v1/people/resolve?id={text}")
            self.assertEqual((status, json.loads(answer)["error"]["field"]), (400, "id"))
        for text in ("user_id:vic", "anonymous_id:a-vic", "person_id:u_vic", "email:vic@x.example"):
            self.assertEqual(self.resolve(id=text)["person_id"], "u_vic", text)
        for text, person in (("user_id:u_vic", "u_u_vic"), ("user_id:a-vic", "u_a-vic"), ("anonymous_id:vic", "a_vic"),
                             ("user_id:user_id:vic", "u_user_id~3Avic"), ("person_id:u_a-vic", "u_a-vic"),
                             ("user_id:email:vic@x.example", "u_email~3Avic~40x.example")):
            self.assertEqual(self.resolve(id=text)["person_id"], person, text)
        text = self.onym("suppress", "email:vic@x.example")
        self.assertIn("user_id vic is suppressed", text)
        self.assertNotIn("user_id email:", text)
        self.onym("unsuppress", "vic")
        self.onym("unsuppress", "anonymous_id:a-vic")
        self.assertIn("is erased", self.onym("delete", "person_id:u_vic", "--yes"))
        self.onym("person", "user_id:vic", code=1)                # gone, and no impostor answers in its place
        self.assertIn("never seen", self.err)

    def test_one_person_by_two_of_its_names_is_one(self):
        self.send(message("identify", "on1", 0, userId="same", anonymousId="same"))
        self.assertEqual(self.resolve(id="same")["person_id"], "u_same")

    def test_an_email_of_two_people_is_nobodys(self):
        self.send(message("identify", "tw1", 0, userId="tw-a", traits={"email": "tw@x.example"}),
                  message("identify", "tw2", 1, userId="tw-b", traits={"email": "TW@x.example"}))
        for command in (["person"], ["suppress"], ["delete", "--yes"]):
            self.refused(command[0], "email:tw@x.example", *command[1:])


if __name__ == "__main__":
    unittest.main()
