/* retention: a row for each cohort, a column for each period; the more came back, the darker. */
#include "cli_question_command.h"

enum { PERIOD_COLUMNS = 6, LEFT_COLUMNS = 22 };      /* of one period, of cohort and people */

static Colour colour_of(double share)
{
    return share >= 0.5 ? GREEN : share >= 0.25 ? CYAN : share >= 0.1 ? BLUE : share > 0 ? PLAIN : DIM;
}

static void put_share(struct table *table, double share)
{
    table_printf(table, colour_of(share), share > 0 && share < 0.005 ? "<1%%" : "%.0f%%", share * 100);
}

static void open_table(struct question_command *command, struct table *table, Str title, size_t periods)
{
    table_open(table, &command->arena, &command->terminal);
    table_column(table, TABLE_TEXT, title);
    table_column(table, TABLE_NUMBER, STR("people"));
    for (size_t at = 0; at < periods; at++)
        table_column(table, TABLE_NUMBER, arena_printf(&command->arena, "%zu", at));
}

/* Shares of what was seen: returned over people, or the shares that the answer has. */
static void put_periods(struct table *table, const TreeNode *line, size_t periods, uint64_t people)
{
    const TreeNode *shares = event_tree_find(line, "shares"), *returned = event_tree_find(line, "returned");
    const TreeNode *value = shares ? shares->first : returned ? returned->first : NULL;
    double number;
    for (size_t at = 0; value && at < periods; value = value->next, at++) {
        if (!event_tree_is_given(value) || !str_parse_double(value->text, &number)) table_text(table, PLAIN, STR(""));
        else put_share(table, shares ? number : people ? number / (double)people : 0);
    }
}

/* Periods that have begun by now, so that somebody can have come back in them. */
static size_t seen_periods(const TreeNode *all)
{
    const TreeNode *eligible = event_tree_find(all, "eligible");
    size_t at = 0, seen = 1;
    for (const TreeNode *value = eligible ? eligible->first : NULL; value; value = value->next, at++)
        if (event_tree_is_given(value) && !str_equal(value->text, STR("0"))) seen = at + 1;
    return seen;
}

static void draw(struct question_command *command)
{
    Arena *arena = &command->arena;
    const TreeNode *cohorts = event_tree_find(command->answer, "cohorts");
    const TreeNode *all = event_tree_find(command->answer, "total");
    const TreeNode *groups = event_tree_find(command->answer, "groups");
    Str unit = event_tree_text(command->answer, "unit");
    unsigned width = command->terminal.width ? command->terminal.width : TABLE_COLUMNS;
    size_t there = seen_periods(all), room = (width - LEFT_COLUMNS) / PERIOD_COLUMNS;
    size_t periods = there < room ? there : room;
    if (periods > TABLE_CELLS_MAX - 2) periods = TABLE_CELLS_MAX - 2;
    struct table table;
    open_table(command, &table, unit, periods);
    for (const TreeNode *cohort = cohorts ? cohorts->first : NULL; cohort; cohort = cohort->next) {
        uint64_t people = tree_count(cohort, "people");
        table_row(&table);
        table_text(&table, PLAIN, tree_bucket_text(command, event_tree_find(cohort, "start"), unit));
        table_text(&table, PLAIN, big_text(people, arena));
        put_periods(&table, cohort, periods, people);
    }
    table_row(&table);
    table_text(&table, BOLD, STR("all"));
    table_text(&table, BOLD, big_text(tree_count(all, "people"), arena));
    put_periods(&table, all, periods, tree_count(all, "people"));
    table_write(&table, &command->out);
    if (groups && groups->first) {
        Str by = event_tree_text(command->answer, "by");
        open_table(command, &table, by.len ? by : str_from(command_option(command->line, "by")), periods);
        for (const TreeNode *group = groups->first; group; group = group->next) {
            table_row(&table);
            table_text(&table, BOLD, tree_value_text(event_tree_find(group, "value")));
            table_text(&table, PLAIN, big_text(tree_count(group, "people"), arena));
            put_periods(&table, group, periods, tree_count(group, "people"));
        }
        buf_char(&command->out, '\n');
        table_write(&table, &command->out);
    }
    if (periods < there)
        buf_printf(&command->out, "\n%zu of %zu periods fit; a wider terminal, --csv or --json has them all\n", periods,
                   there);
}

static void csv_line(struct question_command *command, Str group, const TreeNode *start, const TreeNode *line)
{
    const TreeNode *returned = event_tree_find(line, "returned"), *eligible = event_tree_find(line, "eligible");
    const TreeNode *of = eligible ? eligible->first : NULL;
    size_t period = 0;
    for (const TreeNode *value = returned ? returned->first : NULL; value; value = value->next, period++) {
        csv_text(command, group);
        csv_value(command, start);
        csv_value(command, event_tree_find(line, "people"));
        csv_text(command, arena_printf(&command->arena, "%zu", period));
        csv_value(command, value);
        csv_value(command, of);
        csv_end(command);
        if (of) of = of->next;
    }
}

static void write_csv(struct question_command *command)
{
    const TreeNode *cohorts = event_tree_find(command->answer, "cohorts");
    const TreeNode *groups = event_tree_find(command->answer, "groups");
    csv_begin(command, "group,cohort,people,period,returned,eligible");
    for (const TreeNode *cohort = cohorts ? cohorts->first : NULL; cohort; cohort = cohort->next)
        csv_line(command, STR("(all)"), event_tree_find(cohort, "start"), cohort);
    csv_line(command, STR("(all)"), NULL, event_tree_find(command->answer, "total"));
    for (const TreeNode *group = groups ? groups->first : NULL; group; group = group->next)
        csv_line(command, tree_value_text(event_tree_find(group, "value")), NULL, group);
}

const QuestionCommandKind question_retention = { NULL, draw, write_csv };
