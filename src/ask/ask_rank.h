/* ask_rank: medians and percentiles by nearest rank: of n values in order, the one at ceil(share * n). */
#ifndef ONYM_ASK_RANK_H
#define ONYM_ASK_RANK_H

#include "base/base.h"

/* Moves the values about. count > 0, 0 < share <= 1. */
int64_t rank_of_integers(int64_t *values, size_t count, double share);
double rank_of_doubles(double *values, size_t count, double share);       /* no NaN */

/* The value of this place in order, from 0. */
int64_t rank_select(int64_t *values, size_t count, size_t place);
size_t rank_place(size_t count, double share);             /* of the value that the two above give */

/* Does most of the work while counting: the bucket of a value, 64 for each octave, ascending with the value. For
 * a percentile only the values of its bucket need to be looked at. Values are not negative. */
enum { RANK_BUCKETS = 64 * 59 };
static inline uint32_t rank_bucket_of(uint64_t value)
{
    if (value < 64) return (uint32_t)value;
    uint32_t octave = 63 - (uint32_t)__builtin_clzll(value);
    return (octave - 5) * 64 + (uint32_t)(value >> (octave - 6) & 63);
}

#endif
