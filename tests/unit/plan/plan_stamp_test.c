/* plan: stamps are read back as they were written, and are safe on any bytes. */
#include "plan/plan_stamp.c"
#include "plan_fixture.h"

static void a_stamp_is_read_back(void **state)
{
    TrackingVerdict again;
    (void)state;
    assert_int_equal(open_plan("version: v7\nenforcement: omit\nevents: {A: {properties: {list: {items: "
                               "{properties: {n: number}}}}}}\n"), OK);
    judge("{'type':'track','event':'A','properties':{'list':[{},{'n':'x'}],'a.b\\n\\u0022':1}}");
    Arena arena = region_arena(&plan_region);
    Str stamp = tracking_stamp_write(&verdict, &arena);
    assert_true(str_equal(stamp, STR("{\"version\":\"v7\",\"rung\":\"omit\",\"violations\":["
        "{\"code\":\"wrong_type\",\"path\":[\"properties\",\"list\",1,\"n\"],\"found\":\"text\",\"wants\":\"a "
        "number\",\"rung\":\"omit\"},"
        "{\"code\":\"unplanned_property\",\"path\":[\"properties\",\"a.b\\n\\\"\"],\"found\":\"a "
        "number\",\"rung\":\"omit\"}]}")));
    assert_true(tracking_stamp_read(stamp, &arena, &again));
    assert_int_equal(again.count, 2);
    assert_int_equal(again.rung, TRACKING_OMIT);
    assert_int_equal(again.items[0].path_count, 4);
    assert_true(again.items[0].path[2].is_index);
    assert_int_equal(again.items[0].path[2].index, 1);
    assert_true(str_equal(again.items[1].path[1].name, STR("a.b\n\"")));
    assert_false(tracking_stamp_holds(stamp));
    Str whole = tracking_stamp_write(&again, &arena);
    assert_true(str_equal(whole, stamp));
}

static void what_does_not_fit_a_stamp_is_held(void **state)
{
    static char name[2][4000];
    TrackingStep path[2][2];
    TrackingVerdict large = { .version = STR("1"), .rung = TRACKING_OMIT, .count = 2 };
    (void)state;
    for (int at = 0; at < 2; at++) {
        memset(name[at], 1, sizeof name[at]);
        path[at][0] = (TrackingStep){ .name = STR("properties") };
        path[at][1] = (TrackingStep){ .name = { name[at], sizeof name[at] } };
        large.items[at] = (TrackingViolation){ .code = TRACKING_UNPLANNED_PROPERTY, .rung = TRACKING_OMIT, .path =
                                               path[at],
                                               .path_count = 2 };
    }
    Arena arena = region_arena(&plan_region);
    Str stamp = tracking_stamp_write(&large, &arena);
    assert_true(stamp.len < TRACKING_STAMP_BYTES);
    assert_true(tracking_stamp_holds(stamp));
    assert_true(str_contains(stamp, STR("\"more\":true")));
}

static void what_is_no_stamp_is_told_so(void **state)
{
    static const char *const texts[] = {
        "", "{", "[]", "{\"rung\":\"hold\"}", "{\"rung\":\"x\",\"violations\":[]}", "{\"rung\":7,\"violations\":[]}",
        "{\"rung\":\"hold\",\"violations\":{}}",
    };
    TrackingVerdict read;
    (void)state;
    for (size_t at = 0; at < countof(texts); at++) {
        Arena arena = region_arena(&plan_region);
        assert_false(tracking_stamp_read(str_from(texts[at]), &arena, &read));
    }
    Arena arena = region_arena(&plan_region);
    assert_true(tracking_stamp_read(STR("{\"rung\":\"hold\",\"violations\":[7,{\"code\":\"later\"},"
                                        "{\"code\":\"wrong_type\",\"rung\":"
                                        "\"hold\",\"path\":[1,{},null]}]}"), &arena, &read));
    assert_int_equal(read.count, 1);
    assert_int_equal(read.items[0].path_count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stamp_is_read_back),
        cmocka_unit_test(what_does_not_fit_a_stamp_is_held),
        cmocka_unit_test(what_is_no_stamp_is_told_so),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
