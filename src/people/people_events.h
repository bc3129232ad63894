/* people_events: which rows of the index are a person's. Private to people/. */
#ifndef ONYM_PEOPLE_EVENTS_H
#define ONYM_PEOPLE_EVENTS_H

#include "people.h"

typedef struct PersonEvent {
    Millis time_ms;
    JournalPos pos;
} PersonEvent;

/* All of the person's events, in no order. An anonymous id that several users share gives only those that
 * were this person's by their time. */
Status MUST people_list_events(const People *people, IdentityPerson person, Arena *arena, PersonEvent **ret,
                               size_t *ret_count, Err *err);

#endif
