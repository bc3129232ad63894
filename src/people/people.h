/* people: says who somebody is, from derived state: ids, traits, first and last seen, timeline, evidence, and why
 * two ids are one person or two.
 *
 * What it does not do: it decides nothing (identity/ and profile/ do), and it keeps nothing. It calls identity/,
 * profile/, index/ and journal/, so that folders that ask about people need not.
 *
 * The answers are JSON, as docs/people.md lists them, appended to a buffer. Everything here reads identity's present
 * state: the caller holds the applier's reading guard for the whole call (derive_begin_reading).
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
    const Str *external_fields;             /* for each of its externals the place in a message, "traits.email" */
} PeopleRules;

typedef struct People {
    struct identity *identity;
    struct index *index;
    struct journal *journal;
    struct profile *profile;                /* NULL: there are no traits to tell */
    const PeopleRules *rules;
    const atomic_bool *is_cancelled;        /* true: the client has left, return ERR_CLOSED soon; NULL: never */
} People;

static inline bool people_is_given_up(const People *people)
{
    return people->is_cancelled && atomic_load_explicit(people->is_cancelled, memory_order_relaxed);
}

/* A page of a list. */
typedef struct PeoplePage {
    Str cursor;                             /* of the page before; empty: this is the first */
    const char *field;                      /* the member that had the cursor: errors name it */
    size_t limit;                           /* at most this many entries */
} PeoplePage;

/* ---- Whom an id names (people_find.c) ---- */

/* Finds an id in words: "user_id:12345", "anonymous_id:a-1", "person_id:u_12345", "email:kim@example.com" (a kind of
 * the rules); or without a kind: a user id, an anonymous id or a person id. ERR_NOT_FOUND: never seen. ERR_INPUT:
 * without a kind it names more than one person. */
Status MUST people_find_node(const People *people, Str id, IdentityNode *ret, Err *err);
Status MUST people_find_user(const People *people, Str user_id, IdentityPerson *ret, Err *err);
Status MUST people_find_anonymous(const People *people, Str anonymous_id, IdentityPerson *ret, Err *err);
/* Finds a person by a present or former person id. */
Status MUST people_find(const People *people, Str person_id, IdentityPerson *ret, Err *err);
/* Takes the same words as people_find_node; if email is no kind of the rules, "email:…" is whoever has that trait. */
Status MUST people_find_any(const People *people, Str id, Arena *arena, IdentityPerson *ret, Err *err);
/* Finds an id by its kind: "user_id", "anonymous_id", one of the rules. false: never seen, or there is no such kind. */
bool people_find_kind(const People *people, Str type, Str id, IdentityPerson *ret);
bool people_has_kind(const People *people, Str type);
/* Two sources may have used the same id: then only id and source together name a message. */
typedef struct MessageName {
    Str message_id, source;                 /* the source may be empty */
} MessageName;
/* Finds the message with that id among the evidence of a person. ERR_NOT_FOUND: no link comes from such a message.
 * ERR_INPUT: messages of two sources have the id. */
Status MUST people_find_message(const People *people, IdentityPerson person, const MessageName *name, Arena *arena,
                                JournalPos *ret, Err *err);
/* Does the message at the position, of which a command says the ids, have a link that was taken back, or one that was
 * not? True, too, where an id has so many links that nobody can tell. */
bool people_has_evidence(const People *people, const JournalCommand *message, JournalPos pos, bool is_removed,
                         Arena scratch);

/* A person's ids. */
typedef struct PersonId {
    Str type, id;
    IdentityNode node;
} PersonId;
Status MUST people_list_ids(const People *people, IdentityPerson person, Arena *arena, PersonId **ret,
                            size_t *ret_count, Err *err);
/* The message of an id's first link; not known: it has no link. Source and message are empty if it is retired. */
typedef struct PersonIdOrigin {
    bool is_known;
    Millis time_ms;
    Str source, message_id;
} PersonIdOrigin;
Status MUST people_find_origin(const People *people, const PersonId *id, Arena *arena, PersonIdOrigin *ret, Err *err);
Str people_person_id(const People *people, IdentityPerson person, Arena *arena);        /* "u_12345" */

/* ---- Which person a message belongs to (people_links.c) ---- */

typedef struct PersonLink {
    Str anonymous_id, user_id;              /* the user who owns the id's history, by the first claim */
    Millis at_ms;
    bool is_merge;                          /* anonymous_id is a user id: an alias made the two one person */
} PersonLink;

typedef struct MessagePerson {
    uint64_t key;                           /* the same for messages of one person, as far as is known now; 0: nobody */
    Str owner_id;                           /* an anonymous message's user, if another user claimed the id first */
    bool previous_is_user;                  /* alias: the previous id was seen as a user id */
} MessagePerson;
Status MUST people_find_message_person(const People *people, const Event *event, Arena *arena, MessagePerson *ret,
                                       Err *err);
/* Who sent it, as far as is known now. IDENTITY_NONE: all its ids are blocked, or its person has been erased since. */
IdentityPerson people_find_sender(const People *people, const Event *event, bool *ret_is_erased);
/* What this message claims: an anonymous id whose first claim it is, or a user whom its alias joins to another. One of
 * the two is empty; if both are, it claims nothing. Borrows from the event. */
typedef struct PersonClaim {
    Str anonymous_id, user_id;
} PersonClaim;
Status MUST people_find_claim(const People *people, const Event *event, JournalPos pos, Arena scratch, PersonClaim *ret,
                              Err *err);
/* Anonymous ids that the user claimed first, and aliases that made other users one person with this one. */
Status MUST people_list_links(const People *people, Str user_id, Arena *arena, const PersonLink **ret,
                              size_t *ret_count, Err *err);
/* Is this a value that by the rules never names anyone? Any thread may ask, without the guard. */
bool people_is_blocked(const People *people, Str id);

/* ---- What they said of themselves (people_traits.c) ---- */

/* What profile_read_traits, _groups and _history say of all of the person's subjects: of merged people the last write
 * counts, of a shared device the writes at the time when it was this person's. */
Status MUST people_read_traits(const People *people, IdentityPerson person, Arena *arena, ProfileValues *ret, Err *err);
Status MUST people_read_groups(const People *people, IdentityPerson person, Arena *arena, ProfileValues *ret, Err *err);
Status MUST people_read_history(const People *people, IdentityPerson person, Arena *arena, ProfileValues *ret,
                                Err *err);
/* People with an email or a name (profile.h, rule 6) that begins with the text, at most max, in order of the names.
 * People who once had such a name are among them. */
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
/* The members of a group that are on the page, and the cursor of one. members: room for page->limit. */
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
/* [...], as above: the evidence that the message at the position gave. If an id has more than a thousand links, only
 * the oldest and the newest are looked at. */
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
 * belong to another person. Changes nothing. ERR_NOT_FOUND: none of the messages gave such evidence. ERR_TOO_LARGE:
 * more than 2,000 ids are connected, or they have too much evidence. */
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

/* All of the person's events, in no order. An anonymous id that several users share gives only the events from the
 * times when it was this person's. */
Status MUST people_list_events(const People *people, IdentityPerson person, Arena *arena, PersonEvents *ret, Err *err);
/* The times of the person's first and last event; INSTANT_NONE: there are none. Costs a search for each id. */
Status MUST people_read_seen(const People *people, IdentityPerson person, Arena scratch, Millis *ret_first_ms,
                             Millis *ret_last_ms, Err *err);
/* Orders of PersonEvent for qsort: by time, and by position where the times are equal. */
int people_oldest_first(const void *a, const void *b);
int people_newest_first(const void *a, const void *b);

/* The message at a position of the journal, decoded; borrows from the arena. ERR_NOT_FOUND: erased or retired. */
Status MUST people_read_event(const People *people, JournalPos pos, Arena *arena, Event *ret, Err *err);

/* ---- What changed (people_changes.c) ---- */

/* Who is who, for those who keep it elsewhere and want to be told what changed: a warehouse. Each thing told takes the
 * place of what was told of the same identifier or person before. A round is begun, told in pieces, and ended; what a
 * round told is forgotten again where it is not kept, and told by the next. One thread. */
struct people_changes;
/* Everything that it needs is copied. */
struct people_changes *people_open_changes(const People *people);
void people_close_changes(struct people_changes *changes);   /* accepts NULL */

/* Whose an identifier is: of an event with (from_ms, from_id) < (time, messageId) <= (to_ms, to_id). INT64_MIN: since
 * ever; INT64_MAX: until further notice. */
typedef struct PeopleSpan {
    Millis from_ms, to_ms;
    Str from_id, to_id, person_id;
} PeopleSpan;
typedef struct PeopleIdentifier {
    Str kind, value;                        /* "user_id", "anonymous_id", "email" */
    const PeopleSpan *spans;                /* in order, without gaps */
    size_t span_count;                      /* 0: nobody's: a constant, changed hands too often, or no id now */
} PeopleIdentifier;
enum { PEOPLE_SPANS_MOST = 20000 };

typedef struct PeopleTold {
    Str person_id, user_id;                 /* user_id: the one that the person id is made of, or empty */
    Millis first_ms, last_ms;               /* of their events; INSTANT_NONE: there are none */
    Str traits;                             /* a JSON object */
} PeopleTold;

/* Begins a round: all that changed since the last one that was kept, or everything, the first time at least. *ret_all:
 * it is everything. Under the guard. */
Status MUST people_begin_round(struct people_changes *changes, bool *ret_all, Err *err);
/* Tells who sent it, too, and of its ids. Under the guard, before the first piece. */
void people_tell_event(struct people_changes *changes, const Event *event);
/* Tells whose the id is, too. kind, value: as PeopleIdentifier has them. Under the guard, before the first piece. */
void people_tell_id(struct people_changes *changes, Str kind, Str value);
/* The next piece, at most max; *ret_count 0: that was all. Strings live in the arena, of which PEOPLE_PIECE_BYTES are
 * enough. Under the guard. Identifiers that are no more are not told: who erases knows them. */
enum { PEOPLE_PIECE_BYTES = 512 * 1024 * 1024 };
Status MUST people_next_identifiers(struct people_changes *changes, Arena *arena, PeopleIdentifier *items, size_t max,
                                    size_t *ret_count, Err *err);
Status MUST people_next_people(struct people_changes *changes, Arena *arena, PeopleTold *items, size_t max,
                               size_t *ret_count, Err *err);
void people_end_round(struct people_changes *changes, bool is_kept);         /* any time, without the guard */

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
/* Finds the id with this spelling. IDENTITY_NONE: never seen. */
IdentityNode people_find_external(const struct identity *identity, Str spelt);
/* Reads an id in words: *ret is its spelling, in the arena. false: the rules have no such kind. *ret_person:
 * IDENTITY_NONE if it was never seen. */
bool people_read_external(const People *people, Str words, Arena *arena, Str *ret, IdentityPerson *ret_person);

/* {"type":"user_id","id":"12345"} */
void people_put_node(struct buf *out, const People *people, IdentityNode node);

#endif
