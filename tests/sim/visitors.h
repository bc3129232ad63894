/* visitors: people who browse, sign up, share devices, lose answers and have wrong clocks. They write
 * real request bodies; the simulator carries them to the real corridors. */
#ifndef ONYM_TESTS_SIM_VISITORS_H
#define ONYM_TESTS_SIM_VISITORS_H

#include "event/event.h"
#include "tests/fakes/fakes.h"

enum { VISITORS_MAX = 24, OUTBOX_MAX = 32, SENT_MAX = 20000, ID_BYTES = 48 };

/* One message as its client made it: what has to be found in the end. */
typedef struct Sent {
    EventType type;
    char message_id[ID_BYTES], user_id[ID_BYTES], anonymous_id[ID_BYTES], previous_id[ID_BYTES], name[ID_BYTES];
    Millis happened_at_ms;              /* by the client's clock */
    bool is_server;                     /* sent by the site's backend: no anonymousId */
    bool is_acknowledged;               /* a 200 reached the client */
    bool is_submitted;                  /* it reached the journal's door at least once */
} Sent;

struct visitor {
    char anonymous_id[ID_BYTES], user_id[ID_BYTES];
    Millis skew_ms;                     /* its clock against ours */
    uint32_t outbox[OUTBOX_MAX];        /* indices into sent: made, not yet acknowledged */
    size_t outbox_count;
    uint32_t device;
};

struct visitors {
    struct fake_dice *dice;
    struct fake_clock *clock;
    struct visitor all[VISITORS_MAX];
    size_t count;
    Sent *sent;
    size_t sent_count;
    uint32_t users_made, ids_made;
};

void visitors_init(struct visitors *visitors, struct fake_dice *dice, struct fake_clock *clock, Sent *sent);
/* One visitor does one thing: views a page, signs up, logs in or out, aliases, comes back on another device. */
void visitors_act(struct visitors *visitors);
/* A request of a random visitor with something to send: the body into buf, the messages' indices into ret
 * (at most OUTBOX_MAX). 0: nobody has anything. */
size_t visitors_make_request(struct visitors *visitors, struct buf *body, uint32_t *ret_indices, size_t *ret_visitor);
/* The answer came: the messages leave the outbox. */
void visitors_acknowledge(struct visitors *visitors, size_t visitor, const uint32_t *indices, size_t count);

#endif
