/* control: what operators ordered: erase, suppress, unmerge, restore. An order goes into the journal as a command, and
 * is carried out at its place there.
 *
 * What it does not do: it decides nothing about people and keeps no store of its own. It calls identity/, profile/,
 * index/ and journal/. It knows nothing of derive/, which follows the journal, gives it each command in its
 * turn, and saves what this folder notes together with everything else.
 *
 * Invariants
 *  1. A command changes what all messages before it have made, so it is carried out once, at its place; a rebuild
 *     gives the same result, since it meets the command at the same place.
 *  2. An erasure that was begun is finished, even if crashes come between its steps (control_erase.c lists them).
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
    PeopleRules rules;                      /* of external ids; borrowed */
    bool has_destinations;                  /* their store has people in it, too: ask control_list_forgets */
    bool may_append;                        /* somebody commits the journal: what is in force may be said again */
    uint32_t table;                         /* of the kv: the one with the rows of commands */
    /* Called when control_submit has given something to a journal whose committer does not wait on it; or NULL. */
    void (*wake_committer)(void *context);
    void *wake_context;
    void *context;                          /* of all that follow */
    void (*begin_reading)(void *context);   /* identity stands still between the two */
    void (*end_reading)(void *context);
    /* Waits until everything before the position is in every answer; false: not in time, or *is_cancelled. */
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

/* Carries out a command of the journal, when the applier has come to its place. */
Status MUST control_run(struct control *control, Str record, JournalPos pos, Err *err);
/* For another thread: does one bounded piece of the work that erasures and suppressed ids still have to do. */
Status MUST control_maintain(struct control *control, bool *ret_more, Err *err);
/* A message of a suppressed id came late, and the applier left it out: control_maintain will erase its record. */
void control_note_late(struct control *control, JournalPos pos);

/* ---- Saving: rows in one transaction with what else is derived ---- */

Status MUST control_load(struct control *control, struct kv_txn *txn, JournalPos saved, Err *err);
void control_forget(struct control *control);                /* what was loaded, and what is not saved */
bool control_wants_save(const struct control *control);
void control_ask_save(struct control *control);              /* it failed: the changes wait for the next one */
Status MUST control_save(struct control *control, struct kv_txn *txn, Err *err);
/* It was committed: everything before the position is on disk. */
void control_end_save(struct control *control, JournalPos saved);
/* Call it after that: if erasures wait for it, it writes the store anew, since free pages still have what was removed.
 * */
Status MUST control_rewrite(struct control *control, Err *err);

/* ---- Ordering ---- */

/* Appends the command to the journal and waits until it is in force: from then on every answer knows of it. For worker
 * threads; never an ingest thread, the committer, or under the guard. Any number of ids. ERR_INPUT: an id is too long.
 * ERR_FULL, ERR_CLOSED: it is not in force. ERR_TIMEOUT: it may come into force later; this is also the answer when
 * is_cancelled (may be NULL) becomes true: nobody waits any more. Repeating a command does no harm. */
typedef struct ControlPlace {
    JournalPos first, last;                 /* of the command's records; equal if there is only one */
} ControlPlace;
Status MUST control_submit(struct control *control, const JournalCommand *command, Millis timeout_ms,
                           const atomic_bool *is_cancelled, ControlPlace *ret, Err *err);
/* For who hands records with commands to the journal himself: control_order in place of journal_submit, and
 * control_order_over first thing in on_durable, with what control_order gave. */
struct control_orders;
Status MUST control_order(struct control *control, struct journal_append *append, struct control_orders **ret,
                          Err *err);
void control_order_over(struct control_orders *orders, Status status);
/* For unmerge and restore: fills in what the command says of the message at the position (IdentityLink has it).
 * Without the guard. ERR_NOT_FOUND: it is retired, erased, or no message. */
Status MUST control_find_evidence(struct control *control, JournalPos pos, Arena *arena, JournalCommand *ret, Err *err);
/* Under the guard. For erase and suppress: the ids of a person; for shared ids, the times when they were this
 * person's (suppress only takes whole ids). */
Status MUST control_list_person_ids(struct control *control, IdentityPerson person, Arena *arena, CommandId **ret,
                                    size_t *ret_count, Err *err);

/* ---- Suppressed ids ---- */

/* Under the guard. */
bool control_is_suppressed(struct control *control, CommandIdKind kind, Str value);
/* Under the guard. Is one of the ids that the message names suppressed? */
bool control_is_suppressed_event(struct control *control, const Event *event);
/* The same for a message that is not accepted yet. Any thread, at any time; one read of memory while none is
 * suppressed. If such a message gets into the journal all the same, it is left out, and control_maintain erases it
 * there. */
bool control_suppresses(struct control *control, EventType type, Str user_id, Str anonymous_id, Str previous_id);
/* The same for the external ids that a message carries in the places that the rules name. json: the message's; parser:
 * the caller's own. Ask first whether any is suppressed: that is one read of memory. */
bool control_suppresses_some_external(struct control *control);
bool control_suppresses_carrier(struct control *control, struct event_parser *parser, Str json, Arena arena);
Status MUST control_list_suppressed(struct control *control, Arena *arena, CommandId **ret, size_t *ret_count,
                                    Err *err);

/* What retention must leave: with the journal from here on, a rebuild knows each id that is suppressed. By who follows
 * the journal, like control_say_again, which he calls often: where retention waits (everything before due), what is
 * suppressed is said again at the journal's end, a bounded piece of it in each call, and then the journal may go. */
JournalPos control_needed(const struct control *control);
void control_say_again(struct control *control, JournalPos due, JournalPos applied);

/* ---- Erasures ---- */

/* An erasure under way. People and traits forget where the command is carried out; control_maintain does the rest. */
typedef struct ControlErasure {
    JournalPos command;                     /* what control_submit gave (of several records, each is an erasure) */
    JournalPos done;                        /* the journal is erased up to here; it must come to command */
    const char *stage;                      /* "journal", "index", "destinations", "command", "state" */
    uint64_t journal_records, index_rows;   /* erased so far */
} ControlErasure;
/* Any thread. The oldest first; *ret_done: how many were finished since the start. An erasure that is not listed is
 * done: nothing of its people is in the journal or in derived state. */
size_t control_list_erasures(struct control *control, ControlErasure *erasures, size_t max, uint64_t *ret_done);
/* Any thread. An erasure keeps its command, which names the ids, while the command is at or after the position:
 * a reader of the journal that keeps people elsewhere has to meet it there. UINT64_MAX, the default: there is no such
 * reader. */
void control_hold_commands(struct control *control, JournalPos pos);
/* A place of the journal that an erasure could not look into: nobody can read what is there, and it may be about
 * the person. It is reported while the erasure is under way and afterwards, until a rebuild. */
typedef struct ControlUnread { JournalPos command, from, to; char why[160]; } ControlUnread;
enum { CONTROL_UNREAD_PLACES = 32, CONTROL_UNREAD_MOST = 256 };     /* of one erasure; of all */
/* Any thread. Those of the commands between the two positions. */
size_t control_list_unread(struct control *control, JournalPos first, JournalPos last, ControlUnread *places,
                           size_t max);
/* The code that submits erasures allows no more than this to be under way: each takes memory until it is done. */
enum { CONTROL_ERASURES_MOST = 1024 };

/* ---- Forgetting elsewhere ---- */

/* What a store above this folder has to forget. An erasure keeps its ids until it was told that this is done;
 * after a crash it is listed again. */
typedef struct ControlForget {
    JournalPos before;                      /* an erasure: of records before this; suppressed ids: UINT64_MAX */
    JournalCommand what;                    /* COMMAND_ERASE, or COMMAND_SUPPRESS with all ids that are suppressed */
    uint64_t number;                        /* for control_end_forget */
} ControlForget;
/* Any thread, without the guard. None if there is nothing to do; as many as the arena has room for. */
Status MUST control_list_forgets(struct control *control, Arena *arena, ControlForget **ret, size_t *ret_count,
                                 Err *err);
void control_end_forget(struct control *control, const ControlForget *forget);

#endif
