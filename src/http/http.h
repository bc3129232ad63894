/* http: the wire. Requests come in, go through collect/ (or an answer is made here), and the reply
 * leaves only once the journal says that the events are on disk.
 *
 * What it is not: it holds no rule about messages and no state but connections. libmicrohttpd is known
 * to http_server.c only; the other files see a struct exchange: one request and its reply.
 *
 * Invariants
 *  1. A 200 to a collection request is sent only after its records are durable.
 *  2. Memory is bounded: connections by connection_limit, bodies in flight by body_memory_bytes, headers
 *     and bodies by limits.h, time by the two timeouts. What is over is answered with a clear 4xx or 503.
 *  3. A step never waits for a disk or a query: requests wait suspended, others go on. The one exception
 *     is a server that commits for itself (commits_inline), which is how one thread serves best.
 *
 * Threads: one struct http_server per ingest thread, each driven by its own loop round http_server_step;
 * they share the port (SO_REUSEPORT). http_server_wake may be called from any thread.
 */
#ifndef ONYM_HTTP_HTTP_H
#define ONYM_HTTP_HTTP_H

#include "apply/apply.h"
#include "collect/collect.h"
#include "deliver/deliver.h"
#include "health/health.h"
#include "journal/journal.h"
#include "os/os.h"
#include "query/query.h"

/* What takes longer than an ingest thread may wait is done by worker threads, each a loop round
 * http_jobs_step with an arena of its own. One queue serves all servers. */
struct http_jobs;
/* A question is cut into tasks for up to workers_a_question of them, itself included; of long work at most long_max
 * runs at a time: with one worker more than that a look-up never waits for a question. */
struct http_jobs *http_jobs_open(uint32_t workers_a_question, uint32_t long_max);
/* Takes one exchange, or helps with a question; waits for either at most timeout_ms. */
void http_jobs_step(struct http_jobs *jobs, Arena arena, Millis timeout_ms);
void http_jobs_stop(struct http_jobs *jobs);             /* wakes all steps; takes no more */
void http_jobs_close(struct http_jobs *jobs);            /* accepts NULL */

/* The example site (examples/rdio) that `onym demo` serves, from the bytes that the build put into the program.
 * Accounts live in memory, 1,000 at the most. Driven by one server, which serves nothing else. */
typedef struct HttpSiteOptions {
    Str onym_url;                    /* where pages load the library from and send their calls; borrowed */
    Str write_key;                   /* whose they are; borrowed */
    struct clock *clock;
    struct dice *dice;
} HttpSiteOptions;
struct http_site;
struct http_site *http_site_open(const HttpSiteOptions *options);      /* NULL: no memory */
void http_site_close(struct http_site *site);            /* accepts NULL */

typedef struct HttpOptions {
    struct collector *collector;
    struct journal *journal;
    struct health *health;
    struct http_jobs *jobs;
    struct applier *applier;         /* who answers questions about people and events */
    struct deliver *deliver;         /* NULL: nothing is delivered by this process */
    struct deliver_rows deliver_rows;
    size_t query_memory_bytes;       /* of one question; 0: query/'s default */
    struct clock *clock;
    Str secret_key;                  /* reads and administers; empty: the reading API is closed */
    bool commits_inline;             /* this thread is the journal's committer as well */
    const Str *trusted_proxies;      /* "10.0.0.0/8", "::1": whose X-Forwarded-For and -Proto are believed; borrowed */
    size_t trusted_proxy_count;
    bool drops_ip;                   /* the client's address is not put into events */
    unsigned connection_limit;       /* 0: 16384 */
    size_t body_memory_bytes;        /* of all bodies in flight; 0: 256 MiB */
    Millis idle_timeout_ms;          /* silence on a connection; 0: 60 s */
    Millis request_timeout_ms;       /* from a connection's last answer to the next complete request; 0: 120 s */
    const char *tls_certificate_pem, *tls_key_pem;      /* texts, both or neither */
    struct http_site *site;          /* NULL: this server is Onym; else it is the example site and no more */
    bool (*is_ready)(void *context);                    /* for /readyz; NULL: always */
    void *is_ready_context;
} HttpOptions;

struct http_server;

/* A listening socket, shared with other servers of the same address. text: "127.0.0.1:8080",
 * "[::1]:8080", ":8080" (all addresses), "localhost:0" (any free port). ret_port: what it got. */
Status MUST http_listen(Str text, int *ret_socket, uint16_t *ret_port, Err *err);

/* Takes the socket. */
Status MUST http_server_open(const HttpOptions *options, int socket, struct http_server **ret, Err *err);
/* Serves what is ready, waiting for something at most timeout_ms. */
void http_server_step(struct http_server *server, Millis timeout_ms);
/* Stops accepting; requests that are in go on to be answered. */
void http_server_quiesce(struct http_server *server);
/* How many requests are between their first byte of body and their answer. */
size_t http_server_busy_count(const struct http_server *server);
void http_server_wake(struct http_server *server);
/* Accepts NULL. No append of it may be in the journal any more. */
void http_server_close(struct http_server *server);

/* The stub that pages paste into their head: window.analytics before the library is there. Static. */
Str http_snippet(void);

#endif
