/* index: events as columns, for scanning. What the journal tells message by message, the index holds
 * column by column: who (a subject number), when, what, where the raw event lies, and every scalar under
 * properties and context, discovered as it comes.
 *
 * What it is not: it knows no person. A row's subject is fixed when the event is written; which person
 * that is now is one array look-up of whoever asks, so no row is ever rewritten when people merge. It
 * parses no query and holds no raw event. It calls os/ for the disk, libzstd, and event/ and journal/ for
 * their types.
 *
 * Shape. Rows lie in *runs*, each sorted by (subject, time) and never changed; index_format.h has the
 * bytes. New events gather in an open chunk; a full chunk becomes a run in memory; enough of these become
 * one run in a file; files of neighbouring journal stretches are merged by and by into larger ones. The
 * MANIFEST names the files that count and the journal position that they reach.
 *
 * Invariants
 *  1. What lies before index_position is in synced files that the MANIFEST names; what lies after it is
 *     appended again from the journal after a crash. Appending what is already there does nothing.
 *  2. A snapshot is a consistent set of runs: every event appended before it, none after.
 *  3. A file is written and synced under a temporary name, renamed, and counts once the MANIFEST says so.
 *     Files that it does not name are removed at the next start.
 *  4. Nothing that could not be indexed is hidden: such values have a code of their own (INDEX_UNINDEXED),
 *     and runs count the leaves that were passed over.
 *
 * Threads: index_append by one thread, the applier. index_maintain by one thread at a time, any.
 * Snapshots from any thread; one IndexCodes reader belongs to one thread.
 */
#ifndef ONYM_INDEX_H
#define ONYM_INDEX_H

#include "event/event.h"
#include "journal/journal.h"
#include "os/os.h"

typedef uint32_t Subject;
#define SUBJECT_NONE UINT32_MAX         /* the event of nobody: only blocked ids; sorted last */

struct index;

/* ---- Opening ---- */

typedef struct IndexOptions {
    const char *dir;                    /* kept for the life of the index */
    struct disk *disk;
    uint32_t chunk_rows;                /* rows of a run in memory; 0 = 16,384 */
    uint32_t seal_rows;                 /* rows in memory that become a file; 0 = 262,144 */
    uint32_t merge_fan;                 /* files of a like size that become one; 0 = 8 */
    uint32_t merge_rows_max;            /* no merge makes a larger run; 0 = 134,217,728 */
    bool is_read_only;                  /* to be looked at: nothing is made or removed. ERR_NOT_FOUND: there is none */
} IndexOptions;

/* Makes the directory if needed, removes what a crash left over. ERR_DAMAGED: a file that the MANIFEST
 * names is missing or broken; the way out is to rebuild the index from the journal. */
Status MUST index_open(const IndexOptions *options, struct index **ret, Err *err);
void index_close(struct index *index);                  /* accepts NULL; what is unsealed is forgotten */
/* The first damage that anybody found since it was opened, in words that name the file; NULL: none. Any thread. */
const char *index_damage(struct index *index);
/* Judges every byte of the files of an index that nobody writes to. Stops at the first damage. */
Status MUST index_verify(struct index *index, uint64_t *ret_files, Err *err);

/* ---- Writing ---- */

/* Everything before this position is on disk: the applier goes on from here after a start. */
JournalPos index_position(struct index *index);
/* One event, not seen before, with its record's position and the next one's. Quietly does nothing where
 * pos lies before what was appended already. Memory only; a full chunk is encoded on the way (2 to 5 ms). */
Status MUST index_append(struct index *index, Subject subject, const Event *event, JournalPos pos,
                         JournalPos next,
                         Err *err);
/* The rows in memory are so many that index_maintain should run soon. */
bool index_wants_maintenance(struct index *index);
/* One bounded piece of work: write full chunks to a file, or take one step of a merge. ret_more: call
 * again soon. ERR_FULL, ERR_IO: nothing was lost, try later. */
Status MUST index_maintain(struct index *index, bool *ret_more, Err *err);
/* Makes durable whatever was appended, full chunk or not. For shutting down, and for tests. */
Status MUST index_seal(struct index *index, Err *err);

/* ---- Erasing ---- */

/* What is to go: every row of these subjects, and the rows of these raw events. Both ascending, both borrowed. */
typedef struct IndexErase {
    const Subject *subjects;
    size_t subject_count;
    const JournalPos *positions;
    size_t position_count;
} IndexErase;
/* Rewrites every run that holds such rows without them, and without the values that only they had; what was
 * not on disk yet goes there first. On return they are gone from the files (not from snapshots that are still
 * open). Crash-safe: each file is replaced by itself, so after a crash or an error call it again, which is
 * harmless; the journal must not bring them back, so erase there first. Rewriting takes about a second for two
 * million rows, and index_maintain waits meanwhile: call it from where that may be. ret_rows: rows erased. */
Status MUST index_erase(struct index *index, const IndexErase *erase, uint64_t *ret_rows, Err *err);

/* ---- Numbers ---- */

typedef struct IndexStats {
    uint64_t rows, file_rows, memory_rows, files, memory_runs, disk_bytes, memory_bytes;
    uint64_t unindexed;                 /* leaves passed over: too deep, too many columns in one run */
    uint64_t seals, merges, merged_rows;
    JournalPos position, end;           /* on disk up to; appended up to */
} IndexStats;
void index_read_stats(struct index *index, IndexStats *ret);        /* any thread */

/* ---- Reading: snapshots and runs ---- */

/* width bytes an integer, base to be added where the column has one. */
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

/* What readers may touch of a run; everything is borrowed from the snapshot. */
typedef struct IndexRun {
    uint32_t row_count, subject_count, column_count;
    Millis time_min_ms, time_max_ms;
    JournalPos from_pos, to_pos;
    uint64_t unindexed_count;
    bool has_groups;                    /* "groupId" is told of all rows; older versions did not */
    const uint64_t *starts;             /* a bit a row: first of its subject */
    const uint32_t *ranks;              /* subjects before every INDEX_RANK_ROWS-th row */
    const uint32_t *subjects;           /* ascending */
    IndexPacked times, events;
} IndexRun;

enum { INDEX_RANK_ROWS = 512, INDEX_BLOCK_ROWS = 32768 };

struct index_snapshot;
/* Checks what was not checked before of the runs' hot columns: ERR_DAMAGED names the file. */
Status MUST index_snapshot_open(struct index *index, struct index_snapshot **ret, Err *err);
void index_snapshot_close(struct index_snapshot *snapshot);         /* accepts NULL */
/* ERR_DAMAGED: a file was cut while the snapshot was read. Ask it after the last reading, before what was read is
 * believed: loops over rows do not look. */
Status MUST index_snapshot_check(const struct index_snapshot *snapshot, Err *err);
uint32_t index_snapshot_run_count(const struct index_snapshot *snapshot);
const IndexRun *index_snapshot_run(const struct index_snapshot *snapshot, uint32_t run_index);

/* The first row of the first subject >= the given one; ret_ordinal: which of the run's subjects it is.
 * row_count and subject_count where there is none. from_ordinal: no subject before it can be the one; the
 * nearer, the faster. subject may be 1 << 32. */
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

/* The column's number, or UINT32_MAX where the run has none. "properties.plan", "context.page.path",
 * and "source", "category", "groupId" of the message itself (groupId: or context.groupId). */
uint32_t index_run_find_column(const IndexRun *run, Str name);
Str index_run_column_name(const IndexRun *run, uint32_t column);
uint64_t index_run_column_rows(const IndexRun *run, uint32_t column);       /* how many rows have it */
uint64_t index_run_column_unindexed(const IndexRun *run, uint32_t column);  /* of them: INDEX_UNINDEXED */

typedef enum IndexKind { INDEX_NOTHING, INDEX_BOOL, INDEX_NUMBER, INDEX_STRING, INDEX_LIST, INDEX_OTHER } IndexKind;

typedef struct IndexValue {
    IndexKind kind;
    double number;                      /* numbers; booleans as 0 and 1 */
    /* Strings; lists: their JSON, scalars only; numbers: empty, or the digits of an integer that no double is. Lives as
     * long as the IndexValues. */
    Str text;
} IndexValue;

/* A column's dictionary. code_count codes; those below INDEX_FIRST_VALUE (or INDEX_FIRST_EVENT) are fixed. */
typedef struct IndexValues {
    bool is_events;
    uint32_t code_count, number_count, string_count;
    const double *numbers;
    const uint32_t *ends;
    const char *bytes;
} IndexValues;

/* Decompresses into the arena where needed. ERR_TOO_LARGE where the arena is full. */
Status MUST index_values_read(const IndexRun *run, uint32_t column, Arena *arena, IndexValues *ret, Err *err);
IndexValue index_values_get(const IndexValues *values, uint32_t code);
/* Of the column of events: the type and the name behind a code. */
EventType index_values_event(const IndexValues *values, uint32_t code, Str *ret_name);

/* Reads a column's codes, or the positions, block by block. */
typedef struct IndexCodes {
    const IndexRun *run;
    const struct run_section *section;
    uint32_t block, first_row;          /* which block is loaded; UINT32_MAX: none */
    uint32_t code_count;                /* larger codes are damage; 0: not looked at */
    IndexPacked packed;                 /* of the loaded block; row 0 is first_row */
    unsigned char *bytes;
    void *zstd;
} IndexCodes;

enum { INDEX_CODES_BYTES = 2 * (INDEX_BLOCK_ROWS * 8 + 8) };
/* bytes: INDEX_CODES_BYTES of the caller's, kept. column: or INDEX_POSITIONS. zstd: NULL, or a
 * ZSTD_DCtx that is kept, which saves its making. */
void index_codes_init(IndexCodes *codes, const IndexRun *run, uint32_t column, uint32_t code_count,
                      unsigned char *bytes, void *zstd);
/* Loads the block that holds the row, if another one is loaded. */
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
