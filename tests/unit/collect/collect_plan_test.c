/* collect: messages are held against the plan of the moment, stamped where they break it, and otherwise as ever. */
#include "config/config.h"

#include "collect/collect_plan.c"
#include "collect_world.h"

static void note(void *context, const Node *at, bool is_warning, Str field, const char *text)
{
    (void)context, (void)at, (void)is_warning, (void)field;
    fail_msg("%s", text);
}

/* From YAML; NULL takes the plan away. */
static void use_plan(const char *yaml)
{
    static struct config_problems problems;
    struct tracking_plan *plan = NULL;
    Arena arena = region_arena(&world.region);
    struct config_walk walk = { &arena, &problems, NULL, true };
    TrackingSource source = { .text = str_from(yaml), .complain = note };
    if (yaml) assert_int_equal(tracking_plan_open(config_read_yaml(&walk, str_from(yaml)), &source, &plan,
                                                  &world.err), OK);
    collector_set_plan(world.collector, plan);
}

#define TRACK "{\"type\":\"track\",\"userId\":\"u\",\"messageId\":\"m\",\"event\":\"A\",\"properties\":"

static void send_track(const char *rest)
{
    char body[4096];
    snprintf(body, sizeof body, "%s%s}", TRACK, rest);
    assert_int_equal(world_send_body("wk_web", EVENT_NONE, body), OK);
}

static void what_breaks_the_plan_is_stamped_and_accepted(void **state)
{
    (void)state;
    use_plan("version: '3'\nevents: {A: {properties: {n: number}}}\n");
    send_track("{\"n\":\"1\"}");
    assert_int_equal(world.result.accepted, 1);
    assert_int_equal(world.result.plan_codes[TRACKING_WRONG_TYPE], 1);
    assert_int_equal(world.result.plan_rungs[TRACKING_REPORT], 1);
    Event event = world_event(0);
    assert_text(event.plan_check,
                "{\"version\":\"3\",\"rung\":\"report\",\"violations\":[{\"code\":\"wrong_type\",\"path\":"
                "[\"properties\",\"n\"],\"found\":\"text\",\"wants\":\"a number\",\"rung\":\"report\"}]}");
    assert_true(str_ends(event.json, STR("\"rung\":\"report\"}]}}")));
    assert_true(str_contains(event.json, STR("\"properties\":{\"n\":\"1\"}")));
    send_track("{\"n\":1}");
    event = world_event(0);
    assert_int_equal(event.plan_check.len, 0);
    assert_false(str_contains(event.json, STR("planCheck")));
    use_plan(NULL);
    send_track("{\"n\":\"1\"}");
    event = world_event(0);
    assert_int_equal(event.plan_check.len, 0);
}

static void a_client_cannot_stamp(void **state)
{
    (void)state;
    send_track("{\"planCheck\":{\"rung\":\"hold\"}},\"planCheck\":{\"rung\":\"hold\",\"violations\":[]}");
    Event event = world_event(0);
    assert_int_equal(event.plan_check.len, 0);
    assert_true(str_contains(event.json, STR("\"properties\":{\"planCheck\":{\"rung\":\"hold\"}}")));
    assert_false(str_contains(event.json, STR(",\"planCheck\":{\"rung\":\"hold\",\"violations\"")));
    use_plan("events: {B: }\nunplanned_events: hold\n");
    send_track("{},\"x\":{\"a\":\"\\\",\\\"planCheck\\\":{\",\"b\":1,\"planCheck\":{\"c\":{}}}");
    event = world_event(0);
    assert_true(tracking_stamp_holds(event.plan_check));
    assert_int_equal(event.plan_check.bytes + event.plan_check.len + 1 - event.json.bytes, event.json.len);
}

static void a_client_cannot_stamp_whatever_way_it_spells_the_name(void **state)
{
    static const char *const names[] = {
        "planCheck", "planChe\\u0063k", "\\u0070lanCheck",
        "\\u0070\\u006c\\u0061\\u006e\\u0043\\u0068\\u0065\\u0063\\u006b",
        "timeProblem", "timeProbl\\u0065m", "unreadTimestamp", "unre\\u0061dTimestamp",
    };
    (void)state;
    for (size_t at = 0; at < countof(names); at++) {
        char rest[256];
        snprintf(rest, sizeof rest, "{},\"%s\":{\"rung\":\"hold\"},\"mine\":1", names[at]);
        send_track(rest);
        Event event = world_event(0);
        assert_int_equal(event.plan_check.len, 0);
        assert_false(str_contains(event.json, STR("hold")));
        assert_true(str_ends(event.json, STR(",\"mine\":1}")));
    }
}

static void a_message_that_is_to_be_rejected_is_kept_whole_with_its_reason(void **state)
{
    static char body[20 * 1024];
    (void)state;
    use_plan("version: '3'\nevents: {A: {enforcement: reject, properties: {n: number}, unplanned_properties: "
             "allow}}\n");
    size_t len = (size_t)snprintf(body, sizeof body, "%s{\"n\":[],\"long\":\"", TRACK);
    memset(body + len, 'x', 16 * 1024);
    strcpy(body + len + 16 * 1024, "\"}}");
    assert_int_equal(world_send_body("wk_web", EVENT_NONE, body), OK);
    assert_int_equal(world.result.rejected, 1);
    assert_int_equal(world.result.accepted, 0);
    Rejected rejected = world_rejected(0);
    assert_text(rejected.reason, "plan_wrong_type");
    assert_text(rejected.field, "properties.n");
    assert_text(rejected.text, "by the plan (version 3): properties.n is a list, the plan wants a number");
    assert_text(rejected.source, "website");
    assert_int_equal(rejected.json.len, strlen(body));
}

static void an_import_keeps_the_stamp_of_its_day(void **state)
{
    static const char line[] = TRACK "{\"n\":\"1\"},"
                                     "\"projectId\":\"website\",\"timestamp\":\"2023-01-01T00:00:00.000Z\","
        "\"planCheck\":{\"version\":\"1\",\"rung\":\"hold\",\"violations\":[]}}\n"
        TRACK "{},\"timestamp\":\"2023-01-01T00:00:00.000Z\",\"planCheck\":\"nonsense\"}\n"
        TRACK "{},\"timestamp\":\"2023-01-01T00:00:00.000Z\",\"timeProbl\\u0065m\":\"sent_at_ignored\","
        "\"unreadTimestamp\":7,\"planChe\\u0063k\":{\"version\":\"1\",\"rung\":\"hold\",\"violations\":[]}}\n";
    (void)state;
    use_plan("version: '3'\nevents: {A: {properties: {n: number}}}\n");
    assert_int_equal(world_send((CollectRequest){ .is_import = true, .body = str_from(line), .header_key =
                                                  STR("wk_web") }), OK);
    assert_int_equal(world.result.accepted, 3);
    assert_text(world_event(0).plan_check, "{\"version\":\"1\",\"rung\":\"hold\",\"violations\":[]}");
    assert_int_equal(world_event(1).plan_check.len, 0);
    assert_text(world_event(2).plan_check, "{\"version\":\"1\",\"rung\":\"hold\",\"violations\":[]}");
    assert_true(str_contains(world_event(2).json, STR(",\"timeProblem\":\"sent_at_ignored\",\"unreadTimestamp\":7,"
                                                      "\"planCheck\":{")));
}

static void a_plan_is_taken_once_and_given_up_with_the_collector(void **state)
{
    (void)state;
    use_plan("events: {A: }\n");
    struct tracking_plan *first = atomic_load(&world.collector->plan);
    use_plan("events: {A: }\n");
    assert_ptr_equal(atomic_load(&world.collector->plan), first);
    use_plan("events: {B: }\n");
    assert_ptr_not_equal(atomic_load(&world.collector->plan), first);
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(what_breaks_the_plan_is_stamped_and_accepted),
        with_world(a_client_cannot_stamp),
        with_world(a_client_cannot_stamp_whatever_way_it_spells_the_name),
        with_world(a_message_that_is_to_be_rejected_is_kept_whole_with_its_reason),
        with_world(an_import_keeps_the_stamp_of_its_day),
        with_world(a_plan_is_taken_once_and_given_up_with_the_collector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
