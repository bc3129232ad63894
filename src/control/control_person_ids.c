/* control_person_ids: finds the ids that belong to one person, and at which times they do. An order about the person
 * names these. */
#include "control_private.h"

/* What was found about the times of one id. */
struct times {
    const struct identity_view *view;
    IdentityPerson person;
    CommandId id;
    CommandId *ids;                         /* NULL: only count the times */
    size_t count, all;                      /* the person's times; those of everybody */
};

/* Finds the person's times in a slot, between from_ms and to_ms. The owner of an id may be an external id that has
 * owners of its own, each for a time; then a time counts only if it is within both. (identity_view_find_person does the
 * same for one event.) */
static void find_times(struct times *times, uint32_t slot, Millis from_ms, Millis to_ms)
{
    if (!identity_is_shared(slot)) {
        times->all++;
        if (slot != times->person) return;
        if (times->ids) {
            times->ids[times->count] = times->id;
            times->ids[times->count].from_ms = from_ms;
            times->ids[times->count].to_ms = to_ms;
        }
        times->count++;
        return;
    }
    const struct identity_spans *spans = identity_view_spans(times->view, slot);
    for (uint32_t at = 0; at < spans->count; at++) {
        Millis begin_ms = at > 0 ? spans->spans[at].from_ms : INT64_MIN;
        Millis end_ms = at + 1 < spans->count ? spans->spans[at + 1].from_ms : INT64_MAX;
        if (begin_ms < from_ms) begin_ms = from_ms;
        if (end_ms > to_ms) end_ms = to_ms;
        if (begin_ms < end_ms)
            find_times(times, identity_view_slot(times->view, spans->spans[at].owner), begin_ms, end_ms);
    }
}

static struct times times_of(const struct identity_view *view, IdentityPerson person, IdentityNode node)
{
    struct times times = { .view = view, .person = person };
    find_times(&times, identity_view_slot(view, node), INT64_MIN, INT64_MAX);
    return times;
}

/* True: nobody else has this external id or ever had it. */
static bool is_own_external(const struct identity_view *view, IdentityPerson person, IdentityNode node)
{
    struct times times = times_of(view, person, node);
    return times.count == times.all;
}

/* Lists the times when an id of several owners was this person's; if it was nobody else's, the whole id. */
static size_t list_times(const struct identity_view *view, IdentityPerson person, IdentityNode node,
                         const CommandId *id, CommandId *ids)
{
    struct times times = { .view = view, .person = person, .id = *id, .ids = ids };
    find_times(&times, identity_view_slot(view, node), INT64_MIN, INT64_MAX);
    if (times.count != times.all) return times.count;
    ids[0] = *id;
    return 1;
}

Status control_list_person_ids(struct control *control, IdentityPerson person, Arena *arena, CommandId **ret,
                             size_t *ret_count, Err *err)
{
    IdentityMember *members;
    char text[LIMIT_ID_BYTES];
    size_t count, kept = 0, room = 0;
    const struct identity_view *view = identity_take_view(control->stores.identity);
    Status s = identity_list_members(control->stores.identity, person, arena, &members, &count, err);
    for (size_t at = 0; !s && at < count; at++) room += times_of(view, person, members[at].node).count + 1;
    CommandId *ids = s ? NULL : arena_try(arena, sizeof *ids, _Alignof(CommandId), room + 1);
    if (!s && !ids) s = err_set(err, ERR_TOO_LARGE, "the person has more ids than an answer holds");
    for (size_t at = 0; !s && at < count; at++) {
        IdentityKind kind = members[at].kind;
        if (kind >= IDENTITY_EXTERNAL && !is_own_external(view, person, members[at].node)) continue;
        if (arena_left(arena) < PEOPLE_EXTERNAL_BYTES + 1) {
            s = err_set(err, ERR_TOO_LARGE, "the person has more ids than an answer holds");
            break;
        }
        CommandId id = { kind == IDENTITY_USER ? COMMAND_USER_ID : COMMAND_ANONYMOUS_ID,
                         arena_copy(arena, identity_read_value(control->stores.identity, members[at].node, text)),
                         INT64_MIN, INT64_MAX, false };
        if (kind >= IDENTITY_EXTERNAL) {
            Str name = identity_kind_name(control->stores.identity, kind), value = id.value;
            id.kind = COMMAND_EXTERNAL_ID;
            id.value = arena_printf(arena, "%.*s:%.*s", STR_FORMAT(name), STR_FORMAT(value));
            ids[kept++] = id;
            continue;
        }
        id.keeps_aliases = kind == IDENTITY_ANONYMOUS &&
                           identity_find(control->stores.identity, IDENTITY_USER, id.value) != IDENTITY_NONE;
        kept += list_times(view, person, members[at].node, &id, ids + kept);
    }
    identity_give_view(control->stores.identity, view);
    *ret = ids;
    *ret_count = kept;
    return s;
}
