/* demo_data: its edges. What it makes is held against Onym's answers by tests/answers/made_up.py. */
#include "demo/demo_data.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const Millis end_ms = 20000 * DAY_MS;

static struct demo_data *make(uint64_t seed, uint32_t users, uint32_t days)
{
    DemoDataOptions options = { seed, users, days, end_ms, STR("site"), STR("server") };
    struct demo_data *data;
    Err err;
    assert_int_equal(demo_data_open(&options, &data, &err), OK);
    return data;
}

static void all_of_it_lies_in_its_days_at_instants_of_their_own(void **state)
{
    (void)state;
    static const struct { uint32_t users, days; } sizes[] = {
        { 1, 14 }, { 1, 90 }, { 7, 15 }, { 300, 30 }, { 10000, 90 },
    };
    for (size_t at = 0; at < countof(sizes); at++) {
        struct demo_data *data = make(at, sizes[at].users, sizes[at].days);
        Millis before_ms = end_ms - sizes[at].days * DAY_MS - 1;
        for (uint32_t one = 0; one < data->happening_count; one++) {
            assert_true(data->happenings[one].at_ms > before_ms);
            before_ms = data->happenings[one].at_ms;
        }
        assert_true(before_ms < end_ms);
        demo_data_close(data);
    }
}

static void every_line_is_small_and_says_the_same_twice(void **state)
{
    (void)state;
    struct demo_data *data = make(5, 50, 20), *again = make(5, 50, 20);
    struct buf line, same;
    buf_init(&line, LIMIT_MESSAGE_BYTES);
    buf_init(&same, LIMIT_MESSAGE_BYTES);
    assert_int_equal(demo_data_count(data), demo_data_count(again));
    for (uint64_t number = 0; number < demo_data_count(data); number++) {
        buf_clear(&line), buf_clear(&same);
        demo_data_write_message(data, number, &line);
        demo_data_write_message(again, number, &same);
        assert_true(buf_ok(&line) && line.len < 2048);
        assert_true(str_equal(buf_str(&line), buf_str(&same)));
    }
    buf_done(&line), buf_done(&same);
    demo_data_close(data), demo_data_close(again);
}

static void what_is_out_of_range_is_refused_with_its_range(void **state)
{
    (void)state;
    static const struct { uint32_t users, days; Millis end_ms; const char *says; } wrong[] = {
        { 0, 30, 20000 * DAY_MS, "1 to 10000 users" }, { 10001, 30, 20000 * DAY_MS, "1 to 10000 users" },
        { 10, 13, 20000 * DAY_MS, "14 to 90 days" }, { 10, 91, 20000 * DAY_MS, "14 to 90 days" },
        { 10, 30, 20000 * DAY_MS + 1, "beginning of a day" }, { 10, 30, 0, "beginning of a day" },
        { 10, 30, -DAY_MS, "beginning of a day" },
    };
    for (size_t at = 0; at < countof(wrong); at++) {
        DemoDataOptions options = { 1, wrong[at].users, wrong[at].days, wrong[at].end_ms, STR("a"), STR("b") };
        struct demo_data *data;
        Err err;
        assert_int_equal(demo_data_open(&options, &data, &err), ERR_INPUT);
        assert_non_null(strstr(err.text, wrong[at].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_lies_in_its_days_at_instants_of_their_own),
        cmocka_unit_test(every_line_is_small_and_says_the_same_twice),
        cmocka_unit_test(what_is_out_of_range_is_refused_with_its_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
