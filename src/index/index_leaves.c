/* index_leaves: one pass over the text, no tree.
 *
 * The walker holds the path as a stack of lengths into one buffer. Strings without escapes, which nearly
 * all are, are borrowed from the text; others are unescaped into a buffer of LEAF_TEXT_BYTES. Integers and
 * short decimals become doubles exactly by one division (both operands exact: Clinger's fast path); the
 * rest goes through str_parse_double.
 */
#include "index_leaves.h"
#include "index_format.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct walk {
    const char *at, *end;
    LeafVisit *visit;
    void *context;
    uint32_t leaf_count, passed_over;
    size_t path_len;
    char path[LEAF_PATH_BYTES];
    char text[LEAF_TEXT_BYTES];
};

static inline void pass_space(struct walk *walk)
{
    while (walk->at < walk->end && (unsigned char)*walk->at <= ' ') walk->at++;
}

/* Ends a number, true, false or null. */
static inline bool ends_plain(char c)
{
    return c == ',' || c == '}' || (unsigned char)c <= ' ' || c == ']' || c == ':' || c == '{' || c == '['
        || c == '"';
}

static inline bool take_char(struct walk *walk, char c)
{
    pass_space(walk);
    if (walk->at == walk->end || *walk->at != c) return false;
    walk->at++;
    return true;
}

/* The first quote or backslash at or after the place; end where there is none. */
static inline const char *find_quote(const char *at, const char *end)
{
#ifdef __SSE2__
    const __m128i quotes = _mm_set1_epi8('"'), slashes = _mm_set1_epi8('\\');
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        int found
            = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, quotes), _mm_cmpeq_epi8(bytes, slashes)));
        if (found) return at + __builtin_ctz((unsigned)found);
    }
#endif
    while (at < end && *at != '"' && *at != '\\') at++;
    return at;
}

/* Stands after an opening quote; gives the raw bytes up to the closing one, and passes it. */
static inline bool take_string(struct walk *walk, Str *ret_raw, bool *ret_has_escape)
{
    const char *start = walk->at, *at = find_quote(start, walk->end);
    *ret_has_escape = false;
    while (at < walk->end && *at == '\\') {
        *ret_has_escape = true;
        if (walk->end - at < 2) return false;
        at = find_quote(at + 2, walk->end);
    }
    if (at == walk->end) return false;
    *ret_raw = (Str){ start, (size_t)(at - start) };
    walk->at = at + 1;
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The four digits at the place, or -1. */
static int32_t hex_code(const char *at, const char *end)
{
    int32_t code = 0;
    if (end - at < 4) return -1;
    for (int digit = 0; digit < 4; digit++) {
        int value = hex_value(at[digit]);
        if (value < 0) return -1;
        code = code << 4 | value;
    }
    return code;
}

static size_t utf8_write(char *to, uint32_t code)
{
    if (code < 0x80) return to[0] = (char)code, 1;
    if (code < 0x800) return to[0] = (char)(0xc0 | code >> 6), to[1] = (char)(0x80 | (code & 63)), 2;
    if (code < 0x10000) {
        to[0] = (char)(0xe0 | code >> 12), to[1] = (char)(0x80 | (code >> 6 & 63)), to[2]
            = (char)(0x80 | (code & 63));
        return 3;
    }
    to[0] = (char)(0xf0 | code >> 18), to[1] = (char)(0x80 | (code >> 12 & 63));
    to[2] = (char)(0x80 | (code >> 6 & 63)), to[3] = (char)(0x80 | (code & 63));
    return 4;
}

/* Unescapes raw into at most max bytes; SIZE_MAX where it is malformed or does not fit. */
static size_t unescape(Str raw, char *to, size_t max)
{
    const char *at = raw.bytes, *end = raw.bytes + raw.len;
    size_t len = 0;
    while (at < end) {
        if (len + 4 > max) return SIZE_MAX;
        if (*at != '\\') {
            to[len++] = *at++;
            continue;
        }
        if (++at == end) return SIZE_MAX;
        static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
        const char *simple = *at ? strchr(from, *at) : NULL;
        if (simple) {
            to[len++] = into[simple - from];
            at++;
            continue;
        }
        int32_t code = *at == 'u' ? hex_code(at + 1, end) : -1;
        if (code < 0) return SIZE_MAX;
        at += 5;
        if (code >= 0xd800 && code < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
            int32_t low = hex_code(at + 2, end);
            if (low >= 0xdc00 && low < 0xe000) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                at += 6;
            }
        }
        if (code >= 0xd800 && code < 0xe000) code = 0xfffd;       /* half a surrogate pair */
        len += utf8_write(to + len, (uint32_t)code);
    }
    return len;
}

/* An integer of up to 15 digits over a power of ten of up to 22: both are exact as doubles, so their
 * quotient is the correctly rounded value. */
static bool number_of(Str text, double *ret)
{
    static const double tens[]
        = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
    const char *at = text.bytes, *end = at + text.len;
    bool is_negative = at < end && *at == '-';
    uint64_t digits = 0;
    int digit_count = 0, behind_point = -1;
    for (at += is_negative; at < end && digit_count <= 15; at++) {
        if (*at >= '0' && *at <= '9') digits = digits * 10 + (uint64_t)(*at - '0'), digit_count++;
        else if (*at == '.' && behind_point < 0) behind_point = digit_count;
        else break;
    }
    if (at < end || digit_count == 0 || digit_count > 15) return str_parse_double(text, ret);
    double value = (double)digits;
    if (behind_point >= 0) value /= tens[digit_count - behind_point];
    *ret = is_negative ? -value : value;
    return true;
}

static void visit_leaf(struct walk *walk, Leaf leaf)
{
    if (walk->leaf_count == LEAF_COUNT_MAX) {
        walk->passed_over++;
        return;
    }
    walk->leaf_count++;
    leaf.path = str_of(walk->path, walk->path_len);
    walk->visit(walk->context, &leaf);
}

/* Passes a whole value, whatever it is, without looking at what it holds. */
static bool pass_value(struct walk *walk)
{
    int depth = 0;
    do {
        Str raw;
        bool has_escape;
        pass_space(walk);
        if (walk->at == walk->end) return false;
        char c = *walk->at++;
        if (c == '"') {
            if (!take_string(walk, &raw, &has_escape)) return false;
        } else if (c == '{' || c == '[') depth++;
        else if (c == '}' || c == ']') depth--;
        else if (c != ',' && c != ':')
            while (walk->at < walk->end && !ends_plain(*walk->at)) walk->at++;
    } while (depth > 0);
    return depth == 0;
}

static bool visit_string(struct walk *walk, bool is_wanted)
{
    Str raw;
    bool has_escape;
    if (!take_string(walk, &raw, &has_escape)) return false;
    if (!is_wanted) return true;
    Leaf leaf = { .kind = LEAF_STRING, .text = raw };
    if (has_escape) leaf.text = str_of(walk->text, unescape(raw, walk->text, sizeof walk->text));
    if (leaf.text.len > LEAF_TEXT_BYTES - 4) leaf.kind = LEAF_OTHER;
    visit_leaf(walk, leaf);
    return true;
}

/* Over 2^53 not every integer is a double: one that is none keeps its digits, up to 38 of them. */
static LeafKind kind_of_number(Str text)
{
    unsigned __int128 value = 0;
    size_t at = text.len && text.bytes[0] == '-';
    if (text.len - at <= 15) return LEAF_NUMBER;
    for (size_t digit = at; digit < text.len; digit++) {
        if (text.bytes[digit] < '0' || text.bytes[digit] > '9') return LEAF_NUMBER;
        if (digit - at == INDEX_BIG_DIGITS) return LEAF_OTHER;
        value = value * 10 + (unsigned)(text.bytes[digit] - '0');
    }
    return (unsigned __int128)(double)value == value ? LEAF_NUMBER : LEAF_BIG;
}

static bool visit_plain(struct walk *walk, bool is_wanted)
{
    const char *start = walk->at;
    while (walk->at < walk->end && !ends_plain(*walk->at)) walk->at++;
    Str text = str_of(start, (size_t)(walk->at - start));
    if (text.len == 0) return false;
    if (!is_wanted || str_equal(text, STR("null"))) return true;
    Leaf leaf = { .kind = LEAF_NUMBER };
    if (*start == 't' || *start == 'f') leaf.kind = LEAF_BOOL, leaf.number = *start == 't';
    else if (!number_of(text, &leaf.number)) leaf.kind = LEAF_OTHER;      /* 1e999: there, but no double */
    else if ((leaf.kind = kind_of_number(text)) == LEAF_BIG) leaf.text = text;
    leaf.number += 0.0;                                                   /* -0 is 0 */
    visit_leaf(walk, leaf);
    return true;
}

/* Is an array one of scalars, as its text has it? Nothing in it opens another one outside of strings. */
static bool holds_scalars(Str json)
{
    for (size_t at = 1; at < json.len; at++) {
        char c = json.bytes[at];
        if (c == '[' || c == '{') return false;
        if (c != '"') continue;
        for (at++; at < json.len && json.bytes[at] != '"'; at++) at += json.bytes[at] == '\\';
    }
    return true;
}

static bool visit_list(struct walk *walk, bool is_wanted)
{
    const char *start = walk->at;
    if (!pass_value(walk)) return false;
    Leaf leaf = { .kind = LEAF_OTHER, .text = str_of(start, (size_t)(walk->at - start)) };
    if (leaf.text.len < LEAF_TEXT_BYTES - 4 && holds_scalars(leaf.text)) leaf.kind = LEAF_LIST;
    if (is_wanted) visit_leaf(walk, leaf);
    return true;
}

/* Puts a key after the path; false where it does not fit. */
static bool path_add(struct walk *walk, Str raw, bool has_escape)
{
    size_t room = LEAF_PATH_BYTES - walk->path_len, dot = walk->path_len > 0, len = raw.len;
    if (dot + 4 > room) return false;
    char *to = walk->path + walk->path_len + dot;
    if (has_escape) len = unescape(raw, to, room - dot);
    if (len > room - dot) return false;
    if (!has_escape) memcpy(to, raw.bytes, len);
    if (dot) walk->path[walk->path_len] = '.';
    walk->path_len += dot + len;
    return true;
}

static bool walk_object(struct walk *walk, int depth);

/* A value at the walk's path. */
static bool walk_value(struct walk *walk, int depth, bool is_wanted)
{
    pass_space(walk);
    if (walk->at == walk->end) return false;
    switch (*walk->at) {
    case '"': walk->at++; return visit_string(walk, is_wanted);
    case '{':
        if (is_wanted && depth < LEAF_DEPTH_MAX) return walk->at++, walk_object(walk, depth + 1);
        walk->passed_over += is_wanted;
        return pass_value(walk);
    case '[': return visit_list(walk, is_wanted);
    default: return visit_plain(walk, is_wanted);
    }
}

/* Stands after an opening brace. */
static bool walk_object(struct walk *walk, int depth)
{
    size_t path_len = walk->path_len;
    if (take_char(walk, '}')) return true;
    do {
        Str key;
        bool has_escape;
        if (!take_char(walk, '"') || !take_string(walk, &key, &has_escape) || !take_char(walk, ':'))
            return false;
        bool fits = path_add(walk, key, has_escape);
        walk->passed_over += !fits;
        if (!walk_value(walk, depth, fits)) return false;
        walk->path_len = path_len;
    } while (take_char(walk, ','));
    return take_char(walk, '}');
}

uint32_t leaves_walk(Str json, LeafVisit *visit, void *context)
{
    struct walk walk;
    walk.at = json.bytes, walk.end = json.bytes + json.len;
    walk.visit = visit, walk.context = context;
    walk.leaf_count = walk.passed_over = 0;
    walk.path_len = 0;
    if (!take_char(&walk, '{') || take_char(&walk, '}')) return 0;
    do {
        Str key;
        bool has_escape;
        if (!take_char(&walk, '"') || !take_string(&walk, &key, &has_escape) || !take_char(&walk, ':')) break;
        bool is_column = str_equal(key, STR("properties")) || str_equal(key, STR("context"));
        pass_space(&walk);
        if (is_column && walk.at < walk.end && *walk.at == '{') {
            memcpy(walk.path, key.bytes, key.len);
            walk.path_len = key.len;
            walk.at++;
            if (!walk_object(&walk, 1)) break;
            walk.path_len = 0;
        } else if (!pass_value(&walk)) break;
    } while (take_char(&walk, ','));
    return walk.passed_over;
}
