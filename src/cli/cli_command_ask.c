/* ask: any path of the API, as it answers. */
#include <stdio.h>
#include <unistd.h>

#include "cli.h"
#include "cli_ask.h"
#include "terminal/terminal.h"

static int read_body(const struct command_line *line, Arena *arena, Str *ret)
{
    *ret = line->operand_count > 1 ? str_from(line->operands[1]) : STR("");
    if (!str_equal(*ret, STR("-"))) return EXIT_FINE;
    char *bytes = arena_bytes(arena, LIMIT_BODY_BYTES + 1);
    size_t length = fread(bytes, 1, LIMIT_BODY_BYTES + 1, stdin);
    *ret = str_of(bytes, length);
    if (length <= LIMIT_BODY_BYTES && !ferror(stdin)) return EXIT_FINE;
    command_complain("standard input: %s", ferror(stdin) ? "cannot be read" : "more than a body may have");
    return EXIT_USAGE;
}

static int run(const struct command_line *line, Arena *arena, struct asker **ret_asker)
{
    Str path, body, answer;
    if (line->operand_count < 1 || line->operand_count > 2) {
        command_complain("ask wants a path and perhaps a body: onym ask /api/v1/people/resolve?user_id=12345");
        return EXIT_USAGE;
    }
    path = str_from(line->operands[0]);
    if (!str_starts(path, STR("/"))) path = arena_printf(arena, "/api/v1/%.*s", STR_FORMAT(path));
    int code = read_body(line, arena, &body);
    if (!code) code = ask_open(line, arena, ret_asker);
    const char *method = command_option(line, "method");
    if (!code) code = ask(*ret_asker, str_from(method ? method : body.len ? "POST" : "GET"), path, body, &answer);
    if (code) return code;
    terminal_write(stdout, answer);
    if (answer.len && answer.bytes[answer.len - 1] != '\n') putchar('\n');
    return EXIT_FINE;
}

int command_ask(const struct command_line *line) { return ask_run(line, run); }
