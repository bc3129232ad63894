/* assistant: what an assistant says and is told: JSON-RPC of the Model Context Protocol. A message comes in, a message
 * goes out, whatever carries them (mcp/ by lines, api/ by HTTP). A client may begin in either of the protocol's two
 * ways: with a handshake (initialize), or with requests that name their version in _meta (server/discover, from
 * 2026-07-28 on).
 *
 * It does not know who asks, keeps nothing and asks nothing: it turns the call of a tool into a request of the API, and
 * the caller sends that.
 */
#ifndef ONYM_ASSISTANT_ASSISTANT_H
#define ONYM_ASSISTANT_ASSISTANT_H

#include "assistant_tools.h"

enum {
    ASSISTANT_ANSWER_BYTES = 1024 * 1024,  /* of an answer: all of it fills the assistant's context */
    ASSISTANT_MESSAGE_BYTES = 8 * ASSISTANT_ANSWER_BYTES + 64 * 1024,      /* it has the answer twice, once escaped */
    ASSISTANT_TREE_BYTES = 64 * 1024 * 1024,       /* for the tree of a message */
};

/* Error codes of JSON-RPC, and the protocol's own. */
enum {
    ASSISTANT_BAD_JSON = -32700, ASSISTANT_BAD_REQUEST = -32600, ASSISTANT_NO_METHOD = -32601,
    ASSISTANT_BAD_PARAMS = -32602, ASSISTANT_TOO_MANY = -32000, ASSISTANT_BAD_HEADER = -32020,
    ASSISTANT_BAD_VERSION = -32022,
};

/* A message that came. */
typedef struct AssistantMessage {
    const TreeNode *id, *params;           /* NULL: none */
    Str method, version;                   /* version: the one that it names; empty: none */
    bool is_modern;
    int error;                             /* the code that it was answered with; 0: no error */
} AssistantMessage;

/* What the caller does with a message. SILENT: nothing. ANSWERED: send out, which has the answer. LIST: list the tools.
 * CALL: ask a tool. CANCEL: give up the question that params.requestId names. */
typedef enum AssistantStep {
    ASSISTANT_SILENT, ASSISTANT_ANSWERED, ASSISTANT_LIST, ASSISTANT_CALL, ASSISTANT_CANCEL,
} AssistantStep;

AssistantStep assistant_take(Str text, Arena *arena, AssistantMessage *ret, struct buf *out);
bool assistant_knows_version(Str version);

/* ---- Answers: each is a whole message, and replaces what out had ---- */
void assistant_error(const TreeNode *id, int code, const char *text, struct buf *out);
void assistant_list(const AssistantMessage *message, Str tools, struct buf *out);
/* Tells what the API answered to a call; or, with assistant_failure, that no answer came. */
void assistant_outcome(const AssistantMessage *message, int status, Str answer, Arena scratch, struct buf *out);
void assistant_failure(const AssistantMessage *message, Str text, struct buf *out);
/* The request of the API that asks a call's tool with the call's arguments. */
Status MUST assistant_request(const AssistantMessage *call, Arena *arena, AssistantRequest *ret, Err *err);

#endif
