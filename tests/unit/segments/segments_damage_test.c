/* Damage, as readers and onym verify find it: each kind is named with its position, nothing whole is lost on
 * the way, nothing is passed over unsaid. Here are journal_read, segments_walk and segments_verify together. */
#include "segments/segments_verify.c"
#include "tests/model/journal_world.h"

struct damage {
    struct world world;
    SegmentsFinding findings[32];
    char texts[32][400], names[32][100];
    size_t count;
    SegmentsVerdict verdict;
};

/* Five segments of one commit each, of six records; the last is the open one. */
static int damage_make(void **state)
{
    static struct damage damage;
    memset(&damage, 0, sizeof damage);
    world_init(&damage.world, 3);
    damage.world.options.segment_bytes = 1000;
    assert_int_equal(world_open(&damage.world), OK);
    for (int turn = 0; turn < 5; turn++) assert_int_equal(world_commit(&damage.world, 2, 3, 800), OK);
    assert_int_equal(segments_of(damage.world.journal)->segments.count, 5);
    *state = &damage;
    return 0;
}

static int damage_remove(void **state)
{
    struct damage *damage = *state;
    world_done(&damage->world);
    return 0;
}

static void note(void *context, const SegmentsFinding *finding)
{
    struct damage *damage = context;
    assert_true(damage->count < countof(damage->findings));
    size_t at = damage->count++;
    damage->findings[at] = *finding;
    snprintf(damage->texts[at], sizeof damage->texts[at], "%.*s", STR_FORMAT(finding->text));
    snprintf(damage->names[at], sizeof damage->names[at], "%.*s", STR_FORMAT(finding->segment));
}

static void verify_all(struct damage *damage)
{
    struct world *world = &damage->world;
    damage->count = 0;
    SegmentsListener listener = { .report = note, .context = damage };
    assert_int_equal(segments_verify(&world->options, &listener, &damage->verdict, &world->err), OK);
}

static const char *path_of(struct damage *damage, size_t segment, SegmentForm form)
{
    static char path[SEGMENTS_PATH_BYTES];
    return segment_path(path, "data", segments_of(damage->world.journal)->segments.rows[segment].base, form);
}

/* Reads everything over all damage. Gives how many records came and how many places were damaged; the ids
 * that came are in order and as they were written. */
static uint64_t read_over(struct world *world, struct journal *journal, uint64_t *ret_places, JournalPos *first_place)
{
    struct journal_reader *reader;
    JournalRecord record;
    uint64_t count = 0, skipped = 0, before = UINT64_MAX;
    uint32_t id = 0;
    *ret_places = 0;
    assert_int_equal(journal_reader_open(journal, 0, &reader, &world->err), OK);
    for (;;) {
        Status s = journal_read(reader, &record, &world->err);
        if (s == OK) {
            id = world_recognize(world, &record, id, false);
            assert_int_equal(world->records[id].pos, record.pos);
            id++;
            count++;
            continue;
        }
        if (s == ERR_NOT_FOUND) break;
        assert_int_equal(s, ERR_DAMAGED);
        assert_int_equal(journal_read(reader, &record, &world->err), ERR_DAMAGED);       /* and stays so */
        const char *at = strstr(world->err.text, "position ");
        assert_non_null(at);
        JournalPos place = strtoull(at + 9, NULL, 10);
        if ((*ret_places)++ == 0 && first_place) *first_place = place;
        assert_true(place != before);
        before = place;
        assert_int_equal(journal_skip_damage(reader, &skipped, &world->err), OK);
        assert_true(skipped > 0);
    }
    journal_reader_close(reader);
    return count;
}

static void a_whole_journal_has_nothing_to_report(void **state)
{
    struct damage *damage = *state;
    verify_all(damage);
    assert_int_equal(damage->count, 0);
    assert_int_equal(damage->verdict.records, 30);
    assert_int_equal(damage->verdict.segments, 5);
    assert_int_equal(damage->verdict.bytes, journal_end(damage->world.journal));
    assert_int_equal(world_maintain(&damage->world), OK);
    verify_all(damage);
    assert_int_equal(damage->count, 0);
    assert_int_equal(damage->verdict.records, 30);
    assert_true(damage->verdict.disk_bytes < damage->verdict.bytes);
}

static void a_flipped_bit_costs_its_record(void **state)
{
    struct damage *damage = *state;
    struct world *world = &damage->world;
    uint64_t places;
    JournalPos place;
    fake_disk_flip(&world->disk, path_of(damage, 1, SEGMENT_RAW),
                   world->records[8].pos - segments_of(world->journal)->segments.rows[1].base + 15, 4);
    assert_int_equal(read_over(world, world->journal, &places, &place), 29);
    assert_int_equal(places, 1);
    assert_int_equal(place, world->records[8].pos);
    verify_all(damage);
    assert_int_equal(damage->count, 1);
    assert_int_equal(damage->findings[0].pos, world->records[8].pos);
    assert_string_equal(damage->texts[0], "the frame's checksum or length is wrong");
    assert_true(strstr(path_of(damage, 1, SEGMENT_RAW), damage->names[0]) != NULL);
    assert_int_equal(damage->verdict.records, 29);
}

static void every_flipped_bit_of_a_closed_segment_is_found(void **state)
{
    struct damage *damage = *state;
    struct world *world = &damage->world;
    size_t bytes = fake_disk_peek(&world->disk, path_of(damage, 1, SEGMENT_RAW)).len;
    for (size_t at = 0; at < bytes; at += 3) {
        uint64_t places;
        fake_disk_flip(&world->disk, path_of(damage, 1, SEGMENT_RAW), at, (unsigned char)(1 << at % 8));
        verify_all(damage);
        assert_int_equal(damage->verdict.damaged_places, 1);
        assert_true(damage->verdict.records >= 29);
        assert_int_equal(read_over(world, world->journal, &places, NULL), damage->verdict.records);
        assert_int_equal(places, 1);
        fake_disk_flip(&world->disk, path_of(damage, 1, SEGMENT_RAW), at, (unsigned char)(1 << at % 8));
    }
    verify_all(damage);
    assert_int_equal(damage->verdict.damaged_places, 0);
}

/* But for a few bits of zstd's that mean nothing (a reserved one in each frame's head, and the like): then the
 * content is what it was. */
static void every_flipped_bit_of_a_sealed_segment_is_found(void **state)
{
    unsigned harmless = 0;
    struct damage *damage = *state;
    struct world *world = &damage->world;
    assert_int_equal(world_maintain(world), OK);
    size_t bytes = fake_disk_peek(&world->disk, path_of(damage, 1, SEGMENT_SEALED)).len;
    for (size_t at = 0; at < bytes; at++) {
        uint64_t places;
        fake_disk_flip(&world->disk, path_of(damage, 1, SEGMENT_SEALED), at, (unsigned char)(1 << at % 8));
        verify_all(damage);
        assert_int_equal(read_over(world, world->journal, &places, NULL), damage->verdict.records);
        assert_true(damage->verdict.records >= 24);
        assert_int_equal(places == 0, damage->verdict.damaged_places == 0);
        if (places == 0) assert_int_equal(damage->verdict.records, 30);
        harmless += places == 0;
        fake_disk_flip(&world->disk, path_of(damage, 1, SEGMENT_SEALED), at, (unsigned char)(1 << at % 8));
    }
    assert_true(harmless <= 8);
    verify_all(damage);
    assert_int_equal(damage->verdict.damaged_places, 0);
}

static void a_damaged_head_hides_no_record(void **state)
{
    struct damage *damage = *state;
    struct world *world = &damage->world;
    uint64_t places;
    fake_disk_flip(&world->disk, path_of(damage, 2, SEGMENT_RAW), 12, 1);        /* the salt */
    assert_int_equal(read_over(world, world->journal, &places, NULL), 30);       /* commit frames carry it, too */
    assert_int_equal(places, 1);
    verify_all(damage);
    assert_int_equal(damage->verdict.records, 30);
    assert_int_equal(damage->count, 1);
    assert_non_null(strstr(damage->texts[0], "head"));
}

static void a_short_segment_is_said_where_it_ends(void **state)
{
    struct damage *damage = *state;
    struct world *world = &damage->world;
    uint64_t places;
    JournalPos base = segments_of(world->journal)->segments.rows[1].base;
    fake_disk_cut(&world->disk, path_of(damage, 1, SEGMENT_RAW), world->records[9].pos - base + 5);
    assert_int_equal(read_over(world, world->journal, &places, NULL), 27);
    assert_int_equal(places, 1);
    verify_all(damage);
    assert_int_equal(damage->verdict.records, 27);
    assert_true(damage->verdict.damaged_places >= 1);
    assert_int_equal(damage->findings[0].pos, world->records[9].pos);
    fake_disk_cut(&world->disk, path_of(damage, 1, SEGMENT_RAW), world->records[9].pos - base);  /* at a frame's end */
    assert_int_equal(read_over(world, world->journal, &places, NULL), 27);
    verify_all(damage);
    assert_int_equal(damage->count, 1);
    assert_string_equal(damage->texts[0], "the segment ends here, before the next one begins");
    assert_int_equal(damage->findings[0].pos, world->records[9].pos);
}

static void a_long_segment_is_said_where_it_should_end(void **state)
{
    struct damage *damage = *state;
    struct world *world = &damage->world;
    const Segment *row = &segments_of(world->journal)->segments.rows[1];
    fake_disk_poke(&world->disk, path_of(damage, 1, SEGMENT_RAW), row->end - row->base, STR("more"));
    verify_all(damage);
    assert_int_equal(damage->count, 1);
    assert_int_equal(damage->findings[0].pos, row->end);
    assert_int_equal(damage->verdict.records, 30);
}

static void a_missing_segment_is_said_and_passed_over(void **state)
{
    struct damage *damage = *state;
    struct world *world = &damage->world;
    uint64_t places;
    struct journal *beside;
    fake_disk_drop(&world->disk, path_of(damage, 2, SEGMENT_RAW));
    assert_int_equal(read_over(world, world->journal, &places, NULL), 24);
    assert_int_equal(places, 1);
    assert_int_equal(segments_open_read_only(&world->options, &beside, &world->err), OK);
    assert_int_equal(read_over(world, beside, &places, NULL), 24);
    assert_int_equal(places, 1);
    journal_close(beside);
    verify_all(damage);
    assert_int_equal(damage->verdict.damaged_places, 1);
    assert_int_equal(damage->findings[0].pos, segments_of(world->journal)->segments.rows[1].end);
    fake_disk_drop(&world->disk, path_of(damage, 0, SEGMENT_RAW));
    verify_all(damage);
    assert_int_equal(damage->verdict.damaged_places, 2);
    assert_non_null(strstr(damage->texts[0], "the oldest segment is missing"));
    assert_int_equal(damage->findings[0].pos, 0);
}

static void frames_of_another_segment_do_not_pass(void **state)
{
    struct damage *damage = *state;
    struct world *world = &damage->world;
    static char other[2000];
    Str from = fake_disk_peek(&world->disk, path_of(damage, 3, SEGMENT_RAW));
    memcpy(other, from.bytes + 64, 500);
    fake_disk_poke(&world->disk, path_of(damage, 1, SEGMENT_RAW), 64, str_of(other, 500));
    uint64_t places;
    uint64_t count = read_over(world, world->journal, &places, NULL);
    assert_true(places >= 1 && count < 30);
}

static void a_torn_tail_is_harmless_and_said_as_such(void **state)
{
    struct damage *damage = *state;
    struct world *world = &damage->world;
    fake_disk_flip(&world->disk, path_of(damage, 4, SEGMENT_RAW),
                   world->records[28].pos - segments_of(world->journal)->segments.rows[4].base + 14, 1);
    verify_all(damage);
    assert_int_equal(damage->verdict.damaged_places, 0);
    assert_int_equal(damage->count, 1);
    assert_true(damage->findings[0].is_torn_tail);
    assert_int_equal(damage->findings[0].pos, world->records[28].pos);
    assert_int_equal(damage->verdict.records, 28);
    assert_true(damage->verdict.torn_bytes > 0);
}

static void a_damaged_segment_is_not_sealed(void **state)
{
    struct damage *damage = *state;
    struct world *world = &damage->world;
    JournalStats stats;
    fake_disk_flip(&world->disk, path_of(damage, 1, SEGMENT_RAW), 300, 1);
    assert_int_equal(world_maintain(world), ERR_DAMAGED);
    assert_non_null(strstr(world->err.text, "stays unsealed"));
    fake_clock_advance(&world->clock, 20000);
    assert_int_equal(world_maintain(world), OK);             /* said once; the others are sealed */
    journal_read_stats(world->journal, &stats);
    assert_int_equal(stats.sealed_segments, 3);
    assert_non_null(fake_disk_peek(&world->disk, path_of(damage, 1, SEGMENT_RAW)).bytes);
}

static void note_progress(void *context, uint64_t done_bytes, uint64_t all_bytes)
{
    uint64_t *last = context;
    assert_true(done_bytes >= *last && done_bytes <= all_bytes);
    *last = done_bytes;
}

static void progress_comes_to_its_end(void **state)
{
    struct damage *damage = *state;
    struct world *world = &damage->world;
    uint64_t last = 0;
    SegmentsListener listener = { .progress = note_progress, .context = &last };
    assert_int_equal(segments_verify(&world->options, &listener, &damage->verdict, &world->err), OK);
    assert_int_equal(last, journal_end(world->journal));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, damage_make, damage_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_journal_has_nothing_to_report),
        TEST(a_flipped_bit_costs_its_record),
        TEST(every_flipped_bit_of_a_closed_segment_is_found),
        TEST(every_flipped_bit_of_a_sealed_segment_is_found),
        TEST(a_damaged_head_hides_no_record),
        TEST(a_short_segment_is_said_where_it_ends),
        TEST(a_long_segment_is_said_where_it_should_end),
        TEST(a_missing_segment_is_said_and_passed_over),
        TEST(frames_of_another_segment_do_not_pass),
        TEST(a_torn_tail_is_harmless_and_said_as_such),
        TEST(a_damaged_segment_is_not_sealed),
        TEST(progress_comes_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
