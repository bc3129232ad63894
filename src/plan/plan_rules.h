/* plan_rules: a compiled plan. Private to plan/. */
#ifndef ONYM_PLAN_RULES_H
#define ONYM_PLAN_RULES_H

#include "plan_schema.h"

/* Which rung counts for a source: that of the source's row, or else the usual one. */
typedef struct TrackingLadder {
    bool is_given;
    TrackingRung usual;
    const Str *sources;
    const TrackingRung *rungs;
    uint32_t count;
} TrackingLadder;

/* A rule for an event, a page or a screen; or for all identifies or all groups, and then the name is empty. */
typedef struct TrackingRule {
    EventType type;
    Str name;
    uint64_t hash;
    const Schema *schema;           /* for the properties or traits; NULL: anything */
    const Str *sources;             /* from which it may come; none: any source */
    uint32_t source_count;
    bool is_deprecated;
    Str versions;                   /* of the apps that the rule is for; empty: all */
    TrackingLadder ladder;
    TrackingRung unplanned;         /* for properties that it does not name; TRACKING_RUNGS: as the ladder says */
    uint32_t line;
} TrackingRule;

struct tracking_plan {
    struct schema_store store;
    Hash128 text_hash;
    bool has_files;                 /* it names further files */
    Str version;
    TrackingRule *rules;
    uint32_t rule_count;
    struct slots slots;             /* finds the rules */
    TrackingLadder ladder;
    TrackingRung unplanned_events, unplanned_pages;         /* TRACKING_RUNGS: as the ladder says */
    TrackingRung unplanned_properties, unplanned_traits;
    struct pattern *name_pattern;   /* for events that are not in the plan; NULL: any name */
    Str name_wants;                 /* what the pattern asks for, in words */
};

TrackingRung tracking_rung_for(const TrackingLadder *ladder, Str source, TrackingRung otherwise);
const TrackingRule *tracking_find_rule(const struct tracking_plan *plan, EventType type, Str name);
/* The planned event that was probably meant by this name; empty: none. */
Str tracking_near_event(const struct tracking_plan *plan, EventType type, Str name);

#endif
