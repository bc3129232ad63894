"""What the tables of a warehouse should hold, by a few lines of Python: a second reader of docs/warehouses.md.

Values are compared as what they are (numbers as numbers, instants as instants), since a column that became wider later has
another spelling of the same."""
import datetime
import decimal
import json
import re


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def fit(name):
    return name if len(name) <= 63 else f"{name[:54]}_{crc32c(name.encode()):08x}"


def segment_words(text):
    return "_".join(word.lower() for word in re.findall(r"[A-Z0-9]+[a-z0-9]*|[a-z0-9]+", text))


def name_of(text):
    return fit(segment_words(text))


INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)")


def instant(text):
    """Microseconds since 1970, or None where it is no instant beyond doubt."""
    match = INSTANT.fullmatch(text)
    if not match or not text.isascii():
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    zone = match[8]
    offset = 0
    if zone != "Z":
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        if hours > 14 or minutes > 59:
            return None
        offset = (hours * 60 + minutes) * (1 if zone[0] == "+" else -1)
    try:
        at = datetime.datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
    seconds = (at - datetime.datetime(1970, 1, 1)) // datetime.timedelta(seconds=1)
    at_ms = (seconds - offset * 60) * 1000
    if not -62135596800000 <= at_ms <= 253402300799999:
        return None
    fraction = decimal.Decimal(match[7] or 0)
    return (seconds - offset * 60) * 1000000 + int((fraction * 1000000).to_integral_value(decimal.ROUND_HALF_EVEN))


class Number(str):
    """A number as it was written."""


class Object(list):
    """Pairs in their order; a name may stand twice."""


def load(text):
    return json.loads(text, parse_int=Number, parse_float=Number, object_pairs_hook=Object)


def is_object(value):
    return isinstance(value, Object)


def type_of(value):
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, Number):
        digits = sum(c.isdigit() for c in re.split("[eE]", value)[0])
        exponent = int(re.split("[eE]", value)[1]) if re.search("[eE]", value) else 0
        if digits > 1000 or abs(exponent) > 1000:
            return "text"
        if re.fullmatch(r"-?\d+", value) and -2**63 <= int(value) < 2**63:
            return "bigint"
        return "numeric"
    if isinstance(value, str):
        return "timestamp with time zone" if instant(value) is not None else "text"
    return "text"


def join(a, b):
    if a == b or not a or not b:
        return a or b
    return "numeric" if {a, b} == {"bigint", "numeric"} else "text"


def meaning(value):
    """What a value says, whatever column it stands in."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return number(value)
    if isinstance(value, str):
        at = instant(value)
        return ("instant", at) if at is not None else value.replace("\0", "\ufffd")
    return value


def number(text):
    try:
        return ("number", decimal.Context(prec=3000).create_decimal(text).normalize(decimal.Context(prec=3000)))
    except decimal.InvalidOperation:
        return text


def equal(wanted, text, type_):
    """Whether the cell says what the model wants. In a column that is text the client's own spelling is kept."""
    if wanted is None or text is None:
        return wanted is None and text is None
    if isinstance(wanted, list):
        return load(text) == wanted
    if type_ == "text" and isinstance(wanted, tuple):
        return (number(text) if wanted[0] == "number" else ("instant", instant(text))) == wanted
    return read_cell(text, type_) == wanted


def read_cell(text, type_):
    """The same of what PostgreSQL says."""
    if text is None:
        return None
    if type_ == "boolean":
        return {"t": "true", "f": "false"}[text]
    if type_ in ("bigint", "numeric"):
        return number(text)
    if type_ == "timestamp with time zone":
        iso = text.replace(" ", "T")
        return ("instant", instant(iso + ":00" if re.search(r"[+-]\d\d$", iso) else iso))
    return text


class Model:
    """Tables by name: {"columns": {column: type}, "rows": {id: {column: meaning}}}; discards as a list."""

    RESERVED = {"uuid_ts", "id", "anonymous_id", "user_id", "received_at", "sent_at", "timestamp", "original_timestamp",
                "ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"}
    TABLES = {"track": ("tracks", None, None), "identify": ("identifies", "traits", "users"),
              "page": ("pages", "properties", None), "screen": ("screens", "properties", None),
              "group": ("groups", "traits", "accounts"), "alias": ("aliases", "traits", None)}
    BUILT_IN = {"tracks", "identifies", "users", "pages", "screens", "groups", "accounts", "aliases"}

    def __init__(self, blocked=()):
        self.tables = {}
        self.discards = []
        self.blocked = set(blocked)

    def add(self, line):
        """A message as `onym export` gives it, once."""
        pairs = load(line)
        message = dict(pairs)
        kind, id_ = message["type"], message["messageId"]
        user = message.get("userId") or None
        if user in self.blocked:
            user = None
        table, members, upserts = self.TABLES[kind]
        common = [("id", id_), ("received_at", message["receivedAt"]), ("sent_at", message.get("sentAt")),
                  ("timestamp", message["timestamp"]), ("original_timestamp", message.get("originalTimestamp")),
                  ("anonymous_id", message.get("anonymousId")), ("user_id", user)]
        slug = name_of(message.get("event", "")) if kind == "track" else ""
        own = {"track": [("event", slug or None), ("event_text", message.get("event"))],
               "page": [("name", message.get("name")), ("category", message.get("category"))],
               "group": [("group_id", message.get("groupId"))], "alias": [("previous_id", message.get("previousId"))]}
        own["screen"] = own["page"]
        fixed = common + own.get(kind, [])
        context = message.get("context") or []
        told = self.make(table, id_, id_, fixed, context, message.get(members) or [] if members else [])
        if kind == "track" and slug:
            event = fit("_" + slug) if slug in self.BUILT_IN or slug.startswith("onym_") else slug
            event = fit(event + "_") if re.search("_(resolved|pkey[0-9]*)$", event) else event
            told += self.make(event, id_, id_, fixed, context, message.get("properties") or [])
        elif kind == "track" and message.get("properties"):
            told += [(table, id_, "properties", "no_event_name")]
        self.discards += told[:100]
        who = user if kind == "identify" else message.get("groupId")
        if upserts and who:
            self.make(upserts, who, id_, [("id", who), ("received_at", message["receivedAt"])], context,
                      message.get(members) or [], is_upsert=True)

    def flatten(self, path, pairs):
        for key, value in pairs:
            name = f"{path}_{key}" if path else key
            if len(path.encode()) + 1 + len(key.encode()) > 1024:
                if value is not None:
                    yield path, value, True
            elif is_object(value):
                yield from self.flatten(name, value)
            elif value is not None:
                yield name, value, False

    def make(self, table, row_id, id_, fixed, context, members, is_upsert=False):
        told = []
        row = {}
        types = {}
        own = {column for column, _ in fixed}
        given = {column: value for column, value in fixed}
        for column, value in fixed:
            types[column] = "timestamp with time zone" if column in ("received_at", "sent_at", "timestamp",
                                                                     "original_timestamp") else "text"
            row[column] = value or None
            if value and types[column] != "text":
                at = instant(value)
                row[column] = None if at is None else ("instant", at)
        for is_context, pairs, path in ((True, context, "context"), (False, members, "")):
            for name, value, is_long in self.flatten(path, pairs if is_object(pairs) else []):
                column = name_of(name)
                if is_long:
                    told.append((table, id_, name, "name_too_long"))
                elif not column:
                    told.append((table, id_, name, "no_name"))
                elif column in own and isinstance(value, str) and str(value) == given[column]:
                    continue
                elif column in own or (not is_context and (column in self.RESERVED or column.startswith("context_"))):
                    told.append((table, id_, column, "reserved"))
                else:
                    if column in row:
                        told.append((table, id_, column, "same_column"))
                    row[column] = meaning(value)
                    types[column] = type_of(value)
        kept = self.tables.setdefault(table, {"columns": {}, "rows": {}})
        for column, type_ in types.items():
            kept["columns"][column] = join(kept["columns"].get(column), type_)
        if is_upsert:
            before = kept["rows"].get(row_id, {})
            row = {**before, **{column: value for column, value in row.items() if value is not None}}
        kept["rows"][row_id] = row
        return told
