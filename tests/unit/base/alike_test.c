/* alike: names that are one, and names that only look so. */
#include "base/alike.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static Alike alike(const char *a, const char *b)
{
    Alike there = alike_names(str_from(a), str_from(b)), back = alike_names(str_from(b), str_from(a));
    assert_int_equal(there, back);
    return there;
}

static void case_and_signs_make_no_difference(void **state)
{
    (void)state;
    assert_int_equal(alike("Order Completed", "order_completed"), ALIKE_FOLD);
    assert_int_equal(alike("Order Completed", "orderCompleted"), ALIKE_FOLD);
    assert_int_equal(alike("clickedOnDuplicateArtwork", "clickedonduplicateartwork"), ALIKE_FOLD);
    assert_int_equal(alike("Order Completed", "Order Completed"), ALIKE_NOT);
}

static void the_order_of_words_and_their_ends_make_no_difference(void **state)
{
    (void)state;
    assert_int_equal(alike("tooltipViewed", "viewedTooltip"), ALIKE_BAG);
    assert_int_equal(alike("searched artwork", "searchedArtworks"), ALIKE_BAG);
    assert_int_equal(alike("View Product", "Products Viewed"), ALIKE_BAG);
    assert_int_equal(alike("Viewed the Product", "Product Viewed"), ALIKE_BAG);
}

static void one_slip_of_the_finger_is_seen_in_long_names(void **state)
{
    (void)state;
    assert_int_equal(alike("Order Completed", "Order Compelted"), ALIKE_EDIT);
    assert_int_equal(alike("Order Completed", "Order Complted"), ALIKE_EDIT);
    assert_int_equal(alike("Order Completed", "Ordxr Completed"), ALIKE_EDIT);
    assert_int_equal(alike("plan", "play"), ALIKE_NOT);
}

static void what_only_looks_alike_is_not(void **state)
{
    (void)state;
    assert_int_equal(alike("Signed In", "Signed Up"), ALIKE_NOT);
    assert_int_equal(alike("Product Viewed", "Product Reviewed"), ALIKE_NOT);
    assert_int_equal(alike("Installed", "Uninstalled"), ALIKE_NOT);
    assert_int_equal(alike("Checkout Step 1 Viewed", "Checkout Step 2 Viewed"), ALIKE_NOT);
    assert_int_equal(alike("", "  "), ALIKE_NOT);
}

static void names_of_any_length_and_bytes_are_safe(void **state)
{
    char long_name[600];
    (void)state;
    memset(long_name, 'a', sizeof long_name);
    assert_int_equal(alike_names((Str){ long_name, 600 }, (Str){ long_name, 599 }), ALIKE_NOT);
    for (size_t at = 0; at < 128; at++) long_name[at] = at % 2 ? 'B' : 'a';
    assert_int_equal(alike_names((Str){ long_name, 128 }, (Str){ long_name, 127 }), ALIKE_NOT);
    assert_int_equal(alike("\xff\x80 x1y", "\xff\x80_x1y"), ALIKE_FOLD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_and_signs_make_no_difference),
        cmocka_unit_test(the_order_of_words_and_their_ends_make_no_difference),
        cmocka_unit_test(one_slip_of_the_finger_is_seen_in_long_names),
        cmocka_unit_test(what_only_looks_alike_is_not),
        cmocka_unit_test(names_of_any_length_and_bytes_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
