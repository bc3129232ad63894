/* segments_strays: at a start the disk is told of the files that will be read, each once and before it is read. What
 * becomes of strays themselves: tests/damage/scenarios and segments_recover_test.c. */
#include "segments/segments_strays.c"

#include "tests/model/journal_world.h"

enum { FILES_MOST = 1000 };

static struct {
    char paths[FILES_MOST][SEGMENTS_PATH_BYTES];
    size_t count, opened, ahead_most;
    Status (*open)(struct disk *disk, const char *path, DiskMode mode, DiskFile *ret, Err *err);
} told;

static void note(struct disk *disk, const char *path, uint64_t bytes)
{
    (void)disk;
    assert_int_equal(bytes, AHEAD_BYTES);
    assert_true(told.count < FILES_MOST);
    for (size_t at = 0; at < told.count; at++) assert_string_not_equal(told.paths[at], path);
    snprintf(told.paths[told.count++], SEGMENTS_PATH_BYTES, "%s", path);
}

/* Of the files that it was told of, they are opened in their order. */
static Status open_noted(struct disk *disk, const char *path, DiskMode mode, DiskFile *ret, Err *err)
{
    if (told.opened < told.count && !strcmp(told.paths[told.opened], path)) told.opened++;
    if (told.count - told.opened > told.ahead_most) told.ahead_most = told.count - told.opened;
    return told.open(disk, path, mode, ret, err);
}

static void files_are_told_before_they_are_read(void **state)
{
    struct world world;
    size_t segments;
    (void)state;
    world_init(&world, 7);
    world.options.segment_bytes = 4096;
    assert_int_equal(world_open(&world), OK);
    for (int turn = 0; turn < 600; turn++) assert_int_equal(world_commit(&world, 2, 3, 300), OK);
    segments = segments_of(world.journal)->segments.count;
    assert_true(segments > AHEAD_FILES + 10);
    world_close(&world);
    memset(&told, 0, sizeof told);
    told.open = world.disk.disk.open;
    world.disk.disk.open = open_noted;
    world.disk.disk.expect = note;
    assert_int_equal(world_open(&world), OK);
    assert_int_equal(told.count, segments);
    assert_int_equal(told.opened, segments);
    assert_true(told.ahead_most > 1 && told.ahead_most <= AHEAD_FILES);
    world_check(&world, true);
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(files_are_told_before_they_are_read) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
