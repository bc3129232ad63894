/* tools_try: `onym destinations test NAME`: one message through one destination of the configuration, without a server
 * and without the destinations' store; every request and answer is shown. */
#include "tools.h"
#include "terminal/terminal.h"

#include <stdio.h>

enum { MESSAGE_BYTES = 512 * 1024 };

struct trying {
    struct buf *out;
    bool is_json;
};

static void put_lines(struct buf *out, const char *mark, Str text)
{
    while (text.len) {
        buf_str_put(out, str_from(mark));
        (void)terminal_put(out, str_cut(text, '\n', &text), 0, 0);
        buf_char(out, '\n');
    }
}

static void tell(void *context, const DeliverExchange *exchange)
{
    struct trying *trying = context;
    struct buf *out = trying->out;
    if (trying->is_json) {
        deliver_write_exchange(exchange, out);
        return;
    }
    buf_printf(out, "> %.*s ", STR_FORMAT(exchange->method));
    (void)terminal_put(out, exchange->url, 0, 0);
    buf_char(out, '\n');
    put_lines(out, "> ", exchange->headers);
    put_lines(out, ">   ", exchange->body);
    if (exchange->status) buf_printf(out, "< %d after %" PRId64 " ms\n", exchange->status, exchange->took_ms);
    else buf_printf(out, "< no answer after %" PRId64 " ms: %s\n", exchange->took_ms, exchange->error);
    put_lines(out, "<   ", exchange->answer);
    buf_char(out, '\n');
}

static Status read_message(const struct command_line *line, Arena *arena, Str *ret, Err *err)
{
    const char *file = command_option(line, "message");
    *ret = (Str){ 0 };
    if (!file) return OK;
    if (strcmp(file, "-") != 0) return disk_read_file(os_disk(), file, MESSAGE_BYTES, arena, ret, err);
    char *bytes = arena_bytes(arena, MESSAGE_BYTES);
    size_t len = fread(bytes, 1, MESSAGE_BYTES, stdin);
    *ret = str_of(bytes, len);
    return len < MESSAGE_BYTES ? OK : err_set(err, ERR_TOO_LARGE, "standard input: at most %d bytes", MESSAGE_BYTES);
}

static Status find_destination(const struct config *config, Str name, DestinationConfig *ret, Err *err)
{
    for (size_t at = 0; at < config->destination_count; at++) {
        if (!str_equal(config->destinations[at].name, name)) continue;
        *ret = config_destination(&config->destinations[at]);
        return OK;
    }
    return err_set(err, ERR_NOT_FOUND, "%.*s has no destination %.*s",
                   STR_FORMAT(config->file.len ? config->file : STR("the configuration")), STR_FORMAT(name));
}

int tools_try(const struct command_line *line, Arena *arena, struct buf *out)
{
    DeliverOptions options = { .clock = os_clock(), .dice = os_dice() };
    struct trying trying = { .out = out, .is_json = command_has(line, "json") };
    struct config config;
    DestinationConfig destination;
    Str message;
    Err err = { 0 };
    int code = command_load_config(line, arena, &config);
    if (code) return code;
    Status s = find_destination(&config, str_from(line->operands[1]), &destination, &err);
    if (!s) s = read_message(line, arena, &message, &err);
    if (!s) s = os_fetcher_open(&(FetchOptions){ .user_agent = "onym/" ONYM_VERSION }, &options.fetcher, &err);
    if (s) {
        command_complain("%s", err.text);
        return EXIT_USAGE;
    }
    if (trying.is_json) {
        json_object(out, NULL);
        json_array(out, "exchanges");
    }
    DeliverTrial trial = { .message = str_trim(message), .tell = tell, .context = &trying };
    s = deliver_try(&options, &destination, &trial, &err);
    options.fetcher->close(options.fetcher);
    if (trying.is_json) {
        json_array_end(out);
        json_bool(out, "is_delivered", s == OK);
        json_word(out, "error", s ? err.text : NULL);
        json_object_end(out);
        buf_char(out, '\n');
    } else if (s) {
        buf_printf(out, "not delivered: ");
        (void)terminal_put(out, str_from(err.text), 0, 0);
        buf_char(out, '\n');
    } else {
        buf_str_put(out, STR("delivered\n"));
    }
    return s ? EXIT_WRONG : EXIT_FINE;
}
