/* retention: in some worlds the journal forgets: by age, by size, or both, while the clock jumps and the machine is off
 * for a while. What may go, and what has to stay, is said here once more, by a clock that nobody can set. */
#ifndef ONYM_TESTS_SIM_RETENTION_H
#define ONYM_TESTS_SIM_RETENTION_H

#include "segments/segments.h"

struct world;

struct retention {
    bool is_on;
    Millis age_ms, undelivered_ms;      /* undelivered_ms: 0: destinations are waited for without end */
    uint64_t bytes;
    Millis clock_off_ms;                /* by how much the wall clock is wrong */
    JournalPos first, hold;             /* before first all is gone; the destinations have said that they need hold */
    unsigned jumps, retired;
};

/* Draws whether the journal forgets in this world, and when. */
void retention_init(struct world *world);
void retention_options(struct world *world, SegmentsOptions *options);
/* As server/ does it: at the start, and whenever the destinations have worked. */
void retention_hold(struct world *world, bool is_start);
/* The wall clock is set, by hours; or the machine, which has no power, is off for minutes. */
void retention_jump(struct world *world);
void retention_stay_off(struct world *world);
/* What has gone since the last look was old enough, or too much, and nobody needed it any more. */
void retention_look(struct world *world);
/* Without a message more, everything that is old enough goes. */
void retention_end(struct world *world);

#endif
