/* index: events as columns, for scanning. The journal keeps events message by message, the index
 * column by column: who (a subject number), when, what, the raw event's position, and every scalar under
 * properties and context. A column is made when its first value comes.
 *
 * What it does not do: it knows no person. A row's subject is fixed when the event is written; the code that asks
 * finds the present person by one array look-up, so no row is ever rewritten when people merge. It
 * parses no query and holds no raw event. It calls os/ for the disk, libzstd, and event/ and journal/ for
 * their types.
 *
 * Shape. Rows are in *runs*, each sorted by (subject, time) and never changed; index_format.h has the
 * bytes. New events go into an open chunk; a full chunk becomes a run in memory; enough of these become
 * one run in a file; files of neighbouring parts of the journal are merged into larger ones, step by step. The
 * MANIFEST names the files that count and the journal position that they reach.
 *
 * Invariants
 *  1. Events before index_position are in synced files that the MANIFEST names; events after it are
 *     appended again from the journal after a crash. Appending an event that is already there does nothing.
 *  2. A snapshot is a consistent set of runs: it has every event appended before it, and none appended after it.
 *  3. A file is written and synced under a temporary name, renamed, and counts once the MANIFEST says so.
 *     Files that it does not name are removed at the next start.
 *  4. Nothing that could not be indexed is hidden: such values have a code of their own (INDEX_UNINDEXED),
 *     and runs count the leaves that were left out.
 *
 * Threads: one thread, the applier, calls index_append. Any thread may call index_maintain, one at a time.
 * Any thread may take snapshots; each IndexCodes reader belongs to one thread.
 */
#ifndef ONYM_INDEX_H
#define ONYM_INDEX_H

#include "event/event.h"
#include "journal/journal.h"
#include "os/os.h"

typedef uint32_t Subject;
#define SUBJECT_NONE UINT32_MAX         /* an event of nobody: all its ids are blocked; sorted last */

struct index;

/* ---- Opening ---- */

typedef struct IndexOptions {
    const char *dir;                    /* kept for the life of the index */
    struct disk *disk;
    uint32_t chunk_rows;                /* rows of a run in memory; 0 = 16,384 */
    uint32_t seal_rows;                 /* rows in memory that become a file; 0 = 262,144 */
    uint32_t merge_fan;                 /* files of a like size that become one; 0 = 8 */
    uint32_t merge_rows_max;            /* no merge makes a larger run; 0 = 134,217,728 */
    bool is_read_only;                  /* makes and removes nothing. ERR_NOT_FOUND: there is no index */
} IndexOptions;

/* Makes the directory if needed, removes what a crash left over. ERR_DAMAGED: a file that the MANIFEST
 * names is missing or broken; rebuild the index from the journal. */
Status MUST index_open(const IndexOptions *options, struct index **ret, Err *err);
void index_close(struct index *index);                  /* accepts NULL; what is unsealed is forgotten */
/* The first damage that anybody found since it was opened, in words that name the file; NULL: none. Any thread. */
const char *index_damage(struct index *index);
/* Checks every byte of the files of an index that nobody writes to. Stops at the first damage. */
Status MUST index_verify(struct index *index, uint64_t *ret_files, Err *err);

/* ---- Writing ---- */

/* Everything before this position is on disk: after a start the applier goes on from here. */
JournalPos index_position(struct index *index);
/* After the last event that was appended, on disk or not. */
JournalPos index_end(struct index *index);
/* As index_position; UINT64_MAX if nothing is in memory, since then nothing is needed. */
JournalPos index_needed(struct index *index);
/* Appends one event, not seen before, with its record's position and the next one's. Does nothing if
 * pos is before the end of what was appended already. Works in memory only; encodes a full chunk (2 to 5 ms). */
Status MUST index_append(struct index *index, Subject subject, const Event *event, JournalPos pos,
                         JournalPos next,
                         Err *err);
/* Are there so many rows in memory that index_maintain should run soon? */
bool index_wants_maintenance(struct index *index);
/* Does one bounded piece of work: writes full chunks to a file, or takes one step of a merge. ret_more: call
 * again soon. ERR_FULL, ERR_IO: nothing was lost, try later. */
Status MUST index_maintain(struct index *index, bool *ret_more, Err *err);
/* Makes everything durable that was appended, whether or not the chunk is full. For shutting down, and for tests. */
Status MUST index_seal(struct index *index, Err *err);

/* ---- Erasing ---- */

/* What to erase: every row of these subjects, and the rows of these raw events. Both ascending, both borrowed. */
typedef struct IndexErase {
    const Subject *subjects;
    size_t subject_count;
    const JournalPos *positions;
    size_t position_count;
} IndexErase;
/* Rewrites every run that has such rows, without them and without the values that only they had; rows that were
 * not on disk yet are written there first. On return they are gone from the files (not from snapshots that are still
 * open). It is safe in a crash: each file is replaced on its own, so after a crash or an error call it again, which
 * does no harm. Erase in the journal first, so that it does not bring them back. Rewriting takes about a second for two
 * million rows, and index_maintain waits meanwhile: call it from a thread that may take so long. ret_rows: rows erased.
 * */
Status MUST index_erase(struct index *index, const IndexErase *erase, uint64_t *ret_rows, Err *err);

/* ---- Numbers ---- */

typedef struct IndexStats {
    uint64_t rows, file_rows, memory_rows, files, memory_runs, disk_bytes, memory_bytes;
    uint64_t unindexed;                 /* leaves that were left out: too deep, too many columns in one run */
    uint64_t seals, merges, merged_rows;
    JournalPos position, end;           /* events before these are on disk; are appended */
} IndexStats;
void index_read_stats(struct index *index, IndexStats *ret);        /* any thread */

/* ---- Reading: snapshots and runs ---- */

/* Each integer takes width bytes; add base if the column has one. */
typedef struct IndexPacked {
    const unsigned char *bytes;
    uint32_t width;
    uint64_t mask;
    int64_t base;
} IndexPacked;

static inline uint64_t index_packed_get(const IndexPacked *packed, uint32_t row)
{
    uint64_t value;
    memcpy(&value, packed->bytes + (size_t)row * packed->width, sizeof value);
    return value & packed->mask;
}

/* The part of a run that readers may use; everything is borrowed from the snapshot. */
typedef struct IndexRun {
    uint32_t row_count, subject_count, column_count;
    Millis time_min_ms, time_max_ms;
    JournalPos from_pos, to_pos;
    uint64_t unindexed_count;
    bool has_groups;                    /* all rows have their "groupId"; older versions did not write it */
    const uint64_t *starts;             /* a bit a row: first of its subject */
    const uint32_t *ranks;              /* subjects before every INDEX_RANK_ROWS-th row */
    const uint32_t *subjects;           /* ascending */
    IndexPacked times, events;
} IndexRun;

enum { INDEX_RANK_ROWS = 512, INDEX_BLOCK_ROWS = 32768 };

struct index_snapshot;
/* Checks the runs' hot columns that were not checked before: ERR_DAMAGED names the file. */
Status MUST index_snapshot_open(struct index *index, struct index_snapshot **ret, Err *err);
void index_snapshot_close(struct index_snapshot *snapshot);         /* accepts NULL */
/* ERR_DAMAGED: a file was cut while the snapshot was read. Ask after the last reading, before you use what you
 * read: loops over rows do not check this. */
Status MUST index_snapshot_check(const struct index_snapshot *snapshot, Err *err);
uint32_t index_snapshot_run_count(const struct index_snapshot *snapshot);
const IndexRun *index_snapshot_run(const struct index_snapshot *snapshot, uint32_t run_index);

/* Finds the first row of the first subject >= the given one; ret_ordinal: which of the run's subjects it is.
 * row_count and subject_count if there is none. from_ordinal: the subject is not before this one; the
 * nearer it is, the faster the search. subject may be 1 << 32. */
uint32_t index_run_row_of(const IndexRun *run, uint64_t subject, uint32_t from_ordinal,
                          uint32_t *ret_ordinal);
/* Which of the run's subjects the row belongs to: subjects[ordinal]. */
uint32_t index_run_ordinal(const IndexRun *run, uint32_t row);

/* ---- Reading: columns and their values ---- */

enum { INDEX_ABSENT = 0, INDEX_UNINDEXED = 1, INDEX_FALSE = 2, INDEX_TRUE = 3, INDEX_FIRST_VALUE = 4 };
/* In the column of events: 0 to 7 are types whose names are not indexed. */
enum { INDEX_FIRST_EVENT = 8 };
#define INDEX_EVENTS UINT32_MAX         /* as a column number: the dictionary of IndexRun.events */
#define INDEX_POSITIONS (UINT32_MAX - 1) /* as a column number: where the raw events lie in the journal */

/* The column's number, or UINT32_MAX if the run has none. "properties.plan", "context.page.path",
 * and "source", "category", "groupId" of the message itself (groupId may also be context.groupId). */
uint32_t index_run_find_column(const IndexRun *run, Str name);
Str index_run_column_name(const IndexRun *run, uint32_t column);
uint64_t index_run_column_rows(const IndexRun *run, uint32_t column);       /* how many rows have it */
uint64_t index_run_column_unindexed(const IndexRun *run, uint32_t column);  /* how many of these: INDEX_UNINDEXED */

typedef enum IndexKind { INDEX_NOTHING, INDEX_BOOL, INDEX_NUMBER, INDEX_STRING, INDEX_LIST, INDEX_OTHER } IndexKind;

typedef struct IndexValue {
    IndexKind kind;
    double number;                      /* numbers; booleans as 0 and 1 */
    /* Strings; lists: their JSON, scalars only; numbers: empty, or the digits of an integer that no double is. Lives as
     * long as the IndexValues. */
    Str text;
} IndexValue;

/* A column's dictionary. It has code_count codes; those below INDEX_FIRST_VALUE (or INDEX_FIRST_EVENT) are fixed. */
typedef struct IndexValues {
    bool is_events;
    uint32_t code_count, number_count, string_count;
    const double *numbers;
    const uint32_t *ends;
    const char *bytes;
} IndexValues;

/* Decompresses into the arena if needed. ERR_TOO_LARGE if the arena is full. */
Status MUST index_values_read(const IndexRun *run, uint32_t column, Arena *arena, IndexValues *ret, Err *err);
IndexValue index_values_get(const IndexValues *values, uint32_t code);
/* For the column of events: the type and the name that a code means. */
EventType index_values_event(const IndexValues *values, uint32_t code, Str *ret_name);

/* Reads a column's codes, or the positions, block by block. */
typedef struct IndexCodes {
    const IndexRun *run;
    const struct run_section *section;
    uint32_t block, first_row;          /* which block is loaded; UINT32_MAX: none */
    uint32_t code_count;                /* larger codes are damage; 0: codes are not checked */
    IndexPacked packed;                 /* of the loaded block; row 0 is first_row */
    unsigned char *bytes;
    void *zstd;
} IndexCodes;

enum { INDEX_CODES_BYTES = 2 * (INDEX_BLOCK_ROWS * 8 + 8) };
/* bytes: INDEX_CODES_BYTES that the caller gives and the reader keeps. column: may be INDEX_POSITIONS. zstd: NULL, or a
 * ZSTD_DCtx that the reader keeps, so that it need not make one. */
void index_codes_init(IndexCodes *codes, const IndexRun *run, uint32_t column, uint32_t code_count,
                      unsigned char *bytes, void *zstd);
/* Loads the block that has the row, unless it is loaded. */
Status MUST index_codes_load(IndexCodes *codes, uint32_t row, Err *err);
/* A code, or a position in the journal. */
static inline uint64_t index_codes_get(const IndexCodes *codes, uint32_t row)
{
    return index_packed_get(&codes->packed, row - codes->first_row) + (uint64_t)codes->packed.base;
}
/* "is the block of this row loaded?", for loops */
static inline bool index_codes_has(const IndexCodes *codes,
                                   uint32_t row) { return row / INDEX_BLOCK_ROWS == codes->block; }

#endif
