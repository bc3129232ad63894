"""Who holds what the server has little of, and does not use it, must not keep others out."""
import json
import pathlib
import socket
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from onym import Onym, wait_until      # noqa: E402

KEY = "wk_room"
LEAST = {"threads": 1, "limits": {"connections": 16}}
ASK = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
PATIENCE_S = {"idle": 1.0, "slow": 5.0, "body": 2.0}      # http_crowd.c


class Room(unittest.TestCase):
    def open(self, config):
        server = Onym({"web": KEY}, config)
        self.addCleanup(server.close)
        server.start()
        return server

    def connect(self, server, first=b""):
        connection = socket.create_connection(("127.0.0.1", server.port), 10)
        self.addCleanup(connection.close)
        if first:
            connection.sendall(first)
        return connection

    def ask(self, server, request=ASK):
        with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
            try:
                connection.sendall(request)
                return connection.recv(4096).split(b"\r\n")[0].decode()
            except OSError as error:
                return type(error).__name__

    def hold(self, server, first, patience_s):
        """All connections that there may be are held; after the patience another one is served all the same."""
        held = [self.connect(server, first) for _ in range(16)]
        time.sleep(patience_s + 0.3)
        for _ in range(8):
            self.assertEqual(self.ask(server), "HTTP/1.1 200 OK")
        return held

    def test_idle_connections_make_room(self):
        held = self.hold(self.open(LEAST), b"", PATIENCE_S["idle"])
        self.assertIn(b" 503 ", held[0].recv(4096), "the one that was idle longest is told so")
        self.assertEqual(held[0].recv(10), b"", "and closed")
        held[15].sendall(ASK)
        self.assertIn(b"200 OK", held[15].recv(4096), "and no more than are needed")

    def test_half_sent_heads_make_room(self):
        self.hold(self.open(LEAST), b"POST /v1/track HTTP/1.1\r\n", PATIENCE_S["slow"])

    def test_half_sent_bodies_make_room(self):
        head = b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
        self.hold(self.open(LEAST), head + b"{", PATIENCE_S["slow"])

    def test_who_is_at_work_is_not_closed_for_a_stranger(self):
        server = self.open(LEAST)
        head = b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
        held = [self.connect(server, head) for _ in range(16)]
        time.sleep(0.3)
        self.assertNotIn("200", self.ask(server))
        content = b'{"writeKey":"%s","userId":"u","event":"E"}' % KEY.encode()
        for connection in held:
            connection.sendall(content + b" " * (100 - len(content)))
            self.assertIn(b"200 OK", connection.recv(4096))

    def test_stalled_bodies_make_room_for_those_that_come(self):
        """256 MiB of bodies may be in flight. Half-sent ones of all sizes fill that to the last byte."""
        server = self.open({"threads": 1})
        for size, count in ((529_000, 530), (50_000, 60), (5_000, 60), (500, 60), (50, 60)):
            head = b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (size + 1)
            for _ in range(count):
                self.connect(server, head + b" " * size)
        time.sleep(PATIENCE_S["body"] + 0.3)
        content = b'{"writeKey":"%s","userId":"u","event":"E"}' % KEY.encode() + b" " * 100_000
        head = b"POST /v1/track HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(content)
        for _ in range(20):
            self.assertEqual(self.ask(server, head + content), "HTTP/1.1 200 OK")

    def test_traits_of_one_person_have_a_ceiling(self):
        """1 MiB, what was written last: a row is written anew with each message, so its size is everybody's time."""
        server = self.open({})
        for batch in range(10):
            messages = [{"type": "identify", "userId": "fat", "timestamp": f"2026-11-01T00:00:{batch:02}.{at:03}Z",
                         "traits": {f"k{batch * 16 + at}": "z" * 30_000}} for at in range(16)]
            content = json.dumps({"writeKey": KEY, "batch": messages}).encode()
            head = b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(content)
            said = []

            def is_taken():                                  # 429 while the applier is behind, which SDKs wait out
                said.append(self.ask(server, head + content))
                return said[-1] != "HTTP/1.1 429 Too Many Requests"
            wait_until(is_taken, 60, "room for the batch")
            self.assertEqual(said[-1], "HTTP/1.1 200 OK")

        def traits():
            done = server.run("person", "fat", "--json", check=False)
            return list(json.loads(done.stdout)["traits"]) if done.returncode == 0 else []
        wait_until(lambda: "k159" in traits(), 20, "the last trait")
        self.assertEqual(sorted(traits()), sorted(f"k{at}" for at in range(160 - len(traits()), 160)))
        self.assertIn(len(traits()), range(30, 36))


if __name__ == "__main__":
    unittest.main()
