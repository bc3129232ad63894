/* event_record: what event_compose.c needs of the record's layout. Private to event/. */
#ifndef ONYM_EVENT_EVENT_RECORD_H
#define ONYM_EVENT_EVENT_RECORD_H

#include "event.h"

enum { PART_TIMES = 5, PART_COUNT = 12, RECORD_HEAD_BYTES = 4 + 4 * PART_COUNT };

/* Where an event's times stand as text in its JSON; those that are empty are stored beside it. What stands
 * there must be what instant_read makes of it. */
typedef struct RecordTimes {
    Str timestamp, original_timestamp, sent_at, received_at;
} RecordTimes;

/* Puts the head at buf->bytes + start, where its room was left, and what must follow the JSON behind it.
 * event->json is all that stands behind the head; strings that are no part of it are appended. */
void record_finish(struct buf *buf, size_t start, const Event *event, const RecordTimes *times);

#endif
