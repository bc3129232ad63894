/* segments_retire: what goes, when, and what never. */
#include "segments/segments_retire.c"
#include "tests/model/journal_world.h"

enum { MINUTE = 60 * 1000, RETENTION = 32 * MINUTE };        /* so an open segment is closed after a minute */

static int world_make(void **state)
{
    static struct world world;
    world_init(&world, 1);
    world.options.retention_ms = RETENTION;
    world.options.segment_bytes = 1 << 20;
    world.may_retire = true;
    world.hold = UINT64_MAX;
    assert_int_equal(world_open(&world), OK);
    *state = &world;
    return 0;
}

static int world_remove(void **state)
{
    world_done(*state);
    return 0;
}

static JournalStats maintain(struct world *world)
{
    JournalStats stats;
    assert_int_equal(world_maintain(world), OK);
    journal_read_stats(world->journal, &stats);
    return stats;
}

static void put(struct world *world) { assert_int_equal(world_commit(world, 1, 3, 300), OK); }

/* The process watches meanwhile; closed, nobody does. */
static void later(struct world *world, Millis ms)
{
    for (; world->journal && ms > MINUTE / 2; ms -= MINUTE / 2) {
        fake_clock_advance(&world->clock, MINUTE / 2);
        (void)segments_clock_look(segments_of(world->journal));
    }
    fake_clock_advance(&world->clock, ms);
}

static void an_idle_journal_retires_its_last_events_on_time(void **state)
{
    struct world *world = *state;
    put(world);
    JournalPos end = journal_end(world->journal);
    later(world, RETENTION);
    assert_int_equal(maintain(world).retired_segments, 0);   /* to the millisecond */
    later(world, 1);
    JournalStats stats = maintain(world);
    assert_int_equal(stats.retired_segments, 1);
    assert_int_equal(journal_first(world->journal), end);
    assert_int_equal(stats.raw_bytes, 0);
}

static void an_event_stays_for_all_of_the_retention_and_little_longer(void **state)
{
    struct world *world = *state;
    for (int minute = 0; minute < 200; minute++) {
        put(world);
        later(world, MINUTE / 2);
        put(world);
        later(world, MINUTE / 2);
        (void)maintain(world);
        Millis now_ms = clock_now_ms(&world->clock.clock);
        const Segment *oldest = &segments_of(world->journal)->segments.rows[0];
        assert_true(oldest->created_at_ms >= now_ms - RETENTION - 3 * MINUTE);
        if (minute >= 35) assert_true(oldest->created_at_ms <= now_ms - RETENTION + MINUTE);
    }
    world->hold = journal_first(world->journal);             /* from here on all must be there */
    world_check(world, false);
}

static void a_busy_segment_is_closed_for_its_age(void **state)
{
    struct world *world = *state;
    put(world);
    later(world, RETENTION / SLICES);
    assert_int_equal(maintain(world).sealed_segments, 0);
    later(world, 1);
    assert_int_equal(maintain(world).sealed_segments, 1);
    put(world);
    world->hold = 0;
    world_check(world, false);
}

static void an_idle_journal_closes_its_segment_once(void **state)
{
    struct world *world = *state;
    put(world);
    for (int day = 0; day < 100; day++) {
        later(world, 24 * 60 * MINUTE);
        assert_true(maintain(world).segments <= 2);
    }
    put(world);                                              /* and goes on where it was */
    world->hold = journal_first(world->journal);
    world_check(world, false);
}

static void a_hold_keeps_what_is_too_old(void **state)
{
    struct world *world = *state;
    put(world);
    journal_set_hold(world->journal, "test", 0);
    later(world, 3 * RETENTION);
    assert_int_equal(maintain(world).retired_segments, 0);
    assert_int_equal(journal_due(world->journal), journal_end(world->journal));      /* so who holds may make way */
    journal_set_hold(world->journal, "test", UINT64_MAX);
    assert_int_equal(maintain(world).retired_segments, 1);
    assert_int_equal(journal_due(world->journal), 0);
}

static void a_restart_forgets_no_age(void **state)
{
    struct world *world = *state;
    put(world);
    JournalPos end = journal_end(world->journal);
    later(world, RETENTION / 2);
    (void)maintain(world);                                   /* closed and sealed */
    world_close(world);
    later(world, RETENTION);
    assert_int_equal(world_open(world), OK);
    assert_int_equal(maintain(world).retired_segments, 0);   /* it was off for long, or the clock is wrong */
    later(world, 59 * MINUTE);
    assert_int_equal(maintain(world).retired_segments, 0);
    later(world, MINUTE);
    assert_int_equal(maintain(world).retired_segments, 1);
    assert_int_equal(journal_first(world->journal), end);
    world_close(world);                                      /* nothing but a head is left: positions go on */
    assert_int_equal(world_open(world), OK);
    put(world);
    assert_true(world->records[3].pos > end);
    world->hold = end;
    world_check(world, false);
}

static void a_disk_down_to_its_reserve_is_made_room_on(void **state)
{
    struct world *world = *state;
    world_close(world);
    world->options.reserve_bytes = 5000;
    world->options.segment_bytes = 4096;
    world->disk.capacity_bytes = 30000;
    assert_int_equal(world_open(world), OK);
    Status s;
    while ((s = world_commit(world, 1, 1, 500)) == OK) later(world, 200);
    assert_int_equal(s, ERR_FULL);
    later(world, RETENTION + MINUTE);
    assert_true(maintain(world).retired_segments > 0);
    put(world);                                              /* there is room again */
    world->hold = journal_first(world->journal);
    world_check(world, false);
}

static void without_a_retention_nothing_goes(void **state)
{
    struct world *world = *state;
    world_close(world);
    world->options.retention_ms = 0;
    assert_int_equal(world_open(world), OK);
    put(world);
    later(world, 1000 * RETENTION);
    JournalStats stats = maintain(world);
    assert_int_equal(stats.retired_segments, 0);
    assert_int_equal(stats.segments, 1);
    world->options.retention_ms = RETENTION;
}

static void by_size_the_oldest_go_until_it_fits(void **state)
{
    struct world *world = *state;
    world_close(world);
    world->options.retention_ms = 0;
    world->options.retention_bytes = 20000;
    world->options.segment_bytes = 4096;
    assert_int_equal(world_open(world), OK);
    for (int turn = 0; turn < 200; turn++) put(world);
    JournalStats stats = maintain(world);
    assert_true(stats.retired_segments > 5 && stats.disk_bytes <= 20000 && stats.disk_bytes > 2000);
    world->hold = journal_first(world->journal);
    world_check(world, false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make, world_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_idle_journal_retires_its_last_events_on_time),
        TEST(an_event_stays_for_all_of_the_retention_and_little_longer),
        TEST(a_busy_segment_is_closed_for_its_age),
        TEST(an_idle_journal_closes_its_segment_once),
        TEST(a_hold_keeps_what_is_too_old),
        TEST(a_restart_forgets_no_age),
        TEST(a_disk_down_to_its_reserve_is_made_room_on),
        TEST(without_a_retention_nothing_goes),
        TEST(by_size_the_oldest_go_until_it_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
