/* kv_pages: a second reader of LMDB's format (data version 1, 64 bits, little-endian), which trusts nothing.
 *
 *   page      u64 its number, u16 0, u16 its kind, u16 lower, u16 upper; then u16 offsets of nodes, up to lower; nodes
 *             lie from upper to the end, without gaps. Of overflow pages the last two are u32, how many they are
 *   node      u16 low, u16 high, u16 flags, u16 bytes of the key, the key; in a leaf low and high are the bytes of
 *             the value that follows (flag 1: of one in overflow pages, whose number follows; 2: a table's record);
 *             in a branch low, high and flags are the child's number
 *   record    u32 pad, u16 flags, u16 depth, u64 branch pages, leaf pages, overflow pages, rows, root
 *   meta      (pages 0 and 1, in turn) u32 magic, u32 version, u64 address, u64 map size, two records: of the free
 *             pages and of the tables, u64 last page, u64 number of the transaction
 *   free      a table of its own, key u64 transaction, value u64 count and so many page numbers
 *
 * What is checked: every page is reached once, has its own number and its kind and nothing else, and its nodes fill it
 * without gaps; keys ascend, within what the branch above says; records count right; every page up to the last is in
 * use or free, and none is both; each value has its checksum. So nothing that LMDB reads, or copies when it writes, can
 * differ unnoticed. Not checked, because LMDB never reads them: free pages, the bytes between lower and upper and
 * after a value in overflow pages, the odd byte after a node, u16 0 of a page, the older meta's records, the map's
 * size. */
#include "kv_pages.h"

#include <stdlib.h>

enum {
    HEAD = 16, NODE_HEAD = 8, RECORD_BYTES = 48, META_BYTES = 136, DEPTH_MOST = 32, PAGE_LEAST = 512,
    PAGE_MOST = 32768,
    BRANCH = 1, LEAF = 2, OVERFLOW_ = 4, META = 8,      /* dirty, loose, kept: LMDB sets, and never writes them */
    BIG = 1, TABLE = 2,
    FREE_FLAGS = 8, TABLES_MOST = KV_TABLES_MAX + 1,
};
static const uint32_t MAGIC = 0xBEEFC0DE;

struct record { uint32_t pad; uint16_t flags, depth; uint64_t branches, leaves, overflows, rows, root; };
struct meta { struct record free, main; uint64_t address, last, txn; };
struct table { char name[64]; struct record record; };

struct walk {
    struct disk *disk;
    DiskFile file;
    const char *path;
    uint64_t file_bytes;
    size_t page_bytes;
    struct meta meta;
    unsigned char *seen;                    /* one bit for each page: in use, or free */
    uint64_t seen_count;
    unsigned char starts[PAGE_MOST / 2];    /* of the nodes of one page */
    char *pages;                            /* one for each level */
    struct buf value;                       /* of overflow pages */
    struct table tables[TABLES_MOST];
    size_t table_count;
    uint64_t own_txn;
    KvPages told;
    Err *err;
};

typedef Status TakeRow(struct walk *walk, Str table, Str key, Str value);

/* The tree that is being read: a table's record, and what was counted in it. */
struct tree {
    const struct record *record;
    Str name;
    bool is_free;                           /* keys are numbers */
    bool is_main;                           /* values are records of tables */
    TakeRow *take;
    uint64_t branches, leaves, overflows, rows;
};

static uint16_t u16_at(const char *at) { uint16_t value; memcpy(&value, at, sizeof value); return value; }
static uint32_t u32_at(const char *at) { uint32_t value; memcpy(&value, at, sizeof value); return value; }
static uint64_t u64_at(const char *at) { uint64_t value; memcpy(&value, at, sizeof value); return value; }

static Status damaged(const struct walk *walk, uint64_t page, const char *what)
{
    return err_set(walk->err, ERR_DAMAGED, "%s: page %llu: %s", walk->path, (unsigned long long)page, what);
}

/* ---- Pages ---- */

static Status mark(struct walk *walk, uint64_t page, uint64_t count)
{
    if (page < 2 || page > walk->meta.last || count > walk->meta.last - page + 1)
        return damaged(walk, page, "beyond the last one");
    for (uint64_t at = page; at < page + count; at++) {
        if (walk->seen[at / 8] >> at % 8 & 1) return damaged(walk, at, "in use twice");
        walk->seen[at / 8] |= (unsigned char)(1 << at % 8);
    }
    walk->seen_count += count;
    return OK;
}

static Status read_bytes(struct walk *walk, uint64_t page, char *to, size_t bytes)
{
    size_t got = 0;
    Status s = walk->disk->read(walk->disk, walk->file, page * walk->page_bytes, to, bytes, &got, walk->err);
    if (s) return err_wrap(walk->err, s, "%s: page %llu", walk->path, (unsigned long long)page);
    return got == bytes ? OK : damaged(walk, page, "after the end of the file");
}

/* A value in pages of its own. */
static Status read_big(struct walk *walk, struct tree *tree, uint64_t page, size_t bytes, Str *ret)
{
    size_t room = HEAD + bytes;
    if (bytes > (size_t)KV_VALUE_BYTES + KV_SUM_BYTES) return damaged(walk, page, "a value of impossible size");
    if (page > walk->file_bytes / walk->page_bytes || room > walk->file_bytes - page * walk->page_bytes)
        return damaged(walk, page, "after the end of the file");
    buf_clear(&walk->value);
    if (!buf_reserve(&walk->value, room)) return err_set(walk->err, ERR_TOO_LARGE, "%s: no memory", walk->path);
    Status s = read_bytes(walk, page, walk->value.bytes, room);
    if (s) return s;
    const char *head = walk->value.bytes;
    uint64_t count = u32_at(head + 12);
    if (u64_at(head) != page || u16_at(head + 10) != OVERFLOW_ || count < (room - 1) / walk->page_bytes + 1)
        return damaged(walk, page, "not a page of the value that points to it");
    tree->overflows += count;
    *ret = (Str){ head + HEAD, bytes };
    return mark(walk, page, count);
}

/* ---- Nodes ---- */

struct bounds { Str from, to; };            /* bytes NULL: none */

static int compare(const struct tree *tree, Str a, Str b)
{
    if (!tree->is_free) return str_compare(a, b);
    uint64_t x = u64_at(a.bytes), y = u64_at(b.bytes);
    return x < y ? -1 : x > y;
}

/* The node at a place in its page, if the place is a possible one. */
struct node { const char *head; Str key; size_t bytes; };

static bool measure_node(const struct walk *walk, const char *page, size_t at, bool is_leaf, struct node *ret)
{
    if (at < u16_at(page + 14) || at % 2 || at + NODE_HEAD > walk->page_bytes) return false;
    const char *node = page + at;
    size_t key_bytes = u16_at(node + 6), bytes = NODE_HEAD + key_bytes, flags = u16_at(node + 4);
    if (is_leaf) bytes += flags & BIG ? 8 : u16_at(node) | (size_t)u16_at(node + 2) << 16;
    if (bytes > walk->page_bytes - at) return false;
    *ret = (struct node){ node, { node + NODE_HEAD, key_bytes }, bytes + bytes % 2 };
    return true;
}

static bool find_node(const struct walk *walk, const char *page, size_t index, bool is_leaf, struct node *ret)
{
    return measure_node(walk, page, u16_at(page + HEAD + 2 * index), is_leaf, ret);
}

static Status take_leaf(struct walk *walk, struct tree *tree, uint64_t number, const char *node, Str key)
{
    unsigned flags = u16_at(node + 4);
    size_t bytes = u16_at(node) | (size_t)u16_at(node + 2) << 16;
    Str value = { key.bytes + key.len, bytes };
    if (flags != (tree->is_main ? TABLE : flags & BIG)) return damaged(walk, number, "a row of an unknown kind");
    Status s = flags & BIG ? read_big(walk, tree, u64_at(value.bytes), bytes, &value) : OK;
    if (s) return s;
    tree->rows++;
    s = tree->take(walk, tree->name, key, value);
    return s == ERR_DAMAGED && walk->err ? err_wrap(walk->err, s, "page %llu", (unsigned long long)number) : s;
}

static Status walk_page(struct walk *walk, struct tree *tree, uint64_t number, unsigned depth, struct bounds bounds);

static Status take_child(struct walk *walk, struct tree *tree, const char *node, unsigned depth, struct bounds bounds)
{
    uint64_t child = u16_at(node) | (uint64_t)u16_at(node + 2) << 16 | (uint64_t)u16_at(node + 4) << 32;
    return walk_page(walk, tree, child, depth + 1, bounds);
}

static Status check_key(struct walk *walk, const struct tree *tree, uint64_t number, Str key, Str before,
                        struct bounds bounds)
{
    if (tree->is_free ? key.len != 8 : key.len == 0 || key.len > KV_KEY_BYTES)
        return damaged(walk, number, "a key of impossible size");
    if ((before.bytes && compare(tree, before, key) >= 0) || (bounds.from.bytes && compare(tree, key, bounds.from) < 0)
        || (bounds.to.bytes && compare(tree, key, bounds.to) >= 0)) return damaged(walk, number, "a key out of order");
    return OK;
}

/* Do the nodes fill the page, so that none overlaps another and none is left out? Each begins where one ends. */
static bool do_tile(struct walk *walk, const char *page, size_t count, bool is_leaf)
{
    size_t at = u16_at(page + 14), found = 0;
    struct node node;
    memset(walk->starts, 0, walk->page_bytes / 2);
    for (size_t one = 0; one < count; one++) walk->starts[u16_at(page + HEAD + 2 * one) / 2] = 1;
    for (; at < walk->page_bytes && walk->starts[at / 2]; at += node.bytes, found++)
        if (!measure_node(walk, page, at, is_leaf, &node)) return false;
    return at == walk->page_bytes && found == count;
}

/* Checks all nodes of a page: first whether they fill it as they should, then each with what it leads to. The first key
 * of a branch has no meaning. */
static Status walk_nodes(struct walk *walk, struct tree *tree, uint64_t number, const char *page, unsigned depth,
                         struct bounds bounds)
{
    bool is_leaf = depth == tree->record->depth;
    size_t count = (u16_at(page + 12) - (size_t)HEAD) / 2;
    Str before = { 0 };
    for (size_t at = 0; at < count; at++) {
        struct node node;
        if (!find_node(walk, page, at, is_leaf, &node)) return damaged(walk, number, "a row outside of it");
        bool says_nothing = !is_leaf && at == 0;
        if (says_nothing && node.key.len > KV_KEY_BYTES) return damaged(walk, number, "a key of impossible size");
        Status s = says_nothing ? OK : check_key(walk, tree, number, node.key, before, bounds);
        if (s) return s;
        if (!says_nothing) before = node.key;
    }
    if (!do_tile(walk, page, count, is_leaf)) return damaged(walk, number, "rows that do not add up");
    for (size_t at = 0; at < count; at++) {
        struct node node, next = { .key = bounds.to };
        (void)find_node(walk, page, at, is_leaf, &node);
        if (at + 1 < count) (void)find_node(walk, page, at + 1, is_leaf, &next);
        struct bounds child = { at ? node.key : bounds.from, next.key };
        Status s = is_leaf ? take_leaf(walk, tree, number, node.head, node.key)
                           : take_child(walk, tree, node.head, depth, child);
        if (s) return s;
    }
    return OK;
}

static Status walk_page(struct walk *walk, struct tree *tree, uint64_t number, unsigned depth, struct bounds bounds)
{
    char *page = walk->pages + (depth - 1) * walk->page_bytes;
    Status s = mark(walk, number, 1);
    if (!s) s = read_bytes(walk, number, page, walk->page_bytes);
    if (s) return s;
    bool is_leaf = depth == tree->record->depth;
    size_t lower = u16_at(page + 12), upper = u16_at(page + 14), least = is_leaf ? 1 : 2;
    if (u64_at(page) != number || u16_at(page + 10) != (is_leaf ? LEAF : BRANCH))
        return damaged(walk, number, "not what the page that points to it says");
    if (lower < HEAD + 2 * least || lower % 2 || lower > upper || upper > walk->page_bytes)
        return damaged(walk, number, "an impossible head");
    if (is_leaf) tree->leaves++;
    else tree->branches++;
    return walk_nodes(walk, tree, number, page, depth, bounds);
}

static Status walk_tree(struct walk *walk, struct tree *tree)
{
    const struct record *record = tree->record;
    const char *name = tree->name.bytes;
    if (record->depth > DEPTH_MOST || (record->depth == 0) != (record->root == UINT64_MAX)
        || record->flags != (tree->is_free ? FREE_FLAGS : 0) || (!tree->is_free && record->pad))
        return err_set(walk->err, ERR_DAMAGED, "%s: table %s: an impossible record", walk->path, name);
    Status s = record->depth ? walk_page(walk, tree, record->root, 1, (struct bounds){ { 0 }, { 0 } }) : OK;
    if (s) return s;
    if (tree->rows != record->rows || tree->branches != record->branches || tree->leaves != record->leaves
        || tree->overflows != record->overflows)
        return err_set(walk->err, ERR_DAMAGED, "%s: table %s: not as many rows or pages as its record says", walk->path,
                       name);
    walk->told.pages_used += tree->branches + tree->leaves + tree->overflows;
    return OK;
}

/* ---- Rows ---- */

static struct record read_record(const char *at)
{
    return (struct record){ u32_at(at), u16_at(at + 4), u16_at(at + 6), u64_at(at + 8), u64_at(at + 16),
                            u64_at(at + 24), u64_at(at + 32), u64_at(at + 40) };
}

static Status take_table(struct walk *walk, Str tree, Str key, Str value)
{
    struct table *table = &walk->tables[walk->table_count];
    (void)tree;
    if (value.len != RECORD_BYTES || walk->table_count == TABLES_MOST || key.len >= sizeof table->name)
        return err_set(walk->err, ERR_DAMAGED, "%s: an impossible table", walk->path);
    memcpy(table->name, key.bytes, key.len);
    table->record = read_record(value.bytes);
    walk->table_count++;
    return OK;
}

static Status take_free(struct walk *walk, Str tree, Str key, Str value)
{
    (void)tree;
    uint64_t count = value.len >= 8 ? u64_at(value.bytes) : UINT64_MAX, before = UINT64_MAX;
    if (value.len % 8 || count > value.len / 8 - 1 || u64_at(key.bytes) > walk->meta.txn)
        return err_set(walk->err, ERR_DAMAGED, "%s: an impossible list of free pages", walk->path);
    for (uint64_t at = 0; at < count; at++) {
        uint64_t page = u64_at(value.bytes + 8 + 8 * at);
        if (page >= before) return damaged(walk, page, "free, and out of order");
        Status s = mark(walk, page, 1);
        if (s) return s;
        before = page;
    }
    walk->told.pages_free += count;
    return OK;
}

static Status take_row(struct walk *walk, Str table, Str key, Str value)
{
    walk->told.rows++;
    if (!walk->told.has_sums) return OK;
    size_t bytes = value.len - KV_SUM_BYTES;
    if (value.len < KV_SUM_BYTES || kv_sum(table, key, (Str){ value.bytes, bytes }) != u64_at(value.bytes + bytes))
        return err_set(walk->err, ERR_DAMAGED, "%s: table %.*s: a row has not the checksum of what was written",
                       walk->path, STR_FORMAT(table));
    if (str_equal(table, STR(KV_OWN_TABLE)) && str_equal(key, STR(KV_OWN_KEY)) && bytes == 8)
        walk->own_txn = u64_at(value.bytes);
    return OK;
}

/* ---- The whole ---- */

static bool read_meta(const char *page, uint64_t number, size_t page_bytes, struct meta *ret)
{
    const char *at = page + HEAD;
    *ret = (struct meta){ read_record(at + 24), read_record(at + 24 + RECORD_BYTES), u64_at(at + 8), u64_at(at + 120),
                          u64_at(at + 128) };
    return u64_at(page) == number && u16_at(page + 10) == META && u32_at(at) == MAGIC
        && u32_at(at + 4) == 1 && ret->address == 0 && ret->free.pad == page_bytes && ret->last >= 1;
}

/* The two metas are written in turn: they are one transaction apart, and the newer one lies where its number says. */
static Status read_metas(struct walk *walk)
{
    char first[HEAD + META_BYTES], second[HEAD + META_BYTES];
    size_t got = 0;
    Status s = walk->disk->read(walk->disk, walk->file, 0, first, sizeof first, &got, walk->err);
    if (s) return err_wrap(walk->err, s, "%s", walk->path);
    walk->page_bytes = got == sizeof first ? u32_at(first + HEAD + 24) : 0;
    if (walk->page_bytes < PAGE_LEAST || walk->page_bytes > PAGE_MOST || walk->page_bytes & (walk->page_bytes - 1))
        return damaged(walk, 0, "it is no head of a store");
    s = read_bytes(walk, 1, second, sizeof second);
    struct meta metas[2];
    if (s) return s;
    for (size_t at = 0; at < 2; at++)
        if (!read_meta(at ? second : first, at, walk->page_bytes, &metas[at]))
            return damaged(walk, at, "it is no head of a store");
    uint64_t a = metas[0].txn, b = metas[1].txn;
    if ((a || b) && (a % 2 != 0 || b % 2 != 1 || (a > b ? a - b : b - a) != 1))
        return damaged(walk, 0, "its two heads are not of two transactions in a row");
    walk->meta = metas[b > a];
    if (walk->meta.last > (uint64_t)1 << 40) return damaged(walk, b > a, "it has an impossible size");
    return OK;
}

static bool has_table(const struct walk *walk, const char *name)
{
    for (size_t at = 0; at < walk->table_count; at++)
        if (strcmp(walk->tables[at].name, name) == 0) return true;
    return false;
}

static Status check_tables(struct walk *walk, const char *const *tables, size_t table_count)
{
    walk->told.has_sums = has_table(walk, KV_OWN_TABLE);
    for (size_t at = 0; at < walk->table_count; at++) {
        bool is_known = strcmp(walk->tables[at].name, KV_OWN_TABLE) == 0;
        for (size_t one = 0; one < table_count && !is_known; one++)
            is_known = strcmp(walk->tables[at].name, tables[one]) == 0;
        if (!is_known)
            return err_set(walk->err, ERR_DAMAGED, "%s: a table of no known name", walk->path);
    }
    for (size_t one = 0; one < table_count && walk->table_count; one++)
        if (!has_table(walk, tables[one]))
            return err_set(walk->err, ERR_DAMAGED, "%s: the table %s is missing", walk->path, tables[one]);
    return OK;
}

static Status walk_all(struct walk *walk, const char *const *tables, size_t table_count)
{
    struct tree free_tree = { &walk->meta.free, STR("of free pages"), true, false, take_free, 0, 0, 0, 0 };
    struct tree main_tree = { &walk->meta.main, STR("of tables"), false, true, take_table, 0, 0, 0, 0 };
    Status s = walk_tree(walk, &main_tree);
    if (!s) s = check_tables(walk, tables, table_count);
    for (size_t at = 0; !s && at < walk->table_count; at++) {
        struct tree tree = { &walk->tables[at].record, str_from(walk->tables[at].name), false, false, take_row,
                             0, 0, 0, 0 };
        s = walk_tree(walk, &tree);
    }
    if (!s) s = walk_tree(walk, &free_tree);
    if (!s && walk->meta.last != 1 + walk->seen_count)
        s = err_set(walk->err, ERR_DAMAGED, "%s: pages are neither in use nor free", walk->path);
    if (!s && walk->told.has_sums && walk->own_txn != walk->meta.txn)
        s = err_set(walk->err, ERR_DAMAGED, "%s: its head is not of its last transaction", walk->path);
    walk->told.is_empty = walk->table_count == 0;
    return s;
}

static Status check_file(struct walk *walk, const char *const *tables, size_t table_count)
{
    Status s = walk->disk->size(walk->disk, walk->file, &walk->file_bytes, walk->err);
    if (s || walk->file_bytes == 0) {
        walk->told.is_empty = true;
        return s;
    }
    s = read_metas(walk);
    if (s) return s;
    /* Nothing may name a page after the last one; the file may be shorter if its last pages are free. */
    if (walk->meta.last / 16 > walk->file_bytes / walk->page_bytes + (1 << 20))
        return damaged(walk, walk->meta.last, "after the end of the file");
    walk->seen = calloc(walk->meta.last / 8 + 1, 1);
    walk->pages = malloc(DEPTH_MOST * walk->page_bytes);
    if (!walk->seen || !walk->pages) return err_set(walk->err, ERR_TOO_LARGE, "%s: no memory", walk->path);
    return walk_all(walk, tables, table_count);
}

Status kv_pages_check(struct disk *disk, const char *path, const char *const *tables, size_t table_count,
                      KvPages *ret, Err *err)
{
    struct walk walk = { .disk = disk, .path = path, .err = err };
    *ret = (KvPages){ 0 };
    Status s = disk->open(disk, path, DISK_READ, &walk.file, err);
    if (s) return s;
    buf_init(&walk.value, (size_t)KV_VALUE_BYTES + 4096);
    s = check_file(&walk, tables, table_count);
    disk->close(disk, walk.file);
    buf_done(&walk.value);
    free(walk.seen);
    free(walk.pages);
    *ret = walk.told;
    return s;
}
