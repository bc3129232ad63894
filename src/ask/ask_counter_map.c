/* ask_counter_map: open addressing over a dense array of cells. The slots double in place, since a region reserves the
 * most that there may be: they are zeroed, and all cells are put in again. It is not base/slots because a question's
 * memory is counted, and slots of four bytes leave room for more cells. */
#include "ask_counter_map.h"

#include <stdlib.h>

enum { SLOTS_LEAST = 1024 };

static uint32_t slot_of_key(const struct counter_map *map, uint64_t key)
{
    uint64_t mixed = (key ^ key >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 32) & (map->slot_count - 1);
}

void counter_map_open(struct counter_map *map, size_t bytes, size_t stride)
{
    size_t max = bytes / (stride + 4 * sizeof(uint32_t)), slots_max = SLOTS_LEAST;
    check(stride % 16 == 0 && stride >= sizeof(CounterCell));
    if (max > UINT32_MAX / 4) max = UINT32_MAX / 4;
    while (slots_max < max * 2) slots_max *= 2;
    *map = (struct counter_map){ .stride = stride, .max = (uint32_t)max, .slot_count = SLOTS_LEAST };
    region_open(&map->cells_region, max * stride + 16);
    region_open(&map->slots_region, slots_max * sizeof *map->slots);
    map->cells = (unsigned char *)map->cells_region.start;
    map->slots = (uint32_t *)map->slots_region.start;
}

void counter_map_close(struct counter_map *map)
{
    region_close(&map->cells_region);
    region_close(&map->slots_region);
}

static void widen(struct counter_map *map)
{
    map->slot_count *= 2;
    memset(map->slots, 0, (size_t)map->slot_count * sizeof *map->slots);
    for (uint32_t at = 0; at < map->count; at++) {
        uint32_t slot = slot_of_key(map, counter_map_cell(map, at)->key);
        while (map->slots[slot]) slot = (slot + 1) & (map->slot_count - 1);
        map->slots[slot] = at + 1;
    }
}

void *counter_map_find(const struct counter_map *map, uint64_t key)
{
    uint32_t slot = slot_of_key(map, key), found;
    for (; (found = map->slots[slot]) != 0; slot = (slot + 1) & (map->slot_count - 1))
        if (counter_map_cell(map, found - 1)->key == key) return counter_map_cell(map, found - 1);
    return NULL;
}

void *counter_map_at(struct counter_map *map, uint64_t key)
{
    if (map->count && counter_map_cell(map, map->last)->key == key) return counter_map_cell(map, map->last);
    uint32_t slot = slot_of_key(map, key), found;
    for (; (found = map->slots[slot]) != 0; slot = (slot + 1) & (map->slot_count - 1)) {
        if (counter_map_cell(map, found - 1)->key != key) continue;
        map->last = found - 1;
        return counter_map_cell(map, found - 1);
    }
    if (map->count == map->max) return map->is_full = true, NULL;
    map->last = map->count++;
    CounterCell *cell = counter_map_cell(map, map->last);
    memset(cell, 0, map->stride);
    cell->key = key;
    map->slots[slot] = map->count;
    if (map->count > map->slot_count / 2) widen(map);
    return cell;
}

void counter_map_add(struct counter_map *map, const struct counter_map *other)
{
    map->is_full |= other->is_full;
    for (uint32_t at = 0; at < other->count; at++)
        counter_map_count(map, counter_map_cell(other, at)->key, counter_map_cell(other, at)->count);
}

static int compare_cells(const void *a, const void *b)
{
    const CounterCell *left = a, *right = b;
    return (left->key > right->key) - (left->key < right->key);
}

void counter_map_sort(struct counter_map *map)
{
    qsort(map->cells, map->count, map->stride, compare_cells);
}
