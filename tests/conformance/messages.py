"""Protocol 2: what a message may be, what is stamped on it, and what one bad one costs."""
import json

from suite import KEY, SERVER_KEY, basic, case

TYPES = ("identify", "track", "page", "screen", "group", "alias")


@case("one bad message of a batch costs only itself")
def _(t):
    good = [{"type": "track", "userId": t.id(f"good{n}"), "event": "E"} for n in range(4)]
    bad = [{"type": "track", "event": "E", "properties": {"mark": t.id("bad0")}},
           {"type": "track", "userId": t.id("bad1")},
           {"type": "nonsense", "userId": t.id("bad2")}, 17, "text", None, [], True, {}]
    mixed = [good[0], *bad[:3], good[1], *bad[3:], good[2], good[3]]
    t.accepted(t.post("/v1/batch", {"batch": mixed}))
    for message in good:
        t.keeps(message)
    for n in range(3):
        t.keeps_none(t.id(f"bad{n}"))


REJECTED = [
    ("neither userId nor anonymousId", "no_user_anon_id", {"type": "track", "event": "E"}),
    ("both ids null", "no_user_anon_id", {"type": "track", "event": "E", "userId": None, "anonymousId": None}),
    ("both ids empty", "no_user_anon_id", {"type": "identify", "userId": "", "anonymousId": ""}),
    ("a userId that is true", "id_not_string", {"type": "track", "event": "E", "userId": True}),
    ("a userId that is an object", "id_not_string", {"type": "track", "event": "E", "userId": {"a": 1}}),
    ("an anonymousId that is an array", "id_not_string", {"type": "track", "event": "E", "userId": "u", "anonymousId": ["x"]}),
    ("track without event", "event_not_defined", {"type": "track", "userId": "u"}),
    ("track with an empty event", ("event_not_defined", "event_not_string"), {"type": "track", "userId": "u", "event": ""}),
    ("track with event null", ("event_not_defined", "event_not_string"), {"type": "track", "userId": "u", "event": None}),
    ("an event that is a number", "event_not_string", {"type": "track", "userId": "u", "event": 5}),
    ("properties that are a string", "properties_not_object", {"type": "track", "userId": "u", "event": "E", "properties": "x"}),
    ("properties that are a full array", "properties_not_object", {"type": "page", "userId": "u", "properties": [1]}),
    ("traits that are a number", "traits_not_object", {"type": "identify", "userId": "u", "traits": 1}),
    ("group traits that are a string", "traits_not_object", {"type": "group", "userId": "u", "groupId": "g", "traits": "x"}),
    ("group without groupId", "id_required", {"type": "group", "userId": "u"}),
    ("group with an empty groupId", "id_required", {"type": "group", "userId": "u", "groupId": ""}),
    ("alias without previousId", "id_required", {"type": "alias", "userId": "u"}),
    ("a page name that is a number", "name_not_string", {"type": "page", "userId": "u", "name": 5}),
    ("a screen name that is an object", "name_not_string", {"type": "screen", "userId": "u", "name": {}}),
    ("a category that is an array", "category_not_string", {"type": "page", "userId": "u", "category": ["x"]}),
    ("no type in a batch", "type_not_known", {"userId": "u", "event": "E"}),
    ("an unknown type in a batch", "type_not_known", {"type": "Track", "userId": "u", "event": "E"}),
    ("a type that is a number", "type_not_known", {"type": 1, "userId": "u", "event": "E"}),
    ("a context that is a string", "context_not_object", {"type": "track", "userId": "u", "event": "E", "context": "x"}),
]


def rejected_case(name, reason, message):
    @case(f"rejected with its reason, and still 200: {name}")
    def _(t):
        marked = {**message, "mark": t.id("bad")}
        good = {"type": "track", "userId": t.id("good"), "event": "E"}
        t.accepted(t.post("/v1/batch", {"batch": [marked, good]}))
        if isinstance(message.get("type"), str) and message["type"] in TYPES:
            t.accepted(t.post(f"/v1/{message['type']}", marked))
        t.keeps(good)
        t.rejects(t.id("bad"), reason)


for row in REJECTED:
    rejected_case(*row)


@case("ids that are numbers become the strings that they are written as (Ruby, Python)")
def _(t):
    for n, (number, text) in enumerate((("7", "7"), ("0", "0"), ("-5", "-5"), ("9007199254740993", "9007199254740993"),
                                        ("12345678901234567890", "12345678901234567890"))):
        mark = t.id(f"u{n}").encode()
        t.accepted(t.post("/v1/track", b'{"userId":%s,"event":"E","mark":"%s"}' % (number.encode(), mark)))
        t.accepted(t.post("/v1/alias", b'{"userId":"u","previousId":%s,"mark":"%s"}' % (number.encode(), mark)))
        t.accepted(t.post("/v1/group", b'{"userId":"u","groupId":%s,"mark":"%s"}' % (number.encode(), mark)))
        t.accepted(t.post("/v1/page", b'{"anonymousId":%s,"mark":"%s"}' % (number.encode(), mark)))
        t.keeps({"type": "track", "userId": text, "mark": mark.decode()})
        t.keeps({"type": "alias", "previousId": text, "mark": mark.decode()})
        t.keeps({"type": "group", "groupId": text, "mark": mark.decode()})
        t.keeps({"type": "page", "anonymousId": text, "mark": mark.decode()})


@case("userId null beside an anonymousId is normal (browser)")
def _(t):
    t.accepted(t.post("/v1/t", {"userId": None, "anonymousId": t.id("a"), "event": "E"}))
    t.keeps({"anonymousId": t.id("a")})


@case("an empty array stands for an empty object (PHP)")
def _(t):
    t.batch({"type": "track", "userId": t.id("track"), "event": "E", "properties": [], "integrations": [], "context": []},
            {"type": "identify", "userId": t.id("identify"), "traits": []},
            {"type": "group", "userId": t.id("group"), "groupId": "g", "traits": []}, context=[], integrations=[])
    for name in ("track", "identify", "group"):
        t.keeps({"userId": t.id(name)})


@case("null where an object could be is nothing")
def _(t):
    t.batch({"type": "track", "userId": t.id("u"), "event": "E", "properties": None, "context": None, "integrations": None,
             "messageId": None, "timestamp": None, "sentAt": None})
    t.keeps({"userId": t.id("u"), "messageId": lambda v: bool(v)})


@case("page and screen without a name, or with an empty one (Ruby), are fine")
def _(t):
    t.batch({"type": "page", "userId": t.id("none")}, {"type": "page", "userId": t.id("empty"), "name": ""},
            {"type": "page", "userId": t.id("null"), "name": None, "category": None},
            {"type": "screen", "userId": t.id("screen"), "name": ""})
    for name in ("none", "empty", "null", "screen"):
        t.keeps({"userId": t.id(name)})


@case("fields that we do not know are kept as they came")
def _(t):
    fields = {"email": "a@b.c", "version": 2, "channel": "server", "_metadata": {"bundled": ["Segment.io"]}, "x": [1, {"y": None}],
              "sequence": 5, "": "empty name", "a.b": "dot"}
    t.track("u", **fields)
    t.keeps({"userId": t.id("u"), **fields})


@case("a missing messageId is made, one for each message; a given one is kept")
def _(t):
    items = [{"type": "track", "userId": t.id("made"), "event": f"E{n}"} for n in range(50)]
    t.batch(*items, {"type": "track", "userId": t.id("given"), "event": "E", "messageId": t.id("own id")})
    for item in items:
        t.keeps({**item, "messageId": lambda v: isinstance(v, str) and 10 < len(v) <= 100})
    t.keeps({"userId": t.id("given"), "messageId": t.id("own id")})
    t.keeps_raw(t.id("own id"), 1)


@case("the same messageId twice is kept once, in one request, in two, and in two at a time")
def _(t):
    one = {"type": "track", "userId": t.id("u"), "event": "E", "messageId": t.id("twice")}
    t.batch(one, one)
    t.batch(one)
    t.accepted(t.post("/v1/track", one))
    t.keeps({"messageId": t.id("twice")})
    t.keeps_raw(t.id("twice"), 4)


@case("messageIds are compared whole: they may share all but their last character")
def _(t):
    ids = [t.id("ajs-next-1700000000000-dff082d2-a1af-4786-a16e-bffd3c539e4" + c) for c in "0123456789abcdef"]
    t.batch(*[{"type": "track", "userId": t.id("u"), "event": "E", "messageId": i} for i in ids])
    for i in ids:
        t.keeps({"messageId": i})


@case("a messageId of 100 characters is kept whole")
def _(t):
    long = (t.id("m") + "-" * 100)[:100]
    t.batch({"type": "track", "userId": t.id("u"), "event": "E", "messageId": long})
    t.keeps({"messageId": long})


@case("a messageId that is a number or far too long loses nothing but itself")
def _(t):
    t.batch({"type": "track", "userId": t.id("number"), "event": "E", "messageId": 5},
            {"type": "track", "userId": t.id("long"), "event": "E", "messageId": "x" * 5000},
            {"type": "track", "userId": t.id("fine"), "event": "E"})
    t.keeps({"userId": t.id("fine")})


@case("receivedAt is one for a request")
def _(t):
    t.batch(*[{"type": "track", "userId": t.id(f"u{n}"), "event": "E"} for n in range(3)])
    seen = []

    def same(value):
        """one receivedAt for all"""
        seen.append(value)
        return value == seen[0] and value.endswith("Z")

    for n in range(3):
        t.keeps({"userId": t.id(f"u{n}"), "receivedAt": same})


@case("a batch's context and integrations stand under each item's own, which win (Go, Java, .NET)")
def _(t):
    t.batch({"type": "track", "userId": t.id("none"), "event": "E"},
            {"type": "track", "userId": t.id("some"), "event": "E", "context": {"locale": "de", "ip": "203.0.113.1"},
             "integrations": {"Mixpanel": False}},
            context={"library": {"name": "analytics-go", "version": "3.0.0"}, "locale": "en"},
            integrations={"all": True, "Mixpanel": True})
    library = {"name": "analytics-go", "version": "3.0.0"}
    t.keeps({"userId": t.id("none"), "context": {"library": library, "locale": "en"},
             "integrations": {"Mixpanel": True}})
    t.keeps({"userId": t.id("some"), "context": {"library": library, "locale": "de", "ip": "203.0.113.1"},
             "integrations": {"Mixpanel": False}})


@case("context.ip is filled from the connection for browsers, and a given one wins")
def _(t):
    t.track("filled")
    t.track("given", context={"ip": "0.0.0.0", "locale": "en"})
    t.track("kept", context={"locale": "fr"})
    t.keeps({"userId": t.id("filled"), "context": {"ip": "127.0.0.1"}})
    t.keeps({"userId": t.id("given"), "context": {"ip": "0.0.0.0", "locale": "en"}})
    t.keeps({"userId": t.id("kept"), "context": {"ip": "127.0.0.1", "locale": "fr"}})


@case("context.ip is not filled for a server's source, unless the message came direct")
def _(t):
    t.accepted(t.post("/v1/track", {"userId": t.id("server"), "event": "E"}, key=SERVER_KEY))
    t.accepted(t.post("/v1/track", {"userId": t.id("direct"), "event": "E", "context": {"direct": True}}, key=SERVER_KEY))
    t.keeps({"userId": t.id("server")})
    t.keeps({"userId": t.id("direct"), "context": {"direct": True, "ip": "127.0.0.1"}})
    t.keeps({"userId": t.id("server"), "context": {"ip": "127.0.0.1"}}, times=0)


@case("X-Forwarded-For of a stranger is not believed")
def _(t):
    t.accepted(t.post("/v1/track", {"userId": t.id("u"), "event": "E"}, [("X-Forwarded-For", "198.51.100.7")]))
    t.keeps({"userId": t.id("u"), "context": {"ip": "127.0.0.1"}})


@case("a message may hold what we stamp: a client's receivedAt and projectId do not stand")
def _(t):
    t.track("u", receivedAt="2001-01-01T00:00:00.000Z", projectId="forged")
    t.keeps({"userId": t.id("u"), "projectId": "web", "receivedAt": lambda v: v > "2020"})


@case("the browser's real body is kept field by field")
def _(t):
    body = {"timestamp": "2026-11-23T10:00:00.123Z", "integrations": {"Segment.io": True}, "type": "page",
            "properties": {"path": "/", "referrer": "", "search": "", "title": "T", "url": "http://x/"},
            "context": {"page": {"path": "/"}, "userAgent": "UA", "locale": "en-US", "campaign": {}, "timezone": "UTC",
                        "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
                        "userAgentData": {"brands": [{"brand": "Chromium", "version": "156"}], "mobile": False}},
            "messageId": t.id("ajs-next-1"), "anonymousId": t.id("a"), "writeKey": KEY, "userId": None,
            "sentAt": "2026-11-23T10:00:00.125Z", "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []}}
    t.accepted(t.ask("POST", "/v1/p", [("Content-Type", "text/plain"), basic(KEY)], json.dumps(body).encode()))
    wanted = {k: v for k, v in body.items() if k not in ("writeKey", "timestamp", "userId")}
    t.keeps({**wanted, "originalTimestamp": body["timestamp"]})
