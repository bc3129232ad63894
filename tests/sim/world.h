/* world: everything that Onym runs on, and Onym, in one struct that a seed makes. */
#ifndef ONYM_TESTS_SIM_WORLD_H
#define ONYM_TESTS_SIM_WORLD_H

#include "ask/ask.h"
#include "collect/collect.h"
#include "deliver/deliver.h"
#include "derive/derive.h"
#include "history.h"
#include "retention.h"
#include "segments/segments.h"
#include "small_files.h"
#include "tests/fakes/fake_fetch.h"
#include "tests/fakes/fake_rows.h"
#include "vendors.h"
#include "visitors.h"
#include "wire.h"

enum { TALE_LINES = 40, TALE_BYTES = 160 };
#define WORLD_START_MS INT64_C(1700000000000)

/* A request on its way: made by a visitor, sent in pieces, perhaps answered; and the connection, which others may use
 * after it. */
struct flight {
    bool is_used, is_submitted;         /* submitted: all of it was sent */
    bool has_left;                      /* its client did not wait for the answer */
    int socket;                         /* -1: none is open */
    struct buf body, out;               /* out: the request's bytes */
    size_t sent;                        /* of them */
    uint32_t suppressed;                /* of its messages: so many are to be left out */
    uint32_t indices[OUTBOX_MAX];
    size_t count, visitor;
};

/* A fault of ours, which must be found: else the simulator is broken. */
enum canary {
    CANARY_NONE,
    CANARY_LOSS,                /* a failed commit is answered as if it had succeeded */
    CANARY_MODEL,               /* the model of identity is not told of one message */
    CANARY_VENDOR,              /* a vendor says yes and throws the request away */
    CANARY_QUESTION,            /* the reference of questions is not told of one message */
    CANARY_ERASURE,             /* a record that was erased is taken for one that should not have been */
    CANARY_RETENTION,           /* the journal is not told what the destinations need */
    CANARY_EXTERNAL,            /* the model of identity is not told of emails */
    CANARY_FINDING,             /* the model of the doctor does not count one alias in two */
    CANARY_SMALL_FILE,          /* a small file that was written is thrown away */
    CANARY_COUNT
};

struct world {
    uint64_t seed;
    bool is_verbose;
    enum canary canary;
    struct fake_dice dice;
    struct fake_clock clock;            /* of the machine: the wall clock may be wrong */
    struct fake_clock outside;          /* of everybody else: goes as the other, and is never set */
    struct fake_disk disk;
    struct fake_fetch fetch;
    struct fake_rows rows;              /* of the destinations: on a disk of their own, which fills up now and then */
    struct visitors visitors;
    Sent *sent;
    struct flight flights[FLIGHTS_MAX];
    struct history history;
    struct vendors vendors;
    struct retention retention;
    struct small_files small_files;
    struct region scratch;              /* for one call of a check or an order */
    /* Onym */
    struct journal *journal;
    struct applier *applier;
    struct collector *collector;
    struct wire wire;
    struct deliver *deliver;
    /* orders of the operator (operator.c) */
    bool has_lost_power;                /* at the last end; else the process died alone */
    bool may_erase, may_unmerge;        /* never both: docs/identity.md says why */
    bool has_externals;                 /* the rules of who is who have visitors_externals */
    IdentityExternal externals[EXTERNALS];
    struct journal_append order;        /* one at a time */
    struct control_orders *order_token; /* of control_order */
    bool has_order;
    /* what happened, the last lines of it, and a hash of all of them: the same seed gives the same */
    char tale[TALE_LINES][TALE_BYTES];
    unsigned tale_count;
    uint64_t digest;
    unsigned turn, crashes, faults, restarts, rebuilds, orders, questions;
    bool has_faults;
    char state_dir[64];         /* of the applier's kv, which knows no fake disk; below it, one a directory */
};

void world_tell(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What would crowd out the rest: it is in the digest, and printed where one seed is told turn by turn. */
void world_trace(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
__attribute__((noreturn)) void world_fail(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Everything submitted becomes durable, or not; a poisoned journal is opened again. */
void world_commit(struct world *world);

void world_pass(struct world *world, Millis by_ms);     /* time, for everybody */
void world_step(struct world *world);                   /* commit, apply, deliver */
/* What was derived is thrown away and made anew from what is left of the journal. */
void world_remake(struct world *world);

/* ---- What an operator orders (operator.c) ---- */

/* One order, drawn by the dice: erase, suppress, take evidence back, replay, try dead letters again, switch a
 * destination off. Sometimes there is nothing to order. */
void operator_act(struct world *world);
/* The answer to an order that waits is given up: the process ends. */
void operator_forget(struct world *world);

/* ---- Promises ---- */

/* Reads the whole journal and compares it with what was sent and ordered. Fails the world where a promise is broken. */
void checks_run(struct world *world);
/* A message that came back from the journal: is it as it was sent? */
void checks_event(struct world *world, const Sent *sent, const Event *event);
/* Derived state: every message counted once, and an applier that begins anew says the same of everybody. */
void checks_derived(struct world *world);
/* Lets the applier catch up, without faults of the disk. */
void checks_catch_up(struct world *world, struct applier *applier);
/* Catches up; then who is one person, whose each message is and what they said of themselves last: as by the reference
 * model on what counts of the history. Leaves each message's person in the Sent. */
void checks_identity(struct world *world);
/* After checks_identity: trends and a funnel, against loops over all messages. */
void checks_questions(struct world *world);
/* "email:kim1@x", as commands spell it; empty: the message has none, or the rules have no such kind. In the arena. */
Str world_spell_external(const struct world *world, const Sent *sent, int external, Arena *arena);
/* One of the events that questions are about, as they call it (checks_questions.c). */
struct step { EventType type; const char *name, *label; };
const struct step *questions_draw_step(struct world *world);
bool questions_is_step(struct world *world, size_t sent, const struct step *step);
DeriveAsker questions_asker(const struct world *world);
/* The answer, in the arena; a number in it. */
const TreeNode *questions_ask(struct world *world, QueryKind kind, Str question, Arena *arena);
uint64_t questions_number(const TreeNode *object, const char *path);
/* Fails the world where the two differ. */
void questions_expect(struct world *world, Str question, const char *what, uint64_t told, uint64_t is);
/* The same of the other kinds (checks_kinds.c). */
void checks_kinds(struct world *world, Arena arena);
/* After checks_identity: what the doctor finds, in what is derived and in what was derived anew (checks_doctor.c). */
void checks_findings(struct world *world, struct applier *again);
/* What the doctor says of the last days as they will be so much later, in the arena. */
Str checks_examine(struct world *world, struct doctor *doctor, struct applier *applier, Millis later_ms, Arena *arena);
/* When all is delivered: nothing is missing, and per person in order. */
void checks_deliveries(struct world *world);
/* dir: of the fake disk. name: of the kv, which is on the real one. */
DeriveOptions world_apply_options(struct world *world, const char *dir, const char *name);

#endif
