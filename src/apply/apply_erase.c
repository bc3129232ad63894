/* apply_erase: a person's right to be forgotten, in steps that a crash may come between.
 *
 * Where its command is applied, identity and traits forget at once. Then, by the maintenance thread and only behind a
 * save (so that no start reads those messages again and numbers people otherwise):
 *   1. the journal: every segment is read; records of these ids become zeros, repetitions and rejected ones included
 *   2. the index: rows of these subjects, and of the records that the journal has erased
 *   3. the destinations' store, by whoever owns it (apply_list_forgets), where there is one
 *   4. the command itself, which names the ids
 *   5. the store of keyed state, by the applier: rewritten, since a store keeps in free pages what was removed
 * A row of meta holds the erasure until all is done; a start goes on with step 1, which finds what is left, or with
 * step 5, where the row names nobody any more.
 *   'e' u64 position -> u32 number of nodes, u32 of spans, the nodes, the spans (struct erased_span), the command
 */
#include "apply_private.h"

#include <stdlib.h>

enum { STRIDE_BYTES = 256 * 1024 * 1024, REWRITE_WAIT_MS = 5000,
       ERASED_FIRST_BYTE = EVENT_RECORD_VERSION << 4 | RECORD_ERASED };

static void erasure_free(struct erasure *erasure)
{
    free((char *)(uintptr_t)erasure->record.bytes);
    free(erasure->nodes);
    free(erasure->spans);
    free(erasure->taken);
    free(erasure);
}

void apply_forget_erasures(struct applier *applier)
{
    for (size_t at = 0; at < applier->erasure_count; at++) erasure_free(applier->erasures[at]);
    applier->erasure_count = 0;
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

static void add_erasure(struct applier *applier, struct erasure *erasure)
{
    pthread_mutex_lock(&applier->lock);
    if (applier->erasure_count == applier->erasure_capacity) {
        applier->erasure_capacity = applier->erasure_capacity ? applier->erasure_capacity * 2 : 16;
        applier->erasures = realloc(applier->erasures, applier->erasure_capacity * sizeof(struct erasure *));
        check(applier->erasures);
    }
    applier->erasures[applier->erasure_count++] = erasure;
    pthread_mutex_unlock(&applier->lock);
}

/* ---- As it is applied ---- */

static int compare_nodes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void erasure_key(JournalPos pos, char key[9])
{
    key[0] = 'e';
    kv_key_u64(key + 1, pos);
}

static void note_erasure(struct applier *applier, const struct erasure *erasure)
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
    erasure_key(erasure->pos, key);
    apply_note_change(applier, str_of(key, sizeof key), &value);
    buf_done(&buf);
}

Status apply_load_erasure(struct applier *applier, JournalPos pos, Str value, Err *err)
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
    add_erasure(applier, erasure);
    return OK;
}

static bool is_whole(const CommandId *id) { return id->from_ms == INT64_MIN && id->to_ms == INT64_MAX; }

/* External ids that are nobody else's go with their user. No event has one for its subject. */
static Status forget_externals(struct applier *applier, IdentityNode user, Err *err)
{
    struct region region;
    IdentityMember *members;
    size_t count = 0;
    if (!applier->options.identity_rules.external_count) return OK;
    region_open(&region, 64 * 1024 * 1024);
    Arena arena = region_arena(&region);
    IdentityPerson person = identity_person_now(applier->identity, user);
    Status s = identity_list_members(applier->identity, person, &arena, &members, &count, err);
    for (size_t at = 0; !s && at < count; at++) {
        IdentityPerson first = identity_find_owner(applier->identity, members[at].node, INT64_MIN, STR(""));
        if (members[at].kind >= IDENTITY_EXTERNAL && members[at].is_owner_now && first == person)
            s = identity_erase(applier->identity, members[at].node, err);
    }
    region_close(&region);
    return s;
}

static Status forget_id(struct applier *applier, struct erasure *erasure, const CommandId *id, Err *err)
{
    IdentityKind kind = id->kind == COMMAND_USER_ID ? IDENTITY_USER : IDENTITY_ANONYMOUS;
    IdentityNode node = identity_find(applier->identity, kind, id->value);
    if (node == IDENTITY_NONE) return OK;
    Status s = profile_erase(applier->profile, node, id->from_ms, id->to_ms, err);
    if (s) return s;
    if (is_whole(id) && kind == IDENTITY_USER) s = forget_externals(applier, node, err);
    if (s) return s;
    if (is_whole(id)) erasure->nodes[erasure->node_count++] = node;
    else erasure->spans[erasure->span_count++] = (struct erased_span){ node, id->from_ms, id->to_ms };
    return is_whole(id) ? identity_erase(applier->identity, node, err) : OK;
}

Status apply_begin_erasure(struct applier *applier, Str record, JournalPos pos, const JournalCommand *command,
                           Err *err)
{
    struct erasure *erasure = erasure_make(record, pos, command->id_count, command->id_count);
    Status s = OK;
    for (size_t at = 0; !s && at < command->id_count; at++) s = forget_id(applier, erasure, &command->ids[at], err);
    if (s) {
        erasure_free(erasure);
        return s;
    }
    qsort(erasure->nodes, erasure->node_count, sizeof *erasure->nodes, compare_nodes);
    note_erasure(applier, erasure);
    add_erasure(applier, erasure);
    return OK;
}

/* ---- The journal ---- */

struct taking { struct applier *applier; struct erasure *erasure; JournalCommand command; struct buf quoted; };

static void note_taken(struct erasure *erasure, JournalPos pos)
{
    if (erasure->taken_count && erasure->taken[erasure->taken_count - 1] == pos) return;       /* asked twice */
    if (erasure->taken_count == erasure->taken_capacity) {
        erasure->taken_capacity = erasure->taken_capacity ? erasure->taken_capacity * 2 : 256;
        erasure->taken = realloc(erasure->taken, erasure->taken_capacity * sizeof *erasure->taken);
        check(erasure->taken);
    }
    erasure->taken[erasure->taken_count++] = pos;
}

/* A rejected message is kept as it was sent: it goes where one of the whole ids stands in it as a JSON string. */
static bool names_in_text(struct taking *taking, Str json)
{
    for (size_t at = 0; at < taking->command.id_count; at++) {
        if (!is_whole(&taking->command.ids[at])) continue;
        buf_clear(&taking->quoted);
        buf_json_string(&taking->quoted, taking->command.ids[at].value);
        if (str_contains(json, buf_str(&taking->quoted))) return true;
    }
    return false;
}

static bool takes_record(void *context, Str record, JournalPos pos)
{
    struct taking *taking = context;
    Event event;
    Rejected rejected;
    bool is_taken = false;
    if (record_kind(record) == RECORD_EVENT && event_decode(record, &event, NULL) == OK) {
        if (identity_is_blocked(taking->applier->identity, event.user_id)) event.user_id = (Str){ 0 };
        is_taken = command_names_event(&taking->command, &event);
    } else if (record_kind(record) == RECORD_REJECTED && rejected_decode(record, &rejected, NULL) == OK) {
        is_taken = names_in_text(taking, rejected.json);
    }
    if (is_taken) note_taken(taking->erasure, pos);
    return is_taken;
}

static bool takes_command(void *context, Str record, JournalPos pos)
{
    return pos == *(const JournalPos *)context && record_kind(record) == RECORD_COMMAND;
}

static Status erase_journal(struct applier *applier, struct erasure *erasure, Arena arena, Err *err)
{
    struct taking taking = { .applier = applier, .erasure = erasure };
    JournalPos first = journal_first(applier->options.journal), from = erasure->done > first ? erasure->done : first;
    JournalPos to = erasure->pos - from > STRIDE_BYTES ? from + STRIDE_BYTES : erasure->pos;
    uint64_t erased = 0;
    Status s = from < erasure->pos ? command_decode(erasure->record, &arena, &taking.command, err) : OK;
    if (!s && from < erasure->pos) {
        buf_init(&taking.quoted, 8 * LIMIT_ID_BYTES);
        s = journal_erase(applier->options.journal, from, to, takes_record, &taking, ERASED_FIRST_BYTE, &erased, err);
        buf_done(&taking.quoted);
    }
    if (s) return s;
    pthread_mutex_lock(&applier->lock);
    erasure->journal_records += erased;
    erasure->done = to;
    if (from >= erasure->pos || to >= erasure->pos) erasure->stage = ERASING_INDEX;
    pthread_mutex_unlock(&applier->lock);
    return OK;
}

/* ---- The index ---- */

/* Where the span's rows of one run lie in the journal. */
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
        if (pos < erasure->pos && time_ms >= span->from_ms && (time_ms < span->to_ms || span->to_ms == INT64_MAX))
            note_taken(erasure, pos);
        row++;
    } while (row < run->row_count && !(run->starts[row / 64] >> (row % 64) & 1));
    return OK;
}

static Status take_spans(struct applier *applier, struct erasure *erasure, Err *err)
{
    struct index_snapshot *snapshot;
    unsigned char *bytes = malloc(INDEX_CODES_BYTES);
    check(bytes);
    Status s = index_snapshot_open(applier->index, &snapshot, err);
    for (uint32_t run = 0; !s && run < index_snapshot_run_count(snapshot); run++)
        for (size_t span = 0; !s && span < erasure->span_count; span++)
            s = take_span(erasure, index_snapshot_run(snapshot, run), &erasure->spans[span], bytes, err);
    if (!s) index_snapshot_close(snapshot);
    free(bytes);
    return s;
}

static int compare_positions(const void *a, const void *b)
{
    JournalPos x = *(const JournalPos *)a, y = *(const JournalPos *)b;
    return x < y ? -1 : x > y;
}

static Status erase_index(struct applier *applier, struct erasure *erasure, Err *err)
{
    size_t kept = 0;
    uint64_t rows = 0;
    Status s = erasure->span_count ? take_spans(applier, erasure, err) : OK;
    if (s) return s;
    if (erasure->taken_count) qsort(erasure->taken, erasure->taken_count, sizeof *erasure->taken, compare_positions);
    for (size_t at = 0; at < erasure->taken_count; at++)
        if (at == 0 || erasure->taken[at] != erasure->taken[kept - 1]) erasure->taken[kept++] = erasure->taken[at];
    erasure->taken_count = kept;
    IndexErase erase = { erasure->nodes, erasure->node_count, erasure->taken, erasure->taken_count };
    s = index_erase(applier->index, &erase, &rows, err);
    pthread_mutex_lock(&applier->lock);
    erasure->index_rows += rows;
    if (!s) erasure->stage = applier->options.has_destinations ? ERASING_DESTINATIONS : ERASING_COMMAND;
    pthread_mutex_unlock(&applier->lock);
    return s;
}

/* ---- In steps ---- */

/* The row that stays says that the store is to be rewritten, and nothing else. */
static Status erase_command(struct applier *applier, struct erasure *erasure, Err *err)
{
    uint64_t erased;
    char key[9];
    static const uint32_t counts[2] = { 0 };
    Str nobody = str_of(counts, sizeof counts);
    Status s = journal_erase(applier->options.journal, erasure->pos, erasure->pos + 1, takes_command, &erasure->pos,
                             ERASED_FIRST_BYTE, &erased, err);
    if (s) return s;
    erasure_key(erasure->pos, key);
    apply_note_change(applier, str_of(key, sizeof key), &nobody);
    pthread_mutex_lock(&applier->lock);
    erasure->stage = ERASING_STATE;
    pthread_mutex_unlock(&applier->lock);
    return OK;
}

/* The first that maintenance has to do with; NULL where there is none. Those that wait for the rewriting of the store
 * (*ret_waits) wait for each other, so that many erasures cost it once; the applier alone touches them. */
static struct erasure *find_erasure(struct applier *applier, bool *ret_waits)
{
    struct erasure *found = NULL;
    JournalPos saved = atomic_load(&applier->saved);
    *ret_waits = false;
    pthread_mutex_lock(&applier->lock);
    for (size_t at = 0; at < applier->erasure_count && !found; at++) {
        if (applier->erasures[at]->stage == ERASING_STATE) *ret_waits = true;
        else if (applier->erasures[at]->stage == ERASING_DESTINATIONS) continue;
        else if (applier->erasures[at]->pos < saved) found = applier->erasures[at];
    }
    pthread_mutex_unlock(&applier->lock);
    return found;
}

bool apply_has_erasures(struct applier *applier)
{
    bool waits;
    return find_erasure(applier, &waits) || waits;
}

Status apply_step_erasure(struct applier *applier, bool *ret_more, Err *err)
{
    struct region region;
    bool waits;
    Status s = OK;
    struct erasure *erasure = find_erasure(applier, &waits);
    *ret_more = false;
    if (!erasure) {                                           /* the applier's, behind its next save */
        if (waits) atomic_store_explicit(&applier->wants_save, true, memory_order_release);
        return OK;
    }
    region_open(&region, 64 * LIMIT_RECORD_BYTES);
    switch (erasure->stage) {
    case ERASING_JOURNAL: s = erase_journal(applier, erasure, region_arena(&region), err); break;
    case ERASING_INDEX: s = erase_index(applier, erasure, err); break;
    case ERASING_DESTINATIONS: case ERASING_COMMAND: case ERASING_STATE: case ERASED:
    default: s = erase_command(applier, erasure, err); break;
    }
    region_close(&region);
    *ret_more = !s;
    return s ? err_wrap(err, s, "erasing") : OK;
}

/* ---- The destinations' store ---- */

/* Under the lock. The command's texts live in the arena. */
static Status list_erasures_elsewhere(struct applier *applier, Arena *arena, ApplyForget *forgets, size_t max,
                                      size_t *ret_count, Err *err)
{
    Status s = OK;
    *ret_count = 0;
    for (size_t at = 0; !s && at < applier->erasure_count && *ret_count < max; at++) {
        const struct erasure *erasure = applier->erasures[at];
        ApplyForget forget = { .before = erasure->pos, .number = erasure->pos };
        if (erasure->stage != ERASING_DESTINATIONS) continue;
        if (arena_left(arena) < 4 * erasure->record.len + LIMIT_RECORD_BYTES) break;          /* the rest, later */
        s = command_decode(arena_copy(arena, erasure->record), arena, &forget.what, err);
        if (!s) forgets[(*ret_count)++] = forget;
    }
    return s;
}

Status apply_list_forgets(struct applier *applier, Arena *arena, ApplyForget **ret, size_t *ret_count, Err *err)
{
    enum { FORGETS_MOST = APPLY_ERASURES_MOST };
    size_t waiting = 0;
    pthread_mutex_lock(&applier->lock);
    uint64_t wanted = applier->clearing_wanted;
    for (size_t at = 0; at < applier->erasure_count; at++)
        waiting += applier->erasures[at]->stage == ERASING_DESTINATIONS;
    pthread_mutex_unlock(&applier->lock);
    *ret = NULL;
    *ret_count = 0;
    if (!waiting && !wanted) return OK;
    ApplyForget *forgets = arena_new(arena, ApplyForget, FORGETS_MOST + 1);
    Status s = OK;
    if (wanted) {
        CommandId *ids = NULL;
        size_t id_count = 0;
        apply_begin_reading(applier);
        s = apply_list_suppressed(applier, arena, &ids, &id_count, err);
        apply_end_reading(applier);
        if (s) return s;
        forgets[0] = (ApplyForget){ .before = UINT64_MAX, .number = wanted,
                                    .what = { .kind = COMMAND_SUPPRESS, .ids = ids, .id_count = id_count } };
    }
    size_t first = wanted ? 1 : 0;
    pthread_mutex_lock(&applier->lock);
    s = list_erasures_elsewhere(applier, arena, forgets + first, FORGETS_MOST, ret_count, err);
    pthread_mutex_unlock(&applier->lock);
    *ret = forgets;
    *ret_count += first;
    return s;
}

void apply_end_forget(struct applier *applier, const ApplyForget *forget)
{
    pthread_mutex_lock(&applier->lock);
    if (forget->what.kind == COMMAND_SUPPRESS && applier->clearing_wanted == forget->number) {
        applier->clearing_wanted = 0;                         /* none was suppressed meanwhile */
        apply_note_change_locked(applier, STR("w"), NULL);
    }
    for (size_t at = 0; at < applier->erasure_count && forget->what.kind == COMMAND_ERASE; at++)
        if (applier->erasures[at]->pos == forget->number && applier->erasures[at]->stage == ERASING_DESTINATIONS)
            applier->erasures[at]->stage = ERASING_COMMAND;
    pthread_mutex_unlock(&applier->lock);
}

/* ---- The store ---- */

/* Nobody waits for an earlier step, and what was noted is saved: no row names anybody who is erased. */
static bool may_rewrite(struct applier *applier)
{
    pthread_mutex_lock(&applier->lock);
    bool may = applier->erasure_count > 0 && applier->change_count == 0;
    for (size_t at = 0; at < applier->erasure_count && may; at++) may = applier->erasures[at]->stage == ERASING_STATE;
    pthread_mutex_unlock(&applier->lock);
    return may;
}

Status apply_rewrite_state(struct applier *applier, Err *err)
{
    if (!may_rewrite(applier)) return OK;
    Status s = kv_rewrite(applier->kv, REWRITE_WAIT_MS, err);
    if (s == ERR_TIMEOUT) return OK;                          /* maintenance asks again */
    if (s) return err_wrap(err, s, "erasing");
    pthread_mutex_lock(&applier->lock);
    struct erasure **done = applier->erasures;
    size_t count = applier->erasure_count;
    applier->erasures = NULL;
    applier->erasure_count = applier->erasure_capacity = 0;
    applier->erasures_done += count;
    pthread_mutex_unlock(&applier->lock);
    for (size_t at = 0; at < count; at++) {
        char key[9];
        erasure_key(done[at]->pos, key);
        apply_note_change(applier, str_of(key, sizeof key), NULL);
        erasure_free(done[at]);
    }
    free(done);
    return OK;
}

/* ---- For who asks ---- */

/* The times of an id of several owners that were this person's; all of it where every owner is one of the person's
 * user ids. */
static size_t list_times(const struct identity_view *view, const struct identity_spans *spans, IdentityPerson person,
                         const CommandId *id, CommandId *ids)
{
    size_t count = 0;
    bool is_all = true;
    for (uint32_t span = 0; span < spans->count; span++) {
        if (identity_view_person_now(view, spans->spans[span].owner) != person) {
            is_all = false;
            continue;
        }
        ids[count] = *id;
        if (span > 0) ids[count].from_ms = spans->spans[span].from_ms;
        if (span + 1 < spans->count) ids[count].to_ms = spans->spans[span + 1].from_ms;
        count++;
    }
    if (!is_all) return count;
    ids[0] = *id;
    return 1;
}

Status apply_list_person_ids(struct applier *applier, IdentityPerson person, Arena *arena, CommandId **ret,
                             size_t *ret_count, Err *err)
{
    IdentityMember *members;
    char text[LIMIT_ID_BYTES];
    size_t count, kept = 0, room = 0;
    const struct identity_view *view = identity_take_view(applier->identity);
    Status s = identity_list_members(applier->identity, person, arena, &members, &count, err);
    for (size_t at = 0; !s && at < count; at++) {
        uint32_t slot = identity_view_slot(view, members[at].node);
        room += identity_is_shared(slot) ? identity_view_spans(view, slot)->count : 1;
    }
    CommandId *ids = s ? NULL : arena_try(arena, sizeof *ids, _Alignof(CommandId), room + 1);
    if (!s && !ids) s = err_set(err, ERR_TOO_LARGE, "the person has more ids than an answer holds");
    for (size_t at = 0; !s && at < count; at++) {
        IdentityKind kind = members[at].kind;
        uint32_t slot = identity_view_slot(view, members[at].node);
        if (kind >= IDENTITY_EXTERNAL) continue;
        if (arena_left(arena) < LIMIT_ID_BYTES + 1) {
            s = err_set(err, ERR_TOO_LARGE, "the person has more ids than an answer holds");
            break;
        }
        CommandId id = { kind == IDENTITY_USER ? COMMAND_USER_ID : COMMAND_ANONYMOUS_ID,
                         arena_copy(arena, identity_read_value(applier->identity, members[at].node, text)),
                         INT64_MIN, INT64_MAX, false };
        id.keeps_aliases = kind == IDENTITY_ANONYMOUS &&
                           identity_find(applier->identity, IDENTITY_USER, id.value) != IDENTITY_NONE;
        if (!identity_is_shared(slot)) ids[kept++] = id;
        else kept += list_times(view, identity_view_spans(view, slot), person, &id, ids + kept);
    }
    identity_give_view(applier->identity, view);
    *ret = ids;
    *ret_count = kept;
    return s;
}

size_t apply_list_erasures(struct applier *applier, ApplyErasure *erasures, size_t max, uint64_t *ret_done)
{
    static const char *const stages[] = { "journal", "index", "destinations", "command", "state", "done" };
    pthread_mutex_lock(&applier->lock);
    size_t count = applier->erasure_count < max ? applier->erasure_count : max;
    for (size_t at = 0; at < count; at++) {
        const struct erasure *erasure = applier->erasures[at];
        erasures[at] = (ApplyErasure){ erasure->pos, erasure->done, stages[erasure->stage], erasure->journal_records,
                                       erasure->index_rows };
    }
    *ret_done = applier->erasures_done;
    pthread_mutex_unlock(&applier->lock);
    return count;
}
