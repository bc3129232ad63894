/* journal_world: a journal on the fake disk, and beside it the simplest thing that could be one: a list of
 * what was submitted, with a mark at what was acknowledged. Whatever the disk does, what the journal holds
 * must agree with the list (world_check). Used by the model and unit tests of the journal. */
#ifndef ONYM_TESTS_JOURNAL_WORLD_H
#define ONYM_TESTS_JOURNAL_WORLD_H

#include "segments/segments.h"
#include "tests/fakes/fake_journal.h"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { WORLD_RECORDS = 20000, WORLD_GROUP = 16, WORLD_ERASED = 4 };

typedef struct WorldRecord {
    uint32_t len;
    bool is_durable;                /* acknowledged, or seen after a restart: must be there from now on */
    bool may_be_erased, is_erased;
    JournalPos pos;
} WorldRecord;

struct world {
    struct fake_disk disk;
    struct fake_clock clock;
    struct fake_dice dice;          /* the journal's, and the test's chance */
    SegmentsOptions options;
    bool is_in_memory;              /* the other back end */
    struct fake_journal memory;
    struct journal *journal;        /* NULL: not open */
    SegmentsRecovery recovery;
    WorldRecord records[WORLD_RECORDS];
    uint32_t count;
    JournalPos hold;
    struct journal_append appends[WORLD_GROUP];
    uint32_t first_id[WORLD_GROUP]; /* of each append of the group at hand */
    Status heard[WORLD_GROUP];
    unsigned heard_count;
    bool may_retire;
    Err err;
};

static inline void world_init(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    fake_disk_init(&world->disk, seed);
    fake_clock_init(&world->clock, 1700000000000);
    fake_dice_init(&world->dice, seed ^ 0x5eed);
    fake_journal_init(&world->memory, &world->clock.clock);
    world->options = (SegmentsOptions){
        .dir = "data", .disk = &world->disk.disk, .clock = &world->clock.clock, .dice = &world->dice.dice,
        .segment_bytes = 4096, .reserve_bytes = 1,
    };
    for (size_t at = 0; at < WORLD_GROUP; at++) journal_append_init(&world->appends[at], LIMIT_APPEND_BYTES);
}

static inline void world_done(struct world *world)
{
    journal_close(world->journal);
    fake_journal_done(&world->memory);
    for (size_t at = 0; at < WORLD_GROUP; at++) journal_append_done(&world->appends[at]);
    fake_disk_done(&world->disk);
}

/* What record number id is made of: 'R', the number, noise that compresses a little. */
static inline Str world_bytes(uint32_t id, uint32_t len, char *bytes)
{
    struct fake_dice dice;
    fake_dice_init(&dice, id);
    bytes[0] = 'R';
    memcpy(bytes + 1, &id, 4);
    for (uint32_t at = 5; at < len; at++) bytes[at] = (char)('a' + fake_dice_below(&dice, 4));
    return str_of(bytes, len);
}

static inline void world_on_durable(struct journal_append *append, Status status, JournalPos first)
{
    struct world *world = append->owner;
    size_t at = (size_t)(append - world->appends);
    world->heard[at] = status;
    world->heard_count++;
    for (uint32_t id = world->first_id[at]; status == OK && id < world->first_id[at] + append->record_count;
         id++) {
        world->records[id].is_durable = true;
        world->records[id].pos = first;
        first += 12 + (world->records[id].len + 3) / 4 * 4;
    }
}

static inline Status world_open(struct world *world)
{
    assert_null(world->journal);
    Status s = OK;
    if (world->is_in_memory) world->journal = fake_journal_open(&world->memory);
    else s = segments_open(&world->options, &world->journal, &world->recovery, &world->err);
    if (s) {
        world->journal = NULL;
        return s;
    }
    if (world->may_retire) journal_set_hold(world->journal, "test", world->hold);
    return OK;
}

static inline void world_close(struct world *world)
{
    journal_close(world->journal);
    world->journal = NULL;
}

/* One group of appends, submitted together. */
static inline Status world_submit(struct world *world, size_t appends, size_t records_each, uint32_t len_most)
{
    static char bytes[LIMIT_RECORD_BYTES];
    world->heard_count = 0;
    for (size_t at = 0; at < appends; at++) {
        struct journal_append *append = &world->appends[at];
        journal_append_clear(append);
        append->on_durable = world_on_durable;
        append->owner = world;
        world->first_id[at] = world->count;
        for (size_t record = 0; record < records_each; record++) {
            uint32_t id = world->count++, len = 5 + (uint32_t)fake_dice_below(&world->dice, len_most - 4);
            assert_true(world->count <= WORLD_RECORDS);
            world->records[id] = (WorldRecord){ .len = len };
            journal_put_record(append, world_bytes(id, len, bytes));
        }
        Status s = journal_submit(world->journal, append, &world->err);
        if (s) return s;
    }
    return OK;
}

/* The same, and the commit. Every append hears exactly once, and the same as the committer. */
static inline Status world_commit(struct world *world, size_t appends, size_t records_each, uint32_t len_most)
{
    uint64_t records;
    Status submitted = world_submit(world, appends, records_each, len_most);
    Status s = journal_commit(world->journal, &records, &world->err);
    if (submitted) return submitted;
    assert_int_equal(world->heard_count, appends);
    for (size_t at = 0; at < appends; at++) assert_int_equal(world->heard[at], s);
    assert_int_equal(records, s ? 0 : appends * records_each);
    return s;
}

static inline Status world_maintain(struct world *world)
{
    bool is_more = true;
    Status s = OK;
    for (int turn = 0; !s && is_more && turn < 1000; turn++)
        s = journal_maintain(world->journal, &is_more, &world->err);
    return s;
}

static inline bool world_should_erase(void *context, Str record, JournalPos pos)
{
    uint32_t *remainder = context, id;
    (void)pos;
    if (record.bytes[0] != 'R') return false;
    memcpy(&id, record.bytes + 1, 4);
    return id % 7 == *remainder;
}

static inline Status world_erase(struct world *world, uint32_t remainder, uint64_t *ret_erased)
{
    JournalPos end = journal_end(world->journal);
    for (uint32_t id = remainder; id < world->count; id += 7) world->records[id].may_be_erased = true;
    JournalErase erase = { .to = end, .should_erase = world_should_erase, .context = &remainder,
                           .erased_first_byte = WORLD_ERASED };
    Status s = journal_erase(world->journal, &erase, ret_erased, &world->err);
    for (uint32_t id = remainder; !s && id < world->count; id += 7)
        if (world->records[id].is_durable) world->records[id].is_erased = true;
    return s;
}

/* Whether a record of the journal is what the list says. An erased one has no number; it is known by where
 * it stands. may_be_old: the reader is in another process and may have a replaced file open. */
static inline uint32_t world_recognize(struct world *world, const JournalRecord *record, uint32_t from, bool may_be_old)
{
    static char bytes[LIMIT_RECORD_BYTES];
    uint32_t id = from;
    if (record->bytes.bytes[0] == 'R') {
        memcpy(&id, record->bytes.bytes + 1, 4);
        assert_true(id >= from && id < world->count);
        assert_int_equal(record->bytes.len, world->records[id].len);
        assert_true(str_equal(record->bytes, world_bytes(id, world->records[id].len, bytes)));
        assert_true(!world->records[id].is_erased || may_be_old);
        return id;
    }
    while (id < world->count && !(world->records[id].is_durable && world->records[id].pos == record->pos))
        id++;
    assert_true(id < world->count && world->records[id].may_be_erased);
    assert_int_equal(record->bytes.len, world->records[id].len);
    assert_int_equal(record->bytes.bytes[0], WORLD_ERASED);
    for (size_t at = 1; at < record->bytes.len; at++) assert_int_equal(record->bytes.bytes[at], 0);
    return id;
}

/* Reads all that the journal holds: exactly what the list says, in order, at the positions that were told.
 * after_restart: unacknowledged records may have made it; from now on they stay. */
static inline void world_check_journal(struct world *world, struct journal *journal, bool after_restart)
{
    struct journal_reader *reader;
    JournalRecord record;
    JournalPos first = journal_first(journal), last = 0;
    uint32_t id = 0;
    Status s = journal_reader_open(journal, first, &reader, &world->err);
    assert_int_equal(s, OK);
    while ((s = journal_read(reader, &record, &world->err)) == OK) {
        uint32_t found = world_recognize(world, &record, id, false);
        for (; id < found; id++)
            assert_false(world->records[id].is_durable && world->records[id].pos >= first);       /* lost */
        WorldRecord *mine = &world->records[id++];
        if (mine->is_durable) assert_int_equal(mine->pos, record.pos);
        else assert_true(after_restart);
        mine->is_durable = true;
        mine->pos = record.pos;
        assert_true(record.pos > last);
        last = record.pos;
    }
    if (s != ERR_NOT_FOUND) print_error("%s\n", world->err.text);
    assert_int_equal(s, ERR_NOT_FOUND);
    for (; id < world->count; id++)
        assert_false(world->records[id].is_durable && world->records[id].pos >= first);
    if (!world->may_retire) assert_int_equal(first, 0);
    else assert_true(first <= world->hold);
    journal_reader_close(reader);
}

static inline void world_check(struct world *world, bool after_restart)
{
    world_check_journal(world, world->journal, after_restart);
}

/* onym verify finds no damage; gives its verdict. */
static inline void world_note_finding(void *context, const SegmentsFinding *finding)
{
    (void)context;
    if (!finding->is_torn_tail)
        print_error("at %llu in %.*s: %.*s\n", (unsigned long long)finding->pos, STR_FORMAT(finding->segment),
                    STR_FORMAT(finding->text));
}

static inline SegmentsVerdict world_verify(struct world *world)
{
    SegmentsVerdict verdict;
    SegmentsListener listener = { .report = world_note_finding };
    assert_int_equal(segments_verify(&world->options, &listener, &verdict, &world->err), OK);
    assert_int_equal(verdict.damaged_places, 0);
    return verdict;
}

/* How many rounds a random test shall make: $ROUNDS, or so many. */
static inline uint64_t world_rounds(uint64_t usual)
{
    const char *given = getenv("ROUNDS");
    return given ? strtoull(given, NULL, 10) : usual;
}

#endif
