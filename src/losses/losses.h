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
/* The answer of GET /api/v1/losses. ERR_CLOSED soon after *is_cancelled (NULL: never). */
Status MUST losses_write(struct journal *journal, const LossesRange *range, const atomic_bool *is_cancelled,
                         struct buf *out, Err *err);

#endif
