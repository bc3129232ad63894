/* deliver_order: which message may go when.
 *
 * A message stands in a line for every identifier that it has, and in a line for its person.
 * It may go when it is first in all of its lines. So everything that an anonymous visitor did goes before the
 * message that links the visitor to a user, and that message goes before what the user does, though the three name
 * different ids. Different people never wait for each other.
 *
 * Lines are found by a 64-bit hash: if two collide, they are one line, which costs a wait and nothing else.
 */
#include "deliver_runner.h"

#include <stdlib.h>

/* ---- Lists ---- */

void list_append(struct delivery_list *list, struct delivery *delivery)
{
    delivery->next = NULL;
    delivery->previous = list->last;
    if (list->last) list->last->next = delivery;
    else list->first = delivery;
    list->last = delivery;
    list->count++;
}

void list_remove(struct delivery_list *list, struct delivery *delivery)
{
    if (delivery->next) delivery->next->previous = delivery->previous;
    else list->last = delivery->previous;
    if (delivery->previous) delivery->previous->next = delivery->next;
    else list->first = delivery->next;
    delivery->next = delivery->previous = NULL;
    list->count--;
}

void list_rotate(struct delivery_list *list, size_t count)
{
    for (struct delivery *first = list->first; first && count > 0; first = list->first, count--) {
        list_remove(list, first);
        list_append(list, first);
    }
}

struct delivery *delivery_take(struct runner *runner)
{
    struct delivery *delivery = runner->free.first;
    if (delivery) list_remove(&runner->free, delivery);
    return delivery;
}

void delivery_give_back(struct runner *runner, struct delivery *delivery)
{
    buf_done(&delivery->record);
    buf_done(&delivery->frozen);
    *delivery = (struct delivery){ .stage = DELIVERY_FREE };
    list_append(&runner->free, delivery);
}

/* ---- Lines ---- */

static struct turn **bucket_of(struct runner *runner, uint64_t key)
{
    return &runner->buckets[key & (runner->bucket_count - 1)];
}

static void turn_enter(struct runner *runner, struct turn *turn)
{
    struct turn **bucket = bucket_of(runner, turn->key), *newest = *bucket;
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

static void turn_leave(struct runner *runner, struct turn *turn)
{
    if (turn->older) turn->older->newer = turn->newer;
    if (turn->newer) turn->newer->older = turn->older;
    if (turn->next) turn->next->previous = turn->previous;
    if (turn->previous) turn->previous->next = turn->next;
    else *bucket_of(runner, turn->key) = turn->next;
    turn->is_in_line = false;
}

void order_line_up(struct runner *runner, struct delivery *delivery)
{
    for (uint32_t at = 0; at < delivery->turn_count; at++) {
        delivery->turns[at].owner = delivery;
        turn_enter(runner, &delivery->turns[at]);
    }
}

bool order_is_first(const struct delivery *delivery)
{
    for (uint32_t at = 0; at < delivery->turn_count; at++)
        if (delivery->turns[at].older) return false;
    return true;
}

bool order_follows(const struct delivery *delivery, const struct request *request)
{
    for (uint32_t at = 0; at < delivery->turn_count; at++) {
        const struct turn *older = delivery->turns[at].older;
        if (older && (older->owner->request != request || !older->owner->is_all_added)) return false;
    }
    return true;
}

void order_leave(struct runner *runner, struct delivery *delivery)
{
    struct delivery *behind[DELIVERY_KEYS];
    uint32_t count = 0;
    for (uint32_t at = 0; at < delivery->turn_count; at++) {
        struct turn *turn = &delivery->turns[at];
        if (!turn->is_in_line) continue;
        if (turn->newer) behind[count++] = turn->newer->owner;
        turn_leave(runner, turn);
    }
    for (uint32_t at = 0; at < count; at++) {
        if (behind[at]->stage != DELIVERY_LINED || !order_is_first(behind[at])) continue;
        list_remove(&runner->lined, behind[at]);
        behind[at]->stage = DELIVERY_READY;
        list_append(&runner->ready, behind[at]);
    }
}

/* ---- What is known ---- */

/* A set of its own, not base/slots: the slot is the key, and keys are taken out one by one. */
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
    if (old.capacity == KNOWN_MOST) {           /* the store has it all: forget, and ask the store again */
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

/* Takes it out, and moves back the keys that stand further on only because their own place was taken. */
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
