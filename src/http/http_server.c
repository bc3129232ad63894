/* http_server: the only file that knows libmicrohttpd.
 *
 * The life of a request, in the order of the functions below:
 *   exchange_begin      the request line is there: an exchange is taken from the pool
 *   exchange_head       the head is complete: route, limits, permission; a refusal is answered at once
 *   exchange_body       body bytes arrive, bounded by LIMIT_BODY_BYTES and the server's body memory
 *   exchange_handle     the request is complete: its handler replies, or submits records and waits suspended
 *   exchange_wake       its records are durable (called by the committer): onto the done list
 *   exchange_queue      the reply goes to the library; exchange_end gives the exchange back to the pool
 *
 * The daemon runs in external epoll mode: http_server_step polls its epoll descriptor and our wake
 * descriptor, runs it, commits where this server is the committer, and resumes what is durable. */
#include "http_exchange.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTION_POOL_BYTES = 20 * 1024,      /* of a connection: a URL of 15 KiB fits; zeroed at every request */
    POOLED_BODY_BYTES = 64 * 1024,          /* larger body buffers are not kept for the next request */
    POOLED_EXCHANGES = 1024,
    INLINE_ROUNDS = 64,                     /* commits in one step, before it looks at its other duties */
    GATHER_ROUNDS = 8,                      /* looks for more requests before a commit */
    ARENA_BYTES = 64 * 1024 * 1024,         /* of address space, for what a handler needs besides */
    ARENA_KEEP_BYTES = 256 * 1024,
    GLANCE_MS = 100,                        /* how often it is looked whether those who wait for a worker are there */
    FORGOTTEN_BYTES = 16 * 1024 * 1024,     /* of a refused body that are read so that its reason arrives */
};

/* One client connection, kept for the sweep that closes those that never finish a request. */
struct client {
    struct client *before, *after;
    int socket;
    int64_t waiting_since_ns;               /* when its last answer was done, or when it came */
    char ip[INET6_ADDRSTRLEN];
};

struct http_server {
    HttpOptions options;
    struct MHD_Daemon *daemon;
    struct collect_worker *worker;
    int epoll, wake, listener;
    struct region region;
    Arena arena;
    struct client clients;                  /* ring; the longest waiting first */
    struct exchange *free_exchanges;
    struct exchange *working;               /* given to worker threads; linked both ways */
    size_t free_exchange_count, busy_count, body_bytes;
    struct journal_append *free_append;     /* linked by next */
    size_t free_append_count;
    size_t submitted_count;                 /* since the last commit of ours */
    _Atomic(struct exchange *) done;        /* durable or failed, pushed by the committer */
    atomic_bool wake_pending;
    int64_t swept_at_ns, glanced_at_ns;
    struct MHD_Response *success;           /* the one answer that is made once and sent for ever */
    bool is_quiesced;
};

const HttpOptions *exchange_options(const struct exchange *exchange) { return &exchange->server->options; }
struct collect_worker *exchange_worker(struct exchange *exchange) { return exchange->server->worker; }
Arena *exchange_arena(struct exchange *exchange) { return &exchange->server->arena; }

/* ---- Pools ---- */

static struct exchange *exchange_take(struct http_server *server)
{
    struct exchange *exchange = server->free_exchanges;
    if (exchange) {
        server->free_exchanges = exchange->next;
        server->free_exchange_count--;
        struct buf body = exchange->body, answer = exchange->answer;
        memset(exchange, 0, sizeof *exchange);
        exchange->body = body;
        exchange->answer = answer;
        buf_clear(&exchange->body);
        buf_clear(&exchange->answer);
    } else {
        if (!(exchange = calloc(1, sizeof *exchange))) return NULL;
        buf_init(&exchange->body, LIMIT_BODY_BYTES + EVENT_PADDING_BYTES);
        buf_init(&exchange->answer, LIMIT_ANSWER_BYTES);
    }
    exchange->server = server;
    return exchange;
}

static void exchange_free(struct exchange *exchange)
{
    buf_done(&exchange->body);
    buf_done(&exchange->answer);
    free(exchange);
}

static void append_give(struct http_server *server, struct journal_append *append)
{
    if (append->frames.capacity > 4 * POOLED_BODY_BYTES || server->free_append_count >= POOLED_EXCHANGES) {
        journal_append_done(append);
        free(append);
        return;
    }
    append->next = server->free_append;
    server->free_append = append;
    server->free_append_count++;
}

static void exchange_give(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    server->body_bytes -= exchange->body_charged_bytes;
    if (exchange->append) append_give(server, exchange->append);
    free(exchange->target);
    exchange->target = NULL;
    exchange->append = NULL;
    if (exchange->body.capacity > POOLED_BODY_BYTES) buf_done(&exchange->body);
    if (exchange->answer.capacity > POOLED_BODY_BYTES) buf_done(&exchange->answer);
    if (server->free_exchange_count >= POOLED_EXCHANGES) {
        exchange_free(exchange);
        return;
    }
    exchange->next = server->free_exchanges;
    server->free_exchanges = exchange;
    server->free_exchange_count++;
}

static struct client *exchange_client(const struct exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void server_forget_working(struct exchange *exchange)
{
    struct exchange *before = exchange->working_before, *after = exchange->working_after;
    if (before) before->working_after = after;
    else exchange->server->working = after;
    if (after) after->working_before = before;
}

/* ---- Waiting for the journal ---- */

/* Puts an exchange onto the done list; it is the server's from then on. True where the list was empty. */
static bool server_push_done(struct http_server *server, struct exchange *exchange)
{
    struct exchange *head = atomic_load_explicit(&server->done, memory_order_relaxed);
    do exchange->next = head;
    while (!atomic_compare_exchange_weak_explicit(&server->done, &head, exchange, memory_order_release,
                                                  memory_order_relaxed));
    return head == NULL;
}

/* On the committer's thread, which may be the server's own: then the drain after the commit is enough. */
static void exchange_wake(struct journal_append *append, Status status, JournalPos first)
{
    struct exchange *exchange = append->owner;
    struct http_server *server = exchange->server;
    (void)first;
    exchange->committed = status;
    if (server_push_done(server, exchange) && !server->options.commits_inline) http_server_wake(server);
}

void exchange_hand_back(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    if (server_push_done(server, exchange)) http_server_wake(server);
}

struct journal_append *exchange_take_append(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    struct journal_append *append = server->free_append;
    if (append) {
        server->free_append = append->next;
        server->free_append_count--;
        journal_append_clear(append);
    } else {
        append = calloc(1, sizeof *append);
        check(append != NULL);
        journal_append_init(append, LIMIT_APPEND_BYTES);
    }
    append->on_durable = exchange_wake;
    append->owner = exchange;
    return append;
}

void exchange_submit(struct exchange *exchange)
{
    Err err;
    exchange->state = EXCHANGE_WAITING;
    exchange->server->submitted_count++;
    Status s = journal_submit(exchange->server->options.journal, exchange->append, &err);
    if (s) reply_error(exchange, s, &err);
}

/* ---- Waiting for a worker ---- */

void exchange_defer(struct exchange *exchange, ExchangeWork *work)
{
    struct http_server *server = exchange->server;
    exchange->state = EXCHANGE_WORKING;
    exchange->is_deferred = true;
    exchange->work = work;
    exchange->working_before = NULL;
    exchange->working_after = server->working;
    if (server->working) server->working->working_before = exchange;
    server->working = exchange;
    if (http_jobs_submit(server->options.jobs, exchange)) return;
    Err err;
    server_forget_working(exchange);
    exchange->is_deferred = false;
    exchange->work = NULL;
    err_set(&err, ERR_TIMEOUT, "too many queries are waiting; try again in a moment");
    reply_error(exchange, ERR_TIMEOUT, &err);
}

/* A suspended connection does not hear its client leave; a glance at the socket, some times a second, does. */
static void server_cancel_left(struct http_server *server)
{
    int64_t now_ns = clock_monotonic_ns(server->options.clock);
    if (!server->working || now_ns - server->glanced_at_ns < GLANCE_MS * INT64_C(1000000)) return;
    server->glanced_at_ns = now_ns;
    for (struct exchange *exchange = server->working; exchange; exchange = exchange->working_after) {
        struct client *client = exchange_client(exchange);
        if (!client || client->socket < 0) continue;
        struct pollfd polled = { client->socket, POLLRDHUP, 0 };         /* seen behind unread bytes and TLS, too */
        if (poll(&polled, 1, 0) == 1 && polled.revents & (POLLRDHUP | POLLHUP | POLLERR))
            atomic_store_explicit(&exchange->is_cancelled, true, memory_order_relaxed);
    }
}

/* Resumes every exchange whose records are on disk. True where there was one. */
static bool server_drain(struct http_server *server)
{
    struct exchange *exchange = atomic_exchange_explicit(&server->done, NULL, memory_order_acquire);
    bool any = exchange != NULL;
    while (exchange) {
        struct exchange *next = exchange->next;
        bool is_suspended = exchange->is_deferred || !server->options.commits_inline;
        if (exchange->is_deferred) server_forget_working(exchange);
        else if (server->options.site) http_site_durable(exchange, exchange->committed);
        else http_track_durable(exchange, exchange->committed);
        check(exchange->state == EXCHANGE_ANSWERED);
        exchange->is_deferred = false;
        if (exchange->append) append_give(server, exchange->append);
        exchange->append = NULL;
        if (is_suspended) MHD_resume_connection(exchange->connection);
        exchange = next;
    }
    return any;
}

/* ---- One request ---- */

static void *exchange_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *server = context;
    struct exchange *exchange = exchange_take(server);
    if (!exchange) return NULL;
    exchange->connection = connection;
    Str whole = str_from(uri);
    Str rest, scheme = str_cut(whole, ':', &rest);            /* absolute-form is a target, too: RFC 9112 3.2.2 */
    if ((str_equal_no_case(scheme, STR("http")) || str_equal_no_case(scheme, STR("https"))) &&
        str_starts(rest, STR("//"))) {
        (void)str_cut(str_slice(rest, 2, rest.len), '/', &whole);
        whole = whole.len ? str_of(whole.bytes - 1, whole.len + 1) : STR("/");
    }
    if (whole.len > LIMIT_URL_BYTES || !(exchange->target = strndup(whole.bytes, whole.len))) {
        exchange->path = STR("");                       /* finds no route */
        return exchange;
    }
    exchange->path = str_cut(str_of(exchange->target, whole.len), '?', &exchange->query);
    return exchange;
}

static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct exchange *exchange = context;
    const struct { Str name; Str *at; } wanted[] = {
        { STR("authorization"), &exchange->authorization },
        { STR("content-encoding"), &exchange->content_encoding },
        { STR("content-length"), &exchange->content_length },
        { STR("origin"), &exchange->origin },
        { STR("user-agent"), &exchange->user_agent },
        { STR("host"), &exchange->host },
        { STR("x-write-key"), &exchange->header_key },
        { STR("x-forwarded-for"), &exchange->forwarded_for },
        { STR("x-forwarded-proto"), &exchange->forwarded_proto },
        { STR("accept-encoding"), &exchange->accept_encoding },
        { STR("if-none-match"), &exchange->if_none_match },
        { STR("access-control-request-headers"), &exchange->request_headers },
        { STR("x-onym-import"), &exchange->import_header },
        { STR("cookie"), &exchange->cookie },
    };
    (void)kind;
    Str have = str_from(name);
    if (str_equal_no_case(have, STR("content-length")) && exchange->content_length.len &&
        !str_equal(exchange->content_length, str_trim(str_from(value))))
        exchange->is_ambiguous = true;
    if (str_equal_no_case(have, STR("transfer-encoding"))) exchange->has_transfer_encoding = true;
    for (size_t at = 0; at < countof(wanted); at++)
        if (have.len == wanted[at].name.len && str_equal_no_case(have, wanted[at].name)) {
            *wanted[at].at = str_trim(str_from(value));
            break;
        }
    return MHD_YES;
}

static void exchange_find_ip(struct exchange *exchange)
{
    const HttpOptions *options = &exchange->server->options;
    struct client *client = exchange_client(exchange);
    Str peer = str_from(client ? client->ip : "");
    bool is_trusted = proxy_is_trusted(options->trusted_proxies, options->trusted_proxy_count, peer);
    if (!is_trusted) exchange->forwarded_proto = (Str){ 0 };
    if (options->drops_ip) return;
    exchange->ip = is_trusted ? proxy_find_client(options->trusted_proxies, options->trusted_proxy_count, peer,
                                                  exchange->forwarded_for)
                              : peer;
}

static Status exchange_check_head(struct exchange *exchange, Err *err)
{
    struct http_server *server = exchange->server;
    bool is_known_path;
    int64_t length = 0;
    /* Framing that two servers could read differently is how requests are smuggled past a proxy: refused, and
     * the connection closed, so that nothing behind it is taken for a request (RFC 9112 6.3). */
    if (exchange->is_ambiguous || (exchange->has_transfer_encoding && exchange->content_length.len)) {
        exchange->is_ambiguous = true;
        return err_set(err, ERR_INPUT, "Content-Length is given twice, or together with Transfer-Encoding");
    }
    exchange->route = server->options.site
                          ? http_site_route(exchange->method, exchange->path, &is_known_path)
                          : route_find(exchange->method, exchange->path, &exchange->parameter, &is_known_path);
    if (!exchange->route && is_known_path) {
        err_set(err, ERR_UNSUPPORTED, "this path is served, but not with this method");
        return ERR_UNSUPPORTED;
    }
    if (!exchange->route) return err_set(err, ERR_NOT_FOUND, "there is nothing at this path");
    if (exchange->content_length.len && !str_parse_int(exchange->content_length, 0, INT64_MAX, &length))
        return err_set(err, ERR_INPUT, "Content-Length is not a number");
    if (length > LIMIT_BODY_BYTES)
        return err_set(err, ERR_TOO_LARGE, "Exceed payload limit: a body may have %d bytes; send smaller batches",
                       LIMIT_BODY_BYTES);
    if (server->body_bytes + (size_t)length > server->options.body_memory_bytes) {
        health_add(server->options.health, COUNT_BODIES_SHED, 1);
        return err_set(err, ERR_TIMEOUT, "too many bodies in flight at the moment; try again");
    }
    return OK;
}

static void exchange_head(struct exchange *exchange, const char *method)
{
    Err err;
    exchange->method = method_from(method);
    exchange->state = EXCHANGE_BODY;
    exchange->is_tls = exchange->server->options.tls_certificate_pem != NULL;
    exchange->began_ns = clock_monotonic_ns(exchange->server->options.clock);
    exchange->server->busy_count++;
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, take_header, exchange);
    exchange_find_ip(exchange);
    Status s = exchange_check_head(exchange, &err);
    if (s) {
        reply_error(exchange, s, &err);
        if (s == ERR_UNSUPPORTED) exchange->reply.status = 405;
    }
}

/* A refused body is not kept until its end. */
static void exchange_shed(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    Err err;
    health_add(server->options.health, COUNT_BODIES_SHED, 1);
    server->body_bytes -= exchange->body_charged_bytes;
    exchange->body_charged_bytes = 0;
    buf_done(&exchange->body);
    err_set(&err, ERR_TIMEOUT, "too many bodies in flight at the moment; try again");
    reply_error(exchange, ERR_TIMEOUT, &err);
}

/* Takes body bytes. False where the connection should be dropped. */
static bool exchange_body(struct exchange *exchange, const char *bytes, size_t count)
{
    struct http_server *server = exchange->server;
    Err err;
    if (exchange->state != EXCHANGE_BODY) {                               /* refused already: read and forget */
        exchange->forgotten_bytes += count;
        return exchange->forgotten_bytes <= FORGOTTEN_BYTES;
    }
    if (exchange->body.len + count > LIMIT_BODY_BYTES) {
        err_set(&err, ERR_TOO_LARGE, "Exceed payload limit: a body may have %d bytes; send smaller batches",
                LIMIT_BODY_BYTES);
        reply_error(exchange, ERR_TOO_LARGE, &err);
        return true;
    }
    if (server->body_bytes + count > server->options.body_memory_bytes) {
        exchange_shed(exchange);
        return true;
    }
    if (exchange->body.len == 0) {
        int64_t length;                                                    /* known beforehand: one allocation */
        if (str_parse_int(exchange->content_length, 0, LIMIT_BODY_BYTES, &length) &&
            (size_t)length <= count * 4 + 4096)
            (void)buf_reserve(&exchange->body, (size_t)length + EVENT_PADDING_BYTES);
    }
    buf_put(&exchange->body, bytes, count);
    exchange->body_charged_bytes += count;
    server->body_bytes += count;
    int64_t age_ns = clock_monotonic_ns(server->options.clock) - exchange->began_ns;
    return buf_ok(&exchange->body) && age_ns < server->options.request_timeout_ms * 1000000;
}

/* Reading and administering need the secret key, as Bearer or as Basic's user name. */
static bool exchange_may(struct exchange *exchange)
{
    Str secret = exchange->server->options.secret_key;
    if (!(exchange->route->flags & ROUTE_SECRET)) return true;
    Str key = collect_key_of_authorization(exchange->authorization, exchange_arena(exchange));
    if (secret.len && key.len && str_equal_constant_time(key, secret)) return true;
    Err err;
    err_set(&err, ERR_DENIED, "this needs the secret key, as Authorization: Bearer; onym keys --secret shows it");
    reply_error(exchange, ERR_DENIED, &err);
    return false;
}

static void exchange_handle(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    health_add(server->options.health, COUNT_BODY_BYTES, exchange->body.len);
    server->arena = region_arena(&server->region);
    if (!buf_reserve(&exchange->body, EVENT_PADDING_BYTES)) {
        Err err;
        err_set(&err, ERR_TOO_LARGE, "no memory for this body");
        reply_error(exchange, ERR_TOO_LARGE, &err);
        return;
    }
    memset(exchange->body.bytes + exchange->body.len, 0, EVENT_PADDING_BYTES);
    if (exchange->method == METHOD_OPTIONS) http_preflight(exchange);
    else if (exchange_may(exchange)) exchange->route->handle(exchange);
    check(exchange->is_deferred || exchange->state == EXCHANGE_ANSWERED || exchange->state == EXCHANGE_WAITING);
    size_t used_bytes = (size_t)(server->arena.at - server->region.start);
    if (used_bytes > ARENA_KEEP_BYTES) region_trim(&server->region, ARENA_KEEP_BYTES);
}

/* ---- The reply ---- */

static void put_header(struct MHD_Response *response, const char *name, Str value)
{
    char text[2048];
    if (value.len >= sizeof text || memchr(value.bytes, '\n', value.len) || memchr(value.bytes, '\r', value.len))
        return;
    memcpy(text, value.bytes, value.len);
    text[value.len] = 0;
    (void)MHD_add_response_header(response, name, text);      /* fails without memory only: one header less */
}

/* Any origin may send (that is what collection is for), but a source may name its origins. The origin is
 * echoed and credentials are allowed, since pages may ask for them (protocol 1.4, 1.5). */
static void put_cors(const struct exchange *exchange, struct MHD_Response *response)
{
    int any_origin = ROUTE_COLLECT | ROUTE_PUBLIC;
    if (!exchange->origin.len || !exchange->route || !(exchange->route->flags & any_origin)) return;
    if (exchange->collected.source && !source_allows_origin(exchange->collected.source, exchange->origin)) return;
    put_header(response, "Access-Control-Allow-Origin", exchange->origin);
    put_header(response, "Access-Control-Allow-Credentials", STR("true"));
    put_header(response, "Vary", STR("Origin"));
    put_header(response, "Access-Control-Expose-Headers", STR("Retry-After, X-RateLimit-Reset"));
    if (exchange->method != METHOD_OPTIONS) return;
    put_header(response, "Access-Control-Allow-Methods", STR("GET, POST, HEAD, OPTIONS"));
    put_header(response, "Access-Control-Allow-Headers",
               exchange->request_headers.len ? exchange->request_headers
                                             : STR("Authorization, Content-Type, X-Retry-Count, X-Write-Key"));
    put_header(response, "Access-Control-Max-Age", STR("7200"));
}

static struct MHD_Response *exchange_response(struct exchange *exchange)
{
    const Reply *reply = &exchange->reply;
    char number[24];
    /* The body is static or the exchange's, which outlives the response: exchange_end comes after it was sent. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply->body.len, (void *)(uintptr_t)reply->body.bytes, MHD_RESPMEM_PERSISTENT);
    if (!response) return NULL;
    if (reply->status != 204)
        put_header(response, "Content-Type", str_from(reply->content_type ? reply->content_type : "application/json"));
    /* No answer to a POST is cached without being asked for (RFC 9111 4), and "no-store" on one whose body the
     * page never reads keeps Chromium from finishing the request: events stay pending until the page unloads. */
    if (reply->cache_control || exchange->method != METHOD_POST)
        put_header(response, "Cache-Control", str_from(reply->cache_control ? reply->cache_control : "no-store"));
    if (exchange->is_ambiguous) put_header(response, "Connection", STR("close"));
    put_header(response, "X-Content-Type-Options", STR("nosniff"));
    if (reply->etag) put_header(response, "ETag", str_from(reply->etag));
    if (reply->location) put_header(response, "Location", str_from(reply->location));
    if (reply->varies) put_header(response, "Vary", str_from(reply->varies));
    for (size_t at = 0; at < reply->cookie_count; at++)
        put_header(response, "Set-Cookie", str_from(exchange->answer.bytes + reply->cookie_at[at]));
    if (reply->is_gzip) put_header(response, "Content-Encoding", STR("gzip"));
    if (reply->asks_for_key) put_header(response, "WWW-Authenticate", STR("Basic realm=\"onym\""));
    if (reply->retry_after_ms) {
        snprintf(number, sizeof number, "%lld", (long long)((reply->retry_after_ms + 999) / 1000));
        put_header(response, "Retry-After", str_from(number));
        put_header(response, "X-RateLimit-Reset", str_from(number));
    }
    put_cors(exchange, response);
    return response;
}

static void count_answer(const struct exchange *exchange)
{
    unsigned status = exchange->reply.status;
    struct health *health = exchange->server->options.health;
    health_add(health, COUNT_REQUESTS, 1);
    health_add(health, status < 400 ? COUNT_ANSWERS_2XX : status < 500 ? COUNT_ANSWERS_4XX : COUNT_ANSWERS_5XX, 1);
}

static enum MHD_Result exchange_queue(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    const Reply *reply = &exchange->reply;
    count_answer(exchange);
    exchange->state = EXCHANGE_QUEUED;
    bool is_plain = reply->status == 200 && !exchange->origin.len && !reply->content_type && !reply->cookie_count &&
                    str_equal(reply->body, STR("{\"success\":true}"));
    if (is_plain) return MHD_queue_response(exchange->connection, 200, server->success);
    struct MHD_Response *response = exchange_response(exchange);
    if (!response) return MHD_NO;
    enum MHD_Result queued = MHD_queue_response(exchange->connection, reply->status, response);
    MHD_destroy_response(response);
    return queued;
}

/* ---- What the library calls ---- */

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload, size_t *upload_bytes,
                                  void **exchange_slot)
{
    struct exchange *exchange = *exchange_slot;
    (void)context, (void)connection, (void)url, (void)version;
    if (!exchange) return MHD_NO;                                          /* no memory for an exchange */
    if (exchange->state == EXCHANGE_HEAD) {
        exchange_head(exchange, method);
        /* A refusal waits for the body to pass: answered before, the library would close the connection
         * unread, and many clients would see a broken pipe in place of the reason. */
        return MHD_YES;
    }
    if (*upload_bytes) {
        bool is_fine = exchange_body(exchange, upload, *upload_bytes);
        *upload_bytes = 0;
        return is_fine ? MHD_YES : MHD_NO;
    }
    if (exchange->state == EXCHANGE_BODY) exchange_handle(exchange);
    /* A worker that has the exchange may be writing its state and reply: only is_deferred is ours to look at.
     * Where this thread commits, the answer comes before the library runs again: it asks once more by itself,
     * which saves a suspension's two epoll_ctl a request. */
    bool is_inline = exchange->server->options.commits_inline;
    if (!exchange->is_deferred && exchange->state == EXCHANGE_WAITING && is_inline) return MHD_YES;
    if (exchange->is_deferred || exchange->state == EXCHANGE_WAITING) {
        MHD_suspend_connection(connection);
        return MHD_YES;
    }
    return exchange_queue(exchange);
}

static void exchange_end(void *context, struct MHD_Connection *connection, void **exchange_slot,
                         enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *exchange_slot;
    struct http_server *server = context;
    (void)connection, (void)code;
    if (!exchange) return;
    struct client *client = exchange_client(exchange);
    if (client) {                                                          /* to the end of the ring: waits anew */
        client->waiting_since_ns = clock_monotonic_ns(server->options.clock);
        client->before->after = client->after;
        client->after->before = client->before;
        client->before = server->clients.before;
        client->after = &server->clients;
        client->before->after = client->after->before = client;
    }
    if (exchange->state != EXCHANGE_HEAD) server->busy_count--;
    *exchange_slot = NULL;
    exchange_give(exchange);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **client_slot,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = context;
    struct client *client = *client_slot;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (!client) return;
        client->before->after = client->after;
        client->after->before = client->before;
        free(client);
        *client_slot = NULL;
        return;
    }
    if (!(client = calloc(1, sizeof *client))) return;                     /* served, only not swept */
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    proxy_format_address(info ? info->client_addr : NULL, client->ip);
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    client->socket = info ? info->connect_fd : -1;
    client->waiting_since_ns = clock_monotonic_ns(server->options.clock);
    client->before = server->clients.before;
    client->after = &server->clients;
    client->before->after = client->after->before = client;
    *client_slot = client;
    health_add(server->options.health, COUNT_CONNECTIONS, 1);
}

/* Once a second: connections that trickle a request for longer than the request timeout are cut off. The
 * library's own timeout sees silence only; a byte every few seconds would hold a place for ever. */
static void server_sweep(struct http_server *server)
{
    int64_t now_ns = clock_monotonic_ns(server->options.clock);
    if (now_ns - server->swept_at_ns < 1000000000) return;
    server->swept_at_ns = now_ns;
    int64_t limit_ns = server->options.request_timeout_ms * 1000000;
    for (struct client *client = server->clients.after; client != &server->clients; client = client->after) {
        if (now_ns - client->waiting_since_ns < limit_ns) break;
        if (client->socket < 0) continue;
        shutdown(client->socket, SHUT_RDWR);                               /* the library notices and closes */
        client->socket = -1;
        health_add(server->options.health, COUNT_CONNECTIONS_SHED, 1);
    }
}

/* ---- Opening, stepping, closing ---- */

static void apply_defaults(HttpOptions *options)
{
    if (!options->connection_limit) options->connection_limit = 16384;
    if (!options->body_memory_bytes) options->body_memory_bytes = 256 * 1024 * 1024;
    if (!options->idle_timeout_ms) options->idle_timeout_ms = 60000;
    if (!options->request_timeout_ms) options->request_timeout_ms = 120000;
}

static void start_daemon(struct http_server *server)
{
    const HttpOptions *options = &server->options;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)options->tls_certificate_pem },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)options->tls_key_pem },
        { MHD_OPTION_END, 0, NULL },
    };
    if (options->tls_certificate_pem) flags |= MHD_USE_TLS;
    else tls[0] = tls[2];
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server,
        MHD_OPTION_LISTEN_SOCKET, server->listener,
        MHD_OPTION_CONNECTION_LIMIT, options->connection_limit,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(options->idle_timeout_ms / 1000),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_POOL_BYTES,
        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)4096,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, server,
        MHD_OPTION_NOTIFY_COMPLETED, exchange_end, server,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_ARRAY, tls,
        MHD_OPTION_END);
}

Status http_server_open(const HttpOptions *options, int listener, struct http_server **ret, Err *err)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (!server) return err_set(err, ERR_IO, "http: no memory for a server");
    server->options = *options;
    server->listener = listener;
    apply_defaults(&server->options);
    server->clients.before = server->clients.after = &server->clients;
    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    check(server->wake >= 0);
    region_open(&server->region, ARENA_BYTES);
    static char success[] = "{\"success\":true}";
    server->success = MHD_create_response_from_buffer(strlen(success), success, MHD_RESPMEM_PERSISTENT);
    check(server->success != NULL);
    put_header(server->success, "Content-Type", STR("application/json"));
    Status s = collect_worker_open(options->collector, &server->worker, err);
    if (!s) {
        start_daemon(server);
        if (!server->daemon)
            s = options->tls_certificate_pem
                    ? err_set(err, ERR_INPUT, "the TLS certificate and the key do not belong together, or are damaged")
                    : err_set(err, ERR_IO, "http: the server library did not start");
    }
    if (s) {
        http_server_close(server);
        return s;
    }
    server->epoll = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    *ret = server;
    return OK;
}

static void server_wait(struct http_server *server, Millis timeout_ms)
{
    struct pollfd polled[] = { { server->epoll, POLLIN, 0 }, { server->wake, POLLIN, 0 } };
    MHD_UNSIGNED_LONG_LONG library_ms;
    if (MHD_get_timeout(server->daemon, &library_ms) == MHD_YES && library_ms < (unsigned long long)timeout_ms)
        timeout_ms = (Millis)library_ms;
    if (server->working && timeout_ms > GLANCE_MS) timeout_ms = GLANCE_MS;
    int count = poll(polled, 2, (int)timeout_ms);
    if (count > 0 && (polled[1].revents & POLLIN)) {
        uint64_t drained;
        while (read(server->wake, &drained, sizeof drained) > 0) continue;
    }
    (void)atomic_exchange_explicit(&server->wake_pending, false, memory_order_acq_rel);
}

/* Where this server is the committer: all that was submitted, so that no exchange waits for the journal while
 * the library runs, which could close its connection. A failed commit is heard by each of its requests and
 * seen in the statistics. True where there was something. */
static bool server_commit(struct http_server *server)
{
    struct journal *journal = server->options.journal;
    if (!server->options.commits_inline || !journal_wait_submitted(journal, 0)) return false;
    do IGNORE(journal_commit(journal, NULL, NULL));
    while (journal_wait_submitted(journal, 0));
    server->submitted_count = 0;
    (void)server_drain(server);
    return true;
}

/* Lets the library work. Where this server is the committer, for as long as that brings notably more requests
 * to share the commit: clients that were answered just now send their next while the others are answered. A
 * look costs a microsecond, a commit a hundred. With 64 connections it nearly
 * doubled the requests of a commit. */
static void server_run(struct http_server *server)
{
    size_t before;
    int rounds = server->options.commits_inline ? GATHER_ROUNDS : 1;
    do {
        before = server->submitted_count;
        MHD_run(server->daemon);
    } while (--rounds > 0 && server->submitted_count - before > before / 8);
}

void http_server_step(struct http_server *server, Millis timeout_ms)
{
    server_wait(server, timeout_ms);
    server_run(server);
    for (int round = 0; round < INLINE_ROUNDS && server_commit(server); round++) server_run(server);
    (void)server_commit(server);
    if (server_drain(server)) MHD_run(server->daemon);
    server_cancel_left(server);
    server_sweep(server);
}

void http_server_wake(struct http_server *server)
{
    if (atomic_exchange_explicit(&server->wake_pending, true, memory_order_acq_rel)) return;
    uint64_t one = 1;
    check(write(server->wake, &one, sizeof one) == sizeof one);
}

void http_server_quiesce(struct http_server *server)
{
    if (server->is_quiesced) return;
    server->is_quiesced = true;
    int listener = MHD_quiesce_daemon(server->daemon);
    if (listener >= 0) close(listener);
    for (struct exchange *exchange = server->working; exchange; exchange = exchange->working_after)
        atomic_store_explicit(&exchange->is_cancelled, true, memory_order_relaxed);
}

size_t http_server_busy_count(const struct http_server *server) { return server->busy_count; }

void http_server_close(struct http_server *server)
{
    if (!server) return;
    if (!server->daemon) close(server->listener);
    else if (server->busy_count == 0) MHD_stop_daemon(server->daemon);
    else return;          /* a query outlived the grace time; the library cannot stop under it, the process ends */
    if (server->success) MHD_destroy_response(server->success);
    collect_worker_close(server->worker);
    while (server->free_exchanges) {
        struct exchange *exchange = server->free_exchanges;
        server->free_exchanges = exchange->next;
        exchange_free(exchange);
    }
    while (server->free_append) {
        struct journal_append *append = server->free_append;
        server->free_append = append->next;
        journal_append_done(append);
        free(append);
    }
    if (server->wake > 0) close(server->wake);
    region_close(&server->region);
    free(server);
}
