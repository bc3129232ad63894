/* ask_paths: what paths and their lists of people share: the question, how one person's way is walked, and which events
 * are listed by name at each step. docs/queries.md defines every number. */
#ifndef ONYM_ASK_PATHS_H
#define ONYM_ASK_PATHS_H

#include "ask_answer.h"
#include "ask_counter_map.h"
#include "ask_moments.h"

enum { PATHS_DEPTH_MAX = 10, PATHS_EVENTS_MAX = 16, PATHS_AFTER = 0, PATHS_BEFORE };
/* Beside groups, which events are. */
enum { PATHS_ANCHOR = GROUPS_MAX, PATHS_OTHERS = GROUPS_MAX + 1 };

struct ask_paths_counter {
    struct counter_map steps;           /* by depth, from, to */
    uint64_t people;
};

struct ask_paths {
    Query query;
    Selector selectors[1 + PATHS_EVENTS_MAX];   /* the anchor, then what is looked at */
    uint32_t selector_count, direction, depth, limit;
    bool collapses;
    Millis within_ms;
    struct moments anchors;             /* of each person with one: the first; looking back, the last */
    struct ask_paths_counter counters[QUERY_WORKERS_MAX];
    uint32_t worker_count, group_max;
    struct counter_map steps, shown, links;   /* shown: by depth and group, those that are listed */
    uint64_t people;
    ScanSpec specs[2];                  /* of the two scans */
};

/* What both have in common, of paths->query, which is open. */
Status MUST ask_paths_read(struct ask_paths *paths, Err *err);
/* Finds the anchors, and counts the steps of everybody. The caller closes both scans, which may be NULL, the second one
 * first, and the counters, also after a failure. */
Status MUST ask_paths_count(struct ask_paths *paths, struct scan **ret_first, struct scan **ret_second, Err *err);
void ask_paths_close(struct ask_paths *paths);
/* The second scan's specification, without what is done with a person: it gives the same people and groups again. */
ScanSpec ask_paths_spec(struct ask_paths *paths, const struct scan *first);

/* One person's way: the anchor, and the steps from it, paths->depth at most; how many. May sort into scratch. */
typedef struct AskWay {
    Hit anchor, steps[PATHS_DEPTH_MAX];
    uint32_t count;
} AskWay;
void ask_paths_walk(const struct ask_paths *paths, const Hits *all, Arena scratch, AskWay *ret);

/* The events of a step (from 0), the most frequent first; notes that the first paths->limit of them are listed by name.
 * people: how many came so far. The ranking is in the arena. */
typedef struct AskRanking {
    RankedGroup *ranked;
    uint32_t count;
    uint64_t people;
} AskRanking;
Status MUST ask_paths_rank(struct ask_paths *paths, uint32_t depth, const Groups *groups, Arena *arena,
                           AskRanking *ret, Err *err);
/* The group under which a ranked step lists this one. */
uint32_t ask_paths_shown_as(const struct ask_paths *paths, uint32_t depth, uint32_t group);

#endif
