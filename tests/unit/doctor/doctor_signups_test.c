/* Sign-ups: with a history, by which cause without, twice, and not at all. */
#include "doctor/doctor_signups.c"
#include "fake_exam.h"

enum { DEVICE = 100 };

static void expect_causes(int cause)
{
    static const DoctorCode codes[] = { DOCTOR_ID_1, DOCTOR_ID_1A, DOCTOR_ID_1B, DOCTOR_ID_1C };
    for (int at = 0; at < 4; at++) fake_expect_of(codes[at], "web", "Signed Up", at == cause, 1, at == cause);
}

static void who_looked_around_before_has_a_history(void **state)
{
    (void)state;
    fake_begin();
    fake.owner[DEVICE] = 1;
    (void)fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE, 0);
    (void)fake_signup(1, DEVICE, 5);
    fake_pass(doctor_pass_signups);
    expect_causes(-1);
    fake_end();
}

/* What came as a stranger at the same instant or later is no history. */
static void history_is_before(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        fake_begin();
        fake.owner[DEVICE] = 1;
        (void)fake_signup(1, DEVICE, 5);
        (void)fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE, 5 + later);
        fake_pass(doctor_pass_signups);
        expect_causes(0);
        fake_end();
    }
}

static void each_cause_has_its_code(void **state)
{
    (void)state;
    fake_begin();                                           /* a server that knows no anonymous id */
    (void)fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE, 0);
    (void)fake_signup(1, IDENTITY_NONE, 5);
    fake_pass(doctor_pass_signups);
    expect_causes(1);
    fake_end();
    fake_begin();                                           /* a hop between hosts */
    fake.owner[DEVICE] = 1;
    (void)fake_signup(1, DEVICE, 5);
    DoctorRow *page = fake_row(EVENT_PAGE, "", 1, DEVICE, 6);
    page->host = fake_name("app.example.com"), page->referrer = fake_name("www.example.com");
    fake_pass(doctor_pass_signups);
    expect_causes(2);
    fake_end();
    fake_begin();                                           /* the device is somebody else's */
    fake.owner[DEVICE] = 2;
    (void)fake_row(EVENT_PAGE, "", 2, DEVICE, 0);
    (void)fake_signup(1, DEVICE, 5);
    fake_pass(doctor_pass_signups);
    expect_causes(3);
    fake_end();
}

static void without_browsers_there_is_no_history_to_lose(void **state)
{
    (void)state;
    fake_begin();
    (void)fake_signup(1, IDENTITY_NONE, 5);
    fake_pass(doctor_pass_signups);
    fake_expect_of(DOCTOR_ID_1A, "web", "Signed Up", 0, 0, 0);
    fake_end();
}

static void without_names_the_first_event_of_a_user_is_a_signup(void **state)
{
    (void)state;
    fake_begin();
    (void)fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE, 0);
    (void)fake_row(EVENT_TRACK, "x", 1, DEVICE, 300);
    (void)fake_row(EVENT_TRACK, "x", 2, DEVICE, 300);
    fake.persons[2].first_user_ms = fake.exam.from_ms - DAY_MS;         /* known before */
    fake_pass(doctor_pass_signups);
    fake_expect(DOCTOR_ID_1C, 1, 1, 1);
    fake_end();
    fake_begin();                                           /* who tracks since yesterday takes each log-in for one */
    fake.exam.first_ms = fake.exam.now_ms - DAY_MS;
    (void)fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE, 0);
    (void)fake_row(EVENT_TRACK, "x", 1, DEVICE, 300);
    fake_pass(doctor_pass_signups);
    fake_expect(DOCTOR_ID_1C, 0, 0, 0);
    fake_end();
}

static void twice_is_later_and_under_another_id(void **state)
{
    static const struct { double apart; const char *source; bool is_same_id, is_case; } cases[] = {
        { 10, "web", false, true }, { 10, "web", true, false }, { 0.01, "web", false, false },
        { 0.1, "web", false, true }, { 0.5, "server", false, false }, { 2, "server", false, true },
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        fake_begin();
        DoctorRow *first = fake_signup(1, IDENTITY_NONE, 5);
        DoctorRow *again = fake_signup(1, IDENTITY_NONE, 5 + cases[at].apart);
        again->source = fake_name(cases[at].source);
        if (cases[at].is_same_id) again->message = first->message;
        fake_pass(doctor_pass_signups);
        fake_expect(DOCTOR_ID_3, cases[at].is_case, 1, cases[at].is_case);
        fake_end();
    }
}

static void two_accounts_of_one_person_are_not_twice(void **state)
{
    (void)state;
    fake_begin();
    fake.owner[2] = 1;
    (void)fake_signup(1, IDENTITY_NONE, 5);
    (void)fake_signup(2, IDENTITY_NONE, 50);
    fake_pass(doctor_pass_signups);
    fake_expect(DOCTOR_ID_3, 0, 1, 0);
    fake_end();
}

static void who_is_first_seen_without_a_signup(void **state)
{
    static const struct { double signup; bool is_case; } cases[] = {
        { 5, false }, { 60, false }, { 66, true }, { -1, true },
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        fake_begin();
        (void)fake_signup(9, IDENTITY_NONE, 1);             /* there are sign-ups */
        (void)fake_row(EVENT_TRACK, "x", 1, DEVICE, 5);
        if (cases[at].signup >= 0) (void)fake_signup(1, IDENTITY_NONE, cases[at].signup);
        fake_pass(doctor_pass_signups);
        fake_expect_of(DOCTOR_ID_2, "web", "Signed Up", cases[at].is_case, 2, cases[at].is_case);
        fake_end();
    }
}

static void a_signup_of_the_server_with_a_page_around_it(void **state)
{
    static const struct { double page; bool is_case; } cases[] = { { 5, false }, { 64, false }, { 66, true } };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        fake_begin();
        fake.owner[DEVICE] = 1;
        (void)fake_row(EVENT_PAGE, "", 1, DEVICE, cases[at].page);
        fake_signup(1, DEVICE, 5)->source = fake_name("server");
        fake_pass(doctor_pass_signups);
        fake_expect_of(DOCTOR_LO_5, "server", "", cases[at].is_case, 1, cases[at].is_case);
        fake_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_looked_around_before_has_a_history), cmocka_unit_test(history_is_before),
        cmocka_unit_test(each_cause_has_its_code), cmocka_unit_test(without_browsers_there_is_no_history_to_lose),
        cmocka_unit_test(without_names_the_first_event_of_a_user_is_a_signup),
        cmocka_unit_test(twice_is_later_and_under_another_id),
        cmocka_unit_test(two_accounts_of_one_person_are_not_twice),
        cmocka_unit_test(who_is_first_seen_without_a_signup),
        cmocka_unit_test(a_signup_of_the_server_with_a_page_around_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
