/* ask_counter_map: open addressing over a dense array of cells. The slots double in place: they are zeroed and all
 * cells put in again, since a region reserves the most there may be. */
#include "ask_counter_map.h"

#include <stdlib.h>

enum { SLOTS_LEAST = 1024 };

static uint32_t slot_of_key(const struct tally *tally, uint64_t key)
{
    uint64_t mixed = (key ^ key >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 32) & (tally->slot_count - 1);
}

void tally_open(struct tally *tally, size_t bytes, size_t stride)
{
    size_t max = bytes / (stride + 4 * sizeof(uint32_t)), slots_max = SLOTS_LEAST;
    check(stride % 16 == 0 && stride >= sizeof(TallyCell));
    if (max > UINT32_MAX / 4) max = UINT32_MAX / 4;
    while (slots_max < max * 2) slots_max *= 2;
    *tally = (struct tally){ .stride = stride, .max = (uint32_t)max, .slot_count = SLOTS_LEAST };
    region_open(&tally->cells_region, max * stride + 16);
    region_open(&tally->slots_region, slots_max * sizeof *tally->slots);
    tally->cells = (unsigned char *)tally->cells_region.start;
    tally->slots = (uint32_t *)tally->slots_region.start;
}

void tally_close(struct tally *tally)
{
    region_close(&tally->cells_region);
    region_close(&tally->slots_region);
}

static void widen(struct tally *tally)
{
    tally->slot_count *= 2;
    memset(tally->slots, 0, (size_t)tally->slot_count * sizeof *tally->slots);
    for (uint32_t at = 0; at < tally->count; at++) {
        uint32_t slot = slot_of_key(tally, tally_cell(tally, at)->key);
        while (tally->slots[slot]) slot = (slot + 1) & (tally->slot_count - 1);
        tally->slots[slot] = at + 1;
    }
}

void *tally_find(const struct tally *tally, uint64_t key)
{
    uint32_t slot = slot_of_key(tally, key), found;
    for (; (found = tally->slots[slot]) != 0; slot = (slot + 1) & (tally->slot_count - 1))
        if (tally_cell(tally, found - 1)->key == key) return tally_cell(tally, found - 1);
    return NULL;
}

void *tally_at(struct tally *tally, uint64_t key)
{
    if (tally->count && tally_cell(tally, tally->last)->key == key) return tally_cell(tally, tally->last);
    uint32_t slot = slot_of_key(tally, key), found;
    for (; (found = tally->slots[slot]) != 0; slot = (slot + 1) & (tally->slot_count - 1)) {
        if (tally_cell(tally, found - 1)->key != key) continue;
        tally->last = found - 1;
        return tally_cell(tally, found - 1);
    }
    if (tally->count == tally->max) return tally->is_full = true, NULL;
    tally->last = tally->count++;
    TallyCell *cell = tally_cell(tally, tally->last);
    memset(cell, 0, tally->stride);
    cell->key = key;
    tally->slots[slot] = tally->count;
    if (tally->count > tally->slot_count / 2) widen(tally);
    return cell;
}

void tally_add(struct tally *tally, const struct tally *other)
{
    tally->is_full |= other->is_full;
    for (uint32_t at = 0; at < other->count; at++)
        tally_count(tally, tally_cell(other, at)->key, tally_cell(other, at)->count);
}

static int compare_cells(const void *a, const void *b)
{
    const TallyCell *left = a, *right = b;
    return (left->key > right->key) - (left->key < right->key);
}

void tally_sort(struct tally *tally)
{
    qsort(tally->cells, tally->count, tally->stride, compare_cells);
}
