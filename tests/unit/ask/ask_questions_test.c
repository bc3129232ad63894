/* ask/questions.tbl.h: everything that a kind of question needs comes from its rows, and nothing that it needs is
 * missing: a route, what the OpenAPI document says, a command with help, completion and manual page, a page of docs. */
#include "api/api_routes.h"
#include "cli/cli.h"
#include "main/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <unistd.h>

typedef struct Row {
    QueryKind kind;
    const char *path, *word, *schema, *page, *summary;
} Row;
static const Row rows[] = {
#define QUESTION(KIND, answer, path, word, schema, page, summary) \
    { QUERY_##KIND, "/api/v1/" path, word, #schema, page, summary },
#include "ask/questions.tbl.h"
};
static const struct { const char *name, *json; } shapes[] = {
#define SHAPE(name, ...) { #name, #__VA_ARGS__ },
#include "ask/questions.tbl.h"
};
static const struct { QueryKind kind; const char *command, *members, *wants, *summary; } commands[] = {
#define ASKED(KIND, command, operands, members, wants, summary, details) \
    { QUERY_##KIND, command, members, wants, summary },
#include "ask/questions.tbl.h"
};
static const struct { const char *command, *option, *member, *help; } options[] = {
#define MEMBER(command, letter, option, value, how, member, help) { command, option, member, help },
#include "ask/questions.tbl.h"
};

static const char *shape(const char *name)
{
    size_t at = 0;
    while (at < countof(shapes) && strcmp(shapes[at].name, name)) at++;
    if (at == countof(shapes)) fail_msg("no SHAPE(%s)", name);
    return shapes[at].json;
}

static const Row *row_of(QueryKind kind)
{
    for (size_t at = 0; at < countof(rows); at++)
        if (rows[at].kind == kind) return &rows[at];
    fail_msg("no QUESTION row of kind %d", (int)kind);
    return NULL;
}

/* One blank for any white space: help is cut into lines. */
static void squeeze(struct buf *text)
{
    size_t kept = 0;
    for (size_t at = 0; at < text->len; at++) {
        bool is_blank = text->bytes[at] == ' ' || text->bytes[at] == '\n';
        if (is_blank && kept && text->bytes[kept - 1] == ' ') continue;
        text->bytes[kept++] = is_blank ? ' ' : text->bytes[at];
    }
    text->len = kept;
    buf_char(text, '\0');
}

#define ASSERT_HAS(where, text, words) \
    if (!strstr(text, words)) fail_msg("%s: nothing like %s", where, words)

/* ---- The API ---- */

static void every_kind_has_its_route(void **state)
{
    (void)state;
    assert_int_equal(countof(rows), QUERY_KIND_COUNT);
    for (size_t at = 0; at < countof(rows); at++) {
        Str parameter;
        bool is_known;
        const Route *route = api_app.find(METHOD_POST, str_from(rows[at].path), &parameter, &is_known);
        if (!route) fail_msg("no route POST %s", rows[at].path);
        const ApiRoute *found = (const ApiRoute *)(const void *)route;
        assert_ptr_equal(found->plain, api_ask);
        assert_int_equal(found->question, rows[at].kind);
        assert_true(route->flags & ROUTE_SECRET && route->flags & ROUTE_LONG);
        assert_true(rows[at].word[0] && rows[at].summary[0]);
    }
}

static void the_openapi_document_describes_every_kind(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 4 << 20);
    api_write_openapi(&out);
    buf_char(&out, '\0');
    for (size_t at = 0; at < countof(rows); at++) {
        char words[256];
        snprintf(words, sizeof words, "\"%s\":{\"post\":{\"tags\":[\"questions\"]", rows[at].path);
        ASSERT_HAS(rows[at].path, out.bytes, words);
        const char *said = strstr(out.bytes, words), *next = strstr(said + 1, "\"operationId\"");
        next = strstr(next + 1, "\"operationId\"");
        char *operation = strndup(said, (size_t)(next - said));
        snprintf(words, sizeof words, "\"summary\":\"%s\"", rows[at].summary);
        ASSERT_HAS(rows[at].path, operation, words);
        snprintf(words, sizeof words, "#/components/schemas/%sQuestion\"", rows[at].schema);
        ASSERT_HAS(rows[at].path, operation, words);
        snprintf(words, sizeof words, "#/components/schemas/%s\"", rows[at].schema);
        ASSERT_HAS(rows[at].path, operation, words);
        free(operation);
        snprintf(words, sizeof words, "%sQuestion", rows[at].schema);
        (void)shape(words);
        (void)shape(rows[at].schema);
    }
    buf_done(&out);
}

/* ---- The command line ---- */

static char *completion(const char *shell)
{
    static char text[1 << 20];
    const Command *command = command_find(&onym_commands, STR("completion"));
    struct command_line line = { .table = &onym_commands, .command = command, .operands = &shell, .operand_count = 1 };
    int kept = dup(STDOUT_FILENO);
    FILE *file = tmpfile();
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    assert_int_equal(command_completion(&line), EXIT_FINE);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static void every_command_has_help_completion_and_its_part_of_the_manual(void **state)
{
    static const char *const shells[] = { "bash", "zsh", "fish" };
    struct buf all, man;
    (void)state;
    buf_init(&all, 1 << 20);
    buf_init(&man, 1 << 20);
    command_write_help(&all, &onym_commands, NULL, 1000);
    command_write_man(&man, &onym_commands);
    squeeze(&all);
    squeeze(&man);
    for (size_t at = 0; at < countof(commands); at++) {
        char words[256];
        const Command *command = command_find(&onym_commands, str_from(commands[at].command));
        if (!command) fail_msg("no command %s", commands[at].command);
        assert_ptr_equal(command->run, command_question);
        assert_true(commands[at].wants[0]);
        ASSERT_HAS("onym help", all.bytes, commands[at].summary);
        snprintf(words, sizeof words, ".It Cm %s", commands[at].command);
        ASSERT_HAS("the manual page", man.bytes, words);
        for (size_t shell = 0; shell < countof(shells); shell++)
            ASSERT_HAS(shells[shell], completion(shells[shell]), commands[at].command);
    }
    buf_done(&all);
    buf_done(&man);
}

static void every_option_is_in_the_help_and_its_member_in_the_schema(void **state)
{
    (void)state;
    for (size_t at = 0; at < countof(options); at++) {
        char words[64], name[64];
        struct buf help;
        size_t asked = 0;
        const Command *command = command_find(&onym_commands, str_from(options[at].command));
        if (!command) fail_msg("MEMBER(\"%s\", …) has no ASKED row", options[at].command);
        buf_init(&help, 1 << 20);
        command_write_help(&help, &onym_commands, command, 1000);
        squeeze(&help);
        snprintf(words, sizeof words, "--%s", options[at].option);
        ASSERT_HAS(options[at].command, help.bytes, words);
        ASSERT_HAS(options[at].command, help.bytes, options[at].help);
        buf_done(&help);
        while (strcmp(commands[asked].command, options[at].command)) asked++;
        Str word, member = str_cut(str_from(options[at].member), '=', &word);
        if (!member.len) continue;
        snprintf(name, sizeof name, "%sQuestion", row_of(commands[asked].kind)->schema);
        snprintf(words, sizeof words, "\"%.*s\": {", STR_FORMAT(member));
        ASSERT_HAS(name, shape(name), words);
    }
}

static void every_operand_is_a_member_of_the_schema(void **state)
{
    (void)state;
    for (size_t at = 0; at < countof(commands); at++) {
        char words[64], name[64];
        Str members = str_from(commands[at].members), how;
        snprintf(name, sizeof name, "%sQuestion", row_of(commands[at].kind)->schema);
        while (members.len) {
            Str member = str_cut(str_cut(members, ' ', &members), '=', &how);
            if (str_ends(member, STR("..."))) member.len -= 3;
            snprintf(words, sizeof words, "\"%.*s\": {", STR_FORMAT(member));
            ASSERT_HAS(name, shape(name), words);
        }
    }
}

/* ---- The pages ---- */

static char *read_page(const char *name, char text[1 << 18])
{
    char path[128];
    snprintf(path, sizeof path, "docs/%s", name);
    FILE *file = fopen(path, "r");
    if (!file) fail_msg("no page %s", path);
    text[fread(text, 1, (1 << 18) - 1, file)] = 0;
    fclose(file);
    return text;
}

/* "#sign-ups" is a heading "Sign-ups". */
static bool has_heading(const char *page, const char *anchor)
{
    for (const char *line = page; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *at = anchor;
        if (*line != '#') continue;
        while (*line == '#' || *line == ' ') line++;
        for (; *line && *line != '\n' && *at; line++, at++)
            if (*at != (*line == ' ' ? '-' : *line >= 'A' && *line <= 'Z' ? *line + 32 : *line)) break;
        if (!*at && *line == '\n') return true;
    }
    return false;
}

static void every_kind_has_its_page_and_stands_in_the_list(void **state)
{
    static char list[1 << 18], page[1 << 18];
    (void)state;
    read_page("queries.md", list);
    for (size_t at = 0; at < countof(rows); at++) {
        char name[128], words[128];
        snprintf(name, sizeof name, "%s", rows[at].page);
        char *anchor = strchr(name, '#');
        if (anchor) *anchor++ = 0;
        read_page(name, page);
        ASSERT_HAS(name, page, rows[at].path);
        if (anchor && !has_heading(page, anchor)) fail_msg("docs/%s has no heading %s", name, anchor);
        snprintf(words, sizeof words, "`%s`", rows[at].path + sizeof "/api/v1/" - 1);
        ASSERT_HAS("docs/queries.md", list, words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_its_route),
        cmocka_unit_test(the_openapi_document_describes_every_kind),
        cmocka_unit_test(every_command_has_help_completion_and_its_part_of_the_manual),
        cmocka_unit_test(every_option_is_in_the_help_and_its_member_in_the_schema),
        cmocka_unit_test(every_operand_is_a_member_of_the_schema),
        cmocka_unit_test(every_kind_has_its_page_and_stands_in_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
