/* ask_drop: the first reason why somebody got no further in a funnel. A pure function of the person's events. */
#ifndef ONYM_ASK_DROP_H
#define ONYM_ASK_DROP_H

#include "chain/chain.h"

typedef enum DropWhy {
    DROP_NONE,                      /* nothing was wrong: the last step was reached */
    DROP_NEVER,                     /* no event of the next step, in any order of all that is looked at */
    DROP_BEFORE,                    /* only earlier than the step that was reached last */
    DROP_TOO_LATE,                  /* after the window; by over_ms */
    DROP_STEP_TOO_LATE,             /* after the time that the step itself may take from the one before; by over_ms */
    DROP_BETWEEN,                   /* strict: something else lies between */
    DROP_EXCLUDED,                  /* an exclusion lies between */
} DropWhy;

typedef struct Drop {
    DropWhy why;
    uint32_t step;                  /* that was not reached, from 1 */
    Millis at_ms, over_ms;          /* DROP_BEFORE and what follows: when the event that does not count was */
} Drop;

/* chain: the one that counts for the person. Of several events of the next step the first one after the chain's last
 * counts, for its time; where all lie before it, the last of them. */
void ask_find_drop(const ChainRules *rules, const Hits *hits, const Chain *chain, Drop *ret);
const char *ask_drop_word(DropWhy why);         /* "too_late"; NULL: DROP_NONE */

#endif
