/* What is wrong with one anonymous id at a time: who counts for which code, and what is no fault. */
#include "doctor/doctor_devices.c"
#include "fake_exam.h"

enum { DEVICE = 100 };

/* Users 1, 2, ... on the device, so many minutes apart, each for one message. */
static void users_on(IdentityNode device, uint32_t count, double apart)
{
    for (uint32_t user = 1; user <= count; user++) (void)fake_row(EVENT_TRACK, "x", user, device, user * apart);
}

static void two_users_are_no_reset(void **state)
{
    (void)state;
    fake_begin();
    users_on(DEVICE, 2, 600);
    (void)fake_row(EVENT_TRACK, "x", 3, DEVICE + 1, 5);
    (void)fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE + 2, 5);
    fake_pass(doctor_pass_devices);
    fake_expect(DOCTOR_ID_4, 1, 2, 2);
    fake_expect(DOCTOR_ID_4A, 0, 2, 0);
    fake_expect(DOCTOR_ID_6, 0, 2, 0);
    fake_end();
}

static void users_whom_an_alias_joined_are_one(void **state)
{
    (void)state;
    fake_begin();
    fake.owner[2] = 1;
    users_on(DEVICE, 2, 600);
    fake_pass(doctor_pass_devices);
    fake_expect(DOCTOR_ID_4, 0, 1, 0);
    fake_end();
}

/* 1 to 4: no reset. 5 to 10: staff. More: a constant. Each of one code alone. */
static void how_many_users_decides_the_code(void **state)
{
    (void)state;
    for (uint32_t users = 1; users <= 14; users++) {
        fake_begin();
        users_on(DEVICE, users, 600);
        fake_pass(doctor_pass_devices);
        fake_expect(DOCTOR_ID_4, users >= 2 && users < 5, 1, users >= 2 && users < 5 ? users : 0);
        fake_expect(DOCTOR_ID_4A, users >= 5 && users <= 10, 1, users >= 5 && users <= 10 ? users : 0);
        fake_expect(DOCTOR_ID_6, users > 10, 1, users > 10 ? 11 : 0);       /* so many are told */
        fake_end();
    }
}

/* A stay of somebody else between two of one: how long it and the gaps are decides. */
static void a_short_stay_between_is_impersonation(void **state)
{
    static const struct { double before, stay, after; bool is_one; } cases[] = {
        { 2, 10, 2, true }, { 4, 29, 4, true }, { 6, 10, 2, false }, { 2, 31, 2, false }, { 2, 10, 6, false },
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        double from = cases[at].before, to = from + cases[at].stay;
        fake_begin();
        (void)fake_row(EVENT_TRACK, "x", 1, DEVICE, 0);
        (void)fake_row(EVENT_TRACK, "x", 2, DEVICE, from);
        (void)fake_row(EVENT_TRACK, "x", 2, DEVICE, to);
        (void)fake_row(EVENT_TRACK, "x", 1, DEVICE, to + cases[at].after);
        fake_pass(doctor_pass_devices);
        fake_expect(DOCTOR_ID_4A, cases[at].is_one, 1, cases[at].is_one ? 2 : 0);
        fake_expect(DOCTOR_ID_4, !cases[at].is_one, 1, cases[at].is_one ? 0 : 2);
        fake_end();
    }
}

static void sessions_count_behind_the_claim(void **state)
{
    (void)state;
    fake_begin();
    fake.owner[DEVICE] = 1;
    (void)fake_row(EVENT_PAGE, "", 1, DEVICE, 0);                       /* the claim, and a session with its user */
    (void)fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE, 20);
    (void)fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE, 60);          /* without */
    (void)fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE, 85);
    (void)fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE, 200);         /* begins without, has it */
    (void)fake_row(EVENT_PAGE, "", 1, DEVICE, 201);
    (void)fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE + 1, 60);      /* nobody's device */
    fake_pass(doctor_pass_devices);
    fake_expect(DOCTOR_ID_12, 1, 3, 1);
    fake_end();
}

static void a_shared_device_is_nobodys_known_one(void **state)
{
    (void)state;
    fake_begin();
    users_on(DEVICE, 2, 600);
    fake.owner[DEVICE] = QUERY_SHARED | 7;
    fake_pass(doctor_pass_devices);
    fake_expect(DOCTOR_ID_12, 0, 0, 0);
    fake_end();
}

static void one_message_an_id_counts_for_servers_only(void **state)
{
    (void)state;
    fake_begin();
    for (uint32_t at = 0; at < 10; at++)
        fake_row(EVENT_TRACK, "x", IDENTITY_NONE, DEVICE + at, at)->source = fake_name("server");
    for (uint32_t at = 0; at < 10; at++) (void)fake_row(EVENT_TRACK, "x", IDENTITY_NONE, DEVICE + 50 + at, at);
    fake_row(EVENT_TRACK, "x", IDENTITY_NONE, DEVICE, 50)->source = fake_name("server");
    fake_pass(doctor_pass_devices);
    fake_expect_of(DOCTOR_ID_6A, "server", "", 9, 10, 9);
    fake_expect(DOCTOR_ID_6A, 0, 0, 0);
    fake_end();
}

static void new_visitors_from_another_host_of_the_site(void **state)
{
    static const struct { const char *host, *referrer; bool is_case; } cases[] = {
        { "app.example.com", "www.example.com", true }, { "www.example.com", "", false },
        { "www.example.com", "news.example.org", false }, { "www.example.com", "www.example.com", false },
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        fake_begin();
        DoctorRow *row = fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE, 5);
        row->host = fake_name(cases[at].host), row->referrer = fake_name(cases[at].referrer);
        fake_pass(doctor_pass_devices);
        fake_expect(DOCTOR_ID_14, cases[at].is_case, 1, cases[at].is_case);
        fake_end();
    }
    fake_begin();                                                       /* somebody who was known before the window */
    DoctorRow *row = fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE, 5);
    row->host = fake_name("app.example.com"), row->referrer = fake_name("www.example.com");
    fake.persons[DEVICE].first_ms = fake.exam.from_ms - DAY_MS;
    fake_pass(doctor_pass_devices);
    fake_expect(DOCTOR_ID_14, 0, 0, 0);
    fake_end();
}

static void two_libraries_at_once(void **state)
{
    static const struct { double apart; const char *release, *source; bool is_case; } cases[] = {
        { 0.01, "analytics.js 2.0", "web", true }, { 0.01, "analytics.js 1.0", "web", false },
        { 0.2, "analytics.js 2.0", "web", false }, { 0.01, "node 1", "server", false }, { 0.01, "", "web", false },
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        fake_begin();
        (void)fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE, 5);
        DoctorRow *row = fake_row(EVENT_PAGE, "", IDENTITY_NONE, DEVICE, 5 + cases[at].apart);
        row->release = fake_name(cases[at].release), row->source = fake_name(cases[at].source);
        fake_pass(doctor_pass_devices);
        fake_expect(DOCTOR_TW_5, cases[at].is_case, 1, cases[at].is_case);
        fake_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_users_are_no_reset), cmocka_unit_test(users_whom_an_alias_joined_are_one),
        cmocka_unit_test(how_many_users_decides_the_code), cmocka_unit_test(a_short_stay_between_is_impersonation),
        cmocka_unit_test(sessions_count_behind_the_claim), cmocka_unit_test(a_shared_device_is_nobodys_known_one),
        cmocka_unit_test(one_message_an_id_counts_for_servers_only),
        cmocka_unit_test(new_visitors_from_another_host_of_the_site), cmocka_unit_test(two_libraries_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
