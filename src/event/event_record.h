/* event_record: what event_compose.c needs of the record's layout. Private to event/. */
#ifndef ONYM_EVENT_EVENT_RECORD_H
#define ONYM_EVENT_EVENT_RECORD_H

#include "event.h"

enum { RECORD_HEAD_BYTES = 72 };

/* Puts the head at buf->bytes + start, where its room was left, and what must follow the JSON behind it.
 * event->json is all that stands behind the head; strings that are no part of it are appended. */
void record_finish(struct buf *buf, size_t start, const Event *event);

#endif
