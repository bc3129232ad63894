/* http_exchange: one request and its reply, as the files of this folder see them. Private to http/. */
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
} RouteFlags;

typedef struct Route {
    Method method;
    const char *path;                /* "*" stands for one segment, kept as the parameter; "**" for the rest */
    RouteHandler *handle;
    int flags;
    EventType implied_type;
} Route;

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
    bool is_gzip;                    /* the body is gzip already */
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

struct exchange {
    struct exchange *next;           /* free list, or the list of those whose append is durable */
    struct http_server *server;
    void *connection;
    ExchangeState state;
    /* the request; strings borrow from the connection, but path and query, which are the exchange's */
    const Route *route;
    Method method;
    char *target;                    /* path and query as sent, owned */
    Str path, query, parameter;
    Str authorization, header_key, origin, content_encoding, content_length, user_agent, forwarded_for;
    Str forwarded_proto, host, accept_encoding, if_none_match, request_headers, import_header, cookie;
    Str ip;
    bool is_tls;
    bool is_ambiguous;               /* two servers could see different bodies in it */
    bool has_transfer_encoding;
    struct buf body;
    size_t body_charged_bytes;       /* counted against body_memory_bytes */
    size_t forgotten_bytes;          /* of a refused body */
    int64_t began_ns;
    /* work for another thread; that thread alone touches the exchange until it hands it back */
    ExchangeWork *work;
    bool is_deferred;                /* a worker has it; the server's thread alone reads and writes this */
    atomic_bool is_cancelled;        /* the client went away: work may end early */
    bool is_long;                    /* set by the handler: work that may take seconds */
    atomic_uint progress_done, progress_all;       /* of a question's tasks */
    struct exchange *working_before, *working_after;
    /* collection */
    struct journal_append *append;
    CollectResult collected;
    Status committed;                /* what the journal said of them */
    /* the reply */
    Reply reply;
    struct buf answer;
};

/* What a handler may use of its server. */
const HttpOptions *exchange_options(const struct exchange *exchange);
struct collect_worker *exchange_worker(struct exchange *exchange);
Arena *exchange_arena(struct exchange *exchange);            /* reset before each handler; dies with it */

/* Hands the filled append to the journal; the exchange waits for on_durable. On failure replies itself. */
void exchange_submit(struct exchange *exchange);
struct journal_append *exchange_take_append(struct exchange *exchange);

/* Lets a worker thread run work, which must leave a reply. Replies 503 where too much is waiting. */
void exchange_defer(struct exchange *exchange, ExchangeWork *work);
/* Worker's thread: the reply is set; the server's own thread sends it. */
void exchange_hand_back(struct exchange *exchange);
bool http_jobs_submit(struct http_jobs *jobs, struct exchange *exchange);
/* The QueryPool of a question that runs on a worker. */
void http_jobs_share(void *jobs, QueryTask *task, void *context, uint32_t count);
uint32_t http_jobs_seats(const struct http_jobs *jobs);
/* Tells of all long work: what runs, then what waits, oldest first. Under the lock of the jobs: tell must be brief,
 * and read only what an exchange keeps as it is until it is handed back. */
void http_jobs_list(struct http_jobs *jobs, void (*tell)(void *context, struct exchange *exchange, bool is_running),
                    void *context);

/* ---- Routes (http_route.c) ---- */
/* NULL and *ret_known_path where the path exists with other methods. */
const Route *route_find_among(const Route *table, size_t count, Method method, Str path, Str *ret_parameter,
                              bool *ret_known_path);
const Route *route_find(Method method, Str path, Str *ret_parameter, bool *ret_known_path);
Method method_from(const char *word);

/* The example site's (http_site.c), for a server that has options.site. */
const Route *http_site_route(Method method, Str path, bool *ret_known_path);
void http_site_durable(struct exchange *exchange, Status status);    /* the site's own call is on disk, or not */

/* ---- Proxies (http_proxy.c) ---- */
struct sockaddr;
/* "203.0.113.7", "2001:db8::1"; IPv4 within IPv6 as IPv4; empty for what is neither. text: INET6_ADDRSTRLEN. */
void proxy_format_address(const struct sockaddr *address, char *text);
bool proxy_parse_address(Str text, unsigned char address[16]);
bool proxy_is_trusted(const Str *networks, size_t count, Str peer);
/* The client's address, given the peer's and what X-Forwarded-For claims. Borrows from its arguments. */
Str proxy_find_client(const Str *networks, size_t count, Str peer, Str forwarded_for);

/* ---- Replies (http_reply.c) ---- */
unsigned reply_status_of(Status status, bool is_collect);
void reply_error(struct exchange *exchange, Status status, const Err *err);
void reply_text(struct exchange *exchange, unsigned status, const char *content_type, Str body);

/* The value of a query parameter, percent-decoded into the arena; empty where it is not given. */
Str query_parameter(Str query, Str name, Arena *arena);
/* Percent and plus decoding; bytes that are no hex stay as they are. */
Str percent_decode(Str text, bool plus_is_space, Arena *arena);

/* ---- Handlers ---- */
void http_track(struct exchange *exchange);                  /* POST of messages and batches */
void http_track_query(struct exchange *exchange);            /* pixel and JSONP */
void http_track_durable(struct exchange *exchange, Status status);   /* its records are on disk, or not */
void http_client_metrics(struct exchange *exchange);         /* /v1/m */
void http_preflight(struct exchange *exchange);
void http_settings(struct exchange *exchange);
void http_library(struct exchange *exchange);
void http_cookie(struct exchange *exchange);                 /* /v1/cookie */
void http_root(struct exchange *exchange);
void http_people_resolve(struct exchange *exchange);         /* these run on a worker thread */
void http_people_why(struct exchange *exchange);
void http_people_search(struct exchange *exchange);
void http_people_one(struct exchange *exchange);
void http_people_events(struct exchange *exchange);
void http_people_links(struct exchange *exchange);
void http_people_history(struct exchange *exchange);         /* http_people_traits.c */
void http_people_groups(struct exchange *exchange);
void http_group(struct exchange *exchange);
void http_people_unmerge(struct exchange *exchange);         /* http_commands.c */
void http_people_restore(struct exchange *exchange);
void http_suppress(struct exchange *exchange);
void http_unsuppress(struct exchange *exchange);
void http_suppressed(struct exchange *exchange);
void http_people_erase(struct exchange *exchange);           /* http_erase.c */
void http_people_export(struct exchange *exchange);          /* http_person_export.c */
void http_erasures(struct exchange *exchange);
void http_erasure(struct exchange *exchange);
void http_group_members(struct exchange *exchange);
void http_profile_traits(struct exchange *exchange);         /* Segment's Profile API: http_profiles.c */
void http_profile_ids(struct exchange *exchange);
void http_profile_events(struct exchange *exchange);
void http_profile_metadata(struct exchange *exchange);
void http_profile_links(struct exchange *exchange);
void http_account_traits(struct exchange *exchange);         /* http_accounts.c */
void http_account_ids(struct exchange *exchange);
void http_account_metadata(struct exchange *exchange);
void http_account_links(struct exchange *exchange);
void http_query_funnel(struct exchange *exchange);           /* questions: http_query.c */
void http_query_funnel_people(struct exchange *exchange);
void http_query_trends(struct exchange *exchange);
void http_query_retention(struct exchange *exchange);
void http_query_paths(struct exchange *exchange);
void http_query_signups(struct exchange *exchange);
void http_questions(struct exchange *exchange);              /* what is being asked now */
void http_query_events(struct exchange *exchange);
void http_destinations(struct exchange *exchange);           /* these too: http_destinations.c */
void http_destinations_one(struct exchange *exchange);
void http_destinations_dead(struct exchange *exchange);
void http_destinations_user_hash(struct exchange *exchange);
void http_destinations_replay(struct exchange *exchange);
void http_destinations_redo(struct exchange *exchange);
void http_destinations_test(struct exchange *exchange);
void http_destinations_metrics(struct deliver *deliver, struct buf *out);      /* rows of /metrics */
void http_healthz(struct exchange *exchange);
void http_readyz(struct exchange *exchange);
void http_metrics(struct exchange *exchange);

#endif
