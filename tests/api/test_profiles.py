"""Segment's Profile API: the paths, parameters and shapes that its documentation shows."""
import base64

from client import SECRET, Case, json, message, quote, unittest


class Profiles(Case):
    def profile(self, rest, collection="users", status=200, key=SECRET):
        token = base64.b64encode(f"{key}:".encode()).decode()
        path = f"/v1/spaces/any_space/collections/{collection}/profiles/{rest}"
        got, _, text = self.raw(path, key=None, headers={"Authorization": f"Basic {token}"})
        self.assertEqual(got, status, text)
        self.check_described("GET", path, got, json.loads(text))
        return json.loads(text)

    def all_pages(self, rest, name, limit, **more):
        items, following = [], ""
        joint = "&" if "?" in rest else "?"
        while True:
            answer = self.profile(f"{rest}{joint}limit={limit}" + (f"&next={quote(following)}" if following else ""), **more)
            items += list(answer[name].items()) if isinstance(answer[name], dict) else answer[name]
            self.assertLessEqual(len(answer[name]), limit)
            self.assertEqual(answer["cursor"]["limit"], limit)
            following = answer["cursor"]["next"]
            self.assertEqual(answer["cursor"]["has_more"], bool(following))
            if not following:
                return items

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.send(cls(), message("page", "1", 0, anonymousId="a-bob", name="Landing", properties={"path": "/"}),
                 message("identify", "2", 1, anonymousId="a-bob", userId="bob",
                         traits={"first_name": "Bob", "email": "Bob@x.example", "age": 33,
                                 **{f"t{at:02}": at for at in range(20)}}),
                 message("track", "3", 2, userId="bob", event="Order Completed", properties={"revenue": 9.5}),
                 message("group", "4", 3, userId="bob", groupId="acme", traits={"plan": "pro", "seats": 7}),
                 message("group", "5", 4, userId="alice", groupId="acme"),
                 *[message("track", f"e{at}", 10 + at, userId="bob", event=f"Viewed {at % 3}") for at in range(30)])

    def test_a_profile_is_found_by_each_of_its_ids(self):
        want = self.profile("user_id:bob/traits")
        for name in ("anonymous_id:a-bob", "email:bob@X.example", "u_bob", "segment_id:u_bob", "user_id%3Abob"):
            got = self.profile(f"{name}/traits")
            self.assertEqual(got["traits"], want["traits"], name)
        for name in ("user_id:nobody", "email:nobody@x.example", "email:Bob", "colour:red", "nothing"):
            self.assertEqual(self.profile(f"{name}/traits", status=404),
                             {"error": {"code": "not_found", "message": "Profile was not found."}})

    def test_traits_are_ten_a_page_and_chosen_by_include(self):
        first = self.profile("user_id:bob/traits")
        self.assertEqual(len(first["traits"]), 10)
        self.assertEqual(first["cursor"], {"url": "/v1/spaces/any_space/collections/users/profiles/user_id:bob/traits",
                                           "has_more": True, "next": "t07", "limit": 10})
        self.assertEqual(dict(self.all_pages("user_id:bob/traits", "traits", 4)),
                         {"first_name": "Bob", "email": "Bob@x.example", "age": 33,
                          **{f"t{at:02}": at for at in range(20)}})
        self.assertEqual(self.profile("user_id:bob/traits?include=age,first_name,nothing")["traits"],
                         {"age": 33, "first_name": "Bob"})
        self.assertEqual(self.profile("user_id:bob/traits?class=audience")["traits"], {})
        self.profile("user_id:bob/traits?limit=201", status=400)

    def test_verbose_traits_tell_source_and_time(self):
        self.assertEqual(self.profile("user_id:bob/traits?include=age&verbose=true")["traits"],
                         {"age": {"value": 33, "source_id": "website", "updated_at": "2026-11-01T10:01:00.000Z"}})

    def test_external_ids(self):
        ids = self.profile("anonymous_id:a-bob/external_ids")["data"]
        self.assertEqual(ids, [
            {"collection": "users", "type": kind, "id": value, "encoding": "none", "source_id": "website",
             "created_at": "2026-11-01T10:01:00.000Z", "first_message_id": "m-2"}
            for kind, value in (("user_id", "bob"), ("anonymous_id", "a-bob"))])
        self.assertEqual(self.all_pages("user_id:bob/external_ids", "data", 1), ids)
        self.assertEqual(self.profile("user_id:bob/external_ids?include=anonymous_id")["data"], ids[1:])

    def test_events_have_segments_shape(self):
        data = self.profile("user_id:bob/events?include=Order Completed".replace(" ", "%20"))["data"]
        self.assertEqual([{key: value for key, value in event.items() if key != "context"} for event in data], [{
            "external_ids": [{"collection": "users", "type": "user_id", "id": "bob", "encoding": "none"}],
            "type": "track", "message_id": "m-3", "source_id": "website", "timestamp": "2026-11-01T10:02:00.000Z",
            "properties": {"revenue": 9.5}, "event": "Order Completed", "related": {"users": "u_bob"}}])
        self.assertEqual(data[0]["context"]["ip"], "127.0.0.1")

    def test_events_are_paged_sorted_and_cut_by_time(self):
        ids = [event["message_id"] for event in self.all_pages("user_id:bob/events", "data", 7)]
        self.assertEqual(ids, [f"m-e{at}" for at in range(29, -1, -1)] + ["m-4", "m-3", "m-2", "m-1"])
        self.assertEqual(len(self.profile("user_id:bob/events")["data"]), 10)
        up = [event["message_id"] for event in self.all_pages("user_id:bob/events?sort=asc", "data", 5)]
        self.assertEqual(up, ids[::-1])
        cut = self.all_pages("user_id:bob/events?start=2026-11-01T10:02:00Z&end=2026-11-01T10:11:00Z", "data", 100)
        self.assertEqual([event["message_id"] for event in cut], ["m-e0", "m-4", "m-3"])
        some = self.all_pages("user_id:bob/events?include=Viewed%201", "data", 3)
        self.assertEqual([event["message_id"] for event in some], [f"m-e{at}" for at in range(28, -1, -3)])
        none = self.all_pages("user_id:bob/events?exclude=Viewed%200,Viewed%201,Viewed%202", "data", 3)
        self.assertEqual([event["message_id"] for event in none], ["m-4", "m-3", "m-2", "m-1"])
        for bad in ("sort=up", "start=yesterday", "end=x", "next=x", "limit=0"):
            self.profile(f"user_id:bob/events?{bad}", status=400)

    def test_metadata(self):
        self.assertEqual(self.profile("user_id:bob/metadata"), {"metadata": {
            "created_at": "2026-11-01T10:00:00.000Z", "updated_at": "2026-11-01T10:39:00.000Z", "expires_at": None,
            "first_message_id": "m-1", "first_source_id": "website", "last_message_id": "m-e29",
            "last_source_id": "website"}})

    def test_links_lead_to_accounts_and_back(self):
        self.assertEqual(self.profile("user_id:bob/links")["data"], [{"to_collection": "accounts", "external_ids": [
            {"collection": "accounts", "type": "group_id", "id": "acme", "encoding": "none",
             "created_at": "2026-11-01T10:03:00.000Z", "source_id": "website", "first_message_id": "m-4"}]}])
        users = self.all_pages("group_id:acme/links", "data", 1, collection="accounts")
        self.assertEqual(sorted(each["external_ids"][0]["id"] for each in users), ["alice", "bob"])

    def test_accounts_have_traits_ids_and_metadata(self):
        self.assertEqual(self.profile("group_id:acme/traits", "accounts")["traits"], {"plan": "pro", "seats": 7})
        self.assertEqual(self.profile("group_id:acme/external_ids", "accounts")["data"][0]["id"], "acme")
        metadata = self.profile("group_id:acme/metadata", "accounts")["metadata"]
        self.assertEqual((metadata["created_at"], metadata["last_message_id"]), ("2026-11-01T10:03:00.000Z", "m-4"))
        for what in ("traits", "external_ids", "metadata", "links"):
            self.profile(f"group_id:none/{what}", "accounts", status=404)
            self.profile(f"user_id:bob/{what}", "accounts", status=404)

    def test_every_answer_has_a_request_id(self):
        seen = set()
        for path, key in (("/v1/spaces/s/collections/users/profiles/user_id:nobody/traits", SECRET),
                          ("/v1/spaces/s/collections/users/profiles/user_id:nobody/metadata", SECRET),
                          ("/v1/spaces/s/collections/accounts/profiles/group_id:none/traits", SECRET),
                          ("/v1/spaces/s/collections/users/profiles/user_id:nobody/events", "wrong")):
            token = base64.b64encode(f"{key}:".encode()).decode()
            _, headers, _ = self.raw(path, key=None, headers={"Authorization": f"Basic {token}"})
            seen.add(headers.get("Request-Id"))
        self.assertEqual(len(seen - {None, ""}), 4, seen)

    def test_only_the_secret_key_reads(self):
        for what in ("traits", "external_ids", "events", "metadata", "links"):
            self.profile(f"user_id:bob/{what}", status=401, key="wk_website")


class Externals(Case):
    config = {"identity": {"externals": ["email=traits.email"]}}

    def test_email_as_an_identifier_of_the_configuration(self):
        self.send(message("identify", "x1", 0, userId="eve", traits={"email": "eve@x.example"}),
                  message("identify", "x2", 0, userId="eve", anonymousId="a-eve"))
        self.assertEqual(self.resolve(user_id="eve")["external_ids"], [{"type": "email", "id": "eve@x.example"}])
        _, _, text = self.raw("/v1/spaces/s/collections/users/profiles/email:eve@x.example/external_ids?include=email")
        self.assertEqual([(each["type"], each["id"]) for each in json.loads(text)["data"]], [("email", "eve@x.example")])


if __name__ == "__main__":
    unittest.main()
