"""Protocol 1.8: what is too much, and what is just not."""
import gzip
import json

from suite import KEY, LIMITED_KEY, basic, case
from wire import CLOSED, request


def sized(t, name, size, **more):
    """A track whose JSON is exactly so many bytes."""
    message = {"type": "track", "userId": t.id(name), "event": "E", "properties": {"fill": ""}, **more}
    message["properties"]["fill"] = "x" * (size - len(json.dumps(message)))
    assert len(json.dumps(message)) == size
    return message


@case("a message of 32 KB is taken, alone and in a batch")
def _(t):
    t.accepted(t.post("/v1/track", sized(t, "alone", 32 * 1024)))
    t.batch(sized(t, "batch", 32 * 1024), {"type": "track", "userId": t.id("beside"), "event": "E"})
    for name in ("alone", "batch", "beside"):
        t.keeps({"userId": t.id(name)})


@case("a message over the limit alone is 400 and names the limit")
def _(t):
    for size in (40_000, 100_000, 500_000):
        t.refused(t.post("/v1/track", sized(t, "big", size)), 400)
    t.keeps_none(t.id("big"))


@case("a message over the limit in a batch costs only itself")
def _(t):
    t.batch({"type": "track", "userId": t.id("before"), "event": "E"}, sized(t, "big", 60_000),
            {"type": "track", "userId": t.id("after"), "event": "E"})
    t.keeps({"userId": t.id("before")})
    t.keeps({"userId": t.id("after")})
    t.keeps_none(t.id("big"))


@case("a batch of 500 KB is taken whole; so is one of the 512,000 bytes that SDKs allow themselves")
def _(t):
    for name, size in (("k500", 500_000), ("k512", 512_000)):
        count = 20
        items = [sized(t, f"{name}-{n}", (size - 200) // count - 3) for n in range(count)]
        body = json.dumps({"batch": items, "sentAt": "2026-11-23T10:00:00.000Z"}).encode()
        t.check(size - 2000 < len(body) <= size, f"the test itself: {len(body)}")
        t.accepted(t.post("/v1/batch", body))
        t.keeps({"type": "track", "event": "E", "userId": lambda v, p=t.id(name): v.startswith(p)}, times=count)


@case("a request over the limit is 400 and names it, with the length known, chunked, and inflated")
def _(t):
    body = json.dumps({"batch": [sized(t, f"big{n}", 30_000) for n in range(40)]}).encode()
    t.refused(t.post("/v1/batch", body), 400)
    t.refused(t.ask("POST", "/v1/batch", [basic(KEY), ("Content-Encoding", "gzip")], gzip.compress(body)), 400)
    with t.connect() as connection:
        connection.try_send(request("POST", "/v1/batch", [basic(KEY), ("Transfer-Encoding", "chunked")]))
        for at in range(0, len(body), 16_384):
            part = body[at:at + 16_384]
            connection.try_send(b"%x\r\n%s\r\n" % (len(part), part))
        connection.try_send(b"0\r\n\r\n")
        t.refused(connection.receive(), 400)
    t.keeps_none(t.id("big"))


@case("a length that is announced as absurd is refused at once, without reading it")
def _(t):
    for length in ("1073741824", "9223372036854775807", "18446744073709551616", "99999999999999999999999"):
        with t.connect(8) as connection:
            connection.send(request("POST", "/v1/batch", [basic(KEY), ("Content-Length", length)]))
            answer = connection.receive()
            t.check(answer is CLOSED or answer.status in (400, 413), f"{length}: {answer}")


@case("2,500 messages in a batch are taken")
def _(t):
    t.batch(*[{"type": "track", "userId": t.id("u"), "event": f"E{n}"} for n in range(2500)])
    t.keeps({"userId": t.id("u")}, times=2500)


@case("2,501 messages in a batch are refused whole, clearly")
def _(t):
    items = [{"type": "track", "userId": t.id("u"), "event": f"E{n}"} for n in range(2501)]
    answer = t.post("/v1/batch", {"batch": items})
    if answer.status == 200:                    # Segment answers 200 and drops; a 400 tells the truth
        t.accepted(answer)
    else:
        t.refused(answer, 400, says="2500")
    t.keeps_none(t.id("u"))


@case("many properties, long ids and long names cost only their message")
def _(t):
    beside = {"type": "track", "userId": t.id("beside"), "event": "E"}
    t.batch({"type": "track", "userId": t.id("many"), "event": "E", "properties": {f"p{n}": 1 for n in range(2000)}},
            {"type": "track", "userId": t.id("i" * 10_000), "event": "E"},
            {"type": "track", "userId": t.id("name"), "event": "n" * 10_000}, beside)
    t.keeps(beside)
    t.keeps({"userId": t.id("many"), "properties": {"p1999": 1}})


@case("nesting: thirty levels are taken, a hundred cost only their message, a million are 400")
def _(t):
    def nested(depth):
        return b'{"a":' * depth + b"1" + b"}" * depth
    body = (b'{"batch":[{"type":"track","userId":"%s","event":"E","properties":%s},'
            b'{"type":"track","userId":"%s","event":"E"},'
            b'{"type":"track","userId":"%s","event":"E","properties":%s}]}')
    names = [t.id(name).encode() for name in ("thirty", "beside", "hundred")]
    t.accepted(t.post("/v1/batch", body % (names[0], nested(30), names[1], names[2], nested(100))))
    t.keeps({"userId": t.id("thirty")})
    t.keeps({"userId": t.id("beside")})
    for text in (b"[" * 250_000, b'{"a":' * 100_000, b'{"batch":' + b"[" * 400_000 + b"]" * 100_000 + b"}",
                 b'{"userId":"u","event":"E","properties":' + nested(50_000) + b"}"):
        answer = t.post("/v1/batch", text)
        t.check(answer.status in (200, 400), f"{answer}")


@case("headers: eight kilobytes of cookies are taken, a megabyte is refused with a clear 4xx")
def _(t):
    body = json.dumps({"userId": t.id("u"), "event": "E"}).encode()
    t.accepted(t.ask("POST", "/v1/track", [basic(KEY), ("Cookie", "a=" + "b" * 8_000)], body))
    t.keeps({"userId": t.id("u")})
    for headers in ([("Cookie", "a=" + "b" * 1_000_000)], [(f"X-H{n}", "v" * 50) for n in range(5_000)]):
        answer = t.ask("POST", "/v1/track", [basic(KEY)] + headers, body)
        t.check(answer is CLOSED or answer.status in (400, 413, 431), f"{answer}")


@case("a URL of fifteen kilobytes carries its pixel, one of a megabyte is refused")
def _(t):
    query = f"writeKey={KEY}&userId={t.id('u')}&event=E&properties.x=" + "y" * 14_000
    t.check(t.ask("GET", "/v1/pixel/track?" + query).status == 200, "15 KB")
    t.keeps({"userId": t.id("u"), "properties": {"x": "y" * 14_000}})
    answer = t.ask("GET", "/v1/pixel/track?" + "y" * 1_000_000)
    t.check(answer is CLOSED or answer.status in (400, 414, 431), f"{answer}")


@case("each message of a batch counts against the rate of its own source")
def _(t):
    def event(name, key):
        return {"type": "track", "userId": t.id(name), "event": "E", "writeKey": key}
    answers = [t.post("/v1/batch", {"batch": [event("w", KEY)] + [event("l", LIMITED_KEY)] * 5}, key=None) for _ in range(30)]
    limited = [a for a in answers if a.status == 429]
    t.check(len(limited) >= 20, f"{[a.status for a in answers]}")
    t.check(all(a.header("Retry-After") for a in limited), "no Retry-After")
    t.keeps({"userId": t.id("w")}, times=30 - len(limited))


@case("over its rate a source is told 429 with Retry-After and X-RateLimit-Reset in seconds; others are not")
def _(t):
    answers = []
    for n in range(30):
        answers.append(t.post("/v1/track", {"userId": t.id(f"u{n}"), "event": "E"}, [("Origin", "https://a.example")], key=LIMITED_KEY))
        (t.keeps({"userId": t.id(f"u{n}")}) if answers[-1].status == 200 else t.keeps_none(t.id(f"u{n}") + '"'))
    limited = [a for a in answers if a.status != 200]
    t.check(len(limited) >= 20 and all(a.status == 429 for a in limited), f"{[a.status for a in answers]}")
    for answer in limited[:1]:
        t.refused(answer, 429)
        t.check(1 <= int(answer.header("Retry-After")) <= 300, f"Retry-After: {answer.header('Retry-After')}")
        t.check(0 < int(answer.header("X-RateLimit-Reset")) <= 300, f"X-RateLimit-Reset: {answer.header('X-RateLimit-Reset')}")
        t.check("retry-after" in (answer.header("Access-Control-Expose-Headers") or "").lower(), "not exposed to pages")
    t.track("other")
    t.keeps({"userId": t.id("other")})
