/* The funnel, from JSON to JSON, against a reference that follows docs/funnels.md word for word on a plain list
 * of events: every chain is tried. */
#include "ask_world.h"

enum { STEPS_MAX = 4, EXCLUSIONS_MAX = 2, HITS_MAX = 40 };

struct model {
    struct world *world;
    struct world_selector steps[STEPS_MAX], excluded[EXCLUSIONS_MAX];
    uint32_t step_count, exclusion_count;
    struct { uint32_t from, to; } exclusions[EXCLUSIONS_MAX];
    Millis window_ms, from_ms, to_ms, within_ms[STEPS_MAX];
    int order;                                          /* 0 in order, 1 strict, 2 any */
    bool is_all, took[STEPS_MAX];
    const char *by;
    bool is_any;
    char question[4000];
    /* one person */
    const struct world_event *hits[WORLD_EVENTS_MAX];
    bool is_step[WORLD_EVENTS_MAX][STEPS_MAX], is_excluded[WORLD_EVENTS_MAX][EXCLUSIONS_MAX];
    uint32_t hit_count, chain[STEPS_MAX], depth;
    Millis first_ms[STEPS_MAX];
};

/* What one line of the answer should say. */
struct expected {
    char group[40];
    uint64_t people[STEPS_MAX];
    Millis from_first[STEPS_MAX][WORLD_SUBJECTS_MAX * 2], from_previous[STEPS_MAX][WORLD_SUBJECTS_MAX * 2];
};

/* ---- The reference ---- */

static bool chain_holds(const struct model *model, uint32_t len)
{
    const struct world_event *const *hits = model->hits;
    uint32_t last = model->chain[len - 1];
    if (model->order != 2 && !model->is_step[last][len - 1]) return false;
    if (len > 1 && hits[last]->time_ms - hits[model->chain[len - 2]]->time_ms > model->within_ms[len - 1]) return false;
    if (len > 1 && hits[last]->time_ms < hits[model->chain[len - 2]]->time_ms) return false;
    for (uint32_t before = 0; before + 1 < len; before++)
        if (model->chain[before] == last) return false;
    if (hits[last]->time_ms - hits[model->chain[0]]->time_ms > model->window_ms) return false;
    for (uint32_t at = 0; at < model->exclusion_count; at++) {
        uint32_t from = model->exclusions[at].from, to = model->exclusions[at].to;
        if (from >= len) continue;
        if (to >= len) to = len - 1;
        for (uint32_t hit = 0; hit < model->hit_count; hit++)
            if (model->is_excluded[hit][at] && hits[hit]->time_ms > hits[model->chain[from]]->time_ms
                && hits[hit]->time_ms < hits[model->chain[to]]->time_ms)
                return false;
    }
    return true;
}

/* Strict: nothing else between the first and the last. */
static bool is_unbroken(const struct model *model, uint32_t len)
{
    for (uint32_t hit = 0; hit < model->hit_count; hit++) {
        bool is_in = false;
        for (uint32_t at = 0; at < len; at++) is_in |= model->chain[at] == hit;
        if (!is_in && model->hits[hit]->time_ms > model->hits[model->chain[0]]->time_ms
            && model->hits[hit]->time_ms < model->hits[model->chain[len - 1]]->time_ms) return false;
    }
    return true;
}

static void extend(struct model *model, uint32_t len);

/* Any order: the chain's last event as any step that is not taken. */
static void extend_as_any(struct model *model, uint32_t len)
{
    Millis time_ms = model->hits[model->chain[len - 1]]->time_ms;
    for (uint32_t step = 0; step < model->step_count; step++) {
        if (model->took[step] || !model->is_step[model->chain[len - 1]][step]) continue;
        if (len > model->depth) model->depth = len, model->first_ms[len - 1] = time_ms;
        if (time_ms < model->first_ms[len - 1]) model->first_ms[len - 1] = time_ms;
        model->took[step] = true;
        for (uint32_t hit = 0; hit < model->hit_count && len < model->step_count; hit++) {
            model->chain[len] = hit;
            extend(model, len + 1);
        }
        model->took[step] = false;
    }
}

static void extend(struct model *model, uint32_t len)
{
    if (!chain_holds(model, len)) return;
    if (model->order == 2) {
        extend_as_any(model, len);
        return;
    }
    if (model->order == 1 && !is_unbroken(model, len)) return;
    Millis time_ms = model->hits[model->chain[len - 1]]->time_ms;
    if (len > model->depth) model->depth = len, model->first_ms[len - 1] = time_ms;
    if (time_ms < model->first_ms[len - 1]) model->first_ms[len - 1] = time_ms;
    for (uint32_t hit = 0; hit < model->hit_count && len < model->step_count; hit++) {
        model->chain[len] = hit;
        extend(model, len + 1);
    }
}

static struct expected *line_of(struct expected *lines, uint32_t *count, Str group)
{
    for (uint32_t at = 0; at < *count; at++)
        if (str_equal(str_from(lines[at].group), group)) return &lines[at];
    struct expected *line = &lines[(*count)++];
    memset(line, 0, sizeof *line);
    memcpy(line->group, group.bytes, group.len);
    return line;
}

static void count_chain(const struct model *model, struct expected *line)
{
    for (uint32_t step = 0; step < model->depth; step++) {
        uint64_t at = line->people[step]++;
        line->from_first[step][at] = model->first_ms[step] - model->first_ms[0];
        line->from_previous[step][at] = model->first_ms[step] - model->first_ms[step ? step - 1 : 0];
    }
}

/* The best entry (deepest, then earliest, then smallest group) of one group, or of all; UINT32_MAX: none. */
static bool begins(const struct model *model, uint32_t hit)
{
    bool is_any = false;
    for (uint32_t step = 0; step < model->step_count; step++) is_any |= model->is_step[hit][step];
    return model->hits[hit]->time_ms < model->to_ms && (model->order == 2 ? is_any : model->is_step[hit][0]);
}

static uint32_t best_entry(struct model *model, uint32_t person, const char *only)
{
    uint32_t best = UINT32_MAX, depth = 0;
    char text[40], best_text[40];
    for (uint32_t hit = 0; hit < model->hit_count; hit++) {
        if (!begins(model, hit)) continue;
        Str group = model->by ? world_group(model->by, model->hits[hit], person, text) : STR("");
        if (only && !str_equal(group, str_from(only))) continue;
        model->depth = 0;
        model->chain[0] = hit;
        extend(model, 1);
        bool is_better = model->depth > depth;
        if (model->depth == depth && best != UINT32_MAX) {
            Millis difference = model->hits[hit]->time_ms - model->hits[best]->time_ms;
            is_better = difference < 0;
            if (difference == 0 && model->by)
                is_better
                    = world_compare_groups(group,
                                          world_group(model->by, model->hits[best], person, best_text)) < 0;
        }
        if (is_better) best = hit, depth = model->depth;
    }
    if (best == UINT32_MAX) return best;
    Millis first_ms[STEPS_MAX];
    for (uint32_t step = 0; step < STEPS_MAX; step++) first_ms[step] = INT64_MAX;
    /* all entries of that millisecond and group */
    for (uint32_t hit = 0; hit < model->hit_count; hit++) {
        if (!begins(model, hit) || model->hits[hit]->time_ms != model->hits[best]->time_ms) continue;
        if (model->by && !str_equal(world_group(model->by, model->hits[hit], person, text),
                                    world_group(model->by, model->hits[best], person, best_text))) continue;
        model->depth = 0;
        model->chain[0] = hit;
        extend(model, 1);
        for (uint32_t step = 0; step < model->depth; step++)
            if (model->first_ms[step] < first_ms[step]) first_ms[step] = model->first_ms[step];
    }
    memcpy(model->first_ms, first_ms, sizeof first_ms);
    model->depth = depth;
    return best;
}

static void model_person(struct model *model, uint32_t person, struct expected *all, struct expected *lines,
                         uint32_t *count)
{
    struct world *world = model->world;
    char text[40];
    model->hit_count = 0;
    for (uint32_t at = 0; at < world->event_count; at++) {
        const struct world_event *event = &world->events[at];
        bool is_any = model->order == 1 && event->type != EVENT_IDENTIFY;
        if (event->person != person || event->time_ms < model->from_ms
            || (model->is_all && event->time_ms >= model->to_ms))
            continue;
        for (uint32_t step = 0; step < model->step_count; step++)
            is_any |= model->is_step[model->hit_count][step]
                = world_selector_holds(&model->steps[step], event, person);
        for (uint32_t out = 0; out < model->exclusion_count; out++)
            is_any |= model->is_excluded[model->hit_count][out]
                = world_selector_holds(&model->excluded[out], event, person);
        model->hits[model->hit_count] = event;
        model->hit_count += is_any;
    }
    uint32_t best = best_entry(model, person, NULL);
    if (best == UINT32_MAX) return;
    count_chain(model, all);
    if (!model->by) return;
    if (!model->is_any) {
        count_chain(model, line_of(lines, count, world_group(model->by, model->hits[best], person, text)));
        return;
    }
    char seen[WORLD_EVENTS_MAX][40];
    uint32_t seen_count = 0;
    for (uint32_t hit = 0; hit < model->hit_count; hit++) {
        bool is_seen = false;
        if (!begins(model, hit)) continue;
        world_group(model->by, model->hits[hit], person, seen[seen_count]);
        for (uint32_t at = 0; at < seen_count; at++) is_seen |= strcmp(seen[at], seen[seen_count]) == 0;
        seen_count += !is_seen;
    }
    for (uint32_t at = 0; at < seen_count; at++) {
        best_entry(model, person, seen[at]);
        count_chain(model, line_of(lines, count, str_from(seen[at])));
    }
}

/* ---- Comparing ---- */

static int compare_times(const void *a, const void *b)
{
    Millis left = *(const Millis *)a, right = *(const Millis *)b;
    return (left > right) - (left < right);
}

static void verify_rank(const TreeNode *step, const char *member, const Millis *times, uint64_t count,
                        double share)
{
    Millis sorted[WORLD_SUBJECTS_MAX * 2];
    memcpy(sorted, times, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_times);
    uint64_t rank = (uint64_t)(share * (double)count + 0.999999);
    assert_int_equal((Millis)world_number(step, member), sorted[rank ? rank - 1 : 0]);
}

static void verify_line(const struct model *model, const TreeNode *line, const struct expected *expected)
{
    const TreeNode *step = world_list(line, "steps");
    for (uint32_t at = 0; at < model->step_count; at++, step = step->next) {
        uint64_t people = expected->people[at], first = expected->people[0], previous
            = expected->people[at ? at - 1 : 0];
        assert_non_null(step);
        if (model->order == 2) assert_int_equal(event_tree_get(step, STR("event"))->kind, FIELD_NULL);
        else assert_true(str_equal(event_tree_get(step, STR("event"))->text, str_from(model->steps[at].label)));
        assert_int_equal((uint64_t)world_number(step, "people"), people);
        assert_true(world_number(step, "from_first") == (first ? (double)people / (double)first : 0));
        assert_true(world_number(step, "from_previous") == (previous ? (double)people / (double)previous
                                                            : 0));
        if (at == 0 || people == 0) {
            assert_int_equal(event_tree_get(step, STR("median_ms"))->kind, FIELD_NULL);
            continue;
        }
        verify_rank(step, "median_ms", expected->from_first[at], people, 0.5);
        verify_rank(step, "p90_ms", expected->from_first[at], people, 0.9);
        verify_rank(step, "median_from_previous_ms", expected->from_previous[at], people, 0.5);
        verify_rank(step, "p90_from_previous_ms", expected->from_previous[at], people, 0.9);
    }
    assert_null(step);
}

static void verify_answer(const struct model *model, const TreeNode *answer, const struct expected *all,
                          const struct expected *lines, uint32_t count)
{
    verify_line(model, answer, all);
    uint32_t found = 0;
    for (const TreeNode *group = world_list(answer, "groups"); group; group = group->next, found++) {
        uint32_t at = 0;
        while (at < count && !world_value_is(event_tree_get(group, STR("value")), lines[at].group)) at++;
        assert_true(at < count);
        verify_line(model, group, &lines[at]);
    }
    assert_int_equal(found, count);
}

/* ---- Random questions ---- */

static void make_question(struct model *model)
{
    static const char *const fields[]
        = { "properties.plan", "properties.price", "properties.flag", "context.city", "traits.plan" };
    struct fake_dice *dice = &model->world->dice;
    struct buf json;
    buf_init_fixed(&json, model->question, sizeof model->question);
    model->step_count = 1 + (uint32_t)fake_dice_below(dice, STEPS_MAX);
    model->window_ms = (Millis)fake_dice_below(dice, 60);
    static const char *const orders[] = { "in_order", "strict", "any" };
    model->order = fake_dice_chance(dice, 500) ? 0 : 1 + (int)fake_dice_below(dice, 2);
    model->is_all = fake_dice_chance(dice, 400);
    for (uint32_t at = 0; at < STEPS_MAX; at++) model->within_ms[at] = INT64_MAX;
    buf_str_put(&json, STR("{\"steps\":["));
    for (uint32_t at = 0; at < model->step_count; at++) {
        world_selector_make(model->world, &model->steps[at]);
        bool is_plain = model->steps[at].filter_count == 0 && fake_dice_chance(dice, 500);
        if (at && model->order != 2 && fake_dice_chance(dice, 200)) {
            model->within_ms[at] = (Millis)fake_dice_below(dice, 20);
            buf_printf(&json, ",%.*s,\"window\":\"%dms\"}", (int)strlen(model->steps[at].json) - 1,
                       model->steps[at].json, (int)model->within_ms[at]);
            continue;
        }
        buf_printf(&json, is_plain ? "%s\"%s\"" : "%s%s", at ? "," : "", is_plain ? model->steps[at].label
                   : model->steps[at].json);
    }
    buf_printf(&json, "],\"window\":\"%dms\",\"order\":\"%s\",\"range\":\"%s\"", (int)model->window_ms,
               orders[model->order], model->is_all ? "all" : "entries");
    if (model->order == 0 && model->step_count > 1 && fake_dice_chance(dice, 300)) {
        model->exclusion_count = 1 + (uint32_t)fake_dice_below(dice, EXCLUSIONS_MAX);
        buf_str_put(&json, STR(",\"exclusions\":["));
        for (uint32_t at = 0; at < model->exclusion_count; at++) {
            world_selector_make(model->world, &model->excluded[at]);
            uint32_t from = (uint32_t)fake_dice_below(dice, model->step_count - 1);
            model->exclusions[at].from = from;
            model->exclusions[at].to
                = from + 1 + (uint32_t)fake_dice_below(dice, model->step_count - 1 - from);
            model->excluded[at].json[strlen(model->excluded[at].json) - 1] = 0;
            buf_printf(&json, "%s%s,\"from\":%u,\"to\":%u}", at ? "," : "", model->excluded[at].json,
                       from + 1,
                       model->exclusions[at].to + 1);
        }
        buf_char(&json, ']');
    }
    model->from_ms = INT64_MIN, model->to_ms = INT64_MAX;
    if (fake_dice_chance(dice, 300)) {
        model->from_ms = WORLD_START_MS + (Millis)fake_dice_below(dice, 30);
        buf_printf(&json, ",\"from\":%" PRIi64, model->from_ms);
    }
    if (fake_dice_chance(dice, 300)) {
        model->to_ms = WORLD_START_MS + 30 + (Millis)fake_dice_below(dice, 40);
        buf_str_put(&json, STR(",\"to\":\""));
        buf_instant(&json, model->to_ms);
        buf_char(&json, '"');
    }
    if (fake_dice_chance(dice, 600)) {
        model->by = fields[fake_dice_below(dice, countof(fields))];
        model->is_any = fake_dice_chance(dice, 400);
        buf_printf(&json, ",\"by\":\"%s\",\"attribution\":\"%s\"", model->by, model->is_any ? "any"
                   : "first");
        /* a person has one trait: the same */
        if (strcmp(model->by, "traits.plan") == 0) model->is_any = false;
    }
    buf_char(&json, '}');
    buf_char(&json, 0);
    check(buf_ok(&json));
}

static void the_answer_is_what_the_definition_says(void **state)
{
    static struct world world;
    static struct model model;
    static struct expected all, lines[WORLD_EVENTS_MAX];
    uint64_t seed = fake_seed("funnel_model");
    const char *rounds = getenv("ROUNDS");
    struct region region;
    (void)state;
    region_open(&region, 64 << 20);
    for (long round = rounds ? strtol(rounds, NULL, 10) : 250; round > 0; round--) {
        world_open(&world, seed + (uint64_t)round, 20 + round % 50);
        for (int question = 0; question < 8; question++) {
            Arena arena = region_arena(&region);
            uint32_t count = 0;
            model = (struct model){ .world = &world };
            memset(&all, 0, sizeof all);
            make_question(&model);
            for (uint32_t person = 0; person < world.subject_count + 3; person++)
                model_person(&model, person, &all, lines, &count);
            const TreeNode *answer = world_ask(&world, QUERY_FUNNEL, str_from(model.question), &arena);
            verify_answer(&model, answer, &all, lines, count);
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
