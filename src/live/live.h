/* live: messages as they come, each told with what became of it, for whoever watches: `GET /api/v1/live`.
 *
 * What it is not: it keeps no message. What it tells is read from the journal at the watcher's own place, when the
 * watcher takes it, and only up to where derived state is: so that a message's fate and person are known. Of messages
 * for suppressed ids nothing but a number may be kept (docs/privacy.md), so those that collection left out are noted in
 * memory as numbers, LIVE_NOTES of them, and a restart forgets them.
 *
 * A stream's text is that of server-sent events (docs/api.md#live): a row is `data:` with one object on one line, and
 * `id:` says where it stands, so that who comes back with it misses nothing and gets nothing twice:
 *     POSITION           behind the record there
 *     POSITION-SERIAL    before the record there, behind the note of that serial
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
    LIVE_BEHIND_BYTES = 64 * 1024 * 1024,    /* of journal that a stream may be behind, where it does not say less */
    LIVE_BEHIND_LEAST = 64 * 1024,
    LIVE_MINUTES = 24 * 60,                  /* that are counted */
    LIVE_COUNT_ROWS = 2048,                  /* of source, type and fate; 6 KiB each */
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
void live_close(struct live *live);                          /* accepts NULL; once no stream is made a piece of */

/* Collection left so many messages of a request out. source: the name of one, which outlives this; empty: unknown. By
 * type, EVENT_NONE included. */
void live_note_suppressed(struct live *live, Str source, const uint32_t counts[EVENT_TYPE_COUNT],
                          Millis received_at_ms);

/* ---- One stream ---- */

typedef struct LiveValues {
    Str items[LIVE_VALUES];
    size_t count;
} LiveValues;

/* Each kind of condition that is given must hold; of several values of one kind, any. */
typedef struct LiveFilter {
    unsigned types, fates;                   /* bits 1 << EventType, 1 << LiveFate; 0: any */
    LiveValues events, sources;              /* exactly; events: a track's event, a page's or screen's name */
    LiveValues ids;                          /* userId, anonymousId, previousId, groupId */
    LiveValues texts;                        /* anywhere in the JSON, however escaped; ASCII letters of either case */
} LiveFilter;

typedef struct LiveAsk {
    LiveFilter filter;                       /* copied */
    bool is_now;                             /* from behind all that is durable now; else: */
    JournalPos from;                         /* the first that is told; JOURNAL_OLDEST: the oldest kept */
    Str last_id;                             /* goes before both: the id of the last row that was got; empty: none */
    bool has_end;
    JournalPos to;                           /* has_end: the stream ends before this, and leaves nothing out */
    uint64_t behind_bytes;                   /* LIVE_BEHIND_LEAST to LIVE_BEHIND_BYTES; 0: the latter */
} LiveAsk;

struct live_stream;
/* ERR_TIMEOUT: there are LIVE_STREAMS already. ERR_INPUT: last_id is none that a stream gave. */
Status MUST live_stream_open(struct live *live, const LiveAsk *ask, struct live_stream **ret, Err *err);
void live_stream_close(struct live_stream *stream);          /* accepts NULL */
/* Is there something to tell, or was nothing said for too long? A look at memory. */
bool live_stream_is_due(const struct live_stream *stream);

typedef enum LiveStep { LIVE_MORE, LIVE_WAIT, LIVE_END } LiveStep;
/* Appends what comes next, some 256 KiB at most, or nothing. LIVE_MORE: there is more at once. LIVE_END: it came to
 * `to`, or cannot go on (which it said). is_cancelled: nobody waits any more; or NULL. */
LiveStep live_stream_fill(struct live_stream *stream, Arena *arena, const atomic_bool *is_cancelled, struct buf *out);

/* ---- One message (live_message.c) ---- */

/* A row's members of the message at the position, what Onym stamped on it, and the links that it made: the answer
 * of GET /api/v1/messages/POSITION (docs/live.md). Waits a moment where it is not applied yet. ERR_NOT_FOUND: none
 * stands exactly there, or it was erased. */
Status MUST live_write_message(struct live *live, JournalPos pos, const atomic_bool *is_cancelled, Arena *arena,
                               struct buf *out, Err *err);

/* The message at the position and its fate, for who tells more of it. Errors as above. */
typedef struct LiveMessage {
    Event event;                        /* borrows from the arena; not of a rejected one */
    LiveFate fate;
} LiveMessage;
Status MUST live_read_message(struct live *live, JournalPos pos, const atomic_bool *is_cancelled, Arena *arena,
                              LiveMessage *ret, Err *err);

/* ---- People (live_people.c) ---- */

/* A page of people, the last heard of first. Some 64 MiB of journal are looked at, and the list ends where they do. */
typedef struct LivePage {
    JournalPos before;                       /* whose last message stands before it; JOURNAL_OLDEST: all */
    size_t limit;
    const atomic_bool *is_cancelled;         /* NULL: never */
    JournalPos next;                         /* given back: before of the next page; JOURNAL_OLDEST: that was all */
    Millis since_ms;                         /* given back: how far back it looks; 0: over everything that is kept */
} LivePage;
/* The items of an array, each as people_write_person has them. */
Status MUST live_write_people(struct live *live, LivePage *page, Arena *arena, struct buf *out, Err *err);

/* ---- Counts (live_counts.c) ---- */

/* A bounded piece of counting what came, for who keeps house: once a second. *ret_more: there is more at once. */
Status MUST live_count(struct live *live, bool *ret_more, Err *err);
/* The last so many minutes, 1 to LIVE_MINUTES: the answer of GET /api/v1/live/counts. */
Status MUST live_write_counts(struct live *live, int minutes, struct buf *out, Err *err);

#endif
