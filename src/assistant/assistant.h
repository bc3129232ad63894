/* assistant: what an assistant says and is told: JSON-RPC of the Model Context Protocol, a message in, a message out,
 * whatever carries them (mcp/ by lines, api/ by HTTP). Both of the protocol's ways to begin are spoken: the handshake
 * (initialize), and requests that say in _meta which version they are of (server/discover, from 2026-07-28 on).
 *
 * It knows nobody, keeps nothing and asks nothing: what a tool asks is a request of the API, which the caller makes.
 */
#ifndef ONYM_ASSISTANT_ASSISTANT_H
#define ONYM_ASSISTANT_ASSISTANT_H

#include "assistant_tools.h"

enum {
    ASSISTANT_ANSWER_BYTES = 1024 * 1024,  /* of an answer: it goes into the assistant's head */
    ASSISTANT_MESSAGE_BYTES = 8 * ASSISTANT_ANSWER_BYTES + 64 * 1024,      /* the answer twice, once escaped */
    ASSISTANT_TREE_BYTES = 64 * 1024 * 1024,       /* for the tree of a message */
};

/* JSON-RPC's, and the protocol's own. */
enum {
    ASSISTANT_BAD_JSON = -32700, ASSISTANT_BAD_REQUEST = -32600, ASSISTANT_NO_METHOD = -32601,
    ASSISTANT_BAD_PARAMS = -32602, ASSISTANT_TOO_MANY = -32000, ASSISTANT_BAD_HEADER = -32020,
    ASSISTANT_BAD_VERSION = -32022,
};

/* A message that came. */
typedef struct AssistantMessage {
    const TreeNode *id, *params;           /* NULL: none */
    Str method, version;                   /* version: what it says that it is of; empty: nothing */
    bool is_modern;
    int error;                             /* the code that it was answered with; 0: no error */
} AssistantMessage;

/* What is to be done with it: nothing; out has its answer; the tools are to be listed; a tool is to be asked; a
 * question is given up (params.requestId). */
typedef enum AssistantStep {
    ASSISTANT_SILENT, ASSISTANT_ANSWERED, ASSISTANT_LIST, ASSISTANT_CALL, ASSISTANT_CANCEL,
} AssistantStep;

AssistantStep assistant_take(Str text, Arena *arena, AssistantMessage *ret, struct buf *out);
bool assistant_knows_version(Str version);

/* ---- Answers: each is a whole message, in place of what out had ---- */
void assistant_error(const TreeNode *id, int code, const char *text, struct buf *out);
void assistant_list(const AssistantMessage *message, Str tools, struct buf *out);
/* What the API answered to a call, or that it does not help. */
void assistant_outcome(const AssistantMessage *message, int status, Str answer, Arena scratch, struct buf *out);
void assistant_failure(const AssistantMessage *message, Str text, struct buf *out);
/* Of a call: its tool, asked with its arguments. */
Status MUST assistant_request(const AssistantMessage *call, Arena *arena, AssistantRequest *ret, Err *err);

#endif
