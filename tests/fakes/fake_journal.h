/* fake_journal: a second back end of the journal (journal/journal_backend.h): records in memory. What was committed
 * outlives a close, so that a test can open it again; a clock decides what is too old. Its positions are no offsets:
 * who adds to one comes out at no record. Any thread. */
#ifndef ONYM_TESTS_FAKE_JOURNAL_H
#define ONYM_TESTS_FAKE_JOURNAL_H

#include "journal/journal.h"

#include <pthread.h>

struct fake_record {
    char *bytes;
    uint32_t len;
    bool is_damaged;
    Millis committed_at_ms;
};

enum { FAKE_HOLDS = 8 };

struct fake_journal {
    struct journal base;                    /* first: what every back end's begins with */
    /* the test sets: */
    struct clock *clock;
    Millis retention_ms;                    /* 0: everything stays */
    /* its own: */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct fake_record *records;
    size_t count, capacity, first;
    struct journal_append *pending, **pending_end;
    struct { const char *name; JournalPos pos; } holds[FAKE_HOLDS];
    size_t hold_count;
    Millis born_at_ms;
    bool is_closed, is_woken, has_no_waits;
    JournalStats stats;
};
void fake_journal_init(struct fake_journal *fake, struct clock *clock);
void fake_journal_done(struct fake_journal *fake);
struct journal *fake_journal_open(struct fake_journal *fake);          /* once more after each journal_close */
void fake_journal_damage(struct fake_journal *fake, JournalPos pos);   /* that record can't be read any more */

#endif
