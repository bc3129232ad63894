/* suppress, unsuppress, suppressions: whose messages are kept out. */
#include "cli.h"
#include "cli_person.h"

#include "cli_question_command.h"

#define PATH "/api/v1/suppressions"
enum { BODY_BYTES = 4 * 1024 * 1024 };

/* ---- suppress, unsuppress ---- */

/* The operands; or with --person all ids of the person whom the one operand names, external ids, too: the server knows
 * them. */
static int write_body(struct person_command *command, struct buf *body)
{
    const struct command_line *line = command->line;
    const TreeNode *person = NULL;
    Str text;
    int code = command_has(line, "person") ? person_find(command, line->operands[0], &text, &person) : EXIT_FINE;
    if (code) return code;
    json_object(body, NULL);
    json_array(body, "ids");
    if (person) {
        char id[sizeof "person_id:" + 2 * LIMIT_ID_BYTES];
        snprintf(id, sizeof id, "person_id:%.*s", STR_FORMAT(event_tree_text(person, "person_id")));
        json_string(body, NULL, str_from(id));
    }
    for (size_t at = 0; !person && at < line->operand_count; at++)        /* the server knows which kind an id is of */
        json_string(body, NULL, str_from(line->operands[at]));
    json_array_end(body);
    json_object_end(body);
    return EXIT_FINE;
}

/* The word for a change, and the word for ids that were so before. Both lists have the same order. */
struct words { const char *changed, *unchanged; };

static void put_text(struct person_command *command, const TreeNode *answer, struct words what)
{
    const TreeNode *ids = event_tree_get(answer, STR("ids")), *unchanged = event_tree_get(answer, STR("unchanged"));
    const TreeNode *idle = unchanged ? unchanged->first : NULL;
    for (const TreeNode *id = ids ? ids->first : NULL; id; id = id->next) {
        buf_printf(&command->out, "%.*s ", STR_FORMAT(event_tree_text(id, "type")));
        (void)terminal_put(&command->out, event_tree_text(id, "id"), 0, 0);
        bool is_idle = idle && str_equal(idle->raw, id->raw);
        if (is_idle) idle = idle->next;
        buf_printf(&command->out, " %s\n", is_idle ? what.unchanged : what.changed);
    }
}

static int change(struct person_command *command, const char *method, struct words what)
{
    const struct command_line *line = command->line;
    bool is_person = command_has(line, "person");
    const TreeNode *answer;
    struct buf body;
    Str text;
    if (line->operand_count == 0 || (is_person && line->operand_count > 1)) {
        command_complain("%s wants %s: onym %s 12345", line->command->name,
                         is_person ? "one person with --person" : "ids", line->command->name);
        return EXIT_USAGE;
    }
    buf_init(&body, BODY_BYTES);
    int code = write_body(command, &body);
    if (!code) code = person_ask(command, method, STR(PATH), buf_str(&body), &text, &answer);
    buf_done(&body);
    if (code) return code;
    if (!command->is_json) {
        put_text(command, answer, what);
        return EXIT_FINE;
    }
    buf_str_put(&command->out, text);
    buf_char(&command->out, '\n');
    return EXIT_FINE;
}

static const struct words suppressed = { "is suppressed", "was suppressed before; nothing changed" },
                          let_in = { "is no longer suppressed", "was not suppressed; nothing changed" };
static int run_suppress(struct person_command *command) { return change(command, "POST", suppressed); }
static int run_unsuppress(struct person_command *command) { return change(command, "DELETE", let_in); }

int command_suppress(const struct command_line *line) { return person_run(line, run_suppress); }
int command_unsuppress(const struct command_line *line) { return person_run(line, run_unsuppress); }

/* ---- suppressions ---- */

static void put_page(struct person_command *command, const TreeNode *answer)
{
    const TreeNode *ids = event_tree_get(answer, STR("ids"));
    for (const TreeNode *id = ids ? ids->first : NULL; id; id = id->next) {
        Str type = event_tree_text(id, "type"), text = event_tree_text(id, "id");
        if (command->is_json) {
            buf_str_put(&command->out, id->raw);
        } else {
            buf_printf(&command->out, "%.*s:", STR_FORMAT(type));
            (void)terminal_put(&command->out, text, 0, 0);
        }
        buf_char(&command->out, '\n');
    }
}

/* All pages, an id a line: what suppress and unsuppress take. */
static int run_suppressions(struct person_command *command)
{
    Str cursor = STR("");
    for (bool has_more = true; has_more;) {
        const TreeNode *answer;
        Str text, path = arena_printf(&command->arena, "%s?limit=1000&cursor=%.*s", PATH, STR_FORMAT(cursor));
        int code = person_ask(command, "GET", path, (Str){ 0 }, &text, &answer);
        if (code) return code;
        put_page(command, answer);
        const TreeNode *more = event_tree_find(answer, "cursor.has_more");
        has_more = more && more->truth;
        cursor = event_tree_text(answer, "cursor.next");
    }
    return EXIT_FINE;
}

int command_suppressions(const struct command_line *line) { return person_run(line, run_suppressions); }
