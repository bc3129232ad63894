/* derive_latest: the last write of each person's traits, in any order of writing; and an end that is said. */
#include "derive/derive_latest.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>


static ProfileValue value(Millis time_ms, const char *message_id, const char *json)
{
    return (ProfileValue){ .time_ms = time_ms, .message_id = str_from(message_id), .json = str_from(json) };
}

static void the_last_write_lasts_in_any_order(void **state)
{
    static const struct { Millis time_ms; const char *id, *json; } writes[] = {
        { 1, "z", "\"early\"" }, { 5, "a", "1" }, { 5, "b", "2" }, { 5, "b", "3" }, { 4, "zz", "null" },
    };
    (void)state;
    for (size_t first = 0; first < countof(writes); first++) {
        struct latest_table table;
        assert_true(latest_open(&table, 1 << 20));
        for (size_t at = 0; at < countof(writes); at++) {
            size_t number = (first + at) % countof(writes);
            ProfileValue one = value(writes[number].time_ms, writes[number].id, writes[number].json);
            assert_true(latest_put(&table, 7, STR("plan"), &one));
        }
        assert_int_equal(table.count, 1);
        assert_true(str_equal(latest_json(&table, latest_find(&table, 7, STR("plan"))), STR("3")));
        assert_null(latest_find(&table, 7, STR("plans")));
        assert_null(latest_find(&table, 8, STR("plan")));
        latest_close(&table);
    }
}

static void many_people_and_names_are_kept_apart(void **state)
{
    enum { PEOPLE = 3000, NAMES = 5 };
    struct latest_table table;
    char name[16], json[32];
    (void)state;
    assert_true(latest_open(&table, 16 << 20));
    for (int round = 0; round < 2; round++)
        for (uint32_t person = 0; person < PEOPLE; person++)
            for (uint32_t at = 0; at < NAMES; at++) {
                snprintf(name, sizeof name, at ? "name%u" : "", at);
                snprintf(json, sizeof json, "%u%u", person, at);
                ProfileValue one = value(round, "m", json);
                assert_true(latest_put(&table, person, str_from(name), &one));
            }
    assert_int_equal(table.count, PEOPLE * NAMES);
    for (uint32_t person = 0; person < PEOPLE; person++)
        for (uint32_t at = 0; at < NAMES; at++) {
            snprintf(name, sizeof name, at ? "name%u" : "", at);
            snprintf(json, sizeof json, "%u%u", person, at);
            const struct latest *row = latest_find(&table, person, str_from(name));
            assert_non_null(row);
            assert_true(str_equal(latest_key(&table, row), str_from(name)));
            assert_true(str_equal(latest_json(&table, row), str_from(json)));
        }
    latest_close(&table);
}

/* Whatever it may use: it has all, or it is full, and what it has is right. */
static void its_end_is_said(void **state)
{
    (void)state;
    for (size_t bytes = 1; bytes < 1 << 20; bytes += bytes / 3 + 1) {
        struct latest_table table;
        bool is_open = latest_open(&table, bytes), is_taken = is_open;
        uint32_t taken = 0;
        char json[64];
        for (; is_taken && taken < 4000; taken += is_taken) {
            snprintf(json, sizeof json, "\"a text that is somewhat long %u\"", taken);
            ProfileValue one = value(1, "m", json);
            is_taken = latest_put(&table, taken, STR("plan"), &one);
        }
        assert_true(table.is_full == (taken < 4000));
        assert_int_equal(table.count, taken);
        assert_true(table.texts.len <= bytes);
        for (uint32_t at = 0; at < taken; at++) {
            snprintf(json, sizeof json, "\"a text that is somewhat long %u\"", at);
            assert_true(str_equal(latest_json(&table, latest_find(&table, at, STR("plan"))), str_from(json)));
        }
        ProfileValue one = value(9, "m", "1");
        if (table.is_full) assert_false(latest_put(&table, 0, STR("plan"), &one));
        latest_close(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_write_lasts_in_any_order),
        cmocka_unit_test(many_people_and_names_are_kept_apart),
        cmocka_unit_test(its_end_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
