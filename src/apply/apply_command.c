/* apply_command: what operators did, applied at its place in the journal.
 *
 * A command changes what all messages before it have made, so it is applied once, where it stands; a rebuild comes
 * to the same, since it meets the command at the same place. What commands leave behind is in the table of meta:
 *   's' Hash128           an id that is suppressed: a byte of its CommandIdKind, then the value
 *   'e' u64               an erasure under way, by the position of its command (apply_erase.c)
 *   'z'                   apply_suppress.c
 *   'w'                   the destinations' store is still to be cleared of suppressed ids
 */
#include "apply_private.h"

#include <errno.h>
#include <stdlib.h>

enum { COMMAND_ARENA_BYTES = 64 * LIMIT_RECORD_BYTES };

/* ---- The table of meta ---- */

void apply_note_change_locked(struct applier *applier, Str key, const Str *value)
{
    struct change change = { .key_len = key.len, .is_removed = !value };
    check(key.len <= sizeof change.key);
    memcpy(change.key, key.bytes, key.len);
    if (value) {
        char *copy = malloc(value->len + 1);
        check(copy);
        memcpy(copy, value->bytes, value->len);
        change.value = (Str){ copy, value->len };
    }
    if (applier->change_count == applier->change_capacity) {
        applier->change_capacity = applier->change_capacity ? applier->change_capacity * 2 : 64;
        applier->changes = realloc(applier->changes, applier->change_capacity * sizeof *applier->changes);
        check(applier->changes);
    }
    applier->changes[applier->change_count++] = change;
    atomic_store_explicit(&applier->wants_save, true, memory_order_release);
}

void apply_note_change(struct applier *applier, Str key, const Str *value)
{
    pthread_mutex_lock(&applier->lock);
    apply_note_change_locked(applier, key, value);
    pthread_mutex_unlock(&applier->lock);
}

/* Changes that come while the transaction commits wait for the next one: only those that were written are dropped. */
Status apply_save_changes(struct applier *applier, struct kv_txn *txn, Err *err)
{
    Status s = OK;
    pthread_mutex_lock(&applier->lock);
    atomic_store_explicit(&applier->wants_save, false, memory_order_relaxed);
    applier->changes_saving = applier->change_count;
    for (size_t at = 0; !s && at < applier->change_count; at++) {
        const struct change *change = &applier->changes[at];
        Str key = { change->key, change->key_len };
        s = change->is_removed ? kv_remove(txn, TABLE_META, key, err)
                               : kv_put(txn, TABLE_META, key, change->value, err);
    }
    if (!s) s = apply_save_leaks(applier, txn, err);
    pthread_mutex_unlock(&applier->lock);
    return s;
}

void apply_end_save_changes(struct applier *applier)
{
    pthread_mutex_lock(&applier->lock);
    size_t count = applier->changes_saving;
    for (size_t at = 0; at < count; at++) free((char *)(uintptr_t)applier->changes[at].value.bytes);
    applier->change_count -= count;
    if (applier->change_count)
        memmove(applier->changes, applier->changes + count, applier->change_count * sizeof *applier->changes);
    applier->changes_saving = 0;
    apply_end_save_leaks(applier);
    pthread_mutex_unlock(&applier->lock);
}

/* ---- Suppressed ids ---- */

Hash128 apply_suppressed_key(CommandIdKind kind, Str value) { return hash_128(value, (uint64_t)kind); }

static int compare_keys(Hash128 a, Hash128 b)
{
    if (a.high != b.high) return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

/* The first whose key is not smaller. */
static size_t find_suppressed(const struct applier *applier, Hash128 key)
{
    size_t low = 0, high = applier->suppressed_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_keys(applier->suppressed[middle].key, key) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

bool apply_is_suppressed(struct applier *applier, CommandIdKind kind, Str value)
{
    if (!applier->suppressed_count || !value.len) return false;
    Hash128 key = apply_suppressed_key(kind, value);
    size_t at = find_suppressed(applier, key);
    return at < applier->suppressed_count && hash_128_equal(applier->suppressed[at].key, key);
}

static bool put_suppressed(struct applier *applier, CommandIdKind kind, Str value)
{
    Hash128 key = apply_suppressed_key(kind, value);
    if (apply_is_suppressed(applier, kind, value)) return false;
    if (applier->suppressed_count == applier->suppressed_capacity) {
        applier->suppressed_capacity = applier->suppressed_capacity ? applier->suppressed_capacity * 2 : 64;
        applier->suppressed = realloc(applier->suppressed,
                                      applier->suppressed_capacity * sizeof *applier->suppressed);
        check(applier->suppressed);
    }
    char *id = malloc(value.len + 1);
    check(id);
    id[0] = (char)kind;
    memcpy(id + 1, value.bytes, value.len);
    size_t at = find_suppressed(applier, key);
    struct suppressed *place = applier->suppressed + at;
    memmove(place + 1, place, (applier->suppressed_count++ - at) * sizeof *place);
    *place = (struct suppressed){ key, { id, value.len + 1 } };
    apply_put_drop(applier, kind, value);
    return true;
}

static void want_clearing(struct applier *applier)
{
    Str yes = STR("1");
    if (!applier->options.has_destinations) return;
    pthread_mutex_lock(&applier->lock);
    if (!applier->clearing_wanted) apply_note_change_locked(applier, STR("w"), &yes);
    applier->clearing_wanted = ++applier->clearings;
    pthread_mutex_unlock(&applier->lock);
}

static void note_suppressed(struct applier *applier, CommandIdKind kind, Str value, bool is_suppressed)
{
    Hash128 hash = apply_suppressed_key(kind, value);
    char key[1 + sizeof hash] = "s";
    if (!value.len) return;
    memcpy(key + 1, &hash, sizeof hash);
    if (is_suppressed) {
        if (!put_suppressed(applier, kind, value)) return;
        apply_note_change(applier, str_of(key, sizeof key), &applier->suppressed[find_suppressed(applier, hash)].id);
        want_clearing(applier);
    } else if (apply_is_suppressed(applier, kind, value)) {
        struct suppressed *place = applier->suppressed + find_suppressed(applier, hash);
        free((char *)(uintptr_t)place->id.bytes);
        applier->suppressed_count--;
        apply_remove_drop(applier, kind, value);
        memmove(place, place + 1, (size_t)(applier->suppressed + applier->suppressed_count - place) * sizeof *place);
        apply_note_change(applier, str_of(key, sizeof key), NULL);
    }
}

Status apply_list_suppressed(struct applier *applier, Arena *arena, CommandId **ret, size_t *ret_count, Err *err)
{
    CommandId *ids = arena_try(arena, sizeof *ids, _Alignof(CommandId), applier->suppressed_count + 1);
    if (!ids) return err_set(err, ERR_TOO_LARGE, "%zu ids are suppressed", applier->suppressed_count);
    for (size_t at = 0; at < applier->suppressed_count; at++) {
        Str id = applier->suppressed[at].id;
        if (arena_left(arena) < id.len + 1) return err_set(err, ERR_TOO_LARGE, "too many ids are suppressed");
        ids[at] = (CommandId){ (CommandIdKind)id.bytes[0], arena_copy(arena, str_slice(id, 1, id.len)),
                               INT64_MIN, INT64_MAX, false };
    }
    *ret = ids;
    *ret_count = applier->suppressed_count;
    return OK;
}

/* ---- Applying ---- */

/* The command knows the message's own ids; its external ones are where they were, if it is still kept. */
static Status find_externals_of(struct applier *applier, Arena *arena, IdentityValue *values, IdentityMessage *message,
                                Err *err)
{
    const ApplyOptions *options = &applier->options;
    struct journal_reader *reader;
    JournalRecord record;
    Event event;
    if (!options->identity_rules.external_count) return OK;
    Status s = journal_reader_open(options->journal, message->position, &reader, err);
    if (s) return s == ERR_NOT_FOUND ? OK : s;
    s = journal_read(reader, &record, err);
    bool is_it = !s && record.pos == message->position && record_kind(record.bytes) == RECORD_EVENT;
    if (is_it) s = event_decode(arena_copy(arena, record.bytes), &event, err);
    journal_reader_close(reader);
    if (s || !is_it) return s == ERR_NOT_FOUND ? OK : s;
    return apply_find_externals(applier->parser, &event, options->external_fields,
                                options->identity_rules.external_count, arena, values, message, err);
}

Status apply_run_command(struct applier *applier, Str record, JournalPos pos, Err *err)
{
    JournalCommand command;
    Arena arena = region_arena(&applier->traits_region);
    Status s = command_decode(record, &arena, &command, err);
    if (s) return s;
    IdentityMessage message = {
        .message_id = command.message_id, .time_ms = command.timestamp_ms, .position = command.position,
        .is_alias = command.is_alias, .user_id = command.user_id, .anonymous_id = command.anonymous_id,
        .previous_id = command.previous_id,
    };
    IdentityValue values[IDENTITY_MESSAGE_EXTERNALS];
    if (command.kind == COMMAND_UNMERGE || command.kind == COMMAND_RESTORE)
        s = find_externals_of(applier, &arena, values, &message, err);
    if (s) return s;
    switch (command.kind) {
    case COMMAND_UNMERGE: s = identity_unmerge(applier->identity, &message, err); break;
    case COMMAND_RESTORE: s = identity_restore(applier->identity, &message, err); break;
    case COMMAND_ERASE: s = apply_begin_erasure(applier, record, pos, &command, err); break;
    case COMMAND_SUPPRESS: case COMMAND_UNSUPPRESS:
        for (size_t at = 0; at < command.id_count; at++)
            note_suppressed(applier, command.ids[at].kind, command.ids[at].value, command.kind == COMMAND_SUPPRESS);
        break;
    case COMMAND_KIND_COUNT: default: break;
    }
    return s;
}

Status apply_load_commands(struct applier *applier, struct kv_txn *txn, Err *err)
{
    struct kv_cursor *cursor;
    Str key, value;
    Status s = kv_cursor_open(txn, TABLE_META, &cursor, err);
    if (s) return s;
    s = kv_find(cursor, STR("e"), &key, &value, err);
    for (; !s && key.bytes[0] == 'e'; s = s ? s : kv_next(cursor, &key, &value, err))
        if (key.len == 9) s = apply_load_erasure(applier, kv_read_u64(key.bytes + 1), value, err);
    if (!s || s == ERR_NOT_FOUND) s = kv_find(cursor, STR("s"), &key, &value, err);
    for (; !s && key.bytes[0] == 's'; s = kv_next(cursor, &key, &value, err))
        if (value.len > 1) (void)put_suppressed(applier, (CommandIdKind)value.bytes[0], str_slice(value, 1, value.len));
    kv_cursor_close(cursor);
    if (s && s != ERR_NOT_FOUND) return s;
    s = kv_get(txn, TABLE_META, STR("w"), &value, err);
    if (!s && applier->options.has_destinations) applier->clearing_wanted = ++applier->clearings;
    return s && s != ERR_NOT_FOUND ? s : apply_load_leaks(applier, txn, err);
}

void apply_forget_commands(struct applier *applier)
{
    for (size_t at = 0; at < applier->suppressed_count; at++) free((char *)(uintptr_t)applier->suppressed[at].id.bytes);
    applier->suppressed_count = 0;
    applier->clearing_wanted = 0;
    apply_forget_erasures(applier);
    applier->changes_saving = applier->change_count;
    apply_end_save_changes(applier);
    apply_forget_drops(applier);
}

void apply_open_commands(struct applier *applier)
{
    pthread_condattr_t monotonic;
    check(pthread_condattr_init(&monotonic) == 0 && pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    check(pthread_mutex_init(&applier->lock, NULL) == 0 && pthread_cond_init(&applier->was_applied, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
}

void apply_close_commands(struct applier *applier)
{
    apply_forget_commands(applier);
    free(applier->suppressed);
    apply_close_drops(applier);
    free(applier->erasures);
    free(applier->changes);
    pthread_cond_destroy(&applier->was_applied);
    pthread_mutex_destroy(&applier->lock);
}

/* ---- Submitting ---- */

/* On its way to the disk. Whoever comes last, the one who waits or the committer, frees it. */
struct submission {
    struct journal_append append;
    pthread_mutex_t lock;
    pthread_cond_t is_over;
    Status status;
    JournalPos first;
    bool is_durable, is_abandoned;
};

static void submission_free(struct submission *submission)
{
    journal_append_done(&submission->append);
    pthread_cond_destroy(&submission->is_over);
    pthread_mutex_destroy(&submission->lock);
    free(submission);
}

static void on_durable(struct journal_append *append, Status status, JournalPos first)
{
    struct submission *submission = append->owner;
    pthread_mutex_lock(&submission->lock);
    submission->is_durable = true;
    submission->status = status;
    submission->first = first;
    bool is_abandoned = submission->is_abandoned;
    pthread_cond_signal(&submission->is_over);
    pthread_mutex_unlock(&submission->lock);
    if (is_abandoned) submission_free(submission);
}

static struct submission *submission_make(void)
{
    struct submission *submission = calloc(1, sizeof *submission);
    pthread_condattr_t monotonic;
    check(submission && pthread_mutex_init(&submission->lock, NULL) == 0);
    check(pthread_condattr_init(&monotonic) == 0 && pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    check(pthread_cond_init(&submission->is_over, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
    journal_append_init(&submission->append, LIMIT_APPEND_BYTES);
    submission->append.on_durable = on_durable;
    submission->append.owner = submission;
    return submission;
}

/* As many records as its ids need. */
static void put_records(struct journal_append *append, const JournalCommand *command)
{
    size_t from = 0;
    do {
        JournalCommand part = *command;
        size_t bytes = 0, to = from;
        while (to < command->id_count && bytes + command_id_bytes(&command->ids[to]) <= COMMAND_IDS_BYTES &&
               to - from < COMMAND_IDS_MAX)
            bytes += command_id_bytes(&command->ids[to++]);
        part.ids = command->ids + from;
        part.id_count = to - from;
        size_t begun = journal_begin_record(append);
        command_encode(&append->frames, &part);
        journal_end_record(append, begun);
        from = to;
    } while (from < command->id_count);
}

static Status check_command(const JournalCommand *command, Err *err)
{
    const Str ids[] = { command->author, command->user_id, command->anonymous_id, command->previous_id };
    for (size_t at = 0; at < countof(ids); at++)
        if (ids[at].len > LIMIT_ID_BYTES)
            return err_set(err, ERR_INPUT, "an id is longer than %d bytes", LIMIT_ID_BYTES);
    if (command->message_id.len > LIMIT_MESSAGE_ID_BYTES) return err_set(err, ERR_INPUT, "the messageId is too long");
    for (size_t at = 0; at < command->id_count; at++)
        if (command->ids[at].value.len == 0 || command->ids[at].value.len > LIMIT_ID_BYTES)
            return err_set(err, ERR_INPUT, "an id must have 1 to %d bytes", LIMIT_ID_BYTES);
    return OK;
}

static struct timespec deadline_of(int64_t at_ns)
{
    return (struct timespec){ at_ns / 1000000000, at_ns % 1000000000 };
}

static Status wait_durable(struct submission *submission, int64_t until_ns, JournalPos *ret_first, JournalPos *ret_end,
                           Err *err)
{
    struct timespec until = deadline_of(until_ns);
    pthread_mutex_lock(&submission->lock);
    while (!submission->is_durable)
        if (pthread_cond_timedwait(&submission->is_over, &submission->lock, &until) == ETIMEDOUT) break;
    bool is_durable = submission->is_durable;
    submission->is_abandoned = !is_durable;
    pthread_mutex_unlock(&submission->lock);
    if (!is_durable) return err_set(err, ERR_TIMEOUT, "the command is not on disk yet; it may still come into force");
    Status s = submission->status;
    *ret_first = submission->first;
    *ret_end = submission->first + submission->append.frames.len;
    submission_free(submission);
    return s ? err_set(err, s, "the command could not be written to the journal") : OK;
}

Status apply_submit(struct applier *applier, const JournalCommand *command, Millis timeout_ms, JournalPos *ret_pos,
                    Err *err)
{
    JournalPos end = 0;
    struct clock *clock = applier->options.clock;
    check(clock);
    Status s = check_command(command, err);
    if (s) return s;
    int64_t until_ns = clock_monotonic_ns(clock) + timeout_ms * 1000000;
    struct submission *submission = submission_make();
    put_records(&submission->append, command);
    s = journal_submit(applier->options.journal, &submission->append, err);
    if (s) {
        submission_free(submission);
        return s;
    }
    if (applier->options.wake_committer) applier->options.wake_committer(applier->options.wake_context);
    s = wait_durable(submission, until_ns, ret_pos, &end, err);
    if (s) return s;
    struct timespec until = deadline_of(until_ns);
    pthread_mutex_lock(&applier->lock);
    applier->waiting_count++;
    while (atomic_load_explicit(&applier->applied, memory_order_acquire) < end && !s)
        if (pthread_cond_timedwait(&applier->was_applied, &applier->lock, &until) == ETIMEDOUT)
            s = err_set(err, ERR_TIMEOUT, "the command is on disk and will come into force when it is applied");
    applier->waiting_count--;
    pthread_mutex_unlock(&applier->lock);
    return s;
}

void apply_tell_applied(struct applier *applier)
{
    pthread_mutex_lock(&applier->lock);
    if (applier->waiting_count) pthread_cond_broadcast(&applier->was_applied);
    pthread_mutex_unlock(&applier->lock);
}

/* ---- What a command is made of ---- */

Status apply_find_evidence(struct applier *applier, JournalPos pos, Arena *arena, JournalCommand *ret, Err *err)
{
    struct journal_reader *reader;
    JournalRecord record;
    Event event;
    Status s = journal_reader_open(applier->options.journal, pos, &reader, err);
    if (s == ERR_NOT_FOUND) return err_set(err, s, "no message is kept at position %llu", (unsigned long long)pos);
    if (s) return s;
    s = journal_read(reader, &record, err);
    if (!s && (record.pos != pos || record_kind(record.bytes) != RECORD_EVENT))
        s = err_set(err, ERR_NOT_FOUND, "there is no message at position %llu", (unsigned long long)pos);
    if (!s) s = event_decode(arena_copy(arena, record.bytes), &event, err);
    journal_reader_close(reader);
    if (s) return s;
    ret->position = pos;
    ret->message_id = event.message_id;
    ret->user_id = event.user_id;
    ret->anonymous_id = event.anonymous_id;
    ret->previous_id = event.previous_id;
    ret->timestamp_ms = event.timestamp_ms;
    ret->is_alias = event.type == EVENT_ALIAS;
    return OK;
}
