/* The small containers of the engine: a growing vector, a map of 32-bit numbers, a set of fingerprints. Open
 * addressing with linear probing and backward-shift removal, so that removal leaves no marks. */
#include "identity_state.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 16 };

void *vector_push(struct vector *vector, size_t item_bytes)
{
    if (vector->count == vector->capacity) {
        void *items = vector_grow(vector->items, item_bytes, &vector->capacity, vector->count + 1, UINT32_MAX);
        check(items);
        vector->items = items;
    }
    return memset((char *)vector->items + vector->count++ * item_bytes, 0, item_bytes);
}

void vector_done(struct vector *vector)
{
    free(vector->items);
    *vector = (struct vector){ 0 };
}

/* ---- map32: an entry is key << 32 | value; the empty one is all ones, which no (NONE, NONE) pair needs ---- */

static uint32_t map32_home(uint32_t key, uint32_t capacity)
{
    return (uint32_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (capacity - 1);
}

static uint32_t map32_place(const struct map32 *map, uint32_t key)
{
    uint32_t at = map32_home(key, map->capacity);
    while (map->entries[at] != UINT64_MAX && map->entries[at] >> 32 != key) at = (at + 1) & (map->capacity - 1);
    return at;
}

uint32_t *map32_find(const struct map32 *map, uint32_t key)
{
    if (!map->count) return NULL;
    uint64_t *entry = &map->entries[map32_place(map, key)];
    return *entry == UINT64_MAX ? NULL : (uint32_t *)entry;      /* little-endian: the low half is the value */
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "map32_find points at the low end");

void map32_put(struct map32 *map, uint32_t key, uint32_t value)
{
    if (map->count * 4 >= map->capacity * 3) {
        struct map32 bigger = { .capacity = map->capacity ? map->capacity * 2 : FIRST_CAPACITY };
        bigger.entries = malloc(bigger.capacity * sizeof *bigger.entries);
        check(bigger.entries);
        memset(bigger.entries, 0xff, bigger.capacity * sizeof *bigger.entries);
        for (uint32_t i = 0; i < map->capacity; i++)
            if (map->entries[i] != UINT64_MAX)
                bigger.entries[map32_place(&bigger, (uint32_t)(map->entries[i] >> 32))] = map->entries[i];
        bigger.count = map->count;
        free(map->entries);
        *map = bigger;
    }
    uint64_t *entry = &map->entries[map32_place(map, key)];
    map->count += *entry == UINT64_MAX;
    *entry = (uint64_t)key << 32 | value;
}

void map32_done(struct map32 *map)
{
    free(map->entries);
    *map = (struct map32){ 0 };
}

/* ---- set128: the empty entry is all zeros, which no fingerprint is in practice; low |= 1 makes it sure ---- */

static uint32_t set128_place(const struct set128 *set, Hash128 key)
{
    uint32_t at = (uint32_t)(key.low >> 20) & (set->capacity - 1);
    while (set->entries[at].low && !hash_128_equal(set->entries[at], key)) at = (at + 1) & (set->capacity - 1);
    return at;
}

bool set128_has(const struct set128 *set, Hash128 key)
{
    key.low |= 1;
    return set->count && set->entries[set128_place(set, key)].low;
}

void set128_put(struct set128 *set, Hash128 key)
{
    key.low |= 1;
    if (set->count * 4 >= set->capacity * 3) {
        struct set128 bigger = { .capacity = set->capacity ? set->capacity * 2 : FIRST_CAPACITY, .count = set->count };
        bigger.entries = calloc(bigger.capacity, sizeof *bigger.entries);
        check(bigger.entries);
        for (uint32_t i = 0; i < set->capacity; i++)
            if (set->entries[i].low) bigger.entries[set128_place(&bigger, set->entries[i])] = set->entries[i];
        free(set->entries);
        *set = bigger;
    }
    Hash128 *entry = &set->entries[set128_place(set, key)];
    set->count += !entry->low;
    *entry = key;
}

void set128_remove(struct set128 *set, Hash128 key)
{
    key.low |= 1;
    if (!set->count) return;
    uint32_t hole = set128_place(set, key), mask = set->capacity - 1;
    if (!set->entries[hole].low) return;
    set->count--;
    for (uint32_t at = (hole + 1) & mask; set->entries[at].low; at = (at + 1) & mask) {
        uint32_t home = (uint32_t)(set->entries[at].low >> 20) & mask;
        if (((at - home) & mask) < ((at - hole) & mask)) continue;      /* it is at home between hole and at */
        set->entries[hole] = set->entries[at];
        hole = at;
    }
    set->entries[hole] = (Hash128){ 0 };
}

void set128_done(struct set128 *set)
{
    free(set->entries);
    *set = (struct set128){ 0 };
}
