/* index_curve: see the header. A knot's neighbourhood reaches half a step to both sides; where nothing happened the
 * line goes on level. */
#include "index_curve.h"

void knots_init(struct knots *knots, Millis first_ms, Millis last_ms, uint64_t *positions)
{
    uint64_t range = (uint64_t)last_ms - (uint64_t)first_ms;
    *knots = (struct knots){ .first_ms = first_ms, .positions = positions };
    while (range >> knots->shift >= KNOTS_MAX) knots->shift++;
    knots->count = (uint32_t)(range >> knots->shift) + 2;
}

void knots_add(const struct knots *knots, struct knots_sums *sums, Millis time_ms, uint64_t position)
{
    uint64_t half = (UINT64_C(1) << knots->shift) / 2;
    uint64_t knot = ((uint64_t)time_ms - (uint64_t)knots->first_ms + half) >> knots->shift;
    if (knot >= knots->count) knot = knots->count - 1;
    sums->sums[knot] += (double)(position - sums->base);
    sums->counts[knot]++;
}

void knots_draw(const struct knots *knots, const struct knots_sums *sums, uint64_t *positions)
{
    uint64_t last = sums->base;
    uint32_t first = 0;
    while (first < knots->count && !sums->counts[first]) first++;
    for (uint32_t at = 0; at < knots->count; at++) {
        uint32_t from = at < first ? first : at;
        if (from < knots->count && sums->counts[from])
            last = sums->base + (uint64_t)(sums->sums[from] / (double)sums->counts[from]);
        positions[at] = last;
    }
}
