/* scan_plan_groups: gives numbers to the values of a breakdown over all runs. Each run's dictionary is read when it is
 * needed, one at a time. Only the different values are kept (scan_union.h), and for each run a table that leads from
 * its codes to them. */
#include "scan_plan.h"

#include <stdlib.h>

enum { ROWS_A_LOOK = 1 << 20 };

static const char *const page_paths[] = { "properties.path", "context.page.path" };

/* A dictionary whose values are groups: of the breakdown's column, of events, of the paths of pages. */
struct named {
    PlanRun *run;
    uint32_t reader;                /* READER_NONE: the dictionary of events */
    uint32_t **groups;              /* where to put the run's table by code */
    bool is_path;
    FieldOf of;                     /* for the dictionary of events: is it their name or their type? */
};

/* ---- Which dictionaries ---- */

static void put_named(struct named *named, uint32_t *count, PlanRun *run, uint32_t reader, uint32_t **groups)
{
    named[(*count)++] = (struct named){ .run = run, .reader = reader, .groups = groups };
}

/* Finds the dictionaries of one run; at most three. */
static void find_named(struct planner *planner, PlanRun *run, struct named *named, uint32_t *count)
{
    const ScanSpec *spec = planner->spec;
    run->by_code = spec->by_event || spec->by.of == OF_NAME || spec->by.of == OF_TYPE;
    if (!run->by_code) {
        if (!run->run->has_groups && str_equal(spec->by.field, STR("groupId"))) planner->plan->has_old_groups = true;
        plan_warn_of_objects(planner, run->run, spec->by.field, spec->by.label);
        run->by_reader = plan_find_reader(planner, run, spec->by.field);
        if (run->by_reader == READER_NONE) return;
        if (index_run_column_unindexed(run->run, run->reader_columns[run->by_reader]))
            plan_warn(planner, spec->by.label);
        put_named(named, count, run, run->by_reader, &run->groups);
        return;
    }
    put_named(named, count, run, READER_NONE, &run->groups);
    if (!spec->by_event) {
        named[*count - 1].of = spec->by.of;
        run->nameless_page = UINT32_MAX;
        return;
    }
    for (int path = 0; path < 2; path++) {
        run->path_readers[path] = READER_NONE;
        if (run->nameless_page == UINT32_MAX) continue;
        run->path_readers[path] = plan_find_reader(planner, run, str_from(page_paths[path]));
        if (run->path_readers[path] == READER_NONE) continue;
        put_named(named, count, run, run->path_readers[path], &run->path_groups[path]);
        named[*count - 1].is_path = true;
    }
}

/* ---- Their values ---- */

static bool read_named(struct planner *planner, const struct named *named, IndexValues *ret, Arena *scratch)
{
    PlanRun *run = named->run;
    uint32_t column = named->reader == READER_NONE ? INDEX_EVENTS : run->reader_columns[named->reader];
    if (!plan_read_values(planner, run->run, column, ret, scratch)) return false;
    if (named->reader != READER_NONE) run->reader_codes[named->reader] = ret->code_count;
    return true;
}

/* Is it a code that no row of the question has? */
static bool is_moot(const struct named *named, uint32_t code)
{
    return named->reader == READER_NONE && named->run->kinds[code] == 0;
}

/* What an event is, as text: the digit of its type, and its name. */
static IndexValue event_value(const IndexValues *values, uint32_t code)
{
    if (code < INDEX_FIRST_EVENT) return (IndexValue){ .kind = INDEX_OTHER };
    uint32_t start = code > INDEX_FIRST_EVENT ? values->ends[code - INDEX_FIRST_EVENT - 1] : 0;
    return (IndexValue){ .kind = INDEX_STRING,
                         .text = str_of(values->bytes + start, values->ends[code - INDEX_FIRST_EVENT] - start) };
}

/* A page without a name is called by its path, as if that were its name. */
static IndexValue path_value(const IndexValues *values, uint32_t code, Arena *scratch)
{
    IndexValue value = index_values_get(values, code);
    if (value.kind != INDEX_STRING) return (IndexValue){ .kind = INDEX_OTHER };
    char *text = arena_bytes(scratch, value.text.len + 1);
    *text = (char)('0' + EVENT_PAGE);
    memcpy(text + 1, value.text.bytes, value.text.len);
    return (IndexValue){ .kind = INDEX_STRING, .text = str_of(text, value.text.len + 1) };
}

static IndexValue named_value(const struct named *named, const IndexValues *values, uint32_t code, Arena *scratch)
{
    if (named->is_path) return path_value(values, code, scratch);
    if (named->of) return value_settle(plan_code_value(values, code, named->of), scratch);
    if (values->is_events) return event_value(values, code);
    return value_settle(index_values_get(values, code), scratch);
}

/* ---- How many rows have each value ---- */

static bool is_given_up(struct planner *planner, uint32_t row)
{
    if (row % ROWS_A_LOOK == 0 && !planner->status && query_is_given_up(planner->query->world))
        planner->status = err_set(planner->err, ERR_CLOSED, "the question was given up");
    return planner->status != OK;
}

/* How many rows have each code; NULL: it failed. */
static uint32_t *count_codes(struct planner *planner, const PlanRun *plan, uint32_t reader, uint32_t code_count,
                             Arena *scratch)
{
    const IndexRun *run = plan->run;
    uint32_t *counts = arena_new(scratch, uint32_t, code_count);
    if (reader == READER_NONE) {
        for (uint32_t row = 0; row < run->row_count && !is_given_up(planner, row); row++)
            counts[index_packed_get(&run->events, row)]++;
        return planner->status ? NULL : counts;
    }
    IndexCodes codes;
    index_codes_init(&codes, run, plan->reader_columns[reader], code_count,
                     (unsigned char *)arena_bytes(scratch, INDEX_CODES_BYTES), NULL);
    for (uint32_t row = 0; row < run->row_count && !is_given_up(planner, row); row++) {
        if (!index_codes_has(&codes, row)) planner->status = index_codes_load(&codes, row, planner->err);
        if (!planner->status) counts[index_codes_get(&codes, row)]++;
    }
    return planner->status ? NULL : counts;
}

/* ---- The union ---- */

static uint32_t group_max(const struct planner *planner)
{
    return scan_group_max(planner->query->world, planner->spec);
}

static void put_values(struct planner *planner, const struct named *named, struct groups_union *all)
{
    IndexValues values;
    Arena scratch;
    if (all->is_full || !read_named(planner, named, &values, &scratch)) return;
    for (uint32_t code = 0; code < values.code_count; code++) {
        Arena arena = scratch;
        if (is_moot(named, code)) continue;
        IndexValue value = named_value(named, &values, code, &arena);
        groups_union_put(all, &value);
    }
}

static void count_values(struct planner *planner, const struct named *named, struct groups_union *all)
{
    IndexValues values;
    Arena scratch;
    if (!read_named(planner, named, &values, &scratch)) return;
    const uint32_t *counts = count_codes(planner, named->run, named->reader, values.code_count, &scratch);
    for (uint32_t code = 0; counts && code < values.code_count; code++) {
        Arena arena = scratch;
        if (is_moot(named, code)) continue;
        IndexValue value = named_value(named, &values, code, &arena);
        groups_union_count(all, &value, counts[code]);
    }
}

static void number_codes(struct planner *planner, const struct named *named, const struct groups_union *all)
{
    IndexValues values;
    Arena scratch;
    if (!read_named(planner, named, &values, &scratch)) return;
    uint32_t *groups = *named->groups = plan_take(planner, sizeof *groups, values.code_count);
    for (uint32_t code = 0; groups && code < values.code_count; code++) {
        Arena arena = scratch;
        if (is_moot(named, code)) continue;
        IndexValue value = named_value(named, &values, code, &arena);
        groups[code] = groups_union_find(all, &value);
    }
}

/* If a page or screen has this path as its name, it is marked: its plain label would also mean the pages with that
 * path. */
static void mark_path(Groups *groups, EventType type, Str path, uint64_t *bits)
{
    char text[LIMIT_EVENT_NAME_BYTES + 1] = { (char)('0' + type) };
    if (path.len > LIMIT_EVENT_NAME_BYTES) return;
    memcpy(text + 1, path.bytes, path.len);
    IndexValue value = { .kind = INDEX_STRING, .text = str_of(text, path.len + 1) };
    const IndexValue *found = bsearch(&value, groups->values, groups->count, sizeof value, group_compare_values);
    if (found) bits[(found - groups->values) / 64] |= UINT64_C(1) << (found - groups->values) % 64;
}

static bool has_named_pages(struct planner *planner)
{
    Plan *plan = planner->plan;
    for (uint32_t at = 0; at < plan->run_count; at++) {
        IndexValues values;
        Arena scratch;
        if (!plan_read_values(planner, plan->runs[at].run, INDEX_EVENTS, &values, &scratch)) return false;
        for (uint32_t code = INDEX_FIRST_EVENT; code < values.code_count; code++) {
            Str name;
            if (index_values_event(&values, code, &name) == EVENT_PAGE && name.len) return true;
        }
    }
    return false;
}

/* Finds the pages and screens whose name is also the path of others: their labels must be written exactly. */
static void plan_labels(struct planner *planner)
{
    Plan *plan = planner->plan;
    uint64_t *bits = plan_take(planner, sizeof *bits, plan->groups.count / 64 + (size_t)1);
    bool are_pages_named = bits && has_named_pages(planner);
    for (uint32_t at = 0; at < plan->run_count * 2 && !planner->status; at++) {
        const IndexRun *run = plan->runs[at / 2].run;
        uint32_t column = index_run_find_column(run, str_from(page_paths[at % 2]));
        IndexValues values;
        Arena scratch;
        if (column == UINT32_MAX || !plan_read_values(planner, run, column, &values, &scratch)) continue;
        for (uint32_t code = INDEX_FIRST_VALUE; code < values.code_count; code++) {
            IndexValue value = index_values_get(&values, code);
            if (value.kind != INDEX_STRING || !value.text.len) continue;
            if (are_pages_named) mark_path(&plan->groups, EVENT_PAGE, value.text, bits);
            mark_path(&plan->groups, EVENT_SCREEN, value.text, bits);
        }
    }
    plan->groups.is_ambiguous = bits;
    plan->groups.told_other = &plan->has_unindexed_events;
}

static Groups groups_of(const struct groups_union *all)
{
    return (Groups){ .values = all->values, .count = all->count, .max = all->max, .is_folded = all->is_folded };
}

/* Collects the breakdown's values from all runs, then gives each run's codes their numbers. */
void plan_groups(struct planner *planner)
{
    Plan *plan = planner->plan;
    struct groups_union *all = &plan->named;
    struct named *named = plan_take(planner, sizeof *named, (size_t)plan->run_count * 3);
    uint32_t count = 0;
    for (uint32_t at = 0; named && at < plan->run_count; at++) find_named(planner, &plan->runs[at], named, &count);
    if (planner->status) return;
    groups_union_open(all, group_max(planner));
    for (uint32_t at = 0; at < count && !planner->status; at++) put_values(planner, &named[at], all);
    if (all->is_full) {
        for (uint32_t at = 0; at < count && !planner->status; at++) count_values(planner, &named[at], all);
        groups_union_fold(all);
        for (uint32_t at = 0; at < count && !planner->status; at++) put_values(planner, &named[at], all);
    }
    groups_union_sort(all);
    plan->groups = groups_of(all);
    plan->groups.is_events = planner->spec->by_event;
    if (planner->spec->by_event) plan_labels(planner);
    for (uint32_t at = 0; at < count && !planner->status; at++) number_codes(planner, &named[at], all);
}

/* ---- By user id ---- */

struct user_groups {
    struct planner *planner;
    struct groups_union *all;
    const uint32_t *rows;           /* by subject; only set while rows are counted */
    uint32_t *groups;               /* by subject; set when groups have their numbers */
};

static void visit_user(void *visitor, Subject subject, Str user_id)
{
    struct user_groups *users = visitor;
    IndexValue value = { .kind = INDEX_STRING, .text = user_id };
    if (subject >= users->planner->plan->subject_count) return;
    if (users->rows) groups_union_count(users->all, &value, users->rows[subject]);
    else if (users->groups) users->groups[subject] = groups_union_find(users->all, &value);
    else groups_union_put(users->all, &value);
}

/* Counts how many rows each subject has in all runs. */
static void count_subjects(struct planner *planner, uint32_t *rows)
{
    Plan *plan = planner->plan;
    for (uint32_t at = 0; at < plan->run_count; at++) {
        const IndexRun *run = plan->runs[at].run;
        uint32_t ordinal = UINT32_MAX;
        for (uint32_t row = 0; row < run->row_count && !is_given_up(planner, row); row++) {
            ordinal += run->starts[row / 64] >> row % 64 & 1;
            Subject subject = run->subjects[ordinal];
            if (subject < plan->subject_count) rows[subject]++;
        }
    }
}

/* Each user id is a group, in sorted order; a subject that is no user id has no group. */
void plan_users(struct planner *planner)
{
    Plan *plan = planner->plan;
    const QueryPeople *people = planner->query->world->people;
    struct user_groups users = { .planner = planner, .all = &plan->named };
    plan->subject_count = people->subject_count;
    plan->subject_groups = plan_take(planner, sizeof(uint32_t), people->subject_count + (size_t)1);
    if (planner->status) return;
    groups_union_open(users.all, group_max(planner));
    people->visit_users(people->context, visit_user, &users);
    if (users.all->is_full) {
        count_subjects(planner, plan->subject_groups);             /* the array has no other use yet */
        users.rows = plan->subject_groups;
        people->visit_users(people->context, visit_user, &users);
        groups_union_fold(users.all);
        users.rows = NULL;
        memset(plan->subject_groups, 0, people->subject_count * sizeof(uint32_t));
        people->visit_users(people->context, visit_user, &users);
    }
    groups_union_sort(users.all);
    plan->groups = groups_of(users.all);
    users.groups = plan->subject_groups;
    people->visit_users(people->context, visit_user, &users);
}

/* ---- Accounts ---- */

/* Does the text name an account? A placeholder names none, just as it names no person. */
static bool is_account(const struct planner *planner, const IndexValue *value)
{
    const QueryPeople *people = planner->query->world->people;
    return value->kind == INDEX_STRING
        && !(people->is_no_account && people->is_no_account(people->context, value->text));
}

/* The union's number of the first account. The values before it are no accounts: nothing, and if it is folded, the
 * value for those that were not kept. */
static uint32_t first_account(const struct groups_union *all) { return 1 + all->is_folded; }

static bool read_accounts(struct planner *planner, PlanRun *run, IndexValues *ret, Arena *scratch)
{
    if (run->account_reader == READER_NONE) return false;
    uint32_t column = run->reader_columns[run->account_reader];
    if (!plan_read_values(planner, run->run, column, ret, scratch)) return false;
    run->reader_codes[run->account_reader] = ret->code_count;
    return true;
}

static void put_accounts(struct planner *planner, PlanRun *run, bool counts_rows)
{
    struct groups_union *all = &planner->plan->named_accounts;
    IndexValues values;
    Arena scratch;
    if (all->is_full != counts_rows || !read_accounts(planner, run, &values, &scratch)) return;
    const uint32_t *rows = NULL;
    if (counts_rows) rows = count_codes(planner, run, run->account_reader, values.code_count, &scratch);
    if (counts_rows && !rows) return;
    for (uint32_t code = INDEX_FIRST_VALUE; code < values.code_count; code++) {
        IndexValue value = index_values_get(&values, code);
        if (!is_account(planner, &value)) continue;
        if (counts_rows) groups_union_count(all, &value, rows[code]);
        else groups_union_put(all, &value);
    }
}

/* Accounts take the place of people: all values of groupId in all runs, sorted, and for each run a table that leads
 * from its codes to them. */
void plan_accounts(struct planner *planner)
{
    Plan *plan = planner->plan;
    struct groups_union *all = &plan->named_accounts;
    groups_union_open(all, group_max(planner));
    for (uint32_t at = 0; at < plan->run_count && !planner->status; at++) {
        PlanRun *run = &plan->runs[at];
        run->account_reader = plan_find_reader(planner, run, STR("groupId"));
        plan->has_old_groups |= !run->run->has_groups;
        put_accounts(planner, run, false);
    }
    if (all->is_full) {
        for (uint32_t at = 0; at < plan->run_count && !planner->status; at++)
            put_accounts(planner, &plan->runs[at], true);
        groups_union_fold(all);
        for (uint32_t at = 0; at < plan->run_count && !planner->status; at++)
            put_accounts(planner, &plan->runs[at], false);
    }
    groups_union_sort(all);
    uint32_t first = first_account(all);
    plan->accounts = all->values + first;
    plan->account_count = all->count - first;
    for (uint32_t at = 0; at < plan->run_count && !planner->status; at++) {
        IndexValues values;
        Arena scratch;
        PlanRun *run = &plan->runs[at];
        if (!read_accounts(planner, run, &values, &scratch)) continue;
        uint32_t *accounts = run->accounts = plan_take(planner, sizeof *accounts, values.code_count);
        for (uint32_t code = 0; accounts && code < values.code_count; code++) {
            IndexValue value = index_values_get(&values, code);
            uint32_t found = is_account(planner, &value) ? groups_union_find(all, &value) : 0;
            accounts[code] = found >= first ? found - first : QUERY_NOBODY;
        }
    }
}
