/* mcp: the Model Context Protocol over standard input and output, so that an assistant can ask. Each message is one
 * line; assistant/ knows what messages mean.
 *
 * Standard output carries messages and nothing else: what any other part of this program prints there goes to standard
 * error. One question is asked at a time, and further questions wait. Meanwhile input is still read, so that a question
 * can be cancelled and a ping is answered. Each question opens its connection to Onym anew: an assistant may run for
 * days, in which servers are restarted and keys change; and if no server runs, the data directory must be free for one
 * that starts.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "assistant/assistant.h"
#include "mcp.h"

enum {
    LINE_BYTES = 1024 * 1024,              /* of a message that comes in */
    WAITING_MOST = 16,                     /* so many questions may wait */
};

struct mcp {
    const struct command_line *line;
    int out;                               /* the real standard output */
    bool is_ended;                         /* the input has ended */
    bool is_unread;                        /* nobody reads our output any more */
    struct buf input;                      /* the beginning of a line whose end has not come yet */
    bool is_skipping;                      /* the line is too long: skip the rest of it */
    struct region line_region;
    struct buf message;                    /* the message that goes out */
    struct buf tools;                      /* the list of tools, made once */
    char *waiting[WAITING_MOST];           /* calls, as their lines; if is_asking, the first is being asked */
    size_t waiting_bytes[WAITING_MOST];
    size_t waiting_count;
    bool is_asking, is_cancelled;
};

/* ---- Messages that go out ---- */

static void send_message(struct mcp *mcp)
{
    buf_char(&mcp->message, '\n');
    Str rest = buf_str(&mcp->message);
    while (rest.len && !mcp->is_unread) {
        ssize_t count = write(mcp->out, rest.bytes, rest.len);
        if (count < 0 && errno == EINTR && !ask_is_interrupted()) continue;
        if (count <= 0) mcp->is_unread = true;
        else rest = str_slice(rest, (size_t)count, rest.len);
    }
}

static void send_error(struct mcp *mcp, const TreeNode *id, int code, const char *text)
{
    assistant_error(id, code, text, &mcp->message);
    send_message(mcp);
}

/* ---- Calls: they wait in a queue, and one is asked at a time ---- */

static void drop_waiting(struct mcp *mcp, size_t at)
{
    free(mcp->waiting[at]);
    mcp->waiting_count--;
    for (; at < mcp->waiting_count; at++) {
        mcp->waiting[at] = mcp->waiting[at + 1];
        mcp->waiting_bytes[at] = mcp->waiting_bytes[at + 1];
    }
}

static void take_call(struct mcp *mcp, const AssistantMessage *in, Str line)
{
    char *copy = mcp->waiting_count == WAITING_MOST ? NULL : malloc(line.len + 1);
    if (!copy) {
        send_error(mcp, in->id, ASSISTANT_TOO_MANY,
                   "too many questions wait already; ask again when some are answered");
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

/* A call that waits is dropped. The call that is being asked is only marked: goes_on then ends it. */
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

/* ---- Messages that come in ---- */

static void take_line(struct mcp *mcp, Str line)
{
    Arena arena = region_arena(&mcp->line_region);
    AssistantMessage in;
    if (!str_trim(line).len) return;
    switch (assistant_take(line, &arena, &in, &mcp->message)) {
    case ASSISTANT_SILENT: break;
    case ASSISTANT_ANSWERED: send_message(mcp); break;
    case ASSISTANT_CALL: take_call(mcp, &in, line); break;
    case ASSISTANT_CANCEL: cancel(mcp, in.params, arena); break;
    case ASSISTANT_LIST:
        assistant_list(&in, buf_str(&mcp->tools), &mcp->message);
        send_message(mcp);
        break;
    }
}

/* Adds bytes to the line that is coming in, and takes each line that is complete. */
static void take_bytes(struct mcp *mcp, Str bytes)
{
    while (bytes.len) {
        const char *end = memchr(bytes.bytes, '\n', bytes.len);
        Str part = str_slice(bytes, 0, end ? (size_t)(end - bytes.bytes) : bytes.len);
        bytes = str_slice(bytes, part.len + 1, bytes.len);
        if (!mcp->is_skipping && mcp->input.len + part.len > LINE_BYTES) {
            send_error(mcp, NULL, ASSISTANT_BAD_REQUEST, "a message may have 1 MiB");
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

/* Waits for input, at most wait_ms (-1: until there is some), and takes it. */
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

/* A call gets no answer if it was cancelled or a signal ends it. */
static void ask_onym(struct mcp *mcp, const AssistantMessage *in, Arena *arena)
{
    struct asker *asker = NULL;
    AssistantRequest request;
    Str answer;
    int status;
    Err err;
    struct region region;
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena config = region_arena(&region);
    Status s = assistant_request(in, arena, &request, &err);
    if (!s) s = ask_try_open(mcp->line, &config, &asker, &err);
    if (asker) ask_meanwhile(asker, goes_on, mcp);
    if (!s) s = ask_send(asker, &(AskCall){ request.method, request.path, request.body }, &status, &answer, &err);
    if (!s) answer = arena_copy(arena, str_slice(answer, 0, ASSISTANT_ANSWER_BYTES + 1));
    ask_close(asker);                                      /* before we answer: the client may start a server then */
    region_close(&region);
    if (s && (mcp->is_cancelled || ask_is_interrupted())) return;
    if (s) assistant_failure(in, str_from(err.text), &mcp->message);
    else assistant_outcome(in, status, answer, *arena, &mcp->message);
    send_message(mcp);
}

static void ask_first(struct mcp *mcp)
{
    struct region region;
    AssistantMessage in;
    region_open(&region, 2 * ASSISTANT_TREE_BYTES);                 /* one half for the question, one for the answer */
    Arena arena = region_arena(&region);
    AssistantStep step = assistant_take(str_of(mcp->waiting[0], mcp->waiting_bytes[0]), &arena, &in, &mcp->message);
    check(step == ASSISTANT_CALL);                         /* take_line has read it before */
    mcp->is_asking = true;
    mcp->is_cancelled = false;
    ask_onym(mcp, &in, &arena);
    mcp->is_asking = false;
    drop_waiting(mcp, 0);
    region_close(&region);
}

/* ---- The command ---- */

/* Goes on until all questions that came before the end of input are answered. */
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

/* If the configuration is wrong, say so now, not with the first question. */
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
    region_open(&mcp.line_region, ASSISTANT_TREE_BYTES);
    buf_init(&mcp.input, LINE_BYTES);
    buf_init(&mcp.message, ASSISTANT_MESSAGE_BYTES);
    buf_init(&mcp.tools, ASSISTANT_MESSAGE_BYTES);
    assistant_write_tools(NULL, NULL, region_arena(&mcp.line_region), &mcp.tools);
    serve(&mcp);
    while (mcp.waiting_count) drop_waiting(&mcp, 0);
    buf_done(&mcp.tools);
    buf_done(&mcp.message);
    buf_done(&mcp.input);
    region_close(&mcp.line_region);
    close(mcp.out);
    return EXIT_FINE;
}
