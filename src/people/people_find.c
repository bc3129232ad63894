/* people_find: whom an id names, in words or by its kind; a person's ids, and where each came from. */
#include "people.h"

enum { LINKS_LOOKED_AT = 100000 };

/* ---- Finding ---- */

static Status person_of(const People *people, IdentityKind kind, Str id, const char *what, IdentityPerson *ret,
                        Err *err)
{
    if (identity_is_blocked(people->identity, id))
        return err_set(err, ERR_NOT_FOUND, "\"%.*s\" is a blocked value: it never names anyone", STR_FORMAT(id));
    IdentityNode node = identity_find(people->identity, kind, id);
    if (node == IDENTITY_NONE)
        return err_set(err, ERR_NOT_FOUND, "no event was ever seen with %s \"%.*s\"", what, STR_FORMAT(id));
    *ret = identity_person_now(people->identity, node);
    return OK;
}

Status people_find_user(const People *people, Str user_id, IdentityPerson *ret, Err *err)
{
    return person_of(people, IDENTITY_USER, user_id, "user_id", ret, err);
}

Status people_find_anonymous(const People *people, Str anonymous_id, IdentityPerson *ret, Err *err)
{
    return person_of(people, IDENTITY_ANONYMOUS, anonymous_id, "anonymous_id", ret, err);
}

Status people_find(const People *people, Str person_id, IdentityPerson *ret, Err *err)
{
    *ret = identity_find_person(people->identity, person_id);
    if (*ret == IDENTITY_NONE)
        return err_set(err, ERR_NOT_FOUND, "there is no person \"%.*s\"", STR_FORMAT(person_id));
    return OK;
}

/* "user_id:…", "anonymous_id:…" and "person_id:…" mean exactly that, even if another id has this spelling. */
static bool find_said(const People *people, Str id, IdentityNode *ret)
{
    Str value, name = str_cut(id, ':', &value);
    IdentityKind kind;
    bool has_kind = identity_find_kind(people->identity, name, &kind);
    *ret = IDENTITY_NONE;
    if (name.len == id.len) return false;
    if (has_kind) *ret = identity_find(people->identity, kind, value);
    else if (str_equal(name, STR("person_id"))) *ret = identity_find_person(people->identity, value);
    else return false;
    return *ret != IDENTITY_NONE || !has_kind || kind < IDENTITY_EXTERNAL;       /* "device:5" may be a user's id */
}

/* Anybody can send an id that is spelt like somebody else's, or like a person id: an id that names two people names
 * nobody. */
Status people_find_node(const People *people, Str id, IdentityNode *ret, Err *err)
{
    static const char *const names[] = { "user_id:", "anonymous_id:", "person_id:" };
    IdentityNode found[countof(names)];
    bool is_said = find_said(people, id, ret), is_clear = true;
    for (size_t at = 0; at < countof(names) && !is_said; at++) {
        if (at == 2) found[at] = identity_find_person(people->identity, id);              /* one of its nodes */
        else found[at] = identity_find(people->identity, at == 0 ? IDENTITY_USER : IDENTITY_ANONYMOUS, id);
        if (found[at] == IDENTITY_NONE) continue;
        if (*ret == IDENTITY_NONE) *ret = found[at];
        is_clear &= identity_person_now(people->identity, *ret) == identity_person_now(people->identity, found[at]);
    }
    if (*ret == IDENTITY_NONE) return err_set(err, ERR_NOT_FOUND, "\"%.*s\" was never seen", STR_FORMAT(id));
    if (is_clear) return OK;
    const char *are[countof(names)];
    for (size_t at = 0; at < countof(names); at++) are[at] = found[at] == IDENTITY_NONE ? "" : names[at];
    return err_set_field(err, "id", "\"%.*s\" names more than one person; say which by putting one of these in front:"
                         "%s%s%s%s%s%s", STR_FORMAT(id), *are[0] ? " " : "", are[0], *are[1] ? " " : "", are[1],
                         *are[2] ? " " : "", are[2]);
}

bool people_find_kind(const People *people, Str type, Str id, IdentityPerson *ret)
{
    IdentityKind kind;
    IdentityNode node = identity_find_kind(people->identity, type, &kind) ? identity_find(people->identity, kind, id)
                                                                         : IDENTITY_NONE;
    if (node != IDENTITY_NONE) *ret = identity_person_now(people->identity, node);
    return node != IDENTITY_NONE;
}

bool people_has_kind(const People *people, Str type)
{
    IdentityKind kind;
    return identity_find_kind(people->identity, type, &kind);
}

Status people_find_any(const People *people, Str id, Arena *arena, IdentityPerson *ret, Err *err)
{
    IdentityNode node;
    if (str_starts(id, STR("email:")) && !people_has_kind(people, STR("email"))) {
        bool is_shared;
        Str email = str_slice(id, sizeof "email:" - 1, id.len);
        Status s = people_find_email(people, email, arena, ret, &is_shared, err);
        if (s == OK && is_shared)
            return err_set_field(err, "id", "\"%.*s\" is of more than one person; people?search= lists them",
                                 STR_FORMAT(id));
        if (s != ERR_NOT_FOUND) return s;
    }
    Status s = people_find_node(people, id, &node, err);
    if (!s) *ret = identity_person_now(people->identity, node);
    return s;
}

/* ---- A person's ids ---- */

Str people_person_id(const People *people, IdentityPerson person, Arena *arena)
{
    return identity_person_id(people->identity, person, arena_bytes(arena, IDENTITY_PERSON_ID_BYTES));
}

Status people_list_ids(const People *people, IdentityPerson person, Arena *arena, PersonId **ret, size_t *ret_count,
                       Err *err)
{
    IdentityMember *members;
    char text[LIMIT_ID_BYTES];
    Status s = identity_list_members(people->identity, person, arena, &members, ret_count, err);
    PersonId *ids = s ? NULL : arena_try(arena, sizeof *ids, _Alignof(PersonId), *ret_count + 1);
    if (!s && !ids) s = err_set(err, ERR_TOO_LARGE, "the person has more ids than an answer holds");
    for (size_t at = 0; !s && at < *ret_count; at++) {
        Str id = identity_read_value(people->identity, members[at].node, text);
        if (arena_left(arena) <= id.len) return err_set(err, ERR_TOO_LARGE, "the person has more ids than an answer "
                                                        "holds");
        ids[at] = (PersonId){ identity_kind_name(people->identity, members[at].kind), arena_copy(arena, id),
                              members[at].node };
    }
    *ret = ids;
    return s;
}

Status people_find_origin(const People *people, const PersonId *id, Arena *arena, PersonIdOrigin *ret, Err *err)
{
    IdentityLinks links;
    Event event;
    *ret = (PersonIdOrigin){ 0 };
    Status s = identity_list_links(people->identity, id->node, 2, arena, &links, err);
    if (s || links.count == 0) return s;
    ret->is_known = true;
    ret->time_ms = links.items[0].time_ms;
    if (people_read_event(people, links.items[0].position, arena, &event, NULL)) return OK;
    ret->source = event.source;
    ret->message_id = event.message_id;
    return OK;
}

/* ---- The message that made a link ---- */

/* Links name positions; the journal has the ids. */
Status people_find_message(const People *people, IdentityPerson person, const MessageName *name, Arena *arena,
                           JournalPos *ret, Err *err)
{
    IdentityMember *members;
    size_t member_count, looked_at = 0;
    char text[LIMIT_ID_BYTES];
    Str found = { 0 };
    Status s = identity_list_members(people->identity, person, arena, &members, &member_count, err);
    for (size_t at = 0; !s && at < member_count; at++) {
        IdentityLinks links;
        Arena scratch = *arena;
        s = identity_list_links(people->identity, members[at].node, LIMIT_PAGE_ITEMS, &scratch, &links, err);
        for (size_t link = 0; !s && link < links.count && looked_at < LINKS_LOOKED_AT; link++, looked_at++) {
            Arena event_scratch = scratch;
            Event event;
            if (people_read_event(people, links.items[link].position, &event_scratch, &event, NULL)) continue;
            if (!str_equal(event.message_id, name->message_id)) continue;
            if (name->source.len && !str_equal(event.source, name->source)) continue;
            if (found.bytes && !str_equal(found, event.source))
                return err_set_field(err, "source", "messages \"%.*s\" came from \"%.*s\" and from \"%.*s\"; say "
                                     "which, or give the position", STR_FORMAT(name->message_id), STR_FORMAT(found),
                                     STR_FORMAT(event.source));
            if (found.bytes) continue;
            found = (Str){ text, event.source.len < sizeof text ? event.source.len : sizeof text };
            memcpy(text, event.source.bytes, found.len);
            *ret = links.items[link].position;
        }
    }
    if (s || found.bytes) return s;
    return err_set(err, ERR_NOT_FOUND, "no link of this person comes from a message \"%.*s\"; .../links lists them, "
                   "those that were taken back under the id that was split off", STR_FORMAT(name->message_id));
}

bool people_has_evidence(const People *people, const JournalCommand *message, JournalPos pos, bool is_removed,
                         Arena arena)
{
    const struct { IdentityKind kind; Str value; } ids[] = {
        { IDENTITY_USER, message->user_id }, { IDENTITY_ANONYMOUS, message->anonymous_id },
        { IDENTITY_USER, message->previous_id }, { IDENTITY_ANONYMOUS, message->previous_id },
    };
    bool is_whole = true;
    for (size_t at = 0; at < countof(ids); at++) {
        IdentityLinks links;
        Arena scratch = arena;
        if (!ids[at].value.len) continue;
        IdentityNode node = identity_find(people->identity, ids[at].kind, ids[at].value);
        if (node == IDENTITY_NONE) continue;
        if (identity_list_links(people->identity, node, LIMIT_PAGE_ITEMS, &scratch, &links, NULL)) return true;
        is_whole = is_whole && !links.more;
        for (size_t link = 0; link < links.count; link++)
            if (links.items[link].position == journal_number(pos) && links.items[link].is_removed == is_removed)
                return true;
    }
    return !is_whole;
}
