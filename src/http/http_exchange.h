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
    ROUTE_COLLECT = 1,               /* any origin, preflight, errors in the form that SDKs parse */
    ROUTE_SECRET = 2,                /* needs the secret key */
    ROUTE_PUBLIC = 4,                /* read by browsers of any origin (settings, library) */
    ROUTE_WORKER = 16,               /* a worker thread runs the app's work, instead of handle */
    ROUTE_LONG = 32,                 /* … and it may take seconds: few of them run at a time */
    ROUTE_ANALYST = 64,              /* with ROUTE_SECRET: a key or session of this role may ask, too */
    ROUTE_READER = 128,              /* … and of this role. Without either only an administrator may: so a new route
                                        is closed until somebody decides, and orders are always his */
    ROUTE_QUIET = 256,               /* it is an order, but nobody needs to read of it in the log */
    ROUTE_MASKED = 512,              /* with ROUTE_READER: the app masks what the answer says of people
                                        (exchange->role) */
    ROUTE_PROFILE = 8,               /* Segment's Profile API: answers have a Request-Id */
} RouteFlags;

typedef struct Route {
    Method method;
    const char *path;                /* "*" stands for one segment, kept as the parameter; "**" for the rest */
    RouteHandler *handle;
    int flags;
    EventType implied_type;
} Route;

/* What a server serves. Routes are looked up as soon as a request's head is there; all calls are on the server's
 * thread, except for work. */
typedef struct HttpApp {
    /* NULL, with *ret_known_path: the path exists, but with other methods. */
    const Route *(*find)(Method method, Str path, Str *ret_parameter, bool *ret_known_path);
    ExchangeWork *work;              /* for routes with ROUTE_WORKER: must leave a reply */
    const Route *missing;            /* the page for unknown paths (GET, HEAD); NULL: an error says so */
    void (*rewrite)(struct exchange *exchange);                   /* called before find: may change the path; or NULL */
    void (*on_durable)(struct exchange *exchange, Status status);        /* what it submitted is on disk, or failed */
    void (*explain_missing)(struct exchange *exchange, Err *err);        /* adds a likely cause to a 404; or NULL */
    void (*on_order)(struct exchange *exchange);                  /* an order was answered; or NULL */
} HttpApp;

typedef struct Reply {
    unsigned status;
    const char *content_type;        /* NULL: application/json */
    Str body;                        /* static, or in exchange->answer */
    Millis retry_after_ms;           /* 0: no such header */
    const char *cache_control;       /* NULL: no-store */
    const char *etag;                /* NULL: none */
    const char *location;            /* of a redirect; NULL: none */
    const char *varies;              /* what the Vary header names besides Origin; NULL: nothing */
    size_t cookie_at[2], cookie_count;   /* Set-Cookie texts: where they begin in exchange->answer */
    const char *policy;              /* Content-Security-Policy; NULL: none */
    const char *encoding;            /* the body is "gzip" or "br" already; NULL: plain */
    bool is_apart;                   /* no page of another origin can hold its window or read it */
    bool asks_for_key;               /* 401: WWW-Authenticate */
} Reply;

typedef enum ExchangeState {
    EXCHANGE_HEAD,                   /* nothing but the head is there yet */
    EXCHANGE_BODY,                   /* body arriving */
    EXCHANGE_WAITING,                /* suspended until the journal answers */
    EXCHANGE_WORKING,                /* suspended until a worker thread has answered */
    EXCHANGE_ANSWERED,               /* reply is set, to be queued */
    EXCHANGE_QUEUED,                 /* the connection is sending it */
} ExchangeState;

enum { OWN_PATH_BYTES = 512, WHO_BYTES = ACCESS_NAME_BYTES + 16, HTTP_FORWARDED_LINES = 8 };

/* An answer without an end (http_stream.c). A piece is made when the socket has taken all of the piece
 * before, and there is something to say; so a client that takes nothing costs nothing but its connection. */
typedef enum StreamStep { STREAM_MORE, STREAM_WAIT, STREAM_END } StreamStep;
typedef struct HttpStream {
    /* Called on the server's thread, several times a second: is there anything to say? Must be brief. */
    bool (*is_due)(struct exchange *exchange);
    /* Called by a worker: appends a bounded piece, or nothing. STREAM_MORE: call again as soon as it is sent. */
    StreamStep (*fill)(struct exchange *exchange, Arena *arena, struct buf *out);
    void (*close)(struct exchange *exchange);        /* any thread, once: frees stream_context */
} HttpStream;

struct exchange {
    struct exchange *next;           /* in the free list, or in the list of durable ones */
    struct http_server *server;
    struct connection *connection;
    ExchangeState state;
    const Route *route;
    Method method;
    struct buf head;                 /* the request's head: what the strings borrow from */
    Str method_text, path, query, parameter;
    char own_path[OWN_PATH_BYTES];   /* the path, if it was below a source's own_path (api_own.c) */
    Str authorization, header_key, origin, content_encoding, content_length, user_agent;
    Str forwarded_for[HTTP_FORWARDED_LINES];              /* X-Forwarded-For: several lines are one list */
    size_t forwarded_count;
    Str referer, fetch_site, content_type, last_event_id;
    Str mcp_version, mcp_method, mcp_name;
    Str forwarded_proto, host, accept, accept_encoding, if_none_match, request_headers, import_header, cookie;
    Str ip;
    bool is_tls;
    bool closes;                     /* the connection ends with the answer */
    bool is_1_0;                     /* HTTP/1.0: knows no chunks */
    bool is_broken;                  /* its framing is refused: no request can follow it */
    bool has_body, expects_continue;
    bool is_whole;                   /* all of its body was read */
    struct buf body;
    size_t body_charged_bytes;       /* counted against body_memory_bytes */
    int64_t began_ns;                /* its first byte */
    Millis received_at_ms;           /* the same, by the wall clock */
    /* work for another thread; that thread alone touches the exchange until it hands it back */
    ExchangeWork *work;
    bool is_deferred;                /* a worker has it; only the server's thread uses this */
    atomic_bool is_cancelled;        /* the client went away: work may end early */
    bool is_long;                    /* the handler sets it: the work may take seconds */
    atomic_uint progress_done, progress_all;       /* of a question's tasks */
    struct exchange *working_before, *working_after;
    /* who asks, if the route needs to know */
    AccessRole role;
    AccessSession session;           /* id empty: by a key */
    char about[72];                  /* an order: what it is about, if its path does not say so; for on_order */
    char who[WHO_BYTES];             /* "session 0123456789abcdef", "key dashboard": as it is logged */
    /* collection */
    struct journal_append *append;
    CollectResult collected;
    Status committed;                /* what the journal answered */
    /* the reply */
    Reply reply;
    struct buf answer;
    /* an answer without an end: reply is its head, and pieces follow; NULL: it is a plain one */
    const HttpStream *stream;
    void *stream_context;
    StreamStep stream_step;          /* what the last piece said */
    bool is_piece;                   /* the head is sent */
};

/* What a handler may use of its server. */
const void *exchange_context(const struct exchange *exchange);      /* the options' context: the app's own */
const HttpOptions *exchange_options(const struct exchange *exchange);
struct collect_workspace *exchange_workspace(struct exchange *exchange);
Arena *exchange_arena(struct exchange *exchange);            /* reset before each handler; valid until it returns */

/* Gives the filled append to the journal; the exchange waits for on_durable. If that fails it replies itself. */
void exchange_submit(struct exchange *exchange);
struct journal_append *exchange_take_append(struct exchange *exchange);

/* Lets a worker thread run work, which must leave a reply. Replies 503 if too much is waiting. */
void exchange_defer(struct exchange *exchange, ExchangeWork *work);
/* Called by a worker, instead of a reply: 200, and from then on pieces. stream->close is called whatever happens,
 * even if the client has left meanwhile. The answer is not cached, compressed or buffered on its way, and
 * its connection ends with it. It ends at once when the server stops, or when the client closes its side. */
void exchange_stream(struct exchange *exchange, const HttpStream *stream, void *context, const char *content_type);
/* Worker's thread: the reply is set; the server's own thread sends it. */
void exchange_hand_back(struct exchange *exchange);
bool http_jobs_submit(struct http_jobs *jobs, struct exchange *exchange);
/* Runs the tasks of one piece of work that is on a worker; all workers that have time help. */
void http_jobs_share(void *jobs, HttpTask *task, void *context, uint32_t count);
uint32_t http_jobs_seats(const struct http_jobs *jobs);
/* Calls tell for all long work: first what runs, then what waits, oldest first. The lock of the jobs is held: tell
 * must be brief, and may read only what an exchange does not change until it is handed back. */
void http_jobs_list(struct http_jobs *jobs, void (*tell)(void *context, struct exchange *exchange, bool is_running),
                    void *context);

/* ---- Routes (http_route.c) ---- */
/* Rows that begin with a Route, stride bytes each. */
typedef struct RouteTable {
    const Route *rows;
    size_t count, stride;
} RouteTable;
/* NULL, with *ret_known_path: the path exists, but with other methods. */
const Route *route_find_among(RouteTable table, Method method, Str path, Str *ret_parameter, bool *ret_known_path);
/* Joins slashes that follow each other: an SDK that was given "host/" sends to "//v1/batch". Gives the new length. */
size_t route_join_slashes(char *path, size_t len);
Method method_from(Str word);

/* ---- Proxies (http_proxy.c) ---- */
struct sockaddr;
/* "203.0.113.7", "2001:db8::1"; IPv4 within IPv6 as IPv4; empty for other addresses. text: INET6_ADDRSTRLEN. */
void proxy_format_address(const struct sockaddr *address, char *text);
bool proxy_parse_address(Str text, unsigned char address[16]);
bool proxy_is_trusted(const Str *networks, size_t count, Str peer);
/* The client's address, from the peer's and from what the lines of X-Forwarded-For claim. Borrows from its arguments.
 * */
Str proxy_find_client(const Str *networks, size_t count, Str peer, const Str *lines, size_t line_count);

/* ---- Access (http_access.c) ---- */
/* The origin of the page that sent the request, by Origin or else by Referer; empty if there is neither. */
Str exchange_page(const struct exchange *exchange);
/* Did a page that is not served from here make a browser send this? */
bool exchange_is_foreign(const struct exchange *exchange);
/* The address of whoever asks, by X-Forwarded-For if its proxy is trusted, even if events get no address. */
Str exchange_peer(const struct exchange *exchange);
/* Did it come by TLS, to us or to a trusted proxy? */
bool exchange_is_secure(const struct exchange *exchange);
/* Does a page of our own ask? Needed if a cookie stands for a session: the browser must say so. */
bool exchange_is_own_page(const struct exchange *exchange);
/* The name of the session's cookie, which by TLS no other host and no plain connection can set. */
const char *exchange_cookie_name(const struct exchange *exchange);
/* May this request use its route: does the route need no key, or does the request bring a key with the right role, or a
 * session? False: it replied. Who asks is in the exchange then. Sessions never count for collection: its routes do not
 * call this. */
bool exchange_may(struct exchange *exchange);
/* May whoever asks use a route of these flags, too? */
bool exchange_role_may(const struct exchange *exchange, int flags);
/* The role of a key that came with a request. ERR_DENIED: it is nobody's, and counts as a guess from the address;
 * ERR_RATE: there were too many, and the reply's Retry-After is set. */
Status MUST exchange_find_key(struct exchange *exchange, Str key, AccessFound *ret, Err *err);
/* For an answer without an end: may whoever asked go on? No once the session was ended, or the key removed. */
bool exchange_may_still(struct exchange *exchange, Arena *arena);
void reply_foreign(struct exchange *exchange);

/* ---- Replies (http_reply.c) ---- */
unsigned reply_status_of(Status status, bool is_collect);
void reply_error(struct exchange *exchange, Status status, const Err *err);
void reply_text(struct exchange *exchange, unsigned status, const char *content_type, Str body);

/* The value of a query parameter, percent-decoded into the arena; empty if it is not given. */
Str http_parameter(Str query, Str name, Arena *arena);

#endif
