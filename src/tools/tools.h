/* tools: commands that work on a data directory themselves, beside a server or without one. A row of main/'s
 * commands.tbl.h has the options and the help of each. Each gives its exit code.
 */
#ifndef ONYM_TOOLS_TOOLS_H
#define ONYM_TOOLS_TOOLS_H

#include "command/command.h"
#include "tools_record_filter.h"

int command_tail(const struct command_line *line);
int command_identity(const struct command_line *line);
int command_export(const struct command_line *line);
int command_verify(const struct command_line *line);
int command_recover(const struct command_line *line);
int command_rebuild(const struct command_line *line);
int command_import(const struct command_line *line);
/* `onym destinations test NAME`: into out. */
int tools_try(const struct command_line *line, Arena *arena, struct buf *out);

#endif
