"""What breaks the tracking plan is told as findings; users whom aliases made one are a magnet."""
import pathlib
import tempfile

from client import Case, json, time, unittest

PLAN = """
version: "3"
unplanned_events: report
events:
  Signed Up: {properties: {plan: {enum: [Free, Pro], required: true}}}
  Order Completed: {sources: [server], properties: {revenue: {type: number, required: true}, items: {type: array, items: {type: object, properties: {price: number}}}}, unplanned_properties: report}
  Old Thing: {status: deprecated}
traits: {age: number}
"""


class Plan(Case):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        plan = pathlib.Path(folder.name) / "plan.yaml"
        plan.write_text(PLAN)
        cls.config = {"plan": str(plan)}
        super().setUpClass()
        cls.fill(cls())

    def track(self, event, n, user, **properties):
        return {"type": "track", "event": event, "messageId": f"{event}-{user}-{n}", "userId": user, "properties": properties,
                "context": {"library": {"name": "analytics.js", "version": "2.3.1"}}}

    def fill(self):
        self.send(*[self.track("Signed Up", n, f"u{n}", plan="Free") for n in range(6)],
                  *[self.track("Signed Up", n, "v1", plan="Gold") for n in range(2)], self.track("Signed Up", 0, "v2"),
                  *[self.track("signed up", n, f"u{n}", plan="Free") for n in range(3)],
                  self.track("Old Thing", 0, "v1"), self.track("Order Completed", 0, "v1", revenue=1),
                  {"type": "identify", "messageId": "i-1", "userId": "v3", "traits": {"age": "29 secret"}},
                  {"type": "identify", "messageId": "i-2", "userId": "v3", "traits": {"age": 29}})
        orders = [self.track("Order Completed", n, f"w{n}", revenue="29.90", items=[{"price": "1"}, {"price": "2"}]) for n in range(4)]
        self.send(*orders, *orders, self.track("Order Completed", 9, "w9", revenue=5, coupon="x"), key="wk_server")

    def told(self, query=""):
        return {(f["code"], f["source"], f["event"], f["field"]): f for f in self.ask("findings" + query)["findings"] if "_" in f["code"]}

    def test_each_kind_is_told_with_its_count_people_and_examples(self):
        found = self.told()
        self.assertEqual({key: (f["severity"], f["count"], f["of"], f["people"]) for key, f in found.items()}, {
            ("value_not_allowed", "website", "Signed Up", "properties.plan"): ("warning", 2, 9, 1),
            ("missing_property", "website", "Signed Up", "properties.plan"): ("warning", 1, 9, 1),
            ("unplanned_event", "website", "signed up", None): ("warning", 3, 3, 3),
            ("deprecated_event", "website", "Old Thing", None): ("info", 1, 1, 1),
            ("wrong_source", "website", "Order Completed", None): ("warning", 1, 1, 1),
            ("wrong_type", "server", "Order Completed", "properties.revenue"): ("warning", 4, 5, 4),
            ("wrong_type", "server", "Order Completed", "properties.items[].price"): ("warning", 4, 5, 4),
            ("unplanned_property", "server", "Order Completed", "properties.coupon"): ("info", 1, 5, 1),
            ("wrong_type", "website", "identify", "traits.age"): ("warning", 1, 2, 1),
        })
        revenue = found["wrong_type", "server", "Order Completed", "properties.revenue"]
        self.assertEqual(revenue["numbers"]["value"], "text, the plan wants a number")
        self.assertEqual((revenue["library"], revenue["version"], revenue["docs"]), ("analytics.js", "2.3.1", "docs/doctor.md#wrong_type"))
        self.assertEqual({e["message_id"] for e in revenue["examples"]}, {f"Order Completed-w{n}-{n}" for n in range(4)})
        self.assertIn("Signed Up", found["unplanned_event", "website", "signed up", None]["numbers"]["value"])
        self.assertNotIn("secret", json.dumps(self.ask("findings")))
        people = self.ask(f"findings/{revenue['fingerprint']}/people", "POST", {})
        self.assertEqual(sorted(p["person_id"] for p in people["people"]), [f"u_w{n}" for n in range(4)])

    def test_only_of_the_source_that_is_asked_for(self):
        self.assertEqual({key[1] for key in self.told("?source=server")}, {"server"})

    def test_who_is_erased_leaves_it(self):
        self.send({"type": "identify", "messageId": "i-9", "userId": "gone", "traits": {"age": "x"}}, key="wk_third")
        key = ("wrong_type", "third", "identify", "traits.age")
        self.assertIn(key, self.told())
        self.ask("people/u_gone", "DELETE", status=202)
        self.until(lambda: not self.ask("erasures")["erasures"], "the erasure")
        self.assertNotIn(key, self.told())


class Magnet(Case):
    def test_users_whom_aliases_made_one_are_told_until_it_is_taken_back(self):
        self.send(*[{"type": "track", "event": "Song Played", "messageId": f"t-{n}", "userId": f"u{n:02}"} for n in range(12)])
        self.send(*[{"type": "alias", "messageId": f"al-{n}", "previousId": f"u{n:02}", "userId": "u00"} for n in range(1, 11)])
        magnets = lambda: [f for f in self.ask(f"findings?signup=x{time.time()}")["findings"] if f["code"] == "ID-6"]   # noqa: E731
        self.assertEqual(magnets(), [])
        self.send({"type": "alias", "messageId": "al-11", "previousId": "u11", "userId": "u05"})
        [one] = magnets()
        self.assertEqual((one["severity"], one["count"], one["persons"]), ("error", 1, ["u_u00"]))
        self.ask("people/unmerge", "POST", {"message_id": "al-3", "id": "u03"})
        self.assertEqual(magnets(), [])


if __name__ == "__main__":
    unittest.main()
