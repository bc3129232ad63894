/* doctor_twice: finds calls that came twice under two message ids: the same call within a second, or a call that both
 * the browser and the server send. A call that came twice under one id is a repeat, which counts only once anyway. */
#include "doctor_private.h"

#include <stdlib.h>

enum { TWICE_MS = SECOND_MS, BOTH_MS = MINUTE_MS };

static bool is_done(const DoctorRow *row)
{
    return row->type == EVENT_TRACK || row->type == EVENT_PAGE || row->type == EVENT_SCREEN;
}

static bool is_named(const DoctorRow *row)
{
    return row->type == EVENT_TRACK && row->name && row->person != QUERY_NOBODY;
}

/* ---- The same call ---- */

static int compare_call(const DoctorRow *a, const DoctorRow *b)
{
    if (a->source != b->source) return doctor_compare(a->source, b->source);
    if (a->user != b->user) return doctor_compare(a->user, b->user);
    if (a->device != b->device) return doctor_compare(a->device, b->device);
    if (a->type != b->type) return doctor_compare(a->type, b->type);
    if (a->name != b->name) return doctor_compare(a->name, b->name);
    return doctor_compare(a->payload, b->payload);
}

static int by_call(const DoctorRow *a, const DoctorRow *b)
{
    int order = compare_call(a, b);
    return order ? order : doctor_compare_time(a, b);
}

static Status judge_calls(struct exam *exam, Err *err)
{
    uint32_t *places;
    size_t count;
    Status s = doctor_sort(exam, is_done, by_call, &places, &count, err);
    if (s) return s;
    for (size_t at = 0; at < count; at++) {
        const DoctorRow *row = &exam->rows[places[at]], *last = at ? &exam->rows[places[at - 1]] : NULL;
        tally_unit(exam, DOCTOR_TW_1, row->source, row->name);
        if (last && !compare_call(last, row) && row->time_ms - last->time_ms <= TWICE_MS
            && row->message != last->message) (void)tally_case(exam, DOCTOR_TW_1, row->name, row);
    }
    free(places);
    return OK;
}

/* ---- Browser and server ---- */

static int by_name_person(const DoctorRow *a, const DoctorRow *b)
{
    if (a->name != b->name) return doctor_compare(a->name, b->name);
    return a->person != b->person ? doctor_compare(a->person, b->person) : doctor_compare_time(a, b);
}

static Status judge_both(struct exam *exam, Err *err)
{
    uint32_t *places;
    size_t count;
    Status s = doctor_sort(exam, is_named, by_name_person, &places, &count, err);
    if (s) return s;
    for (size_t at = 0; at < count; at++) {
        const DoctorRow *row = &exam->rows[places[at]], *last = at ? &exam->rows[places[at - 1]] : NULL;
        tally_unit(exam, DOCTOR_TW_2, row->source, row->name);
        if (last && last->name == row->name && last->person == row->person && last->source != row->source
            && last->message != row->message && row->time_ms - last->time_ms <= BOTH_MS)
            (void)tally_case(exam, DOCTOR_TW_2, row->name, row);
    }
    free(places);
    return OK;
}

Status doctor_pass_twice(struct exam *exam, Err *err)
{
    Status s = judge_calls(exam, err);
    return s ? s : judge_both(exam, err);
}
