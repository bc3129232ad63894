/* http_answer: a reply becomes the head of an answer. */
#include "http_server_private.h"

#include <stdio.h>
#include <time.h>

static const char *reason_of(unsigned status)
{
    static const struct { unsigned status; const char *reason; } rows[] = {
        { 200, "OK" }, { 204, "No Content" }, { 302, "Found" }, { 303, "See Other" }, { 304, "Not Modified" },
        { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
        { 405, "Method Not Allowed" }, { 408, "Request Timeout" }, { 409, "Conflict" }, { 413, "Content Too Large" },
        { 414, "URI Too Long" }, { 415, "Unsupported Media Type" }, { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" }, { 501, "Not Implemented" },
        { 503, "Service Unavailable" }, { 505, "HTTP Version Not Supported" }, { 201, "Created" }, { 202, "Accepted" },
        { 301, "Moved Permanently" }, { 307, "Temporary Redirect" },
    };
    for (size_t at = 0; at < countof(rows); at++)
        if (rows[at].status == status) return rows[at].reason;
    return "Status";
}

/* Leaves out a value that could end its line, so that no input can forge a header. */
static void put_header(struct buf *out, const char *name, Str value)
{
    if (value.len >= 2048) return;
    for (size_t at = 0; at < value.len; at++) {
        unsigned char c = (unsigned char)value.bytes[at];
        if ((c < ' ' && c != '\t') || c == 0x7f) return;
    }
    buf_str_put(out, str_from(name));
    buf_str_put(out, STR(": "));
    buf_str_put(out, value);
    buf_str_put(out, STR("\r\n"));
}

static void put_number(struct buf *out, const char *name, int64_t number)
{
    buf_str_put(out, str_from(name));
    buf_str_put(out, STR(": "));
    buf_int(out, number);
    buf_str_put(out, STR("\r\n"));
}

static void put_date(struct http_server *server, struct buf *out)
{
    int64_t now_s = clock_now_ms(server->options.clock) / 1000;
    if (now_s != server->date_at_s || !server->date[0]) {
        server->date_at_s = now_s;
        instant_write_http(now_s * SECOND_MS, server->date);
    }
    put_header(out, "Date", str_of(server->date, sizeof server->date));
}

/* Any origin may send (that is what collection is for), but a source may name its origins. The origin is
 * echoed and credentials are allowed, since pages may ask for them (protocol 1.4, 1.5). */
static void put_cors(const struct exchange *exchange, struct buf *out)
{
    int any_origin = ROUTE_COLLECT | ROUTE_PUBLIC;
    if (!exchange->origin.len || !exchange->route || !(exchange->route->flags & any_origin)) return;
    if (exchange->collected.source && !source_allows_origin(exchange->collected.source, exchange->origin)) return;
    put_header(out, "Access-Control-Allow-Origin", exchange->origin);
    put_header(out, "Access-Control-Allow-Credentials", STR("true"));
    put_header(out, "Vary", STR("Origin"));
    put_header(out, "Access-Control-Expose-Headers", STR("Retry-After, X-RateLimit-Reset"));
    if (exchange->method != METHOD_OPTIONS) return;
    put_header(out, "Access-Control-Allow-Methods", STR("GET, POST, HEAD, OPTIONS"));
    put_header(out, "Access-Control-Allow-Headers",
               exchange->request_headers.len ? exchange->request_headers
                                             : STR("Authorization, Content-Type, X-Retry-Count, X-Write-Key"));
    put_header(out, "Access-Control-Max-Age", STR("7200"));
}

static void put_caching(const struct exchange *exchange, struct buf *out)
{
    const Reply *reply = &exchange->reply;
    /* The answer to a POST is not cached unless it asks for that (RFC 9111 4), and if a page never reads the body,
     * "no-store" keeps Chromium from finishing the request: events stay pending until the page unloads. */
    if (reply->cache_control || exchange->method != METHOD_POST)
        put_header(out, "Cache-Control", str_from(reply->cache_control ? reply->cache_control : "no-store"));
    if (reply->etag) put_header(out, "ETag", str_from(reply->etag));
    if (reply->varies) put_header(out, "Vary", str_from(reply->varies));
}

void answer_write_head(struct exchange *exchange, bool closes)
{
    struct http_server *server = exchange->server;
    struct buf *out = &server->head;
    const Reply *reply = &exchange->reply;
    bool has_body = reply->status != 204 && reply->status != 304;
    buf_clear(out);
    buf_str_put(out, STR("HTTP/1.1 "));
    buf_int(out, reply->status);
    buf_char(out, ' ');
    buf_str_put(out, str_from(reason_of(reply->status)));
    buf_str_put(out, STR("\r\n"));
    put_date(server, out);
    if (closes) put_header(out, "Connection", STR("close"));
    if (exchange->stream) {
        if (!exchange->is_1_0) put_header(out, "Transfer-Encoding", STR("chunked"));
        put_header(out, "X-Accel-Buffering", STR("no"));                 /* else nginx would hold it back */
        put_header(out, "Content-Type", str_from(reply->content_type));
    } else if (has_body) {
        put_number(out, "Content-Length", (int64_t)reply->body.len);
        put_header(out, "Content-Type", str_from(reply->content_type ? reply->content_type : "application/json"));
    }
    put_caching(exchange, out);
    put_header(out, "X-Content-Type-Options", STR("nosniff"));
    if (reply->policy) put_header(out, "Content-Security-Policy", str_from(reply->policy));
    if (reply->is_apart) {
        put_header(out, "Referrer-Policy", STR("no-referrer"));
        put_header(out, "Cross-Origin-Opener-Policy", STR("same-origin"));
    }
    if (reply->is_apart || (exchange->route && exchange->route->flags & ROUTE_SECRET))
        put_header(out, "Cross-Origin-Resource-Policy", STR("same-origin"));
    if (reply->location) put_header(out, "Location", str_from(reply->location));
    for (size_t at = 0; at < reply->cookie_count; at++)
        put_header(out, "Set-Cookie", str_from(exchange->answer.bytes + reply->cookie_at[at]));
    if (reply->encoding) put_header(out, "Content-Encoding", str_from(reply->encoding));
    /* Never Basic: a browser that asked its user for it would send it along with any page's requests. */
    if (reply->asks_for_key) put_header(out, "WWW-Authenticate", STR("Bearer realm=\"onym\""));
    if (reply->retry_after_ms) {
        put_number(out, "Retry-After", (reply->retry_after_ms + 999) / 1000);
        put_number(out, "X-RateLimit-Reset", (reply->retry_after_ms + 999) / 1000);
    }
    if (exchange->route && exchange->route->flags & ROUTE_PROFILE) {
        char request_id[36];
        dice_uuid(os_dice(), request_id);
        put_header(out, "Request-Id", str_of(request_id, sizeof request_id));
    }
    if (exchange->route && exchange->route->flags & (ROUTE_COLLECT | ROUTE_PUBLIC))
        put_header(out, "Cross-Origin-Resource-Policy", STR("cross-origin"));
    put_cors(exchange, out);
    buf_str_put(out, STR("\r\n"));
}
