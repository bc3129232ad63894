/* percent: bytes as URLs, forms and cookies write them (RFC 3986, 2.1): "a b" is "a%20b".
 *
 * Encoding writes ASCII letters and digits as they are, and of the other bytes those that the caller's alphabet names;
 * everything else becomes "%" and two upper-case digits. Decoding does what browsers do: a "%" without two hexadecimal
 * digits after it stays as it is, so every text can be decoded, and nothing is lost. The result may hold any byte,
 * also zero and invalid UTF-8.
 */
#ifndef ONYM_BASE_PERCENT_H
#define ONYM_BASE_PERCENT_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PERCENT_URL "-._~"                  /* what RFC 3986 calls unreserved */
#define PERCENT_COMPONENT "-_.!~*'()"       /* what a browser's encodeURIComponent does not escape */

void buf_percent_encode(struct buf *out, Str text, const char *alphabet);
void buf_percent_decode(struct buf *out, Str text, bool plus_is_space);

/* The same into the arena, with a NUL after it. */
Str percent_encode(Arena *arena, Str text, const char *alphabet);
Str percent_decode(Str text, bool plus_is_space, Arena *arena);

#ifdef __cplusplus
}
#endif
#endif
