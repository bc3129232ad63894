/* scan_plan: what the files that translate a question for each run have in common. */
#ifndef ONYM_SCAN_PLAN_H
#define ONYM_SCAN_PLAN_H

#include "scan.h"

struct planner {
    const Query *query;
    const ScanSpec *spec;
    Arena *arena;
    struct region scratch;          /* has one dictionary at a time, and what is computed from it */
    Err *err;
    Plan *plan;
    Status status;
    struct user_filter { const Filter *filter; uint64_t *passes; uint32_t subject_count; } users[FILTERS_MAX];
    uint32_t user_count;
};

/* Zeroed memory. NULL: the question's memory is used up; then the planner has failed for good. */
void *plan_take(struct planner *planner, size_t size, size_t count);
/* Reads a dictionary; it is valid until the next one is read. ret_scratch: the rest of the room. False: it failed. */
bool plan_read_values(struct planner *planner, const IndexRun *run, uint32_t column, IndexValues *ret,
                      Arena *ret_scratch);
/* The run's reader for a column; if there is none yet, it is added. READER_NONE: the run has no such column. */
uint32_t plan_find_reader(struct planner *planner, PlanRun *run, Str field);
void plan_warn(struct planner *planner, Str field);
/* Only the members of an object have values in the index, not the object itself. So a question for the whole object
 * gets a warning. */
void plan_warn_of_objects(struct planner *planner, const IndexRun *run, Str field, Str label);
/* The value of a field that is about what the event is (its name, its type), by the event's code. */
IndexValue plan_code_value(const IndexValues *values, uint32_t code, FieldOf of);

/* Groups and accounts of all runs (scan_plan_groups.c). */
void plan_groups(struct planner *planner);
void plan_users(struct planner *planner);
void plan_accounts(struct planner *planner);

#endif
