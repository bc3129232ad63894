/* live: messages as they come, each with what became of it, for whoever watches: `GET /api/v1/live`.
 *
 * What it is not: it keeps no message. It reads from the journal at the watcher's own place, when the
 * watcher takes more, and only up to where derived state is, so that a message's fate and person are known. Of messages
 * for suppressed ids only a number may be kept (docs/privacy.md), so those that collection left out are noted in
 * memory as numbers, LIVE_NOTES of them, and a restart forgets them.
 *
 * A stream's text is that of server-sent events (docs/live.md): a row is `data:` with one object on one line, and
 * `id:` says where it is, so that a watcher who comes back with that id misses nothing and gets nothing twice:
 *     POSITION           after the record there
 *     POSITION-SERIAL    before the record there, after the note of that serial
 *
 * Threads: live_note_suppressed and the opening and closing of streams from any; a stream by one at a time.
 */
#ifndef ONYM_LIVE_LIVE_H
#define ONYM_LIVE_LIVE_H

#include "derive/derive.h"
#include "event/event.h"
#include "journal/journal.h"
#include "os/os.h"

enum {
    LIVE_STREAMS = 16,                       /* at a time */
    LIVE_NOTES = 1024,
    LIVE_VALUES = 16,                        /* of one kind of condition */
    LIVE_BEHIND_BYTES = 64 * 1024 * 1024,    /* of journal that a stream may be behind, unless it asks for less */
    LIVE_BEHIND_LEAST = 64 * 1024,
    LIVE_MINUTES = 24 * 60,                  /* the minutes that are counted */
    LIVE_COUNT_ROWS = 2048,                  /* one for each source, type and fate; 6 KiB each */
    LIVE_SILENCE_MS = 15000,                 /* after that a comment says that the stream is alive */
};

typedef enum LiveFate { LIVE_ACCEPTED, LIVE_REJECTED, LIVE_REPEATED, LIVE_SUPPRESSED, LIVE_FATES } LiveFate;
const char *live_fate_word(LiveFate fate);
bool live_fate_from(Str word, LiveFate *ret);

typedef struct LiveOptions {
    struct journal *journal;
    struct applier *applier;
    struct clock *clock;
} LiveOptions;

/* What all streams of a process share. */
struct live;
struct live *live_open(const LiveOptions *options);
void live_close(struct live *live);                          /* accepts NULL; no stream may be in use */

/* Collection left out so many messages of a request, by type (EVENT_NONE included). source: a source's name, which
 * outlives this; empty: unknown. */
void live_note_suppressed(struct live *live, Str source, const uint32_t counts[EVENT_TYPE_COUNT],
                          Millis received_at_ms);

/* ---- One stream ---- */

typedef struct LiveValues {
    Str items[LIVE_VALUES];
    size_t count;
} LiveValues;

/* For each kind of condition that is given, one of its values must match. */
typedef struct LiveFilter {
    unsigned types, fates;                   /* bits 1 << EventType, 1 << LiveFate; 0: any */
    bool breaks_plan;                        /* only what breaks the tracking plan, or was rejected for that */
    LiveValues events, sources;              /* the exact text; events: a track's event, a page's or screen's name */
    LiveValues ids;                          /* userId, anonymousId, previousId, groupId */
    LiveValues texts;                        /* anywhere in the JSON, however escaped; ASCII letters of either case */
} LiveFilter;

typedef struct LiveAsk {
    LiveFilter filter;                       /* copied */
    bool is_now;                             /* begins after all that is durable now; else: */
    JournalPos from;                         /* the first record that is sent; JOURNAL_OLDEST: the oldest kept */
    Str last_id;                             /* counts before both: the id of the last row that he got; empty: none */
    bool has_end;
    JournalPos to;                           /* has_end: the stream ends before this, and leaves nothing out */
    uint64_t behind_bytes;                   /* LIVE_BEHIND_LEAST to LIVE_BEHIND_BYTES; 0: the latter */
} LiveAsk;

struct live_stream;
/* ERR_TIMEOUT: there are LIVE_STREAMS already. ERR_INPUT: no stream gave such a last_id. */
Status MUST live_stream_open(struct live *live, const LiveAsk *ask, struct live_stream **ret, Err *err);
void live_stream_close(struct live_stream *stream);          /* accepts NULL */
/* Is there something to send, or was nothing sent for too long? Looks at memory only. */
bool live_stream_is_due(const struct live_stream *stream);

typedef enum LiveStep { LIVE_MORE, LIVE_WAIT, LIVE_END } LiveStep;
/* Appends what comes next, some 256 KiB at most, or nothing. LIVE_MORE: there is more at once. LIVE_END: it has reached
 * `to`, or cannot go on (and has said so). is_cancelled: nobody waits any more; may be NULL. */
LiveStep live_stream_fill(struct live_stream *stream, Arena *arena, const atomic_bool *is_cancelled, struct buf *out);

/* ---- One message (live_message.c) ---- */

/* Writes the members of a row for the message at the position, what Onym stamped on it, and the links that it made: the
 * answer of GET /api/v1/messages/POSITION (docs/live.md). Waits a moment if it is not applied yet. ERR_NOT_FOUND: no
 * message begins exactly there, or it was erased. */
Status MUST live_write_message(struct live *live, JournalPos pos, const atomic_bool *is_cancelled, Arena *arena,
                               struct buf *out, Err *err);

/* The message at the position and its fate, for code that tells more about it. Errors as above. */
typedef struct LiveMessage {
    Event event;                        /* borrows from the arena; not set for a rejected one */
    LiveFate fate;
} LiveMessage;
Status MUST live_read_message(struct live *live, JournalPos pos, const atomic_bool *is_cancelled, Arena *arena,
                              LiveMessage *ret, Err *err);

/* ---- People (live_people.c) ---- */

/* A page of people, those with the latest message first. Some 64 MiB of journal are read; the list ends there. */
typedef struct LivePage {
    JournalPos before;                       /* people whose last message is before it; JOURNAL_OLDEST: all */
    size_t limit;
    const atomic_bool *is_cancelled;         /* NULL: never */
    JournalPos next;                         /* given back: the next page's before; JOURNAL_OLDEST: that was all */
    Millis since_ms;                         /* given back: how far back it looks; 0: over everything that is kept */
} LivePage;
/* Writes the items of an array, each as people_write_person writes it. */
Status MUST live_write_people(struct live *live, LivePage *page, Arena *arena, struct buf *out, Err *err);

/* ---- Counts (live_counts.c) ---- */

/* Counts a bounded piece of what came; called once a second by maintenance. *ret_more: there is more at once. */
Status MUST live_count(struct live *live, bool *ret_more, Err *err);
/* The last so many minutes, 1 to LIVE_MINUTES: the answer of GET /api/v1/live/counts. */
Status MUST live_write_counts(struct live *live, int minutes, struct buf *out, Err *err);

#endif
