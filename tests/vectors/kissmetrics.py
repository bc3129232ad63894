"""KISSmetrics: vectors of Segment's former code, of two libraries, and of its server."""
import urllib.parse
from wire import *
import identity

NOW = "2014-06-01T00:00:00.000Z"

RULES = {
    "alias-first": "the alias goes first, so that nothing is ever sent under the user while the visitor is somebody else; "
                   "to KISSmetrics the order is equal",
    "id-trait": "the user id is the identity (_p), not a property of it as well",
    "dated": "_t and _d=1 are always sent: the server's own clock would count a retry as a second event",
    "undated-alias": "an alias has no time at KISSmetrics",
}


def adapt(vector, more):
    given = vector.get("settings", {})
    settings = {"endpoint": "https://trk.kissmetrics.com"}
    if given.get("apiKey"):
        settings["api_key"] = given["apiKey"]
    if given.get("prefixProperties"):
        settings["prefix_properties"] = "true"
    line = {"type": "kissmetrics", "settings": settings, "answers": [], "now": millis(NOW), "links": []}
    if "call" in vector:
        line["events"] = [sdk_event(vector)]
        return line
    line["events"] = [message(vector, vector["event"], None, NOW)]
    first = line["events"][0]
    if first["type"] == "identify" and first.get("userId") and first.get("anonymousId"):
        line["links"] = [[first["anonymousId"], first["userId"]]]
    return line


def sdk_event(vector):
    name, person, *rest = vector["call"]
    event = {"timestamp": NOW, "messageId": MESSAGE_ID, "userId": person}
    if rest and isinstance(rest[-1], dict):
        seconds = rest[-1].get("timestamp", rest[-1].get("_t"))
        if seconds is not None:
            import datetime
            event["timestamp"] = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            rest = rest[:-1]
    if name == "alias":
        event.update(type="alias", previousId=person, userId=rest[0])
    elif name == "set" or isinstance(rest[0], dict):
        event.update(type="identify", traits=rest[0])
    else:
        event.update(type="track", event=rest[0], properties=rest[1] if len(rest) > 1 else {})
    return event


def texts(fields):
    return {k: str(v) if not isinstance(v, bool) else str(v).lower() for k, v in fields.items()}


def take_out_expected(vector):
    made = []
    for expect in vector["expect"]:
        host, path, _ = split_url(expect["url"])
        made.append([expect["method"], host, path, texts(expect.get("query") or expect.get("form") or {})])
    return made


def take_out_ours(ours, vector):
    made = []
    for request in ours["requests"]:
        host, path, query = split_url(request["url"])
        if request.get("body"):
            query = dict(urllib.parse.parse_qsl(request["body"], True))
        made.append([request["method"], host, path, query])
    return made


def normal(given, rules, vector, is_theirs):
    made = json.loads(json.dumps(given))
    for atom in made:
        fields = atom[3]
        if fields.get("_t") == "<now-seconds>":
            fields["_t"] = str(millis(NOW) // 1000)
        if "id-trait" in rules and atom[2] == "/s" and fields.get("id") == fields.get("_p"):
            fields.pop("id")
        if "undated-alias" in rules and atom[2] == "/a":
            fields.pop("_t", None)
        if "dated" in rules and atom[2] != "/a":
            fields["_d"] = "1"
            fields.setdefault("_t", str(millis(NOW) // 1000))
    if "alias-first" in rules:
        made.sort(key=lambda atom: atom[2] != "/a")
    return made


def verdicts(vector, ours):
    return [], None


def refused_visibly(ours, vector):
    is_refused = ours["events"][0]["verdict"] == "refused" and "255" in ours["events"][0]["reason"]
    return None if is_refused and not ours["requests"] else "not refused"


OURS = {
    "classic track-over-2kb": (
        "KISSmetrics takes names of at most 255 bytes and says nothing about longer ones: refused visibly, with the "
        "reason, instead of lost (long queries do go as POST: tests/unit/deliver)", refused_visibly),
}


def server_rule(vector, driver):
    # Rules about repeats speak of back-dated calls, which is what we send.
    dated = {} if "timestamp_used" in vector["outcome"] else {"_d": 1}
    server = identity.Kissmetrics(now=5000)
    for fields in vector["input"]:
        status = server.apply(fields["path"], dict({k: v for k, v in fields.items() if k != "path"}, **dated))
    outcome = vector["outcome"]
    got = {
        "counted_events": len(server.events),
        "kept_values": len(server.values),
        "stored_event": next((identity.Kissmetrics.name(f["_n"]) for f in vector["input"] if "_n" in f), None),
        "timestamp_used": "server receive time" if all(key[2] == 5000 for key in server.events) else "_t",
        "http_status": status,
        "people": len({server.person(i) for f in vector["input"] for i in (f["_p"], f.get("_n", f["_p"]))}),
    }
    wrong = {k: got.get(k) for k in outcome if got.get(k) != outcome[k]}
    return ("failed", "stand-in: %s" % wrong) if wrong else ("passed", "")
