/* server_journal: how the journal is opened for writing, the same for whoever writes it, and the file DATA/reached,
 * which says how far it has come. */
#ifndef ONYM_SERVER_JOURNAL_H
#define ONYM_SERVER_JOURNAL_H

#include "config/config.h"
#include "segments/segments.h"

/* Without retention. Asks everybody in the data directory how far the journal has come. Texts live in the arena. What
 * happens to its files (SegmentsNotice) is logged, whoever writes it. */
SegmentsOptions journal_options(const struct config *config, Arena *arena);

struct reached;
Status MUST reached_open(const struct config *config, struct reached **ret, Err *err);
/* Notes how far it is, at most every so often; is_last: now, and durably. Accepts NULL. */
Status MUST reached_keep(struct reached *reached, struct journal *journal, bool is_last, Err *err);
void reached_close(struct reached *reached);                 /* accepts NULL */

#endif
