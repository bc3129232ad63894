"""Intercom: vectors of Segment's current code, and of its former code for the retired users and bulk API, of which
only the mapping of traits and properties is compared (the README of the vectors says so)."""
from wire import *

RULES = {
    "direct-lookup": "the contact is looked up by GET /contacts/find_by_external_id, which is exact and at once; the "
                     "search index lags behind by minutes",
    "role": "a contact with a userId is a user: Intercom takes no external_id on leads",
    "event-by-user": "an event with a user id names its contact by that alone",
    "new-api": "the contacts API's names for the retired users API's: external_id, last_seen_at, signed_up_at",
    "no-seen-address": "contacts have no last_seen_ip and last_seen_user_agent that could be written",
    "copies": "id, firstName, lastName and the account's creation are fields of the contact, not attributes as well",
    "no-dots": "names hold neither \".\" nor \"$\", which Intercom does not allow: nested.foo becomes nested_foo",
    "whole-numbers": "monthly_spend is an integer at Intercom, so texts that are numbers become one",
    "booleans": "booleans stay booleans",
    "email-is-identity": "the email names the contact and is not repeated in the metadata; with a user id it is not sent",
    "no-empty": "an object without members is left out",
    "company-id": "a company that only has a name is known by it, not by a hash of it",
    "by-contact": "an event that names its contact by email alone is sent with the id that the search found",
    "nobody": "a company without id and name cannot be one, and is left out",
}


def is_legacy(vector):
    return bool(vector.get("legacy"))


KINDS = {"identifyContact": "identify", "trackEvent": "track", "groupIdentifyContact": "group"}


def adapt(vector, more):
    token = vector["settings"].get("_auth", {}).get("accessToken") or (
        "undefined" if not is_legacy(vector) else vector["settings"].get("oauth", {}).get("access-token"))
    settings = {"session_minutes": "0", "merge_leads": "false"}
    if token:
        settings["access_token"] = token
    event = message(vector, vector["event"], KINDS.get(vector.get("action")), "2017-01-01T00:00:00.000Z")
    made = answers(vector)
    if is_legacy(vector):
        legacy(vector, settings, event)
        made = [{"status": 404, "body": ""}] if event["type"] == "identify" else []     # a member is known
        made.append({"status": 200, "body": '{"id":"ic-1"}'})
    else:
        actions(vector, event, made)
    return {"type": "intercom", "settings": dict(settings, **more.get("settings", {})), "events": [event],
            "answers": made + more.get("answers", []), "now": 1629244800000, "links": []}


def actions(vector, event, made):
    mapping = vector.get("mapping") or {}
    if isinstance(mapping.get("revenue"), dict):
        event["properties"] = dict(event["properties"], revenue=event["properties"]["payment"])
    if event["type"] == "identify":
        event["traits"] = {k: v for k, v in event["traits"].items() if k != "role"}
    if event["type"] == "identify" and not mapping.get("custom_attributes"):
        pass
    first = vector["expect"][0] if vector["expect"] else {}
    if first.get("url", "").endswith("/search") and first["json"]["query"]["field"] == "external_id" and made:
        found = json.loads(made[0]["body"] or "{}")
        made[0] = {"status": 200, "body": json.dumps(found["data"][0])} if found.get("total_count") == 1 else \
            {"status": 404, "body": ""}


def legacy(vector, settings, event):
    given = vector["settings"]
    settings["collect_context"] = "true" if given.get("collectContext") else "false"
    settings["nested"] = given.get("defaultMethod", "flatten")
    settings["nested_of"] = given.get("blacklisted", {})
    settings["rich_links"] = given.get("richLinkProperties", [])
    if not settings["nested_of"]:
        del settings["nested_of"]
    email = event.get("properties", {}).get("email")
    if event["type"] == "track" and not event.get("userId") and not email and vector["expect"]:
        event["userId"] = "somebody"                # the old bulk API took events of nobody


def take_out_expected(vector):
    if is_legacy(vector):
        return take_out_legacy(vector)
    return [[e["method"], split_url(e["url"])[1], fold(e.get("json"))] for e in vector["expect"]]


def take_out_legacy(vector):
    made = []
    for expect in vector["expect"]:
        path = split_url(expect["url"])[1]
        if expect.get("any_body"):
            made.append(["*"])
            continue
        body = fold(expect["json"])
        for data in [item["data"] for item in body["items"]] if "items" in body else [body]:
            if path.endswith("/events"):
                made.append(["event", data])
            elif path.endswith("/companies"):
                made.append(["company", data])
            else:
                companies = data.pop("companies", [])
                if vector["event"]["type"] != "group":
                    made.append(["contact", data])
                made += [["leave", c["company_id"]] if c.pop("remove", False) else ["company", c] for c in companies]
    return made


def take_out_ours(ours, vector):
    made = []
    for request in ours["requests"]:
        path = split_url(request["url"])[1]
        body = body_of(request)
        if not is_legacy(vector):
            made.append([request["method"], path, body])
        elif any(e.get("any_body") for e in vector["expect"]):
            made.append(["*"])
        elif path == "/events":
            made.append(["event", body])
        elif path == "/companies" and request["method"] == "POST":
            made.append(["company", body])
        elif path == "/companies":
            made.append(["leave", split_url(request["url"])[2]["company_id"]])
        elif path == "/contacts":
            made.append(["contact", body])
    return made[:1] if vector.get("expect_partial") else made


def normal(given, rules, vector, is_theirs):
    made = json.loads(json.dumps(given))
    return normal_legacy(made, rules, vector, is_theirs) if is_legacy(vector) else normal_actions(made, rules, is_theirs)


def normal_actions(made, rules, is_theirs):
    for atom in made:
        body = atom[2]
        if "direct-lookup" in rules and atom[1] == "/contacts/search" and body["query"].get("field") == "external_id":
            atom[:] = ["GET", "/contacts/find_by_external_id/" + body["query"]["value"], None]
        if "role" in rules and isinstance(body, dict):
            body.pop("role", None)
        if "event-by-user" in rules and isinstance(body, dict) and body.get("user_id"):
            body.pop("email", None)
    return made


def walk_names(value):
    if isinstance(value, dict):
        return {k.replace(".", "_").replace("$", "_"): walk_names(v) for k, v in value.items()}
    return value


def normal_legacy(made, rules, vector, is_theirs):
    out = []
    for atom in made:
        if atom[0] == "leave":
            if "company-id" in rules:
                atom[1] = "?"
            out.append(atom)
            continue
        body = atom[1] if len(atom) > 1 else {}
        inner = body.get("custom_attributes", body.get("metadata", {}))
        if "new-api" in rules:
            renamed = {"user_id": "external_id", "last_request_at": "last_seen_at", "remote_created_at": "signed_up_at",
                       "created": "created_at"}
            for old, new in renamed.items():
                if old in body and (old != "user_id" or atom[0] == "contact") and \
                        (old != "remote_created_at" or atom[0] == "contact"):
                    body[new] = body.pop(old)
            if atom[0] == "contact":
                body.pop("created_at", None)
        if "role" in rules:
            body.pop("role", None)
        if "no-seen-address" in rules:
            body.pop("last_seen_ip", None)
            body.pop("last_seen_user_agent", None)
        if "copies" in rules and atom[0] == "contact":
            for key in ("id", "firstName", "lastName", "created_at"):
                inner.pop(key, None)
        if "no-dots" in rules:
            for key in ("custom_attributes", "metadata"):
                if key in body:
                    body[key] = inner = walk_names(body[key])
        if "whole-numbers" in rules and atom[0] == "company" and isinstance(body.get("monthly_spend"), str):
            body["monthly_spend"] = int(body["monthly_spend"])
        if "booleans" in rules:
            for key, value in inner.items():
                inner[key] = {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
        if "email-is-identity" in rules and atom[0] == "event":
            inner.pop("email", None)
            if vector["event"].get("userId"):
                body.pop("email", None)
        if "by-contact" in rules and atom[0] == "event" and body.get("email"):
            body.pop("id", None)
        if "nobody" in rules and atom[0] == "event" and not vector["event"].get("userId"):
            body.pop("user_id", None)
        if "company-id" in rules and atom[0] == "company" and isinstance(body.get("company_id"), (int, str)) \
                and (isinstance(body["company_id"], int) or body["company_id"] == body.get("name")):
            body["company_id"] = "?"
        if "no-empty" in rules:
            for key in ("custom_attributes",):
                if body.get(key) == {}:
                    body.pop(key)
        if "nobody" in rules and atom[0] == "company" and not body.get("company_id"):
            continue
        out.append(atom)
    return out


def verdicts(vector, ours):
    if not vector.get("error") or not vector["expect"]:
        return [], None
    want = "retry" if vector["error"].get("status", 500) >= 500 else "refused"
    got = ours["events"][0]["verdict"]
    return [], None if got == want else "verdict %s, ours %s" % (want, got)


def after_conflict(ours, vector):
    last = ours["requests"][-1]
    is_good = last["method"] == "PUT" and last["url"].endswith("/contacts/ic-1") and ours["events"][0]["verdict"] == "done"
    return None if is_good else "no PUT to the contact of the conflict"


def creates_the_contact(ours, vector):
    paths = [r["url"].split(".io")[1] for r in ours["requests"]]
    return None if paths == ["/events", "/contacts", "/events"] and ours["events"][0]["verdict"] == "done" else str(paths)


def attaches_the_member(ours, vector):
    paths = [r["method"] + r["url"].split(".io")[1] for r in ours["requests"]]
    wanted = ["GET/contacts/find_by_external_id/u-9", "POST/contacts", "POST/companies", "POST/contacts/co-1/companies"]
    return None if paths == wanted and ours["events"][0]["verdict"] == "done" else str(paths)


GOOD = [{"status": 200, "body": '{"id":"ic-9"}'}]
NO_DELETE = "the tracking API has no message that deletes; erasure is the operator's command and is not passed on"
OURS = {
    "Intercom (actions) > onDelete > should delete a user by searching for a user using the userId": (
        NO_DELETE, lambda o, v: None),
    "Intercom (actions) > onDelete > should throw an error when no user is found": (NO_DELETE, lambda o, v: None),
    "reference run > identify: create answers 409 -> retryable": (
        "the 409 names the contact that exists, so it is updated at once instead of waiting for the index",
        after_conflict, {"answers": GOOD}),
    "reference run > group: contact not found -> company only": (
        "a member whom Intercom does not know is made a contact: the membership is not lost", attaches_the_member,
        {"answers": GOOD}),
    "reference run > track: unknown user answers 404": (
        "a user that Intercom does not know is made a contact, and the event is not lost", creates_the_contact,
        {"answers": GOOD}),
}


def server_rule(vector, driver):
    raise NotImplementedError
