/* deliver: zeros in a state mean that everything durable is done, whenever and however soon one looks. */
#include "deliver_fixture.h"

static const char *const plain[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning", NULL };

/* As it is published now: no time passes, no step is made. */
static DeliverState look(void)
{
    DeliverState states[DESTINATIONS_MOST];
    assert_int_equal(deliver_read_states(world->deliver, states, DESTINATIONS_MOST), world->config_count);
    return states[0];
}

static void assert_busy(const char *when)
{
    DeliverState state = look();
    if (!state.unfinished || !state.lag_ms || !(state.lag_bytes + state.unfinished)) fail_msg("all is done %s", when);
}

static void assert_done(void)
{
    DeliverState state = look();
    assert_int_equal(state.unfinished + state.lag_bytes + (uint64_t)state.lag_ms, 0);
}

static void what_was_just_accepted_shows_at_once(void **state)
{
    (void)state;
    start("hook", "webhook", plain);
    pass(1000, 100);
    assert_done();
    for (int round = 0; round < 5; round++) {
        say(EVENT_TRACK, "u", "", 0);
        assert_busy("before the deliverer has seen it");
        world->known = 1;                       /* identity is behind */
        for (int at = 0; at < 5; at++) {
            world_step(world);
            assert_busy("while identity is behind");
        }
        world->known = journal_end(world->journal);
        while (vendor.count == (size_t)round) {
            world_step(world);
            if (vendor.count == (size_t)round) assert_busy("while it settles");
            fake_clock_advance(&world->clock, 37);
        }
        pass(600, 100);
        assert_done();
    }
}

/* A message that is retried shows all the time. */
static void what_is_tried_again_shows_all_the_time(void **state)
{
    (void)state;
    vendor.status = 500;
    start("hook", "webhook", plain);
    pass(1000, 100);
    say(EVENT_TRACK, "u", "", 0);
    for (int at = 0; at < 300; at++) {
        assert_busy("while it is refused");
        world_step(world);
        fake_clock_advance(&world->clock, 97);
    }
    vendor.status = 200;
    pass(600000, 1000);
    assert_done();
}

static void a_destination_that_is_not_taken_over_yet_is_not_done(void **state)
{
    Err err;
    (void)state;
    say(EVENT_TRACK, "u", "", -1000);
    start("hook", "webhook", plain);
    assert_int_equal(look().condition, DELIVER_WAITING);
    assert_true(look().unfinished > 0);
    pass(2000, 100);
    assert_done();
    world_add_destination(world, "second", "webhook", plain);
    assert_int_equal(deliver_set_config(world->deliver, world->configs, 2, &err), OK);
    DeliverState states[DESTINATIONS_MOST];
    assert_int_equal(deliver_read_states(world->deliver, states, DESTINATIONS_MOST), 2);
    assert_string_equal(states[1].name, "second");
    assert_string_equal(states[1].type, "webhook");
    assert_true(states[1].unfinished > 0);
    pass(2000, 100);
    assert_done();
    world->configs[0].is_enabled = false;
    assert_int_equal(deliver_set_config(world->deliver, world->configs, 2, &err), OK);
    pass(1000, 100);
    say(EVENT_TRACK, "u", "", -1000);
    assert_int_equal(look().condition, DELIVER_DISABLED);
    assert_int_equal(look().unfinished, 0);
    world->configs[0].is_enabled = true;
    assert_int_equal(deliver_set_config(world->deliver, world->configs, 2, &err), OK);
    assert_true(look().unfinished > 0);
    pass(2000, 100);
    assert_done();
}

static void a_replay_and_a_redo_show_from_their_answer_on(void **state)
{
    uint64_t ticket;
    Err err;
    (void)state;
    vendor.script[0] = vendor.script[1] = 400;
    vendor.script_count = 2;
    start("hook", "webhook", plain);
    say(EVENT_TRACK, "u", "", -1000);
    say(EVENT_TRACK, "v", "", -1000);
    pass(2000, 100);
    assert_done();
    assert_int_equal(deliver_ask_redo(world->deliver, STR("hook"), 0, &ticket, &err), OK);
    world_step(world);
    assert_int_equal(deliver_wait_asked(world->deliver, ticket, 0, NULL, &err), OK);
    if (vendor.count < 4) assert_true(look().unfinished > 0);
    pass(2000, 100);
    assert_int_equal(vendor.count, 4);
    assert_done();
    assert_int_equal(deliver_ask_replay(world->deliver, STR("hook"), 0, world->clock.now_ms, &ticket, &err), OK);
    for (int at = 0; vendor.count < 6; at++) {
        world_step(world);
        fake_clock_advance(&world->clock, 7);
        if (vendor.count < 6) assert_true(look().unfinished > 0);
        assert_true(at < 1000);
    }
    pass(2000, 100);
    assert_done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(what_was_just_accepted_shows_at_once),
        with_world(what_is_tried_again_shows_all_the_time),
        with_world(a_destination_that_is_not_taken_over_yet_is_not_done),
        with_world(a_replay_and_a_redo_show_from_their_answer_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
