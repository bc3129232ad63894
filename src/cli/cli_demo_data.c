/* demo --data: fills an instance with a made-up history (demo/demo.h), and writes down what is true of it. */
#include "cli.h"
#include "demo/demo.h"
#include "terminal/terminal.h"
#include "tools/tools.h"

#include <stdio.h>

enum { TRUTH_BYTES_MOST = 64 * 1024 * 1024, USERS = 2000, DAYS = 30 };

struct filling {
    const struct command_line *line;
    Arena *arena;
    struct config config;
    DemoDataOptions options;
    struct demo_data *data;
    const char *truth_path;
};

/* ---- Options ---- */

static int read_number(const struct command_line *line, const char *name, int64_t most, int64_t *ret)
{
    const char *text = command_option(line, name);
    if (!text || str_parse_int(str_from(text), 0, most, ret)) return EXIT_FINE;
    command_complain("--%s: \"%s\" is no number from 0 to %" PRId64, name, text, most);
    return EXIT_USAGE;
}

/* Today's midnight (UTC), or that of the day which --to names. */
static int read_end(struct filling *filling)
{
    const char *to = command_option(filling->line, "to");
    Millis end_ms = clock_now_ms(os_clock());
    if (to && !instant_parse(str_from(to), &end_ms)) {
        command_complain("--to: \"%s\" is no day like 2026-01-31", to);
        return EXIT_USAGE;
    }
    filling->options.end_ms = end_ms - end_ms % DAY_MS;
    return EXIT_FINE;
}

static int read_options(struct filling *filling)
{
    int64_t seed = 1, users = USERS, days = DAYS;
    int code = read_number(filling->line, "seed", INT64_MAX, &seed);
    if (!code) code = read_number(filling->line, "users", DEMO_USERS_MOST, &users);
    if (!code) code = read_number(filling->line, "days", DEMO_DAYS_MOST, &days);
    if (!code) code = read_end(filling);
    filling->options.seed = (uint64_t)seed;
    filling->options.users = (uint32_t)users;
    filling->options.days = (uint32_t)days;
    return code;
}

static int find_source(const struct filling *filling, const char *option, Str missing, Str *ret)
{
    const char *name = command_option(filling->line, option);
    *ret = missing;
    for (size_t at = 0; name && at < filling->config.source_count; at++)
        if (str_equal(filling->config.sources[at].name, str_from(name))) *ret = filling->config.sources[at].name;
    if (!name || str_equal(*ret, str_from(name))) return EXIT_FINE;
    command_complain("--%s: there is no source \"%s\"", option, name);
    return EXIT_USAGE;
}

/* ---- Filling ---- */

static void write_line(void *context, uint64_t number, struct buf *out)
{
    demo_data_write_message(context, number, out);
}

/* Called before anything is filled: data without its truth could not be checked afterwards. */
static Status write_truth(const struct filling *filling, Err *err)
{
    struct buf truth;
    buf_init(&truth, TRUTH_BYTES_MOST);
    demo_data_write_truth(filling->data, &truth);
    buf_char(&truth, '\n');
    check(buf_ok(&truth));
    Status s = disk_write_file(os_disk(), filling->truth_path, buf_str(&truth), err);
    buf_done(&truth);
    return s ? err_wrap(err, s, "the true numbers cannot be written there (--truth FILE names another place)") : OK;
}

static void say(const struct filling *filling, const ToolsFed *fed)
{
    if (command_has(filling->line, "json")) {
        char bytes[8192];
        struct buf out;
        buf_init_fixed(&out, bytes, sizeof bytes);
        json_object(&out, NULL);
        json_uint(&out, "accepted", fed->accepted);
        json_uint(&out, "rejected", fed->rejected);
        json_word(&out, "truth", filling->truth_path);
        json_object_end(&out);
        printf("%.*s\n", STR_FORMAT(buf_str(&out)));
        return;
    }
    char accepted[32], users[32], rejected[32];
    printf("%s messages of %u days, in which %s users sign up, and %s that are rejected on purpose\n"
           "what is true of them: %s\nask it: onym signups 'Account Created'\n",
           count_text(fed->accepted, accepted, sizeof accepted), filling->options.days,
           count_text(filling->options.users, users, sizeof users),
           count_text(fed->rejected, rejected, sizeof rejected), filling->truth_path);
}

static int fill(struct filling *filling)
{
    Err err;
    ToolsFed fed;
    Status s = demo_data_open(&filling->options, &filling->data, &err);
    ToolsFeed feed = { .write = write_line, .context = filling->data, .is_added = command_has(filling->line, "add") };
    if (!s) feed.count = demo_data_count(filling->data);
    if (!s) s = write_truth(filling, &err);
    if (!s) s = tools_feed(&filling->config, command_option(filling->line, "url"), &feed, filling->arena, &fed, &err);
    if (s) command_complain("%s", err.text);
    else say(filling, &fed);
    demo_data_close(filling->data);
    return s == ERR_INPUT ? EXIT_USAGE : s ? EXIT_WRONG : EXIT_FINE;
}

static int prepare(struct filling *filling)
{
    Err err;
    const char *truth = command_option(filling->line, "truth");
    int code = read_options(filling);
    if (!code) code = command_load_config(filling->line, filling->arena, &filling->config);
    if (code) return code;
    if (config_complete_keys(&filling->config, os_disk(), os_dice(), true, filling->arena, &err)) {
        command_complain("%s", err.text);
        return EXIT_WRONG;
    }
    filling->truth_path = truth ? truth : arena_printf(filling->arena, "%.*s.truth.json",
                                                       STR_FORMAT(filling->config.data)).bytes;
    code = find_source(filling, "source", filling->config.sources[0].name, &filling->options.website);
    return code ? code : find_source(filling, "server-source", filling->options.website, &filling->options.server);
}

int command_demo_data(const struct command_line *line)
{
    struct region region;
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    struct filling filling = { .line = line, .arena = &arena };
    if (line->operand_count) command_complain("demo takes no operands");
    int code = line->operand_count ? EXIT_USAGE : prepare(&filling);
    if (!code) code = fill(&filling);
    region_close(&region);
    return code;
}
