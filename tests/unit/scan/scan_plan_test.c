/* scan_plan: a question is translated for each run of the index once; rows are then asked by their codes alone. Here is
 * what is translated: which runs are looked at, what an event's code means, which values pass, which are numbers. */
#include "scan/scan_plan.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

enum { MANY_FIELDS = 60, REGION_BYTES = 256 << 20 };
static const Millis start_ms = INT64_C(1767225600000);        /* 2026-01-01 */

static char dir[64];
static struct index *built;
static struct index_snapshot *snapshot;
static struct region region;
static QueryPeople people;
static QueryWorld world;
static Err err;

static void append(Subject subject, EventType type, const char *name, int day, const char *json)
{
    static JournalPos pos = 4096;
    Event event = { .type = type, .name = str_from(name), .source = STR("web"), .timestamp_ms = start_ms + day * DAY_MS,
                    .json = str_from(json) };
    assert_int_equal(index_append(built, subject, &event, pos, pos + 1, &err), OK);
    pos++;
}

/* Two runs, ten days apart: A, B and a page without a name in the first; C, and an event with many fields, in the
 * second. */
static int set_up(void **state)
{
    struct buf many;
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/onym-plan-XXXXXX");
    assert_non_null(mkdtemp(dir));
    region_open(&region, REGION_BYTES);
    assert_int_equal(index_open(&(IndexOptions){ .dir = dir, .disk = os_disk() }, &built, &err), OK);
    append(1, EVENT_TRACK, "A", 0, "{\"properties\":{\"plan\":\"pro\",\"n\":1}}");
    append(2, EVENT_TRACK, "A", 0, "{\"properties\":{\"plan\":\"free\",\"n\":\"2.5\"}}");
    append(3, EVENT_TRACK, "B", 0, "{\"properties\":{\"n\":\"many\"}}");
    append(4, EVENT_PAGE, "", 0, "{\"properties\":{\"path\":\"/pricing\"}}");
    assert_int_equal(index_seal(built, &err), OK);
    buf_init(&many, 64 * 1024);
    buf_str_put(&many, STR("{\"properties\":{"));
    for (int at = 0; at < MANY_FIELDS; at++) buf_printf(&many, "%s\"f%d\":%d", at ? "," : "", at, at);
    buf_str_put(&many, STR("}}"));
    buf_char(&many, 0);
    append(1, EVENT_TRACK, "C", 10, "{}");
    append(1, EVENT_TRACK, "Many", 10, many.bytes);
    buf_done(&many);
    assert_int_equal(index_seal(built, &err), OK);
    assert_int_equal(index_snapshot_open(built, &snapshot, &err), OK);
    assert_int_equal(index_snapshot_run_count(snapshot), 2);
    people = (QueryPeople){ .subject_count = 5 };
    world = (QueryWorld){ .index = built, .people = &people, .disk = os_disk() };
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    index_snapshot_close(snapshot);
    index_close(built);
    region_close(&region);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

struct planned {
    Query query;
    Selector selectors[2];
    ScanSpec spec;
    Plan plan;
    Arena arena;
};

/* {"event":…,"other":…,"from":…,"to":…}; other and the range may be missing. */
static struct planned read_question(const char *text)
{
    static const char *const allowed[] = { "event", "other", "from", "to", NULL };
    struct planned of = { .arena = region_arena(&region) };
    Query *query = arena_new(&of.arena, Query, 1);
    if (query_open(query, str_from(text), &world, &of.arena, allowed, &err)) fail_msg("%s: %s", text, err.text);
    if (query_event(query, "event", "A", &of.selectors[0])) fail_msg("%s: %s", text, err.text);
    bool has_other = event_tree_get(query->root, STR("other")) != NULL;
    if (has_other && query_event(query, "other", "A", &of.selectors[1])) fail_msg("%s: %s", text, err.text);
    of.query = *query;
    of.spec = (ScanSpec){ .selector_count = has_other ? 2 : 1 };
    return of;
}

static Status open_plan(struct planned *of)
{
    of->spec.selectors = of->selectors;
    return plan_open(&of->query, &of->spec, snapshot, &of->arena, &of->plan, &err);
}

static struct planned plan_of(const char *text)
{
    struct planned of = read_question(text);
    if (open_plan(&of)) fail_msg("%s: %s", text, err.text);
    return of;
}

/* What the run's code of that event means. */
static PlanKind kind_of(const PlanRun *run, EventType type, const char *name)
{
    Arena scratch = region_arena(&region);
    scratch.at += REGION_BYTES / 2;
    IndexValues values;
    assert_int_equal(index_values_read(run->run, INDEX_EVENTS, &scratch, &values, &err), OK);
    for (uint32_t code = INDEX_FIRST_EVENT; code < values.code_count; code++) {
        Str found;
        if (index_values_event(&values, code, &found) == type && str_equal(found, str_from(name)))
            return run->event_kinds[run->kinds[code]];
    }
    fail_msg("the run has no %s", name);
    return (PlanKind){ 0 };
}

/* ---- Which runs ---- */

static void only_runs_that_can_have_a_hit_are_looked_at(void **state)
{
    static const struct { const char *question; uint32_t count, first; } rows[] = {
        { "{\"event\":\"A\"}", 1, 0 },
        { "{\"event\":\"C\"}", 1, 1 },
        { "{\"event\":\"Nobody did this\"}", 0, 0 },
        { "{\"event\":\"A\",\"other\":\"C\"}", 2, 0 },
        { "{\"event\":\"A\",\"from\":\"2026-01-02\"}", 0, 0 },
        { "{\"event\":\"A\",\"other\":\"C\",\"from\":\"2026-01-02\"}", 1, 1 },
        { "{\"event\":\"A\",\"other\":\"C\",\"to\":\"2026-01-11\"}", 1, 0 },
        { "{\"event\":{\"event\":\"A\",\"where\":[{\"field\":\"properties.plan\",\"op\":\"=\",\"value\":\"none\"}]}}",
          1, 0 },
        { "{\"event\":{\"event\":\"A\",\"where\":[{\"field\":\"properties.never\",\"op\":\"exists\"}]}}", 0, 0 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        struct planned of = plan_of(rows[at].question);
        if (of.plan.run_count != rows[at].count) fail_msg("%s: %u runs", rows[at].question, of.plan.run_count);
        if (rows[at].count) assert_int_equal(of.plan.runs[0].run_index, rows[at].first);
        plan_close(&of.plan);
    }
}

static void times_are_counted_from_the_runs_own_first(void **state)
{
    (void)state;
    struct planned of = plan_of("{\"event\":\"C\",\"from\":\"2026-01-10\",\"to\":\"2026-01-12\"}");
    const PlanRun *run = &of.plan.runs[0];
    assert_int_equal(run->from_offset, 0);                   /* the range begins before the run */
    assert_int_equal(run->range, DAY_MS);                    /* and ends a day after its first event */
    plan_close(&of.plan);
}

/* ---- What a code means ---- */

static void a_code_is_sure_or_asks_its_filters_or_does_not_matter(void **state)
{
    (void)state;
    struct planned of = plan_of("{\"event\":\"A\",\"other\":{\"event\":\"A\",\"where\":"
                                "[{\"field\":\"properties.plan\",\"op\":\"=\",\"value\":\"pro\"}]}}");
    const PlanRun *run = &of.plan.runs[0];
    PlanKind a = kind_of(run, EVENT_TRACK, "A"), b = kind_of(run, EVENT_TRACK, "B");
    assert_int_equal(a.sure, 1);
    assert_int_equal(a.asks, 2);
    assert_int_equal(a.by_path, 0);
    assert_int_equal(b.sure | b.asks, 0);
    assert_true(run->has_asks);
    assert_int_equal(run->hot_count, 1);                     /* one code matters: it is looked for by itself */
    plan_close(&of.plan);
}

static void a_page_without_a_name_is_found_by_its_path(void **state)
{
    (void)state;
    struct planned of = plan_of("{\"event\":\"page:/pricing\"}");
    PlanKind page = kind_of(&of.plan.runs[0], EVENT_PAGE, "");
    assert_int_equal(page.asks, 1);
    assert_int_equal(page.by_path, 1);
    assert_int_equal(page.sure, 0);
    const PlanFilter *path = &of.plan.runs[0].selectors[0].paths[0];
    assert_int_not_equal(path->reader, READER_NONE);
    assert_false(path->passes_nothing);
    assert_int_equal(of.plan.runs[0].selectors[0].paths[1].reader, READER_NONE);     /* no such column */
    plan_close(&of.plan);
}

/* ---- Filters and numbers ---- */

static void a_filter_is_applied_to_each_value_once(void **state)
{
    (void)state;
    struct planned of = plan_of("{\"event\":{\"event\":\"A\",\"where\":"
                                "[{\"field\":\"properties.plan\",\"op\":\"!=\",\"value\":\"pro\"}]}}");
    const PlanRun *run = &of.plan.runs[0];
    const PlanFilter *filter = &run->selectors[0].filters[0];
    IndexValues values;
    size_t passing = 0, all = 0;
    assert_int_equal(run->selectors[0].filter_count, 1);
    assert_true(filter->passes_nothing);                     /* who has no plan has another than "pro" */
    assert_int_equal(index_values_read(run->run, run->reader_columns[filter->reader], &of.arena, &values, &err), OK);
    for (uint32_t code = 0; code < values.code_count; code++) {
        IndexValue value = index_values_get(&values, code);
        bool passes = filter->passes[code / 64] >> code % 64 & 1;
        bool is_pro = value.kind == INDEX_STRING && str_equal(value.text, STR("pro"));
        assert_int_equal(passes, !is_pro);
        passing += passes, all++;
    }
    assert_int_equal(passing + 1, all);
    plan_close(&of.plan);
}

static void numbers_are_read_once_and_say_what_they_were(void **state)
{
    (void)state;
    struct planned of = read_question("{\"event\":\"A\",\"other\":\"B\"}");
    of.spec.number_field = STR("properties.n");
    assert_int_equal(open_plan(&of), OK);
    const PlanRun *run = &of.plan.runs[0];
    IndexValues values;
    unsigned seen = 0;
    uint32_t column = run->reader_columns[run->number_reader];
    assert_int_equal(index_values_read(run->run, column, &of.arena, &values, &err), OK);
    for (uint32_t code = 0; code < values.code_count; code++) {
        IndexValue value = index_values_get(&values, code);
        unsigned kind = run->number_kinds[code];
        if (value.kind == INDEX_NUMBER) assert_true(kind == NUMBER_PLAIN && run->numbers[code] == 1);
        else if (value.kind == INDEX_STRING && str_equal(value.text, STR("2.5")))
            assert_true(kind == NUMBER_OF_TEXT && run->numbers[code] == 2.5);
        else if (value.kind == INDEX_STRING) assert_true(kind == NUMBER_UNREAD && isnan(run->numbers[code]));
        else assert_true(isnan(run->numbers[code]));
        seen |= 1u << kind;
    }
    assert_true(seen & 1u << NUMBER_PLAIN && seen & 1u << NUMBER_OF_TEXT && seen & 1u << NUMBER_UNREAD);
    plan_close(&of.plan);
}

/* ---- Bounds ---- */

static void a_question_of_too_many_fields_is_refused(void **state)
{
    struct buf text;
    (void)state;
    buf_init(&text, 64 * 1024);
    for (int selector = 0; selector < 2; selector++) {
        buf_str_put(&text, selector ? STR(",\"other\"") : STR("{\"event\""));
        buf_str_put(&text, STR(":{\"event\":\"Many\",\"where\":["));
        for (int at = 0; at < 30; at++)
            buf_printf(&text, "%s{\"field\":\"properties.f%d\",\"op\":\"exists\"}", at ? "," : "", selector * 30 + at);
        buf_str_put(&text, STR("]}"));
    }
    buf_char(&text, '}');
    buf_char(&text, 0);
    struct planned of = read_question(text.bytes);
    assert_int_equal(open_plan(&of), ERR_INPUT);
    assert_non_null(strstr(err.text, "48"));
    plan_close(&of.plan);
    buf_done(&text);
}

/* Whatever room there is: a plan, or the words that it is too large; never a plan that lacks something. */
static void too_little_memory_is_told(void **state)
{
    bool is_planned = false;
    (void)state;
    for (size_t room = 0; !is_planned; room += 64) {
        struct planned of = read_question("{\"event\":\"A\",\"other\":{\"event\":\"page:/pricing\",\"where\":"
                                          "[{\"field\":\"properties.plan\",\"op\":\"not exists\"}]}}");
        of.arena.end = of.arena.at + room;
        Status s = open_plan(&of);
        assert_true(s == OK || s == ERR_TOO_LARGE);
        is_planned = s == OK;
        if (is_planned) assert_true(room > 0 && of.plan.run_count == 1);
        else assert_string_equal(err.text, "the question needs more memory than it may");
        plan_close(&of.plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_runs_that_can_have_a_hit_are_looked_at),
        cmocka_unit_test(times_are_counted_from_the_runs_own_first),
        cmocka_unit_test(a_code_is_sure_or_asks_its_filters_or_does_not_matter),
        cmocka_unit_test(a_page_without_a_name_is_found_by_its_path),
        cmocka_unit_test(a_filter_is_applied_to_each_value_once),
        cmocka_unit_test(numbers_are_read_once_and_say_what_they_were),
        cmocka_unit_test(a_question_of_too_many_fields_is_refused),
        cmocka_unit_test(too_little_memory_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
