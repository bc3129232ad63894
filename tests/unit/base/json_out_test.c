/* json_out: the commas, the escapes, and what happens where there is no room or no memory. */
#include <stddef.h>
#include <stdbool.h>
#include <stdlib.h>

static bool is_without_memory;
static void *give(size_t bytes) { return is_without_memory ? NULL : malloc(bytes); }
#define malloc give
#include "base/json_out.c"
#undef malloc

#include <math.h>
#include <setjmp.h>
#include <cmocka.h>

static void assert_written(const struct buf *out, const char *wanted)
{
    assert_true(buf_ok(out));
    assert_int_equal(out->len, strlen(wanted));
    assert_memory_equal(out->bytes, wanted, out->len);
}

static void commas_stand_between_items_and_nowhere_else(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    json_object(&out, NULL);
    json_array(&out, "none");
    json_array_end(&out);
    json_object(&out, "empty");
    json_object_end(&out);
    json_array(&out, "many");
    for (unsigned at = 0; at < 3; at++) json_uint(&out, NULL, at);
    json_object(&out, NULL);
    json_string(&out, "a", STR(""));
    json_object_end(&out);
    json_object(&out, NULL);
    json_object_end(&out);
    json_array(&out, NULL);
    json_array_end(&out);
    json_null(&out, NULL);
    json_bool(&out, NULL, true);
    json_bool(&out, NULL, false);
    json_double(&out, NULL, 0.5);
    json_word(&out, NULL, "w");
    json_array_end(&out);
    json_int(&out, "last", -1);
    json_object_end(&out);
    assert_written(&out, "{\"none\":[],\"empty\":{},"
                         "\"many\":[0,1,2,{\"a\":\"\"},{},[],null,true,false,0.5,\"w\"],\"last\":-1}");
    buf_done(&out);
}

/* Whatever a string ends with, its quote is what the next comma is seen by. */
static void a_text_never_looks_like_a_bracket(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "{", "[", ",", ":", "\"", "\\", "}", "\n", "\xff", "a,", "{\"a\":" };
    for (size_t at = 0; at < countof(texts); at++) {
        struct buf out, wanted;
        buf_init(&out, 4096);
        buf_init(&wanted, 4096);
        json_array(&out, NULL);
        json_string(&out, NULL, str_from(texts[at]));
        json_object(&out, NULL);
        json_name(&out, str_from(texts[at]));
        json_string(&out, NULL, str_from(texts[at]));
        json_int(&out, "next", 1);
        json_object_end(&out);
        json_array_end(&out);
        buf_char(&wanted, '[');
        buf_json_string(&wanted, str_from(texts[at]));
        buf_str_put(&wanted, STR(",{"));
        buf_json_string(&wanted, str_from(texts[at]));
        buf_char(&wanted, ':');
        buf_json_string(&wanted, str_from(texts[at]));
        buf_str_put(&wanted, STR(",\"next\":1}]"));
        buf_char(&wanted, 0);
        assert_written(&out, wanted.bytes);
        buf_done(&out);
        buf_done(&wanted);
    }
}

static void every_kind_of_value(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    json_object(&out, NULL);
    json_int(&out, "least", INT64_MIN);
    json_int(&out, "most", INT64_MAX);
    json_uint(&out, "largest", UINT64_MAX);
    json_double(&out, "third", 1.0 / 3);
    json_double(&out, "nan", NAN);
    json_double(&out, "inf", -INFINITY);
    json_word(&out, "word", NULL);
    json_string_or_null(&out, "absent", (Str){ 0 });
    json_string_or_null(&out, "there", STR("x"));
    json_instant(&out, "at", INT64_C(1424730535387));
    json_printf(&out, "made", "%s\"%d", "\n", 7);
    json_raw(&out, "raw", STR("{\"b\":[1]}"));
    json_object_end(&out);
    assert_written(&out, "{\"least\":-9223372036854775808,\"most\":9223372036854775807,"
                         "\"largest\":18446744073709551615,"
                         "\"third\":0.3333333333333333,\"nan\":null,\"inf\":null,\"word\":null,\"absent\":null,"
                         "\"there\":\"x\",\"at\":\"2015-02-23T22:28:55.387Z\","
                         "\"made\":\"\\n\\\"7\",\"raw\":{\"b\":[1]}}");
    buf_done(&out);
}

static void it_stands_after_other_text(void **state)
{
    (void)state;
    static const char *const before[] = { "callback(", "window.onym=", "{}\n", "a " };
    for (size_t at = 0; at < countof(before); at++) {
        struct buf out;
        buf_init(&out, 4096);
        buf_str_put(&out, str_from(before[at]));
        json_int(&out, NULL, 1);
        assert_int_equal(out.len, strlen(before[at]) + 1);
        buf_done(&out);
    }
}

static void a_cut_back_buffer_needs_no_telling(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    json_array(&out, NULL);
    json_int(&out, NULL, 1);
    size_t good = out.len;
    json_object(&out, NULL);
    json_int(&out, "half", 1);
    out.len = good;
    json_int(&out, NULL, 2);
    json_array_end(&out);
    assert_written(&out, "[1,2]");
    buf_done(&out);
}

static void a_long_printed_string_is_whole(void **state)
{
    (void)state;
    for (int width = 250; width < 260; width++) {
        struct buf out;
        buf_init(&out, 4096);
        json_printf(&out, NULL, "%*d", width, 7);
        assert_true(buf_ok(&out));
        assert_int_equal(out.len, width + 2);
        assert_int_equal(out.bytes[width], '7');
        buf_done(&out);
    }
}

/* One after the other all ceilings, then no memory: the error stays, and nothing is written after the end. */
static void no_room_and_no_memory_are_the_bufs_sticky_error(void **state)
{
    (void)state;
    for (size_t room = 0; room < 40; room++) {
        char bytes[48];
        memset(bytes, '~', sizeof bytes);
        struct buf out;
        buf_init_fixed(&out, bytes, room);
        json_object(&out, NULL);
        json_string(&out, "name", STR("a\"b"));
        json_array(&out, "list");
        json_int(&out, NULL, 12);
        json_array_end(&out);
        json_object_end(&out);
        assert_int_equal(buf_ok(&out), room >= strlen("{\"name\":\"a\\\"b\",\"list\":[12]}"));
        for (size_t at = room; at < sizeof bytes; at++) assert_int_equal(bytes[at], '~');
    }
    struct buf out;
    buf_init(&out, 4096);
    is_without_memory = true;
    json_printf(&out, NULL, "%300d", 7);
    is_without_memory = false;
    assert_false(buf_ok(&out));
    json_int(&out, NULL, 1);
    assert_int_equal(out.len, 0);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_between_items_and_nowhere_else),
        cmocka_unit_test(a_text_never_looks_like_a_bracket),
        cmocka_unit_test(every_kind_of_value),
        cmocka_unit_test(it_stands_after_other_text),
        cmocka_unit_test(a_cut_back_buffer_needs_no_telling),
        cmocka_unit_test(a_long_printed_string_is_whole),
        cmocka_unit_test(no_room_and_no_memory_are_the_bufs_sticky_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
