/* What the commands that ask write into questions, and what they draw. */
#include "main/inquiry.h"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static char room[1 << 22];

static Arena fresh_arena(void) { return (Arena){ room, room + sizeof room }; }

static void a_filter_is_written_as_the_api_reads_it(void **state)
{
    static const struct { const char *text, *json; } cases[] = {
        { "properties.plan=Free", "{\"field\":\"properties.plan\",\"op\":\"=\",\"value\":\"Free\"}" },
        { " properties.plan != Free ", "{\"field\":\"properties.plan\",\"op\":\"!=\",\"value\":\"Free\"}" },
        { "properties.seats>=5", "{\"field\":\"properties.seats\",\"op\":\">=\",\"value\":5}" },
        { "properties.seats<-1.5e3", "{\"field\":\"properties.seats\",\"op\":\"<\",\"value\":-1.5e3}" },
        { "properties.day>2026-01-01", "{\"field\":\"properties.day\",\"op\":\">\",\"value\":\"2026-01-01\"}" },
        { "properties.seats=5", "{\"field\":\"properties.seats\",\"op\":\"in\",\"value\":[5,\"5\"]}" },
        { "properties.is_new!=true", "{\"field\":\"properties.is_new\",\"op\":\"not in\",\"value\":[true,\"true\"]}" },
        { "properties.zip=\"01067\"", "{\"field\":\"properties.zip\",\"op\":\"=\",\"value\":\"01067\"}" },
        { "properties.zip=01067", "{\"field\":\"properties.zip\",\"op\":\"=\",\"value\":\"01067\"}" },
        { "properties.zip=\"1,2\"", "{\"field\":\"properties.zip\",\"op\":\"=\",\"value\":\"1,2\"}" },
        { "properties.plan=Free,\"Pro, old\",3",
          "{\"field\":\"properties.plan\",\"op\":\"in\",\"value\":[\"Free\",\"Pro, old\",3,\"3\"]}" },
        { "properties.plan!=a,b", "{\"field\":\"properties.plan\",\"op\":\"not in\",\"value\":[\"a\",\"b\"]}" },
        { "properties.path~/sign=up", "{\"field\":\"properties.path\",\"op\":\"contains\",\"value\":\"/sign=up\"}" },
        { "properties.path!~5", "{\"field\":\"properties.path\",\"op\":\"not contains\",\"value\":\"5\"}" },
        { "traits.email", "{\"field\":\"traits.email\",\"op\":\"exists\"}" },
        { "!traits.email", "{\"field\":\"traits.email\",\"op\":\"not exists\"}" },
        { "properties.a=", "{\"field\":\"properties.a\",\"op\":\"=\",\"value\":\"\"}" },
        { "properties.a=\"", "{\"field\":\"properties.a\",\"op\":\"=\",\"value\":\"\\\"\"}" },
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        char text[512];
        struct buf out;
        buf_init_fixed(&out, text, sizeof text);
        assert_true(where_write(str_from(cases[at].text), &out));
        buf_char(&out, 0);
        assert_true(buf_ok(&out));
        assert_string_equal(text, cases[at].json);
    }
    struct buf out;
    char text[64];
    buf_init_fixed(&out, text, sizeof text);
    assert_false(where_write(STR(""), &out));
    assert_false(where_write(STR(" =5"), &out));
}

static void assert_text(Str have, const char *want)
{
    if (!str_equal(have, str_from(want))) fail_msg("%.*s is not %s", STR_FORMAT(have), want);
}

static void shares_and_durations_read_well(void **state)
{
    Arena arena = fresh_arena();
    static const struct { Millis ms; const char *text; } durations[] = {
        { 0, "0 ms" }, { 999, "999 ms" }, { 12000, "12 s" }, { 61000, "1 min 1 s" }, { 3600000, "1 h" },
        { 7500000, "2 h 5 min" }, { 86400000, "1 d" }, { 273600000, "3 d 4 h" }, { INT64_C(3888000000), "45 d" },
    };
    (void)state;
    for (size_t at = 0; at < countof(durations); at++)
        assert_text(duration_text(durations[at].ms, &arena), durations[at].text);
    assert_text(share_text(0, &arena), "0%");
    assert_text(share_text(0.5, &arena), "50.0%");
    assert_text(share_text(0.00001, &arena), "<0.1%");
    assert_text(share_text(0.99999, &arena), ">99.9%");
    assert_text(share_text(1, &arena), "100%");
    assert_text(spark_text((const double[]){ 0, 1, 4, 8 }, 4, 8, &arena), " ▂▅█");
}

/* Where a table has room for its numbers and the least of each text, it keeps within its width, whatever is in it. */
static void a_table_keeps_within_its_width(void **state)
{
    static const char *const words[] = {
        "a", "Account Created", "日本語のイベント", "evil \x1b[31m\n", "", "ü", "x",
        "a very long name of an event that nobody would give, or would they",
    };
    struct fake_dice dice;
    (void)state;
    fake_dice_init(&dice, fake_seed("table"));
    for (int round = 0; round < 500; round++) {
        Arena arena = fresh_arena();
        Terminal terminal = { .width = 40 + (unsigned)fake_dice_below(&dice, 100) };
        struct table table;
        struct buf out;
        table_open(&table, &arena, &terminal);
        table_column(&table, TABLE_TEXT, STR("name"));
        table_column(&table, TABLE_NUMBER, STR("count"));
        table_column(&table, TABLE_BAR, STR(""));
        table_column(&table, TABLE_TEXT, STR("other"));
        for (uint64_t row = 0; row < fake_dice_below(&dice, 9); row++) {
            table_row(&table);
            table_text(&table, BOLD, str_from(words[fake_dice_below(&dice, countof(words))]));
            table_printf(&table, PLAIN, "%d", (int)fake_dice_below(&dice, 100000));
            double part = (double)fake_dice_below(&dice, 101) / 100, before = (double)fake_dice_below(&dice, 101) / 100;
            table_bar(&table, CYAN, part, before);
            table_text(&table, PLAIN, str_from(words[fake_dice_below(&dice, countof(words))]));
        }
        buf_init(&out, 1 << 20);
        table_write(&table, &out);
        for (Str rest = buf_str(&out); rest.len;) {
            Str line = str_cut(rest, '\n', &rest);
            if (text_columns(line) > terminal.width)
                fail_msg("%u columns of %u: %.*s", text_columns(line), terminal.width, STR_FORMAT(line));
            assert_false(str_ends(line, STR(" ")));
            assert_false(str_contains(line, STR("\x1b")));
        }
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_is_written_as_the_api_reads_it),
        cmocka_unit_test(shares_and_durations_read_well),
        cmocka_unit_test(a_table_keeps_within_its_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
