/* http_stream: answers without an end, as server-sent events are.
 *
 * The head is sent like any other. Then the connection waits in a list of its own, and costs no thread: several
 * times a second the server asks each stream whether there is something to say (is_due looks at memory), lets a worker
 * make a piece of it, and writes that. No piece is made before the socket has taken the one before it, so nothing piles
 * up for a slow client, and whoever makes the pieces sees how far behind the client is. A client that takes nothing at
 * all of its piece is dropped after idle_timeout, like any client that takes nothing of its answer.
 *
 * A piece is one chunk (RFC 9112 7.1), with its size in front in eight digits, so that it can be filled in when the
 * piece is there. HTTP/1.0 gets the pieces without sizes; the end of the connection is their end. */
#include "http_server_private.h"

#include <stdio.h>

enum { SIZE_DIGITS = 8, SIZE_BYTES = SIZE_DIGITS + 2 };

void exchange_stream(struct exchange *exchange, const HttpStream *stream, void *context, const char *content_type)
{
    reply_text(exchange, 200, content_type, (Str){ 0 });
    exchange->reply.cache_control = "no-cache, no-transform";
    exchange->closes = true;
    exchange->stream = stream;
    exchange->stream_context = context;
    exchange->stream_step = STREAM_MORE;
}

static bool is_cancelled(const struct exchange *exchange)
{
    return atomic_load_explicit(&exchange->is_cancelled, memory_order_relaxed);
}

static void put_end(const struct exchange *exchange, struct buf *out)
{
    if (!exchange->is_1_0) buf_str_put(out, STR("0\r\n\r\n"));
}

/* Called by a worker. */
static void make_piece(struct exchange *exchange, Arena *arena)
{
    struct buf *out = &exchange->answer;
    buf_clear(out);
    if (!exchange->is_1_0) buf_str_put(out, STR("00000000\r\n"));
    size_t begun = out->len;
    StreamStep step = is_cancelled(exchange) ? STREAM_END : exchange->stream->fill(exchange, arena, out);
    bool is_cut = !buf_ok(out);                              /* no memory: the client sees that it was cut off */
    if (is_cut || out->len == begun) {
        buf_clear(out);
    } else if (!exchange->is_1_0) {
        char digits[SIZE_BYTES];
        snprintf(digits, sizeof digits, "%08zx", out->len - begun);
        memcpy(out->bytes, digits, SIZE_DIGITS);
        buf_str_put(out, STR("\r\n"));
    }
    if (is_cut) step = STREAM_END;
    else if (step == STREAM_END) put_end(exchange, out);
    exchange->reply.body = buf_str(out);
    exchange->stream_step = step;
    exchange->state = EXCHANGE_ANSWERED;
}

/* If too much is waiting for workers, the stream stays in the list and is asked again in the next round. */
static void ask_for_piece(struct exchange *exchange)
{
    if (!server_give_work(exchange, make_piece)) exchange->stream_step = STREAM_MORE;
}

static void end_now(struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    buf_clear(&exchange->answer);
    put_end(exchange, &exchange->answer);
    exchange->reply.body = buf_str(&exchange->answer);
    exchange->stream_step = STREAM_END;
    connection_answer(connection);
}

void stream_go_on(struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    buf_done(&connection->out);
    exchange->is_piece = true;
    connection_enter(connection, CONNECTION_STREAMING);
    if (connection->has_left) connection_close(connection);
    else if (connection->server->is_quiesced) end_now(connection);
    else if (exchange->stream_step == STREAM_MORE) ask_for_piece(exchange);
}

void streams_step(struct http_server *server)
{
    if (server->now_ns - server->streamed_at_ns < STREAM_POLL_MS * INT64_C(1000000)) return;
    server->streamed_at_ns = server->now_ns;
    for (struct connection *at = server->lists[CONNECTION_STREAMING].first; at; at = at->after) {
        struct exchange *exchange = at->exchange;
        if (exchange->is_deferred) continue;
        if (exchange->stream_step == STREAM_MORE || exchange->stream->is_due(exchange)) ask_for_piece(exchange);
    }
}

void streams_end(struct http_server *server)
{
    static const ConnectionState states[] = { CONNECTION_STREAMING, CONNECTION_WRITING };
    for (size_t at = 0; at < countof(states); at++)
        for (struct connection *next, *one = server->lists[states[at]].first; one; one = next) {
            struct exchange *exchange = one->exchange;
            next = one->after;
            if (!exchange || !exchange->stream || exchange->is_deferred) continue;
            if (states[at] == CONNECTION_STREAMING) end_now(one);
            else connection_close(one);                      /* the client takes nothing, not even the end */
        }
}
