/* Twice under two message ids: by one source within a second, by two within a minute. */
#include "doctor/doctor_twice.c"
#include "fake_exam.h"

enum { DEVICE = 100 };

/* Two calls; one thing after the other is different. */
static void the_same_call_is_the_same_in_all(void **state)
{
    enum {
        SAME, LATER, OTHER_NAME, OTHER_PROPERTIES, OTHER_USER, OTHER_DEVICE, OTHER_SOURCE, OTHER_TYPE, SAME_ID, CASES
    };
    (void)state;
    for (int at = SAME; at < CASES; at++) {
        fake_begin();
        DoctorRow *first = fake_row(EVENT_TRACK, "x", 1, DEVICE, 0);
        IdentityNode user = at == OTHER_USER ? 2 : 1, device = at == OTHER_DEVICE ? DEVICE + 1 : DEVICE;
        DoctorRow *row = fake_row(EVENT_TRACK, "x", user, device, 0.01);
        if (at == LATER) row->time_ms = first->time_ms + SECOND_MS + 1;
        if (at == OTHER_NAME) row->name = fake_name("y");
        if (at == OTHER_PROPERTIES) row->payload = 1;
        if (at == OTHER_SOURCE) row->source = fake_name("app");
        if (at == OTHER_TYPE) row->type = EVENT_PAGE;
        if (at == SAME_ID) row->message = first->message;
        fake_pass(doctor_pass_twice);
        bool is_whole = at != OTHER_NAME && at != OTHER_SOURCE;
        fake_expect_of(DOCTOR_TW_1, "web", "x", at == SAME, is_whole ? 2 : 1, at == SAME);
        fake_end();
    }
}

static void three_calls_are_two_too_many(void **state)
{
    (void)state;
    fake_begin();
    for (int at = 0; at < 3; at++) (void)fake_row(EVENT_TRACK, "x", 1, DEVICE, at * 0.01);
    fake_pass(doctor_pass_twice);
    fake_expect_of(DOCTOR_TW_1, "web", "x", 2, 3, 1);
    fake_end();
}

static void browser_and_server_send_the_same(void **state)
{
    static const struct { double apart; bool is_same_id; const char *name; bool is_case; } cases[] = {
        { 0.5, false, "x", true }, { 1.1, false, "x", false }, { 0.5, true, "x", false }, { 0.5, false, "y", false },
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        fake_begin();
        DoctorRow *first = fake_row(EVENT_TRACK, "x", 1, DEVICE, 0);
        DoctorRow *row = fake_row(EVENT_TRACK, cases[at].name, 1, IDENTITY_NONE, cases[at].apart);
        row->source = fake_name("server");
        if (cases[at].is_same_id) row->message = first->message;
        fake_pass(doctor_pass_twice);
        fake_expect_of(DOCTOR_TW_2, "server", cases[at].name, cases[at].is_case, 1, cases[at].is_case);
        fake_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_call_is_the_same_in_all), cmocka_unit_test(three_calls_are_two_too_many),
        cmocka_unit_test(browser_and_server_send_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
