/* deliver_store: rows in an LMDB store of their own, so that delivery never waits for the applier's writes. */
#include "deliver.h"
#include "kv/kv.h"

#include <stdlib.h>

enum { REWRITE_WAIT_MS = 500 };             /* readers are pages of dead letters: short */

struct deliver_store {
    struct kv *kv;
};

static Status store_get(void *context, Str key, Arena *arena, Str *ret, Err *err)
{
    struct deliver_store *store = context;
    struct kv_txn *txn;
    Str value;
    Status s = kv_begin_read(store->kv, &txn, err);
    if (s) return s;
    s = kv_get(txn, 0, key, &value, err);
    if (!s) *ret = arena_copy(arena, value);
    kv_end_read(txn);
    return s;
}

static Status walk_rows(struct kv_cursor *cursor, Str prefix, Str from, RowVisit *visit, void *visit_context, Err *err)
{
    Str key, value;
    Status s = kv_find(cursor, str_compare(from, prefix) > 0 ? from : prefix, &key, &value, err);
    while (!s && str_starts(key, prefix) && visit(visit_context, key, value)) s = kv_next(cursor, &key, &value, err);
    return s == ERR_NOT_FOUND ? OK : s;
}

static Status store_walk(void *context, Str prefix, Str from, RowVisit *visit, void *visit_context, Err *err)
{
    struct deliver_store *store = context;
    struct kv_cursor *cursor = NULL;
    struct kv_txn *txn;
    Status s = kv_begin_read(store->kv, &txn, err);
    if (s) return s;
    s = kv_cursor_open(txn, 0, &cursor, err);
    if (!s) s = walk_rows(cursor, prefix, from, visit, visit_context, err);
    kv_cursor_close(cursor);
    kv_end_read(txn);
    return s;
}

static Status store_commit(void *context, const RowChange *changes, size_t count, Err *err)
{
    struct deliver_store *store = context;
    struct kv_txn *txn;
    Status s = kv_begin_write(store->kv, &txn, err);
    if (s) return s;
    for (size_t at = 0; !s && at < count; at++)
        s = changes[at].value.bytes ? kv_put(txn, 0, changes[at].key, changes[at].value, err)
                                    : kv_remove(txn, 0, changes[at].key, err);
    if (!s) return kv_commit(txn, err);
    kv_abort(txn);
    return s;
}

static Status store_rewrite(void *context, Err *err)
{
    struct deliver_store *store = context;
    return kv_rewrite(store->kv, REWRITE_WAIT_MS, err);
}

Status deliver_store_open(const char *dir, bool is_read_only, struct deliver_store **ret, Err *err)
{
    static const char *const tables[] = { "rows" };
    KvOptions options = { .dir = dir, .tables = tables, .table_count = 1, .is_synced = true,
                          .is_read_only = is_read_only };
    struct deliver_store *store = calloc(1, sizeof *store);
    Status s;
    check(store);
    s = kv_open(&options, &store->kv, err);
    if (s) {
        free(store);
        return err_wrap(err, s, "destinations");
    }
    *ret = store;
    return OK;
}

void deliver_store_close(struct deliver_store *store)
{
    if (!store) return;
    kv_close(store->kv);
    free(store);
}

struct deliver_rows deliver_store_rows(struct deliver_store *store)
{
    return (struct deliver_rows){ store, store_get, store_walk, store_commit, store_rewrite };
}
