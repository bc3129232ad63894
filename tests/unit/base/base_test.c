/* base: strings, arenas, builders, errors, instants. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void hex_digits_have_values_in_either_case(void **state)
{
    (void)state;
    static const char digits[] = "0123456789abcdef", capitals[] = "ABCDEF";
    int found = 0;
    for (int c = 0; c < 256; c++) found += hex_value((char)c) >= 0;
    assert_int_equal(found, 22);
    for (int value = 0; value < 16; value++) assert_int_equal(hex_value(digits[value]), value);
    for (int value = 0; value < 6; value++) assert_int_equal(hex_value(capitals[value]), value + 10);
}

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

/* What programs print, by who does; all but those that say otherwise are 2026-11-29T06:00:00.000Z. */
#define SIX INT64_C(1795932000000)
static const struct { const char *text; int64_t ms; } rows_read[] = {
    /* ISO 8601 */
    { "2026-11-29T06:00:00Z", SIX }, { "2026-11-29T06:00Z", SIX }, { "2026-11-29T06Z", SIX },
    { "2026-11-29t06:00:00z", SIX }, { "2026-11-29T07+01", SIX }, { "20261129T060000Z", SIX },
    { "20261129T070000+0100", SIX }, { "20261129T070000.123+01:00", SIX + 123 }, { "20261129T0600Z", SIX },
    { "2026-11-29T06:00:00,123456789Z", SIX + 123 }, { "2026-11-29T06:00:00.1234567891234Z", SIX + 123 },
    { "2026-W48-7T06:00:00Z", SIX }, { "2026W487T060000Z", SIX }, { "2026-333T06:00:00Z", SIX },
    { "2026-11-29T05:59:60Z", SIX }, { "2026-11-28T24:00:00Z", SIX - 6 * 3600 * SECOND_MS },
    { "2026-11-29T06:00:00-00:00", SIX }, { "2026-11-29T01:00:00\xE2\x88\x92" "05:00", SIX },
    { "+002026-11-29T06:00:00Z", SIX }, { "20261129", SIX - 6 * 3600 * SECOND_MS },
    { "20261129060000", SIX }, { "20261129060000123", SIX + 123 }, { "20261129060000.123Z", SIX + 123 },
    { "2026-11-29T06:00:00 Z", SIX }, { "2026-11-29 06:00:00 UTC", SIX }, { "2020-W53-7", 1609632000000 },
    { "2026-11-29T07:00:00+01:00[Europe/Paris]", SIX }, { "2026-11-29T06:00Z[UTC]", SIX },
    /* mail and HTTP: RFC 822, 850, 1123, 2822 */
    { "Sun, 29 Nov 2026 06:00:00 GMT", SIX }, { "Sunday, 29-Nov-26 06:00:00 GMT", SIX },
    { "Sun, 29 Nov 2026 07:00:00 +0100", SIX }, { "29 Nov 26 06:00 UT", SIX }, { "Sun, 29 Nov 2026 01:00:00 EST", SIX },
    { "Sun, 29-Nov-2026 06:00:00 UTC", SIX }, { "Sun, 29 Nov 2026 07:00:00 +0100 (CET)", SIX },
    /* C, Java, JavaScript, Twitter */
    { "Sun Nov 29 06:00:00 2026", SIX }, { "Sun Nov 29 06:00:00 UTC 2026", SIX },
    { "Sun Nov 29 07:00:00 CET 2026", SIX }, { "Sun Nov 29 07:00:00 GMT+01:00 2026", SIX },
    { "Sun Nov 29 2026 07:00:00 GMT+0100 (CET)", SIX },
    { "Sun Nov 29 2026 07:00:00 GMT+0100 (Mitteleurop\xC3\xA4ische Normalzeit)", SIX },
    { "Sun Nov 29 2026", SIX - 6 * 3600 * SECOND_MS }, { "Sun Nov 29 06:00:00 +0000 2026", SIX },
    { "11/29/2026, 6:00:00\xE2\x80\xAF" "AM", SIX }, { "29/11/2026, 06:00:00", SIX },
    { "Sunday, November 29, 2026 at 6:00:00 AM GMT", SIX }, { "Sun 29 Nov 2026 06:00:00 AM UTC", SIX },
    { "Tue Sep  8 06:00:00 2026", 1788847200000 },
    /* Python, Ruby, Go, Swift, Rust */
    { "2026-11-29 06:00:00.123456+00:00", SIX + 123 }, { "2026-11-29 07:00:00 +0100", SIX },
    { "2026-11-29 06:00:00.123 +0000 UTC m=+0.1", SIX + 123 }, { "2026-11-29 07:00:00 +0100 CET", SIX },
    { "2026-11-29 09:00:00 +0300 +03", SIX }, { "2026-11-29 6:00:00.0 +00:00:00", SIX }, { "2026/11/29 06:00:00", SIX },
    /* .NET, SQL, logs, cameras */
    { "/Date(1795932000000)/", SIX }, { "/Date(1795932000000+0100)/", SIX }, { "/Date(-1)/", -1 }, { "@1795932000",
        SIX },
    { "11/29/2026 6:00:00 AM", SIX }, { "2026-11-29 07:00:00.1234567 +01:00", SIX + 123 },
    { "2026-11-29 07:00:00+01", SIX },
    { "29-NOV-26 06.00.00.000000 AM", SIX }, { "2026-11-29-06.00.00.123456", SIX + 123 },
    { "29/Nov/2026:07:00:00 +0100", SIX }, { "2026:11:29 06:00:00", SIX }, { "29.11.2026 06:00", SIX },
    { "Sun 2026-11-29 06:00:00 UTC", SIX }, { "02/02/2026", 1769990400000 },
    /* numbers as text */
    { "1795932000", SIX }, { " 1795932000.123 ", SIX + 123 }, { "1795932000123", SIX + 123 },
    { "1795932000123456", SIX + 123 }, { "1795932000123456789", SIX + 123 }, { "1.795932000123e9", SIX + 123 },
    { "1.795932E12", SIX }, { "1795932000123.999", SIX + 123 },
};

static void times_are_read_as_programs_print_them(void **state)
{
    (void)state;
    for (size_t at = 0; at < countof(rows_read); at++) {
        int64_t ms = 42;
        Str text = str_from(rows_read[at].text);
        char *exact = test_malloc(text.len + 1);             /* a read beyond its end is seen */
        memcpy(exact, text.bytes, text.len);
        if (instant_read(str_of(exact, text.len), &ms) != INSTANT_READ || ms != rows_read[at].ms)
            fail_msg("%s: %" PRId64 " ms off", rows_read[at].text, ms - rows_read[at].ms);
        test_free(exact);
    }
}

static void times_that_two_habits_read_as_two_instants_are_ambiguous(void **state)
{
    static const char *const rows[] = {
        "01/02/2026", "1.2.2026 07:00", "01-02-2026", "29/11/26", "01/02/03", "Sun Nov 29 07:00:00 CST 2026",
        "Sun Nov 29 07:00:00 IST 2026", "202611290700", "639001000000000000", "134400000000000000",
            "12/11/2026 7:00 PM",
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        int64_t ms = 42;
        if (instant_read(str_from(rows[at]), &ms) != INSTANT_AMBIGUOUS || ms != 42) fail_msg("%s", rows[at]);
    }
}

static void what_is_no_time_is_unreadable(void **state)
{
    static const char *const rows[] = {
        "", " ", "now", "yesterday", "Invalid Date", "NaN", "null", "undefined", "2026", "2026-11", "11/2026", "0", "5",
        "2026-02-30", "30 Feb 2026", "31/02/2026", "13/13/2026", "2026-13-45T99:99:99Z", "2026-11-29T25:00:00Z",
        "2026-11-29T24:00:01Z", "2026-11-29T06:00:00+99:99", "-2026-01-01T00:00:00Z", "100000-01-01T00:00:00Z", "T",
            "-",
        "Mon, 01 Jan", "Monday", "Nov 2026", "06:00:00", "2026-11-29T06:00:00Zx", "2026-W54-1", "2026-W53-8",
            "2026-366",
        "12345678", "1e400", "1e", "1.", ".5", "--5", "99999999999999999999", "/Date(x)/", "@", "2026-11-29 13:00 PM",
        "2026-11-29T06:00:00[Europe/Paris]", "Nov 29 2026 Nov 29 2026", "2026-11-29 2026-11-29", "[object Object]",
            "(CET)",
        "2026-11-29 06:00:00 06:00:00", "+1", "{{timestamp}}", "Sun Nov 29 2026 07:00:00 Central Standard Time",
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        int64_t ms = 42;
        if (instant_read(str_from(rows[at]), &ms) != INSTANT_UNREADABLE || ms != 42)
            fail_msg("%s was read as %" PRId64, rows[at], ms);
    }
}

static void numbers_are_instants_by_their_magnitude(void **state)
{
    static const struct { const char *number; int64_t ms; } rows[] = {
        { "0", 0 }, { "-5", -5000 }, { "0.5", 500 }, { "-0.0001", -1 }, { "1795932000", SIX }, { "1795932000.5",
            SIX + 500 },
        { "1795932000.1239", SIX + 123 }, { "1795932000123.4", SIX + 123 }, { "1.795932e9", SIX }, { "1795932E+6",
            SIX },
        { "17959320001234567e-7", SIX + 123 }, { "1795932000123456", SIX + 123 }, { "1795932000123456789", SIX + 123 },
        { "99999999999", 99999999999000 }, { "100000000000", 100000000000 }, { "1795932000.000000000000000000001",
            SIX },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        int64_t ms = 42;
        if (instant_read_number(str_from(rows[at].number), &ms) != INSTANT_READ || ms != rows[at].ms)
            fail_msg("%s: %" PRId64 " ms off", rows[at].number, ms - rows[at].ms);
    }
    int64_t ms = 42;
    assert_int_equal(instant_read_number(STR("1e99"), &ms), INSTANT_UNREADABLE);
    assert_int_equal(instant_read_number(STR("-99999999999"), &ms), INSTANT_UNREADABLE);       /* before the year 1 */
    assert_int_equal(instant_read_number(STR("639001000000000000"), &ms), INSTANT_AMBIGUOUS);  /* .NET's ticks */
}

/* Each strict shape means the same to the wide reader, and no bytes make it read after their end. */
static void any_bytes_are_safe_to_read(void **state)
{
    static const char alphabet[] = "0123456789-:/.+TZ ,eE()[]@mWNovSunAMGTCU\xC2\xA0\xE2\x88\x92";
    uint64_t random = 88172645463325252u;
    (void)state;
    for (int round = 0; round < 300000; round++) {
        char text[32];
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        size_t len = random % sizeof text;
        for (size_t at = 0; at < len; at++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            text[at] = alphabet[random % (sizeof alphabet - 1)];
        }
        char *exact = test_malloc(len + 1);
        memcpy(exact, text, len);
        int64_t strict, wide;
        InstantReading reading = instant_read(str_of(exact, len), &wide);
        if (instant_parse(str_of(exact, len), &strict))
            assert_true(reading == INSTANT_READ && wide == strict);
        if (reading == INSTANT_READ) assert_true(wide >= -62135596800000 && wide <= 253402300799999);
        test_free(exact);
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

/* It is what a client reads beside a 503: which thing, and what to do. */
static void what_is_closed_is_named_with_the_way_out(void **state)
{
    (void)state;
    Str meaning = str_from(status_meaning(ERR_CLOSED));
    assert_true(str_contains(meaning, STR("Onym")) && str_contains(meaning, STR("journal")));
    assert_true(str_contains(meaning, STR("start")) && str_contains(meaning, STR("log")));
    assert_false(str_contains(meaning, STR("thing")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_digits_have_values_in_either_case),
        cmocka_unit_test(instants_in_every_shape_that_sdks_send),
        cmocka_unit_test(instants_that_are_none_are_refused),
        cmocka_unit_test(times_are_read_as_programs_print_them),
        cmocka_unit_test(times_that_two_habits_read_as_two_instants_are_ambiguous),
        cmocka_unit_test(what_is_no_time_is_unreadable),
        cmocka_unit_test(numbers_are_instants_by_their_magnitude),
        cmocka_unit_test(any_bytes_are_safe_to_read),
        cmocka_unit_test(instants_survive_writing_and_reading),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(integers_at_their_edges),
        cmocka_unit_test(cutting_borrows),
        cmocka_unit_test(a_builder_keeps_to_its_ceiling),
        cmocka_unit_test(json_strings_are_always_valid),
        cmocka_unit_test(errors_gain_a_phrase_at_each_level),
        cmocka_unit_test(arenas_align_and_say_when_full),
        cmocka_unit_test(crc32c_is_castagnolis),
        cmocka_unit_test(what_is_closed_is_named_with_the_way_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
