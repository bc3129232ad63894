/* fake_exam: rows made by hand, and who is who, for passes. Nodes are small numbers; a user's person is its node, an
 * anonymous id's is whom `owner` says (itself at first). */
#ifndef ONYM_TESTS_FAKE_EXAM_H
#define ONYM_TESTS_FAKE_EXAM_H

#include "doctor/doctor_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { NODES = QUERY_PAGE_SUBJECTS, ROWS_MAX = 4096 };
#define NOW (1000 * DAY_MS)

static struct {
    struct exam exam;
    struct region region;
    Arena arena;
    QueryWorld world;
    QueryPeople people;
    DoctorQuestion question;
    DoctorSource sources[2];
    const uint32_t *pages[1];
    uint32_t owner[NODES];
    uint64_t has_person[NODES / 64 + 1];
    uint32_t ranks[NODES / 64 + 1];
    DoctorPerson persons[NODES];
    uint8_t young[DOCTOR_NAMES_MAX];
} fake;

static inline uint32_t fake_name(const char *text) { return doctor_name(&fake.exam.names, str_from(text)); }

static inline void fake_begin(void)
{
    memset(&fake, 0, sizeof fake);
    region_open(&fake.region, 64 << 20);
    fake.arena = region_arena(&fake.region);
    for (uint32_t at = 0; at < NODES; at++) {
        fake.owner[at] = at;
        fake.persons[at] = (DoctorPerson){ INT64_MAX, INT64_MAX, INT64_MAX };
        fake.has_person[at / 64] |= UINT64_C(1) << at % 64;
        fake.ranks[at / 64] = at / 64 * 64;
    }
    fake.pages[0] = fake.owner;
    fake.people = (QueryPeople){ .subject_count = NODES, .pages = fake.pages };
    fake.sources[0] = (DoctorSource){ STR("web"), false };
    fake.sources[1] = (DoctorSource){ STR("server"), true };
    fake.question = (DoctorQuestion){ .world = &fake.world, .sources = fake.sources, .source_count = 2 };
    fake.exam = (struct exam){
        .question = &fake.question, .people = &fake.people, .arena = &fake.arena, .now_ms = NOW,
        .from_ms = NOW - 7 * DAY_MS, .first_ms = NOW - 90 * DAY_MS, .has_person = fake.has_person, .ranks = fake.ranks,
        .persons = fake.persons, .young = fake.young, .names = { .arena = &fake.arena },
        .rows = calloc(ROWS_MAX, sizeof(DoctorRow)),
    };
    (void)fake_name("-");
}

static inline void fake_end(void)
{
    tally_close(&fake.exam);
    free(fake.exam.by_device);
    free(fake.exam.rows);
    free(fake.exam.names.texts);
    slots_done(&fake.exam.names.slots);
    region_close(&fake.region);
}

/* A message of a minute of the window, by user and device (IDENTITY_NONE: none), of "web"; the rest may be changed. */
static inline DoctorRow *fake_row(EventType type, const char *name, IdentityNode user, IdentityNode device,
                                  double minute)
{
    struct exam *exam = &fake.exam;
    check(exam->row_count < ROWS_MAX);
    DoctorRow *row = &exam->rows[exam->row_count];
    Millis at_ms = exam->from_ms + DAY_MS + (Millis)(minute * MINUTE_MS);
    *row = (DoctorRow){ .time_ms = at_ms, .arrival_ms = at_ms, .pos = journal_position(exam->row_count + 1),
                        .message = exam->row_count + 1, .user = user, .device = device, .source = fake_name("web"),
                        .release = fake_name("analytics.js 1.0"), .name = fake_name(name), .type = (uint8_t)type };
    IdentityNode subject = user != IDENTITY_NONE ? user : device;
    row->person = subject != IDENTITY_NONE ? fake.owner[subject] : QUERY_NOBODY;
    exam->row_count++;
    exam->has_browser |= type == EVENT_PAGE;
    if (row->person == QUERY_NOBODY) return row;
    DoctorPerson *person = &fake.persons[row->person];
    Millis *first = user != IDENTITY_NONE ? &person->first_user_ms : &person->first_anonymous_ms;
    if (at_ms < *first) *first = at_ms;
    if (at_ms < person->first_ms) person->first_ms = at_ms;
    return row;
}

static inline DoctorRow *fake_signup(IdentityNode user, IdentityNode device, double minute)
{
    DoctorRow *row = fake_row(EVENT_TRACK, "Signed Up", user, device, minute);
    row->flags |= ROW_SIGNUP;
    fake.exam.has_signups = true;
    return row;
}

static inline bool fake_has_device(const DoctorRow *row) { return row->device != IDENTITY_NONE; }
static inline int fake_by_device(const DoctorRow *a, const DoctorRow *b)
{
    return a->device != b->device ? doctor_compare(a->device, b->device) : doctor_compare_time(a, b);
}

static inline void fake_pass(DoctorPass *pass)
{
    Err err;
    assert_int_equal(doctor_sort(&fake.exam, fake_has_device, fake_by_device, &fake.exam.by_device,
                                 &fake.exam.device_row_count, &err), OK);
    assert_int_equal(pass(&fake.exam, &err), OK);
    for (uint32_t at = 0; at < fake.exam.tally_count; at++) tally_settle(&fake.exam, fake.exam.tallies[at]);
}

static inline void fake_expect_of(DoctorCode code, const char *source, const char *event, uint64_t count, uint64_t of,
                                  uint32_t people)
{
    const struct tally *tally = tally_find(&fake.exam, code, fake_name(source), fake_name(event));
    if (!tally || tally->count != count || tally->of != of || tally->person_count != people)
        print_error("%s\n", doctor_findings[code].code);
    assert_int_equal(tally ? tally->count : 0, count);
    assert_int_equal(tally ? tally->of : 0, of);
    assert_int_equal(tally ? tally->person_count : 0, people);
}

static inline void fake_expect(DoctorCode code, uint64_t count, uint64_t of, uint32_t people)
{
    fake_expect_of(code, "web", "", count, of, people);
}

#endif
