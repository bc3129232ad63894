/* check-site: loads a page as a visitor would, and says what stands between it and a counted sign-up.
 *
 * It has its own exit codes: 0 no finding is an error, 1 at least one is, 2 the check could not be done. */
#include "cli.h"
#include "site/site.h"
#include "terminal/terminal.h"

#include <signal.h>
#include <stdio.h>

enum { SITE_ARENA_BYTES = 512 * 1024 * 1024, OUT_BYTES = 1024 * 1024, CHECK_COLUMNS = 10, SECONDS_MOST = 300,
       ASK_MS = 1000, NARROW = 40, WIDE = 110 };
static const int64_t MS_NS = 1000000;

struct site_check {
    const struct command_line *line;
    Arena arena;
    Str url;
    Millis timeout_ms, wait_ms;
    int64_t began_ns;
    struct config config;
    struct site_facts *facts;
    struct site_findings findings;
};

static volatile sig_atomic_t is_stopped;

static void on_signal(int number)
{
    (void)number;
    is_stopped = 1;
}

static bool is_interrupted(void) { return is_stopped; }

/* ---- The command line ---- */

static int refuse_url(Str text, const char *why)
{
    bool has_scheme = memmem(text.bytes, text.len, "://", 3) || memchr(text.bytes, ':', text.len);
    if (!has_scheme && text.len && text.len < 256 && memchr(text.bytes, '.', text.len))
        command_complain("%.*s is no address of a page: %s; did you mean https://%.*s?", STR_FORMAT(text), why,
                         STR_FORMAT(text));
    else
        command_complain("%.*s%s is no address of a page: %s; onym check-site https://www.example.com/",
                         STR_FORMAT(str_slice(text, 0, 300)), text.len > 300 ? "…" : "", why);
    return EXIT_USAGE;
}

static int read_seconds(const struct command_line *line, const char *option, Millis least_ms, Millis *ret)
{
    const char *text = command_option(line, option);
    double seconds;
    if (!text) return EXIT_FINE;
    Str number = str_from(text);
    if (str_ends(number, STR("s"))) number.len--;
    if (!str_parse_double(number, &seconds) || seconds * 1000 < (double)least_ms || seconds > SECONDS_MOST) {
        command_complain("--%s: \"%s\" is no number of seconds from %g to %d", option, text, (double)least_ms / 1000,
                         SECONDS_MOST);
        return EXIT_USAGE;
    }
    *ret = (Millis)(seconds * 1000);
    return EXIT_FINE;
}

static int read_line(struct site_check *site)
{
    const struct command_line *line = site->line;
    const char *why, *agent = command_option(line, "user-agent"), *server = command_option(line, "server");
    SiteUrl url;
    if (line->operand_count != 1) {
        command_complain("check-site wants the address of one page: onym check-site https://www.example.com/");
        return EXIT_USAGE;
    }
    site->url = str_from(line->operands[0]);
    if (!site_url_parse(site->url, &url, &why)) return refuse_url(site->url, why);
    if (server && !site_url_parse(str_from(server), &url, &why)) {
        command_complain("--server: \"%s\" is no address: %s", server, why);
        return EXIT_USAGE;
    }
    if (agent && (!fetch_is_visible(str_from(agent)) || strlen(agent) > 400)) {
        command_complain("--user-agent wants at most 400 characters of plain ASCII");
        return EXIT_USAGE;
    }
    int code = read_seconds(line, "timeout", 3000, &site->timeout_ms);
    return code ? code : read_seconds(line, "wait", 0, &site->wait_ms);
}

/* ---- Asking and judging ---- */

/* The key that is wanted: the one of the command line; else, where a configuration was named, one of its sources. */
static Str wanted_key(const struct site_check *site, Str found)
{
    const char *given = command_option(site->line, "write-key");
    const struct config *config = &site->config;
    if (given) return str_from(given);
    if (!config->file.len || !config->source_count) return (Str){ 0 };
    for (size_t at = 0; at < config->source_count; at++)
        if (str_equal(config->sources[at].write_key, found)) return found;
    return config->sources[0].write_key;
}

static int check_page(struct site_check *site)
{
    Err err;
    struct site_facts *facts = site->facts = arena_new(&site->arena, struct site_facts, 1);
    const char *server = command_option(site->line, "server");
    Millis ask_ms = site->timeout_ms > 10 * ASK_MS ? site->timeout_ms / 10 : ASK_MS;
    int64_t end_ns = site->began_ns + site->timeout_ms * MS_NS;
    SiteVisit visit = { .url = site->url, .user_agent = command_option(site->line,
                                                                                                 "user-agent"),
                        .until_ns = end_ns - ask_ms * MS_NS, .wait_ms = site->wait_ms,
                        .is_interrupted = is_interrupted };
    Status s = site_visit(&visit, facts, &site->arena, &err);
    if (s) {
        command_complain("%s", err.text);
        return EXIT_USAGE;
    }
    facts->server = str_from(server);
    facts->write_key = site_find_key(facts);
    facts->wanted_key = wanted_key(site, facts->write_key);
    facts->collect_url = site_find_collect(facts, &site->arena);
    site_ask(facts, end_ns, &site->arena);
    site_judge(facts, &site->arena, &site->findings);
    return site->findings.error_count ? EXIT_WRONG : EXIT_FINE;
}

/* ---- Output ---- */

/* Words after an indent; what a page or a server said goes through terminal_put. */
static void put_wrapped(struct buf *out, Str text, unsigned indent, unsigned width)
{
    unsigned column = indent;
    bool is_first = true;
    while (text.len) {
        Str word = str_cut(text, ' ', &text);
        unsigned columns = text_columns(word);
        if (!word.len) continue;
        if (!is_first && column + 1 + columns > width) {
            buf_char(out, '\n');
            for (column = 0; column < indent; column++) buf_char(out, ' ');
        } else if (!is_first) {
            buf_char(out, ' ');
            column++;
        }
        column += terminal_put(out, word, 0, 0);
        is_first = false;
    }
    buf_char(out, '\n');
}

static void put_finding(const Terminal *terminal, struct buf *out, const SiteFinding *finding)
{
    static const struct { const char *mark, *word; Colour colour; } levels[] = {
        [SITE_FINE] = { "✓", "fine", GREEN }, [SITE_NOTE] = { "·", "note", DIM },
        [SITE_WARNING] = { "!", "warning", YELLOW }, [SITE_ERROR] = { "✗", "error", RED },
    };
    SiteLevel level = site_finding_level(finding->name);
    unsigned width = terminal->width && terminal->width < WIDE ? terminal->width : WIDE;
    unsigned indent = 2 + CHECK_COLUMNS + 1;
    if (width < NARROW) indent = 4, width = NARROW;
    buf_printf(out, "%s%s%s ", terminal_start(terminal, levels[level].colour), levels[level].mark,
               terminal_end(terminal, levels[level].colour));
    (void)terminal_put(out, str_from(site_finding_check(finding->name)), indent - 2, 0);
    put_wrapped(out, finding->text, indent, width);
    if (!finding->mend.len) return;
    for (unsigned at = 0; at < indent; at++) buf_char(out, ' ');
    buf_printf(out, "%s", terminal_start(terminal, BOLD));
    Str mend = finding->mend;
    buf_str_put(out, STR("→ "));
    put_wrapped(out, mend, indent + 2, width);
    buf_printf(out, "%s", terminal_end(terminal, BOLD));
}

static Str visitor(const struct site_facts *facts)
{
    for (size_t at = facts->message_count; at-- > 0;)
        if (facts->messages[at].anonymous_id.len && site_is_delivered(&facts->calls[facts->messages[at].call]))
            return facts->messages[at].anonymous_id;
    return (Str){ 0 };
}

static void put_text(struct site_check *site, struct buf *out)
{
    Terminal terminal = terminal_of(stdout);
    const struct site_findings *findings = &site->findings;
    Str id = visitor(site->facts);
    for (size_t at = 0; at < findings->count; at++) put_finding(&terminal, out, &findings->items[at]);
    buf_printf(out, "\n%zu error%s, %zu warning%s", findings->error_count, findings->error_count == 1 ? "" : "s",
               findings->warning_count, findings->warning_count == 1 ? "" : "s");
    buf_printf(out, " after %.1f s. docs/check-site.md explains each.\n",
               (double)(clock_monotonic_ns(os_clock()) - site->began_ns) / 1e9);
    if (id.len) {
        buf_str_put(out, STR("This visit counts like any other; the visitor was "));
        (void)terminal_put(out, str_slice(id, 0, 100), 0, 0);
        buf_str_put(out, STR(" (onym delete erases it).\n"));
    }
    if (site->facts->is_without_sandbox)
        buf_str_put(out, STR("You are root, so Chromium ran without its sandbox (--no-sandbox): check pages that "
                             "you trust.\n"));
}

static void put_member(struct buf *out, const char *name, Str text)
{
    json_string(out, name, text);
}

static void put_calls(const struct site_facts *facts, struct buf *out)
{
    json_array(out, "calls");
    for (size_t at = 0; at < facts->message_count; at++) {
        const SiteMessage *message = &facts->messages[at];
        const SiteRequest *call = &facts->calls[message->call];
        json_object(out, NULL);
        json_string(out, "type", message->type);
        put_member(out, "event", message->event);
        put_member(out, "messageId", message->message_id);
        put_member(out, "userId", message->user_id);
        put_member(out, "anonymousId", message->anonymous_id);
        put_member(out, "url", call->url);
        json_int(out, "status", call->status);
        json_bool(out, "delivered", site_is_delivered(call));
        json_object_end(out);
    }
    json_array_end(out);
}

static void put_json(struct site_check *site, struct buf *out)
{
    static const char *const levels[] = { "fine", "note", "warning", "error" };
    const struct site_findings *findings = &site->findings;
    json_object(out, NULL);
    json_string(out, "url", site_url_shown(site->url, &site->arena));
    put_member(out, "final_url", site_url_shown(site_final_url(site->facts), &site->arena));
    put_member(out, "write_key", site->facts->write_key);
    put_member(out, "collect_url", site->facts->collect_url);
    put_member(out, "browser", site->facts->browser);
    json_bool(out, "sandbox", !site->facts->is_without_sandbox);
    json_int(out, "took_ms", ((clock_monotonic_ns(os_clock()) - site->began_ns) / MS_NS));
    json_uint(out, "errors", findings->error_count);
    json_uint(out, "warnings", findings->warning_count);
    json_array(out, "findings");
    for (size_t at = 0; at < findings->count; at++) {
        const SiteFinding *finding = &findings->items[at];
        json_object(out, NULL);
        json_word(out, "name", site_finding_word(finding->name));
        json_word(out, "check", site_finding_check(finding->name));
        json_word(out, "level", levels[site_finding_level(finding->name)]);
        put_member(out, "text", finding->text);
        put_member(out, "mend", finding->mend);
        json_object_end(out);
    }
    json_array_end(out);
    put_calls(site->facts, out);
    json_object_end(out);
    buf_char(out, '\n');
}

static int print_answer(struct site_check *site)
{
    struct buf out;
    bool is_json = command_has(site->line, "json");
    buf_init(&out, 8 * OUT_BYTES);
    if (is_json) put_json(site, &out);
    else put_text(site, &out);
    bool is_whole = buf_ok(&out);
    if (is_json) terminal_write(stdout, buf_str(&out));
    else fwrite(out.bytes ? out.bytes : "", 1, out.len, stdout);                /* with our colours */
    bool is_out = fflush(stdout) == 0 && !ferror(stdout);
    buf_done(&out);
    return is_whole && is_out ? EXIT_FINE : EXIT_USAGE;
}

int command_check_site(const struct command_line *line)
{
    struct region region;
    struct site_check site = { .line = line, .timeout_ms = 10000, .wait_ms = 2000,
                               .began_ns = clock_monotonic_ns(os_clock()) };
    region_open(&region, SITE_ARENA_BYTES);
    site.arena = region_arena(&region);
    (void)sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_signal }, NULL);
    (void)sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_signal }, NULL);
    int code = read_line(&site);
    if (!code) code = command_load_config(line, &site.arena, &site.config);
    if (!code) {
        code = check_page(&site);
        if (site.findings.count && print_answer(&site)) code = EXIT_USAGE;
    }
    region_close(&region);
    return code;
}
