/* ask_paths_people: the people of a step of paths, page by page, and the events of their way.
 *
 * Which events are told by name, and which are others, is what the paths say, so these are counted first; then the same
 * ways are walked again, for who they are, and once more for the rows of those on the page. */
#include "ask_list.h"
#include "ask_paths.h"

/* An end of a step, as the paths tell it: an event by name, or all that are not told by name. */
typedef struct End {
    bool is_given, is_others;
    Str name;
    uint32_t group;                     /* GROUPS_MAX + 2: no such event is there any more */
} End;
enum { END_NOWHERE = GROUPS_MAX + 2, NAME_JSON_BYTES = 6 * 4096 };

struct walkers {
    struct ask_paths paths;
    uint32_t step;                      /* 0: the anchor itself */
    bool has_ended, tells_messages;
    End from, to;
    struct ask_list list;
    AskWay *ways;                       /* beside the list's members */
};

/* ---- Parsing ---- */

static Status read_end(const Query *query, const char *name, End *ret, Err *err)
{
    const TreeNode *node = event_tree_get(query->root, str_from(name));
    *ret = (End){ .group = END_NOWHERE };
    if (!node) return OK;
    ret->is_given = true;
    ret->is_others = node->kind == FIELD_NULL;
    if (ret->is_others) return OK;
    if (node->kind != FIELD_STRING)
        return err_set_field(err, name, "an event as paths tells it was expected, or null: those not told by name");
    ret->name = node->text;
    return OK;
}

static Status read_truth(const Query *query, const char *name, bool *ret, Err *err)
{
    const TreeNode *node = event_tree_get(query->root, str_from(name));
    if (node && node->kind != FIELD_BOOL) return err_set_field(err, name, "true or false was expected");
    if (node) *ret = node->truth;
    return OK;
}

static Status walkers_read(struct walkers *walkers, Str question, const QueryWorld *world, Arena *arena, Err *err)
{
    static const char *const allowed[] = { "event", "direction", "depth", "within", "limit", "events", "collapse",
                                           "from", "to", "timezone", "where", "step", "came_from", "went_to", "ended",
                                           "page", "cursor", "messages", NULL };
    Query *query = &walkers->paths.query;
    Status s = query_open(query, question, world, arena, allowed, err);
    if (!s) s = ask_paths_read(&walkers->paths, err);
    if (!s) s = query_count(query, "step", 0, 0, walkers->paths.depth, &walkers->step);
    if (!s) s = query_count(query, "page", 50, 1, 1000, &walkers->list.limit);
    if (!s) s = read_end(query, "came_from", &walkers->from, err);
    if (!s) s = read_end(query, "went_to", &walkers->to, err);
    if (!s) s = read_truth(query, "ended", &walkers->has_ended, err);
    if (!s) s = read_truth(query, "messages", &walkers->tells_messages, err);
    if (!s) s = ask_list_read(&walkers->list, query, err);
    if (s) return s;
    if (!walkers->step && (walkers->from.is_given || walkers->to.is_given || walkers->has_ended))
        return err_set_field(err, "step", "0 is everybody; came_from, went_to and ended are of a step from 1 on");
    if (walkers->has_ended && walkers->to.is_given)
        return err_set_field(err, "ended", "whoever ended went nowhere: went_to and ended exclude each other");
    return OK;
}

/* ---- Who ---- */

/* Two texts of JSON. Which of "page:/a" and "page=/a" an answer says depends on what else was in the index then: a page
 * or a screen is the one that is called so, however it was told. */
static bool is_same_event(Str a, Str b)
{
    static const Str types[] = { { "\"page", 5 }, { "\"screen", 7 } };
    for (size_t at = 0; at < countof(types); at++) {
        size_t mark = types[at].len;
        if (a.len != b.len || a.len <= mark || !str_starts(a, types[at]) || !str_starts(b, types[at])) continue;
        if (strchr("=:", a.bytes[mark]) && strchr("=:", b.bytes[mark]))
            return str_equal(str_slice(a, mark + 1, a.len), str_slice(b, mark + 1, b.len));
    }
    return str_equal(a, b);
}

static uint32_t find_named(const Groups *groups, Str name, Arena scratch)
{
    struct buf told, wanted;
    char *room = arena_new(&scratch, char, 2 * NAME_JSON_BYTES);
    bool is_rest = str_equal(name, STR(VALUE_NOT_INDEXED));
    buf_init_fixed(&wanted, room, NAME_JSON_BYTES);
    buf_json_string(&wanted, name);
    for (uint32_t group = 0; buf_ok(&wanted) && group < groups->count; group++) {
        bool is_other = groups->values[group].kind == INDEX_OTHER;
        if (is_other && is_rest) return group;
        if (is_other) continue;                         /* to write it is to warn of it */
        buf_init_fixed(&told, room + NAME_JSON_BYTES, NAME_JSON_BYTES);
        group_write(groups, group, &told);
        if (buf_ok(&told) && is_same_event(buf_str(&told), buf_str(&wanted))) return group;
    }
    return END_NOWHERE;
}

static void find_group(const struct ask_paths *paths, const Groups *groups, bool is_first, End *end)
{
    if (end->is_others) end->group = PATHS_OTHERS;
    else if (!is_first && end->is_given) end->group = find_named(groups, end->name, *paths->query.arena);
    else if (end->is_given && str_equal(end->name, paths->selectors[0].label)) end->group = PATHS_ANCHOR;
}

static bool end_fits(const struct ask_paths *paths, const End *end, uint32_t depth, uint32_t group)
{
    return !end->is_given || ask_paths_shown_as(paths, depth, group) == end->group;
}

static bool way_fits(const struct walkers *walkers, const AskWay *way)
{
    const struct ask_paths *paths = &walkers->paths;
    uint32_t step = walkers->step;
    if (!step) return true;
    if (walkers->has_ended ? way->count != step - 1 : way->count < step) return false;
    uint32_t from = step == 1 ? (uint32_t)PATHS_ANCHOR : way->steps[step - 2].group;
    if (!end_fits(paths, &walkers->from, step == 1 ? 0 : step - 2, from)) return false;
    return walkers->has_ended || end_fits(paths, &walkers->to, step - 1, way->steps[step - 1].group);
}

static void find_person(void *context, uint32_t worker, uint32_t person, const Hits *hits, Arena scratch)
{
    struct walkers *walkers = context;
    AskWay way;
    ask_paths_walk(&walkers->paths, hits, scratch, &way);
    if (way_fits(walkers, &way)) ask_list_put(&walkers->list, worker, way.anchor.time_ms, person);
}

static void take_way(void *context, uint32_t worker, uint32_t person, const Hits *hits, Arena scratch)
{
    struct walkers *walkers = context;
    uint32_t at = ask_list_find(&walkers->list, person);
    (void)worker;
    if (at < walkers->list.member_count) ask_paths_walk(&walkers->paths, hits, scratch, &walkers->ways[at]);
}

static Status find_people(struct walkers *walkers, struct scan *first, const Groups *groups, Err *err)
{
    struct ask_paths *paths = &walkers->paths;
    const QueryWorld *world = paths->query.world;
    size_t memory = world->memory_bytes ? world->memory_bytes : (size_t)1 << 30;
    struct scan *scan = NULL;
    AskRanking ranking;
    Status s = OK;
    counter_map_open(&paths->shown, (size_t)1 << 20, sizeof(CounterCell));
    for (uint32_t depth = walkers->step > 1 ? walkers->step - 2 : 0; !s && depth < walkers->step; depth++)
        s = ask_paths_rank(paths, depth, groups, paths->query.arena, &ranking, err);
    find_group(paths, groups, walkers->step == 1, &walkers->from);
    find_group(paths, groups, false, &walkers->to);
    ScanSpec spec = ask_paths_spec(paths, first);
    spec.on_person = find_person;
    spec.context = walkers;
    ask_list_open(&walkers->list, scan_worker_count(first), memory / 8);
    if (!s) s = scan_open(&paths->query, &spec, &scan, err);
    if (!s) s = scan_run(scan, err);
    if (!s) s = ask_list_cut(&walkers->list, scan_people_max(first), paths->query.arena, err);
    ask_list_close(&walkers->list);
    scan_close(scan);
    return s;
}

static Status find_ways(struct walkers *walkers, struct scan *first, ScanSpec *spec, struct scan **ret, Err *err)
{
    Status s = OK;
    walkers->ways = answer_take(walkers->paths.query.arena, sizeof *walkers->ways,
                                walkers->list.member_count + (size_t)1, &s, err);
    if (s) return s;
    *spec = ask_paths_spec(&walkers->paths, first);
    spec->only_people = walkers->list.only_people;
    spec->on_person = take_way;
    spec->context = walkers;
    spec->wants_refs = true;
    s = scan_open(&walkers->paths.query, spec, ret, err);
    return s ? s : scan_run(*ret, err);
}

/* ---- Writing ---- */

static Status write_stop(const struct walkers *walkers, struct scan *scan, const Hit *stop, bool is_anchor,
                         struct buf *answer, Err *err)
{
    AskRow row = { stop->time_ms, stop->ref, walkers->tells_messages };
    json_object(answer, NULL);
    json_name(answer, STR("event"));
    if (is_anchor) json_string(answer, NULL, walkers->paths.selectors[0].label);
    else group_write(scan_groups(scan), stop->group, answer);
    Status s = ask_list_write_row(&walkers->paths.query, scan, row, answer, err);
    json_object_end(answer);
    return s;
}

static Status write_person(const struct walkers *walkers, struct scan *scan, uint32_t at, struct buf *answer, Err *err)
{
    const AskWay *way = &walkers->ways[at];
    json_object(answer, NULL);
    ask_list_write_person(&walkers->paths.query, scan, walkers->list.members[at].person, answer);
    json_uint(answer, "depth", way->count);
    json_array(answer, "steps");
    Status s = write_stop(walkers, scan, &way->anchor, true, answer, err);
    for (uint32_t step = 0; step < way->count && !s; step++)
        s = write_stop(walkers, scan, &way->steps[step], false, answer, err);
    json_array_end(answer);
    json_object_end(answer);
    return s;
}

static Status write_people(const struct walkers *walkers, struct scan *scan, struct buf *answer, Err *err)
{
    const Query *query = &walkers->paths.query;
    Status s = OK;
    json_object(answer, NULL);
    json_uint(answer, "step", walkers->step);
    json_uint(answer, "total", walkers->list.total);
    json_array(answer, "people");
    for (uint32_t at = 0; at < walkers->list.member_count && !s && !(s = answer_go_on(query->world, err)); at++)
        s = write_person(walkers, scan, at, answer, err);
    json_array_end(answer);
    ask_list_write_cursor(&walkers->list, answer);
    if (!s) answer_close(query, scan, answer);
    return s;
}

Status answer_paths_people(Str question, const QueryWorld *world, Arena *arena, struct buf *answer, Err *err)
{
    Status s = OK;
    struct scan *first = NULL, *second = NULL, *last = NULL;
    ScanSpec spec;
    struct walkers *walkers = answer_take(arena, sizeof *walkers, 1, &s, err);
    if (!s) s = walkers_read(walkers, question, world, arena, err);
    if (s) return s;
    s = ask_paths_count(&walkers->paths, &first, &second, err);
    if (!s) s = find_people(walkers, first, scan_groups(second), err);
    if (!s) s = find_ways(walkers, first, &spec, &last, err);
    if (!s) s = write_people(walkers, last, answer, err);
    scan_close(last);
    scan_close(second);
    scan_close(first);
    counter_map_close(&walkers->paths.shown);
    ask_paths_close(&walkers->paths);
    return s;
}
