/* ask_drop: the first reason why somebody got no further in a funnel. A pure function of the person's events. */
#ifndef ONYM_ASK_DROP_H
#define ONYM_ASK_DROP_H

#include "chain/chain.h"

typedef enum DropWhy {
    DROP_NONE,                      /* nothing was wrong: the last step was reached */
    DROP_NEVER,                     /* there is no event of the next step at all, at any time */
    DROP_BEFORE,                    /* it is only earlier than the step that was reached last */
    DROP_TOO_LATE,                  /* it is after the window, by over_ms */
    DROP_STEP_TOO_LATE,             /* it is after the time that the step may take from the one before, by over_ms */
    DROP_BETWEEN,                   /* strict: another event is between */
    DROP_EXCLUDED,                  /* an exclusion is between */
} DropWhy;

typedef struct Drop {
    DropWhy why;
    uint32_t step;                  /* that was not reached, from 1 */
    Millis at_ms, over_ms;          /* DROP_BEFORE and what follows: when the event that does not count was */
} Drop;

/* chain: the one that counts for the person. Among several events of the next step, the first one after the chain's
 * last event gives the time; if all are before that, the last of them does. */
void ask_find_drop(const ChainRules *rules, const Hits *hits, const Chain *chain, Drop *ret);
const char *ask_drop_word(DropWhy why);         /* "too_late"; NULL: DROP_NONE */

#endif
