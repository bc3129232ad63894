#!/usr/bin/env python3
"""onym plan and a server with a plan, as their users have them. usage: test_plan.py (build/onym must be there)"""
import http.server, json, os, pathlib, signal, subprocess, tempfile, threading, time, unittest, urllib.request

ONYM = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "build", "onym"))


def onym(*arguments, text=None, cwd=None):
    done = subprocess.run([ONYM, *arguments], input=text, capture_output=True, text=True, cwd=cwd, timeout=60)
    return done.returncode, done.stdout, done.stderr


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_a_file_of_messages_is_held_against_a_plan(self):
        plan = self.write("plan.yaml", "version: '7'\nevents:\n  A: {properties: {n: {type: number, required: true}}}\n")
        good, bad = '{"type":"track","event":"A","properties":{"n":1}}\n', '{"type":"track","event":"a","properties":{}}\n'
        self.assertEqual(onym("plan", "check", "-p", plan, "-", text=good)[0], 0)
        code, out, _ = onym("plan", "check", "-p", plan, "-", text=good + bad + good.replace("1", '"1"'))
        self.assertEqual(code, 1)
        self.assertIn('-:2: a is not in the plan; "A" is\n', out)
        self.assertIn('-:3: A: properties.n is text ("1"), the plan wants a number\n', out)
        self.assertIn("2 of 3 messages break the plan (version 7, 1 events)\n", out)
        code, out, _ = onym("plan", "check", "-p", plan, "--json", "-", text=bad)
        self.assertEqual(json.loads(out)["plan"]["violations"][0]["code"], "unplanned_event")

    def test_what_is_wrong_with_a_plan_is_told_with_its_place(self):
        plan = self.write("plan.yaml", "events:\n  A:\n    propertys: {}\n")
        code, _, err = onym("plan", "check", "-p", plan)
        self.assertEqual(code, 1)
        self.assertIn("plan.yaml:3:", err)
        self.assertIn("did you mean properties?", err)

    def test_a_schema_lies_in_a_file_beside_the_plan(self):
        plan = self.write("plan.yaml", "events: {A: {schema: a.json}}\n")
        self.write("a.json", '{"required":["x"],"properties":{"x":{"type":"string","maxLenght":3}}}')
        code, out, err = onym("plan", "check", "-p", plan, "-", text='{"type":"track","event":"A","properties":{}}\n')
        self.assertIn("properties.x is missing, the plan wants text", out)
        self.assertIn("a.json:1:", err)
        self.assertIn("did you mean maxLength?", err)

    def test_plans_of_others_are_taken_over(self):
        segment = {"data": {"rules": [
            {"type": "TRACK", "key": "A", "version": 1, "jsonSchema": {"properties": {"properties": {"required": ["old"]}}}},
            {"type": "TRACK", "key": "A", "version": 2, "jsonSchema": {"properties": {"properties": {"required": ["x"]}}}},
            {"type": "IDENTIFY", "jsonSchema": {"properties": {"traits": {"properties": {"email": {"format": "email"}}}}}}]}}
        rudder = {"name": "p", "events": [{"name": "B", "eventType": "track", "rules": {
            "properties": {"properties": {"properties": {"n": {"type": "number"}}}}}}]}
        _, made, _ = onym("plan", "import", self.write("segment.json", json.dumps(segment)))
        plan = self.write("plan.yaml", made)
        _, out, _ = onym("plan", "check", "-p", plan, "-", text='{"type":"track","event":"A"}\n'
                         '{"type":"identify","traits":{"email":"x"}}\n')
        self.assertIn("properties.x is missing", out)
        self.assertNotIn("old", out)
        self.assertIn("traits.email is text", out)
        _, made, _ = onym("plan", "import", self.write("rudder.json", json.dumps(rudder)))
        plan = self.write("plan.yaml", made)
        _, out, _ = onym("plan", "check", "-p", plan, "-", text='{"type":"track","event":"B","properties":{"n":"1"}}\n')
        self.assertIn("properties.n is text", out)

    def test_a_difference_is_told_and_is_an_exit_code(self):
        old = self.write("a.yaml", "events: {A: {properties: {n: number}}}\n")
        new = self.write("b.yaml", "events: {A: {properties: {n: text}}, B: }\n")
        self.assertEqual(onym("plan", "diff", old, old), (0, "", ""))
        code, out, _ = onym("plan", "diff", old, new)
        self.assertEqual((code, out), (1, "~ events.A.properties.n: number -> text\n+ events.B: nothing\n"))


class Hook(http.server.BaseHTTPRequestHandler):
    got = []

    def do_POST(self):
        Hook.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Served(unittest.TestCase):
    PLAN = ("version: '7'\nevents:\n  A: {properties: {n: number}}\n  O: {enforcement: omit, properties: {n: number, ok: text}}\n"
            "  H: {enforcement: hold, properties: {n: number}}\n  R: {enforcement: reject, properties: {n: number}}\n")

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        Hook.got = []
        hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        threading.Thread(target=hook.serve_forever, daemon=True).start()
        self.addCleanup(hook.server_close)
        self.addCleanup(hook.shutdown)
        data = os.path.join(self.folder.name, "data")
        with open(os.path.join(self.folder.name, "onym.yaml"), "w") as file:
            file.write(f"listen: 127.0.0.1:0\ndata: {data}\nsecret_key: sk\nsources: [{{name: website, write_key: wk}}]\n"
                       "destinations: [{name: hook, type: webhook, settings: {allow_private: true, "
                       f"url: 'http://127.0.0.1:{hook.server_port}/'}}}}]\n")
        with open(os.path.join(self.folder.name, "plan.yaml"), "w") as file:
            file.write(self.PLAN)
        self.log = open(os.path.join(self.folder.name, "log"), "w")
        self.server = subprocess.Popen([ONYM, "serve", "-c", "onym.yaml"], cwd=self.folder.name, stderr=self.log,
                                       stdout=subprocess.DEVNULL)
        self.addCleanup(self.end)
        self.url = self.wait(lambda: pathlib.Path(data, "address").read_text().strip())

    def end(self):
        self.server.terminate()
        self.server.wait(30)
        self.log.close()

    def wait(self, what, seconds=30):
        until = time.monotonic() + seconds
        while True:
            try:
                found = what()
                if found:
                    return found
            except (OSError, ValueError):
                pass
            if time.monotonic() > until:
                self.fail("it does not come")
            time.sleep(0.05)

    def send(self, event, **properties):
        body = json.dumps({"type": "track", "userId": "u", "event": event, "properties": properties, "writeKey": "wk"})
        request = urllib.request.Request(self.url + "/v1/track", body.encode())
        self.assertEqual(urllib.request.urlopen(request).status, 200)

    def get(self, path):
        request = urllib.request.Request(self.url + path, headers={"Authorization": "Bearer sk"})
        return urllib.request.urlopen(request).read().decode()

    def test_each_rung_of_the_ladder(self):
        for event in "AOHR":
            self.send(event, n="1", ok="yes")
        self.wait(lambda: len(Hook.got) == 2)
        self.assertEqual([(one["event"], one["properties"]) for one in Hook.got],
                         [("A", {"n": "1", "ok": "yes"}), ("O", {"ok": "yes"})])
        metrics = self.get("/metrics")
        for rung in ("report", "omit", "hold", "reject"):
            self.assertIn(f'onym_plan_messages_total{{rung="{rung}"}} 1', metrics)
        code, out, _ = onym("tail", "-c", "onym.yaml", "--rejected", "--no-follow", "--json", cwd=self.folder.name)
        self.assertEqual(json.loads(out)["reason"], "plan_wrong_type")
        code, out, err = onym("plan", "release", "-c", "onym.yaml", cwd=self.folder.name)
        self.assertEqual(code, 0, err)
        self.wait(lambda: len(Hook.got) == 3)
        self.assertEqual(Hook.got[2]["event"], "H")
        self.assertEqual(Hook.got[2]["planCheck"]["violations"][0]["path"], ["properties", "n"])
        code, out, err = onym("plan", "dry-run", "-c", "onym.yaml", "--json", cwd=self.folder.name)
        told = json.loads(out)
        self.assertEqual((told["messages"], told["broken"], told["people"]), (3, 3, 1), err)

    def test_a_reload_takes_the_new_plan_and_a_broken_one_changes_nothing(self):
        plan, log = os.path.join(self.folder.name, "plan.yaml"), os.path.join(self.folder.name, "log")
        with open(plan, "w") as file:
            file.write(self.PLAN + "nonsense: 1\n")
        self.server.send_signal(signal.SIGHUP)
        self.wait(lambda: "tracking plan not reloaded" in pathlib.Path(log).read_text())
        self.send("A", n="1")
        with open(plan, "w") as file:
            file.write(self.PLAN.replace("'7'", "'8'").replace("A: {properties: {n: number}}", "A: {properties: {n: text}}"))
        self.server.send_signal(signal.SIGHUP)
        self.wait(lambda: "version=8" in pathlib.Path(log).read_text())
        self.send("A", n="1")
        self.wait(lambda: len(Hook.got) == 2)
        self.assertIn("planCheck", Hook.got[0])
        self.assertNotIn("planCheck", Hook.got[1])


unittest.main()
