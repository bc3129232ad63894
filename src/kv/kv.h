/* kv: derived state that is looked up by key. It wraps LMDB; no other folder includes lmdb.h.
 *
 * What it is not: it is not the truth. What derive/ keeps in it can be made again from the journal, so a store that is
 * damaged is thrown away, not repaired. It gives keys and values no meaning; keys are compared bytewise, so
 * numbers in keys are written big-endian (kv_key_u32, kv_key_u64).
 *
 * Invariants
 *  1. A transaction is there as a whole or not at all, after any crash. The caller puts the journal position
 *     that it has reached into the same transaction as its data.
 *  2. A committed transaction is on disk only after kv_sync (or, with is_synced, at once). A crash may undo the
 *     last committed transactions, but never leaves half of one: so journal retention may only pass positions that were
 *     synced.
 *  3. A reader sees one instant for its whole life, never waits, and delays no writer. Space that it still sees
 *     cannot be reused: readers live for a request, not for a session.
 *  4. A value that is read is the one that was written under its key: each has a checksum. The whole file is
 *     judged before it is opened, and if it is cut while it is open that is ERR_DAMAGED, like all damage.
 *
 * Threads: one write transaction at a time, used by one thread; further ones wait. Any number of readers
 * (at most KV_READERS), each used by one thread at a time. One process opens a directory for writing.
 */
#ifndef ONYM_KV_KV_H
#define ONYM_KV_KV_H

#include "base/base.h"

enum {
    KV_TABLES_MAX = 16,
    KV_KEY_BYTES = 511,                 /* the longest key; the shortest has one byte */
    KV_VALUE_BYTES = 1 << 28,           /* the longest value */
    KV_READERS = 1022,
};

struct kv;
struct kv_txn;
struct kv_cursor;

/* A file that names the store, so that an older copy or another's store in its place is noticed (kv_life.c). */
typedef struct KvLife {
    const char *path;
    bool is_part;                       /* it is copied together with the store: a store without it is damaged */
} KvLife;

typedef struct KvOptions {
    const char *dir;                    /* made if it does not exist */
    const char *const *tables;          /* their names in the file; a table's number is its place here */
    size_t table_count;                 /* at most KV_TABLES_MAX */
    uint64_t max_bytes;                 /* address space, not disk: 0 = 1 TiB; it never grows: ERR_FULL beyond it */
    bool is_synced;                     /* every commit waits for the disk */
    bool is_read_only;
    const KvLife *lives;                /* read and written when it is opened for writing */
    size_t life_count;
} KvOptions;

/* ERR_DAMAGED: throw the directory away and rebuild. ERR_CONFLICT: it is whole, but not the store that options->lives
 * name. ERR_NOT_FOUND: read-only, and there is none. Reads the whole file, at some hundred megabytes a second at the
 * least; a file of a version before checksums gets them. */
Status MUST kv_open(const KvOptions *options, struct kv **ret, Err *err);
void kv_close(struct kv *kv);                            /* accepts NULL; all transactions have ended */
/* Judges the file of a store that nobody has open, like kv_open. */
Status MUST kv_check(const char *dir, const char *const *tables, size_t table_count, uint64_t *ret_rows, Err *err);
/* The damage that was found while it was open, in words; NULL: none. Any thread. */
const char *kv_damage(struct kv *kv);
/* Says that the disk did not take a commit or a sync of any store of this process, and which; NULL: it took all.
 * After that nobody knows what is on the disk, and a second try that succeeds would prove nothing: so the store takes
 * no more writing transactions (ERR_CLOSED), and the process must end. The next kv_open judges what the disk holds. A
 * full disk does not count. Any thread. */
const char *kv_failure(void);
/* Removes a store that nobody has open, so that the next kv_open makes an empty one. OK if there is none. */
Status MUST kv_destroy(const char *dir, Err *err);

/* ---- Transactions ---- */

Status MUST kv_begin_write(struct kv *kv, struct kv_txn **ret, Err *err);
/* Ends the transaction, whatever it answers. ERR_FULL: nothing was changed; it works again when there is room. */
Status MUST kv_commit(struct kv_txn *txn, Err *err);
void kv_abort(struct kv_txn *txn);                       /* accepts NULL */
Status MUST kv_begin_read(struct kv *kv, struct kv_txn **ret, Err *err);
void kv_end_read(struct kv_txn *txn);                    /* accepts NULL */
/* Makes all that was committed durable. */
Status MUST kv_sync(struct kv *kv, Err *err);

/* Leaves nothing in the file of what was ever removed: copies all rows into a new file, syncs it, and puts it in
 * the old one's place. The writer calls it, between its transactions; readers go on meanwhile, and must begin again
 * afterwards. Takes as long as writing the whole store. ERR_TIMEOUT: readers did not end within about
 * timeout_ms; nothing was changed. ERR_FULL: nothing was changed; it works again when there is room. */
Status MUST kv_rewrite(struct kv *kv, uint32_t timeout_ms, Err *err);

/* ---- One key ---- */

/* *ret borrows from the store: until the transaction ends or, in a writing transaction, until the next put or remove.
 * */
Status MUST kv_get(struct kv_txn *txn, size_t table, Str key, Str *ret, Err *err);      /* ERR_NOT_FOUND */
Status MUST kv_put(struct kv_txn *txn, size_t table, Str key, Str value, Err *err);
/* Room for a value, to be filled before the next call on the transaction. */
Status MUST kv_reserve(struct kv_txn *txn, size_t table, Str key, size_t bytes, void **ret, Err *err);
Status MUST kv_remove(struct kv_txn *txn, size_t table, Str key, Err *err);             /* absent is OK */
Status MUST kv_clear(struct kv_txn *txn, size_t table, Err *err);                       /* every row of the table */

/* ---- Ranges ---- */

/* A cursor lives no longer than its transaction. Key and value borrow like kv_get's. */
Status MUST kv_cursor_open(struct kv_txn *txn, size_t table, struct kv_cursor **ret, Err *err);
void kv_cursor_close(struct kv_cursor *cursor);          /* accepts NULL; before its transaction ends */
/* ERR_NOT_FOUND: there is no such row; then the cursor has no place until the next find. */
Status MUST kv_find(struct kv_cursor *cursor, Str key, Str *ret_key, Str *ret_value, Err *err);     /* first >= key */
Status MUST kv_find_last(struct kv_cursor *cursor, Str key, Str *ret_key, Str *ret_value, Err *err); /* last <= key */
Status MUST kv_next(struct kv_cursor *cursor, Str *ret_key, Str *ret_value, Err *err);
Status MUST kv_previous(struct kv_cursor *cursor, Str *ret_key, Str *ret_value, Err *err);

/* ---- Keys and numbers ---- */

static inline void kv_key_u32(char *at, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(at, &value, sizeof value);
}
static inline void kv_key_u64(char *at, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(at, &value, sizeof value);
}
static inline uint32_t kv_read_u32(const char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}
static inline uint64_t kv_read_u64(const char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return __builtin_bswap64(value);
}

typedef struct KvStats {
    uint64_t rows[KV_TABLES_MAX], file_bytes, used_bytes;
    uint32_t readers;
} KvStats;
Status MUST kv_read_stats(struct kv *kv, KvStats *ret, Err *err);

#endif
