/* query_request: what a question's JSON says, checked member by member. Every complaint names its place. */
#ifndef ONYM_QUERY_REQUEST_H
#define ONYM_QUERY_REQUEST_H

#include "query.h"
#include "query_json.h"
#include "query_zone.h"

enum { SELECTORS_MAX = 32, FILTERS_MAX = 32, FILTER_VALUES_MAX = 10000 };

typedef enum FilterOp {
    OP_EQUAL, OP_LESS, OP_LESS_OR_EQUAL, OP_GREATER, OP_GREATER_OR_EQUAL, OP_CONTAINS, OP_EXISTS,
} FilterOp;

/* What an event (or the person's trait) must be. "!=" is not "=": it also holds where there is no value. */
typedef struct Filter {
    bool is_trait;
    Str field;                      /* as a column is called; traits: without "traits." */
    FilterOp op;
    bool is_negated;
    const IndexValue *values;       /* OP_EQUAL: any of them ("in") */
    uint32_t value_count;
} Filter;

/* Which events are meant. */
typedef struct Selector {
    Str label;                      /* as it was written */
    EventType type;                 /* EVENT_NONE: any */
    Str name;
    bool is_any_name;
    bool is_path;                   /* pages and screens: the path may be the name, too */
    const Filter *filters;          /* on the event */
    uint32_t filter_count;
    const Filter *traits;           /* on the person */
    uint32_t trait_count;
} Selector;

/* By what an answer is broken down. */
typedef struct Breakdown {
    bool is_given, is_trait, is_event;      /* is_event: by what the event is */
    Str field;                      /* as in Filter */
    Str label;
} Breakdown;

typedef struct Request {
    const QueryWorld *world;
    Arena *arena;
    Err *err;
    const Json *root;
    Zone zone;
    Str zone_name;
    Millis from_ms, to_ms;          /* to is not in it */
    const Filter *filters, *traits; /* "where": of every event of the question */
    uint32_t filter_count, trait_count;
} Request;

/* Parses the question, refuses members that are not in allowed (NULL-ended), reads timezone, from, to, where.
 * Strings borrow from the arena. */
Status MUST request_open(Request *request, Str question, const QueryWorld *world, Arena *arena,
                         const char *const *allowed, Err *err);
Status MUST request_refuse_others(const Json *object, const char *place, const char *const *allowed,
                                  Err *err);

/* An event as text ("Signed Up", "page:/pricing", "screen:Home", "*") or an object {event, type, where}. Members
 * of the object that stand in others (NULL-ended; NULL: none) are the caller's. */
Status MUST request_selector(Request *request, const Json *json, const char *place, const char *const *others,
                             Selector *ret);
/* A member of the question that is an event; missing (not NULL): what it is where it is not there. */
Status MUST request_event(Request *request, const char *member, const char *missing, Selector *ret);
/* hour, day, week, month; not hour where units begin later. */
Status MUST request_unit(Request *request, ZoneUnit least, ZoneUnit *ret);
const char *request_unit_word(ZoneUnit unit);
/* may_be_event: "event" is a breakdown, too. */
Status MUST request_breakdown(Request *request, const char *member, bool may_be_event, Breakdown *ret);
/* A property or context field; empty where it is not there. */
Status MUST request_field(Request *request, const Json *json, const char *place, Str *ret);
Status MUST request_duration(Request *request, const char *member, Millis missing_ms, Millis *ret_ms);
Status MUST request_count(Request *request, const char *member, uint32_t missing, uint32_t min, uint32_t max,
                          uint32_t *ret);
/* One of words (NULL-ended); ret is its number. */
Status MUST request_word(Request *request, const char *member, uint32_t missing, const char *const *words,
                         uint32_t *ret);
Status MUST request_filters(Request *request, const Json *json, const char *place, const Filter **ret_events,
                            uint32_t *ret_event_count, const Filter **ret_traits, uint32_t *ret_trait_count);

/* Does a value pass? A filter without a value to look at: INDEX_NOTHING. */
bool filter_passes(const Filter *filter, const IndexValue *value);

#endif
