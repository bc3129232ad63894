/* Names: finds the subjects whose email or name begins with a text.
 *
 * A key of the table is the lower-case text (ASCII letters only; cut to NAME_BYTES), a zero byte, the subject; there
 * is no value. The keys are a function of the subject's row, so what is thinned or erased there is not found here. */
#include "profile_row.h"

#include <stdlib.h>

enum { NAME_BYTES = 200 };

static const char *const name_traits[] = { "email", "name", "firstName", "lastName", "username" };

/* Most entries are not names, and each message of a subject asks this about all entries: the first letter is enough. */
static bool is_name(const struct entry *entry)
{
    Str key = entry->key;
    if (key.len < 2 || key.bytes[0] != 't' || !key.bytes[1] || !strchr("enflu", key.bytes[1])) return false;
    if (entry->value.len < 3 || entry->value.bytes[0] != '"') return false;
    for (size_t i = 0; i < countof(name_traits); i++)
        if (str_equal(str_slice(key, 1, key.len), str_from(name_traits[i]))) return true;
    return false;
}

/* The entries of a row that are names: a few dozen at most, whatever else it has. */
struct names { const struct entry **items; size_t count, capacity; };

static struct names find_names(const struct entries *entries)
{
    struct names names = { 0 };
    for (size_t i = 0; i < entries->count; i++) {
        if (!is_name(&entries->items[i])) continue;
        check(vector_reserve(names.items, names.capacity, names.count + 1, UINT32_MAX));
        names.items[names.count++] = &entries->items[i];
    }
    return names;
}

/* The key of an entry that is a name. */
static size_t name_key(const struct entry *entry, uint32_t subject, char key[NAME_BYTES + 5])
{
    size_t len = 0;
    Str value = str_slice(entry->value, 1, entry->value.len - 1);
    for (size_t i = 0; i < value.len && len < NAME_BYTES; i++) {
        char c = value.bytes[i];
        key[len++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    key[len++] = 0;
    kv_key_u32(key + len, subject);
    return len + 4;
}

static bool has_key(const struct names *names, uint32_t subject, Str key)
{
    char other[NAME_BYTES + 5];
    for (size_t i = 0; i < names->count; i++)
        if (str_equal((Str){ other, name_key(names->items[i], subject, other) }, key)) return true;
    return false;
}

void profile_update_names(struct profile *profile, uint32_t subject, const struct entries *before,
                          const struct entries *after)
{
    const Str nothing = { "", 0 };
    struct names old = find_names(before), new = find_names(after);
    char bytes[NAME_BYTES + 5];
    for (size_t i = 0; i < old.count; i++) {
        Str key = { bytes, name_key(old.items[i], subject, bytes) };
        if (!has_key(&new, subject, key)) profile_put(profile, profile->options.names, key, NULL);
    }
    for (size_t i = 0; i < new.count; i++) {
        Str key = { bytes, name_key(new.items[i], subject, bytes) };
        if (!has_key(&old, subject, key)) profile_put(profile, profile->options.names, key, &nothing);
    }
    free(old.items);
    free(new.items);
}

struct name_search { uint32_t *subjects; size_t count, max; };

static bool take_subject(void *context, Str key)
{
    struct name_search *search = context;
    if (key.len < 5) return true;
    uint32_t subject = kv_read_u32(key.bytes + key.len - 4);
    for (size_t i = 0; i < search->count; i++)
        if (search->subjects[i] == subject) return true;
    search->subjects[search->count++] = subject;
    return search->count < search->max;
}

Status profile_find_name(struct profile_reader *reader, Str text, size_t max, uint32_t *subjects, size_t *ret_count,
                         Err *err)
{
    char prefix[NAME_BYTES];
    struct name_search search = { subjects, 0, max };
    size_t len = text.len < NAME_BYTES ? text.len : NAME_BYTES;
    *ret_count = 0;
    if (len == 0 || max == 0) return OK;
    for (size_t i = 0; i < len; i++)
        prefix[i] = text.bytes[i] >= 'A' && text.bytes[i] <= 'Z' ? (char)(text.bytes[i] | 0x20) : text.bytes[i];
    Status s = profile_lock(reader, err);
    if (s) return s;
    struct key_range range = { reader->profile->options.names, { prefix, len }, { "", 0 } };
    s = profile_visit_keys(reader, range, take_subject, &search, err);
    profile_unlock(reader);
    *ret_count = search.count;
    return s;
}
