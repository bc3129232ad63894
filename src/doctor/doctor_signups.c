/* doctor_signups: looks at sign-ups: do they come at all, only once, and with a history before them; and if not, why? A
 * sign-up is a track with a name that says so. If there never was such a track, it is the first event of a user. */
#include "doctor_private.h"

#include <stdlib.h>

/* Sign-ups that are nearer together count elsewhere: the same call twice is TW-1, browser and server is TW-2. */
enum { AROUND_MS = HOUR_MS, TWICE_MS = SECOND_MS, BOTH_MS = MINUTE_MS };

struct person {
    struct exam *exam;
    const uint32_t *places;
    size_t count;
    const DoctorPerson *known;
    const DoctorRow *first_user, *signup;
};

static const DoctorRow *row_at(const struct person *person, size_t at)
{
    return &person->exam->rows[person->places[at]];
}

/* ---- Without a history ---- */

static const DoctorCode causes[] = { DOCTOR_ID_1, DOCTOR_ID_1A, DOCTOR_ID_1B, DOCTOR_ID_1C };

DoctorCode doctor_find_cause(const struct exam *exam, const DoctorRow *signup)
{
    const QueryPeople *people = exam->people;
    IdentityNode device = signup->device;
    if (device == IDENTITY_NONE) return DOCTOR_ID_1A;
    uint32_t slot = people->pages[device / QUERY_PAGE_SUBJECTS][device % QUERY_PAGE_SUBJECTS];
    if (slot & QUERY_SHARED && slot != QUERY_NOBODY)
        slot = people->find_person(people->context, device, exam->first_ms - 1, JOURNAL_OLDEST);
    if (slot != signup->person) return DOCTOR_ID_1C;
    const DoctorRow *first = doctor_first_page_of(exam, device);
    const Str *texts = exam->names.texts;
    if (first && doctor_is_same_site(texts[first->host], texts[first->referrer])) return DOCTOR_ID_1B;
    return DOCTOR_ID_1;
}

static void judge_history(const struct person *person)
{
    struct exam *exam = person->exam;
    const DoctorRow *signup = person->signup;
    uint32_t event = exam->has_signups ? signup->name : 0;
    for (size_t at = 0; at < countof(causes); at++) tally_unit(exam, causes[at], signup->source, event);
    if (person->known->first_anonymous_ms < signup->time_ms) return;
    (void)tally_case(exam, doctor_find_cause(exam, signup), event, signup);
}

/* ---- Twice, and not at all ---- */

static void judge_twice(const struct person *person)
{
    struct exam *exam = person->exam;
    const DoctorRow *signup = person->signup, *again = NULL;
    for (size_t at = 0; at < person->count && !again; at++) {
        const DoctorRow *row = row_at(person, at);
        if (row->flags & ROW_SIGNUP && row->message != signup->message && row->user == signup->user
            && row->time_ms - signup->time_ms > (row->source == signup->source ? TWICE_MS : BOTH_MS)) again = row;
    }
    tally_unit(exam, DOCTOR_ID_3, signup->source, 0);
    if (!again) return;
    DoctorRow row = *again;
    row.source = signup->source;
    (void)tally_case(exam, DOCTOR_ID_3, 0, &row);
}

static void judge_missing(const struct person *person, uint32_t event)
{
    struct exam *exam = person->exam;
    Millis first_ms = person->known->first_user_ms;
    bool is_found = false;
    for (size_t at = 0; at < person->count && !is_found; at++) {
        const DoctorRow *row = row_at(person, at);
        is_found = row->flags & ROW_SIGNUP && row->time_ms >= first_ms - AROUND_MS
            && row->time_ms <= first_ms + AROUND_MS;
    }
    if (!is_found && doctor_is_old_account(exam, person->signup ? person->signup->person : person->first_user->person,
                                           first_ms)) return;
    DoctorRow row = *person->first_user;
    row.source = row_at(person, 0)->source;                 /* where the person came in, sign-up or not */
    tally_unit(exam, DOCTOR_ID_2, row.source, event);
    if (!is_found) (void)tally_case(exam, DOCTOR_ID_2, event, &row);
}

/* A server sent the sign-up: did another source send anything with an anonymous id around that time? */
static void judge_company(const struct person *person)
{
    struct exam *exam = person->exam;
    const DoctorRow *signup = person->signup;
    bool has_page = false;
    if (!exam->has_browser || !doctor_is_server(exam, signup->source)) return;
    for (size_t at = 0; at < person->count && !has_page; at++) {
        const DoctorRow *row = row_at(person, at);
        has_page = row->source != signup->source && row->device != IDENTITY_NONE
            && row->time_ms >= signup->time_ms - AROUND_MS && row->time_ms <= signup->time_ms + AROUND_MS;
    }
    tally_unit(exam, DOCTOR_LO_5, signup->source, 0);
    if (!has_page) (void)tally_case(exam, DOCTOR_LO_5, 0, signup);
}

/* ---- One person ---- */

static void read_person(struct person *person)
{
    person->known = doctor_person(person->exam, row_at(person, 0)->person);
    for (size_t at = 0; at < person->count; at++) {
        const DoctorRow *row = row_at(person, at);
        if (!person->first_user && row->user != IDENTITY_NONE) person->first_user = row;
        if (!person->signup && row->flags & ROW_SIGNUP) person->signup = row;
    }
}

static void judge_person(struct person *person, uint32_t event)
{
    struct exam *exam = person->exam;
    bool is_tracked = exam->first_ms <= exam->now_ms - DOCTOR_TRACKED_MS;
    read_person(person);
    bool is_first_seen = person->first_user && is_tracked && person->known->first_user_ms >= exam->from_ms + AROUND_MS;
    if (exam->has_signups) {
        if (person->signup && exam->has_browser) judge_history(person);
        if (person->signup) judge_twice(person), judge_company(person);
        if (is_first_seen) judge_missing(person, event);
    } else if (is_first_seen && exam->has_browser) {
        person->signup = person->first_user;
        if (!doctor_is_old_account(exam, person->signup->person, person->signup->time_ms)) judge_history(person);
    }
}

static bool has_person(const DoctorRow *row) { return row->person != QUERY_NOBODY; }

static int by_person(const DoctorRow *a, const DoctorRow *b)
{
    return a->person != b->person ? doctor_compare(a->person, b->person) : doctor_compare_time(a, b);
}

/* The name that most sign-ups have, for the finding's text; of equal ones the first in the alphabet. */
static uint32_t usual_name(const struct exam *exam)
{
    uint32_t best = exam->signup, most = 0;
    uint32_t *counts = arena_try(exam->arena, sizeof *counts, 8, DOCTOR_NAMES_MAX);
    if (counts) memset(counts, 0, DOCTOR_NAMES_MAX * sizeof *counts);
    for (size_t at = 0; counts && at < exam->row_count; at++) {
        const DoctorRow *row = &exam->rows[at];
        if (!(row->flags & ROW_SIGNUP)) continue;
        uint32_t count = ++counts[row->name];
        bool is_before = str_compare(exam->names.texts[row->name], exam->names.texts[best]) < 0;
        if (count > most || (count == most && is_before)) best = row->name, most = count;
    }
    return best;
}

Status doctor_pass_signups(struct exam *exam, Err *err)
{
    uint32_t *places;
    size_t count;
    Status s = doctor_sort(exam, has_person, by_person, &places, &count, err);
    if (s) return s;
    uint32_t event = exam->has_signups ? usual_name(exam) : 0;
    for (size_t from = 0, to; !s && from < count; from = to) {
        to = doctor_group(exam, places, count, from, doctor_key_person);
        struct person person = { .exam = exam, .places = places + from, .count = to - from };
        judge_person(&person, event);
        s = doctor_go_on(exam, err);
    }
    free(places);
    return s;
}
