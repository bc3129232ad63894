/* losses: how many calls of the browser library were made and never came; docs/browser.md says what a gap in the
 * numbers of a visit proves. A pass over a range of the journal, so that it agrees with it always, after a rebuild and
 * a restart, too; nothing is kept. Memory: some 100 MiB of a pass, whatever the range. Threads: any.
 */
#ifndef ONYM_LOSSES_LOSSES_H
#define ONYM_LOSSES_LOSSES_H

#include <stdatomic.h>

#include "journal/journal.h"

typedef struct LossesRange {
    Millis from_ms;                         /* visits that began before are not told of */
    Millis until_ms;                        /* those with a call after it may go on, and are not counted */
} LossesRange;
/* Visits of one set-up on one page. What its first call says of itself: anybody may write it. */
typedef struct LossesGroup {
    Str source, library, browser, page;     /* of those that had no room of their own: "(others)", no source */
    uint64_t visits, calls, missing, broken;        /* broken: visits with a gap */
    Millis first_ms, last_ms;               /* of the broken ones; INT64_MAX, INT64_MIN: none */
} LossesGroup;
/* Each group that has a visit, most missing first. Same errors. */
typedef void LossesVisit(void *context, const LossesGroup *group);
Status MUST losses_list(struct journal *journal, const LossesRange *range, const atomic_bool *is_cancelled,
                        LossesVisit *visit, void *context, Err *err);
/* The answer of GET /api/v1/losses. ERR_CLOSED soon after *is_cancelled (NULL: never). */
Status MUST losses_write(struct journal *journal, const LossesRange *range, const atomic_bool *is_cancelled,
                         struct buf *out, Err *err);

#endif
