/* index_merge: several runs become one, a bounded step at a time. One thread. */
#ifndef ONYM_INDEX_MERGE_H
#define ONYM_INDEX_MERGE_H

#include "index_run.h"

enum { MERGE_RUNS_MAX = 127, MERGE_STEP_ROWS = 1 << 20 };

struct merge;

typedef struct MergeOptions {
    struct run *const *runs;        /* in the order of their journal stretches; held until merge_close */
    uint32_t run_count;
    struct buf *image;              /* the sink: memory … */
    struct disk *disk;              /* … or an empty file */
    DiskFile file;
    int level;                      /* zstd's */
    const IndexErase *erase;        /* NULL, or rows that the result does not get, nor values that only they had */
} MergeOptions;

Status MUST merge_open(const MergeOptions *options, struct merge **ret, Err *err);
void merge_close(struct merge *merge);          /* accepts NULL */
/* ret_done: the run is whole (not synced). It may have no rows at all: then nothing was written. */
Status MUST merge_step(struct merge *merge, bool *ret_done, Err *err);
uint64_t merge_row_count(const struct merge *merge);
bool merge_erases_subject(const IndexErase *erase, Subject subject);
bool merge_erases_position(const IndexErase *erase, JournalPos pos);

#endif
