"""Random histories, and questions with everything that they may have: every chain of every person is tried, every
event counted by the calendar of Python's own zoneinfo. Written from docs/funnels.md and docs/queries.md.

Loaded by run, which has the case that these build on. The seed is printed; SEED= repeats it.
"""
import collections
import datetime
import json
import math
import zoneinfo

from answers import DAY, START, Case, reference, seed

USER_TYPES = ("track", "page", "screen")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Apia", "Africa/Cairo")
WEEK_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def account_of(m):
    return m["groupId"] if m["type"] == "group" else m.get("context", {}).get("groupId")


def matches(m, event):
    if isinstance(event, dict):
        event = event["event"]
    if event in ("group", "identify"):
        return m["type"] == event
    return reference.is_event(m, event)


def value_of(m, field, traits):
    if field.startswith("traits."):
        return traits.get(field.removeprefix("traits."))
    return m["type"] if field == "type" else m.get("properties", {}).get("p")


def rank(value):
    """The order of groups: none, booleans, numbers, texts."""
    kinds = [type(None), bool, int, str]
    return kinds.index(type(value)), 0 if value is None else value


def owners(messages, of):
    """{person or account: (their events in order of time, their traits now)}."""
    people, found = reference.People(messages), collections.defaultdict(lambda: ([], {}))
    for m in sorted(messages, key=lambda m: m["at"]):
        owner = account_of(m) if of == "groups" else people.of(m)
        if owner is None:
            continue
        found[owner][0].append(m)
        if m["type"] == ("group" if of == "groups" else "identify"):
            found[owner][1].update(m.get("traits", {}))
    return found


# ---- Funnels ----

class Funnel:
    """One question; times in milliseconds. chains() tries all of one person."""

    def __init__(self, steps, window, order, range_of, since, until, exclusions):
        self.steps, self.window, self.order, self.range_of = steps, window, order, range_of
        self.since, self.until, self.exclusions = since, until, exclusions

    def holds(self, events, chain):
        times = [events[at]["at"] for at in chain]
        if times != sorted(times) or times[-1] - times[0] > self.window or not self.since <= times[0] < self.until:
            return False
        if self.range_of == "all" and times[-1] >= self.until:
            return False
        for step in range(1, len(times)):
            within = self.steps[step].get("within") if self.order != "any" else None
            if within is not None and times[step] - times[step - 1] > within:
                return False
        for excluded in self.exclusions:
            first, last = excluded["from"] - 1, min(excluded["to"], len(times)) - 1
            if first < last and any(matches(m, excluded) and times[first] < m["at"] < times[last] for m in events):
                return False
        return self.order != "strict" or not any(
            times[0] < m["at"] < times[-1] and at not in chain
            and (m["type"] in USER_TYPES or any(matches(m, step) for step in self.steps))
            for at, m in enumerate(events))

    def reach(self, events, entry):
        """When the chains from an entry first have 1, 2, … events."""
        everything = frozenset(range(len(self.steps)))
        chains = {((entry,), frozenset([step])) for step in (everything if self.order == "any" else [0])
                  if matches(events[entry], self.steps[step])}
        times = []
        while chains := {(chain, took) for chain, took in chains if self.holds(events, chain)}:
            times.append(min(events[chain[-1]]["at"] for chain, _ in chains))
            longer = set()
            for chain, took in chains:
                for step in everything - took if self.order == "any" else everything & {len(chain)}:
                    longer.update((chain + (at,), took | {step}) for at, m in enumerate(events)
                                  if at not in chain and m["at"] >= events[chain[-1]]["at"] and matches(m, self.steps[step]))
            if self.order == "any":                  # of those with the same events and steps one is enough
                longer = {(frozenset(chain), took): (chain, took) for chain, took in
                          sorted(longer, key=lambda one: events[one[0][-1]]["at"], reverse=True)}.values()
            chains = longer
        return times

    def answer(self, people, field, attribution):
        """[people, median, p90 of each step], and {group: the same}."""
        whole, groups = [], collections.defaultdict(list)
        for events, traits in people.values():
            entries = [(times, value_of(m, field, traits)) for at, m in enumerate(events)
                       if (times := self.reach(events, at))]
            if not entries:
                continue
            group, times = self.counts(entries)
            whole.append(times)
            if attribution == "first":
                groups[json.dumps(group)].append(times)
            for value in {json.dumps(value) for _, value in entries} if attribution == "any" else ():
                groups[value].append(self.counts([one for one in entries if json.dumps(one[1]) == value])[1])
        return self.lines(whole), {group: self.lines(found) for group, found in groups.items()}

    @staticmethod
    def counts(entries):
        """The earliest of those that get deepest; of one millisecond those of the smallest group."""
        depth = max(len(times) for times, _ in entries)
        first = min(times[0] for times, _ in entries if len(times) == depth)
        here = [(times, value) for times, value in entries if len(times) == depth and times[0] == first]
        group = min((value for _, value in here), key=rank)
        return group, [min(step) for step in zip(*(times for times, value in here if rank(value) == rank(group)))]

    def lines(self, found):
        lines = []
        for step in range(len(self.steps)):
            took = sorted(times[step] - times[0] for times in found if len(times) > step)
            lines.append([len(took)] + [took[math.ceil(share * len(took)) - 1] if took and step else None
                                        for share in (.5, .9)])
        return lines


# ---- Calendars ----

def unit_of(at, unit, zone, week_start):
    """A number that grows by one from unit to unit, and when the unit begins."""
    day = datetime.datetime.fromtimestamp(at // 1000, zone).date()
    number = {"day": day.toordinal(), "week": (day.toordinal() - 1 - week_start) // 7, "month": day.year * 12 + day.month - 1,
              "quarter": (day.year * 12 + day.month - 1) // 3}[unit]
    months = number * {"month": 1, "quarter": 3}.get(unit, 0)
    first = (datetime.date(months // 12, months % 12 + 1, 1) if months
             else datetime.date.fromordinal(number * 7 + 1 + week_start if unit == "week" else number))
    begins = datetime.datetime(first.year, first.month, first.day, tzinfo=zone)
    return number, int(begins.timestamp()) * 1000


class Histories(Case):
    def tell(self, dice, span):
        messages, start = [], START - dice.randrange(5000) * DAY
        for number in range(dice.randrange(20, 60)):
            at = start + (dice.randrange(span) if dice.random() < .7 else dice.randrange(12) * (span // 12))
            m = {"messageId": f"{dice.choice('mx')}-{number}", "type": "track", "event": dice.choice("ABC"), "at": at}
            who = dice.random()
            if who > .4:
                m["userId"] = f"u{dice.randrange(4)}"
            if who < .6:
                m["anonymousId"] = f"a{dice.randrange(4)}"
            if (kind := dice.random()) < .2:
                m |= {"type": "page", "name": dice.choice(("Home", "Other"))}
                del m["event"]
            elif kind < .35:                        # at times of their own, so that one write is the last
                m |= {"type": (kind := dice.choice(("identify", "group"))), "at": start + number * (span // 60) + number,
                      "traits": {"plan": dice.choice(("pro", "free", 3))}}
                del m["event"]
                if kind == "group":
                    m["groupId"] = f"g{dice.randrange(3)}"
            if m["type"] in USER_TYPES and dice.random() < .7:
                m["properties"] = {"p": dice.choice(("x", "y", 1, True))}
            if m["type"] != "group" and dice.random() < .5:
                m["context"] = {"groupId": f"g{dice.randrange(3)}"}
            messages.append(m)
        shuffled = list(messages)
        dice.shuffle(shuffled)
        self.send(shuffled)
        return messages, start

    def test_funnels_of_people_and_accounts(self):
        dice = seed()
        for story in range(4):
            span = dice.choice((1200, 20 * 60000, 3 * DAY, 40 * DAY))
            self.data = self.directory / f"story-{story}"
            self.begin()
            messages, start = self.tell(dice, span)
            people = {of: owners(messages, of) for of in ("people", "groups")}
            for _ in range(25):
                self.one_funnel(dice, span, start, people)
            self.stop()

    def one_funnel(self, dice, span, start, people):
        order, of = dice.choice(("in_order", "strict", "any")), dice.choice(("people", "groups"))
        steps = [{"event": dice.choice(("A", "B", "C", "*", "page:Home", "page:*", "identify", "group"))}
                 for _ in range(dice.randint(1, 3))]
        for step in steps[1:] if order != "any" else ():
            if dice.random() < .4:
                step["within"] = dice.choice((1, span // 20, span // 4))
        exclusions = []
        if order == "in_order" and len(steps) > 1 and dice.random() < .4:
            first = dice.randint(1, len(steps) - 1)
            exclusions = [{"event": dice.choice("ABC"), "from": first, "to": dice.randint(first + 1, len(steps))}]
        window, range_of = dice.choice((span // 20, span // 4, span)), dice.choice(("entries", "all"))
        since = start + dice.randrange(span) if dice.random() < .4 else 0
        until = max(start + dice.randrange(span), since + 1) if dice.random() < .4 else START + 300 * DAY
        by, attribution = dice.choice(("properties.p", "traits.plan", "type")), dice.choice(("first", "any"))
        question = {"steps": [{"event": step["event"], **({"window": f"{step['within']}ms"} if "within" in step else {})}
                              for step in steps],
                    "window": f"{window}ms", "order": order, "range": range_of, "of": of, "from": since, "to": until,
                    "by": by, "attribution": attribution, "exclusions": exclusions, "limit": 1000}
        if not exclusions:
            del question["exclusions"]
        answer = self.ask("funnels", question)
        want = Funnel(steps, window, order, range_of, since, until, exclusions).answer(people[of], by, attribution)

        def told(steps):
            return [[step["people"], step["median_ms"], step["p90_ms"]] for step in steps]
        self.assertEqual((told(answer["steps"]), {json.dumps(g["value"]): told(g["steps"]) for g in answer["groups"]}),
                         want, json.dumps(question))

    def test_trends_and_retention_by_calendars(self):
        dice = seed()
        for story in range(4):
            self.data = self.directory / f"story-{story}"
            self.begin()
            messages, start = self.tell(dice, span := dice.choice((3, 40, 200)) * DAY)
            for _ in range(25):
                zone, of = dice.choice(ZONES), dice.choice(("people", "groups"))
                unit, week_start = dice.choice(("day", "week", "month", "quarter")), dice.randrange(7)
                since = start + dice.randrange(span) if dice.random() < .4 else 0
                members = {"timezone": zone, "unit": unit, "week_start": WEEK_DAYS[week_start], "of": of, "from": since}

                def unit_at(at, calendar=(unit, zoneinfo.ZoneInfo(zone), week_start)):
                    return unit_of(at, *calendar)
                self.one_trend(dice, owners(messages, of), members, since, unit_at)
                self.one_retention(dice, owners(messages, of), members, since, unit_at, max(m["at"] for m in messages))
            self.stop()

    def one_trend(self, dice, people, members, since, unit_at):
        event = dice.choice(("A", "B", "*", "page:*", "group"))
        found = collections.defaultdict(set)
        for owner, (events, _) in people.items():
            for m in events:
                if matches(m, event) and m["at"] >= since:
                    found[reference.instant(unit_at(m["at"])[1])].add(owner)
        answer = self.ask("trends", {**members, "from": max(since, START - 5000 * DAY),
                                     "series": [{"event": event, "measure": "people"}]})
        told = {begin: n for begin, n in zip(answer["buckets"], answer["series"][0]["values"]) if n}
        self.assertEqual(told, {begin: len(owners) for begin, owners in found.items()}, (event, members))

    def one_retention(self, dice, people, members, since, unit_at, last):
        birth, back, periods = dice.choice(("A", "*", "group")), dice.choice(("B", "*", "page:*")), dice.randint(1, 6)
        first, mode = dice.choice(("ever", "in_range")), dice.choice(("n_day", "unbounded"))
        cohorts = {}
        for events, _ in people.values():
            births = [m for m in events if matches(m, birth) and (first == "ever" or m["at"] >= since)]
            if not births or births[0]["at"] < since:
                continue
            at = births[0]["at"]
            born = min((m for m in births if m["at"] == at), key=lambda m: matches(m, back))
            came = {unit_at(m["at"])[0] - unit_at(at)[0] for m in events if m is not born and matches(m, back) and m["at"] >= at}
            row = [any(k <= n <= periods if mode == "unbounded" else n == k for n in came) for k in range(periods + 1)]
            line = cohorts.setdefault(unit_at(at)[1], [unit_at(at)[0], 0, [0] * (periods + 1)])
            line[1] += 1
            line[2] = [sum(pair) for pair in zip(line[2], row)]
        end = unit_at(last)[0]
        want = {reference.instant(begin): (count, [n if number + k <= end else None for k, n in enumerate(row)])
                for begin, (number, count, row) in cohorts.items()}
        question = {**members, "birth": birth, "return": back, "periods": periods, "first": first, "mode": mode}
        told = {c["start"]: (c["people"], c["returned"]) for c in self.ask("retention", question)["cohorts"]}
        self.assertEqual(told, want, question)
