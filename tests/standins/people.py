"""Who is who by the rules of the design, from all messages at once and in a few lines: for what a vendor is told user
by user, since its own model has no merge of two users. Where it merges, it agrees with Onym's API (agrees)."""
from identity import Union


class People:
    def __init__(self, messages):
        self.messages = sorted(messages.values(), key=lambda m: (m["timestamp"], m["messageId"]))
        self.users = {m["userId"] for m in self.messages if m.get("userId")}
        self.links = {}                         # anonymous id -> [(time, messageId, user)]
        self.merges = []                        # alias messages of one user to another
        for m in self.messages:
            anonymous = m.get("anonymousId")
            if m["type"] == "alias":
                anonymous = m["previousId"] if m["previousId"] not in self.users else None
                if not anonymous and m["previousId"] != m["userId"]:
                    self.merges.append(m)
            if anonymous and m.get("userId"):
                self.links.setdefault(anonymous, []).append((m["timestamp"], m["messageId"], m["userId"]))

    def user_of(self, message):
        """The user whose the message is; None: nobody's yet."""
        if message.get("userId"):
            return message["userId"]
        links = self.links.get(message["anonymousId"], [])
        before = [link for link in links if link[:2] < (message["timestamp"], message["messageId"])]
        return before[-1][2] if before else links[0][2] if links else None

    def partition(self, merges):
        """messageId -> person, where only these aliases make one person of two users."""
        joined = Union()
        for m in merges:
            joined.join(m["previousId"], m["userId"])
        return {m["messageId"]: joined.find(self.user_of(m)) if self.user_of(m) else (m["anonymousId"],)
                for m in self.messages}

    def merges_into_unused(self):
        """Those whose user was in no message before: all that a forward look-up can take."""
        used, taken = set(), []
        for m in self.messages:
            if m in self.merges and m["userId"] not in used:
                taken.append(m)
            if m.get("userId"):
                used.add(m["userId"])
        return taken

    def traits_of(self, user):
        traits = {}
        for m in self.messages:
            if m["type"] == "identify" and self.user_of(m) == user:
                traits.update(m["traits"])
        return traits

    def agrees(self, owner):
        """Complaints where Onym's people (messageId -> person id) are not these."""
        ours, theirs, wrong = {}, {}, []
        for message_id, person in self.partition(self.merges).items():
            here = owner.get(message_id)
            if ours.setdefault(here, person) != person or theirs.setdefault(person, here) != here:
                wrong.append("message %s: Onym says %s, the rules say %s" % (message_id, here, person))
        return wrong[:5]
