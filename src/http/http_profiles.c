/* http_profiles: Segment's Profile API, so that code which asks it goes on by changing its host:
 *
 *     /v1/spaces/{any}/collections/users/profiles/{type:id}/traits | external_ids | events | metadata | links
 *
 * Basic authentication with the secret key as user name and no password. The shapes are Segment's; docs/people.md says
 * where Onym has more (events of all time, not of 14 days) or nothing (computed traits, audiences). The space may be
 * any word: there is one. */
#include "http_profiles.h"

#include <stdlib.h>

enum { TRAITS_A_PAGE = 10, TRAITS_MOST = 200, IDS_A_PAGE = 25, EVENTS_A_PAGE = 10, PAGE_MOST = 100, LINKS_A_PAGE = 20,
       EVENTS_LOOKED_AT = 20000, EMAILS_MOST = 50 };

/* ---- Pages ---- */

Status profiles_read_page(struct exchange *exchange, Arena *arena, int64_t usual, int64_t max, ProfilePage *ret,
                          Err *err)
{
    ret->next = query_parameter(exchange->query, STR("next"), arena);
    return people_read_limit(exchange, arena, usual, max, &ret->limit, err);
}

void profiles_put_cursor(struct exchange *exchange, struct buf *out, size_t limit, Str next)
{
    buf_str_put(out, STR(",\"cursor\":{\"url\":"));
    buf_json_string(out, exchange->path);
    buf_printf(out, ",\"has_more\":%s,\"next\":", next.len ? "true" : "false");
    buf_json_string(out, next);
    buf_printf(out, ",\"limit\":%zu}}", limit);
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
    int64_t offset = 0;
    if (page->next.len && !str_parse_int(page->next, 0, INT32_MAX, &offset))
        return err_set_field(err, "next", "is not one that a page gave");
    *ret = (size_t)offset;
    return OK;
}

/* ---- Who is meant ---- */

static IdentityNode find_kind(const People *people, Str type, Str id)
{
    IdentityKind kind;
    bool is_known = identity_find_kind(people->identity, type, &kind);
    return is_known ? identity_find(people->identity, kind, id) : IDENTITY_NONE;
}

/* Where email is no identifier of the configuration, the trait: whoever has it now. */
static Status find_email(struct exchange *exchange, Str email, Arena *arena, IdentityPerson *ret, Err *err)
{
    struct applier *applier = exchange_options(exchange)->applier;
    IdentityPerson found[EMAILS_MOST];
    size_t count;
    Status s = email.len ? apply_find_names(applier, email, EMAILS_MOST, found, &count, err) : ERR_NOT_FOUND;
    for (size_t at = 0; !s && at < count; at++) {
        Arena scratch = *arena;
        ProfileValues traits = { 0 };
        const TreeNode *value;
        s = apply_read_traits(applier, found[at], &scratch, &traits, err);
        for (size_t trait = 0; !s && trait < traits.count; trait++) {
            if (!str_equal(traits.items[trait].key, STR("email"))) continue;
            if (event_tree_read(traits.items[trait].json, &scratch, &value, NULL)) continue;
            if (!str_equal_no_case(value->text, email)) continue;
            *ret = found[at];
            return OK;
        }
    }
    return s ? s : ERR_NOT_FOUND;
}

static Status find_profile(struct exchange *exchange, const People *people, Arena *arena, IdentityPerson *ret, Err *err)
{
    Str id, whole = percent_decode(exchange->parameter, false, arena), type = str_cut(whole, ':', &id);
    Status s = ERR_NOT_FOUND;
    if (type.len == whole.len || str_equal(type, STR("segment_id"))) {
        s = people_find(people, type.len == whole.len ? whole : id, ret, err);
    } else {
        IdentityNode node = find_kind(people, type, id);
        if (node != IDENTITY_NONE) {
            *ret = identity_person_now(people->identity, node);
            s = OK;
        } else if (str_equal(type, STR("email"))) {
            s = find_email(exchange, id, arena, ret, err);
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
    buf_json_string(out, trait->key);
    buf_char(out, ':');
    if (!is_verbose) {
        buf_str_put(out, trait->json);
        return;
    }
    buf_str_put(out, STR("{\"value\":"));
    buf_str_put(out, trait->json);
    buf_str_put(out, STR(",\"source_id\":"));
    buf_json_string(out, profiles_source(people, trait->position, &scratch));
    buf_str_put(out, STR(",\"updated_at\":\""));
    buf_instant(out, trait->time_ms);
    buf_str_put(out, STR("\"}"));
}

/* Traits come by key, so the cursor is the key that the next page begins with. */
Status profiles_put_traits(struct exchange *exchange, const People *people, const ProfileValues *traits, Arena *arena,
                           struct buf *out, Err *err)
{
    Str include = query_parameter(exchange->query, STR("include"), arena);
    bool is_verbose = str_equal(query_parameter(exchange->query, STR("verbose"), arena), STR("true"));
    bool has_class = query_parameter(exchange->query, STR("class"), arena).len > 0;      /* Onym computes no traits */
    ProfilePage page;
    Str next = { 0 };
    size_t put = 0;
    Status s = profiles_read_page(exchange, arena, TRAITS_A_PAGE, TRAITS_MOST, &page, err);
    if (s) return s;
    buf_str_put(out, STR("{\"traits\":{"));
    for (size_t at = 0; !has_class && at < traits->count && next.len == 0; at++) {
        const ProfileValue *trait = &traits->items[at];
        bool is_behind = page.next.len == 0 || str_compare(trait->key, page.next) >= 0;
        if (!is_behind || !profiles_lists(include, trait->key, true)) continue;
        if (put == page.limit) {
            next = trait->key;
            break;
        }
        if (put++) buf_char(out, ',');
        put_trait(out, people, trait, is_verbose, *arena);
    }
    buf_char(out, '}');
    profiles_put_cursor(exchange, out, page.limit, next);
    return OK;
}

static Status write_traits(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    ProfileValues traits = { 0 };
    Status s = find_profile(exchange, people, arena, &person, err);
    if (!s) s = apply_read_traits(exchange_options(exchange)->applier, person, arena, &traits, err);
    return s ? s : profiles_put_traits(exchange, people, &traits, arena, out, err);
}

/* ---- External ids ---- */

void profiles_put_id(struct buf *out, const ProfileId *id)
{
    buf_printf(out, "{\"collection\":\"%s\",\"type\":", id->collection);
    buf_json_string(out, id->type);
    buf_str_put(out, STR(",\"id\":"));
    buf_json_string(out, id->id);
    buf_str_put(out, STR(",\"encoding\":\"none\""));
    if (id->has_origin) {
        buf_str_put(out, STR(",\"created_at\":\""));
        buf_instant(out, id->created_at_ms);
        buf_str_put(out, STR("\",\"source_id\":"));
        buf_json_string(out, id->source);
        buf_str_put(out, STR(",\"first_message_id\":"));
        buf_json_string(out, id->message_id);
    }
    buf_char(out, '}');
}

/* Created: by its first link; an id without one has none. */
static Status find_origin(const People *people, IdentityNode node, Arena *arena, ProfileId *id, Err *err)
{
    IdentityLink *links;
    size_t count;
    uint64_t more;
    Event event;
    Status s = identity_list_links(people->identity, node, 2, arena, &links, &count, &more, err);
    if (s || count == 0) return s;
    id->has_origin = true;
    id->created_at_ms = links[0].time_ms;
    if (people_read_event(people, links[0].position, arena, &event, NULL)) return OK;
    id->source = event.source;
    id->message_id = event.message_id;
    return OK;
}

Status profiles_put_person_ids(const People *people, IdentityPerson person, Str include, size_t from, size_t limit,
                               Arena *arena, struct buf *out, size_t *ret_next, Err *err)
{
    IdentityMember *members;
    char text[LIMIT_ID_BYTES];
    size_t count, seen = 0, put = 0;
    Status s = identity_list_members(people->identity, person, arena, &members, &count, err);
    *ret_next = 0;
    for (size_t at = 0; !s && at < count; at++) {
        Arena scratch = *arena;
        ProfileId id = { .collection = "users", .type = identity_kind_name(people->identity, members[at].kind) };
        if (!profiles_lists(include, id.type, true) || seen++ < from) continue;
        if (put == limit) {
            *ret_next = from + limit;
            break;
        }
        id.id = identity_read_value(people->identity, members[at].node, text);
        s = find_origin(people, members[at].node, &scratch, &id, err);
        if (put++) buf_char(out, ',');
        if (!s) profiles_put_id(out, &id);
    }
    return s;
}

static Status write_ids(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str include = query_parameter(exchange->query, STR("include"), arena);
    IdentityPerson person;
    ProfilePage page;
    size_t from = 0, next = 0;
    Status s = profiles_read_page(exchange, arena, IDS_A_PAGE, PAGE_MOST, &page, err);
    if (!s) s = read_offset(&page, &from, err);
    if (!s) s = find_profile(exchange, people, arena, &person, err);
    if (s) return s;
    buf_str_put(out, STR("{\"data\":["));
    s = profiles_put_person_ids(people, person, include, from, page.limit, arena, out, &next, err);
    buf_char(out, ']');
    profiles_put_cursor(exchange, out, page.limit, next ? arena_printf(arena, "%zu", next) : (Str){ 0 });
    return s;
}

/* ---- Events ---- */

typedef struct EventsWish {
    ProfilePage page;
    Str include, exclude;
    Millis start_ms, end_ms;
    bool is_ascending;
} EventsWish;

static Status read_wish(struct exchange *exchange, Arena *arena, EventsWish *ret, Err *err)
{
    Str start = query_parameter(exchange->query, STR("start"), arena);
    Str end = query_parameter(exchange->query, STR("end"), arena);
    Str sort = query_parameter(exchange->query, STR("sort"), arena);
    *ret = (EventsWish){ .include = query_parameter(exchange->query, STR("include"), arena),
                         .exclude = query_parameter(exchange->query, STR("exclude"), arena),
                         .start_ms = INT64_MIN, .end_ms = INT64_MAX, .is_ascending = str_equal(sort, STR("asc")) };
    if (start.len && !instant_parse(start, &ret->start_ms))
        return err_set_field(err, "start", "must be an instant of ISO 8601");
    if (end.len && !instant_parse(end, &ret->end_ms))
        return err_set_field(err, "end", "must be an instant of ISO 8601");
    if (sort.len && !ret->is_ascending && !str_equal(sort, STR("desc")))
        return err_set_field(err, "sort", "must be asc or desc");
    return profiles_read_page(exchange, arena, EVENTS_A_PAGE, PAGE_MOST, &ret->page, err);
}

static int oldest_first(const void *a, const void *b)
{
    const PersonEvent *left = a, *right = b;
    if (left->time_ms != right->time_ms) return left->time_ms < right->time_ms ? -1 : 1;
    return left->pos < right->pos ? -1 : left->pos > right->pos;
}

static int newest_first(const void *a, const void *b) { return oldest_first(b, a); }

/* A cursor is the event that the next page begins with: "<position>.<time>". */
static Status read_next(Str next, PersonEvent *ret, Err *err)
{
    Str time, pos = str_cut(next, '.', &time);
    int64_t number;
    if (!str_parse_int(pos, 0, INT64_MAX, &number) || !str_parse_int(time, INT64_MIN, INT64_MAX, &ret->time_ms))
        return err_set_field(err, "next", "is not one that a page gave");
    ret->pos = (JournalPos)number;
    return OK;
}

static void put_event_ids(struct buf *out, const Event *event)
{
    const struct { Str type, id; } ids[] = {
        { STR("user_id"), event->user_id }, { STR("anonymous_id"), event->anonymous_id },
    };
    bool is_first = true;
    buf_str_put(out, STR("{\"external_ids\":["));
    for (size_t at = 0; at < countof(ids); at++) {
        if (ids[at].id.len == 0) continue;
        if (!is_first) buf_char(out, ',');
        is_first = false;
        profiles_put_id(out, &(ProfileId){ .collection = "users", .type = ids[at].type, .id = ids[at].id });
    }
    buf_char(out, ']');
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
    buf_printf(out, ",\"type\":\"%s\",\"message_id\":", event_type_word(event->type));
    buf_json_string(out, event->message_id);
    buf_str_put(out, STR(",\"source_id\":"));
    buf_json_string(out, event->source);
    buf_str_put(out, STR(",\"timestamp\":\""));
    buf_instant(out, event->timestamp_ms);
    buf_char(out, '"');
    for (size_t at = 0; at < countof(copied); at++) {
        const TreeNode *value = event_tree_get(tree, str_from(copied[at].from));
        if (!value) continue;
        buf_printf(out, ",\"%s\":", copied[at].to);
        buf_str_put(out, value->raw);
    }
    buf_str_put(out, STR(",\"related\":{\"users\":"));
    buf_json_string(out, person_id);
    buf_str_put(out, STR("}}"));
    return OK;
}

/* Until the page is full; where a filter leaves out very many, the page ends early and says that there is more. */
static Status put_events(const People *people, const EventsWish *wish, const PersonEvent *events, size_t count,
                         Str person_id, Arena *arena, struct buf *out, const PersonEvent **ret_next, Err *err)
{
    size_t put = 0, looked_at = 0;
    *ret_next = NULL;
    for (size_t at = 0; at < count; at++) {
        Arena scratch = *arena;
        Event event;
        if (events[at].time_ms < wish->start_ms || events[at].time_ms >= wish->end_ms) continue;
        if (put == wish->page.limit || looked_at++ == EVENTS_LOOKED_AT) {
            *ret_next = &events[at];
            return OK;
        }
        Status s = people_read_event(people, events[at].pos, &scratch, &event, err);
        if (s == ERR_NOT_FOUND) continue;
        if (s) return s;
        if (!profiles_lists(wish->include, event.name, true)) continue;
        if (profiles_lists(wish->exclude, event.name, false)) continue;
        if (put++) buf_char(out, ',');
        s = put_event(out, &event, person_id, &scratch, err);
        if (s) return s;
    }
    return OK;
}

static Str person_id_of(const People *people, IdentityPerson person, Arena *arena)
{
    struct buf text;
    buf_init_fixed(&text, arena_bytes(arena, IDENTITY_PERSON_ID_BYTES), IDENTITY_PERSON_ID_BYTES);
    identity_write_person_id(people->identity, person, &text);
    return buf_str(&text);
}

static Status write_events(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    EventsWish wish;
    IdentityPerson person;
    PersonEvent *events, begin;
    const PersonEvent *next;
    size_t count, from = 0;
    Status s = read_wish(exchange, arena, &wish, err);
    if (!s && wish.page.next.len) s = read_next(wish.page.next, &begin, err);
    if (!s) s = find_profile(exchange, people, arena, &person, err);
    if (s) return s;
    Str person_id = person_id_of(people, person, arena);
    s = people_list_events(people, person, arena, &events, &count, err);
    if (s) return s;
    int (*order)(const void *a, const void *b) = wish.is_ascending ? oldest_first : newest_first;
    qsort(events, count, sizeof *events, order);
    while (wish.page.next.len && from < count && order(&events[from], &begin) < 0) from++;
    buf_str_put(out, STR("{\"data\":["));
    s = put_events(people, &wish, events + from, count - from, person_id, arena, out, &next, err);
    buf_char(out, ']');
    Str text = { 0 };
    if (!s && next)
        text = arena_printf(arena, "%llu.%lld", (unsigned long long)next->pos, (long long)next->time_ms);
    profiles_put_cursor(exchange, out, wish.page.limit, text);
    return s;
}

/* ---- Metadata ---- */

static void put_end(struct buf *out, const People *people, const char *word, const PersonEvent *event, Arena scratch)
{
    Event message;
    bool is_there = event && people_read_event(people, event->pos, &scratch, &message, NULL) == OK;
    buf_printf(out, ",\"%s_message_id\":", word);
    if (is_there) buf_json_string(out, message.message_id);
    else buf_str_put(out, STR("null"));
    buf_printf(out, ",\"%s_source_id\":", word);
    if (is_there) buf_json_string(out, message.source);
    else buf_str_put(out, STR("null"));
}

static void put_time(struct buf *out, const char *name, const PersonEvent *event)
{
    buf_printf(out, "\"%s\":", name);
    if (!event) {
        buf_str_put(out, STR("null"));
        return;
    }
    buf_char(out, '"');
    buf_instant(out, event->time_ms);
    buf_char(out, '"');
}

static Status write_metadata(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    PersonEvent *events, *first = NULL, *last = NULL;
    size_t count;
    Status s = find_profile(exchange, people, arena, &person, err);
    if (!s) s = people_list_events(people, person, arena, &events, &count, err);
    if (s) return s;
    for (size_t at = 0; at < count; at++) {
        if (!first || oldest_first(&events[at], first) < 0) first = &events[at];
        if (!last || oldest_first(&events[at], last) > 0) last = &events[at];
    }
    buf_str_put(out, STR("{\"metadata\":{"));
    put_time(out, "created_at", first);
    buf_char(out, ',');
    put_time(out, "updated_at", last);
    buf_str_put(out, STR(",\"expires_at\":null"));
    put_end(out, people, "first", first, *arena);
    put_end(out, people, "last", last, *arena);
    buf_str_put(out, STR("}}"));
    return OK;
}

/* ---- Links: the accounts of a user ---- */

static Status write_links(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    ProfileValues groups = { 0 };
    ProfilePage page;
    size_t from = 0;
    Status s = profiles_read_page(exchange, arena, LINKS_A_PAGE, PAGE_MOST, &page, err);
    if (!s) s = read_offset(&page, &from, err);
    if (!s) s = find_profile(exchange, people, arena, &person, err);
    if (!s) s = apply_read_groups(exchange_options(exchange)->applier, person, arena, &groups, err);
    if (s) return s;
    buf_str_put(out, STR("{\"data\":["));
    size_t at = from, end = from + page.limit;
    for (; at < groups.count && at < end; at++) {
        Arena scratch = *arena;
        const ProfileValue *group = &groups.items[at];
        ProfileId id = { "accounts", STR("group_id"), group->key, true, group->time_ms,
                         profiles_source(people, group->position, &scratch), group->message_id };
        buf_str_put(out, at > from ? STR(",{\"to_collection\":\"accounts\",\"external_ids\":[")
                                   : STR("{\"to_collection\":\"accounts\",\"external_ids\":["));
        profiles_put_id(out, &id);
        buf_str_put(out, STR("]}"));
    }
    buf_char(out, ']');
    profiles_put_cursor(exchange, out, page.limit, at < groups.count ? arena_printf(arena, "%zu", at) : (Str){ 0 });
    return OK;
}

static void work_traits(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_traits); }
static void work_ids(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_ids); }
static void work_events(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_events); }
static void work_metadata(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_metadata); }
static void work_links(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_links); }

void http_profile_traits(struct exchange *exchange) { exchange_defer(exchange, work_traits); }
void http_profile_ids(struct exchange *exchange) { exchange_defer(exchange, work_ids); }
void http_profile_events(struct exchange *exchange) { exchange_defer(exchange, work_events); }
void http_profile_metadata(struct exchange *exchange) { exchange_defer(exchange, work_metadata); }
void http_profile_links(struct exchange *exchange) { exchange_defer(exchange, work_links); }
