/* Users, aliases and addresses: where a habit ends and a fault begins. */
#include "doctor/doctor_people.c"
#include "fake_exam.h"

enum { DEVICE = 100 };

static void more_than_fifty_devices_are_a_magnet(void **state)
{
    (void)state;
    for (uint32_t devices = 50; devices <= 51; devices++) {
        fake_begin();
        for (uint32_t at = 0; at < devices; at++)
            for (int twice = 0; twice < 2; twice++) (void)fake_row(EVENT_TRACK, "x", 1, DEVICE + at, at);
        fake_pass(doctor_pass_people);
        fake_expect(DOCTOR_ID_6, devices > 50, 1, devices > 50);
        fake_end();
    }
}

/* By the numbers of devices the later row would come first; a rebuild gives others. */
static void a_magnet_is_of_the_source_that_knew_it_first(void **state)
{
    (void)state;
    fake_begin();
    fake_row(EVENT_TRACK, "x", 1, DEVICE + 1, 0)->source = fake_name("server");
    (void)fake_row(EVENT_TRACK, "x", 1, DEVICE, 1);
    fake_pass(doctor_pass_people);
    const struct tally *tally = tally_find(&fake.exam, DOCTOR_ID_6, fake_name("server"), fake_name(""));
    assert_true(tally && tally->of == 1);
    fake_end();
}

/* A1, A2, A1: what must hold for a hop, one thing after the other left out. */
static void a_hop_is_one_browser_on_two_hosts_within_a_day(void **state)
{
    static const struct { const char *host; uint32_t agent; double back; IdentityNode third; bool is_unit, is_case; }
    cases[] = {
        { "app.example.com", 1, 10, DEVICE, true, true }, { "www.example.com", 1, 10, DEVICE, false, false },
        { "www.example.org", 1, 10, DEVICE, false, false }, { "app.example.com", 2, 10, DEVICE, true, false },
        { "app.example.com", 1, 1500, DEVICE, true, false }, { "app.example.com", 1, 10, DEVICE + 2, true, false },
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        fake_begin();
        DoctorRow *rows[] = { fake_row(EVENT_PAGE, "", 1, DEVICE, 0), fake_row(EVENT_PAGE, "", 1, DEVICE + 1, 5),
                              fake_row(EVENT_PAGE, "", 1, cases[at].third, cases[at].back) };
        for (int row = 0; row < 3; row++) rows[row]->host = fake_name("www.example.com"), rows[row]->agent = 1;
        rows[1]->host = fake_name(cases[at].host), rows[1]->agent = cases[at].agent;
        fake_pass(doctor_pass_people);
        fake_expect(DOCTOR_ID_13, cases[at].is_case, cases[at].is_unit, cases[at].is_case);
        fake_end();
    }
}

static void a_storm_says_the_same_five_times_in_a_session(void **state)
{
    static const struct { uint32_t calls; bool changes; double apart; uint64_t units; bool is_case; } cases[] = {
        { 6, false, 1, 1, true }, { 5, false, 1, 1, false }, { 20, true, 1, 1, false }, { 6, false, 31, 6, false },
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        fake_begin();
        for (uint32_t call = 0; call < cases[at].calls; call++)
            fake_row(EVENT_IDENTIFY, "", 1, DEVICE, call * cases[at].apart)->payload = cases[at].changes ? call : 7;
        fake_pass(doctor_pass_people);
        fake_expect(DOCTOR_ID_15, cases[at].is_case, cases[at].units, cases[at].is_case);
        fake_end();
    }
}

static DoctorRow *alias(IdentityNode user, IdentityNode previous, bool is_user, double minute)
{
    DoctorRow *row = fake_row(EVENT_ALIAS, "", user, IDENTITY_NONE, minute);
    row->previous = previous;
    if (is_user) row->flags |= ROW_OF_USER;
    return row;
}

static void an_alias_behind_the_user_is_a_habit_and_each_pair_counts_once(void **state)
{
    (void)state;
    fake_begin();
    (void)fake_row(EVENT_IDENTIFY, "", 1, DEVICE, 0);
    (void)alias(1, DEVICE, false, 5);
    (void)alias(1, DEVICE, false, 9);                       /* at each log-in */
    (void)alias(2, DEVICE + 1, false, 5);                   /* first, as it should be */
    (void)alias(3, 3, true, 5);                             /* to itself */
    fake_pass(doctor_pass_people);
    fake_expect(DOCTOR_ID_10, 1, 2, 1);
    fake_end();
}

static void an_alias_of_two_who_signed_up_joins_strangers(void **state)
{
    (void)state;
    for (int both = 0; both < 2; both++) {
        fake_begin();
        fake.owner[2] = 1;
        (void)fake_signup(1, DEVICE, 0);
        if (both) (void)fake_signup(2, DEVICE + 1, 1);
        (void)alias(1, 2, true, 50);
        fake_pass(doctor_pass_people);
        fake_expect(DOCTOR_ID_11, both, 1, both);
        fake_end();
    }
}

static const char *addresses_of[8] = { NULL, "kim@x.example", " KIM@x.example ", "ann@x.example", "kim", NULL, "",
                                       "lee@x.example" };

static bool find_address(void *context, uint32_t person, Str name, Arena *arena, IndexValue *ret)
{
    (void)context, (void)arena;
    if (!str_equal(name, STR("email")) || person >= countof(addresses_of) || !addresses_of[person]) return false;
    *ret = (IndexValue){ .kind = INDEX_STRING, .text = str_from(addresses_of[person]) };
    return true;
}

static void addresses_are_compared_without_case_and_blanks(void **state)
{
    (void)state;
    fake_begin();
    fake.world.find_trait = find_address;
    for (uint32_t user = 1; user < 8; user++) (void)fake_row(EVENT_IDENTIFY, "", user, DEVICE + user, user);
    fake_pass(doctor_pass_people);
    fake_expect(DOCTOR_ID_9, 1, 3, 2);
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_than_fifty_devices_are_a_magnet),
        cmocka_unit_test(a_magnet_is_of_the_source_that_knew_it_first),
        cmocka_unit_test(a_hop_is_one_browser_on_two_hosts_within_a_day),
        cmocka_unit_test(a_storm_says_the_same_five_times_in_a_session),
        cmocka_unit_test(an_alias_behind_the_user_is_a_habit_and_each_pair_counts_once),
        cmocka_unit_test(an_alias_of_two_who_signed_up_joins_strangers),
        cmocka_unit_test(addresses_are_compared_without_case_and_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
