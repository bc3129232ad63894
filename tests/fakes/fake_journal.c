/* fake_journal: the simplest thing that could be a journal: an array of records. */
#include "fake_journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STRIDE = 48, BATCH = 3 };            /* positions are STRIDE apart; so many records are read at once */

struct fake_reader {
    struct journal_reader base;
    size_t at;                              /* of the record to be read next */
    uint64_t missed;
    JournalRecord batch[BATCH];
};

static struct fake_journal *fake_of(struct journal *journal) { return (struct fake_journal *)(void *)journal; }

static struct fake_reader *reader_of(struct journal_reader *reader) { return (struct fake_reader *)(void *)reader; }

static JournalPos position_of(size_t at) { return journal_position((at + 1) * STRIDE); }

/* The record at the position, or the first after it. */
static size_t find(const struct fake_journal *fake, JournalPos pos)
{
    size_t at = (size_t)((journal_number(pos) + STRIDE - 1) / STRIDE);
    at = at > 0 ? at - 1 : 0;
    if (at < fake->first) at = fake->first;
    return at < fake->count ? at : fake->count;
}

static void lock(struct fake_journal *fake) { check(pthread_mutex_lock(&fake->lock) == 0); }

static void unlock(struct fake_journal *fake) { check(pthread_mutex_unlock(&fake->lock) == 0); }

/* ---- Writing ---- */

static Status fake_submit(struct journal *journal, struct journal_append *append, Err *err)
{
    struct fake_journal *fake = fake_of(journal);
    lock(fake);
    bool is_closed = fake->is_closed;
    append->next = NULL;
    if (!is_closed) *fake->pending_end = append, fake->pending_end = &append->next;
    pthread_cond_broadcast(&fake->changed);
    unlock(fake);
    return is_closed ? err_set(err, ERR_CLOSED, "closed") : OK;
}

static struct timespec deadline_after(Millis ms)
{
    struct timespec at;
    check(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) at.tv_sec++, at.tv_nsec -= 1000000000;
    return at;
}

static bool fake_wait_submitted(struct journal *journal, Millis timeout_ms)
{
    struct fake_journal *fake = fake_of(journal);
    struct timespec deadline = deadline_after(timeout_ms);
    lock(fake);
    while (timeout_ms > 0 && !fake->pending && !fake->is_woken)
        if (pthread_cond_timedwait(&fake->changed, &fake->lock, &deadline)) break;
    fake->is_woken = false;
    bool is_work = fake->pending != NULL;
    unlock(fake);
    return is_work;
}

static void fake_wake(struct journal *journal)
{
    struct fake_journal *fake = fake_of(journal);
    lock(fake);
    fake->is_woken = true;
    pthread_cond_broadcast(&fake->changed);
    unlock(fake);
}

static void keep(struct fake_journal *fake, Str bytes)
{
    if (fake->count == fake->capacity) {
        fake->capacity = fake->capacity ? fake->capacity * 2 : 64;
        fake->records = realloc(fake->records, fake->capacity * sizeof *fake->records);
        check(fake->records);
    }
    char *copy = malloc(bytes.len);
    check(copy);
    memcpy(copy, bytes.bytes, bytes.len);
    fake->records[fake->count++] = (struct fake_record){ copy, (uint32_t)bytes.len, false, clock_now_ms(fake->clock) };
    fake->stats.records++;
    fake->stats.record_bytes += bytes.len;
}

static struct journal_append *take_pending(struct fake_journal *fake)
{
    struct journal_append *group = fake->pending;
    fake->pending = NULL;
    fake->pending_end = &fake->pending;
    return group;
}

static Status fake_commit(struct journal *journal, uint64_t *ret_records, Err *err)
{
    struct fake_journal *fake = fake_of(journal);
    uint64_t records = 0;
    (void)err;
    lock(fake);
    size_t at = fake->count;
    struct journal_append *group = take_pending(fake);
    for (struct journal_append *append = group; append; append = append->next) {
        Str record;
        for (size_t offset = 0; journal_append_next(append, &offset, &record); records++) keep(fake, record);
    }
    if (group) fake->stats.commits++;
    pthread_cond_broadcast(&fake->changed);
    unlock(fake);
    while (group) {
        struct journal_append *append = group;
        group = append->next;
        JournalPos first = position_of(at);
        at += append->record_count;
        append->on_durable(append, OK, first);
    }
    if (ret_records) *ret_records = records;
    return OK;
}

/* Locked. */
static bool is_old(const struct fake_journal *fake)
{
    Millis old_ms = clock_now_ms(fake->clock) - fake->retention_ms;
    return fake->retention_ms && fake->first + 1 < fake->count && fake->records[fake->first].committed_at_ms < old_ms;
}

static bool is_held(const struct fake_journal *fake)
{
    for (size_t at = 0; at < fake->hold_count; at++)
        if (fake->holds[at].pos <= position_of(fake->first)) return true;
    return false;
}

static Status fake_maintain(struct journal *journal, bool *ret_more, Err *err)
{
    struct fake_journal *fake = fake_of(journal);
    (void)err;
    lock(fake);
    *ret_more = is_old(fake) && !is_held(fake);
    if (*ret_more) fake->first++;
    unlock(fake);
    return OK;
}

static JournalPos fake_due(struct journal *journal)
{
    struct fake_journal *fake = fake_of(journal);
    lock(fake);
    JournalPos due = is_old(fake) && is_held(fake) ? position_of(fake->first + 1) : 0;
    unlock(fake);
    return due;
}

static void fake_set_hold(struct journal *journal, const char *name, JournalPos pos)
{
    struct fake_journal *fake = fake_of(journal);
    lock(fake);
    size_t at = 0;
    while (at < fake->hold_count && strcmp(fake->holds[at].name, name) != 0) at++;
    check(at < FAKE_HOLDS);
    if (at == fake->hold_count) fake->holds[fake->hold_count++].name = name;
    fake->holds[at].pos = pos;
    unlock(fake);
}

static Status fake_erase(struct journal *journal, const JournalErase *erase, uint64_t *ret_erased, Err *err)
{
    struct fake_journal *fake = fake_of(journal);
    (void)err;
    *ret_erased = 0;
    lock(fake);
    for (size_t at = fake->first; at < fake->count && position_of(at) < erase->to; at++) {
        struct fake_record *record = &fake->records[at];
        if (position_of(at) < erase->from || record->is_damaged) continue;
        if (!erase->should_erase(erase->context, str_of(record->bytes, record->len), position_of(at))) continue;
        memset(record->bytes, 0, record->len);
        record->bytes[0] = (char)erase->erased_first_byte;
        ++*ret_erased;
    }
    atomic_fetch_add_explicit(&journal->erase_count, 1, memory_order_release);
    unlock(fake);
    return OK;
}

/* ---- Where it begins and ends ---- */

static JournalPos fake_first(struct journal *journal)
{
    struct fake_journal *fake = fake_of(journal);
    lock(fake);
    JournalPos first = position_of(fake->first);
    unlock(fake);
    return first;
}

static JournalPos fake_end(struct journal *journal)
{
    struct fake_journal *fake = fake_of(journal);
    lock(fake);
    JournalPos end = position_of(fake->count);
    unlock(fake);
    return end;
}

static JournalPos fake_find_time(struct journal *journal, Millis at_ms)
{
    struct fake_journal *fake = fake_of(journal);
    lock(fake);
    size_t at = fake->first;
    while (at < fake->count && fake->records[at].committed_at_ms < at_ms) at++;
    unlock(fake);
    return position_of(at);
}

static JournalPos fake_find_age(struct journal *journal, Millis age_ms)
{
    return fake_find_time(journal, clock_now_ms(fake_of(journal)->clock) - age_ms);
}

static Status fake_find_birth(struct journal *journal, JournalPos pos, JournalPos *ret_base, Millis *ret_at_ms,
                              Err *err)
{
    if (pos >= fake_end(journal)) return err_set(err, ERR_NOT_FOUND, "beyond the end");
    *ret_base = position_of(0);
    *ret_at_ms = fake_of(journal)->born_at_ms;
    return OK;
}

static bool fake_wait_durable(struct journal *journal, JournalPos pos, Millis timeout_ms)
{
    struct fake_journal *fake = fake_of(journal);
    struct timespec deadline = deadline_after(timeout_ms);
    lock(fake);
    while (timeout_ms > 0 && position_of(fake->count) <= pos && !fake->has_no_waits)
        if (pthread_cond_timedwait(&fake->changed, &fake->lock, &deadline)) break;
    bool is_there = position_of(fake->count) > pos;
    unlock(fake);
    return is_there;
}

static void fake_end_waits(struct journal *journal)
{
    struct fake_journal *fake = fake_of(journal);
    lock(fake);
    fake->has_no_waits = true;
    pthread_cond_broadcast(&fake->changed);
    unlock(fake);
}

static Status fake_refresh(struct journal *journal, Err *err)
{
    (void)journal, (void)err;
    return OK;
}

/* ---- Reading ---- */

static Status fake_reader_open(struct journal *journal, JournalPos from, struct journal_reader **ret, Err *err)
{
    struct fake_journal *fake = fake_of(journal);
    Status s = OK;
    lock(fake);
    size_t at = find(fake, from);
    if (from == JOURNAL_OLDEST) at = fake->first;
    else if (position_of(at) != from) s = err_set(err, ERR_NOT_FOUND, "no record begins there");
    unlock(fake);
    if (s) return s;
    struct fake_reader *reader = calloc(1, sizeof *reader);
    check(reader);
    reader->base.journal = journal;
    reader->base.records = reader->batch;
    reader->at = at;
    *ret = &reader->base;
    return OK;
}

static void fake_reader_close(struct journal_reader *reader) { free(reader_of(reader)); }

static Status fake_read(struct journal_reader *base, Err *err)
{
    struct fake_reader *reader = reader_of(base);
    struct fake_journal *fake = fake_of(base->journal);
    Status s = OK;
    lock(fake);
    if (reader->at < fake->first) s = err_set(err, ERR_CONFLICT, "what stood there was retired");
    else if (reader->at == fake->count) s = err_set(err, ERR_NOT_FOUND, "nothing yet");
    else if (fake->records[reader->at].is_damaged)
        s = err_set(err, ERR_DAMAGED, "position %" PRIu64 ": damaged", journal_number(position_of(reader->at)));
    while (!s && base->count < BATCH && reader->at < fake->count && !fake->records[reader->at].is_damaged) {
        struct fake_record *record = &fake->records[reader->at];
        reader->batch[base->count++] = (JournalRecord){ position_of(reader->at), position_of(reader->at + 1),
                                                        str_of(record->bytes, record->len) };
        reader->at++;
    }
    unlock(fake);
    return s;
}

static void fake_unread(struct journal_reader *base) { reader_of(base)->at -= base->count - base->at; }

static Status fake_skip_damage(struct journal_reader *base, uint64_t *ret_skipped_bytes, Err *err)
{
    struct fake_reader *reader = reader_of(base);
    struct fake_journal *fake = fake_of(base->journal);
    (void)err;
    lock(fake);
    *ret_skipped_bytes = 0;
    if (reader->at < fake->first) reader->at = fake->first;
    for (; reader->at < fake->count && fake->records[reader->at].is_damaged; reader->at++, reader->missed++)
        *ret_skipped_bytes += STRIDE;
    unlock(fake);
    return OK;
}

static uint64_t fake_reader_missed(const struct journal_reader *base)
{
    return ((const struct fake_reader *)(const void *)base)->missed;
}

static JournalPos fake_reader_position(const struct journal_reader *base)
{
    return position_of(((const struct fake_reader *)(const void *)base)->at);
}

/* ---- Numbers ---- */

static bool fake_is_poisoned(struct journal *journal, char *text, size_t bytes)
{
    (void)journal, snprintf(text, bytes, "%s", "");
    return false;
}

static void fake_read_stats(struct journal *journal, JournalStats *ret)
{
    struct fake_journal *fake = fake_of(journal);
    lock(fake);
    *ret = fake->stats;
    ret->first = position_of(fake->first);
    ret->end = position_of(fake->count);
    ret->records_ever = fake->count;
    unlock(fake);
}

/* ---- Opening and closing ---- */

static void fake_close(struct journal *journal)
{
    struct fake_journal *fake = fake_of(journal);
    lock(fake);
    fake->is_closed = true;
    struct journal_append *group = take_pending(fake);
    unlock(fake);
    while (group) {
        struct journal_append *append = group;
        group = append->next;
        append->on_durable(append, ERR_CLOSED, JOURNAL_OLDEST);
    }
}

static const JournalBackend in_memory = {
    .name = "memory", .close = fake_close,
    .submit = fake_submit, .wait_submitted = fake_wait_submitted, .wake = fake_wake, .commit = fake_commit,
    .maintain = fake_maintain, .set_hold = fake_set_hold, .due = fake_due, .erase = fake_erase,
    .first = fake_first, .end = fake_end, .find_time = fake_find_time, .find_age = fake_find_age,
    .find_birth = fake_find_birth, .wait_durable = fake_wait_durable, .end_waits = fake_end_waits,
    .refresh = fake_refresh,
    .reader_open = fake_reader_open, .reader_close = fake_reader_close, .read = fake_read, .unread = fake_unread,
    .skip_damage = fake_skip_damage, .reader_missed = fake_reader_missed, .reader_position = fake_reader_position,
    .is_poisoned = fake_is_poisoned, .read_stats = fake_read_stats,
};

void fake_journal_init(struct fake_journal *fake, struct clock *clock)
{
    pthread_condattr_t monotonic;
    *fake = (struct fake_journal){ .base.backend = &in_memory, .clock = clock, .born_at_ms = clock_now_ms(clock) };
    fake->pending_end = &fake->pending;
    check(pthread_condattr_init(&monotonic) == 0 && pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    check(pthread_mutex_init(&fake->lock, NULL) == 0 && pthread_cond_init(&fake->changed, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
}

struct journal *fake_journal_open(struct fake_journal *fake)
{
    fake->is_closed = fake->is_woken = fake->has_no_waits = false;
    fake->hold_count = 0;
    fake->stats = (JournalStats){ 0 };
    return &fake->base;
}

void fake_journal_done(struct fake_journal *fake)
{
    for (size_t at = 0; at < fake->count; at++) free(fake->records[at].bytes);
    free(fake->records);
    pthread_cond_destroy(&fake->changed);
    pthread_mutex_destroy(&fake->lock);
}

void fake_journal_damage(struct fake_journal *fake, JournalPos pos)
{
    size_t at = find(fake, pos);
    check(at < fake->count && position_of(at) == pos);
    fake->records[at].is_damaged = true;
}
