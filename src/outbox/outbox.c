/* outbox: rows in an LMDB store of their own, so that delivery never waits for the applier's writes. */
#include "outbox.h"
#include "kv/kv.h"

#include <stdio.h>
#include <stdlib.h>

enum { REWRITE_WAIT_MS = 500 };             /* readers are pages of dead letters: short */

struct outbox {
    struct kv *kv;
};

static Status store_get(void *context, Str key, Arena *arena, Str *ret, Err *err)
{
    struct outbox *store = context;
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
    struct outbox *store = context;
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
    struct outbox *store = context;
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
    struct outbox *store = context;
    return kv_rewrite(store->kv, REWRITE_WAIT_MS, err);
}

/* The store cannot be made anew: where each destination is, what it could not deliver, what was told to whom. */
static Status say_way_out(const char *dir, Status s, Err *err)
{
    if (s != ERR_DAMAGED) return s;
    return err_wrap(err, s, "the destinations' store cannot be made anew from the journal. Way out: stop, move %s away "
                    "(or bring it back from a backup), start; destinations then begin with what comes from there on, "
                    "and onym replay NAME --from TIME sends what they lack", dir);
}

static Status say_other(const char *dir, Err *err)
{
    return err_set(err, ERR_DAMAGED, "%s is not the store that was here last, but an older copy or another's. Way out: "
                   "stop, then bring the right one back; or move it away: destinations begin with what comes, and onym "
                   "replay NAME --from TIME sends what they lack; or remove %s.life to go on with it: what was sent "
                   "since is sent again", dir, dir);
}

/* If FORMAT says that there has been a store, a file that is gone or empty is not taken for a new one. */
static Status check_mark(const char *dir, bool *ret_is_marked, Err *err)
{
    struct disk *disk = os_disk();
    char mark[4096 + 16], path[4096 + 16];
    uint64_t bytes = 0;
    DiskFile file;
    snprintf(mark, sizeof mark, "%s/FORMAT", dir);
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    Status s = disk->open(disk, path, DISK_READ, &file, err);
    if (!s) {
        s = disk->size(disk, file, &bytes, err);
        disk->close(disk, file);
    }
    if (s && s != ERR_NOT_FOUND) return s;
    bool has_mark = disk->open(disk, mark, DISK_READ, &file, NULL) == OK;
    if (has_mark) disk->close(disk, file);
    if (has_mark && bytes == 0) return err_set(err, ERR_DAMAGED, "%s is gone", path);
    *ret_is_marked = has_mark;
    return OK;
}

static Status put_mark(const char *dir, Err *err)
{
    char mark[4096 + 16];
    snprintf(mark, sizeof mark, "%s/FORMAT", dir);
    return disk_write_file(os_disk(), mark, STR("onym-deliver 1\n"), err);
}

static const char *const tables[] = { "rows" };

void outbox_close(struct outbox *store)
{
    if (!store) return;
    kv_close(store->kv);
    free(store);
}

Status outbox_open(const char *dir, bool is_read_only, struct outbox **ret, Err *err)
{
    char life[4096 + 16];
    const KvLife lives[] = { { life, false } };
    KvOptions options = { .dir = dir, .tables = tables, .table_count = 1, .is_synced = true,
                          .is_read_only = is_read_only, .lives = lives, .life_count = 1 };
    struct outbox *store = calloc(1, sizeof *store);
    check(store);
    snprintf(life, sizeof life, "%s.life", dir);
    bool is_marked = false;
    Status s = check_mark(dir, &is_marked, err);
    if (!s) s = kv_open(&options, &store->kv, err);
    if (!s && !is_marked && !is_read_only) s = put_mark(dir, err);
    if (s) {
        outbox_close(store);
        if (s == ERR_CONFLICT) return say_other(dir, err);
        return s == ERR_DAMAGED ? say_way_out(dir, s, err) : err_wrap(err, s, "destinations");
    }
    *ret = store;
    return OK;
}

Status outbox_verify(const char *dir, uint64_t *ret_rows, Err *err)
{
    bool is_marked;
    Status s = check_mark(dir, &is_marked, err);
    *ret_rows = 0;
    if (!s) s = kv_check(dir, tables, 1, ret_rows, err);
    return s == ERR_NOT_FOUND ? OK : say_way_out(dir, s, err);
}

struct outbox_rows outbox_rows_of(struct outbox *store)
{
    return (struct outbox_rows){ store, store_get, store_walk, store_commit, store_rewrite };
}
