/* Saving and loading the engine.
 *
 * Memory is the working copy, kv the saved one. A save writes, into the caller's transaction, what differs from the
 * save before: nodes, values and aliases as slices of 16 KiB, whose hashes show which ones changed (hashing the nodes
 * of ten million identifiers takes fifteen milliseconds, and no line of the engine has to remember what it touched),
 * shared identifiers by a list, evidence as a run (identity_evidence.c). Loading copies the slices back and makes
 * what only speeds things up: the hash table, the lists of external ids, the slots of views.
 *
 *   'm'              struct saved: numbers, position, the rules' fingerprint
 *   'n' 'v' 'h'      u32 number: a slice of nodes, values, alias_ends, as in memory
 *   's'              u32 index: a shared identifier: u32 node, u32 home, moments as in memory
 *   'r'              what was taken back: Hash128 each
 *   'l'              candidates of limited kinds: struct saved_candidate each
 * Memory is little-endian on every machine that this is built for; the table is not meant for any other machine.
 */
#include "identity_state.h"

#include <stdlib.h>

enum { SAVED_VERSION = 2, SLICE_BYTES = 4 * 4096 - 16 - 8 };   /* four pages of kv, with their head and checksum */

struct saved {
    uint32_t version, node_count, value_end, run_count, alias_ends, alias_free, erased_count, aliased_count;
    uint64_t rules, seed, position, saved_rows, alias_count, blocked_count;
    uint32_t seen_count[IDENTITY_KINDS];
};

enum { VALUES_A_NODE = 12,              /* identity_open's region, in units */
       RUNS_MOST = 1 << 20 };           /* a save each: of some twenty years */

struct saved_candidate { uint32_t key; struct candidate candidate; };

static void make_key(char key[5], char kind, uint32_t number)
{
    key[0] = kind;
    kv_key_u32(key + 1, number);
}

/* Other rules give other answers to the same messages: what was saved under them is of no use. */
static uint64_t rules_fingerprint(const struct identity *identity)
{
    uint64_t sum = identity->max_owners + ((uint64_t)identity->placeholders << 40);
    for (uint32_t i = 0; i < identity->blocked.capacity; i++) sum += identity->blocked.entries[i].high;
    return hash_64(str_of(identity->externals, sizeof identity->externals), sum);
}

uint64_t identity_position(const struct identity *identity) { return identity->position; }

void identity_note_unsaved(struct identity *identity, uint32_t shared)
{
    if (!identity->store.kv || identity_shared(identity, shared)->is_unsaved) return;
    identity_shared(identity, shared)->is_unsaved = true;
    *(uint32_t *)vector_push(&identity->unsaved_shared, sizeof(uint32_t)) = shared;
}

void identity_save_done(struct identity *identity)
{
    for (size_t i = 0; i < countof(identity->saved_slices); i++) vector_done(&identity->saved_slices[i]);
    vector_done(&identity->unsaved_shared);
    vector_done(&identity->touched);
}

/* ---- Saving ---- */

/* The arrays that are kept as they lie in memory, in slices: the letter of their keys, and where they are. */
enum { NODES, VALUES, ALIAS_ENDS };

struct array { char kind; void *memory; size_t bytes; };

static struct array array_of(struct identity *identity, int which)
{
    switch (which) {
    case NODES: return (struct array){ 'n', identity->nodes, identity->node_count * sizeof(struct node) };
    case VALUES: return (struct array){ 'v', identity->values, (size_t)identity->value_end * VALUE_UNIT };
    default: return (struct array){ 'h', identity->alias_ends.items,
                                    identity->alias_ends.count * sizeof(struct alias_end) };
    }
}

/* Begins with the slice that has the byte: the slices before it are as they were saved. */
static Status save_slices(struct identity *identity, struct kv_txn *txn, int which, size_t from, Err *err)
{
    struct array array = array_of(identity, which);
    struct vector *hashes = &identity->saved_slices[which];
    for (size_t i = from / SLICE_BYTES; i * SLICE_BYTES < array.bytes; i++) {
        size_t left = array.bytes - i * SLICE_BYTES;
        Str slice = { (const char *)array.memory + i * SLICE_BYTES, left < SLICE_BYTES ? left : SLICE_BYTES };
        uint64_t hash = hash_64(slice, slice.len);
        char key[5];
        while (hashes->count <= i) vector_push(hashes, sizeof(uint64_t));
        if (((uint64_t *)hashes->items)[i] == hash) continue;
        ((uint64_t *)hashes->items)[i] = hash;
        make_key(key, array.kind, (uint32_t)i);
        Status s = kv_put(txn, identity->store.state, (Str){ key, sizeof key }, slice, err);
        if (s) return s;
    }
    return OK;
}

static Status save_shared(struct identity *identity, struct kv_txn *txn, uint32_t index, Err *err)
{
    const struct shared *shared = identity_shared(identity, index);
    size_t bytes = shared->moment_count * sizeof(struct moment);
    char key[5];
    void *room;
    make_key(key, 's', index);
    if (!bytes) return kv_remove(txn, identity->store.state, (Str){ key, sizeof key }, err);
    Status s = kv_reserve(txn, identity->store.state, (Str){ key, sizeof key }, 8 + bytes, &room, err);
    if (s) return s;
    memcpy(room, &shared->node, 4);
    memcpy((char *)room + 4, &shared->home, 4);
    memcpy((char *)room + 8, shared->moments, bytes);
    return OK;
}

static Status save_removed(struct identity *identity, struct kv_txn *txn, Err *err)
{
    const struct set128 *set = &identity->removed;
    void *room;
    Hash128 *at;
    Status s = kv_reserve(txn, identity->store.state, STR("r"), set->count * sizeof *at, &room, err);
    if (s) return s;
    at = room;
    for (uint32_t i = 0; i < set->capacity; i++)
        if (set->entries[i].low) memcpy(at++, &set->entries[i], sizeof *at);
    return OK;
}

static Status save_candidates(struct identity *identity, struct kv_txn *txn, Err *err)
{
    struct vector list = { 0 };
    for (uint32_t i = 0; i < identity->holding_heads.capacity; i++) {
        uint64_t entry = identity->holding_heads.entries[i];
        if (entry == UINT64_MAX) continue;
        const struct vector *candidates = &((struct vector *)identity->holdings.items)[(uint32_t)entry];
        for (size_t k = 0; k < candidates->count; k++) {
            struct saved_candidate *saved = vector_push(&list, sizeof *saved);
            saved->key = (uint32_t)(entry >> 32);
            saved->candidate = ((struct candidate *)candidates->items)[k];
        }
    }
    Str value = { list.items, list.count * sizeof(struct saved_candidate) };
    Status s = kv_put(txn, identity->store.state, STR("l"), value, err);
    vector_done(&list);
    return s;
}

static Status save_numbers(struct identity *identity, struct kv_txn *txn, uint64_t position, Err *err)
{
    struct saved saved = {
        .version = SAVED_VERSION, .node_count = identity->node_count, .value_end = identity->value_end,
        .run_count = identity->run_count + identity->saves_run, .alias_ends = (uint32_t)identity->alias_ends.count,
        .alias_free = identity->alias_free, .erased_count = identity->erased_count,
        .aliased_count = identity->aliased_count, .rules = rules_fingerprint(identity), .seed = identity->seed,
        .position = position, .saved_rows = identity->saved_rows + identity->row_count - 1,
        .alias_count = identity->alias_count, .blocked_count = identity->blocked_count,
    };
    memcpy(saved.seen_count, identity->seen_count, sizeof saved.seen_count);
    return kv_put(txn, identity->store.state, STR("m"), str_of(&saved, sizeof saved), err);
}

Status identity_save(struct identity *identity, struct kv_txn *txn, uint64_t position, Err *err)
{
    size_t unchanged = identity->has_wiped_values ? 0 : (size_t)identity->saved_value_end * VALUE_UNIT;
    check(identity->store.kv);
    Status s = identity_save_evidence(identity, txn, err);
    if (!s) s = save_slices(identity, txn, NODES, 0, err);
    if (!s) s = save_slices(identity, txn, VALUES, unchanged, err);
    if (!s) s = save_slices(identity, txn, ALIAS_ENDS, 0, err);
    for (size_t i = 0; !s && i < identity->unsaved_shared.count; i++)
        s = save_shared(identity, txn, ((uint32_t *)identity->unsaved_shared.items)[i], err);
    if (!s && identity->has_new_removed) s = save_removed(identity, txn, err);
    if (!s && identity->has_new_candidates) s = save_candidates(identity, txn, err);
    return s ? s : save_numbers(identity, txn, position, err);
}

void identity_end_save(struct identity *identity, uint64_t position, bool is_committed)
{
    if (!is_committed) {                                      /* nobody knows which slices the store has */
        for (size_t i = 0; i < countof(identity->saved_slices); i++) identity->saved_slices[i].count = 0;
        identity->saved_value_end = 0;
        return;
    }
    for (size_t i = 0; i < identity->unsaved_shared.count; i++)
        identity_shared(identity, ((uint32_t *)identity->unsaved_shared.items)[i])->is_unsaved = false;
    identity->unsaved_shared.count = 0;
    identity->saved_nodes = identity->node_count;
    identity->saved_value_end = identity->value_end;
    identity->has_wiped_values = identity->has_new_removed = identity->has_new_candidates = false;
    identity->position = position;
    identity_end_evidence(identity);
}

/* ---- Loading ---- */

static Status damaged(Err *err)
{
    return err_set(err, ERR_DAMAGED, "identity: the saved state is not whole; onym rebuild makes it again");
}

static Status load_slices(struct identity *identity, struct kv_cursor *cursor, int which, Err *err)
{
    struct array array = array_of(identity, which);
    size_t bytes = array.bytes;
    char first[5];
    Str key, slice;
    make_key(first, array.kind, 0);
    Status s = bytes ? kv_find(cursor, (Str){ first, sizeof first }, &key, &slice, err) : OK;
    for (size_t i = 0; i * SLICE_BYTES < bytes; i++) {
        size_t left = bytes - i * SLICE_BYTES, count = left < SLICE_BYTES ? left : SLICE_BYTES;
        if (s == ERR_NOT_FOUND) return damaged(err);
        if (s) return s;
        if (key.len != 5 || key.bytes[0] != array.kind || kv_read_u32(key.bytes + 1) != i || slice.len < count)
            return damaged(err);
        memcpy((char *)array.memory + i * SLICE_BYTES, slice.bytes, count);
        uint64_t *hash = vector_push(&identity->saved_slices[which], sizeof *hash);
        *hash = slice.len == count ? hash_64(slice, slice.len) : 0;
        s = kv_next(cursor, &key, &slice, err);
    }
    return s == ERR_NOT_FOUND ? OK : s;
}

/* Is the last slice there? If so, no more memory is taken than was saved. */
static Status has_slices(struct identity *identity, struct kv_txn *txn, char kind, size_t bytes, Err *err)
{
    char last[5];
    Str slice;
    if (!bytes) return OK;
    make_key(last, kind, (uint32_t)((bytes - 1) / SLICE_BYTES));
    Status s = kv_get(txn, identity->store.state, (Str){ last, sizeof last }, &slice, err);
    return s == ERR_NOT_FOUND ? damaged(err) : s;
}

static Status load_shared(struct identity *identity, uint32_t index, Str value, Err *err)
{
    if (value.len < 8 + sizeof(struct moment) || (value.len - 8) % sizeof(struct moment) ||
        index >= identity->node_count) return damaged(err);  /* no more of them than nodes */
    while (identity->shared.count <= index) {
        struct shared *none = vector_push(&identity->shared, sizeof *none);
        none->node = NONE;
    }
    struct shared *shared = identity_shared(identity, index);
    memcpy(&shared->node, value.bytes, 4);
    memcpy(&shared->home, value.bytes + 4, 4);
    if (shared->node >= identity->node_count || identity->nodes[shared->node].link != index ||
        !(identity->nodes[shared->node].flags & NODE_SHARED) || shared->moment_count ||
        !identity_moments_are_sound(identity, shared->node, value.bytes + 8, (value.len - 8) / sizeof(struct moment)))
        return damaged(err);
    identity_restore_shared(identity, index, value.bytes + 8, (value.len - 8) / sizeof(struct moment));
    return OK;
}

static Status load_all_shared(struct identity *identity, struct kv_cursor *cursor, Err *err)
{
    char first[5];
    Str key, value;
    make_key(first, 's', 0);
    Status s = kv_find(cursor, (Str){ first, sizeof first }, &key, &value, err);
    while (!s && key.len == 5 && key.bytes[0] == 's') {
        s = load_shared(identity, kv_read_u32(key.bytes + 1), value, err);
        if (!s) s = kv_next(cursor, &key, &value, err);
    }
    for (uint32_t i = 0; i < identity->shared.count; i++) {
        if (identity_shared(identity, i)->moment_count) continue;
        *identity_shared(identity, i) = (struct shared){ 0 };
        *(uint32_t *)vector_push(&identity->shared_free, sizeof(uint32_t)) = i;
    }
    return s == ERR_NOT_FOUND ? OK : s;
}

static Status load_lists(struct identity *identity, struct kv_txn *txn, Err *err)
{
    Str value;
    Status s = kv_get(txn, identity->store.state, STR("r"), &value, err);
    for (size_t at = 0; !s && at + sizeof(Hash128) <= value.len; at += sizeof(Hash128)) {
        Hash128 removed;
        memcpy(&removed, value.bytes + at, sizeof removed);
        set128_put(&identity->removed, removed);
    }
    if (s && s != ERR_NOT_FOUND) return s;
    s = kv_get(txn, identity->store.state, STR("l"), &value, err);
    for (size_t at = 0; !s && at + sizeof(struct saved_candidate) <= value.len; at += sizeof(struct saved_candidate)) {
        struct saved_candidate saved;
        memcpy(&saved, value.bytes + at, sizeof saved);
        if (saved.key / IDENTITY_KINDS >= identity->node_count || saved.candidate.node >= identity->node_count ||
            (saved.candidate.id && !identity_is_packed(identity, saved.candidate.id))) return damaged(err);
        const uint32_t *index = map32_find(&identity->holding_heads, saved.key);
        if (!index) {
            map32_put(&identity->holding_heads, saved.key, (uint32_t)identity->holdings.count);
            vector_push(&identity->holdings, sizeof(struct vector));
            index = map32_find(&identity->holding_heads, saved.key);
        }
        struct vector *candidates = &((struct vector *)identity->holdings.items)[*index];
        *(struct candidate *)vector_push(candidates, sizeof(struct candidate)) = saved.candidate;
    }
    return s == ERR_NOT_FOUND ? OK : s;
}

/* The owner in whose list a node hangs. */
static uint32_t home_of(const struct identity *identity, uint32_t node)
{
    const struct node *n = &identity->nodes[node];
    if (n->kind == IDENTITY_USER || n->link == NONE) return NONE;
    return n->flags & NODE_SHARED ? identity_shared(identity, n->link)->home : n->link;
}

/* Heads of the lists of external ids: the nodes of such an owner to which no other one leads. */
static void find_external_heads(struct identity *identity)
{
    if (!identity->external_count) return;
    unsigned char *is_behind = calloc(identity->node_count / 8 + 1, 1);
    check(is_behind);
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t node = 0; node < identity->node_count; node++) {
            uint32_t home = home_of(identity, node), next = identity->nodes[node].next;
            if (home == NONE || identity->nodes[home].kind == IDENTITY_USER) continue;
            if (pass == 0 && next != NONE) is_behind[next / 8] |= (unsigned char)(1 << next % 8);
            if (pass == 1 && !(is_behind[node / 8] >> node % 8 & 1)) map32_put(&identity->child_heads, home, node);
        }
    free(is_behind);
}

static void show_all(struct identity *identity)
{
    for (uint32_t node = 0; node < identity->node_count; node++) identity_set_slot(identity, node, node);
    for (uint32_t node = 0; node < identity->node_count; node++) {
        if (identity->nodes[node].kind != IDENTITY_USER || identity_slot(identity, node) != node) continue;
        for (uint32_t user = identity->nodes[node].link; user != node; user = identity->nodes[user].link)
            identity_set_slot(identity, user, node);          /* the first one of a ring names it */
    }
    for (uint32_t kind = IDENTITY_EXTERNAL; kind <= IDENTITY_EXTERNAL + identity->external_count; kind++) {
        uint32_t now = kind == IDENTITY_EXTERNAL + identity->external_count ? IDENTITY_ANONYMOUS : kind;
        for (uint32_t node = 0; node < identity->node_count; node++) {
            const struct node *n = &identity->nodes[node];
            if (n->kind != now || n->link == NONE) continue;
            bool is_shared = n->flags & NODE_SHARED;
            identity_set_slot(identity, node, is_shared ? IDENTITY_SHARED | n->link : identity_slot(identity, n->link));
        }
    }
}

static void restore_halves(struct identity *identity)
{
    struct alias_end *alias_ends = identity->alias_ends.items;
    for (uint32_t i = 1; i < identity->alias_ends.count; i++) {
        if (alias_ends[i].user == NONE) continue;
        alias_ends[i].next = identity_first_alias(identity, alias_ends[i].user);
        map32_put(&identity->alias_heads, alias_ends[i].user, i);
    }
}

static Status load_numbers(struct identity *identity, Str value, uint32_t *ret_halves, Err *err)
{
    struct saved saved;
    if (value.len != sizeof saved) return damaged(err);
    memcpy(&saved, value.bytes, sizeof saved);
    if (saved.version != SAVED_VERSION)
        return err_set(err, ERR_CONFLICT, "identity was saved by another version; onym rebuild makes it again");
    if (saved.rules != rules_fingerprint(identity))
        return err_set(err, ERR_CONFLICT, "identity was saved under other rules; onym rebuild applies the new ones");
    if (saved.node_count >= IDENTITY_NODES_MAX || saved.value_end == 0 ||
        saved.value_end > (uint64_t)IDENTITY_NODES_MAX * VALUES_A_NODE || saved.alias_ends > 2 * IDENTITY_NODES_MAX ||
        saved.run_count > RUNS_MOST) return damaged(err);
    identity->seed = saved.seed;
    identity->node_count = identity->saved_nodes = saved.node_count;
    identity->value_end = identity->saved_value_end = saved.value_end;
    identity->run_count = saved.run_count;
    identity->alias_free = saved.alias_free;
    identity->erased_count = saved.erased_count;
    identity->aliased_count = saved.aliased_count;
    identity->position = saved.position;
    identity->saved_rows = saved.saved_rows;
    identity->alias_count = saved.alias_count;
    identity->blocked_count = saved.blocked_count;
    *ret_halves = saved.alias_ends;
    memcpy(identity->seen_count, saved.seen_count, sizeof saved.seen_count);
    return OK;
}

static Status load_all(struct identity *identity, struct kv_txn *txn, struct kv_cursor *cursor, Err *err)
{
    uint32_t alias_end_count = 0;
    Str value;
    Status s = kv_get(txn, identity->store.state, STR("m"), &value, err);
    if (s == ERR_NOT_FOUND) return OK;                        /* nothing was saved yet */
    if (!s) s = load_numbers(identity, value, &alias_end_count, err);
    if (!s) s = has_slices(identity, txn, 'n', identity->node_count * sizeof(struct node), err);
    if (!s) s = has_slices(identity, txn, 'v', (size_t)identity->value_end * VALUE_UNIT, err);
    if (!s) s = has_slices(identity, txn, 'h', alias_end_count * sizeof(struct alias_end), err);
    for (uint32_t i = 0; !s && i < alias_end_count; i++) vector_push(&identity->alias_ends, sizeof(struct alias_end));
    for (int which = NODES; !s && which <= ALIAS_ENDS; which++) s = load_slices(identity, cursor, which, err);
    if (!s && (!identity_nodes_are_sound(identity) || !identity_aliases_are_sound(identity))) s = damaged(err);
    if (!s) s = load_all_shared(identity, cursor, err);
    if (!s && !identity_shared_are_sound(identity)) s = damaged(err);
    if (!s) s = load_lists(identity, txn, err);
    if (s) return s;
    restore_halves(identity);
    identity_rebuild_table(identity);
    find_external_heads(identity);
    show_all(identity);
    identity_publish(identity);
    return OK;
}

Status identity_load(struct identity *identity, Err *err)
{
    struct kv_txn *txn;
    struct kv_cursor *cursor = NULL;
    Status s = kv_begin_read(identity->store.kv, &txn, err);
    if (s) return s;
    s = kv_cursor_open(txn, identity->store.state, &cursor, err);
    if (!s) s = load_all(identity, txn, cursor, err);
    kv_cursor_close(cursor);
    kv_end_read(txn);
    return s;
}
