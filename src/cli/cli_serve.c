/* serve: the configuration and the keys, and then server.c. */
#include "cli.h"
#include "command/command.h"
#include "server/server.h"

struct reload {
    const struct command_line *line;
};

static Status load_again(void *context, Arena *arena, struct config *ret, Err *err)
{
    return command_reload_config(((struct reload *)context)->line, arena, ret, err);
}

int command_serve(const struct command_line *line)
{
    Err err;
    struct config config;
    struct region region;
    struct reload reload = { line };
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    int code = command_load_config(line, &arena, &config);
    if (!code) {
        log_configure((LogLevel)config.log.level, (LogFormat)config.log.format);
        Status s = config_complete_keys(&config, os_disk(), os_dice(), true, &arena, &err);
        if (!s) s = server_check_tls(&config, &err);
        if (!s) s = serve_run(&config, ROLE_SERVER, &(ServeReload){ load_again, &reload }, &err);
        if (s) {
            command_complain("%s", err.text);
            code = EXIT_WRONG;
        }
    }
    region_close(&region);
    return code;
}
