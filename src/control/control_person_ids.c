/* control_person_ids: which ids, and which of their times, belong to one person: an order about the person names these.
 * */
#include "control_private.h"

/* Nobody else ever had this external id, and nobody else has it now. */
static bool is_own_external(const struct identity_view *view, IdentityPerson person, IdentityNode node)
{
    uint32_t slot = identity_view_slot(view, node);
    bool is_own = identity_view_person_now(view, node) == person;
    const struct identity_spans *spans = identity_is_shared(slot) ? identity_view_spans(view, slot) : NULL;
    for (uint32_t span = 0; spans && span < spans->count && is_own; span++)
        is_own = identity_view_person_now(view, spans->spans[span].owner) == person;
    return is_own;
}

/* The times when an id of several owners was this person's; the whole id if every owner is one of the person's
 * user ids. */
static size_t list_times(const struct identity_view *view, const struct identity_spans *spans, IdentityPerson person,
                         const CommandId *id, CommandId *ids)
{
    size_t count = 0;
    bool is_all = true;
    for (uint32_t span = 0; span < spans->count; span++) {
        if (identity_view_person_now(view, spans->spans[span].owner) != person) {
            is_all = false;
            continue;
        }
        ids[count] = *id;
        if (span > 0) ids[count].from_ms = spans->spans[span].from_ms;
        if (span + 1 < spans->count) ids[count].to_ms = spans->spans[span + 1].from_ms;
        count++;
    }
    if (!is_all) return count;
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
    for (size_t at = 0; !s && at < count; at++) {
        uint32_t slot = identity_view_slot(view, members[at].node);
        room += identity_is_shared(slot) ? identity_view_spans(view, slot)->count : 1;
    }
    CommandId *ids = s ? NULL : arena_try(arena, sizeof *ids, _Alignof(CommandId), room + 1);
    if (!s && !ids) s = err_set(err, ERR_TOO_LARGE, "the person has more ids than an answer holds");
    for (size_t at = 0; !s && at < count; at++) {
        IdentityKind kind = members[at].kind;
        uint32_t slot = identity_view_slot(view, members[at].node);
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
        if (!identity_is_shared(slot)) ids[kept++] = id;
        else kept += list_times(view, identity_view_spans(view, slot), person, &id, ids + kept);
    }
    identity_give_view(control->stores.identity, view);
    *ret = ids;
    *ret_count = kept;
    return s;
}
