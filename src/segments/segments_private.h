/* segments_private: what the files of this folder share. Top to bottom: the table of segments, one segment's
 * bytes (source), its frames in order (walk), the journal itself.
 *
 * Locks, taken in this order: maintaining (sealing, retiring, erasing: one at a time), writing (the tail:
 * one commit or roll at a time), lock (everything that several threads look at; held for microseconds). */
#ifndef ONYM_SEGMENTS_PRIVATE_H
#define ONYM_SEGMENTS_PRIVATE_H

#include "segments_format.h"

#include <pthread.h>

/* ---- Segments (segments_table.c) ---- */

enum { SEGMENTS_PATH_BYTES = 4096, SEGMENTS_MAX = 1 << 20, NAME_BYTES = 20 };

typedef enum SegmentForm {
    SEGMENT_RAW, SEGMENT_SEALED,
    SEGMENT_BEGUN,                  /* a raw segment that is being begun */
    SEGMENT_TEMPORARY,              /* a sealed segment that is being written */
} SegmentForm;

typedef struct Segment {
    JournalPos base, end;           /* end of the open one: as of the last durable commit */
    uint64_t disk_bytes;
    Millis created_at_ms;           /* 0: not looked at yet */
    uint32_t version;               /* grows when the file is replaced: readers open it anew */
    bool is_sealed, is_unsealable;  /* unsealable: damaged; stays as it is */
    bool has_twin;                  /* the other form is there, too; until segments_set_aside has checked */
    uint64_t raw_bytes;             /* as the file itself said when the journal was opened; 0: it did not */
} Segment;

/* Positions that are in no segment any more, and never will be: an operator has given them up. */
typedef struct LostRange {
    JournalPos from, to;
} LostRange;

enum { LOST_MOST = 1024 };

/* Sorted by base. */
struct segment_table {
    struct region region;
    Segment *rows;
    size_t count;
    JournalPos oldest;              /* as the file of that name says: what is before it was retired */
    LostRange lost[LOST_MOST];      /* as the file of that name says, ascending */
    size_t lost_count;
};

void segment_table_open(struct segment_table *table);
void segment_table_close(struct segment_table *table);
/* The row that holds pos, or the first one after it; count: there is none. */
size_t segment_table_find(const struct segment_table *table, JournalPos pos);
void segment_table_insert(struct segment_table *table, Segment row);
void segment_table_remove(struct segment_table *table, size_t row_index);
void segment_table_drop(struct segment_table *table, size_t row_index);     /* it was not a segment */

/* Builds a path in text, which holds SEGMENTS_PATH_BYTES. */
const char *segment_path(char *text, const char *dir, JournalPos base, SegmentForm form);
Str segment_name(char *text, JournalPos base, SegmentForm form);            /* the name alone; same size */
bool segment_parse_name(Str name, JournalPos *ret_base, SegmentForm *ret_form);

/* Reads the directory into an empty table. Ends are the next row's base; the last row's is base + size for
 * raw ones, 0 for sealed ones. If there are both forms, the raw one counts and has has_twin. leftover is called for
 * every file that a crash left: temporary files, and retired ones. */
typedef Status SegmentLeftover(void *context, const char *path, bool is_retired, Err *err);
Status MUST segment_table_read(struct segment_table *table, struct disk *disk, const char *dir,
                               SegmentLeftover *leftover, void *context, Err *err);
/* Notes, durably, that everything before pos is retired. */
Status MUST segment_put_oldest(struct disk *disk, const char *dir, JournalPos pos, Err *err);
/* The end of the last range that was given up: the journal never goes on before that. 0: nothing was given up. */
JournalPos segment_lost_end(const struct segment_table *table);
/* Writes the file with the ranges that were given up. */
Status MUST segment_put_lost(struct disk *disk, const char *dir, const struct segment_table *table, Err *err);
/* ERR_DAMAGED: segments do not follow one another from the oldest on, or a closed raw one has another
 * size than it must. */
Status MUST segment_table_check(const struct segment_table *table, const char *dir, Err *err);

/* ---- A segment's bytes (segments_source.c) ---- */

typedef struct SealedBlock {
    uint64_t raw_at, file_at;
    uint32_t raw_bytes, file_bytes;
} SealedBlock;

/* One segment file, open for reading by offsets in its raw bytes, in whichever form it is stored. Keeps a window
 * of them. One thread. */
struct segments_source {
    struct disk *disk;
    DiskFile file;
    bool is_open, is_sealed, is_head_damaged;
    bool passes_bad_blocks;         /* what the disk cannot read counts as damage, not as a disk error */
    JournalPos base;
    SegmentHead head;
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

void segments_source_init(struct segments_source *source, struct disk *disk);
void segments_source_done(struct segments_source *source);
/* ERR_NOT_FOUND: no such file; ERR_DAMAGED: the head or the seek table is not what was written (if
 * is_head_damaged, the source is open all the same, for segments_walk_resume). Closes what was open before. */
Status MUST segments_source_open(struct segments_source *source, const char *dir, JournalPos base, bool is_sealed,
                                Err *err);
void segments_source_close(struct segments_source *source);
/* Makes the window hold [offset, offset + need), or up to limit if that is nearer; a sealed one's window
 * ends where its block does. ERR_DAMAGED: a sealed block that does not unpack, or a file too short. */
Status MUST segments_source_load(struct segments_source *source, uint64_t offset, size_t need, uint64_t limit,
                                 Err *err);
/* What the window holds from offset on, at most up to limit. */
Str segments_source_bytes(const struct segments_source *source, uint64_t offset, uint64_t limit);
void segments_source_forget(struct segments_source *source);                  /* the window */

/* ---- A segment's frames (segments_walk.c) ---- */

typedef enum WalkFound {
    WALK_FRAME,
    WALK_LIMIT,                     /* at the limit */
    WALK_BLANK,                     /* zeros */
    WALK_BROKEN,                    /* walk->why says what is wrong at walk->offset */
} WalkFound;

struct segments_walk {
    struct segments_source *source;
    uint64_t offset, limit;
    uint32_t chain;                 /* the checksum that the next frame must name as its predecessor's */
    bool has_chain;                 /* false: any is accepted */
    const char *why;
};

/* offset < SEGMENT_HEAD_BYTES: begins at the first frame, chained to the head. Else at a frame's start, unchained. */
void segments_walk_start(struct segments_walk *walk, struct segments_source *source, uint64_t offset, uint64_t limit);
/* Gives the frame at walk->offset, and steps over it. The frame borrows from the window until the next call. The
 * status is not OK only if the disk fails. */
Status MUST segments_walk_next(struct segments_walk *walk, SegmentFrame *ret, WalkFound *ret_found, Err *err);
/* The same, if the window holds the whole frame and nothing is wrong with it: what was borrowed before stays.
 * False, and nothing happened: call segments_walk_next, which tells what comes. */
bool segments_walk_next_loaded(struct segments_walk *walk, SegmentFrame *ret);
/* From the broken place at walk->offset on: finds the next offset with a whole commit frame (or, with
 * any_frame, any whole frame), and sets the walk there, unchained. False: there is none before limit. */
Status MUST segments_walk_resume(struct segments_walk *walk, bool any_frame, bool *ret_is_found, Err *err);
/* How many bytes, from walk->offset on, come before there are only zeros. */
Status MUST segments_walk_measure(struct segments_walk *walk, uint64_t *ret_bytes, Err *err);

/* ---- The journal ---- */

enum { HOLDS_MAX = 16, HOLD_NAME_BYTES = 32, GROUP_APPENDS_MAX = 4096 };

typedef struct Hold {
    char name[HOLD_NAME_BYTES];
    JournalPos pos;
} Hold;

/* The open segment. Whoever holds `writing` may use it. */
struct segments_tail {
    DiskFile file;
    bool is_open;
    bool needs_cut;                 /* a failed write could not be cut back yet */
    bool was_cut;                   /* cut back, and not synced since */
    bool has_commits;               /* has commits after its last mark, so that a new mark is useful */
    bool is_last;                   /* closing: nothing is written ahead, no new segment begun */
    JournalPos base;
    uint64_t used;                  /* offset after the last frame; the head alone does not move journal->end */
    uint64_t ahead;                 /* offset up to which zeros were written ahead */
    uint32_t chain, salt;
    Millis created_at_ms;
};

enum { JUMPS_MOST = 512 };

typedef struct ClockJump {
    JournalPos pos;                 /* the journal's end when it was noticed */
    Millis by_ms;
} ClockJump;

/* Whoever holds `writing` may use it. */
struct segments_clock {
    bool is_begun, is_unsaved;
    bool is_hopeless;               /* there are more jumps than can be kept: nothing is retired by age */
    Millis wall_ms, saved_ms;       /* at the last look; at the last save */
    int64_t elapsed_ns;
    Millis pending_ms, pending_since_ms;        /* a gap that does not count as time yet; 0: none */
    JournalPos pending_pos;
    ClockJump jumps[JUMPS_MOST];
    size_t jump_count;
};

struct segments_seal;                /* segments_seal.c */

struct segments {
    struct journal base;            /* what every back end's journal begins with */
    struct region self, buffers;    /* this struct; parts and zeros */
    SegmentsOptions options;         /* defaults filled in */
    struct disk *disk;
    const char *dir;
    bool is_read_only;
    DiskFile lock_file;
    bool has_lock_file;

    pthread_mutex_t lock;
    pthread_cond_t submitted, durable, resting;
    struct journal_append *pending, **pending_end;
    bool is_committer_waiting, is_woken, is_closing, is_poisoned, is_full;
    bool has_no_waits;                     /* segments_end_waits */
    unsigned durable_waiters;              /* not counting those at rest */
    int64_t followers_woken_ns;
    int64_t full_until_ns;
    int64_t failing_until_ns;       /* a commit failed, and not because the disk is full; 0: the last one did not */
    bool is_astray;                 /* the file that is written is not where the next start looks for it */
    int64_t astray_until_ns;        /* not looked for before this */
    struct segment_table segments;
    JournalPos end;
    JournalStats stats;
    Hold holds[HOLDS_MAX];
    size_t hold_count;
    uint64_t cut_count;             /* read-only: how often the end went back, and to where the last time */
    JournalPos cut_to;

    pthread_mutex_t writing;
    struct segments_tail tail;
    struct segments_clock clock;
    Millis committed_at_ms;         /* the last commit's time: the next one's is not earlier */
    uint64_t records;               /* in the journal, ever */
    int64_t free_checked_ns, lock_looked_ns;
    Str *parts;                     /* GROUP_APPENDS_MAX + 2 */
    char *zeros;                    /* never written */

    pthread_mutex_t maintaining;
    struct segments_seal *seal;      /* under way, or NULL */
    char poisoned_why[256];         /* under lock; empty: no sync has failed */
    _Atomic bool is_maintenance_stopped; /* a sync of maintenance failed: until the next start nothing is replaced */
    int64_t maintain_after_ns;      /* after a failure: not before this */
    int64_t place_looked_ns;        /* used by maintenance */
    int64_t pass_began_ns;          /* for retiring, which removes a bounded number in a certain time */
    size_t pass_count;

    struct {                        /* read-only: where the last refresh left off; under maintaining */
        struct segments_source source;
        bool is_begun;
        JournalPos base;
        uint32_t head;              /* the checksum of its head: a segment without commits may be begun anew */
        uint64_t settled;           /* offset of the last commit frame: what is before it was synced */
        uint32_t settled_chain;     /* the checksum before it */
        uint64_t end;               /* after the last whole frame */
        uint32_t end_chain;         /* the checksum of that */
    } follow;
    JournalPos due;                 /* under lock: what is before it would be retired, and is held; 0: nothing is */
};

static inline struct segments *segments_of(struct journal *journal) { return (struct segments *)(void *)journal; }

/* These do what journal.h says of functions with the same names; segments_backend.c lists them. */
extern const JournalBackend segments_backend;
struct segments_reader;
void segments_close(struct segments *journal);
Status MUST segments_submit(struct segments *journal, struct journal_append *append, Err *err);
bool segments_wait_submitted(struct segments *journal, Millis timeout_ms);
void segments_wake(struct segments *journal);
Status MUST segments_commit(struct segments *journal, uint64_t *ret_records, Err *err);
Status MUST segments_maintain(struct segments *journal, bool *ret_more, Err *err);
void segments_set_hold(struct segments *journal, const char *name, JournalPos pos);
JournalPos segments_due(struct segments *journal);
Status MUST segments_erase(struct segments *journal, const JournalErase *erase, uint64_t *ret_erased, Err *err);
JournalPos segments_first(struct segments *journal);
JournalPos segments_end(struct segments *journal);
JournalPos segments_find_time(struct segments *journal, Millis received_at_ms);
JournalPos segments_find_age(struct segments *journal, Millis age_ms);
Status MUST segments_find_birth(struct segments *journal, JournalPos pos, JournalPos *ret_base, Millis *ret_at_ms,
                                Err *err);
bool segments_wait_durable(struct segments *journal, JournalPos pos, Millis timeout_ms);
void segments_end_waits(struct segments *journal);
Status MUST segments_refresh(struct segments *journal, Err *err);
Status MUST segments_reader_open(struct segments *journal, JournalPos from, struct journal_reader **ret, Err *err);
void segments_reader_close(struct segments_reader *reader);
Status MUST segments_read(struct segments_reader *reader, Err *err);
void segments_unread(struct segments_reader *reader);
Status MUST segments_skip_damage(struct segments_reader *reader, uint64_t *ret_skipped_bytes, Err *err);
uint64_t segments_reader_missed(const struct segments_reader *reader);
JournalPos segments_reader_position(const struct segments_reader *reader);
bool segments_is_poisoned(struct segments *journal, char *text, size_t bytes);
void segments_read_stats(struct segments *journal, JournalStats *ret);

/* segments_strays.c: takes files that are not segments of this journal out of the table, and (renames) gives them other
 * names. ERR_NOT_FOUND: a file is gone since it was listed. */
Status MUST segments_set_aside(struct segments *journal, struct segment_table *table, bool renames, Err *err);

/* segments_recover.c */
Status MUST segments_recover(struct segments *journal, SegmentsRecovery *recovery, Err *err);
/* segments.c: an object with its locks, and nothing open. */
Status MUST segments_create(const SegmentsOptions *options, struct segments **ret, Err *err);
/* Makes the directory if it is missing. ERR_CONFLICT: another process writes there. */
Status MUST segments_take_lock(struct segments *journal, Err *err);
/* The other functions of segments.c need `writing` to be held. Rolling closes the open segment (there may be none); the
 * next commit begins another. */
Status MUST segments_roll(struct segments *journal, Err *err);
Status MUST segments_begin_segment(struct segments *journal, Err *err);
void segments_poison(struct segments *journal, const Err *why);     /* why: what the disk said, or NULL */
Millis segments_stamp(struct segments *journal);          /* now, but not before the last commit */
/* segments_place.c: with `writing` held, but `lock` not. ERR_CLOSED: what is written would not be found again.
 * bytes: how many of the open segment must be there. */
Status MUST segments_look_at_place(struct segments *journal, uint64_t bytes, Err *err);
/* segments_clock.c: with `writing` held. */
Status MUST segments_clock_begin(struct segments *journal, Err *err);
Millis segments_clock_look(struct segments *journal);     /* the wall clock's time; notes its jumps */
bool segments_clock_is_trusted(const struct segments *journal);
Millis segments_clock_age(const struct segments *journal, JournalPos pos, Millis stamp_ms); /* at the last look */
Status MUST segments_clock_keep(struct segments *journal, bool is_last, Err *err);
/* segments_retire.c */
Status MUST segments_retire_one(struct segments *journal, bool *ret_did, Err *err);
/* segments_seal.c: with maintaining held. */
typedef struct SealChange {                             /* what erasing does to records while sealing */
    JournalShouldErase *should_erase;
    void *context;
    JournalPos from, to;
    unsigned char erased_first_byte;
    bool passes_bad_blocks;
    uint64_t erased;
} SealChange;
Status MUST segments_seal_begin(struct segments *journal, const Segment *segment, SealChange *change, Err *err);
Status MUST segments_seal_step(struct segments *journal, bool *ret_more, Err *err);
void segments_seal_abort(struct segments *journal);

/* segments_read.c: a copy of the row that holds pos, or of the first after it. False: there is none. */
bool segments_find_segment(struct segments *journal, JournalPos pos, Segment *ret, bool *ret_is_first);
/* When the segment was begun: from its row, or its head. */
Status MUST segments_begun_at(struct segments *journal, const Segment *segment, Millis *ret_at_ms, Err *err);

#endif
