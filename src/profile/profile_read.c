/* Reading people: all entries of all of their subjects, brought into one order, and the rules over it. */
#include "profile_row.h"

#include <stdlib.h>

/* The entries of a person's subjects of one kind of key ('t', 'g'), those that are the person's. */
static Status gather(Profile profile, struct kv_txn *txn, const ProfileSubject *subjects, size_t count, char kind,
                     struct entries *entries, Err *err)
{
    for (size_t i = 0; i < count; i++) {
        const ProfileSubject *subject = &subjects[i];
        char key[4];
        size_t kept = entries->count, from = kept;
        kv_key_u32(key, subject->subject);
        Status s = profile_read_row(txn, profile.subjects, (Str){ key, sizeof key }, subject->subject, entries, err);
        if (s) return s;
        for (size_t k = from; k < entries->count; k++) {
            const struct entry *entry = &entries->items[k];
            if (entry->key.bytes[0] != kind) continue;
            if (subject->owns && !subject->owns(subject->context, subject->subject, entry->time_ms, entry->message_id))
                continue;
            entries->items[kept++] = *entry;
        }
        entries->count = kept;
    }
    if (entries->count) qsort(entries->items, entries->count, sizeof *entries->items, profile_compare_entries);
    return OK;
}

/* The entry's copy in the arena; false where that is full. The key loses its letter. */
static bool copy_entry(const struct entry *entry, Arena *arena, ProfileValue *ret)
{
    size_t bytes = entry->key.len + entry->value.len + entry->message_id.len;
    if (arena_left(arena) < bytes + 64) return false;
    *ret = (ProfileValue){
        .key = arena_copy(arena, str_slice(entry->key, 1, entry->key.len)), .json = arena_copy(arena, entry->value),
        .message_id = arena_copy(arena, entry->message_id), .time_ms = entry->time_ms, .position = entry->position,
        .source = entry->source, .subject = entry->subject,
    };
    return true;
}

/* Copies the entries that were chosen (is_dropped is false). */
static Status answer(const struct entries *entries, Arena *arena, ProfileValues *ret, Err *err)
{
    size_t count = 0;
    for (size_t i = 0; i < entries->count; i++) count += !entries->items[i].is_dropped;
    *ret = (ProfileValues){ arena_try(arena, sizeof *ret->items, _Alignof(ProfileValue), count), 0 };
    bool fits = ret->items != NULL;
    for (size_t i = 0; fits && i < entries->count; i++)
        if (!entries->items[i].is_dropped) fits = copy_entry(&entries->items[i], arena, &ret->items[ret->count++]);
    return fits ? OK : err_set(err, ERR_TOO_LARGE, "the profile has %zu values: more than an answer holds", count);
}

/* Of each key the last write, unless it unset the trait. */
static void choose_current(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        struct entry *entry = &entries->items[i];
        bool is_last = i + 1 == entries->count || !str_equal(entry[1].key, entry->key);
        entry->is_dropped = !is_last || str_equal(entry->value, STR("null"));
    }
}

Status profile_read_traits(Profile profile, struct kv_txn *txn, const ProfileSubject *subjects, size_t count,
                           Arena *arena, ProfileValues *ret, Err *err)
{
    struct entries entries = { 0 };
    Status s = gather(profile, txn, subjects, count, 't', &entries, err);
    choose_current(&entries);
    if (!s) s = answer(&entries, arena, ret, err);
    profile_entries_done(&entries);
    return s;
}

static int compare_newest_first(const void *a, const void *b)
{
    int order = profile_compare_writes(b, a);
    return order ? order : str_compare(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

Status profile_read_history(Profile profile, struct kv_txn *txn, const ProfileSubject *subjects, size_t count, Str key,
                            Arena *arena, ProfileValues *ret, Err *err)
{
    struct entries entries = { 0 };
    Status s = gather(profile, txn, subjects, count, 't', &entries, err);
    for (size_t i = 0; i < entries.count; i++) {
        Str name = str_slice(entries.items[i].key, 1, entries.items[i].key.len);
        entries.items[i].is_dropped = key.len && !str_equal(name, key);
    }
    if (entries.count) qsort(entries.items, entries.count, sizeof *entries.items, compare_newest_first);
    if (!s) s = answer(&entries, arena, ret, err);
    profile_entries_done(&entries);
    return s;
}

Status profile_read_groups(Profile profile, struct kv_txn *txn, const ProfileSubject *subjects, size_t count,
                           Arena *arena, ProfileValues *ret, Err *err)
{
    struct entries entries = { 0 };
    Status s = gather(profile, txn, subjects, count, 'g', &entries, err);
    for (size_t i = 0; i < entries.count; i++)
        entries.items[i].is_dropped = i > 0 && str_equal(entries.items[i].key, entries.items[i - 1].key);
    if (!s) s = answer(&entries, arena, ret, err);
    profile_entries_done(&entries);
    return s;
}

Status profile_read_group(Profile profile, struct kv_txn *txn, Str group_id, Arena *arena, ProfileValues *ret, Err *err)
{
    struct entries entries = { 0 };
    char key[GROUP_KEY_BYTES];
    profile_group_key(group_id, key);
    Status s = profile_read_row(txn, profile.groups, (Str){ key, sizeof key }, 0, &entries, err);
    if (!s && entries.count == 0) s = err_set(err, ERR_NOT_FOUND, "no group call named this group");
    choose_current(&entries);
    for (size_t i = 0; i < entries.count; i++) entries.items[i].is_dropped |= entries.items[i].key.bytes[0] != 't';
    if (!s) s = answer(&entries, arena, ret, err);
    profile_entries_done(&entries);
    return s;
}

Status profile_list_group_subjects(Profile profile, struct kv_txn *txn, Str group_id, const uint32_t *behind,
                                   size_t max, uint32_t *subjects, size_t *ret_count, Err *err)
{
    struct kv_cursor *cursor;
    Str key, value;
    char from[GROUP_KEY_BYTES + 4];
    *ret_count = 0;
    if (behind && *behind == UINT32_MAX) return OK;
    profile_group_key(group_id, from);
    kv_key_u32(from + GROUP_KEY_BYTES, behind ? *behind + 1 : 0);
    Status s = kv_cursor_open(txn, profile.members, &cursor, err);
    if (s) return s;
    s = kv_find(cursor, (Str){ from, sizeof from }, &key, &value, err);
    while (!s && *ret_count < max && key.len == sizeof from && memcmp(key.bytes, from, GROUP_KEY_BYTES) == 0) {
        subjects[(*ret_count)++] = kv_read_u32(key.bytes + GROUP_KEY_BYTES);
        s = kv_next(cursor, &key, &value, err);
    }
    kv_cursor_close(cursor);
    return s == ERR_NOT_FOUND ? OK : s;
}
