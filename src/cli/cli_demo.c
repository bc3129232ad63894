/* demo: Onym and the example site in one process, on data of its own: a new directory at each start, since the
 * site's accounts begin anew as well, and their user ids with them. */
#include "cli.h"
#include "command/command.h"
#include "server/server.h"

#include <stdio.h>
#include <stdlib.h>

static Status never_load(void *context, Arena *arena, struct config *ret, Err *err)
{
    (void)context, (void)arena, (void)ret;
    return err_set(err, ERR_UNSUPPORTED, "a demonstration has no file to load its configuration from");
}

static Status make_config(const struct command_line *line, Arena *arena, struct config *ret, Err *err)
{
    static struct config_problems problems;                  /* large, and told by err */
    const char *listen = command_option(line, "listen"), *temporary = getenv("TMPDIR");
    char name[8];
    dice_key(os_dice(), name, sizeof name);
    Str text = arena_printf(arena,
        "data: \"%s/onym-demo-%.*s\"\nlog: {level: warn}\n"
        "sources:\n  - {name: website, write_key: wk_website, own_path: m4p}\n",
        temporary && *temporary ? temporary : "/tmp", (int)sizeof name, name);
    ConfigFlag flag = { "--listen", "listen", listen };
    ConfigOptions request = { .flags = &flag, .flag_count = listen ? 1 : 0 };
    Status s = config_parse((ConfigText){ text, STR("demo") }, &request, arena, ret, &problems, err);
    return s ? s : config_complete_keys(ret, os_disk(), os_dice(), true, arena, err);
}

/* Options of --data mean nothing to a site that is served, and the other way round. */
static int check_options(const struct command_line *line, bool is_filling)
{
    for (size_t at = 0; at < line->given_count; at++) {
        const char *name = line->given[at].option->name;
        bool is_of_site = !strcmp(name, "listen") || !strcmp(name, "site");
        if (is_of_site != is_filling) continue;
        if (is_filling) command_complain("--%s is for the site; demo --data serves none", name);
        else command_complain("--%s is for demo --data", name);
        return EXIT_USAGE;
    }
    return EXIT_FINE;
}

int command_demo(const struct command_line *line)
{
    bool is_filling = command_has(line, "data");
    int code = check_options(line, is_filling);
    if (code) return code;
    if (is_filling) return command_demo_data(line);
    Err err;
    struct config config;
    struct region region;
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    const char *site = command_option(line, "site");
    Status s = make_config(line, &arena, &config, &err);
    if (!s) {
        config.site = str_from(site ? site : "127.0.0.1:8090");
        log_configure((LogLevel)config.log.level, (LogFormat)config.log.format);
        s = serve_run(&config, ROLE_DEMO, &(ServeReload){ never_load, NULL }, &err);
    }
    if (s) command_complain("%s", err.text);
    region_close(&region);
    return s ? EXIT_WRONG : EXIT_FINE;
}
