/* paths: what people do after (or before) an event, step by step. */
#include "cli_question_command.h"

enum { LINKS_SHOWN = 10 };

static void draw_links(struct question_command *command)
{
    Arena *arena = &command->arena;
    const TreeNode *links = event_tree_find(command->answer, "links");
    size_t shown = 0;
    struct table table;
    if (!links || !links->first) return;
    table_open(&table, arena, &command->terminal);
    table_column(&table, TABLE_NUMBER, STR("depth"));
    table_column(&table, TABLE_TEXT, STR("from"));
    table_column(&table, TABLE_TEXT, STR("to"));
    table_column(&table, TABLE_NUMBER, STR("people"));
    for (const TreeNode *link = links->first; link && shown < LINKS_SHOWN; link = link->next, shown++) {
        const TreeNode *from = event_tree_find(link, "from"), *to = event_tree_find(link, "to");
        table_row(&table);
        table_text(&table, DIM, event_tree_text(link, "depth"));
        table_text(&table, PLAIN, event_tree_is_given(from) ? tree_value_text(from) : STR("(others)"));
        table_text(&table, PLAIN, event_tree_is_given(to) ? tree_value_text(to) : STR("(others)"));
        table_text(&table, PLAIN, big_text(tree_count(link, "people"), arena));
    }
    buf_char(&command->out, '\n');
    table_write(&table, &command->out);
    if (links->count > LINKS_SHOWN)
        buf_printf(&command->out, "and %u more; --csv or --json has them all\n", links->count - LINKS_SHOWN);
}

static void draw(struct question_command *command)
{
    Arena *arena = &command->arena;
    const TreeNode *depths = event_tree_find(command->answer, "depths");
    uint64_t people = tree_count(command->answer, "people");
    bool is_before = str_equal(event_tree_text(command->answer, "direction"), STR("before"));
    buf_printf(&command->out, "%.*s: %.*s people\n", STR_FORMAT(event_tree_text(command->answer, "event")),
               STR_FORMAT(big_text(people, arena)));
    for (const TreeNode *depth = depths ? depths->first : NULL; depth; depth = depth->next) {
        Str number = event_tree_text(depth, "depth");
        uint64_t others = tree_count(depth, "others.people"), kinds = tree_count(depth, "others.events");
        buf_char(&command->out, '\n');
        draw_shares(command, event_tree_find(depth, "events"),
                    arena_printf(arena, "%.*s %s", STR_FORMAT(number), is_before ? "before" : "after"), people, NULL);
        if (kinds) buf_printf(&command->out, "%" PRIu64 " other events: %" PRIu64 " people\n", kinds, others);
        if (tree_count(depth, "ended"))
            buf_printf(&command->out, "nothing more: %" PRIu64 " people\n", tree_count(depth, "ended"));
    }
    draw_links(command);
}

static void write_csv(struct question_command *command)
{
    const TreeNode *links = event_tree_find(command->answer, "links");
    csv_begin(command, "depth,from,to,people");
    for (const TreeNode *link = links ? links->first : NULL; link; link = link->next) {
        csv_value(command, event_tree_find(link, "depth"));
        csv_value(command, event_tree_find(link, "from"));
        csv_value(command, event_tree_find(link, "to"));
        csv_value(command, event_tree_find(link, "people"));
        csv_end(command);
    }
}

const QuestionCommandKind question_paths = { NULL, draw, write_csv };
