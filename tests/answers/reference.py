"""Who is who and how far they got, by the definitions and nothing else: what tests/answers/run compares Onym with.

Written from docs/identity.md, docs/funnels.md and docs/queries.md; slow on purpose. Messages are dicts as they are
sent, with `at` (milliseconds) beside the timestamp.
"""
import collections


def instant(at):
    import datetime
    moment = datetime.datetime.fromtimestamp(at // 1000, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"


class People:
    def __init__(self, messages):
        self.users = {m["userId"] for m in messages if m.get("userId")}
        self.parent = {user: user for user in self.users}
        self.links = collections.defaultdict(list)           # anonymous id: (time, messageId, user)
        for m in messages:
            if m["type"] == "alias" and m["previousId"] in self.users:
                a, b = self.root(m["previousId"]), self.root(m["userId"])
                self.parent[max(a, b)] = min(a, b)
            elif m["type"] == "alias":
                self.links[m["previousId"]].append((m["at"], m["messageId"], m["userId"]))
            if m.get("anonymousId") and m.get("userId"):
                self.links[m["anonymousId"]].append((m["at"], m["messageId"], m["userId"]))
        for links in self.links.values():
            links.sort()

    def root(self, user):
        while self.parent[user] != user:
            user = self.parent[user]
        return user

    def of(self, m):
        """Whose a message is: ("u", smallest user id) or ("a", anonymous id)."""
        if m.get("userId"):
            return "u", self.root(m["userId"])
        links = self.links.get(m["anonymousId"])
        if not links:
            return "a", m["anonymousId"]
        before = [link for link in links if link[:2] < (m["at"], m["messageId"])]
        return "u", self.root((before or links[:1])[-1][2])

    def events(self, messages):
        """Person: their messages in order of time."""
        found = collections.defaultdict(list)
        for m in sorted(messages, key=lambda m: m["at"]):
            found[self.of(m)].append(m)
        return found


def is_event(m, wanted):
    """A step as text: a track's name, page:NAME or page:/path, "*"."""
    if wanted == "*":
        return True
    if wanted.startswith("page:"):
        path = m.get("properties", {}).get("path")
        return m["type"] == "page" and (wanted == "page:*" or wanted[5:] in (m.get("name"), path))
    return m["type"] == "track" and m["event"] == wanted


def depth_from(events, entry, steps, window):
    """The longest chain that begins with the event: different events, one a step, never backwards."""
    best, states = 1, {(entry,)}
    for step in steps[1:]:
        states = {chain + (at,) for chain in states for at in range(len(events))
                  if at not in chain and is_event(events[at], step) and events[at]["at"] >= events[chain[-1]]["at"]
                  and events[at]["at"] - events[entry]["at"] <= window}
        if not states:
            break
        # Of chains of one length only who is in them and where they end matters; keep the earliest ends.
        best += 1
        earliest = sorted(states, key=lambda chain: events[chain[-1]]["at"])[:400]
        states = set(earliest)
    return best


def funnel(messages, steps, window, field=None):
    """[people of each step], and with a field {value: [...]} by the first entry that gets deepest."""
    counts, groups = [0] * len(steps), collections.defaultdict(lambda: [0] * len(steps))
    for events in People(messages).events(messages).values():
        entries = [at for at in range(len(events)) if is_event(events[at], steps[0])]
        depths = [depth_from(events, entry, steps, window) for entry in entries]
        if not depths:
            continue
        deepest = max(depths)
        first = min(events[entry]["at"] for entry, depth in zip(entries, depths) if depth == deepest)
        values = [events[entry].get("properties", {}).get(field) for entry, depth in zip(entries, depths)
                  if depth == deepest and events[entry]["at"] == first]
        value = min(values, key=lambda v: (v is not None, v or ""))
        for step in range(deepest):
            counts[step] += 1
            groups[value][step] += 1
    return counts, dict(groups)


def bucket(at, unit):
    """The number of the calendar unit in UTC, and when it begins."""
    import datetime
    moment = datetime.datetime.fromtimestamp(at // 1000, datetime.timezone.utc)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        day -= datetime.timedelta(days=day.weekday())
    if unit == "month":
        day = day.replace(day=1)
        return day.year * 12 + day.month, int(day.timestamp()) * 1000
    if unit == "hour":
        return at // 3600000, at // 3600000 * 3600000
    days = int(day.timestamp()) // 86400
    return (days // 7 if unit == "week" else days), days * 86400000


def trends(messages, event, unit, measure, field=None):
    """{bucket's begin: value} without the empty ones, and the total."""
    people, buckets = People(messages), collections.defaultdict(list)
    for m in messages:
        if is_event(m, event):
            buckets[bucket(m["at"], unit)[1]].append((people.of(m), m.get("properties", {}).get(field)))

    def value(found):
        if measure == "count":
            return len(found)
        if measure == "people":
            return len({person for person, _ in found})
        return sum(number for _, number in found if number is not None)
    whole = value([one for found in buckets.values() for one in found])
    return {at: value(found) for at, found in buckets.items() if value(found)}, whole


def retention(messages, birth, back, unit, periods, unbounded):
    """{cohort's begin: (people, [returned])}, periods that were not seen yet left as None."""
    observed = max((m["at"] for m in messages), default=0)
    cohorts = collections.defaultdict(lambda: [0, [0] * (periods + 1)])
    for events in People(messages).events(messages).values():
        births = [m for m in events if is_event(m, birth)]
        if not births:
            continue
        first = births[0]["at"]
        # Of births of one millisecond one is the birth: one that is no return if there is such.
        born = min((m for m in births if m["at"] == first), key=lambda m: is_event(m, back))
        cohort = cohorts[bucket(first, unit)[1]]
        cohort[0] += 1
        came = {bucket(m["at"], unit)[0] - bucket(first, unit)[0] for m in events
                if m is not born and is_event(m, back) and m["at"] >= first}
        for period in range(periods + 1):
            cohort[1][period] += any(k >= period and k <= periods if unbounded else k == period for k in came)
    last = bucket(observed, unit)[0]
    return {at: (people, [count if bucket(at, unit)[0] + period <= last else None for period, count in enumerate(returned)])
            for at, (people, returned) in cohorts.items()}
