"""Alerts: what the server's own examination finds is told to receivers: once, signed, without anything of people."""
import hashlib
import hmac
import http.server
import json
import threading
import time
import unittest

from client import Case, lib
import test_findings

HUSH = "hush-hush-hush-0123"


class Receiver:
    """A strict stand-in: what it gets must be a POST of JSON with a length; by path it answers as it is told to."""

    def __init__(self):
        self.got, self.statuses = [], {}                    # (path, headers, body); path -> statuses to give first
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers), body))
                waiting = receiver.statuses.get(self.path, [])
                status = waiting.pop(0) if waiting else 200
                if status is None:                          # it hangs up: nobody knows whether it came
                    self.connection.close()
                    return
                self.send_response(status)
                if status == 307:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def at(self, path):
        return [(headers, json.loads(body), body) for where, headers, body in list(self.got) if where == path]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Alerts(Case):
    entries = []

    @classmethod
    def setUpClass(cls):
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.close)
        cls.config = {"doctor": {"every": "1s"}, "public_url": "https://onym.example",
                      "alerts": [{"url": cls.receiver.url + entry.pop("path"), **entry} for entry in map(dict, cls.entries)]}
        super().setUpClass()

    def examined_again(self, times=3):
        for _ in range(times):
            before = self.examined_at()
            lib.wait_until(lambda: self.examined_at() > before, 90, "another examination")      # noqa: B023

    def examined_at(self):
        """From the metrics: an answer on findings may be a minute old."""
        rows = self.raw("/metrics")[2].splitlines()
        return max([float(row.split(" ")[1]) for row in rows if row.startswith("onym_examined_timestamp_seconds")], default=0)

    def wait(self, claim, what):
        lib.wait_until(claim, 90, what)


class Told(Alerts):
    entries = [{"path": "/json", "secret": HUSH, "allow_private": True},
               {"path": "/slack?token=tok-0123456789", "format": "slack", "allow_private": True, "min_severity": "error"},
               {"path": "/private"}]

    def test_a_finding_is_told_once_and_signed(self):
        receiver = self.receiver
        receiver.statuses["/json"] = [503, None]            # two tries fail, one of them in doubt
        test_findings.Findings.fill(self)
        self.wait(lambda: len(receiver.at("/json")) == 3, "three tries")
        self.wait(lambda: receiver.at("/slack?token=tok-0123456789"), "the text")
        self.examined_again()
        tries = receiver.at("/json")
        self.assertEqual(len(tries), 3)
        self.assertEqual(len({headers["Idempotency-Key"] for headers, _, _ in tries}), 1)
        headers, told, body = tries[-1]
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual(headers["X-Signature"], hmac.new(HUSH.encode(), body, hashlib.sha1).hexdigest())
        stamp, signature = (part.split("=")[1] for part in headers["X-Onym-Signature"].split(","))
        self.assertEqual(signature, hmac.new(HUSH.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest())
        self.assertLess(abs(time.time() - int(stamp)), 600)
        self.assertEqual((told["type"], told["id"], told["more"]), ("onym.findings", headers["Idempotency-Key"], 0))
        [one] = [f for f in told["findings"] if f["code"] == "ID-4"]
        [found] = [f for f in self.ask("findings")["findings"] if f["code"] == "ID-4"]
        for name in ("severity", "title", "source", "count", "of", "of_what", "people", "people_at_least", "found", "fingerprint"):
            self.assertEqual(one[name], found[name])
        self.assertEqual((one["change"], one["event"]), ("new", None))
        [(headers, told, slack)] = receiver.at("/slack?token=tok-0123456789")
        self.assertEqual(list(told), ["text"])
        self.assertNotIn("X-Signature", headers)
        self.assertIn("*ERROR ID-4* No reset at log-out: one anonymous id, several users \u00b7 website: 8 of 8 anonymous ids with a user, 16 people", told["text"])
        self.assertIn("https://onym.example", told["text"])
        for where in (body, slack):                         # nothing of people, nothing that a client wrote
            for text in (b"shared-", b"first-", b"second-", b"evil", b"script", b"u_"):
                self.assertNotIn(text, where)
        log = self.server.log_path.read_text()
        for secret in (HUSH, "tok-0123456789", "/private", receiver.url):
            self.assertNotIn(secret, log)
            self.assertNotIn(secret, (self.server.data / "findings").read_text())
        self.assertEqual(receiver.at("/private"), [])       # the loopback, and nobody allowed it
        self.assertIn("the address is private", log)

        self.server.kill()
        self.server.start()
        self.wait_applied()
        self.examined_again()
        self.assertEqual((len(receiver.at("/json")), len(receiver.at("/slack?token=tok-0123456789"))), (3, 1))


class NotTold(Alerts):
    entries = [{"path": "/json", "allow_private": True}, {"path": "/slack", "format": "slack", "allow_private": True},
               {"path": "/moved", "allow_private": True}]

    def test_what_was_not_told_goes_with_the_next_examination(self):
        receiver = self.receiver
        receiver.statuses = {"/json": [400, 400], "/slack": [None], "/moved": [307]}
        test_findings.Findings.fill(self)
        self.wait(lambda: len(receiver.at("/json")) == 3, "the third examination")
        self.wait(lambda: len(receiver.at("/moved")) == 2, "another try")
        self.examined_again()
        self.assertEqual(len(receiver.at("/json")), 3)
        self.assertEqual(len(receiver.at("/slack")), 1)     # in doubt: rather none than two
        self.assertEqual(receiver.at("/elsewhere"), [])
        self.assertIn("an alert could not be sent", self.server.log_path.read_text())


class Stopping(Alerts):
    entries = [{"path": "/down", "allow_private": True}]

    def test_a_stop_does_not_wait_for_a_receiver(self):
        self.receiver.statuses["/down"] = [503] * 9
        test_findings.Findings.fill(self)
        self.wait(lambda: len(self.receiver.at("/down")) == 2, "two tries")
        began = time.monotonic()
        self.server.stop()
        self.assertLess(time.monotonic() - began, 8)
        self.server.start()


class Away(Alerts):
    entries = [{"path": "/json", "allow_private": True}]

    def test_the_only_receiver_that_was_away_is_told_anew(self):
        test_findings.Findings.fill(self)
        self.wait(lambda: len(self.receiver.at("/json")) == 1, "the message")
        text = self.server.config.read_text()
        for config in ("\n".join(line for line in text.splitlines() if not line.startswith("alerts:")), text):
            self.server.stop()
            self.server.config.write_text(config)
            self.server.start()
            self.wait_applied()
            self.examined_again(1)
        self.wait(lambda: len(self.receiver.at("/json")) == 2, "the message again")
        first, again = [[finding["id"] for finding in told["findings"]] for _, told, _ in self.receiver.at("/json")]
        self.assertEqual(first, again)


class Configuration(unittest.TestCase):
    def test_what_is_wrong_is_said_without_the_url(self):
        import subprocess
        import tempfile
        for alerts, complaint in (("[{url: 'ftp://x/tok-0123456789'}]", "url is not an http:// or https:// URL"),
                                  ("[{format: slack}]", "has no url"),
                                  ("[{url: 'http://x/tok-0123456789', format: xml}]", '"xml" is none of json|slack'),
                                  ("[{url: 'http://x/tok-0123456789'}, {url: 'http://x/tok-0123456789'}]", "has the url of alerts[0]"),
                                  ("[{url: 'http://x/tok-0123456789', min_severity: fatal}]", "is none of info|warning|error")):
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(f"alerts: {alerts}\n")
                file.flush()
                told = subprocess.run([lib.program(), "check-config", file.name], capture_output=True, text=True)
            self.assertNotEqual(told.returncode, 0)
            self.assertIn(complaint, told.stdout + told.stderr)
            self.assertNotIn("tok-0123456789", told.stdout + told.stderr)


if __name__ == "__main__":
    unittest.main()
