/* What the loss meter says, as findings: set-ups and their pages. */
#include "doctor/doctor_losses.c"
#include "fake_exam.h"

#include <stdio.h>

static struct lost_calls lost;

static const char *library = "1.0.0";

static void group(const char *browser, const char *page, uint64_t visits, uint64_t broken)
{
    add_group(&lost, &(LossesGroup){
        .source = STR("web"), .library = str_from(library), .browser = str_from(browser), .page = str_from(page),
        .visits = visits, .calls = visits * 4, .missing = broken * 2, .broken = broken,
        .first_ms = broken ? NOW - DAY_MS : INT64_MAX, .last_ms = broken ? NOW - HOUR_MS : INT64_MIN,
    });
}

static const struct tally *tell(const char *field)
{
    for (uint32_t at = 0; at < lost.setup_count; at++) tell_setup(&lost, at);
    for (uint32_t at = 0; at < fake.exam.tally_count; at++)
        if (fake.exam.tallies[at]->field == fake_name(field)) return fake.exam.tallies[at];
    return NULL;
}

static void begin(void)
{
    fake_begin();
    memset(&lost, 0, sizeof lost);
    lost.exam = &fake.exam;
}

static void a_set_up_is_a_browser_and_a_version(void **state)
{
    DoctorSeverity severity;
    (void)state;
    begin();
    group("Safari 17", "/signup", 100, 30);
    group("Safari 17", "/orders/1001", 50, 4);
    group("Safari 17", "/orders/1002", 50, 5);
    group("Safari 17", "/", 100, 0);
    group("Chrome 120", "/signup", 1000, 3);
    const struct tally *safari = tell("Safari 17, library 1.0.0");
    assert_non_null(safari);
    assert_int_equal(safari->count, 39);
    assert_int_equal(safari->of, 300);
    assert_int_equal(safari->place_count, 2);               /* those with gaps */
    assert_int_equal(safari->places[0].page, fake_name("/signup"));
    assert_int_equal(safari->places[1].page, fake_name("/orders/#"));
    assert_int_equal(safari->places[1].count, 9);
    assert_int_equal(safari->value, fake_name("78 of 1200 calls"));
    fake.exam.young[safari->source] = SOURCE_OLD;
    assert_int_equal(doctor_judge(&fake.exam, safari, &severity), DOCTOR_FOUND);
    assert_int_equal(severity, DOCTOR_WARNING);
    for (uint32_t at = 0; at < fake.exam.tally_count; at++)
        if (fake.exam.tallies[at] != safari)
            assert_int_equal(doctor_judge(&fake.exam, fake.exam.tallies[at], &severity), DOCTOR_NOTHING);
    fake_end();
}

/* Anybody may write a hundred browsers' names, and a thousand pages. */
static void there_is_an_end(void **state)
{
    char text[64];
    (void)state;
    begin();
    for (int at = 0; at < 2 * SETUPS_MAX; at++) {
        snprintf(text, sizeof text, "Odd %d", at);
        group(text, "/", 100, 50);
    }
    for (int at = 0; at < 2 * PAGES_MAX; at++) {
        snprintf(text, sizeof text, "/%c%c%c", 'a' + at % 26, 'a' + at / 26 % 26, 'a' + at / 676);
        group("Odd 1", text, 1, 1);
    }
    assert_int_equal(lost.setup_count, SETUPS_MAX);
    assert_int_equal(lost.page_count, PAGES_MAX);
    assert_int_equal(tell("Odd 1, library 1.0.0")->place_count, DOCTOR_PLACES);
    fake_end();
}

/* Or a new version of the library for each visit: they are one set-up beyond a few. */
static void versions_have_an_end(void **state)
{
    char text[64];
    (void)state;
    begin();
    library = text;
    for (int at = 0; at < 1000; at++) {
        snprintf(text, sizeof text, "9.0.%d", at);
        group("Safari 17", "/", 10, 5);
        group("Chrome 120", "/", 10, 5);
    }
    library = "1.0.0";
    assert_int_equal(lost.setup_count, 2 * (VERSIONS_MAX + 1));
    assert_int_equal(lost.setups[0].visits, 10);
    assert_int_equal(tell("Safari 17, library (others)")->of, 10 * (1000 - VERSIONS_MAX));
    for (uint32_t at = 0; at < fake.exam.tally_count; at++)
        assert_true(fake.exam.tallies[at]->field != fake_name("Safari 17, library 9.0.500"));
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_up_is_a_browser_and_a_version), cmocka_unit_test(there_is_an_end),
        cmocka_unit_test(versions_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
