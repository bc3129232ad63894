/* control_forget: what an erasure forgets at once, when its command is carried out: its ids in identity and traits, and
 * everything that memory knows only from messages that are erased. control_erase.c removes these messages from the
 * disk.
 *
 * If a disk fails, this stops. Later all of it is done again, with what the erasure has noted by then.
 */
#include "control_private.h"

#include <stdlib.h>

/* ---- Aliases ---- */

struct alias_search { struct erasure *erasure; uint32_t *users; size_t user_count; };       /* users are ascending */

static void note_alias(void *context, IdentityNode user, uint64_t position)
{
    const struct alias_search *search = context;
    struct erasure *erasure = search->erasure;
    if (bsearch(&user, search->users, search->user_count, sizeof user, control_compare_nodes)) return;
    check(vector_reserve(erasure->aliases, erasure->alias_capacity, erasure->alias_count + 1, UINT32_MAX));
    erasure->aliases[erasure->alias_count++] = position;
}

/* Notes the positions of aliases that are erased though their user is not: ascending, each once. */
static Status find_aliases(struct control *control, struct erasure *erasure, const JournalCommand *command, Err *err)
{
    struct alias_search search = { erasure, malloc((command->id_count + 1) * sizeof *search.users), 0 };
    size_t kept = 0;
    Status s = OK;
    check(search.users);
    for (size_t at = 0; at < command->id_count; at++)
        if (command->ids[at].kind == COMMAND_USER_ID)
            search.users[search.user_count++] = identity_find(control->stores.identity, IDENTITY_USER,
                                                              command->ids[at].value);
    qsort(search.users, search.user_count, sizeof *search.users, control_compare_nodes);
    for (size_t at = 0; !s && at < command->id_count; at++) {
        const CommandId *id = &command->ids[at];
        if (id->kind == COMMAND_EXTERNAL_ID || id->keeps_aliases || !command_id_is_whole(id)) continue;
        s = identity_visit_aliases(control->stores.identity, id->value, note_alias, &search, err);
    }
    free(search.users);
    if (erasure->alias_count)
        qsort(erasure->aliases, erasure->alias_count, sizeof *erasure->aliases, compare_u64);
    for (size_t at = 0; at < erasure->alias_count; at++)
        if (at == 0 || erasure->aliases[at] != erasure->aliases[kept - 1])
            erasure->aliases[kept++] = erasure->aliases[at];
    erasure->alias_count = kept;
    return s;
}

static void note_beside_one(struct erasure *erasure, IdentityNode node)
{
    if (node == IDENTITY_NONE) return;
    check(vector_reserve(erasure->beside, erasure->beside_capacity, erasure->beside_count + 1, UINT32_MAX));
    erasure->beside[erasure->beside_count++] = node;
}

struct said { IdentityPair *pairs; size_t count, capacity; };

/* If the journal does not have the record any more, or nobody can read it, it is passed over: a rebuild would learn
 * nothing from it either. */
static Status read_message(struct control *control, struct erasure *erasure, uint64_t position, Arena arena,
                           struct said *said, Err *err)
{
    struct identity *identity = control->stores.identity;
    const PeopleRules *rules = &control->options.rules;
    PeopleExternals externals = { .count = 0 };
    struct journal_reader *reader;
    JournalRecord record;
    Event event;
    Status s = journal_read_at(control->options.journal, journal_position(position), &reader, &record, err);
    bool is_it = !s && record_kind(record.bytes) == RECORD_EVENT;
    if (is_it) s = event_decode(record.bytes, &event, err);
    if (is_it && !s && rules->identity.external_count)
        s = people_find_externals(control->parser, event.json, rules, &arena, &externals, err);
    if (is_it && !s) {
        IdentityMessage message = { .message_id = event.message_id, .time_ms = event.timestamp_ms,
                                    .position = position, .is_alias = event.type == EVENT_ALIAS,
                                    .user_id = event.user_id, .anonymous_id = event.anonymous_id,
                                    .previous_id = event.previous_id, .externals = externals.items,
                                    .external_count = externals.count };
        note_beside_one(erasure, identity_find(identity, IDENTITY_USER, event.user_id));
        note_beside_one(erasure, identity_find(identity, IDENTITY_ANONYMOUS, event.anonymous_id));
        for (size_t at = 0; at < externals.count; at++)
            note_beside_one(erasure, identity_find(identity, externals.items[at].kind, externals.items[at].value));
        check(vector_reserve(said->pairs, said->capacity, said->count + IDENTITY_MESSAGE_EXTERNALS + 2, UINT32_MAX));
        said->count += identity_read_pairs(identity, &message, said->pairs + said->count);
    }
    journal_reader_close(reader);
    return s == ERR_NOT_FOUND || s == ERR_DAMAGED || s == ERR_UNSUPPORTED ? OK : s;
}

/* An alias that names one of the ids is erased (command_names_event), whoever sent it. Mostly that is one of the
 * person's users. But it may be somebody else, if the alias came after the erasure was asked for, was taken back, or
 * names a constant. Then everything that the alias said is forgotten with it, so that a rebuild, which does not find
 * the alias any more, gives the same result. */
static Status forget_aliases(struct control *control, struct erasure *erasure, const JournalCommand *command, Err *err)
{
    struct region region;
    struct said said = { 0 };
    Status s = find_aliases(control, erasure, command, err);
    if (s || !erasure->alias_count) return s;
    region_open(&region, 64 * 1024 * 1024);
    for (size_t at = 0; !s && at < erasure->alias_count; at++)
        s = read_message(control, erasure, erasure->aliases[at], region_arena(&region), &said, err);
    if (!s) s = identity_erase_pairs(control->stores.identity, said.pairs, said.count, err);
    region_close(&region);
    free(said.pairs);
    return s;
}

/* ---- Ids ---- */

static void note_held(void *context, IdentityNode node) { note_beside_one(context, node); }

/* Notes ids that the user's messages have but the command does not name: an anonymous id whose first message came after
 * the erasure was asked for; an external id that somebody else had, too, or that is beyond the user's limit. The user's
 * messages are erased, and then these ids are forgotten, unless another message has them (unsee_spans,
 * unsee_externals). */
static Status note_beside(struct control *control, struct erasure *erasure, IdentityNode user, Err *err)
{
    struct region region;
    IdentityMember *members;
    size_t count = 0;
    region_open(&region, 64 * 1024 * 1024);
    Arena arena = region_arena(&region);
    IdentityPerson person = identity_person_now(control->stores.identity, user);
    Status s = identity_list_members(control->stores.identity, person, &arena, &members, &count, err);
    for (size_t at = 0; !s && at < count; at++)
        if (members[at].kind != IDENTITY_USER) note_beside_one(erasure, members[at].node);
    identity_visit_held(control->stores.identity, user, note_held, erasure);
    region_close(&region);
    return s;
}

struct external_search { struct erasure *erasure; const CommandId *id; struct said said; };

static void note_external(void *context, const IdentityPair *pair, Millis time_ms)
{
    struct external_search *search = context;
    struct said *said = &search->said;
    if (pair->position >= journal_number(search->erasure->pos)) return;
    if (time_ms < search->id->from_ms || (time_ms >= search->id->to_ms && search->id->to_ms != INT64_MAX)) return;
    note_beside_one(search->erasure, pair->owner);           /* even if the journal has lost the message */
    check(vector_reserve(said->pairs, said->capacity, said->count + 1, UINT32_MAX));
    said->pairs[said->count++] = *pair;
}

/* The messages that came under the anonymous id without a user are erased. What they said about external ids is
 * forgotten with them; an external id that no other message has is not known any more (unsee_externals). */
static Status forget_beside_anonymous(struct control *control, struct erasure *erasure, const CommandId *id,
                                      IdentityNode node, Err *err)
{
    struct external_search search = { erasure, id, { 0 } };
    struct region region;
    Status s = identity_visit_externals(control->stores.identity, node, note_external, &search, err);
    size_t count = search.said.count;
    if (!count) return s;
    region_open(&region, 64 * 1024 * 1024);
    for (size_t at = 0; !s && at < count; at++)              /* one external id may be linked to another */
        s = read_message(control, erasure, search.said.pairs[at].position, region_arena(&region), &search.said, err);
    if (!s) s = identity_erase_pairs(control->stores.identity, search.said.pairs, search.said.count, err);
    region_close(&region);
    free(search.said.pairs);
    return s;
}

/* Notes each node only once, since a second try comes here again. */
static void add_node(struct erasure *erasure, uint32_t node)
{
    for (size_t at = 0; at < erasure->node_count; at++)
        if (erasure->nodes[at] == node) return;
    erasure->nodes[erasure->node_count++] = node;
}

static void add_span(struct erasure *erasure, struct erased_span span)
{
    for (size_t at = 0; at < erasure->span_count; at++) {
        const struct erased_span *has = &erasure->spans[at];
        if (has->node == span.node && has->from_ms == span.from_ms && has->to_ms == span.to_ms) return;
    }
    erasure->spans[erasure->span_count++] = span;
}

/* Users are forgotten first. If after this an anonymous id is still linked to a user, it also belongs to somebody else,
 * who came after the erasure was asked for. Then messages with this id and no user are erased; that user's messages
 * stay, and so does the id. */
static Status forget_id(struct control *control, struct erasure *erasure, const CommandId *id, Err *err)
{
    bool is_anothers = false;
    IdentityKind kind = id->kind == COMMAND_USER_ID ? IDENTITY_USER : IDENTITY_ANONYMOUS;
    bool is_external = id->kind == COMMAND_EXTERNAL_ID;
    IdentityNode node = is_external ? people_find_external(control->stores.identity, id->value)
                                    : identity_find(control->stores.identity, kind, id->value);
    if (node == IDENTITY_NONE) return OK;
    if (is_external) return note_beside_one(erasure, node), OK;
    Hash128 member = identity_lasting_number(control->stores.identity, node);
    Status s = profile_erase(control->stores.profile, node, member, id->from_ms, id->to_ms, err);
    if (s) return s;
    if (kind == IDENTITY_ANONYMOUS) s = forget_beside_anonymous(control, erasure, id, node, err);
    if (!s && command_id_is_whole(id) && kind == IDENTITY_USER) s = note_beside(control, erasure, node, err);
    if (!s && kind == IDENTITY_ANONYMOUS && command_id_is_whole(id))
        s = identity_has_user_beside(control->stores.identity, node, &is_anothers, err);
    if (s) return s;
    if (command_id_is_whole(id) && !is_anothers) add_node(erasure, node);
    else add_span(erasure, (struct erased_span){ node, id->from_ms, id->to_ms });
    if (is_anothers) return identity_erase_alone(control->stores.identity, node, err);
    return command_id_is_whole(id) ? identity_erase(control->stores.identity, node, err) : OK;
}

/* ---- Ids that no message has any more ---- */

/* Does an erasure remove this row, which the index may still have? */
static bool is_covered(const struct control *control, const struct erasure *now, uint32_t node, Millis time_ms,
                       JournalPos pos)
{
    for (size_t at = 0; at <= control->erasure_count; at++) {
        const struct erasure *erasure = at < control->erasure_count ? control->erasures[at] : now;
        for (size_t span = 0; span < erasure->span_count && pos < erasure->pos; span++)
            if (erasure->spans[span].node == node && control_is_in_span(&erasure->spans[span], time_ms)) return true;
        uint64_t position = journal_number(pos);
        if (erasure->alias_count && bsearch(&position, erasure->aliases, erasure->alias_count, sizeof position,
                                            compare_u64)) return true;
    }
    return false;
}

struct row_search {
    const struct control *control;
    const struct erasure *now;
    unsigned char *bytes;                   /* INDEX_CODES_BYTES */
};

/* Does the run have a row of this subject that nobody has erased? */
static Status find_kept_row(const struct row_search *search, const IndexRun *run, uint32_t node, bool *ret, Err *err)
{
    IndexCodes codes;
    uint32_t ordinal, row = index_run_row_of(run, node, 0, &ordinal);
    if (ordinal == run->subject_count || run->subjects[ordinal] != node) return OK;
    index_codes_init(&codes, run, INDEX_POSITIONS, 0, search->bytes, NULL);
    do {
        Millis time_ms = run->times.base + (Millis)index_packed_get(&run->times, row);
        Status s = index_codes_has(&codes, row) ? OK : index_codes_load(&codes, row, err);
        if (s) return s;
        *ret = !is_covered(search->control, search->now, node, time_ms, index_codes_get(&codes, row));
        row++;
    } while (!*ret && row < run->row_count && !(run->starts[row / 64] >> (row % 64) & 1));
    return OK;
}

/* An anonymous id of several people keeps the times of the others, and an id that an erased user's messages had keeps
 * the messages of its own. But some of these ids have no message left: neither one with a user (the evidence tells) nor
 * one of their own (the index has all before this command). Such an id is not known from messages any more, and an
 * alias that names it may come to mean somebody else (rule 1 of identity.h). The same holds for a user who was known
 * only from aliases that are erased. */
static Status unsee_spans(struct control *control, struct erasure *now, Err *err)
{
    struct index_snapshot *snapshot = NULL;
    struct row_search search = { control, now, malloc(INDEX_CODES_BYTES) };
    Status s = OK;
    check(search.bytes);
    if (now->beside_count) qsort(now->beside, now->beside_count, sizeof *now->beside, control_compare_nodes);
    for (size_t at = 0; !s && at < now->span_count + now->beside_count; at++) {
        bool is_span = at < now->span_count, is_kept;
        uint32_t node = is_span ? now->spans[at].node : now->beside[at - now->span_count];
        if (is_span && at && now->spans[at - 1].node == node) continue;
        if (!is_span && at > now->span_count && now->beside[at - now->span_count - 1] == node) continue;
        if (identity_kind_of(control->stores.identity, node) >= IDENTITY_EXTERNAL) continue;
        is_kept = false;                                     /* a user is known only from rows of its own */
        if (identity_kind_of(control->stores.identity, node) == IDENTITY_ANONYMOUS)
            s = identity_has_user_beside(control->stores.identity, node, &is_kept, err);
        if (!s && !is_kept && !snapshot) s = index_snapshot_open(control->stores.index, &snapshot, err);
        for (uint32_t run = 0; !s && !is_kept && run < index_snapshot_run_count(snapshot); run++)
            s = find_kept_row(&search, index_snapshot_run(snapshot, run), node, &is_kept, err);
        if (!s && snapshot) s = index_snapshot_check(snapshot, err);
        if (!s && !is_kept) s = identity_unsee(control->stores.identity, node, err);
    }
    index_snapshot_close(snapshot);
    free(search.bytes);
    return s;
}

/* An external id is never the subject of an event, and no message is erased because of it. It is known as long as there
 * is evidence of it from any message, just as after a rebuild. */
static Status unsee_externals(struct control *control, const struct erasure *now, Err *err)
{
    struct identity *identity = control->stores.identity;
    uint32_t *nodes = malloc((now->beside_count + 1) * sizeof *nodes);
    size_t count = 0;
    check(nodes);
    for (size_t at = 0; at < now->beside_count; at++)        /* unsee_spans has sorted them */
        if (identity_kind_of(identity, now->beside[at]) >= IDENTITY_EXTERNAL
            && (!count || now->beside[at] != nodes[count - 1])) nodes[count++] = now->beside[at];
    Status s = count ? identity_drop_evident(identity, nodes, &count, err) : OK;
    for (size_t at = 0; !s && at < count; at++) s = identity_unsee(identity, nodes[at], err);
    free(nodes);
    return s;
}

Status control_forget_ids(struct control *control, struct erasure *erasure, const JournalCommand *command, Err *err)
{
    Status s = forget_aliases(control, erasure, command, err);
    for (size_t at = 0; !s && at < 2 * command->id_count; at++) {
        const CommandId *id = &command->ids[at % command->id_count];
        bool is_second = id->kind == COMMAND_ANONYMOUS_ID;
        if (is_second == (at >= command->id_count)) s = forget_id(control, erasure, id, err);
    }
    if (!s) s = unsee_spans(control, erasure, err);
    return s ? s : unsee_externals(control, erasure, err);
}
