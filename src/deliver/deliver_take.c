/* deliver_take: from the journal into the lines.
 *
 * The journal is in order of arrival, and a person's messages are to go in order of their time. So what is
 * read settles: it lines up only when everything that arrived up to settle_ms later has been read, or that
 * time has passed, and what lines up together is sorted by event time first. That undoes what browsers and
 * networks shuffle; what comes later than that goes when it comes.
 */
#include "deliver_outlet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TAKE_RECORDS = 4000, RELEASE_MOST = 8000, WINDOW_SPARE = 16, READY_ENOUGH = 4096 };

/* ---- Reading ---- */

/* Up to where identity knows what happened, and a replay is to go. */
static JournalPos readable_until(const struct outlet *outlet, const struct stream *stream)
{
    const struct deliver_people *people = &outlet->deliver->options.people;
    JournalPos until = people->position ? people->position(people->context) : UINT64_MAX;
    return stream == &outlet->streams[STREAM_REPLAY] && stream->end < until ? stream->end : until;
}

static bool is_in_time(const struct outlet *outlet, const struct stream *stream, const Event *event)
{
    if (stream == &outlet->streams[STREAM_LIVE]) return true;
    return event->timestamp_ms >= stream->from_ms && event->timestamp_ms < stream->to_ms;
}

/* Nobody will send it, so it is said where it stays to be read. */
static void report_unread(struct outlet *outlet, const struct stream *stream, JournalPos pos, const char *why)
{
    struct parcel nobodys = { .pos = pos, .event_ms = outlet->deliver->now_ms };
    char text[384];
    snprintf(text, sizeof text, "what was to be delivered next cannot be read, and is passed over: %s", why);
    outlet_fail(outlet, str_from(why));
    if (stream == &outlet->streams[STREAM_LIVE]) dead_report(outlet, &nobodys, str_from(text));
}

static void report_unread_record(struct outlet *outlet, const struct stream *stream, JournalPos pos, const Err *why)
{
    char text[ERR_TEXT_BYTES];
    snprintf(text, sizeof text, "the record at position %" PRIu64 ": %s", pos, why->text);
    report_unread(outlet, stream, pos, text);
}

/* A record that is for this outlet begins to settle. The applier has let it pass, whatever it is. */
static Status take_record(struct outlet *outlet, StreamKind kind, const JournalRecord *record, Err *err)
{
    struct stream *stream = &outlet->streams[kind];
    Arena scratch = region_arena(&outlet->deliver->region);
    const TreeNode *json;
    struct parcel *parcel;
    Event event;
    if (record_kind(record->bytes) != RECORD_EVENT || overtakers_have(outlet, kind, record->pos)) return OK;
    if (event_decode(record->bytes, &event, err)) return report_unread_record(outlet, stream, record->pos, err), OK;
    if (event.received_at_ms > stream->watermark_ms) stream->watermark_ms = event.received_at_ms;
    if (!is_in_time(outlet, stream, &event)) return OK;
    if (event_tree_read(event.json, &scratch, &json, err))
        return report_unread_record(outlet, stream, record->pos, err), OK;
    if (!route_wants(outlet, &event, json)) {
        outlet_note_pair(outlet, &event);
        return OK;
    }
    parcel = parcel_take(outlet);
    check(parcel);
    parcel->state = PARCEL_SETTLING;
    parcel->stream = kind;
    parcel->pos = record->pos;
    parcel->event_ms = event.timestamp_ms;
    parcel->received_ms = event.received_at_ms;
    buf_init(&parcel->record, LIMIT_RECORD_BYTES * 2);
    buf_str_put(&parcel->record, record->bytes);
    list_append(&stream->settling, parcel);
    outlet->state.taken++;
    if (kind == STREAM_REPLAY) outlet->state.replay_taken++;
    return buf_ok(&parcel->record) ? OK : err_set(err, ERR_TOO_LARGE, "no memory for a record");
}

/* Nobody will send what is gone, so it is said where it stays to be read, once. */
static void report_gap(struct outlet *outlet, const struct stream *stream, JournalPos first)
{
    struct parcel nobodys = { .pos = stream->pos, .event_ms = outlet->deliver->now_ms };
    char text[256];
    snprintf(text, sizeof text, "the journal no longer has what was to be delivered next: retention removed %" PRIu64
             " bytes, up to position %" PRIu64, journal_distance(stream->pos, first), first);
    outlet_fail(outlet, str_from(text));
    if (stream == &outlet->streams[STREAM_LIVE]) dead_report(outlet, &nobodys, str_from(text));
}

static Status open_reader(struct outlet *outlet, struct stream *stream, Err *err)
{
    struct journal *journal = outlet->deliver->options.journal;
    Status s = journal_reader_open(journal, stream->pos, &stream->reader, err);
    if (s != ERR_NOT_FOUND || stream->pos >= journal_first(journal)) return s;
    JournalPos first = journal_first(journal);
    report_gap(outlet, stream, first);
    stream->pos = first;
    return journal_reader_open(journal, stream->pos, &stream->reader, err);
}

/* ERR_NOT_FOUND at the end. Damage is passed over and reported: it is lost either way. */
static Status read_next(struct outlet *outlet, struct stream *stream, JournalRecord *record, Err *err)
{
    Status s = stream->reader ? OK : open_reader(outlet, stream, err);
    uint64_t skipped;
    if (!s) s = journal_read(stream->reader, record, err);
    if (s == ERR_CONFLICT && stream->pos < journal_first(outlet->deliver->options.journal)) {
        journal_reader_close(stream->reader);                   /* retention was faster */
        stream->reader = NULL;
        s = open_reader(outlet, stream, err);
        if (!s) s = journal_read(stream->reader, record, err);
    }
    if (s != ERR_DAMAGED) return s;
    Err why = *err;
    s = journal_skip_damage(stream->reader, &skipped, err);
    if (!s) report_unread(outlet, stream, stream->pos, why.text);
    return s ? s : journal_read(stream->reader, record, err);
}

typedef enum Reading {
    READ_MORE,                          /* the rest with the next step */
    READ_BEHIND,                        /* all that identity has: what arrived together may lie on both sides */
    READ_ALL,
} Reading;

/* The record there is read again, when its time has come. */
static void wait_at(struct stream *stream, JournalPos pos)
{
    journal_reader_close(stream->reader);
    stream->reader = NULL;
    stream->pos = pos;
}

static Status read_stream(struct outlet *outlet, StreamKind kind, Reading *ret, Err *err)
{
    struct stream *stream = &outlet->streams[kind];
    JournalPos until = readable_until(outlet, stream);
    JournalPos end = kind == STREAM_REPLAY ? stream->end : journal_end(outlet->deliver->options.journal);
    Status s = OK;
    for (int count = 0; !s && count < TAKE_RECORDS; count++) {
        JournalRecord record;
        if (stream->pos >= until) {
            *ret = stream->pos >= end ? READ_ALL : READ_BEHIND;
            return OK;
        }
        if (outlet->free.count <= WINDOW_SPARE) break;
        s = read_next(outlet, stream, &record, err);
        if (s) break;
        if (record.pos >= until) {                      /* up to it there was the head of a segment, and no record */
            wait_at(stream, record.pos);
            continue;
        }
        s = take_record(outlet, kind, &record, err);
        stream->pos = record.next;
    }
    *ret = s == ERR_NOT_FOUND ? READ_ALL : READ_MORE;
    if (s == ERR_NOT_FOUND) stream->read_until = end;
    return s == ERR_NOT_FOUND ? OK : s;
}

/* ---- Lining up ---- */

uint64_t key_of_id(Str id)
{
    uint64_t key = hash_64(id, 'i');
    return key ? key : 1;
}

static void add_key(struct parcel *parcel, uint64_t key)
{
    for (uint32_t at = 0; at < parcel->turn_count; at++)
        if (parcel->turns[at].key == key) return;
    parcel->turns[parcel->turn_count++].key = key;
}

static bool names_somebody(const struct outlet *outlet, Str id)
{
    const struct deliver_people *people = &outlet->deliver->options.people;
    return id.len > 0 && !(people->is_blocked && people->is_blocked(people->context, id));
}

/* A user id and a previous id are one line where they are the same value: either may name the other. */
static Status find_lines(struct outlet *outlet, struct parcel *parcel, Err *err)
{
    Arena scratch = region_arena(&outlet->deliver->region);
    MessagePerson person = { 0 };
    Event event;
    Status s = event_decode(buf_str(&parcel->record), &event, err);
    if (!s) s = ask_person(outlet->deliver, &event, &scratch, &person, err);
    if (s) return s;
    if (names_somebody(outlet, event.user_id)) add_key(parcel, key_of_id(event.user_id));
    if (names_somebody(outlet, event.anonymous_id)) add_key(parcel, key_of_id(event.anonymous_id));
    if (event.type == EVENT_ALIAS && names_somebody(outlet, event.previous_id))
        add_key(parcel, key_of_id(event.previous_id));
    if (person.key) add_key(parcel, person.key);
    return OK;
}

static int compare_parcels(const void *left, const void *right)
{
    const struct parcel *a = *(struct parcel *const *)left, *b = *(struct parcel *const *)right;
    if (a->event_ms != b->event_ms) return a->event_ms < b->event_ms ? -1 : 1;
    return a->pos < b->pos ? -1 : a->pos > b->pos;
}

static Status line_up(struct outlet *outlet, struct parcel *parcel, Err *err)
{
    Status s = find_lines(outlet, parcel, err);
    if (s) return s;
    parcel->order = outlet->order++;
    order_line_up(outlet, parcel);
    parcel->state = order_is_first(parcel) ? PARCEL_READY : PARCEL_LINED;
    list_append(parcel->state == PARCEL_READY ? &outlet->ready : &outlet->lined, parcel);
    return OK;
}

/* Up to which event time messages have settled: the latest of those that arrived long enough ago. What
 * happened before that goes too, however lately it arrived: it would only come too late. */
static Millis settled_until(const struct stream *stream, Millis until_ms)
{
    Millis event_ms = INT64_MIN;
    for (const struct parcel *parcel = stream->settling.first; parcel; parcel = parcel->next)
        if (parcel->received_ms <= until_ms && parcel->event_ms > event_ms) event_ms = parcel->event_ms;
    return event_ms;
}

/* The first to arrive has not settled yet, so none has: spares a look at each. Where the clock was set back the first
 * says nothing of the others. */
static bool settles_still(const struct stream *stream, Millis until_ms, Millis now_ms)
{
    const struct parcel *first = stream->settling.first;
    return !first || (first->received_ms > until_ms && first->received_ms <= now_ms);
}

/* When the middle one of what settles arrived. */
static Millis middle_of(const struct stream *stream)
{
    const struct parcel *parcel = stream->settling.first;
    for (size_t at = 0; at < stream->settling.count / 2; at++) parcel = parcel->next;
    return parcel ? parcel->received_ms : INT64_MIN;
}

/* Theirs who are suppressed by now may have come before they were. */
static bool is_suppressed(struct deliver *deliver, Str record)
{
    const struct deliver_people *people = &deliver->options.people;
    Event event;
    if (!people->is_suppressed || event_decode(record, &event, NULL)) return false;
    ask_enter(deliver);
    return people->is_suppressed(people->context, &event);
}

/* What has settled, in event order. is_end: nothing more will come that arrived before now. */
static Status release(struct outlet *outlet, struct stream *stream, bool is_end, Err *err)
{
    Millis until_ms = stream->watermark_ms - outlet->rules.settle_ms, now_ms = outlet->deliver->now_ms;
    Millis event_ms;
    /* Where the window is full of what settles, waiting for more would be for ever: the older half goes. */
    bool is_full = stream->settling.count + 2 * WINDOW_SPARE >= outlet->window;
    bool is_replayed = stream == &outlet->streams[STREAM_REPLAY];
    struct parcel *chosen[RELEASE_MOST];
    size_t count = 0;
    Status s = OK;
    if (outlet->ready.count >= READY_ENOUGH) return OK;                 /* more than the next requests can take */
    if (is_end && now_ms - outlet->rules.settle_ms > until_ms) until_ms = now_ms - outlet->rules.settle_ms;
    if (is_full && middle_of(stream) > until_ms) until_ms = middle_of(stream);
    if (is_end && is_replayed) until_ms = INT64_MAX;
    if (settles_still(stream, until_ms, now_ms)) return OK;
    event_ms = settled_until(stream, until_ms);
    for (struct parcel *parcel = stream->settling.first; parcel && count < RELEASE_MOST; parcel = parcel->next)
        if (parcel->event_ms <= event_ms) chosen[count++] = parcel;
    qsort(chosen, count, sizeof *chosen, compare_parcels);
    for (size_t at = 0; !s && at < count; at++) {
        list_remove(&stream->settling, chosen[at]);
        if (ask_is_duplicate(outlet->deliver, chosen[at]->pos)
            || is_suppressed(outlet->deliver, buf_str(&chosen[at]->record))) {
            outlet->state.taken--;
            parcel_give_back(outlet, chosen[at]);
            continue;
        }
        s = line_up(outlet, chosen[at], err);
        if (s) list_append(&stream->settling, chosen[at]);          /* identity could not say: again later */
    }
    ask_leave(outlet->deliver);
    return s;
}

/* ---- Replays ---- */

/* What the one before it still had on its way: what has a row goes on, and is passed over by the new one; the rest
 * is as if it had never been read. */
static void leave_replay(struct outlet *outlet)
{
    struct stream *replay = &outlet->streams[STREAM_REPLAY];
    journal_reader_close(replay->reader);
    replay_forget(outlet);
    for (size_t at = 0; at < outlet->window; at++) {
        struct parcel *parcel = &outlet->parcels[at];
        if (parcel->state == PARCEL_FREE || parcel->stream != STREAM_REPLAY || parcel->is_redo) continue;
        if (parcel->has_row) overtakers_add(outlet, parcel, false);
        else parcel_finish(outlet, parcel);
    }
}

/* Its row is in the ledger from the first moment on: whoever asked for it is answered when that is committed. */
void replay_begin(struct outlet *outlet, Millis from_ms, Millis to_ms)
{
    struct journal *journal = outlet->deliver->options.journal;
    struct stream *replay = &outlet->streams[STREAM_REPLAY];
    JournalPos first = journal_first(journal);
    for (struct parcel *parcel; (parcel = replay->settling.first);) {
        list_remove(&replay->settling, parcel);
        parcel_give_back(outlet, parcel);
    }
    leave_replay(outlet);
    outlet->state.replay_taken = outlet->state.replay_delivered = 0;
    *replay = (struct stream){ .is_active = true, .from_ms = from_ms, .to_ms = to_ms, .pos = first, .kept = first,
                               .end = journal_end(journal), .watermark_ms = INT64_MIN / 2 };
    replay_save(outlet);
}

/* Over when all was read and is finished or has a row: what stands in a line without one would be lost by a crash. */
static void end_replay(struct outlet *outlet)
{
    struct stream *replay = &outlet->streams[STREAM_REPLAY];
    bool is_read = replay->pos >= replay->end || replay->read_until >= replay->end;
    if (!is_read || replay->settling.first) return;
    journal_reader_close(replay->reader);
    replay->reader = NULL;
    if (replay_is_kept(outlet)) replay_forget(outlet);
}

Status outlet_take(struct outlet *outlet, Err *err)
{
    Status s = OK;
    for (int kind = 0; !s && kind < STREAMS; kind++) {
        Reading reading = READ_MORE;
        if (!outlet->streams[kind].is_active) continue;
        s = read_stream(outlet, (StreamKind)kind, &reading, err);
        if (!s) s = release(outlet, &outlet->streams[kind], reading == READ_ALL, err);
        outlet->has_more |= reading == READ_MORE && outlet->free.count > WINDOW_SPARE;
        if (kind == STREAM_LIVE) outlet->is_behind = reading == READ_BEHIND;
    }
    if (!s && outlet->streams[STREAM_REPLAY].is_active) end_replay(outlet);
    return s ? err_wrap(err, s, "destination %s", outlet->name) : OK;
}
