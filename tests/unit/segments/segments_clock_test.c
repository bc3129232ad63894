/* segments_clock: a clock that is wrong makes nothing older; a machine that was off, only after a while. */
#include "segments/segments_clock.c"
#include "tests/model/journal_world.h"

enum { MINUTE = 60 * 1000 };
static const Millis AGE = 90 * INT64_C(86400000), YEAR = 365 * INT64_C(86400000), DAY = INT64_C(86400000);

static struct world world;
static size_t notices[4];
static Millis over_for_ms;

static void hear(void *context, const SegmentsNotice *notice)
{
    (void)context;
    notices[notice->kind]++;
    if (notice->kind != SEGMENTS_RETIRED) return;
    assert_true(notice->reason && notice->end > notice->pos);
    over_for_ms = notice->by_ms;
}

static void start(Millis now_ms)
{
    memset(notices, 0, sizeof notices);
    world_init(&world, 3);
    fake_clock_init(&world.clock, now_ms);
    world.options.retention_ms = AGE;
    world.options.notice = hear;
    assert_int_equal(world_open(&world), OK);
    journal_set_hold(world.journal, "test", UINT64_MAX);
}

static void again(void)
{
    world_close(&world);
    assert_int_equal(world_open(&world), OK);
    journal_set_hold(world.journal, "test", UINT64_MAX);
}

static void put(int turns)
{
    for (int turn = 0; turn < turns; turn++) assert_int_equal(world_commit(&world, 1, 3, 400), OK);
}

static uint64_t retired(void)
{
    JournalStats stats;
    assert_int_equal(world_maintain(&world), OK);
    journal_read_stats(world.journal, &stats);
    return stats.retired_segments;
}

/* Watched every hour; for how long nothing more than maintenance happens. */
static void live(Millis ms)
{
    for (; ms > 0; ms -= 60 * MINUTE) {
        fake_clock_advance(&world.clock, ms < 60 * MINUTE ? ms : 60 * MINUTE);
        (void)retired();
    }
}

static void jump(Millis ms) { fake_clock_jump(&world.clock, ms); }

static const Millis NOW = 1790000000000;

static void seconds_of_a_wrong_clock_retire_nothing(void **state)
{
    (void)state;
    static const Millis jumps[] = { 400 * DAY, -400 * DAY, 90 * DAY, 100 * YEAR, -50 * YEAR, 2 * MINUTE };
    for (size_t at = 0; at < countof(jumps); at++)
        for (int commits = 0; commits < 2; commits++) {      /* events come meanwhile, or none do */
            start(NOW);
            put(20);
            jump(jumps[at]);
            if (commits) put(10);
            assert_int_equal(retired(), 0);
            fake_clock_advance(&world.clock, 6000);
            assert_int_equal(retired(), 0);
            jump(-jumps[at]);
            if (commits) put(10);
            assert_int_equal(retired(), 0);
            assert_int_equal(notices[SEGMENTS_CLOCK_JUMP], 2);
            live(80 * DAY);
            assert_int_equal(retired(), 0);
            live(12 * DAY);
            assert_true(retired() > 0);                      /* and when it is time, they go */
            world_done(&world);
        }
}

static void a_clock_that_stays_ahead_retires_nothing_early(void **state)
{
    (void)state;
    start(NOW);
    put(20);
    jump(400 * DAY);
    live(80 * DAY);
    assert_int_equal(retired(), 0);
    again();
    live(5 * DAY);
    assert_int_equal(retired(), 0);                          /* the jump is remembered */
    live(10 * DAY);
    assert_true(retired() > 0);
    world_done(&world);
}

/* Times of commits stand still until the clock has caught up: each start must not take that for one more jump. */
static void set_back_an_hour_it_counts_once_whatever_starts_follow(void **state)
{
    (void)state;
    for (int commits = 0; commits < 2; commits++) {
        start(NOW);
        world.options.retention_ms = DAY;
        again();
        put(20);
        jump(-100 * MINUTE);
        assert_int_equal(retired(), 0);
        for (int starts = 0; starts < 20; starts++) {
            if (commits) put(10);
            fake_clock_advance(&world.clock, MINUTE / 2);
            again();
            assert_int_equal(retired(), 0);
        }
        assert_int_equal(notices[SEGMENTS_CLOCK_JUMP], 1);
        for (int half_hours = 0; half_hours < 46; half_hours++) live(30 * MINUTE);
        assert_int_equal(retired(), 0);
        for (int half_hours = 0; half_hours < 8; half_hours++) live(30 * MINUTE);
        assert_true(retired() > 0);
        world_done(&world);
    }
}

static void started_with_a_wrong_clock_and_set_right_nothing_goes(void **state)
{
    (void)state;
    static const Millis wrong[] = { 400 * DAY, 10 * YEAR, -2 * YEAR, -57 * YEAR + DAY };
    for (size_t at = 0; at < countof(wrong); at++) {
        start(NOW);
        put(20);
        world_close(&world);
        fake_clock_advance(&world.clock, 5 * MINUTE);
        jump(wrong[at]);
        assert_int_equal(world_open(&world), OK);
        journal_set_hold(world.journal, "test", UINT64_MAX);
        put(10);
        assert_int_equal(retired(), 0);
        live(60 * MINUTE);
        jump(-wrong[at]);                                    /* NTP */
        put(10);
        assert_int_equal(retired(), 0);
        again();
        live(80 * DAY);
        assert_int_equal(retired(), 0);
        live(15 * DAY);
        assert_true(retired() > 0);
        world_done(&world);
    }
}

static void a_new_journal_of_1970_is_not_old_when_the_clock_is_set(void **state)
{
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        start(100000);
        put(20);
        if (restarts) world_close(&world);
        jump(NOW);
        if (restarts) assert_int_equal(world_open(&world), OK);
        journal_set_hold(world.journal, "test", UINT64_MAX);
        put(10);
        live(80 * DAY);
        assert_int_equal(retired(), 0);
        live(15 * DAY);
        assert_true(retired() > 0);
        world_done(&world);
    }
}

static void off_for_100_days_they_go_but_not_at_once(void **state)
{
    (void)state;
    start(NOW);
    put(20);
    world_close(&world);
    fake_clock_advance(&world.clock, 100 * DAY);
    assert_int_equal(world_open(&world), OK);
    journal_set_hold(world.journal, "test", UINT64_MAX);
    assert_int_equal(notices[SEGMENTS_CLOCK_GAP], 1);
    put(1);
    live(2 * DAY);
    assert_int_equal(retired(), 0);
    again();                                                 /* a restart begins no new wait */
    live(DAY);
    assert_int_equal(notices[SEGMENTS_CLOCK_CONFIRMED], 1);
    assert_true(retired() > 0);
    assert_int_equal(notices[SEGMENTS_RETIRED], retired());
    assert_true(over_for_ms > AGE);
    world_done(&world);
}

static void an_operator_may_confirm_the_clock(void **state)
{
    (void)state;
    start(NOW);
    put(20);
    jump(400 * DAY);                                         /* a machine that was frozen and thawed, say */
    assert_int_equal(retired(), 0);
    assert_int_equal(disk_write_file(&world.disk.disk, "data/clock-confirmed", STR("yes\n"), &world.err), OK);
    assert_true(retired() > 0);
    assert_null(fake_disk_peek(&world.disk, "data/clock-confirmed").bytes);
    world_done(&world);
}

static void asleep_or_awake_a_long_time_unwatched_waits(void **state)
{
    (void)state;
    start(NOW);
    put(20);
    fake_clock_advance(&world.clock, 100 * DAY);             /* both clocks say so */
    assert_int_equal(retired(), 0);
    live(3 * DAY);
    assert_true(retired() > 0);
    world_done(&world);
}

static void a_crash_in_the_first_second_of_a_jump_retires_nothing(void **state)
{
    (void)state;
    for (int is_back = 0; is_back < 2; is_back++) {
        start(NOW);
        put(20);
        live(3 * 60 * MINUTE);
        jump(400 * DAY);
        put(5);                                              /* stamped wrongly, and nothing written down */
        fake_disk_die(&world.disk);
        world_close(&world);
        fake_disk_restart(&world.disk, false);
        if (is_back) jump(-400 * DAY);
        assert_int_equal(world_open(&world), OK);
        journal_set_hold(world.journal, "test", UINT64_MAX);
        assert_int_equal(retired(), 0);
        live(DAY);
        assert_int_equal(retired(), 0);
        world_done(&world);
    }
}

static void a_pass_has_a_limit(void **state)
{
    (void)state;
    start(NOW);
    put(200);
    live(91 * DAY - 2 * 60 * MINUTE);
    for (uint64_t before = retired(), turn = 0; turn < 5; turn++) {
        fake_clock_advance(&world.clock, MINUTE);
        uint64_t now = retired();
        assert_true(now - before <= 8);
        before = now;
    }
    world_done(&world);
}

static void a_file_that_says_nonsense_stops_nobody(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "\n\n", "seen", "seen x\njump 1\n", "jump 1 2 3 4 5", "pending a b c\n",
                                         "\xff\xfe" };
    for (size_t at = 0; at < countof(texts); at++) {
        start(NOW);
        put(20);
        world_close(&world);
        assert_int_equal(disk_write_file(&world.disk.disk, "data/clock", str_from(texts[at]), &world.err), OK);
        assert_int_equal(world_open(&world), OK);
        journal_set_hold(world.journal, "test", UINT64_MAX);
        assert_int_equal(retired(), 0);
        world_done(&world);
    }
}

static void holds_by_age_do_not_move_with_the_clock(void **state)
{
    (void)state;
    start(NOW);
    put(20);
    JournalPos first = journal_first(world.journal);
    jump(400 * DAY);
    assert_int_equal(journal_find_age(world.journal, 7 * DAY), first);
    jump(-400 * DAY);
    assert_int_equal(journal_find_age(world.journal, 7 * DAY), first);
    live(10 * DAY);
    assert_true(journal_find_age(world.journal, 7 * DAY) > first);
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_of_a_wrong_clock_retire_nothing),
        cmocka_unit_test(a_clock_that_stays_ahead_retires_nothing_early),
        cmocka_unit_test(set_back_an_hour_it_counts_once_whatever_starts_follow),
        cmocka_unit_test(started_with_a_wrong_clock_and_set_right_nothing_goes),
        cmocka_unit_test(a_new_journal_of_1970_is_not_old_when_the_clock_is_set),
        cmocka_unit_test(off_for_100_days_they_go_but_not_at_once),
        cmocka_unit_test(an_operator_may_confirm_the_clock),
        cmocka_unit_test(asleep_or_awake_a_long_time_unwatched_waits),
        cmocka_unit_test(a_crash_in_the_first_second_of_a_jump_retires_nothing),
        cmocka_unit_test(a_pass_has_a_limit),
        cmocka_unit_test(a_file_that_says_nonsense_stops_nobody),
        cmocka_unit_test(holds_by_age_do_not_move_with_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
