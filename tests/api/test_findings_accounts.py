"""onym doctor --accounts: the operator's table of accounts against what arrived, one account a cause."""
import csv
import datetime
import io
import os
import subprocess

from client import Case, json, lib, time, unittest

HOUR, DAY = 3600.0, 86400.0


def instant(t):
    return datetime.datetime.fromtimestamp(t, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Accounts(Case):
    config = {"identity": {"blocked_values": ["nobody"]}}
    sources = {"website": "wk_website", "server": {"write_key": "wk_server", "kind": "server"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.now = time.time()
        cls.fill(cls())

    def page(self, device, t, user=None, referrer="", host="www.example.com"):
        self.number += 1
        return {"type": "page", "messageId": f"m-{self.number}", "timestamp": instant(t), "anonymousId": device, "context":
                {"page": {"url": f"https://{host}/x", "path": "/x", "referrer": referrer}}, **({"userId": user} if user else {})}

    def track(self, event, t, user, device=None, **more):
        self.number += 1
        return {"type": "track", "event": event, "messageId": f"m-{self.number}", "timestamp": instant(t), "userId": user,
                **({"anonymousId": device} if device else {}), **more}

    def fill(self):
        self.number, t = 0, self.now - 120
        site = [self.page("a-long-ago", self.now - 30 * DAY)]
        for n in range(3):                                   # as it should be
            site += [self.page(f"a-fine-{n}", t - 60), self.track("Signed Up", t, f"fine-{n}", f"a-fine-{n}")]
        site += [self.page("a-hop", t, "hop", referrer="https://www.example.com/signup", host="app.example.com"),
                 self.track("Signed Up", t, "hop", "a-hop"),
                 self.track("Signed Up", t, "bare", "a-bare")]
        site += [self.page("a-shared", t - 60), self.track("Signed Up", t - 40, "first", "a-shared"),
                 self.track("Signed Up", t, "second", "a-shared")]
        site += [self.page("a-again", t - 60), self.track("Signed Up", t - 30, "again", "a-again"),
                 self.track("Signed Up", t, "again", "a-again")]
        site += [self.page("a-late", t - 60), self.track("Signed In", t, "late", "a-late")]
        site += [self.page("a-queue", self.now - 5 * HOUR), self.track("Signed Up", self.now - 5 * HOUR + 9, "queue", "a-queue")]
        site += [self.page("a-one", t - 60), self.track("Signed Up", t, "one", "a-one"),
                 self.page("a-two", t - 60), self.track("Signed Up", t, "two", "a-two"),
                 {"type": "alias", "messageId": "alias-1", "timestamp": instant(t + 1), "userId": "two", "previousId": "one"}]
        site += [self.page("a-spelt", t - 60), self.track("Signed Up", t, "SPELT", "a-spelt"),
                 self.page("a-prefix", t - 60), self.track("Signed Up", t, "user_7700", "a-prefix"),
                 self.page("a-mail", t - 60), self.track("Signed Up", t, "mail@example.net", "a-mail"),
                 self.page("a-twin", t - 60), {"type": "identify", "messageId": "twin", "timestamp": instant(t), "userId": "twin-9",
                                               "anonymousId": "a-twin", "traits": {"email": "twin@example.net"}}]
        site += [self.page("a-left", self.now - 3 * HOUR)]
        self.send(*site)
        self.send(self.track("Signed Up", t, "by-server"), {"type": "track", "event": "", "messageId": "bad", "userId": "refused"}, key="wk_server")

    def rows(self):
        t = self.now - 121
        return ([(f"fine-{n}", t) for n in range(3)] +
                [("hop", t), ("bare", t), ("second", t), ("again", t - 31), ("late", t - 5 * HOUR), ("queue", self.now - 5 * HOUR), ("one", t),
                 ("two", t), ("spelt", t), ("7700", t), ("m-1", t, "mail@example.net"), ("t-1", t, "twin@example.net"), ("nobody", t),
                 ("refused", t), ("old", self.now - 60 * DAY), ("left", self.now - 3 * HOUR + 60), ("gone", self.now - 20 * HOUR),
                 ("by-server", t)])

    EXPECTED = {
        ("hop", "no_history", "new_anonymous_id", "ID-1b"), ("bare", "no_history", "no_page", "ID-1"),
        ("second", "no_history", "claimed_before", "ID-1c"), ("by-server", "no_history", "no_anonymous_id", "ID-1a"),
        ("again", "twice", "sent_again", "ID-3"), ("late", "late", "no_signup", "ID-2"), ("queue", "late", "sent_late", "CL-5"),
        ("spelt", "never", "other_spelling", "ID-16"), ("7700", "never", "prefix", "ID-8"), ("m-1", "never", "email_is_id", "ID-7"),
        ("t-1", "never", "other_id", "ID-9"), ("nobody", "never", "blocked_id", "ID-5"), ("refused", "never", "rejected", "LO-1"),
        ("old", "never", "before_tracking", None), ("left", "never", "never_identified", "ID-2"), ("gone", "never", "unknown", None),
    }

    def accounts(self, rows=None):
        return [{"id": row[0], "created": instant(row[1]), **({"email": row[2]} if len(row) > 2 else {})} for row in rows or self.rows()]

    def onym(self, *words):
        return subprocess.run([lib.program(), "doctor", "--config", str(self.server.config), "--data", str(self.server.data),
                               "--url", self.server.url, *words], capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})

    def write(self, text):
        path = self.server.data.parent / "accounts.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def test_each_account_is_told_with_its_likely_cause(self):
        answer = self.ask("findings/accounts", "POST", {"accounts": self.accounts()})
        told = {(p["id"], p["state"], p["cause"], p["code"]) for p in answer["problems"]}
        self.assertEqual(told, self.EXPECTED)
        self.assertEqual((answer["accounts"], answer["fine"], answer["never"], answer["late"], answer["no_history"], answer["twice"]),
                         (21, 5, 9, 2, 4, 1))
        self.assertEqual(answer["joined"], [{"id": "two", "person_id": "u_one"}])
        self.assertIn("user_7700", [p["text"] for p in answer["problems"] if p["id"] == "7700"][0])
        self.assertIn("a-left", [p["text"] for p in answer["problems"] if p["id"] == "left"][0])

    def test_one_account_more_in_another_order_changes_nothing(self):
        once = self.ask("findings/accounts", "POST", {"accounts": self.accounts()})["problems"]
        back = self.ask("findings/accounts", "POST", {"accounts": self.accounts()[::-1]})["problems"]
        self.assertEqual(sorted(once, key=str), sorted(back, key=str))

    def test_a_table_in_local_time_is_judged_as_if_it_were_moved(self):
        rows = [(f"fine-{n % 3}", self.now - 121 + 2 * HOUR) for n in range(12)]
        answer = self.ask("findings/accounts", "POST", {"accounts": self.accounts(rows)})
        self.assertEqual((answer["moved_minutes"], answer["moved_by"], answer["fine"]), (-120, 12, 12))

    def test_what_is_no_table_is_refused(self):
        for body in ({}, {"accounts": {}}, {"accounts": [{}]}, {"accounts": ["x"]}, {"accounts": [{"id": "x", "created": "soon"}]},
                     {"accounts": [{"id": "x" * 2000}]}, {"accounts": [{"id": "x", "created": 1e300}]}, {"accounts": [{"id": str(n)} for n in range(5001)]}):
            self.refused("findings/accounts", 400, "accounts", "POST", body)
        self.assertEqual(self.ask("findings/accounts", "POST", {"accounts": []})["accounts"], 0)
        self.assertEqual(self.ask("findings/accounts", "POST", {"accounts": [{"id": "fine-0", "created": None, "email": None}]})["fine"], 1)

    def test_the_command_guesses_the_columns_and_shows_them_first(self):
        lines = ["\ufeffid;Full Name;E-Mail;Created At"]
        for row in self.rows():
            when = datetime.datetime.fromtimestamp(row[1], datetime.timezone.utc).strftime("%d.%m.%Y %H:%M:%S")
            lines.append(f'"{row[0]}";"Kim; ""the\n\tthird""";{row[2] if len(row) > 2 else ""};{when}')
        path = self.write("\r\n".join(lines) + "\r\n")
        done = self.onym("--accounts", path, "--json")
        day_first = any(datetime.datetime.fromtimestamp(row[1], datetime.timezone.utc).day > 12 for row in self.rows())
        if not day_first:                    # the first days of a month: nothing tells day from month
            self.assertEqual(done.returncode, 2)
            return
        self.assertIn("21 accounts in 21 rows, semicolon", done.stderr)
        self.assertIn("day/month/year", done.stderr)
        for column in ("user id  id, as in fine-0", "e-mail   E-Mail", "created  Created At"):
            self.assertIn(column, done.stderr)
        answer = json.loads(done.stdout)
        told = {(p["id"], p["state"], p["cause"], p["code"]) for p in answer["problems"]}
        self.assertEqual(told, self.EXPECTED | {("two", "twice", "joined", "ID-11")})

    def test_it_is_told_for_people_as_csv_and_by_the_exit_status(self):
        path = self.write("user_id,created_at\n" + "".join(f"{row[0]},{row[1]:.0f}\n" for row in self.rows()))
        told = self.onym("--accounts", path)
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertIn("5 of 21 accounts arrived as they should", told.stdout)
        self.assertIn("never arrived", told.stdout)
        rows = list(csv.DictReader(io.StringIO(self.onym("--accounts", path, "--csv").stdout)))
        self.assertEqual(len(rows), 17)
        self.assertEqual(self.onym("--accounts", path, "--fail-on", "error").returncode, 1)
        fine = self.write("id,created\nfine-0,\n")
        self.assertEqual(self.onym("--accounts", fine, "--fail-on", "info").returncode, 0)

    def test_a_file_that_cannot_be_read_says_why(self):
        for text, says in (("", "empty"), ("name,mail\nx,y@z.example\n", "--id"), ('id\n"x', "never closed"), ('id\n"x"y\n', "closing quote"),
                           ("id,created\nx,01/02/2026\n", "day or month"), ("id,created\nx,13/02/2026\ny,02/13/2026\n", "some the month"),
                           (b"\xff\xfei\0d\0\n\0", "UTF-8")):
            done = self.onym("--accounts", self.write(text))
            self.assertEqual(done.returncode, 2, (text, done.stdout, done.stderr))
            self.assertIn(says, done.stderr)
        self.assertEqual(self.onym("--accounts", self.write("id\nx\n"), "--id", "uid").returncode, 2)
        self.assertEqual(self.onym("--accounts", "/nowhere.csv").returncode, 1)
        self.assertIn("copy", self.onym("--accounts", "postgres://x/y").stderr)

    def test_hostile_texts_stay_texts(self):
        path = self.write("id,email\n" + "".join(f"{text}\n" for text in (
            "=cmd|' /C calc'!A0,", "\x1b[31mred,", "%s%n{event},", "x" * 5000 + ",", "~7E~zz,", "'; drop table users; --,")))
        for words in ((), ("--csv",), ("--json",)):
            done = self.onym("--accounts", path, *words)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("\x1b", done.stdout if words != ("--csv",) else "")


class Joined(Case):
    def test_an_account_made_while_nothing_arrived_at_all_is_told_so(self):
        now = time.time()
        self.send(*[{"type": "page", "messageId": f"o-{n}", "anonymousId": f"o-{n}", "timestamp": instant(now - 60 * n)} for n in range(400)
                    if not 100 < n < 300])
        answer = self.ask("findings/accounts", "POST", {"accounts": [{"id": "in-it", "created": instant(now - 60 * 200)},
                                                                     {"id": "not-in-it", "created": instant(now - 60 * 50)}]})
        told = {p["id"]: (p["cause"], p["text"]) for p in answer["problems"]}
        self.assertEqual(told["in-it"][0], "nothing_arrived")
        self.assertIn(instant(now - 60 * 300)[:16], told["in-it"][1])
        self.assertEqual(told["not-in-it"][0], "unknown")       # more visitors than three were there just then

    def test_two_accounts_in_different_parts_of_a_large_file_are_one_person(self):
        self.send(*[{"type": "alias", "messageId": f"al-{n}", "userId": f"z-{n}", "previousId": f"a-{n}"} for n in range(3)],
                  *[{"type": "track", "event": "Signed Up", "messageId": f"s-{n}-{who}", "userId": f"{who}-{n}"} for n in range(3) for who in "az"])
        path = self.server.data.parent / "accounts.csv"
        path.write_text("id\n" + "".join(f"{who}-{n}\n" for n in range(3) for who in "az") + "".join(f"m-{n}\n" for n in range(9000)))
        done = subprocess.run([lib.program(), "doctor", "--config", str(self.server.config), "--data", str(self.server.data), "--url", self.server.url,
                               "--accounts", str(path), "--json"], capture_output=True, text=True)
        problems = json.loads(done.stdout)["problems"]
        self.assertEqual({(p["id"], p["cause"]) for p in problems if p["state"] == "twice"}, {(f"z-{n}", "joined") for n in range(3)})
        self.assertEqual(sum(p["state"] == "never" for p in problems), 9000)


if __name__ == "__main__":
    unittest.main()
