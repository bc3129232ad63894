/* index_curve: a record's position in the journal nearly follows from the time of its event. A file keeps a
 * line of knots, a position at regular distances in time, and for each row only how far it is from the line.
 *
 * It uses whole numbers only, so that every machine draws the same line. */
#ifndef ONYM_INDEX_CURVE_H
#define ONYM_INDEX_CURVE_H

#include "base/base.h"

enum { CURVE_KNOTS_MAX = 4096 };

struct position_curve {
    Millis first_ms;
    uint32_t shift, count;              /* 2^shift milliseconds from knot to knot; at least two knots */
    const uint64_t *positions;
};

/* As many knots as CURVE_KNOTS_MAX allows for this range. positions: the caller has room for CURVE_KNOTS_MAX + 2. */
void curve_init(struct position_curve *curve, Millis first_ms, Millis last_ms, uint64_t *positions);

static inline uint64_t curve_at(const struct position_curve *curve, Millis time_ms)
{
    uint64_t since = (uint64_t)time_ms - (uint64_t)curve->first_ms, knot = since >> curve->shift;
    if (knot > curve->count - 2) knot = curve->count - 2;
    const uint64_t *at = curve->positions + knot;
    __int128 rise = (__int128)(int64_t)(at[1] - at[0]) * (int64_t)(since - (knot << curve->shift));
    return at[0] + (uint64_t)(rise >> curve->shift);
}
/* How far a position is from the line: a small number if it is near. */
static inline uint64_t curve_encode(const struct position_curve *curve, Millis time_ms, uint64_t position)
{
    int64_t distance = (int64_t)(position - curve_at(curve, time_ms));
    return (uint64_t)distance << 1 ^ (uint64_t)(distance >> 63);
}
static inline uint64_t curve_decode(const struct position_curve *curve, Millis time_ms, uint64_t code)
{
    return curve_at(curve, time_ms) + ((code >> 1) ^ -(code & 1));
}

/* Drawing the line: the mean position around each knot. */
struct curve_sums {
    uint64_t base;                      /* taken off first */
    double *sums;
    uint64_t *counts;                   /* CURVE_KNOTS_MAX + 2 of each, zeroed */
};
void curve_add(const struct position_curve *curve, struct curve_sums *sums, Millis time_ms, uint64_t position);
void curve_draw(const struct position_curve *curve, const struct curve_sums *sums, uint64_t *positions);

#endif
