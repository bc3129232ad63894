/* warehouse_name: both ways to separate words are patterns. The code here does without a regular expression, since it
 * runs for every property of every message. */
#include "warehouse_name.h"

#include <stdlib.h>

static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_word(char c) { return is_lower(c) || is_upper(c) || is_digit(c); }
static char lower(char c) { return is_upper(c) ? (char)(c + 'a' - 'A') : c; }

/* Where the run of what is asked for ends. */
static size_t run(Str s, size_t at, bool (*is)(char c))
{
    while (at < s.len && is(s.bytes[at])) at++;
    return at;
}

/* ---- Segment ---- */

static size_t segment_word(Str s, size_t at)
{
    while (at < s.len && (is_upper(s.bytes[at]) || is_digit(s.bytes[at]))) at++;
    while (at < s.len && (is_lower(s.bytes[at]) || is_digit(s.bytes[at]))) at++;
    return at;
}

/* ---- RudderStack ---- */

/* One upper case letter, if there is one, and lower case ones; at itself where there are none. */
static size_t capitalized(Str s, size_t at)
{
    size_t from = at < s.len && is_upper(s.bytes[at]) ? at + 1 : at, to = run(s, from, is_lower);
    return to > from ? to : at;
}

/* Capitals: the last of them begins the next word where lower case follows. */
static size_t capitals(Str s, size_t at)
{
    size_t to = run(s, at, is_upper);
    return to > at + 1 && to < s.len && is_lower(s.bytes[to]) ? to - 1 : to;
}

/* Lodash's alternatives in their order, "abc12", "ABC12", "12abc", "12ABC", then letters alone, then digits alone. */
static size_t rudderstack_word(Str s, size_t at)
{
    size_t letters = capitalized(s, at), all_capitals = run(s, at, is_upper), digits = run(s, at, is_digit);
    if (letters > at && run(s, letters, is_digit) > letters) return run(s, letters, is_digit);
    if (all_capitals > at && run(s, all_capitals, is_digit) > all_capitals) return run(s, all_capitals, is_digit);
    if (digits > at && capitalized(s, digits) > digits) return capitalized(s, digits);
    if (digits > at) return run(s, digits, is_upper);
    return letters > at ? letters : capitals(s, at);
}

static int compare_words(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* What PostgreSQL lets be no name of a column or table without quotes, as RudderStack lists it. */
static bool is_reserved(Str name)
{
    static const char *const words[] = {
        "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "between",
        "binary", "both", "case", "cast", "check", "collate", "column", "constraint", "create", "cross", "current_date",
        "current_role", "current_time", "current_timestamp", "current_user", "default", "deferrable", "desc",
        "distinct", "do", "else", "end", "except", "false", "for", "foreign", "freeze", "from",
        "full", "grant", "group", "having",
        "ilike", "in", "initially", "inner", "intersect", "into", "is", "isnull", "join", "leading", "left", "like",
        "limit", "localtime", "localtimestamp", "natural", "new", "not", "notnull", "null", "off", "offset", "old",
        "on", "only", "or", "order", "outer", "overlaps", "placing", "primary", "references", "right", "select",
        "session_user", "similar", "some", "symmetric", "table", "then", "to", "trailing", "true", "union", "unique",
        "user", "using", "verbose", "when", "where",
    };
    char text[32];
    const char *key = text;
    if (name.len >= sizeof text) return false;
    memcpy(text, name.bytes, name.len);
    text[name.len] = 0;
    return bsearch(&key, words, countof(words), sizeof *words, compare_words) != NULL;
}

/* ---- Both ---- */

Str warehouse_name_words(WarehouseNaming naming, Str text, Arena *arena)
{
    bool is_segment = naming == WAREHOUSE_NAMING_SEGMENT;
    char *name = arena_bytes(arena, 2 * text.len + 2);       /* an underscore a letter at most, and two in front */
    size_t len = 0, at = 0;
    while (!is_segment && at < text.len && text.bytes[at] == '_') name[len++] = text.bytes[at++];
    size_t front = len;
    while (at < text.len) {
        if (!is_word(text.bytes[at])) {
            at++;
            continue;
        }
        size_t end = is_segment ? segment_word(text, at) : rudderstack_word(text, at);
        if (len > front) name[len++] = '_';
        while (at < end) name[len++] = lower(text.bytes[at++]);
    }
    if (len == front) return (Str){ name, 0 };
    if (!is_segment && (is_digit(name[0]) || is_reserved((Str){ name, len }))) {
        memmove(name + 1, name, len++);
        name[0] = '_';
    }
    return (Str){ name, len };
}

Str warehouse_name_fit(Str name, Arena *arena)
{
    if (name.len <= WAREHOUSE_NAME_BYTES) return name;
    return arena_printf(arena, "%.*s_%08x", WAREHOUSE_NAME_KEPT, name.bytes, crc32c_of(0, name));
}

Str warehouse_name(WarehouseNaming naming, Str text, Arena *arena)
{
    return warehouse_name_fit(warehouse_name_words(naming, text, arena), arena);
}

Str warehouse_name_view(Str table, Arena *arena)
{
    enum { KEPT = WAREHOUSE_NAME_BYTES - (int)sizeof WAREHOUSE_RESOLVED + 1 };
    if (table.len <= KEPT) return arena_printf(arena, "%.*s" WAREHOUSE_RESOLVED, STR_FORMAT(table));
    return arena_printf(arena, "%.*s_%08x" WAREHOUSE_RESOLVED, KEPT - 9, table.bytes, crc32c_of(0, table));
}
