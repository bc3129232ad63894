"""Clients that mean harm, or are broken. Each must be told or dropped, and nobody else may notice."""
import gzip
import json
import os
import time

from onym import wait_until
from suite import KEY, REQUEST_TIMEOUT_S, basic, case
from wire import CLOSED, SILENT, Connection, request

MB = 1024 * 1024


def body(t, name):
    return json.dumps({"userId": t.id(name), "event": "E"}).encode()


def others_are_well(t):
    """A good client is served while all that goes on, in good time."""
    begin = time.monotonic()
    t.track("well")
    t.check(time.monotonic() - begin < 2, f"an honest client waited {time.monotonic() - begin:.1f} s")
    t.keeps({"userId": t.id("well")})


@case("headers that come a byte a second do not hold their place for ever")
def _(t):
    with t.connect(0.5) as connection:
        begin = time.monotonic()
        ended = False
        for byte in b"POST /v1/track HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 20:
            connection.try_send(bytes([byte]))
            if connection.is_closed(within_s=0.3):
                ended = True
                break
        waited = time.monotonic() - begin
        t.check(ended and waited < REQUEST_TIMEOUT_S + 4, f"still open after {waited:.1f} s")
    others_are_well(t)


@case("a body that never comes is given up; its event is not kept")
def _(t):
    content = body(t, "half")
    with t.connect(REQUEST_TIMEOUT_S + 6) as connection:
        connection.send(request("POST", "/v1/track", [basic(KEY), ("Content-Length", str(len(content)))]) + content[:-1])
        answer = connection.receive()
        t.check(answer is CLOSED or answer.status in (400, 408), f"{answer}")
    t.keeps_none(t.id("half"))


@case("a client that leaves in the middle of its body leaves nothing behind")
def _(t):
    content = body(t, "left")
    for cut in (0, 1, len(content) // 2, len(content) - 1):
        with t.connect() as connection:
            connection.send(request("POST", "/v1/track", [basic(KEY), ("Content-Length", str(len(content)))]) + content[:cut])
    with t.connect() as connection:
        connection.send(request("POST", "/v1/track", [basic(KEY), ("Transfer-Encoding", "chunked")]) + b"5\r\n{\"use")
    others_are_well(t)
    t.keeps_none(t.id("left"))


@case("a client that leaves before its answer is no trouble")
def _(t):
    for n in range(200):
        with t.connect() as connection:
            connection.send(request("POST", "/v1/track", [basic(KEY)], body(t, f"gone{n}")))
    others_are_well(t)


@case("a client that never reads its answers is not waited for")
def _(t):
    with t.connect(1) as connection:
        flood = request("GET", "/metrics") * 2000
        connection.socket.settimeout(1)
        try:
            for _ in range(50):
                connection.socket.sendall(flood)
        except OSError:
            pass
        others_are_well(t)


SMUGGLED = {
    "two lengths that differ": [("Content-Length", "5"), ("Content-Length", "6")],
    "a length and chunks": [("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
    "a negative length": [("Content-Length", "-1")],
    "a length with a plus sign": [("Content-Length", "+5")],
    "a length that is no number": [("Content-Length", "five")],
    "a length in hexadecimal": [("Content-Length", "0x5")],
    "an unknown transfer coding": [("Transfer-Encoding", "gzip, chunked")],
    "chunked spelt with a tab": [("Transfer-Encoding", "\tchunked x")],
}


def smuggling_case(name, headers):
    @case(f"framing that two servers could read differently is not answered 200: {name}")
    def _(t):
        content = b"0\r\n\r\n" + request("POST", "/v1/track", [basic(KEY)], body(t, "smuggled"))
        with t.connect(REQUEST_TIMEOUT_S + 5) as connection:
            connection.try_send(request("POST", "/v1/track", [basic(KEY)] + headers) + content)
            answer = connection.receive()
            t.check(answer is CLOSED or answer.status in (400, 411, 413, 415, 501), f"{answer}")
            t.check(connection.is_closed(REQUEST_TIMEOUT_S + 3), "the connection lives on, out of step")
        t.keeps_none(t.id("smuggled"))


for name, headers in SMUGGLED.items():
    smuggling_case(name, headers)


LENIENT = {
    "a blank before a colon": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n",
    "a tab before a colon": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length\t: 5\r\n",
    "chunked, then identity": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                              b"Transfer-Encoding: identity\r\n",
    "identity": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n",
    "chunks in HTTP/1.0": b"POST /v1/track HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n",
    "two equal lengths": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n",
    "a list of lengths": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n",
    "a bare LF in the head": b"POST /v1/track HTTP/1.1\nHost: x\r\n",
    "a bare CR in a header": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nX: a\rContent-Length: 5\r\n",
    "a NUL in a header": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n",
    "a NUL in a name": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length\0: 5\r\n",
    "a NUL in the target": b"POST /v1/track\0 HTTP/1.1\r\nHost: x\r\n",
    "a folded header": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nX: a\r\n Content-Length: 5\r\n",
    "no Host": b"POST /v1/track HTTP/1.1\r\n",
    "two Hosts": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nHost: y\r\n",
    "two equal Hosts": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nHost: x\r\n",
    "two equal keys": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n",      # beside that of all cases
    "two origins": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nOrigin: https://a.example\r\norigin: https://b.example\r\n",
    "a Host that is none": b"POST /v1/track HTTP/1.1\r\nHost: x/../y\r\n",
    "another host in the target": b"POST http://y/v1/track HTTP/1.1\r\nHost: x\r\n",
    "no version": b"POST /v1/track\r\nHost: x\r\n",
    "a version that is none": b"POST /v1/track HTTP/1.1x\r\nHost: x\r\n",
    "a method that is none": b"P@ST /v1/track HTTP/1.1\r\nHost: x\r\n",
    "two blanks": b"POST  /v1/track HTTP/1.1\r\nHost: x\r\n",
}
BAD_CHUNKS = {
    "a bare LF behind a size": b"%x\n%s\r\n0\r\n\r\n", "a bare LF behind a chunk": b"%x\r\n%s\n0\r\n\r\n",
    "a bare LF at the end": b"%x\r\n%s\r\n0\n\n", "a blank behind a size": b"%x \r\n%s\r\n0\r\n\r\n",
    "a sign": b"+%x\r\n%s\r\n0\r\n\r\n", "0x": b"0x%x\r\n%s\r\n0\r\n\r\n", "a byte too many": b"%x\r\n%s!\r\n0\r\n\r\n",
    "a LF in an extension": b"%x;a\nb\r\n%s\r\n0\r\n\r\n", "a trailer without colon": b"%x\r\n%s\r\n0\r\nT\r\n\r\n",
}


@case("lenient framing gets one 400, and the connection ends: nothing behind it is a request")
def _(t):
    behind = request("POST", "/v1/track", [basic(KEY)], body(t, "behind"))
    text = body(t, "in")
    key = ("%s: %s\r\n" % basic(KEY)).encode()
    cases = {name: head + key + b"\r\n" + b"0\r\n\r\n" for name, head in LENIENT.items()}
    head = request("POST", "/v1/track", [basic(KEY), ("Transfer-Encoding", "chunked")])
    cases.update({name: head + chunks % (len(text), text) for name, chunks in BAD_CHUNKS.items()})
    for name, content in cases.items():
        for is_bytewise in (False, True):
            with t.connect(REQUEST_TIMEOUT_S + 5) as connection:
                connection.send(request("POST", "/v1/m", [], b"{}"))
                t.accepted(connection.receive())         # a good one before it is answered
                if is_bytewise:
                    for byte in content:
                        connection.try_send(bytes([byte]))
                connection.try_send(b"" if is_bytewise else content + behind)
                answer = connection.receive()
                t.check(answer.status in (400, 505), f"{name}: {answer}")
                t.check((answer.header("Connection") or "").lower() == "close", f"{name}: does not say that it closes")
                rest = b""
                try:
                    while more := connection.socket.recv(65536):
                        rest += more
                except OSError:
                    pass
                t.check(b"HTTP/" not in connection.rest + rest, f"{name}: a second answer: {rest[:100]}")
    t.keeps_none(t.id("behind"))
    t.keeps_none(t.id("in"))
    others_are_well(t)


@case("trailers and chunk extensions are read and forgotten; an empty line before a request is nothing")
def _(t):
    text = body(t, "u")
    head = request("POST", "/v1/track", [basic(KEY), ("Transfer-Encoding", "chunked")])
    with t.connect() as connection:
        connection.send(head + b"%x;name=\"value\"\r\n%s\r\n0;x\r\nX-Checksum: 1\r\nAuthorization: no\r\n\r\n\r\n" % (len(text), text))
        t.accepted(connection.receive())
        connection.send(request("POST", "/v1/track", [basic(KEY)], text))
        t.accepted(connection.receive())
    t.keeps({"userId": t.id("u")}, times=2)


@case("a request is measured from its first byte: a connection that was idle has all its time, a slow one is told 408")
def _(t):
    content = body(t, "late")
    with t.connect() as connection:
        connection.send(request("POST", "/v1/track", [basic(KEY)], content))
        t.accepted(connection.receive())
        time.sleep(REQUEST_TIMEOUT_S + 1)                # idle for longer than a request may take
        connection.send(request("POST", "/v1/track", [basic(KEY), ("Content-Length", str(len(content)))]))
        time.sleep(REQUEST_TIMEOUT_S - 1.5)
        connection.send(content)
        t.accepted(connection.receive())
    with t.connect() as connection:                      # nothing sent yet is idle, too
        time.sleep(REQUEST_TIMEOUT_S + 1.5)
        connection.send(request("POST", "/v1/track", [basic(KEY)], content))
        t.accepted(connection.receive())
    t.keeps({"userId": t.id("late")}, times=3)
    for start in (b"PO", request("POST", "/v1/track", [basic(KEY), ("Content-Length", "100")]),
                  request("POST", "/v1/track", [basic(KEY), ("Transfer-Encoding", "chunked")]) + b"5\r\n{"):
        with t.connect(REQUEST_TIMEOUT_S + 5) as connection:
            begin = time.monotonic()
            connection.send(start)
            answer = connection.receive()
            waited = time.monotonic() - begin
            t.check(answer.status == 408 and REQUEST_TIMEOUT_S - 0.5 < waited < REQUEST_TIMEOUT_S + 2, f"{waited:.1f} s: {answer}")
            t.check(connection.is_closed(), "the connection lives on")


@case("chunks that are none are refused")
def _(t):
    for content in (b"zz\r\n", b"-5\r\nhello\r\n", b"FFFFFFFFFFFFFFFFF\r\nx", b"5\r\nhelloX\r\n0\r\n\r\n", b"5;" + b"x" * 100_000):
        with t.connect(REQUEST_TIMEOUT_S + 5) as connection:
            connection.try_send(request("POST", "/v1/track", [basic(KEY), ("Transfer-Encoding", "chunked")]) + content)
            answer = connection.receive()
            t.check(answer is CLOSED or answer.status >= 400, f"{content[:20]!r}: {answer}")
    others_are_well(t)


@case("what is not HTTP is dropped or told: TLS, SSH, a proxy's CONNECT, zeros, random bytes")
def _(t):
    tls_hello = bytes.fromhex("16030100a5010000a10303") + bytes(154)
    for content in (tls_hello, b"SSH-2.0-OpenSSH_9\r\n", b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", bytes(1000),
                    os.urandom(5000), b"GET\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 100,
                    b"POST /v1/track HTTP/1.1\r\nNo colon here\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                    b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
                    b"GET / HTTP/1.1\r\nX: a\x00b\r\n\r\n", b"GET / HTTP/1.1\r\n folded: x\r\n\r\n"):
        with t.connect(REQUEST_TIMEOUT_S + 5) as connection:
            connection.try_send(content)
            answer = connection.receive()
            t.check(answer is not SILENT, f"{content[:30]!r}: neither answer nor end")
    others_are_well(t)


@case("paths lead nowhere but to the table: dots, doubled slashes, percent signs, zeros")
def _(t):
    for path in ("/../../etc/passwd", "/v1/../v1/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
                 "/analytics.js/v1/../../../etc/passwd/analytics.min.js", "/v1/projects/../../settings",
                 "/v1//track", "/v1/track%00", "/v1/track/../batch", "/v1/%74rack", "/\\..\\..\\x", "*", "/?", "/v1/track;x=1"):
        answer = t.ask("GET", path)
        t.check(answer is CLOSED or answer.status in (200, 400, 404, 405), f"{path}: {answer}")
        t.check(b"root:" not in answer.body, f"{path}: a file of the machine")


@case("thousands of query parameters and cookies are answered or refused, and harm nobody")
def _(t):
    for count in (500, 1000, 4000):
        t.ask("GET", "/v1/pixel/track?" + "x=1&" * count)
        t.ask("GET", "/healthz", [("Cookie", "; ".join(f"c{n}=1" for n in range(count)))])
    others_are_well(t)


@case("gzip bombs are refused at the limit, whatever they would become")
def _(t):
    layers = gzip.compress(bytes(50 * MB), 9)
    prefix = gzip.compress(b'{"batch":[' + b" " * (30 * MB))
    many = gzip.compress(b" " * 1000) * 5000
    before = t.server.rss_bytes()
    for content in (layers, prefix, many):
        begin = time.monotonic()
        for _ in range(5):
            t.refused(t.ask("POST", "/v1/batch", [basic(KEY), ("Content-Encoding", "gzip")], content[:500_000]), 400)
        t.check(time.monotonic() - begin < 5, f"{time.monotonic() - begin:.1f} s for five bombs")
    grown = (t.server.rss_bytes() - before) / MB
    t.check(grown < 64, f"memory grew by {grown:.0f} MB")
    others_are_well(t)


@case("2,000 idle connections cost little and harm nobody")
def _(t):
    before = t.server.rss_bytes()
    idle = []
    try:
        for _ in range(2000):
            idle.append(Connection(t.port))
        others_are_well(t)
        for connection in idle[::100]:             # and each of them is still good
            connection.send(request("POST", "/v1/track", [basic(KEY)], body(t, "idle")))
            t.accepted(connection.receive())
        t.keeps({"userId": t.id("idle")}, times=len(idle[::100]))
        each = (t.server.rss_bytes() - before) / len(idle) / 1024
        t.check(each < 8, f"{each:.1f} KiB an idle connection")
    finally:
        for connection in idle:
            connection.close()
    wait_given_back(t)


@case("1,000 connections that were used and wait cost little")
def _(t):
    before = t.server.rss_bytes()
    waiting = []
    try:
        for _ in range(1000):       # used at once: who has sent nothing yet is given up after the request timeout
            waiting.append(Connection(t.port))
            waiting[-1].send(request("POST", "/v1/track", [basic(KEY)], body(t, "used")))
            t.accepted(waiting[-1].receive())
        each = (t.server.rss_bytes() - before) / len(waiting) / 1024
        t.check(each < 40, f"{each:.1f} KiB a connection that waits for its next request")
    finally:
        for connection in waiting:
            connection.close()
    wait_given_back(t)
    t.keeps({"userId": t.id("used")}, times=1000)


def wait_given_back(t):
    descriptors = f"/proc/{t.server.process.pid}/fd"
    wait_until(lambda: len(os.listdir(descriptors)) < 500, 20, "the connections' descriptors to be given back")


@case("500 slow senders at once are all given up, and meanwhile others are served")
def _(t):
    slow = [Connection(t.port, 1) for _ in range(500)]
    try:
        for connection in slow:
            connection.send(request("POST", "/v1/track", [basic(KEY), ("Content-Length", "100")])[:-10])
        others_are_well(t)
        end = time.monotonic() + REQUEST_TIMEOUT_S + 8
        still = sum(not c.is_closed(max(0.01, end - time.monotonic())) for c in slow)
        t.check(still == 0, f"{still} of 500 are still open {REQUEST_TIMEOUT_S + 8} s later")
    finally:
        for connection in slow:
            connection.close()


@case("many full batches at once leave memory flat")
def _(t):
    items = [{"type": "track", "userId": t.id("flood"), "event": "E", "properties": {"fill": "x" * 450}} for _ in range(900)]
    content = json.dumps({"batch": items}).encode()
    t.check(len(content) < 520 * 1024, "the test itself")
    t.accepted(t.post("/v1/batch", content))
    before = t.server.rss_bytes()
    for _ in range(6):
        clients = [Connection(t.port) for _ in range(16)]
        for connection in clients:
            connection.send(request("POST", "/v1/batch", [basic(KEY)], content))
        for connection in clients:
            t.accepted(connection.receive())
            connection.close()
    grown = (t.server.rss_bytes() - before) / MB
    t.check(grown < 200, f"memory grew by {grown:.0f} MB")
