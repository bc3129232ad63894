/* api_routes: what a route does, one function each. Private to api/. */
#ifndef ONYM_API_ROUTES_H
#define ONYM_API_ROUTES_H

#include "api.h"

typedef Status PeopleAnswer(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err);
typedef Status DestinationAnswer(struct exchange *exchange, struct deliver *deliver, Arena *arena, struct buf *out,
                                 Err *err);
typedef Status PlainAnswer(struct exchange *exchange, Arena *arena, struct buf *out, Err *err);

/* What a path does. The server's thread does it (route.handle), or a worker, which writes an answer or says why not, by
 * one of three functions. people: under the applier's reading guard, at one moment; destination: only if destinations
 * run. */
typedef struct ApiRoute {
    Route route;                     /* first: the exchange's route is this row */
    PeopleAnswer *people;
    DestinationAnswer *destination;
    PlainAnswer *plain;
    QueryKind question;              /* of api_ask */
    unsigned status;                 /* of an answer without an error */
    const char *content_type;        /* NULL: JSON */
} ApiRoute;

static inline const ApiRoute *api_row(const struct exchange *exchange)
{
    return (const ApiRoute *)(const void *)exchange->route;
}

static inline const ApiOptions *api_options(const struct exchange *exchange) { return exchange_context(exchange); }

/* Every path that there is (api_routes.c). */
extern const ApiRoute api_routes[];
extern const size_t api_route_count;

/* ---- Derived state and its distance from the journal ---- */
/* api_slow.c. Must a request of collection come again, since derived state is too far behind? Asked before its
 * body is read, and again when its source and size are known. True: it was refused, and has its reply. */
typedef enum SlowKind { SLOW_IMPORT, SLOW_BATCH, SLOW_SINGLE } SlowKind;
typedef struct Slow {
    bool is_near;                    /* a limit is near: otherwise nothing is looked at */
    SlowKind kind;
    Millis drain_ms;                 /* how long a message that comes now will wait */
} Slow;
bool slow_begin(struct exchange *exchange, Str header_key, Slow *ret);
bool slow_end(struct exchange *exchange, const Slow *slow);
/* api_share.c. Notes how many bytes the source brought; asks whether it brought far less than its part lately. */
void share_note(ApiShares *shares, Str source, size_t bytes, int64_t now_ns);
bool share_is_light(ApiShares *shares, Str source, int64_t now_ns);
/* api_complete.c. A worker waits as long as the request asks for; ERR_INPUT: that is no valid time. */
Status MUST complete_begin(struct exchange *exchange, Err *err);
/* How complete an answer is whose world is taken now or later. */
QueryMoment complete_moment(struct exchange *exchange);

/* Changes a request below a source's own path to the one on the usual path (api_own.c). */
void own_path_resolve(struct exchange *exchange);

/* The write key of a request that names one: header_key of Authorization or X-Write-Key, query_key of ?writeKey=. */
Str exchange_header_key(struct exchange *exchange);
Str exchange_query_key(struct exchange *exchange);

/* ---- By the server's own thread ---- */
void api_track(struct exchange *exchange);                  /* POST of messages and batches */
void api_track_query(struct exchange *exchange);            /* pixel and JSONP */
void api_track_durable(struct exchange *exchange, Status status);   /* its records are on disk, or not */
void api_client_metrics(struct exchange *exchange);         /* /v1/m */
void api_settings(struct exchange *exchange);
void api_source_config(struct exchange *exchange);          /* RudderStack's form of it */
void api_library(struct exchange *exchange);
void api_library_extra(struct exchange *exchange);
void api_library_plus(struct exchange *exchange);
void api_library_more(struct exchange *exchange);
void api_tools(struct exchange *exchange);
void api_cookie(struct exchange *exchange);                 /* /v1/cookie */
void api_link(struct exchange *exchange);                   /* /v1/link: api_links.c */
void api_links_make(struct exchange *exchange);
void api_session_begin(struct exchange *exchange);          /* api_session.c */
void api_session_link(struct exchange *exchange);
void api_session(struct exchange *exchange);
void api_session_end(struct exchange *exchange);
void api_sessions(struct exchange *exchange);
void api_sessions_end(struct exchange *exchange);
void api_sources(struct exchange *exchange);                /* where events may come from, with the write keys */
void api_note_order(struct exchange *exchange);             /* api_desk.c: into the list of who ordered what */
void api_root(struct exchange *exchange);
bool api_dashboard(struct exchange *exchange);                   /* api_dashboard.c: false if it is switched off */
void api_dashboard_part(struct exchange *exchange);              /* /ui/NAME */
void api_questions(struct exchange *exchange);              /* what is being asked now */
void api_mcp(struct exchange *exchange);                    /* an assistant asks, over HTTP */
void api_destinations_metrics(struct deliver *deliver, struct buf *out);      /* rows of /metrics */
void api_warehouses_write(const ApiOptions *options, struct buf *out);        /* the member "warehouses" */
void api_warehouses_metrics(const ApiOptions *options, struct buf *out);
void api_healthz(struct exchange *exchange);
void api_readyz(struct exchange *exchange);
void api_readyz_collect(struct exchange *exchange);
void api_readyz_answer(struct exchange *exchange);
void api_metrics(struct exchange *exchange);
void api_openapi(struct exchange *exchange);                /* the API as an OpenAPI document */

/* ---- By workers ---- */
PeopleAnswer api_profile_traits, api_profile_ids, api_profile_events, api_profile_metadata, api_profile_links,
    api_suppressed, api_erasures, api_erasure, api_account_traits, api_account_ids, api_account_metadata,
    api_account_links, api_people_resolve, api_people_one, api_people_events, api_people_links, api_people_why,
    api_people_foresee, api_people_history, api_people_groups, api_group, api_group_members;
DestinationAnswer api_destinations, api_destinations_one, api_destinations_dead, api_destinations_series,
    api_destinations_errors,
    api_destinations_user_hash, api_destinations_replay, api_destinations_redo, api_destinations_test,
    api_message_deliveries;
PlainAnswer api_people_unmerge, api_people_restore, api_suppress, api_unsuppress, api_people_erase,
    api_people_export, api_losses, api_findings, api_findings_people, api_findings_accounts, api_findings_mute,
    api_findings_unmute, api_ask, api_live, api_live_counts, api_message, api_sources_add,
    api_sources_disable, api_sources_enable, api_sources_rotate, api_audit, api_saved, api_saved_one, api_saved_add,
    api_saved_remove, api_storage, api_people_list;

/* api_desk.c. ERR_CONFLICT: a process that has none. */
Status MUST api_desk(struct exchange *exchange, struct desk **ret, Err *err);
/* The body's object; an empty body is an empty one. */
Status MUST api_read_object(const struct exchange *exchange, Arena *arena, const TreeNode **ret, Err *err);
/* api_mask.c. A copy of the JSON for a reader, without anybody's data; ERR_INPUT: it is no JSON. */
Status MUST api_mask(struct access *access, Arena arena, Str json, struct buf *out, Err *err);
void api_mask_lines(struct access *access, Arena arena, Str text, struct buf *out);
Status MUST api_mask_answer(struct exchange *exchange, Arena arena, struct buf *out, Err *err);
/* Under the applier's reading guard (api_routes.c). */
Status MUST api_answer_of_people(struct exchange *exchange, PeopleAnswer *write, Arena *arena, struct buf *out,
                                 Err *err);
/* api_ask.c. ERR_DENIED: a question that is not for readers. */
Status MUST api_check_reader(const TreeNode *node, Err *err);
/* For routes that find people by their data: ERR_DENIED if a reader asks. */
Status MUST api_refuse_reader(const struct exchange *exchange, const char *field, Err *err);

/* The name of the key that asks, or with which the session began. */
const char *api_who(const struct exchange *exchange);
/* What an order is about, if its route does not say it: the list shows it with the order. Never a person. */
void api_note_about(struct exchange *exchange, Str about);

#endif
