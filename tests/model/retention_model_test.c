/* Retention, from JSON to JSON, against docs/queries.md: person by person, on the plain list of events, with libc's
 * calendar. */
#include "ask_clock.h"
#include "ask_world.h"

enum { PERIODS_MAX = 12, LINES_MAX = WORLD_EVENTS_MAX };

/* What the reference found about one person. */
struct found {
    bool is_born;
    Millis cohort_ms;
    char group[40];
    bool returned[PERIODS_MAX + 1];
};

struct model {
    struct world *world;
    struct world_selector birth, back;
    const char *by, *unit;
    bool is_unbounded, is_ever;
    uint32_t periods;
    Millis from_ms, to_ms, observed_ms;
    struct found found[WORLD_SUBJECTS_MAX + 4];
    char question[2000];
};

/* ---- The reference ---- */

/* The birth: the first; of several at one instant one that is no return, then the smallest group. */
static const struct world_event *find_birth(const struct model *model, uint32_t person)
{
    const struct world_event *best = NULL;
    char text[40], best_text[40];
    for (uint32_t at = 0; at < model->world->event_count; at++) {
        const struct world_event *event = &model->world->events[at];
        if (event->person != person
            || event->time_ms < (model->is_ever ? WORLD_PLAUSIBLE_MS : world_first_ms(model->from_ms))
            || event->time_ms >= world_end_ms(model->world, model->to_ms)
            || !world_selector_holds(&model->birth, event, person)) continue;
        bool is_better = !best || event->time_ms < best->time_ms;
        if (best && event->time_ms == best->time_ms) {
            bool returns = world_selector_holds(&model->back, event, person);
            bool best_returns = world_selector_holds(&model->back, best, person);
            is_better = !returns && best_returns;
            if (returns == best_returns && model->by)
                is_better = world_compare_groups(world_group(model->by, event, person, text),
                                                 world_group(model->by, best, person, best_text)) < 0;
        }
        if (is_better) best = event;
    }
    return best;
}

static void model_person(struct model *model, uint32_t person, struct found *found)
{
    const struct world_event *birth = find_birth(model, person);
    *found = (struct found){ 0 };
    if (!birth || birth->time_ms < model->from_ms) return;
    found->is_born = true;
    found->cohort_ms = clock_floor(model->unit, birth->time_ms);
    if (model->by) world_group(model->by, birth, person, found->group);
    /* up to where events are looked at: the end of the last period of the last cohort */
    Millis end = world_end_ms(model->world, INT64_MAX);
    if (model->to_ms != INT64_MAX) {
        end = clock_floor(model->unit, model->to_ms - 1);
        for (uint32_t period = 0; period <= model->periods; period++) {
            Millis next = end + 20 * INT64_C(3600000);
            while (clock_floor(model->unit, next) == end) next += 3600000;
            end = clock_floor(model->unit, next);
        }
    }
    for (uint32_t at = 0; at < model->world->event_count; at++) {
        const struct world_event *event = &model->world->events[at];
        bool is_return = world_selector_holds(&model->back, event, person);
        if (event->person != person || event->time_ms < birth->time_ms || event->time_ms >= end
            || (!is_return && !world_selector_holds(&model->birth, event, person))) continue;
        if (event->time_ms > model->observed_ms) model->observed_ms = event->time_ms;
        if (event == birth || !is_return) continue;
        int period = clock_units_between(model->unit, found->cohort_ms, event->time_ms);
        for (int at_period = 0; at_period <= period && at_period <= (int)model->periods; at_period++)
            if (at_period == period || model->is_unbounded)
                found->returned[at_period] |= period <= (int)model->periods;
    }
}

/* ---- Comparing ---- */

/* Has the period begun, as far as was observed? */
static bool is_seen(const struct model *model, const struct found *found, uint32_t period)
{
    return clock_units_between(model->unit, found->cohort_ms, model->observed_ms) >= (int)period;
}

static void verify_line(const struct model *model, const char *group, const TreeNode *line)
{
    const TreeNode *returned = world_list(line, "returned"), *eligible = world_list(line, "eligible");
    const TreeNode *share = world_list(line, "shares");
    uint64_t people = 0;
    for (uint32_t period = 0; period <= model->periods; period++) {
        uint64_t came = 0, could = 0;
        people = 0;
        for (uint32_t at = 0; at < countof(model->found); at++) {
            const struct found *found = &model->found[at];
            if (!found->is_born || (group && strcmp(group, found->group) != 0)) continue;
            people++;
            came += found->returned[period];
            could += is_seen(model, found, period);
        }
        assert_int_equal((uint64_t)number_of(returned), came);
        assert_int_equal((uint64_t)number_of(eligible), could);
        if (could == 0) assert_int_equal(share->kind, FIELD_NULL);
        else assert_true(number_of(share) == (double)came / (double)could);
        returned = returned->next, eligible = eligible->next, share = share->next;
    }
    assert_null(returned);
    assert_int_equal((uint64_t)world_number(line, "people"), people);
}

static void verify_cohorts(const struct model *model, const TreeNode *answer)
{
    Millis before = INT64_MIN, start;
    uint64_t all = 0;
    for (const TreeNode *cohort = world_list(answer, "cohorts"); cohort; cohort = cohort->next) {
        const TreeNode *returned = world_list(cohort, "returned");
        uint64_t people = 0;
        assert_true(instant_parse(event_tree_get(cohort, STR("start"))->text, &start));
        assert_true(start > before);
        before = start;
        for (uint32_t period = 0; period <= model->periods; period++, returned = returned->next) {
            uint64_t came = 0;
            bool seen = false;
            people = 0;
            for (uint32_t at = 0; at < countof(model->found); at++) {
                const struct found *found = &model->found[at];
                if (!found->is_born || found->cohort_ms != start) continue;
                people++;
                came += found->returned[period];
                seen = is_seen(model, found, period);
            }
            if (!seen) assert_int_equal(returned->kind, FIELD_NULL);
            else assert_int_equal((uint64_t)number_of(returned), came);
        }
        assert_int_equal((uint64_t)world_number(cohort, "people"), people);
        assert_true(people > 0);
        all += people;
    }
    assert_int_equal((uint64_t)world_number(event_tree_get(answer, STR("total")), "people"), all);
}

static void verify_groups(const struct model *model, const TreeNode *answer)
{
    uint32_t groups = 0, expected = 0;
    for (const TreeNode *group = world_list(answer, "groups"); group; group = group->next, groups++) {
        uint32_t at = 0;
        while (at < countof(model->found)
               && !(model->found[at].is_born
                    && world_value_is(event_tree_get(group, STR("value")), model->found[at].group))) at++;
        assert_true(at < countof(model->found));
        verify_line(model, model->found[at].group, group);
    }
    for (uint32_t at = 0; model->by && at < countof(model->found); at++) {
        bool is_new = model->found[at].is_born;
        for (uint32_t other = 0; other < at; other++)
            is_new &= !model->found[other].is_born || strcmp(model->found[other].group, model->found[at].group) != 0;
        expected += is_new;
    }
    assert_int_equal(groups, expected);
}

/* ---- Random questions ---- */

static void make_question(struct model *model, const char *zone)
{
    static const char *const units[] = { "day", "week", "month", "quarter" };
    static const char *const fields[] = { "properties.plan", "properties.price", "properties.flag", "traits.plan" };
    struct fake_dice *dice = &model->world->dice;
    struct buf json;
    buf_init_fixed(&json, model->question, sizeof model->question);
    world_selector_make(model->world, &model->birth);
    model->back = model->birth;
    buf_printf(&json, "{\"birth\":%s", model->birth.json);
    if (fake_dice_chance(dice, 700)) {
        world_selector_make(model->world, &model->back);
        buf_printf(&json, ",\"return\":%s", model->back.json);
    }
    model->unit = units[fake_dice_below(dice, 4)];
    clock_week_start = (int)fake_dice_below(dice, 7);
    model->is_ever = fake_dice_chance(dice, 300);
    if (model->is_ever) buf_str_put(&json, STR(",\"first\":\"ever\""));
    model->periods = 1 + (uint32_t)fake_dice_below(dice, PERIODS_MAX);
    model->is_unbounded = fake_dice_chance(dice, 400);
    buf_printf(&json, ",\"unit\":\"%s\",\"week_start\":\"%s\",\"periods\":%u,\"mode\":\"%s\",\"timezone\":\"%s\"",
               model->unit, clock_weekdays[clock_week_start],
               model->periods, model->is_unbounded ? "unbounded" : "n_day", zone);
    model->from_ms = INT64_MIN, model->to_ms = INT64_MAX, model->observed_ms = INT64_MIN;
    if (fake_dice_chance(dice, 300)) {
        model->from_ms = WORLD_START_MS + (Millis)fake_dice_below(dice, (uint64_t)model->world->span_ms / 2);
        buf_printf(&json, ",\"from\":%" PRIi64, model->from_ms);
    }
    if (fake_dice_chance(dice, 400)) {
        model->to_ms = WORLD_START_MS + model->world->span_ms / 2 + 1
            + (Millis)fake_dice_below(dice, (uint64_t)model->world->span_ms / 2);
        buf_printf(&json, ",\"to\":%" PRIi64, model->to_ms);
    }
    if (fake_dice_chance(dice, 500)) {
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
    uint64_t seed = fake_seed("retention_model");
    const char *rounds = getenv("ROUNDS");
    struct region region;
    (void)state;
    region_open(&region, 64 << 20);
    for (long round = rounds ? strtol(rounds, NULL, 10) : 150; round > 0; round--) {
        static const Millis spans_ms[] = { INT64_C(120) * 86400000, INT64_C(10) * 86400000, 40 };
        const char *zone = clock_zones[round % (long)countof(clock_zones)];
        clock_use(zone);
        world_open(&world, seed + (uint64_t)round, spans_ms[round % 3]);
        for (int question = 0; question < 6; question++) {
            Arena arena = region_arena(&region);
            model = (struct model){ .world = &world };
            make_question(&model, zone);
            for (uint32_t at = 0; at < world.event_count; at++)              /* of anybody, whatever it was */
                if (world.events[at].time_ms > model.observed_ms
                    && (!world.now_ms || world.events[at].time_ms <= world.now_ms))
                    model.observed_ms = world.events[at].time_ms;
            for (uint32_t person = 0; person < countof(model.found); person++)
                model_person(&model, person, &model.found[person]);
            const TreeNode *answer = world_ask(&world, QUERY_RETENTION, str_from(model.question), &arena);
            verify_cohorts(&model, answer);
            verify_line(&model, NULL, event_tree_get(answer, STR("total")));
            verify_groups(&model, answer);
        }
        world_close(&world);
    }
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_answer_is_what_the_definition_says) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
