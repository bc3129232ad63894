/* What the files that compare many names need from symptoms_names.c; private to this folder. */
#ifndef ONYM_SYMPTOMS_NAMES_H
#define ONYM_SYMPTOMS_NAMES_H

#include "symptoms_cases.h"

enum { NAMES_EDIT_LEAST = 8 };              /* a shorter fold is never one edit away */

/* The stems of the name's words, sorted, a blank after each. */
Str names_bag(Str name, char room[2 * SYMPTOM_FOLD_BYTES]);
bool names_is_one_edit(Str a, Str b);       /* exactly one, and of letters */
/* A single word may fit several cases. */
bool names_fits_case(const char *one, const char *most);

#endif
