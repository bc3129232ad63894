/* live_counts: rings of minutes, a row for each source, type and fate: what a day forgets, and what has no row. */
#include "live/live_counts.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct live_counts *counts;
static const int64_t noon = 1000000;                         /* a minute since 1970 */

static int set_up(void **state)
{
    (void)state;
    counts = live_counts_open();
    counts->from_ms = (noon - MINUTES + 1) * MINUTE_MS;
    move_to(counts, noon);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    live_counts_close(counts);
    return 0;
}

static CountKey key_of(const char *source, EventType type, LiveFate fate)
{
    return (CountKey){ .source = str_from(source), .type = type, .fate = fate };
}

static void add_one(int64_t minute, const char *source)
{
    add(counts, key_of(source, EVENT_TRACK, LIVE_ACCEPTED), minute * MINUTE_MS + 59999, 1);
}

static uint32_t told(int64_t minute, const char *source)
{
    return count_at(find_row(counts, key_of(source, EVENT_TRACK, LIVE_ACCEPTED)), minute);
}

static void a_message_counts_in_the_minute_in_which_it_came(void **state)
{
    (void)state;
    add_one(noon, "web"), add_one(noon, "web"), add_one(noon - 1, "web"), add_one(noon, "app");
    assert_int_equal(told(noon, "web"), 2);
    assert_int_equal(told(noon - 1, "web"), 1);
    assert_int_equal(told(noon, "app"), 1);
    assert_int_equal(counts->count, 2);
    add(counts, key_of("web", EVENT_TRACK, LIVE_REPEATED), noon * MINUTE_MS, 7);
    add(counts, key_of("web", EVENT_PAGE, LIVE_ACCEPTED), noon * MINUTE_MS, 7);
    assert_int_equal(told(noon, "web"), 2);
    assert_int_equal(counts->count, 4);
}

static void what_is_a_day_old_is_forgotten_and_nothing_else(void **state)
{
    (void)state;
    for (int64_t minute = noon - MINUTES + 1; minute <= noon; minute++) add_one(minute, "web");
    for (int64_t minute = noon - MINUTES + 1; minute <= noon; minute++) assert_int_equal(told(minute, "web"), 1);
    add_one(noon + 10, "web");
    for (int64_t minute = noon - MINUTES + 11; minute <= noon; minute++) assert_int_equal(told(minute, "web"), 1);
    for (int64_t minute = noon + 1; minute < noon + 10; minute++) assert_int_equal(told(minute, "web"), 0);
    assert_int_equal(told(noon + 10, "web"), 1);
    add_one(noon - MINUTES + 10, "web");                     /* older than the ring: counted nowhere */
    assert_int_equal(told(noon + 10, "web"), 1);
    add_one(noon + 1000 * MINUTES, "web");                   /* a clock that jumped: one look at each place, no more */
    assert_int_equal(told(noon + 1000 * MINUTES, "web"), 1);
    uint64_t sum = 0;
    for (int at = 0; at < MINUTES; at++) sum += counts->rows[0]->counts[at];
    assert_int_equal(sum, 1);
}

static void nothing_counts_from_before_counting_began(void **state)
{
    (void)state;
    counts->from_ms = noon * MINUTE_MS;
    add_one(noon - 1, "web");
    live_counts_note(counts, STR("web"), EVENT_TRACK, 5, (noon - 1) * MINUTE_MS);
    assert_int_equal(counts->count, 0);
    live_counts_note(counts, STR("web"), EVENT_TRACK, 5, noon * MINUTE_MS);
    assert_int_equal(count_at(find_row(counts, key_of("web", EVENT_TRACK, LIVE_SUPPRESSED)), noon), 5);
}

static void what_has_no_row_is_counted_in_one_that_names_none(void **state)
{
    char name[16];
    (void)state;
    for (int at = 0; at < LIVE_COUNT_ROWS + 100; at++) {
        snprintf(name, sizeof name, "source-%d", at);
        add_one(noon, name);
    }
    assert_int_equal(counts->count, LIVE_COUNT_ROWS + 1);
    assert_true(counts->rows[LIVE_COUNT_ROWS]->is_rest);
    assert_int_equal(count_at(counts->rows[LIVE_COUNT_ROWS], noon), 100);
    add_one(noon, "source-7");
    assert_int_equal(told(noon, "source-7"), 2);             /* who had a row before keeps it */
}

static void what_is_rejected_is_counted_by_its_reason(void **state)
{
    CountKey key = key_of("web", EVENT_TRACK, LIVE_REJECTED);
    char longer[REASON_BYTES + 10], room[8] = "no_name";
    struct buf out;
    (void)state;
    key.reason = str_of(room, 7);
    add(counts, key, noon * MINUTE_MS, 2);
    memset(room, 'x', 7);                                    /* the row keeps its own copy */
    key.reason = STR("plan_wrong_type");
    add(counts, key, noon * MINUTE_MS, 1);
    memset(longer, 'y', sizeof longer);
    key.reason = str_of(longer, sizeof longer);
    add(counts, key, noon * MINUTE_MS, 1), add(counts, key, noon * MINUTE_MS, 1);
    assert_int_equal(counts->count, 3);
    buf_init(&out, 4096);
    json_array(&out, NULL);
    put_row(counts, counts->rows[0], noon, &out), put_row(counts, counts->rows[1], noon, &out);
    json_array_end(&out);
    buf_char(&out, 0);
    assert_string_equal(out.bytes,
                        "[{\"source\":\"web\",\"type\":\"track\",\"fate\":\"rejected\",\"reason\":\"no_name\","
                        "\"counts\":[2]},{\"source\":\"web\",\"type\":\"track\",\"fate\":\"rejected\","
                        "\"reason\":\"plan_wrong_type\",\"counts\":[1]}]");
    buf_done(&out);
}

static void a_row_is_told_from_the_first_minute_asked_for(void **state)
{
    struct buf out;
    (void)state;
    add_one(noon - 2, "we\"b"), add_one(noon, "we\"b");
    buf_init(&out, 4096);
    json_array(&out, NULL);
    put_row(counts, counts->rows[0], noon - 3, &out);
    put_row(counts, counts->rows[0], noon, &out);
    json_array_end(&out);
    buf_char(&out, 0);
    assert_string_equal(out.bytes,
                        "[{\"source\":\"we\\\"b\",\"type\":\"track\",\"fate\":\"accepted\",\"counts\":[0,1,0,1]},"
                        "{\"source\":\"we\\\"b\",\"type\":\"track\",\"fate\":\"accepted\",\"counts\":[1]}]");
    buf_clear(&out);
    put_row(counts, counts->rows[0], noon + 1, &out);        /* nothing came since: it is not told */
    assert_int_equal(out.len, 0);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_counts_in_the_minute_in_which_it_came, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_rejected_is_counted_by_its_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_a_day_old_is_forgotten_and_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_counts_from_before_counting_began, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_no_row_is_counted_in_one_that_names_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_is_told_from_the_first_minute_asked_for, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
