/* journal_private: what the files of this folder share. Top to bottom: the table of segments, one segment's
 * bytes (source), its frames in order (walk), the journal itself.
 *
 * Locks, taken in this order: maintaining (sealing, retiring, erasing: one at a time), writing (the tail:
 * one commit or roll at a time), lock (everything that several threads look at; held for microseconds). */
#ifndef ONYM_JOURNAL_PRIVATE_H
#define ONYM_JOURNAL_PRIVATE_H

#include "journal_format.h"

#include <pthread.h>

/* ---- Segments (journal_segment.c) ---- */

enum { JOURNAL_PATH_BYTES = 4096, SEGMENTS_MAX = 1 << 20, NAME_BYTES = 20 };

typedef enum SegmentForm {
    SEGMENT_RAW, SEGMENT_SEALED,
    SEGMENT_BEGUN,                  /* a raw one that is being begun */
    SEGMENT_TEMPORARY,              /* a sealed one that is being written */
} SegmentForm;

typedef struct Segment {
    JournalPos base, end;           /* end of the open one: as of the last durable commit */
    uint64_t disk_bytes;
    Millis created_at_ms;           /* 0: not looked at yet */
    uint32_t version;               /* grows when the file is replaced: readers open it anew */
    bool is_sealed, is_unsealable;  /* unsealable: damaged; stays as it is */
} Segment;

/* Sorted by base. */
struct segment_table {
    struct region region;
    Segment *rows;
    size_t count;
    JournalPos oldest;              /* as the file of that name says: what is before it was retired */
};

void segment_table_open(struct segment_table *table);
void segment_table_close(struct segment_table *table);
/* The row that holds pos, or the first one behind it; count where there is none. */
size_t segment_table_find(const struct segment_table *table, JournalPos pos);
void segment_table_insert(struct segment_table *table, Segment row);
void segment_table_remove(struct segment_table *table, size_t row_index);

/* Builds a path in text, which holds JOURNAL_PATH_BYTES. */
const char *segment_path(char *text, const char *dir, JournalPos base, SegmentForm form);
Str segment_name(char *text, JournalPos base, SegmentForm form);            /* the name alone; same size */
bool segment_parse_name(Str name, JournalPos *ret_base, SegmentForm *ret_form);

/* Reads the directory into an empty table. Ends are the next row's base; the last row's is base + size for
 * raw ones, 0 for sealed ones. Where both forms stand, the raw one counts. leftover hears of every file
 * that a crash left over: temporaries, sealed ones beside raw ones, and those that were retired. */
typedef Status SegmentLeftover(void *context, const char *path, bool is_retired, Err *err);
Status MUST segment_table_read(struct segment_table *table, struct disk *disk, const char *dir,
                               SegmentLeftover *leftover, void *context, Err *err);
/* Notes, durably, that everything before pos is retired. */
Status MUST segment_put_oldest(struct disk *disk, const char *dir, JournalPos pos, Err *err);
/* ERR_DAMAGED where segments do not follow one another from the oldest on, or a closed raw one has another
 * size than it must. */
Status MUST segment_table_check(const struct segment_table *table, const char *dir, Err *err);

/* ---- A segment's bytes (journal_source.c) ---- */

typedef struct SealedBlock {
    uint64_t raw_at, file_at;
    uint32_t raw_bytes, file_bytes;
} SealedBlock;

/* One segment file, open for reading by offsets in its raw bytes, whichever way it is stored. Keeps a window
 * of them. One thread. */
struct journal_source {
    struct disk *disk;
    DiskFile file;
    bool is_open, is_sealed, is_head_damaged;
    JournalPos base;
    JournalHead head;
    uint64_t raw_bytes;             /* sealed: as the seek table says; raw: the file's size when opened */
    uint64_t file_bytes;

    struct region region;           /* the buffers below */
    char *window, *packed;
    uint64_t window_at;
    size_t window_len;
    SealedBlock *blocks;
    size_t block_count, block_index;        /* which one the window holds; block_count: none */
    void *unpacker;                 /* ZSTD_DCtx */
};

void journal_source_init(struct journal_source *source, struct disk *disk);
void journal_source_done(struct journal_source *source);
/* ERR_NOT_FOUND: no such file; ERR_DAMAGED: the head or the seek table is not what was written (where
 * is_head_damaged, the source is open all the same, for journal_walk_resume). Closes what was open before. */
Status MUST journal_source_open(struct journal_source *source, const char *dir, JournalPos base, bool is_sealed,
                                Err *err);
void journal_source_close(struct journal_source *source);
/* Makes the window hold [offset, offset + need), or up to limit where that is nearer; a sealed one's window
 * ends where its block does. ERR_DAMAGED: a sealed block that does not unpack, or a file too short. */
Status MUST journal_source_load(struct journal_source *source, uint64_t offset, size_t need, uint64_t limit, Err *err);
/* What the window holds from offset on, at most up to limit. */
Str journal_source_bytes(const struct journal_source *source, uint64_t offset, uint64_t limit);
void journal_source_forget(struct journal_source *source);                  /* the window */

/* ---- A segment's frames (journal_walk.c) ---- */

typedef enum WalkFound {
    WALK_FRAME,
    WALK_LIMIT,                     /* at the limit */
    WALK_BLANK,                     /* zeros */
    WALK_BROKEN,                    /* walk->why says what is wrong at walk->offset */
} WalkFound;

struct journal_walk {
    struct journal_source *source;
    uint64_t offset, limit;
    uint32_t chain;                 /* the checksum that the next frame must name as its predecessor's */
    bool has_chain;                 /* false: it is believed */
    const char *why;
};

/* offset < SEGMENT_HEAD_BYTES: at the first frame, chained to the head. Else at a frame's start, unchained. */
void journal_walk_start(struct journal_walk *walk, struct journal_source *source, uint64_t offset, uint64_t limit);
/* The frame at walk->offset, and steps over it. The frame borrows from the window until the next call. The
 * status is trouble with the disk only. */
Status MUST journal_walk_next(struct journal_walk *walk, JournalFrame *ret, WalkFound *ret_found, Err *err);
/* From the broken place at walk->offset on: the next offset where a whole commit frame stands (or, with
 * any_frame, any whole frame), and sets the walk there, unchained. False where there is none before limit. */
Status MUST journal_walk_resume(struct journal_walk *walk, bool any_frame, bool *ret_is_found, Err *err);
/* How many bytes from walk->offset on are there before only zeros follow. */
Status MUST journal_walk_measure(struct journal_walk *walk, uint64_t *ret_bytes, Err *err);

/* ---- The journal ---- */

enum { HOLDS_MAX = 16, HOLD_NAME_BYTES = 32, GROUP_APPENDS_MAX = 4096 };

typedef struct Hold {
    char name[HOLD_NAME_BYTES];
    JournalPos pos;
} Hold;

/* The open segment. Owned by whoever holds `writing`. */
struct journal_tail {
    DiskFile file;
    bool is_open;
    bool needs_cut;                 /* a failed write could not be cut back yet */
    bool was_cut;                   /* cut back, and not synced since */
    bool has_commits;               /* none of them a mark yet; so that a mark says something */
    bool is_last;                   /* closing: nothing is written ahead, no new segment begun */
    JournalPos base;
    uint64_t used;                  /* offset behind the last frame; the head alone does not move journal->end */
    uint64_t ahead;                 /* offset up to which zeros were written ahead */
    uint32_t chain, salt;
    Millis created_at_ms;
};

struct journal_seal;                /* journal_seal.c */

struct journal {
    struct region self, buffers;    /* this struct; parts and zeros */
    JournalOptions options;         /* defaults filled in */
    struct disk *disk;
    const char *dir;
    bool is_read_only;
    DiskFile lock_file;
    bool has_lock_file;

    pthread_mutex_t lock;
    pthread_cond_t submitted, durable, resting;
    struct journal_append *pending, **pending_end;
    bool is_committer_waiting, is_woken, is_closing, is_poisoned, is_full;
    bool has_no_waits;                     /* journal_end_waits */
    unsigned durable_waiters;              /* not counting those at rest */
    int64_t followers_woken_ns;
    int64_t full_until_ns;
    struct segment_table segments;
    JournalPos end;
    JournalStats stats;
    Hold holds[HOLDS_MAX];
    size_t hold_count;
    _Atomic uint32_t erase_count;   /* readers that see it grow open their segment anew */
    uint64_t cut_count;             /* read-only: how often the end went back, and to where the last time */
    JournalPos cut_to;

    pthread_mutex_t writing;
    struct journal_tail tail;
    Millis committed_at_ms;         /* of the last commit: the next is not older */
    uint64_t records;               /* in the journal, ever */
    int64_t free_checked_ns;
    Str *parts;                     /* GROUP_APPENDS_MAX + 2 */
    char *zeros;                    /* never written */

    pthread_mutex_t maintaining;
    struct journal_seal *seal;      /* under way, or NULL */
    bool is_maintenance_stopped;    /* a sync of ours failed: nothing more is replaced until the next start */
    int64_t maintain_after_ns;      /* after trouble, not before this */

    struct {                        /* read-only: where the last refresh left off; under maintaining */
        struct journal_source source;
        bool is_begun;
        JournalPos base;
        uint32_t head;              /* the checksum of its head: a segment without commits may be begun anew */
        uint64_t settled;           /* offset of the last commit frame: what is before it was synced */
        uint32_t settled_chain;     /* the checksum before it */
        uint64_t end;               /* behind the last whole frame */
        uint32_t end_chain;         /* the checksum of that */
    } follow;
};

/* journal_recover.c */
Status MUST journal_recover(struct journal *journal, JournalRecovery *recovery, Err *err);
/* journal.c: an object with its locks, and nothing open. */
Status MUST journal_create(const JournalOptions *options, struct journal **ret, Err *err);
/* The rest of journal.c wants `writing` held. Rolling closes the open segment (there may be none); the next
 * commit begins another. */
Status MUST journal_roll(struct journal *journal, Err *err);
Status MUST journal_begin_segment(struct journal *journal, Err *err);
void journal_poison(struct journal *journal);
Millis journal_stamp(struct journal *journal);          /* now, but not before the last commit */
/* journal_retire.c */
Status MUST journal_retire_one(struct journal *journal, bool *ret_did, Err *err);
/* journal_seal.c: with maintaining held. */
typedef struct SealChange {                             /* what erasing does to records on the way */
    JournalShouldErase *should_erase;
    void *context;
    JournalPos from, to;
    unsigned char erased_first_byte;
    uint64_t erased;
} SealChange;
Status MUST journal_seal_begin(struct journal *journal, const Segment *segment, SealChange *change, Err *err);
Status MUST journal_seal_step(struct journal *journal, bool *ret_more, Err *err);
void journal_seal_abort(struct journal *journal);

/* journal_read.c: a copy of the row that holds pos, or of the first behind it. False where there is none. */
bool journal_find_segment(struct journal *journal, JournalPos pos, Segment *ret, bool *ret_is_first);
/* When the segment was begun: from its row, or its head. */
Status MUST journal_begun_at(struct journal *journal, const Segment *segment, Millis *ret_at_ms, Err *err);

#endif
