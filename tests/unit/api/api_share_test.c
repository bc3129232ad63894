/* api_share: who floods, and who does not. */
#include "api/api_share.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define S INT64_C(1000000000)

static void who_sends_little_beside_a_flood_is_light(void **state)
{
    static const struct {
        struct { const char *source; size_t bytes; } sent[4];
        const char *who;
        bool is_light;
    } rows[] = {
        { { { "a", 1000000 } }, "a", false },                       /* alone: nobody to make room for */
        { { { "a", 1000000 } }, "b", true },                        /* who has not sent anything yet */
        { { { "a", 1000000 }, { "b", 1000 } }, "b", true },
        { { { "a", 1000000 }, { "b", 1000 } }, "a", false },
        { { { "a", 1000000 }, { "b", 1000000 } }, "a", false },     /* all flood alike: nobody goes before */
        { { { "a", 1000000 }, { "b", 1000000 } }, "b", false },
        { { { "a", 1000000 }, { "b", 1000000 } }, "c", true },
        { { { "a", 750 }, { "b", 250 } }, "b", false },             /* half of an equal part is not less than it */
        { { { "a", 751 }, { "b", 249 } }, "b", true },
        { { { "a", 600 }, { "b", 300 }, { "c", 100 } }, "c", true },
        { { { "a", 600 }, { "b", 300 }, { "c", 100 } }, "b", false },
        { { { "", 1000000 }, { "b", 10 } }, "", false },            /* unknown keys are one source */
        { { { "", 1000000 }, { "b", 10 } }, "b", true },
        { { { "a", 0 } }, "b", false },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        ApiShares shares = { 0 };
        for (size_t sent = 0; sent < countof(rows[at].sent) && rows[at].sent[sent].source; sent++)
            share_note(&shares, str_from(rows[at].sent[sent].source), rows[at].sent[sent].bytes, S);
        if (share_is_light(&shares, str_from(rows[at].who), S + 1) != rows[at].is_light)
            fail_msg("row %zu: %s", at, rows[at].who);
    }
}

static void what_was_long_ago_does_not_count(void **state)
{
    ApiShares shares = { 0 };
    (void)state;
    share_note(&shares, STR("a"), 1000000, 10 * S);
    share_note(&shares, STR("b"), 1000, 10 * S);
    assert_false(share_is_light(&shares, STR("a"), 10 * S + S / 2));
    assert_false(share_is_light(&shares, STR("a"), 11 * S + S / 2));            /* the window before counts */
    share_note(&shares, STR("b"), 1000000, 11 * S + S / 2);
    assert_false(share_is_light(&shares, STR("b"), 11 * S + S / 2));
    assert_true(share_is_light(&shares, STR("a"), 12 * S + S / 2));             /* a's is over now, b's goes on */
    assert_false(share_is_light(&shares, STR("b"), 100 * S));
    share_note(&shares, STR("a"), 1000, 200 * S);
    assert_true(share_is_light(&shares, STR("b"), 200 * S));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_sends_little_beside_a_flood_is_light),
        cmocka_unit_test(what_was_long_ago_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
