/* http_exchange: one request and its reply, as the files of this folder see them. They are what routes work with. */
#ifndef ONYM_HTTP_EXCHANGE_H
#define ONYM_HTTP_EXCHANGE_H

#include <stdatomic.h>

#include "http.h"

typedef enum Method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_DELETE, METHOD_OPTIONS, METHOD_OTHER } Method;

struct exchange;
typedef void RouteHandler(struct exchange *exchange);
typedef void ExchangeWork(struct exchange *exchange, Arena *arena);

typedef enum RouteFlags {
    ROUTE_COLLECT = 1,               /* any origin, preflight, errors as SDKs parse them */
    ROUTE_SECRET = 2,                /* needs the secret key */
    ROUTE_PUBLIC = 4,                /* read by browsers of any origin (settings, library) */
    ROUTE_WORKER = 16,               /* by a worker thread: the app's work, instead of handle */
    ROUTE_LONG = 32,                 /* … and it may take seconds: few of them run at a time */
    ROUTE_ANALYST = 64,              /* with ROUTE_SECRET: a key or session of this role may, too */
    ROUTE_READER = 128,              /* … and of this. Without either it is the administrator's: reading what nobody
                                        thought of is refused, and orders are */
    ROUTE_QUIET = 256,               /* no order that anybody wants to read of in the log */
    ROUTE_MASKED = 512,              /* with ROUTE_READER: the app masks what it says of people (exchange->role) */
    ROUTE_PROFILE = 8,               /* Segment's Profile API: answers carry a Request-Id */
} RouteFlags;

typedef struct Route {
    Method method;
    const char *path;                /* "*" stands for one segment, kept as the parameter; "**" for the rest */
    RouteHandler *handle;
    int flags;
    EventType implied_type;
} Route;

/* What a server serves. Routes are found once a request's head is there; all of it on the server's thread. */
typedef struct HttpApp {
    /* NULL and *ret_known_path where the path exists with other methods. */
    const Route *(*find)(Method method, Str path, Str *ret_parameter, bool *ret_known_path);
    ExchangeWork *work;              /* of a route with ROUTE_WORKER: leaves a reply */
    const Route *missing;            /* of a page that is not there (GET, HEAD); NULL: an error says so */
    void (*rewrite)(struct exchange *exchange);                   /* before find: another path, for this one; NULL */
    void (*on_durable)(struct exchange *exchange, Status status);        /* what it submitted is on disk, or not */
    void (*explain_missing)(struct exchange *exchange, Err *err);        /* adds to a 404 what may be why; NULL */
    void (*on_order)(struct exchange *exchange);                  /* it was an order, and is answered; NULL */
} HttpApp;

typedef struct Reply {
    unsigned status;
    const char *content_type;        /* NULL: application/json */
    Str body;                        /* static, or in exchange->answer */
    Millis retry_after_ms;           /* 0: no such header */
    const char *cache_control;       /* NULL: no-store */
    const char *etag;                /* NULL: none */
    const char *location;            /* of a redirect; NULL: none */
    const char *varies;              /* the Vary header beside Origin; NULL: none */
    size_t cookie_at[2], cookie_count;   /* Set-Cookie texts: where they begin in exchange->answer */
    const char *policy;              /* Content-Security-Policy; NULL: none */
    const char *encoding;            /* the body is "gzip" or "br" already; NULL: plain */
    bool is_apart;                   /* no page of elsewhere has a handle on it, or is told of it */
    bool asks_for_key;               /* 401: WWW-Authenticate */
} Reply;

typedef enum ExchangeState {
    EXCHANGE_HEAD,                   /* nothing but the head is there yet */
    EXCHANGE_BODY,                   /* body arriving */
    EXCHANGE_WAITING,                /* suspended until the journal answers */
    EXCHANGE_WORKING,                /* suspended until a worker thread has answered */
    EXCHANGE_ANSWERED,               /* reply is set, to be queued */
    EXCHANGE_QUEUED,                 /* the server library has it */
} ExchangeState;

enum { OWN_PATH_BYTES = 512, WHO_BYTES = ACCESS_NAME_BYTES + 16, HTTP_FORWARDED_LINES = 8 };

/* An answer without an end (http_stream.c). It is pulled: a piece is asked for when the socket has taken all of the one
 * before it, and there is something to say; so a client that takes nothing costs nothing but its connection. */
typedef enum StreamStep { STREAM_MORE, STREAM_WAIT, STREAM_END } StreamStep;
typedef struct HttpStream {
    /* The server's thread, several times a second: is there anything to say? Must be brief. */
    bool (*is_due)(struct exchange *exchange);
    /* A worker: appends a bounded piece, or nothing. STREAM_MORE: ask again as soon as it is out. */
    StreamStep (*fill)(struct exchange *exchange, Arena *arena, struct buf *out);
    void (*close)(struct exchange *exchange);        /* any thread, once: gives back what is behind stream_context */
} HttpStream;

struct exchange {
    struct exchange *next;           /* free list, or the list of those whose append is durable */
    struct http_server *server;
    struct connection *connection;
    ExchangeState state;
    const Route *route;
    Method method;
    struct buf head;                 /* the request's head: what the strings borrow from */
    Str method_text, path, query, parameter;
    char own_path[OWN_PATH_BYTES];   /* the path, where it was below a source's own (api_own.c) */
    Str authorization, header_key, origin, content_encoding, content_length, user_agent;
    Str forwarded_for[HTTP_FORWARDED_LINES];              /* X-Forwarded-For: several lines are one list */
    size_t forwarded_count;
    Str referer, fetch_site, content_type, last_event_id;
    Str forwarded_proto, host, accept, accept_encoding, if_none_match, request_headers, import_header, cookie;
    Str ip;
    bool is_tls;
    bool closes;                     /* the connection ends with the answer */
    bool is_1_0;                     /* HTTP/1.0: knows no chunks */
    bool is_broken;                  /* its framing is refused: nothing after it is a request */
    bool has_body, expects_continue;
    bool is_whole;                   /* all of its body was read */
    struct buf body;
    size_t body_charged_bytes;       /* counted against body_memory_bytes */
    int64_t began_ns;                /* its first byte */
    Millis received_at_ms;           /* the same, by the wall clock */
    /* work for another thread; that thread alone touches the exchange until it hands it back */
    ExchangeWork *work;
    bool is_deferred;                /* a worker has it; the server's thread alone reads and writes this */
    atomic_bool is_cancelled;        /* the client went away: work may end early */
    bool is_long;                    /* set by the handler: work that may take seconds */
    atomic_uint progress_done, progress_all;       /* of a question's tasks */
    struct exchange *working_before, *working_after;
    /* who asks, where the route wants to know */
    AccessRole role;
    AccessSession session;           /* id empty: by a key */
    char about[72];                  /* of an order: what it is about, where its path does not say; for on_order */
    char who[WHO_BYTES];             /* "session 0123456789abcdef", "key dashboard"; of what is logged and kept */
    /* collection */
    struct journal_append *append;
    CollectResult collected;
    Status committed;                /* what the journal said of them */
    /* the reply */
    Reply reply;
    struct buf answer;
    /* an answer without an end: its reply is the head of it, then come pieces; NULL: it is a plain one */
    const HttpStream *stream;
    void *stream_context;
    StreamStep stream_step;          /* what the last piece said */
    bool is_piece;                   /* the head is out */
};

/* What a handler may use of its server. */
const void *exchange_context(const struct exchange *exchange);      /* the options' context: the app's own */
const HttpOptions *exchange_options(const struct exchange *exchange);
struct collect_workspace *exchange_workspace(struct exchange *exchange);
Arena *exchange_arena(struct exchange *exchange);            /* reset before each handler; dies with it */

/* Hands the filled append to the journal; the exchange waits for on_durable. On failure replies itself. */
void exchange_submit(struct exchange *exchange);
struct journal_append *exchange_take_append(struct exchange *exchange);

/* Lets a worker thread run work, which must leave a reply. Replies 503 where too much is waiting. */
void exchange_defer(struct exchange *exchange, ExchangeWork *work);
/* By a worker, in place of a reply: 200, and from then on pieces. Nothing is lost where the client has left meanwhile:
 * stream->close is called whatever happens. The answer is neither cached nor compressed nor buffered on its way, and
 * its connection ends with it. It ends at once when the server stops, or the client closes its side. */
void exchange_stream(struct exchange *exchange, const HttpStream *stream, void *context, const char *content_type);
/* Worker's thread: the reply is set; the server's own thread sends it. */
void exchange_hand_back(struct exchange *exchange);
bool http_jobs_submit(struct http_jobs *jobs, struct exchange *exchange);
/* The tasks of one piece of work that runs on a worker, done by all who have time. */
void http_jobs_share(void *jobs, HttpTask *task, void *context, uint32_t count);
uint32_t http_jobs_seats(const struct http_jobs *jobs);
/* Tells of all long work: what runs, then what waits, oldest first. Under the lock of the jobs: tell must be brief,
 * and read only what an exchange keeps as it is until it is handed back. */
void http_jobs_list(struct http_jobs *jobs, void (*tell)(void *context, struct exchange *exchange, bool is_running),
                    void *context);

/* ---- Routes (http_route.c) ---- */
/* Rows that begin with a Route, stride bytes each. */
typedef struct RouteTable {
    const Route *rows;
    size_t count, stride;
} RouteTable;
/* NULL and *ret_known_path where the path exists with other methods. */
const Route *route_find_among(RouteTable table, Method method, Str path, Str *ret_parameter, bool *ret_known_path);
/* Joins slashes that follow each other: who gives an SDK "host/" sends to "//v1/batch". The new length. */
size_t route_join_slashes(char *path, size_t len);
Method method_from(Str word);

/* ---- Proxies (http_proxy.c) ---- */
struct sockaddr;
/* "203.0.113.7", "2001:db8::1"; IPv4 within IPv6 as IPv4; empty for what is neither. text: INET6_ADDRSTRLEN. */
void proxy_format_address(const struct sockaddr *address, char *text);
bool proxy_parse_address(Str text, unsigned char address[16]);
bool proxy_is_trusted(const Str *networks, size_t count, Str peer);
/* The client's address, given the peer's and what the lines of X-Forwarded-For claim. Borrows from its arguments. */
Str proxy_find_client(const Str *networks, size_t count, Str peer, const Str *lines, size_t line_count);

/* ---- Access (http_access.c) ---- */
/* The origin of the page that sent the request, by Origin or else by Referer; empty where it says neither. */
Str exchange_page(const struct exchange *exchange);
/* Did a page that is not served from here make a browser send this? */
bool exchange_is_foreign(const struct exchange *exchange);
/* The address of whoever asks, by X-Forwarded-For where its proxy is trusted, even where none goes into events. */
Str exchange_peer(const struct exchange *exchange);
/* Did it come by TLS, to us or to a proxy that is trusted? */
bool exchange_is_secure(const struct exchange *exchange);
/* Does a page of our own ask? For what a cookie stands for: the browser must say so. */
bool exchange_is_own_page(const struct exchange *exchange);
/* The name of the session's cookie, which by TLS no other host and no plain connection can set. */
const char *exchange_cookie_name(const struct exchange *exchange);
/* Has its route no need of a key, or does it bring one that may, or a session? Else false, and a reply. Who it is
 * stands in the exchange then. Sessions never count for collection: its routes do not ask this. */
bool exchange_may(struct exchange *exchange);
/* Whose key this is that came with a request. ERR_DENIED: nobody's, and a guess counts against the address; ERR_RATE:
 * there were too many, and the reply's Retry-After is set. */
Status MUST exchange_find_key(struct exchange *exchange, Str key, AccessFound *ret, Err *err);
/* Of an answer without an end: may whoever asked still? Not once the session was ended, or the key taken out. */
bool exchange_may_still(struct exchange *exchange, Arena *arena);
void reply_foreign(struct exchange *exchange);

/* ---- Replies (http_reply.c) ---- */
unsigned reply_status_of(Status status, bool is_collect);
void reply_error(struct exchange *exchange, Status status, const Err *err);
void reply_text(struct exchange *exchange, unsigned status, const char *content_type, Str body);

/* The value of a query parameter, percent-decoded into the arena; empty where it is not given. */
Str query_parameter(Str query, Str name, Arena *arena);

#endif
