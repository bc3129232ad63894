/* http_accounts: the other collection of Segment's Profile API: groups, which Segment calls accounts.
 *
 *     /v1/spaces/{any}/collections/accounts/profiles/group_id:{id}/traits | external_ids | metadata | links */
#include "http_profiles.h"

enum { LINKS_A_PAGE = 20, PAGE_MOST = 100, MEMBER_IDS = 10 };

static Status find_group(struct exchange *exchange, Arena *arena, Str *ret_id, ProfileValues *ret, Err *err)
{
    struct profile_reader *reader;
    Str id, type = str_cut(percent_decode(exchange->parameter, false, arena), ':', &id);
    Status s = str_equal(type, STR("group_id")) ? OK : ERR_NOT_FOUND;
    if (!s) s = profile_begin_reading(apply_profile(exchange_options(exchange)->applier), &reader, err);
    if (!s) {
        s = profile_read_group(reader, id, arena, ret, err);
        profile_end_reading(reader);
    }
    *ret_id = id;
    return s == ERR_NOT_FOUND ? err_set(err, s, "Profile was not found.") : s;
}

static Status write_traits(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    ProfileValues traits = { 0 };
    Str id;
    Status s = find_group(exchange, arena, &id, &traits, err);
    return s ? s : profiles_put_traits(exchange, people, &traits, arena, out, err);
}

static Status write_ids(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    ProfileValues traits = { 0 };
    Str id;
    (void)people;
    Status s = find_group(exchange, arena, &id, &traits, err);
    if (s) return s;
    buf_str_put(out, STR("{\"data\":["));
    profiles_put_id(out, &(ProfileId){ .collection = "accounts", .type = STR("group_id"), .id = id });
    buf_char(out, ']');
    profiles_put_cursor(exchange, out, 1, (Str){ 0 });
    return OK;
}

/* Of the traits that stand: what was overwritten is not asked for. */
static Status write_metadata(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    const ProfileValue *ends[2] = { NULL, NULL };
    static const char *const words[] = { "first", "last" }, *const times[] = { "created_at", "updated_at" };
    ProfileValues traits = { 0 };
    Str id;
    Status s = find_group(exchange, arena, &id, &traits, err);
    if (s) return s;
    for (size_t at = 0; at < traits.count; at++) {
        const ProfileValue *trait = &traits.items[at];
        if (!ends[0] || trait->time_ms < ends[0]->time_ms) ends[0] = trait;
        if (!ends[1] || trait->time_ms >= ends[1]->time_ms) ends[1] = trait;
    }
    buf_str_put(out, STR("{\"metadata\":{\"expires_at\":null"));
    for (size_t at = 0; at < countof(ends); at++) {
        Arena scratch = *arena;
        buf_printf(out, ",\"%s\":", times[at]);
        if (!ends[at]) {
            buf_printf(out, "null,\"%s_message_id\":null,\"%s_source_id\":null", words[at], words[at]);
            continue;
        }
        buf_char(out, '"');
        buf_instant(out, ends[at]->time_ms);
        buf_printf(out, "\",\"%s_message_id\":", words[at]);
        buf_json_string(out, ends[at]->message_id);
        buf_printf(out, ",\"%s_source_id\":", words[at]);
        buf_json_string(out, profiles_source(people, ends[at]->position, &scratch));
    }
    buf_str_put(out, STR("}}"));
    return OK;
}

static Status list_subjects(struct exchange *exchange, Str id, const uint32_t *behind, size_t max, uint32_t *subjects,
                            size_t *ret_count, Err *err)
{
    struct profile_reader *reader;
    Status s = profile_begin_reading(apply_profile(exchange_options(exchange)->applier), &reader, err);
    if (s) return s;
    s = profile_list_group_subjects(reader, id, behind, max, subjects, ret_count, err);
    profile_end_reading(reader);
    return s;
}

/* The users of an account, by the ids that called group; each with its first ids. */
static Status write_links(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    ProfileValues traits = { 0 };
    ProfilePage page;
    Str id;
    int64_t after = 0;
    size_t count = 0, put = 0, more;
    Status s = profiles_read_page(exchange, arena, LINKS_A_PAGE, PAGE_MOST, &page, err);
    if (!s && page.next.len && !str_parse_int(page.next, 0, UINT32_MAX, &after))
        s = err_set_field(err, "next", "is not one that a page gave");
    if (!s) s = find_group(exchange, arena, &id, &traits, err);
    if (s) return s;
    uint32_t *subjects = arena_new(arena, uint32_t, page.limit + 1), behind = (uint32_t)after;
    s = list_subjects(exchange, id, page.next.len ? &behind : NULL, page.limit + 1, subjects, &count, err);
    if (s) return s;
    size_t shown = count < page.limit ? count : page.limit;
    buf_str_put(out, STR("{\"data\":["));
    for (size_t at = 0; !s && at < shown; at++) {
        Arena scratch = *arena;
        IdentityPerson person = identity_person_now(people->identity, subjects[at]);
        if (person == IDENTITY_NONE) continue;
        buf_str_put(out, put++ ? STR(",{\"to_collection\":\"users\",\"external_ids\":[")
                               : STR("{\"to_collection\":\"users\",\"external_ids\":["));
        s = profiles_put_person_ids(people, person, (Str){ 0 }, 0, MEMBER_IDS, &scratch, out, &more, err);
        buf_str_put(out, STR("]}"));
    }
    buf_char(out, ']');
    profiles_put_cursor(exchange, out, page.limit,
                        count > shown ? arena_printf(arena, "%u", subjects[shown - 1]) : (Str){ 0 });
    return s;
}

static void work_traits(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_traits); }
static void work_ids(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_ids); }
static void work_metadata(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_metadata); }
static void work_links(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_links); }

void http_account_traits(struct exchange *exchange) { exchange_defer(exchange, work_traits); }
void http_account_ids(struct exchange *exchange) { exchange_defer(exchange, work_ids); }
void http_account_metadata(struct exchange *exchange) { exchange_defer(exchange, work_metadata); }
void http_account_links(struct exchange *exchange) { exchange_defer(exchange, work_links); }
