/* check-config and keys: the commands that show the configuration and open no store. */
#include "cli.h"
#include "command/command.h"
#include "destination/destination.h"
#include "server/server.h"
#include "terminal/terminal.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- check-config ---- */

/* Of the configuration, and of the tracking plan. */
enum { CHECKED_FILES = 2 };

static void put_findings_json(struct buf *buf, const struct config_problems problems[CHECKED_FILES], const char *file)
{
    json_object(buf, NULL);
    json_string(buf, "file", str_from(file));
    json_uint(buf, "errors", problems[0].error_count + problems[1].error_count);
    json_array(buf, "findings");
    for (size_t at = 0; at < problems[0].count + problems[1].count; at++) {
        bool is_of_plan = at >= problems[0].count;
        const ConfigProblem *problem = is_of_plan ? &problems[1].items[at - problems[0].count] : &problems[0].items[at];
        json_object(buf, NULL);
        json_string(buf, "file", is_of_plan ? problems[1].file : str_from(file));
        json_word(buf, "level", problem->is_warning ? "warning" : "error");
        json_uint(buf, "line", problem->line);
        json_uint(buf, "column", problem->column);
        json_string(buf, "key", problem->key);
        json_string(buf, "text", problem->text);
        json_object_end(buf);
    }
    json_array_end(buf);
    json_object_end(buf);
    buf_char(buf, '\n');
}

static int check_file(const char *file, bool is_json, Arena *arena, struct buf *out)
{
    Err err;
    struct config config;
    struct config_problems *problems = arena_new(arena, struct config_problems, CHECKED_FILES);
    memset(problems, 0, CHECKED_FILES * sizeof *problems);
    ConfigOptions request = { .file = file, .disk = os_disk() };
    Status s = config_load(&request, arena, &config, problems, &err);
    if (s && problems->error_count == 0) {
        command_complain("%s", err.text);
        return EXIT_USAGE;
    }
    if (!s) s = server_check_files(&config, arena, &problems[0], &problems[1], &err);
    if (is_json) {
        put_findings_json(out, problems, file);
        return s ? EXIT_WRONG : EXIT_FINE;
    }
    size_t errors = problems[0].error_count + problems[1].error_count;
    for (int of = 0; of < CHECKED_FILES; of++) {
        for (size_t at = 0; at < problems[of].count; at++)
            config_write_problem(out, &problems[of], &problems[of].items[at]);
        if (problems[of].dropped_count) buf_printf(out, "and %zu more\n", problems[of].dropped_count);
    }
    if (s) buf_printf(out, "%s: %zu error%s\n", file, errors, errors == 1 ? "" : "s");
    else
        buf_printf(out, "%s: fine (%zu source%s, %zu destination%s, %zu warehouse%s)\n", file, config.source_count,
                   config.source_count == 1 ? "" : "s", config.destination_count,
                   config.destination_count == 1 ? "" : "s", config.warehouse_count,
                   config.warehouse_count == 1 ? "" : "s");
    return s ? EXIT_WRONG : EXIT_FINE;
}

/* A cell of a table in Markdown. */
static void put_cell(struct buf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c == '|') buf_char(out, '\\');
        buf_char(out, *c);
    }
}

/* The settings of each type: rows of its own table. */
static void put_destination_settings(struct buf *out)
{
    for (size_t type = 0; destinations[type]; type++) {
        const struct destination *destination = destinations[type];
        buf_printf(out, "\n## destinations[].settings of type %s\n%s: %s.\n\n", destination->name, destination->label,
                   destination->description);
        buf_str_put(out, STR("| setting | default | what |\n|---|---|---|\n"));
        for (const DestinationOption *option = destination->options; option->name; option++) {
            buf_printf(out, "| `%s` | ", option->name);
            if (!option->fallback) buf_str_put(out, STR("must be given"));
            else if (option->fallback[0]) buf_printf(out, "`%s`", option->fallback);
            if (option->choices) {
                buf_str_put(out, STR(" of "));
                put_cell(out, option->choices);
            }
            buf_str_put(out, STR(" | "));
            put_cell(out, option->help);
            buf_str_put(out, STR(" |\n"));
        }
    }
}

int command_check_config(const struct command_line *line)
{
    struct buf out;
    buf_init(&out, CONFIG_FILE_BYTES);
    int code = EXIT_FINE;
    const char *file = command_option(line, "config"), *variable = getenv("ONYM_CONFIG");
    if (!file && line->operand_count == 1) file = line->operands[0];
    if (!file && variable && variable[0]) file = variable;
    if (command_has(line, "template")) {
        config_write_template(&out);
    } else if (command_has(line, "markdown")) {
        config_write_markdown(&out);
        put_destination_settings(&out);
    } else if (!file || line->operand_count > 1) {
        command_complain("check-config wants one file: onym check-config onym.yaml");
        code = EXIT_USAGE;
    } else {
        struct region region;
        region_open(&region, CONFIG_ARENA_BYTES);
        Arena arena = region_arena(&region);
        code = check_file(file, command_has(line, "json"), &arena, &out);
        region_close(&region);
    }
    check(buf_ok(&out));
    fwrite(out.bytes ? out.bytes : "", 1, out.len, stdout);
    buf_done(&out);
    return code;
}

/* ---- keys ---- */

static void put_keys_json(struct buf *out, const struct config *config, bool has_secret)
{
    json_object(out, NULL);
    json_array(out, "sources");
    for (size_t at = 0; at < config->source_count; at++) {
        const Source *source = &config->sources[at];
        json_object(out, NULL);
        json_string(out, "name", source->name);
        json_string(out, "write_key", source->write_key);
        json_bool(out, "enabled", source->is_enabled);
        json_object_end(out);
    }
    json_array_end(out);
    if (has_secret) {
        json_string(out, "secret_key", config->secret_key);
    }
    json_object_end(out);
    buf_char(out, '\n');
}

static void put_keys(struct buf *out, const struct config *config, bool has_secret)
{
    unsigned name_columns = 6;
    for (size_t at = 0; at < config->source_count; at++) {
        unsigned columns = text_columns(config->sources[at].name);
        if (columns > name_columns) name_columns = columns;
    }
    (void)terminal_put(out, STR("SOURCE"), name_columns + 2, 0);
    buf_str_put(out, STR("WRITE KEY\n"));
    for (size_t at = 0; at < config->source_count; at++) {
        (void)terminal_put(out, config->sources[at].name, name_columns + 2, 0);
        buf_printf(out, "%.*s%s\n", STR_FORMAT(config->sources[at].write_key),
                   config->sources[at].is_enabled ? "" : "  (disabled)");
    }
    if (has_secret) buf_printf(out, "\nsecret key: %.*s\n", STR_FORMAT(config->secret_key));
}

int command_keys(const struct command_line *line)
{
    struct region region;
    struct config config;
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    int code = command_load_config(line, &arena, &config);
    if (code == EXIT_FINE) {
        Err err;
        if (config_complete_keys(&config, os_disk(), os_dice(), true, &arena, &err)) {
            command_complain("%s", err.text);
            code = EXIT_WRONG;
        }
    }
    if (code == EXIT_FINE && command_has(line, "snippet")) {
        print_snippet(&config, 0);
    } else if (code == EXIT_FINE) {
        struct buf out;
        buf_init(&out, CONFIG_FILE_BYTES);
        bool has_secret = command_has(line, "secret");
        if (command_has(line, "json")) put_keys_json(&out, &config, has_secret);
        else put_keys(&out, &config, has_secret);
        check(buf_ok(&out));
        fwrite(out.bytes, 1, out.len, stdout);
        buf_done(&out);
    }
    region_close(&region);
    return code;
}
