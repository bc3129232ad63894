/* What the files that make cases share; private to this folder. */
#ifndef ONYM_SYMPTOMS_JUDGE_H
#define ONYM_SYMPTOMS_JUDGE_H

#include "symptoms_cases.h"
#include "symptoms_private.h"

/* One pass over a view. */
struct judging {
    const SymptomDay *day;
    bool with_imports;
    Arena *arena;
    SymptomVisit *visit;
    void *context;
    uint32_t *source_of;                    /* the source of each origin; JUDGING_NONE: an import nobody asks for */
    Str *sources;
    uint64_t (*tallies)[SYMPTOM_TALLIES];   /* by source */
    uint32_t source_count;
};
#define JUDGING_NONE UINT32_MAX

/* Begins a case with what its origin says; the caller fills in the rest. */
SymptomCase judge_begin(const struct judging *judging, const char *code, uint32_t origin);
void judge_names(struct judging *judging);                  /* symptoms_cases_names.c: NM-1 to NM-5, NM-7, NM-8 */
void judge_fields(struct judging *judging);                 /* symptoms_cases_fields.c: PR-1 to PR-6 */

#endif
