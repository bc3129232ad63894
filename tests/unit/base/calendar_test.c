/* calendar: every day of eleven thousand years, counted one by one, and libc's own opinion. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

static unsigned days_in(int64_t year, unsigned month)
{
    static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return days[month - 1] + (month == 2 && calendar_is_leap(year));
}

static void days_follow_each_other_and_have_one_date_each(void **state)
{
    int64_t number = calendar_day_of(-801, 1, 1), count = 0;
    unsigned weekday = calendar_weekday(number);
    (void)state;
    for (int64_t year = -801; year <= 10200; year++)
        for (unsigned month = 1; month <= 12; month++)
            for (unsigned day = 1; day <= days_in(year, month); day++, number++, count++) {
                CalendarDate date = calendar_date_of(number);
                if (date.year != year || date.month != month || date.day != day
                    || calendar_day_of(year, month, day) != number || calendar_weekday(number) != weekday)
                    fail_msg("%" PRIi64 "-%u-%u", year, month, day);
                weekday = weekday == 6 ? 0 : weekday + 1;
            }
    assert_int_equal(count, INT64_C(146097) * 11002 / 400 + 1);      /* 27.5 eras: 97 leap days each */
    assert_int_equal(calendar_day_of(1970, 1, 1), 0);
    assert_int_equal(calendar_weekday(0), 4);                        /* a Thursday */
}

static void leap_years_are_every_fourth_but_three_centuries(void **state)
{
    static const struct { int64_t year; bool is_leap; } rows[] = {
        { 2024, true }, { 2023, false }, { 1900, false }, { 2000, true }, { 2100, false }, { 2400, true }, { 4, true },
        { 0, true }, { -1, false }, { -4, true }, { -100, false }, { -400, true },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) assert_int_equal(calendar_is_leap(rows[at].year), rows[at].is_leap);
}

static void division_rounds_down_on_both_sides_of_zero(void **state)
{
    static const struct { int64_t value, by, floor; } rows[] = {
        { 0, DAY_MS, 0 }, { DAY_MS - 1, DAY_MS, 0 }, { DAY_MS, DAY_MS, 1 }, { -1, DAY_MS, -1 },
        { -DAY_MS, DAY_MS, -1 }, { -DAY_MS - 1, DAY_MS, -2 }, { INT64_MIN, 1, INT64_MIN }, { INT64_MAX, 1, INT64_MAX },
        { INT64_MIN, INT64_MAX, -2 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++)
        assert_int_equal(calendar_floor(rows[at].value, rows[at].by), rows[at].floor);
    assert_int_equal(DAY_MS, 86400000);
}

/* RFC 9110, 5.6.7, and what libc prints of many instants. */
static void a_header_has_the_date_that_libc_prints(void **state)
{
    (void)state;
    srand(7);
    for (int at = 0; at < 20000; at++) {
        int64_t at_ms = at == 0 ? 784111777000 : at == 1 ? 0 : at == 2 ? -1 : at == 3 ? 253402300799999
                      : (int64_t)rand() * 100000 + rand() - INT64_C(62000000000000);
        char text[INSTANT_HTTP_BYTES + 1] = { 0 }, expected[40];
        time_t seconds = (time_t)calendar_floor(at_ms, SECOND_MS);
        struct tm parts;
        assert_non_null(gmtime_r(&seconds, &parts));
        strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        instant_write_http(at_ms, text);
        if (parts.tm_year + 1900 >= 1000) assert_string_equal(text, expected);
        int64_t back_ms;
        if (parts.tm_year + 1900 < 1000) continue;                   /* libc pads no year */
        assert_int_equal(instant_read(str_from(text), &back_ms), INSTANT_READ);
        assert_int_equal(back_ms, seconds * SECOND_MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_follow_each_other_and_have_one_date_each),
        cmocka_unit_test(leap_years_are_every_fourth_but_three_centuries),
        cmocka_unit_test(division_rounds_down_on_both_sides_of_zero),
        cmocka_unit_test(a_header_has_the_date_that_libc_prints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
