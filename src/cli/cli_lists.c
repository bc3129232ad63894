/* cli_lists: draws an answer for which no other file has a drawing of its own. */
#include "cli_question_command.h"

/* Members that all answers have: they are shown in another way, or not at all. */
static const char *const common[] = { "from", "to", "timezone", "warnings", "rows", "matched", "complete", "behind" };

static bool is_common(const TreeNode *member)
{
    bool is_one = false;
    for (size_t at = 0; at < countof(common); at++) is_one |= str_equal(member->key, str_from(common[at]));
    return is_one;
}

static bool is_single(const TreeNode *node)
{
    return node->kind != FIELD_OBJECT && node->kind != FIELD_ARRAY;
}

/* A list of objects, or of single values. */
static bool is_list(const TreeNode *member)
{
    return event_tree_is_kind(member, FIELD_ARRAY) && member->first && !is_common(member);
}

/* ---- Drawing ---- */

/* The columns are the members of the first object; a list of single values has one. */
static void draw_list(struct question_command *command, const TreeNode *list)
{
    struct table table;
    const TreeNode *head = list->first;
    bool has_objects = head->kind == FIELD_OBJECT;
    size_t columns = 0;
    table_open(&table, &command->arena, &command->terminal);
    if (!has_objects) table_column(&table, TABLE_TEXT, list->key);
    const TreeNode *cells = has_objects ? head->first : NULL;
    for (const TreeNode *cell = cells; cell && columns < TABLE_CELLS_MAX; cell = cell->next, columns++)
        table_column(&table, cell->kind == FIELD_NUMBER ? TABLE_NUMBER : TABLE_TEXT, cell->key);
    for (const TreeNode *row = head; row; row = row->next) {
        const TreeNode *cell = cells;
        table_row(&table);
        if (!has_objects) table_text(&table, PLAIN, tree_value_text(row));
        for (size_t column = 0; column < columns; column++, cell = cell->next) {
            const TreeNode *value = event_tree_get(row, cell->key);
            Str number = tree_number_text(value, &command->arena);
            table_text(&table, column ? PLAIN : BOLD, number.len ? number : tree_value_text(value));
        }
    }
    table_write(&table, &command->out);
}

void lists_draw(struct question_command *command)
{
    bool is_first = true;
    for (const TreeNode *member = command->answer->first; member; member = member->next) {
        if (is_common(member) || !is_single(member)) continue;
        Str number = tree_number_text(member, &command->arena), value = number.len ? number : tree_value_text(member);
        buf_printf(&command->out, "%.*s: %.*s\n", STR_FORMAT(member->key), STR_FORMAT(value));
        is_first = false;
    }
    for (const TreeNode *member = command->answer->first; member; member = member->next) {
        if (!is_list(member)) continue;
        if (!is_first) buf_char(&command->out, '\n');
        is_first = false;
        draw_list(command, member);
    }
}

/* ---- CSV ---- */

static void csv_single(struct question_command *command)
{
    csv_begin(command, "name,value");
    for (const TreeNode *member = command->answer->first; member; member = member->next) {
        if (is_common(member) || !is_single(member)) continue;
        csv_text(command, member->key);
        csv_value(command, member);
        csv_end(command);
    }
}

void lists_write_csv(struct question_command *command)
{
    const TreeNode *list = NULL;
    for (const TreeNode *member = command->answer->first; member; member = member->next)
        if (is_list(member) && (!list || member->count > list->count)) list = member;
    if (!list) {
        csv_single(command);
        return;
    }
    const TreeNode *head = list->first, *cells = head->kind == FIELD_OBJECT ? head->first : NULL;
    command->is_first_cell = true;
    if (!cells) csv_text(command, list->key);
    for (const TreeNode *cell = cells; cell; cell = cell->next) csv_text(command, cell->key);
    csv_end(command);
    for (const TreeNode *row = head; row; row = row->next) {
        if (!cells) csv_value(command, row);
        for (const TreeNode *cell = cells; cell; cell = cell->next) csv_value(command, event_tree_get(row, cell->key));
        csv_end(command);
    }
}
