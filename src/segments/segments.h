/* segments: the journal in files. An append-only log of records in segment files, durable before it answers: the back
 * end (journal/journal_backend.h) of whoever runs on one machine.
 *
 * It calls os/ for the disk and the clock, libzstd for sealed segments.
 *
 * Positions. A position is an offset in the endless log: the base position in the segment's name plus
 * the offset in its raw bytes, header included. A record's position is that of its frame.
 *
 * Frames. Every record is one frame: length, the checksum of the frame before, the CRC32C of all of it,
 * the bytes. Each commit begins with a commit frame that says its own position: so a whole commit frame
 * after a broken place proves that the broken place had once been synced, and is damage, while a broken
 * place with none after it is the torn tail of a crash. segments_format.h has the bytes.
 *
 * Invariants, besides those of every journal
 *  1. on_durable(OK) is called only after the frames are on disk (write, fdatasync; for a new segment the
 *     directory too).
 *  2. After a failed sync recovery decides what the disk holds. A failed write is cut off and may be tried again.
 *     If the file that is written is not found under its name, the journal refuses until it is back.
 *  3. One process owns a directory (lock file). Others may open it read-only.
 */
#ifndef ONYM_SEGMENTS_SEGMENTS_H
#define ONYM_SEGMENTS_SEGMENTS_H

#include "journal/journal.h"

/* ---- Opening ---- */

/* What happens to the journal by itself and is worth a line in the log. */
typedef enum SegmentsNoticeKind {
    SEGMENTS_RETIRED,                /* a segment was removed */
    SEGMENTS_CLOCK_JUMP,             /* the wall clock jumped; ages do not count that as time */
    SEGMENTS_CLOCK_GAP,              /* so much time passed while nobody watched, or the clock is wrong: nothing is
                                       retired by age until the clock goes on like that for a while, or is confirmed */
    SEGMENTS_CLOCK_CONFIRMED,
    SEGMENTS_ASTRAY,                 /* the segment that is being written is not where it was: nothing is accepted */
    SEGMENTS_FOUND_AGAIN,            /* it is back: events are accepted again */
    SEGMENTS_SET_ASIDE,              /* a file with a segment's name was not ours: it has another name now */
    SEGMENTS_PUT_BACK,              /* it had been removed, and was written out again under its name: nothing is lost */
} SegmentsNoticeKind;

typedef struct SegmentsNotice {
    SegmentsNoticeKind kind;
    JournalPos pos, end;            /* the segment's; for the clock: where the journal was */
    Millis by_ms;                   /* how far the clock jumped, how long the gap is, or how old the segment's last
                                       event is */
    uint64_t disk_bytes;
    const char *reason;             /* SEGMENTS_RETIRED, SEGMENTS_ASTRAY: why; SEGMENTS_SET_ASIDE: its path now */
} SegmentsNotice;

typedef struct SegmentsOptions {
    const char *dir;                /* borrowed for the life of the journal */
    struct disk *disk;
    struct clock *clock;
    struct dice *dice;              /* the salt of new segments */
    uint64_t segment_bytes;         /* a segment is closed when it would grow past this; 0 = 128 MiB */
    int seal_level;                 /* zstd level of sealed segments; 0 = 3 */
    Millis retention_ms;            /* sealed segments wholly older than this are removed; 0 = keep for ever */
    uint64_t retention_bytes;       /* oldest sealed segments are removed while the directory is larger; 0 = no limit */
    uint64_t reserve_bytes;         /* ERR_FULL while less than this is free on the disk; 0 = 64 MiB */
    void (*notice)(void *context, const SegmentsNotice *notice);     /* called by committer and maintenance; or NULL */
    void *notice_context;
    JournalPos known_end;           /* somebody has seen the journal go so far: if it ends before that, a part of
                                       it is missing, and opening for writing is refused; 0: nobody has */
    uint64_t known_records;         /* how many records it had then; 0: not known */
    const char *known_by;           /* who says so, for the message; borrowed */
} SegmentsOptions;

/* What recovery found and did; worth a log line each where not zero. */
typedef struct SegmentsRecovery {
    uint64_t segments, torn_bytes;  /* torn_bytes: cut off the tail: a crash between write and sync */
    JournalPos torn_at;
    JournalPos first, end;          /* positions of the first frame kept and after the last */
} SegmentsRecovery;

/* Opens for writing, makes the directory if needed, cuts a torn tail. ERR_CONFLICT: another process has
 * it. ERR_DAMAGED: a part is missing or damaged that keeps it from going on, and nothing was changed; the text says
 * where, and what to do: bring the files back, or segments_give_up. The caller closes it (journal_close). */
Status MUST segments_open(const SegmentsOptions *options, struct journal **ret, SegmentsRecovery *ret_recovery,
                          Err *err);
/* Opens without the lock, for reading while a server runs or after it has stopped. Reads whole frames as
 * they appear; journal_refresh looks for new ones. */
Status MUST segments_open_read_only(const SegmentsOptions *options, struct journal **ret, Err *err);
/* ---- Giving up what is missing ---- */

typedef struct SegmentsLoss {
    JournalPos from, to;            /* no record will ever be at these positions */
    const char *what;               /* in words; valid for the call */
} SegmentsLoss;
typedef void SegmentsTellLoss(void *context, const SegmentsLoss *loss);
/* Tells everything that keeps segments_open from going on; if does_it, notes it durably (the file `lost`), so that the
 * next open goes on, after every position that anybody knows. What can be read stays. No other process may have it
 * open. */
Status MUST segments_give_up(const SegmentsOptions *options, bool does_it, SegmentsTellLoss *tell, void *context,
                            Err *err);

/* ---- Checking ---- */

typedef struct SegmentsFinding {
    JournalPos pos;
    Str segment;                    /* file name */
    Str text;                       /* what is wrong */
    bool is_torn_tail;              /* harmless: what a crash leaves; cut at the next start */
    bool is_unreadable;             /* a whole record that the judge does not understand */
} SegmentsFinding;

typedef void SegmentsReport(void *context, const SegmentsFinding *finding);
/* What is wrong with a record whose checksum is right, in words that are valid until the next call; NULL: nothing. */
typedef const char *SegmentsJudge(void *context, Str record);
typedef void SegmentsProgress(void *context, uint64_t done_bytes, uint64_t all_bytes);
typedef struct SegmentsVerdict {
    uint64_t segments, records, bytes, disk_bytes, damaged_places, torn_bytes;
    uint64_t missing_records;       /* that should be there by the count of the others */
    uint64_t unreadable_records;    /* by the judge */
    uint64_t given_up_places;       /* of the damaged places: given up by an operator */
} SegmentsVerdict;
/* Functions that get what is found; each may be NULL. */
typedef struct SegmentsListener {
    SegmentsReport *report;
    SegmentsJudge *judge;
    SegmentsProgress *progress;
    void *context;
} SegmentsListener;
/* Reads every byte of a directory and checks names, heads, chains, sealed blocks. */
Status MUST segments_verify(const SegmentsOptions *options, const SegmentsListener *listener, SegmentsVerdict *ret,
                            Err *err);

#endif
