"""A made-up history of a website, its server and a phone app, and what is true of it.

Healthy: visitors look around, sign up (the server says so, with the visitor's anonymous id), come back, log out (with a
reset), log in on a phone, share a computer. A fault is put in at a rate; the history keeps count of what it did.
"""
import datetime
import random

DAY, HOUR, MINUTE = 86400.0, 3600.0, 60.0
SITE, SERVER, PHONE = "website", "server", "phone"
SOURCES = {SITE: {"write_key": "wk_site"}, SERVER: {"write_key": "wk_server", "kind": "server"}, PHONE: {"write_key": "wk_phone"}}
LIBRARIES = {SITE: ("analytics.js", "1.0.0"), SERVER: ("analytics-node", "2.1.0"), PHONE: ("analytics-kotlin", "1.16.0")}

# What the browser library says, several of one cause at once, and what a later library may say.
TROUBLES = {"BR-1": ["cookie_stuck:ajs_user_id", "cookie_stuck:ajs_anonymous_id", "later_word"], "BR-2": ["storage_full"],
            "BR-3": ["queue_full"], "BR-4": ["more_missing"]}


def instant(t):
    return datetime.datetime.fromtimestamp(t, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class History:
    """fault: a code or None; rate: the share of its chances that it takes, 0 to 1."""

    def __init__(self, seed, now, fault=None, rate=0.0, old=40, new=90):
        self.random, self.now, self.fault, self.rate = random.Random(seed), now, fault, rate
        self.start = now - 7 * DAY
        self.messages, self.number = [], 0
        self.cases, self.people = 0, set()          # of the fault, in the window
        self.troubled = {}                          # by anonymous id: does its browser say that something is wrong?
        for n in range(old):
            self.live(f"old-{n}", self.at(now - 40 * DAY, now - 9 * DAY))
        for n in range(new):
            self.live(f"new-{n}", self.at(self.start + 3 * HOUR, now - 12 * HOUR))
        for n in range(40):
            self.household(n)
        for n in range(60):                          # who looks and leaves
            self.visit(self.id("stranger"), None, self.at(self.start + HOUR, now - HOUR), pages=2)
        if fault == "ID-6":
            self.magnets()
        if fault == "ID-6a":
            self.requests()
        if fault == "LO-4":
            self.releases()
        owners = {m["anonymousId"]: m["userId"] for m in reversed(self.messages) if "userId" in m and "anonymousId" in m}
        self.people = {owners.get(one, one) for one in self.people}      # a stranger who became somebody
        self.messages.sort(key=lambda m: (m["timestamp"], m["messageId"]))

    # ---- Words ----

    def at(self, first, last):
        return self.random.uniform(first, last)

    def id(self, kind):
        self.number += 1
        return f"{kind}-{self.number}-{self.random.randrange(1 << 30):x}"

    def strikes(self, code, user=None):
        """Does the fault take this chance? Then it is a case, and the user one of its people."""
        if self.fault != code or self.random.random() >= self.rate:
            return False
        self.cases += 1
        if user:
            self.people.add(user)
        return True

    def send(self, source, kind, t, user=None, device=None, page=None, library=None, agent="Firefox", app=None, **fields):
        if t > self.now - MINUTE:
            return None
        name, version = library or LIBRARIES[source]
        context = {"library": {"name": name, "version": version}, "userAgent": agent}
        if app:
            context["app"] = {"version": app}
        if page:
            context["page"] = page
        if page and source == SITE and self.fault in TROUBLES:
            if not self.troubled.get(device) and self.in_window(t) and device not in self.troubled:
                self.troubled[device] = self.strikes(self.fault, user or device)
            if self.troubled.get(device) and self.in_window(t):
                context["onym"] = {"health": TROUBLES[self.fault]}
        message = {"type": kind, "timestamp": instant(t), "messageId": self.id("m"), "projectId": source, "context": context, **fields}
        if user:
            message["userId"] = user
        if device:
            message["anonymousId"] = device
        self.messages.append(message)
        return message

    def visit(self, device, user, t, pages=3, referrer="", host="www.example.com", library=None):
        """Pages and a song; gives when it ends."""
        referrer = referrer or self.random.choice(["", "https://news.example.org/", "https://search.example.net/?q=music"])
        for n in range(pages):
            url = f"https://{host}/p{n}"
            self.send(SITE, "page", t, user, device, {"url": url, "path": f"/p{n}", "referrer": referrer},
                      library=library, properties={"path": f"/p{n}", "visit": self.id("v")})
            if self.fault == "TW-1" and self.in_window(t) and self.strikes("TW-1", user or device):
                self.messages.append({**self.messages[-1], "messageId": self.id("m"), "timestamp": instant(t + 0.03)})
            referrer, t = url, t + self.at(20, 90)
        self.send(SITE, "track", t, user, device, {"url": referrer, "path": "/p", "referrer": referrer}, library=library,
                  event="Song Played", properties={"song": self.id("song")})
        return t + 5

    def in_window(self, t):
        return self.start <= t <= self.now - MINUTE

    # ---- A life ----

    def live(self, user, t):
        device, email = self.id("a"), f"{user}@mail.example"
        windowed = self.in_window(t)
        if windowed and self.fault == "ID-9" and self.strikes("ID-9"):
            self.people.update((user, f"twin-{user}"))
            self.join(f"twin-{user}", self.id("a"), t - 40 * MINUTE, email)
        if windowed and self.fault == "TW-5" and self.strikes("TW-5", user):
            for n in range(3):
                self.send(SITE, "page", t - 30 * MINUTE + n, None, device, {"url": "https://www.example.com/", "path": "/", "referrer": ""},
                          library=("analytics.js", "1.0.0" if n % 2 else "0.9.0"), properties={"n": n})
        device = self.join(user, device, t, email)
        end = t + 10 * MINUTE
        for _ in range(self.random.randrange(4)):
            end += self.at(3 * HOUR, 30 * HOUR)
            device, end = self.come_back(user, device, end)
        if self.random.random() < 0.3:
            self.phone(user, t + self.at(HOUR, 20 * HOUR))

    def join(self, user, device, t, email):
        """Looks around as a stranger, and signs up. Gives the anonymous id that the browser has then."""
        strikes = lambda code: self.in_window(t) and self.strikes(code, user)       # noqa: E731
        page = {"url": "https://www.example.com/welcome", "path": "/welcome", "referrer": "https://www.example.com/signup"}
        if strikes("LO-5"):
            self.send(SERVER, "track", t, user, None, event="Signed Up", properties={"plan": "free"})
            return device
        begin = t - 15 * MINUTE
        self.visit(device, None, begin)
        if strikes("ID-14"):
            device = self.id("a")
            self.visit(device, None, t - 2 * MINUTE, pages=1, referrer="https://www.example.com/", host="app.example.com")
        if strikes("ID-1a"):
            self.send(SERVER, "track", t, user, None, event="Signed Up", properties={"plan": "free"})
            return self.id("a")                 # cookies are gone, and what was seen stays a stranger's
        if strikes("ID-1b"):
            device = self.id("a")
            page["url"], page["referrer"] = "https://app.example.com/welcome", "https://www.example.com/signup"
        elif strikes("ID-1"):
            device = self.id("a")
            page["referrer"] = "https://accounts.sso.example.net/"
        if not strikes("ID-2"):
            self.send(SERVER, "track", t, user, device, event="Signed Up", properties={"plan": "free"})
        if strikes("TW-2"):
            self.send(SITE, "track", t + 2, user, device, page, event="Signed Up", properties={"plan": "free"})
        self.send(SITE, "identify", t + 1, user, device, page, traits={"email": email, "plan": "free"})
        self.send(SITE, "page", t + 3, user, device, page, properties={"path": "/welcome"})
        if strikes("ID-15"):
            for n in range(7):
                self.send(SITE, "identify", t + 4 + n, user, device, page, traits={"email": email, "plan": "free"})
        if strikes("ID-3"):
            self.send(SERVER, "track", t + 10 * MINUTE, user, device, event="Signed Up", properties={"plan": "free"})
        if strikes("ID-11"):
            self.people.discard(user)
            other = f"other-{user}"
            self.send(SERVER, "track", t + 5 * MINUTE, other, device=None, event="Signed Up", properties={"plan": "free"})
            self.people.add(min(user, other))
            self.send(SERVER, "alias", t + 20 * MINUTE, user, None, previousId=other)
        if strikes("ID-10"):
            self.send(SITE, "alias", t + 5 * MINUTE, user, None, previousId=device)
        if strikes("ID-13"):
            for n, (own, host) in enumerate(((device, "www"), (self.id("a"), "app"), (device, "www"))):
                self.send(SITE, "page", t + MINUTE * (n + 1), user, own, {"url": f"https://{host}.example.com/x", "path": "/x", "referrer": ""},
                          properties={"n": n})
        elif self.fault == "ID-13" and self.in_window(t):        # on two hosts with one cookie
            for n, host in enumerate(("www", "app", "www")):
                self.send(SITE, "page", t + MINUTE * (n + 1), user, device, {"url": f"https://{host}.example.com/x", "path": "/x", "referrer": ""},
                          properties={"n": n})
        return device

    def come_back(self, user, device, t):
        """A visit as the user; some log out, and log in again on the next visit."""
        if t > self.now - 2 * HOUR:
            return device, t
        is_windowed = self.in_window(t)
        if is_windowed and self.fault == "ID-12" and self.strikes("ID-12", user):
            self.visit(device, None, t)
            return device, t + 10 * MINUTE
        if is_windowed and self.strikes("ID-15", user):
            for n in range(7):
                self.send(SITE, "identify", t - n * MINUTE, user, device, traits={"plan": "free"})
        end = self.visit(device, user, t)
        if self.random.random() < 0.3:
            self.send(SITE, "track", end, user, device, event="Signed Out", properties={})
            device, end = self.id("a"), end + 20
            self.visit(device, None, end, pages=1, referrer="https://www.example.com/p2")
            end += self.at(2 * HOUR, 5 * HOUR)
            self.send(SITE, "page", end, None, device, {"url": "https://www.example.com/login", "path": "/login", "referrer": ""}, properties={})
            self.send(SITE, "identify", end + 20, user, device, traits={"plan": "free"})
            self.send(SITE, "track", end + 21, user, device, event="Signed In", properties={})
            end = self.visit(device, user, end + 30)
        return device, end

    def phone(self, user, t):
        device = self.id("p")
        self.send(PHONE, "screen", t, None, device, name="Start", properties={}, agent="okhttp")
        self.send(PHONE, "identify", t + 30, user, device, traits={"plan": "free"}, agent="okhttp")
        self.send(PHONE, "screen", t + 40, user, device, name="Home", properties={}, agent="okhttp")

    def household(self, n):
        """Two who signed up long ago share a computer; the first logs out, and the page resets."""
        first, second, device = f"home-{n}-a", f"home-{n}-b", self.id("a")
        for user in (first, second):
            self.join(user, self.id("a"), self.at(self.now - 40 * DAY, self.now - 20 * DAY), f"{user}@mail.example")
        t = self.at(self.start + 5 * HOUR, self.now - 30 * HOUR)
        self.send(SITE, "identify", t - 30, first, device, traits={"plan": "free"})
        end = self.visit(device, first, t)
        self.send(SITE, "track", end, first, device, event="Signed Out", properties={})
        if self.fault in ("ID-4", "ID-4a") and self.strikes(self.fault):
            self.people.update((first, second))
        else:
            device = self.id("a")
        end += MINUTE if self.fault == "ID-4a" else self.at(3 * HOUR, 20 * HOUR)
        self.send(SITE, "page", end, None, device, {"url": "https://www.example.com/login", "path": "/login", "referrer": ""}, properties={})
        self.send(SITE, "identify", end + 30, second, device, traits={"plan": "free"})
        end = self.visit(device, second, end + 60)
        if self.fault == "ID-4a":
            self.visit(device if self.people & {first} else self.id("a"), first, end + MINUTE)

    def magnets(self):
        """A user of a robot, who is somebody new each time; as many as the rate says, of ten."""
        for n in range(round(self.rate * 10)):
            self.cases += 1
            self.people.add(f"robot-{n}")
            for _ in range(60):
                self.visit(self.id("a"), f"robot-{n}", self.at(self.start + HOUR, self.now - HOUR), pages=1)

    def requests(self):
        """300 messages of the server; so many as the rate says have an anonymous id that no other has."""
        kept = self.id("a")
        for n in range(300):
            is_new = self.strikes("ID-6a")
            device = self.id("r") if is_new else kept
            self.send(SERVER, "track", self.at(self.start + HOUR, self.now - HOUR), None, device, event="Mail Sent", properties={"n": n})
            if is_new:
                self.people.add(device)

    def releases(self):
        """250 sessions of the phone's app 2.9.0 with a song each, and 250 of 2.10.0; so many as the rate says lack it."""
        for n in range(500):
            version, device, t = "2.10.0" if n % 2 else "2.9.0", self.id("p"), self.at(self.start + HOUR, self.now - 2 * HOUR)
            is_lost = version == "2.10.0" and self.strikes("LO-4", device)
            self.send(PHONE, "screen", t, None, device, name="Home", properties={}, agent="okhttp", app=version)
            if not is_lost:
                self.send(PHONE, "track", t + 5, None, device, event="Song Added", properties={"song": self.id("song")}, agent="okhttp", app=version)

    # ---- What is true ----

    def window(self, **wanted):
        start = instant(self.start)
        return [m for m in self.messages if m["timestamp"] >= start and all(m.get(k) == v for k, v in wanted.items())]
