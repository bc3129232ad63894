"""What the dashboard keeps: sources that are made there, saved questions, who did what."""
import json
import unittest

from client import Case, SECRET, lib, message

READER, ANALYST = "rd_0123456789abcdefghij", "an_0123456789abcdefghij"
KEYS = [{"name": "grafana", "key": READER}, {"name": "ann", "key": ANALYST, "role": "analyst"}]


class Desk(Case):
    config = {"keys": KEYS}

    def listed(self):
        return {source["name"]: source for source in self.ask("sources")["sources"]}

    def accepted(self, key, name):
        self.send(message("track", name, 0, userId=name, event="E"), key=key)
        return self.raw(f"/api/v1/people/resolve?user_id={name}")[0] == 200

    def again(self):
        self.server.kill()
        self.server.start()

    def by(self, key, method, path, body=None):
        return self.raw("/api/v1/" + path, method, body, key=key)[0]

    # ---- Sources ----

    def test_a_source_is_made_switched_off_and_on_and_outlives_a_crash(self):
        made = self.ask("sources", "POST", {"name": "shop"}, status=201)
        self.assertEqual((made["kept"], made["enabled"], made["server"], made["old_key"]), ("page", True, False, None))
        self.assertTrue(self.accepted(made["write_key"], "by-new-source"))
        self.again()
        self.assertEqual(self.listed()["shop"], made)
        self.assertFalse(self.ask("sources/shop/disable", "POST", {})["enabled"])
        self.assertFalse(self.accepted(made["write_key"], "while-off"))
        self.assertTrue(self.ask("sources/shop/enable", "POST")["enabled"])
        self.assertTrue(self.accepted(made["write_key"], "on-again"))

    def test_after_a_rotation_the_old_key_is_named_and_ends(self):
        made = self.ask("sources", "POST", {"name": "rotated", "server": True}, status=201)
        now = self.ask("sources/rotated/rotate", "POST", {"grace_hours": 2})
        self.assertEqual(now["old_key"], made["write_key"])
        self.assertTrue(self.accepted(now["old_key"], "in-grace") and self.accepted(now["write_key"], "by-new-key"))
        over = self.ask("sources/rotated/rotate", "POST", {"grace_hours": 0})
        self.assertFalse(self.accepted(made["write_key"], "before-last"))
        self.assertFalse(self.accepted(over["old_key"], "grace-is-over"))
        self.assertTrue(self.accepted(over["write_key"], "by-newest-key"))
        for wrong in (-1, 721, "2", 1.5, True):
            self.refused("sources/rotated/rotate", 400, "grace_hours", "POST", {"grace_hours": wrong})

    def test_what_the_configuration_has_stays_the_configurations(self):
        self.assertEqual(self.listed()["website"]["kept"], "file")
        for what in ("disable", "enable", "rotate"):
            self.refused(f"sources/website/{what}", 409, method="POST", body={})
            self.refused(f"sources/nobody/{what}", 404, method="POST", body={})
        self.refused("sources", 409, method="POST", body={"name": "website"})
        for name in ("", "a b", "a/b", 5 * 20 * "x", "\u202e"):
            self.refused("sources", 400, "name", "POST", {"name": name})
        self.refused("sources", 400, "server", "POST", {"name": "x", "server": "yes"})

    def test_sources_are_the_administrators(self):
        for key in (READER, ANALYST):
            for path in ("sources", "sources/website/disable", "sources/website/enable", "sources/website/rotate"):
                self.assertEqual(self.by(key, "POST", path, {"name": "mine"}), 403)

    def test_what_is_kept_is_for_its_owner_alone(self):
        self.ask("sources", "POST", {"name": "kept-secret"}, status=201)
        self.ask("saved", "POST", self.save(), status=201)
        for name in ("sources.json", "saved.json"):
            self.assertEqual((self.server.data / name).stat().st_mode & 0o777, 0o600, name)

    # ---- Saved questions ----

    def save(self, **more):
        return {"name": "The way in", "kind": "funnels", "question": {"steps": ["A", "B"], "window": "7d"}, **more}

    def test_a_question_is_saved_found_replaced_and_forgotten(self):
        made = self.ask("saved", "POST", self.save(view={"as": "bars"}), status=201)
        self.assertEqual((made["question"], made["view"], made["saved_by"]),
                         ({"steps": ["A", "B"], "window": "7d"}, {"as": "bars"}, "secret_key"))
        self.again()
        self.assertEqual(self.ask(f"saved/{made['id']}"), made)
        self.assertEqual(self.ask("saved")["saved"][0], made)
        anew = self.ask("saved", "POST", self.save(id=made["id"], name="<b>\u202eanew"), status=201)
        self.assertEqual((anew["id"], anew["name"], anew["view"]), (made["id"], "<b>\u202eanew", None))
        self.assertEqual(self.ask(f"saved/{made['id']}", "DELETE"), {"deleted": made["id"]})
        self.refused(f"saved/{made['id']}", 404)
        self.refused("saved", 404, method="POST", body=self.save(id=made["id"]))

    def test_what_is_no_question_is_not_saved(self):
        for field, wrong in (("name", ""), ("name", 201 * "x"), ("kind", "people"), ("kind", ""), ("question", []),
                             ("question", "x"), ("question", None), ("view", "x"), ("question", {"a": 17000 * "x"}),
                             ("view", {"a": 5000 * "x"})):
            self.refused("saved", 400, field, "POST", self.save(**{field: wrong}))

    def test_readers_read_and_analysts_save(self):
        self.assertEqual(self.by(READER, "POST", "saved", self.save()), 403)
        self.assertEqual(self.by(ANALYST, "POST", "saved", self.save()), 201)
        made = self.ask("saved")["saved"][0]
        self.assertEqual(made["saved_by"], "ann")
        self.assertEqual(self.by(READER, "GET", "saved"), 200)
        self.assertEqual(self.by(READER, "GET", f"saved/{made['id']}"), 200)
        self.assertEqual(self.by(READER, "DELETE", f"saved/{made['id']}"), 403)
        self.assertEqual(self.by(ANALYST, "DELETE", f"saved/{made['id']}"), 200)

    # ---- Who did what ----

    def test_orders_are_listed_newest_first_and_outlive_a_start(self):
        self.ask("sources", "POST", {"name": "audited"}, status=201)
        self.ask("suppressions", "POST", {"user_id": "in-no-list"})
        self.by(ANALYST, "DELETE", "people/u_in-no-list")

        def three():
            entries = self.ask("audit?limit=3")["entries"]
            return [(entry["who"], entry["method"], entry["path"], entry["status"], entry["about"]) for entry in entries]
        wanted = [("key ann", "DELETE", "/api/v1/people/*", 403, None),
                  ("key secret_key", "POST", "/api/v1/suppressions", 200, None),
                  ("key secret_key", "POST", "/api/v1/sources", 201, "audited")]
        self.until(lambda: three() == wanted, "the list")
        self.assertNotIn("in-no-list", json.dumps(self.ask("audit?limit=1000")))
        self.server.stop()
        self.server.start()
        self.assertEqual(three(), wanted)
        first = self.ask("audit?limit=2")
        rest = self.ask(f"audit?limit=1&before={first['next']}")
        self.assertEqual(rest["entries"][0]["about"], "audited")
        for key in (READER, ANALYST):
            self.assertEqual(self.by(key, "GET", "audit"), 403)
        self.assertEqual(self.by("no-key-at-all", "POST", "sources", {"name": "x"}), 401)

    # ---- Disk ----

    def test_storage_is_what_the_directory_holds(self):
        self.send(message("track", "stored", 0, userId="stored", event="E"))
        told = self.ask("storage")
        real = sum(path.stat().st_size for path in self.server.data.rglob("*") if path.is_file())
        self.assertEqual(told["bytes"], sum(part["bytes"] for part in told["parts"]))
        self.assertLess(abs(told["bytes"] - real), 0.2 * real)       # files grow while they are looked at
        names = {part["name"] for part in told["parts"]}
        self.assertTrue({"journal", "derived/index", "derived/state", "files"} <= names, names)
        self.assertGreater(told["free_bytes"], 0)
        self.assertEqual((told["bytes_a_day"], told["full_in_days"]), (None, None), "an hour has not passed")
        self.assertEqual((self.by(ANALYST, "GET", "storage"), self.by(READER, "GET", "storage")), (200, 403))

    def test_a_damaged_file_is_left_alone_and_said(self):
        self.ask("sources", "POST", {"name": "before-damage"}, status=201)
        path = self.server.data / "sources.json"
        whole = path.read_bytes()
        self.server.stop()
        path.write_bytes(whole[:-9])
        verdict = self.server.run("verify", check=False)
        self.assertEqual(verdict.returncode, 1)
        self.assertIn(b"sources.json", verdict.stdout)
        self.server.start()
        self.assertIn("website", self.listed())
        error = self.refused("sources", 500, method="POST", body={"name": "more"})
        self.assertIn("sources.json", error["message"])
        self.assertEqual(path.read_bytes(), whole[:-9])
        self.server.stop()
        path.write_bytes(whole)
        self.server.start()
        self.assertIn("before-damage", self.listed())

    def test_an_import_knows_the_sources_of_the_page(self):
        self.ask("sources", "POST", {"name": "imported"}, status=201)
        self.server.stop()
        lines = json.dumps({"type": "track", "event": "E", "userId": "by-import", "projectId": "imported",
                            "messageId": "by-import", "timestamp": "2026-11-01T10:00:00.000Z"})
        file = self.server.data.parent / "lines.ndjson"
        file.write_text(lines + "\n")
        done = self.server.run("import", str(file), check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.server.start()
        self.wait_applied()
        self.assertEqual(self.raw("/api/v1/people/resolve?user_id=by-import")[0], 200)


if __name__ == "__main__":
    unittest.main()
