/* Sign-ups, from JSON to JSON, against docs/queries.md: person by person on the plain list of events. */
#include "ask_clock.h"
#include "ask_world.h"

enum { PEOPLE_MAX = WORLD_SUBJECTS_MAX + 4, LISTED = 2 };

struct found {
    bool is_counted, has_history;
    Millis time_ms;
    char first_event[40], referrer[40], campaign[40];
};

struct model {
    struct world *world;
    bool is_by_user_id;
    struct world_selector event;
    const char *unit;
    Millis from_ms, to_ms;
    struct found found[PEOPLE_MAX];
    char question[1000];
};

static bool is_signup(const struct model *model, const struct world_event *event)
{
    return model->is_by_user_id ? world_is_user(model->world, event->subject)
        : world_selector_holds(&model->event, event, event->person);
}

/* The smaller of two values on events of which the first is earlier, or as early. */
static void take_first(char *to, Millis *to_ms, const char *value, Millis time_ms, bool are_labels)
{
    char text[41];
    snprintf(text, sizeof text, "s%s", value);
    int order = are_labels ? world_compare_labels(str_from(text + 1), str_from(to + !!*to))
        : strcmp(text, to);
    if (*to && (time_ms > *to_ms || (time_ms == *to_ms && order >= 0))) return;
    snprintf(to, 40, "%s", text);
    *to_ms = time_ms;
}

static void model_person(struct model *model, uint32_t person, struct found *found)
{
    Millis times_ms[3] = { 0 };
    char label[40];
    found->time_ms = INT64_MAX;
    for (uint32_t at = 0; at < model->world->event_count; at++) {
        const struct world_event *event = &model->world->events[at];
        if (event->person == person && event->time_ms < world_end_ms(model->world, model->to_ms)
            && event->time_ms >= WORLD_PLAUSIBLE_MS && is_signup(model, event)
            && event->time_ms < found->time_ms) found->time_ms = event->time_ms;
    }
    found->is_counted = found->time_ms != INT64_MAX && found->time_ms >= model->from_ms;
    if (!found->is_counted) return;
    for (uint32_t at = 0; at < model->world->event_count; at++) {
        const struct world_event *event = &model->world->events[at];
        if (event->person != person || event->time_ms < WORLD_PLAUSIBLE_MS) continue;
        bool is_history = event->time_ms < found->time_ms && !world_is_user(model->world, event->subject);
        found->has_history |= is_history;
        if (!is_history && !(event->time_ms == found->time_ms && is_signup(model, event))) continue;
        take_first(found->first_event, &times_ms[0], (world_label(event, label), label), event->time_ms, true);
        if (event->campaign) take_first(found->campaign, &times_ms[2], event->campaign, event->time_ms, false);
        if (event->referrer) take_first(found->referrer, &times_ms[1], event->referrer, event->time_ms, false);
    }
    for (size_t at = 0; at < countof(world_hosts); at++)               /* the value, then its host */
        if (*found->referrer && strcmp(found->referrer + 1, world_referrers[at]) == 0)
            snprintf(found->referrer, sizeof found->referrer, "s%s", world_hosts[at]);
}

/* People of a bucket, of one value of a dimension (NULL: all). */
static uint32_t count_people(const struct model *model, size_t offset, const char *value, const TreeNode *bucket,
                             bool with_history)
{
    uint32_t people = 0;
    Millis start = INT64_MIN;
    if (bucket) assert_true(instant_parse(bucket->text, &start));
    for (uint32_t person = 0; person < PEOPLE_MAX; person++) {
        const struct found *found = &model->found[person];
        if (!found->is_counted || (with_history && !found->has_history)) continue;
        if (value && strcmp((const char *)found + offset, value) != 0) continue;
        people += !bucket || clock_floor(model->unit, found->time_ms) == start;
    }
    return people;
}

static void verify_values(const struct model *model, const TreeNode *answer, const TreeNode *line, const char *member,
                          size_t offset, const char *text, bool with_history)
{
    const TreeNode *bucket = world_list(answer, "buckets"), *value = world_list(line, member);
    for (; bucket; bucket = bucket->next, value = value->next)
        assert_int_equal((uint32_t)number_of(value), count_people(model, offset, text, bucket, with_history));
    assert_null(value);
}

static void verify_dimension(const struct model *model, const TreeNode *answer, const char *name, size_t offset)
{
    uint32_t told = 0, left_out = 0, before = UINT32_MAX;
    char member[40];
    for (const TreeNode *line = world_list(answer, name); line; line = line->next, told++) {
        uint32_t person = 0;
        while (person < PEOPLE_MAX
               && !(model->found[person].is_counted
                    && world_value_is(event_tree_get(line, STR("value")),
                                      (const char *)&model->found[person] + offset)))
            person++;
        assert_true(person < PEOPLE_MAX);
        const char *text = (const char *)&model->found[person] + offset;
        uint32_t people = count_people(model, offset, text, NULL, false);
        assert_int_equal((uint32_t)world_number(line, "people"), people);
        assert_true(people <= before);
        before = people;
        verify_values(model, answer, line, "values", offset, text, false);
    }
    for (uint32_t person = 0; person < PEOPLE_MAX; person++) {
        bool is_new = model->found[person].is_counted;
        const char *text = (const char *)&model->found[person] + offset;
        for (uint32_t other = 0; other < person; other++)
            is_new &= !model->found[other].is_counted || strcmp((const char *)&model->found[other] + offset, text) != 0;
        left_out += is_new;
    }
    snprintf(member, sizeof member, "%s_left_out", name);
    assert_int_equal(told, left_out < LISTED ? left_out : LISTED);
    assert_int_equal((uint32_t)world_number(answer, member), left_out - told);
}

static void make_question(struct model *model, const char *zone)
{
    static const char *const units[] = { "day", "week", "month", "quarter" };
    struct fake_dice *dice = &model->world->dice;
    struct buf json;
    buf_init_fixed(&json, model->question, sizeof model->question);
    model->unit = units[fake_dice_below(dice, 4)];
    clock_week_start = (int)fake_dice_below(dice, 7);
    buf_printf(&json, "{\"unit\":\"%s\",\"week_start\":\"%s\",\"timezone\":\"%s\",\"limit\":%d", model->unit,
               clock_weekdays[clock_week_start], zone, LISTED);
    model->is_by_user_id = fake_dice_chance(dice, 400);
    if (!model->is_by_user_id) {
        world_selector_make(model->world, &model->event);
        buf_printf(&json, ",\"event\":%s", model->event.json);
    }
    model->from_ms = INT64_MIN, model->to_ms = INT64_MAX;
    if (fake_dice_chance(dice, 400)) {
        model->from_ms = WORLD_START_MS + (Millis)fake_dice_below(dice, (uint64_t)model->world->span_ms / 2);
        buf_printf(&json, ",\"from\":%" PRIi64, model->from_ms);
    }
    if (fake_dice_chance(dice, 400)) {
        model->to_ms = WORLD_START_MS + model->world->span_ms / 2 + 1
            + (Millis)fake_dice_below(dice, (uint64_t)model->world->span_ms / 2);
        buf_printf(&json, ",\"to\":%" PRIi64, model->to_ms);
    }
    buf_char(&json, '}');
    buf_char(&json, 0);
    check(buf_ok(&json));
}

static void the_answer_is_what_the_definition_says(void **state)
{
    static struct world world;
    static struct model model;
    uint64_t seed = fake_seed("signups_model");
    const char *rounds = getenv("ROUNDS");
    struct region region;
    (void)state;
    region_open(&region, 64 << 20);
    for (long round = rounds ? strtol(rounds, NULL, 10) : 200; round > 0; round--) {
        const char *zone = clock_zones[round % (long)countof(clock_zones)];
        clock_use(zone);
        world_open(&world, seed + (uint64_t)round, round % 3 ? INT64_C(120) * 86400000 : 30);
        for (int question = 0; question < 6; question++) {
            Arena arena = region_arena(&region);
            memset(&model, 0, sizeof model);
            model.world = &world;
            make_question(&model, zone);
            for (uint32_t person = 0; person < PEOPLE_MAX; person++) model_person(&model, person, &model.found[person]);
            const TreeNode *answer = world_ask(&world, QUERY_SIGNUPS, str_from(model.question), &arena);
            uint32_t people = count_people(&model, 0, NULL, NULL, false);
            uint32_t with_history = count_people(&model, 0, NULL, NULL, true);
            assert_int_equal((uint32_t)world_number(answer, "people"), people);
            assert_int_equal((uint32_t)world_number(answer, "with_history"), with_history);
            verify_values(&model, answer, answer, "values", 0, NULL, false);
            verify_values(&model, answer, answer, "with_history_values", 0, NULL, true);
            verify_dimension(&model, answer, "first_events", offsetof(struct found, first_event));
            verify_dimension(&model, answer, "referrers", offsetof(struct found, referrer));
            verify_dimension(&model, answer, "campaigns", offsetof(struct found, campaign));
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
