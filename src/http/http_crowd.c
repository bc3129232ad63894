/* http_crowd: which connection is closed if there are too many connections, too few descriptors, or too many bodies.
 *
 * Clients that hold connections without using them must not keep others out. So the connection that has been idle
 * longest is closed; else the request that has been arriving longest, or the answer that nobody takes. But never one
 * whose client has sent something: the socket is asked for that, since on a busy machine bytes are there long before
 * they are read. A client that is closed gets 503 and a time to come again, except for an idle connection that had its
 * answers before: that is just closed, as every client expects.
 *
 * Servers cannot touch each other's connections. A server that needs room and finds none accepts nevertheless,
 * up to the limit (the others begin to close a sixteenth before it), and asks the other servers to close some. */
#include "http_server_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    COMPLAIN_MS = 10 * 1000,
    IDLE_PATIENCE_MS = 1000,                /* so long nobody is closed, even if there is no room for all */
    SLOW_PATIENCE_MS = 5000,
    BODY_PATIENCE_MS = 2000,
    LOOKED_AT_MAX = 4096,
    WANTED_MAX = 64,                        /* given even where it is not needed any more */
};

static size_t say_full(char *text, size_t size)
{
    static const char body[] = "{\"error\":{\"code\":\"unavailable\",\"message\":\"too many connections are open\"}}";
    return (size_t)snprintf(text, size, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n"
                            "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", sizeof body - 1, body);
}

void crowd_turn_away(struct http_server *server, int socket)
{
    char text[512];
    size_t text_len = say_full(text, sizeof text);
    if (!server->tls) {
        while (recv(socket, server->scratch, READ_BYTES, MSG_DONTWAIT) > 0) continue;  /* so that ours arrives */
        (void)!send(socket, text, text_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    (void)shutdown(socket, SHUT_WR);
    close(socket);
}

/* Closes it; its descriptor is free afterwards. */
static void close_stale(struct connection *stale)
{
    char text[512];
    size_t text_len = say_full(text, sizeof text);
    if (stale->state == CONNECTION_READING)
        connection_refuse(stale, &(WireRefusal){ 503, "too many connections are open, and this request took long" });
    else if (stale->state == CONNECTION_IDLE && !stale->has_asked && !stale->tls)
        (void)!send(stale->socket, text, text_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    connection_close(stale);
}

/* The first connection of a list that has waited for so long, and whose client sent nothing. */
static struct connection *find_stale(struct http_server *server, ConnectionState state, Millis patience_ms)
{
    struct connection *at = server->lists[state].first;
    for (int count = 0; at && count < LOOKED_AT_MAX; at = at->after, count++) {
        if (server->now_ns - at->since_ns <= patience_ms * INT64_C(1000000)) return NULL;
        if (state == CONNECTION_WRITING || !connection_has_bytes(at)) return at;
    }
    return NULL;
}

/* False: all connections are at work, or have just come. */
static bool close_stalest(struct http_server *server)
{
    static const struct { ConnectionState state; Millis patience_ms; } rows[] = {
        { CONNECTION_IDLE, IDLE_PATIENCE_MS }, { CONNECTION_READING, SLOW_PATIENCE_MS },
        { CONNECTION_WRITING, SLOW_PATIENCE_MS },
    };
    for (size_t at = 0; at < countof(rows); at++) {
        struct connection *stalest = find_stale(server, rows[at].state, rows[at].patience_ms);
        if (!stalest) continue;
        close_stale(stalest);
        return true;
    }
    return false;
}

static size_t count_now(const HttpCrowd *crowd) { return atomic_load_explicit(&crowd->count, memory_order_relaxed); }

static void want_room(HttpCrowd *crowd)
{
    if (atomic_load_explicit(&crowd->wanted, memory_order_relaxed) < WANTED_MAX)
        atomic_fetch_add_explicit(&crowd->wanted, 1, memory_order_relaxed);
}

bool crowd_has_room(struct http_server *server)
{
    HttpCrowd *crowd = server->crowd;
    if (count_now(crowd) < crowd->limit - crowd->limit / 16) return true;
    health_add(server->options.health, COUNT_CONNECTIONS_SHED, 1);
    if (!close_stalest(server)) want_room(crowd);
    return count_now(crowd) < crowd->limit;
}

void crowd_give_room(struct http_server *server)
{
    HttpCrowd *crowd = server->crowd;
    size_t wanted = atomic_load_explicit(&crowd->wanted, memory_order_relaxed);
    while (wanted && close_stalest(server))
        while (wanted && !atomic_compare_exchange_weak_explicit(&crowd->wanted, &wanted, wanted - 1,
                                                                memory_order_relaxed, memory_order_relaxed)) continue;
}

struct connection *crowd_find_stalled(struct http_server *server, const struct connection *asking)
{
    struct connection *at = server->lists[CONNECTION_READING].first;
    for (int count = 0; at && count < LOOKED_AT_MAX; at = at->after, count++) {
        if (server->now_ns - at->since_ns < BODY_PATIENCE_MS * INT64_C(1000000)) return NULL;
        if (at != asking && at->exchange && at->exchange->body_charged_bytes) return at;
    }
    return NULL;
}

/* Closes a connection that does not use its descriptor. If there is none, the new client is told to come back, with the
 * help of a descriptor that is kept for this. */
bool crowd_make_room(struct http_server *server, int why)
{
    if (server->now_ns - server->complained_at_ns > COMPLAIN_MS * INT64_C(1000000) || !server->complained_at_ns) {
        server->complained_at_ns = server->now_ns;
        log_write(LOG_ERROR, "no connection can be taken; raise LimitNOFILE (ulimit -n) or lower limits.connections",
                  LOG_TEXT("error", strerror(why)), LOG_INT("connections", count_now(server->crowd)));
    }
    health_add(server->options.health, COUNT_CONNECTIONS_SHED, 1);
    if (close_stalest(server)) return false;
    want_room(server->crowd);
    if (server->spare >= 0) close(server->spare);
    int stranger = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (stranger >= 0) crowd_turn_away(server, stranger);
    server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return stranger < 0 || server->spare < 0;
}
