/* fake_fetch: the outside world, answered by the test. */
#ifndef ONYM_TESTS_FAKE_FETCH_H
#define ONYM_TESTS_FAKE_FETCH_H

#include "fakes.h"

typedef struct FakeAnswer {
    FetchOutcome outcome;           /* preset to FETCH_ANSWERED */
    int status;                     /* preset to 200 */
    const char *headers;            /* "Retry-After: 3\r\n"; preset to "" */
    Str body;
} FakeAnswer;

/* A request arrives at the world, after its delay. Whatever the outcome says, what this does has happened. */
typedef void FakeWorld(void *owner, const FetchRequest *request, FakeAnswer *answer);
typedef Millis FakeDelay(void *owner, const FetchRequest *request);

struct fake_pending;
struct fake_fetch {
    struct fetcher fetcher;         /* first: &fake.fetcher is what production code gets */
    struct fake_clock *clock;
    FakeWorld *world;
    FakeDelay *delay;               /* NULL: answers at the next step */
    void *owner;
    struct fake_pending *pending;   /* in order of submission */
    FetchStats stats;
    size_t under_way_max;
    Millis wait_ms;                 /* how long the last step was allowed to wait */
};

void fake_fetch_init(struct fake_fetch *fake, struct fake_clock *clock, FakeWorld *world, FakeDelay *delay,
                     void *owner);
/* The process dies: nobody hears of what is under way; each with a chance of per_thousand still arrives. */
void fake_fetch_crash(struct fake_fetch *fake, struct fake_dice *dice, unsigned per_thousand);
/* When the next answer is due; INT64_MAX where nothing is under way. */
Millis fake_fetch_next_ms(const struct fake_fetch *fake);
void fake_fetch_done(struct fake_fetch *fake);

#endif
