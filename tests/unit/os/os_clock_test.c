/* os_clock: who waits looks up often enough to be told that nobody waits for him any more. */
#include "os/os_clock.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "tests/fakes/fakes.h"

static int64_t ns_of(const struct timespec *time) { return time->tv_sec * INT64_C(1000000000) + time->tv_nsec; }

static void a_wait_ends_at_its_end_or_when_nobody_wants_it(void **state)
{
    static const struct { int64_t left_ns; bool is_cancelled, may_wait; int64_t wakes_ns; } rows[] = {
        { 5000000000, false, true, 100000000 }, { 100000001, false, true, 100000000 }, { 1, false, true, 1 },
        { 0, false, false, 0 }, { -1, false, false, 0 }, { INT64_C(3600) * 1000000000, true, false, 0 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        struct timespec wake = { 0 };
        atomic_bool is_cancelled = rows[at].is_cancelled;
        int64_t begun_ns = 900000000;                        /* near the end of a second: the carry is right */
        struct fake_clock fake;
        fake_clock_init(&fake, 0);
        fake.monotonic_ns = begun_ns;
        assert_int_equal(clock_may_wait(&fake.clock, begun_ns + rows[at].left_ns, &is_cancelled, &wake),
                         rows[at].may_wait);
        if (rows[at].may_wait) assert_int_equal(ns_of(&wake) - begun_ns, rows[at].wakes_ns);
        if (rows[at].may_wait) assert_true(wake.tv_nsec < 1000000000);
        assert_int_equal(clock_may_wait(&fake.clock, begun_ns + rows[at].left_ns, NULL, &wake), rows[at].left_ns > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_wait_ends_at_its_end_or_when_nobody_wants_it) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
