/* index_curve: where a record lies in the journal is nearly a function of when its event happened. A file keeps a
 * line of knots, a position for every so many milliseconds, and for each row only how far it is from the line.
 *
 * Whole numbers only, so that every machine draws the same line. */
#ifndef ONYM_INDEX_CURVE_H
#define ONYM_INDEX_CURVE_H

#include "base/base.h"

enum { KNOTS_MAX = 4096 };

struct knots {
    Millis first_ms;
    uint32_t shift, count;              /* 2^shift milliseconds from knot to knot; at least two knots */
    const uint64_t *positions;
};

/* As many knots as KNOTS_MAX allows for this range. positions: KNOTS_MAX + 2 of the caller's. */
void knots_init(struct knots *knots, Millis first_ms, Millis last_ms, uint64_t *positions);

static inline uint64_t knots_at(const struct knots *knots, Millis time_ms)
{
    uint64_t since = (uint64_t)time_ms - (uint64_t)knots->first_ms, knot = since >> knots->shift;
    if (knot > knots->count - 2) knot = knots->count - 2;
    const uint64_t *at = knots->positions + knot;
    __int128 rise = (__int128)(int64_t)(at[1] - at[0]) * (int64_t)(since - (knot << knots->shift));
    return at[0] + (uint64_t)(rise >> knots->shift);
}
/* How far a position is from the line, small where it is near. */
static inline uint64_t knots_encode(const struct knots *knots, Millis time_ms, uint64_t position)
{
    int64_t distance = (int64_t)(position - knots_at(knots, time_ms));
    return (uint64_t)distance << 1 ^ (uint64_t)(distance >> 63);
}
static inline uint64_t knots_decode(const struct knots *knots, Millis time_ms, uint64_t code)
{
    return knots_at(knots, time_ms) + ((code >> 1) ^ -(code & 1));
}

/* Drawing the line: the mean position around each knot. */
struct knots_sums {
    uint64_t base;                      /* taken off first */
    double *sums;
    uint64_t *counts;                   /* KNOTS_MAX + 2 of each, zeroed */
};
void knots_add(const struct knots *knots, struct knots_sums *sums, Millis time_ms, uint64_t position);
void knots_draw(const struct knots *knots, const struct knots_sums *sums, uint64_t *positions);

#endif
