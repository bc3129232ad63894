/* instant: the short way to read the usual text and the long one agree on every day, and on those that are none. */
#include "base/instant.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void every_day_of_every_month_is_read_alike_in_both_shapes(void **state)
{
    static const unsigned years[] = { 1, 1900, 1970, 1999, 2000, 2023, 2024, 2026, 2100, 9999 };
    (void)state;
    for (size_t at = 0; at < countof(years); at++)
        for (unsigned month = 0; month <= 13; month++)
            for (unsigned day = 0; day <= 32; day++) {
                char usual[40], other[40];
                int64_t usual_ms = 0, other_ms = 0;
                snprintf(usual, sizeof usual, "%04u-%02u-%02uT12:34:56.789Z", years[at], month, day);
                snprintf(other, sizeof other, "%04u-%02u-%02uT12:34:56.789+00:00", years[at], month, day);
                bool is_usual = instant_parse(str_from(usual), &usual_ms);
                bool is_other = instant_parse(str_from(other), &other_ms);
                if (is_usual != is_other || usual_ms != other_ms) fail_msg("%s", usual);
                char written[INSTANT_TEXT_BYTES + 1] = { 0 };
                if (!is_usual) continue;
                instant_write(usual_ms, written);
                assert_string_equal(written, usual);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_day_of_every_month_is_read_alike_in_both_shapes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
