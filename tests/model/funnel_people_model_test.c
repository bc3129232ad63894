/* The people of a funnel's steps. How many there are is proved against the funnel, whose numbers funnel_model_test.c
 * proves; that each of them belongs there is proved here, by the events that are told: each must be what its step
 * asks for, of that person, in order and within the window, and nobody's depth may differ from the funnel's. */
#include "ask_world.h"

enum { STEPS_MAX = 4, PEOPLE_MAX = WORLD_SUBJECTS_MAX + 4 };

struct model {
    struct world *world;
    struct world_selector steps[STEPS_MAX];
    uint32_t step_count;
    Millis window_ms;
    const char *by;
    bool is_any;
    char base[3000];                    /* the funnel's members, without the closing brace */
};

static void make_question(struct model *model)
{
    static const char *const fields[] = { "properties.plan", "properties.price", "context.city", "traits.plan" };
    struct fake_dice *dice = &model->world->dice;
    struct buf json;
    buf_init_fixed(&json, model->base, sizeof model->base);
    model->step_count = 1 + (uint32_t)fake_dice_below(dice, STEPS_MAX);
    model->window_ms = (Millis)fake_dice_below(dice, 60);
    buf_str_put(&json, STR("{\"steps\":["));
    for (uint32_t at = 0; at < model->step_count; at++) {
        world_selector_make(model->world, &model->steps[at]);
        buf_printf(&json, "%s%s", at ? "," : "", model->steps[at].json);
    }
    buf_printf(&json, "],\"window\":\"%dms\"", (int)model->window_ms);
    if (fake_dice_chance(dice, 600)) {
        model->by = fields[fake_dice_below(dice, countof(fields))];
        model->is_any = fake_dice_chance(dice, 500);
        buf_printf(&json, ",\"by\":\"%s\",\"attribution\":\"%s\"", model->by, model->is_any ? "any" : "first");
    }
    buf_char(&json, 0);
    check(buf_ok(&json));
}

static const struct world_event *event_at(const struct world *world, JournalPos pos)
{
    for (uint32_t at = 0; at < world->event_count; at++)
        if (world->events[at].pos == pos) return &world->events[at];
    return NULL;
}

/* The raw event is its number, for this test. */
static Status read_event(void *context, JournalPos pos, Arena *arena, Str *ret_json, Err *err)
{
    (void)context;
    if (pos % 300 == 96) return err_set(err, ERR_NOT_FOUND, "retired");        /* some are not there any more */
    *ret_json = arena_printf(arena, "{\"pos\":%llu}", (unsigned long long)pos);
    return OK;
}

/* One person: the events are a chain of theirs. */
static void verify_person(const struct model *model, const TreeNode *item, uint32_t step, bool is_dropped,
                          const TreeNode *group)
{
    uint32_t person = (uint32_t)world_number(item, "person"), depth = (uint32_t)world_number(item, "depth"), at = 0;
    Millis first = 0, last = 0;
    JournalPos seen[STEPS_MAX];
    char text[40];
    assert_true(is_dropped ? depth == step : depth >= step);
    for (const TreeNode *told = world_list(item, "steps"); told; told = told->next, at++) {
        JournalPos pos = (JournalPos)world_number(told, "position");
        const struct world_event *event = event_at(model->world, pos);
        const TreeNode *message = event_tree_get(told, STR("message"));
        Millis time_ms;
        assert_non_null(event);
        assert_true(instant_parse(event_tree_get(told, STR("time"))->text, &time_ms));
        assert_int_equal(event->time_ms, time_ms);
        assert_int_equal(event->person, person);
        assert_true(world_selector_holds(&model->steps[at], event, person));
        assert_true(at == 0 || time_ms >= last);
        last = time_ms;
        if (at == 0) {
            first = time_ms;
            if (model->by) world_group(model->by, event, person, text);
            if (group) assert_true(world_value_is(group, text));
            if (model->by) assert_true(world_value_is(event_tree_get(item, STR("group")), text));
        }
        assert_true(time_ms - first <= model->window_ms);
        seen[at] = pos;
        if (pos % 300 == 96) assert_int_equal(message->kind, FIELD_NULL);
        else assert_int_equal((JournalPos)world_number(message, "pos"), pos);
    }
    assert_int_equal(at, depth);
    if (depth > 1) assert_true(seen[0] != seen[1]);
}

/* All pages of one list; gives how many there are. */
static uint32_t verify_pages(const struct model *model, uint32_t step, bool is_dropped, const TreeNode *group,
                             Arena *arena)
{
    bool is_listed[PEOPLE_MAX] = { false };
    uint32_t people = 0, total = 0;
    Str cursor = { 0 };
    Millis before = INT64_MAX;
    for (bool has_more = true; has_more;) {
        char text[40] = "null";
        if (group && group->kind == FIELD_STRING) snprintf(text, sizeof text, "\"%.*s\"", STR_FORMAT(group->text));
        if (group && group->kind == FIELD_NUMBER) snprintf(text, sizeof text, "%.17g", number_of(group));
        Str question = arena_printf(arena, "%s,\"step\":%u,\"outcome\":\"%s\",\"limit\":2%s%s%s%.*s%s}", model->base,
                                    step, is_dropped ? "dropped" : "converted", group ? ",\"group\":" : "",
                                    group ? text : "", cursor.len ? ",\"cursor\":\"" : "", STR_FORMAT(cursor),
                                    cursor.len ? "\"" : "");
        const TreeNode *answer = world_ask(model->world, QUERY_FUNNEL_PEOPLE, question, arena);
        total = (uint32_t)world_number(answer, "total");
        for (const TreeNode *item = world_list(answer, "people"); item; item = item->next, people++) {
            uint32_t person = (uint32_t)world_number(item, "person");
            Millis entry_ms;
            assert_true(person < PEOPLE_MAX && !is_listed[person]);
            is_listed[person] = true;
            verify_person(model, item, step, is_dropped, group);
            assert_true(instant_parse(event_tree_get(world_list(item, "steps"), STR("time"))->text, &entry_ms));
            assert_true(entry_ms <= before);
            before = entry_ms;
        }
        const TreeNode *next = event_tree_get(event_tree_get(answer, STR("cursor")), STR("next"));
        has_more = event_tree_get(event_tree_get(answer, STR("cursor")), STR("has_more"))->truth;
        assert_int_equal(next->kind, has_more ? FIELD_STRING : FIELD_NULL);
        cursor = next->text;
    }
    assert_int_equal(people, total);
    return total;
}

/* A line of the funnel, and its lists. */
static void verify_line(const struct model *model, const TreeNode *line, const TreeNode *group, Arena *arena)
{
    uint32_t reached[STEPS_MAX + 1] = { 0 }, at = 0;
    for (const TreeNode *step = world_list(line, "steps"); step; step = step->next)
        reached[at++] = (uint32_t)world_number(step, "people");
    for (uint32_t step = 1; step <= model->step_count; step++) {
        assert_int_equal(verify_pages(model, step, false, group, arena), reached[step - 1]);
        if (step < model->step_count)
            assert_int_equal(verify_pages(model, step, true, group, arena), reached[step - 1] - reached[step]);
    }
}

static void the_people_are_those_that_the_funnel_counts(void **state)
{
    static struct world world;
    static struct model model;
    uint64_t seed = fake_seed("funnel_people_model");
    const char *rounds = getenv("ROUNDS");
    struct region region;
    (void)state;
    region_open(&region, 64 << 20);
    for (long round = rounds ? strtol(rounds, NULL, 10) : 60; round > 0; round--) {
        world_open(&world, seed + (uint64_t)round, 20 + round % 50);
        world.query.read_event = read_event;
        for (int question = 0; question < 2; question++) {
            Arena arena = region_arena(&region);
            memset(&model, 0, sizeof model);
            model.world = &world;
            make_question(&model);
            Str funnel = arena_printf(&arena, "%s}", model.base);
            const TreeNode *answer = world_ask(&world, QUERY_FUNNEL, funnel, &arena);
            verify_line(&model, answer, NULL, &arena);
            for (const TreeNode *group = world_list(answer, "groups"); group; group = group->next)
                verify_line(&model, group, event_tree_get(group, STR("value")), &arena);
        }
        world_close(&world);
    }
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_people_are_those_that_the_funnel_counts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
