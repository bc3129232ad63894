"""An erased person is nowhere on the disk: the whole data directory is searched, sealed segments decompressed."""
import concurrent.futures
import random
import time

from client import Case, json, lib, message, unittest
from disk import places_of


class Erasing(Case):
    config = {"journal": {"segment_bytes": "1MiB"}}

    def fill(self, name, count):
        """A crowd, among which the person is."""
        for at in range(0, count, 500):
            self.send(*[message("track", f"{name}-crowd-{n}", n % 1440, userId=f"{name}-crowd-{n % 97}", event="Noise",
                                properties={"plan": f"plan {n % 7}", "text": "x" * 300}) for n in range(at, at + 500)])

    def live(self, name):
        """Gives the secrets of a person: every text that is theirs alone."""
        user, visitor = f"{name}-user-secret", f"{name}-visitor-secret"
        self.send(message("page", f"{name}-p-secret-1", 0, anonymousId=visitor, name=f"{name} Page Secret"),
                  message("identify", f"{name}-p-secret-2", 1, anonymousId=visitor, userId=user,
                          traits={"email": f"{name}.secret@x.example", "name": f"{name} Trait Secret"}),
                  message("track", f"{name}-p-secret-3", 2, userId=user, event="Noise",
                          properties={"card": f"{name} property secret", "plan": "plan 1"}),
                  message("alias", f"{name}-p-secret-4", 3, userId=user, previousId=f"{name}-older-secret"),
                  message("group", f"{name}-p-secret-5", 4, userId=user, groupId="crowd"))
        return user, [user, visitor, f"{name} Page Secret", f"{name}.secret@x.example", f"{name} Trait Secret",
                      f"{name} property secret", f"{name}-older-secret", f"{name}-p-secret-"]

    def erase(self, user, how=""):
        status, _, text = self.raw(f"/api/v1/people/u_{user}{how}", "DELETE")
        self.assertEqual(status, 202, text)
        return json.loads(text)

    def wait_done(self, erasure):
        path = f"erasures/{erasure['id']}"
        self.until(lambda: self.ask(path)["status"] == "done", "the erasure to be done")
        return self.ask(path)

    def assert_nowhere(self, secrets):
        self.assertEqual({secret: places_of(self.server.data, secret) for secret in secrets},
                         {secret: [] for secret in secrets})

    def test_nothing_of_an_erased_person_is_left_on_the_disk(self):
        self.fill("gone", 3000)
        user, secrets = self.live("gone")
        self.fill("gone2", 4000)
        sealed = lambda secret: any(place.endswith(".journal.zst") for place in places_of(self.server.data, secret))
        self.until(lambda: sealed(secrets[-1]), "the person's segment to be sealed")
        before = self.resolve(user_id="gone-crowd-1")
        self.server.stop()                                 # saved, sealed: it is everywhere where it can be
        self.server.start()
        for secret in secrets:
            self.assertTrue(sealed(secret), f"the search finds {secret} in a sealed segment")
        answer = self.erase(user)
        self.assertEqual({each["id"] for each in answer["ids"]},
                         {user, "gone-visitor-secret", "gone-older-secret"})
        self.refused(f"people/resolve?user_id={user}", 404)
        self.refused("people/resolve?anonymous_id=gone-visitor-secret", 404)
        self.assertEqual(self.ask("people?search=gone.secret")["people"], [])
        done = self.wait_done(answer["erasure"])
        self.assertEqual((done["status"], done["progress"]), ("done", 1))
        self.assert_nowhere(secrets)
        self.assertEqual(self.resolve(user_id="gone-crowd-1"), before, "the others are untouched")
        self.server.stop()
        self.server.start()
        self.assert_nowhere(secrets)
        self.assertEqual(self.ask(f"erasures/{answer['erasure']['id']}")["status"], "done", "known after a restart")
        self.assertEqual(self.server.run("verify").returncode, 0)

    def test_what_comes_later_is_a_new_person_unless_suppressed(self):
        user, _ = self.live("later")
        self.wait_done(self.erase(user)["erasure"])
        self.send(message("track", "later-new", 50, userId=user, event="Back"))
        self.assertEqual(self.resolve(user_id=user)["events"], 1)
        answer = self.erase(user, "?suppress=true")
        self.assertTrue(answer["suppressed"])
        self.wait_done(answer["erasure"])
        self.send(message("track", "later-newer", 51, userId=user, event="Back Again"))
        self.refused(f"people/resolve?user_id={user}", 404)
        self.refused("people/u_crowd?suppress=perhaps", 400, "suppress", "DELETE")

    def test_a_shared_device_keeps_what_was_the_others(self):
        self.send(message("identify", "share-1", 0, userId="share-ann", anonymousId="share-d", traits={"name": "Ann"}),
                  message("track", "share-2", 5, anonymousId="share-d", event="Anns Secret Visit"),
                  message("identify", "share-3", 10, userId="share-ben", anonymousId="share-d", traits={"name": "Ben"}),
                  message("track", "share-4", 15, anonymousId="share-d", event="Bens"))
        ben = self.resolve(user_id="share-ben")
        self.wait_done(self.erase("share-ann")["erasure"])
        self.assertEqual(self.resolve(user_id="share-ben"), ben)
        self.assert_nowhere(["share-ann", "Anns Secret Visit"])

    def test_more_erasures_than_may_be_under_way_lose_none(self):
        """The next is refused until some are done, and then all are."""
        people = [f"many-secret-{number:04}" for number in range(1300)]
        for at in range(0, len(people), 500):
            self.send(*[message("track", f"{user}-m", n % 1440, userId=user, event="Many")
                        for n, user in enumerate(people[at:at + 500])])

        def erase(user):
            while True:
                status, headers, text = self.raw(f"/api/v1/people/u_{user}", "DELETE")
                if status == 202:
                    return json.loads(text)["erasure"]["id"]
                self.assertEqual(status, 429, text)
                self.assertGreater(int(headers["Retry-After"]), 0)
                time.sleep(0.5)

        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            erasures = list(threads.map(erase, people))
        self.until(lambda: not self.ask("erasures")["erasures"], "all to be done")
        self.assert_nowhere(["many-secret-"])
        self.assertEqual(self.ask(f"erasures/{erasures[-1]}")["status"], "done")
        self.assertEqual(self.server.errors(), [])

    def test_a_kill_at_any_moment_delays_an_erasure_and_loses_none(self):
        seed = random.randrange(1 << 32)
        dice = random.Random(seed)
        self.fill("kill", 2000)
        for round_number in range(4):
            with self.subTest(SEED=seed, round=round_number):
                user, secrets = self.live(f"kill{round_number}")
                erasure = self.erase(user)["erasure"]
                for _ in range(3):
                    time.sleep(dice.random() * 0.15)       # a moment: what is tested is that any of them will do
                    self.server.kill()
                    self.server.start()
                self.wait_applied()
                self.refused(f"people/resolve?user_id={user}", 404)
                self.wait_done(erasure)
                self.assert_nowhere(secrets)
        self.assertEqual(self.ask("erasures")["erasures"], [])
        self.assertEqual(self.resolve(user_id="kill-crowd-1")["events"], 2000 // 97 + 1)
        self.assertEqual(self.server.errors(), [])


if __name__ == "__main__":
    unittest.main()
