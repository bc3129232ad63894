/* plan_pattern: translates ECMA 262's dialect into RE2's. They are mostly the same; the differences are white space
 * (\s), the dot, the escapes \u, \c and \0, names of groups and of Unicode's classes, and empty classes. An escape that
 * means nothing in ECMA 262 but something in RE2 (\A, \z, \Q, \C) is refused: we could only guess what the writer
 * meant. */
#include "plan_pattern.h"

#include <stdio.h>

/* What \s means in ECMA 262, as the inside of a class. */
#define SPACES "\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}"

struct translation {
    Str text;
    size_t at;
    bool in_class;
    struct buf out;
    char *why;
};

static bool refuse(struct translation *t, const char *why)
{
    snprintf(t->why, PATTERN_WHY_BYTES, "%s", why);
    return false;
}

/* The value of so many hex digits; -1: they are not there. */
static int read_hex(Str text, size_t at, size_t digits)
{
    int value = 0;
    if (at + digits > text.len) return -1;
    for (size_t digit = 0; digit < digits; digit++) {
        int one = hex_value(text.bytes[at + digit]);
        if (one < 0) return -1;
        value = value * 16 + one;
    }
    return value;
}

/* \uXXXX, two of these that make one code point, or \u{X}. t->at is after the u. */
static bool put_unicode(struct translation *t)
{
    if (t->at < t->text.len && t->text.bytes[t->at] == '{') {
        size_t end = t->at + 1;
        while (end < t->text.len && hex_value(t->text.bytes[end]) >= 0) end++;
        if (end == t->at + 1 || end - t->at > 7 || end == t->text.len || t->text.bytes[end] != '}')
            return refuse(t, "\\u{...} wants 1 to 6 hex digits");
        buf_printf(&t->out, "\\x%.*s", (int)(end + 1 - t->at), t->text.bytes + t->at);
        t->at = end + 1;
        return true;
    }
    int unit = read_hex(t->text, t->at, 4);
    if (unit < 0) return refuse(t, "\\u wants four hex digits");
    t->at += 4;
    if (unit >= 0xD800 && unit < 0xDC00 && t->at + 6 <= t->text.len && t->text.bytes[t->at] == '\\' &&
        t->text.bytes[t->at + 1] == 'u') {
        int low = read_hex(t->text, t->at + 2, 4);
        if (low >= 0xDC00 && low < 0xE000) {
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            t->at += 6;
        }
    }
    if (unit >= 0xD800 && unit < 0xE000) return refuse(t, "half of a surrogate pair matches nothing");
    buf_printf(&t->out, "\\x{%x}", (unsigned)unit);
    return true;
}

/* \p{Letter} and \p{Script=Greek}: RE2 knows the short names of categories, and scripts by name. */
static bool put_property(struct translation *t, char letter)
{
    static const struct { const char *name, *known_as; } names[] = {
        { "Letter", "L" }, { "Uppercase_Letter", "Lu" }, { "Lowercase_Letter", "Ll" }, { "Mark", "M" },
        { "Number", "N" }, { "Decimal_Number", "Nd" }, { "digit", "Nd" }, { "Punctuation", "P" }, { "punct", "P" },
        { "Symbol", "S" }, { "Separator", "Z" }, { "Space_Separator", "Zs" }, { "Other", "C" },
    };
    Str rest = str_slice(t->text, t->at, t->text.len), name, left;
    if (!str_starts(rest, STR("{")) || !str_contains(rest, STR("}"))) return refuse(t, "\\p wants {NAME}");
    name = str_cut(str_slice(rest, 1, rest.len), '}', &left);
    t->at += name.len + 2;
    static const char *const prefixes[] = { "Script=", "sc=", "General_Category=", "gc=" };
    for (size_t at = 0; at < countof(prefixes); at++)
        if (str_starts(name, str_from(prefixes[at]))) name = str_slice(name, strlen(prefixes[at]), name.len);
    for (size_t at = 0; at < countof(names); at++)
        if (str_equal(name, str_from(names[at].name))) name = str_from(names[at].known_as);
    buf_printf(&t->out, "\\%c{%.*s}", letter, STR_FORMAT(name));
    return true;
}

static bool put_control(struct translation *t)
{
    char letter = t->at < t->text.len ? (char)(t->text.bytes[t->at] | 0x20) : 0;
    if (letter < 'a' || letter > 'z') return refuse(t, "\\c wants a letter");
    t->at++;
    buf_printf(&t->out, "\\x{%x}", (unsigned)(letter - 'a' + 1));
    return true;
}

static bool put_escape(struct translation *t)
{
    if (t->at == t->text.len) return refuse(t, "it ends with a backslash");
    char c = t->text.bytes[t->at++];
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c == 'u') return put_unicode(t);
    if (c == 'p' || c == 'P') return put_property(t, c);
    if (c == 'c') return put_control(t);
    if (c == 's') return buf_str_put(&t->out, t->in_class ? STR(SPACES) : STR("[" SPACES "]")), true;
    if (c == 'S' && !t->in_class) return buf_str_put(&t->out, STR("[^" SPACES "]")), true;
    if (c == '0') return buf_str_put(&t->out, STR("\\x{0}")), true;
    if (c == 'b' && t->in_class) return buf_str_put(&t->out, STR("\\x{8}")), true;
    if (c >= '1' && c <= '9') return refuse(t, "back-references are not read: they cannot be matched in linear time");
    if (is_letter && !strchr("dDwWSbBfnrtvx", c)) return refuse(t, "a backslash before a letter that needs none");
    if (c == 'x' && read_hex(t->text, t->at, 2) < 0) return refuse(t, "\\x wants two hex digits");
    if (c == '/' || c == '_' || (unsigned char)c >= 0x80) return buf_char(&t->out, c), true;
    buf_char(&t->out, '\\');
    buf_char(&t->out, c);
    return true;
}

static bool put_group(struct translation *t)
{
    Str rest = str_slice(t->text, t->at, t->text.len);
    buf_char(&t->out, '(');
    if (str_starts(rest, STR("?=")) || str_starts(rest, STR("?!")) || str_starts(rest, STR("?<=")) ||
        str_starts(rest, STR("?<!")))
        return refuse(t, "look-ahead and look-behind are not read: they cannot be matched in linear time");
    if (!str_starts(rest, STR("?"))) return true;
    if (str_starts(rest, STR("?<"))) {
        buf_str_put(&t->out, STR("?P<"));
        t->at += 2;
        return true;
    }
    return str_starts(rest, STR("?:")) ? true : refuse(t, "a group begins with (, (?: or (?<NAME>");
}

static bool put_class(struct translation *t)
{
    Str rest = str_slice(t->text, t->at, t->text.len);
    if (str_starts(rest, STR("^]"))) return buf_str_put(&t->out, STR("(?s:.)")), t->at += 2, true;
    if (str_starts(rest, STR("]"))) return buf_str_put(&t->out, STR("[^\\x{0}-\\x{10ffff}]")), t->at += 1, true;
    t->in_class = true;
    buf_char(&t->out, '[');
    if (str_starts(rest, STR("^"))) buf_char(&t->out, '^'), t->at++;
    return true;
}

static bool put_next(struct translation *t)
{
    char c = t->text.bytes[t->at++];
    if (c == '\\') return put_escape(t);
    if (t->in_class) {
        t->in_class = c != ']';
        if (c == '[') buf_char(&t->out, '\\');             /* RE2 would look for [:alpha:] */
        return buf_char(&t->out, c), true;
    }
    if (c == '[') return put_class(t);
    if (c == '(') return put_group(t);
    if (c == '.') return buf_str_put(&t->out, STR("[^\\n\\r\\x{2028}\\x{2029}]")), true;
    return buf_char(&t->out, c), true;
}

struct pattern *pattern_open(Str text, char why[PATTERN_WHY_BYTES])
{
    struct translation t = { .text = text, .why = why };
    struct pattern *pattern = NULL;
    bool is_fine = true;
    if (text.len > PATTERN_BYTES) {
        snprintf(why, PATTERN_WHY_BYTES, "over %d bytes", PATTERN_BYTES);
        return NULL;
    }
    buf_init(&t.out, 64 * PATTERN_BYTES);
    while (is_fine && t.at < text.len) is_fine = put_next(&t);
    if (is_fine && t.in_class) is_fine = refuse(&t, "a [ without its ]");
    if (is_fine && !buf_ok(&t.out)) is_fine = refuse(&t, "no memory");
    if (is_fine) pattern = pattern_re2_open(buf_str(&t.out), why);
    buf_done(&t.out);
    return pattern;
}
