"""The frame of the suite: a case is a function with a sentence for its name.

A case sends requests and looks at the answers at once; what it says about the export (keeps, keeps_none,
rejects) is looked at when all cases have run and onym has stopped, so the journal is read once.
"""
import base64
import json
import traceback

from onym import difference
from wire import Connection, request

SECRET = "sk_test_only_for_this_run"
KEY = "wk_conformance_web"
SERVER_KEY = "wk_conformance_backend"
LIMITED_KEY = "wk_conformance_limited"
DISABLED_KEY = "wk_conformance_disabled"
SHOP_KEY = "wk_conformance_shop"
SHOP_ORIGIN = "https://shop.example"
OWN_KEY = "wk_own"
SOURCES = {
    "web": KEY,
    "backend": {"write_key": SERVER_KEY, "kind": "server"},
    "limited": {"write_key": LIMITED_KEY, "events_per_second": 5, "burst_events": 5},
    "disabled": {"write_key": DISABLED_KEY, "enabled": False},
    "own": {"write_key": OWN_KEY, "own_path": "m4p"},
    "shop": {"write_key": SHOP_KEY, "allowed_origins": [SHOP_ORIGIN]},
}
REQUEST_TIMEOUT_S = 3
CONFIG = {"limits": {"request_timeout": f"{REQUEST_TIMEOUT_S}s", "idle_timeout": "30m", "connections": 11000}}

CASES = []


def case(name):
    def register(function):
        CASES.append(Case(len(CASES) + 1, name, function))
        return function
    return register


def basic(key):
    return ("Authorization", "Basic " + base64.b64encode(f"{key}:".encode()).decode())


class Problem(Exception):
    pass


class Case:
    def __init__(self, number, name, function):
        self.number, self.name, self.function = number, name, function
        self.problems, self.wanted, self.notes = [], [], []
        self.server = None

    # ---- Sending ----

    def id(self, name):
        return f"case{self.number}-{name}"

    @property
    def port(self):
        return self.server.port

    def connect(self, timeout_s=20):
        return Connection(self.port, timeout_s)

    def ask(self, method, path, headers=(), body=None, **options):
        """One request on a connection of its own."""
        with self.connect() as connection:
            connection.try_send(request(method, path, headers, body, **options))
            return self.look(connection.receive(method), method, path)

    def post(self, path, message, headers=None, key=KEY):
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        headers = list(headers or [])
        if key and not any(name.lower() == "authorization" for name, _ in headers):
            headers.append(basic(key))
        return self.ask("POST", path, headers, body)

    def track(self, name, **fields):
        """A plain track of a user with this case's id; the answer must be the good one."""
        self.accepted(self.post("/v1/track", {"userId": self.id(name), "event": "E", **fields}))

    def batch(self, *messages, **envelope):
        self.accepted(self.post("/v1/batch", {"batch": list(messages), **envelope}))

    # ---- The answer ----

    def check(self, claim, text):
        if not claim:
            self.problems.append(text)

    def note(self, text):
        """A figure worth printing."""
        self.notes.append(text)

    def look(self, answer, method, path):
        """What holds for every answer, whatever was asked."""
        if not answer.status:
            return answer
        self.check(answer.reason, f"{path}: a status line without reason phrase (PHP's socket consumer splits on it)")
        if method != "HEAD" and answer.body[:1] in (b"{", b"["):
            self.check((answer.header("Content-Type") or "").startswith("application/json"),
                       f"{path}: JSON called {answer.header('Content-Type')}")
        return answer

    def accepted(self, answer):
        """Exactly 200, JSON, {"success":true}: the only answer that all released SDKs accept."""
        self.check(answer.status == 200, f"wanted 200, got {answer}")
        if answer.status != 200:
            return
        self.check(answer.body.replace(b" ", b"").strip() == b'{"success":true}', f"wanted success, got {answer}")
        self.check((answer.header("Content-Type") or "").startswith("application/json"),
                   f"Content-Type: {answer.header('Content-Type')}")

    def refused(self, answer, *statuses, says=""):
        """One of these statuses, with the JSON that Python 2.3.4 and Ruby 2.5.0 must see."""
        if not answer.status:
            self.problems.append(f"wanted {statuses}, but {answer}")
            return
        self.check(answer.status in statuses, f"wanted {statuses}, got {answer}")
        try:
            problem = answer.json
            for name in ("code", "message", "error"):
                self.check(isinstance(problem.get(name), str) and problem[name],
                           f"an error without a text {name}: {answer}")
            self.check(says.lower() in json.dumps(problem).lower(), f"does not speak of {says}: {answer}")
        except (ValueError, AttributeError):
            self.problems.append(f"an error that is no JSON object: {answer}")

    # ---- What onym must have kept ----

    def keeps(self, expected, times=1):
        """So many messages of the export hold all of `expected`."""
        self.wanted.append(("keeps", expected, times))

    def keeps_none(self, text):
        """The text stands nowhere in the export."""
        self.wanted.append(("none", text, 0))

    def keeps_raw(self, message_id, times):
        """export --raw has it so many times."""
        self.wanted.append(("raw", message_id, times))

    def rejects(self, text, reason):
        """Not in the export, but among the rejected, with this reason (one of several, given as a tuple)."""
        self.wanted.append(("none", text, 0))
        self.wanted.append(("rejected", text, reason if isinstance(reason, tuple) else (reason,)))

    # ---- Running ----

    def run(self, server):
        self.server = server
        try:
            self.function(self)
        except (Problem, OSError) as problem:
            self.problems.append(repr(problem))
        except Exception:
            self.problems.append(traceback.format_exc(limit=-3))
        if not server.is_alive():
            self.problems.append("onym died:\n" + server.log_tail())

    def judge(self, kept):
        for kind, what, more in self.wanted:
            if kind == "keeps":
                self.judge_keeps(kept, what, more)
            elif kind == "none":
                if kept.text_has(what):
                    self.problems.append(f"{what} should not be in the export")
            elif kind == "raw":
                count = sum(m.get("messageId") == what for m in kept.raw)
                self.check(count == more, f"{what} is {count} times in export --raw, wanted {more}")
            elif kept.rejected is not None:
                reasons = [reason for text, reason in kept.rejected if what in text]
                self.check(any(r in more for r in reasons),
                           f"{what}: rejected with {reasons or 'nothing'}, wanted {' or '.join(more)}")

    def judge_keeps(self, kept, expected, times):
        misses = [difference(expected, message) for message in kept.of_case(self.number)]
        count = sum(m is None for m in misses)
        if count == times:
            return
        near = sorted((m for m in misses if m), key=lambda m: (m.startswith((".userId", ".anonymousId")), len(m)))
        shown = {k: v for k, v in expected.items() if not callable(v)}
        self.problems.append(f"{count} in the export, wanted {times}: {json.dumps(shown, default=str)[:200]}"
                             + (f"; nearest: {near[0]}" if near and count < times else ""))


class Kept:
    """What came out of onym at the end."""

    def __init__(self, export, raw, rejected):
        self.export, self.raw, self.rejected = export, raw, rejected
        self.texts = [json.dumps(message, ensure_ascii=False) for message in export]

    def text_has(self, text):
        return any(text in message for message in self.texts)

    def of_case(self, number):
        mark = f"case{number}-"
        return [m for m, text in zip(self.export, self.texts) if mark in text]
