/* faults: what goes wrong at a destination, by kind: its dead letters by reason and status.
 *
 * What it is not: it delivers nothing, changes nothing and keeps nothing. Threads: any.
 */
#ifndef ONYM_FAULTS_FAULTS_H
#define ONYM_FAULTS_FAULTS_H

#include "deliver/deliver.h"

/* {"destination","errors":[{"reason","status","description","count","first_at","last_at","sample"}],"others",
 * "is_whole"}: the most frequent first, each with its newest letter as a sample. In reasons, words with digits are "#".
 * Of the first 20,000 letters; is_whole says whether those are all. others: of kinds beyond 64. */
Status MUST faults_write(const struct outbox_rows *rows, Str name, struct buf *out, Err *err);

#endif
