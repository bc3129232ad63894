/* site_devtools: frames out of a stream, and back. */
#include "site_devtools.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 * 1024 };

void devtools_open(struct devtools *devtools, int in, int out)
{
    *devtools = (struct devtools){ .in = in, .out = out };
    buf_init(&devtools->read, DEVTOOLS_MESSAGE_BYTES + PIECE_BYTES);
    buf_init(&devtools->queue, DEVTOOLS_QUEUE_BYTES);
}

void devtools_close(struct devtools *devtools)
{
    buf_done(&devtools->read);
    buf_done(&devtools->queue);
}

uint64_t devtools_send(struct devtools *devtools, Str session, const char *method, Str params)
{
    struct buf *queue = &devtools->queue;
    if (queue->len + DEVTOOLS_COMMAND_BYTES > DEVTOOLS_QUEUE_BYTES || params.len > DEVTOOLS_COMMAND_BYTES / 2) return 0;
    json_object(queue, NULL);
    json_uint(queue, "id", ++devtools->last_id);
    json_word(queue, "method", method);
    if (session.len) json_string(queue, "sessionId", str_slice(session, 0, 256));
    if (params.len) json_raw(queue, "params", params);
    json_object_end(queue);
    buf_char(queue, 0);
    return buf_ok(queue) ? devtools->last_id : 0;
}

/* ---- Reading ---- */

/* Moves what is left to the front. */
static void forget(struct buf *buf, size_t count)
{
    if (count == 0) return;
    memmove(buf->bytes, buf->bytes + count, buf->len - count);
    buf->len -= count;
}

/* A whole message from what was read. What is too long is dropped up to its end, however much comes. */
static bool take_message(struct devtools *devtools, Str *ret)
{
    struct buf *read = &devtools->read;
    for (;;) {
        Str rest = str_slice(buf_str(read), devtools->taken, read->len);
        const char *end = rest.len ? memchr(rest.bytes, 0, rest.len) : NULL;
        if (!end) {
            forget(read, devtools->taken);
            devtools->taken = 0;
            if (devtools->is_skipping) read->len = 0;
            if (read->len > DEVTOOLS_MESSAGE_BYTES) {
                devtools->skipped_count++;
                devtools->is_skipping = true;
                read->len = 0;
            }
            return false;
        }
        size_t length = (size_t)(end - rest.bytes);
        devtools->taken += length + 1;
        bool is_whole = !devtools->is_skipping;
        devtools->is_skipping = false;
        if (!is_whole || length == 0) continue;
        *ret = str_of(rest.bytes, length);
        return true;
    }
}

static Status read_more(struct devtools *devtools, Err *err)
{
    struct buf *into = &devtools->read;
    if (!buf_reserve(into, PIECE_BYTES)) return err_set(err, ERR_IO, "no memory for what Chromium writes");
    ssize_t got = read(devtools->in, into->bytes + into->len, PIECE_BYTES);
    if (got > 0) {
        into->len += (size_t)got;
        return OK;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return OK;
    devtools->is_ended = true;
    return OK;
}

static void write_more(struct devtools *devtools)
{
    struct buf *queue = &devtools->queue;
    ssize_t put = write(devtools->out, queue->bytes, queue->len);
    if (put > 0) forget(queue, (size_t)put);
    if (put < 0 && errno != EAGAIN && errno != EINTR) devtools->is_ended = true;
}

Status devtools_next(struct devtools *devtools, int64_t until_ns, Str *ret, Err *err)
{
    *ret = (Str){ 0 };
    while (!take_message(devtools, ret)) {
        if (devtools->is_ended) return err_set(err, ERR_CLOSED, "Chromium has ended");
        int64_t left_ns = until_ns - clock_monotonic_ns(os_clock());
        int wait_ms = left_ns <= 0 ? 0 : left_ns > INT64_C(1000000) * 60000 ? 60000 : (int)(left_ns / 1000000) + 1;
        struct pollfd ends[2] = { { .fd = devtools->in, .events = POLLIN },
                                  { .fd = devtools->queue.len ? devtools->out : -1, .events = POLLOUT } };
        int ready = poll(ends, 2, wait_ms);
        if (ready < 0 && errno != EINTR) return err_set_errno(err, errno, "waiting for Chromium");
        if (ready < 0) return OK;                            /* a signal: the caller looks why */
        Status s = OK;
        if (ends[1].revents) write_more(devtools);
        if (ends[0].revents) s = read_more(devtools, err);
        if (s) return s;
        if (ready == 0 && left_ns <= 0) return OK;
    }
    return OK;
}

Str devtools_method(Str message)
{
    static const Str begin = { "{\"method\":\"", 11 };
    Str rest;
    if (!str_starts(message, begin)) return (Str){ 0 };
    return str_cut(str_slice(message, begin.len, message.len), '"', &rest);
}
