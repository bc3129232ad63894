/* fetch: outgoing HTTP as a table of functions. Submit a request, step, hear of its answer.
 *
 * What it is not: it knows no destination, no retry, no JSON. A request is sent once; whoever submitted
 * it decides from the outcome whether to send it again. os_fetch.c does it by libcurl's multi interface
 * (HTTP/2 and keep-alive, bounded connections); tests/fakes/fake_fetch.c answers from a test's script.
 *
 * Rules, which the real and the fake both keep:
 *  1. on_done is called exactly once for every submitted request, from within step (never from submit);
 *     not at all for one that was cancelled.
 *  2. FETCH_NOT_SENT promises that the peer saw no byte of the request, so that repeating it can double
 *     nothing. FETCH_IN_DOUBT promises nothing: it may have been done.
 *  3. Redirects are not followed: a 3xx is an answer like any other.
 *  4. Unless a request says allow_private, an address that is not public is refused when the connection
 *     is made (or taken from those kept alive), after the name was resolved: FETCH_FORBIDDEN. A name that
 *     resolves to a public address when asked and to a private one later gains nothing.
 *  5. No proxy is used that the options do not name; the environment is not asked.
 * Threads: one thread, but wake, which any thread may call to end a waiting step.
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
    size_t answer_bytes_max;        /* of the body; what is over it is cut off; 0: 64 KiB */
    bool allow_private;             /* loopback, private networks and the like are welcome */
    bool is_once;                   /* repeating it would count twice: a fresh connection, so that a dead one
                                       kept alive cannot make the transport send it again by itself */
} FetchRequest;

typedef enum FetchOutcome {
    FETCH_ANSWERED,                 /* status and body are there */
    FETCH_NOT_SENT,                 /* no name, no connection, no TLS: nothing was sent */
    FETCH_IN_DOUBT,                 /* broke off or timed out after sending began */
    FETCH_FORBIDDEN,                /* the address is private, or the URL is none that is allowed */
} FetchOutcome;

typedef struct FetchAnswer {
    FetchOutcome outcome;
    int status;                     /* of HTTP; 0 without an answer */
    Str headers;                    /* raw lines of the last header block, at most 16 KiB */
    Str body;
    bool is_cut;                    /* there was more body than answer_bytes_max */
    Millis took_ms;
    char error[FETCH_ERROR_BYTES];  /* in words, unless answered */
} FetchAnswer;

/* One request under way. The caller owns it and what its request borrows, until on_done. */
struct fetch {
    void (*on_done)(struct fetch *fetch, const FetchAnswer *answer);    /* the answer dies with the call */
    void *owner;
    void *handle;                   /* the fetcher's */
};

typedef struct FetchStats {
    uint64_t submitted, answered, failed, forbidden, connections, sent_bytes, received_bytes;
    uint64_t under_way;
} FetchStats;

struct fetcher {
    /* ERR_INPUT: a URL or header that can be none (the caller's data is at fault); on_done is not called. */
    Status (*submit)(struct fetcher *fetcher, const FetchRequest *request, struct fetch *fetch, Err *err);
    void (*cancel)(struct fetcher *fetcher, struct fetch *fetch);       /* no on_done any more */
    /* Moves everything on, calls on_done for what is finished; waits at most wait_ms when nothing is. */
    Status (*step)(struct fetcher *fetcher, Millis wait_ms, Err *err);
    void (*wake)(struct fetcher *fetcher);
    void (*read_stats)(struct fetcher *fetcher, FetchStats *ret);       /* same thread */
    void (*close)(struct fetcher *fetcher);                             /* cancels all; accepts NULL fields */
};

typedef struct FetchOptions {
    uint32_t connections_per_host;  /* 0: 16 */
    uint32_t connections_total;     /* 0: 128 */
    const char *proxy;              /* "http://proxy:3128"; NULL: none. With one, it resolves the names
                                       and rule 4 is the proxy's to keep */
    const char *ca_file;            /* PEM of the authorities to trust; NULL: the system's */
    const char *user_agent;         /* NULL: "Onym/1" */
} FetchOptions;

/* The real one. The caller closes by fetcher->close. */
Status MUST os_fetcher_open(const FetchOptions *options, struct fetcher **ret, Err *err);

/* ERR_INPUT where no such request can be made: a URL that is no http:// or https:// one of visible ASCII, an illegal
 * method, a header whose name is no token or whose value is not visible ASCII. submit asks this first. */
Status MUST fetch_check_request(const FetchRequest *request, Err *err);
bool fetch_is_visible(Str text);            /* printable ASCII, blanks and tabs: what a header's value may have */

/* False for every address that is not somebody's on the public internet: loopback, private, link-local,
 * carrier-grade NAT, documentation, benchmarking, multicast, reserved, unspecified; for IPv6 also unique
 * local, and the ones that carry an IPv4 address (mapped, compatible, 6to4, NAT64) by that address.
 * *ret_why says which, in a word. */
bool fetch_address_is_public(const struct sockaddr *address, const char **ret_why);

/* The value of the first header of that name in an answer's headers; empty where there is none. */
Str fetch_header(Str headers, Str name);

#endif
