/* plan: what `onym plan` does. Actions on files and on the journal are in tools/. To release what is held, it asks the
 * API, as everybody else does. */
#include "cli.h"
#include "cli_ask.h"
#include "tools/tools.h"
#include "terminal/terminal.h"

#include <stdio.h>

enum { OUT_BYTES = 64 * 1024 * 1024, BODY_BYTES = 160 };

/* ---- Release ---- */

static int release_one(struct asker *asker, Str name, Str body, Arena *arena, struct buf *out)
{
    Str encoded = percent_encode(arena, name, PERCENT_URL), answer;
    Str path = arena_printf(arena, "/api/v1/destinations/%.*s/replay", STR_FORMAT(encoded));
    int code = ask(asker, STR("POST"), path, body, &answer);
    if (!code)
        buf_printf(out, "%.*s: what is held goes now; onym destinations %.*s shows how far it is\n", STR_FORMAT(name),
                   STR_FORMAT(name));
    return code;
}

/* Each destination that is not disabled. */
static int release_all(struct asker *asker, Str body, Arena *arena, struct buf *out)
{
    const TreeNode *root, *list;
    Str answer;
    int code = ask(asker, STR("GET"), STR("/api/v1/destinations"), (Str){ 0 }, &answer);
    if (code) return code;
    if (event_tree_read(arena_copy(arena, answer), arena, &root, NULL)) return EXIT_WRONG;
    list = event_tree_get(root, STR("destinations"));
    for (const TreeNode *one = list ? list->first : NULL; one && !code; one = one->next) {
        if (str_equal(event_tree_text(one, "state"), STR("disabled"))) continue;
        code = release_one(asker, event_tree_text(one, "name"), body, arena, out);
    }
    if (!code && !out->len) buf_printf(out, "there is no destination to send anything to\n");
    return code;
}

static int release(const struct command_line *line, Arena *arena, struct buf *out)
{
    struct asker *asker = NULL;
    struct buf body;
    Millis from_ms = 0, to_ms = clock_now_ms(os_clock());
    int code = read_when(line, "from", &from_ms);
    if (!code) code = read_when(line, "to", &to_ms);
    if (code) return code;
    buf_init_fixed(&body, arena_bytes(arena, BODY_BYTES), BODY_BYTES);
    json_object(&body, NULL);
    json_instant(&body, "from", from_ms);
    json_instant(&body, "to", to_ms);
    json_bool(&body, "held", true);
    json_object_end(&body);
    code = ask_open(line, arena, &asker);
    if (!code && line->operand_count > 1)
        code = release_one(asker, str_from(line->operands[1]), buf_str(&body), arena, out);
    else if (!code) code = release_all(asker, buf_str(&body), arena, out);
    ask_close(asker);
    return code;
}

/* ---- Which ---- */

typedef int Action(const struct command_line *line, Arena *arena, struct buf *out);

static const struct { const char *word; size_t least, most; Action *action; const char *operands; } actions[] = {
    { "check", 0, 16, tools_plan_check, "check [FILE... | -]" },
    { "dry-run", 0, 0, tools_plan_dry_run, "dry-run [--from TIME] [--plan FILE]" },
    { "init", 0, 0, tools_plan_init, "init [--from TIME]" },
    { "diff", 2, 2, tools_plan_diff, "diff FILE FILE" },
    { "import", 1, 1, tools_plan_import, "import FILE" },
    { "types", 0, 0, tools_plan_types, "types" },
    { "release", 0, 1, release, "release [DESTINATION] [--from TIME] [--to TIME]" },
};

int command_plan(const struct command_line *line)
{
    Action *action = NULL;
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
