/* server_journal: how every command opens the journal for writing, and the file DATA/reached, which says how far the
 * journal has come. */
#ifndef ONYM_SERVER_JOURNAL_H
#define ONYM_SERVER_JOURNAL_H

#include "config/config.h"
#include "segments/segments.h"

/* Without retention. Asks every store in the data directory how far the journal has come. Texts live in the arena. What
 * happens to the journal's files (SegmentsNotice) is logged. */
SegmentsOptions journal_options(const struct config *config, Arena *arena);

struct reached;
Status MUST reached_open(const struct config *config, struct reached **ret, Err *err);
/* Writes how far the journal is, but not too often; is_last: at once, and durably. Accepts NULL. */
Status MUST reached_keep(struct reached *reached, struct journal *journal, bool is_last, Err *err);
void reached_close(struct reached *reached);                 /* accepts NULL */

#endif
