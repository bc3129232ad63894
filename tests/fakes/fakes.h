/* fakes: the world of os/ under a test's control. Each fake is a whole implementation of its table. */
#ifndef ONYM_TESTS_FAKES_H
#define ONYM_TESTS_FAKES_H

#include "os/os.h"

/* A clock that only the test moves. Both clocks move together; jump moves the wall clock alone. */
struct fake_clock {
    struct clock clock;             /* first: &fake.clock is what production code gets */
    Millis now_ms;
    int64_t monotonic_ns;
};
void fake_clock_init(struct fake_clock *fake, Millis now_ms);
void fake_clock_advance(struct fake_clock *fake, Millis by_ms);
void fake_clock_jump(struct fake_clock *fake, Millis by_ms);

/* Dice from a seed (splitmix64): the same seed, the same bytes. Also the test's own source of chance. */
struct fake_dice {
    struct dice dice;
    uint64_t state;
};
void fake_dice_init(struct fake_dice *fake, uint64_t seed);
uint64_t fake_dice_below(struct fake_dice *fake, uint64_t below);      /* 0 .. below-1 */
bool fake_dice_chance(struct fake_dice *fake, unsigned per_thousand);

/* The seed of a random test: $SEED if set, else fresh; printed, so that a failure can be repeated. */
uint64_t fake_seed(const char *test_name);

#endif
