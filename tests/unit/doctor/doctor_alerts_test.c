/* Which changes a receiver of alerts is told: each once, through restarts; nothing of people. */
#include "doctor/doctor_alerts.c"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct fake_disk disk;
static struct doctor *doctor;
static struct buf text;
static DoctorAlert alert;
static const DoctorReceiver program = { .key = 0xfeed, .severity = DOCTOR_WARNING };
static const DoctorReceiver slack = { .key = 0xbeef, .severity = DOCTOR_ERROR, .wants_text = true };

static void start(void)
{
    char damage[ERR_TEXT_BYTES];
    Err err;
    DoctorReceiver receivers[] = { program, slack };
    assert_int_equal(doctor_open(&disk.disk, "data/findings", &doctor, damage, &err), OK);
    assert_int_equal(damage[0], 0);
    doctor_set_receivers(doctor, receivers, countof(receivers));
}

static int set_up(void **state)
{
    Err err;
    (void)state;
    fake_disk_init(&disk, 1);
    assert_int_equal(disk.disk.make_dir(&disk.disk, "data", &err), OK);
    assert_int_equal(disk.disk.sync_dir(&disk.disk, ".", &err), OK);
    buf_init(&text, 1 << 18);
    start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    doctor_close(doctor);
    buf_done(&text);
    fake_disk_done(&disk);
    return 0;
}

static void find(const char *fingerprint, DoctorSeverity severity, const char *event, Millis now_ms)
{
    DoctorState told, now = { .code = DOCTOR_TW_1, .found_ms = now_ms, .told_ms = now_ms, .last_ms = now_ms,
                              .source = "website" };
    DoctorNumbers numbers = { .at_ms = now_ms, .count = 8, .of = 9, .people = 7, .severity = severity };
    snprintf(now.fingerprint, sizeof now.fingerprint, "%s", fingerprint);
    snprintf(now.event, sizeof now.event, "%s", event);
    assert_true(doctor_note(doctor, &now, &told));
    doctor_note_numbers(doctor, str_from(fingerprint), &numbers);
    doctor_set_examined(doctor, now_ms);
}

static size_t asked(const DoctorReceiver *receiver)
{
    buf_clear(&text);
    doctor_write_alert(doctor, receiver, &alert, &text);
    assert_true((text.len > 0) == (alert.count > 0));
    return alert.count;
}

static void arrived(const DoctorReceiver *receiver)
{
    Err err;
    assert_int_equal(doctor_note_alert(doctor, receiver->key, &alert, &err), OK);
}

static bool says(const char *what) { return str_contains(buf_str(&text), str_from(what)); }

static void a_change_is_told_once_through_restarts(void **state)
{
    (void)state;
    find("0123456789abcdef", DOCTOR_WARNING, "Bought", 50 * DAY_MS);
    assert_int_equal(asked(&slack), 0);                     /* it wants errors only */
    assert_int_equal(asked(&program), 1);
    assert_true(says("\"change\":\"new\"") && says("\"event\":\"Bought\"") && says("\"people\":7"));
    char id[sizeof alert.id];
    memcpy(id, alert.id, sizeof id);
    assert_int_equal(asked(&program), 1);                   /* it did not arrive: the same once more */
    assert_string_equal(alert.id, id);
    arrived(&program);
    assert_int_equal(asked(&program), 0);
    doctor_close(doctor);
    start();
    assert_int_equal(asked(&program), 0);
    find("0123456789abcdef", DOCTOR_WARNING, "Bought", 51 * DAY_MS);
    assert_int_equal(asked(&program), 0);
    find("0123456789abcdef", DOCTOR_ERROR, "Bought", 51 * DAY_MS);
    assert_int_equal(asked(&slack), 1);                     /* it is bad enough for this one now */
    assert_int_equal(asked(&program), 0);
}

static void what_comes_back_is_told_again(void **state)
{
    (void)state;
    find("0123456789abcdef", DOCTOR_ERROR, "", 50 * DAY_MS);
    assert_int_equal(asked(&program), 1);
    arrived(&program);
    DoctorAlert old = alert;
    doctor_end_old(doctor, 60 * DAY_MS);
    doctor_set_examined(doctor, 60 * DAY_MS);
    assert_int_equal(asked(&program), 0);
    find("0123456789abcdef", DOCTOR_ERROR, "", 61 * DAY_MS);
    alert = old;
    arrived(&program);                                      /* late, and of the change before */
    assert_int_equal(asked(&program), 1);
    assert_true(says("\"change\":\"reopened\""));
    assert_string_not_equal(alert.id, old.id);
}

static void what_is_muted_or_gone_is_not_told(void **state)
{
    Err err;
    struct buf out;
    (void)state;
    find("0123456789abcdef", DOCTOR_ERROR, "", 50 * DAY_MS);
    buf_init(&out, 4096);
    DoctorMute how = { .is_muted = true, .until_ms = 51 * DAY_MS, .now_ms = 50 * DAY_MS };
    assert_int_equal(doctor_mute(doctor, STR("0123456789abcdef"), &how, &out, &err), OK);
    buf_done(&out);
    assert_int_equal(asked(&program), 0);
    find("0123456789abcdef", DOCTOR_ERROR, "", 52 * DAY_MS);
    assert_int_equal(asked(&program), 1);                   /* the mute has ended */
    doctor_set_examined(doctor, 53 * DAY_MS);
    assert_int_equal(asked(&program), 0);                   /* not found by the last examination */
}

static void names_of_events_are_told_only_if_they_are_plain_words(void **state)
{
    static const char *const bad[] = { "ann@example.com", "@all", "<!channel>", "Order 123456", "a\nb", "x://y",
                                       "a.com", "\xc3\xbc" };
    (void)state;
    for (size_t at = 0; at < countof(bad); at++) {
        find("0123456789abcdef", DOCTOR_ERROR, bad[at], (50 + (Millis)at) * DAY_MS);
        assert_int_equal(asked(&program), 1);
        assert_true(says("\"event\":null"));
        assert_int_equal(asked(&slack), 1);
        assert_false(says(bad[at]));
    }
    find("0123456789abcdef", DOCTOR_ERROR, "Step 2_done", 60 * DAY_MS);
    assert_int_equal(asked(&slack), 1);
    assert_true(says("*ERROR TW-1*") && says("Step 2_done: 8 of 9") && says("7 people"));
}

static void a_long_list_goes_on_with_the_next_message(void **state)
{
    char fingerprint[DOCTOR_FINGERPRINT_BYTES + 1];
    (void)state;
    for (int at = 0; at < 33; at++) {
        snprintf(fingerprint, sizeof fingerprint, "%016x", at);
        find(fingerprint, at ? DOCTOR_WARNING : DOCTOR_ERROR, "", 50 * DAY_MS);
    }
    DoctorReceiver all = slack;
    all.severity = DOCTOR_INFO;
    assert_int_equal(asked(&all), 20);
    assert_int_equal(alert.more, 13);
    assert_true(says("33 new findings") && says("and 13 more"));
    assert_string_equal(alert.fingerprints[0], "0000000000000000");
    arrived(&all);
    assert_int_equal(asked(&all), 13);
    arrived(&all);
    assert_int_equal(asked(&all), 0);
    assert_int_equal(asked(&program), 33);
}

static void a_receiver_that_was_away_is_told_anew(void **state)
{
    (void)state;
    find("0123456789abcdef", DOCTOR_ERROR, "", 50 * DAY_MS);
    assert_int_equal(asked(&program), 1);
    arrived(&program);
    DoctorReceiver turned[] = { slack, program };
    doctor_set_receivers(doctor, turned, 2);                /* another order changes nothing */
    assert_int_equal(asked(&program), 0);
    assert_int_equal(asked(&slack), 1);
    doctor_set_receivers(doctor, turned, 1);
    assert_int_equal(asked(&program), 0);                   /* it is none now */
    doctor_set_receivers(doctor, turned, 2);
    assert_int_equal(asked(&program), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_change_is_told_once_through_restarts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_comes_back_is_told_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_muted_or_gone_is_not_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_of_events_are_told_only_if_they_are_plain_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_list_goes_on_with_the_next_message, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_receiver_that_was_away_is_told_anew, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
