/* kv_try: LMDB's calls: a failed assertion of LMDB returns to the caller as an error. Private to kv/. */
#ifndef ONYM_KV_TRY_H
#define ONYM_KV_TRY_H

#include <lmdb.h>
#include <setjmp.h>

/* Makes a call of LMDB; if an assertion in it fails, that is damage. The transaction can then only be aborted. */
extern _Thread_local jmp_buf *kv_escape;
#define TRY(rc, call) do {                                              \
        jmp_buf here, *outer = kv_escape;                                  \
        kv_escape = &here;                                                 \
        if (_setjmp(here) == 0) (rc) = (call);                          \
        else (rc) = MDB_CORRUPTED;                                      \
        kv_escape = outer;                                                 \
    } while (0)

static inline int try_get(MDB_txn *txn, MDB_dbi table, MDB_val *key, MDB_val *value)
{
    int rc;
    TRY(rc, mdb_get(txn, table, key, value));
    return rc;
}

static inline int try_put(MDB_txn *txn, MDB_dbi table, MDB_val *key, MDB_val *value, unsigned flags)
{
    int rc;
    TRY(rc, mdb_put(txn, table, key, value, flags));
    return rc;
}

static inline int try_del(MDB_txn *txn, MDB_dbi table, MDB_val *key)
{
    int rc;
    TRY(rc, mdb_del(txn, table, key, NULL));
    return rc;
}

static inline int try_drop(MDB_txn *txn, MDB_dbi table)
{
    int rc;
    TRY(rc, mdb_drop(txn, table, 0));
    return rc;
}

static inline int try_move(MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op op)
{
    int rc;
    TRY(rc, mdb_cursor_get(cursor, key, value, op));
    return rc;
}

static inline int try_open_cursor(MDB_txn *txn, MDB_dbi table, MDB_cursor **ret)
{
    MDB_stat stat;
    int rc;
    TRY(rc, mdb_stat(txn, table, &stat));                    /* looks at the table's record; opening a cursor that */
    return rc ? rc : mdb_cursor_open(txn, table, ret);       /* finds it damaged would leave the cursor's memory */
}

static inline int try_commit(MDB_txn *txn)
{
    int rc;
    TRY(rc, mdb_txn_commit(txn));
    return rc;
}

#endif
