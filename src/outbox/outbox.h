/* outbox: what destinations keep, as rows by key, and the changes of a step, which are committed together.
 *
 * A destination's place in the journal, its frozen calls, its dead letters and what its vendor was told are rows here;
 * deliver/ decides which row means what. Rows are a struct of functions: an LMDB store in the product (outbox.c),
 * memory in tests.
 *
 * Threads: any thread may read, if the rows allow it (the store does). One thread, the deliverer, commits and uses
 * struct pending.
 */
#ifndef ONYM_OUTBOX_OUTBOX_H
#define ONYM_OUTBOX_OUTBOX_H

#include "os/os.h"

/* One change. A value whose bytes are NULL removes the key. */
typedef struct RowChange { Str key, value; } RowChange;
typedef bool RowVisit(void *context, Str key, Str value);          /* false ends the walk */

/* Rows by key, in the order of their bytes. Keys have at most 500 bytes. */
struct outbox_rows {
    void *context;
    /* Gives a copy in the arena; ERR_NOT_FOUND if there is none. */
    Status (*get)(void *context, Str key, Arena *arena, Str *ret, Err *err);
    /* Visits all rows whose key begins with prefix, from the first that is not below from. */
    Status (*walk)(void *context, Str prefix, Str from, RowVisit *visit, void *visit_context, Err *err);
    /* Makes all changes or none, also if the process dies meanwhile. */
    Status (*commit)(void *context, const RowChange *changes, size_t count, Err *err);
    /* Writes the store anew, so that nothing is left on the disk of what was ever removed. ERR_TIMEOUT: somebody reads;
     * nothing was changed. NULL: nothing is ever left. */
    Status (*rewrite)(void *context, Err *err);
};

/* ---- The real rows ---- */

/* An LMDB store in a directory of its own, made if it is not there. Every commit is on the disk when it returns. */
struct outbox;
/* ERR_DAMAGED: the text names the file and the way out. */
Status MUST outbox_open(const char *dir, bool is_read_only, struct outbox **ret, Err *err);
/* Checks a store that nobody has open; if there is none, that is OK. */
Status MUST outbox_verify(const char *dir, uint64_t *ret_rows, Err *err);
void outbox_close(struct outbox *store);                        /* accepts NULL */
struct outbox_rows outbox_rows_of(struct outbox *store);

/* ---- What a step will change (outbox_pending.c) ---- */

enum { PENDING_BYTES = 64 * 1024 * 1024 };                      /* changes of one step; no row is larger */

struct pending;
struct pending *pending_open(const struct outbox_rows *rows);
void pending_close(struct pending *pending);                    /* accepts NULL */
bool pending_is_empty(const struct pending *pending);
void pending_put(struct pending *pending, Str key, Str value);
void pending_remove(struct pending *pending, Str key);
/* Sees the pending changes, too. ERR_NOT_FOUND if there is no such row. */
Status MUST pending_get(struct pending *pending, Str key, Arena *arena, Str *ret, Err *err);
bool pending_is_full(const struct pending *pending);
bool pending_removes(const struct pending *pending, Str key);   /* removes a row that the store still has */
/* On failure the changes stay for the next try. */
Status MUST pending_commit(struct pending *pending, Err *err);

#endif
