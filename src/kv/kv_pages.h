/* kv_pages: is a data file what LMDB takes for granted? Private to kv/.
 *
 * LMDB maps its file and believes every page: a flipped page number makes it read outside, loop, or answer that a row
 * is not there. So before a file is opened, all that is in use of it is read and judged here, once. */
#ifndef ONYM_KV_PAGES_H
#define ONYM_KV_PAGES_H

#include "kv.h"
#include "os/os.h"

/* A table of this folder's own: a row "t" with the number of the transaction that made the file what it is. A file
 * without the table is of a version before checksums. Another row "l": which opening was the last (kv_life.c). */
#define KV_OWN_TABLE "~kv"
#define KV_OWN_KEY "t"
#define KV_LIFE_KEY "l"
enum { KV_SUM_BYTES = 8 };

/* What stands after each value: of the table, the key and the value, so that none passes for another. */
static inline uint64_t kv_sum(Str table, Str key, Str value)
{
#ifdef ONYM_KV_NO_SUMS                  /* bench/sums alone: what they cost */
    return 0 * (table.len + key.len + value.len);
#endif
    return hash_64(value, hash_64(key, hash_64(table, 0)));
}

typedef struct KvPages {
    bool is_empty;                      /* there is nothing in it yet: it may be made */
    bool has_sums;
    uint64_t rows, pages_used, pages_free;
} KvPages;

/* ERR_NOT_FOUND: there is no file. ERR_DAMAGED: the text says what is wrong, and in which page. tables: all that may be
 * in it; either all of them are, or none. Nobody may write to the file meanwhile. Safe on any bytes. */
Status MUST kv_pages_check(struct disk *disk, const char *path, const char *const *tables, size_t table_count,
                           KvPages *ret, Err *err);

#endif
