/* recover: what of the journal is missing, told; and given up where an operator says so. Without --accept-loss nothing
 * is changed but the lock file. */
#include "tools.h"
#include "command/command.h"
#include "server/server.h"
#include "terminal/terminal.h"

#include <stdio.h>

struct telling {
    struct buf out;
    size_t count;
    bool is_json;
};

static void count_loss(void *context, const SegmentsLoss *loss)
{
    (void)loss;
    ++*(size_t *)context;
}

static void tell_loss(void *context, const SegmentsLoss *loss)
{
    struct telling *telling = context;
    if (telling->is_json) {
        json_object(&telling->out, NULL);
        json_uint(&telling->out, "from", loss->from);
        json_uint(&telling->out, "to", loss->to);
        json_string(&telling->out, "what", str_from(loss->what));
        json_object_end(&telling->out);
    } else {
        buf_printf(&telling->out, "positions %" PRIu64 " to %" PRIu64 ": %s\n", loss->from, loss->to, loss->what);
    }
    telling->count++;
}

/* What is derived knows of messages that the journal has no more: without this file it is made anew. */
static Status forget_derived(const struct config *config, Arena *arena, Err *err)
{
    const char *dir = arena_printf(arena, "%.*s/derived", STR_FORMAT(config->data)).bytes;
    const char *path = arena_printf(arena, "%s/FORMAT", dir).bytes;
    Status s = os_disk()->remove(os_disk(), path, err);
    if (!s) s = os_disk()->sync_dir(os_disk(), dir, err);
    return s == ERR_NOT_FOUND ? OK : s;
}

static void tell_rest(struct telling *telling, const SegmentsOptions *options, bool does_it)
{
    struct buf *out = &telling->out;
    if (telling->is_json) {
        json_array_end(out);
        json_uint(out, "known_end", options->known_end);
        json_uint(out, "known_messages", options->known_records);
        json_bool(out, "is_given_up", does_it && telling->count);
        json_object_end(out);
        buf_char(out, '\n');
        return;
    }
    if (options->known_end)
        buf_printf(out, "%s has seen the journal come to position %" PRIu64, options->known_by, options->known_end);
    if (options->known_records) buf_printf(out, ", %" PRIu64 " messages", options->known_records);
    if (options->known_end) buf_char(out, '\n');
    if (telling->count == 0) buf_str_put(out, STR("nothing is missing that keeps Onym from starting\n"));
    else if (does_it)
        buf_str_put(out, STR("This was given up. The next start goes on after it and makes what is derived anew; "
                             "destinations get what comes from now on.\nImports that were in what is missing: "
                             "onym import --restart FILE; repeated messages count once.\n"));
    else
        buf_str_put(out, STR("Nothing was changed. Bring the files back if you can (is a disk not mounted?). To go on "
                             "without them for good:\n  onym recover --accept-loss\n"));
}

static Status recover(const struct config *config, struct telling *telling, bool does_it, Arena *arena, Err *err)
{
    SegmentsOptions options = journal_options(config, arena);
    Status s = OK;
    size_t count = 0;
    if (telling->is_json) {
        json_object(&telling->out, NULL);
        json_array(&telling->out, "missing");
    }
    if (does_it) s = segments_give_up(&options, false, count_loss, &count, err);      /* before anything is touched */
    if (!s && count) s = forget_derived(config, arena, err);
    if (!s) s = segments_give_up(&options, does_it, tell_loss, telling, err);
    if (!s) tell_rest(telling, &options, does_it);
    return s == ERR_CONFLICT ? err_wrap(err, s, "stop the server first") : s;
}

/* The server, or the next start, takes it and removes it. */
static Status confirm_clock(const struct config *config, Arena *arena, Err *err)
{
    const char *path = arena_printf(arena, "%s/clock-confirmed", config_journal_dir(config, arena)).bytes;
    return disk_write_file(os_disk(), path, STR("the clock is right\n"), err);
}

int command_recover(const struct command_line *line)
{
    struct telling telling = { .is_json = command_has(line, "json") };
    bool does_it = command_has(line, "accept-loss");
    struct region region;
    struct config config;
    Err err;
    region_open(&region, CONFIG_ARENA_BYTES);
    buf_init(&telling.out, 4 * 1024 * 1024);
    Arena arena = region_arena(&region);
    int code = command_load_config(line, &arena, &config);
    if (!code && command_has(line, "confirm-clock")) {
        code = confirm_clock(&config, &arena, &err) ? EXIT_WRONG : EXIT_FINE;
        if (code) command_complain("%s", err.text);
        else printf("retention believes the clock within a second where Onym runs, else from its next start on\n");
    } else if (!code && recover(&config, &telling, does_it, &arena, &err)) {
        command_complain("%s", err.text);
        code = EXIT_WRONG;
    } else if (!code) {
        check(buf_ok(&telling.out));
        fwrite(telling.out.bytes, 1, telling.out.len, stdout);
        code = telling.count && !does_it ? EXIT_WRONG : EXIT_FINE;
    }
    buf_done(&telling.out);
    region_close(&region);
    return code;
}
