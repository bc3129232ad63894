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

enum { STRIDE_BYTES = 256 * 1024 * 1024, REWRITE_WAIT_MS = 5000, GROUP_COMMAND_BYTES = 64 * LIMIT_RECORD_BYTES,
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

/* ---- Together ---- */

/* Erasures of one stage, which maintenance takes a step further in one go: a hundred cost what one costs. */
struct group {
    struct applier *applier;
    struct erasure **erasures;
    size_t count;
};

/* The first that maintenance has to do with, and all that are as far; none where there is none. Those that wait for the
 * rewriting of the store (*ret_waits) wait for each other; the applier alone touches them. Those of which the
 * destinations' store knows wait for its owner. */
static struct group take_group(struct applier *applier, bool *ret_waits)
{
    struct group group = { .applier = applier };
    JournalPos saved = atomic_load(&applier->saved);
    size_t bytes = 0;
    *ret_waits = false;
    pthread_mutex_lock(&applier->lock);
    group.erasures = malloc((applier->erasure_count + 1) * sizeof(struct erasure *));
    check(group.erasures);
    for (size_t at = 0; at < applier->erasure_count && bytes < GROUP_COMMAND_BYTES; at++) {
        struct erasure *erasure = applier->erasures[at];
        if (erasure->stage == ERASING_STATE) *ret_waits = true;
        if (erasure->stage == ERASING_STATE || erasure->stage == ERASING_DESTINATIONS) continue;
        if (erasure->pos >= saved) continue;
        if (group.count && group.erasures[0]->stage != erasure->stage) continue;
        group.erasures[group.count++] = erasure;
        bytes += erasure->record.len;
    }
    pthread_mutex_unlock(&applier->lock);
    return group;
}

bool apply_has_erasures(struct applier *applier)
{
    pthread_mutex_lock(&applier->lock);
    bool has = applier->erasure_count > 0;
    pthread_mutex_unlock(&applier->lock);
    return has;
}

/* ---- The journal ---- */

struct taking {
    const struct group *group;
    JournalCommand *commands;               /* of the group's erasures */
    uint64_t *hashes;                       /* of all ids that they name, ascending */
    size_t hash_count;
    struct buf quoted;
};

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

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

static bool is_named_by_any(const struct taking *taking, Str id)
{
    uint64_t hash = hash_64(id, 0);
    return id.len && bsearch(&hash, taking->hashes, taking->hash_count, sizeof hash, compare_hashes);
}

/* A rejected message is kept as it was sent: it goes where one of the whole ids stands in it as a JSON string. */
static bool names_in_text(struct taking *taking, const JournalCommand *command, Str json)
{
    for (size_t at = 0; at < command->id_count; at++) {
        if (!is_whole(&command->ids[at])) continue;
        buf_clear(&taking->quoted);
        buf_json_string(&taking->quoted, command->ids[at].value);
        if (str_contains(json, buf_str(&taking->quoted))) return true;
    }
    return false;
}

static bool takes_record(void *context, Str record, JournalPos pos)
{
    struct taking *taking = context;
    Event event = { 0 };
    Rejected rejected;
    bool is_taken = false;
    bool is_event = record_kind(record) == RECORD_EVENT && event_decode(record, &event, NULL) == OK;
    bool is_rejected = record_kind(record) == RECORD_REJECTED && rejected_decode(record, &rejected, NULL) == OK;
    if (is_event && identity_is_blocked(taking->group->applier->identity, event.user_id)) event.user_id = (Str){ 0 };
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
    qsort(taking->hashes, taking->hash_count, sizeof *taking->hashes, compare_hashes);
    buf_init(&taking->quoted, 8 * LIMIT_ID_BYTES);
    return OK;
}

/* Where the group goes on: from the least that is done, for a stride. */
static void find_range(const struct group *group, JournalPos *ret_from, JournalPos *ret_to)
{
    JournalPos first = journal_first(group->applier->options.journal), from = UINT64_MAX, end = 0;
    for (size_t at = 0; at < group->count; at++) {
        const struct erasure *erasure = group->erasures[at];
        JournalPos done = erasure->done > first ? erasure->done : first;
        if (done < erasure->pos && done < from) from = done;
        if (erasure->pos > end) end = erasure->pos;
    }
    *ret_from = from < end ? from : end;
    *ret_to = end - *ret_from > STRIDE_BYTES ? *ret_from + STRIDE_BYTES : end;
}

static Status erase_journal(const struct group *group, Arena arena, Err *err)
{
    struct applier *applier = group->applier;
    struct taking taking = { .group = group };
    JournalPos from, to;
    uint64_t erased;
    find_range(group, &from, &to);
    Status s = from < to ? open_taking(&taking, &arena, err) : OK;
    if (!s && from < to)
        s = journal_erase(applier->options.journal, from, to, takes_record, &taking, ERASED_FIRST_BYTE, &erased, err);
    buf_done(&taking.quoted);
    free(taking.hashes);
    if (s) return s;
    pthread_mutex_lock(&applier->lock);
    for (size_t at = 0; at < group->count; at++) {
        struct erasure *erasure = group->erasures[at];
        JournalPos done = to < erasure->pos ? to : erasure->pos;
        if (done > erasure->done) erasure->done = done;
        erasure->journal_records = erasure->taken_count;
        if (erasure->done >= erasure->pos) erasure->stage = ERASING_INDEX;
    }
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
    bool is_open = !s;
    for (uint32_t run = 0; !s && run < index_snapshot_run_count(snapshot); run++)
        for (size_t span = 0; !s && span < erasure->span_count; span++)
            s = take_span(erasure, index_snapshot_run(snapshot, run), &erasure->spans[span], bytes, err);
    if (is_open) index_snapshot_close(snapshot);
    free(bytes);
    return s;
}

static int compare_positions(const void *a, const void *b)
{
    JournalPos x = *(const JournalPos *)a, y = *(const JournalPos *)b;
    return x < y ? -1 : x > y;
}

/* What the index loses, of all of them: each once, ascending. */
struct losses { uint32_t *nodes; size_t node_count; JournalPos *positions; size_t position_count; };

static void open_losses(struct losses *losses, const struct group *group)
{
    size_t nodes = 0, positions = 0, kept = 0;
    for (size_t at = 0; at < group->count; at++) {
        nodes += group->erasures[at]->node_count;
        positions += group->erasures[at]->taken_count;
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
    }
    qsort(losses->nodes, losses->node_count, sizeof *losses->nodes, compare_nodes);
    qsort(losses->positions, losses->position_count, sizeof *losses->positions, compare_positions);
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
    struct applier *applier = group->applier;
    struct losses losses;
    uint64_t rows = 0;
    Status s = OK;
    for (size_t at = 0; !s && at < group->count; at++)
        if (group->erasures[at]->span_count) s = take_spans(applier, group->erasures[at], err);
    if (s) return s;
    open_losses(&losses, group);
    IndexErase erase = { losses.nodes, losses.node_count, losses.positions, losses.position_count };
    s = index_erase(applier->index, &erase, &rows, err);
    free(losses.nodes);
    free(losses.positions);
    pthread_mutex_lock(&applier->lock);
    group->erasures[0]->index_rows += rows;                   /* of all of them */
    for (size_t at = 0; !s && at < group->count; at++)
        group->erasures[at]->stage = applier->options.has_destinations ? ERASING_DESTINATIONS : ERASING_COMMAND;
    pthread_mutex_unlock(&applier->lock);
    return s;
}

/* ---- The command ---- */

static bool takes_command(void *context, Str record, JournalPos pos)
{
    const struct group *group = context;
    for (size_t at = 0; record_kind(record) == RECORD_COMMAND && at < group->count; at++)
        if (group->erasures[at]->pos == pos) return true;
    return false;
}

/* The row that stays says that the store is to be rewritten, and nothing else. */
static Status erase_commands(const struct group *group, Err *err)
{
    struct applier *applier = group->applier;
    static const uint32_t counts[2] = { 0 };
    Str nobody = str_of(counts, sizeof counts);
    JournalPos from = UINT64_MAX, to = 0;
    uint64_t erased;
    char key[9];
    for (size_t at = 0; at < group->count; at++) {
        JournalPos pos = group->erasures[at]->pos;
        if (pos < from) from = pos;
        if (pos + 1 > to) to = pos + 1;
    }
    Status s = journal_erase(applier->options.journal, from, to, takes_command, (void *)(uintptr_t)group,
                             ERASED_FIRST_BYTE, &erased, err);
    if (s) return s;
    pthread_mutex_lock(&applier->lock);
    for (size_t at = 0; at < group->count; at++) {
        erasure_key(group->erasures[at]->pos, key);
        apply_note_change_locked(applier, str_of(key, sizeof key), &nobody);
        group->erasures[at]->stage = ERASING_STATE;
    }
    pthread_mutex_unlock(&applier->lock);
    return OK;
}

/* ---- In steps ---- */

Status apply_step_erasure(struct applier *applier, bool *ret_more, Err *err)
{
    struct region region;
    bool waits;
    Status s = OK;
    struct group group = take_group(applier, &waits);
    *ret_more = false;
    if (!group.count) {                                       /* the applier's, behind its next save */
        free(group.erasures);
        if (waits) atomic_store_explicit(&applier->wants_save, true, memory_order_release);
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
