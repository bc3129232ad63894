"""What a vendor has in the end, beside what Onym has: each a list of complaints, empty where all is well.

`truth` is asked of Onym's own API: whose each message is, by person id. `history` is what was sent.
"""


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


def links_first(name, order):
    """order: (is a link, user) as the vendor first saw them. The first link of a user goes before anything else."""
    used, linked, wrong = set(), set(), []
    for is_link, user in order:
        if is_link and user in used and user not in linked:
            wrong.append("%s: something under %s came before its link" % (name, user))
        (linked if is_link else used).add(user)
    return wrong[:5]


def of_kind(history, *kinds):
    return [m["messageId"] for m in history.messages.values() if m["type"] in kinds]


def anonymous_of(history, ids):
    return {m["messageId"] for m in history.messages.values() if not m.get("userId") and m.get("anonymousId") in ids}


# ---- Mixpanel ----

def mixpanel(name, vendor, truth, history, traits):
    events = [key for key in vendor.order if not key[0].startswith("$")]
    wrong = once(name, of_kind(history, "track", "page"), [key[3] for key in events])
    # A user's later devices cannot be joined in legacy mode: what they did as nobody stays nobody's, and is reported.
    left_out = anonymous_of(history, history.second_devices | history.shared) if vendor.mode == "legacy" else ()
    wrong += partition(name, truth, history, {key[3]: vendor.person_of(key) for key in events}, left_out)
    wrong += links_first(name, [mixpanel_step(vendor, key) for key in vendor.order])
    if vendor.mode == "simplified":
        for user, here in traits.items():
            there = vendor.profiles.get(user, {})
            wrong += ["%s: user %s has %s %s there, here %s" % (name, user, key, there.get(key), here.get(key))
                      for key in ("plan", "seen") if there.get(key) != here.get(key)]
    return wrong[:10]


def mixpanel_step(vendor, key):
    event = vendor.events[key]["properties"]
    if key[0] == "$identify":
        # In simplified mode a link changes nothing about what came before it; so the order of users is free there.
        return (True, event.get("$identified_id") or "link of " + event["$device_id"])
    if key[0] == "$create_alias":
        return (True, event["alias"])
    if key[0] == "$merge":
        return (True, event["$distinct_ids"][0])
    return (False, event.get("$user_id") or "")


# ---- KISSmetrics ----

def kissmetrics(name, vendor, truth, history, traits):
    people, seen = {}, []
    for (person, event, second), queries in vendor.people.events.items():
        ids = {q["id"] for q in queries if "id" in q}
        if len(ids) > 1:
            seen += ids             # two events of one second, which the vendor would count once
        for message_id in ids:
            seen.append(message_id)
            people[message_id] = vendor.people.person(person)
    wrong = once(name, of_kind(history, "track"), seen)
    wrong += partition(name, truth, history, people)
    order = [(path == "/a", query["_n"] if path == "/a" and query["_n"] in history.users else query["_p"])
             for path, query in vendor.order]
    return wrong + links_first(name, order)


# ---- Intercom ----

def intercom(name, vendor, truth, history, traits):
    takes_anonymous = name.endswith("leads")
    wanted = [m["messageId"] for m in history.messages.values()
              if m["type"] == "track" and (m.get("userId") or takes_anonymous)]
    people = {key[3]: key[0] for key in vendor.events}
    if not takes_anonymous:
        # what a shared device did as nobody is its second user's, and known to be that user's
        extra = {i for i in people if i in history.messages and not history.messages[i].get("userId")}
        wanted = set(wanted) | {i for i in extra if history.messages[i]["anonymousId"] in history.shared}
    wrong = once(name, wanted, [key[3] for key in vendor.events])
    wrong += partition(name, truth, history, people)
    owners = [c["external_id"] for c in vendor.contacts.values() if c.get("external_id")]
    wrong += ["%s: user %s has several contacts" % (name, user) for user in set(owners) if owners.count(user) > 1]
    wrong += ["%s: user %s has no contact" % (name, user) for user in history.users - set(owners)]
    return wrong[:10]


# ---- Webhook ----

def webhook(name, vendor, truth, history, traits):
    wrong = once(name, list(history.messages), [m["messageId"] for m in vendor.order])
    last = {}
    for message in vendor.order:                # per person in order of time
        for who in (message.get("userId"), message.get("anonymousId")):
            if who and last.get(who, "") > message["timestamp"]:
                wrong.append("%s: %s of %s came after a later one" % (name, message["messageId"], who))
            if who:
                last[who] = max(last.get(who, ""), message["timestamp"])
    return wrong[:5]
