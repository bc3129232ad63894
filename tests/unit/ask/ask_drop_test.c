/* ask_drop: why somebody got no further, by what they did. Steps are A and B within an hour. */
#include "ask/ask_drop.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { A = 1, B = 2, C = 4, X = 8 };         /* X: an exclusion */

typedef struct Did { int minute; uint32_t what; } Did;

static Drop drop_of(const ChainRules *rules, const Did *did, size_t count)
{
    static char room[1 << 20];
    Hit hits[16] = { 0 };
    Chain chain;
    Drop drop;
    uint32_t steps = 0;
    for (size_t at = 0; at < count; at++) {
        hits[at] = (Hit){ .time_ms = did[at].minute * MINUTE_MS, .steps = did[at].what };
        steps |= did[at].what;
    }
    Hits all = { .hits = hits, .count = (uint32_t)count, .steps = steps };
    chain_find(rules, &all, (Arena){ room, room + sizeof room }, &chain);
    ask_find_drop(rules, &all, &chain, &drop);
    return drop;
}

static void each_reason_has_its_own_word(void **state)
{
    static const struct {
        Did did[6];
        size_t count;
        DropWhy why;
        int minute, over;
        bool is_strict, has_own, excludes;
    } rows[] = {
        { { { 0, A }, { 5, B }, { 6, C } }, 3, DROP_NONE, 0, 0, false, false, false },
        { { { 0, A } }, 1, DROP_NEVER, 0, 0, false, false, false },
        { { { 0, B }, { 5, A } }, 2, DROP_BEFORE, 0, 0, false, false, false },
        { { { 0, B }, { 3, B }, { 5, A } }, 3, DROP_BEFORE, 3, 0, false, false, false },
        { { { 0, A }, { 61, B } }, 2, DROP_TOO_LATE, 61, 1, false, false, false },
        { { { 0, B }, { 10, A }, { 90, B }, { 99, B } }, 4, DROP_TOO_LATE, 90, 20, false, false, false },
        { { { 0, A }, { 5, B }, { 70, C } }, 3, DROP_TOO_LATE, 70, 10, false, false, false },
        { { { 0, A }, { 30, B } }, 2, DROP_STEP_TOO_LATE, 30, 10, false, true, false },
        { { { 0, A }, { 3, X }, { 5, B } }, 3, DROP_EXCLUDED, 5, 0, false, false, true },
        { { { 0, A }, { 3, X }, { 5, B } }, 3, DROP_BETWEEN, 5, 0, true, false, false },
        { { { 0, B }, { 1, C } }, 2, DROP_NONE, 0, 0, false, false, false },      /* no entry: nobody dropped */
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        ChainRules rules = { .order = rows[at].is_strict ? ORDER_STRICT : ORDER_LOOSE, .step_count = 3,
                             .window_ms = HOUR_MS, .has_within = rows[at].has_own };
        rules.within_ms[0] = rules.within_ms[2] = INT64_MAX;
        rules.within_ms[1] = 20 * MINUTE_MS;
        if (rows[at].excludes) rules.exclusion_count = 1, rules.exclusions[0].from = 0, rules.exclusions[0].to = 1;
        Drop drop = drop_of(&rules, rows[at].did, rows[at].count);
        if (drop.why != rows[at].why || drop.at_ms != rows[at].minute * MINUTE_MS
            || drop.over_ms != rows[at].over * MINUTE_MS)
            fail_msg("row %zu: %d, at %lld, %lld ms", at, (int)drop.why, (long long)drop.at_ms,
                     (long long)drop.over_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_reason_has_its_own_word) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
