/* plan_schema: what a value must be, compiled: one struct for each schema, with only the parts that its file has.
 * Private to plan/.
 *
 * A schema comes from JSON Schema (draft 7, and what 2020-12 adds within the named subset) or from the plan's own short
 * form; both are trees of settings (base/node.h) with a place for each complaint. All of it is in the plan's
 * arena. */
#ifndef ONYM_PLAN_SCHEMA_H
#define ONYM_PLAN_SCHEMA_H

#include "plan.h"
#include "plan_number.h"
#include "plan_pattern.h"

enum {
    SCHEMA_REQUIRED = 256,          /* the most for one object */
    SCHEMA_SEEN_WORDS = SCHEMA_REQUIRED / 64,
    SCHEMA_NOT_REQUIRED = UINT16_MAX,
};

typedef struct Schema Schema;

/* A value that a plan names (enum, const), or a value of a message while it is compared. */
typedef struct SchemaConst SchemaConst;
struct SchemaConst {
    FieldKind kind;
    Str key;                        /* if it is a member */
    Str text;                       /* a string, unescaped; a number or a bool, as written */
    Decimal number;
    uint64_t hash;                  /* equal values have equal hashes */
    const SchemaConst *first, *next;        /* items, or members in the order of their keys */
    uint32_t count;
};

typedef struct SchemaNumber {
    Decimal least, most, more_than, less_than, multiple_of;
    bool has_least, has_most, has_more_than, has_less_than, has_multiple_of;
} SchemaNumber;

typedef enum SchemaFormat {
    FORMAT_NONE = 0, FORMAT_DATE_TIME, FORMAT_DATE, FORMAT_EMAIL, FORMAT_UUID, FORMAT_URI, FORMAT_COUNT
} SchemaFormat;

typedef struct SchemaText {
    uint64_t least, most;           /* code points */
    struct pattern *pattern;        /* NULL: any */
    Str pattern_text;
    SchemaFormat format;
} SchemaText;

typedef struct SchemaProperty {
    Str name;
    const Schema *schema;           /* NULL: anything */
    uint16_t required;              /* its place among the required, or SCHEMA_NOT_REQUIRED */
    bool is_declared;               /* false: it is here only since it is required, or has dependents */
    bool null_is_absent;            /* true in the short form, unless it is nullable */
    bool has_dependents;
    uint8_t sight;                  /* SIGHT_ bits: kinds of values that surely fit (plan_sight.c) */
    uint64_t required_bit;          /* 1 << required; 0: it is not required, or too many are */
    Str versions;                   /* it counts only for apps of these versions; empty: for all */
} SchemaProperty;

typedef struct SchemaPattern {
    struct pattern *pattern;
    const Schema *schema;
} SchemaPattern;

/* If the object has this name, it must have others, too, or must fit a schema. */
typedef struct SchemaDependent {
    Str name;
    const Str *needs;
    uint32_t need_count;
    const Schema *schema;           /* NULL: none */
} SchemaDependent;

typedef struct SchemaObject SchemaObject;
struct SchemaObject {
    const SchemaProperty *properties;
    uint32_t property_count, required_count;
    struct slots slots;             /* finds the properties by name */
    const SchemaProperty **required;
    /* a planned name has a backslash: names in messages are unescaped before they are looked up */
    bool has_escapes;
    bool is_slow;                   /* it has rules beside properties */
    const SchemaPattern *patterns;
    uint32_t pattern_count;
    const Schema *additional;       /* for members that are not declared; NULL: anything */
    const Schema *names;            /* propertyNames */
    uint64_t least, most;           /* how many members */
    const SchemaDependent *dependents;
    uint32_t dependent_count;
    bool has_sights;
    uint64_t all_required;          /* the bits of all required names */
    SchemaObject *before;           /* the one before it in the store's list */
};

typedef struct SchemaList {
    const Schema *items;            /* for the items after the tuple; NULL: anything */
    const Schema *const *tuple;
    uint32_t tuple_count;
    const Schema *contains;
    uint64_t least, most, contains_least, contains_most;
    bool is_unique;
} SchemaList;

typedef struct SchemaSchemas {
    const Schema *const *items;
    uint32_t count;
} SchemaSchemas;

typedef struct SchemaLogic {
    const Schema *ref, *negated, *condition, *then, *otherwise;
    SchemaSchemas all, any, one;
} SchemaLogic;

typedef struct SchemaValues {
    const SchemaConst *const *items;
    uint32_t count;
} SchemaValues;

struct Schema {
    uint16_t kinds;                 /* bits 1 << FieldKind; 0: any */
    bool is_whole;                  /* a number must be whole */
    bool is_never;                  /* "false": nothing fits */
    bool is_unplanned;              /* the plan does not know it: any value there is reported as unplanned */
    uint8_t loop_state;             /* used while rings are looked for */
    uint32_t line;
    const SchemaNumber *number;
    const SchemaText *text;
    const SchemaObject *object;
    const SchemaList *list;
    const SchemaLogic *logic;
    const SchemaValues *values;
};

/* ---- Compiling (plan_compile.c, plan_object.c, plan_short.c) ---- */

typedef struct SchemaRef {
    const Node *node;
    Schema *schema;
    bool is_compiled;
} SchemaRef;

/* Holds compiled schemas; they are freed with it. */
struct schema_store {
    struct region region;
    Arena arena;
    struct pattern **patterns;
    uint32_t pattern_count, schema_count;
    bool has_versions;              /* a rule asks for the app's version */
    Schema spare;                   /* written to if there is no room for one more schema; never read */
    SchemaObject *objects;          /* all compiled objects, the last one first */
};
void schema_store_open(struct schema_store *store);
void schema_store_close(struct schema_store *store);

/* One document of schemas while it is compiled. */
struct schema_compiler {
    struct schema_store *store;
    Arena *arena;                   /* the store's */
    const TrackingSource *source;   /* for complaints */
    const Node *root;               /* a reference like "#/..." is looked up in it */
    Str place;                      /* in the plan: events."Order Completed"; complaints begin with it */
    bool is_draft_7;
    bool has_failed;
    SchemaRef *refs;
    uint32_t ref_count;
};

Schema *schema_new(struct schema_compiler *compiler, const Node *at);
/* Compiles one schema; NULL: anything fits. depth: how deep it is inside the document. */
const Schema *schema_compile(struct schema_compiler *compiler, const Node *node, unsigned depth);
/* Compiles a whole document, with all that it refers to. */
const Schema *schema_compile_document(struct schema_compiler *compiler, const Node *root);
void schema_complain(struct schema_compiler *compiler, const Node *at, const char *format, ...) FORMAT(3, 4);
void schema_warn(struct schema_compiler *compiler, const Node *at, const char *format, ...) FORMAT(3, 4);
/* Compiles the keywords about objects (plan_object.c); NULL: there are none. */
const SchemaObject *schema_compile_object(struct schema_compiler *compiler, const Node *node, unsigned depth);
struct pattern *schema_compile_pattern(struct schema_compiler *compiler, const Node *at, Str text);
bool schema_read_count(struct schema_compiler *compiler, const Node *node, uint64_t *ret);
bool schema_read_number(struct schema_compiler *compiler, const Node *node, Decimal *ret);
bool schema_read_bool(struct schema_compiler *compiler, const Node *node, bool *ret);
/* Makes the table of names, when all properties are there. */
void schema_finish_object(struct schema_store *store, SchemaObject *object, SchemaProperty *properties,
                          uint32_t count);
const SchemaProperty *schema_find_property(const SchemaObject *object, Str name);
/* The plan's short form: "revenue: {type: number, required: true}" (plan_short.c). map and common: names with such
 * values. */
typedef struct SchemaShort {
    bool never_requires;            /* for traits: an identify has only those that changed */
    bool tells_unplanned;           /* members that are not in the map are reported */
} SchemaShort;
const Schema *schema_compile_short(struct schema_compiler *compiler, const Node *map, const Node *common,
                                   SchemaShort how,
                                   unsigned depth);

/* ---- Values (plan_value.c) ---- */
const SchemaConst *schema_const_of_node(struct schema_compiler *compiler, const Node *node);
/* A value of a message. NULL: the arena is full. */
const SchemaConst *schema_const_of_token(const char *text, const uint32_t *token, Arena *arena);
bool schema_const_equal(const SchemaConst *a, const SchemaConst *b);
FieldKind schema_kind_of_node(const Node *node);
/* Writes the value as JSON, cut to a length that people read. */
void schema_write_const(struct buf *out, const SchemaConst *value);

/* ---- Formats (plan_format.c) ---- */
SchemaFormat schema_format_from(Str word);              /* FORMAT_NONE: a format that is not checked */
const char *schema_format_text(SchemaFormat format);    /* "a date like 2026-11-30" */
bool schema_format_fits(SchemaFormat format, Str text);

/* ---- At first sight (plan_sight.c) ---- */

/* For a property of a plan: values of these kinds fit, whatever they are. */
enum {
    SIGHT_TEXT = 1, SIGHT_NUMBER = 2, SIGHT_MINUS = 4, SIGHT_BOOL = 8, SIGHT_NULL = 16,     /* the first byte tells */
    SIGHT_DIGITS = 32,              /* only a number that has nothing but digits fits */
    SIGHT_LISTED = 64,              /* only a text that is one of its values fits */
};
/* Is all that the schema asks of an object in schema->object? */
static inline bool schema_is_object_alone(const Schema *schema)
{
    return !schema->is_never && !schema->logic && !schema->values
        && (!schema->kinds || schema->kinds >> FIELD_OBJECT & 1);
}
/* Sets SchemaProperty.sight everywhere; called when all schemas are compiled. */
void schema_set_sights(struct schema_store *store);
/* Does the object at the token fit for sure? False: it must be checked. */
bool schema_object_fits_at_sight(const SchemaObject *object, const char *text, const uint32_t *token);
/* Does this one value fit for sure? */
bool schema_value_fits_at_sight(const SchemaProperty *property, const char *text, const uint32_t *token);

/* ---- Checking (plan_check.c) ---- */

typedef enum Fit { FIT_YES, FIT_NO, FIT_UNSURE } Fit;

struct schema_step {                /* where in the message the walk is; on the stack */
    const struct schema_step *up;
    Str name;
    uint32_t index;                 /* the place of an item; UINT32_MAX: it is a member */
};

struct schema_walk {
    const char *text;
    Arena *arena;                   /* for the texts of what is found */
    uint32_t steps_left;            /* how many values it may still look at; at 0 the rest is not judged */
    uint32_t depth;
    uint32_t quiet;                 /* above 0 inside of a branch, where nothing is reported */
    Str app_version;                /* of the message; empty: it says none */
    TrackingViolation *found;       /* room for TRACKING_VIOLATIONS */
    uint32_t found_count;
    bool has_more;
    bool is_unsure;
};

/* Checks the value at the token; *ret_next is the token after the value. */
Fit schema_check(struct schema_walk *walk, const Schema *schema, const uint32_t *token, const struct schema_step *step,
                 const uint32_t **ret_next);
/* Reports one thing that is wrong; returns FIT_NO. wants: a phrase, or empty. */
Fit schema_tell(struct schema_walk *walk, TrackingCode code, const struct schema_step *step, const char *found,
                Str wants,
                Str near);
/* Reports the required members of an object that is absent. */
Fit schema_check_absent(struct schema_walk *walk, const Schema *schema, const struct schema_step *step);
/* "a number or text": what the schema wants of a value's kind. */
Str schema_words_of_kinds(const Schema *schema, Arena *arena);
bool schema_versions_include(Str versions, Str version);
/* Is it a text like ">=2.0 <3"? */
bool schema_versions_parse(Str versions);

#endif
