/* http_connection: how the bytes of requests come, and those of answers go.
 *
 * Sockets are watched edge-triggered, once for reading and writing: an event sets is_readable, and the connection
 * is then served as far as it goes. What is read goes into the server's scratch; the connection keeps only what cannot
 * be used at once, so one that waits costs little. While a request waits for its answer nothing more is
 * read from its connection: a client that sends more fills the kernel's buffer only.
 *
 * No list is searched for late connections: each state has one time limit, so its list is in the order of deadlines. */
#include "http_server_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    EVENTS_AT_ONCE = 256,
    ACCEPTS_AT_ONCE = 64,
    READS_AT_ONCE = 16,                     /* from one connection, before the others have a turn */
    REQUESTS_AT_ONCE = 32,
    ENDING_MS = 2000,                       /* how long a client may take to hear its last answer */
    WRITING_MS = 15 * 60 * 1000,            /* for one answer, however steadily the client reads */
    SHORT_BODY_BYTES = 4096,                /* a reply's body that is copied after its head */
    FORGOTTEN_BYTES = 16 * 1024 * 1024,     /* of a refused body: read and dropped, so that the answer arrives */
};

static char a_listener, a_wake;             /* events of listener and wake point at these */

/* ---- Lists ---- */

static void leave_list(struct connection *connection)
{
    struct connection_list *list = &connection->server->lists[connection->state];
    *(connection->before ? &connection->before->after : &list->first) = connection->after;
    *(connection->after ? &connection->after->before : &list->last) = connection->before;
}

void connection_enter(struct connection *connection, ConnectionState state)
{
    struct connection_list *list = &connection->server->lists[state];
    leave_list(connection);
    connection->state = (uint8_t)state;
    connection->since_ns = connection->server->now_ns;
    connection->before = list->last;
    connection->after = NULL;
    *(list->last ? &list->last->after : &list->first) = connection;
    list->last = connection;
}

void connection_make_ready(struct connection *connection)
{
    if (connection->is_ready) return;
    connection->is_ready = true;
    connection->next = connection->server->ready;
    connection->server->ready = connection;
}

/* Its memory is freed once no event can point at it. Never call it while another thread has its exchange. */
void connection_close(struct connection *connection)
{
    struct http_server *server = connection->server;
    if (connection->state == CONNECTION_CLOSED) return;
    if (connection->exchange) server_end_exchange(connection->exchange);
    connection->exchange = NULL;
    connection_enter(connection, CONNECTION_CLOSED);
    tls_end(connection->tls);
    connection->tls = NULL;
    close(connection->socket);
    connection->socket = -1;
    buf_done(&connection->in);
    buf_done(&connection->out);
    atomic_fetch_sub_explicit(&server->crowd->count, 1, memory_order_relaxed);
    if (connection->is_ready) return;                        /* freed when that list is taken */
    connection->next = server->closed;
    server->closed = connection;
}

static void connection_free(struct connection *connection)
{
    leave_list(connection);
    free(connection);
}

static bool wants_bytes(const struct connection *connection)
{
    return connection->state <= CONNECTION_READING || connection->state == CONNECTION_ENDING;
}

bool connection_has_bytes(struct connection *connection)
{
    char byte;
    bool has_some = (connection->in.len && !connection->needs_more) ||
                    recv(connection->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
    if (!has_some) return false;
    connection->is_readable = true;
    connection_make_ready(connection);
    return true;
}

/* ---- Writing ---- */

static ssize_t send_some(struct connection *connection, const struct iovec *parts, int count)
{
    if (connection->tls) return tls_write(connection->tls, parts[0].iov_base, parts[0].iov_len);
    struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)count };
    return sendmsg(connection->socket, &message, MSG_NOSIGNAL);
}

/* The answer is sent: makes the connection ready for the next request. */
static void connection_next(struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    if (exchange->stream && exchange->stream_step != STREAM_END) {
        stream_go_on(connection);
        return;
    }
    bool closes = exchange->closes, is_clean = exchange->is_whole && connection->in.len == 0;
    buf_done(&connection->out);
    connection->exchange = NULL;
    server_end_exchange(exchange);
    if (!closes) {
        connection_enter(connection, CONNECTION_IDLE);
        return;
    }
    if (is_clean) {
        connection_close(connection);
        return;
    }
    /* If bytes were unread when it is closed, TCP would take the answer back. */
    tls_end(connection->tls);
    connection->tls = NULL;
    (void)shutdown(connection->socket, SHUT_WR);
    buf_done(&connection->in);
    connection->needs_more = false;
    connection->is_readable = true;
    connection_enter(connection, CONNECTION_ENDING);
}

static void connection_write(struct connection *connection, Str head, Str body)
{
    size_t all = head.len + body.len;
    while (connection->sent < all) {
        struct iovec parts[2];
        int count = 0;
        Str rest = str_slice(head, connection->sent, head.len);
        Str body_rest = str_slice(body, connection->sent > head.len ? connection->sent - head.len : 0, body.len);
        if (rest.len) parts[count++] = (struct iovec){ (void *)(uintptr_t)rest.bytes, rest.len };
        if (body_rest.len) parts[count++] = (struct iovec){ (void *)(uintptr_t)body_rest.bytes, body_rest.len };
        ssize_t sent = send_some(connection, parts, count);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) break;
        if (sent <= 0) {
            connection_close(connection);
            return;
        }
        connection->sent += (size_t)sent;
    }
    if (connection->sent == all) {
        connection_next(connection);
        return;
    }
    if (head.bytes != connection->out.bytes) {               /* the server's own is needed for others */
        buf_str_put(&connection->out, head);
        connection->write_began_ns = connection->server->now_ns;
        if (!buf_ok(&connection->out)) {
            connection_close(connection);
            return;
        }
    }
    connection_enter(connection, CONNECTION_WRITING);
}

/* The part of the reply's body that is not in the head's buffer already. */
static Str body_behind(const struct exchange *exchange)
{
    Str body = exchange->reply.body;
    bool is_short = body.len <= SHORT_BODY_BYTES;
    if (exchange->is_piece) return body;
    return is_short || exchange->method == METHOD_HEAD || exchange->reply.status == 304 ? (Str){ 0 } : body;
}

static void answer(struct connection *connection)
{
    struct http_server *server = connection->server;
    struct exchange *exchange = connection->exchange;
    unsigned status = exchange->reply.status;
    exchange->closes |= server->is_quiesced;
    exchange->state = EXCHANGE_QUEUED;
    answer_write_head(exchange, exchange->closes);
    bool is_short = exchange->reply.body.len <= SHORT_BODY_BYTES && exchange->method != METHOD_HEAD;
    if (is_short && status != 204 && status != 304) buf_str_put(&server->head, exchange->reply.body);
    if (!buf_ok(&server->head)) {
        connection_close(connection);
        return;
    }
    connection->sent = 0;
    connection_write(connection, buf_str(&server->head), body_behind(exchange));
}

/* What came in the meantime, or is still in the socket, is read in the next round. */
static void resume(struct connection *connection)
{
    if (wants_bytes(connection) && (connection->in.len || connection->is_readable)) connection_make_ready(connection);
}

static void put_piece(struct connection *connection)
{
    if (connection->has_left) {
        connection_close(connection);
        return;
    }
    connection->exchange->state = EXCHANGE_QUEUED;
    connection->sent = 0;
    connection->write_began_ns = connection->server->now_ns;
    connection_write(connection, (Str){ 0 }, connection->exchange->reply.body);
}

void connection_answer(struct connection *connection)
{
    if (connection->exchange->is_piece) put_piece(connection);
    else answer(connection);
    resume(connection);
}

/* ---- Reading ---- */

void connection_refuse(struct connection *connection, const WireRefusal *refusal)
{
    if (server_refuse(connection, refusal)) answer(connection);
    else connection_close(connection);
}

static void say_continue(struct connection *connection)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec part = { (void *)(uintptr_t)text, sizeof text - 1 };
    if (send_some(connection, &part, 1) != (ssize_t)part.iov_len) connection_close(connection);
}

/* The request is whole, or the rest of it will not be read. */
static void connection_handle(struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    server_handle(exchange);
    if (!exchange->is_deferred && exchange->state == EXCHANGE_ANSWERED) {
        answer(connection);
        return;
    }
    connection_enter(connection, CONNECTION_WAITING);
    if (connection->has_left && exchange->is_deferred)
        atomic_store_explicit(&exchange->is_cancelled, true, memory_order_relaxed);
}

/* Takes a head from the front of *bytes; false if it is not whole. */
static bool take_head(struct connection *connection, Str *bytes)
{
    WireRefusal refusal;
    size_t head_len;
    if (connection->state == CONNECTION_IDLE) connection_enter(connection, CONNECTION_READING);
    if (!connection->has_skipped && str_starts(*bytes, STR("\r\n"))) {  /* some clients end a body with an empty line */
        *bytes = str_slice(*bytes, 2, bytes->len);
        connection->has_skipped = true;
        connection->scanned = 0;
        if (bytes->len == 0) connection_enter(connection, CONNECTION_IDLE);
        return bytes->len > 0;
    }
    switch (wire_find_head(*bytes, &connection->scanned, &head_len, &refusal)) {
    case WIRE_MORE: return false;
    case WIRE_REFUSED: connection_refuse(connection, &refusal); return true;
    case WIRE_DONE: break;
    }
    connection->scanned = 0;
    connection->has_skipped = false;
    connection->server->turn_requests--;
    connection->has_asked = true;
    if (!server_begin_exchange(connection, str_slice(*bytes, 0, head_len))) {
        connection_close(connection);
        return true;
    }
    *bytes = str_slice(*bytes, head_len, bytes->len);
    struct exchange *exchange = connection->exchange;
    wire_begin_body(&connection->body, &connection->server->wire);
    const WireHead *wire = &connection->server->wire;
    bool is_refused = exchange->state == EXCHANGE_ANSWERED;
    bool is_endless = exchange->expects_continue || wire->length > FORGOTTEN_BYTES;
    connection->forgotten_bytes = 0;
    if (is_refused && (exchange->is_broken || (exchange->has_body && (exchange->closes || is_endless)))) {
        exchange->closes = true;                             /* no body will come, or we do not read it */
        answer(connection);
    } else if (exchange->expects_continue && bytes->len == 0) {
        say_continue(connection);
    }
    return true;
}

/* Takes the part of the body that is there; false if it is not whole. A refused body is dropped, so that its sender
 * gets the reason. */
static bool take_body(struct connection *connection, Str *bytes)
{
    struct exchange *exchange = connection->exchange;
    WireRefusal refusal;
    Str piece;
    WireStep step;
    do {
        step = wire_read_body(&connection->body, bytes, &piece, &refusal);
        if (step == WIRE_MORE && piece.len == 0) return false;
        if (step != WIRE_MORE) break;
        if (exchange->state == EXCHANGE_ANSWERED) connection->forgotten_bytes += piece.len;
        if (connection->forgotten_bytes > FORGOTTEN_BYTES || !server_take_body(exchange, piece)) {
            connection_close(connection);
            return true;
        }
    } while (true);
    exchange->is_whole = step == WIRE_DONE;
    if (step == WIRE_REFUSED) connection_refuse(connection, &refusal);
    else connection_handle(connection);
    return true;
}

/* Serves what the bytes hold, and keeps the rest. They are the scratch, or connection->in. */
static void consume(struct connection *connection, Str bytes)
{
    bool is_kept = bytes.bytes == connection->in.bytes, goes_on = true;
    while (goes_on && connection->state <= CONNECTION_READING && (bytes.len || connection->exchange) &&
           (connection->exchange || connection->server->turn_requests > 0))
        goes_on = connection->exchange ? take_body(connection, &bytes) : take_head(connection, &bytes);
    if (connection->state == CONNECTION_CLOSED || connection->state == CONNECTION_ENDING) return;
    if (is_kept) {
        memmove(connection->in.bytes, bytes.bytes, bytes.len);
        connection->in.len = bytes.len;
    } else {
        buf_clear(&connection->in);
        buf_str_put(&connection->in, bytes);
    }
    connection->needs_more = !goes_on;
    if (!buf_ok(&connection->in)) connection_close(connection);
    else if (bytes.len == 0) buf_done(&connection->in);
}

static ssize_t receive(struct connection *connection)
{
    char *scratch = connection->server->scratch;
    if (connection->tls) return tls_read(connection->tls, scratch, READ_BYTES);
    return recv(connection->socket, scratch, READ_BYTES, 0);
}

/* Reads as long as there is something, and the connection may have more. */
static void connection_read(struct connection *connection)
{
    struct http_server *server = connection->server;
    server->turn_requests = REQUESTS_AT_ONCE;
    for (int reads = 0; reads < READS_AT_ONCE && wants_bytes(connection) && server->turn_requests > 0; reads++) {
        if (connection->in.len && !connection->needs_more) {
            consume(connection, buf_str(&connection->in));
            continue;
        }
        if (!connection->is_readable) return;
        ssize_t got = receive(connection);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) {
            connection->is_readable = false;
            return;
        }
        if (got <= 0) {                                      /* also in the middle of a request, which is given up */
            connection_close(connection);
            return;
        }
        Str bytes = { server->scratch, (size_t)got };
        if (bytes.len < READ_BYTES && !connection->tls && !connection->has_left)
            connection->is_readable = false;                 /* it is empty: the next byte makes an event */
        if (connection->state == CONNECTION_ENDING) {
            connection->forgotten_bytes += bytes.len;
            if (connection->forgotten_bytes > FORGOTTEN_BYTES) connection_close(connection);
            continue;
        }
        if (connection->in.len) {
            buf_str_put(&connection->in, bytes);
            bytes = buf_str(&connection->in);
        }
        if (buf_ok(&connection->in)) consume(connection, bytes);
        else connection_close(connection);
    }
    if (connection->needs_more && !connection->is_readable) return;
    resume(connection);
}

/* ---- Coming ---- */

static void watch_listener(struct http_server *server)
{
    struct epoll_event event = { EPOLLIN | EPOLLEXCLUSIVE, { .ptr = &a_listener } };
    server->is_deaf = epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &event) != 0;
}

static void begin_connection(struct http_server *server, int socket, const struct sockaddr *address)
{
    struct connection *connection = calloc(1, sizeof *connection);
    int on = 1;
    if (connection && server->tls && !(connection->tls = tls_begin(server->tls, socket))) {
        free(connection);
        connection = NULL;
    }
    if (!connection) {
        close(socket);
        return;
    }
    connection->server = server;
    connection->socket = socket;
    buf_init(&connection->in, LIMIT_HEADER_BYTES + 2 * READ_BYTES);
    buf_init(&connection->out, LIMIT_ANSWER_BYTES);
    proxy_format_address(address, connection->ip);
    (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);      /* not a TCP socket in some tests */
    struct connection_list *list = &server->lists[CONNECTION_IDLE];
    connection->since_ns = server->now_ns;
    connection->before = list->last;
    *(list->last ? &list->last->after : &list->first) = connection;
    list->last = connection;
    atomic_fetch_add_explicit(&server->crowd->count, 1, memory_order_relaxed);
    health_add(server->options.health, COUNT_CONNECTIONS, 1);
    struct epoll_event event = { EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, { .ptr = connection } };
    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, socket, &event)) {
        connection_close(connection);
        return;
    }
    connection->is_readable = true;                          /* mostly the request is there already */
    connection_make_ready(connection);
}

static void accept_some(struct http_server *server)
{
    for (int count = 0; count < ACCEPTS_AT_ONCE; count++) {
        struct sockaddr_storage address = { 0 };
        socklen_t address_len = sizeof address;
        int socket = accept4(server->listener, (struct sockaddr *)&address, &address_len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (socket < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            server->is_deaf = crowd_make_room(server, errno) &&
                              epoll_ctl(server->epoll, EPOLL_CTL_DEL, server->listener, NULL) == 0;
            return;
        }
        if (socket < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
        if (socket < 0) return;
        if (!crowd_has_room(server)) crowd_turn_away(server, socket);
        else begin_connection(server, socket, (const struct sockaddr *)&address);
    }
}

/* ---- The loop ---- */

static void take_event(struct http_server *server, const struct epoll_event *event)
{
    if (event->data.ptr == &a_listener) {
        if (!server->is_quiesced) accept_some(server);
        return;
    }
    if (event->data.ptr == &a_wake) {
        uint64_t drained;
        while (read(server->wake, &drained, sizeof drained) > 0) continue;
        return;
    }
    struct connection *connection = event->data.ptr;
    if (connection->state == CONNECTION_CLOSED) return;
    if (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR) || connection->tls) connection->is_readable = true;
    if (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        connection->has_left = true;
        if (connection->exchange && connection->exchange->is_deferred)
            atomic_store_explicit(&connection->exchange->is_cancelled, true, memory_order_relaxed);
    }
    if (connection->has_left && connection->exchange && connection->exchange->stream &&
        !connection->exchange->is_deferred) {
        connection_close(connection);                        /* it listens to nothing else: the client has left */
        return;
    }
    if (connection->state == CONNECTION_WRITING)
        connection_write(connection, buf_str(&connection->out), body_behind(connection->exchange));
    if (wants_bytes(connection)) connection_read(connection);
}

static void serve_ready(struct http_server *server)
{
    struct connection *connection = server->ready;
    server->ready = NULL;
    while (connection) {
        struct connection *next = connection->next;
        connection->is_ready = false;
        if (connection->state == CONNECTION_CLOSED) connection_free(connection);
        else if (wants_bytes(connection)) connection_read(connection);
        connection = next;
    }
}

void connections_round(struct http_server *server, Millis timeout_ms)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(server->epoll, events, EVENTS_AT_ONCE, server->ready ? 0 : (int)timeout_ms);
    (void)atomic_exchange_explicit(&server->wake_pending, false, memory_order_acq_rel);
    server->now_ns = clock_monotonic_ns(server->options.clock);
    for (int at = 0; at < count; at++) take_event(server, &events[at]);
    serve_ready(server);
    crowd_give_room(server);
    while (server->closed) {
        struct connection *connection = server->closed;
        server->closed = connection->next;
        connection_free(connection);
    }
}

/* If a request takes too long to come, its client is told so; a client that sent nothing is told nothing. */
static void end_late(struct connection *connection)
{
    struct http_server *server = connection->server;
    bool is_idle = connection->state == CONNECTION_IDLE || connection->state == CONNECTION_ENDING;
    if (!is_idle) health_add(server->options.health, COUNT_CONNECTIONS_SHED, 1);
    if (connection->state == CONNECTION_READING)
        connection_refuse(connection,
                          &(WireRefusal){ 408, "the request took too long to arrive; limits.request_timeout" });
    else connection_close(connection);
}

void connections_sweep(struct http_server *server)
{
    const HttpOptions *options = &server->options;
    const Millis limits_ms[CONNECTION_STATES] = {
        [CONNECTION_IDLE] = options->idle_timeout_ms, [CONNECTION_READING] = options->request_timeout_ms,
        [CONNECTION_WRITING] = options->idle_timeout_ms, [CONNECTION_ENDING] = ENDING_MS,
    };
    if (server->now_ns - server->swept_at_ns < INT64_C(500000000)) return;
    server->swept_at_ns = server->now_ns;
    for (int state = 0; state < CONNECTION_STATES; state++) {
        struct connection *late;
        while (limits_ms[state] && (late = server->lists[state].first) &&
               server->now_ns - late->since_ns >= limits_ms[state] * 1000000)
            end_late(late);
    }
    for (struct connection *slow = server->lists[CONNECTION_WRITING].first, *next; slow; slow = next) {
        next = slow->after;
        if (server->now_ns - slow->write_began_ns >= WRITING_MS * INT64_C(1000000)) end_late(slow);
    }
    if (server->is_deaf && !server->is_quiesced) watch_listener(server);
}

/* ---- Opening and closing ---- */

Status connections_open(struct http_server *server, Err *err)
{
    struct epoll_event event = { EPOLLIN, { .ptr = &a_wake } };
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    server->scratch = malloc(READ_BYTES);
    buf_init(&server->head, LIMIT_HEADER_BYTES + SHORT_BODY_BYTES);
    if (!server->scratch) return err_set(err, ERR_IO, "http: no memory for a server");
    if (server->epoll < 0 || epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->wake, &event))
        return err_set_errno(err, errno, "http: epoll");
    server->now_ns = clock_monotonic_ns(server->options.clock);
    watch_listener(server);
    return server->is_deaf ? err_set_errno(err, errno, "http: epoll of the listener") : OK;
}

void connections_quiesce(struct http_server *server)
{
    if (!server->is_deaf) (void)epoll_ctl(server->epoll, EPOLL_CTL_DEL, server->listener, NULL);
    close(server->listener);
    server->listener = -1;
    for (struct connection *idle = server->lists[CONNECTION_IDLE].first; idle; idle = idle->after)
        (void)connection_has_bytes(idle);
    serve_ready(server);                                     /* requests that were sent before are answered */
    while (server->lists[CONNECTION_IDLE].first) connection_close(server->lists[CONNECTION_IDLE].first);
}

void connections_close(struct http_server *server)
{
    for (int state = 0; state < CONNECTION_CLOSED; state++)
        while (server->lists[state].first) connection_close(server->lists[state].first);
    while (server->lists[CONNECTION_CLOSED].first) connection_free(server->lists[CONNECTION_CLOSED].first);
    free(server->scratch);
    buf_done(&server->head);
    if (server->listener >= 0) close(server->listener);
    if (server->spare >= 0) close(server->spare);
    if (server->epoll >= 0) close(server->epoll);
}
