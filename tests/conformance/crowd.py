"""Crowds: many connections at once, honest or not. Memory has a ceiling, and one honest client is served meanwhile."""
import json
import os
import pathlib
import resource
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from evidence import load_program      # noqa: E402
from hostile import body, others_are_well, wait_given_back      # noqa: E402
from suite import KEY, REQUEST_TIMEOUT_S, basic, case      # noqa: E402
from wire import CLOSED, Connection, request      # noqa: E402

MB = 1024 * 1024
BODIES_MB = 256                    # the ceiling of bodies in flight (HttpOptions.body_memory_bytes, all threads)


class Memory:
    """The server's resident memory, looked at all the while; `with` it around what should be bounded."""

    def __init__(self, t, most_mb, what):
        self.t, self.most_mb, self.what = t, most_mb, what
        self.before = self.peak = t.server.rss_bytes()
        self.is_over = threading.Event()

    def look(self):
        while not self.is_over.wait(0.05):
            self.peak = max(self.peak, self.t.server.rss_bytes())

    def __enter__(self):
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()
        grown = (self.peak - self.before) / MB
        self.t.note(f"{self.what}: {grown:.0f} MiB more, {self.peak / MB:.0f} MiB at the peak; ceiling {self.most_mb} more")
        self.t.check(grown < self.most_mb, f"{self.what}: memory grew by {grown:.0f} MiB")


def close_all(t, connections):
    for connection in connections:
        connection.close()
    wait_given_back(t)


@case("10,000 idle connections: memory is bounded, and others are served")
def _(t):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(10_000, hard - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    idle = []
    try:
        with Memory(t, 80, f"{count} idle connections"):
            for _ in range(count):
                idle.append(Connection(t.port))
            others_are_well(t)
            used = len(range(0, count, 500))
            for at in range(0, count, 500):        # and each of them is still good, whichever thread has them
                idle[at].send(request("POST", "/v1/track", [basic(KEY)], body(t, "idle")))
                t.accepted(idle[at].receive())
            for _ in range(20):                    # and so is the next one
                idle.append(Connection(t.port))
                idle[-1].send(request("POST", "/v1/track", [basic(KEY)], body(t, "idle")))
                t.accepted(idle[-1].receive())
        t.keeps({"userId": t.id("idle")}, times=used + 20)
    finally:
        close_all(t, idle)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@case("half-sent bodies of 400 MB are held up to a ceiling; the rest is told to come again")
def _(t):
    content = json.dumps({"batch": [{"type": "track", "userId": t.id("never"), "event": "E",
                                     "properties": {"fill": "x" * 500_000}}]}).encode()
    head = request("POST", "/v1/batch", [basic(KEY), ("Content-Length", str(len(content)))])
    crowd, told = [], 0
    try:
        with Memory(t, BODIES_MB + 150, "800 half-sent bodies of 500 KB"):
            for _ in range(800):
                connection = Connection(t.port, 0.01)
                connection.try_send(head + content[:-1])
                crowd.append(connection)
            others = t.post("/v1/track", {"userId": t.id("small"), "event": "E"})
            t.check(others.status in (200, 503), f"a small request beside them: {others}")
            for connection in crowd:
                connection.try_send(content[-1:])
                connection.socket.settimeout(REQUEST_TIMEOUT_S + 5)
            answers = [connection.receive() for connection in crowd]
        told = sum(answer.status == 503 for answer in answers)
        for answer in answers:
            # 200: it costs only itself. 408: on a busy machine we were slower than the request may be.
            t.check(answer is CLOSED or answer.status in (200, 408, 503), f"{answer}")
            if answer.status == 503:
                t.check((answer.header("Retry-After") or "").isdigit(), "503 without Retry-After")
        t.note(f"{told} of 800 were told 503 with Retry-After")
    finally:
        close_all(t, crowd)
    others_are_well(t)
    t.keeps_none(t.id("never"))


@case("a flood from 1,000 connections at full speed: memory is bounded, and others are served")
def _(t):
    command = [str(load_program()), "--port", str(t.port), "--key", KEY, "--connections", "1000", "--seconds", "4",
               "--warmup", "0", "--json"]
    with Memory(t, 300, "the flood"):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as flood:
            waits = []
            while flood.poll() is None:
                begin = time.monotonic()
                t.track("beside")
                waits.append(time.monotonic() - begin)
            result = json.loads(flood.stdout.read())
    waits.sort()
    t.note(f"{result['requests']} requests, {result['refused']} refused; an honest client waited "
           f"{1000 * waits[len(waits) // 2]:.0f} ms, at most {1000 * waits[-1]:.0f}")
    t.check(result["broken"] == 0 and result["refused"] == 0, f"the flood itself: {result}")
    t.check(waits[-1] < 5, f"an honest client waited {waits[-1]:.1f} s")
    t.keeps({"userId": t.id("beside")}, times=len(waits))


@case("clients that ask and never read their answers are held to what the kernel buffers, and let go")
def _(t):
    ask = request("GET", f"/v1/projects/{KEY}/settings") * 200
    crowd = []
    try:
        with Memory(t, 60, "100 that do not read"):
            for _ in range(100):
                connection = Connection(t.port, 1)
                connection.socket.setblocking(False)
                try:
                    for _ in range(20):
                        connection.socket.send(ask)
                except BlockingIOError:
                    pass                            # the server does not read on while its answers wait
                except ConnectionError:
                    pass
                crowd.append(connection)
            others_are_well(t)
    finally:
        close_all(t, crowd)
