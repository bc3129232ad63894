"""Mixpanel: vectors of Segment's current and former code, of Mixpanel's Python library, and of its server."""
import base64, json, re
from wire import *
import identity

UUID4 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$", re.I)

RULES = {
    "import": "all events and links go to /import as JSON with Basic auth: any age, per-event errors, no wrong token "
              "taken for good; updates are JSON lists, which /engage and /groups document. /track and forms are not needed",
    "token": "Basic auth names the project, so the token is not repeated in every event's properties",
    "copies": "id, $anon_id, $identified_id, $source, event_original_name, mp_name_tag repeat $device_id, $user_id and "
              "the name; Mixpanel makes nothing of them on an event",
    "library": "mp_lib says Onym, which sent it",
    "milliseconds": "time is in milliseconds, which Mixpanel takes and which keeps the order within a second",
    "insert-id": "ours is a hash of source and messageId: a retry is the same event, no two messages share one, and "
                 "Mixpanel takes it (it refuses over 36 bytes, and words that many ids are)",
    "ip": "an event or update without a known address says 0, or Mixpanel would place the user where this server stands",
    "who": "$device_id and $user_id say who is meant in each identity mode; older vectors know only distinct_id",
    "link-keys": "a link carries time, $insert_id and distinct_id, so sending it again is the same event",
    "merge": "$identify with an anonymous id that is no UUID v4 is refused by Mixpanel without a word "
             "(errAnonDistinctIdNonGUIDForm): $merge joins it",
    "no-half-link": "a $identify without $identified_id joins nothing: not sent (the vectors' README calls it an oddity)",
    "profile-time": "$time is the message's, so that an update that comes late does not overwrite a later one; "
                    "$ignore_time is sent only where it says something",
    "member": "the user's profile notes the group, too, so that people can be broken down by it",
    "page-name": "a page's name and category go with it as properties",
    "product-fields": "a product's fields all go with its event, those of the seller's own, too",
    "classic-names": "properties carry the names that Mixpanel's own libraries use today ($app_version_string, "
                     "$wifi_enabled, …) and what the sender named, unrenamed; the 2017 code's super-properties and "
                     "renames ($search_engine, $username, $ios_*) are gone from Mixpanel's documents",
    "date-form": "dates stay as sent: Mixpanel takes ISO 8601 with and without zone",
    "full-name": "a name is not taken apart into first and last",
    "order-of-updates": "updates of one profile by different operators may go in any order",
    "empty": "an empty text of the context says nothing and is left out",
    "paused": "401 is not the events' fault: they stay queued and the destination waits for a right key",
    "context-on-profile": "context is put on a profile only on request (profile_context)",
}
COPIES = {"id", "$anon_id", "$identified_id", "$source", "event_original_name", "mp_name_tag"}
CLASSIC = {
    "$app_release", "$app_version", "$app_build_number", "$app_version_string", "$app_name", "$carrier", "$wifi",
    "$wifi_enabled", "$bluetooth_enabled", "$cellular_enabled", "$ios_ifa", "$ios_device_model", "$ios_app_release",
    "$ios_app_version", "$ios_version", "$screen_density", "$device_type", "advertising_id", "ad_tracking_enabled",
    "$locale", "mp_country_code", "timezone", "$lib_version", "$search_engine", "searchEngine", "$username", "username",
    "$referrer", "referrer", "$device", "$manufacturer", "$model",
}
REGIONS = {"US": "us", "EU": "eu", "IN": "in"}


def settings(vector):
    given = vector.get("settings", {})
    made = {"identity": "original"}
    token = given.get("projectToken", given.get("token"))
    if token:
        made["token"] = token
    if given.get("apiRegion"):
        made["region"] = REGIONS[given["apiRegion"][:2]]
    if given.get("apiSecret") and not any("token" in f for f in vector.get("features", {}) if vector["features"][f]):
        made["secret"] = given["apiSecret"]
    if "strictMode" in given:
        made["strict"] = "true" if given["strictMode"] == "1" else "false"
    if given.get("sourceName"):
        made["source_name"] = given["sourceName"]
    mapping = vector.get("mapping") or {}
    if vector.get("action") in ("trackPurchase", "trackEvent"):
        on = vector["action"] == "trackPurchase" and mapping.get("generatePurchaseEventPerProduct", True)
        made["product_events"] = "true" if on else "false"
    if isinstance(mapping.get("group_key"), str):
        made["group_key"] = mapping["group_key"]
    if vector.get("action") == "incrementProperties":
        made["increment_from"] = "increment"
    if vector["profile"] == "segment-classic":
        classic_settings(vector, given, made)
    return made


def classic_settings(vector, given, made):
    kind = vector["event"]["type"]
    people = given.get("people", False)
    made["people"] = "true" if people or kind == "track" else "false"
    if kind == "track":
        made["transactions"] = "true"
        made["increments"] = given.get("increments", [])
    if kind not in ("page", "screen"):
        return
    word = kind.capitalize()
    if given.get("consolidatedPageCalls") or given.get("trackAllPages"):
        name = "Loaded a " + word
    elif given.get("trackCategorizedPages"):
        name = "Viewed {{category}} " + word
    elif given.get("trackNamedPages"):
        name = "Viewed {{name}} " + word
    else:
        made["pages"] = "none"
        return
    made[kind + "_event"] = name


KINDS = {"trackEvent": "track", "trackPurchase": "track", "incrementProperties": "track", "identifyUser": "identify",
         "groupIdentifyUser": "group", "alias": "alias"}


def adapt(vector, more):
    line = {"type": "mixpanel", "settings": dict(settings(vector), **more.get("settings", {})),
            "answers": answers(vector), "now": 1629244800000, "links": []}
    if "call" in vector:
        return sdk_line(vector, line)
    events = vector.get("events") or [vector["event"]]
    kind = None if vector["profile"] != "segment-actions" else KINDS.get(vector.get("action"))
    line["events"] = [message(vector, mapped(vector, e), kind) for e in events]
    first = line["events"][0]
    if first["type"] == "identify" and first.get("userId") and first.get("anonymousId"):
        line["links"] = [[first["anonymousId"], first["userId"]]]
    return line


def mapped(vector, event):
    """The few mappings of Segment's that change who or what is meant."""
    mapping = vector.get("mapping") or {}
    event = dict(event)
    if vector.get("kind") == "batch" and not vector.get("useDefaultMappings"):
        return {k: v for k, v in event.items() if k in ("event", "type")}       # nothing else is mapped
    if mapping.get("distinct_id") == "":
        event.pop("userId", None)
        event.pop("anonymousId", None)
    if "$transactions" in json.dumps(mapping):
        raise SystemExit("unknown mapping: " + vector["name"])
    return event


def sdk_line(vector, line):
    name, *a = vector["call"]
    line["settings"] = {"identity": "original", "token": vector["settings"]["token"], "group_members": "false"}
    event = {"timestamp": "1970-01-01T00:16:40.000Z", "messageId": MESSAGE_ID}
    if name == "track":
        event.update(type="track", userId=a[0], event=a[1], properties=a[2])
    elif name == "alias":
        event.update(type="alias", userId=a[0], previousId=a[1])
    elif name == "merge":
        event.update(type="alias", userId=a[1], previousId=a[2], previousIsUser=True)
    elif name.startswith("group_"):
        event.update(type="group", groupId=a[1], traits=a[2] if isinstance(a[2], dict) else {})
        line["settings"]["group_key"] = a[0]
    elif name == "people_increment":
        event.update(type="track", userId=a[0], event="-", properties={"increment": a[1]})
        line["settings"]["increment_from"] = "increment"
    elif name == "people_track_charge":
        event.update(type="track", userId=a[0], event="-", properties={"revenue": a[1]}, timestamp=a[2]["$time"])
        line["settings"]["transactions"] = "true"
    elif name == "people_unset":
        event.update(type="identify", userId=a[0], traits={k: None for k in a[1]})
    elif name == "people_clear_charges":
        event.update(type="identify", userId=a[0], traits={"$transactions": None})
    else:
        event.update(type="identify", userId=a[0], traits=a[1] if len(a) > 1 else {})
        operator = name[len("people_"):]
        if operator in ("set_once", "union", "append"):
            line["settings"][operator + "_traits"] = list(a[1])
        if len(a) > 2 and a[2].get("$ignore_time"):
            event["context"] = {"active": False}
    line["events"] = [event]
    return line


def atoms(host, path, values, auth):
    made = []
    for value in values:
        if path in ("/import", "/track"):
            made.append(["event", host, path, auth, value.get("event"), dict(value.get("properties", {}))])
        else:
            operator = next((k for k in value if k.startswith("$") and isinstance(value[k], (dict, list))), None)
            rest = {k: v for k, v in value.items() if k != operator}
            made.append(["update", host, path, operator, value.get(operator), rest])
    return made


def take_out_expected(vector):
    made = []
    for expect in vector["expect"]:
        host, path, _ = split_url(expect["url"])
        auth = expect.get("headers", {}).get("authorization")
        if expect.get("any_body"):
            made.append(["event", host, path, None, "*", {}])
        else:
            made += atoms(host, path, payloads(expect), auth)
    return made


def take_out_ours(ours, vector):
    made = []
    for request in ours["requests"]:
        host, path, query = split_url(request["url"])
        want = next((e.get("query", {}).get("strict") for e in vector["expect"] if e.get("query", {}).get("strict")), None)
        if path == "/import" and want is not None:
            assert query["strict"] == want, (query, want)
        made += atoms(host, path, body_of(request), request["headers"].get("Authorization"))
    if any(e.get("any_body") for e in vector["expect"]):
        made = [["event", a[1], a[2], None, "*", {}] if a[0] == "event" else a for a in made]
    if vector.get("action") == "incrementProperties" or vector.get("call", [""])[0] in ("people_increment", "people_track_charge"):
        made = [a for a in made if a[0] == "update"]          # the track itself is another action's
    return made


def normal(given, rules, vector, is_theirs):
    made = json.loads(json.dumps(given))
    for atom in made:
        (normal_event if atom[0] == "event" else normal_update)(atom, rules, vector, is_theirs)
    made = [a for a in made if a]
    if "no-half-link" in rules:
        made = [a for a in made if not (a[0] == "event" and a[4] == "$identify" and not a[5].get("$identified_id"))]
    if "member" in rules and not is_theirs:
        made = [a for a in made if not (a[0] == "update" and a[3] == "$union" and vector_is_group(vector))]
    if "order-of-updates" in rules:
        updates = sorted((a for a in made if a[0] == "update"), key=lambda a: json.dumps(a[3:], sort_keys=True))
        made = [a for a in made if a[0] != "update"] + updates
    if vector.get("expect_partial") and not is_theirs:
        made = made[:len(vector["expect"])] if "order-of-updates" not in rules else \
            [a for a in made if a[0] != "update" or a[3] != "$union"]
    return made


def vector_is_group(vector):
    return vector.get("action") == "groupIdentifyUser" or vector.get("event", {}).get("type") == "group"


LINKS = ("$identify", "$create_alias", "$merge")


def normal_event(atom, rules, vector, is_theirs):
    properties = atom[5]
    if "import" in rules and atom[2] in ("/track", "/import"):
        atom[2] = "/import"
        if atom[4] in LINKS or is_theirs and atom[3] is None or vector["profile"] != "segment-actions":
            atom[3] = None
    if "token" in rules:
        properties.pop("token", None)
    if "copies" in rules and atom[4] not in LINKS:
        for key in COPIES:
            properties.pop(key, None)
    if "library" in rules:
        properties.pop("mp_lib", None)
        properties.pop("$lib_version", None) if vector["profile"] != "segment-actions" else None
    if "empty" in rules:
        for key in [k for k, v in properties.items() if v == "" and k != "distinct_id"]:
            properties.pop(key)
    if "milliseconds" in rules and is_theirs and isinstance(properties.get("time"), (int, float)) and properties["time"] < 1e11:
        properties["time"] *= 1000
    if "insert-id" in rules:
        own = properties.pop("$insert_id", None)
        assert is_theirs or own is None or re.match("^[0-9a-f]{36}$", own), own
    if "ip" in rules and properties.get("ip") == 0:
        properties.pop("ip")
    if "who" in rules and vector["profile"] not in ("segment-actions", "segment-actions-reference-run"):
        properties.pop("$user_id", None)
        properties.pop("$device_id", None)
    if "who" in rules and properties.get("distinct_id") == "":
        for key in ("$device_id", "$anon_id", "$user_id", "$identified_id"):
            properties.pop(key, None)
    if "link-keys" in rules and atom[4] in LINKS:
        for key in ("time", "$insert_id", "ip", "segment_source_name"):
            properties.pop(key, None)
        if atom[4] != "$create_alias":
            properties.pop("distinct_id", None)
    if "merge" in rules and atom[4] == "$identify" and not UUID4.match(properties.get("$anon_id", "")):
        atom[4] = "$merge"
        properties["$distinct_ids"] = [properties.pop("$identified_id", None), properties.pop("$anon_id", None)]
        if properties["$distinct_ids"][0] is None:
            properties.clear()
            atom[4] = "$identify"
    if "page-name" in rules and not is_theirs and vector_type(vector) in ("page", "screen"):
        for key in ("name", "category"):
            if not any(key in e[5] for e in take_out_expected(vector)):
                properties.pop(key, None)
    if "product-fields" in rules and atom[4] == "Product Purchased":
        properties.pop("custom", None)
    if "classic-names" in rules and vector["profile"] == "segment-classic":
        for key in CLASSIC:
            properties.pop(key, None)


def vector_type(vector):
    return vector.get("event", {}).get("type")


def normal_update(atom, rules, vector, is_theirs):
    values, rest = atom[4], atom[5]
    if "profile-time" in rules:
        if isinstance(rest.get("$time"), (int, float)):
            rest.pop("$time")
        if rest.get("$ignore_time") is False:
            rest.pop("$ignore_time")
    if "library" in rules:
        rest.pop("mp_lib", None)
    if "ip" in rules and rest.get("$ip") == 0:
        rest.pop("$ip")
    if isinstance(values, dict):
        if "copies" in rules and vector["profile"] == "segment-classic":
            values.pop("id", None)
        if "date-form" in rules and vector["profile"] in ("segment-classic", "mixpanel-sdk"):
            atom[4] = values = {k: dates(v) for k, v in values.items()}
        if "full-name" in rules and vector["profile"] == "segment-classic" and "firstName" not in json.dumps(vector["event"]):
            values.pop("$first_name", None)
            values.pop("$last_name", None)
        if "context-on-profile" in rules and vector["profile"] == "segment-classic":
            for key in list(values):
                if key in CLASSIC or key in ("$browser", "$browser_version", "$os", "$os_version", "$screen_height", "$screen_width"):
                    values.pop(key)


def dates(value):
    if isinstance(value, dict):
        return {k: dates(v) for k, v in value.items()}
    if isinstance(value, str) and re.match(r"^\d{4}-\d\d-\d\d", value):
        return re.sub(r"T00:00:00(\.000)?Z?$", "", value).replace(".000Z", "")
    return value


# ---- Vectors that end otherwise on purpose: why, and a check of what we do instead (None: as it should be) ----

def sends_event(ours, vector):
    return None if ours["requests"] and "/import" in ours["requests"][0]["url"] else "nothing sent"


def one_verdict_each(*verdicts):
    def check(ours, vector):
        got = [e["verdict"] for e in ours["events"]]
        return None if got == list(verdicts) else "verdicts %s" % got
    return check


def retried_not_lost(ours, vector):
    return None if all(e["verdict"] == "retry" for e in ours["events"]) else "lost on 401"


NO_MESSAGE = "no message of the tracking API means this; nothing can ask for it"
OURS = {
    "classic invalid: old track without apiKey": (
        "/import takes the token: old events need no other key and are sent", sends_event),
    "classic invalid: timestamp older than five years": (
        "Mixpanel takes any age since 1971 and documents no five-year limit: imports of old history are sent", sends_event),
    "py people_remove": (NO_MESSAGE, lambda o, v: None),
    "py group_set_once": (NO_MESSAGE, lambda o, v: None),
    "py group_union": (NO_MESSAGE, lambda o, v: None),
    "py group_unset": (NO_MESSAGE, lambda o, v: None),
    "py group_remove": (NO_MESSAGE, lambda o, v: None),
}


def verdicts(vector, ours):
    """What became of each event of a batch, by the vector and by us. -> (rules needed, what is wrong)"""
    if not isinstance(vector.get("result"), list):
        return [], None
    want = [{200: "done", 400: "refused", 401: "retry"}[r["status"]] for r in vector["result"]]
    got = [e["verdict"] for e in ours["events"]]
    return (["paused"] if "retry" in want else []), None if want == got else "verdicts: %s, ours %s" % (want, got)


def server_rule(vector, driver):
    """What Mixpanel's own server does with such requests: the stand-in that our deliveries are tested against
    must do the same."""
    if vector["kind"] == "identity-state":
        server = identity.MixpanelSimplified()
        for properties in vector["inputs"]:
            server.apply("X", properties)
        got = [server.person(properties) for properties in vector["inputs"]]
        return ("passed", "") if got == vector["resolved"] else ("failed", "stand-in resolves %s" % got)
    server = identity.MixpanelOriginal()
    state = vector["input"].get("state", [])
    if isinstance(state, dict):
        server.aliases.update(state.get("aliases", []))
        for other in range(1, state.get("cluster_size", 1)):
            server.ids.join("U1", "other-%d" % other)
    else:
        for anonymous, user in state:
            server.apply("$identify", {"$identified_id": user, "$anon_id": anonymous})
    failure = server.apply(vector["input"]["event"], vector["input"]["properties"])
    got = {"merged": failure is None}
    if failure:
        got["$failure_reason"] = failure
    return ("passed", "") if got == vector["outcome"] else ("failed", "stand-in answers %s" % got)
