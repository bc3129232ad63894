/* kv over LMDB: a B-tree whose writer copies pages and then changes one root, so that readers never wait, and after a
 * crash either the old root or the new one is there.
 *
 * The map is one large reservation of addresses made once (a file grows only as it is written), so it need never
 * grow under readers. NOMETASYNC: a commit syncs its pages, and the root is synced with the next commit or kv_sync:
 * so a crash may undo the last transaction, and a commit costs less. Read transactions are not tied to
 * threads (NOTLS), since a request may be answered by another thread than the one that began it.
 *
 * LMDB does not overwrite what it frees: removed rows are still in free pages, and in the gaps of others, until
 * those are used again. kv_rewrite removes them: it copies all rows into a new file, which takes the place
 * of the old one while no transaction is open.
 *
 * LMDB has no checksums, and trusts its pages. So the file is judged before it is opened (kv_pages.c); after each
 * value comes a checksum, which is compared at each reading; each transaction leaves its number in a row of our own, so
 * that an older head is not taken for the newest; and the map is guarded (os_guard.c), so that cutting the file
 * while it is open is an error, and does not end the process. LMDB's failed assertions, which would abort, return to us
 * (TRY).
 */
#include "kv_life.h"
#include "kv_pages.h"
#include "kv_try.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { REWRITE_COMMIT_BYTES = 64 * 1024 * 1024 };

struct kv {
    MDB_env *env;                           /* NULL: it could not be opened again after a rewrite */
    const void *map;                        /* of env */
    MDB_dbi tables[KV_TABLES_MAX], own;     /* own: KV_OWN_TABLE, of every file but those before checksums */
    const char *names[KV_TABLES_MAX];
    size_t table_count;
    bool has_sums;
    uint64_t life;                          /* KV_LIFE_KEY; 0: none */
    uint64_t max_bytes;
    unsigned flags;
    char dir[4096];
    pthread_mutex_t lock;                   /* over what follows, and over env while it is replaced */
    pthread_cond_t closed;
    unsigned open_count;                    /* transactions */
    _Atomic bool is_failed;                 /* the disk did not take a commit */
    _Atomic bool is_damaged;
    char damage[ERR_TEXT_BYTES];            /* written once, before is_damaged */
};

struct kv_txn {
    struct kv *kv;
    MDB_txn *txn;
    bool is_dirty;
    char *reserved;                         /* a value that is being filled, and still needs its checksum */
    size_t reserved_bytes, reserved_table, reserved_key_bytes;
    char reserved_key[KV_KEY_BYTES];
};

struct kv_cursor {
    struct kv_txn *txn;
    size_t table;
    MDB_cursor *cursor;
};

#ifdef __SANITIZE_THREAD__      /* its shadow leaves few holes of a tebibyte: every third start found none */
static const uint64_t max_bytes_default = UINT64_C(1) << 36;
#else
static const uint64_t max_bytes_default = UINT64_C(1) << 40;
#endif

/* Notes the first damage that is found, for whoever can make the store again. */
static Status damaged(struct kv *kv, Err *err, const char *what)
{
    if (kv->map && guard_was_cut(kv->map)) what = "the file was cut while it was in use";
    pthread_mutex_lock(&kv->lock);
    if (!kv->is_damaged) snprintf(kv->damage, sizeof kv->damage, "%s/data.mdb: %s", kv->dir, what);
    kv->is_damaged = true;
    pthread_mutex_unlock(&kv->lock);
    return err_set(err, ERR_DAMAGED, "%s/data.mdb: %s", kv->dir, what);
}

const char *kv_damage(struct kv *kv)
{
    if (kv->is_damaged || !kv->map || !guard_was_cut(kv->map)) return kv->is_damaged ? kv->damage : NULL;
    (void)damaged(kv, NULL, "");
    return kv->damage;
}

/* The first failure of the process: written once, before has_failure. */
static pthread_mutex_t failure_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool has_failure;
static char failure[ERR_TEXT_BYTES];

const char *kv_failure(void) { return has_failure ? failure : NULL; }

static bool heals_by_itself(int rc)
{
    return rc == ENOSPC || rc == EDQUOT || rc == ENOMEM || rc == EINTR || rc == EAGAIN;
}

/* Notes that a commit or a sync failed: nobody knows now what is on the disk. LMDB's own error numbers are below
 * zero. */
static void note_failure(struct kv *kv, int rc)
{
    if (rc != MDB_PANIC && (rc <= 0 || heals_by_itself(rc))) return;
    pthread_mutex_lock(&failure_lock);
    if (!has_failure)
        snprintf(failure, sizeof failure, "%s/data.mdb: the disk did not take a commit: %s", kv->dir, mdb_strerror(rc));
    has_failure = true;
    pthread_mutex_unlock(&failure_lock);
    kv->is_failed = true;
}

static Status fail(struct kv *kv, int rc, const char *what, Err *err)
{
    const char *dir = kv->dir;
    switch (rc) {
    case MDB_NOTFOUND: return ERR_NOT_FOUND;
    case MDB_MAP_FULL: return err_set(err, ERR_FULL, "%s: %s: the store is as large as it may be", dir, what);
    case MDB_CORRUPTED: case MDB_PAGE_NOTFOUND: case MDB_INVALID: case MDB_VERSION_MISMATCH: case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL: case MDB_BAD_TXN: case EISDIR: case ENOTDIR: case ENODEV: case ENXIO: case ENOENT:
        return damaged(kv, err, mdb_strerror(rc));
    case MDB_PANIC: return err_set(err, ERR_CLOSED, "%s: %s: an earlier commit failed; start again", dir, what);
    case MDB_READERS_FULL: return err_set(err, ERR_RATE, "%s: %s: %d readers at once", dir, what, KV_READERS);
    default: break;
    }
    if (rc > 0) return err_set_errno(err, rc, "%s: %s", dir, what);
    return err_set(err, ERR_IO, "%s: %s: %s", dir, what, mdb_strerror(rc));
}

static MDB_val val_of(Str s) { return (MDB_val){ s.len, (void *)(uintptr_t)s.bytes }; }
static Str str_of_val(MDB_val value) { return (Str){ value.mv_data, value.mv_size }; }

/* ---- Opening ---- */

_Thread_local jmp_buf *kv_escape;

static int put_own(MDB_txn *txn, MDB_dbi own, Str key, uint64_t number)
{
    char value[8 + KV_SUM_BYTES];
    uint64_t sum = kv_sum(STR(KV_OWN_TABLE), key, str_of(&number, sizeof number));
    memcpy(value, &number, sizeof number);
    memcpy(value + 8, &sum, sizeof sum);
    MDB_val k = val_of(key), v = { sizeof value, value };
    return try_put(txn, own, &k, &v, 0);
}

/* Every writing transaction ends with this: it writes its own number into the row that says which was the last. */
static int commit_own(MDB_txn *txn, MDB_dbi own)
{
    int rc = put_own(txn, own, STR(KV_OWN_KEY), mdb_txn_id(txn));
    if (!rc) return try_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

/* makes: create what does not exist in the file yet. */
static int open_tables(struct kv *kv, MDB_env *env, bool makes, MDB_dbi *tables, MDB_dbi *own)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(env, NULL, makes ? 0 : MDB_RDONLY, &txn);
    if (rc) return rc;
    for (size_t i = 0; !rc && i < kv->table_count; i++)
        rc = mdb_dbi_open(txn, kv->names[i], makes ? MDB_CREATE : 0, &tables[i]);
    if (!rc && kv->has_sums) rc = mdb_dbi_open(txn, KV_OWN_TABLE, makes ? MDB_CREATE : 0, own);
    if (!rc) return makes && kv->has_sums ? commit_own(txn, *own) : mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

static void on_assert(MDB_env *env, const char *text)
{
    const struct kv *kv = mdb_env_get_userctx(env);
    if (kv_escape) longjmp(*kv_escape, 1);
    log_write(LOG_ERROR, "a store is damaged in a way that nothing can go on from; the next start says which part",
              LOG_TEXT("file", kv->dir), LOG_TEXT("lmdb", text));
}

struct opened { MDB_env *env; MDB_dbi *tables, *own; };     /* the last two: where the tables' numbers go */

static int open_env(struct kv *kv, const char *dir, unsigned flags, bool makes, struct opened *ret)
{
    MDB_env *env = NULL;
    int dead, rc = mdb_env_create(&env);
    if (!rc) rc = mdb_env_set_maxdbs(env, KV_TABLES_MAX + 1);
    if (!rc) rc = mdb_env_set_maxreaders(env, KV_READERS);
    if (!rc) rc = mdb_env_set_mapsize(env, kv->max_bytes);
    if (!rc) rc = mdb_env_set_userctx(env, kv);
    if (!rc) rc = mdb_env_set_assert(env, on_assert);
    if (!rc) rc = mdb_env_open(env, dir, flags, 0600);
    if (!rc) rc = mdb_reader_check(env, &dead);              /* a killed process leaves its readers in the table */
    if (!rc) rc = open_tables(kv, env, makes, ret->tables, ret->own);
    if (rc && env) mdb_env_close(env);
    if (!rc) ret->env = env;
    return rc;
}

/* Where the file is mapped, which LMDB does not tell: this folder's own table is one page, which begins with the page's
 * number. NULL: not found. */
static const void *find_map(struct kv *kv)
{
    MDB_val k = val_of(STR(KV_OWN_KEY)), v;
    MDB_stat stat;
    MDB_txn *txn;
    uintptr_t map = 0;
    if (!kv->has_sums || mdb_env_stat(kv->env, &stat) || mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn)) return NULL;
    if (mdb_get(txn, kv->own, &k, &v) == 0) {
        const char *page = (const char *)v.mv_data - (uintptr_t)v.mv_data % stat.ms_psize;
        uint64_t number;
        memcpy(&number, page, sizeof number);
        map = (uintptr_t)page - number * stat.ms_psize;
    }
    mdb_txn_abort(txn);
    return map % (uintptr_t)sysconf(_SC_PAGESIZE) ? NULL : (const void *)map;
}

/* The store's own environment, guarded. */
static int open_store(struct kv *kv, bool makes)
{
    MDB_envinfo info;
    struct opened opened = { NULL, kv->tables, &kv->own };
    int rc = open_env(kv, kv->dir, kv->flags, makes, &opened);
    kv->env = opened.env;
    if (rc) return rc;
    (void)mdb_env_info(kv->env, &info);
    kv->map = find_map(kv);
    if (kv->map) guard_add(kv->map, info.me_mapsize);
    return 0;
}

static void close_store(struct kv *kv)
{
    if (!kv->env) return;
    if (kv->map) guard_remove(kv->map);
    mdb_env_close(kv->env);
    kv->env = NULL;
    kv->map = NULL;
}

static void rewrite_path(const struct kv *kv, const char *file, char path[4096 + 32])
{
    snprintf(path, 4096 + 32, "%s/rewrite%s%s", kv->dir, *file ? "/" : "", file);
}

/* Removes what a crash during a rewrite left. */
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

static Status find_pages(const char *dir, const char *const *tables, size_t table_count, KvPages *ret, Err *err)
{
    char path[4096 + 32];
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    return kv_pages_check(os_disk(), path, tables, table_count, ret, err);
}

/* Removes what is in the place of the lock table if it is not a file (a pipe, a socket, a link in a ring): LMDB could
 * not start with it, and the lock table holds nothing that must be kept. */
static Status clear_lock(const struct kv *kv, Err *err)
{
    char path[4096 + 32];
    struct stat about;
    snprintf(path, sizeof path, "%s/lock.mdb", kv->dir);
    if ((stat(path, &about) == 0 && S_ISREG(about.st_mode)) || lstat(path, &about) != 0) return OK;
    if (!(kv->flags & MDB_RDONLY) && unlink(path) == 0) return OK;
    return err_set(err, ERR_DAMAGED, "%s: no file; it may be moved away", path);
}

static Status open_checked(struct kv *kv, bool *ret_is_new, Err *err)
{
    KvPages pages = { .is_empty = true };
    bool is_read_only = kv->flags & MDB_RDONLY;
    Status s = find_pages(kv->dir, kv->names, kv->table_count, &pages, err);
    if (s == ERR_NOT_FOUND && !is_read_only) {
        s = OK;
        pages.is_empty = true;
    }
    if (!s && is_read_only && pages.is_empty) s = ERR_NOT_FOUND;
    if (s == ERR_NOT_FOUND) return err_set(err, s, "%s: there is no store", kv->dir);
    if (!s) s = clear_lock(kv, err);
    if (s) return s;
    kv->has_sums = pages.is_empty || pages.has_sums;
    int rc = open_store(kv, pages.is_empty);
    if (rc == ENOMEM)
        return err_set(err, ERR_IO, "%s: its map of %zu MiB does not fit the address space: raise ulimit -v (LimitAS), "
                       "or set vm.overcommit_memory to 0 or 1; docs/operating.md#memory", kv->dir, kv->max_bytes >> 20);
    if (rc) return fail(kv, rc, "opening", err);
    *ret_is_new = pages.is_empty;
    return kv->has_sums || is_read_only ? OK : kv_rewrite(kv, 0, err);     /* nobody reads it yet */
}

/* ---- Which one it is ---- */

static Status read_life(struct kv *kv, Err *err)
{
    MDB_val k = val_of(STR(KV_LIFE_KEY)), v;
    MDB_txn *txn;
    int rc = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn);
    if (rc) return fail(kv, rc, "opening", err);
    rc = try_get(txn, kv->own, &k, &v);
    if (!rc && v.mv_size == 8 + KV_SUM_BYTES) memcpy(&kv->life, v.mv_data, 8);
    mdb_txn_abort(txn);
    return rc && rc != MDB_NOTFOUND ? fail(kv, rc, "opening", err) : OK;
}

static bool write_life(struct kv *kv, uint64_t life)
{
    MDB_txn *txn;
    if (mdb_txn_begin(kv->env, NULL, 0, &txn)) return false;
    if (put_own(txn, kv->own, STR(KV_LIFE_KEY), life)) return mdb_txn_abort(txn), false;
    int rc = commit_own(txn, kv->own);
    if (!rc) rc = mdb_env_sync(kv->env, 1);
    note_failure(kv, rc);
    return !rc;
}

static Status take_life(struct kv *kv, const KvOptions *options, bool is_new, Err *err)
{
    Status s = read_life(kv, err);
    if (s || options->is_read_only || !options->life_count) return s;
    s = kv_life_judge(options->lives, options->life_count, kv->life, is_new, err);
    if (s == ERR_DAMAGED)
        return err_wrap(err, ERR_CONFLICT, "%s is not the store that was here last, but an older copy or another's",
                        kv->dir);
    if (s) return s;
    uint64_t next = dice_u64(os_dice()) | 1;
    if (!kv_life_begin(options->lives, options->life_count, kv->life, next) || !write_life(kv, next)) return OK;
    kv->life = next;
    kv_life_settle(options->lives, options->life_count, next);
    return OK;
}

Status kv_check(const char *dir, const char *const *tables, size_t table_count, uint64_t *ret_rows, Err *err)
{
    KvPages pages;
    Status s = find_pages(dir, tables, table_count, &pages, err);
    *ret_rows = pages.rows;
    return s;
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
    bool is_new = false;
    Status s = open_checked(kv, &is_new, err);
    if (!s) s = take_life(kv, options, is_new, err);
    if (s) kv_close(kv);
    else *ret = kv;
    return s;
}

void kv_close(struct kv *kv)
{
    if (!kv) return;
    close_store(kv);
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
    txn->is_dirty = false;
    txn->reserved = NULL;
    pthread_mutex_lock(&kv->lock);
    kv->open_count++;
    MDB_env *env = kv->env;
    pthread_mutex_unlock(&kv->lock);
    bool may_begin = env && (flags & MDB_RDONLY || !kv->is_damaged);  /* an earlier writer may have left a lock */
    if (!(flags & MDB_RDONLY) && kv->is_failed) may_begin = false;
    int rc = may_begin ? mdb_txn_begin(env, NULL, flags, &txn->txn) : kv->is_damaged ? MDB_CORRUPTED : MDB_PANIC;
    if (rc) {
        free(txn);
        end_one(kv);
        return fail(kv, rc, "beginning", err);
    }
    *ret = txn;
    return OK;
}

/* The checksum of a value that was reserved, now that it is filled. */
static void seal(struct kv_txn *txn)
{
    if (!txn->reserved) return;
    uint64_t sum = kv_sum(str_from(txn->kv->names[txn->reserved_table]),
                          (Str){ txn->reserved_key, txn->reserved_key_bytes },
                          (Str){ txn->reserved, txn->reserved_bytes });
    memcpy(txn->reserved + txn->reserved_bytes, &sum, sizeof sum);
    txn->reserved = NULL;
}

/* Checks that the file was not cut, before what was read is used. */
static Status refuse_cut(struct kv *kv, Err *err)
{
    return kv->map && guard_was_cut(kv->map) ? damaged(kv, err, "") : OK;
}

Status kv_begin_write(struct kv *kv, struct kv_txn **ret, Err *err) { return begin(kv, 0, ret, err); }
Status kv_begin_read(struct kv *kv, struct kv_txn **ret, Err *err) { return begin(kv, MDB_RDONLY, ret, err); }

Status kv_commit(struct kv_txn *txn, Err *err)
{
    struct kv *kv = txn->kv;
    seal(txn);
    Status s = refuse_cut(kv, err);
    int rc = 0;
    if (s || !txn->is_dirty) mdb_txn_abort(txn->txn);
    else rc = kv->has_sums ? commit_own(txn->txn, kv->own) : try_commit(txn->txn);
    note_failure(kv, rc);
    free(txn);
    end_one(kv);
    return s || !rc ? s : fail(kv, rc, "committing", err);
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
    int rc = kv->is_failed ? MDB_PANIC : mdb_env_sync(kv->env, 1);
    note_failure(kv, rc);
    return rc ? fail(kv, rc, "syncing", err) : OK;
}

/* ---- Rewriting ---- */

/* Copies a row as it is; a row of a version before checksums gets its own. */
static int copy_row(Str table, bool has_sum, MDB_val key, MDB_val value, MDB_txn *to, MDB_dbi to_table)
{
    if (value.mv_size > (size_t)KV_VALUE_BYTES + KV_SUM_BYTES) return MDB_CORRUPTED;
    MDB_val room = { value.mv_size + (has_sum ? 0 : KV_SUM_BYTES), NULL };
    uint64_t sum = has_sum ? 0 : kv_sum(table, str_of_val(key), str_of_val(value));
    int rc = mdb_put(to, to_table, &key, &room, MDB_APPEND | MDB_RESERVE);
    if (rc) return rc;
    memcpy(room.mv_data, value.mv_data, value.mv_size);
    if (!has_sum) memcpy((char *)room.mv_data + value.mv_size, &sum, sizeof sum);
    return 0;
}

/* Copies rows of one table in order, beginning at the cursor, until the transaction becomes too large. */
static int copy_rows(Str name, bool has_sum, MDB_cursor *from, MDB_txn *to, MDB_dbi table, bool *ret_more)
{
    MDB_val key, value;
    size_t bytes = 0;
    int rc = try_move(from, &key, &value, *ret_more ? MDB_NEXT : MDB_FIRST);
    while (!rc && (rc = copy_row(name, has_sum, key, value, to, table)) == 0) {
        *ret_more = true;
        bytes += key.mv_size + value.mv_size;
        if (bytes >= REWRITE_COMMIT_BYTES) return 0;
        rc = try_move(from, &key, &value, MDB_NEXT);
    }
    if (rc == MDB_NOTFOUND) *ret_more = false;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

struct copying { struct kv *kv; MDB_txn *from; MDB_env *to; MDB_dbi tables[KV_TABLES_MAX], own; bool had_sums; };

static int copy_table(const struct copying *copying, size_t table)
{
    MDB_cursor *cursor;
    bool more = false;
    int rc = mdb_cursor_open(copying->from, copying->kv->tables[table], &cursor);
    if (rc) return rc;
    do {
        MDB_txn *txn;
        if ((rc = mdb_txn_begin(copying->to, NULL, 0, &txn))) break;
        rc = copy_rows(str_from(copying->kv->names[table]), copying->had_sums, cursor, txn, copying->tables[table],
                       &more);
        if (rc) mdb_txn_abort(txn);
        else rc = commit_own(txn, copying->own);
    } while (!rc && more);
    mdb_cursor_close(cursor);
    return rc;
}

static int copy_life(const struct copying *copying)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(copying->to, NULL, 0, &txn);
    if (rc) return rc;
    rc = put_own(txn, copying->own, STR(KV_LIFE_KEY), copying->kv->life);
    if (!rc) return commit_own(txn, copying->own);
    mdb_txn_abort(txn);
    return rc;
}

static int copy_all(struct kv *kv, bool had_sums)
{
    char dir[4096 + 32];
    struct copying copying = { .kv = kv, .had_sums = had_sums };
    rewrite_path(kv, "", dir);
    remove_rewrite(kv);
    if (mkdir(dir, 0700)) return errno;
    struct opened opened = { NULL, copying.tables, &copying.own };
    int rc = open_env(kv, dir, MDB_NOTLS | MDB_NOSYNC, true, &opened);
    if (rc) return rc;
    copying.to = opened.env;
    rc = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &copying.from);
    for (size_t i = 0; !rc && i < kv->table_count; i++) rc = copy_table(&copying, i);
    if (copying.from) mdb_txn_abort(copying.from);
    if (!rc && kv->life) rc = copy_life(&copying);
    if (!rc) rc = mdb_env_sync(copying.to, 1);
    mdb_env_close(copying.to);
    return rc;
}

/* Under the lock, and no transaction is open. */
static Status swap(struct kv *kv, int *ret_rc, Err *err)
{
    struct disk *disk = os_disk();
    char from[4096 + 32], to[4096 + 32];
    rewrite_path(kv, "data.mdb", from);
    snprintf(to, sizeof to, "%s/data.mdb", kv->dir);
    close_store(kv);
    Status s = disk->rename(disk, from, to, err);
    if (!s) s = disk->sync_dir(disk, kv->dir, err);
    int rc = open_store(kv, false);
    if (rc && !s) *ret_rc = rc;
    return s;
}

Status kv_rewrite(struct kv *kv, uint32_t timeout_ms, Err *err)
{
    int64_t until_ns = clock_monotonic_ns(os_clock()) + timeout_ms * INT64_C(1000000);
    struct timespec until = { until_ns / 1000000000, until_ns % 1000000000 };
    bool had_sums = kv->has_sums;
    kv->has_sums = true;                                      /* for the new file; set back if it fails */
    int rc = copy_all(kv, had_sums), waited = 0;
    Status s = rc ? fail(kv, rc, "rewriting", err) : refuse_cut(kv, err);
    pthread_mutex_lock(&kv->lock);
    while (!s && kv->open_count && !waited) waited = pthread_cond_timedwait(&kv->closed, &kv->lock, &until);
    if (!s && kv->open_count) s = err_set(err, ERR_TIMEOUT, "%s: rewriting: somebody has read for too long", kv->dir);
    if (!s) s = swap(kv, &rc, err);
    if (s) kv->has_sums = had_sums;
    pthread_mutex_unlock(&kv->lock);
    if (!s && rc) s = fail(kv, rc, "opening again", err);
    remove_rewrite(kv);
    return s;
}

/* ---- One key ---- */

static MDB_dbi table_of(const struct kv_txn *txn, size_t table)
{
    check(table < txn->kv->table_count);
    return txn->kv->tables[table];
}

/* A value without its checksum, if that is right. */
static Status strip(struct kv_txn *txn, size_t table, Str key, MDB_val value, Str *ret, Err *err)
{
    struct kv *kv = txn->kv;
    Str all = str_of_val(value);
    uint64_t sum;
    *ret = all;
    if (!kv->has_sums) return OK;
    if (all.len < KV_SUM_BYTES || all.len > (size_t)KV_VALUE_BYTES + KV_SUM_BYTES || key.len > KV_KEY_BYTES)
        return damaged(kv, err, "a row of impossible size");
    *ret = (Str){ all.bytes, all.len - KV_SUM_BYTES };
    memcpy(&sum, all.bytes + ret->len, sizeof sum);
    if (sum == kv_sum(str_from(kv->names[table]), key, *ret)) return refuse_cut(kv, err);
    char what[128];
    snprintf(what, sizeof what, "table %.48s: a row has not the checksum of what was written", kv->names[table]);
    return damaged(kv, err, what);
}

Status kv_get(struct kv_txn *txn, size_t table, Str key, Str *ret, Err *err)
{
    MDB_val k = val_of(key), v;
    seal(txn);
    int rc = try_get(txn->txn, table_of(txn, table), &k, &v);
    Status s = refuse_cut(txn->kv, err);                      /* it is not there: or is the file cut? */
    if (s) return s;
    if (rc) return fail(txn->kv, rc, "reading", err);
    return strip(txn, table, key, v, ret, err);
}

static Status check_sizes(const struct kv_txn *txn, Str key, size_t bytes, Err *err)
{
    check(key.len > 0);
    if (key.len <= KV_KEY_BYTES && bytes <= KV_VALUE_BYTES) return OK;
    return err_set(err, ERR_TOO_LARGE, "%s: a key of %zu bytes or a value of %zu is over the limit", txn->kv->dir,
                   key.len, bytes);
}

static Status put_room(struct kv_txn *txn, size_t table, Str key, size_t bytes, char **ret, Err *err)
{
    Status s = check_sizes(txn, key, bytes, err);
    if (s) return s;
    seal(txn);
    MDB_val k = val_of(key), v = { bytes + KV_SUM_BYTES, NULL };
    check(txn->kv->has_sums);
    int rc = try_put(txn->txn, table_of(txn, table), &k, &v, MDB_RESERVE);
    if (rc) return fail(txn->kv, rc, "writing", err);
    txn->is_dirty = true;
    *ret = v.mv_data;
    return OK;
}

Status kv_put(struct kv_txn *txn, size_t table, Str key, Str value, Err *err)
{
    char *room;
    Status s = put_room(txn, table, key, value.len, &room, err);
    if (s) return s;
    uint64_t sum = kv_sum(str_from(txn->kv->names[table]), key, value);
    if (value.len) memcpy(room, value.bytes, value.len);
    memcpy(room + value.len, &sum, sizeof sum);
    return OK;
}

Status kv_reserve(struct kv_txn *txn, size_t table, Str key, size_t bytes, void **ret, Err *err)
{
    char *room;
    Status s = put_room(txn, table, key, bytes, &room, err);
    if (s) return s;
    txn->reserved = room;
    txn->reserved_bytes = bytes;
    txn->reserved_table = table;
    txn->reserved_key_bytes = key.len;
    memcpy(txn->reserved_key, key.bytes, key.len);
    *ret = room;
    return OK;
}

Status kv_remove(struct kv_txn *txn, size_t table, Str key, Err *err)
{
    MDB_val k = val_of(key);
    seal(txn);
    int rc = try_del(txn->txn, table_of(txn, table), &k);
    txn->is_dirty |= rc == 0;
    return rc && rc != MDB_NOTFOUND ? fail(txn->kv, rc, "removing", err) : OK;
}

Status kv_clear(struct kv_txn *txn, size_t table, Err *err)
{
    seal(txn);
    int rc = try_drop(txn->txn, table_of(txn, table));
    txn->is_dirty = true;
    return rc ? fail(txn->kv, rc, "clearing", err) : OK;
}

/* ---- Ranges ---- */

Status kv_cursor_open(struct kv_txn *txn, size_t table, struct kv_cursor **ret, Err *err)
{
    struct kv_cursor *cursor = malloc(sizeof *cursor);
    check(cursor);
    cursor->txn = txn;
    cursor->table = table;
    int rc = try_open_cursor(txn->txn, table_of(txn, table), &cursor->cursor);
    if (rc) {
        free(cursor);
        return fail(txn->kv, rc, "reading", err);
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
    seal(cursor->txn);
    int rc = try_move(cursor->cursor, &key, &value, op);
    Status s = refuse_cut(cursor->txn->kv, err);
    if (s) return s;
    if (rc) return fail(cursor->txn->kv, rc, "reading", err);
    *ret_key = str_of_val(key);
    return strip(cursor->txn, cursor->table, *ret_key, value, ret_value, err);
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
    if (rc) return fail(kv, rc, "reading", err);
    ret->file_bytes = (info.me_last_pgno + 1) * stat.ms_psize;
    ret->readers = info.me_numreaders;
    return OK;
}
