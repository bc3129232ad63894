/* index_chunk: the newest events. Rows are in order of arrival, values are interned when they
 * come; encoding sorts rows and dictionaries into the bytes of a run. Encoding does not change the chunk,
 * so a snapshot can look at a half-full one. One thread at a time. */
#ifndef ONYM_INDEX_CHUNK_H
#define ONYM_INDEX_CHUNK_H

#include "index_run.h"

enum {
    CHUNK_COLUMNS_MAX = 512,                /* if there are more fields, those that come most often stay */
    CHUNK_WAITING = 4096,                   /* counters of fields that have no column, by hash */
    CHUNK_VALUES_MAX = 1 << 18,             /* then the chunk is full, however few rows it has */
    CHUNK_TEXT_BYTES_MAX = 32 << 20,        /* likewise */
};

#define CHUNK_NO_COLUMN UINT32_MAX

struct chunk_column {
    Str name;
    uint32_t value_count, filled;           /* different values; rows that have one */
    uint32_t last_row;                      /* the last row that has one */
    uint32_t name_room;                     /* how many bytes there are for the name */
    uint32_t newest;                        /* the value that came last, + 1; 0: none */
    bool is_kept;                           /* no other field may take its place */
    uint32_t *codes;
        /* by row: 0 absent, 1 not indexed, 2 false, 3 true, 4 + number of its value */
    /* the column that came next last time: SDKs send fields in one order */
    uint32_t last_value;                    /* which of the chunk's values was met last */
    uint32_t follower;
};

struct chunk_value {
    uint64_t hash;
    uint32_t slot;                          /* where value_slots has it */
    uint32_t column, local;                 /* which of the column's values; CHUNK_NO_COLUMN: its column is gone */
    uint32_t is_number : 1, before : 31;    /* before: the column's value before this one, + 1 */
    double number;
    Str text;
};

struct chunk {
    struct region region;
    struct event_outline *outline;          /* for events that bring none */
    Arena arena;
    const char *arena_start;
    uint32_t row_count, row_max;
    Subject *subjects;
    Millis *times_ms;
    JournalPos *positions;
    struct chunk_column *columns;           /* [0] is what the event is */
    uint32_t column_count, last_column;
    uint32_t *column_slots;                 /* by hash of the name: column + 1 */
    uint16_t *waiting;                      /* by hash of the name: how often a field came that found no column */
    uint32_t row_takeovers;                 /* columns that changed their field at this row */
    struct chunk_value *values;
    uint32_t value_count;
    uint32_t *value_slots, value_mask;      /* by hash: value + 1, and bits of the hash; 0: free */
    uint64_t unindexed_count;
    bool has_group;                         /* the row at hand has a groupId of its own */
    JournalPos from_pos, to_pos;
};

void chunk_open(struct chunk *chunk, uint32_t row_max);
void chunk_close(struct chunk *chunk);
void chunk_clear(struct chunk *chunk, JournalPos from_pos);     /* empty again; the pages stay */
bool chunk_is_full(const struct chunk *chunk);
void chunk_append(struct chunk *chunk, Subject subject, const Event *event, JournalPos pos, JournalPos next);
/* Appends the bytes of a run to the image. The chunk has rows. */
Status MUST chunk_encode(const struct chunk *chunk, struct buf *image, Err *err);

#endif
