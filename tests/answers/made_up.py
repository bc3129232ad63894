"""`onym demo --data`: what Onym answers about the made-up history is what its generator says is true of it. Each seed is
another history; reference.py, which knows the rules and nothing of the generator, is asked for a third opinion."""
import datetime
import json
import os
import urllib.parse
import urllib.request

import answers
import reference

CONFIG = f"secret_key: {answers.SECRET}\nsources: [{{name: site, write_key: wk_site}}, {{name: backend, write_key: wk_back}}]\n"
TO = "2026-03-01"


class MadeUp(answers.Case):
    def fill(self, *arguments, seed, code=0):
        self.config = self.write("onym.yaml", CONFIG)
        self.truth_file = self.directory / "truth.json"
        self.said = answers.onym("demo", "--data", "--config", self.config, "--into", self.data, "--truth", self.truth_file,
                                 "--to", TO, "--seed", seed, "--server-source", "backend", *arguments, code=code)
        return json.loads(self.truth_file.read_text()) if code == 0 else None

    def get(self, path):
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {answers.SECRET}"})
        with urllib.request.urlopen(request, timeout=answers.cli.PATIENCE_S) as answer:
            return json.load(answer)

    def compare(self, truth):
        """Every number of the truth with the API's."""
        days = {"unit": "day", "from": truth["from"], "to": truth["to"]}
        told, true = self.ask("signups?wait=30s", {"event": "Account Created", **days}), truth["signups"]
        for name in ("people", "values", "with_history", "with_history_values"):
            self.assertEqual(told[name], true[name], name)
        for name in ("campaigns", "referrers"):
            self.assertEqual({row["value"]: row["people"] for row in told[name]},
                             {row["value"]: row["people"] for row in true[name]}, name)
        told, true = self.ask("funnels", truth["funnel"]["question"]), truth["funnel"]
        self.assertEqual([step["people"] for step in told["steps"]], true["people"])
        self.assertEqual({group["value"]: [step["people"] for step in group["steps"]] for group in told["groups"]},
                         {group["value"]: group["people"] for group in true["groups"]})
        told = self.ask("trends", {"series": ["Song Played", {"event": "Song Played", "measure": "people"}, {
            "event": "Subscription Started", "measure": "sum", "property": "properties.revenue"}], **days})["series"]
        self.assertEqual(told[0]["values"], truth["songs_played"]["count"])
        self.assertEqual(told[1]["values"], truth["songs_played"]["people"])
        self.assertAlmostEqual(told[2]["total"], truth["revenue"])

    def compare_people(self, truth):
        for person in truth["people"]:
            told = self.get(f"/api/v1/people/resolve?user_id={urllib.parse.quote(person['user_ids'][0])}")
            self.assertEqual(sorted(told["user_ids"]), sorted(person["user_ids"]))
            self.assertEqual(sorted(told["anonymous_ids"]), sorted(person["anonymous_ids"]), person)
            for hidden in person["hidden_anonymous_ids"]:
                self.assertEqual(self.get(f"/api/v1/people/resolve?anonymous_id={hidden}")["user_ids"], [])

    def test_the_answers_are_the_truth(self):
        truth = self.fill("--users", 400, seed=answers.seed().getrandbits(32))
        self.start("--config", self.config)
        self.compare(truth)
        self.compare_people(truth)
        stopped = self.ask("trends", {"series": ["Trial Reminder Sent"], "from": truth["from"], "to": truth["to"]})["series"][0]
        self.assertEqual((stopped["total"], stopped["values"][-7:]), (truth["mistakes"]["event_stopped"], [0] * 7))

    def test_what_one_gets_without_options_has_every_story_and_mistake(self):
        truth = self.fill(seed=1)
        self.assertEqual((truth["signups"]["people"], len(truth["signups"]["values"])), (2000, 30))
        for mistake, count in truth["mistakes"].items():
            self.assertGreater(count, 0, mistake)
        self.assertEqual({person["story"] for person in truth["people"]},
                         {"plain", "two_devices", "late_identify", "shared_with_reset", "shared_no_reset", "alias",
                          "no_anonymous_id", "placeholder", "robot"})
        self.start("--config", self.config)
        self.compare(truth)

    def test_the_rules_alone_come_to_the_same(self):
        truth = self.fill("--users", 60, seed=answers.seed().getrandbits(32))
        messages = answers.cli.lines_of(self.command("export"))
        self.assertEqual(len(messages), truth["accepted"])
        for message in messages:
            message["at"] = round(datetime.datetime.fromisoformat(message["timestamp"].replace("Z", "+00:00")).timestamp() * 1000)
            if message.get("userId") == "undefined":
                del message["userId"]
        steps = truth["funnel"]["question"]["steps"]
        self.assertEqual(reference.funnel(messages, steps, 100 * answers.DAY)[0], truth["funnel"]["people"])
        begin = round(datetime.datetime.fromisoformat(truth["from"].replace("Z", "+00:00")).timestamp() * 1000)
        for measure in ("count", "people"):
            days, _ = reference.trends(messages, "Song Played", "day", measure)
            self.assertEqual([days.get(begin + day * answers.DAY, 0) for day in range(truth["days"])],
                             truth["songs_played"][measure])

    def test_a_running_server_is_filled_and_again_is_the_same(self):
        self.config = self.write("onym.yaml", CONFIG)
        self.start("--config", self.config)
        truth = self.fill("--users", 40, "--days", 14, "--json", seed=7)
        self.assertEqual(json.loads(self.said), {"accepted": truth["accepted"], "rejected": truth["mistakes"]["rejected"],
                                                 "truth": str(self.truth_file)})
        self.compare(truth)
        before = self.truth_file.read_bytes()
        self.fill("--users", 40, "--days", 14, seed=7, code=1)
        self.assertIn("there are events in", answers.onym.err)
        self.assertEqual(self.fill("--users", 40, "--days", 14, "--add", seed=7), truth)
        self.assertEqual(before, self.truth_file.read_bytes())
        self.compare(truth)
        sources = self.ask("trends", {"series": ["*"], "by": "source"})["series"][0]["groups"]
        self.assertEqual(sorted(group["value"] for group in sources), ["backend", "site"])

    def test_the_doctor_finds_nothing_where_all_was_imported(self):
        truth = self.fill("--users", 400, seed=1)
        self.assertGreaterEqual(truth["mistakes"]["rejected"], 10, "as many as a finding wants")
        self.start("--config", self.config)
        told = self.get("/api/v1/findings?since=90d")
        self.assertEqual((told["messages"], told["findings"]), (0, []))

    def test_the_seed_alone_makes_it(self):
        self.fill("--users", 30, "--days", 20, seed=3)
        first = self.command("export")
        self.data = self.directory / "again"
        self.fill("--users", 30, "--days", 20, seed=3)
        again = self.command("export")
        self.data = self.directory / "other"
        self.fill("--users", 30, "--days", 20, seed=4)
        other = self.command("export")

        def sent(exported):
            """As it was made: without the time at which it came in."""
            return [{key: value for key, value in message.items() if key != "receivedAt"}
                    for message in answers.cli.lines_of(exported)]
        self.assertEqual(sent(first), sent(again))
        self.assertFalse({message["messageId"] for message in sent(first)} & {message["messageId"] for message in sent(other)})

    def test_what_makes_no_sense_is_told_and_nothing_is_begun(self):
        for arguments, words in ((("--users", "0"), "1 to 10000 users"), (("--users", "x"), "is no number"),
                                 (("--days", "7"), "14 to 90 days"), (("--to", "soon"), "is no day"),
                                 (("--site", "127.0.0.1:0"), "demo --data serves none"),
                                 (("--server-source", "nobody"), "there is no source")):
            self.config = self.write("onym.yaml", CONFIG)
            answers.onym("demo", "--data", "--config", self.config, "--into", self.data, *arguments, code=2)
            self.assertIn(words, answers.onym.err)
            self.assertFalse(os.path.exists(self.data / "journal"))
        answers.onym("demo", "--seed", "3", code=2)
        self.assertIn("--seed is for demo --data", answers.onym.err)
        self.fill("--truth", self.directory / "no" / "where.json", seed=1, code=1)
        self.assertIn("--truth FILE names another place", answers.onym.err)
        self.assertFalse(os.path.exists(self.data / "journal"))
