/* Rows that wait for the next save, over rows that were saved.
 *
 * Writing to kv at once would copy a page of the tree for nearly every identify, and show it to readers only with a
 * commit, which costs a sync. So rows wait in memory: each save writes a row to kv once, however often it
 * changed, in order of keys. Readers look here first, then at kv by a transaction that is renewed after each save. The
 * rows that waited are dropped only when the save is committed, under the lock, and at the same moment as the number
 * changes that tells readers to renew their transaction. So a row is always in one of the two places that a reader
 * looks at. */
#include "profile_row.h"

#include <stdlib.h>

/* ---- What waits ---- */

static uint64_t hash_of(size_t table, Str key) { return hash_64(key, table + 1); }

/* Finds the key's row; NULL if none waits. */
static struct waiting **find_waiting(const struct profile *profile, size_t table, Str key, uint64_t hash)
{
    for (uint32_t at, probe = 0; (at = slots_next(&profile->slots, hash, &probe)) != SLOTS_NONE;) {
        struct waiting **place = &profile->waiting[at];
        if ((*place)->hash == hash && (*place)->table == table && str_equal((*place)->key, key)) return place;
    }
    return NULL;
}

static struct waiting **add_waiting(struct profile *profile, uint64_t hash)
{
    check(slots_reserve(&profile->slots, (uint32_t)profile->count + 1));
    check(vector_reserve(profile->waiting, profile->capacity, profile->count + 1, SLOTS_MOST));
    slots_put(&profile->slots, hash, (uint32_t)profile->count);
    return &profile->waiting[profile->count++];
}

void profile_put(struct profile *profile, size_t table, Str key, const Str *value)
{
    size_t value_bytes = value ? value->len : 0;
    struct waiting *row = malloc(sizeof *row + key.len + value_bytes);
    check(row && key.len <= KV_KEY_BYTES);
    char *room = (char *)(row + 1);
    memcpy(room, key.bytes, key.len);
    if (value_bytes) memcpy(room + key.len, value->bytes, value_bytes);
    *row = (struct waiting){ .hash = hash_of(table, key), .table = table, .key = { room, key.len },
                             .value = { room + key.len, value_bytes }, .is_removed = value == NULL };
    check(pthread_rwlock_wrlock(&profile->lock) == 0);
    struct waiting **place = find_waiting(profile, table, row->key, row->hash);
    if (place) {
        profile->bytes -= sizeof *row + (*place)->key.len + (*place)->value.len;
        free(*place);
    } else place = add_waiting(profile, row->hash);
    *place = row;
    profile->bytes += sizeof *row + key.len + value_bytes;
    check(pthread_rwlock_unlock(&profile->lock) == 0);
}

Status profile_get(const struct profile *profile, struct kv_txn *txn, size_t table, Str key, Str *ret, Err *err)
{
    struct waiting *const *place = find_waiting(profile, table, key, hash_of(table, key));
    if (place && (*place)->is_removed) return ERR_NOT_FOUND;
    if (place) {
        *ret = (*place)->value;
        return OK;
    }
    return txn ? kv_get(txn, table, key, ret, err) : ERR_NOT_FOUND;
}

Status profile_writer_txn(struct profile *profile, struct kv_txn **ret, Err *err)
{
    Status s = OK;
    if (!profile->txn && profile->options.kv) s = kv_begin_read(profile->options.kv, &profile->txn, err);
    *ret = profile->txn;
    return s;
}

/* ---- Opening, saving ---- */

struct profile *profile_open(const ProfileOptions *options)
{
    struct profile *profile = calloc(1, sizeof *profile);
    pthread_rwlockattr_t attributes;
    check(profile && pthread_rwlockattr_init(&attributes) == 0);
    check(pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0);
    check(pthread_rwlock_init(&profile->lock, &attributes) == 0);
    pthread_rwlockattr_destroy(&attributes);
    profile->options = *options;
    return profile;
}

static void forget_waiting(struct profile *profile)
{
    for (size_t at = 0; at < profile->count; at++) free(profile->waiting[at]);
    free(profile->waiting);
    slots_done(&profile->slots);
    profile->waiting = NULL;
    profile->count = profile->capacity = profile->bytes = 0;
}

void profile_close(struct profile *profile)
{
    if (!profile) return;
    kv_end_read(profile->txn);
    forget_waiting(profile);
    pthread_rwlock_destroy(&profile->lock);
    free(profile);
}

size_t profile_unsaved_bytes(const struct profile *profile) { return profile->bytes; }

static int compare_waiting(const void *a, const void *b)
{
    const struct waiting *x = *(const struct waiting *const *)a, *y = *(const struct waiting *const *)b;
    if (x->table != y->table) return x->table < y->table ? -1 : 1;
    return str_compare(x->key, y->key);
}

Status profile_save(struct profile *profile, struct kv_txn *txn, Err *err)
{
    struct waiting **sorted = malloc((profile->count + 1) * sizeof(struct waiting *));
    size_t count = profile->count;
    Status s = OK;
    check(sorted && profile->options.kv);
    if (count) memcpy(sorted, profile->waiting, count * sizeof(struct waiting *));
    if (count) qsort(sorted, count, sizeof *sorted, compare_waiting);
    for (size_t at = 0; !s && at < count; at++) {
        const struct waiting *row = sorted[at];
        if (row->is_removed) s = kv_remove(txn, row->table, row->key, err);
        else s = kv_put(txn, row->table, row->key, row->value, err);
    }
    free(sorted);
    return s;
}

void profile_end_save(struct profile *profile, bool is_committed)
{
    if (!is_committed) return;
    check(pthread_rwlock_wrlock(&profile->lock) == 0);
    forget_waiting(profile);
    profile->saves++;
    check(pthread_rwlock_unlock(&profile->lock) == 0);
    kv_end_read(profile->txn);
    profile->txn = NULL;
}

/* ---- Readers ---- */

Status profile_begin_reading(struct profile *profile, struct profile_reader **ret, Err *err)
{
    struct profile_reader *reader = calloc(1, sizeof *reader);
    (void)err;
    check(reader);
    reader->profile = profile;
    *ret = reader;
    return OK;
}

void profile_end_reading(struct profile_reader *reader)
{
    if (!reader) return;
    kv_end_read(reader->txn);
    free(reader);
}

Status profile_lock(struct profile_reader *reader, Err *err)
{
    struct profile *profile = reader->profile;
    Status s = OK;
    check(pthread_rwlock_rdlock(&profile->lock) == 0);
    if (reader->txn && reader->saves != profile->saves) {
        kv_end_read(reader->txn);
        reader->txn = NULL;
    }
    if (!reader->txn && profile->options.kv) s = kv_begin_read(profile->options.kv, &reader->txn, err);
    reader->saves = profile->saves;
    if (s) check(pthread_rwlock_unlock(&profile->lock) == 0);
    return s;
}

void profile_unlock(struct profile_reader *reader)
{
    check(pthread_rwlock_unlock(&reader->profile->lock) == 0);
}

/* Waiting rows of the range, sorted: there are at most some ten thousand to look at. */
static size_t list_waiting(const struct profile *profile, struct key_range range, struct waiting ***ret)
{
    struct waiting **rows = NULL;
    size_t count = 0, capacity = 0;
    for (size_t at = 0; at < profile->count; at++) {
        struct waiting *row = profile->waiting[at];
        if (row->table != range.table || !str_starts(row->key, range.prefix)) continue;
        if (range.after.len && str_compare(row->key, range.after) <= 0) continue;
        check(vector_reserve(rows, capacity, count + 1, UINT32_MAX));
        rows[count++] = row;
    }
    if (count) qsort(rows, count, sizeof *rows, compare_waiting);
    *ret = rows;
    return count;
}

Status profile_visit_keys(struct profile_reader *reader, struct key_range range, ProfileVisitKey *visit, void *context,
                          Err *err)
{
    struct waiting **rows;
    struct kv_cursor *cursor = NULL;
    Str key, value, from = range.after.len ? range.after : range.prefix;
    size_t at = 0, count = list_waiting(reader->profile, range, &rows);
    Status s = reader->txn ? kv_cursor_open(reader->txn, range.table, &cursor, err) : ERR_NOT_FOUND;
    if (!s) s = kv_find(cursor, from, &key, &value, err);
    if (!s && str_equal(key, range.after)) s = kv_next(cursor, &key, &value, err);
    for (bool goes_on = true; goes_on;) {
        bool has_saved = !s && str_starts(key, range.prefix);
        if (s && s != ERR_NOT_FOUND) break;
        if (!has_saved && at == count) break;
        int order = !has_saved ? -1 : at == count ? 1 : str_compare(rows[at]->key, key);
        if (order > 0) goes_on = visit(context, key);
        else if (!rows[at]->is_removed) goes_on = visit(context, rows[at]->key);
        at += order <= 0;
        if (order >= 0) s = kv_next(cursor, &key, &value, err);
    }
    free(rows);
    kv_cursor_close(cursor);
    return s == ERR_NOT_FOUND ? OK : s;
}
