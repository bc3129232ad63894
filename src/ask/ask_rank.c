/* ask_rank: Hoare's selection, by the median of three; after too many bad cuts it sorts, so that no order of
 * values costs more than n log n. Doubles go the same way as integers: their bits, with the sign turned,
 * order as they do. */
#include "ask_rank.h"

#include <math.h>
#include <stdlib.h>

static int compare_integers(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void swap(int64_t *a, int64_t *b)
{
    int64_t kept = *a;
    *a = *b;
    *b = kept;
}

size_t rank_place(size_t count, double share)
{
    double rank = ceil(share * (double)count);
    return rank < 1 ? 0 : rank > (double)count ? count - 1 : (size_t)rank - 1;
}

int64_t rank_select(int64_t *values, size_t count, size_t wanted)
{
    check(wanted < count);
    size_t low = 0, high = count - 1;
    for (int cuts = 0; high > low; cuts++) {
        if (cuts > 64) {
            qsort(values + low, high - low + 1, sizeof *values, compare_integers);
            break;
        }
        size_t middle = low + (high - low) / 2, left = low, right = high;
        if (values[middle] < values[low]) swap(&values[middle], &values[low]);
        if (values[high] < values[low]) swap(&values[high], &values[low]);
        if (values[high] < values[middle]) swap(&values[high], &values[middle]);
        int64_t pivot = values[middle];
        for (;;) {
            while (values[left] < pivot) left++;
            while (values[right] > pivot) right--;
            if (left >= right) break;
            swap(&values[left++], &values[right--]);
        }
        if (wanted <= right) high = right;
        else low = right + 1;
    }
    return values[wanted];
}

int64_t rank_of_integers(int64_t *values, size_t count, double share)
{
    return rank_select(values, count, rank_place(count, share));
}

/* Negative doubles order backwards by their bits. */
static int64_t turned(int64_t bits) { return bits < 0 ? bits ^ INT64_MAX : bits; }

static void turn(double *values, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        int64_t bits;
        memcpy(&bits, values + at, sizeof bits);
        bits = turned(bits);
        memcpy(values + at, &bits, sizeof bits);
    }
}

double rank_of_doubles(double *values, size_t count, double share)
{
    int64_t *bits = (int64_t *)values, found;
    _Static_assert(sizeof(double) == sizeof(int64_t), "a double's bits are an integer");
    turn(values, count);
    found = turned(rank_of_integers(bits, count, share));
    turn(values, count);
    double value;
    memcpy(&value, &found, sizeof value);
    return value;
}
