/* faults: letters of one kind are one line, whatever ids stand in them. */
#include "faults/faults.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct error_kinds kinds;

static int set_up(void **state)
{
    (void)state;
    memset(&kinds, 0, sizeof kinds);
    region_open(&kinds.region, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    region_close(&kinds.region);
    return 0;
}

static void put(uint64_t number, const char *json)
{
    DeadLetter letter = { number, str_from(json) };
    assert_true(note_letter(&kinds, &letter));
}

static void kinds_are_told_by_status_and_by_reason_without_its_numbers(void **state)
{
    (void)state;
    put(1, "{\"reason\":\"422: user 4711 is odd\",\"answer\":{\"status\":422},"
           "\"died_at\":\"2026-11-01T10:00:00.000Z\"}");
    put(2, "{\"reason\":\"422: user x-9 is odd\",\"answer\":{\"status\":422},"
           "\"died_at\":\"2026-11-02T10:00:00.000Z\"}");
    put(3, "{\"reason\":\"422: user 5 is odd\",\"answer\":{\"status\":400}}");
    put(4, "{\"reason\":\"no route\"}");
    put(5, "rubbish");
    assert_int_equal(kinds.count, 3);
    assert_int_equal(kinds.letters, 5);
    assert_string_equal(kinds.items[0].reason, "# user # is odd");
    assert_int_equal(kinds.items[0].count, 2);
    assert_int_equal(kinds.items[0].newest, 2);
    assert_int_equal(kinds.items[0].last_ms - kinds.items[0].first_ms, DAY_MS);
    assert_int_equal(kinds.items[2].status, 0);
}

static void there_is_an_end_of_kinds_and_of_a_reason(void **state)
{
    char json[2048], word[1024];
    (void)state;
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = 0;
    for (int at = 0; at < ERROR_KINDS + 9; at++) {
        snprintf(json, sizeof json, "{\"reason\":\"%s\",\"answer\":{\"status\":%d}}", word, 100 + at);
        put((uint64_t)at + 1, json);
    }
    assert_int_equal(kinds.count, ERROR_KINDS);
    assert_int_equal(kinds.others, 9);
    assert_int_equal(strlen(kinds.items[0].reason), REASON_BYTES);
}

static void every_status_has_words(void **state)
{
    static const int64_t statuses[] = { 0, 200, 302, 400, 401, 403, 404, 408, 413, 422, 429, 500, 503, 999 };
    (void)state;
    for (size_t at = 0; at < countof(statuses); at++) assert_true(strlen(describe(statuses[at])) > 10);
    assert_non_null(strstr(describe(401), "key"));
    assert_non_null(strstr(describe(422), "message"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(kinds_are_told_by_status_and_by_reason_without_its_numbers), T(there_is_an_end_of_kinds_and_of_a_reason),
        T(every_status_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
