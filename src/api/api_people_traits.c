/* api_people_traits: who set which trait to what, when and from where; a person's groups, and a group's people. */
#include "api_people.h"

enum { HISTORY_A_PAGE = 100, GROUPS_MOST = LIMIT_PAGE_ITEMS, MEMBERS_A_PAGE = 20, MEMBERS_MOST = 100 };

/* When, and which message said so; the message may be retired or erased by now. */
static void put_origin(struct buf *out, const People *people, const ProfileValue *value, Arena scratch)
{
    Event event;
    json_instant(out, "time", value->time_ms);
    json_name(out, STR("set_by"));
    people_put_node(out, people, value->subject);
    json_string(out, "message_id", value->message_id);
    if (people_read_event(people, value->position, &scratch, &event, NULL) == OK) {
        json_word(out, "message_type", event_type_word(event.type));
        json_string(out, "source", event.source);
    } else {
        json_null(out, "message_type");
        json_null(out, "source");
    }
    json_uint(out, "position", value->position);
}

static void put_traits(struct buf *out, const ProfileValues *traits)
{
    json_object(out, NULL);
    for (size_t at = 0; at < traits->count; at++) {
        json_name(out, traits->items[at].key);
        json_raw(out, NULL, traits->items[at].json);
    }
    json_object_end(out);
}

/* ---- History ---- */

struct history_page {
    Str trait;                              /* of this alone; empty: of all */
    size_t offset, limit;
};

static void put_history(struct buf *out, const People *people, const ProfileValues *values,
                        const struct history_page *page, Arena scratch)
{
    size_t seen = 0, end = page->offset + page->limit;
    json_object(out, NULL);
    json_array(out, "history");
    for (size_t at = 0; at < values->count; at++) {
        const ProfileValue *value = &values->items[at];
        if (page->trait.len && !str_equal(page->trait, value->key)) continue;
        if (seen++ < page->offset || seen > end) continue;
        json_object(out, NULL);
        json_string(out, "trait", value->key);
        json_raw(out, "value", value->json);
        put_origin(out, people, value, scratch);
        json_object_end(out);
    }
    json_array_end(out);
    people_put_offset(out, seen > end, end);
    json_object_end(out);
}

Status api_people_history(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    struct history_page page = { .trait = http_parameter(exchange->query, STR("trait"), arena) };
    IdentityPerson person;
    ProfileValues values = { 0 };
    Status s = people_read_limit(exchange, arena, HISTORY_A_PAGE, LIMIT_PAGE_ITEMS, &page.limit, err);
    if (!s) s = people_read_offset(exchange, arena, INT32_MAX, &page.offset, err);
    if (!s) s = people_find_one(exchange, people, arena, &person, err);
    if (!s) s = people_read_history(people, person, arena, &values, err);
    if (!s) put_history(out, people, &values, &page, *arena);
    return s;
}

Status people_write_history(const People *people, IdentityPerson person, Arena *arena, struct buf *out, Err *err)
{
    ProfileValues values = { 0 };
    Status s = people_read_history(people, person, arena, &values, err);
    if (!s) put_history(out, people, &values, &(struct history_page){ .limit = values.count }, *arena);
    return s;
}

/* ---- Groups ---- */

Status people_write_groups(const People *people, IdentityPerson person, Arena *arena, struct buf *out, Err *err)
{
    ProfileValues groups = { 0 };
    Status s = people_read_groups(people, person, arena, &groups, err);
    if (s) return s;
    json_object(out, NULL);
    json_array(out, "groups");
    for (size_t at = 0; at < groups.count && at < GROUPS_MOST; at++) {
        Arena scratch = *arena;
        ProfileValues traits = { 0 };
        s = people_read_group(people, groups.items[at].key, &scratch, &traits, err);
        if (s && s != ERR_NOT_FOUND) return s;
        json_object(out, NULL);
        json_string(out, "group_id", groups.items[at].key);
        json_name(out, STR("traits"));
        put_traits(out, &traits);
        put_origin(out, people, &groups.items[at], scratch);
        json_object_end(out);
    }
    json_array_end(out);
    json_object_end(out);
    return OK;
}

Status api_people_groups(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    Status s = people_find_one(exchange, people, arena, &person, err);
    return s ? s : people_write_groups(people, person, arena, out, err);
}

Status api_group(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str id = percent_decode(exchange->parameter, false, arena);
    ProfileValues traits = { 0 };
    Status s = people_read_group(people, id, arena, &traits, err);
    if (s == ERR_NOT_FOUND) return err_set(err, s, "no group call ever named the group \"%.*s\"", STR_FORMAT(id));
    if (s) return s;
    json_object(out, NULL);
    json_string(out, "group_id", id);
    json_name(out, STR("traits"));
    put_traits(out, &traits);
    json_object_end(out);
    return OK;
}

/* Pages are in order of the subjects that called group, so a page costs the same for any number of members. A person
 * who called group under several ids is listed once in each page. */
Status api_group_members(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str id = percent_decode(exchange->parameter, false, arena);
    size_t limit, count = 0, put = 0;
    Status s = people_read_limit(exchange, arena, MEMBERS_A_PAGE, MEMBERS_MOST, &limit, err);
    if (s) return s;
    GroupMember *members = arena_new(arena, GroupMember, limit + 1);
    IdentityPerson *told = arena_new(arena, IdentityPerson, limit + 1);
    PeoplePage page = { http_parameter(exchange->query, STR("cursor"), arena), "cursor", limit + 1 };
    s = people_list_members(people, id, &page, members, &count, err);
    if (s) return s;
    json_object(out, NULL);
    json_array(out, "people");
    for (size_t at = 0; !s && at < count && at < limit; at++) {
        Arena scratch = *arena;
        IdentityPerson person = members[at].person;
        bool is_again = person == IDENTITY_NONE;
        for (size_t before = 0; before < put && !is_again; before++) is_again = told[before] == person;
        if (is_again) continue;
        told[put++] = person;
        s = people_write_person(people, person, &scratch, out, err);
    }
    json_array_end(out);
    page_put(out, count > limit ? people_member_cursor(&members[limit - 1], arena) : (Str){ 0 });
    json_object_end(out);
    return s;
}
