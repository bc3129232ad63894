/* terminal_event: one event as one tidy line of a terminal: time, type, name, who, source, key properties.
 * Used by `onym serve` and `onym tail`. Colours only where the stream is a terminal and NO_COLOR is unset. */
#ifndef ONYM_TERMINAL_EVENT_H
#define ONYM_TERMINAL_EVENT_H

#include <stdio.h>

#include "event/event.h"

struct event_line;
Status MUST event_line_open(FILE *stream, struct event_line **ret, Err *err);
void event_line_close(struct event_line *line);              /* accepts NULL */
/* A record of any kind; kinds that mean nothing to a reader print nothing. */
void event_line_print(struct event_line *line, Str record, FILE *stream);

#endif
