/* deliver: what the tracking plan wants left out is left out, and what it holds waits for its release. */
#include "deliver_fixture.h"

static const char *const plain[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning", NULL };

#define STAMP(rung, list) ",\"planCheck\":{\"version\":\"1\",\"rung\":\"" rung "\",\"violations\":[" list "]}"
#define VIOLATION(rung, path) "{\"code\":\"wrong_type\",\"path\":[" path "],\"rung\":\"" rung "\"}"

static bool was_sent(const char *text)
{
    for (size_t at = 0; at < vendor.count; at++)
        if (strstr(vendor.bodies[at], text)) return true;
    return false;
}

static void what_breaks_the_plan_is_left_out_on_the_way(void **state)
{
    (void)state;
    start("hook", "webhook", plain);
    say_json(",\"properties\":{\"a\":1,\"b.c\":{\"d\":2},\"list\":[{\"x\":1,\"y\":2},3],\"e\":[]}"
             STAMP("omit", VIOLATION("omit", "\"properties\",\"b.c\"") "," VIOLATION("omit",
                 "\"properties\",\"list\",0,\"x\"")
                   "," VIOLATION("report", "\"properties\",\"a\"") "," VIOLATION("omit", "\"properties\",\"gone\"")
                   "," VIOLATION("omit", "\"properties\",\"list\",7,\"x\"")));
    pass(2000, 100);
    assert_int_equal(vendor.count, 1);
    assert_true(was_sent("\"properties\":{\"a\":1,\"list\":[{\"y\":2},3],\"e\":[]}"));
}

static void an_item_that_breaks_the_plan_takes_its_list_with_it(void **state)
{
    (void)state;
    start("hook", "webhook", plain);
    say_json(",\"properties\":{\"a\":1,\"list\":[1,\"x\"]}" STAMP("omit",
                                                                  VIOLATION("omit", "\"properties\",\"list\",1")));
    pass(2000, 100);
    assert_true(was_sent("\"properties\":{\"a\":1}"));
}

static void what_is_reported_alone_goes_as_it_came(void **state)
{
    (void)state;
    start("hook", "webhook", plain);
    say_json(",\"properties\":{\"a\":1}" STAMP("report", VIOLATION("report", "\"properties\",\"a\"")));
    pass(2000, 100);
    assert_true(was_sent("\"properties\":{\"a\":1}"));
}

static void what_is_held_goes_when_it_is_released_and_only_then(void **state)
{
    uint64_t ticket;
    Err err;
    (void)state;
    start("hook", "webhook", plain);
    say_json(",\"properties\":{\"n\":\"held\"}" STAMP("hold", VIOLATION("hold", "\"properties\",\"n\"")));
    say_json(",\"properties\":{\"n\":\"free\"}");
    pass(2000, 100);
    assert_int_equal(vendor.count, 1);
    assert_true(was_sent("free"));
    assert_int_equal(deliver_ask_replay(world->deliver, STR("hook"), 0, INT64_MAX, &ticket, &err), OK);
    pass(2000, 100);
    assert_int_equal(vendor.count, 2);                      /* a replay releases nothing */
    assert_false(was_sent("held"));
    assert_int_equal(deliver_ask_release(world->deliver, STR("hook"), 0, INT64_MAX, &ticket, &err), OK);
    pass(2000, 100);
    assert_int_equal(vendor.count, 3);                      /* a release sends nothing else */
    assert_true(was_sent("held"));
    assert_int_equal(deliver_ask_release(world->deliver, STR("hook"), 2, 1, &ticket, &err), ERR_INPUT);
}

static void a_release_that_was_answered_outlives_a_kill(void **state)
{
    uint64_t ticket;
    Err err;
    (void)state;
    start("hook", "webhook", plain);
    say_json(",\"properties\":{\"n\":\"held\"}" STAMP("hold", VIOLATION("hold", "\"properties\",\"n\"")));
    say_json(",\"properties\":{\"n\":\"free\"}");
    pass(2000, 100);
    vendor.outcome = FETCH_NOT_SENT;                        /* so that nothing of it comes before the kill */
    assert_int_equal(deliver_ask_release(world->deliver, STR("hook"), 0, INT64_MAX, &ticket, &err), OK);
    world_step(world);
    assert_int_equal(deliver_wait_asked(world->deliver, ticket, 0, NULL, &err), OK);
    world_crash(world);
    vendor.outcome = FETCH_ANSWERED;
    size_t before = vendor.count;
    pass(10000, 100);
    assert_int_equal(vendor.count - before, 1);
    assert_non_null(strstr(vendor.bodies[before], "held"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(what_breaks_the_plan_is_left_out_on_the_way),
        with_world(an_item_that_breaks_the_plan_takes_its_list_with_it),
        with_world(what_is_reported_alone_goes_as_it_came),
        with_world(what_is_held_goes_when_it_is_released_and_only_then),
        with_world(a_release_that_was_answered_outlives_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
