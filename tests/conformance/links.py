"""Signed links that hand a visitor over to another domain: made by the API or by a site's own server, redeemed once."""
import base64
import concurrent.futures
import hashlib
import hmac
import json
import time

from suite import DISABLED_KEY, KEY, SECRET, SHOP_KEY, SHOP_ORIGIN, basic, case

ORIGIN = ("Origin", "https://www.other.example")
NONCE = "0123456789abcdefABCDEF-_"


def base64url(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def sign(text, secret=SECRET):
    return text + "." + hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def token(name, life_s=60, nonce=NONCE, version="onym1"):
    """As docs/protocol.md says that a site's own server makes one."""
    return sign(f"{version}.{int(time.time()) + life_s}.{nonce}.{base64url(name)}")


def redeem(t, text, key=KEY, headers=(ORIGIN,)):
    return t.ask("POST", "/v1/link", headers, json.dumps({"writeKey": key, "token": text}).encode())


def make(t, body, headers=None):
    return t.ask("POST", "/api/v1/links", headers or [("Authorization", f"Bearer {SECRET}")], json.dumps(body).encode())


def taken(t, answer, name):
    t.check(answer.status == 200 and answer.json == {"success": True, "anonymousId": name}, f"{name!r}: {answer}")


@case("a link that the API has made is redeemed once, by a page of another origin, whatever the id holds")
def _(t):
    for name in (t.id("a"), "ü 中 +&=#/\"\\\n", "x" * 512, "a.b.c"):
        made = make(t, {"anonymous_id": name})
        t.check(made.status == 200 and made.json["parameter"] == "ajs_aid=" + made.json["token"], f"{name!r}: {made}")
        answer = redeem(t, made.json["token"])
        taken(t, answer, name)
        t.check(answer.header("Access-Control-Allow-Origin") == ORIGIN[1], f"not readable: {answer.headers}")
        t.refused(redeem(t, made.json["token"]), 409, says="used already")


@case("a link that a site's own server has signed with the secret key is as good")
def _(t):
    for name, text in (("plain", token(t.id("plain"))), ("padded", None), ("short", token(t.id("short"), nonce=NONCE[:16]))):
        if text is None:
            text = sign(f"onym1.{int(time.time()) + 60}.{NONCE}." + base64.urlsafe_b64encode(t.id(name).encode()).decode())
        taken(t, redeem(t, text), t.id(name))
    t.refused(redeem(t, token(t.id("plain"), life_s=-1)), 400, says="expired")


@case("a link that is forged, expired, of another form or too long-lived is refused and says why")
def _(t):
    good = token(t.id("forged"))
    head, signature = good.rsplit(".", 1)
    now = int(time.time())
    parts = head.split(".")
    for text, why in (
            ("", "signed"), ("a", "signed"), (".", "signed"), ("onym1....", "signed"), (head, "signed"), (head + ".", "signed"),
            (good[:-1], "signed"), (good + "0", "signed"), (head + "." + signature.upper(), "signed"), ("x" * 2000, "signed"),
            (good[:-1] + ("0" if good[-1] != "0" else "1"), "signed"), (good.replace(parts[3], base64url("else")), "signed"),
            (sign(head, "sk_other"), "signed"), (sign(head, ""), "signed"), (good + "\n", "signed"), (" " + good, "signed"),
            (token("x", version="onym2"), "version"), (token("x", life_s=0), "expired"), (token("x", life_s=-10 ** 9), "expired"),
            (token("x", life_s=8 * 86400), "7 days"), (token("x", nonce="short"), "nonce"), (token("x", nonce="y" * 65), "nonce"),
            (token("x", nonce="0123456789abcde%"), "nonce"), (token(""), "base64url"), (token("y" * 513), "512"),
            (sign(f"onym1.soon.{NONCE}.{base64url('x')}"), "expiry"), (sign(f"onym1.-1.{NONCE}.{base64url('x')}"), "expiry"),
            (sign(f"onym1.{now + 60}.{NONCE}.a"), "base64url"), (sign(f"onym1.{now + 60}.{NONCE}.a+b/"), "base64url"),
            (sign(f"onym1.{now + 60}.{NONCE}"), "base64url"), (sign("onym1"), "expiry"), (sign(""), "version")):
        t.refused(redeem(t, text), 400, says=why)
    for body in (b"", b"[]", b"{}", b'{"writeKey":"%s"}' % KEY.encode(), b'{"writeKey":"%s","token":null}' % KEY.encode(),
                 b'{"writeKey":"%s","token":{"a":1}}' % KEY.encode()):
        t.refused(t.ask("POST", "/v1/link", [ORIGIN], body), 400)
    taken(t, redeem(t, good), t.id("forged"))


@case("links are redeemed for pages that a source is open to")
def _(t):
    text = token(t.id("open"))
    t.refused(redeem(t, text, SHOP_KEY), 401)
    t.refused(redeem(t, text, DISABLED_KEY), 400)
    t.refused(redeem(t, text, "wk_nobody"), 400)
    taken(t, redeem(t, text, SHOP_KEY, [("Origin", SHOP_ORIGIN)]), t.id("open"))


@case("of many who redeem a link at once one gets the id")
def _(t):
    text = token(t.id("race"))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: redeem(t, text).status, range(16)))
    t.check(sorted(answers) == [200] + [409] * 15, f"{answers}")


@case("a link that was used stays used after kill -9")
def _(t):
    text = token(t.id("restart"))
    taken(t, redeem(t, text), t.id("restart"))
    t.server.kill()
    t.server.start()
    t.refused(redeem(t, text), 409, says="used already")
    taken(t, redeem(t, token(t.id("after"))), t.id("after"))


@case("making links needs the secret key, and says what is wrong with the body")
def _(t):
    for headers in ([basic(KEY)], [("Authorization", "Bearer no")], [ORIGIN]):
        t.check(make(t, {"anonymous_id": "a"}, headers).status in (401, 403), f"{headers}")
    for body, field in (({}, "anonymous_id"), ({"anonymous_id": ""}, "anonymous_id"), ({"anonymous_id": "x" * 513}, "anonymous_id"),
                        ({"anonymous_id": None}, "anonymous_id"), ({"anonymous_id": "a", "expires_in": 0}, "expires_in"),
                        ({"anonymous_id": "a", "expires_in": -1}, "expires_in"), ({"anonymous_id": "a", "expires_in": "x"}, "expires_in"),
                        ({"anonymous_id": "a", "expires_in": 604801}, "expires_in")):
        answer = make(t, body)
        t.check(answer.status == 400 and answer.json["error"]["field"] == field, f"{body}: {answer}")
    answer = make(t, {"anonymous_id": t.id("x"), "expires_in": 604800})
    t.check(answer.status == 200 and answer.json["expires_at"].endswith("Z"), f"{answer}")
