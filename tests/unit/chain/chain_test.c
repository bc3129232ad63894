/* chain: one person with very many events at one instant, of a few kinds in turns. What is looked at is counted: so
 * many times as there are events, not their square. That the answers are right is tests/model/funnel_chain_test.c. */
#include "chain/chain_instant.h"

static unsigned long looks;
#define group_far(rules, group, step, skip) (looks += (group)->count + 1, group_far(rules, group, step, skip))
#define group_read(rules, hits, first, end, group) \
    (looks += (end) - (first), group_read(rules, hits, first, end, group))
#define group_place(rules, group, hit) (looks++, group_place(rules, group, hit))
#include "chain/chain.c"
#include "chain/chain_order.c"
#undef group_far
#undef group_read
#undef group_place

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { EVENTS = 20000, LOOKS_AN_EVENT = 60 };

static atomic_bool lacks_memory;

static void many_events_of_one_instant_are_looked_at_a_few_times_each(void **state)
{
    static const struct { ChainOrder order; bool has_within; uint32_t exclusions; } rows[] = {
        { ORDER_LOOSE, false, 0 }, { ORDER_LOOSE, false, 1 }, { ORDER_LOOSE, true, 0 }, { ORDER_STRICT, false, 0 },
        { ORDER_STRICT, true, 0 }, { ORDER_ANY, false, 0 },
    };
    static const uint32_t turns[][4] = {
        { 3, 3, 3, 3 }, { 1, 3, 1, 3 }, { 1, 2, 5, 7 }, { 7, 1, 3, 5 }, { 1, 1, 1, 1 },
    };
    struct region region;
    (void)state;
    region_open(&region, 256 << 20);
    for (size_t row = 0; row < countof(rows); row++)
        for (size_t turn = 0; turn < countof(turns); turn++)
            for (int is_spread = 0; is_spread < 2; is_spread++) {
                Arena arena = region_arena(&region);
                Hit *hits = arena_new(&arena, Hit, EVENTS);
                ChainRules rules = { .order = rows[row].order, .has_within = rows[row].has_within, .step_count = 3,
                                     .window_ms = 1000, .within_ms = { INT64_MAX, 500, 500 },
                                     .lacks_memory = &lacks_memory, .exclusion_count = rows[row].exclusions,
                                     .exclusions = { { 0, 2 } } };
                Hits all = { hits, EVENTS, 0, true };
                Chain chain;
                for (uint32_t at = 0; at < EVENTS; at++) {
                    hits[at] = (Hit){ .time_ms = is_spread ? at / (EVENTS / 4) : 5, .steps = turns[turn][at % 4],
                                      .group = at % 3 };
                    all.steps |= hits[at].steps;
                }
                looks = 0;
                chain_find(&rules, &all, arena, &chain);
                if (looks > (unsigned long)EVENTS * LOOKS_AN_EVENT)
                    fail_msg("order %d, row %zu, turns %zu, %d: %lu looks an event", (int)rows[row].order, row, turn,
                             is_spread, looks / EVENTS);
                assert_int_equal(chain.depth, all.steps == 1 ? 1 : all.steps == 3 ? 2 : 3);
            }
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_events_of_one_instant_are_looked_at_a_few_times_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
