"""Protocol 1.1: every method and path."""
import json

from suite import KEY, OWN_KEY, basic, case

FIELDS = {
    "identify": {"userId": "{id}", "traits": {"a": 1}},
    "track": {"userId": "{id}", "event": "E"},
    "page": {"userId": "{id}", "name": "N"},
    "screen": {"userId": "{id}", "name": "N"},
    "group": {"userId": "{id}", "groupId": "g"},
    "alias": {"userId": "{id}", "previousId": "p"},
}


def message(t, word, name):
    return {k: t.id(name) if v == "{id}" else v for k, v in FIELDS[word].items()}


def route_case(word, path):
    @case(f"POST {path} is {word}")
    def _(t):
        t.accepted(t.post(path, message(t, word, "u")))
        t.keeps({"type": word, **message(t, word, "u")})


for word in FIELDS:
    for path in (f"/v1/{word}", f"/v1/{word[0]}", f"/{word}", f"/{word[0]}", f"/v1/{word}/"):
        route_case(word, path)


def batch_case(path):
    @case(f"POST {path} takes a batch of all types")
    def _(t):
        items = [{"type": word, **message(t, word, word)} for word in FIELDS]
        t.accepted(t.post(path, {"batch": items, "sentAt": "2026-11-23T10:00:00.000Z"}))
        for item in items:
            t.keeps(item)


for path in ("/v1/batch", "/v1/b", "/v1/import", "/v1/batch/", "/v1/b/", "/v1/import/", "/batch", "/b", "/import"):
    batch_case(path)


@case("RudderStack's browser SDKs find a source without destinations, by key in header or query")
def _(t):
    for path, headers in ((f"/sourceConfig/?p=npm&v=3.34.1&build=modern&writeKey={KEY}", [("Origin", "https://shop.example")]),
                          ("/sourceConfig?writeKey=wk_nobody", [basic(KEY)]), ("/v1/sourceConfig", [basic(KEY)])):
        answer = t.ask("GET", path, headers)
        t.check(answer.status == 200, f"{path}: {answer}")
        source = answer.json.get("source", {})
        t.check(source.get("enabled") is True and source.get("writeKey") == KEY and source.get("id") == "web"
                and source.get("destinations") == [] and isinstance(source.get("config"), dict), f"{path}: {answer}")
        if headers[0][0] == "Origin":
            t.check(answer.header("Access-Control-Allow-Origin") == "https://shop.example", f"CORS: {answer}")
    t.check(t.ask("GET", "/sourceConfig?writeKey=wk_nobody").status == 404, "an unknown key")
    t.check(t.ask("GET", "/sourceConfig").status == 404, "no key")
    t.accepted(t.post("/rsaMetrics", {"version": "1"}))


@case("RudderStack's beacon and pixel")
def _(t):
    t.accepted(t.ask("POST", f"/beacon/v1/batch?writeKey={KEY}", [],
                     json.dumps({"batch": [{"type": "track", "anonymousId": t.id("beacon"), "event": "E"}]}).encode()))
    t.keeps({"anonymousId": t.id("beacon")})
    answer = t.ask("GET", f"/pixel/v1/track?writeKey={KEY}&anonymousId={t.id('pixel')}&event=E")
    t.check(answer.header("Content-Type") == "image/gif", f"{answer}")
    t.keeps({"anonymousId": t.id("pixel")})


@case("an identify that has its traits in the context alone has them as traits")
def _(t):
    traits = {"email": "kim@example.com", "address": {"city": "Ulm"}}
    t.batch({"type": "identify", "userId": t.id("u"), "context": {"traits": traits}},
            {"type": "identify", "userId": t.id("both"), "traits": {"own": 1}, "context": {"traits": traits}})
    t.keeps({"userId": t.id("u"), "traits": traits, "context": {"traits": traits}})
    t.keeps({"userId": t.id("both"), "traits": {"own": 1}})


@case("slashes that are doubled or too many at the end are one")
def _(t):
    for n, path in enumerate(("//v1/track", "/v1//track", "/v1/track//", "///v1///track///", "//track", "/v1//t/?x=//")):
        t.accepted(t.post(path, {"userId": t.id(f"u{n}"), "event": "E"}))
        t.keeps({"userId": t.id(f"u{n}")})
    answer = t.ask("GET", f"//v1//pixel//track?writeKey={KEY}&userId={t.id('pixel')}&event=E")
    t.check(answer.header("Content-Type") == "image/gif", f"{answer}")
    t.keeps({"userId": t.id("pixel")})
    t.check(t.ask("GET", f"//v1/projects/{KEY}/settings/").status == 200, "settings")
    t.check(t.ask("GET", "//healthz/").status == 200, "healthz")
    t.check(t.ask("GET", "//api/v1/suppressions").status == 401, "the API is behind its key by every spelling")


@case("a query string after a path changes nothing")
def _(t):
    t.accepted(t.post("/v1/track?utm=1&x", {"userId": t.id("u"), "event": "E"}))
    t.keeps({"userId": t.id("u")})


@case("an absolute request target works as RFC 9112 demands")
def _(t):
    t.accepted(t.ask("POST", "http://localhost/v1/track", [basic(KEY)], b'{"userId":"%s","event":"E"}' % t.id("u").encode()))
    t.keeps({"userId": t.id("u")})


@case("POST /v1/m takes the library's own counters without a key and keeps nothing")
def _(t):
    body = b'{"series":[{"type":"Counter","metric":"%s","value":1,"tags":{}}]}' % t.id("m").encode()
    t.accepted(t.ask("POST", "/v1/m", [("Content-Type", "text/plain")], body))
    t.keeps_none(t.id("m"))


@case("a path that is not there is 404 with a JSON error")
def _(t):
    for path in ("/nothing", "/v1", "/v1/nothing", "/v2/track", "/V1/TRACK", "/v1/trackk", "/v1/projects/settings"):
        answer = t.ask("GET", path)
        t.check(answer.status == 404, f"GET {path}: {answer}")
        t.check(isinstance(answer.json, dict), f"GET {path}: {answer}")


@case("a method that a path does not have is 405 or 404, never a crash or 200")
def _(t):
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "GETT"):
        answer = t.ask(method, "/v1/batch", [basic(KEY)], b'{"batch":[]}')
        t.check(answer.status in (400, 404, 405, 501), f"{method}: {answer}")


@case("GET /v1/batch is refused and keeps nothing")
def _(t):
    answer = t.ask("GET", "/v1/batch?userId=" + t.id("u"))
    t.check(answer.status in (404, 405), f"{answer}")
    t.keeps_none(t.id("u"))


@case("HEAD answers as GET does, without the body")
def _(t):
    for path in ("/healthz", f"/v1/projects/{KEY}/settings"):
        head, get = t.ask("HEAD", path), t.ask("GET", path)
        t.check(head.status == get.status == 200, f"{path}: HEAD {head}, GET {get}")
        t.check(head.header("Content-Type") == get.header("Content-Type"), f"{path}: Content-Type differs")


@case("the four houses of an operator answer: /healthz, /readyz, /metrics, /")
def _(t):
    t.check(t.ask("GET", "/healthz").status == 200, "/healthz")
    t.check(t.ask("GET", "/readyz").status in (200, 503), "/readyz")
    metrics = t.ask("GET", "/metrics")
    t.check(metrics.status == 200 and metrics.header("Content-Type").startswith("text/plain"), f"/metrics: {metrics}")
    for line in metrics.body.decode().splitlines():
        fields = line.rsplit(" ", 1)
        t.check(line.startswith("#") or (len(fields) == 2 and float(fields[1]) >= 0), f"/metrics: {line}")
    t.check(t.ask("GET", "/").status == 200, "/")


@case("the type in a body stands on its own route, and the route wins where they differ")
def _(t):
    t.accepted(t.post("/v1/track", {"type": "track", "userId": t.id("same"), "event": "E"}))
    t.keeps({"type": "track", "userId": t.id("same")})
    t.accepted(t.post("/v1/t", {"type": "page", "userId": t.id("other"), "event": "E"}))
    t.keeps({"userId": t.id("other")})


@case("a source's own path leads where everybody's does, and knows the source")
def _(t):
    for n, path in enumerate(("/m4p/b", "/m4p/batch", "//m4p//b/", "/m4p/b?x=1")):
        t.accepted(t.post(path, {"batch": [{"type": "track", "userId": t.id(f"b{n}"), "event": "E"}]}, headers={}, key=None))
        t.keeps({"userId": t.id(f"b{n}"), "projectId": "own"})
    for n, path in enumerate(("/m4p/track", "/m4p/t")):
        t.accepted(t.post(path, {"userId": t.id(f"t{n}"), "event": "E"}, headers={}, key=None))
        t.keeps({"userId": t.id(f"t{n}"), "projectId": "own"})
    t.accepted(t.post("/m4p/track", {"userId": t.id("other"), "event": "E", "writeKey": KEY}, headers={}, key=None))
    answer = t.ask("GET", f"/m4p/pixel/track?userId={t.id('pixel')}&event=E")
    t.check(answer.header("Content-Type") == "image/gif", f"{answer}")
    t.keeps({"userId": t.id("pixel"), "projectId": "own"})
    everybodys = t.ask("GET", f"/analytics.js/v1/{OWN_KEY}/analytics.min.js")
    own = t.ask("GET", "/m4p.js")
    t.check(own.status == 200 and own.body == everybodys.body, "the library at /m4p.js")
    t.check(own.header("Cross-Origin-Resource-Policy") == "cross-origin", "it loads from isolated pages")
    everybodys = t.ask("GET", f"/analytics.js/v1/{OWN_KEY}/analytics.plus.min.js")
    own = t.ask("GET", "/m4p/p.js")
    t.check(own.status == 200 and own.body == everybodys.body, "the library with more at /m4p/p.js")
    more = t.ask("GET", f"/analytics.js/v1/{OWN_KEY}/more.min.js", [("Origin", "https://www.rdio.test")])
    t.check(more.status == 200 and more.header("Access-Control-Allow-Origin"), "the page imports it from another origin")
    t.check(more.body == t.ask("GET", "/m4p/m.js").body != own.body, "the second file at /m4p/m.js")
    t.check(t.ask("GET", "/m4p/s").status == 200, "settings")
    for path in ("/m4p", "/m4p/", "/m4q/b", "/m4p.jsx", "/M4P/b", "/m4p/nothing", "/m4p/api/v1/people", "/m4p/../api"):
        answer = t.ask("GET", path)
        t.check(answer.status in (404, 400), f"{path}: {answer.status}")
