/* The command line by its table: parsing, complaints, and the configuration that most commands begin with. */
#include "command.h"
#include "base/base.h"
#include "terminal/terminal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char installed_file[] = "/etc/onym/onym.yaml";

void command_complain(const char *format, ...)
{
    char text[2048];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    struct buf line;
    buf_init(&line, sizeof text + 64);
    buf_str_put(&line, STR("onym: "));
    (void)terminal_put(&line, str_from(text), 0, 0);         /* what it quotes may be anybody's */
    buf_char(&line, '\n');
    fflush(stdout);
    fwrite(line.bytes ? line.bytes : "", 1, line.len, stderr);
    buf_done(&line);
}

const Command *command_find(const CommandTable *table, Str name)
{
    for (size_t at = 0; at < table->command_count; at++)
        if (str_equal(name, str_from(table->commands[at].name))) return &table->commands[at];
    return NULL;
}

/* ---- Options ---- */

static const Option *find_option(const CommandTable *table, const Command *command, Str name, char letter)
{
    for (size_t at = 0; at < table->option_count; at++) {
        const Option *option = &table->options[at];
        if (strcmp(option->command, command->name)) continue;
        if (letter ? option->letter == letter : str_equal(str_from(option->name), name)) return option;
    }
    return NULL;
}

const char *command_option(const struct command_line *line, const char *name)
{
    check(find_option(line->table, line->command, str_from(name), 0) != NULL);
    const char *value = NULL;
    for (size_t at = 0; at < line->given_count; at++)
        if (!strcmp(line->given[at].option->name, name)) value = line->given[at].value;
    return value;
}

bool command_has(const struct command_line *line, const char *name) { return command_option(line, name) != NULL; }

size_t command_values(const struct command_line *line, const char *name, Str *values, size_t most)
{
    check(find_option(line->table, line->command, str_from(name), 0) != NULL);
    size_t count = 0;
    for (size_t at = 0; at < line->given_count && count < most; at++)
        if (!strcmp(line->given[at].option->name, name)) values[count++] = str_from(line->given[at].value);
    return count;
}

static int complain_option(const CommandTable *table, const Command *command, Str name)
{
    Str names[64] = { 0 };
    size_t count = 0;
    for (size_t at = 0; at < table->option_count && count < countof(names); at++)
        if (!strcmp(table->options[at].command, command->name)) names[count++] = str_from(table->options[at].name);
    Str near = nearest_word(name, names, count);
    if (near.len)
        command_complain("%s has no option --%.*s; did you mean --%.*s?", command->name, STR_FORMAT(name),
                         STR_FORMAT(near));
    else
        command_complain("%s has no option --%.*s; onym %s --help lists them", command->name, STR_FORMAT(name),
                         command->name);
    return EXIT_USAGE;
}

static int keep_option(struct command_line *line, const Option *option, const char *value)
{
    if (line->given_count == OPTIONS_GIVEN) {
        command_complain("more than %d options", OPTIONS_GIVEN);
        return EXIT_USAGE;
    }
    line->given[line->given_count].option = option;
    line->given[line->given_count++].value = value;
    return EXIT_FINE;
}

/* One argument that begins with a dash; *at moves on where its value is the next argument. */
static int take_option(struct command_line *line, int argc, char **argv, int *at)
{
    const char *argument = argv[*at], *value = NULL;
    bool is_long = argument[1] == '-';
    Str rest = STR(""), name = is_long ? str_cut(str_from(argument + 2), '=', &rest) : str_of(argument + 1, 1);
    const Option *option = find_option(line->table, line->command, name, is_long ? 0 : argument[1]);
    if (!option) {
        if (is_long) return complain_option(line->table, line->command, name);
        command_complain("%s has no option -%c; onym %s --help lists them", line->command->name, argument[1],
                         line->command->name);
        return EXIT_USAGE;
    }
    if (is_long && argument[2 + name.len] == '=') value = rest.bytes;
    if (!is_long && argument[2]) value = argument + 2;
    if (!option->value && value) {
        command_complain("--%s takes no value", option->name);
        return EXIT_USAGE;
    }
    if (option->value && !value) {
        if (*at + 1 >= argc) {
            command_complain("--%s wants a value: --%s %s", option->name, option->name, option->value);
            return EXIT_USAGE;
        }
        value = argv[++*at];
    }
    return keep_option(line, option, option->value ? value : "");
}

int command_parse(const CommandTable *table, const Command *command, int argc, char **argv, struct command_line *ret)
{
    size_t operand_count = 0;
    bool is_ended = false;
    *ret = (struct command_line){ .table = table, .command = command };
    for (int at = 0; at < argc; at++) {
        const char *argument = argv[at];
        if (is_ended || argument[0] != '-' || !argument[1]) {
            argv[operand_count++] = argv[at];
            continue;
        }
        if (!strcmp(argument, "--")) {
            is_ended = true;
            continue;
        }
        if (!strcmp(argument, "--help") || !strcmp(argument, "-h")) {
            *ret = (struct command_line){ .table = table, .command = command_find(table, STR("help")) };
            ret->operands = &command->name, ret->operand_count = 1;
            return EXIT_FINE;
        }
        int code = take_option(ret, argc, argv, &at);
        if (code) return code;
    }
    ret->operands = (const char *const *)argv;
    ret->operand_count = operand_count;
    if (operand_count && !command->operands[0]) {
        command_complain("%s takes no \"%s\"; onym %s --help", command->name, argv[0], command->name);
        return EXIT_USAGE;
    }
    return EXIT_FINE;
}

/* ---- Configuration ---- */

static Status load(const struct command_line *line, const char *file, Arena *arena, struct config *ret,
                   struct config_problems *problems, Err *err)
{
    ConfigFlag flags[OPTIONS_GIVEN];
    size_t count = 0;
    for (size_t at = 0; at < line->given_count; at++) {
        const Option *option = line->given[at].option;
        if (!option->path) continue;
        const char *flag = arena_printf(arena, "--%s", option->name).bytes;
        flags[count++] = (ConfigFlag){ flag, option->path, line->given[at].value };
    }
    ConfigOptions request = { .file = file, .flags = flags, .flag_count = count, .disk = os_disk() };
    return config_load(&request, arena, ret, problems, err);
}

/* Where nothing says which Onym is meant, and there is none in this directory, it is the one that a package installed
 * (packaging/deb): `sudo -u onym onym tail` needs no words more. What begins a new one is not meant: serve, demo. One
 * that may not be read is meant, too, and says so. NULL: none is installed. */
static const char *find_installed(const struct command_line *line, const char *file, const char *here)
{
    bool begins = !strcmp(line->command->name, "serve") || !strcmp(line->command->name, "demo");
    if (begins || (find_option(line->table, line->command, STR("data"), 0) && command_has(line, "data"))) return NULL;
    if (access(here, F_OK) == 0) return NULL;
    return access(file, F_OK) == 0 || errno == EACCES ? file : NULL;
}

static const char *config_file(const struct command_line *line)
{
    const char *file = command_option(line, "config"), *variable = getenv("ONYM_CONFIG");
    if (file || variable) return file ? file : variable[0] ? variable : NULL;
    return find_installed(line, installed_file, "./onym-data");
}

int command_load_config(const struct command_line *line, Arena *arena, struct config *ret)
{
    Err err;
    struct config_problems *problems = arena_new(arena, struct config_problems, 1);
    const char *file = config_file(line);
    Status s = load(line, file, arena, ret, problems, &err);
    struct buf buf;
    bool wants_warnings = !strcmp(line->command->name, "serve");      /* the others would say them every time */
    buf_init(&buf, CONFIG_FILE_BYTES);
    for (size_t at = 0; at < problems->count; at++)
        if (wants_warnings || !problems->items[at].is_warning)
            config_write_problem(&buf, problems, &problems->items[at]);
    if (problems->dropped_count) buf_printf(&buf, "onym: and %zu more\n", problems->dropped_count);
    fwrite(buf.bytes ? buf.bytes : "", 1, buf.len, stderr);
    buf_done(&buf);
    if (s && problems->error_count == 0)
        command_complain("%s%s", err.text, file == installed_file && geteuid() != 0
                         ? "; as the service's own user: sudo -u onym onym ..." : "");
    return s ? EXIT_USAGE : EXIT_FINE;
}

Status command_reload_config(const struct command_line *line, Arena *arena, struct config *ret, Err *err)
{
    struct config_problems *problems = arena_new(arena, struct config_problems, 1);
    Status s = load(line, config_file(line), arena, ret, problems, err);
    for (size_t at = 0; at < problems->count; at++) {
        const ConfigProblem *problem = &problems->items[at];
        log_write(problem->is_warning ? LOG_WARN : LOG_ERROR, "configuration", LOG_STR("file", problems->file),
                  LOG_INT("line", problem->line), LOG_STR("key", problem->key), LOG_STR("problem", problem->text));
    }
    return s ? s : config_complete_keys(ret, os_disk(), os_dice(), false, arena, err);
}
