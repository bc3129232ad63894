/* str: everything here borrows; nothing allocates. */
#include "base.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

Str str_from(const char *text) { return (Str){ text, text ? strlen(text) : 0 }; }

Str str_of(const void *bytes, size_t len) { return (Str){ bytes, len }; }

bool str_equal(Str a, Str b) { return a.len == b.len && (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0); }

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

bool str_equal_no_case(Str a, Str b)
{
    if (a.len != b.len) return false;
    for (size_t at = 0; at < a.len; at++)
        if (lower(a.bytes[at]) != lower(b.bytes[at])) return false;
    return true;
}

int str_compare(Str a, Str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.bytes, b.bytes, common) : 0;
    if (order) return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool str_starts(Str s, Str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.bytes, prefix.bytes, prefix.len) == 0);
}

bool str_ends(Str s, Str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.bytes + s.len - suffix.len, suffix.bytes, suffix.len) == 0);
}

bool str_contains(Str s, Str needle)
{
    if (needle.len == 0) return true;
    return s.len >= needle.len && memmem(s.bytes, s.len, needle.bytes, needle.len) != NULL;
}

Str str_slice(Str s, size_t from, size_t to)
{
    if (to > s.len) to = s.len;
    if (from >= to) return (Str){ s.bytes, 0 };
    return (Str){ s.bytes + from, to - from };
}

Str str_trim(Str s)
{
    while (s.len && isspace((unsigned char)s.bytes[0])) s = str_slice(s, 1, s.len);
    while (s.len && isspace((unsigned char)s.bytes[s.len - 1])) s.len--;
    return s;
}

Str str_cut(Str s, char separator, Str *ret_rest)
{
    const char *hit = s.len ? memchr(s.bytes, separator, s.len) : NULL;
    if (!hit) {
        *ret_rest = (Str){ s.bytes ? s.bytes + s.len : NULL, 0 };
        return s;
    }
    size_t at = (size_t)(hit - s.bytes);
    *ret_rest = (Str){ hit + 1, s.len - at - 1 };
    return (Str){ s.bytes, at };
}

bool str_parse_int(Str s, int64_t min, int64_t max, int64_t *ret)
{
    bool negative = s.len && s.bytes[0] == '-';
    size_t at = negative ? 1 : 0;
    if (at == s.len) return false;
    int64_t value = 0;
    for (; at < s.len; at++) {
        if (s.bytes[at] < '0' || s.bytes[at] > '9') return false;
        int digit = s.bytes[at] - '0';
        if (__builtin_mul_overflow(value, 10, &value)) return false;
        if (__builtin_sub_overflow(value, digit, &value)) return false;   /* downwards: INT64_MIN fits */
    }
    if (!negative && __builtin_sub_overflow((int64_t)0, value, &value)) return false;
    if (value < min || value > max) return false;
    *ret = value;
    return true;
}

bool str_parse_double(Str s, double *ret)
{
    char text[64], *end;
    if (s.len == 0 || s.len >= sizeof text || isspace((unsigned char)s.bytes[0])) return false;
    memcpy(text, s.bytes, s.len);
    text[s.len] = 0;
    double value = strtod(text, &end);
    if (end != text + s.len || !isfinite(value)) return false;
    *ret = value;
    return true;
}

bool str_equal_constant_time(Str a, Str b)
{
    unsigned char difference = a.len != b.len;
    for (size_t at = 0; at < a.len; at++)
        difference |= (unsigned char)(a.bytes[at] ^ (b.len ? b.bytes[at % b.len] : 1));
    return difference == 0;
}
