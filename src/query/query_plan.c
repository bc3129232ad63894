/* query_plan: a question, translated for each run. A run has dictionaries of its own, so every filter is
 * applied to the dictionary once, which leaves a bit a code; a row is then asked by its code alone. The values
 * of a breakdown are united over all runs, sorted, and numbered: a group is the same in every run. */
#include "query_scan.h"

#include <math.h>
#include <stdlib.h>

enum { PASSES_WORDS = (1 << 20) / 64 + 1 };        /* a dictionary has at most this many codes, and four */

/* Zeroed; NULL and a sticky failure where the question's memory is used up. */
struct planner {
    const Request *request;
    const ScanSpec *spec;
    Arena *arena;
    Err *err;
    Plan *plan;
    Status status;
};

static void *take(struct planner *planner, size_t size, size_t count)
{
    void *at = planner->status ? NULL : arena_try(planner->arena, size, 16, count ? count : 1);
    if (at) return memset(at, 0, size * (count ? count : 1));
    if (!planner->status)
        planner->status = err_set(planner->err, ERR_TOO_LARGE, "the question needs more memory than it may");
    return NULL;
}

static bool read_values(struct planner *planner, const IndexRun *run, uint32_t column, IndexValues *ret)
{
    if (!planner->status) planner->status = index_values_read(run, column, planner->arena, ret, planner->err);
    return !planner->status;
}

static void warn(struct planner *planner, Str field)
{
    Plan *plan = planner->plan;
    for (uint32_t at = 0; at < plan->warning_count; at++)
        if (str_equal(plan->warnings[at], field)) return;
    if (plan->warning_count < countof(plan->warnings)) plan->warnings[plan->warning_count++] = field;
}

/* The run's reader of a column, new or known; READER_NONE where it has no such column. */
static uint32_t find_reader(struct planner *planner, PlanRun *run, Str field)
{
    uint32_t column = index_run_find_column(run->run, field), at;
    if (column == UINT32_MAX) return READER_NONE;
    for (at = 0; at < run->reader_count; at++)
        if (run->reader_columns[at] == column) return at;
    if (at == SCAN_READERS_MAX) {
        if (!planner->status)
            planner->status
                = err_set(planner->err, ERR_INPUT, "over %d different fields in one question",
                          SCAN_READERS_MAX);
        return READER_NONE;
    }
    run->reader_columns[at] = column;
    run->reader_count++;
    return at;
}

/* ---- Filters ---- */

static void plan_filter(struct planner *planner, PlanRun *run, const Filter *filter, PlanFilter *ret)
{
    IndexValues values;
    IndexValue nothing = { 0 };
    *ret = (PlanFilter){ .reader = find_reader(planner, run, filter->field),
                         .passes_nothing = filter_passes(filter, &nothing) };
    if (ret->reader == READER_NONE) return;
    uint32_t column = run->reader_columns[ret->reader];
    if (filter->op != OP_EXISTS && index_run_column_unindexed(run->run, column)) warn(planner, filter->field);
    uint64_t *passes = arena_try(planner->arena, sizeof *passes, 16, PASSES_WORDS);
    Arena before = *planner->arena;
    if (!passes) (void)take(planner, 1, SIZE_MAX);                 /* says that there is no memory */
    if (planner->status || !read_values(planner, run->run, column, &values)) return;
    check(values.code_count <= PASSES_WORDS * 64);
    memset(passes, 0, ((size_t)values.code_count + 63) / 64 * sizeof *passes);
    run->reader_codes[ret->reader] = values.code_count;
    for (uint32_t code = 0; code < values.code_count; code++) {
        IndexValue value = index_values_get(&values, code);
        passes[code / 64] |= (uint64_t)filter_passes(filter, &value) << code % 64;
    }
    *planner->arena = before;                                      /* the dictionary is not needed any more, */
    planner->arena->at = (char *)(passes + (values.code_count + 63) / 64);     /* nor bits that no code has */
    ret->passes = passes;
}

/* Pages are known by name or by path: properties.path, or where that is absent context.page.path. */
static void plan_paths(struct planner *planner, PlanRun *run, const Selector *selector, PlanSelector *ret)
{
    IndexValue path = { .kind = INDEX_STRING, .text = selector->name };
    Filter filter = { .op = OP_EQUAL, .values = &path, .value_count = 1, .field = STR("properties.path") };
    plan_filter(planner, run, &filter, &ret->paths[0]);
    filter.field = STR("context.page.path");
    plan_filter(planner, run, &filter, &ret->paths[1]);
}

static void plan_selectors(struct planner *planner, PlanRun *run)
{
    const ScanSpec *spec = planner->spec;
    run->selectors = take(planner, sizeof *run->selectors, spec->selector_count);
    for (uint32_t at = 0; run->selectors && at < spec->selector_count; at++) {
        const Selector *selector = &spec->selectors[at];
        PlanSelector *to = &run->selectors[at];
        to->filter_count = selector->filter_count;
        to->filters = take(planner, sizeof *to->filters, selector->filter_count);
        for (uint32_t filter = 0; to->filters && filter < selector->filter_count; filter++)
            plan_filter(planner, run, &selector->filters[filter], &to->filters[filter]);
        to->paths[0] = to->paths[1] = (PlanFilter){ .reader = READER_NONE };
        if (selector->is_path && !selector->is_any_name) plan_paths(planner, run, selector, to);
    }
}

/* ---- Events ---- */

static bool can_pass(const PlanRun *run, uint32_t selector)
{
    const PlanSelector *plan = &run->selectors[selector];
    for (uint32_t at = 0; at < plan->filter_count; at++)
        if (plan->filters[at].reader == READER_NONE && !plan->filters[at].passes_nothing) return false;
    return true;
}

/* What each event code means for each selector. True where any does. */
static bool plan_events(struct planner *planner, PlanRun *run)
{
    const ScanSpec *spec = planner->spec;
    IndexValues values;
    bool is_any = false;
    if (!read_values(planner, run->run, INDEX_EVENTS, &values)) return false;
    run->code_count = values.code_count;
    run->sure = take(planner, sizeof(uint32_t), values.code_count);
    run->asks = take(planner, sizeof(uint32_t), values.code_count);
    run->by_path = take(planner, sizeof(uint32_t), values.code_count);
    run->is_hot = take(planner, 1, values.code_count < 256 ? 256 : values.code_count);
    if (planner->status) return false;
    for (uint32_t code = 0; code < values.code_count; code++) {
        Str name;
        EventType type = index_values_event(&values, code, &name);
        for (uint32_t at = 0; at < spec->selector_count; at++) {
            const Selector *selector = &spec->selectors[at];
            const PlanSelector *plan = &run->selectors[at];
            if ((selector->type != EVENT_NONE && selector->type != type) || !can_pass(run, at)) continue;
            bool is_named = selector->is_any_name
                || (code >= INDEX_FIRST_EVENT && str_equal(selector->name, name));
            bool has_path = plan->paths[0].reader != READER_NONE || plan->paths[1].reader != READER_NONE;
            if (!is_named && !has_path) continue;
            if (is_named && plan->filter_count == 0) run->sure[code] |= 1u << at;
            else run->asks[code] |= 1u << at;
            if (!is_named) run->by_path[code] |= 1u << at;
        }
        run->has_asks |= run->asks[code] != 0;
        run->is_hot[code] = (run->sure[code] | run->asks[code]) != 0;
        if (!run->is_hot[code]) continue;
        if (run->hot_count < SCAN_HOT_MAX) run->hot[run->hot_count] = (unsigned char)code;
        run->hot_count++;
        is_any = true;
    }
    if (run->hot_count > SCAN_HOT_MAX || run->run->events.width > 1) run->hot_count = 0;
    return is_any;
}

/* ---- Groups ---- */

/* A code's value; of the column of events: what it is, as text. */
static IndexValue group_value(const IndexValues *values, uint32_t code)
{
    if (!values->is_events) return index_values_get(values, code);
    if (code < INDEX_FIRST_EVENT) return (IndexValue){ .kind = INDEX_OTHER };
    uint32_t start = code > INDEX_FIRST_EVENT ? values->ends[code - INDEX_FIRST_EVENT - 1] : 0;
    return (IndexValue){ .kind = INDEX_STRING,
                         .text = str_of(values->bytes + start,
                                        values->ends[code - INDEX_FIRST_EVENT] - start) };
}

/* A dictionary whose values are groups: of the breakdown's column, of events, of the paths of pages. */
struct named {
    PlanRun *run;
    IndexValues values;
    uint32_t **groups;              /* where the run's table by code goes */
    bool is_path;
};

/* A page without a name is called by its path: as an event of that name would be. */
static IndexValue path_value(struct planner *planner, const IndexValues *values, uint32_t code)
{
    IndexValue value = index_values_get(values, code);
    if (value.kind != INDEX_STRING) return (IndexValue){ .kind = INDEX_OTHER };
    char *text = take(planner, 1, value.text.len + 1);
    if (!text) return (IndexValue){ 0 };
    *text = (char)('0' + EVENT_PAGE);
    memcpy(text + 1, value.text.bytes, value.text.len);
    return (IndexValue){ .kind = INDEX_STRING, .text = str_of(text, value.text.len + 1) };
}

static bool read_named(struct planner *planner, PlanRun *run, uint32_t reader, uint32_t **groups, bool is_path,
                       struct named *ret)
{
    uint32_t column = reader == READER_NONE ? INDEX_EVENTS : run->reader_columns[reader];
    *ret = (struct named){ .run = run, .groups = groups, .is_path = is_path };
    if (!read_values(planner, run->run, column, &ret->values)) return false;
    if (reader != READER_NONE) run->reader_codes[reader] = ret->values.code_count;
    return true;
}

/* The dictionaries of one run; at most three. */
static uint32_t read_run_names(struct planner *planner, PlanRun *run, struct named *ret)
{
    static const char *const paths[] = { "properties.path", "context.page.path" };
    const ScanSpec *spec = planner->spec;
    uint32_t count = 0;
    run->nameless_page = UINT32_MAX;
    if (!spec->by_event) {
        run->by_reader = find_reader(planner, run, spec->by.field);
        if (run->by_reader == READER_NONE) return 0;
        if (index_run_column_unindexed(run->run, run->reader_columns[run->by_reader]))
            warn(planner, spec->by.field);
        return read_named(planner, run, run->by_reader, &run->groups, false, ret);
    }
    if (!read_named(planner, run, READER_NONE, &run->groups, false, &ret[count++])) return 0;
    for (uint32_t code = INDEX_FIRST_EVENT; code < ret->values.code_count; code++) {
        Str name;
        if (index_values_event(&ret->values, code, &name) == EVENT_PAGE && name.len == 0) run->nameless_page = code;
    }
    for (int path = 0; path < 2; path++) {
        run->path_readers[path] = READER_NONE;
        if (run->nameless_page == UINT32_MAX) continue;
        run->path_readers[path] = find_reader(planner, run, str_from(paths[path]));
        if (run->path_readers[path] == READER_NONE) continue;
        if (!read_named(planner, run, run->path_readers[path], &run->path_groups[path], true, &ret[count++])) return 0;
    }
    return count;
}

/* Unites the breakdown's values over all runs, then numbers each run's codes. */
static void plan_groups(struct planner *planner)
{
    Plan *plan = planner->plan;
    struct named *named = take(planner, sizeof *named, (size_t)plan->run_count * 3);
    uint32_t named_count = 0;
    size_t all = 1, count = 1, unique = 0, before;
    for (uint32_t at = 0; named && at < plan->run_count && !planner->status; at++)
        named_count += read_run_names(planner, &plan->runs[at], &named[named_count]);
    if (planner->status) return;
    for (uint32_t at = 0; at < named_count; at++) all += named[at].values.code_count;
    IndexValue *values = take(planner, sizeof *values, all), *in_order = take(planner, sizeof *values, all);
    for (uint32_t at = 0; in_order && at < named_count; at++)
        for (uint32_t code = 0; code < named[at].values.code_count; code++)
            values[count++] = named[at].is_path ? path_value(planner, &named[at].values, code)
                : group_value(&named[at].values, code);
    if (planner->status) return;
    memcpy(in_order, values, count * sizeof *values);
    qsort(in_order, count, sizeof *values, group_compare_values);
    for (size_t at = 0; at < count; at++)
        if (at == 0 || group_compare_values(&in_order[at], &in_order[unique - 1]) != 0)
            in_order[unique++] = in_order[at];
    if (unique > GROUPS_MAX) {
        planner->status = err_set_field(planner->err, "by", "over %d different values; by a field with fewer",
                                        GROUPS_MAX);
        return;
    }
    plan->groups = (Groups){ .values = in_order, .count = (uint32_t)unique, .is_events = planner->spec->by_event };
    before = 1;
    for (uint32_t at = 0; at < named_count; at++) {
        uint32_t *groups = *named[at].groups = take(planner, sizeof *groups, named[at].values.code_count);
        for (uint32_t code = 0; groups && code < named[at].values.code_count; code++) {
            const IndexValue *found = bsearch(&values[before++], in_order, unique, sizeof *found, group_compare_values);
            groups[code] = (uint32_t)(found - in_order);
        }
    }
}

static void plan_number(struct planner *planner, PlanRun *run)
{
    IndexValues values;
    run->number_reader = find_reader(planner, run, planner->spec->number_field);
    if (run->number_reader == READER_NONE) return;
    uint32_t column = run->reader_columns[run->number_reader];
    if (index_run_column_unindexed(run->run, column)) warn(planner, planner->spec->number_field);
    if (!read_values(planner, run->run, column, &values)) return;
    run->reader_codes[run->number_reader] = values.code_count;
    run->numbers = take(planner, sizeof *run->numbers, values.code_count);
    for (uint32_t code = 0; run->numbers && code < values.code_count; code++) {
        IndexValue value = index_values_get(&values, code);
        run->numbers[code] = value.kind == INDEX_NUMBER ? value.number : NAN;
    }
}

/* ---- All ---- */

Status plan_open(const Request *request, const ScanSpec *spec, struct index_snapshot *snapshot, Arena *arena,
                 Plan *ret, Err *err)
{
    uint32_t count = index_snapshot_run_count(snapshot);
    struct planner planner = { .request = request, .spec = spec, .arena = arena, .err = err, .plan = ret };
    *ret = (Plan){ 0 };
    ret->runs = take(&planner, sizeof *ret->runs, count);
    for (uint32_t at = 0; at < count && !planner.status; at++) {
        const IndexRun *run = index_snapshot_run(snapshot, at);
        PlanRun *plan = &ret->runs[ret->run_count];
        if (run->time_max_ms < request->from_ms || run->time_min_ms >= request->to_ms) continue;
        *plan = (PlanRun){ .run = run, .run_index = at, .by_reader = READER_NONE, .number_reader = READER_NONE };
        uint64_t from = request->from_ms > run->times.base
            ? (uint64_t)request->from_ms - (uint64_t)run->times.base : 0;
        /* the run overlaps the range: its end is behind from */
        plan->from_offset = from;
        plan->range = (uint64_t)request->to_ms - (uint64_t)run->times.base - from;
        plan_selectors(&planner, plan);
        ret->has_lost_columns |= run->unindexed_count > 0;
        if (!planner.status && plan_events(&planner, plan)) ret->run_count++;
    }
    if (!planner.status && (spec->by_event || (spec->by.is_given && !spec->by.is_trait)))
        plan_groups(&planner);
    for (uint32_t at = 0; spec->number_field.len && at < ret->run_count && !planner.status; at++)
        plan_number(&planner, &ret->runs[at]);
    return planner.status;
}
