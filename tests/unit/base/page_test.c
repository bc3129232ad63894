/* page: what a page wrote is read back, in the bytes that clients hold; nothing else is. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define MOST ((uint64_t)INT64_MAX)

/* These bytes are with clients: a change of one is a change of the API. */
static void a_cursor_has_the_bytes_it_always_had(void **state)
{
    static const struct { PageKind kind; PageCursor cursor; const char *text; } rows[] = {
        { PAGE_NUMBER, { .number = 0 }, "0" },
        { PAGE_NUMBER, { .number = 25 }, "25" },
        { PAGE_NUMBER, { .number = MOST }, "9223372036854775807" },
        { PAGE_EVENT, { .time_ms = 1767225600000, .number = 4711 }, "1767225600000-4711" },
        { PAGE_EVENT, { .time_ms = -5, .number = 7 }, "-5-7" },
        { PAGE_EVENT, { .time_ms = INT64_MIN, .number = MOST }, "-9223372036854775808-9223372036854775807" },
        { PAGE_NEXT_EVENT, { .time_ms = 1767225600000, .number = 4711 }, "4711.1767225600000" },
        { PAGE_NEXT_EVENT, { .time_ms = -5, .number = 0 }, "0.-5" },
        { PAGE_PERSON, { .time_ms = 1767225600000, .number = 17 }, "1767225600000.17" },
        { PAGE_PERSON, { .time_ms = INT64_MIN, .number = UINT32_MAX }, "-9223372036854775808.4294967295" },
        { PAGE_HASH, { .hash = { .high = 0x0123456789abcdef, .low = 0xfedcba9876543210 } },
          "m0123456789abcdeffedcba9876543210" },
        { PAGE_HASH, { .hash = { .high = 0, .low = 1 } }, "m00000000000000000000000000000001" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        char room[PAGE_CURSOR_BYTES];
        PageCursor back;
        Err err;
        assert_true(str_equal(page_write(rows[at].kind, rows[at].cursor, room), str_from(rows[at].text)));
        assert_int_equal(page_read(rows[at].kind, MOST, str_from(rows[at].text), "cursor", &back, &err), OK);
        assert_memory_equal(&back, &rows[at].cursor, sizeof back);
    }
}

static void the_first_page_has_an_empty_one(void **state)
{
    (void)state;
    for (PageKind kind = 0; kind < PAGE_KINDS; kind++) {
        PageCursor cursor, none = { 0 };
        memset(&cursor, 0xff, sizeof cursor);
        assert_int_equal(page_read(kind, 0, (Str){ 0 }, "cursor", &cursor, NULL), OK);
        assert_memory_equal(&cursor, &none, sizeof cursor);
    }
}

static void what_no_page_gave_is_refused_by_the_fields_name(void **state)
{
    static const struct { PageKind kind; uint64_t most; const char *text; } rows[] = {
        { PAGE_NUMBER, MOST, "-1" }, { PAGE_NUMBER, MOST, "25 " }, { PAGE_NUMBER, MOST, " 25" },
        { PAGE_NUMBER, MOST, "9223372036854775808" }, { PAGE_NUMBER, 24, "25" }, { PAGE_NUMBER, MOST, "0x19" },
        { PAGE_NUMBER, MOST, "2.5" }, { PAGE_NUMBER, MOST, "1767225600000-4711" }, { PAGE_NUMBER, MOST, "m" },
        { PAGE_EVENT, MOST, "-" }, { PAGE_EVENT, MOST, "5-" }, { PAGE_EVENT, MOST, "-5" }, { PAGE_EVENT, MOST, "5--7" },
        { PAGE_EVENT, MOST, "5.7" }, { PAGE_EVENT, 6, "5-7" }, { PAGE_EVENT, MOST, "5-7-" }, { PAGE_EVENT, MOST, "5" },
        { PAGE_NEXT_EVENT, MOST, "." }, { PAGE_NEXT_EVENT, MOST, "-1.5" }, { PAGE_NEXT_EVENT, MOST, "1." },
        { PAGE_NEXT_EVENT, MOST, "1.2.3" }, { PAGE_NEXT_EVENT, MOST, "1.9223372036854775808" },
        { PAGE_PERSON, UINT32_MAX, "5.4294967296" }, { PAGE_PERSON, UINT32_MAX, "5.-1" }, { PAGE_PERSON, MOST, "5" },
        { PAGE_HASH, MOST, "m" }, { PAGE_HASH, MOST, "m0123456789abcdeffedcba987654321" },
        { PAGE_HASH, MOST, "m0123456789abcdeffedcba98765432100" },
        { PAGE_HASH, MOST, "x0123456789abcdeffedcba9876543210" },
        { PAGE_HASH, MOST, "m0123456789ABCDEFFEDCBA9876543210" }, { PAGE_HASH, MOST, "25" },
        { PAGE_KINDS, MOST, "25" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        PageCursor cursor = { .number = 42 };
        Err err = { 0 };
        if (page_read(rows[at].kind, rows[at].most, str_from(rows[at].text), "next", &cursor, &err) != ERR_INPUT)
            fail_msg("%s", rows[at].text);
        assert_string_equal(err.field, "next");
        assert_int_equal(cursor.number, 42);
    }
    PageCursor cursor;
    Str with_nul = str_of("m0000000000000000000000000000000\0", 33);
    assert_int_equal(page_read(PAGE_HASH, MOST, with_nul, "next", &cursor, NULL), ERR_INPUT);
}

static void a_list_says_where_it_goes_on(void **state)
{
    char bytes[200];
    struct buf out;
    (void)state;
    buf_init_fixed(&out, bytes, sizeof bytes);
    json_object(&out, NULL);
    page_put(&out, STR("5-\"7"));
    json_object_end(&out);
    assert_true(str_equal(buf_str(&out), STR("{\"cursor\":{\"has_more\":true,\"next\":\"5-\\\"7\"}}")));
    buf_clear(&out);
    json_object(&out, NULL);
    page_put(&out, (Str){ 0 });
    json_object_end(&out);
    assert_true(str_equal(buf_str(&out), STR("{\"cursor\":{\"has_more\":false,\"next\":null}}")));
}

/* Any bytes: never more than a refusal; what is read is written again in a form that reads the same. */
static void any_bytes_are_refused_or_mean_one_thing(void **state)
{
    static const char alphabet[] = "0123456789.-mabcdef";
    (void)state;
    srand(11);
    for (int round = 0; round < 200000; round++) {
        char text[40], room[PAGE_CURSOR_BYTES];
        size_t len = 1 + (size_t)rand() % (sizeof text - 1);
        PageKind kind = (PageKind)(rand() % PAGE_KINDS);
        PageCursor cursor, again;
        for (size_t at = 0; at < len; at++)
            text[at] = rand() % 50 ? alphabet[(size_t)rand() % (sizeof alphabet - 1)] : (char)rand();
        if (page_read(kind, MOST, str_of(text, len), "cursor", &cursor, NULL)) continue;
        assert_int_equal(page_read(kind, MOST, page_write(kind, cursor, room), "cursor", &again, NULL), OK);
        assert_memory_equal(&cursor, &again, sizeof again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_has_the_bytes_it_always_had),
        cmocka_unit_test(the_first_page_has_an_empty_one),
        cmocka_unit_test(what_no_page_gave_is_refused_by_the_fields_name),
        cmocka_unit_test(a_list_says_where_it_goes_on),
        cmocka_unit_test(any_bytes_are_refused_or_mean_one_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
