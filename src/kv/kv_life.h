/* kv_life: is this the store that was here last? Private to kv/. */
#ifndef ONYM_KV_LIFE_H
#define ONYM_KV_LIFE_H

#include "kv.h"
#include "os/os.h"

/* has: the life that the store holds; 0: none. is_empty: the store was just made. ERR_DAMAGED: it is another store. */
Status MUST kv_life_judge(const KvLife *lives, size_t count, uint64_t has, bool is_empty, Err *err);
/* False: the disk does not take it, and the old life goes on. */
bool kv_life_begin(const KvLife *lives, size_t count, uint64_t has, uint64_t next);
void kv_life_settle(const KvLife *lives, size_t count, uint64_t now);

#endif
