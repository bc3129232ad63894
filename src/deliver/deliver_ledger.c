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
    struct slots slots;             /* of the changes, by their keys */
};

struct ledger *ledger_open(const struct deliver_rows *rows)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    check(ledger);
    ledger->rows = rows;
    region_open(&ledger->region, PENDING_BYTES + SPARE_BYTES);
    ledger->arena = region_arena(&ledger->region);
    check(vector_reserve(ledger->changes, ledger->capacity, CHANGES_FIRST, SLOTS_MOST));
    check(slots_reserve(&ledger->slots, CHANGES_FIRST));
    return ledger;
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger) return;
    region_close(&ledger->region);
    free(ledger->changes);
    slots_done(&ledger->slots);
    free(ledger);
}

bool ledger_is_empty(const struct ledger *ledger) { return ledger->count == 0; }

/* The change that waits of the key; NULL where there is none. */
static RowChange *find_change(const struct ledger *ledger, Str key, uint64_t hash)
{
    for (uint32_t at, probe = 0; (at = slots_next(&ledger->slots, hash, &probe)) != SLOTS_NONE;)
        if (str_equal(ledger->changes[at].key, key)) return &ledger->changes[at];
    return NULL;
}

static void change(struct ledger *ledger, Str key, Str value, bool is_removal)
{
    uint64_t hash = hash_64(key, 0);
    RowChange *made = find_change(ledger, key, hash);
    if (!made) {
        check(vector_reserve(ledger->changes, ledger->capacity, ledger->count + 1, SLOTS_MOST));
        check(slots_reserve(&ledger->slots, (uint32_t)ledger->count + 1));
        slots_put(&ledger->slots, hash, (uint32_t)ledger->count);
        made = &ledger->changes[ledger->count++];
        made->key = arena_copy(&ledger->arena, key);
    }
    made->value = is_removal ? (Str){ 0 } : arena_copy(&ledger->arena, value);
}

void ledger_put(struct ledger *ledger, Str key, Str value) { change(ledger, key, value, false); }

void ledger_remove(struct ledger *ledger, Str key) { change(ledger, key, (Str){ 0 }, true); }

Status ledger_get(struct ledger *ledger, Str key, Arena *arena, Str *ret, Err *err)
{
    const RowChange *waiting = find_change(ledger, key, hash_64(key, 0));
    if (!waiting) return ledger->rows->get(ledger->rows->context, key, arena, ret, err);
    if (!waiting->value.bytes) return ERR_NOT_FOUND;
    *ret = arena_copy(arena, waiting->value);
    return OK;
}

bool ledger_removes(const struct ledger *ledger, Str key)
{
    const RowChange *waiting = find_change(ledger, key, hash_64(key, 0));
    return waiting && !waiting->value.bytes;
}

bool ledger_is_full(const struct ledger *ledger) { return arena_left(&ledger->arena) < 2 * SPARE_BYTES; }

Status ledger_commit(struct ledger *ledger, Err *err)
{
    Status s;
    if (ledger->count == 0) return OK;
    s = ledger->rows->commit(ledger->rows->context, ledger->changes, ledger->count, err);
    if (s) return err_wrap(err, s, "destinations: saving their state");
    slots_clear(&ledger->slots);
    ledger->count = 0;
    ledger->arena = region_arena(&ledger->region);
    return OK;
}
