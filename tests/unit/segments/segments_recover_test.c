/* segments_recover: a torn tail is cut, damage is not, and the two are told apart. */
#include "segments/segments_recover.c"
#include "tests/model/journal_world.h"

/* Three commits of three records of 300 bytes in one segment; killed, so that no mark comes after them. */
static int world_make(void **state)
{
    static struct world world;
    world_init(&world, 1);
    world.options.segment_bytes = 1 << 20;
    assert_int_equal(world_open(&world), OK);
    for (int turn = 0; turn < 3; turn++) assert_int_equal(world_commit(&world, 1, 3, 300), OK);
    *state = &world;
    return 0;
}

static int world_remove(void **state)
{
    world_done(*state);
    return 0;
}

static const char tail_path[] = "data/00000000000000000000.journal";

static void kill_journal(struct world *world)
{
    fake_disk_die(&world->disk);
    world_close(world);
    fake_disk_restart(&world->disk, false);
}

static JournalPos frame_end(const WorldRecord *record) { return record->pos + 12 + (record->len + 3) / 4 * 4; }

static void a_torn_record_is_cut_with_what_is_behind_it(void **state)
{
    struct world *world = *state;
    JournalPos end = journal_end(world->journal);
    kill_journal(world);
    fake_disk_flip(&world->disk, tail_path, world->records[7].pos + 20, 1);      /* in the last commit */
    assert_int_equal(world_open(world), OK);
    assert_int_equal(world->recovery.torn_at, world->records[7].pos);
    assert_int_equal(world->recovery.torn_bytes, end - world->records[7].pos);
    assert_int_equal(journal_end(world->journal), world->records[7].pos);
    world->records[7].is_durable = world->records[8].is_durable = false;
    world_check(world, false);
    assert_int_equal(world_commit(world, 1, 2, 100), OK);
    world_check(world, false);
    world_close(world);
    assert_int_equal(world_verify(world).torn_bytes, 0);
}

static void a_torn_tail_may_end_anywhere(void **state)
{
    struct world *world = *state;
    JournalPos from = world->records[5].pos, end = journal_end(world->journal);
    kill_journal(world);
    static char before[1 << 20];
    Str whole = fake_disk_peek(&world->disk, tail_path);
    size_t len = whole.len;
    memcpy(before, whole.bytes, len);
    for (JournalPos cut = frame_end(&world->records[5]); cut < end; cut += 7) {
        fake_disk_cut(&world->disk, tail_path, cut);
        assert_int_equal(world_open(world), OK);
        assert_true(journal_end(world->journal) <= cut && journal_end(world->journal) >= frame_end(&world->records[5]));
        assert_true(world->recovery.torn_bytes <= cut - journal_end(world->journal));        /* zeros do not count */
        kill_journal(world);
        fake_disk_poke(&world->disk, tail_path, 0, str_of(before, len));
    }
    assert_true(from > 0);
}

static void damage_before_a_commit_is_never_cut(void **state)
{
    struct world *world = *state;
    JournalPos last_commit = frame_end(&world->records[5]);
    kill_journal(world);
    for (uint64_t at = 64; at < last_commit; at += 5) {
        fake_disk_flip(&world->disk, tail_path, at, 0x10);
        Status s = world_open(world);
        assert_int_equal(s, ERR_DAMAGED);
        assert_non_null(strstr(world->err.text, "00000000000000000000.journal: position "));
        assert_non_null(strstr(world->err.text, "onym verify"));
        fake_disk_flip(&world->disk, tail_path, at, 0x10);
    }
    assert_int_equal(world_open(world), OK);                 /* and nothing was changed meanwhile */
    world_check(world, false);
}

static void zeros_in_the_midst_are_damage_too(void **state)
{
    struct world *world = *state;
    static const char zeros[600];
    kill_journal(world);
    fake_disk_poke(&world->disk, tail_path, world->records[2].pos, str_of(zeros, sizeof zeros));
    assert_int_equal(world_open(world), ERR_DAMAGED);
    assert_non_null(strstr(world->err.text, "zeros where a frame must be"));
}

static void a_damaged_head_is_damage(void **state)
{
    struct world *world = *state;
    kill_journal(world);
    fake_disk_flip(&world->disk, tail_path, 13, 1);
    assert_int_equal(world_open(world), ERR_DAMAGED);
    assert_non_null(strstr(world->err.text, "head"));
}

static void a_clean_stop_proves_the_last_commit(void **state)
{
    struct world *world = *state;
    world_close(world);                                      /* writes its mark */
    fake_disk_flip(&world->disk, tail_path, world->records[8].pos + 20, 1);
    assert_int_equal(world_open(world), ERR_DAMAGED);
}

static void ignore(struct journal_append *append, Status status, JournalPos first)
{
    (void)append, (void)status, (void)first;
}

static void a_payload_that_mimics_a_commit_frame_proves_nothing(void **state)
{
    struct world *world = *state;
    struct journal_append append;
    char frame[COMMIT_FRAME_BYTES], record[200];
    journal_append_init(&append, 1000);
    append.on_durable = ignore;
    JournalPos pos = journal_end(world->journal) + COMMIT_FRAME_BYTES + FRAME_HEAD_BYTES + 4;
    segments_encode_commit(&(SegmentCommit){ .position = pos, .salt = 0x1234 }, frame);
    (void)segments_chain_frames(str_of(frame, sizeof frame), 0, 0x1234);          /* whole, but for the salt */
    memcpy(record, "xxxx", 4);
    memcpy(record + 4, frame, sizeof frame);
    journal_put_record(&append, str_of(record, 4 + sizeof frame));
    assert_int_equal(journal_submit(world->journal, &append, &world->err), OK);
    assert_int_equal(journal_commit(world->journal, NULL, &world->err), OK);
    kill_journal(world);
    fake_disk_flip(&world->disk, tail_path, pos - 8, 1);     /* the record that carries it is torn */
    assert_int_equal(world_open(world), OK);
    assert_int_equal(world->recovery.torn_at, pos - FRAME_HEAD_BYTES - 4);
    world_check(world, false);
    journal_append_done(&append);
}

static void leftovers_are_removed(void **state)
{
    struct world *world = *state;
    world_close(world);
    fake_disk_poke(&world->disk, "data/00000000000000000000.journal.zst.tmp", 0, STR("half a file"));
    fake_disk_poke(&world->disk, "data/00000000000000000000.journal.zst", 0, STR("older than its raw file"));
    fake_disk_poke(&world->disk, "data/00000000000000009999.journal.tmp", 0, STR("never begun"));
    fake_disk_poke(&world->disk, "data/notes.txt", 0, STR("somebody's"));
    assert_int_equal(world_open(world), OK);
    assert_null(fake_disk_peek(&world->disk, "data/00000000000000000000.journal.zst.tmp").bytes);
    assert_null(fake_disk_peek(&world->disk, "data/00000000000000000000.journal.zst").bytes);
    assert_null(fake_disk_peek(&world->disk, "data/00000000000000009999.journal.tmp").bytes);
    assert_non_null(fake_disk_peek(&world->disk, "data/notes.txt").bytes);
    world_check(world, false);
}

static void a_missing_segment_is_said_at_the_start(void **state)
{
    struct world *world = *state;
    world_close(world);
    world->options.segment_bytes = 1000;
    assert_int_equal(world_open(world), OK);
    for (int turn = 0; turn < 4; turn++) assert_int_equal(world_commit(world, 1, 3, 900), OK);
    world_close(world);
    fake_disk_drop(&world->disk, "data/00000000000000000000.journal");
    assert_int_equal(world_open(world), ERR_DAMAGED);
    assert_non_null(strstr(world->err.text, "the oldest segment is missing"));
}

static void records_are_counted_over_restarts(void **state)
{
    struct world *world = *state;
    world->options.segment_bytes = 2000;
    for (int turn = 0; turn < 12; turn++) {
        assert_int_equal(world_commit(world, 2, 2, 700), OK);
        if (turn % 3 == 0) assert_int_equal(world_maintain(world), OK);
        if (turn % 2 == 0) kill_journal(world);
        else world_close(world);
        assert_int_equal(world_open(world), OK);
        assert_int_equal(segments_of(world->journal)->records, world->count);
    }
    world_check(world, false);
}

static void a_journal_whose_last_segment_is_sealed_goes_on(void **state)
{
    struct world *world = *state;
    uint64_t erased;
    assert_int_equal(world_erase(world, 0, &erased), OK);    /* closes the open segment */
    world_close(world);
    assert_non_null(fake_disk_peek(&world->disk, "data/00000000000000000000.journal.zst").bytes);
    assert_int_equal(world_open(world), OK);
    assert_int_equal(segments_of(world->journal)->records, 9);
    assert_int_equal(segments_of(world->journal)->committed_at_ms, 1700000000000);
    assert_int_equal(world_commit(world, 1, 3, 300), OK);
    world_check(world, false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make, world_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_torn_record_is_cut_with_what_is_behind_it),
        TEST(a_torn_tail_may_end_anywhere),
        TEST(damage_before_a_commit_is_never_cut),
        TEST(zeros_in_the_midst_are_damage_too),
        TEST(a_damaged_head_is_damage),
        TEST(a_clean_stop_proves_the_last_commit),
        TEST(a_payload_that_mimics_a_commit_frame_proves_nothing),
        TEST(leftovers_are_removed),
        TEST(a_missing_segment_is_said_at_the_start),
        TEST(records_are_counted_over_restarts),
        TEST(a_journal_whose_last_segment_is_sealed_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
