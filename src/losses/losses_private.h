/* What the files of losses/ share; losses.h is what others see. */
#ifndef ONYM_LOSSES_PRIVATE_H
#define ONYM_LOSSES_PRIVATE_H

#include "event/event.h"
#include "losses.h"

enum {
    LOSSES_COUNT_MAX = 256,                 /* calls of a visit that are looked at */
    LOSSES_LEFT_MAX = 10,
    LOSSES_VISITS_MAX = 3 << 17,
    LOSSES_GROUPS_MAX = 1000, LOSSES_OTHER_GROUP = 0, LOSSES_NO_GROUP = UINT16_MAX,
    LOSSES_PAGE_BYTES = 200, LOSSES_LIBRARY_BYTES = 32, LOSSES_BROWSER_BYTES = 24, LOSSES_SOURCE_BYTES = 64,
    LOSSES_TEXT_BYTES = LOSSES_GROUPS_MAX
                      * (LOSSES_PAGE_BYTES + LOSSES_LIBRARY_BYTES + LOSSES_BROWSER_BYTES + LOSSES_SOURCE_BYTES + 16),
};

struct visit {
    uint64_t hash;                          /* of source and name */
    Millis first_ms, last_ms;
    uint64_t came[LOSSES_COUNT_MAX / 64];   /* a bit a number */
    uint32_t most;
    uint16_t group;
    bool is_live;                           /* some of it came by itself: imports fill gaps, and make none */
};

struct loss_group {
    uint64_t hash;
    LossesGroup of;
};

struct losses {
    uint64_t seed;
    Millis from_ms;                         /* visits that began before are not told of */
    Arena arena;                            /* of the groups' texts */
    struct visit *visits;                   /* LOSSES_VISITS_MAX */
    struct slots slots;                     /* of the visits */
    uint32_t visit_count, group_count;      /* group_count: 1 at first, for all that have no room */
    uint64_t left_out, open;                /* messages of visits without room; visits that may go on */
    struct loss_group groups[LOSSES_GROUPS_MAX];
};

/* One message, accepted or rejected. */
typedef struct LossesMessage {
    Str json, source;
    Millis received_ms;
    bool is_import;
} LossesMessage;
/* Anything but the library's own marks is passed over. */
void losses_note(struct losses *losses, const LossesMessage *message, Arena scratch);
/* Visits with a call after until_ms may go on, and are not counted. Once, at the end. */
void losses_sum_up(struct losses *losses, Millis until_ms);

#endif
