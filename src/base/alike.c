/* alike: a name is cut into words once; then comparing two compares their folds, a few hashes, or looks for one edit.
 * */
#include "base.h"

enum { FOLD_LEAST = 8, STEM_LEAST = 3 };

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_lower(char c) { return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80; }
static bool is_letter(char c) { return is_upper(c) || is_lower(c); }

/* Does a word begin at this byte, within a run of letters and digits? "orderID2Sent": order, ID, 2, Sent. */
static bool begins_word(Str name, size_t at)
{
    char before = name.bytes[at - 1], c = name.bytes[at];
    if (is_digit(before) != is_digit(c)) return true;
    if (!is_upper(c)) return false;
    return is_lower(before) || (at + 1 < name.len && is_lower(name.bytes[at + 1]));
}

/* Removes endings that make no difference: viewed, views, viewing and view are one. */
static Str stem_of(Str word)
{
    static const char *const ends[] = { "ing", "ed", "es", "s", "e" };
    for (size_t at = 0; at < countof(ends); at++) {
        size_t len = strlen(ends[at]);
        if (word.len >= len + STEM_LEAST && str_ends(word, str_from(ends[at]))) return str_slice(word, 0, word.len
                                                                                                 - len);
    }
    return word;
}

static bool says_nothing(Str word)
{
    static const char *const words[] = { "a", "an", "the", "of", "to", "and" };
    for (size_t at = 0; at < countof(words); at++)
        if (str_equal(word, str_from(words[at]))) return true;
    return false;
}

/* False: there are too many words. */
static bool add_word(AlikeName *name, Str word)
{
    if (word.len == 0) return true;
    if (is_digit(word.bytes[0])) name->digits = hash_64(word, name->digits + 1);
    if (says_nothing(word)) return true;
    if (name->word_count == ALIKE_WORDS) return false;
    uint64_t stem = hash_64(stem_of(word), 0);
    size_t at = name->word_count++;
    for (; at > 0 && name->stems[at - 1] > stem; at--) name->stems[at] = name->stems[at - 1];
    name->stems[at] = stem;
    return true;
}

void alike_prepare(Str name, AlikeName *ret)
{
    size_t len = 0, begun = 0;
    bool is_fine = name.len <= ALIKE_BYTES;
    ret->name = name;
    ret->fold_len = ret->word_count = 0;
    ret->digits = 0;
    for (size_t at = 0; is_fine && at < name.len; at++) {
        char c = name.bytes[at];
        bool counts = is_letter(c) || is_digit(c), had_one = at > 0 && (is_letter(name.bytes[at - 1]) ||
                                                                       is_digit(name.bytes[at - 1]));
        if (!counts || (had_one && begins_word(name, at))) {
            is_fine = add_word(ret, (Str){ ret->fold + begun, len - begun });
            begun = len;
        }
        if (counts) ret->fold[len++] = is_upper(c) ? (char)(c + 32) : c;
    }
    if (is_fine) is_fine = add_word(ret, (Str){ ret->fold + begun, len - begun });
    if (is_fine) ret->fold_len = (uint8_t)len;
}

/* Are they exactly one edit apart? */
static bool is_one_edit(Str a, Str b)
{
    size_t same = 0, end = 0;
    if (a.len > b.len) {
        Str longer = a;
        a = b, b = longer;
    }
    if (b.len - a.len > 1) return false;
    while (same < a.len && a.bytes[same] == b.bytes[same]) same++;
    while (end < a.len - same && a.bytes[a.len - 1 - end] == b.bytes[b.len - 1 - end]) end++;
    size_t left_a = a.len - same - end, left_b = b.len - same - end;
    if (left_a <= 1 && left_b <= 1) return left_a + left_b > 0;
    return left_a == 2 && left_b == 2 && a.bytes[same] == b.bytes[same + 1] && a.bytes[same + 1] == b.bytes[same];
}

Alike alike_compare(const AlikeName *a, const AlikeName *b)
{
    Str fold_a = { a->fold, a->fold_len }, fold_b = { b->fold, b->fold_len };
    if (!a->fold_len || !b->fold_len || a->digits != b->digits || str_equal(a->name, b->name)) return ALIKE_NOT;
    if (str_equal(fold_a, fold_b)) return ALIKE_FOLD;
    if (a->word_count && a->word_count == b->word_count && !memcmp(a->stems, b->stems,
                                                                   a->word_count * sizeof *a->stems))
        return ALIKE_BAG;
    if (fold_a.len >= FOLD_LEAST && fold_b.len >= FOLD_LEAST && is_one_edit(fold_a, fold_b)) return ALIKE_EDIT;
    return ALIKE_NOT;
}

Alike alike_names(Str a, Str b)
{
    AlikeName first, second;
    alike_prepare(a, &first);
    alike_prepare(b, &second);
    return alike_compare(&first, &second);
}
