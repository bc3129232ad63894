/* cli_question_command: from options to a question, from an answer to what the others draw. */
#include "cli_question_command.h"
#include "terminal/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { QUESTION_BYTES = 256 * 1024, FILTERS_GIVEN = 32 };
static const size_t ARENA_BYTES = (size_t)4 << 30;              /* of address space: an answer as a tree */

/* ---- Composing ---- */

void question_option(struct question_command *command, const char *option, const char *member)
{
    int64_t number;
    const char *text = command_option(command->line, option);
    if (!text) return;
    if (str_parse_int(str_from(text), INT64_MIN, INT64_MAX, &number)) json_int(&command->question, member, number);
    else json_string(&command->question, member, str_from(text));
}

void question_event(struct question_command *command, const char *name, Str operand)
{
    if (str_starts(operand, STR("{"))) json_raw(&command->question, name, str_trim(operand));
    else json_string(&command->question, name, operand);
}

void question_time(struct question_command *command, const char *option, const char *member)
{
    const char *text = command_option(command->line, option);
    Millis ago_ms;
    if (!text) return;
    if (duration_parse(str_from(text), &ago_ms))
        json_int(&command->question, member, clock_now_ms(os_clock()) - ago_ms);
    else json_string(&command->question, member, str_from(text));
}

int question_filters(struct question_command *command, const char *option, const char *member)
{
    Str filters[FILTERS_GIVEN] = { 0 };
    size_t count = command_values(command->line, option, filters, countof(filters));
    if (count == 0) return EXIT_FINE;
    json_array(&command->question, member);
    for (size_t at = 0; at < count; at++) {
        if (where_write(filters[at], &command->question)) continue;
        command_complain("--%s: \"%.*s\" is no filter like properties.plan=Free, properties.plan!=Free, "
                         "properties.seats>=5, context.page.path~signup, traits.email or !traits.email",
                         option, STR_FORMAT(filters[at]));
        return EXIT_USAGE;
    }
    json_array_end(&command->question);
    return EXIT_FINE;
}

/* ---- Reading ---- */

double tree_number(const TreeNode *object, const char *path, double missing)
{
    double number;
    return str_parse_double(event_tree_text(object, path), &number) ? number : missing;
}

uint64_t tree_count(const TreeNode *object, const char *path)
{
    double number = tree_number(object, path, 0);
    return number > 0 ? (uint64_t)number : 0;
}

Millis tree_millis(const TreeNode *object, const char *path, Millis missing)
{
    return (Millis)tree_number(object, path, (double)missing);
}

Str tree_value_text(const TreeNode *value)
{
    if (!event_tree_is_given(value)) return STR("(none)");
    return event_tree_is_kind(value, FIELD_STRING) ? value->text : value->raw;
}

Str tree_instant_text(const TreeNode *object, const char *path, Arena *arena)
{
    Str text = event_tree_text(object, path);
    if (text.len != INSTANT_TEXT_BYTES) return text;
    return arena_printf(arena, "%.*s %.*s", 10, text.bytes, 5, text.bytes + 11);
}

Str tree_bucket_text(struct question_command *command, const TreeNode *instant, Str unit)
{
    const char *format = str_equal(unit, STR("hour")) ? "%Y-%m-%d %H:%M" : str_equal(unit, STR("month")) ? "%Y-%m"
                       : "%Y-%m-%d";
    char text[32];
    struct tm parts;
    Millis at_ms;
    Str zone = event_tree_text(command->answer, "timezone");
    if (!event_tree_is_kind(instant, FIELD_STRING) || !instant_parse(instant->text, &at_ms)) return STR("");
    /* The C library knows the zones by the same files. */
    setenv("TZ", zone.len ? arena_copy(&command->arena, zone).bytes : "UTC", 1);
    tzset();
    time_t seconds = (time_t)(at_ms / 1000);
    if (str_equal(unit, STR("quarter")) && localtime_r(&seconds, &parts))
        return arena_printf(&command->arena, "%d Q%d", parts.tm_year + 1900, parts.tm_mon / 3 + 1);
    if (!localtime_r(&seconds, &parts) || !strftime(text, sizeof text, format, &parts)) return instant->text;
    return arena_copy(&command->arena, str_from(text));
}

double *tree_numbers(const TreeNode *list, Arena *arena)
{
    double *numbers = arena_new(arena, double, list ? list->count + 1 : 1);
    size_t count = 0;
    for (const TreeNode *value = list ? list->first : NULL; value; value = value->next, count++)
        if (!str_parse_double(value->text, &numbers[count])) numbers[count] = 0;
    return numbers;
}

Str tree_number_text(const TreeNode *value, Arena *arena)
{
    double number;
    if (!event_tree_is_kind(value, FIELD_NUMBER) || !str_parse_double(value->text, &number)) return STR("");
    if (number >= 0 && number < 1e15 && number == (double)(uint64_t)number) return big_text((uint64_t)number, arena);
    return arena_printf(arena, number < 1e6 && number > -1e6 ? "%.2f" : "%.0f", number);
}

Str big_text(uint64_t count, Arena *arena)
{
    char text[32];
    return arena_copy(arena, str_from(count_text(count, text, sizeof text)));
}

/* ---- Drawing ---- */

void draw_buckets(struct question_command *command, const TreeNode *buckets, const TreeNode *values, Str title)
{
    Arena *arena = &command->arena;
    Str unit = event_tree_text(command->answer, "unit");
    struct table table;
    double most = 0, *numbers = tree_numbers(values, arena);
    size_t at = 0;
    for (size_t one = 0; values && one < values->count; one++)
        if (numbers[one] > most) most = numbers[one];
    table_open(&table, arena, &command->terminal);
    table_column(&table, TABLE_TEXT, unit);
    table_column(&table, TABLE_NUMBER, title);
    table_column(&table, TABLE_BAR, STR(""));
    const TreeNode *value = values ? values->first : NULL;
    for (const TreeNode *bucket = buckets ? buckets->first : NULL; bucket && value;
         bucket = bucket->next, value = value->next, at++) {
        table_row(&table);
        table_text(&table, PLAIN, tree_bucket_text(command, bucket, unit));
        table_text(&table, PLAIN, tree_number_text(value, arena));
        table_bar(&table, CYAN, most > 0 ? numbers[at] / most : 0, 0);
    }
    table_write(&table, &command->out);
}

void draw_shares(struct question_command *command, const TreeNode *list, Str title, uint64_t all, const char *left_out)
{
    Arena *arena = &command->arena;
    struct table table;
    table_open(&table, arena, &command->terminal);
    table_column(&table, TABLE_TEXT, title);
    table_column(&table, TABLE_NUMBER, STR("people"));
    table_column(&table, TABLE_NUMBER, STR("share"));
    table_column(&table, TABLE_BAR, STR(""));
    for (const TreeNode *one = list ? list->first : NULL; one; one = one->next) {
        const TreeNode *name = event_tree_find(one, "event");
        uint64_t people = tree_count(one, "people");
        double share = all ? (double)people / (double)all : 0;
        table_row(&table);
        table_text(&table, BOLD, tree_value_text(name ? name : event_tree_find(one, "value")));
        table_text(&table, PLAIN, big_text(people, arena));
        table_text(&table, PLAIN, share_text(share, arena));
        table_bar(&table, CYAN, share, 0);
    }
    table_write(&table, &command->out);
    uint64_t more = left_out ? tree_count(command->answer, left_out) : 0;
    if (more) buf_printf(&command->out, "and %" PRIu64 " more; --limit shows up to 1000\n", more);
}

/* ---- CSV ---- */

void csv_begin(struct question_command *command, const char *titles)
{
    buf_str_put(&command->out, str_from(titles));
    buf_str_put(&command->out, STR("\r\n"));
    command->is_first_cell = true;
}

/* A spreadsheet takes a text that begins so for a formula and runs it. Texts are written by other people, so they must
 * not run; a number is no formula. (In some languages the wide forms count as the same.) */
static bool is_formula(Str text)
{
    struct unseen unseen = { 0 };
    for (size_t bytes; text.len && unseen_next(&unseen, point_decode(text, &bytes));)   /* some programs drop these */
        text = str_slice(text, bytes, text.len);
    static const char *const begins[] = { "=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠" };
    Str number = str_starts(text, STR("+")) || str_starts(text, STR("-")) ? str_slice(text, 1, text.len) : text;
    bool is_number = number.len > 0;
    for (size_t at = 0; at < number.len; at++)
        is_number &= memchr("0123456789.", number.bytes[at], 11) != NULL;
    for (size_t at = 0; at < countof(begins) && !is_number; at++)
        if (str_starts(text, str_from(begins[at]))) return true;
    return false;
}

static void csv_cell(struct question_command *command, Str text)
{
    struct buf *out = &command->out;
    bool has_quotes = false;
    if (!command->is_first_cell) buf_char(out, ',');
    command->is_first_cell = false;
    for (size_t at = 0; at < text.len; at++) has_quotes |= memchr("\",\r\n", text.bytes[at], 4) != NULL;
    if (!has_quotes) {
        buf_str_put(out, text);
        return;
    }
    buf_char(out, '"');
    for (size_t at = 0; at < text.len; at++) {
        if (text.bytes[at] == '"') buf_char(out, '"');
        buf_char(out, text.bytes[at]);
    }
    buf_char(out, '"');
}

void csv_text(struct question_command *command, Str text)
{
    csv_cell(command, is_formula(text) ? arena_printf(&command->arena, "'%.*s", STR_FORMAT(text)) : text);
}

void csv_value(struct question_command *command, const TreeNode *value)
{
    if (!event_tree_is_given(value)) csv_text(command, STR(""));
    else if (event_tree_is_kind(value, FIELD_STRING)) csv_text(command, value->text);
    else csv_cell(command, value->raw);
}

void csv_end(struct question_command *command)
{
    buf_str_put(&command->out, STR("\r\n"));
    command->is_first_cell = true;
}

/* ---- The command ---- */

static void put_warnings(struct question_command *command)
{
    const TreeNode *warnings = event_tree_find(command->answer, "warnings");
    for (const TreeNode *warning = warnings ? warnings->first : NULL; warning; warning = warning->next) {
        Str field = event_tree_text(warning, "field"), message = event_tree_text(warning, "message");
        fprintf(stderr, "onym: %.*s%s%.*s\n", STR_FORMAT(field), field.len ? ": " : "", STR_FORMAT(message));
    }
}

/* Shows the number, and what it does not count yet. */
void question_put_incomplete(const struct question_command *command, FILE *to)
{
    const TreeNode *complete = event_tree_find(command->answer, "complete");
    if (!event_tree_is_kind(complete, FIELD_BOOL) || complete->truth) return;
    double share = tree_number(command->answer, "behind.share_applied", 1);
    fprintf(to, "onym: not all events are counted yet: of what is on disk the server has applied %.1f %%; "
            "ask again in a moment\n", (double)(int64_t)(share * 1000) / 10);
}

static int print_answer(struct question_command *command, const QuestionCommandKind *kind, Str answer)
{
    Err err;
    if (command_has(command->line, "json")) {
        terminal_write(stdout, answer);
        putchar('\n');
        return EXIT_FINE;
    }
    Status s = event_tree_read(answer, &command->arena, &command->answer, &err);
    if (s) {
        command_complain("the answer cannot be read: %s; --json prints it as it is", err.text);
        return EXIT_WRONG;
    }
    if (command_has(command->line, "csv")) (kind->write_csv ? kind->write_csv : lists_write_csv)(command);
    else (kind->draw ? kind->draw : lists_draw)(command);
    if (command_has(command->line, "csv")) terminal_write(stdout, buf_str(&command->out));
    else fwrite(command->out.bytes ? command->out.bytes : "", 1, command->out.len, stdout);      /* with our colours */
    fflush(stdout);
    put_warnings(command);
    question_put_incomplete(command, stderr);
    return buf_ok(&command->out) ? EXIT_FINE : EXIT_WRONG;
}

static int ask_and_print(struct question_command *command, const QuestionCommandKind *kind, struct asker **ret_asker)
{
    Str answer;
    json_object(&command->question, NULL);
    int code = (kind->compose ? kind->compose : question_rows)(command);
    if (code) return code;
    json_object_end(&command->question);
    if (!buf_ok(&command->question)) {
        command_complain("the question is too long");
        return EXIT_USAGE;
    }
    code = ask_open(command->line, &command->arena, ret_asker);
    if (!code) code = ask_question(*ret_asker, command->path, buf_str(&command->question), &answer);
    return code ? code : print_answer(command, kind, answer);
}

int question_run(const struct command_line *line, const char *path, const QuestionCommandKind *kind)
{
    struct region region;
    struct asker *asker = NULL;
    struct question_command command = { .line = line, .path = str_from(path) };
    region_open(&region, ARENA_BYTES);
    command.arena = region_arena(&region);
    command.terminal = terminal_of(stdout);
    buf_init(&command.question, QUESTION_BYTES);
    buf_init(&command.out, LIMIT_ANSWER_BYTES);
    int code = EXIT_USAGE;
    if (command_has(line, "json") && command_has(line, "csv")) command_complain("--json or --csv, not both");
    else code = ask_and_print(&command, kind, &asker);
    ask_close(asker);
    buf_done(&command.question);
    buf_done(&command.out);
    region_close(&region);
    return code;
}
