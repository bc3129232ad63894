/* Trends, from JSON to JSON, against docs/queries.md: for every number that is told, a loop over all events. */
#include "ask_clock.h"
#include "ask_world.h"

#include <math.h>

enum { SERIES_MAX = 3, NUMBERS_MAX = WORLD_EVENTS_MAX };

static const char *const measures[] = { "count", "people", "sum", "avg", "min", "max", "median", "p90" };

struct model {
    struct world *world;
    struct world_selector series[SERIES_MAX];
    const char *measures[SERIES_MAX], *properties[SERIES_MAX], *by, *unit;
    uint32_t series_count;
    Millis from_ms, to_ms;
    char question[4000];
};

/* ---- The reference ---- */

static bool counts(const struct model *model, uint32_t series, const struct world_event *event)
{
    return event->time_ms >= world_first_ms(model->from_ms) && event->time_ms < world_end_ms(model->world, model->to_ms)
        && world_selector_holds(&model->series[series], event, event->person);
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* A measure over the events of a series from start_ms on until end_ms, of one group or of all. NaN: null. */
static double expect(const struct model *model, uint32_t series, const char *group, Millis start_ms, Millis end_ms)
{
    const struct world *world = model->world;
    const char *measure = model->measures[series];
    double numbers[NUMBERS_MAX], sum = 0;
    bool seen[WORLD_SUBJECTS_MAX + 4] = { false };
    uint32_t rows = 0, people = 0, count = 0;
    char text[40];
    for (uint32_t at = 0; at < world->event_count; at++) {
        const struct world_event *event = &world->events[at];
        if (!counts(model, series, event) || event->time_ms < start_ms || event->time_ms >= end_ms) continue;
        if (group && !str_equal(world_group(model->by, event, event->person, text), str_from(group))) continue;
        rows++;
        if (event->person != QUERY_NOBODY) people += !seen[event->person], seen[event->person] = true;
        if (!model->properties[series] || !event->has_price || strcmp(model->properties[series], "properties.price"))
            continue;
        numbers[count++] = event->price;
        sum += event->price;
    }
    if (strcmp(measure, "count") == 0) return rows;
    if (strcmp(measure, "people") == 0) return people;
    if (strcmp(measure, "sum") == 0) return sum;
    if (count == 0) return NAN;
    if (strcmp(measure, "avg") == 0) return sum / count;
    qsort(numbers, count, sizeof *numbers, compare_doubles);
    if (strcmp(measure, "min") == 0) return numbers[0];
    if (strcmp(measure, "max") == 0) return numbers[count - 1];
    double rank = ceil((strcmp(measure, "p90") == 0 ? 0.9 : 0.5) * count);
    return numbers[(uint32_t)rank - 1];
}

/* ---- Comparing ---- */

static void verify_number(const struct model *model, const TreeNode *json, double expected)
{
    assert_non_null(json);
    if (isnan(expected) ? json->kind == FIELD_NULL : json->kind == FIELD_NUMBER && number_of(json) == expected) return;
    fail_msg("%.*s where %g was expected\n%s", STR_FORMAT(json->raw), expected, model->question);
}

static void verify_line(const struct model *model, uint32_t series, const char *group, const TreeNode *line,
                        const TreeNode *answer)
{
    const TreeNode *bucket = world_list(answer, "buckets"), *value = world_list(line, "values");
    verify_number(model, event_tree_get(line, STR("total")), expect(model, series, group, INT64_MIN, INT64_MAX));
    for (; bucket; bucket = bucket->next, value = value->next) {
        Millis start, end = INT64_MAX;
        assert_non_null(value);
        assert_true(instant_parse(bucket->text, &start));
        if (bucket->next) assert_true(instant_parse(bucket->next->text, &end));
        verify_number(model, value, expect(model, series, group, start, end));
    }
    assert_null(value);
}

/* One after the other without a gap, from the first to the last that there should be. */
static void verify_buckets(const struct model *model, const TreeNode *answer)
{
    Millis first = INT64_MAX, last = INT64_MIN, before = 0, start = 0;
    const TreeNode *bucket = world_list(answer, "buckets");
    for (uint32_t series = 0; series < model->series_count; series++)
        for (uint32_t at = 0; at < model->world->event_count; at++) {
            const struct world_event *event = &model->world->events[at];
            if (!counts(model, series, event)) continue;
            if (strcmp(model->measures[series], "people") == 0 && event->person == QUERY_NOBODY) continue;
            if (event->time_ms < first) first = event->time_ms;
            if (event->time_ms > last) last = event->time_ms;
        }
    if (model->from_ms != INT64_MIN) first = model->from_ms;
    if (model->to_ms != INT64_MAX) last = model->to_ms - 1;
    if (first > last || last == INT64_MIN || first == INT64_MAX) {
        assert_null(bucket);
        return;
    }
    for (; bucket; bucket = bucket->next, before = start) {
        assert_true(instant_parse(bucket->text, &start));
        assert_int_equal(start, clock_floor(model->unit, start));
        if (before) assert_int_equal(clock_floor(model->unit, start - 1), before);
        else assert_int_equal(start, clock_floor(model->unit, first));
    }
    assert_int_equal(start, clock_floor(model->unit, last));
}

static void verify_series(const struct model *model, uint32_t series, const TreeNode *json, const TreeNode *answer)
{
    char groups[WORLD_EVENTS_MAX][40], text[40];
    uint32_t count = 0, told = 0;
    double before = INFINITY;
    char before_text[40] = "";
    verify_line(model, series, NULL, json, answer);
    for (uint32_t at = 0; model->by && at < model->world->event_count; at++) {
        const struct world_event *event = &model->world->events[at];
        uint32_t same = 0;
        if (!counts(model, series, event)) continue;
        if (strcmp(model->measures[series], "people") == 0 && event->person == QUERY_NOBODY) continue;
        Str group = world_group(model->by, event, event->person, text);
        while (same < count && !str_equal(str_from(groups[same]), group)) same++;
        if (same == count) snprintf(groups[count++], 40, "%s", text);
    }
    for (const TreeNode *group = world_list(json, "groups"); group; group = group->next, told++) {
        uint32_t at = 0;
        while (at < count && !world_value_is(event_tree_get(group, STR("value")), groups[at])) at++;
        assert_true(at < count);
        verify_line(model, series, groups[at], group, answer);
        struct model counting = *model;
        if (strcmp(model->measures[series], "people") != 0) counting.measures[series] = "count";
        double size = expect(&counting, series, groups[at], INT64_MIN, INT64_MAX);
        int order = strcmp(model->by, "event") ? world_compare_groups(str_from(before_text), str_from(groups[at]))
            : world_compare_labels(str_from(before_text + !!*before_text), str_from(groups[at] + 1));
        assert_true(size < before || (size == before && order < 0));
        before = size;
        snprintf(before_text, sizeof before_text, "%s", groups[at]);
    }
    assert_int_equal(told, count < 5 ? count : 5);
    assert_int_equal((uint32_t)world_number(json, "groups_left_out"), count - told);
}

/* ---- Random questions ---- */

static void make_question(struct model *model, const char *zone)
{
    static const char *const units[] = { "hour", "day", "week", "month", "quarter" };
    static const char *const fields[]
        = { "properties.plan", "properties.price", "properties.flag", "traits.plan", "event" };
    struct fake_dice *dice = &model->world->dice;
    struct buf json;
    buf_init_fixed(&json, model->question, sizeof model->question);
    model->series_count = 1 + (uint32_t)fake_dice_below(dice, SERIES_MAX);
    buf_str_put(&json, STR("{\"series\":["));
    for (uint32_t at = 0; at < model->series_count; at++) {
        world_selector_make(model->world, &model->series[at]);
        model->measures[at] = measures[fake_dice_below(dice, countof(measures))];
        bool has_property = strcmp(model->measures[at], "count") && strcmp(model->measures[at], "people");
        if (has_property) model->properties[at] = fake_dice_chance(dice, 900) ? "properties.price" : "properties.plan";
        /* the selector's object, with the measure in it */
        buf_printf(&json, "%s%.*s,\"measure\":\"%s\"", at ? "," : "", (int)strlen(model->series[at].json) - 1,
                   model->series[at].json, model->measures[at]);
        if (has_property) buf_printf(&json, ",\"property\":\"%s\"", model->properties[at]);
        buf_char(&json, '}');
    }
    model->unit = units[(model->world->span_ms > 4 * INT64_C(86400000)) + fake_dice_below(dice, 4)];
    clock_week_start = (int)fake_dice_below(dice, 7);
    if (clock_week_start || fake_dice_chance(dice, 500))
        buf_printf(&json, "],\"week_start\":\"%s\"", clock_weekdays[clock_week_start]);
    else buf_char(&json, ']');
    buf_printf(&json, ",\"unit\":\"%s\",\"timezone\":\"%s\",\"limit\":5", model->unit, zone);
    model->from_ms = INT64_MIN, model->to_ms = INT64_MAX;
    if (fake_dice_chance(dice, 300)) {
        model->from_ms = WORLD_START_MS + (Millis)fake_dice_below(dice, (uint64_t)model->world->span_ms / 2);
        buf_printf(&json, ",\"from\":%" PRIi64, model->from_ms);
    }
    if (fake_dice_chance(dice, 300)) {
        model->to_ms = WORLD_START_MS + model->world->span_ms / 2 + 1
            + (Millis)fake_dice_below(dice, (uint64_t)model->world->span_ms / 2);
        buf_printf(&json, ",\"to\":%" PRIi64, model->to_ms);
    }
    if (fake_dice_chance(dice, 600)) {
        model->by = fields[fake_dice_below(dice, countof(fields))];
        buf_printf(&json, ",\"by\":\"%s\"", model->by);
    }
    buf_char(&json, '}');
    buf_char(&json, 0);
    check(buf_ok(&json));
}

static void the_answer_is_what_the_definition_says(void **state)
{
    static struct world world;
    static struct model model;
    uint64_t seed = fake_seed("trends_model");
    const char *rounds = getenv("ROUNDS");
    struct region region;
    (void)state;
    region_open(&region, 64 << 20);
    for (long round = rounds ? strtol(rounds, NULL, 10) : 150; round > 0; round--) {
        /* from New Year to May: summer time begins on the way */
        Millis days = round % 3 ? 120 : 2;
        const char *zone = clock_zones[round % (long)countof(clock_zones)];
        clock_use(zone);
        world_open(&world, seed + (uint64_t)round, days * 86400000);
        for (int question = 0; question < 4; question++) {
            Arena arena = region_arena(&region);
            model = (struct model){ .world = &world };
            make_question(&model, zone);
            const TreeNode *answer = world_ask(&world, QUERY_TRENDS, str_from(model.question), &arena);
            verify_buckets(&model, answer);
            const TreeNode *series = world_list(answer, "series");
            for (uint32_t at = 0; at < model.series_count; at++, series = series->next)
                verify_series(&model, at, series, answer);
            assert_null(series);
        }
        world_close(&world);
    }
    region_close(&region);
}

static void refuses(struct world *world, QueryKind kind, const char *question, const char *field)
{
    struct buf answer;
    Err err = { 0 };
    buf_init(&answer, 1 << 20);
    assert_int_equal(query_run(kind, str_from(question), &world->query, &answer, &err), ERR_INPUT);
    assert_string_equal(err.field, field);
    assert_int_equal(answer.len, 0);
    buf_done(&answer);
}

static void a_bad_question_is_told_where(void **state)
{
    static struct world world;
    const QueryKind kind = QUERY_TRENDS;
    (void)state;
    world_open(&world, 1, 1000);
    refuses(&world, kind, "{}", "series");
    refuses(&world, kind, "{\"series\":[]}", "series");
    refuses(&world, kind, "{\"series\":[\"A\",{\"event\":\"B\",\"measure\":\"mean\"}]}", "series[1].measure");
    refuses(&world, kind, "{\"series\":[{\"event\":\"B\",\"measure\":\"p101\"}]}", "series[0].measure");
    refuses(&world, kind, "{\"series\":[{\"event\":\"B\",\"measure\":\"sum\"}]}", "series[0].property");
    refuses(&world, kind, "{\"series\":[{\"event\":\"B\",\"measure\":\"count\",\"property\":\"properties.x\"}]}",
            "series[0].property");
    refuses(&world, kind, "{\"series\":[{\"event\":\"B\",\"measure\":\"sum\",\"property\":\"traits.x\"}]}",
            "series[0].property");
    refuses(&world, kind, "{\"series\":[{\"event\":\"B\",\"colour\":\"red\"}]}", "series[0].colour");
    refuses(&world, kind, "{\"series\":[{\"event\":\"B\",\"where\":[{\"field\":\"x\"}]}]}",
            "series[0].where[0].field");
    refuses(&world, kind, "{\"series\":[\"B\"],\"where\":[{\"field\":\"source\",\"op\":\"~\"}]}", "where[0].op");
    refuses(&world, kind, "{\"series\":[\"B\"],\"unit\":\"year\"}", "unit");
    refuses(&world, kind, "{\"series\":[\"B\"],\"by\":\"plan\"}", "by");
    refuses(&world, kind, "{\"series\":[\"B\"],\"timezone\":\"Mars/Olympus\"}", "timezone");
    refuses(&world, kind, "{\"series\":[\"B\"],\"from\":\"2026-02-01\",\"to\":\"2026-01-01\"}", "to");
    refuses(&world, kind, "{\"series\":[\"B\"],\"from\":\"1990-02-01\",\"to\":\"2026-01-01\",\"unit\":\"hour\"}",
            "unit");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_answer_is_what_the_definition_says),
                                        cmocka_unit_test(a_bad_question_is_told_where) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
