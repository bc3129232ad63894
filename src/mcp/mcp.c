/* mcp: the Model Context Protocol over standard input and output, so that an assistant can ask. JSON-RPC 2.0, a message
 * a line. Both of the protocol's ways to begin are spoken: the handshake (initialize), and requests that say in _meta
 * which version they are of (server/discover, from 2026-07-28 on).
 *
 * Standard output carries messages and nothing else: what any other part of this program prints there goes to standard
 * error. One question is under way at a time; what comes meanwhile is read, so that a question can be cancelled and the
 * server be seen to live, and further questions wait. Each opens its way to Onym anew: an assistant may sit there for
 * days, in which servers are restarted and keys changed, and a stopped data directory must not be held from them.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mcp.h"
#include "mcp_tools.h"

enum {
    LINE_BYTES = 1024 * 1024,              /* of a message that comes */
    ANSWER_BYTES = 1024 * 1024,            /* of an answer: it goes into the assistant's head */
    MESSAGE_BYTES = 8 * ANSWER_BYTES + 64 * 1024,      /* of a message that goes: the answer twice, once escaped */
    ARENA_BYTES = 64 * 1024 * 1024,        /* for the tree of a line */
    WAITING_MOST = 16,                     /* questions */
};

/* JSON-RPC's, and the protocol's own. */
enum {
    BAD_JSON = -32700, BAD_REQUEST = -32600, NO_METHOD = -32601, BAD_PARAMS = -32602,
    TOO_MANY = -32000, BAD_VERSION = -32022,
};

static const char *const handshake_versions[] = { "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25" };
static const char modern_version[] = "2026-07-28";

static const char instructions[] =
    "Onym collects what visitors and users of a website or app do, and knows which of it is one person. Begin with the "
    "tool events: it tells which events and properties there are. Answers say the range and time zone that they "
    "are of, whether they are complete, and what was left out (warnings).";

struct mcp {
    const struct command_line *line;
    int out;                               /* the real standard output */
    bool is_ended;                         /* the input */
    bool is_unread;                        /* the output: whoever read it is gone */
    struct buf input;                      /* what came of a line that is not whole */
    bool is_skipping;                      /* the rest of a line that is too long */
    struct region line_region;
    struct buf message;                    /* that goes */
    struct buf tools;                      /* the list, made once */
    char *waiting[WAITING_MOST];           /* calls, as their lines; the first is under way where is_asking */
    size_t waiting_bytes[WAITING_MOST];
    size_t waiting_count;
    bool is_asking, is_cancelled;
};

/* A message that came. */
struct incoming {
    const TreeNode *id, *params;           /* NULL: none */
    Str method;
    bool is_modern;
};

/* ---- What goes ---- */

static void send_message(struct mcp *mcp)
{
    check(buf_ok(&mcp->message));
    buf_char(&mcp->message, '\n');
    Str rest = buf_str(&mcp->message);
    while (rest.len && !mcp->is_unread) {
        ssize_t count = write(mcp->out, rest.bytes, rest.len);
        if (count < 0 && errno == EINTR && !ask_is_interrupted()) continue;
        if (count <= 0) mcp->is_unread = true;
        else rest = str_slice(rest, (size_t)count, rest.len);
    }
}

static struct buf *begin_message(struct mcp *mcp, const TreeNode *id)
{
    struct buf *out = &mcp->message;
    buf_clear(out);
    json_object(out, NULL);
    json_string(out, "jsonrpc", STR("2.0"));
    if (id) json_raw(out, "id", id->raw);
    else json_null(out, "id");
    return out;
}

static struct buf *begin_result(struct mcp *mcp, const struct incoming *in)
{
    struct buf *out = begin_message(mcp, in->id);
    json_object(out, "result");
    if (!in->is_modern) return out;
    json_string(out, "resultType", STR("complete"));
    json_object(out, "_meta");
    json_object(out, "io.modelcontextprotocol/serverInfo");
    json_string(out, "name", STR("onym"));
    json_string(out, "version", STR(ONYM_VERSION));
    json_object_end(out);
    json_object_end(out);
    return out;
}

static void end_result(struct mcp *mcp)
{
    json_object_end(&mcp->message);
    json_object_end(&mcp->message);
    send_message(mcp);
}

static void begin_error(struct mcp *mcp, const TreeNode *id, int code, const char *text)
{
    struct buf *out = begin_message(mcp, id);
    json_object(out, "error");
    json_int(out, "code", code);
    json_word(out, "message", text);
}

static void send_error(struct mcp *mcp, const TreeNode *id, int code, const char *text)
{
    begin_error(mcp, id, code, text);
    end_result(mcp);
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
static void initialize(struct mcp *mcp, const struct incoming *in)
{
    Str wanted = event_tree_text(in->params, "protocolVersion");
    const char *version = handshake_versions[countof(handshake_versions) - 1];
    if (!wanted.len) {
        send_error(mcp, in->id, BAD_PARAMS, "protocolVersion is missing");
        return;
    }
    for (size_t at = 0; at < countof(handshake_versions); at++)
        if (str_equal(wanted, str_from(handshake_versions[at]))) version = handshake_versions[at];
    struct buf *out = begin_result(mcp, in);
    json_word(out, "protocolVersion", version);
    put_abilities(out);
    json_object(out, "serverInfo");
    json_string(out, "name", STR("onym"));
    json_string(out, "title", STR("Onym"));
    json_string(out, "version", STR(ONYM_VERSION));
    json_object_end(out);
    end_result(mcp);
}

/* The tools are those of this program, whoever asks and when. */
static void put_caching(struct buf *out)
{
    json_int(out, "ttlMs", 3600000);
    json_string(out, "cacheScope", STR("public"));
}

static void discover(struct mcp *mcp, const struct incoming *in)
{
    struct buf *out = begin_result(mcp, in);
    put_versions(out, "supportedVersions");
    put_abilities(out);
    put_caching(out);
    end_result(mcp);
}

static void list_tools(struct mcp *mcp, const struct incoming *in)
{
    if (event_tree_is_given(event_tree_get(in->params, STR("cursor")))) {
        send_error(mcp, in->id, BAD_PARAMS, "the list has one page, no cursor leads to another");
        return;
    }
    struct buf *out = begin_result(mcp, in);
    json_raw(out, "tools", buf_str(&mcp->tools));
    if (in->is_modern) put_caching(out);
    end_result(mcp);
}

static void ping(struct mcp *mcp, const struct incoming *in)
{
    begin_result(mcp, in);
    end_result(mcp);
}

/* ---- Calls: in a line, one under way ---- */

static void drop_waiting(struct mcp *mcp, size_t at)
{
    free(mcp->waiting[at]);
    mcp->waiting_count--;
    for (; at < mcp->waiting_count; at++) {
        mcp->waiting[at] = mcp->waiting[at + 1];
        mcp->waiting_bytes[at] = mcp->waiting_bytes[at + 1];
    }
}

/* What is wrong with a call before anything is asked; NULL: nothing. */
static const char *call_problem(const TreeNode *params)
{
    const TreeNode *name = event_tree_get(params, STR("name")), *arguments = event_tree_get(params, STR("arguments"));
    if (!event_tree_is_kind(name, FIELD_STRING)) return "name, the tool's, is missing";
    if (event_tree_is_given(arguments) && !event_tree_is_kind(arguments, FIELD_OBJECT))
        return "arguments must be an object";
    return mcp_has_tool(name->text) ? NULL : "there is no tool of this name; tools/list tells which there are";
}

static void take_call(struct mcp *mcp, const struct incoming *in, Str line)
{
    const char *problem = call_problem(in->params);
    char *copy = problem || mcp->waiting_count == WAITING_MOST ? NULL : malloc(line.len + 1);
    if (problem) {
        send_error(mcp, in->id, BAD_PARAMS, problem);
    } else if (!copy) {
        send_error(mcp, in->id, TOO_MANY, "too many questions wait already; ask again when some are answered");
    } else {
        memcpy(copy, line.bytes, line.len);
        mcp->waiting[mcp->waiting_count] = copy;
        mcp->waiting_bytes[mcp->waiting_count++] = line.len;
    }
}

static bool is_same_id(const TreeNode *a, const TreeNode *b)
{
    return a && b && a->kind == b->kind && str_equal(a->text, b->text);
}

/* The one under way is given up by whoever waits for its answer. */
static void cancel(struct mcp *mcp, const TreeNode *params, Arena scratch)
{
    const TreeNode *id = event_tree_get(params, STR("requestId"));
    for (size_t at = 0; at < mcp->waiting_count; at++) {
        const TreeNode *root;
        Arena arena = scratch;
        if (event_tree_read(str_of(mcp->waiting[at], mcp->waiting_bytes[at]), &arena, &root, NULL)) continue;
        if (!is_same_id(event_tree_get(root, STR("id")), id)) continue;
        if (at == 0 && mcp->is_asking) mcp->is_cancelled = true;
        else drop_waiting(mcp, at);
        return;
    }
}

/* ---- What comes ---- */

/* The version that a request says it is of; NULL: it says none. */
static const TreeNode *said_version(const TreeNode *params)
{
    const TreeNode *meta = event_tree_get(params, STR("_meta"));
    const TreeNode *version = event_tree_get(meta, STR("io.modelcontextprotocol/protocolVersion"));
    return event_tree_is_given(version) ? version : NULL;
}

static bool is_modern(const TreeNode *params)
{
    const TreeNode *version = said_version(params);
    return version && str_equal(version->text, str_from(modern_version));
}

/* False: it is of a version that is not spoken here, and was answered. */
static bool check_version(struct mcp *mcp, const struct incoming *in)
{
    const TreeNode *version = said_version(in->params);
    if (!version) return true;
    bool is_known = in->is_modern;
    for (size_t at = 0; at < countof(handshake_versions); at++)
        is_known |= str_equal(version->text, str_from(handshake_versions[at]));
    if (is_known) return true;
    begin_error(mcp, in->id, BAD_VERSION, "this version of the protocol is not spoken here");
    json_object(&mcp->message, "data");
    put_versions(&mcp->message, "supported");
    json_string(&mcp->message, "requested", version->text);
    json_object_end(&mcp->message);
    end_result(mcp);
    return false;
}

static void take_request(struct mcp *mcp, struct incoming *in, Str line)
{
    static const struct { const char *name; void (*answer)(struct mcp *mcp, const struct incoming *in); } methods[] = {
        { "initialize", initialize }, { "server/discover", discover }, { "ping", ping }, { "tools/list", list_tools },
    };
    if (in->params && !event_tree_is_kind(in->params, FIELD_OBJECT)) {
        send_error(mcp, in->id, BAD_PARAMS, "params must be an object");
        return;
    }
    in->is_modern = is_modern(in->params);
    if (!check_version(mcp, in)) return;
    for (size_t at = 0; at < countof(methods); at++) {
        if (!str_equal(in->method, str_from(methods[at].name))) continue;
        methods[at].answer(mcp, in);
        return;
    }
    if (str_equal(in->method, STR("tools/call"))) take_call(mcp, in, line);
    else send_error(mcp, in->id, NO_METHOD, "there is no such method");
}

static void take_line(struct mcp *mcp, Str line)
{
    Arena arena = region_arena(&mcp->line_region);
    const TreeNode *root;
    Err err;
    if (!str_trim(line).len) return;
    Status s = event_tree_read(line, &arena, &root, &err);
    if (s) {
        send_error(mcp, NULL, s == ERR_TOO_LARGE ? BAD_REQUEST : BAD_JSON, err.text);
        return;
    }
    const TreeNode *id = event_tree_get(root, STR("id")), *method = event_tree_get(root, STR("method"));
    bool has_id = event_tree_is_kind(id, FIELD_STRING) || event_tree_is_kind(id, FIELD_NUMBER);
    bool is_answer = event_tree_get(root, STR("result")) || event_tree_get(root, STR("error"));
    if (is_answer && !method) return;                                  /* nothing was asked of the client */
    if (!event_tree_is_kind(root, FIELD_OBJECT) || !str_equal(event_tree_text(root, "jsonrpc"), STR("2.0"))
        || !event_tree_is_kind(method, FIELD_STRING) || (id && !has_id)) {
        send_error(mcp, has_id ? id : NULL, BAD_REQUEST, "this is no message of JSON-RPC 2.0, one a line");
        return;
    }
    struct incoming in = { .id = id, .params = event_tree_get(root, STR("params")), .method = method->text };
    if (id) take_request(mcp, &in, line);
    else if (str_equal(in.method, STR("notifications/cancelled"))) cancel(mcp, in.params, arena);
}

/* As much as there is; lines that are whole are taken. */
static void take_bytes(struct mcp *mcp, Str bytes)
{
    while (bytes.len) {
        const char *end = memchr(bytes.bytes, '\n', bytes.len);
        Str part = str_slice(bytes, 0, end ? (size_t)(end - bytes.bytes) : bytes.len);
        bytes = str_slice(bytes, part.len + 1, bytes.len);
        if (!mcp->is_skipping && mcp->input.len + part.len > LINE_BYTES) {
            send_error(mcp, NULL, BAD_REQUEST, "a message may have 1 MiB");
            mcp->is_skipping = true;
        }
        if (mcp->is_skipping) buf_clear(&mcp->input);
        else buf_str_put(&mcp->input, part);
        if (!end) return;
        if (!mcp->is_skipping) take_line(mcp, buf_str(&mcp->input));
        mcp->is_skipping = false;
        buf_clear(&mcp->input);
    }
}

/* Waits for input at most so long (-1: until there is some), and takes it. */
static void read_input(struct mcp *mcp, int wait_ms)
{
    char bytes[65536];
    struct pollfd wait = { .fd = STDIN_FILENO, .events = POLLIN };
    if (mcp->is_ended || poll(&wait, 1, wait_ms) <= 0) return;
    ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    if (count > 0) take_bytes(mcp, str_of(bytes, (size_t)count));
    else if (count == 0 || errno != EINTR) mcp->is_ended = true;
}

static bool goes_on(void *context)
{
    struct mcp *mcp = context;
    read_input(mcp, 0);
    return !mcp->is_cancelled && !mcp->is_unread;
}

/* ---- Asking ---- */

/* A result that begins with its text, for who reads. */
static struct buf *begin_text_result(struct mcp *mcp, const struct incoming *in, Str text)
{
    struct buf *out = begin_result(mcp, in);
    json_array(out, "content");
    json_object(out, NULL);
    json_string(out, "type", STR("text"));
    json_string(out, "text", text);
    json_object_end(out);
    json_array_end(out);
    return out;
}

static void send_failure(struct mcp *mcp, const struct incoming *in, Str text)
{
    struct buf *out = begin_text_result(mcp, in, text);
    json_bool(out, "isError", true);
    end_result(mcp);
}

/* The answer twice: as a text for who reads, as an object for who computes. A message is a line: blanks between tokens
 * may be line ends, in texts there are none. */
static void send_answer(struct mcp *mcp, const struct incoming *in, Str answer)
{
    struct buf *out = begin_text_result(mcp, in, answer);
    json_raw(out, "structuredContent", answer);
    for (size_t at = out->len - answer.len; at < out->len; at++)
        if (out->bytes[at] == '\n' || out->bytes[at] == '\r') out->bytes[at] = ' ';
    json_bool(out, "isError", false);
    end_result(mcp);
}

static void send_outcome(struct mcp *mcp, const struct incoming *in, int status, Str answer, Arena scratch)
{
    const TreeNode *root = NULL;
    if (answer.len > ANSWER_BYTES) {
        send_failure(mcp, in, STR("the answer has more than 1 MiB; ask for less: a limit, a shorter range"));
        return;
    }
    answer = str_trim(answer);
    Status s = event_tree_read(answer, &scratch, &root, NULL);
    Str message = s ? (Str){ 0 } : event_tree_text(root, "error.message"), field = { 0 };
    if (message.len) field = event_tree_text(root, "error.field");
    if (s || !event_tree_is_kind(root, FIELD_OBJECT) || (status >= 300 && !message.len))
        send_failure(mcp, in, STR("what answered is no Onym: no object of JSON came"));
    else if (status < 300) send_answer(mcp, in, answer);
    else if (!field.len || str_starts(message, field)) send_failure(mcp, in, message);
    else send_failure(mcp, in, arena_printf(&scratch, "%.*s: %.*s", STR_FORMAT(field), STR_FORMAT(message)));
}

/* Nothing is said of a call that was cancelled, nor of one that a signal ends. */
static void ask_onym(struct mcp *mcp, const struct incoming *in, Arena *arena)
{
    struct asker *asker = NULL;
    McpRequest request;
    Str answer;
    int status;
    Err err;
    struct region region;
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena config = region_arena(&region);
    Status s = mcp_compose(event_tree_text(in->params, "name"), event_tree_get(in->params, STR("arguments")), arena,
                           &request, &err);
    if (!s) s = ask_try_open(mcp->line, &config, &asker, &err);
    if (asker) ask_meanwhile(asker, goes_on, mcp);
    if (!s) s = ask_send(asker, &(AskCall){ request.method, request.path, request.body }, &status, &answer, &err);
    if (!s) answer = arena_copy(arena, str_slice(answer, 0, ANSWER_BYTES + 1));
    ask_close(asker);                                      /* who has the answer may start a server at once */
    region_close(&region);
    if (!s) send_outcome(mcp, in, status, answer, *arena);
    else if (!mcp->is_cancelled && !ask_is_interrupted()) send_failure(mcp, in, str_from(err.text));
}

static void ask_first(struct mcp *mcp)
{
    struct region region;
    const TreeNode *root = NULL;
    region_open(&region, 2 * ARENA_BYTES);                 /* the question, and the answer */
    Arena arena = region_arena(&region);
    Status s = event_tree_read(str_of(mcp->waiting[0], mcp->waiting_bytes[0]), &arena, &root, NULL);
    check(!s);                                             /* it was read when it came */
    const TreeNode *params = event_tree_get(root, STR("params"));
    struct incoming in = { .id = event_tree_get(root, STR("id")), .params = params, .is_modern = is_modern(params) };
    mcp->is_asking = true;
    mcp->is_cancelled = false;
    ask_onym(mcp, &in, &arena);
    mcp->is_asking = false;
    drop_waiting(mcp, 0);
    region_close(&region);
}

/* ---- The command ---- */

/* What was asked before the end of input is answered. */
static void serve(struct mcp *mcp)
{
    while (!ask_is_interrupted() && !mcp->is_unread && (mcp->waiting_count || !mcp->is_ended)) {
        if (mcp->waiting_count) ask_first(mcp);
        else read_input(mcp, -1);
    }
}

static int open_output(struct mcp *mcp)
{
    mcp->out = dup(STDOUT_FILENO);
    if (mcp->out >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0) return EXIT_FINE;
    command_complain("mcp speaks on standard input and output; an assistant starts it (docs/mcp.md)");
    return EXIT_WRONG;
}

/* A configuration that is wrong now is told now. */
static int check_config(const struct command_line *line)
{
    struct region region;
    struct config config;
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    int code = command_load_config(line, &arena, &config);
    region_close(&region);
    return code;
}

int command_mcp(const struct command_line *line)
{
    struct mcp mcp = { .line = line };
    int code = check_config(line);
    if (!code) code = open_output(&mcp);
    if (code) return code;
    ask_catch_signals();
    (void)sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
    region_open(&mcp.line_region, ARENA_BYTES);
    buf_init(&mcp.input, LINE_BYTES);
    buf_init(&mcp.message, MESSAGE_BYTES);
    buf_init(&mcp.tools, MESSAGE_BYTES);
    mcp_write_tools(&mcp.tools, region_arena(&mcp.line_region));
    serve(&mcp);
    while (mcp.waiting_count) drop_waiting(&mcp, 0);
    buf_done(&mcp.tools);
    buf_done(&mcp.message);
    buf_done(&mcp.input);
    region_close(&mcp.line_region);
    close(mcp.out);
    return EXIT_FINE;
}
