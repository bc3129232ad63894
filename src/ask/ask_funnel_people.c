/* ask_funnel_people: the people of a step, page by page, and the events that put them there.
 *
 * A first scan finds who they are and when their chain began; the page is cut out of that (ask_list.h). A second scan
 * of the same events looks only at the people of the page, and remembers which rows are the steps of their chains.
 */
#include "ask_drop.h"
#include "ask_funnel.h"
#include "ask_list.h"

enum { OUTCOME_CONVERTED, OUTCOME_DROPPED };

/* One person of the page. */
struct member {
    uint32_t depth, group;
    uint32_t refs[CHAIN_STEPS_MAX];
    uint8_t steps[CHAIN_STEPS_MAX];     /* which step it is */
    Millis times_ms[CHAIN_STEPS_MAX];
    Drop drop;                          /* if the person dropped: why */
};

struct listing {
    FunnelQuestion question;
    const Groups *groups;
    uint32_t step, outcome;
    bool tells_events;
    const IndexValue *value;            /* of the group; NULL: everybody */
    struct ask_list list;
    struct member *members;             /* beside the list's */
};

/* ---- Parsing ---- */

static Status parse_group(struct listing *listing, Err *err)
{
    Query *query = &listing->question.query;
    const TreeNode *json = event_tree_get(query->root, STR("group"));
    if (!json) return OK;
    if (!listing->question.by.is_given) return err_set_field(err, "group", "needs by");
    IndexValue *value = arena_new(query->arena, IndexValue, 1);
    listing->value = value;
    if (value_of_question(json, query->arena, value)) return OK;
    return err_set_field(err, "group", "a group's value was expected");
}

static Status listing_parse(struct listing *listing, Str question, const QueryWorld *world, Arena *arena, Err *err)
{
    static const char *const allowed[]
        = { "steps", "exclusions", "of", "window", "order", "range", "from", "to", "timezone", "where", "by",
            "attribution", "limit", "step", "outcome", "group", "cursor", "events", NULL };
    static const char *const outcomes[] = { "converted", "dropped", NULL };
    Query *query = &listing->question.query;
    Status s = funnel_parse(&listing->question, question, world, arena, allowed, err);
    if (!s) s = query_count(query, "step", 1, 1, listing->question.rules.step_count, &listing->step);
    if (!s) s = query_word(query, "outcome", OUTCOME_CONVERTED, outcomes, &listing->outcome);
    if (!s && listing->outcome == OUTCOME_DROPPED && listing->step == listing->question.rules.step_count)
        s = err_set_field(err, "step", "nobody drops after the last step; %u at most", listing->step - 1);
    if (!s) s = query_count(query, "limit", 50, 1, 1000, &listing->list.limit);
    if (!s) s = parse_group(listing, err);
    if (!s) s = ask_list_read(&listing->list, query, err);
    const TreeNode *events = s ? NULL : event_tree_get(query->root, STR("events"));
    if (events && events->kind != FIELD_BOOL) s = err_set_field(err, "events", "true or false was expected");
    listing->tells_events = !events || events->truth;
    return s;
}

/* ---- Who ---- */

static void find_person(void *context, uint32_t worker, uint32_t person, const Hits *hits, Arena scratch)
{
    struct listing *listing = context;
    Chain chain;
    funnel_find(&listing->question, listing->groups, listing->value, hits, scratch, &chain);
    if (chain.depth < listing->step || (listing->outcome == OUTCOME_DROPPED && chain.depth > listing->step)) return;
    ask_list_put(&listing->list, worker, chain.times_ms[0], person);
}

/* ---- By which events ---- */

static void take_chain(void *context, uint32_t worker, uint32_t person, const Hits *hits, Arena scratch)
{
    struct listing *listing = context;
    Chain chain;
    uint32_t at = ask_list_find(&listing->list, person);
    (void)worker;
    if (at == listing->list.member_count) return;
    struct member *member = &listing->members[at];
    funnel_find(&listing->question, listing->groups, listing->value, hits, scratch, &chain);
    member->depth = chain.depth;
    ask_find_drop(&listing->question.rules, hits, &chain, &member->drop);
    member->group = chain.depth ? hits->hits[chain.entry].group : 0;
    for (uint32_t step = 0; step < chain.depth; step++) {
        member->refs[step] = hits->hits[chain.events[step]].ref;
        member->times_ms[step] = chain.times_ms[step];
        member->steps[step] = listing->question.rules.order == ORDER_ANY ? chain.steps[step] : (uint8_t)step;
    }
}

static Status find_chains(struct listing *listing, struct scan *first, struct scan **ret, ScanSpec *spec, Err *err)
{
    Status s = OK;
    listing->members = answer_take(listing->question.query.arena, sizeof *listing->members,
                                   listing->list.member_count + (size_t)1, &s, err);
    if (s) return s;
    *spec = funnel_spec(&listing->question);
    spec->on_person = take_chain;
    spec->context = listing;
    spec->like = first;
    spec->wants_refs = true;
    spec->only_people = listing->list.only_people;
    s = scan_open(&listing->question.query, spec, ret, err);
    if (s) return s;
    listing->groups = scan_groups(*ret);
    return scan_run(*ret, err);
}

/* ---- Writing ---- */

static Status write_event(const struct listing *listing, struct scan *scan, const struct member *member, uint32_t step,
                          struct buf *answer, Err *err)
{
    AskRow row = { member->times_ms[step], member->refs[step], listing->tells_events };
    json_object(answer, NULL);
    json_string(answer, "event", listing->question.selectors[member->steps[step]].label);
    Status s = ask_list_write_row(&listing->question.query, scan, row, answer, err);
    json_object_end(answer);
    return s;
}

static void write_drop(const Drop *drop, struct buf *answer)
{
    if (drop->why == DROP_NONE) {
        json_null(answer, "reason");
        return;
    }
    json_object(answer, "reason");
    json_word(answer, "code", ask_drop_word(drop->why));
    json_uint(answer, "step", drop->step);
    if (drop->why == DROP_NEVER) json_null(answer, "time");
    else answer_instant(answer, "time", drop->at_ms);
    if (drop->over_ms) json_int(answer, "late_ms", drop->over_ms);
    else json_null(answer, "late_ms");
    json_object_end(answer);
}

static Status write_member(const struct listing *listing, struct scan *scan, uint32_t at, struct buf *answer, Err *err)
{
    const struct member *member = &listing->members[at];
    Status s = OK;
    json_object(answer, NULL);
    ask_list_write_person(&listing->question.query, scan, listing->list.members[at].person, answer);
    json_uint(answer, "depth", member->depth);
    json_name(answer, STR("group"));
    if (listing->question.by.is_given) group_write(listing->groups, member->group, answer);
    else json_null(answer, NULL);
    if (listing->outcome == OUTCOME_DROPPED) write_drop(&member->drop, answer);
    json_array(answer, "steps");
    for (uint32_t step = 0; step < member->depth && !s; step++)
        s = write_event(listing, scan, member, step, answer, err);
    json_array_end(answer);
    json_object_end(answer);
    return s;
}

static Status write_answer(struct listing *listing, struct scan *scan, struct buf *answer, Err *err)
{
    static const char *const outcomes[] = { "converted", "dropped" };
    Status s = OK;
    json_object(answer, NULL);
    json_uint(answer, "step", listing->step);
    json_word(answer, "outcome", outcomes[listing->outcome]);
    json_uint(answer, "total", listing->list.total);
    json_array(answer, "people");
    for (uint32_t at = 0; at < listing->list.member_count && !s; at++) {
        s = answer_go_on(listing->question.query.world, err);
        if (!s) s = write_member(listing, scan, at, answer, err);
    }
    json_array_end(answer);
    ask_list_write_cursor(&listing->list, answer);
    funnel_write_rules(&listing->question, answer);
    if (!s) answer_close(&listing->question.query, scan, answer);
    return s;
}

Status answer_funnel_people(Str question, const QueryWorld *world, Arena *arena, struct buf *answer, Err *err)
{
    Status s = OK;
    struct scan *first = NULL, *second = NULL;
    size_t memory = world->memory_bytes ? world->memory_bytes : (size_t)1 << 30;
    struct listing *listing = answer_take(arena, sizeof *listing, 1, &s, err);
    if (!s) s = listing_parse(listing, question, world, arena, err);
    if (s) return s;
    ScanSpec spec = funnel_spec(&listing->question), second_spec;
    spec.on_person = find_person;
    spec.context = listing;
    if (!listing->value) spec.group_bits = 0;          /* nobody asks for a group yet */
    if (!listing->value && !listing->question.by.is_trait) spec.by = (Breakdown){ 0 };
    s = scan_open(&listing->question.query, &spec, &first, err);
    if (s) return s;
    listing->groups = scan_groups(first);
    ask_list_open(&listing->list, scan_worker_count(first), memory / 4);
    s = scan_run(first, err);
    if (!s && atomic_load(&listing->question.lacks_memory))
        s = err_set(err, ERR_TOO_LARGE, "somebody has more events than the question has memory for; narrow it");
    if (!s) s = ask_list_cut(&listing->list, scan_people_max(first), arena, err);
    ask_list_close(&listing->list);
    if (!s) s = find_chains(listing, first, &second, &second_spec, err);
    if (!s) s = write_answer(listing, second, answer, err);
    scan_close(second);
    scan_close(first);
    return s;
}
