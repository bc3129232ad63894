/* ask_counter_map: counters by key, as many as come: each worker has its own, added up at the end. */
#ifndef ONYM_ASK_COUNTER_MAP_H
#define ONYM_ASK_COUNTER_MAP_H

#include "base/base.h"

/* The owner's counters begin with this and are stride bytes long, zeroed. */
typedef struct TallyCell {
    uint64_t key;
    uint64_t count;
} TallyCell;

struct tally {
    struct region cells_region, slots_region;
    unsigned char *cells;
    size_t stride;
    uint32_t *slots;                    /* by hash of the key: cell + 1 */
    uint32_t count, max, slot_count, last;
    bool is_full;                       /* something was not counted: the answer is no answer */
};

/* At most so many bytes; memory costs only when it is used. stride: a multiple of 16. */
void tally_open(struct tally *tally, size_t bytes, size_t stride);
void tally_close(struct tally *tally);
/* The cell of the key, new or known; NULL where it is full. Moves nothing that was given before. */
void *tally_at(struct tally *tally, uint64_t key);
void *tally_find(const struct tally *tally, uint64_t key);         /* NULL where there is none */
static inline TallyCell *tally_cell(const struct tally *tally, uint32_t number)
{
    return (TallyCell *)(void *)(tally->cells + number * tally->stride);
}
static inline void tally_count(struct tally *tally, uint64_t key, uint64_t count)
{
    TallyCell *cell = tally_at(tally, key);
    if (cell) cell->count += count;
}
/* Adds the other one's counts (not what follows them in a cell). */
void tally_add(struct tally *tally, const struct tally *other);
/* By key, ascending; nothing is counted afterwards. */
void tally_sort(struct tally *tally);

#endif
