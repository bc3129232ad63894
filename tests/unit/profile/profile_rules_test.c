/* profile: the rules at the top of profile.h, each at its edge, in memory. Random histories against a model are in
 * tests/model; here each case is one that a person can check. */
#include "profile/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SUBJECTS, GROUPS, MEMBERS, NAMES };

static struct region region;
static Arena arena;
static struct profile *profile;

static int setup(void **state)
{
    (void)state;
    region_open(&region, 64 << 20);
    arena = region_arena(&region);
    profile = profile_open(&(ProfileOptions){ NULL, SUBJECTS, GROUPS, MEMBERS, NAMES });
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    profile_close(profile);
    region_close(&region);
    return 0;
}

static void set(uint32_t subject, Millis time_ms, const char *message_id, const char *key, const char *json)
{
    ProfileTrait trait = { str_from(key), str_from(json) };
    ProfileWrite write = { .time_ms = time_ms, .message_id = str_from(message_id), .position = 1 };
    Err err = { 0 };
    ProfileWriter writer = { .subject = subject };
    if (profile_set_traits(profile, &writer, &write, &trait, 1, &err)) fail_msg("%s", err.text);
}

static ProfileValues read_traits(const ProfileSubject *subjects, size_t count)
{
    struct profile_reader *reader;
    ProfileValues values;
    assert_int_equal(profile_begin_reading(profile, &reader, NULL), OK);
    assert_int_equal(profile_read_traits(reader, (ProfileSubjects){ subjects, count }, &arena, &values, NULL), OK);
    profile_end_reading(reader);
    return values;
}

static ProfileValues read_history(uint32_t subject, const char *key)
{
    struct profile_reader *reader;
    ProfileValues values;
    ProfileSubject one = { .subject = subject };
    assert_int_equal(profile_begin_reading(profile, &reader, NULL), OK);
    ProfileSubjects alone = { &one, 1 };
    assert_int_equal(profile_read_history(reader, alone, str_from(key), &arena, &values, NULL), OK);
    profile_end_reading(reader);
    return values;
}

/* "" where there is none. */
static Str value_of(uint32_t subject, const char *key)
{
    ProfileValues values = read_traits(&(ProfileSubject){ .subject = subject }, 1);
    for (size_t at = 0; at < values.count; at++)
        if (str_equal(values.items[at].key, str_from(key))) return values.items[at].json;
    return STR("");
}

#define assert_value(subject, key, json) assert_true(str_equal(value_of(subject, key), STR(json)))

/* ---- Rule 1 ---- */

static void the_last_write_by_event_time_wins_however_they_arrive(void **state)
{
    (void)state;
    set(7, 200, "b", "plan", "\"pro\"");
    set(7, 100, "a", "plan", "\"free\"");                     /* arrives later, happened earlier */
    assert_value(7, "plan", "\"pro\"");
    set(7, 200, "c", "plan", "\"team\"");                     /* the same instant: the greater messageId */
    assert_value(7, "plan", "\"team\"");
    set(7, 200, "a", "plan", "\"trial\"");
    assert_value(7, "plan", "\"team\"");
    set(7, -5, "z", "plan", "\"old\"");                       /* before 1970 */
    assert_value(7, "plan", "\"team\"");
    set(7, 200, "c", "plan", "\"team\"");                     /* once more */
    assert_int_equal(read_history(7, "plan").count, 5);
}

static void null_unsets_and_an_older_write_brings_nothing_back(void **state)
{
    (void)state;
    set(7, 100, "a", "plan", "\"pro\"");
    set(7, 200, "b", "plan", "null");
    assert_value(7, "plan", "");
    set(7, 150, "c", "plan", "\"free\"");
    assert_value(7, "plan", "");
    set(7, 201, "d", "plan", "\"team\"");
    assert_value(7, "plan", "\"team\"");
    assert_value(7, "Plan", "");                              /* keys differ by case */
    assert_value(8, "plan", "");                              /* another subject has nothing of it */
}

static void what_is_written_is_kept_byte_for_byte(void **state)
{
    static const char *const values[] = { "1.10", "123456789012345678901234567890", "\"\\u00e9\"", "[]", "{}", "false",
                                          "{\"b\":1,\"a\":[1,2]}", "0", "\"\"", "-0" };
    (void)state;
    for (size_t at = 0; at < countof(values); at++) {
        char key[16];
        snprintf(key, sizeof key, "k%zu", at);
        set(7, 1, "a", key, values[at]);
        assert_true(str_equal(value_of(7, key), str_from(values[at])));
    }
    set(7, 1, "a", "", "1");                                  /* a key of no letters, and one with any byte */
    set(7, 1, "a", "a.b\x01\xff", "2");
    assert_value(7, "", "1");
    assert_value(7, "a.b\x01\xff", "2");
}

/* ---- Rule 2 ---- */

static bool owns_before_150(void *context, uint32_t subject, Millis time_ms, Str message_id)
{
    (void)context, (void)subject, (void)message_id;
    return time_ms < 150;
}

static void people_who_become_one_have_the_last_write_of_both(void **state)
{
    (void)state;
    set(1, 100, "a", "plan", "\"free\"");
    set(1, 300, "b", "city", "\"Oslo\"");
    set(2, 200, "c", "plan", "\"pro\"");
    set(2, 250, "d", "city", "\"Rome\"");
    ProfileSubject both[] = { { .subject = 1 }, { .subject = 2 } }, other[] = { { .subject = 2 }, { .subject = 1 } };
    for (int way = 0; way < 2; way++) {
        ProfileValues values = read_traits(way ? both : other, 2);
        assert_int_equal(values.count, 2);
        assert_true(str_equal(values.items[0].key, STR("city")) && str_equal(values.items[0].json, STR("\"Oslo\"")));
        assert_true(str_equal(values.items[1].json, STR("\"pro\"")) && values.items[1].subject == 2);
    }
    assert_value(1, "plan", "\"free\"");                      /* and each alone is as before */
    ProfileSubject shared = { .subject = 1, .owns = owns_before_150 };
    ProfileValues values = read_traits(&shared, 1);
    assert_int_equal(values.count, 1);                        /* Oslo was somebody else's */
    assert_true(str_equal(values.items[0].key, STR("plan")));
    assert_int_equal(read_traits(NULL, 0).count, 0);
}

/* ---- Rule 3 ---- */

static void join(uint32_t subject, const char *group, Millis time_ms)
{
    ProfileWrite write = { .time_ms = time_ms, .message_id = STR("m"), .position = 1 };
    ProfileWriter writer = { .subject = subject, .member = { .high = subject % 3, .low = subject } };
    assert_int_equal(profile_join_group(profile, &writer, &write, str_from(group), NULL), OK);
}

static void a_groups_members_are_paged_in_an_order_that_lasts(void **state)
{
    (void)state;
    for (uint32_t subject = 1; subject <= 50; subject++) join(subject, "acme", subject), join(subject, "acme", 1);
    join(99, "acme2", 1);
    join(98, "acm", 1);
    struct profile_reader *reader;
    assert_int_equal(profile_begin_reading(profile, &reader, NULL), OK);
    bool is_found[100] = { false };
    Hash128 last = { 0 };
    size_t told = 0;
    ProfileMember members[7];
    ProfileMembers list = { .items = members, .max = 7 };
    do {
        const Hash128 *after = told ? &last : NULL;
        assert_int_equal(profile_list_group_members(reader, STR("acme"), after, &list, NULL), OK);
        for (size_t at = 0; at < list.count; at++) {
            bool is_after = members[at].member.high > last.high
                || (members[at].member.high == last.high && members[at].member.low > last.low);
            assert_true(is_after && !is_found[members[at].subject]);
            is_found[members[at].subject] = true;
            last = members[at].member;
        }
        told += list.count;
    } while (list.count == 7);
    assert_int_equal(told, 50);
    assert_int_equal(profile_list_group_members(reader, STR("nobody"), NULL, &list, NULL), OK);
    assert_int_equal(list.count, 0);
    profile_end_reading(reader);
}

static void a_group_that_no_call_named_is_not_there(void **state)
{
    struct profile_reader *reader;
    ProfileValues values;
    ProfileWrite write = { .time_ms = 1, .message_id = STR("m"), .position = 1 };
    ProfileTrait trait = { STR("size"), STR("5") };
    (void)state;
    assert_int_equal(profile_set_group_traits(profile, STR("acme"), &write, &trait, 1, NULL), OK);
    assert_int_equal(profile_begin_reading(profile, &reader, NULL), OK);
    assert_int_equal(profile_read_group(reader, STR("acme"), &arena, &values, NULL), OK);
    assert_int_equal(values.count, 1);
    assert_int_equal(profile_read_group(reader, STR("acm"), &arena, &values, NULL), ERR_NOT_FOUND);
    assert_int_equal(profile_read_group(reader, STR("acme2"), &arena, &values, NULL), ERR_NOT_FOUND);
    profile_end_reading(reader);
}

/* ---- Rule 4 ---- */

static void history_has_the_last_values_and_the_newest_first(void **state)
{
    (void)state;
    for (int at = 0; at < 3 * PROFILE_HISTORY; at++) {
        char json[16], id[16];
        snprintf(json, sizeof json, "%d", at);
        snprintf(id, sizeof id, "m%d", at);
        set(7, 1000 + at, id, "n", json);
    }
    ProfileValues history = read_history(7, "n");
    assert_int_equal(history.count, PROFILE_HISTORY);
    for (size_t at = 0; at < history.count; at++)
        assert_int_equal(history.items[at].time_ms, 1000 + 3 * PROFILE_HISTORY - 1 - (Millis)at);
    assert_value(7, "n", "47");
}

/* ---- Rule 6 ---- */

static size_t find(const char *text, size_t max, uint32_t *subjects)
{
    struct profile_reader *reader;
    size_t count;
    assert_int_equal(profile_begin_reading(profile, &reader, NULL), OK);
    assert_int_equal(profile_find_name(reader, str_from(text), max, subjects, &count, NULL), OK);
    profile_end_reading(reader);
    return count;
}

static void names_are_found_by_how_they_begin_in_any_case(void **state)
{
    static const struct { const char *text; size_t count; } rows[] = {
        { "ann", 2 }, { "ANN", 2 }, { "anna@", 1 }, { "anna@x.example", 1 }, { "anna@x.example1", 0 }, { "b", 1 },
        { "", 0 },
        { "nn", 0 }, { "\xc3\x89", 1 }, { "\xc3\xa9", 0 }, { "pro", 0 }, { "5", 0 },
    };
    uint32_t subjects[10];
    (void)state;
    set(1, 1, "a", "email", "\"Anna@x.example\"");
    set(1, 1, "a", "name", "\"ANNA\"");                       /* one subject, though by two names */
    set(2, 1, "a", "firstName", "\"Ann\"");
    set(3, 1, "a", "username", "\"Bo\"");
    set(4, 1, "a", "lastName", "\"\xc3\x89" "tienne\"");
    set(5, 1, "a", "plan", "\"pro\"");                        /* no name */
    set(6, 1, "a", "name", "5");                              /* no text */
    set(6, 1, "a", "email", "\"\"");
    for (size_t at = 0; at < countof(rows); at++)
        if (find(rows[at].text, 10, subjects) != rows[at].count) fail_msg("%s", rows[at].text);
    assert_int_equal(find("ann", 1, subjects), 1);
    assert_int_equal(find("ann", 0, subjects), 0);
    set(1, 2, "b", "email", "\"New@x.example\"");             /* an old name counts still */
    assert_int_equal(find("anna@", 10, subjects), 1);
    assert_int_equal(find("new@", 10, subjects), 1);
}

static void who_is_erased_is_found_by_no_name(void **state)
{
    uint32_t subjects[10];
    (void)state;
    set(1, 100, "a", "email", "\"anna@x.example\"");
    set(1, 200, "b", "name", "\"Anna\"");
    set(2, 100, "a", "name", "\"Anna\"");
    assert_int_equal(profile_erase(profile, 1, (Hash128){ 0 }, 150, INT64_MAX, NULL), OK);
    assert_value(1, "email", "\"anna@x.example\"");           /* what was before the span stays */
    assert_value(1, "name", "");
    assert_int_equal(find("anna", 10, subjects), 2);
    assert_int_equal(profile_erase(profile, 1, (Hash128){ 0 }, INT64_MIN, INT64_MAX, NULL), OK);
    assert_int_equal(find("anna", 10, subjects), 1);
    assert_int_equal(subjects[0], 2);
    assert_int_equal(read_history(1, "").count, 0);
    assert_value(2, "name", "\"Anna\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_last_write_by_event_time_wins_however_they_arrive),
        TEST(null_unsets_and_an_older_write_brings_nothing_back), TEST(what_is_written_is_kept_byte_for_byte),
        TEST(people_who_become_one_have_the_last_write_of_both),
        TEST(a_groups_members_are_paged_in_an_order_that_lasts), TEST(a_group_that_no_call_named_is_not_there),
        TEST(history_has_the_last_values_and_the_newest_first), TEST(names_are_found_by_how_they_begin_in_any_case),
        TEST(who_is_erased_is_found_by_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
