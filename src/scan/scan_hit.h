/* scan_hit: what a scan hands over: the events of one person that a question is about. */
#ifndef ONYM_SCAN_HIT_H
#define ONYM_SCAN_HIT_H

#include "base/base.h"

/* An event of a person that a question is about. */
typedef struct Hit {
    Millis time_ms;
    uint32_t key;                   /* while sorting: the person or subject */
    uint32_t steps;                 /* bit k: it matches selector k; funnels: steps, then exclusions */
    uint32_t group;                 /* which value of the breakdown it has */
    uint32_t ref;                   /* the number of its reference in the scan; 0: nobody asked for one */
} Hit;

/* All hits of one person, sorted by time, then by steps, with two facts that save work. */
typedef struct Hits {
    const Hit *hits;
    uint32_t count;
    uint32_t steps;                 /* of all, or-ed */
    bool has_ties;                  /* two of them at the same millisecond */
} Hits;

/* Compares hits by time, then by steps. */
static inline bool chain_hit_is_before(const Hit *a, const Hit *b)
{
    return a->time_ms < b->time_ms || (a->time_ms == b->time_ms && a->steps < b->steps);
}

#endif
