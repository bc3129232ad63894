/* index_run: one run, from inside the folder: written by a run_writer, opened as a struct run. */
#ifndef ONYM_INDEX_RUN_H
#define ONYM_INDEX_RUN_H

#include "index.h"
#include "index_format.h"
#include "index_curve.h"

#include <pthread.h>
#include <stdatomic.h>

/* The first damage that readers found in any run of an index. */
struct index_trouble {
    pthread_mutex_t lock;
    atomic_bool is_damaged;
    char text[ERR_TEXT_BYTES];
};

/* ---- An open run ---- */

struct run {
    IndexRun view;                      /* first: readers hold a pointer to it */
    atomic_uint holders;
    atomic_bool is_checked;             /* the hot sections' checksums and structure */
    const unsigned char *bytes;
    uint64_t size;
    struct buf image;                   /* a run in memory: its bytes */
    struct disk *disk;                  /* a run in a file: what maps it */
    DiskFile file;
    char name[64];                      /* of the file; empty for a run in memory */
    const struct run_section *sections;
    uint32_t section_count;
    Str *column_names;                  /* ascending */
    const struct run_section **codes, **values;      /* by column */
    const struct run_section *event_values, *positions;
    struct position_curve curve;        /* count 0: positions are stored as they are */
    struct index_trouble *trouble;      /* the index's; NULL while the run is opened */
};

/* Takes the image (also when it fails). */
Status MUST run_open_memory(struct buf *image, struct run **ret, Err *err);
Status MUST run_open_file(struct disk *disk, const char *dir, const char *name, struct run **ret, Err *err);
void run_hold(struct run *run);
void run_release(struct run *run);      /* the last one closes it; accepts NULL */
/* Checks the hot sections, once. */
Status MUST run_check(struct run *run, Err *err);
/* Is the file still as long as what is mapped? Ask after reading: if it is, what was read before is what it said. */
Status MUST run_refuse_cut(const struct run *run, Err *err);

static inline const struct run *run_of(const IndexRun *view) { return (const struct run *)view; }
static inline bool run_is_file(const struct run *run) { return run->name[0] != 0; }

/* ---- Writing one ---- */

struct run_writer {
    struct buf *image;                  /* the sink: memory … */
    struct disk *disk;                  /* … or a file, by way of out */
    DiskFile file;
    struct buf out;
    uint64_t flushed, offset;           /* bytes in the file; bytes written in all */
    int level;
    void *zstd;
    struct run_head head;
    struct buf sections, table;         /* of struct run_section; of the section at hand: struct run_block */
    struct run_section section;
    bool is_blocks, in_planes;
    /* of the packed integers at hand; block_bits: all of them or-ed */
    uint32_t width, block_rows, block_bits;
    unsigned char *block, *planes, *packed_block;
    Status status;                      /* sticky */
    Err err;
};

/* Either image, or disk and file, is given; level is zstd's. Always pair with run_writer_done. */
void run_writer_init(struct run_writer *writer, struct buf *image, struct disk *disk, DiskFile file,
                     int level);
void run_writer_done(struct run_writer *writer);

void run_writer_begin(struct run_writer *writer, RunSectionKind kind, uint32_t column);
void run_writer_put(struct run_writer *writer, const void *bytes, size_t count);
/* Rows of packed integers: run_writer_begin_packed for the section, run_writer_row for each, run_writer_end. */
void run_writer_begin_packed(struct run_writer *writer, RunSectionKind kind, uint32_t column, uint32_t width,
                             int64_t base, bool in_blocks);
/* Writes KNOTS, and begins POSITIONS as distances from the curve: run_writer_row(curve_encode(…)). */
void run_writer_begin_distances(struct run_writer *writer, const struct position_curve *curve);
void run_writer_flush_block(struct run_writer *writer);
static inline void run_writer_row(struct run_writer *writer, uint64_t value)
{
    memcpy(writer->block + (size_t)writer->block_rows * writer->width, &value, sizeof value);
    if (++writer->block_rows == RUN_BLOCK_ROWS) run_writer_flush_block(writer);
}
void run_writer_end(struct run_writer *writer);
/* A dictionary: numbers and strings ascending. */
struct run_strings {
    const uint32_t *ends;
    const char *bytes;
    uint32_t count;
};
void run_writer_values(struct run_writer *writer, uint32_t column, const double *numbers,
                       uint32_t number_count,
                       const struct run_strings *strings);
/* Directory and head; the caller has filled positions, times and counts of writer->head. */
Status MUST run_writer_finish(struct run_writer *writer, Err *err);

/* Bytes needed for values up to this one; at least 1. */
static inline uint32_t run_width_of(uint64_t value_max)
{
    return value_max == 0 ? 1 : (uint32_t)(64 - __builtin_clzll(value_max) + 7) / 8;
}

#endif
