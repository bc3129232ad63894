/* collect: bytes become accepted events. The first corridor: authorize, inflate, parse, validate, stamp,
 * encode; its result is a journal_append, which the caller submits.
 *
 * What it is not: it knows no HTTP (no status, no header names), no file, no identity. It calls event/,
 * journal/ (to encode into an append), plan/, os/ (clock, dice) and zlib.
 *
 * Rules
 *  1. One bad message costs only itself: it becomes a RECORD_REJECTED with its reason; the others are accepted.
 *  2. Only what breaks the request as a whole is an error: ERR_INPUT (no JSON object, broken gzip),
 *     ERR_TOO_LARGE (body, batch), ERR_DENIED (no key at all), ERR_RATE (the source's rate limit).
 *  3. An unknown write key is not an error (docs/protocol.md#keys: clients must see 200), unless the options
 *     say so: its messages become RECORD_REJECTED with reason project_not_found. Anybody can send these, so
 *     no more than COLLECT_UNKNOWN_PER_SECOND are kept; the others are only counted.
 *  4. A message that names a suppressed id is not kept, not even as a rejected one.
 *  5. A key that reads, sent where a write key belongs, is in nothing that is kept.
 *  6. A message that breaks the tracking plan is accepted, with what was found stamped into it, unless the plan says
 *     reject: then it is a RECORD_REJECTED, whole. Imports keep the stamp that they bring, and are not compared with
 *     today's plan.
 *  7. What cannot be read at all is an error, too. Where nobody reads the answer (keeps_unread) it is also kept as one
 *     rejected record: the source is found by its key in header, query or anywhere in the text.
 *  8. Nothing here blocks. All memory is the arena's and the append's.
 *
 * Threads: one struct collect_workspace per ingest thread; the collector is shared and its sources can be
 * replaced at any time from any thread.
 */
#ifndef ONYM_COLLECT_COLLECT_H
#define ONYM_COLLECT_COLLECT_H

#include "event/event.h"
#include "journal/journal.h"
#include "os/os.h"
#include "plan/plan.h"

enum { COLLECT_UNKNOWN_PER_SECOND = 100 };

/* Where events come from. */
typedef struct Source {
    Str name;                       /* unique; stands in every event as projectId */
    Str write_key;                  /* unique; only writes */
    Str old_key;                    /* the write key before the present one; empty: none */
    Millis old_key_until_ms;        /* until then the old key counts; later its messages are key_rotated */
    Str own_path;                   /* unique unless empty: the word in the paths of its own script and calls */
    Str device_mode;                /* JSON: tools that its pages load, and their settings; empty: none */
    bool is_enabled;                /* false: its messages are rejected with source_disabled */
    bool is_of_page;                /* made in the dashboard: desk/ keeps it, the configuration does not */
    bool is_server;                 /* true: context.ip is not filled from the connection (docs/protocol.md#context) */
    uint32_t events_per_second;     /* 0: no limit */
    uint32_t burst_events;          /* 0: as many as in ten seconds */
    const Str *allowed_origins;     /* exact origins ("https://www.example.com"); none given: any */
    size_t allowed_origin_count;
} Source;

typedef struct CollectOptions {
    struct clock *clock;
    struct dice *dice;
    bool refuse_unknown_keys;       /* 401 instead of keeping the messages as rejected */
    Millis skew_least_ms;           /* clock differences below this are not corrected; 0: all are */
    /* A message that names such an id is answered like any other, and leaves no trace but a count. Called by all
     * workers at once. NULL: no id is suppressed. */
    bool (*is_suppressed)(void *context, EventType type, Str user_id, Str anonymous_id, Str previous_id);
    /* The same question about the external ids in a message's JSON. The second is called only if the first says that
     * any external id is suppressed. NULL: never. */
    bool (*has_suppressed_external)(void *context);
    bool (*carries_suppressed)(void *context, struct event_parser *parser, Str json, Arena scratch);
    void *suppressed_context;
    /* Is it a key that reads (the secret key, one of `keys`)? Somebody who takes one for a write key sends it in every
     * message; what is kept of those has stars in its place. Asked from all workers at once. NULL: none is known. */
    bool (*is_reading_key)(void *context, Str key);
    void *reading_key_context;
} CollectOptions;

struct collector;
Status MUST collector_open(const CollectOptions *options, struct collector **ret, Err *err);
void collector_close(struct collector *collector);
/* Copies the sources; requests in flight finish with the old ones. ERR_INPUT: two have the same name or key. */
Status MUST collector_set_sources(struct collector *collector, const Source *sources, size_t count, Err *err);
/* Takes the plan that messages are compared with from now on; NULL: none. Older plans are kept until the collector is
 * closed, since requests in flight use them; but if the plan was read from the same bytes as the present one, it is
 * closed at once. From one thread at a time. */
void collector_set_plan(struct collector *collector, struct tracking_plan *plan);
/* The source that has the key, now or before (then its write_key is the key that was asked for); NULL: none. Takes the
 * same time whatever the key's bytes are. The answer stays valid until collector_close (old sources are kept). */
const Source *collector_find_source(struct collector *collector, Str write_key);
/* The source with that path of its own; NULL: none. Valid as long as the answer above. */
const Source *collector_find_own(struct collector *collector, Str own_path);
/* The sources, counted from 0; NULL after the last. Valid as long as the answer above; a reload between two calls may
 * change the count. */
const Source *collector_source_at(struct collector *collector, size_t at);
/* Is it 3 to 40 letters, digits, "-" and "_", and not a part of one of Onym's other paths? */
bool source_is_own_path(Str word);
bool source_allows_origin(const Source *source, Str origin);

struct collect_workspace;              /* parser, arena, inflater: what one thread needs */
Status MUST collect_workspace_open(struct collector *collector, struct collect_workspace **ret, Err *err);
void collect_workspace_close(struct collect_workspace *workspace);

/* Why a message's time is not, or not only, what its client said. */
typedef enum TimeProblem {
    TIME_FINE = 0,
#define TIME_PROBLEM(name, word, text) name,
#include "time_problems.tbl.h"
#undef TIME_PROBLEM
    TIME_PROBLEM_COUNT
} TimeProblem;
/* A problem in words, by the word that a message has as its timeProblem; NULL: there is no such word. */
const char *collect_time_problem_text(Str word);

typedef struct CollectRequest {
    EventType implied_type;         /* the path says it; EVENT_NONE for batch, import */
    bool is_import;                 /* `onym import` (not the path /v1/import): see below */
    uint64_t import_line;           /* the first line's number in the import's file, for the reasons */
    Str body;                       /* as received */
    const char *unread;             /* not NULL: why it cannot be read; body is then what of it may be shown */
    bool keeps_unread;              /* nobody reads the answer: what cannot be read is kept as rejected (rule 7) */
    bool is_gzip;                   /* its Content-Encoding says so; a body that begins as gzip counts, too */
    bool is_deflate;                /* its Content-Encoding says so: zlib, or the bare stream that some clients send */
    Str header_key;                 /* write key by Basic user name, Bearer or X-Write-Key; may be empty */
    Str query_key;                  /* ?writeKey=; may be empty */
    Str ip;                         /* of the client; empty: unknown, or not to be kept */
    Str user_agent;                 /* fills context.userAgent of pixels; may be empty */
    /* of the page that sends: "https://www.example.com"; empty: no page, or not known */
    Str origin;
    Millis received_at_ms;          /* when its first byte arrived; 0: now */
} CollectRequest;

typedef struct CollectResult {
    const Source *source;           /* NULL: unknown key */
    uint32_t accepted, rejected, suppressed;
    uint32_t suppressed_types[EVENT_TYPE_COUNT];        /* of the suppressed, by EventType; EVENT_NONE: it has none */
    uint32_t time_problems[TIME_PROBLEM_COUNT];         /* of the accepted, by TimeProblem */
    uint32_t plan_codes[TRACKING_CODES], plan_rungs[TRACKING_RUNGS];    /* violations; messages by their rung */
    uint32_t plan_undecided;        /* messages for which the check reached a limit */
    Millis retry_after_ms;          /* with ERR_RATE: when there is room again */
    Err unread;                     /* code OK: the body could be read; else why not: it was kept as rejected */
} CollectResult;

/* The corridor. Puts records into the append (which the caller has cleared); nothing is left in it when the
 * status is not OK. Messages of one request share receivedAt.
 *
 * An import's body is lines: messages as `onym export` or Segment's archives write them, as many as the
 * append has room for. Their times are kept (docs/protocol.md#imports), no rate limit applies,
 * and a line that is not JSON costs only itself. With header_key all lines go to its source; without, each goes
 * to the source that its projectId names. */
Status MUST collect_request(struct collect_workspace *workspace, const CollectRequest *request,
                            struct journal_append *append, CollectResult *ret, Err *err);

/* The GET forms (docs/protocol.md#pixels): query is the raw query string. Makes the JSON body that a POST would have
 * had, from ?data=<base64 of JSON, either alphabet, padding optional>, or from flat dotted keys. ret_callback is the
 * JSONP callback's name if it is a plain identifier, else empty. The body has its padding. On an error ret_body is what
 * of the query can be shown, as far as it can be told. */
Status MUST collect_decode_query(Str query, Arena *arena, Str *ret_body, Str *ret_callback, Err *err);

/* "Basic a2V5Og==" or "Bearer key" -> the write key, in the arena; empty if it is neither. (A Bearer token
 * may be an OAuth token and not a key: if header_key is unknown, the key in query or body counts.) */
Str collect_key_of_authorization(Str header, Arena *arena);

#endif
