/* destinations: their states, what they could not deliver, and a try of one event through one of them. */
#include "cli.h"
#include "cli_ask.h"
#include "destination/destination.h"
#include "server/server.h"
#include "terminal/terminal.h"
#include "tools/tools.h"

#include <stdio.h>
#include <unistd.h>

enum { OUT_BYTES = 64 * 1024 * 1024, NAME_COLUMNS = 28, ERROR_COLUMNS = 60 };

typedef int Action(const struct command_line *line, Arena *arena, struct buf *out);

/* ---- A table ---- */

static int64_t number_at(const TreeNode *node, const char *path)
{
    int64_t number = 0;
    (void)!str_parse_int(event_tree_text(node, path), INT64_MIN, INT64_MAX, &number);
    return number;
}

/* "340 ms", "12 s", "7 min", "3 h", "2 d". */
static void put_duration(struct buf *out, int64_t ms)
{
    static const struct { int64_t ms, most; const char *unit; } units[] = {
        { 1, SECOND_MS, "ms" }, { SECOND_MS, 2 * MINUTE_MS, "s" }, { MINUTE_MS, 2 * HOUR_MS, "min" },
        { HOUR_MS, 2 * DAY_MS, "h" }, { DAY_MS, INT64_MAX, "d" },
    };
    size_t at = 0;
    while (ms >= units[at].most) at++;
    buf_printf(out, "%" PRId64 " %s", ms / units[at].ms, units[at].unit);
}

/* What a destination and a warehouse have in common: how the row begins, and how it ends. */
static void begin_row(struct buf *out, const TreeNode *state)
{
    char text[64];
    struct buf cell;
    (void)terminal_put(out, event_tree_text(state, "name"), NAME_COLUMNS, NAME_COLUMNS - 2);
    (void)terminal_put(out, event_tree_text(state, "type"), 13, 12);
    (void)terminal_put(out, event_tree_text(state, "state"), 10, 9);
    buf_init_fixed(&cell, text, sizeof text);
    put_duration(&cell, number_at(state, "lag_ms"));
    (void)terminal_put(out, buf_str(&cell), 9, 8);
}

static void end_row(struct buf *out, const TreeNode *state)
{
    (void)terminal_put(out, event_tree_text(state, "last_error"), 0, ERROR_COLUMNS);
    while (out->len && out->bytes[out->len - 1] == ' ') out->len--;
    buf_char(out, '\n');
}

static void put_state(struct buf *out, const TreeNode *state)
{
    char count[32];
    double rate = 0;
    begin_row(out, state);
    (void)!str_parse_double(event_tree_text(state, "messages_per_second"), &rate);
    buf_printf(out, "%8.1f ", rate);
    buf_printf(out, "%-12s", count_text((uint64_t)number_at(state, "delivered"), count, sizeof count));
    buf_printf(out, "%-9s", count_text((uint64_t)number_at(state, "dead_letters"), count, sizeof count));
    end_row(out, state);
}

static void put_warehouse(struct buf *out, const TreeNode *state)
{
    char count[32];
    begin_row(out, state);
    buf_printf(out, "%8s %-12s%-9s", "", count_text((uint64_t)number_at(state, "rows"), count, sizeof count), "");
    end_row(out, state);
}

/* They stand under the destinations, with rows for events delivered. */
static void put_warehouses(struct buf *out, const TreeNode *root)
{
    const TreeNode *list = event_tree_get(root, STR("warehouses"));
    if (!list || !list->first) return;
    buf_printf(out, "\n%-*s%-13s%-10s%-9s%8s %-12s%-9s%s\n", NAME_COLUMNS, "WAREHOUSE", "TYPE", "STATE", "LAG", "",
               "ROWS", "", "LAST ERROR");
    for (const TreeNode *state = list->first; state; state = state->next) put_warehouse(out, state);
}

static void put_table(struct buf *out, const TreeNode *root)
{
    const TreeNode *list = event_tree_get(root, STR("destinations"));
    if (!list || !list->first) {
        buf_str_put(out, STR("no destinations; docs/destinations.md shows what onym.yaml says of one\n"));
        return;
    }
    buf_printf(out, "%-*s%-13s%-10s%-9s%8s %-12s%-9s%s\n", NAME_COLUMNS, "NAME", "TYPE", "STATE", "LAG", "EVENTS/S",
               "DELIVERED", "DEAD", "LAST ERROR");
    for (const TreeNode *state = list->first; state; state = state->next) put_state(out, state);
}

static void put_all(struct buf *out, const TreeNode *root)
{
    put_table(out, root);
    put_warehouses(out, root);
}

/* ---- Members of one, indented ---- */

static void put_members(struct buf *out, const TreeNode *node, unsigned indent)
{
    for (const TreeNode *child = node->first; child; child = child->next) {
        buf_printf(out, "%*s", (int)indent, "");
        (void)terminal_put(out, child->key, 0, 0);
        buf_char(out, ':');
        if (child->first && child->kind == FIELD_OBJECT) {
            buf_char(out, '\n');
            put_members(out, child, indent + 2);
            continue;
        }
        buf_char(out, ' ');
        (void)terminal_put(out, child->text.len ? child->text : child->raw, 0, 0);
        buf_char(out, '\n');
    }
}

static void put_letters(struct buf *out, const TreeNode *root, Str name)
{
    const TreeNode *list = event_tree_get(root, STR("dead"));
    if (!list || !list->first) buf_str_put(out, STR("no dead letters\n"));
    for (const TreeNode *letter = list ? list->first : NULL; letter; letter = letter->next) {
        put_members(out, letter, 0);
        buf_char(out, '\n');
    }
    if (event_tree_is_given(event_tree_get(root, STR("next"))))
        buf_printf(out, "more: onym destinations dead %.*s --after %.*s\n", STR_FORMAT(name),
                   STR_FORMAT(event_tree_text(root, "next")));
}

/* ---- What the server is asked ---- */

typedef void Print(struct buf *out, const TreeNode *root, Str name);

static void print_table(struct buf *out, const TreeNode *root, Str name)
{
    (void)name;
    put_all(out, root);
}

static void print_one(struct buf *out, const TreeNode *root, Str name)
{
    (void)name;
    put_members(out, root, 0);
}

/* What is asked, and how its answer is shown. */
struct showing {
    Str method, path, body;
    Print *print;
    Str name;                               /* of the destination */
};

static int ask_and_print(const struct command_line *line, Arena *arena, const struct showing *showing, struct buf *out)
{
    struct asker *asker = NULL;
    const TreeNode *root;
    Str answer;
    Err err;
    int code = ask_open(line, arena, &asker);
    if (!code) code = ask(asker, showing->method, showing->path, showing->body, &answer);
    if (!code && command_has(line, "json")) {
        buf_str_put(out, answer);
        buf_char(out, '\n');
    } else if (!code && event_tree_read(answer, arena, &root, &err)) {
        command_complain("%s", err.text);
        code = EXIT_WRONG;
    } else if (!code) {
        showing->print(out, root, showing->name);
    }
    ask_close(asker);
    return code;
}

static Str path_of(Arena *arena, Str name, const char *rest)
{
    Str encoded = percent_encode(arena, name, PERCENT_URL);
    return arena_printf(arena, "/api/v1/destinations/%.*s%s", STR_FORMAT(encoded), rest);
}

static int show_all(const struct command_line *line, Arena *arena, struct buf *out)
{
    struct showing all = { .method = STR("GET"), .path = STR("/api/v1/destinations"), .print = print_table };
    return ask_and_print(line, arena, &all, out);
}

static int show_one(const struct command_line *line, Arena *arena, struct buf *out)
{
    Str name = str_from(line->operands[0]);
    struct showing one = { STR("GET"), path_of(arena, name, ""), { 0 }, print_one, name };
    return ask_and_print(line, arena, &one, out);
}

static int show_dead(const struct command_line *line, Arena *arena, struct buf *out)
{
    Str name = str_from(line->operands[1]);
    const char *limit_text = command_option(line, "limit"), *after_text = command_option(line, "after");
    Str limit = percent_encode(arena, str_from(limit_text ? limit_text : "20"), PERCENT_URL);
    Str after = percent_encode(arena, str_from(after_text ? after_text : "0"), PERCENT_URL);
    Str query = arena_printf(arena, "/dead?limit=%.*s&after=%.*s", STR_FORMAT(limit), STR_FORMAT(after));
    struct showing dead = { STR("GET"), path_of(arena, name, query.bytes), { 0 }, put_letters, name };
    return ask_and_print(line, arena, &dead, out);
}

static int redo(const struct command_line *line, Arena *arena, struct buf *out)
{
    enum { ROOM = 64 };
    Str name = str_from(line->operands[1]), body = STR("{}");
    struct buf redo;
    int64_t number;
    if (line->operand_count > 2) {
        if (!str_parse_int(str_from(line->operands[2]), 1, INT64_MAX - 1, &number)) {
            command_complain("redo wants the number of a dead letter, or none for all");
            return EXIT_USAGE;
        }
        buf_init_fixed(&redo, arena_bytes(arena, ROOM), ROOM);
        json_object(&redo, NULL);
        json_int(&redo, "number", number);
        json_object_end(&redo);
        body = buf_str(&redo);
    }
    struct showing outcome = { STR("POST"), path_of(arena, name, "/redo"), body, print_one, name };
    return ask_and_print(line, arena, &outcome, out);
}

/* ---- Types ---- */

static int show_types(const struct command_line *line, Arena *arena, struct buf *out)
{
    Str type = str_from(line->operand_count > 1 ? line->operands[1] : "");
    (void)arena;
    destination_describe(out, type);
    if (out->len) return EXIT_FINE;
    command_complain("there is no type %.*s; onym destinations types lists them", STR_FORMAT(type));
    return EXIT_USAGE;
}

/* ---- Which ---- */

static Action *find_action(const struct command_line *line)
{
    static const struct { const char *word; size_t least, most; Action *action; } actions[] = {
        { "dead", 2, 2, show_dead }, { "redo", 2, 3, redo }, { "test", 2, 2, tools_try }, { "types", 1, 2, show_types },
    };
    if (line->operand_count == 0) return show_all;
    for (size_t at = 0; at < countof(actions); at++) {
        if (strcmp(line->operands[0], actions[at].word) != 0) continue;
        bool fits = line->operand_count >= actions[at].least && line->operand_count <= actions[at].most;
        return fits ? actions[at].action : NULL;
    }
    return line->operand_count == 1 ? show_one : NULL;
}

int command_destinations(const struct command_line *line)
{
    Action *action = find_action(line);
    struct region region;
    struct buf out;
    if (!action) {
        command_complain("destinations wants: nothing, NAME, dead NAME, redo NAME [N], test NAME, or types [TYPE]");
        return EXIT_USAGE;
    }
    region_open(&region, CONFIG_ARENA_BYTES + 2 * OUT_BYTES);
    buf_init(&out, OUT_BYTES);
    Arena arena = region_arena(&region);
    int code = action(line, &arena, &out);
    if (command_has(line, "json")) terminal_write(stdout, buf_str(&out));
    else fwrite(out.bytes ? out.bytes : "", 1, out.len, stdout);
    buf_done(&out);
    region_close(&region);
    return code;
}
