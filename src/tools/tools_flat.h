/* tools_flat: a message as one row of a table, for engines that want columns (docs/export.md). */
#ifndef ONYM_TOOLS_FLAT_H
#define ONYM_TOOLS_FLAT_H

#include "event/event.h"

/* Appends one line of JSON whose values are texts and integers only: what is an object in the message stands as its
 * JSON text. Every key stands in every row, in this order; what a message lacks is an empty text. */
Status MUST flat_write(const Event *event, Arena scratch, struct buf *out, Err *err);

#endif
