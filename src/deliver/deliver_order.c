/* deliver_order: who goes when.
 *
 * Every identifier of a message, and the person that identity makes of them, is a line that the message stands
 * in. It may go when it is first in all of its lines. So whatever an anonymous visitor did goes before the
 * message that links the visitor to a user, and that before what the user does, though the three name
 * different ids; and different people never wait for each other.
 *
 * Lines are found by a 64-bit hash: two that collide are one line, which costs a wait and nothing else.
 */
#include "deliver_outlet.h"

#include <stdlib.h>

/* ---- Lists ---- */

void list_append(struct parcel_list *list, struct parcel *parcel)
{
    parcel->next = NULL;
    parcel->previous = list->last;
    if (list->last) list->last->next = parcel;
    else list->first = parcel;
    list->last = parcel;
    list->count++;
}

void list_remove(struct parcel_list *list, struct parcel *parcel)
{
    if (parcel->next) parcel->next->previous = parcel->previous;
    else list->last = parcel->previous;
    if (parcel->previous) parcel->previous->next = parcel->next;
    else list->first = parcel->next;
    parcel->next = parcel->previous = NULL;
    list->count--;
}

void list_rotate(struct parcel_list *list, size_t count)
{
    for (struct parcel *first = list->first; first && count > 0; first = list->first, count--) {
        list_remove(list, first);
        list_append(list, first);
    }
}

struct parcel *parcel_take(struct outlet *outlet)
{
    struct parcel *parcel = outlet->free.first;
    if (parcel) list_remove(&outlet->free, parcel);
    return parcel;
}

void parcel_give_back(struct outlet *outlet, struct parcel *parcel)
{
    buf_done(&parcel->record);
    buf_done(&parcel->frozen);
    *parcel = (struct parcel){ .state = PARCEL_FREE };
    list_append(&outlet->free, parcel);
}

/* ---- Lines ---- */

static struct turn **bucket_of(struct outlet *outlet, uint64_t key)
{
    return &outlet->buckets[key & (outlet->bucket_count - 1)];
}

static void turn_enter(struct outlet *outlet, struct turn *turn)
{
    struct turn **bucket = bucket_of(outlet, turn->key), *newest = *bucket;
    while (newest && newest->key != turn->key) newest = newest->next;    /* newest first in every bucket */
    turn->older = newest;
    turn->newer = NULL;
    if (newest) newest->newer = turn;
    turn->previous = NULL;
    turn->next = *bucket;
    if (*bucket) (*bucket)->previous = turn;
    *bucket = turn;
    turn->is_in_line = true;
}

static void turn_leave(struct outlet *outlet, struct turn *turn)
{
    if (turn->older) turn->older->newer = turn->newer;
    if (turn->newer) turn->newer->older = turn->older;
    if (turn->next) turn->next->previous = turn->previous;
    if (turn->previous) turn->previous->next = turn->next;
    else *bucket_of(outlet, turn->key) = turn->next;
    turn->is_in_line = false;
}

void order_line_up(struct outlet *outlet, struct parcel *parcel)
{
    for (uint32_t at = 0; at < parcel->turn_count; at++) {
        parcel->turns[at].owner = parcel;
        turn_enter(outlet, &parcel->turns[at]);
    }
}

bool order_is_first(const struct parcel *parcel)
{
    for (uint32_t at = 0; at < parcel->turn_count; at++)
        if (parcel->turns[at].older) return false;
    return true;
}

bool order_follows(const struct parcel *parcel, const struct request *request)
{
    for (uint32_t at = 0; at < parcel->turn_count; at++) {
        const struct turn *older = parcel->turns[at].older;
        if (older && (older->owner->request != request || !older->owner->is_all_aboard)) return false;
    }
    return true;
}

void order_leave(struct outlet *outlet, struct parcel *parcel)
{
    struct parcel *behind[PARCEL_KEYS];
    uint32_t count = 0;
    for (uint32_t at = 0; at < parcel->turn_count; at++) {
        struct turn *turn = &parcel->turns[at];
        if (!turn->is_in_line) continue;
        if (turn->newer) behind[count++] = turn->newer->owner;
        turn_leave(outlet, turn);
    }
    for (uint32_t at = 0; at < count; at++) {
        if (behind[at]->state != PARCEL_LINED || !order_is_first(behind[at])) continue;
        list_remove(&outlet->lined, behind[at]);
        behind[at]->state = PARCEL_READY;
        list_append(&outlet->ready, behind[at]);
    }
}

/* ---- What is known ---- */

enum { KNOWN_FIRST = 1024, KNOWN_MOST = 1 << 20 };

bool known_has(const struct known *known, uint64_t fingerprint)
{
    if (!known->slots) return false;
    fingerprint += fingerprint == 0;
    for (size_t at = fingerprint & (known->capacity - 1); known->slots[at]; at = (at + 1) & (known->capacity - 1))
        if (known->slots[at] == fingerprint) return true;
    return false;
}

static void known_insert(struct known *known, uint64_t fingerprint)
{
    size_t at = fingerprint & (known->capacity - 1);
    while (known->slots[at] && known->slots[at] != fingerprint) at = (at + 1) & (known->capacity - 1);
    known->count += known->slots[at] == 0;
    known->slots[at] = fingerprint;
}

static void known_grow(struct known *known)
{
    struct known old = *known;
    if (old.capacity == KNOWN_MOST) {           /* it is only a memory of the store: forget, and ask again */
        memset(known->slots, 0, known->capacity * sizeof *known->slots);
        known->count = 0;
        return;
    }
    known->capacity = old.capacity ? old.capacity * 2 : KNOWN_FIRST;
    known->slots = calloc(known->capacity, sizeof *known->slots);
    known->count = 0;
    check(known->slots);
    for (size_t at = 0; at < old.capacity; at++)
        if (old.slots[at]) known_insert(known, old.slots[at]);
    free(old.slots);
}

/* Moves back what stood behind it because its own place was taken. */
void known_remove(struct known *known, uint64_t fingerprint)
{
    size_t mask = known->capacity - 1, hole, at;
    if (!known->slots) return;
    fingerprint += fingerprint == 0;
    hole = fingerprint & mask;
    while (known->slots[hole] && known->slots[hole] != fingerprint) hole = (hole + 1) & mask;
    if (!known->slots[hole]) return;
    known->count--;
    for (at = (hole + 1) & mask; known->slots[at]; at = (at + 1) & mask) {
        size_t wanted = known->slots[at] & mask;
        if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
        known->slots[hole] = known->slots[at];
        hole = at;
    }
    known->slots[hole] = 0;
}

void known_forget(struct known *known)
{
    if (known->slots) memset(known->slots, 0, known->capacity * sizeof *known->slots);
    known->count = 0;
}

void known_add(struct known *known, uint64_t fingerprint)
{
    if (known->count * 4 >= known->capacity * 3) known_grow(known);
    known_insert(known, fingerprint + (fingerprint == 0));
}
