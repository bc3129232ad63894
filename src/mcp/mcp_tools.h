/* mcp_tools: what an assistant can ask, as tools of the Model Context Protocol. There is one for each kind of
 * question, and one for each GET about people, destinations and what is being asked; names, descriptions and the
 * schemas of arguments come from the tables of rows that make the API and the commands, so a new row is a new tool.
 */
#ifndef ONYM_MCP_MCP_TOOLS_H
#define ONYM_MCP_MCP_TOOLS_H

#include "cli/cli.h"

typedef struct McpRequest {
    Str method, path, body;                /* path with its query, encoded */
} McpRequest;

/* An array: name, title, description, inputSchema and annotations of each, in the order of the tables. */
void mcp_write_tools(struct buf *out, Arena scratch);
bool mcp_has_tool(Str name);
/* What the tool, which there is, asks with these arguments (an object, or NULL: none). ERR_INPUT: one is missing,
 * unknown or of no use; err tells the assistant which. Borrows from the arguments. */
Status MUST mcp_compose(Str name, const TreeNode *arguments, Arena *arena, McpRequest *ret, Err *err);

#endif
