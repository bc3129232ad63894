/* event_outline: where each member of a message stands in its canonical JSON, found in one pass and read by many.
 *
 * The applier makes one outline of each message and hands it on with the event (Event.outline): the index makes columns
 * of it, symptoms/ counts its fields. So a message's text is walked once, however many want to know what is in it.
 *
 * An outline is a list of members in the order of the text, an object's or list's own right after it:
 *
 *     {"properties":{"plan":"Pro","tags":["a"]},"context":{…}}
 *      0 properties (next: 4)  1 plan (next: 2)  2 tags (next: 4)  3 the item "a" (next: 4)  4 context …
 *
 *     for (uint32_t at = 0; at < outline->count; at = outline->members[at].next)              the message's own
 *     for (uint32_t at = of + 1; at < outline->members[of].next; at = outline->members[at].next)      those of one
 *
 * Names and values are as in event_members.h: as they stand, nothing is converted. Objects and lists more than
 * OUTLINE_DEPTH deep are one member without members of their own.
 *
 * Any bytes are safe. What is malformed ends the outline: the members before it are there, and those that were open end
 * with the text. An outline of a record holds all members; of a longer text so many that is_cut says so.
 *
 * Threads: an outline belongs to who opened it. It borrows from the text; the next reading takes it.
 */
#ifndef ONYM_EVENT_EVENT_OUTLINE_H
#define ONYM_EVENT_EVENT_OUTLINE_H

#include "event_members.h"

enum {
    OUTLINE_DEPTH = 32,
    OUTLINE_MEMBERS = LIMIT_RECORD_BYTES / 2,               /* "1," is the shortest */
};

typedef enum OutlineKind {
    OUTLINE_TEXT, OUTLINE_NUMBER, OUTLINE_BOOL, OUTLINE_NULL, OUTLINE_LIST, OUTLINE_OBJECT,
} OutlineKind;

typedef struct OutlineMember {
    Str key;                                /* empty: an item's */
    Str raw;
    uint32_t next;                          /* the member after it and all that is in it */
    uint8_t kind;                           /* an OutlineKind, by its first byte: a word like nope is OUTLINE_NULL */
    bool has_escape;                        /* a text with a backslash in it */
    bool has_key_escape;                    /* a name with one */
    bool is_nested;                         /* an object or a list that holds another one */
} OutlineMember;

struct event_outline {
    uint32_t count;
    bool is_cut;
    OutlineMember members[OUTLINE_MEMBERS];
};

struct event_outline *event_outline_open(void);             /* NULL: no memory. Pages are taken as they are used */
void event_outline_close(struct event_outline *outline);    /* accepts NULL */

/* Of a text that is an object; of any other one it has no members. */
void event_outline_read(struct event_outline *outline, Str json);

struct Event;
/* Canonical JSON has projectId, the source's name, right before properties, traits and context: what stands before it
 * (ids, times, names) is in Event, and is passed over here. Of other JSON it is all members. False: it is no object. */
bool event_members_of(const struct Event *event, EventMembers *ret);
/* The outline of these: the one that the event brings along, or else it is made in the room. */
const struct event_outline *event_outline_of(const struct Event *event, struct event_outline *room);

#endif
