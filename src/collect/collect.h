/* collect: bytes become accepted events. The first corridor: authorize, inflate, parse, validate, stamp,
 * encode; what it leaves is a journal_append that the caller submits.
 *
 * What it is not: it knows no HTTP (no status, no header names), no file, no identity. It calls event/,
 * journal/ (to encode into an append), plan/, os/ (clock, dice) and zlib.
 *
 * Rules
 *  1. One bad message costs only itself: it becomes a RECORD_REJECTED with its reason, the others go on.
 *  2. Only what breaks the request as a whole is an error: ERR_INPUT (no JSON object, broken gzip),
 *     ERR_TOO_LARGE (body, batch), ERR_DENIED (no key at all), ERR_RATE (the source's rate limit).
 *  3. An unknown write key is not an error (docs/protocol.md#keys: clients must see 200), unless the options
 *     say so: its messages become RECORD_REJECTED with reason project_not_found. Anybody can send such, so
 *     no more than COLLECT_UNKNOWN_PER_SECOND are kept; the rest is counted.
 *  4. A message that names a suppressed id is not kept, not as a rejected one either.
 *  5. A message that breaks the tracking plan is accepted with what was found stamped into it, unless the plan says
 *     reject: then it is a RECORD_REJECTED, whole. Imports keep the stamp that they bring, and are not held against
 *     the plan of today.
 *  6. Nothing here blocks. All memory is the arena's and the append's.
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
    Str old_key;                    /* the one before it; empty: none */
    Millis old_key_until_ms;        /* until then it is as good as the other; then its messages are key_rotated */
    Str own_path;                   /* unique where it is not empty: the word that its script and calls are below */
    Str device_mode;                /* JSON: tools that its pages load, and their settings; empty: none */
    bool is_enabled;                /* false: its messages are rejected with source_disabled */
    bool is_of_page;                /* made in the dashboard: desk/ keeps it, not the configuration */
    bool is_server;                 /* true: context.ip is not filled from the connection (docs/protocol.md#context) */
    uint32_t events_per_second;     /* 0: no limit */
    uint32_t burst_events;          /* 0: ten seconds' worth */
    const Str *allowed_origins;     /* exact origins ("https://www.example.com"); none given: any */
    size_t allowed_origin_count;
} Source;

typedef struct CollectOptions {
    struct clock *clock;
    struct dice *dice;
    bool refuse_unknown_keys;       /* 401 instead of keeping the messages as rejected */
    Millis skew_least_ms;           /* clock differences below this are not corrected; 0: all are */
    /* A message that names such an id is answered like any other, and leaves no trace but a number. Asked from all
     * workers at once. NULL: no id is suppressed. */
    bool (*is_suppressed)(void *context, EventType type, Str user_id, Str anonymous_id, Str previous_id);
    /* The same of what it carries as external ids, in its JSON; asked only where there is one. NULL: never. */
    bool (*has_suppressed_external)(void *context);
    bool (*carries_suppressed)(void *context, struct event_parser *parser, Str json, Arena scratch);
    void *suppressed_context;
} CollectOptions;

struct collector;
Status MUST collector_open(const CollectOptions *options, struct collector **ret, Err *err);
void collector_close(struct collector *collector);
/* Copies the sources; requests in flight finish with the old ones. ERR_INPUT: twice the same name or key. */
Status MUST collector_set_sources(struct collector *collector, const Source *sources, size_t count, Err *err);
/* Takes the plan that messages are held against from now on; NULL: none. Older ones are kept until the collector is
 * closed, since requests in flight use them; one that was read from the same bytes as the present one is closed at
 * once. From one thread at a time. */
void collector_set_plan(struct collector *collector, struct tracking_plan *plan);
/* NULL where no source has the key, now or before: write_key is the one that was asked for. Constant time in the key's
 * bytes. The answer stays valid until collector_close (old sources are kept). */
const Source *collector_find_source(struct collector *collector, Str write_key);
/* NULL where no source has the path of its own. As long as the answer above. */
const Source *collector_find_own(struct collector *collector, Str own_path);
/* They are counted from 0; NULL behind the last. As long as the answer above; a reload in between may change the
 * count. */
const Source *collector_source_at(struct collector *collector, size_t at);
/* A word of 3 to 40 letters, digits, "-" and "_" that is no part of Onym's other paths. */
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
/* In words, by the word that stands in a message as its timeProblem; NULL: it is none. */
const char *collect_time_problem_text(Str word);

typedef struct CollectRequest {
    EventType implied_type;         /* of the path; EVENT_NONE for batch, import */
    bool is_import;                 /* `onym import` (not the path /v1/import): see below */
    uint64_t import_line;           /* the number in its file of an import's first line, for the reasons' text */
    Str body;                       /* as received */
    bool is_gzip;                   /* by its Content-Encoding; a body that begins as gzip is taken for it, too */
    bool is_deflate;                /* by its Content-Encoding: zlib, or the bare stream that some take the word for */
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
    uint32_t suppressed_types[EVENT_TYPE_COUNT];        /* of the suppressed, by EventType; EVENT_NONE: it said none */
    uint32_t time_problems[TIME_PROBLEM_COUNT];         /* of the accepted, by TimeProblem */
    uint32_t plan_codes[TRACKING_CODES], plan_rungs[TRACKING_RUNGS];    /* violations; messages with some */
    uint32_t plan_undecided;        /* messages for which a limit of the check was hit */
    Millis retry_after_ms;          /* with ERR_RATE: when there is room again */
} CollectResult;

/* The corridor. Puts records into the append (which the caller has cleared); nothing is left in it when the
 * status is not OK. Messages of one request share receivedAt.
 *
 * An import's body is lines: messages as `onym export` or Segment's archives write them, as many as the
 * append has room for. Their times are kept (docs/protocol.md#imports), no rate is limited,
 * and a line that is no JSON costs only itself. With header_key they all go to its source; without, each to
 * the source that its projectId names. */
Status MUST collect_request(struct collect_workspace *workspace, const CollectRequest *request,
                            struct journal_append *append, CollectResult *ret, Err *err);

/* The GET forms (docs/protocol.md#pixels): query is the raw query string. Makes the JSON body that a POST would have
 * had: ?data=<base64 of JSON, either alphabet, padding optional>, or flat dotted keys. The JSONP callback's
 * name is given where it is a plain identifier, else empty. The body has its padding. */
Status MUST collect_decode_query(Str query, Arena *arena, Str *ret_body, Str *ret_callback, Err *err);

/* "Basic a2V5Og==" or "Bearer key" -> the write key, in the arena; empty where it is neither. (A Bearer token
 * may be an OAuth token and no key: a header_key that is unknown gives way to one in query or body.) */
Str collect_key_of_authorization(Str header, Arena *arena);

#endif
