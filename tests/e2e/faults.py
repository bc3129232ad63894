"""A proxy in front of onym that behaves as bad networks do. One thread a connection; tests only.

    slow    every answer waits a while
    lost    onym has the request, but the first answer for each message is cut off: the client can't know. However
            the client puts messages together, each has lost one answer, and a batch that is sent again none.
            (Not every second answer: of batches in flight together one could lose all its tries,
            more than a client's retries; analytics-node 6 has three.)
    limit   nothing: it only counts what onym refuses with 429
"""
import gzip
import http.client
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SLOW_S = 0.7
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class Proxy:
    def __init__(self, port, fault):
        self.fault = fault
        self.lost = 0              # answers that were cut off
        self.limited = 0           # answers of 429 that went through
        self.seen = set()          # messageIds whose answer was cut off
        self.messages = set()      # messageIds of all that came
        self.lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def read_body(self):
                if "chunked" in self.headers.get("Transfer-Encoding", ""):
                    body = b""
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                    return body
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))

            def forward(self):
                body = self.read_body()
                headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
                # The settings document names the host that it was asked at: that must stay the proxy.
                headers["Host"] = self.headers.get("Host", "")
                server = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                try:
                    server.request(self.command, self.path, body=body or None, headers=headers)
                    answer = server.getresponse()
                    content = answer.read()
                except OSError:
                    self.close_connection = True
                    return
                finally:
                    server.close()
                proxy.limited += answer.status == 429
                if proxy.loses(self.command, body, headers):
                    self.close_connection = True
                    return
                if proxy.fault == "slow":
                    time.sleep(SLOW_S)
                self.send_response_only(answer.status, answer.reason)
                for name, value in answer.getheaders():
                    if name.lower() not in HOP_BY_HOP:
                        self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_OPTIONS = do_HEAD = forward

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass               # a client that went away

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def loses(self, method, body, headers):
        if method != "POST":
            return False
        if "gzip" in {name.lower(): value for name, value in headers.items()}.get("content-encoding", ""):
            body = gzip.decompress(body)
        ids = set(re.findall(rb'"messageId"\s*:\s*"([^"]+)"', body))
        with self.lock:
            self.messages |= ids
        if self.fault != "lost":
            return False
        with self.lock:
            lost = bool(ids - self.seen)
            self.seen |= ids
            self.lost += lost
            return lost

    def close(self):
        self.server.shutdown()
        self.server.server_close()
