/* Events that a new version lost: which version is told, of how many sessions, and that it can be given up. */
#include "doctor/doctor_versions.c"
#include "fake_exam.h"

enum { SESSIONS = 210 };
static uint32_t next_device;

/* So many sessions of the version, each a page; so many of them with the event, too. */
static void sessions(const char *version, uint32_t count, uint32_t with_event)
{
    for (uint32_t at = 0; at < count; at++) {
        IdentityNode device = ++next_device;
        fake_row(EVENT_PAGE, "Home", IDENTITY_NONE, device, at)->app = fake_name(version);
        if (at < with_event) fake_row(EVENT_TRACK, "Bought", IDENTITY_NONE, device, at + 0.1)->app = fake_name(version);
    }
}

static void begin(void)
{
    fake_begin();
    next_device = 0;
}

static void what_the_next_version_lost_is_told(void **state)
{
    (void)state;
    begin();
    sessions("1.9.0", SESSIONS, SESSIONS - 10);
    sessions("1.10.0", SESSIONS, 90);
    fake_pass(doctor_pass_versions);
    fake_expect_of(DOCTOR_LO_4, "web", "Bought", SESSIONS - 90, SESSIONS, SESSIONS - 90);
    const struct tally *tally = tally_find(&fake.exam, DOCTOR_LO_4, fake_name("web"), fake_name("Bought"));
    assert_int_equal(tally->value, fake_name("1.10.0"));
    fake_end();
}

static void what_may_be_chance_or_another_thing_is_not(void **state)
{
    static const struct { const char *old, *new; uint32_t old_with, new_count, new_with; } cases[] = {
        { "1.0", "1.1", SESSIONS, SESSIONS, SESSIONS / 2 },                  /* half of them still send it */
        { "1.0", "1.1", SESSIONS - 20, SESSIONS, 0 },                        /* not all of them did before */
        { "1.0", "1.1", SESSIONS, SESSIONS_LEAST - 1, 0 },                   /* too few */
        { "1.1", "1.0", SESSIONS, SESSIONS, 0 },                             /* it is the older one that lacks it */
        { "web-1", "app-2", SESSIONS, SESSIONS, 0 },                         /* they do not follow each other */
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        begin();
        sessions(cases[at].old, SESSIONS, cases[at].old_with);
        sessions(cases[at].new, cases[at].new_count, cases[at].new_with);
        fake_pass(doctor_pass_versions);
        assert_int_equal(fake.exam.tally_count, 0);
        fake_end();
    }
}

static void it_is_given_up_while_it_tells(void **state)
{
    atomic_bool is_cancelled = true;
    Err err;
    (void)state;
    begin();
    sessions("1.0", SESSIONS, SESSIONS);
    sessions("1.1", SESSIONS, 0);
    assert_int_equal(doctor_sort(&fake.exam, fake_has_device, fake_by_device, &fake.exam.by_device,
                                 &fake.exam.device_row_count, &err), OK);
    fake.world.is_cancelled = &is_cancelled;
    assert_int_equal(doctor_pass_versions(&fake.exam, &err), ERR_CLOSED);
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_next_version_lost_is_told),
        cmocka_unit_test(what_may_be_chance_or_another_thing_is_not),
        cmocka_unit_test(it_is_given_up_while_it_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
