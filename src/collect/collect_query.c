/* collect_query: the GET forms. ?data= carries a message as base64 of JSON; without it each parameter is a
 * field, and dots in its name nest (properties.email=…). In the second form all values are strings: a pixel's
 * address says nothing about types. (docs/protocol.md#pixels) */
#include "collect_stations.h"

enum { PAIRS_MAX = 256, NEST_MAX = 16 };

typedef struct Pair {
    Str name, value;
} Pair;

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' || c == '-' || c == ' ' ? 62 : c == '/' || c == '_' ? 63 : -1; /* the space was a "+" */
}

/* Takes either alphabet; padding is optional. False if a character is of neither: then *ret is what stands before. */
static bool base64_decode(Str s, Arena *arena, Str *ret)
{
    char *start = arena_bytes(arena, s.len + EVENT_PADDING_BYTES), *to = start;
    uint32_t bits = 0;
    unsigned held = 0;
    bool is_good = true;
    while (s.len && s.bytes[s.len - 1] == '=') s.len--;
    for (size_t at = 0; at < s.len; at++) {
        int digit = base64_digit(s.bytes[at]);
        is_good = digit >= 0;
        if (!is_good) break;
        bits = bits << 6 | (uint32_t)digit;
        if ((held += 6) >= 8) {
            held -= 8;
            *to++ = (char)(bits >> held & 0xFF);
        }
    }
    *ret = (Str){ start, (size_t)(to - start) };
    return is_good;
}

/* ---- Flat names to nested objects ---- */

static bool is_under(Str name, Str prefix)
{
    return name.len > prefix.len && str_starts(name, prefix) && name.bytes[prefix.len] == '.';
}

/* Did an earlier pair already write the member that the pair at `at` begins at this level? */
static bool is_written(const Pair *pairs, size_t at, Str member)
{
    for (size_t before = 0; before < at; before++)
        if (str_equal(pairs[before].name, member) || is_under(pairs[before].name, member)) return true;
    return false;
}

static bool put_level(struct buf *out, const Pair *pairs, size_t count, Str prefix, unsigned depth)
{
    bool is_first = true;
    if (depth > NEST_MAX) return false;
    buf_char(out, '{');
    for (size_t at = 0; at < count; at++) {
        Str name = pairs[at].name, rest;
        if (prefix.len && !is_under(name, prefix)) continue;
        Str inner = prefix.len ? str_slice(name, prefix.len + 1, name.len) : name;
        Str own = str_cut(inner, '.', &rest);
        Str member = { name.bytes, (size_t)(own.bytes - name.bytes) + own.len };
        if (is_written(pairs, at, member)) continue;
        if (!is_first) buf_char(out, ',');
        is_first = false;
        buf_json_string(out, own);
        buf_char(out, ':');
        if (own.len == inner.len) buf_json_string(out, pairs[at].value);
        else if (!put_level(out, pairs, count, member, depth + 1)) return false;
    }
    buf_char(out, '}');
    return true;
}

static bool is_identifier(Str s)
{
    if (s.len == 0 || s.len > 64 || (s.bytes[0] >= '0' && s.bytes[0] <= '9')) return false;
    for (size_t at = 0; at < s.len; at++) {
        char c = s.bytes[at];
        bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!is_letter && !(c >= '0' && c <= '9') && c != '_' && c != '$') return false;
    }
    return true;
}

Status collect_decode_query(Str query, Arena *arena, Str *ret_body, Str *ret_callback, Err *err)
{
    Pair *pairs = arena_new(arena, Pair, PAIRS_MAX);
    Str data = { 0 };
    size_t count = 0;
    bool has_data = false;
    *ret_callback = (Str){ 0 };
    *ret_body = percent_decode(query, true, arena);
    if (query.len > LIMIT_URL_BYTES) return err_set(err, ERR_TOO_LARGE, "query: over %d bytes", LIMIT_URL_BYTES);
    for (Str rest = query; rest.len > 0;) {
        Str value, pair = str_cut(rest, '&', &rest), name = percent_decode(str_cut(pair, '=', &value), true, arena);
        value = percent_decode(value, true, arena);
        if (name.len == 0) continue;
        if (str_equal(name, STR("data"))) {
            data = value;
            has_data = true;
        } else if (str_equal(name, STR("callback"))) {
            if (is_identifier(value)) *ret_callback = value;
        } else if (count == PAIRS_MAX) {
            return err_set(err, ERR_INPUT, "query: over %d parameters", PAIRS_MAX);
        } else {
            pairs[count++] = (Pair){ name, value };
        }
    }
    if (has_data) {
        bool is_json = str_trim(data).len && str_trim(data).bytes[0] == '{';
        if (base64_decode(data, arena, ret_body)) return OK;
        if (!is_json) return err_set_field(err, "data", "query: data is no base64");
        *ret_body = data;
        return err_set_field(err, "data", "query: data is JSON as it stands; wanted base64 of it");
    }
    struct buf out;
    size_t room = 7 * LIMIT_URL_BYTES + 16 * PAIRS_MAX;
    buf_init_fixed(&out, arena_bytes(arena, room + EVENT_PADDING_BYTES), room);
    if (!put_level(&out, pairs, count, (Str){ 0 }, 0) || !buf_ok(&out))
        return err_set(err, ERR_INPUT, "query: names nest deeper than %d levels", NEST_MAX);
    *ret_body = buf_str(&out);
    return OK;
}

/* ---- Authorization ---- */

Str collect_key_of_authorization(Str header, Arena *arena)
{
    Str credentials, decoded, ignored, scheme;
    header = str_trim(header);
    scheme = str_cut(header, ' ', &credentials);
    credentials = str_trim(credentials);
    if (credentials.len > 4 * LIMIT_WRITE_KEY_BYTES) return (Str){ 0 };
    if (str_equal_no_case(scheme, STR("Bearer"))) return arena_copy(arena, credentials);
    if (!str_equal_no_case(scheme, STR("Basic")) || !base64_decode(credentials, arena, &decoded)) return (Str){ 0 };
    return str_cut(decoded, ':', &ignored);
}
