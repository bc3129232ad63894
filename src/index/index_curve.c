/* index_curve: see the header. A knot's neighbourhood is half a step to each side; where nothing happened, the
 * curve stays level. */
#include "index_curve.h"

void curve_init(struct position_curve *curve, Millis first_ms, Millis last_ms, uint64_t *positions)
{
    uint64_t range = (uint64_t)last_ms - (uint64_t)first_ms;
    *curve = (struct position_curve){ .first_ms = first_ms, .positions = positions };
    while (range >> curve->shift >= CURVE_KNOTS_MAX) curve->shift++;
    curve->count = (uint32_t)(range >> curve->shift) + 2;
}

void curve_add(const struct position_curve *curve, struct curve_sums *sums, Millis time_ms, uint64_t position)
{
    uint64_t half = (UINT64_C(1) << curve->shift) / 2;
    uint64_t knot = ((uint64_t)time_ms - (uint64_t)curve->first_ms + half) >> curve->shift;
    if (knot >= curve->count) knot = curve->count - 1;
    sums->sums[knot] += (double)(position - sums->base);
    sums->counts[knot]++;
}

void curve_draw(const struct position_curve *curve, const struct curve_sums *sums, uint64_t *positions)
{
    uint64_t last = sums->base;
    uint32_t first = 0;
    while (first < curve->count && !sums->counts[first]) first++;
    for (uint32_t at = 0; at < curve->count; at++) {
        uint32_t from = at < first ? first : at;
        if (from < curve->count && sums->counts[from])
            last = sums->base + (uint64_t)(sums->sums[from] / (double)sums->counts[from]);
        positions[at] = last;
    }
}
