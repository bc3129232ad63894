/* http: the wire. Requests come in, go through collect/ (or an answer is made here), and the reply
 * leaves only once the journal says that the events are on disk.
 *
 * What it is not: it has no rule about messages, and keeps no state but connections. Only http_connection.c knows
 * sockets; the other files see a struct exchange: one request and its reply.
 *
 * Invariants
 *  1. A 200 to a collection request is sent only after its records are durable.
 *  2. Memory is bounded: connections by a HttpCrowd's limit, bodies in flight by body_memory_bytes, headers
 *     and bodies by limits.h, time by the two timeouts. What is over is answered with a clear 4xx or 503.
 *  3. A step never waits for a disk or a query: a request is suspended, and others go on. The one exception
 *     is a server that commits for itself (commits_inline), which is how one thread serves best.
 *
 * Threads: one struct http_server for each ingest thread, which calls http_server_step again and again;
 * they share the port (one socket). http_server_wake may be called from any thread.
 */
#ifndef ONYM_HTTP_HTTP_H
#define ONYM_HTTP_HTTP_H


#include <stdatomic.h>

#include "access/access.h"
#include "collect/collect.h"
#include "health/health.h"
#include "journal/journal.h"
#include "os/os.h"

/* One task of a piece of work that is cut into many. worker: below HTTP_WORKERS_MAX; no other task has it meanwhile. */
typedef void HttpTask(void *context, uint32_t task, uint32_t worker);
enum { HTTP_WORKERS_MAX = 64 };

/* Worker threads do what takes longer than an ingest thread may wait; each calls
 * http_jobs_step again and again, with an arena of its own. One queue serves all servers. */
struct http_jobs;
/* A question's tasks run on up to workers_a_question workers, its own included. At most long_max pieces of long work
 * run at a time: if there is one worker more than that, a look-up never waits for a question. */
struct http_jobs *http_jobs_open(uint32_t workers_a_question, uint32_t long_max);
/* Runs one exchange that waits, or helps with a question; waits at most timeout_ms for either. */
void http_jobs_step(struct http_jobs *jobs, Arena arena, Millis timeout_ms);
void http_jobs_stop(struct http_jobs *jobs);             /* wakes all steps; takes no more */
void http_jobs_close(struct http_jobs *jobs);            /* accepts NULL */

/* How many connections all servers of a process hold. They share it because the kernel gives new connections to any of
 * them: with a share for each, one server could be full and close good connections while another is empty. */
typedef struct HttpCrowd {
    size_t limit;
    atomic_size_t count;
    atomic_size_t wanted;            /* servers with unused connections should close so many */
} HttpCrowd;

typedef struct HttpOptions {
    const struct HttpApp *app;       /* what is served: routes, and what becomes of them (http_exchange.h) */
    const void *context;             /* for whoever wrote the app: exchange_context */
    struct collector *collector;
    struct journal *journal;
    struct health *health;
    struct http_jobs *jobs;
    struct clock *clock;
    Str secret_key;                  /* with this key people read and administer; empty: the reading API is closed */
    struct access *access;           /* further keys, and sessions; NULL: there are none */
    bool commits_inline;             /* this thread is the journal's committer as well */
    const Str *trusted_proxies;      /* "10.0.0.0/8", "::1": whose X-Forwarded-For and -Proto are believed; borrowed */
    size_t trusted_proxy_count;
    bool drops_ip;                   /* do not put the client's address into events */
    HttpCrowd *crowd;                /* borrowed; NULL: this server is alone, and may have 16384 */
    size_t body_memory_bytes;        /* for all bodies that are being received; 0: 256 MiB */
    Millis idle_timeout_ms;          /* for a connection that has no request, or takes nothing of its answer; 0: 75 s */
    Millis request_timeout_ms;       /* from a request's first byte to its last; 0: 30 s */
    const char *tls_certificate_pem, *tls_key_pem;      /* texts, both or neither */
} HttpOptions;

/* Are these a certificate and its key? ERR_INPUT: no. */
Status MUST http_check_tls(const char *certificate_pem, const char *key_pem, Err *err);

struct http_server;

/* A listening socket, shared with other servers of the same address. text: "127.0.0.1:8080",
 * "[::1]:8080", ":8080" (all addresses), "localhost:0" (any free port). ret_port: what it got. */
Status MUST http_listen(Str text, int *ret_socket, uint16_t *ret_port, Err *err);

/* Takes the socket. */
Status MUST http_server_open(const HttpOptions *options, int socket, struct http_server **ret, Err *err);
/* Serves what is ready; waits at most timeout_ms until something is. */
void http_server_step(struct http_server *server, Millis timeout_ms);
/* Accepts no more connections; requests that have begun are still answered. */
void http_server_quiesce(struct http_server *server);
/* How many requests have sent a part of their body and have no answer yet. */
size_t http_server_busy_count(const struct http_server *server);
void http_server_wake(struct http_server *server);
/* Accepts NULL. None of its appends may still be waiting in the journal. */
void http_server_close(struct http_server *server);

#include "http_exchange.h"
#include "http_asset.h"

#endif
