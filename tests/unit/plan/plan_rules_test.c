/* plan: what may be wrong with a plan, told with its place. */
#include "plan/plan_rules.c"
#include "plan_fixture.h"

static void told(const char *yaml, const char *complaint)
{
    assert_int_equal(open_plan(yaml), ERR_INPUT);
    if (!strstr(complaints, complaint)) fail_msg("wanted: %s\ntold: %s", complaint, complaints);
}

static void slips_are_told_with_line_and_field(void **state)
{
    (void)state;
    told("events:\n  A:\n    propertys: {}\n", "3 error events.A.propertys: unknown key; did you mean properties?");
    told("events:\n  A: {properties: {n: nummber}}\n", "2 error events.A.n: no type: wanted text, number");
    told("events:\n  A: {properties: {n: {type: number, minimum: 3}}}\n", "2 error events.A.n.minimum: unknown key");
    told("events: {A: {properties: {n: {type: text, min: 3}}}}\n", "has min or max, and is no number");
    told("events: {A: {enforcement: block}}\n", "wanted allow, report, omit, hold or reject");
    told("unplanned_events: omit\n", "wanted allow, report, hold or reject");
    told("names: {case: title case}\n", "did you mean Title Case?");
    told("version: 'a b'\n", "wanted a word of 64 bytes at most");
    told("event: {}\n", "did you mean events?");
    told("[1]\n", "wanted a map with events");
    told("events: {A: {versions: newest}}\n", "wanted a range of app versions");
}

static void patterns_that_are_not_linear_are_refused(void **state)
{
    (void)state;
    told("events: {A: {properties: {n: {type: text, pattern: '(?=a)b'}}}}\n", "cannot be matched in linear time");
    told("events: {A: {properties: {n: {type: text, pattern: '(a)\\1'}}}}\n", "back-references are not read");
    told("events: {A: {properties: {n: {type: text, pattern: '(a'}}}}\n", "no pattern that can be used");
}

static void a_schema_that_refers_elsewhere_or_to_itself_is_refused(void **state)
{
    (void)state;
    told("events: {A: {schema: {$ref: 'https://example.com/a.json'}}}\n", "refers to another place than this document");
    told("events: {A: {schema: {$ref: '#/$defs/nothing'}}}\n", "there is no #/$defs/nothing in this document");
    told("events: {A: {schema: {$defs: {a: {$ref: '#/$defs/b'}, b: {$ref: '#/$defs/a'}}, $ref: '#/$defs/a'}}}\n",
         "never ends");
    told("events: {A: {schema: {unevaluatedProperties: false}}}\n", "would change what the schema says");
}

static void what_nobody_knows_of_a_schema_is_a_warning(void **state)
{
    (void)state;
    assert_int_equal(open_plan("events: {A: {schema: {x-owner: me, format: hostname, maxLenght: 3}}}\n"), OK);
    assert_non_null(strstr(complaints, "warning events.A.x-owner: no keyword of JSON Schema, and not checked\n"));
    assert_non_null(strstr(complaints, "did you mean maxLength?"));
    assert_non_null(strstr(complaints, "formats that are"));
}

static void a_plan_without_a_version_is_known_by_its_bytes(void **state)
{
    (void)state;
    assert_int_equal(open_plan("events: {A: }\n"), OK);
    char first[16];
    snprintf(first, sizeof first, "%.*s", STR_FORMAT(tracking_plan_version(plan)));
    assert_int_equal(strlen(first), 8);
    assert_int_equal(open_plan("events: {B: }\n"), OK);
    assert_false(str_equal(tracking_plan_version(plan), str_from(first)));
}

static void two_thousand_events_are_found_and_more_are_refused(void **state)
{
    static char yaml[128 * 1024];
    size_t len = (size_t)snprintf(yaml, sizeof yaml, "events:\n");
    (void)state;
    for (int at = 0; at < TRACKING_RULES; at++) len += (size_t)snprintf(yaml + len, sizeof yaml - len,
                                                                        "  Event %d:\n", at);
    assert_int_equal(open_plan(yaml), OK);
    assert_int_equal(tracking_plan_rule_count(plan), TRACKING_RULES);
    assert_string_equal(judge("{'type':'track','event':'Event 1999'}"), "");
    snprintf(yaml + len, sizeof yaml - len, "pages: {A: , B: , C: , D: , E: , F: , G: , H: , I: }\n");
    told(yaml, "more than 2000 events");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slips_are_told_with_line_and_field),
        cmocka_unit_test(patterns_that_are_not_linear_are_refused),
        cmocka_unit_test(a_schema_that_refers_elsewhere_or_to_itself_is_refused),
        cmocka_unit_test(what_nobody_knows_of_a_schema_is_a_warning),
        cmocka_unit_test(a_plan_without_a_version_is_known_by_its_bytes),
        cmocka_unit_test(two_thousand_events_are_found_and_more_are_refused),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
