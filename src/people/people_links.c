/* people_links: which person a message belongs to, and which anonymous ids belong to a user, for code that sends
 * messages on.
 *
 * A person is keyed by the hash of the person's id, which is a function of the set of messages: the same after
 * a restart. Looking up a message's person takes a few table look-ups; listing the links of a user reads evidence,
 * which may be on the disk, so ask for it only if a link can be new.
 */
#include "people.h"

enum { LINKS_MOST = 500, EVIDENCE_MOST = 16 };

bool people_is_blocked(const People *people, Str id) { return identity_is_blocked(people->identity, id); }

static IdentityNode find_node(const struct identity *identity, IdentityKind kind, Str id)
{
    return id.len && !identity_is_blocked(identity, id) ? identity_find(identity, kind, id) : IDENTITY_NONE;
}

static uint64_t key_of_person(const struct identity *identity, IdentityPerson person)
{
    char room[IDENTITY_PERSON_ID_BYTES];
    uint64_t key = hash_64(identity_person_id(identity, person, room), 'p');
    return key ? key : 1;
}

static Str value_of(const struct identity *identity, IdentityNode node, Arena *arena)
{
    char bytes[LIMIT_ID_BYTES];
    return arena_copy(arena, identity_read_value(identity, node, bytes));
}

/* Does this evidence make the anonymous id a user's? Evidence that was taken back does not. */
static bool gives_user(const struct identity *identity, const IdentityLink *link, IdentityNode anonymous)
{
    return !link->is_removed && link->from == anonymous && identity_kind_of(identity, link->to) == IDENTITY_USER;
}

/* Finds the user who owns the id's history, by the evidence that claimed it first; and the owner at an instant. */
struct claims {
    const IdentityLink *first, *last;
};

static Status find_claims(const struct identity *identity, IdentityNode anonymous, Millis until_ms, Arena *arena,
                          struct claims *ret, Err *err)
{
    IdentityLinks links;
    Status s = identity_list_links(identity, anonymous, EVIDENCE_MOST, arena, &links, err);
    *ret = (struct claims){ NULL, NULL };
    for (size_t at = 0; !s && at < links.count; at++) {
        const IdentityLink *link = &links.items[at];
        if (!gives_user(identity, link, anonymous)) continue;
        if (!ret->first) ret->first = ret->last = link;
        if (link->time_ms <= until_ms) ret->last = link;
    }
    return s;
}

/* Finds the user of an anonymous message on a shared device, if the id's history is another user's. */
static Status find_owner(const struct identity *identity, IdentityNode anonymous, const Event *event, Arena *arena,
                         MessagePerson *ret, Err *err)
{
    struct claims claims;
    Status s = find_claims(identity, anonymous, event->timestamp_ms, arena, &claims, err);
    if (!s && claims.last && claims.last->to != claims.first->to)
        ret->owner_id = value_of(identity, claims.last->to, arena);
    return s;
}

static Status find_person(const struct identity *identity, const struct identity_view *view, const Event *event,
                          Arena *arena, MessagePerson *ret, Err *err)
{
    IdentityNode user = find_node(identity, IDENTITY_USER, event->user_id);
    IdentityNode anonymous = find_node(identity, IDENTITY_ANONYMOUS, event->anonymous_id);
    IdentityNode subject = user != IDENTITY_NONE ? user : anonymous;
    *ret = (MessagePerson){ 0 };
    ret->previous_is_user = find_node(identity, IDENTITY_USER, event->previous_id) != IDENTITY_NONE;
    if (subject == IDENTITY_NONE) return OK;
    ret->key = key_of_person(identity, identity_find_owner(identity, subject, event->timestamp_ms, event->message_id));
    if (user != IDENTITY_NONE || !identity_is_shared(identity_view_slot(view, anonymous))) return OK;
    return find_owner(identity, anonymous, event, arena, ret, err);
}

IdentityPerson people_find_sender(const People *people, const Event *event, bool *ret_is_erased)
{
    const struct identity *identity = people->identity;
    IdentityNode subject = find_node(identity, IDENTITY_USER, event->user_id);
    if (subject == IDENTITY_NONE) subject = find_node(identity, IDENTITY_ANONYMOUS, event->anonymous_id);
    *ret_is_erased = subject == IDENTITY_NONE &&
                     ((event->user_id.len && !identity_is_blocked(identity, event->user_id)) ||
                      (event->anonymous_id.len && !identity_is_blocked(identity, event->anonymous_id)));
    if (subject == IDENTITY_NONE) return IDENTITY_NONE;
    return identity_find_owner(identity, subject, event->timestamp_ms, event->message_id);
}

/* Did the message at the position claim the anonymous id first? */
static Status is_first_claim(const struct identity *identity, Str anonymous_id, JournalPos pos, Arena *scratch,
                             bool *ret, Err *err)
{
    struct claims claims;
    IdentityNode anonymous = find_node(identity, IDENTITY_ANONYMOUS, anonymous_id);
    *ret = false;
    if (anonymous == IDENTITY_NONE) return OK;
    Status s = find_claims(identity, anonymous, INT64_MAX, scratch, &claims, err);
    *ret = !s && claims.first && claims.first->position == journal_number(pos);
    return s;
}

static Status joins_users(const struct identity *identity, Str previous_id, JournalPos pos, Arena *scratch, bool *ret,
                          Err *err)
{
    IdentityLinks links;
    IdentityNode previous = find_node(identity, IDENTITY_USER, previous_id);
    *ret = false;
    if (previous == IDENTITY_NONE) return OK;
    Status s = identity_list_links(identity, previous, LINKS_MOST, scratch, &links, err);
    for (size_t at = 0; !s && !*ret && at < links.count; at++)
        *ret = links.items[at].rule == IDENTITY_BY_ALIAS_OF_USER && !links.items[at].is_removed &&
               links.items[at].position == journal_number(pos);
    return s;
}

Status people_find_claim(const People *people, const Event *event, JournalPos pos, Arena scratch, PersonClaim *ret,
                         Err *err)
{
    const Str candidates[] = { event->anonymous_id, event->type == EVENT_ALIAS ? event->previous_id : (Str){ 0 } };
    bool is_claim = false;
    Status s = OK;
    *ret = (PersonClaim){ 0 };
    if (!event->user_id.len) return OK;
    for (size_t at = 0; !s && !is_claim && at < countof(candidates); at++) {
        s = is_first_claim(people->identity, candidates[at], pos, &scratch, &is_claim, err);
        if (is_claim) ret->anonymous_id = candidates[at];
    }
    if (s || is_claim || event->type != EVENT_ALIAS) return s;
    s = joins_users(people->identity, event->previous_id, pos, &scratch, &is_claim, err);
    if (is_claim) ret->user_id = event->previous_id;
    return s;
}

Status people_find_message_person(const People *people, const Event *event, Arena *arena, MessagePerson *ret, Err *err)
{
    const struct identity_view *view = identity_take_view(people->identity);
    Status s = find_person(people->identity, view, event, arena, ret, err);
    identity_give_view(people->identity, view);
    return s;
}

/* Aliases of this user to others, and of others to it, that hold. */
static Status list_merges(const struct identity *identity, IdentityNode user, Arena *arena, PersonLink *links,
                          size_t *count, Err *err)
{
    IdentityLinks found;
    Status s = identity_list_links(identity, user, LINKS_MOST, arena, &found, err);
    for (size_t at = 0; !s && at < found.count && *count < LINKS_MOST; at++) {
        const IdentityLink *link = &found.items[at];
        if (link->rule != IDENTITY_BY_ALIAS_OF_USER || link->is_removed) continue;
        links[(*count)++] = (PersonLink){ value_of(identity, link->from, arena), value_of(identity, link->to, arena),
                                          link->time_ms, true };
    }
    return s;
}

static Status list_links(const struct identity *identity, IdentityNode user, Arena *arena, PersonLink *links,
                         size_t *count, Err *err)
{
    IdentityMember *members;
    size_t member_count, user_count = 0;
    IdentityPerson person = identity_person_now(identity, user);
    Status s = identity_list_members(identity, person, arena, &members, &member_count, err);
    for (size_t at = 0; !s && at < member_count && *count < LINKS_MOST; at++) {
        struct claims claims;
        user_count += members[at].kind == IDENTITY_USER;
        if (members[at].kind != IDENTITY_ANONYMOUS) continue;
        s = find_claims(identity, members[at].node, INT64_MAX, arena, &claims, err);
        if (s || !claims.first || claims.first->to != user) continue;
        links[(*count)++] = (PersonLink){ value_of(identity, members[at].node, arena), value_of(identity, user, arena),
                                          claims.first->time_ms, false };
    }
    return s || user_count < 2 ? s : list_merges(identity, user, arena, links, count, err);
}

Status people_list_links(const People *people, Str user_id, Arena *arena, const PersonLink **ret, size_t *ret_count,
                         Err *err)
{
    PersonLink *links = arena_new(arena, PersonLink, LINKS_MOST);
    *ret = links;
    *ret_count = 0;
    IdentityNode user = find_node(people->identity, IDENTITY_USER, user_id);
    return user == IDENTITY_NONE ? OK : list_links(people->identity, user, arena, links, ret_count, err);
}
