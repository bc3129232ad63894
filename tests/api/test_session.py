"""Ways in: sessions, one-time links, roles of keys; and what attackers do with a browser that has a session."""
import base64
import http.client
import json
import os
import re
import signal

from client import Case, SECRET, lib, unittest
from stream import Stream

OWN = {"Sec-Fetch-Site": "same-origin"}
READER, ANALYST, ADMIN = "rd_0123456789abcdefghij", "an_0123456789abcdefghij", "ad_0123456789abcdefghij"
# What a role may beside the rule of the test below: numbers for readers, looking for analysts, the rest for nobody else.
MASKED = {"get /api/v1/people", "get /api/v1/live", "get /api/v1/messages/{position}", "post /api/v1/events", "get /api/v1/destinations",
          "get /api/v1/destinations/{destination}"}
READERS = {"get /api/v1/destinations/{destination}/series", "get /api/v1/findings", "get /api/v1/losses",
           "get /api/v1/live/counts", "get /api/v1/saved", "get /api/v1/saved/{saved_id}"} | MASKED
ANALYSTS = {"post /api/v1/findings/accounts", "post /api/v1/findings/{fingerprint}/people", "post /api/v1/saved", "delete /api/v1/saved/{saved_id}"}
ADMINISTRATORS = {"/api/v1/sessions", "/api/v1/sources", "/api/v1/audit"}
KEYS = [{"name": "grafana", "key": READER}, {"name": "ann", "key": ANALYST, "role": "analyst"},
        {"name": "ops", "key": ADMIN, "role": "admin"}]


class Door(Case):
    config = {"keys": KEYS, "trusted_proxies": ["127.0.0.1"]}
    address = 0

    def setUp(self):
        """Each test comes from an address of its own: failed sign-ins count by address."""
        type(self).address += 1
        self.peer = {"X-Forwarded-For": f"203.0.113.{type(self).address}"}

    def call(self, method, path, body=None, cookie=None, headers=OWN, key=None):
        """(status, headers, JSON or text). headers: what a browser says beside."""
        headers = {**self.peer, **headers, **({"Cookie": cookie} if cookie else {})}
        if body is not None:
            headers["Content-Type"] = "application/json"
        status, got, text = self.raw(path, method, body, headers, key)
        try:
            return status, got, json.loads(text)
        except ValueError:
            return status, got, text

    def sign_in(self, key=SECRET, **more):
        status, headers, answer = self.call("POST", "/api/v1/session", {"key": key}, **more)
        self.assertEqual(status, 200, answer)
        self.check_described("POST", "/api/v1/session", status, answer)
        return headers["Set-Cookie"].split(";")[0], answer

    # ---- Sessions ----

    def test_a_key_becomes_a_session_and_signing_out_ends_it(self):
        status, headers, answer = self.call("POST", "/api/v1/session", {"key": SECRET}, headers={**OWN, "User-Agent": "Ua \t" * 300})
        self.assertEqual((status, answer["role"], answer["current"]), (200, "admin", True))
        cookie = headers["Set-Cookie"]
        self.assertRegex(cookie, r"^onym_session=[0-9a-f]{64}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict$")
        self.assertLessEqual(len(answer["agent"]), 120)
        cookie = cookie.split(";")[0]
        status, headers, who = self.call("GET", "/api/v1/session", cookie=cookie)
        self.assertEqual((status, who["id"], who["role"], who["key"]), (200, answer["id"], "admin", "secret_key"))
        self.check_described("GET", "/api/v1/session", status, who)
        self.assertEqual(self.call("GET", "/api/v1/people/resolve?user_id=nobody", cookie=cookie)[0], 404)
        status, headers, gone = self.call("DELETE", "/api/v1/session", cookie=cookie)
        self.assertEqual((status, gone["ended"]), (200, answer["id"]))
        self.assertIn("onym_session=; Path=/; Max-Age=0", headers["Set-Cookie"])
        for method, path in (("GET", "/api/v1/session"), ("GET", "/api/v1/people?search=x"), ("DELETE", "/api/v1/session")):
            self.assertEqual(self.call(method, path, cookie=cookie)[0], 401, "a cookie that was stolen before is worth nothing")

    def test_a_key_is_told_who_it_is(self):
        status, _, who = self.call("GET", "/api/v1/session", key=ANALYST, headers={})
        self.assertEqual((status, who["role"], who["key"], who["id"]), (200, "analyst", "ann", None))
        self.check_described("GET", "/api/v1/session", status, who)
        self.assertEqual(self.call("DELETE", "/api/v1/session", key=SECRET, headers={})[0], 400)

    def test_write_keys_of_sources_are_the_administrators(self):
        status, _, answer = self.call("GET", "/api/v1/sources", key=SECRET, headers={})
        self.assertEqual(status, 200)
        self.check_described("GET", "/api/v1/sources", status, answer)
        self.assertTrue(answer["sources"] and all(source["write_key"] for source in answer["sources"]))
        self.assertEqual(self.call("GET", "/api/v1/sources", key=ANALYST, headers={})[0], 403)
        self.assertEqual(self.call("GET", "/api/v1/sources", key=answer["sources"][0]["write_key"], headers={})[0], 401)

    def test_an_administrator_sees_all_sessions_and_ends_them(self):
        admin, own = self.sign_in()
        other, theirs = self.sign_in(ANALYST)
        status, _, answer = self.call("GET", "/api/v1/sessions", cookie=admin)
        self.check_described("GET", "/api/v1/sessions", status, answer)
        listed = {session["id"]: session for session in answer["sessions"]}
        self.assertTrue(listed[own["id"]]["current"])
        self.assertEqual((listed[theirs["id"]]["role"], listed[theirs["id"]]["key"]), ("analyst", "ann"))
        self.assertNotIn(other.split("=")[1], json.dumps(answer))
        self.assertEqual(self.call("GET", "/api/v1/sessions", cookie=other)[0], 403)
        self.assertEqual(self.call("DELETE", f"/api/v1/sessions/{own['id']}", cookie=other)[0], 403)
        self.assertEqual(self.call("DELETE", f"/api/v1/sessions/{theirs['id']}", cookie=admin)[0], 200)
        self.assertEqual(self.call("GET", "/api/v1/session", cookie=other)[0], 401)
        self.assertEqual(self.call("DELETE", f"/api/v1/sessions/{theirs['id']}", cookie=admin)[0], 404)
        self.assertEqual(self.call("GET", "/api/v1/session", cookie=admin)[0], 200)

    def test_what_streams_to_a_session_ends_with_it(self):
        cookie, _ = self.sign_in(ANALYST)
        reader, _ = self.sign_in(READER)
        for query in ("from=now&id=streamed", "from=now&text=streamed"):
            with Stream(self.server, query, cookie=reader) as refused:
                self.assertEqual(refused.status, 403)
        with Stream(self.server, "from=now", cookie=cookie) as stream:
            self.assertEqual(stream.status, 200)
            stream.begun()
            event = {"type": "track", "userId": "streamed", "event": "Seen", "messageId": "before-sign-out"}
            self.send(event)
            self.assertEqual(stream.take(1)[0]["message"]["messageId"], "before-sign-out")
            self.assertEqual(self.call("DELETE", "/api/v1/session", cookie=cookie)[0], 200)
            self.send({**event, "messageId": "after-sign-out"})
            self.assertNotIn("after-sign-out", str(stream.rest()))
        with Stream(self.server, "from=now", cookie=cookie) as stolen:
            self.assertEqual(stolen.status, 401)

    def test_only_hashes_are_on_disk(self):
        cookie, _ = self.sign_in()
        token = cookie.split("=")[1]
        kept = (self.server.data / "sessions").read_bytes()
        self.assertNotIn(token.encode(), kept)
        self.assertNotIn(bytes.fromhex(token), kept)
        self.assertNotIn(token, self.server.log_path.read_text())
        self.assertNotIn(SECRET, self.server.log_path.read_text())

    def test_there_are_so_many_sessions_and_the_one_used_longest_ago_goes(self):
        first, _ = self.sign_in()
        rest = [self.sign_in()[0] for _ in range(255)]
        self.assertEqual(self.call("GET", "/api/v1/session", cookie=first)[0], 200)      # used now
        last, _ = self.sign_in()
        self.assertEqual(self.call("GET", "/api/v1/session", cookie=first)[0], 200)
        self.assertEqual(len(self.call("GET", "/api/v1/sessions", cookie=last)[2]["sessions"]), 256)
        alive = sum(self.call("GET", "/api/v1/session", cookie=cookie)[0] == 200 for cookie in rest[:3] + rest[-3:])
        self.assertGreaterEqual(alive, 5)

    # ---- Links ----

    def test_a_link_signs_in_once(self):
        status, _, made = self.call("POST", "/api/v1/session/link", {}, key=SECRET, headers={})
        self.assertEqual(status, 200, made)
        self.check_described("POST", "/api/v1/session/link", status, made)
        status, headers, answer = self.call("POST", "/api/v1/session", {"link": made["link"]})
        self.assertEqual((status, answer["role"]), (200, "admin"))
        cookie = headers["Set-Cookie"].split(";")[0]
        self.assertNotIn(made["link"], cookie)
        self.assertEqual(self.call("GET", "/api/v1/session", cookie=cookie)[0], 200)
        self.assertEqual(self.call("POST", "/api/v1/session", {"link": made["link"]})[0], 401)
        self.assertNotIn(made["link"], self.server.log_path.read_text())

    def test_who_may_not_administer_makes_no_link(self):
        for key in (READER, ANALYST):
            self.assertEqual(self.call("POST", "/api/v1/session/link", {}, key=key, headers={})[0], 403)
            cookie, _ = self.sign_in(key)
            self.assertEqual(self.call("POST", "/api/v1/session/link", {}, cookie=cookie)[0], 403)
        self.assertEqual(self.call("POST", "/api/v1/session/link", {}, headers={})[0], 401)
        self.assertEqual(self.call("POST", "/api/v1/session/link", {}, key="wk_website", headers={})[0], 401)

    def test_a_session_makes_a_link_of_its_own_role(self):
        cookie, _ = self.sign_in(ADMIN)
        made = self.call("POST", "/api/v1/session/link", {}, cookie=cookie)[2]
        answer = self.call("POST", "/api/v1/session", {"link": made["link"]})[2]
        self.assertEqual((answer["role"], answer["key"]), ("admin", "ops"))

    # ---- Roles ----

    def look(self, method, path, body, headers):
        """The status alone: what comes behind it may have no end."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            headers = {**self.peer, **headers, "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def status_of(self, method, path, key, body=None):
        by_key = self.look(method, path, body, {"Authorization": f"Bearer {key}"})
        by_cookie = self.look(method, path, body, {**OWN, "Cookie": self.cookies[key]})
        self.assertEqual(by_key, by_cookie, f"{method} {path} by {key}")
        return by_key

    def test_every_route_wants_its_role(self):
        """Whatever the table of routes has: what is not said to be for others is the administrator's."""
        self.cookies = {key: self.sign_in(key)[0] for key in (READER, ANALYST)}
        document = json.loads(self.raw("/api/v1/openapi.json", key=None)[2])
        for path, methods in document["paths"].items():
            if not path.startswith(("/api/v1/", "/v1/spaces/")) or path == "/api/v1/openapi.json" or path == "/api/v1/session":
                continue
            real = path.replace("{person_id}", "u_x").replace("{", "").replace("}", "")
            for method in methods:
                if method == "parameters":
                    continue
                is_question = any(path == f"/api/v1/{name}" for name in ("funnels", "trends", "retention", "paths", "signups"))
                is_read = method == "get" or path in ("/api/v1/events", "/api/v1/funnels/people", "/api/v1/paths/people")
                is_signing = path.endswith("user_hash") or path in ADMINISTRATORS
                with self.subTest(f"{method} {path}"):
                    reader = self.status_of(method.upper(), real, READER, {} if method == "post" else None)
                    analyst = self.status_of(method.upper(), real, ANALYST, {} if method == "post" else None)
                    if is_question or f"{method} {path}" in READERS:
                        self.assertNotIn(reader, (401, 403))
                    else:
                        self.assertEqual(reader, 403)
                    if is_question or (is_read and not is_signing) or f"{method} {path}" in ANALYSTS:
                        self.assertNotIn(analyst, (401, 403))
                    else:
                        self.assertEqual(analyst, 403)

    def positions_of(self, mark, cookie):
        """Of the messages with it, as far as one whose name ends the search."""
        found = []
        with Stream(self.server, "from=0", cookie=cookie) as stream:
            while not found or f"{mark}-rejected" not in found[-1][1]:
                name, row = stream.next()
                if name == "row" and mark in str(row):
                    found.append((row["position"], str(row)))
        return [position for position, _ in found]

    def test_no_route_shows_a_reader_anybodys_data(self):
        """Somebody with a mark on everything that is theirs; then every route that there is, as a reader."""
        mark, figure = "canary", 4711471147
        self.send({"type": "page", "anonymousId": f"{mark}-anonymous", "name": "Home", "messageId": "mark-1",
                   "context": {"ip": "198.51.100.9", "page": {"url": f"https://x.example/?{mark}"}, "userAgent": f"{mark} agent"}},
                  {"type": "identify", "anonymousId": f"{mark}-anonymous", "userId": f"{mark}-user", "messageId": "mark-2",
                   "traits": {"email": f"{mark}@x.example", "name": f"{mark} Name", "deep": {"list": [{"a": mark, "figure": figure}]}}},
                  {"type": "group", "userId": f"{mark}-user", "groupId": f"{mark}-group", "messageId": "mark-3", "traits": {"name": mark}},
                  {"type": "track", "userId": f"{mark}-user", "event": "Ordered", "messageId": "mark-4", "properties": {"coupon": f"{mark}-c", "figure": figure}},
                  {"type": "track", "userId": f"{mark}-user", "messageId": "mark-5", "properties": {"coupon": f"{mark}-rejected"}})
        person = self.resolve(user_id=f"{mark}-user")["person_id"]
        positions = self.positions_of(mark, self.sign_in(ANALYST)[0])
        self.assertGreaterEqual(len(positions), 5)
        cookie, _ = self.sign_in(READER)
        seen = set()

        def look(method, path, body=None):
            status, _, answer = self.call(method, path, body, cookie=cookie)
            text = json.dumps(answer)
            self.assertNotIn(mark, text.replace(path, ""), f"{method} {path}")
            self.assertNotIn("198.51.100.9", text, f"{method} {path}")
            self.assertNotIn(str(figure), text, f"{method} {path}")
            if status == 200:
                seen.add(f"{method.lower()} {path.split('?')[0]}")
            return status
        document = json.loads(self.raw("/api/v1/openapi.json", key=None)[2])
        bodies = {"/api/v1/events": {"field": "properties.coupon"}, "/api/v1/funnels": {"steps": ["Ordered"]},
                  "/api/v1/trends": {"series": ["Ordered"]}, "/api/v1/retention": {"birth": "Ordered", "return": "Ordered"},
                  "/api/v1/paths": {"start": "Ordered"}, "/api/v1/signups": {},
                  "/api/v1/funnels/people": {"steps": ["Ordered"]}, "/api/v1/paths/people": {"event": "Ordered"}}
        for path, methods in document["paths"].items():
            if not path.startswith(("/api/v1/", "/v1/spaces/")) or path in ("/api/v1/openapi.json", "/api/v1/live"):
                continue
            if path == "/api/v1/session":
                continue
            for position in positions if "{position}" in path else positions[:1]:
                real = (path.replace("{person_id}", person).replace("{group_id}", f"{mark}-group").replace("{position}", str(position))
                        .replace("{space}", "x").replace("{external_id}", f"user_id:{mark}-user").replace("{", "").replace("}", ""))
                for method in methods:
                    if method != "parameters":
                        look(method.upper(), real, bodies.get(path, {}) if method == "post" else None)
        self.assertTrue({"post /api/v1/events", "post /api/v1/trends", f"get /api/v1/messages/{positions[0]}"} <= seen, seen)
        self.assertEqual(look("POST", "/api/v1/events", {}), 200)
        for search in (f"{mark}@x.example", "x"):
            self.assertEqual(look("GET", f"/api/v1/people?search={search}"), 403)
        with Stream(self.server, f"from=0&to={positions[-1]}", cookie=cookie) as stream:
            rows = [row for _, row in stream.rest()]
        self.assertNotIn(mark, str(rows))
        told = {row["position"]: row for row in rows if "fate" in row}
        self.assertTrue(set(positions[:-1]) <= set(told))
        row = told[positions[3]]
        self.assertEqual((row["message"]["event"], row["message"]["type"], row["fate"]), ("Ordered", "track", "accepted"))
        self.assertNotIn(str(figure), str(rows))
        self.assertRegex(row["message"]["userId"], r"^masked-[0-9a-f]{12}$")
        self.assertEqual(row["message"]["userId"], row["person"]["user_ids"][0], "the same value, the same word")

    def test_a_reader_is_shown_every_number_and_instant_that_is_nobodys(self):
        """What Onym counts and when it was is no personal data: a reader's answer has it as the administrator's does."""
        self.send({"type": "track", "userId": "shown-user", "event": "Shown", "messageId": "shown-1", "properties": {"n": 5}})
        self.resolve(user_id="shown-user")

        def plain(value, path=""):
            """Numbers, instants, true and false outside of what people said, by their path."""
            if isinstance(value, dict):
                for name, inside in value.items():
                    if name not in ("message", "traits", "value", "was", "examples"):
                        yield from plain(inside, f"{path}.{name}")
            elif isinstance(value, list):
                for inside in value:
                    yield from plain(inside, path)
            elif not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", value):
                yield path, value
        moving = ("lag", "position", "behind", "per_second", "cursor", "bytes", "minutes", ".from", ".to")
        for path in ("people", "destinations", "live/counts", "findings"):
            by = {key: json.loads(self.raw(f"/api/v1/{path}", key=key)[2]) for key in (SECRET, READER)}
            told = {key: [one for one in plain(by[key]) if not any(word in one[0] for word in moving)] for key in by}
            self.assertEqual(told[READER], told[SECRET], path)
        self.assertIsNotNone(json.loads(self.raw("/api/v1/people", key=READER)[2])["people"][0]["last_seen"])
        status, _, body = self.raw("/api/v1/events", "POST", {}, key=READER)
        self.assertEqual(status, 200)
        self.assertIn("T", json.loads(body)["events"][0]["last_seen"])

    def test_what_an_analyst_saves_is_an_order_and_what_one_asks_is_not(self):
        saved = json.loads(self.raw("/api/v1/saved", "POST", {"name": "By an analyst", "kind": "trends", "question": {"series": ["Ordered"]}},
                                    key=ANALYST)[2])["id"]
        self.assertEqual(self.raw("/api/v1/funnels/people", "POST", {"steps": ["Ordered"]}, key=ANALYST)[0], 200)
        entries = self.ask("audit?limit=5")["entries"]
        self.assertIn(("POST", "/api/v1/saved", "analyst"), [(one["method"], one["path"], one["role"]) for one in entries])
        self.assertNotIn("/api/v1/funnels/people", [one["path"] for one in entries])
        self.ask(f"saved/{saved}", "DELETE")

    def test_a_reader_is_shown_no_saved_question_about_people(self):
        save = lambda where: self.ask("saved", "POST", {"name": "S", "kind": "trends", "question": {"series": ["Ordered"], "where": where}},   # noqa: E731
                                      status=201)["id"]
        open_, closed = save([]), save([{"field": "traits.email", "op": "=", "value": "a@b.c"}])
        ids = {key: [row["id"] for row in json.loads(self.raw("/api/v1/saved", key=key)[2])["saved"]] for key in (READER, ANALYST)}
        self.assertIn(open_, ids[READER])
        self.assertNotIn(closed, ids[READER])
        self.assertIn(closed, ids[ANALYST])
        self.assertEqual(self.raw(f"/api/v1/saved/{closed}", key=READER)[0], 403)

    def test_a_reader_asks_for_numbers_and_not_by_people(self):
        self.cookies = {READER: self.sign_in(READER)[0]}
        ask = lambda body: self.status_of("POST", "/api/v1/trends", READER, body)      # noqa: E731
        self.assertEqual(ask({"series": ["Ordered"], "unit": "day", "by": "properties.plan"}), 200)
        for by in ("traits.email", "userId", "traits.\\u0065mail"):
            self.assertEqual(ask(json.loads(f'{{"series":["Ordered"],"unit":"day","by":"{by}"}}')), 403, by)
        self.assertEqual(ask({"series": [{"event": "Ordered", "where": [{"field": "traits.email", "op": "=", "value": "a@b.c"}]}],
                              "unit": "day"}), 403)
        self.assertEqual(ask({"series": ["Ordered"], "unit": "day", "where": [{"field": "userId", "op": "exists"}]}), 403)

    def test_the_write_key_opens_nothing(self):
        document = json.loads(self.raw("/api/v1/openapi.json", key=None)[2])
        for path, methods in document["paths"].items():
            if not path.startswith(("/api/v1/", "/v1/spaces/")) or path == "/api/v1/openapi.json":
                continue
            for method in methods:
                self.setUp()                                         # so many wrong keys wait elsewhere
                status = self.look(method.upper(), path.replace("{", "").replace("}", ""), {} if method == "post" else None,
                                   {"Authorization": "Bearer wk_website"})
                self.assertIn(status, (400, 401), f"{method} {path}")        # 400: POST /session without a key to judge
        self.assertEqual(self.call("POST", "/api/v1/session", {"key": "wk_website"})[0], 401)

    # ---- What a browser is made to do ----

    def test_a_page_of_elsewhere_gets_nothing_by_the_cookie(self):
        cookie, _ = self.sign_in()
        host = f"127.0.0.1:{self.server.port}"
        trend = {"series": ["Ordered"], "unit": "day"}
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
                        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"http://{host}.evil.example"}, {},
                        {"Origin": f"http://{host}", "Sec-Fetch-Site": "cross-site"}):
            for method, path, body in (("POST", "/api/v1/trends", trend), ("POST", "/api/v1/suppressions", {"user_id": "x"}),
                                       ("DELETE", "/api/v1/people/u_x", None), ("DELETE", "/api/v1/session", None),
                                       ("POST", "/api/v1/session/link", {})):
                status, got, _ = self.call(method, path, body, cookie=cookie, headers=headers)
                self.assertEqual(status, 403, f"{headers} {method} {path}")
                self.assertFalse([name for name in got if name.lower().startswith("access-control-")])
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}):
            self.assertEqual(self.call("GET", "/api/v1/people?search=x", cookie=cookie, headers=headers)[0], 403)
        for headers in (OWN, {"Origin": f"http://{host}"}, {"Origin": f"http://{host}", **OWN}):
            status, got, _ = self.call("POST", "/api/v1/trends", trend, cookie=cookie, headers=headers)
            self.assertEqual(status, 200)
            self.assertFalse([name for name in got if name.lower().startswith("access-control-")])
            self.assertEqual(got["Cross-Origin-Resource-Policy"], "same-origin")
        self.assertEqual(self.call("GET", "/api/v1/session", cookie=cookie, headers={"Sec-Fetch-Site": "none"})[0], 200)

    def test_nobody_signs_somebody_else_in(self):
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            self.assertEqual(self.call("POST", "/api/v1/session", {"key": SECRET}, headers=headers)[0], 403)

    def test_a_cookie_collects_nothing(self):
        cookie, _ = self.sign_in()
        event = {"userId": "by-cookie", "event": "E", "type": "track", "messageId": "by-cookie"}
        for path in ("/v1/track", "/v1/batch", "/v1/import"):
            status, _, answer = self.call("POST", path, {"batch": [event]} if path != "/v1/track" else event, cookie=cookie)
            self.assertNotIn("accepted", str(answer))
        self.wait_applied()
        self.assertEqual(self.raw("/api/v1/people/resolve?user_id=by-cookie")[0], 404)

    def test_a_planted_cookie_is_no_session(self):
        planted = "onym_session=" + "a" * 64
        cookie, _ = self.sign_in(cookie=planted)
        self.assertNotEqual(cookie, planted)
        self.assertEqual(self.call("GET", "/api/v1/session", cookie=planted)[0], 401)
        own, _ = self.sign_in(READER)
        for two in (f"{own}; {cookie}", f"{cookie}; {own}"):       # by a host beside ours: the session of somebody else
            self.assertEqual(self.call("GET", "/api/v1/session", cookie=two)[0], 401)

    def test_cookies_of_any_shape(self):
        cookie, _ = self.sign_in()
        name, token = cookie.split("=")
        for good in (f"a=1; {cookie}; b=2", f"{cookie};", f" {cookie} ", f"x{name}=1; {cookie}", f"=; ;;{cookie}"):
            self.assertEqual(self.call("GET", "/api/v1/session", cookie=good)[0], 200, good)
        for bad in (name, f"{name}=", f"{name}={token[:-1]}", f"{name}={token}0", f"{name}={token.upper()}", f"{name.upper()}={token}",
                    f"{name}=\"{token}\"", f"__Host-{cookie}", f"{name}={'a' * 20000}", "; ".join(["a=1"] * 5000)):
            self.assertEqual(self.call("GET", "/api/v1/session", cookie=bad)[0], 401, bad[:100])
        status = self.call("GET", "/api/v1/session", cookie=f"{name}={'a' * 40000}")[0]
        self.assertEqual(status, 431)

    # ---- Behind TLS ----

    def test_by_tls_the_cookie_is_the_hosts_own(self):
        secure = {**OWN, "X-Forwarded-Proto": "https"}
        status, headers, _ = self.call("POST", "/api/v1/session", {"key": SECRET}, headers=secure)
        self.assertRegex(headers["Set-Cookie"], r"^__Host-onym_session=[0-9a-f]{64}; Path=/; .*; Secure$")
        self.assertNotIn("Domain", headers["Set-Cookie"])
        cookie = headers["Set-Cookie"].split(";")[0]
        self.assertEqual(self.call("GET", "/api/v1/session", cookie=cookie, headers=secure)[0], 200)
        plain = cookie.replace("__Host-", "")
        self.assertEqual(self.call("GET", "/api/v1/session", cookie=plain, headers=secure)[0], 401)

    # ---- Guessing ----

    def test_ten_failures_a_minute_and_then_all_wait(self):
        for _ in range(10):
            self.assertEqual(self.call("POST", "/api/v1/session", {"key": "wrong"})[0], 401)
        for body in ({"key": "wrong"}, {"key": SECRET}, {"link": "x"}):
            status, headers, _ = self.call("POST", "/api/v1/session", body)
            self.assertEqual(status, 429)
            self.assertTrue(1 <= int(headers["Retry-After"]) <= 60, headers["Retry-After"])
        self.peer = {"X-Forwarded-For": "198.51.100.77"}
        self.sign_in()

    def test_keys_are_guessed_no_faster_than_sign_ins(self):
        """As Bearer, as the user name of Basic, at the Profile API, by an import: ten a minute, and then all wait."""
        basic = "Basic " + base64.b64encode(b"wrong:").decode()
        ways = [("GET", "/api/v1/sources", {"Authorization": "Bearer wrong"}), ("GET", "/api/v1/people/x", {"Authorization": basic}),
                ("GET", "/v1/spaces/s/collections/users/profiles/user_id:x/traits", {"Authorization": basic}),
                ("POST", "/v1/import", {"Authorization": "Bearer wrong", "X-Onym-Import": "1"}),
                ("POST", "/v1/batch", {"Authorization": basic, "X-Onym-Import": "1"})]
        for at in range(10):
            method, path, headers = ways[at % len(ways)]
            body = {"batch": []} if method == "POST" else None
            self.assertEqual(self.call(method, path, body, headers=headers)[0], 401, path)
        for method, path, headers in ways + [("GET", "/api/v1/sources", {"Authorization": f"Bearer {ANALYST}"})]:
            status, got, answer = self.call(method, path, {"batch": []} if method == "POST" else None, headers=headers)
            self.assertEqual(status, 429, path)
            self.assertTrue(1 <= int(got["Retry-After"]) <= 60, got["Retry-After"])
        self.assertEqual(self.call("GET", "/api/v1/sources")[0], 401, "who brings no key guesses nothing")
        event = {"userId": "beside-guesses", "event": "E", "type": "track", "writeKey": "wk_website"}
        self.assertEqual(self.call("POST", "/v1/track", event)[0], 200)
        self.peer = {"X-Forwarded-For": "198.51.100.78"}
        self.assertEqual(self.call("GET", "/api/v1/sources", key=ADMIN, headers={})[0], 200)

    def test_guesses_keep_nobody_out_who_was_there_before(self):
        self.assertEqual(self.call("GET", "/api/v1/session", key=READER, headers={})[0], 200)
        for _ in range(15):
            self.call("GET", "/api/v1/sources", key="wrong", headers={})
        self.assertEqual(self.call("GET", "/api/v1/sources", key="wrong", headers={})[0], 429)
        self.assertEqual(self.call("GET", "/api/v1/session", key=READER, headers={})[0], 200)
        self.sign_in(READER)

    def test_who_signs_in_well_is_not_counted(self):
        for _ in range(30):
            self.sign_in(READER)

    def test_bodies_that_are_none(self):
        for body in ({}, {"key": ""}, {"key": SECRET, "link": "x"}, {"key": {"a": 1}}, [], {"key": ["x"]}):
            self.assertEqual(self.call("POST", "/api/v1/session", body)[0], 400, body)
        self.assertEqual(self.call("POST", "/api/v1/session", {"key": "x" * 5000})[0], 413)

    # ---- Audit ----

    def test_orders_are_in_the_log_with_who_gave_them(self):
        cookie, session = self.sign_in(ADMIN)
        self.assertEqual(self.call("POST", "/api/v1/suppressions", {"user_id": "logged-by-session"}, cookie=cookie)[0], 200)
        self.assertEqual(self.call("POST", "/api/v1/suppressions", {"user_id": "logged-by-key"}, key=ADMIN, headers={})[0], 200)
        self.assertEqual(self.call("DELETE", "/api/v1/people/u_x", key=ANALYST, headers={})[0], 403)

        def has(*parts):
            return any(all(part in line for part in parts) for line in self.server.log_path.read_text().splitlines())
        self.until(lambda: has("event=ordered", f'who="session {session["id"]}"', "path=/api/v1/suppressions", "status=200"), "the session's")
        self.until(lambda: has("event=ordered", 'who="key ops"', "path=/api/v1/suppressions"), "the key's")
        self.until(lambda: has("level=warn", "event=ordered", 'who="key ann"', "method=DELETE", "status=403"), "the refused one")
        self.assertFalse(has("logged-by-session"))


class Restart(unittest.TestCase):
    def open(self, **config):
        server = lib.Onym({"web": "wk_web"}, config)
        self.addCleanup(server.close)
        return server.start()

    def call(self, server, method, path, body=None, cookie=None):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        headers = {**OWN, "Content-Type": "application/json", **({"Cookie": cookie} if cookie else {})}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, json.loads(text) if text.startswith("{") else text

    def sign_in(self, server, key=SECRET):
        status, headers, answer = self.call(server, "POST", "/api/v1/session", {"key": key})
        self.assertEqual(status, 200, answer)
        return headers["Set-Cookie"].split(";")[0]

    def alive(self, server, cookie):
        return self.call(server, "GET", "/api/v1/session", cookie=cookie)[0] == 200

    def test_sessions_outlive_a_crash_and_ended_ones_stay_ended(self):
        server = self.open()
        kept, ended = self.sign_in(server), self.sign_in(server)
        self.assertEqual(self.call(server, "DELETE", "/api/v1/session", cookie=ended)[0], 200)
        server.kill()
        server.start()
        self.assertTrue(self.alive(server, kept))
        self.assertFalse(self.alive(server, ended))

    def test_another_secret_key_ends_all(self):
        server = self.open(keys=KEYS)
        cookies = [self.sign_in(server), self.sign_in(server, READER)]
        server.stop()
        text = server.config.read_text()
        server.config.write_text(text.replace(SECRET, "sk_another_for_this_run"))
        server.start()
        self.assertFalse(any(self.alive(server, cookie) for cookie in cookies))
        server.stop()
        server.config.write_text(text)
        server.start()
        self.assertFalse(any(self.alive(server, cookie) for cookie in cookies), "ended is ended")

    def test_a_key_that_is_taken_out_or_demoted_ends_its_sessions_at_a_reload(self):
        server = self.open(keys=KEYS)
        admin, ops, reader = self.sign_in(server), self.sign_in(server, ADMIN), self.sign_in(server, READER)
        text = server.config.read_text()
        server.config.write_text(text.replace('"role": "admin"', '"role": "analyst"'))
        server.process.send_signal(signal.SIGHUP)
        lib.wait_until(lambda: not self.alive(server, ops), 20, "the reload")
        self.assertTrue(self.alive(server, admin) and self.alive(server, reader))
        server.config.write_text("\n".join(line for line in text.splitlines() if not line.startswith("keys:")))
        server.process.send_signal(signal.SIGHUP)
        lib.wait_until(lambda: not self.alive(server, reader), 20, "the reload")
        self.assertTrue(self.alive(server, admin))
        self.assertEqual(self.call(server, "POST", "/api/v1/session", {"key": READER})[0], 401)

    def test_a_damaged_file_signs_everybody_out_and_says_so(self):
        server = self.open()
        cookie = self.sign_in(server)
        server.stop()
        path = server.data / "sessions"
        whole = path.read_bytes()
        for at in (0, 8, 13, 100, len(whole) - 1):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:])
            verdict = server.run("verify", check=False)
            self.assertEqual(verdict.returncode, 1, verdict.stdout)
            self.assertIn(b"data/sessions: ", verdict.stdout)
            server.start()
            self.assertFalse(self.alive(server, cookie))
            self.assertIn("the file of sessions is damaged", server.log_path.read_text())
            server.stop()
        path.write_bytes(whole)
        server.start()
        self.assertTrue(self.alive(server, cookie))

    def test_without_the_page_nobody_signs_in_and_keys_read(self):
        server = self.open(ui=False, keys=KEYS)
        self.assertEqual(self.call(server, "POST", "/api/v1/session", {"key": SECRET})[0], 404)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", "/api/v1/session", headers={"Authorization": f"Bearer {READER}"})
        self.assertEqual(json.loads(connection.getresponse().read())["role"], "reader")
        self.assertFalse(os.path.exists(server.data / "sessions"))


if __name__ == "__main__":
    unittest.main()
