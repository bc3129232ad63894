/* control_suppress: the set of suppressed ids, and messages of such ids that came late.
 *
 * Collection asks for every message, from every thread, so the set has no locks. One thread writes it, the one that
 * carries commands out. It is an open-addressing table by the hash of kind and value. A slot that was taken stays
 * taken: an id that is no longer suppressed leaves a mark. When half of the slots are taken, a larger set is made. The
 * old sets stay until the program ends, because a reader may still use one. All old sets together are at most as large
 * as the newest one, plus a few bytes for each id that is no longer suppressed.
 *
 * Some messages of a suppressed id get past collection: the message was on its way at that moment, or an import wrote
 * it while no server ran. The applier leaves such a message out when it comes to it, and notes its place, in memory
 * and in the keyed store. Once that note is saved, maintenance erases the record:
 *   'z'                   positions of such records, u64 each, ascending
 */
#include "control_private.h"

#include <stdlib.h>

enum { TABLE_FIRST = 64, SLOT_FREE = 0, SLOT_GONE = 1, SLOT_TAKEN_BIT = 2,
       ERASED_FIRST_BYTE = EVENT_RECORD_VERSION << 4 | RECORD_ERASED };

struct suppressed_set {
    struct suppressed_set *older;
    size_t capacity, used, live;
    struct suppressed_slot { _Atomic uint64_t high, low; } slots[];
};

/* ---- Asking ---- */

static bool has_key(const struct suppressed_set *set, Hash128 key)
{
    size_t mask = set->capacity - 1;
    for (size_t at = key.low & mask;; at = (at + 1) & mask) {
        uint64_t high = atomic_load_explicit(&set->slots[at].high, memory_order_acquire);
        if (high == SLOT_FREE) return false;
        uint64_t low = atomic_load_explicit(&set->slots[at].low, memory_order_relaxed);
        if (high == key.high && low == key.low) return true;
    }
}

static Hash128 key_of(CommandIdKind kind, Str value)
{
    Hash128 key = control_suppressed_key(kind, value);
    key.high |= SLOT_TAKEN_BIT;
    return key;
}

static bool has(const struct suppressed_set *set, CommandIdKind kind, Str value)
{
    return value.len && has_key(set, key_of(kind, value));
}

bool control_suppresses(struct control *control, EventType type, Str user_id, Str anonymous_id, Str previous_id)
{
    const struct suppressed_set *set = atomic_load_explicit(&control->suppressed_set, memory_order_acquire);
    if (!set) return false;
    return has(set, COMMAND_USER_ID, user_id) || has(set, COMMAND_ANONYMOUS_ID, anonymous_id)
        || (type == EVENT_ALIAS && (has(set, COMMAND_USER_ID, previous_id)
                                    || has(set, COMMAND_ANONYMOUS_ID, previous_id)));
}

bool control_suppresses_some_external(struct control *control)
{
    return atomic_load_explicit(&control->external_count, memory_order_acquire) > 0;
}

bool control_suppresses_carrier(struct control *control, struct event_parser *parser, Str json, Arena arena)
{
    const struct suppressed_set *set = atomic_load_explicit(&control->suppressed_set, memory_order_acquire);
    const PeopleRules *rules = &control->options.rules;
    PeopleExternals carried;
    char text[PEOPLE_EXTERNAL_BYTES];
    if (!set || !control_suppresses_some_external(control)) return false;
    if (people_find_externals(parser, json, rules, &arena, &carried, NULL)) return false;
    for (size_t at = 0; at < carried.count; at++) {
        const IdentityExternal *kind = &rules->identity.externals[carried.items[at].kind - IDENTITY_EXTERNAL];
        if (has(set, COMMAND_EXTERNAL_ID, people_spell_external(kind, carried.items[at].value, text))) return true;
    }
    return false;
}

bool control_suppresses_message(struct control *control, struct event_parser *parser, const Event *event, Arena arena)
{
    return control_suppresses(control, event->type, event->user_id, event->anonymous_id, event->previous_id)
        || control_suppresses_carrier(control, parser, event->json, arena);
}

/* ---- Changing: only the thread that follows the journal does this ---- */

static void put_key(struct suppressed_set *set, Hash128 key)
{
    size_t mask = set->capacity - 1, at = key.low & mask;
    while (atomic_load_explicit(&set->slots[at].high, memory_order_relaxed) != SLOT_FREE) at = (at + 1) & mask;
    atomic_store_explicit(&set->slots[at].low, key.low, memory_order_relaxed);
    atomic_store_explicit(&set->slots[at].high, key.high, memory_order_release);
    set->used++;
    set->live++;
}

static struct suppressed_set *make_set(struct suppressed_set *old)
{
    size_t capacity = TABLE_FIRST, live = old ? old->live : 0;
    while (capacity < 4 * live) capacity *= 2;
    struct suppressed_set *set = calloc(1, sizeof *set + capacity * sizeof(struct suppressed_slot));
    check(set);
    set->capacity = capacity;
    for (size_t at = 0; old && at < old->capacity; at++) {
        Hash128 key = { .low = atomic_load_explicit(&old->slots[at].low, memory_order_relaxed),
                        .high = atomic_load_explicit(&old->slots[at].high, memory_order_relaxed) };
        if (key.high != SLOT_FREE && key.high != SLOT_GONE) put_key(set, key);
    }
    return set;
}

void control_add_suppressed(struct control *control, CommandIdKind kind, Str value)
{
    struct suppressed_set *set = atomic_load_explicit(&control->suppressed_set, memory_order_relaxed);
    if (set && has_key(set, key_of(kind, value))) return;
    if (!set || 2 * (set->used + 1) > set->capacity) {
        set = make_set(set);
        set->older = control->all_suppressed_sets;
        control->all_suppressed_sets = set;
    }
    put_key(set, key_of(kind, value));
    atomic_store_explicit(&control->suppressed_set, set, memory_order_release);
    if (kind == COMMAND_EXTERNAL_ID) atomic_fetch_add_explicit(&control->external_count, 1, memory_order_release);
}

void control_remove_suppressed(struct control *control, CommandIdKind kind, Str value)
{
    struct suppressed_set *set = atomic_load_explicit(&control->suppressed_set, memory_order_relaxed);
    Hash128 key = key_of(kind, value);
    if (!set || !has_key(set, key)) return;
    size_t mask = set->capacity - 1, at = key.low & mask;
    while (atomic_load_explicit(&set->slots[at].high, memory_order_relaxed) != key.high
           || atomic_load_explicit(&set->slots[at].low, memory_order_relaxed) != key.low) at = (at + 1) & mask;
    atomic_store_explicit(&set->slots[at].high, SLOT_GONE, memory_order_release);
    set->live--;
    if (kind == COMMAND_EXTERNAL_ID) atomic_fetch_sub_explicit(&control->external_count, 1, memory_order_release);
}

void control_forget_suppressed(struct control *control)
{
    atomic_store_explicit(&control->suppressed_set, NULL, memory_order_release);
    atomic_store_explicit(&control->external_count, 0, memory_order_release);
    control->late_count = 0;
    control->late_version = control->late_saving = control->late_saved = 0;
}

void control_close_suppressed(struct control *control)
{
    for (struct suppressed_set *set = control->all_suppressed_sets, *older; set; set = older) {
        older = set->older;
        free(set);
    }
    free(control->late);
}

/* ---- Messages that came late ---- */

static void add_late(struct control *control, JournalPos pos)
{
    check(vector_reserve(control->late, control->late_capacity, control->late_count + 1, UINT32_MAX));
    control->late[control->late_count++] = pos;
}

void control_note_late(struct control *control, JournalPos pos)
{
    pthread_mutex_lock(&control->lock);
    if (!control->late_count || control->late[control->late_count - 1] < pos) add_late(control, pos);
    control->late_version++;
    pthread_mutex_unlock(&control->lock);
    atomic_store_explicit(&control->wants_save, true, memory_order_release);
}

/* Both functions need the lock. What is noted while a save commits waits for the next one. */
Status control_save_late(struct control *control, struct kv_txn *txn, Err *err)
{
    control->late_saving = control->late_version;
    if (control->late_saving == control->late_saved) return OK;
    if (!control->late_count) return kv_remove(txn, control->options.table, STR("z"), err);
    Str positions = str_of(control->late, control->late_count * sizeof *control->late);
    return kv_put(txn, control->options.table, STR("z"), positions, err);
}

void control_end_save_late(struct control *control) { control->late_saved = control->late_saving; }

Status control_load_late(struct control *control, struct kv_txn *txn, Err *err)
{
    Str value;
    Status s = kv_get(txn, control->options.table, STR("z"), &value, err);
    for (size_t at = 0; !s && at + sizeof(JournalPos) <= value.len; at += sizeof(JournalPos)) {
        JournalPos pos;
        memcpy(&pos, value.bytes + at, sizeof pos);
        add_late(control, pos);
    }
    return s == ERR_NOT_FOUND ? OK : s;
}

/* For the maintenance thread: takes the late messages whose notes are on disk. */
struct late_suppressed { JournalPos *positions; size_t count; };

static bool is_late(void *context, Str record, JournalPos pos)
{
    const struct late_suppressed *late = context;
    return record_kind(record) == RECORD_EVENT
        && bsearch(&pos, late->positions, late->count, sizeof pos, control_compare_positions);
}

static struct late_suppressed take_late(struct control *control)
{
    struct late_suppressed late = { NULL, 0 };
    JournalPos saved = atomic_load(&control->saved);
    pthread_mutex_lock(&control->lock);
    while (late.count < control->late_count && control->late[late.count] < saved) late.count++;
    if (late.count) {
        late.positions = malloc(late.count * sizeof *late.positions);
        check(late.positions);
        memcpy(late.positions, control->late, late.count * sizeof *late.positions);
    }
    pthread_mutex_unlock(&control->lock);
    return late;
}

Status control_step_late(struct control *control, Err *err)
{
    struct late_suppressed late = take_late(control);
    uint64_t erased;
    if (!late.count) return OK;
    JournalPos from = late.positions[0], to = journal_after(late.positions[late.count - 1]);
    JournalErase erase = { .from = from, .to = to, .should_erase = is_late, .context = &late,
                           .erased_first_byte = ERASED_FIRST_BYTE };
    Status s = journal_erase(control->options.journal, &erase, &erased, err);
    free(late.positions);
    if (s == ERR_DAMAGED) {                                   /* the record cannot be read: report it, and give up */
        if (err) control->options.passed(control->options.context, err->text, 0);
        s = OK;
    }
    if (s) return err_wrap(err, s, "erasing what came of suppressed ids");
    pthread_mutex_lock(&control->lock);
    control->late_count -= late.count;
    memmove(control->late, control->late + late.count, control->late_count * sizeof *control->late);
    control->late_version++;
    pthread_mutex_unlock(&control->lock);
    atomic_store_explicit(&control->wants_save, true, memory_order_release);
    return OK;
}
