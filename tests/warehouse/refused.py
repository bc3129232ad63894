"""What a team has, or does, in the schema that is not Onym's: it stops nothing of anybody else's."""
import json
import os
import subprocess

import postgres
from onym import program, wait_until

WAIT_S = 120


def track(number, event, **properties):
    return {"type": "track", "event": event, "userId": "kim", "messageId": f"m{number}", "properties": properties}


def reasons(pg):
    return dict(map(tuple, pg.query("SELECT table_name, min(reason) FROM website.onym_discards WHERE row_id IS NOT NULL "
                                    "GROUP BY 1")))


def last_error(world):
    return json.loads(world.get("/api/v1/destinations"))["warehouses"][0]["last_error"] or ""


def look_again(pg):
    """As a minute later: a new connection reads the catalogue."""
    pg.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'onym'")


KINDS = {
    "a_view": "CREATE VIEW website.a_view AS SELECT 1 AS x",
    "a_matview": "CREATE MATERIALIZED VIEW website.a_matview AS SELECT 1 AS x",
    "a_sequence": "CREATE SEQUENCE website.a_sequence",
    "an_index": "CREATE TABLE website.of_ours (x integer); CREATE INDEX an_index ON website.of_ours (x)",
    "a_foreign": "CREATE FOREIGN DATA WRAPPER onym_test; CREATE SERVER onym_test FOREIGN DATA WRAPPER onym_test; "
                 "CREATE FOREIGN TABLE website.a_foreign (x integer) SERVER onym_test",
    "a_composite": "CREATE TYPE website.a_composite AS (x integer)",
    "a_domain": "CREATE DOMAIN website.a_domain AS text",
    "an_enum": "CREATE TYPE website.an_enum AS ENUM ('x')",
    "a_range": "CREATE TYPE website.a_range AS RANGE (subtype = integer)",
}


def names_taken(pg, World):
    """Views, sequences, types ... of the names of events, then of built-in tables."""
    try:
        with World(pg) as world:
            world.wait_loaded()
            for statement in KINDS.values():
                pg.query(statement)
            world.send([track(at, name, n=1) for at, name in enumerate(KINDS)]
                       + [track(100, "Fine", n=1), track(101, "A View", n=2)])
            world.wait_loaded()
            assert pg.query("SELECT id FROM website.fine") == [["m100"]]
            assert pg.query("SELECT count(*) FROM website.tracks") == [[str(len(KINDS) + 2)]]
            told = reasons(pg)
            assert set(told) == set(KINDS), told
            for name, reason in told.items():
                assert "of this name stands in the schema; rename it or drop it" in reason, (name, reason)
            assert "a view of this name" in told["a_view"] and "a sequence" in told["a_sequence"], told
            whole = pg.query("SELECT column_value FROM website.onym_discards WHERE row_id = 'm101'")
            assert json.loads(whole[0][0])["properties"] == {"n": 2}, whole
            assert "rename it or drop it" in last_error(world), last_error(world)
            assert "waiting" not in world.get("/api/v1/destinations")

            pg.query("ALTER VIEW website.a_view RENAME TO of_theirs")
            look_again(pg)
            world.send([track(200, "A View", n=3)])
            world.wait_loaded()
            assert pg.query("SELECT id, n FROM website.a_view") == [["m200", "3"]]

            # The tables that everything goes through: what depends on them is loaded all the same.
            pg.query("DROP TABLE website.tracks CASCADE; CREATE VIEW website.tracks AS SELECT 1 AS x; "
                     "CREATE VIEW website.users AS SELECT 1 AS x; CREATE TABLE website.empty_one ()")
            look_again(pg)
            world.send([track(300, "Fine", n=2), track(301, "Empty One", n=4),
                        {"type": "identify", "userId": "kim", "messageId": "m302", "traits": {"plan": "Free"}}])
            world.wait_loaded()
            assert pg.query("SELECT id FROM website.fine ORDER BY 1") == [["m100"], ["m300"]]
            assert pg.query("SELECT id, n FROM website.empty_one") == [["m301", "4"]]
            assert pg.query("SELECT id FROM website.identifies") == [["m302"]]
            assert pg.query("SELECT row_id FROM website.onym_discards WHERE table_name = 'users'") == [["kim"]]

            world.onym.run("delete", "kim", "--yes")
            wait_until(lambda: not json.loads(world.get("/api/v1/erasures"))["erasures"], WAIT_S, "the erasure")
            assert pg.query("SELECT * FROM website.onym_discards") == []
    finally:
        pg.query("DROP SCHEMA IF EXISTS website CASCADE; DROP FOREIGN DATA WRAPPER IF EXISTS onym_test CASCADE")


RULES = {
    "not_null": "ALTER TABLE website.not_null ADD COLUMN theirs integer NOT NULL DEFAULT 1; "
                "ALTER TABLE website.not_null ALTER COLUMN theirs DROP DEFAULT",
    "checked": "ALTER TABLE website.checked ADD CHECK (n < 5)",
    "single": "ALTER TABLE website.single ADD UNIQUE (n)",
    "raising": "CREATE TRIGGER no BEFORE INSERT ON website.raising FOR EACH ROW EXECUTE FUNCTION public.onym_no('P0001')",
    "odd_code": "CREATE TRIGGER no BEFORE INSERT ON website.odd_code FOR EACH ROW EXECUTE FUNCTION public.onym_no('ZZ999')",
    "deferred": "CREATE CONSTRAINT TRIGGER no AFTER INSERT ON website.deferred DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW EXECUTE FUNCTION public.onym_no('P0001')",
    "broken": "CREATE TRIGGER no BEFORE INSERT ON website.broken FOR EACH ROW EXECUTE FUNCTION public.onym_broken()",
    "no_rights": "ALTER TABLE website.no_rights OWNER TO onym; GRANT SELECT ON website.no_rights TO loader",
    "no_columns": "ALTER TABLE website.no_columns OWNER TO onym; GRANT SELECT, INSERT ON website.no_columns TO loader",
    "policy": "ALTER TABLE website.policy ENABLE ROW LEVEL SECURITY; ALTER TABLE website.policy FORCE ROW LEVEL SECURITY; "
              "CREATE POLICY small ON website.policy USING (true) WITH CHECK (n < 5)",
    "keyless": "ALTER TABLE website.keyless DROP CONSTRAINT keyless_pkey; ALTER TABLE website.keyless ADD CHECK (n < 5)",
    "retyped": "ALTER TABLE website.retyped DROP CONSTRAINT retyped_pkey; DROP VIEW IF EXISTS website.retyped_resolved; "
               "ALTER TABLE website.retyped ALTER COLUMN id TYPE integer USING 1",
    "renamed": "ALTER TABLE website.renamed RENAME COLUMN n TO m",
}


def rules_of_theirs(pg, World):
    """Rows that a table does not take are told one by one; all others are there, in the same load."""
    pg.query("DROP ROLE IF EXISTS loader; CREATE ROLE loader LOGIN PASSWORD '%s'; GRANT CREATE ON DATABASE postgres TO loader; "
             "ALTER ROLE loader SET statement_timeout = '1s'" % postgres.PASSWORD)
    pg.query("CREATE OR REPLACE FUNCTION public.onym_no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.n >= 5 THEN "
             "RAISE EXCEPTION 'not this one' USING ERRCODE = TG_ARGV[0]; END IF; RETURN NEW; END $$; "
             "CREATE OR REPLACE FUNCTION public.onym_broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
             "PERFORM 1 FROM website.is_not_there; RETURN NEW; END $$")
    os.environ["LOADER"] = pg.url.replace("onym:", "loader:", 1)
    entry = {"name": "website", "type": "postgres", "settings": {"url": "${LOADER}", "schema": "website", "every": "100ms"}}
    try:
        pg.query("DROP SCHEMA IF EXISTS website CASCADE")
        with World(pg, warehouses=[entry]) as world:
            world.send([track(f"{name}-0", name, n=0) for name in RULES])
            world.wait_loaded()
            for statement in RULES.values():
                pg.query(statement)
            pg.query("CREATE TABLE website.parts (id text, n bigint) PARTITION BY LIST (n); "
                     "CREATE TABLE website.parts_small PARTITION OF website.parts FOR VALUES IN (1, 2); "
                     "ALTER TABLE website.parts OWNER TO loader; ALTER TABLE website.parts_small OWNER TO loader; "
                     "CREATE TABLE website.theirs (id text PRIMARY KEY, n bigint, nn bigint GENERATED ALWAYS AS (n * 2) STORED, "
                     "seq bigint GENERATED ALWAYS AS IDENTITY); ALTER TABLE website.theirs OWNER TO loader")
            look_again(pg)
            names = [name for name in RULES if name != "deferred"]
            world.send([track(f"{name}-{n}", name, n=n) for n in (1, 5, 2) for name in names]
                       + [track("no_columns-3", "no_columns", n=3, more="x")]
                       + [track(f"parts-{n}", "parts", n=n) for n in (1, 5, 2)]
                       + [track("theirs-1", "theirs", n=1, nn=7, seq=8)] + [track("fine-1", "Fine", n=1)])
            world.wait_loaded()

            def ids(table):
                return [row[0] for row in pg.query(f"SELECT id FROM website.{table} ORDER BY 1")]
            some = lambda table: [f"m{table}-{n}" for n in (0, 1, 2)]
            told = reasons(pg)
            assert ids("fine") == ["mfine-1"]
            assert ids("not_null") == ["mnot_null-0"] and "null value in column" in told["not_null"], told
            for table, word in (("checked", "check constraint"), ("raising", "not this one (P0001)"),
                                ("odd_code", "not this one (ZZ999)"), ("policy", "row-level security"),
                                ("keyless", "check constraint")):
                assert ids(table) == some(table), (table, ids(table), told)
                assert word in told[table], told
            assert ids("single") == some("single") + ["msingle-5"] and "single" not in told     # none is there twice
            assert ids("broken") == ["mbroken-0"] and "is_not_there" in told["broken"], told
            assert ids("no_rights") == ["mno_rights-0"] and "permission denied" in told["no_rights"], told
            assert ids("no_columns") == [f"mno_columns-{n}" for n in (0, 1, 2, 3, 5)]
            assert pg.query("SELECT column_name, column_value FROM website.onym_discards WHERE table_name = 'no_columns'") \
                == [["more", "x"]] and "must be owner" in told["no_columns"], told
            assert "column id is not text" in told["retyped"], told
            assert pg.query("SELECT n, m FROM website.renamed ORDER BY id") == [[None, "0"], ["1", None], ["2", None], ["5", None]]
            assert ids("parts") == ["mparts-1", "mparts-2"] and "no partition" in told["parts"], told
            assert pg.query("SELECT id, n, nn, nn_text, seq_text FROM website.theirs") == [["mtheirs-1", "1", "2", "7", "8"]]
            everything = {f"m{name}-{n}" for name in names for n in (0, 1, 2, 5)} | {"mfine-1", "mtheirs-1", "mdeferred-0",
                          "mno_columns-3"} | {f"mparts-{n}" for n in (1, 2, 5)}
            assert set(ids("tracks")) == everything, everything ^ set(ids("tracks"))
            assert last_error(world).startswith("table "), last_error(world)
            assert json.loads(world.get("/api/v1/destinations"))["warehouses"][0]["refused"] >= 12

            world.send([track("single-9", "single", n=1), track("deferred-5", "deferred", n=5), track("fine-2", "Fine", n=1)])
            world.wait_loaded()
            assert ids("fine") == ["mfine-1", "mfine-2"] and ids("deferred") == ["mdeferred-0"]
            told = reasons(pg)
            assert "unique constraint" in told["single"] and "msingle-9" in ids("tracks"), told
            assert "not this one" in told["tracks"], told       # only the commit finds it out: the message is refused, whole

            # Rights that an erasure needs: it waits, says for what, and no row is left behind.
            erasing = subprocess.Popen([program(), "delete", "kim", "--yes", "--config", str(world.onym.config), "--data",
                                        str(world.onym.data)], stderr=subprocess.DEVNULL)
            wait_until(lambda: "erasing from table no_" in last_error(world), WAIT_S, "what the erasure waits for")
            assert "permission denied for table" in last_error(world), last_error(world)
            pg.query("GRANT DELETE ON website.no_rights, website.no_columns TO loader")
            wait_until(lambda: "row-level security policy for table" in last_error(world), WAIT_S, "a word about the policy")
            pg.query("ALTER ROLE loader BYPASSRLS")
            wait_until(lambda: not json.loads(world.get("/api/v1/erasures"))["erasures"], WAIT_S, "the erasure")
            assert erasing.wait() == 0
            assert ids("policy") == [] and ids("no_rights") == [] and ids("checked") == []
    finally:
        pg.query("DROP SCHEMA IF EXISTS website CASCADE; DROP OWNED BY loader CASCADE; DROP ROLE loader; "
                 "DROP FUNCTION public.onym_no(), public.onym_broken()")


def many_refused(pg, World):
    """A column of theirs that nobody fills: thousands of rows are refused in no more time than they take otherwise."""
    with World(pg) as world:
        world.send([track(0, "Ev", n=0)])
        world.wait_loaded()
        pg.query(RULES["not_null"].replace("website.not_null", "website.ev"))
        world.send([track(at, "Ev", n=at) for at in range(1, 6001)])
        world.wait_loaded()
        assert pg.query("SELECT count(*) FROM website.onym_discards WHERE table_name = 'ev'") == [["6000"]]
        assert pg.query("SELECT count(*) FROM website.tracks") == [["6001"]]
        loads = json.loads(world.get("/api/v1/destinations"))["warehouses"][0]["loads"]
        assert loads < 1000, loads


def locked(pg, World):
    """A lock that somebody holds: the status says so, nothing is lost, and all goes on when it is let go."""
    with World(pg) as world:
        world.send([track(0, "Ev", n=0)])
        world.wait_loaded()
        holder = pg.session("BEGIN; LOCK TABLE website.ev; SELECT pg_sleep(600)")
        try:
            wait_until(lambda: pg.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), WAIT_S, "the lock")
            world.send([track(1, "Ev", n=1)])
            wait_until(lambda: "lock timeout" in last_error(world), WAIT_S, "a word about the lock")
            assert "table ev" in last_error(world), last_error(world)
        finally:
            pg.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
            holder.wait()
        world.wait_loaded()
        assert pg.query("SELECT count(*) FROM website.ev") == [["2"]]
        assert pg.query("SELECT * FROM website.onym_discards") == []
