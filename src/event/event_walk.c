/* event_walk: one function for each grammar rule; nesting is recursion (at most WALK_DEPTH_MAX deep). */
#include "event_walk.h"

const uint32_t *walk_fail(struct walk *walk, WalkTrouble trouble, uint32_t at)
{
    walk->trouble = trouble;
    walk->trouble_at = at;
    return NULL;
}

static uint32_t find_backslash(const struct walk *walk, uint32_t from)
{
    const char *hit = memchr(walk->text + from, '\\', walk->len - from);
    return hit ? (uint32_t)(hit - walk->text) : UINT32_MAX;
}

bool walk_begin(struct walk *walk, Str text, const uint32_t *tokens, size_t count)
{
    *walk = (struct walk){ .text = text.bytes, .len = text.len, .tokens = tokens, .end = tokens + count };
    if (text.bytes[tokens[0]] != '{') return walk_fail(walk, WALK_MALFORMED, tokens[0]);
    if (count < 2 || text.bytes[tokens[count - 1]] != '}')
        return walk_fail(walk, WALK_MALFORMED, tokens[count - 1]);
    if (tokens[count - 1] != text.len - 1 || tokens[0] != 0) return walk_fail(walk, WALK_SPACED, 0);
    walk->next_backslash = find_backslash(walk, 0);
    return true;
}

/* ---- Strings ---- */

/* The code unit of four hex digits, or -1. */
static int hex_unit(const char *at)
{
    int unit = 0;
    for (int digit = 0; digit < 4; digit++) {
        int value = hex_value(at[digit]);
        if (value < 0) return -1;
        unit = unit << 4 | value;
    }
    return unit;
}

static bool is_high_surrogate(int unit) { return unit >= 0xD800 && unit < 0xDC00; }
static bool is_low_surrogate(int unit) { return unit >= 0xDC00 && unit < 0xE000; }

bool walk_escapes(struct walk *walk, uint32_t from, uint32_t to)
{
    const char *text = walk->text;
    if (walk->next_backslash < from) return walk_fail(walk, WALK_MALFORMED, walk->next_backslash);
    for (uint32_t at = walk->next_backslash; at < to;) {
        char c = text[at + 1];                             /* a quote at most: a backslash never ends a string */
        uint32_t len = 2;
        if (c == 'u') {
            int unit = to - at >= 6 ? hex_unit(text + at + 2) : -1, low = -1;
            if (unit < 0) return walk_fail(walk, WALK_MALFORMED, at);
            len = 6;
            if (is_high_surrogate(unit)) {
                if (to - at >= 12 && text[at + 6] == '\\' && text[at + 7] == 'u') low = hex_unit(text + at + 8);
                if (!is_low_surrogate(low)) return walk_fail(walk, WALK_LENIENT, at);
                len = 12;
            } else if (is_low_surrogate(unit)) {
                return walk_fail(walk, WALK_LENIENT, at);
            }
        } else if (!memchr("\"\\/bfnrt", c, 8)) {
            return walk_fail(walk, WALK_MALFORMED, at);
        }
        at += len;
        const char *hit = at < to ? memchr(text + at, '\\', to - at) : NULL;
        at = hit ? (uint32_t)(hit - text) : to;
    }
    walk->next_backslash = find_backslash(walk, to);
    walk->escapes++;
    return true;
}

static size_t put_utf8(char *to, unsigned point)
{
    if (point < 0x80) return to[0] = (char)point, 1;
    if (point < 0x800) {
        to[0] = (char)(0xC0 | point >> 6), to[1] = (char)(0x80 | (point & 63));
        return 2;
    }
    if (point < 0x10000) {
        to[0] = (char)(0xE0 | point >> 12), to[1] = (char)(0x80 | (point >> 6 & 63));
        to[2] = (char)(0x80 | (point & 63));
        return 3;
    }
    to[0] = (char)(0xF0 | point >> 18), to[1] = (char)(0x80 | (point >> 12 & 63));
    to[2] = (char)(0x80 | (point >> 6 & 63)), to[3] = (char)(0x80 | (point & 63));
    return 4;
}

size_t walk_unescape(Str s, char *to)
{
    static const char from_letter[] = "b\bf\fn\nr\rt\t";
    char *start = to;
    for (size_t at = 0; at < s.len;) {
        char c = s.bytes[at++];
        if (c != '\\') {
            *to++ = c;
            continue;
        }
        check(at < s.len);
        c = s.bytes[at++];
        if (c != 'u') {
            const char *letter = c == '"' || c == '\\' || c == '/' ? NULL : strchr(from_letter, c);
            *to++ = letter ? letter[1] : c;
            continue;
        }
        check(s.len - at >= 4);
        unsigned point = (unsigned)hex_unit(s.bytes + at);
        at += 4;
        if (is_high_surrogate((int)point)) {
            check(s.len - at >= 6);
            point = 0x10000 + ((point - 0xD800) << 10) + ((unsigned)hex_unit(s.bytes + at + 2) - 0xDC00);
            at += 6;
        }
        to += put_utf8(to, point);
    }
    return (size_t)(to - start);
}

/* ---- Numbers and words ---- */

/* Is text[at..end) a number, all of it? RFC 8259: no leading zeros, digits on both sides of a dot.
 * end is a token's place, so the byte there can be read. */
static bool is_number(const char *text, uint32_t at, uint32_t end)
{
    if (text[at] == '-') at++;
    if (text[at] == '0') at++;
    else {
        uint32_t first = at;
        while (is_digit(text[at])) at++;
        if (at == first) return false;
    }
    if (text[at] == '.') {
        uint32_t first = ++at;
        while (is_digit(text[at])) at++;
        if (at == first) return false;
    }
    if (text[at] == 'e' || text[at] == 'E') {
        at++;
        if (text[at] == '+' || text[at] == '-') at++;
        uint32_t first = at;
        while (is_digit(text[at])) at++;
        if (at == first) return false;
    }
    return at == end;
}

static const uint32_t *scalar_fail(struct walk *walk, const uint32_t *token)
{
    const char *at = walk->text + token[0];
    char last = walk->text[token[1] - 1];
    if (last == ' ' || last == '\t' || last == '\n' || last == '\r') return walk_fail(walk, WALK_SPACED, token[1] - 1);
    bool lenient = *at == 'N' || *at == 'I' || (*at == '-' && at[1] == 'I');
    return walk_fail(walk, lenient ? WALK_LENIENT : WALK_MALFORMED, token[0]);
}

const uint32_t *walk_scalar(struct walk *walk, const uint32_t *token)
{
    const char *at = walk->text + token[0];
    uint32_t len = token[1] - token[0];
    bool good;
    switch (*at) {
    case '"': return walk_string(walk, token) ? token + 1 : NULL;
    case 't': good = len == 4 && memcmp(at, "true", 4) == 0; break;
    case 'n': good = len == 4 && memcmp(at, "null", 4) == 0; break;
    case 'f': good = len == 5 && memcmp(at, "false", 5) == 0; break;
    default:  good = is_number(walk->text, token[0], token[1]); break;
    }
    return good ? token + 1 : scalar_fail(walk, token);
}

/* ---- Nesting ---- */

const uint32_t *walk_value(struct walk *walk, const uint32_t *token, uint32_t depth, uint32_t *ret_count)
{
    char c = walk->text[*token];
    if (c == '{') return walk_object(walk, token, depth, ret_count);
    if (c == '[') return walk_array(walk, token, depth, ret_count);
    *ret_count = 0;
    return walk_scalar(walk, token);
}

static bool enter(struct walk *walk, const uint32_t *token, uint32_t depth)
{
    if (depth > walk->deepest) walk->deepest = depth;
    if (depth > WALK_DEPTH_MAX) return walk_fail(walk, WALK_DEEP, token[0]);
    walk->gap |= token[1] - token[0] - 1;
    return true;
}

const uint32_t *walk_object(struct walk *walk, const uint32_t *token, uint32_t depth, uint32_t *ret_keys)
{
    const char *text = walk->text;
    uint32_t keys = 0, gap = 0, ignored;
    if (!enter(walk, token, depth)) return NULL;
    token++;
    if (text[*token] == '}') goto closed;
    for (;;) {
        if (text[token[0]] != '"' || text[token[1]] != ':') return walk_fail(walk, WALK_MALFORMED, token[0]);
        if (!walk_string(walk, token)) return NULL;
        gap |= token[2] - token[1] - 1;
        keys++;
        token += 2;
        if (text[*token] == '"') {
            if (!walk_string(walk, token)) return NULL;
            token++;
        } else {
            token = walk_value(walk, token, depth + 1, &ignored);
            if (!token) return NULL;
            if (token == walk->end) return walk_fail(walk, WALK_MALFORMED, (uint32_t)walk->len - 1);
        }
        char c = text[*token];
        if (c == '}') break;
        if (c != ',') return walk_fail(walk, WALK_MALFORMED, *token);
        gap |= token[1] - token[0] - 1;
        token++;
    }
closed:
    walk->gap |= gap | (token[1] - token[0] - 1);
    *ret_keys = keys;
    return token + 1;
}

const uint32_t *walk_array(struct walk *walk, const uint32_t *token, uint32_t depth, uint32_t *ret_items)
{
    const char *text = walk->text;
    uint32_t items = 0, gap = 0, ignored;
    if (!enter(walk, token, depth)) return NULL;
    token++;
    if (text[*token] == ']') goto closed;
    for (;;) {
        items++;
        token = walk_value(walk, token, depth + 1, &ignored);
        if (!token) return NULL;
        if (token == walk->end) return walk_fail(walk, WALK_MALFORMED, (uint32_t)walk->len - 1);
        char c = text[*token];
        if (c == ']') break;
        if (c != ',') return walk_fail(walk, WALK_MALFORMED, *token);
        gap |= token[1] - token[0] - 1;
        token++;
    }
closed:
    walk->gap |= gap | (token[1] - token[0] - 1);
    *ret_items = items;
    return token + 1;
}

const uint32_t *walk_skip(const char *text, const uint32_t *token)
{
    uint32_t depth = 0;
    do {
        char c = text[*token++];
        if (c == '{' || c == '[') depth++;
        else if (c == '}' || c == ']') depth--;
    } while (depth > 0);
    return token;
}
