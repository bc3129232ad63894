/* scan_values: what is the same value, what comes before what, and which values pass a filter. Each row is a line of
 * docs/queries.md; the filters are read as questions have them. */
#include "scan/scan_values.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct region region;
static QueryPeople people;

static int setup(void **state)
{
    (void)state;
    region_open(&region, 64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    region_close(&region);
    return 0;
}

/* ---- What a value is ---- */

static void a_value_is_what_its_json_says(void **state)
{
    static const struct { const char *json; IndexKind kind; double number; const char *text; } rows[] = {
        { "null", INDEX_NOTHING, 0, "" }, { "true", INDEX_BOOL, 1, "" }, { "false", INDEX_BOOL, 0, "" },
        { "1.50", INDEX_NUMBER, 1.5, "" }, { "-0", INDEX_NUMBER, 0, "" }, { "1e999", INDEX_OTHER, 0, "" },
        { "9007199254740993", INDEX_NUMBER, 9007199254740992.0, "9007199254740993" }, { "\"\"", INDEX_STRING, 0, "" },
        { "\"1\"", INDEX_STRING, 0, "1" }, { "\"\\u00e9\\n\"", INDEX_STRING, 0, "\xc3\xa9\n" },
        { "[]", INDEX_LIST, 0, "[]" }, { "[1,\"a\",null,true]", INDEX_LIST, 0, "[1,\"a\",null,true]" },
        { "[[1]]", INDEX_OTHER, 0, "" }, { "[{}]", INDEX_OTHER, 0, "" }, { "{\"a\":1}", INDEX_OTHER, 0, "" },
        { "[1,1e999]", INDEX_OTHER, 0, "" }, { "", INDEX_OTHER, 0, "" }, { "[1", INDEX_OTHER, 0, "" },
        { "[1,]", INDEX_OTHER, 0, "" }, { "truth", INDEX_OTHER, 0, "" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = region_arena(&region);
        IndexValue value = query_value(str_from(rows[at].json), &arena);
        if (value.kind != rows[at].kind || value.number != rows[at].number) fail_msg("%s", rows[at].json);
        assert_true(str_equal(value.text, str_from(rows[at].text)));
    }
}

/* As answers group them: however a list is written, it is the same list; order and repeats are its own. */
static void lists_that_hold_the_same_are_the_same(void **state)
{
    static const struct { const char *one, *other; bool is_same; } rows[] = {
        { "[1,2]", "[ 1.0 , 2e0 ]", true }, { "[\"\\u00e9\"]", "[\"\xc3\xa9\"]", true }, { "[]", "[ ]", true },
        { "[1,2]", "[2,1]", false }, { "[1]", "[\"1\"]", false }, { "[1,1]", "[1]", false }, { "[null]", "[]", false },
        { "[true]", "[1]", false }, { "[9007199254740993]", "[9007199254740992]", false }, { "[-0]", "[0]", true },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = region_arena(&region);
        IndexValue one = value_settle(query_value(str_from(rows[at].one), &arena), &arena);
        IndexValue other = value_settle(query_value(str_from(rows[at].other), &arena), &arena);
        if ((value_order(&one, &other) == 0) != rows[at].is_same) fail_msg("%s %s", rows[at].one, rows[at].other);
    }
    Arena arena = region_arena(&region);
    IndexValue told = value_settle((IndexValue){ .kind = INDEX_STRING, .text = STR("(not indexed)") }, &arena);
    assert_int_equal(told.kind, INDEX_OTHER);
}

static void integers_that_no_double_holds_keep_their_order(void **state)
{
    static const char *const ascending[] = {
        "-99999999999999999999999999999999999999", "-9007199254740993", "-9007199254740992", "-1", "0", "1e-300", "0.1",
        "9007199254740991", "9007199254740992", "9007199254740993", "9007199254740994", "18446744073709551615",
        "18446744073709551616", "99999999999999999999999999999999999999",
    };
    (void)state;
    for (size_t a = 0; a < countof(ascending); a++)
        for (size_t b = 0; b < countof(ascending); b++) {
            Arena arena = region_arena(&region);
            IndexValue left = query_value(str_from(ascending[a]), &arena);
            IndexValue right = query_value(str_from(ascending[b]), &arena);
            int order = value_order(&left, &right);
            if ((order > 0) - (order < 0) != (a > b) - (a < b)) fail_msg("%s %s", ascending[a], ascending[b]);
        }
}

static void a_text_is_a_number_where_it_is_written_as_one(void **state)
{
    static const struct { const char *text; bool is_one; double number; } rows[] = {
        { "1", true, 1 }, { "-1.5", true, -1.5 }, { "1e3", true, 1000 }, { "007", true, 7 }, { "+1", true, 1 },
        { "", false, 0 }, { "-", false, 0 }, { ".", false, 0 }, { "1,000", false, 0 }, { "1 ", true, 1 },
        { "0x10", false, 0 }, { "1e", false, 0 }, { "1e+", false, 0 }, { "inf", false, 0 }, { "nan", false, 0 },
        { "1e999", false, 0 }, { "$5", false, 0 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        IndexValue value;
        bool is_one = value_read_number(str_from(rows[at].text), &value);
        if (is_one != rows[at].is_one) fail_msg("%s", rows[at].text);
        if (is_one) assert_true(value.kind == INDEX_NUMBER && value.number == rows[at].number);
    }
}

/* ---- Which values pass ---- */

static const Filter *read_filter(const char *rest, Arena *arena)
{
    static const char *const allowed[] = { "where", NULL };
    static Query query;
    QueryWorld *world = arena_new(arena, QueryWorld, 1);
    Err err = { 0 };
    *world = (QueryWorld){ .disk = os_disk(), .people = &people };
    Str text = arena_printf(arena, "{\"where\":[{\"field\":\"properties.a\",\"op\":%s}]}", rest);
    if (query_open(&query, text, world, arena, allowed, &err)) fail_msg("%.*s: %s", STR_FORMAT(text), err.text);
    assert_int_equal(query.filters.count, 1);
    return query.filters.items;
}

static void a_filter_passes_what_it_says_and_nothing_else(void **state)
{
    /* "" is an event without the property; the values after the bar do not pass */
    static const struct { const char *filter; const char *passing[7], *failing[7]; } rows[] = {
        { "\"=\",\"value\":1", { "1", "1.0" }, { "\"1\"", "true", "2", "null", "[1]", "" } },
        { "\"!=\",\"value\":1", { "\"1\"", "true", "2", "null", "[1]", "" }, { "1", "1.0" } },
        { "\"=\",\"value\":null", { "null", "" }, { "0", "false", "\"\"", "[]" } },
        { "\"=\",\"value\":\"a\"", { "\"a\"", "\"\\u0061\"" }, { "\"A\"", "[\"a\"]", "\"a \"", "" } },
        { "\"=\",\"value\":true", { "true" }, { "1", "\"true\"", "false", "" } },
        { "\"=\",\"value\":[1,\"a\"]", { "[1,\"a\"]", "[1.0,\"\\u0061\"]" }, { "[\"a\",1]", "1", "[1]", "[]" } },
        { "\"=\",\"value\":\"(not indexed)\"", { "{\"b\":1}", "[[1]]", "\"(not indexed)\"" }, { "1", "\"a\"", "" } },
        { "\"in\",\"value\":[1,\"b\",null]", { "1", "\"b\"", "null", "" }, { "2", "\"1\"", "true" } },
        { "\"not in\",\"value\":[1,\"b\"]", { "2", "\"1\"", "null", "" }, { "1", "\"b\"" } },
        { "\"<\",\"value\":10", { "9", "-1", "\"9\"", "9.999" },
          { "10", "\"10\"", "\"a\"", "true", "null", "", "[1]" } },
        { "\"<=\",\"value\":10", { "10", "\"10.0\"" }, { "10.1", "\"\"", "" } },
        { "\">\",\"value\":9007199254740992", { "9007199254740993", "\"9007199254740993\"" }, { "9007199254740992" } },
        { "\">=\",\"value\":\"b\"", { "\"b\"", "\"ba\"", "\"c\"" }, { "\"a\"", "\"B\"", "5", "" } },
        { "\"contains\",\"value\":\"b\"", { "\"abc\"", "\"b\"", "[\"b\",1]" },
          { "\"B\"", "[\"abc\"]", "5", "", "true" } },
        { "\"contains\",\"value\":5", { "[5]", "[1,5.0]" }, { "\"5\"", "5", "[\"5\"]", "[]" } },
        { "\"contains\",\"value\":[\"x\",\"y\"]", { "\"xa\"", "[\"y\"]" }, { "\"z\"", "[\"xy\"]", "" } },
        { "\"not contains\",\"value\":\"b\"", { "\"a\"", "", "5" }, { "\"abc\"", "[\"b\"]" } },
        { "\"exists\"", { "0", "\"\"", "false", "[]", "{}" }, { "null", "" } },
        { "\"exists\",\"value\":false", { "null", "" }, { "0", "\"\"" } },
        { "\"not exists\"", { "null", "" }, { "0", "{}" } },
        { "\"not exists\",\"value\":false", { "0" }, { "null", "" } },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++)
        for (int passes = 0; passes < 2; passes++) {
            const char *const *values = passes ? rows[at].passing : rows[at].failing;
            for (size_t one = 0; one < countof(rows[at].passing) && values[one]; one++) {
                Arena arena = region_arena(&region);
                const Filter *filter = read_filter(rows[at].filter, &arena);
                IndexValue value = { 0 };
                if (*values[one]) value = query_value(str_from(values[one]), &arena);
                if (filter_passes(filter, &value) != passes) fail_msg("%s of %s", rows[at].filter, values[one]);
            }
        }
}

static void texts_that_were_read_as_numbers_are_told(void **state)
{
    Arena arena = region_arena(&region);
    IndexValue nine = query_value(STR("\"9\""), &arena), word = query_value(STR("\"a\""), &arena);
    IndexValue number = query_value(STR("9"), &arena);
    const Filter *less = read_filter("\"<\",\"value\":10", &arena);
    (void)state;
    assert_true(filter_reads_text(less, &nine));
    assert_false(filter_reads_text(less, &word));
    assert_false(filter_reads_text(less, &number));
    assert_false(filter_reads_text(read_filter("\"<\",\"value\":\"b\"", &arena), &nine));
    assert_false(filter_reads_text(read_filter("\"=\",\"value\":9", &arena), &nine));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_what_its_json_says), cmocka_unit_test(lists_that_hold_the_same_are_the_same),
        cmocka_unit_test(integers_that_no_double_holds_keep_their_order),
        cmocka_unit_test(a_text_is_a_number_where_it_is_written_as_one),
        cmocka_unit_test(a_filter_passes_what_it_says_and_nothing_else),
        cmocka_unit_test(texts_that_were_read_as_numbers_are_told),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
