"""What the tests of the reading API share: a server, messages with short names, questions with the secret key.

A message that was answered 200 is visible soon after, not at once: ask() of the tests polls a claim, with an end.
"""
import base64
import json
import pathlib
import sys
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import onym as lib  # noqa: E402
import schema  # noqa: E402

SECRET = "sk_test_only_for_this_run"
PATIENCE_S = 20


def message(kind, number, at, **fields):
    """at: minutes after ten o'clock of a day."""
    hour, minute = divmod(600 + at, 60)
    day, hour = divmod(hour, 24)
    return {"type": kind, "messageId": f"m-{number}", "timestamp": f"2026-11-{1 + day:02}T{hour:02}:{minute:02}:00.000Z",
            **fields}


class Case(unittest.TestCase):
    """Each class has one server; tests keep apart by their ids."""
    config = {}
    sources = {"website": "wk_website", "server": "wk_server", "third": "wk_third"}

    @classmethod
    def setUpClass(cls):
        cls.server = lib.Onym(cls.sources, config=cls.config).start()
        cls.addClassCleanup(cls.server.close)
        cls.document = None

    def raw(self, path, method="GET", body=None, headers=None, key=SECRET):
        """(status, headers, text), whatever the status."""
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        request = urllib.request.Request(self.server.url + path, data=body, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.headers, refusal.read().decode()

    def ask(self, path, method="GET", body=None, status=200):
        got, _, text = self.raw("/api/v1/" + path, method, body)
        self.assertEqual(got, status, f"{method} {path}: {text[:500]}")
        answer = json.loads(text)
        self.check_described(method, f"/api/v1/{path}", got, answer)
        return answer

    def check_described(self, method, path, status, answer):
        """Every answer is as the OpenAPI document says, and nothing in it is left out there."""
        if type(self).document is None:
            type(self).document = schema.Document(json.loads(self.raw("/api/v1/openapi.json", key=None)[2]))
        fault = self.document.answer_fault(method, path, status, answer)
        self.assertIsNone(fault, f"{method} {path}: {fault} (src/openapi/openapi.tbl.h describes it)")

    def refused(self, path, status, field=None, method="GET", body=None):
        error = self.ask(path, method, body, status)["error"]
        self.assertTrue(error["code"] and error["message"], error)
        self.assertEqual(error.get("field"), field, error)
        return error

    def send(self, *messages, key="wk_website"):
        token = base64.b64encode(f"{key}:".encode()).decode()
        status, _, text = self.raw("/v1/batch", "POST", {"batch": list(messages)}, key=None,
                                   headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"})
        self.assertEqual(status, 200, text)
        self.wait_applied()

    def wait_applied(self):
        """A suppression of nobody is a command: it is answered when all before it is applied."""
        self.ask("suppressions", "POST", {"user_id": "nobody-waits-for-this"})

    def resolve(self, **ids):
        return self.ask("people/resolve?" + urllib.parse.urlencode(ids))

    def pages(self, path, name, limit):
        """All items of all pages."""
        items, cursor = [], ""
        while True:
            answer = self.ask(f"{path}{'&' if '?' in path else '?'}limit={limit}&cursor={cursor}")
            self.assertLessEqual(len(answer[name]), limit)
            items += answer[name]
            if not answer["cursor"]["has_more"]:
                self.assertIsNone(answer["cursor"]["next"])
                return items
            cursor = answer["cursor"]["next"]

    def until(self, claim, what):
        lib.wait_until(claim, PATIENCE_S, what)


def quote(text):
    return urllib.parse.quote(text, safe="")


__all__ = ["Case", "SECRET", "PATIENCE_S", "json", "lib", "message", "pathlib", "quote", "time", "unittest", "urllib"]
