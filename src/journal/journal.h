/* journal: the one truth. An append-only log of records in segment files, durable before it answers.
 *
 * What it is not: it does not know what a record means (bytes in, bytes out), and derives nothing.
 * It calls os/ for the disk and the clock, libzstd for sealed segments.
 *
 * Positions. A JournalPos is an offset in the endless log: the base position in the segment's name plus
 * the offset in its raw bytes, header included. Positions grow, are never reused, and survive sealing
 * and erasure. A record's position is that of its frame.
 *
 * Frames. Every record is one frame: length, the checksum of the frame before, the CRC32C of all of it,
 * the bytes. Each commit begins with a commit frame that says its own position: so a whole commit frame
 * behind a broken place proves that the broken place had once been synced, and is damage, while a broken
 * place with none behind it is the torn tail of a crash. journal_format.h has the bytes.
 *
 * Invariants
 *  1. on_durable(OK) is called only after the frames are on disk (write, fdatasync; for a new segment the
 *     directory too).
 *  2. Readers of the same process see only what is durable.
 *  3. After a failed sync the journal is poisoned: it refuses (ERR_CLOSED) until it is opened again, and
 *     recovery decides what the disk holds. A failed write is cut back and may be tried again.
 *  4. A full disk fails the commit with ERR_FULL, changes nothing, and heals by itself.
 *  5. Damage is reported with its position, never skipped in silence.
 *  6. One process owns a directory (lock file). Others may open it read-only.
 *
 * Threads: journal_submit from any thread. journal_commit, journal_maintain: one thread, the committer.
 * A reader belongs to one thread; readers follow while the committer writes.
 */
#ifndef ONYM_JOURNAL_JOURNAL_H
#define ONYM_JOURNAL_JOURNAL_H

#include "os/os.h"

typedef uint64_t JournalPos;

struct journal;

/* ---- Opening ---- */

typedef struct JournalOptions {
    const char *dir;                /* borrowed for the life of the journal */
    struct disk *disk;
    struct clock *clock;
    struct dice *dice;              /* the salt of new segments */
    uint64_t segment_bytes;         /* a segment is closed when it would grow past this; 0 = 128 MiB */
    int seal_level;                 /* zstd level of sealed segments; 0 = 3 */
    Millis retention_ms;            /* sealed segments wholly older than this are removed; 0 = keep for ever */
    uint64_t retention_bytes;       /* oldest sealed segments are removed while the directory is larger; 0 = no limit */
    uint64_t reserve_bytes;         /* ERR_FULL while less than this is free on the disk; 0 = 64 MiB */
} JournalOptions;

/* What recovery found and did; worth a log line each where not zero. */
typedef struct JournalRecovery {
    uint64_t segments, torn_bytes;  /* torn_bytes: cut off the tail: a crash between write and sync */
    JournalPos torn_at;
    JournalPos first, end;          /* positions of the first frame kept and behind the last */
} JournalRecovery;

/* Opens for writing, makes the directory if needed, cuts a torn tail. ERR_CONFLICT: another process has
 * it. ERR_DAMAGED: the text says where and what onym verify would tell. The caller closes. */
Status MUST journal_open(const JournalOptions *options, struct journal **ret, JournalRecovery *ret_recovery, Err *err);
/* Opens without the lock, for reading beside a running server or a stopped one. Reads whole frames as
 * they appear; journal_refresh looks for new ones. */
Status MUST journal_open_read_only(const JournalOptions *options, struct journal **ret, Err *err);
/* Fails what is still pending with ERR_CLOSED. Accepts NULL. */
void journal_close(struct journal *journal);

/* ---- Writing ---- */

/* One request's records, handed in as one. The caller fills frames by journal_put_record and owns all of
 * it; journal_submit borrows it until on_durable was called, which happens exactly once. */
struct journal_append {
    struct journal_append *next;                     /* the journal's, while submitted */
    struct buf frames;                               /* frames, heads blank until the commit */
    uint32_t record_count;
    /* Called on the committer's thread. first is the position of the first record (OK only). */
    void (*on_durable)(struct journal_append *append, Status status, JournalPos first);
    void *owner;
};

void journal_append_init(struct journal_append *append, size_t max_bytes);     /* max_bytes <= LIMIT_APPEND_BYTES */
void journal_append_clear(struct journal_append *append);                      /* for reuse; keeps the memory */
void journal_append_done(struct journal_append *append);
/* Adds one record; check(buf_ok) by the caller after the last one, or journal_submit says ERR_TOO_LARGE. */
void journal_put_record(struct journal_append *append, Str record);
/* The same in two halves, so that a record can be encoded in place: begin, append to append->frames, end. */
size_t journal_begin_record(struct journal_append *append);
void journal_end_record(struct journal_append *append, size_t begun);

/* Queues it for the next commit. ERR_CLOSED: poisoned or closing. ERR_FULL: the disk was full at the last
 * try, and it is not yet time for the next. On failure on_durable is not called. Wakes the committer. */
Status MUST journal_submit(struct journal *journal, struct journal_append *append, Err *err);

/* Waits until something is submitted, at most timeout_ms (0: does not wait). True where there is work. */
bool journal_wait_submitted(struct journal *journal, Millis timeout_ms);
void journal_wake(struct journal *journal);          /* ends that wait from any thread, for shutting down */
/* Makes all that is submitted durable: one write, one sync, then every on_durable. OK where there was
 * nothing. On failure every append of the group hears of it, too. Returns how many records by *ret_records. */
Status MUST journal_commit(struct journal *journal, uint64_t *ret_records, Err *err);
/* One bounded piece of housekeeping: seal a closed segment, retire an old one. True where there is more. */
Status MUST journal_maintain(struct journal *journal, bool *ret_more, Err *err);

/* Retirement never passes the smallest hold. name: who holds ("applier"); pos 0 holds all. */
void journal_set_hold(struct journal *journal, const char *name, JournalPos pos);

/* ---- Reading ---- */

struct journal_reader;

typedef struct JournalRecord {
    JournalPos pos, next;           /* next: where the following record is looked for */
    Str bytes;                      /* valid until the next call on this reader */
} JournalRecord;

JournalPos journal_first(struct journal *journal);           /* the oldest that is kept */
JournalPos journal_end(struct journal *journal);             /* behind the last durable frame */
/* from: a position this journal gave (or 0: the oldest kept). ERR_NOT_FOUND: retired or beyond the end. */
Status MUST journal_reader_open(struct journal *journal, JournalPos from, struct journal_reader **ret, Err *err);
void journal_reader_close(struct journal_reader *reader);    /* accepts NULL */
/* The next record. ERR_NOT_FOUND at the end (ask again later); ERR_DAMAGED with the position. Commit
 * frames are passed over. Reads ahead in large pieces; decompresses sealed blocks. */
Status MUST journal_read(struct journal_reader *reader, JournalRecord *ret, Err *err);
/* After ERR_DAMAGED: goes on at the next frame that is whole, and says how many bytes were passed over. */
Status MUST journal_skip_damage(struct journal_reader *reader, uint64_t *ret_skipped_bytes, Err *err);
/* Waits until there is something durable behind pos, at most timeout_ms; UINT64_MAX just waits. Followers are
 * woken at most every 2 ms, however fast the commits: what came meanwhile they read in one go. */
bool journal_wait_durable(struct journal *journal, JournalPos pos, Millis timeout_ms);
/* From now on nobody waits there: for shutting down without sitting out the timeouts. Any thread. */
void journal_end_waits(struct journal *journal);
/* Read-only journals: looks for new segments and frames. */
Status MUST journal_refresh(struct journal *journal, Err *err);
/* The position of the first record of the first segment that may hold records received at or after the
 * instant: a good place to start a search by time. */
JournalPos journal_find_time(struct journal *journal, Millis received_at_ms);

/* ---- Erasing ---- */

/* Rewrites closed segments so that records for which should_erase says true become records of the same
 * length made of erased (its first byte) and zeros; positions stay. Closes the open segment first where
 * needed. Crash-safe and repeatable: done segment by segment, each replaced atomically. */
typedef bool JournalShouldErase(void *context, Str record, JournalPos pos);
Status MUST journal_erase(struct journal *journal, JournalPos from, JournalPos to, JournalShouldErase *should_erase,
                          void *context, unsigned char erased_first_byte, uint64_t *ret_erased, Err *err);

/* ---- Checking ---- */

typedef struct JournalFinding {
    JournalPos pos;
    Str segment;                    /* file name */
    Str text;                       /* what is wrong */
    bool is_torn_tail;              /* harmless: what a crash leaves; cut at the next start */
} JournalFinding;

typedef void JournalReport(void *context, const JournalFinding *finding);
typedef void JournalProgress(void *context, uint64_t done_bytes, uint64_t all_bytes);
typedef struct JournalVerdict {
    uint64_t segments, records, bytes, disk_bytes, damaged_places, torn_bytes;
} JournalVerdict;
/* Reads every byte of a directory and checks names, heads, chains, sealed blocks. */
Status MUST journal_verify(const JournalOptions *options, JournalReport *report, JournalProgress *progress,
                           void *context, JournalVerdict *ret, Err *err);

/* ---- Numbers, for health/ ---- */

typedef struct JournalStats {
    uint64_t commits, records, record_bytes, commit_ns_total, commit_ns_max, sync_failures, full_failures;
    uint64_t segments, sealed_segments, disk_bytes, raw_bytes, retired_segments;
    JournalPos first, end;
    bool is_poisoned, is_full;
} JournalStats;
void journal_read_stats(struct journal *journal, JournalStats *ret);      /* any thread */

#endif
