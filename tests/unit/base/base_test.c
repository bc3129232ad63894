/* base: strings, arenas, builders, errors, instants. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void instants_in_every_shape_that_sdks_send(void **state)
{
    static const struct { const char *text; int64_t ms; } rows[] = {
        { "1970-01-01T00:00:00.000Z", 0 },
        { "2015-02-23T22:28:55.387Z", 1424730535387 },            /* browser, Node */
        { "2015-02-23T22:28:55.387+00:00", 1424730535387 },       /* Python */
        { "2015-02-23T22:28:55.387111+00:00", 1424730535387 },    /* Python, microseconds */
        { "2015-02-23T23:28:55.387111999+01:00", 1424730535387 }, /* Go, nanoseconds and zone */
        { "2015-02-23T22:28:55+00:00", 1424730535000 },           /* PHP */
        { "2015-02-23T17:28:55.3871111-05:00", 1424730535387 },   /* .NET */
        { "2015-2-23T22:28:55.387Z", 1424730535387 },             /* the docs' own sample */
        { "2015-02-23 22:28:55.387", 1424730535387 },
        { "2020-01-01", 1577836800000 },
        { "1969-12-31T23:59:59.999Z", -1 },
        { "2000-02-29T00:00:00Z", 951782400000 },
        { "9999-12-31T23:59:59.999Z", 253402300799999 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        int64_t ms = 42;
        assert_true(instant_parse(str_from(rows[at].text), &ms));
        assert_int_equal(ms, rows[at].ms);
    }
}

static void instants_that_are_none_are_refused(void **state)
{
    static const char *const rows[] = {
        "", "now", "2015", "2015-13-01", "2015-02-29", "1900-02-29", "2015-02-23T", "2015-02-23T25:00:00Z",
        "2015-02-23T22:28:55.387Zx", "2015-02-23T22:28:55.Z", "1424730535387", "2015-02-23T22:28:55+1",
        "2015-02-23T22:28:55+24:00", "0000-01-01", "20150223",
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        int64_t ms = 42;
        assert_false(instant_parse(str_from(rows[at]), &ms));
        assert_int_equal(ms, 42);
    }
}

static void instants_survive_writing_and_reading(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 100000; round++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        int64_t ms = (int64_t)(random % 315537897600000ull) - 62135596800000, back;
        char text[INSTANT_TEXT_BYTES];
        instant_write(ms, text);
        assert_true(instant_parse(str_of(text, sizeof text), &back));
        assert_int_equal(ms, back);
    }
}

static void durations_have_units(void **state)
{
    int64_t ms;
    (void)state;
    assert_true(duration_parse(STR("7d"), &ms) && ms == 7 * 86400000LL);
    assert_true(duration_parse(STR("90s"), &ms) && ms == 90000);
    assert_true(duration_parse(STR("0"), &ms) && ms == 0);
    assert_false(duration_parse(STR("7"), &ms));
    assert_false(duration_parse(STR("d"), &ms));
    assert_false(duration_parse(STR("-1d"), &ms));
    assert_false(duration_parse(STR("99999999999999999w"), &ms));
}

static void integers_at_their_edges(void **state)
{
    int64_t value = 7;
    (void)state;
    assert_true(str_parse_int(STR("-9223372036854775808"), INT64_MIN, INT64_MAX, &value) && value == INT64_MIN);
    assert_true(str_parse_int(STR("9223372036854775807"), INT64_MIN, INT64_MAX, &value) && value == INT64_MAX);
    assert_false(str_parse_int(STR("9223372036854775808"), INT64_MIN, INT64_MAX, &value));
    assert_false(str_parse_int(STR(""), 0, 9, &value) || str_parse_int(STR("-"), -9, 9, &value));
    assert_false(str_parse_int(STR("10"), 0, 9, &value) || str_parse_int(STR("1x"), 0, 9, &value));
}

static void cutting_borrows(void **state)
{
    Str rest, head = str_cut(STR("a.b.c"), '.', &rest);
    (void)state;
    assert_true(str_equal(head, STR("a")) && str_equal(rest, STR("b.c")));
    head = str_cut(STR("abc"), '.', &rest);
    assert_true(str_equal(head, STR("abc")) && rest.len == 0);
    assert_true(str_equal_constant_time(STR("secret"), STR("secret")));
    assert_false(str_equal_constant_time(STR("secret"), STR("secreT")));
    assert_false(str_equal_constant_time(STR("secret"), STR("secre")) || str_equal_constant_time(STR("a"), STR("")));
    assert_false(str_equal_constant_time(STR(""), STR("a")));
}

static void a_builder_keeps_to_its_ceiling(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 10);
    buf_str_put(&buf, STR("12345678"));
    assert_true(buf_ok(&buf));
    buf_str_put(&buf, STR("901"));
    assert_false(buf_ok(&buf));
    buf_char(&buf, '9');                                 /* the error is sticky */
    assert_true(str_equal(buf_str(&buf), STR("12345678")));
    buf_clear(&buf);
    buf_printf(&buf, "%d", 1234567890);
    assert_true(buf_ok(&buf) && buf.len == 10);
    buf_done(&buf);
}

static void json_strings_are_always_valid(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 1000);
    buf_json_string(&buf, STR("a\"b\\c\n\x01\xc3\xa9\xff\xed\xa0\x80z"));
    assert_true(str_equal(buf_str(&buf), STR("\"a\\\"b\\\\c\\n\\u0001\xc3\xa9\xEF\xBF\xBD\xEF\xBF\xBD"
                                             "\xEF\xBF\xBD\xEF\xBF\xBDz\"")));
    buf_clear(&buf);
    buf_json_double(&buf, 0.1);
    buf_char(&buf, ' ');
    buf_json_double(&buf, 1.0 / 3);
    buf_char(&buf, ' ');
    buf_int(&buf, INT64_MIN);
    assert_true(str_equal(buf_str(&buf), STR("0.1 0.3333333333333333 -9223372036854775808")));
    buf_done(&buf);
}

static void errors_gain_a_phrase_at_each_level(void **state)
{
    Err err;
    (void)state;
    assert_int_equal(err_set_errno(&err, 28, "write of %d bytes", 7), ERR_FULL);
    assert_int_equal(err_wrap(&err, ERR_FULL, "journal %s", "/data"), ERR_FULL);
    assert_string_equal(err.text, "journal /data: write of 7 bytes: No space left on device");
    assert_int_equal(err_set_field(&err, "steps[0].event", "must be a string"), ERR_INPUT);
    assert_string_equal(err.field, "steps[0].event");
}

static void arenas_align_and_say_when_full(void **state)
{
    struct region region;
    (void)state;
    region_open(&region, 4096);
    Arena arena = region_arena(&region);
    (void)arena_bytes(&arena, 3);
    uint64_t *numbers = arena_new(&arena, uint64_t, 4);
    assert_int_equal((uintptr_t)numbers % 8, 0);
    assert_null(arena_try(&arena, 1, 1, 5000));
    assert_null(arena_try(&arena, SIZE_MAX / 2, 1, 3));
    assert_true(str_equal(arena_printf(&arena, "%d-%s", 7, "x"), STR("7-x")));
    region_close(&region);
}

static void crc32c_is_castagnolis(void **state)
{
    (void)state;
    assert_int_equal(crc32c_of(0, STR("123456789")), 0xE3069283);      /* RFC 3720's check value */
    assert_int_equal(crc32c_of(crc32c_of(0, STR("1234")), STR("56789")), 0xE3069283);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_in_every_shape_that_sdks_send),
        cmocka_unit_test(instants_that_are_none_are_refused),
        cmocka_unit_test(instants_survive_writing_and_reading),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(integers_at_their_edges),
        cmocka_unit_test(cutting_borrows),
        cmocka_unit_test(a_builder_keeps_to_its_ceiling),
        cmocka_unit_test(json_strings_are_always_valid),
        cmocka_unit_test(errors_gain_a_phrase_at_each_level),
        cmocka_unit_test(arenas_align_and_say_when_full),
        cmocka_unit_test(crc32c_is_castagnolis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
