/* help, version, completion: what the table of commands says, in four languages. */
#include "command.h"
#include "api/api.h"
#include "base/base.h"
#include "terminal/terminal.h"

#include <stdio.h>

enum { HELP_COLUMNS = 100, LEFT_COLUMNS = 24 };

/* Wrapped text after an indent; the cursor stands at column. */
static void put_wrapped(struct buf *buf, Str text, unsigned indent, unsigned column, unsigned width)
{
    bool is_first = true;
    while (text.len) {
        Str word = str_cut(text, ' ', &text);
        if (!is_first && column + 1 + word.len > width) {
            buf_char(buf, '\n');
            for (column = 0; column < indent; column++) buf_char(buf, ' ');
            is_first = true;
        }
        if (!is_first) buf_char(buf, ' '), column++;
        buf_str_put(buf, word);
        column += (unsigned)word.len;
        is_first = false;
    }
    buf_char(buf, '\n');
}

/* "  left          right", the right side wrapped. */
static void put_row(struct buf *buf, const char *left, const char *right, unsigned left_columns, unsigned width)
{
    buf_printf(buf, "  %-*s", (int)left_columns, left);
    unsigned column = 2 + (unsigned)(strlen(left) > left_columns ? strlen(left) : left_columns);
    if (strlen(left) >= left_columns) {
        buf_char(buf, '\n');
        for (column = 0; column < 2 + left_columns; column++) buf_char(buf, ' ');
    }
    put_wrapped(buf, str_from(right), 2 + left_columns, column, width);
}

/* A group stands where its first command does in the table, with all that are of it. */
static bool is_first_of_group(const CommandTable *table, size_t command)
{
    for (size_t at = 0; at < command; at++)
        if (!strcmp(table->commands[at].group, table->commands[command].group)) return false;
    return true;
}

static void put_group(struct buf *buf, const CommandTable *table, const char *group, unsigned width)
{
    buf_printf(buf, "\n%s\n", group);
    for (size_t at = 0; at < table->command_count; at++)
        if (!strcmp(table->commands[at].group, group))
            put_row(buf, table->commands[at].name, table->commands[at].summary, 14, width);
}

static void put_all(struct buf *buf, const CommandTable *table, unsigned width)
{
    buf_str_put(buf, STR("onym: a customer-data platform in one program\n\nusage: onym COMMAND [OPTION]...\n"));
    for (size_t at = 0; at < table->command_count; at++)
        if (is_first_of_group(table, at)) put_group(buf, table, table->commands[at].group, width);
    buf_str_put(buf, STR("\nonym COMMAND --help explains a command. Begin with: onym serve\n"));
}

void command_write_help(struct buf *buf, const CommandTable *table, const Command *command, unsigned width)
{
    if (width == 0 || width > HELP_COLUMNS) width = HELP_COLUMNS;
    if (!command) {
        put_all(buf, table, width);
        return;
    }
    buf_printf(buf, "onym %s: %s\n\nusage: onym %s [OPTION]...%s%s\n", command->name, command->summary, command->name,
               command->operands[0] ? " " : "", command->operands);
    if (command->details[0]) {
        buf_char(buf, '\n');
        put_wrapped(buf, str_from(command->details), 0, 0, width);
    }
    buf_char(buf, '\n');
    for (size_t at = 0; at < table->option_count; at++) {
        const Option *option = &table->options[at];
        if (strcmp(option->command, command->name)) continue;
        char letter[8] = "    ", left[64];
        if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        put_row(buf, left, option->help, LEFT_COLUMNS + 4, width);
    }
    put_row(buf, "-h, --help", "this", LEFT_COLUMNS + 4, width);
}

int command_help(const struct command_line *line)
{
    const Command *command = NULL;
    if (line->operand_count) {
        command = command_find(line->table, str_from(line->operands[0]));
        if (!command) {
            command_complain("there is no command \"%s\"; onym --help lists them", line->operands[0]);
            return EXIT_USAGE;
        }
    }
    struct buf buf;
    buf_init(&buf, 1024 * 1024);
    Terminal terminal = terminal_of(stdout);
    if (command_has(line, "man")) command_write_man(&buf, line->table);
    else if (command_has(line, "openapi")) api_write_openapi(&buf);
    else command_write_help(&buf, line->table, command, terminal.width);
    check(buf_ok(&buf));
    fwrite(buf.bytes, 1, buf.len, stdout);
    buf_done(&buf);
    return EXIT_FINE;
}

int command_version(const struct command_line *line)
{
    (void)line;
    printf("onym %s\n", ONYM_VERSION);
    return EXIT_FINE;
}

/* ---- Completions ---- */

static void put_options(struct buf *buf, const CommandTable *table, const Command *command)
{
    for (size_t at = 0; at < table->option_count; at++)
        if (!strcmp(table->options[at].command, command->name)) buf_printf(buf, "--%s ", table->options[at].name);
    buf_str_put(buf, STR("--help"));
}

static void put_bash(struct buf *buf, const CommandTable *table)
{
    buf_str_put(buf, STR("# bash completion for onym; from: onym completion bash\n"
                         "_onym() {\n"
                         "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
                         "    case $before in\n"
                         "        --config|-c|--output|-o) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
                         "        --data|-d) COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n"
                         "        --type|-t)\n"
                         "            COMPREPLY=($(compgen -W 'identify track page screen group alias' -- \"$word\"))\n"
                         "            return ;;\n"
                         "    esac\n"
                         "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                         "        COMPREPLY=($(compgen -W '"));
    for (size_t at = 0; at < table->command_count; at++)
        buf_printf(buf, "%s%s", at ? " " : "", table->commands[at].name);
    buf_str_put(buf, STR("' -- \"$word\"))\n        return\n    fi\n    local options=\n"
                         "    case ${COMP_WORDS[1]} in\n"));
    for (size_t at = 0; at < table->command_count; at++) {
        buf_printf(buf, "        %s) options='", table->commands[at].name);
        put_options(buf, table, &table->commands[at]);
        buf_str_put(buf, STR("' ;;\n"));
    }
    buf_str_put(buf, STR("    esac\n"
                         "    case $word in\n"
                         "        -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
                         "        *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
                         "    esac\n}\n"
                         "complete -o filenames -F _onym onym\n"));
}

/* A text inside single quotes of zsh or fish, and inside zsh's [ ]. */
static void put_quoted(struct buf *buf, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'') buf_str_put(buf, STR("'\\''"));
        else if (strchr("[]:", *text)) buf_printf(buf, "\\%c", *text);
        else buf_char(buf, *text);
    }
}

static void put_zsh(struct buf *buf, const CommandTable *table)
{
    buf_str_put(buf, STR("#compdef onym\n# zsh completion for onym; from: onym completion zsh\n"
                         "_onym() {\n    local -a commands\n    commands=(\n"));
    for (size_t at = 0; at < table->command_count; at++) {
        buf_printf(buf, "        '%s:", table->commands[at].name);
        put_quoted(buf, table->commands[at].summary);
        buf_str_put(buf, STR("'\n"));
    }
    buf_str_put(buf, STR("    )\n    if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
                         "    local command=$words[2]\n    shift words; (( CURRENT-- ))\n    case $command in\n"));
    for (size_t at = 0; at < table->command_count; at++) {
        buf_printf(buf, "        %s) _arguments", table->commands[at].name);
        for (size_t option = 0; option < table->option_count; option++) {
            if (strcmp(table->options[option].command, table->commands[at].name)) continue;
            buf_printf(buf, " \\\n            '*--%s%s[", table->options[option].name,
                       table->options[option].value ? "=" : "");
            put_quoted(buf, table->options[option].help);
            buf_str_put(buf, STR("]"));
            if (table->options[option].value) buf_str_put(buf, STR(":value:_files"));
            buf_char(buf, '\'');
        }
        buf_str_put(buf, STR(" \\\n            '--help[this]' '*:file:_files' ;;\n"));
    }
    buf_str_put(buf, STR("    esac\n}\n_onym \"$@\"\n"));
}

static void put_fish_text(struct buf *buf, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\') buf_char(buf, '\\');
        buf_char(buf, *text);
    }
}

static void put_fish(struct buf *buf, const CommandTable *table)
{
    buf_str_put(buf, STR("# fish completion for onym; from: onym completion fish\n"));
    for (size_t at = 0; at < table->command_count; at++) {
        buf_printf(buf, "complete -c onym -n __fish_use_subcommand -f -a %s -d '", table->commands[at].name);
        put_fish_text(buf, table->commands[at].summary);
        buf_str_put(buf, STR("'\n"));
    }
    for (size_t at = 0; at < table->option_count; at++) {
        const Option *option = &table->options[at];
        buf_printf(buf, "complete -c onym -n '__fish_seen_subcommand_from %s' -l %s", option->command, option->name);
        if (option->letter) buf_printf(buf, " -s %c", option->letter);
        buf_str_put(buf, option->value ? STR(" -r -d '") : STR(" -d '"));
        put_fish_text(buf, option->help);
        buf_str_put(buf, STR("'\n"));
    }
}

int command_completion(const struct command_line *line)
{
    static const struct { const char *shell; void (*put)(struct buf *, const CommandTable *); } shells[] = {
        { "bash", put_bash }, { "zsh", put_zsh }, { "fish", put_fish },
    };
    const char *wanted = line->operand_count == 1 ? line->operands[0] : "";
    for (size_t at = 0; at < countof(shells); at++) {
        if (strcmp(wanted, shells[at].shell)) continue;
        struct buf buf;
        buf_init(&buf, 256 * 1024);
        shells[at].put(&buf, line->table);
        check(buf_ok(&buf));
        fwrite(buf.bytes, 1, buf.len, stdout);
        buf_done(&buf);
        return EXIT_FINE;
    }
    command_complain("completion wants one of bash, zsh, fish");
    return EXIT_USAGE;
}
