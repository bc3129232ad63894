/* unseen: the table is Unicode's Default_Ignorable_Code_Point and its format characters, and two that are letters by
 * name and drawn as nothing: the fillers of Hangul and the braille pattern without dots. */
#include "base.h"

typedef struct Range {
    uint32_t first, last;
} Range;

enum { JOINED_MOST = 2 };                   /* a picture, the selector of its colour, a joiner */

static bool is_within(uint32_t point, const Range *ranges, size_t count)
{
    for (size_t at = 0; at < count && point >= ranges[at].first; at++)
        if (point <= ranges[at].last) return true;
    return false;
}

uint32_t point_decode(Str s, size_t *ret_bytes)
{
    const unsigned char *at = (const unsigned char *)s.bytes;
    size_t need = at[0] < 0x80 ? 1 : (at[0] & 0xe0) == 0xc0 ? 2 : (at[0] & 0xf0) == 0xe0 ? 3
                  : (at[0] & 0xf8) == 0xf0 ? 4 : 0;
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    *ret_bytes = 1;
    if (need == 0 || need > s.len) return POINT_NONE;
    uint32_t point = need == 1 ? at[0] : at[0] & (0x7fu >> need);
    for (size_t more = 1; more < need; more++) {
        if ((at[more] & 0xc0) != 0x80) return POINT_NONE;
        point = point << 6 | (at[more] & 0x3f);
    }
    if (point < least[need] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return POINT_NONE;
    *ret_bytes = need;
    return point;
}

bool point_is_control(uint32_t point) { return point < 0x20 || (point >= 0x7f && point < 0xa0); }

bool point_is_unseen(uint32_t point)
{
    static const Range ranges[] = {                             /* ascending */
        { 0xad, 0xad },                                         /* soft hyphen */
        { 0x34f, 0x34f }, { 0x61c, 0x61c },                     /* grapheme joiner; Arabic mark of direction */
        { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 },                 /* fillers of Hangul; vowels of Khmer */
        { 0x180b, 0x180f },                                     /* selectors and vowel separator of Mongolian */
        { 0x200b, 0x200f }, { 0x202a, 0x202e },                 /* of no width; directions */
        { 0x2060, 0x206f },                                     /* word joiner, operators, directions */
        { 0x2800, 0x2800 }, { 0x3164, 0x3164 },                 /* braille without dots; filler of Hangul */
        { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff },                 /* variation selectors; byte order mark */
        { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb },                 /* filler of Hangul; annotation */
        { 0x13430, 0x1343f }, { 0x1bca0, 0x1bca3 },             /* of hieroglyphs; of shorthand */
        { 0x1d159, 0x1d159 }, { 0x1d173, 0x1d17a },             /* of music */
        { 0xe0000, 0xe0fff },                                   /* tags, variation selectors */
    };
    return is_within(point, ranges, countof(ranges));
}

bool point_is_blank(uint32_t point)
{
    static const Range ranges[] = {
        { 0x85, 0x85 }, { 0xa0, 0xa0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200a }, { 0x2028, 0x2029 }, { 0x202f, 0x202f },
        { 0x205f, 0x205f }, { 0x3000, 0x3000 },
    };
    return is_within(point, ranges, countof(ranges));
}

static bool joins(uint32_t point)
{
    static const Range ranges[] = {
        { 0x34f, 0x34f }, { 0x180b, 0x180d }, { 0x180f, 0x180f }, { 0x200c, 0x200d }, { 0xfe00, 0xfe0f },
        { 0xe0100, 0xe01ef },
    };
    return is_within(point, ranges, countof(ranges));
}

bool unseen_next(struct unseen *state, uint32_t point)
{
    if (joins(point) && state->before >= 0x300 && state->joined < JOINED_MOST) {
        state->joined++;
        return false;
    }
    bool is_unseen = point_is_unseen(point);
    bool is_nothing = is_unseen || point_is_control(point) || point_is_blank(point) || point == POINT_NONE;
    *state = (struct unseen){ .before = is_nothing ? 0 : point };
    return is_unseen;
}
