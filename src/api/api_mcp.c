/* api_mcp: POST /mcp, the Model Context Protocol over HTTP: a message in, its answer as JSON. What an assistant may ask
 * is what its key may: a tool is a row of the table of routes, and is done as a request of that row would be.
 *
 * There are no sessions and no streams: every message stands by itself, so a restart or a second server costs nobody
 * anything, and GET is answered 405, as the protocol has it. Pages of other origins are refused like everywhere, and a
 * cookie opens nothing here: this is for programs with a key.
 *
 * The server's own thread reads the message. A call goes to a worker as its route would; till then the path of its
 * route is kept in the body's memory, right after the body. */
#include "assistant/assistant.h"
#include "api_routes.h"

static void answer(struct exchange *exchange, unsigned status)
{
    reply_text(exchange, status, NULL, buf_str(&exchange->answer));
}

static void refuse(struct exchange *exchange, unsigned status, int code, const char *text)
{
    assistant_error(NULL, code, text, &exchange->answer);
    answer(exchange, status);
}

static const Route *find_route(const AssistantRequest *request, Str *ret_path, Str *ret_query, Str *ret_parameter)
{
    bool is_known;
    *ret_path = str_cut(request->path, '?', ret_query);
    return api_app.find(method_from(request->method), *ret_path, ret_parameter, &is_known);
}

/* ---- A call ---- */

/* The API's answer to the call, which is the exchange's reply now, as the protocol's. */
static void wrap(struct exchange *exchange, const AssistantMessage *call, Arena *arena)
{
    int status = (int)exchange->reply.status;
    Str told = exchange->reply.body;
    if (told.len <= ASSISTANT_ANSWER_BYTES) told = arena_copy(arena, told);
    assistant_outcome(call, status, told, *arena, &exchange->answer);
    answer(exchange, 200);
}

/* By a worker. */
static void work_call(struct exchange *exchange, Arena *arena)
{
    const Route *own = exchange->route;
    struct buf whole = exchange->body;
    struct region region;
    AssistantMessage call;
    AssistantRequest request;
    Str path, query;
    Err err;
    region_open(&region, 2 * ASSISTANT_TREE_BYTES);            /* the message, and the answer */
    Arena kept = region_arena(&region);
    Str text = str_of(whole.bytes, (size_t)(exchange->path.bytes - whole.bytes));
    AssistantStep step = assistant_take(text, &kept, &call, &exchange->answer);
    check(step == ASSISTANT_CALL);                             /* the server's thread has read it */
    Status s = assistant_request(&call, &kept, &request, &err);
    check(!s);
    exchange->route = find_route(&request, &path, &query, &exchange->parameter);
    char *body = arena_bytes(&kept, request.body.len + EVENT_PADDING_BYTES);
    if (request.body.len) memcpy(body, request.body.bytes, request.body.len);
    memset(body + request.body.len, 0, EVENT_PADDING_BYTES);
    buf_init_fixed(&exchange->body, body, request.body.len + EVENT_PADDING_BYTES);
    exchange->body.len = request.body.len;
    api_app.work(exchange, arena);
    wrap(exchange, &call, &kept);
    exchange->body = whole;
    exchange->route = own;
    region_close(&region);
}

/* Whether it may, and what it would be: nothing is asked before that. */
static Status prepare(struct exchange *exchange, const AssistantMessage *call, AssistantRequest *ret,
                      const Route **ret_route, Err *err)
{
    Str path, query;
    Status s = assistant_request(call, exchange_arena(exchange), ret, err);
    if (s) return s;
    *ret_route = find_route(ret, &path, &query, &exchange->parameter);
    if (!*ret_route) return err_set(err, ERR_INPUT, "no such thing can be asked for");
    if (!exchange_role_may(exchange, (*ret_route)->flags))
        return err_set(err, ERR_DENIED, "not for the role %s of this key", access_role_word(exchange->role));
    if (exchange->body.len + ret->path.len + EVENT_PADDING_BYTES > LIMIT_BODY_BYTES)
        return err_set(err, ERR_TOO_LARGE, "the message is too long");
    return OK;
}

static void take_call(struct exchange *exchange, const AssistantMessage *call)
{
    const Route *route = NULL;
    AssistantRequest request;
    Err err;
    Status s = prepare(exchange, call, &request, &route, &err);
    if (s) {
        assistant_failure(call, str_from(err.text), &exchange->answer);
        answer(exchange, 200);
        return;
    }
    Str query, path = str_cut(request.path, '?', &query);
    if (!(route->flags & ROUTE_WORKER)) {
        exchange->path = path, exchange->query = query;        /* in the arena, as long as this takes */
        route->handle(exchange);
        wrap(exchange, call, exchange_arena(exchange));
        exchange->path = str_from(exchange->route->path), exchange->query = (Str){ 0 };
        return;
    }
    size_t at = exchange->body.len;
    buf_str_put(&exchange->body, request.path);
    check(buf_ok(&exchange->body));
    exchange->path = str_cut(str_of(exchange->body.bytes + at, request.path.len), '?', &exchange->query);
    exchange->is_long = route->flags & ROUTE_LONG;
    exchange_defer(exchange, work_call);
}

/* ---- A message ---- */

static bool may_use(void *context, Str method, Str path)
{
    struct exchange *exchange = context;
    Str parameter;
    bool is_known;
    const Route *route = api_app.find(method_from(method), path, &parameter, &is_known);
    return route && exchange_role_may(exchange, route->flags);
}

static void list_tools(struct exchange *exchange, const AssistantMessage *message)
{
    struct buf tools;
    buf_init(&tools, ASSISTANT_MESSAGE_BYTES);
    assistant_write_tools(may_use, exchange, *exchange_arena(exchange), &tools);
    check(buf_ok(&tools));
    assistant_list(message, buf_str(&tools), &exchange->answer);
    buf_done(&tools);
    answer(exchange, 200);
}

/* Does a list of media types with weights name one of these, or all? A client without the header takes anything. */
static bool takes_json(Str accept)
{
    bool takes = !str_trim(accept).len;
    while (accept.len) {
        Str rest, kind = str_trim(str_cut(str_cut(accept, ',', &accept), ';', &rest));
        takes |= str_equal_no_case(kind, STR("application/json")) || str_equal(kind, STR("*/*"))
                 || str_equal_no_case(kind, STR("application/*"));
    }
    return takes;
}

static bool is_json(Str content_type)
{
    Str rest;
    return str_equal_no_case(str_trim(str_cut(content_type, ';', &rest)), STR("application/json"));
}

/* What is wrong with the request before its message is read; true: it was answered. */
static bool refuse_request(struct exchange *exchange)
{
    Err err;
    if (exchange->session.id[0]) {
        err_set(&err, ERR_DENIED, "an assistant needs a key, as Authorization: Bearer; a session of the dashboard "
                "opens nothing here");
        reply_error(exchange, ERR_DENIED, &err);
        exchange->reply.status = 403;
        exchange->reply.asks_for_key = false;
    } else if (!is_json(exchange->content_type)) {
        refuse(exchange, 415, ASSISTANT_BAD_REQUEST, "say Content-Type: application/json");
    } else if (!takes_json(exchange->accept)) {
        refuse(exchange, 406, ASSISTANT_BAD_REQUEST, "answers are application/json; Accept names no such thing");
    } else if (exchange->mcp_version.len && !assistant_knows_version(exchange->mcp_version)) {
        refuse(exchange, 400, ASSISTANT_BAD_VERSION, "this MCP-Protocol-Version is not spoken here");
    } else {
        return false;
    }
    return true;
}

/* From 2026-07-28 on a message says its version itself, and headers say what it is, for who stands in between: what
 * they say and what is done must be the same. NULL: it is; else the header that lies, or is missing. */
static const char *lying_header(const struct exchange *exchange, const AssistantMessage *message)
{
    bool is_call = str_equal(message->method, STR("tools/call"));
    if (!message->version.len) return NULL;
    if (!str_equal(message->version, exchange->mcp_version))
        return "MCP-Protocol-Version is missing, or is not the message's own version";
    if (!message->is_modern) return NULL;
    if (!str_equal(message->method, exchange->mcp_method))
        return "Mcp-Method is missing, or is not the message's method";
    if (is_call && !str_equal(event_tree_text(message->params, "name"), exchange->mcp_name))
        return "Mcp-Name is missing, or is not the tool's name";
    return NULL;
}

/* The protocol has it so: what is no message is 400; a method that is not there 404, where a message stands alone. */
static unsigned status_of(const AssistantMessage *message)
{
    switch (message->error) {
    case ASSISTANT_BAD_JSON:
    case ASSISTANT_BAD_REQUEST:
    case ASSISTANT_BAD_VERSION: return 400;
    case ASSISTANT_NO_METHOD: return message->is_modern ? 404 : 200;
    case ASSISTANT_BAD_PARAMS: return message->is_modern ? 400 : 200;
    default: return 200;
    }
}

void api_mcp(struct exchange *exchange)
{
    AssistantMessage message;
    buf_clear(&exchange->answer);
    if (refuse_request(exchange)) return;
    AssistantStep step = assistant_take(buf_str(&exchange->body), exchange_arena(exchange), &message,
                                        &exchange->answer);
    const char *lie = lying_header(exchange, &message);
    if (lie) {
        assistant_error(message.id, ASSISTANT_BAD_HEADER, lie, &exchange->answer);
        answer(exchange, 400);
        return;
    }
    switch (step) {
    case ASSISTANT_ANSWERED: answer(exchange, status_of(&message)); break;
    case ASSISTANT_LIST: list_tools(exchange, &message); break;
    case ASSISTANT_CALL: take_call(exchange, &message); break;
    case ASSISTANT_SILENT:
    case ASSISTANT_CANCEL: reply_text(exchange, 202, NULL, (Str){ 0 }); break;
    }
}
