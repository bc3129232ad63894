/* fake_dice: splitmix64, by Sebastiano Vigna's public description. */
#include "fakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t fake_next(struct fake_dice *fake)
{
    uint64_t z = (fake->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void fake_fill(struct dice *dice, void *bytes, size_t count)
{
    for (char *at = bytes; count > 0;) {
        uint64_t value = fake_next((struct fake_dice *)dice);
        size_t part = count < sizeof value ? count : sizeof value;
        memcpy(at, &value, part);
        at += part;
        count -= part;
    }
}

void fake_dice_init(struct fake_dice *fake, uint64_t seed) { *fake = (struct fake_dice){ { fake_fill }, seed }; }

uint64_t fake_dice_below(struct fake_dice *fake, uint64_t below)
{
    check(below > 0);
    return fake_next(fake) % below;
}

bool fake_dice_chance(struct fake_dice *fake, unsigned per_thousand)
{
    return fake_dice_below(fake, 1000) < per_thousand;
}

uint64_t fake_seed(const char *test_name)
{
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000003u ^ (uint64_t)getpid() << 32;
    printf("%s: SEED=%llu\n", test_name, (unsigned long long)seed);
    return seed;
}
