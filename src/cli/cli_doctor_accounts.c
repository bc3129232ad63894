/* doctor --accounts: compares the operator's own table of accounts with what arrived: which accounts never did, came
 * late, without a history, or twice, each with its likely cause. The table is read here (cli_accounts.h). The server is
 * asked about a part of it at a time, as much as fits a request. The accounts of a part were made at about the same
 * time, and the server looks only at messages of that time. */
#include "cli_accounts.h"
#include "cli_doctor_accounts.h"
#include "cli_question_command.h"

#include <stdio.h>
#include <stdlib.h>

#define PATH "/api/v1/findings/accounts"
enum { PART_BYTES = LIMIT_BODY_BYTES - 16 * 1024, PART_ACCOUNTS = 4000, SHOWN = 10, JOINED_MAX = 1 << 20,
       PROBLEMS_MAX = 3 * ACCOUNTS_ROWS };

typedef struct Problem {
    Str id, state, cause, code, text, created, seen, person, position;
} Problem;

/* An account that is one person with another user id. */
typedef struct Joined { Str id, person; } Joined;

struct judging {
    struct person_command *command;
    AccountTable table;
    TableAccount *by_time;
    struct region region;                   /* of the file, and of what is said about it */
    Arena arena;
    Problem *problems;
    Joined *joined;
    size_t problem_count, problem_capacity, joined_count, joined_capacity;
    uint64_t fine, messages;
    int64_t moved_minutes;
    bool is_cut, with_imports;
};

/* In the order in which they are shown. */
static const struct { const char *word, *title; } states[] = {
    { "never", "never arrived" }, { "late", "arrived late" }, { "no_history", "came without a history" },
    { "twice", "signed up twice" },
};

static void put(struct judging *judging, Colour colour, Str text)
{
    struct person_command *command = judging->command;
    buf_str_put(&command->out, str_from(terminal_start(&command->terminal, colour)));
    (void)terminal_put(&command->out, text, 0, 0);
    buf_str_put(&command->out, str_from(terminal_end(&command->terminal, colour)));
}

/* ---- What was guessed ---- */

static void put_column(struct judging *judging, FILE *to, const char *what, Str column, const char *as, Str example)
{
    struct buf text;
    char room[1024];
    (void)judging;
    buf_init_fixed(&text, room, sizeof room);
    if (!column.len) buf_printf(&text, "  %-8s no column; --%s COLUMN says which\n", what, as);
    else {
        buf_printf(&text, "  %-8s ", what);
        (void)terminal_put(&text, column, 0, 60);
        buf_str_put(&text, STR(", as in "));
        (void)terminal_put(&text, example, 0, 60);
        buf_char(&text, '\n');
    }
    fwrite(text.bytes, 1, text.len, to);
}

static void put_guess(struct judging *judging, const char *file)
{
    static const char *const times[] = {
        [TIMES_NONE] = "", [TIMES_READ] = "; times without a zone are taken as UTC",
        [TIMES_DAY_FIRST] = "; days are read as day/month/year, UTC",
        [TIMES_MONTH_FIRST] = "; days are read as month/day/year, UTC",
    };
    const AccountTable *table = &judging->table;
    const char *between = table->separator == ',' ? "comma" : table->separator == ';' ? "semicolon"
                          : table->separator == '\t' ? "tab" : "bar";
    fprintf(stderr, "%s: %zu accounts in %zu rows, %s between columns%s\n", file, table->count, table->row_count,
            between, times[table->times]);
    put_column(judging, stderr, "user id", table->id_column, "id", table->id_example);
    put_column(judging, stderr, "e-mail", table->email_column, "email", table->email_example);
    put_column(judging, stderr, "created", table->created_column, "created", table->created_example);
    if (table->no_id_count)
        fprintf(stderr, "  %zu rows have no user id and are left out\n", table->no_id_count);
    if (table->again_count)
        fprintf(stderr, "  %zu rows have a user id that another row has, too\n", table->again_count);
    if (table->no_time_count)
        fprintf(stderr, "  %zu times cannot be read; these accounts are never late\n", table->no_time_count);
    fputc('\n', stderr);
}

/* ---- Asking ---- */

static int by_time(const void *a, const void *b)
{
    const TableAccount *x = a, *y = b;
    if (x->created_ms != y->created_ms) return x->created_ms < y->created_ms ? -1 : 1;
    return str_compare(x->id, y->id);
}

/* As many accounts as a request holds; gives how many. */
static size_t compose(const struct judging *judging, size_t from, struct buf *body)
{
    size_t at = from;
    json_object(body, NULL);
    json_array(body, "accounts");
    for (; at < judging->table.count && at - from < PART_ACCOUNTS && body->len < PART_BYTES; at++) {
        const TableAccount *account = &judging->by_time[at];
        json_object(body, NULL);
        json_string(body, "id", str_slice(account->id, 0, LIMIT_ID_BYTES));
        if (account->email.len) json_string(body, "email", str_slice(account->email, 0, LIMIT_ID_BYTES));
        if (account->created_ms != INT64_MIN) json_instant(body, "created", account->created_ms);
        json_object_end(body);
    }
    json_array_end(body);
    json_object_end(body);
    return at - from;
}

static Str keep(struct judging *judging, const TreeNode *object, const char *path)
{
    Str text = event_tree_text(object, path);
    if (arena_left(&judging->arena) <= text.len) return (Str){ 0 };
    return arena_copy(&judging->arena, text);
}

/* NULL: there is no memory for it. */
static Problem *add_problem(struct judging *judging)
{
    size_t count = judging->problem_count;
    if (!vector_reserve(judging->problems, judging->problem_capacity, count + 1, PROBLEMS_MAX)) return NULL;
    return &judging->problems[judging->problem_count++];
}

static bool take(struct judging *judging, const TreeNode *answer)
{
    const TreeNode *list = event_tree_get(answer, STR("problems"));
    for (const TreeNode *one = list ? list->first : NULL; one; one = one->next) {
        Problem *problem = add_problem(judging);
        if (!problem) return false;
        *problem = (Problem){
            keep(judging, one, "id"), keep(judging, one, "state"), keep(judging, one, "cause"),
            keep(judging, one, "code"), keep(judging, one, "text"), keep(judging, one, "created"),
            keep(judging, one, "seen"), keep(judging, one, "person_id"), keep(judging, one, "position"),
        };
    }
    list = event_tree_get(answer, STR("joined"));
    for (const TreeNode *one = list ? list->first : NULL; one; one = one->next) {
        size_t count = judging->joined_count;
        if (!vector_reserve(judging->joined, judging->joined_capacity, count + 1, JOINED_MAX)) return false;
        judging->joined[count] = (Joined){ keep(judging, one, "id"), keep(judging, one, "person_id") };
        judging->joined_count++;
    }
    judging->fine += tree_count(answer, "fine");
    judging->messages += tree_count(answer, "messages");
    double moved = tree_number(answer, "moved_minutes", 0);
    if (moved != 0) judging->moved_minutes = (int64_t)moved;
    const TreeNode *cut = event_tree_get(answer, STR("is_cut"));
    judging->is_cut |= cut && cut->truth;
    return true;
}

static Str compose_path(struct judging *judging)
{
    struct person_command *command = judging->command;
    const char *signup = command_option(command->line, "signup");
    Str path = judging->with_imports ? STR(PATH "?imports=true") : STR(PATH "?imports=false");
    if (!signup) return path;
    Str value = percent_encode(&command->arena, str_from(signup), PERCENT_URL);
    return arena_printf(&command->arena, "%.*s&signup=%.*s", STR_FORMAT(path), STR_FORMAT(value));
}

static int ask_all(struct judging *judging)
{
    struct person_command *command = judging->command;
    struct progress progress;
    Str path = compose_path(judging), text;
    struct buf body;
    int code = command->asker ? EXIT_FINE : ask_open(command->line, &command->arena, &command->asker);
    buf_init(&body, LIMIT_BODY_BYTES);
    progress_init(&progress, os_clock(), "comparing");
    for (size_t from = 0; !code && from < judging->table.count;) {
        const TreeNode *answer;
        Arena before = command->arena;
        buf_clear(&body);
        size_t count = compose(judging, from, &body);
        code = person_ask(command, "POST", path, buf_str(&body), &text, &answer);
        if (!code && !take(judging, answer)) {
            command_complain("no memory for the answers about %zu accounts; split the file", judging->table.count);
            code = EXIT_WRONG;
        }
        command->arena = before;
        from += count;
        progress_show_share(&progress, from, judging->table.count, (Str){ 0 });
    }
    progress_clear(&progress);
    buf_done(&body);
    return code;
}

/* If nothing arrived live in the time of these accounts, imported messages are looked at. */
static int ask_until_known(struct judging *judging)
{
    judging->with_imports = command_has(judging->command->line, "imports");
    int code = ask_all(judging);
    if (code || judging->messages || judging->with_imports || !judging->table.count) return code;
    judging->with_imports = true;
    judging->problem_count = judging->joined_count = 0, judging->fine = 0;
    return ask_all(judging);
}

/* ---- Two accounts that are one person ---- */

static int by_person(const void *a, const void *b)
{
    const Joined *x = a, *y = b;
    int order = str_compare(x->person, y->person);
    return order ? order : str_compare(x->id, y->id);
}

static bool is_account(const struct judging *judging, Str id)
{
    size_t from = 0, to = judging->table.count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (str_compare(judging->table.items[middle].id, id) < 0) from = middle + 1;
        else to = middle;
    }
    return from < judging->table.count && str_equal(judging->table.items[from].id, id);
}

/* "kim~40example.com": a person id has ~ where a URL has %. */
static Str read_name(struct judging *judging, Str name)
{
    char *bytes = arena_bytes(&judging->arena, name.len + 1);
    for (size_t at = 0; at < name.len; at++) bytes[at] = name.bytes[at] == '~' ? '%' : name.bytes[at];
    return percent_decode(str_of(bytes, name.len), false, &judging->arena);
}

/* The account whose id is the name of the person, if there is one; else the first of those that were joined. */
static bool find_other(struct judging *judging, size_t at, Str *ret)
{
    const Joined *joined = &judging->joined[at];
    if (str_starts(joined->person, STR("u_"))) {
        Str id = read_name(judging, str_slice(joined->person, 2, joined->person.len));
        if (is_account(judging, id) && !str_equal(id, joined->id)) {
            *ret = id;
            return true;
        }
    }
    for (size_t n = at; n-- > 0 && str_equal(judging->joined[n].person, joined->person);) *ret = judging->joined[n].id;
    return at > 0 && str_equal(judging->joined[at - 1].person, joined->person);
}

static void add_joined(struct judging *judging)
{
    Str other;
    if (judging->joined_count) qsort(judging->joined, judging->joined_count, sizeof *judging->joined, by_person);
    for (size_t at = 0; at < judging->joined_count; at++) {
        if (!find_other(judging, at, &other)) continue;
        Problem *problem = add_problem(judging);
        if (!problem) return;
        *problem = (Problem){
            .id = judging->joined[at].id, .state = STR("twice"), .cause = STR("joined"), .code = STR("ID-11"),
            .text = arena_printf(&judging->arena, "one person with the account \"%.*s\", by an alias",
                                 STR_FORMAT(other)),
            .person = judging->joined[at].person,
        };
    }
}

/* ---- Telling ---- */

static size_t state_of(const Problem *problem)
{
    size_t at = 0;
    while (at < countof(states) - 1 && !str_equal(problem->state, str_from(states[at].word))) at++;
    return at;
}

static int by_cause(const void *a, const void *b)
{
    const Problem *x = a, *y = b;
    if (state_of(x) != state_of(y)) return state_of(x) < state_of(y) ? -1 : 1;
    int order = str_compare(x->cause, y->cause);
    if (!order) order = str_compare(x->created, y->created);
    return order ? order : str_compare(x->id, y->id);
}

static void put_problem(struct judging *judging, const Problem *problem)
{
    struct buf *out = &judging->command->out;
    buf_str_put(out, STR("    "));
    (void)terminal_put(out, problem->id, 24, 48);
    buf_str_put(out, STR("  "));
    (void)terminal_put(out, str_slice(problem->created, 0, 16), 16, 16);
    buf_str_put(out, STR("  "));
    put(judging, PLAIN, problem->text);
    buf_char(out, '\n');
}

/* All problems of one cause; gives where they end. */
static size_t put_cause(struct judging *judging, size_t from)
{
    const Problem *first = &judging->problems[from];
    struct buf *out = &judging->command->out;
    size_t to = from;
    while (to < judging->problem_count && str_equal(judging->problems[to].cause, first->cause)
           && str_equal(judging->problems[to].state, first->state)) to++;
    buf_printf(out, "  %zu  %.*s%s%.*s\n", to - from, STR_FORMAT(first->cause),
               first->code.len ? ", docs/doctor.md: " : "", STR_FORMAT(first->code));
    for (size_t at = from; at < to && (at - from < SHOWN || command_has(judging->command->line, "all")); at++)
        put_problem(judging, &judging->problems[at]);
    if (to - from > SHOWN && !command_has(judging->command->line, "all"))
        buf_printf(out, "    and %zu more (--all, --csv)\n", to - from - SHOWN);
    return to;
}

static void put_all(struct judging *judging)
{
    struct person_command *command = judging->command;
    size_t count = judging->table.count, at = 0;
    if (judging->moved_minutes)
        buf_printf(&command->out, "Times of the file are %" PRId64 " minutes off what arrived, as of another time "
                   "zone: judged as if they were moved.\n", -judging->moved_minutes);
    if (!judging->messages && count)
        buf_str_put(&command->out, STR("No message arrived in the time of these accounts.\n"));
    if (judging->is_cut)
        buf_str_put(&command->out, STR("Memory did not hold all messages: some causes are not told.\n"));
    buf_printf(&command->out, "%" PRIu64 " of %zu accounts arrived as they should (%.*s)\n", judging->fine, count,
               STR_FORMAT(share_text(count ? (double)judging->fine / (double)count : 1, &command->arena)));
    while (at < judging->problem_count) {
        size_t state = state_of(&judging->problems[at]), to = at;
        while (to < judging->problem_count && state_of(&judging->problems[to]) == state) to++;
        buf_char(&command->out, '\n');
        put(judging, BOLD, arena_printf(&command->arena, "%zu %s", to - at, states[state].title));
        buf_char(&command->out, '\n');
        while (at < to) at = put_cause(judging, at);
    }
}

static void write_json(struct judging *judging)
{
    struct buf *out = &judging->command->out;
    json_object(out, NULL);
    json_uint(out, "accounts", judging->table.count);
    json_uint(out, "fine", judging->fine);
    json_int(out, "moved_minutes", judging->moved_minutes);
    json_bool(out, "is_cut", judging->is_cut);
    json_array(out, "problems");
    for (size_t at = 0; at < judging->problem_count; at++) {
        const Problem *problem = &judging->problems[at];
        json_object(out, NULL);
        json_string(out, "id", problem->id);
        json_string(out, "state", problem->state);
        json_string(out, "cause", problem->cause);
        json_string_or_null(out, "code", problem->code);
        json_string(out, "text", problem->text);
        json_string_or_null(out, "created", problem->created);
        json_string_or_null(out, "seen", problem->seen);
        json_string_or_null(out, "person_id", problem->person);
        json_string_or_null(out, "position", problem->position);
        json_object_end(out);
    }
    json_array_end(out);
    json_object_end(out);
    buf_char(out, '\n');
}

static void write_csv(struct judging *judging)
{
    struct question_command csv = { .arena = judging->command->arena };
    buf_init(&csv.out, LIMIT_ANSWER_BYTES);
    csv_begin(&csv, "id,state,cause,code,created,seen,person_id,text");
    for (size_t at = 0; at < judging->problem_count; at++) {
        const Problem *problem = &judging->problems[at];
        const Str cells[] = { problem->id, problem->state, problem->cause, problem->code, problem->created,
                              problem->seen, problem->person, problem->text };
        csv.arena = judging->command->arena;
        for (size_t n = 0; n < countof(cells); n++) csv_text(&csv, cells[n]);
        csv_end(&csv);
    }
    buf_str_put(&judging->command->out, buf_str(&csv.out));
    buf_done(&csv.out);
}

static bool is_bad_enough(const struct judging *judging)
{
    const char *fail_on = command_option(judging->command->line, "fail-on");
    for (size_t at = 0; fail_on && at < judging->problem_count; at++)
        if (strcmp(fail_on, "error") || state_of(&judging->problems[at]) == 0) return true;
    return false;
}

/* ---- The command ---- */

static int read_table(struct judging *judging, const char *file)
{
    const struct command_line *line = judging->command->line;
    TableColumns columns = { str_from(command_option(line, "id")), str_from(command_option(line, "email")),
                             str_from(command_option(line, "created")) };
    Err err = { 0 };
    Str text;
    Status s = disk_read_file(os_disk(), file, ACCOUNTS_FILE_BYTES, &judging->arena, &text, &err);
    if (!s) s = cli_read_accounts(text, &columns, &judging->arena, &judging->table, &err);
    if (s) {
        if (err.field[0]) command_complain("%s: %s (--%s COLUMN)", file, err.text, err.field);
        else command_complain("%s: %s", file, err.text);
        return s == ERR_INPUT ? EXIT_USAGE : EXIT_WRONG;
    }
    return EXIT_FINE;
}

static int judge(struct judging *judging, const char *file)
{
    struct person_command *command = judging->command;
    int code = read_table(judging, file);
    if (code) return code;
    put_guess(judging, file);
    size_t bytes = (judging->table.count + 1) * sizeof *judging->by_time;
    judging->by_time = malloc(bytes);
    check(judging->by_time);
    if (judging->table.count) memcpy(judging->by_time, judging->table.items, bytes - sizeof *judging->by_time);
    if (judging->table.count) qsort(judging->by_time, judging->table.count, sizeof *judging->by_time, by_time);
    code = ask_until_known(judging);
    if (code) return code;
    add_joined(judging);
    if (judging->problem_count) qsort(judging->problems, judging->problem_count, sizeof *judging->problems, by_cause);
    if (command->is_json) write_json(judging);
    else if (command_has(command->line, "csv")) write_csv(judging);
    else put_all(judging);
    return is_bad_enough(judging) ? EXIT_WRONG : EXIT_FINE;
}

int cli_compare_accounts(struct person_command *command, const char *file)
{
    struct judging judging = { .command = command };
    if (str_starts(str_from(file), STR("postgres:")) || str_starts(str_from(file), STR("postgresql:"))) {
        command_complain("--accounts reads a file so far: psql URL -c '\\copy (select id, email, created_at from "
                         "users) to accounts.csv csv header' makes one");
        return EXIT_USAGE;
    }
    region_open_large(&judging.region, (size_t)ACCOUNTS_FILE_BYTES * 3);
    judging.arena = region_arena(&judging.region);
    int code = judge(&judging, file);
    free(judging.table.items);
    free(judging.by_time);
    free(judging.problems);
    free(judging.joined);
    region_close(&judging.region);
    return code;
}
