/* deliver_take: from the journal into the lines.
 *
 * The journal is in order of arrival, but a person's messages must go in order of their time. So a message that was
 * read settles: it lines up only when all messages that arrived up to settle_ms later have been read, or that time has
 * passed. Messages that line up together are sorted by event time first. This puts in order what browsers and networks
 * shuffle; a message that arrives later than that is sent when it arrives.
 */
#include "deliver_runner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TAKE_RECORDS = 4000, RELEASE_MOST = 8000, WINDOW_SPARE = 16, READY_ENOUGH = 4096 };

/* ---- Reading ---- */

/* The position up to which identity knows what happened, and up to which a replay may go. */
static JournalPos readable_until(const struct runner *runner, const struct stream *stream)
{
    const struct deliver_people *people = &runner->deliver->options.people;
    JournalPos until = people->position ? people->position(people->context) : UINT64_MAX;
    return stream == &runner->streams[STREAM_REPLAY] && stream->end < until ? stream->end : until;
}

static bool is_in_time(const struct runner *runner, const struct stream *stream, const Event *event)
{
    if (stream == &runner->streams[STREAM_LIVE]) return true;
    return event->timestamp_ms >= stream->from_ms && event->timestamp_ms < stream->to_ms;
}

/* Nobody will send this message. The report says so in a place where people can read it later. */
static void report_unread(struct runner *runner, const struct stream *stream, JournalPos pos, const char *why)
{
    struct delivery nobodys = { .pos = pos, .event_ms = runner->deliver->now_ms };
    char text[384];
    snprintf(text, sizeof text, "what was to be delivered next cannot be read, and is passed over: %s", why);
    runner_fail(runner, str_from(why));
    if (stream == &runner->streams[STREAM_LIVE]) dead_report(runner, &nobodys, str_from(text));
}

static void report_unread_record(struct runner *runner, const struct stream *stream, JournalPos pos, const Err *why)
{
    char text[ERR_TEXT_BYTES];
    snprintf(text, sizeof text, "the record at position %" PRIu64 ": %s", pos, why->text);
    report_unread(runner, stream, pos, text);
}

/* A record that is for this runner begins to settle. The applier is past it already, so a record that cannot be read is
 * reported, and stops nothing. */
static Status take_record(struct runner *runner, StreamKind kind, const JournalRecord *record, Err *err)
{
    struct stream *stream = &runner->streams[kind];
    Arena scratch = region_arena(&runner->deliver->region);
    const TreeNode *json;
    struct delivery *delivery;
    Event event;
    if (record_kind(record->bytes) != RECORD_EVENT || overtakers_have(runner, kind, record->pos)) return OK;
    if (event_decode(record->bytes, &event, err)) return report_unread_record(runner, stream, record->pos, err), OK;
    if (event.received_at_ms > stream->watermark_ms) stream->watermark_ms = event.received_at_ms;
    if (!is_in_time(runner, stream, &event)) return OK;
    if (event_tree_read(event.json, &scratch, &json, err))
        return report_unread_record(runner, stream, record->pos, err), OK;
    bool is_held = tracking_stamp_holds(event.plan_check);
    if (stream->is_release && !is_held) return OK;
    if ((is_held && !stream->is_release) || !route_wants(runner, &event, json)) {
        runner_note_pair(runner, &event);
        return OK;
    }
    delivery = delivery_take(runner);
    check(delivery);
    delivery->stage = DELIVERY_SETTLING;
    delivery->stream = kind;
    delivery->pos = record->pos;
    delivery->event_ms = event.timestamp_ms;
    delivery->received_ms = event.received_at_ms;
    buf_init(&delivery->record, LIMIT_RECORD_BYTES * 2);
    buf_str_put(&delivery->record, record->bytes);
    list_append(&stream->settling, delivery);
    runner->state.taken++;
    if (kind == STREAM_REPLAY) runner->state.replay_taken++;
    return buf_ok(&delivery->record) ? OK : err_set(err, ERR_TOO_LARGE, "no memory for a record");
}

/* Nobody will send the messages that are gone. A report says so once, in a place where people can read it later. */
static void report_gap(struct runner *runner, const struct stream *stream, JournalPos first)
{
    struct delivery nobodys = { .pos = stream->pos, .event_ms = runner->deliver->now_ms };
    char text[256];
    snprintf(text, sizeof text, "the journal no longer has what was to be delivered next: retention removed %" PRIu64
             " bytes, up to position %" PRIu64, journal_distance(stream->pos, first), first);
    runner_fail(runner, str_from(text));
    if (stream == &runner->streams[STREAM_LIVE]) dead_report(runner, &nobodys, str_from(text));
}

static Status open_reader(struct runner *runner, struct stream *stream, Err *err)
{
    struct journal *journal = runner->deliver->options.journal;
    Status s = journal_reader_open(journal, stream->pos, &stream->reader, err);
    if (s != ERR_NOT_FOUND || stream->pos >= journal_first(journal)) return s;
    JournalPos first = journal_first(journal);
    report_gap(runner, stream, first);
    stream->pos = first;
    return journal_reader_open(journal, stream->pos, &stream->reader, err);
}

/* ERR_NOT_FOUND at the end. Damage is passed over and reported: what it held is lost either way. */
static Status read_next(struct runner *runner, struct stream *stream, JournalRecord *record, Err *err)
{
    Status s = stream->reader ? OK : open_reader(runner, stream, err);
    uint64_t skipped;
    if (!s) s = journal_read(stream->reader, record, err);
    if (s == ERR_CONFLICT && stream->pos < journal_first(runner->deliver->options.journal)) {
        journal_reader_close(stream->reader);                   /* retention was faster */
        stream->reader = NULL;
        s = open_reader(runner, stream, err);
        if (!s) s = journal_read(stream->reader, record, err);
    }
    if (s != ERR_DAMAGED) return s;
    Err why = *err;
    s = journal_skip_damage(stream->reader, &skipped, err);
    if (!s) report_unread(runner, stream, stream->pos, why.text);
    return s ? s : journal_read(stream->reader, record, err);
}

typedef enum Reading {
    READ_MORE,                          /* the rest with the next step */
    READ_BEHIND,                        /* all that identity knows; messages that came together may lie after that */
    READ_ALL,
} Reading;

/* The record at pos will be read again later. */
static void wait_at(struct stream *stream, JournalPos pos)
{
    journal_reader_close(stream->reader);
    stream->reader = NULL;
    stream->pos = pos;
}

static Status read_stream(struct runner *runner, StreamKind kind, Reading *ret, Err *err)
{
    struct stream *stream = &runner->streams[kind];
    JournalPos until = readable_until(runner, stream);
    JournalPos end = kind == STREAM_REPLAY ? stream->end : journal_end(runner->deliver->options.journal);
    Status s = OK;
    for (int count = 0; !s && count < TAKE_RECORDS; count++) {
        JournalRecord record;
        if (stream->pos >= until) {
            *ret = stream->pos >= end ? READ_ALL : READ_BEHIND;
            return OK;
        }
        if (runner->free.count <= WINDOW_SPARE) break;
        s = read_next(runner, stream, &record, err);
        if (s) break;
        if (record.pos >= until) {                      /* before it there was the head of a segment, no record */
            wait_at(stream, record.pos);
            continue;
        }
        s = take_record(runner, kind, &record, err);
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

static void add_key(struct delivery *delivery, uint64_t key)
{
    for (uint32_t at = 0; at < delivery->turn_count; at++)
        if (delivery->turns[at].key == key) return;
    delivery->turns[delivery->turn_count++].key = key;
}

static bool names_somebody(const struct runner *runner, Str id)
{
    const struct deliver_people *people = &runner->deliver->options.people;
    return id.len > 0 && !(people->is_blocked && people->is_blocked(people->context, id));
}

/* A user id and a previous id with the same value are one line: either may name the other. */
static Status find_lines(struct runner *runner, struct delivery *delivery, Err *err)
{
    Arena scratch = region_arena(&runner->deliver->region);
    MessagePerson person = { 0 };
    Event event;
    Status s = event_decode(buf_str(&delivery->record), &event, err);
    if (!s) s = lookup_person(runner->deliver, &event, &scratch, &person, err);
    if (s) return s;
    if (names_somebody(runner, event.user_id)) add_key(delivery, key_of_id(event.user_id));
    if (names_somebody(runner, event.anonymous_id)) add_key(delivery, key_of_id(event.anonymous_id));
    if (event.type == EVENT_ALIAS && names_somebody(runner, event.previous_id))
        add_key(delivery, key_of_id(event.previous_id));
    if (person.key) add_key(delivery, person.key);
    return OK;
}

static int compare_deliveries(const void *left, const void *right)
{
    const struct delivery *a = *(struct delivery *const *)left, *b = *(struct delivery *const *)right;
    if (a->event_ms != b->event_ms) return a->event_ms < b->event_ms ? -1 : 1;
    return a->pos < b->pos ? -1 : a->pos > b->pos;
}

static Status line_up(struct runner *runner, struct delivery *delivery, Err *err)
{
    Status s = find_lines(runner, delivery, err);
    if (s) return s;
    delivery->order = runner->order++;
    order_line_up(runner, delivery);
    delivery->stage = order_is_first(delivery) ? DELIVERY_READY : DELIVERY_LINED;
    list_append(delivery->stage == DELIVERY_READY ? &runner->ready : &runner->lined, delivery);
    return OK;
}

/* The event time up to which messages have settled: the latest among those that arrived long enough ago. What
 * happened before that goes, too, even if it has just arrived: it would only come too late. */
static Millis settled_until(const struct stream *stream, Millis until_ms)
{
    Millis event_ms = INT64_MIN;
    for (const struct delivery *delivery = stream->settling.first; delivery; delivery = delivery->next)
        if (delivery->received_ms <= until_ms && delivery->event_ms > event_ms) event_ms = delivery->event_ms;
    return event_ms;
}

/* If the message that arrived first has not settled yet, none has, and we need not look at each. But if the clock was
 * set back, or a slow request came into the journal before a later one, the first says nothing about the others. */
static bool settles_still(const struct stream *stream, Millis until_ms, Millis now_ms)
{
    const struct delivery *first = stream->settling.first;
    return !first || (first->received_ms > until_ms && first->received_ms <= now_ms);
}

/* When the middle one of the settling messages arrived. */
static Millis middle_of(const struct stream *stream)
{
    const struct delivery *delivery = stream->settling.first;
    for (size_t at = 0; at < stream->settling.count / 2; at++) delivery = delivery->next;
    return delivery ? delivery->received_ms : INT64_MIN;
}

/* Messages of people who are suppressed now may have come before the suppression. */
static bool is_suppressed(struct deliver *deliver, Str record)
{
    Event event;
    return !event_decode(record, &event, NULL) && lookup_is_suppressed(deliver, &event);
}

/* Nothing more can be read if the window is full of messages that settle (of this stream or of both) or that wait for
 * a later try. To wait for them could take hours, or for ever. So the older half of the settling ones lines up. */
static bool is_full_of_settling(const struct runner *runner, const struct stream *stream)
{
    if (stream->settling.count + 2 * WINDOW_SPARE >= runner->window) return true;
    return runner->free.count <= WINDOW_SPARE && !runner->ready.count && !runner->under_way.count;
}

/* Lines up what has settled, by event time. is_end: nothing more will be read that arrived before now. */
static Status release(struct runner *runner, struct stream *stream, bool is_end, Err *err)
{
    Millis until_ms = stream->watermark_ms - runner->rules.settle_ms, now_ms = runner->deliver->now_ms;
    Millis event_ms;
    bool is_full = is_full_of_settling(runner, stream);
    bool is_replayed = stream == &runner->streams[STREAM_REPLAY];
    struct delivery *chosen[RELEASE_MOST];
    size_t count = 0;
    Status s = OK;
    if (runner->ready.count >= READY_ENOUGH) return OK;                 /* more than the next requests can take */
    if (is_end && now_ms - runner->rules.settle_ms > until_ms) until_ms = now_ms - runner->rules.settle_ms;
    if (is_full && middle_of(stream) > until_ms) until_ms = middle_of(stream);
    if (is_end && is_replayed) until_ms = INT64_MAX;
    if (!is_full && settles_still(stream, until_ms, now_ms)) return OK;
    event_ms = settled_until(stream, until_ms);
    struct delivery *delivery = stream->settling.first;
    for (; delivery && count < RELEASE_MOST; delivery = delivery->next)
        if (delivery->event_ms <= event_ms) chosen[count++] = delivery;
    qsort(chosen, count, sizeof *chosen, compare_deliveries);
    for (size_t at = 0; !s && at < count; at++) {
        list_remove(&stream->settling, chosen[at]);
        if (lookup_is_duplicate(runner->deliver, chosen[at]->pos)
            || is_suppressed(runner->deliver, buf_str(&chosen[at]->record))) {
            runner->state.taken--;
            delivery_give_back(runner, chosen[at]);
            continue;
        }
        s = line_up(runner, chosen[at], err);
        if (s) list_append(&stream->settling, chosen[at]);          /* identity could not say: later */
    }
    lookup_leave(runner->deliver);
    return s;
}

/* ---- Replays ---- */

/* Deals with deliveries of an earlier replay: those with a row go on, and the new replay passes over their records; the
 * others are dropped as if they had never been read. */
static void leave_replay(struct runner *runner)
{
    struct stream *replay = &runner->streams[STREAM_REPLAY];
    journal_reader_close(replay->reader);
    replay_forget(runner);
    for (size_t at = 0; at < runner->window; at++) {
        struct delivery *delivery = &runner->deliveries[at];
        if (delivery->stage == DELIVERY_FREE || delivery->stream != STREAM_REPLAY || delivery->is_redo) continue;
        if (delivery->has_row) overtakers_add(runner, delivery, false);
        else delivery_finish(runner, delivery);
    }
}

/* Puts the replay's row into the pending changes. The operator who asked for the replay is answered when these are
 * committed. */
void replay_begin(struct runner *runner, Millis from_ms, Millis to_ms, bool is_release)
{
    struct journal *journal = runner->deliver->options.journal;
    struct stream *replay = &runner->streams[STREAM_REPLAY];
    JournalPos first = journal_first(journal);
    for (struct delivery *delivery; (delivery = replay->settling.first);) {
        list_remove(&replay->settling, delivery);
        delivery_give_back(runner, delivery);
    }
    leave_replay(runner);
    runner->state.replay_taken = runner->state.replay_delivered = 0;
    *replay = (struct stream){ .is_active = true, .is_release = is_release, .from_ms = from_ms, .to_ms = to_ms,
                               .pos = first, .kept = first,
                               .end = journal_end(journal), .watermark_ms = INT64_MIN / 2 };
    replay_save(runner);
}

/* The replay is over when all was read and every message is finished or has a row: a crash would lose a delivery
 * without a row. */
static void end_replay(struct runner *runner)
{
    struct stream *replay = &runner->streams[STREAM_REPLAY];
    bool is_read = replay->pos >= replay->end || replay->read_until >= replay->end;
    if (!is_read || replay->settling.first) return;
    journal_reader_close(replay->reader);
    replay->reader = NULL;
    if (replay_is_kept(runner)) replay_forget(runner);
}

Status runner_take(struct runner *runner, Err *err)
{
    Status s = OK;
    for (int kind = 0; !s && kind < STREAMS; kind++) {
        Reading reading = READ_MORE;
        if (!runner->streams[kind].is_active) continue;
        s = read_stream(runner, (StreamKind)kind, &reading, err);
        if (!s) s = release(runner, &runner->streams[kind], reading == READ_ALL, err);
        runner->has_more |= reading == READ_MORE && runner->free.count > WINDOW_SPARE;
        if (kind == STREAM_LIVE) runner->settles_by_time = reading == READ_ALL && runner->ready.count < READY_ENOUGH;
    }
    if (!s && runner->streams[STREAM_REPLAY].is_active) end_replay(runner);
    return s ? err_wrap(err, s, "destination %s", runner->name) : OK;
}
