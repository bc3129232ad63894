/* outbox_pending: what a step will change in the store, committed in one transaction at its end.
 *
 * Until then a look-up sees the changes, so that two messages of one step agree on what is stored. After
 * a failed commit (a full disk) the changes stay, and nothing that depends on them is sent.
 */
#include "outbox.h"

#include <stdlib.h>

enum { CHANGES_FIRST = 1024, SPARE_BYTES = 8 * 1024 * 1024 };

struct pending {
    const struct outbox_rows *rows;
    struct region region;
    Arena arena;
    RowChange *changes;
    size_t count, capacity;
    struct slots slots;             /* of the changes, by their keys */
};

struct pending *pending_open(const struct outbox_rows *rows)
{
    struct pending *pending = calloc(1, sizeof *pending);
    check(pending);
    pending->rows = rows;
    region_open(&pending->region, PENDING_BYTES + SPARE_BYTES);
    pending->arena = region_arena(&pending->region);
    check(vector_reserve(pending->changes, pending->capacity, CHANGES_FIRST, SLOTS_MOST));
    check(slots_reserve(&pending->slots, CHANGES_FIRST));
    return pending;
}

void pending_close(struct pending *pending)
{
    if (!pending) return;
    region_close(&pending->region);
    free(pending->changes);
    slots_done(&pending->slots);
    free(pending);
}

bool pending_is_empty(const struct pending *pending) { return pending->count == 0; }

/* Finds the pending change of the key; NULL if there is none. */
static RowChange *find_change(const struct pending *pending, Str key, uint64_t hash)
{
    for (uint32_t at, probe = 0; (at = slots_next(&pending->slots, hash, &probe)) != SLOTS_NONE;)
        if (str_equal(pending->changes[at].key, key)) return &pending->changes[at];
    return NULL;
}

static void change(struct pending *pending, Str key, Str value, bool is_removal)
{
    uint64_t hash = hash_64(key, 0);
    RowChange *made = find_change(pending, key, hash);
    if (!made) {
        check(vector_reserve(pending->changes, pending->capacity, pending->count + 1, SLOTS_MOST));
        check(slots_reserve(&pending->slots, (uint32_t)pending->count + 1));
        slots_put(&pending->slots, hash, (uint32_t)pending->count);
        made = &pending->changes[pending->count++];
        made->key = arena_copy(&pending->arena, key);
    }
    made->value = is_removal ? (Str){ 0 } : arena_copy(&pending->arena, value);
}

void pending_put(struct pending *pending, Str key, Str value) { change(pending, key, value, false); }

void pending_remove(struct pending *pending, Str key) { change(pending, key, (Str){ 0 }, true); }

Status pending_get(struct pending *pending, Str key, Arena *arena, Str *ret, Err *err)
{
    const RowChange *waiting = find_change(pending, key, hash_64(key, 0));
    if (!waiting) return pending->rows->get(pending->rows->context, key, arena, ret, err);
    if (!waiting->value.bytes) return ERR_NOT_FOUND;
    *ret = arena_copy(arena, waiting->value);
    return OK;
}

bool pending_removes(const struct pending *pending, Str key)
{
    const RowChange *waiting = find_change(pending, key, hash_64(key, 0));
    return waiting && !waiting->value.bytes;
}

bool pending_is_full(const struct pending *pending) { return arena_left(&pending->arena) < 2 * SPARE_BYTES; }

Status pending_commit(struct pending *pending, Err *err)
{
    Status s;
    if (pending->count == 0) return OK;
    s = pending->rows->commit(pending->rows->context, pending->changes, pending->count, err);
    if (s) return err_wrap(err, s, "destinations: saving their state");
    slots_clear(&pending->slots);
    pending->count = 0;
    pending->arena = region_arena(&pending->region);
    return OK;
}
