/* event_tree: JSON as borrowed slices. */
#include "src/event/event_tree.c"

#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct region region;

static const TreeNode *read_text(const char *json)
{
    Arena arena = region_arena(&region);
    const TreeNode *root = NULL;
    Err err;
    memset(arena.at, 0xa5, 4096);               /* arenas are used again and again */
    return event_tree_read(str_from(json), &arena, &root, &err) == OK ? root : NULL;
}

static void assert_text(Str text, const char *expected)
{
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.bytes, expected, text.len);
}

static void values_keep_their_own_text(void **state)
{
    const TreeNode *root = read_text(" {\"a\": 1.10 , \"b\":[true,false,null,-0,1e5],"
                                     " \"c\":{\"d\":{\"e\":\"x\\u00e9\\n\"}},"
                                     "\"big\":123456789012345678901234567890,\"a\":2} ");
    (void)state;
    assert_non_null(root);
    assert_int_equal(root->count, 5);
    assert_text(event_tree_find(root, "a")->raw, "1.10");
    assert_text(event_tree_text(root, "big"), "123456789012345678901234567890");
    assert_text(event_tree_text(root, "c.d.e"), "x\xc3\xa9\n");
    assert_text(event_tree_find(root, "c.d.e")->raw, "\"x\\u00e9\\n\"");
    assert_text(event_tree_find(root, "c.d")->raw, "{\"e\":\"x\\u00e9\\n\"}");
    assert_int_equal(event_tree_find(root, "b")->count, 5);
    assert_true(event_tree_find(root, "b")->first->truth);
    assert_false(event_tree_is_given(event_tree_find(root, "b")->first->next->next));
    assert_null(event_tree_find(root, "c.x.e"));
    assert_null(event_tree_find(root, "a.b"));
    assert_int_equal(event_tree_text(root, "b").len, 0);
}

static void escapes_become_what_they_stand_for(void **state)
{
    static const struct { const char *json, *text; } rows[] = {
        { "\"\"", "" }, { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" }, { "\"\\u0041\"", "A" },
        { "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80" }, { "\"\\ud83d\"", "\xef\xbf\xbd" },
        { "\"\\ude00x\"", "\xef\xbf\xbdx" }, { "\"\\ud83d\\u0041\"", "\xef\xbf\xbd" "A" },
        { "\"\xc3\xa9\"", "\xc3\xa9" }, { "\"\\u20ac\"", "\xe2\x82\xac" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        const TreeNode *root = read_text(rows[at].json);
        assert_non_null(root);
        assert_text(root->text, rows[at].text);
    }
}

static void what_is_no_json_is_refused(void **state)
{
    static const char *const rows[] = {
        "", " ", "{", "}", "[1,]", "{\"a\":}", "{\"a\" 1}", "{a:1}", "[1 2]", "nul", "tru", "01", "1.", ".5", "+1",
        "-", "1e", "\"", "\"\\\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u12\"", "\"\n\"", "1 2", "{\"a\":1,}", "[[]", "'a'",
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++)
        if (read_text(rows[at])) fail_msg("accepted: %s", rows[at]);
}

/* The byte is where a reader of the message looks. */
static void a_refusal_says_where_and_what(void **state)
{
    static const struct { const char *json, *text; } rows[] = {
        { "", "not JSON at byte 0: it ends too early" },
        { "{\"a\":}", "not JSON at byte 5: a value was expected" },
        { "{\"a\" 1}", "not JSON at byte 5: a colon was expected" },
        { "{a:1}", "not JSON at byte 1: a member's name was expected" },
        { "[1 2]", "not JSON at byte 3: a comma or the closing bracket was expected" },
        { "{\"a\":1,}", "not JSON at byte 7: a member's name was expected" },
        { "1 2", "not JSON at byte 2: something stands after the end" },
        { "\"ab", "not JSON at byte 3: a string that does not end" },
        { "[\"a\tb\"]", "not JSON at byte 3: a control character in a string" },
        { "[1.]", "not JSON at byte 1: a number without digits after the point" },
        { "[1e+]", "not JSON at byte 1: a number without digits in its exponent" },
        { "\"\\x\"", "not JSON at byte 4: an unknown escape" },
        { "\"\\u12g4\"", "not JSON at byte 8: an escape without four hexadecimal digits" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = region_arena(&region);
        const TreeNode *root;
        Err err = { 0 };
        assert_int_equal(event_tree_read(str_from(rows[at].json), &arena, &root, &err), ERR_INPUT);
        assert_string_equal(err.text, rows[at].text);
    }
}

/* What stands after an item is a rest, too. */
static void a_list_is_read_item_by_item(void **state)
{
    static const struct { const char *list, *raws; bool is_whole; } rows[] = {
        { "[]", "", true }, { " [ ] ", "", true }, { "[1]", "1;", true }, { " [ 1 , \"a,]\" ,[2,[3]],{\"b\":[]} ] ",
          "1;\"a,]\";[2,[3]];{\"b\":[]};", true }, { "[\"\\u00e9\",null]", "\"\\u00e9\";null;", true },
        { ",1]", "1;", true }, { "]", "", true }, { "", "", false }, { "1", "", false }, { "{}", "", false },
        { "[", "", false }, { "[1,]", "1;", false }, { "[,1]", "", false }, { "[1 2]", "1;", false },
        { "[1]]", "1;", false }, { "[1],", "1;", false }, { "[1,tru]", "1;", false },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        char raws[100] = "";
        Str rest = str_from(rows[at].list);
        TreeNode item;
        while (event_tree_next(&rest, region_arena(&region), &item))
            snprintf(raws + strlen(raws), sizeof raws - strlen(raws), "%.*s;", STR_FORMAT(item.raw));
        assert_string_equal(raws, rows[at].raws);
        bool is_whole = rest.bytes == NULL;
        if (is_whole != rows[at].is_whole) fail_msg("%s", rows[at].list);
    }
}

static void a_scalar_is_one_value_and_nothing_else(void **state)
{
    static const struct { const char *json; bool is_one; double number; } rows[] = {
        { "1.5", true, 1.5 }, { " -0", true, 0 }, { "1e2", true, 100 }, { "1 ", false, 0 }, { "1,", false, 0 },
        { "[]", false, 0 }, { " {}", false, 0 }, { "", false, 0 }, { " ", false, 0 }, { "\"a\"", true, NAN },
        { "true", true, NAN }, { "null", true, NAN }, { "nulls", false, 0 }, { "1e999", true, NAN },
        { "123456789012345678901234567890", true, 123456789012345678901234567890.0 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = region_arena(&region);
        TreeNode node;
        double number = NAN;
        if (event_tree_scalar(str_from(rows[at].json), &arena, &node) != rows[at].is_one) fail_msg("%s", rows[at].json);
        if (!rows[at].is_one) continue;
        assert_int_equal(event_tree_number(&node, &number), !isnan(rows[at].number));
        if (!isnan(rows[at].number)) assert_true(number == rows[at].number && !signbit(number));
    }
    double number;
    assert_false(event_tree_number(NULL, &number));
}

static void depth_and_memory_are_bounded(void **state)
{
    char deep[4096];
    Arena arena;
    const TreeNode *root;
    Err err;
    (void)state;
    memset(deep, '[', 2048);
    memset(deep + 2048, ']', 2048);
    arena = region_arena(&region);
    assert_int_equal(event_tree_read(str_of(deep, sizeof deep), &arena, &root, &err), ERR_TOO_LARGE);
    arena = (Arena){ region.start, region.start + 200 };
    assert_int_equal(event_tree_read(STR("[1,2,3,4,5,6]"), &arena, &root, &err), ERR_TOO_LARGE);
    assert_int_equal(event_tree_read(str_of(deep + 2048 - LIMIT_JSON_DEPTH, 2 * LIMIT_JSON_DEPTH),
                                     (arena = region_arena(&region), &arena), &root, &err), OK);
}

/* Any cut of a valid text, and any byte of it changed, is refused or read, and never read past its end. */
static void broken_bytes_do_no_harm(void **state)
{
    static const char json[] = "{\"a\":[1,-2.5e+3,\"\\ud83d\\ude00\\n\",true],\"b\":{\"c\":null}}";
    (void)state;
    for (size_t len = 0; len < sizeof json; len++) {
        char *exact = malloc(len ? len : 1);
        Arena arena = region_arena(&region);
        const TreeNode *root;
        memcpy(exact, json, len);
        (void)!event_tree_read(str_of(exact, len), &arena, &root, NULL);
        for (size_t at = 0; at < len; at++) {
            for (int byte = 0; byte < 256; byte += 3) {
                arena = region_arena(&region);
                exact[at] = (char)byte;
                (void)!event_tree_read(str_of(exact, len), &arena, &root, NULL);
            }
            exact[at] = json[at];
        }
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_keep_their_own_text),
        cmocka_unit_test(escapes_become_what_they_stand_for),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(a_refusal_says_where_and_what),
        cmocka_unit_test(a_list_is_read_item_by_item),
        cmocka_unit_test(a_scalar_is_one_value_and_nothing_else),
        cmocka_unit_test(depth_and_memory_are_bounded),
        cmocka_unit_test(broken_bytes_do_no_harm),
    };
    region_open(&region, 1 << 20);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
