/* kv_pages: is a data file what LMDB expects? Private to kv/.
 *
 * LMDB maps its file and believes every page: because of a flipped page number it may read outside the file, loop, or
 * answer that a row is not there. So before a file is opened, all that is in use is read and checked here, once. */
#ifndef ONYM_KV_PAGES_H
#define ONYM_KV_PAGES_H

#include "kv.h"
#include "os/os.h"

/* This folder's own table: row "t" has the number of the last transaction that changed the file. A file
 * without the table is of a version before checksums. Row "l" has the life of the last opening (kv_life.c). */
#define KV_OWN_TABLE "~kv"
#define KV_OWN_KEY "t"
#define KV_LIFE_KEY "l"
enum { KV_SUM_BYTES = 8 };

/* The checksum after each value: over table, key and value, so that none passes for another. */
static inline uint64_t kv_sum(Str table, Str key, Str value)
{
#ifdef ONYM_KV_NO_SUMS                  /* only for bench/sums, which measures what they cost */
    return 0 * (table.len + key.len + value.len);
#endif
    return hash_64(value, hash_64(key, hash_64(table, 0)));
}

typedef struct KvPages {
    bool is_empty;                      /* there is nothing in it yet: tables may be made */
    bool has_sums;
    uint64_t rows, pages_used, pages_free;
} KvPages;

/* ERR_NOT_FOUND: there is no file. ERR_DAMAGED: the text says what is wrong, and in which page. tables: all that may be
 * in it; the file has all of them or none. Nobody may write to the file meanwhile. Safe on any bytes. */
Status MUST kv_pages_check(struct disk *disk, const char *path, const char *const *tables, size_t table_count,
                           KvPages *ret, Err *err);

#endif
