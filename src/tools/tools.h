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
/* Messages that this program makes, on the way of `onym import`: into the journal, or through the server that has it.
 * Each line counts for the source that its projectId names. Returns when all are durable. */
typedef struct ToolsFeed {
    void (*write)(void *context, uint64_t number, struct buf *out);     /* a line without its end; from 0 */
    void *context;
    uint64_t count;
    bool is_added;                     /* beside what is there; else ERR_CONFLICT where something is */
} ToolsFeed;
typedef struct ToolsFed { uint64_t accepted, rejected; } ToolsFed;
Status MUST tools_feed(const struct config *config, const char *url, const ToolsFeed *feed, Arena *arena, ToolsFed *ret,
                       Err *err);
/* `onym plan check` and its like: into out. */
int tools_plan_check(const struct command_line *line, Arena *arena, struct buf *out);
int tools_plan_dry_run(const struct command_line *line, Arena *arena, struct buf *out);
int tools_plan_init(const struct command_line *line, Arena *arena, struct buf *out);
int tools_plan_types(const struct command_line *line, Arena *arena, struct buf *out);
int tools_plan_diff(const struct command_line *line, Arena *arena, struct buf *out);
int tools_plan_import(const struct command_line *line, Arena *arena, struct buf *out);
/* `onym destinations test NAME`: into out. */
int tools_try(const struct command_line *line, Arena *arena, struct buf *out);

#endif
