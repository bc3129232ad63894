/* Reading people: all entries of all of their subjects are put into one order, then the rules apply. */
#include "profile_row.h"

#include <stdlib.h>

/* The entries of a person's subjects of one kind of key ('t', 'g'), those that are the person's. */
static Status gather(struct profile_reader *reader, ProfileSubjects subjects, char kind, struct entries *entries,
                     Err *err)
{
    for (size_t i = 0; i < subjects.count; i++) {
        const ProfileSubject *subject = &subjects.items[i];
        char key[4];
        size_t kept = entries->count, from = kept;
        kv_key_u32(key, subject->subject);
        struct place place = { reader->profile->options.subjects, { key, sizeof key }, subject->subject };
        Status s = profile_read_row(reader->profile, reader->txn, place, entries, err);
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

/* Copies the entry into the arena; false if that is full. The key loses its letter. */
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

/* Keeps the last write of each key, unless it unset the trait. */
static void choose_current(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        struct entry *entry = &entries->items[i];
        bool is_last = i + 1 == entries->count || !str_equal(entry[1].key, entry->key);
        entry->is_dropped = !is_last || str_equal(entry->value, STR("null"));
    }
}

Status profile_read_traits(struct profile_reader *reader, ProfileSubjects subjects, Arena *arena, ProfileValues *ret,
                           Err *err)
{
    struct entries entries = { 0 };
    Status s = profile_lock(reader, err);
    if (s) return s;
    s = gather(reader, subjects, 't', &entries, err);
    choose_current(&entries);
    if (!s) s = answer(&entries, arena, ret, err);
    profile_unlock(reader);
    profile_entries_done(&entries);
    return s;
}

static int compare_newest_first(const void *a, const void *b)
{
    int order = profile_compare_writes(b, a);
    return order ? order : str_compare(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

Status profile_read_history(struct profile_reader *reader, ProfileSubjects subjects, Str key, Arena *arena,
                            ProfileValues *ret, Err *err)
{
    struct entries entries = { 0 };
    Status s = profile_lock(reader, err);
    if (s) return s;
    s = gather(reader, subjects, 't', &entries, err);
    for (size_t i = 0; i < entries.count; i++) {
        Str name = str_slice(entries.items[i].key, 1, entries.items[i].key.len);
        entries.items[i].is_dropped = key.len && !str_equal(name, key);
    }
    if (entries.count) qsort(entries.items, entries.count, sizeof *entries.items, compare_newest_first);
    if (!s) s = answer(&entries, arena, ret, err);
    profile_unlock(reader);
    profile_entries_done(&entries);
    return s;
}

Status profile_read_groups(struct profile_reader *reader, ProfileSubjects subjects, Arena *arena, ProfileValues *ret,
                           Err *err)
{
    struct entries entries = { 0 };
    Status s = profile_lock(reader, err);
    if (s) return s;
    s = gather(reader, subjects, 'g', &entries, err);
    for (size_t i = 0; i < entries.count; i++)
        entries.items[i].is_dropped = i > 0 && str_equal(entries.items[i].key, entries.items[i - 1].key);
    if (!s) s = answer(&entries, arena, ret, err);
    profile_unlock(reader);
    profile_entries_done(&entries);
    return s;
}

Status profile_read_group(struct profile_reader *reader, Str group_id, Arena *arena, ProfileValues *ret, Err *err)
{
    struct entries entries = { 0 };
    char key[GROUP_KEY_BYTES];
    profile_group_key(group_id, key);
    Status s = profile_lock(reader, err);
    if (s) return s;
    struct place place = { .table = reader->profile->options.groups, .key = { key, sizeof key } };
    s = profile_read_row(reader->profile, reader->txn, place, &entries, err);
    if (!s && entries.count == 0) s = err_set(err, ERR_NOT_FOUND, "no group call named this group");
    choose_current(&entries);
    for (size_t i = 0; i < entries.count; i++) entries.items[i].is_dropped |= entries.items[i].key.bytes[0] != 't';
    if (!s) s = answer(&entries, arena, ret, err);
    profile_unlock(reader);
    profile_entries_done(&entries);
    return s;
}

static bool take_member(void *context, Str key)
{
    ProfileMembers *list = context;
    if (key.len != MEMBER_KEY_BYTES) return true;
    list->items[list->count++] = (ProfileMember){
        { .high = kv_read_u64(key.bytes + MEMBER_AT), .low = kv_read_u64(key.bytes + MEMBER_AT + 8) },
        kv_read_u32(key.bytes + SUBJECT_AT),
    };
    return list->count < list->max;
}

Status profile_list_group_members(struct profile_reader *reader, Str group_id, const Hash128 *after,
                                  ProfileMembers *list, Err *err)
{
    char key[MEMBER_KEY_BYTES];
    list->count = 0;
    if (list->max == 0) return OK;
    profile_group_key(group_id, key);
    if (after) profile_put_hash(key + MEMBER_AT, *after);
    kv_key_u32(key + SUBJECT_AT, UINT32_MAX);
    Status s = profile_lock(reader, err);
    if (s) return s;
    struct key_range range = { reader->profile->options.members, { key, GROUP_KEY_BYTES },
                               { key, after ? sizeof key : 0 } };
    s = profile_visit_keys(reader, range, take_member, list, err);
    profile_unlock(reader);
    return s;
}

/* ---- Everybody ---- */

/* "a" may hold "a.b". */
static bool is_or_holds(Str name, Str key)
{
    return str_starts(key, name) && (key.len == name.len || key.bytes[name.len] == '.');
}

/* Visiting the writes of a trait in everybody's rows. */
struct visiting {
    struct profile_reader *reader;
    Str key;                            /* of the trait; empty: of every trait */
    ProfileVisit *visit;
    void *context;
    struct entries entries;             /* of the row at hand */
    uint32_t *waiting;                  /* subjects with rows that wait: their saved rows are out of date */
    size_t waiting_count;
};

/* Visits one row's writes of the trait. A user's row may hold several: nobody knows here which subjects are users. It
 * may visit all, since of two writes by one user the later one wins in every case. */
static Status visit_row(struct visiting *visiting, Str row, uint32_t subject, Err *err)
{
    struct profile_reader *reader = visiting->reader;
    struct entries *entries = &visiting->entries;
    Str key = visiting->key;
    entries->count = 0;
    Status s = profile_decode_row(row, subject, entries, err);
    for (size_t i = 0; !s && i < entries->count && !reader->is_over; i++) {
        const struct entry *entry = &entries->items[i];
        Str name = str_slice(entry->key, 1, entry->key.len);
        if (entry->key.bytes[0] != 't' || (key.len && !is_or_holds(name, key))) continue;
        ProfileValue value = { name, entry->value, entry->time_ms, entry->message_id, entry->position, entry->source,
                               subject };
        reader->is_over = !visiting->visit(visiting->context, &value);
    }
    return s;
}

/* Visits the rows that wait. The caller holds the lock. */
static Status visit_waiting(struct visiting *visiting, Err *err)
{
    const struct profile *profile = visiting->reader->profile;
    Status s = OK;
    visiting->waiting = malloc((profile->count + 1) * sizeof *visiting->waiting);
    check(visiting->waiting);
    for (size_t at = 0; !s && at < profile->count && !visiting->reader->is_over; at++) {
        const struct waiting *row = profile->waiting[at];
        if (row->table != profile->options.subjects) continue;
        uint32_t subject = kv_read_u32(row->key.bytes);
        visiting->waiting[visiting->waiting_count++] = subject;
        if (!row->is_removed) s = visit_row(visiting, row->value, subject, err);
    }
    return s;
}

/* Visits the saved rows of the other subjects. */
static Status visit_saved(struct visiting *visiting, struct kv_cursor *cursor, Err *err)
{
    size_t at = 0;
    Str key, row;
    Status s = kv_find(cursor, (Str){ "\0\0\0\0", 4 }, &key, &row, err);
    while (!s && !visiting->reader->is_over) {
        if (key.len != 4) return err_set(err, ERR_DAMAGED, "a profile of no subject; onym rebuild makes it again");
        uint32_t subject = kv_read_u32(key.bytes);
        while (at < visiting->waiting_count && visiting->waiting[at] < subject) at++;
        if (at == visiting->waiting_count || visiting->waiting[at] != subject)
            s = visit_row(visiting, row, subject, err);
        if (!s) s = kv_next(cursor, &key, &row, err);
    }
    return s;
}

/* Holds the lock while it visits the rows that wait and takes a view of the saved ones; it reads these without the
 * lock. */
Status profile_visit_trait(struct profile_reader *reader, Str key, ProfileVisit *visit, void *context, Err *err)
{
    struct visiting visiting = { .reader = reader, .key = key, .visit = visit, .context = context };
    struct kv_cursor *cursor = NULL;
    Status s = profile_lock(reader, err);
    if (s) return s;
    reader->is_over = false;
    s = visit_waiting(&visiting, err);
    profile_unlock(reader);
    if (visiting.waiting_count)
        qsort(visiting.waiting, visiting.waiting_count, sizeof *visiting.waiting, compare_u32);
    if (!s && reader->txn) s = kv_cursor_open(reader->txn, reader->profile->options.subjects, &cursor, err);
    if (!s && cursor) s = visit_saved(&visiting, cursor, err);
    kv_cursor_close(cursor);
    free(visiting.waiting);
    profile_entries_done(&visiting.entries);
    return s == ERR_NOT_FOUND ? OK : s;
}
