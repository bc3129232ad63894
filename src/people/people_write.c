/* people_write: the answers about one person. */
#include <stdlib.h>

#include "people.h"

enum { LINKS_MAX = 1000 };

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

Status people_find_node(const People *people, Str id, IdentityNode *ret, Err *err)
{
    Str value, kind = str_cut(id, ':', &value);
    if (str_equal(kind, STR("user_id"))) *ret = identity_find(people->identity, IDENTITY_USER, value);
    else if (str_equal(kind, STR("anonymous_id"))) *ret = identity_find(people->identity, IDENTITY_ANONYMOUS, value);
    else *ret = IDENTITY_NONE;
    if (*ret == IDENTITY_NONE) *ret = identity_find(people->identity, IDENTITY_USER, id);
    if (*ret == IDENTITY_NONE) *ret = identity_find(people->identity, IDENTITY_ANONYMOUS, id);
    if (*ret == IDENTITY_NONE) *ret = identity_find_person(people->identity, id);      /* it is one of its nodes */
    if (*ret == IDENTITY_NONE) return err_set(err, ERR_NOT_FOUND, "\"%.*s\" was never seen", STR_FORMAT(id));
    return OK;
}

/* ---- One person ---- */

static void put_values(const People *people, const IdentityMember *members, size_t count, IdentityKind kind,
                       struct buf *out)
{
    char text[LIMIT_ID_BYTES];
    bool is_first = true;
    buf_char(out, '[');
    for (size_t at = 0; at < count; at++) {
        if (members[at].kind != kind) continue;
        if (!is_first) buf_char(out, ',');
        is_first = false;
        buf_json_string(out, identity_read_value(people->identity, members[at].node, text));
    }
    buf_char(out, ']');
}

static void put_externals(const People *people, const IdentityMember *members, size_t count, struct buf *out)
{
    char text[LIMIT_ID_BYTES];
    bool is_first = true;
    buf_char(out, '[');
    for (size_t at = 0; at < count; at++) {
        if (members[at].kind < IDENTITY_EXTERNAL) continue;
        buf_str_put(out, is_first ? STR("{\"type\":") : STR(",{\"type\":"));
        is_first = false;
        buf_json_string(out, identity_kind_name(people->identity, members[at].kind));
        buf_str_put(out, STR(",\"id\":"));
        buf_json_string(out, identity_read_value(people->identity, members[at].node, text));
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void put_person_id(const People *people, IdentityPerson person, struct buf *out)
{
    struct buf id;
    buf_init(&id, IDENTITY_PERSON_ID_BYTES);
    identity_write_person_id(people->identity, person, &id);
    buf_json_string(out, buf_str(&id));
    buf_done(&id);
}

static void put_instant(struct buf *out, const char *name, bool is_known, Millis at_ms)
{
    buf_printf(out, ",\"%s\":", name);
    if (!is_known) {
        buf_str_put(out, STR("null"));
        return;
    }
    buf_char(out, '"');
    buf_instant(out, at_ms);
    buf_char(out, '"');
}

static Status put_traits(const People *people, IdentityPerson person, Arena *arena, struct buf *out, Err *err)
{
    buf_str_put(out, STR(",\"traits\":"));
    if (people->write_traits) return people->write_traits(people->context, person, arena, out, err);
    buf_str_put(out, STR("{}"));
    return OK;
}

Status people_write_person(const People *people, IdentityPerson person, Arena *arena, struct buf *out, Err *err)
{
    IdentityMember *members;
    PersonEvent *events;
    size_t member_count, event_count;
    Status s = identity_list_members(people->identity, person, arena, &members, &member_count, err);
    if (!s) s = people_list_events(people, person, arena, &events, &event_count, err);
    if (s) return s;
    Millis first_ms = INT64_MAX, last_ms = INT64_MIN;
    for (size_t at = 0; at < event_count; at++) {
        if (events[at].time_ms < first_ms) first_ms = events[at].time_ms;
        if (events[at].time_ms > last_ms) last_ms = events[at].time_ms;
    }
    buf_str_put(out, STR("{\"person_id\":"));
    put_person_id(people, person, out);
    buf_str_put(out, STR(",\"user_ids\":"));
    put_values(people, members, member_count, IDENTITY_USER, out);
    buf_str_put(out, STR(",\"anonymous_ids\":"));
    put_values(people, members, member_count, IDENTITY_ANONYMOUS, out);
    buf_str_put(out, STR(",\"external_ids\":"));
    put_externals(people, members, member_count, out);
    s = put_traits(people, person, arena, out, err);
    put_instant(out, "first_seen", event_count > 0, first_ms);
    put_instant(out, "last_seen", event_count > 0, last_ms);
    buf_printf(out, ",\"events\":%zu}", event_count);
    return s;
}

/* ---- The timeline ---- */

static int newest_first(const void *a, const void *b)
{
    const PersonEvent *left = a, *right = b;
    if (left->time_ms != right->time_ms) return left->time_ms > right->time_ms ? -1 : 1;
    return left->pos > right->pos ? -1 : left->pos < right->pos;
}

/* A cursor is the last event of its page: "<time>-<position>". */
static Status read_cursor(Str cursor, PersonEvent *ret, Err *err)
{
    Str pos, time = str_cut(cursor, '-', &pos);
    bool is_negative = cursor.len && time.len == 0;
    int64_t number;
    if (is_negative) time = str_cut(pos, '-', &pos);
    if (!str_parse_int(time, 0, INT64_MAX, &ret->time_ms) || !str_parse_int(pos, 0, INT64_MAX, &number))
        return err_set_field(err, "cursor", "is not one that a page gave");
    if (is_negative) ret->time_ms = -ret->time_ms;
    ret->pos = (JournalPos)number;
    return OK;
}

Status people_write_events(const People *people, IdentityPerson person, size_t limit, Str cursor, Arena *arena,
                           struct buf *out, Err *err)
{
    PersonEvent *events, after = { 0 };
    size_t count, at = 0, put = 0;
    Status s = cursor.len ? read_cursor(cursor, &after, err) : OK;
    if (!s) s = people_list_events(people, person, arena, &events, &count, err);
    if (s) return s;
    qsort(events, count, sizeof *events, newest_first);
    while (cursor.len && at < count && newest_first(&events[at], &after) <= 0) at++;
    buf_str_put(out, STR("{\"events\":["));
    for (; at < count && put < limit; at++) {
        Event event;
        Arena scratch = *arena;
        s = people_read_event(people, events[at].pos, &scratch, &event, err);
        if (s == ERR_NOT_FOUND) continue;                /* erased, or retired since */
        if (s) return s;
        if (put++) buf_char(out, ',');
        buf_str_put(out, event.json);
    }
    buf_printf(out, "],\"cursor\":{\"has_more\":%s,\"next\":", at < count ? "true" : "false");
    if (at < count && at > 0)
        buf_printf(out, "\"%lld-%llu\"", (long long)events[at - 1].time_ms, (unsigned long long)events[at - 1].pos);
    else buf_str_put(out, STR("null"));
    buf_str_put(out, STR("}}"));
    return OK;
}

/* ---- Evidence ---- */

static void put_node(const People *people, IdentityNode node, struct buf *out)
{
    char text[LIMIT_ID_BYTES];
    buf_str_put(out, STR("{\"type\":"));
    buf_json_string(out, identity_kind_name(people->identity, identity_kind_of(people->identity, node)));
    buf_str_put(out, STR(",\"id\":"));
    buf_json_string(out, identity_read_value(people->identity, node, text));
    buf_char(out, '}');
}

static void put_link(const People *people, const IdentityLink *link, Arena scratch, struct buf *out)
{
    static const char *const rules[] = { "", "message", "alias", "alias_of_user" };
    Event event;
    buf_str_put(out, STR("{\"from\":"));
    put_node(people, link->from, out);
    buf_str_put(out, STR(",\"to\":"));
    put_node(people, link->to, out);
    buf_printf(out, ",\"rule\":\"%s\"", link->rule < countof(rules) ? rules[link->rule] : "");
    put_instant(out, "time", true, link->time_ms);
    /* The message may be retired or erased by now; the evidence says what it said. */
    if (people_read_event(people, link->position, &scratch, &event, NULL) == OK) {
        buf_str_put(out, STR(",\"message_id\":"));
        buf_json_string(out, event.message_id);
        buf_printf(out, ",\"message_type\":\"%s\",\"source\":", event_type_word(event.type));
        buf_json_string(out, event.source);
    } else {
        buf_str_put(out, STR(",\"message_id\":null,\"message_type\":null,\"source\":null"));
    }
    buf_printf(out, ",\"position\":%llu,\"removed\":%s}", (unsigned long long)link->position,
               link->is_removed ? "true" : "false");
}

static int compare_links(const void *a, const void *b)
{
    const IdentityLink *left = a, *right = b;
    if (left->time_ms != right->time_ms) return left->time_ms < right->time_ms ? -1 : 1;
    if (left->position != right->position) return left->position < right->position ? -1 : 1;
    if (left->from != right->from) return left->from < right->from ? -1 : 1;
    return (int)left->rule - (int)right->rule;               /* an alias may link the same two twice over */
}

/* Every piece stands under both of its ends; the weaker end tells it. Aliases of users are told once, by position. */
Status people_write_links(const People *people, IdentityPerson person, Arena *arena, struct buf *out, Err *err)
{
    IdentityMember *members;
    size_t member_count, count = 0;
    Status s = identity_list_members(people->identity, person, arena, &members, &member_count, err);
    if (s) return s;
    IdentityLink *all = arena_new(arena, IdentityLink, LINKS_MAX);
    for (size_t at = 0; !s && at < member_count; at++) {
        IdentityLink *links;
        size_t link_count;
        uint64_t more;
        s = identity_list_links(people->identity, members[at].node, LINKS_MAX, arena, &links, &link_count, &more, err);
        for (size_t link = 0; !s && link < link_count && count < LINKS_MAX; link++)
            if (links[link].from == members[at].node) all[count++] = links[link];
    }
    if (s) return s;
    qsort(all, count, sizeof *all, compare_links);
    buf_str_put(out, STR("{\"links\":["));
    for (size_t at = 0, put = 0; at < count; at++) {
        if (at && all[at].position == all[at - 1].position && all[at].from == all[at - 1].from) continue;
        if (put++) buf_char(out, ',');
        put_link(people, &all[at], *arena, out);
    }
    buf_str_put(out, STR("]}"));
    return OK;
}

/* ---- Why ---- */

static const struct { const char *word, *text; } reasons[] = {
    [IDENTITY_SAME] = { "same", "one person: each of these messages names two ids as the same person's" },
    [IDENTITY_APART_NO_EVIDENCE] = { "no_evidence", "two: no message connects them, however far one follows" },
    [IDENTITY_APART_SHARED] = { "shared", "two: they share an id, as on a shared device, and that merges nobody; "
                                "only an alias of one user to the other does" },
    [IDENTITY_APART_REMOVED] = { "removed", "two: the evidence that joined them was taken back" },
    [IDENTITY_APART_LIMIT] = { "limit", "two: what would join them is over the limit of its kind" },
    [IDENTITY_APART_BLOCKED] = { "blocked", "two: one of the values is blocked, it never names anyone" },
    [IDENTITY_APART_UNSEEN] = { "unseen", "two: one of them was never seen" },
};

static void write_why(const People *people, const IdentityWhy *why, Arena scratch, struct buf *out)
{
    buf_printf(out, "{\"same\":%s,\"reason\":\"%s\",\"text\":", why->reason == IDENTITY_SAME ? "true" : "false",
               reasons[why->reason].word);
    buf_json_string(out, str_from(reasons[why->reason].text));
    buf_str_put(out, STR(",\"at\":"));
    if (why->at == IDENTITY_NONE) buf_str_put(out, STR("null"));
    else put_node(people, why->at, out);
    buf_str_put(out, STR(",\"links\":["));
    for (size_t at = 0; at < why->link_count; at++) {
        if (at) buf_char(out, ',');
        put_link(people, &why->links[at], scratch, out);
    }
    buf_str_put(out, STR("]}"));
}

Status people_write_why(const People *people, Str a, Str b, Arena *arena, struct buf *out, Err *err)
{
    IdentityNode nodes[2];
    IdentityWhy why = { .at = IDENTITY_NONE };
    const Str ids[] = { a, b };
    for (size_t at = 0; at < 2; at++) {
        if (identity_is_blocked(people->identity, ids[at])) why.reason = IDENTITY_APART_BLOCKED;
        else if (people_find_node(people, ids[at], &nodes[at], NULL)) why.reason = IDENTITY_APART_UNSEEN;
        if (why.reason == IDENTITY_SAME) continue;
        write_why(people, &why, *arena, out);
        return OK;
    }
    Status s = identity_explain(people->identity, nodes[0], nodes[1], arena, &why, err);
    if (!s) write_why(people, &why, *arena, out);
    return s;
}
