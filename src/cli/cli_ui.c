/* ui: a link that signs a browser in to the dashboard, good once and within a minute. The running server makes it and
 * keeps only a hash of it. Its secret is after the # of the address, a part that browsers send to nobody. */
#include <stdio.h>

#include "cli.h"
#include "cli_ask.h"

static int run(const struct command_line *line, Arena *arena, struct asker **ret_asker)
{
    const TreeNode *root;
    Str answer;
    Err err;
    if (line->operand_count) {
        command_complain("ui wants no operand: onym ui");
        return EXIT_USAGE;
    }
    int code = ask_open_running(line, arena, ret_asker);
    if (!code) code = ask(*ret_asker, STR("POST"), STR("/api/v1/session/link"), STR("{}"), &answer);
    if (code) return code;
    if (event_tree_read(answer, arena, &root, &err)) {
        command_complain("%s", err.text);
        return EXIT_WRONG;
    }
    printf("%.*s/#link=%.*s\n", STR_FORMAT(ask_page(*ret_asker)), STR_FORMAT(event_tree_text(root, "link")));
    fprintf(stderr, "good once, within a minute\n");
    return EXIT_FINE;
}

int command_ui(const struct command_line *line) { return ask_run(line, run); }
