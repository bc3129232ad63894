/* plan: a tracking plan. It says which events there should be, with which properties, and what happens to a message
 * that breaks it.
 *
 * What it does not do: it reads no file and knows no YAML (config/ gives it a tree of settings with places), keeps
 * nothing, and changes no message. collect/ asks it about each message as it comes. What it finds is stamped into
 * the record. So later, after a reload, a rebuild, an export and an import, it is still known what the plan of that day
 * said.
 *
 *     tree --tracking_plan_open--> struct tracking_plan
 *          --tracking_plan_judge(message)--> TrackingVerdict --stamp--> record
 *
 * The plan is compiled to tables once. A message is checked in one walk over its parsed tokens (event/event_cursor.h);
 * only what JSON Schema calls applicators (anyOf, not, if, ...) look at a value again. Bounds: TRACKING_* below; after
 * TRACKING_STEPS values the rest of a message counts as fitting, and is reported as undecided.
 *
 * Rules
 *  1. All that is wrong with a plan is reported, with the place and what to do; a plan with an error is not opened.
 *  2. A message is never changed, and never refused because of an error of ours: if memory or steps run out, it is
 *     undecided.
 *  3. Names match exactly. For a name that is not planned, the nearest planned one is suggested (base/alike.h).
 *  4. Null counts as absent in the short form, unless the property is nullable; in JSON Schema it is a value.
 *
 * Threads: a plan never changes; any number of threads may use it. */
#ifndef ONYM_PLAN_PLAN_H
#define ONYM_PLAN_PLAN_H

#include "event/event.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TRACKING_FILE_BYTES = 1024 * 1024,
    TRACKING_RULES = 2000,                  /* events, pages and screens of a plan */
    TRACKING_SCHEMAS = 100000,              /* compiled schemas, in all rules together */
    TRACKING_DEPTH = 64,
    TRACKING_VIOLATIONS = 10,               /* reported for one message */
    TRACKING_STEPS = 200000,                /* how many values are looked at in one message */
    TRACKING_VERSION_BYTES = 64,
    TRACKING_STAMP_BYTES = 8 * 1024,        /* the most that a stamp takes in a record */
    TRACKING_TEXT_BYTES = 300,
};

typedef enum TrackingCode {
    TRACKING_UNPLANNED_EVENT, TRACKING_WRONG_SOURCE, TRACKING_MISSING_PROPERTY, TRACKING_WRONG_TYPE,
    TRACKING_UNPLANNED_PROPERTY, TRACKING_VALUE_NOT_ALLOWED, TRACKING_DEPRECATED_EVENT, TRACKING_NAME_PATTERN,
    TRACKING_CODES
} TrackingCode;
const char *tracking_code_word(TrackingCode code);          /* "wrong_type" */
/* "plan_wrong_type": the reason of a message that is kept as rejected */
const char *tracking_code_reason(TrackingCode code);
bool tracking_code_from(Str word, TrackingCode *ret);

/* What a violation leads to, the mildest first. A message's rung is the highest rung of its violations. */
typedef enum TrackingRung {
    TRACKING_ALLOW,                 /* it is no violation */
    TRACKING_REPORT,                /* it is counted and reported; nothing else changes */
    TRACKING_OMIT,                  /* destinations do not get the part that breaks the plan */
    TRACKING_HOLD,                  /* the message is not delivered until it is released */
    TRACKING_REJECT,                /* the message is kept as rejected, with its reason */
    TRACKING_RUNGS
} TrackingRung;
const char *tracking_rung_word(TrackingRung rung);          /* "report" */
bool tracking_rung_from(Str word, TrackingRung *ret);

/* One name or index on the path to a value: properties, products, [2], price. */
typedef struct TrackingStep {
    Str name;                       /* empty with is_index */
    uint32_t index;
    bool is_index;
} TrackingStep;

typedef struct TrackingViolation {
    TrackingCode code;
    TrackingRung rung;
    const TrackingStep *path;       /* from the top of the message; none: the event itself */
    uint32_t path_count;
    Str found;                      /* what is there: "text", "a list"; empty: nothing */
    Str wants;                      /* what the plan wants: "a number", "at least 0"; may be empty */
    Str near;                       /* the planned name that was perhaps meant; empty: none */
} TrackingViolation;

typedef struct TrackingVerdict {
    Str version;                    /* of the plan */
    TrackingRung rung;              /* TRACKING_ALLOW: nothing is wrong */
    TrackingViolation items[TRACKING_VIOLATIONS];
    uint32_t count;
    bool has_more;                  /* there are more than fit */
    bool is_undecided;              /* a limit was hit */
} TrackingVerdict;

/* ---- Plans ---- */

/* How a plan is opened: where it came from, and who gets complaints. */
typedef struct TrackingSource {
    Str text;                       /* the text of the file; if the plan names no version, its hash is the version */
    void *context;
    /* Takes one complaint. at: where, or NULL. field: "events.Order Completed.properties.revenue.type"; may be empty.
     * */
    void (*complain)(void *context, const Node *at, bool is_warning, Str field, const char *text);
    /* Reads a file that the plan names (schema: order.json), as a tree in the arena. It returns NULL if that failed,
     * and has complained. If read itself is NULL, a plan may name no files. */
    const Node *(*read)(void *context, const Node *at, Str name, Arena *arena);
    /* Called when the file that was read last is compiled: further complaints are about the plan's own file again. */
    void (*leave)(void *context);
} TrackingSource;

/* JSON as a tree of settings (plan_tree.c), which borrows from the JSON. ERR_INPUT with the byte; ERR_TOO_LARGE. */
Status MUST tracking_tree_of_json(Str json, Arena *arena, const Node **ret, Err *err);

struct tracking_plan;
/* Compiles a plan. root: a map; borrowed for the call. ERR_INPUT: there were complaints that are no warnings. */
Status MUST tracking_plan_open(const Node *root, const TrackingSource *source, struct tracking_plan **ret, Err *err);
void tracking_plan_close(struct tracking_plan *plan);       /* accepts NULL */
Str tracking_plan_version(const struct tracking_plan *plan);
size_t tracking_plan_rule_count(const struct tracking_plan *plan);
/* Were both plans read from the same bytes? False if one of them names further files. */
bool tracking_plan_is_same(const struct tracking_plan *a, const struct tracking_plan *b);

/* A message that its parser has just read, and that passed collection's own rules. */
typedef struct TrackingMessage {
    const struct event_parser *parser;
    const Message *message;
    EventType type;
    Str source;                     /* the name of the source that it came from */
} TrackingMessage;

/* Finds what is wrong with the message. Texts are in the arena, or borrow from the plan and the message. False: nothing
 * is wrong (but look at ret->is_undecided). */
bool tracking_plan_judge(const struct tracking_plan *plan, const TrackingMessage *message, Arena *arena,
                         TrackingVerdict *ret);

/* "properties.products[2].price", cut if it does not fit. */
void tracking_write_path(struct buf *out, const TrackingViolation *violation);
/* Writes a sentence: `properties.revenue is text, the plan wants a number`. value: the JSON at that place, which the
 * sentence quotes; empty: it quotes nothing. Event names and values are clients' text: whoever prints them makes them
 * safe. */
void tracking_write_text(struct buf *out, const TrackingViolation *violation, Str value);

/* ---- Stamps (plan_stamp.c) ---- */

/* The verdict as JSON: the last member of a record, planCheck. Violations for which there is no room are left out, and
 * has_more says so. Empty: there is nothing to say. */
Str tracking_stamp_write(const TrackingVerdict *verdict, Arena *arena);
/* Reads a stamp. False: we did not write it. Safe on any bytes; texts are in the arena. */
bool tracking_stamp_read(Str stamp, Arena *arena, TrackingVerdict *ret);
/* Does the message wait for its release? */
bool tracking_stamp_holds(Str stamp);
/* The event's message without the parts that its stamp says to omit (plan_omit.c). If there are none, this is json
 * itself; otherwise a new tree in the arena. */
Status MUST tracking_omit(const Event *event, const TreeNode *json, Arena *arena, const TreeNode **ret, Err *err);

/* ---- Learning, and other languages ---- */

/* Makes a plan from messages (plan_learn.c), as YAML that people correct. Bounded in memory; one thread. */
struct tracking_learner;
struct tracking_learner *tracking_learn_open(void);         /* NULL: no memory */
void tracking_learn_close(struct tracking_learner *learner);        /* accepts NULL */
void tracking_learn(struct tracking_learner *learner, const TrackingMessage *message, Arena *scratch);
void tracking_learn_write(struct tracking_learner *learner, struct buf *out);
/* Writes the plan as TypeScript (plan_types.c). */
void tracking_write_types(const struct tracking_plan *plan, struct buf *out);

/* ---- JSON Schema alone, for tests and `onym plan check --schema` ---- */
struct tracking_schema;
Status MUST tracking_schema_open(const Node *root, const TrackingSource *source, struct tracking_schema **ret,
                                 Err *err);
void tracking_schema_close(struct tracking_schema *schema); /* accepts NULL */
typedef enum TrackingFit { TRACKING_FITS, TRACKING_FAILS, TRACKING_UNDECIDED } TrackingFit;
TrackingFit tracking_schema_check(const struct tracking_schema *schema, const struct event_parser *parser,
                                  const Field *value, Arena *arena, TrackingVerdict *ret);

#ifdef __cplusplus
}
#endif
#endif
