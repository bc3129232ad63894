/* control_erase: forgets a person, in steps; a crash may come between them.
 *
 * When its command is carried out, identity and traits forget at once. Then the maintenance thread does the rest, but
 * only after a save (so that no start reads those messages again and gives people other numbers):
 *   1. the journal: every segment is read; records of these ids become zeros, repetitions and rejected ones included
 *   2. the index: rows of these subjects, and rows of the records that the journal has erased
 *   3. the destinations' store, by its owner (control_list_forgets), if there is one
 *   4. the command itself, which names the ids
 *   5. the keyed store, by the thread that saves it (control_rewrite): it is written anew, since its free pages still
 *      have what was removed
 * A row keeps the erasure until all is done. A start goes on with step 1, which finds what is left; or with step 5, if
 * the row names nobody any more.
 *   'e' u64 position -> u32 count of nodes, u32 count of spans, the nodes, the spans (struct erased_span), the command
 *   'a' u64 position -> u64 each, ascending: the positions of other people's aliases that it erases; if there are any
 */
#include "control_private.h"

#include <stdlib.h>

enum { STRIDE_BYTES = 256 * 1024 * 1024, REWRITE_WAIT_MS = 5000, GROUP_COMMAND_BYTES = 64 * LIMIT_RECORD_BYTES,
       ERASED_FIRST_BYTE = EVENT_RECORD_VERSION << 4 | RECORD_ERASED, ERASE_TRIES = 10 };

static void erasure_free(struct erasure *erasure)
{
    free((char *)(uintptr_t)erasure->record.bytes);
    free(erasure->nodes);
    free(erasure->spans);
    free(erasure->taken);
    free(erasure->beside);
    free(erasure->aliases);
    free(erasure);
}

void control_forget_erasures(struct control *control)
{
    for (size_t at = 0; at < control->erasure_count; at++) erasure_free(control->erasures[at]);
    control->erasure_count = 0;
    if (control->half) erasure_free(control->half);
    control->half = NULL;
}

static struct erasure *erasure_make(Str record, JournalPos pos, size_t node_max, size_t span_max)
{
    struct erasure *erasure = calloc(1, sizeof *erasure);
    char *copy = malloc(record.len + 1);
    check(erasure && copy);
    memcpy(copy, record.bytes, record.len);
    erasure->record = (Str){ copy, record.len };
    erasure->pos = pos;
    erasure->nodes = malloc((node_max + 1) * sizeof *erasure->nodes);
    erasure->spans = malloc((span_max + 1) * sizeof *erasure->spans);
    check(erasure->nodes && erasure->spans);
    return erasure;
}

static void add_erasure(struct control *control, struct erasure *erasure)
{
    pthread_mutex_lock(&control->lock);
    check(vector_reserve(control->erasures, control->erasure_capacity, control->erasure_count + 1, UINT32_MAX));
    control->erasures[control->erasure_count++] = erasure;
    pthread_mutex_unlock(&control->lock);
}

/* ---- How far it is ---- */

static void erasure_key(char table, JournalPos pos, char key[9])
{
    key[0] = table;
    kv_key_u64(key + 1, pos);
}

/* After a start another erasure has to know which rows of the index this one removes (control_forget.c). */
static void note_aliases(struct control *control, const struct erasure *erasure)
{
    char key[9];
    Str value = str_of(erasure->aliases, erasure->alias_count * sizeof *erasure->aliases);
    if (!erasure->alias_count) return;
    erasure_key('a', erasure->pos, key);
    control_note_change(control, str_of(key, sizeof key), &value);
}

static void note_erasure(struct control *control, const struct erasure *erasure)
{
    struct buf buf;
    char key[9];
    uint32_t counts[2] = { (uint32_t)erasure->node_count, (uint32_t)erasure->span_count };
    buf_init(&buf, 16 * LIMIT_RECORD_BYTES);
    buf_put(&buf, counts, sizeof counts);
    buf_put(&buf, erasure->nodes, erasure->node_count * sizeof *erasure->nodes);
    buf_put(&buf, erasure->spans, erasure->span_count * sizeof *erasure->spans);
    buf_str_put(&buf, erasure->record);
    check(buf_ok(&buf));
    Str value = buf_str(&buf);
    erasure_key('e', erasure->pos, key);
    control_note_change(control, str_of(key, sizeof key), &value);
    buf_done(&buf);
    note_aliases(control, erasure);
}

static void read_aliases(struct control *control, JournalPos pos, Str value)
{
    struct erasure *erasure = NULL;
    for (size_t at = 0; at < control->erasure_count && !erasure; at++)
        if (control->erasures[at]->pos == pos) erasure = control->erasures[at];
    if (!erasure || erasure->alias_count) return;
    erasure->alias_count = value.len / sizeof *erasure->aliases;
    check(vector_reserve(erasure->aliases, erasure->alias_capacity, erasure->alias_count + 1, UINT32_MAX));
    memcpy(erasure->aliases, value.bytes, erasure->alias_count * sizeof *erasure->aliases);
}

Status control_load_aliases(struct control *control, struct kv_txn *txn, Err *err)
{
    struct kv_cursor *cursor;
    Str key, value;
    Status s = kv_cursor_open(txn, control->options.table, &cursor, err);
    if (s) return s;
    s = kv_find(cursor, STR("a"), &key, &value, err);
    for (; !s && key.bytes[0] == 'a'; s = kv_next(cursor, &key, &value, err))
        if (key.len == 9) read_aliases(control, kv_read_u64(key.bytes + 1), value);
    kv_cursor_close(cursor);
    return s == ERR_NOT_FOUND ? OK : s;
}

Status control_load_erasure(struct control *control, JournalPos pos, Str value, Err *err)
{
    uint32_t counts[2] = { 0 };
    size_t at = sizeof counts;
    if (value.len >= at) memcpy(counts, value.bytes, at);
    size_t node_bytes = counts[0] * sizeof(uint32_t), span_bytes = counts[1] * sizeof(struct erased_span);
    if (value.len < at + node_bytes + span_bytes)
        return err_set(err, ERR_DAMAGED, "an erasure under way is not whole; onym rebuild makes it again");
    struct erasure *erasure = erasure_make(str_slice(value, at + node_bytes + span_bytes, value.len), pos, counts[0],
                                           counts[1]);
    memcpy(erasure->nodes, value.bytes + at, node_bytes);
    memcpy(erasure->spans, value.bytes + at + node_bytes, span_bytes);
    erasure->node_count = counts[0];
    erasure->span_count = counts[1];
    if (erasure->record.len == 0) {
        erasure->stage = ERASING_STATE;
        erasure->done = pos;
    }
    add_erasure(control, erasure);
    return OK;
}

Status control_begin_erasure(struct control *control, Str record, JournalPos pos, const JournalCommand *command,
                           Err *err)
{
    /* If a disk failed in the middle, the second try goes on with what the first one noted: for an id that is forgotten
     * already, nobody could find the node any more. */
    struct erasure *erasure = control->half;
    check(!erasure || erasure->pos == pos);
    if (!erasure) erasure = erasure_make(record, pos, command->id_count, command->id_count);
    control->half = erasure;
    Status s = control_forget_ids(control, erasure, command, err);
    if (s) return s;
    control->half = NULL;
    qsort(erasure->nodes, erasure->node_count, sizeof *erasure->nodes, control_compare_nodes);
    note_erasure(control, erasure);
    add_erasure(control, erasure);
    return OK;
}

/* ---- Together ---- */

/* Erasures at the same stage. Maintenance takes them one step further together, so that a hundred cost as much as
 * one. */
struct group {
    struct control *control;
    struct erasure **erasures;
    size_t count;
};

/* Finds the first erasure that maintenance has to work on, if there is one, and all others at the same stage.
 * Erasures that wait until the store is rewritten (*ret_waits) wait for each other; only control_rewrite touches them.
 * An erasure that the destinations' store has still to carry out waits for the owner of that store. */
static struct group take_group(struct control *control, bool *ret_waits)
{
    struct group group = { .control = control };
    JournalPos saved = atomic_load(&control->saved);
    size_t bytes = 0;
    *ret_waits = false;
    pthread_mutex_lock(&control->lock);
    group.erasures = malloc((control->erasure_count + 1) * sizeof(struct erasure *));
    check(group.erasures);
    for (size_t at = 0; at < control->erasure_count && bytes < GROUP_COMMAND_BYTES; at++) {
        struct erasure *erasure = control->erasures[at];
        if (erasure->stage == ERASING_STATE) *ret_waits = true;
        if (erasure->stage == ERASING_STATE || erasure->stage == ERASING_DESTINATIONS) continue;
        if (erasure->pos >= saved) continue;
        if (erasure->stage == ERASING_COMMAND && erasure->pos >= atomic_load(&control->commands_until)) continue;
        if (group.count && group.erasures[0]->stage != erasure->stage) continue;
        group.erasures[group.count++] = erasure;
        bytes += erasure->record.len;
    }
    pthread_mutex_unlock(&control->lock);
    return group;
}

/* ---- The journal ---- */

struct taking {
    const struct group *group;
    JournalCommand *commands;               /* of the group's erasures, in the same order */
    uint64_t *hashes;                       /* of all ids that they name, ascending */
    size_t hash_count;
    struct buf quoted;
    Arena *arena;
};

static void note_taken(struct erasure *erasure, JournalPos pos)
{
    if (erasure->taken_count && erasure->taken[erasure->taken_count - 1] == pos) return;       /* asked twice */
    check(vector_reserve(erasure->taken, erasure->taken_capacity, erasure->taken_count + 1, UINT32_MAX));
    erasure->taken[erasure->taken_count++] = pos;
}

static bool is_named_by_any(const struct taking *taking, Str id)
{
    uint64_t hash = hash_64(id, 0);
    return id.len && bsearch(&hash, taking->hashes, taking->hash_count, sizeof hash, compare_u64);
}

/* A rejected message is kept as it was sent: it is erased if one of the whole ids is in it as a JSON string. */
static bool names_in_text(struct taking *taking, const JournalCommand *command, Str json)
{
    for (size_t at = 0; at < command->id_count; at++) {
        if (!command_id_is_whole(&command->ids[at])) continue;
        buf_clear(&taking->quoted);
        buf_json_string(&taking->quoted, command->ids[at].value);
        if (str_contains(json, buf_str(&taking->quoted))) return true;
    }
    return false;
}

/* A command like unmerge quotes a message. When the message is erased, the quotation is erased, too. */
static Event event_of(const JournalCommand *command)
{
    return (Event){ .type = command->is_alias ? EVENT_ALIAS : EVENT_TRACK, .user_id = command->user_id,
                    .anonymous_id = command->anonymous_id, .previous_id = command->previous_id,
                    .timestamp_ms = command->timestamp_ms };
}

/* Does an erasure take this record, whose content this program cannot read? */
static bool takes_bytes(struct taking *taking, Str record, JournalPos pos, const Err *why)
{
    bool is_taken = false;
    for (size_t at = 0; at < taking->group->count; at++) {
        struct erasure *erasure = taking->group->erasures[at];
        if (pos < erasure->done || pos >= erasure->pos) continue;
        if (!control_names_in_bytes(&taking->commands[at], record, &taking->quoted)) {
            control_note_unread(taking->group->control, erasure->pos, pos, journal_after(pos), why->text);
            continue;
        }
        note_taken(erasure, pos);
        is_taken = true;
    }
    return is_taken;
}

static bool takes_record(void *context, Str record, JournalPos pos)
{
    struct taking *taking = context;
    Arena scratch = *taking->arena;
    Event event = { 0 };
    Rejected rejected;
    JournalCommand said;
    Err why;
    Status s = OK;
    bool is_taken = false, is_event = false, is_rejected = false;
    switch (record_kind(record)) {
    case RECORD_EVENT: is_event = (s = event_decode(record, &event, &why)) == OK; break;
    case RECORD_REJECTED: is_rejected = (s = rejected_decode(record, &rejected, &why)) == OK; break;
    case RECORD_COMMAND:
        s = command_decode(record, &scratch, &said, &why);
        is_event = !s && (said.kind == COMMAND_UNMERGE || said.kind == COMMAND_RESTORE);
        if (is_event) event = event_of(&said);
        break;
    case RECORD_ERASED: break;
    default: s = err_set(&why, ERR_UNSUPPORTED, "no kind of record that this Onym knows"); break;
    }
    if (s) return takes_bytes(taking, record, pos, &why);
    if (is_event && identity_is_blocked(taking->group->control->stores.identity, event.user_id))
        event.user_id = (Str){ 0 };
    if (is_event && !is_named_by_any(taking, event.user_id) && !is_named_by_any(taking, event.anonymous_id)
        && !is_named_by_any(taking, event.previous_id)) return false;
    for (size_t at = 0; (is_event || is_rejected) && at < taking->group->count; at++) {
        struct erasure *erasure = taking->group->erasures[at];
        const JournalCommand *command = &taking->commands[at];
        if (pos < erasure->done || pos >= erasure->pos) continue;
        if (is_event ? !command_names_event(command, &event) : !names_in_text(taking, command, rejected.json)) continue;
        note_taken(erasure, pos);
        is_taken = true;
    }
    return is_taken;
}

static Status open_taking(struct taking *taking, Arena *arena, Err *err)
{
    const struct group *group = taking->group;
    Status s = OK;
    size_t ids = 0;
    taking->commands = arena_new(arena, JournalCommand, group->count);
    taking->arena = arena;
    for (size_t at = 0; !s && at < group->count; at++) {
        s = command_decode(group->erasures[at]->record, arena, &taking->commands[at], err);
        if (!s) ids += taking->commands[at].id_count;
    }
    if (s) return s;
    taking->hashes = malloc((ids + 1) * sizeof *taking->hashes);
    check(taking->hashes);
    for (size_t at = 0; at < group->count; at++)
        for (size_t id = 0; id < taking->commands[at].id_count; id++)
            taking->hashes[taking->hash_count++] = hash_64(taking->commands[at].ids[id].value, 0);
    qsort(taking->hashes, taking->hash_count, sizeof *taking->hashes, compare_u64);
    buf_init(&taking->quoted, 8 * LIMIT_ID_BYTES);
    return OK;
}

/* The next stride of the journal for the group: it begins at the place that every erasure of the group has reached. */
static void find_range(const struct group *group, JournalPos *ret_from, JournalPos *ret_to)
{
    JournalPos first = journal_first(group->control->options.journal), from = UINT64_MAX, end = 0;
    for (size_t at = 0; at < group->count; at++) {
        const struct erasure *erasure = group->erasures[at];
        JournalPos done = erasure->done > first ? erasure->done : first;
        if (done < erasure->pos && done < from) from = done;
        if (erasure->pos > end) end = erasure->pos;
    }
    *ret_from = from < end ? from : end;
    *ret_to = journal_stride(*ret_from, STRIDE_BYTES, end);
}

/* A segment that cannot be read at all does not stop an erasure: it is reported. Broken places in a readable segment
 * are wiped. After an error of the disk we try again, but not for ever. */
static Status run_erase(struct control *control, JournalErase *erase, Err *err)
{
    uint64_t erased;
    erase->erased_first_byte = ERASED_FIRST_BYTE;
    erase->is_last_try = control->erase_failures >= ERASE_TRIES;
    Status s = journal_erase(control->options.journal, erase, &erased, err);
    control->erase_failures = s == ERR_IO ? control->erase_failures + 1 : 0;
    if (s != ERR_DAMAGED) return s;
    if (err) control->options.passed(control->options.context, err->text, 0);
    return OK;
}

static void tell_unread(void *context, JournalPos from, JournalPos to, const char *why)
{
    const struct taking *taking = context;
    for (size_t at = 0; at < taking->group->count; at++) {
        const struct erasure *erasure = taking->group->erasures[at];
        if (to > erasure->done && from < erasure->pos)
            control_note_unread(taking->group->control, erasure->pos, from, to, why);
    }
}

static Status erase_journal(const struct group *group, Arena arena, Err *err)
{
    struct control *control = group->control;
    struct taking taking = { .group = group };
    JournalPos from, to;
    find_range(group, &from, &to);
    Status s = from < to ? open_taking(&taking, &arena, err) : OK;
    if (!s && from < to)
        s = run_erase(control, &(JournalErase){ .from = from, .to = to, .should_erase = takes_record,
                                                .unread = tell_unread, .context = &taking }, err);
    buf_done(&taking.quoted);
    free(taking.hashes);
    if (s) return s;
    pthread_mutex_lock(&control->lock);
    for (size_t at = 0; at < group->count; at++) {
        struct erasure *erasure = group->erasures[at];
        JournalPos done = to < erasure->pos ? to : erasure->pos;
        if (done > erasure->done) erasure->done = done;
        erasure->journal_records = erasure->taken_count;
        if (erasure->done >= erasure->pos) erasure->stage = ERASING_INDEX;
    }
    pthread_mutex_unlock(&control->lock);
    return OK;
}

/* ---- The index ---- */

/* Finds in which part of the journal the records of the span's rows of one run are. */
static Status take_span(struct erasure *erasure, const IndexRun *run, const struct erased_span *span,
                        unsigned char *bytes, Err *err)
{
    IndexCodes codes;
    uint32_t ordinal, row = index_run_row_of(run, span->node, 0, &ordinal);
    if (ordinal == run->subject_count || run->subjects[ordinal] != span->node) return OK;
    index_codes_init(&codes, run, INDEX_POSITIONS, 0, bytes, NULL);
    do {
        Millis time_ms = run->times.base + (Millis)index_packed_get(&run->times, row);
        Status s = index_codes_has(&codes, row) ? OK : index_codes_load(&codes, row, err);
        if (s) return s;
        JournalPos pos = index_codes_get(&codes, row);
        if (pos < erasure->pos && control_is_in_span(span, time_ms)) note_taken(erasure, pos);
        row++;
    } while (row < run->row_count && !(run->starts[row / 64] >> (row % 64) & 1));
    return OK;
}

static Status take_spans(struct control *control, struct erasure *erasure, Err *err)
{
    struct index_snapshot *snapshot;
    unsigned char *bytes = malloc(INDEX_CODES_BYTES);
    check(bytes);
    Status s = index_snapshot_open(control->stores.index, &snapshot, err);
    bool is_open = !s;
    for (uint32_t run = 0; !s && run < index_snapshot_run_count(snapshot); run++)
        for (size_t span = 0; !s && span < erasure->span_count; span++)
            s = take_span(erasure, index_snapshot_run(snapshot, run), &erasure->spans[span], bytes, err);
    if (!s) s = index_snapshot_check(snapshot, err);
    if (is_open) index_snapshot_close(snapshot);
    free(bytes);
    return s;
}

/* The subjects and the positions whose rows the index loses, for all of these erasures together. Each is listed once,
 * ascending. */
struct losses { uint32_t *nodes; size_t node_count; JournalPos *positions; size_t position_count; };

static void open_losses(struct losses *losses, const struct group *group)
{
    size_t nodes = 0, positions = 0, kept = 0;
    for (size_t at = 0; at < group->count; at++) {
        nodes += group->erasures[at]->node_count;
        positions += group->erasures[at]->taken_count + group->erasures[at]->alias_count;
    }
    *losses = (struct losses){ malloc((nodes + 1) * sizeof *losses->nodes), 0,
                               malloc((positions + 1) * sizeof *losses->positions), 0 };
    check(losses->nodes && losses->positions);
    for (size_t at = 0; at < group->count; at++) {
        const struct erasure *erasure = group->erasures[at];
        for (size_t node = 0; node < erasure->node_count; node++)
            losses->nodes[losses->node_count++] = erasure->nodes[node];
        for (size_t taken = 0; taken < erasure->taken_count; taken++)
            losses->positions[losses->position_count++] = erasure->taken[taken];
        for (size_t alias = 0; alias < erasure->alias_count; alias++)      /* the journal may have lost them already */
            losses->positions[losses->position_count++] = journal_position(erasure->aliases[alias]);
    }
    qsort(losses->nodes, losses->node_count, sizeof *losses->nodes, control_compare_nodes);
    qsort(losses->positions, losses->position_count, sizeof *losses->positions, control_compare_positions);
    for (size_t at = 0; at < losses->node_count; at++)
        if (at == 0 || losses->nodes[at] != losses->nodes[kept - 1]) losses->nodes[kept++] = losses->nodes[at];
    losses->node_count = kept;
    kept = 0;
    for (size_t at = 0; at < losses->position_count; at++)
        if (at == 0 || losses->positions[at] != losses->positions[kept - 1])
            losses->positions[kept++] = losses->positions[at];
    losses->position_count = kept;
}

static Status erase_index(const struct group *group, Err *err)
{
    struct control *control = group->control;
    struct losses losses;
    uint64_t rows = 0;
    Status s = OK;
    for (size_t at = 0; !s && at < group->count; at++)
        if (group->erasures[at]->span_count) s = take_spans(control, group->erasures[at], err);
    if (s) return s;
    open_losses(&losses, group);
    IndexErase erase = { losses.nodes, losses.node_count, losses.positions, losses.position_count };
    s = index_erase(control->stores.index, &erase, &rows, err);
    free(losses.nodes);
    free(losses.positions);
    pthread_mutex_lock(&control->lock);
    group->erasures[0]->index_rows += rows;                   /* the number is for the whole group */
    for (size_t at = 0; !s && at < group->count; at++)
        group->erasures[at]->stage = control->options.has_destinations ? ERASING_DESTINATIONS : ERASING_COMMAND;
    pthread_mutex_unlock(&control->lock);
    return s;
}

/* ---- The command ---- */

static void tell_unread_command(void *context, JournalPos from, JournalPos to, const char *why)
{
    const struct group *group = context;
    for (size_t at = 0; at < group->count; at++)
        if (group->erasures[at]->pos >= from && group->erasures[at]->pos < to)
            control_note_unread(group->control, group->erasures[at]->pos, from, to, why);
}

static bool takes_command(void *context, Str record, JournalPos pos)
{
    const struct group *group = context;
    for (size_t at = 0; record_kind(record) == RECORD_COMMAND && at < group->count; at++)
        if (group->erasures[at]->pos == pos) return true;
    return false;
}

/* Erases the commands. The row that stays names nobody; it only says that the store must be written anew. */
static Status erase_commands(const struct group *group, Err *err)
{
    struct control *control = group->control;
    static const uint32_t counts[2] = { 0 };
    Str nobody = str_of(counts, sizeof counts);
    JournalPos from = UINT64_MAX, to = 0;
    char key[9];
    for (size_t at = 0; at < group->count; at++) {
        JournalPos pos = group->erasures[at]->pos;
        if (pos < from) from = pos;
        if (journal_after(pos) > to) to = journal_after(pos);
    }
    Status s = run_erase(control, &(JournalErase){ .from = from, .to = to, .should_erase = takes_command,
                                                   .unread = tell_unread_command,
                                                   .context = (void *)(uintptr_t)group }, err);
    if (s) return s;
    pthread_mutex_lock(&control->lock);
    for (size_t at = 0; at < group->count; at++) {
        erasure_key('e', group->erasures[at]->pos, key);
        control_note_change_locked(control, str_of(key, sizeof key), &nobody);
        erasure_key('a', group->erasures[at]->pos, key);
        if (group->erasures[at]->alias_count) control_note_change_locked(control, str_of(key, sizeof key), NULL);
        group->erasures[at]->stage = ERASING_STATE;
    }
    pthread_mutex_unlock(&control->lock);
    return OK;
}

/* ---- In steps ---- */

Status control_step_erasure(struct control *control, bool *ret_more, Err *err)
{
    struct region region;
    bool waits;
    Status s = OK;
    struct group group = take_group(control, &waits);
    *ret_more = false;
    if (!group.count) {                                       /* control_rewrite goes on, after the next save */
        free(group.erasures);
        if (waits) atomic_store_explicit(&control->wants_save, true, memory_order_release);
        return OK;
    }
    region_open(&region, 8 * GROUP_COMMAND_BYTES);
    switch (group.erasures[0]->stage) {
    case ERASING_JOURNAL: s = erase_journal(&group, region_arena(&region), err); break;
    case ERASING_INDEX: s = erase_index(&group, err); break;
    case ERASING_DESTINATIONS: case ERASING_COMMAND: case ERASING_STATE: case ERASED:
    default: s = erase_commands(&group, err); break;
    }
    region_close(&region);
    free(group.erasures);
    *ret_more = !s;
    return s ? err_wrap(err, s, "erasing") : OK;
}

/* ---- The destinations' store ---- */

void control_hold_commands(struct control *control, JournalPos pos) { atomic_store(&control->commands_until, pos); }

/* Under the lock. The texts of the command are in the arena. */
static Status list_erasures_elsewhere(struct control *control, Arena *arena, ControlForget *forgets, size_t max,
                                      size_t *ret_count, Err *err)
{
    Status s = OK;
    *ret_count = 0;
    for (size_t at = 0; !s && at < control->erasure_count && *ret_count < max; at++) {
        const struct erasure *erasure = control->erasures[at];
        ControlForget forget = { .before = erasure->pos, .number = erasure->pos };
        if (erasure->stage != ERASING_DESTINATIONS) continue;
        if (arena_left(arena) < 4 * erasure->record.len + LIMIT_RECORD_BYTES) break;          /* the others later */
        s = command_decode(arena_copy(arena, erasure->record), arena, &forget.what, err);
        if (!s) forgets[(*ret_count)++] = forget;
    }
    return s;
}

Status control_list_forgets(struct control *control, Arena *arena, ControlForget **ret, size_t *ret_count, Err *err)
{
    enum { FORGETS_MOST = CONTROL_ERASURES_MOST };
    size_t waiting = 0;
    pthread_mutex_lock(&control->lock);
    uint64_t wanted = control->clearing_wanted;
    for (size_t at = 0; at < control->erasure_count; at++)
        waiting += control->erasures[at]->stage == ERASING_DESTINATIONS;
    pthread_mutex_unlock(&control->lock);
    *ret = NULL;
    *ret_count = 0;
    if (!waiting && !wanted) return OK;
    ControlForget *forgets = arena_new(arena, ControlForget, FORGETS_MOST + 1);
    Status s = OK;
    if (wanted) {
        CommandId *ids = NULL;
        size_t id_count = 0;
        control->options.begin_reading(control->options.context);
        s = control_list_suppressed(control, arena, &ids, &id_count, err);
        control->options.end_reading(control->options.context);
        if (s) return s;
        forgets[0] = (ControlForget){ .before = UINT64_MAX, .number = wanted,
                                    .what = { .kind = COMMAND_SUPPRESS, .ids = ids, .id_count = id_count } };
    }
    size_t first = wanted ? 1 : 0;
    pthread_mutex_lock(&control->lock);
    s = list_erasures_elsewhere(control, arena, forgets + first, FORGETS_MOST, ret_count, err);
    pthread_mutex_unlock(&control->lock);
    *ret = forgets;
    *ret_count += first;
    return s;
}

void control_end_forget(struct control *control, const ControlForget *forget)
{
    pthread_mutex_lock(&control->lock);
    if (forget->what.kind == COMMAND_SUPPRESS && control->clearing_wanted == forget->number) {
        control->clearing_wanted = 0;                         /* no further id was suppressed meanwhile */
        control_note_change_locked(control, STR("w"), NULL);
    }
    for (size_t at = 0; at < control->erasure_count && forget->what.kind == COMMAND_ERASE; at++)
        if (control->erasures[at]->pos == forget->number && control->erasures[at]->stage == ERASING_DESTINATIONS)
            control->erasures[at]->stage = ERASING_COMMAND;
    pthread_mutex_unlock(&control->lock);
}

/* ---- The store ---- */

/* True if all erasures have come to this step and all changes are saved: then no row names anybody who is erased. */
static bool may_rewrite(struct control *control)
{
    pthread_mutex_lock(&control->lock);
    bool may = control->erasure_count > 0 && control->change_count == 0;
    for (size_t at = 0; at < control->erasure_count && may; at++) may = control->erasures[at]->stage == ERASING_STATE;
    pthread_mutex_unlock(&control->lock);
    return may;
}

Status control_rewrite(struct control *control, Err *err)
{
    if (!may_rewrite(control)) return OK;
    Status s = kv_rewrite(control->stores.kv, REWRITE_WAIT_MS, err);
    if (s == ERR_TIMEOUT) return OK;                          /* maintenance will ask again */
    if (s) return err_wrap(err, s, "erasing");
    pthread_mutex_lock(&control->lock);
    struct erasure **done = control->erasures;
    size_t count = control->erasure_count;
    control->erasures = NULL;
    control->erasure_count = control->erasure_capacity = 0;
    control->erasures_done += count;
    pthread_mutex_unlock(&control->lock);
    for (size_t at = 0; at < count; at++) {
        char key[9];
        erasure_key('e', done[at]->pos, key);
        control_note_change(control, str_of(key, sizeof key), NULL);
        erasure_free(done[at]);
    }
    free(done);
    return OK;
}

/* ---- Telling others ---- */

size_t control_list_erasures(struct control *control, ControlErasure *erasures, size_t max, uint64_t *ret_done)
{
    static const char *const stages[] = { "journal", "index", "destinations", "command", "state", "done" };
    pthread_mutex_lock(&control->lock);
    size_t count = control->erasure_count < max ? control->erasure_count : max;
    for (size_t at = 0; at < count; at++) {
        const struct erasure *erasure = control->erasures[at];
        erasures[at] = (ControlErasure){ erasure->pos, erasure->done, stages[erasure->stage], erasure->journal_records,
                                       erasure->index_rows };
    }
    *ret_done = control->erasures_done;
    pthread_mutex_unlock(&control->lock);
    return count;
}
