/* api_routes: one table has every path. Paths without /v1 are served, too (users write apiHost: "host"). */
#include "api_routes.h"

#include <stdio.h>

/* The server's own thread does it: it replies at once, or submits what it collected. */
#define AT_ONCE(method, path_, handle_, flags_) TYPED(method, path_, handle_, flags_, EVENT_NONE)
#define TYPED(method_, path_, handle_, flags_, type) \
    { .route = { METHOD_##method_, path_, handle_, flags_, type } }
/* A worker does it, for clients with the secret key, or with a key or session of a role in `more`: ROUTE_READER,
 * ROUTE_ANALYST. Answers about people are for analysts. more: ROUTE_LONG, too, or 0. */
#define WORKER(method_, path_, more) \
    .route = { METHOD_##method_, path_, NULL, ROUTE_SECRET | ROUTE_WORKER | (more), EVENT_NONE }
#define PEOPLE(method, path, answer, status_, more) \
    { WORKER(method, path, (more) | ROUTE_ANALYST), .people = answer, .status = status_ }
#define DESTINATION(method, path, answer, status_, more) \
    { WORKER(method, path, more), .destination = answer, .status = status_ }
#define PLAIN(method, path, answer, status_, more) { WORKER(method, path, more), .plain = answer, .status = status_ }
#define LINES(method, path, answer) \
    { WORKER(method, path, ROUTE_ANALYST), .plain = answer, .status = 200, .content_type = "application/x-ndjson" }
#define PROFILE(collection, what, answer) \
    PEOPLE(GET, "/v1/spaces/*/collections/" collection "/profiles/*/" what, answer, 200, ROUTE_PROFILE)

#define COLLECT(word, letter, type)                                              \
    TYPED(POST, "/v1/" word,       api_track,       ROUTE_COLLECT, type),        \
    TYPED(POST, "/v1/" letter,     api_track,       ROUTE_COLLECT, type),        \
    TYPED(GET,  "/v1/" letter,     api_track_query, ROUTE_COLLECT, type),        \
    TYPED(GET,  "/v1/pixel/" word, api_track_query, ROUTE_COLLECT, type),        \
    TYPED(GET,  "/pixel/v1/" word, api_track_query, ROUTE_COLLECT, type),        \
    TYPED(POST, "/" word,          api_track,       ROUTE_COLLECT, type),        \
    TYPED(POST, "/" letter,        api_track,       ROUTE_COLLECT, type)

/* For readers, too: what it says of people is masked for them (api_mask.c). */
#define MASKED (ROUTE_READER | ROUTE_MASKED)
/* Readers may see numbers. They may not see who the people of a funnel are, nor values of fields, nor a new kind of
 * question whose answers nobody has checked for this. */
#define IS_NUMBERS(kind) ((kind) == QUERY_FUNNEL || (kind) == QUERY_TRENDS || (kind) == QUERY_RETENTION \
                          || (kind) == QUERY_PATHS || (kind) == QUERY_SIGNUPS)
#define ROLE_OF(kind) (IS_NUMBERS(kind) ? ROUTE_READER : (kind) == QUERY_EVENTS ? MASKED : ROUTE_ANALYST)

const ApiRoute api_routes[] = {
    AT_ONCE(POST, "/v1/batch", api_track, ROUTE_COLLECT),
    AT_ONCE(POST, "/v1/b", api_track, ROUTE_COLLECT),
    AT_ONCE(POST, "/v1/import", api_track, ROUTE_COLLECT),
    COLLECT("track", "t", EVENT_TRACK),
    COLLECT("page", "p", EVENT_PAGE),
    COLLECT("identify", "i", EVENT_IDENTIFY),
    COLLECT("screen", "s", EVENT_SCREEN),
    COLLECT("group", "g", EVENT_GROUP),
    COLLECT("alias", "a", EVENT_ALIAS),
    AT_ONCE(POST, "/batch", api_track, ROUTE_COLLECT),
    AT_ONCE(POST, "/b", api_track, ROUTE_COLLECT),
    AT_ONCE(POST, "/import", api_track, ROUTE_COLLECT),
    AT_ONCE(POST, "/beacon/v1/batch", api_track, ROUTE_COLLECT),
    AT_ONCE(POST, "/v1/m", api_client_metrics, ROUTE_COLLECT),
    AT_ONCE(POST, "/m", api_client_metrics, ROUTE_COLLECT),
    AT_ONCE(POST, "/v1/cookie", api_cookie, ROUTE_COLLECT),
    AT_ONCE(POST, "/cookie", api_cookie, ROUTE_COLLECT),
    AT_ONCE(POST, "/v1/link", api_link, ROUTE_COLLECT),
    AT_ONCE(POST, "/link", api_link, ROUTE_COLLECT),
    AT_ONCE(POST, "/api/v1/links", api_links_make, ROUTE_SECRET | ROUTE_QUIET),
    AT_ONCE(GET, "/v1/projects/*/settings", api_settings, ROUTE_PUBLIC),
    AT_ONCE(GET, "/projects/*/settings", api_settings, ROUTE_PUBLIC),
    AT_ONCE(GET, "/sourceConfig", api_source_config, ROUTE_PUBLIC),
    AT_ONCE(GET, "/v1/sourceConfig", api_source_config, ROUTE_PUBLIC),
    AT_ONCE(POST, "/rsaMetrics", api_client_metrics, ROUTE_COLLECT),
    AT_ONCE(GET, "/analytics.js/v1/*/analytics.min.js", api_library, ROUTE_PUBLIC),
    AT_ONCE(GET, "/analytics.js/v1/*/analytics.plus.min.js", api_library_plus, ROUTE_PUBLIC),
    AT_ONCE(GET, "/analytics.js/v1/*/more.min.js", api_library_more, ROUTE_PUBLIC),
    AT_ONCE(GET, "/analytics.js/v1/*/platform/more.min.js", api_library_more, ROUTE_PUBLIC),
    AT_ONCE(GET, "/analytics.js/v1/*/platform/analytics.min.js", api_library, ROUTE_PUBLIC),
    AT_ONCE(GET, "/analytics.js/v1/*/tools.js", api_tools, ROUTE_PUBLIC),
    AT_ONCE(GET, "/analytics.js/v1/*/platform/tools.js", api_tools, ROUTE_PUBLIC),
    AT_ONCE(GET, "/analytics.js/v1/*/platform/x/*", api_library_extra, ROUTE_PUBLIC),
    AT_ONCE(GET, "/analytics.js/v1/*/x/*", api_library_extra, ROUTE_PUBLIC),
    PEOPLE(GET, "/api/v1/people/resolve", api_people_resolve, 200, 0),
    PEOPLE(GET, "/api/v1/people/why", api_people_why, 200, 0),
    PEOPLE(GET, "/api/v1/people/foresee", api_people_foresee, 200, 0),
    PLAIN(GET, "/api/v1/people", api_people_list, 200, MASKED),
    PEOPLE(GET, "/api/v1/people/*", api_people_one, 200, 0),
    PLAIN(POST, "/api/v1/people/unmerge", api_people_unmerge, 200, 0),
    PLAIN(POST, "/api/v1/people/restore", api_people_restore, 200, 0),
    PLAIN(DELETE, "/api/v1/people/*", api_people_erase, 202, 0),
    PEOPLE(GET, "/api/v1/erasures", api_erasures, 200, 0),
    PEOPLE(GET, "/api/v1/erasures/*", api_erasure, 200, 0),
    PEOPLE(GET, "/api/v1/suppressions", api_suppressed, 200, 0),
    PLAIN(POST, "/api/v1/suppressions", api_suppress, 200, 0),
    PLAIN(DELETE, "/api/v1/suppressions", api_unsuppress, 200, 0),
    PEOPLE(GET, "/api/v1/people/*/events", api_people_events, 200, 0),
    PEOPLE(GET, "/api/v1/people/*/links", api_people_links, 200, 0),
    LINES(GET, "/api/v1/people/*/export", api_people_export),
    PEOPLE(GET, "/api/v1/people/*/groups", api_people_groups, 200, 0),
    PEOPLE(GET, "/api/v1/people/*/traits/history", api_people_history, 200, 0),
    PEOPLE(GET, "/api/v1/groups/*", api_group, 200, 0),
    PEOPLE(GET, "/api/v1/groups/*/people", api_group_members, 200, 0),
    PROFILE("users", "traits", api_profile_traits),
    PROFILE("users", "external_ids", api_profile_ids),
    PROFILE("users", "events", api_profile_events),
    PROFILE("users", "metadata", api_profile_metadata),
    PROFILE("users", "links", api_profile_links),
    PROFILE("accounts", "traits", api_account_traits),
    PROFILE("accounts", "external_ids", api_account_ids),
    PROFILE("accounts", "metadata", api_account_metadata),
    PROFILE("accounts", "links", api_account_links),
#define QUESTION(KIND, answer, path, ...) \
    { WORKER(POST, "/api/v1/" path, ROUTE_LONG | ROLE_OF(QUERY_##KIND)), .plain = api_ask, .status = 200, \
      .question = QUERY_##KIND },
#include "ask/questions.tbl.h"
    PLAIN(GET, "/api/v1/losses", api_losses, 200, ROUTE_LONG | ROUTE_READER),
    PLAIN(GET, "/api/v1/findings", api_findings, 200, ROUTE_LONG | ROUTE_READER),
    PLAIN(POST, "/api/v1/findings/accounts", api_findings_accounts, 200, ROUTE_LONG | ROUTE_ANALYST),
    PLAIN(POST, "/api/v1/findings/*/people", api_findings_people, 200, ROUTE_LONG | ROUTE_ANALYST),
    PLAIN(POST, "/api/v1/findings/*/mute", api_findings_mute, 200, 0),
    PLAIN(POST, "/api/v1/findings/*/unmute", api_findings_unmute, 200, 0),
    PLAIN(GET, "/api/v1/live", api_live, 200, MASKED),
    PLAIN(GET, "/api/v1/live/counts", api_live_counts, 200, ROUTE_READER),
    PLAIN(GET, "/api/v1/messages/*", api_message, 200, MASKED),
    DESTINATION(GET, "/api/v1/messages/*/deliveries", api_message_deliveries, 200, ROUTE_ANALYST),
    AT_ONCE(POST, "/mcp", api_mcp, ROUTE_SECRET | ROUTE_READER | ROUTE_QUIET),
    AT_ONCE(GET, "/api/v1/questions", api_questions, ROUTE_SECRET | ROUTE_ANALYST),
    DESTINATION(GET, "/api/v1/destinations", api_destinations, 200, MASKED),
    DESTINATION(GET, "/api/v1/destinations/*", api_destinations_one, 200, MASKED),
    DESTINATION(GET, "/api/v1/destinations/*/dead", api_destinations_dead, 200, ROUTE_ANALYST),
    DESTINATION(GET, "/api/v1/destinations/*/series", api_destinations_series, 200, ROUTE_READER),
    DESTINATION(GET, "/api/v1/destinations/*/errors", api_destinations_errors, 200, ROUTE_ANALYST),
    DESTINATION(GET, "/api/v1/destinations/*/user_hash", api_destinations_user_hash, 200, 0),
    DESTINATION(POST, "/api/v1/destinations/*/redo", api_destinations_redo, 202, 0),
    DESTINATION(POST, "/api/v1/destinations/*/replay", api_destinations_replay, 202, 0),
    DESTINATION(POST, "/api/v1/destinations/*/test", api_destinations_test, 200, ROUTE_LONG),
    AT_ONCE(GET, "/api/v1/sources", api_sources, ROUTE_SECRET),
    PLAIN(POST, "/api/v1/sources", api_sources_add, 201, 0),
    PLAIN(POST, "/api/v1/sources/*/disable", api_sources_disable, 200, 0),
    PLAIN(POST, "/api/v1/sources/*/enable", api_sources_enable, 200, 0),
    PLAIN(POST, "/api/v1/sources/*/rotate", api_sources_rotate, 200, 0),
    PLAIN(GET, "/api/v1/saved", api_saved, 200, ROUTE_READER),
    PLAIN(GET, "/api/v1/saved/*", api_saved_one, 200, ROUTE_READER),
    PLAIN(POST, "/api/v1/saved", api_saved_add, 201, ROUTE_ANALYST),
    PLAIN(DELETE, "/api/v1/saved/*", api_saved_remove, 200, ROUTE_ANALYST),
    PLAIN(GET, "/api/v1/audit", api_audit, 200, 0),
    PLAIN(GET, "/api/v1/storage", api_storage, 200, ROUTE_ANALYST),
    AT_ONCE(POST, "/api/v1/session", api_session_begin, 0),
    AT_ONCE(POST, "/api/v1/session/link", api_session_link, ROUTE_SECRET),
    AT_ONCE(GET, "/api/v1/session", api_session, ROUTE_SECRET | ROUTE_READER),
    AT_ONCE(DELETE, "/api/v1/session", api_session_end, ROUTE_SECRET | ROUTE_READER),
    AT_ONCE(GET, "/api/v1/sessions", api_sessions, ROUTE_SECRET),
    AT_ONCE(DELETE, "/api/v1/sessions/*", api_sessions_end, ROUTE_SECRET),
    AT_ONCE(GET, "/healthz", api_healthz, 0),
    AT_ONCE(GET, "/readyz", api_readyz, 0),
    AT_ONCE(GET, "/readyz/collect", api_readyz_collect, 0),
    AT_ONCE(GET, "/readyz/answer", api_readyz_answer, 0),
    AT_ONCE(GET, "/metrics", api_metrics, 0),
    AT_ONCE(GET, "/api/v1/openapi.json", api_openapi, ROUTE_PUBLIC),
    AT_ONCE(GET, "/ui/*", api_dashboard_part, 0),
    AT_ONCE(GET, "/", api_root, 0),
};
const size_t api_route_count = countof(api_routes);

static const Route *find(Method method, Str path, Str *ret_parameter, bool *ret_known_path)
{
    RouteTable table = { &api_routes[0].route, api_route_count, sizeof api_routes[0] };
    return route_find_among(table, method, path, ret_parameter, ret_known_path);
}

/* ---- What workers do ---- */

/* Identity and traits are those of one moment; the applier waits. */
Status api_answer_of_people(struct exchange *exchange, PeopleAnswer *write, Arena *arena, struct buf *out, Err *err)
{
    struct applier *applier = api_options(exchange)->applier;
    People people = derive_people(applier);
    people.is_cancelled = &exchange->is_cancelled;
    if (people_is_given_up(&people)) return err_set(err, ERR_CLOSED, "the client went away");    /* before its turn */
    derive_begin_reading(applier);
    Status s = write(exchange, &people, arena, out, err);
    derive_end_reading(applier);
    return s;
}

static Status answer_of_destinations(struct exchange *exchange, DestinationAnswer *write, Arena *arena,
                                     struct buf *out, Err *err)
{
    struct deliver *deliver = api_options(exchange)->deliver;
    const char *trouble = api_options(exchange)->deliver_trouble;
    if (deliver) return write(exchange, deliver, arena, out, err);
    if (trouble && *trouble) return err_set(err, ERR_DAMAGED, "%s", trouble);
    return err_set(err, ERR_CONFLICT, "destinations are at work only while onym serve runs");
}

static void work(struct exchange *exchange, Arena *arena)
{
    const ApiRoute *row = api_row(exchange);
    struct buf *out = &exchange->answer;
    Err err = { 0 };
    buf_clear(out);
    Status s = row->people        ? api_answer_of_people(exchange, row->people, arena, out, &err)
               : row->destination ? answer_of_destinations(exchange, row->destination, arena, out, &err)
                                  : row->plain(exchange, arena, out, &err);
    if (!s && exchange->role == ACCESS_READER && row->route.flags & ROUTE_MASKED && !exchange->stream)
        s = api_mask_answer(exchange, *arena, out, &err);
    if (!s && !buf_ok(out)) s = err_set(&err, ERR_TOO_LARGE, "the answer is too large; ask for less");
    if (s) reply_error(exchange, s, &err);
    else if (!exchange->stream) reply_text(exchange, row->status, row->content_type, buf_str(out));
}

/* "Never seen" may be wrong if the message has only not been applied yet. */
static void note_if_incomplete(struct exchange *exchange, Err *err)
{
    DeriveLag lag;
    struct applier *applier = api_options(exchange)->applier;
    if (!applier || !exchange->route || !(exchange->route->flags & ROUTE_SECRET)) return;
    derive_read_lag(applier, &lag);
    size_t len = strlen(err->text);
    if (!lag.is_complete)
        snprintf(err->text + len, sizeof err->text - len, "; but not everything that is on disk has been applied yet");
}

const HttpApp api_app = {
    .find = find, .work = work, .rewrite = own_path_resolve, .on_durable = api_track_durable,
    .explain_missing = note_if_incomplete, .on_order = api_note_order,
};

/* ---- If dashboard and API have an address of their own ---- */

static bool is_apart(Str path)
{
    return str_starts(path, STR("/api/")) || str_starts(path, STR("/ui/")) || str_starts(path, STR("/v1/spaces/"))
           || str_equal(path, STR("/mcp"));
}

static const Route *find_collecting(Method method, Str path, Str *ret_parameter, bool *ret_known_path)
{
    const Route *route = find(method, path, ret_parameter, ret_known_path);
    if (!is_apart(path) && !(route && route->flags & ROUTE_SECRET)) return route;
    *ret_known_path = false;
    return NULL;
}

static void explain_apart(struct exchange *exchange, Err *err)
{
    size_t len = strlen(err->text);
    if (is_apart(exchange->path))
        snprintf(err->text + len, sizeof err->text - len, "; dashboard and API answer at ui_listen");
}

const HttpApp api_app_collecting = {
    .find = find_collecting, .work = work, .rewrite = own_path_resolve, .on_durable = api_track_durable,
    .explain_missing = explain_apart,
};
