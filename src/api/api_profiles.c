/* api_profiles: Segment's Profile API, so that code which asks it goes on by changing its host:
 *
 *     /v1/spaces/{any}/collections/users/profiles/{type:id}/traits | external_ids | events | metadata | links
 *
 * Basic authentication with the secret key as user name and no password. The shapes are Segment's; docs/people.md says
 * where Onym has more (events of all time, not of 14 days) or nothing (computed traits, audiences). The space may be
 * any word: there is one. */
#include "api_profiles.h"

#include <stdlib.h>

enum { TRAITS_A_PAGE = 10, TRAITS_MOST = 200, IDS_A_PAGE = 25, EVENTS_A_PAGE = 10, PAGE_MOST = 100, LINKS_A_PAGE = 20,
       EVENTS_LOOKED_AT = 20000 };

/* ---- Pages ---- */

Status profiles_read_page(struct exchange *exchange, Arena *arena, int64_t usual, int64_t max, ProfilePage *ret,
                          Err *err)
{
    ret->next = http_parameter(exchange->query, STR("next"), arena);
    return people_read_limit(exchange, arena, usual, max, &ret->limit, err);
}

void profiles_put_cursor(struct exchange *exchange, struct buf *out, size_t limit, Str next)
{
    json_object(out, "cursor");
    json_string(out, "url", exchange->path);
    json_bool(out, "has_more", next.len);
    json_string(out, "next", next);
    json_uint(out, "limit", limit);
    json_object_end(out);
    json_object_end(out);
}

bool profiles_lists(Str list, Str text, bool empty_has)
{
    if (list.len == 0) return empty_has;
    while (list.len)
        if (str_equal(str_trim(str_cut(list, ',', &list)), text)) return true;
    return false;
}

static Status read_offset(const ProfilePage *page, size_t *ret, Err *err)
{
    PageCursor cursor;
    Status s = page_read(PAGE_NUMBER, INT32_MAX, page->next, "next", &cursor, err);
    if (!s) *ret = cursor.number;
    return s;
}

static void put_offset(struct exchange *exchange, struct buf *out, size_t limit, bool has_more, size_t next)
{
    char room[PAGE_CURSOR_BYTES];
    Str text = has_more ? page_write(PAGE_NUMBER, (PageCursor){ .number = next }, room) : (Str){ 0 };
    profiles_put_cursor(exchange, out, limit, text);
}

/* ---- Who is meant ---- */

static Status find_profile(struct exchange *exchange, const People *people, Arena *arena, IdentityPerson *ret, Err *err)
{
    Str id, whole = percent_decode(exchange->parameter, false, arena), type = str_cut(whole, ':', &id);
    Status s = ERR_NOT_FOUND;
    bool is_shared;
    if (type.len == whole.len || str_equal(type, STR("segment_id"))) {
        s = people_find(people, type.len == whole.len ? whole : id, ret, err);
    } else {
        if (people_find_kind(people, type, id, ret)) {
            s = OK;
        } else if (str_equal(type, STR("email"))) {
            s = people_find_email(people, id, arena, ret, &is_shared, err);        /* the first, as ever */
        }
    }
    return s == ERR_NOT_FOUND ? err_set(err, s, "Profile was not found.") : s;
}

/* ---- Traits ---- */

Str profiles_source(const People *people, uint64_t position, Arena *arena)
{
    Event event;
    return people_read_event(people, position, arena, &event, NULL) ? (Str){ 0 } : event.source;
}

static void put_trait(struct buf *out, const People *people, const ProfileValue *trait, bool is_verbose, Arena scratch)
{
    json_name(out, trait->key);
    if (!is_verbose) {
        json_raw(out, NULL, trait->json);
        return;
    }
    json_object(out, NULL);
    json_raw(out, "value", trait->json);
    json_string(out, "source_id", profiles_source(people, trait->position, &scratch));
    json_instant(out, "updated_at", trait->time_ms);
    json_object_end(out);
}

/* Traits come by key, so the cursor is the key that the next page begins with. */
Status profiles_put_traits(struct exchange *exchange, const People *people, const ProfileValues *traits, Arena *arena,
                           struct buf *out, Err *err)
{
    Str include = http_parameter(exchange->query, STR("include"), arena);
    bool is_verbose = str_equal(http_parameter(exchange->query, STR("verbose"), arena), STR("true"));
    bool has_class = http_parameter(exchange->query, STR("class"), arena).len > 0;       /* Onym computes no traits */
    ProfilePage page;
    Str next = { 0 };
    size_t put = 0;
    Status s = profiles_read_page(exchange, arena, TRAITS_A_PAGE, TRAITS_MOST, &page, err);
    if (s) return s;
    json_object(out, NULL);
    json_object(out, "traits");
    for (size_t at = 0; !has_class && at < traits->count && next.len == 0; at++) {
        const ProfileValue *trait = &traits->items[at];
        bool is_behind = page.next.len == 0 || str_compare(trait->key, page.next) >= 0;
        if (!is_behind || !profiles_lists(include, trait->key, true)) continue;
        if (put == page.limit) {
            next = trait->key;
            break;
        }
        put++;
        put_trait(out, people, trait, is_verbose, *arena);
    }
    json_object_end(out);
    profiles_put_cursor(exchange, out, page.limit, next);
    return OK;
}

Status api_profile_traits(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    ProfileValues traits = { 0 };
    Status s = find_profile(exchange, people, arena, &person, err);
    if (!s) s = people_read_traits(people, person, arena, &traits, err);
    return s ? s : profiles_put_traits(exchange, people, &traits, arena, out, err);
}

/* ---- External ids ---- */

void profiles_put_id(struct buf *out, const ProfileId *id)
{
    json_object(out, NULL);
    json_word(out, "collection", id->collection);
    json_string(out, "type", id->type);
    json_string(out, "id", id->id);
    json_word(out, "encoding", "none");
    if (id->has_origin) {
        json_instant(out, "created_at", id->created_at_ms);
        json_string(out, "source_id", id->source);
        json_string(out, "first_message_id", id->message_id);
    }
    json_object_end(out);
}

Status profiles_put_person_ids(const People *people, IdentityPerson person, ProfileIds *asked, Arena *arena,
                               struct buf *out, Err *err)
{
    PersonId *ids;
    PersonIdOrigin origin;
    size_t count, seen = 0, put = 0;
    Status s = people_list_ids(people, person, arena, &ids, &count, err);
    asked->next = 0;
    for (size_t at = 0; !s && at < count; at++) {
        Arena scratch = *arena;
        ProfileId id = { .collection = "users", .type = ids[at].type, .id = ids[at].id };
        if (!profiles_lists(asked->include, id.type, true) || seen++ < asked->from) continue;
        if (put == asked->limit) {
            asked->next = asked->from + asked->limit;
            break;
        }
        s = people_find_origin(people, &ids[at], &scratch, &origin, err);
        id.has_origin = !s && origin.is_known;
        id.created_at_ms = origin.time_ms, id.source = origin.source, id.message_id = origin.message_id;
        put++;
        if (!s) profiles_put_id(out, &id);
    }
    return s;
}

Status api_profile_ids(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    ProfileIds asked = { .include = http_parameter(exchange->query, STR("include"), arena) };
    IdentityPerson person;
    ProfilePage page;
    Status s = profiles_read_page(exchange, arena, IDS_A_PAGE, PAGE_MOST, &page, err);
    if (!s) s = read_offset(&page, &asked.from, err);
    if (!s) s = find_profile(exchange, people, arena, &person, err);
    if (s) return s;
    json_object(out, NULL);
    json_array(out, "data");
    asked.limit = page.limit;
    s = profiles_put_person_ids(people, person, &asked, arena, out, err);
    json_array_end(out);
    put_offset(exchange, out, page.limit, asked.next > 0, asked.next);
    return s;
}

/* ---- Events ---- */

typedef struct EventsWanted {
    ProfilePage page;
    Str include, exclude, person_id;
    Millis start_ms, end_ms;
    bool is_ascending;
} EventsWanted;

static Status read_wanted(struct exchange *exchange, Arena *arena, EventsWanted *ret, Err *err)
{
    Str start = http_parameter(exchange->query, STR("start"), arena);
    Str end = http_parameter(exchange->query, STR("end"), arena);
    Str sort = http_parameter(exchange->query, STR("sort"), arena);
    *ret = (EventsWanted){ .include = http_parameter(exchange->query, STR("include"), arena),
                         .exclude = http_parameter(exchange->query, STR("exclude"), arena),
                         .start_ms = INT64_MIN, .end_ms = INT64_MAX, .is_ascending = str_equal(sort, STR("asc")) };
    if (start.len && !instant_parse(start, &ret->start_ms))
        return err_set_field(err, "start", "must be an instant of ISO 8601");
    if (end.len && !instant_parse(end, &ret->end_ms))
        return err_set_field(err, "end", "must be an instant of ISO 8601");
    if (sort.len && !ret->is_ascending && !str_equal(sort, STR("desc")))
        return err_set_field(err, "sort", "must be asc or desc");
    return profiles_read_page(exchange, arena, EVENTS_A_PAGE, PAGE_MOST, &ret->page, err);
}

static void put_event_ids(struct buf *out, const Event *event)
{
    const struct { Str type, id; } ids[] = {
        { STR("user_id"), event->user_id }, { STR("anonymous_id"), event->anonymous_id },
    };
    json_object(out, NULL);
    json_array(out, "external_ids");
    for (size_t at = 0; at < countof(ids); at++) {
        if (ids[at].id.len == 0) continue;
        profiles_put_id(out, &(ProfileId){ .collection = "users", .type = ids[at].type, .id = ids[at].id });
    }
    json_array_end(out);
}

static Status put_event(struct buf *out, const Event *event, Str person_id, Arena *arena, Err *err)
{
    static const struct { const char *from, *to; } copied[] = {
        { "context", "context" }, { "properties", "properties" }, { "traits", "traits" }, { "event", "event" },
        { "name", "name" }, { "category", "category" }, { "groupId", "group_id" }, { "previousId", "previous_id" },
    };
    const TreeNode *tree;
    Status s = event_tree_read(event->json, arena, &tree, err);
    if (s) return s;
    put_event_ids(out, event);
    json_word(out, "type", event_type_word(event->type));
    json_string(out, "message_id", event->message_id);
    json_string(out, "source_id", event->source);
    json_instant(out, "timestamp", event->timestamp_ms);
    for (size_t at = 0; at < countof(copied); at++) {
        const TreeNode *value = event_tree_get(tree, str_from(copied[at].from));
        if (value) json_raw(out, copied[at].to, value->raw);
    }
    json_object(out, "related");
    json_string(out, "users", person_id);
    json_object_end(out);
    json_object_end(out);
    return OK;
}

/* Goes on until the page is full; if a filter leaves out very many, the page ends early and says that there is more.
 * The next page begins with the first event that is left. */
static Status put_events(const People *people, const EventsWanted *wanted, PersonEvents *left, Arena *arena,
                         struct buf *out, Err *err)
{
    size_t put = 0, looked_at = 0;
    for (; left->count; left->items++, left->count--) {
        Arena scratch = *arena;
        Event event;
        const PersonEvent *next = left->items;
        if (next->time_ms < wanted->start_ms || next->time_ms >= wanted->end_ms) continue;
        if (put == wanted->page.limit || looked_at++ == EVENTS_LOOKED_AT) return OK;
        Status s = people_read_event(people, next->pos, &scratch, &event, err);
        if (s == ERR_NOT_FOUND) continue;
        if (s) return s;
        if (!profiles_lists(wanted->include, event.name, true)) continue;
        if (profiles_lists(wanted->exclude, event.name, false)) continue;
        put++;
        s = put_event(out, &event, wanted->person_id, &scratch, err);
        if (s) return s;
    }
    return OK;
}

Status api_profile_events(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    EventsWanted wanted;
    IdentityPerson person;
    PersonEvents left;
    PageCursor cursor;
    Status s = read_wanted(exchange, arena, &wanted, err);
    if (!s) s = page_read(PAGE_NEXT_EVENT, INT64_MAX, wanted.page.next, "next", &cursor, err);
    if (!s) s = find_profile(exchange, people, arena, &person, err);
    if (s) return s;
    wanted.person_id = people_person_id(people, person, arena);
    s = people_list_events(people, person, arena, &left, err);
    if (s) return s;
    int (*order)(const void *a, const void *b) = wanted.is_ascending ? people_oldest_first : people_newest_first;
    qsort(left.items, left.count, sizeof *left.items, order);
    PersonEvent begin = { cursor.time_ms, journal_position(cursor.number) };
    for (; wanted.page.next.len && left.count && order(left.items, &begin) < 0; left.items++) left.count--;
    json_object(out, NULL);
    json_array(out, "data");
    s = put_events(people, &wanted, &left, arena, out, err);
    json_array_end(out);
    char room[PAGE_CURSOR_BYTES];
    Str text = { 0 };
    if (!s && left.count) {
        cursor = (PageCursor){ .number = journal_number(left.items->pos), .time_ms = left.items->time_ms };
        text = page_write(PAGE_NEXT_EVENT, cursor, room);
    }
    profiles_put_cursor(exchange, out, wanted.page.limit, text);
    return s;
}

/* ---- Metadata ---- */

static void put_end(struct buf *out, const People *people, const char *const names[2], const PersonEvent *event,
                    Arena scratch)
{
    Event message;
    bool is_there = event && people_read_event(people, event->pos, &scratch, &message, NULL) == OK;
    if (is_there) json_string(out, names[0], message.message_id);
    else json_null(out, names[0]);
    if (is_there) json_string(out, names[1], message.source);
    else json_null(out, names[1]);
}

static void put_time(struct buf *out, const char *name, const PersonEvent *event)
{
    if (event) json_instant(out, name, event->time_ms);
    else json_null(out, name);
}

Status api_profile_metadata(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    PersonEvents events;
    const PersonEvent *first = NULL, *last = NULL;
    Status s = find_profile(exchange, people, arena, &person, err);
    if (!s) s = people_list_events(people, person, arena, &events, err);
    if (s) return s;
    for (const PersonEvent *event = events.items; event < events.items + events.count; event++) {
        if (!first || people_oldest_first(event, first) < 0) first = event;
        if (!last || people_oldest_first(event, last) > 0) last = event;
    }
    json_object(out, NULL);
    json_object(out, "metadata");
    put_time(out, "created_at", first);
    put_time(out, "updated_at", last);
    json_null(out, "expires_at");
    put_end(out, people, (const char *const[]){ "first_message_id", "first_source_id" }, first, *arena);
    put_end(out, people, (const char *const[]){ "last_message_id", "last_source_id" }, last, *arena);
    json_object_end(out);
    json_object_end(out);
    return OK;
}

/* ---- Links: the accounts of a user ---- */

Status api_profile_links(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    ProfileValues groups = { 0 };
    ProfilePage page;
    size_t from = 0;
    Status s = profiles_read_page(exchange, arena, LINKS_A_PAGE, PAGE_MOST, &page, err);
    if (!s) s = read_offset(&page, &from, err);
    if (!s) s = find_profile(exchange, people, arena, &person, err);
    if (!s) s = people_read_groups(people, person, arena, &groups, err);
    if (s) return s;
    json_object(out, NULL);
    json_array(out, "data");
    size_t at = from, end = from + page.limit;
    for (; at < groups.count && at < end; at++) {
        Arena scratch = *arena;
        const ProfileValue *group = &groups.items[at];
        ProfileId id = { "accounts", STR("group_id"), group->key, true, group->time_ms,
                         profiles_source(people, group->position, &scratch), group->message_id };
        json_object(out, NULL);
        json_word(out, "to_collection", "accounts");
        json_array(out, "external_ids");
        profiles_put_id(out, &id);
        json_array_end(out);
        json_object_end(out);
    }
    json_array_end(out);
    put_offset(exchange, out, page.limit, at < groups.count, at);
    return OK;
}
