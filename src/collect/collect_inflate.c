/* collect_inflate: gzip and deflate bodies, never larger than LIMIT_BODY_BYTES when inflated: a bomb costs
 * what a plain body of that size costs. A workspace has one z_stream, which is reset for each body, so its 40 KiB are
 * allocated once.
 *
 * The first bytes of a body decide, not its header: some clients send the header with a plain body (a proxy inflated
 * it), some send gzip without saying so. (docs/protocol.md#encodings) */
#include "collect_stations.h"

#include <stdlib.h>
#include <zlib.h>

struct inflater {
    z_stream stream;
};

/* zlib's codes for "gzip or zlib, as the first bytes say", and for "neither, the bare stream" */
enum { ANY_WRAPPING = 15 + 32, NO_WRAPPING = -15 };

struct inflater *inflater_open(void)
{
    struct inflater *inflater = calloc(1, sizeof *inflater);
    if (inflater && inflateInit2(&inflater->stream, ANY_WRAPPING) != Z_OK) {
        free(inflater);
        return NULL;
    }
    return inflater;
}

void inflater_close(struct inflater *inflater)
{
    if (!inflater) return;
    inflateEnd(&inflater->stream);
    free(inflater);
}

/* Inflates all of the input into the room for the output; the caller has set both. */
static Status inflate_all(z_stream *stream, int wrapping, Err *err)
{
    size_t room = stream->avail_out;
    bool is_bare = wrapping == NO_WRAPPING;
    do {                                                     /* one turn for each gzip member */
        if (inflateReset2(stream, wrapping) != Z_OK) return err_set(err, ERR_INPUT, "body: gzip cannot be read");
        int answer = inflate(stream, Z_FINISH);
        if (answer == Z_BUF_ERROR && stream->avail_out == 0)
            return err_set(err, ERR_TOO_LARGE, "body: over %zu bytes when inflated", room - 1);
        if (answer != Z_STREAM_END)
            return err_set(err, ERR_INPUT, "body: %s is %s", is_bare ? "deflate" : "gzip",
                           answer == Z_BUF_ERROR ? "cut short" : "damaged");
        if (is_bare && stream->avail_in > 0)
            return err_set(err, ERR_INPUT, "body: deflate is followed by something else");
    } while (stream->avail_in > 0);
    return OK;
}

static bool begins_as_gzip(Str body)
{
    return body.len >= 2 && (unsigned char)body.bytes[0] == 0x1F && (unsigned char)body.bytes[1] == 0x8B;
}

/* RFC 1950: method 8, and the two bytes as a number are a multiple of 31. No compressor begins a bare stream with them:
 * their first three bits would mean a stored block, whose length the next bytes contradict. */
static bool begins_as_zlib(Str body)
{
    if (body.len < 2) return false;
    unsigned first = (unsigned char)body.bytes[0], second = (unsigned char)body.bytes[1];
    return (first & 15) == 8 && (first << 8 | second) % 31 == 0;
}

static bool begins_as_json(Str body)
{
    Str text = str_trim(str_slice(body, 0, 64));
    return text.len > 0 && (text.bytes[0] == '{' || text.bytes[0] == '[');
}

Status collect_inflate(struct intake *intake, Str *ret_body, Err *err)
{
    const CollectRequest *request = intake->request;
    size_t max = request->is_import ? LIMIT_APPEND_BYTES : LIMIT_BODY_BYTES;
    if (request->body.len > max) return err_set(err, ERR_TOO_LARGE, "body: over %zu bytes", max);
    bool is_packed = request->is_gzip || request->is_deflate;
    if (!begins_as_gzip(request->body) && (!is_packed || begins_as_json(request->body))) {
        *ret_body = request->body;
        return OK;
    }
    char *to = arena_bytes(intake->arena, max + 1 + EVENT_PADDING_BYTES);
    bool is_bare = request->is_deflate && !begins_as_gzip(request->body) && !begins_as_zlib(request->body);
    z_stream *stream = &intake->workspace->inflater->stream;
    stream->next_in = (Bytef *)(uintptr_t)request->body.bytes;        /* zlib's pointer lacks a const; it only reads */
    stream->avail_in = (uInt)request->body.len;
    stream->next_out = (Bytef *)to;
    stream->avail_out = (uInt)(max + 1);
    Status s = inflate_all(stream, is_bare ? NO_WRAPPING : ANY_WRAPPING, err);
    if (s) return s;
    size_t len = (size_t)(stream->next_out - (Bytef *)to);
    if (len > max) return err_set(err, ERR_TOO_LARGE, "body: over %zu bytes when inflated", max);
    *ret_body = (Str){ to, len };
    return OK;
}
