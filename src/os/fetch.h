/* fetch: outgoing HTTP as a table of functions. Submit a request, call step, and get its answer by on_done.
 *
 * What it is not: it knows no destination, no retry, no JSON. A request is sent once; whoever submitted
 * it decides from the outcome whether to send it again. os_fetch.c does it by libcurl's multi interface
 * (HTTP/2 and keep-alive, bounded connections); tests/fakes/fake_fetch.c answers from a test's script.
 *
 * Rules, which both the real and the fake fetcher keep:
 *  1. on_done is called exactly once for every submitted request, from within step (never from submit);
 *     and not at all for a request that was cancelled.
 *  2. FETCH_NOT_SENT promises that the peer saw no byte of the request, so that repeating it can double
 *     nothing. FETCH_IN_DOUBT promises nothing: it may have been done.
 *  3. Redirects are not followed: a 3xx is an answer like any other.
 *  4. Unless a request says allow_private, an address that is not public is refused when the connection
 *     is made (or taken from those kept alive), after the name was resolved: FETCH_FORBIDDEN. A name that
 *     resolves to a public address when it is checked and to a private one later changes nothing.
 *  5. A proxy is used only if the options name it; the environment is not asked.
 * Threads: one thread; but any thread may call wake, which ends a waiting step.
 */
#ifndef ONYM_OS_FETCH_H
#define ONYM_OS_FETCH_H

#include "base/base.h"

struct sockaddr;

typedef struct FetchHeader {
    Str name, value;
} FetchHeader;

enum { FETCH_HEADERS = 32, FETCH_ERROR_BYTES = 200 };

typedef struct FetchRequest {
    Str method;                     /* GET, POST, PUT, PATCH, DELETE */
    Str url;                        /* http:// or https://, query and all */
    FetchHeader headers[FETCH_HEADERS];
    size_t header_count;
    Str body;                       /* empty: none */
    bool wants_gzip;                /* it goes as Content-Encoding: gzip, unless it is small */
    Millis connect_timeout_ms;      /* 0: 10 s */
    Millis timeout_ms;              /* for all of it; 0: 30 s */
    size_t answer_bytes_max;        /* of the body; the rest is cut off; 0: 64 KiB */
    bool allow_private;             /* loopback, private networks and the like are allowed */
    bool is_once;                   /* sending it twice would count twice: use a fresh connection, since if a kept one
                                       is dead the transport would send the request again by itself */
} FetchRequest;

typedef enum FetchOutcome {
    FETCH_ANSWERED,                 /* status and body are there */
    FETCH_NOT_SENT,                 /* no name, no connection, no TLS: nothing was sent */
    FETCH_IN_DOUBT,                 /* broke off or timed out after sending began */
    FETCH_FORBIDDEN,                /* the address is private, or the URL is not allowed */
} FetchOutcome;

typedef struct FetchAnswer {
    FetchOutcome outcome;
    int status;                     /* HTTP's status; 0: no answer */
    Str headers;                    /* raw lines of the last header block, at most 16 KiB */
    Str body;
    bool is_cut;                    /* there was more body than answer_bytes_max */
    Millis took_ms;
    char error[FETCH_ERROR_BYTES];  /* in words; empty if it was answered */
} FetchAnswer;

/* One request under way. The caller owns it and what its request borrows, until on_done. */
struct fetch {
    void (*on_done)(struct fetch *fetch, const FetchAnswer *answer);    /* answer is valid for the call */
    void *owner;
    void *handle;                   /* private to the fetcher */
};

typedef struct FetchStats {
    uint64_t submitted, answered, failed, forbidden, connections, sent_bytes, received_bytes;
    uint64_t under_way;
} FetchStats;

struct fetcher {
    /* ERR_INPUT: an impossible URL or header (the caller's data is wrong); on_done is not called. */
    Status (*submit)(struct fetcher *fetcher, const FetchRequest *request, struct fetch *fetch, Err *err);
    void (*cancel)(struct fetcher *fetcher, struct fetch *fetch);       /* on_done will not be called */
    /* Moves all requests on, and calls on_done for the finished ones; if there are none, waits at most wait_ms. */
    Status (*step)(struct fetcher *fetcher, Millis wait_ms, Err *err);
    void (*wake)(struct fetcher *fetcher);
    void (*read_stats)(struct fetcher *fetcher, FetchStats *ret);       /* same thread */
    void (*close)(struct fetcher *fetcher);                             /* cancels all; accepts NULL fields */
};

typedef struct FetchOptions {
    uint32_t connections_per_host;  /* 0: 16 */
    uint32_t connections_total;     /* 0: 128 */
    const char *proxy;              /* "http://proxy:3128"; NULL: none. With a proxy, it resolves the names,
                                       and it must keep rule 4 */
    const char *ca_file;            /* PEM of the authorities to trust; NULL: the system's */
    const char *user_agent;         /* NULL: "Onym/1" */
} FetchOptions;

/* The real one. Close it with fetcher->close. */
Status MUST os_fetcher_open(const FetchOptions *options, struct fetcher **ret, Err *err);

/* ERR_INPUT: such a request cannot be made: the URL is not an http:// or https:// URL of visible ASCII, or the method is
 * illegal, or a header's name is not a token or its value not visible ASCII. submit checks this first. */
Status MUST fetch_check_request(const FetchRequest *request, Err *err);
bool fetch_is_visible(Str text);            /* printable ASCII, blanks and tabs: what a header's value may have */

/* False for every address that is not on the public internet: loopback, private, link-local,
 * carrier-grade NAT, documentation, benchmarking, multicast, reserved, unspecified; for IPv6 also unique
 * local. An IPv6 address that carries an IPv4 address (mapped, compatible, 6to4, NAT64) is judged by that one.
 * *ret_why says which it is, in a word. */
bool fetch_address_is_public(const struct sockaddr *address, const char **ret_why);

/* The value of the first header of that name in an answer's headers; empty if there is none. */
Str fetch_header(Str headers, Str name);

#endif
