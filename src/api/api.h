/* api: what a route does. It reads a request, asks the folders below, and answers as JSON; bytes of messages go through
 * collect/ into the journal, and their 200 is sent when they are on disk.
 *
 * What it does not do: it knows no socket and no thread; to it a request is a struct exchange (http/). It decides
 * nothing about messages, people or numbers: it calls the folders that do.
 */
#ifndef ONYM_API_API_H
#define ONYM_API_API_H

#include <stdatomic.h>

#include "ask/ask.h"
#include "collect/collect.h"
#include "deliver/deliver.h"
#include "derive/derive.h"
#include "faults/faults.h"
#include "desk/desk.h"
#include "doctor/doctor.h"
#include "health/health.h"
#include "http/http.h"
#include "journal/journal.h"
#include "live/live.h"
#include "losses/losses.h"
#include "openapi/openapi.h"

/* How much each source sent lately, for when derived state falls behind. Shared by all servers. */
enum { API_SHARES = 256 };
typedef struct ApiShares {
    atomic_int_fast64_t began_ns;    /* this window */
    atomic_uint_fast64_t now[API_SHARES], before[API_SHARES];       /* bytes, by a hash of the source */
} ApiShares;

typedef struct ApiOptions {
    struct collector *collector;
    struct journal *journal;
    struct health *health;
    struct http_jobs *jobs;
    struct applier *applier;         /* answers questions about people and events */
    struct live *live;               /* NULL: nobody can watch */
    struct deliver *deliver;         /* NULL: nothing is delivered by this process */
    struct outbox_rows outbox_rows;
    struct warehouse *const *warehouses;
    size_t warehouse_count;
    struct desk *desk;               /* NULL: the dashboard keeps nothing */
    struct api_links *links;        /* NULL: no links are redeemed */
    const char *deliver_trouble;     /* why nothing is delivered, for answers; empty or NULL: nothing is wrong */
    struct doctor *doctor;           /* NULL: nothing is found */
    const Str *signups;              /* events that are a sign-up; none: by their usual names */
    size_t signup_count;
    size_t query_memory_bytes;       /* of one question; 0: ask/'s default */
    struct disk *disk;
    Str data_dir;                    /* empty: nobody is told how large it is */
    Millis retention_ms;             /* as the journal has them; 0: for ever, no limit */
    uint64_t retention_bytes;
    struct clock *clock;
    Str secret_key;                  /* reads and administers; empty: the reading API is closed */
    bool has_page;                   /* GET / is the dashboard for browsers */
    ApiShares *shares;               /* NULL: all sources are slowed alike */
} ApiOptions;

/* Onym itself, for HttpOptions: every route that docs/protocol.md and the API have. The context is an ApiOptions, which
 * outlives the servers. */
extern const HttpApp api_app;
/* The part that answers at `listen` if the dashboard and the API have an address of their own: collection, what
 * websites load, health and metrics. Its ApiOptions have no page. */
extern const HttpApp api_app_collecting;

/* The whole API as an OpenAPI 3.1 document, as GET /api/v1/openapi.json answers it. */
void api_write_openapi(struct buf *out);

/* Which of the links that take a visitor's id to another domain have been used, in a directory of its own. Shared by
 * all servers, from any thread. ret_is_anew: it was damaged and is empty now. */
struct api_links;
/* Checks the store, which nobody has open. */
Status MUST api_links_verify(const char *dir, uint64_t *ret_rows, Err *err);
Status MUST api_links_open(const char *dir, struct api_links **ret, bool *ret_is_anew, Err *err);
void api_links_close(struct api_links *links);         /* accepts NULL */

/* The stub that pages paste into their head: window.analytics before the library is there. Static. */
Str api_snippet(void);

#endif
