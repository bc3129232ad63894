"""Protocol 1.3: the write key, by every way that a client has."""
import base64

from suite import DISABLED_KEY, KEY, SERVER_KEY, basic, case


def track(t, name, **more):
    return {"userId": t.id(name), "event": "E", **more}


@case("Basic: the key as user name, with an empty password, with one, and without the colon")
def _(t):
    for name, text in (("colon", f"{KEY}:"), ("password", f"{KEY}:secret"), ("bare", KEY)):
        header = ("Authorization", "Basic " + base64.b64encode(text.encode()).decode())
        t.accepted(t.post("/v1/track", track(t, name), [header]))
        t.keeps({"userId": t.id(name), "projectId": "web"})


@case("Basic is a word in any case, and its base64 may lack padding")
def _(t):
    encoded = base64.b64encode(f"{KEY}:".encode()).decode()
    t.accepted(t.post("/v1/track", track(t, "lower"), [("Authorization", f"basic {encoded}")]))
    t.accepted(t.post("/v1/track", track(t, "padding"), [("Authorization", f"Basic {encoded.rstrip('=')}")]))
    t.keeps({"userId": t.id("lower")})
    t.keeps({"userId": t.id("padding")})


@case("the key in a single message, and writeKey is not stored")
def _(t):
    t.accepted(t.post("/v1/track", track(t, "u", writeKey=KEY), key=None))
    t.keeps({"userId": t.id("u"), "projectId": "web"})
    t.keeps_none('"writeKey"')


@case("the key in the batch envelope (Python 2.3.4, Kotlin, Swift, C#)")
def _(t):
    t.accepted(t.post("/v1/b", {"writeKey": KEY, "batch": [{"type": "track", **track(t, "u")}]}, key=None))
    t.keeps({"userId": t.id("u"), "projectId": "web"})


@case("the key in the batch's items only (browser)")
def _(t):
    items = [{"type": "track", **track(t, f"u{n}", writeKey=KEY)} for n in range(3)]
    t.accepted(t.post("/v1/batch", {"batch": items}, key=None))
    for n in range(3):
        t.keeps({"userId": t.id(f"u{n}"), "projectId": "web"})


@case("the key by X-Write-Key")
def _(t):
    t.accepted(t.post("/v1/track", track(t, "u"), [("X-Write-Key", KEY)], key=None))
    t.keeps({"userId": t.id("u"), "projectId": "web"})


@case("a Bearer token with the key in the body (OAuth clients)")
def _(t):
    bearer = [("Authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln")]
    t.accepted(t.post("/v1/track", track(t, "single", writeKey=KEY), bearer))
    t.accepted(t.post("/v1/batch", {"writeKey": KEY, "batch": [{"type": "track", **track(t, "batch")}]}, bearer))
    t.keeps({"userId": t.id("single"), "projectId": "web"})
    t.keeps({"userId": t.id("batch"), "projectId": "web"})


@case("the key in the query, for beacons that carry no header")
def _(t):
    t.accepted(t.post(f"/v1/batch?writeKey={KEY}", {"batch": [{"type": "track", **track(t, "u")}]}, key=None))
    t.keeps({"userId": t.id("u"), "projectId": "web"})


@case("the key in the query may be percent-encoded, on every way")
def _(t):
    key = "".join(f"%{ord(c):02X}" for c in KEY)
    for n, path in enumerate(("/v1/batch", "/v1/track", "//v1/t", "/beacon/v1/batch")):
        t.accepted(t.post(f"{path}?x=1&writeKey={key}", {"type": "track", **track(t, f"u{n}")}, key=None))
    t.ask("GET", f"/v1/pixel/track?writeKey={key}&event=E&userId={t.id('u4')}")
    for n in range(5):
        t.keeps({"userId": t.id(f"u{n}"), "projectId": "web"})


@case("an unknown key is answered 200 and its events are kept apart, as project_not_found")
def _(t):
    t.accepted(t.post("/v1/track", track(t, "basic"), key="wk_nobody_knows_this_one"))
    t.accepted(t.post("/v1/batch", {"writeKey": "wk_nobody", "batch": [{"type": "track", **track(t, "body")}]}, key=None))
    t.rejects(t.id("basic"), "project_not_found")
    t.rejects(t.id("body"), "project_not_found")


@case("no key at all is a 400-class answer")
def _(t):
    t.refused(t.post("/v1/track", track(t, "none"), key=None), 400, 401)
    t.refused(t.post("/v1/track", track(t, "empty"), [("Authorization", "Basic Og==")]), 400, 401)
    t.refused(t.post("/v1/track", track(t, "null", writeKey=None), key=None), 400, 401)
    for name in ("none", "empty", "null"):
        t.keeps_none(t.id(name))


@case("an Authorization header that says nothing leaves it to the body")
def _(t):
    for n, text in enumerate(("Basic", "Basic ", "Basic ****", "Digest x", "")):
        t.accepted(t.post("/v1/track", track(t, f"u{n}", writeKey=KEY), [("Authorization", text)]))
        t.keeps({"userId": t.id(f"u{n}"), "projectId": "web"})


@case("a disabled source is answered 200 and its events are kept apart, as source_disabled")
def _(t):
    t.accepted(t.post("/v1/track", track(t, "u"), key=DISABLED_KEY))
    t.rejects(t.id("u"), "source_disabled")


@case("each key leads to its own source")
def _(t):
    t.accepted(t.post("/v1/track", track(t, "one"), key=KEY))
    t.accepted(t.post("/v1/track", track(t, "two"), key=SERVER_KEY))
    t.keeps({"userId": t.id("one"), "projectId": "web"})
    t.keeps({"userId": t.id("two"), "projectId": "backend"})


@case("keys of any shape are only bytes: long, with quotes, with zeros")
def _(t):
    for n, key in enumerate(("k" * 5000, 'a"b\\c', "Ω≈ç", "../../x", "a\x00b", "%00", "' OR 1=1")):
        answer = t.post("/v1/track", track(t, f"u{n}", writeKey=key), key=None)
        t.check(answer.status in (200, 400, 401), f"{key[:20]!r}: {answer}")
        t.keeps_none(t.id(f"u{n}"))


@case("the key is compared whole, never by its beginning")
def _(t):
    for n, key in enumerate((KEY[:-1], KEY + "x", KEY.upper(), " " + KEY)):
        t.accepted(t.post("/v1/track", track(t, f"u{n}", writeKey=key), key=None))
        t.keeps_none(t.id(f"u{n}"))
    t.check(basic(KEY)[1] != basic(KEY + "x")[1], "the test itself")
