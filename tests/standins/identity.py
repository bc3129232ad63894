"""How the vendors' servers join identities, restated from their documents: the stand-in servers keep their
people by these, and the vectors' server models are run against them (tests/vectors)."""
import re

UUID4 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$", re.I)
CLUSTER_MAX = 500


class Union:
    """Ids that are one person, for ever."""

    def __init__(self):
        self.parent = {}
        self.size = {}

    def find(self, a):
        self.parent.setdefault(a, a)
        while self.parent[a] != a:
            self.parent[a] = self.parent[self.parent[a]]
            a = self.parent[a]
        return a

    def count(self, a):
        return self.size.get(self.find(a), 1)

    def join(self, a, b):
        a, b = self.find(a), self.find(b)
        if a != b:
            self.size[a] = self.count(a) + self.count(b)
            self.parent[b] = a


class MixpanelSimplified:
    """A device belongs to the first user that it was seen with in one event, back and forward in time."""

    def __init__(self):
        self.users = {}             # device -> user

    def apply(self, event, properties):
        device, user = properties.get("$device_id"), properties.get("$user_id")
        if device and user:
            self.users.setdefault(device, user)

    def person(self, properties):
        device, user, distinct = properties.get("$device_id"), properties.get("$user_id"), properties.get("distinct_id")
        if not device and not user and distinct:
            if distinct.startswith("$device:"):
                device = distinct[len("$device:"):]
            else:
                user = distinct     # anything else is taken for a user, for ever
        if user:
            return user
        return self.users.get(device, "$device:" + device) if device else ""


class MixpanelOriginal:
    """Clusters of ids by $identify, $create_alias and $merge."""

    def __init__(self):
        self.ids = Union()
        self.claimed = set()        # anonymous ids that were merged with an identified one
        self.aliases = set()
        self.failures = []

    def fail(self, reason):
        self.failures.append(reason)
        return reason

    def join(self, a, b):
        if self.ids.find(a) != self.ids.find(b) and self.ids.count(a) + self.ids.count(b) > CLUSTER_MAX - 1:
            return self.fail("errManyIDs")
        self.ids.join(a, b)
        return None

    def apply(self, event, properties):
        """The failure's name, None where it went well, or was no link."""
        if event == "$identify":
            identified, anonymous = properties.get("$identified_id"), properties.get("$anon_id")
            if not identified or not anonymous:
                return None
            if identified == anonymous:
                return self.fail("errSameIDs")
            if not UUID4.match(anonymous):
                return self.fail("errAnonDistinctIdNonGUIDForm")
            if anonymous in self.claimed and self.ids.find(anonymous) != self.ids.find(identified):
                return self.fail("errAnonDistinctIdAssignedAlready")
            failure = self.join(identified, anonymous)
            if not failure:
                self.claimed.add(anonymous)
            return failure
        if event == "$create_alias":
            alias = properties["alias"]
            if alias in self.aliases:
                return self.fail("errAliasAlreadyExists")
            failure = self.join(properties["distinct_id"], alias)
            if not failure:
                self.aliases.add(alias)
            return failure
        if event == "$merge":
            return self.join(*properties["$distinct_ids"])
        return None

    def person(self, properties):
        distinct = properties.get("distinct_id", "")
        return self.ids.find(distinct) if distinct else ""


class MixpanelLegacy:
    """$create_alias makes a forward look-up, once an alias: what came before under the alias stays apart."""

    def __init__(self):
        self.alias_of = {}
        self.used = set()           # ids under which something was sent
        self.failures = []

    def apply(self, event, properties):
        if event != "$create_alias":
            return None
        alias, distinct = properties["alias"], properties["distinct_id"]
        if alias in self.alias_of:
            if self.alias_of[alias] == distinct:
                return None
            self.failures.append("errAliasAlreadyExists")
            return self.failures[-1]
        if alias in self.used:
            self.failures.append("used before its alias: " + alias)
        self.alias_of[alias] = distinct
        return None

    def person_now(self, properties):
        """Legacy decides when the event comes in, not when one asks."""
        distinct = properties.get("distinct_id", "")
        if distinct:
            self.used.add(distinct)
        return self.alias_of.get(distinct, distinct)


class Kissmetrics:
    """Aliases are symmetric, transitive and for ever; the same event in the same second counts once."""

    def __init__(self, now=0):
        self.ids = Union()
        self.events = {}            # (person's id as sent, name, second) -> properties
        self.values = {}            # (id, property, second) -> value
        self.now = now

    @staticmethod
    def name(text):
        return text.replace(",", " ").replace(":", " ")

    def second(self, query):
        return int(query["_t"]) if query.get("_t") and str(query.get("_d")) == "1" else self.now

    def apply(self, path, query):
        if path == "/a":
            self.ids.join(query["_p"], query["_n"])
        elif path == "/e":
            key = (query["_p"], self.name(query["_n"]).lower(), self.second(query))
            self.events.setdefault(key, []).append(query)
        elif path == "/s":
            for key, value in query.items():
                if not key.startswith("_"):
                    self.values[(query["_p"], key.lower(), self.second(query))] = value
        return 200                  # whatever it was

    def person(self, identity):
        return self.ids.find(identity)
