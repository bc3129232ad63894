/* tools_plan: what the files of `onym plan` share. */
#ifndef ONYM_TOOLS_PLAN_H
#define ONYM_TOOLS_PLAN_H

#include "tools.h"
#include "plan/plan.h"

/* Each prints into out, and gives its exit code. */
typedef int PlanAction(const struct command_line *line, Arena *arena, struct buf *out);
PlanAction tools_plan_check;

/* The plan of --plan, else the configuration's; its problems are printed. EXIT_FINE, or the exit code to end with. */
int tools_plan_open(const struct command_line *line, Arena *arena, struct tracking_plan **ret);
/* "Order Completed: properties.revenue is text ("29.90"), the plan wants a number". message: the JSON that it stands
 * in, to be quoted from; empty: nothing is. */
void tools_plan_write_violation(struct buf *out, Str event, const TrackingViolation *violation, Str message,
                                Arena scratch);

#endif
