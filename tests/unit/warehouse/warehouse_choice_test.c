/* warehouse_choice: which tables and columns a warehouse gets. */
#include "warehouse/warehouse_choice.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void patterns_match(void **state)
{
    (void)state;
    static const struct { const char *pattern, *text; bool is_match; } rows[] = {
        { "pages", "pages", true }, { "pages", "page", false }, { "pages", "pages_", false }, { "*", "", true },
        { "order_*", "order_completed", true }, { "order_*", "order_", true }, { "order_*", "orders", false },
        { "*_ip", "context_ip", true }, { "*_ip", "context_ip_x", false }, { "a*b*c", "aXbYbc", true },
        { "a*b*c", "acb", false }, { "**", "x", true }, { "", "", true }, { "", "x", false },
    };
    for (size_t at = 0; at < countof(rows); at++)
        assert_int_equal(matches(str_from(rows[at].pattern), str_from(rows[at].text)), rows[at].is_match);
}

static void tables_and_columns_are_chosen(void **state)
{
    (void)state;
    const Str only[] = { STR("order_*"), STR("identifies") }, skip[] = { STR("order_viewed"), STR("*.context_ip"),
                                                                          STR("identifies.email") };
    WarehouseChoice all = { 0 }, some = { only, skip, 2, 3 };
    assert_true(warehouse_takes_table(&all, STR("pages")) && warehouse_takes_column(&all, STR("pages"), STR("x")));
    assert_true(warehouse_takes_table(&some, STR("order_completed")));
    assert_true(warehouse_takes_table(&some, STR("identifies")));
    assert_false(warehouse_takes_table(&some, STR("order_viewed")));
    assert_false(warehouse_takes_table(&some, STR("pages")));
    assert_false(warehouse_takes_column(&some, STR("order_completed"), STR("context_ip")));
    assert_false(warehouse_takes_column(&some, STR("identifies"), STR("email")));
    assert_true(warehouse_takes_column(&some, STR("order_completed"), STR("email")));
}

static void what_is_no_pattern_is_told(void **state)
{
    (void)state;
    static const char *const good[] = { "a", "*", "a.b", "*.context_ip", "2fa_*" };
    static const char *const bad[] = { "", ".", "a.", ".b", "a.b.c", "Order Completed", "a;b", "a\"" };
    for (size_t at = 0; at < countof(good); at++) assert_true(warehouse_is_pattern(str_from(good[at])));
    for (size_t at = 0; at < countof(bad); at++) assert_false(warehouse_is_pattern(str_from(bad[at])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match), cmocka_unit_test(tables_and_columns_are_chosen),
        cmocka_unit_test(what_is_no_pattern_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
