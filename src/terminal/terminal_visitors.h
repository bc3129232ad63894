/* terminal_visitors: the moment at which an anonymous visitor becomes somebody, as one line of a terminal:
 *
 *   = ~7f3e8a01-… is now user 12345 (Kim) · 5 earlier events kept
 *
 * It counts what it is shown since the process began, in a table of fixed size; who is whom is told by
 * `onym person`. One thread. */
#ifndef ONYM_TERMINAL_VISITORS_H
#define ONYM_TERMINAL_VISITORS_H

#include "event/event.h"

struct visitors;
struct visitors *visitors_open(void);                        /* NULL: no memory */
void visitors_close(struct visitors *visitors);              /* accepts NULL */
/* Appends the line, without its end, where the record is the first to name the user of a visitor who was seen
 * anonymous before. The text may hold anything that an id may: it is for terminal_put. */
bool visitors_note(struct visitors *visitors, Str record, struct buf *out);

#endif
