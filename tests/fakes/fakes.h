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

/* A disk in memory that keeps the rules of os.h and not a bit more, as SQLite's test6.c has it: what was not
 * synced is a list of writes, and a power cut keeps, drops, cuts or garbles each sector of them as the dice
 * fall; names that were not synced may be gone. The same seed and calls, the same disk. Any thread.
 *
 * Torn writes keep rule D of src/journal/README.md: a byte that was written again with its old value stays.
 *
 * A life ends in two steps: fake_disk_die (or DISK_FAULT_CRASH): from then on every call fails, as for a
 * process that is gone, so that its objects can be closed; then fake_disk_restart. */
typedef enum DiskFault {
    DISK_FAULT_IO,                  /* nothing is done: ERR_IO */
    DISK_FAULT_FULL,                /* what needs room: ERR_FULL, nothing done; other calls: as DISK_FAULT_IO */
    DISK_FAULT_SHORT,               /* a write puts a part and then says ERR_IO; other calls: as DISK_FAULT_IO */
    DISK_FAULT_SHORT_FULL,          /* the same with ERR_FULL */
    DISK_FAULT_SYNC_LOST,           /* a sync fails, and what it was for is read back all the same but may never
                                     * come to the disk, whatever later syncs say; other calls: as DISK_FAULT_IO */
    DISK_FAULT_CRASH,               /* the power goes in the midst of the call; all later calls fail, too */
    DISK_FAULT_COUNT
} DiskFault;

struct fake_disk {
    struct disk disk;               /* first: &fake.disk is what production code gets */
    /* the test sets: */
    uint64_t fail_at_call;          /* the calls fail_at_call .. fail_at_call + fail_count - 1 (from 1; 0: none) */
    uint64_t fail_count;            /* 0 counts as 1 */
    DiskFault fault;                /* how */
    unsigned fault_per_million;     /* besides, calls fail at random, in a random way (but never by a crash) */
    uint64_t capacity_bytes;        /* all files together; 0: no limit */
    /* the test reads: */
    uint64_t calls, faults;
    bool is_dead;
    struct fake_dice dice;
    struct fake_disk_state *state;
};
void fake_disk_init(struct fake_disk *fake, uint64_t seed);
void fake_disk_done(struct fake_disk *fake);
void fake_disk_die(struct fake_disk *fake);
/* All handles and locks are gone. power_lost: and what was not synced is as a power cut leaves it; else the
 * kernel lived on, and everything written is there. The disk works again; fail_at_call is 0. */
void fake_disk_restart(struct fake_disk *fake, bool power_lost);
/* What a file holds now (as read back), borrowed until the next change; NULL bytes where there is none. */
Str fake_disk_peek(struct fake_disk *fake, const char *path);
/* Puts bytes into a file without the program's knowledge, durably; makes the file, and makes it longer, if need be. */
void fake_disk_poke(struct fake_disk *fake, const char *path, uint64_t offset, Str bytes);
void fake_disk_flip(struct fake_disk *fake, const char *path, uint64_t offset, unsigned char mask);
void fake_disk_cut(struct fake_disk *fake, const char *path, uint64_t bytes);
void fake_disk_drop(struct fake_disk *fake, const char *path);

/* The seed of a random test: $SEED if set, else fresh; printed, so that a failure can be repeated. */
uint64_t fake_seed(const char *test_name);

#endif
