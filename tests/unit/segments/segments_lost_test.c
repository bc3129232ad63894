/* segments_lost: a part of the journal is gone. It does not open, and nothing is touched; given up, it goes on after
 * every position that was known, and what can be read is read. */
#include "segments/segments_lost.c"
#include "tests/model/journal_world.h"

enum { RECORDS = 60 };

static struct world world;

/* Some segments of which the first are sealed or not; the end that was known, and where the newest segment begins. */
static JournalPos newest, middle, second;

static void make_world(bool seals)
{
    world_init(&world, 7);
    world.options.known_by = "DATA/reached";
    assert_int_equal(world_open(&world), OK);
    for (int turn = 0; turn < RECORDS / 3; turn++) assert_int_equal(world_commit(&world, 1, 3, 400), OK);
    if (seals) assert_int_equal(world_maintain(&world), OK);
    assert_true(segments_of(world.journal)->segments.count >= 4);
    second = segments_of(world.journal)->segments.rows[1].base;
    middle = segments_of(world.journal)->segments.rows[2].base;
    newest = segments_of(world.journal)->segments.rows[segments_of(world.journal)->segments.count - 1].base;
    world_close(&world);
    assert_int_equal(world_open(&world), OK);
    JournalStats stats;
    journal_read_stats(world.journal, &stats);
    world.options.known_end = stats.end;
    world.options.known_records = stats.records_ever;
    assert_int_equal(stats.records_ever, RECORDS);
    world_close(&world);
}

static const char *path_of(JournalPos base, bool is_sealed)
{
    static char path[SEGMENTS_PATH_BYTES];
    return segment_path(path, "data", base, is_sealed ? SEGMENT_SEALED : SEGMENT_RAW);
}

static void drop(JournalPos base)
{
    char path[SEGMENTS_PATH_BYTES];
    snprintf(path, sizeof path, "%s", path_of(base, false));
    fake_disk_drop(&world.disk, path);
    fake_disk_drop(&world.disk, path_of(base, true));
}

static void lose_newest(void) { drop(newest); }

static void lose_half(void)
{
    char path[SEGMENTS_PATH_BYTES];
    snprintf(path, sizeof path, "%s", path_of(newest, false));
    fake_disk_cut(&world.disk, path, fake_disk_peek(&world.disk, path).len / 2);
}

static void lose_all_but_the_head(void) { fake_disk_cut(&world.disk, path_of(newest, false), SEGMENT_HEAD_BYTES); }

static void lose_the_head(void) { fake_disk_flip(&world.disk, path_of(newest, false), 20, 1); }

static void lose_everything(void)
{
    struct segment_table table;
    segment_table_open(&table);
    assert_int_equal(segment_table_read(&table, &world.disk.disk, "data", NULL, NULL, &world.err), OK);
    for (size_t at = 0; at < table.count; at++) drop(table.rows[at].base);
    segment_table_close(&table);
}

static void lose_two(void) { drop(second), drop(middle); }
static void lose_middle(void) { drop(middle); }
static void lose_first(void) { drop(0); }
static void lose_ends(void) { drop(0), drop(newest); }

static void damage_newest(void)
{
    const WorldRecord *record = NULL;
    for (uint32_t id = 0; id < world.count && !record; id++)
        if (world.records[id].pos >= newest) record = &world.records[id];
    fake_disk_flip(&world.disk, path_of(newest, false), record->pos - newest + 20, 1);
}

static size_t told;
static void count_losses(void *context, const SegmentsLoss *loss)
{
    (void)context;
    assert_true(loss->from < loss->to && loss->what);
    told++;
}

static size_t give(bool does_it)
{
    told = 0;
    Status s = segments_give_up(&world.options, does_it, count_losses, NULL, &world.err);
    if (s) print_error("%s\n", world.err.text);
    assert_int_equal(s, OK);
    return told;
}

/* Every record that is read is what stood there; gives how many. */
static uint32_t read_all(JournalPos *ret_last)
{
    struct journal_reader *reader;
    JournalRecord record;
    uint32_t id = 0, count = 0;
    assert_int_equal(journal_reader_open(world.journal, 0, &reader, &world.err), OK);
    for (;;) {
        uint64_t skipped;
        Status s = journal_read(reader, &record, &world.err);
        if (s == ERR_NOT_FOUND) break;
        if (s == ERR_DAMAGED) {
            assert_int_equal(journal_skip_damage(reader, &skipped, &world.err), OK);
            continue;
        }
        assert_int_equal(s, OK);
        id = world_recognize(&world, &record, id, false);
        assert_int_equal(world.records[id].pos, record.pos);
        *ret_last = record.pos;
        id++, count++;
    }
    journal_reader_close(reader);
    return count;
}

typedef struct Row {
    const char *name;
    void (*lose)(void);
    bool does_seal;
    uint32_t least, most;           /* records that are left */
} Row;

static const Row rows[] = {
    { "the newest segment", lose_newest, false, 30, RECORDS - 1 },
    { "the newest segment, the others sealed", lose_newest, true, 30, RECORDS - 1 },
    { "half of the newest", lose_half, false, 30, RECORDS - 1 },
    { "all of the newest but its head", lose_all_but_the_head, false, 30, RECORDS - 1 },
    { "the newest one's head", lose_the_head, false, 30, RECORDS },
    { "everything", lose_everything, false, 0, 0 },
    { "everything, sealed", lose_everything, true, 0, 0 },
    { "a middle segment", lose_middle, false, 30, RECORDS - 1 },
    { "a sealed middle segment", lose_middle, true, 30, RECORDS - 1 },
    { "two in a row", lose_two, false, 20, RECORDS - 1 },
    { "two sealed in a row", lose_two, true, 20, RECORDS - 1 },
    { "the oldest", lose_first, false, 30, RECORDS - 1 },
    { "the oldest and the newest", lose_ends, true, 20, RECORDS - 1 },
    { "a record of the newest", damage_newest, false, 40, RECORDS - 1 },
};

static void lose_again(const Row *row)
{
    JournalPos last = 0;
    JournalStats stats;
    journal_read_stats(world.journal, &stats);
    newest = segments_of(world.journal)->segments.rows[segments_of(world.journal)->segments.count - 1].base;
    world.options.known_end = stats.end;
    world_close(&world);
    drop(newest);
    if (world_open(&world) != ERR_DAMAGED) print_error("%s\n", row->name);
    assert_null(world.journal);
    assert_int_equal(give(true), 1);
    assert_int_equal(world_open(&world), OK);
    assert_true(journal_end(world.journal) > world.options.known_end);
    (void)read_all(&last);
}

static void live_through(const Row *row)
{
    JournalPos last = 0;
    make_world(row->does_seal);
    JournalPos known = world.options.known_end;
    row->lose();
    for (int turn = 0; turn < 2; turn++) {
        Status s = world_open(&world);
        if (s != ERR_DAMAGED) print_error("%s: it opened\n", row->name);
        assert_int_equal(s, ERR_DAMAGED);
        assert_non_null(strstr(world.err.text, "onym recover"));
        assert_true(give(false) >= 1);                   /* telling changes nothing */
    }
    assert_true(give(true) >= 1);
    if (give(true)) print_error("%s: still something to give up\n", row->name);
    assert_int_equal(told, 0);
    assert_int_equal(world_open(&world), OK);
    uint32_t count = read_all(&last);
    if (count < row->least || count > row->most) print_error("%s: %u are left\n", row->name, count);
    assert_true(count >= row->least && count <= row->most);
    bool is_end_lost = last < newest || row->lose == lose_half;
    assert_int_equal(world_commit(&world, 2, 2, 300), OK);
    if (is_end_lost) assert_true(world.records[world.count - 4].pos > known);
    assert_int_equal(read_all(&last), count + 4);
    assert_int_equal(last, world.records[world.count - 1].pos);
    world_close(&world);
    Status s = world_open(&world);                       /* and it stays so */
    if (s) print_error("%s: %s\n", row->name, world.err.text);
    assert_int_equal(s, OK);
    assert_int_equal(read_all(&last), count + 4);
    assert_int_equal(world_commit(&world, 4, 4, 900), OK);
    Status maintained = world_maintain(&world);          /* a damaged one stays unsealed, which is said */
    assert_true(maintained == OK || maintained == ERR_DAMAGED);
    assert_int_equal(read_all(&last), count + 20);
    lose_again(row);
    world_done(&world);
}

static void what_is_missing_is_given_up_by_decision_only(void **state)
{
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) live_through(&rows[at]);
}

static void the_message_says_how_much(void **state)
{
    (void)state;
    make_world(false);
    lose_everything();
    assert_int_equal(world_open(&world), ERR_DAMAGED);
    assert_non_null(strstr(world.err.text, "60 messages"));
    assert_non_null(strstr(world.err.text, "DATA/reached"));
    assert_non_null(strstr(world.err.text, "--accept-loss"));
    world_done(&world);
}

static void a_whole_journal_has_nothing_to_give_up(void **state)
{
    (void)state;
    JournalPos last;
    make_world(true);
    assert_int_equal(give(true), 0);
    assert_null(fake_disk_peek(&world.disk, "data/lost").bytes);
    assert_int_equal(world_open(&world), OK);
    assert_int_equal(read_all(&last), RECORDS);
    world_done(&world);
}

static void what_was_given_up_can_be_retired(void **state)
{
    (void)state;
    JournalPos last;
    make_world(true);
    lose_two();
    assert_int_equal(give(true), 1);
    world.options.retention_bytes = 1;
    assert_int_equal(world_open(&world), OK);
    assert_int_equal(world_maintain(&world), OK);
    assert_int_equal(segments_of(world.journal)->segments.count, 1);
    world_close(&world);
    assert_int_equal(world_open(&world), OK);
    assert_true(read_all(&last) > 0);
    world_done(&world);
}

/* A crash anywhere on the way leaves something that recover can go on with. */
static void giving_up_survives_a_crash_anywhere(void **state)
{
    (void)state;
    for (uint64_t call = 1; call < 60; call++) {
        JournalPos last;
        make_world(false);
        lose_half();
        world.disk.fail_at_call = world.disk.calls + call;
        world.disk.fault = DISK_FAULT_CRASH;
        Status s = segments_give_up(&world.options, true, NULL, NULL, &world.err);
        bool was_hit = world.disk.is_dead;
        assert_true(was_hit == (s != OK) || !was_hit);
        fake_disk_restart(&world.disk, true);
        (void)give(true);
        assert_int_equal(world_open(&world), OK);
        assert_true(journal_end(world.journal) > world.options.known_end);
        assert_true(read_all(&last) >= 30);
        world_done(&world);
        if (!was_hit) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_given_up_by_decision_only),
        cmocka_unit_test(the_message_says_how_much),
        cmocka_unit_test(a_whole_journal_has_nothing_to_give_up),
        cmocka_unit_test(what_was_given_up_can_be_retired),
        cmocka_unit_test(giving_up_survives_a_crash_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
