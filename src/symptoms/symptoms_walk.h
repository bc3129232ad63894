/* symptoms_walk: the members of an object in canonical JSON, one after the other, as they stand in the text.
 *
 * For the applier, which looks at every message: nothing is converted and nothing allocated. A parser has approved the
 * text before; still any bytes are safe: what is malformed ends the walk.
 */
#ifndef ONYM_SYMPTOMS_WALK_H
#define ONYM_SYMPTOMS_WALK_H

#include "base/base.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct symptoms_walk { const char *at, *end; };

/* A value's first byte says what it is: '"', '{', '[', 't', 'f', 'n', else a number. */
typedef struct SymptomMember {
    Str key;                                /* as it stands, escapes and all */
    Str raw;                                /* the value with its quotes and braces */
    bool has_escape;                        /* of a string */
} SymptomMember;

/* The first quote or backslash at or behind the place; end where there is none. */
static inline const char *walk_find_quote(const char *at, const char *end)
{
#ifdef __SSE2__
    const __m128i quotes = _mm_set1_epi8('"'), slashes = _mm_set1_epi8('\\');
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        int found = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, quotes), _mm_cmpeq_epi8(bytes, slashes)));
        if (found) return at + __builtin_ctz((unsigned)found);
    }
#endif
    while (at < end && *at != '"' && *at != '\\') at++;
    return at;
}

/* Stands at an opening quote, passes the closing one. */
static inline bool walk_string(struct symptoms_walk *walk, bool *ret_has_escape)
{
    const char *at = walk_find_quote(walk->at + 1, walk->end);
    *ret_has_escape = false;
    while (at < walk->end && *at == '\\') {
        *ret_has_escape = true;
        if (walk->end - at < 2) return false;
        at = walk_find_quote(at + 2, walk->end);
    }
    if (at >= walk->end) return false;
    walk->at = at + 1;
    return true;
}

static inline void walk_space(struct symptoms_walk *walk)
{
    while (walk->at < walk->end && (unsigned char)*walk->at <= ' ') walk->at++;
}

/* Passes a value, whatever it is. */
static inline bool walk_value(struct symptoms_walk *walk, bool *ret_has_escape)
{
    int depth = 0;
    *ret_has_escape = false;
    do {
        if (walk->at >= walk->end) return false;
        char c = *walk->at;
        if (c == '"') {
            if (!walk_string(walk, ret_has_escape)) return false;
            continue;
        }
        walk->at++;
        if (c == '{' || c == '[') depth++;
        else if (c == '}' || c == ']') depth--;
        else if (depth == 0)
            while (walk->at < walk->end && *walk->at != ',' && *walk->at != '}' && *walk->at != ']') walk->at++;
    } while (depth > 0);
    return depth == 0;
}

/* Steps into an object; false where it is none. */
static inline bool walk_enter(struct symptoms_walk *walk, Str object)
{
    *walk = (struct symptoms_walk){ object.bytes + 1, object.bytes + object.len };
    return object.len >= 2 && object.bytes[0] == '{';
}

/* The next member; false after the last one. */
static inline bool walk_next(struct symptoms_walk *walk, SymptomMember *ret)
{
    bool has_escape;
    walk_space(walk);
    if (walk->at < walk->end && *walk->at == ',') walk->at++, walk_space(walk);
    const char *key = walk->at;
    if (key >= walk->end || *key != '"' || !walk_string(walk, &has_escape)) return false;
    ret->key = (Str){ key + 1, (size_t)(walk->at - key - 2) };
    walk_space(walk);
    if (walk->at >= walk->end || *walk->at != ':') return false;
    walk->at++;
    walk_space(walk);
    const char *value = walk->at;
    if (!walk_value(walk, &ret->has_escape) || walk->at == value) return false;
    ret->raw = (Str){ value, (size_t)(walk->at - value) };
    return true;
}

/* The next item of a list; begin with walk_enter's like, behind the bracket. */
static inline bool walk_item(struct symptoms_walk *walk, SymptomMember *ret)
{
    walk_space(walk);
    if (walk->at < walk->end && *walk->at == ',') walk->at++, walk_space(walk);
    const char *value = walk->at;
    if (value >= walk->end || *value == ']' || !walk_value(walk, &ret->has_escape) || walk->at == value) return false;
    ret->key = (Str){ 0 };
    ret->raw = (Str){ value, (size_t)(walk->at - value) };
    return true;
}

/* A string without its quotes; empty for anything else. */
static inline Str walk_text(Str raw)
{
    return raw.len >= 2 && raw.bytes[0] == '"' ? (Str){ raw.bytes + 1, raw.len - 2 } : (Str){ 0 };
}

#endif
