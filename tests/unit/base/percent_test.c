/* percent: every byte there and back, what is no escape, and no room. */
#include "base/percent.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static Arena arena_in(char *bytes, size_t count) { return (Arena){ bytes, bytes + count }; }

static void every_byte_survives_both_alphabets(void **state)
{
    (void)state;
    static const char *const alphabets[] = { PERCENT_URL, PERCENT_COMPONENT, "" };
    for (size_t at = 0; at < countof(alphabets); at++)
        for (int c = 0; c < 256; c++) {
            char room[64], text[3] = { 'a', (char)c, '%' };
            Arena arena = arena_in(room, sizeof room);
            Str encoded = percent_encode(&arena, str_of(text, 3), alphabets[at]);
            assert_int_equal(encoded.bytes[encoded.len], 0);
            for (size_t byte = 0; byte < encoded.len; byte++)
                assert_true(encoded.bytes[byte] == '%' || is_plain(encoded.bytes[byte], alphabets[at]));
            assert_true(str_equal(percent_decode(encoded, true, &arena), str_of(text, 3)));
        }
}

static void alphabets_are_what_their_names_say(void **state)
{
    (void)state;
    char room[256];
    Arena arena = arena_in(room, sizeof room);
    Str text = STR("aZ09 -._~!*'()/?&=+%\xc3\xa9");
    assert_true(str_equal(percent_encode(&arena, text, PERCENT_URL),
                          STR("aZ09%20-._~%21%2A%27%28%29%2F%3F%26%3D%2B%25%C3%A9")));
    arena = arena_in(room, sizeof room);
    assert_true(str_equal(percent_encode(&arena, text, PERCENT_COMPONENT),
                          STR("aZ09%20-._~!*'()%2F%3F%26%3D%2B%25%C3%A9")));
}

static void what_is_no_escape_stays(void **state)
{
    (void)state;
    static const struct { const char *text, *with_plus, *without; } rows[] = {
        { "", "", "" }, { "%", "%", "%" }, { "%4", "%4", "%4" }, { "%41", "A", "A" }, { "%4g", "%4g", "%4g" },
        { "%%41", "%A", "%A" }, { "%2541", "%41", "%41" }, { "a+b%2B", "a b+", "a+b+" }, { "%c3%A9", "é", "é" },
        { "100%", "100%", "100%" }, { "% 41", "% 41", "% 41" }, { "%-1", "%-1", "%-1" }, { "++", "  ", "++" },
    };
    for (size_t at = 0; at < countof(rows); at++) {
        char room[256];
        Arena arena = arena_in(room, sizeof room);
        assert_true(str_equal(percent_decode(str_from(rows[at].text), true, &arena), str_from(rows[at].with_plus)));
        assert_true(str_equal(percent_decode(str_from(rows[at].text), false, &arena), str_from(rows[at].without)));
    }
}

/* With each ceiling: the buf's sticky error, and nothing after its end. */
static void no_room_is_the_bufs_error(void **state)
{
    (void)state;
    for (size_t room = 0; room < 12; room++) {
        char bytes[16];
        memset(bytes, '~', sizeof bytes);
        struct buf out;
        buf_init_fixed(&out, bytes, room);
        buf_percent_encode(&out, STR("a b/"), PERCENT_URL);
        assert_int_equal(buf_ok(&out), room >= strlen("a%20b%2F"));
        for (size_t at = room; at < sizeof bytes; at++) assert_int_equal(bytes[at], '~');
        buf_init_fixed(&out, bytes, room);
        buf_percent_decode(&out, STR("a%20b%2F"), false);
        assert_int_equal(buf_ok(&out), room >= strlen("a b/"));
    }
}

static void a_text_of_none_is_none(void **state)
{
    (void)state;
    char bytes[8];
    struct buf out;
    buf_init_fixed(&out, bytes, sizeof bytes);
    buf_percent_encode(&out, (Str){ 0 }, "");
    buf_percent_decode(&out, (Str){ 0 }, true);
    assert_true(buf_ok(&out) && out.len == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_of_none_is_none),
        cmocka_unit_test(every_byte_survives_both_alphabets),
        cmocka_unit_test(alphabets_are_what_their_names_say),
        cmocka_unit_test(what_is_no_escape_stays),
        cmocka_unit_test(no_room_is_the_bufs_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
