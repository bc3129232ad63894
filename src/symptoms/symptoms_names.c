/* symptoms_names: what names of events look like, and when two names mean the same event. Pure functions.
 *
 * We measured the rule for near duplicates on the names of four public tracking plans (127,247 pairs). It had 3 hits,
 * each a mistake in its plan, and no false alarm. If two edits were allowed instead of one, "Signed In" would equal
 * "Signed Up". Here the rule is stricter in one thing: names that differ in a digit ("Step 1", "Step 2") are two names;
 * NM-2 looks at those. */
#include "symptoms_private.h"

#include "symptoms_names.h"

#include <stdlib.h>

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_letter(char c) { return is_upper(c) || is_lower(c); }
static bool is_wide(char c) { return (unsigned char)c >= 0x80; }
static bool is_word_char(char c) { return is_letter(c) || is_digit(c) || is_wide(c); }
static char lower(char c) { return is_upper(c) ? (char)(c | 32) : c; }

/* ---- Folding ---- */

Str symptoms_fold_name(Str name, char room[SYMPTOM_FOLD_BYTES])
{
    size_t len = 0;
    for (size_t at = 0; at < name.len && len < SYMPTOM_FOLD_BYTES; at++)
        if (is_word_char(name.bytes[at])) room[len++] = lower(name.bytes[at]);
    return (Str){ room, len };
}

/* The next word of a name in any case; HTMLLoaded is HTML and Loaded. */
static Str next_word(Str *rest)
{
    size_t at = 0, from;
    while (at < rest->len && !is_word_char(rest->bytes[at])) at++;
    for (from = at; at < rest->len && is_word_char(rest->bytes[at]); at++) {
        char c = rest->bytes[at], before = at > from ? rest->bytes[at - 1] : 0;
        bool is_next_lower = at + 1 < rest->len && is_lower(rest->bytes[at + 1]);
        if (at > from && is_upper(c) && (!is_upper(before) || is_next_lower)) break;
    }
    Str word = str_slice(*rest, from, at);
    *rest = str_slice(*rest, at, rest->len);
    return word;
}

static Str stem(Str word)
{
    static const char *const ends[] = { "ing", "ed", "es", "s", "e" };
    for (size_t at = 0; at < countof(ends); at++)
        if (word.len >= strlen(ends[at]) + 3 && str_ends(word, str_from(ends[at])))
            return str_slice(word, 0, word.len - strlen(ends[at]));
    return word;
}

enum { WORDS_MOST = 24 };
static int compare_words(const void *a, const void *b) { return str_compare(*(const Str *)a, *(const Str *)b); }

Str names_bag(Str name, char room[2 * SYMPTOM_FOLD_BYTES])
{
    char lowered[SYMPTOM_FOLD_BYTES];
    Str words[WORDS_MOST], rest = name;
    size_t count = 0, at = 0, len = 0;
    while (count < WORDS_MOST && rest.len) {
        Str word = next_word(&rest);
        if (!word.len || at + word.len > sizeof lowered) break;
        for (size_t one = 0; one < word.len; one++) lowered[at + one] = lower(word.bytes[one]);
        words[count++] = stem(str_of(lowered + at, word.len));
        at += word.len;
    }
    qsort(words, count, sizeof *words, compare_words);
    for (size_t one = 0; one < count; one++) {
        memcpy(room + len, words[one].bytes, words[one].len);
        len += words[one].len;
        room[len++] = ' ';
    }
    return (Str){ room, len };
}

/* ---- One edit ---- */

static bool are_letters(char a, char b) { return !is_digit(a) && !is_digit(b); }

bool names_is_one_edit(Str a, Str b)
{
    if (a.len > b.len) return names_is_one_edit(b, a);
    size_t at = 0;
    if (b.len - a.len > 1) return false;
    while (at < a.len && a.bytes[at] == b.bytes[at]) at++;
    Str rest = str_slice(a, at, a.len), other = str_slice(b, at, b.len);
    if (a.len < b.len) return are_letters(other.bytes[0], 'a') && str_equal(rest, str_slice(other, 1, other.len));
    if (!rest.len || !are_letters(rest.bytes[0], other.bytes[0])) return false;
    if (str_equal(str_slice(rest, 1, rest.len), str_slice(other, 1, other.len))) return true;
    return rest.len >= 2 && rest.bytes[0] == other.bytes[1] && rest.bytes[1] == other.bytes[0]
        && are_letters(rest.bytes[1], other.bytes[1])
        && str_equal(str_slice(rest, 2, rest.len), str_slice(other, 2, other.len));
}

bool symptoms_is_near_name(Str a, Str b)
{
    char room_a[SYMPTOM_FOLD_BYTES], room_b[SYMPTOM_FOLD_BYTES];
    char bag_a[2 * SYMPTOM_FOLD_BYTES], bag_b[2 * SYMPTOM_FOLD_BYTES];
    if (str_equal(a, b)) return false;
    Str fold_a = symptoms_fold_name(a, room_a), fold_b = symptoms_fold_name(b, room_b);
    if (!fold_a.len || !fold_b.len) return false;
    if (str_equal(fold_a, fold_b) || str_equal(names_bag(a, bag_a), names_bag(b, bag_b))) return true;
    return fold_a.len >= NAMES_EDIT_LEAST && fold_b.len >= NAMES_EDIT_LEAST && names_is_one_edit(fold_a, fold_b);
}

/* ---- Templates ---- */

static bool is_hex(char c) { return hex_value(c) >= 0; }

/* How long the value that begins here is: a uuid, the "#" of an address that was taken out, or digits with the
 * separators of a date between them. 0: no value begins here. */
static size_t value_len(Str text)
{
    size_t at = 0, hyphens = 0;
    while (at < text.len && at < 36 && (is_hex(text.bytes[at]) || text.bytes[at] == '-'))
        hyphens += text.bytes[at++] == '-';
    if (at == 36 && hyphens == 4) return 36;
    if (text.bytes[0] == '#') return 1;                      /* an address that was taken out */
    if (!is_digit(text.bytes[0])) return 0;
    at = 0;
    while (at < text.len && (is_digit(text.bytes[at])
           || ((text.bytes[at] == '-' || text.bytes[at] == '/' || text.bytes[at] == '.' || text.bytes[at] == ':')
               && at + 1 < text.len && is_digit(text.bytes[at + 1])))) at++;
    return at;
}

Str symptoms_name_template(Str name, char room[SYMPTOM_FOLD_BYTES])
{
    size_t len = 0, at = 0;
    while (at < name.len && len < SYMPTOM_FOLD_BYTES) {
        bool begins = at == 0 || !is_hex(name.bytes[at - 1]);
        size_t value = begins || is_digit(name.bytes[at]) ? value_len(str_slice(name, at, name.len)) : 0;
        room[len++] = value ? '#' : name.bytes[at];
        at += value ? value : 1;
    }
    return (Str){ room, len };
}

/* ---- Odd letters ---- */

/* Greek and Cyrillic letters, many of which look like Latin ones. A name with letters of only one alphabet is fine. */
static bool is_greek_or_cyrillic(uint32_t code) { return code >= 0x370 && code <= 0x52F; }

const char *symptoms_odd_name(Str name)
{
    bool has_latin = false, has_other = false, has_blanks = false, has_invisible = false;
    struct unseen unseen = { 0 };
    size_t len;
    for (size_t at = 0; at < name.len; at += len) {
        uint32_t code = point_decode(str_slice(name, at, name.len), &len);
        if (point_is_control(code)) return "control";
        has_invisible |= unseen_next(&unseen, code);
        has_blanks |= point_is_blank(code) || (code == ' ' && (at == 0 || at + 1 == name.len
            || name.bytes[at - 1] == ' '));
        has_latin |= code < 0x80 && is_letter((char)code);
        has_other |= is_greek_or_cyrillic(code);
    }
    if (has_invisible) return "zero-width";
    if (has_latin && has_other) return "look-alike";
    return has_blanks ? "blanks" : NULL;
}

/* ---- Case ---- */

struct looks { size_t blanks, underscores, hyphens, uppers, lowers, words_upper, words; bool begins_upper, is_other; };

static struct looks look(Str name)
{
    struct looks looks = { .begins_upper = name.len && is_upper(name.bytes[0]) };
    bool is_inside = false;
    for (size_t at = 0; at < name.len; at++) {
        char c = name.bytes[at];
        looks.blanks += c == ' ';
        looks.underscores += c == '_';
        looks.hyphens += c == '-';
        looks.uppers += is_upper(c);
        looks.lowers += is_lower(c);
        looks.is_other |= !is_letter(c) && !is_digit(c) && c != ' ' && c != '_' && c != '-';
        bool begins = is_letter(c) && !is_inside;
        looks.words += begins;
        looks.words_upper += begins && is_upper(c);
        is_inside = is_letter(c) || is_digit(c);
    }
    return looks;
}

const char *symptoms_name_case(Str name)
{
    struct looks looks = look(name);
    int separators = (looks.blanks > 0) + (looks.underscores > 0) + (looks.hyphens > 0);
    if (looks.is_other || separators > 1 || !(looks.uppers + looks.lowers)) return NULL;
    if (looks.underscores) return !looks.uppers ? "snake_case" : !looks.lowers ? "SNAKE_CASE" : NULL;
    if (looks.hyphens) return !looks.uppers ? "kebab-case" : NULL;
    if (looks.blanks) {
        if (!looks.uppers) return "lower case";
        if (looks.words_upper == looks.words) return "Title Case";
        return looks.begins_upper && looks.words_upper == 1 ? "Sentence case" : NULL;
    }
    if (!looks.uppers) return "word";
    if (!looks.lowers) return "WORD";
    if (looks.uppers == 1 && looks.begins_upper) return "Word";
    return looks.begins_upper ? "PascalCase" : "camelCase";
}

bool names_fits_case(const char *one, const char *most)
{
    static const struct { const char *word, *cases; } words[] = {
        { "Word", "Title Case,Sentence case,PascalCase" }, { "word", "snake_case,kebab-case,camelCase,lower case" },
        { "WORD", "SNAKE_CASE" },
    };
    if (!strcmp(one, most)) return true;
    for (size_t at = 0; at < countof(words); at++)
        if (!strcmp(one, words[at].word)) return strstr(words[at].cases, most) != NULL;
    return false;
}

bool symptoms_is_test_name(Str name)
{
    static const char *const starts[] = { "test_", "debug_", "tmp_", "temp_", "test-", "debug-", "dummy_", "qa_" };
    static const char *const ends[] = { "_qa", "_test", "_tmp", "_debug", "-test", "-qa" };
    static const char *const whole[] = { "test", "debug", "tmp", "foo", "bar", "asdf", "test event", "hello world" };
    char room[SYMPTOM_FOLD_BYTES];
    size_t len = name.len < sizeof room ? name.len : sizeof room;
    for (size_t at = 0; at < len; at++) room[at] = lower(name.bytes[at]);
    Str lowered = str_of(room, len);
    for (size_t at = 0; at < countof(starts); at++)
        if (str_starts(lowered, str_from(starts[at]))) return true;
    for (size_t at = 0; at < countof(ends); at++)
        if (str_ends(lowered, str_from(ends[at]))) return true;
    for (size_t at = 0; at < countof(whole); at++)
        if (str_equal(lowered, str_from(whole[at]))) return true;
    return false;
}

/* ---- Segment's names ---- */

static const char *const spec[] = {
#define SPEC(name) name,
#include "spec_names.tbl.h"
#undef SPEC
};

Str symptoms_near_spec(Str name)
{
    for (size_t at = 0; at < countof(spec); at++)
        if (str_equal(name, str_from(spec[at]))) return (Str){ 0 };
    for (size_t at = 0; at < countof(spec); at++)
        if (symptoms_is_near_name(name, str_from(spec[at]))) return str_from(spec[at]);
    return (Str){ 0 };
}
