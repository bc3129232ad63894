/* fake_clock: time passes when the test says so. */
#include "fakes.h"

static Millis fake_now_ms(struct clock *clock) { return ((struct fake_clock *)clock)->now_ms; }

static int64_t fake_monotonic_ns(struct clock *clock) { return ((struct fake_clock *)clock)->monotonic_ns; }

void fake_clock_init(struct fake_clock *fake, Millis now_ms)
{
    *fake = (struct fake_clock){ { fake_now_ms, fake_monotonic_ns, NULL }, now_ms, 1000000000 };
}

void fake_clock_advance(struct fake_clock *fake, Millis by_ms)
{
    check(by_ms >= 0);
    fake->now_ms += by_ms;
    fake->monotonic_ns += by_ms * 1000000;
}

void fake_clock_jump(struct fake_clock *fake, Millis by_ms) { fake->now_ms += by_ms; }
