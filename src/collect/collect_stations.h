/* collect_stations: what the corridor of collect.c hands from station to station. Private to collect/. */
#ifndef ONYM_COLLECT_COLLECT_STATIONS_H
#define ONYM_COLLECT_COLLECT_STATIONS_H

#include "collect.h"

enum {
    WORKSPACE_BYTES = 64 * 1024 * 1024,     /* reserved, not used: collect.c has the sum */
    UUID_BYTES = 36,
};

/* ---- Sources (collect_authorize.c, collect_rate.c) ---- */

/* The rate of one source, by the "generic cell rate algorithm": one number, the time at which the bucket
 * will be full again, changed by compare-and-swap. */
struct rate_bucket {
    struct rate_bucket *next;
    char *name;
    _Atomic int64_t full_at_ns;
};

struct source_entry {
    Source source;                  /* first: what is given out is a pointer to it */
    Str name_raw;                   /* as a JSON string */
    bool is_old;                    /* this entry is for the source's old key */
    struct rate_bucket *bucket;     /* lives across reloads, found by the source's name */
};

struct collector {
    CollectOptions options;
    uint64_t seed;                  /* of the key's hashes, so that nobody can aim at a slot */
    _Atomic(struct source_table *) table;
    struct source_table *tables;    /* all there ever were, newest first */
    _Atomic(struct tracking_plan *) plan;                   /* NULL: none */
    struct old_plan *plans;         /* all there ever were: requests in flight may use them */
    struct rate_bucket *buckets, unknown;
    void *lock;                     /* over collector_set_sources */
};

const struct source_entry *collect_find_entry(struct collector *collector, Str write_key);
const struct source_entry *collect_find_entry_named(struct collector *collector, Str name);

/* Takes count events; false if there is no room: then *ret_wait_ms says how long to wait. A full bucket
 * gives any count, so that a batch larger than the burst is not refused for ever. */
bool collect_take_rate(struct rate_bucket *bucket, uint32_t per_second, uint32_t burst, uint32_t count,
                       int64_t now_ns, Millis *ret_wait_ms);
void collect_give_rate(struct rate_bucket *bucket, uint32_t per_second, uint32_t count);   /* gives it back */

/* ---- One request on its way ---- */

struct collect_workspace {
    struct collector *collector;
    struct event_parser *parser;
    struct region region;
    struct inflater *inflater;
};

struct intake {
    struct collect_workspace *workspace;
    const CollectRequest *request;
    struct journal_append *append;
    CollectResult result;
    Arena *arena;
    Millis received_at_ms;
    char received_at[INSTANT_TEXT_BYTES];
    Str ip_raw, user_agent_raw;                 /* as JSON strings; empty: none */
    const struct source_entry *source;          /* the request's; NULL: each message may have its own */
    bool has_key;                               /* a key was given, known or not */
    uint64_t line;                              /* of an import; 0: none */
    Body body;
    EventDefaults context, integrations;
};

struct inflater;
struct inflater *inflater_open(void);           /* NULL: no memory */
void inflater_close(struct inflater *inflater); /* accepts NULL */

typedef struct Rule {
    const char *reason, *field, *text;
} Rule;

/* The stations, in order. */
Status MUST collect_authorize(struct intake *intake, Err *err);
Status MUST collect_inflate(struct intake *intake, Str *ret_body, Err *err);
Status MUST collect_admit(struct intake *intake, Err *err);
const struct source_entry *collect_source_of(struct intake *intake, const Message *message);
/* Does the request come from a page that may not send to this source? */
bool collect_is_foreign(const struct intake *intake, const struct source_entry *source);
/* The rule that the message breaks; NULL: none. */
const Rule *collect_validate(const Message *message, EventType type);
void collect_stamp_request(struct intake *intake);
/* Room for a message's stamps while it is encoded. */
struct stamp_room {
    char timestamp[INSTANT_TEXT_BYTES], received_at[INSTANT_TEXT_BYTES], message_id[UUID_BYTES + 8];
    Rule refused;                               /* an import's line with no good time; reason NULL: it has one */
    char refused_text[192];
};
EventStamps collect_stamp(struct intake *intake, const struct source_entry *source, const Message *message,
                          EventType type, struct stamp_room *room);
/* collect_times.c, for collect_stamp.c: when it happened. text has room for one instant. */
void collect_stamp_times(const struct intake *intake, const Message *message, EventStamps *stamps, char *text);
void collect_keep_times(const struct intake *intake, const Message *message, EventStamps *stamps,
                        struct stamp_room *room);
/* collect_plan.c: compares the message with the plan, and stamps what it found. False: the message is not accepted, and
 * was kept as rejected. */
bool collect_check_plan(struct intake *intake, const struct source_entry *source, const Message *message,
                        EventStamps *stamps);
void collect_close_plans(struct collector *collector);
void collect_count_problem(CollectResult *result, const EventStamps *stamps);

/* collect.c, for collect_import.c */
Status MUST collect_keep_body(struct intake *intake, Err *err);
void collect_reject(struct intake *intake, const struct source_entry *source, const Rule *rule, const char *text,
                    Str raw);
/* The same of a message that is kept whole. */
void collect_reject_whole(struct intake *intake, const struct source_entry *source, const Rule *rule, Str raw);
Status MUST collect_import_lines(struct intake *intake, Str body, Err *err);

/* collect.c, for collect_unread.c: is it a key that reads? And the rule by which a source takes nothing now; NULL: it
 * takes messages. */
bool collect_is_reading_key(const struct intake *intake, Str key);
const Rule *collect_closed(const struct intake *intake, const struct source_entry *source);
/* collect_unread.c: keeps as rejected what cannot be read, and why. */
Status MUST collect_keep_unread(struct intake *intake, Str raw, const Err *why, Err *err);

#endif
