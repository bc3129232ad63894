/* doctor_tally: adds up cases, and the units of which they are a share, by code, source, event and field. */
#include "doctor_private.h"

#include <math.h>
#include <stdlib.h>

struct scope {
    DoctorCode code;
    uint32_t source, event, field;
};

static struct tally *find(struct exam *exam, struct scope scope)
{
    uint64_t hash = hash_64(str_of(&scope, sizeof scope), 0);
    for (uint32_t at, probe = 0; (at = slots_next(&exam->tally_slots, hash, &probe)) != SLOTS_NONE;) {
        struct tally *tally = exam->tallies[at];
        if (tally->code == scope.code && tally->source == scope.source && tally->event == scope.event
            && tally->field == scope.field) return tally;
    }
    return NULL;
}

struct tally *tally_find(struct exam *exam, DoctorCode code, uint32_t source, uint32_t event)
{
    return find(exam, (struct scope){ code, source, event, 0 });
}

static struct tally *tally_get(struct exam *exam, struct scope scope)
{
    struct tally *tally = find(exam, scope);
    if (tally || exam->tally_count == DOCTOR_TALLIES_MAX) return tally;
    if (!vector_reserve(exam->tallies, exam->tally_capacity, exam->tally_count + (size_t)1, DOCTOR_TALLIES_MAX)
        || !slots_reserve(&exam->tally_slots, exam->tally_count + 1)) return NULL;
    tally = calloc(1, sizeof *tally);
    if (!tally) return NULL;
    *tally = (struct tally){ .code = scope.code, .source = scope.source, .event = scope.event, .field = scope.field,
                             .first_ms = INT64_MAX, .last_ms = INT64_MIN };
    slots_put(&exam->tally_slots, hash_64(str_of(&scope, sizeof scope), 0), exam->tally_count);
    return exam->tallies[exam->tally_count++] = tally;
}

void tally_unit(struct exam *exam, DoctorCode code, uint32_t source, uint32_t event)
{
    struct tally *tally = tally_get(exam, (struct scope){ code, source, event, 0 });
    if (tally) tally->of++;
}

static void put_example(struct tally *tally, JournalPos pos)
{
    uint32_t at = 0;
    while (at < tally->example_count && journal_number(tally->examples[at]) > journal_number(pos)) at++;
    if (at == DOCTOR_EXAMPLES || (at < tally->example_count && tally->examples[at] == pos)) return;
    if (tally->example_count < DOCTOR_EXAMPLES) tally->example_count++;
    for (uint32_t to = tally->example_count - 1; to > at; to--) tally->examples[to] = tally->examples[to - 1];
    tally->examples[at] = pos;
}

static void put_case(struct tally *tally, DoctorCase one)
{
    if (!vector_reserve(tally->cases, tally->case_capacity, tally->case_count + 1, DOCTOR_CASES_MAX)) {
        tally->is_more = true;
        return;
    }
    tally->cases[tally->case_count++] = one;
}

void tally_person(struct tally *tally, uint32_t person, const DoctorRow *row)
{
    if (tally) put_case(tally, (DoctorCase){ person, row->release, 0 });
}

static void put_times(struct tally *tally, Millis first_ms, Millis last_ms)
{
    if (first_ms < tally->first_ms) tally->first_ms = first_ms;
    if (last_ms > tally->last_ms) tally->last_ms = last_ms;
}

struct tally *tally_case(struct exam *exam, DoctorCode code, uint32_t event, const DoctorRow *row)
{
    return tally_case_of(exam, code, event, 0, row);
}

struct tally *tally_case_of(struct exam *exam, DoctorCode code, uint32_t event, uint32_t field, const DoctorRow *row)
{
    struct tally *tally = tally_get(exam, (struct scope){ code, row->source, event, field });
    if (!tally) return NULL;
    tally->count++;
    put_times(tally, row->arrival_ms, row->arrival_ms);
    put_example(tally, row->pos);
    put_case(tally, (DoctorCase){ row->person, row->release, 1 });
    return tally;
}

void tally_place(const struct exam *exam, struct tally *tally, uint32_t page, uint64_t count)
{
    const Str *texts = exam->names.texts;
    uint32_t at = tally->place_count;
    for (; at > 0; at--) {
        uint64_t before = tally->places[at - 1].count;
        int order = str_compare(texts[tally->places[at - 1].page], texts[page]);
        if (before > count || (before == count && order < 0)) break;
    }
    if (at == DOCTOR_PLACES) return;
    if (tally->place_count < DOCTOR_PLACES) tally->place_count++;
    for (uint32_t to = tally->place_count - 1; to > at; to--) tally->places[to] = tally->places[to - 1];
    tally->places[at].page = page, tally->places[at].count = count;
}

/* The person of an id; if several people share the id, the person who had it at that time. */
static uint32_t person_of(const struct exam *exam, IdentityNode node, Millis at_ms)
{
    const QueryPeople *people = exam->people;
    if (node >= people->subject_count) return QUERY_NOBODY;
    uint32_t slot = people->pages[node / QUERY_PAGE_SUBJECTS][node % QUERY_PAGE_SUBJECTS];
    if (slot != QUERY_NOBODY && slot & QUERY_SHARED)
        slot = people->find_person(people->context, node, at_ms, JOURNAL_OLDEST);
    return slot < people->subject_count ? slot : QUERY_NOBODY;
}

struct tally *tally_add(struct exam *exam, const DoctorSum *sum)
{
    struct doctor_names *names = &exam->names;
    struct scope scope = { sum->code, doctor_name(names, sum->source), doctor_name(names, sum->event),
                           doctor_name(names, sum->field) };
    struct tally *tally = tally_get(exam, scope);
    uint32_t release = doctor_release(exam, sum->library, sum->version);
    if (!tally) return NULL;
    if (!sum->is_whole) tally->of += sum->of;
    else if (sum->of > tally->of) tally->of = sum->of;
    if (!sum->count) return tally;
    tally->count += sum->count;
    tally->is_more |= sum->is_more;
    put_times(tally, sum->first_ms, sum->last_ms);
    if (sum->value.len && sum->count > tally->value_count)
        tally->value = doctor_name(names, sum->value), tally->value_count = sum->count;
    for (size_t at = 0; at < sum->example_count; at++) put_example(tally, sum->examples[at]);
    put_case(tally, (DoctorCase){ QUERY_NOBODY, release, sum->count });
    for (size_t at = 0; at < sum->subject_count; at++)
        put_case(tally, (DoctorCase){ person_of(exam, sum->subjects[at], sum->last_ms), release, 0 });
    return tally;
}

/* ---- Once all is counted ---- */

static int by_release(const void *a, const void *b)
{
    const DoctorCase *left = a, *right = b;
    return doctor_compare(left->release, right->release);
}

static int compare_ids(const struct exam *exam, uint32_t left, uint32_t right)
{
    char rooms[2][IDENTITY_PERSON_ID_BYTES];
    derive_begin_reading(exam->question->applier);
    IdentityPerson people[2] = { identity_person_now(exam->identity, left),
                                 identity_person_now(exam->identity, right) };
    bool are_known = people[0] != IDENTITY_NONE && people[1] != IDENTITY_NONE;
    int order = !are_known ? 0 : str_compare(identity_person_id(exam->identity, people[0], rooms[0]),
                                             identity_person_id(exam->identity, people[1], rooms[1]));
    derive_end_reading(exam->question->applier);
    return order;
}

/* People who were seen first come first; then by their ids, since a rebuild gives people other numbers. */
static int by_first_seen(const void *a, const void *b, void *context)
{
    const struct exam *exam = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    Millis left_ms = doctor_person(exam, left)->first_ms, right_ms = doctor_person(exam, right)->first_ms;
    if (left_ms != right_ms) return left_ms < right_ms ? -1 : 1;
    int order = exam->identity && left != right ? compare_ids(exam, left, right) : 0;
    return order ? order : compare_u32(a, b);
}

/* Finds the release with most cases; of equal ones, the one whose name sorts first. */
static void find_guilty(const struct exam *exam, struct tally *tally)
{
    qsort(tally->cases, tally->case_count, sizeof *tally->cases, by_release);
    for (size_t at = 0; at < tally->case_count;) {
        uint32_t release = tally->cases[at].release;
        uint64_t weight = 0;
        for (; at < tally->case_count && tally->cases[at].release == release; at++) weight += tally->cases[at].weight;
        bool is_first = weight == tally->release_cases && weight
            && str_compare(exam->names.texts[release], exam->names.texts[tally->release]) < 0;
        if (weight > tally->release_cases || is_first) tally->release = release, tally->release_cases = weight;
    }
}

void tally_settle(struct exam *exam, struct tally *tally)
{
    if (tally->persons || !tally->case_count) return;
    find_guilty(exam, tally);
    tally->persons = malloc(tally->case_count * sizeof *tally->persons);
    check(tally->persons);
    size_t count = 0, kept = 0;
    for (size_t at = 0; at < tally->case_count; at++)
        if (tally->cases[at].person != QUERY_NOBODY) tally->persons[count++] = tally->cases[at].person;
    qsort(tally->persons, count, sizeof *tally->persons, compare_u32);
    for (size_t at = 0; at < count; at++)
        if (!kept || tally->persons[kept - 1] != tally->persons[at]) tally->persons[kept++] = tally->persons[at];
    qsort_r(tally->persons, kept, sizeof *tally->persons, by_first_seen, exam);
    tally->person_count = (uint32_t)kept;
}

void tally_close(struct exam *exam)
{
    for (uint32_t at = 0; at < exam->tally_count; at++) {
        free(exam->tallies[at]->cases);
        free(exam->tallies[at]->persons);
        free(exam->tallies[at]);
    }
    free(exam->tallies);
    slots_done(&exam->tally_slots);
}

double tally_bound(uint64_t count, uint64_t of)
{
    const double z = 1.959963985;                           /* two-sided 95 % */
    if (!of) return 0;
    double n = (double)of, share = (double)(count < of ? count : of) / n;
    double middle = share + z * z / (2 * n), reach = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    double bound = (middle - reach) / (1 + z * z / n);
    return bound > 0 && count ? bound : 0;
}
