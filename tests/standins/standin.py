"""A vendor's server that enforces the vendor's rules, and fails as servers fail.

    from standin import Standin, Mixpanel
    standin = Standin(Mixpanel("TOKEN", "simplified"), seed=1)     # listens on a free port of 127.0.0.1
    standin.url, standin.vendor, standin.trouble = 0.2, standin.close()

trouble is the share of requests that go wrong: refused with 500, 503 or 429 before they are looked at, reset
before or after the work was done, half an answer, an answer that comes too late. What a vendor would silently
do wrong with what it was sent (join strangers, split a person, count twice) is a violation, by name.
"""
import base64, hashlib, hmac, json, random, re, socket, struct, threading, time, urllib.parse, zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from identity import Kissmetrics as KissmetricsPeople, MixpanelLegacy, MixpanelOriginal, MixpanelSimplified

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
DAY_MS = 86400 * 1000


class Vendor:
    """What every vendor has: a lock, what was counted, and what went wrong in ways that nobody would be told."""

    def __init__(self):
        self.lock = threading.Lock()
        self.violations = []
        self.requests = 0
        self.repeats = 0

    def violate(self, what):
        if len(self.violations) < 100:
            self.violations.append(what)

    def handle(self, method, path, query, headers, body):
        """-> status, content type, bytes, more headers"""
        raise NotImplementedError


def as_json(status, value, more=None):
    return status, "application/json", json.dumps(value).encode(), more or {}


def unzipped(headers, body):
    """What was sent, by its Content-Encoding; body itself where there is none."""
    if headers.get("content-encoding", "identity") not in ("gzip", "identity"):
        raise ValueError("Content-Encoding is gzip or none")
    return zlib.decompress(body, 31) if headers.get("content-encoding") == "gzip" else body


# ---- Mixpanel ----

IMPORT_BYTES = 10 * 1024 * 1024
BANNED = {"00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null", "n/a", "na", "undefined",
          "unknown", "<nil>", "0", "-1", "true", "false", "[]", "{}"}
OPERATORS = {"$set", "$set_once", "$add", "$union", "$append", "$remove", "$unset", "$delete"}
UPDATE_FIELDS = OPERATORS | {"$token", "$distinct_id", "$ip", "$time", "$ignore_time", "$group_key", "$group_id"}
INSERT_ID = re.compile(r"^[A-Za-z0-9-]{1,36}$")


class Mixpanel(Vendor):
    def __init__(self, token, mode):
        super().__init__()
        self.token, self.mode = token, mode
        self.people = {"simplified": MixpanelSimplified, "original": MixpanelOriginal, "legacy": MixpanelLegacy}[mode]()
        self.events = {}                # dedup key -> event
        self.insert_ids = {}            # $insert_id -> dedup key
        self.order = []                 # first sights, in order
        self.legacy_person = {}         # dedup key -> who it went to when it came in
        self.profiles = {}              # distinct_id -> properties
        self.profile_times = {}
        self.groups = {}
        self.sums = {}                  # (distinct_id, property) -> sum of $add
        self.zipped = 0                 # requests that came compressed

    def handle(self, method, path, query, headers, body):
        if method != "POST":
            return as_json(405, {"error": "POST it"})
        if path == "/import":
            return self.take_import(query, headers, body)
        if path == "/track":
            return self.take_track(body)
        if path in ("/engage", "/groups"):
            return self.take_updates(path, headers, body)
        return as_json(404, {"error": "no such path"})

    def is_authorized(self, headers):
        try:
            user, password = base64.b64decode(headers.get("authorization", "")[6:]).decode().split(":", 1)
        except ValueError:
            return False
        return headers.get("authorization", "").startswith("Basic ") and user == self.token and password == ""

    def take_import(self, query, headers, body):
        if not self.is_authorized(headers):
            return as_json(401, {"code": 401, "error": "Invalid credentials", "status": "Unauthorized"})
        try:
            plain = unzipped(headers, body)
        except (zlib.error, ValueError) as problem:
            return as_json(400, {"code": 400, "error": str(problem)})
        self.zipped += plain is not body
        if plain is body and len(body) > 1024:
            self.violate("%d bytes of events came without compression" % len(body))
        body = plain
        if len(body) > IMPORT_BYTES:                # what the vendor counts: the JSON, not what travelled
            return as_json(413, {"code": 413, "error": "request exceeds max limit"})
        if not headers.get("content-type", "").startswith("application/json"):
            return as_json(400, {"code": 400, "error": "Content-Type must be application/json"})
        try:
            events = json.loads(body)
        except ValueError:
            return as_json(400, {"code": 400, "error": "request is no JSON"})
        if not isinstance(events, list) or len(events) > 2000:
            return as_json(413 if isinstance(events, list) else 400, {"code": 400, "error": "at most 2000 in a list"})
        failed, good = [], 0
        for index, event in enumerate(events):
            wrong = self.judge_event(event)
            if wrong and query.get("strict") == "1":
                failed.append(dict({"index": index}, **{"$insert_id": str(event.get("properties", {}).get("$insert_id")),
                                                       "field": wrong[0], "message": wrong[1]}))
            elif not wrong:
                self.store_event(event)
                good += 1
        if failed:
            return as_json(400, {"code": 400, "status": "Bad Request", "num_records_imported": good,
                                 "error": "some data points in the request failed validation", "failed_records": failed})
        return as_json(200, {"code": 200, "status": "OK", "num_records_imported": good})

    def judge_event(self, event):
        if len(json.dumps(event, ensure_ascii=False).encode()) > 1024 * 1024:
            return "event", "has more than 1 MB"
        if not isinstance(event, dict) or set(event) != {"event", "properties"} or not isinstance(event["event"], str):
            return "event", "must be {event, properties}"
        properties = event["properties"]
        if len(properties) >= 255:
            return "properties", "has too many"
        at, now = properties.get("time"), time.time() * 1000
        if not isinstance(at, (int, float)) or not 31536000000 <= (at if at > 1e11 else at * 1000) <= now + 3600000:
            return "properties.time", "must be within 1971 and an hour from now"
        if not isinstance(properties.get("distinct_id"), str):
            return "properties.distinct_id", "must be there"
        if properties["distinct_id"].lower() in BANNED:
            return "properties.distinct_id", "is a value that names nobody"
        if not INSERT_ID.match(str(properties.get("$insert_id", ""))) or properties["$insert_id"].lower() in BANNED:
            return "properties.$insert_id", "must be 1 to 36 of [A-Za-z0-9-]"
        return None

    def store_event(self, event):
        """Of two events with one name, distinct_id, $insert_id and calendar day Mixpanel keeps one, without a word: a
        retry is harmless, and another event under the same key is lost."""
        properties = event["properties"]
        at = properties["time"] if properties["time"] > 1e11 else properties["time"] * 1000
        key = (event["event"], int(at // DAY_MS), properties["distinct_id"], properties["$insert_id"])
        if key in self.events:
            self.repeats += 1
            if self.events[key] != event:
                self.violate("two events under one key, of which one is lost: %s, %s" % (self.events[key], event))
            return
        if self.insert_ids.setdefault(key[3], key) != key:
            self.violate("one $insert_id with another event, day or distinct_id: %s, %s"
                         % (self.insert_ids[key[3]], key))
        self.events[key] = event
        self.order.append(key)
        failure = self.people.apply(event["event"], properties)
        if failure:
            self.violate("%s: %s" % (failure, json.dumps(event)))
        if self.mode == "legacy" and not event["event"].startswith("$"):
            self.legacy_person[key] = self.people.person_now(properties)
        if self.mode == "simplified" and not properties.get("$user_id") and not properties.get("$device_id") \
                and properties["distinct_id"] and not properties["distinct_id"].startswith("$device:"):
            self.violate("a bare distinct_id becomes a user for ever: " + properties["distinct_id"])

    def take_track(self, body):
        form = urllib.parse.parse_qs(body.decode("latin-1"))
        try:
            events = json.loads(form["data"][0]) if "data" in form else json.loads(body)
        except (ValueError, KeyError):
            return as_json(200, {"status": 0, "error": "data is no JSON"})
        for event in events if isinstance(events, list) else [events]:
            at = event.get("properties", {}).get("time", time.time() * 1000)
            if (at if at > 1e11 else at * 1000) < time.time() * 1000 - 5 * DAY_MS:
                return as_json(200, {"status": 0, "error": "events of the last five days only"})
            self.people.apply(event["event"], event["properties"])
        return as_json(200, {"status": 1, "error": None})

    def take_updates(self, path, headers, body):
        if headers.get("content-encoding"):
            return as_json(200, {"status": 0, "error": "no gzip here"})
        try:
            updates = json.loads(body)
        except ValueError:
            return as_json(200, {"status": 0, "error": "no JSON"})
        if not isinstance(updates, list) or len(updates) > 2000:
            return as_json(200, {"status": 0, "error": "at most 2000 in a list"})
        for update in updates:
            wrong = self.judge_update(path, update)
            if wrong:
                return as_json(200, {"status": 0, "error": wrong})
        for update in updates:
            self.store_update(path, update)
        return as_json(200, {"status": 1, "error": None})

    def judge_update(self, path, update):
        if set(update) - UPDATE_FIELDS:
            return "unknown fields: %s" % sorted(set(update) - UPDATE_FIELDS)
        if update.get("$token") != self.token:
            return "invalid $token"
        if len(OPERATORS & set(update)) != 1:
            return "one operator an update"
        wanted = "$distinct_id" if path == "/engage" else "$group_id"
        return None if update.get(wanted) else "no " + wanted

    def store_update(self, path, update):
        operator = next(iter(OPERATORS & set(update)))
        who = update["$distinct_id"] if path == "/engage" else (update["$group_key"], update["$group_id"])
        table = self.profiles if path == "/engage" else self.groups
        if self.mode == "legacy" and path == "/engage":
            who = self.people.person_now({"distinct_id": who})
        if self.mode == "simplified" and path == "/engage" and who.startswith("$device:"):
            self.violate("a profile of a device is forgotten at its link: " + who)
        profile = table.setdefault(who, {})
        values, at = update[operator], update.get("$time", 0)
        if operator in ("$set", "$set_once"):
            for key, value in values.items():
                known = self.profile_times.get((path, who, key))
                if operator == "$set" and (known is None or known <= at) or operator == "$set_once" and key not in profile:
                    profile[key] = value
                    self.profile_times[(path, who, key)] = at
        elif operator == "$add":
            for key, value in values.items():
                self.sums[(who, key)] = self.sums.get((who, key), 0) + value
        elif operator in ("$union", "$append"):
            for key, value in values.items():
                had = profile.setdefault(key, [])
                had += [v for v in (value if isinstance(value, list) else [value]) if operator == "$append" or v not in had]
        elif operator == "$unset":
            for key in values:
                profile.pop(key, None)

    def person_of(self, key):
        if self.mode == "legacy":
            return self.legacy_person.get(key)
        return self.people.person(self.events[key]["properties"])


# ---- KISSmetrics ----

class Kissmetrics(Vendor):
    """Says 200 to anything; what it would lose or join wrongly is a violation."""

    def __init__(self, key):
        super().__init__()
        self.key = key
        self.people = KissmetricsPeople()
        self.order = []

    def handle(self, method, path, query, headers, body):
        if method == "POST":
            query = dict(urllib.parse.parse_qsl(body.decode("utf-8"), True))
        if query.get("_k") != self.key:
            self.violate("a wrong key is answered with 200")
        for field in ("_p",) + (("_n",) if path in ("/e", "/a") else ()):
            if not 0 < len(query.get(field, "").encode()) <= 255:
                self.violate("%s: %s is empty or over 255 bytes" % (path, field))
        if path in ("/e", "/s") and (not query.get("_t") or query.get("_d") != "1"):
            self.violate("_t without _d=1 is ignored")
        if path in ("/e", "/s") and int(query.get("_t", 0)) < 1230768000:
            self.violate("older than 2009")
        if method == "GET" and len(urllib.parse.urlencode(query)) > 8000:
            self.violate("the query is too long")
        if path in ("/e", "/s", "/a"):
            self.people.apply(path, query)
            self.order.append((path, query))
        else:
            self.violate("no such path: " + path)
        return 200, "image/gif", GIF, {}


# ---- Intercom ----

CONTACT_FIELDS = {"role", "external_id", "email", "phone", "name", "avatar", "signed_up_at", "last_seen_at", "owner_id",
                  "unsubscribed_from_emails", "custom_attributes"}
COMPANY_FIELDS = {"company_id", "name", "plan", "size", "website", "industry", "monthly_spend", "remote_created_at",
                  "custom_attributes"}


class Intercom(Vendor):
    def __init__(self, token, attributes=()):
        super().__init__()
        self.token, self.attributes = token, set(attributes)
        self.contacts, self.companies = {}, {}
        self.events = {}                # (contact, name, second) -> metadata
        self.order = []
        self.next_id = 1
        self.search_lag = 5             # a contact can be searched for so many requests after it was made

    def error(self, status, code, message, more=None):
        return as_json(status, {"type": "error.list", "errors": [{"code": code, "message": message}]}, more)

    def handle(self, method, path, query, headers, body):
        if headers.get("authorization") != "Bearer " + self.token:
            return self.error(401, "unauthorized", "Access Token Invalid")
        if "application/json" not in headers.get("accept", ""):
            return self.error(406, "media_type_not_acceptable", "The Accept header should send a media type of application/json")
        if not re.match(r"^2\.\d+$", headers.get("intercom-version", "")):
            self.violate("no API version")
        value = None
        if body:
            if not headers.get("content-type", "").startswith("application/json"):
                return self.error(415, "unsupported_media_type", "Content-Type")
            value = json.loads(body)
        parts = path.strip("/").split("/")
        route = getattr(self, "%s_%s" % (method.lower(), parts[0]), None)
        return route(parts[1:], value, query) if route else self.error(404, "not_found", "no such path")

    def by_external(self, external):
        return next((c for c in self.contacts.values() if external and c.get("external_id") == external), None)

    def judge_contact(self, value):
        if set(value) - CONTACT_FIELDS:
            return self.error(400, "parameter_invalid", "unknown: %s" % sorted(set(value) - CONTACT_FIELDS))
        for key, attribute in value.get("custom_attributes", {}).items():
            if key not in self.attributes:
                return self.error(400, "parameter_invalid", "Custom attribute '%s' does not exist" % key)
            if isinstance(attribute, (dict, list)):
                return self.error(400, "parameter_invalid", "Custom attribute '%s' is not flat" % key)
        if value.get("role") == "lead" and value.get("external_id"):
            return self.error(400, "parameter_invalid", "leads have no external_id")
        for key in ("signed_up_at", "last_seen_at"):
            if key in value and not isinstance(value[key], int):
                return self.error(400, "parameter_invalid", key + " must be seconds")
        return None

    def get_data_attributes(self, parts, value, query):
        return as_json(200, {"type": "list", "data": [
            {"type": "data_attribute", "model": query.get("model"), "name": name, "full_name": "custom_attributes." + name,
             "custom": True, "archived": False, "api_writable": True} for name in sorted(self.attributes)]})

    def get_contacts(self, parts, value, query):
        if parts[0] != "find_by_external_id":
            return self.error(404, "not_found", "User Not Found")
        found = self.by_external(urllib.parse.unquote(parts[1]))
        return as_json(200, found) if found else self.error(404, "not_found", "User Not Found")

    def post_contacts(self, parts, value, query):
        if parts == ["search"]:
            return self.search(value["query"])
        if parts == ["merge"]:
            return self.merge(value)
        if len(parts) == 2 and parts[1] == "companies":
            return self.attach(parts[0], value)
        wrong = self.judge_contact(value)
        if wrong:
            return wrong
        same = self.by_external(value.get("external_id"))
        if same:
            return self.error(409, "conflict", "A contact matching those details already exists with id=" + same["id"])
        made = dict(value, id="ic%d" % self.next_id, made_at=self.requests, companies=[])
        self.next_id += 1
        self.contacts[made["id"]] = made
        return as_json(200, made)

    def put_contacts(self, parts, value, query):
        if parts[0] not in self.contacts:
            return self.error(404, "not_found", "User Not Found")
        wrong = self.judge_contact(value)
        if wrong:
            return wrong
        contact = self.contacts[parts[0]]
        if contact.get("external_id") and value.get("external_id") not in (None, contact["external_id"]):
            self.violate("contact %s of %s became %s" % (parts[0], contact["external_id"], value["external_id"]))
        attributes = dict(contact.get("custom_attributes", {}), **value.get("custom_attributes", {}))
        contact.update(value, custom_attributes=attributes)
        return as_json(200, contact)

    def search(self, query):
        filters = query["value"] if query["operator"] in ("AND", "OR") else [query]
        found = [c for c in self.contacts.values() if self.requests - c["made_at"] > self.search_lag
                 and all(c.get(f["field"]) == f["value"] for f in filters)]
        return as_json(200, {"type": "list", "total_count": len(found), "data": found})

    def merge(self, value):
        lead, user = self.contacts.get(value["from"]), self.contacts.get(value["into"])
        if not lead or not user or lead.get("role") != "lead" or user.get("role") != "user":
            return self.error(400, "parameter_invalid", "only a lead into a user")
        for key in [k for k in self.events if k[0] == lead["id"]]:
            self.events[(user["id"],) + key[1:]] = self.events.pop(key)
        del self.contacts[lead["id"]]
        return as_json(200, user)

    def attach(self, contact, value):
        if contact not in self.contacts or value.get("id") not in self.companies:
            return self.error(404, "not_found", "no such contact or company")
        if value["id"] not in self.contacts[contact]["companies"]:
            self.contacts[contact]["companies"].append(value["id"])
        return as_json(200, self.companies[value["id"]])

    def delete_contacts(self, parts, value, query):
        if parts[0] not in self.contacts or parts[2] not in self.contacts[parts[0]]["companies"]:
            return self.error(404, "not_found", "not in it")
        self.contacts[parts[0]]["companies"].remove(parts[2])
        return as_json(200, {})

    def get_companies(self, parts, value, query):
        found = next((c for c in self.companies.values() if c["company_id"] == query.get("company_id")), None)
        return as_json(200, found) if found else self.error(404, "not_found", "Company Not Found")

    def post_companies(self, parts, value, query):
        if set(value) - COMPANY_FIELDS or not value.get("company_id"):
            return self.error(400, "parameter_invalid", "unknown: %s" % sorted(set(value) - COMPANY_FIELDS))
        for key in ("size", "monthly_spend"):
            if key in value and not isinstance(value[key], int):
                return self.error(400, "parameter_invalid", key + " must be an integer")
        for key, attribute in value.get("custom_attributes", {}).items():
            if key not in self.attributes:
                return self.error(400, "parameter_invalid", "Custom attribute '%s' does not exist" % key)
            if isinstance(attribute, (dict, list)):
                return self.error(400, "parameter_invalid", "Custom attribute '%s' is not flat" % key)
        found = next((c for c in self.companies.values() if c["company_id"] == value["company_id"]), None)
        if not found:
            found = {"id": "co%d" % self.next_id}
            self.next_id += 1
            self.companies[found["id"]] = found
        found.update(value)
        return as_json(200, found)

    def post_events(self, parts, value, query):
        contact = self.contacts.get(value.get("id", "")) or self.by_external(value.get("user_id"))
        if not contact:
            return self.error(404, "not_found", "User Not Found")
        if not isinstance(value.get("created_at"), int) or not value.get("event_name"):
            return self.error(400, "parameter_invalid", "event_name and created_at in seconds")
        for key, item in value.get("metadata", {}).items():
            if "." in key or "$" in key:
                return self.error(400, "parameter_invalid", "a name with . or $: " + key)
            if isinstance(item, dict) and set(item) not in ({"amount", "currency"}, {"url", "value"}) or isinstance(item, list):
                return self.error(400, "parameter_invalid", "not flat: " + key)
        key = (contact["id"], value["event_name"], value["created_at"], value.get("metadata", {}).get("id"))
        self.repeats += key in self.events
        self.events[key] = value
        self.order.append((value.get("user_id") or contact["id"], key))
        return 202, "application/json", b"", {}


# ---- Webhook ----

class Webhook(Vendor):
    def __init__(self, secret=""):
        super().__init__()
        self.secret = secret.encode()
        self.messages = {}              # messageId -> message
        self.keys = {}                  # Idempotency-Key -> messageIds
        self.order = []

    def handle(self, method, path, query, headers, body):
        messages = json.loads(body)
        ids = [m["messageId"] for m in (messages if isinstance(messages, list) else [messages])]
        if self.keys.setdefault(headers.get("idempotency-key"), ids) != ids:
            self.violate("one Idempotency-Key for %s and %s" % (self.keys[headers.get("idempotency-key")], ids))
        if self.secret:
            self.verify(headers, body, messages)
        for message in messages if isinstance(messages, list) else [messages]:
            known = self.messages.get(message["messageId"])
            if known is not None:
                self.repeats += 1
                if known != message:
                    self.violate("the same messageId with another body: " + message["messageId"])
                continue
            self.messages[message["messageId"]] = message
            self.order.append(message)
        return as_json(200, {"ok": True})

    def verify(self, headers, body, messages):
        fields = dict(part.split("=", 1) for part in headers.get("x-onym-signature", "t=0,v1=").split(","))
        wanted = hmac.new(self.secret, fields["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, fields["v1"]) or abs(time.time() - int(fields["t"])) > 300:
            self.violate("X-Onym-Signature is wrong")
        if not isinstance(messages, list):
            wanted = hmac.new(self.secret, body, hashlib.sha1).hexdigest()
            if headers.get("x-signature") != wanted:
                self.violate("X-Signature is wrong")


# ---- The server ----

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def answer(self, status, kind, body, more, half=False):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) + (100 if half else 0)))
        for key, value in more.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)
        if half:
            self.wfile.flush()
            self.reset()

    def work(self):
        standin, vendor = self.server.standin, self.server.standin.vendor
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query, True))
        headers = {k.lower(): v for k, v in self.headers.items()}
        trouble = standin.next_trouble()
        if trouble == "reset before":
            return self.reset()
        if trouble in (500, 503):
            return self.answer(trouble, "text/plain", b"trouble", {})
        if trouble == 429:
            return self.answer(429, "text/plain", b"slow down", {"Retry-After": "1"})
        with vendor.lock:
            vendor.requests += 1
            made = vendor.handle(self.command, parts.path, query, headers, body)
        if trouble == "reset after":
            return self.reset()
        if trouble == "too late":
            time.sleep(standin.late)
        self.answer(*made, half=trouble == "half")

    def do_any(self):
        try:
            self.work()
        except (BrokenPipeError, ConnectionResetError, OSError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_any


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass                                    # the client died: that is what the test is about


class Standin:
    KINDS = [500, 503, 429, "reset before", "reset after", "half", "too late"]

    def __init__(self, vendor, seed=0, trouble=0.0, kinds=None, late=0.2):
        self.vendor, self.trouble, self.late = vendor, trouble, late
        self.kinds = kinds or self.KINDS
        self.dice = random.Random(seed)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.standin = self
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def next_trouble(self):
        with self.vendor.lock:
            return self.dice.choice(self.kinds) if self.dice.random() < self.trouble else None

    def close(self):
        self.server.shutdown()
        self.server.server_close()
