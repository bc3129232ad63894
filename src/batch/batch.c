/* batch: records are copied until a limit is reached or the journal ends, and handed over together. */
#include "batch.h"

#include <stdlib.h>

enum { RECORDS_USUAL = 1000, BYTES_USUAL = 4 * 1024 * 1024 };

struct batch {
    struct journal *journal;
    const BatchConsumer *consumer;
    void *context;
    BatchLimits limits;
    struct journal_reader *reader;   /* NULL: the consumer has to be asked where to go on */
    BatchRecord *records;
    size_t count;
    struct region region;            /* of the records' bytes */
    JournalPos next;
    uint64_t skipped_bytes;
};

Status batch_open(struct journal *journal, const BatchConsumer *consumer, void *context, BatchLimits limits,
                  struct batch **ret, Err *err)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (!batch) return err_set(err, ERR_FULL, "%s: no memory", consumer->name);
    *batch = (struct batch){ .journal = journal, .consumer = consumer, .context = context, .limits = limits };
    if (!batch->limits.records_max) batch->limits.records_max = RECORDS_USUAL;
    if (!batch->limits.bytes_max) batch->limits.bytes_max = BYTES_USUAL;
    batch->records = calloc(batch->limits.records_max, sizeof *batch->records);
    region_open(&batch->region, batch->limits.bytes_max + LIMIT_RECORD_BYTES + 64 * 1024);
    if (!batch->records) {
        batch_close(batch);
        return err_set(err, ERR_FULL, "%s: no memory for %zu records", consumer->name, limits.records_max);
    }
    *ret = batch;
    return OK;
}

void batch_close(struct batch *batch)
{
    if (!batch) return;
    journal_reader_close(batch->reader);
    region_close(&batch->region);
    free(batch->records);
    free(batch);
}

uint64_t batch_skipped_bytes(const struct batch *batch) { return batch->skipped_bytes; }

static Status find_place(struct batch *batch, Err *err)
{
    if (batch->reader) return OK;
    Status s = batch->consumer->find_position(batch->context, &batch->next, err);
    if (s) return err_wrap(err, s, "%s: where to go on", batch->consumer->name);
    JournalPos first = journal_first(batch->journal);
    if (batch->next < first) batch->next = 0;                /* retired meanwhile */
    return journal_reader_open(batch->journal, batch->next, &batch->reader, err);
}

/* The last record may pass bytes_max: so one that is larger than a batch goes, too. */
static Status collect(struct batch *batch, Err *err)
{
    Arena arena = region_arena(&batch->region);
    size_t bytes = 0;
    batch->count = 0;
    while (batch->count < batch->limits.records_max && bytes < batch->limits.bytes_max) {
        JournalRecord record;
        uint64_t skipped = 0;
        Status s = journal_read(batch->reader, &record, err);
        if (s == ERR_NOT_FOUND) return OK;
        if (s == ERR_DAMAGED) {
            s = journal_skip_damage(batch->reader, &skipped, err);
            batch->skipped_bytes += skipped;
            if (s == ERR_NOT_FOUND) return OK;
            if (s) return s;
            continue;
        }
        if (s) return s;
        batch->records[batch->count++] = (BatchRecord){ record.pos, arena_copy(&arena, record.bytes) };
        batch->next = record.next;
        bytes += record.bytes.len;
    }
    return OK;
}

Status batch_step(struct batch *batch, bool *ret_more, Err *err)
{
    *ret_more = false;
    Status s = find_place(batch, err);
    if (s == ERR_NOT_FOUND) return OK;                       /* an empty journal */
    if (!s) s = collect(batch, err);
    if (!s && batch->count) s = batch->consumer->keep(batch->context, batch->records, batch->count, batch->next, err);
    if (s) {
        journal_reader_close(batch->reader);
        batch->reader = NULL;
        return err_wrap(err, s, "%s", batch->consumer->name);
    }
    *ret_more = batch->count > 0;
    return OK;
}
