/* query_chain: how deep one person got in a funnel. Pure functions over the person's events.
 *
 * A chain of length k is k different events, one for each of the first k steps, in order of time (never
 * backwards; at the same millisecond either order is taken), the last at most the window after the first.
 * Its first event is an entry. An exclusion from step i to step j: no event of the excluded kind may lie
 * strictly between the chain's step i and its step j, or its end, if that comes before step j.
 *
 * The person's depth is the length of the longest chain. What counts begins at the earliest entry of any
 * longest chain (of entries at the same millisecond: those of the smallest group); step k is reached at the
 * earliest time at which a chain from that millisecond's entries (of that group) reaches step k. All of it
 * depends on the set of events only.
 */
#ifndef ONYM_QUERY_CHAIN_H
#define ONYM_QUERY_CHAIN_H

#include "base/base.h"

enum { CHAIN_STEPS_MAX = 20, CHAIN_EXCLUSIONS_MAX = 8 };

/* An event of a person that a question is about. */
typedef struct Hit {
    Millis time_ms;
    uint32_t key;                   /* while sorting: whose it is */
    uint32_t steps;                 /* bit k: it matches selector k; funnels: steps, then exclusions */
    uint32_t group;                 /* which value of the breakdown it has */
    uint32_t ref;                   /* which of the scan's references it is; 0: none was asked for */
} Hit;

/* All of one person's, sorted by time, then steps, and what is worth knowing of them beforehand. */
typedef struct Hits {
    const Hit *hits;
    uint32_t count;
    uint32_t steps;                 /* of all, or-ed */
    bool has_ties;                  /* two of them at the same millisecond */
} Hits;

typedef struct ChainRules {
    uint32_t step_count, exclusion_count;
    Millis window_ms;
    /* step numbers from 0; bit step_count + number */
    struct { uint32_t from, to; } exclusions[CHAIN_EXCLUSIONS_MAX];
} ChainRules;

typedef struct Chain {
    uint32_t depth;                 /* 0: no entry at all */
    uint32_t entry;                 /* which hit */
    uint32_t events[CHAIN_STEPS_MAX];      /* by step: a hit with which it was first reached */
    Millis times_ms[CHAIN_STEPS_MAX];
} Chain;

/* Among equally early entries the one of the smallest group counts. */
void chain_find(const ChainRules *rules, const Hits *hits, Arena scratch, Chain *ret);
/* As from this entry, and those of its millisecond and group, alone. */
void chain_follow(const ChainRules *rules, const Hits *hits, uint32_t entry, Arena scratch, Chain *ret);
/* For every hit: the length of the longest chain that it begins; 0 where it is no entry. */
void chain_reach(const ChainRules *rules, const Hits *hits, Arena scratch, uint8_t *ret_depths);

/* By time, then by steps. */
static inline bool chain_hit_is_before(const Hit *a, const Hit *b)
{
    return a->time_ms < b->time_ms || (a->time_ms == b->time_ms && a->steps < b->steps);
}

#endif
