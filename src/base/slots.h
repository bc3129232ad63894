/* slots: finds the place of a thing in its owner's array by the hash of the thing's key. Open addressing over places:
 * the things stay in the array, in the order in which they came, and the array may move.
 *
 *   for (uint32_t at, probe = 0; (at = slots_next(&slots, hash, &probe)) != SLOTS_NONE;)
 *       if (str_equal(things[at].key, key)) return &things[at];              it is there
 *   if (!slots_reserve(&slots, count + 1)) return ...;                       no memory: nothing has changed
 *   slots_put(&slots, hash, count);
 *
 * A slot keeps the upper half of the hash next to the place. So growing needs no thing's key, and slots_next gives
 * hardly any wrong place. Nothing is ever taken out one by one: slots_clear empties all of it.
 * At most half of the slots are taken, SLOTS_MOST places in all. Not thread-safe; all zero is empty.
 *
 * Where it is known how many there will be, slots_lay takes the room from an arena: it never grows, and goes with it.
 */
#ifndef ONYM_BASE_SLOTS_H
#define ONYM_BASE_SLOTS_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLOTS_NONE UINT32_MAX
enum { SLOTS_MOST = 1 << 29 };

struct slots {
    uint64_t *entries;             /* the hash's upper half, and the place + 1; 0: free */
    uint32_t capacity, count;      /* capacity: 0 or a power of two */
};

bool slots_reserve(struct slots *slots, uint32_t count) MUST;        /* room for so many places in all */
void slots_put(struct slots *slots, uint64_t hash, uint32_t place);  /* call slots_reserve first */
void slots_lay(struct slots *slots, Arena *arena, uint32_t count);   /* instead of slots_reserve and slots_done */
size_t slots_bytes(uint32_t count);                                  /* what slots_lay takes, at most */
void slots_clear(struct slots *slots);                               /* keeps the room */
void slots_done(struct slots *slots);                                /* frees; then it is empty and usable */

static inline uint32_t slots_home(const struct slots *slots, uint64_t hash)
{
    return (uint32_t)(hash >> 32) & (slots->capacity - 1);
}

/* The next place whose key may have the hash, SLOTS_NONE after the last. *probe: 0 at first; then slots_next changes
 * it. */
static inline uint32_t slots_next(const struct slots *slots, uint64_t hash, uint32_t *probe)
{
    if (!slots->capacity) return SLOTS_NONE;
    uint64_t entry;
    for (uint32_t mask = slots->capacity - 1;; ) {
        if (!(entry = slots->entries[(slots_home(slots, hash) + (*probe)++) & mask])) return SLOTS_NONE;
        if (entry >> 32 == hash >> 32) return (uint32_t)entry - 1;
    }
}

#ifdef __cplusplus
}
#endif
#endif
