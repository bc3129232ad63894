/* event_path: values of canonical JSON by name. */
#include "event/event_path.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct region region;
static struct event_parser *parser;

static int open_all(void **state)
{
    (void)state;
    region_open(&region, 16 << 20);
    parser = event_parser_open();
    return parser ? 0 : -1;
}

static int close_all(void **state)
{
    (void)state;
    event_parser_close(parser);
    region_close(&region);
    return 0;
}

static void assert_text(Str text, const char *expected)
{
    if (!str_equal(text, str_from(expected))) fail_msg("\"%.*s\" is not \"%s\"", STR_FORMAT(text), expected);
}

static const char json[] =
    "{\"userId\":\"u\",\"properties\":{\"plan\":\"Free\",\"n\":1.50,\"utm.source\":\"x\","
      "\"utm\":{\"source\":\"y\",\"m\":[1,2]},"
    "\"plan\":\"Pro\",\"e\\u0061\":\"\\u00e9\",\"empty\":{},\"null\":null,\"yes\":true},"
      "\"traits\":{\"a\":{\"b\":{\"c\":{}}}}}";

static void values_are_found_by_their_dotted_path(void **state)
{
    static const struct { const char *path; FieldKind kind; const char *raw, *text; uint32_t keys; } rows[] = {
        { "userId", FIELD_STRING, "\"u\"", "u", 0 },
        { "properties.plan", FIELD_STRING, "\"Pro\"", "Pro", 0 },          /* the last of two */
        { "properties.n", FIELD_NUMBER, "1.50", "1.50", 0 },
        { "properties.utm.source", FIELD_STRING, "\"x\"", "x", 0 },         /* the longest name */
        { "properties.utm.m", FIELD_ARRAY, "[1,2]", "", 2 },
        { "properties.utm", FIELD_OBJECT, "{\"source\":\"y\",\"m\":[1,2]}", "", 2 },
        { "properties.ea", FIELD_STRING, "\"\\u00e9\"", "\xC3\xA9", 0 },
        { "properties.empty", FIELD_OBJECT, "{}", "", 0 },
        { "properties.null", FIELD_NULL, "null", "", 0 },
        { "properties.yes", FIELD_BOOL, "true", "true", 0 },
        { "traits.a.b.c", FIELD_OBJECT, "{}", "", 0 },
        { "traits.a.b.c.d", FIELD_ABSENT, "", "", 0 },
        { "userId.x", FIELD_ABSENT, "", "", 0 },
        { "properties.utm.m.0", FIELD_ABSENT, "", "", 0 },
        { "nothing", FIELD_ABSENT, "", "", 0 },
        { "", FIELD_ABSENT, "", "", 0 },
        { ".", FIELD_ABSENT, "", "", 0 },
        { "properties.", FIELD_ABSENT, "", "", 0 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = region_arena(&region);
        Field field;
        Err err;
        assert_int_equal(event_find_field(parser, str_from(json), str_from(rows[at].path), &arena, &field, &err), OK);
        assert_int_equal(field.kind, rows[at].kind);
        assert_text(field.raw, rows[at].raw);
        assert_text(field.text, rows[at].text);
        assert_int_equal(field.key_count, rows[at].keys);
    }
}

static void visit_into(void *context, Str key, const Field *value)
{
    struct buf *out = context;
    buf_str_put(out, key);
    buf_char(out, '=');
    buf_str_put(out, value->raw);
    buf_char(out, ';');
}

static void members_are_visited_in_order(void **state)
{
    static const struct { const char *object, *seen; } rows[] = {
        { "{}", "" },
        { "{\"a\":1,\"b\":{\"c\":[{},[]]},\"\\u0063\":\"\\n\",\"a\":2}", "a=1;b={\"c\":[{},[]]};c=\"\\n\";a=2;" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = region_arena(&region);
        struct buf out;
        Err err;
        buf_init(&out, 4096);
        assert_int_equal(event_visit_object(parser, str_from(rows[at].object), &arena, visit_into, &out, &err), OK);
        assert_text(buf_str(&out), rows[at].seen);
        buf_done(&out);
    }
}

static void what_is_no_strict_object_is_damage(void **state)
{
    static const char *const rows[] = { "", "[]", "1", "{", "{\"a\":1}x", "{\"a\": 1}", "{\"a\":NaN}",
      "{\"a\":{]}", "{\"a\":\"\xFF\"}",
                                        "{\"a\":\"\\ud800\"}", "{\"a\":{}" };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = region_arena(&region);
        Field field;
        Err err;
        assert_int_equal(event_find_field(parser, str_from(rows[at]), STR("a"), &arena, &field, &err), ERR_DAMAGED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_their_dotted_path),
        cmocka_unit_test(members_are_visited_in_order),
        cmocka_unit_test(what_is_no_strict_object_is_damage),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
