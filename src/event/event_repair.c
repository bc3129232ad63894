/* event_repair: makes strict JSON without white space of a text that a lenient reader would have understood.
 *
 * The slow path, byte by byte, for what some clients write and a strict reader refuses:
 *   bytes that are not UTF-8   each becomes U+FFFD (as Go's encoding/json reads them, and so Segment)
 *   lone surrogates "\ud83d"    become "\ufffd": JavaScript writes them when a string was cut inside a pair
 *   NaN, Infinity, -Infinity    become null: Python's json.dumps writes them
 * Whatever else is wrong stays wrong and is found by the next walk.
 */
#include "event_parser.h"

/* Length of the UTF-8 sequence at s[at], or 0 where there is none. (RFC 3629) */
static size_t utf8_length(Str s, size_t at)
{
    const unsigned char *byte = (const unsigned char *)s.bytes + at;
    size_t len = byte[0] < 0x80 ? 1 : byte[0] >= 0xC2 && byte[0] < 0xE0 ? 2
               : byte[0] >= 0xE0 && byte[0] < 0xF0 ? 3 : byte[0] >= 0xF0 && byte[0] < 0xF5 ? 4 : 0;
    if (len == 0 || len > s.len - at) return 0;
    for (size_t next = 1; next < len; next++)
        if ((byte[next] & 0xC0) != 0x80) return 0;
    if (len == 3 && byte[0] == 0xE0 && byte[1] < 0xA0) return 0;      /* overlong */
    if (len == 3 && byte[0] == 0xED && byte[1] > 0x9F) return 0;      /* surrogates */
    if (len == 4 && byte[0] == 0xF0 && byte[1] < 0x90) return 0;      /* overlong */
    if (len == 4 && byte[0] == 0xF4 && byte[1] > 0x8F) return 0;      /* beyond U+10FFFF */
    return len;
}

/* The code unit of "\uXXXX" at s[at], or -1. */
static int escaped_unit(Str s, size_t at)
{
    int unit = 0;
    if (s.len - at < 6 || s.bytes[at] != '\\' || s.bytes[at + 1] != 'u') return -1;
    for (size_t digit = at + 2; digit < at + 6; digit++) {
        char c = s.bytes[digit];
        char letter = c | 0x20;
        int value = c >= '0' && c <= '9' ? c - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
        if (value < 0) return -1;
        unit = unit << 4 | value;
    }
    return unit;
}

struct repair {
    Str text;
    size_t at;
    char *to;
};

static void put(struct repair *repair, Str s)
{
    memcpy(repair->to, s.bytes, s.len);
    repair->to += s.len;
}

static void copy(struct repair *repair, size_t count)
{
    put(repair, str_slice(repair->text, repair->at, repair->at + count));
    repair->at += count;
}

static void repair_escape(struct repair *repair)
{
    int unit = escaped_unit(repair->text, repair->at);
    if (unit < 0xD800 || unit > 0xDFFF) {                 /* no surrogate, or none of ours to judge */
        copy(repair, repair->text.len - repair->at < 2 ? 1 : 2);
        return;
    }
    size_t left = repair->text.len - repair->at;
    int low = left >= 12 ? escaped_unit(repair->text, repair->at + 6) : -1;
    if (unit < 0xDC00 && low >= 0xDC00 && low <= 0xDFFF) {
        copy(repair, 12);
        return;
    }
    put(repair, STR("\\ufffd"));
    repair->at += 6;
}

static void repair_string(struct repair *repair)
{
    copy(repair, 1);
    while (repair->at < repair->text.len) {
        char c = repair->text.bytes[repair->at];
        size_t len;
        if (c == '\\') {
            repair_escape(repair);
        } else if ((len = utf8_length(repair->text, repair->at)) > 0) {
            copy(repair, len);
            if (c == '"') return;
        } else {
            put(repair, STR("\xEF\xBF\xBD"));
            repair->at++;
        }
    }
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static bool is_bare(char c) { return !strchr("\":,{}[]", c) || c == 0; }

static void repair_outside(struct repair *repair)
{
    static const Str words[] = { STR("NaN"), STR("Infinity"), STR("-Infinity") };
    Str rest = str_slice(repair->text, repair->at, repair->text.len);
    char c = rest.bytes[0];
    if (is_space(c)) {
        while (repair->at < repair->text.len && is_space(repair->text.bytes[repair->at])) repair->at++;
        bool glues = repair->at < repair->text.len &&
                     is_bare(repair->to[-1]) && is_bare(repair->text.bytes[repair->at]);
        if (glues) put(repair, STR(" "));                 /* "1 2" must not become 12 */
        return;
    }
    for (size_t word = 0; word < countof(words); word++)
        if (str_starts(rest, words[word])) {
            put(repair, STR("null"));
            repair->at += words[word].len;
            return;
        }
    copy(repair, 1);
}

bool event_repair(Str text, Arena *arena, Str *ret)
{
    char *start = arena_try(arena, 3, 1, text.len + EVENT_PADDING_BYTES);     /* a byte becomes three at most */
    if (!start) return false;
    struct repair repair = { .text = text, .to = start };
    while (repair.at < text.len)
        if (text.bytes[repair.at] == '"') repair_string(&repair);
        else repair_outside(&repair);
    *ret = (Str){ start, (size_t)(repair.to - start) };
    return true;
}
