/* world: everything that Onym runs on, and Onym, in one struct that a seed makes. */
#ifndef ONYM_TESTS_SIM_WORLD_H
#define ONYM_TESTS_SIM_WORLD_H

#include "apply/apply.h"
#include "collect/collect.h"
#include "journal/journal.h"
#include "visitors.h"

enum { FLIGHTS_MAX = 16, TALE_LINES = 40, TALE_BYTES = 160 };
#define WORLD_START_MS INT64_C(1700000000000)

/* A request on its way: made by a visitor, perhaps submitted, perhaps answered. */
struct flight {
    struct world *world;
    bool is_used, is_submitted;
    struct buf body;
    uint32_t indices[OUTBOX_MAX];
    size_t count, visitor;
    struct journal_append append;
};

struct world {
    uint64_t seed;
    bool is_verbose;
    enum canary { CANARY_NONE, CANARY_LOSS, CANARY_MODEL } canary;      /* a fault of ours, which must be found */
    struct fake_dice dice;
    struct fake_clock clock;
    struct fake_disk disk;
    struct visitors visitors;
    Sent *sent;
    struct flight flights[FLIGHTS_MAX];
    /* Onym */
    struct journal *journal;
    struct applier *applier;
    struct collector *collector;
    struct collect_worker *worker;
    /* what happened, the last lines of it */
    char tale[TALE_LINES][TALE_BYTES];
    unsigned tale_count;
    unsigned turn, crashes, faults, restarts;
    bool has_faults;
    char state_dir[64];         /* of the applier's kv, which knows no fake disk; below it, one a directory */
};

void world_tell(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
__attribute__((noreturn)) void world_fail(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads the whole journal and compares it with what was sent. Fails the world where a promise is broken. */
void checks_run(struct world *world);
/* Derived state: every message counted once, and an applier that begins anew says the same of everybody. */
void checks_derived(struct world *world);
/* Lets the applier catch up, without faults of the disk. */
void checks_catch_up(struct world *world, struct applier *applier);
/* Catches up; then who is one person and whose each message is: as by the reference model on what the journal holds. */
void checks_identity(struct world *world);
/* dir: of the fake disk. name: of the kv, which is on the real one. */
ApplyOptions world_apply_options(struct world *world, const char *dir, const char *name);

#endif
