/* symptoms_cases: what is counted in a view, as cases of the doctor's catalogue: one for each code, origin, event,
 * field and detail. Whether a case is worth a finding (its share, how many) is not said here.
 *
 * Codes that rows hold are told as they stand. The others are found by comparing what a view has: names of events with
 * each other and with Segment's (NM-), types and sizes of fields by event, library and version (PR-), shapes of ids.
 * Imports are left out, unless they are asked for. No state, any thread.
 */
#ifndef ONYM_SYMPTOMS_CASES_H
#define ONYM_SYMPTOMS_CASES_H

#include "symptoms.h"

typedef struct SymptomCase {
    const char *code;                       /* "ID-5", "NM-1" */
    Str source, library, version, app_version;      /* where these cases came from; empty: not known, or from several */
    Str event, field;                       /* empty: none. field with its properties., traits. or context. in front */
    Str detail;                             /* the value, its kind, the other name: hostile text */
    uint64_t count, of;                     /* of: of the whole source, all its versions added up */
    Millis first_ms, last_ms;               /* arrival */
    const SymptomExample *examples;
    uint32_t example_count;
    const uint32_t *subjects;               /* identity's numbers */
    uint32_t subject_count;
    bool has_more_subjects;                 /* there are more than these */
} SymptomCase;

/* What cases say beyond their field and value (symptoms.h), and what they are counted of:
 *   ID-7   count, of: users whose id is an e-mail address or a phone number, of all users; detail: "email", "phone"
 *   ID-8   users whose id has another shape than most; detail: the shape
 *   LO-2   LO-1 whose reason is project_not_found; no source
 *   CL-1   of messages with sentAt. Not told where CL-2 explains half of it
 *   NM-1   event, detail: the rarer name and the commoner one; of: both together
 *   NM-2   event: one of them,
     detail: the template; messages of at least ten names. event empty: names over the ceiling
 *   NM-3   detail: "blanks", "control", "zero-width", "look-alike"
 *   NM-4   detail: what most names are, "Title Case"; count: 1, of: names
 *   NM-5   detail: the name that Segment's specification has
 *   NM-7, NM-8   of: all track messages of the source
 *   PR-1   values of this type, of all that are neither null nor empty; detail: "text where number is usual",
 *          "number as text"
 *   PR-2   event, detail: "number; text in Other Event"
 *   PR-3   messages of this version without the field, of those of this version
 *   PR-4   detail: "junk" or "empty text"; of all values
 *   PR-5   names of fields with numbers in them or over the ceiling, of all; of an event that has at least ten such
 *   PR-6   detail: "x100 of VERSION": the middle value against that of another origin; of: numbers of both
 * IDs count users: exactly up to SYMPTOMS_SUBJECTS, then as estimated from a sample (within 4 %),
     and has_more_subjects. */
typedef void SymptomVisit(void *context, const SymptomCase *found);
/* Strings are valid as long as the view and the arena. A view with a year's names takes about 20 MB of it. */
void symptoms_list_cases(const SymptomDay *day, bool with_imports, Arena *arena, SymptomVisit *visit, void *context);

/* ---- Names: pure functions ---- */

enum { SYMPTOM_FOLD_BYTES = SYMPTOMS_NAME_BYTES + 1 };
/* Lower case, letters and digits only: "Signed Up", "signed_up" and "signedUp" are one. What is no ASCII stays. */
Str symptoms_fold_name(Str name, char room[SYMPTOM_FOLD_BYTES]);
/* One name spelt in two ways: equal folds; or the same stems in any order; or one edit (insert, remove, replace, swap
 * neighbours) apart, where both folds have at least 8 bytes and the edit is of letters: steps 1 and 2 are two. */
bool symptoms_is_near_name(Str a, Str b);
/* Digits, uuids, dates and addresses become "#". Equal to the name where it has none of them. */
Str symptoms_name_template(Str name, char room[SYMPTOM_FOLD_BYTES]);
/* "blanks", "control", "zero-width", "look-alike"; NULL: nothing odd. */
const char *symptoms_odd_name(Str name);
/* "Title Case", "Sentence case", "snake_case", "SNAKE_CASE", "kebab-case", "camelCase", "PascalCase", "lower case"; of
 * one word the case that fits many: "Word", "word", "WORD"; NULL: none of them. */
const char *symptoms_name_case(Str name);
bool symptoms_is_test_name(Str name);
/* The name of Segment's specification that it nearly is; empty: none, or it is one. */
Str symptoms_near_spec(Str name);

#endif
