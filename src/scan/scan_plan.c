/* scan_plan: a question, translated for each run. A run has dictionaries of its own, so every filter is
 * applied to the dictionary once, which leaves a bit a code; a row is then asked by its code alone. The values
 * of a breakdown are united over all runs, sorted, and numbered: a group is the same in every run. */
#include "scan.h"

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
    struct user_filter { const Filter *filter; uint64_t *passes; uint32_t subject_count; } users[FILTERS_MAX];
    uint32_t user_count;
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

static void warn(struct planner *planner, Str field) { plan_note_field(&planner->plan->unkept, field); }

/* An object has no value of its own, only what is in it has: who asks for the whole is told so. */
static void warn_of_objects(struct planner *planner, const IndexRun *run, Str field, Str label)
{
    for (uint32_t at = 0; label.len && at < run->column_count; at++) {
        Str name = index_run_column_name(run, at);
        if (name.len <= field.len || name.bytes[field.len] != '.' || !str_starts(name, field)) continue;
        plan_note_field(&planner->plan->objects, label);
        return;
    }
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

/* The codes whose text is read as a number, behind the codes that pass. */
static void keep_texts(struct planner *planner, const Filter *filter, uint64_t *texts, uint32_t words, bool has_texts,
                       PlanFilter *ret)
{
    ret->field = filter->label;
    ret->texts = NULL;
    planner->arena->at = (char *)((uint64_t *)(uintptr_t)ret->passes + words);      /* no code has the other bits */
    if (!has_texts) return;
    uint64_t *kept = take(planner, sizeof *kept, words);
    if (kept) ret->texts = memmove(kept, texts, words * sizeof *kept);
}

static void plan_filter(struct planner *planner, PlanRun *run, const Filter *filter, PlanFilter *ret)
{
    IndexValues values;
    IndexValue nothing = { 0 };
    bool has_texts = false;
    *ret = (PlanFilter){ .reader = find_reader(planner, run, filter->field),
                         .passes_nothing = filter_passes(filter, &nothing) };
    if (!run->run->has_groups && str_equal(filter->field, STR("groupId"))) planner->plan->has_old_groups = true;
    warn_of_objects(planner, run->run, filter->field, filter->label);
    if (ret->reader == READER_NONE) return;
    uint32_t column = run->reader_columns[ret->reader];
    if (filter->op != OP_EXISTS && filter->label.len && index_run_column_unindexed(run->run, column))
        warn(planner, filter->label);
    uint64_t *passes = arena_try(planner->arena, sizeof *passes, 16, PASSES_WORDS);
    uint64_t *texts = arena_try(planner->arena, sizeof *texts, 16, PASSES_WORDS);
    if (!texts) (void)take(planner, 1, SIZE_MAX);                  /* says that there is no memory */
    if (planner->status || !read_values(planner, run->run, column, &values)) return;
    check(values.code_count <= PASSES_WORDS * 64);
    uint32_t words = (values.code_count + 63) / 64;
    memset(passes, 0, words * sizeof *passes);
    memset(texts, 0, words * sizeof *texts);
    run->reader_codes[ret->reader] = values.code_count;
    for (uint32_t code = 0; code < values.code_count; code++) {
        IndexValue value = index_values_get(&values, code);
        passes[code / 64] |= (uint64_t)filter_passes(filter, &value) << code % 64;
        if (!filter_reads_text(filter, &value)) continue;
        texts[code / 64] |= UINT64_C(1) << code % 64;
        has_texts = true;
    }
    ret->passes = passes;
    keep_texts(planner, filter, texts, words, has_texts, ret);
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

/* A filter on userId is asked of everybody once: a bit a subject. */
static void plan_user_filter(struct planner *planner, const Filter *filter, PlanFilter *ret)
{
    const QueryPeople *people = planner->request->world->people;
    IndexValue nothing = { 0 };
    *ret = (PlanFilter){ .reader = READER_SUBJECT, .passes_nothing = filter_passes(filter, &nothing) };
    for (uint32_t at = 0; at < planner->user_count; at++)
        if (planner->users[at].filter->values == filter->values && planner->users[at].filter->op == filter->op
            && planner->users[at].filter->is_negated == filter->is_negated) {
            ret->passes = planner->users[at].passes;
            return;
        }
    size_t words = people->subject_count / 64 + (size_t)1;
    struct user_filter users = { filter, take(planner, sizeof(uint64_t), words), people->subject_count };
    ret->passes = users.passes;
    if (!users.passes) return;
    memset(users.passes, ret->passes_nothing ? 0xff : 0, words * sizeof *users.passes);
    people->visit_users(people->context, judge_user, &users);
    if (planner->user_count < countof(planner->users)) planner->users[planner->user_count++] = users;
}

/* Pages are known by name or by path: properties.path, or where that is absent context.page.path. As answers call
 * them, by the path only where there is no name. */
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
    run->selectors = take(planner, sizeof *run->selectors, spec->selector_count);
    for (uint32_t at = 0; run->selectors && at < spec->selector_count; at++) {
        const Selector *selector = &spec->selectors[at];
        PlanSelector *to = &run->selectors[at];
        to->filters = take(planner, sizeof *to->filters, selector->filter_count);
        for (uint32_t filter = 0; to->filters && filter < selector->filter_count; filter++) {
            const Filter *from = &selector->filters[filter];
            if (from->of == OF_NAME || from->of == OF_TYPE) continue;          /* plan_events asks them */
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

/* What a code of events says of a field that is about what the event is. */
static IndexValue code_value(const IndexValues *values, uint32_t code, FieldOf of)
{
    Str name;
    EventType type = index_values_event(values, code, &name);
    if (of == OF_TYPE) return (IndexValue){ .kind = INDEX_STRING, .text = str_from(event_type_word(type)) };
    if (code < INDEX_FIRST_EVENT) return (IndexValue){ .kind = INDEX_OTHER };
    return name.len ? (IndexValue){ .kind = INDEX_STRING, .text = name } : (IndexValue){ 0 };
}

static bool code_passes(const Selector *selector, const IndexValues *values, uint32_t code)
{
    for (uint32_t at = 0; at < selector->filter_count; at++) {
        const Filter *filter = &selector->filters[at];
        if (filter->of != OF_NAME && filter->of != OF_TYPE) continue;
        IndexValue value = code_value(values, code, filter->of);
        if (!filter_passes(filter, &value)) return false;
    }
    return true;
}

enum { NAMED_NOT, NAMED, NAMED_BY_PATH };

/* Does the event's name say that the selector means it, or may its path? */
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
            if (selector->is_done && type != EVENT_TRACK && type != EVENT_PAGE && type != EVENT_SCREEN) continue;
            int named = code_is_named(selector, plan, code, type, name);
            bool is_named = named == NAMED;
            if (named == NAMED_NOT || !code_passes(selector, &values, code)) continue;
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
static IndexValue group_value(struct planner *planner, const IndexValues *values, uint32_t code)
{
    if (!values->is_events) return value_settle(index_values_get(values, code), planner->arena);
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
    FieldOf of;                     /* of codes of events: what is told of them */
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
    run->by_code = spec->by_event || spec->by.of == OF_NAME || spec->by.of == OF_TYPE;
    if (run->by_code && !spec->by_event) {
        bool is_read = read_named(planner, run, READER_NONE, &run->groups, false, ret);
        ret->of = spec->by.of;
        return is_read;
    }
    if (!spec->by_event) {
        if (!run->run->has_groups && str_equal(spec->by.field, STR("groupId"))) planner->plan->has_old_groups = true;
        warn_of_objects(planner, run->run, spec->by.field, spec->by.label);
        run->by_reader = find_reader(planner, run, spec->by.field);
        if (run->by_reader == READER_NONE) return 0;
        if (index_run_column_unindexed(run->run, run->reader_columns[run->by_reader]))
            warn(planner, spec->by.label);
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

/* A page that is called like another one's path: what its plain label asks for is more than it. */
static void mark_path(Groups *groups, EventType type, Str path, uint64_t *bits)
{
    char text[LIMIT_EVENT_NAME_BYTES + 1] = { (char)('0' + type) };
    if (path.len > LIMIT_EVENT_NAME_BYTES) return;
    memcpy(text + 1, path.bytes, path.len);
    IndexValue value = { .kind = INDEX_STRING, .text = str_of(text, path.len + 1) };
    const IndexValue *found = bsearch(&value, groups->values, groups->count, sizeof value, group_compare_values);
    if (found) bits[(found - groups->values) / 64] |= UINT64_C(1) << (found - groups->values) % 64;
}

static bool has_named_pages(const Groups *groups, const Plan *plan, struct planner *planner)
{
    for (uint32_t at = 0; at < plan->run_count; at++) {
        IndexValues values;
        Arena before = *planner->arena;
        if (!read_values(planner, plan->runs[at].run, INDEX_EVENTS, &values)) return false;
        bool has_one = false;
        for (uint32_t code = INDEX_FIRST_EVENT; code < values.code_count && !has_one; code++) {
            Str name;
            has_one = index_values_event(&values, code, &name) == EVENT_PAGE && name.len;
        }
        *planner->arena = before;
        if (has_one) return true;
    }
    (void)groups;
    return false;
}

/* Which labels have to be written exactly: those of pages and screens that are somebody else's path, too. */
static void plan_labels(struct planner *planner)
{
    static const char *const paths[] = { "properties.path", "context.page.path" };
    Plan *plan = planner->plan;
    uint64_t *bits = take(planner, sizeof *bits, plan->groups.count / 64 + (size_t)1);
    bool are_pages_named = bits && has_named_pages(&plan->groups, plan, planner);
    for (uint32_t at = 0; at < plan->run_count * 2 && !planner->status; at++) {
        const IndexRun *run = plan->runs[at / 2].run;
        uint32_t column = index_run_find_column(run, str_from(paths[at % 2]));
        IndexValues values;
        Arena before = *planner->arena;
        if (column == UINT32_MAX || !read_values(planner, run, column, &values)) continue;
        for (uint32_t code = INDEX_FIRST_VALUE; code < values.code_count; code++) {
            IndexValue value = index_values_get(&values, code);
            if (value.kind != INDEX_STRING || !value.text.len) continue;
            if (are_pages_named) mark_path(&plan->groups, EVENT_PAGE, value.text, bits);
            mark_path(&plan->groups, EVENT_SCREEN, value.text, bits);
        }
        *planner->arena = before;
    }
    plan->groups.is_ambiguous = bits;
    plan->groups.told_other = &plan->has_unindexed_events;
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
                : named[at].of ? value_settle(code_value(&named[at].values, code, named[at].of), planner->arena)
                : group_value(planner, &named[at].values, code);
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
    if (planner->spec->by_event) plan_labels(planner);
    before = 1;
    for (uint32_t at = 0; at < named_count; at++) {
        uint32_t *groups = *named[at].groups = take(planner, sizeof *groups, named[at].values.code_count);
        for (uint32_t code = 0; groups && code < named[at].values.code_count; code++) {
            const IndexValue *found = bsearch(&values[before++], in_order, unique, sizeof *found, group_compare_values);
            groups[code] = (uint32_t)(found - in_order);
        }
    }
}

/* ---- By user id ---- */

struct user_groups {
    struct planner *planner;
    IndexValue *values;
    uint32_t *subjects, count;
};

static void count_user(void *visitor, Subject subject, Str user_id)
{
    struct user_groups *users = visitor;
    (void)subject, (void)user_id;
    users->count++;
}

static void note_user(void *visitor, Subject subject, Str user_id)
{
    struct user_groups *users = visitor;
    char *text = take(users->planner, 1, user_id.len + 1);
    if (!text || users->count == GROUPS_MAX) return;
    memcpy(text, user_id.bytes, user_id.len);
    users->subjects[users->count] = subject;
    users->values[users->count++] = (IndexValue){ .kind = INDEX_STRING, .text = str_of(text, user_id.len) };
}

/* Everybody's user id is a group, in order; a subject that is none has no group. */
static void plan_users(struct planner *planner)
{
    Plan *plan = planner->plan;
    const QueryPeople *people = planner->request->world->people;
    struct user_groups users = { .planner = planner };
    people->visit_users(people->context, count_user, &users);
    if (users.count >= GROUPS_MAX - 1) {
        planner->status
            = err_set_field(planner->err, "by", "over %d different values; by a field with fewer", GROUPS_MAX);
        return;
    }
    uint32_t room = users.count + 1;
    users.count = 0;
    users.values = take(planner, sizeof *users.values, room), users.subjects = take(planner, sizeof(uint32_t), room);
    IndexValue *in_order = take(planner, sizeof *in_order, room + (size_t)1);
    plan->subject_groups = take(planner, sizeof(uint32_t), people->subject_count + (size_t)1);
    if (planner->status) return;
    people->visit_users(people->context, note_user, &users);
    if (planner->status) return;
    memcpy(in_order + 1, users.values, users.count * sizeof *in_order);
    qsort(in_order + 1, users.count, sizeof *in_order, group_compare_values);
    plan->groups = (Groups){ .values = in_order, .count = users.count + 1 };
    plan->subject_count = people->subject_count;
    for (uint32_t at = 0; at < users.count; at++) {
        const IndexValue *found
            = bsearch(&users.values[at], in_order + 1, users.count, sizeof *found, group_compare_values);
        if (users.subjects[at] < plan->subject_count)
            plan->subject_groups[users.subjects[at]] = (uint32_t)(found - in_order);
    }
}

/* ---- Of groups ---- */

/* A text that names an account; a placeholder names none, as it names no person. */
static bool is_account(const struct planner *planner, const IndexValue *value)
{
    const QueryPeople *people = planner->request->world->people;
    return value->kind == INDEX_STRING
        && !(people->is_no_account && people->is_no_account(people->context, value->text));
}

/* Accounts in place of people: the values of groupId over all runs, in order, and which of them a run's codes are. */
static void plan_accounts(struct planner *planner)
{
    Plan *plan = planner->plan;
    size_t all = 1, count = 0;
    uint32_t unique = 0;
    IndexValues *values = take(planner, sizeof *values, plan->run_count);
    for (uint32_t at = 0; values && at < plan->run_count && !planner->status; at++) {
        PlanRun *run = &plan->runs[at];
        run->account_reader = find_reader(planner, run, STR("groupId"));
        plan->has_old_groups |= !run->run->has_groups;
        if (run->account_reader == READER_NONE) continue;
        if (!read_values(planner, run->run, run->reader_columns[run->account_reader], &values[at])) return;
        run->reader_codes[run->account_reader] = values[at].code_count;
        all += values[at].code_count;
    }
    plan->accounts = take(planner, sizeof *plan->accounts, all);
    if (planner->status) return;
    for (uint32_t at = 0; at < plan->run_count; at++)
        for (uint32_t code = INDEX_FIRST_VALUE; code < values[at].code_count; code++) {
            IndexValue value = index_values_get(&values[at], code);
            if (is_account(planner, &value)) plan->accounts[count++] = value;
        }
    qsort(plan->accounts, count, sizeof *plan->accounts, group_compare_values);
    for (size_t at = 0; at < count; at++)
        if (at == 0 || group_compare_values(&plan->accounts[at], &plan->accounts[unique - 1]) != 0)
            plan->accounts[unique++] = plan->accounts[at];
    plan->account_count = unique;
    for (uint32_t at = 0; at < plan->run_count; at++) {
        uint32_t *accounts = plan->runs[at].accounts = take(planner, sizeof *accounts, values[at].code_count);
        for (uint32_t code = 0; accounts && code < values[at].code_count; code++) {
            IndexValue value = index_values_get(&values[at], code), *found = NULL;
            if (value.kind == INDEX_STRING)
                found = bsearch(&value, plan->accounts, unique, sizeof value, group_compare_values);
            accounts[code] = found ? (uint32_t)(found - plan->accounts) : QUERY_NOBODY;
        }
    }
}

static void plan_number(struct planner *planner, PlanRun *run)
{
    IndexValues values;
    warn_of_objects(planner, run->run, planner->spec->number_field, planner->spec->number_field);
    run->number_reader = find_reader(planner, run, planner->spec->number_field);
    if (run->number_reader == READER_NONE) return;
    uint32_t column = run->reader_columns[run->number_reader];
    if (index_run_column_unindexed(run->run, column)) warn(planner, planner->spec->number_field);
    if (!read_values(planner, run->run, column, &values)) return;
    run->reader_codes[run->number_reader] = values.code_count;
    run->numbers = take(planner, sizeof *run->numbers, values.code_count);
    run->number_kinds = take(planner, 1, values.code_count);
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
        *plan = (PlanRun){ .run = run, .run_index = at, .by_reader = READER_NONE, .number_reader = READER_NONE,
                           .account_reader = READER_NONE };
        uint64_t from = request->from_ms > run->times.base
            ? (uint64_t)request->from_ms - (uint64_t)run->times.base : 0;
        /* the run overlaps the range: its end is behind from */
        plan->from_offset = from;
        plan->range = (uint64_t)request->to_ms - (uint64_t)run->times.base - from;
        plan_selectors(&planner, plan);
        ret->has_lost_columns |= run->unindexed_count > 0;
        if (!planner.status && plan_events(&planner, plan)) ret->run_count++;
    }
    if (!planner.status && spec->by.of == OF_USER) plan_users(&planner);
    else if (!planner.status && (spec->by_event || (spec->by.is_given && !spec->by.is_trait)))
        plan_groups(&planner);
    if (!planner.status && request->is_of_groups) plan_accounts(&planner);
    for (uint32_t at = 0; spec->number_field.len && at < ret->run_count && !planner.status; at++)
        plan_number(&planner, &ret->runs[at]);
    return planner.status;
}
