"""Protocol 1.2, 1.5, 3.9: what only browsers need: CORS, settings, pixels, JSONP."""
import base64
import json

from suite import DISABLED_KEY, KEY, SECRET, SHOP_KEY, SHOP_ORIGIN, basic, case

ORIGIN = ("Origin", "https://www.example.com")
COLLECTING = [f"/v1/{word}" for word in ("identify", "track", "page", "screen", "group", "alias", "i", "t", "p", "s", "g",
                                          "a", "batch", "b", "import", "m")]


def words(text):
    return {word.strip().lower() for word in (text or "").split(",") if word.strip()}


def allows(answer, origin):
    return answer.header("Access-Control-Allow-Origin") in ("*", origin)


@case("every collecting path answers the preflight of analytics-next, retries included")
def _(t):
    for path in COLLECTING:
        answer = t.ask("OPTIONS", path, [ORIGIN, ("Access-Control-Request-Method", "POST"),
                                         ("Access-Control-Request-Headers", "authorization,x-retry-count")])
        t.check(answer.status in (200, 204), f"{path}: {answer}")
        t.check(allows(answer, ORIGIN[1]), f"{path}: Allow-Origin {answer.header('Access-Control-Allow-Origin')}")
        t.check("post" in words(answer.header("Access-Control-Allow-Methods")), f"{path}: Allow-Methods")
        headers = words(answer.header("Access-Control-Allow-Headers"))
        t.check({"authorization", "x-retry-count"} <= headers, f"{path}: Allow-Headers {headers}")
        t.check(int(answer.header("Access-Control-Max-Age") or 0) >= 3600, f"{path}: Max-Age: a preflight a path a page")


@case("a page's own headers are allowed: the preflight echoes what was asked")
def _(t):
    answer = t.ask("OPTIONS", "/v1/t", [ORIGIN, ("Access-Control-Request-Method", "POST"),
                                        ("Access-Control-Request-Headers", "content-type,x-write-key,x-my-own")])
    t.check({"content-type", "x-write-key", "x-my-own"} <= words(answer.header("Access-Control-Allow-Headers")),
            f"Allow-Headers: {answer.header('Access-Control-Allow-Headers')}")


@case("a preflight cannot smuggle headers into its answer")
def _(t):
    for text in ("x\r\n evil: 1", "a" * 20000, "x\x00y", '"<>'):
        with t.connect() as connection:
            connection.try_send(f"OPTIONS /v1/t HTTP/1.1\r\nHost: x\r\nOrigin: https://a\r\n"
                                f"Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: {text}\r\n\r\n"
                                .encode("latin-1"))
            answer = connection.receive()
            t.check("evil" not in {name.strip().lower() for name, _ in answer.headers}, f"{text[:20]!r}")


@case("answers to a page can be read by it: success, errors, 404, and Retry-After is exposed")
def _(t):
    good = t.post("/v1/t", {"userId": t.id("u"), "event": "E"}, [ORIGIN])
    bad = t.post("/v1/t", b"no json", [ORIGIN])
    no_key = t.post("/v1/t", {"userId": "u", "event": "E"}, [ORIGIN], key=None)
    t.accepted(good)
    for name, answer in (("success", good), ("400", bad), ("no key", no_key)):
        t.check(allows(answer, ORIGIN[1]), f"{name}: no Access-Control-Allow-Origin")
        exposed = words(answer.header("Access-Control-Expose-Headers"))
        t.check({"retry-after", "x-ratelimit-reset"} <= exposed, f"{name}: exposes {exposed}")
    t.keeps({"userId": t.id("u")})


@case("a credentialed page gets its own origin back, never a star, and caches are told")
def _(t):
    for method, more in (("OPTIONS", [("Access-Control-Request-Method", "POST"),
                                      ("Access-Control-Request-Headers", "authorization")]), ("POST", [basic(KEY)])):
        answer = t.ask(method, "/v1/t", [ORIGIN] + more, b'{"userId":"u","event":"E"}' if method == "POST" else None)
        if (answer.header("Access-Control-Allow-Credentials") or "") == "true":
            t.check(answer.header("Access-Control-Allow-Origin") == ORIGIN[1], f"{method}: a star with credentials")
        if answer.header("Access-Control-Allow-Origin") == ORIGIN[1]:
            t.check("origin" in words(answer.header("Vary")), f"{method}: the origin is echoed without Vary: Origin")


@case("Origin: null (a sandboxed page, a file) may send")
def _(t):
    answer = t.post("/v1/t", {"userId": t.id("u"), "event": "E"}, [("Origin", "null")])
    t.accepted(answer)
    t.check(answer.header("Access-Control-Allow-Origin") in ("*", "null"), "no Access-Control-Allow-Origin for null")
    t.keeps({"userId": t.id("u")})


@case("a source with allowed origins takes events of those pages and of servers, and of no other page")
def _(t):
    t.accepted(t.post("/v1/t", {"userId": t.id("own"), "event": "E"}, [("Origin", SHOP_ORIGIN)], key=SHOP_KEY))
    t.accepted(t.post("/v1/t", {"userId": t.id("server"), "event": "E"}, key=SHOP_KEY))
    for origin in ("https://evil.example", SHOP_ORIGIN + ".evil.example", SHOP_ORIGIN + ":8443", "http://shop.example", "null"):
        t.post("/v1/t", {"userId": t.id("evil"), "event": "E"}, [("Origin", origin)], key=SHOP_KEY)
    t.keeps({"userId": t.id("own"), "projectId": "shop"})
    t.keeps({"userId": t.id("server"), "projectId": "shop"})
    t.keeps_none(t.id("evil"))


@case("each message of a batch is held to the origins of its own source")
def _(t):
    def event(name, key):
        return {"type": "track", "userId": t.id(name), "event": "E", "writeKey": key}
    evil = [("Origin", "https://evil.example")]
    t.accepted(t.post("/v1/batch", {"batch": [event("a1", KEY), event("no1", SHOP_KEY)]}, evil, key=None))
    t.accepted(t.post("/v1/batch", {"batch": [event("no2", SHOP_KEY), event("a2", KEY)]}, evil, key=None))
    t.refused(t.post("/v1/batch", {"batch": [event("no3", "wk_nobody"), event("no3", SHOP_KEY)]}, evil, key=None), 401)
    for name in ("a1", "a2"):
        t.keeps({"userId": t.id(name), "projectId": "web"})
    for name in ("no1", "no2"):
        t.rejects(t.id(name), "origin_not_allowed")
    t.keeps_none(t.id("no3"))


@case("where a browser says no Origin (pixels, JSONP), the Referer says which page it is")
def _(t):
    query = f"?writeKey={SHOP_KEY}&event=E&userId="
    for path in ("/v1/pixel/track", "/pixel/v1/track", "/v1/t"):
        for name, referer in (("evil", "https://evil.example/x"), ("own", SHOP_ORIGIN + "/a?b"), ("none", None)):
            t.ask("GET", path + query + t.id(name), [("Referer", referer)] if referer else [])
    t.keeps({"userId": t.id("own"), "projectId": "shop"}, times=3)
    t.keeps({"userId": t.id("none"), "projectId": "shop"}, times=3)
    t.keeps_none(t.id("evil"))


@case("cookies and settings are for the pages that a source allows, and for sources that are enabled")
def _(t):
    def cookie(key, *headers):
        return t.ask("POST", "/v1/cookie", headers, json.dumps({"writeKey": key, "anonymousId": "a-1"}).encode())
    for key, headers, good in ((KEY, [ORIGIN], True), (SHOP_KEY, [("Origin", SHOP_ORIGIN)], True), (SHOP_KEY, [], True),
                               (SHOP_KEY, [ORIGIN], False), (SHOP_KEY, [("Origin", "null")], False),
                               (SHOP_KEY, [("Referer", "https://evil.example/")], False), (DISABLED_KEY, [ORIGIN], False)):
        for answer in (cookie(key, *headers), t.ask("GET", f"/v1/projects/{key}/settings", headers)):
            t.check((answer.status == 200) == good, f"{key} {headers}: {answer}")
            if not good and key == SHOP_KEY:
                t.check(answer.header("Access-Control-Allow-Origin") is None, f"{key} {headers}: readable")
        t.check((cookie(key, *headers).header("Set-Cookie") is not None) == good, f"{key} {headers}: Set-Cookie")
    for site, good in (("cross-site", False), ("same-site", True), ("same-origin", True)):      # a form that evil.example posts
        answer = cookie(KEY, ("Sec-Fetch-Site", site), ("Origin", "null"), ("Content-Type", "text/plain"))
        t.check((answer.header("Set-Cookie") is not None) == good, f"{site}: {answer}")


@case("pages that isolate themselves may load scripts, settings, pixels and answers")
def _(t):
    for method, path, body in (("GET", f"/analytics.js/v1/{KEY}/analytics.min.js", None),
                               ("GET", f"/v1/projects/{KEY}/settings", None), ("GET", "/v1/pixel/track", None),
                               ("GET", f"/v1/t?writeKey={KEY}&userId=u&event=E&callback=f", None),
                               ("POST", "/v1/t", b'{"writeKey":"%s","userId":"u","event":"E"}' % KEY.encode()),
                               ("POST", "/v1/batch", b"none"), ("POST", "/v1/cookie", b"{}"), ("POST", "/v1/m", b"{}")):
        for headers in ([], [ORIGIN]):
            answer = t.ask(method, path, headers, body)
            t.check(answer.header("Cross-Origin-Resource-Policy") == "cross-origin", f"{path}: {answer.headers}")
    t.check(t.ask("GET", "/api/v1/suppressions").header("Cross-Origin-Resource-Policy") == "same-origin", "the API")


# ---- The secret key in a browser ----

@case("what reads and administers is not for pages of another origin, whatever key the browser remembers")
def _(t):
    user = basic(SECRET)
    suppress = json.dumps({"user_id": t.id("u")}).encode()
    foreign = ([ORIGIN], [("Origin", "null")], [("Sec-Fetch-Site", "cross-site")], [("Sec-Fetch-Site", "same-site")],
               [("Sec-Fetch-Site", "same-origin"), ORIGIN], [("Origin", "http://localhost:1")], [("Origin", "")])
    for headers in foreign[:-1]:
        for method, path in (("GET", "/api/v1/suppressions"), ("POST", "/api/v1/suppressions"), ("POST", "/api/v1/trends"),
                             ("DELETE", "/api/v1/people/u_1"), ("GET", "//api/v1/questions"), ("HEAD", "/api/v1/erasures"),
                             ("GET", f"/v1/spaces/x/collections/users/profiles/user_id:{t.id('u')}/traits")):
            answer = t.ask(method, path, [user] + headers, suppress if method == "POST" else None)
            t.check(answer.status == 403, f"{method} {path} {headers}: {answer}")
        answer = t.ask("POST", "/v1/batch", [user, ("X-Onym-Import", "1"), ("X-Write-Key", KEY)] + headers, b"{}")
        t.check(answer.status == 403, f"import {headers}: {answer}")
    for kind in ("text/plain", "text/plain;charset=UTF-8", "multipart/form-data; boundary=x"):
        answer = t.ask("POST", "/api/v1/suppressions", [user, ("Content-Type", kind)], suppress)
        t.check(answer.status == 403, f"{kind}: {answer}")
    t.check(t.id("u") not in t.ask("GET", "/api/v1/suppressions", [user]).body.decode(), "a form has suppressed somebody")


@case("the secret key by Basic goes on working for curl and for a page of this origin; no browser is asked for it")
def _(t):
    same = [("Origin", "http://localhost")]
    for headers in ([], same, same + [("Sec-Fetch-Site", "same-origin")], [("Sec-Fetch-Site", "none")],
                    [("Content-Type", "application/x-www-form-urlencoded")], [("Origin", "")]):
        answer = t.ask("POST", "/api/v1/events", [basic(SECRET)] + headers, b"{}")
        t.check(answer.status == 200, f"{headers}: {answer}")
    for path in ("/api/v1/suppressions", "/v1/spaces/x/collections/users/profiles/user_id:1/traits"):
        answer = t.ask("GET", path)
        t.check(answer.status == 401 and "basic" not in (answer.header("WWW-Authenticate") or "").lower(), f"{path}: {answer}")


# ---- Settings ----

@case("the settings document is the least that analytics-next and the mobile SDKs need")
def _(t):
    for path in (f"/v1/projects/{KEY}/settings", f"/projects/{KEY}/settings"):
        answer = t.ask("GET", path, [ORIGIN])
        t.check(answer.status == 200, f"{path}: {answer}")
        t.check(allows(answer, ORIGIN[1]), f"{path}: not readable by a page")
        settings = answer.json
        t.check(list(settings["integrations"]) == ["Segment.io"], f"integrations: {list(settings['integrations'])}")
        segment = settings["integrations"]["Segment.io"]
        t.check(segment["apiKey"] == KEY, f"apiKey: {segment.get('apiKey')}")
        t.check(segment["apiHost"] == "localhost/v1" and segment["protocol"] == "http", f"it leads elsewhere: {segment}")
        t.check(settings["metrics"]["sampleRate"] == 0, "the library's own counters are not silenced")
        for name in ("remotePlugins", "enabledMiddleware"):
            t.check(not settings.get(name), f"{name} makes the library download a chunk")
        t.check(not settings.get("legacyVideoPluginsEnabled"), "legacyVideoPluginsEnabled downloads a chunk")
        t.check(not (settings.get("middlewareSettings") or {}).get("routingRules"), "routingRules download a chunk")
        for word in ("track", "identify", "group"):
            t.check(settings["plan"][word]["__default"]["enabled"] is True, f"plan.{word}: mobile decoders want it")
        t.check("edgeFunction" in settings, "edgeFunction: mobile decoders want it")
        t.check("max-age" in (answer.header("Cache-Control") or ""), "no Cache-Control")


@case("the settings lead to the host and port that the page asked")
def _(t):
    answer = t.ask("GET", f"/v1/projects/{KEY}/settings", [("Host", "events.shop.example:8443")])
    t.check(answer.json["integrations"]["Segment.io"]["apiHost"] == "events.shop.example:8443/v1", f"{answer}")


@case("a Host header with quotes cannot break out of the settings document")
def _(t):
    answer = t.ask("GET", f"/v1/projects/{KEY}/settings", [("Host", 'x","apiHost":"evil')])
    t.check(answer.status == 400, f"{answer}")
    answer = t.ask("GET", f"/v1/projects/{KEY}/settings")
    t.check("private" in answer.header("Cache-Control"), "a shared cache may hand one host's document to another's pages")


@case("settings of an unknown key are 404: the one place where a wrong key shows")
def _(t):
    for key in ("wk_nobody", KEY + "x", "..", "%2e%2e", "a%00b", "x" * 3000, "%"):
        answer = t.ask("GET", f"/v1/projects/{key}/settings", [ORIGIN])
        t.check(answer.status in (400, 404), f"{key[:20]}: {answer}")
        t.check(isinstance(answer.json, dict), f"{key[:20]}: {answer}")


@case("the browser library is served as JavaScript, also to a page of another origin")
def _(t):
    for path in (f"/analytics.js/v1/{KEY}/analytics.min.js", f"/analytics.js/v1/{KEY}/platform/analytics.min.js"):
        answer = t.ask("GET", path, [ORIGIN])
        t.check(answer.status == 200, f"{path}: {answer.status}")
        t.check("javascript" in (answer.header("Content-Type") or ""), f"{path}: {answer.header('Content-Type')}")
        t.check(len(answer.body) > 1000, f"{path}: {len(answer.body)} bytes")


@case("the library comes as brotli, gzip or plain, as the browser takes it, each with its own ETag")
def _(t):
    path, tags = f"/analytics.js/v1/{KEY}/analytics.min.js", {}
    for takes, encoding in (("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br", "br"), ("BR;q=0.5,gzip", "br"),
                            ("gzip, br;q=0", "gzip"), ("br;q=0.0, gzip;q=0", None), ("brotli, zstd", None),
                            ("identity", None), ("br ; q=1", "br")):
        answer = t.ask("GET", path, [("Accept-Encoding", takes)])
        t.check(answer.header("Content-Encoding") == encoding, f"{takes}: {answer.headers}")
        t.check("Accept-Encoding" in (answer.header("Vary") or ""), f"{takes}: {answer.headers}")
        tags.setdefault(encoding, set()).add(answer.header("ETag"))
        again = t.ask("GET", path, [("Accept-Encoding", takes), ("If-None-Match", answer.header("ETag"))])
        t.check(again.status == 304 and not again.header("Content-Encoding"), f"{takes}: {again}")
    t.check(sorted(len(of) for of in tags.values()) == [1, 1, 1], f"{tags}")
    t.check(len(set.union(*tags.values())) == 3, f"{tags}")


@case("the library says in the console when calls with its key are refused, since their answer does not")
def _(t):
    for key, words in (("mistyped", "no source has the write key mistyped"), (DISABLED_KEY, "is disabled"),
                       ("%22%3Balert(1)%2F%2F%3C", "no source has the write key \\\";alert(1)//<")):
        answer = t.ask("GET", f"/analytics.js/v1/{key}/analytics.min.js", [("Accept-Encoding", "gzip")])
        line = answer.body.decode().rstrip().rsplit("\n", 1)[-1]
        t.check(answer.status == 200 and answer.header("Cache-Control") == "no-store", f"{key}: {answer.headers}")
        t.check(line.startswith(";console.error(") and words in line, f"{key}: {line[:200]}")
    answer = t.ask("GET", f"/analytics.js/v1/{KEY}/analytics.min.js")
    t.check(b"nothing is counted" not in answer.body, "a known key")


# ---- Pixels and JSONP ----

def encoded(message, alphabet="url", padding=False):
    data = json.dumps(message, ensure_ascii=False).encode()
    text = (base64.urlsafe_b64encode if alphabet == "url" else base64.b64encode)(data).decode()
    return text if padding else text.rstrip("=")


def is_pixel(t, answer, what):
    t.check(answer.status == 200 and answer.header("Content-Type") == "image/gif", f"{what}: {answer}")
    t.check(answer.body.startswith(b"GIF89a\x01\x00\x01\x00") and answer.body.endswith(b"\x3b"), f"{what}: no 1x1 GIF")
    t.check("no-store" in (answer.header("Cache-Control") or ""), f"{what}: Cache-Control "
            f"{answer.header('Cache-Control')}: mail readers would ask once")


@case("pixel: base64 of either alphabet, with and without padding, with + read as a space")
def _(t):
    n = 0
    for alphabet in ("url", "standard"):
        for padding in (True, False):
            for text in ("", "?", "??", "ÿÿÿ>>>???"):        # every padding length, and both special digits
                message = {"writeKey": KEY, "userId": t.id(f"u{n}"), "event": "Opened", "properties": {"t": text}}
                data = encoded(message, alphabet, padding)
                is_pixel(t, t.ask("GET", f"/v1/pixel/track?data={data.replace('+', ' ').replace(' ', '+')}"), data)
                t.keeps({"type": "track", "userId": t.id(f"u{n}"), "properties": {"t": text}})
                n += 1
    message = {"writeKey": KEY, "userId": t.id("percent"), "event": "Opened", "properties": {"t": "ÿÿÿ>>>???"}}
    data = encoded(message, "standard", True).replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    is_pixel(t, t.ask("GET", f"/v1/pixel/track?data={data}"), "percent")
    t.keeps({"type": "track", "userId": t.id("percent"), "properties": {"t": "ÿÿÿ>>>???"}})


@case("pixel: flat parameters with dots, percent signs and plus signs")
def _(t):
    query = (f"writeKey={KEY}&userId={t.id('u')}&event=Email%20Opened&properties.subject=Hi+there"
             "&properties.a.b.c=%E2%82%AC&context.campaign.name=spring&properties.email=a%2Bb@c.d")
    is_pixel(t, t.ask("GET", "/v1/pixel/track?" + query), "flat")
    t.keeps({"type": "track", "userId": t.id("u"), "event": "Email Opened", "context": {"campaign": {"name": "spring"}},
             "properties": {"subject": "Hi there", "a": {"b": {"c": "€"}}, "email": "a+b@c.d"}})


@case("pixel: every type, and the form of the peers")
def _(t):
    fields = {"identify": "", "track": "&event=E", "page": "&name=N", "screen": "&name=N", "group": "&groupId=g",
              "alias": "&previousId=p"}
    for word, more in fields.items():
        is_pixel(t, t.ask("GET", f"/v1/pixel/{word}?writeKey={KEY}&userId={t.id(word)}{more}"), word)
        t.keeps({"type": word, "userId": t.id(word)})
    is_pixel(t, t.ask("GET", f"/pixel/v1/track?writeKey={KEY}&userId={t.id('peer')}&event=E"), "peer")
    t.keeps({"type": "track", "userId": t.id("peer")})


@case("pixel: a picture even when there is nothing to keep")
def _(t):
    for query in ("", "?", "?data=", "?data=%", "?data=!!!!", "?data=bm8ganNvbg", "?data=W10", "?=&&=", "?data",
                  f"?writeKey={KEY}", f"?writeKey={KEY}&a.b=1&a=2&a.b.c=3", "?" + "a." * 500 + "b=1", "?" + "x=1&" * 250,
                  "?data=eyJ1c2VySWQiOiJ4In0"):
        is_pixel(t, t.ask("GET", "/v1/pixel/track" + query), query[:40])


@case("what cannot be read is kept with its reason where nobody reads the answer")
def _(t):
    whole = encoded({"writeKey": KEY, "userId": t.id("cut"), "event": "E", "properties": {"a": 1}})
    is_pixel(t, t.ask("GET", "/v1/pixel/track?data=" + whole[:-12]), "JSON that was cut")
    t.rejects(t.id("cut"), "bad_request")
    spoilt = encoded({"writeKey": KEY, "userId": t.id("spoilt"), "event": "E", "properties": {"a": "b" * 50}})
    is_pixel(t, t.ask("GET", f"/pixel/v1/track?data={spoilt[:-20]}*{spoilt[-20:]}"), "no base64")
    t.rejects(t.id("spoilt"), "bad_request")
    for path in ("/v1/pixel/track", "/v1/t", "/m4p/pixel/track"):
        name = t.id(path.replace("/", "-"))
        answer = t.ask("GET", f"{path}?callback=f&writeKey={KEY}&data={encoded([name])}")
        if "pixel" in path:
            is_pixel(t, answer, path)
        else:
            t.refused(answer, 400)
        t.rejects(name, "bad_request")
        answer = t.ask("GET", f"{path}?writeKey={KEY}&data=%7B%22userId%22:%22{name}-plain%22%7D")
        t.rejects(name + "-plain", "bad_request")
        t.ask("GET", f"{path}?writeKey={SECRET}&data={encoded([name + '-secret', SECRET])}")
        t.rejects(name + "-secret", "bad_request")
    for path in ("/beacon/v1/batch", "/v1/b"):
        name = t.id(path.replace("/", "-"))
        t.refused(t.ask("POST", f"{path}?writeKey={KEY}", [ORIGIN], f'{{"batch":[{{"userId":"{name}"'.encode()), 400)
        t.rejects(name, "bad_request")


@case("a picture's ?writeKey= beside data names its source")
def _(t):
    data = encoded({"userId": t.id("u"), "event": "Opened"})
    is_pixel(t, t.ask("GET", f"/v1/pixel/track?data={data}&writeKey={KEY}"), "beside")
    t.keeps({"userId": t.id("u"), "projectId": "web"})


@case("JSONP: the callback is called with the answer, as a script")
def _(t):
    for letter, more in (("t", {"event": "E"}), ("i", {}), ("p", {}), ("g", {"groupId": "g"}), ("a", {"previousId": "p"})):
        data = encoded({"writeKey": KEY, "userId": t.id(letter), **more})
        answer = t.ask("GET", f"/v1/{letter}?data={data}&callback=__jp0")
        t.check(answer.status == 200 and "javascript" in (answer.header("Content-Type") or ""), f"{answer}")
        t.check(answer.body.rstrip(b";\n").endswith(b'__jp0({"success":true})'), f"{answer}")
        t.keeps({"userId": t.id(letter)})


@case("JSONP: a callback that is no plain name is not repeated")
def _(t):
    data = encoded({"writeKey": KEY, "userId": t.id("u"), "event": "E"})
    for callback in ("alert(1)//", "a%3Cscript%3E", "a;b", "%0d%0aX-Evil:1", "a" * 5000, "a[0]=1;b"):
        answer = t.ask("GET", f"/v1/t?data={data}&callback={callback}")
        t.check(b"alert(1)" not in answer.body and b"<script>" not in answer.body and b";b" not in answer.body,
                f"{callback[:30]}: {answer}")
        t.check(answer.header("X-Evil") is None, "a header was injected")
        t.check("javascript" not in (answer.header("Content-Type") or "")
                or answer.header("X-Content-Type-Options") == "nosniff" or answer.status != 200, f"{callback[:30]}: {answer}")


@case("a beacon: text/plain, a cookie, the key in the body")
def _(t):
    content = json.dumps({"writeKey": KEY, "userId": t.id("u"), "event": "Left"}).encode()
    t.accepted(t.ask("POST", "/v1/t", [ORIGIN, ("Content-Type", "text/plain;charset=UTF-8"), ("Cookie", "a=b; c=d"),
                                       ("Sec-Fetch-Mode", "no-cors")], content))
    t.keeps({"userId": t.id("u")})
