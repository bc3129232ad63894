/* vendors: stand-ins for those who are delivered to. They take requests, refuse some, ask for patience, fall over, say
 * nothing, say it late, and get copies that were thought lost. What they were told is kept, message by message. */
#ifndef ONYM_TESTS_SIM_VENDORS_H
#define ONYM_TESTS_SIM_VENDORS_H

#include "deliver/deliver.h"
#include "tests/fakes/fake_fetch.h"
#include "visitors.h"

enum { VENDORS = 4, COPIES_MAX = 24 };

/* What a vendor knows of one message. */
struct received {
    uint64_t hash;                      /* of the bytes: a repeat must be equal */
    uint64_t key;                       /* by which the vendor tells a repeat from a second event */
    uint32_t order;                     /* when it came first, counted from 1; 0: never */
    bool is_out_of_turn;                /* refused once, or told by a copy that was late: no promise of order */
};

/* A request on a long way: its sender has given it up, and it comes all the same. */
struct copy { int vendor; Millis due_ms; char *body; size_t len; };

struct vendors {
    struct received *received[VENDORS];
    uint32_t taken;
    bool is_replayed[VENDORS];          /* built anew: where whose it is is told, that may be known better by now */
    unsigned trouble_per_thousand;
    int dead;                           /* answers nothing at all; -1: none */
    struct copy copies[COPIES_MAX];
    size_t copy_count;
    struct region region;               /* of the request that is read */
    DestinationConfig configs[VENDORS];
    Node nodes[VENDORS * 16];
    size_t node_count;
};

struct world;
void vendors_init(struct world *world);
void vendors_done(struct vendors *vendors);
/* Those that were thought lost and are due arrive. */
void vendors_step(struct world *world);
FakeWorld vendors_answer;               /* owner: the world */
FakeDelay vendors_delay;
/* Does the vendor hear of such a message? */
bool vendors_want(int vendor, const Sent *sent);
extern const char *const vendors_names[VENDORS];

#endif
