/* Paths, from JSON to JSON, against docs/queries.md: every person's events are laid in order and walked. */
#include "ask_world.h"

enum { DEPTH_MAX = 4, SHOWN = 3, EVENTS_MAX = 2 };

struct model {
    struct world *world;
    struct world_selector anchor, events[EVENTS_MAX];
    uint32_t event_count, depth;        /* event_count 0: track and page */
    bool is_before, collapses;
    Millis within_ms, from_ms, to_ms;
    char question[3000];
    /* what was found: by depth, the labels of each person's step */
    char labels[WORLD_SUBJECTS_MAX + 4][DEPTH_MAX][40];
    uint32_t depths[WORLD_SUBJECTS_MAX + 4];
    bool has_anchor[WORLD_SUBJECTS_MAX + 4];
};

struct stop {
    const struct world_event *event;
    bool is_anchor, is_step;
    char label[40];
};

static int compare_stops(const void *a, const void *b)
{
    const struct stop *left = a, *right = b;
    if (left->event->time_ms != right->event->time_ms) return left->event->time_ms < right->event->time_ms ? -1 : 1;
    int order = world_compare_labels(str_from(left->label), str_from(right->label));
    if (!order) order = (int)right->is_anchor - (int)left->is_anchor;
    return order ? order : (int)left->is_step - (int)right->is_step;
}

static void model_person(struct model *model, uint32_t person)
{
    struct stop stops[WORLD_EVENTS_MAX];
    int count = 0, anchor = -1;
    for (uint32_t at = 0; at < model->world->event_count; at++) {
        const struct world_event *event = &model->world->events[at];
        struct stop *stop = &stops[count];
        if (event->person != person || event->time_ms < model->from_ms || event->time_ms >= model->to_ms) continue;
        *stop = (struct stop){ .event = event, .is_anchor = world_selector_holds(&model->anchor, event, person) };
        for (uint32_t number = 0; number < model->event_count; number++)
            stop->is_step |= world_selector_holds(&model->events[number], event, person);
        if (!model->event_count) stop->is_step = event->type == EVENT_TRACK || event->type == EVENT_PAGE;
        world_label(event, stop->label);
        count += stop->is_anchor || stop->is_step;
    }
    qsort(stops, (size_t)count, sizeof *stops, compare_stops);
    for (int at = 0; at < count; at++)
        if (stops[at].is_anchor && (anchor < 0 || model->is_before)) anchor = at;
    if (anchor < 0) return;
    model->has_anchor[person] = true;
    const char *last = stops[anchor].label;
    int step = model->is_before ? -1 : 1;
    for (int at = anchor + step; at >= 0 && at < count && model->depths[person] < model->depth; at += step) {
        Millis distance = stops[at].event->time_ms - stops[anchor].event->time_ms;
        if ((distance < 0 ? -distance : distance) > model->within_ms) break;
        if (!stops[at].is_step || (model->collapses && strcmp(stops[at].label, last) == 0)) continue;
        last = stops[at].label;
        snprintf(model->labels[person][model->depths[person]++], 40, "%s", last);
    }
}

/* How many persons take this step at the depth; NULL: whatever it is. */
static uint32_t count_at(const struct model *model, uint32_t depth, const char *label)
{
    uint32_t people = 0;
    for (uint32_t person = 0; person < countof(model->depths); person++)
        people += model->depths[person] > depth && (!label || strcmp(model->labels[person][depth], label) == 0);
    return people;
}

static bool is_shown(const TreeNode *answer, uint32_t depth, const char *label)
{
    const TreeNode *line = world_list(answer, "depths");
    while (depth--) line = line->next;
    for (const TreeNode *event = world_list(line, "events"); event; event = event->next)
        if (world_label_is(event_tree_get(event, STR("event"))->text, str_from(label))) return true;
    return false;
}

static void verify_depths(const struct model *model, const TreeNode *answer)
{
    const TreeNode *line = world_list(answer, "depths");
    uint32_t anchors = 0;
    for (uint32_t person = 0; person < countof(model->depths); person++) anchors += model->has_anchor[person];
    assert_int_equal((uint32_t)world_number(answer, "people"), anchors);
    for (uint32_t depth = 0; depth < model->depth; depth++, line = line->next) {
        uint32_t people = count_at(model, depth, NULL), told = 0, shown = 0;
        uint32_t before = depth ? count_at(model, depth - 1, NULL) : anchors, least = UINT32_MAX;
        char labels[WORLD_SUBJECTS_MAX + 4][40], before_text[40] = "";
        uint32_t different = 0;
        assert_int_equal((uint32_t)world_number(line, "depth"), depth + 1);
        assert_int_equal((uint32_t)world_number(line, "people"), people);
        assert_int_equal((uint32_t)world_number(line, "ended"), before - people);
        for (uint32_t person = 0; person < countof(model->depths); person++) {
            uint32_t same = 0;
            if (model->depths[person] <= depth) continue;
            while (same < different && strcmp(labels[same], model->labels[person][depth]) != 0) same++;
            if (same == different) snprintf(labels[different++], 40, "%s", model->labels[person][depth]);
        }
        for (const TreeNode *event = world_list(line, "events"); event; event = event->next, shown++) {
            char label[40];
            snprintf(label, sizeof label, "%.*s", STR_FORMAT(event_tree_get(event, STR("event"))->text));
            if (str_starts(str_from(label), STR("page="))) label[4] = ':';
            uint32_t here = count_at(model, depth, label);
            if ((uint32_t)world_number(event, "people") != here)
                fail_msg("depth %u, %s: not %u\n%s", depth, label, here, model->question);
            assert_true(here > 0 && world_number(event, "share") == (double)here / anchors);
            assert_true(here < least || (here == least
                                         && world_compare_labels(str_from(before_text), str_from(label)) < 0));
            least = here, told += here;
            memcpy(before_text, label, sizeof label);
        }
        assert_int_equal(shown, different < SHOWN ? different : SHOWN);
        const TreeNode *others = event_tree_get(line, STR("others"));
        assert_int_equal((uint32_t)world_number(others, "events"), different - shown);
        assert_int_equal((uint32_t)world_number(others, "people"), people - told);
    }
    assert_null(line);
}

static bool end_is(const TreeNode *answer, const TreeNode *end, uint32_t depth, const char *label)
{
    if (end->kind == FIELD_NULL) return !is_shown(answer, depth, label);
    return world_label_is(end->text, str_from(label)) && is_shown(answer, depth, label);
}

static void verify_links(const struct model *model, const TreeNode *answer)
{
    uint32_t told = 0, all = 0;
    for (uint32_t depth = 0; depth < model->depth; depth++) all += count_at(model, depth, NULL);
    for (const TreeNode *link = world_list(answer, "links"); link; link = link->next) {
        uint32_t depth = (uint32_t)world_number(link, "depth") - 1, people = 0;
        const TreeNode *from = event_tree_get(link, STR("from")), *to = event_tree_get(link, STR("to"));
        for (uint32_t person = 0; person < countof(model->depths); person++) {
            if (model->depths[person] <= depth) continue;
            bool is_from = depth ? end_is(answer, from, depth - 1, model->labels[person][depth - 1])
                : str_equal(from->text, str_from(model->anchor.label));
            people += is_from && end_is(answer, to, depth, model->labels[person][depth]);
        }
        assert_int_equal((uint32_t)world_number(link, "people"), people);
        told += people;
    }
    assert_int_equal(told, all);
}

/* ---- Who they are ---- */

/* A list: the step (from 1; 0: everybody), and its ends as JSON; NULL: not asked for. */
struct list {
    uint32_t step;
    const TreeNode *from, *to;
    bool has_ended;
};

static bool is_listed(const struct model *model, const TreeNode *answer, const struct list *list, uint32_t person)
{
    uint32_t step = list->step, depth = model->depths[person];
    const char (*labels)[40] = model->labels[person];
    if (!model->has_anchor[person]) return false;
    if (!step) return true;
    if (list->has_ended ? depth != step - 1 : depth < step) return false;
    if (list->from && step == 1 && !str_equal(list->from->text, str_from(model->anchor.label))) return false;
    if (list->from && step > 1 && !end_is(answer, list->from, step - 2, labels[step - 2])) return false;
    return !list->to || end_is(answer, list->to, step - 1, labels[step - 1]);
}

static void put_end(struct buf *json, const char *name, const TreeNode *end)
{
    if (end) buf_printf(json, ",\"%s\":%.*s", name, STR_FORMAT(end->raw));
}

/* Those on the pages are those whom the model's walk finds, each once, with their own way. */
static void verify_list(const struct model *model, const TreeNode *answer, const struct list *list, Arena *arena)
{
    bool is_told[countof(model->depths)] = { false };
    uint32_t total = 0, told = 0;
    Str cursor = { 0 };
    for (uint32_t person = 0; person < countof(model->depths); person++)
        total += is_listed(model, answer, list, person);
    for (bool has_more = true; has_more;) {
        struct buf json;
        char *room = arena_new(arena, char, 4000);
        buf_init_fixed(&json, room, 4000);
        buf_str_put(&json, str_of(model->question, strlen(model->question) - 1));
        buf_printf(&json, ",\"page\":2,\"step\":%u,\"ended\":%s", list->step, list->has_ended ? "true" : "false");
        put_end(&json, "came_from", list->from);
        put_end(&json, "went_to", list->to);
        if (cursor.len) buf_printf(&json, ",\"cursor\":\"%.*s\"", STR_FORMAT(cursor));
        buf_char(&json, '}');
        const TreeNode *page = world_ask(model->world, QUERY_PATHS_PEOPLE, buf_str(&json), arena);
        if ((uint32_t)world_number(page, "total") != total)
            fail_msg("%u, not %u: %.*s", (uint32_t)world_number(page, "total"), total, STR_FORMAT(buf_str(&json)));
        for (const TreeNode *item = world_list(page, "people"); item; item = item->next, told++) {
            uint32_t person = (uint32_t)world_number(item, "person"), at = 0;
            assert_true(person < countof(model->depths) && !is_told[person]);
            is_told[person] = true;
            assert_true(is_listed(model, answer, list, person));
            assert_int_equal((uint32_t)world_number(item, "depth"), model->depths[person]);
            for (const TreeNode *stop = world_list(item, "steps")->next; stop; stop = stop->next, at++)
                assert_true(world_label_is(event_tree_get(stop, STR("event"))->text,
                                           str_from(model->labels[person][at])));
            assert_int_equal(at, model->depths[person]);
        }
        const TreeNode *next = event_tree_get(page, STR("cursor"));
        has_more = event_tree_get(next, STR("has_more"))->truth;
        cursor = event_tree_get(next, STR("next"))->text;
    }
    assert_int_equal(told, total);
}

static void verify_people(const struct model *model, const TreeNode *answer, Arena *arena)
{
    static const TreeNode others = { .kind = FIELD_NULL, .raw = { "null", 4 } };
    verify_list(model, answer, &(struct list){ .step = 0 }, arena);
    for (const TreeNode *line = world_list(answer, "depths"); line; line = line->next) {
        uint32_t step = (uint32_t)world_number(line, "depth");
        Arena scratch = *arena;
        verify_list(model, answer, &(struct list){ .step = step }, &scratch);
        verify_list(model, answer, &(struct list){ .step = step, .has_ended = true }, &scratch);
        verify_list(model, answer, &(struct list){ .step = step, .to = &others }, &scratch);
        const TreeNode *events = world_list(line, "events");
        if (events)
            verify_list(model, answer, &(struct list){ .step = step, .to = event_tree_get(events, STR("event")) },
                        &scratch);
    }
    for (const TreeNode *link = world_list(answer, "links"); link; link = link->next) {
        Arena scratch = *arena;
        struct list list = { .step = (uint32_t)world_number(link, "depth"), .from = event_tree_get(link, STR("from")),
                             .to = event_tree_get(link, STR("to")) };
        verify_list(model, answer, &list, &scratch);
    }
}

static void make_question(struct model *model)
{
    struct fake_dice *dice = &model->world->dice;
    struct buf json;
    buf_init_fixed(&json, model->question, sizeof model->question);
    world_selector_make(model->world, &model->anchor);
    model->depth = 1 + (uint32_t)fake_dice_below(dice, DEPTH_MAX);
    model->within_ms = (Millis)fake_dice_below(dice, 60);
    model->is_before = fake_dice_chance(dice, 500);
    model->collapses = fake_dice_chance(dice, 400);
    buf_printf(&json, "{\"event\":%s,\"depth\":%u,\"within\":\"%dms\",\"limit\":%d", model->anchor.json, model->depth,
               (int)model->within_ms, SHOWN);
    buf_printf(&json, ",\"direction\":\"%s\",\"collapse\":%s", model->is_before ? "before" : "after",
               model->collapses ? "true" : "false");
    model->from_ms = INT64_MIN, model->to_ms = INT64_MAX;
    if (fake_dice_chance(dice, 300)) {
        model->from_ms = WORLD_START_MS + (Millis)fake_dice_below(dice, 20);
        buf_printf(&json, ",\"from\":%" PRIi64, model->from_ms);
    }
    if (fake_dice_chance(dice, 300)) {
        model->to_ms = WORLD_START_MS + 25 + (Millis)fake_dice_below(dice, 20);
        buf_printf(&json, ",\"to\":%" PRIi64, model->to_ms);
    }
    if (fake_dice_chance(dice, 500)) {
        model->event_count = 1 + (uint32_t)fake_dice_below(dice, EVENTS_MAX);
        for (uint32_t at = 0; at < model->event_count; at++) {
            world_selector_make(model->world, &model->events[at]);
            buf_printf(&json, "%s%s", at ? "," : ",\"events\":[", model->events[at].json);
        }
        buf_char(&json, ']');
    }
    buf_char(&json, '}');
    buf_char(&json, 0);
    check(buf_ok(&json));
}

static void the_answer_is_what_the_definition_says(void **state)
{
    static struct world world;
    static struct model model;
    uint64_t seed = fake_seed("paths_model");
    const char *rounds = getenv("ROUNDS");
    struct region region;
    (void)state;
    region_open(&region, 64 << 20);
    for (long round = rounds ? strtol(rounds, NULL, 10) : 200; round > 0; round--) {
        world_open(&world, seed + (uint64_t)round, 20 + round % 50);
        for (int question = 0; question < 6; question++) {
            Arena arena = region_arena(&region);
            memset(&model, 0, sizeof model);
            model.world = &world;
            make_question(&model);
            for (uint32_t person = 0; person < countof(model.depths); person++) model_person(&model, person);
            const TreeNode *answer = world_ask(&world, QUERY_PATHS, str_from(model.question), &arena);
            verify_depths(&model, answer);
            verify_links(&model, answer);
            if (!question) verify_people(&model, answer, &arena);
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
