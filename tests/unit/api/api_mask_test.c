/* api_mask: what somebody said is masked, whatever it is; of what Onym says, numbers and instants are shown. */
#include "api/api_mask.c"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct access *door;

static int set_up(void **state)
{
    static struct fake_clock time_now;
    static struct fake_dice chance;
    static const AccessKey keys[] = { { STR("secret_key"), STR("sk_1"), ACCESS_ADMIN } };
    char damage[ERR_TEXT_BYTES];
    Err err;
    (void)state;
    fake_clock_init(&time_now, 1700000000000);
    fake_dice_init(&chance, 1);
    AccessOptions options = { .clock = &time_now.clock, .dice = &chance.dice };
    assert_int_equal(access_open(&options, &door, damage, &err), OK);
    access_set_keys(door, keys, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    access_close(door);
    return 0;
}

static const char *mask(const char *json)
{
    static char bytes[65536];
    struct region region;
    struct buf out;
    Err err;
    region_open(&region, 16 * 1024 * 1024);
    buf_init_fixed(&out, bytes, sizeof bytes - 1);
    assert_int_equal(api_mask(door, region_arena(&region), str_from(json), &out, &err), OK);
    bytes[out.len] = 0;
    region_close(&region);
    return bytes;
}

#define KEY_50 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"
#define LONG_KEY KEY_50 KEY_50

static void what_is_not_in_the_list_is_masked(void **state)
{
    static const struct { const char *json, *shown, *hidden; } rows[] = {
        { "{\"people\":[{\"person_id\":\"u_ann\",\"user_ids\":[\"ann\"],\"events\":7}]}", "\"events\":7", "ann" },
        { "{\"people\":[{\"traits\":{\"age\":41,\"is_ill\":true,\"deep\":{\"a\":[[\"ann\"]]}}}]}", "\"age\":", "41" },
        { "{\"people\":[{\"traits\":{\"is_ill\":true}}]}", "\"is_ill\":\"masked-", "true" },
        { "{\"position\":5,\"fate\":\"accepted\",\"message\":{\"userId\":\"ann\",\"type\":\"track\"}}",
          "\"type\":\"track\"", "ann" },
        { "{\"message\":\"{\\\"userId\\\":\\\"ann\\\"}\",\"fate\":\"rejected\"}", "\"fate\":\"rejected\"", "ann" },
        { "{\"message\":{\"properties\":{\"type\":\"ann\",\"message\":{\"type\":\"ann\"}}}}",
          "\"type\":\"masked-", "ann" },
        { "{\"message\":{\"context\":{\"library\":{\"name\":\"lib\"},\"ip\":\"9.9.9.9\"}}}",
          "\"name\":\"lib\"", "9.9.9" },
        { "{\"nobody\":{\"thought\":\"ann\"},\"x\":null}", "\"x\":null", "ann" },
        { "{\"last_error\":\"no ann\",\"state\":\"ok\"}", "\"state\":\"ok\"", "ann" },
        { "{\"destinations\":[{\"taken\":12,\"last_success_at\":\"2026-11-29T21:15:00.000Z\",\"last_error\":\"ann\"}]}",
          "\"taken\":12,\"last_success_at\":\"2026-11-29T21:15:00.000Z\"", "ann" },
        { "{\"people\":[],\"since\":\"2026-11-29T21:15:00.000Z\"}", "\"since\":\"2026-11-29T21:15:00.000Z\"", "ann" },
        { "{\"since\":\"ann-11-29T21:15:00.000Z\",\"x\":1}", "\"x\":1", "ann" },
        { "{\"message\":{\"properties\":{\"born\":\"1991-11-29T21:15:00.000Z\",\"age\":41}},\"position\":5}",
          "\"position\":5", "1991" },
        { "{\"stamped\":[{\"path\":\"context.ip\",\"value\":41,\"was\":{\"deep\":41}}],\"x\":1}", "\"x\":1", "41" },
        { "{\"values\":[{\"value\":41,\"count\":7}],\"count\":9}", "\"count\":7}],\"count\":9", "41" },
        { "{\"properties\":[{\"field\":\"properties.age\",\"examples\":[41],\"count\":7}]}", "\"count\":7", "41" },
        { "{\"message\":{\"context.library.name\":\"ann\"},\"x\":1}", "\"x\":1", "ann" },
        { "{\"a.b\":41,\"x\":1}", "\"x\":1", "41" },
        { "{\"message\":{\"" LONG_KEY "\":{\"" LONG_KEY "\":{\"" LONG_KEY "\":41}}},\"x\":1}", "\"x\":1", "41" },
        { "{\"plan\":{\"violations\":[{\"code\":\"wrong_type\",\"path\":[\"properties\",\"age\"]}]},\"text\":\"ann\"}",
          "\"code\":\"wrong_type\",\"path\":[\"properties\",\"age\"]", "ann" },
        { "[]", "[]", "ann" }, { "\"ann\"", "masked-", "ann" }, { "7", "masked-", ":7" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        const char *masked = mask(rows[at].json);
        if (!strstr(masked, rows[at].shown) || strstr(masked, rows[at].hidden)) fail_msg("row %zu: %s", at, masked);
    }
}

static void the_same_value_has_the_same_word_and_another_key_another(void **state)
{
    static const AccessKey other[] = { { STR("secret_key"), STR("sk_2"), ACCESS_ADMIN } };
    char first[128];
    (void)state;
    const char *masked = mask("[\"ann\",\"\\u0061nn\",\"ben\"]");
    snprintf(first, sizeof first, "%s", masked);
    size_t word = strlen("\"masked-") + ACCESS_MASK_CHARS + 1;
    assert_memory_equal(first + 1, first + 1 + word + 1, word);
    assert_memory_not_equal(first + 1, first + 1 + 2 * (word + 1), word);
    access_set_keys(door, other, 1);
    assert_string_not_equal(mask("[\"ann\",\"\\u0061nn\",\"ben\"]"), first);
}

static void a_stream_keeps_its_lines(void **state)
{
    char bytes[512];
    struct region region;
    struct buf out;
    (void)state;
    region_open(&region, 1024 * 1024);
    buf_init_fixed(&out, bytes, sizeof bytes - 1);
    api_mask_lines(door, region_arena(&region),
                   STR("id: 5\nevent: claimed\ndata: {\"anonymous_id\":\"ann\",\"position\":5}\n\n"
                       ": alive\n\ndata: {ann\n\n"), &out);
    bytes[out.len] = 0;
    assert_non_null(strstr(bytes, "id: 5\nevent: claimed\ndata: {\"anonymous_id\":\"masked-"));
    assert_non_null(strstr(bytes, ",\"position\":5}\n\n: alive\n\ndata: {}\n\n"));
    assert_null(strstr(bytes, "ann"));
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_not_in_the_list_is_masked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_value_has_the_same_word_and_another_key_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_keeps_its_lines, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
