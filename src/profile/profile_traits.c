/* Traits: a subject's writes as one row of kv.
 *
 * A row is a version byte and then entries, sorted by (key, time, messageId, value):
 *   u16 key bytes, u32 value bytes, u8 messageId bytes, u16 source, u64 position, i64 time, then the three strings.
 * Traits have keys that begin with 't', memberships with 'g' (the group's id follows; the value is empty), and the
 * row of a group has one entry "i" whose value is the group's id.
 *
 * Writing reads the row, adds to it, thins it, and writes it back to the rows that wait (profile_store.c). A row has a
 * few dozen entries, and only identify writes traits. So this costs a microsecond or two for an identify, and
 * nothing for other events.
 */
#include "profile_row.h"

#include <stdlib.h>

enum {
    ROW_VERSION = 1,
    ENTRY_HEAD_BYTES = 2 + 4 + 1 + 2 + 8 + 8,
    KEY_BYTES_MAX = 1024,               /* of a trait; longer ones are left out */
    FEW_KEYS = 4,
};

struct entry *profile_push(struct entries *entries)
{
    check(vector_reserve(entries->items, entries->capacity, entries->count + 1, UINT32_MAX));
    return &entries->items[entries->count++];
}

void profile_entries_done(struct entries *entries) { free(entries->items); }

/* ---- Rows ---- */

Status profile_decode_row(Str row, uint32_t subject, struct entries *entries, Err *err)
{
    const char *at = row.bytes + 1, *end = row.bytes + row.len;
    if (row.len == 0 || row.bytes[0] != ROW_VERSION)
        return err_set(err, ERR_UNSUPPORTED, "another version of Onym wrote the profile of subject %u", subject);
    while (at < end) {
        uint16_t key_bytes;
        uint32_t value_bytes;
        if ((size_t)(end - at) < ENTRY_HEAD_BYTES) goto damaged;
        memcpy(&key_bytes, at, 2);
        memcpy(&value_bytes, at + 2, 4);
        uint8_t id_bytes = (uint8_t)at[6];
        size_t bytes = (size_t)key_bytes + value_bytes + id_bytes;
        if (key_bytes == 0 || (size_t)(end - at) - ENTRY_HEAD_BYTES < bytes) goto damaged;
        struct entry *entry = profile_push(entries);
        memcpy(&entry->source, at + 7, 2);
        memcpy(&entry->position, at + 9, 8);
        memcpy(&entry->time_ms, at + 17, 8);
        entry->subject = subject;
        at += ENTRY_HEAD_BYTES;
        entry->key = (Str){ at, key_bytes };
        entry->value = (Str){ at + key_bytes, value_bytes };
        entry->message_id = (Str){ at + key_bytes + value_bytes, id_bytes };
        at += bytes;
    }
    return OK;
damaged:
    return err_set(err, ERR_DAMAGED, "the profile of subject %u is cut short; onym rebuild makes it again", subject);
}

static size_t row_bytes(const struct entries *entries)
{
    size_t bytes = 1;
    for (size_t i = 0; i < entries->count; i++) {
        const struct entry *entry = &entries->items[i];
        bytes += ENTRY_HEAD_BYTES + entry->key.len + entry->value.len + entry->message_id.len;
    }
    return bytes;
}

static char *put_bytes(char *at, Str s)
{
    if (s.len) memcpy(at, s.bytes, s.len);
    return at + s.len;
}

/* The decoded parts are next to each other already, as the encoded ones must be. */
static char *put_strings(char *at, const struct entry *entry)
{
    const char *value = entry->key.bytes + entry->key.len;
    if (entry->value.bytes == value && entry->message_id.bytes == value + entry->value.len)
        return put_bytes(at, (Str){ entry->key.bytes, entry->key.len + entry->value.len + entry->message_id.len });
    at = put_bytes(at, entry->key);
    at = put_bytes(at, entry->value);
    return put_bytes(at, entry->message_id);
}

static void encode_row(const struct entries *entries, char *at)
{
    *at++ = ROW_VERSION;
    for (size_t i = 0; i < entries->count; i++) {
        const struct entry *entry = &entries->items[i];
        memcpy(at, &(uint16_t){ (uint16_t)entry->key.len }, 2);
        memcpy(at + 2, &(uint32_t){ (uint32_t)entry->value.len }, 4);
        at[6] = (char)(uint8_t)entry->message_id.len;
        memcpy(at + 7, &entry->source, 2);
        memcpy(at + 9, &entry->position, 8);
        memcpy(at + 17, &entry->time_ms, 8);
        at = put_strings(at + ENTRY_HEAD_BYTES, entry);
    }
}

Status profile_read_row(const struct profile *profile, struct kv_txn *txn, struct place place, struct entries *entries,
                        Err *err)
{
    Str row;
    Status s = profile_get(profile, txn, place.table, place.key, &row, err);
    if (s == ERR_NOT_FOUND) return OK;
    return s ? s : profile_decode_row(row, place.subject, entries, err);
}

/* ---- Order, and what is kept ---- */

int profile_compare_writes(const struct entry *a, const struct entry *b)
{
    if (a->time_ms != b->time_ms) return a->time_ms < b->time_ms ? -1 : 1;
    int order = str_compare(a->message_id, b->message_id);
    return order ? order : str_compare(a->value, b->value);
}

int profile_compare_entries(const void *a, const void *b)
{
    int order = str_compare(((const struct entry *)a)->key, ((const struct entry *)b)->key);
    return order ? order : profile_compare_writes(a, b);
}

/* Finds, among the entries of one key, oldest first, the last write of the value at a place. */
static size_t last_write(const struct entry *entries, size_t count, size_t at)
{
    for (size_t i = count; i-- > at;)
        if (str_equal(entries[i].value, entries[at].value)) return i;
    return at;
}

/* Does rule 4 keep this write of a user id? It is its value's first or last one, and few values are newer. */
static bool is_kept(const struct entry *entries, size_t count, size_t at)
{
    size_t last = last_write(entries, count, at), newer_values = 0;
    bool is_first = true;
    for (size_t i = 0; i < at && is_first; i++) is_first = !str_equal(entries[i].value, entries[at].value);
    for (size_t i = last + 1; i < count; i++) newer_values += last_write(entries, count, i) == i;
    return (is_first || last == at) && newer_values < PROFILE_HISTORY;
}

/* Leaves, in place, the entries of one key that rule 4 keeps. Returns how many. */
static size_t thin_key(struct entry *entries, size_t count, bool keeps_all)
{
    size_t kept = 0;
    if (count <= 1) return count;
    for (size_t i = 0; i < count; i++)
        entries[i].is_dropped = keeps_all ? i + PROFILE_HISTORY < count : !is_kept(entries, count, i);
    for (size_t i = 0; i < count; i++)
        if (!entries[i].is_dropped) entries[kept++] = entries[i];
    return kept;
}

struct newest { const struct entry *write; size_t from, to; };     /* a key's range of entries */

static int compare_newest(const void *a, const void *b)
{
    const struct newest *x = a, *y = b;
    int order = profile_compare_writes(y->write, x->write);
    return order ? order : str_compare(x->write->key, y->write->key);
}

static size_t key_bytes(const struct entry *entries, size_t from, size_t to)
{
    size_t bytes = 0;
    for (size_t i = from; i < to; i++) bytes += entries[i].key.len + entries[i].value.len + entries[i].message_id.len;
    return bytes;
}

static void drop_key(struct entries *entries, const struct newest *key)
{
    for (size_t k = key->from; k < key->to; k++) entries->items[k].is_dropped = true;
}

static void drop_by_age(struct entries *entries, struct newest *keys, size_t count)
{
    qsort(keys, count, sizeof *keys, compare_newest);
    for (size_t i = 0, bytes = 0; i < count; i++) {
        bytes += key_bytes(entries->items, keys[i].from, keys[i].to);
        if (i >= PROFILE_KEYS || (i > 0 && bytes > PROFILE_BYTES)) drop_key(entries, &keys[i]);
    }
}

/* A row that is full loses a key or two with each message: they are found without putting all in order. False if more
 * would have to go; then nothing is dropped. */
static bool drop_a_few(struct entries *entries, const struct newest *keys, size_t count)
{
    size_t bytes = key_bytes(entries->items, 0, entries->count), left = count, oldest[FEW_KEYS];
    for (size_t few = 0; left > PROFILE_KEYS || (left > 1 && bytes > PROFILE_BYTES); few++, left--) {
        size_t found = SIZE_MAX;
        if (few == FEW_KEYS) return false;
        for (size_t i = 0; i < count; i++) {
            bool is_taken = false;
            for (size_t before = 0; before < few; before++) is_taken |= oldest[before] == i;
            if (!is_taken && (found == SIZE_MAX || compare_newest(&keys[i], &keys[found]) > 0)) found = i;
        }
        oldest[few] = found;
        bytes -= key_bytes(entries->items, keys[found].from, keys[found].to);
    }
    for (size_t few = 0; few < count - left; few++) drop_key(entries, &keys[oldest[few]]);
    return true;
}

/* Rule 5: if there are too many keys or bytes, those that were written longest ago go. Each message writes the whole
 * row again, and anybody may send messages: 1,000 long traits of one user held up everybody's for half a minute. */
static void drop_oldest_keys(struct entries *entries, size_t key_count)
{
    struct newest *keys = malloc(key_count * sizeof *keys);
    check(keys);
    size_t count = 0, kept = 0;
    for (size_t from = 0, to; from < entries->count; from = to) {
        for (to = from + 1; to < entries->count && str_equal(entries->items[to].key, entries->items[from].key);) to++;
        keys[count++] = (struct newest){ &entries->items[to - 1], from, to };
    }
    for (size_t i = 0; i < entries->count; i++) entries->items[i].is_dropped = false;
    if (!drop_a_few(entries, keys, count)) drop_by_age(entries, keys, count);
    for (size_t i = 0; i < entries->count; i++)
        if (!entries->items[i].is_dropped) entries->items[kept++] = entries->items[i];
    entries->count = kept;
    free(keys);
}

static void thin(struct entries *entries, bool keeps_all)
{
    size_t kept = 0, keys = 0;
    for (size_t from = 0, to; from < entries->count; from = to, keys++) {
        for (to = from + 1; to < entries->count && str_equal(entries->items[to].key, entries->items[from].key);) to++;
        size_t count = thin_key(entries->items + from, to - from, keeps_all);
        if (kept < from) memmove(entries->items + kept, entries->items + from, count * sizeof *entries->items);
        kept += count;
    }
    entries->count = kept;
    if (keys > PROFILE_KEYS || key_bytes(entries->items, 0, kept) > PROFILE_BYTES) drop_oldest_keys(entries, keys);
}

/* ---- Writing ---- */

/* Encodes the row, and its names; the entries may borrow from the row that it takes the place of. */
static void put_row(struct profile *profile, struct place place, const struct entries *before,
                    const struct entries *after)
{
    Str row = { malloc(row_bytes(after)), row_bytes(after) };
    check(row.bytes);
    encode_row(after, (char *)(uintptr_t)row.bytes);
    if (place.table == profile->options.subjects) profile_update_names(profile, place.subject, before, after);
    /* This comes last, since it frees what the entries borrow from. */
    profile_put(profile, place.table, place.key, &row);
    free((char *)(uintptr_t)row.bytes);
}

static void push_run(struct entries *entries, const struct entries *other, size_t from, size_t to)
{
    if (from == to) return;                                     /* the other one may have no items at all */
    check(vector_reserve(entries->items, entries->capacity, entries->count + to - from, UINT32_MAX));
    memcpy(entries->items + entries->count, other->items + from, (to - from) * sizeof *other->items);
    entries->count += to - from;
}

/* Both are in order, and few are added: the place of each of these is searched for, and the others are only moved. */
static void merge_entries(const struct entries *before, const struct entries *added, struct entries *ret)
{
    size_t at = 0;
    check(vector_reserve(ret->items, ret->capacity, before->count + added->count, UINT32_MAX));
    for (size_t i = 0; i < added->count; i++) {
        size_t low = at, high = before->count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (profile_compare_entries(&before->items[middle], &added->items[i]) < 0) low = middle + 1;
            else high = middle;
        }
        push_run(ret, before, at, low);
        at = low;
        bool is_there = low < before->count && profile_compare_entries(&before->items[low], &added->items[i]) == 0;
        if (!is_there) *profile_push(ret) = added->items[i];
    }
    push_run(ret, before, at, before->count);
}

/* Adds the entries to the row, once each, and writes it back if that changed anything. */
static Status merge_row(struct profile *profile, struct place place, bool keeps_all, const struct entries *added,
                        Err *err)
{
    struct entries before = { 0 }, entries = { 0 };
    struct kv_txn *txn;
    Status s = profile_writer_txn(profile, &txn, err);
    if (!s) s = profile_read_row(profile, txn, place, &before, err);
    if (!s) merge_entries(&before, added, &entries);
    if (!s && entries.count > before.count) {
        thin(&entries, keeps_all);
        put_row(profile, place, &before, &entries);
    }
    profile_entries_done(&before);
    profile_entries_done(&entries);
    return s;
}

static int compare_traits(const void *a, const void *b)
{
    const ProfileTrait *x = *(const ProfileTrait *const *)a, *y = *(const ProfileTrait *const *)b;
    int order = str_compare(x->key, y->key);
    return order ? order : x < y ? -1 : x > y;               /* the order in which they were written */
}

/* Makes entries of the written traits; if a key is there twice, the last one counts. Their keys get the letter of
 * their kind, in names. */
static void add_writes(struct entries *entries, char kind, const ProfileWrite *write, const ProfileTrait *traits,
                       size_t count, char *names)
{
    const ProfileTrait **sorted = malloc((count + 1) * sizeof(const ProfileTrait *));
    check(sorted);
    for (size_t i = 0; i < count; i++) sorted[i] = &traits[i];
    if (count) qsort(sorted, count, sizeof *sorted, compare_traits);
    for (size_t i = 0; i < count; i++) {
        bool is_again = i + 1 < count && str_equal(sorted[i]->key, sorted[i + 1]->key);
        if (is_again || sorted[i]->key.len > KEY_BYTES_MAX) continue;
        char *name = names;
        *names++ = kind;
        names = put_bytes(names, sorted[i]->key);
        *profile_push(entries) = (struct entry){
            .key = { name, sorted[i]->key.len + 1 }, .value = sorted[i]->json, .message_id = write->message_id,
            .time_ms = write->time_ms, .position = write->position, .source = write->source,
        };
    }
    free(sorted);
}

/* What is written, and where: the letter of the keys' kind, and whether rule 4 keeps all writes of the row. */
struct target { struct place place; char kind; bool keeps_all; };

static Status write_traits(struct profile *profile, struct target target, const ProfileWrite *write,
                           const ProfileTrait *traits, size_t count, Err *err)
{
    struct entries added = { 0 };
    size_t name_bytes = 1;
    check(write->message_id.len <= UINT8_MAX);
    for (size_t i = 0; i < count; i++) name_bytes += traits[i].key.len + 1;
    char *names = malloc(name_bytes);
    check(names);
    add_writes(&added, target.kind, write, traits, count, names);
    Status s = added.count ? merge_row(profile, target.place, target.keeps_all, &added, err) : OK;
    free(names);
    profile_entries_done(&added);
    return s;
}

static void subject_key(uint32_t subject, char *key) { kv_key_u32(key, subject); }

void profile_group_key(Str group_id, char *key)
{
    profile_put_hash(key, hash_128(group_id, 0));
}

static void member_key(Str group_id, Hash128 member, uint32_t subject, char key[MEMBER_KEY_BYTES])
{
    profile_group_key(group_id, key);
    profile_put_hash(key + MEMBER_AT, member);
    subject_key(subject, key + SUBJECT_AT);
}

/* The row of a subject, whose key is made in room (4 bytes). */
static struct place subject_place(const struct profile *profile, uint32_t subject, char *room)
{
    subject_key(subject, room);
    return (struct place){ profile->options.subjects, { room, 4 }, subject };
}

Status profile_set_traits(struct profile *profile, const ProfileWriter *writer, const ProfileWrite *write,
                          const ProfileTrait *traits, size_t count, Err *err)
{
    char room[4];
    struct target target = { subject_place(profile, writer->subject, room), 't', writer->keeps_all };
    return write_traits(profile, target, write, traits, count, err);
}

Status profile_join_group(struct profile *profile, const ProfileWriter *writer, const ProfileWrite *write, Str group_id,
                          Err *err)
{
    char key[MEMBER_KEY_BYTES], room[4];
    ProfileTrait joined = { group_id, { "", 0 } };
    struct target target = { subject_place(profile, writer->subject, room), 'g', writer->keeps_all };
    Status s = write_traits(profile, target, write, &joined, 1, err);
    if (s) return s;
    member_key(group_id, writer->member, writer->subject, key);
    profile_put(profile, profile->options.members, (Str){ key, sizeof key }, &(Str){ "", 0 });
    return OK;
}

Status profile_set_group_traits(struct profile *profile, Str group_id, const ProfileWrite *write,
                                const ProfileTrait *traits, size_t count, Err *err)
{
    char key[GROUP_KEY_BYTES];
    ProfileTrait name = { { "", 0 }, group_id };
    ProfileWrite always = { .time_ms = INT64_MIN };          /* the name is the same for each writer */
    profile_group_key(group_id, key);
    struct place place = { .table = profile->options.groups, .key = { key, sizeof key } };
    Status s = write_traits(profile, (struct target){ place, 'i', false }, &always, &name, 1, err);
    return s ? s : write_traits(profile, (struct target){ place, 't', false }, write, traits, count, err);
}

static bool is_between(const struct entry *entry, Millis from_ms, Millis to_ms)
{
    return entry->time_ms >= from_ms && (entry->time_ms < to_ms || to_ms == INT64_MAX);
}

Status profile_erase(struct profile *profile, uint32_t subject, Hash128 member, Millis from_ms, Millis to_ms,
                     Err *err)
{
    struct entries entries = { 0 }, kept = { 0 };
    struct kv_txn *txn;
    char room[4], joined[MEMBER_KEY_BYTES];
    struct place place = subject_place(profile, subject, room);
    Status s = profile_writer_txn(profile, &txn, err);
    if (!s) s = profile_read_row(profile, txn, place, &entries, err);
    for (size_t i = 0; !s && i < entries.count; i++) {
        const struct entry *entry = &entries.items[i];
        if (!is_between(entry, from_ms, to_ms)) {
            *profile_push(&kept) = *entry;
            continue;
        }
        bool is_left = entry->key.bytes[0] == 'g';            /* unless it joined at another time, too */
        for (size_t k = 0; k < entries.count && is_left; k++)
            is_left = !str_equal(entries.items[k].key, entry->key) || is_between(&entries.items[k], from_ms, to_ms);
        if (!is_left) continue;
        member_key(str_slice(entry->key, 1, entry->key.len), member, subject, joined);
        profile_put(profile, profile->options.members, (Str){ joined, sizeof joined }, NULL);
    }
    if (!s && kept.count < entries.count) {
        if (kept.count) {
            put_row(profile, place, &entries, &kept);
        } else {
            profile_update_names(profile, subject, &entries, &kept);
            profile_put(profile, place.table, place.key, NULL);
        }
    }
    profile_entries_done(&entries);
    profile_entries_done(&kept);
    return s;
}
