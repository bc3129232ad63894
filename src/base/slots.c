/* slots: see the header. Linear probing: the slot that is searched for is nearly always in the same cache line. */
#include "base.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 32 };

static void insert(struct slots *slots, uint64_t entry)
{
    uint32_t at = slots_home(slots, entry);
    while (slots->entries[at]) at = (at + 1) & (slots->capacity - 1);
    slots->entries[at] = entry;
}

bool slots_reserve(struct slots *slots, uint32_t count)
{
    uint32_t capacity = slots->capacity ? slots->capacity : SLOTS_FIRST;
    if (count > SLOTS_MOST) return false;
    while (capacity / 2 < count) capacity *= 2;
    if (capacity == slots->capacity) return true;
    struct slots wider = { calloc(capacity, sizeof *wider.entries), capacity, slots->count };
    if (!wider.entries) return false;
    for (uint32_t at = 0; at < slots->capacity; at++)
        if (slots->entries[at]) insert(&wider, slots->entries[at]);
    free(slots->entries);
    *slots = wider;
    return true;
}

static uint32_t capacity_for(uint32_t count)
{
    uint32_t capacity = 2;
    check(count <= SLOTS_MOST);
    while (capacity / 2 < count) capacity *= 2;
    return count ? capacity : 0;
}

size_t slots_bytes(uint32_t count) { return (capacity_for(count) + 1) * sizeof(uint64_t); }

void slots_lay(struct slots *slots, Arena *arena, uint32_t count)
{
    uint32_t capacity = capacity_for(count);
    *slots = (struct slots){ capacity ? arena_new(arena, uint64_t, capacity) : NULL, capacity, 0 };
}

void slots_put(struct slots *slots, uint64_t hash, uint32_t place)
{
    check(slots->count < slots->capacity / 2 && place < SLOTS_MOST);
    insert(slots, (hash >> 32 << 32) | (place + 1));
    slots->count++;
}

void slots_clear(struct slots *slots)
{
    if (slots->count) memset(slots->entries, 0, slots->capacity * sizeof *slots->entries);
    slots->count = 0;
}

void slots_done(struct slots *slots)
{
    free(slots->entries);
    *slots = (struct slots){ 0 };
}
