/* A subject's row as entries: shared by the files of this folder. profile_traits.c has the bytes. */
#ifndef ONYM_PROFILE_ROW_H
#define ONYM_PROFILE_ROW_H

#include "profile.h"

enum { GROUP_KEY_BYTES = 16 };

struct entry {
    Str key, value, message_id;
    Millis time_ms;
    uint64_t position;
    uint16_t source;
    uint32_t subject;
    bool is_dropped;
};

struct entries { struct entry *items; size_t count, capacity; };

struct entry *profile_push(struct entries *entries);
void profile_entries_done(struct entries *entries);
/* Adds the row's entries, which borrow from it; nothing where there is no row. */
Status profile_read_row(struct kv_txn *txn, size_t table, Str key, uint32_t subject, struct entries *entries, Err *err);
/* (time, messageId), then the value, so that even a repeated messageId with other traits has an order. */
int profile_compare_writes(const struct entry *a, const struct entry *b);
int profile_compare_entries(const void *a, const void *b);          /* by key, then by write */
void profile_group_key(Str group_id, char *key);                    /* GROUP_KEY_BYTES */

#endif
