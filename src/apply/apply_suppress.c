/* apply_suppress: suppressed ids as other threads ask for them, and messages that came all the same.
 *
 * Collection asks for every message, from every thread, so what it asks is a table without locks, which the applier
 * alone writes: open addressing by the hash of kind and value. A slot is taken for good: an id that is taken back
 * leaves a mark. Where half is taken, a larger table is made; the old ones stay until the end, since a reader may be in
 * one: as much again, at most, and some bytes an id that was taken back.
 *
 * What comes past collection (it was on its way at that moment, or an import wrote it while no server ran) is left out
 * as it is applied. Its place is noted then, in memory and in the table of meta, and when that is saved, maintenance
 * erases the record:
 *   'z'                   positions of such records, u64 each, ascending
 */
#include "apply_private.h"

#include <stdlib.h>

enum { TABLE_FIRST = 64, SLOT_FREE = 0, SLOT_GONE = 1, SLOT_TAKEN_BIT = 2,
       ERASED_FIRST_BYTE = EVENT_RECORD_VERSION << 4 | RECORD_ERASED };

struct drop_table {
    struct drop_table *older;
    size_t capacity, used, live;
    struct drop_slot { _Atomic uint64_t high, low; } slots[];
};

/* ---- Asking ---- */

static bool has_key(const struct drop_table *table, Hash128 key)
{
    size_t mask = table->capacity - 1;
    for (size_t at = key.low & mask;; at = (at + 1) & mask) {
        uint64_t high = atomic_load_explicit(&table->slots[at].high, memory_order_acquire);
        if (high == SLOT_FREE) return false;
        uint64_t low = atomic_load_explicit(&table->slots[at].low, memory_order_relaxed);
        if (high == key.high && low == key.low) return true;
    }
}

static Hash128 key_of(CommandIdKind kind, Str value)
{
    Hash128 key = apply_suppressed_key(kind, value);
    key.high |= SLOT_TAKEN_BIT;
    return key;
}

static bool drops(const struct drop_table *table, CommandIdKind kind, Str value)
{
    return value.len && has_key(table, key_of(kind, value));
}

bool apply_drops(struct applier *applier, EventType type, Str user_id, Str anonymous_id, Str previous_id)
{
    const struct drop_table *table = atomic_load_explicit(&applier->drop_table, memory_order_acquire);
    if (!table) return false;
    return drops(table, COMMAND_USER_ID, user_id) || drops(table, COMMAND_ANONYMOUS_ID, anonymous_id)
        || (type == EVENT_ALIAS && (drops(table, COMMAND_USER_ID, previous_id)
                                    || drops(table, COMMAND_ANONYMOUS_ID, previous_id)));
}

bool apply_is_suppressed_event(struct applier *applier, const Event *event)
{
    return apply_drops(applier, event->type, event->user_id, event->anonymous_id, event->previous_id);
}

/* ---- Changing: by the applier ---- */

static void put_key(struct drop_table *table, Hash128 key)
{
    size_t mask = table->capacity - 1, at = key.low & mask;
    while (atomic_load_explicit(&table->slots[at].high, memory_order_relaxed) != SLOT_FREE) at = (at + 1) & mask;
    atomic_store_explicit(&table->slots[at].low, key.low, memory_order_relaxed);
    atomic_store_explicit(&table->slots[at].high, key.high, memory_order_release);
    table->used++;
    table->live++;
}

static struct drop_table *make_table(struct drop_table *old)
{
    size_t capacity = TABLE_FIRST, live = old ? old->live : 0;
    while (capacity < 4 * live) capacity *= 2;
    struct drop_table *table = calloc(1, sizeof *table + capacity * sizeof(struct drop_slot));
    check(table);
    table->capacity = capacity;
    for (size_t at = 0; old && at < old->capacity; at++) {
        Hash128 key = { .low = atomic_load_explicit(&old->slots[at].low, memory_order_relaxed),
                        .high = atomic_load_explicit(&old->slots[at].high, memory_order_relaxed) };
        if (key.high != SLOT_FREE && key.high != SLOT_GONE) put_key(table, key);
    }
    return table;
}

void apply_put_drop(struct applier *applier, CommandIdKind kind, Str value)
{
    struct drop_table *table = atomic_load_explicit(&applier->drop_table, memory_order_relaxed);
    if (table && has_key(table, key_of(kind, value))) return;
    if (!table || 2 * (table->used + 1) > table->capacity) {
        table = make_table(table);
        table->older = applier->all_drop_tables;
        applier->all_drop_tables = table;
    }
    put_key(table, key_of(kind, value));
    atomic_store_explicit(&applier->drop_table, table, memory_order_release);
}

void apply_remove_drop(struct applier *applier, CommandIdKind kind, Str value)
{
    struct drop_table *table = atomic_load_explicit(&applier->drop_table, memory_order_relaxed);
    Hash128 key = key_of(kind, value);
    if (!table || !has_key(table, key)) return;
    size_t mask = table->capacity - 1, at = key.low & mask;
    while (atomic_load_explicit(&table->slots[at].high, memory_order_relaxed) != key.high
           || atomic_load_explicit(&table->slots[at].low, memory_order_relaxed) != key.low) at = (at + 1) & mask;
    atomic_store_explicit(&table->slots[at].high, SLOT_GONE, memory_order_release);
    table->live--;
}

void apply_forget_drops(struct applier *applier)
{
    atomic_store_explicit(&applier->drop_table, NULL, memory_order_release);
    applier->leak_count = 0;
    applier->leaks_version = applier->leaks_saving = applier->leaks_saved = 0;
}

void apply_close_drops(struct applier *applier)
{
    for (struct drop_table *table = applier->all_drop_tables, *older; table; table = older) {
        older = table->older;
        free(table);
    }
    free(applier->leaks);
}

/* ---- What came all the same ---- */

static void add_leak(struct applier *applier, JournalPos pos)
{
    if (applier->leak_count == applier->leak_capacity) {
        applier->leak_capacity = applier->leak_capacity ? applier->leak_capacity * 2 : 64;
        applier->leaks = realloc(applier->leaks, applier->leak_capacity * sizeof *applier->leaks);
        check(applier->leaks);
    }
    applier->leaks[applier->leak_count++] = pos;
}

void apply_note_leak(struct applier *applier, JournalPos pos)
{
    pthread_mutex_lock(&applier->lock);
    if (!applier->leak_count || applier->leaks[applier->leak_count - 1] < pos) add_leak(applier, pos);
    applier->leaks_version++;
    pthread_mutex_unlock(&applier->lock);
    atomic_store_explicit(&applier->wants_save, true, memory_order_release);
}

/* Under the lock, both: what is noted meanwhile waits for the next save. */
Status apply_save_leaks(struct applier *applier, struct kv_txn *txn, Err *err)
{
    applier->leaks_saving = applier->leaks_version;
    if (applier->leaks_saving == applier->leaks_saved) return OK;
    if (!applier->leak_count) return kv_remove(txn, TABLE_META, STR("z"), err);
    return kv_put(txn, TABLE_META, STR("z"), str_of(applier->leaks, applier->leak_count * sizeof *applier->leaks), err);
}

void apply_end_save_leaks(struct applier *applier) { applier->leaks_saved = applier->leaks_saving; }

Status apply_load_leaks(struct applier *applier, struct kv_txn *txn, Err *err)
{
    Str value;
    Status s = kv_get(txn, TABLE_META, STR("z"), &value, err);
    for (size_t at = 0; !s && at + sizeof(JournalPos) <= value.len; at += sizeof(JournalPos)) {
        JournalPos pos;
        memcpy(&pos, value.bytes + at, sizeof pos);
        add_leak(applier, pos);
    }
    return s == ERR_NOT_FOUND ? OK : s;
}

/* By maintenance: those that a start would not see again. */
struct leaks { JournalPos *positions; size_t count; };

static int compare_positions(const void *a, const void *b)
{
    JournalPos x = *(const JournalPos *)a, y = *(const JournalPos *)b;
    return x < y ? -1 : x > y;
}

static bool is_leak(void *context, Str record, JournalPos pos)
{
    const struct leaks *leaks = context;
    return record_kind(record) == RECORD_EVENT
        && bsearch(&pos, leaks->positions, leaks->count, sizeof pos, compare_positions);
}

static struct leaks take_leaks(struct applier *applier)
{
    struct leaks leaks = { NULL, 0 };
    JournalPos saved = atomic_load(&applier->saved);
    pthread_mutex_lock(&applier->lock);
    while (leaks.count < applier->leak_count && applier->leaks[leaks.count] < saved) leaks.count++;
    if (leaks.count) {
        leaks.positions = malloc(leaks.count * sizeof *leaks.positions);
        check(leaks.positions);
        memcpy(leaks.positions, applier->leaks, leaks.count * sizeof *leaks.positions);
    }
    pthread_mutex_unlock(&applier->lock);
    return leaks;
}

Status apply_step_leaks(struct applier *applier, Err *err)
{
    struct leaks leaks = take_leaks(applier);
    uint64_t erased;
    if (!leaks.count) return OK;
    JournalPos from = leaks.positions[0], to = leaks.positions[leaks.count - 1] + 1;
    Status s = journal_erase(applier->options.journal, from, to, is_leak, &leaks, ERASED_FIRST_BYTE, &erased, err);
    free(leaks.positions);
    if (s) return err_wrap(err, s, "erasing what came of suppressed ids");
    pthread_mutex_lock(&applier->lock);
    applier->leak_count -= leaks.count;
    memmove(applier->leaks, applier->leaks + leaks.count, applier->leak_count * sizeof *applier->leaks);
    applier->leaks_version++;
    pthread_mutex_unlock(&applier->lock);
    atomic_store_explicit(&applier->wants_save, true, memory_order_release);
    return OK;
}
