/* doctor_tally: cases and what they are cases of, added up by code, source and event. */
#include "doctor_private.h"

#include <math.h>
#include <stdlib.h>

static uint64_t key_of(DoctorCode code, uint32_t source, uint32_t event)
{
    uint64_t words[2] = { (uint64_t)code << 32 | source, event };
    return hash_64(str_of(words, sizeof words), 0);
}

struct tally *tally_find(struct exam *exam, DoctorCode code, uint32_t source, uint32_t event)
{
    uint64_t hash = key_of(code, source, event);
    for (uint32_t at, probe = 0; (at = slots_next(&exam->tally_slots, hash, &probe)) != SLOTS_NONE;) {
        struct tally *tally = exam->tallies[at];
        if (tally->code == code && tally->source == source && tally->event == event) return tally;
    }
    return NULL;
}

static struct tally *tally_get(struct exam *exam, DoctorCode code, uint32_t source, uint32_t event)
{
    struct tally *tally = tally_find(exam, code, source, event);
    if (tally || exam->tally_count == DOCTOR_TALLIES_MAX) return tally;
    if (!vector_reserve(exam->tallies, exam->tally_capacity, exam->tally_count + (size_t)1, DOCTOR_TALLIES_MAX)
        || !slots_reserve(&exam->tally_slots, exam->tally_count + 1)) return NULL;
    tally = calloc(1, sizeof *tally);
    if (!tally) return NULL;
    *tally = (struct tally){ .code = code, .source = source, .event = event, .first_ms = INT64_MAX,
                             .last_ms = INT64_MIN };
    slots_put(&exam->tally_slots, key_of(code, source, event), exam->tally_count);
    return exam->tallies[exam->tally_count++] = tally;
}

void tally_unit(struct exam *exam, DoctorCode code, uint32_t source, uint32_t event)
{
    struct tally *tally = tally_get(exam, code, source, event);
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

void tally_person(struct tally *tally, uint32_t person, const DoctorRow *row)
{
    if (!tally) return;
    if (!vector_reserve(tally->cases, tally->case_capacity, tally->case_count + 1, DOCTOR_CASES_MAX)) {
        tally->is_more = true;
        return;
    }
    tally->cases[tally->case_count++] = (DoctorCase){ person, row->release, row->pos };
}

struct tally *tally_case(struct exam *exam, DoctorCode code, uint32_t event, const DoctorRow *row)
{
    struct tally *tally = tally_get(exam, code, row->source, event);
    if (!tally) return NULL;
    tally->count++;
    if (row->arrival_ms < tally->first_ms) tally->first_ms = row->arrival_ms;
    if (row->arrival_ms > tally->last_ms) tally->last_ms = row->arrival_ms;
    put_example(tally, row->pos);
    tally_person(tally, row->person, row);
    return tally;
}

/* ---- Once all is counted ---- */

static int by_release(const void *a, const void *b)
{
    const DoctorCase *left = a, *right = b;
    if (left->release != right->release) return left->release < right->release ? -1 : 1;
    return doctor_compare(journal_number(left->pos), journal_number(right->pos));
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

/* The release of most of the cases; of equal ones that whose name comes first. */
static void find_guilty(const struct exam *exam, struct tally *tally)
{
    qsort(tally->cases, tally->case_count, sizeof *tally->cases, by_release);
    for (size_t at = 0, next; at < tally->case_count; at = next) {
        uint32_t release = tally->cases[at].release;
        for (next = at; next < tally->case_count && tally->cases[next].release == release;) next++;
        bool is_first = next - at == tally->release_cases && tally->release_cases
            && str_compare(exam->names.texts[release], exam->names.texts[tally->release]) < 0;
        if (next - at > tally->release_cases || is_first) tally->release = release, tally->release_cases = next - at;
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
    qsort(tally->persons, count, sizeof *tally->persons, by_number);
    for (size_t at = 0; at < count; at++)
        if (!kept || tally->persons[kept - 1] != tally->persons[at]) tally->persons[kept++] = tally->persons[at];
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
