/* scan_query: what a question's JSON says, checked member by member. Every complaint names its place. */
#ifndef ONYM_SCAN_QUERY_H
#define ONYM_SCAN_QUERY_H

#include "scan_world.h"
#include "scan_zone.h"

enum { QUESTION_BYTES_MAX = 256 * 1024, QUESTION_DEPTH_MAX = 16, QUESTION_MEMBERS_MAX = 64 };     /* of an object */
enum { SELECTORS_MAX = 32, FILTERS_MAX = 32, FILTER_VALUES_MAX = 10000, NOTES_MAX = 16 };

/* No event is earlier unless a question says so: 2000-01-01. Clocks that were never set say 1970. */
#define PLAUSIBLE_FROM_MS INT64_C(946684800000)

typedef enum FilterOp {
    OP_EQUAL, OP_LESS, OP_LESS_OR_EQUAL, OP_GREATER, OP_GREATER_OR_EQUAL, OP_CONTAINS, OP_EXISTS,
    OP_EMPTY, OP_NO_TEXT,           /* of paths: there is none, or it is empty; there is one that is no text */
} FilterOp;

/* Where a field's value stands: in a column of the event, in the person's traits, in what the event is, or it is the
 * user id that the event came under. */
typedef enum FieldOf { OF_COLUMN, OF_TRAIT, OF_NAME, OF_TYPE, OF_USER } FieldOf;

/* What an event (or the person's trait) must be. "!=" is not "=": it also holds where there is no value. */
typedef struct Filter {
    bool is_trait;
    FieldOf of;
    Str field;                      /* as a column is called; traits: without "traits." */
    Str label;                      /* as it was written */
    FilterOp op;
    bool is_negated;
    const IndexValue *values;       /* OP_EQUAL, OP_CONTAINS: any of them ("in"); in order */
    uint32_t value_count;
} Filter;

/* Which events are meant. */
typedef struct FilterList {
    const Filter *items;
    uint32_t count;
} FilterList;

typedef struct Selector {
    Str label;                      /* as it was written */
    EventType type;                 /* EVENT_NONE: any */
    Str name;
    bool is_any_name;
    bool is_path;                   /* pages and screens: the path may be the name, too */
    bool is_called;                 /* pages: as answers call them: the path is the name where there is no name */
    bool is_done;                   /* with any name: what users do: track, page, screen */
    bool is_unindexed;              /* what answers call "(not indexed)" */
    FilterList filters;             /* on the event */
    FilterList traits;              /* on the person */
} Selector;

/* By what an answer is broken down. */
typedef struct Breakdown {
    bool is_given, is_trait, is_event;      /* is_event: by what the event is */
    FieldOf of;
    Str field;                      /* as in Filter */
    Str label;
} Breakdown;

typedef struct Query {
    const QueryWorld *world;
    Arena *arena;
    Err *err;
    const TreeNode *root;
    Zone zone;
    Str zone_name;
    Millis from_ms, to_ms;          /* to is not in it */
    Millis first_ms, end_ms;        /* likewise; where the question does not say: times that an event can have */
    bool has_from, has_to;
    bool is_of_groups;              /* accounts in place of people: an event's is its groupId */
    struct { const char *field; Str text; } notes[NOTES_MAX];      /* for "warnings" */
    uint32_t note_count;
    FilterList filters, traits;     /* "where": of every event of the question */
} Query;

/* Parses the question (ERR_INPUT with the byte: no JSON, a name twice in an object, over QUESTION_MEMBERS_MAX
 * members, deeper than QUESTION_DEPTH_MAX, a number that no double holds; ERR_TOO_LARGE), refuses members that are
 * not in allowed (NULL-ended), reads timezone, from, to, where. Strings borrow from the arena. */
Status MUST query_open(Query *query, Str question, const QueryWorld *world, Arena *arena,
                       const char *const *allowed, Err *err);
Status MUST query_refuse_others(const TreeNode *object, const char *place, const char *const *allowed,
                                Err *err);

/* An event as text ("Signed Up", "page:/pricing", "screen:Home", "*") or an object {event, type, where}. Members
 * of the object that stand in others (NULL-ended; NULL: none) are the caller's. */
Status MUST query_selector(Query *query, const TreeNode *json, const char *place, const char *const *others,
                           Selector *ret);
/* A member of the question that is an event; missing (not NULL): what it is where it is not there. */
Status MUST query_event(Query *query, const char *member, const char *missing, Selector *ret);
/* Something for the answer's warnings; field may be NULL. */
void query_note(Query *query, const char *field, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Events that are left out, their times being none that an event can have; 0: nothing is said. */
void query_note_times(Query *query, uint64_t early, uint64_t late);
/* hour, day, week, month, quarter; not hour where units begin later. And "week_start". */
Status MUST query_unit(Query *query, ZoneUnit least, ZoneUnit *ret);
/* "unit":"week","week_start":"monday" */
void query_write_unit(const Query *query, ZoneUnit unit, struct buf *answer);
/* may_be_event: "event" is a breakdown, too. */
Status MUST query_breakdown(Query *query, const char *member, bool may_be_event, Breakdown *ret);
/* A property or context field; empty where it is not there. */
Status MUST query_field(Query *query, const TreeNode *json, const char *place, Str *ret);
Status MUST query_duration(Query *query, const char *member, Millis missing_ms, Millis *ret_ms);
bool query_is_whole(const TreeNode *json, uint32_t min, uint32_t max, uint32_t *ret);        /* a whole number */
Status MUST query_count(Query *query, const char *member, uint32_t missing, uint32_t min, uint32_t max,
                        uint32_t *ret);
/* One of words (NULL-ended); ret is its number. */
Status MUST query_word(Query *query, const char *member, uint32_t missing, const char *const *words,
                       uint32_t *ret);
Status MUST query_filters(Query *query, const TreeNode *json, const char *place, FilterList *ret_events,
                          FilterList *ret_traits);

/* What a text says that names an event: the label of an answer, too. */
void selector_read_text(Str text, Selector *ret);

/* ---- Values (scan_values.c) ---- */

/* Does a value pass? A filter without a value to look at: INDEX_NOTHING. */
bool filter_passes(const Filter *filter, const IndexValue *value);
/* The value is a text that was read as a number for that. */
bool filter_reads_text(const Filter *filter, const IndexValue *value);
/* A number that is written so. */
IndexValue value_of_number(Str text, double number);
int value_compare_numbers(const IndexValue *a, const IndexValue *b);
/* By kind, then by value, as qsort compares. */
int value_order(const void *a, const void *b);
/* What answers call a value that was not kept for questions. */
#define VALUE_NOT_INDEXED "(not indexed)"
/* A value as groups tell it: lists that hold the same are the same, however they were written; a text that is spelt as
 * VALUE_NOT_INDEXED is it. */
IndexValue value_settle(IndexValue value, Arena *arena);
/* A string, a number, a boolean; false of all else, null too, and of a number that no double holds: INDEX_NOTHING. */
bool value_of_scalar(const TreeNode *json, IndexValue *ret);
/* A question's value, settled; null is INDEX_NOTHING. False where it is an object, or a list that holds more than
 * scalars. */
bool value_of_question(const TreeNode *json, Arena *arena, IndexValue *ret);
/* False where the text is no number. */
bool value_read_number(Str text, IndexValue *ret);

#endif
