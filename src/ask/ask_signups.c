/* ask_signups: new users by what they did first; docs/queries.md defines every number.
 *
 * A first scan finds each person's first sign-up of all time; those in the range are the people of the report. Three
 * more scans of the same events look at these people alone: what they did first, first referrer, first campaign.
 *
 * All of that is a least time a person. So nothing is brought together by person where there is room for a number each:
 * rows are taken in the order in which they lie, and each moves its person's number down, on whatever worker. What
 * would not fit is brought together, as for other questions, in as many passes as memory makes necessary.
 */
#include "ask_answer.h"
#include "ask_counter_map.h"
#include "ask_moments.h"
#include "ask_timeline.h"

#include <stdlib.h>

enum { SIGNUP_BIT = 1, ANY_BIT = 2, ANONYMOUS_BIT = 4, BUCKETS_OF_SIGNUPS = 10000 };
enum { DIMENSION_EVENT, DIMENSION_REFERRER, DIMENSION_CAMPAIGN, DIMENSION_COUNT };
enum { KEY_BUCKET_BITS = 20, GROUP_ALL = GROUPS_MAX, GROUP_WITH_HISTORY };

static const struct { const char *name, *left_out, *field; } dimensions[DIMENSION_COUNT] = {
    { "first_events", "first_events_left_out", "" },
    { "referrers", "referrers_left_out", "context.page.referrer" },
    { "campaigns", "campaigns_left_out", "context.campaign.source" },
};

/* Whose row a worker saw last: rows lie in the order of people, mostly. */
struct last_row {
    uint32_t person;
    bool is_known;
    size_t rank;
    Millis signup_ms;
    char apart[40];                     /* from the next worker's: lines of the cache are 64 bytes */
};

struct signups;
struct dimension {
    struct signups *signups;
    uint32_t number, group_max;
    ScanSpec spec;
    struct scan *scan;
    struct last_row last[QUERY_WORKERS_MAX];            /* of note_row */
    struct counter_map maps[QUERY_WORKERS_MAX], all;    /* by group and bucket */
};

struct signups {
    Query query;                        /* from: all time */
    Millis from_ms, first_ms;           /* from as it was given; the first sign-up that is told */
    uint64_t early[QUERY_WORKERS_MAX], late[QUERY_WORKERS_MAX];         /* at times that no event can have */
    Selector selectors[2];
    ScanSpec spec;                      /* of the first scan */
    bool is_by_user_id;
    ZoneUnit unit;
    uint32_t limit, worker_count;
    struct moments moments;             /* when each of them signed up */
    _Atomic uint64_t *firsts;           /* a person: the first sign-up (pack_first); NULL: hits are brought together */
    _Atomic uint64_t *bests;            /* a place in moments: what counts (pack_best); NULL likewise */
    Millis base_ms;                     /* no event that counts is before it */
    Timeline timeline;
    struct dimension dimensions[DIMENSION_COUNT];
};

static uint64_t key_of(uint32_t group, uint32_t bucket) { return (uint64_t)group << KEY_BUCKET_BITS | bucket; }

/* ---- Parsing ---- */

static Status signups_parse(struct signups *signups, Str question, const QueryWorld *world, Arena *arena, Err *err)
{
    static const char *const allowed[] = { "event", "unit", "week_start", "from", "to", "timezone", "where", "limit",
                                           NULL };
    Query *query = &signups->query;
    Status s = query_open(query, question, world, arena, allowed, err);
    const TreeNode *event = s ? NULL : event_tree_get(query->root, STR("event"));
    signups->is_by_user_id = !event || event->kind == FIELD_NULL;
    if (!s) s = query_event(query, "event", "*", &signups->selectors[0]);
    TreeNode any = { .kind = FIELD_STRING, .text = STR("*") };
    if (!s) s = query_selector(query, &any, "event", NULL, &signups->selectors[1]);
    if (!s) s = query_unit(query, ZONE_HOUR, &signups->unit);
    if (!s) s = query_count(query, "limit", 20, 1, 1000, &signups->limit);
    signups->from_ms = query->from_ms;
    signups->first_ms = query->first_ms;
    query->from_ms = INT64_MIN;
    if (query->first_ms > PLAUSIBLE_FROM_MS) query->first_ms = PLAUSIBLE_FROM_MS;
    return s;
}

/* ---- Who signed up ---- */

static void find_signup(void *context, uint32_t worker, uint32_t person, const Hits *hits, Arena scratch)
{
    struct signups *signups = context;
    uint32_t at = 0;
    (void)scratch;
    while (at < hits->count && hits->hits[at].time_ms < signups->query.first_ms) at++, signups->early[worker]++;
    if (at == hits->count || hits->hits[at].time_ms < signups->first_ms) return;
    if (hits->hits[at].time_ms >= signups->query.end_ms) signups->late[worker]++;
    else moments_put(&signups->moments, worker, person, hits->hits[at].time_ms);
}

/* Numbers of which the greatest is what is looked for; 0: none was put yet. */
static void put_greatest(_Atomic uint64_t *place, uint64_t number)
{
    uint64_t before = atomic_load_explicit(place, memory_order_relaxed);
    while (before < number && !atomic_compare_exchange_weak_explicit(place, &before, number, memory_order_relaxed,
                                                                     memory_order_relaxed)) continue;
}

static const uint64_t SIGN = UINT64_C(1) << 63;
static uint64_t pack_first(Millis time_ms) { return UINT64_MAX - ((uint64_t)time_ms ^ SIGN); }
static Millis unpack_first(uint64_t packed) { return (Millis)((UINT64_MAX - packed) ^ SIGN); }

/* The same of one row. */
static void note_signup(void *context, uint32_t worker, const ScanRow *row)
{
    struct signups *signups = context;
    if (row->person == QUERY_NOBODY) return;
    if (row->time_ms < signups->query.first_ms) signups->early[worker]++;
    else put_greatest(&signups->firsts[row->person], pack_first(row->time_ms));
}

static void put_firsts(struct signups *signups, uint32_t people_max)
{
    uint32_t share = people_max / signups->worker_count + 1;
    for (uint32_t person = 0; signups->firsts && person < people_max; person++) {
        uint64_t packed = atomic_load_explicit(&signups->firsts[person], memory_order_relaxed);
        Millis time_ms = unpack_first(packed);
        if (!packed || time_ms < signups->first_ms) continue;
        if (time_ms >= signups->query.end_ms) signups->late[0]++;
        else moments_put(&signups->moments, person / share, person, time_ms);
    }
}

/* Sign-ups over more units than an answer has: the last ones are told, unless from asks for all. */
static void clip_signups(struct signups *signups)
{
    Query *query = &signups->query;
    Millis first_ms = INT64_MAX, last_ms = INT64_MIN;
    uint64_t left_out = 0, early = 0, late = 0;
    for (uint32_t worker = 0; worker < signups->worker_count; worker++) {
        const struct number_vector *vector = &signups->moments.vectors[worker];
        early += signups->early[worker], late += signups->late[worker];
        for (size_t at = 1; at < vector->count; at += 2) {
            if ((Millis)vector->items[at] < first_ms) first_ms = (Millis)vector->items[at];
            if ((Millis)vector->items[at] > last_ms) last_ms = (Millis)vector->items[at];
        }
    }
    query_note_times(query, early, late);
    if (query->has_from || first_ms > last_ms) return;
    if (query->has_to) last_ms = query->end_ms - 1;
    first_ms = timeline_clip(query, signups->unit, first_ms, last_ms, BUCKETS_OF_SIGNUPS);
    for (uint32_t worker = 0; worker < signups->worker_count; worker++) {
        struct number_vector *vector = &signups->moments.vectors[worker];
        size_t kept = 0;
        for (size_t at = 0; at < vector->count; at += 2) {
            if ((Millis)vector->items[at + 1] < first_ms) continue;
            memmove(&vector->items[kept], &vector->items[at], 2 * sizeof *vector->items);
            kept += 2;
        }
        left_out += (vector->count - kept) / 2;
        vector->count = kept;
    }
    if (left_out)
        query_note(query, "from", "more than %d units: %" PRIu64 " earlier sign-ups are left out; a larger unit, "
                   "or from and to, tell them", BUCKETS_OF_SIGNUPS, left_out);
}

static Status gather_signups(struct signups *signups, uint32_t people_max, Err *err)
{
    put_firsts(signups, people_max);
    clip_signups(signups);
    return moments_gather(&signups->moments, people_max, "sign-ups", signups->query.arena, err);
}

/* Makes the buckets from the first to the last sign-up, or for the range that the question gives. */
static Status make_timeline(struct signups *signups)
{
    Millis first = INT64_MAX, last = INT64_MIN;
    for (size_t at = 0; at < signups->moments.count; at++) {
        if (signups->moments.times_ms[at] < first) first = signups->moments.times_ms[at];
        if (signups->moments.times_ms[at] > last) last = signups->moments.times_ms[at];
    }
    if (signups->from_ms != INT64_MIN) first = signups->from_ms;
    if (signups->query.to_ms != INT64_MAX) last = signups->query.to_ms - 1;
    if (first == INT64_MAX || last == INT64_MIN || first > last) return OK;
    return timeline_make(&signups->query, signups->unit, first, last, BUCKETS_OF_SIGNUPS, &signups->timeline);
}

/* ---- What they did first ---- */

/* The value on the earliest of the hits that count; of several at one instant the smallest. */
static void count_person(void *context, uint32_t worker, uint32_t person, const Hits *all, Arena scratch)
{
    struct dimension *dimension = context;
    const struct signups *signups = dimension->signups;
    struct counter_map *map = &dimension->maps[worker];
    Millis signup_ms = signups->moments.times_ms[moments_rank(&signups->moments, person)];
    const Hit *hits = all->hits, *best = NULL;
    bool has_history = false, is_event = dimension->number == DIMENSION_EVENT;
    (void)scratch;
    for (uint32_t at = 0; at < all->count && hits[at].time_ms <= signup_ms; at++) {
        bool is_anonymous = hits[at].steps & ANONYMOUS_BIT;
        bool is_history = is_anonymous && hits[at].time_ms < signup_ms;
        bool is_signup = hits[at].steps & SIGNUP_BIT && hits[at].time_ms == signup_ms
            && !(signups->is_by_user_id && is_anonymous);
        has_history |= is_history;
        if (!is_history && !is_signup) continue;
        if (!is_event && hits[at].group == GROUP_NOTHING) continue;
        if (!best || (hits[at].time_ms == best->time_ms && hits[at].group < best->group)) best = &hits[at];
    }
    uint32_t bucket = timeline_find(&signups->timeline, signup_ms, 0);
    counter_map_count(map, key_of(GROUP_ALL, bucket), 1);
    if (has_history) counter_map_count(map, key_of(GROUP_WITH_HISTORY, bucket), 1);
    counter_map_count(map, key_of(best ? best->group : (uint32_t)GROUP_NOTHING, bucket), 1);
}

/* ---- The same, row by row ---- */

enum { BEST_GROUP_BITS = 21 };
static_assert((int)GROUP_NO_MEMORY < 1 << BEST_GROUP_BITS, "a group fits");

/* Earlier is more, and of one instant the smaller group is. */
static uint64_t pack_best(const struct signups *signups, Millis time_ms, uint32_t group)
{
    return UINT64_MAX - ((uint64_t)(time_ms - signups->base_ms) << BEST_GROUP_BITS | group);
}

static void note_row(void *context, uint32_t worker, const ScanRow *row)
{
    struct dimension *dimension = context;
    struct signups *signups = dimension->signups;
    struct last_row *last = &dimension->last[worker];
    if (dimension->number != DIMENSION_EVENT && row->group == GROUP_NOTHING) return;
    if (!last->is_known || last->person != row->person) {
        size_t rank = moments_rank(&signups->moments, row->person);
        *last = (struct last_row){ row->person, true, rank, signups->moments.times_ms[rank], { 0 } };
    }
    Millis signup_ms = last->signup_ms;
    bool is_anonymous = row->steps & ANONYMOUS_BIT;
    bool is_history = is_anonymous && row->time_ms < signup_ms;
    bool is_signup = row->steps & SIGNUP_BIT && row->time_ms == signup_ms
        && !(signups->is_by_user_id && is_anonymous);
    if (is_history || is_signup)
        put_greatest(&signups->bests[last->rank], pack_best(signups, row->time_ms, row->group));
}

/* What count_person counts, of everybody. */
static void count_rows(struct dimension *dimension)
{
    struct signups *signups = dimension->signups;
    struct counter_map *map = &dimension->maps[0];
    for (size_t rank = 0; rank < signups->moments.count; rank++) {
        uint64_t best = atomic_exchange_explicit(&signups->bests[rank], 0, memory_order_relaxed);
        uint64_t place = UINT64_MAX - best;
        uint32_t group = best ? (uint32_t)place & ((1 << BEST_GROUP_BITS) - 1) : (uint32_t)GROUP_NOTHING;
        Millis signup_ms = signups->moments.times_ms[rank];
        uint32_t bucket = timeline_find(&signups->timeline, signup_ms, 0);
        bool has_history = best && signups->base_ms + (Millis)(place >> BEST_GROUP_BITS) < signup_ms;
        counter_map_count(map, key_of(group, bucket), 1);
        if (dimension->number != DIMENSION_EVENT) continue;
        counter_map_count(map, key_of(GROUP_ALL, bucket), 1);
        if (has_history) counter_map_count(map, key_of(GROUP_WITH_HISTORY, bucket), 1);
    }
}

/* A number a person, where that is at most a quarter of what the question may use. */
static Status open_numbers(struct signups *signups, size_t count, _Atomic uint64_t **ret, Err *err)
{
    const QueryWorld *world = signups->query.world;
    size_t memory = world->memory_bytes ? world->memory_bytes : (size_t)1 << 30;
    Status s = OK;
    *ret = NULL;
    if (count <= memory / 4 / sizeof **ret) *ret = answer_take(signups->query.arena, sizeof **ret, count, &s, err);
    return s;
}

static Status open_bests(struct signups *signups, Err *err)
{
    Millis last_ms = INT64_MIN;
    signups->base_ms = signups->query.first_ms;
    for (size_t at = 0; at < signups->moments.count; at++)
        if (signups->moments.times_ms[at] > last_ms) last_ms = signups->moments.times_ms[at];
    uint64_t span = last_ms > signups->base_ms ? (uint64_t)last_ms - (uint64_t)signups->base_ms : 0;
    if (span >= UINT64_C(1) << (63 - BEST_GROUP_BITS)) return OK;       /* centuries */
    return open_numbers(signups, signups->moments.count, &signups->bests, err);
}

static Status count_dimension(struct signups *signups, struct scan *first, uint32_t number, Err *err)
{
    struct dimension *dimension = &signups->dimensions[number];
    const QueryWorld *world = signups->query.world;
    size_t memory = (world->memory_bytes ? world->memory_bytes : (size_t)1 << 30) / 16;
    dimension->signups = signups;
    dimension->number = number;
    dimension->spec = (ScanSpec){ .selectors = signups->selectors, .selector_count = 2, .needed_bits = UINT32_MAX,
                                  .group_bits = UINT32_MAX, .anonymous_bit = ANONYMOUS_BIT, .like = first,
                                  .by_event = number == DIMENSION_EVENT, .only_people = signups->moments.people,
                                  .context = dimension, .group_max = dimension->group_max };
    if (signups->bests) dimension->spec.on_row = note_row;
    else dimension->spec.on_person = count_person;
    if (number != DIMENSION_EVENT)
        dimension->spec.by = (Breakdown){ .is_given = true, .field = str_from(dimensions[number].field),
                                          .label = str_from(dimensions[number].field) };
    Status s = scan_open(&signups->query, &dimension->spec, &dimension->scan, err);
    if (s) return s;
    for (uint32_t at = 0; at < signups->worker_count; at++)
        counter_map_open(&dimension->maps[at], memory / signups->worker_count, sizeof(CounterCell));
    counter_map_open(&dimension->all, memory, sizeof(CounterCell));
    s = scan_run(dimension->scan, err);
    if (s) return s;
    if (signups->bests) count_rows(dimension);
    for (uint32_t at = 0; at < signups->worker_count; at++) counter_map_add(&dimension->all, &dimension->maps[at]);
    if (!s && dimension->all.is_full)
        s = err_set(err, ERR_TOO_LARGE, "the question needs more memory than it may; narrow its range");
    return s;
}

/* As in ask_trends: where there is no room for the cells of all values, fewer are told apart. */
static Status run_dimension(struct signups *signups, struct scan *first, uint32_t number, Err *err)
{
    struct dimension *dimension = &signups->dimensions[number];
    for (;;) {
        Status s = count_dimension(signups, first, number, err);
        uint32_t fewer = scan_fewer_groups(signups->query.world, &dimension->spec);
        if (!dimension->all.is_full || !fewer) return s;
        for (uint32_t at = 0; at < signups->worker_count; at++) {
            counter_map_close(&dimension->maps[at]);
            dimension->maps[at] = (struct counter_map){ 0 };
        }
        counter_map_close(&dimension->all);
        dimension->all = (struct counter_map){ 0 };
        scan_close(dimension->scan);
        dimension->scan = NULL;
        dimension->group_max = fewer;
    }
}

/* ---- Referrers are told by their host ---- */

/* Gives groups with the same host one number: that of a new list of hosts, in order. */
static Status unite_hosts(struct signups *signups, struct dimension *dimension, Groups *ret, Err *err)
{
    const Groups *groups = scan_groups(dimension->scan);
    Arena *arena = signups->query.arena;
    Status s = OK;
    uint32_t unique = 0;
    IndexValue *hosts = answer_take(arena, sizeof *hosts, groups->count, &s, err);
    IndexValue *values = answer_take(arena, sizeof *values, groups->count, &s, err);
    if (s) return s;
    for (uint32_t at = 0; at < groups->count; at++) {
        values[at] = groups->values[at];
        if (values[at].kind == INDEX_STRING) values[at].text = url_host(values[at].text);
    }
    memcpy(hosts, values, groups->count * sizeof *hosts);
    qsort(hosts, groups->count, sizeof *hosts, group_compare_values);
    for (uint32_t at = 0; at < groups->count; at++)
        if (at == 0 || group_compare_values(&hosts[at], &hosts[unique - 1]) != 0) hosts[unique++] = hosts[at];
    struct counter_map united;
    counter_map_open(&united, dimension->all.cells_region.bytes, sizeof(CounterCell));
    for (uint32_t at = 0; at < dimension->all.count; at++) {
        const CounterCell *cell = counter_map_cell(&dimension->all, at);
        uint32_t group = (uint32_t)(cell->key >> KEY_BUCKET_BITS), bucket = cell->key & ((1 << KEY_BUCKET_BITS) - 1);
        if (group < GROUPS_MAX) {
            const IndexValue *host = bsearch(&values[group], hosts, unique, sizeof *hosts, group_compare_values);
            group = (uint32_t)(host - hosts);
        }
        counter_map_count(&united, key_of(group, bucket), cell->count);
    }
    counter_map_close(&dimension->all);
    dimension->all = united;
    *ret = (Groups){ .values = hosts, .count = unique };
    return OK;
}

/* ---- Writing ---- */

static uint64_t write_values(const struct signups *signups, const struct counter_map *map, uint32_t group,
                             const char *name, struct buf *answer)
{
    uint64_t sum = 0;
    json_array(answer, name);
    for (uint32_t bucket = 0; bucket < signups->timeline.count; bucket++) {
        const CounterCell *cell = counter_map_find(map, key_of(group, bucket));
        json_uint(answer, NULL, cell ? cell->count : 0);
        sum += cell ? cell->count : 0;
    }
    json_array_end(answer);
    return sum;
}

static Status write_dimension(struct signups *signups, struct dimension *dimension, struct buf *answer, Err *err)
{
    Status s = OK;
    Groups groups = *scan_groups(dimension->scan);
    struct counter_map sums;
    if (dimension->number == DIMENSION_REFERRER) s = unite_hosts(signups, dimension, &groups, err);
    if (s) return s;
    counter_map_open(&sums, (size_t)64 << 20, sizeof(CounterCell));
    for (uint32_t at = 0; at < dimension->all.count; at++) {
        const CounterCell *cell = counter_map_cell(&dimension->all, at);
        uint64_t group = cell->key >> KEY_BUCKET_BITS;
        if (group < GROUPS_MAX) counter_map_count(&sums, group, cell->count);
    }
    RankedGroup *ranked = answer_take(signups->query.arena, sizeof *ranked, sums.count, &s, err);
    for (uint32_t at = 0; !s && at < sums.count; at++)
        ranked[at] = (RankedGroup){ counter_map_cell(&sums, at)->count, (uint32_t)counter_map_cell(&sums, at)->key };
    uint32_t count = sums.count, told = count < signups->limit ? count : signups->limit;
    counter_map_close(&sums);
    if (s) return s;
    answer_rank(ranked, count, &groups);
    json_array(answer, dimensions[dimension->number].name);
    for (uint32_t at = 0; at < told; at++) {
        json_object(answer, NULL);
        json_name(answer, STR("value"));
        group_write(&groups, ranked[at].group, answer);
        json_uint(answer, "people", ranked[at].people);
        (void)write_values(signups, &dimension->all, ranked[at].group, "values", answer);
        json_object_end(answer);
    }
    json_array_end(answer);
    json_uint(answer, dimensions[dimension->number].left_out, count - told);
    return OK;
}

static Status write_signups(struct signups *signups, struct scan *first, struct buf *answer, Err *err)
{
    const struct counter_map *all = &signups->dimensions[DIMENSION_EVENT].all;
    Status s = OK;
    json_object(answer, NULL);
    if (signups->is_by_user_id) json_null(answer, "event");
    else json_string(answer, "event", signups->selectors[0].label);
    query_write_unit(&signups->query, signups->unit, answer);
    json_array(answer, "buckets");
    for (uint32_t bucket = 0; bucket < signups->timeline.count; bucket++) {
        answer_instant(answer, NULL, signups->timeline.starts[bucket]);
    }
    json_array_end(answer);
    json_uint(answer, "people", signups->moments.count);
    (void)write_values(signups, all, GROUP_ALL, "values", answer);
    uint64_t with_history = write_values(signups, all, GROUP_WITH_HISTORY, "with_history_values", answer);
    json_uint(answer, "with_history", with_history);
    answer_share(answer, "with_history_share", with_history, signups->moments.count);
    for (uint32_t at = 0; at < DIMENSION_COUNT && !s; at++)
        s = write_dimension(signups, &signups->dimensions[at], answer, err);
    if (s) return s;
    for (uint32_t at = 0; at < DIMENSION_COUNT; at++) scan_join(first, signups->dimensions[at].scan);
    signups->query.from_ms = signups->from_ms;
    answer_close(&signups->query, first, answer);
    return OK;
}

static void signups_close(struct signups *signups)
{
    for (uint32_t number = 0; number < DIMENSION_COUNT; number++) {
        struct dimension *dimension = &signups->dimensions[number];
        if (dimension->scan) scan_close(dimension->scan);
        for (uint32_t at = 0; at < signups->worker_count; at++) counter_map_close(&dimension->maps[at]);
        counter_map_close(&dimension->all);
    }
}

/* Of a user's first event all events of users are asked; of a named one few. The spec is the scan's for its life. */
static Status run_first(struct signups *signups, struct scan **ret, Err *err)
{
    const QueryWorld *world = signups->query.world;
    size_t memory = world->memory_bytes ? world->memory_bytes : (size_t)1 << 30;
    ScanSpec *spec = &signups->spec;
    *spec = (ScanSpec){ .selectors = signups->selectors, .selector_count = 1, .needed_bits = SIGNUP_BIT,
                        .users_only = signups->is_by_user_id, .context = signups };
    if (signups->is_by_user_id) spec->on_row = note_signup;
    else spec->on_person = find_signup;
    Status s = scan_open(&signups->query, spec, ret, err);
    if (!s && spec->on_row) s = open_numbers(signups, scan_people_max(*ret), &signups->firsts, err);
    if (!s && spec->on_row && !signups->firsts) {            /* too many: brought together after all */
        scan_close(*ret);
        *ret = NULL;
        spec->on_row = NULL;
        spec->on_person = find_signup;
        s = scan_open(&signups->query, spec, ret, err);
    }
    if (s) return s;
    signups->worker_count = scan_worker_count(*ret);
    moments_open(&signups->moments, signups->worker_count, memory / 8);
    s = scan_run(*ret, err);
    if (!s) s = gather_signups(signups, scan_people_max(*ret), err);
    moments_close(&signups->moments);
    return s;
}

Status answer_signups(Str question, const QueryWorld *world, Arena *arena, struct buf *answer, Err *err)
{
    Status s = OK;
    struct scan *first = NULL;
    struct signups *signups = answer_take(arena, sizeof *signups, 1, &s, err);
    if (!s) s = signups_parse(signups, question, world, arena, err);
    if (s) return s;
    s = run_first(signups, &first, err);
    if (!s) s = make_timeline(signups);
    signups->query.from_ms = signups->query.first_ms;
    if (!s) s = open_bests(signups, err);
    for (uint32_t at = 0; at < DIMENSION_COUNT && !s; at++) s = run_dimension(signups, first, at, err);
    if (!s) s = write_signups(signups, first, answer, err);
    signups_close(signups);
    scan_close(first);
    return s;
}
