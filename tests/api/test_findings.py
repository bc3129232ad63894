"""What the doctor finds, over the API and by its command: whom, mutes, roles, restarts, erased people, hostile texts."""
import os
import subprocess

from client import Case, json, lib, time, unittest

READER, ANALYST = "rd_0123456789abcdefghij", "an_0123456789abcdefghij"
HOSTILE = "\x1b[31m\u202e<script>\"'{event}%s"


class Findings(Case):
    config = {"keys": [{"name": "grafana", "key": READER}, {"name": "ann", "key": ANALYST, "role": "analyst"}]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Findings.fill(cls())

    def fill(self):
        """Eight devices of two users each in 'website': all that is sure enough of a source so young is an error."""
        now, messages = time.time() - 4000, []
        for device in range(8):
            for turn, user in enumerate((f"first-{device}", f"second-{device}")):
                for n in range(2):
                    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 400 * device + 2000 * turn + n))
                    messages.append({"type": "track", "event": HOSTILE, "messageId": f"f-{device}-{turn}-{n}", "userId": user,
                                     "anonymousId": f"shared-{device}", "timestamp": stamp, "properties": {"n": n},
                                     "context": {"library": {"name": "evil\x1b[2J" + HOSTILE, "version": "1.\u202e0"}}})
        self.send(*messages)

    def found(self, code="ID-4", query=""):
        """Waits for what a start applies once more: an answer before that would say that it is not complete."""
        query += ("&" if query else "?") + "wait=30s"
        return [f for f in self.ask("findings" + query)["findings"] if f["code"] == code]

    def as_role(self, key, method, path, body=None):
        status, _, text = self.raw("/api/v1/" + path, method, body, key=key)
        return status, json.loads(text)

    def onym(self, *words):
        return subprocess.run([lib.program(), "doctor", "--config", str(self.server.config), "--data", str(self.server.data),
                               "--url", self.server.url, *words], capture_output=True, text=True,
                              env={**os.environ, "NO_COLOR": "1"})

    def test_a_finding_says_how_many_whom_and_what_to_do(self):
        [one] = self.found()
        self.assertEqual((one["severity"], one["count"], one["of"], one["people"], one["source"]), ("error", 8, 8, 16, "website"))
        self.assertEqual((one["share"], one["state"], one["cases_of_version"]), (1, "new", 8))
        self.assertAlmostEqual(one["share_at_least"], 0.675592, 5)
        self.assertEqual(len(one["examples"]), 5)
        for example in one["examples"]:
            self.assertEqual(self.ask(f"messages/{example['position']}")["message"]["messageId"], example["message_id"])
        self.assertEqual(set(one["persons"]), {f"u_{turn}-{n}" for turn in ("first", "second") for n in range(8)})
        self.assertIn("analytics.reset()", one["mend"][0]["code"])
        self.assertIn("16 people", one["effect"])
        self.assertEqual(one["docs"], "docs/doctor.md#id-4")

    def test_only_of_the_source_that_is_asked_for(self):
        self.assertEqual(len(self.found(query="?source=website")), 1)
        self.assertEqual(self.found(query="?source=server"), [])
        self.assertEqual(self.ask("findings?since=1s")["findings"], self.found(query="?since=1s"))

    def test_what_is_no_question_is_refused(self):
        for query, field in (("since=91d", "since"), ("since=x", "since"), ("since=-1d", "since"), ("imports=yes", "imports")):
            self.refused("findings?" + query, 400, field)
        self.refused("findings/0123456789abcdef/people", 404, None, "POST", {})
        self.refused("findings/x/mute", 404, None, "POST", {})
        [one] = self.found()
        at = f"findings/{one['fingerprint']}"
        for body, field in (({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"cursor": "x"}, "cursor")):
            self.refused(at + "/people", 400, field, "POST", body)
        for body, field in (({"reason": "x" * 201}, "reason"), ({"until": "2020-01-01"}, "until"), ({"until": "soon"}, "until"),
                            ({"until": "4000d"}, "until")):
            self.refused(at + "/mute", 400, field, "POST", body)

    def test_its_people_come_in_pages(self):
        [one] = self.found()
        people, cursor = [], None
        while cursor != "":
            page = self.ask(f"findings/{one['fingerprint']}/people", "POST", {"limit": 5, **({"cursor": cursor} if cursor else {})})
            self.assertEqual(page["total"], 16)
            people += page["people"]
            cursor = page["cursor"]["next"] or ""
        self.assertEqual(sorted(p["person_id"] for p in people), sorted(one["persons"]))

    def test_a_reader_is_told_numbers_an_analyst_people_and_neither_mutes(self):
        status, answer = self.as_role(READER, "GET", "findings")
        [one] = [f for f in answer["findings"] if f["code"] == "ID-4"]
        self.assertEqual((status, one["count"], one["people"], one["persons"], one["examples"]), (200, 8, 16, [], []))
        self.assertEqual(self.as_role(READER, "POST", f"findings/{one['fingerprint']}/people", {})[0], 403)
        self.assertEqual(self.as_role(ANALYST, "POST", f"findings/{one['fingerprint']}/people", {})[0], 200)
        for key in (READER, ANALYST):
            self.assertEqual(self.as_role(key, "POST", f"findings/{one['fingerprint']}/mute", {})[0], 403)

    def test_a_mute_holds_through_a_kill_and_ends_when_it_is_told(self):
        [one] = self.found()
        at = f"findings/{one['fingerprint']}"
        reason = "known " + HOSTILE
        self.assertTrue(self.ask(at + "/mute", "POST", {"reason": reason, "until": "10d"})["muted"])
        self.server.kill()
        self.server.start()
        [muted] = self.found()
        self.assertEqual((muted["state"], muted["muted"]["reason"], muted["fingerprint"], muted["found"]),
                         ("muted", reason, one["fingerprint"], one["found"]))
        self.assertEqual(self.onym("--fail-on", "error").returncode, 0)
        self.assertFalse(self.ask(at + "/unmute", "POST", {})["muted"])
        self.assertEqual(self.found()[0]["state"], "new")

    def test_a_file_that_is_damaged_costs_the_mutes_and_nothing_else(self):
        [one] = self.found()
        self.server.stop()
        (self.server.data / "findings").write_bytes(b"\0\1garbage")
        self.server.start()
        self.assertEqual(self.found()[0]["fingerprint"], one["fingerprint"])
        self.assertIn("file of findings is damaged", self.server.log_path.read_text())

    def test_the_command_tells_it_and_its_status_is_for_tests(self):
        told = self.onym()
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertIn("ERROR ID-4 No reset at log-out", told.stdout)
        self.assertIn("8 of 8 anonymous ids with a user, 100%", told.stdout)
        for bad in ("\x1b", "\u202e"):
            self.assertNotIn(bad, told.stdout)
        self.assertEqual(self.onym("--fail-on", "error").returncode, 1)
        self.assertEqual(self.onym("--source", "server", "--fail-on", "info").returncode, 0)
        self.assertEqual(self.onym("--fail-on", "fatal").returncode, 2)
        self.assertEqual(json.loads(self.onym("--json").stdout)["findings"][0]["code"], "ID-4")
        [one] = self.found()
        muted = self.onym("mute", one["fingerprint"], "--reason", "kiosk", "--until", "1d")
        self.assertIn("ID-4 is muted until", muted.stdout, muted.stderr)
        self.assertIn("told again", self.onym("unmute", one["fingerprint"]).stdout)


class ByItself(Case):
    config = {"doctor": {"every": "1s"}}

    def counts(self):
        rows = [line for line in self.raw("/metrics")[2].splitlines() if line.startswith("onym_findings{")]
        return {line.split(" ")[0]: int(line.split(" ")[1]) for line in rows}

    def test_the_server_examines_and_counts_by_itself(self):
        self.until(lambda: self.counts(), "the first examination")
        error = 'onym_findings{code="ID-4",severity="error"}'
        self.assertEqual(self.counts()[error], 0)
        self.assertEqual(len(self.counts()), len(set(self.counts())))
        Findings.fill(self)
        self.until(lambda: self.counts()[error] == 1, "the finding in the metrics")
        for name in self.counts():              # words of the table alone
            self.assertRegex(name, r'^onym_findings\{code="[A-Za-z0-9_-]+",severity="(info|warning|error)"\}$')
        answer = self.ask("findings")
        [one] = [f for f in answer["findings"] if f["code"] == "ID-4"]
        self.assertRegex(answer["examined"], r"^20\d\d-")
        self.assertIn("the server last looked by itself at 20", Findings.onym(self).stdout)
        self.ask(f"findings/{one['fingerprint']}/mute", "POST", {"reason": "known"})
        self.until(lambda: self.counts()[error] == 0, "the mute in the metrics")
        self.server.kill()
        self.server.start()
        self.assertGreaterEqual(self.ask("findings?wait=30s")["examined"], answer["examined"])


class NotByItself(Case):
    config = {"doctor": {"every": "0"}}

    def test_it_can_be_switched_off(self):
        time.sleep(2)
        self.assertNotIn("onym_findings", self.raw("/metrics")[2])
        self.assertIsNone(self.ask("findings")["examined"])


class Erased(Case):
    def test_who_is_erased_leaves_examples_counts_and_people(self):
        Findings.fill(self)
        [one] = [f for f in self.ask("findings")["findings"] if f["code"] == "ID-4"]
        self.assertEqual((one["count"], one["people"]), (8, 16))
        self.ask("people/u_second-3", "DELETE", status=202)
        self.until(lambda: not self.ask("erasures")["erasures"], "the erasure")
        [after] = [f for f in self.ask("findings")["findings"] if f["code"] == "ID-4"]
        self.assertEqual((after["count"], after["of"], after["people"]), (7, 8, 14))
        self.assertNotIn("second-3", json.dumps(after))
        self.assertEqual(after["fingerprint"], one["fingerprint"])


class Restarted(Case):
    def test_a_rebuild_finds_the_same(self):
        Findings.fill(self)
        before = self.ask("findings")["findings"]
        self.server.stop()
        subprocess.run([lib.program(), "rebuild", "--config", str(self.server.config), "--data", str(self.server.data)],
                       check=True, capture_output=True)
        self.server.start()
        self.wait_applied()
        same = lambda findings: [{**f, "persons": sorted(f["persons"])} for f in findings]     # noqa: E731
        self.assertEqual(same(self.ask("findings")["findings"]), same(before))


if __name__ == "__main__":
    unittest.main()
