/* Rows as entries, and rows that wait: shared by the files of this folder. profile_traits.c has a row's bytes. */
#ifndef ONYM_PROFILE_ROW_H
#define ONYM_PROFILE_ROW_H

#include "profile.h"

#include <pthread.h>

/* A key of the table of members: the group, the member, the subject. */
enum { GROUP_KEY_BYTES = 16, MEMBER_AT = GROUP_KEY_BYTES, SUBJECT_AT = MEMBER_AT + 16,
       MEMBER_KEY_BYTES = SUBJECT_AT + 4 };

struct waiting {                        /* a row of kv as the next save writes it */
    uint64_t hash;
    size_t table;
    Str key, value;                     /* after this struct */
    bool is_removed;
};

struct profile {
    ProfileOptions options;
    pthread_rwlock_t lock;              /* guards the rows that wait: the writer writes them, readers look at them */
    struct waiting **waiting;
    size_t count, capacity, bytes;
    struct slots slots;                 /* finds a row that waits by its key */
    uint64_t saves;                     /* how many were committed: a reader's transaction shows one of them */
    struct kv_txn *txn;                 /* the writer's view of what was saved last; NULL: none yet */
};

struct profile_reader {
    struct profile *profile;
    struct kv_txn *txn;
    uint64_t saves;
    bool is_over;                    /* profile_visit_trait: who visits wants no more */
};

struct entry {
    Str key, value, message_id;
    Millis time_ms;
    uint64_t position;
    uint16_t source;
    uint32_t subject;
    bool is_dropped;
};

struct entries { struct entry *items; size_t count, capacity; };

/* profile_store.c. Finds the row, waiting or saved (txn NULL: nothing was saved). The caller may use it until the next
 * put or, as a reader, until it unlocks. ERR_NOT_FOUND. */
Status profile_get(const struct profile *profile, struct kv_txn *txn, size_t table, Str key, Str *ret, Err *err);
Status profile_writer_txn(struct profile *profile, struct kv_txn **ret, Err *err);
/* Copies the value, which may borrow from the row whose place it takes. NULL removes the row. */
void profile_put(struct profile *profile, size_t table, Str key, const Str *value);
/* From the locking to the unlocking the reader sees one moment. */
Status profile_lock(struct profile_reader *reader, Err *err);
void profile_unlock(struct profile_reader *reader);
/* Visits the keys of a table that begin with the prefix, waiting ones included, ascending and after the given one
 * (empty: all), until visit returns false. The caller holds the lock. */
struct key_range { size_t table; Str prefix, after; };
typedef bool ProfileVisitKey(void *context, Str key);
Status profile_visit_keys(struct profile_reader *reader, struct key_range range, ProfileVisitKey *visit, void *context,
                          Err *err);

/* profile_traits.c */
struct entry *profile_push(struct entries *entries);
void profile_entries_done(struct entries *entries);
Status profile_decode_row(Str row, uint32_t subject, struct entries *entries, Err *err);
/* Where a row is, and whose it is: 0 where it is a group's. */
struct place { size_t table; Str key; uint32_t subject; };
/* Adds the row's entries, which borrow from it; adds nothing if there is no row. */
Status profile_read_row(const struct profile *profile, struct kv_txn *txn, struct place place, struct entries *entries,
                        Err *err);
/* (time, messageId), then the value, so that even a repeated messageId with other traits has an order. */
int profile_compare_writes(const struct entry *a, const struct entry *b);
int profile_compare_entries(const void *a, const void *b);          /* by key, then by write */
void profile_group_key(Str group_id, char *key);                    /* GROUP_KEY_BYTES */
static inline void profile_put_hash(char *at, Hash128 hash)         /* 16 bytes, in an order of their own */
{
    kv_key_u64(at, hash.high);
    kv_key_u64(at + 8, hash.low);
}

/* profile_names.c */
/* Puts and removes names of the subject: they were those of the entries before, and become those of the entries after.
 * */
void profile_update_names(struct profile *profile, uint32_t subject, const struct entries *before,
                          const struct entries *after);

#endif
