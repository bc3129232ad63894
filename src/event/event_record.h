/* event_record: what event_compose.c needs of the record's layout. Private to event/. */
#ifndef ONYM_EVENT_EVENT_RECORD_H
#define ONYM_EVENT_EVENT_RECORD_H

#include "event.h"

enum { PART_TIMES = 5, PART_COUNT = 12, RECORD_HEAD_BYTES = 4 + 4 * PART_COUNT };

/* Where an event's times are as text in its JSON; a time whose text is empty is stored among the extras. Such a text
 * must be what instant_read makes the same time of. */
typedef struct RecordTimes {
    Str timestamp, original_timestamp, sent_at, received_at;
} RecordTimes;

/* Writes the head at buf->bytes + start, where room was left for it, and the extras after the JSON.
 * event->json is everything after the head; strings that are not part of it are appended. */
void record_finish(struct buf *buf, size_t start, const Event *event, const RecordTimes *times);

#endif
