"""GET /api/v1/live: every message once, in its place, with what became of it, whatever breaks in between."""
import random
import socket

from client import SECRET, Case, json, message, quote, unittest
from stream import Stream

# What must not end a line, a field or an event of the stream, nor look like one.
HOSTILE = ["\n\nid: 7\ndata: {}\n\n", "\r\nevent: gap\r\n", "\u2028data: x\u2029", "</script><b>", "\x00\x1f\x7f", "\u202eabc",
           "\ufeff", "😀\ud7ff", ": x", "\\u000a\\n"]


class Watching(Case):
    def watch(self, query="from=now", last_id=None):
        stream = Stream(self.server, query, last_id)
        self.addCleanup(stream.close)
        self.assertEqual(stream.status, 200)
        return stream.begun()

    def position(self):
        """Where the next record will stand."""
        stream = self.watch()
        stream.close()
        return int(stream.last_id.split("-")[0])

    def told(self, begin, query=""):
        """All that is told from the position to now."""
        return Stream(self.server, f"from={begin}&to={self.position()}{query}").rest()

    def rows(self, begin, query=""):
        return [row for name, row in self.told(begin, query) if name == "row"]

    def ids(self, begin, query=""):
        return [row["message"].get("messageId") for row in self.rows(begin, query)]


class Rows(Watching):
    def test_each_message_is_told_with_its_fate(self):
        stream = self.watch()
        self.ask("suppressions", "POST", {"user_ids": ["f-gone"]})
        self.send(message("page", "f-1", 0, anonymousId="f-a", name="Home"))
        self.send(message("page", "f-1", 0, anonymousId="f-a", name="Home"))
        self.send({"type": "track", "event": "Nobody"})
        self.send(message("track", "f-2", 1, userId="f-gone", event="Secret Event"))
        self.send(message("track", "f-3", 2, userId="f-user", event="Bought"), key="wk_server")
        accepted, repeated, rejected, suppressed, last = stream.take(5)
        self.assertEqual([row["fate"] for row in (accepted, repeated, rejected, suppressed, last)],
                         ["accepted", "repeated", "rejected", "suppressed", "accepted"])
        self.assertEqual([row.get("reason") for row in (accepted, repeated, rejected, suppressed)],
                         [None, "repeats_message_id", "no_user_anon_id", "suppressed_id"])
        self.assertEqual(accepted["message"]["messageId"], "m-f-1")
        self.assertEqual(accepted["message"]["receivedAt"], accepted["received_at"])
        self.assertEqual(accepted["message"], {**repeated["message"], "receivedAt": accepted["received_at"]})
        self.assertEqual(rejected["message"], {"type": "track", "event": "Nobody"})
        self.assertEqual((rejected["person"], rejected["field"]), (None, "userId"))
        self.assertEqual((suppressed["message"], suppressed["count"], suppressed["person"]), ({"type": "track"}, 1, None))
        self.assertNotIn("Secret", json.dumps(suppressed))
        self.assertEqual([row["source"] for row in (accepted, rejected, suppressed, last)],
                         ["website", "website", "website", "server"])
        self.assertEqual(accepted["person"], self.resolve(anonymous_id="f-a"))
        self.assertEqual(last["person"], self.resolve(user_id="f-user"))
        positions = [row["position"] for row in (accepted, repeated, rejected, suppressed, last)]
        self.assertEqual(positions, sorted(set(positions)))
        self.assertEqual(stream.last_id, str(last["position"]))

    def test_earlier_rows_are_claimed(self):
        stream = self.watch()
        self.send(message("page", "c-1", 0, anonymousId="c-a", name="Home"))
        (row,) = stream.take(1)
        self.assertEqual(row["person"]["user_ids"], [])
        self.send(message("identify", "c-2", 1, anonymousId="c-a", userId="c-kim"))
        name, claim = stream.next()
        self.assertEqual((name, claim["anonymous_id"], claim["person"]["user_ids"]), ("claimed", "c-a", ["c-kim"]))
        self.assertEqual(claim["person"], self.resolve(user_id="c-kim"))
        name, row = stream.next()
        self.assertEqual((name, row["position"]), ("row", claim["position"]))
        self.send(message("identify", "c-3", 2, anonymousId="c-a", userId="c-kim"),           # claims nothing new
                  message("identify", "c-4", 3, anonymousId="c-a", userId="c-ben"),           # what came before is kim's
                  message("alias", "c-5", 4, previousId="c-b", userId="c-kim"),
                  message("track", "c-6", 5, userId="c-old", event="E"),
                  message("alias", "c-7", 6, previousId="c-old", userId="c-kim"))
        events = [stream.next() for _ in range(7)]
        claims = [event for name, event in events if name == "claimed"]
        self.assertIn(("c-old", None), [(claim.get("user_id"), claim["anonymous_id"]) for claim in claims])
        self.assertNotIn("c-a", [claim["anonymous_id"] for claim in claims])

    def test_hostile_text_stays_on_its_line(self):
        begin, stream = self.position(), self.watch()
        for at, text in enumerate(HOSTILE):
            self.send(message("track", f"h-{at}", at, userId=f"h-{text}", event=text, properties={text: text}))
            self.send({"type": text, "event": text, text: [text]})
        rows = stream.take(2 * len(HOSTILE))
        self.assertEqual(rows, [row for row in self.rows(begin)])
        for at, text in enumerate(HOSTILE):
            self.assertEqual(rows[2 * at]["message"]["properties"], {text: text}, text)
            self.assertEqual(rows[2 * at]["person"]["user_ids"], [f"h-{text}"])
            self.assertEqual(rows[2 * at + 1]["message"][text], [text])

    def test_what_is_no_whole_json_is_a_text(self):
        stream = self.watch()
        self.send({"type": "track", "event": "E", "properties": {"x": "y" * 20000}})           # rejected, cut when kept
        (row,) = stream.take(1)
        self.assertEqual((row["fate"], type(row["message"])), ("rejected", str))
        self.assertIn('"type":"track"', row["message"])

    def test_who_is_erased_is_not_told(self):
        begin = self.position()
        self.send(message("track", "e-1", 0, userId="e-user", event="E Secret"),
                  message("track", "e-2", 1, userId="e-other", event="E"))
        self.assertEqual(self.ids(begin), ["m-e-1", "m-e-2"])
        self.ask("people/u_e-user", "DELETE", status=202)
        self.assertEqual(self.ids(begin), ["m-e-2"])

    def test_filters(self):
        begin = self.position()
        self.send(message("track", "q-1", 0, userId="q-user", event="Bought, twice", properties={"plan": "Gröẞe \"1\""}),
                  message("page", "q-2", 1, anonymousId="q-visitor", name="Home"),
                  message("group", "q-3", 2, userId="q-user", groupId="q-group"),
                  message("alias", "q-4", 3, userId="q-user", previousId="q-before"),
                  {"type": "track", "event": "Bought, twice", "properties": {"x": "Rejected"}},
                  message("page", "q-2", 1, anonymousId="q-visitor", name="Home"))
        self.send(message("track", "q-5", 4, userId="q-else", event="Other"), key="wk_server")
        table = [
            ("", ["1", "2", "3", "4", None, "2", "5"]),
            ("type=track", ["1", None, "5"]), ("type=page,group", ["2", "3", "2"]), ("type=page&type=alias", ["2", "4", "2"]),
            ("event=" + quote("Bought, twice"), ["1", None]), ("event=Home&event=Other", ["2", "2", "5"]),
            ("id=q-user", ["1", "3", "4"]), ("id=q-visitor", ["2", "2"]), ("id=q-group", ["3"]), ("id=q-before", ["4"]),
            ("source=server", ["5"]), ("source=server&source=website&type=page", ["2", "2"]), ("source=none", []),
            ("fate=rejected", [None]), ("fate=repeated,rejected", [None, "2"]), ("fate=accepted&type=page", ["2"]),
            ("text=" + quote('GRöẞe "1"'), ["1"]), ("text=bought", ["1", None]), ("text=127.0.0.1&type=page", ["2", "2"]),
            ("text=nowhere", []), ("id=q-user&type=track", ["1"]),
        ]
        for query, wanted in table:
            with self.subTest(query):
                self.assertEqual([each and each.removeprefix("m-q-") for each in self.ids(begin, "&" + query)], wanted)

    def test_a_claim_is_told_whatever_else_is_asked_for(self):
        stream = self.watch("from=now&type=page")
        self.send(message("page", "w-1", 0, anonymousId="w-a", name="Home"),
                  message("identify", "w-2", 1, anonymousId="w-a", userId="w-kim"),
                  message("page", "w-3", 2, anonymousId="w-a", name="Home"))
        self.assertEqual([name for name, _ in (stream.next(), stream.next(), stream.next())], ["row", "claimed", "row"])


class ComingBack(Watching):
    def test_without_loss_and_without_doubles(self):
        """Random traffic of all fates; the stream breaks off after each few rows and comes back with the last id."""
        seed = random.randrange(1 << 32)
        dice = random.Random(seed)
        self.ask("suppressions", "POST", {"user_ids": ["r-gone"]})
        begin, sent = self.watch(), 0
        last_id, got = begin.last_id, []
        begin.close()

        def take(count):
            nonlocal last_id
            stream = self.watch("from=now", last_id)
            for _ in range(count):
                name, row = stream.next()
                while name == "claimed":
                    name, row = stream.next()
                self.assertEqual(name, "row", f"seed {seed}")
                got.append((row["position"], row["fate"], row["message"].get("messageId")))
            last_id = stream.last_id
            stream.close()

        for step in range(40):
            for _ in range(dice.randrange(4)):
                kind = dice.choice(["accepted", "repeated", "rejected", "suppressed"])
                self.send({"accepted": message("track", f"r-{sent}", sent, userId=f"r-{sent % 7}", event="E"),
                           "repeated": message("track", "r-again", 0, userId="r-again", event="E"),
                           "rejected": {"type": "track", "event": "E"},
                           "suppressed": message("track", f"r-{sent}", 0, userId="r-gone", event="E")}[kind])
                sent += 1
            if step == 20:
                take(sent - len(got))                  # notes do not outlive a restart
                self.server.stop()
                self.server.start()
            take(dice.randrange(sent - len(got) + 1))
        take(sent - len(got))
        fates = [fate for _, fate, _ in got]
        self.assertEqual(len(got), sent, f"seed {seed}")
        kept = [each for each in got if each[1] != "suppressed"]
        self.assertEqual(len(set(kept)), len(kept), f"seed {seed}")
        self.assertEqual(len(kept) + fates.count("suppressed"), sent, f"seed {seed}")
        self.assertEqual([place for place, _, _ in got], sorted(place for place, _, _ in got), f"seed {seed}")

    def test_before_the_first_row(self):
        stream = self.watch()
        stream.close()
        self.send(message("track", "b-1", 0, userId="b-user", event="E"))
        (row,) = self.watch("from=now", stream.last_id).take(1)
        self.assertEqual(row["message"]["messageId"], "m-b-1")

    def test_without_a_header(self):
        self.send(message("track", "p-1", 0, userId="p-user", event="E"), message("track", "p-2", 1, userId="p-user", event="E"))
        begin = self.watch()
        begin.close()
        self.send(*[message("track", f"p-{n}", n, userId="p-user", event="E") for n in (3, 4, 5)])
        three, four, five = self.watch("last_id=" + begin.last_id).take(3)
        self.assertEqual(self.watch(f"last_id={three['position']}").take(2), [four, five])
        self.assertEqual(self.watch(f"from={three['position'] + 1}").take(2), [four, five])      # as pages may count
        self.assertEqual(self.watch(f"from={four['position']}").take(2), [four, five])
        self.assertEqual(self.watch(f"from=now&last_id={three['position']}", str(four["position"])).take(1), [five])

    def test_from_a_position_that_is_not_kept(self):
        self.send(message("track", "k-1", 0, userId="k-user", event="E"))
        end = self.position()
        with Stream(self.server, f"from={end + 1000}") as stream:
            name, gap = stream.next()
        self.assertEqual((name, gap["from"], gap["to"], gap["count"], gap["why"]),
                         ("gap", end + 1000, end, None, "not_kept"))

    def test_a_position_within_a_record_is_told_as_unreadable(self):
        self.send(message("track", "i-0", 0, userId="i-user", event="E"))            # a segment begins with its head
        begin = self.position()
        self.send(message("track", "i-1", 0, userId="i-user", event="E"), message("track", "i-2", 1, userId="i-user", event="E"))
        within = self.rows(begin)[0]["position"] + 4
        (name, gap), (_, row), (last, _) = self.told(within)
        self.assertEqual((name, gap["from"], gap["why"], last), ("gap", within, "unreadable", "end"))
        self.assertEqual((row["message"]["messageId"], row["position"]), ("m-i-2", gap["to"]))


class FallingBehind(Watching):
    def test_a_gap_says_how_many_and_its_link_reads_them(self):
        begin = self.position()
        for batch in range(10):
            self.send(*[message("track", f"g-{batch}-{n}", n, userId="g-user", event="E", properties={"x": "y" * 1000})
                        for n in range(20)], {"type": "track"})
        stream = self.watch(f"from={begin}&behind=65536")
        name, gap = stream.next()
        self.assertEqual((name, gap["from"], gap["count"], gap["why"]), ("gap", begin, 210, "behind"))
        self.send(message("track", "g-behind", 0, userId="g-user", event="E"))
        (row,) = stream.take(1)
        self.assertEqual(row["message"]["messageId"], "m-g-behind")
        left_out = Stream(self.server, f"from={gap['from']}&to={gap['to']}&behind=65536").rest()
        self.assertEqual([name for name, _ in left_out], ["row"] * 210 + ["end"])
        self.assertEqual(len({row["position"] for _, row in left_out[:-1]}), 210)
        with Stream(self.server, "behind=65536", str(left_out[0][1]["position"])) as again:      # who comes back: one was told already
            self.assertEqual(again.next()[1]["count"], 210)                         # with the one behind the gap

    def test_notes_that_were_pushed_out_are_counted(self):
        self.ask("suppressions", "POST", {"user_ids": ["n-gone"]})
        stream = self.watch()
        stream.close()
        for n in range(1100):
            self.raw("/v1/track", "POST", message("track", f"n-{n}", n, userId="n-gone", event="E", writeKey="wk_website"),
                     key=None)
        self.wait_applied()
        again = self.watch("from=now", stream.last_id)
        name, gap = again.next()
        self.assertEqual((name, gap["count"], gap["why"]), ("gap", 1100 - 1024, "suppressed"))
        self.assertEqual(sum(row["count"] for row in again.take(1024)), 1024)

    def test_who_takes_nothing_costs_nothing_and_holds_nobody(self):
        for batch in range(40):
            self.send(*[message("track", f"t-{batch}-{n}", n, userId=f"t-{n}", event="E", properties={"x": "y" * 20000})
                        for n in range(20)])
        for _ in range(8):
            connection = socket.create_connection(("127.0.0.1", self.server.port))
            self.addCleanup(connection.close)
            connection.sendall(b"GET /api/v1/live?from=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n"
                               % SECRET.encode())
        self.assertEqual(self.resolve(user_id="t-1")["person_id"], "u_t-1")
        begin = self.position()
        self.send(message("track", "t-last", 0, userId="t-1", event="E"))
        self.assertEqual(self.ids(begin), ["m-t-last"])


class OneMessage(Watching):
    def test_as_kept_with_its_stamps_and_its_links(self):
        begin = self.position()
        self.send(message("identify", "m-1", 0, anonymousId="m-a", userId="m-kim", traits={"x": "\u2028"}),
                  {"type": "track", "event": "E", "userId": "m-kim", "sentAt": "2026-11-01T10:00:00Z",
                   "timestamp": "2026-11-01T09:59:00Z", "context": {"ip": "203.0.113.7"}},
                  {"type": "track", "event": "E", "userId": "m-kim"},
                  {"type": "track", "event": "Nobody"},
                  message("identify", "m-1", 0, anonymousId="m-a", userId="m-kim", traits={"x": "\u2028"}))
        rows = self.rows(begin)
        got = [self.ask(f"messages/{row['position']}") for row in rows]
        for row, one in zip(rows, got):
            self.assertEqual({**row, "stamped": one["stamped"], "links": one["links"]}, one)
        stamps = [{each["path"]: each for each in one["stamped"]} for one in got]
        self.assertEqual(sorted(stamps[0]), ["context.ip", "projectId", "receivedAt"])
        self.assertEqual(stamps[0]["projectId"], {"path": "projectId", "change": "added", "value": "website"})
        self.assertEqual((stamps[1]["timestamp"]["change"], stamps[1]["timestamp"]["was"]),
                         ("changed", "2026-11-01T09:59:00Z"))
        self.assertEqual(stamps[1]["messageId"]["change"], "maybe_added")
        self.assertEqual(stamps[2]["timestamp"]["change"], "added")
        self.assertEqual((stamps[3], got[3]["links"], got[3]["reason"]), ({}, [], "no_user_anon_id"))
        self.assertEqual([(link["from"]["id"], link["to"]["id"], link["position"]) for link in got[0]["links"]],
                         [("m-a", "m-kim", rows[0]["position"])])
        self.assertEqual((got[1]["links"], got[4]["links"], got[4]["fate"]), ([], [], "repeated"))

    def test_where_there_is_none(self):
        begin = self.position()
        self.send(message("track", "x-1", 0, userId="x-user", event="E"))
        (row,) = self.rows(begin)
        for position in (row["position"] + 1, row["position"] + 4, row["position"] + 100000, 0):
            self.refused(f"messages/{position}", 404)
        self.refused("messages/x", 400, "position")
        self.ask("people/u_x-user", "DELETE", status=202)
        self.refused(f"messages/{row['position']}", 404)


class Counts(Watching):
    def counts(self, query=""):
        self.until(lambda: self.ask("live/counts" + query)["complete"], "all to be counted")
        answer = self.ask("live/counts" + query)
        return {(row["source"], row["type"], row["fate"]): sum(row["counts"]) for row in answer["rows"]}, answer

    def test_what_came(self):
        self.ask("suppressions", "POST", {"user_ids": ["t-gone"]})
        self.send(*[message("track", f"t-{n}", n, userId="t-user", event="E") for n in range(7)],
                  *[message("track", "t-0", 0, userId="t-user", event="E")] * 2,
                  message("page", "t-p", 0, anonymousId="t-a", name="Home"),
                  {"type": "track", "event": "Nobody"}, {"type": "nonsense", "userId": "x"},
                  *[message("track", f"t-g-{n}", n, userId="t-gone", event="E") for n in range(3)])
        self.send(message("group", "t-q", 0, userId="t-user", groupId="t-group"), key="wk_server")
        wanted = {("website", "track", "accepted"): 7, ("website", "track", "repeated"): 2, ("website", "page", "accepted"): 1,
                  ("website", "track", "rejected"): 1, ("website", None, "rejected"): 1, ("server", "group", "accepted"): 1}
        got, answer = self.counts()
        self.assertEqual(got, {**wanted, ("website", "track", "suppressed"): 3})
        self.assertEqual({len(row["counts"]) for row in answer["rows"]}, {1440})
        self.assertEqual({len(row["counts"]) for row in self.counts("?minutes=60")[1]["rows"]}, {60})
        self.server.stop()
        self.server.start()
        self.assertEqual(self.counts()[0], wanted)                 # of what is suppressed nothing is left to count
        self.send(message("page", "t-p2", 0, anonymousId="t-a", name="Home"))
        self.assertEqual(self.counts()[0][("website", "page", "accepted")], 2)
        for query in ("minutes=0", "minutes=1441", "minutes=x"):
            self.refused("live/counts?" + query, 400, "minutes")
        self.assertEqual(self.server.errors(), [])


class Limits(Watching):
    def test_sixteen_at_a_time(self):
        streams = [self.watch() for _ in range(16)]
        status, headers, text = self.raw("/api/v1/live")
        self.assertEqual((status, json.loads(text)["error"]["code"]), (503, "timeout"))
        self.assertGreater(int(headers["Retry-After"]), 0)
        self.send(message("track", "l-1", 0, userId="l-user", event="E"))
        for stream in streams:
            self.assertEqual([row["message"]["messageId"] for row in stream.take(1)], ["m-l-1"])
        streams.pop().close()

        def is_served():
            with Stream(self.server) as stream:
                return stream.status == 200
        self.until(is_served, "a place to be free")

    def test_keys_and_parameters(self):
        for key, statuses in (("wk_website", (401, 403)), ("", (401, 403)), ("nonsense", (401, 403))):
            for path in ("live", "live/counts", "messages/0"):
                status, headers, _ = self.raw("/api/v1/" + path, key=key)
                self.assertIn(status, statuses)
                self.assertNotIn("event-stream", headers["Content-Type"])
        status, _, _ = self.raw("/api/v1/live", headers={"Origin": "https://evil.example"})
        self.assertEqual(status, 403)
        for query, field in (("from=x", "from"), ("from=-1", "from"), ("to=now", "to"), ("type=trak", "type"),
                             ("fate=lost", "fate"), ("behind=1", "behind"), ("id=" + "x" * 600, "id"),
                             ("&".join(f"id={n}" for n in range(17)), "id")):
            self.refused("live?" + query, 400, field)
        status, _, text = self.raw("/api/v1/live", headers={"Last-Event-ID": "7; x"})
        self.assertEqual((status, json.loads(text)["error"]["field"]), (400, "Last-Event-ID"))

    def test_its_head(self):
        stream = self.watch()
        headers = stream.answer.headers
        self.assertEqual(headers["Content-Type"], "text/event-stream")
        self.assertEqual(headers["Cache-Control"], "no-cache, no-transform")
        self.assertEqual(headers["X-Accel-Buffering"], "no")
        self.assertIsNone(headers["Content-Encoding"])
        self.assertIsNone(headers["Access-Control-Allow-Origin"])

    def test_to_http_1_0_it_goes_bare(self):
        begin = self.position()
        self.send(message("track", "o-1", 0, userId="o-user", event="E"))
        with socket.create_connection(("127.0.0.1", self.server.port), 20) as connection:
            connection.sendall(f"GET /api/v1/live?from={begin}&to={self.position()} HTTP/1.0\r\nAuthorization: Bearer "
                               f"{SECRET}\r\n\r\n".encode())
            text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        head, _, body = text.partition("\r\n\r\n")
        self.assertNotIn("chunked", head)
        self.assertTrue(body.startswith(": onym live\nretry: 1000\n\n"), body)
        self.assertIn('"messageId":"m-o-1"', body)
        self.assertTrue(body.endswith("\n\n"), body)

    def test_it_ends_with_the_server(self):
        stream = self.watch()
        self.server.stop()
        self.assertIsNone(stream.next())               # the end of the answer, not of the connection alone
        self.server.start()
        self.assertEqual(self.server.errors(), [])


if __name__ == "__main__":
    unittest.main()
