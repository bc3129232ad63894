/* api_accounts: the other collection of Segment's Profile API: groups, which Segment calls accounts.
 *
 *     /v1/spaces/{any}/collections/accounts/profiles/group_id:{id}/traits | external_ids | metadata | links */
#include "api_profiles.h"

enum { LINKS_A_PAGE = 20, PAGE_MOST = 100, MEMBER_IDS = 10 };

static Status find_group(struct exchange *exchange, const People *people, Arena *arena, Str *ret_id,
                         ProfileValues *ret, Err *err)
{
    Str id, type = str_cut(percent_decode(exchange->parameter, false, arena), ':', &id);
    Status s = str_equal(type, STR("group_id")) ? OK : ERR_NOT_FOUND;
    if (!s) s = people_read_group(people, id, arena, ret, err);
    *ret_id = id;
    return s == ERR_NOT_FOUND ? err_set(err, s, "Profile was not found.") : s;
}

Status api_account_traits(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    ProfileValues traits = { 0 };
    Str id;
    Status s = find_group(exchange, people, arena, &id, &traits, err);
    return s ? s : profiles_put_traits(exchange, people, &traits, arena, out, err);
}

Status api_account_ids(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    ProfileValues traits = { 0 };
    Str id;
    Status s = find_group(exchange, people, arena, &id, &traits, err);
    if (s) return s;
    json_object(out, NULL);
    json_array(out, "data");
    profiles_put_id(out, &(ProfileId){ .collection = "accounts", .type = STR("group_id"), .id = id });
    json_array_end(out);
    profiles_put_cursor(exchange, out, 1, (Str){ 0 });
    return OK;
}

/* Only the current traits are used, not those that were overwritten. */
Status api_account_metadata(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    const ProfileValue *ends[2] = { NULL, NULL };
    static const struct { const char *time, *message_id, *source_id; } rows[] = {
        { "created_at", "first_message_id", "first_source_id" }, { "updated_at", "last_message_id", "last_source_id" },
    };
    ProfileValues traits = { 0 };
    Str id;
    Status s = find_group(exchange, people, arena, &id, &traits, err);
    if (s) return s;
    for (size_t at = 0; at < traits.count; at++) {
        const ProfileValue *trait = &traits.items[at];
        if (!ends[0] || trait->time_ms < ends[0]->time_ms) ends[0] = trait;
        if (!ends[1] || trait->time_ms >= ends[1]->time_ms) ends[1] = trait;
    }
    json_object(out, NULL);
    json_object(out, "metadata");
    json_null(out, "expires_at");
    for (size_t at = 0; at < countof(ends); at++) {
        Arena scratch = *arena;
        if (!ends[at]) {
            json_null(out, rows[at].time);
            json_null(out, rows[at].message_id);
            json_null(out, rows[at].source_id);
            continue;
        }
        json_instant(out, rows[at].time, ends[at]->time_ms);
        json_string(out, rows[at].message_id, ends[at]->message_id);
        json_string(out, rows[at].source_id, profiles_source(people, ends[at]->position, &scratch));
    }
    json_object_end(out);
    json_object_end(out);
    return OK;
}

/* The users of an account, by the ids that called group; each with its first ids. */
Status api_account_links(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    ProfileValues traits = { 0 };
    ProfilePage page;
    Str id;
    size_t count = 0;
    Status s = profiles_read_page(exchange, arena, LINKS_A_PAGE, PAGE_MOST, &page, err);
    if (!s) s = find_group(exchange, people, arena, &id, &traits, err);
    if (s) return s;
    GroupMember *members = arena_new(arena, GroupMember, page.limit + 1);
    PeoplePage asked = { page.next, "next", page.limit + 1 };
    s = people_list_members(people, id, &asked, members, &count, err);
    if (s) return s;
    size_t shown = count < page.limit ? count : page.limit;
    json_object(out, NULL);
    json_array(out, "data");
    for (size_t at = 0; !s && at < shown; at++) {
        Arena scratch = *arena;
        IdentityPerson person = members[at].person;
        if (person == IDENTITY_NONE) continue;
        json_object(out, NULL);
        json_word(out, "to_collection", "users");
        json_array(out, "external_ids");
        ProfileIds ids = { .limit = MEMBER_IDS };
        s = profiles_put_person_ids(people, person, &ids, &scratch, out, err);
        json_array_end(out);
        json_object_end(out);
    }
    json_array_end(out);
    profiles_put_cursor(exchange, out, page.limit,
                        count > shown ? people_member_cursor(&members[shown - 1], arena) : (Str){ 0 });
    return s;
}
