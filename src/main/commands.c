/* commands: the table of commands, from commands.tbl.h. */
#include "commands.h"

#include "cli/cli.h"
#include "mcp/mcp.h"
#include "tools/tools.h"

static const Command commands[] = {
#define COMMAND(name, function, group, operands, summary, details) \
    { name, group, operands, summary, details, function },
#include "commands.tbl.h"
};
static const Option options[] = {
#define OPTION(command, letter, name, value, path, help) { command, letter, name, value, path, help },
#include "commands.tbl.h"
};
const CommandTable onym_commands = { commands, countof(commands), options, countof(options) };
