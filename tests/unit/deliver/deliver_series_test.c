/* deliver_series: what was done stands in the minute in which it was done, and is forgotten after a day. */
#include "deliver_fixture.h"

#include <stdlib.h>

static const char *const plain[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning", NULL };

typedef struct Told { uint64_t sum, last; int filled, items; } Told;

/* A row of what the last minutes were. */
static Told told(int minutes, const char *row)
{
    Told found = { 0 };
    struct buf out;
    char key[64];
    buf_init(&out, 1 << 20);
    assert_int_equal(deliver_write_series(world->deliver, STR("hook"), minutes, &out, NULL), OK);
    buf_char(&out, 0);
    snprintf(key, sizeof key, "\"%s\":[", row);
    char *at = strstr(out.bytes, key);
    assert_non_null(at);
    for (at += strlen(key) - 1; *at == '[' || *at == ','; found.items++) {
        found.last = strtoull(at + 1, &at, 10);
        found.sum += found.last;
        found.filled += found.last > 0;
    }
    buf_done(&out);
    return found;
}

static void what_is_done_stands_in_its_minute(void **state)
{
    (void)state;
    start("hook", "webhook", plain);
    pass(1000, 100);
    say(EVENT_TRACK, "u", "", 0);
    say(EVENT_TRACK, "v", "", 0);
    pass(2000, 100);
    pass(3 * 60000, 1000);
    say(EVENT_TRACK, "u", "", 0);
    pass(2000, 100);
    Told delivered = told(60, "delivered"), received = told(60, "received");
    assert_int_equal(delivered.items, 60);
    assert_int_equal(delivered.sum, 3);
    assert_int_equal(delivered.filled, 2);
    assert_int_equal(received.sum, 3);
    assert_int_equal(told(2, "delivered").items, 2);
    assert_int_equal(told(2, "delivered").sum, 1);
    assert_true(told(60, "lag_ms").sum > 0);
    assert_int_equal(told(60, "dead").sum, 0);
}

static void the_dead_and_the_retried_are_told(void **state)
{
    (void)state;
    vendor.script[0] = 503;
    vendor.script[1] = 400;
    vendor.script_count = 2;
    start("hook", "webhook", plain);
    pass(1000, 100);
    say(EVENT_TRACK, "u", "", 0);
    pass(30000, 100);
    assert_int_equal(told(60, "dead").sum, state_of(0).refused);
    assert_int_equal(told(60, "dead").sum, 1);
    assert_int_equal(told(60, "retried").sum, state_of(0).retried);
    assert_true(told(60, "retried").sum > 0);
}

static void a_day_later_nothing_of_it_is_left(void **state)
{
    (void)state;
    start("hook", "webhook", plain);
    say(EVENT_TRACK, "u", "", 0);
    pass(2000, 100);
    assert_int_equal(told(DELIVER_MINUTES, "delivered").sum, 1);
    fake_clock_advance(&world->clock, (Millis)DELIVER_MINUTES * 60000 - 60000);
    assert_int_equal(told(DELIVER_MINUTES, "delivered").sum, 1);
    fake_clock_advance(&world->clock, 120000);
    assert_int_equal(told(DELIVER_MINUTES, "delivered").sum, 0);
    fake_clock_advance(&world->clock, (Millis)10 * DELIVER_MINUTES * 60000);
    assert_int_equal(told(DELIVER_MINUTES, "delivered").sum, 0);
    assert_int_equal(told(DELIVER_MINUTES, "delivered").items, DELIVER_MINUTES);
}

static void one_that_is_not_there_is_said_to_be(void **state)
{
    (void)state;
    struct buf out;
    Err err;
    start("hook", "webhook", plain);
    pass(1000, 100);
    buf_init(&out, 1 << 20);
    assert_int_equal(deliver_write_series(world->deliver, STR("other"), 60, &out, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "other"));
    assert_int_equal(buf_str(&out).len, 0);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(what_is_done_stands_in_its_minute),
        with_world(the_dead_and_the_retried_are_told),
        with_world(a_day_later_nothing_of_it_is_left),
        with_world(one_that_is_not_there_is_said_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
