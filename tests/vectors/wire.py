"""Requests out of their envelopes: what a vector expects and what the driver made, as plain values."""
import base64, json, urllib.parse

MESSAGE_ID = "7fc5b8a2-1f6e-4c0a-9d0f-0123456789ab"


def fold(value):
    """1.0 and 1 are the same JSON number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {k: fold(v) for k, v in value.items()}
    if isinstance(value, list):
        return [fold(v) for v in value]
    return value


def instant(text, now):
    """Vectors write "2014" for its first moment, and leave out what is now."""
    if text is None:
        text = now
    if isinstance(text, str) and len(text) == 4:
        return text + "-01-01T00:00:00.000Z"
    return text


def message(vector, event, kind, now="2021-08-18T00:00:00.000Z"):
    """The canonical message that our collection would have made of it."""
    made = {k: v for k, v in event.items() if v is not None}
    made["type"] = kind or event.get("type", "track")
    made["timestamp"] = instant(event.get("timestamp"), vector.get("now", now))
    made.setdefault("messageId", MESSAGE_ID)
    for key in ("userId", "anonymousId", "previousId", "groupId"):
        if key in made and not isinstance(made[key], str):
            made[key] = str(made[key])
    return made


def millis(text):
    import datetime
    text = text.replace("Z", "+00:00")
    return int(datetime.datetime.fromisoformat(text).timestamp() * 1000)


def payloads(expect):
    """The JSON values that an expected request carries, whatever it wraps them in."""
    for key in ("json", "form_json", "query_b64json", "form_b64json"):
        if key in expect:
            value = expect[key] if key == "json" else expect[key]["data"]
            return fold(value if isinstance(value, list) else [value])
    return []


def split_url(url):
    parts = urllib.parse.urlsplit(url)
    return parts.scheme + "://" + parts.netloc, parts.path or "/", dict(urllib.parse.parse_qsl(parts.query, True))


def body_of(request):
    return fold(json.loads(request["body"])) if request.get("body") else None


def answers(vector):
    made = []
    for answer in vector.get("mock_responses", []):
        body = answer.get("body", "")
        made.append({"status": answer["status"], "body": body if isinstance(body, str) else json.dumps(body)})
    return made
