/* events: which events and fields there are, and the values of a field. */
#include "cli_question_command.h"

/* Items of a list of values, with commas between them. */
static Str join(const TreeNode *list, Arena *arena)
{
    char text[256];
    struct buf buf;
    buf_init_fixed(&buf, text, sizeof text);
    for (const TreeNode *one = list ? list->first : NULL; one; one = one->next) {
        Str value = tree_value_text(one);
        if (buf.len + value.len + 4 > sizeof text) break;
        if (buf.len) buf_str_put(&buf, STR(", "));
        buf_str_put(&buf, value);
    }
    return arena_copy(arena, buf_str(&buf));
}

static void draw_counts(struct question_command *command, const TreeNode *list, const char *name, Str title)
{
    Arena *arena = &command->arena;
    struct table table;
    double most = 1;
    for (const TreeNode *one = list->first; one; one = one->next)
        if (tree_number(one, "count", 0) > most) most = tree_number(one, "count", 0);
    table_open(&table, arena, &command->terminal);
    table_column(&table, TABLE_TEXT, title);
    table_column(&table, TABLE_NUMBER, STR("count"));
    table_column(&table, TABLE_BAR, STR(""));
    table_column(&table, TABLE_WHOLE, STR("last seen"));
    for (const TreeNode *one = list->first; one; one = one->next) {
        table_row(&table);
        table_text(&table, BOLD, tree_value_text(event_tree_find(one, name)));
        table_text(&table, PLAIN, big_text(tree_count(one, "count"), arena));
        table_bar(&table, CYAN, tree_number(one, "count", 0) / most, 0);
        table_text(&table, DIM, tree_instant_text(one, "last_seen", arena));
    }
    table_write(&table, &command->out);
}

static void draw_fields(struct question_command *command, const TreeNode *list)
{
    Arena *arena = &command->arena;
    struct table table;
    table_open(&table, arena, &command->terminal);
    table_column(&table, TABLE_TEXT, STR("field"));
    table_column(&table, TABLE_NUMBER, STR("count"));
    table_column(&table, TABLE_TEXT, STR("type"));
    table_column(&table, TABLE_TEXT, STR("for example"));
    for (const TreeNode *one = list->first; one; one = one->next) {
        table_row(&table);
        table_text(&table, BOLD, event_tree_text(one, "field"));
        table_text(&table, PLAIN, big_text(tree_count(one, "count"), arena));
        table_text(&table, PLAIN, join(event_tree_find(one, "types"), arena));
        table_text(&table, DIM, join(event_tree_find(one, "examples"), arena));
    }
    buf_char(&command->out, '\n');
    table_write(&table, &command->out);
}

static void draw(struct question_command *command)
{
    const TreeNode *events = event_tree_find(command->answer, "events");
    const TreeNode *values = event_tree_find(command->answer, "values");
    const TreeNode *fields = event_tree_find(command->answer, "properties");
    if (values) draw_counts(command, values, "value", event_tree_text(command->answer, "field"));
    if (events) draw_counts(command, events, "event", STR("event"));
    if (fields && fields->first) draw_fields(command, fields);
    uint64_t left_out = tree_count(command->answer, "values_left_out");
    if (left_out) buf_printf(&command->out, "and %" PRIu64 " more; --limit shows up to 1000\n", left_out);
}

static void csv_rows(struct question_command *command, Str kind, const TreeNode *list, const char *name)
{
    for (const TreeNode *one = list ? list->first : NULL; one; one = one->next) {
        csv_text(command, kind);
        csv_value(command, event_tree_find(one, name));
        csv_value(command, event_tree_find(one, "count"));
        csv_value(command, event_tree_find(one, "last_seen"));
        csv_end(command);
    }
}

static void write_csv(struct question_command *command)
{
    csv_begin(command, "kind,name,count,last_seen");
    csv_rows(command, STR("event"), event_tree_find(command->answer, "events"), "event");
    csv_rows(command, STR("field"), event_tree_find(command->answer, "properties"), "field");
    csv_rows(command, STR("value"), event_tree_find(command->answer, "values"), "value");
}

const QuestionCommandKind question_events = { NULL, draw, write_csv };
