"""segment-analytics-python, unmodified, or with ONYM_MODULE=rudderstack.analytics RudderStack's own, whose identify has its
traits in the context alone. ONYM_GZIP=1 sends gzip bodies."""
import datetime
import importlib
import json
import os
import sys
import time

analytics = importlib.import_module(os.environ.get("ONYM_MODULE", "segment.analytics"))
analytics.write_key = os.environ["ONYM_KEY"]
analytics.host = analytics.dataPlaneUrl = os.environ["ONYM_URL"]
analytics.gzip = os.environ.get("ONYM_GZIP") == "1"
analytics.upload_interval = 0.2
failures = []
analytics.on_error = lambda error, items: failures.append(error)

NAMES = {"userId": "user_id", "anonymousId": "anonymous_id", "groupId": "group_id", "previousId": "previous_id",
         "messageId": "message_id"}

with open(os.environ["ONYM_CALLS"]) as file:
    calls = json.load(file)
for call in calls:
    fields = {NAMES.get(name, name): value for name, value in call.items() if name != "type"}
    if "timestamp" in fields:
        fields["timestamp"] = datetime.datetime.fromisoformat(fields["timestamp"].replace("Z", "+00:00"))
    getattr(analytics, call["type"])(**fields)
    print(json.dumps(call), flush=True)
    time.sleep(float(os.environ.get("ONYM_PAUSE_MS", 0)) / 1000)
analytics.flush()
analytics.join()
for failure in failures:
    print(repr(failure), file=sys.stderr)
sys.exit(1 if failures else 0)
