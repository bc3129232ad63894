"""Random visitors who become users: what browsers and servers send, in chunks that arrive one after the other.

A chunk is one request, so that a crash takes all of it or nothing; within it the order is shuffled, as browsers
and networks do. Event times are more than a second apart (KISSmetrics counts a name once a second).
"""
import uuid
from datetime import datetime, timedelta, timezone

STEP_S = 2


class History:
    """All visitors of one run. `dice` is a random.Random: the same seed, the same history."""

    def __init__(self, dice, visitors, prefix=""):
        self.dice = dice
        self.at = datetime.now(timezone.utc) - timedelta(days=2)
        self.messages = {}              # messageId -> message, as first sent
        self.users = set()
        self.shared = set()             # anonymous ids of more than one user
        self.second_devices = set()     # anonymous ids that came to a user who had one
        self.chunks_made = []
        self.members = set()            # users in the company acme
        self.page = None
        self.visitors = [Visitor(self, prefix + "user-%d" % n) for n in range(visitors)]

    def new_uuid(self):
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    def new_message_id(self):
        """As SDKs make them, and as anybody may. Ours ends all of one page view with the page's UUID."""
        count, way = len(self.messages), self.dice.random()
        if count % 9 == 0:
            self.page = self.new_uuid()
        if way < 0.45:
            return "%d-%s" % (17959257085590000 + count, self.page)
        if way < 0.6:
            return "ajs-next-%d-%s" % (1700000000000 + count, self.page)
        if way < 0.75:
            return ("\u00e9%d", "a\nb%d", "x\n{\"type\":\"track\",\"n\":%d}", "a=b&c,%d", "%%0A%d")[count % 5] % count
        return self.new_uuid()

    def message(self, kind, **fields):
        self.at += timedelta(seconds=STEP_S)
        made = dict(fields, type=kind, messageId=self.new_message_id(),
                    timestamp=self.at.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
        made = {key: value for key, value in made.items() if value}
        if kind in ("track", "page"):
            made["properties"] = dict(made.get("properties", {}), id=made["messageId"])
        self.messages[made["messageId"]] = made
        if made.get("userId"):
            self.users.add(made["userId"])
        return made

    def chunks(self):
        """Endless chunks of messages, until every visitor is done."""
        while any(not visitor.is_done for visitor in self.visitors):
            chunk = []
            due = [visitor for visitor in self.visitors if visitor.is_due()]
            waiting = [visitor for visitor in self.visitors if not visitor.is_done and visitor not in due]
            for visitor in due + self.dice.sample(waiting, min(len(waiting), self.dice.randint(1, 4))):
                chunk += visitor.act()
            self.dice.shuffle(chunk)
            if chunk:
                self.chunks_made.append(chunk)
                yield chunk
            if self.chunks_made and self.dice.random() < 0.08:
                yield self.dice.choice(self.chunks_made)        # an SDK that did not hear the answer


class Visitor:
    """One person: browses, becomes a user in one of several ways, goes on by browser, server and new devices."""

    WAYS = ["identify", "identify", "track", "alias", "server first", "alias late", "never"]

    def __init__(self, history, user):
        self.history, self.user = history, user
        self.dice = history.dice
        self.anonymous = self.new_device()
        self.way = self.dice.choice(self.WAYS)
        self.steps_left = self.dice.randint(6, 14)
        self.browses_left = self.dice.randint(0, 4)
        self.stage = "browses"
        self.behind = 0                 # chunks since the server knows
        self.plan = 0
        self.other_id = None            # joined by an alias before anything came under it

    @property
    def is_done(self):
        return self.steps_left <= 0 and self.stage != "server knows"

    def is_due(self):
        """The browser is some chunks behind the server, not more: on a busy machine even few take seconds, and the
        link is to come within the grace time."""
        if self.stage != "server knows":
            return False
        self.behind += 1
        return self.behind > 4

    def new_device(self):
        return self.history.new_uuid() if self.dice.random() < 0.7 else "visitor." + self.history.new_uuid()[:8]

    def act(self):
        self.steps_left -= 1
        return getattr(self, "act_" + self.stage.replace(" ", "_"))()

    def traits(self):
        self.plan += 1
        return {"plan": "plan-%d" % self.plan, "email": self.user + "@example.com"}

    def visitor_says(self):
        """Traits of nobody yet: they are the user's in the end, if one comes."""
        self.plan += 1
        return self.history.message("identify", anonymousId=self.anonymous, traits={"seen": "seen-%d" % self.plan})

    def act_browses(self):
        message = self.history.message
        if self.browses_left > 0 or self.way == "never":
            self.browses_left -= 1
            if self.dice.random() < 0.25:
                return [self.visitor_says()]
            return [message("track", event="Browsed", anonymousId=self.anonymous)]
        self.stage = "user"
        if self.way == "identify":
            return [message("identify", anonymousId=self.anonymous, userId=self.user, traits=self.traits())]
        if self.way == "track":
            return [message("track", event="Signed Up", anonymousId=self.anonymous, userId=self.user)]
        if self.way == "alias":
            return [message("alias", previousId=self.anonymous, userId=self.user),
                    message("track", event="Signed Up", userId=self.user)]
        self.stage = "server knows"
        return [message("identify", userId=self.user, traits=self.traits())]

    def act_server_knows(self):
        """The server was faster; the browser says who it is within the grace time."""
        self.stage = "user"
        if self.way == "alias late":
            return [self.history.message("alias", previousId=self.anonymous, userId=self.user)]
        return [self.history.message("identify", anonymousId=self.anonymous, userId=self.user, traits=self.traits())]

    def act_user(self):
        message, what = self.history.message, self.dice.random()
        if what < 0.35:
            return [message("track", event="Clicked", anonymousId=self.anonymous, userId=self.user)]
        if what < 0.6:
            return [message("track", event="Was Billed", userId=self.user)]
        if what < 0.7:
            return [message("page", name="Home", anonymousId=self.anonymous, userId=self.user,
                            properties={"url": "https://example.com/"})]
        if what < 0.8:
            return [message("identify", anonymousId=self.anonymous, userId=self.user, traits=self.traits())]
        if what < 0.83:
            self.history.members.add(self.user)
            return [message("group", userId=self.user, groupId="acme",
                            traits={"name": "Acme", "plan": "pro", "tier": "x", "region": "eu", "seats": 5, "old": None})]
        if what < 0.89:
            return self.act_second_device()
        if what < 0.94:
            return self.act_share()
        return self.dice.choice([self.act_merge, self.act_merge, self.act_rename, self.act_other_id])()

    def act_second_device(self):
        """Anonymous on another device, or after reset(), and then the same user there."""
        message = self.history.message
        self.anonymous = self.new_device()
        self.history.second_devices.add(self.anonymous)
        return [message("track", event="Browsed", anonymousId=self.anonymous), self.visitor_says(),
                message("identify", anonymousId=self.anonymous, userId=self.user, traits=self.traits()),
                message("track", event="Clicked", anonymousId=self.anonymous, userId=self.user)]

    def act_share(self):
        """Somebody else signs in on the device; afterwards it is theirs, and anonymous events there, too."""
        message, other = self.history.message, self.user + "-guest"
        if self.anonymous in self.history.shared:
            return []
        self.history.shared.add(self.anonymous)
        made = [message("identify", anonymousId=self.anonymous, userId=other, traits={"plan": "guest"}),
                message("track", event="Clicked", anonymousId=self.anonymous, userId=other),
                message("track", event="Browsed", anonymousId=self.anonymous)]
        self.anonymous = self.new_device()
        self.history.second_devices.add(self.anonymous)
        made.append(message("identify", anonymousId=self.anonymous, userId=self.user, traits=self.traits()))
        return made

    def act_merge(self):
        """Two accounts are one person: an alias of a user id. Chains and repeats happen."""
        others = [v.user for v in self.history.visitors if v is not self and v.stage == "user"]
        if not others:
            return []
        pair = [self.user, self.dice.choice(others)]
        self.dice.shuffle(pair)
        made = [self.history.message("alias", previousId=pair[0], userId=pair[1])]
        if self.dice.random() < 0.2:
            made.append(self.history.message("alias", previousId=pair[0], userId=pair[1]))
        return made + [self.history.message("track", event="Was Billed", userId=pair[1])]

    def act_rename(self):
        """The user gets another id, which nothing came under before; the browser stays the same."""
        message, old = self.history.message, self.user
        self.user = old + "-new"
        self.history.shared.add(self.anonymous)
        return [message("alias", previousId=old, userId=self.user), message("track", event="Was Billed", userId=self.user),
                message("identify", userId=self.user, traits=self.traits()),
                message("track", event="Clicked", anonymousId=self.anonymous, userId=self.user)]

    def act_other_id(self):
        """An id of another system is joined before anybody knows that it is a user's; then it is one."""
        message = self.history.message
        if self.other_id:
            return [message("track", event="Was Billed", userId=self.other_id)]
        self.other_id = self.user + "-crm"
        return [message("alias", previousId=self.other_id, userId=self.user)]
