/* ask_timeline: the starts, in order; a unit is found by bisection unless it is the one before. */
#include "ask_timeline.h"

Status timeline_make(const Query *query, ZoneUnit unit, Millis first_ms, Millis last_ms, uint32_t max,
                     Timeline *ret)
{
    uint32_t count = 0;
    check(first_ms <= last_ms && max < TIMELINE_UNITS_MAX);
    Millis *starts = arena_try(query->arena, sizeof *starts, 8, (size_t)max + 2);
    if (!starts) return err_set(query->err, ERR_TOO_LARGE, "the question needs more memory than it may");
    starts[0] = zone_floor(&query->zone, unit, first_ms);
    for (; starts[count] <= last_ms; count++) {
        if (count == max)
            return err_set_field(query->err, "unit", "over %u units in this range; a larger unit, or from and to",
                                 max);
        starts[count + 1] = zone_next(&query->zone, unit, starts[count]);
    }
    *ret = (Timeline){ starts, count };
    return OK;
}

Millis timeline_clip(const Query *query, ZoneUnit unit, Millis first_ms, Millis last_ms, uint32_t max)
{
    Millis start = zone_floor(&query->zone, unit, last_ms);
    for (uint32_t count = 1; count < max && start > first_ms; count++)
        start = zone_floor(&query->zone, unit, start - 1);
    return start > first_ms ? start : first_ms;
}

uint32_t timeline_find(const Timeline *timeline, Millis at_ms, uint32_t guess)
{
    const Millis *starts = timeline->starts;
    if (guess < timeline->count && starts[guess] <= at_ms && at_ms < starts[guess + 1]) return guess;
    uint32_t low = 0, high = timeline->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (starts[middle] <= at_ms) low = middle;
        else high = middle;
    }
    return low;
}
