/* chain: how deep one person got in a funnel. Pure functions over the person's events.
 *
 * A chain of length k is k different events, one for each of the first k steps, in order of time (never
 * backwards; at the same millisecond any order counts), the last at most the window after the first.
 * Its first event is an entry. An exclusion from step i to step j: no event of the excluded kind may lie
 * strictly between the chain's step i and its step j, or its end, if that comes before step j.
 *
 * The person's depth is the length of the longest chain. The chain that counts begins at the earliest entry of any
 * longest chain (of entries at the same millisecond: those of the smallest group); step k is reached at the
 * earliest time at which a chain from that millisecond's entries (of that group) reaches step k. All of it
 * depends on the set of events only.
 *
 * Strict order: no other event of the person (among tracks, pages, screens, and events that a step names) lies
 * strictly between the times of the chain's first and its last event. Any order: a chain of length k is k
 * different events, never backwards, that can be k different steps. A step may have a window of its own: from the step
 * before.
 */
#ifndef ONYM_CHAIN_CHAIN_H
#define ONYM_CHAIN_CHAIN_H

#include "scan/scan.h"

#include <stdatomic.h>

enum { CHAIN_STEPS_MAX = 20, CHAIN_EXCLUSIONS_MAX = 8 };

/* In order: other events may lie between. Strict: none may. Any: the steps in any order; step k means "k of them". */
typedef enum ChainOrder { ORDER_LOOSE, ORDER_STRICT, ORDER_ANY } ChainOrder;

typedef struct ChainRules {
    ChainOrder order;
    bool has_within, has_entries_to;
    Millis within_ms[CHAIN_STEPS_MAX];      /* has_within: of each step, how long after the one before */
    Millis entries_to_ms;                   /* has_entries_to: no entry is at this time or later */
    atomic_bool *lacks_memory;              /* set if a person had too many events for the scratch; NULL: check */
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
    uint8_t steps[CHAIN_STEPS_MAX];        /* any order: which of the steps it is */
} Chain;

/* Among equally early entries the one of the smallest group counts. */
void chain_find(const ChainRules *rules, const Hits *hits, Arena scratch, Chain *ret);
/* The same, only from this entry and those of its millisecond and group. */
void chain_follow(const ChainRules *rules, const Hits *hits, uint32_t entry, Arena scratch, Chain *ret);
/* For every hit: the length of the longest chain that it begins; 0 if it is no entry. */
void chain_reach(const ChainRules *rules, const Hits *hits, Arena scratch, uint8_t *ret_depths);

#endif
