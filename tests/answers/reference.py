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
