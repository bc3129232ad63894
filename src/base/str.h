/* str: a borrowed run of bytes with its length. Never assumed to end in NUL, never owns. */
#ifndef ONYM_BASE_STR_H
#define ONYM_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct Str {
    const char *bytes;
    size_t len;
} Str;

/* STR("text"): a literal as a Str, its length known to the compiler. */
#define STR(literal) ((Str){ "" literal, sizeof(literal) - 1 })
/* For printf: "%.*s", STR_FORMAT(s). */
#define STR_FORMAT(s) (int)(s).len, (s).bytes

Str str_from(const char *text);                       /* NULL gives the empty string */
Str str_of(const void *bytes, size_t len);
bool str_equal(Str a, Str b);
/* The same, without a call for texts of up to 16 bytes: for names that are compared at every message. */
static inline bool str_equal_inline(Str a, Str b)
{
    uint64_t a8, b8, a16, b16;
    if (a.len != b.len) return false;
    if (a.len > 16) return memcmp(a.bytes, b.bytes, a.len) == 0;
    if (a.len >= 8) {
        memcpy(&a8, a.bytes, 8), memcpy(&b8, b.bytes, 8);
        memcpy(&a16, a.bytes + a.len - 8, 8), memcpy(&b16, b.bytes + b.len - 8, 8);
        return a8 == b8 && a16 == b16;
    }
    if (a.len >= 4) {
        uint32_t a4, b4, a_end, b_end;
        memcpy(&a4, a.bytes, 4), memcpy(&b4, b.bytes, 4);
        memcpy(&a_end, a.bytes + a.len - 4, 4), memcpy(&b_end, b.bytes + b.len - 4, 4);
        return a4 == b4 && a_end == b_end;
    }
    for (size_t at = 0; at < a.len; at++)
        if (a.bytes[at] != b.bytes[at]) return false;
    return true;
}
bool str_equal_no_case(Str a, Str b);                 /* ASCII letters only */
int str_compare(Str a, Str b);                        /* bytewise; a prefix comes first */
bool str_starts(Str s, Str prefix);
bool str_ends(Str s, Str suffix);
bool str_contains(Str s, Str needle);
Str str_slice(Str s, size_t from, size_t to);         /* clamped to s */
Str str_trim(Str s);                                  /* ASCII white space off both ends */

/* The part before the first separator; ret_rest is what follows it (empty if there is none).
 * Borrows from s and writes nothing into it. */
Str str_cut(Str s, char separator, Str *ret_rest);

/* Whole string as a decimal integer in [min, max]. False on anything else; ret untouched then. */
bool str_parse_int(Str s, int64_t min, int64_t max, int64_t *ret);
bool str_parse_double(Str s, double *ret);            /* finite numbers only */

static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The value of a hexadecimal digit of either case; -1: it is none. */
static inline int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Are they equal? Takes a time that depends on the lengths only. For keys and signatures. */
bool str_equal_constant_time(Str a, Str b);

#ifdef __cplusplus
}
#endif
#endif
