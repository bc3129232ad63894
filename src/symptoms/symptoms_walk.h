/* symptoms_walk: the members of an object in canonical JSON, one after the other, as they stand in the text.
 *
 * For the applier, which looks at every message: nothing is converted and nothing allocated. One pass over the text, 64
 * bytes at a time, notes where quotes end and begin strings, and where braces and brackets stand outside of them
 * (struct symptoms_map); after that a string or a whole object is passed by looking for the next bit.
 *
 * A parser has approved the text before; still any bytes are safe: what is malformed ends the walk.
 */
#ifndef ONYM_SYMPTOMS_WALK_H
#define ONYM_SYMPTOMS_WALK_H

#include "base/base.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { MAP_BYTES_MOST = LIMIT_RECORD_BYTES, MAP_WORDS = MAP_BYTES_MOST / 64 + 1 };

struct symptoms_map {
    const char *bytes;
    uint32_t len;
    bool has_escapes;                       /* a backslash is in it somewhere */
    uint64_t quotes[MAP_WORDS];             /* of the ends of strings */
    uint64_t braces[MAP_WORDS];             /* braces and brackets outside of strings */
};

/* A bit a byte. */
struct map_masks { uint64_t quotes, slashes, braces; };

#define MAP_BIT(part, shift) ((uint64_t)(unsigned)_mm_movemask_epi8(part) << (shift))
#define MAP_BITS(a, b, c, d) (MAP_BIT(a, 0) | MAP_BIT(b, 16) | MAP_BIT(c, 32) | MAP_BIT(d, 48))

static inline struct map_masks map_look(const char *bytes)
{
    struct map_masks masks = { 0 };
#ifdef __SSE2__
    const __m128i *parts = (const __m128i *)(const void *)bytes;
    __m128i a = _mm_loadu_si128(parts), b = _mm_loadu_si128(parts + 1);
    __m128i c = _mm_loadu_si128(parts + 2), d = _mm_loadu_si128(parts + 3);
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    /* With these bits { } [ ] are 0x7f; so are Y _ y and 0x7f, which stand in strings only. */
    const __m128i blank = _mm_set1_epi8(0x26), brace = _mm_set1_epi8(0x7f);
    masks.quotes = MAP_BITS(_mm_cmpeq_epi8(a, quote), _mm_cmpeq_epi8(b, quote), _mm_cmpeq_epi8(c, quote),
                            _mm_cmpeq_epi8(d, quote));
    masks.braces = MAP_BITS(_mm_cmpeq_epi8(_mm_or_si128(a, blank), brace), _mm_cmpeq_epi8(_mm_or_si128(b, blank),
        brace),
                            _mm_cmpeq_epi8(_mm_or_si128(c, blank), brace), _mm_cmpeq_epi8(_mm_or_si128(d, blank),
                                brace));
    __m128i slashes = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(a, slash), _mm_cmpeq_epi8(b, slash)),
                                   _mm_or_si128(_mm_cmpeq_epi8(c, slash), _mm_cmpeq_epi8(d, slash)));
    if (__builtin_expect(_mm_movemask_epi8(slashes), 0))
        masks.slashes = MAP_BITS(_mm_cmpeq_epi8(a, slash), _mm_cmpeq_epi8(b, slash), _mm_cmpeq_epi8(c, slash),
                                 _mm_cmpeq_epi8(d, slash));
#else
    for (int at = 0; at < 64; at++) {
        masks.quotes |= (uint64_t)(bytes[at] == '"') << at;
        masks.slashes |= (uint64_t)(bytes[at] == '\\') << at;
        masks.braces |= (uint64_t)((bytes[at] | 0x26) == 0x7f) << at;
    }
#endif
    return masks;
}

/* Quotes behind a backslash that is not itself escaped end nothing. *is_escaped: the first byte of the block is; and
 * then that of the next one. */
static inline uint64_t map_unescape(struct map_masks masks, bool *is_escaped)
{
    uint64_t escaped = *is_escaped;
    *is_escaped = false;
    for (uint64_t slashes = masks.slashes & ~escaped; slashes;) {
        int at = __builtin_ctzll(slashes);
        if (at == 63) *is_escaped = true;
        else escaped |= UINT64_C(2) << at;
        slashes &= ~(UINT64_C(3) << at);                     /* what it escapes, too */
    }
    return masks.quotes & ~escaped;
}

/* Bit n: the parity of the bits up to n. */
static inline uint64_t map_parity(uint64_t bits)
{
    bits ^= bits << 1, bits ^= bits << 2, bits ^= bits << 4;
    bits ^= bits << 8, bits ^= bits << 16, bits ^= bits << 32;
    return bits;
}

/* Longer texts than MAP_BYTES_MOST are cut. */
static inline void map_text(struct symptoms_map *map, Str text)
{
    uint64_t inside = 0;
    bool is_escaped = false;
    char rest[64];
    map->bytes = text.bytes;
    map->len = text.len < MAP_BYTES_MOST ? (uint32_t)text.len : MAP_BYTES_MOST;
    map->has_escapes = false;
    for (uint32_t at = 0; at < map->len; at += 64) {
        const char *bytes = text.bytes + at;
        if (map->len - at < 64) {
            memset(rest, ' ', sizeof rest);
            memcpy(rest, bytes, map->len - at);
            bytes = rest;
        }
        struct map_masks masks = map_look(bytes);
        if (__builtin_expect(masks.slashes || is_escaped, 0)) {
            masks.quotes = map_unescape(masks, &is_escaped);
            map->has_escapes = true;
        }
        uint64_t strings = map_parity(masks.quotes) ^ inside;
        inside = (uint64_t)((int64_t)strings >> 63);
        map->quotes[at / 64] = masks.quotes;
        map->braces[at / 64] = masks.braces & ~strings;
    }
}

/* The first bit at or behind the place; the text's length where there is none. */
static inline uint32_t map_next(const uint64_t *bits, uint32_t at, uint32_t len)
{
    if (at >= len) return len;
    uint32_t word = at / 64;
    uint64_t rest = bits[word] >> at % 64 << at % 64;
    while (!rest) {
        if (++word * 64 >= len) return len;
        rest = bits[word];
    }
    return word * 64 + (uint32_t)__builtin_ctzll(rest);
}

/* ---- Walking ---- */

struct symptoms_walk { const struct symptoms_map *map; uint32_t at; };

/* A value's first byte says what it is: '"', '{', '[', 't', 'f', 'n', else a number. */
typedef struct SymptomMember {
    Str key;                                /* as it stands, escapes and all */
    Str raw;                                /* the value with its quotes and braces */
    bool has_escape;                        /* of a string */
} SymptomMember;

static inline void walk_space(struct symptoms_walk *walk)
{
    while (walk->at < walk->map->len && (unsigned char)walk->map->bytes[walk->at] <= ' ') walk->at++;
}

static inline bool walk_is(const struct symptoms_walk *walk, char c)
{
    return walk->at < walk->map->len && walk->map->bytes[walk->at] == c;
}

/* Passes a value, whatever it is; false where it does not end. */
static inline bool walk_value(struct symptoms_walk *walk)
{
    const struct symptoms_map *map = walk->map;
    uint32_t len = map->len, at = walk->at;
    if (at >= len) return false;
    char c = map->bytes[at];
    if (c == '"') {
        at = map_next(map->quotes, at + 1, len);
    } else if (c == '{' || c == '[') {
        for (int depth = 1; depth > 0;) {
            at = map_next(map->braces, at + 1, len);
            if (at == len) return false;
            depth += map->bytes[at] == '{' || map->bytes[at] == '[' ? 1 : -1;
        }
    } else {
        while (at < len && map->bytes[at] != ',' && map->bytes[at] != '}' && map->bytes[at] != ']') at++;
        walk->at = at;
        return true;
    }
    walk->at = at + 1;
    return at < len;
}

/* Begins behind the brace or bracket that the value, a part of the text, begins with; false where it is none. */
static inline bool walk_enter(struct symptoms_walk *walk, const struct symptoms_map *map, Str value)
{
    if (value.len < 2 || (value.bytes[0] != '{' && value.bytes[0] != '[')) return false;
    *walk = (struct symptoms_walk){ map, (uint32_t)(value.bytes - map->bytes) + 1 };
    return true;
}

static inline bool walk_take(struct symptoms_walk *walk, SymptomMember *ret)
{
    const struct symptoms_map *map = walk->map;
    uint32_t from = walk->at;
    if (walk_is(walk, '"')) {                                /* most are texts */
        walk->at = map_next(map->quotes, from + 1, map->len) + 1;
        if (walk->at > map->len) return false;
    } else if (!walk_value(walk) || walk->at == from) {
        return false;
    }
    ret->raw = (Str){ map->bytes + from, walk->at - from };
    ret->has_escape = map->has_escapes && ret->raw.bytes[0] == '"' && memchr(ret->raw.bytes, '\\', ret->raw.len);
    return true;
}

static inline void walk_comma(struct symptoms_walk *walk)
{
    if (!walk_is(walk, ',')) walk_space(walk);
    if (!walk_is(walk, ',')) return;
    walk->at++;
    walk_space(walk);
}

/* The next member of an object; false after the last one. */
static inline bool walk_next(struct symptoms_walk *walk, SymptomMember *ret)
{
    walk_comma(walk);
    const struct symptoms_map *map = walk->map;
    uint32_t key = walk->at;
    if (!walk_is(walk, '"')) return false;
    walk->at = map_next(map->quotes, key + 1, map->len) + 1;
    ret->key = (Str){ map->bytes + key + 1, walk->at - key - 2 };
    if (!walk_is(walk, ':')) walk_space(walk);
    if (!walk_is(walk, ':')) return false;
    walk->at++;
    walk_space(walk);
    return walk_take(walk, ret);
}

/* The next item of a list. */
static inline bool walk_item(struct symptoms_walk *walk, SymptomMember *ret)
{
    walk_comma(walk);
    ret->key = (Str){ 0 };
    return !walk_is(walk, ']') && walk_take(walk, ret);
}

/* A string without its quotes; empty for anything else. */
static inline Str walk_text(Str raw)
{
    return raw.len >= 2 && raw.bytes[0] == '"' ? (Str){ raw.bytes + 1, raw.len - 2 } : (Str){ 0 };
}

#endif
