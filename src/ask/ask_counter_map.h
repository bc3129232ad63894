/* ask_counter_map: counters by key, as many as are needed: each worker has its own, and they are added up at the end.
 * */
#ifndef ONYM_ASK_COUNTER_MAP_H
#define ONYM_ASK_COUNTER_MAP_H

#include "base/base.h"

/* The owner's counters begin with this and are stride bytes long, zeroed. */
typedef struct CounterCell {
    uint64_t key;
    uint64_t count;
} CounterCell;

struct counter_map {
    struct region cells_region, slots_region;
    unsigned char *cells;
    size_t stride;
    uint32_t *slots;                    /* by hash of the key: cell + 1 */
    uint32_t count, max, slot_count, last;
    bool is_full;                       /* something was not counted: there is no right answer */
};

/* Takes at most so many bytes; only memory that is used costs anything. stride: a multiple of 16. */
void counter_map_open(struct counter_map *map, size_t bytes, size_t stride);
void counter_map_close(struct counter_map *map);
/* The cell of the key, new or known; NULL if the map is full. Cells that were given before do not move. */
void *counter_map_at(struct counter_map *map, uint64_t key);
void *counter_map_find(const struct counter_map *map, uint64_t key); /* NULL if there is none */
static inline CounterCell *counter_map_cell(const struct counter_map *map, uint32_t number)
{
    return (CounterCell *)(void *)(map->cells + number * map->stride);
}
static inline void counter_map_count(struct counter_map *map, uint64_t key, uint64_t count)
{
    CounterCell *cell = counter_map_at(map, key);
    if (cell) cell->count += count;
}
/* Adds the other one's counts (not what follows them in a cell). */
void counter_map_add(struct counter_map *map, const struct counter_map *other);
/* By key, ascending; nothing is counted afterwards. */
void counter_map_sort(struct counter_map *map);

#endif
