/* unseen: what nobody sees is told; what joins a picture or a script is not. */
#include "base/unseen.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

/* How many characters of the text cannot be seen. */
static int count_unseen(const char *text)
{
    struct unseen state = { 0 };
    int count = 0;
    Str rest = str_from(text);
    for (size_t bytes; rest.len; rest = str_slice(rest, bytes, rest.len))
        count += unseen_next(&state, point_decode(rest, &bytes));
    return count;
}

static void what_nobody_sees_is_told(void **state)
{
    static const struct { const char *text; int unseen; } rows[] = {
        { "Kim", 0 }, { "Käthe Müller 名前", 0 }, { "a\u00a0b\u3000c", 0 },
        { "soft\u00adhyphen", 1 }, { "\u3164", 1 }, { "\uffa0\u115f\u1160", 3 }, { "a\u2800", 1 }, { "\u180e", 1 },
        { "\ufff9a\ufffab\ufffb", 3 }, { "x\u2061\u2062\u2063\u2064", 4 }, { "\U000e0041\U000e007f", 2 },
        { "a\ufe0f", 1 }, { "a\U000e0100", 1 }, { "a\u200db", 1 }, { "a\u202eb\u2066c\u2069", 3 }, { "\ufeffa", 1 },
        { "\U0001f468\u200d\U0001f469\u200d\U0001f467", 0 },            /* a family */
        { "\u2764\ufe0f\u200d\U0001f525", 0 },                          /* a heart on fire */
        { "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", 0 },      /* Persian */
        { "\U0001f600\u200d\u200d\u200d\u200d", 2 }, { "\u3164\u200d", 2 }, { " \u200d", 1 }, { "\xe2\x80\u200d", 1 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++)
        if (count_unseen(rows[at].text) != rows[at].unseen)
            fail_msg("row %zu: %d for %d", at, count_unseen(rows[at].text), rows[at].unseen);
}

static void bytes_that_are_no_character_are_none(void **state)
{
    static const char *const rows[] = { "\x80", "\xc0\x80", "\xe2\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff" };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        size_t bytes = 0;
        assert_int_equal(point_decode(str_from(rows[at]), &bytes), POINT_NONE);
        assert_int_equal(bytes, 1);
    }
    for (uint32_t point = 0; point < 0x110000; point++)          /* no point is two kinds of nothing */
        assert_true(point_is_unseen(point) + point_is_blank(point) + (point_is_control(point) && point != 0x85) <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_sees_is_told),
        cmocka_unit_test(bytes_that_are_no_character_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
