/* batch: the journal's records by the batch, for whoever writes them somewhere in large pieces: a warehouse, an
 * archive.
 *
 * A consumer is one struct of two functions. It keeps, in one act, a batch and the position after it; where that act
 * fails, or the process dies, it is given the same records again. So each record is kept once, in order, if the two are
 * kept together; destinations, which go by person and retry single calls, are another plug (destination/destination.h).
 *
 * Invariants
 *  1. Memory is bounded by the limits, and one record more.
 *  2. What of the journal cannot be read is passed over and counted (batch_skipped_bytes); nothing else is left out.
 *
 * Threads: one. A step never waits: follow with journal_wait_durable.
 */
#ifndef ONYM_BATCH_BATCH_H
#define ONYM_BATCH_BATCH_H

#include "journal/journal.h"

typedef struct BatchRecord {
    JournalPos pos;
    Str bytes;                       /* as event/ decodes them; valid for the call */
} BatchRecord;

typedef struct BatchConsumer {
    const char *name;                /* of messages */
    /* Where to go on: the position that was kept with the last batch; 0: from the oldest record that is kept. */
    Status (*find_position)(void *context, JournalPos *ret, Err *err);
    /* Keeps all of them and next, or nothing. */
    Status (*keep)(void *context, const BatchRecord *records, size_t count, JournalPos next, Err *err);
} BatchConsumer;

typedef struct BatchLimits {
    size_t records_max;              /* 0: 1,000 */
    size_t bytes_max;                /* 0: 4 MiB */
} BatchLimits;

struct batch;
/* Borrows all of it for its life. */
Status MUST batch_open(struct journal *journal, const BatchConsumer *consumer, void *context, BatchLimits limits,
                       struct batch **ret, Err *err);
/* Hands over one batch, of what is durable now. *ret_more: there is more to do at once. After a failure the next step
 * asks the consumer where to go on, and tries again. */
Status MUST batch_step(struct batch *batch, bool *ret_more, Err *err);
uint64_t batch_skipped_bytes(const struct batch *batch);
void batch_close(struct batch *batch);                       /* accepts NULL */

#endif
