/* unmerge: takes evidence back, or restores it: of one message, or (--between) of every message that links two ids.
 * A browser sends both ids with each call, so a wrong link is in as many messages as there were calls. */
#include "cli.h"
#include "cli_person.h"

#include "cli_question_command.h"

enum { BETWEEN_MESSAGES_MAX = 100000 };

static void put_json(struct person_command *command, Str text)
{
    buf_str_put(&command->out, text);
    buf_char(&command->out, '\n');
}

static Str command_path(const struct person_command *command)
{
    return command_has(command->line, "restore") ? STR("/api/v1/people/restore") : STR("/api/v1/people/unmerge");
}

/* ---- Of one message ---- */

static int write_question(const struct command_line *line, struct buf *question)
{
    int64_t position;
    bool is_position = line->operand_count == 1 && str_parse_int(str_from(line->operands[0]), 0, INT64_MAX, &position);
    if (is_position) {
        json_object(question, NULL);
        json_int(question, "position", position);
        json_object_end(question);
        return EXIT_FINE;
    }
    if (line->operand_count != 2) {
        command_complain("unmerge wants an id and a messageId, or a position, as onym links ID shows them; "
                         "or --between ID ID");
        return EXIT_USAGE;
    }
    json_object(question, NULL);
    json_string(question, "id", str_from(line->operands[0]));
    json_string(question, "message_id", str_from(line->operands[1]));
    json_object_end(question);
    return EXIT_FINE;
}

static int run_message(struct person_command *command)
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
    if (!code) code = person_ask(command, "POST", command_path(command), buf_str(&question), &text, &answer);
    if (code) return code;
    if (command->is_json) {
        put_json(command, text);
        return EXIT_FINE;
    }
    buf_str_put(&command->out, STR("message "));
    (void)terminal_put(&command->out, event_tree_text(answer, "message_id"), 0, 0);
    const TreeNode *changed = event_tree_get(answer, STR("changed"));
    if (changed && !changed->truth)
        buf_str_put(&command->out, restores ? STR(": none of its links was taken back; nothing changed\n")
                                            : STR(": no link of it counted; nothing changed\n"));
    else if (restores) buf_str_put(&command->out, STR(" links again\n"));
    else buf_printf(&command->out, " no longer links; onym unmerge %.*s --restore undoes that\n",
                    STR_FORMAT(event_tree_text(answer, "position")));
    const TreeNode *people = event_tree_get(answer, STR("people"));
    for (const TreeNode *person = people ? people->first : NULL; person; person = person->next) {
        buf_char(&command->out, '\n');
        person_draw_head(command, person);
    }
    return EXIT_FINE;
}

/* ---- Of every message between two ids ---- */

struct between {
    struct person_command *command;
    bool restores;
    struct buf positions;                   /* "108,432": done so far */
    size_t count;
};

static bool is_named(const TreeNode *node, Str id)
{
    Str type = event_tree_text(node, "type"), value = event_tree_text(node, "id");
    if (str_equal(value, id)) return true;
    return id.len == type.len + 1 + value.len && str_starts(id, type) && id.bytes[type.len] == ':'
        && str_equal(str_slice(id, type.len + 1, id.len), value);
}

static bool is_between(const struct between *between, const TreeNode *link)
{
    const struct command_line *line = between->command->line;
    Str a = str_from(line->operands[0]), b = str_from(line->operands[1]);
    const TreeNode *from = event_tree_get(link, STR("from")), *to = event_tree_get(link, STR("to"));
    const TreeNode *removed = event_tree_get(link, STR("removed"));
    if ((removed && removed->truth) != between->restores) return false;
    return (is_named(from, a) && is_named(to, b)) || (is_named(from, b) && is_named(to, a));
}

/* The memory of the answer is freed, since there may be as many answers as links. */
static int change(struct between *between, const TreeNode *link)
{
    struct person_command *command = between->command;
    Str position = event_tree_text(link, "position"), text;
    if (between->count == BETWEEN_MESSAGES_MAX) {
        command_complain("after %d messages there are more; the same command again goes on", BETWEEN_MESSAGES_MAX);
        return EXIT_WRONG;
    }
    Arena before = command->arena;
    Str body = arena_printf(&command->arena, "{\"position\":%.*s}", STR_FORMAT(position));   /* a number as it came */
    int code = person_ask(command, "POST", command_path(command), body, &text, NULL);
    command->arena = before;
    if (code) return code;
    between->count++;
    json_raw(&between->positions, NULL, position);
    return EXIT_FINE;
}

/* The links that the API lists of the person whom the operand names, a thousand at a time. *ret_count: changed ones. */
static int change_links(struct between *between, size_t operand, size_t *ret_count)
{
    struct person_command *command = between->command;
    const TreeNode *person, *answer;
    Str text;
    int code = person_find(command, command->line->operands[operand], &text, &person);
    if (!code)
        code = person_ask(command, "GET", person_path(command, person, "/links"), (Str){ 0 }, &text, &answer);
    if (code) return code;
    const TreeNode *links = event_tree_get(answer, STR("links"));
    for (const TreeNode *link = links ? links->first : NULL; !code && link; link = link->next) {
        if (!is_between(between, link)) continue;
        code = change(between, link);
        *ret_count += 1;
    }
    return code;
}

/* Links that were taken back are listed under the id that was split off, so both ids are asked; and again, if there are
 * more than a thousand. */
static int change_all(struct between *between)
{
    int code = EXIT_FINE;
    for (size_t changed = 1; !code && changed;) {
        Arena before = between->command->arena;
        changed = 0;
        for (size_t operand = 0; !code && operand < 2; operand++) code = change_links(between, operand, &changed);
        between->command->arena = before;
    }
    return code;
}

static int ask_why(struct person_command *command, Str *ret_text, const TreeNode **ret_answer)
{
    Str a = percent_encode(&command->arena, str_from(command->line->operands[0]), PERCENT_URL);
    Str b = percent_encode(&command->arena, str_from(command->line->operands[1]), PERCENT_URL);
    Str path = arena_printf(&command->arena, "/api/v1/people/why?ids=%.*s,%.*s", STR_FORMAT(a), STR_FORMAT(b));
    return person_ask(command, "GET", path, (Str){ 0 }, ret_text, ret_answer);
}

/* Of more than a thousand links the API lists the oldest and the newest; `why` always names one that counts. */
static int change_rest(struct between *between, Str *ret_text, const TreeNode **ret_why)
{
    for (;;) {
        Arena before = between->command->arena;
        int code = ask_why(between->command, ret_text, ret_why);
        const TreeNode *links = code ? NULL : event_tree_get(*ret_why, STR("links"));
        if (code || between->restores || !links || links->count != 1 || !is_between(between, links->first)) return code;
        code = change(between, links->first);
        between->command->arena = before;
        if (code) return code;
    }
}

static void draw_between(const struct between *between, const TreeNode *why)
{
    struct person_command *command = between->command;
    const struct command_line *line = command->line;
    const TreeNode *links = event_tree_get(why, STR("links"));
    buf_printf(&command->out, "%zu message%s ", between->count, between->count == 1 ? "" : "s");
    if (between->restores) {
        buf_str_put(&command->out, between->count == 1 ? STR("links them again\n") : STR("link them again\n"));
    } else {
        buf_str_put(&command->out, between->count == 1 ? STR("links") : STR("link"));
        buf_str_put(&command->out, STR(" them no longer; onym unmerge --restore --between "));
        (void)terminal_put(&command->out, str_from(line->operands[0]), 0, 0);
        buf_char(&command->out, ' ');
        (void)terminal_put(&command->out, str_from(line->operands[1]), 0, 0);
        buf_str_put(&command->out, STR(" undoes that\n"));
    }
    buf_str_put(&command->out, event_tree_text(why, "text"));
    buf_char(&command->out, '\n');
    if (!links || !links->first) return;
    buf_char(&command->out, '\n');
    person_draw_links(command, links);
}

static int run_between(struct person_command *command)
{
    struct between between = { .command = command, .restores = command_has(command->line, "restore") };
    const TreeNode *why;
    Str text;
    if (command->line->operand_count != 2) {
        command_complain("--between wants two ids: onym unmerge --between 12345 a-7f3e");
        return EXIT_USAGE;
    }
    int code = ask_open(command->line, &command->arena, &command->asker);   /* it is in the arena: made first */
    if (code) return code;
    buf_init(&between.positions, LIMIT_ANSWER_BYTES);
    code = change_all(&between);
    if (!code) code = change_rest(&between, &text, &why);
    if (!code && between.count == 0) {
        command_complain("no message %s these two ids; onym why tells how they are related",
                         between.restores ? "that was taken back links" : "links");
        code = EXIT_WRONG;
    } else if (!code && command->is_json) {
        json_object(&command->out, NULL);
        json_bool(&command->out, "removed", !between.restores);
        json_array(&command->out, "positions");
        json_raw(&command->out, NULL, buf_str(&between.positions));
        json_array_end(&command->out);
        json_raw(&command->out, "why", text);
        put_json(command, STR("}"));
    } else if (!code) {
        draw_between(&between, why);
    }
    buf_done(&between.positions);
    return code;
}

static int run_unmerge(struct person_command *command)
{
    return command_has(command->line, "between") ? run_between(command) : run_message(command);
}

int command_unmerge(const struct command_line *line) { return person_run(line, run_unmerge); }
