/* cli_question: the commands that ask a question, by their rows in ask/questions.tbl.h: which operand and which option
 * is which member. */
#include "cli.h"
#include "cli_question_command.h"

#include "ask/ask.h"

enum { EVENTS_GIVEN = 32 };

typedef enum Putting { PUT_VALUE, PUT_TEXT, PUT_TIME, PUT_EVENTS, PUT_FILTERS, PUT_FLAG, PUT_OWN } Putting;

static const char *const paths[QUERY_KIND_COUNT] = {
#define QUESTION(KIND, answer, path, ...) [QUERY_##KIND] = "/api/v1/" path,
#include "ask/questions.tbl.h"
};
typedef struct Asked {
    QueryKind kind;
    const char *command, *operands, *members, *wants;
} Asked;
static const Asked all[] = {
#define ASKED(KIND, command, operands, members, wants, ...) { QUERY_##KIND, command, operands, members, wants },
#include "ask/questions.tbl.h"
};
static const struct { const char *command, *option, *member; Putting how; } options[] = {
#define MEMBER(command, letter, option, value, how, member, ...) { command, option, member, PUT_##how },
#include "ask/questions.tbl.h"
};

/* Questions that have code of their own, beside their rows. */
static const QuestionCommandKind *const kinds[QUERY_KIND_COUNT] = {
    [QUERY_FUNNEL] = &question_funnel, [QUERY_TRENDS] = &question_trends, [QUERY_RETENTION] = &question_retention,
    [QUERY_PATHS] = &question_paths, [QUERY_SIGNUPS] = &question_signups, [QUERY_EVENTS] = &question_events,
};

static const Asked *find_asked(const char *command)
{
    size_t at = 0;
    while (at < countof(all) && strcmp(all[at].command, command)) at++;
    check(at < countof(all));
    return &all[at];
}

/* ---- Options ---- */

static void put_events(struct question_command *command, const char *option, const char *member)
{
    Str events[EVENTS_GIVEN] = { 0 };
    size_t count = command_values(command->line, option, events, countof(events));
    if (!count) return;
    json_array(&command->question, member);
    for (size_t at = 0; at < count; at++) question_event(command, NULL, events[at]);
    json_array_end(&command->question);
}

/* "collapse", or "direction=before". */
static void put_flag(struct question_command *command, const char *option, Str words)
{
    Str word, member = str_cut(words, '=', &word);
    if (!command_has(command->line, option)) return;
    json_name(&command->question, member);
    if (word.len) json_string(&command->question, NULL, word);
    else json_bool(&command->question, NULL, true);
}

int question_options(struct question_command *command)
{
    int code = EXIT_FINE;
    for (size_t at = 0; at < countof(options) && !code; at++) {
        const char *option = options[at].option, *member = options[at].member;
        const char *text;
        if (strcmp(options[at].command, command->line->command->name)) continue;
        switch (options[at].how) {
        case PUT_VALUE: question_option(command, option, member); break;
        case PUT_TEXT:
            text = command_option(command->line, option);
            if (text) json_string(&command->question, member, str_from(text));
            break;
        case PUT_TIME: question_time(command, option, member); break;
        case PUT_EVENTS: put_events(command, option, member); break;
        case PUT_FILTERS: code = question_filters(command, option, member); break;
        case PUT_FLAG: put_flag(command, option, str_from(member)); break;
        case PUT_OWN: default: break;
        }
    }
    return code;
}

/* ---- Operands ---- */

/* As --help shows them: "BIRTH [RETURN]" wants one, two at most; "EVENT..." one at least. */
static bool takes_operands(const char *shown, size_t count)
{
    size_t least = 0, most = 0;
    Str words = str_from(shown);
    while (words.len) {
        Str word = str_cut(words, ' ', &words);
        least += word.bytes[0] != '[';
        most = str_contains(word, STR("...")) ? SIZE_MAX : most + (most < SIZE_MAX);
    }
    return count >= least && count <= most;
}

/* "event", "search=text", "steps...". The last one takes all that are left. */
static void put_operands(struct question_command *command, Str members)
{
    const struct command_line *line = command->line;
    for (size_t at = 0; at < line->operand_count && members.len;) {
        Str how, member = str_cut(str_cut(members, ' ', &members), '=', &how);
        bool is_list = member.len > 3 && str_equal(str_slice(member, member.len - 3, member.len), STR("..."));
        if (is_list) member.len -= 3;
        json_name(&command->question, member);
        if (is_list) json_array(&command->question, NULL);
        do {
            Str operand = str_from(line->operands[at++]);
            if (str_equal(how, STR("text"))) json_string(&command->question, NULL, operand);
            else question_event(command, NULL, operand);
        } while (is_list && at < line->operand_count);
        if (is_list) json_array_end(&command->question);
    }
}

int question_rows(struct question_command *command)
{
    put_operands(command, str_from(find_asked(command->line->command->name)->members));
    return question_options(command);
}

/* ---- The command ---- */

int command_question(const struct command_line *line)
{
    static const QuestionCommandKind plain = { 0 };
    const Asked *asked = find_asked(line->command->name);
    if (!takes_operands(asked->operands, line->operand_count)) {
        command_complain("%s wants %s", asked->command, asked->wants);
        return EXIT_USAGE;
    }
    return question_run(line, paths[asked->kind], kinds[asked->kind] ? kinds[asked->kind] : &plain);
}
