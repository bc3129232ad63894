/* warehouse_value: types, how they widen, and what COPY is given. */
#include "warehouse/warehouse_value.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

static WarehouseType type_of(const char *json)
{
    struct region region;
    const TreeNode *node;
    Err err;
    region_open(&region, 1 << 20);
    Arena arena = region_arena(&region);
    assert_int_equal(event_tree_read(str_from(json), &arena, &node, &err), OK);
    WarehouseType type = warehouse_type_of(node);
    region_close(&region);
    return type;
}

static void values_have_types(void **state)
{
    (void)state;
    static const struct { const char *json; WarehouseType type; } rows[] = {
        { "null", WAREHOUSE_NULL }, { "true", WAREHOUSE_BOOLEAN }, { "false", WAREHOUSE_BOOLEAN },
        { "0", WAREHOUSE_BIGINT }, { "-0", WAREHOUSE_BIGINT }, { "9223372036854775807", WAREHOUSE_BIGINT },
        { "-9223372036854775808", WAREHOUSE_BIGINT }, { "9223372036854775808", WAREHOUSE_NUMERIC },
        { "9007199254740993", WAREHOUSE_BIGINT }, { "3.0", WAREHOUSE_NUMERIC }, { "1e5", WAREHOUSE_NUMERIC },
        { "1E+5", WAREHOUSE_NUMERIC }, { "1e-1000", WAREHOUSE_NUMERIC }, { "1e1001", WAREHOUSE_TEXT },
        { "1e99999999999999999999", WAREHOUSE_TEXT }, { "\"\"", WAREHOUSE_TEXT }, { "\"5\"", WAREHOUSE_TEXT },
        { "\"true\"", WAREHOUSE_TEXT }, { "[1,2]", WAREHOUSE_TEXT },
        { "\"2026-11-23T12:28:40Z\"", WAREHOUSE_TIMESTAMP },
        { "\"2026-11-23T12:28:40.123456789Z\"", WAREHOUSE_TIMESTAMP },
        { "\"2026-11-23T12:28:40+01:00\"", WAREHOUSE_TIMESTAMP },
        { "\"2026-11-23T12:28:40.5-0330\"", WAREHOUSE_TIMESTAMP },
        { "\"0001-01-01T00:00:00Z\"", WAREHOUSE_TIMESTAMP }, { "\"9999-12-31T23:59:59.999Z\"", WAREHOUSE_TIMESTAMP },
        { "\"2024-02-29T00:00:00Z\"", WAREHOUSE_TIMESTAMP },
        { "\"2026-11-23\"", WAREHOUSE_TEXT }, { "\"2026-11-23T12:28:40\"", WAREHOUSE_TEXT },
        { "\"2026-11-23 12:28:40Z\"", WAREHOUSE_TEXT }, { "\"2026-02-30T00:00:00Z\"", WAREHOUSE_TEXT },
        { "\"2023-02-29T00:00:00Z\"", WAREHOUSE_TEXT }, { "\"0000-01-01T00:00:00Z\"", WAREHOUSE_TEXT },
        { "\"2026-11-23T24:00:00Z\"", WAREHOUSE_TEXT }, { "\"2026-11-23T12:28:60Z\"", WAREHOUSE_TEXT },
        { "\"2026-11-23T12:28:40+15:00\"", WAREHOUSE_TEXT }, { "\"2026-11-23T12:28:40.Z\"", WAREHOUSE_TEXT },
        { "\"2026-11-23T12:28:40.1234567890Z\"", WAREHOUSE_TEXT }, { "\"+12026-11-23T12:28:40Z\"", WAREHOUSE_TEXT },
        { "\"2026-11-23T12:28:40z\"", WAREHOUSE_TEXT }, { "\" 2026-11-23T12:28:40Z\"", WAREHOUSE_TEXT },
    };
    for (size_t at = 0; at < countof(rows); at++)
        if (type_of(rows[at].json) != rows[at].type)
            fail_msg("%s is %s", rows[at].json, warehouse_type_word(type_of(rows[at].json)));
    char digits[1100];
    memset(digits, '7', sizeof digits);
    digits[1000] = 0;
    assert_int_equal(type_of(digits), WAREHOUSE_NUMERIC);
    digits[1000] = '7', digits[1001] = 0;
    assert_int_equal(type_of(digits), WAREHOUSE_TEXT);
}

/* A lattice: whatever the order in which values come, a column ends as the same. */
static void widening_does_not_depend_on_order(void **state)
{
    (void)state;
    for (WarehouseType a = WAREHOUSE_NULL; a <= WAREHOUSE_TEXT; a++)
        for (WarehouseType b = WAREHOUSE_NULL; b <= WAREHOUSE_TEXT; b++) {
            WarehouseType both = warehouse_type_join(a, b);
            assert_int_equal(both, warehouse_type_join(b, a));
            assert_int_equal(warehouse_type_join(a, a), a);
            assert_true(warehouse_type_takes(both, a) && warehouse_type_takes(both, b));
            assert_true(warehouse_type_takes(WAREHOUSE_TEXT, a));
            assert_false(warehouse_type_takes(WAREHOUSE_OTHER, a));
            for (WarehouseType c = WAREHOUSE_NULL; c <= WAREHOUSE_TEXT; c++)
                assert_int_equal(warehouse_type_join(both, c), warehouse_type_join(a, warehouse_type_join(b, c)));
        }
    assert_int_equal(warehouse_type_join(WAREHOUSE_BIGINT, WAREHOUSE_NUMERIC), WAREHOUSE_NUMERIC);
    assert_int_equal(warehouse_type_join(WAREHOUSE_BOOLEAN, WAREHOUSE_BIGINT), WAREHOUSE_TEXT);
    assert_int_equal(warehouse_type_join(WAREHOUSE_TIMESTAMP, WAREHOUSE_TEXT), WAREHOUSE_TEXT);
}

static void types_are_read_as_the_server_spells_them(void **state)
{
    (void)state;
    for (WarehouseType type = WAREHOUSE_BOOLEAN; type <= WAREHOUSE_TEXT; type++)
        assert_int_equal(warehouse_type_from(str_from(warehouse_type_word(type))), type);
    assert_int_equal(warehouse_type_from(STR("character varying")), WAREHOUSE_TEXT);
    assert_int_equal(warehouse_type_from(STR("character varying(512)")), WAREHOUSE_OTHER);
    assert_int_equal(warehouse_type_from(STR("integer")), WAREHOUSE_OTHER);
    assert_int_equal(warehouse_type_from(STR("timestamp without time zone")), WAREHOUSE_OTHER);
}

static void copy_is_given_what_the_server_takes(void **state)
{
    (void)state;
    static const struct { Str text; const char *copy; } rows[] = {
        { STR(""), "" }, { STR("plain"), "plain" }, { STR("a\tb\nc\rd\\e"), "a\\tb\\nc\\rd\\\\e" },
        { STR("\\N"), "\\\\N" }, { STR("\\."), "\\\\." }, { STR("a\0b"), "a\xef\xbf\xbd" "b" },
        { STR("\x01\x1f\x7f"), "\x01\x1f\x7f" }, { STR("\xc3\xa9\xe6\xb3\xa8\xf0\x9f\x98\x80"),
                                                   "\xc3\xa9\xe6\xb3\xa8\xf0\x9f\x98\x80" },
        { STR("\xed\xa0\xbd"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },       /* a lone surrogate */
        { STR("\xc0\x80"), "\xef\xbf\xbd\xef\xbf\xbd" },
        { STR("\xf5\x80\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { STR("x\xe6\xb3"), "x\xef\xbf\xbd\xef\xbf\xbd" }, { STR("\xff"), "\xef\xbf\xbd" },
    };
    for (size_t at = 0; at < countof(rows); at++) {
        struct buf out;
        buf_init(&out, 1000);
        warehouse_put_copy(&out, rows[at].text);
        buf_char(&out, 0);
        assert_true(buf_ok(&out));
        assert_string_equal(out.bytes, rows[at].copy);
        buf_done(&out);
    }
}

static void a_row_holds_a_thousand_numbers_and_not_two(void **state)
{
    (void)state;
    assert_int_equal(warehouse_value_width(WAREHOUSE_BIGINT, STR("1")), 8);
    assert_int_equal(warehouse_value_width(WAREHOUSE_TEXT, STR("")), 1);
    assert_int_equal(warehouse_value_width(WAREHOUSE_TEXT, STR("23 bytes and one before")), 24);
    assert_int_equal(warehouse_value_width(WAREHOUSE_TEXT, STR("a text that is longer than that")), 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_types), cmocka_unit_test(widening_does_not_depend_on_order),
        cmocka_unit_test(types_are_read_as_the_server_spells_them),
        cmocka_unit_test(copy_is_given_what_the_server_takes),
        cmocka_unit_test(a_row_holds_a_thousand_numbers_and_not_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
