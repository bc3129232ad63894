"""Protocol 1.1: every method and path."""
from suite import KEY, basic, case

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
