/* api_share: how much each source sent lately.
 *
 * There are two windows of a second, this one and the one before, with bytes by source. Sources are few, and the hash
 * of the name chooses a slot: two sources that share one are judged together, which does no other harm. All of it is
 * atomic and none of it exact: it decides which source is asked first to come again, and that request is then judged
 * anew.
 *
 * A source with less than half of an equal part is light: of three sources, one that sends less than a sixth. */
#include "api_routes.h"

enum { WINDOW_NS = 1000000000 };

static atomic_uint_fast64_t *slot_of(ApiShares *shares, Str source, bool is_now)
{
    size_t slot = hash_64(source, 's') % API_SHARES;
    return is_now ? &shares->now[slot] : &shares->before[slot];
}

/* The first thread that sees that the window is over begins the next one. */
static void turn(ApiShares *shares, int64_t now_ns)
{
    int64_t began_ns = atomic_load_explicit(&shares->began_ns, memory_order_relaxed);
    if (now_ns - began_ns < WINDOW_NS && began_ns) return;
    if (!atomic_compare_exchange_strong_explicit(&shares->began_ns, &began_ns, now_ns, memory_order_relaxed,
                                                 memory_order_relaxed)) return;
    bool is_next = began_ns && now_ns - began_ns < 2 * (int64_t)WINDOW_NS;       /* false: the window is too old */
    for (size_t at = 0; at < API_SHARES; at++) {
        uint64_t bytes = atomic_exchange_explicit(&shares->now[at], 0, memory_order_relaxed);
        atomic_store_explicit(&shares->before[at], is_next ? bytes : 0, memory_order_relaxed);
    }
}

void share_note(ApiShares *shares, Str source, size_t bytes, int64_t now_ns)
{
    turn(shares, now_ns);
    atomic_fetch_add_explicit(slot_of(shares, source, true), bytes, memory_order_relaxed);
}

bool share_is_light(ApiShares *shares, Str source, int64_t now_ns)
{
    uint64_t all = 0, own, active = 0;
    turn(shares, now_ns);
    for (size_t at = 0; at < API_SHARES; at++) {
        uint64_t bytes = atomic_load_explicit(&shares->now[at], memory_order_relaxed)
                       + atomic_load_explicit(&shares->before[at], memory_order_relaxed);
        all += bytes;
        active += bytes > 0;
    }
    own = atomic_load_explicit(slot_of(shares, source, true), memory_order_relaxed)
        + atomic_load_explicit(slot_of(shares, source, false), memory_order_relaxed);
    if (own == 0) active++;
    return active > 1 && own * active * 2 < all;
}
