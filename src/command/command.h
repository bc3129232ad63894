/* command: the command line. Every command is a row of commands.tbl.h and a function command_<name>;
 * parsing, complaints, `onym COMMAND --help`, the completions and the man page's check come from there.
 *
 * Exit codes: 0 all well; 1 something was found wrong, or it failed; 2 the command line or the
 * configuration makes no sense.
 */
#ifndef ONYM_COMMAND_COMMAND_H
#define ONYM_COMMAND_COMMAND_H

#include "config/config.h"

enum { EXIT_FINE = 0, EXIT_WRONG = 1, EXIT_USAGE = 2 };

typedef struct Option {
    const char *command;            /* whose */
    char letter;                    /* 0: none */
    const char *name;               /* without the dashes */
    const char *value;              /* what --help calls its value; NULL: a switch */
    const char *path;               /* of config.tbl.h, where it overrides the configuration; else NULL */
    const char *help;
} Option;

struct command_line;
typedef struct Command {
    const char *name, *group, *operands, *summary, *details;
    int (*run)(const struct command_line *line);
} Command;

/* All that there are: main/'s commands.tbl.h. */
typedef struct CommandTable {
    const Command *commands;
    size_t command_count;
    const Option *options;
    size_t option_count;
} CommandTable;

/* A parsed command line; borrows argv. */
enum { OPTIONS_GIVEN = 64 };
struct command_line {
    const CommandTable *table;
    const Command *command;
    struct { const Option *option; const char *value; } given[OPTIONS_GIVEN];
    size_t given_count;
    const char *const *operands;
    size_t operand_count;
};

/* The option's value, the last one if given twice; NULL where it was not given. A name that is not in the
 * command's table is a bug. */
const char *command_option(const struct command_line *line, const char *name);
bool command_has(const struct command_line *line, const char *name);
/* All values of a repeatable option, as many as fit; gives how many. */
size_t command_values(const struct command_line *line, const char *name, Str *values, size_t most);

/* Parses argv after the command's name, which it reorders. EXIT_FINE, or an exit code after complaining. */
int command_parse(const CommandTable *table, const Command *command, int argc, char **argv, struct command_line *ret);
const Command *command_find(const CommandTable *table, Str name);                 /* NULL where there is none */

/* "onym: ..." on standard error. */
void command_complain(const char *format, ...) FORMAT(1, 2);

/* Loads what --config (or $ONYM_CONFIG) names, with the options that override it; prints complaints.
 * EXIT_FINE, or the exit code to end with. */
int command_load_config(const struct command_line *line, Arena *arena, struct config *ret);
/* For a reload: the same without printing; log lines instead. */
Status MUST command_reload_config(const struct command_line *line, Arena *arena, struct config *ret, Err *err);

/* ---- Commands about commands ---- */

int command_help(const struct command_line *line);
int command_version(const struct command_line *line);
int command_completion(const struct command_line *line);

/* command NULL: all of onym */
void command_write_help(struct buf *buf, const CommandTable *table, const Command *command, unsigned width);

/* The manual page, as mdoc. */
void command_write_man(struct buf *buf, const CommandTable *table);

#endif
