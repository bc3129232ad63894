/* assistant_tools: what an assistant can ask, as tools of the Model Context Protocol. There is one tool for each kind
 * of question, and one for each GET about questions, people, destinations, live messages and the doctor. Names,
 * descriptions and the schemas of arguments come from the tables of rows that also make the API and the commands; so a
 * new row is a new tool.
 */
#ifndef ONYM_ASSISTANT_ASSISTANT_TOOLS_H
#define ONYM_ASSISTANT_ASSISTANT_TOOLS_H

#include "event/event.h"

typedef struct AssistantRequest {
    Str method, path, body;                /* path: with its query, encoded */
} AssistantRequest;

/* May the one who asks use the route? path is as openapi.tbl.h has it: /api/v1/people/{person_id}. */
typedef bool AssistantMay(void *context, Str method, Str path);

/* Writes an array of tools, in the order of the tables; each has name, title, description, inputSchema and annotations.
 * may: decides which tools are listed; NULL: all. */
void assistant_write_tools(AssistantMay *may, void *context, Arena scratch, struct buf *out);
bool assistant_has_tool(Str name);
/* The request that this tool makes with these arguments (an object, or NULL: none). There must be a tool of this name.
 * ERR_INPUT: an argument is missing, unknown or wrong; err tells the assistant which. Borrows from the arguments. */
Status MUST assistant_compose(Str name, const TreeNode *arguments, Arena *arena, AssistantRequest *ret, Err *err);

#endif
