/* live_counts: how many messages came in each minute, by source, type, fate and (of rejected ones) reason, over the
 * last day.
 *
 * They are counted from the journal, as streams are made: a piece in each step, up to where derived state is.
 * Maintenance steps once a second, and so does whoever asks; so counting costs collection nothing. After a start
 * the day before is counted again, BACKFILL_BYTES of journal at most: if the day is more than that, counting
 * begins later, and the answer says since when. Suppressed messages leave nothing in the journal: they are counted as
 * they come.
 *
 * A row is a (source, type, fate, reason) with a ring of minutes. When there are LIVE_COUNT_ROWS, what has no row is
 * counted in one more row, which has no name. */
#include "live_private.h"

#include <stdlib.h>

enum {
    MINUTES = LIVE_MINUTES,
    GROUP_RECORDS = 256, GROUP_BYTES = 16 * 1024 * 1024 + GROUP_RECORDS * LIMIT_RECORD_BYTES,
    STEP_BYTES = 32 * 1024 * 1024,
    SOURCE_BYTES = 256,                              /* longer names are cut: they only must differ */
    REASON_BYTES = 64,
};
static const uint64_t BACKFILL_BYTES = UINT64_C(2) << 30;

/* What a row counts. reason: of rejected ones; empty: none. */
typedef struct CountKey {
    Str source, reason;
    EventType type;
    LiveFate fate;
} CountKey;

struct count_row {
    char source[SOURCE_BYTES], reason[REASON_BYTES];
    CountKey key;                                    /* its texts are the row's */
    bool is_rest;                                    /* counts all that has no row */
    uint32_t counts[MINUTES];                        /* index: the minute since 1970, modulo MINUTES */
};

struct live_counts {
    pthread_mutex_t stepping;                        /* held while counting; over the next four */
    struct journal_reader *reader;
    struct event_parser *parser;
    struct region region;
    JournalPos at;
    pthread_mutex_t lock;                            /* over what follows; taken inside the other, briefly */
    struct count_row *rows[LIVE_COUNT_ROWS + 1];
    size_t count;
    int64_t newest;                                  /* minute */
    Millis from_ms;                                  /* 0: counting has not begun */
};

struct live_counts *live_counts_open(void)
{
    struct live_counts *counts = calloc(1, sizeof *counts);
    check(counts != NULL && (counts->parser = event_parser_open()) != NULL);
    check(pthread_mutex_init(&counts->stepping, NULL) == 0 && pthread_mutex_init(&counts->lock, NULL) == 0);
    region_open(&counts->region, GROUP_BYTES);
    return counts;
}

void live_counts_close(struct live_counts *counts)
{
    journal_reader_close(counts->reader);
    event_parser_close(counts->parser);
    region_close(&counts->region);
    for (size_t at = 0; at < counts->count; at++) free(counts->rows[at]);
    pthread_mutex_destroy(&counts->stepping);
    pthread_mutex_destroy(&counts->lock);
    free(counts);
}

/* ---- Rows, under the lock ---- */

static bool is_row(const struct count_row *row, const CountKey *key)
{
    return row->key.type == key->type && row->key.fate == key->fate && !row->is_rest &&
           str_equal(row->key.source, key->source) && str_equal(row->key.reason, key->reason);
}

static Str copy_cut(char *room, Str text)
{
    if (text.len) memcpy(room, text.bytes, text.len);
    return str_of(room, text.len);
}

/* The row; NULL: no memory for a new one. */
static struct count_row *find_row(struct live_counts *counts, CountKey key)
{
    key.source = str_slice(key.source, 0, SOURCE_BYTES);
    key.reason = str_slice(key.reason, 0, REASON_BYTES);
    for (size_t at = 0; at < counts->count; at++)
        if (counts->rows[at]->is_rest || is_row(counts->rows[at], &key)) return counts->rows[at];
    struct count_row *row = calloc(1, sizeof *row);
    if (!row) return NULL;
    row->is_rest = counts->count == LIVE_COUNT_ROWS;
    row->key = key;
    row->key.source = copy_cut(row->source, key.source);
    row->key.reason = copy_cut(row->reason, key.reason);
    return counts->rows[counts->count++] = row;
}

/* Begins a new minute of the ring: the count that its place held is a day old. */
static void move_to(struct live_counts *counts, int64_t minute)
{
    if (minute <= counts->newest) return;
    int64_t from = minute - counts->newest > MINUTES ? minute - MINUTES : counts->newest;
    for (size_t at = 0; at < counts->count; at++)
        for (int64_t gone = from + 1; gone <= minute; gone++) counts->rows[at]->counts[gone % MINUTES] = 0;
    counts->newest = minute;
}

static void add(struct live_counts *counts, CountKey key, Millis at_ms, uint32_t count)
{
    int64_t minute = at_ms / MINUTE_MS;
    if (at_ms < counts->from_ms) return;
    move_to(counts, minute);
    if (minute <= counts->newest - MINUTES) return;
    struct count_row *row = find_row(counts, key);
    if (row) row->counts[minute % MINUTES] += count;
}

void live_counts_note(struct live_counts *counts, Str source, EventType type, uint32_t count, Millis at_ms)
{
    CountKey key = { .source = source, .type = type, .fate = LIVE_SUPPRESSED };
    pthread_mutex_lock(&counts->lock);
    if (!counts->from_ms || at_ms >= counts->from_ms) add(counts, key, at_ms, count);
    pthread_mutex_unlock(&counts->lock);
}

/* ---- Counting ---- */

static Status begin(struct live *live, struct live_counts *counts, Err *err)
{
    static const int minutes[] = { MINUTES - 1, 12 * 60, 6 * 60, 3 * 60, 60, 30, 10, 5, 1 };
    struct journal *journal = live->options.journal;
    Millis now_ms = clock_now_ms(live->options.clock), from_ms = now_ms;
    JournalPos at = journal_end(journal);
    for (size_t span = 0; span < countof(minutes); span++) {
        Millis tried_ms = (now_ms / MINUTE_MS - minutes[span]) * MINUTE_MS;
        JournalPos pos = journal_find_time(journal, tried_ms);
        if (journal_distance(pos, journal_end(journal)) > BACKFILL_BYTES) continue;
        at = pos;
        from_ms = tried_ms;
        break;
    }
    Status s = journal_reader_open(journal, at, &counts->reader, err);
    if (s) return s;
    counts->at = at;
    pthread_mutex_lock(&counts->lock);
    counts->from_ms = from_ms;
    move_to(counts, now_ms / MINUTE_MS);
    pthread_mutex_unlock(&counts->lock);
    return OK;
}

static EventType type_of(const LiveRow *row)
{
    return row->fate == LIVE_REJECTED ? event_type_from(event_tree_text(row->tree, "type")) : row->event.type;
}

static void count_rows(struct live *live, struct live_counts *counts, LiveRow *rows, size_t count, Arena scratch)
{
    struct applier *applier = live->options.applier;
    if (!count) return;
    derive_begin_reading(applier);
    People people = derive_people(applier);
    for (size_t at = 0; at < count; at++) live_row_judge(applier, &people, counts->parser, scratch, &rows[at]);
    derive_end_reading(applier);
    pthread_mutex_lock(&counts->lock);
    for (size_t at = 0; at < count; at++) {
        bool is_rejected = rows[at].fate == LIVE_REJECTED;
        CountKey key = { .source = is_rejected ? rows[at].rejected.source : rows[at].event.source,
                         .reason = is_rejected ? rows[at].rejected.reason : STR(""), .type = type_of(&rows[at]),
                         .fate = rows[at].fate };
        Millis at_ms = is_rejected ? rows[at].rejected.received_at_ms : rows[at].event.received_at_ms;
        if (!rows[at].is_hidden) add(counts, key, at_ms, 1);
    }
    pthread_mutex_unlock(&counts->lock);
}

/* Skips what cannot be read: `onym verify` and the applier tell about it. */
static Status count_group(struct live *live, struct live_counts *counts, JournalPos applied, uint64_t *bytes, Err *err)
{
    Arena arena = region_arena(&counts->region);
    LiveRow *rows = arena_new(&arena, LiveRow, GROUP_RECORDS);
    size_t count = 0;
    uint64_t skipped;
    Status s = OK;
    while (!s && count < GROUP_RECORDS && arena_left(&arena) > 8 * 1024 * 1024 &&
           journal_reader_position(counts->reader) < applied) {
        JournalRecord record;
        bool is_message = false;
        s = journal_read(counts->reader, &record, err);
        if (s == ERR_DAMAGED) {
            s = journal_skip_damage(counts->reader, &skipped, err);
            continue;
        }
        if (s) break;
        *bytes += record.bytes.len;
        if (live_row_read(arena_copy(&arena, record.bytes), record.pos, &arena, &rows[count], &is_message, NULL))
            continue;
        count += is_message;
    }
    count_rows(live, counts, rows, count, arena);
    counts->at = journal_reader_position(counts->reader);
    return s;
}

Status live_count(struct live *live, bool *ret_more, Err *err)
{
    struct live_counts *counts = live->counts;
    DeriveStats stats;
    uint64_t bytes = 0;
    derive_read_stats(live->options.applier, &stats);
    pthread_mutex_lock(&counts->stepping);
    Status s = counts->reader ? OK : begin(live, counts, err);
    while (!s && bytes < STEP_BYTES && counts->at < stats.applied)
        s = count_group(live, counts, stats.applied, &bytes, err);
    if (s == ERR_NOT_FOUND) s = OK, counts->at = stats.applied;
    *ret_more = !s && counts->at < stats.applied;
    region_trim(&counts->region, GROUP_RECORDS * 4096);
    pthread_mutex_unlock(&counts->stepping);
    return s;
}

/* ---- Writing ---- */

static uint32_t count_at(const struct count_row *row, int64_t minute) { return row->counts[minute % MINUTES]; }

static void put_row(const struct live_counts *counts, const struct count_row *row, int64_t first, struct buf *out)
{
    bool is_empty = true;
    for (int64_t minute = first; is_empty && minute <= counts->newest; minute++) is_empty = !count_at(row, minute);
    if (is_empty) return;
    json_object(out, NULL);
    if (row->is_rest || !row->key.source.len) json_null(out, "source");
    else json_string(out, "source", row->key.source);
    json_word(out, "type", row->is_rest || row->key.type == EVENT_NONE ? NULL : event_type_word(row->key.type));
    json_word(out, "fate", row->is_rest ? NULL : live_fate_word(row->key.fate));
    if (!row->is_rest && row->key.reason.len) json_string(out, "reason", row->key.reason);
    json_array(out, "counts");
    for (int64_t minute = first; minute <= counts->newest; minute++) json_uint(out, NULL, count_at(row, minute));
    json_array_end(out);
    json_object_end(out);
}

Status live_write_counts(struct live *live, int minutes, struct buf *out, Err *err)
{
    struct live_counts *counts = live->counts;
    bool more;
    check(minutes >= 1 && minutes <= MINUTES);
    Status s = live_count(live, &more, err);
    if (s) return s;
    pthread_mutex_lock(&counts->lock);
    move_to(counts, clock_now_ms(live->options.clock) / MINUTE_MS);
    int64_t first = counts->newest - minutes + 1;
    json_object(out, NULL);
    json_instant(out, "from", first * MINUTE_MS);
    json_instant(out, "counted_from", counts->from_ms);
    json_bool(out, "complete", !more);
    json_array(out, "rows");
    for (size_t at = 0; at < counts->count; at++) put_row(counts, counts->rows[at], first, out);
    json_array_end(out);
    json_object_end(out);
    pthread_mutex_unlock(&counts->lock);
    return OK;
}
