/* destination_text: what destinations write: fields that end where they end, keys that no two messages share. */
#include "src/destination/destination_text.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const Str nasty[] = {
    { "", 0 }, { "a", 1 }, { "\n", 1 }, { "x\n{\"type\":\"track\"}", 18 }, { "3:abc", 5 }, { ":", 1 }, { "\0", 1 },
    { "é0", 3 }, { "12:", 3 }, { "a\r\nX-Evil: 1", 12 },
};

static void fields_are_read_as_they_were_written(void **state)
{
    struct buf text;
    Str rest;
    (void)state;
    buf_init(&text, 4096);
    for (size_t at = 0; at < countof(nasty); at++) field_put(&text, nasty[at]);
    buf_str_put(&text, STR("{\"the\":\"rest\"}"));
    rest = buf_str(&text);
    for (size_t at = 0; at < countof(nasty); at++) {
        Str field = field_take(&rest);
        if (!str_equal(field, nasty[at])) fail_msg("row %zu: %.*s", at, STR_FORMAT(field));
    }
    assert_true(str_equal(rest, STR("{\"the\":\"rest\"}")));
    buf_done(&text);
}

static void what_is_no_field_is_none(void **state)
{
    static const char *const rows[] = { "", ":", "5:abc", "-1:abc", "99999999999999999999:a", "abc", "1" };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Str rest = str_from(rows[at]), field = field_take(&rest);
        if (field.len || rest.len) fail_msg("row %zu: %s", at, rows[at]);
    }
}

/* Pairs that are two messages, and were one key, or could be. */
static void two_messages_never_share_a_key(void **state)
{
    static const struct { const char *source, *id; } rows[] = {
        { "website", "17959257085590000-6d877e16-4a1f-4b0e-9d57-0a1b2c3d4e5f" },
        { "website", "17959257088790000-6d877e16-4a1f-4b0e-9d57-0a1b2c3d4e5f" },
        { "website", "6d877e16-4a1f-4b0e-9d57-0a1b2c3d4e5f" },
        { "website", "6D877E16-4A1F-4B0E-9D57-0A1B2C3D4E5F" },
        { "server", "6d877e16-4a1f-4b0e-9d57-0a1b2c3d4e5f" },
        { "website", "ajs-next-1700000000000-6d877e16-4a1f-4b0e-9d57-0a1b2c3d4e5f" },
        { "website", "ajs-next-1700000000001-6d877e16-4a1f-4b0e-9d57-0a1b2c3d4e5f" },
        { "website", "order-1234" }, { "server", "order-1234" }, { "websiteorder", "-1234" },
        { "website", "null" }, { "website", "0" }, { "website", "é0" }, { "website", "é1" }, { "website", "a\nb" },
        { "website", "a b" }, { "website", "" }, { "", "website" },
        { "website", "0123456789012345678901234567890123456789x" },
        { "website", "0123456789012345678901234567890123456789y" },
    };
    struct region region = { 0 };
    Arena arena;
    Str keys[countof(rows)];
    (void)state;
    region_open(&region, 1 << 20);
    arena = region_arena(&region);
    for (size_t at = 0; at < countof(rows); at++) {
        Event event = { .source = str_from(rows[at].source), .message_id = str_from(rows[at].id) };
        keys[at] = key_of_message(&arena, &event);
        assert_int_equal(keys[at].len, 36);                     /* Mixpanel: at most 36 of [A-Za-z0-9-] */
        for (size_t byte = 0; byte < 36; byte++)
            assert_non_null(memchr("0123456789abcdef", keys[at].bytes[byte], 16));
        for (size_t other = 0; other < at; other++)
            if (str_equal(keys[at], keys[other])) fail_msg("%s and %s have one key", rows[at].id, rows[other].id);
    }
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read_as_they_were_written),
        cmocka_unit_test(what_is_no_field_is_none),
        cmocka_unit_test(two_messages_never_share_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
