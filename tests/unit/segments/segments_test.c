/* segments: submitting and committing; full disks, failed writes, failed syncs. */
#include "segments/segments.c"
#include "tests/model/journal_world.h"

static int world_make(void **state)
{
    static struct world world;
    world_init(&world, 1);
    assert_int_equal(world_open(&world), OK);
    *state = &world;
    return 0;
}

static int world_remove(void **state)
{
    world_done(*state);
    return 0;
}

static void what_was_committed_is_read_at_the_position_that_was_told(void **state)
{
    struct world *world = *state;
    assert_int_equal(world_commit(world, 1, 1, 100), OK);
    assert_int_equal(world->records[0].pos, 64 + 44);        /* after the head and the commit frame */
    for (int turn = 0; turn < 30; turn++) assert_int_equal(world_commit(world, 3, 2, 500), OK);
    world_check(world, false);
    JournalStats stats;
    journal_read_stats(world->journal, &stats);
    assert_int_equal(stats.commits, 31);
    assert_int_equal(stats.records, 181);
    assert_true(stats.segments > 5);
    assert_int_equal(stats.end, journal_end(world->journal));
    world_close(world);
    assert_int_equal(world_open(world), OK);
    assert_int_equal(world->recovery.torn_bytes, 0);
    world_check(world, false);
}

/* A data directory that was just made, and whose own name nobody has synced. */
static void the_directory_of_a_new_journal_outlives_a_power_cut(void **state)
{
    static const struct { const char *data, *dir; } places[] = { { "/data", "/data/journal" },
                                                                 { "data", "data/journal" } };
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        const char *data = places[seed % 2].data;
        struct journal *journal;
        struct fake_disk disk;
        struct fake_clock clock;
        struct fake_dice dice;
        SegmentsRecovery recovery;
        char path[32];
        Err err;
        fake_disk_init(&disk, seed);
        fake_clock_init(&clock, 1700000000000);
        fake_dice_init(&dice, seed);
        SegmentsOptions options = { .dir = places[seed % 2].dir, .disk = &disk.disk, .clock = &clock.clock,
                                    .dice = &dice.dice, .segment_bytes = 65536, .reserve_bytes = 1 };
        assert_int_equal(disk.disk.make_dir(&disk.disk, data, &err), OK);
        assert_int_equal(segments_open(&options, &journal, &recovery, &err), OK);
        snprintf(path, sizeof path, "%s/file", data);
        assert_int_equal(disk_write_file(&disk.disk, path, STR("a small one beside it"), &err), OK);
        fake_disk_die(&disk);
        journal_close(journal);
        fake_disk_restart(&disk, true);
        assert_true(str_equal(fake_disk_peek(&disk, path), STR("a small one beside it")));
        fake_disk_done(&disk);
    }
}

static void several_appends_share_a_write_and_a_sync(void **state)
{
    struct world *world = *state;
    assert_int_equal(world_commit(world, 1, 1, 100), OK);
    uint64_t before = world->disk.calls;
    fake_clock_advance(&world->clock, 1);                    /* not yet time to ask for the free space again */
    assert_int_equal(world_commit(world, 16, 2, 30), OK);
    assert_int_equal(world->disk.calls - before, 2);
}

static void a_commit_never_straddles_segments(void **state)
{
    struct world *world = *state;
    for (int turn = 0; turn < 40; turn++) assert_int_equal(world_commit(world, 2, 1, 1400), OK);
    char path[SEGMENTS_PATH_BYTES];
    for (size_t at = 0; at < segments_of(world->journal)->segments.count; at++) {
        const Segment *row = &segments_of(world->journal)->segments.rows[at];
        Str bytes = fake_disk_peek(&world->disk, segment_path(path, "data", row->base, SEGMENT_RAW));
        uint32_t salt = get_u32(bytes.bytes + 12);
        assert_true(segments_is_commit_at(str_slice(bytes, 64, bytes.len), row->base + 64, salt, false));
    }
    world_check(world, false);
}

static void a_commit_larger_than_a_segment_gets_its_own(void **state)
{
    struct world *world = *state;
    assert_int_equal(world_commit(world, 1, 1, 50), OK);
    assert_int_equal(world_commit(world, 1, 3, 60000), OK);
    assert_int_equal(world_commit(world, 1, 1, 50), OK);
    assert_int_equal(segments_of(world->journal)->segments.count, 3);
    world_check(world, false);
}

static void an_empty_append_hears_too(void **state)
{
    struct world *world = *state;
    assert_int_equal(world_commit(world, 3, 0, 50), OK);
    assert_int_equal(world_commit(world, 2, 1, 50), OK);
    uint64_t records = 7;
    assert_int_equal(journal_commit(world->journal, &records, NULL), OK);        /* nothing to do */
    assert_int_equal(records, 0);
    world_check(world, false);
}

static void what_does_not_fit_is_refused_before_it_is_queued(void **state)
{
    struct world *world = *state;
    struct journal_append small;
    journal_append_init(&small, 100);
    small.on_durable = world_on_durable;
    journal_put_record(&small, STR("short"));
    journal_put_record(&small, STR("this one is so long that it does not go into the hundred bytes of the append"));
    assert_int_equal(journal_submit(world->journal, &small, &world->err), ERR_TOO_LARGE);
    journal_append_done(&small);
    assert_false(journal_wait_submitted(world->journal, 0));
}

/* For who looks before he sends: it is said for a while, and taken back by a commit or by time. */
static void a_disk_that_fails_is_told_and_believed_again(void **state)
{
    struct world *world = *state;
    JournalStats stats;
    assert_int_equal(world_commit(world, 1, 1, 1000), OK);
    for (int turn = 0; turn < 2; turn++) {
        fake_clock_advance(&world->clock, 1000);
        world->disk.fail_at_call = world->disk.calls + 1;
        world->disk.fail_count = 2;                          /* the free space, which does not count, and the write */
        assert_int_equal(world_commit(world, 1, 1, 1000), ERR_IO);
        journal_read_stats(world->journal, &stats);
        assert_true(stats.is_failing && !stats.is_full && !stats.is_poisoned);
        if (turn == 0) fake_clock_advance(&world->clock, 10001);
        else assert_int_equal(world_commit(world, 1, 1, 1000), OK);
        journal_read_stats(world->journal, &stats);
        assert_false(stats.is_failing);
    }
    world_check(world, false);
}

static void a_full_disk_refuses_for_a_second_and_heals(void **state)
{
    struct world *world = *state;
    assert_int_equal(world_commit(world, 1, 1, 1000), OK);
    world->disk.capacity_bytes = 1;
    assert_int_equal(world_commit(world, 2, 2, 1000), ERR_FULL);
    JournalStats stats;
    journal_read_stats(world->journal, &stats);
    assert_true(stats.is_full && stats.full_failures == 1);
    uint64_t calls = world->disk.calls;
    assert_int_equal(world_submit(world, 1, 1, 10), ERR_FULL);       /* at once, without asking the disk */
    assert_int_equal(world->disk.calls, calls);
    fake_clock_advance(&world->clock, 1001);
    assert_int_equal(world_commit(world, 1, 1, 1000), ERR_FULL);     /* tried again, still full */
    world->disk.capacity_bytes = 0;
    fake_clock_advance(&world->clock, 999);
    assert_int_equal(world_submit(world, 1, 1, 10), ERR_FULL);
    fake_clock_advance(&world->clock, 2);
    assert_int_equal(world_commit(world, 1, 1, 1000), OK);
    journal_read_stats(world->journal, &stats);
    assert_false(stats.is_full);
    world_check(world, false);
}

static void the_reserve_is_not_touched(void **state)
{
    struct world *world = *state;
    world_close(world);
    world->options.reserve_bytes = 5000;
    world->disk.capacity_bytes = 20000;
    assert_int_equal(world_open(world), OK);
    Status s;
    while ((s = world_commit(world, 1, 1, 500)) == OK) fake_clock_advance(&world->clock, 200);
    assert_int_equal(s, ERR_FULL);
    uint64_t free_bytes;
    assert_int_equal(world->disk.disk.free_bytes(&world->disk.disk, "data", &free_bytes, NULL), OK);
    assert_in_range(free_bytes, 3000, 5000);
    world_check(world, false);
}

static void a_failed_write_is_cut_back_and_the_append_can_be_submitted_again(void **state)
{
    struct world *world = *state;
    assert_int_equal(world_commit(world, 1, 1, 1000), OK);
    world->disk.fault = DISK_FAULT_SHORT;
    world->disk.fail_at_call = world->disk.calls + 1;
    world->disk.fail_count = 2;                              /* the free space, which does not count, and the write */
    fake_clock_advance(&world->clock, 1000);
    assert_int_equal(world_commit(world, 1, 2, 900), ERR_IO);
    assert_non_null(strstr(world->err.text, "journal data: commit at "));
    assert_int_equal(journal_submit(world->journal, &world->appends[0], &world->err), OK);
    assert_int_equal(journal_commit(world->journal, NULL, &world->err), OK);
    world_check(world, false);
    assert_true(world->records[1].is_durable && world->records[2].is_durable);
}

static void a_failed_sync_poisons(void **state)
{
    struct world *world = *state;
    assert_int_equal(world_commit(world, 1, 1, 1000), OK);
    fake_clock_advance(&world->clock, 1);
    world->disk.fault = DISK_FAULT_SYNC_LOST;
    world->disk.fail_at_call = world->disk.calls + 2;        /* write, sync */
    assert_int_equal(world_commit(world, 2, 1, 500), ERR_IO);
    JournalStats stats;
    journal_read_stats(world->journal, &stats);
    assert_true(stats.is_poisoned && stats.sync_failures == 1);
    assert_int_equal(world_submit(world, 1, 1, 10), ERR_CLOSED);
    assert_non_null(strstr(world->err.text, "start again"));
    world_check(world, false);                               /* readers see what is durable, and no more */
    world_close(world);
    fake_disk_restart(&world->disk, false);
    assert_int_equal(world_open(world), OK);
    assert_int_equal(world_commit(world, 1, 1, 10), OK);
    world_check(world, true);
}

static void a_sync_that_lost_pages_is_made_good_by_the_next_start(void **state)
{
    struct world *world = *state;
    assert_int_equal(world_commit(world, 1, 1, 1000), OK);
    fake_clock_advance(&world->clock, 1);
    world->disk.fault = DISK_FAULT_SYNC_LOST;
    world->disk.fail_at_call = world->disk.calls + 2;
    assert_int_equal(world_commit(world, 2, 2, 900), ERR_IO);
    world_close(world);
    fake_disk_restart(&world->disk, false);                  /* the kernel lives, and shows what is not on disk */
    assert_int_equal(world_open(world), OK);
    world_check(world, true);                                /* from here on they count as durable */
    assert_int_equal(world_commit(world, 1, 1, 10), OK);
    fake_disk_die(&world->disk);
    world_close(world);
    fake_disk_restart(&world->disk, true);                   /* now it shows only what is */
    assert_int_equal(world_open(world), OK);
    world_check(world, true);
}

static void closing_fails_what_is_pending(void **state)
{
    struct world *world = *state;
    assert_int_equal(world_submit(world, 3, 1, 100), OK);
    world_close(world);
    assert_int_equal(world->heard_count, 3);
    for (int at = 0; at < 3; at++) assert_int_equal(world->heard[at], ERR_CLOSED);
    assert_int_equal(world_open(world), OK);
    world_check(world, false);
}

static void one_process_owns_a_directory(void **state)
{
    struct world *world = *state;
    struct journal *second;
    assert_int_equal(segments_open(&world->options, &second, NULL, &world->err), ERR_CONFLICT);
    assert_string_equal(world->err.text, "journal data: another process has the lock");
    world_close(world);
    assert_int_equal(world_open(world), OK);
}

static void a_group_has_a_limit_and_the_rest_waits(void **state)
{
    struct world *world = *state;
    enum { MANY = GROUP_APPENDS_MAX + 10 };
    static struct journal_append appends[MANY];
    uint64_t records;
    for (size_t at = 0; at < MANY; at++) {
        journal_append_init(&appends[at], 100);
        appends[at].owner = world;
        appends[at].on_durable = world_on_durable;
        assert_int_equal(journal_submit(world->journal, &appends[at], &world->err), OK);
    }
    struct journal_append *group = take_group(segments_of(world->journal));
    size_t count = 0;
    for (struct journal_append *append = group; append; append = append->next) count++;
    assert_int_equal(count, GROUP_APPENDS_MAX);
    assert_true(journal_wait_submitted(world->journal, 0));
    group = take_group(segments_of(world->journal));
    for (count = 0; group; group = group->next) count++;
    assert_int_equal(count, 10);
    assert_false(journal_wait_submitted(world->journal, 0));
    assert_int_equal(journal_commit(world->journal, &records, NULL), OK);
    for (size_t at = 0; at < MANY; at++) journal_append_done(&appends[at]);
}

static void a_clock_that_steps_back_does_not_make_commits_older(void **state)
{
    struct world *world = *state;
    assert_int_equal(world_commit(world, 1, 1, 10), OK);
    Millis first_ms = segments_of(world->journal)->committed_at_ms;
    fake_clock_jump(&world->clock, -3600 * 1000);
    assert_int_equal(world_commit(world, 1, 1, 10), OK);
    assert_int_equal(segments_of(world->journal)->committed_at_ms, first_ms);
    fake_clock_jump(&world->clock, -48 * 3600 * 1000);       /* but a clock that was far ahead is not kept for ever */
    assert_int_equal(world_commit(world, 1, 1, 10), OK);
    assert_int_equal(segments_of(world->journal)->committed_at_ms, first_ms - 49 * 3600 * 1000);
}

static void small_commits_write_ahead_and_large_ones_do_not(void **state)
{
    struct world *world = *state;
    world_close(world);
    world->options.segment_bytes = 4 << 20;
    assert_int_equal(world_open(world), OK);
    assert_int_equal(world_commit(world, 1, 1, 100), OK);
    uint64_t ahead = segments_of(world->journal)->tail.ahead;
    assert_int_equal(ahead, segments_of(world->journal)->tail.used + AHEAD_BYTES);
    while (segments_of(world->journal)->tail.used < AHEAD_BYTES) assert_int_equal(world_commit(world, 1, 2, 30000), OK);
    assert_int_equal(world_commit(world, 16, 2, 40000), OK);
    assert_int_equal(segments_of(world->journal)->tail.ahead, segments_of(world->journal)->tail.used);
    world_check(world, false);
    assert_int_equal(world_commit(world, 1, 1, 100), OK);
    fake_disk_die(&world->disk);
    world_close(world);
    fake_disk_restart(&world->disk, false);
    assert_int_equal(world_open(world), OK);
    assert_int_equal(world->recovery.torn_bytes, 0);         /* zeros ahead are no torn tail */
    world_check(world, false);
    world_close(world);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make, world_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_committed_is_read_at_the_position_that_was_told),
        cmocka_unit_test(the_directory_of_a_new_journal_outlives_a_power_cut),
        TEST(several_appends_share_a_write_and_a_sync),
        TEST(a_commit_never_straddles_segments),
        TEST(a_commit_larger_than_a_segment_gets_its_own),
        TEST(an_empty_append_hears_too),
        TEST(what_does_not_fit_is_refused_before_it_is_queued),
        TEST(a_disk_that_fails_is_told_and_believed_again),
        TEST(a_full_disk_refuses_for_a_second_and_heals),
        TEST(the_reserve_is_not_touched),
        TEST(a_failed_write_is_cut_back_and_the_append_can_be_submitted_again),
        TEST(a_failed_sync_poisons),
        TEST(a_sync_that_lost_pages_is_made_good_by_the_next_start),
        TEST(closing_fails_what_is_pending),
        TEST(one_process_owns_a_directory),
        TEST(a_group_has_a_limit_and_the_rest_waits),
        TEST(a_clock_that_steps_back_does_not_make_commits_older),
        TEST(small_commits_write_ahead_and_large_ones_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
