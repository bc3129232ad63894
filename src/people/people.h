/* people: who somebody is, told from what is derived: ids, first and last seen, timeline, evidence, and why two
 * ids are one person or two.
 *
 * What it is not: it decides nothing; identity/ does. It keeps nothing. It calls identity/, index/, journal/.
 *
 * The answers are JSON, as docs/people.md lists them, appended to a buffer. Everything here reads identity as
 * it stands: the caller holds the applier's reading guard for the whole call (apply_begin_reading).
 * Threads: any, under that guard.
 */
#ifndef ONYM_PEOPLE_PEOPLE_H
#define ONYM_PEOPLE_PEOPLE_H

#include "event/event.h"
#include "identity/identity.h"
#include "index/index.h"
#include "journal/journal.h"

typedef struct People {
    struct identity *identity;
    struct index *index;
    struct journal *journal;
    /* The value of a person's traits as a JSON object, appended to out. NULL: the person has none to tell. */
    Status (*write_traits)(void *context, IdentityPerson person, Arena *arena, struct buf *out, Err *err);
    void *context;
} People;

/* An id in words: "user_id:12345", "anonymous_id:a-1", or bare, which is tried as a user id, then as an
 * anonymous id, then as a person id. ERR_NOT_FOUND: never seen. */
Status MUST people_find_node(const People *people, Str id, IdentityNode *ret, Err *err);
Status MUST people_find_user(const People *people, Str user_id, IdentityPerson *ret, Err *err);
Status MUST people_find_anonymous(const People *people, Str anonymous_id, IdentityPerson *ret, Err *err);
/* A person id, of today or of old. */
Status MUST people_find(const People *people, Str person_id, IdentityPerson *ret, Err *err);

/* {"person_id","user_ids","anonymous_ids","external_ids","traits","first_seen","last_seen","events"} */
Status MUST people_write_person(const People *people, IdentityPerson person, Arena *arena, struct buf *out, Err *err);
/* {"events":[...newest first...],"cursor":{"next","has_more"}}. cursor: of the page before; empty: the newest. */
Status MUST people_write_events(const People *people, IdentityPerson person, size_t limit, Str cursor, Arena *arena,
                                struct buf *out, Err *err);
/* {"links":[{"from","to","rule","time","source","message_id","position","removed"}]} */
Status MUST people_write_links(const People *people, IdentityPerson person, Arena *arena, struct buf *out, Err *err);
/* {"same":bool,"reason","text","links":[...],"at"} */
Status MUST people_write_why(const People *people, Str a, Str b, Arena *arena, struct buf *out, Err *err);

typedef struct PersonEvent {
    Millis time_ms;
    JournalPos pos;
} PersonEvent;

/* All of the person's events, in no order. An anonymous id that several users share gives only those that
 * were this person's by their time. */
Status MUST people_list_events(const People *people, IdentityPerson person, Arena *arena, PersonEvent **ret,
                               size_t *ret_count, Err *err);

/* The message at a position of the journal, decoded; borrows from the arena. ERR_NOT_FOUND: erased or retired. */
Status MUST people_read_event(const People *people, JournalPos pos, Arena *arena, Event *ret, Err *err);

#endif
