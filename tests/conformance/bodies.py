"""Protocol 1.4: how bodies are written, and what of it may be broken. (Not encodings.py: Python has a module of that
name, and imported it in place of this one.)"""
import gzip
import json
import os
import zlib

from suite import KEY, basic, case
from wire import chunked, request


def body(t, name, **more):
    return json.dumps({"userId": t.id(name), "event": "E", **more}).encode()


@case("the Content-Type means nothing: browsers send text/plain, C# sends none")
def _(t):
    types = ("text/plain", "text/plain;charset=UTF-8", "application/json", "application/json; charset=utf-8",
             "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "garbage", "")
    for n, text in enumerate(types):
        headers = [basic(KEY)] + ([("Content-Type", text)] if text else [])
        t.accepted(t.ask("POST", "/v1/track", headers, body(t, f"u{n}")))
        t.keeps({"userId": t.id(f"u{n}")})


@case("gzip bodies, in any spelling of the word")
def _(t):
    for n, word in enumerate(("gzip", "GZIP", "x-gzip")):
        answer = t.ask("POST", "/v1/track", [basic(KEY), ("Content-Encoding", word)], gzip.compress(body(t, f"u{n}")))
        if word == "x-gzip" and answer.status == 400:
            continue                       # RFC 9110 8.4.1.3 only recommends the alias
        t.accepted(answer)
        t.keeps({"userId": t.id(f"u{n}")})


@case("deflate bodies, as zlib and as the bare stream that some take the word for; neither is a bomb")
def _(t):
    def bare(content):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(content) + packer.flush()
    for name, pack in (("zlib", zlib.compress), ("bare", bare)):
        for word in ("deflate", "Deflate"):
            t.accepted(t.ask("POST", "/v1/track", [basic(KEY), ("Content-Encoding", word)], pack(body(t, name + word))))
            t.keeps({"userId": t.id(name + word)})
        for content in (pack(b" " * 50_000_000)[:500_000], pack(body(t, "cut"))[:-3], pack(body(t, "more")) + b"x"):
            t.refused(t.ask("POST", "/v1/track", [basic(KEY), ("Content-Encoding", "deflate")], content), 400)
    t.keeps_none(t.id("cut"))
    t.keeps_none(t.id("more"))


@case("identity is no encoding")
def _(t):
    t.accepted(t.ask("POST", "/v1/track", [basic(KEY), ("Content-Encoding", "identity")], body(t, "u")))
    t.keeps({"userId": t.id("u")})


@case("an encoding that is not known is refused clearly")
def _(t):
    for word in ("br", "zstd", "gzip, gzip"):
        for content in (zlib.compress(body(t, "u")), b"\xce\xb2\xcf" + os.urandom(50)):
            t.refused(t.ask("POST", "/v1/track", [basic(KEY), ("Content-Encoding", word)], content), 400, 415)
    t.keeps_none(t.id("u"))


@case("broken gzip is 400 and keeps nothing: not gzip, cut, a wrong checksum, garbage behind it")
def _(t):
    whole = gzip.compress(body(t, "u"))
    wrong = whole[:-8] + bytes(8)
    for content in (b"not gzip", whole[:-9], whole[:15], wrong, b"", whole[:10]):
        t.refused(t.ask("POST", "/v1/track", [basic(KEY), ("Content-Encoding", "gzip")], content), 400)
    t.keeps_none(t.id("u"))


@case("chunked bodies, plain and gzip (Kotlin, Android)")
def _(t):
    chunky = [basic(KEY), ("Transfer-Encoding", "chunked")]
    t.accepted(t.ask("POST", "/v1/track", chunky, chunked(body(t, "plain"))))
    t.accepted(t.ask("POST", "/v1/track", chunky, chunked(body(t, "bytewise"), 1)))
    t.accepted(t.ask("POST", "/v1/b", chunky + [("Content-Encoding", "gzip")],
                     chunked(gzip.compress(b'{"batch":[{"type":"track",' + body(t, "gzip")[1:] + b"]}"))))
    for name in ("plain", "bytewise", "gzip"):
        t.keeps({"userId": t.id(name)})


@case("a body that comes byte by byte is one body")
def _(t):
    content = body(t, "u")
    with t.connect() as connection:
        head = request("POST", "/v1/track", [basic(KEY), ("Content-Length", str(len(content)))])
        connection.send(head[:40]).send(head[40:])
        for at in range(len(content)):
            connection.send(content[at:at + 1])
        t.accepted(connection.receive())
    t.keeps({"userId": t.id("u")})


@case("Expect: 100-continue is answered before the body is sent")
def _(t):
    content = body(t, "u")
    with t.connect(5) as connection:
        connection.send(request("POST", "/v1/track", [basic(KEY), ("Expect", "100-continue"),
                                                      ("Content-Length", str(len(content)))]))
        t.check(connection.line() == b"HTTP/1.1 100 Continue", "no 100 Continue")
        connection.line()
        connection.send(content)
        t.accepted(connection.receive())
    t.keeps({"userId": t.id("u")})


@case("HTTP/1.0 is answered and its connection closed")
def _(t):
    with t.connect() as connection:
        connection.send(request("POST", "/v1/track", [basic(KEY)], body(t, "u"), version="HTTP/1.0"))
        t.accepted(connection.receive())
        t.check(connection.is_closed(), "the connection stayed open")
    t.keeps({"userId": t.id("u")})


@case("keep-alive: many requests on one connection, and Connection: close ends it")
def _(t):
    with t.connect() as connection:
        for n in range(50):
            connection.send(request("POST", "/v1/track", [basic(KEY)], body(t, f"u{n}")))
            t.accepted(connection.receive())
            t.keeps({"userId": t.id(f"u{n}")})
        connection.send(request("POST", "/v1/track", [basic(KEY), ("Connection", "close")], body(t, "last")))
        t.accepted(connection.receive())
        t.check(connection.is_closed(), "the connection stayed open")
    t.keeps({"userId": t.id("last")})


@case("pipelined requests are answered each, in order")
def _(t):
    with t.connect() as connection:
        connection.send(b"".join(request("POST", "/v1/track", [basic(KEY)], body(t, f"u{n}")) for n in range(20))
                        + request("GET", "/nothing"))
        for n in range(20):
            t.accepted(connection.receive())
            t.keeps({"userId": t.id(f"u{n}")})
        t.check(connection.receive().status == 404, "the last answer is not the last request's")


JSON_THAT_IS_NONE = {
    "nothing": b"", "blanks": b"  \n ", "cut": b'{"userId":"u","event":"E"', "text": b"hello",
    "single quotes": b"{'a':1}", "a comment": b'{"a":1/*x*/}', "a comma too many": b'{"a":1,}',
    "no value": b'{"a":}', "two values": b'{"a":1}{"b":2}', "garbage behind": b'{"userId":"x","event":"E"} x',
    "a bare key": b"{a:1}", "an array": b"[]", "a string": b'"x"', "a number": b"17", "null": b"null", "true": b"true",
    "a control character in a string": b'{"userId":"a\nb","event":"E"}', "leading zeros": b'{"a":01}',
    "a bad escape": b'{"a":"\\x"}', "a bad unicode escape": b'{"a":"\\u12g4"}', "zeros": b"\x00\x00\x00\x00",
    "form fields": b"userId=1&event=E",
}


def broken_json_case(name, content):
    @case(f"a body that is no JSON object is 400: {name}")
    def _(t):
        for path in ("/v1/track", "/v1/batch"):
            t.refused(t.post(path, content), 400)
        with t.connect() as connection:         # the connection lives on, and so do the others' events
            connection.send(request("POST", "/v1/batch", [basic(KEY)], content))
            connection.receive()
            connection.send(request("POST", "/v1/track", [basic(KEY)], body(t, "after")))
            t.accepted(connection.receive())
        t.keeps({"userId": t.id("after")})


for name, content in JSON_THAT_IS_NONE.items():
    broken_json_case(name, content)


@case("gzip and JSON are known by how they begin, whatever the encoding is called; NaN in JSON becomes null")
def _(t):
    for word in ("br", "deflate", "identity", "x"):
        for name, content in (("gzip", gzip.compress(body(t, f"gzip-{word}"))), ("json", body(t, f"json-{word}"))):
            t.accepted(t.ask("POST", "/v1/track", [basic(KEY), ("Content-Encoding", word)], content))
            t.keeps({"userId": t.id(f"{name}-{word}")})
    t.accepted(t.post("/v1/track", b'{"userId":"%s","event":"E","properties":{"a":NaN}}' % t.id("nan").encode()))
    t.keeps({"userId": t.id("nan"), "properties": {"a": None}})


@case("a batch that is no array is refused; an empty one is 200 and keeps nothing")
def _(t):
    for text in (b'{"batch":{}}', b'{"batch":"x"}', b'{"batch":1}'):
        t.refused(t.post("/v1/batch", text), 400)
    t.accepted(t.post("/v1/batch", {"batch": []}))


@case("white space and a byte order mark around a body do no harm")
def _(t):
    t.accepted(t.post("/v1/track", b" \r\n\t" + body(t, "blanks") + b"\r\n "))
    t.keeps({"userId": t.id("blanks")})
    answer = t.post("/v1/track", b"\xef\xbb\xbf" + body(t, "bom"))
    t.check(answer.status in (200, 400), f"{answer}")
    if answer.status == 200:
        t.keeps({"userId": t.id("bom")})


@case("text comes back as it was: every escape, every plane, zeros, long strings")
def _(t):
    texts = ["\x00", "\u0001\u001f\x7f", "\"\\/\b\f\n\r\t", "äöü ß", "日本語", "🛒👩‍👩‍👧‍👦", "\u2028\u2029", "x" * 20000,
             "</script>", "\ufeff", "\U0010ffff", "'; DROP TABLE events; --", "%s%n", "${jndi:ldap://x}"]
    for n, text in enumerate(texts):
        t.accepted(t.post("/v1/track", {"userId": t.id(f"a{n}"), "event": "E", "properties": {"text": text, text[:50]: 1}}))
        t.accepted(t.post("/v1/track", json.dumps({"userId": t.id(f"u{n}"), "event": "E", "properties": {"text": text}},
                                                  ensure_ascii=False).encode()))
        t.keeps({"userId": t.id(f"a{n}"), "properties": {"text": text, text[:50]: 1}})
        t.keeps({"userId": t.id(f"u{n}"), "properties": {"text": text}})


@case("ids and event names may hold any text")
def _(t):
    for n, text in enumerate(('"quoted"', "back\\slash", "日本語", "🛒", "a\tb", "new\nline", " spaces ", "\u0000")):
        t.accepted(t.post("/v1/track", {"userId": t.id(f"{n}-{text}"), "event": f"E {text}"}))
        t.keeps({"userId": t.id(f"{n}-{text}"), "event": f"E {text}"})


@case("numbers come back as they were written")
def _(t):
    numbers = ["0", "-0", "1.0", "1e2", "1E+2", "0.1", "9007199254740993", "-9223372036854775809", "1e400", "1e-400",
               "123456789012345678901234567890", "3.141592653589793238462643383279"]
    t.accepted(t.post("/v1/track", b'{"userId":"%s","event":"E","properties":{"list":[%s]}}'
                      % (t.id("u").encode(), ",".join(numbers).encode())))
    wanted = json.loads(f"[{','.join(numbers)}]")
    t.keeps({"userId": t.id("u"), "properties": {"list": wanted}})


@case("a lone surrogate harms neither its batch nor the export")
def _(t):
    content = (b'{"batch":[{"type":"track","userId":"%s","event":"a \\ud800 b","properties":{"x":"\\udc00"}},'
               b'{"type":"track","userId":"%s","event":"fine"}]}' % (t.id("lone").encode(), t.id("fine").encode()))
    t.accepted(t.post("/v1/batch", content))
    t.keeps({"userId": t.id("fine"), "event": "fine"})


@case("bytes that are no UTF-8 harm neither the server nor the export")
def _(t):
    for n, bad in enumerate((b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xc0\x80")):
        content = b'{"userId":"%s","event":"E","properties":{"x":"%s"}}' % (t.id(f"u{n}").encode(), bad)
        answer = t.post("/v1/track", content)
        t.check(answer.status in (200, 400), f"{bad!r}: {answer}")
        if answer.status == 200:
            t.keeps({"userId": t.id(f"u{n}")})
        else:
            t.refused(answer, 400)


@case("the same key twice in an object is no way round a rule")
def _(t):
    content = b'{"userId":"%s","userId":"%s","event":"E"}' % (t.id("first").encode(), t.id("second").encode())
    answer = t.post("/v1/track", content)
    t.check(answer.status in (200, 400), f"{answer}")
    if answer.status == 200:
        t.keeps({"userId": lambda value: value in (t.id("first"), t.id("second"))})
