/* index_leaves: goes over the message's outline once.
 *
 * The walker holds the path as a stack of lengths into one buffer. Strings without escapes, which nearly
 * all are, are borrowed from the text; others are unescaped into a buffer of LEAF_TEXT_BYTES. Integers and
 * short decimals become doubles exactly by one division (both operands exact: Clinger's fast path); the
 * rest goes through str_parse_double.
 */
#include "index_leaves.h"
#include "index_format.h"

struct walk {
    const OutlineMember *members;
    LeafVisit *visit;
    void *context;
    uint32_t leaf_count, passed_over;
    size_t path_len;
    char path[LEAF_PATH_BYTES];
    char text[LEAF_TEXT_BYTES];
};

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

/* Unescapes raw into at most max bytes; SIZE_MAX if it is malformed or does not fit. */
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

static void visit_text(struct walk *walk, const OutlineMember *member)
{
    Leaf leaf = { .kind = LEAF_STRING, .text = event_raw_text(member->raw) };
    if (member->has_escape) leaf.text = str_of(walk->text, unescape(leaf.text, walk->text, sizeof walk->text));
    if (leaf.text.len > LIMIT_INDEXED_TEXT_BYTES) leaf.kind = LEAF_OTHER;
    visit_leaf(walk, leaf);
}

/* Over 2^53 not every integer is exact as a double: one that is not keeps its digits, up to 38 of them. */
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

static void visit_plain(struct walk *walk, const OutlineMember *member)
{
    Str text = member->raw;
    if (str_equal(text, STR("null"))) return;
    Leaf leaf = { .kind = LEAF_NUMBER };
    if (member->kind == OUTLINE_BOOL) leaf.kind = LEAF_BOOL, leaf.number = *text.bytes == 't';
    else if (!number_of(text, &leaf.number)) leaf.kind = LEAF_OTHER;      /* 1e999: there, but no double */
    else if ((leaf.kind = kind_of_number(text)) == LEAF_BIG) leaf.text = text;
    leaf.number += 0.0;                                                   /* -0 is 0 */
    visit_leaf(walk, leaf);
}

static void visit_list(struct walk *walk, const OutlineMember *member)
{
    Leaf leaf = { .kind = LEAF_OTHER, .text = member->raw };
    if (leaf.text.len < LIMIT_INDEXED_TEXT_BYTES && !member->is_nested) leaf.kind = LEAF_LIST;
    visit_leaf(walk, leaf);
}

/* Puts a key after the path; false if it does not fit. */
static bool path_add(struct walk *walk, const OutlineMember *member)
{
    size_t room = LEAF_PATH_BYTES - walk->path_len, len = member->key.len;
    if (5 > room) return false;
    char *to = walk->path + walk->path_len + 1;
    if (member->has_key_escape) len = unescape(member->key, to, room - 1);
    if (len > room - 1) return false;
    if (!member->has_key_escape) memcpy(to, member->key.bytes, len);
    to[-1] = '.';
    walk->path_len += 1 + len;
    return true;
}

/* The members of the object, whose path is the walk's. */
static void walk_object(struct walk *walk, uint32_t object, int depth)
{
    const OutlineMember *members = walk->members;
    size_t path_len = walk->path_len;
    for (uint32_t at = object + 1; at < members[object].next; at = members[at].next) {
        const OutlineMember *member = &members[at];
        if (!path_add(walk, member)) {
            walk->passed_over++;
            continue;
        }
        switch ((OutlineKind)member->kind) {
        case OUTLINE_TEXT: visit_text(walk, member); break;
        case OUTLINE_LIST: visit_list(walk, member); break;
        case OUTLINE_OBJECT:
            if (depth < LEAF_DEPTH_MAX) walk_object(walk, at, depth + 1);
            else walk->passed_over++;
            break;
        case OUTLINE_NUMBER: case OUTLINE_BOOL: case OUTLINE_NULL: visit_plain(walk, member); break;
        }
        walk->path_len = path_len;
    }
}

uint32_t leaves_walk(const struct event_outline *outline, LeafVisit *visit, void *context)
{
    struct walk walk;
    const OutlineMember *members = outline->members;
    walk.members = members;
    walk.visit = visit, walk.context = context;
    walk.leaf_count = walk.passed_over = 0;
    for (uint32_t at = 0; at < outline->count; at = members[at].next) {
        Str key = members[at].key;
        bool is_column = str_equal(key, STR("properties")) || str_equal(key, STR("context"));
        if (!is_column || members[at].kind != OUTLINE_OBJECT) continue;
        memcpy(walk.path, key.bytes, key.len);
        walk.path_len = key.len;
        walk_object(&walk, at, 1);
    }
    return walk.passed_over;
}
