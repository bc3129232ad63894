/* deliver_operator: what was asked for and answered is done, whatever happens to the process. */
#include "deliver_fixture.h"

static const char *const plain[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning", NULL };

static void a_replay_sends_what_happened_in_its_time_once_more(void **state)
{
    Millis now_ms = world->clock.now_ms;
    uint64_t ticket;
    Err err;
    (void)state;
    start("hook", "webhook", plain);
    say(EVENT_TRACK, "u", "", -30000);
    say(EVENT_TRACK, "u", "", -20000);
    say(EVENT_TRACK, "u", "", -10000);
    pass(1000, 100);
    assert_int_equal(vendor.count, 3);
    assert_int_equal(deliver_ask_replay(world->deliver, STR("hook"), now_ms - 25000, now_ms - 15000, &ticket, &err),
                     OK);
    pass(1000, 100);
    assert_int_equal(vendor.count, 4);
    assert_string_equal(vendor.bodies[3], vendor.bodies[1]);
    assert_false(state_of(0).is_replaying);
    assert_int_equal(fake_rows_count(&world->rows, "hook", 'r'), 0);
    assert_int_equal(deliver_ask_replay(world->deliver, STR("hook"), 2, 1, &ticket, &err), ERR_INPUT);
}

/* Asks, lets the deliverer step once, and has the answer; then the process dies. */
static void ask_for_a_replay_and_die(const char *name)
{
    uint64_t ticket;
    Err err;
    assert_int_equal(deliver_ask_replay(world->deliver, str_from(name), 0, INT64_MAX, &ticket, &err), OK);
    world_step(world);
    assert_int_equal(deliver_wait_asked(world->deliver, ticket, 0, NULL, &err), OK);
    world_crash(world);
}

static void a_replay_that_was_answered_outlives_a_kill(void **state)
{
    (void)state;
    start("hook", "webhook", plain);
    for (int at = 0; at < 5; at++) say(EVENT_TRACK, "u", "", -30000 + at * 1000);       /* one person: one line */
    pass(2000, 100);
    assert_int_equal(vendor.count, 5);
    vendor.outcome = FETCH_NOT_SENT;                    /* so that nothing of it comes before the kill */
    ask_for_a_replay_and_die("hook");
    vendor.outcome = FETCH_ANSWERED;
    size_t before = vendor.count;
    pass(10000, 100);
    assert_int_equal(vendor.count - before, 5);
    for (size_t at = 0; at < 5; at++) assert_string_equal(vendor.bodies[before + at], vendor.bodies[at]);
    assert_false(state_of(0).is_replaying);
    assert_int_equal(fake_rows_count(&world->rows, "hook", 'r'), 0);
    assert_int_equal(fake_rows_count(&world->rows, "hook", 'p'), 0);
}

/* What waits for others of its person has no row of its own yet when the whole journal has been read. */
static void a_replay_goes_on_after_a_kill_at_any_step(void **state)
{
    (void)state;
    for (int steps = 1; steps < 12; steps++) {
        uint64_t ticket;
        Err err;
        teardown(NULL);
        setup(NULL);
        start("hook", "webhook", plain);
        for (int at = 0; at < 5; at++) say(EVENT_TRACK, "u", "", -30000 + at * 1000);
        pass(2000, 100);
        assert_int_equal(deliver_ask_replay(world->deliver, STR("hook"), 0, INT64_MAX, &ticket, &err), OK);
        for (int step = 0; step < steps; step++) {
            world_step(world);
            fake_clock_advance(&world->clock, 100);
        }
        world_crash(world);
        pass(10000, 100);
        for (int at = 1; at <= 5; at++) {
            char id[32];
            snprintf(id, sizeof id, "message-%d", at);
            if (count_bodies(id) < 2) fail_msg("%s was not replayed after a kill at step %d", id, steps);
        }
        assert_int_equal(fake_rows_count(&world->rows, "hook", 'p'), 0);
    }
}

/* The first one was asked of a vendor that is away: its deliveries stand in lines. */
static void a_replay_takes_the_place_of_the_one_under_way(void **state)
{
    uint64_t ticket;
    Err err;
    (void)state;
    start("hook", "webhook", plain);
    for (int at = 0; at < 5; at++) say(EVENT_TRACK, "u", "", -30000 + at * 1000);
    pass(2000, 100);
    assert_int_equal(vendor.count, 5);
    vendor.outcome = FETCH_NOT_SENT;
    for (int round = 0; round < 3; round++) {
        assert_int_equal(deliver_ask_replay(world->deliver, STR("hook"), 0, INT64_MAX, &ticket, &err), OK);
        pass(1000, 100);
        if (round == 1) world_crash(world);
    }
    vendor.outcome = FETCH_ANSWERED;
    size_t before = vendor.count;
    pass(600000, 1000);
    assert_int_equal(vendor.count - before, 5);                     /* not once for each that was asked */
    assert_int_equal(deliver_ask_replay(world->deliver, STR("hook"), 0, INT64_MAX, &ticket, &err), OK);
    pass(10000, 100);
    assert_int_equal(vendor.count - before, 10);                    /* what the last one did does not hide anything */
    assert_int_equal(fake_rows_count(&world->rows, "hook", 'p'), 0);
}

static void what_cannot_be_begun_is_answered_so_and_taken_back(void **state)
{
    uint64_t ticket;
    Err err;
    (void)state;
    start("hook", "webhook", plain);
    say(EVENT_TRACK, "u", "", -30000);
    pass(2000, 100);
    assert_int_equal(vendor.count, 1);
    assert_int_equal(deliver_ask_replay(world->deliver, STR("hook"), 0, INT64_MAX, &ticket, &err), OK);
    assert_int_equal(deliver_wait_asked(world->deliver, ticket, 0, NULL, &err), ERR_TIMEOUT);     /* nobody steps */
    assert_int_equal(deliver_ask_replay(world->deliver, STR("hook"), 0, INT64_MAX, &ticket, &err), OK);
    atomic_bool is_left = true;                              /* nor waits anybody any more */
    assert_int_equal(deliver_wait_asked(world->deliver, ticket, INT64_MAX / 2000000, &is_left, &err), ERR_TIMEOUT);
    pass(2000, 100);
    assert_int_equal(vendor.count, 1);
    world->rows.full_from = world->rows.commits, world->rows.full_until = UINT64_MAX;
    assert_int_equal(deliver_ask_replay(world->deliver, STR("hook"), 0, INT64_MAX, &ticket, &err), OK);
    world_step(world);
    assert_int_equal(deliver_wait_asked(world->deliver, ticket, 0, NULL, &err), ERR_TIMEOUT);     /* the disk is full */
    assert_non_null(strstr(err.text, "hook"));
}

static void a_redo_of_all_outlives_a_kill(void **state)
{
    uint64_t ticket;
    Err err;
    (void)state;
    vendor.status = 422;
    start("hook", "webhook", plain);
    for (int at = 0; at < 5; at++) say(EVENT_TRACK, "u", "", -30000 + at * 1000);
    pass(2000, 100);
    assert_int_equal(fake_rows_count(&world->rows, "hook", 'd'), 5);
    assert_int_equal(deliver_ask_redo(world->deliver, STR("hook"), 0, &ticket, &err), OK);
    world_step(world);
    assert_int_equal(deliver_wait_asked(world->deliver, ticket, 0, NULL, &err), OK);
    world_crash(world);
    vendor.status = 200;
    pass(10000, 100);
    assert_int_equal(fake_rows_count(&world->rows, "hook", 'd'), 0);
    assert_int_equal(fake_rows_count(&world->rows, "hook", 'a'), 0);
    assert_true(vendor.count >= 10);
}

/* As after a restart: bytes that are no record, and may stay alone for long. */
static void the_head_of_a_segment_is_nothing_to_wait_for(void **state)
{
    SegmentsOptions options = { .dir = "journal", .disk = &world->disk.disk, .clock = &world->clock.clock,
                               .dice = &world->dice.dice };
    uint64_t ticket;
    Err err;
    (void)state;
    start("hook", "webhook", plain);
    say(EVENT_TRACK, "u", "", -30000);
    pass(1000, 100);
    JournalPos end = journal_end(world->journal);
    deliver_close(world->deliver);
    journal_close(world->journal);
    assert_int_equal(segments_open(&options, &world->journal, NULL, &err), OK);
    assert_true(journal_end(world->journal) > end);
    world_start(world);
    world->known = journal_end(world->journal);
    pass(5000, 500);
    assert_int_equal(state_of(0).lag_bytes, 0);
    assert_int_equal(state_of(0).lag_ms, 0);
    assert_int_equal(deliver_ask_replay(world->deliver, STR("hook"), 0, INT64_MAX, &ticket, &err), OK);
    pass(2000, 100);
    assert_int_equal(vendor.count, 2);
    assert_false(state_of(0).is_replaying);
    world_crash(world);
    say(EVENT_TRACK, "u", "", -1000);
    pass(2000, 100);
    assert_int_equal(vendor.count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(a_replay_sends_what_happened_in_its_time_once_more),
        with_world(a_replay_that_was_answered_outlives_a_kill),
        with_world(a_replay_goes_on_after_a_kill_at_any_step),
        with_world(a_replay_takes_the_place_of_the_one_under_way),
        with_world(what_cannot_be_begun_is_answered_so_and_taken_back),
        with_world(a_redo_of_all_outlives_a_kill),
        with_world(the_head_of_a_segment_is_nothing_to_wait_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
