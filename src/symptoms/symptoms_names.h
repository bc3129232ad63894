/* What comparing many names needs of symptoms_names.c; private to this folder. */
#ifndef ONYM_SYMPTOMS_NAMES_H
#define ONYM_SYMPTOMS_NAMES_H

#include "symptoms_cases.h"

enum { NAMES_EDIT_LEAST = 8 };              /* bytes of a fold for one edit to be a slip */

/* The stems of its words in order, a blank after each. */
Str names_bag(Str name, char room[2 * SYMPTOM_FOLD_BYTES]);
bool names_is_one_edit(Str a, Str b);       /* exactly one, and of letters */
/* A case that a single word may have fits several. */
bool names_fits_case(const char *one, const char *most);

#endif
