/* segments_table: names, and what a directory of them means. */
#include "segments/segments_table.c"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void names_are_read_and_written(void **state)
{
    char text[SEGMENTS_PATH_BYTES];
    JournalPos base;
    SegmentForm form;
    (void)state;
    assert_true(str_equal(segment_name(text, 134092148, SEGMENT_RAW), STR("00000000000134092148.journal")));
    assert_string_equal(segment_path(text, "/a/b", 7, SEGMENT_SEALED), "/a/b/00000000000000000007.journal.zst");
    for (int each = SEGMENT_RAW; each <= SEGMENT_TEMPORARY; each++) {
        assert_true(segment_parse_name(segment_name(text, 42, (SegmentForm)each), &base, &form));
        assert_true(base == 42 && form == (SegmentForm)each);
    }
    static const char *const strangers[] = {
        "", "lock", "0000000000000000000.journal", "000000000000000000001.journal", "0000000000000000000x.journal",
        "00000000000000000001.journa", "00000000000000000001.journal.gz", "00000000000000000001", "lost+found",
        "99999999999999999999.journal", "18446744073709551615.journal",
    };
    for (size_t at = 0; at < countof(strangers); at++)
        assert_false(segment_parse_name(str_from(strangers[at]), &base, &form));
}

struct world {
    struct fake_disk disk;
    struct segment_table table;
    char leftovers[1000];
    Err err;
};

static Status note_leftover(void *context, const char *path, bool is_retired, Err *err)
{
    struct world *world = context;
    size_t len = strlen(world->leftovers);
    (void)err;
    snprintf(world->leftovers + len, sizeof world->leftovers - len, "%s%s;", path, is_retired ? " retired" : "");
    return OK;
}

static int world_make(void **state)
{
    static struct world world;
    fake_disk_init(&world.disk, 1);
    segment_table_open(&world.table);
    world.leftovers[0] = 0;
    assert_int_equal(world.disk.disk.make_dir(&world.disk.disk, "d", NULL), OK);
    *state = &world;
    return 0;
}

static int world_remove(void **state)
{
    struct world *world = *state;
    segment_table_close(&world->table);
    fake_disk_done(&world->disk);
    return 0;
}

static void put_file(struct world *world, const char *path, size_t bytes)
{
    static const char zeros[1000];
    fake_disk_poke(&world->disk, path, 0, str_of(zeros, bytes));
}

static Status read_table(struct world *world)
{
    world->table.count = 0;
    world->leftovers[0] = 0;
    Status s = segment_table_read(&world->table, &world->disk.disk, "d", note_leftover, world, &world->err);
    return s ? s : segment_table_check(&world->table, "d", &world->err);
}

static void a_directory_becomes_a_table(void **state)
{
    struct world *world = *state;
    assert_int_equal(read_table(world), OK);
    assert_int_equal(world->table.count, 0);
    put_file(world, "d/lock", 0);
    put_file(world, "d/00000000000000000000.journal.zst", 30);
    put_file(world, "d/00000000000000000100.journal", 200);
    put_file(world, "d/00000000000000000100.journal.zst", 20);           /* sealing did not come to its end */
    put_file(world, "d/00000000000000000300.journal", 70);
    put_file(world, "d/00000000000000000300.journal.zst.tmp", 5);
    put_file(world, "d/00000000000000000370.journal.tmp", 5);
    assert_int_equal(read_table(world), OK);
    assert_int_equal(world->table.count, 3);
    const Segment *rows = world->table.rows;
    assert_true(rows[0].is_sealed && rows[0].base == 0 && rows[0].end == 100 && rows[0].disk_bytes == 30);
    assert_true(!rows[1].is_sealed && rows[1].base == 100 && rows[1].end == 300);
    assert_true(!rows[2].is_sealed && rows[2].base == 300 && rows[2].end == 370);
    assert_true(rows[1].has_twin && !rows[0].has_twin && !rows[2].has_twin);
    assert_string_equal(world->leftovers, "d/00000000000000000300.journal.zst.tmp;"
                                          "d/00000000000000000370.journal.tmp;");
    assert_int_equal(segment_table_find(&world->table, 0), 0);
    assert_int_equal(segment_table_find(&world->table, 99), 0);
    assert_int_equal(segment_table_find(&world->table, 100), 1);
    assert_int_equal(segment_table_find(&world->table, 369), 2);
    assert_int_equal(segment_table_find(&world->table, 370), 3);
}

static void what_is_missing_is_said_with_its_position(void **state)
{
    struct world *world = *state;
    put_file(world, "d/00000000000000000000.journal", 100);
    put_file(world, "d/00000000000000000300.journal", 70);
    assert_int_equal(read_table(world), ERR_DAMAGED);
    assert_string_equal(world->err.text, "d/00000000000000000000.journal: position 100: 100 bytes, but the next "
                                         "segment begins at 300. Bring back what is missing; or `onym recover` shows "
                                         "what would be given up");
    fake_disk_drop(&world->disk, "d/00000000000000000000.journal");
    assert_int_equal(read_table(world), ERR_DAMAGED);
    assert_string_equal(world->err.text, "d: position 0: the oldest segment is missing; the first that is there begins "
                                         "at 300. Bring it back from a backup; or `onym recover` shows what would be "
                                         "given up");
}

static void what_was_retired_is_not_missed(void **state)
{
    struct world *world = *state;
    put_file(world, "d/00000000000000000000.journal", 100);
    put_file(world, "d/00000000000000000300.journal", 70);
    assert_int_equal(segment_put_oldest(&world->disk.disk, "d", 300, &world->err), OK);
    assert_true(str_equal(fake_disk_peek(&world->disk, "d/oldest"), STR("00000000000000000300\n")));
    assert_int_equal(read_table(world), OK);
    assert_int_equal(world->table.count, 1);
    assert_string_equal(world->leftovers, "d/00000000000000000000.journal retired;");
    fake_disk_poke(&world->disk, "d/oldest", 0, STR("rubbish"));
    assert_int_equal(read_table(world), ERR_DAMAGED);
}

static void rows_go_in_by_base(void **state)
{
    struct world *world = *state;
    static const JournalPos bases[] = { 50, 10, 30, 70, 0 };
    for (size_t at = 0; at < countof(bases); at++)
        segment_table_insert(&world->table, (Segment){ .base = bases[at], .end = bases[at] + 5 });
    for (size_t at = 1; at < world->table.count; at++)
        assert_true(world->table.rows[at - 1].base < world->table.rows[at].base);
    segment_table_remove(&world->table, 0);
    assert_int_equal(world->table.rows[0].base, 10);
    assert_int_equal(world->table.count, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_and_written),
        cmocka_unit_test_setup_teardown(a_directory_becomes_a_table, world_make, world_remove),
        cmocka_unit_test_setup_teardown(what_is_missing_is_said_with_its_position, world_make, world_remove),
        cmocka_unit_test_setup_teardown(what_was_retired_is_not_missed, world_make, world_remove),
        cmocka_unit_test_setup_teardown(rows_go_in_by_base, world_make, world_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
