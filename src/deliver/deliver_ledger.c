/* deliver_ledger: what a step will change in the store, committed as one act at its end.
 *
 * Until then a look-up sees the changes, so that two messages of one step agree on what was remembered. After
 * a failed commit (a full disk) the changes stay, and nothing that depends on them is sent.
 */
#include "deliver_outlet.h"

#include <stdlib.h>

enum { CHANGES_FIRST = 1024, SPARE_BYTES = 8 * 1024 * 1024 };

struct ledger {
    const struct deliver_rows *rows;
    struct region region;
    Arena arena;
    RowChange *changes;
    size_t count, capacity;
    uint32_t *index;                /* change number + 1 by the key's hash; open addressing */
    size_t index_size;
};

struct ledger *ledger_open(const struct deliver_rows *rows)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    check(ledger);
    ledger->rows = rows;
    region_open(&ledger->region, PENDING_BYTES + SPARE_BYTES);
    ledger->arena = region_arena(&ledger->region);
    ledger->capacity = CHANGES_FIRST;
    ledger->index_size = CHANGES_FIRST * 2;
    ledger->changes = calloc(ledger->capacity, sizeof *ledger->changes);
    ledger->index = calloc(ledger->index_size, sizeof *ledger->index);
    check(ledger->changes && ledger->index);
    return ledger;
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger) return;
    region_close(&ledger->region);
    free(ledger->changes);
    free(ledger->index);
    free(ledger);
}

bool ledger_is_empty(const struct ledger *ledger) { return ledger->count == 0; }

static uint32_t *index_slot(const struct ledger *ledger, Str key)
{
    size_t at = hash_64(key, 0) & (ledger->index_size - 1);
    while (ledger->index[at] && !str_equal(ledger->changes[ledger->index[at] - 1].key, key))
        at = (at + 1) & (ledger->index_size - 1);
    return &ledger->index[at];
}

static void grow(struct ledger *ledger)
{
    ledger->capacity *= 2;
    ledger->index_size *= 2;
    free(ledger->index);
    ledger->changes = realloc(ledger->changes, ledger->capacity * sizeof *ledger->changes);
    ledger->index = calloc(ledger->index_size, sizeof *ledger->index);
    check(ledger->changes && ledger->index);
    for (size_t at = 0; at < ledger->count; at++) *index_slot(ledger, ledger->changes[at].key) = (uint32_t)at + 1;
}

static void change(struct ledger *ledger, Str key, Str value, bool is_removal)
{
    uint32_t *slot;
    RowChange *made;
    if (ledger->count == ledger->capacity) grow(ledger);
    slot = index_slot(ledger, key);
    if (*slot) {
        made = &ledger->changes[*slot - 1];
    } else {
        made = &ledger->changes[ledger->count++];
        made->key = arena_copy(&ledger->arena, key);
        *slot = (uint32_t)ledger->count;
    }
    made->value = is_removal ? (Str){ 0 } : arena_copy(&ledger->arena, value);
}

void ledger_put(struct ledger *ledger, Str key, Str value) { change(ledger, key, value, false); }

void ledger_remove(struct ledger *ledger, Str key) { change(ledger, key, (Str){ 0 }, true); }

Status ledger_get(struct ledger *ledger, Str key, Arena *arena, Str *ret, Err *err)
{
    uint32_t *slot = index_slot(ledger, key);
    if (!*slot) return ledger->rows->get(ledger->rows->context, key, arena, ret, err);
    if (!ledger->changes[*slot - 1].value.bytes) return ERR_NOT_FOUND;
    *ret = arena_copy(arena, ledger->changes[*slot - 1].value);
    return OK;
}

bool ledger_removes(const struct ledger *ledger, Str key)
{
    uint32_t change = *index_slot(ledger, key);
    return change && !ledger->changes[change - 1].value.bytes;
}

bool ledger_is_full(const struct ledger *ledger) { return arena_left(&ledger->arena) < 2 * SPARE_BYTES; }

Status ledger_commit(struct ledger *ledger, Err *err)
{
    Status s;
    if (ledger->count == 0) return OK;
    s = ledger->rows->commit(ledger->rows->context, ledger->changes, ledger->count, err);
    if (s) return err_wrap(err, s, "destinations: saving their state");
    memset(ledger->index, 0, ledger->index_size * sizeof *ledger->index);
    ledger->count = 0;
    ledger->arena = region_arena(&ledger->region);
    return OK;
}
