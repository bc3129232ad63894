/* terminal_table: columns line up, bars take what is left, texts are cut only where they must be; shares and durations
 * in words. */
#include "terminal/terminal_table.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct region region;
static struct buf out;

static int set_up(void **state)
{
    (void)state;
    region_open(&region, 1 << 20);
    buf_init(&out, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    region_close(&region);
    buf_done(&out);
    return 0;
}

/* Three rows of a text, a number and a bar, for a terminal of that width (0: a pipe), without colours. */
static const char *written(unsigned width, const char *const names[3])
{
    static const int counts[] = { 12345, 70, 0 };
    Terminal terminal = { .width = width };
    Arena arena = region_arena(&region);
    struct table table;
    table_open(&table, &arena, &terminal);
    table_column(&table, TABLE_TEXT, STR("event"));
    table_column(&table, TABLE_NUMBER, STR("people"));
    table_column(&table, TABLE_BAR, STR(""));
    for (int at = 0; at < 3; at++) {
        table_row(&table);
        table_text(&table, PLAIN, str_from(names[at]));
        table_printf(&table, PLAIN, "%d", counts[at]);
        table_bar(&table, PLAIN, counts[at] / 12345.0, 0);
    }
    buf_clear(&out);
    table_write(&table, &out);
    buf_char(&out, 0);
    return out.bytes;
}

static void columns_line_up_and_no_line_ends_in_spaces(void **state)
{
    (void)state;
    const char *text = written(40, (const char *const[]){ "Song Played", "page:/", "Sign-up" });
    assert_string_equal(text, "event        people\n"
                        "Song Played   12345  ███████████████████\n"
                        "page:/           70  ▏\n"                  /* more than nothing is seen to be */
                        "Sign-up           0\n");
}

static void wide_and_combining_characters_take_their_columns(void **state)
{
    (void)state;
    written(40, (const char *const[]){ "日本語", "e\xcc\x81", "abcdef" });
    Str rest = buf_str(&out), line;
    line = str_cut(rest, '\n', &rest);
    for (int at = 0; at < 3; at++) {
        line = str_cut(rest, '\n', &rest);
        size_t digit = 0;
        while (digit < line.len && (line.bytes[digit] < '0' || line.bytes[digit] > '9')) digit++;
        size_t end = digit;
        while (end < line.len && line.bytes[end] >= '0' && line.bytes[end] <= '9') end++;
        assert_int_equal(text_columns(str_slice(line, 0, end)), 6 + GAP + 6);      /* numbers end below each other */
    }
}

static void no_line_is_wider_than_its_terminal_unless_it_cannot_be_less(void **state)
{
    static const char *const names[] = { "a name that is much longer than there is room for in most terminals", "x",
                                         "\x1b[31mhostile\n" };
    (void)state;
    for (unsigned width = 30; width < 200; width++) {
        written(width, names);
        Str rest = buf_str(&out);
        assert_false(str_contains(rest, STR("\x1b")));
        rest.len--;                                          /* the NUL */
        for (int lines = 0; rest.len; lines++) {
            Str line = str_cut(rest, '\n', &rest);
            assert_true(text_columns(line) <= width);
            assert_true(lines < 4);
        }
    }
    assert_true(str_contains(str_from(written(0, names)), STR("longer than there is room for in most terminals")));
}

static void shares_and_durations_are_said_in_words(void **state)
{
    static const struct { double share; const char *text; } shares[] = {
        { 0, "0%" }, { 0.5, "50.0%" }, { 1, "100%" }, { 0.0005, "<0.1%" }, { 0.9995, ">99.9%" }, { 0.001, "0.1%" },
    };
    static const struct { Millis ms; const char *text; } durations[] = {
        { 0, "0 ms" }, { 850, "850 ms" }, { 12000, "12 s" }, { 312000, "5 min 12 s" }, { 7500000, "2 h 5 min" },
        { 3600000, "1 h" }, { 273600000, "3 d 4 h" }, { INT64_C(40) * 86400000 + 3600000, "40 d" },
    };
    (void)state;
    Arena arena = region_arena(&region);
    for (size_t at = 0; at < countof(shares); at++)
        assert_true(str_equal(share_text(shares[at].share, &arena), str_from(shares[at].text)));
    for (size_t at = 0; at < countof(durations); at++)
        assert_true(str_equal(duration_text(durations[at].ms, &arena), str_from(durations[at].text)));
}

static void a_spark_has_a_character_a_value(void **state)
{
    (void)state;
    Arena arena = region_arena(&region);
    const double values[] = { 0, 0.01, 4, 8, 9 };
    assert_true(str_equal(spark_text(values, countof(values), 8, &arena), STR(" ▁▅██")));
    assert_true(str_equal(spark_text(values, 2, 0, &arena), STR("  ")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_line_up_and_no_line_ends_in_spaces),
        cmocka_unit_test(wide_and_combining_characters_take_their_columns),
        cmocka_unit_test(no_line_is_wider_than_its_terminal_unless_it_cannot_be_less),
        cmocka_unit_test(shares_and_durations_are_said_in_words),
        cmocka_unit_test(a_spark_has_a_character_a_value),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
