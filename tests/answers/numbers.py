"""Small histories whose numbers are worked out by hand: what questions mean where times, types and ranges are odd.

Loaded by run, which has the case that these build on."""
import json
import time
import urllib.error
import urllib.parse
import urllib.request

from answers import SECRET, Case, reference, seed

DAY = 86400000


def at(text):
    """Milliseconds of an instant, UTC."""
    import calendar
    return calendar.timegm(time.strptime(text, "%Y-%m-%d" if len(text) == 10 else "%Y-%m-%dT%H:%M:%S")) * 1000


class Numbers(Case):
    def tell(self, *events):
        """(userId, what, when, further members): a track, or where what is a dict any message."""
        messages = []
        for number, (user, what, when, *more) in enumerate(events):
            kind = what if isinstance(what, dict) else {"type": "track", "event": what}
            messages.append({"userId": user, "messageId": f"n-{len(self.told) + number}", "at": at(when), **kind,
                             **(more[0] if more else {})})
        self.told = self.told + messages
        self.send(messages)

    def setUp(self):
        super().setUp()
        self.told = []
        self.begin()

    def warnings(self, answer):
        return {warning["field"]: warning["message"] for warning in answer["warnings"]}

    # ---- Retention ----

    def test_who_never_came_back_was_seen_not_to(self):
        self.tell(*[(f"u{n}", "Signed Up", "2026-01-05") for n in range(5)], ("u0", "Order", "2026-02-10"),
                  *[(f"v{month}", "Visit", f"2026-{month:02}-15") for month in range(1, 12)])
        question = {"birth": "Signed Up", "return": "Order", "unit": "month", "periods": 6}
        answer = self.ask("retention", question)
        self.assertEqual(answer["total"]["returned"], [0, 1, 0, 0, 0, 0, 0])
        self.assertEqual(answer["total"]["eligible"], [5] * 7)
        self.assertEqual(answer["cohorts"][0]["returned"], [0, 1, 0, 0, 0, 0, 0])
        self.assertEqual(answer["observed_to"], "2026-11-15T00:00:00.000Z")
        # where only those who ordered are asked for, too: what is observed is everybody's
        where = [{"field": "properties.plan", "op": "not exists"}]
        self.assertEqual(self.ask("retention", {**question, "where": where})["total"]["eligible"], [5] * 7)
        self.assertEqual(self.ask("retention", {**question, "mode": "unbounded"})["total"]["returned"], [1, 1, 0, 0, 0, 0, 0])
        # what comes after the last event of anybody was not seen
        late = self.ask("retention", {**question, "birth": "Visit", "from": "2026-10-01"})
        self.assertEqual(late["total"]["eligible"], [2, 1, 0, 0, 0, 0, 0])
        self.assertEqual([c["returned"] for c in late["cohorts"]], [[0, 0] + [None] * 5, [0] + [None] * 6])
        days = self.ask("retention", {"birth": "Signed Up", "periods": 3, "timezone": "America/New_York"})
        self.assertEqual(days["cohorts"][0], {"start": "2026-01-04T05:00:00.000Z", "people": 5, "returned": [0, 0, 0, 0]})

    def test_the_first_time_ever_is_not_the_first_in_the_range(self):
        self.tell(("old", "Order", "2026-01-10"), ("old", "Order", "2026-03-10"), ("new", "Order", "2026-03-12"),
                  ("new", "Order", "2026-04-12"))
        question = {"birth": "Order", "unit": "month", "periods": 1, "from": "2026-03-01"}
        self.assertEqual(self.ask("retention", question)["total"]["people"], 2)
        ever = self.ask("retention", {**question, "first": "ever"})
        self.assertEqual((ever["first"], ever["total"]["people"], ever["total"]["returned"]), ("ever", 1, [0, 1]))
        self.assertEqual(ever["from"], "2026-03-01T00:00:00.000Z")
        self.assertEqual(self.ask("retention", {**question, "first": "never"}, 400)["error"]["field"], "first")

    # ---- Times ----

    def test_a_clock_that_was_never_set_does_not_stretch_a_question(self):
        self.tell(("u", "A", "1970-01-02"), ("u", "A", "1980-01-06"), ("u", "A", "2026-03-01"), ("v", "A", "2026-03-02"),
                  ("w", "B", "2023-06-01"))
        for unit, buckets in (("hour", 25), ("day", 2), ("week", 2), ("month", 1), ("quarter", 1)):
            for measure, total in (("count", 2), ("people", 2)):
                answer = self.ask("trends", {"series": [{"event": "A", "measure": measure}], "unit": unit})
                self.assertEqual((answer["series"][0]["total"], len(answer["buckets"])), (total, buckets), unit)
                self.assertIn("2 events before 2000", self.warnings(answer)["from"])
            answer = self.ask("signups", {"event": "A", "unit": unit})
            self.assertEqual((answer["people"], len(answer["buckets"])), (2, buckets), unit)
            self.assertIn("before 2000", self.warnings(answer)["from"])
        # a question about others says nothing
        self.assertEqual(self.ask("trends", {"series": ["B"]})["warnings"], [])
        # more units than there may be, of times that can be: the last ones
        answer = self.ask("trends", {"series": ["*"], "unit": "hour"})
        self.assertEqual((answer["series"][0]["total"], len(answer["buckets"])), (2, 25))
        self.assertIn("more than 10000 units", self.warnings(answer)["from"])
        answer = self.ask("signups", {"event": "*", "unit": "hour"})
        self.assertEqual(answer["people"], 2)
        self.assertIn("1 earlier", self.warnings(answer)["from"])
        # who asks for it gets it
        answer = self.ask("trends", {"series": ["A"], "unit": "month", "from": "1970-01-01"})
        self.assertEqual((answer["series"][0]["total"], answer["warnings"]), (4, []))
        self.assertEqual(self.ask("trends", {"series": ["A"], "to": "1990-01-01"})["series"][0]["total"], 2)
        self.assertEqual(self.ask("trends", {"series": ["A"], "unit": "hour", "from": "1970-01-01"}, 400)["error"]["field"],
                         "unit")
        answer = self.ask("retention", {"birth": "A", "periods": 1})
        self.assertEqual([c["start"][:10] for c in answer["cohorts"]], ["2026-03-01", "2026-03-02"])
        self.assertIn("2 events before 2000", self.warnings(answer)["from"])
        self.assertEqual(self.ask("retention", {"birth": "A", "first": "ever", "from": "2026-03-02"})["total"]["people"], 1)

    def test_weeks_from_sunday_and_quarters(self):
        # 2026-03-01 is a Sunday
        self.tell(("u", "A", "2026-02-28"), ("u", "A", "2026-03-01"), ("u", "A", "2026-03-02"), ("u", "A", "2026-04-01"))
        def buckets(**members):
            answer = self.ask("trends", {"series": ["A"], **members})
            return [(start[:10], count) for start, count in zip(answer["buckets"], answer["series"][0]["values"]) if count]
        self.assertEqual(buckets(unit="week"), [("2026-02-23", 2), ("2026-03-02", 1), ("2026-03-30", 1)])
        self.assertEqual(buckets(unit="week", week_start="sunday"), [("2026-02-22", 1), ("2026-03-01", 2), ("2026-03-29", 1)])
        self.assertEqual(buckets(unit="week", week_start="saturday"), [("2026-02-28", 3), ("2026-03-28", 1)])
        self.assertEqual(buckets(unit="quarter"), [("2026-01-01", 3), ("2026-04-01", 1)])
        self.assertEqual(self.ask("trends", {"series": ["A"], "unit": "week", "week_start": "sunday"})["week_start"], "sunday")
        self.assertEqual(self.ask("trends", {"series": ["A"], "week_start": "Sunday"}, 400)["error"]["field"], "week_start")
        text = self.command("trends", "A", "--unit", "week", "--week-start", "sunday")
        self.assertIn("2026-03-01", text)
        self.assertIn("2026 Q2", self.command("trends", "A", "--unit", "quarter"))

    def test_weeks_go_on_behind_a_day_that_a_zone_left_out(self):
        # Samoa had no 30 December 2011, a Friday; Kiritimati no 31 December 1994, a Saturday
        self.tell(*[("u", "A", f"2011-12-{day:02}T20:00:00") for day in range(20, 32)],
                  *[("u", "A", f"2012-01-{day:02}T20:00:00") for day in range(1, 15)],
                  ("v", "B", "1994-12-20"), ("v", "B", "1995-01-20"), ("v", "B", "1995-04-20"))
        def starts(event, **members):
            answer = self.ask("trends", {"series": [event], "from": 0, **members})
            first = next(at for at, value in enumerate(answer["series"][0]["values"]) if value)
            return [(start[:13], value) for start, value in zip(answer["buckets"], answer["series"][0]["values"])][first:]
        apia = {"timezone": "Pacific/Apia", "unit": "week", "from": "2011-12-20"}
        self.assertEqual(starts("A", week_start="friday", **apia),
                         [("2011-12-16T10", 3), ("2011-12-23T10", 7), ("2011-12-30T10", 6), ("2012-01-05T10", 7),
                          ("2012-01-12T10", 3)])
        self.assertEqual([start for start, _ in starts("A", week_start="saturday", **apia)],
                         ["2011-12-17T10", "2011-12-24T10", "2011-12-30T10", "2012-01-06T10", "2012-01-13T10"])
        line = {"timezone": "Pacific/Kiritimati", "from": "1994-12-15"}
        self.assertEqual(starts("B", unit="quarter", **line),
                         [("1994-10-01T10", 1), ("1994-12-31T10", 1), ("1995-03-31T10", 1)])
        weeks = starts("B", unit="week", week_start="saturday", **line)
        self.assertEqual([start[:10] for start, _ in weeks][:4], ["1994-12-17", "1994-12-24", "1994-12-31", "1995-01-06"])

    # ---- Labels ----

    def test_what_is_told_by_its_name_has_no_warning(self):
        """(not indexed) is warned of where an answer tells it, and only there."""
        self.tell(("u", "A", "2026-03-01"), ("u", {"type": "page", "name": "Home"}, "2026-03-01T01:00:00"),
                  ("u", {"type": "page"}, "2026-03-01T02:00:00", {"properties": {"path": "/"}}),
                  ("u", {"type": "page"}, "2026-03-01T03:00:00"))
        questions = (("paths", {"event": "A", "depth": 3}), ("paths", {"event": "page:", "direction": "before"}),
                     ("signups", {"event": "A"}), ("trends", {"series": ["*"], "by": "event"}))
        for path, question in questions:
            self.assertEqual(self.ask(path, question)["warnings"], [], (path, question))
        self.tell(("u", {"type": "page"}, "2026-03-01T00:30:00", {"properties": {"path": 7}}))
        for path, question in questions:
            is_told = "(not indexed)" in str({**(answer := self.ask(path, question)), "warnings": None})
            self.assertEqual(bool(answer["warnings"]), is_told, (path, question))
            self.assertEqual(is_told, path != "signups", (path, question))


    def test_every_label_can_be_asked_back(self):
        """What an answer calls an event is, asked, exactly that; whatever strangers call theirs."""
        day = iter(f"2026-03-{n:02}" for n in range(1, 29))
        when = "2026-03-01"
        odd = ["page:/", "page:*", "page:", "screen:Home", "*", "identify", "group", "alias", "track", "page", "track=x",
               "page=/", "(not indexed)", "Plain", 'say "hi"\n', "ü", "screen=", "identify=", "a=b", "track:x", "=", ":"]
        self.tell(*[("u", name, when) for name in odd],
                  *[("u", {"type": "page", "name": name}, when, {"properties": properties, "context": context})
                    for name, properties, context in (
                        ("Landing", {"path": "/"}, {}), ("Landing", {"path": "/x"}, {}), ("", {"path": "/"}, {}),
                        ("", {}, {"page": {"path": "/"}}), ("", {}, {}), ("", {"path": ""}, {}), ("*", {}, {}),
                        ("/", {"path": "/other"}, {}), ("", {"path": 7}, {}), ("", {"path": "/" + "x" * 600}, {}),
                        ("", {"path": ["/"]}, {}), ("only", {}, {}), ("/x", {}, {}), ("", {"path": "Landing"}, {}))],
                  *[("u", {"type": "screen", "name": name}, when, {"properties": properties})
                    for name, properties in (("Home", {}), ("", {}), ("", {"path": "Home"}), ("*", {}))],
                  ("u", {"type": "identify", "traits": {}}, when), ("u", {"type": "group", "groupId": "g"}, when),
                  ("u", {"type": "alias", "previousId": "v"}, when))
        answer = self.ask("trends", {"series": ["*"], "by": "event", "limit": 1000})
        series = answer["series"][0]
        self.assertEqual(sum(group["total"] for group in series["groups"]), len(self.told))
        labels = [group["value"] for group in series["groups"]]
        self.assertEqual(len(set(labels)), len(labels))
        for group in series["groups"]:
            label = group["value"]
            for event in (label, {"event": label}):
                asked = self.ask("trends", {"series": [event]})["series"][0]
                self.assertEqual((asked["event"], asked["total"]), (label, group["total"]), label)
            self.assertEqual(self.funnel(label), [1], label)
        self.assertIn("Plain", labels)
        self.assertIn("page:", labels)
        # the loose way still is: the name, or the path
        self.assertEqual(self.ask("trends", {"series": ["page:/"]})["series"][0]["total"], 4)
        self.assertEqual(self.ask("trends", {"series": ["page:*"]})["series"][0]["total"], 14)
        for path in self.ask("paths", {"event": "Plain", "depth": 10, "within": "1d", "limit": 100})["depths"]:
            for event in path["events"]:
                self.assertGreater(self.ask("trends", {"series": [event["event"]]})["series"][0]["total"], 0)
        for event in self.ask("events", {})["events"]:
            asked = self.ask("trends", {"series": [{"event": event["name"] or "", "type": event["type"]}]})
            self.assertGreaterEqual(asked["series"][0]["total"], event["count"])

    # ---- Traits ----

    def group_of(self, by, event="A", **more):
        answer = self.ask("trends", {"series": [event], "by": by, **more})
        return {json_key(group["value"]): group["total"] for group in answer["series"][0]["groups"]}, self.warnings(answer)

    def people_where(self, field, op, value, event="A"):
        return self.funnel({"event": event, "where": [{"field": field, "op": op, "value": value}]})[0]

    def test_traits_that_are_objects_are_reached_into(self):
        def identify(user, **traits):
            return (user, {"type": "identify"}, "2026-03-01", {"traits": traits})
        self.tell(identify("a", address={"city": "Oslo", "geo": {"lat": 59.9}}, company={"id": 7, "plan": "pro"}),
                  identify("b", address={"city": "Rome"}, **{"company.plan": "free", "company": {"plan": "pro"}}),
                  identify("c", address="none", tags=["x", "y"]),
                  identify("d", company={"a.b": {"c.d": True}, "plan": None}, address={"city": ""}),
                  identify("e", address={"city": {"name": "Bonn"}}),
                  *[(user, "A", "2026-03-02") for user in "abcdef"])
        self.assertEqual(self.people_where("traits.address.city", "=", "Oslo"), 1)
        self.assertEqual(self.people_where("traits.address.city", "exists", True), 4)
        self.assertEqual(self.people_where("traits.address.city.name", "=", "Bonn"), 1)
        self.assertEqual(self.people_where("traits.address.geo.lat", ">", 59), 1)
        self.assertEqual(self.people_where("traits.company.id", "=", 7), 1)
        self.assertEqual(self.people_where("traits.company.plan", "=", "pro"), 1)        # b's is of that very name
        self.assertEqual(self.people_where("traits.company.plan", "!=", "pro"), 5)
        self.assertEqual(self.people_where("traits.company.a.b.c.d", "=", True), 1)
        self.assertEqual(self.people_where("traits.tags", "contains", "y"), 1)
        groups, warnings = self.group_of("traits.address.city")
        self.assertEqual(groups, {"Oslo": 1, "Rome": 1, "": 1, None: 2, "(not indexed)": 1})
        self.assertIn("traits.address.city", warnings)                                   # e's is an object
        groups, warnings = self.group_of("traits.company.plan")
        self.assertEqual((groups, warnings), ({"pro": 1, "free": 1, None: 4}, {}))
        groups, warnings = self.group_of("traits.address")
        self.assertEqual(groups["(not indexed)"], 4)
        self.assertIn("traits.address", warnings)
        answer = self.ask("trends", {"series": [{"event": "A", "where": [
            {"field": "traits.address", "op": "=", "value": "none"}]}]})
        self.assertEqual(list(self.warnings(answer)), ["traits.address"])
        listed = {trait["field"]: trait["people"] for trait in self.ask("events", {})["traits"]}
        self.assertEqual(listed, {"traits.address.city": 3, "traits.address.geo.lat": 1, "traits.address": 1,
                                  "traits.address.city.name": 1, "traits.company.id": 1, "traits.company.plan": 3,
                                  "traits.tags": 1, "traits.company.a.b.c.d": 1})
        self.assertEqual([t["field"] for t in self.ask("events", {"search": "geo"})["traits"]], ["traits.address.geo.lat"])
        # merged people are one: the last write counts, and an unset trait is none
        self.tell(("a", {"type": "identify", "anonymousId": "x"}, "2026-03-05", {"traits": {"address": None}}),
                  (None, {"type": "identify", "anonymousId": "x"}, "2026-03-06", {"traits": {"tags": ["z"]}}))
        listed = {trait["field"]: trait["people"] for trait in self.ask("events", {})["traits"]}
        self.assertEqual((listed["traits.address.city"], listed["traits.tags"]), (2, 2))
        self.assertNotIn("traits.address.geo.lat", listed)

    def test_literal_dots_in_properties(self):
        self.tell(("a", "A", "2026-03-01", {"properties": {"a.b": 1}}), ("b", "A", "2026-03-01", {"properties": {"a": {"b": 1}}}))
        self.assertEqual(self.people_where("properties.a.b", "=", 1), 2)

    # ---- Numbers ----

    def test_integers_over_2_to_the_53_are_themselves(self):
        big = 9007199254740993
        values = [big - 1, big, big + 1, big + 2, -big, -big - 1, 12345678901234567890, 12345678901234567891, 10 ** 37 + 1]
        self.tell(*[("u", "A", "2026-03-01", {"properties": {"n": value}}) for value in values],
                  ("t", {"type": "identify"}, "2026-03-01", {"traits": {"n": big}}), ("t", "B", "2026-03-01"))
        for value in values:
            asked = [{"event": "A", "where": [{"field": "properties.n", "op": op, "value": value}]} for op in ("=", "<", ">=")]
            got = [series["total"] for series in self.ask("trends", {"series": asked})["series"]]
            self.assertEqual(got, [1, sum(v < value for v in values), sum(v >= value for v in values)], value)
        groups, warnings = self.group_of("properties.n")
        self.assertEqual((groups, warnings), ({value: 1 for value in values}, {}))
        self.assertEqual(self.people_where("traits.n", "=", big, "B"), 1)
        self.assertEqual(self.people_where("traits.n", "=", big - 1, "B"), 0)
        self.assertEqual(self.group_of("traits.n", "B")[0], {big: 1})
        people = self.ask("funnels/people", {"steps": ["A"], "by": "properties.n", "attribution": "any", "group": big})
        self.assertEqual((people["total"], people["people"][0]["group"]), (1, big))
        self.assertEqual(people["people"][0]["steps"][0]["message"]["properties"]["n"], big)
        listed = self.ask("events", {"field": "properties.n"})
        self.assertEqual({value["value"] for value in listed["values"]}, set(values))
        self.assertEqual(self.ask("events", {"search": "ties.n"})["properties"][0]["examples"][:2], [min(values), max(values)])
        answer = self.ask("trends", {"series": [{"event": "A", "measure": "sum", "property": "properties.n"}]})
        self.assertIn("2^53", self.warnings(answer)["properties.n"])

    def test_numbers_written_as_texts_are_numbers_where_numbers_are_asked_for(self):
        texts = ["12.50", 7.5, "-3", " 1e1 ", "+2", "1,234", "5 EUR", "", "0x10", "nan", True, ["3"], ".5", "1."]
        self.tell(*[("u%d" % n, "A", "2026-03-01", {"properties": {"p": text}}) for n, text in enumerate(texts)],
                  ("x", "A", "2026-03-01"))
        series = [{"event": "A", "measure": m, "property": "properties.p"} for m in ("sum", "min", "max", "avg", "median")]
        answer = self.ask("trends", {"series": series})
        numbers = [12.5, 7.5, -3, 10, 2, .5, 1]
        self.assertEqual([one["total"] for one in answer["series"]], [sum(numbers), -3, 12.5, sum(numbers) / 7, 2])
        said = [w["message"] for w in answer["warnings"] if w["field"] == "properties.p"]
        self.assertTrue(any(m.startswith("6 values are numbers written as text") for m in said), said)
        self.assertTrue(any(m.startswith("7 values are no numbers") for m in said), said)
        answer = self.ask("funnels", {"steps": [{"event": "A", "where": [{"field": "properties.p", "op": ">", "value": 2.5}]}]})
        self.assertEqual(answer["steps"][0]["people"], 3)
        self.assertIn("6 values", self.warnings(answer)["properties.p"])
        self.assertEqual(self.people_where("properties.p", "=", "12.50"), 1)
        self.assertEqual(self.people_where("properties.p", "=", 12.5), 0)               # the same type, as documented
        self.assertEqual(self.people_where("properties.p", "<", "1"), 6)                # texts by their bytes
        self.tell(("t", {"type": "identify"}, "2026-03-01", {"traits": {"seats": "12"}}), ("t", "B", "2026-03-01"))
        answer = self.ask("funnels", {"steps": [{"event": "B", "where": [{"field": "traits.seats", "op": ">=", "value": 5}]}]})
        self.assertEqual(answer["steps"][0]["people"], 1)
        self.assertIn("traits.seats", self.warnings(answer))

    # ---- Lists, and what the message itself says ----

    def test_lists_are_asked_for_what_they_hold(self):
        self.tell(*[(f"u{n}", "A", "2026-03-01", {"properties": {"tags": tags}}) for n, tags in enumerate(
            (["red", "blue"], ["red"], [], "red-ish", ["1", 2, True, 9007199254740993], ["q\"u\\o", "ü", "redder"],
             [["red"]], [{"a": "red"}], None, 7))])
        for value, count in (("red", 3), ("blue", 1), ("1", 1), (2, 1), (True, 1), (9007199254740993, 1), ('q"u\\o', 1),
                             (9007199254740992, 0), ("ü", 1), ("redd", 0), (["blue", 2], 2)):
            self.assertEqual(self.people_where("properties.tags", "contains", value), count, value)
            self.assertEqual(self.people_where("properties.tags", "not contains", value), 10 - count, value)
        groups, warnings = self.group_of("properties.tags")
        self.assertEqual(groups['["red","blue"]'], 1)
        self.assertEqual((groups["(not indexed)"], list(warnings)), (2, ["properties.tags"]))
        people = self.ask("funnels/people", {"steps": ["A"], "by": "properties.tags", "group": ["red", "blue"]})
        self.assertEqual((people["total"], people["people"][0]["group"]), (1, ["red", "blue"]))
        self.assertIn("list", self.ask("events", {"field": "properties.tags"})["types"])
        self.assertIn("1", self.command("funnel", "A", "--where", "properties.tags~blue", "--json"))

    def test_every_value_can_be_asked_back(self):
        """What a breakdown tells is, asked, exactly those: by a filter, and as a funnel's group. So it is of traits."""
        values = [None, True, 0, -0.0, 1, 1.0, 1e5, 2 ** 53 + 1, "", "1", "true", "null", "(not indexed)", "x" * 600, [],
                  [1], [1.0], [1, 2], [2, 1], ["1"], ["a", "b"], ["\u00e9"], [None, True], [2 ** 53 + 1], ["y" * 600],
                  [["a"]], [{"a": 1}], "\u00e9"]
        self.tell(*[(f"u{n}", {"type": "identify"}, "2026-03-01", {"traits": {"x": value}})
                    for n, value in enumerate(values)],
                  *[(f"u{n}", "A", "2026-03-01", {"properties": {"x": value}}) for n, value in enumerate(values)])
        for field in ("properties.x", "traits.x"):
            groups = self.ask("trends", {"series": ["A"], "by": field, "limit": 1000})["series"][0]["groups"]
            told = {json.dumps(group["value"]): group["total"] for group in groups}
            self.assertEqual(len(told), len(groups), field)               # no two that read the same
            self.assertEqual(told["[1]"], 2)
            self.assertEqual(told['"(not indexed)"'], {"properties.x": 5, "traits.x": 3}[field])
            for group in groups:
                for op, total in (("=", group["total"]), ("!=", len(values) - group["total"])):
                    where = [{"field": field, "op": op, "value": group["value"]}]
                    asked = self.ask("trends", {"series": [{"event": "A", "where": where}]})["series"][0]["total"]
                    self.assertEqual(asked, total, (field, op, group["value"]))
                people = self.ask("funnels/people", {"steps": ["A"], "by": field, "group": group["value"]})
                self.assertEqual(people["total"], group["total"], (field, group["value"]))
            some = [{"field": field, "op": "in", "value": [[2, 1], "1", None]}]
            self.assertEqual(self.funnel({"event": "A", "where": some}), [3])
        listed = self.ask("events", {"field": "properties.x", "limit": 100})
        self.assertEqual(listed["types"], ["boolean", "number", "text", "list", "other"])
        self.assertIn({"value": [1], "count": 2}, listed["values"])
        bad = {"event": "A", "where": [{"field": "properties.x", "op": "=", "value": [["a"]]}]}
        self.assertEqual(self.ask("funnels", {"steps": [bad]}, 400)["error"]["field"], "steps[0].where[0].value")

    def test_an_object_asked_as_a_whole_is_warned_of(self):
        self.tell(("a", "A", "2026-03-01", {"properties": {"cart": {"total": 5}}}),
                  ("b", "A", "2026-03-01", {"properties": {"cart": 7}}))
        whole = [{"field": "properties.cart", "op": "exists"}]
        for question in ({"series": ["A"], "by": "properties.cart"}, {"series": [{"event": "A", "where": whole}]},
                         {"series": [{"event": "A", "measure": "sum", "property": "properties.cart"}]}):
            self.assertIn("is an object", self.warnings(self.ask("trends", question))["properties.cart"], question)
        part = {"series": ["A"], "by": "properties.cart.total"}
        self.assertEqual(self.ask("trends", part)["warnings"], [])

    def test_what_the_message_itself_says(self):
        library = {"context": {"library": {"name": "analytics.js"}}}
        self.tell(("ann", "A", "2026-03-01", library), ("bob", "A", "2026-03-01"), ("bob", "B", "2026-03-01"),
                  (None, "A", "2026-03-01", {"anonymousId": "x", **library}),
                  ("ann", {"type": "page", "name": "Home"}, "2026-03-01", {"properties": {"path": "/"}}),
                  ("ann", {"type": "group", "groupId": "acme"}, "2026-03-01"),
                  ("bob", "A", "2026-03-02", {"context": {"groupId": "acme"}}),
                  ("cid", {"type": "group", "groupId": 7}, "2026-03-01"))
        def count(field, op, value):
            where = [{"field": field, "op": op, "value": value}]
            return self.ask("trends", {"series": [{"event": "*", "where": where}]})["series"][0]["total"]
        for field, op, value, want in (
                ("userId", "=", "ann", 3), ("userId", "in", ["ann", "bob"], 6), ("userId", "exists", True, 7),
                ("userId", "not exists", True, 1), ("userId", "!=", "ann", 5), ("userId", "contains", "b", 3),
                ("userId", "=", "nobody", 0), ("userId", "<", "b", 3), ("groupId", "=", "acme", 2), ("groupId", "=", "7", 1),
                ("groupId", "exists", True, 3), ("name", "=", "A", 4), ("name", "in", ["A", "Home"], 5),
                ("name", "not exists", True, 2), ("type", "=", "track", 5), ("type", "in", ["page", "group"], 3),
                ("library", "=", "analytics.js", 2), ("source", "=", "web", 8), ("type", "!=", "track", 3)):
            self.assertEqual(count(field, op, value), want, (field, op, value))
        for by, want in (("userId", {"ann": 3, "bob": 3, "cid": 1, None: 1}), ("groupId", {"acme": 2, "7": 1, None: 5}),
                         ("name", {"A": 4, "B": 1, "Home": 1, None: 2}), ("type", {"track": 5, "page": 1, "group": 2}),
                         ("library", {"analytics.js": 2, None: 6}), ("source", {"web": 8})):
            self.assertEqual(self.group_of(by, "*"), (want, {}), by)
        self.assertEqual(self.funnel("A", "B", by="userId"), [3, 1])
        self.assertEqual(self.ask("retention", {"birth": "A", "by": "userId", "periods": 1})["groups"][0]["people"], 1)
        self.assertIn("acme", self.command("trends", "*", "--by", "groupId"))
        self.assertIn("3", self.command("trends", "*", "--where", "userId=ann"))


    # ---- Funnels ----

    def test_who_entered_in_time_may_take_the_window(self):
        self.tell(("in", "A", "2026-01-31"), ("in", "B", "2026-02-02"), ("late", "A", "2026-02-01"), ("late", "B", "2026-02-02"),
                  ("slow", "A", "2026-01-30"), ("slow", "B", "2026-02-20"), ("again", "A", "2026-01-30"),
                  ("again", "A", "2026-02-01T00:00:01"), ("again", "B", "2026-02-07"))
        january = {"from": "2026-01-01", "to": "2026-02-01"}
        answer = self.ask("funnels", {"steps": ["A", "B"], **january})
        self.assertEqual([step["people"] for step in answer["steps"]], [3, 1])
        self.assertEqual((answer["range"], answer["to"]), ("entries", "2026-02-01T00:00:00.000Z"))
        self.assertEqual(self.funnel("A", "B", range="all", **january), [3, 0])
        self.assertEqual(self.funnel("A", "B", order="any", **january), [3, 1])
        self.assertEqual(self.funnel("A", "B", order="strict", **january), [3, 1])
        people = self.ask("funnels/people", {"steps": ["A", "B"], "step": 2, **january})
        self.assertEqual((people["total"], people["range"]), (1, "entries"))
        self.assertEqual(self.ask("funnels", {"steps": ["A"], "range": "some"}, 400)["error"]["field"], "range")
        self.assertIn("\n2  B", self.command("funnel", "A", "B", "--range", "all", "--from", "2026-01-01", "--to", "2026-02-01"))

    def test_strict_order_and_any_order(self):
        self.tell(("straight", "A", "2026-01-01T00:00:00"), ("straight", "B", "2026-01-01T00:01:00"),
                  ("straight", {"type": "identify"}, "2026-01-01T00:00:30"),
                  ("apart", "A", "2026-01-01T00:00:00"), ("apart", "X", "2026-01-01T00:00:30"),
                  ("apart", "B", "2026-01-01T00:01:00"),
                  ("twice", "A", "2026-01-01T00:00:00"), ("twice", "X", "2026-01-01T00:00:30"),
                  ("twice", "A", "2026-01-01T00:00:40"), ("twice", "B", "2026-01-01T00:01:00"),
                  ("back", "B", "2026-01-01T00:00:00"), ("back", "A", "2026-01-01T00:01:00"))
        self.assertEqual(self.funnel("A", "B"), [4, 3])
        self.assertEqual(self.funnel("A", "B", order="strict"), [4, 2])
        self.assertEqual(self.funnel("A", "B", order="any"), [4, 4])
        # an identify is in between where a step could be one, and else not
        self.assertEqual(self.funnel("A", "B", "identify", order="strict"), [4, 1, 0])
        self.assertEqual(self.funnel("A", "identify", "B", order="strict"), [4, 1, 1])
        answer = self.ask("funnels", {"steps": ["A", "B"], "order": "any"})
        self.assertEqual(([step["event"] for step in answer["steps"]], answer["order"]), ([None, None], "any"))
        people = self.ask("funnels/people", {"steps": ["A", "B"], "step": 2, "order": "any"})["people"]
        chains = {p["person"]["user_ids"][0]: [step["event"] for step in p["steps"]] for p in people}
        self.assertEqual((chains["back"], chains["straight"]), (["B", "A"], ["A", "B"]))
        for members, field in (({"order": "any", "exclusions": [{"event": "X"}]}, "exclusions"),
                               ({"order": "loose"}, "order"),
                               ({"order": "any", "steps": ["A", {"event": "B", "window": "1h"}]}, "order"),
                               ({"steps": [{"event": "A", "window": "1h"}, "B"]}, "steps[0].window"),
                               ({"steps": ["A", {"event": "B", "window": 3}]}, "steps[1].window")):
            self.assertEqual(self.ask("funnels", {"steps": ["A", "B"], **members}, 400)["error"]["field"], field)
        self.assertIn("any 2 of 2", self.command("funnel", "A", "B", "--order", "any"))

    def test_a_step_may_have_a_window_of_its_own(self):
        self.tell(("u", "A", "2026-01-01T00:00:00"), ("u", "B", "2026-01-01T01:00:00"), ("u", "B", "2026-01-01T05:00:00"),
                  ("u", "C", "2026-01-01T05:30:00"), ("v", "A", "2026-01-01T00:00:00"), ("v", "B", "2026-01-01T03:00:00"))
        def steps(b, c):
            return self.funnel("A", {"event": "B", "window": b}, {"event": "C", "window": c}, window="7d")
        self.assertEqual(steps("2h", "7d"), [2, 1, 1])
        self.assertEqual(steps("2h", "1h"), [2, 1, 0])              # the B that C follows came too late
        self.assertEqual(steps("6h", "1h"), [2, 2, 1])              # not the first B that could be it
        said = self.command("funnel", "A", "B", "C", "--step-window", "2=2h", "--step-window", "3=1h", "--csv")
        self.assertEqual([line.split(",")[3] for line in said.splitlines()[1:]], ["2", "1", "0"])


    def test_every_group_can_be_asked_for_by_the_command(self):
        values = ["pro", 1, "1", True, "true", 2.5, ["a", 1], [], '"dq"', '"half', "[x", "inf", "0x1", "1.", "-", "", " sp ",
                  "line\nbreak", "null"]
        self.tell(*[(f"u{at}", "A", "2026-01-01", {"properties": {"p": value}}) for at, value in enumerate(values)])
        for value in values:
            plain = value if isinstance(value, str) and value in ("pro", '"half', "[x", "inf", "0x1", "1.", "-") else json.dumps(value)
            for given in {plain, json.dumps(value)}:
                said = self.command("funnel", "A", "--by", "properties.p", "--people", "1", "--group", given, "--json")
                self.assertEqual(json.loads(said)["total"], 1, given)

    # ---- Accounts ----

    def test_accounts_in_place_of_people(self):
        """Random histories of accounts: a funnel, people a month and retention, worked out by a few lines."""
        dice = seed()
        events = [(f"u{dice.randrange(12)}", dice.choice("ABC"), f"2026-{1 + dice.randrange(6):02}-{1 + dice.randrange(28):02}",
                   {"context": {"groupId": f"g{dice.randrange(5)}"}} if dice.random() < .8 else {}) for _ in range(150)]
        self.tell(*events, ("u1", {"type": "group", "groupId": "g1"}, "2026-02-01", {"traits": {"plan": {"name": "pro"}}}),
                  ("u2", {"type": "group", "groupId": "g2"}, "2026-02-01", {"traits": {"plan": {"name": "free"}}}))
        of = {}
        for user, what, when, more in events:
            if more:
                of.setdefault(more["context"]["groupId"], []).append((at(when), what))
        def gets(times, window):
            return any(w == "A" and any(w2 == "B" and t <= t2 <= t + window for t2, w2 in times) for t, w in times)
        entered = [g for g, times in of.items() if any(w == "A" for _, w in times)]
        got = [g for g in entered if gets(of[g], 3 * DAY)]
        question = {"steps": ["A", "B"], "window": "3d", "of": "groups"}
        answer = self.ask("funnels", question)
        self.assertEqual(([s["people"] for s in answer["steps"]], answer["of"]), ([len(entered), len(got)], "groups"))
        listed = self.ask("funnels/people", {**question, "step": 2})
        self.assertEqual(sorted(p["person"]["group_id"] for p in listed["people"]), sorted(got))
        self.assertEqual(listed["total"], len(got))
        answer = self.ask("trends", {"series": [{"event": "A", "measure": "people"}], "unit": "month", "of": "groups"})
        months = [len({g for g, times in of.items() if any(w == "A" and time.gmtime(t / 1000).tm_mon == m for t, w in times)})
                  for m in range(1, 7)]
        self.assertEqual(answer["series"][0]["values"], months)
        self.assertEqual(answer["series"][0]["total"], len(entered))
        answer = self.ask("retention", {"birth": "A", "return": "C", "of": "groups", "unit": "month", "periods": 1})
        self.assertEqual(answer["total"]["people"], len(entered))
        self.assertEqual(self.ask("trends", {"series": ["*"], "of": "groups"})["series"][0]["total"], len(self.told))
        answer = self.ask("funnels", {**question, "by": "traits.plan.name"})
        groups = {g["value"]: g["steps"][0]["people"] for g in answer["groups"]}
        self.assertEqual((groups.get("pro", 0), groups.get("free", 0)), (int("g1" in entered), int("g2" in entered)))
        pro = {"field": "traits.plan.name", "op": "=", "value": "pro"}
        self.assertEqual(self.funnel("A", of="groups", where=[pro]), [int("g1" in entered)])
        self.assertEqual(self.ask("funnels", {**question, "of": "cats"}, 400)["error"]["field"], "of")
        self.assertEqual(self.ask("paths", {"event": "A", "of": "groups"}, 400)["error"]["field"], "of")
        self.assertIn("g", self.command("funnel", "A", "--of", "groups", "--people", "1"))

    def look_up(self, path, status=200):
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", headers={"Authorization": f"Bearer {SECRET}"})
        try:
            with urllib.request.urlopen(request) as answer:
                got, body = answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                got, body = refusal.code, json.load(refusal)
        self.assertEqual(got, status, body)
        return body

    def test_a_placeholder_is_no_account(self):
        names = ["null", "undefined", "None", "N/A", "[object Object]", " NaN ", "00000000-0000-0000-0000-000000000000",
                 "{{company.id}}"]
        self.tell(("u1", "A", "2026-01-01", {"context": {"groupId": "g1"}}),
                  ("u1", {"type": "group", "groupId": "g1"}, "2026-01-02", {"traits": {"plan": "pro"}}),
                  *[("u1", "A", "2026-01-03", {"context": {"groupId": name}}) for name in names],
                  *[("u1", {"type": "group", "groupId": name}, "2026-01-04", {"traits": {"plan": "none"}})
                    for name in names])
        people = self.ask("trends", {"series": [{"event": "A", "measure": "people"}], "unit": "month", "of": "groups"})
        self.assertEqual(people["series"][0]["total"], 1)
        listed = self.ask("funnels/people", {"steps": ["A"], "of": "groups", "step": 1})
        self.assertEqual([p["person"]["group_id"] for p in listed["people"]], ["g1"])
        person = self.look_up("people/resolve?user_id=u1")["person_id"]
        self.assertEqual([g["group_id"] for g in self.look_up(f"people/{person}/groups")["groups"]], ["g1"])
        for name in names:
            self.look_up(f"groups/{urllib.parse.quote(name, safe='')}", 404)
            self.assertEqual(self.look_up(f"groups/{urllib.parse.quote(name, safe='')}/people")["people"], [])


def json_key(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) if isinstance(value, list) else value
