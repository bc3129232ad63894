/* control_suppress: suppressed ids as other threads ask for them, and messages that came all the same.
 *
 * Collection asks for every message, from every thread, so what it asks is a table without locks, which one thread
 * writes, the one that carries commands out: open addressing by the hash of kind and value. A slot is taken for good:
 * an id that is taken back leaves a mark. Where half is taken, a larger table is made; the old ones stay until the end,
 * since a reader may be in one: as much again, at most, and some bytes an id that was taken back.
 *
 * What comes past collection (it was on its way at that moment, or an import wrote it while no server ran) is left out
 * in its turn. Its place is noted then, in memory and in the table of control.c, and when that is saved, maintenance
 * erases the record:
 *   'z'                   positions of such records, u64 each, ascending
 */
#include "control_private.h"

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
    Hash128 key = control_suppressed_key(kind, value);
    key.high |= SLOT_TAKEN_BIT;
    return key;
}

static bool drops(const struct drop_table *table, CommandIdKind kind, Str value)
{
    return value.len && has_key(table, key_of(kind, value));
}

bool control_drops(struct control *control, EventType type, Str user_id, Str anonymous_id, Str previous_id)
{
    const struct drop_table *table = atomic_load_explicit(&control->drop_table, memory_order_acquire);
    if (!table) return false;
    return drops(table, COMMAND_USER_ID, user_id) || drops(table, COMMAND_ANONYMOUS_ID, anonymous_id)
        || (type == EVENT_ALIAS && (drops(table, COMMAND_USER_ID, previous_id)
                                    || drops(table, COMMAND_ANONYMOUS_ID, previous_id)));
}

bool control_is_suppressed_event(struct control *control, const Event *event)
{
    return control_drops(control, event->type, event->user_id, event->anonymous_id, event->previous_id);
}

static bool drops_external(const void *context, Str external) { return drops(context, COMMAND_EXTERNAL_ID, external); }

bool control_drops_some_external(struct control *control)
{
    return atomic_load_explicit(&control->external_drops, memory_order_acquire) > 0;
}

bool control_drops_carrier(struct control *control, struct event_parser *parser, Str json, Arena arena)
{
    const struct drop_table *table = atomic_load_explicit(&control->drop_table, memory_order_acquire);
    bool carries;
    if (!table || !control_drops_some_external(control)) return false;
    return people_carries(parser, json, &control->options.rules, arena, drops_external, table, &carries, NULL) == OK
        && carries;
}

/* ---- Changing: by who follows the journal ---- */

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

void control_put_drop(struct control *control, CommandIdKind kind, Str value)
{
    struct drop_table *table = atomic_load_explicit(&control->drop_table, memory_order_relaxed);
    if (table && has_key(table, key_of(kind, value))) return;
    if (!table || 2 * (table->used + 1) > table->capacity) {
        table = make_table(table);
        table->older = control->all_drop_tables;
        control->all_drop_tables = table;
    }
    put_key(table, key_of(kind, value));
    atomic_store_explicit(&control->drop_table, table, memory_order_release);
    if (kind == COMMAND_EXTERNAL_ID) atomic_fetch_add_explicit(&control->external_drops, 1, memory_order_release);
}

void control_remove_drop(struct control *control, CommandIdKind kind, Str value)
{
    struct drop_table *table = atomic_load_explicit(&control->drop_table, memory_order_relaxed);
    Hash128 key = key_of(kind, value);
    if (!table || !has_key(table, key)) return;
    size_t mask = table->capacity - 1, at = key.low & mask;
    while (atomic_load_explicit(&table->slots[at].high, memory_order_relaxed) != key.high
           || atomic_load_explicit(&table->slots[at].low, memory_order_relaxed) != key.low) at = (at + 1) & mask;
    atomic_store_explicit(&table->slots[at].high, SLOT_GONE, memory_order_release);
    table->live--;
    if (kind == COMMAND_EXTERNAL_ID) atomic_fetch_sub_explicit(&control->external_drops, 1, memory_order_release);
}

void control_forget_drops(struct control *control)
{
    atomic_store_explicit(&control->drop_table, NULL, memory_order_release);
    atomic_store_explicit(&control->external_drops, 0, memory_order_release);
    control->leak_count = 0;
    control->leaks_version = control->leaks_saving = control->leaks_saved = 0;
}

void control_close_drops(struct control *control)
{
    for (struct drop_table *table = control->all_drop_tables, *older; table; table = older) {
        older = table->older;
        free(table);
    }
    free(control->leaks);
}

/* ---- What came all the same ---- */

static void add_leak(struct control *control, JournalPos pos)
{
    check(vector_reserve(control->leaks, control->leak_capacity, control->leak_count + 1, UINT32_MAX));
    control->leaks[control->leak_count++] = pos;
}

void control_note_leak(struct control *control, JournalPos pos)
{
    pthread_mutex_lock(&control->lock);
    if (!control->leak_count || control->leaks[control->leak_count - 1] < pos) add_leak(control, pos);
    control->leaks_version++;
    pthread_mutex_unlock(&control->lock);
    atomic_store_explicit(&control->wants_save, true, memory_order_release);
}

/* Under the lock, both: what is noted meanwhile waits for the next save. */
Status control_save_leaks(struct control *control, struct kv_txn *txn, Err *err)
{
    control->leaks_saving = control->leaks_version;
    if (control->leaks_saving == control->leaks_saved) return OK;
    if (!control->leak_count) return kv_remove(txn, control->options.table, STR("z"), err);
    Str positions = str_of(control->leaks, control->leak_count * sizeof *control->leaks);
    return kv_put(txn, control->options.table, STR("z"), positions, err);
}

void control_end_save_leaks(struct control *control) { control->leaks_saved = control->leaks_saving; }

Status control_load_leaks(struct control *control, struct kv_txn *txn, Err *err)
{
    Str value;
    Status s = kv_get(txn, control->options.table, STR("z"), &value, err);
    for (size_t at = 0; !s && at + sizeof(JournalPos) <= value.len; at += sizeof(JournalPos)) {
        JournalPos pos;
        memcpy(&pos, value.bytes + at, sizeof pos);
        add_leak(control, pos);
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

static struct leaks take_leaks(struct control *control)
{
    struct leaks leaks = { NULL, 0 };
    JournalPos saved = atomic_load(&control->saved);
    pthread_mutex_lock(&control->lock);
    while (leaks.count < control->leak_count && control->leaks[leaks.count] < saved) leaks.count++;
    if (leaks.count) {
        leaks.positions = malloc(leaks.count * sizeof *leaks.positions);
        check(leaks.positions);
        memcpy(leaks.positions, control->leaks, leaks.count * sizeof *leaks.positions);
    }
    pthread_mutex_unlock(&control->lock);
    return leaks;
}

Status control_step_leaks(struct control *control, Err *err)
{
    struct leaks leaks = take_leaks(control);
    uint64_t erased;
    if (!leaks.count) return OK;
    JournalPos from = leaks.positions[0], to = journal_after(leaks.positions[leaks.count - 1]);
    JournalErase erase = { .from = from, .to = to, .should_erase = is_leak, .context = &leaks,
                           .erased_first_byte = ERASED_FIRST_BYTE };
    Status s = journal_erase(control->options.journal, &erase, &erased, err);
    free(leaks.positions);
    if (s == ERR_DAMAGED) {                                   /* it cannot be read: told, and not tried for ever */
        if (err) control->options.passed(control->options.context, err->text, 0);
        s = OK;
    }
    if (s) return err_wrap(err, s, "erasing what came of suppressed ids");
    pthread_mutex_lock(&control->lock);
    control->leak_count -= leaks.count;
    memmove(control->leaks, control->leaks + leaks.count, control->leak_count * sizeof *control->leaks);
    control->leaks_version++;
    pthread_mutex_unlock(&control->lock);
    atomic_store_explicit(&control->wants_save, true, memory_order_release);
    return OK;
}
