/* segments_backend: the functions of journal_backend.h, for a journal in segments. */
#include "segments_private.h"

static void door_close(struct journal *journal) { segments_close(segments_of(journal)); }

static Status door_submit(struct journal *journal, struct journal_append *append, Err *err)
{
    return segments_submit(segments_of(journal), append, err);
}

static bool door_wait_submitted(struct journal *journal, Millis timeout_ms)
{
    return segments_wait_submitted(segments_of(journal), timeout_ms);
}

static void door_wake(struct journal *journal) { segments_wake(segments_of(journal)); }

static Status door_commit(struct journal *journal, uint64_t *ret_records, Err *err)
{
    return segments_commit(segments_of(journal), ret_records, err);
}

static Status door_maintain(struct journal *journal, bool *ret_more, Err *err)
{
    return segments_maintain(segments_of(journal), ret_more, err);
}

static void door_set_hold(struct journal *journal, const char *name, JournalPos pos)
{
    segments_set_hold(segments_of(journal), name, pos);
}

static JournalPos door_due(struct journal *journal) { return segments_due(segments_of(journal)); }

static Status door_erase(struct journal *journal, const JournalErase *erase, uint64_t *ret_erased, Err *err)
{
    return segments_erase(segments_of(journal), erase, ret_erased, err);
}

static JournalPos door_first(struct journal *journal) { return segments_first(segments_of(journal)); }

static JournalPos door_end(struct journal *journal) { return segments_end(segments_of(journal)); }

static JournalPos door_find_time(struct journal *journal, Millis received_at_ms)
{
    return segments_find_time(segments_of(journal), received_at_ms);
}

static JournalPos door_find_age(struct journal *journal, Millis age_ms)
{
    return segments_find_age(segments_of(journal), age_ms);
}

static Status door_find_birth(struct journal *journal, JournalPos pos, JournalPos *ret_base, Millis *ret_at_ms,
                              Err *err)
{
    return segments_find_birth(segments_of(journal), pos, ret_base, ret_at_ms, err);
}

static bool door_wait_durable(struct journal *journal, JournalPos pos, Millis timeout_ms)
{
    return segments_wait_durable(segments_of(journal), pos, timeout_ms);
}

static void door_end_waits(struct journal *journal) { segments_end_waits(segments_of(journal)); }

static Status door_refresh(struct journal *journal, Err *err) { return segments_refresh(segments_of(journal), err); }

static Status door_reader_open(struct journal *journal, JournalPos from, struct journal_reader **ret, Err *err)
{
    return segments_reader_open(segments_of(journal), from, ret, err);
}

static bool door_is_poisoned(struct journal *journal, char *text, size_t bytes)
{
    return segments_is_poisoned(segments_of(journal), text, bytes);
}

static void door_read_stats(struct journal *journal, JournalStats *ret)
{
    segments_read_stats(segments_of(journal), ret);
}

static struct segments_reader *reader_of(struct journal_reader *reader)
{
    return (struct segments_reader *)(void *)reader;
}

static void door_reader_close(struct journal_reader *reader) { segments_reader_close(reader_of(reader)); }

static Status door_read(struct journal_reader *reader, Err *err) { return segments_read(reader_of(reader), err); }

static void door_unread(struct journal_reader *reader) { segments_unread(reader_of(reader)); }

static Status door_skip_damage(struct journal_reader *reader, uint64_t *ret_skipped_bytes, Err *err)
{
    return segments_skip_damage(reader_of(reader), ret_skipped_bytes, err);
}

static uint64_t door_reader_missed(const struct journal_reader *reader)
{
    return segments_reader_missed((const struct segments_reader *)(const void *)reader);
}

static JournalPos door_reader_position(const struct journal_reader *reader)
{
    return segments_reader_position((const struct segments_reader *)(const void *)reader);
}

const JournalBackend segments_backend = {
    .name = "segments",
    .close = door_close,
    .submit = door_submit,
    .wait_submitted = door_wait_submitted,
    .wake = door_wake,
    .commit = door_commit,
    .maintain = door_maintain,
    .set_hold = door_set_hold,
    .due = door_due,
    .erase = door_erase,
    .first = door_first,
    .end = door_end,
    .find_time = door_find_time,
    .find_age = door_find_age,
    .find_birth = door_find_birth,
    .wait_durable = door_wait_durable,
    .end_waits = door_end_waits,
    .refresh = door_refresh,
    .reader_open = door_reader_open,
    .is_poisoned = door_is_poisoned,
    .read_stats = door_read_stats,
    .reader_close = door_reader_close,
    .read = door_read,
    .unread = door_unread,
    .skip_damage = door_skip_damage,
    .reader_missed = door_reader_missed,
    .reader_position = door_reader_position,
};
