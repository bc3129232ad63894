/* journal: the one truth. An endless log of records, durable before it answers; this is what all other folders know
 * of it.
 *
 * What it is not: it does not know what a record means (bytes in, bytes out), and derives nothing. A back end
 * (journal_backend.h) keeps the records: in segment files (segments/), or, in the tests, in memory. Whoever
 * opens a journal chooses its back end; no other code can tell which it is. tests/unit/journal/ runs one suite on each.
 *
 * Positions (journal_position.h). A record's position says where it is. Positions grow, are never reused, and stay the
 * same whatever a back end does to its records, erasure too.
 *
 * Invariants of every back end
 *  1. on_durable(OK) is called only when the records are as durable as the back end promises.
 *  2. Readers of the same process see only what is durable.
 *  3. After a failure that leaves the disk unknown the journal is poisoned: it refuses (ERR_CLOSED) until it is opened
 *     again. A failed write changes nothing and may be tried again; a full disk is ERR_FULL, until there is room again.
 *  4. Damage is reported with its position, never skipped in silence.
 *
 * Threads: journal_submit from any thread. journal_commit, journal_maintain: one thread, the committer.
 * A reader belongs to one thread; readers follow while the committer writes.
 */
#ifndef ONYM_JOURNAL_JOURNAL_H
#define ONYM_JOURNAL_JOURNAL_H

#include "os/os.h"

#include "journal_position.h"
#include "journal_append.h"

struct journal;

/* Appends that are still pending fail with ERR_CLOSED. Accepts NULL. */
void journal_close(struct journal *journal);

/* ---- Writing ---- */

/* Queues it for the next commit. ERR_CLOSED: poisoned or closing. ERR_FULL: the disk was full at the last
 * try, and it is not yet time for the next. On failure on_durable is not called. Wakes the committer. */
Status MUST journal_submit(struct journal *journal, struct journal_append *append, Err *err);

/* Waits until something is submitted, at most timeout_ms (0: does not wait). True: there is something to commit. */
bool journal_wait_submitted(struct journal *journal, Millis timeout_ms);
void journal_wake(struct journal *journal);          /* ends that wait from any thread, for shutting down */
/* Makes all that is submitted durable, then calls every on_durable. OK if there was nothing. If it fails, every append
 * of the group gets the failure, too. *ret_records: how many records. */
Status MUST journal_commit(struct journal *journal, uint64_t *ret_records, Err *err);
/* One bounded piece of maintenance: compresses, retires what is too old. *ret_more: there is more to do. */
Status MUST journal_maintain(struct journal *journal, bool *ret_more, Err *err);

/* Nothing at or after the smallest hold is retired. name: who holds ("applier"); JOURNAL_OLDEST: nothing is retired. */
void journal_set_hold(struct journal *journal, const char *name, JournalPos pos);
/* Everything before it would be retired if nobody held it; 0: nothing would. As of the last maintenance. Any thread. */
JournalPos journal_due(struct journal *journal);

/* ---- Reading ---- */

struct journal_reader;

typedef struct JournalRecord {
    JournalPos pos, next;           /* next: where the next record begins */
    Str bytes;                      /* valid until the next call on this reader */
} JournalRecord;

JournalPos journal_first(struct journal *journal);           /* the oldest that is kept */
JournalPos journal_end(struct journal *journal);             /* after the last durable record */
/* from: a position this journal gave, or JOURNAL_OLDEST. ERR_NOT_FOUND: retired or beyond the end. */
Status MUST journal_reader_open(struct journal *journal, JournalPos from, struct journal_reader **ret, Err *err);
void journal_reader_close(struct journal_reader *reader);    /* accepts NULL */
/* The next record. ERR_NOT_FOUND at the end (ask again later); ERR_DAMAGED with the position. */
Status MUST journal_read(struct journal_reader *reader, JournalRecord *ret, Err *err);
/* After ERR_DAMAGED: goes on at the next record that is whole, and says how many bytes were skipped. */
Status MUST journal_skip_damage(struct journal_reader *reader, uint64_t *ret_skipped_bytes, Err *err);
/* The next record that is whole, for who counts what can be read: damage before it is skipped. */
Status MUST journal_read_whole(struct journal_reader *reader, JournalRecord *ret, Err *err);
/* How many records this reader should have seen and did not: damaged or missing ones. Known once a later frame that
 * counts records is read. */
uint64_t journal_reader_missed(const struct journal_reader *reader);
/* Reads the one record at a position, with a reader of its own, which the caller closes when he is done with the
 * record. ERR_NOT_FOUND: no record begins exactly there (retired, or never). If it fails there is no reader:
 * *ret_reader is NULL, and may be closed. */
Status MUST journal_read_at(struct journal *journal, JournalPos pos, struct journal_reader **ret_reader,
                            JournalRecord *ret, Err *err);
/* Where the next record begins. */
JournalPos journal_reader_position(const struct journal_reader *reader);
/* Waits until something after pos is durable, at most timeout_ms; JOURNAL_NEVER just waits. Readers that follow are
 * woken at most every 2 ms, however fast the commits are: then they read all that came in one go. */
bool journal_wait_durable(struct journal *journal, JournalPos pos, Millis timeout_ms);
/* From now on these waits end at once, so that a stop need not wait for the timeouts. Any thread. */
void journal_end_waits(struct journal *journal);
/* For a journal that another process writes: looks whether it has grown. */
Status MUST journal_refresh(struct journal *journal, Err *err);
/* A position before all records that were received at or after the instant: a good place to begin a search by time. */
JournalPos journal_find_time(struct journal *journal, Millis received_at_ms);
/* A mark at or before the position, and when it was made: two different journals never agree in both. ERR_NOT_FOUND:
 * nothing is known about the position. */
Status MUST journal_find_birth(struct journal *journal, JournalPos pos, JournalPos *ret_base, Millis *ret_at_ms,
                               Err *err);
/* The same by age, as retention counts it: the first record that is not older. The oldest that is kept, while the clock
 * is not trusted. */
JournalPos journal_find_age(struct journal *journal, Millis age_ms);

/* ---- Erasing ---- */

/* Records for which should_erase is true become records of the same length: erased_first_byte and zeros.
 * Positions stay, and open readers see it at their next call. Crash-safe and repeatable. */
typedef bool JournalShouldErase(void *context, Str record, JournalPos pos);
/* A part of the journal that could not be read, or not be replaced: it stays as it is. why: in words, with its file;
 * valid for the call. */
typedef void JournalTellUnread(void *context, JournalPos from, JournalPos to, const char *why);
typedef struct JournalErase {
    JournalPos from, to;
    JournalShouldErase *should_erase;
    JournalTellUnread *unread;      /* or NULL */
    void *context;
    unsigned char erased_first_byte;
    bool is_last_try;               /* what the disk cannot read now counts as damaged */
} JournalErase;
/* A place that cannot be read becomes zeros, since it may be what is to be erased. ERR_DAMAGED: some parts cannot be
 * read at all; all others were erased. *ret_erased: records. */
Status MUST journal_erase(struct journal *journal, const JournalErase *erase, uint64_t *ret_erased, Err *err);

/* ---- Numbers, for health/ ---- */

typedef struct JournalStats {
    uint64_t commits, records, record_bytes, commit_ns_total, commit_ns_max, sync_failures, full_failures;
    uint64_t segments, sealed_segments, disk_bytes, raw_bytes, retired_segments;
    JournalPos first, end;
    uint64_t records_ever;          /* in the journal since it began, retired ones too */
    bool is_poisoned, is_full, is_astray;
    bool is_failing;                /* a commit failed a moment ago, and none has succeeded since */
} JournalStats;
/* Has a sync failed, of a commit or of maintenance? Only a new start helps. text: what the disk said. */
bool journal_is_poisoned(struct journal *journal, char *text, size_t bytes);
void journal_read_stats(struct journal *journal, JournalStats *ret);      /* any thread */

#include "journal_backend.h"

#endif
