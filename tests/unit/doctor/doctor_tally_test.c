/* Counting: shares and their bounds, people each once, the guilty release. */
#include "doctor/doctor_tally.c"
#include "fake_exam.h"

/* Where the share that was seen lies 1.96 standard errors above: solved by bisection, not by the formula. */
static void the_bound_is_wilsons(void **state)
{
    static const struct { uint64_t count, of; double bound; } cases[] = {
        { 0, 10, 0 }, { 1, 10, 0.017876 }, { 7, 31, 0.113951 }, { 10, 10, 0.722467 }, { 20, 100, 0.133367 },
        { 50, 100, 0.403832 }, { 5, 0, 0 },
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++)
        assert_float_equal(tally_bound(cases[at].count, cases[at].of), cases[at].bound, 1e-5);
}

static void people_count_once_and_most_cases_name_the_release(void **state)
{
    (void)state;
    fake_begin();
    for (uint32_t at = 0; at < 10; at++) {
        DoctorRow *row = fake_row(EVENT_PAGE, "", at % 3, IDENTITY_NONE, at);
        if (at > 6) row->release = fake_name("analytics.js 2.0");
        tally_unit(&fake.exam, DOCTOR_TW_1, row->source, 0);
        (void)tally_case(&fake.exam, DOCTOR_TW_1, 0, row);
    }
    struct tally *tally = tally_find(&fake.exam, DOCTOR_TW_1, fake_name("web"), 0);
    tally_settle(&fake.exam, tally);
    assert_int_equal(tally->count, 10);
    assert_int_equal(tally->person_count, 3);
    assert_int_equal(tally->release, fake_name("analytics.js 1.0"));
    assert_int_equal(tally->release_cases, 7);
    assert_int_equal(tally->example_count, DOCTOR_EXAMPLES);
    for (uint32_t at = 0; at < DOCTOR_EXAMPLES; at++)
        assert_int_equal(journal_number(tally->examples[at]), 10 - at);          /* the newest first */
    assert_int_equal(tally->last_ms - tally->first_ms, 9 * MINUTE_MS);
    fake_end();
}

/* Not by their numbers, which a rebuild changes: of more than twenty the same twenty are told. */
static void people_come_in_the_order_in_which_they_were_first_seen(void **state)
{
    static const IdentityNode nodes[] = { 7, 3, 9, 1 };
    (void)state;
    fake_begin();
    for (size_t at = 0; at < countof(nodes); at++) {
        const DoctorRow *row = fake_row(EVENT_TRACK, "x", nodes[at], IDENTITY_NONE, (double)at);
        assert_non_null(tally_case(&fake.exam, DOCTOR_ID_4, 0, row));
    }
    struct tally *tally = tally_find(&fake.exam, DOCTOR_ID_4, fake_name("web"), 0);
    tally_settle(&fake.exam, tally);
    assert_int_equal(tally->person_count, countof(nodes));
    for (size_t at = 0; at < countof(nodes); at++) assert_int_equal(tally->persons[at], nodes[at]);
    fake_end();
}

static void rows_of_nobody_have_no_person(void **state)
{
    (void)state;
    fake_begin();
    (void)tally_case(&fake.exam, DOCTOR_TW_1, 0, fake_row(EVENT_PAGE, "", IDENTITY_NONE, IDENTITY_NONE, 1));
    tally_settle(&fake.exam, fake.exam.tallies[0]);
    assert_int_equal(fake.exam.tallies[0]->count, 1);
    assert_int_equal(fake.exam.tallies[0]->person_count, 0);
    fake_end();
}

/* What is not sure is not told; what would be told with more cases is "too few". */
static void a_share_is_judged_by_its_bound(void **state)
{
    static const struct { uint64_t count, of; DoctorVerdict verdict; DoctorSeverity severity; } cases[] = {
        { 0, 200, DOCTOR_NOTHING, DOCTOR_WARNING }, { 2, 200, DOCTOR_NOTHING, DOCTOR_WARNING },
        { 4, 200, DOCTOR_TOO_FEW, DOCTOR_WARNING }, { 4, 5, DOCTOR_TOO_FEW, DOCTOR_ERROR },
        { 5, 200, DOCTOR_FOUND, DOCTOR_WARNING }, { 40, 200, DOCTOR_FOUND, DOCTOR_ERROR },
    };
    (void)state;
    fake_begin();
    for (size_t at = 0; at < countof(cases); at++) {
        DoctorSeverity severity = DOCTOR_INFO;
        struct tally tally = { .code = DOCTOR_ID_4, .source = fake_name("web"), .count = cases[at].count,
                               .of = cases[at].of };
        assert_int_equal(doctor_judge(&fake.exam, &tally, &severity), cases[at].verdict);
        if (cases[at].verdict) assert_int_equal(severity, cases[at].severity);
    }
    fake_end();
}

static void of_a_young_source_only_errors_are_told(void **state)
{
    DoctorSeverity severity;
    (void)state;
    fake_begin();
    struct tally tally = { .code = DOCTOR_ID_4, .source = fake_name("web"), .count = 6, .of = 200 };
    fake.young[tally.source] = true;
    assert_int_equal(doctor_judge(&fake.exam, &tally, &severity), DOCTOR_NOTHING);
    tally.count = 60;
    assert_int_equal(doctor_judge(&fake.exam, &tally, &severity), DOCTOR_FOUND);
    fake.question.source = STR("app");
    assert_int_equal(doctor_judge(&fake.exam, &tally, &severity), DOCTOR_NOTHING);
    fake_end();
}

static void a_fingerprint_is_of_code_source_and_event(void **state)
{
    char first[DOCTOR_FINGERPRINT_BYTES + 1], other[DOCTOR_FINGERPRINT_BYTES + 1];
    (void)state;
    fake_begin();
    struct tally tally = { .code = DOCTOR_ID_4, .source = fake_name("web") };
    doctor_fingerprint(&fake.exam, &tally, first);
    tally.count = 7;
    doctor_fingerprint(&fake.exam, &tally, other);
    assert_string_equal(first, other);
    tally.event = fake_name("Signed Up");
    doctor_fingerprint(&fake.exam, &tally, other);
    assert_string_not_equal(first, other);
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_is_wilsons), cmocka_unit_test(people_count_once_and_most_cases_name_the_release),
        cmocka_unit_test(people_come_in_the_order_in_which_they_were_first_seen),
        cmocka_unit_test(rows_of_nobody_have_no_person), cmocka_unit_test(a_share_is_judged_by_its_bound),
        cmocka_unit_test(of_a_young_source_only_errors_are_told),
        cmocka_unit_test(a_fingerprint_is_of_code_source_and_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
