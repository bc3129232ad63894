/* event_members: the members of an object in canonical JSON, one after the other, as they stand in the text.
 *
 * For who wants a few members of a message and passes over the rest: nothing is converted, built or allocated. Who
 * wants most of them, or shares what was found with others, takes the outline (event_outline.h), which is made by these
 * functions.
 *
 *     EventMembers members;
 *     EventMember member;
 *     if (event_members_open(&members, json))
 *         while (event_members_next(&members, &member)) ...member.key, member.raw...
 *
 * A name is given as it stands, without its quotes and with its escapes; a value with its quotes and brackets. The
 * value's first byte says what it is: '"', '{', '[', 't', 'f', 'n', else a number. White space between tokens is passed
 * over.
 *
 * A parser has approved the text before; still any bytes are safe: what is malformed ends the walk, nothing after the
 * text's end is read, and a value lies within the text always. Pure functions, any thread.
 */
#ifndef ONYM_EVENT_EVENT_MEMBERS_H
#define ONYM_EVENT_EVENT_MEMBERS_H

#include "base/base.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef struct EventMembers { const char *at, *end; } EventMembers;

typedef struct EventMember {
    Str key;                                /* empty: of a list's item */
    Str raw;
    bool has_escape;                        /* a backslash stands in it, where it is a text */
} EventMember;

/* The quote that ends the text which begins at the place, after its opening quote; `end` if the text does not end. */
static inline const char *event_text_end(const char *at, const char *end, bool *ret_has_escape)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
#endif
    *ret_has_escape = false;
    while (at < end) {
#ifdef __SSE2__
        if (end - at >= 16) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
            int found = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)));
            if (!found) {
                at += 16;
                continue;
            }
            at += __builtin_ctz((unsigned)found);
        }
#endif
        if (*at == '"') return at;
        if (*at++ != '\\') continue;
        *ret_has_escape = true;
        if (at < end) at++;                                 /* what it escapes */
    }
    return end;
}

static inline const char *event_pass_space(const char *at, const char *end)
{
    while (at < end && (unsigned char)*at <= ' ') at++;
    return at;
}

/* The end of a number, true, false or null that begins at the place. */
static inline const char *event_word_end(const char *at, const char *end)
{
    while (at < end && *at != ',' && *at != '}' && *at != ']' && (unsigned char)*at > ' ' && *at != '"' && *at != ':'
           && *at != '{' && *at != '[') at++;
    return at;
}

/* After the bracket that ends the value whose opening one is at the place; NULL: the value does not end. */
static inline const char *event_bracket_end(const char *at, const char *end)
{
    bool has_escape;
    for (size_t depth = 0; at < end; at++) {
        char c = *at;
        if (c == '"') {
            at = event_text_end(at + 1, end, &has_escape);
            if (at == end) return NULL;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return at + 1;
        }
    }
    return NULL;
}

/* After the value that begins at the place; NULL: there is none, or it does not end. */
static inline const char *event_value_end(const char *at, const char *end, bool *ret_has_escape)
{
    *ret_has_escape = false;
    if (at == end) return NULL;
    if (*at == '"') {
        const char *quote = event_text_end(at + 1, end, ret_has_escape);
        return quote == end ? NULL : quote + 1;
    }
    if (*at == '{' || *at == '[') return event_bracket_end(at, end);
    const char *behind = event_word_end(at, end);
    return behind == at ? NULL : behind;
}

/* Begins after the bracket that the value opens with; false: the value is neither an object nor a list. */
static inline bool event_members_open(EventMembers *members, Str value)
{
    const char *end = value.bytes + value.len, *at = value.len ? event_pass_space(value.bytes, end) : end;
    if (at == end || (*at != '{' && *at != '[')) return false;
    *members = (EventMembers){ at + 1, end };
    return true;
}

static inline void event_members_comma(EventMembers *members)
{
    members->at = event_pass_space(members->at, members->end);
    if (members->at < members->end && *members->at == ',')
        members->at = event_pass_space(members->at + 1, members->end);
}

/* The name of the next member and its colon: then its value is taken, or, an object or a list, entered. False after the
 * last one. */
static inline bool event_members_key(EventMembers *members, Str *ret)
{
    bool has_escape;
    event_members_comma(members);
    const char *key = members->at, *end = members->end;
    if (key == end || *key != '"') return false;
    const char *quote = event_text_end(key + 1, end, &has_escape);
    if (quote == end) return false;
    *ret = (Str){ key + 1, (size_t)(quote - key - 1) };
    const char *colon = event_pass_space(quote + 1, end);
    if (colon == end || *colon != ':') return false;
    members->at = event_pass_space(colon + 1, end);
    return true;
}

static inline bool event_members_take(EventMembers *members, EventMember *ret)
{
    const char *behind = event_value_end(members->at, members->end, &ret->has_escape);
    if (!behind) return false;
    ret->raw = (Str){ members->at, (size_t)(behind - members->at) };
    members->at = behind;
    return true;
}

/* The next value is an object: begins with its members. */
static inline bool event_members_enter(const EventMembers *members, EventMembers *ret_inside)
{
    if (members->at == members->end || *members->at != '{') return false;
    *ret_inside = (EventMembers){ members->at + 1, members->end };
    return true;
}

/* After the last member inside: goes on after the object. False: it does not end there. */
static inline bool event_members_leave(EventMembers *members, const EventMembers *inside)
{
    const char *at = event_pass_space(inside->at, inside->end);
    if (at == inside->end || *at != '}') return false;
    members->at = at + 1;
    return true;
}

/* The next member of an object; false after the last one. */
static inline bool event_members_next(EventMembers *members, EventMember *ret)
{
    return event_members_key(members, &ret->key) && event_members_take(members, ret);
}

/* The next item of a list. */
static inline bool event_members_item(EventMembers *members, EventMember *ret)
{
    event_members_comma(members);
    ret->key = (Str){ 0 };
    return members->at < members->end && event_members_take(members, ret);
}

/* What stands between the quotes of a text, escapes and all; empty for any other value. */
static inline Str event_raw_text(Str raw)
{
    return raw.len >= 2 && raw.bytes[0] == '"' ? (Str){ raw.bytes + 1, raw.len - 2 } : (Str){ 0 };
}

#endif
