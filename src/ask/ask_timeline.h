/* ask_timeline: a range of time cut into hours, days, weeks, months or quarters of a zone. */
#ifndef ONYM_ASK_TIMELINE_H
#define ONYM_ASK_TIMELINE_H

#include "scan/scan.h"

enum { TIMELINE_UNITS_MAX = 1 << 20 };

typedef struct Timeline {
    const Millis *starts;           /* count of them, and the end of the last one */
    uint32_t count;
} Timeline;

/* From the unit that holds first_ms to the one that holds last_ms. ERR_INPUT (field "unit") where they are over max. */
Status MUST timeline_make(const Query *query, ZoneUnit unit, Millis first_ms, Millis last_ms, uint32_t max,
                          Timeline *ret);
/* The beginning of a range of at most max units that ends with the one that last_ms is in: first_ms, or later. */
Millis timeline_clip(const Query *query, ZoneUnit unit, Millis first_ms, Millis last_ms, uint32_t max);
/* Which unit the instant, which is in the range, is in; guess: probably this one. */
uint32_t timeline_find(const Timeline *timeline, Millis at_ms, uint32_t guess);

#endif
