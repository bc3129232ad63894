/* The funnel's inner step against its definition: every chain of events, tried one by one. */
#include "chain/chain.c"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { HITS_MAX = 9 };

/* ---- The reference: chain.h's definition, word for word ---- */

struct model {
    const ChainRules *rules;
    const Hit *hits;
    uint32_t count, entry, depth;
    uint32_t chain[CHAIN_STEPS_MAX];
    /* by step: the earliest time at which it is reached from the entry */
    Millis first_ms[CHAIN_STEPS_MAX];
};

static bool model_is_chain(const struct model *model, uint32_t len)
{
    const ChainRules *rules = model->rules;
    const Hit *hits = model->hits;
    for (uint32_t at = 0; at < len; at++) {
        if (!(hits[model->chain[at]].steps >> at & 1)) return false;
        if (at && hits[model->chain[at]].time_ms < hits[model->chain[at - 1]].time_ms) return false;
        for (uint32_t before = 0; before < at; before++)
            if (model->chain[before] == model->chain[at]) return false;
    }
    if (hits[model->chain[len - 1]].time_ms - hits[model->chain[0]].time_ms > rules->window_ms) return false;
    for (uint32_t exclusion = 0; exclusion < rules->exclusion_count; exclusion++) {
        uint32_t from = rules->exclusions[exclusion].from, to = rules->exclusions[exclusion].to;
        if (from >= len) continue;
        if (to >= len) to = len - 1;
        for (uint32_t at = 0; at < model->count; at++)
            if (hits[at].steps >> (rules->step_count + exclusion) & 1
                && hits[at].time_ms > hits[model->chain[from]].time_ms
                    && hits[at].time_ms < hits[model->chain[to]].time_ms)
                return false;
    }
    return true;
}

static void model_extend(struct model *model, uint32_t len)
{
    if (!model_is_chain(model, len)) return;
    Millis last_ms = model->hits[model->chain[len - 1]].time_ms;
    if (len > model->depth) model->depth = len, model->first_ms[len - 1] = last_ms;
    if (last_ms < model->first_ms[len - 1]) model->first_ms[len - 1] = last_ms;
    for (uint32_t at = 0; at < model->count && len < model->rules->step_count; at++) {
        model->chain[len] = at;
        model_extend(model, len + 1);
    }
}

static void model_run(struct model *model, uint32_t entry)
{
    model->entry = model->chain[0] = entry;
    model->depth = 0;
    if (model->hits[entry].steps & 1) model_extend(model, 1);
}

/* ---- Random histories ---- */

static int compare_hits(const void *a, const void *b)
{
    return chain_hit_is_before(a, b) ? -1 : chain_hit_is_before(b, a);
}

static uint32_t make_history(struct fake_dice *dice, ChainRules *rules, Hit *hits)
{
    uint32_t count = (uint32_t)fake_dice_below(dice, HITS_MAX + 1), span
        = 1 + (uint32_t)fake_dice_below(dice, 12);
    *rules = (ChainRules){ .step_count = 1 + (uint32_t)fake_dice_below(dice, 4),
                           .exclusion_count = fake_dice_chance(dice, 500) ? 0
                               : 1 + (uint32_t)fake_dice_below(dice, 2),
                           .window_ms = (Millis)fake_dice_below(dice, span + 1) };
    if (rules->step_count < 2) rules->exclusion_count = 0;
    for (uint32_t at = 0; at < rules->exclusion_count; at++) {
        rules->exclusions[at].from = (uint32_t)fake_dice_below(dice, rules->step_count - 1);
        rules->exclusions[at].to = rules->exclusions[at].from + 1
            + (uint32_t)fake_dice_below(dice, rules->step_count - 1 - rules->exclusions[at].from);
    }
    bool has_overlaps = fake_dice_chance(dice, 500);
    uint32_t bits = rules->step_count + rules->exclusion_count;
    for (uint32_t at = 0; at < count; at++) {
        hits[at]
            = (Hit){ .time_ms = (Millis)fake_dice_below(dice, span), .group
                     = (uint32_t)fake_dice_below(dice, 3),
                          .steps = 1u << fake_dice_below(dice, bits) };
        if (has_overlaps) hits[at].steps |= (uint32_t)fake_dice_below(dice, 1u << bits);
    }
    qsort(hits, count, sizeof *hits, compare_hits);
    return count;
}

static void every_history_gives_what_the_definition_says(void **state)
{
    struct fake_dice dice;
    struct region region;
    const char *rounds = getenv("ROUNDS");
    (void)state;
    fake_dice_init(&dice, fake_seed("funnel_chain"));
    region_open(&region, 1 << 20);
    for (long round = rounds ? strtol(rounds, NULL, 10) : 30000; round > 0; round--) {
        ChainRules rules;
        Hit hits[HITS_MAX];
        uint8_t reached[HITS_MAX];
        Chain chain;
        uint32_t count = make_history(&dice, &rules, hits), depth = 0, best = UINT32_MAX;
        Hits all = { .hits = hits, .count = count };
        for (uint32_t at = 0; at < count; at++) {
            all.steps |= hits[at].steps;
            all.has_ties |= at && hits[at].time_ms == hits[at - 1].time_ms;
        }
        struct model model = { .rules = &rules, .hits = hits, .count = count };
        chain_reach(&rules, &all, region_arena(&region), reached);
        for (uint32_t at = 0; at < count; at++) {
            model_run(&model, at);
            assert_int_equal(reached[at], model.depth);
            if (model.depth == 0) continue;
            bool is_tie = best != UINT32_MAX && model.depth == depth
                && hits[at].time_ms == hits[best].time_ms;
            if (model.depth > depth || (is_tie && hits[at].group < hits[best].group))
                depth = model.depth, best = at;
        }
        chain_find(&rules, &all, region_arena(&region), &chain);
        assert_int_equal(chain.depth, depth);
        if (depth == 0) continue;
        assert_int_equal(hits[chain.entry].time_ms, hits[best].time_ms);
        assert_int_equal(hits[chain.entry].group, hits[best].group);
        Millis first_ms[CHAIN_STEPS_MAX];
        for (uint32_t step = 0; step < depth; step++) first_ms[step] = INT64_MAX;
        for (uint32_t at = 0; at < count; at++) {       /* all entries of that millisecond and group */
            if (hits[at].time_ms != hits[best].time_ms || hits[at].group != hits[best].group) continue;
            model_run(&model, at);
            for (uint32_t step = 0; step < model.depth; step++)
                if (model.first_ms[step] < first_ms[step]) first_ms[step] = model.first_ms[step];
        }
        for (uint32_t step = 0; step < depth; step++) {
            assert_int_equal(chain.times_ms[step], first_ms[step]);
            assert_true(hits[chain.events[step]].steps >> step & 1);
            assert_int_equal(hits[chain.events[step]].time_ms, chain.times_ms[step]);
        }
    }
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_history_gives_what_the_definition_says) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
