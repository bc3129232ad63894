/* nearest: Damerau's distance (optimal string alignment) over short words, three rows at a time. */
#include "base.h"

enum { WORD_BYTES = 48 };                  /* longer words are not compared */

static unsigned char lower(char c) { return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c); }

static unsigned least_of(unsigned a, unsigned b) { return a < b ? a : b; }

static unsigned distance(Str a, Str b)
{
    unsigned rows[3][WORD_BYTES + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    check(a.len <= WORD_BYTES && b.len <= WORD_BYTES);
    for (size_t j = 0; j <= b.len; j++) before[j] = last[j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned char x = lower(a.bytes[i - 1]), y = lower(b.bytes[j - 1]);
            now[j] = least_of(least_of(last[j] + 1, now[j - 1] + 1), last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b.bytes[j - 2]) && y == lower(a.bytes[i - 2]))
                now[j] = least_of(now[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = last, last = now, now = spare;
    }
    return last[b.len];
}

Str nearest_word(Str given, const Str *candidates, size_t count)
{
    Str best = STR("");
    if (given.len == 0 || given.len > WORD_BYTES) return best;
    unsigned least = (unsigned)(given.len <= 2 ? 1 : given.len <= 4 ? 2 : given.len / 3 + 1) + 1;
    for (size_t at = 0; at < count; at++) {
        if (candidates[at].len == 0 || candidates[at].len > WORD_BYTES) continue;
        unsigned edits = distance(given, candidates[at]);
        if (edits < least && edits < candidates[at].len) least = edits, best = candidates[at];
    }
    return best;
}
