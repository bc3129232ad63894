/* plan: what a tracking plan says of files and of what came. The actions are in the files beside this one. */
#include "tools_plan.h"
#include "terminal/terminal.h"

#include <stdio.h>

/* ---- The plan ---- */

static void print_problems(const struct config_problems *problems)
{
    struct buf text;
    buf_init(&text, 256 * 1024);
    for (size_t at = 0; at < problems->count; at++) config_write_problem(&text, problems, &problems->items[at]);
    if (problems->dropped_count) buf_printf(&text, "and %zu more\n", problems->dropped_count);
    terminal_write(stderr, buf_str(&text));
    buf_done(&text);
}

static int say_missing(void)
{
    command_complain("there is no plan: write plan.yaml beside onym.yaml, name it there (plan: FILE), or give "
                     "--plan FILE; "
                     "docs/plan.md tells what it holds");
    return EXIT_USAGE;
}

int tools_plan_open(const struct command_line *line, Arena *arena, struct tracking_plan **ret)
{
    Err err;
    const char *file = command_option(line, "plan");
    struct config_problems *problems = arena_new(arena, struct config_problems, 1);
    struct config config;
    Status s;
    if (file) {
        s = config_read_plan(file, os_disk(), arena, ret, problems, &err);
    } else {
        int code = command_load_config(line, arena, &config);
        if (code) return code;
        s = config_load_plan(&config, os_disk(), arena, ret, problems, &err);
    }
    print_problems(problems);
    if (s && !problems->error_count) command_complain("%s", err.text);
    if (s) return EXIT_USAGE;
    return *ret ? EXIT_FINE : say_missing();
}

/* ---- Violations ---- */

/* The JSON at the violation's place; empty where there is none. */
static Str find_value(const TreeNode *node, const TrackingViolation *violation)
{
    for (uint32_t at = 0; node && at < violation->path_count; at++) {
        const TrackingStep *step = &violation->path[at];
        const TreeNode *child = node->first;
        if (!step->is_index) node = event_tree_get(node, step->name);
        for (uint32_t index = 0; step->is_index && child && index < step->index; index++) child = child->next;
        if (step->is_index) node = child;
    }
    bool is_shown = node && node->kind < FIELD_OBJECT && node->kind != FIELD_NULL;
    return is_shown ? node->raw : (Str){ 0 };
}

void tools_plan_write_violation(struct buf *out, Str event, const TrackingViolation *violation, Str message,
                                Arena scratch)
{
    const TreeNode *tree = NULL;
    if (message.len && event_tree_read(message, &scratch, &tree, NULL)) tree = NULL;
    buf_str_put(out, event.len ? event : STR("(no name)"));
    buf_str_put(out, violation->path_count ? STR(": ") : STR(" "));
    tracking_write_text(out, violation, find_value(tree, violation));
}
