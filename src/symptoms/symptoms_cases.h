/* symptoms_cases: makes cases of the doctor's catalogue from what a view has counted: one for each code, origin, event,
 * field and detail. Whether a case is worth a finding (its share, how many) is decided elsewhere.
 *
 * Most rows of a view become cases as they are. Other cases are found by comparing what a view has: names of events
 * with each other and with Segment's (NM-), types and sizes of fields by event, library and version (PR-), shapes of
 * ids. Imports are left out, unless they are asked for. It has no state; any thread may call it.
 */
#ifndef ONYM_SYMPTOMS_CASES_H
#define ONYM_SYMPTOMS_CASES_H

#include "symptoms.h"

typedef struct SymptomCase {
    const char *code;                       /* "ID-5", "NM-1" */
    Str source, library, version, app_version;      /* where these cases came from; empty: not known, or from several */
    Str event, field;                       /* empty: none. field begins with properties., traits. or context. */
    Str detail;                             /* the value, its kind, the other name: hostile text */
    uint64_t count, of;                     /* of: the total of the whole source, all versions */
    Millis first_ms, last_ms;               /* arrival */
    const SymptomExample *examples;
    uint32_t example_count;
    const uint32_t *subjects;               /* identity's numbers */
    uint32_t subject_count;
    bool has_more_subjects;                 /* there are more than these */
} SymptomCase;

/* symptoms.h says what the field and the value of a row mean. Here is what else a case says, and its total (of):
 *   ID-7   count, of: users whose id is an e-mail address or a phone number, of all users; detail: "email", "phone"
 *   ID-8   users whose id has another shape than most; detail: the shape
 *   LO-2   messages of LO-1 whose reason is project_not_found; without a source
 *   CL-1   of messages with sentAt. There is no such case if CL-2 explains more than half of it
 *   NM-1   event, detail: the rarer name and the more common one; of: both together
 *   NM-2   event: one of the names; detail: the template; count: messages of at least ten names. Without an event: the
 *          names over the ceiling
 *   NM-3   detail: "blanks", "control", "zero-width", "look-alike"
 *   NM-4   detail: how most names are written, "Title Case"; count: 1, of: the number of names
 *   NM-5   detail: the name in Segment's specification
 *   NM-7, NM-8   of: all track messages of the source
 *   PR-1   values of this type, of all that are neither null nor empty; detail: "text where number is usual",
 *          "number as text"
 *   PR-2   event, detail: "number; text in Other Event"
 *   PR-3   messages of this version without the field, of all messages of this version
 *   PR-4   detail: "junk" or "empty text"; of all values
 *   PR-5   fields of an event whose names have numbers in them or are over the ceiling, of all its fields. Only if it
 *          has at least ten such fields
 *   PR-6   detail: "x100 of VERSION": the median is so many times that of another origin; of: numbers of both
 * Codes that begin with ID count users: exactly up to SYMPTOMS_SUBJECTS, beyond that as estimated from a sample (within
 * 4 %), and then has_more_subjects is true. */
typedef void SymptomVisit(void *context, const SymptomCase *found);
/* Strings are valid as long as the view and the arena. A view with a year's names takes about 20 MB of the arena. */
void symptoms_list_cases(const SymptomDay *day, bool with_imports, Arena *arena, SymptomVisit *visit, void *context);

/* ---- Names: pure functions ---- */

enum { SYMPTOM_FOLD_BYTES = SYMPTOMS_NAME_BYTES + 1 };
/* Lower case, letters and digits only: "Signed Up", "signed_up" and "signedUp" give the same. Bytes that are no ASCII
 * stay as they are. */
Str symptoms_fold_name(Str name, char room[SYMPTOM_FOLD_BYTES]);
/* Is it one name, spelt in two ways? Yes if the folds are equal; or if both have the same stems in any order; or if
 * both folds have at least 8 bytes and are one edit of a letter apart (insert, remove, replace, swap neighbours). An
 * edit of a digit does not count: "Step 1" and "Step 2" are two names. */
bool symptoms_is_near_name(Str a, Str b);
/* The name with "#" in place of digits, uuids, dates and addresses. A name that has none of them is given as it is. */
Str symptoms_name_template(Str name, char room[SYMPTOM_FOLD_BYTES]);
/* "blanks", "control", "zero-width", "look-alike"; NULL: nothing odd. */
const char *symptoms_odd_name(Str name);
/* "Title Case", "Sentence case", "snake_case", "SNAKE_CASE", "kebab-case", "camelCase", "PascalCase", "lower case"; of
 * a single word, which may be of several cases: "Word", "word", "WORD"; NULL: none of them. */
const char *symptoms_name_case(Str name);
bool symptoms_is_test_name(Str name);
/* The name in Segment's specification that this one nearly equals; empty: there is none, or it is equal. */
Str symptoms_near_spec(Str name);

#endif
