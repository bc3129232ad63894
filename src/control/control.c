/* control: the door; it carries commands out, and keeps what has to last in a table of the keyed store:
 *   's' Hash128           an id that is suppressed: a byte of its CommandIdKind, then the value
 *   'e' u64, 'a' u64      an erasure under way, by the position of its command (control_erase.c)
 *   'u' u64 u64           a place that an erasure could not look into (control_unread.c)
 *   'z'                   positions of late messages (control_suppress.c)
 *   'a'                   how far suppressions were said again (control_again.c)
 *   'w'                   suppressed ids have still to be removed from the destinations' store
 */
#include "control_private.h"

#include <stdlib.h>

enum { COMMAND_BYTES = 32 * LIMIT_RECORD_BYTES };         /* of one command, decoded */

int control_compare_nodes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

int control_compare_positions(const void *a, const void *b)
{
    JournalPos x = *(const JournalPos *)a, y = *(const JournalPos *)b;
    return x < y ? -1 : x > y;
}

/* ---- Rows ---- */

void control_note_change_locked(struct control *control, Str key, const Str *value)
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
    check(vector_reserve(control->changes, control->change_capacity, control->change_count + 1, UINT32_MAX));
    control->changes[control->change_count++] = change;
    atomic_store_explicit(&control->wants_save, true, memory_order_release);
}

void control_note_change(struct control *control, Str key, const Str *value)
{
    pthread_mutex_lock(&control->lock);
    control_note_change_locked(control, key, value);
    pthread_mutex_unlock(&control->lock);
}

/* Changes that come while the transaction commits wait for the next one: control_end_save drops only those that were
 * written. */
Status control_save(struct control *control, struct kv_txn *txn, Err *err)
{
    Status s = OK;
    /* Identity has already forgotten some ids. A start from such a state would not find what is still to be erased
     * elsewhere. */
    if (control->half) return err_set(err, ERR_CONFLICT, "the erasure at %llu is half done: nothing is saved until "
                                      "it is whole", (unsigned long long)control->half->pos);
    pthread_mutex_lock(&control->lock);
    atomic_store_explicit(&control->wants_save, false, memory_order_relaxed);
    control->changes_saving = control->change_count;
    for (size_t at = 0; !s && at < control->change_count; at++) {
        const struct change *change = &control->changes[at];
        Str key = { change->key, change->key_len };
        s = change->is_removed ? kv_remove(txn, control->options.table, key, err)
                               : kv_put(txn, control->options.table, key, change->value, err);
    }
    if (!s) s = control_save_late(control, txn, err);
    pthread_mutex_unlock(&control->lock);
    return s;
}

static void drop_saved(struct control *control)
{
    pthread_mutex_lock(&control->lock);
    size_t count = control->changes_saving;
    for (size_t at = 0; at < count; at++) free((char *)(uintptr_t)control->changes[at].value.bytes);
    control->change_count -= count;
    if (control->change_count)
        memmove(control->changes, control->changes + count, control->change_count * sizeof *control->changes);
    control->changes_saving = 0;
    control_end_save_late(control);
    pthread_mutex_unlock(&control->lock);
}

void control_end_save(struct control *control, JournalPos saved)
{
    drop_saved(control);
    atomic_store(&control->saved, saved);
}

bool control_wants_save(const struct control *control)
{
    return atomic_load_explicit(&control->wants_save, memory_order_acquire);
}

void control_ask_save(struct control *control)
{
    atomic_store_explicit(&control->wants_save, true, memory_order_release);
}

/* ---- Suppressed ids ---- */

Hash128 control_suppressed_key(CommandIdKind kind, Str value) { return hash_128(value, (uint64_t)kind); }

static int compare_keys(Hash128 a, Hash128 b)
{
    if (a.high != b.high) return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

size_t control_find_suppressed(const struct control *control, Hash128 key)
{
    size_t low = 0, high = control->suppressed_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_keys(control->suppressed[middle].key, key) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

bool control_is_suppressed(struct control *control, CommandIdKind kind, Str value)
{
    if (!control->suppressed_count || !value.len) return false;
    Hash128 key = control_suppressed_key(kind, value);
    size_t at = control_find_suppressed(control, key);
    return at < control->suppressed_count && hash_128_equal(control->suppressed[at].key, key);
}

static bool put_suppressed(struct control *control, CommandIdKind kind, Str value)
{
    Hash128 key = control_suppressed_key(kind, value);
    if (control_is_suppressed(control, kind, value)) return false;
    check(vector_reserve(control->suppressed, control->suppressed_capacity, control->suppressed_count + 1, UINT32_MAX));
    char *id = malloc(value.len + 1);
    check(id);
    id[0] = (char)kind;
    memcpy(id + 1, value.bytes, value.len);
    size_t at = control_find_suppressed(control, key);
    struct suppressed *place = control->suppressed + at;
    memmove(place + 1, place, (control->suppressed_count++ - at) * sizeof *place);
    *place = (struct suppressed){ key, { id, value.len + 1 } };
    control_add_suppressed(control, kind, value);
    return true;
}

static void want_clearing(struct control *control)
{
    Str yes = STR("1");
    if (!control->options.has_destinations) return;
    pthread_mutex_lock(&control->lock);
    if (!control->clearing_wanted) control_note_change_locked(control, STR("w"), &yes);
    control->clearing_wanted = ++control->clearings;
    pthread_mutex_unlock(&control->lock);
}

static void note_suppressed(struct control *control, CommandIdKind kind, Str value, bool is_suppressed)
{
    Hash128 hash = control_suppressed_key(kind, value);
    char key[1 + sizeof hash] = "s";
    if (!value.len) return;
    memcpy(key + 1, &hash, sizeof hash);
    if (is_suppressed) {
        if (!put_suppressed(control, kind, value)) return;
        size_t at = control_find_suppressed(control, hash);
        control_note_change(control, str_of(key, sizeof key), &control->suppressed[at].id);
        want_clearing(control);
    } else if (control_is_suppressed(control, kind, value)) {
        struct suppressed *place = control->suppressed + control_find_suppressed(control, hash);
        free((char *)(uintptr_t)place->id.bytes);
        control->suppressed_count--;
        control_remove_suppressed(control, kind, value);
        memmove(place, place + 1, (size_t)(control->suppressed + control->suppressed_count - place) * sizeof *place);
        control_note_change(control, str_of(key, sizeof key), NULL);
    }
}

Status control_list_suppressed(struct control *control, Arena *arena, CommandId **ret, size_t *ret_count, Err *err)
{
    CommandId *ids = arena_try(arena, sizeof *ids, _Alignof(CommandId), control->suppressed_count + 1);
    if (!ids) return err_set(err, ERR_TOO_LARGE, "%zu ids are suppressed", control->suppressed_count);
    for (size_t at = 0; at < control->suppressed_count; at++) {
        Str id = control->suppressed[at].id;
        if (arena_left(arena) < id.len + 1) return err_set(err, ERR_TOO_LARGE, "too many ids are suppressed");
        ids[at] = (CommandId){ (CommandIdKind)id.bytes[0], arena_copy(arena, str_slice(id, 1, id.len)),
                               INT64_MIN, INT64_MAX, false };
    }
    *ret = ids;
    *ret_count = control->suppressed_count;
    return OK;
}

/* ---- Carrying out ---- */

/* The command has the message's own ids. Its external ids are only in the message, if the journal still has that. */
static Status find_externals_of(struct control *control, JournalPos pos, Arena *arena, PeopleExternals *ret, Err *err)
{
    const ControlOptions *options = &control->options;
    struct journal_reader *reader;
    JournalRecord record;
    Event event;
    ret->count = 0;
    if (!options->rules.identity.external_count) return OK;
    Status s = journal_read_at(options->journal, pos, &reader, &record, err);
    bool is_it = !s && record_kind(record.bytes) == RECORD_EVENT;
    if (is_it) s = event_decode(arena_copy(arena, record.bytes), &event, err);
    journal_reader_close(reader);
    bool is_gone = s == ERR_NOT_FOUND || s == ERR_DAMAGED || s == ERR_UNSUPPORTED;
    if (s || !is_it) return is_gone ? OK : s;
    return people_find_externals(control->parser, event.json, &options->rules, arena, ret, err);
}

Status control_run(struct control *control, Str record, JournalPos pos, Err *err)
{
    JournalCommand command;
    Arena arena = region_arena(&control->region);
    Status s = command_decode(record, &arena, &command, err);
    if (s) return s;
    IdentityMessage message = {
        .message_id = command.message_id, .time_ms = command.timestamp_ms, .position = command.position,
        .is_alias = command.is_alias, .user_id = command.user_id, .anonymous_id = command.anonymous_id,
        .previous_id = command.previous_id,
        .source = command.has_source ? identity_source(command.source) : IDENTITY_ANY_SOURCE,
    };
    PeopleExternals found = { .count = 0 };
    if (command.kind == COMMAND_UNMERGE || command.kind == COMMAND_RESTORE)
        s = find_externals_of(control, command.position, &arena, &found, err);
    if (s) return s;
    message.externals = found.items;
    message.external_count = found.count;
    switch (command.kind) {
    case COMMAND_UNMERGE: s = identity_unmerge(control->stores.identity, &message, err); break;
    case COMMAND_RESTORE: s = identity_restore(control->stores.identity, &message, err); break;
    case COMMAND_ERASE: s = control_begin_erasure(control, record, pos, &command, err); break;
    case COMMAND_SUPPRESS: case COMMAND_UNSUPPRESS:
        if (command.kind == COMMAND_SUPPRESS && !control->suppressed_count) control_note_said(control, pos, pos);
        for (size_t at = 0; at < command.id_count; at++)
            note_suppressed(control, command.ids[at].kind, command.ids[at].value, command.kind == COMMAND_SUPPRESS);
        break;
    case COMMAND_KIND_COUNT: default: break;
    }
    return s;
}

static bool has_erasures(struct control *control)
{
    pthread_mutex_lock(&control->lock);
    bool has = control->erasure_count > 0;
    pthread_mutex_unlock(&control->lock);
    return has;
}

Status control_maintain(struct control *control, bool *ret_more, Err *err)
{
    *ret_more = false;
    if (has_erasures(control)) {
        Status s = control_step_erasure(control, ret_more, err);
        if (s || *ret_more) return s;
    }
    return control_step_late(control, err);
}

/* ---- Opening and closing ---- */

Status control_load(struct control *control, struct kv_txn *txn, JournalPos saved, Err *err)
{
    struct kv_cursor *cursor;
    Str key, value;
    atomic_store(&control->saved, saved);
    Status s = kv_cursor_open(txn, control->options.table, &cursor, err);
    if (s) return s;
    s = kv_find(cursor, STR("e"), &key, &value, err);
    for (; !s && key.bytes[0] == 'e'; s = s ? s : kv_next(cursor, &key, &value, err))
        if (key.len == 9) s = control_load_erasure(control, kv_read_u64(key.bytes + 1), value, err);
    if (!s || s == ERR_NOT_FOUND) s = kv_find(cursor, STR("s"), &key, &value, err);
    for (; !s && key.bytes[0] == 's'; s = kv_next(cursor, &key, &value, err))
        if (value.len > 1) (void)put_suppressed(control, (CommandIdKind)value.bytes[0], str_slice(value, 1, value.len));
    kv_cursor_close(cursor);
    if (s && s != ERR_NOT_FOUND) return s;
    s = control_load_aliases(control, txn, err);
    if (s) return s;
    s = kv_get(txn, control->options.table, STR("w"), &value, err);
    if (!s && control->options.has_destinations) control->clearing_wanted = ++control->clearings;
    if (s && s != ERR_NOT_FOUND) return s;
    s = control_load_unread(control, txn, err);
    if (!s) s = control_load_said(control, txn, err);
    return s ? s : control_load_late(control, txn, err);
}

void control_forget(struct control *control)
{
    for (size_t at = 0; at < control->suppressed_count; at++) free((char *)(uintptr_t)control->suppressed[at].id.bytes);
    control->suppressed_count = 0;
    control->clearing_wanted = 0;
    control_forget_erasures(control);
    control->unread_count = 0;
    control_leave_again(control);
    control->said = control->said_end = JOURNAL_OLDEST;
    control->changes_saving = control->change_count;
    drop_saved(control);
    control_forget_suppressed(control);
    atomic_store(&control->saved, 0);
    control->stores = (ControlStores){ 0 };
}

struct control *control_open(const ControlOptions *options)
{
    struct control *control = calloc(1, sizeof *control);
    check(control && pthread_mutex_init(&control->lock, NULL) == 0);
    control->options = *options;
    atomic_store(&control->commands_until, UINT64_MAX);
    control->parser = event_parser_open();
    check(control->parser);
    region_open(&control->region, COMMAND_BYTES);
    control->orders = control_open_orders(options->journal);
    return control;
}

void control_use(struct control *control, const ControlStores *stores) { control->stores = *stores; }

void control_close(struct control *control)
{
    if (!control) return;
    control_forget(control);
    free(control->suppressed);
    control_close_suppressed(control);
    free(control->erasures);
    free(control->unread);
    free(control->changes);
    event_parser_close(control->parser);
    region_close(&control->region);
    control_close_orders(control->orders);
    pthread_mutex_destroy(&control->lock);
    free(control);
}
