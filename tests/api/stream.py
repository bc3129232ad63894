"""A client of server-sent events that reads what it is asked to, and no more: what it does not take stays in the socket."""
import http.client
import json

from client import PATIENCE_S, SECRET


class Stream:
    """Rows and named events of GET /api/v1/live. last_id is what EventSource would send when it comes back."""

    def __init__(self, server, query="", last_id=None, key=SECRET, cookie=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
        headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
        if cookie:
            headers = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin", "Accept": "text/event-stream"}
        if last_id is not None:
            headers["Last-Event-ID"] = last_id
        self.connection.request("GET", "/api/v1/live" + ("?" + query if query else ""), headers=headers)
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        self.last_id = last_id
        self.comments = 0               # the first of each stream is a greeting

    def close(self):
        self.answer.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def block(self):
        """The next event as the standard reads it: (name, data), data None where there is none; None at the end."""
        name, data = "row", []
        while True:
            line = self.answer.readline()
            if not line:
                return None
            line = line.decode().rstrip("\n")
            assert "\r" not in line and not line.startswith(" "), line
            if not line:
                return name, ("\n".join(data) if data else None)
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "id":
                self.last_id = value
            elif field == "event":
                name = value
            elif field == "data":
                data.append(value)
            elif field == "":
                self.comments += 1
                assert self.comments < 4, "half a minute, and nothing but signs of life"
            else:
                assert field == "retry", line

    def next(self):
        """(name, object) of the next that has data; None at the end."""
        while True:
            block = self.block()
            if block is None:
                return None
            if block[1] is not None:
                assert "\n" not in block[1], block
                return block[0], json.loads(block[1])

    def begun(self):
        """It stands where it will go on from: what comes now is told."""
        while self.last_id is None:
            self.block()
        return self

    def take(self, count):
        """So many rows; claims are passed over, and anything else is a fault."""
        rows = []
        while len(rows) < count:
            name, row = self.next()
            assert name in ("row", "claimed"), (name, row)
            if name == "row":
                rows.append(row)
        return rows

    def rest(self):
        """All that comes until the stream ends, which `to` makes it."""
        events = []
        while (event := self.next()) is not None:
            events.append(event)
        return events
