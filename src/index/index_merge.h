/* index_merge: several runs become one, a bounded step at a time. One thread. */
#ifndef ONYM_INDEX_MERGE_H
#define ONYM_INDEX_MERGE_H

#include "index_run.h"

enum { MERGE_RUNS_MAX = 127, MERGE_STEP_ROWS = 1 << 20 };

struct merge;

/* Begins to merge runs, given in the order of their journal stretches, into the sink: an image, or an
 * empty file. The runs are held until merge_close. should_drop: NULL, or says for which subjects no row
 * is kept (erasure). */
typedef bool MergeShouldDrop(void *context, Subject subject);
Status MUST merge_open(struct run *const *runs, uint32_t run_count, struct buf *image, struct disk *disk,
                       DiskFile file,
                       int level, MergeShouldDrop *should_drop, void *context, struct merge **ret, Err *err);
void merge_close(struct merge *merge);          /* accepts NULL */
/* ret_done: the run is whole (not synced). It may have no rows at all: then nothing was written. */
Status MUST merge_step(struct merge *merge, bool *ret_done, Err *err);
uint64_t merge_row_count(const struct merge *merge);

#endif
