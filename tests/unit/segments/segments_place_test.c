/* segments_place: the file that is being written is removed, moved or replaced under the process. */
#include "segments/segments_place.c"

#include "tests/model/journal_world.h"

struct place {
    struct world world;
    unsigned astray, found_again, put_back;
    char reason[1024];
};

static struct place place;

static void hear(void *context, const SegmentsNotice *notice)
{
    (void)context;
    place.astray += notice->kind == SEGMENTS_ASTRAY;
    place.found_again += notice->kind == SEGMENTS_FOUND_AGAIN;
    place.put_back += notice->kind == SEGMENTS_PUT_BACK;
    if (notice->kind == SEGMENTS_ASTRAY) snprintf(place.reason, sizeof place.reason, "%s", notice->reason);
}

static void begin(void)
{
    memset(&place, 0, sizeof place);
    world_init(&place.world, 7);
    place.world.options.segment_bytes = 1 << 20;
    place.world.options.notice = hear;
    assert_int_equal(world_open(&place.world), OK);
    for (int turn = 0; turn < 3; turn++) assert_int_equal(world_commit(&place.world, 2, 3, 300), OK);
}

static const char *open_path(void)
{
    static char path[SEGMENTS_PATH_BYTES];
    return segment_path(path, "data", segments_of(place.world.journal)->tail.base, SEGMENT_RAW);
}

static void move(const char *from, const char *to)
{
    struct disk *disk = &place.world.disk.disk;
    assert_int_equal(disk->rename(disk, from, to, NULL), OK);
    assert_int_equal(disk->sync_dir(disk, "data", NULL), OK);
}

static void later(void) { fake_clock_advance(&place.world.clock, 1500); }

/* What was acknowledged is there after a start, whatever became of the process. */
static void end(bool is_crash)
{
    struct world *world = &place.world;
    if (is_crash) fake_disk_die(&world->disk);
    world_close(world);
    if (is_crash) fake_disk_restart(&world->disk, true);
    assert_int_equal(world_open(world), OK);
    world_check(world, true);
    world_done(world);
}

static void remove_it(void) { fake_disk_drop(&place.world.disk, open_path()); }
static void move_it(void) { move(open_path(), "data/elsewhere"); }
static void move_it_back(void) { move("data/elsewhere", open_path()); }
static void replace_it(void)
{
    move_it();
    fake_disk_poke(&place.world.disk, open_path(), 0, STR("somebody else's"));
}
static void move_all(void)
{
    move_it();
    move("data/lock", "data/lock-elsewhere");
    fake_disk_poke(&place.world.disk, "data/lock", 0, STR(""));
}
static void move_all_back(void)
{
    move("data/lock-elsewhere", "data/lock");
    move_it_back();
}
static void replace_by_a_copy(void)
{
    Str bytes = fake_disk_peek(&place.world.disk, open_path());
    move_it();
    fake_disk_poke(&place.world.disk, open_path(), 0, bytes);
}
static void move_and_lose_the_lock(void)
{
    move_it();
    fake_disk_drop(&place.world.disk, "data/lock");
}

static const struct {
    const char *what;
    void (*does)(void), (*undoes)(void);        /* undoes: NULL: it mends itself at once */
} rows[] = {
    { "removed", remove_it, NULL },
    { "moved within the directory", move_it, NULL },
    { "another file in its place", replace_it, move_it_back },
    { "a copy in its place, as an editor or rsync leaves it", replace_by_a_copy, move_it_back },
    { "the directory replaced", move_all, move_all_back },
    { "moved, and the lock removed", move_and_lose_the_lock, move_it_back },
};

static void nothing_is_acknowledged_that_would_not_be_found_again(void **state)
{
    (void)state;
    for (size_t row = 0; row < countof(rows); row++)
        for (int is_crash = 0; is_crash < 2; is_crash++) {
            struct world *world = &place.world;
            JournalStats stats;
            begin();
            JournalPos before = journal_end(world->journal);
            rows[row].does();
            Status s = world_commit(world, 2, 3, 300);
            if (!rows[row].undoes) {
                if (s) fail_msg("%s: %s", rows[row].what, world->err.text);
                assert_int_equal(place.put_back, 1);
                assert_int_equal(place.astray, 0);
                world_check(world, false);                   /* for readers, too */
            } else {
                if (s != ERR_CLOSED) fail_msg("%s: acknowledged", rows[row].what);
                assert_int_equal(journal_end(world->journal), before);
                assert_int_equal(place.astray, 1);
                assert_non_null(strstr(place.reason, "Way out"));
                journal_read_stats(world->journal, &stats);
                assert_true(stats.is_astray && !stats.is_poisoned);
                assert_int_equal(world_submit(world, 1, 1, 50), ERR_CLOSED);     /* not even tried */
                later();
                assert_int_equal(world_commit(world, 1, 1, 50), ERR_CLOSED);
                assert_int_equal(place.astray, 1);           /* said once */
                rows[row].undoes();
                later();
                assert_int_equal(world_maintain(world), OK); /* found by who looks, and by who writes */
                assert_int_equal(place.found_again, 1);
            }
            assert_int_equal(world_commit(world, 2, 3, 300), OK);
            assert_int_equal(world_maintain(world), OK);
            end(is_crash);
        }
}

static void it_is_noticed_where_nothing_is_written(void **state)
{
    (void)state;
    begin();
    replace_it();
    later();
    assert_int_equal(world_maintain(&place.world), OK);
    assert_int_equal(place.astray, 1);
    assert_int_equal(world_submit(&place.world, 1, 1, 50), ERR_CLOSED);
    move_it_back();
    later();
    assert_int_equal(world_commit(&place.world, 1, 1, 50), OK);
    end(false);
    begin();
    remove_it();
    later();
    assert_int_equal(world_maintain(&place.world), OK);
    assert_int_equal(place.put_back, 1);
    end(true);
}

/* A disk that fails in between: nothing is acknowledged then, and it is tried again. */
static void putting_it_back_may_fail(void **state)
{
    bool is_over = false;
    (void)state;
    for (uint64_t call = 1; !is_over; call++) {
        struct world *world = &place.world;
        begin();
        remove_it();
        world->disk.fault = call % 2 ? DISK_FAULT_IO : DISK_FAULT_SHORT_FULL;
        world->disk.fail_at_call = world->disk.calls + call;
        uint64_t faults = world->disk.faults;
        Status s = world_commit(world, 2, 3, 300);
        is_over = world->disk.faults == faults;
        world->disk.fail_at_call = 0;
        assert_true(!is_over || s == OK);
        later();
        if (journal_commit(world->journal, NULL, NULL)) fail_msg("call %llu", (unsigned long long)call);
        later();
        assert_int_equal(world_maintain(world), OK);
        JournalStats stats;
        journal_read_stats(world->journal, &stats);
        if (stats.is_poisoned) {                             /* the sync of the commit itself: the next start decides */
            world_close(world);
            assert_int_equal(world_open(world), OK);
        }
        later();
        if (world_commit(world, 2, 3, 300)) fail_msg("call %llu: %s", (unsigned long long)call, world->err.text);
        end(true);
        assert_true(call < 200);
    }
}

static void a_lock_that_was_removed_is_made_again(void **state)
{
    struct journal *second;
    SegmentsOptions options;
    (void)state;
    begin();
    fake_disk_drop(&place.world.disk, "data/lock");
    later();
    assert_int_equal(world_commit(&place.world, 1, 1, 50), OK);
    options = place.world.options;
    assert_int_equal(segments_open(&options, &second, NULL, NULL), ERR_CONFLICT);
    fake_disk_drop(&place.world.disk, "data/lock");          /* somebody is faster: of two that write, one loses */
    struct disk *disk = &place.world.disk.disk;
    DiskFile file;
    assert_int_equal(disk->open(disk, "data/lock", DISK_CREATE, &file, NULL), OK);
    assert_int_equal(disk->lock(disk, file, NULL), OK);
    later();
    assert_int_equal(world_commit(&place.world, 1, 1, 50), ERR_CLOSED);
    assert_non_null(strstr(place.reason, "another process"));
    disk->close(disk, file);
    later();
    assert_int_equal(world_commit(&place.world, 1, 1, 50), OK);
    end(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_acknowledged_that_would_not_be_found_again),
        cmocka_unit_test(it_is_noticed_where_nothing_is_written),
        cmocka_unit_test(putting_it_back_may_fail),
        cmocka_unit_test(a_lock_that_was_removed_is_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
