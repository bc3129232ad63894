/* ask_funnel_people: the people of a step, page by page, and the events that put them there.
 *
 * A first scan finds who they are and when their chain began; the page is cut out of that; a second scan of the same
 * events looks at the people of the page alone, and remembers which rows the steps of their chains are.
 */
#include "ask_drop.h"
#include "ask_funnel.h"

#include <stdio.h>
#include <stdlib.h>

enum { OUTCOME_CONVERTED, OUTCOME_DROPPED };

/* One person of the page. */
struct member {
    Millis entry_ms;
    uint32_t person, depth, group;
    uint32_t refs[CHAIN_STEPS_MAX];
    uint8_t steps[CHAIN_STEPS_MAX];     /* which step it is */
    Millis times_ms[CHAIN_STEPS_MAX];
    Drop drop;                          /* of who dropped: why */
};

struct listing {
    FunnelQuestion question;
    const Groups *groups;
    uint32_t step, outcome, limit;
    bool has_cursor, tells_events;
    Millis cursor_ms;
    uint32_t cursor_person;
    const IndexValue *value;            /* of the group; NULL: everybody */
    struct number_vector vectors[QUERY_WORKERS_MAX]; /* pairs: entry's time, person */
    uint32_t worker_count;
    uint64_t total;
    struct member *members;             /* the page, in order */
    uint32_t member_count;
    bool has_more;
    uint64_t *only_people;
};

/* ---- Parsing ---- */

static Status parse_group(struct listing *listing, Err *err)
{
    Request *request = &listing->question.request;
    const TreeNode *json = event_tree_get(request->root, STR("group"));
    if (!json) return OK;
    if (!listing->question.by.is_given) return err_set_field(err, "group", "needs by");
    IndexValue *value = arena_new(request->arena, IndexValue, 1);
    listing->value = value;
    if (value_of_question(json, request->arena, value)) return OK;
    return err_set_field(err, "group", "a group's value was expected");
}

static Status parse_cursor(struct listing *listing, Err *err)
{
    const TreeNode *json = event_tree_get(listing->question.request.root, STR("cursor"));
    PageCursor cursor;
    if (!json || json->kind == FIELD_NULL) return OK;
    if (json->kind != FIELD_STRING || !json->text.len)
        return err_set_field(err, "cursor", "the page before's cursor.next was expected");
    Status s = page_read(PAGE_PERSON, UINT32_MAX, json->text, "cursor", &cursor, err);
    if (s) return s;
    listing->has_cursor = true;
    listing->cursor_ms = cursor.time_ms, listing->cursor_person = (uint32_t)cursor.number;
    return OK;
}

static Status listing_parse(struct listing *listing, Str question, const QueryWorld *world, Arena *arena, Err *err)
{
    static const char *const allowed[]
        = { "steps", "exclusions", "of", "window", "order", "range", "from", "to", "timezone", "where", "by",
            "attribution", "limit", "step", "outcome", "group", "cursor", "events", NULL };
    static const char *const outcomes[] = { "converted", "dropped", NULL };
    Request *request = &listing->question.request;
    Status s = funnel_parse(&listing->question, question, world, arena, allowed, err);
    if (!s) s = request_count(request, "step", 1, 1, listing->question.rules.step_count, &listing->step);
    if (!s) s = request_word(request, "outcome", OUTCOME_CONVERTED, outcomes, &listing->outcome);
    if (!s && listing->outcome == OUTCOME_DROPPED && listing->step == listing->question.rules.step_count)
        s = err_set_field(err, "step", "nobody drops after the last step; %u at most", listing->step - 1);
    if (!s) s = request_count(request, "limit", 50, 1, 1000, &listing->limit);
    if (!s) s = parse_group(listing, err);
    if (!s) s = parse_cursor(listing, err);
    const TreeNode *events = s ? NULL : event_tree_get(request->root, STR("events"));
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
    struct number_vector *vector = &listing->vectors[worker];
    (void)(number_vector_put(vector, (uint64_t)chain.times_ms[0]) && number_vector_put(vector, person));
}

/* The latest entry first. */
static bool is_before(Millis a_ms, uint32_t a, Millis b_ms, uint32_t b) { return a_ms != b_ms ? a_ms > b_ms : a < b; }

static int compare_members(const void *a, const void *b)
{
    const struct member *left = a, *right = b;
    return is_before(right->entry_ms, right->person, left->entry_ms, left->person)
        - is_before(left->entry_ms, left->person, right->entry_ms, right->person);
}

/* Keeps the first of those after the cursor: gathers twice as many as the page has, sorts, drops the later half. */
static Status cut_page(struct listing *listing, Err *err)
{
    Status s = OK;
    uint32_t room = (listing->limit + 1) * 2;
    struct member *members = answer_take(listing->question.request.arena, sizeof *members, room, &s, err);
    for (uint32_t worker = 0; !s && worker < listing->worker_count; worker++) {
        const struct number_vector *vector = &listing->vectors[worker];
        if (vector->is_full)
            return err_set(err, ERR_TOO_LARGE, "too many people for the memory that a question may use; narrow it");
        listing->total += vector->count / 2;
        for (size_t at = 0; at < vector->count; at += 2) {
            Millis entry_ms = (Millis)vector->items[at];
            uint32_t person = (uint32_t)vector->items[at + 1];
            if (listing->has_cursor && !is_before(listing->cursor_ms, listing->cursor_person, entry_ms, person))
                continue;
            members[listing->member_count++] = (struct member){ .entry_ms = entry_ms, .person = person };
            if (listing->member_count < room) continue;
            qsort(members, room, sizeof *members, compare_members);
            listing->member_count = listing->limit + 1;
        }
    }
    if (s) return s;
    qsort(members, listing->member_count, sizeof *members, compare_members);
    listing->has_more = listing->member_count > listing->limit;
    if (listing->has_more) listing->member_count = listing->limit;
    listing->members = members;
    return OK;
}

/* ---- By which events ---- */

static void take_chain(void *context, uint32_t worker, uint32_t person, const Hits *hits, Arena scratch)
{
    struct listing *listing = context;
    Chain chain;
    uint32_t at = 0;
    (void)worker;
    while (at < listing->member_count && listing->members[at].person != person) at++;
    if (at == listing->member_count) return;
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
    listing->only_people = answer_take(listing->question.request.arena, sizeof(uint64_t),
                                       scan_people_max(first) / 64 + (size_t)1, &s, err);
    if (s) return s;
    for (uint32_t at = 0; at < listing->member_count; at++) {
        uint32_t person = listing->members[at].person;
        listing->only_people[person / 64] |= UINT64_C(1) << person % 64;
    }
    *spec = funnel_spec(&listing->question);
    spec->on_person = take_chain;
    spec->context = listing;
    spec->like = first;
    spec->wants_refs = true;
    spec->only_people = listing->only_people;
    s = scan_open(&listing->question.request, spec, ret, err);
    if (s) return s;
    listing->groups = scan_groups(*ret);
    return scan_run(*ret, err);
}

/* ---- Writing ---- */

static Status write_event(const struct listing *listing, struct scan *scan, const struct member *member, uint32_t step,
                          struct buf *answer, Err *err)
{
    const QueryWorld *world = listing->question.request.world;
    Arena scratch = *listing->question.request.arena;
    JournalPos pos = 0;
    Str json = { 0 };
    Err unread = { 0 };
    Status s = member->refs[step] ? scan_position(scan, member->refs[step], scratch, &pos, err) : OK;
    if (s) return s;
    json_object(answer, NULL);
    json_string(answer, "event", listing->question.selectors[member->steps[step]].label);
    answer_instant(answer, "time", member->times_ms[step]);
    if (member->refs[step]) json_uint(answer, "position", pos);
    else json_null(answer, "position");
    if (listing->tells_events) {
        bool is_read = member->refs[step] && world->read_event
            && world->read_event(world->context, pos, &scratch, &json, &unread) == OK;
        json_raw(answer, "message", is_read ? json : STR("null"));     /* retired or erased since */
    }
    json_object_end(answer);
    return OK;
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

static Status write_member(const struct listing *listing, struct scan *scan, const struct member *member,
                           struct buf *answer, Err *err)
{
    const QueryWorld *world = listing->question.request.world;
    Status s = OK;
    json_object(answer, NULL);
    json_name(answer, STR("person"));
    if (listing->question.request.is_of_groups) {
        json_object(answer, NULL);
        json_string(answer, "group_id", scan_account(scan, member->person));
        json_object_end(answer);
    } else if (world->write_person) world->write_person(world->context, member->person, answer);
    else json_uint(answer, NULL, member->person);
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
    json_uint(answer, "total", listing->total);
    json_array(answer, "people");
    for (uint32_t at = 0; at < listing->member_count && !s; at++) {
        s = answer_go_on(listing->question.request.world, err);
        if (!s) s = write_member(listing, scan, &listing->members[at], answer, err);
    }
    json_array_end(answer);
    json_object(answer, "cursor");
    const struct member *last = listing->member_count ? &listing->members[listing->member_count - 1] : NULL;
    char room[PAGE_CURSOR_BYTES];
    Str next = { 0 };
    if (listing->has_more && last)
        next = page_write(PAGE_PERSON, (PageCursor){ .number = last->person, .time_ms = last->entry_ms }, room);
    json_string_or_null(answer, "next", next);
    json_bool(answer, "has_more", listing->has_more);
    json_object_end(answer);
    funnel_write_rules(&listing->question, answer);
    if (!s) answer_close(&listing->question.request, scan, answer);
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
    s = scan_open(&listing->question.request, &spec, &first, err);
    if (s) return s;
    listing->groups = scan_groups(first);
    listing->worker_count = scan_worker_count(first);
    for (uint32_t at = 0; at < listing->worker_count; at++)
        number_vector_open(&listing->vectors[at], memory / 4 / listing->worker_count);
    s = scan_run(first, err);
    if (!s && atomic_load(&listing->question.lacks_memory))
        s = err_set(err, ERR_TOO_LARGE, "somebody has more events than the question has memory for; narrow it");
    if (!s) s = cut_page(listing, err);
    for (uint32_t at = 0; at < listing->worker_count; at++) number_vector_close(&listing->vectors[at]);
    if (!s) s = find_chains(listing, first, &second, &second_spec, err);
    if (!s) s = write_answer(listing, second, answer, err);
    scan_close(second);
    scan_close(first);
    return s;
}
