/* plan: a plan that is learnt fits what it was learnt from, and is one that can be read. */
#include "plan/plan_learn.c"
#include "plan_fixture.h"

static struct tracking_learner *learner;

static void learn(const char *json)
{
    static char message[4096];
    Body body;
    Err err;
    Arena arena = region_arena(&message_region);
    size_t len = strlen(json);
    for (size_t at = 0; at <= len; at++) message[at] = json[at] == '\'' ? '"' : json[at];
    assert_int_equal(event_parse_message(parser, (Str){ message, len }, &arena, &body, &err), OK);
    TrackingMessage given = { parser, &body.messages[0], event_type_from(body.messages[0].type.text), STR("website") };
    tracking_learn(learner, &given, &arena);
}

static const char *written(void)
{
    static char text[64 * 1024];
    struct buf out;
    buf_init_fixed(&out, text, sizeof text - 1);
    tracking_learn_write(learner, &out);
    assert_true(buf_ok(&out));
    text[out.len] = 0;
    return text;
}

static void what_is_nearly_always_so_becomes_a_rule(void **state)
{
    char json[256];
    (void)state;
    learner = tracking_learn_open();
    for (int at = 0; at < 1000; at++) {
        snprintf(json, sizeof json, "{'type':'track','event':'A','properties':{'n':%s%s,'plan':'%s',"
                                    "'mail':'a%d@b.example'%s}}",
                 at % 200 ? "1.5" : "'1'", at % 250 ? ",'whole':3" : "", at % 2 ? "free" : "pro", at,
                 at % 10 ? ",'often':null" : "");
        learn(json);
    }
    for (int at = 0; at < 300; at++) learn("{'type':'identify','traits':{'name':'Kim','vip':true}}");
    const char *text = written();
    assert_non_null(strstr(text, "\"n\": {type: number, required: true}\n"));
    assert_non_null(strstr(text, "\"whole\": {type: integer, required: true}\n"));
    assert_non_null(strstr(text, "\"plan\": {type: text, required: true, enum: [\"pro\", \"free\"]}\n"));
    assert_non_null(strstr(text, "\"mail\": {type: text, required: true}\n"));
    assert_non_null(strstr(text, "\"often\": {type: any}\n"));
    assert_non_null(strstr(text, "traits:\n  \"name\": {type: text}\n  \"vip\": {type: boolean}\n"));
    assert_int_equal(open_plan(text), OK);
    assert_string_equal(judge("{'type':'track','event':'A','properties':{'n':2,'whole':1,'plan':'pro','mail':'x'}}"),
                        "");
    tracking_learn_close(learner);
}

static void names_of_any_kind_make_a_plan_that_can_be_read(void **state)
{
    (void)state;
    learner = tracking_learn_open();
    learn("{'type':'track','event':'a: b # c\\n\\u0022','properties':{'- x':1,'':2,'\\u0001':'v'}}");
    learn("{'type':'page','name':'{home}'}");
    learn("{'type':'alias'}");
    assert_int_equal(open_plan(written()), OK);
    assert_string_equal(judge("{'type':'track','event':'a: b # c\\n\\u0022','properties':{'- x':1,'':2,"
                              "'\\u0001':'v'}}"), "");
    tracking_learn_close(learner);
    learner = tracking_learn_open();
    assert_int_equal(open_plan(written()), OK);
    tracking_learn_close(learner);
}

static void types_say_what_the_plan_says(void **state)
{
    static char text[8192];
    struct buf out;
    (void)state;
    assert_int_equal(open_plan("events: {A: {status: deprecated, properties: {n: {type: number, required: true}, e: "
                               "{enum: [x, 1]},"
                               " l: {items: text}, o: {type: object, properties: {b: boolean}}}}}\n"), OK);
    buf_init_fixed(&out, text, sizeof text - 1);
    tracking_write_types(plan, &out);
    text[out.len] = 0;
    assert_non_null(strstr(text, "  /** @deprecated by the tracking plan */\n  \"A\": {\n    \"n\": number;\n"
                                 "    \"e\"?: \"x\" | 1 | null;\n    \"l\"?: Array<string> | null;\n    \"o\"?: {\n"
                                 "      \"b\"?: boolean | null;\n    } | null;\n  };\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_nearly_always_so_becomes_a_rule),
        cmocka_unit_test(names_of_any_kind_make_a_plan_that_can_be_read),
        cmocka_unit_test(types_say_what_the_plan_says),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
