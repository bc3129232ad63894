/* event_parse: where the fields of a message stand, and what is made of text that is not strict. */
#include "event/event_parse.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct region region;
static struct event_parser *parser;

static int open_all(void **state)
{
    (void)state;
    region_open(&region, 64 << 20);
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

static Body parse_text(const char *json)
{
    Arena arena = region_arena(&region);
    Body body;
    Err err;
    if (event_parse_body(parser, arena_copy(&arena, str_from(json)), 100, &arena, &body, &err))
        fail_msg("%s: %s", json, err.text);
    return body;
}

static void assert_text(Str text, const char *expected)
{
    if (!str_equal(text, str_from(expected))) fail_msg("\"%.*s\" is not \"%s\"", STR_FORMAT(text), expected);
}

static void every_known_field_is_found_in_any_place(void **state)
{
    static const struct { const char *name; size_t offset; } fields[] = {
#define FIELD(member, name, section) { name, offsetof(Message, member) },
#include "event/fields.tbl.h"
#undef FIELD
    };
    (void)state;
    for (size_t first = 0; first < countof(fields); first++) {
        struct buf json;
        buf_init(&json, 4096);
        buf_char(&json, '{');
        for (size_t at = 0; at < countof(fields); at++) {
            const char *name = fields[(first + at) % countof(fields)].name;
            buf_printf(&json, "%s\"x%s\":0,\"%s\":\"value of %s\"", at ? "," : "", name, name, name);
        }
        buf_printf(&json, "}%c", 0);
        Body body = parse_text(json.bytes);
        for (size_t at = 0; at < countof(fields); at++) {
            char expected[64];
            const Field *field = (const Field *)((const char *)&body.messages[0] + fields[at].offset);
            snprintf(expected, sizeof expected, "value of %s", fields[at].name);
            assert_int_equal(field->kind, FIELD_STRING);
            assert_text(field->text, expected);
        }
        assert_int_equal(body.messages[0].other_count, countof(fields));
        buf_done(&json);
    }
}

static void kinds_texts_and_counts_are_those_of_the_value(void **state)
{
    static const struct { const char *json; FieldKind kind; const char *raw, *text; uint32_t keys; } rows[] = {
        { "{\"properties\":null}", FIELD_NULL, "null", "", 0 },
        { "{\"properties\":true}", FIELD_BOOL, "true", "true", 0 },
        { "{\"properties\":false}", FIELD_BOOL, "false", "false", 0 },
        { "{\"properties\":{}}", FIELD_OBJECT, "{}", "", 0 },
        { "{\"properties\":[]}", FIELD_ARRAY, "[]", "", 0 },
        { "{\"properties\":[[],{},\"\"]}", FIELD_ARRAY, "[[],{},\"\"]", "", 3 },
        { "{\"properties\":{\"a\":{\"b\":1,\"c\":2},\"d\":[1,2]}}", FIELD_OBJECT, "{\"a\":{\"b\":1,\"c\":2},"
          "\"d\":[1,2]}", "", 2 },
        { "{\"properties\":\"\"}", FIELD_STRING, "\"\"", "", 0 },
        { "{\"properties\":\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00\"}", FIELD_STRING,
          "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00\"",
            "a\"\\/\b\f\n\r\t\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 0 },
        { "{\"properties\":0}", FIELD_NUMBER, "0", "0", 0 },
        { "{\"properties\":-0}", FIELD_NUMBER, "-0", "0", 0 },
        { "{\"properties\":-12}", FIELD_NUMBER, "-12", "-12", 0 },
        { "{\"properties\":42.000}", FIELD_NUMBER, "42.000", "42", 0 },
        { "{\"properties\":-4.2E+1}", FIELD_NUMBER, "-4.2E+1", "-42", 0 },
        { "{\"properties\":4.25e1}", FIELD_NUMBER, "4.25e1", "4.25e1", 0 },
        { "{\"properties\":1e400}", FIELD_NUMBER, "1e400", "1e400", 0 },
        { "{\"properties\":9007199254740993}", FIELD_NUMBER, "9007199254740993", "9007199254740993", 0 },
        { "{\"properties\":9007199254740994.0}", FIELD_NUMBER, "9007199254740994.0", "9007199254740994.0", 0 },
        { "{\"prop\\u0065rties\":1}", FIELD_NUMBER, "1", "1", 0 },
        { "{\"properties\":1,\"properties\":\"last\"}", FIELD_STRING, "\"last\"", "last", 0 },
        { "{\"properties \":1}", FIELD_ABSENT, "", "", 0 },
        { "{\"Properties\":1}", FIELD_ABSENT, "", "", 0 },
        { "{\"\":1}", FIELD_ABSENT, "", "", 0 },
        { "{\"\":1,\"\":2}", FIELD_ABSENT, "", "", 0 },
        { "{}", FIELD_ABSENT, "", "", 0 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Message *message = parse_text(rows[at].json).messages;
        assert_int_equal(message->properties.kind, rows[at].kind);
        assert_text(message->properties.raw, rows[at].raw);
        assert_text(message->properties.text, rows[at].text);
        assert_int_equal(message->properties.key_count, rows[at].keys);
        assert_text(message->raw, rows[at].json);
    }
}

static void a_nul_in_an_id_is_a_byte_like_any_other(void **state)
{
    (void)state;
    Message *message = parse_text("{\"userId\":\"a\\u0000b\"}").messages;
    assert_int_equal(message->user_id.text.len, 3);
    assert_memory_equal(message->user_id.text.bytes, "a\0b", 3);
}

static void unknown_fields_are_kept_once(void **state)
{
    (void)state;
    Message *message = parse_text("{\"a\":1,\"userId\":\"u\",\"b\":{\"c\":[1]},\"a\":\"two\",\"\\u0061\":3,"
      "\"\":0}").messages;
    assert_int_equal(message->other_count, 3);
    assert_text(message->others[0], "\"\\u0061\":3");
    assert_text(message->others[1], "\"b\":{\"c\":[1]}");
    assert_text(message->others[2], "\"\":0");
}

static void context_is_looked_into(void **state)
{
    (void)state;
    Message *message = parse_text("{\"context\":{\"ip\":\"old\"},\"context\":{\"direct\":true,\"page\":{\"ip\":\"no\"},"
                                  "\"userAgent\":\"U\\/A\",\"locale\":\"de\"}}").messages;
    assert_int_equal(message->context_ip.kind, FIELD_ABSENT);
    assert_int_equal(message->context_direct.kind, FIELD_BOOL);
    assert_text(message->context_user_agent.text, "U/A");
    assert_int_equal(message->context.key_count, 4);
    message = parse_text("{\"context\":{\"ip\":\"old\",\"userAgent\":\"old\"},\"context\":null}").messages;
    assert_int_equal(message->context_ip.kind, FIELD_ABSENT);
    assert_int_equal(message->context_user_agent.kind, FIELD_ABSENT);
}

static void an_envelopes_fields_may_stand_before_or_behind_its_messages(void **state)
{
    static const char *const rows[] = {
        "{\"writeKey\":\"k\",\"sentAt\":\"s\",\"context\":{\"a\":1},\"x\":1,\"batch\":[{\"y\":1,"
          "\"userId\":\"u\"},[],3]}",
        "{\"batch\":[{\"y\":1,\"userId\":\"u\"},[],3],\"context\":{\"a\":1},\"x\":1,\"sentAt\":\"s\","
          "\"writeKey\":\"k\"}",
        "{\"batch\":[1,2,3,4],\"context\":{\"a\":1},\"batch\":[{\"y\":1,\"userId\":\"u\"},[],3],"
          "\"sentAt\":\"s\",\"writeKey\":\"k\"}",
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Body body = parse_text(rows[at]);
        assert_true(body.is_batch);
        assert_int_equal(body.message_count, 3);
        assert_text(body.write_key.text, "k");
        assert_text(body.sent_at.text, "s");
        assert_text(body.context.raw, "{\"a\":1}");
        assert_text(body.messages[0].user_id.text, "u");
        assert_int_equal(body.messages[0].other_count, 1);
        assert_null(body.messages[0].broken);
        assert_non_null(body.messages[1].broken);
        assert_text(body.messages[2].raw, "3");
    }
    assert_int_equal(parse_text("{\"batch\":[]}").message_count, 0);
}

static Status parse_status(Str text, size_t max_messages, Body *ret)
{
    Arena arena = region_arena(&region);
    Err err;
    return event_parse_body(parser, text, max_messages, &arena, ret, &err);
}

static Str nested(char *text, size_t levels, char open, char close, const char *before, const char *after)
{
    char *to = text;
    to += sprintf(to, "%s", before);
    memset(to, open, levels), to += levels;
    memset(to, close, levels), to += levels;
    to += sprintf(to, "%s", after);
    return (Str){ text, (size_t)(to - text) };
}

static void depth_is_bounded_by_message_and_by_body(void **state)
{
    static char text[100000];
    Body body;
    (void)state;
    assert_int_equal(parse_status(nested(text, 63, '[', ']', "{\"a\":", "}"), 10, &body), OK);
    assert_int_equal(body.messages[0].depth, 64);
    assert_null(body.messages[0].broken);
    assert_int_equal(parse_status(nested(text, 64, '[', ']', "{\"batch\":[{\"a\":", "},{}]}"), 10, &body), OK);
    assert_non_null(body.messages[0].broken);
    assert_null(body.messages[1].broken);
    assert_int_equal(parse_status(nested(text, 64, '[', ']', "{\"context\":{\"a\":", "},\"batch\":[{}]}"), 10,
      &body), ERR_INPUT);
    assert_int_equal(parse_status(nested(text, 40000, '[', ']', "{\"a\":", "}"), 10, &body), ERR_INPUT);
    assert_int_equal(parse_status(nested(text, 40000, '[', ']', "", ""), 10, &body), ERR_INPUT);
}

static void batches_are_bounded(void **state)
{
    Body body;
    (void)state;
    assert_int_equal(parse_status(STR("{\"batch\":[{},{},{}]}"), 3, &body), OK);
    assert_int_equal(parse_status(STR("{\"batch\":[{},{},{}]}"), 2, &body), ERR_TOO_LARGE);
}

static void more_unknown_fields_than_are_kept_break_a_message(void **state)
{
    Body body;
    struct buf json;
    (void)state;
    buf_init(&json, 1 << 20);
    buf_printf(&json, "{\"batch\":[{");
    for (int at = 0; at < EVENT_OTHERS_MAX + 1; at++) buf_printf(&json, "%s\"k%d\":%d", at ? "," : "", at, at);
    buf_printf(&json, "},{\"a\":1}]}");
    assert_int_equal(parse_status(buf_str(&json), 10, &body), OK);
    assert_non_null(body.messages[0].broken);
    assert_null(body.messages[1].broken);
    buf_done(&json);
}

/* One by one while they are few, by their hash from then on: nobody sees where the one becomes the other. */
static void of_an_unknown_name_the_last_one_is_kept(void **state)
{
    (void)state;
    for (int names = 1; names <= EVENT_OTHERS_MAX; names += names < 40 ? 1 : 320) {
        Body body;
        struct buf json;
        char wanted[40];
        buf_init(&json, 1 << 20);
        buf_printf(&json, "{\"batch\":[{");
        for (int at = 0; at < 3 * names; at++) buf_printf(&json, "%s\"k%d\":%d", at ? "," : "", at % names, at);
        buf_printf(&json, "},{\"k0\":7}],\"k1\":8}");
        assert_int_equal(parse_status(buf_str(&json), 10, &body), OK);
        assert_null(body.messages[0].broken);
        assert_int_equal(body.messages[0].other_count, names);
        for (int at = 0; at < names; at++) {
            snprintf(wanted, sizeof wanted, "\"k%d\":%d", at, 2 * names + at);
            assert_true(str_equal(body.messages[0].others[at], str_from(wanted)));
        }
        assert_int_equal(body.messages[1].other_count, 1);
        assert_true(str_equal(body.messages[1].others[0], STR("\"k0\":7")));
        buf_done(&json);
    }
}

static void nothing_behind_the_text_is_read(void **state)
{
    static const char *const rows[] = { "{\"userId\":\"u\"}", "{\"a\":12}", "{\"a\":{}}", "{\"context\":{}}",
      "{\"a\":[1,{}]", "{\"a\":{}",
                                        "{\"a\":1", "{\"a\":\"", "{\"a\"", "{\"a\":{", "{\"batch\":[{}",
                                          "{\"batch\":[{\"a\":{}" };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Str text = str_from(rows[at]);
        char *exact = test_malloc(text.len);
        Body body;
        memcpy(exact, text.bytes, text.len);
        (void)!parse_status((Str){ exact, text.len }, 10, &body);
        test_free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_known_field_is_found_in_any_place),
        cmocka_unit_test(kinds_texts_and_counts_are_those_of_the_value),
        cmocka_unit_test(a_nul_in_an_id_is_a_byte_like_any_other),
        cmocka_unit_test(unknown_fields_are_kept_once),
        cmocka_unit_test(context_is_looked_into),
        cmocka_unit_test(an_envelopes_fields_may_stand_before_or_behind_its_messages),
        cmocka_unit_test(depth_is_bounded_by_message_and_by_body),
        cmocka_unit_test(batches_are_bounded),
        cmocka_unit_test(more_unknown_fields_than_are_kept_break_a_message),
        cmocka_unit_test(of_an_unknown_name_the_last_one_is_kept),
        cmocka_unit_test(nothing_behind_the_text_is_read),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
