/* nearest: which known word a misspelt one was meant to be. */
#ifndef ONYM_BASE_NEAREST_H
#define ONYM_BASE_NEAREST_H

#include "str.h"

/* The candidate with the fewest edits (insert, remove, replace, swap neighbours); the first if several are equal.
 * Empty: none is near enough. Upper and lower case do not matter. */
Str nearest_word(Str given, const Str *candidates, size_t count);

#endif
