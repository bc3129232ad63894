/* mcp: `onym mcp`, the Model Context Protocol on standard input and output. A row of main's commands.tbl.h has its
 * options and its help. command_mcp gives the exit code.
 */
#ifndef ONYM_MCP_MCP_H
#define ONYM_MCP_MCP_H

#include "cli/cli.h"

int command_mcp(const struct command_line *line);

#endif
