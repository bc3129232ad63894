/* derive_dry: who would be who under other rules. Two engines, one for each set of rules, read the whole journal; then
 * it compares whom every identifier belongs to in each. Dedup is not needed: who is who is a function of the set of
 * messages. */
#include "derive_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { DRY_STATE, DRY_EVIDENCE, DRY_TABLES };
enum { SAVE_MESSAGES = 1000000, DRY_ARENA_BYTES = 64 * LIMIT_RECORD_BYTES };

struct side {
    const PeopleRules *rules;
    struct kv *kv;
    struct identity *identity;
    struct control *control;                /* what operators have ordered so far, under these rules */
    char dir[PATH_BYTES];
};

struct dry {
    const DryRunOptions *options;
    struct side sides[2];
    struct event_parser *parser;
    struct region region;
};

static Status open_side(struct dry *dry, struct side *side, const PeopleRules *rules, const char *name, Err *err)
{
    static const char *const tables[DRY_TABLES] = { "state", "evidence" };
    snprintf(side->dir, sizeof side->dir, "%s/%s", dry->options->scratch_dir, name);
    side->rules = rules;
    Status s = kv_destroy(side->dir, err);
    if (!s) s = kv_open(&(KvOptions){ .dir = side->dir, .tables = tables, .table_count = DRY_TABLES }, &side->kv, err);
    if (s) return s;
    IdentityOptions options = { .rules = rules->identity, .archive = derive_archive(dry->options->journal),
                                .store = { side->kv, DRY_STATE, DRY_EVIDENCE }, .seed = dice_u64(os_dice()) };
    s = identity_open(&options, &side->identity, err);
    if (s) return s;
    side->control = control_open(&(ControlOptions){ .journal = dry->options->journal, .rules = *rules });
    control_use(side->control, &(ControlStores){ .identity = side->identity });
    return OK;
}

static void close_side(struct side *side)
{
    control_close(side->control);
    identity_close(side->identity);
    kv_close(side->kv);
    if (side->dir[0]) IGNORE(kv_destroy(side->dir, NULL));
    if (side->dir[0]) IGNORE(os_disk()->remove(os_disk(), side->dir, NULL));
}

/* Writes the evidence to the disk, so that memory stays bounded. */
static Status save_side(struct side *side, uint64_t position, Err *err)
{
    struct kv_txn *txn;
    Status s = kv_begin_write(side->kv, &txn, err);
    if (s) return s;
    s = identity_save(side->identity, txn, position, err);
    if (s) kv_abort(txn);
    else s = kv_commit(txn, err);
    identity_end_save(side->identity, position, !s);
    return s;
}

/* ---- Applying ---- */

static Status apply_message(struct dry *dry, struct side *side, const Event *event, IdentityMessage message,
                            Arena arena, Err *err)
{
    PeopleExternals found;
    IdentityNode subject;
    Status s = people_find_externals(dry->parser, event->json, side->rules, &arena, &found, err);
    message.externals = found.items;
    message.external_count = found.count;
    return s ? s : identity_apply(side->identity, &message, &subject, err);
}

static Status apply_event(struct dry *dry, const JournalRecord *record, Arena arena, bool *ret_counts, Err *err)
{
    Event event;
    *ret_counts = false;
    Status s = OK;
    if (event_decode(record->bytes, &event, err)) return OK;
    const struct side *now = &dry->sides[0];                            /* who is suppressed by the present rules */
    if (control_suppresses_message(now->control, dry->parser, &event, arena)) return OK;
    IdentityMessage message = {
        .message_id = event.message_id, .time_ms = event.timestamp_ms, .position = record->pos,
        .is_alias = event.type == EVENT_ALIAS,
        .user_id = event.user_id, .anonymous_id = event.anonymous_id, .previous_id = event.previous_id,
        .source = identity_source(event.source),
    };
    *ret_counts = true;
    for (size_t side = 0; !s && side < 2; side++)
        s = apply_message(dry, &dry->sides[side], &event, message, arena, err);
    return s;
}

static Status forget(struct side *side, const CommandId *id, Err *err)
{
    IdentityKind kind = id->kind == COMMAND_USER_ID ? IDENTITY_USER : IDENTITY_ANONYMOUS;
    Str name, value = id->value;
    if (id->kind == COMMAND_EXTERNAL_ID) {
        name = str_cut(id->value, ':', &value);
        if (!identity_find_kind(side->identity, name, &kind)) return OK;
    }
    IdentityNode node = identity_find(side->identity, kind, value);
    return node == IDENTITY_NONE || !command_id_is_whole(id) ? OK : identity_erase(side->identity, node, err);
}

/* An erasure forgets people at once; there is nothing else here that it would have to go through. */
static Status apply_command(struct dry *dry, const JournalRecord *record, Arena arena, Err *err)
{
    JournalCommand command;
    Status s = OK;
    if (command_decode(record->bytes, &arena, &command, err)) return OK;
    for (size_t side = 0; !s && side < 2; side++) {
        if (command.kind != COMMAND_ERASE) s = control_run(dry->sides[side].control, record->bytes, record->pos, err);
        for (size_t at = 0; !s && command.kind == COMMAND_ERASE && at < command.id_count; at++)
            s = forget(&dry->sides[side], &command.ids[at], err);
    }
    return s;
}

static Status apply_all(struct dry *dry, DryRun *ret, Err *err)
{
    const DryRunOptions *options = dry->options;
    struct journal_reader *reader;
    JournalRecord record;
    JournalPos end = journal_end(options->journal);
    Status s = journal_reader_open(options->journal, 0, &reader, err);
    if (s) return s == ERR_NOT_FOUND ? OK : s;
    while (!s && !(s = journal_read_whole(reader, &record, err)) && record.pos < end) {
        bool counts = false;
        if (record_kind(record.bytes) == RECORD_EVENT)
            s = apply_event(dry, &record, region_arena(&dry->region), &counts, err);
        else if (record_kind(record.bytes) == RECORD_COMMAND)
            s = apply_command(dry, &record, region_arena(&dry->region), err);
        ret->messages += counts;
        for (size_t side = 0; !s && counts && ret->messages % SAVE_MESSAGES == 0 && side < 2; side++)
            s = save_side(&dry->sides[side], record.next, err);
        if (options->progress && counts && ret->messages % 4096 == 0)
            options->progress(options->context, record.pos, end);
    }
    journal_reader_close(reader);
    return s == ERR_NOT_FOUND ? OK : s;
}

/* ---- Comparing ---- */

struct pair { IdentityPerson whole, part; };

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->whole != y->whole) return x->whole < y->whole ? -1 : 1;
    return x->part < y->part ? -1 : x->part > y->part;
}

static IdentityPerson find_there_as(const struct side *there, IdentityKind kind, Str value)
{
    IdentityNode node = identity_find(there->identity, kind, value);
    return node == IDENTITY_NONE ? IDENTITY_NONE : identity_person_now(there->identity, node);
}

/* Who the identifier is on the other side; IDENTITY_NONE where its value names nobody there. */
static IdentityPerson find_there(const struct side *here, const struct side *there, IdentityNode node, Str value)
{
    IdentityKind kind = identity_kind_of(here->identity, node);
    if (identity_is_blocked(there->identity, value)) return IDENTITY_NONE;
    for (size_t at = 0; kind >= IDENTITY_EXTERNAL && at < there->rules->identity.external_count; at++)
        if (str_equal(there->rules->identity.externals[at].name, identity_kind_name(here->identity, kind)))
            return find_there_as(there, (IdentityKind)(IDENTITY_EXTERNAL + at), value);
    return kind >= IDENTITY_EXTERNAL ? IDENTITY_NONE : find_there_as(there, kind, value);
}

/* (person here, person there) of every identifier that both sides know, sorted; *ret_people: how many are here. */
static struct pair *list_pairs(const struct side *here, const struct side *there, size_t *ret_count,
                               uint64_t *ret_people, uint64_t *ret_identifiers)
{
    const struct identity_view *view = identity_take_view(here->identity);
    uint32_t node_count = view->node_count;
    identity_give_view(here->identity, view);
    struct pair *pairs = malloc((node_count + 1) * sizeof *pairs);
    size_t count = 0, kept = 0;
    char text[LIMIT_ID_BYTES];
    check(pairs);
    *ret_identifiers = 0;
    for (IdentityNode node = 0; node < node_count; node++) {
        Str value = identity_read_value(here->identity, node, text);
        IdentityKind kind = identity_kind_of(here->identity, node);
        if (!value.len || identity_find(here->identity, kind, value) != node) continue;
        pairs[count++] = (struct pair){ identity_person_now(here->identity, node),
                                        find_there(here, there, node, value) };
    }
    *ret_identifiers = count;
    *ret_people = 0;
    if (count) qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t at = 0; at < count; at++) {
        *ret_people += at == 0 || pairs[at].whole != pairs[at - 1].whole;
        bool is_again = kept && compare_pairs(&pairs[kept - 1], &pairs[at]) == 0;
        if (pairs[at].part != IDENTITY_NONE && !is_again) pairs[kept++] = pairs[at];
    }
    *ret_count = kept;
    return pairs;
}

static Str name_of(const struct side *side, IdentityPerson person, Arena *arena)
{
    char room[IDENTITY_PERSON_ID_BYTES];
    return arena_copy(arena, identity_person_id(side->identity, person, room));
}

struct comparison {
    const struct side *here, *there;
    struct pair *pairs;
    size_t count;
    Arena *arena;
};

/* Counts the people of this side that are several people on the other side. */
static void compare(const struct comparison *of, DryParting *ret)
{
    const struct pair *pairs = of->pairs;
    for (size_t from = 0, to; from < of->count; from = to) {
        for (to = from + 1; to < of->count && pairs[to].whole == pairs[from].whole;) to++;
        if (to - from < 2) continue;
        ret->wholes++;
        ret->parts += to - from;
        if (ret->example_count == DRY_EXAMPLES) continue;
        DryExample *example = &ret->examples[ret->example_count++];
        *example = (DryExample){ .whole = name_of(of->here, pairs[from].whole, of->arena), .all_count = to - from };
        for (size_t at = from; at < to && example->part_count < countof(example->parts); at++)
            example->parts[example->part_count++] = name_of(of->there, pairs[at].part, of->arena);
    }
}

static void compare_all(struct dry *dry, Arena *arena, DryRun *ret)
{
    struct side *before = &dry->sides[0], *after = &dry->sides[1];
    uint64_t identifiers_after;
    identity_publish(before->identity);
    identity_publish(after->identity);
    struct comparison split = { .here = before, .there = after, .arena = arena };
    split.pairs = list_pairs(before, after, &split.count, &ret->people_before, &ret->identifiers);
    compare(&split, &ret->split);
    free(split.pairs);
    struct comparison merged = { .here = after, .there = before, .arena = arena };
    merged.pairs = list_pairs(after, before, &merged.count, &ret->people_after, &identifiers_after);
    compare(&merged, &ret->merged);
    free(merged.pairs);
}

Status derive_dry_run(const DryRunOptions *options, Arena *arena, DryRun *ret, Err *err)
{
    struct dry *dry = calloc(1, sizeof *dry);
    check(dry);
    *ret = (DryRun){ 0 };
    dry->options = options;
    dry->parser = event_parser_open();
    check(dry->parser);
    region_open(&dry->region, DRY_ARENA_BYTES);
    Status s = os_disk()->make_dir(os_disk(), options->scratch_dir, err);
    if (!s) s = open_side(dry, &dry->sides[0], &options->before, "before", err);
    if (!s) s = open_side(dry, &dry->sides[1], &options->after, "after", err);
    if (!s) s = apply_all(dry, ret, err);
    if (!s) compare_all(dry, arena, ret);
    for (size_t side = 0; side < 2; side++) close_side(&dry->sides[side]);
    event_parser_close(dry->parser);
    region_close(&dry->region);
    free(dry);
    return s;
}
