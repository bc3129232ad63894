/* ask_drop: the first reason why somebody got no further. */
#include "ask_drop.h"

const char *ask_drop_word(DropWhy why)
{
    static const char *const words[] = { NULL, "never", "before", "too_late", "step_too_late", "between", "excluded" };
    return words[why];
}

/* With the order "any", the missing step is one that was not done. */
static uint32_t missing_bits(const ChainRules *rules, const Chain *chain)
{
    uint32_t bits = (UINT32_C(1) << rules->step_count) - 1;
    if (rules->order != ORDER_ANY) return UINT32_C(1) << chain->depth;
    for (uint32_t step = 0; step < chain->depth; step++) bits &= ~(UINT32_C(1) << chain->steps[step]);
    return bits;
}

/* An event that the chain has already does not count for the next step, even if it could be both. */
static bool is_used(const Chain *chain, uint32_t hit)
{
    for (uint32_t step = 0; step < chain->depth; step++)
        if (chain->events[step] == hit) return true;
    return false;
}

void ask_find_drop(const ChainRules *rules, const Hits *hits, const Chain *chain, Drop *ret)
{
    uint32_t depth = chain->depth;
    *ret = (Drop){ .why = DROP_NONE, .step = depth + 1 };
    if (depth == 0 || depth >= rules->step_count) return;
    uint32_t bits = missing_bits(rules, chain);
    Millis last_ms = chain->times_ms[depth - 1], entry_ms = chain->times_ms[0];
    const Hit *before = NULL, *after = NULL;
    for (uint32_t at = 0; at < hits->count && !after; at++) {
        if (!(hits->hits[at].steps & bits) || is_used(chain, at)) continue;
        if (hits->hits[at].time_ms >= last_ms) after = &hits->hits[at];
        else before = &hits->hits[at];
    }
    const Hit *hit = after ? after : before;
    ret->why = after ? DROP_EXCLUDED : before ? DROP_BEFORE : DROP_NEVER;
    if (!hit) return;
    ret->at_ms = hit->time_ms;
    if (!after) return;
    Millis until_ms = entry_ms + rules->window_ms, step_until_ms = last_ms;
    bool has_own = rules->has_within && rules->order != ORDER_ANY && rules->within_ms[depth] < rules->window_ms;
    if (has_own) step_until_ms += rules->within_ms[depth];
    if (hit->time_ms > until_ms) ret->why = DROP_TOO_LATE, ret->over_ms = hit->time_ms - until_ms;
    else if (has_own && hit->time_ms > step_until_ms)
        ret->why = DROP_STEP_TOO_LATE, ret->over_ms = hit->time_ms - step_until_ms;
    else if (!rules->exclusion_count || rules->order == ORDER_STRICT) ret->why = DROP_BETWEEN;
}
