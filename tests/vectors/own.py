"""Our own vectors: what strangers' messages taught. Each: what is sent through a destination, and what must come out.

    (name, type, settings, [message, ...], answers, check)

check(ours) gives what is wrong, or None. A message needs only what matters to it. Nothing may vanish: what is not in a
request is in a report. These need nothing of ../shared.
"""
import json, re, urllib.parse
from wire import body_of, split_url

NOW = "2024-05-01T10:00:00.000Z"
AT_MS = 1714557600000
MIXPANEL = {"token": "T", "identity": "simplified"}
ORIGINAL = {"token": "T", "identity": "original"}
KISSMETRICS = {"api_key": "K"}


def message(fields):
    made = {"messageId": "m-1", "projectId": "website", "timestamp": NOW}
    made.update(fields)
    return made


def track(event="E", properties=None, **more):
    return dict({"type": "track", "event": event, "userId": "u", "properties": properties or {}}, **more)


def group(traits, **more):
    return dict({"type": "group", "groupId": "g", "userId": "u", "traits": traits}, **more)


# ---- Looking at what came out ----

def updates(ours, path):
    made = [one for r in ours["requests"] if path in r["url"] for one in body_of(r)]
    return [{k: v for k, v in one.items() if k.startswith("$") and isinstance(v, (dict, list))} for one in made]


def events(ours):
    return [e for r in ours["requests"] if "/import" in r["url"] for e in body_of(r)]


def properties_of(ours, name="E"):
    return next(e["properties"] for e in events(ours) if e["event"] == name)


def queries(ours):
    made = []
    for request in ours["requests"]:
        host, path, query = split_url(request["url"])
        if request.get("body"):
            query = dict(urllib.parse.parse_qsl(request["body"], True))
        made.append((path, query))
    return made


def equal(get, wanted):
    def check(ours):
        got = get(ours)
        return None if got == wanted else "got %s" % json.dumps(got)
    return check


def has(get, wanted, absent=()):
    """wanted: a part of the object."""
    def check(ours):
        got = get(ours)
        wrong = {k: got.get(k) for k in wanted if got.get(k) != wanted[k]}
        wrong.update({k: got[k] for k in absent if k in got})
        return "got %s" % json.dumps(wrong) if wrong else None
    return check


def reported(*words):
    def check(ours):
        missing = [word for word in words if not any(word in report for report in ours["reports"])]
        return "no report says %s: %s" % (missing, ours["reports"]) if missing else None
    return check


def once(ours):
    return None if len(ours["reports"]) == 1 else "%d reports" % len(ours["reports"])


def silent(ours):
    return "reports %s" % ours["reports"] if ours["reports"] else None


def both(*checks):
    return lambda ours: next((wrong for wrong in (check(ours) for check in checks) if wrong), None)


# ---- Mixpanel ----

def insert_ids_differ(ours):
    ids = [e["properties"]["$insert_id"] for e in events(ours)]
    wrong = [i for i in ids if not re.match("^[A-Za-z0-9-]{1,36}$", i)]
    return "no keys: %s" % wrong if wrong else None if len(set(ids)) == len(ids) else "shared: %s" % ids


PAGE = "6d877e16-4a1f-4b0e-9d57-0a1b2c3d4e5f"
IDS = ["17959257085590000-" + PAGE, "17959257088790000-" + PAGE, PAGE, "ajs-next-1700000000000-" + PAGE, "\u00e90",
 "a\nb",
       "order-1", "x" * 100, "x" * 99 + "y", "null", "0"]
SHAPES_OF_NOW = [AT_MS // 1000, AT_MS, AT_MS * 1000, AT_MS * 1000000, 1714557600.0, "1714557600", "1.7145576e9",
                 "Wed, 01 May 2024 10:00:00 GMT", "2024-05-01T12:00:00+02", "20240501T100000Z", NOW, "2024-05-01T10:00:00,000Z",
                 "Wed May 01 2024 12:00:00 GMT+0200 (Central European Summer Time)"]
NO_DATES = ["soon", "", "05/06/2024", True, -1e300, {"at": 1}, [1714557600], "2024-13-45"]
PRODUCTS = [{"sku": "a"}, {"sku": "b"}]
ORDERS = ["Order Completed", "Completed Order", "completed order", "order_completed", "Completed_Order",
 "OrderCompleted"]
CAMPAIGN = {"name": "spring", "source": "news", "medium": "email", "term": "t", "content": "c", "id": "7",
            "source_platform": "sp", "creative_format": "cf", "marketing_tactic": "mt", "utm_foo": "f", "n": 5,
             "empty": "",
            "none": None, "deep": {"a": 1}}
UTM = {"utm_campaign": "spring", "utm_source": "news", "utm_medium": "email", "utm_term": "t", "utm_content": "c",
       "utm_id": "7", "utm_source_platform": "sp", "utm_creative_format": "cf", "utm_marketing_tactic": "mt",
        "utm_foo": "f",
       "utm_n": 5, "utm_deep": {"a": 1}}

MIXPANEL_ROWS = [
    ("keys of one page, and of two sources", MIXPANEL,
     [track(messageId=i, projectId=source) for i in IDS for source in ("website", "server")], insert_ids_differ),
    ("keys of products", MIXPANEL,
     [track("Order Completed", {"products": PRODUCTS}, messageId=i) for i in ("m-1", "m-1product")], insert_ids_differ),
    ("a group of nobody in particular", MIXPANEL, [group({}, groupId="")],
     equal(lambda o: o["events"][0]["reason"], "the group has no groupId")),
    ("an event of nobody's group", MIXPANEL, [track(context={"groupId": "undefined"})],
     has(properties_of, {}, absent=["$group_id"])),
    ("a group's null unsets", MIXPANEL, [group({"plan": None, "name": "Acme", "size": 5})],
     equal(lambda o: updates(o, "/groups"), [{"$set": {"$name": "Acme", "size": 5}}, {"$unset": ["plan"]}])),
    ("a group's nulls alone", MIXPANEL, [group({"name": None, "createdAt": None})],
     equal(lambda o: updates(o, "/groups"), [{"$unset": ["$name", "$created"]}])),
    ("a group without traits is made", MIXPANEL, [group({})],
     equal(lambda o: updates(o, "/groups"), [{"$set": {}}])),
    ("a group's date in seconds", MIXPANEL, [group({"created": 1714557600})],
     equal(lambda o: updates(o, "/groups"), [{"$set": {"$created": NOW}}])),
    ("a group's dates in many shapes", MIXPANEL, [group({"created": shape}, messageId="m-%d" % at)
                                                  for at, shape in enumerate(SHAPES_OF_NOW)],
     equal(lambda o: updates(o, "/groups"), [{"$set": {"$created": NOW}}] * len(SHAPES_OF_NOW))),
    ("dates that are none", MIXPANEL, [{"type": "identify", "userId": "u", "traits": {"createdAt": shape, "plan": "x"},
                                        "messageId": "m-%d" % at} for at, shape in enumerate(NO_DATES)],
     both(equal(lambda o: updates(o, "/engage"), [{"$set": {"plan": "x"}}] * len(NO_DATES)),
          lambda o: reported("createdAt was left out")(o))),
    ("a date beside one that is none", MIXPANEL, [group({"created": "2021-01-01", "createdAt": "soon"})],
     both(equal(lambda o: updates(o, "/groups"), [{"$set": {"$created": "2021-01-01"}}]),
          reported("createdAt was left out"))),
    ("a group's twins", MIXPANEL, [group({"created": "2020-01-01", "createdAt": "2021-01-01"})],
     both(equal(lambda o: updates(o, "/groups"), [{"$set": {"$created": "2021-01-01"}}]),
      reported("created was left out"))),
    ("a person's twins", MIXPANEL, [{"type": "identify", "userId": "u", "traits": {"firstName": "A",
     "first_name": "B"}}],
     both(equal(lambda o: updates(o, "/engage"), [{"$set": {"$first_name": "B"}}]),
      reported("firstName was left out"))),
    ("a key of Mixpanel's that two would fill", MIXPANEL, [{"type": "identify", "userId": "u", "traits": {
        "$name": "X", "firstName": "A", "lastName": "B", "region": "Bavaria", "$city": "Ulm",
        "address": {"city": "Bonn", "state": "NRW", "country": "DE"}}}],
     both(lambda o: "twice" if [r["body"].count(k) for r in o["requests"] for k in ('"$name"', '"$region"', '"$city"')]
          != [1, 1, 1] else None,
          has(lambda o: updates(o, "/engage")[0]["$set"],
              {"$name": "X", "$region": "Bavaria", "$city": "Ulm", "$country_code": "DE"}))),
    ("a visitor's group on its profile", dict(MIXPANEL, anonymous_profiles="true"),
     [group({"plan": "x"}, userId="", anonymousId="a")],
     equal(lambda o: updates(o, "/engage"), [{"$union": {"$group_id": ["g"]}}])),
    ("a trait named like the group key adds to the groups and overwrites none", dict(MIXPANEL, group_key="company"),
     [{"type": "identify", "userId": "u", "traits": {"company": "acme", "$ios_devices": "t", "plan": "pro"}}],
     equal(lambda o: updates(o, "/engage"), [{"$union": {"company": ["acme"], "$ios_devices": ["t"]}},
                                             {"$set": {"plan": "pro"}}])),
    ("a trait named like the group key is a trait where groups are not noted",
     dict(MIXPANEL, group_key="company", group_members="false"),
     [{"type": "identify", "userId": "u", "traits": {"company": "acme"}}],
     equal(lambda o: updates(o, "/engage"), [{"$set": {"company": "acme"}}])),
    ("a visitor's group in original mode", ORIGINAL, [group({"plan": "x"}, userId="", anonymousId="a")],
     equal(lambda o: updates(o, "/engage"), [{"$union": {"$group_id": ["g"]}}])),
    ("a visitor's groups are kept for the user", MIXPANEL,
     [group({"plan": "x"}, userId="", anonymousId="a"), group({}, userId="", anonymousId="a", groupId="h\n"),
      group({}, userId="", anonymousId="a"),
      {"type": "identify", "anonymousId": "a", "traits": {"seen": 1}},
      {"type": "identify", "userId": "u", "anonymousId": "a", "traits": {"plan": "pro"}, "links": [["a", "u"]]}],
     equal(lambda o: updates(o, "/engage"), [{"$set": {"seen": 1}}, {"$union": {"$group_id": ["h\n"]}},
                                             {"$union": {"$group_id": ["g"]}}, {"$set": {"plan": "pro"}}])),
    ("every key of a campaign", MIXPANEL, [track(context={"campaign": CAMPAIGN})],
     both(has(properties_of, UTM, ["utm_none", "utm_empty", "utm_name"]), silent)),
    ("a campaign's twins", MIXPANEL, [track(context={"campaign": {"name": "a", "campaign": "b", "utm_x": 1, "x": 1}})],
     both(has(properties_of, {"utm_campaign": "b", "utm_x": 1}), reported("campaign.name was left out"))),
    ("a campaign's key that the sender set", MIXPANEL,
     [track(properties={"utm_id": "mine"}, context={"campaign": {"id": "7"}})], has(properties_of, {"utm_id": "mine"})),
    ("a campaign that is none", MIXPANEL, [track(context={"campaign": "spring"})], has(properties_of, {},
     ["utm_campaign"])),
    ("properties that are Mixpanel's own", MIXPANEL, [track(properties={"time": 35, "distinct_id": "x", "token": None,
     "a": 1})],
     both(has(properties_of, {"time": AT_MS, "distinct_id": "u", "a": 1}),
          reported("property time was left out", "property distinct_id was left out"))),
    ("amounts that are none", dict(MIXPANEL, increment_from="cart.add"),
     [track(properties={"cart": {"add": {"coins": 5, "gems": "x"}}})],
     both(equal(lambda o: updates(o, "/engage"), [{"$add": {"coins": 5}}]), reported("cart.add.gems is no number"))),
    ("many links with traits and products", MIXPANEL, [track("Order Completed",
     {"products": [{"sku": n} for n in range(150)]})],
     both(equal(lambda o: len([e for e in events(o) if e["event"] == "Product Purchased"]), 100),
      reported("only the first 100"))),
] + [
    ("products of %s" % name, MIXPANEL, [track(name, {"products": PRODUCTS})],
     equal(lambda o: len([e for e in events(o) if e["event"] == "Product Purchased"]), 2)) for name in ORDERS
] + [
    ("no products of %s" % name, MIXPANEL, [track(name, {"products": PRODUCTS})],
     equal(lambda o: len([e for e in events(o) if e["event"] == "Product Purchased"]), 0))
    for name in ("Order Updated", "Order Completed!", "Reorder Completed", "Order")
]

# ---- KISSmetrics ----


def sent(ours):
    return queries(ours)[0][1]


NASTY = "a&b=c\n%41+\u00e9 #?"
KISSMETRICS_ROWS = [
    ("a list of objects is JSON", [track(properties={"l": [{"a": 1}, {"b": "x,y"}], "m": [1, [2]], "n": ["a", "b"],
                                                     "o": [True, None, ""], "p": []})],
     both(has(sent, {"l": '[{"a":1},{"b":"x,y"}]', "m": "[1,[2]]", "n": "a,b", "o": "true,,"}, ["p"]), silent)),
    ("a list that is too long", [track(properties={"l": ["x" * 3000] * 3, "k": 1})],
     both(has(sent, {"k": "1"}, ["l"]), reported("values over"))),
    ("too deep", [track(properties={"d": json.loads('{"a":' * 12 + "1" + "}" * 12)})], reported("nested over")),
    ("fields cannot be forged", [track(NASTY, {NASTY: NASTY, "_p": "x"}, userId=NASTY)],
     both(has(sent, {"_p": NASTY, "_n": NASTY, NASTY: NASTY, "_t": "1714557600", "_k": "K"}),
          reported("named like KISSmetrics' own"))),
    ("nothing that can be set", [{"type": "identify", "userId": "u", "traits": {"x": "y" * 9000}}],
     both(equal(queries, []), reported("values over"))),
    ("products that are none", [track("Order Completed", {"products": "none", "revenue": 5})],
     has(sent, {"products": "none", "Billing Amount": "5"})),
    ("products of another kind", [track("Completed Order", {"products": ["sku-1", {"sku": 2}]})],
     both(equal(lambda o: [q.get("sku") for p, q in queries(o) if p == "/s"], ["2"]),
      reported("product 1 of the order"))),
    ("many products", [track("Order Completed", {"products": [{"sku": n} for n in range(700)]})],
     both(equal(lambda o: len(queries(o)), 101), reported("only the first 100"))),
    ("a group of nobody in particular", [group({}, groupId="")],
     equal(lambda o: o["events"][0]["reason"], "the group has no groupId")),
    ("two names that become one", [track(properties={"a": {"b": 1}, "a.b": 2, "revenue": 5, "Billing Amount": 7})],
     both(has(sent, {"a.b": "1", "revenue": "5", "Billing Amount": "7"}),
          lambda ours: None if ours["requests"][0]["url"].count("a.b=") == 1 else "twice", reported("a.b was left out"))),
    ("a group's id that is no text", [group({"id": {"erp": "h", "crm": 5}})],
     has(sent, {"Group - id": "g", "Group - id.erp": "h", "Group - id.crm": "5"})),
    ("a group with another id", [group({"id": "h", "plan": "x"})],
     both(has(sent, {"Group - id": "g", "Group - plan": "x"}), reported("trait id was left out"))),
] + [
    ("products of %s" % name, [track(name, {"products": PRODUCTS})],
     equal(lambda o: [q["sku"] for p, q in queries(o) if p == "/s"], ["a", "b"])) for name in ORDERS
]

# ---- Intercom ----

INTERCOM = {"access_token": "T", "session_minutes": "0", "merge_leads": "false"}
MADE = {"status": 200, "body": '{"id":"ic-1"}'}
UNKNOWN = {"status": 404, "body": ""}


def refuses(name, what="does not exist"):
    return {"status": 400, "body": json.dumps({"type": "error.list", "errors": [
        {"code": "parameter_invalid", "message": "Custom attribute '%s' %s" % (name, what)}]})}


def bodies(ours, path, method="POST"):
    return [body_of(r) for r in ours["requests"] if r["method"] == method and split_url(r["url"])[1] == path]


def paths(ours):
    return ["%s %s" % (r["method"], r["url"].split(".io")[1]) for r in ours["requests"]]


def contact(ours):
    return {k: v for k, v in bodies(ours, "/contacts")[-1].items() if k not in ("role", "external_id", "last_seen_at")}


def company(ours):
    return bodies(ours, "/companies")[-1]


def identify(traits, **more):
    return dict({"type": "identify", "userId": "u", "traits": traits}, **more)


NEW = [UNKNOWN, MADE]                   # the contact is looked up, and made
HAD = [MADE]                            # it is found
DAY_S = 1577836800                      # 2020-01-01
LISTED = {"status": 200, "body": json.dumps({"type": "list", "data": [
    {"name": "plan", "custom": True, "archived": False}, {"name": "gone", "custom": True, "archived": True},
    {"name": "email", "custom": False}]})}

INTERCOM_ROWS = [
    ("an unknown attribute of a company", group({"plan_2": 1, "tier": "x", "name": "Acme"}),
     HAD + [refuses("tier"), MADE],
     both(equal(company, {"company_id": "g", "name": "Acme", "custom_attributes": {"plan_2": 1}}),
          equal(lambda o: paths(o)[-1], "POST /contacts/ic-1/companies"), reported("no attribute tier"))),
    ("a company's attribute of another type", group({"tier": 5}), HAD + [refuses("tier", "is not a string"), MADE],
     both(equal(lambda o: paths(o)[-1], "POST /contacts/ic-1/companies"), reported("refuses attribute tier"))),
    ("many unknown attributes of a company", group(dict({"a%d" % n: n for n in range(60)}, plan_=1)),
     HAD + [refuses("a%d" % n) for n in range(3)] + [UNKNOWN] + [refuses("a%d" % n) for n in range(2, 41)] + [MADE],
     both(equal(lambda o: paths(o)[-1], "POST /contacts/ic-1/companies"), reported("no attribute a0"))),
    ("many unknown attributes of a contact, by the workspace's list",
     identify(dict({"a,%d" % n: n for n in range(300)}, plan="pro", gone=1, email="k@example.com")),
     [UNKNOWN, refuses("a,0"), refuses("a,1"), refuses("a,2"), LISTED, MADE],
     both(equal(contact, {"email": "k@example.com", "custom_attributes": {"plan": "pro"}}),
          equal(lambda o: [p for p in paths(o) if "data" in p], ["GET /data_attributes?model=contact"]),
          reported("no attribute a,0", "no attribute a,1", "a,2", "299 in all"))),
    ("attributes that are refused without a name", identify({"x": 1, "y": 2, "email": "k@example.com"}),
     [UNKNOWN, {"status": 400, "body": '{"errors":[{"message":"bad attributes"}]}'}, {"status": 403, "body": "{}"},
      {"status": 400, "body": '{"errors":[{"message":"bad attributes"}]}'}, MADE],
     both(equal(contact, {"email": "k@example.com", "custom_attributes": {}}), reported("all were left out"))),
    ("a company that is refused keeps its member where it was",
     identify({"companies": [{"id": "a"}, {"id": "b"}]}),
     NEW + [{"status": 200, "body": '{"id":"co-a"}'}, MADE, {"status": 400, "body": "{}"}, {"status": 404, "body": ""}],
     both(equal(lambda o: bodies(o, "/contacts/ic-1/companies"), [{"id": "co-a"}]),
          equal(lambda o: o["events"][0]["verdict"], "refused"))),
    ("creation dates once", group({"remoteCreatedAt": "2020-01-01", "createdAt": "2020-01-01"}), HAD + [MADE],
     both(equal(company, {"company_id": "g", "remote_created_at": DAY_S}), silent)),
    *[("a sign-up at %r" % (shape,), identify({"createdAt": shape, "trial_ends_at": shape, "seen_on": "2024-05-01"}), NEW,
       both(equal(contact, {"signed_up_at": AT_MS // 1000, "custom_attributes":
                            {"trial_ends_at": AT_MS // 1000, "seen_on_at": 1714521600}}), silent)) for shape in SHAPES_OF_NOW],
    *[("a sign-up at %r, which is no date" % (shape,), identify({"createdAt": shape, "plan": "x"}), NEW,
       both(equal(contact, {"custom_attributes": {"plan": "x"}}), reported("trait createdAt was left out")))
      for shape in NO_DATES if shape != ""],
    ("attributes that Intercom takes for dates", identify({"renews_at": "soon", "ends_at": "05/06/2024", "met_at": True}), NEW,
     both(equal(contact, {"custom_attributes": {"met_at": True}}), reported("renews_at was left out", "ends_at was left out"))),
    ("two creation dates", group({"remoteCreatedAt": "2021-01-01", "createdAt": "2020-01-01"}), HAD + [MADE],
     both(equal(company, {"company_id": "g", "remote_created_at": DAY_S,
                          "custom_attributes": {"remoteCreatedAt_at": 1609459200}}), silent)),
    ("a remote creation date alone", group({"remote_created_at": DAY_S}), HAD + [MADE],
     equal(company, {"company_id": "g", "remote_created_at": DAY_S})),
    ("employees beside size", group({"size": 5, "employees": 7}), HAD + [MADE],
     both(equal(company, {"company_id": "g", "size": 5, "custom_attributes": {"employees": 7}}), silent)),
    ("employees alone, and equal ones", group({"size": "7", "employees": 7}), HAD + [MADE],
     both(equal(company, {"company_id": "g", "size": 7}), silent)),
    ("a size that is none", group({"size": "large", "monthlySpend": [1]}), HAD + [MADE],
     equal(company, {"company_id": "g", "custom_attributes": {"size": "large", "monthlySpend_0": 1}})),
    ("a company's numbers are cut", group({"monthly_spend": 155.98, "size": "7.5"}), HAD + [MADE],
     both(equal(company, {"company_id": "g", "monthly_spend": 155, "size": 7}), reported("monthly_spend was cut", "size was cut"))),
    ("a company's nulls", group({"tier": None, "plan": None, "a": {"b": None}}), HAD + [MADE],
     both(equal(company, {"company_id": "g", "custom_attributes": {"tier": None, "a_b": None}}),
          reported("plan cannot be unset"))),
    ("a contact's nulls", identify({"tier": None, "phone": None, "name": None, "email": None, "ownerId": None}), NEW,
     both(equal(contact, {"phone": None, "owner_id": None, "name": None, "custom_attributes": {"tier": None}}),
          reported("email cannot be unset"))),
    ("an owner", identify({"ownerId": 42}), NEW, both(equal(contact, {"owner_id": 42}), silent)),
    ("an owner that is none", identify({"owner_id": "Kim"}), NEW,
     equal(contact, {"custom_attributes": {"owner_id": "Kim"}})),
    ("two owners", identify({"owner_id": 1, "ownerId": 2}), NEW,
     equal(contact, {"owner_id": 1, "custom_attributes": {"ownerId": 2}})),
    ("a role", identify({"role": "admin"}), NEW, equal(contact, {"custom_attributes": {"role": "admin"}})),
    ("Intercom's own role", identify({"role": "user"}), NEW, both(equal(contact, {}), silent)),
    ("a role that cannot be", identify({"role": "lead"}), NEW, both(equal(contact, {}), reported("trait role"))),
    ("an id that is another", identify({"id": "v", "name": "Kim"}), NEW,
     both(equal(contact, {"name": "Kim"}), reported("trait id was left out"))),
    ("names beside a name", identify({"name": "Kim", "firstName": "Kim", "lastName": "Lee"}), NEW,
     equal(contact, {"name": "Kim", "custom_attributes": {"lastName": "Lee"}})),
    ("two names that become one", identify({"a.b": 1, "a_b": 2, "a": {"b": 3}}), NEW,
     both(equal(contact, {"custom_attributes": {"a_b": 1}}), reported("another is called a_b"))),
    ("much that is left out makes one report", identify(dict({"a.%d" % n: 1 for n in range(90)},
                                                             **{"a_%d" % n: 2 for n in range(90)})), NEW, once),
    ("a text that is too long", identify({"t": "\u00e9" * 200}), NEW,
     both(equal(contact, {"custom_attributes": {"t": "\u00e9" * 127}}), reported("t was cut"))),
    ("too deep", identify({"d": json.loads('{"a":' * 12 + "1" + "}" * 12)}), NEW, reported("nested too deep")),
    ("only Intercom's own fields", "none", identify({"owner_id": "Kim", "x": 1, "createdAt": "no date"}), NEW,
     both(equal(contact, {}), reported("trait owner_id", "trait createdAt"))),
    ("companies that are none", identify({"company": 5, "companies": "x"}), NEW + [MADE, MADE],
     both(equal(lambda o: company(o), {"company_id": "5", "name": "5"}), reported("companies was left out"))),
    ("a company without a name", identify({"companies": [{"x": 1}, True, {"id": "y" * 600}]}), NEW,
     reported("its id is missing", "neither a name nor an object", "its id is too long")),
    ("more companies than fit", identify({"companies": ["c%d" % n for n in range(30)]}), NEW + [MADE],
     both(equal(lambda o: len(bodies(o, "/companies")), 20), reported("of 30 companies"))),
    ("a member whom nobody made", group({"name": "Acme"}), [UNKNOWN, MADE, {"status": 200, "body": '{"id":"co-1"}'},
     MADE],
     both(equal(paths, ["GET /contacts/find_by_external_id/u", "POST /contacts", "POST /companies",
                        "POST /contacts/ic-1/companies"]),
          equal(lambda o: bodies(o, "/contacts"), [{"role": "user", "external_id": "u"}]), silent)),
    ("a member who was made meanwhile", group({}),
     [UNKNOWN, {"status": 409, "body": '{"errors":[{"message":"A contact already exists with id=ic-7"}]}'}, MADE],
     equal(lambda o: paths(o)[-1], "POST /contacts/ic-7/companies")),
    ("a company whose id is none", identify({"company": {"id": "undefined", "name": "Acme"}}), NEW + [MADE, MADE],
     equal(lambda o: [b["company_id"] for b in bodies(o, "/companies")], ["Acme"])),
    ("a group of nobody in particular", group({}, groupId=""), [],
     equal(lambda o: o["events"][0]["reason"], "the group has no groupId")),
    ("ids that are steps of a path", identify({}, userId=".."), [UNKNOWN, MADE],
     equal(paths, ["POST /contacts/search", "POST /contacts"])),
    ("ids that nothing cuts", track(userId="x\n" + "\u00e9" * 250 + '"/?#'), [UNKNOWN, MADE],
     both(equal(lambda o: [b["user_id"] for b in bodies(o, "/events")], ["x\n" + "\u00e9" * 250 + '"/?#'] * 2),
          equal(lambda o: [b["external_id"] for b in bodies(o, "/contacts")], ["x\n" + "\u00e9" * 250 + '"/?#']))),
    ("a price beside the revenue", track(properties={"price": 9, "revenue": 5, "currency": "EUR"}), [MADE],
     both(equal(lambda o: bodies(o, "/events")[0]["metadata"], {"price": {"amount": 500, "currency": "EUR"}}),
          reported("price was left out"))),
    ("an email and a currency that are none", track(properties={"email": {"work": "k@x.y"}, "revenue": 5,
                                                                 "currency": ["EUR"]}), [MADE],
     equal(lambda o: bodies(o, "/events")[0]["metadata"],
           {"email_work": "k@x.y", "currency_0": "EUR", "price": {"amount": 500, "currency": "USD"}})),
    ("a lead's email in its event", "lead", track(userId="", anonymousId="a", properties={"email": "k@x.y"}), [MADE],
     equal(lambda o: bodies(o, "/events")[0]["metadata"], {"email": "k@x.y"})),
    ("a lead's companies", "lead", identify({"company": "Acme", "companies": [{"id": "c2"}]}, userId="", anonymousId="a"),
     [MADE], equal(lambda o: paths(o)[1:], ["POST /companies", "POST /contacts/ic-1/companies"] * 2)),
    ("a visitor's id forges no lead", "lead",
     track(userId="", anonymousId='x\n{"role":"user","external_id":"victim"}'), [MADE],
     equal(lambda o: [dict(b, last_seen_at=0) for b in bodies(o, "/contacts")], [{"role": "lead", "last_seen_at": 0}])),
    ("a lead's unknown attribute", "lead", identify({"x": 1}, userId="", anonymousId="a"), [refuses("x"), MADE],
     both(equal(lambda o: bodies(o, "/contacts")[-1]["custom_attributes"], {}), reported("no attribute x"))),
    ("a lead is a member, too", "lead", group({"name": "Acme"}, userId="", anonymousId="a"), [MADE],
     equal(paths, ["POST /contacts", "POST /companies", "POST /contacts/ic-1/companies"])),
]

INTERCOM_WORDS = {"lead": {"anonymous": "lead"}, "none": {"custom_attributes": "none"}}

# ---- Webhook ----


def exact(ours):
    for request, wanted in zip(ours["requests"], FORGED):
        if json.loads(request["body"])["messageId"] != wanted or json.loads(request["body"])["event"] != "E":
            return "forged: " + request["body"]
        if not re.match(r"^[A-Za-z0-9._~%/-]+$", request["headers"]["Idempotency-Key"]):
            return "key: " + request["headers"]["Idempotency-Key"]
    keys = {r["headers"]["Idempotency-Key"] for r in ours["requests"]}
    return None if len(keys) == len(FORGED) else "keys are shared"


FORGED = ['x\n{"type":"track","event":"Refund"}', "\u00e90", "a\r\nX-Evil: 1", "", "7:website", "a/b", "a%2Fb", "a b"]
WEBHOOK_ROWS = [("bodies are the messages", [track(messageId=i) for i in FORGED], exact)]

ROWS = [(name, "mixpanel", settings, sent_, [], check) for name, settings, sent_, check in MIXPANEL_ROWS] + \
       [(name, "kissmetrics", KISSMETRICS, sent_, [], check) for name, sent_, check in KISSMETRICS_ROWS] + \
       [(row[0], "intercom", dict(INTERCOM, **INTERCOM_WORDS.get(row[1] if len(row) > 4 else "", {})), [row[-3]],
        row[-2],
         row[-1]) for row in INTERCOM_ROWS] + \
       [(name, "webhook", {"url": "https://h.example/"}, sent_, [], check) for name, sent_, check in WEBHOOK_ROWS]


def run(driver, part=""):
    failed = 0
    for name, kind, settings, sent_, answers, check in ROWS:
        if part not in name:
            continue
        made = [message(one) for one in sent_]
        links = [pair for one in made for pair in one.pop("links", [])]
        ours = driver.ask({"type": kind, "settings": settings, "events": made, "answers": answers, "now": AT_MS,
                           "links": links, **({"links_last": True} if links else {})})
        try:
            wrong = "settings: %s" % ours["error"] if "error" in ours else check(ours)
        except (KeyError, IndexError, ValueError, StopIteration) as problem:
            wrong = "%s: %s" % (type(problem).__name__, problem)
        if wrong:
            failed += 1
            print("failed: own: %s: %s: %s\n    ours: %s" % (kind, name, wrong, json.dumps(ours)[:1500]))
    print("own vectors: %d passed, %d failed" % (len(ROWS) - failed, failed))
    return failed
