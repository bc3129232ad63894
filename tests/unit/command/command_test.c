/* command, base/nearest, terminal: what is typed, and what is shown. */
#include "command/command.c"
#include "main/commands.h"
#include "terminal/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* ---- Words ---- */

static void a_slip_is_led_back_and_a_stranger_is_not(void **state)
{
    (void)state;
    static const Str words[] = { STR("listen"), STR("data"), STR("secret_key"), STR("log"), STR("tls") };
    static const struct { const char *given, *nearest; } rows[] = {
        { "lisen", "listen" }, { "Listen", "listen" }, { "listne", "listen" }, { "dat", "data" }, { "date", "data" },
        { "secretkey", "secret_key" }, { "secret-key", "secret_key" }, { "lgo", "log" }, { "tsl", "tls" },
        { "zebra", "" }, { "", "" }, { "x", "" }, { "xyzzy", "" },
    };
    for (size_t at = 0; at < countof(rows); at++)
        assert_true(str_equal(nearest_word(str_from(rows[at].given), words, countof(words)),
                              str_from(rows[at].nearest)));
    char endless[5000];
    memset(endless, 'a', sizeof endless);
    assert_int_equal(nearest_word(str_of(endless, sizeof endless), words, countof(words)).len, 0);
}

/* ---- Command lines ---- */

static struct command_line parsed;

static int parse(const char *name, int argc, char **argv)
{
    const Command *command = command_find(&onym_commands, str_from(name));
    assert_non_null(command);
    return command_parse(&onym_commands, command, argc, argv, &parsed);
}
#define PARSE(name, ...) \
    parse(name, (int)countof(((char *[]){ __VA_ARGS__ })), (char *[]){ __VA_ARGS__ })

static void the_installed_onym_is_meant_where_nothing_else_is(void **state)
{
    char dir[] = "/tmp/onym-installed-XXXXXX", file[64], here[64];
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/onym.yaml", dir);
    snprintf(here, sizeof here, "%s/onym-data", dir);
    assert_int_equal(PARSE("tail", "--json"), EXIT_FINE);
    assert_null(find_installed(&parsed, file, here));                        /* none is installed */
    fclose(fopen(file, "w"));
    assert_ptr_equal(find_installed(&parsed, file, here), file);
    static const char *const others[] = { "keys", "funnel", "import", "export", "verify", "person", "destinations" };
    for (size_t at = 0; at < countof(others); at++) {
        assert_int_equal(parse(others[at], 0, (char *[]){ NULL }), EXIT_FINE);
        assert_ptr_equal(find_installed(&parsed, file, here), file);
    }
    assert_int_equal(PARSE("tail", "--data", "elsewhere"), EXIT_FINE);       /* said: that is meant */
    assert_null(find_installed(&parsed, file, here));
    assert_int_equal(PARSE("serve", "--threads", "1"), EXIT_FINE);           /* begins one of its own */
    assert_null(find_installed(&parsed, file, here));
    assert_int_equal(PARSE("tail", "--json"), EXIT_FINE);
    fclose(fopen(here, "w"));
    assert_null(find_installed(&parsed, file, here));                        /* there is one in this directory */
    /* A variable that is set and empty says: none but the defaults. */
    assert_int_equal(unlink(here), 0);
    setenv("ONYM_CONFIG", "", 1);
    assert_null(config_file(&parsed));
    setenv("ONYM_CONFIG", "named.yaml", 1);
    assert_string_equal(config_file(&parsed), "named.yaml");
    unsetenv("ONYM_CONFIG");
    assert_int_equal(PARSE("tail", "--config", "given.yaml"), EXIT_FINE);
    assert_string_equal(config_file(&parsed), "given.yaml");
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void options_come_in_every_usual_spelling(void **state)
{
    (void)state;
    assert_int_equal(PARSE("tail", "--lines", "5"), EXIT_FINE);
    assert_string_equal(command_option(&parsed, "lines"), "5");
    assert_int_equal(PARSE("tail", "--lines=6"), EXIT_FINE);
    assert_string_equal(command_option(&parsed, "lines"), "6");
    assert_int_equal(PARSE("tail", "-n7", "--json"), EXIT_FINE);
    assert_string_equal(command_option(&parsed, "lines"), "7");
    assert_true(command_has(&parsed, "json") && !command_has(&parsed, "rejected"));
    assert_int_equal(PARSE("tail", "-n", "8", "-n", "9"), EXIT_FINE);
    assert_string_equal(command_option(&parsed, "lines"), "9");
    assert_int_equal(PARSE("tail", "--event="), EXIT_FINE);
    assert_string_equal(command_option(&parsed, "event"), "");
    Str values[2];
    assert_int_equal(PARSE("tail", "-e", "a", "--event", "b", "-ec"), EXIT_FINE);
    assert_int_equal(command_values(&parsed, "event", values, 2), 2);
    assert_true(str_equal(values[1], STR("b")));
}

static void operands_stand_anywhere_and_two_dashes_end_the_options(void **state)
{
    (void)state;
    assert_int_equal(PARSE("import", "a", "--json", "-", "--", "--b"), EXIT_FINE);
    assert_int_equal(parsed.operand_count, 3);
    assert_string_equal(parsed.operands[0], "a");
    assert_string_equal(parsed.operands[1], "-");
    assert_string_equal(parsed.operands[2], "--b");
}

static void help_beats_everything(void **state)
{
    (void)state;
    assert_int_equal(PARSE("tail", "--json", "--help"), EXIT_FINE);
    assert_string_equal(parsed.command->name, "help");
    assert_string_equal(parsed.operands[0], "tail");
}

static void every_option_is_explained_in_the_help_of_its_command(void **state)
{
    (void)state;
    for (size_t at = 0; at < onym_commands.command_count; at++) {
        struct buf buf;
        buf_init(&buf, 64 * 1024);
        command_write_help(&buf, &onym_commands, &onym_commands.commands[at], 80);
        assert_true(buf_ok(&buf));
        for (size_t option = 0; option < onym_commands.option_count; option++) {
            char flag[64];
            if (strcmp(onym_commands.options[option].command, onym_commands.commands[at].name)) continue;
            snprintf(flag, sizeof flag, "--%s", onym_commands.options[option].name);
            assert_true(str_contains(buf_str(&buf), str_from(flag)));
        }
        for (Str rest = buf_str(&buf); rest.len;) assert_true(text_columns(str_cut(rest, '\n', &rest)) <= 110);
        buf_done(&buf);
    }
    for (size_t option = 0; option < onym_commands.option_count; option++)
        assert_non_null(command_find(&onym_commands, str_from(onym_commands.options[option].command)));
}

/* ---- Columns ---- */

static void texts_take_the_columns_that_they_are_given(void **state)
{
    (void)state;
    static const struct { const char *text, *shown; unsigned least, most, columns; } rows[] = {
        { "abc", "abc  ", 5, 5, 5 },
        { "abcdef", "abcd…", 5, 5, 5 },
        { "abcdef", "abcdef", 5, 0, 6 },
        { "日本語", "日本語", 0, 6, 6 },
        { "日本語", "日本…", 0, 5, 5 },
        { "日本語", "日… ", 4, 4, 4 },
        { "e\xcc\x81t\xc3\xa9", "e\xcc\x81t\xc3\xa9 ", 4, 4, 4 },
        { "a\x1b[31mb\n\x07", "a?[31mb??", 0, 0, 9 },
        { "\xff\xfe\x80", "???", 0, 0, 3 },
        { "\xc2\x9b" "x\xe2\x80\xae", "?x?", 0, 0, 3 },
        { "\xed\xa0\x80", "???", 0, 0, 3 },
        { "", "  ", 2, 2, 2 },
        { "ab", "…", 0, 1, 1 },
    };
    for (size_t at = 0; at < countof(rows); at++) {
        char out[128];
        struct buf buf;
        buf_init_fixed(&buf, out, sizeof out);
        assert_int_equal(terminal_put(&buf, str_from(rows[at].text), rows[at].least, rows[at].most), rows[at].columns);
        assert_true(str_equal(buf_str(&buf), str_from(rows[at].shown)));
    }
}

static void numbers_read_well(void **state)
{
    (void)state;
    static const struct { uint64_t number; const char *count, *bytes; } rows[] = {
        { 0, "0", "0 B" }, { 999, "999", "999 B" }, { 1000, "1,000", "1.0 kB" }, { 12345, "12,345", "12 kB" },
        { 9949999, "9,949,999", "9.9 MB" }, { 1234567890, "1,234,567,890", "1.2 GB" },
        { UINT64_MAX, "18,446,744,073,709,551,615", "18447 PB" },
    };
    char text[32];
    for (size_t at = 0; at < countof(rows); at++) {
        assert_string_equal(count_text(rows[at].number, text, sizeof text), rows[at].count);
        assert_string_equal(bytes_text(rows[at].number, text, sizeof text), rows[at].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_is_led_back_and_a_stranger_is_not),
        cmocka_unit_test(the_installed_onym_is_meant_where_nothing_else_is),
        cmocka_unit_test(options_come_in_every_usual_spelling),
        cmocka_unit_test(operands_stand_anywhere_and_two_dashes_end_the_options),
        cmocka_unit_test(help_beats_everything),
        cmocka_unit_test(every_option_is_explained_in_the_help_of_its_command),
        cmocka_unit_test(texts_take_the_columns_that_they_are_given),
        cmocka_unit_test(numbers_read_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
