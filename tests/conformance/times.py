"""Protocol 2.7: every shape of time that SDKs write, and the correction of wrong clocks."""
import datetime
import json
import time

from suite import KEY, basic, case
from wire import request

# (as written, the instant in milliseconds since 1970)
SHAPES = [
    ("browser, Node, Java", "2026-03-04T05:06:36.203Z", 1772600796203),
    ("Python, milliseconds", "2026-03-04T05:06:36.542+00:00", 1772600796542),
    ("Python, microseconds", "2026-03-04T05:06:36.123456+00:00", 1772600796123),
    ("Go, nine digits and a local offset", "2026-03-04T06:06:36.123456789+01:00", 1772600796123),
    ("Go, no fraction", "2026-03-04T05:06:36Z", 1772600796000),
    ("Go, one digit", "2026-03-04T05:06:36.5Z", 1772600796500),
    ("Ruby, an offset west", "2026-03-03T21:06:36.374-08:00", 1772600796374),
    ("PHP, whole seconds", "2026-03-04T05:06:36+00:00", 1772600796000),
    (".NET, seven digits", "2026-03-04T07:06:36.1234567+02:00", 1772600796123),
    ("half an hour's offset", "2026-03-04T10:36:36.000+05:30", 1772600796000),
    ("an offset without a colon", "2026-03-04T07:06:36.000+0200", 1772600796000),
    ("a date only", "2026-03-04", 1772582400000),
    ("the docs' unpadded month", "2026-3-4T05:06:36.000Z", 1772600796000),
    ("lower-case letters", "2026-03-04t05:06:36.000z", 1772600796000),
    ("a space for the T", "2026-03-04 05:06:36.000Z", 1772600796000),
    ("a leap day", "2024-02-29T12:00:00.000Z", 1709208000000),
    ("long ago", "1999-12-31T23:59:59.999Z", 946684799999),
    ("Python, time.time()", 1772600796.5, 1772600796500),
    ("a browser, timeOrigin + performance.now()", 1772600796203.4, 1772600796203),
    ("Go, UnixNano", 1772600796123456789, 1772600796123),
    ("Java, microseconds", 1772600796123456, 1772600796123),
    ("a form, seconds as text", "1772600796", 1772600796000),
    ("JavaScript, toUTCString", "Wed, 04 Mar 2026 05:06:36 GMT", 1772600796000),
    ("JavaScript, toString", "Wed Mar 04 2026 06:06:36 GMT+0100 (Central European Standard Time)", 1772600796000),
    ("Java, Date.toString", "Wed Mar 04 05:06:36 UTC 2026", 1772600796000),
    ("C, asctime", "Wed Mar  4 05:06:36 2026", 1772600796000),
    ("Ruby, Time#to_s", "2026-03-04 06:06:36 +0100", 1772600796000),
    ("Go, time.String", "2026-03-04 05:06:36.123 +0000 UTC m=+0.1", 1772600796123),
    (".NET, JSON of old", "/Date(1772600796203)/", 1772600796203),
    ("ISO 8601, basic", "20260304T050636.203Z", 1772600796203),
    ("ISO 8601, a week's day", "2026-W10-3T05:06:36Z", 1772600796000),
]


def written(ms):
    return (datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
            .isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def now_ms():
    return int(time.time() * 1000)


def at(ms, within_ms=1):
    def claim(value):
        got = datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp() * 1000
        return abs(got - ms) <= within_ms + 0.5 and value.endswith("Z") and len(value) == 24
    claim.__doc__ = f"wanted {written(ms)} within {within_ms} ms"
    return claim


def shape_case(name, text, ms):
    @case(f"a timestamp as written by {name}: {text}")
    def _(t):
        t.track("u", timestamp=text)
        t.keeps({"userId": t.id("u"), "timestamp": at(ms), "originalTimestamp": text})
        # The same shape as sentAt, with a timestamp one minute before it: one minute before arrival.
        t.track("skewed", timestamp=written(ms - 60_000), sentAt=text)
        t.keeps({"userId": t.id("skewed"), "timestamp": at(now_ms() - 60_000, 8_000), "sentAt": text})


for row in SHAPES:
    shape_case(*row)


@case("a timestamp without a zone is UTC")
def _(t):
    t.track("u", timestamp="2026-03-04T05:06:36.000")
    t.keeps({"userId": t.id("u"), "timestamp": at(1772600796000)})


@case("a clock that is an hour fast, or a year slow, is corrected by sentAt")
def _(t):
    for name, skew_ms in (("fast", 3_600_000), ("slow", -365 * 86_400_000), ("right", 0)):
        sent = now_ms() + skew_ms
        t.track(name, timestamp=written(sent - 5_000), sentAt=written(sent))
        t.keeps({"userId": t.id(name), "timestamp": at(now_ms() - 5_000, 5_000),
                 "originalTimestamp": written(sent - 5_000), "sentAt": written(sent)})


@case("the envelope's sentAt counts for items without their own, an item's own before it")
def _(t):
    now = now_ms()
    hour = 3_600_000
    t.batch({"type": "track", "userId": t.id("envelope"), "event": "E", "timestamp": written(now + hour - 60_000)},
            {"type": "track", "userId": t.id("own"), "event": "E", "timestamp": written(now + 2 * hour - 60_000),
             "sentAt": written(now + 2 * hour)}, sentAt=written(now + hour))
    t.keeps({"userId": t.id("envelope"), "timestamp": at(now - 60_000, 5_000)})
    t.keeps({"userId": t.id("own"), "timestamp": at(now - 60_000, 5_000)})


@case("without a timestamp the event happened when it arrived")
def _(t):
    t.track("none")
    t.track("sent only", sentAt=written(now_ms() + 3_600_000))
    t.keeps({"userId": t.id("none"), "timestamp": at(now_ms(), 5_000)})
    t.keeps({"userId": t.id("sent only"), "timestamp": at(now_ms(), 5_000)})


@case("without a sentAt the client's timestamp stands")
def _(t):
    then = now_ms() - 86_400_000
    t.track("u", timestamp=written(then))
    t.keeps({"userId": t.id("u"), "timestamp": at(then)})


@case("a sentAt that cannot be read changes nothing")
def _(t):
    then = now_ms() - 86_400_000
    for n, text in enumerate(("yesterday", "", None, {}, [], True, "2026-13-45T99:99:99Z", "0")):
        t.track(f"u{n}", timestamp=written(then), sentAt=text)
        t.keeps({"userId": t.id(f"u{n}"), "timestamp": at(then)})


@case("a timestamp that cannot be read is the time of arrival")
def _(t):
    for n, text in enumerate(("yesterday", "", {}, [], True, "2026-13-45T99:99:99Z", "Mon, 01 Jan", "2026-02-30", "T", "-")):
        t.track(f"u{n}", timestamp=text)
        t.keeps({"userId": t.id(f"u{n}"), "timestamp": at(now_ms(), 10_000)})


@case("a time that is not the client's says so in the message, with what was sent")
def _(t):
    rows = {"ambiguous": ("01/02/2026", "timestamp_ambiguous"), "unreadable": ("soon", "timestamp_unreadable"),
            "old": ("0001-01-01T00:00:00Z", "timestamp_before_1970"), "new": ("2099-01-01", "timestamp_in_future")}
    for name, (text, reason) in rows.items():
        t.track(name, timestamp=text)
        t.keeps({"userId": t.id(name), "timestamp": at(now_ms(), 10_000), "originalTimestamp": text, "timeProblem": reason})
        t.track(name + "2", timestamp=text, originalTimestamp="2026-01-01T00:00:00Z")
        t.keeps({"userId": t.id(name + "2"), "timestamp": "2026-01-01T00:00:00.000Z", "timeProblem": reason,
                 "originalTimestamp": "2026-01-01T00:00:00Z", "unreadTimestamp": text})


@case("a sentAt that cannot be right destroys no good timestamp")
def _(t):
    then = now_ms() - 3_600_000
    for n, sent in enumerate((0, "0001-01-01T00:00:00Z", "1970-01-01", "9999-12-31T23:59:59Z", "2199-01-01", 1)):
        t.track(f"u{n}", timestamp=written(then), sentAt=sent)
        t.keeps({"userId": t.id(f"u{n}"), "timestamp": at(then), "sentAt": sent, "timeProblem": "sent_at_ignored"})


@case("an upload that stalls is no wrong clock: receivedAt is that of its first byte")
def _(t):
    began, body = now_ms(), json.dumps({"userId": t.id("slow"), "event": "E", "timestamp": written(now_ms()),
                                        "sentAt": written(now_ms())}).encode()
    with t.connect() as connection:
        whole = request("POST", "/v1/track", [basic(KEY)], body)
        connection.try_send(whole[:-20])
        time.sleep(1.5)
        connection.try_send(whole[-20:])
        t.accepted(connection.receive("POST"))
    t.keeps({"userId": t.id("slow"), "timestamp": at(began, 900), "receivedAt": at(began, 900)})


@case("a historical import keeps its times when the envelope alone says sentAt")
def _(t):
    then = 1_500_000_000_000
    t.batch({"type": "track", "userId": t.id("u"), "event": "E", "timestamp": written(then)}, sentAt=written(now_ms()))
    t.keeps({"userId": t.id("u"), "timestamp": at(then, 5_000)})


@case("times far off are no danger: year 1, year 9999, year 100000, before 1970")
def _(t):
    for n, text in enumerate(("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "100000-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
                              "-2026-01-01T00:00:00Z", "2026-01-01T00:00:00+99:99")):
        t.track(f"u{n}", timestamp=text)
        t.track(f"s{n}", timestamp="2026-01-01T00:00:00Z", sentAt=text)
        for name in (f"u{n}", f"s{n}"):
            t.keeps({"userId": t.id(name), "timestamp": lambda v: len(v) == 24 and "1970" <= v[:4] <= "2200"})
