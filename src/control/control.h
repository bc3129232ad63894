/* control: what operators ordered: erase, suppress, unmerge, restore. An order goes into the journal as a command, and
 * is carried out when the applier comes to its place there.
 *
 * What it does not do: it decides nothing about people and keeps no store of its own. It calls identity/, profile/,
 * index/ and journal/. It knows nothing of derive/, which follows the journal, gives it each command in its
 * turn, and saves the rows of this folder together with everything else.
 *
 * Invariants
 *  1. A command changes what all messages before it have made, so it is carried out once, at its place; a rebuild
 *     gives the same result, since it meets the command at the same place.
 *  2. An erasure that was begun is finished, even if crashes come between its steps (control_erase.c lists the steps).
 *  3. Any thread may ask at any time, without a lock, whether an id is suppressed.
 *
 * Threads: the thread that follows the journal calls control_run, control_load, control_save, control_end_save,
 * control_rewrite, control_say_again and control_forget; one other thread calls control_maintain. "Under the guard":
 * ControlOptions.begin_reading was called.
 */
#ifndef ONYM_CONTROL_CONTROL_H
#define ONYM_CONTROL_CONTROL_H

#include "identity/identity.h"
#include "index/index.h"
#include "journal/journal.h"
#include "kv/kv.h"
#include "os/os.h"
#include "people/people.h"
#include "profile/profile.h"

#include <stdatomic.h>

/* What control needs from the code that follows the journal. */
typedef struct ControlOptions {
    struct journal *journal;
    struct clock *clock;                    /* for control_submit */
    PeopleRules rules;                      /* which external ids there are; borrowed */
    bool has_destinations;                  /* their store has people in it, too: its owner asks control_list_forgets */
    bool may_append;                        /* somebody commits the journal: suppressions may be said again */
    uint32_t table;                         /* of the kv: the one with the rows of commands */
    /* Called when control has given a record to a journal whose committer does not notice this by itself; or NULL. */
    void (*wake_committer)(void *context);
    void *wake_context;
    void *context;                          /* for all functions below */
    void (*begin_reading)(void *context);   /* from here to end_reading identity stands still */
    void (*end_reading)(void *context);
    /* Waits until every answer includes all before the position; false: not in time, or *is_cancelled. */
    bool (*wait_known)(void *context, JournalPos pos, Millis timeout_ms, const atomic_bool *is_cancelled);
    void (*passed)(void *context, const char *why, uint64_t bytes);     /* a part of the journal cannot be read */
} ControlOptions;

/* What commands change. */
typedef struct ControlStores {
    struct kv *kv;
    struct identity *identity;
    struct profile *profile;
    struct index *index;
} ControlStores;

struct control;

struct control *control_open(const ControlOptions *options);
void control_close(struct control *control);                 /* accepts NULL */
void control_use(struct control *control, const ControlStores *stores);

/* ---- Carrying out ---- */

/* Carries out a command of the journal. The applier calls it when it comes to the command's place. */
Status MUST control_run(struct control *control, Str record, JournalPos pos, Err *err);
/* For another thread: does one bounded piece of the work that erasures and suppressed ids still have to do. */
Status MUST control_maintain(struct control *control, bool *ret_more, Err *err);
/* A message of a suppressed id came late, and the applier left it out: control_maintain will erase its record. */
void control_note_late(struct control *control, JournalPos pos);

/* ---- Saving: the rows go into one transaction with all other derived state ---- */

Status MUST control_load(struct control *control, struct kv_txn *txn, JournalPos saved, Err *err);
void control_forget(struct control *control);                /* drops all that is in memory, saved or not */
bool control_wants_save(const struct control *control);
void control_ask_save(struct control *control);              /* the save failed: the changes wait for the next one */
Status MUST control_save(struct control *control, struct kv_txn *txn, Err *err);
/* The save was committed: everything before the position is on disk. */
void control_end_save(struct control *control, JournalPos saved);
/* Call it after control_end_save. If erasures wait for it, it writes the whole store anew, since the store's free pages
 * still have what was removed. */
Status MUST control_rewrite(struct control *control, Err *err);

/* ---- Ordering ---- */

/* Appends the command to the journal and waits until it is in force: from then on every answer knows of it. Worker
 * threads may call it, but never an ingest thread or the committer, and never under the guard. The command may have any
 * number of ids. ERR_INPUT: an id is too long. ERR_FULL, ERR_CLOSED: it is not in force. ERR_TIMEOUT: it may come into
 * force later; this is also the answer when is_cancelled (may be NULL) becomes true, since nobody waits any more.
 * Repeating a command does no harm. */
typedef struct ControlPlace {
    JournalPos first, last;                 /* the command's first and last record; equal if it has only one */
} ControlPlace;
Status MUST control_submit(struct control *control, const JournalCommand *command, Millis timeout_ms,
                           const atomic_bool *is_cancelled, ControlPlace *ret, Err *err);
/* For code that gives records with commands to the journal itself: it calls control_order in place of journal_submit.
 * Its on_durable first calls control_order_over with what control_order gave. */
struct control_orders;
Status MUST control_order(struct control *control, struct journal_append *append, struct control_orders **ret,
                          Err *err);
void control_order_over(struct control_orders *orders, Status status);
/* For unmerge and restore: fills in what the command says about the message at the position (IdentityLink has the
 * position). Not under the guard. ERR_NOT_FOUND: the message is retired or erased, or it is no message. */
Status MUST control_find_evidence(struct control *control, JournalPos pos, Arena *arena, JournalCommand *ret, Err *err);
/* Under the guard. For erase and suppress: lists the ids of a person; for shared ids, with the times when they were
 * this person's (suppress only takes whole ids). */
Status MUST control_list_person_ids(struct control *control, IdentityPerson person, Arena *arena, CommandId **ret,
                                    size_t *ret_count, Err *err);

/* ---- Suppressed ids ---- */

/* Under the guard. */
bool control_is_suppressed(struct control *control, CommandIdKind kind, Str value);
/* The same for a message that is not accepted yet. Any thread may ask at any time. While no id is suppressed, this
 * costs one read of memory. If a message of a suppressed id gets into the journal all the same, the applier leaves it
 * out, and control_maintain erases it there. */
bool control_suppresses(struct control *control, EventType type, Str user_id, Str anonymous_id, Str previous_id);
/* The same for the external ids that a message has in the places that the rules name. json: the message; parser: the
 * caller's own. First call control_suppresses_some_external, which is one read of memory: if it is false, no external
 * id is suppressed. */
bool control_suppresses_some_external(struct control *control);
bool control_suppresses_carrier(struct control *control, struct event_parser *parser, Str json, Arena arena);
/* All of it for a message that is in the journal: does it name or carry a suppressed id? Any thread, at any time. */
bool control_suppresses_message(struct control *control, struct event_parser *parser, const Event *event, Arena arena);
Status MUST control_list_suppressed(struct control *control, Arena *arena, CommandId **ret, size_t *ret_count,
                                    Err *err);

/* control_needed: retention must leave the journal from this position on, so that a rebuild knows every id that is
 * suppressed. If retention wants to remove what is before due, control_say_again appends commands with all these ids to
 * the journal, a bounded number in each call; after that the older part may go. The thread that follows the journal
 * calls both, control_say_again often. */
JournalPos control_needed(const struct control *control);
void control_say_again(struct control *control, JournalPos due, JournalPos applied);

/* ---- Erasures ---- */

/* An erasure under way. Identity and traits forget at once, when the command is carried out; control_maintain does the
 * rest. */
typedef struct ControlErasure {
    JournalPos command;                     /* what control_submit gave (if there are several records, each is one) */
    JournalPos done;                        /* the journal is erased up to here; it has to reach command */
    const char *stage;                      /* "journal", "index", "destinations", "command", "state" */
    uint64_t journal_records, index_rows;   /* erased so far */
} ControlErasure;
/* Any thread. Lists erasures, the oldest first; *ret_done: how many were finished since the start. An erasure that is
 * not listed is done: nothing about its people is left in the journal or in derived state. */
size_t control_list_erasures(struct control *control, ControlErasure *erasures, size_t max, uint64_t *ret_done);
/* Any thread. For a reader of the journal that keeps people elsewhere and has to meet the commands of erasures, which
 * name the ids: it says how far it has come. An erasure keeps its command as long as that is at or after this position.
 * UINT64_MAX, the default: there is no such reader. */
void control_hold_commands(struct control *control, JournalPos pos);
/* A place of the journal that an erasure could not look into: nobody can read what is there, and it may be about
 * the person. It is reported during the erasure and afterwards, until a rebuild. */
typedef struct ControlUnread { JournalPos command, from, to; char why[160]; } ControlUnread;
enum { CONTROL_UNREAD_PLACES = 32, CONTROL_UNREAD_MOST = 256 };     /* for one erasure; for all */
/* Any thread. Lists such places for the erasures whose commands are between the two positions. */
size_t control_list_unread(struct control *control, JournalPos first, JournalPos last, ControlUnread *places,
                           size_t max);
/* The code that submits erasures lets no more than these be under way, since each takes memory until it is done. */
enum { CONTROL_ERASURES_MOST = 1024 };

/* ---- Forgetting elsewhere ---- */

/* What a store above this folder has to forget. An erasure keeps its ids until control_end_forget says that this is
 * done; after a crash it is listed again. */
typedef struct ControlForget {
    JournalPos before;                      /* an erasure: only records before this; suppressed ids: UINT64_MAX */
    JournalCommand what;                    /* COMMAND_ERASE, or COMMAND_SUPPRESS with all ids that are suppressed */
    uint64_t number;                        /* for control_end_forget */
} ControlForget;
/* Any thread, not under the guard. Lists as many as the arena has room for; none: there is nothing to do. */
Status MUST control_list_forgets(struct control *control, Arena *arena, ControlForget **ret, size_t *ret_count,
                                 Err *err);
void control_end_forget(struct control *control, const ControlForget *forget);

#endif
