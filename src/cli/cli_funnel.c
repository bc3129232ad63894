/* funnel: steps with bars, groups with what became of them; and the people of a step. */
#include "cli_question_command.h"

enum { STEPS_SHOWN = 5,                     /* columns of steps in a table of groups, or of people */
       NARROW = 72 };                       /* a terminal with less has no room for the slowest tenth */

/* ---- The question ---- */

static void put_excluded(struct question_command *command)
{
    Str events[16] = { 0 };
    size_t count = command_values(command->line, "exclude", events, countof(events));
    if (count == 0) return;
    json_array(&command->question, "exclusions");
    for (size_t at = 0; at < count; at++) {
        json_object(&command->question, NULL);
        json_string(&command->question, "event", events[at]);
        json_object_end(&command->question);
    }
    json_array_end(&command->question);
}

/* --group VALUE: null, true, 5, ["a"] and the like are what they look like; quotes make a text of them. */
static void put_group(struct question_command *command)
{
    Str value = str_from(command_option(command->line, "group"));
    Arena scratch = command->arena;
    const TreeNode *tree;
    if (!command_has(command->line, "group")) return;
    bool is_word = str_equal(value, STR("null")) || str_equal(value, STR("true")) || str_equal(value, STR("false"));
    bool looks_like_json = value.len && strchr("\"[-0123456789", value.bytes[0]);
    if (is_word || (looks_like_json && event_tree_read(value, &scratch, &tree, NULL) == OK))
        json_raw(&command->question, "group", str_trim(value));
    else json_string(&command->question, "group", value);
}

/* --step-window 3=1h of this step; empty if it has none. */
static Str window_of(struct question_command *command, size_t step)
{
    Str windows[20] = { 0 }, window, found = { 0 };
    int64_t number;
    size_t count = command_values(command->line, "step-window", windows, countof(windows));
    for (size_t at = 0; at < count; at++)
        if (str_parse_int(str_cut(windows[at], '=', &window), 1, 20, &number) && number == (int64_t)step)
            found = window;
    return found;
}

static bool windows_are_sound(struct question_command *command, size_t steps)
{
    Str windows[20] = { 0 }, window;
    int64_t number;
    size_t count = command_values(command->line, "step-window", windows, countof(windows));
    for (size_t at = 0; at < count; at++) {
        if (str_parse_int(str_cut(windows[at], '=', &window), 2, (int64_t)steps, &number) && window.len) continue;
        command_complain("--step-window: \"%.*s\" is not STEP=DURATION, like 2=1h; steps go from 2 to %zu here",
                         STR_FORMAT(windows[at]), steps);
        return false;
    }
    return true;
}

static void put_step(struct question_command *command, Str operand, Str window)
{
    struct buf *question = &command->question;
    if (!window.len) {
        question_event(command, NULL, operand);
        return;
    }
    if (str_starts(operand, STR("{"))) {
        while (operand.len && operand.bytes[operand.len - 1] != '}') operand.len--;
        json_raw(question, NULL, str_trim(str_slice(operand, 0, operand.len ? operand.len - 1 : 0)));
    } else {
        json_object(question, NULL);
        json_string(question, "event", operand);
    }
    json_string(question, "window", window);
    json_object_end(question);
}

static int compose(struct question_command *command)
{
    const struct command_line *line = command->line;
    if (!windows_are_sound(command, line->operand_count)) return EXIT_USAGE;
    json_array(&command->question, "steps");
    for (size_t at = 0; at < line->operand_count; at++)
        put_step(command, str_from(line->operands[at]), window_of(command, at + 1));
    json_array_end(&command->question);
    put_excluded(command);
    if (command_has(line, "people") || command_has(line, "dropped")) {
        command->path = STR("/api/v1/funnels/people");
        question_option(command, command_has(line, "people") ? "people" : "dropped", "step");
        if (command_has(line, "dropped")) json_word(&command->question, "outcome", "dropped");
        question_option(command, "cursor", "cursor");
        put_group(command);
    }
    return question_options(command);
}

/* ---- The funnel ---- */

static void put_time(struct table *table, const TreeNode *step, const char *member)
{
    Millis time_ms = tree_millis(step, member, -1);
    table_text(table, PLAIN, time_ms < 0 ? STR("") : duration_text(time_ms, table->arena));
}

static void draw_steps(struct question_command *command, const TreeNode *steps)
{
    Arena *arena = &command->arena;
    struct table table;
    uint64_t all = tree_count(steps->first, "people"), before = all;
    unsigned number = 1;
    bool is_narrow = command->terminal.width && command->terminal.width < NARROW;
    table_open(&table, arena, &command->terminal);
    table_column(&table, TABLE_NUMBER, STR(""));
    table_column(&table, TABLE_TEXT, STR("step"));
    table_column(&table, TABLE_NUMBER, STR("people"));
    table_column(&table, TABLE_NUMBER, STR("of first"));
    table_column(&table, TABLE_BAR, STR(""));
    table_column(&table, TABLE_NUMBER, STR("of before"));
    table_column(&table, TABLE_NUMBER, STR("median"));
    if (!is_narrow) table_column(&table, TABLE_NUMBER, STR("p90"));
    for (const TreeNode *step = steps->first; step; step = step->next, number++) {
        uint64_t people = tree_count(step, "people");
        double whole = all ? (double)all : 1;
        table_row(&table);
        table_printf(&table, DIM, "%u", number);
        table_text(&table, BOLD, event_tree_is_given(event_tree_find(step, "event")) ? event_tree_text(step, "event")
                   : arena_printf(arena, "any %u of %u", number, steps->count));
        table_text(&table, PLAIN, big_text(people, arena));
        table_text(&table, PLAIN, share_text((double)people / whole, arena));
        table_bar(&table, CYAN, (double)people / whole, (double)before / whole);
        table_text(&table, PLAIN, number == 1 ? STR("") : share_text(tree_number(step, "from_previous", 0), arena));
        put_time(&table, step, "median_ms");
        if (!is_narrow) put_time(&table, step, "p90_ms");
        before = people;
    }
    table_write(&table, &command->out);
}

/* A row for each group: its people at each step (of many steps the first ones and the last), and its conversion. */
static void draw_groups(struct question_command *command, const TreeNode *groups, size_t step_count)
{
    Arena *arena = &command->arena;
    struct table table;
    size_t shown = step_count > STEPS_SHOWN ? STEPS_SHOWN - 1 : step_count;
    table_open(&table, arena, &command->terminal);
    table_column(&table, TABLE_TEXT, event_tree_text(command->answer, "by"));
    for (size_t at = 0; at < shown; at++) table_column(&table, TABLE_NUMBER, arena_printf(arena, "step %zu", at + 1));
    if (shown < step_count) table_column(&table, TABLE_NUMBER, arena_printf(arena, "… %zu", step_count));
    table_column(&table, TABLE_NUMBER, STR("in all"));
    table_column(&table, TABLE_BAR, STR(""));
    table_column(&table, TABLE_NUMBER, STR("median"));
    for (const TreeNode *group = groups->first; group; group = group->next) {
        const TreeNode *steps = event_tree_find(group, "steps"), *last = steps ? steps->first : NULL;
        size_t number = 0;
        table_row(&table);
        table_text(&table, BOLD, tree_value_text(event_tree_find(group, "value")));
        for (const TreeNode *step = last; step; last = step, step = step->next, number++)
            if (number < shown || !step->next) table_text(&table, PLAIN, big_text(tree_count(step, "people"), arena));
        double share = tree_number(last, "from_first", 0);
        table_text(&table, PLAIN, share_text(share, arena));
        table_bar(&table, CYAN, share, 0);
        put_time(&table, last, "median_ms");
    }
    buf_char(&command->out, '\n');
    table_write(&table, &command->out);
    uint64_t left_out = tree_count(command->answer, "groups_left_out");
    if (left_out)
        buf_printf(&command->out, "and %" PRIu64 " more; --limit shows up to 1000\n", left_out);
}

static void draw_sentence(struct question_command *command, const TreeNode *steps)
{
    Arena *arena = &command->arena;
    const TreeNode *last = steps->first;
    while (last->next) last = last->next;
    Millis median_ms = tree_millis(last, "median_ms", -1);
    buf_printf(&command->out, "\n%.*s of %.*s people got to the end within %.*s",
               STR_FORMAT(share_text(tree_number(last, "from_first", 0), arena)),
               STR_FORMAT(big_text(tree_count(steps->first, "people"), arena)),
               STR_FORMAT(duration_text(tree_millis(command->answer, "window_ms", 0), arena)));
    if (median_ms >= 0)
        buf_printf(&command->out, ", half of them in %.*s", STR_FORMAT(duration_text(median_ms, arena)));
    buf_char(&command->out, '\n');
}

/* ---- The people of a step ---- */

/* What a person is called if there is room for one word only. */
static Str person_name(const TreeNode *person)
{
    if (event_tree_find(person, "group_id")) return event_tree_text(person, "group_id");
    const TreeNode *ids = event_tree_find(person, "user_ids");
    if (ids && ids->first) return ids->first->text;
    ids = event_tree_find(person, "anonymous_ids");
    if (ids && ids->first) return ids->first->text;
    return event_tree_text(person, "person_id");
}

static void draw_people(struct question_command *command, const TreeNode *people)
{
    Arena *arena = &command->arena;
    struct table table;
    size_t step_count = command->line->operand_count;
    size_t shown = step_count > STEPS_SHOWN ? STEPS_SHOWN : step_count;
    table_open(&table, arena, &command->terminal);
    table_column(&table, TABLE_TEXT, STR("person"));
    table_column(&table, TABLE_WHOLE, str_from(command->line->operands[0]));
    for (size_t at = 1; at < shown; at++) table_column(&table, TABLE_TEXT, str_from(command->line->operands[at]));
    for (const TreeNode *one = people->first; one; one = one->next) {
        const TreeNode *steps = event_tree_find(one, "steps");
        Millis entry_ms = 0, at_ms;
        size_t number = 0;
        table_row(&table);
        table_text(&table, BOLD, person_name(event_tree_find(one, "person")));
        for (const TreeNode *step = steps ? steps->first : NULL; step && number < shown; step = step->next, number++) {
            if (!instant_parse(event_tree_text(step, "time"), &at_ms)) at_ms = entry_ms;
            if (number == 0) entry_ms = at_ms;
            Str later = duration_text(at_ms - entry_ms, arena);
            table_text(&table, PLAIN, number == 0 ? tree_instant_text(step, "time", arena)
                                                  : arena_printf(arena, "+%.*s", STR_FORMAT(later)));
        }
    }
    table_write(&table, &command->out);
    uint64_t total = tree_count(command->answer, "total");
    const TreeNode *next = event_tree_find(command->answer, "cursor.next");
    buf_printf(&command->out, "\n%u of %.*s people", people->count, STR_FORMAT(big_text(total, arena)));
    if (event_tree_is_given(next) && people->count < total)
        buf_printf(&command->out, "; --cursor %.*s goes on", STR_FORMAT(next->text));
    buf_char(&command->out, '\n');
}

static void draw(struct question_command *command)
{
    const TreeNode *steps = event_tree_find(command->answer, "steps");
    const TreeNode *groups = event_tree_find(command->answer, "groups");
    const TreeNode *people = event_tree_find(command->answer, "people");
    if (people) {
        draw_people(command, people);
    } else if (steps && steps->first) {
        draw_steps(command, steps);
        if (groups && groups->first) draw_groups(command, groups, steps->count);
        draw_sentence(command, steps);
    }
}

/* ---- CSV ---- */

static void csv_steps(struct question_command *command, const TreeNode *steps, const TreeNode *value, bool is_whole)
{
    static const char *const members[] = {
        "event", "people", "from_previous", "from_first", "median_ms", "p90_ms", "median_from_previous_ms",
        "p90_from_previous_ms",
    };
    unsigned number = 1;
    for (const TreeNode *step = steps ? steps->first : NULL; step; step = step->next, number++) {
        if (is_whole) csv_text(command, STR("(all)"));
        else csv_text(command, tree_value_text(value));
        csv_text(command, arena_printf(&command->arena, "%u", number));
        for (size_t at = 0; at < countof(members); at++) csv_value(command, event_tree_find(step, members[at]));
        csv_end(command);
    }
}

static void csv_people(struct question_command *command, const TreeNode *people)
{
    csv_begin(command, "person_id,user_id,depth,group,step,event,time,position");
    for (const TreeNode *one = people->first; one; one = one->next) {
        const TreeNode *steps = event_tree_find(one, "steps"), *users = event_tree_find(one, "person.user_ids");
        unsigned number = 1;
        for (const TreeNode *step = steps ? steps->first : NULL; step; step = step->next, number++) {
            csv_value(command, event_tree_find(one, "person.person_id"));
            csv_value(command, users ? users->first : NULL);
            csv_value(command, event_tree_find(one, "depth"));
            csv_value(command, event_tree_find(one, "group"));
            csv_text(command, arena_printf(&command->arena, "%u", number));
            csv_value(command, event_tree_find(step, "event"));
            csv_value(command, event_tree_find(step, "time"));
            csv_value(command, event_tree_find(step, "position"));
            csv_end(command);
        }
    }
}

static void write_csv(struct question_command *command)
{
    const TreeNode *people = event_tree_find(command->answer, "people");
    const TreeNode *groups = event_tree_find(command->answer, "groups");
    if (people) {
        csv_people(command, people);
        return;
    }
    csv_begin(command, "group,step,event,people,from_previous,from_first,median_ms,p90_ms,median_from_previous_ms,"
                       "p90_from_previous_ms");
    csv_steps(command, event_tree_find(command->answer, "steps"), NULL, true);
    for (const TreeNode *group = groups ? groups->first : NULL; group; group = group->next)
        csv_steps(command, event_tree_find(group, "steps"), event_tree_find(group, "value"), false);
}

const QuestionCommandKind question_funnel = { compose, draw, write_csv };
