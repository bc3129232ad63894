"""People in SQL: what the schema says of people is what Onym says, on random histories of merges, shared devices,
unmerges and erasures, through kill -9; and a funnel counted in SQL is the funnel of `onym funnel`."""
import json
import random
import urllib.parse
import urllib.request

from onym import wait_until

WAIT_S = 120
CALLS = {"tracks", "identifies", "pages", "screens", "groups", "aliases"}


def instant(text):
    """PostgreSQL's and Onym's spelling of one instant, as one."""
    if text is None:
        return None
    day, time = text.rstrip("Z").replace("T", " ").split("+")[0].split(" ")
    return f"{day} {time.split('.')[0]}.{(time.split('.') + ['0'])[1].ljust(6, '0')}"


def pages(world, path):
    """All items of a list, whatever it calls them."""
    items, cursor = [], ""
    while True:
        answer = json.loads(world.get(path + ("&" if "?" in path else "?") + "limit=1000" + cursor))
        items += answer[next(name for name, value in answer.items() if isinstance(value, list))]
        if not answer["cursor"]["has_more"]:
            return items
        cursor = "&cursor=" + urllib.parse.quote(answer["cursor"]["next"])


def resolve(world, kind, id_):
    try:
        return json.loads(world.get(f"/api/v1/people/resolve?{kind}={urllib.parse.quote(id_)}"))["person_id"]
    except urllib.error.HTTPError as refused:
        assert refused.code == 404, refused
        return None


def compare(pg, world, schema="website"):
    """Each person, their ids, events, times and traits, as SQL has them and as Onym says."""
    plan = "coalesce(plan::text, '')" if "plan" in world.columns(schema, own=True)["onym_people"] else "''"
    kept = pg.query(f"SELECT person_id, user_id, first_seen, last_seen, {plan} FROM {schema}.onym_people")
    ids = pg.query(f"SELECT kind, value, person_id, valid_from, valid_from_id, valid_to, valid_to_id "
                   f"FROM {schema}.onym_identifiers ORDER BY kind, value, valid_from, valid_from_id")
    assert {row[2] for row in ids} == {row[0] for row in kept}, {row[2] for row in ids} ^ {row[0] for row in kept}
    for before, row in zip([None] + ids, ids):               # an id's times join without a gap, and its last is now
        is_first = not before or before[:2] != row[:2]
        assert (row[3:5] == ["-infinity", ""]) if is_first else (row[3:5] == before[5:7]), (before, row)
    last = {(row[0], row[1]): row for row in ids}
    for (kind, value), row in last.items():
        assert row[5] == "infinity", row
        assert resolve(world, kind, value) == row[2], (row, resolve(world, kind, value))
    for message in world.onym.export():
        for kind, name in (("user_id", "userId"), ("anonymous_id", "anonymousId")):
            value = message.get(name)
            if value and value != "nobody":
                assert (kind, value) in last, (kind, value)
    tables = [table for table in world.columns(schema) if table in CALLS]
    for person, user, first, seen, plan in kept:
        name = urllib.parse.quote(person)
        answer = json.loads(world.get(f"/api/v1/people/{name}"))
        assert answer["person_id"] == person, (answer, person)
        assert answer["user_ids"] == sorted({row[1] for row in ids if row[0] == "user_id" and row[2] == person})
        assert {row[1] for row in ids if row[0] == "anonymous_id" and row[2] == person} <= set(answer["anonymous_ids"])
        assert user == (answer["user_ids"] or [None])[0], (user, answer)
        assert (instant(first), instant(seen)) == (instant(answer["first_seen"]), instant(answer["last_seen"])), (first, seen, answer)
        told = answer["traits"].get("plan")
        if isinstance(told, str) and "\0" not in told and plan.count(":") != 2:      # an instant may be spelt otherwise
            assert plan == told, (plan, answer["traits"])
        elif told is None and not {"Plan", "plan_"} & set(answer["traits"]):
            assert plan == "", (plan, answer["traits"])
        events = {event["messageId"] for event in pages(world, f"/api/v1/people/{name}/events")}
        rows = pg.query(" UNION ALL ".join(
            f"SELECT id FROM {schema}.{table}_resolved WHERE person_id = '{person}'" for table in tables))
        assert len(rows) == len({row[0] for row in rows})
        assert {row[0] for row in rows} == events, (person, {row[0] for row in rows} ^ events)
    return len(kept)


def funnel(pg, world, first, second, schema="website"):
    answer = json.loads(world.onym.run("funnel", first, second, "--window", "30d", "--from", "2020-01-01",
                                       "--json").stdout)
    def table(event):
        return f"{schema}.{event.lower().replace(' ', '_')}_resolved"
    counted = pg.query(
        f"SELECT (SELECT count(DISTINCT person_id) FROM {table(first)}), "
        f"(SELECT count(DISTINCT a.person_id) FROM {table(first)} a JOIN {table(second)} b USING (person_id) "
        f"WHERE b.timestamp >= a.timestamp AND b.timestamp <= a.timestamp + interval '30 days')")
    assert [str(step["people"]) for step in answer["steps"]] == counted[0], (answer["steps"], counted)
    return counted[0]


def order(world, method, path, body=None):
    request = urllib.request.Request(
        world.onym.url + path, method=method, data=json.dumps(body).encode() if body else None,
        headers={"authorization": "Bearer sk_test_only_for_this_run", "content-type": "application/json"})
    try:
        return json.load(urllib.request.urlopen(request))
    except urllib.error.HTTPError as refused:
        assert refused.code in (400, 404), refused.read()
        return None


def wait_erased(world):
    """Until then what is counted of the erased goes on to be counted, in Onym as in SQL."""
    wait_until(lambda: not json.loads(world.get("/api/v1/erasures"))["erasures"], WAIT_S, "the end of all erasures")


def visit(dice, number):
    """Something that a visitor does: on few devices by few users, so that devices are shared and users merged."""
    at = f"2026-11-{dice.randrange(1, 28):02}T{dice.randrange(24):02}:00:00.{dice.randrange(3):03}Z"
    made = {"messageId": f"v{number}", "timestamp": at, "anonymousId": f"a{dice.randrange(25)}"}
    kind = dice.randrange(10)
    if kind < 4:
        return {**made, "type": "track", "event": "Landing"}
    if kind < 6:
        return {**made, "type": "track", "event": "Signed Up", "userId": f"u{dice.randrange(15)}"}
    if kind < 8:
        return {**made, "type": "identify", "userId": f"u{dice.randrange(15)}",
                "traits": {"plan": dice.choice(["Free", "Pro", None])}}
    if kind == 8:
        return {**made, "type": "track", "event": "Landing", "userId": f"u{dice.randrange(15)}"}
    return {"messageId": f"v{number}", "timestamp": at, "type": "alias", "userId": f"u{dice.randrange(15)}",
            "previousId": dice.choice([f"u{dice.randrange(15)}", f"a{dice.randrange(25)}"])}


def people_in_sql(pg, World, seed):
    dice = random.Random(seed)
    with World(pg) as world:
        number = 0
        for turn in range(6):
            world.send([visit(dice, number + at) for at in range(dice.choice([5, 40, 80]))]
                       + [{"type": "track", "event": event, "anonymousId": "always", "messageId": f"t{turn}{event}"}
                          for event in ("Landing", "Signed Up")])
            number += 80
            world.wait_loaded()
            for _ in range(dice.randrange(4)):
                id_ = dice.choice([f"u{dice.randrange(15)}", f"a{dice.randrange(25)}"])
                links = world.onym.run("links", id_, "--json", check=False).stdout
                links = json.loads(links)["links"] if links.startswith(b"{") else []
                if links:
                    link = dice.choice(links)
                    order(world, "POST", f"/api/v1/people/{'restore' if link['removed'] else 'unmerge'}",
                          {"position": link["position"]})
            if turn in (1, 4):
                world.onym.run("delete", f"u{dice.randrange(15)}", "--yes", check=False)
                wait_erased(world)
            if turn in (2, 3):
                world.onym.kill()
                world.onym.start()
            world.wait_loaded()
            assert compare(pg, world) > 3
            funnel(pg, world, "Landing", "Signed Up")


def merged_and_parted(pg, World):
    """A merge, its unmerge and an erasure, seen by one query; a column that widens under the view keeps its grants."""
    with World(pg) as world:
        def track(number, event="Ev", **more):
            return {"type": "track", "event": event, "messageId": f"m{number}", **more}

        def people():
            world.wait_loaded()
            return dict(pg.query("SELECT id, person_id FROM website.ev_resolved ORDER BY id"))
        world.send([track(1, anonymousId="a1", properties={"n": 1, "person_id": "mine"}), track(2, userId="kim"),
                    track(3, userId="bob"), track(4, anonymousId="a1", userId="kim", event="Other")])
        assert people() == {"m1": "u_kim", "m2": "u_kim", "m3": "u_bob"}
        assert pg.query("SELECT person_id_ FROM website.ev_resolved WHERE id = 'm1'") == [["mine"]]
        pg.query("CREATE ROLE reader; GRANT USAGE ON SCHEMA website TO reader; "
                 "GRANT SELECT ON website.ev_resolved TO reader")
        world.send([{"type": "alias", "userId": "bob", "previousId": "kim", "messageId": "m5"}])
        assert people() == {"m1": "u_bob", "m2": "u_bob", "m3": "u_bob"}
        assert pg.query("SELECT person_id FROM website.onym_people WHERE user_id IS NOT NULL") == [["u_bob"]]
        world.onym.run("unmerge", "kim", "m5")
        assert people() == {"m1": "u_kim", "m2": "u_kim", "m3": "u_bob"}
        world.send([track(6, userId="bob", properties={"n": "many", "more": True})])
        assert people()["m6"] == "u_bob"
        assert pg.query("SET ROLE reader; SELECT n, more FROM website.ev_resolved WHERE id = 'm6'") == [["many", "t"]]
        world.onym.run("delete", "kim", "--yes")
        wait_erased(world)
        world.send([track(7, anonymousId="a1")])
        assert people() == {"m3": "u_bob", "m6": "u_bob", "m7": "a_a1"}
        left = pg.query("SELECT value, person_id FROM website.onym_identifiers WHERE value <> 'marker' ORDER BY 1")
        assert left == [["a1", "a_a1"], ["bob", "u_bob"]], left
        compare(pg, world)
        pg.query("DROP VIEW website.ev_resolved, website.other_resolved; "
                 "CREATE TABLE website.other_resolved (a int)")                  # somebody's own
        world.send([track(8, userId="bob", event="Ev Resolved"), track(9, userId="bob", event="Other")])
        world.wait_loaded()
        assert pg.query("SELECT id FROM website.ev_resolved_") == [["m8"]]
        assert pg.query("SELECT id FROM website.other WHERE id = 'm9'") == [["m9"]]
        pg.query("DROP TABLE website.onym_people; CREATE VIEW website.onym_people AS SELECT 1 AS person_id")
        world.send([track(10, userId="bob")])                # people fail, and only they
        world.wait_loaded()
        assert pg.query("SELECT id FROM website.ev WHERE id = 'm10'") == [["m10"]]
        wait_until(lambda: "people" in world.onym.log_path.read_text(), WAIT_S, "a complaint")
        pg.query("DROP VIEW website.onym_people")
        world.onym.kill()
        world.onym.start()
        world.wait_loaded()
        compare(pg, world)


def counted(pg, World):
    """Rows of people that were undone are not counted."""
    with World(pg) as world:
        def rows():
            return json.loads(world.get("/api/v1/destinations"))["warehouses"][0]["rows"]
        world.wait_loaded()
        pg.query("ALTER TABLE website.onym_sync ADD CHECK (partition = 0) NOT VALID")    # people fail at their end
        before = rows()
        world.send([{"type": "track", "event": "Ev", "userId": "kim", "messageId": "m1"}])
        wait_until(lambda: "onym_sync" in world.onym.log_path.read_text(), WAIT_S, "a complaint")
        assert pg.query("SELECT count(*) FROM website.ev") == [["1"]]
        assert rows() == before + 2, (before, rows())


GRANTS = ("SELECT grantee, column_name, is_grantable FROM information_schema.column_privileges WHERE table_schema = 'website' "
          "AND table_name = 'ev_resolved' AND grantee IN ('clerk', 'aide') ORDER BY 1, 2")


def views_outlive_people(pg, World):
    """A column widens while people fail, and where they are switched off: the view and its grants are there."""
    with World(pg) as world:
        def track(number, user, value):
            return {"type": "track", "event": "Ev", "userId": user, "messageId": f"m{number}", "properties": {"n": value}}

        def read():
            world.wait_loaded()
            return pg.query("SET ROLE viewer; SELECT id, n FROM website.ev_resolved ORDER BY 1")
        world.send([track(1, "kim", 1)])
        world.wait_loaded()
        pg.query("CREATE ROLE viewer; GRANT USAGE ON SCHEMA website TO viewer; GRANT SELECT ON website.ev_resolved TO viewer "
                 "WITH GRANT OPTION; CREATE ROLE clerk; CREATE ROLE aide; GRANT USAGE ON SCHEMA website TO clerk, aide; "
                 "GRANT SELECT (id, n) ON website.ev_resolved TO clerk WITH GRANT OPTION; "
                 "GRANT SELECT (event) ON website.ev_resolved TO aide; "
                 "ALTER TABLE website.onym_identifiers ADD CONSTRAINT sane CHECK (value <> 'eve')")
        world.send([track(2, "eve", 2.5)])
        assert read() == [["m1", "1"], ["m2", "2.5"]]
        assert pg.query("SELECT 1 FROM website.onym_identifiers WHERE value = 'eve'") == []
        pg.query("ALTER TABLE website.onym_identifiers DROP CONSTRAINT sane")
        wait_until(lambda: pg.query("SELECT 1 FROM website.onym_identifiers WHERE value = 'eve'"), WAIT_S,
                   "all of it a minute later, without any message")
        granted = pg.query(GRANTS)
        assert granted == [["aide", "event", "NO"], ["clerk", "id", "YES"], ["clerk", "n", "YES"]], granted
        may = "SELECT has_table_privilege('viewer', 'website.ev_resolved', 'SELECT WITH GRANT OPTION')"
        assert pg.query(may) == [["t"]]
        pg.query("ALTER TABLE website.ev RENAME COLUMN event_text TO their_text")       # the view cannot be replaced
        pg.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'onym'")
        world.send([track(9, "kim", 3)])
        wait_until(lambda: pg.query("SELECT 1 FROM information_schema.columns WHERE table_schema = 'website' AND "
                                    "table_name = 'ev_resolved' AND column_name = 'their_text'"), WAIT_S, "the view anew")
        assert ["m9", "3"] in read()
        assert pg.query(GRANTS) == granted and pg.query(may) == [["t"]]
        pg.query("DELETE FROM website.ev WHERE id = 'm9'")
        world.onym.stop()
        path = world.onym.config
        path.write_text(path.read_text().replace('"every"', '"people": "false", "every"'))
        world.onym.start()
        world.send([track(3, "kim", "many")])
        assert read() == [["m1", "1"], ["m2", "2.5"], ["m3", "many"]]
