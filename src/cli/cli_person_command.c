/* cli_person_command: asking about a person, and what several commands draw of one. */
#include "cli_person.h"

#include <stdio.h>

#include "cli_question_command.h"
#include "terminal/terminal.h"

static const size_t ARENA_BYTES = (size_t)2 << 30;              /* of address space: answers as trees */

int person_run(const struct command_line *line, PersonRun *run)
{
    struct region region;
    struct person_command command = { .line = line, .terminal = terminal_of(stdout),
                                      .is_json = command_has(line, "json") };
    region_open(&region, ARENA_BYTES);
    command.arena = region_arena(&region);
    buf_init(&command.out, LIMIT_ANSWER_BYTES);
    int code = run(&command);
    if (command.is_json) terminal_write(stdout, buf_str(&command.out));
    else fwrite(command.out.bytes ? command.out.bytes : "", 1, command.out.len, stdout);
    fflush(stdout);
    ask_close(command.asker);
    buf_done(&command.out);
    region_close(&region);
    return code;
}

int person_ask(struct person_command *command, const char *method, Str path, Str body, Str *ret_text,
               const TreeNode **ret_tree)
{
    Str answer;
    Err err;
    int code = command->asker ? EXIT_FINE : ask_open(command->line, &command->arena, &command->asker);
    if (!code) code = ask(command->asker, str_from(method), path, body, &answer);
    if (code) return code;
    *ret_text = arena_copy(&command->arena, answer);
    if (!ret_tree || !event_tree_read(*ret_text, &command->arena, ret_tree, &err)) return EXIT_FINE;
    command_complain("the answer cannot be read: %s", err.text);
    return EXIT_WRONG;
}

int person_find(struct person_command *command, const char *id, Str *ret_text, const TreeNode **ret_person)
{
    Str text = percent_encode(&command->arena, str_from(id), PERCENT_URL);
    Str path = arena_printf(&command->arena, "/api/v1/people/resolve?id=%.*s", STR_FORMAT(text));
    return person_ask(command, "GET", path, (Str){ 0 }, ret_text, ret_person);
}

Str person_path(struct person_command *command, const TreeNode *person, const char *rest)
{
    Str id = percent_encode(&command->arena, event_tree_text(person, "person_id"), PERCENT_URL);
    return arena_printf(&command->arena, "/api/v1/people/%.*s%s", STR_FORMAT(id), rest);
}

/* ---- Drawing ---- */

Str person_node_text(struct person_command *command, const TreeNode *node)
{
    Str type = event_tree_text(node, "type"), id = event_tree_text(node, "id");
    if (str_equal(type, STR("user_id"))) return id;
    if (str_equal(type, STR("anonymous_id"))) return arena_printf(&command->arena, "~%.*s", STR_FORMAT(id));
    return arena_printf(&command->arena, "%.*s:%.*s", STR_FORMAT(type), STR_FORMAT(id));
}

void person_draw_links(struct person_command *command, const TreeNode *links)
{
    Arena *arena = &command->arena;
    struct table table;
    if (!links || !links->first) {
        buf_str_put(&command->out, STR("no links: no message names this id together with another\n"));
        return;
    }
    table_open(&table, arena, &command->terminal);
    table_column(&table, TABLE_WHOLE, STR("time"));
    table_column(&table, TABLE_TEXT, STR("id"));
    table_column(&table, TABLE_TEXT, STR("is"));
    table_column(&table, TABLE_TEXT, STR("by"));
    table_column(&table, TABLE_TEXT, STR("message"));
    table_column(&table, TABLE_TEXT, STR("source"));
    table_column(&table, TABLE_NUMBER, STR("position"));
    for (const TreeNode *link = links->first; link; link = link->next) {
        const TreeNode *removed = event_tree_get(link, STR("removed"));
        bool is_removed = removed && removed->truth, is_alias = str_starts(event_tree_text(link, "rule"), STR("alias"));
        Colour colour = is_removed ? DIM : PLAIN;
        Str type = event_tree_text(link, "message_type");
        table_row(&table);
        table_text(&table, DIM, tree_instant_text(link, "time", arena));
        table_text(&table, colour, person_node_text(command, event_tree_get(link, STR("from"))));
        table_text(&table, is_removed ? DIM : BOLD, person_node_text(command, event_tree_get(link, STR("to"))));
        if (is_alias) type = STR("alias");
        table_text(&table, colour, is_removed ? STR("(taken back)") : type.len ? type : STR("?"));
        table_text(&table, colour, event_tree_text(link, "message_id"));
        table_text(&table, DIM, event_tree_text(link, "source"));
        table_text(&table, DIM, event_tree_text(link, "position"));
    }
    table_write(&table, &command->out);
}

static void put_ids(struct person_command *command, const char *label, const TreeNode *list, const char *mark)
{
    struct buf *out = &command->out;
    if (!list || !list->first) return;
    buf_printf(out, "%s%-14s%s", terminal_start(&command->terminal, DIM), label, terminal_end(&command->terminal, DIM));
    for (const TreeNode *id = list->first; id; id = id->next) {
        if (id != list->first) buf_str_put(out, STR("  "));
        buf_str_put(out, str_from(mark));
        (void)terminal_put(out, id->text, 0, 0);
    }
    buf_char(out, '\n');
}

void person_draw_head(struct person_command *command, const TreeNode *person)
{
    struct buf *out = &command->out;
    Str name = event_tree_text(person, "traits.name"), email = event_tree_text(person, "traits.email");
    buf_str_put(out, str_from(terminal_start(&command->terminal, BOLD)));
    (void)terminal_put(out, event_tree_text(person, "person_id"), 0, 0);
    buf_str_put(out, str_from(terminal_end(&command->terminal, BOLD)));
    if (name.len) buf_str_put(out, STR("  "));
    (void)terminal_put(out, name, 0, 0);
    if (email.len) buf_str_put(out, STR("  "));
    (void)terminal_put(out, email, 0, 0);
    buf_char(out, '\n');
    put_ids(command, "user ids", event_tree_get(person, STR("user_ids")), "");
    put_ids(command, "anonymous ids", event_tree_get(person, STR("anonymous_ids")), "~");
    const TreeNode *externals = event_tree_get(person, STR("external_ids"));
    for (const TreeNode *id = externals ? externals->first : NULL; id; id = id->next) {
        buf_printf(out, "%s%-14.*s%s", terminal_start(&command->terminal, DIM),
                   STR_FORMAT(event_tree_text(id, "type")), terminal_end(&command->terminal, DIM));
        (void)terminal_put(out, event_tree_text(id, "id"), 0, 0);
        buf_char(out, '\n');
    }
    Str first = tree_instant_text(person, "first_seen", &command->arena);
    Str last = tree_instant_text(person, "last_seen", &command->arena);
    Str count = big_text(tree_count(person, "events"), &command->arena);
    buf_printf(out, "%s%-14s%s%.*s, from %.*s to %.*s UTC\n", terminal_start(&command->terminal, DIM), "events",
               terminal_end(&command->terminal, DIM), STR_FORMAT(count), STR_FORMAT(first), STR_FORMAT(last));
}
