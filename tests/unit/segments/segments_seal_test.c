/* segments_seal: a sealed segment is the raw one, byte for byte but for the checksums; smaller; and until it is
 * safe on disk the raw one stays. Crashes at every disk call: tests/model/journal_faults_test.c. */
#include "segments/segments_seal.c"
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

static JournalStats stats_of(struct world *world)
{
    JournalStats stats;
    journal_read_stats(world->journal, &stats);
    return stats;
}

static Str file_of(struct world *world, size_t at, SegmentForm form)
{
    char path[SEGMENTS_PATH_BYTES];
    JournalPos base = segments_of(world->journal)->segments.rows[at].base;
    return fake_disk_peek(&world->disk, segment_path(path, "data", base, form));
}

static void fill(struct world *world, int commits)
{
    for (int turn = 0; turn < commits; turn++) assert_int_equal(world_commit(world, 2, 3, 400), OK);
}

/* As zstdcat would do it: every frame of the file, the seek table being one to skip. */
static size_t unpack(Str packed, char *bytes, size_t most)
{
    size_t len = ZSTD_decompress(bytes, most, packed.bytes, packed.len);
    assert_false(ZSTD_isError(len));
    return len;
}

static void any_zstd_unpacks_it_to_the_raw_segment(void **state)
{
    struct world *world = *state;
    static char raw[8192], again[8192];
    fill(world, 10);
    Str before = file_of(world, 0, SEGMENT_RAW);
    size_t len = before.len;
    assert_in_range(len, 1000, sizeof raw);
    memcpy(raw, before.bytes, len);
    assert_int_equal(world_maintain(world), OK);
    assert_null(file_of(world, 0, SEGMENT_RAW).bytes);
    Str sealed = file_of(world, 0, SEGMENT_SEALED);
    assert_true(sealed.len < len * 2 / 3);
    assert_int_equal(unpack(sealed, again, sizeof again), len);
    for (size_t at = SEGMENT_HEAD_BYTES; at < len;) {        /* checksums are zstd's matter now */
        uint32_t payload = get_u32(raw + at) & 0x7fffffff;
        memset(raw + at + 4, 0, 8);
        at += FRAME_HEAD_BYTES + (payload + 3) / 4 * 4;
    }
    assert_memory_equal(raw + SEGMENT_HEAD_BYTES, again + SEGMENT_HEAD_BYTES, len - SEGMENT_HEAD_BYTES);
}

static void the_open_segment_is_left_alone(void **state)
{
    struct world *world = *state;
    fill(world, 1);
    assert_int_equal(world_maintain(world), OK);
    assert_int_equal(stats_of(world).sealed_segments, 0);
    fill(world, 60);
    assert_int_equal(world_maintain(world), OK);
    assert_int_equal(stats_of(world).sealed_segments, stats_of(world).segments - 1);
    world_check(world, false);
}

static void every_position_of_a_sealed_segment_can_be_begun_at(void **state)
{
    struct world *world = *state;
    struct journal_reader *reader;
    JournalRecord record;
    fill(world, 60);
    assert_int_equal(world_maintain(world), OK);
    for (uint32_t id = 0; id < world->count; id++) {
        assert_int_equal(journal_reader_open(world->journal, world->records[id].pos, &reader, &world->err), OK);
        assert_int_equal(journal_read(reader, &record, &world->err), OK);
        assert_int_equal(record.pos, world->records[id].pos);
        (void)world_recognize(world, &record, id, false);
        journal_reader_close(reader);
    }
}

static void a_reader_goes_on_over_the_change(void **state)
{
    struct world *world = *state;
    struct journal_reader *reader;
    JournalRecord record;
    fill(world, 60);
    assert_int_equal(journal_reader_open(world->journal, 0, &reader, &world->err), OK);
    for (uint32_t id = 0; id < world->count; id++) {
        if (id == 3 || id == world->count / 2) assert_int_equal(world_maintain(world), OK);
        assert_int_equal(journal_read(reader, &record, &world->err), OK);
        assert_int_equal(world_recognize(world, &record, id, false), id);
    }
    journal_reader_close(reader);
}

static void a_large_segment_takes_several_steps(void **state)
{
    struct world *world = *state;
    bool is_more = true;
    int steps = 0;
    world_close(world);
    world->options.segment_bytes = 12 << 20;
    assert_int_equal(world_open(world), OK);
    while (stats_of(world).segments < 2) assert_int_equal(world_commit(world, 1, 2, LIMIT_RECORD_BYTES), OK);
    for (; is_more; steps++) assert_int_equal(journal_maintain(world->journal, &is_more, &world->err), OK);
    assert_true(steps >= 3);
    assert_int_equal(stats_of(world).sealed_segments, 1);
    world_check(world, false);
}

static void a_full_disk_leaves_the_raw_segment_and_is_tried_again(void **state)
{
    struct world *world = *state;
    fill(world, 30);
    uint64_t used = stats_of(world).disk_bytes;
    world->disk.capacity_bytes = used + 300;                 /* too little for even one */
    assert_int_equal(world_maintain(world), ERR_FULL);
    assert_int_equal(stats_of(world).sealed_segments, 0);
    assert_null(file_of(world, 0, SEGMENT_TEMPORARY).bytes);
    world->disk.capacity_bytes = 0;
    assert_int_equal(world_maintain(world), OK);             /* not yet: trouble is left alone for ten seconds */
    assert_int_equal(stats_of(world).sealed_segments, 0);
    fake_clock_advance(&world->clock, 10001);
    assert_int_equal(world_maintain(world), OK);
    assert_true(stats_of(world).sealed_segments > 0);
    world_check(world, false);
}

static void what_is_sealed_is_verified_and_survives_a_power_cut(void **state)
{
    struct world *world = *state;
    fill(world, 60);
    assert_int_equal(world_maintain(world), OK);
    uint64_t records = world->count;
    world_close(world);
    fake_disk_restart(&world->disk, true);
    SegmentsVerdict verdict = world_verify(world);
    assert_int_equal(verdict.damaged_places, 0);
    assert_int_equal(verdict.records, records);
    assert_int_equal(world_open(world), OK);
    world_check(world, false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make, world_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(any_zstd_unpacks_it_to_the_raw_segment),
        TEST(the_open_segment_is_left_alone),
        TEST(every_position_of_a_sealed_segment_can_be_begun_at),
        TEST(a_reader_goes_on_over_the_change),
        TEST(a_large_segment_takes_several_steps),
        TEST(a_full_disk_leaves_the_raw_segment_and_is_tried_again),
        TEST(what_is_sealed_is_verified_and_survives_a_power_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
