/* trends: one series as bars down the page, several as a line of blocks each. */
#include "cli_question_command.h"

enum { BUCKETS_SHOWN = 100, SPARK_LEAST = 12, SPARK_MOST = 60 };

static int compose(struct question_command *command)
{
    const struct command_line *line = command->line;
    const char *measure = command_option(line, "measure"), *property = command_option(line, "property");
    json_array(&command->question, "series");
    for (size_t at = 0; at < line->operand_count; at++) {
        Str event = str_from(line->operands[at]);
        if (str_starts(event, STR("{")) || (!measure && !property)) {
            question_event(command, NULL, event);
            continue;
        }
        json_object(&command->question, NULL);
        json_string(&command->question, "event", event);
        if (measure) json_word(&command->question, "measure", measure);
        if (property) json_word(&command->question, "property", property);
        json_object_end(&command->question);
    }
    json_array_end(&command->question);
    return question_options(command);
}

static Str measure_text(const TreeNode *series, Arena *arena)
{
    Str measure = event_tree_text(series, "measure"), property = event_tree_text(series, "property");
    if (!property.len) return measure;
    return arena_printf(arena, "%.*s of %.*s", STR_FORMAT(measure), STR_FORMAT(property));
}

/* As many blocks as there is room for; each the largest of the buckets that it stands for. */
static Str spark_of(const TreeNode *values, size_t room, Arena *arena)
{
    size_t count = values ? values->count : 0, columns = count < room ? count : room;
    double *numbers = tree_numbers(values, arena), *tops = arena_new(arena, double, columns + 1), most = 0;
    for (size_t at = 0; at < count; at++) {
        size_t column = at * columns / count;
        if (numbers[at] > tops[column]) tops[column] = numbers[at];
        if (numbers[at] > most) most = numbers[at];
    }
    return spark_text(tops, columns, most, arena);
}

static void draw_line(struct question_command *command, struct table *table, Str name, Colour colour,
                      const TreeNode *line, size_t room)
{
    table_row(table);
    table_text(table, colour, name);
    table_text(table, PLAIN, tree_number_text(event_tree_find(line, "total"), &command->arena));
    table_text(table, CYAN, spark_of(event_tree_find(line, "values"), room, &command->arena));
}

static void draw_lines(struct question_command *command, const TreeNode *all, const TreeNode *buckets)
{
    Arena *arena = &command->arena;
    Str unit = event_tree_text(command->answer, "unit");
    unsigned width = command->terminal.width ? command->terminal.width : TABLE_COLUMNS;
    size_t room = width > SPARK_LEAST + 36 ? width - 36 : SPARK_LEAST;
    const TreeNode *last = buckets->first;
    while (last && last->next) last = last->next;
    struct table table;
    table_open(&table, arena, &command->terminal);
    table_column(&table, TABLE_TEXT, event_tree_text(command->answer, "by"));
    table_column(&table, TABLE_NUMBER, STR("total"));
    table_column(&table, TABLE_TEXT, last ? arena_printf(arena, "%.*s to %.*s by %.*s",
                 STR_FORMAT(tree_bucket_text(command, buckets->first, unit)),
                 STR_FORMAT(tree_bucket_text(command, last, unit)), STR_FORMAT(unit)) : STR(""));
    for (const TreeNode *series = all->first; series; series = series->next) {
        const TreeNode *groups = event_tree_find(series, "groups");
        Str name = arena_printf(arena, "%.*s: %.*s", STR_FORMAT(event_tree_text(series, "event")),
                                STR_FORMAT(measure_text(series, arena)));
        draw_line(command, &table, name, BOLD, series, room < SPARK_MOST ? room : SPARK_MOST);
        for (const TreeNode *group = groups ? groups->first : NULL; group; group = group->next) {
            Str value = tree_value_text(event_tree_find(group, "value"));
            draw_line(command, &table, arena_printf(arena, "  %.*s", STR_FORMAT(value)), PLAIN, group,
                      room < SPARK_MOST ? room : SPARK_MOST);
        }
    }
    table_write(&table, &command->out);
    for (const TreeNode *series = all->first; series; series = series->next)
        if (tree_count(series, "groups_left_out"))
            buf_printf(&command->out, "%.*s: and %" PRIu64 " more; --limit shows up to 1000\n",
                       STR_FORMAT(event_tree_text(series, "event")), tree_count(series, "groups_left_out"));
}

static void draw(struct question_command *command)
{
    const TreeNode *all = event_tree_find(command->answer, "series");
    const TreeNode *buckets = event_tree_find(command->answer, "buckets"), *groups;
    if (!all || !all->first || !buckets) return;
    groups = event_tree_find(all->first, "groups");
    if (all->count > 1 || (groups && groups->first) || buckets->count > BUCKETS_SHOWN) {
        draw_lines(command, all, buckets);
        return;
    }
    Arena *arena = &command->arena;
    buf_printf(&command->out, "%.*s: %.*s %.*s\n\n", STR_FORMAT(event_tree_text(all->first, "event")),
               STR_FORMAT(measure_text(all->first, arena)),
               STR_FORMAT(tree_number_text(event_tree_find(all->first, "total"), arena)));
    draw_buckets(command, buckets, event_tree_find(all->first, "values"), event_tree_text(all->first, "measure"));
}

static void csv_line(struct question_command *command, const TreeNode *series, const TreeNode *line, bool is_whole)
{
    const TreeNode *buckets = event_tree_find(command->answer, "buckets"), *values = event_tree_find(line, "values");
    const TreeNode *bucket = buckets ? buckets->first : NULL;
    for (const TreeNode *value = values ? values->first : NULL; value && bucket;
         value = value->next, bucket = bucket->next) {
        csv_value(command, event_tree_find(series, "event"));
        csv_value(command, event_tree_find(series, "measure"));
        csv_text(command, is_whole ? STR("(all)") : tree_value_text(event_tree_find(line, "value")));
        csv_value(command, bucket);
        csv_value(command, value);
        csv_end(command);
    }
}

static void write_csv(struct question_command *command)
{
    const TreeNode *all = event_tree_find(command->answer, "series");
    csv_begin(command, "event,measure,group,from,value");
    for (const TreeNode *series = all ? all->first : NULL; series; series = series->next) {
        const TreeNode *groups = event_tree_find(series, "groups");
        csv_line(command, series, series, true);
        for (const TreeNode *group = groups ? groups->first : NULL; group; group = group->next)
            csv_line(command, series, group, false);
    }
}

const QuestionCommandKind question_trends = { compose, draw, write_csv };
