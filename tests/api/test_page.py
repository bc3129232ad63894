"""The page that browsers get at /: its parts, how long they are kept, and what its policy forbids."""
import gzip
import re

from client import Case, unittest, urllib

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
          "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
          "trusted-types 'none'")


class Page(Case):
    def bytes(self, path, headers):
        request = urllib.request.Request(self.server.url + path, headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.headers, answer.read()

    def parts(self):
        return re.findall(r'"(/ui/[^"]+)"', self.raw("/", headers=HTML, key=None)[2])

    def check_apart(self, headers):
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(headers["Cross-Origin-Opener-Policy"], "same-origin")
        self.assertEqual(headers["Cross-Origin-Resource-Policy"], "same-origin")
        self.assertIsNone(headers["Access-Control-Allow-Origin"])

    def test_browsers_get_the_page_and_programs_a_line(self):
        status, headers, text = self.raw("/", headers=HTML, key=None)
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertEqual(headers["Content-Security-Policy"], POLICY)
        self.assertEqual(headers["Cache-Control"], "no-cache")
        self.assertIn("Accept", headers["Vary"])
        self.check_apart(headers)
        self.assertNotRegex(text, r"<script(?![^>]* src=)|<style|https?://")
        for accept in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}, {"Accept": "text/html;q=0"}):
            status, headers, text = self.raw("/", headers=accept, key=None)
            self.assertTrue(text.startswith("This is Onym."), accept)
            self.assertEqual(headers["Vary"], "Accept")

    def test_the_page_is_asked_for_anew_and_its_parts_never(self):
        etag = self.raw("/", headers=HTML, key=None)[1]["ETag"]
        self.assertEqual(self.raw("/", headers={**HTML, "If-None-Match": etag}, key=None)[0], 304)
        parts = self.parts()
        self.assertEqual(sorted(path.rsplit(".", 1)[1] for path in parts), ["css", "js"])
        for path in parts:
            status, headers, text = self.raw(path, key=None)
            self.assertEqual(status, 200)
            self.assertEqual(headers["Cache-Control"], "public, max-age=31536000, immutable")
            self.check_apart(headers)
            headers, body = self.bytes(path, {"Accept-Encoding": "gzip"})
            self.assertEqual(headers["Content-Encoding"], "gzip")
            self.assertEqual(gzip.decompress(body).decode(), text)

    def test_a_part_of_another_build_is_not_there(self):
        path = next(path for path in self.parts() if path.endswith(".js"))
        stem, _, ending = path.rsplit(".", 2)
        for other in (f"{stem}.{ending}", f"{stem}.{'0' * 16}.{ending}", f"{path}.map", "/ui/index.html", "/ui/x",
                      "/ui/..%2f..%2fetc%2fpasswd", "/ui/" + "a" * 3000):
            self.assertEqual(self.raw(other, key=None)[0], 404, other)

    def test_its_size_has_a_ceiling(self):
        total = len(self.bytes("/", {**HTML, "Accept-Encoding": "gzip"})[1])
        total += sum(len(self.bytes(path, {"Accept-Encoding": "gzip"})[1]) for path in self.parts())
        self.assertLess(total, 90 * 1024)


class Without(Case):
    config = {"ui": False}

    def test_it_can_be_switched_off(self):
        status, headers, text = self.raw("/", headers=HTML, key=None)
        self.assertTrue(text.startswith("This is Onym."))
        self.assertEqual(self.raw("/ui/app.js", key=None)[0], 404)


if __name__ == "__main__":
    unittest.main()
