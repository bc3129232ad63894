/* plan_rules: a compiled plan. Private to plan/. */
#ifndef ONYM_PLAN_RULES_H
#define ONYM_PLAN_RULES_H

#include "plan_schema.h"

/* Which rung, by source: the source's row, or else the usual one. */
typedef struct TrackingLadder {
    bool is_given;
    TrackingRung usual;
    const Str *sources;
    const TrackingRung *rungs;
    uint32_t count;
} TrackingLadder;

/* An event, a page, a screen; or all identifies, or all groups: then the name is empty. */
typedef struct TrackingRule {
    EventType type;
    Str name;
    uint64_t hash;
    const Schema *schema;           /* of properties or traits; NULL: anything */
    const Str *sources;             /* from which it may come; none: any source */
    uint32_t source_count;
    bool is_deprecated;
    Str versions;                   /* of the apps that it counts for; empty: all */
    TrackingLadder ladder;
    TrackingRung unplanned;         /* for a property that it does not know; TRACKING_RUNGS: as the ladder says */
    uint32_t line;
} TrackingRule;

struct tracking_plan {
    struct schema_store store;
    Hash128 text_hash;
    bool has_files;                 /* it named some */
    Str version;
    TrackingRule *rules;
    uint32_t rule_count;
    struct slots slots;             /* of the rules */
    TrackingLadder ladder;
    TrackingRung unplanned_events, unplanned_pages;         /* TRACKING_RUNGS: as the ladder says */
    TrackingRung unplanned_properties, unplanned_traits;
    struct pattern *name_pattern;   /* of events that are not in the plan; NULL: any */
    Str name_wants;                 /* what it asks, in words */
};

TrackingRung tracking_rung_for(const TrackingLadder *ladder, Str source, TrackingRung otherwise);
const TrackingRule *tracking_find_rule(const struct tracking_plan *plan, EventType type, Str name);
/* A planned event that the name was meant to be; empty: none. */
Str tracking_near_event(const struct tracking_plan *plan, EventType type, Str name);

#endif
