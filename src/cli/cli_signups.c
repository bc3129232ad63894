/* signups: new users over time, and what they did before anybody knew who they were. */
#include "cli_question_command.h"

static const struct { const char *list, *title, *left_out; } lists[] = {
    { "first_events", "what they did first", "first_events_left_out" },
    { "referrers", "first referrer", "referrers_left_out" },
    { "campaigns", "first campaign", "campaigns_left_out" },
};

static void draw(struct question_command *command)
{
    Arena *arena = &command->arena;
    uint64_t people = tree_count(command->answer, "people"), known = tree_count(command->answer, "with_history");
    draw_buckets(command, event_tree_find(command->answer, "buckets"), event_tree_find(command->answer, "values"),
                 STR("sign-ups"));
    buf_printf(&command->out, "\n%.*s sign-ups; %.*s of them (%.*s) with what they did before\n",
               STR_FORMAT(big_text(people, arena)), STR_FORMAT(big_text(known, arena)),
               STR_FORMAT(share_text(tree_number(command->answer, "with_history_share", 0), arena)));
    for (size_t at = 0; people && at < countof(lists); at++) {
        buf_char(&command->out, '\n');
        draw_shares(command, event_tree_find(command->answer, lists[at].list), str_from(lists[at].title), people,
                    lists[at].left_out);
    }
}

static void csv_values(struct question_command *command, Str what, const TreeNode *value, const TreeNode *values)
{
    const TreeNode *buckets = event_tree_find(command->answer, "buckets"), *bucket = buckets ? buckets->first : NULL;
    for (const TreeNode *count = values ? values->first : NULL; count && bucket;
         count = count->next, bucket = bucket->next) {
        csv_text(command, what);
        csv_text(command, value ? tree_value_text(value) : STR("(all)"));
        csv_value(command, bucket);
        csv_value(command, count);
        csv_end(command);
    }
}

static void write_csv(struct question_command *command)
{
    csv_begin(command, "what,value,from,people");
    csv_values(command, STR("signups"), NULL, event_tree_find(command->answer, "values"));
    csv_values(command, STR("with_history"), NULL, event_tree_find(command->answer, "with_history_values"));
    for (size_t at = 0; at < countof(lists); at++) {
        const TreeNode *list = event_tree_find(command->answer, lists[at].list);
        for (const TreeNode *one = list ? list->first : NULL; one; one = one->next)
            csv_values(command, str_from(lists[at].list), event_tree_find(one, "value"),
                       event_tree_find(one, "values"));
    }
}

const QuestionCommandKind question_signups = { NULL, draw, write_csv };
