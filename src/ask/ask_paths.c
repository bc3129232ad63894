/* ask_paths: what people do before or after an event; docs/queries.md defines every number.
 *
 * A first scan finds who has the event at all, and when. A second one brings together what these people did within the
 * time that the question gives, and walks from each person's anchor. Workers count steps (depth, from, to); these
 * counts are then added up.
 */
#include "ask_paths.h"

#include <stdio.h>
#include <stdlib.h>

enum { SHOWN_MAX = 100, ANCHOR_BIT = 1, GROUP_BITS = 21 };

static uint64_t key_of(uint32_t depth, uint32_t from, uint32_t to)
{
    return (uint64_t)depth << (2 * GROUP_BITS) | (uint64_t)from << GROUP_BITS | to;
}
static uint32_t key_depth(uint64_t key) { return (uint32_t)(key >> (2 * GROUP_BITS)); }
static uint32_t key_from(uint64_t key) { return (uint32_t)(key >> GROUP_BITS) & ((1 << GROUP_BITS) - 1); }
static uint32_t key_to(uint64_t key) { return (uint32_t)key & ((1 << GROUP_BITS) - 1); }

/* ---- Parsing ---- */

static Status parse_events(struct ask_paths *paths, Err *err)
{
    static const char usual[] = "[{\"type\":\"track\"},{\"type\":\"page\"},{\"type\":\"screen\"}]";
    const TreeNode *events = event_tree_get(paths->query.root, STR("events"));
    char place[32];
    Status s = OK;
    if (!events || events->kind == FIELD_NULL) s = event_tree_read(str_from(usual), paths->query.arena, &events, err);
    if (s) return s;
    if (events->kind != FIELD_ARRAY || events->count == 0 || events->count > PATHS_EVENTS_MAX)
        return err_set_field(err, "events", "a list of 1 to %d events was expected", PATHS_EVENTS_MAX);
    paths->selector_count = 1;
    for (const TreeNode *event = events->first; event && !s; event = event->next, paths->selector_count++) {
        snprintf(place, sizeof place, "events[%u]", paths->selector_count - 1);
        s = query_selector(&paths->query, event, place, NULL, &paths->selectors[paths->selector_count]);
    }
    return s;
}

Status ask_paths_read(struct ask_paths *paths, Err *err)
{
    static const char *const directions[] = { "after", "before", NULL };
    Query *query = &paths->query;
    Status s = query_event(query, "event", NULL, &paths->selectors[0]);
    if (!s) s = parse_events(paths, err);
    if (!s) s = query_word(query, "direction", PATHS_AFTER, directions, &paths->direction);
    if (!s) s = query_count(query, "depth", 3, 1, PATHS_DEPTH_MAX, &paths->depth);
    if (!s) s = query_count(query, "limit", 10, 1, SHOWN_MAX, &paths->limit);
    if (!s) s = query_duration(query, "within", DAY_MS, &paths->within_ms);
    const TreeNode *collapse = s ? NULL : event_tree_get(query->root, STR("collapse"));
    if (collapse && collapse->kind != FIELD_BOOL) s = err_set_field(err, "collapse", "true or false was expected");
    paths->collapses = collapse && collapse->truth;
    return s;
}

/* ---- Counting ---- */

static void note_anchor(void *context, uint32_t worker, uint32_t person, const Hits *hits, Arena scratch)
{
    struct ask_paths *paths = context;
    bool is_after = paths->direction == PATHS_AFTER;
    (void)scratch;
    moments_put(&paths->anchors, worker, person, hits->hits[is_after ? 0 : hits->count - 1].time_ms);
}

/* May the row lie on the person's way? */
static bool is_near(void *context, uint32_t person, Millis time_ms)
{
    const struct ask_paths *paths = context;
    Millis anchor_ms = paths->anchors.times_ms[moments_rank(&paths->anchors, person)];
    bool is_after = paths->direction == PATHS_AFTER;
    Millis distance = is_after ? time_ms - anchor_ms : anchor_ms - time_ms;
    return distance >= 0 && distance <= paths->within_ms;
}

/* Orders by time, then by event; among equals the anchors come first, then the hits that nobody looks at. */
static int compare_hits(const void *a, const void *b)
{
    const Hit *left = a, *right = b;
    if (left->time_ms != right->time_ms) return left->time_ms < right->time_ms ? -1 : 1;
    if (left->group != right->group) return left->group < right->group ? -1 : 1;
    int anchors = (int)(right->steps & ANCHOR_BIT) - (int)(left->steps & ANCHOR_BIT);
    return anchors ? anchors : (left->steps > ANCHOR_BIT) - (right->steps > ANCHOR_BIT);
}

void ask_paths_walk(const struct ask_paths *paths, const Hits *all, Arena scratch, AskWay *ret)
{
    bool is_after = paths->direction == PATHS_AFTER;
    const Hit *hits = all->hits;
    uint32_t count = all->count, at = is_after ? 0 : count - 1;
    if (all->has_ties) {
        Hit *sorted = arena_new(&scratch, Hit, count);
        memcpy(sorted, hits, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, compare_hits);
        hits = sorted;
    }
    while (!(hits[at].steps & ANCHOR_BIT)) at += is_after ? 1 : UINT32_MAX;
    uint32_t last = hits[at].group;
    ret->anchor = hits[at];
    ret->count = 0;
    for (at += is_after ? 1 : UINT32_MAX; at < count && ret->count < paths->depth; at += is_after ? 1 : UINT32_MAX) {
        Millis distance = is_after ? hits[at].time_ms - ret->anchor.time_ms : ret->anchor.time_ms - hits[at].time_ms;
        if (distance > paths->within_ms) break;
        if (!(hits[at].steps & ~(uint32_t)ANCHOR_BIT)) continue;
        if (paths->collapses && hits[at].group == last) continue;
        ret->steps[ret->count++] = hits[at];
        last = hits[at].group;
    }
}

static void count_person(void *context, uint32_t worker, uint32_t person, const Hits *all, Arena scratch)
{
    struct ask_paths *paths = context;
    struct ask_paths_counter *counter = &paths->counters[worker];
    uint32_t from = PATHS_ANCHOR;
    AskWay way;
    (void)person;
    ask_paths_walk(paths, all, scratch, &way);
    counter->people++;
    for (uint32_t step = 0; step < way.count; from = way.steps[step++].group)
        counter_map_count(&counter->steps, key_of(step, from, way.steps[step].group), 1);
}

ScanSpec ask_paths_spec(struct ask_paths *paths, const struct scan *first)
{
    return (ScanSpec){ .selectors = paths->selectors, .selector_count = paths->selector_count,
                       .needed_bits = ANCHOR_BIT, .group_bits = UINT32_MAX, .by_event = true, .like = first,
                       .only_people = paths->anchors.people, .wants = is_near, .on_person = count_person,
                       .context = paths, .group_max = paths->group_max };
}

static Status walk(struct ask_paths *paths, struct scan *first, struct scan **ret, Err *err)
{
    Status s = OK;
    const QueryWorld *world = paths->query.world;
    size_t memory = world->memory_bytes ? world->memory_bytes : (size_t)1 << 30;
    paths->specs[1] = ask_paths_spec(paths, first);
    s = scan_open(&paths->query, &paths->specs[1], ret, err);
    if (s) return s;
    paths->worker_count = scan_worker_count(*ret);
    for (uint32_t at = 0; at < paths->worker_count; at++)
        counter_map_open(&paths->counters[at].steps, memory / 8 / paths->worker_count, sizeof(CounterCell));
    counter_map_open(&paths->steps, memory / 8, sizeof(CounterCell));
    s = scan_run(*ret, err);
    if (s) return s;
    for (uint32_t at = 0; at < paths->worker_count; at++) {
        counter_map_add(&paths->steps, &paths->counters[at].steps);
        paths->people += paths->counters[at].people;
    }
    if (!s && paths->steps.is_full)
        s = err_set(err, ERR_TOO_LARGE, "too many different paths for the memory that a question may use; narrow it");
    return s;
}

void ask_paths_close(struct ask_paths *paths)
{
    for (uint32_t at = 0; at < paths->worker_count; at++) {
        counter_map_close(&paths->counters[at].steps);
        paths->counters[at] = (struct ask_paths_counter){ 0 };
    }
    counter_map_close(&paths->steps);
    paths->steps = (struct counter_map){ 0 };
    paths->worker_count = 0, paths->people = 0;
}

/* As in ask_trends: where there is no room for the steps between all events, fewer are told apart. */
static Status run_scans(struct ask_paths *paths, struct scan *first, struct scan **ret, Err *err)
{
    Status s = OK;
    const QueryWorld *world = paths->query.world;
    size_t memory = world->memory_bytes ? world->memory_bytes : (size_t)1 << 30;
    moments_open(&paths->anchors, scan_worker_count(first), memory / 8);
    s = scan_run(first, err);
    if (!s) s = moments_gather(&paths->anchors, scan_people_max(first), "people", paths->query.arena, err);
    moments_close(&paths->anchors);
    for (uint32_t fewer = 0; !s; paths->group_max = fewer) {
        s = walk(paths, first, ret, err);
        fewer = scan_fewer_groups(paths->query.world, &paths->specs[1]);
        if (!paths->steps.is_full || !fewer) break;
        ask_paths_close(paths);
        scan_close(*ret);
        *ret = NULL;
        s = OK;
    }
    return s;
}

Status ask_paths_count(struct ask_paths *paths, struct scan **ret_first, struct scan **ret_second, Err *err)
{
    paths->specs[0] = (ScanSpec){ .selectors = paths->selectors, .selector_count = 1, .needed_bits = ANCHOR_BIT,
                                  .on_person = note_anchor, .context = paths };
    Status s = scan_open(&paths->query, &paths->specs[0], ret_first, err);
    return s ? s : run_scans(paths, *ret_first, ret_second, err);
}

/* ---- Which events are told by name ---- */

Status ask_paths_rank(struct ask_paths *paths, uint32_t depth, const Groups *groups, Arena *arena,
                      AskRanking *ret, Err *err)
{
    Status s = OK;
    struct counter_map sums;
    *ret = (AskRanking){ 0 };
    counter_map_open(&sums, (size_t)64 << 20, sizeof(CounterCell));
    for (uint32_t at = 0; at < paths->steps.count; at++) {
        const CounterCell *cell = counter_map_cell(&paths->steps, at);
        if (key_depth(cell->key) != depth) continue;
        counter_map_count(&sums, key_to(cell->key), cell->count);
        ret->people += cell->count;
    }
    RankedGroup *ranked = answer_take(arena, sizeof *ranked, sums.count, &s, err);
    for (uint32_t at = 0; !s && at < sums.count; at++)
        ranked[at] = (RankedGroup){ counter_map_cell(&sums, at)->count, (uint32_t)counter_map_cell(&sums, at)->key };
    ret->ranked = ranked, ret->count = sums.count;
    counter_map_close(&sums);
    if (s) return s;
    answer_rank(ranked, ret->count, groups);
    for (uint32_t at = 0; at < ret->count && at < paths->limit; at++)
        counter_map_count(&paths->shown, key_of(depth, 0, ranked[at].group), 1);
    return OK;
}

uint32_t ask_paths_shown_as(const struct ask_paths *paths, uint32_t depth, uint32_t group)
{
    if (group == PATHS_ANCHOR || counter_map_find(&paths->shown, key_of(depth, 0, group))) return group;
    return PATHS_OTHERS;
}

/* ---- Writing ---- */

/* people: how many came as far as the depth before; then, as far as this one. */
static Status write_depth(struct ask_paths *paths, uint32_t depth, const Groups *groups, uint64_t *people,
                          struct buf *answer, Err *err)
{
    AskRanking ranking;
    uint64_t before = *people, others = 0;
    Arena arena = *paths->query.arena;
    Status s = ask_paths_rank(paths, depth, groups, &arena, &ranking, err);
    if (s) return s;
    const RankedGroup *ranked = ranking.ranked;
    uint32_t count = ranking.count;
    *people = ranking.people;
    json_object(answer, NULL);
    json_uint(answer, "depth", depth + 1);
    json_uint(answer, "people", *people);
    json_uint(answer, "ended", before - *people);
    json_array(answer, "events");
    for (uint32_t at = 0; at < count; at++) {
        if (at >= paths->limit) {
            others += ranked[at].people;
            continue;
        }
        json_object(answer, NULL);
        json_name(answer, STR("event"));
        group_write(groups, ranked[at].group, answer);
        json_uint(answer, "people", ranked[at].people);
        answer_share(answer, "share", ranked[at].people, paths->people);
        json_object_end(answer);
    }
    json_array_end(answer);
    json_object(answer, "others");
    json_uint(answer, "events", count > paths->limit ? count - paths->limit : 0);
    json_uint(answer, "people", others);
    json_object_end(answer);
    json_object_end(answer);
    return OK;
}

static int compare_ends(const Groups *groups, uint32_t a, uint32_t b)
{
    if (a >= GROUPS_MAX || b >= GROUPS_MAX) return (a > b) - (a < b);
    return group_compare(groups, a, b);
}

static int compare_links(const void *a, const void *b, void *groups)
{
    const CounterCell *left = a, *right = b;
    if (key_depth(left->key) != key_depth(right->key)) return key_depth(left->key) < key_depth(right->key) ? -1 : 1;
    if (left->count != right->count) return left->count > right->count ? -1 : 1;
    int order = compare_ends(groups, key_from(left->key), key_from(right->key));
    return order ? order : compare_ends(groups, key_to(left->key), key_to(right->key));
}

static void write_end(const struct ask_paths *paths, const Groups *groups, uint32_t group, struct buf *answer)
{
    if (group == PATHS_ANCHOR) json_string(answer, NULL, paths->selectors[0].label);
    else if (group == PATHS_OTHERS) json_null(answer, NULL);
    else group_write(groups, group, answer);
}

static void write_links(struct ask_paths *paths, const Groups *groups, struct buf *answer)
{
    for (uint32_t at = 0; at < paths->steps.count; at++) {
        const CounterCell *cell = counter_map_cell(&paths->steps, at);
        uint32_t depth = key_depth(cell->key), from = key_from(cell->key);
        from = depth ? ask_paths_shown_as(paths, depth - 1, from) : from;
        uint32_t to = ask_paths_shown_as(paths, depth, key_to(cell->key));
        counter_map_count(&paths->links, key_of(depth, from, to), cell->count);
    }
    qsort_r(paths->links.cells, paths->links.count, paths->links.stride, compare_links, (void *)(uintptr_t)groups);
    json_array_end(answer);
    json_array(answer, "links");
    for (uint32_t at = 0; at < paths->links.count; at++) {
        const CounterCell *cell = counter_map_cell(&paths->links, at);
        json_object(answer, NULL);
        json_uint(answer, "depth", key_depth(cell->key) + 1);
        json_name(answer, STR("from"));
        write_end(paths, groups, key_from(cell->key), answer);
        json_name(answer, STR("to"));
        write_end(paths, groups, key_to(cell->key), answer);
        json_uint(answer, "people", cell->count);
        json_object_end(answer);
    }
}

static Status write_paths(struct ask_paths *paths, struct scan *scan, struct buf *answer, Err *err)
{
    static const char *const directions[] = { "after", "before" };
    const Groups *groups = scan_groups(scan);
    uint64_t people = paths->people;
    Status s = OK;
    counter_map_open(&paths->shown, (size_t)1 << 20, sizeof(CounterCell));
    counter_map_open(&paths->links, (size_t)64 << 20, sizeof(CounterCell));
    json_object(answer, NULL);
    json_string(answer, "event", paths->selectors[0].label);
    json_word(answer, "direction", directions[paths->direction]);
    json_uint(answer, "people", paths->people);
    json_int(answer, "within_ms", paths->within_ms);
    json_array(answer, "depths");
    for (uint32_t depth = 0; depth < paths->depth && !s && !(s = answer_go_on(paths->query.world, err)); depth++)
        s = write_depth(paths, depth, groups, &people, answer, err);
    if (!s) write_links(paths, groups, answer);
    json_array_end(answer);
    if (!s) answer_close(&paths->query, scan, answer);
    counter_map_close(&paths->shown);
    counter_map_close(&paths->links);
    return s;
}

Status answer_paths(Str question, const QueryWorld *world, Arena *arena, struct buf *answer, Err *err)
{
    static const char *const allowed[] = { "event", "direction", "depth", "within", "limit", "events", "collapse",
                                           "from", "to", "timezone", "where", NULL };
    Status s = OK;
    struct scan *first = NULL, *second = NULL;
    struct ask_paths *paths = answer_take(arena, sizeof *paths, 1, &s, err);
    if (!s) s = query_open(&paths->query, question, world, arena, allowed, err);
    if (!s) s = ask_paths_read(paths, err);
    if (s) return s;
    s = ask_paths_count(paths, &first, &second, err);
    if (!s) s = write_paths(paths, second, answer, err);
    scan_close(second);
    scan_close(first);
    ask_paths_close(paths);
    return s;
}
