"""Whom an erasure or a suppression is about is in the destinations' store no more: not in rows that wait, nor in dead
letters, nor in what is remembered of links, nor in pages that the store has freed."""
import random
import time

from client import Case, json, lib, message, unittest
from disk import places_of
from vendor import Vendor

STORE = "deliver/data.mdb"


def hook(name, url, **more):
    return {"name": name, "type": "webhook", "settings": {"url": url, "allow_private": True, **more},
            "rules": {"start": "beginning"}}


def mixpanel(name, url, identity, **rules):
    return {"name": name, "type": "mixpanel", "settings": {"token": "T", "identity": identity, "endpoint": url},
            "rules": {"start": "beginning", **rules}}


class Case(Case):
    @classmethod
    def setUpClass(cls):
        cls.vendor = Vendor({"/refuse": 422, "/down": 503, "/import": 200})
        cls.addClassCleanup(cls.vendor.close)
        url = cls.vendor.url
        cls.destinations = [hook("refusing", url + "/refuse/alone"),
                            hook("crowded", url + "/refuse/crowded", batch_size=100), hook("down", url + "/down/down"),
                            hook("off", url + "/down/off"), hook("gone", url + "/down/gone"),
                            mixpanel("simple", url, "simplified"), mixpanel("legacy", url, "legacy", grace_seconds=3600)]
        cls.config = {"journal": {"segment_bytes": "1MiB"}, "destinations": cls.destinations}
        super().setUpClass()

    def restart(self, destinations):
        self.server.stop()
        self.server.write_config(self.sources, {**self.config, "destinations": destinations})
        self.server.start()

    def live(self, name):
        """A person, from browser and server, and somebody else beside. Gives the person's secrets."""
        user, visitor, server = f"{name}-user-secret", f"{name}-visitor-secret", f"{name}-server-secret"
        self.send(message("page", f"{name}-p-secret-1", 0, anonymousId=visitor, name=f"{name} Page Secret"),
                  message("identify", f"{name}-p-secret-2", 1, anonymousId=visitor, userId=user,
                          traits={"email": f"{name}.secret@x.example"}),
                  message("track", f"{name}-p-secret-3", 2, userId=user, event="Noise",
                          properties={"card": f"{name} property secret"}),
                  message("identify", f"{name}-p-secret-4", 3, userId=server,                  # waits for its link
                          traits={"email": f"{name}.server.secret@x.example"}),
                  message("identify", f"{name}-other-1", 1, userId=f"{name}-other", anonymousId=f"{name}-other-visitor",
                          traits={"email": f"{name}.other@x.example"}),
                  message("track", f"{name}-other-2", 2, userId=f"{name}-other", event="Others Noise"))
        return [user, server], [user, visitor, server, f"{name} Page Secret", f"{name}.secret@x.example",
                                f"{name} property secret", f"{name}.server.secret@x.example", f"{name}-p-secret-"]

    def state(self, name):
        return self.ask(f"destinations/{name}")

    def letters(self, name):
        return self.ask(f"destinations/{name}/dead")["dead"]

    def has_letters(self, name, *messages):
        return {f"m-{message}" for message in messages} <= {letter.get("message_id") for letter in self.letters(name)}

    def wait_delivered(self, *messages):
        """They, and so what came before them, are where these vendors leave them."""
        self.until(lambda: all(self.has_letters(name, *messages) for name in ("refusing", "crowded")), "the letters")
        self.until(lambda: all(self.state(name)["lag_bytes"] == 0 for name in ("simple", "legacy", "down", "off", "gone"))
                   and self.state("simple")["unfinished"] == 0 and self.state("down")["unfinished"], "rows to wait")

    def erase(self, user, how=""):
        status, _, text = self.raw(f"/api/v1/people/u_{user}{how}", "DELETE")
        self.assertEqual(status, 202, text)
        return json.loads(text)["erasure"]["id"]

    def wait_done(self, erasure):
        self.until(lambda: self.ask(f"erasures/{erasure}")["status"] == "done", "the erasure to be done")

    def places(self, secrets):
        return {secret: places_of(self.server.data, secret) for secret in secrets}

    def assert_nowhere(self, secrets):
        self.assertEqual(self.places(secrets), {secret: [] for secret in secrets})

    def assert_other_is_kept(self, name):
        for destination in ("refusing", "crowded"):
            self.assertTrue(self.has_letters(destination, f"{name}-other-1", f"{name}-other-2"), destination)


class ErasingDelivered(Case):
    def test_an_erased_person_leaves_the_destinations_store(self):
        users, secrets = self.live("left")
        self.wait_delivered("left-p-secret-3", "left-other-2")
        for letter in self.letters("crowded"):              # one request for all of them: a letter has its own part
            self.assertEqual(json.loads(letter["request"]["body"])[0]["messageId"], letter["message_id"], letter)
        self.restart([{**each, "enabled": False} if each["name"] == "off" else each for each in self.destinations
                      if each["name"] != "gone"])
        before = self.places(secrets)
        for secret in secrets:
            self.assertIn(STORE, before[secret], f"the store has {secret} before")
        for user in users:
            self.wait_done(self.erase(user))
        self.assert_nowhere(secrets)
        self.assert_other_is_kept("left")
        self.vendor.answers["/down"] = 200
        self.restart(self.destinations)                    # what was off and gone has the other's rows, and only these
        self.until(lambda: any("left-other-2" in body for body in self.vendor.bodies("/down/gone")), "the other's to come")
        self.until(lambda: all(self.state(name)["unfinished"] == 0 for name in ("down", "off", "gone")), "all to come")
        self.vendor.answers["/down"] = 503
        after = [body for path, body in self.vendor.requests if "/down/" in path and "other-2" in body]
        self.assertGreaterEqual(len(after), 3)
        self.assert_nowhere(secrets)
        self.assertEqual(self.server.errors(), [])

    def test_letters_of_others_that_quote_the_person_lose_the_quotation(self):
        """A vendor may name in its answer to one message whom another one is about."""
        self.send(message("track", "quote-1", 0, userId="quote-user-secret", event="Mine"),
                  message("track", "quote-2", 1, userId="quote-other", event="Others",
                          properties={"friend": "quote-user-secret"}))
        self.wait_delivered("quote-1", "quote-2")
        quoting = lambda: [l for l in self.letters("refusing") if l["message_id"] == "m-quote-2"]
        self.assertIn("quote-user-secret", json.dumps(quoting()))
        self.wait_done(self.erase("quote-user-secret"))
        self.assertEqual(len(quoting()), 1)
        self.assertNotIn("quote-user-secret", json.dumps(quoting()))
        self.assertEqual(quoting()[0]["reason"], "it quoted somebody who was erased")
        self.assertFalse(self.has_letters("refusing", "quote-1"))

    def test_a_shared_device_keeps_what_is_the_others(self):
        self.send(message("identify", "share-1", 0, userId="share-ann", anonymousId="share-d", traits={"name": "Ann"}),
                  message("track", "share-2", 5, anonymousId="share-d", event="Anns Secret Visit"),
                  message("identify", "share-3", 10, userId="share-ben", anonymousId="share-d", traits={"name": "Ben"}),
                  message("track", "share-4", 15, anonymousId="share-d", event="Bens"))
        self.wait_delivered("share-2", "share-4")
        links = lambda: [body for body in self.vendor.bodies("/import") if "$identify" in body and "share-d" in body]
        self.until(links, "the link to be told")
        told = len(links())
        self.wait_done(self.erase("share-ann"))
        self.assert_nowhere(["share-ann", "Anns Secret Visit"])
        self.assertTrue(self.has_letters("refusing", "share-3", "share-4"))
        self.send(message("identify", "share-5", 20, userId="share-ben", anonymousId="share-d", traits={"name": "Ben"}))
        self.wait_delivered("share-5")
        self.assertEqual(len(links()), told, "a vendor that knows the device is not told of a second user")

    def test_an_erasure_on_a_stopped_directory_clears_the_store_and_delivers_nothing(self):
        users, secrets = self.live("cold")
        self.wait_delivered("cold-p-secret-3", "cold-other-2")
        self.server.stop()
        seen = len(self.vendor.requests)
        for user in users:
            self.server.run("delete", user, "--yes")
        self.assertEqual(len(self.vendor.requests), seen)
        self.assert_nowhere(secrets)
        self.server.start()
        self.assert_other_is_kept("cold")

    def test_a_kill_at_any_moment_delays_it_and_loses_nothing(self):
        seed = random.randrange(1 << 32)
        dice = random.Random(seed)
        for round_number in range(4):
            with self.subTest(SEED=seed, round=round_number):
                users, secrets = self.live(f"kill{round_number}")
                self.wait_delivered(f"kill{round_number}-p-secret-3", f"kill{round_number}-other-2")
                erasures = [self.erase(user) for user in users]
                for _ in range(3):
                    time.sleep(dice.random() * 0.2)        # a moment: what is tested is that any of them will do
                    self.server.kill()
                    self.server.start()
                self.wait_applied()
                for erasure in erasures:
                    self.wait_done(erasure)
                self.assert_nowhere(secrets)
                self.assert_other_is_kept(f"kill{round_number}")
        self.assertEqual(self.ask("erasures")["erasures"], [])
        self.assertEqual(self.server.errors(), [])


class Suppressing(Case):
    def test_a_suppressed_id_leaves_the_store_and_is_delivered_to_nobody(self):
        users, secrets = self.live("mute")
        self.wait_delivered("mute-p-secret-3", "mute-other-2")
        self.assertTrue([l for l in self.letters("refusing") if l.get("user_id") == "mute-user-secret"])
        self.ask("suppressions", "POST", {"user_ids": users, "anonymous_ids": ["mute-visitor-secret"]})
        theirs = lambda name: [l for l in self.letters(name) if "mute-p-secret" in json.dumps(l)]
        self.until(lambda: not theirs("refusing") and not theirs("crowded"), "the letters to go")
        self.until(lambda: STORE not in places_of(self.server.data, "mute-p-secret-"), "the store to be written anew")
        for secret in secrets:
            self.assertNotIn(STORE, places_of(self.server.data, secret))
        self.assert_other_is_kept("mute")
        self.until(lambda: all(self.state(name)["unfinished"] == 2 for name in ("down", "off", "gone")),
                   "what was under way to be answered")
        self.vendor.answers["/down"] = 200
        seen = len(self.vendor.requests)
        self.restart(self.destinations)                    # where nobody waits for the time of a next try
        self.until(lambda: any("mute-other-2" in body for body in self.vendor.bodies("/down/down")), "the other's to come")
        self.until(lambda: self.state("down")["unfinished"] == 0, "all to come")
        late = [body for path, body in self.vendor.requests[seen:] if "mute-p-secret" in body]
        self.assertEqual(late, [], "what waited is not sent")
        self.vendor.answers["/down"] = 503
        status, _, text = self.raw("/api/v1/destinations/refusing/replay", "POST", {"from": "2026-01-01T00:00:00Z"})
        self.assertEqual(status, 202, text)
        self.until(lambda: self.state("refusing")["replay"]["is_under_way"] is False, "the replay to end")
        self.assertEqual(theirs("refusing"), [], "nor is it replayed")


if __name__ == "__main__":
    unittest.main()
