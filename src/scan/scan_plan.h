/* scan_plan: what the files that translate a question for each run have in common. */
#ifndef ONYM_SCAN_PLAN_H
#define ONYM_SCAN_PLAN_H

#include "scan.h"

struct planner {
    const Query *query;
    const ScanSpec *spec;
    Arena *arena;
    struct region scratch;          /* one dictionary at a time, and what is made of it */
    Err *err;
    Plan *plan;
    Status status;
    struct user_filter { const Filter *filter; uint64_t *passes; uint32_t subject_count; } users[FILTERS_MAX];
    uint32_t user_count;
};

/* Zeroed memory; NULL, and a failure that stays, if the question's memory is used up. */
void *plan_take(struct planner *planner, size_t size, size_t count);
/* Reads a dictionary, valid until the next one is read; ret_scratch: the rest of the room. False after a failure. */
bool plan_read_values(struct planner *planner, const IndexRun *run, uint32_t column, IndexValues *ret,
                      Arena *ret_scratch);
/* The run's reader of a column, new or known; READER_NONE if it has no such column. */
uint32_t plan_find_reader(struct planner *planner, PlanRun *run, Str field);
void plan_warn(struct planner *planner, Str field);
/* An object has no value of its own, only its members have: a question for the whole object gets a warning. */
void plan_warn_of_objects(struct planner *planner, const IndexRun *run, Str field, Str label);
/* What a code of events says of a field that is about what the event is. */
IndexValue plan_code_value(const IndexValues *values, uint32_t code, FieldOf of);

/* Groups and accounts of all runs (scan_plan_groups.c). */
void plan_groups(struct planner *planner);
void plan_users(struct planner *planner);
void plan_accounts(struct planner *planner);

#endif
