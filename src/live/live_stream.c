/* live_stream: a watcher's place in the journal, and what he is sent from there on.
 *
 * A piece is made in groups of records: read and decoded, then judged together under the applier's guard, then written.
 * A watcher who is further behind than he wanted jumps to where derived state is, and is told so: a `gap` with how many
 * messages it holds. They are counted by reading them, some in each piece, up to GAP_COUNTED_BYTES of journal; a longer
 * gap has no count. Nothing else is ever left out. */
#include "live_private.h"

#include <stdlib.h>

enum {
    GROUP_RECORDS = 64,
    PIECE_BYTES = 256 * 1024,                        /* of text: then the socket is looked at first */
    PIECE_RECORDS = 4096,                            /* records looked at, wanted or not */
    GAP_PIECE_BYTES = 64 * 1024 * 1024,
    GAP_COUNTED_BYTES = 1024 * 1024 * 1024,
    PERSON_BYTES_MOST = 1024 * 1024,
    STREAM_ARENA_BYTES = 1024 * 1024,                /* of address space: the filter, from a query string */
    SLOW_PEOPLE = 16,
};
static const int64_t SLOW_NS = 2000000, SLOW_FACTOR = 50;

/* It takes long to look up somebody with very many events, and the applier must wait for it. So for fifty times as long
 * as that took, rows use what was found. */
struct slow_person {
    uint64_t key;                                    /* 0: free */
    int64_t until_ns;
    struct buf json;
};

struct live_stream {
    struct live *live;
    struct event_parser *parser;
    struct journal_reader *reader;                   /* NULL: must be opened at `at` */
    LiveFilter filter;
    JournalPos at;                                   /* where the next record is looked for */
    JournalPos told;                                 /* the record there was told before; JOURNAL_NEVER: none */
    JournalPos looked;                               /* all before this was looked at */
    uint64_t serial;                                 /* of the last note that was told */
    bool has_end;
    JournalPos to;
    uint64_t behind_bytes;
    bool is_counting;                                /* a gap is being counted */
    JournalPos gap_from, gap_to;
    uint64_t gap_count, gap_read_bytes;
    bool has_moved;                                  /* the place has changed since an id was told */
    int64_t said_at_ns;
    struct slow_person slow[SLOW_PEOPLE];
    size_t slow_next;
    LiveNote notes[LIVE_NOTES];
    struct region region;
};

static int64_t now_ns(const struct live_stream *stream) { return clock_monotonic_ns(stream->live->options.clock); }

/* ---- Opening ---- */

/* "POSITION": after the record there. "POSITION-SERIAL": before the record, after the note. */
static Status take_last_id(struct live_stream *stream, Str id, Err *err)
{
    Str serial_text, place = str_cut(id, '-', &serial_text);
    int64_t number, serial = 0;
    bool has_serial = place.len < id.len;
    if (!str_parse_int(place, 0, (int64_t)JOURNAL_NUMBER_MOST, &number) ||
        (has_serial && !str_parse_int(serial_text, 0, INT64_MAX, &serial)))
        return err_set_field(err, "Last-Event-ID", "is not an id that a stream gave");
    stream->at = journal_position((uint64_t)number);
    stream->told = has_serial ? JOURNAL_NEVER : stream->at;
    stream->serial = has_serial ? (uint64_t)serial : 0;
    return OK;
}

/* Skips the notes before its place. A serial from an earlier run is smaller than all of this run's. */
static void place_among_notes(struct live_stream *stream)
{
    struct live *live = stream->live;
    bool is_behind_record = stream->told == stream->at;
    if (stream->serial < live->first_serial) {
        stream->serial = live->first_serial;
        size_t count = live_list_notes(live, stream->serial, stream->notes);
        for (size_t at = 0; at < count; at++) {
            JournalPos place = stream->notes[at].place;
            bool is_passed = place < stream->at || (is_behind_record && place == stream->at);
            if (is_passed) stream->serial = stream->notes[at].serial;
        }
    }
    uint64_t newest = atomic_load_explicit(&live->serial, memory_order_acquire);
    if (stream->serial > newest) stream->serial = newest;
}

Status live_stream_open(struct live *live, const LiveAsk *ask, struct live_stream **ret, Err *err)
{
    if (atomic_fetch_add(&live->stream_count, 1) >= LIVE_STREAMS) {
        atomic_fetch_sub(&live->stream_count, 1);
        return err_set(err, ERR_TIMEOUT, "there are %d live streams already, and no more are served at a time; "
                       "close one, or come again later", LIVE_STREAMS);
    }
    struct live_stream *stream = calloc(1, sizeof *stream);
    check(stream != NULL && (stream->parser = event_parser_open()) != NULL);
    stream->live = live;
    region_open(&stream->region, STREAM_ARENA_BYTES);
    Arena arena = region_arena(&stream->region);
    live_filter_copy(&ask->filter, &arena, &stream->filter);
    stream->told = JOURNAL_NEVER;
    stream->at = ask->is_now ? journal_end(live->options.journal) : ask->from;
    if (!ask->is_now && ask->from != JOURNAL_OLDEST) stream->told = journal_before(ask->from);
    stream->has_end = ask->has_end;
    stream->to = ask->to;
    stream->behind_bytes = ask->behind_bytes ? ask->behind_bytes : LIVE_BEHIND_BYTES;
    stream->has_moved = true;
    Status s = ask->last_id.len ? take_last_id(stream, ask->last_id, err) : OK;
    if (s) {
        live_stream_close(stream);
        return s;
    }
    place_among_notes(stream);
    *ret = stream;
    return OK;
}

void live_stream_close(struct live_stream *stream)
{
    if (!stream) return;
    struct live *live = stream->live;
    journal_reader_close(stream->reader);
    event_parser_close(stream->parser);
    for (size_t at = 0; at < SLOW_PEOPLE; at++) buf_done(&stream->slow[at].json);
    region_close(&stream->region);
    free(stream);
    atomic_fetch_sub(&live->stream_count, 1);
}

static JournalPos read_applied(const struct live_stream *stream)
{
    DeriveStats stats;
    derive_read_stats(stream->live->options.applier, &stats);
    return stats.applied;
}

bool live_stream_is_due(const struct live_stream *stream)
{
    if (read_applied(stream) > stream->looked) return true;
    if (atomic_load_explicit(&stream->live->serial, memory_order_relaxed) != stream->serial) return true;
    return now_ns(stream) - stream->said_at_ns >= LIVE_SILENCE_MS * INT64_C(1000000);
}

/* ---- What is sent ---- */

static void put_place(struct live_stream *stream, struct buf *out)
{
    buf_printf(out, "id: %" PRIu64 "-%" PRIu64 "\n", journal_number(stream->at), stream->serial);
    stream->has_moved = false;
}

static void put_position(struct buf *out, const char *name, JournalPos pos)
{
    json_uint(out, name, journal_number(pos));
}

/* count: UINT64_MAX: unknown. */
static void put_gap(struct live_stream *stream, JournalPos from, JournalPos to, uint64_t count, const char *why,
                    struct buf *out)
{
    put_place(stream, out);
    buf_str_put(out, STR("event: gap\ndata: "));
    json_object(out, NULL);
    put_position(out, "from", from);
    put_position(out, "to", to);
    if (count == UINT64_MAX) json_null(out, "count");
    else json_uint(out, "count", count);
    json_word(out, "why", why);
    json_object_end(out);
    buf_str_put(out, STR("\n\n"));
}

static LiveStep end_with(struct live_stream *stream, const char *event, Str message, struct buf *out)
{
    put_place(stream, out);
    buf_printf(out, "event: %s\ndata: ", event);
    json_object(out, NULL);
    put_position(out, "position", stream->at);
    if (message.len) json_string(out, "message", message);
    json_object_end(out);
    buf_str_put(out, STR("\n\n"));
    return LIVE_END;
}

/* Puts the notes whose place is at or before this one. */
static void put_notes(struct live_stream *stream, size_t *at, size_t count, JournalPos place, struct buf *out)
{
    for (; *at < count && stream->notes[*at].place <= place; ++*at) {
        const LiveNote *note = &stream->notes[*at];
        uint64_t missed = note->serial - note->count - stream->serial;
        JournalPos between = journal_before(note->place);
        stream->serial = note->serial - note->count;
        if (missed) put_gap(stream, between, between, missed, "suppressed", out);
        stream->serial = note->serial;
        stream->has_moved = true;
        if (!live_filter_matches_note(&stream->filter, note)) continue;
        buf_printf(out, "id: %" PRIu64 "-%" PRIu64 "\ndata: ", journal_number(note->place), note->serial);
        live_note_write(note, out);
        buf_str_put(out, STR("\n\n"));
        stream->has_moved = false;
    }
}

/* ---- People ---- */

static struct slow_person *find_slow(struct live_stream *stream, uint64_t key)
{
    for (size_t at = 0; at < SLOW_PEOPLE; at++)
        if (stream->slow[at].key == key && stream->slow[at].until_ns > now_ns(stream)) return &stream->slow[at];
    return NULL;
}

static void keep_slow(struct live_stream *stream, uint64_t key, Str json, int64_t took_ns)
{
    struct slow_person *slow = &stream->slow[stream->slow_next++ % SLOW_PEOPLE];
    buf_done(&slow->json);
    buf_init(&slow->json, PERSON_BYTES_MOST);
    buf_str_put(&slow->json, json);
    slow->key = buf_ok(&slow->json) ? key : 0;
    slow->until_ns = now_ns(stream) + SLOW_FACTOR * took_ns;
}

/* Under the guard. JSON null: there is no person, or (ERR_TOO_LARGE) a row cannot hold all about him. */
static Str write_person(struct live_stream *stream, const People *people, IdentityPerson person, Arena *arena)
{
    struct buf json;
    if (person == IDENTITY_NONE) return STR("null");
    Arena scratch = *arena;
    uint64_t key = hash_64(people_person_id(people, person, &scratch), 'l') | 1;
    struct slow_person *slow = find_slow(stream, key);
    if (slow) return buf_str(&slow->json);
    int64_t began_ns = now_ns(stream);
    buf_init(&json, PERSON_BYTES_MOST);
    Status s = people_write_person(people, person, &scratch, &json, NULL);
    Str text = !s && buf_ok(&json) ? arena_copy(arena, buf_str(&json)) : STR("null");
    buf_done(&json);
    int64_t took_ns = now_ns(stream) - began_ns;
    if (took_ns >= SLOW_NS) keep_slow(stream, key, text, took_ns);
    return text;
}

/* ---- Rows ---- */

struct group {
    LiveRow rows[GROUP_RECORDS];
    Str people[GROUP_RECORDS];
    PersonClaim claims[GROUP_RECORDS];
    bool is_wanted[GROUP_RECORDS];
    JournalPos nexts[GROUP_RECORDS];
    size_t count;
};

static void judge_row(struct live_stream *stream, const People *people, struct group *group, size_t at, Arena *arena)
{
    LiveRow *row = &group->rows[at];
    live_row_judge(stream->live->options.applier, people, stream->parser, *arena, row);
    group->is_wanted[at] = !row->is_hidden && live_filter_matches(&stream->filter, row);
    if (row->fate == LIVE_ACCEPTED && !row->is_hidden && live_filter_wants_claim(&stream->filter, &row->event) &&
        people_find_claim(people, &row->event, row->pos, *arena, &group->claims[at], NULL))
        group->claims[at] = (PersonClaim){ 0 };
    bool is_claim = group->claims[at].anonymous_id.len || group->claims[at].user_id.len;
    if (!is_claim && !group->is_wanted[at]) return;
    for (size_t before = 0; before < at; before++)                   /* mostly the same few people */
        if (group->people[before].len && group->rows[before].person == row->person) {
            group->people[at] = group->people[before];
            return;
        }
    group->people[at] = write_person(stream, people, row->person, arena);
}

static void judge_group(struct live_stream *stream, struct group *group, Arena *arena)
{
    struct applier *applier = stream->live->options.applier;
    if (group->count == 0) return;
    derive_begin_reading(applier);
    People people = derive_people(applier);
    for (size_t at = 0; at < group->count; at++) judge_row(stream, &people, group, at, arena);
    derive_end_reading(applier);
}

/* It has no id: a watcher who breaks off after it gets it again, with the row. */
static void put_claim(const PersonClaim *claim, JournalPos pos, Str person, struct buf *out)
{
    buf_str_put(out, STR("event: claimed\ndata: "));
    json_object(out, NULL);
    json_string_or_null(out, "anonymous_id", claim->anonymous_id);
    if (claim->user_id.len) json_string(out, "user_id", claim->user_id);
    live_put_raw(out, "person", person);
    put_position(out, "position", pos);
    json_object_end(out);
    buf_str_put(out, STR("\n\n"));
}

static void put_group(struct live_stream *stream, const struct group *group, size_t *note, size_t note_count,
                      struct buf *out)
{
    for (size_t at = 0; at < group->count; at++) {
        const LiveRow *row = &group->rows[at];
        const PersonClaim *claim = &group->claims[at];
        put_notes(stream, note, note_count, row->pos, out);
        if (claim->anonymous_id.len || claim->user_id.len) put_claim(claim, row->pos, group->people[at], out);
        stream->at = group->nexts[at];
        stream->has_moved = true;
        if (!group->is_wanted[at]) continue;
        buf_printf(out, "id: %" PRIu64 "\ndata: ", journal_number(row->pos));
        live_row_write(row, group->people[at], out);
        buf_str_put(out, STR("\n\n"));
        stream->has_moved = false;
    }
}

/* ---- Reading ---- */

/* Reads until the group is full, or until something cannot be read. */
static Status read_group(struct live_stream *stream, JournalPos end, struct group *group, Arena *arena, size_t *looked,
                         Err *err)
{
    memset(group, 0, sizeof *group);
    while (group->count < GROUP_RECORDS && journal_reader_position(stream->reader) < end) {
        JournalRecord record;
        bool is_message;
        LiveRow *row = &group->rows[group->count];
        Status s = journal_read(stream->reader, &record, err);
        if (s) return s;
        ++*looked;
        Str copy = arena_copy(arena, record.bytes);
        s = live_row_read(copy, record.pos, arena, row, &is_message, err);
        if (s) return s;
        group->nexts[group->count] = record.next;
        if (is_message) group->count++;
    }
    return OK;
}

/* Skips damage, or a record of a newer Onym: the reader is after it then. */
static Status pass_unreadable(struct live_stream *stream, Status why, struct buf *out, Err *err)
{
    uint64_t skipped_bytes;
    JournalPos from = stream->at;
    Status s = why == ERR_DAMAGED ? journal_skip_damage(stream->reader, &skipped_bytes, err) : OK;
    if (s) return s;
    stream->at = journal_reader_position(stream->reader);
    put_gap(stream, from, stream->at, UINT64_MAX, "unreadable", out);
    return OK;
}

/* Skips what was sent before the stream broke off; and a record in whose middle the position is, as when somebody added
 * one to a row's position. */
static Status pass_told(struct live_stream *stream, Err *err)
{
    JournalRecord record;
    JournalPos told = stream->told;
    stream->told = JOURNAL_NEVER;
    if (told == JOURNAL_NEVER) return OK;
    bool is_told = !journal_read(stream->reader, &record, NULL) && record.pos == told;
    if (is_told && stream->at < record.next) stream->at = record.next;
    if (is_told && stream->at == record.next) return OK;
    journal_reader_close(stream->reader);                    /* no record is there: what comes after it is new */
    stream->reader = NULL;
    return journal_reader_open(stream->live->options.journal, stream->at, &stream->reader, err);
}

static Status open_reader(struct live_stream *stream, struct buf *out, Err *err)
{
    struct journal *journal = stream->live->options.journal;
    if (stream->reader) return OK;
    JournalPos first = stream->told == JOURNAL_NEVER ? stream->at : stream->told;
    Status s = journal_reader_open(journal, first, &stream->reader, err);
    if (s == ERR_NOT_FOUND && first != stream->at) {
        stream->told = JOURNAL_NEVER;
        s = journal_reader_open(journal, stream->at, &stream->reader, err);
    }
    if (s != ERR_NOT_FOUND) return s ? s : pass_told(stream, err);
    JournalPos from = stream->at;
    stream->at = from < journal_first(journal) ? journal_first(journal) : journal_end(journal);
    stream->told = JOURNAL_NEVER;
    put_gap(stream, from, stream->at, UINT64_MAX, "not_kept", out);
    return journal_reader_open(journal, stream->at, &stream->reader, err);
}

/* ---- Falling behind ---- */

static void begin_gap(struct live_stream *stream, JournalPos applied)
{
    stream->is_counting = true;
    stream->gap_from = stream->at;
    stream->gap_to = applied;
    stream->gap_count = stream->gap_read_bytes = 0;
}

static LiveStep end_gap(struct live_stream *stream, uint64_t count, struct buf *out)
{
    journal_reader_close(stream->reader);
    stream->reader = NULL;
    stream->is_counting = false;
    stream->at = stream->gap_to;
    put_gap(stream, stream->gap_from, stream->gap_to, count, "behind", out);
    return LIVE_MORE;
}

static bool is_told_as_message(RecordKind kind) { return kind == RECORD_EVENT || kind == RECORD_REJECTED; }

static LiveStep count_gap(struct live_stream *stream, struct buf *out)
{
    JournalRecord record;
    uint64_t bytes = 0, skipped_bytes;
    if (journal_distance(stream->gap_from, stream->gap_to) > GAP_COUNTED_BYTES) return end_gap(stream, UINT64_MAX, out);
    while (bytes < GAP_PIECE_BYTES) {
        if (journal_reader_position(stream->reader) >= stream->gap_to) return end_gap(stream, stream->gap_count, out);
        Status s = journal_read(stream->reader, &record, NULL);
        if (s == ERR_DAMAGED && !journal_skip_damage(stream->reader, &skipped_bytes, NULL)) continue;
        if (s == ERR_NOT_FOUND) return end_gap(stream, stream->gap_count, out);
        if (s) return end_gap(stream, UINT64_MAX, out);
        bytes += record.bytes.len;
        if (record.pos >= stream->gap_to) return end_gap(stream, stream->gap_count, out);
        stream->gap_count += is_told_as_message(record_kind(record.bytes));
    }
    return LIVE_MORE;
}

/* ---- A piece ---- */

static LiveStep tell_up_to(struct live_stream *stream, JournalPos applied, const atomic_bool *is_cancelled,
                           const Arena *arena, struct buf *out, Err *err)
{
    JournalPos end = stream->has_end && stream->to < applied ? stream->to : applied;
    size_t note = 0, looked = 0, note_count = live_list_notes(stream->live, stream->serial, stream->notes);
    Arena base = *arena;
    struct group *group = arena_new(&base, struct group, 1);
    bool has_more = true;
    while (has_more && out->len < PIECE_BYTES && looked < PIECE_RECORDS) {
        Arena scratch = base;
        if (is_cancelled && atomic_load_explicit(is_cancelled, memory_order_relaxed)) return LIVE_END;
        Status s = read_group(stream, end, group, &scratch, &looked, err);
        judge_group(stream, group, &scratch);
        put_group(stream, group, &note, note_count, out);
        has_more = s != ERR_NOT_FOUND && journal_reader_position(stream->reader) < end;
        if (s == ERR_DAMAGED || s == ERR_UNSUPPORTED) s = pass_unreadable(stream, s, out, err);
        if (s && s != ERR_NOT_FOUND) return end_with(stream, "trouble", str_from(err->text), out);
        if (stream->at != journal_reader_position(stream->reader)) {  /* commands and erased records were skipped */
            stream->at = journal_reader_position(stream->reader);
            stream->has_moved = true;
        }
    }
    if (has_more) return LIVE_MORE;
    if (end == applied) put_notes(stream, &note, note_count, applied, out);
    stream->looked = applied;
    return stream->has_end && stream->to <= applied ? end_with(stream, "end", (Str){ 0 }, out) : LIVE_WAIT;
}

LiveStep live_stream_fill(struct live_stream *stream, Arena *arena, const atomic_bool *is_cancelled, struct buf *out)
{
    Err err = { 0 };
    size_t begun = out->len;
    bool is_first = stream->said_at_ns == 0;
    JournalPos applied = read_applied(stream);           /* before the notes are read: see live_note_suppressed */
    if (is_first) buf_str_put(out, STR(": onym live\nretry: 1000\n\n"));
    Status s = open_reader(stream, out, &err);
    if (is_first && !s) {  /* a watcher who is cut off before the first row comes back to here */
        put_place(stream, out);
        buf_str_put(out, STR("\n"));
    }
    LiveStep step = LIVE_WAIT;
    if (s) step = end_with(stream, "trouble", str_from(err.text), out);
    else if (stream->is_counting) step = count_gap(stream, out);
    else if (!stream->has_end && journal_distance(stream->at, applied) > stream->behind_bytes) {
        begin_gap(stream, applied);
        step = LIVE_MORE;
    } else {
        step = tell_up_to(stream, applied, is_cancelled, arena, out, &err);
    }
    bool is_silent = out->len == begun && now_ns(stream) - stream->said_at_ns >= LIVE_SILENCE_MS * INT64_C(1000000);
    if (is_silent) {
        buf_str_put(out, STR(":\n"));
        if (stream->has_moved) put_place(stream, out);
        buf_str_put(out, STR("\n"));
    }
    if (out->len > begun) stream->said_at_ns = now_ns(stream);
    return step;
}
