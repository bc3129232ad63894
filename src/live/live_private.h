/* What the files of live/ share. */
#ifndef ONYM_LIVE_PRIVATE_H
#define ONYM_LIVE_PRIVATE_H

#include "live.h"

#include <pthread.h>

/* Messages that collection left out: numbers, and no word of what they said. A note comes before the record at place.
 * Its serial is how many messages were noted up to it, including its own, so that a watcher knows how many he missed.
 * */
typedef struct LiveNote {
    uint64_t serial;
    JournalPos place;
    Str source;
    EventType type;
    uint32_t count;
    Millis received_at_ms;
} LiveNote;

struct live {
    LiveOptions options;
    pthread_mutex_t lock;
    LiveNote notes[LIVE_NOTES];                      /* a ring; under the lock */
    uint64_t noted;                                  /* how many there ever were; under the lock */
    uint64_t first_serial;                           /* of this run: larger than all of earlier runs */
    _Atomic uint64_t serial;                         /* of the newest note */
    atomic_uint stream_count;
    struct live_counts *counts;
};

/* ---- live_counts.c ---- */
struct live_counts *live_counts_open(void);
void live_counts_close(struct live_counts *counts);
/* Suppressed messages. Any thread. */
void live_counts_note(struct live_counts *counts, Str source, EventType type, uint32_t count, Millis at_ms);

/* The notes after the serial, oldest first; notes has room for LIVE_NOTES. */
size_t live_list_notes(struct live *live, uint64_t serial, LiveNote *notes);

/* ---- One record (live_row.c) ---- */

typedef struct LiveRow {
    JournalPos pos;
    LiveFate fate;
    bool is_hidden;                                  /* erased, or about to be: it is not shown */
    Event event;                                     /* not of a rejected message */
    Rejected rejected;
    const TreeNode *tree;                            /* of a rejected message, if all of it was kept; or NULL */
    IdentityPerson person;
} LiveRow;

/* False: it is not a message (a command, erased). Borrows from record and arena. ERR_DAMAGED, ERR_UNSUPPORTED. */
Status MUST live_row_read(Str record, JournalPos pos, Arena *arena, LiveRow *ret, bool *ret_is_message, Err *err);
/* Under the applier's guard: what became of it, and whose it is. */
void live_row_judge(struct applier *applier, const People *people, struct event_parser *parser, Arena scratch,
                    LiveRow *row);
/* {"position","fate","reason","message","plan","source","received_at","person"}, on one line. person: JSON. */
void live_row_write(const LiveRow *row, Str person, struct buf *out);
void live_row_begin(const LiveRow *row, Str person, struct buf *out);    /* the same without its end */
/* A member whose value is JSON as it is, put on one line. */
void live_put_raw(struct buf *out, const char *name, Str json);
void live_note_write(const LiveNote *note, struct buf *out);

/* ---- Conditions (live_filter.c) ---- */
/* Puts a copy into the arena. */
void live_filter_copy(const LiveFilter *filter, Arena *arena, LiveFilter *ret);
bool live_filter_matches(const LiveFilter *filter, const LiveRow *row);
bool live_filter_matches_note(const LiveFilter *filter, const LiveNote *note);
bool live_filter_wants_claim(const LiveFilter *filter, const Event *event);

#endif
