/* fingerprints: open addressing with linear probing; doubles until its most, moving what it has. The zero
 * fingerprint marks a free slot, and is itself taken for {1, 0}. Not base/slots: the slot is the key, and there is no
 * array to point into. */
#include "tools_fingerprints.h"

enum { SLOTS_FIRST = 1 << 16 };

static void set_slots(struct fingerprints *set, uint64_t slot_count)
{
    region_open(&set->region, slot_count * sizeof(Hash128));
    set->slots = (Hash128 *)(void *)set->region.start;      /* fresh pages are zero */
    set->slot_count = slot_count;
}

void fingerprints_open(struct fingerprints *set)
{
    *set = (struct fingerprints){ 0 };
    set_slots(set, SLOTS_FIRST);
}

void fingerprints_close(struct fingerprints *set)
{
    region_close(&set->region);
    *set = (struct fingerprints){ 0 };
}

void fingerprints_clear(struct fingerprints *set)
{
    fingerprints_close(set);
    fingerprints_open(set);
}

static bool put(struct fingerprints *set, Hash128 fingerprint)
{
    uint64_t mask = set->slot_count - 1;
    for (uint64_t at = fingerprint.low & mask;; at = (at + 1) & mask) {
        Hash128 *slot = &set->slots[at];
        if (hash_128_equal(*slot, fingerprint)) return false;
        if (slot->low || slot->high) continue;
        *slot = fingerprint;
        set->count++;
        return true;
    }
}

static void grow(struct fingerprints *set)
{
    struct fingerprints old = *set;
    set->region = (struct region){ 0 };
    set->count = 0;
    set_slots(set, old.slot_count * 2);
    for (uint64_t at = 0; at < old.slot_count; at++)
        if (old.slots[at].low || old.slots[at].high) check(put(set, old.slots[at]));
    region_close(&old.region);
}

bool fingerprints_add(struct fingerprints *set, Hash128 fingerprint)
{
    if (!fingerprint.low && !fingerprint.high) fingerprint.low = 1;
    if (set->count >= set->slot_count / 10 * 7) {
        check(set->slot_count < FINGERPRINT_SLOTS_MOST);
        grow(set);
    }
    return put(set, fingerprint);
}

bool fingerprints_has(const struct fingerprints *set, Hash128 fingerprint)
{
    uint64_t mask = set->slot_count - 1;
    if (!fingerprint.low && !fingerprint.high) fingerprint.low = 1;
    for (uint64_t at = fingerprint.low & mask;; at = (at + 1) & mask) {
        const Hash128 *slot = &set->slots[at];
        if (hash_128_equal(*slot, fingerprint)) return true;
        if (!slot->low && !slot->high) return false;
    }
}
