/* http_people_traits: who set which trait to what, when and from where; a person's groups, and a group's people. */
#include "http_people.h"

enum { HISTORY_A_PAGE = 100, GROUPS_MAX = LIMIT_PAGE_ITEMS, MEMBERS_A_PAGE = 20, MEMBERS_MOST = 100 };

static void put_member(struct buf *out, const char *name, Str value)
{
    buf_printf(out, ",\"%s\":", name);
    buf_json_string(out, value);
}

/* When, and which message said so; the message may be retired or erased by now. */
static void put_origin(struct buf *out, const People *people, const ProfileValue *value, Arena scratch)
{
    Event event;
    buf_str_put(out, STR(",\"time\":\""));
    buf_instant(out, value->time_ms);
    buf_str_put(out, STR("\",\"set_by\":"));
    people_put_node(out, people, value->subject);
    put_member(out, "message_id", value->message_id);
    if (people_read_event(people, value->position, &scratch, &event, NULL) == OK) {
        put_member(out, "message_type", str_from(event_type_word(event.type)));
        put_member(out, "source", event.source);
    } else {
        buf_str_put(out, STR(",\"message_type\":null,\"source\":null"));
    }
    buf_printf(out, ",\"position\":%llu", (unsigned long long)value->position);
}

static void put_traits(struct buf *out, const ProfileValues *traits)
{
    buf_char(out, '{');
    for (size_t at = 0; at < traits->count; at++) {
        if (at) buf_char(out, ',');
        buf_json_string(out, traits->items[at].key);
        buf_char(out, ':');
        buf_str_put(out, traits->items[at].json);
    }
    buf_char(out, '}');
}

/* ---- History ---- */

static void put_history(struct buf *out, const People *people, const ProfileValues *values, Str trait, size_t offset,
                        size_t limit, Arena scratch)
{
    size_t seen = 0, put = 0;
    buf_str_put(out, STR("{\"history\":["));
    for (size_t at = 0; at < values->count; at++) {
        const ProfileValue *value = &values->items[at];
        if (trait.len && !str_equal(trait, value->key)) continue;
        if (seen++ < offset || seen > offset + limit) continue;
        if (put++) buf_char(out, ',');
        buf_str_put(out, STR("{\"trait\":"));
        buf_json_string(out, value->key);
        buf_str_put(out, STR(",\"value\":"));
        buf_str_put(out, value->json);
        put_origin(out, people, value, scratch);
        buf_char(out, '}');
    }
    buf_char(out, ']');
    people_put_offset(out, seen > offset + limit, offset + limit);
    buf_char(out, '}');
}

static Status write_history(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str trait = query_parameter(exchange->query, STR("trait"), arena);
    IdentityPerson person;
    ProfileValues values = { 0 };
    size_t limit, offset;
    Status s = people_read_limit(exchange, arena, HISTORY_A_PAGE, LIMIT_PAGE_ITEMS, &limit, err);
    if (!s) s = people_read_offset(exchange, arena, INT32_MAX, &offset, err);
    if (!s) s = people_find_one(exchange, people, arena, &person, err);
    if (!s) s = apply_read_history(exchange_options(exchange)->applier, person, arena, &values, err);
    if (!s) put_history(out, people, &values, trait, offset, limit, *arena);
    return s;
}

Status people_write_history(struct exchange *exchange, const People *people, IdentityPerson person, Arena *arena,
                            struct buf *out, Err *err)
{
    ProfileValues values = { 0 };
    Status s = apply_read_history(exchange_options(exchange)->applier, person, arena, &values, err);
    if (!s) put_history(out, people, &values, (Str){ 0 }, 0, values.count, *arena);
    return s;
}

/* ---- Groups ---- */

static Status read_group(struct exchange *exchange, Str id, Arena *arena, ProfileValues *ret, Err *err)
{
    struct profile_reader *reader;
    Status s = profile_begin_reading(apply_profile(exchange_options(exchange)->applier), &reader, err);
    if (s) return s;
    s = profile_read_group(reader, id, arena, ret, err);
    profile_end_reading(reader);
    return s;
}

Status people_write_groups(struct exchange *exchange, const People *people, IdentityPerson person, Arena *arena,
                           struct buf *out, Err *err)
{
    ProfileValues groups = { 0 };
    Status s = apply_read_groups(exchange_options(exchange)->applier, person, arena, &groups, err);
    if (s) return s;
    buf_str_put(out, STR("{\"groups\":["));
    for (size_t at = 0; at < groups.count && at < GROUPS_MAX; at++) {
        Arena scratch = *arena;
        ProfileValues traits = { 0 };
        s = read_group(exchange, groups.items[at].key, &scratch, &traits, err);
        if (s && s != ERR_NOT_FOUND) return s;
        buf_str_put(out, at ? STR(",{\"group_id\":") : STR("{\"group_id\":"));
        buf_json_string(out, groups.items[at].key);
        buf_str_put(out, STR(",\"traits\":"));
        put_traits(out, &traits);
        put_origin(out, people, &groups.items[at], scratch);
        buf_char(out, '}');
    }
    buf_str_put(out, STR("]}"));
    return OK;
}

static Status write_groups(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    Status s = people_find_one(exchange, people, arena, &person, err);
    return s ? s : people_write_groups(exchange, people, person, arena, out, err);
}

static Status write_group(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str id = percent_decode(exchange->parameter, false, arena);
    ProfileValues traits = { 0 };
    (void)people;
    Status s = read_group(exchange, id, arena, &traits, err);
    if (s == ERR_NOT_FOUND) return err_set(err, s, "no group call ever named the group \"%.*s\"", STR_FORMAT(id));
    if (s) return s;
    buf_str_put(out, STR("{\"group_id\":"));
    buf_json_string(out, id);
    buf_str_put(out, STR(",\"traits\":"));
    put_traits(out, &traits);
    buf_char(out, '}');
    return OK;
}

static Status list_members(struct exchange *exchange, Str id, const uint32_t *behind, size_t max, uint32_t *subjects,
                           size_t *ret_count, Err *err)
{
    struct profile_reader *reader;
    Status s = profile_begin_reading(apply_profile(exchange_options(exchange)->applier), &reader, err);
    if (s) return s;
    s = profile_list_group_subjects(reader, id, behind, max, subjects, ret_count, err);
    profile_end_reading(reader);
    return s;
}

/* Pages go by the subjects that called group, so that any number of members costs no more than a page. A person who
 * did so under several ids is told once a page. */
static Status write_members(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str id = percent_decode(exchange->parameter, false, arena);
    size_t limit, behind, count = 0, put = 0;
    Status s = people_read_limit(exchange, arena, MEMBERS_A_PAGE, MEMBERS_MOST, &limit, err);
    if (!s) s = people_read_offset(exchange, arena, UINT32_MAX, &behind, err);
    if (s) return s;
    uint32_t *subjects = arena_new(arena, uint32_t, limit + 1), last = behind ? (uint32_t)behind - 1 : 0;
    IdentityPerson *told = arena_new(arena, IdentityPerson, limit + 1);
    s = list_members(exchange, id, behind ? &last : NULL, limit + 1, subjects, &count, err);
    if (s) return s;
    buf_str_put(out, STR("{\"people\":["));
    for (size_t at = 0; !s && at < count && at < limit; at++) {
        Arena scratch = *arena;
        IdentityPerson person = identity_person_now(people->identity, subjects[at]);
        bool is_again = person == IDENTITY_NONE;
        for (size_t before = 0; before < put && !is_again; before++) is_again = told[before] == person;
        if (is_again) continue;
        if (put) buf_char(out, ',');
        told[put++] = person;
        s = people_write_person(people, person, &scratch, out, err);
    }
    buf_char(out, ']');
    people_put_offset(out, count > limit, count ? (size_t)subjects[(count < limit ? count : limit) - 1] + 1 : 0);
    buf_char(out, '}');
    return s;
}

static void work_history(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_history); }
static void work_groups(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_groups); }
static void work_group(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_group); }
static void work_members(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_members); }

void http_people_history(struct exchange *exchange) { exchange_defer(exchange, work_history); }
void http_people_groups(struct exchange *exchange) { exchange_defer(exchange, work_groups); }
void http_group(struct exchange *exchange) { exchange_defer(exchange, work_group); }
void http_group_members(struct exchange *exchange) { exchange_defer(exchange, work_members); }
