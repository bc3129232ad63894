/* The evidence: rows in memory since the last save, and all that was saved before.
 *
 * Every message of an identified visitor says its link again, so evidence grows with events, not with
 * identifiers. It is hardly ever read: only when a second owner shows up, when evidence is taken back, or when somebody
 * asks why. So memory holds what came since the last save; each save sorts these rows by node and writes them to kv
 * as one *run* of blocks, appended at the table's end at the cost of a few bytes a row. A look-up asks every run.
 *
 *   key     u32 run, u32 first node of the block, u32 number of the block in its run; big-endian
 *   block   rows by node, in the order in which they came: varints of
 *           node - node before, zigzag(owner - owner before), zigzag(time - time before),
 *           zigzag(position - position before), source << 4 | flags; all begin at 0
 *
 * If a saved row is taken back, given again or erased, this is a *change*. It is kept in memory with the rows until
 * the next save rewrites the blocks that have the row: an erased row is gone from the disk after that save.
 */
#include "identity_state.h"

#include <stdlib.h>

/* A block and its checksum fill a page. */
enum { BLOCK_BYTES = 4080 - 8, ROW_BYTES_MAX = 5 + 5 + 10 + 10 + 3, KEY_BYTES = 12 };

/* ---- Blocks ---- */

struct packer { struct row last; uint32_t node; unsigned char bytes[BLOCK_BYTES]; size_t len; };

static void put_varint(struct packer *packer, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) packer->bytes[packer->len++] = (unsigned char)(value | 0x80);
    packer->bytes[packer->len++] = (unsigned char)value;
}

static uint64_t zigzag(uint64_t difference) { return difference << 1 ^ (uint64_t)((int64_t)difference >> 63); }
static uint64_t unzigzag(uint64_t value) { return value >> 1 ^ -(value & 1); }

static void pack_row(struct packer *packer, uint32_t node, const struct row *row)
{
    put_varint(packer, node - packer->node);
    put_varint(packer, zigzag((uint64_t)row->owner - packer->last.owner));
    put_varint(packer, zigzag((uint64_t)row->time_ms - (uint64_t)packer->last.time_ms));
    put_varint(packer, zigzag((uint64_t)row->position - packer->last.position));
    put_varint(packer, (uint64_t)row->source << 4 | row->flags);
    packer->node = node;
    packer->last = *row;
}

struct unpacker { const unsigned char *at, *end; struct row row; uint32_t node; };

static bool read_varint(struct unpacker *unpacker, uint64_t *ret)
{
    *ret = 0;
    for (unsigned shift = 0; shift < 64 && unpacker->at < unpacker->end; shift += 7) {
        unsigned char byte = *unpacker->at++;
        *ret |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return true;
    }
    return false;
}

/* Reads the next row; false after the last one, and if the block is broken (then at is not end). */
static bool unpack_row(struct unpacker *unpacker)
{
    uint64_t node, owner, time, position, rest;
    if (unpacker->at == unpacker->end) return false;
    if (!read_varint(unpacker, &node) || !read_varint(unpacker, &owner) || !read_varint(unpacker, &time) ||
        !read_varint(unpacker, &position) || !read_varint(unpacker, &rest)) {
        unpacker->at = NULL;
        return false;
    }
    unpacker->node += (uint32_t)node;
    unpacker->row = (struct row){
        .owner = unpacker->row.owner + (uint32_t)unzigzag(owner),
        .time_ms = (Millis)((uint64_t)unpacker->row.time_ms + unzigzag(time)),
        .position = (unpacker->row.position + unzigzag(position)) & JOURNAL_NUMBER_MOST,
        .source = rest >> 4 & 0xfff, .flags = rest & 0xf,
    };
    return true;
}

static struct unpacker unpack(Str block)
{
    const unsigned char *bytes = (const unsigned char *)block.bytes;
    return (struct unpacker){ .at = bytes, .end = bytes + block.len };
}

static void make_key(char *key, uint32_t run, uint32_t node, uint32_t block)
{
    kv_key_u32(key, run);
    kv_key_u32(key + 4, node);
    kv_key_u32(key + 8, block);
}

static Status say_damaged(const struct unpacker *unpacker, Err *err)
{
    if (unpacker->at) return OK;
    return err_set(err, ERR_DAMAGED, "identity: saved evidence is broken; onym rebuild makes it again");
}

/* ---- Reading ---- */

/* Finds the last change of an archived row; NULL if there is none. */
static const struct change *find_change(const struct identity *identity, uint32_t node, const struct row *row)
{
    const uint32_t *head = map32_find(&identity->change_heads, node);
    for (uint32_t index = head ? *head : 0; index;) {
        const struct change *change = &((struct change *)identity->changes.items)[index];
        bool is_same = change->row.owner == row->owner && change->row.position == row->position &&
                       change->row.time_ms == row->time_ms && !((change->row.flags ^ row->flags) & ROW_ALIAS);
        if (is_same) return change;
        index = change->next;
    }
    return NULL;
}

static Status list_block(const struct identity *identity, uint32_t node, Str block, struct vector *found, Err *err)
{
    struct unpacker unpacker = unpack(block);
    while (unpack_row(&unpacker) && unpacker.node <= node) {
        if (unpacker.node != node) continue;
        if (unpacker.row.owner >= identity->node_count) unpacker.at = NULL;
        if (!unpacker.at) break;
        const struct change *change = find_change(identity, node, &unpacker.row);
        struct found *one = vector_push(found, sizeof *one);
        one->row = unpacker.row;
        if (change) one->row.flags = change->row.flags;
    }
    return say_damaged(&unpacker, err);
}

static Status list_run(const struct identity *identity, struct kv_cursor *cursor, uint32_t run, uint32_t node,
                       struct vector *found, Err *err)
{
    char first[KEY_BYTES];
    Str key, block;
    make_key(first, run, node, 0);
    Status s = kv_find_last(cursor, (Str){ first, sizeof first }, &key, &block, err);
    if (s == ERR_NOT_FOUND || (!s && (key.len != KEY_BYTES || kv_read_u32(key.bytes) != run)))
        s = kv_find(cursor, (Str){ first, sizeof first }, &key, &block, err);
    while (!s && key.len == KEY_BYTES && kv_read_u32(key.bytes) == run && kv_read_u32(key.bytes + 4) <= node) {
        s = list_block(identity, node, block, found, err);
        if (!s) s = kv_next(cursor, &key, &block, err);
    }
    return s == ERR_NOT_FOUND ? OK : s;
}

Status identity_list_rows(const struct identity *identity, uint32_t node, struct vector *found, Err *err)
{
    for (uint32_t at = identity->heads[node]; at; at = identity->rows[at].previous)
        *(struct found *)vector_push(found, sizeof(struct found)) = (struct found){ identity->rows[at], at };
    if (!identity->run_count || node >= identity->saved_nodes) return OK;
    struct kv_txn *txn;
    struct kv_cursor *cursor = NULL;
    Status s = kv_begin_read(identity->store.kv, &txn, err);
    if (s) return s;
    s = kv_cursor_open(txn, identity->store.evidence, &cursor, err);
    for (uint32_t run = 0; !s && run < identity->run_count; run++)
        s = list_run(identity, cursor, run, node, found, err);
    kv_cursor_close(cursor);
    kv_end_read(txn);
    return s;
}

static int compare_nodes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Owners, ascending, and which of them a row was found to. */
struct owner_search { const uint32_t *owners; size_t count; bool *is_found; };

static void find_owner(struct owner_search *search, const struct row *row)
{
    const uint32_t *at = bsearch(&(uint32_t){ row->owner }, search->owners, search->count, sizeof *at, compare_nodes);
    if (at && !(row->flags & ROW_ERASED)) search->is_found[at - search->owners] = true;
}

static Status find_owners_in(const struct identity *identity, struct owner_search *search, Str block, Err *err)
{
    struct unpacker unpacker = unpack(block);
    while (unpack_row(&unpacker)) {
        const struct change *change = identity->changes.count ? find_change(identity, unpacker.node, &unpacker.row)
                                                              : NULL;
        find_owner(search, change ? &change->row : &unpacker.row);
    }
    return say_damaged(&unpacker, err);
}

static Status find_owners(const struct identity *identity, struct owner_search *search, Err *err)
{
    struct kv_txn *txn;
    struct kv_cursor *cursor = NULL;
    char first[KEY_BYTES] = { 0 };
    Str key, block;
    for (uint32_t at = 1; at < identity->row_count; at++) find_owner(search, &identity->rows[at]);
    if (!identity->run_count) return OK;
    Status s = kv_begin_read(identity->store.kv, &txn, err);
    if (s) return s;
    s = kv_cursor_open(txn, identity->store.evidence, &cursor, err);
    if (!s) s = kv_find(cursor, (Str){ first, sizeof first }, &key, &block, err);
    while (!s) {
        s = find_owners_in(identity, search, block, err);
        if (!s) s = kv_next(cursor, &key, &block, err);
    }
    kv_cursor_close(cursor);
    kv_end_read(txn);
    return s == ERR_NOT_FOUND ? OK : s;
}

Status identity_drop_led_to(const struct identity *identity, const uint32_t *owners, size_t owner_count,
                            uint32_t *nodes, size_t *count, Err *err)
{
    struct owner_search search = { owners, owner_count, calloc(owner_count + 1, sizeof *search.is_found) };
    size_t kept = 0;
    check(search.is_found);
    Status s = find_owners(identity, &search, err);
    for (size_t i = 0; !s && i < *count; i++) {
        const uint32_t *at = bsearch(&nodes[i], owners, owner_count, sizeof *at, compare_nodes);
        if (!at || !search.is_found[at - owners]) nodes[kept++] = nodes[i];
    }
    if (!s) *count = kept;
    free(search.is_found);
    return s;
}

void identity_flag_row(struct identity *identity, uint32_t node, struct found *found, unsigned flags)
{
    found->row.flags = flags & 0xf;
    if (found->index) {
        identity->rows[found->index].flags = flags & 0xf;
        return;
    }
    const uint32_t *head = map32_find(&identity->change_heads, node);
    uint32_t next = head ? *head : 0;
    if (identity->changes.count == 0) vector_push(&identity->changes, sizeof(struct change));     /* 0 is none */
    map32_put(&identity->change_heads, node, (uint32_t)identity->changes.count);
    struct change *change = vector_push(&identity->changes, sizeof *change);
    *change = (struct change){ found->row, node, next };
}

/* ---- Saving ---- */

/* The nodes with rows in memory, ascending: three passes of eleven bits, several times faster than comparing. */
static void sort_touched(struct vector *touched)
{
    enum { RADIX_BITS = 11, RADIX = 1 << RADIX_BITS };
    uint32_t *from = touched->items, *to = malloc((touched->count + 1) * sizeof *to), *room = to;
    check(to);
    for (unsigned shift = 0; shift < 3 * RADIX_BITS; shift += RADIX_BITS) {
        size_t places[RADIX + 1] = { 0 };
        for (size_t i = 0; i < touched->count; i++) places[(from[i] >> shift & (RADIX - 1)) + 1]++;
        for (size_t i = 0; i < RADIX; i++) places[i + 1] += places[i];
        for (size_t i = 0; i < touched->count; i++) to[places[from[i] >> shift & (RADIX - 1)]++] = from[i];
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from == room && touched->count) memcpy(touched->items, room, touched->count * sizeof *room);
    free(room);
}

static Status put_block(struct identity *identity, struct kv_txn *txn, const char *key, const struct packer *packer,
                        Err *err)
{
    Str value = { (const char *)packer->bytes, packer->len };
    return kv_put(txn, identity->store.evidence, (Str){ key, KEY_BYTES }, value, err);
}

/* A node's rows in memory, oldest first, as indexes. */
static size_t list_pending(const struct identity *identity, uint32_t node, struct vector *indexes)
{
    indexes->count = 0;
    for (uint32_t at = identity->heads[node]; at; at = identity->rows[at].previous)
        if (!(identity->rows[at].flags & ROW_ERASED)) *(uint32_t *)vector_push(indexes, sizeof(uint32_t)) = at;
    return indexes->count;
}

static Status save_run(struct identity *identity, struct kv_txn *txn, Err *err)
{
    enum { AHEAD = 8 };
    struct packer packer = { 0 };
    struct vector indexes = { 0 };
    char key[KEY_BYTES];
    uint32_t block = 0, *nodes = identity->touched.items;
    Status s = OK;
    sort_touched(&identity->touched);
    for (size_t i = 0; !s && i < identity->touched.count; i++) {
        if (i + AHEAD < identity->touched.count) __builtin_prefetch(&identity->rows[identity->heads[nodes[i + AHEAD]]]);
        for (size_t k = list_pending(identity, nodes[i], &indexes); !s && k-- > 0;) {
            if (packer.len == 0) make_key(key, identity->run_count, nodes[i], block++);
            pack_row(&packer, nodes[i], &identity->rows[((uint32_t *)indexes.items)[k]]);
            if (packer.len + ROW_BYTES_MAX <= BLOCK_BYTES) continue;
            s = put_block(identity, txn, key, &packer, err);
            packer.len = packer.node = 0;
            packer.last = (struct row){ 0 };
        }
    }
    if (!s && packer.len) s = put_block(identity, txn, key, &packer, err);
    vector_done(&indexes);
    identity->saves_run = block > 0;
    return s;
}

/* Rewrites one block with what changed in it. It never grows: flags have room in their varint. If a row was erased, the
 * next row's differences are sums of two, at most a bit longer each, but the bytes of a whole row are gone. */
static Status rewrite_block(struct identity *identity, struct kv_txn *txn, Str key, Str block, bool *ret_changed,
                            Err *err)
{
    struct unpacker unpacker = unpack(block);
    struct packer packer = { 0 };
    char kept_key[KEY_BYTES];
    *ret_changed = false;
    memcpy(kept_key, key.bytes, KEY_BYTES);
    while (unpack_row(&unpacker)) {
        const struct change *change = find_change(identity, unpacker.node, &unpacker.row);
        struct row row = unpacker.row;
        if (change && change->row.flags != row.flags) {
            row.flags = change->row.flags;
            *ret_changed = true;
        }
        if (row.flags & ROW_ERASED) continue;
        check(packer.len + ROW_BYTES_MAX <= BLOCK_BYTES);
        pack_row(&packer, unpacker.node, &row);
    }
    Status s = say_damaged(&unpacker, err);
    return s || !*ret_changed ? s : put_block(identity, txn, kept_key, &packer, err);
}

/* Rewrites those blocks of all runs that may have a changed node. */
static Status save_changes_of(struct identity *identity, struct kv_txn *txn, uint32_t run, uint32_t node, Err *err)
{
    struct kv_cursor *cursor;
    char first[KEY_BYTES];
    Str key, block;
    Status s = kv_cursor_open(txn, identity->store.evidence, &cursor, err);
    if (s) return s;
    make_key(first, run, node, 0);
    s = kv_find_last(cursor, (Str){ first, sizeof first }, &key, &block, err);
    if (s == ERR_NOT_FOUND || (!s && (key.len != KEY_BYTES || kv_read_u32(key.bytes) != run)))
        s = kv_find(cursor, (Str){ first, sizeof first }, &key, &block, err);
    while (!s && key.len == KEY_BYTES && kv_read_u32(key.bytes) == run && kv_read_u32(key.bytes + 4) <= node) {
        bool is_changed;
        char at[KEY_BYTES];
        memcpy(at, key.bytes, KEY_BYTES);
        s = rewrite_block(identity, txn, key, block, &is_changed, err);
        if (!s && is_changed) s = kv_find(cursor, (Str){ at, sizeof at }, &key, &block, err);
        if (!s) s = kv_next(cursor, &key, &block, err);
    }
    kv_cursor_close(cursor);
    return s == ERR_NOT_FOUND ? OK : s;
}

Status identity_save_evidence(struct identity *identity, struct kv_txn *txn, Err *err)
{
    Status s = OK;
    for (size_t i = 1; !s && i < identity->changes.count; i++) {
        const struct change *change = &((struct change *)identity->changes.items)[i];
        if (change->next) continue;                          /* once for each node: its first change ends the chain */
        for (uint32_t run = 0; !s && run < identity->run_count; run++)
            s = save_changes_of(identity, txn, run, change->node, err);
    }
    return s ? s : save_run(identity, txn, err);
}

/* After the transaction was committed: the rows that were in memory are now in the archive. */
void identity_end_evidence(struct identity *identity)
{
    for (size_t i = 0; i < identity->touched.count; i++)
        identity->heads[((uint32_t *)identity->touched.items)[i]] = 0;
    identity->touched.count = 0;
    identity->saved_rows += identity->row_count - 1;
    identity->row_count = 1;
    identity->run_count += identity->saves_run;
    vector_done(&identity->changes);
    map32_done(&identity->change_heads);
}
