"""HTTP/1.1 by hand: what a client sends is exactly the bytes that a test wrote."""
import json
import socket


class Answer:
    def __init__(self, status, reason, headers, body):
        self.status, self.reason, self.headers, self.body = status, reason, headers, body

    def header(self, name):
        """The value, several ones joined as RFC 9110 says; None where there is none."""
        values = [v for k, v in self.headers if k.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def json(self):
        return json.loads(self.body)

    def __str__(self):
        return f"{self.status} {self.body[:200]!r}" if self.status else self.reason


CLOSED = Answer(0, "the connection was closed without an answer", [], b"")
SILENT = Answer(0, "neither an answer nor an end", [], b"")


class Connection:
    def __init__(self, port, timeout_s=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self.rest = b""

    def send(self, data):
        self.socket.sendall(data)
        return self

    def try_send(self, data):
        """For when the server may refuse while we are still sending."""
        try:
            self.socket.sendall(data)
        except OSError:
            pass
        return self

    def fill(self):
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            raise Silent()
        except OSError:
            raise Closed()
        if not data:
            raise Closed()
        self.rest += data

    def line(self):
        while b"\r\n" not in self.rest:
            self.fill()
        line, self.rest = self.rest.split(b"\r\n", 1)
        return line

    def take(self, count):
        while len(self.rest) < count:
            self.fill()
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def receive(self, method="POST"):
        """One answer; CLOSED or SILENT where there is none. 100 Continue is passed over."""
        try:
            status_line = self.line()
            while status_line.startswith(b"HTTP/1.1 100"):
                while self.line():
                    pass
                status_line = self.line()
            version, status, reason = (status_line.decode("latin-1") + " ").split(" ", 2)
            if not version.startswith("HTTP/1."):
                return Answer(0, "", [], status_line + b"\r\n" + self.rest)
            headers = []
            while line := self.line():
                name, _, value = line.decode("latin-1").partition(":")
                headers.append((name, value.strip()))
            answer = Answer(int(status), reason.strip(), headers, b"")
            if method == "HEAD" or answer.status in (204, 304):
                return answer
            if "chunked" in (answer.header("Transfer-Encoding") or ""):
                while size := int(self.line(), 16):
                    answer.body += self.take(size)
                    self.line()
                self.line()
            elif answer.header("Content-Length") is not None:
                answer.body = self.take(int(answer.header("Content-Length")))
            else:
                try:
                    while True:
                        self.fill()
                except Closed:
                    answer.body, self.rest = self.rest, b""
            return answer
        except Closed:
            return CLOSED
        except Silent:
            return SILENT

    def is_closed(self, within_s=5):
        """Whether the server ends the connection in that time; what it still sends is thrown away."""
        self.socket.settimeout(within_s)
        try:
            while True:
                self.fill()
        except Closed:
            return True
        except Silent:
            return False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Closed(Exception):
    pass


class Silent(Exception):
    pass


def request(method, path, headers=(), body=None, version="HTTP/1.1"):
    """The bytes of a request. Content-Length is added where there is a body and no framing was given."""
    headers = list(headers)
    names = {name.lower() for name, _ in headers}
    if "host" not in names:
        headers.insert(0, ("Host", "localhost"))
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        headers.append(("Content-Length", str(len(body))))
    head = f"{method} {path} {version}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers) + "\r\n"
    return head.encode("utf-8", "surrogateescape") + (body or b"")


def chunked(body, size=7):
    """The body in chunks, as Kotlin and Android send theirs."""
    parts = [body[i:i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"
