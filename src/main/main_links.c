/* links, why, unmerge: the evidence of who is who, told and taken back. */
#include "person.h"

#include "inquiry.h"

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
    Str a = ask_encode(&command->arena, str_from(line->operands[0]));
    Str b = ask_encode(&command->arena, str_from(line->operands[1]));
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

/* ---- unmerge ---- */

static int write_question(const struct command_line *line, struct buf *question)
{
    int64_t position;
    bool is_position = line->operand_count == 1 && str_parse_int(str_from(line->operands[0]), 0, INT64_MAX, &position);
    if (is_position) {
        buf_printf(question, "{\"position\":%lld}", (long long)position);
        return EXIT_FINE;
    }
    if (line->operand_count != 2) {
        command_complain("unmerge wants an id and a messageId, or a position, as onym links ID shows them");
        return EXIT_USAGE;
    }
    buf_str_put(question, STR("{\"id\":"));
    buf_json_string(question, str_from(line->operands[0]));
    buf_str_put(question, STR(",\"message_id\":"));
    buf_json_string(question, str_from(line->operands[1]));
    buf_char(question, '}');
    return EXIT_FINE;
}

static int run_unmerge(struct person_command *command)
{
    bool restores = command_has(command->line, "restore");
    const TreeNode *answer;
    struct buf question;
    char bytes[4096];
    Str text;
    buf_init_fixed(&question, bytes, sizeof bytes);
    int code = write_question(command->line, &question);
    if (!code && !buf_ok(&question)) {
        command_complain("an id is too long");
        code = EXIT_USAGE;
    }
    Str path = restores ? STR("/api/v1/people/restore") : STR("/api/v1/people/unmerge");
    if (!code) code = person_ask(command, "POST", path, buf_str(&question), &text, &answer);
    if (code) return code;
    if (command->is_json) {
        put_json(command, text);
        return EXIT_FINE;
    }
    buf_str_put(&command->out, STR("message "));
    (void)terminal_put(&command->out, event_tree_text(answer, "message_id"), 0, 0);
    if (restores) buf_str_put(&command->out, STR(" links again\n"));
    else buf_printf(&command->out, " links no more; onym unmerge %.*s --restore undoes that\n",
                    STR_FORMAT(event_tree_text(answer, "position")));
    const TreeNode *people = event_tree_get(answer, STR("people"));
    for (const TreeNode *person = people ? people->first : NULL; person; person = person->next) {
        buf_char(&command->out, '\n');
        person_draw_head(command, person);
    }
    return EXIT_FINE;
}

int command_unmerge(const struct command_line *line) { return person_run(line, run_unmerge); }
