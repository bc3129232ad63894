/* index_leaves: which leaves a message has, whatever its bytes are. */
#include "index/index_leaves.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static uint32_t walk_text(Str json, LeafVisit *visit, void *context)
{
    static struct event_outline outline;
    event_outline_read(&outline, json);
    return leaves_walk(&outline, visit, context);
}

/* What was visited, as text: path=value; */
static void visit_into(void *context, const Leaf *leaf)
{
    static const char *const truth[] = { "false", "true" };
    struct buf *buf = context;
    buf_str_put(buf, leaf->path);
    buf_char(buf, '=');
    switch (leaf->kind) {
    case LEAF_STRING: buf_char(buf, '\''), buf_str_put(buf, leaf->text), buf_char(buf, '\''); break;
    case LEAF_NUMBER: buf_json_double(buf, leaf->number); break;
    case LEAF_BOOL: buf_str_put(buf, str_from(truth[leaf->number != 0])); break;
    case LEAF_BIG: buf_char(buf, '#'), buf_str_put(buf, leaf->text); break;
    case LEAF_LIST: buf_str_put(buf, leaf->text); break;
    case LEAF_OTHER: buf_str_put(buf, STR("other")); break;
    }
    buf_char(buf, ';');
}

static void leaves_are_found_in_order(void **state)
{
    static const struct { const char *json, *leaves; } rows[] = {
        { "{}", "" },
        { "{\"properties\":{}}", "" },
        { "{\"properties\":{\"plan\":\"Free\",\"n\":1}}", "properties.plan='Free';properties.n=1;" },
        { "{\"event\":\"x\",\"context\":{\"page\":{\"path\":\"/a\"},\"ip\":null},"
          "\"properties\":{\"b\":true,\"c\":false}}",
          "context.page.path='/a';properties.b=true;properties.c=false;" },
        { "{\"traits\":{\"a\":1},\"other\":{\"properties\":{\"a\":1}}}", "" },
        { "{\"properties\":[1,2]}", "" },
        { "{\"properties\":{\"list\":[1,{\"a\":\"]\"}],\"z\":2}}", "properties.list=other;properties.z=2;" },
        { "{\"properties\":{\"a\\nb\":\"q\\\"\\u00e9\\ud83d\\ude00\\ud800x\"}}",
          "properties.a\nb='q\"\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbdx';" },
        { "{\"properties\":{\"a\":-0,\"b\":1.5e3,\"c\":-12.25,\"d\":0.1,\"e\":12345678901234567890,\"f\":1e999}}",
          "properties.a=0;properties.b=1500;properties.c=-12.25;properties.d=0.1;properties.e=#12345678901234567890;"
          "properties.f=other;" },
        { "{\"properties\":{\"l\":[],\"m\":[\"a]\",\"\\\"[\",-1.5,null,true],\"n\":[[1]]}}",
          "properties.l=[];properties.m=[\"a]\",\"\\\"[\",-1.5,null,true];properties.n=other;" },
        { "{\"properties\":{\"a\":9007199254740992,\"b\":9007199254740993,\"c\":-9007199254740993,"
          "\"d\":10000000000000000000000}}",
          "properties.a=9007199254740992;properties.b=#9007199254740993;properties.c=#-9007199254740993;"
          "properties.d=1e+22;" },
        { "{\"properties\":{\"a\":99999999999999999999999999999999999999,"
          "\"b\":999999999999999999999999999999999999999}}",
          "properties.a=#99999999999999999999999999999999999999;properties.b=other;" },
        { " { \"properties\" : { \"a\" : \"b\" , \"c\" : { \"d\" : 1 } } } ",
          "properties.a='b';properties.c.d=1;" },
        { "{\"properties\":{\"a\":1", "properties.a=1;" },
        { "{\"properties\":{\"a\":\"open", "" },
        { "", "" }, { "nonsense", "" }, { "[{\"properties\":{\"a\":1}}]", "" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        struct buf buf;
        buf_init(&buf, 4096);
        walk_text(str_from(rows[at].json), visit_into, &buf);
        buf_char(&buf, 0);
        assert_string_equal(buf.bytes, rows[at].leaves);
        buf_done(&buf);
    }
}

static void what_is_over_a_bound_is_counted(void **state)
{
    struct buf json, out;
    (void)state;
    buf_init(&json, 1 << 20), buf_init(&out, 1 << 20);
    buf_printf(&json, "{\"properties\":{");
    for (int key = 0; key < LEAF_COUNT_MAX + 7; key++) buf_printf(&json, "%s\"k%d\":1", key ? "," : "", key);
    buf_printf(&json, "}}");
    assert_int_equal(walk_text(buf_str(&json), visit_into, &out), 7);
    buf_clear(&json);
    buf_printf(&json, "{\"properties\":{\"%0300d\":1,\"b\":", 1);
    for (int depth = 0; depth < 40; depth++) buf_printf(&json, "{\"d\":");
    buf_printf(&json, "1");
    for (int depth = 0; depth < 40; depth++) buf_printf(&json, "}");
    buf_printf(&json, "}}");
    buf_clear(&out);
    assert_int_equal(walk_text(buf_str(&json), visit_into, &out), 2);
    assert_int_equal(out.len, 0);
    buf_clear(&json);
    buf_printf(&json, "{\"properties\":{\"long\":\"%0600d\"}}", 1);
    walk_text(buf_str(&json), visit_into, &out);
    assert_true(str_equal(buf_str(&out), STR("properties.long=other;")));
    buf_done(&json), buf_done(&out);
}

static void any_bytes_end_well(void **state)
{
    static const char good[]
        = "{\"properties\":{\"a\":\"b\\u00e9\",\"n\":-1.5e3,\"o\":{\"l\":[1,2]}},\"context\":{\"x\":true}}";
    uint64_t random = 88172645463325252u;
    (void)state;
    for (int round = 0; round < 200000; round++) {
        char bytes[sizeof good];
        memcpy(bytes, good, sizeof good);
        for (int edit = 0; edit < 3; edit++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            bytes[random % (sizeof good - 1)] = "{}[]\",:\\u019-x\0"[random >> 32 & 15];
        }
        size_t len = random >> 40 & 1 ? sizeof good - 1 : (random >> 41) % sizeof good;
        /* exact: on the heap, so that one byte too far is seen */
        struct buf buf, exact;
        buf_init(&buf, 1 << 16), buf_init(&exact, len + 1);
        buf_put(&exact, bytes, len);
        walk_text(buf_str(&exact), visit_into, &buf);
        buf_done(&buf), buf_done(&exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_are_found_in_order),
        cmocka_unit_test(what_is_over_a_bound_is_counted),
        cmocka_unit_test(any_bytes_end_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
