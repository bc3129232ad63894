/* visitors: people who browse, sign up, share devices, lose answers and have wrong clocks. They write
 * real request bodies; the simulator carries them to the real corridors. */
#ifndef ONYM_TESTS_SIM_VISITORS_H
#define ONYM_TESTS_SIM_VISITORS_H

#include "event/event.h"
#include "journal/journal.h"
#include "tests/fakes/fakes.h"

enum { EXTERNALS = 2, EXTERNAL_EMAIL = 0, EXTERNAL_PHONE = 1 };
enum { VISITORS_MAX = 24, OUTBOX_MAX = 32, SENT_MAX = 8000, IDS_MAX = 2 * SENT_MAX, ID_BYTES = 48 };

/* One message as its client made it: what has to be found in the end. */
typedef struct Sent {
    EventType type;
    char message_id[ID_BYTES], user_id[ID_BYTES], anonymous_id[ID_BYTES], previous_id[ID_BYTES], name[ID_BYTES];
    char externals[EXTERNALS][ID_BYTES];        /* visitors_externals: an identify's email, anybody's phone */
    Millis happened_at_ms;              /* by the client's clock */
    bool is_server;                     /* sent by the site's backend: no anonymousId */
    int source;                         /* which of visitors_sources it comes from */
    int plan;                           /* identify: which of visitors_plans it says; 0: none */
    bool is_acknowledged;               /* a 200 reached the client */
    bool is_submitted;                  /* it reached the journal's door at least once */
    bool was_dropped;                   /* collection answered it and left it out: it names a suppressed id */
    /* by the history (history.c) */
    bool is_known, is_counted;          /* a record of it was taken; and is not erased, nor gone before a rebuild */
    bool is_remembered;                 /* a record of it would be a repetition */
    bool has_moved;                     /* another record of it counts than before */
    bool was_erased;
    bool is_removed;                    /* its evidence was taken back */
    JournalPos pos;                     /* of the record that counts */
    Millis time_ms;                     /* when it happened, by our clock */
    int person;                         /* whose it is, by the model (checks_identity.c); -1: nobody's */
} Sent;

extern const char *const visitors_plans[4];
/* Kinds of external ids, strongest first, where the world's rules have them. */
extern const char *const visitors_externals[EXTERNALS];
/* A visitor keeps to one of the first two; the backend has the last, so that a batch may have two. The write key of
 * each is "wk_" and its name; each message names its own. */
enum { SOURCE_BACKEND = 2, SOURCES = 3 };
extern const char *const visitors_sources[SOURCES];

struct visitor {
    char anonymous_id[ID_BYTES], user_id[ID_BYTES];
    Millis skew_ms;                     /* its clock against ours */
    int source;
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
    uint32_t *sent_of;                  /* by the number at the end of a messageId */
};

void visitors_init(struct visitors *visitors, struct fake_dice *dice, struct fake_clock *clock, Sent *sent);
/* One visitor does one thing: views a page, signs up, logs in or out, aliases, comes back on another device. */
void visitors_act(struct visitors *visitors);
/* A request of a random visitor with something to send: the body into buf, the messages' indices into ret
 * (at most OUTBOX_MAX). 0: nobody has anything. */
size_t visitors_make_request(struct visitors *visitors, struct buf *body, uint32_t *ret_indices, size_t *ret_visitor);
/* The answer came: the messages leave the outbox. */
void visitors_acknowledge(struct visitors *visitors, size_t visitor, const uint32_t *indices, size_t count);
/* The index of a message; -1: nobody sent it. */
int visitors_find_sent(const struct visitors *visitors, Str message_id);
/* Erased messages leave the outboxes. */
void visitors_forget_erased(struct visitors *visitors);
void visitors_done(struct visitors *visitors);

#endif
