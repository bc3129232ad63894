"""GET /api/v1/messages/POSITION/deliveries: what became of one message at each destination."""
from client import Case, message, unittest
from stream import Stream
from vendor import Vendor


def hook(name, url, **rules):
    return {"name": name, "type": "webhook", "settings": {"url": url, "allow_private": True, "secret": "hush-hush-hush"},
            "rules": {"start": "beginning", **rules}}


class Deliveries(Case):
    @classmethod
    def setUpClass(cls):
        cls.vendor = Vendor({"/refuse": 422, "/down": 503})
        cls.addClassCleanup(cls.vendor.close)
        url = cls.vendor.url
        cls.config = {"destinations": [hook("good", url + "/good"), hook("refusing", url + "/refuse"),
                                       hook("down", url + "/down"), hook("pages", url + "/pages", types=["page"]),
                                       {**hook("off", url + "/off"), "enabled": False}]}
        super().setUpClass()

    def rows(self):
        stream = Stream(self.server)
        while stream.last_id is None:
            stream.block()
        stream.close()
        told = Stream(self.server, f"from=0&to={stream.last_id.split('-')[0]}").rest()
        return [row for name, row in told if name == "row"]

    def states(self, position):
        answer = self.ask(f"messages/{position}/deliveries")
        self.assertEqual(answer["position"], position)
        return {one["destination"]: one for one in answer["deliveries"]}

    def test_each_state(self):
        self.send(message("track", "d-1", 0, userId="d-kim", event="Bought", properties={"x": '","position":1,"'}),
                  message("track", "d-1", 0, userId="d-kim", event="Bought"), {"type": "track", "event": "Nobody"})
        accepted, repeated, rejected = self.rows()
        self.until(lambda: {name: one["state"] for name, one in self.states(accepted["position"]).items()} ==
                   {"good": "delivered", "refusing": "dead", "down": "waiting", "pages": "filtered", "off": "waiting"},
                   "each destination to be where its vendor leaves it")
        self.until(lambda: "503" in (self.states(accepted["position"])["down"]["last_error"] or ""), "a try")
        told = self.states(accepted["position"])
        letter = told["refusing"]["letter"]
        self.assertEqual((letter["message_id"], letter["answer"]["status"]), ("m-d-1", 422))
        self.assertIn("Bought", letter["request"]["body"])
        self.assertNotIn("hush-hush", str(told))
        for other in (repeated, rejected):
            self.assertEqual({one["state"] for one in self.states(other["position"]).values()}, {"filtered"})
        self.refused(f"messages/{accepted['position'] + 4}/deliveries", 404)
        status, _, _ = self.raw(f"/api/v1/messages/{accepted['position']}/deliveries", key="wk_website")
        self.assertIn(status, (401, 403))
        self.vendor.answers["/down"] = 200
        self.vendor.answers["/refuse"] = 200
        self.ask("destinations/refusing/redo", "POST", {}, 202)
        self.until(lambda: [self.states(accepted["position"])[name]["state"] for name in ("down", "refusing")] ==
                   ["delivered", "delivered"], "both to be delivered")
        self.assertEqual(self.server.errors(), [])


    def test_then_errors_are_told_by_kind(self):
        self.vendor.answers["/refuse"] = 422
        dead = len(self.ask("destinations/refusing/dead")["dead"])
        self.send(*[message("track", f"s-{at}", at, userId=f"s-{at}", event="Counted") for at in range(5)])
        self.until(lambda: len(self.ask("destinations/refusing/dead")["dead"]) >= dead + 5, "all to be dead")
        errors = self.ask("destinations/refusing/errors")["errors"]
        self.assertEqual([(kind["status"], kind["count"]) for kind in errors], [(422, dead + 5)])
        self.assertIn("sample", errors[0]["description"])
        self.assertEqual(errors[0]["sample"]["answer"]["status"], 422)
        self.assertNotIn("hush-hush", str(errors))
        self.assertEqual(self.ask("destinations/good/errors")["errors"], [])


if __name__ == "__main__":
    unittest.main()
