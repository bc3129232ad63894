/* doctor_symptoms: symptoms/ counts cases in single messages when these are applied; here they are handed to the
 * tallies. They are counted by whole days in UTC: a day counts if any part of it is in the window. Imports count on the
 * day of their arrival. */
#include "doctor_private.h"

#include "symptoms/symptoms.h"

static const size_t cases_bytes = (size_t)256 << 20;        /* address space for details of cases */

/* The code's row in the table; DOCTOR_CODE_COUNT: the doctor has no such code. */
static DoctorCode code_of(const char *code)
{
    DoctorCode at = 0;
    while (at < DOCTOR_CODE_COUNT && strcmp(doctor_findings[at].code, code) != 0) at++;
    return at;
}

static void hand_over(void *context, const SymptomCase *found)
{
    struct exam *exam = context;
    JournalPos examples[SYMPTOMS_EXAMPLES];
    DoctorSum sum = {
        .code = code_of(found->code), .source = found->source, .event = found->event, .field = found->field,
        .value = found->detail, .library = found->library, .version = found->version, .count = found->count,
        .of = found->of, .is_whole = true, .first_ms = found->first_ms, .last_ms = found->last_ms,
        .examples = examples, .example_count = found->example_count, .subjects = found->subjects,
        .subject_count = found->subject_count, .is_more = found->has_more_subjects,
    };
    Str wanted = exam->question->source;
    if (sum.code == DOCTOR_ID_16) return;                    /* doctor_spellings.c finds these, with both users */
    if (sum.code == DOCTOR_CODE_COUNT || (wanted.len && !str_equal(wanted, found->source))) return;
    for (uint32_t at = 0; at < found->example_count; at++)
        examples[at] = journal_position(found->examples[at].position);
    uint32_t source = doctor_name(&exam->names, found->source);
    if (sum.code == DOCTOR_TW_3 && !doctor_is_server(exam, source)) return;      /* by hand, or by a pixel */
    if (source && exam->knows_old && exam->young[source] == SOURCE_NOT_SEEN) exam->young[source] = SOURCE_YOUNG;
    (void)tally_add(exam, &sum);                             /* if there is no room for it, the answer says so */
}

Status doctor_pass_symptoms(struct exam *exam, Err *err)
{
    int32_t end = (int32_t)calendar_floor(exam->now_ms, DAY_MS) + 1;
    int32_t first = (int32_t)calendar_floor(exam->from_ms, DAY_MS);
    struct symptoms_view *view;
    struct region region;
    if (!exam->question->applier) return OK;                 /* a test made the rows */
    if (first < end - SYMPTOMS_DAYS) first = end - SYMPTOMS_DAYS;
    Status s = derive_open_symptoms(exam->question->applier, first, end, &view, err);
    if (s) return s;
    region_open(&region, cases_bytes);
    Arena arena = region_arena(&region);
    symptoms_list_cases(symptoms_view_day(view), exam->question->with_imports, &arena, hand_over, exam);
    region_close(&region);
    symptoms_close_view(view);
    return OK;
}
