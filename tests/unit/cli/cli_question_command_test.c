/* What the commands that ask write into questions, and what they draw. */
#include "cli/cli_question_command.h"
#include "main/commands.h"
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

static void a_cell_of_csv_is_never_a_formula(void **state)
{
    static const struct { const char *text, *cell; } rows[] = {
        { "=1+1", "'=1+1" }, { "+SUM(A1)", "'+SUM(A1)" }, { "-2+3", "'-2+3" }, { "@x", "'@x" }, { "\t=1", "'\t=1" },
        { "\r=1", "\"'\r=1\"" }, { "=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0" }, { "＝1", "'＝1" }, { "-", "'-" },
        { "=A,\"B\"", "\"'=A,\"\"B\"\"\"" }, { "-5", "-5" }, { "+4.25", "+4.25" }, { "12", "12" }, { "", "" },
        { "a=b", "a=b" }, { "a@b.c", "a@b.c" }, { "+49 30 1", "'+49 30 1" }, { "--5", "'--5" }, { "1-2", "1-2" },
        { "\u00ad=1", "'\u00ad=1" }, { "\u3164\ufeff@x", "'\u3164\ufeff@x" }, { "\u2800a", "\u2800a" },
        { "\u200b-5", "\u200b-5" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        struct question_command command = { .arena = fresh_arena() };
        buf_init(&command.out, 4096);
        csv_begin(&command, "t");
        csv_text(&command, str_from(rows[at].text));
        Str cell = str_slice(buf_str(&command.out), 3, command.out.len);
        if (!str_equal(cell, str_from(rows[at].cell))) fail_msg("%s: %.*s", rows[at].text, STR_FORMAT(cell));
        buf_done(&command.out);
    }
}

static void what_moves_a_terminal_is_made_visible_and_json_stays_the_same(void **state)
{
    static const struct { const char *text, *shown; } rows[] = {
        { "\x1b[31m", "\\u001b[31m" }, { "\x9b", "\\ufffd" }, { "\xc2\x9b" "2J", "\\u009b2J" }, { "\x7f", "\\u007f" },
        { "\xe2\x80\xae" "abc", "\\u202eabc" }, { "\xe2\x81\xa6", "\\u2066" }, { "\xe2\x80\x8f", "\\u200f" },
        { "\xd8\x9c", "\\u061c" }, { "\xf3\xa0\x80\xa1", "\\udb40\\udc21" }, { "\xef\xbb\xbf", "\\ufeff" },
        { "a\nb\tc", "a\nb\tc" }, { "a\r\nb", "a\r\nb" }, { "a\rb", "a\\u000db" }, { "\b\a", "\\u0008\\u0007" },
        { "\xc3\xa4\xe6\x97\xa5\xf0\x9f\x9b\x92", "\xc3\xa4\xe6\x97\xa5\xf0\x9f\x9b\x92" }, { "\\u001b", "\\u001b" },
        { "a\u00adb", "a\\u00adb" }, { "\u3164\u2800\uffa0", "\\u3164\\u2800\\uffa0" },
        { "a\u200b\u200d", "a\\u200b\\u200d" },
        { "\u2764\ufe0f\u200d\U0001f525", "\u2764\ufe0f\u200d\U0001f525" }, { "a\ufe0f\u2061", "a\\ufe0f\\u2061" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        struct buf out;
        buf_init(&out, 4096);
        terminal_make_visible(&out, str_from(rows[at].text));
        if (!str_equal(buf_str(&out), str_from(rows[at].shown))) fail_msg("%zu: %.*s", at, STR_FORMAT(buf_str(&out)));
        buf_done(&out);
    }
}

/* ---- By the rows of ask/questions.tbl.h ---- */

static void operands_and_options_become_members(void **state)
{
    static const struct { const char *words[16], *question; } cases[] = {
        { { "retention", "A" }, "{\"birth\":\"A\"}" },
        { { "retention", "A", "*", "--unit", "week", "--week-start", "sunday", "--periods", "4", "--first", "ever" },
          "{\"birth\":\"A\",\"return\":\"*\",\"unit\":\"week\",\"week_start\":\"sunday\",\"first\":\"ever\","
          "\"periods\":4}" },
        { { "paths", "{\"event\":\"A\"}" }, "{\"event\":{\"event\":\"A\"}}" },
        { { "paths", "A", "--before", "--collapse", "-e", "B", "-e", "page:/x", "--from", "2026-01-31" },
          "{\"event\":\"A\",\"from\":\"2026-01-31\",\"direction\":\"before\",\"events\":[\"B\",\"page:/x\"],"
          "\"collapse\":true}" },
        { { "signups" }, "{}" },
        { { "signups", "--where", "properties.plan=Free", "--limit", "3" },
          "{\"where\":[{\"field\":\"properties.plan\",\"op\":\"=\",\"value\":\"Free\"}],\"limit\":3}" },
        { { "events", "{x", "--field", "5" }, "{\"search\":\"{x\",\"field\":\"5\"}" },     /* texts, both of them */
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        struct question_command command = { .arena = fresh_arena() };
        struct command_line line;
        char *words[17] = { 0 };
        int count = 0;
        for (; cases[at].words[count + 1]; count++) words[count] = (char *)(uintptr_t)cases[at].words[count + 1];
        const Command *row = command_find(&onym_commands, str_from(cases[at].words[0]));
        assert_int_equal(command_parse(&onym_commands, row, count, words, &line), EXIT_FINE);
        command.line = &line;
        buf_init(&command.question, 4096);
        json_object(&command.question, NULL);
        assert_int_equal(question_rows(&command), EXIT_FINE);
        json_object_end(&command.question);
        buf_char(&command.question, '\0');
        assert_string_equal(command.question.bytes, cases[at].question);
        buf_done(&command.question);
    }
}

static void show(const char *answer, void (*write)(struct question_command *command), const char *shown)
{
    struct question_command command = { .arena = fresh_arena() };
    buf_init(&command.out, 4096);
    assert_int_equal(event_tree_read(str_from(answer), &command.arena, &command.answer, NULL), OK);
    write(&command);
    buf_char(&command.out, '\0');
    assert_string_equal(command.out.bytes, shown);
    buf_done(&command.out);
}

static void an_answer_that_nobody_draws_is_shown_as_its_lists(void **state)
{
    static const char answer[] = "{\"people\":1234,\"best\":null,\"places\":[{\"place\":\"Bonn\",\"people\":5000},"
        "{\"place\":\"=1+1\",\"people\":7},{\"people\":1}],\"days\":[],\"rows\":9,\"warnings\":[{\"field\":null}],"
        "\"complete\":true}";
    (void)state;
    show(answer, lists_draw, "people: 1,234\nbest: (none)\n\n"
                             "place   people\nBonn     5,000\n=1+1         7\n(none)       1\n");
    show(answer, lists_write_csv, "place,people\r\nBonn,5000\r\n'=1+1,7\r\n,1\r\n");
    show("{\"people\":3,\"rows\":9}", lists_write_csv, "name,value\r\npeople,3\r\n");
    show("{\"days\":[\"Mon\",\"Tue\"]}", lists_draw, "days\nMon\nTue\n");
    show("{\"days\":[\"Mon\",\"Tue\"]}", lists_write_csv, "days\r\nMon\r\nTue\r\n");
    show("{}", lists_draw, "");
}

static void an_answer_that_is_not_of_everything_says_so(void **state)
{
    static const struct { const char *answer, *said; } rows[] = {
        { "{\"complete\":false,\"behind\":{\"share_applied\":0.7864,\"ms\":1013,\"is_starting\":true}}", "78.6 %" },
        { "{\"complete\":false,\"behind\":{\"share_applied\":0.99999,\"ms\":1,\"is_starting\":false}}", "99.9 %" },
        { "{\"complete\":true,\"behind\":null}", NULL }, { "{\"people\":3}", NULL },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        struct question_command command = { .arena = fresh_arena() };
        char said[512] = "";
        FILE *to = fmemopen(said, sizeof said, "w");
        assert_int_equal(event_tree_read(str_from(rows[at].answer), &command.arena, &command.answer, NULL), OK);
        question_put_incomplete(&command, to);
        fclose(to);
        assert_int_equal(said[0] != 0, rows[at].said != NULL);
        if (!rows[at].said) continue;
        assert_non_null(strstr(said, "onym: not all events are counted yet"));
        assert_non_null(strstr(said, rows[at].said));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_is_written_as_the_api_reads_it),
        cmocka_unit_test(shares_and_durations_read_well),
        cmocka_unit_test(a_cell_of_csv_is_never_a_formula),
        cmocka_unit_test(what_moves_a_terminal_is_made_visible_and_json_stays_the_same),
        cmocka_unit_test(a_table_keeps_within_its_width),
        cmocka_unit_test(operands_and_options_become_members),
        cmocka_unit_test(an_answer_that_nobody_draws_is_shown_as_its_lists),
        cmocka_unit_test(an_answer_that_is_not_of_everything_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
