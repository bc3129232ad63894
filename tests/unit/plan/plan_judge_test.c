/* plan: what a plan says of messages, and which rung each violation leads to. */
#include "plan/plan_judge.c"
#include "plan_fixture.h"

#define TRACK "{'type':'track','event':'Order Completed','properties':"

static const char shop[] =
    "version: '7'\n"
    "events:\n"
    "  Order Completed:\n"
    "    properties:\n"
    "      revenue: {type: number, required: true, min: 0}\n"
    "      currency: {enum: [EUR, USD]}\n"
    "      coupon: text\n"
    "      products: {type: list, items: {type: object, properties: {price: number}}}\n"
    "  Old One: {status: deprecated}\n"
    "  Server Only: {sources: [backend]}\n"
    "traits:\n"
    "  email: {type: text, format: email, required: true}\n";

static void a_message_as_planned_is_fine(void **state)
{
    (void)state;
    assert_int_equal(open_plan(shop), OK);
    assert_string_equal(judge(TRACK "{'revenue':29.9,'currency':'EUR','products':[{'price':1}]}}"), "");
    assert_string_equal(judge(TRACK "{'revenue':0,'coupon':null}}"), "");
    assert_string_equal(judge("{'type':'page','name':'Home','properties':{'x':1}}"), "");
    assert_string_equal(judge("{'type':'identify','traits':{'plan':'free'}}"), "");
}

static void each_violation_is_named_with_its_place(void **state)
{
    (void)state;
    assert_int_equal(open_plan(shop), OK);
    assert_string_equal(judge(TRACK "{'revenue':'29.90'}}"),
                        "wrong_type report: properties.revenue is text, the plan wants a number");
    assert_string_equal(judge(TRACK "{'currency':'EUR'}}"),
                        "missing_property report: properties.revenue is missing, the plan wants a number");
    assert_string_equal(judge(TRACK "null}"),
                        "missing_property report: properties.revenue is missing, the plan wants a number");
    assert_string_equal(judge(TRACK "{'revenue':-1,'currency':'eur'}}"),
                        "value_not_allowed report: properties.revenue is a number, the plan wants at least 0\n"
                        "value_not_allowed report: properties.currency is text, the plan wants one of \"EUR\", "
                        "\"USD\"");
    assert_string_equal(judge(TRACK "{'revenue':1,'products':[{'price':1},{'price':'2'}]}}"),
                        "wrong_type report: properties.products[1].price is text, the plan wants a number");
    assert_string_equal(judge(TRACK "{'revenue':1,'Coupon':'x'}}"),
                        "unplanned_property report: properties.Coupon is not in the plan; \"coupon\" is");
    assert_string_equal(judge("{'type':'track','event':'orderCompleted'}"),
                        "unplanned_event report: is not in the plan; \"Order Completed\" is");
    assert_string_equal(judge("{'type':'track','event':'Old One'}"), "deprecated_event report: is deprecated");
    assert_string_equal(judge("{'type':'track','event':'Server Only'}"),
                        "wrong_source report: does not come from this source by the plan");
    assert_string_equal(judge_from("{'type':'track','event':'Server Only'}", "backend"), "");
    assert_string_equal(judge("{'type':'identify','traits':{'email':'nobody'}}"),
                        "value_not_allowed report: traits.email is text, the plan wants an e-mail address");
}

static void names_are_compared_as_they_are_meant(void **state)
{
    (void)state;
    assert_int_equal(open_plan(shop), OK);
    assert_string_equal(judge(TRACK "{'rev\\u0065nue':1}}"), "");
    assert_string_equal(judge("{'type':'track','event':'Order \\u0043ompleted','properties':{'revenue':1}}"), "");
}

static void the_ladder_is_by_event_and_source(void **state)
{
    (void)state;
    assert_int_equal(open_plan("enforcement: {default: report, sources: {website: omit}}\n"
                               "unplanned_events: hold\n"
                               "events:\n"
                               "  A: {enforcement: reject, properties: {n: number}, unplanned_properties: allow}\n"
                               "  B: {enforcement: {sources: {phone: hold}}, properties: {n: {type: number, "
                               "required: true}}}\n"), OK);
    assert_string_equal(judge("{'type':'track','event':'A','properties':{'n':'1','x':2}}"),
                        "wrong_type reject: properties.n is text, the plan wants a number");
    assert_int_equal(verdict.rung, TRACKING_REJECT);
    assert_string_equal(judge("{'type':'track','event':'B','properties':{'n':'1'}}"),
                        "wrong_type omit: properties.n is text, the plan wants a number");
    assert_int_equal(verdict.rung, TRACKING_OMIT);
    assert_string_equal(judge("{'type':'track','event':'B'}"),      /* what is missing cannot be left out */
                        "missing_property report: properties.n is missing, the plan wants a number");
    judge_from("{'type':'track','event':'B'}", "phone");
    assert_int_equal(verdict.rung, TRACKING_HOLD);
    judge_from("{'type':'track','event':'B'}", "backend");
    assert_int_equal(verdict.rung, TRACKING_REPORT);
    judge("{'type':'track','event':'C'}");
    assert_int_equal(verdict.rung, TRACKING_HOLD);
}

static void ten_violations_are_told_and_what_cannot_be_omitted_is_held(void **state)
{
    (void)state;
    assert_int_equal(open_plan("enforcement: omit\nevents: {A: {properties: {a: number}}}"), OK);
    judge("{'type':'track','event':'A','properties':{'1':1,'2':1,'3':1,'4':1,'5':1,'6':1,'7':1,'8':1,'9':1,'10':1}}");
    assert_int_equal(verdict.count, 10);
    assert_false(verdict.has_more);
    assert_int_equal(verdict.rung, TRACKING_OMIT);
    judge("{'type':'track','event':'A','properties':{'1':1,'2':1,'3':1,'4':1,'5':1,'6':1,'7':1,'8':1,'9':1,'10':1,"
          "'11':1}}");
    assert_true(verdict.has_more);
    assert_int_equal(verdict.rung, TRACKING_HOLD);
}

static void rules_are_for_versions_of_apps(void **state)
{
    (void)state;
    assert_int_equal(open_plan("events:\n"
                               "  A: {versions: '>=2.0', properties: {n: {type: number, required: true},"
                               " new: {type: number, required: true, versions: '>=2.10 <3'}}}\n"), OK);
    assert_string_equal(judge("{'type':'track','event':'A','context':{'app':{'version':'1.9.9'}}}"), "");
    assert_string_equal(judge("{'type':'track','event':'A','context':{'app':{'version':'2.9'}},'properties':{'n':1}}"),
                        "");
    assert_string_equal(judge("{'type':'track','event':'A','context':{'app':{'version':'2.10.1-beta'}},"
                              "'properties':{'n':1}}"),
                        "missing_property report: properties.new is missing, the plan wants a number");
    assert_string_equal(judge("{'type':'track','event':'A','context':{'app':{'version':'3.0'}},'properties':{'n':1}}"),
                        "");
}

static void names_of_strangers_follow_the_rule_for_names(void **state)
{
    (void)state;
    assert_int_equal(open_plan("unplanned_events: allow\nnames: {case: Title Case}\nevents: {}\n"), OK);
    assert_string_equal(judge("{'type':'track','event':'Song Played'}"), "");
    assert_string_equal(judge("{'type':'track','event':'song_played'}"),
                        "name_pattern report: is named otherwise than the others, the plan wants a name in Title Case");
}

static void common_properties_are_every_events(void **state)
{
    (void)state;
    assert_int_equal(open_plan("common: {tenant: {type: text, required: true}}\nevents: {A: , B: {properties: "
                               "{tenant: number}}}\n"), OK);
    assert_string_equal(judge("{'type':'track','event':'A'}"),
                        "missing_property report: properties.tenant is missing, the plan wants text");
    assert_string_equal(judge("{'type':'track','event':'B','properties':{'tenant':1}}"), "");
}

static void a_limit_that_is_hit_is_no_violation(void **state)
{
    (void)state;
    /* 2^20 branches and more: each level asks the next one twice */
    assert_int_equal(open_plan("events: {A: {schema: {$defs: {deep: {anyOf: [{required: [no], properties: {a: "
                               "{$ref: '#/$defs/deep'}}},"
                               " {required: [no], properties: {a: {$ref: '#/$defs/deep'}}}]}},"
                               " properties: {a: {$ref: '#/$defs/deep'}}}}}"), OK);
    char message[1024] = "{'type':'track','event':'A','properties':";
    for (int level = 0; level < 40; level++) strcat(message, "{'a':");
    strcat(message, "1");
    for (int level = 0; level < 40; level++) strcat(message, "}");
    strcat(message, "}");
    assert_string_equal(judge(message), "\nundecided");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_as_planned_is_fine),
        cmocka_unit_test(each_violation_is_named_with_its_place),
        cmocka_unit_test(names_are_compared_as_they_are_meant),
        cmocka_unit_test(the_ladder_is_by_event_and_source),
        cmocka_unit_test(ten_violations_are_told_and_what_cannot_be_omitted_is_held),
        cmocka_unit_test(rules_are_for_versions_of_apps),
        cmocka_unit_test(names_of_strangers_follow_the_rule_for_names),
        cmocka_unit_test(common_properties_are_every_events),
        cmocka_unit_test(a_limit_that_is_hit_is_no_violation),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
