/* Rule 5: values that never name anyone. These are the list of blocked.tbl.h, the shapes of what a template or a
 * formatter leaves if it has no value, and what the rules add. It is asked for every id of every message, so one look
 * at the first byte is enough to say no to nearly all of them. */
#include "identity_state.h"

enum { AT_VENDORS = 255 };             /* a list that no rules have */

static bool is_in(char c, const char *set) { return c != 0 && strchr(set, c) != NULL; }

/* The character at the beginning of the text or at its end. */
static uint32_t point_at(Str text, bool is_end, size_t *ret_bytes)
{
    size_t start = is_end ? text.len - 1 : 0;
    while (is_end && start && text.len - start < 4 && ((unsigned char)text.bytes[start] & 0xc0) == 0x80) start--;
    uint32_t point = point_decode(str_slice(text, start, text.len), ret_bytes);
    if (is_end && *ret_bytes != text.len - start) return *ret_bytes = 1, POINT_NONE;
    return point;
}

/* How many bytes of a blank that cannot be seen are at the end of the text, or at its beginning: control characters,
 * no-break, zero-width and typographic blanks, byte order marks; since the third list all of base/unseen.h. */
static size_t blank_at(Str text, bool is_end, uint32_t list)
{
    static const Str blanks[] = {
        STR("\u00a0"), STR("\u00ad"), STR("\u200b"), STR("\u200c"), STR("\u200d"), STR("\u200e"), STR("\u200f"),
        STR("\u2007"), STR("\u2009"), STR("\u2028"), STR("\u2029"), STR("\u202f"), STR("\u2060"), STR("\u3000"),
        STR("\ufeff"),
    };
    size_t bytes;
    if (!text.len) return 0;
    char c = text.bytes[is_end ? text.len - 1 : 0];
    if ((unsigned char)c <= ' ' || c == 0x7f) return 1;
    if ((unsigned char)c < 0x80) return 0;
    if (list >= 3) {
        uint32_t point = point_at(text, is_end, &bytes);
        return point_is_unseen(point) || point_is_blank(point) || point_is_control(point) ? bytes : 0;
    }
    for (size_t at = 0; at < countof(blanks); at++)
        if (is_end ? str_ends(text, blanks[at]) : str_starts(text, blanks[at])) return blanks[at].len;
    return 0;
}

static Str without_blanks(Str text, uint32_t list)
{
    for (size_t len; (len = blank_at(text, false, list)) > 0;) text = str_slice(text, len, text.len);
    for (size_t len; (len = blank_at(text, true, list)) > 0;) text.len -= len;
    return text;
}

/* The value without the blanks, the quotes and the brackets around it: JSON in JSON leaves "\"null\"", a query of PHP
 * or Python leaves ["null"]. */
static Str bare(Str value, uint32_t list)
{
    for (;;) {
        value = without_blanks(value, list);
        if (value.len >= 2 && ((value.bytes[0] == '[' && str_ends(value, STR("]")))
                               || (value.bytes[0] == '(' && str_ends(value, STR(")"))))) {
            value = str_slice(value, 1, value.len - 1);
            continue;
        }
        if (value.len > 2 && value.bytes[0] == '\\' && value.bytes[1] == '"') value = str_slice(value, 1, value.len);
        bool is_quoted = value.len >= 2 && is_in(value.bytes[0], "\"'`")
            && value.bytes[value.len - 1] == value.bytes[0];
        if (!is_quoted) return value;
        value = str_slice(value, 1, value.len - 1);
        if (str_ends(value, STR("\\"))) value.len--;
    }
}

/* Is it like "<nil>", "<user_id>", "<%= id %>", "<no value>"? In angle brackets only an address is an id ("<a@b.c>").
 * */
static bool is_in_brackets(Str value)
{
    for (size_t i = 1; i + 1 < value.len && value.bytes[1] != '%'; i++)
        if (is_in(value.bytes[i], "@0123456789")) return false;
    return true;
}

/* Is it like "%USER_ID%", "__USER_ID__": a name, with the same marks on both sides? */
static bool is_between(Str value, Str mark)
{
    if (value.len <= 2 * mark.len || !str_starts(value, mark) || !str_ends(value, mark)) return false;
    for (size_t i = mark.len; i < value.len - mark.len; i++) {
        char c = value.bytes[i];
        if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && c != '_') return false;
    }
    return true;
}

/* Is it like "undefined undefined", "null-null", "None_None": a name or a key that was made of absent values? */
static bool is_nothing_twice(Str value)
{
    static const Str words[] = { STR("null"), STR("undefined"), STR("none"), STR("nil"), STR("nan") };
    for (size_t start = 0, end; start <= value.len; start = end + 1) {
        for (end = start; end < value.len && !is_in(value.bytes[end], " -_|:/,.+");) end++;
        size_t at = 0;
        while (at < countof(words) && !str_equal_no_case(str_slice(value, start, end), words[at])) at++;
        if (at == countof(words)) return false;
    }
    return true;
}

/* Is it the same text for everybody, since it comes from a template? */
static bool is_left_over(Str value)
{
    static const struct { Str start, end; } shapes[] = {
        { STR("{{"), STR("}}") }, { STR("${"), STR("}") }, { STR("#{"), STR("}") }, { STR("[object "), STR("]") },
        { STR("[["), STR("]]") }, { STR("%("), STR(")s") }, { STR("%!"), STR(")") },
    };
    for (size_t at = 0; at < countof(shapes); at++)
        if (str_starts(value, shapes[at].start) && str_ends(value, shapes[at].end)) return true;
    if (is_between(value, STR("%")) || is_between(value, STR("__"))) return true;
    if (value.len == 2 && value.bytes[0] == '%' && is_in(value.bytes[1], "sdiuvxq@")) return true;
    return value.len > 2 && value.bytes[0] == '<' && value.bytes[value.len - 1] == '>' && is_in_brackets(value);
}

/* Has the text only characters that stand for something else: "_", "?", "...", "0.0", "***"? */
static bool is_of_marks(Str value)
{
    size_t i = 0;
    while (i < value.len && is_in(value.bytes[i], "_.?*-0 ")) i++;
    return i == value.len;
}

static bool is_nothing(Str value)
{
    size_t i = 0;
    while (i < value.len && (value.bytes[i] == '0' || value.bytes[i] == '-')) i++;
    return i == value.len;
}

/* ---- The list alone ---- */

bool identity_is_placeholder(Str value)
{
    static const Str rows[] = {
#define BLOCKED(value, list) STR(value),
#include "blocked.tbl.h"
#undef BLOCKED
    };
    if (is_left_over(without_blanks(value, IDENTITY_PLACEHOLDERS))) return true;
    value = bare(value, IDENTITY_PLACEHOLDERS);
    if (is_of_marks(value) || is_left_over(value) || is_nothing_twice(value)) return true;
    for (size_t at = 0; at < countof(rows); at++)
        if (str_equal_no_case(value, rows[at])) return true;
    return false;
}

/* ---- With the rules ---- */

static Hash128 blocked_key(Str value)
{
    char lower[LIMIT_ID_BYTES];
    for (size_t i = 0; i < value.len; i++)
        lower[i] = (char)(value.bytes[i] >= 'A' && value.bytes[i] <= 'Z' ? value.bytes[i] + 32 : value.bytes[i]);
    return hash_128((Str){ lower, value.len }, 0);
}

static void note_first(struct identity *identity, char c)
{
    uint8_t first = (uint8_t)c | 0x20;                       /* letters: in lower case */
    identity->blocked_firsts[first / 64] |= UINT64_C(1) << first % 64;
}

bool identity_is_blocked(const struct identity *identity, Str value)
{
    value = str_trim(value);
    if (value.len > LIMIT_ID_BYTES) return true;             /* no identifier is that long */
    if (is_nothing(value)) return true;
    uint8_t first = (uint8_t)value.bytes[0] | 0x20;
    if (!(identity->blocked_firsts[first / 64] >> first % 64 & 1)) return false;
    if (value.len <= identity->blocked_longest && set128_has(&identity->blocked, blocked_key(value))) return true;
    if (identity->placeholders < 2) return false;
    /* "[[id]]", before its brackets are taken off */
    if (is_left_over(without_blanks(value, identity->placeholders))) return true;
    Str inside = bare(value, identity->placeholders);
    if (is_of_marks(inside) || is_left_over(inside) || is_nothing_twice(inside)) return true;
    return inside.len != value.len && inside.len <= identity->blocked_longest
        && set128_has(&identity->blocked, blocked_key(inside));
}

static Status put_blocked(struct identity *identity, Str value, Err *err)
{
    value = str_trim(value);
    if (value.len > LIMIT_ID_BYTES)
        return err_set_field(err, "blocked", "a blocked value is over %d bytes", LIMIT_ID_BYTES);
    if (value.len > identity->blocked_longest) identity->blocked_longest = value.len;
    note_first(identity, value.len ? value.bytes[0] : 0);
    set128_put(&identity->blocked, blocked_key(value));
    return OK;
}

Status identity_block(struct identity *identity, const IdentityRules *rules, Err *err)
{
    Status s = OK;
    if (rules->placeholders > IDENTITY_PLACEHOLDERS)
        return err_set_field(err, "placeholders", "there are %d lists of placeholders", IDENTITY_PLACEHOLDERS);
    identity->placeholders = rules->placeholders ? rules->placeholders : IDENTITY_PLACEHOLDERS;
#define BLOCKED(value, list) \
    if (!s && (list) <= identity->placeholders) s = put_blocked(identity, STR(value), err);
#include "blocked.tbl.h"
#undef BLOCKED
    for (const char *shape = identity->placeholders < 2 ? "" : "\"'`\\{[(<$#%:_.?*0\xc2\xe2\xe3\xef\x7f";
         *shape; shape++)
        note_first(identity, *shape);
    for (const char *begin = identity->placeholders < 3 ? "" : "\xcd\xd8\xe1\xf0\xf3"; *begin; begin++)
        note_first(identity, *begin);
    for (char control = 0; identity->placeholders > 1 && control < 16; control++)    /* the rest share digits' bits */
        note_first(identity, control);
    for (size_t i = 0; !s && i < rules->blocked_count; i++)
        s = put_blocked(identity, rules->blocked[i], err);
    return s;
}

/* ---- Folding ---- */

Str identity_fold_text(Str value, char *room)
{
    if (value.len > LIMIT_ID_BYTES) return value;
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.bytes[i];
        if (is_in(c, " \t\r\n\f\v")) continue;
        room[len++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    return (Str){ room, len };
}

Str identity_fold(const struct identity *identity, IdentityKind kind, Str value, char *room)
{
    bool folds = kind >= IDENTITY_EXTERNAL && identity->externals[kind].folds;
    return folds ? identity_fold_text(value, room) : value;
}
