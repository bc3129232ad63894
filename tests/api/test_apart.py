"""ui_listen: the dashboard and the API have an address of their own, and collection has no other."""
import base64
import json
import unittest
import urllib.error
import urllib.request

from client import SECRET, lib


class Apart(unittest.TestCase):
    def setUp(self):
        self.ui_port = lib.free_port()
        self.server = lib.Onym({"web": "wk_web"}, {"ui_listen": f"127.0.0.1:{self.ui_port}"})
        self.addCleanup(self.server.close)
        self.server.start()

    def get(self, port, path, method="GET", body=None, headers=None):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method, headers=headers or {},
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    def test_each_address_answers_its_own(self):
        bearer = {"Authorization": f"Bearer {SECRET}"}
        page = {"Accept": "text/html"}
        for path, headers in (("/api/v1/openapi.json", {}), ("/api/v1/session", bearer), ("/api/v1/people", bearer),
                              ("/api/v1/questions", bearer), ("/v1/spaces/x/collections/users/profiles/user_id:x/traits", bearer)):
            self.assertEqual(self.get(self.server.port, path, headers=headers)[0], 404, path)
            if "spaces" not in path:
                self.assertEqual(self.get(self.ui_port, path, headers=headers)[0], 200, path)
        for method, path in (("POST", "/api/v1/session"), ("POST", "/api/v1/trends"), ("DELETE", "/api/v1/people/u_x"),
                             ("POST", "/api/v1/sources"), ("POST", "/api/v1/links")):
            self.assertEqual(self.get(self.server.port, path, method, {"key": SECRET}, bearer)[0], 404, path)
        self.assertIn("<html", self.get(self.ui_port, "/", headers=page)[1].lower())
        self.assertNotIn("<html", self.get(self.server.port, "/", headers=page)[1].lower())
        for port in (self.server.port, self.ui_port):
            for path in ("/healthz", "/metrics", "/v1/projects/wk_web/settings"):
                self.assertEqual(self.get(port, path)[0], 200, path)
        token = base64.b64encode(b"wk_web:").decode()
        self.assertEqual(self.get(self.server.port, "/v1/track", "POST", {"userId": "apart", "event": "E"},
                                  {"Authorization": f"Basic {token}"})[0], 200)
        lib.wait_until(lambda: self.get(self.ui_port, "/api/v1/people/resolve?user_id=apart", headers=bearer)[0] == 200, 20, "it")

    def test_commands_find_the_address_by_themselves(self):
        done = self.server.run("trends", "E", "--json", check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        link = self.server.run("ui", check=False)
        self.assertIn(f":{self.ui_port}/#link=".encode(), link.stdout)


if __name__ == "__main__":
    unittest.main()
