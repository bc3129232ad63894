/* scan_sort: sorts hits by key with a radix sort (the keys of a slice are a narrow range), and one person's hits by
 * time with a merge sort that does nothing for hits in order, as nearly all are. */
#include "scan.h"

enum { DIGIT_BITS_MAX = 14, SHORT_COUNT = 24 };

Hit *hits_sort_by_key(Hit *hits, Hit *spare, uint32_t count, uint32_t key_min, uint32_t key_max)
{
    uint32_t starts[1 << DIGIT_BITS_MAX];
    int bits = key_max > key_min ? 32 - __builtin_clz(key_max - key_min) : 0;
    int passes = (bits + DIGIT_BITS_MAX - 1) / DIGIT_BITS_MAX, digit_bits = passes
        ? (bits + passes - 1) / passes : 0;
    uint32_t mask = (1u << digit_bits) - 1;
    for (int pass = 0; pass < passes; pass++) {
        int shift = pass * digit_bits;
        memset(starts, 0, (size_t)(mask + 1) * sizeof *starts);
        for (uint32_t at = 0; at < count; at++) starts[(hits[at].key - key_min) >> shift & mask]++;
        uint32_t sum = 0;
        for (uint32_t digit = 0; digit <= mask; digit++) {
            uint32_t here = starts[digit];
            starts[digit] = sum;
            sum += here;
        }
        for (uint32_t at = 0; at < count; at++)
            spare[starts[(hits[at].key - key_min) >> shift & mask]++] = hits[at];
        Hit *done = spare;
        spare = hits;
        hits = done;
    }
    return hits;
}

static void sort_by_time(Hit *hits, uint32_t count, Hit *spare)
{
    uint32_t in_order = 1;
    while (in_order < count && !chain_hit_is_before(&hits[in_order], &hits[in_order - 1])) in_order++;
    if (in_order >= count) return;
    if (count <= SHORT_COUNT) {
        for (uint32_t at = in_order; at < count; at++) {
            Hit hit = hits[at];
            uint32_t to = at;
            for (; to > 0 && chain_hit_is_before(&hit, &hits[to - 1]); to--) hits[to] = hits[to - 1];
            hits[to] = hit;
        }
        return;
    }
    uint32_t half = count / 2, left = 0, right = half, at = 0;
    sort_by_time(hits, half, spare);
    sort_by_time(hits + half, count - half, spare);
    memcpy(spare, hits, half * sizeof *hits);
    while (left < half && right < count)
        hits[at++] = chain_hit_is_before(&hits[right], &spare[left]) ? hits[right++] : spare[left++];
    while (left < half) hits[at++] = spare[left++];
}

bool hits_sort_by_time(Hit *hits, uint32_t count, Hit *spare)
{
    uint32_t at = 1;
    while (at < count && hits[at - 1].time_ms < hits[at].time_ms) at++;
    if (at >= count) return false;                     /* in order, no two at the same time: nearly always */
    sort_by_time(hits, count, spare);
    for (at = 1; at < count && hits[at - 1].time_ms != hits[at].time_ms;) at++;
    return at < count;
}
