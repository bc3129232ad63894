/* unseen: characters that nobody sees, in one table: soft hyphens, joiners, marks of direction, fillers of Hangul,
 * tags, variation selectors, blanks of braille. A text that holds one is not the text that it looks like. */
#ifndef ONYM_BASE_UNSEEN_H
#define ONYM_BASE_UNSEEN_H

#include "str.h"

enum { POINT_NONE = 0xfffd };               /* stands for bytes that are no UTF-8 */

/* The code point at the start of s, which is not empty, and its bytes; POINT_NONE and 1 where it is no UTF-8. */
uint32_t point_decode(Str s, size_t *ret_bytes);

bool point_is_control(uint32_t point);      /* C0, C1, DEL */
bool point_is_unseen(uint32_t point);       /* draws nothing, or only an empty place; no blank that people type */
bool point_is_blank(uint32_t point);        /* wide, narrow and no-break ones, and those that end lines; not " " */

/* Joiners and variation selectors are a part of what they follow, in pictures, Persian or Indic scripts: there they are
 * seen. Give it the points of a text one after the other, from a zeroed state; true: this one cannot be seen. */
struct unseen { uint32_t before; unsigned joined; };
bool unseen_next(struct unseen *state, uint32_t point);

#endif
