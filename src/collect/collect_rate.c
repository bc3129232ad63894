/* collect_rate: a token bucket in one number. full_at_ns is when the bucket will be full again: taking n events
 * moves it n intervals into the future, and it may not be further ahead than the burst. */
#include "collect_stations.h"

#include <stdatomic.h>

static int64_t interval_of(uint32_t per_second)
{
    int64_t interval_ns = 1000000000 / (int64_t)per_second;
    return interval_ns ? interval_ns : 1;
}

void collect_give_rate(struct rate_bucket *bucket, uint32_t per_second, uint32_t count)
{
    if (per_second == 0) return;
    atomic_fetch_sub_explicit(&bucket->full_at_ns, (int64_t)count * interval_of(per_second), memory_order_relaxed);
}

bool collect_take_rate(struct rate_bucket *bucket, uint32_t per_second, uint32_t burst, uint32_t count,
                       int64_t now_ns, Millis *ret_wait_ms)
{
    if (per_second == 0) return true;
    int64_t interval_ns = interval_of(per_second);
    int64_t ahead_ns = (burst ? (int64_t)burst : (int64_t)per_second * 10) * interval_ns;
    int64_t before = atomic_load_explicit(&bucket->full_at_ns, memory_order_relaxed), after;
    do {
        int64_t from = before > now_ns ? before : now_ns;
        after = from + (int64_t)count * interval_ns;
        if (after - now_ns > ahead_ns && from > now_ns) {
            int64_t need_ns = after - now_ns - ahead_ns, most_ns = from - now_ns;      /* full again at most_ns */
            *ret_wait_ms = (need_ns < most_ns ? need_ns : most_ns) / 1000000 + 1;
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&bucket->full_at_ns, &before, after, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}
