/* links, why: shows the evidence of who is who. */
#include "cli.h"
#include "cli_person.h"

#include "cli_question_command.h"

static void put_json(struct person_command *command, Str text)
{
    buf_str_put(&command->out, text);
    buf_char(&command->out, '\n');
}

/* ---- links ---- */

static int run_links(struct person_command *command)
{
    const TreeNode *person, *answer;
    Str text;
    if (command->line->operand_count != 1) {
        command_complain("links wants one id: onym links 12345");
        return EXIT_USAGE;
    }
    int code = person_find(command, command->line->operands[0], &text, &person);
    if (!code)
        code = person_ask(command, "GET", person_path(command, person, "/links"), (Str){ 0 }, &text, &answer);
    if (code) return code;
    if (command->is_json) put_json(command, text);
    else person_draw_links(command, event_tree_get(answer, STR("links")));
    return EXIT_FINE;
}

int command_links(const struct command_line *line) { return person_run(line, run_links); }

/* ---- why ---- */

static int run_why(struct person_command *command)
{
    const struct command_line *line = command->line;
    const TreeNode *answer;
    Str text;
    if (line->operand_count != 2) {
        command_complain("why wants two ids: onym why 12345 a-7f3e");
        return EXIT_USAGE;
    }
    Str a = percent_encode(&command->arena, str_from(line->operands[0]), PERCENT_URL);
    Str b = percent_encode(&command->arena, str_from(line->operands[1]), PERCENT_URL);
    Str path = arena_printf(&command->arena, "/api/v1/people/why?ids=%.*s,%.*s", STR_FORMAT(a), STR_FORMAT(b));
    int code = person_ask(command, "GET", path, (Str){ 0 }, &text, &answer);
    if (code) return code;
    if (command->is_json) {
        put_json(command, text);
        return EXIT_FINE;
    }
    const TreeNode *links = event_tree_get(answer, STR("links")), *at = event_tree_get(answer, STR("at"));
    buf_str_put(&command->out, event_tree_text(answer, "text"));
    buf_char(&command->out, '\n');
    if (event_tree_is_given(at)) {
        buf_str_put(&command->out, STR("the id between them: "));
        (void)terminal_put(&command->out, person_node_text(command, at), 0, 0);
        buf_char(&command->out, '\n');
    }
    if (links && links->first) {
        buf_char(&command->out, '\n');
        person_draw_links(command, links);
    }
    return EXIT_FINE;
}

int command_why(const struct command_line *line) { return person_run(line, run_why); }
