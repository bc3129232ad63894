"""What a vendor has in the end, beside what Onym has: each a list of complaints, empty where all is well.

`truth` is whose each message is: asked of Onym's own API, by person id, or where a vendor cannot express a merge of
two users, by user (people.py). `history` is what was sent.
"""


# What an alias of one user to another can be at a vendor (docs/destinations.md). Nothing said: their people are ours.
# Where it can be nothing, each user stays a person, and each such alias is told to the operator, by name.
CANNOT_MERGE = {
    "simplified": "Mixpanel's simplified identity has no merge of two users",
    "intercom": "Intercom merges a lead into a user, and no user into another",
    "intercom-leads": "Intercom merges a lead into a user, and no user into another",
    "legacy": "Mixpanel's legacy alias is a look-up forward: the new name must never have been used",
}


def expected(name, truth, people):
    """messageId -> person, as the vendor should have it; and the aliases that it cannot express."""
    if name not in CANNOT_MERGE:
        return truth, []
    taken = people.merges_into_unused() if name == "legacy" else []
    return people.partition(taken), [m["messageId"] for m in people.merges if m not in taken]


def told(name, wanted, letters, history):
    """Each alias that could not be expressed is told to operators, by both names; nothing else is said to be so."""
    reasons = [letter["reason"] for letter in letters if "cannot be merged" in letter["reason"]]
    pairs = {frozenset((history.messages[i]["previousId"], history.messages[i]["userId"])) for i in wanted}
    said = [frozenset(reason[len("users "):].split(" cannot be merged")[0].split(" and ")) for reason in reasons]
    return (["%s: nobody was told that %s cannot be merged" % (name, sorted(pair)) for pair in pairs - set(said)]
            + ["%s: %s are said to be impossible to merge" % (name, sorted(pair)) for pair in set(said) - pairs]
            + ["%s: told twice that %s cannot be merged" % (name, sorted(p)) for p in pairs if said.count(p) > 1])[:5]


def partition(name, truth, history, person_of, leave_out=()):
    """The vendor's people are Onym's people: two messages are one person's there exactly where they are here.
    person_of: messageId -> the vendor's person, of those that the vendor counts as somebody's."""
    ours, theirs, wrong = {}, {}, []
    for message_id, person in person_of.items():
        if message_id in leave_out:
            continue
        here = truth[message_id]
        if ours.setdefault(here, person) != person:
            wrong.append("%s: %s is one person here, there %s and %s (message %s)"
                         % (name, here, ours[here], person, message_id))
        if theirs.setdefault(person, here) != here:
            wrong.append("%s: %s is one person there, here %s and %s (message %s)"
                         % (name, person, theirs[person], here, message_id))
    return wrong[:5]


def once(name, wanted, got):
    """got: list of messageIds that the vendor counted."""
    wrong, seen = [], set()
    for message_id in got:
        if message_id in seen:
            wrong.append("%s: message %s is counted twice" % (name, message_id))
        seen.add(message_id)
    for message_id in set(wanted) - seen:
        wrong.append("%s: message %s is missing" % (name, message_id))
    for message_id in seen - set(wanted):
        wrong.append("%s: message %s was never sent" % (name, message_id))
    return wrong[:5]


LINK, MERGE, OTHER = "link", "merge", "other"


def links_first(name, order):
    """order: (LINK, MERGE or OTHER, users) as the vendor first saw them. The first link of a user goes before anything
    else; users that were used are merged when they are."""
    used, linked, wrong = set(), set(), []
    for what, users in order:
        wrong += ["%s: something under %s came before its link" % (name, user) for user in users
                  if what == LINK and user in used and user not in linked]
        (used if what == OTHER else linked).update(users)
    return wrong[:5]


def of_kind(history, *kinds):
    return [m["messageId"] for m in history.messages.values() if m["type"] in kinds]


def anonymous_of(history, ids):
    return {m["messageId"] for m in history.messages.values() if not m.get("userId") and m.get("anonymousId") in ids}


# ---- Mixpanel ----

def mixpanel(name, vendor, truth, history, people):
    events = [key for key in vendor.order if not key[0].startswith("$")]
    ids = {key: vendor.events[key]["properties"]["id"] for key in events}      # the messageId, as a property
    wrong = once(name, of_kind(history, "track", "page"), list(ids.values()))
    wrong += [] if vendor.zipped else ["%s: nothing came compressed" % name]
    # A user's later devices cannot be joined in legacy mode: what they did as nobody stays nobody's, and is reported.
    left_out = anonymous_of(history, history.second_devices | history.shared) if vendor.mode == "legacy" else ()
    wrong += partition(name, truth, history, {ids[key]: vendor.person_of(key) for key in events}, left_out)
    wrong += links_first(name, [mixpanel_step(vendor, key, people) for key in vendor.order])
    if vendor.mode == "simplified":
        for user in people.users:
            here, there = people.traits_of(user), vendor.profiles.get(user, {})
            wrong += ["%s: user %s has %s %s there, here %s" % (name, user, key, there.get(key), here.get(key))
                      for key in ("plan", "seen") if there.get(key) != here.get(key)]
    return wrong[:10]


def mixpanel_step(vendor, key, people):
    event = vendor.events[key]["properties"]
    if key[0] == "$identify":
        # In simplified mode a link changes nothing about what came before it; so the order of users is free there.
        return LINK, [event.get("$identified_id") or "link of " + event["$device_id"]]
    if key[0] == "$create_alias":
        return LINK, [event["alias"]]
    if key[0] == "$merge":
        both = event["$distinct_ids"]
        return (MERGE, both) if set(both) <= people.users else (LINK, both[:1])
    return OTHER, [event.get("$user_id") or ""]


# ---- KISSmetrics ----

def kissmetrics(name, vendor, truth, history, people):
    persons, seen = {}, []
    for (person, event, second), queries in vendor.people.events.items():
        ids = {q["id"] for q in queries if "id" in q}
        if len(ids) > 1:
            seen += ids             # two events of one second, which the vendor would count once
        for message_id in ids:
            seen.append(message_id)
            persons[message_id] = vendor.people.person(person)
    wrong = once(name, of_kind(history, "track"), seen)
    wrong += partition(name, truth, history, persons)
    order = []
    for path, query in vendor.order:
        both = [query["_p"], query.get("_n", "")]
        users = [who for who in both if who in people.users]
        order.append((OTHER, both[:1]) if path != "/a" else (MERGE, users) if len(users) == 2 else (LINK, users))
    return wrong + links_first(name, order)


# ---- Intercom ----

def intercom(name, vendor, truth, history, people):
    takes_anonymous = name.endswith("leads")
    wanted = [m["messageId"] for m in history.messages.values()
              if m["type"] == "track" and (m.get("userId") or takes_anonymous)]
    contacts = {key[3]: key[0] for key in vendor.events}
    if not takes_anonymous:
        # what a shared device did as nobody is its second user's, and known to be that user's
        extra = {i for i in contacts if i in history.messages and not history.messages[i].get("userId")}
        wanted = set(wanted) | {i for i in extra if history.messages[i]["anonymousId"] in history.shared}
    wrong = once(name, wanted, [key[3] for key in vendor.events])
    wrong += partition(name, truth, history, contacts)
    owners = [c["external_id"] for c in vendor.contacts.values() if c.get("external_id")]
    wrong += ["%s: user %s has several contacts" % (name, user) for user in set(owners) if owners.count(user) > 1]
    acme = {c["id"] for c in vendor.companies.values() if c["company_id"] == "acme"}
    members = {c.get("external_id") for c in vendor.contacts.values() if acme & set(c["companies"])}
    wrong += ["%s: user %s is not in the company" % (name, user) for user in history.members - members]
    wrong += ["%s: user %s has no contact" % (name, user) for user in history.users - set(owners)]
    return wrong[:10]


# ---- Webhook ----

def webhook(name, vendor, truth, history, people):
    wrong = once(name, list(history.messages), [m["messageId"] for m in vendor.order])
    last = {}
    for message in vendor.order:                # per person in order of time
        for who in (message.get("userId"), message.get("anonymousId")):
            if who and last.get(who, "") > message["timestamp"]:
                wrong.append("%s: %s of %s came after a later one" % (name, message["messageId"], who))
            if who:
                last[who] = max(last.get(who, ""), message["timestamp"])
    return wrong[:5]
