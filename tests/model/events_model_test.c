/* Events, fields and values, from JSON to JSON, against a count over the plain list of events. */
#include "ask_world.h"

struct expected {
    char name[40];
    uint64_t count;
    Millis last_ms;
};

static void note(struct expected *list, uint32_t *count, const char *name, Millis time_ms)
{
    uint32_t at = 0;
    while (at < *count && strcmp(list[at].name, name) != 0) at++;
    if (at == *count) {
        list[(*count)++] = (struct expected){ .last_ms = INT64_MIN };
        snprintf(list[at].name, sizeof list[at].name, "%s", name);
    }
    list[at].count++;
    if (time_ms > list[at].last_ms) list[at].last_ms = time_ms;
}

/* Every item is expected, none is missing, most frequent first. */
static void verify_list(const TreeNode *item, const char *member, const struct expected *list, uint32_t count,
                        bool has_time)
{
    double before = 1e9;
    uint32_t told = 0;
    for (; item; item = item->next, told++) {
        uint32_t at = 0;
        Millis last;
        while (at < count && !world_value_is(event_tree_get(item, str_from(member)), list[at].name)) at++;
        assert_true(at < count);
        assert_int_equal((uint64_t)world_number(item, "count"), list[at].count);
        assert_true(world_number(item, "count") <= before);
        before = world_number(item, "count");
        if (!has_time) continue;
        assert_true(instant_parse(event_tree_get(item, STR("last_seen"))->text, &last));
        assert_int_equal(last, list[at].last_ms);
    }
    assert_int_equal(told, count);
}

static void verify_overview(struct world *world, Arena *arena)
{
    static struct expected events[WORLD_EVENTS_MAX], fields[16];
    uint32_t event_count = 0, field_count = 0;
    for (uint32_t at = 0; at < world->event_count; at++) {
        const struct world_event *event = &world->events[at];
        char label[40];
        const char *name = event->type == EVENT_IDENTIFY ? "identify" : event->name;
        snprintf(label, sizeof label, event->type == EVENT_PAGE ? "spage:%s" : "s%s", name);
        note(events, &event_count, label, event->time_ms);
        note(fields, &field_count, "ssource", event->time_ms);
        if (event->plan) note(fields, &field_count, "sproperties.plan", event->time_ms);
        if (event->has_price) note(fields, &field_count, "sproperties.price", event->time_ms);
        if (event->has_flag) note(fields, &field_count, "sproperties.flag", event->time_ms);
        if (event->path) note(fields, &field_count, "scontext.page.path", event->time_ms);
        if (event->city) note(fields, &field_count, "scontext.city", event->time_ms);
        if (event->referrer) note(fields, &field_count, "scontext.page.referrer", event->time_ms);
        if (event->campaign) note(fields, &field_count, "scontext.campaign.source", event->time_ms);
    }
    const TreeNode *answer = world_ask(world, QUERY_EVENTS, STR("{}"), arena);
    verify_list(world_list(answer, "events"), "event", events, event_count, true);
    verify_list(world_list(answer, "properties"), "field", fields, field_count, true);
    assert_null(world_list(answer, "traits"));
    answer = world_ask(world, QUERY_EVENTS, STR("{\"search\":\"PAGE.pa\",\"limit\":1}"), arena);
    assert_null(world_list(answer, "events"));
    for (const TreeNode *item = world_list(answer, "properties"); item; item = item->next)
        assert_true(str_equal(event_tree_get(item, STR("field"))->text, STR("context.page.path")));
}

static void verify_values(struct world *world, const char *field, Arena *arena)
{
    static struct expected values[WORLD_EVENTS_MAX];
    char text[40], question[100];
    uint32_t count = 0;
    uint64_t all = 0;
    for (uint32_t at = 0; at < world->event_count; at++) {
        if (world_field(&world->events[at], field, text).len == 0) continue;
        note(values, &count, text, world->events[at].time_ms);
        all++;
    }
    snprintf(question, sizeof question, "{\"field\":\"%s\",\"limit\":100}", field);
    const TreeNode *answer = world_ask(world, QUERY_EVENTS, str_from(question), arena);
    verify_list(world_list(answer, "values"), "value", values, count, false);
    assert_int_equal((uint64_t)world_number(answer, "count"), all);
    assert_int_equal((uint64_t)world_number(answer, "values_left_out"), 0);
}

static void verify_examples(struct world *world, Arena *arena)
{
    const TreeNode *answer = world_ask(world, QUERY_EVENTS, STR("{}"), arena);
    for (const TreeNode *field = world_list(answer, "properties"); field; field = field->next) {
        const TreeNode *type = world_list(field, "types"), *example = world_list(field, "examples");
        Str name = event_tree_get(field, STR("field"))->text;
        assert_non_null(type);
        if (str_equal(name, STR("properties.flag"))) assert_true(str_equal(type->text, STR("boolean")));
        if (str_equal(name, STR("properties.plan"))) assert_true(str_equal(type->text, STR("text")));
        if (!str_equal(name, STR("properties.price"))) continue;
        assert_true(str_equal(type->text, STR("number")));
        double least = 1e9, most = -1;
        for (uint32_t at = 0; at < world->event_count; at++) {
            if (!world->events[at].has_price) continue;
            least = world->events[at].price < least ? world->events[at].price : least;
            most = world->events[at].price > most ? world->events[at].price : most;
        }
        assert_true(number_of(example) == least);
        if (example->next) example = example->next;
        assert_true(number_of(example) == most && !example->next);
    }
}

static void the_answer_is_what_the_definition_says(void **state)
{
    static struct world world;
    uint64_t seed = fake_seed("events_model");
    const char *rounds = getenv("ROUNDS");
    struct region region;
    (void)state;
    region_open(&region, 64 << 20);
    for (long round = rounds ? strtol(rounds, NULL, 10) : 150; round > 0; round--) {
        Arena arena = region_arena(&region);
        world_open(&world, seed + (uint64_t)round, 20 + round % 50);
        verify_overview(&world, &arena);
        verify_values(&world, "properties.plan", &arena);
        verify_values(&world, "properties.price", &arena);
        verify_values(&world, "properties.flag", &arena);
        verify_values(&world, "context.city", &arena);
        verify_examples(&world, &arena);
        world_close(&world);
    }
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_answer_is_what_the_definition_says) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
