/* nearest: which known word a misspelt one was meant to be. */
#ifndef ONYM_BASE_NEAREST_H
#define ONYM_BASE_NEAREST_H

#include "str.h"

/* The candidate that is fewest edits (insert, remove, replace, swap neighbours) away; the first of equals.
 * Empty where none is near enough to be a likely slip. Case is no difference. */
Str nearest_word(Str given, const Str *candidates, size_t count);

#endif
