/* assistant: messages of the Model Context Protocol, read and answered. */
#include "assistant.h"

static const char *const handshake_versions[] = { "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25" };
static const char modern_version[] = "2026-07-28";

static const char instructions[] =
    "Onym collects what visitors and users of a website or app do, and knows which of it is one person. Begin with the "
    "tool events: it tells which events and properties there are. Answers say the range and time zone that they "
    "are of, whether they are complete, and what was left out (warnings).";

/* ---- What goes ---- */

static void begin_message(const TreeNode *id, struct buf *out)
{
    buf_clear(out);
    json_object(out, NULL);
    json_string(out, "jsonrpc", STR("2.0"));
    if (!id) json_null(out, "id");
    else if (event_tree_is_kind(id, FIELD_STRING)) json_string(out, "id", id->text);       /* it may be no UTF-8 */
    else json_raw(out, "id", id->raw);
}

static void begin_result(const AssistantMessage *in, struct buf *out)
{
    begin_message(in->id, out);
    json_object(out, "result");
    if (!in->is_modern) return;
    json_string(out, "resultType", STR("complete"));
    json_object(out, "_meta");
    json_object(out, "io.modelcontextprotocol/serverInfo");
    json_string(out, "name", STR("onym"));
    json_string(out, "version", STR(ONYM_VERSION));
    json_object_end(out);
    json_object_end(out);
}

static void end_result(struct buf *out)
{
    json_object_end(out);
    json_object_end(out);
    check(buf_ok(out));
}

static void begin_error(const TreeNode *id, int code, const char *text, struct buf *out)
{
    begin_message(id, out);
    json_object(out, "error");
    json_int(out, "code", code);
    json_word(out, "message", text);
}

void assistant_error(const TreeNode *id, int code, const char *text, struct buf *out)
{
    begin_error(id, code, text, out);
    end_result(out);
}

static void refuse(AssistantMessage *in, int code, const char *text, struct buf *out)
{
    assistant_error(in->id, code, text, out);
    in->error = code;
}

/* ---- Methods that need nobody else ---- */

static void put_versions(struct buf *out, const char *name)
{
    json_array(out, name);
    for (size_t at = 0; at < countof(handshake_versions); at++) json_word(out, NULL, handshake_versions[at]);
    json_word(out, NULL, modern_version);
    json_array_end(out);
}

static void put_abilities(struct buf *out)
{
    json_object(out, "capabilities");
    json_object(out, "tools");
    json_object_end(out);
    json_object_end(out);
    json_word(out, "instructions", instructions);
}

/* The newest that both speak, where the client's own is not known here. */
static void initialize(AssistantMessage *in, struct buf *out)
{
    Str wanted = event_tree_text(in->params, "protocolVersion");
    const char *version = handshake_versions[countof(handshake_versions) - 1];
    if (!wanted.len) {
        refuse(in, ASSISTANT_BAD_PARAMS, "protocolVersion is missing", out);
        return;
    }
    for (size_t at = 0; at < countof(handshake_versions); at++)
        if (str_equal(wanted, str_from(handshake_versions[at]))) version = handshake_versions[at];
    begin_result(in, out);
    json_word(out, "protocolVersion", version);
    put_abilities(out);
    json_object(out, "serverInfo");
    json_string(out, "name", STR("onym"));
    json_string(out, "title", STR("Onym"));
    json_string(out, "version", STR(ONYM_VERSION));
    json_object_end(out);
    end_result(out);
}

/* scope: "public" if it is the same for everybody, "private" if it is for whoever asked. */
static void put_caching(const char *scope, struct buf *out)
{
    json_int(out, "ttlMs", 3600000);
    json_word(out, "cacheScope", scope);
}

static void discover(AssistantMessage *in, struct buf *out)
{
    begin_result(in, out);
    put_versions(out, "supportedVersions");
    put_abilities(out);
    put_caching("public", out);
    end_result(out);
}

/* Which tools there are depends on the key: nobody in between may give one's list to another. */
void assistant_list(const AssistantMessage *message, Str tools, struct buf *out)
{
    begin_result(message, out);
    json_raw(out, "tools", tools);
    if (message->is_modern) put_caching("private", out);
    end_result(out);
}

static void ping(AssistantMessage *in, struct buf *out)
{
    begin_result(in, out);
    end_result(out);
}

/* What is wrong with a call before anything is asked; NULL: nothing. */
static const char *call_problem(const TreeNode *params)
{
    const TreeNode *name = event_tree_get(params, STR("name")), *arguments = event_tree_get(params, STR("arguments"));
    if (!event_tree_is_kind(name, FIELD_STRING)) return "name, the tool's, is missing";
    if (event_tree_is_given(arguments) && !event_tree_is_kind(arguments, FIELD_OBJECT))
        return "arguments must be an object";
    return assistant_has_tool(name->text) ? NULL : "there is no tool of this name; tools/list tells which there are";
}

/* ---- What comes ---- */

/* The version that a request says it is of; NULL: it says none. */
static const TreeNode *said_version(const TreeNode *params)
{
    const TreeNode *meta = event_tree_get(params, STR("_meta"));
    const TreeNode *version = event_tree_get(meta, STR("io.modelcontextprotocol/protocolVersion"));
    return event_tree_is_given(version) ? version : NULL;
}

bool assistant_knows_version(Str version)
{
    bool is_known = str_equal(version, str_from(modern_version));
    for (size_t at = 0; at < countof(handshake_versions); at++)
        is_known |= str_equal(version, str_from(handshake_versions[at]));
    return is_known;
}

/* It is of a version that is not spoken here. */
static void refuse_version(AssistantMessage *in, struct buf *out)
{
    begin_error(in->id, ASSISTANT_BAD_VERSION, "this version of the protocol is not spoken here", out);
    json_object(out, "data");
    put_versions(out, "supported");
    json_string(out, "requested", in->version);
    json_object_end(out);
    end_result(out);
    in->error = ASSISTANT_BAD_VERSION;
}

static AssistantStep take_list(AssistantMessage *in, struct buf *out)
{
    if (!event_tree_is_given(event_tree_get(in->params, STR("cursor")))) return ASSISTANT_LIST;
    refuse(in, ASSISTANT_BAD_PARAMS, "the list has one page, no cursor leads to another", out);
    return ASSISTANT_ANSWERED;
}

static AssistantStep take_call(AssistantMessage *in, struct buf *out)
{
    const char *problem = call_problem(in->params);
    if (!problem) return ASSISTANT_CALL;
    refuse(in, ASSISTANT_BAD_PARAMS, problem, out);
    return ASSISTANT_ANSWERED;
}

static AssistantStep take_request(AssistantMessage *in, struct buf *out)
{
    static const struct { const char *name; void (*answer)(AssistantMessage *in, struct buf *out); } methods[] = {
        { "initialize", initialize }, { "server/discover", discover }, { "ping", ping },
    };
    if (in->params && !event_tree_is_kind(in->params, FIELD_OBJECT)) {
        refuse(in, ASSISTANT_BAD_PARAMS, "params must be an object", out);
        return ASSISTANT_ANSWERED;
    }
    const TreeNode *version = said_version(in->params);
    if (version) {
        in->version = version->text;
        in->is_modern = str_equal(in->version, str_from(modern_version));
        if (!assistant_knows_version(in->version)) return refuse_version(in, out), ASSISTANT_ANSWERED;
    }
    for (size_t at = 0; at < countof(methods); at++)
        if (str_equal(in->method, str_from(methods[at].name)))
            return methods[at].answer(in, out), ASSISTANT_ANSWERED;
    if (str_equal(in->method, STR("tools/list"))) return take_list(in, out);
    if (str_equal(in->method, STR("tools/call"))) return take_call(in, out);
    refuse(in, ASSISTANT_NO_METHOD, "there is no such method", out);
    return ASSISTANT_ANSWERED;
}

AssistantStep assistant_take(Str text, Arena *arena, AssistantMessage *ret, struct buf *out)
{
    const TreeNode *root;
    Err err;
    *ret = (AssistantMessage){ 0 };
    Status s = event_tree_read(text, arena, &root, &err);
    if (s) {
        refuse(ret, s == ERR_TOO_LARGE ? ASSISTANT_BAD_REQUEST : ASSISTANT_BAD_JSON, err.text, out);
        return ASSISTANT_ANSWERED;
    }
    const TreeNode *id = event_tree_get(root, STR("id")), *method = event_tree_get(root, STR("method"));
    bool has_id = event_tree_is_kind(id, FIELD_STRING) || event_tree_is_kind(id, FIELD_NUMBER);
    bool is_answer = event_tree_get(root, STR("result")) || event_tree_get(root, STR("error"));
    if (is_answer && !method) return ASSISTANT_SILENT;                 /* nothing was asked of the client */
    ret->id = has_id ? id : NULL;
    if (!event_tree_is_kind(root, FIELD_OBJECT) || !str_equal(event_tree_text(root, "jsonrpc"), STR("2.0"))
        || !event_tree_is_kind(method, FIELD_STRING) || (id && !has_id)) {
        refuse(ret, ASSISTANT_BAD_REQUEST, "this is no message of JSON-RPC 2.0, one by itself", out);
        return ASSISTANT_ANSWERED;
    }
    ret->params = event_tree_get(root, STR("params"));
    ret->method = method->text;
    if (id) return take_request(ret, out);
    return str_equal(ret->method, STR("notifications/cancelled")) ? ASSISTANT_CANCEL : ASSISTANT_SILENT;
}

/* ---- Calls ---- */

Status assistant_request(const AssistantMessage *call, Arena *arena, AssistantRequest *ret, Err *err)
{
    return assistant_compose(event_tree_text(call->params, "name"), event_tree_get(call->params, STR("arguments")),
                             arena, ret, err);
}

/* A result that begins with its text, for who reads. */
static void begin_text_result(const AssistantMessage *in, Str text, struct buf *out)
{
    begin_result(in, out);
    json_array(out, "content");
    json_object(out, NULL);
    json_string(out, "type", STR("text"));
    json_string(out, "text", text);
    json_object_end(out);
    json_array_end(out);
}

void assistant_failure(const AssistantMessage *message, Str text, struct buf *out)
{
    begin_text_result(message, text, out);
    json_bool(out, "isError", true);
    end_result(out);
}

/* The answer twice: as a text for who reads, as an object for who computes. A message is a line: blanks between tokens
 * may be line ends, in texts there are none. */
static void put_answer(const AssistantMessage *message, Str answer, struct buf *out)
{
    begin_text_result(message, answer, out);
    json_raw(out, "structuredContent", answer);
    for (size_t at = out->len - answer.len; at < out->len; at++)
        if (out->bytes[at] == '\n' || out->bytes[at] == '\r') out->bytes[at] = ' ';
    json_bool(out, "isError", false);
    end_result(out);
}

void assistant_outcome(const AssistantMessage *message, int status, Str answer, Arena scratch, struct buf *out)
{
    const TreeNode *root = NULL;
    if (answer.len > ASSISTANT_ANSWER_BYTES) {
        assistant_failure(message, STR("the answer has more than 1 MiB; ask for less: a limit, a shorter range"), out);
        return;
    }
    answer = str_trim(answer);
    Status s = event_tree_read(answer, &scratch, &root, NULL);
    Str said = s ? (Str){ 0 } : event_tree_text(root, "error.message"), field = { 0 };
    if (said.len) field = event_tree_text(root, "error.field");
    if (s || !event_tree_is_kind(root, FIELD_OBJECT) || (status >= 300 && !said.len))
        assistant_failure(message, STR("what answered is no Onym: no object of JSON came"), out);
    else if (status < 300) put_answer(message, answer, out);
    else if (!field.len || str_starts(said, field)) assistant_failure(message, said, out);
    else assistant_failure(message, arena_printf(&scratch, "%.*s: %.*s", STR_FORMAT(field), STR_FORMAT(said)), out);
}
