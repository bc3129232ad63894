/* tools_plan: what the files of `onym plan` share. */
#ifndef ONYM_TOOLS_PLAN_H
#define ONYM_TOOLS_PLAN_H

#include "tools.h"
#include "plan/plan.h"

/* What came (tools_plan_read.c). */
struct plan_reader {
    /* One message, parsed; the arena is scratch. */
    void (*visit)(void *context, struct event_parser *parser, const Event *event, const Message *message, Arena *arena);
    void *context;
    Millis from_ms;                    /* filled, as what follows */
    bool takes_imports;
    uint64_t count, unread;
    struct event_parser *parser;
    struct region region;
};
/* Options --from and --imports. EXIT_FINE, or the exit code after complaining. */
int tools_plan_read(const struct command_line *line, struct plan_reader *reader, Arena *arena);

/* The plan of --plan, else the configuration's; its problems are printed. EXIT_FINE, or the exit code to end with. */
int tools_plan_open(const struct command_line *line, Arena *arena, struct tracking_plan **ret);
/* "Order Completed: properties.revenue is text ("29.90"), the plan wants a number". message: the JSON that it stands
 * in, to be quoted from; empty: nothing is. */
void tools_plan_write_violation(struct buf *out, Str event, const TrackingViolation *violation, Str message,
                                Arena scratch);

#endif
