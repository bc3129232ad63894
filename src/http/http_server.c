/* http_server: what happens to requests, from their head to their answer.
 *
 * The life of a request, in the order of the functions below (http_connection.c calls those named server_):
 *   server_begin_exchange   the head is there: an exchange is taken from the pool; route, limits, permission
 *   server_take_body        body bytes arrive, bounded by LIMIT_BODY_BYTES and the server's body memory
 *   server_handle           the request is whole: its handler replies, or submits records and waits
 *   exchange_wake           its records are durable (the committer calls it): it goes onto the done list
 *   connection_answer       the reply is sent; server_end_exchange gives the exchange back to the pool
 *
 * http_server_step serves what its sockets have, commits if this server is the committer, and answers what is
 * durable. */
#include "http_server_private.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    POOLED_BODY_BYTES = 64 * 1024,          /* larger body buffers are freed after the request */
    POOLED_EXCHANGES = 1024,
    INLINE_ROUNDS = 64,                     /* commits in one step, before it looks at its other duties */
    GATHER_ROUNDS = 8,                      /* how often it looks for more requests before a commit */
    ARENA_BYTES = 64 * 1024 * 1024,         /* of address space, for what a handler needs besides */
    ARENA_KEEP_BYTES = 256 * 1024,
};

const HttpOptions *exchange_options(const struct exchange *exchange) { return &exchange->server->options; }
const void *exchange_context(const struct exchange *exchange) { return exchange->server->options.context; }
struct collect_workspace *exchange_workspace(struct exchange *exchange) { return exchange->server->workspace; }
Arena *exchange_arena(struct exchange *exchange) { return &exchange->server->arena; }

/* ---- Pools ---- */

static struct exchange *exchange_take(struct http_server *server)
{
    struct exchange *exchange = server->free_exchanges;
    if (exchange) {
        server->free_exchanges = exchange->next;
        server->free_exchange_count--;
        struct buf head = exchange->head, body = exchange->body, answer = exchange->answer;
        memset(exchange, 0, sizeof *exchange);
        exchange->head = head;
        exchange->body = body;
        exchange->answer = answer;
        buf_clear(&exchange->head);
        buf_clear(&exchange->body);
        buf_clear(&exchange->answer);
    } else {
        if (!(exchange = calloc(1, sizeof *exchange))) return NULL;
        buf_init(&exchange->head, LIMIT_HEADER_BYTES);
        buf_init(&exchange->body, LIMIT_BODY_BYTES + EVENT_PADDING_BYTES);
        buf_init(&exchange->answer, LIMIT_ANSWER_BYTES);
    }
    exchange->server = server;
    return exchange;
}

static void exchange_free(struct exchange *exchange)
{
    buf_done(&exchange->head);
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
    exchange->append = NULL;
    if (exchange->head.capacity > POOLED_BODY_BYTES / 8) buf_done(&exchange->head);
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

static void server_forget_working(struct exchange *exchange)
{
    struct exchange *before = exchange->working_before, *after = exchange->working_after;
    if (before) before->working_after = after;
    else exchange->server->working = after;
    if (after) after->working_before = before;
}

/* ---- Waiting for the journal ---- */

/* Puts an exchange onto the done list; from then on it belongs to the server. True: the list was empty. */
static bool server_push_done(struct http_server *server, struct exchange *exchange)
{
    struct exchange *head = atomic_load_explicit(&server->done, memory_order_relaxed);
    do exchange->next = head;
    while (!atomic_compare_exchange_weak_explicit(&server->done, &head, exchange, memory_order_release,
                                                  memory_order_relaxed));
    return head == NULL;
}

/* On the committer's thread. If that is the server's own, server_drain after the commit answers it. */
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

bool server_give_work(struct exchange *exchange, ExchangeWork *work)
{
    struct http_server *server = exchange->server;
    ExchangeState before = exchange->state;
    exchange->state = EXCHANGE_WORKING;
    exchange->is_deferred = true;
    exchange->work = work;
    exchange->working_before = NULL;
    exchange->working_after = server->working;
    if (server->working) server->working->working_before = exchange;
    server->working = exchange;
    if (http_jobs_submit(server->options.jobs, exchange)) return true;
    server_forget_working(exchange);
    exchange->is_deferred = false;
    exchange->work = NULL;
    exchange->state = before;
    return false;
}

void exchange_defer(struct exchange *exchange, ExchangeWork *work)
{
    Err err;
    if (server_give_work(exchange, work)) return;
    err_set(&err, ERR_TIMEOUT, "too many queries are waiting; try again in a moment");
    reply_error(exchange, ERR_TIMEOUT, &err);
}

/* Answers every exchange whose records are on disk or whose worker has finished. True: there was one. */
static bool server_drain(struct http_server *server)
{
    struct exchange *exchange = atomic_exchange_explicit(&server->done, NULL, memory_order_acquire);
    bool any = exchange != NULL;
    while (exchange) {
        struct exchange *next = exchange->next;
        if (exchange->is_deferred) server_forget_working(exchange);
        else server->options.app->on_durable(exchange, exchange->committed);
        check(exchange->state == EXCHANGE_ANSWERED);
        exchange->is_deferred = false;
        if (exchange->append) append_give(server, exchange->append);
        exchange->append = NULL;
        connection_answer(exchange->connection);
        exchange = next;
    }
    return any;
}

/* ---- Memory of bodies ---- */

/* Drops the body that was received: the request was refused. */
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

/* Bodies that stall are dropped for those that arrive: else a few hundred half-sent ones would keep all others out
 * for as long as a request may take. False: there is no room. */
static bool server_has_room(struct http_server *server, const struct connection *asking, size_t bytes)
{
    struct connection *stalled;
    while (server->body_bytes + bytes > server->options.body_memory_bytes) {
        if (!(stalled = crowd_find_stalled(server, asking))) return false;
        exchange_shed(stalled->exchange);
        stalled->exchange->closes = true;
        connection_answer(stalled);
    }
    return true;
}

/* ---- One request ---- */

/* The last lines count: only the client himself can have sent what comes before them. */
static void take_forwarded(struct exchange *exchange, Str value)
{
    if (exchange->forwarded_count == HTTP_FORWARDED_LINES)
        memmove(exchange->forwarded_for, exchange->forwarded_for + 1,
                --exchange->forwarded_count * sizeof *exchange->forwarded_for);
    exchange->forwarded_for[exchange->forwarded_count++] = value;
}

static void take_header(struct exchange *exchange, const WireHeader *header)
{
    if (str_equal_no_case(header->name, STR("x-forwarded-for"))) {
        take_forwarded(exchange, header->value);
        return;
    }
    const struct { Str name; Str *at; } wanted[] = {
        { STR("authorization"), &exchange->authorization },
        { STR("content-encoding"), &exchange->content_encoding },
        { STR("content-length"), &exchange->content_length },
        { STR("content-type"), &exchange->content_type },
        { STR("origin"), &exchange->origin },
        { STR("referer"), &exchange->referer },
        { STR("sec-fetch-site"), &exchange->fetch_site },
        { STR("user-agent"), &exchange->user_agent },
        { STR("host"), &exchange->host },
        { STR("x-write-key"), &exchange->header_key },
        { STR("x-forwarded-proto"), &exchange->forwarded_proto },
        { STR("accept"), &exchange->accept },
        { STR("accept-encoding"), &exchange->accept_encoding },
        { STR("if-none-match"), &exchange->if_none_match },
        { STR("access-control-request-headers"), &exchange->request_headers },
        { STR("x-onym-import"), &exchange->import_header },
        { STR("cookie"), &exchange->cookie },
        { STR("last-event-id"), &exchange->last_event_id },
        { STR("mcp-protocol-version"), &exchange->mcp_version },
        { STR("mcp-method"), &exchange->mcp_method },
        { STR("mcp-name"), &exchange->mcp_name },
    };
    for (size_t at = 0; at < countof(wanted); at++)
        if (header->name.len == wanted[at].name.len && str_equal_no_case(header->name, wanted[at].name)) {
            *wanted[at].at = header->value;
            break;
        }
}

static void take_target(struct exchange *exchange, Str target)
{
    Str rest, scheme = str_cut(target, ':', &rest);          /* absolute-form is a target, too: RFC 9112 3.2.2 */
    if (target.bytes[0] != '/' && rest.len && (str_equal_no_case(scheme, STR("http")) ||
                                               str_equal_no_case(scheme, STR("https")))) {
        Str authority = str_cut(str_slice(rest, 2, rest.len), '/', &rest);
        target = authority.bytes + authority.len < rest.bytes ? str_of(rest.bytes - 1, rest.len + 1) : STR("/");
    }
    exchange->path = str_cut(target, '?', &exchange->query);
    char *path = exchange->head.bytes + (exchange->path.bytes - exchange->head.bytes);       /* we may change it */
    if (exchange->path.len > 1) exchange->path.len = route_join_slashes(path, exchange->path.len);
}

Str exchange_peer(const struct exchange *exchange)
{
    const HttpOptions *options = &exchange->server->options;
    Str peer = str_from(exchange->connection->ip);
    if (!proxy_is_trusted(options->trusted_proxies, options->trusted_proxy_count, peer)) return peer;
    return proxy_find_client(options->trusted_proxies, options->trusted_proxy_count, peer, exchange->forwarded_for,
                             exchange->forwarded_count);
}

static void exchange_find_ip(struct exchange *exchange)
{
    const HttpOptions *options = &exchange->server->options;
    Str peer = str_from(exchange->connection->ip);
    if (!proxy_is_trusted(options->trusted_proxies, options->trusted_proxy_count, peer))
        exchange->forwarded_proto = (Str){ 0 };
    if (!options->drops_ip) exchange->ip = exchange_peer(exchange);
}

static Status exchange_check_head(struct exchange *exchange, Err *err)
{
    struct http_server *server = exchange->server;
    const HttpApp *app = server->options.app;
    uint64_t length = server->wire.length;
    bool is_known_path;
    exchange->route = app->find(exchange->method, exchange->path, &exchange->parameter, &is_known_path);
    bool is_read = exchange->method == METHOD_GET || exchange->method == METHOD_HEAD;
    if (!exchange->route && is_read) exchange->route = app->missing;
    if (!exchange->route && is_known_path) {
        err_set(err, ERR_UNSUPPORTED, "this path is served, but not with this method");
        return ERR_UNSUPPORTED;
    }
    if (!exchange->route) return err_set(err, ERR_NOT_FOUND, "there is nothing at this path");
    if (length > LIMIT_BODY_BYTES)
        return err_set(err, ERR_TOO_LARGE, "Exceed payload limit: a body may have %d bytes; send smaller batches",
                       LIMIT_BODY_BYTES);
    if (!server_has_room(server, exchange->connection, (size_t)length)) {
        health_add(server->options.health, COUNT_BODIES_SHED, 1);
        return err_set(err, ERR_TIMEOUT, "too many bodies in flight at the moment; try again");
    }
    return OK;
}

static struct exchange *begin(struct connection *connection)
{
    struct http_server *server = connection->server;
    struct exchange *exchange = exchange_take(server);
    if (!exchange) return NULL;
    exchange->connection = connection;
    exchange->method = METHOD_OTHER;
    exchange->state = EXCHANGE_BODY;
    exchange->is_tls = server->tls != NULL;
    exchange->began_ns = connection->since_ns;
    exchange->received_at_ms = clock_now_ms(server->options.clock) - (server->now_ns - exchange->began_ns) / 1000000;
    connection->exchange = exchange;
    server->busy_count++;
    return exchange;
}

bool server_refuse(struct connection *connection, const WireRefusal *refusal)
{
    struct exchange *exchange = connection->exchange ? connection->exchange : begin(connection);
    Err err;
    if (!exchange) return false;
    exchange->closes = exchange->is_broken = true;
    if (exchange->state == EXCHANGE_ANSWERED) return true;  /* it was refused for another reason already */
    err_set(&err, ERR_INPUT, "%s", refusal->why);
    reply_error(exchange, refusal->status == 503 ? ERR_TIMEOUT : ERR_INPUT, &err);
    exchange->reply.status = refusal->status;
    return true;
}

bool server_begin_exchange(struct connection *connection, Str head)
{
    struct http_server *server = connection->server;
    WireHead *wire = &server->wire;
    WireRefusal refusal;
    Err err;
    struct exchange *exchange = begin(connection);
    if (!exchange) return false;
    buf_str_put(&exchange->head, head);
    if (!buf_ok(&exchange->head)) return false;
    if (wire_parse_head(buf_str(&exchange->head), wire, &refusal) == WIRE_REFUSED)
        return server_refuse(connection, &refusal);
    exchange->method_text = wire->method;
    exchange->method = method_from(wire->method);
    exchange->closes = wire->wants_close;
    exchange->is_1_0 = wire->is_1_0;
    exchange->has_body = wire->is_chunked || wire->length > 0;
    exchange->expects_continue = wire->wants_continue && exchange->has_body;
    for (size_t at = 0; at < wire->header_count; at++) take_header(exchange, &wire->headers[at]);
    take_target(exchange, wire->target);
    if (server->options.app->rewrite) server->options.app->rewrite(exchange);
    exchange_find_ip(exchange);
    Status s = exchange_check_head(exchange, &err);
    if (s) {
        reply_error(exchange, s, &err);
        if (s == ERR_UNSUPPORTED) exchange->reply.status = 405;
    }
    return true;
}

bool server_take_body(struct exchange *exchange, Str bytes)
{
    struct http_server *server = exchange->server;
    Err err;
    if (exchange->state != EXCHANGE_BODY) return true;                    /* refused already: the bytes are dropped */
    if (exchange->body.len + bytes.len > LIMIT_BODY_BYTES) {
        err_set(&err, ERR_TOO_LARGE, "Exceed payload limit: a body may have %d bytes; send smaller batches",
                LIMIT_BODY_BYTES);
        reply_error(exchange, ERR_TOO_LARGE, &err);
        return true;
    }
    if (!server_has_room(server, exchange->connection, bytes.len)) {
        exchange_shed(exchange);
        return true;
    }
    if (exchange->body.len == 0) {
        int64_t length;                                                    /* known beforehand: one allocation */
        if (str_parse_int(exchange->content_length, 0, LIMIT_BODY_BYTES, &length) &&
            (size_t)length <= bytes.len * 4 + 4096)
            (void)buf_reserve(&exchange->body, (size_t)length + EVENT_PADDING_BYTES);
    }
    buf_str_put(&exchange->body, bytes);
    exchange->body_charged_bytes += bytes.len;
    server->body_bytes += bytes.len;
    return buf_ok(&exchange->body);
}

static void run_route(struct exchange *exchange)
{
    const Route *route = exchange->route;
    if (!(route->flags & ROUTE_WORKER)) {
        route->handle(exchange);
        return;
    }
    exchange->is_long = route->flags & ROUTE_LONG;
    exchange_defer(exchange, exchange->server->options.app->work);
}

void server_handle(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    if (exchange->state == EXCHANGE_ANSWERED) return;
    health_add(server->options.health, COUNT_BODY_BYTES, exchange->body.len);
    server->arena = region_arena(&server->region);
    if (!buf_reserve(&exchange->body, EVENT_PADDING_BYTES)) {
        Err err;
        err_set(&err, ERR_TOO_LARGE, "no memory for this body");
        reply_error(exchange, ERR_TOO_LARGE, &err);
        return;
    }
    memset(exchange->body.bytes + exchange->body.len, 0, EVENT_PADDING_BYTES);
    if (exchange->method == METHOD_OPTIONS) reply_text(exchange, 204, NULL, (Str){ 0 });
    else if (exchange_may(exchange)) run_route(exchange);
    check(exchange->is_deferred || exchange->state == EXCHANGE_ANSWERED || exchange->state == EXCHANGE_WAITING);
    size_t used_bytes = (size_t)(server->arena.at - server->region.start);
    if (used_bytes > ARENA_KEEP_BYTES) region_trim(&server->region, ARENA_KEEP_BYTES);
}

/* Logs a line for each request: its route, never its query, headers or body, which hold keys and people. */
static void log_request(const struct exchange *exchange)
{
    if (!log_is_on(LOG_DEBUG)) return;
    const struct http_server *server = exchange->server;
    Str path = exchange->route ? str_from(exchange->route->path) : exchange->path;
    log_write(LOG_DEBUG, "request", LOG_STR("method", exchange->method_text), LOG_STR("path", path),
              LOG_INT("status", exchange->reply.status), LOG_INT("bytes", exchange->body.len),
              LOG_INT("ms", (clock_monotonic_ns(server->options.clock) - exchange->began_ns) / 1000000),
              LOG_TEXT("peer", server->options.drops_ip ? "" : exchange->connection->ip));
}

/* Logs who ordered what: every request that changes something. Of the POSTs that others than administrators may send,
 * long work is a question, and changes nothing. It does not say whom it was about, since logs are kept in other places,
 * and longer. */
static void log_order(struct exchange *exchange)
{
    const Route *route = exchange->route;
    bool is_question = route && route->flags & ROUTE_LONG && route->flags & (ROUTE_READER | ROUTE_ANALYST);
    bool is_order = exchange->method == METHOD_DELETE || (exchange->method == METHOD_POST && route && !is_question);
    if (!exchange->who[0] || !is_order || (route && route->flags & ROUTE_QUIET)) return;
    log_write(exchange->reply.status < 400 ? LOG_INFO : LOG_WARN, "ordered", LOG_TEXT("who", exchange->who),
              LOG_TEXT("role", access_role_word(exchange->role)), LOG_STR("method", exchange->method_text),
              LOG_TEXT("path", route ? route->path : ""), LOG_INT("status", exchange->reply.status));
    if (route && exchange->server->options.app->on_order) exchange->server->options.app->on_order(exchange);
}

void server_end_exchange(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    struct health *health = server->options.health;
    unsigned status = exchange->reply.status;
    if (exchange->state == EXCHANGE_QUEUED) {
        health_add(health, COUNT_REQUESTS, 1);
        health_add(health, status < 400 ? COUNT_ANSWERS_2XX : status < 500 ? COUNT_ANSWERS_4XX : COUNT_ANSWERS_5XX, 1);
        log_request(exchange);
        log_order(exchange);
    }
    server->busy_count--;
    if (exchange->stream) exchange->stream->close(exchange);
    exchange_give(exchange);
}

/* ---- Opening, stepping, closing ---- */

static void apply_defaults(HttpOptions *options)
{
    if (!options->body_memory_bytes) options->body_memory_bytes = 256 * 1024 * 1024;
    if (!options->idle_timeout_ms) options->idle_timeout_ms = 75000;
    if (!options->request_timeout_ms) options->request_timeout_ms = 30000;
}

Status http_server_open(const HttpOptions *options, int listener, struct http_server **ret, Err *err)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (!server) {
        close(listener);
        return err_set(err, ERR_IO, "http: no memory for a server");
    }
    server->options = *options;
    server->listener = listener;
    server->epoll = server->spare = -1;
    server->alone.limit = 16384;
    server->crowd = options->crowd ? options->crowd : &server->alone;
    apply_defaults(&server->options);
    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    region_open(&server->region, ARENA_BYTES);
    Status s = server->wake < 0 ? err_set_errno(err, errno, "http: eventfd") : OK;
    if (!s) s = collect_workspace_open(options->collector, &server->workspace, err);
    if (!s && options->tls_certificate_pem)
        s = tls_open(options->tls_certificate_pem, options->tls_key_pem, &server->tls, err);
    if (!s) s = connections_open(server, err);
    if (s) {
        http_server_close(server);
        return s;
    }
    *ret = server;
    return OK;
}

/* If this server is the committer, commits all that was submitted. If a commit fails each of its requests gets an
 * error, and the statistics count it. True: there was something to commit. */
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

/* Serves connections. If this server is the committer, it goes on as long as notably more requests come
 * to share the commit: clients that were answered just now send their next while the others are answered. One
 * look costs a microsecond, a commit a hundred. With 64 connections it nearly
 * doubled the number of requests in a commit. */
static void server_run(struct http_server *server, Millis timeout_ms)
{
    size_t before;
    int rounds = server->options.commits_inline ? GATHER_ROUNDS : 1;
    do {
        before = server->submitted_count;
        connections_round(server, timeout_ms);
        timeout_ms = 0;
    } while (--rounds > 0 && server->submitted_count - before > before / 8);
}

void http_server_step(struct http_server *server, Millis timeout_ms)
{
    bool has_streams = server->lists[CONNECTION_STREAMING].first != NULL;
    server_run(server, has_streams && timeout_ms > STREAM_POLL_MS ? STREAM_POLL_MS : timeout_ms);
    for (int round = 0; round < INLINE_ROUNDS && server_commit(server); round++) server_run(server, 0);
    (void)server_commit(server);
    (void)server_drain(server);
    streams_step(server);
    connections_sweep(server);
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
    connections_quiesce(server);
    for (struct exchange *exchange = server->working; exchange; exchange = exchange->working_after)
        atomic_store_explicit(&exchange->is_cancelled, true, memory_order_relaxed);
    streams_end(server);
}

size_t http_server_busy_count(const struct http_server *server) { return server->busy_count; }

void http_server_close(struct http_server *server)
{
    if (!server) return;
    if (server->working) return;  /* a query still runs after the grace time, and uses its memory; the process ends */
    connections_close(server);
    tls_close(server->tls);
    collect_workspace_close(server->workspace);
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
    if (server->wake >= 0) close(server->wake);
    region_close(&server->region);
    free(server);
}
