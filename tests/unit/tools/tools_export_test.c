/* tools_export, tools_output, tools_fingerprints: each message once, whatever the size of the journal, and a
 * file that is there only when it is whole. */
#include "tools/tools_export.c"

#include "segments/segments.h"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <zlib.h>

static Err err;

/* ---- The set ---- */

static void a_set_says_of_each_fingerprint_once_that_it_is_new(void **state)
{
    (void)state;
    struct fingerprints set;
    struct fake_dice dice;
    fake_dice_init(&dice, fake_seed("fingerprints"));
    fingerprints_open(&set);
    bool was_seen[5000] = { 0 };
    for (int turn = 0; turn < 200000; turn++) {
        uint64_t which = fake_dice_below(&dice, turn < 1000 ? 50 : countof(was_seen));
        Hash128 fingerprint = { which % 7 == 0 ? which << 40 : which, which * 0x9e3779b97f4a7c15u };
        assert_int_equal(fingerprints_add(&set, fingerprint), !was_seen[which]);
        was_seen[which] = true;
    }
    fingerprints_clear(&set);
    assert_true(fingerprints_add(&set, (Hash128){ 5, 5 }));
    fingerprints_close(&set);
}

static void a_set_grows_over_all_its_doublings(void **state)
{
    (void)state;
    struct fingerprints set;
    enum { MANY = 300000 };
    fingerprints_open(&set);
    for (uint64_t at = 0; at < MANY; at++)
        assert_true(fingerprints_add(&set, hash_128(str_of(&at, sizeof at), 1)));
    for (uint64_t at = 0; at < MANY; at++)
        assert_false(fingerprints_add(&set, hash_128(str_of(&at, sizeof at), 1)));
    assert_int_equal(set.count, MANY);
    assert_true(set.slot_count * sizeof(Hash128) <= 16 * 1024 * 1024);
    fingerprints_close(&set);
}

/* ---- Exports of a journal on a fake disk ---- */

struct world {
    struct fake_disk disk;
    struct fake_clock clock;
    struct fake_dice dice;
    struct journal *journal;
    struct journal_append append;
};

static void note_durable(struct journal_append *append, Status status, JournalPos first)
{
    (void)append, (void)first;
    assert_int_equal(status, OK);
}

static void world_open(struct world *world, uint64_t seed)
{
    fake_disk_init(&world->disk, seed);
    fake_clock_init(&world->clock, 1700000000000);
    fake_dice_init(&world->dice, seed);
    SegmentsOptions options = { .dir = "journal", .disk = &world->disk.disk, .clock = &world->clock.clock,
                               .dice = &world->dice.dice, .segment_bytes = 1024 * 1024 };
    SegmentsRecovery recovery;
    assert_int_equal(segments_open(&options, &world->journal, &recovery, &err), OK);
    journal_append_init(&world->append, LIMIT_APPEND_BYTES);
    world->append.on_durable = note_durable;
}

static void world_close(struct world *world)
{
    journal_close(world->journal);
    journal_append_done(&world->append);
    fake_disk_done(&world->disk);
}

/* One message: its id stands in its JSON, too. */
static void world_put(struct world *world, const char *source, uint64_t id)
{
    char id_text[32], json[64];
    snprintf(id_text, sizeof id_text, "m-%" PRIu64, id);
    snprintf(json, sizeof json, "{\"s\":\"%s\",\"id\":\"%s\"}", source, id_text);
    Event event = { .type = EVENT_TRACK, .source = str_from(source), .message_id = str_from(id_text),
                    .user_id = STR("u"), .name = STR("e"), .json = str_from(json), .timestamp_ms = 1700000000000,
                    .received_at_ms = 1700000000000, .original_timestamp_ms = INSTANT_NONE,
                    .sent_at_ms = INSTANT_NONE };
    size_t begun = journal_begin_record(&world->append);
    event_encode(&world->append.frames, &event);
    journal_end_record(&world->append, begun);
}

static void world_commit(struct world *world)
{
    assert_int_equal(journal_submit(world->journal, &world->append, &err), OK);
    assert_int_equal(journal_commit(world->journal, NULL, &err), OK);
    journal_append_clear(&world->append);
}

/* How many messages an export writes whose set holds that many; late ones arrive after it began. */
static uint64_t export_with(struct world *world, uint64_t set_most, bool is_raw, uint64_t late, const char *path)
{
    struct export export = {
        .filter = { .wants_events = true, .from_ms = INT64_MIN, .to_ms = INT64_MAX, .received_from_ms = INT64_MIN },
        .journal = world->journal, .part_count = 1, .set_most = set_most, .is_raw = is_raw, .seed = 7,
        .start = journal_first(world->journal), .end = journal_end(world->journal),
    };
    for (uint64_t id = 0; id < late; id++) world_put(world, "late", id);
    if (late) world_commit(world);
    export.pass_bytes = export.end - export.start;
    progress_init(&export.progress, &world->clock.clock, "exporting");
    assert_int_equal(output_open(path, &world->disk.disk, &export.output, &err), OK);
    assert_int_equal(run(&export, &err), OK);
    assert_false(export.is_damaged);
    fingerprints_close(&export.seen);
    region_close(&export.marks_region);
    output_close(export.output);
    return export.written;
}

static void any_number_of_passes_gives_the_same_file(void **state)
{
    (void)state;
    struct world world;
    struct fake_dice dice;
    uint64_t seed = fake_seed("passes"), expected = 0;
    enum { IDS = 1500, MESSAGES = 4000 };
    static bool was_seen[2][IDS];
    memset(was_seen, 0, sizeof was_seen);
    world_open(&world, seed);
    fake_dice_init(&dice, seed);
    struct buf reference;
    buf_init(&reference, 1024 * 1024);
    for (int at = 0; at < MESSAGES; at++) {
        uint64_t source = fake_dice_below(&dice, 2), id = fake_dice_below(&dice, IDS);
        world_put(&world, source ? "b" : "a", id);
        if (at % 100 == 99) world_commit(&world);
        if (was_seen[source][id]) continue;
        was_seen[source][id] = true;
        expected++;
        buf_printf(&reference, "{\"s\":\"%s\",\"id\":\"m-%" PRIu64 "\"}\n", source ? "b" : "a", id);
    }
    static const uint64_t sizes[] = { FINGERPRINTS_MOST, 3999, 1000, 333, 64 };
    for (size_t at = 0; at < countof(sizes); at++) {
        assert_int_equal(export_with(&world, sizes[at], false, 0, "out"), expected);
        assert_true(str_equal(fake_disk_peek(&world.disk, "out"), buf_str(&reference)));
    }
    assert_int_equal(export_with(&world, 64, true, 0, "raw"), MESSAGES);
    assert_null(fake_disk_peek(&world.disk, "out.part").bytes);
    buf_done(&reference);
    world_close(&world);
}

static void what_comes_during_an_export_is_not_in_it(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 1);
    for (uint64_t id = 0; id < 10; id++) world_put(&world, "a", id);
    world_commit(&world);
    assert_int_equal(export_with(&world, 1000, false, 25, "out.gz"), 10);
    Str packed = fake_disk_peek(&world.disk, "out.gz");
    assert_true(packed.len > 20 && (unsigned char)packed.bytes[0] == 0x1f && (unsigned char)packed.bytes[1] == 0x8b);
    world_close(&world);
}

/* ---- Output, with every call of the disk failing in turn ---- */

static Status put_all(struct disk *disk, const char *path, size_t bytes)
{
    struct output *output;
    Status s = output_open(path, disk, &output, &err);
    if (s) return s;
    char piece[1000];
    memset(piece, 'x', sizeof piece);
    for (size_t at = 0; !s && at < bytes; at += sizeof piece) s = output_put(output, str_of(piece, sizeof piece), &err);
    if (!s) s = output_finish(output, &err);
    output_close(output);
    return s;
}

static void a_file_is_there_whole_or_not_at_all(void **state)
{
    (void)state;
    enum { BYTES = 600 * 1000 };
    for (int fault = 0; fault <= DISK_FAULT_CRASH; fault++) {
        bool is_over = false;
        for (uint64_t call = 1; !is_over; call++) {
            struct fake_disk disk;
            fake_disk_init(&disk, call);
            disk.fail_at_call = call;
            disk.fault = (DiskFault)fault;
            Status s = put_all(&disk.disk, "out", BYTES);
            is_over = disk.faults == 0 && !disk.is_dead;
            if (disk.is_dead) fake_disk_restart(&disk, true);
            Str out = fake_disk_peek(&disk, "out");
            assert_true(out.bytes == NULL || out.len == BYTES);
            if (s == OK) assert_int_equal(out.len, BYTES);
            fake_disk_done(&disk);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_says_of_each_fingerprint_once_that_it_is_new),
        cmocka_unit_test(a_set_grows_over_all_its_doublings),
        cmocka_unit_test(any_number_of_passes_gives_the_same_file),
        cmocka_unit_test(what_comes_during_an_export_is_not_in_it),
        cmocka_unit_test(a_file_is_there_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
