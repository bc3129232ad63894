/* people_write: the answers about one person, as JSON. */
#include <stdlib.h>

#include "people.h"

enum { LINKS_MAX = 1000 };

/* ---- One person ---- */

static void put_values(const People *people, const IdentityMember *members, size_t count, IdentityKind kind,
                       struct buf *out)
{
    char text[LIMIT_ID_BYTES];
    json_array(out, NULL);
    for (size_t at = 0; at < count; at++) {
        if (members[at].kind != kind) continue;
        json_string(out, NULL, identity_read_value(people->identity, members[at].node, text));
    }
    json_array_end(out);
}

static void put_externals(const People *people, const IdentityMember *members, size_t count, struct buf *out)
{
    char text[LIMIT_ID_BYTES];
    json_array(out, NULL);
    for (size_t at = 0; at < count; at++) {
        if (members[at].kind < IDENTITY_EXTERNAL) continue;
        json_object(out, NULL);
        json_string(out, "type", identity_kind_name(people->identity, members[at].kind));
        json_string(out, "id", identity_read_value(people->identity, members[at].node, text));
        json_object_end(out);
    }
    json_array_end(out);
}

static void put_instant(struct buf *out, const char *name, bool is_known, Millis at_ms)
{
    if (is_known) json_instant(out, name, at_ms);
    else json_null(out, name);
}

static Status put_traits(const People *people, IdentityPerson person, Arena *arena, struct buf *out, Err *err)
{
    json_name(out, STR("traits"));
    ProfileValues traits = { 0 };
    Arena scratch = *arena;
    Status s = people->profile ? people_read_traits(people, person, &scratch, &traits, err) : OK;
    if (s) return s;
    json_object(out, NULL);
    for (size_t at = 0; at < traits.count; at++) {
        json_name(out, traits.items[at].key);
        json_raw(out, NULL, traits.items[at].json);
    }
    json_object_end(out);
    return OK;
}

Status people_write_person(const People *people, IdentityPerson person, Arena *arena, struct buf *out, Err *err)
{
    IdentityMember *members;
    PersonEvents events;
    char room[IDENTITY_PERSON_ID_BYTES];
    size_t member_count;
    Status s = identity_list_members(people->identity, person, arena, &members, &member_count, err);
    if (!s) s = people_list_events(people, person, arena, &events, err);
    if (s) return s;
    Millis first_ms = INT64_MAX, last_ms = INT64_MIN;
    for (size_t at = 0; at < events.count; at++) {
        if (events.items[at].time_ms < first_ms) first_ms = events.items[at].time_ms;
        if (events.items[at].time_ms > last_ms) last_ms = events.items[at].time_ms;
    }
    json_object(out, NULL);
    json_string(out, "person_id", identity_person_id(people->identity, person, room));
    json_name(out, STR("user_ids"));
    put_values(people, members, member_count, IDENTITY_USER, out);
    json_name(out, STR("anonymous_ids"));
    put_values(people, members, member_count, IDENTITY_ANONYMOUS, out);
    json_name(out, STR("external_ids"));
    put_externals(people, members, member_count, out);
    s = put_traits(people, person, arena, out, err);
    put_instant(out, "first_seen", events.count > 0, first_ms);
    put_instant(out, "last_seen", events.count > 0, last_ms);
    json_uint(out, "events", events.count);
    json_object_end(out);
    return s;
}

/* ---- The timeline ---- */

Status people_write_events(const People *people, IdentityPerson person, const PeoplePage *page, Arena *arena,
                           struct buf *out, Err *err)
{
    PersonEvents events;
    size_t at = 0, put = 0;
    PageCursor last;
    char room[PAGE_CURSOR_BYTES];
    Status s = page_read(PAGE_EVENT, INT64_MAX, page->cursor, page->field, &last, err);
    if (!s) s = people_list_events(people, person, arena, &events, err);
    if (s) return s;
    qsort(events.items, events.count, sizeof *events.items, people_newest_first);
    PersonEvent after = { last.time_ms, journal_position(last.number) };
    while (page->cursor.len && at < events.count && people_newest_first(&events.items[at], &after) <= 0) at++;
    json_object(out, NULL);
    json_array(out, "events");
    for (; at < events.count && put < page->limit; at++) {
        Event event;
        Arena scratch = *arena;
        if (people_is_given_up(people)) return err_set(err, ERR_CLOSED, "the client went away");
        s = people_read_event(people, events.items[at].pos, &scratch, &event, err);
        if (s == ERR_NOT_FOUND) continue;                /* erased, or retired since */
        if (s) return s;
        put++;
        json_raw(out, NULL, event.json);
    }
    json_array_end(out);
    const PersonEvent *shown = at < events.count && at > 0 ? &events.items[at - 1] : NULL;
    if (shown) last = (PageCursor){ .number = journal_number(shown->pos), .time_ms = shown->time_ms };
    page_put(out, shown ? page_write(PAGE_EVENT, last, room) : (Str){ 0 });
    json_object_end(out);
    return OK;
}

/* ---- Evidence ---- */

void people_put_node(struct buf *out, const People *people, IdentityNode node)
{
    char text[LIMIT_ID_BYTES];
    json_object(out, NULL);
    json_string(out, "type", identity_kind_name(people->identity, identity_kind_of(people->identity, node)));
    json_string(out, "id", identity_read_value(people->identity, node, text));
    json_object_end(out);
}

static void put_link(const People *people, const IdentityLink *link, Arena scratch, struct buf *out)
{
    static const char *const rules[] = { "", "message", "alias", "alias_of_user" };
    Event event;
    json_object(out, NULL);
    json_name(out, STR("from"));
    people_put_node(out, people, link->from);
    json_name(out, STR("to"));
    people_put_node(out, people, link->to);
    json_word(out, "rule", link->rule < countof(rules) ? rules[link->rule] : "");
    put_instant(out, "time", true, link->time_ms);
    /* The message may be retired or erased by now; the evidence says what it said. */
    if (people_read_event(people, link->position, &scratch, &event, NULL) == OK) {
        json_string(out, "message_id", event.message_id);
        json_word(out, "message_type", event_type_word(event.type));
        json_string(out, "source", event.source);
    } else {
        json_null(out, "message_id");
        json_null(out, "message_type");
        json_null(out, "source");
    }
    json_uint(out, "position", link->position);
    json_bool(out, "removed", link->is_removed);
    json_object_end(out);
}

/* Links of one message are in order of what they say, never of node numbers: an erasure and a rebuild change those. */
static int compare_links(const void *a, const void *b, void *context)
{
    const IdentityLink *left = a, *right = b;
    char values[2][LIMIT_ID_BYTES];
    if (left->time_ms != right->time_ms) return left->time_ms < right->time_ms ? -1 : 1;
    if (left->position != right->position) return left->position < right->position ? -1 : 1;
    if (left->rule != right->rule) return (int)left->rule - (int)right->rule;   /* an alias may link two twice over */
    if (left->from == right->from) return 0;
    int by_kind = (int)identity_kind_of(context, left->from) - (int)identity_kind_of(context, right->from);
    return by_kind ? by_kind : str_compare(identity_read_value(context, left->from, values[0]),
                                           identity_read_value(context, right->from, values[1]));
}

/* Every piece of evidence is at both of its ends, and is listed at the weaker one. Aliases of users are listed once, in
 * order of position. */
Status people_write_links(const People *people, IdentityPerson person, Arena *arena, struct buf *out, Err *err)
{
    IdentityMember *members;
    size_t member_count, count = 0;
    Status s = identity_list_members(people->identity, person, arena, &members, &member_count, err);
    if (s) return s;
    IdentityLink *all = arena_new(arena, IdentityLink, LINKS_MAX);
    for (size_t at = 0; !s && at < member_count; at++) {
        IdentityLinks links;
        if (people_is_given_up(people)) return err_set(err, ERR_CLOSED, "the client went away");
        s = identity_list_links(people->identity, members[at].node, LINKS_MAX, arena, &links, err);
        for (size_t link = 0; !s && link < links.count && count < LINKS_MAX; link++)
            if (links.items[link].from == members[at].node) all[count++] = links.items[link];
    }
    if (s) return s;
    qsort_r(all, count, sizeof *all, compare_links, people->identity);
    json_object(out, NULL);
    json_array(out, "links");
    for (size_t at = 0; at < count; at++) {
        if (at && all[at].position == all[at - 1].position && all[at].from == all[at - 1].from) continue;
        put_link(people, &all[at], *arena, out);
    }
    json_array_end(out);
    json_object_end(out);
    return OK;
}

Status people_write_message_links(const People *people, const Event *event, JournalPos pos, Arena *arena,
                                  struct buf *out, Err *err)
{
    const struct { IdentityKind kind; Str id; } ends[] = {
        { IDENTITY_USER, event->user_id }, { IDENTITY_ANONYMOUS, event->anonymous_id },
        { IDENTITY_USER, event->previous_id }, { IDENTITY_ANONYMOUS, event->previous_id },
    };
    IdentityLink *found = arena_new(arena, IdentityLink, LINKS_MAX);
    size_t count = 0;
    Status s = OK;
    for (size_t at = 0; !s && at < countof(ends); at++) {
        IdentityNode node = IDENTITY_NONE;
        IdentityLinks links;
        Arena scratch = *arena;
        if (ends[at].id.len && !people_is_blocked(people, ends[at].id))
            node = identity_find(people->identity, ends[at].kind, ends[at].id);
        if (node == IDENTITY_NONE) continue;
        s = identity_list_links(people->identity, node, LINKS_MAX, &scratch, &links, err);
        for (size_t link = 0; !s && link < links.count && count < LINKS_MAX; link++)
            if (links.items[link].position == journal_number(pos)) found[count++] = links.items[link];
    }
    if (s) return s;
    qsort_r(found, count, sizeof *found, compare_links, people->identity);
    json_array(out, NULL);
    for (size_t at = 0; at < count; at++) {
        if (at && found[at].from == found[at - 1].from && found[at].to == found[at - 1].to) continue;
        put_link(people, &found[at], *arena, out);
    }
    json_array_end(out);
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
    json_object(out, NULL);
    json_bool(out, "same", why->reason == IDENTITY_SAME);
    json_word(out, "reason", reasons[why->reason].word);
    json_string(out, "text", str_from(reasons[why->reason].text));
    json_name(out, STR("at"));
    if (why->at == IDENTITY_NONE) json_null(out, NULL);
    else people_put_node(out, people, why->at);
    json_array(out, "links");
    for (size_t at = 0; at < why->link_count; at++) {
        put_link(people, &why->links[at], scratch, out);
    }
    json_array_end(out);
    json_object_end(out);
}

Status people_write_why(const People *people, Str a, Str b, Arena *arena, struct buf *out, Err *err)
{
    IdentityNode nodes[2];
    IdentityWhy why = { .at = IDENTITY_NONE };
    const Str ids[] = { a, b };
    Status s = OK;
    for (size_t at = 0; at < 2; at++) {
        if (identity_is_blocked(people->identity, ids[at])) why.reason = IDENTITY_APART_BLOCKED;
        else if ((s = people_find_node(people, ids[at], &nodes[at], err)) == ERR_NOT_FOUND)
            why.reason = IDENTITY_APART_UNSEEN;
        else if (s) return s;
        if (why.reason == IDENTITY_SAME) continue;
        write_why(people, &why, *arena, out);
        return OK;
    }
    s = identity_explain(people->identity, nodes[0], nodes[1], arena, &why, err);
    if (!s) write_why(people, &why, *arena, out);
    return s;
}
