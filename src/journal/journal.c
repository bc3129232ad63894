/* journal: calls the back end. Only reading does more: it gives out one by one what the back end reads in batches. */
#include "journal.h"

void journal_close(struct journal *journal)
{
    if (journal) journal->backend->close(journal);
}

/* ---- Writing ---- */

Status journal_submit(struct journal *journal, struct journal_append *append, Err *err)
{
    check(append->on_durable);
    Status s = journal_append_check(append, err);
    return s ? s : journal->backend->submit(journal, append, err);
}

bool journal_wait_submitted(struct journal *journal, Millis timeout_ms)
{
    return journal->backend->wait_submitted(journal, timeout_ms);
}

void journal_wake(struct journal *journal) { journal->backend->wake(journal); }

Status journal_commit(struct journal *journal, uint64_t *ret_records, Err *err)
{
    return journal->backend->commit(journal, ret_records, err);
}

Status journal_maintain(struct journal *journal, bool *ret_more, Err *err)
{
    return journal->backend->maintain(journal, ret_more, err);
}

void journal_set_hold(struct journal *journal, const char *name, JournalPos pos)
{
    journal->backend->set_hold(journal, name, pos);
}

Status journal_erase(struct journal *journal, const JournalErase *erase, uint64_t *ret_erased, Err *err)
{
    return journal->backend->erase(journal, erase, ret_erased, err);
}

/* ---- Where it begins and ends ---- */

JournalPos journal_due(struct journal *journal) { return journal->backend->due(journal); }

JournalPos journal_first(struct journal *journal) { return journal->backend->first(journal); }

JournalPos journal_end(struct journal *journal) { return journal->backend->end(journal); }

JournalPos journal_find_time(struct journal *journal, Millis received_at_ms)
{
    return journal->backend->find_time(journal, received_at_ms);
}

JournalPos journal_find_age(struct journal *journal, Millis age_ms)
{
    return journal->backend->find_age(journal, age_ms);
}

Status journal_find_birth(struct journal *journal, JournalPos pos, JournalPos *ret_base, Millis *ret_at_ms, Err *err)
{
    return journal->backend->find_birth(journal, pos, ret_base, ret_at_ms, err);
}

bool journal_wait_durable(struct journal *journal, JournalPos pos, Millis timeout_ms)
{
    return journal->backend->wait_durable(journal, pos, timeout_ms);
}

void journal_end_waits(struct journal *journal) { journal->backend->end_waits(journal); }

Status journal_refresh(struct journal *journal, Err *err) { return journal->backend->refresh(journal, err); }

/* ---- Reading ---- */

Status journal_reader_open(struct journal *journal, JournalPos from, struct journal_reader **ret, Err *err)
{
    uint32_t erase_count = atomic_load_explicit(&journal->erase_count, memory_order_acquire);
    Status s = journal->backend->reader_open(journal, from, ret, err);
    if (!s) (*ret)->erase_count = erase_count;
    return s;
}

void journal_reader_close(struct journal_reader *reader)
{
    if (reader) reader->journal->backend->reader_close(reader);
}

Status journal_read(struct journal_reader *reader, JournalRecord *ret, Err *err)
{
    uint32_t erase_count = atomic_load_explicit(&reader->journal->erase_count, memory_order_acquire);
    if (reader->erase_count != erase_count) {            /* records that were read ahead may be erased by now */
        reader->erase_count = erase_count;
        reader->journal->backend->unread(reader);
        reader->at = reader->count = 0;
    }
    if (reader->at == reader->count) {
        reader->at = reader->count = 0;
        Status s = reader->journal->backend->read(reader, err);
        if (s) return s;
    }
    *ret = reader->records[reader->at++];
    return OK;
}

Status journal_read_at(struct journal *journal, JournalPos pos, struct journal_reader **ret_reader, JournalRecord *ret,
                       Err *err)
{
    *ret_reader = NULL;
    Status s = journal_reader_open(journal, pos, ret_reader, err);
    if (s) return s;
    s = journal_read(*ret_reader, ret, err);
    if (!s && ret->pos != pos)
        s = err_set(err, ERR_NOT_FOUND, "no record is kept at position %llu", (unsigned long long)pos);
    if (!s) return OK;
    journal_reader_close(*ret_reader);
    *ret_reader = NULL;
    return s;
}

/* Only at the damage itself: records that were read before it are given out first. */
Status journal_skip_damage(struct journal_reader *reader, uint64_t *ret_skipped_bytes, Err *err)
{
    *ret_skipped_bytes = 0;
    if (reader->at < reader->count) return OK;
    return reader->journal->backend->skip_damage(reader, ret_skipped_bytes, err);
}

Status journal_read_whole(struct journal_reader *reader, JournalRecord *ret, Err *err)
{
    uint64_t skipped;
    Status s;
    while ((s = journal_read(reader, ret, err)) == ERR_DAMAGED)
        if ((s = journal_skip_damage(reader, &skipped, err)) != OK) break;
    return s;
}

uint64_t journal_reader_missed(const struct journal_reader *reader)
{
    return reader->journal->backend->reader_missed(reader);
}

JournalPos journal_reader_position(const struct journal_reader *reader)
{
    if (reader->at < reader->count) return reader->records[reader->at].pos;
    return reader->journal->backend->reader_position(reader);
}

/* ---- Numbers ---- */

bool journal_is_poisoned(struct journal *journal, char *text, size_t bytes)
{
    return journal->backend->is_poisoned(journal, text, bytes);
}

void journal_read_stats(struct journal *journal, JournalStats *ret) { journal->backend->read_stats(journal, ret); }
