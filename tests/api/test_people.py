"""people/resolve and its kin say what design.md says, and the sign-up stories of issue 3 end in the right people."""
import random

from client import Case, json, message, quote, unittest


class People(Case):
    config = {"trusted_proxies": ["127.0.0.1"]}         # so that wrong keys come from several addresses: they are counted

    def person(self, **want):
        """What a person looks like, with the fields that a test does not care about left out."""
        return {"external_ids": [], **want}

    def check(self, want, **ids):
        got = self.resolve(**ids)
        self.assertEqual({key: got[key] for key in want}, want)
        self.assertEqual(list(got), ["person_id", "user_ids", "anonymous_ids", "external_ids", "traits", "first_seen",
                                     "last_seen", "events"])
        return got

    # ---- The stories ----

    def sign_up(self, name, order=None):
        """Anonymous browsing, identify with name and email, Account Created."""
        user, visitor = f"{name}-12345", f"{name}-anon"
        story = [
            message("page", f"{name}-1", 0, anonymousId=visitor, name="Landing"),
            message("track", f"{name}-2", 1, anonymousId=visitor, event="Signup Clicked"),
            message("identify", f"{name}-3", 2, anonymousId=visitor, userId=user,
                    traits={"name": "Peter Gibbons", "email": f"{name}@initech.example"}),
            message("track", f"{name}-4", 3, anonymousId=visitor, userId=user, event="Account Created"),
        ]
        return user, visitor, [story[at] for at in order] if order else story

    def test_the_sign_up_of_user_12345(self):
        user, visitor, story = self.sign_up("plain")
        self.send(*story)
        want = self.person(person_id=f"u_{user}", user_ids=[user], anonymous_ids=[visitor], events=4,
                           traits={"name": "Peter Gibbons", "email": "plain@initech.example"},
                           first_seen="2026-11-01T10:00:00.000Z", last_seen="2026-11-01T10:03:00.000Z")
        self.assertEqual(self.check(want, user_id=user), self.check(want, anonymous_id=visitor))

    def test_the_sign_up_is_told_whole(self):
        user, visitor, story = self.sign_up("whole")
        self.send(*story)
        self.assertEqual(self.resolve(user_id=user), {
            "person_id": f"u_{user}", "user_ids": [user], "anonymous_ids": [visitor], "external_ids": [],
            "traits": {"name": "Peter Gibbons", "email": "whole@initech.example"},
            "first_seen": "2026-11-01T10:00:00.000Z", "last_seen": "2026-11-01T10:03:00.000Z", "events": 4})
        told = self.ask(f"people/u_{user}/events")
        self.assertEqual(told["cursor"], {"has_more": False, "next": None})
        fields = ("messageId", "type", "timestamp", "anonymousId", "userId", "event", "name", "traits")
        self.assertEqual([{key: event[key] for key in fields if event.get(key)} for event in told["events"]], story[::-1])
        ends = {"from": {"type": "anonymous_id", "id": visitor}, "to": {"type": "user_id", "id": user}, "rule": "message",
                "source": "website", "removed": False}
        links = self.ask(f"people/u_{user}/links")["links"]
        self.assertEqual([{key: value for key, value in link.items() if key != "position"} for link in links], [
            {**ends, "time": "2026-11-01T10:02:00.000Z", "message_id": "m-whole-3", "message_type": "identify"},
            {**ends, "time": "2026-11-01T10:03:00.000Z", "message_id": "m-whole-4", "message_type": "track"}])
        why = self.ask(f"people/why?ids={user},{visitor}")
        self.assertEqual((why["same"], why["reason"], why["at"]), (True, "same", None))
        self.assertIn(why["links"], [[link] for link in links])

    def test_the_sign_up_in_any_order_is_the_same_person(self):
        dice = random.Random(20261127)
        for number in range(6):
            order = dice.sample(range(4), 4)
            user, visitor, story = self.sign_up(f"order{number}", order)
            for part in story:
                self.send(part)
            with self.subTest(order=order):
                self.check(self.person(person_id=f"u_{user}", user_ids=[user], anonymous_ids=[visitor], events=4,
                                       first_seen="2026-11-01T10:00:00.000Z"), user_id=user)

    def test_the_sign_up_with_traits_later_from_the_server(self):
        user, visitor = "later-12345", "later-anon"
        self.send(message("page", "later-1", 0, anonymousId=visitor, name="Landing"),
                  message("identify", "later-2", 2, anonymousId=visitor, userId=user, traits={"plan": "free"}),
                  message("track", "later-3", 3, anonymousId=visitor, userId=user, event="Account Created"))
        self.check({"traits": {"plan": "free"}, "events": 3}, user_id=user)
        self.send(message("identify", "later-4", 60, userId=user,
                          traits={"name": "Peter Gibbons", "email": "later@initech.example", "plan": "pro"}),
                  key="wk_server")
        self.check({"traits": {"name": "Peter Gibbons", "email": "later@initech.example", "plan": "pro"}, "events": 4,
                    "anonymous_ids": [visitor]}, user_id=user)
        # what is told late but was true before does not win
        self.send(message("identify", "later-5", 30, userId=user, traits={"plan": "trial", "team": "TPS"}),
                  key="wk_server")
        self.check({"traits": {"name": "Peter Gibbons", "email": "later@initech.example", "plan": "pro",
                               "team": "TPS"}, "events": 5}, user_id=user)

    def test_the_server_identifies_before_the_browser_tells_the_link(self):
        user, visitor = "first-12345", "first-anon"
        self.send(message("page", "first-1", 0, anonymousId=visitor, name="Landing"))
        self.send(message("identify", "first-2", 1, userId=user, traits={"email": "first@initech.example"}),
                  key="wk_server")
        self.check(self.person(person_id=f"a_{visitor}", user_ids=[], events=1, traits={}), anonymous_id=visitor)
        self.check(self.person(person_id=f"u_{user}", anonymous_ids=[], events=1), user_id=user)
        self.send(message("alias", "first-3", 2, previousId=visitor, userId=user))
        want = self.person(person_id=f"u_{user}", user_ids=[user], anonymous_ids=[visitor], events=3,
                           traits={"email": "first@initech.example"}, first_seen="2026-11-01T10:00:00.000Z")
        self.check(want, user_id=user)
        self.check(want, anonymous_id=visitor)
        self.assertEqual(self.ask(f"people/a_{visitor}")["person_id"], f"u_{user}")

    def test_the_log_out_without_reset_keeps_two_people_apart(self):
        device = "desk-anon"
        self.send(message("page", "desk-1", 0, anonymousId=device, name="Landing"),
                  message("identify", "desk-2", 5, anonymousId=device, userId="desk-ann", traits={"name": "Ann"}),
                  message("track", "desk-3", 10, anonymousId=device, event="Browsed After Log-out"),
                  message("identify", "desk-4", 60, anonymousId=device, userId="desk-ben", traits={"name": "Ben"}),
                  message("track", "desk-5", 65, anonymousId=device, event="Browsed"))
        ann = self.check(self.person(person_id="u_desk-ann", user_ids=["desk-ann"], anonymous_ids=[device], events=3,
                                     traits={"name": "Ann"}), user_id="desk-ann")
        ben = self.check(self.person(person_id="u_desk-ben", user_ids=["desk-ben"], anonymous_ids=[device], events=2,
                                     traits={"name": "Ben"}), user_id="desk-ben")
        self.assertEqual(self.resolve(anonymous_id=device), ben, "the device is its last user's")
        self.assertEqual(ann["last_seen"], "2026-11-01T10:10:00.000Z")
        names = [event.get("event") or event.get("name") or event["type"]
                 for event in self.ask("people/u_desk-ann/events")["events"]]
        self.assertEqual(names, ["Browsed After Log-out", "identify", "Landing"])
        why = self.ask("people/why?ids=desk-ann,desk-ben")
        self.assertEqual((why["same"], why["reason"], why["at"]),
                         (False, "shared", {"type": "anonymous_id", "id": device}))

    def test_the_return_on_a_second_device(self):
        user = "second-12345"
        self.send(message("page", "second-1", 0, anonymousId="second-laptop", name="Landing"),
                  message("identify", "second-2", 1, anonymousId="second-laptop", userId=user),
                  message("screen", "second-3", 1000, anonymousId="second-phone", name="Welcome"),
                  message("identify", "second-4", 1001, anonymousId="second-phone", userId=user))
        want = self.person(person_id=f"u_{user}", anonymous_ids=["second-laptop", "second-phone"], events=4)
        self.check(want, user_id=user)
        self.check(want, anonymous_id="second-phone")
        chain = self.ask("people/why?ids=second-laptop,second-phone")
        self.assertTrue(chain["same"])
        self.assertEqual({link["message_id"] for link in chain["links"]}, {"m-second-2", "m-second-4"})

    # ---- What design.md says ----

    def test_who_was_never_seen_is_not_found(self):
        for path in ("resolve?user_id=nobody-at-all", "resolve?anonymous_id=nobody-at-all", "u_nobody-at-all",
                     "u_nobody-at-all/events", "u_nobody-at-all/links", "u_nobody-at-all/groups",
                     "u_nobody-at-all/traits/history", "u_nobody-at-all/export", "no-person-id", "resolve?user_id=guest"):
            with self.subTest(path=path):
                self.assertEqual(self.refused(f"people/{path}", 404)["code"], "not_found")
        self.refused("groups/nothing", 404)
        self.refused("erasures/123456", 404)
        self.refused("erasures/word", 404)

    def test_bad_input_is_told_with_its_field(self):
        self.send(message("page", "bad-1", 0, anonymousId="bad-anon"))
        for path, field in (("people/resolve", "user_id"), ("people/resolve?user_id=1&anonymous_id=2", "user_id"),
                            (f"people?search={600 * 'x'}", "search"), ("people?limit=0", "limit"), ("people?search=a&limit=0", "limit"),
                            ("people?cursor=x", "cursor"),
                            ("people?search=a&limit=101", "limit"), ("people?search=a&cursor=z", "cursor"),
                            ("people/why?ids=1", "ids"), ("people/why", "ids"),
                            ("people/a_bad-anon/events?limit=x", "limit"),
                            ("people/a_bad-anon/events?limit=1001", "limit"),
                            ("people/a_bad-anon/events?cursor=1", "cursor"),
                            ("people/a_bad-anon/traits/history?cursor=-1", "cursor")):
            with self.subTest(path=path):
                self.assertEqual(self.refused(path, 400, field)["code"], "invalid_request")

    def test_only_the_secret_key_reads(self):
        for path in ("people/resolve?user_id=1", "people/u_1", "people/u_1/events", "people?search=1", "suppressions",
                     "erasures", "groups/1"):
            for at, key in enumerate((None, "wk_website", "sk_wrong")):
                peer = {"X-Forwarded-For": f"203.0.113.{at + 1}"}
                status, headers, text = self.raw(f"/api/v1/{path}", key=key, headers=peer)
                self.assertEqual(status, 401, text)
                self.assertIn("Bearer", headers["WWW-Authenticate"])     # Basic: a browser would keep the key
        for path, method in (("people/u_1", "DELETE"), ("people/unmerge", "POST"), ("suppressions", "POST")):
            self.assertEqual(self.raw(f"/api/v1/{path}", method, b"{}", key="wk_website")[0], 401)

    def test_events_counts_every_type_once(self):
        user = "count-user"
        sent = [message("identify", "count-1", 0, userId=user, traits={"a": 1}),
                message("track", "count-2", 1, userId=user, event="T"),
                message("page", "count-3", 2, userId=user, name="P"),
                message("screen", "count-4", 3, userId=user, name="S"),
                message("group", "count-5", 4, userId=user, groupId="count-group", traits={"plan": "pro"}),
                message("alias", "count-6", 5, userId=user, previousId="count-anon")]
        self.send(*sent)
        self.send(*sent)
        self.send(*reversed(sent))
        self.check({"events": 6, "anonymous_ids": ["count-anon"], "traits": {"a": 1}}, user_id=user)
        types = [event["type"] for event in self.ask(f"people/u_{user}/events")["events"]]
        self.assertEqual(types, ["alias", "group", "screen", "page", "track", "identify"])
        # the same messageId from another source is another message
        self.send(sent[1], key="wk_server")
        self.check({"events": 7}, user_id=user)

    def test_pages_go_newest_first_over_all_ids_of_a_merged_person(self):
        ids = [{"userId": "page-b"}, {"anonymousId": "page-x"}, {"userId": "page-a"}, {"anonymousId": "page-y"}]
        sent = [message("track", f"page-{at}", (at * 7919) % 997, event=f"E{at}", **ids[at % 4]) for at in range(200)]
        self.send(*sent)
        self.send(message("identify", "page-l1", 1000, userId="page-b", anonymousId="page-x"),
                  message("identify", "page-l2", 1001, userId="page-a", anonymousId="page-y"),
                  message("alias", "page-l3", 1002, userId="page-a", previousId="page-b"))
        self.check(self.person(person_id="u_page-a", user_ids=["page-a", "page-b"], events=203,
                               anonymous_ids=["page-x", "page-y"]), user_id="page-b")
        want = [m["messageId"] for m in sorted(sent, key=lambda m: m["timestamp"], reverse=True)]
        for person in ("u_page-a", "u_page-b", "a_page-x", "a_page-y"):
            for limit in (1000, 37) if person == "u_page-a" else (50,):
                got = [e["messageId"] for e in self.pages(f"people/{person}/events", "events", limit)]
                self.assertEqual(got[:3], ["m-page-l3", "m-page-l2", "m-page-l1"])
                self.assertEqual(got[3:], want, (person, limit))

    def test_pages_stay_whole_where_many_events_have_one_time(self):
        self.send(*[message("track", f"tie-{at}", 5, userId="tie", event="Same") for at in range(50)])
        got = [e["messageId"] for e in self.pages("people/u_tie/events", "events", 7)]
        self.assertEqual(sorted(got), sorted(f"m-tie-{at}" for at in range(50)))

    def test_pages_stay_right_while_events_arrive(self):
        """Before, at and behind the place of the cursor: nothing twice, and nothing left out that was there at the start."""
        user, number = "busy", 30
        self.send(*[message("track", f"busy-{at}", 10 + at, userId=user, event="Seen") for at in range(number)])
        got, cursor = [], ""
        while cursor is not None:
            page = self.ask(f"people/u_{user}/events?limit=4" + (f"&cursor={cursor}" if cursor else ""))
            got += [event["messageId"] for event in page["events"]]
            cursor = page["cursor"]["next"]
            last = int(page["events"][-1]["messageId"].rsplit("-", 1)[1]) if len(got) <= number else 0
            if last < 1000:
                self.send(*[message("track", f"busy-{1000 + len(got) * 4 + at}", when, userId=user, event="Seen")
                            for at, when in enumerate((500, 10 + last, 1))])
        self.assertEqual(len(got), len(set(got)))
        self.assertLessEqual({f"m-busy-{at}" for at in range(number)}, set(got))

    def test_ids_with_any_bytes_are_found_by_their_person_id(self):
        user = "süß/../?#%41+ ~x"
        self.send(message("identify", "odd-1", 0, userId=user, traits={"name": "Odd"}))
        person = self.resolve(user_id=user)
        self.assertRegex(person["person_id"], r"^u_[A-Za-z0-9._~-]+$")
        self.assertEqual(self.ask("people/" + person["person_id"]), person)

    def test_links_tell_the_message_that_made_them(self):
        self.send(message("track", "link-1", 0, userId="link-u", anonymousId="link-a", event="T"),
                  message("alias", "link-2", 1, userId="link-u", previousId="link-b"))
        links = self.ask("people/u_link-u/links")["links"]
        self.assertEqual([(link["from"]["id"], link["to"]["id"], link["rule"], link["message_id"],
                           link["message_type"], link["source"], link["removed"]) for link in links],
                         [("link-a", "link-u", "message", "m-link-1", "track", "website", False),
                          ("link-b", "link-u", "alias", "m-link-2", "alias", "website", False)])

    # ---- Search ----

    def found(self, text, **more):
        return [person["person_id"] for person in self.pages(f"people?search={quote(text)}", "people", 10)]

    def test_search_finds_by_id_email_and_name_in_any_case(self):
        self.send(message("identify", "find-1", 0, userId="find-1", anonymousId="find-a",
                          traits={"email": "Milton@Initech.example", "name": "Milton Waddams"}),
                  message("identify", "find-2", 0, userId="find-2",
                          traits={"firstName": "Milton", "lastName": "Friedman"}))
        for text in ("find-1", "find-a", "u_find-1", "MILTON@initech.EXAMPLE", "milton@", "Milton W"):
            with self.subTest(text=text):
                self.assertEqual(self.found(text), ["u_find-1"])
        self.assertEqual(set(self.found("milton")), {"u_find-1", "u_find-2"})
        self.assertEqual(self.found("friedman"), ["u_find-2"])
        self.assertEqual(self.found("nobody has this name"), [])

    def test_search_is_paged(self):
        self.send(*[message("identify", f"many-{at}", 0, userId=f"many-{at:02}", traits={"name": f"Zelda {at:02}"})
                    for at in range(35)])
        self.assertEqual(self.found("zelda"), [f"u_many-{at:02}" for at in range(35)])
        self.assertEqual(len(self.ask("people?search=zelda")["people"]), 20)

    def test_without_a_search_whoever_was_heard_of_last_comes_first(self):
        self.send(*[message("page", f"late-{at}", at, anonymousId=f"late-a{at:02}", name="P") for at in range(25)])
        self.send(message("identify", "late-x", 90, userId="late-u", anonymousId="late-a03"),
                  message("track", "late-y", -500, userId="late-old", event="T"))
        wanted = ["u_late-old", "u_late-u"] + [f"a_late-a{at:02}" for at in range(24, -1, -1) if at != 3]
        listed = [person["person_id"] for person in self.pages("people", "people", 7)]
        self.assertEqual(listed[:len(wanted)], wanted)
        self.assertEqual(len(listed), len(set(listed)))
        first = self.ask("people?limit=7")
        self.assertIsNone(first["since"], "it reaches back to the beginning")
        self.assertEqual(first["people"][1], self.ask("people/u_late-u"))
        self.send(message("page", "late-z", 91, anonymousId="late-a10", name="P"))       # between two pages
        rest = [person["person_id"] for person in self.pages(f"people?cursor={first['cursor']['next']}", "people", 100)]
        self.assertEqual(rest[:15], [name for name in wanted[7:] if name != "a_late-a10"][:15])
        self.assertEqual(self.ask("people?limit=1")["people"][0]["person_id"], "a_late-a10")

    def test_whoever_was_erased_is_in_no_list(self):
        self.send(message("page", "listed-1", 0, anonymousId="listed-gone", name="P"),
                  message("page", "listed-2", 0, anonymousId="listed-stays", name="P"))
        erasure = self.ask("people/a_listed-gone", "DELETE", status=202)
        self.until(lambda: "a_listed-gone" not in str(self.ask("people")), f"the erasure {erasure}")
        self.assertIn("a_listed-stays", str(self.ask("people")))

    # ---- Groups and history ----

    def test_groups_have_traits_and_people(self):
        self.send(message("group", "group-1", 0, userId="group-u1", groupId="Initech", traits={"plan": "free", "n": 7}),
                  message("group", "group-2", 5, userId="group-u2", groupId="Initech", traits={"plan": "pro"}),
                  message("group", "group-3", 6, anonymousId="group-a", groupId="Chotchkie's"),
                  message("identify", "group-4", 7, userId="group-u1", anonymousId="group-a"))
        groups = self.ask("people/u_group-u1/groups")["groups"]
        self.assertEqual([(g["group_id"], g["traits"], g["message_id"], g["set_by"]["id"]) for g in groups],
                         [("Chotchkie's", {}, "m-group-3", "group-a"),
                          ("Initech", {"n": 7, "plan": "pro"}, "m-group-1", "group-u1")])
        self.assertEqual(self.ask("groups/Initech"), {"group_id": "Initech", "traits": {"n": 7, "plan": "pro"}})
        people = self.pages("groups/Initech/people", "people", 1)
        self.assertEqual(sorted(person["person_id"] for person in people), ["u_group-u1", "u_group-u2"])

    def test_a_cursor_of_members_means_the_same_after_a_rebuild(self):
        first = self.ask("groups/Lasting/people", status=200)
        self.assertEqual(first["people"], [])
        self.send(message("identify", "gone-1", 0, userId="gone"),       # erased: everybody's number changes by a rebuild
                  *(message("group", f"lasting-{n}", n, userId=f"last-{n}", groupId="Lasting") for n in range(9)))
        page = self.ask("groups/Lasting/people?limit=4")
        cursor, told = page["cursor"]["next"], [p["person_id"] for p in page["people"]]
        rest = [p["person_id"] for p in self.ask(f"groups/Lasting/people?cursor={cursor}")["people"]]
        self.assertEqual(sorted(told + rest), [f"u_last-{n}" for n in range(9)])
        self.ask("people/u_gone", "DELETE", status=202)
        self.until(lambda: not self.ask("erasures")["erasures"], "the erasure to end")
        self.server.stop()
        self.server.run("rebuild")
        self.server.start()
        self.assertEqual(told, [p["person_id"] for p in self.ask("groups/Lasting/people?limit=4")["people"]])
        self.assertEqual(rest, [p["person_id"] for p in self.ask(f"groups/Lasting/people?cursor={cursor}")["people"]])
        for bad in ("17", "0", "m" + "0" * 31, "m" + "0" * 31 + "G", "m" + "0" * 33, "u_last-1", quote("m\n" * 16)):
            with self.subTest(bad):
                error = self.refused(f"groups/Lasting/people?cursor={bad}", 400, "cursor")
                self.assertIn("begin with the first page", error["message"])

    def test_history_tells_who_set_a_trait_when_and_from_where(self):
        self.send(message("identify", "hist-1", 0, anonymousId="hist-a", traits={"plan": "free"}),
                  message("identify", "hist-2", 5, userId="hist-u", anonymousId="hist-a", traits={"plan": "trial"}))
        self.send(message("identify", "hist-3", 9, userId="hist-u", traits={"plan": None, "name": "Bill"}),
                  key="wk_server")
        rows = self.pages("people/u_hist-u/traits/history", "history", 2)
        self.assertEqual([(r["trait"], r["value"], r["time"][11:16], r["set_by"]["id"], r["message_id"], r["source"])
                          for r in sorted(rows, key=lambda r: (r["trait"], r["time"]))],
                         [("name", "Bill", "10:09", "hist-u", "m-hist-3", "server"),
                          ("plan", "free", "10:00", "hist-a", "m-hist-1", "website"),
                          ("plan", "trial", "10:05", "hist-u", "m-hist-2", "website"),
                          ("plan", None, "10:09", "hist-u", "m-hist-3", "server")])
        self.assertEqual([row["time"] for row in rows], sorted((row["time"] for row in rows), reverse=True))
        self.assertEqual(len(self.ask("people/u_hist-u/traits/history?trait=plan")["history"]), 3)
        self.assertEqual(self.resolve(user_id="hist-u")["traits"], {"name": "Bill"})

    # ---- Unmerge ----

    def test_a_merge_is_taken_back_and_given_again(self):
        self.send(message("identify", "un-1", 0, userId="un-a", traits={"name": "A"}),
                  message("identify", "un-2", 0, userId="un-b", traits={"age": 3}),
                  message("alias", "un-3", 5, userId="un-a", previousId="un-b"))
        self.check({"user_ids": ["un-a", "un-b"], "events": 3}, user_id="un-b")
        answer = self.ask("people/unmerge", "POST", {"message_id": "m-un-3", "id": "un-a"})
        self.assertEqual((answer["message_id"], answer["removed"], answer["changed"]), ("m-un-3", True, True))
        self.assertIs(self.ask("people/unmerge", "POST", {"position": answer["position"]})["changed"], False)
        self.assertEqual({person["person_id"] for person in answer["people"]}, {"u_un-a", "u_un-b"})
        self.check({"person_id": "u_un-b", "user_ids": ["un-b"], "traits": {"age": 3}}, user_id="un-b")
        self.assertEqual(self.ask("people/why?ids=un-a,un-b")["reason"], "removed")
        answer = self.ask("people/restore", "POST", {"position": answer["position"]})
        self.assertEqual([person["person_id"] for person in answer["people"]], ["u_un-a"])
        self.assertIs(answer["changed"], True)
        self.assertIs(self.ask("people/restore", "POST", {"position": answer["position"]})["changed"], False)
        self.check({"user_ids": ["un-a", "un-b"], "traits": {"name": "A", "age": 3}}, user_id="un-b")

    def test_the_same_message_id_of_two_sources_is_two_messages(self):
        self.send(message("identify", "two", 0, userId="two-u", anonymousId="two-a"))
        self.send(message("identify", "two", 5, userId="two-u", anonymousId="two-b"), key="wk_server")
        body = {"message_id": "m-two", "id": "two-u"}
        self.assertIn("website", self.refused("people/unmerge", 400, "source", "POST", body)["message"])
        self.refused("people/unmerge", 404, None, "POST", {**body, "source": "nobody"})
        self.ask("people/unmerge", "POST", {**body, "source": "website"})
        self.check({"person_id": "u_two-u", "anonymous_ids": ["two-b"]}, user_id="two-u")
        self.check({"person_id": "a_two-a"}, anonymous_id="two-a")
        self.send(message("track", "two", 9, userId="two-u", anonymousId="two-c", event="Late"), key="wk_third")
        self.check({"person_id": "u_two-u", "anonymous_ids": ["two-b", "two-c"]}, user_id="two-u")
        self.ask("people/restore", "POST", {"message_id": "m-two", "id": "two-a", "source": "website"})
        self.check({"person_id": "u_two-u", "anonymous_ids": ["two-a", "two-b", "two-c"]}, user_id="two-u")

    def test_what_cannot_be_unmerged_says_why(self):
        self.send(message("identify", "unbad-1", 0, userId="unbad"))
        for body, status, field in (({}, 400, "position"), ({"position": 1, "message_id": "x"}, 400, "position"),
                                    ({"position": "x"}, 400, "position"), ({"message_id": "m-unbad-1"}, 400, "id"),
                                    ({"message_id": "nothing", "id": "unbad"}, 404, None),
                                    ({"message_id": "m", "id": "never seen"}, 404, None),
                                    ({"position": 999999999}, 404, None), ([], 400, None)):
            with self.subTest(body=body):
                self.refused("people/unmerge", status, field, "POST", body)
        self.refused("people/unmerge", 400, None, "POST", b"{")

    # ---- Foresight ----

    def owners(self, ids):
        """Of each id its person, and how many events that one has."""
        found = {}
        for one in ids:
            kind, value = one.split(":", 1)
            person = self.ask(f"people/resolve?{kind}={value}")
            found[one] = (person["person_id"], person["events"])
        return found

    def foresee_and_do(self, ids, a, b):
        """What is foreseen is what comes to be: who has the ids, and how many events move from whom to whom."""
        links = [link for link in self.ask(f"people/{self.ask(f'people/resolve?id={a}')['person_id']}/links")["links"]
                 if {f"{end['type']}:{end['id']}" for end in (link["from"], link["to"])} == {a, b}]
        self.assertTrue(links)
        for restores in (False, True):
            before = self.owners(ids)
            told = self.ask(f"people/foresee?a={a}&b={b}&restore={'true' if restores else 'false'}")
            self.assertEqual(told["messages"], len({link["position"] for link in links}))
            self.assertEqual(self.owners(ids), before, "it changes nothing")
            for position in {link["position"] for link in links}:
                self.ask(f"people/{'restore' if restores else 'unmerge'}", "POST", {"position": position})
            after = self.owners(ids)
            change, foreseen = {}, {}
            for owners, sign in ((before, -1), (after, 1)):
                for person, events in set(owners.values()):
                    change[person] = change.get(person, 0) + sign * events
            for move in told["moves"]:
                foreseen[move["from"]] = foreseen.get(move["from"], 0) - move["events"]
                foreseen[move["to"]] = foreseen.get(move["to"], 0) + move["events"]
            self.assertEqual({person: n for person, n in foreseen.items() if n}, {person: n for person, n in change.items() if n})
            self.assertEqual(sum(move["events"] for move in told["moves"]), told["events"])
            moved = {(f"{move['id']['type']}:{move['id']['id']}", move["to"]) for move in told["moves"]}
            self.assertLessEqual({(one, after[one][0]) for one in ids if before[one][0] != after[one][0]}, moved)
        return told

    def test_what_taking_back_would_move_is_foreseen(self):
        self.send(*[message("page", f"fs-p{at}", at, anonymousId="fs-a", name=f"P{at}") for at in range(5)],
                  message("identify", "fs-i1", 10, anonymousId="fs-a", userId="fs-u"),
                  message("identify", "fs-i2", 11, anonymousId="fs-a", userId="fs-u"),
                  message("track", "fs-t1", 12, anonymousId="fs-a", event="After"),
                  message("track", "fs-t2", 13, userId="fs-u", event="Server"))
        a, b = "user_id:fs-u", "anonymous_id:fs-a"
        told = self.ask(f"people/foresee?a={a}&b={b}")
        self.assertEqual(told, {"messages": 2, "events": 6, "moves_left_out": 0, "moves": [
            {"id": {"type": "anonymous_id", "id": "fs-a"}, "from": "u_fs-u", "to": "a_fs-a", "events": 6}]})
        position = self.ask("people/u_fs-u/links")["links"][0]["position"]
        self.assertEqual(self.ask(f"people/foresee?positions={position}")["moves"], [], "the other message says the same")
        self.foresee_and_do([a, b], a, b)

    def test_what_a_shared_device_and_two_users_would_become_is_foreseen(self):
        self.send(message("page", "fd-1", 0, anonymousId="fd-a", name="Before"),
                  message("identify", "fd-2", 10, anonymousId="fd-a", userId="fd-ann"),
                  message("track", "fd-3", 11, anonymousId="fd-a", event="Ann's"),
                  message("track", "fd-4", 12, anonymousId="fd-a", event="Ann's"),
                  message("identify", "fd-5", 20, anonymousId="fd-a", userId="fd-ben"),
                  message("track", "fd-6", 21, anonymousId="fd-a", event="Ben's"),
                  message("identify", "fd-7", 22, anonymousId="fd-b", userId="fd-ben"),
                  message("alias", "fd-8", 30, previousId="fd-cid", userId="fd-ben"),
                  message("track", "fd-9", 31, userId="fd-cid", event="Cid's"))
        ids = ["user_id:fd-ann", "user_id:fd-ben", "user_id:fd-cid", "anonymous_id:fd-a", "anonymous_id:fd-b"]
        self.foresee_and_do(ids, "user_id:fd-ann", "anonymous_id:fd-a")
        self.foresee_and_do(ids, "user_id:fd-ben", "anonymous_id:fd-a")
        self.foresee_and_do(ids, "user_id:fd-ben", "user_id:fd-cid")

    def test_what_cannot_be_foreseen_says_why(self):
        self.send(message("identify", "fn-1", 0, userId="fn-u", anonymousId="fn-a"), message("track", "fn-2", 1, userId="fn-x", event="E"))
        position = self.ask("people/u_fn-u/links")["links"][0]["position"]
        for query, status, field in (("", 400, "a"), ("?a=fn-u", 400, "a"), (f"?a=fn-u&b=fn-a&positions={position}", 400, "a"),
                                     ("?positions=x", 400, "positions"), ("?positions=" + ",".join(["1"] * 101), 400, "positions"),
                                     ("?a=fn-u&b=fn-u", 400, "b"), ("?a=fn-u&b=fn-a&restore=yes", 400, "restore"),
                                     ("?a=fn-u&b=nobody-at-all", 404, None), ("?a=fn-u&b=fn-x", 404, None),
                                     ("?a=fn-u&b=fn-a&restore=true", 404, None), ("?positions=999999999", 404, None)):
            with self.subTest(query=query):
                self.refused(f"people/foresee{query}", status, field)

    # ---- Export ----

    def test_an_export_holds_all_that_is_held(self):
        self.send(message("page", "ex-1", 0, anonymousId="ex-a", name="Landing"),
                  message("identify", "ex-2", 1, anonymousId="ex-a", userId="ex-u", traits={"email": "ex@x.example"}),
                  message("group", "ex-3", 2, userId="ex-u", groupId="ex-g"),
                  message("track", "ex-0", -5, anonymousId="ex-a", event="Earlier"))
        status, headers, text = self.raw("/api/v1/people/u_ex-u/export")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/x-ndjson"))
        lines = [json.loads(line) for line in text.splitlines()]
        data = {line["kind"]: line["data"] for line in lines}
        self.assertEqual([line["kind"] for line in lines], ["person", "traits_history", "groups", "links"] +
                         ["event"] * 4 + ["end"])
        self.assertEqual(data["person"], self.resolve(user_id="ex-u"))
        self.assertEqual(data["links"], self.ask("people/u_ex-u/links"))
        self.assertEqual(data["groups"], self.ask("people/u_ex-u/groups"))
        self.assertEqual([row["value"] for row in data["traits_history"]["history"]], ["ex@x.example"])
        self.assertEqual([line["data"] for line in lines if line["kind"] == "event"],
                         self.ask("people/u_ex-u/events")["events"][::-1])
        self.assertEqual(data["end"], {"events": 4, "cursor": {"has_more": False, "next": None}})

    def test_any_id_resolves(self):
        self.send(message("identify", "any-1", 0, anonymousId="any-a", userId="any-u"))
        for text in ("any-u", "any-a", "user_id:any-u", "anonymous_id:any-a", "u_any-u", "a_any-a"):
            self.assertEqual(self.resolve(id=text)["person_id"], "u_any-u")
        self.refused("people/resolve?id=user_id:any-a", 404)

    # ---- Suppression ----

    def test_a_suppressed_id_is_kept_out_until_that_is_undone(self):
        self.send(message("track", "sup-1", 0, userId="sup-u", event="Before"))
        answer = self.ask("suppressions", "POST", {"user_ids": ["sup-u"], "anonymous_id": "sup-a"})
        self.assertEqual(answer["ids"], [{"type": "user_id", "id": "sup-u"}, {"type": "anonymous_id", "id": "sup-a"}])
        self.send(message("track", "sup-2", 1, userId="sup-u", event="During"),
                  message("page", "sup-3", 1, anonymousId="sup-a"))
        self.check({"events": 1}, user_id="sup-u")
        self.refused("people/resolve?anonymous_id=sup-a", 404)
        self.assertIn({"type": "user_id", "id": "sup-u"}, self.pages("suppressions", "ids", 1))
        self.ask("suppressions?user_id=sup-u", "DELETE")
        self.assertNotIn({"type": "user_id", "id": "sup-u"}, self.ask("suppressions")["ids"])
        self.send(message("track", "sup-4", 2, userId="sup-u", event="After"))
        self.check({"events": 2}, user_id="sup-u")

    def test_orders_that_change_nothing_say_so(self):
        ids = [{"type": "user_id", "id": "idle-1"}, {"type": "anonymous_id", "id": "idle-2"}]
        both = {"user_ids": ["idle-1"], "anonymous_ids": ["idle-2"]}
        for method, body, changed, unchanged in (
                ("DELETE", both, False, ids), ("POST", {"user_id": "idle-1"}, True, []), ("POST", both, True, ids[:1]),
                ("POST", both, False, ids), ("DELETE", {"anonymous_id": "idle-2"}, True, []),
                ("DELETE", both, True, ids[1:]), ("DELETE", both, False, ids)):
            answer = self.ask("suppressions", method, body)
            self.assertEqual((answer["changed"], answer["unchanged"]), (changed, unchanged), (method, body))
        self.send(message("track", "idle-3", 0, anonymousId="idle-3", event="E"))
        self.wait_applied()
        said = self.server.run("unsuppress", "idle-1", "anonymous_id:idle-2").stdout.decode()
        self.assertEqual(said.count("was not suppressed; nothing changed"), 2, said)
        said = self.server.run("suppress", "idle-1", "idle-1").stdout.decode()
        self.assertIn("is suppressed", said)
        self.server.run("unsuppress", "idle-1")

    def test_a_suppression_of_nothing_is_refused(self):
        for body, field in (({}, "user_id"), ({"user_id": ""}, "user_id"), ({"user_ids": "x"}, "user_ids"),
                            ({"anonymous_ids": [""]}, "anonymous_ids"), ({"user_id": "x" * 600}, "user_id")):
            self.refused("suppressions", 400, field, "POST", body)


if __name__ == "__main__":
    unittest.main()
