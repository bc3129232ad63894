/* identity: who is who. A pure function of the set of accepted messages, brought up to date message by message.
 *
 * An identifier is a (kind, value): a user id, an anonymous id, or an external id that the rules opt in
 * (email, phone, …). It is interned to a dense 32-bit IdentityNode. A person is resolved from
 * identifiers: the user ids that aliases joined, with everything that is linked to them; or an anonymous id (or an
 * external id) that nobody has claimed yet.
 *
 * What it does not do: it reads no JSON and no journal, and uses no clock and no randomness. It holds
 * no traits and no events (profile/ and index/ hang theirs on nodes). It may call kv/ and base/; two files of it
 * know how it is saved; everything else works in memory.
 *
 * The rules
 *  1. Evidence. A message with an anonymous id and a user id links them at its event time. An alias of
 *     previousId to userId is evidence, too: previousId names a user if that value was seen anywhere as a
 *     userId, before or after; otherwise it names an anonymous id. An alias of a value to itself is no evidence.
 *  2. First claim. What an anonymous id did before its first link belongs to the user of that link.
 *  3. Shared device. Links to two users do not make them one person. An event that has only the anonymous id
 *     belongs to the user whose link is the last one before the event in (event time, messageId).
 *  4. Users become one person only by an alias of one to the other; removing that evidence parts them.
 *  5. Blocked values (blocked.tbl.h and the rules' own; case and surrounding white space do not matter,
 *     only zeros and dashes count as empty) never name anyone: a message is read as if it had no such id.
 *  6. Convergence. Any order, any repetition of the same messages gives the same answers, person ids
 *     included. Instants tie-break by messageId, bytewise.
 *  7. External ids, off unless the rules name their kinds: a message links every id that it carries to the
 *     strongest one that it carries (user id, then external kinds in the rules' order, then anonymous id).
 *     Of the ids that it was linked to, only those of the strongest kind count; by rules 2 and 3 it belongs to one
 *     of these. So a shared email never merges two users: it belongs to one after the other. A kind's limit says how
 *     many of that kind one stronger id may hold: those whose first links are earliest by (event time, messageId)
 *     count.
 *  8. Constants. An identifier that was linked to more owners than the rules' max_owners is neither a device nor an
 *     address, but a constant in somebody's code: like a blocked value it belongs to nobody.
 *     docs/identity.md works all of this out with examples.
 *
 * A person's id is the name of its canonical identifier (the smallest user id, bytewise; else the
 * unclaimed id itself), as URL-safe text: "u_12345", "a_3fa8…", "x_email:bob~40example.com". The name of every
 * identifier is therefore a person id that leads to the person whom it belongs to now, merged or not.
 *
 * Caveats. Node numbers are the order of first appearance: the same for the same journal, not for the same
 * set; outside of the process they are only in derived state. A change of the rules needs a rebuild.
 *
 * Threads: one writer, the applier. Reading functions read the engine as it is at that moment, and must not run at
 * the same time as a writing one: derive/ sees to that. Only a view may be read by any thread while the writer goes on.
 */
#ifndef ONYM_IDENTITY_IDENTITY_H
#define ONYM_IDENTITY_IDENTITY_H

#include "journal/journal.h"
#include "kv/kv.h"

typedef uint32_t IdentityNode;         /* an identifier; dense from 0 */
typedef uint32_t IdentityPerson;       /* a person: the number of one of their nodes; valid for one version only */
#define IDENTITY_NONE UINT32_MAX       /* no node, no person */

enum {
    IDENTITY_USER = 0, IDENTITY_ANONYMOUS = 1,
    IDENTITY_EXTERNAL = 2,             /* the first external kind; the rules' order, strongest first */
    IDENTITY_KINDS = 16,
    IDENTITY_NODES_MAX = 1 << 28,
    IDENTITY_PERSON_ID_BYTES = 3 * LIMIT_ID_BYTES + 64,
};
typedef uint8_t IdentityKind;

struct identity;

/* ---- Views: what a scan over many events needs, for any thread ---- */

/* A consistent picture of who every node is. Costs nothing to take; pages are shared with the engine and
 * copied by it before it writes. The scan's inner loop is:
 *
 *     uint32_t slot = identity_view_slot(view, subject);
 *     IdentityPerson person = identity_is_shared(slot)
 *                           ? identity_view_find_person(view, subject, time_ms, message_id) : slot;
 *
 * Persons are below view->node_count, so an array or a bitmap of that size indexes them. A node that is
 * not in the view (applied later) gives IDENTITY_NONE.
 */
enum { IDENTITY_PAGE_NODES = 1 << 14 };
#define IDENTITY_SHARED 0x80000000u

struct identity_view {
    uint64_t version;                  /* grows with every change that was published */
    uint32_t node_count;
    const uint32_t *const *pages;      /* person or shared slot of each node, IDENTITY_PAGE_NODES to a page */
    const struct identity_spans *const *const *span_pages;
    struct identity_view *older, *newer;           /* the engine's */
    uint32_t readers;
};

/* Which owner an identifier of several owners belongs to at which time: spans in order, each from (from_ms, from_id)
 * to the next one; the first also holds all that came before it. */
typedef struct IdentitySpan {
    Millis from_ms;
    Str from_id;                       /* messageId of the link that begins it */
    IdentityNode owner;                /* ask the view for its slot: the owner may itself be shared (external ids) */
} IdentitySpan;

struct identity_spans {
    uint32_t count;
    IdentitySpan spans[];
};

static inline uint32_t identity_view_slot(const struct identity_view *view, IdentityNode node)
{
    if (node >= view->node_count) return IDENTITY_NONE;
    return view->pages[node / IDENTITY_PAGE_NODES][node % IDENTITY_PAGE_NODES];
}
/* Does the owner depend on the time of the event? */
static inline bool identity_is_shared(uint32_t slot) { return slot & IDENTITY_SHARED && slot != IDENTITY_NONE; }
/* The spans of a shared slot, for those who merge them with events in order of time. */
const struct identity_spans *identity_view_spans(const struct identity_view *view, uint32_t shared_slot);
/* Finds the person whom an event of this subject belongs to. message_id decides between instants that are equal to the
 * millisecond; if it is costly to get, ask identity_view_needs_id first. */
IdentityPerson identity_view_find_person(const struct identity_view *view, IdentityNode subject, Millis time_ms,
                                         Str message_id);
/* Sets the bit of each person who owns the slot at any time: one person, or all in the spans of a shared slot. Any
 * number of threads may write into the same bits, of which there are view->node_count. IDENTITY_NONE sets no bit. */
void identity_view_mark_owners(const struct identity_view *view, uint32_t slot, uint64_t *bits);
bool identity_view_needs_id(const struct identity_view *view, IdentityNode subject, Millis time_ms);
/* Who the node is now: the owner of its last span. */
IdentityPerson identity_view_person_now(const struct identity_view *view, IdentityNode node);

/* Only the writer calls it: makes what was applied since the last call visible to new views. Cheap if nothing changed.
 * */
void identity_publish(struct identity *identity);
/* Any thread may call it. Gives the newest published view; give it back soon: pages that it shares cannot be reused. */
const struct identity_view *identity_take_view(struct identity *identity);
void identity_give_view(struct identity *identity, const struct identity_view *view);

/* ---- Opening ---- */

typedef struct IdentityExternal {
    Str name;                          /* "email"; [a-z0-9._-], 2 to 32 bytes */
    uint32_t limit;                    /* how many one stronger id may hold; 0: any number */
    bool folds;                        /* values that differ only in the case of ASCII letters and in blanks are one */
} IdentityExternal;

enum { IDENTITY_PLACEHOLDERS = 3 };    /* the newest list of blocked.tbl.h */

typedef struct IdentityRules {
    const Str *blocked;                /* beside blocked.tbl.h */
    size_t blocked_count;
    const IdentityExternal *externals; /* strongest first; at most IDENTITY_KINDS - IDENTITY_EXTERNAL */
    size_t external_count;
    uint32_t max_owners;               /* of one identifier; 0: 10,000 */
    uint32_t placeholders;             /* which list of blocked.tbl.h; 0: the newest */
} IdentityRules;

/* What the engine does not keep itself; derive/ gives it these. If the functions are NULL, everything stays in memory.
 * */
typedef struct IdentityArchive {
    void *context;
    /* Copies the messageId of the message at this position into text; empty if nobody can tell it any more. Writers and
     * readers ask when two links have the same time, or when a late link falls between two of another user. */
    Status (*read_message_id)(void *context, uint64_t position, char text[LIMIT_MESSAGE_ID_BYTES], size_t *ret_len,
                              Err *err);
    /* Finds the source of that message, by identity_source; IDENTITY_ANY_SOURCE if nobody can tell it any more. If it
     * is NULL, only the bits of the source that evidence keeps are compared. */
    Status (*read_source)(void *context, uint64_t position, uint64_t *ret, Err *err);
} IdentityArchive;

/* Where the engine is saved. If kv is NULL it is not saved: everything stays in memory and is lost at the end. */
typedef struct IdentityStore {
    struct kv *kv;
    size_t state, evidence;            /* two tables of it, the engine's own */
} IdentityStore;

typedef struct IdentityOptions {
    IdentityRules rules;               /* copied */
    IdentityArchive archive;
    IdentityStore store;
    uint64_t seed;                     /* of the hash table, against crafted ids: random; nobody needs to keep it */
} IdentityOptions;

/* Opens, and loads what was saved. ERR_INPUT: a rule is not valid. ERR_CONFLICT: it was saved under other rules:
 * clear both tables, and apply the journal from its beginning. The caller closes. */
Status MUST identity_open(const IdentityOptions *options, struct identity **ret, Err *err);
void identity_close(struct identity *identity);            /* accepts NULL; every view must have been given back */

/* ---- Writing ---- */

typedef struct IdentityValue {
    IdentityKind kind;
    Str value;
} IdentityValue;

/* A number of a source, made of its name. Evidence keeps 12 bits of it. */
#define IDENTITY_ANY_SOURCE UINT64_MAX /* for a command that names no source: it means the message of every source */
uint64_t identity_source(Str name);

/* What a message says about identity. Strings are borrowed for the call; empty: not given. */
typedef struct IdentityMessage {
    Str message_id;
    Millis time_ms;                    /* event time */
    uint64_t position;                 /* of the record in the journal, its number: where the evidence can be read */
    uint64_t source;                   /* identity_source: a messageId is unique within its source only */
    bool is_alias;
    Str user_id, anonymous_id;
    Str previous_id;                   /* looked at only in an alias */
    const IdentityValue *externals;    /* at most IDENTITY_MESSAGE_EXTERNALS; kinds that the rules know */
    size_t external_count;
} IdentityMessage;
enum { IDENTITY_MESSAGE_EXTERNALS = 32 };

/* Applies one message. *ret_subject is the event's subject for ever: its user node, or else its anonymous
 * node; IDENTITY_NONE if all its ids are blocked. Errors come from the archive: the engine may then hold half
 * of the message, and applying it again makes it whole. */
Status MUST identity_apply(struct identity *identity, const IdentityMessage *message, IdentityNode *ret_subject,
                           Err *err);
/* Hints that a message will be applied soon, so that the misses of many messages overlap: first fetches where its ids'
 * look-up begins, some messages later what is known of them, first their nodes, then the rest. */
typedef struct IdentityAhead { uint64_t hashes[2]; } IdentityAhead;
void identity_prefetch(const struct identity *identity, const IdentityMessage *message, IdentityAhead *ret);
void identity_prefetch_nodes(const struct identity *identity, const IdentityAhead *ahead);
void identity_prefetch_rest(const struct identity *identity, const IdentityAhead *ahead);
/* Takes back (unmerge) the evidence that a message gave, or gives it back (restore); the message itself still counts
 * as seen. Works before and after the message is applied; calling it again changes nothing. Recomputes what it touches.
 * */
Status MUST identity_unmerge(struct identity *identity, const IdentityMessage *message, Err *err);
Status MUST identity_restore(struct identity *identity, const IdentityMessage *message, Err *err);
/* Forgets an identifier: its value, its links, that it was ever seen. Its node stays as a number without a
 * name. The caller erases the messages in the journal. */
Status MUST identity_erase(struct identity *identity, IdentityNode node, Err *err);
/* Is an anonymous id known from a message that a user who is not erased sent with it? */
Status MUST identity_has_user_beside(const struct identity *identity, IdentityNode node, bool *ret, Err *err);
/* Forgets what aliases said of an anonymous id; the id itself is kept, for the users who were seen with it. */
Status MUST identity_erase_alone(struct identity *identity, IdentityNode node, Err *err);
/* No message has this identifier any more; an alias may still name it, and then nothing else is known of
 * it. If it was a user id, the aliases that name it join users no more, but claim it like an anonymous id (rule 1). */
Status MUST identity_unsee(struct identity *identity, IdentityNode node, Err *err);
/* Takes out of these external ids, ascending, those that a message has whose evidence nobody has erased. Where an id
 * was once the strongest of a message, this may look through all evidence: some ten milliseconds a million links. */
Status MUST identity_drop_evident(const struct identity *identity, IdentityNode *externals, size_t *count, Err *err);
/* A link that a message said, as identity_read_pairs finds it: from is the weaker id, or the alias's previousId. */
typedef struct IdentityPair { IdentityNode from, owner; uint64_t position; } IdentityPair;
size_t identity_read_pairs(struct identity *identity, const IdentityMessage *message,
                           IdentityPair pairs[IDENTITY_MESSAGE_EXTERNALS + 2]);
/* Forgets these links, whether or not they were taken back, and sorts them. Their ids stay known. It takes many at
 * once, since anybody can send any number of links for an id. If a call fails halfway, a second one completes it. */
Status MUST identity_erase_pairs(struct identity *identity, IdentityPair *pairs, size_t count, Err *err);
/* Finds the external ids that messages link this anonymous id to: those of messages without a user. Links that are
 * forgotten, too: a try that failed halfway may have got no further. */
Status MUST identity_visit_externals(const struct identity *identity, IdentityNode anonymous,
                                     void (*visit)(void *context, const IdentityPair *pair, Millis time_ms),
                                     void *context, Err *err);
/* Visits the external ids that were ever linked to this owner, where their kind has a limit: those beyond it, too. */
void identity_visit_held(const struct identity *identity, IdentityNode owner,
                         void (*visit)(void *context, IdentityNode external), void *context);
/* Finds the aliases whose previousId has this value, a user's or not: who said each (no erased user), and where. */
Status MUST identity_visit_aliases(const struct identity *identity, Str value,
                                   void (*visit)(void *context, IdentityNode user, uint64_t position), void *context,
                                   Err *err);

/* ---- Saving ---- */

/* The position that the last committed save was given; 0 if there was none. Apply all messages from here on
 * (again: applying what was applied before changes nothing). */
uint64_t identity_position(const struct identity *identity);
/* Writes what changed since the last save into the transaction: all messages before the position were applied.
 * The evidence then leaves memory. After that commit, and tell identity_end_save whether it worked, before you write
 * anything else to the engine. Save every million messages or every few seconds; it takes tens of milliseconds. */
Status MUST identity_save(struct identity *identity, struct kv_txn *txn, uint64_t position, Err *err);
void identity_end_save(struct identity *identity, uint64_t position, bool is_committed);

/* ---- Reading ---- */

/* IDENTITY_NONE where it was never seen. */
IdentityNode identity_find(const struct identity *identity, IdentityKind kind, Str value);
bool identity_is_blocked(const struct identity *identity, Str value);
/* The same by the newest built-in list alone, whatever the rules say, and with what only vendors refuse: for
 * destinations. */
bool identity_is_placeholder(Str value);
/* Writes the value into text (room for LIMIT_ID_BYTES) and returns it as Str; empty if it was erased. */
Str identity_read_value(const struct identity *identity, IdentityNode node, char *text);
/* Folds the value of an external id whose kind folds: room for LIMIT_ID_BYTES. Longer values stay as they are. */
Str identity_fold_text(Str value, char *room);
IdentityKind identity_kind_of(const struct identity *identity, IdentityNode node);
/* A number made of the identifier's kind and value: every rebuild gives it again, which is not true of node numbers. */
Hash128 identity_lasting_number(const struct identity *identity, IdentityNode node);
Str identity_kind_name(const struct identity *identity, IdentityKind kind);     /* "user_id", "anonymous_id", "email" */
bool identity_find_kind(const struct identity *identity, Str name, IdentityKind *ret);    /* false: there is none */

/* Find the person whom an event of this subject at (time, messageId) belongs to; the person whom a node is now. */
IdentityPerson identity_find_owner(const struct identity *identity, IdentityNode subject, Millis time_ms,
                                   Str message_id);
IdentityPerson identity_person_now(const struct identity *identity, IdentityNode node);

void identity_write_person_id(const struct identity *identity, IdentityPerson person, struct buf *buf);
/* The same, in memory that the caller gives. */
static inline Str identity_person_id(const struct identity *identity, IdentityPerson person,
                                     char room[IDENTITY_PERSON_ID_BYTES])
{
    struct buf text;
    buf_init_fixed(&text, room, IDENTITY_PERSON_ID_BYTES);
    identity_write_person_id(identity, person, &text);
    return buf_str(&text);
}
/* Finds the person whom a present or former person id leads to now; IDENTITY_NONE if there is none. */
IdentityPerson identity_find_person(const struct identity *identity, Str person_id);

/* Calls visit for every identifier of the person: the user ids, and all that was ever linked to them. Order:
 * user ids, anonymous ids, external ids, each bytewise; is_owner_now says whether the person has it now. */
typedef struct IdentityMember {
    IdentityNode node;
    IdentityKind kind;
    bool is_owner_now;
} IdentityMember;
Status MUST identity_list_members(const struct identity *identity, IdentityPerson person, Arena *arena,
                                  IdentityMember **ret_members, size_t *ret_count, Err *err);

/* One piece of evidence. */
typedef enum IdentityRule {
    IDENTITY_BY_MESSAGE = 1,           /* both ids stood in one message */
    IDENTITY_BY_ALIAS,                 /* an alias of an anonymous id to a user */
    IDENTITY_BY_ALIAS_OF_USER,         /* an alias of a user to a user */
} IdentityRule;

typedef struct IdentityLink {
    IdentityNode from, to;             /* from is the weaker one, or the alias's previousId */
    Millis time_ms;
    uint64_t position;
    uint16_t source;
    IdentityRule rule;
    bool is_removed;                   /* taken back by unmerge */
} IdentityLink;
typedef struct IdentityLinks {
    IdentityLink *items;
    size_t count;
    uint64_t more;                     /* how many were left out */
} IdentityLinks;
/* The evidence of a node, in both directions, oldest first, at most max of it (if there is more, half of them are the
 * oldest and half the newest). */
Status MUST identity_list_links(const struct identity *identity, IdentityNode node, size_t max, Arena *arena,
                                IdentityLinks *ret, Err *err);

/* ---- Why ---- */

typedef enum IdentityReason {
    IDENTITY_SAME = 0,                 /* one person: links is the chain from a to b */
    IDENTITY_APART_NO_EVIDENCE,        /* no message connects them, however far one follows */
    IDENTITY_APART_SHARED,             /* they share an identifier, which merges nobody (rule 3) */
    IDENTITY_APART_REMOVED,            /* evidence that would join them was taken back */
    IDENTITY_APART_LIMIT,              /* evidence that would join them is over the limit of its kind (rule 7) */
    IDENTITY_APART_BLOCKED,            /* one of the values is blocked (rule 5) */
    IDENTITY_APART_UNSEEN,             /* one of them was never seen */
} IdentityReason;

typedef struct IdentityWhy {
    IdentityReason reason;
    IdentityLink *links;               /* a path of evidence between the two, shortest first found */
    size_t link_count;
    IdentityNode at;                   /* the identifier that keeps them apart, or IDENTITY_NONE */
} IdentityWhy;
Status MUST identity_explain(const struct identity *identity, IdentityNode a, IdentityNode b, Arena *arena,
                             IdentityWhy *ret, Err *err);

/* ---- Numbers ---- */

typedef struct IdentityStats {
    uint32_t users, anonymous, externals, erased;     /* identifiers that were seen */
    uint32_t shared;                                  /* identifiers with several owners */
    uint64_t links, aliases, removed, blocked;        /* evidence kept; messages with a blocked id */
    uint64_t resident_bytes;                          /* all memory that the engine has touched */
} IdentityStats;
void identity_read_stats(const struct identity *identity, IdentityStats *ret);

#endif
