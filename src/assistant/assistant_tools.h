/* assistant_tools: what an assistant can ask, as tools of the Model Context Protocol. There is one for each kind of
 * question, and one for each GET about people, destinations and what is being asked; names, descriptions and the
 * schemas of arguments come from the tables of rows that make the API and the commands, so a new row is a new tool.
 */
#ifndef ONYM_ASSISTANT_ASSISTANT_TOOLS_H
#define ONYM_ASSISTANT_ASSISTANT_TOOLS_H

#include "event/event.h"

typedef struct AssistantRequest {
    Str method, path, body;                /* path with its query, encoded */
} AssistantRequest;

/* May whoever asks use the route? path as openapi.tbl.h has it: /api/v1/people/{person_id}. */
typedef bool AssistantMay(void *context, Str method, Str path);

/* An array: name, title, description, inputSchema and annotations of each, in the order of the tables. may: NULL for
 * all there are. */
void assistant_write_tools(AssistantMay *may, void *context, Arena scratch, struct buf *out);
bool assistant_has_tool(Str name);
/* What the tool, which there is, asks with these arguments (an object, or NULL: none). ERR_INPUT: one is missing,
 * unknown or of no use; err tells the assistant which. Borrows from the arguments. */
Status MUST assistant_compose(Str name, const TreeNode *arguments, Arena *arena, AssistantRequest *ret, Err *err);

#endif
