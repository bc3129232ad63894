/* symptoms_names: what is one name and what are two; templates, odd letters, cases. */
#include "symptoms/symptoms_names.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

static void one_name_in_two_spellings(void **state)
{
    static const char *const same[][2] = {
        { "Signed Up", "signed_up" }, { "Signed Up", "signedUp" }, { "Signed Up", "SIGNED-UP" },
        { "Order Completed", "Completed Order" }, { "searched artwork", "searchedArtworks" },
        { "tooltipViewed", "viewedTooltip" }, { "clickedOnDuplicateArtwork", "clickedonduplicateartwork" },
        { "Order Completed", "Order Complete" }, { "Order Completed", "Order Completd" },
        { "Order Completed", "Order Compelted" }, { "Order Completed", "Ordre Completed" },
        { "Product Viewed", "View Products" }, { "HTMLLoaded", "html_loaded" },
    };
    static const char *const two[][2] = {
        { "Signed In", "Signed Up" }, { "Product Viewed", "Product Reviewed" }, { "Installed", "Uninstalled" },
        { "Application Installed", "Application Uninstalled" }, { "Step 1 Completed", "Step 2 Completed" },
        { "Video Ad Started", "Video Ad Skipped" }, { "Trial Started", "Trial Ended" }, { "Like", "Live" },
        { "Card Viewed", "Cart Viewed 2" }, { "Login", "Logout" }, { "Email Opened", "Email Opened" }, { "!", "?" },
        { "Plan 10 Chosen", "Plan 100 Chosen" }, { "Order Completed", "Order Completed At Last" },
    };
    (void)state;
    for (size_t at = 0; at < countof(same); at++)
        if (!symptoms_is_near_name(str_from(same[at][0]), str_from(same[at][1])))
            fail_msg("%s, %s are two", same[at][0], same[at][1]);
    for (size_t at = 0; at < countof(two); at++)
        if (symptoms_is_near_name(str_from(two[at][0]), str_from(two[at][1])))
            fail_msg("%s, %s are one", two[at][0], two[at][1]);
}

/* ---- Public plans ---- */

enum plan { SEGMENT, MATRIX, UNISWAP, ARTSY };
static const struct { enum plan plan; const char *name; } names[] = {
#define NAME(plan, name) { plan, name },
#define SPEC(name) { SEGMENT, name },
#include "public_names.tbl.h"
#include "symptoms/spec_names.tbl.h"
#undef NAME
#undef SPEC
};

/* Each of these is a slip of the plan that it stands in. */
static const char *const slips[][2] = {
    { "clickedOnDuplicateArtwork", "clickedonduplicateartwork" }, { "searched artwork", "searchedArtworks" },
    { "tooltipViewed", "viewedTooltip" },
};

static bool is_slip(const char *a, const char *b)
{
    for (size_t at = 0; at < countof(slips); at++)
        if ((!strcmp(a, slips[at][0]) && !strcmp(b, slips[at][1])) || (!strcmp(b, slips[at][0]) && !strcmp(a,
            slips[at][1])))
            return true;
    return false;
}

static void public_plans_raise_no_false_alarm(void **state)
{
    size_t pairs = 0, hits = 0;
    (void)state;
    for (size_t at = 0; at < countof(names); at++)
        for (size_t other = at + 1; other < countof(names); other++) {
            if (names[at].plan != names[other].plan) continue;
            pairs++;
            if (!symptoms_is_near_name(str_from(names[at].name), str_from(names[other].name))) continue;
            hits++;
            if (!is_slip(names[at].name, names[other].name)) fail_msg("%s, %s are one", names[at].name,
                names[other].name);
        }
    printf("%zu pairs of %zu names, %zu hits\n", pairs, countof(names), hits);
    assert_int_equal(hits, countof(slips));
}

/* ---- Recall ---- */

static void every_spelling_of_the_specification_is_found(void **state)
{
    (void)state;
    for (size_t at = 0; at < countof(spec); at++) {
        char snake[128], camel[128];
        size_t len = strlen(spec[at]), to = 0;
        for (size_t one = 0; one <= len; one++) snake[one] = spec[at][one] == ' ' ? '_' : lower(spec[at][one]);
        for (size_t one = 0; one <= len; one++)
            if (spec[at][one] != ' ') camel[to] = to ? spec[at][one] : lower(spec[at][one]), to++;
        assert_true(symptoms_is_near_name(str_from(snake), str_from(spec[at])));
        assert_true(symptoms_is_near_name(str_from(camel), str_from(spec[at])));
        assert_true(symptoms_near_spec(str_from(snake)).len > 0);
        assert_int_equal(symptoms_near_spec(str_from(spec[at])).len, 0);
    }
}

static void values_become_templates(void **state)
{
    static const char *const rows[][2] = {
        { "Viewed 12", "Viewed #" }, { "Viewed 12 of 30", "Viewed # of #" }, { "Page 2026-11-30", "Page #" },
        { "Item b2f1c3d4-0000-4000-8000-123456789abc", "Item #" }, { "Product Viewed", "Product Viewed" },
        { "Mp3 Played", "Mp# Played" }, { "Viewed #", "Viewed #" }, { "", "" }, { "Added", "Added" },
    };
    char room[SYMPTOM_FOLD_BYTES];
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Str template = symptoms_name_template(str_from(rows[at][0]), room);
        if (!str_equal(template, str_from(rows[at][1]))) fail_msg("%s: %.*s", rows[at][0], STR_FORMAT(template));
    }
}

static void odd_letters_are_named(void **state)
{
    static const struct { const char *name, *kind; } rows[] = {
        { "Order Completed", NULL }, { " Order", "blanks" }, { "Order ", "blanks" }, { "Order  Completed", "blanks" },
        { "Order\xc2\xa0" "Completed", "blanks" }, { "Order\tCompleted", "control" }, { "Order\xe2\x80\x8b",
            "zero-width" },
        { "\xef\xbb\xbfOrder", "zero-width" }, { "\xd0\x9erder", "look-alike" },
        { "\xd0\x97\xd0\xb0\xd0\xba\xd0\xb0\xd0\xb7", NULL }, { "Caf\xc3\xa9", NULL }, { "\xe6\xb3\xa8\xe6\x96\x87",
            NULL },
        { "\xff\xfe", NULL }, { "", NULL },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        const char *kind = symptoms_odd_name(str_from(rows[at].name));
        if ((kind == NULL) != (rows[at].kind == NULL) || (kind && strcmp(kind, rows[at].kind)))
            fail_msg("row %zu: %s", at, kind ? kind : "none");
    }
}

static void names_have_cases(void **state)
{
    static const char *const rows[][2] = {
        { "Order Completed", "Title Case" }, { "Order completed", "Sentence case" }, { "order_completed",
            "snake_case" },
        { "ORDER_COMPLETED", "SNAKE_CASE" }, { "order-completed", "kebab-case" }, { "orderCompleted", "camelCase" },
        { "OrderCompleted", "PascalCase" }, { "order completed", "lower case" }, { "order", "word" }, { "Order",
            "Word" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++)
        assert_string_equal(symptoms_name_case(str_from(rows[at][0])), rows[at][1]);
    assert_null(symptoms_name_case(STR("Order_completed")));
    assert_null(symptoms_name_case(STR("order: completed")));
    assert_true(names_fits_case("Word", "Title Case") && names_fits_case("word", "snake_case"));
    assert_false(names_fits_case("word", "Title Case") || names_fits_case("camelCase", "PascalCase"));
}

static void tests_have_names(void **state)
{
    (void)state;
    assert_true(symptoms_is_test_name(STR("test_signup")) && symptoms_is_test_name(STR("Signup_QA")));
    assert_true(symptoms_is_test_name(STR("Test")) && symptoms_is_test_name(STR("debug_click")));
    assert_false(symptoms_is_test_name(STR("Test Drive Booked")) || symptoms_is_test_name(STR("Latest Viewed")));
    assert_false(symptoms_is_test_name(STR("Contest Entered")) || symptoms_is_test_name(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_name_in_two_spellings), cmocka_unit_test(public_plans_raise_no_false_alarm),
        cmocka_unit_test(every_spelling_of_the_specification_is_found), cmocka_unit_test(values_become_templates),
        cmocka_unit_test(odd_letters_are_named), cmocka_unit_test(names_have_cases), cmocka_unit_test(tests_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
