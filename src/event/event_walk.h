/* event_walk: JSON's grammar over tokens (event_json.h). Every byte of a value is checked exactly once,
 * and nothing is copied or built: a value is where it stands in the text.
 *
 * A walk goes over text without white space between tokens. If it meets white space, or something that
 * other parsers let pass and event_repair.c mends, it stops, and its trouble says why; the caller
 * then makes the text strict and walks again. So the usual body is read once, and whoever reads canonical
 * JSON never meets an exception.
 *
 * Strings are checked for escapes without looking at them again: next_backslash is the next one in the text,
 * and a string that ends before it has no escapes.
 *
 * What keeps the walk inside the tokens: the text's last token is a closing brace (walk_begin checks). Every
 * other token has one after it, so the tokens can be at their end only after an object.
 */
#ifndef ONYM_EVENT_EVENT_WALK_H
#define ONYM_EVENT_EVENT_WALK_H

#include "event_json.h"

enum { WALK_DEPTH_MAX = 512 };          /* deeper than this the text is refused as a whole */

typedef enum WalkTrouble {
    WALK_FINE = 0,
    WALK_MALFORMED,
    WALK_SPACED,                        /* white space between tokens */
    WALK_LENIENT,                       /* NaN, Infinity or a lone surrogate: event_repair.c mends them */
    WALK_DEEP,
} WalkTrouble;

struct walk {
    const char *text;
    size_t len;
    const uint32_t *tokens, *end;
    uint32_t next_backslash;            /* the first one not yet walked over; UINT32_MAX: none */
    uint32_t gap;                       /* not 0: white space was seen */
    uint32_t deepest;
    uint32_t escapes;                   /* how many strings had escapes; callers see whether it grew */
    WalkTrouble trouble;
    uint32_t trouble_at;                /* offset in text */
};

/* Starts at the first token. False (with its trouble) if the text is not one object from end to end. */
bool walk_begin(struct walk *walk, Str text, const uint32_t *tokens, size_t count);

/* Each checks one value and gives the token after it, or NULL with the walk's trouble. There is a token after
 * the value, unless the value is an object. depth is that of the value itself. */
const uint32_t *walk_object(struct walk *walk, const uint32_t *token, uint32_t depth, uint32_t *ret_keys);
const uint32_t *walk_array(struct walk *walk, const uint32_t *token, uint32_t depth, uint32_t *ret_items);
const uint32_t *walk_scalar(struct walk *walk, const uint32_t *token);
const uint32_t *walk_value(struct walk *walk, const uint32_t *token, uint32_t depth, uint32_t *ret_count);
/* The token after the value at token, which was walked over already. */
const uint32_t *walk_skip(const char *text, const uint32_t *token);

const uint32_t *walk_fail(struct walk *walk, WalkTrouble trouble, uint32_t at);     /* NULL */
bool walk_escapes(struct walk *walk, uint32_t from, uint32_t to);      /* moves next_backslash past to */

/* The string that starts at the token and ends before the next. False with the walk's trouble. */
static inline bool walk_string(struct walk *walk, const uint32_t *token)
{
    uint32_t close = token[1] - 1;
    if (__builtin_expect(walk->text[close] != '"', 0)) return walk_fail(walk, WALK_SPACED, close);
    if (__builtin_expect(close > walk->next_backslash, 0)) return walk_escapes(walk, token[0] + 1, close);
    return true;
}

/* Unescapes the inside of a string that walk_escapes has passed; to has room for s.len. Gives the length. */
size_t walk_unescape(Str s, char *to);

#endif
