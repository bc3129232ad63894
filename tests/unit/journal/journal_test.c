/* journal: the suite of the interface. Whatever back end a journal has, these tests hold; each runs on every row of
 * `beds`. What only files can do wrong is tested in tests/unit/segments and tests/model. */
#include "journal/journal.c"
#include "segments/segments.h"
#include "tests/fakes/fake_journal.h"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { RECORDS_MOST = 4000, RETENTION_MS = 3600 * 1000, ERASED = 4 };

static struct {
    struct fake_clock clock;
    struct fake_dice dice;
    struct fake_disk disk;
    struct fake_journal memory;
    struct journal *journal;
    JournalPos positions[RECORDS_MOST];     /* as they were told */
    uint32_t count;
    unsigned heard;
    Status heard_status;
    Err err;
} bed;

/* ---- The back ends ---- */

typedef struct Backend {
    const char *name;
    void (*begin)(void);
    struct journal *(*open)(void);
    void (*damage)(uint32_t record);         /* so that it cannot be read */
    void (*end)(void);
} Backend;

static void segments_begin(void) { fake_disk_init(&bed.disk, 11); }

static struct journal *segments_open_one(void)
{
    struct journal *journal;
    SegmentsOptions options = {
        .dir = "data", .disk = &bed.disk.disk, .clock = &bed.clock.clock, .dice = &bed.dice.dice,
        .segment_bytes = 4096, .reserve_bytes = 1, .retention_ms = RETENTION_MS,
    };
    if (segments_open(&options, &journal, NULL, &bed.err)) fail_msg("%s", bed.err.text);
    return journal;
}

static void segments_damage(uint32_t record)
{
    uint64_t offset = journal_number(bed.positions[record]);
    fake_disk_flip(&bed.disk, "data/00000000000000000000.journal", offset + FRAME_HEAD_BYTES, 1);
}

static void segments_end(void) { fake_disk_done(&bed.disk); }

static void memory_begin(void)
{
    fake_journal_init(&bed.memory, &bed.clock.clock);
    bed.memory.retention_ms = RETENTION_MS;
}

static struct journal *memory_open(void) { return fake_journal_open(&bed.memory); }

static void memory_damage(uint32_t record) { fake_journal_damage(&bed.memory, bed.positions[record]); }

static void memory_end(void) { fake_journal_done(&bed.memory); }

static const Backend beds[] = {
    { "segments", segments_begin, segments_open_one, segments_damage, segments_end },
    { "memory", memory_begin, memory_open, memory_damage, memory_end },
};

static int setup(void **state)
{
    const Backend *backend = *state;
    memset(&bed, 0, sizeof bed);
    fake_clock_init(&bed.clock, 1700000000000);
    fake_dice_init(&bed.dice, 12);
    backend->begin();
    bed.journal = backend->open();
    assert_string_equal(bed.journal->backend->name, backend->name);
    return 0;
}

static int teardown(void **state)
{
    journal_close(bed.journal);
    ((const Backend *)*state)->end();
    return 0;
}

/* ---- Writing and reading ---- */

/* What record number id is made of: its number, then its letter. */
static Str bytes_of(uint32_t id, char bytes[600])
{
    uint32_t len = 5 + id * 37 % 590;
    bytes[0] = 'R';
    memcpy(bytes + 1, &id, 4);
    memset(bytes + 5, 'a' + (int)(id % 26), len - 5);
    return str_of(bytes, len);
}

static void on_durable(struct journal_append *append, Status status, JournalPos first)
{
    bed.heard++;
    bed.heard_status = status;
    if (append->owner && !status) *(JournalPos *)append->owner = first;
}

/* Appends and commits; each append has `each` records. Learns the positions by reading them back. */
static void commit(size_t appends, uint32_t each)
{
    struct journal_append append[8];
    JournalPos firsts[8] = { 0 };
    char bytes[600];
    uint64_t records;
    uint32_t before = bed.count;
    bed.heard = 0;
    for (size_t at = 0; at < appends; at++) {
        journal_append_init(&append[at], LIMIT_APPEND_BYTES);
        append[at].on_durable = on_durable;
        append[at].owner = &firsts[at];
        for (uint32_t n = 0; n < each; n++) journal_put_record(&append[at], bytes_of(bed.count++, bytes));
        assert_int_equal(journal_submit(bed.journal, &append[at], &bed.err), OK);
    }
    assert_true(journal_wait_submitted(bed.journal, 0));
    assert_int_equal(journal_commit(bed.journal, &records, &bed.err), OK);
    assert_int_equal(records, appends * each);
    assert_int_equal(bed.heard, appends);
    assert_int_equal(bed.heard_status, OK);
    for (size_t at = 0; at < appends; at++) {
        struct journal_reader *reader;
        JournalRecord record;
        assert_int_equal(journal_reader_open(bed.journal, firsts[at], &reader, &bed.err), OK);
        for (uint32_t n = 0; n < each; n++) {
            uint32_t id = before + (uint32_t)at * each + n;
            assert_int_equal(journal_read(reader, &record, &bed.err), OK);
            assert_true(n > 0 || record.pos == firsts[at]);
            assert_true(str_equal(record.bytes, bytes_of(id, bytes)));
            bed.positions[id] = record.pos;
        }
        journal_reader_close(reader);
        journal_append_done(&append[at]);
    }
}

/* From record `id` on, everything is there, in order, at its position; then nothing. */
static void check_from(uint32_t id)
{
    struct journal_reader *reader;
    JournalRecord record;
    char bytes[600];
    JournalPos next = id < bed.count ? bed.positions[id] : journal_end(bed.journal);
    assert_int_equal(journal_reader_open(bed.journal, next, &reader, &bed.err), OK);
    for (; id < bed.count; id++) {
        assert_int_equal(journal_read(reader, &record, &bed.err), OK);
        assert_true(record.pos == bed.positions[id]);
        assert_true(str_equal(record.bytes, bytes_of(id, bytes)));
        assert_true(record.next > record.pos && journal_reader_position(reader) >= record.next);
    }
    assert_int_equal(journal_read(reader, &record, &bed.err), ERR_NOT_FOUND);
    assert_int_equal(journal_reader_missed(reader), 0);
    journal_reader_close(reader);
}

static void what_is_committed_is_read_in_order(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++) commit((size_t)(1 + round % 7), (uint32_t)(1 + round % 5));
    for (uint32_t id = 0; id <= bed.count; id += 13) check_from(id);
    for (uint32_t id = 1; id < bed.count; id++) {
        assert_true(bed.positions[id - 1] < bed.positions[id]);
        assert_true(journal_distance(bed.positions[id - 1], bed.positions[id]) > 0);
        assert_int_equal(journal_distance(bed.positions[id], bed.positions[id - 1]), 0);
        assert_true(journal_position(journal_number(bed.positions[id])) == bed.positions[id]);
    }
    assert_true(journal_first(bed.journal) <= bed.positions[0]);
    assert_true(journal_end(bed.journal) > bed.positions[bed.count - 1]);
}

static void an_empty_journal_has_nothing_and_waits(void **state)
{
    struct journal_reader *reader;
    JournalRecord record;
    (void)state;
    assert_false(journal_wait_submitted(bed.journal, 0));
    assert_int_equal(journal_commit(bed.journal, NULL, &bed.err), OK);
    assert_true(journal_first(bed.journal) == journal_end(bed.journal));
    assert_int_equal(journal_reader_open(bed.journal, JOURNAL_OLDEST, &reader, &bed.err), OK);
    assert_int_equal(journal_read(reader, &record, &bed.err), ERR_NOT_FOUND);
    assert_false(journal_wait_durable(bed.journal, journal_end(bed.journal), 0));
    JournalPos end = journal_end(bed.journal);
    commit(1, 3);
    assert_true(journal_wait_durable(bed.journal, end, 0));
    assert_int_equal(journal_read(reader, &record, &bed.err), OK);      /* a reader follows */
    assert_true(record.pos == bed.positions[0]);
    journal_reader_close(reader);
}

static void what_is_not_committed_is_not_seen(void **state)
{
    struct journal_append append;
    char bytes[600];
    (void)state;
    commit(1, 2);
    journal_append_init(&append, LIMIT_APPEND_BYTES);
    append.on_durable = on_durable;
    journal_put_record(&append, bytes_of(99, bytes));
    assert_int_equal(journal_submit(bed.journal, &append, &bed.err), OK);
    bed.heard = 0;
    check_from(0);
    assert_int_equal(bed.heard, 0);
    journal_close(bed.journal);                          /* hears that it was not kept */
    assert_int_equal(bed.heard, 1);
    assert_int_equal(bed.heard_status, ERR_CLOSED);
    journal_append_done(&append);
    bed.journal = ((const Backend *)*state)->open();
    check_from(0);                                       /* and what was committed is there again */
}

static void too_much_is_refused(void **state)
{
    struct journal_append append;
    char *bytes = calloc(1, LIMIT_RECORD_BYTES + 1);
    (void)state;
    journal_append_init(&append, LIMIT_APPEND_BYTES);
    append.on_durable = on_durable;
    journal_put_record(&append, str_of(bytes, LIMIT_RECORD_BYTES + 1));
    assert_int_equal(journal_submit(bed.journal, &append, &bed.err), ERR_TOO_LARGE);
    journal_append_clear(&append);
    journal_put_record(&append, str_of(bytes, LIMIT_RECORD_BYTES));
    assert_int_equal(journal_submit(bed.journal, &append, &bed.err), OK);
    assert_int_equal(journal_commit(bed.journal, NULL, &bed.err), OK);
    journal_append_done(&append);
    free(bytes);
}

static void a_place_where_nothing_is_cannot_be_read_from(void **state)
{
    struct journal_reader *reader;
    (void)state;
    commit(1, 1);
    JournalPos end = journal_end(bed.journal);
    assert_int_equal(journal_reader_open(bed.journal, journal_after(end), &reader, &bed.err), ERR_NOT_FOUND);
    assert_int_equal(journal_reader_open(bed.journal, JOURNAL_NEVER, &reader, &bed.err), ERR_NOT_FOUND);
    assert_int_equal(journal_reader_open(bed.journal, end, &reader, &bed.err), OK);
    journal_reader_close(reader);
}

/* Each record by its position alone; not what stands after a place where none begins. */
static void one_record_is_read_where_it_stands(void **state)
{
    struct journal_reader *reader;
    JournalRecord record;
    char bytes[600];
    commit(2, 4);
    for (uint32_t id = bed.count; id-- > 0;) {
        assert_int_equal(journal_read_at(bed.journal, bed.positions[id], &reader, &record, &bed.err), OK);
        assert_true(record.pos == bed.positions[id]);
        assert_true(str_equal(record.bytes, bytes_of(id, bytes)));
        journal_reader_close(reader);
    }
    const JournalPos nowhere[] = { JOURNAL_OLDEST, journal_end(bed.journal), JOURNAL_NEVER };
    for (size_t at = 0; at < countof(nowhere); at++) {
        if (nowhere[at] == bed.positions[0]) continue;
        reader = (struct journal_reader *)&bed;
        assert_int_equal(journal_read_at(bed.journal, nowhere[at], &reader, &record, &bed.err), ERR_NOT_FOUND);
        assert_null(reader);
        journal_reader_close(reader);
    }
    ((const Backend *)*state)->damage(1);
    assert_int_equal(journal_read_at(bed.journal, bed.positions[1], &reader, &record, &bed.err), ERR_DAMAGED);
    assert_null(reader);
    assert_int_equal(journal_read_at(bed.journal, bed.positions[2], &reader, &record, &bed.err), OK);
    journal_reader_close(reader);
}

/* ---- Holding ---- */

static void maintain(void)
{
    bool more = true;
    for (int turn = 0; more && turn < 10000; turn++)
        assert_int_equal(journal_maintain(bed.journal, &more, &bed.err), OK);
    assert_false(more);
}

/* As time passes while a process runs. */
static void later(Millis ms)
{
    for (; ms > 0; ms -= 30 * 1000) {
        fake_clock_advance(&bed.clock, 30 * 1000);
        maintain();
    }
}

static void what_is_old_goes_but_not_past_a_hold(void **state)
{
    struct journal_reader *reader;
    (void)state;
    journal_set_hold(bed.journal, "all", JOURNAL_OLDEST);
    for (int round = 0; round < 60; round++) {
        commit(2, 5);
        later(60 * 1000);
    }
    later(3 * RETENTION_MS);
    check_from(0);
    assert_true(journal_due(bed.journal) > journal_first(bed.journal));      /* who holds it can see that it is due */
    uint32_t held = bed.count / 2;
    journal_set_hold(bed.journal, "all", JOURNAL_NEVER);
    journal_set_hold(bed.journal, "somebody", bed.positions[held]);
    later(RETENTION_MS);
    check_from(held);
    assert_true(journal_first(bed.journal) > bed.positions[0]);
    assert_int_equal(journal_reader_open(bed.journal, bed.positions[0], &reader, &bed.err), ERR_NOT_FOUND);
    journal_set_hold(bed.journal, "somebody", JOURNAL_NEVER);
    later(RETENTION_MS);
    assert_true(journal_first(bed.journal) > bed.positions[held]);
    assert_int_equal(journal_due(bed.journal), 0);
    uint32_t before = bed.count;
    commit(1, 4);                                        /* positions are never given twice */
    assert_true(bed.positions[before] > bed.positions[before - 1]);
    check_from(before);
}

static void who_reads_what_was_retired_is_told(void **state)
{
    struct journal_reader *reader;
    JournalRecord record;
    uint64_t skipped;
    (void)state;
    for (int round = 0; round < 60; round++) commit(2, 5);
    maintain();
    assert_int_equal(journal_reader_open(bed.journal, bed.positions[0], &reader, &bed.err), OK);
    later(3 * RETENTION_MS);
    assert_true(journal_first(bed.journal) > bed.positions[0]);
    Status s;
    while ((s = journal_read(reader, &record, &bed.err)) == OK) continue;
    if (s == ERR_CONFLICT) {
        assert_int_equal(journal_skip_damage(reader, &skipped, &bed.err), OK);
        assert_true(journal_reader_position(reader) == journal_first(bed.journal));
    }
    journal_reader_close(reader);
}

/* ---- Erasing ---- */

static bool is_of_three(void *context, Str record, JournalPos pos)
{
    uint32_t id;
    (void)context, (void)pos;
    if (record.bytes[0] != 'R') return false;
    memcpy(&id, record.bytes + 1, 4);
    return id % 3 == 0;
}

static void check_erased(struct journal_reader *reader, uint32_t from)
{
    JournalRecord record;
    char bytes[600];
    for (uint32_t id = from; id < bed.count; id++) {
        assert_int_equal(journal_read(reader, &record, &bed.err), OK);
        assert_true(record.pos == bed.positions[id]);
        Str mine = bytes_of(id, bytes);
        if (id % 3 == 0) {
            memset(bytes, 0, mine.len);
            bytes[0] = ERASED;
        }
        assert_true(str_equal(record.bytes, mine));
    }
}

static void what_is_erased_keeps_its_place(void **state)
{
    struct journal_reader *open, *anew;
    JournalRecord record;
    uint64_t erased;
    (void)state;
    for (int round = 0; round < 30; round++) commit(2, 5);
    assert_int_equal(journal_reader_open(bed.journal, JOURNAL_OLDEST, &open, &bed.err), OK);
    for (uint32_t id = 0; id < 8; id++) assert_int_equal(journal_read(open, &record, &bed.err), OK);
    JournalErase erase = { .to = journal_end(bed.journal), .should_erase = is_of_three, .erased_first_byte = ERASED };
    assert_int_equal(journal_erase(bed.journal, &erase, &erased, &bed.err), OK);
    assert_int_equal(erased, (bed.count + 2) / 3);
    check_erased(open, 8);                               /* who read ahead sees it, too */
    assert_int_equal(journal_reader_open(bed.journal, JOURNAL_OLDEST, &anew, &bed.err), OK);
    check_erased(anew, 0);
    journal_reader_close(open);
    journal_reader_close(anew);
    assert_int_equal(journal_erase(bed.journal, &erase, &erased, &bed.err), OK);
    assert_int_equal(erased, 0);                         /* repeatable */
}

static void only_the_range_is_erased(void **state)
{
    uint64_t erased;
    (void)state;
    commit(2, 6);
    JournalErase erase = { .from = bed.positions[3], .to = journal_after(bed.positions[6]),
                           .should_erase = is_of_three, .erased_first_byte = ERASED };
    assert_int_equal(journal_erase(bed.journal, &erase, &erased, &bed.err), OK);
    assert_int_equal(erased, 2);                         /* 3 and 6, not 0 and 9 */
}

/* ---- Damage ---- */

static void damage_is_told_and_passed_over(void **state)
{
    struct journal_reader *reader;
    JournalRecord record;
    char bytes[600];
    uint64_t skipped = 0;
    commit(1, 3);
    commit(1, 3);
    ((const Backend *)*state)->damage(1);
    assert_int_equal(journal_reader_open(bed.journal, JOURNAL_OLDEST, &reader, &bed.err), OK);
    assert_int_equal(journal_read(reader, &record, &bed.err), OK);
    for (int turn = 0; turn < 2; turn++) assert_int_equal(journal_read(reader, &record, &bed.err), ERR_DAMAGED);
    assert_true(journal_reader_position(reader) == bed.positions[1]);
    assert_int_equal(journal_skip_damage(reader, &skipped, &bed.err), OK);
    assert_true(skipped > 0);
    assert_true(journal_reader_position(reader) == bed.positions[2]);
    for (uint32_t id = 2; id < bed.count; id++) {
        assert_int_equal(journal_read(reader, &record, &bed.err), OK);
        assert_true(str_equal(record.bytes, bytes_of(id, bytes)));
    }
    assert_int_equal(journal_reader_missed(reader), 1);
    journal_reader_close(reader);
    assert_int_equal(journal_reader_open(bed.journal, JOURNAL_OLDEST, &reader, &bed.err), OK);
    for (uint32_t id = 0; id < bed.count; id += id == 0 ? 2 : 1) {
        assert_int_equal(journal_read_whole(reader, &record, &bed.err), OK);
        assert_true(str_equal(record.bytes, bytes_of(id, bytes)));
    }
    assert_int_equal(journal_read_whole(reader, &record, &bed.err), ERR_NOT_FOUND);
    journal_reader_close(reader);
}

/* ---- Time, waiting, numbers ---- */

static void a_time_is_found(void **state)
{
    JournalPos base, other;
    Millis at_ms, other_ms;
    (void)state;
    commit(1, 2);
    fake_clock_advance(&bed.clock, 1000);
    Millis middle_ms = bed.clock.now_ms;
    commit(1, 2);
    fake_clock_advance(&bed.clock, 1000);
    assert_true(journal_find_time(bed.journal, 0) <= bed.positions[0]);
    JournalPos found = journal_find_time(bed.journal, middle_ms);
    assert_true(found > bed.positions[1] && found <= bed.positions[2]);
    assert_true(journal_find_age(bed.journal, 10 * RETENTION_MS) <= bed.positions[0]);
    assert_int_equal(journal_find_birth(bed.journal, bed.positions[3], &base, &at_ms, &bed.err), OK);
    assert_int_equal(journal_find_birth(bed.journal, base, &other, &other_ms, &bed.err), OK);
    assert_true(base <= bed.positions[3] && base == other && at_ms == other_ms);
    assert_int_equal(journal_find_birth(bed.journal, JOURNAL_NEVER, &base, &at_ms, &bed.err), ERR_NOT_FOUND);
}

static void waiting_ends(void **state)
{
    (void)state;
    commit(1, 1);
    journal_wake(bed.journal);
    assert_false(journal_wait_submitted(bed.journal, 600 * 1000));
    journal_end_waits(bed.journal);
    assert_false(journal_wait_durable(bed.journal, JOURNAL_NEVER, 600 * 1000));
    assert_true(journal_wait_durable(bed.journal, JOURNAL_OLDEST, 600 * 1000));
}

static void numbers_are_counted(void **state)
{
    JournalStats stats;
    char text[64];
    (void)state;
    commit(3, 4);
    commit(1, 1);
    journal_read_stats(bed.journal, &stats);
    assert_int_equal(stats.commits, 2);
    assert_int_equal(stats.records, 13);
    assert_int_equal(stats.records_ever, 13);
    assert_true(stats.first == journal_first(bed.journal) && stats.end == journal_end(bed.journal));
    assert_false(stats.is_poisoned || stats.is_full || stats.is_astray);
    assert_false(journal_is_poisoned(bed.journal, text, sizeof text));
    assert_int_equal(journal_refresh(bed.journal, &bed.err), OK);
}

#define ON(bed_at, test) { #test, test, setup, teardown, (void *)(uintptr_t)&beds[bed_at] }
#define SUITE(bed_at) ON(bed_at, what_is_committed_is_read_in_order), \
    ON(bed_at, an_empty_journal_has_nothing_and_waits), ON(bed_at, what_is_not_committed_is_not_seen), \
    ON(bed_at, too_much_is_refused), ON(bed_at, a_place_where_nothing_is_cannot_be_read_from), \
    ON(bed_at, one_record_is_read_where_it_stands), \
    ON(bed_at, what_is_old_goes_but_not_past_a_hold), ON(bed_at, who_reads_what_was_retired_is_told), \
    ON(bed_at, what_is_erased_keeps_its_place), ON(bed_at, only_the_range_is_erased), \
    ON(bed_at, damage_is_told_and_passed_over), ON(bed_at, a_time_is_found), ON(bed_at, waiting_ends), \
    ON(bed_at, numbers_are_counted)

int main(void)
{
    const struct CMUnitTest tests[] = { SUITE(0), SUITE(1) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
