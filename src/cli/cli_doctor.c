/* doctor: shows people what is wrong with the tracking; its exit status is for a website's tests. */
#include "cli.h"
#include "cli_doctor_accounts.h"
#include "cli_person.h"
#include "cli_question_command.h"

#include <stdio.h>

#define PATH "/api/v1/findings"
enum { BAR_COLUMNS = 24 };

static const struct { const char *word, *shown; Colour colour; } severities[] = {
    { "info", "INFO", CYAN }, { "warning", "WARNING", YELLOW }, { "error", "ERROR", RED },
};

static size_t severity_of(Str word)
{
    for (size_t at = 0; at < countof(severities); at++)
        if (str_equal(word, str_from(severities[at].word))) return at;
    return countof(severities);
}

static void put(struct person_command *command, Colour colour, Str text)
{
    buf_str_put(&command->out, str_from(terminal_start(&command->terminal, colour)));
    (void)terminal_put(&command->out, text, 0, 0);
    buf_str_put(&command->out, str_from(terminal_end(&command->terminal, colour)));
}

static void put_line(struct person_command *command, const char *label, Str text)
{
    if (!text.len) return;
    buf_printf(&command->out, "  %-8s", label);
    put(command, PLAIN, text);
    buf_char(&command->out, '\n');
}

/* The bar is filled by the share, and with one column at least. */
static void put_bar(struct person_command *command, double share, Colour colour)
{
    unsigned filled = (unsigned)(share * BAR_COLUMNS + 0.5);
    if (!filled && share > 0) filled = 1;
    buf_str_put(&command->out, str_from(terminal_start(&command->terminal, colour)));
    for (unsigned at = 0; at < BAR_COLUMNS && at < filled; at++) buf_str_put(&command->out, STR("\u2588"));
    buf_str_put(&command->out, str_from(terminal_end(&command->terminal, colour)));
    for (unsigned at = filled; at < BAR_COLUMNS; at++) buf_str_put(&command->out, STR("\u2591"));
}

/* ---- One finding ---- */

/* If one case is enough for a finding, its share says nothing. */
static void put_share(struct person_command *command, const TreeNode *finding, Colour colour)
{
    Arena *arena = &command->arena;
    double share = tree_number(finding, "share", 0), least = tree_number(finding, "share_at_least", 0);
    bool has_share = tree_number(finding, "threshold", 0) > 0;
    Str count = big_text(tree_count(finding, "count"), arena), of = big_text(tree_count(finding, "of"), arena);
    buf_str_put(&command->out, STR("  "));
    if (has_share) {
        put_bar(command, share, colour);
        buf_str_put(&command->out, STR("  "));
    }
    buf_printf(&command->out, "%.*s of %.*s ", STR_FORMAT(count), STR_FORMAT(of));
    put(command, PLAIN, event_tree_text(finding, "of_what"));
    if (has_share)
        buf_printf(&command->out, ", %.*s (at least %.*s)", STR_FORMAT(share_text(share, arena)),
                   STR_FORMAT(share_text(least, arena)));
    uint64_t people = tree_count(finding, "people");
    if (people)
        buf_printf(&command->out, ", %.*s %s", STR_FORMAT(big_text(people, arena)), people == 1 ? "person" : "people");
    buf_char(&command->out, '\n');
}

static void put_scope(struct person_command *command, const TreeNode *finding)
{
    Arena *arena = &command->arena;
    Str source = event_tree_text(finding, "source"), library = event_tree_text(finding, "library");
    Str event = event_tree_text(finding, "event"), version = event_tree_text(finding, "version");
    Str first = tree_instant_text(finding, "first_seen", arena), last = tree_instant_text(finding, "last_seen", arena);
    put_line(command, "where", arena_printf(arena, "%.*s%s%.*s%s%.*s%s%.*s; from %.*s to %.*s", STR_FORMAT(source),
                                            event.len ? ", " : "", STR_FORMAT(event), library.len ? ", " : "",
                                            STR_FORMAT(library), version.len ? " " : "", STR_FORMAT(version),
                                            STR_FORMAT(first), STR_FORMAT(last)));
}

static void put_pages(struct person_command *command, const TreeNode *finding)
{
    const TreeNode *list = event_tree_get(finding, STR("pages"));
    for (const TreeNode *page = list ? list->first : NULL; page; page = page->next)
        put_line(command, page == list->first ? "pages" : "",
                 arena_printf(&command->arena, "%.*s (%" PRIu64 ")", STR_FORMAT(event_tree_text(page, "page")),
                              tree_count(page, "count")));
}

static void put_code(struct person_command *command, Str code)
{
    while (code.len) {
        Str line = str_cut(code, '\n', &code);
        buf_str_put(&command->out, STR("              "));
        put(command, GREEN, line);
        buf_char(&command->out, '\n');
    }
}

static void put_mends(struct person_command *command, const TreeNode *finding)
{
    const TreeNode *list = event_tree_get(finding, STR("mend"));
    for (const TreeNode *mend = list ? list->first : NULL; mend; mend = mend->next) {
        put_line(command, "mend", arena_printf(&command->arena, "%.*s:", STR_FORMAT(event_tree_text(mend, "sdk"))));
        put_code(command, event_tree_text(mend, "code"));
    }
    put_line(command, "data", event_tree_text(finding, "data_mend"));
}

static void put_finding(struct person_command *command, const TreeNode *finding)
{
    Arena *arena = &command->arena;
    size_t severity = severity_of(event_tree_text(finding, "severity"));
    Colour colour = severity < countof(severities) ? severities[severity].colour : PLAIN;
    Str state = event_tree_text(finding, "state"), persons = { 0 };
    put(command, colour, severity < countof(severities) ? str_from(severities[severity].shown) : STR("?"));
    buf_char(&command->out, ' ');
    put(command, BOLD, arena_printf(arena, "%.*s %.*s", STR_FORMAT(event_tree_text(finding, "code")),
                                    STR_FORMAT(event_tree_text(finding, "title"))));
    if (!str_equal(state, STR("open"))) buf_printf(&command->out, " (%.*s)", STR_FORMAT(state));
    buf_char(&command->out, '\n');
    put_share(command, finding, colour);
    put_scope(command, finding);
    put_pages(command, finding);
    put_line(command, "effect", event_tree_text(finding, "effect"));
    put_line(command, "why", event_tree_text(finding, "why"));
    const TreeNode *list = event_tree_get(finding, STR("persons"));
    unsigned told = 0;
    for (const TreeNode *person = list ? list->first : NULL; person && told < 5; person = person->next, told++)
        persons = arena_printf(arena, "%.*s%s%.*s", STR_FORMAT(persons), told ? "  " : "", STR_FORMAT(person->text));
    put_line(command, "whom", persons);
    put_mends(command, finding);
    Str docs = event_tree_text(finding, "docs"), fingerprint = event_tree_text(finding, "fingerprint");
    put_line(command, "more", arena_printf(arena, "%.*s; fingerprint %.*s", STR_FORMAT(docs), STR_FORMAT(fingerprint)));
    buf_char(&command->out, '\n');
}

/* ---- All of them ---- */

static void put_too_few(struct person_command *command, const TreeNode *root)
{
    const TreeNode *list = event_tree_get(root, STR("too_few"));
    for (const TreeNode *one = list ? list->first : NULL; one; one = one->next) {
        Str code = event_tree_text(one, "code"), title = event_tree_text(one, "title");
        Str what = event_tree_text(one, "of_what"), source = event_tree_text(one, "source");
        uint64_t count = tree_count(one, "count"), of = tree_count(one, "of");
        put(command, DIM, arena_printf(&command->arena,
                                       "%.*s %.*s: too few to say (%" PRIu64 " of %" PRIu64 " %.*s, %.*s)",
                                       STR_FORMAT(code), STR_FORMAT(title), count, of, STR_FORMAT(what),
                                       STR_FORMAT(source)));
        buf_char(&command->out, '\n');
    }
}

static void put_all(struct person_command *command, const TreeNode *root)
{
    Arena *arena = &command->arena;
    const TreeNode *list = event_tree_get(root, STR("findings"));
    size_t count = list ? list->count : 0;
    for (const TreeNode *finding = list ? list->first : NULL; finding; finding = finding->next)
        put_finding(command, finding);
    put_too_few(command, root);
    buf_printf(&command->out, "%zu finding%s in %.*s messages, from %.*s to %.*s\n", count, count == 1 ? "" : "s",
               STR_FORMAT(big_text(tree_count(root, "messages"), arena)),
               STR_FORMAT(tree_instant_text(root, "from", arena)), STR_FORMAT(tree_instant_text(root, "to", arena)));
    Str examined = tree_instant_text(root, "examined", arena);
    if (examined.len) buf_printf(&command->out, "the server last looked by itself at %.*s\n", STR_FORMAT(examined));
}

static bool reaches(const TreeNode *root, size_t severity)
{
    const TreeNode *list = event_tree_get(root, STR("findings"));
    for (const TreeNode *finding = list ? list->first : NULL; finding; finding = finding->next) {
        size_t its = severity_of(event_tree_text(finding, "severity"));
        if (its < countof(severities) && its >= severity
            && !str_equal(event_tree_text(finding, "state"), STR("muted"))) return true;
    }
    return false;
}

static Str compose_path(struct person_command *command)
{
    static const char *const options[] = { "since", "source", "signup" };
    Arena *arena = &command->arena;
    Str path = STR(PATH);
    char mark = '?';
    for (size_t at = 0; at < countof(options); at++) {
        const char *text = command_option(command->line, options[at]);
        if (!text) continue;
        Str value = percent_encode(arena, str_from(text), PERCENT_URL);
        path = arena_printf(arena, "%.*s%c%s=%.*s", STR_FORMAT(path), mark, options[at], STR_FORMAT(value));
        mark = '&';
    }
    if (command_has(command->line, "imports")) path = arena_printf(arena, "%.*s%cimports=true", STR_FORMAT(path), mark);
    return path;
}

static int show(struct person_command *command)
{
    const char *fail_on = command_option(command->line, "fail-on");
    size_t severity = fail_on ? severity_of(str_from(fail_on)) : 0;
    const TreeNode *root;
    Str text;
    if (severity == countof(severities)) {
        command_complain("--fail-on wants error, warning or info");
        return EXIT_USAGE;
    }
    int code = person_ask(command, "GET", compose_path(command), (Str){ 0 }, &text, &root);
    if (code) return code;
    if (command->is_json) {
        buf_str_put(&command->out, text);
        buf_char(&command->out, '\n');
    } else {
        put_all(command, root);
    }
    return fail_on && reaches(root, severity) ? EXIT_WRONG : EXIT_FINE;
}

/* ---- Muting ---- */

static int change(struct person_command *command, const char *what)
{
    const char *reason = command_option(command->line, "reason"), *until = command_option(command->line, "until");
    Str fingerprint = percent_encode(&command->arena, str_from(command->line->operands[1]), PERCENT_URL), text;
    const TreeNode *answer;
    struct buf body;
    buf_init(&body, LIMIT_BODY_BYTES);
    json_object(&body, NULL);
    if (reason) json_word(&body, "reason", reason);
    if (until) json_word(&body, "until", until);
    json_object_end(&body);
    Str path = arena_printf(&command->arena, PATH "/%.*s/%s", STR_FORMAT(fingerprint), what);
    int code = person_ask(command, "POST", path, buf_str(&body), &text, &answer);
    buf_done(&body);
    if (code) return code;
    Str end = event_tree_text(answer, "until");
    if (command->is_json) buf_printf(&command->out, "%.*s\n", STR_FORMAT(text));
    else buf_printf(&command->out, "%.*s is %s%.*s\n", STR_FORMAT(event_tree_text(answer, "code")),
                    end.len ? "muted until " : "told again", STR_FORMAT(end));
    return EXIT_FINE;
}

static int run(struct person_command *command)
{
    const struct command_line *line = command->line;
    bool is_mute = line->operand_count == 2 && !strcmp(line->operands[0], "mute");
    bool is_unmute = line->operand_count == 2 && !strcmp(line->operands[0], "unmute");
    if (is_mute || is_unmute) return change(command, line->operands[0]);
    const char *accounts = command_option(line, "accounts");
    if (!line->operand_count && accounts) return cli_compare_accounts(command, accounts);
    if (!line->operand_count) return show(command);
    command_complain("doctor wants: nothing, mute FINGERPRINT, or unmute FINGERPRINT");
    return EXIT_USAGE;
}

int command_doctor(const struct command_line *line) { return person_run(line, run); }
