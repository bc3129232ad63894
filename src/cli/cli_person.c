/* person: who somebody is: ids, traits, and the last events; or who set which trait, or everything that Onym keeps. */
#include "cli.h"
#include "cli_person.h"

#include <stdio.h>

#include "cli_question_command.h"
#include "terminal/terminal.h"

/* ---- Drawing ---- */

static void put_title(struct person_command *command, const char *title)
{
    buf_printf(&command->out, "\n%s%s%s\n", terminal_start(&command->terminal, BOLD), title,
               terminal_end(&command->terminal, BOLD));
}

static void draw_traits(struct person_command *command, const TreeNode *traits)
{
    struct table table;
    if (!traits || !traits->first) return;
    put_title(command, "Traits");
    table_open(&table, &command->arena, &command->terminal);
    table.has_no_titles = true;
    table_column(&table, TABLE_TEXT, STR("trait"));
    table_column(&table, TABLE_TEXT, STR("value"));
    for (const TreeNode *trait = traits->first; trait; trait = trait->next) {
        table_row(&table);
        table_text(&table, DIM, trait->key);
        table_text(&table, PLAIN, tree_value_text(trait));
    }
    table_write(&table, &command->out);
}

static Str join_members(struct person_command *command, const TreeNode *object)
{
    struct buf text;
    char bytes[512];
    buf_init_fixed(&text, bytes, sizeof bytes);
    for (const TreeNode *member = object ? object->first : NULL; member; member = member->next) {
        Str value = tree_value_text(member);
        if (member->kind == FIELD_OBJECT || text.len + member->key.len + value.len + 3 > sizeof bytes) continue;
        if (text.len) buf_char(&text, ' ');
        buf_str_put(&text, member->key);
        buf_char(&text, '=');
        buf_str_put(&text, value);
    }
    return arena_copy(&command->arena, buf_str(&text));
}

static Str name_of(const TreeNode *event)
{
    static const char *const paths[] = { "event", "name", "groupId", "previousId", "context.page.path",
                                         "properties.path" };
    for (size_t at = 0; at < countof(paths); at++) {
        Str text = event_tree_text(event, paths[at]);
        if (text.len) return text;
    }
    return STR("");
}

static void draw_timeline(struct person_command *command, const TreeNode *answer)
{
    const TreeNode *events = event_tree_get(answer, STR("events"));
    struct table table;
    if (!events || !events->first) return;
    put_title(command, "Timeline, newest first");
    table_open(&table, &command->arena, &command->terminal);
    table.has_no_titles = true;
    for (unsigned column = 0; column < 6; column++)
        table_column(&table, column < 2 ? TABLE_WHOLE : TABLE_TEXT, STR(""));
    for (const TreeNode *event = events->first; event; event = event->next) {
        Str user = event_tree_text(event, "userId"), visitor = event_tree_text(event, "anonymousId");
        const TreeNode *details = event_tree_get(event, STR("properties"));
        table_row(&table);
        table_text(&table, DIM, tree_instant_text(event, "timestamp", &command->arena));
        table_text(&table, CYAN, event_tree_text(event, "type"));
        table_text(&table, BOLD, name_of(event));
        table_text(&table, PLAIN,
                   user.len ? user : arena_printf(&command->arena, "~%.*s", STR_FORMAT(visitor)));
        table_text(&table, DIM, event_tree_text(event, "projectId"));
        table_text(&table, DIM, join_members(command, details ? details : event_tree_get(event, STR("traits"))));
    }
    table_write(&table, &command->out);
    if (event_tree_is_given(event_tree_find(answer, "cursor.next")))
        buf_str_put(&command->out, STR("and more; --events N shows up to 1000\n"));
}

static void draw_history(struct person_command *command, const TreeNode *answer)
{
    const TreeNode *rows = event_tree_get(answer, STR("history"));
    struct table table;
    if (!rows || !rows->first) {
        buf_str_put(&command->out, STR("no identify ever set a trait of this person\n"));
        return;
    }
    table_open(&table, &command->arena, &command->terminal);
    static const char *const titles[] = { "time", "trait", "value", "set under", "source", "message" };
    for (size_t at = 0; at < countof(titles); at++)
        table_column(&table, at == 0 ? TABLE_WHOLE : TABLE_TEXT, str_from(titles[at]));
    for (const TreeNode *row = rows->first; row; row = row->next) {
        const TreeNode *value = event_tree_get(row, STR("value"));
        table_row(&table);
        table_text(&table, DIM, tree_instant_text(row, "time", &command->arena));
        table_text(&table, BOLD, event_tree_text(row, "trait"));
        table_text(&table, PLAIN, event_tree_is_given(value) ? tree_value_text(value) : STR("(unset)"));
        table_text(&table, PLAIN, person_node_text(command, event_tree_get(row, STR("set_by"))));
        table_text(&table, DIM, event_tree_text(row, "source"));
        table_text(&table, DIM, event_tree_text(row, "message_id"));
    }
    table_write(&table, &command->out);
    if (event_tree_is_given(event_tree_find(answer, "cursor.next")))
        buf_str_put(&command->out, STR("and more; the API's .../traits/history pages through all\n"));
}

/* ---- Running ---- */

static void put_json(struct person_command *command, Str text)
{
    buf_str_put(&command->out, text);
    buf_char(&command->out, '\n');
}

static int show_history(struct person_command *command, const TreeNode *person)
{
    const TreeNode *answer;
    Str text, path = person_path(command, person, "/traits/history?limit=1000");
    int code = person_ask(command, "GET", path, (Str){ 0 }, &text, &answer);
    if (code) return code;
    if (command->is_json) put_json(command, text);
    else draw_history(command, answer);
    return EXIT_FINE;
}

/* Answers come whole and may be large: each is written before the next is asked for. */
static int export_all(struct person_command *command, const TreeNode *person)
{
    Str cursor = STR("0"), text;
    while (cursor.len) {
        Arena before = command->arena;
        const TreeNode *end;
        Err err;
        Str rest = arena_printf(&command->arena, "/export?cursor=%.*s", STR_FORMAT(cursor)), last;
        int code = person_ask(command, "GET", person_path(command, person, rest.bytes), (Str){ 0 }, &text, NULL);
        if (code) return code;
        size_t at = text.len ? text.len - 1 : 0;
        while (at && text.bytes[at - 1] != '\n') at--;
        last = str_slice(text, at, text.len);
        if (event_tree_read(str_trim(last), &command->arena, &end, &err)) {
            command_complain("the answer has no end: %s", err.text);
            return EXIT_WRONG;
        }
        Str next = event_tree_text(end, "data.cursor.next");
        char copy[32];
        size_t length = next.len < sizeof copy ? next.len : 0;
        memcpy(copy, next.bytes ? next.bytes : "", length);
        terminal_write(stdout, str_slice(text, 0, length ? at : text.len));
        if (ferror(stdout)) return EXIT_WRONG;
        command->arena = before;
        cursor = arena_copy(&command->arena, str_of(copy, length));
    }
    return EXIT_FINE;
}

static int show(struct person_command *command, const TreeNode *person)
{
    const char *wanted = command_option(command->line, "events");
    Str limit = percent_encode(&command->arena, str_from(wanted ? wanted : "20"), PERCENT_URL), text;
    const TreeNode *events = NULL;
    if (!str_equal(limit, STR("0"))) {
        Str rest = arena_printf(&command->arena, "/events?limit=%.*s", STR_FORMAT(limit));
        int code = person_ask(command, "GET", person_path(command, person, rest.bytes), (Str){ 0 }, &text, &events);
        if (code) return code;
    }
    person_draw_head(command, person);
    draw_traits(command, event_tree_get(person, STR("traits")));
    draw_timeline(command, events);
    return EXIT_FINE;
}

static int run(struct person_command *command)
{
    const struct command_line *line = command->line;
    const TreeNode *person;
    Str text;
    if (line->operand_count != 1) {
        command_complain("person wants one id: onym person 12345");
        return EXIT_USAGE;
    }
    int code = person_find(command, line->operands[0], &text, &person);
    if (code) return code;
    if (command_has(line, "export")) return export_all(command, person);
    if (command_has(line, "history")) return show_history(command, person);
    if (!command->is_json) return show(command, person);
    put_json(command, text);
    return EXIT_FINE;
}

int command_person(const struct command_line *line) { return person_run(line, run); }
