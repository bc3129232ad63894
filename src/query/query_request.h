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
    bool is_given, is_trait;
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
} Request;

/* Parses the question, refuses members that are not in allowed (NULL-ended), reads timezone, from and to.
 * Strings borrow from the arena. */
Status MUST request_open(Request *request, Str question, const QueryWorld *world, Arena *arena,
                         const char *const *allowed, Err *err);
Status MUST request_refuse_others(const Json *object, const char *place, const char *const *allowed,
                                  Err *err);

/* An event as text ("Signed Up", "page:/pricing", "screen:Home", "*") or an object {event, type, where}. */
Status MUST request_selector(Request *request, const Json *json, const char *place, Selector *ret);
Status MUST request_breakdown(Request *request, const char *member, Breakdown *ret);
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
