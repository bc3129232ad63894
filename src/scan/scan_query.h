/* scan_query: what a question's JSON says, checked member by member. Every complaint names the place of the mistake. */
#ifndef ONYM_SCAN_QUERY_H
#define ONYM_SCAN_QUERY_H

#include "scan_world.h"
#include "scan_zone.h"

enum { QUESTION_BYTES_MAX = 256 * 1024, QUESTION_DEPTH_MAX = 16, QUESTION_MEMBERS_MAX = 64 };     /* of an object */
enum { SELECTORS_MAX = 32, FILTERS_MAX = 32, FILTER_VALUES_MAX = 10000, NOTES_MAX = 16 };

/* 2000-01-01. A question gets earlier events only if its range says so: clocks that were never set say 1970. */
#define PLAUSIBLE_FROM_MS INT64_C(946684800000)

typedef enum FilterOp {
    OP_EQUAL, OP_LESS, OP_LESS_OR_EQUAL, OP_GREATER, OP_GREATER_OR_EQUAL, OP_CONTAINS, OP_EXISTS,
    OP_EMPTY, OP_NO_TEXT,           /* for paths. EMPTY: absent or empty; NO_TEXT: there, but no text */
} FilterOp;

/* Where a field's value comes from: a column of the event, the person's traits, the event's name, its type, or the user
 * id that the event came with. */
typedef enum FieldOf { OF_COLUMN, OF_TRAIT, OF_NAME, OF_TYPE, OF_USER } FieldOf;

/* What a field of the event (or a trait of the person) must be. "!=" is the opposite of "=": it also holds if there is
 * no value. */
typedef struct Filter {
    bool is_trait;
    FieldOf of;
    Str field;                      /* the name of the column; for traits without "traits." */
    Str label;                      /* as it was written */
    FilterOp op;
    bool is_negated;
    const IndexValue *values;       /* for OP_EQUAL, OP_CONTAINS any of them is enough ("in"); sorted */
    uint32_t value_count;
} Filter;

/* All filters must pass. */
typedef struct FilterList {
    const Filter *items;
    uint32_t count;
} FilterList;

typedef struct Selector {
    Str label;                      /* as it was written */
    EventType type;                 /* EVENT_NONE: any */
    Str name;
    bool is_any_name;
    bool is_path;                   /* pages and screens: the name or the path may match */
    bool is_called;                 /* pages by the name that answers use: the path counts only if there is no name */
    bool is_done;                   /* any name, but only what users do: track, page, screen */
    bool is_unindexed;              /* the events that answers call "(not indexed)" */
    FilterList filters;             /* on the event */
    FilterList traits;              /* on the person */
} Selector;

/* The field that an answer is broken down by. */
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
    Millis from_ms, to_ms;          /* the range ends before to */
    Millis first_ms, end_ms;        /* the same, but where the question names no end: the times an event can have */
    bool has_from, has_to;
    bool is_of_groups;              /* accounts in place of people: an event's account is its groupId */
    struct { const char *field; Str text; } notes[NOTES_MAX];      /* for "warnings" */
    uint32_t note_count;
    FilterList filters, traits;     /* "where": for every event of the question */
} Query;

/* Parses the question, refuses members that are not in allowed (NULL-ended), reads timezone, from, to, where. Strings
 * borrow from the arena. ERR_INPUT, with the byte: it is no JSON, an object has a name twice or over
 * QUESTION_MEMBERS_MAX members, it is deeper than QUESTION_DEPTH_MAX, or a number is too large for a double.
 * ERR_TOO_LARGE. */
Status MUST query_open(Query *query, Str question, const QueryWorld *world, Arena *arena,
                       const char *const *allowed, Err *err);
Status MUST query_refuse_others(const TreeNode *object, const char *place, const char *const *allowed,
                                Err *err);

/* Reads an event: a text ("Signed Up", "page:/pricing", "screen:Home", "*") or an object {event, type, where}. Members
 * of the object that are in others (NULL-ended; NULL: none) are left to the caller. */
Status MUST query_selector(Query *query, const TreeNode *json, const char *place, const char *const *others,
                           Selector *ret);
/* Reads a member of the question that is an event. If the member is absent, uses `missing` (not NULL). */
Status MUST query_event(Query *query, const char *member, const char *missing, Selector *ret);
/* Adds a note to the answer's warnings; field may be NULL. */
void query_note(Query *query, const char *field, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Notes how many events are left out because no event can have their times; 0: notes nothing. */
void query_note_times(Query *query, uint64_t early, uint64_t late);
/* Reads "unit" (hour, day, week, month, quarter; nothing smaller than least) and "week_start". */
Status MUST query_unit(Query *query, ZoneUnit least, ZoneUnit *ret);
/* "unit":"week","week_start":"monday" */
void query_write_unit(const Query *query, ZoneUnit unit, struct buf *answer);
/* may_be_event: "event" is allowed as a breakdown, too. */
Status MUST query_breakdown(Query *query, const char *member, bool may_be_event, Breakdown *ret);
/* Reads a property or context field; empty if it is absent. */
Status MUST query_field(Query *query, const TreeNode *json, const char *place, Str *ret);
Status MUST query_duration(Query *query, const char *member, Millis missing_ms, Millis *ret_ms);
bool query_is_whole(const TreeNode *json, uint32_t min, uint32_t max, uint32_t *ret);        /* a whole number */
Status MUST query_count(Query *query, const char *member, uint32_t missing, uint32_t min, uint32_t max,
                        uint32_t *ret);
/* Reads one of words (NULL-ended); ret is its number. */
Status MUST query_word(Query *query, const char *member, uint32_t missing, const char *const *words,
                       uint32_t *ret);
Status MUST query_filters(Query *query, const TreeNode *json, const char *place, FilterList *ret_events,
                          FilterList *ret_traits);

/* Reads a text that names an event; labels of answers are such texts, too. */
void selector_read_text(Str text, Selector *ret);

/* ---- Values (scan_values.c) ---- */

/* Does the value pass the filter? If there is no value, it is INDEX_NOTHING. */
bool filter_passes(const Filter *filter, const IndexValue *value);
/* Did it read the value, a text, as a number for this? */
bool filter_reads_text(const Filter *filter, const IndexValue *value);
/* A number that keeps how it was written. */
IndexValue value_of_number(Str text, double number);
int value_compare_numbers(const IndexValue *a, const IndexValue *b);
/* Compares by kind, then by value, as qsort wants it. */
int value_order(const void *a, const void *b);
/* What answers call a value that is not in the index. */
#define VALUE_NOT_INDEXED "(not indexed)"
/* A value as groups show it: lists with the same items are equal, however they were written; a text that is spelt like
 * VALUE_NOT_INDEXED becomes INDEX_OTHER. */
IndexValue value_settle(IndexValue value, Arena *arena);
/* Reads a string, a number or a boolean; false for everything else, null included, and for a number too large for a
 * double: INDEX_NOTHING. */
bool value_of_scalar(const TreeNode *json, IndexValue *ret);
/* Reads a value of the question as groups show it; null is INDEX_NOTHING. False if it is an object, or a list that has
 * more than scalars. */
bool value_of_question(const TreeNode *json, Arena *arena, IndexValue *ret);
/* False if the text is no number. */
bool value_read_number(Str text, IndexValue *ret);

#endif
