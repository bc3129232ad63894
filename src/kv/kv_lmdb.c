/* kv over LMDB: a B-tree whose writer copies pages and swings one root, so that readers never wait and a crash
 * finds the old root or the new one.
 *
 * The map is one large reservation of addresses made once (a file grows only as it is written), so it never has
 * to be grown under readers. NOMETASYNC: a commit syncs its pages, and the root with the next commit or kv_sync,
 * which is what "a crash may undo the last transaction" costs and saves. Read transactions are not tied to
 * threads (NOTLS), since a request may be answered by another thread than the one that began it.
 *
 * LMDB overwrites nothing that it frees: what was removed stands in free pages, and in the gaps of others, until
 * they are used again. kv_rewrite is for those who need it gone: all rows go into a new file, which takes the place
 * of the old one while no transaction is open.
 */
#include "kv.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "os/os.h"

enum { REWRITE_COMMIT_BYTES = 64 * 1024 * 1024 };

struct kv {
    MDB_env *env;                           /* NULL: it could not be opened again after a rewrite */
    MDB_dbi tables[KV_TABLES_MAX];
    const char *names[KV_TABLES_MAX];
    size_t table_count;
    uint64_t max_bytes;
    unsigned flags;
    char dir[4096];
    pthread_mutex_t lock;                   /* of what follows, and of env while it is swapped */
    pthread_cond_t closed;
    unsigned open_count;                    /* transactions */
};

struct kv_txn {
    struct kv *kv;
    MDB_txn *txn;
};

struct kv_cursor {
    MDB_cursor *cursor;
};

#ifdef __SANITIZE_THREAD__      /* its shadow leaves few holes of a tebibyte: every third start found none */
static const uint64_t max_bytes_default = UINT64_C(1) << 36;
#else
static const uint64_t max_bytes_default = UINT64_C(1) << 40;
#endif

static Status fail(const char *dir, int rc, const char *what, Err *err)
{
    switch (rc) {
    case MDB_NOTFOUND: return ERR_NOT_FOUND;
    case MDB_MAP_FULL: return err_set(err, ERR_FULL, "%s: %s: the store is as large as it may be", dir, what);
    case MDB_CORRUPTED: case MDB_PAGE_NOTFOUND: case MDB_INVALID: case MDB_VERSION_MISMATCH:
        return err_set(err, ERR_DAMAGED, "%s: %s: %s; remove it, onym rebuild makes it again", dir, what,
                       mdb_strerror(rc));
    case MDB_PANIC: return err_set(err, ERR_CLOSED, "%s: %s: an earlier write failed; open it again", dir, what);
    case MDB_READERS_FULL: return err_set(err, ERR_RATE, "%s: %s: %d readers at once", dir, what, KV_READERS);
    default: break;
    }
    if (rc > 0) return err_set_errno(err, rc, "%s: %s", dir, what);
    return err_set(err, ERR_IO, "%s: %s: %s", dir, what, mdb_strerror(rc));
}

static MDB_val val_of(Str s) { return (MDB_val){ s.len, (void *)(uintptr_t)s.bytes }; }
static Str str_of_val(MDB_val value) { return (Str){ value.mv_data, value.mv_size }; }

/* ---- Opening ---- */

static int open_tables(struct kv *kv, MDB_env *env, MDB_dbi *tables)
{
    bool is_read_only = kv->flags & MDB_RDONLY;
    MDB_txn *txn;
    int rc = mdb_txn_begin(env, NULL, is_read_only ? MDB_RDONLY : 0, &txn);
    if (rc) return rc;
    for (size_t i = 0; !rc && i < kv->table_count; i++)
        rc = mdb_dbi_open(txn, kv->names[i], is_read_only ? 0 : MDB_CREATE, &tables[i]);
    if (!rc) return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

static int open_env(struct kv *kv, const char *dir, unsigned flags, MDB_env **ret, MDB_dbi *tables)
{
    MDB_env *env = NULL;
    int dead, rc = mdb_env_create(&env);
    if (!rc) rc = mdb_env_set_maxdbs(env, KV_TABLES_MAX);
    if (!rc) rc = mdb_env_set_maxreaders(env, KV_READERS);
    if (!rc) rc = mdb_env_set_mapsize(env, kv->max_bytes);
    if (!rc) rc = mdb_env_open(env, dir, flags, 0600);
    if (!rc) rc = mdb_reader_check(env, &dead);              /* a killed process leaves its readers behind */
    if (!rc) rc = open_tables(kv, env, tables);
    if (rc && env) mdb_env_close(env);
    if (!rc) *ret = env;
    return rc;
}

static void rewrite_path(const struct kv *kv, const char *file, char path[4096 + 32])
{
    snprintf(path, 4096 + 32, "%s/rewrite%s%s", kv->dir, *file ? "/" : "", file);
}

/* What a crash in a rewrite left. */
static void remove_rewrite(const struct kv *kv)
{
    static const char *const files[] = { "data.mdb", "lock.mdb" };
    char path[4096 + 32];
    for (size_t i = 0; i < countof(files); i++) {
        rewrite_path(kv, files[i], path);
        (void)unlink(path);
    }
    rewrite_path(kv, "", path);
    (void)rmdir(path);
}

Status kv_open(const KvOptions *options, struct kv **ret, Err *err)
{
    check(options->table_count <= KV_TABLES_MAX);
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD;
    if (!options->is_synced) flags |= MDB_NOMETASYNC;
    if (options->is_read_only) flags |= MDB_RDONLY;
    else if (mkdir(options->dir, 0700) && errno != EEXIST) return err_set_errno(err, errno, "%s", options->dir);
    struct kv *kv = calloc(1, sizeof *kv);
    pthread_condattr_t monotonic;
    check(kv && pthread_mutex_init(&kv->lock, NULL) == 0 && pthread_condattr_init(&monotonic) == 0);
    check(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    check(pthread_cond_init(&kv->closed, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
    snprintf(kv->dir, sizeof kv->dir, "%s", options->dir);
    kv->flags = flags;
    kv->max_bytes = options->max_bytes ? options->max_bytes : max_bytes_default;
    kv->table_count = options->table_count;
    for (size_t i = 0; i < options->table_count; i++) kv->names[i] = options->tables[i];
    if (!options->is_read_only) remove_rewrite(kv);
    int rc = open_env(kv, kv->dir, flags, &kv->env, kv->tables);
    if (rc) {
        Status s = rc == ENOENT || rc == MDB_NOTFOUND ? err_set(err, ERR_NOT_FOUND, "%s: there is no store", kv->dir)
                                                      : fail(kv->dir, rc, "opening", err);
        kv_close(kv);
        return s;
    }
    *ret = kv;
    return OK;
}

void kv_close(struct kv *kv)
{
    if (!kv) return;
    if (kv->env) mdb_env_close(kv->env);
    pthread_cond_destroy(&kv->closed);
    pthread_mutex_destroy(&kv->lock);
    free(kv);
}

Status kv_destroy(const char *dir, Err *err)
{
    static const char *const files[] = { "rewrite/data.mdb", "rewrite/lock.mdb", "data.mdb", "lock.mdb" };
    for (size_t i = 0; i < countof(files); i++) {
        char path[4096 + 32];
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        if (unlink(path) && errno != ENOENT) return err_set_errno(err, errno, "%s", path);
    }
    return OK;
}

/* ---- Transactions ---- */

static void end_one(struct kv *kv)
{
    pthread_mutex_lock(&kv->lock);
    if (--kv->open_count == 0) pthread_cond_signal(&kv->closed);
    pthread_mutex_unlock(&kv->lock);
}

static Status begin(struct kv *kv, unsigned flags, struct kv_txn **ret, Err *err)
{
    struct kv_txn *txn = malloc(sizeof *txn);
    check(txn);
    txn->kv = kv;
    pthread_mutex_lock(&kv->lock);
    kv->open_count++;
    MDB_env *env = kv->env;
    pthread_mutex_unlock(&kv->lock);
    int rc = env ? mdb_txn_begin(env, NULL, flags, &txn->txn) : MDB_PANIC;
    if (rc) {
        free(txn);
        end_one(kv);
        return fail(kv->dir, rc, "beginning", err);
    }
    *ret = txn;
    return OK;
}

Status kv_begin_write(struct kv *kv, struct kv_txn **ret, Err *err) { return begin(kv, 0, ret, err); }
Status kv_begin_read(struct kv *kv, struct kv_txn **ret, Err *err) { return begin(kv, MDB_RDONLY, ret, err); }

Status kv_commit(struct kv_txn *txn, Err *err)
{
    struct kv *kv = txn->kv;
    int rc = mdb_txn_commit(txn->txn);
    free(txn);
    end_one(kv);
    return rc ? fail(kv->dir, rc, "committing", err) : OK;
}

void kv_abort(struct kv_txn *txn)
{
    if (!txn) return;
    struct kv *kv = txn->kv;
    mdb_txn_abort(txn->txn);
    free(txn);
    end_one(kv);
}

void kv_end_read(struct kv_txn *txn) { kv_abort(txn); }

Status kv_sync(struct kv *kv, Err *err)
{
    int rc = mdb_env_sync(kv->env, 1);
    return rc ? fail(kv->dir, rc, "syncing", err) : OK;
}

/* ---- Rewriting ---- */

/* Of one table, from the row that the cursor stands at: in order, as long as the transaction is not too large. */
static int copy_rows(MDB_cursor *from, MDB_txn *to, MDB_dbi table, bool *ret_more)
{
    MDB_val key, value;
    size_t bytes = 0;
    int rc = mdb_cursor_get(from, &key, &value, *ret_more ? MDB_NEXT : MDB_FIRST);
    while (!rc && (rc = mdb_put(to, table, &key, &value, MDB_APPEND)) == 0) {
        *ret_more = true;
        bytes += key.mv_size + value.mv_size;
        if (bytes >= REWRITE_COMMIT_BYTES) return 0;
        rc = mdb_cursor_get(from, &key, &value, MDB_NEXT);
    }
    if (rc == MDB_NOTFOUND) *ret_more = false;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int copy_table(MDB_txn *from, MDB_dbi from_table, MDB_env *to, MDB_dbi to_table)
{
    MDB_cursor *cursor;
    bool more = false;
    int rc = mdb_cursor_open(from, from_table, &cursor);
    if (rc) return rc;
    do {
        MDB_txn *txn;
        if ((rc = mdb_txn_begin(to, NULL, 0, &txn))) break;
        rc = copy_rows(cursor, txn, to_table, &more);
        if (rc) mdb_txn_abort(txn);
        else rc = mdb_txn_commit(txn);
    } while (!rc && more);
    mdb_cursor_close(cursor);
    return rc;
}

static int copy_all(struct kv *kv)
{
    char dir[4096 + 32];
    MDB_dbi tables[KV_TABLES_MAX];
    MDB_env *env;
    MDB_txn *txn;
    rewrite_path(kv, "", dir);
    remove_rewrite(kv);
    if (mkdir(dir, 0700)) return errno;
    int rc = open_env(kv, dir, MDB_NOTLS | MDB_NOSYNC, &env, tables);
    if (rc) return rc;
    rc = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn);
    for (size_t i = 0; !rc && i < kv->table_count; i++) rc = copy_table(txn, kv->tables[i], env, tables[i]);
    if (txn) mdb_txn_abort(txn);
    if (!rc) rc = mdb_env_sync(env, 1);
    mdb_env_close(env);
    return rc;
}

/* Under the lock, and no transaction is open. */
static Status swap(struct kv *kv, Err *err)
{
    struct disk *disk = os_disk();
    char from[4096 + 32], to[4096 + 32];
    rewrite_path(kv, "data.mdb", from);
    snprintf(to, sizeof to, "%s/data.mdb", kv->dir);
    mdb_env_close(kv->env);
    kv->env = NULL;
    Status s = disk->rename(disk, from, to, err);
    if (!s) s = disk->sync_dir(disk, kv->dir, err);
    int rc = open_env(kv, kv->dir, kv->flags, &kv->env, kv->tables);
    return s || !rc ? s : fail(kv->dir, rc, "opening again", err);
}

Status kv_rewrite(struct kv *kv, uint32_t timeout_ms, Err *err)
{
    int64_t until_ns = clock_monotonic_ns(os_clock()) + timeout_ms * INT64_C(1000000);
    struct timespec until = { until_ns / 1000000000, until_ns % 1000000000 };
    int rc = copy_all(kv), waited = 0;
    Status s = rc ? fail(kv->dir, rc, "rewriting", err) : OK;
    pthread_mutex_lock(&kv->lock);
    while (!s && kv->open_count && !waited) waited = pthread_cond_timedwait(&kv->closed, &kv->lock, &until);
    if (!s && kv->open_count) s = err_set(err, ERR_TIMEOUT, "%s: rewriting: somebody reads for long", kv->dir);
    if (!s) s = swap(kv, err);
    pthread_mutex_unlock(&kv->lock);
    remove_rewrite(kv);
    return s;
}

/* ---- One key ---- */

static MDB_dbi table_of(const struct kv_txn *txn, size_t table)
{
    check(table < txn->kv->table_count);
    return txn->kv->tables[table];
}

Status kv_get(struct kv_txn *txn, size_t table, Str key, Str *ret, Err *err)
{
    MDB_val k = val_of(key), v;
    int rc = mdb_get(txn->txn, table_of(txn, table), &k, &v);
    if (rc) return fail(txn->kv->dir, rc, "reading", err);
    *ret = str_of_val(v);
    return OK;
}

static Status check_sizes(const struct kv_txn *txn, Str key, size_t bytes, Err *err)
{
    check(key.len > 0);
    if (key.len <= KV_KEY_BYTES && bytes <= KV_VALUE_BYTES) return OK;
    return err_set(err, ERR_TOO_LARGE, "%s: a key of %zu bytes or a value of %zu is over the limit", txn->kv->dir,
                   key.len, bytes);
}

Status kv_put(struct kv_txn *txn, size_t table, Str key, Str value, Err *err)
{
    Status s = check_sizes(txn, key, value.len, err);
    if (s) return s;
    MDB_val k = val_of(key), v = val_of(value);
    int rc = mdb_put(txn->txn, table_of(txn, table), &k, &v, 0);
    return rc ? fail(txn->kv->dir, rc, "writing", err) : OK;
}

Status kv_reserve(struct kv_txn *txn, size_t table, Str key, size_t bytes, void **ret, Err *err)
{
    Status s = check_sizes(txn, key, bytes, err);
    if (s) return s;
    MDB_val k = val_of(key), v = { bytes, NULL };
    int rc = mdb_put(txn->txn, table_of(txn, table), &k, &v, MDB_RESERVE);
    if (rc) return fail(txn->kv->dir, rc, "writing", err);
    *ret = v.mv_data;
    return OK;
}

Status kv_remove(struct kv_txn *txn, size_t table, Str key, Err *err)
{
    MDB_val k = val_of(key);
    int rc = mdb_del(txn->txn, table_of(txn, table), &k, NULL);
    return rc && rc != MDB_NOTFOUND ? fail(txn->kv->dir, rc, "removing", err) : OK;
}

Status kv_clear(struct kv_txn *txn, size_t table, Err *err)
{
    int rc = mdb_drop(txn->txn, table_of(txn, table), 0);
    return rc ? fail(txn->kv->dir, rc, "clearing", err) : OK;
}

/* ---- Ranges ---- */

Status kv_cursor_open(struct kv_txn *txn, size_t table, struct kv_cursor **ret, Err *err)
{
    struct kv_cursor *cursor = malloc(sizeof *cursor);
    check(cursor);
    int rc = mdb_cursor_open(txn->txn, table_of(txn, table), &cursor->cursor);
    if (rc) {
        free(cursor);
        return fail(txn->kv->dir, rc, "reading", err);
    }
    *ret = cursor;
    return OK;
}

void kv_cursor_close(struct kv_cursor *cursor)
{
    if (!cursor) return;
    mdb_cursor_close(cursor->cursor);
    free(cursor);
}

static Status move_cursor(struct kv_cursor *cursor, MDB_val key, MDB_cursor_op op, Str *ret_key, Str *ret_value,
                          Err *err)
{
    MDB_val value;
    int rc = mdb_cursor_get(cursor->cursor, &key, &value, op);
    if (rc) return fail("kv", rc, "reading", err);
    *ret_key = str_of_val(key);
    *ret_value = str_of_val(value);
    return OK;
}

Status kv_find(struct kv_cursor *cursor, Str key, Str *ret_key, Str *ret_value, Err *err)
{
    return move_cursor(cursor, val_of(key), key.len ? MDB_SET_RANGE : MDB_FIRST, ret_key, ret_value, err);
}

Status kv_find_last(struct kv_cursor *cursor, Str key, Str *ret_key, Str *ret_value, Err *err)
{
    Status s = kv_find(cursor, key, ret_key, ret_value, err);
    if (s == ERR_NOT_FOUND) return move_cursor(cursor, (MDB_val){ 0 }, MDB_LAST, ret_key, ret_value, err);
    if (s || str_equal(*ret_key, key)) return s;
    return kv_previous(cursor, ret_key, ret_value, err);
}

Status kv_next(struct kv_cursor *cursor, Str *ret_key, Str *ret_value, Err *err)
{
    return move_cursor(cursor, (MDB_val){ 0 }, MDB_NEXT, ret_key, ret_value, err);
}

Status kv_previous(struct kv_cursor *cursor, Str *ret_key, Str *ret_value, Err *err)
{
    return move_cursor(cursor, (MDB_val){ 0 }, MDB_PREV, ret_key, ret_value, err);
}

/* ---- Numbers ---- */

Status kv_read_stats(struct kv *kv, KvStats *ret, Err *err)
{
    struct kv_txn *txn = NULL;
    MDB_envinfo info;
    MDB_stat stat;
    Status s = kv_begin_read(kv, &txn, err);
    if (s) return s;
    *ret = (KvStats){ 0 };
    int rc = mdb_env_info(kv->env, &info);
    if (!rc) rc = mdb_env_stat(kv->env, &stat);
    for (size_t i = 0; !rc && i < kv->table_count; i++) {
        MDB_stat table;
        rc = mdb_stat(txn->txn, kv->tables[i], &table);
        if (rc) break;
        ret->rows[i] = table.ms_entries;
        ret->used_bytes += (table.ms_branch_pages + table.ms_leaf_pages + table.ms_overflow_pages) * table.ms_psize;
    }
    kv_end_read(txn);
    if (rc) return fail(kv->dir, rc, "reading", err);
    ret->file_bytes = (info.me_last_pgno + 1) * stat.ms_psize;
    ret->readers = info.me_numreaders;
    return OK;
}
