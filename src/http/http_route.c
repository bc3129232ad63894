/* http_route: one table says what exists. Paths without /v1 are served too (users write apiHost: "host"). */
#include "http_exchange.h"

#define COLLECT(word, letter, type)                                                          \
    { METHOD_POST, "/v1/" word,        http_track,       ROUTE_COLLECT, type },              \
    { METHOD_POST, "/v1/" letter,      http_track,       ROUTE_COLLECT, type },              \
    { METHOD_GET,  "/v1/" letter,      http_track_query, ROUTE_COLLECT, type },              \
    { METHOD_GET,  "/v1/pixel/" word,  http_track_query, ROUTE_COLLECT, type },              \
    { METHOD_GET,  "/pixel/v1/" word,  http_track_query, ROUTE_COLLECT, type },              \
    { METHOD_POST, "/" word,           http_track,       ROUTE_COLLECT, type },              \
    { METHOD_POST, "/" letter,         http_track,       ROUTE_COLLECT, type }

#define PROFILE(collection, what, handle) \
    { METHOD_GET, "/v1/spaces/*/collections/" collection "/profiles/*/" what, handle, ROUTE_SECRET, EVENT_NONE }

static const Route routes[] = {
    { METHOD_POST, "/v1/batch",  http_track, ROUTE_COLLECT, EVENT_NONE },
    { METHOD_POST, "/v1/b",      http_track, ROUTE_COLLECT, EVENT_NONE },
    { METHOD_POST, "/v1/import", http_track, ROUTE_COLLECT, EVENT_NONE },
    COLLECT("track", "t", EVENT_TRACK),
    COLLECT("page", "p", EVENT_PAGE),
    COLLECT("identify", "i", EVENT_IDENTIFY),
    COLLECT("screen", "s", EVENT_SCREEN),
    COLLECT("group", "g", EVENT_GROUP),
    COLLECT("alias", "a", EVENT_ALIAS),
    { METHOD_POST, "/batch",  http_track, ROUTE_COLLECT, EVENT_NONE },
    { METHOD_POST, "/b",      http_track, ROUTE_COLLECT, EVENT_NONE },
    { METHOD_POST, "/import", http_track, ROUTE_COLLECT, EVENT_NONE },
    { METHOD_POST, "/beacon/v1/batch", http_track, ROUTE_COLLECT, EVENT_NONE },
    { METHOD_POST, "/v1/m",   http_client_metrics, ROUTE_COLLECT, EVENT_NONE },
    { METHOD_POST, "/m",      http_client_metrics, ROUTE_COLLECT, EVENT_NONE },
    { METHOD_POST, "/v1/cookie", http_cookie, ROUTE_COLLECT, EVENT_NONE },
    { METHOD_POST, "/cookie",    http_cookie, ROUTE_COLLECT, EVENT_NONE },
    { METHOD_GET,  "/v1/projects/*/settings", http_settings, ROUTE_PUBLIC, EVENT_NONE },
    { METHOD_GET,  "/projects/*/settings",    http_settings, ROUTE_PUBLIC, EVENT_NONE },
    { METHOD_GET,  "/analytics.js/v1/*/analytics.min.js", http_library, ROUTE_PUBLIC, EVENT_NONE },
    { METHOD_GET,  "/analytics.js/v1/*/platform/analytics.min.js", http_library, ROUTE_PUBLIC, EVENT_NONE },
    { METHOD_GET,  "/api/v1/people/resolve",  http_people_resolve, ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/people/why",      http_people_why,     ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/people",          http_people_search,  ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/people/*",        http_people_one,     ROUTE_SECRET, EVENT_NONE },
    { METHOD_POST, "/api/v1/people/unmerge",  http_people_unmerge, ROUTE_SECRET, EVENT_NONE },
    { METHOD_POST, "/api/v1/people/restore",  http_people_restore, ROUTE_SECRET, EVENT_NONE },
    { METHOD_DELETE, "/api/v1/people/*",      http_people_erase,   ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/erasures",        http_erasures,       ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/erasures/*",      http_erasure,        ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/suppressions",    http_suppressed,     ROUTE_SECRET, EVENT_NONE },
    { METHOD_POST, "/api/v1/suppressions",    http_suppress,       ROUTE_SECRET, EVENT_NONE },
    { METHOD_DELETE, "/api/v1/suppressions",  http_unsuppress,     ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/people/*/events", http_people_events,  ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/people/*/links",  http_people_links,   ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/people/*/export", http_people_export,  ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/people/*/groups", http_people_groups,  ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/people/*/traits/history", http_people_history, ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/groups/*",        http_group,          ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/groups/*/people", http_group_members,  ROUTE_SECRET, EVENT_NONE },
    PROFILE("users", "traits", http_profile_traits),
    PROFILE("users", "external_ids", http_profile_ids),
    PROFILE("users", "events", http_profile_events),
    PROFILE("users", "metadata", http_profile_metadata),
    PROFILE("users", "links", http_profile_links),
    PROFILE("accounts", "traits", http_account_traits),
    PROFILE("accounts", "external_ids", http_account_ids),
    PROFILE("accounts", "metadata", http_account_metadata),
    PROFILE("accounts", "links", http_account_links),
    { METHOD_POST, "/api/v1/funnels",         http_query_funnel,        ROUTE_SECRET, EVENT_NONE },
    { METHOD_POST, "/api/v1/funnels/people",  http_query_funnel_people, ROUTE_SECRET, EVENT_NONE },
    { METHOD_POST, "/api/v1/trends",          http_query_trends,        ROUTE_SECRET, EVENT_NONE },
    { METHOD_POST, "/api/v1/retention",       http_query_retention,     ROUTE_SECRET, EVENT_NONE },
    { METHOD_POST, "/api/v1/paths",           http_query_paths,         ROUTE_SECRET, EVENT_NONE },
    { METHOD_POST, "/api/v1/signups",         http_query_signups,       ROUTE_SECRET, EVENT_NONE },
    { METHOD_POST, "/api/v1/events",          http_query_events,        ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/questions",       http_questions,          ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/destinations",             http_destinations,           ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/destinations/*",           http_destinations_one,       ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/destinations/*/dead",      http_destinations_dead,      ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/api/v1/destinations/*/user_hash", http_destinations_user_hash, ROUTE_SECRET, EVENT_NONE },
    { METHOD_POST, "/api/v1/destinations/*/redo",      http_destinations_redo,      ROUTE_SECRET, EVENT_NONE },
    { METHOD_POST, "/api/v1/destinations/*/replay",    http_destinations_replay,    ROUTE_SECRET, EVENT_NONE },
    { METHOD_POST, "/api/v1/destinations/*/test",      http_destinations_test,      ROUTE_SECRET, EVENT_NONE },
    { METHOD_GET,  "/healthz", http_healthz, 0, EVENT_NONE },
    { METHOD_GET,  "/readyz",  http_readyz,  0, EVENT_NONE },
    { METHOD_GET,  "/metrics", http_metrics, 0, EVENT_NONE },
    { METHOD_GET,  "/",        http_root,    0, EVENT_NONE },
};

Method method_from(const char *word)
{
    static const char *const words[] = { "GET", "HEAD", "POST", "DELETE", "OPTIONS" };
    for (size_t at = 0; at < countof(words); at++)
        if (strcmp(word, words[at]) == 0) return (Method)at;
    return METHOD_OTHER;
}

/* Matches segment by segment; "*" takes one that is not empty. */
static bool path_matches(Str pattern, Str path, Str *ret_parameter)
{
    if (!memchr(pattern.bytes, '*', pattern.len)) return str_equal(pattern, path);
    Str parameter = { 0 };
    while (pattern.len || path.len) {
        Str want = str_cut(pattern, '/', &pattern), have = str_cut(path, '/', &path);
        if (str_equal(want, STR("**"))) {
            *ret_parameter = str_of(have.bytes, have.len + (path.len ? path.len + 1 : 0));
            return true;
        }
        if (str_equal(want, STR("*"))) {
            if (have.len == 0) return false;
            parameter = have;
        } else if (!str_equal(want, have)) {
            return false;
        }
    }
    *ret_parameter = parameter;
    return true;
}

const Route *route_find_among(const Route *table, size_t count, Method method, Str path, Str *ret_parameter,
                              bool *ret_known_path)
{
    if (path.len > 1 && path.bytes[path.len - 1] == '/') path.len--;      /* Java posts to /v1/import/ */
    Method wanted = method == METHOD_HEAD ? METHOD_GET : method;
    *ret_known_path = false;
    for (size_t at = 0; at < count; at++) {
        if (!path_matches(str_from(table[at].path), path, ret_parameter)) continue;
        *ret_known_path = true;
        if (table[at].method == wanted || method == METHOD_OPTIONS) return &table[at];
    }
    return NULL;
}

const Route *route_find(Method method, Str path, Str *ret_parameter, bool *ret_known_path)
{
    return route_find_among(routes, countof(routes), method, path, ret_parameter, ret_known_path);
}
