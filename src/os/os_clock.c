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

struct clock *os_clock(void)
{
    static struct clock real = { real_now_ms, real_monotonic_ns };
    return &real;
}
