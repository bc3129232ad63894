"""A vendor on the loopback, for destinations: it answers by the path, and keeps what it was sent."""
import http.server
import threading
import zlib


class Vendor:
    """`answers` maps the beginning of a path to a status; what is refused is quoted in the answer, as vendors do."""

    def __init__(self, answers):
        self.answers = dict(answers)
        self.requests = []                                 # (path, body)
        vendor = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = zlib.decompress(body, 31)
                body = body.decode(errors="replace")
                vendor.requests.append((self.path, body))
                status = next((status for path, status in vendor.answers.items() if self.path.startswith(path)), 200)
                text = (body if status == 422 else "{}").encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self, path):
        return [body for at, body in list(self.requests) if at.startswith(path)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
