"""Loads that write down what they sent and what was acknowledged, and the judgement of what a server kept of it:

    every acknowledged event is in `onym export --raw`, field by field as it was sent
    `onym export` holds each messageId once, and none that nobody sent
    the people API counts, person by person, the messages of the export
    `onym verify` finds nothing
"""
import collections
import json
import pathlib
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from onym import ROOT, difference, wait_until      # noqa: E402

SECRET = "sk_test_only_for_this_run"       # tests/lib/onym.py
READY_S = 60


def load_program():
    for path in (ROOT / "build" / "release" / "bench" / "load", ROOT / "build" / "load"):
        if path.exists():
            return path
    path = ROOT / "build" / "load"
    path.parent.mkdir(exist_ok=True)
    subprocess.run(["gcc", "-std=gnu17", "-O2", "-g", "-Wall", "-Wextra", "-o", path, ROOT / "bench" / "load.c"], check=True)
    return path


def start_load(server, number, seed, options):
    """A process that sends to the source with the key wk_load<number> until it is stopped, and its log."""
    log = server.directory / f"load{number}.log"
    log.touch()
    command = [load_program(), "--port", server.port, "--key", f"wk_load{number}", "--log", log, "--seed", seed,
               "--persist", "--signup", 40, "--visitors", 200, "--seconds", 3600, "--warmup", 0]
    for name, value in options.items():
        command += [f"--{name}", value]
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE)
    return process, log


def ask(server, path):
    """Status and body of a question with the secret key."""
    request = urllib.request.Request(server.url + path, headers={"Authorization": "Bearer " + SECRET})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as answer:
        return answer.code, None


def wait_applied(server):
    """Until all that is in the journal has been applied, as /readyz says."""
    def is_ready():
        try:
            with urllib.request.urlopen(server.url + "/readyz", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False
    wait_until(is_ready, READY_S, "the applier to catch up")


def count_events(server, name, value):
    """`events` of people/resolve; 0 for an id that was never seen."""
    status, answer = ask(server, f"/api/v1/people/resolve?{name}={urllib.parse.quote(value)}")
    return answer["events"] if status == 200 else 0


class People:
    """Who sent what: in these loads an anonymous id has one user at the most."""

    def __init__(self):
        self.user_of = {}
        self.messages = collections.defaultdict(set)        # of ("anonymous_id" or "user_id", value)

    def add(self, message):
        anonymous, user = message.get("anonymousId"), message.get("userId")
        if user and anonymous:
            assert self.user_of.setdefault(anonymous, user) == user, "the load shares an anonymous id"
        if user:
            self.messages["user_id", user].add(message["messageId"])
        else:
            self.messages["anonymous_id", anonymous].add(message["messageId"])

    def persons(self):
        """{(name, value): messageIds}: those without a user by their anonymous id."""
        result = collections.defaultdict(set)
        for (name, value), ids in self.messages.items():
            user = self.user_of.get(value) if name == "anonymous_id" else None
            result[("user_id", user) if user else (name, value)] |= ids
        return result


def judge_people(server, messages, most=500):
    """Running and caught up: the API says of each person, at most `most` of them, what the export holds."""
    people = People()
    for message in messages:
        people.add(message)
    wrong, persons = [], people.persons()
    for (name, value), ids in list(persons.items())[-most:]:
        events = count_events(server, name, value)
        if events != len(ids):
            wrong.append(f"{name} {value}: {events} events in the API, {len(ids)} in the export")
    return [f"{len(wrong)} of {len(persons)} people are counted wrong: {wrong[:3]}"] if wrong else []


def read_log(path):
    """What was sent, by messageId; which of it was acknowledged; {messageId: status} of what was refused."""
    bodies, kept, refused = {}, set(), {}
    with open(path) as lines:
        for line in lines:
            word, number, *rest = line.rstrip("\n").split(" ", 2)
            if word == "sent":
                bodies[number] = rest[0]
            elif word == "kept":
                kept.add(number)
            else:
                refused[number] = int(rest[0])
    sent, acknowledged, statuses = {}, set(), {}
    for number, body in bodies.items():
        message = json.loads(body)
        for event in message.get("batch", [message]):
            sent[event["messageId"]] = event
            if number in kept:
                acknowledged.add(event["messageId"])
            elif number in refused:
                statuses[event["messageId"]] = refused[number]
    return sent, acknowledged, statuses


def judge(server, logs, refusals=()):
    """What is wrong with what a stopped server kept. `refusals`: statuses that were due, besides 200."""
    problems, sent, acknowledged, refused = [], {}, set(), {}
    for log in logs:
        one = read_log(log)
        sent.update(one[0])
        acknowledged |= one[1]
        refused.update(one[2])
    raw = {}
    total = 0
    for message in server.export(raw=True):
        raw[message["messageId"]] = message
        total += 1
    export = [message["messageId"] for message in server.export()]
    lost = acknowledged - raw.keys()
    strange = raw.keys() - sent.keys()
    if lost:
        problems.append(f"{len(lost)} acknowledged events are LOST, for example {sorted(lost)[:3]}")
    if strange:
        problems.append(f"{len(strange)} events that nobody sent, for example {sorted(strange)[:3]}")
    if len(export) != len(set(export)) or set(export) != raw.keys():
        problems.append(f"export: {len(export)} messages, {len(set(export))} ids, of {len(raw)} in export --raw")
    wrong = 0
    for message_id, event in sent.items():
        if message_id in raw:
            wanted = {k: v for k, v in event.items() if k != "timestamp"}
            if event["timestamp"]:
                wanted["originalTimestamp"] = event["timestamp"]
            miss = difference(wanted, raw[message_id])
            wrong += bool(miss)
            if miss and wrong <= 3:
                problems.append(f"{message_id} is not as it was sent: {miss}")
    twice = refused.keys() & raw.keys() - acknowledged
    if twice:
        problems.append(f"{len(twice)} events were refused, and kept nevertheless, for example {sorted(twice)[:3]}")
    undue = sorted(set(refused.values()) - set(refusals))
    if undue:
        problems.append(f"answers of {undue}")
    verify = server.run("verify", check=False)
    if verify.returncode:
        problems.append("onym verify: " + (verify.stdout + verify.stderr).decode(errors="replace")[-800:])
    print(f"sent {len(sent)}, acknowledged {len(acknowledged)}, refused {len(refused)}, kept {len(raw)}, "
          f"of them {total - len(raw)} again")
    if len(acknowledged) < 1000:
        problems.append("too few events to prove anything")
    return problems
