/* deliver_people: who is who, asked of the applier's identity.
 *
 * A person is keyed by the hash of the person's id, which is a function of the set of messages: the same after
 * a restart. Looking up a message's person is a few table look-ups; listing the links of a user reads evidence,
 * which may lie on the disk, so deliver_build.c asks for it only where a link can be new.
 */
#include "deliver_outlet.h"

#include "apply/apply.h"

enum { LINKS_MOST = 500, EVIDENCE_MOST = 16 };

static void begin_asking(void *context) { apply_begin_reading(context); }

static void end_asking(void *context) { apply_end_reading(context); }

static JournalPos asked_position(void *context)
{
    ApplyStats stats;
    apply_read_stats(context, &stats);
    return stats.applied;
}

static bool asked_is_blocked(void *context, Str id)
{
    return identity_is_blocked(apply_identity(context), id);        /* of the rules alone: needs no guard */
}

static bool asked_is_duplicate(void *context, JournalPos pos)
{
    return apply_is_duplicate(context, pos);
}

static IdentityNode find_node(const struct identity *identity, IdentityKind kind, Str id)
{
    return id.len && !identity_is_blocked(identity, id) ? identity_find(identity, kind, id) : IDENTITY_NONE;
}

static uint64_t key_of_person(const struct identity *identity, IdentityPerson person)
{
    char bytes[IDENTITY_PERSON_ID_BYTES];
    struct buf text;
    uint64_t key;
    buf_init_fixed(&text, bytes, sizeof bytes);
    identity_write_person_id(identity, person, &text);
    key = hash_64(buf_str(&text), 'p');
    return key ? key : 1;
}

static Str value_of(const struct identity *identity, IdentityNode node, Arena *arena)
{
    char bytes[LIMIT_ID_BYTES];
    return arena_copy(arena, identity_read_value(identity, node, bytes));
}

/* Evidence that makes an anonymous id a user's; evidence that was taken back is none. */
static bool is_claim(const struct identity *identity, const IdentityLink *link, IdentityNode anonymous)
{
    return !link->is_removed && link->from == anonymous && identity_kind_of(identity, link->to) == IDENTITY_USER;
}

/* The user whose the id's history is, by the evidence that claimed it first; and whose it was at an instant. */
struct claims {
    const IdentityLink *first, *last;
};

static Status find_claims(const struct identity *identity, IdentityNode anonymous, Millis until_ms, Arena *arena,
                          struct claims *ret, Err *err)
{
    IdentityLink *links;
    size_t count;
    uint64_t more;
    Status s = identity_list_links(identity, anonymous, EVIDENCE_MOST, arena, &links, &count, &more, err);
    *ret = (struct claims){ NULL, NULL };
    for (size_t at = 0; !s && at < count; at++) {
        if (!is_claim(identity, &links[at], anonymous)) continue;
        if (!ret->first) ret->first = ret->last = &links[at];
        if (links[at].time_ms <= until_ms) ret->last = &links[at];
    }
    return s;
}

/* An anonymous message on a shared device: its user, where the id's history is another's. */
static Status find_owner(const struct identity *identity, IdentityNode anonymous, const Event *event, Arena *arena,
                         DeliverPerson *ret, Err *err)
{
    struct claims claims;
    Status s = find_claims(identity, anonymous, event->timestamp_ms, arena, &claims, err);
    if (!s && claims.last && claims.last->to != claims.first->to)
        ret->owner_id = value_of(identity, claims.last->to, arena);
    return s;
}

static Status find_person(const struct identity *identity, const struct identity_view *view, const Event *event,
                          Arena *arena, DeliverPerson *ret, Err *err)
{
    IdentityNode user = find_node(identity, IDENTITY_USER, event->user_id);
    IdentityNode anonymous = find_node(identity, IDENTITY_ANONYMOUS, event->anonymous_id);
    IdentityNode subject = user != IDENTITY_NONE ? user : anonymous;
    *ret = (DeliverPerson){ 0 };
    ret->previous_is_user = find_node(identity, IDENTITY_USER, event->previous_id) != IDENTITY_NONE;
    if (subject == IDENTITY_NONE) return OK;
    ret->key = key_of_person(identity, identity_find_owner(identity, subject, event->timestamp_ms, event->message_id));
    if (user != IDENTITY_NONE || !identity_is_shared(identity_view_slot(view, anonymous))) return OK;
    return find_owner(identity, anonymous, event, arena, ret, err);
}

static Status asked_find(void *context, const Event *event, Arena *arena, DeliverPerson *ret, Err *err)
{
    struct identity *identity = apply_identity(context);
    const struct identity_view *view = identity_take_view(identity);
    Status s = find_person(identity, view, event, arena, ret, err);
    identity_give_view(identity, view);
    return s;
}

/* Aliases of this user to others, and of others to it, that hold. */
static Status list_merges(const struct identity *identity, IdentityNode user, Arena *arena, PersonLink *links,
                          size_t *count, Err *err)
{
    IdentityLink *found;
    size_t found_count = 0;
    uint64_t more;
    Status s = identity_list_links(identity, user, LINKS_MOST, arena, &found, &found_count, &more, err);
    for (size_t at = 0; !s && at < found_count && *count < LINKS_MOST; at++) {
        if (found[at].rule != IDENTITY_BY_ALIAS_OF_USER || found[at].is_removed) continue;
        links[(*count)++] = (PersonLink){ value_of(identity, found[at].from, arena),
                                          value_of(identity, found[at].to, arena), found[at].time_ms, true };
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

static Status asked_list_links(void *context, Str user_id, Arena *arena, const PersonLink **ret, size_t *ret_count,
                                Err *err)
{
    struct identity *identity = apply_identity(context);
    PersonLink *links = arena_new(arena, PersonLink, LINKS_MOST);
    IdentityNode user;
    Status s = OK;
    *ret = links;
    *ret_count = 0;
    user = find_node(identity, IDENTITY_USER, user_id);
    if (user != IDENTITY_NONE) s = list_links(identity, user, arena, links, ret_count, err);
    return s;
}

static bool asked_is_suppressed(void *context, const Event *event) { return apply_is_suppressed_event(context, event); }

static Status list_forgets(void *context, Arena *arena, DeliverForget **ret, size_t *ret_count, Err *err)
{
    ApplyForget *forgets;
    Status s = apply_list_forgets(context, arena, &forgets, ret_count, err);
    if (s || !*ret_count) return s;
    *ret = arena_new(arena, DeliverForget, *ret_count);
    for (size_t at = 0; at < *ret_count; at++)
        (*ret)[at] = (DeliverForget){ forgets[at].before, forgets[at].what, forgets[at].number };
    return OK;
}

static void end_forget(void *context, const DeliverForget *forget)
{
    ApplyForget ended = { forget->before, forget->what, forget->number };
    apply_end_forget(context, &ended);
}

struct deliver_people deliver_people_of(struct applier *applier)
{
    return (struct deliver_people){ applier, begin_asking, end_asking, asked_position, asked_find, asked_list_links,
                                    asked_is_blocked, asked_is_duplicate, asked_is_suppressed, list_forgets,
                                    end_forget };
}
