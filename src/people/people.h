/* people: who somebody is, told from what is derived: ids, traits, first and last seen, timeline, evidence, and why
 * two ids are one person or two.
 *
 * What it is not: it decides nothing; identity/ and profile/ do. It keeps nothing. It calls identity/, profile/, index/
 * and journal/, so that who asks about people need not.
 *
 * The answers are JSON, as docs/people.md lists them, appended to a buffer. Everything here reads identity as
 * it stands: the caller holds the applier's reading guard for the whole call (derive_begin_reading).
 * Threads: any, under that guard.
 */
#ifndef ONYM_PEOPLE_PEOPLE_H
#define ONYM_PEOPLE_PEOPLE_H

#include "event/event.h"
#include "identity/identity.h"
#include "index/index.h"
#include "journal/journal.h"
#include "profile/profile.h"

#include <stdatomic.h>

/* The rules of who is who, and where messages have the external ids that these opt in to. */
typedef struct PeopleRules {
    IdentityRules identity;
    const Str *external_fields;             /* in step with its externals: where a message has each, "traits.email" */
} PeopleRules;

typedef struct People {
    struct identity *identity;
    struct index *index;
    struct journal *journal;
    struct profile *profile;                /* NULL: there are no traits to tell */
    const PeopleRules *rules;
    const atomic_bool *is_cancelled;        /* whoever asked has left: ERR_CLOSED, soon; NULL: never */
} People;

static inline bool people_is_given_up(const People *people)
{
    return people->is_cancelled && atomic_load_explicit(people->is_cancelled, memory_order_relaxed);
}

/* A page of a list. */
typedef struct PeoplePage {
    Str cursor;                             /* of the page before; empty: this is the first */
    const char *field;                      /* in which the cursor was given: errors name it */
    size_t limit;                           /* so many entries at most */
} PeoplePage;

/* ---- Whom an id names (people_find.c) ---- */

/* An id in words: "user_id:12345", "anonymous_id:a-1", "person_id:u_12345", "email:kim@example.com" (a kind of the
 * rules), or bare: a user id, an anonymous id or a person id. ERR_NOT_FOUND: never seen. ERR_INPUT: bare, it names more
 * than one person. */
Status MUST people_find_node(const People *people, Str id, IdentityNode *ret, Err *err);
Status MUST people_find_user(const People *people, Str user_id, IdentityPerson *ret, Err *err);
Status MUST people_find_anonymous(const People *people, Str anonymous_id, IdentityPerson *ret, Err *err);
/* A person id, of today or of old. */
Status MUST people_find(const People *people, Str person_id, IdentityPerson *ret, Err *err);
/* In words as people_find_node takes it; "email:…" where that is no kind of the rules: who has the trait. */
Status MUST people_find_any(const People *people, Str id, Arena *arena, IdentityPerson *ret, Err *err);
/* By its kind: "user_id", "anonymous_id", one of the rules. false: never seen, or there is no such kind. */
bool people_find_kind(const People *people, Str type, Str id, IdentityPerson *ret);
bool people_has_kind(const People *people, Str type);
/* Two sources may have used the same id: then only id and source together name a message. */
typedef struct MessageName {
    Str message_id, source;                 /* the source may be empty */
} MessageName;
/* Among the evidence of a person, the message of that name. ERR_NOT_FOUND: no link comes from such a message.
 * ERR_INPUT: messages of two sources have the id. */
Status MUST people_find_message(const People *people, IdentityPerson person, const MessageName *name, Arena *arena,
                                JournalPos *ret, Err *err);

/* A person's ids. */
typedef struct PersonId {
    Str type, id;
    IdentityNode node;
} PersonId;
Status MUST people_list_ids(const People *people, IdentityPerson person, Arena *arena, PersonId **ret,
                            size_t *ret_count, Err *err);
/* The message of an id's first link; not known: it has no link. Source and message are empty where it is retired. */
typedef struct PersonIdOrigin {
    bool is_known;
    Millis time_ms;
    Str source, message_id;
} PersonIdOrigin;
Status MUST people_find_origin(const People *people, const PersonId *id, Arena *arena, PersonIdOrigin *ret, Err *err);
Str people_person_id(const People *people, IdentityPerson person, Arena *arena);        /* "u_12345" */

/* ---- Whose a message is (people_links.c) ---- */

typedef struct PersonLink {
    Str anonymous_id, user_id;              /* the user whose the id's history is: its first claim */
    Millis at_ms;
    bool is_merge;                          /* anonymous_id is a user id: an alias made the two one person */
} PersonLink;

typedef struct MessagePerson {
    uint64_t key;                           /* the same for messages of one person, as far as is known now; 0: nobody */
    Str owner_id;                           /* an anonymous message's user, where the id's first claim is another's */
    bool previous_is_user;                  /* alias: the previous id was seen as a user id */
} MessagePerson;
Status MUST people_find_message_person(const People *people, const Event *event, Arena *arena, MessagePerson *ret,
                                       Err *err);
/* Who sent it, as is known now. IDENTITY_NONE: each of its ids is blocked, or it is of somebody erased since. */
IdentityPerson people_find_sender(const People *people, const Event *event, bool *ret_is_erased);
/* What an id did before is somebody's by this very message: the first claim of an anonymous id, or an alias that made
 * two users one. One of the two is empty; both: it claims nothing. Borrows from the event. */
typedef struct PersonClaim {
    Str anonymous_id, user_id;
} PersonClaim;
Status MUST people_find_claim(const People *people, const Event *event, JournalPos pos, Arena scratch, PersonClaim *ret,
                              Err *err);
/* Anonymous ids whose first claim is the user's, and aliases that made other users one person with this one. */
Status MUST people_list_links(const People *people, Str user_id, Arena *arena, const PersonLink **ret,
                              size_t *ret_count, Err *err);
/* By the rules this value never names anyone. Any thread, without the guard. */
bool people_is_blocked(const People *people, Str id);

/* ---- What they said of themselves (people_traits.c) ---- */

/* What profile_read_traits, _groups and _history tell of all of the person's subjects: merged people's traits by the
 * last write, a shared device's by whose it was. */
Status MUST people_read_traits(const People *people, IdentityPerson person, Arena *arena, ProfileValues *ret, Err *err);
Status MUST people_read_groups(const People *people, IdentityPerson person, Arena *arena, ProfileValues *ret, Err *err);
Status MUST people_read_history(const People *people, IdentityPerson person, Arena *arena, ProfileValues *ret,
                                Err *err);
/* People with an email or a name (profile.h, rule 6) that begins with the text, at most max, in order of the names;
 * those who had it once are among them. */
Status MUST people_find_names(const People *people, Str text, size_t max, IdentityPerson *found, size_t *ret_count,
                              Err *err);
/* Whoever has this email as a trait now; ERR_NOT_FOUND (without words): nobody. */
Status MUST people_find_email(const People *people, Str email, Arena *arena, IdentityPerson *ret, bool *ret_is_shared,
                              Err *err);
/* A group's traits. ERR_NOT_FOUND (without words): no group call ever named it. */
Status MUST people_read_group(const People *people, Str group_id, Arena *arena, ProfileValues *ret, Err *err);
typedef struct GroupMember {
    Hash128 number;
    IdentityPerson person;                  /* IDENTITY_NONE: erased since */
} GroupMember;
/* The members of a group that stand on the page, and the cursor of one. members: room for page->limit. */
Status MUST people_list_members(const People *people, Str group_id, const PeoplePage *page, GroupMember *members,
                                size_t *ret_count, Err *err);
Str people_member_cursor(const GroupMember *member, Arena *arena);

/* ---- As JSON ---- */

/* {"person_id","user_ids","anonymous_ids","external_ids","traits","first_seen","last_seen","events"} */
Status MUST people_write_person(const People *people, IdentityPerson person, Arena *arena, struct buf *out, Err *err);
/* {"events":[...newest first...],"cursor":{"next","has_more"}} */
Status MUST people_write_events(const People *people, IdentityPerson person, const PeoplePage *page, Arena *arena,
                                struct buf *out, Err *err);
/* {"links":[{"from","to","rule","time","source","message_id","position","removed"}]} */
Status MUST people_write_links(const People *people, IdentityPerson person, Arena *arena, struct buf *out, Err *err);
/* [...], as above: the evidence that the message at the position gave. Of ids with more than a thousand links the
 * oldest and the newest are looked at. */
Status MUST people_write_message_links(const People *people, const Event *event, JournalPos pos, Arena *arena,
                                       struct buf *out, Err *err);
/* {"same":bool,"reason","text","links":[...],"at"} */
Status MUST people_write_why(const People *people, Str a, Str b, Arena *arena, struct buf *out, Err *err);

/* ---- What taking back would do (people_foresee.c) ---- */

/* The messages whose evidence would be taken back, or given again (restores): by position, or all that link two ids. */
typedef struct PeopleForesight {
    const JournalPos *positions;
    size_t count;
    Str a, b;                               /* in words, as people_find_node takes them; empty: by positions */
    bool restores;
} PeopleForesight;
/* {"messages","events","moves":[{"id","from","to","events"}],"moves_left_out"}: which ids, with how many events, would
 * be another person's. Changes nothing. ERR_NOT_FOUND: none of the messages gave such evidence. ERR_TOO_LARGE: more
 * than 2,000 ids hang together, or they have too much evidence. */
Status MUST people_write_foresight(const People *people, const PeopleForesight *asked, Arena *arena, struct buf *out,
                                   Err *err);

typedef struct PersonEvent {
    Millis time_ms;
    JournalPos pos;
} PersonEvent;
typedef struct PersonEvents {
    PersonEvent *items;
    size_t count;
} PersonEvents;

/* All of the person's events, in no order. An anonymous id that several users share gives only those that
 * were this person's by their time. */
Status MUST people_list_events(const People *people, IdentityPerson person, Arena *arena, PersonEvents *ret, Err *err);
/* Orders of PersonEvent for qsort: by time, and by position where the times are equal. */
int people_oldest_first(const void *a, const void *b);
int people_newest_first(const void *a, const void *b);

/* The message at a position of the journal, decoded; borrows from the arena. ERR_NOT_FOUND: erased or retired. */
Status MUST people_read_event(const People *people, JournalPos pos, Arena *arena, Event *ret, Err *err);

/* ---- External ids ---- */

/* The external ids that a message has. */
typedef struct PeopleExternals {
    IdentityValue items[IDENTITY_MESSAGE_EXTERNALS];
    size_t count;
} PeopleExternals;
/* json: the message's. What *ret points to lives in the arena and in the JSON. */
Status MUST people_find_externals(struct event_parser *parser, Str json, const PeopleRules *rules, Arena *arena,
                                  PeopleExternals *ret, Err *err);
/* An external id with its kind, "email:kim@x.example", the value folded as the rules say. room: PEOPLE_EXTERNAL_BYTES;
 * the value has LIMIT_ID_BYTES at most. */
enum { PEOPLE_EXTERNAL_BYTES = LIMIT_KIND_NAME_BYTES + 1 + LIMIT_ID_BYTES };
Str people_spell_external(const IdentityExternal *kind, Str value, char *room);
/* Spelt so. IDENTITY_NONE: never seen. */
IdentityNode people_find_external(const struct identity *identity, Str spelt);
/* In words: *ret is how it is spelt, in the arena. false: the rules have no such kind. *ret_person: IDENTITY_NONE where
 * it was never seen. */
bool people_read_external(const People *people, Str words, Arena *arena, Str *ret, IdentityPerson *ret_person);

/* {"type":"user_id","id":"12345"} */
void people_put_node(struct buf *out, const People *people, IdentityNode node);

#endif
