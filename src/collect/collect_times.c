/* collect_times: when a message happened by our clock. (docs/protocol.md#times)
 *
 *   timestamp = what the client said + (receivedAt - sentAt)      sentAt: the message's own, else the envelope's
 *
 * What the client said is its timestamp, else its originalTimestamp: the first of them that can be read, was set, and
 * is from 1970 to a day ahead of us. If neither is, the message happened when it arrived. A sentAt that cannot be right
 * together with what the client said corrects nothing: an event is not much later than its sending, and none waits
 * for a year.
 *
 * Nothing of this is silent: the message names the first problem (timeProblem), and keeps what was sent as
 * originalTimestamp or, where that is taken, as unreadTimestamp.
 *
 * Imports are not corrected. A time that an archive's line lacks is taken from its other times; a line without any
 * good time is refused, since the present time is never right for an archive. */
#include "collect_stations.h"

#include <stdio.h>

enum { AHEAD_MS_MAX = DAY_MS, SENT_BEFORE_MS_MAX = 5 * MINUTE_MS };
static const Millis WAITED_MS_MAX = 365 * DAY_MS;

static const struct { const char *word, *text; } problems[TIME_PROBLEM_COUNT] = {
    [TIME_FINE] = { "", "" },
#define TIME_PROBLEM(name, word, text) [name] = { word, text },
#include "time_problems.tbl.h"
#undef TIME_PROBLEM
};

/* ---- One time ---- */

static bool is_present(const Field *field) { return field->kind > FIELD_NULL; }
static bool is_empty(const Field *field) { return field->kind == FIELD_STRING && field->text.len == 0; }

static InstantReading read_instant(const Field *field, Millis *ret_ms)
{
    *ret_ms = INSTANT_NONE;
    if (field->kind == FIELD_STRING) return instant_read(field->text, ret_ms);
    if (field->kind == FIELD_NUMBER) return instant_read_number(field->raw, ret_ms);
    return INSTANT_UNREADABLE;
}

static TimeProblem judge(Millis at_ms, Millis now_ms)
{
    return at_ms < 0 ? TIME_BEFORE_1970 : at_ms > now_ms + AHEAD_MS_MAX ? TIME_IN_FUTURE : TIME_FINE;
}

static TimeProblem judge_field(const Field *field, Millis *ret_ms)
{
    InstantReading reading = read_instant(field, ret_ms);
    if (reading != INSTANT_READ) return reading == INSTANT_AMBIGUOUS ? TIME_AMBIGUOUS : TIME_UNREADABLE;
    return *ret_ms < 0 ? TIME_BEFORE_1970 : TIME_FINE;
}

/* 0 is what C and Java have of a time that was never set. Beside another one it counts for none; alone it stands. */
static bool is_unset(Millis at_ms, const Field *original)
{
    Millis other_ms;
    return at_ms == 0 && is_present(original) && !judge_field(original, &other_ms) && other_ms != 0;
}

/* ---- A live client's message ---- */

typedef struct Sent {
    const Field *own, *envelope, *used;         /* used NULL: none corrects anything */
    TimeProblem problem;
} Sent;

static bool can_be_right(Millis original_ms, Millis sent_ms, Millis now_ms)
{
    if (sent_ms < original_ms - SENT_BEFORE_MS_MAX) return false;
    if (judge(original_ms, now_ms)) return true;            /* the clock is wrong, and sentAt is by the same clock */
    return sent_ms - now_ms <= WAITED_MS_MAX && !judge(original_ms + now_ms - sent_ms, now_ms);
}

/* The difference of the clocks, by the first sentAt that can be right together with the time. */
static Millis find_skew(const struct intake *intake, Millis original_ms, Sent *sent)
{
    const Field *fields[] = { sent->own, sent->envelope };
    Millis now_ms = intake->received_at_ms, least_ms = intake->workspace->collector->options.skew_least_ms, sent_ms;
    sent->used = NULL;
    sent->problem = TIME_FINE;
    for (size_t at = 0; at < countof(fields); at++) {
        if (!is_present(fields[at]) || is_empty(fields[at])) continue;
        bool is_read = read_instant(fields[at], &sent_ms) == INSTANT_READ;
        if (!is_read || !can_be_right(original_ms, sent_ms, now_ms)) {
            if (!sent->problem) sent->problem = is_read ? TIME_SENT_IGNORED : TIME_SENT_UNREADABLE;
            continue;
        }
        sent->used = fields[at];
        if (!at || !is_present(sent->own)) sent->problem = TIME_FINE;
        Millis skew_ms = now_ms - sent_ms;
        return skew_ms < least_ms && skew_ms > -least_ms ? 0 : skew_ms;
    }
    return 0;
}

/* Keeps a sentAt: the one that was used, else the message's own, else the envelope's. */
static void keep_sent(const Sent *sent, EventStamps *stamps)
{
    const Field *kept = sent->used ? sent->used : is_present(sent->own) ? sent->own : sent->envelope;
    if (!sent->used && is_empty(kept) && is_present(sent->envelope)) kept = sent->envelope;
    stamps->sent_at_ms = INSTANT_NONE;
    if (!is_present(kept) || (kept == sent->envelope && kept->raw.len > 64)) return;
    stamps->sent_at_raw = kept->raw;
    (void)read_instant(kept, &stamps->sent_at_ms);
}

/* Keeps the client's times; taken: the one that counts, or NULL. */
static void keep_originals(const Message *message, const Field *taken, EventStamps *stamps)
{
    const Field *timestamp = &message->timestamp, *original = &message->original_timestamp, *kept = taken;
    if (!kept) kept = is_present(original) && !is_empty(original) ? original : timestamp;
    if (!is_present(kept)) kept = original;
    stamps->original_timestamp_ms = INSTANT_NONE;
    if (is_present(kept)) {
        stamps->original_timestamp_raw = kept->raw;
        (void)read_instant(kept, &stamps->original_timestamp_ms);
    }
    if (kept != timestamp && is_present(timestamp) && !is_empty(timestamp))
        stamps->unread_timestamp_raw = timestamp->raw;
}

void collect_stamp_times(const struct intake *intake, const Message *message, EventStamps *stamps, char *text)
{
    const Field *fields[] = { &message->timestamp, &message->original_timestamp }, *taken = NULL;
    Sent sent = { .own = &message->sent_at, .envelope = &intake->body.sent_at };
    Millis now_ms = intake->received_at_ms, happened_ms = now_ms;
    TimeProblem problem = TIME_FINE;
    for (size_t at = 0; at < countof(fields) && !taken; at++) {
        Millis original_ms;
        if (!is_present(fields[at])) continue;
        TimeProblem found = judge_field(fields[at], &original_ms);
        if (!found && !at && is_unset(original_ms, fields[1])) found = TIME_BEFORE_1970;
        Millis corrected_ms = found ? now_ms : original_ms + find_skew(intake, original_ms, &sent);
        if (!found) found = judge(corrected_ms, now_ms);
        if (!problem) problem = found;
        if (found) continue;
        taken = fields[at];
        happened_ms = corrected_ms;
        if (!problem) problem = sent.problem;
    }
    if (!taken) sent.used = NULL;
    keep_sent(&sent, stamps);
    keep_originals(message, taken, stamps);
    stamps->time_problem = str_from(problems[problem].word);
    stamps->timestamp_ms = happened_ms;
    stamps->received_at = (Str){ intake->received_at, INSTANT_TEXT_BYTES };
    stamps->timestamp = (Str){ text, INSTANT_TEXT_BYTES };
    if (happened_ms == now_ms) stamps->timestamp = stamps->received_at;
    else instant_write(happened_ms, text);
}

/* ---- An archive's line ---- */

static void refuse(struct stamp_room *room, TimeProblem problem, const Field *field, const char *name)
{
    static const Rule missing = { "timestamp_missing", "timestamp",
        "it has no timestamp, originalTimestamp, receivedAt or sentAt; the present time would be wrong" };
    room->refused = missing;
    if (!problem) return;
    Str shown = str_slice(field->raw, 0, 60);
    while (shown.len < field->raw.len && ((unsigned char)field->raw.bytes[shown.len] & 0xC0) == 0x80) shown.len--;
    snprintf(room->refused_text, sizeof room->refused_text, "%s %.*s%s %s", name, STR_FORMAT(shown),
             shown.len < field->raw.len ? "…" : "", problems[problem].text);
    room->refused = (Rule){ problems[problem].word, name, room->refused_text };
}

void collect_keep_times(const struct intake *intake, const Message *message, EventStamps *stamps,
                        struct stamp_room *room)
{
    static const char *const names[] = { "timestamp", "originalTimestamp", "receivedAt", "sentAt" };
    const Field *fields[] = { &message->timestamp, &message->original_timestamp, &message->received_at,
                              &message->sent_at };
    Millis now_ms = intake->received_at_ms, happened_ms = INSTANT_NONE, received_ms;
    TimeProblem problem = TIME_FINE;
    size_t taken, first = 0;
    for (taken = 0; taken < countof(fields); taken++) {
        if (!is_present(fields[taken]) || (taken > 0 && is_empty(fields[taken]))) continue;
        TimeProblem found = judge_field(fields[taken], &happened_ms);
        if (!found && !taken && is_unset(happened_ms, fields[1])) found = TIME_BEFORE_1970;
        if (!found) found = judge(happened_ms, now_ms);
        if (!found) break;
        if (!problem) first = taken, problem = found;
    }
    if (taken == countof(fields)) {
        refuse(room, problem, fields[first], names[first]);
        return;
    }
    if (read_instant(&message->received_at, &received_ms) != INSTANT_READ || received_ms < 0 || received_ms > now_ms)
        received_ms = now_ms;
    stamps->time_problem = str_from(problems[problem].word);
    if (problem && first == 0 && !is_empty(&message->timestamp)) stamps->unread_timestamp_raw = message->timestamp.raw;
    (void)read_instant(&message->original_timestamp, &stamps->original_timestamp_ms);
    (void)read_instant(&message->sent_at, &stamps->sent_at_ms);
    if (is_present(&message->original_timestamp)) stamps->original_timestamp_raw = message->original_timestamp.raw;
    if (is_present(&message->sent_at)) stamps->sent_at_raw = message->sent_at.raw;
    stamps->timestamp_ms = happened_ms;
    instant_write(happened_ms, room->timestamp);
    instant_write(received_ms, room->received_at);
    stamps->timestamp = (Str){ room->timestamp, INSTANT_TEXT_BYTES };
    stamps->received_at = (Str){ room->received_at, INSTANT_TEXT_BYTES };
}

void collect_count_problem(CollectResult *result, const EventStamps *stamps)
{
    if (!stamps->time_problem.len) return;
    for (int problem = 1; problem < TIME_PROBLEM_COUNT; problem++)
        result->time_problems[problem] += str_equal(stamps->time_problem, str_from(problems[problem].word));
}

const char *collect_time_problem_text(Str word)
{
    for (int problem = 1; problem < TIME_PROBLEM_COUNT; problem++)
        if (str_equal(word, str_from(problems[problem].word))) return problems[problem].text;
    return NULL;
}
