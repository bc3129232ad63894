/* symptoms_ids: what an id looks like. Pure functions. */
#include "symptoms_private.h"

static bool is_letter(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
static bool is_hex(char c) { return hex_value(c) >= 0; }
static bool is_blank(char c) { return (unsigned char)c <= ' '; }
static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c; }

static Str trimmed(Str text)
{
    while (text.len && is_blank(text.bytes[0])) text.bytes++, text.len--;
    while (text.len && is_blank(text.bytes[text.len - 1])) text.len--;
    return text;
}

/* ---- Shapes ---- */

static bool is_all(Str text, bool (*is_one)(char))
{
    for (size_t at = 0; at < text.len; at++)
        if (!is_one(text.bytes[at])) return false;
    return text.len > 0;
}

static bool is_uuid(Str id)
{
    if (id.len != 36) return false;
    for (size_t at = 0; at < 36; at++) {
        bool is_hyphen = at == 8 || at == 13 || at == 18 || at == 23;
        if (is_hyphen ? id.bytes[at] != '-' : !is_hex(id.bytes[at])) return false;
    }
    return true;
}

/* Crockford's alphabet lacks I, L, O and U; the first of 26 digits is at most 7. */
static bool is_ulid(Str id)
{
    if (id.len != 26 || id.bytes[0] < '0' || id.bytes[0] > '7') return false;
    for (size_t at = 0; at < id.len; at++) {
        char c = lower(id.bytes[at]);
        if (!is_digit(c) && (!is_letter(c) || c == 'i' || c == 'l' || c == 'o' || c == 'u')) return false;
    }
    return true;
}

/* Letters, then _ or |, then something with a digit in it: user_123, auth0|5f…. A name (kim_smith) has no such
 * prefix. */
static size_t prefix_len(Str id)
{
    size_t at = 0;
    while (at < id.len && at < 16 && (is_letter(id.bytes[at]) || is_digit(id.bytes[at]) || id.bytes[at] == '-')) at++;
    if (at == 0 || at >= id.len || !is_letter(id.bytes[0]) || (id.bytes[at] != '_' && id.bytes[at] != '|')) return 0;
    if (id.bytes[at] == '|') return at + 1;
    for (size_t rest = at + 1; rest < id.len; rest++)
        if (is_digit(id.bytes[rest])) return at + 1;
    return 0;
}

static bool is_url(Str id) { return str_starts(id, STR("http://")) || str_starts(id, STR("https://")); }

const char *symptoms_id_shape(Str id, size_t *ret_prefix_len)
{
    *ret_prefix_len = 0;
    id = trimmed(id);
    if (is_all(id, is_digit) && id.len < 20) return "integer";
    if (is_uuid(id)) return "uuid";
    if (is_ulid(id)) return "ulid";
    if (is_all(id, is_hex)) {
        if (id.len == 24) return "24 hex";
        if (id.len == 32) return "32 hex";
        if (id.len == 40) return "40 hex";
        if (id.len == 64) return "64 hex";
    }
    const char *found = id.len ? memchr(id.bytes, '@', id.len) : NULL;
    if (found && found > id.bytes && memchr(found, '.', id.len - (size_t)(found - id.bytes)) && !is_url(id)
        && !memchr(id.bytes, '|', id.len)) return "email";
    if (id.len && id.bytes[0] == '+' && is_all(str_slice(id, 1, id.len), is_digit)) return "phone";
    if (symptoms_is_phone(id)) return "phone";
    const char *secret = symptoms_secret(id);
    if (secret && secret[0] == 'j') return "jwt";
    if (is_url(id)) return "url";
    *ret_prefix_len = prefix_len(id);
    return *ret_prefix_len ? "prefix" : "other";
}

uint64_t symptoms_fold_id(Str id, uint64_t seed)
{
    char room[LIMIT_ID_BYTES];
    id = trimmed(id);
    if (id.len > sizeof room) id.len = sizeof room;
    for (size_t at = 0; at < id.len; at++) room[at] = lower(id.bytes[at]);
    return hash_64(str_of(room, id.len), seed);
}

/* ---- Values that name nobody ---- */

#define WORD(literal) { literal, sizeof(literal) - 1 }
static const Str odd_words[] = {
    WORD("null"), WORD("undefined"), WORD("-1"), WORD("guest"), WORD("anonymous"), WORD("anonymousid"), WORD("unknown"),
    WORD("none"), WORD("[object object]"), WORD("nan"), WORD("nil"), WORD("<nil>"), WORD("(null)"), WORD("true"),
    WORD("false"), WORD("id"), WORD("userid"), WORD("user_id"), WORD("distinct_id"), WORD("email"), WORD("user"),
    WORD("test"), WORD("not_authenticated"), WORD("n/a"), WORD("<user_id>"),
};
enum { ODD_WORD_BYTES = 17 };

static const char *find_odd_word(Str id)
{
    char room[ODD_WORD_BYTES];
    if (id.len > sizeof room) return NULL;
    for (size_t at = 0; at < id.len; at++) room[at] = lower(id.bytes[at]);
    for (size_t at = 0; at < countof(odd_words); at++)
        if (odd_words[at].len == id.len && !memcmp(odd_words[at].bytes, room, id.len)) return odd_words[at].bytes;
    return NULL;
}

static bool is_zeros(Str id)
{
    for (size_t at = 0; at < id.len; at++)
        if (id.bytes[at] != '0' && id.bytes[at] != '-') return false;
    return id.len > 0;
}

static const char *odd_kind(Str id)
{
    char first = id.bytes[0];
    if (id.len > 200) return "long";
    if (str_contains(id, STR("{{")) || str_contains(id, STR("${")) || str_equal(id, STR("%s")) || str_equal(id,
        STR("%d")))
        return "template";
    if (first == ':' && is_all(str_slice(id, 1, id.len), is_letter)) return "template";
    if (first == '<' && id.bytes[id.len - 1] == '>') return "template";
    if (first == '{' || (first == '[' && id.bytes[id.len - 1] == ']')) return "json";
    const char *secret = symptoms_secret(id);
    if (secret && secret[0] == 'j') return "jwt";
    return is_url(id) ? "url" : NULL;
}

/* Most ids are numbers and uuids. An id that begins with a digit other than zero is none of the words. */
const char *symptoms_odd_id(Str id)
{
    id = trimmed(id);
    if (!id.len) return "blank";
    char first = id.bytes[0];
    if (first > '0' && first <= '9' && id.len <= 36) return memchr(id.bytes, '{', id.len) ? odd_kind(id) : NULL;
    if (id.len == 36 && id.bytes[8] == '-' && id.bytes[13] == '-' && memcmp(id.bytes, "00000000", 8) != 0) return NULL;
    bool is_quoted = id.len >= 2 && (first == '"' || first == '\'') && id.bytes[id.len - 1] == first;
    if (is_quoted && symptoms_odd_id(str_slice(id, 1, id.len - 1))) return "quoted";
    const char *word = find_odd_word(id);
    if (word) return word;
    if (is_zeros(id)) return "zeros";
    return id.len > 200 || !is_letter(first) || first == 'e' || first == 'h' || memchr(id.bytes, '{', id.len)
         ? odd_kind(id) : NULL;
}
