/* Names: which subjects somebody may mean by the beginning of an email or a name.
 *
 * A key of the table is the lower-case text (ASCII letters only; cut to NAME_BYTES), a zero byte, the subject; there
 * is no value. The keys are a function of the subject's row, so what is thinned or erased there is not found here. */
#include "profile_row.h"

enum { NAME_BYTES = 200 };

static const char *const name_traits[] = { "email", "name", "firstName", "lastName", "username" };

/* The key of an entry, or 0 where it is no name. */
static size_t name_key(const struct entry *entry, uint32_t subject, char key[NAME_BYTES + 5])
{
    bool is_name = false;
    Str value = entry->value;
    if (entry->key.len < 2 || entry->key.bytes[0] != 't' || value.len < 3 || value.bytes[0] != '"') return 0;
    for (size_t i = 0; i < countof(name_traits) && !is_name; i++)
        is_name = str_equal(str_slice(entry->key, 1, entry->key.len), str_from(name_traits[i]));
    if (!is_name) return 0;
    size_t len = 0;
    value = str_slice(value, 1, value.len - 1);
    for (size_t i = 0; i < value.len && len < NAME_BYTES; i++) {
        char c = value.bytes[i];
        key[len++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    key[len++] = 0;
    kv_key_u32(key + len, subject);
    return len + 4;
}

static bool has_key(const struct entries *entries, uint32_t subject, Str key)
{
    char other[NAME_BYTES + 5];
    for (size_t i = 0; i < entries->count; i++)
        if (str_equal((Str){ other, name_key(&entries->items[i], subject, other) }, key)) return true;
    return false;
}

void profile_update_names(struct profile *profile, uint32_t subject, const struct entries *before,
                          const struct entries *after)
{
    const Str nothing = { "", 0 };
    char key[NAME_BYTES + 5];
    for (size_t i = 0; i < before->count; i++) {
        Str old = { key, name_key(&before->items[i], subject, key) };
        if (old.len && !has_key(after, subject, old)) profile_put(profile, profile->options.names, old, NULL);
    }
    for (size_t i = 0; i < after->count; i++) {
        Str new = { key, name_key(&after->items[i], subject, key) };
        if (new.len && !has_key(before, subject, new)) profile_put(profile, profile->options.names, new, &nothing);
    }
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
