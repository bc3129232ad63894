/* delete: a person's right to be forgotten, with a question before and progress after. */
#include "cli.h"
#include "cli_person.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli_question_command.h"

enum { GLANCE_MS = 250, LINE_BYTES = 64 };

/* On a terminal the user is asked; elsewhere --yes must be given. */
static int confirm(struct person_command *command, const TreeNode *person)
{
    char answer[LINE_BYTES] = "";
    if (command_has(command->line, "yes")) return EXIT_FINE;
    if (!isatty(STDIN_FILENO)) {
        command_complain("delete erases for good; without a terminal to ask on, --yes must be given");
        return EXIT_USAGE;
    }
    person_draw_head(command, person);
    fwrite(command->out.bytes, 1, command->out.len, stderr);
    buf_clear(&command->out);
    fputs("\nErase this person, their traits and all of their events, for good? Type yes: ", stderr);
    if (!fgets(answer, sizeof answer, stdin)) answer[0] = 0;
    if (str_equal_no_case(str_trim(str_from(answer)), STR("yes"))) return EXIT_FINE;
    command_complain("nothing was erased");
    return EXIT_WRONG;
}

/* Until it is done; interrupted, the server goes on by itself. */
static int follow(struct person_command *command, const TreeNode **erasure_at, Str *ret_text)
{
    const TreeNode *erasure = *erasure_at;
    struct progress progress;
    Str path = arena_printf(&command->arena, "/api/v1/erasures/%.*s", STR_FORMAT(event_tree_text(erasure, "id")));
    int code = EXIT_FINE;
    progress_init(&progress, os_clock(), "erasing");
    while (!code && !str_equal(event_tree_text(erasure, "status"), STR("done"))) {
        const TreeNode *waits = event_tree_get(erasure, STR("waits_for"));
        Str stage = waits && waits->first ? waits->first->text : event_tree_text(erasure, "stage");
        progress_show_share(&progress, (uint64_t)(tree_number(erasure, "progress", 0) * 1000), 1000, stage);
        if (!ask_wait(command->asker, GLANCE_MS)) {
            progress_clear(&progress);
            command_complain("the erasure goes on; onym ask %.*s shows how far it is", STR_FORMAT(path));
            return EXIT_WRONG;
        }
        code = person_ask(command, "GET", path, (Str){ 0 }, ret_text, &erasure);
    }
    progress_clear(&progress);
    *erasure_at = erasure;
    return code;
}

/* Places of the journal that nobody can read, and that may be about the person. */
static int tell_unread(const TreeNode *erasure)
{
    const TreeNode *places = event_tree_get(erasure, STR("not_looked_into"));
    if (!places || !places->count) return EXIT_FINE;
    for (const TreeNode *place = places->first; place; place = place->next)
        command_complain("positions %.0f to %.0f of the journal could not be read, and may be about this person: %.*s",
                         tree_number(place, "from", 0), tree_number(place, "to", 0),
                         STR_FORMAT(event_tree_text(place, "reason")));
    command_complain("everything else is erased. Mend these places (see onym verify), then erase again");
    return EXIT_WRONG;
}

static int run(struct person_command *command)
{
    const struct command_line *line = command->line;
    const TreeNode *person, *answer;
    Str text;
    if (line->operand_count != 1) {
        command_complain("delete wants one id: onym delete 12345");
        return EXIT_USAGE;
    }
    int code = person_find(command, line->operands[0], &text, &person);
    if (!code) code = confirm(command, person);
    Str rest = command_has(line, "suppress") ? STR("?suppress=true") : STR("");
    if (!code)
        code = person_ask(command, "DELETE", person_path(command, person, rest.bytes), (Str){ 0 }, &text, &answer);
    const TreeNode *erasure = code ? NULL : event_tree_get(answer, STR("erasure"));
    Str state = text;
    if (!code && !command_has(line, "no-follow")) code = follow(command, &erasure, &state);
    if (code) return code;
    if (command->is_json) {
        buf_str_put(&command->out, text);
        buf_char(&command->out, '\n');
    } else {
        buf_printf(&command->out, "%.*s %s\n", STR_FORMAT(event_tree_text(person, "person_id")),
                   command_has(line, "no-follow") ? "is being erased" : "is erased");
    }
    return tell_unread(erasure);
}

int command_delete(const struct command_line *line) { return person_run(line, run); }
