/* os_clock: the machine's two clocks. */
#include "os.h"

#include <time.h>

static Millis real_now_ms(struct clock *clock)
{
    (void)clock;
    struct timespec now;
    check(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (Millis)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t real_monotonic_ns(struct clock *clock)
{
    (void)clock;
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t real_elapsed_ns(struct clock *clock)
{
    (void)clock;
    struct timespec now;
    check(clock_gettime(CLOCK_BOOTTIME, &now) == 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct clock *os_clock(void)
{
    static struct clock real = { real_now_ms, real_monotonic_ns, real_elapsed_ns };
    return &real;
}

bool clock_may_wait(struct clock *clock, int64_t until_ns, const atomic_bool *is_cancelled, struct timespec *ret_wake)
{
    enum { LOOK_MS = 100 };
    int64_t now_ns = clock_monotonic_ns(clock), wake_ns = now_ns + LOOK_MS * INT64_C(1000000);
    if (now_ns >= until_ns || (is_cancelled && atomic_load_explicit(is_cancelled, memory_order_relaxed))) return false;
    if (wake_ns > until_ns) wake_ns = until_ns;
    *ret_wake = (struct timespec){ wake_ns / 1000000000, wake_ns % 1000000000 };
    return true;
}
