"""`onym mcp` line by line: what a client of the protocol does not do, and what happens meanwhile. tests/api/mcp_client.py has
the public client."""
import http.server
import os
import select
import subprocess
import tempfile
import threading

from client import Case, PATIENCE_S, json, lib, message, unittest


class Lines:
    """A process that speaks lines."""

    def __init__(self, *arguments, env=None):
        self.process = subprocess.Popen([lib.program(), "mcp", *map(str, arguments)], stdin=subprocess.PIPE, bufsize=0,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **(env or {})})
        self.rest = b""

    def say(self, *messages):
        for one in messages:
            self.process.stdin.write((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n")

    def hear(self):
        """The next message."""
        while b"\n" not in self.rest:
            if not select.select([self.process.stdout], [], [], PATIENCE_S)[0]:
                raise AssertionError("onym mcp said nothing")
            more = os.read(self.process.stdout.fileno(), 1 << 16)
            if not more:
                raise AssertionError("onym mcp ended: " + self.process.stderr.read().decode())
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return json.loads(line)

    def end(self):
        """What else it says until it ends, with all its input read."""
        self.process.stdin.close()
        said = self.rest + self.process.stdout.read()
        code = self.process.wait(PATIENCE_S)
        return code, [json.loads(line) for line in said.splitlines()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass


def request(number, method, **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, **({"params": params} if params else {})}


def call(number, tool, **arguments):
    return request(number, "tools/call", name=tool, arguments=arguments)


class Mute(http.server.ThreadingHTTPServer):
    """A server that has people, and never answers what is asked of anything else."""
    daemon_threads = True

    def __init__(self):
        self.asked, self.left = threading.Semaphore(0), threading.Semaphore(0)
        super().__init__(("127.0.0.1", 0), Mute.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = b'{"people":\r\n[],\n"cursor":{"has_more":false,"next":null}}\n'
            if self.path == "/api/v1/destinations":
                body = b'"' + b"x" * (2 << 20) + b'"'
            if self.path == "/api/v1/questions":
                body = b"hello"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.server.asked.release()
            self.connection.recv(1)                      # nothing comes: back when the client has gone
            self.server.left.release()

        def log_message(self, *_):
            pass


class Protocol(unittest.TestCase):
    def setUp(self):
        self.server = Mute()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        directory = tempfile.TemporaryDirectory(prefix="onym-mcp-")
        self.addCleanup(directory.cleanup)
        self.mcp = Lines("--url", self.server.url, "--data", directory.name, env={"ONYM_SECRET_KEY": "sk_of_nobody"})
        self.addCleanup(self.mcp.__exit__)

    def answer(self, one):
        self.mcp.say(one)
        return self.mcp.hear()

    def test_lines_that_are_no_messages_are_told_and_the_next_is_read(self):
        for line, code, number in ((b"{", -32700, None), (b"\xff\xfe", -32700, None), (b"[]", -32600, None),
                                   (json.dumps([request(1, "ping")]).encode(), -32600, None), (b"1", -32600, None),
                                   ({"jsonrpc": "1.0", "id": 1, "method": "ping"}, -32600, 1),
                                   ({"jsonrpc": "2.0", "id": 1}, -32600, 1), ({"jsonrpc": "2.0", "id": None, "method": "ping"}, -32600, None),
                                   ({"jsonrpc": "2.0", "id": {}, "method": "ping"}, -32600, None), (b"[" * 100000, -32600, None),
                                   (b'"' + b"x" * (1 << 20) + b'"', -32600, None), ({**request("s", "ping"), "params": [1]}, -32602, "s"),
                                   (request(2, "tools/erase"), -32601, 2), (request(3, "resources/list"), -32601, 3),
                                   (request(4, "initialize"), -32602, 4), (request(5, "tools/call"), -32602, 5),
                                   (request(6, "tools/call", name="people_erase"), -32602, 6),
                                   (request(7, "tools/call", name="people", arguments=[]), -32602, 7),
                                   (request(8, "tools/list", cursor="x"), -32602, 8)):
            told = self.answer(line)
            self.assertEqual((told["error"]["code"], told["id"]), (code, number), str(line)[:100])
            self.assertTrue(told["error"]["message"])
        self.assertEqual(self.answer(request(9, "ping")), {"jsonrpc": "2.0", "id": 9, "result": {}})

    def test_versions(self):
        for wanted, spoken in (("2024-11-05", "2024-11-05"), ("2025-06-18", "2025-06-18"), ("1999-01-01", "2025-11-25")):
            told = self.answer(request(1, "initialize", protocolVersion=wanted, capabilities={}, clientInfo={}))
            self.assertEqual(told["result"]["protocolVersion"], spoken)
        key = "io.modelcontextprotocol/protocolVersion"
        told = self.answer(request(2, "server/discover", _meta={key: "2027-01-01"}))["error"]
        self.assertEqual((told["code"], told["data"]["requested"]), (-32022, "2027-01-01"))
        self.assertIn("2026-07-28", told["data"]["supported"])
        told = self.answer(request(3, "server/discover", _meta={key: "2026-07-28"}))["result"]
        self.assertEqual((told["resultType"], told["capabilities"]), ("complete", {"tools": {}}))

    def test_what_is_cancelled_is_given_up_and_never_answered(self):
        self.mcp.say(call(1, "events"), call(2, "people"), call("3", "events"))
        self.assertTrue(self.server.asked.acquire(timeout=PATIENCE_S))
        self.assertEqual(self.answer(request(4, "ping"))["id"], 4)               # while the first is under way
        cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
        self.mcp.say({**cancelled, "params": {"requestId": "3"}}, {**cancelled, "params": {"requestId": 99}},
                     {**cancelled, "params": {"requestId": 3}}, {**cancelled, "params": {"requestId": 1}}, cancelled)
        self.assertEqual(self.mcp.hear()["id"], 2)
        self.assertTrue(self.server.left.acquire(timeout=PATIENCE_S))             # the connection was closed
        self.assertEqual(self.mcp.end(), (0, []))

    def test_no_more_wait_than_a_few(self):
        self.mcp.say(call(0, "events"))
        self.assertTrue(self.server.asked.acquire(timeout=PATIENCE_S))
        for number in range(1, 16):
            self.mcp.say(call(number, "people"))
        self.assertEqual(self.answer(call(16, "people"))["error"]["code"], -32000)
        self.mcp.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 0}})
        code, said = self.mcp.end()                                               # what was asked is answered
        self.assertEqual((code, [one["id"] for one in said]), (0, list(range(1, 16))))

    def test_an_answer_is_one_line_and_one_that_is_too_much_or_no_answer_is_told(self):
        told = self.answer(call(1, "people"))["result"]
        self.assertEqual(told["structuredContent"], {"people": [], "cursor": {"has_more": False, "next": None}})
        for tool, words in (("destinations", "more than 1 MiB"), ("questions", "is no Onym")):
            told = self.answer(call(2, tool))["result"]
            self.assertTrue(told["isError"])
            self.assertIn(words, told["content"][0]["text"])
            self.assertNotIn("structuredContent", told)

    def test_a_signal_ends_it_while_a_question_is_under_way(self):
        self.mcp.say(call(1, "events"))
        self.assertTrue(self.server.asked.acquire(timeout=PATIENCE_S))
        self.mcp.process.terminate()
        self.assertEqual(self.mcp.process.wait(PATIENCE_S), 0)
        self.assertEqual(self.mcp.process.stdout.read(), b"")

    def test_who_reads_no_more_ends_it(self):
        self.mcp.process.stdout.close()
        self.mcp.say(request(1, "ping"))
        self.assertEqual(self.mcp.process.wait(PATIENCE_S), 0)

    def test_nobody_there_is_told_with_the_way_out(self):
        with Lines("--url", "http://127.0.0.1:1", env={"ONYM_SECRET_KEY": "sk_of_nobody"}) as mcp:
            mcp.say(call(1, "people"))
            told = mcp.hear()["result"]
            self.assertTrue(told["isError"])
            self.assertIn("is it running", told["content"][0]["text"])


class Onym(Case):
    def test_a_server_may_restart_and_a_stopped_directory_is_not_held(self):
        self.send(message("track", 1, 1, userId="m-u", event="Seen"))
        with Lines("--config", self.server.config, "--data", self.server.data) as mcp:
            def seen():
                mcp.say(call(1, "trends", series=["Seen"]))
                return mcp.hear()["result"]["structuredContent"]["series"][0]["total"]
            self.assertEqual(seen(), 1)
            self.server.stop()
            self.assertEqual(seen(), 1)                  # an engine for this question alone
            self.server.start()
            self.assertEqual(seen(), 1)

    def test_a_configuration_that_is_wrong_is_told_at_once(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("colour: 1\n")
            file.flush()
            done = subprocess.run([lib.program(), "mcp", "--config", file.name], capture_output=True, stdin=subprocess.DEVNULL)
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b"colour", done.stderr)


if __name__ == "__main__":
    unittest.main()
