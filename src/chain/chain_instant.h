/* chain_instant: takes the events of one millisecond together, and finds which steps of a chain they can be. Steps need
 * different events, so this is a bipartite matching. */
#ifndef ONYM_CHAIN_INSTANT_H
#define ONYM_CHAIN_INSTANT_H

#include "chain.h"

#define NEVER INT64_MAX

static inline bool is_within(const ChainRules *rules, Millis from_ms, Millis to_ms)
{
    return (uint64_t)to_ms - (uint64_t)from_ms <= (uint64_t)rules->window_ms;
}

static inline uint32_t step_bits_of(const ChainRules *rules)
{
    return (uint32_t)((UINT64_C(1) << rules->step_count) - 1);
}

/* Which hits may begin a chain. */
static inline bool is_entry(const ChainRules *rules, const Hit *hit)
{
    uint32_t bits = rules->order == ORDER_ANY ? step_bits_of(rules) : 1;
    return hit->steps & bits && (!rules->has_entries_to || hit->time_ms < rules->entries_to_ms);
}

/* One millisecond's events, as far as they matter: of events that can be the same steps, no more than there are steps.
 * So the cost of a millisecond does not grow with its number of events, unless they are over GROUP_KINDS different
 * ones. */
enum { GROUP_KINDS = 64 };
struct group {
    Millis time_ms;
    uint32_t first, end;                /* which hits */
    uint32_t *steps;
    uint32_t count, exclusions;         /* exclusions: bits */
    uint32_t *owner;                    /* matching: the step that took the event, or UINT32_MAX */
    bool *seen;
    uint8_t *known;                     /* by event: what was worked out for all that are like it; 0: nothing yet */
};

static inline void group_read(const ChainRules *rules, const Hit *hits, uint32_t first, uint32_t end,
                       struct group *group)
{
    uint32_t step_bits = (uint32_t)((UINT64_C(1) << rules->step_count) - 1);
    uint32_t masks[GROUP_KINDS], counts[GROUP_KINDS], kinds = 0, kind = 0;
    group->time_ms = hits[first].time_ms;
    group->first = first, group->end = end;
    group->count = group->exclusions = 0;
    for (uint32_t at = first; at < end; at++) {
        uint32_t steps = hits[at].steps & step_bits;
        group->exclusions |= hits[at].steps >> rules->step_count;
        if (!steps) continue;
        if (kind == kinds || masks[kind] != steps)
            for (kind = 0; kind < kinds && masks[kind] != steps;) kind++;
        if (kind == kinds && kinds < GROUP_KINDS) masks[kinds] = steps, counts[kinds++] = 0;
        if (kind == kinds || counts[kind]++ < rules->step_count) group->steps[group->count++] = steps;
    }
    memset(group->known, 0, group->count);
}

static inline bool group_augment(struct group *group, uint32_t step, uint32_t skip)
{
    for (uint32_t at = 0; at < group->count; at++) {
        if (at == skip || group->seen[at] || !(group->steps[at] >> step & 1)) continue;
        group->seen[at] = true;
        if (group->owner[at] != UINT32_MAX && !group_augment(group, group->owner[at], skip)) continue;
        group->owner[at] = step;
        return true;
    }
    return false;
}

/* One past the last step that this group can give, beginning with step; skip: an event that is taken. */
static inline uint32_t group_far(const ChainRules *rules, struct group *group, uint32_t step, uint32_t skip)
{
    for (uint32_t at = 0; at < group->count; at++) group->owner[at] = UINT32_MAX;
    for (; step < rules->step_count; step++) {
        memset(group->seen, 0, group->count * sizeof *group->seen);
        if (!group_augment(group, step, skip)) break;
    }
    return step;
}

/* May a chain whose step `before` lay before this group go on after it with step `next`? */
static inline bool is_excluded(const ChainRules *rules, const struct group *group, uint32_t before, uint32_t next)
{
    for (uint32_t at = 0; at < rules->exclusion_count; at++)
        if (group->exclusions >> at & 1 && rules->exclusions[at].from <= before
            && next <= rules->exclusions[at].to)
            return true;
    return false;
}

static inline struct group group_new(uint32_t count, Arena *arena)
{
    return (struct group){ .steps = arena_new(arena, uint32_t, count), .owner
                           = arena_new(arena, uint32_t, count),
                           .seen = arena_new(arena, bool, count), .known = arena_new(arena, uint8_t, count) };
}

/* Which of the group's events the hit is. */
static inline uint32_t group_place(const ChainRules *rules, const struct group *group, const Hit *hit)
{
    uint32_t same = 0;
    while (group->steps[same] != (hit->steps & step_bits_of(rules))) same++;
    return same;
}

static inline uint32_t group_end(const Hit *hits, uint32_t count, uint32_t first)
{
    uint32_t end = first + 1;
    while (end < count && hits[end].time_ms == hits[first].time_ms) end++;
    return end;
}

/* In chain_order.c: orders other than the usual one, and steps that have windows of their own. They take and give
 * what chain_reach and chain_follow do. */
void strict_reach(const ChainRules *rules, const Hits *all, Arena scratch, uint8_t *ret_depths);
void strict_follow(const ChainRules *rules, const Hits *all, uint32_t entry, Arena scratch, Chain *ret);
void any_reach(const ChainRules *rules, const Hits *all, Arena scratch, uint8_t *ret_depths);
void any_follow(const ChainRules *rules, const Hits *all, uint32_t entry, Arena scratch, Chain *ret);
void spaced_reach(const ChainRules *rules, const Hits *all, Arena scratch, uint8_t *ret_depths);

#endif
