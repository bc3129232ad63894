/* apply: the corridor is apply_record; everything else is opening, batching and remembering how far it is.
 *
 * Records are taken in small groups, so that the fingerprints of the whole group are on their way from
 * memory before the first is asked about. */
#include "apply.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "dedup.h"

enum {
    GROUP_RECORDS = 64,
    STEP_GROUPS = 64,                       /* 4,096 records at one step: some milliseconds */
    GROUP_BYTES = GROUP_RECORDS * LIMIT_RECORD_BYTES,
    PATH_BYTES = 4096,
};

/* A record that waits for its turn in the group. */
struct waiting {
    Event event;
    Hash128 fingerprint;
    JournalPos pos, next;
    bool is_event;
    bool is_judged;                         /* dedup has it already: a later station failed, and it is tried again */
};

struct applier {
    ApplyOptions options;
    char dedup_dir[PATH_BYTES], index_dir[PATH_BYTES];
    struct dedup *dedup;
    struct identity *identity;
    struct index *index;
    struct journal_reader *reader;
    struct region region;
    struct waiting group[GROUP_RECORDS];
    size_t group_count, group_at;           /* decoded, and applied so far */
    JournalPos *repeats;                    /* positions of duplicates, ascending; under the guard */
    size_t repeat_count, repeat_capacity;
    pthread_rwlock_t guard;
    _Atomic uint64_t records, events, duplicates, rejected, blocked;
    _Atomic JournalPos applied;
    _Atomic bool is_caught_up;
};

/* ---- Opening ---- */

/* What identity asks for where instants tie between two owners: the messageId of a record applied before.
 * Seldom enough for a reader of its own. */
static Status read_message_id(void *context, uint64_t position, char text[LIMIT_MESSAGE_ID_BYTES], size_t *ret_len,
                              Err *err)
{
    struct applier *applier = context;
    struct journal_reader *reader;
    JournalRecord record;
    Event event;
    *ret_len = 0;
    Status s = journal_reader_open(applier->options.journal, position, &reader, err);
    if (s == ERR_NOT_FOUND) return OK;                       /* retired */
    if (s) return s;
    s = journal_read(reader, &record, err);
    if (!s && record.pos == position && record_kind(record.bytes) == RECORD_EVENT) {
        s = event_decode(record.bytes, &event, err);
        if (!s && event.message_id.len <= LIMIT_MESSAGE_ID_BYTES) {
            *ret_len = event.message_id.len;
            memcpy(text, event.message_id.bytes, event.message_id.len);
        }
    }
    journal_reader_close(reader);
    return s;
}

/* ---- Beginning anew ---- */

static Status empty_dir(struct disk *disk, const char *dir, Err *err)
{
    struct region region;
    DiskEntry *entries;
    size_t count = 0;
    region_open(&region, 64 * 1024 * 1024);
    Arena arena = region_arena(&region);
    Status s = disk->make_dir(disk, dir, err);
    if (!s) s = disk->list(disk, dir, &arena, &entries, &count, err);
    for (size_t at = 0; !s && at < count; at++) {
        Str path = arena_printf(&arena, "%s/%.*s", dir, STR_FORMAT(entries[at].name));
        s = disk->remove(disk, path.bytes, err);
    }
    if (!s) s = disk->sync_dir(disk, dir, err);
    region_close(&region);
    return s;
}

/* Identity lives in memory and is made anew from the journal at every start, so its node numbers are those of
 * the journal as it is now. Dedup is made anew with it, which keeps every judgement what it was. The index is
 * kept, unless retention has taken the journal's beginning since: then its subjects mean other nodes, and it
 * is made anew as well. BASE says which beginning it was made from. */
static Status begin_anew(struct applier *applier, Err *err)
{
    const ApplyOptions *options = &applier->options;
    char path[PATH_BYTES + 8], text[64];
    struct region region;
    Str before;
    int len = snprintf(text, sizeof text, "%llu\n", (unsigned long long)journal_first(options->journal));
    Str base = str_of(text, (size_t)len);
    snprintf(path, sizeof path, "%s/BASE", options->dir);
    region_open(&region, 4096);
    Arena arena = region_arena(&region);
    Status s = disk_read_file(options->disk, path, 64, &arena, &before, err);
    bool is_same = !s && str_equal(before, base);
    region_close(&region);
    if (s && s != ERR_NOT_FOUND) return s;
    s = empty_dir(options->disk, applier->dedup_dir, err);
    if (s || is_same) return s;
    s = empty_dir(options->disk, applier->index_dir, err);
    return s ? s : disk_write_file(options->disk, path, base, err);
}

static Status open_stores(struct applier *applier, Err *err)
{
    const ApplyOptions *options = &applier->options;
    snprintf(applier->dedup_dir, PATH_BYTES, "%s/dedup", options->dir);
    snprintf(applier->index_dir, PATH_BYTES, "%s/index", options->dir);
    DedupOptions dedup = { .dir = applier->dedup_dir, .disk = options->disk, .dice = options->dice,
                           .window_ms = options->dedup_window_ms, .table_entries = options->dedup_table_entries };
    IdentityOptions identity = { .rules = options->identity_rules, .seed = dice_u64(options->dice),
                                 .archive = { applier, read_message_id } };
    IndexOptions index = { .dir = applier->index_dir, .disk = options->disk,
                           .chunk_rows = options->index_chunk_rows, .seal_rows = options->index_seal_rows };
    Status s = options->disk->make_dir(options->disk, options->dir, err);
    if (!s) s = begin_anew(applier, err);
    if (!s) s = dedup_open(&dedup, &applier->dedup, err);
    if (!s) s = identity_open(&identity, &applier->identity, err);
    if (!s) s = index_open(&index, &applier->index, err);
    return s;
}

Status apply_open(const ApplyOptions *options, struct applier **ret, Err *err)
{
    struct applier *applier = calloc(1, sizeof *applier);
    if (!applier) return err_set(err, ERR_IO, "apply: no memory");
    applier->options = *options;
    pthread_rwlockattr_t attributes;
    check(pthread_rwlockattr_init(&attributes) == 0);
    check(pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0);
    check(pthread_rwlock_init(&applier->guard, &attributes) == 0);
    pthread_rwlockattr_destroy(&attributes);
    region_open(&applier->region, GROUP_BYTES);
    Status s = open_stores(applier, err);
    if (!s) s = journal_reader_open(options->journal, 0, &applier->reader, err);
    if (s) {
        apply_close(applier);
        return err_wrap(err, s, "derived state in %s", options->dir);
    }
    *ret = applier;
    return OK;
}

void apply_close(struct applier *applier)
{
    if (!applier) return;
    if (applier->index) IGNORE(index_seal(applier->index, NULL));         /* saves the next start some work */
    journal_reader_close(applier->reader);
    index_close(applier->index);
    identity_close(applier->identity);
    dedup_close(applier->dedup);
    region_close(&applier->region);
    pthread_rwlock_destroy(&applier->guard);
    free(applier->repeats);
    free(applier);
}

/* ---- Duplicates ---- */

enum { REPEATS_MOST = 1 << 20 };

static void note_repeat(struct applier *applier, JournalPos pos)
{
    if (applier->repeat_count == REPEATS_MOST) {             /* who lags so far behind has other worries */
        applier->repeat_count /= 2;
        memmove(applier->repeats, applier->repeats + applier->repeat_count,
                applier->repeat_count * sizeof *applier->repeats);
    }
    if (applier->repeat_count == applier->repeat_capacity) {
        applier->repeat_capacity = applier->repeat_capacity ? applier->repeat_capacity * 2 : 256;
        applier->repeats = realloc(applier->repeats, applier->repeat_capacity * sizeof *applier->repeats);
        check(applier->repeats);
    }
    applier->repeats[applier->repeat_count++] = pos;
}

bool apply_is_duplicate(struct applier *applier, JournalPos pos)
{
    size_t low = 0, high = applier->repeat_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (applier->repeats[middle] < pos) low = middle + 1;
        else high = middle;
    }
    return low < applier->repeat_count && applier->repeats[low] == pos;
}

/* ---- The corridor ---- */

static IdentityMessage identity_message(const struct waiting *waiting)
{
    const Event *event = &waiting->event;
    return (IdentityMessage){
        .message_id = event->message_id,
        .time_ms = event->timestamp_ms,
        .position = waiting->pos,
        .is_alias = event->type == EVENT_ALIAS,
        .user_id = event->user_id,
        .anonymous_id = event->anonymous_id,
        .previous_id = event->previous_id,
    };
}

/* One record through all stations. */
static Status apply_record(struct applier *applier, struct waiting *waiting, Err *err)
{
    const Event *event = &waiting->event;
    if (!waiting->is_event) return OK;
    if (!waiting->is_judged &&
        !dedup_add(applier->dedup, waiting->fingerprint, event->received_at_ms, waiting->pos)) {
        atomic_fetch_add_explicit(&applier->duplicates, 1, memory_order_relaxed);
        note_repeat(applier, waiting->pos);
        return OK;
    }
    waiting->is_judged = true;
    IdentityMessage message = identity_message(waiting);
    IdentityNode subject;
    Status s = identity_apply(applier->identity, &message, &subject, err);
    if (!s) s = index_append(applier->index, subject, event, waiting->pos, waiting->next, err);
    if (s) return err_wrap(err, s, "applying the record at %llu", (unsigned long long)waiting->pos);
    if (subject == IDENTITY_NONE) atomic_fetch_add_explicit(&applier->blocked, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&applier->events, 1, memory_order_relaxed);
    return OK;
}

/* ---- Groups ---- */

/* Copies and decodes one record. The event borrows from the copy. */
static Status take_record(struct applier *applier, const JournalRecord *record, Arena *arena, Err *err)
{
    struct waiting *waiting = &applier->group[applier->group_count];
    *waiting = (struct waiting){ .pos = record->pos, .next = record->next };
    waiting->is_event = record_kind(record->bytes) == RECORD_EVENT;
    if (waiting->is_event) {
        Str copy = arena_copy(arena, record->bytes);
        Status s = event_decode(copy, &waiting->event, err);
        if (s) return err_wrap(err, s, "the record at %llu", (unsigned long long)record->pos);
        waiting->fingerprint = dedup_fingerprint(applier->dedup, waiting->event.source, waiting->event.message_id);
        dedup_prefetch(applier->dedup, waiting->fingerprint);
    } else if (record_kind(record->bytes) == RECORD_REJECTED) {
        atomic_fetch_add_explicit(&applier->rejected, 1, memory_order_relaxed);
    }
    applier->group_count++;
    return OK;
}

/* Reads up to a group. ERR_NOT_FOUND: there is nothing more. */
static Status fill_group(struct applier *applier, Err *err)
{
    Arena arena = region_arena(&applier->region);
    JournalRecord record;
    applier->group_count = applier->group_at = 0;
    while (applier->group_count < GROUP_RECORDS) {
        Status s = journal_read(applier->reader, &record, err);
        if (s == ERR_NOT_FOUND && applier->group_count) return OK;
        if (!s) s = take_record(applier, &record, &arena, err);
        if (s) return s;
    }
    return OK;
}

static Status apply_group(struct applier *applier, Err *err)
{
    for (; applier->group_at < applier->group_count; applier->group_at++) {
        struct waiting *waiting = &applier->group[applier->group_at];
        Status s = apply_record(applier, waiting, err);
        if (s) return s;
        atomic_store_explicit(&applier->applied, waiting->next, memory_order_release);
        atomic_fetch_add_explicit(&applier->records, 1, memory_order_relaxed);
    }
    return OK;
}

Status apply_step(struct applier *applier, bool *ret_more, Err *err)
{
    Status s = OK;
    JournalPos end = journal_end(applier->options.journal);
    *ret_more = true;
    check(pthread_rwlock_wrlock(&applier->guard) == 0);
    for (int group = 0; !s && group < STEP_GROUPS; group++) {
        if (applier->group_at == applier->group_count) s = fill_group(applier, err);
        if (!s) s = apply_group(applier, err);
    }
    identity_publish(applier->identity);
    check(pthread_rwlock_unlock(&applier->guard) == 0);
    if (s == ERR_NOT_FOUND) {
        /* Behind the last record there may be the head of a segment, which is nothing to wait for. */
        s = OK, *ret_more = false;
        if (end > atomic_load_explicit(&applier->applied, memory_order_relaxed))
            atomic_store_explicit(&applier->applied, end, memory_order_release);
    }
    atomic_store_explicit(&applier->is_caught_up, !*ret_more && !s, memory_order_release);
    bool more = false;
    if (!s) s = dedup_step(applier->dedup, index_position(applier->index),
                           atomic_load_explicit(&applier->applied, memory_order_relaxed), &more, err);
    return s;
}

bool apply_wait(struct applier *applier, Millis timeout_ms)
{
    JournalPos applied = atomic_load_explicit(&applier->applied, memory_order_acquire);
    return journal_wait_durable(applier->options.journal, applied, timeout_ms);
}

Status apply_maintain(struct applier *applier, bool *ret_more, Err *err)
{
    *ret_more = false;
    if (!index_wants_maintenance(applier->index)) return OK;
    return index_maintain(applier->index, ret_more, err);
}

/* ---- Reading ---- */

struct identity *apply_identity(struct applier *applier) { return applier->identity; }
struct index *apply_index(struct applier *applier) { return applier->index; }
People apply_people(struct applier *applier)
{
    return (People){ .identity = applier->identity, .index = applier->index, .journal = applier->options.journal };
}
void apply_begin_reading(struct applier *applier) { check(pthread_rwlock_rdlock(&applier->guard) == 0); }
void apply_end_reading(struct applier *applier) { check(pthread_rwlock_unlock(&applier->guard) == 0); }

void apply_read_stats(struct applier *applier, ApplyStats *ret)
{
    *ret = (ApplyStats){
        .applied = atomic_load_explicit(&applier->applied, memory_order_acquire),
        .durable = journal_end(applier->options.journal),
        .records = atomic_load_explicit(&applier->records, memory_order_relaxed),
        .events = atomic_load_explicit(&applier->events, memory_order_relaxed),
        .duplicates = atomic_load_explicit(&applier->duplicates, memory_order_relaxed),
        .rejected = atomic_load_explicit(&applier->rejected, memory_order_relaxed),
        .blocked = atomic_load_explicit(&applier->blocked, memory_order_relaxed),
        .is_caught_up = atomic_load_explicit(&applier->is_caught_up, memory_order_acquire),
    };
}
