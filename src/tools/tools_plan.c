/* plan: what a tracking plan says of files and of what came. The actions are in the files beside this one. */
#include "tools_plan.h"
#include "terminal/terminal.h"

#include <stdio.h>

enum { OUT_BYTES = 64 * 1024 * 1024 };

static const struct { const char *word; size_t least, most; PlanAction *action; const char *operands; } actions[] = {
    { "check", 0, 16, tools_plan_check, "check [FILE... | -]" },
};

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

/* ---- Which ---- */

int command_plan(const struct command_line *line)
{
    PlanAction *action = NULL;
    for (size_t at = 0; line->operand_count && at < countof(actions); at++) {
        bool fits = line->operand_count - 1 >= actions[at].least && line->operand_count - 1 <= actions[at].most;
        if (!strcmp(line->operands[0], actions[at].word) && fits) action = actions[at].action;
    }
    if (!action) {
        command_complain("plan wants one of:");
        for (size_t at = 0; at < countof(actions); at++) fprintf(stderr, "  onym plan %s\n", actions[at].operands);
        return EXIT_USAGE;
    }
    struct region region;
    struct buf out;
    region_open(&region, 2 * (size_t)CONFIG_ARENA_BYTES);
    buf_init(&out, OUT_BYTES);
    Arena arena = region_arena(&region);
    int code = action(line, &arena, &out);
    terminal_write(stdout, buf_str(&out));
    if (!buf_ok(&out)) command_complain("there is more than fits here");
    buf_done(&out);
    region_close(&region);
    return code;
}
