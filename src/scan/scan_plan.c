/* scan_plan: translates a question for each run. A run has dictionaries of its own. So each filter is applied to the
 * dictionary once, which gives a bit for each code; then the code of a row is enough to know whether the row passes.
 * The values of a breakdown are collected from all runs, sorted, and numbered, so that a group is the same in every
 * run. */
#include "scan_plan.h"

#include <math.h>
#include <stdlib.h>

/* A dictionary has at most 16 MiB of text and a million offsets and numbers; counters need room, too. */
enum { SCRATCH_BYTES = 64 << 20, KINDS_MAX = 4096 };

void *plan_take(struct planner *planner, size_t size, size_t count)
{
    void *at = planner->status ? NULL : arena_try(planner->arena, size, 16, count ? count : 1);
    if (at) return memset(at, 0, size * (count ? count : 1));
    if (!planner->status)
        planner->status = err_set(planner->err, ERR_TOO_LARGE, "the question needs more memory than it may");
    return NULL;
}

bool plan_read_values(struct planner *planner, const IndexRun *run, uint32_t column, IndexValues *ret,
                      Arena *ret_scratch)
{
    *ret_scratch = region_arena(&planner->scratch);
    if (!planner->status) planner->status = index_values_read(run, column, ret_scratch, ret, planner->err);
    return !planner->status;
}

void plan_warn(struct planner *planner, Str field) { plan_note_field(&planner->plan->unkept, field); }

void plan_warn_of_objects(struct planner *planner, const IndexRun *run, Str field, Str label)
{
    for (uint32_t at = 0; label.len && at < run->column_count; at++) {
        Str name = index_run_column_name(run, at);
        if (name.len <= field.len || name.bytes[field.len] != '.' || !str_starts(name, field)) continue;
        plan_note_field(&planner->plan->objects, label);
        return;
    }
}

uint32_t plan_find_reader(struct planner *planner, PlanRun *run, Str field)
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
    bool has_texts = false;
    *ret = (PlanFilter){ .reader = plan_find_reader(planner, run, filter->field),
                         .passes_nothing = filter_passes(filter, &nothing) };
    if (!run->run->has_groups && str_equal(filter->field, STR("groupId"))) planner->plan->has_old_groups = true;
    plan_warn_of_objects(planner, run->run, filter->field, filter->label);
    if (ret->reader == READER_NONE) return;
    uint32_t column = run->reader_columns[ret->reader];
    if (filter->op != OP_EXISTS && filter->label.len && index_run_column_unindexed(run->run, column))
        plan_warn(planner, filter->label);
    Arena scratch;
    if (!plan_read_values(planner, run->run, column, &values, &scratch)) return;
    uint32_t words = (values.code_count + 63) / 64;
    uint64_t *passes = plan_take(planner, sizeof *passes, words), *texts = arena_new(&scratch, uint64_t, words);
    if (!passes) return;
    run->reader_codes[ret->reader] = values.code_count;
    for (uint32_t code = 0; code < values.code_count; code++) {
        IndexValue value = index_values_get(&values, code);
        passes[code / 64] |= (uint64_t)filter_passes(filter, &value) << code % 64;
        if (!filter_reads_text(filter, &value)) continue;
        texts[code / 64] |= UINT64_C(1) << code % 64;
        has_texts = true;
    }
    ret->passes = passes;
    ret->field = filter->label;
    uint64_t *kept = has_texts ? plan_take(planner, sizeof *kept, words) : NULL;
    if (kept) ret->texts = memcpy(kept, texts, words * sizeof *kept);
}

static void judge_user(void *visitor, Subject subject, Str user_id)
{
    struct user_filter *users = visitor;
    IndexValue value = { .kind = INDEX_STRING, .text = user_id };
    uint64_t bit = UINT64_C(1) << subject % 64;
    if (subject >= users->subject_count) return;
    users->passes[subject / 64] = filter_passes(users->filter, &value) ? users->passes[subject / 64] | bit
        : users->passes[subject / 64] & ~bit;
}

/* A filter on userId is applied to all subjects once, and gives a bit for each. */
static void plan_user_filter(struct planner *planner, const Filter *filter, PlanFilter *ret)
{
    const QueryPeople *people = planner->query->world->people;
    IndexValue nothing = { 0 };
    *ret = (PlanFilter){ .reader = READER_SUBJECT, .passes_nothing = filter_passes(filter, &nothing) };
    for (uint32_t at = 0; at < planner->user_count; at++)
        if (planner->users[at].filter->values == filter->values && planner->users[at].filter->op == filter->op
            && planner->users[at].filter->is_negated == filter->is_negated) {
            ret->passes = planner->users[at].passes;
            return;
        }
    size_t words = people->subject_count / 64 + (size_t)1;
    struct user_filter users = { filter, plan_take(planner, sizeof(uint64_t), words), people->subject_count };
    ret->passes = users.passes;
    if (!users.passes) return;
    memset(users.passes, ret->passes_nothing ? 0xff : 0, words * sizeof *users.passes);
    people->visit_users(people->context, judge_user, &users);
    if (planner->user_count < countof(planner->users)) planner->users[planner->user_count++] = users;
}

/* Pages are found by name or by path: properties.path, or if that is absent context.page.path. A selector that
 * is_called uses the names of answers: it finds a page by its path only if the page has no name. */
static void plan_paths(struct planner *planner, PlanRun *run, const Selector *selector, PlanSelector *ret)
{
    IndexValue path = { .kind = INDEX_STRING, .text = selector->name };
    Filter filter = { .op = OP_EQUAL, .values = &path, .value_count = 1, .field = STR("properties.path") };
    if (selector->is_called && !selector->name.len) filter.op = OP_EMPTY;
    if (selector->is_unindexed) filter.op = OP_NO_TEXT;
    plan_filter(planner, run, &filter, &ret->paths[0]);
    filter.field = STR("context.page.path");
    plan_filter(planner, run, &filter, &ret->paths[1]);
}

static void plan_selectors(struct planner *planner, PlanRun *run)
{
    const ScanSpec *spec = planner->spec;
    run->selectors = plan_take(planner, sizeof *run->selectors, spec->selector_count);
    for (uint32_t at = 0; run->selectors && at < spec->selector_count; at++) {
        const Selector *selector = &spec->selectors[at];
        PlanSelector *to = &run->selectors[at];
        to->filters = plan_take(planner, sizeof *to->filters, selector->filters.count);
        for (uint32_t filter = 0; to->filters && filter < selector->filters.count; filter++) {
            const Filter *from = &selector->filters.items[filter];
            if (from->of == OF_NAME || from->of == OF_TYPE) continue;          /* plan_events looks at these */
            if (from->of == OF_USER) plan_user_filter(planner, from, &to->filters[to->filter_count++]);
            else plan_filter(planner, run, from, &to->filters[to->filter_count++]);
        }
        to->paths[0] = to->paths[1] = (PlanFilter){ .reader = READER_NONE };
        if ((selector->is_path && !selector->is_any_name) || selector->is_called || selector->is_unindexed)
            plan_paths(planner, run, selector, to);
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

IndexValue plan_code_value(const IndexValues *values, uint32_t code, FieldOf of)
{
    Str name;
    EventType type = index_values_event(values, code, &name);
    if (of == OF_TYPE) return (IndexValue){ .kind = INDEX_STRING, .text = str_from(event_type_word(type)) };
    if (code < INDEX_FIRST_EVENT) return (IndexValue){ .kind = INDEX_OTHER };
    return name.len ? (IndexValue){ .kind = INDEX_STRING, .text = name } : (IndexValue){ 0 };
}

static bool code_passes(const Selector *selector, const IndexValues *values, uint32_t code)
{
    for (uint32_t at = 0; at < selector->filters.count; at++) {
        const Filter *filter = &selector->filters.items[at];
        if (filter->of != OF_NAME && filter->of != OF_TYPE) continue;
        IndexValue value = plan_code_value(values, code, filter->of);
        if (!filter_passes(filter, &value)) return false;
    }
    return true;
}

enum { NAMED_NOT, NAMED, NAMED_BY_PATH };

/* Does the selector mean an event with this code? NAMED_BY_PATH: if the row's path fits. */
static int code_is_named(const Selector *selector, const PlanSelector *plan, uint32_t code, EventType type, Str name)
{
    bool has_path = plan->paths[0].reader != READER_NONE || plan->paths[1].reader != READER_NONE;
    bool is_nameless_page = code >= INDEX_FIRST_EVENT && type == EVENT_PAGE && !name.len;
    if (selector->is_unindexed && code < INDEX_FIRST_EVENT) return NAMED;
    if (selector->is_unindexed) return is_nameless_page && has_path ? NAMED_BY_PATH : NAMED_NOT;
    if (selector->is_any_name) return NAMED;
    if (selector->is_called && is_nameless_page)
        return has_path || !selector->name.len ? NAMED_BY_PATH : NAMED_NOT;
    if (code >= INDEX_FIRST_EVENT && str_equal(selector->name, name)) return NAMED;
    return selector->is_path && has_path ? NAMED_BY_PATH : NAMED_NOT;
}

/* Codes that match the same selectors are of one kind. So there are few kinds, however many names somebody makes up. */
static uint16_t find_kind(struct planner *planner, PlanRun *run, PlanKind *kinds, PlanKind kind)
{
    uint32_t at = 0;
    while (at < run->kind_count && memcmp(&kinds[at], &kind, sizeof kind) != 0) at++;
    if (at < run->kind_count) return (uint16_t)at;
    if (at == KINDS_MAX) {
        if (!planner->status)
            planner->status = err_set(planner->err, ERR_TOO_LARGE, "the question's events overlap in too many ways; "
                                      "narrow it");
        return 0;
    }
    kinds[run->kind_count++] = kind;
    return (uint16_t)at;
}

static PlanKind judge_code(const ScanSpec *spec, const PlanRun *run, const IndexValues *values, uint32_t code)
{
    Str name;
    EventType type = index_values_event(values, code, &name);
    PlanKind kind = { 0 };
    for (uint32_t at = 0; at < spec->selector_count; at++) {
        const Selector *selector = &spec->selectors[at];
        const PlanSelector *plan = &run->selectors[at];
        if ((selector->type != EVENT_NONE && selector->type != type) || !can_pass(run, at)) continue;
        if (selector->is_done && type != EVENT_TRACK && type != EVENT_PAGE && type != EVENT_SCREEN) continue;
        int named = code_is_named(selector, plan, code, type, name);
        bool is_named = named == NAMED;
        if (named == NAMED_NOT || !code_passes(selector, values, code)) continue;
        if (is_named && plan->filter_count == 0) kind.sure |= 1u << at;
        else kind.asks |= 1u << at;
        if (!is_named) kind.by_path |= 1u << at;
    }
    return kind;
}

static void keep_kinds(struct planner *planner, PlanRun *run, const PlanKind *kinds)
{
    run->event_kinds = plan_take(planner, sizeof *kinds, run->kind_count);
    if (!run->event_kinds) return;
    memcpy(run->event_kinds, kinds, run->kind_count * sizeof *kinds);
    if (run->run->events.width > 1) return;
    run->sure = plan_take(planner, sizeof *run->sure, run->code_count);
    for (uint32_t code = 0; run->sure && code < run->code_count; code++)
        run->sure[code] = kinds[run->kinds[code]].sure;
}

/* Finds what each event code means for each selector. True if any code matters. */
static bool plan_events(struct planner *planner, PlanRun *run)
{
    IndexValues values;
    Arena scratch;
    if (!plan_read_values(planner, run->run, INDEX_EVENTS, &values, &scratch)) return false;
    PlanKind *kinds = arena_new(&scratch, PlanKind, KINDS_MAX);
    run->code_count = values.code_count;
    run->kind_count = 1;                                        /* kind 0: no selector matches */
    run->nameless_page = UINT32_MAX;
    run->kinds = plan_take(planner, sizeof *run->kinds, values.code_count < 256 ? 256 : values.code_count);
    for (uint32_t code = 0; run->kinds && code < values.code_count; code++) {
        Str name;
        if (code >= INDEX_FIRST_EVENT && index_values_event(&values, code, &name) == EVENT_PAGE && !name.len)
            run->nameless_page = code;
        PlanKind kind = judge_code(planner->spec, run, &values, code);
        run->has_asks |= kind.asks != 0;
        run->kinds[code] = find_kind(planner, run, kinds, kind);
        if (run->kinds[code] == 0) continue;
        if (run->hot_count < SCAN_HOT_MAX) run->hot[run->hot_count] = (unsigned char)code;
        run->hot_count++;
    }
    bool is_any = run->hot_count > 0;
    if (run->hot_count > SCAN_HOT_MAX || run->run->events.width > 1) run->hot_count = 0;
    if (!planner->status && is_any) keep_kinds(planner, run, kinds);
    return !planner->status && is_any;
}

/* ---- Numbers ---- */

static void plan_number(struct planner *planner, PlanRun *run)
{
    IndexValues values;
    plan_warn_of_objects(planner, run->run, planner->spec->number_field, planner->spec->number_field);
    run->number_reader = plan_find_reader(planner, run, planner->spec->number_field);
    if (run->number_reader == READER_NONE) return;
    uint32_t column = run->reader_columns[run->number_reader];
    if (index_run_column_unindexed(run->run, column)) plan_warn(planner, planner->spec->number_field);
    Arena scratch;
    if (!plan_read_values(planner, run->run, column, &values, &scratch)) return;
    run->reader_codes[run->number_reader] = values.code_count;
    run->numbers = plan_take(planner, sizeof *run->numbers, values.code_count);
    run->number_kinds = plan_take(planner, 1, values.code_count);
    for (uint32_t code = 0; run->number_kinds && code < values.code_count; code++) {
        IndexValue value = index_values_get(&values, code), read;
        bool is_text = value.kind == INDEX_STRING && value_read_number(value.text, &read);
        if (is_text) value = read;
        run->numbers[code] = value.kind == INDEX_NUMBER ? value.number : NAN;
        run->number_kinds[code] = value.kind == INDEX_NOTHING ? NUMBER_NONE : value.kind != INDEX_NUMBER ? NUMBER_UNREAD
            : value.text.len ? NUMBER_BIG : is_text ? NUMBER_OF_TEXT : NUMBER_PLAIN;
    }
}

/* ---- All ---- */

Status plan_open(const Query *query, const ScanSpec *spec, struct index_snapshot *snapshot, Arena *arena,
                 Plan *ret, Err *err)
{
    uint32_t count = index_snapshot_run_count(snapshot);
    struct planner planner = { .query = query, .spec = spec, .arena = arena, .err = err, .plan = ret };
    *ret = (Plan){ .by_label = spec->by.is_given ? spec->by.label : STR("event") };
    region_open(&planner.scratch, SCRATCH_BYTES);
    ret->runs = plan_take(&planner, sizeof *ret->runs, count);
    for (uint32_t at = 0; at < count && !planner.status; at++) {
        const IndexRun *run = index_snapshot_run(snapshot, at);
        PlanRun *plan = &ret->runs[ret->run_count];
        if (run->time_max_ms < query->from_ms || run->time_min_ms >= query->to_ms) continue;
        *plan = (PlanRun){ .run = run, .run_index = at, .by_reader = READER_NONE, .number_reader = READER_NONE,
                           .account_reader = READER_NONE };
        uint64_t from = query->from_ms > run->times.base
            ? (uint64_t)query->from_ms - (uint64_t)run->times.base : 0;
        /* a run that overlaps the range ends after from */
        plan->from_offset = from;
        plan->range = (uint64_t)query->to_ms - (uint64_t)run->times.base - from;
        plan_selectors(&planner, plan);
        ret->has_lost_columns |= run->unindexed_count > 0;
        if (!planner.status && plan_events(&planner, plan)) ret->run_count++;
    }
    if (!planner.status && spec->by.of == OF_USER) plan_users(&planner);
    else if (!planner.status && (spec->by_event || (spec->by.is_given && !spec->by.is_trait)))
        plan_groups(&planner);
    if (!planner.status && query->is_of_groups) plan_accounts(&planner);
    for (uint32_t at = 0; spec->number_field.len && at < ret->run_count && !planner.status; at++)
        plan_number(&planner, &ret->runs[at]);
    region_close(&planner.scratch);
    return planner.status;
}

void plan_close(Plan *plan)
{
    groups_union_close(&plan->named);
    groups_union_close(&plan->named_accounts);
}
