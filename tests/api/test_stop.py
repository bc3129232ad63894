"""A stop ends in time, whatever hangs, and loses nothing; reloads have no number; descriptors that are out are said so.

How long a stop may take is a number of the program's: from the signal to the end of the process limits.stop_timeout (3 s
by default), of which a third is for those that have begun; tests/unit/server/server_stop_test.c holds the numbers and
that the process ends itself whatever hangs. Here the same shares are of more seconds, so that a busy machine cannot be
taken for a stop that waits: a second thing that is waited for, one after the other, would be over the limit."""
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from onym import Onym, program, wait_until      # noqa: E402

KEY = "wk_stop"
TRACK = b'{"writeKey":"wk_stop","userId":"u","event":"E","messageId":"m-%d"}'


def head(length, path="/v1/track", more=b""):
    return b"POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n" % (path.encode(), more, length)


class Stop(unittest.TestCase):
    def open(self, config=None):
        server = Onym({"web": KEY}, {"limits": {"stop_timeout": f"{self.STOP_S}s"}, **(config or {})})
        self.addCleanup(server.close)
        server.start()
        return server

    def connect(self, server):
        connection = socket.create_connection(("127.0.0.1", server.port), 10)
        self.addCleanup(connection.close)
        return connection

    def send(self, server, number):
        body = TRACK % number
        connection = self.connect(server)
        connection.sendall(head(len(body)) + body)
        self.assertIn(b" 200 ", connection.recv(4096).split(b"\r\n")[0])

    STOP_S = 18                 # 6 for who has begun; at 15 it ends itself and says so

    def stop_takes(self, server):
        """It ends by itself, in its own order, within the limit that it was given."""
        begin = time.monotonic()
        server.stop()
        self.assertLess(time.monotonic() - begin, self.STOP_S)
        self.assertNotIn("without waiting longer", server.log_path.read_text())

    def test_with_half_sent_requests_and_idle_connections(self):
        server = self.open()
        idle = self.connect(server)
        half = self.connect(server)
        half.sendall(head(100) + b'{"half')
        began = self.connect(server)
        began.sendall(b"POST /v1/tr")
        self.send(server, 1)
        self.stop_takes(server)
        self.assertEqual([m["messageId"] for m in server.export()], ["m-1"])
        self.assertEqual(idle.recv(10), b"")

    def takes_nobody(self, server):
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
        except OSError:
            return True
        return False

    def test_with_a_request_that_is_still_coming_it_is_answered(self):
        server = self.open()
        body = TRACK % 2
        slow = self.connect(server)
        slow.sendall(head(len(body)) + body[:10])
        self.send(server, 1)                         # the server has been round since
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: self.takes_nobody(server), 30, "the stop to reach who serves")
        slow.sendall(body[10:])
        answer = slow.recv(4096)
        self.assertIn(b" 200 ", answer.split(b"\r\n")[0])
        self.assertIn(b"connection: close", answer.lower())
        server.process.wait(60)
        server.process = None
        self.assertEqual([m["messageId"] for m in server.export()], ["m-1", "m-2"])

    def test_with_a_destination_that_hangs(self):
        deaf = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(deaf.close)
        server = self.open({"destinations": [{"name": "deaf", "type": "webhook", "rules": {"settle_ms": 0, "grace_seconds": 0},
                            "settings": {"allow_private": True, "url": f"http://127.0.0.1:{deaf.getsockname()[1]}/"}}]})
        self.send(server, 3)
        deaf.settimeout(20)
        taken, _ = deaf.accept()                     # it has called, and waits for an answer
        self.addCleanup(taken.close)
        self.stop_takes(server)
        self.assertEqual(len(server.export()), 1)

    def ask_without_end(self, server, stop, asked):
        """Questions over all that there is, one behind the other; each ends with an answer or with its connection."""
        body = b'{"steps":["E","E","E"],"order":"any","by":"properties.n","attribution":"any"}'
        request = (b"POST /api/v1/funnels HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_test_only_for_this_run\r\n"
                   b"Content-Length: %d\r\n\r\n" % len(body) + body)
        while not stop.is_set():
            try:
                with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
                    connection.sendall(request)
                    asked.append(1)
                    connection.recv(100)
            except OSError:
                stop.wait(0.01)

    def ask_of_operator(self, server, path, body):
        """Something that a worker waits for; whoever asked stays, and may get an answer or not."""
        connection = self.connect(server)
        connection.sendall(b"POST /api/v1/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_test_only_for_this_run\r\n"
                           b"Content-Length: %d\r\n\r\n%s" % (path.encode(), len(body), body))

    def import_without_end(self, server, stop, kept):
        """Batches as fast as they are taken; kept has those that were answered 200."""
        number = 0
        while not stop.is_set():
            ids = [f"i-{number}-{at}" for at in range(50)]
            number += 1
            body = json.dumps({"writeKey": KEY, "batch": [{"type": "track", "userId": "u", "event": "E", "messageId": each}
                                                          for each in ids]}).encode()
            try:
                with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
                    connection.sendall(head(len(body), "/v1/import") + body)
                    if b" 200 " in connection.recv(4096).split(b"\r\n")[0]:
                        kept += ids
            except OSError:
                stop.wait(0.01)

    def test_while_questions_and_imports_run_behind_a_destination_that_hangs(self):
        """All at once. The server ends by itself, without being killed, and what it said 200 to is there, once."""
        deaf = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(deaf.close)
        server = self.open({"destinations": [{"name": "deaf", "type": "webhook", "rules": {"settle_ms": 0, "grace_seconds": 0},
                            "settings": {"allow_private": True, "url": f"http://127.0.0.1:{deaf.getsockname()[1]}/"}}]})
        server.stop()
        path = server.directory / "many.ndjson"
        with open(path, "w") as file:
            for at in range(100_000):
                file.write(json.dumps({"type": "track", "userId": f"u{at % 50}", "event": "E", "messageId": f"m-{at}",
                                       "timestamp": f"2026-11-01T00:{at // 60 % 60:02}:{at % 60:02}.{at % 1000:03}Z",
                                       "properties": {"n": at % 1000}, "projectId": "web"}) + "\n")
        server.run("import", str(path))
        server.start()
        wait_until(lambda: server.run("person", "u1", "--json", check=False).returncode == 0, 60, "the import to be applied")
        stop, asked, kept = threading.Event(), [], []
        threads = [threading.Thread(target=self.ask_without_end, args=(server, stop, asked)) for _ in range(4)]
        threads += [threading.Thread(target=self.import_without_end, args=(server, stop, kept))]
        half = self.connect(server)
        half.sendall(head(100) + b'{"half')
        for thread in threads:
            thread.start()
        wait_until(lambda: len(asked) >= 4 and len(kept) >= 500, 60, "questions and imports")
        deaf.settimeout(60)
        self.ask_of_operator(server, "destinations/deaf/test", b"{}")
        for _ in range(2):                           # what is delivered, and what is tried: neither is answered
            self.addCleanup(deaf.accept()[0].close)
        self.ask_of_operator(server, "destinations/deaf/redo", b"{}")
        self.ask_of_operator(server, "suppressions", b'{"userId":"nobody"}')
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(60)
        took = time.monotonic() - begin
        stop.set()
        server.stop()
        for thread in threads:
            thread.join(60)
        self.assertLess(took, self.STOP_S)
        self.assertNotIn("without waiting longer", server.log_path.read_text())
        ids = [message["messageId"] for message in server.export()]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertLessEqual(set(kept) | {f"m-{at}" for at in range(100_000)}, set(ids))
        self.assertEqual(server.errors(), [])

    def test_with_an_answer_that_nobody_takes(self):
        server = self.open()
        stuck = self.connect(server)
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.setblocking(False)
        try:
            while True:
                stuck.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
        except BlockingIOError:
            pass
        self.stop_takes(server)

    def test_with_a_terminal_that_takes_no_text(self):
        """Its last words and its log are not waited for; what it had acknowledged is there."""
        server = self.open({"limits": {"stop_timeout": "3s"}})
        self.send(server, 7)
        server.stop()
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        server.start(stderr=writing)
        os.set_blocking(writing, False)
        self.send(server, 8)
        try:
            while True:
                os.write(writing, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(writing, True)           # it is one with the server's: that blocks from now on
        os.close(writing)
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(60), 0)
        server.process = None
        self.assertEqual([m["messageId"] for m in server.export()], ["m-7", "m-8"])

    def test_reloads_have_no_number(self):
        server = self.open()
        for number in range(150):
            before = server.log_path.read_text().count("configuration reloaded")
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: server.log_path.read_text().count("configuration reloaded") > before, 10, f"reload {number}")
        self.send(server, 4)
        self.assertEqual(server.errors(), [])
        self.stop_takes(server)

    def test_descriptors_that_are_out_are_said_so_and_come_back(self):
        server = Onym({"web": KEY}, {"threads": 1})
        self.addCleanup(server.close)
        server.wrap = ["prlimit", "--nofile=120:120"]
        server.start()
        crowd = []
        for _ in range(300):
            connection = socket.create_connection(("127.0.0.1", server.port), 10)
            connection.sendall(b"POST /v1/t")        # none of them is idle
            crowd.append(connection)
        self.assertTrue(server.is_alive())
        for connection in crowd:
            connection.close()
        wait_until(lambda: self.served(server), 10, "an answer once there are descriptors again")
        self.assertIn("LimitNOFILE", server.log_path.read_text())
        self.stop_takes(server)

    def served(self, server):
        try:
            self.send(server, 5)
            return True
        except (OSError, AssertionError):
            return False

    def test_a_start_without_memory_says_what_is_missing(self):
        for kilobytes in (150_000, 1_000_000, 8_000_000, 50_000_000):
            with tempfile.TemporaryDirectory() as directory:
                done = subprocess.run(["prlimit", f"--as={kilobytes * 1024}", program(), "serve", "--data", directory + "/d",
                                       "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=30)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertNotIn("bug", done.stderr)
                self.assertTrue("ulimit -v" in done.stderr, done.stderr)

    def test_debug_logs_requests_and_no_secrets(self):
        server = self.open({"log": {"level": "debug"}})
        secret = "sk_test_only_for_this_run"
        for request in (b"GET /v1/projects/" + KEY.encode() + b"/settings?a=wk_stop HTTP/1.1\r\nHost: x\r\n\r\n",
                        b"GET /api/v1/people/user_id:kim@example.com HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                        + secret.encode() + b"\r\n\r\n"):
            connection = self.connect(server)
            connection.sendall(request)
            self.assertTrue(connection.recv(65536))
        self.send(server, 6)
        self.stop_takes(server)
        lines = [line for line in server.log_path.read_text().splitlines() if "event=request" in line]
        self.assertGreaterEqual(len(lines), 3)
        text = "\n".join(lines)
        self.assertIn("path=/v1/track status=200", text)
        for word in (secret, KEY, "kim@example.com", "m-6"):
            self.assertNotIn(word, text)

    def test_an_address_that_is_public_without_tls_is_named(self):
        for listen, is_public in (("0.0.0.0:0", True), ("[::]:0", True), (":0", True), ("127.0.0.1:0", False), ("localhost:0", False)):
            with tempfile.TemporaryDirectory() as directory:
                process = subprocess.Popen([program(), "serve", "--data", directory + "/d", "--listen", listen],
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                for line in process.stdout:
                    if "listening on" in line:
                        break
                process.send_signal(signal.SIGTERM)
                said = process.communicate(timeout=20)[1]
                self.assertEqual("without TLS" in said and f"listen={listen}" in said.replace('"', ""), is_public, said)


if __name__ == "__main__":
    unittest.main()
