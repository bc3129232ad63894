/* What is kept of findings: through restarts, damage and endings. */
#include "doctor/doctor_states.c"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct fake_disk disk;
static struct doctor *doctor;
static char damage[ERR_TEXT_BYTES];
static size_t ended_count;

static void start(void)
{
    Err err;
    assert_int_equal(doctor_open(&disk.disk, "data/findings", &doctor, damage, &err), OK);
}

static void restart(void)
{
    Err err;
    assert_int_equal(doctor_keep(doctor, &err), OK);
    doctor_close(doctor);
    start();
}

static int set_up(void **state)
{
    Err err;
    (void)state;
    fake_disk_init(&disk, 1);
    assert_int_equal(disk.disk.make_dir(&disk.disk, "data", &err), OK);
    assert_int_equal(disk.disk.sync_dir(&disk.disk, ".", &err), OK);
    start();
    assert_int_equal(damage[0], 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    doctor_close(doctor);
    fake_disk_done(&disk);
    return 0;
}

static DoctorState note(const char *fingerprint, Millis now_ms, Millis last_ms)
{
    DoctorState state = { .code = DOCTOR_ID_4, .found_ms = now_ms, .last_ms = last_ms, .source = "we\"b\n" }, told;
    snprintf(state.fingerprint, sizeof state.fingerprint, "%s", fingerprint);
    assert_true(doctor_note(doctor, &state, &told));
    return told;
}

static void count_ended(void *context, const DoctorState *state)
{
    (void)context;
    assert_true(state->ended_ms > 0);
    ended_count++;
}

static size_t ended(Millis now_ms)
{
    ended_count = 0;
    doctor_end_old(doctor, now_ms);
    doctor_visit_ended(doctor, now_ms, count_ended, NULL);
    return ended_count;
}

static Status mute_it(const char *fingerprint, bool is_muted, Str reason, Millis until_ms)
{
    Err err;
    struct buf out;
    buf_init(&out, 4096);
    DoctorMute how = { .is_muted = is_muted, .reason = reason, .until_ms = until_ms, .now_ms = 50 * DAY_MS };
    Status s = doctor_mute(doctor, str_from(fingerprint), &how, &out, &err);
    buf_done(&out);
    return s;
}

static void a_finding_keeps_its_age_through_a_restart(void **state)
{
    (void)state;
    assert_int_equal(note("0123456789abcdef", 50 * DAY_MS, 49 * DAY_MS).found_ms, 50 * DAY_MS);
    restart();
    DoctorState told = note("0123456789abcdef", 52 * DAY_MS, 51 * DAY_MS);
    assert_int_equal(told.found_ms, 50 * DAY_MS);
    assert_int_equal(told.last_ms, 51 * DAY_MS);
    assert_false(told.is_reopened);
}

static void it_ends_by_itself_and_is_reopened(void **state)
{
    (void)state;
    (void)note("0123456789abcdef", 50 * DAY_MS, 49 * DAY_MS);
    assert_int_equal(ended(55 * DAY_MS), 0);
    assert_int_equal(ended(57 * DAY_MS), 1);
    restart();
    assert_int_equal(ended(58 * DAY_MS), 1);
    assert_true(note("0123456789abcdef", 60 * DAY_MS, 60 * DAY_MS).is_reopened);
    assert_int_equal(ended(60 * DAY_MS), 0);
    assert_int_equal(ended(70 * DAY_MS), 1);
    assert_int_equal(ended(120 * DAY_MS), 0);           /* forgotten */
}

/* As of imported messages, whose cases are old: it is found now, so it has not ended. */
static void what_is_told_now_has_not_ended(void **state)
{
    (void)state;
    DoctorState told, now = { .code = DOCTOR_ID_4, .found_ms = 50 * DAY_MS, .told_ms = 50 * DAY_MS,
                              .last_ms = 20 * DAY_MS };
    snprintf(now.fingerprint, sizeof now.fingerprint, "0123456789abcdef");
    assert_true(doctor_note(doctor, &now, &told));
    assert_int_equal(ended(50 * DAY_MS), 0);
    assert_int_equal(ended(51 * DAY_MS), 1);
}

static void a_mute_has_a_reason_and_an_end(void **state)
{
    char longer[DOCTOR_REASON_BYTES + 2];
    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(mute_it("0123456789abcdef", true, STR(""), 60 * DAY_MS), ERR_NOT_FOUND);
    (void)note("0123456789abcdef", 50 * DAY_MS, 49 * DAY_MS);
    assert_int_equal(mute_it("0123456789abcdef", true, STR("known \"kiosk\"\n"), 60 * DAY_MS), OK);
    assert_int_equal(mute_it("0123456789abcdef", true, str_from(longer), 60 * DAY_MS), ERR_INPUT);
    assert_int_equal(mute_it("0123456789abcdef", true, STR("x"), 49 * DAY_MS), ERR_INPUT);
    restart();
    DoctorState told = note("0123456789abcdef", 52 * DAY_MS, 49 * DAY_MS);
    assert_int_equal(told.muted_until_ms, 60 * DAY_MS);
    assert_string_equal(told.reason, "known \"kiosk\"\n");
    assert_int_equal(mute_it("0123456789abcdef", false, STR(""), 0), OK);
    restart();
    assert_int_equal(note("0123456789abcdef", 52 * DAY_MS, 49 * DAY_MS).muted_until_ms, 0);
}

/* Each file that is none begins anew and says why; none is taken for one. */
static void a_file_that_is_none_begins_anew(void **state)
{
    static const char *const files[] = { "", "x", "[]", "{\"findings\":7}", "{\"findings\":[{}", "{}" };
    Err err;
    (void)state;
    for (size_t at = 0; at < countof(files); at++) {
        doctor_close(doctor);
        assert_int_equal(disk_write_file(&disk.disk, "data/findings", str_from(files[at]), &err), OK);
        start();
        assert_true(damage[0] != 0);
        assert_int_equal(doctor->count, 0);
    }
    doctor_close(doctor);
    Str odd = STR("{\"version\":1,\"findings\":[{\"fingerprint\":\"0123456789abcdef\",\"code\":\"XX-9\"},"
                  "{\"fingerprint\":\"short\",\"code\":\"ID-4\"},"
                  "{\"fingerprint\":\"0123456789abcdef\",\"code\":\"ID-4\"}]}");
    assert_int_equal(disk_write_file(&disk.disk, "data/findings", odd, &err), OK);
    start();
    assert_int_equal(doctor->count, 1);                 /* a code of a later version, and no fingerprint: left out */
}

static void no_event_name_is_on_the_disk_nor_outlives_an_erasure(void **state)
{
    DoctorState now = { .code = DOCTOR_ID_4, .found_ms = 1000, .last_ms = 1000, .told_ms = 1000,
                        .event = "Only Kim sends it" };
    DoctorState told;
    struct region region;
    Str text;
    Err err;
    (void)state;
    snprintf(now.fingerprint, sizeof now.fingerprint, "%s", "0123456789abcdef");
    assert_true(doctor_note(doctor, &now, &told));
    assert_int_equal(doctor_keep(doctor, &err), OK);
    region_open(&region, 1 << 20);
    Arena arena = region_arena(&region);
    assert_int_equal(disk_read_file(&disk.disk, "data/findings", 1 << 16, &arena, &text, &err), OK);
    assert_true(str_contains(text, STR("0123456789abcdef")));
    assert_false(str_contains(text, STR("Kim")));
    region_close(&region);
    doctor_forget_names(doctor, 0, 2000);
    assert_string_equal(doctor->states[0].event, "Only Kim sends it");
    doctor_forget_names(doctor, 1, 2000);
    assert_string_equal(doctor->states[0].event, "");
}

static void names_of_an_older_onym_are_written_over(void **state)
{
    static const char *const old = "{\"version\":1,\"findings\":[{\"fingerprint\":\"0123456789abcdef\","
        "\"code\":\"ID-4\",\"source\":\"s\",\"event\":\"Only Kim sends it\",\"found\":1,\"last\":1,\"ended\":0,"
        "\"muted\":0,\"reason\":\"\",\"reopened\":true}]}";
    struct region region;
    Str text;
    Err err;
    (void)state;
    doctor_close(doctor);
    assert_int_equal(disk_write_file(&disk.disk, "data/findings", str_from(old), &err), OK);
    start();
    assert_int_equal(doctor->count, 1);
    assert_true(doctor->states[0].is_reopened);
    region_open(&region, 1 << 20);
    Arena arena = region_arena(&region);
    assert_int_equal(disk_read_file(&disk.disk, "data/findings", 1 << 16, &arena, &text, &err), OK);
    assert_false(str_contains(text, STR("Kim")));
    region_close(&region);
}

static void when_it_was_examined_outlives_a_restart(void **state)
{
    (void)state;
    assert_int_equal(doctor_read_summary(doctor).at_ms, 0);
    doctor_set_examined(doctor, 17);
    restart();
    assert_int_equal(doctor_read_summary(doctor).at_ms, 17);
    assert_false(doctor_read_summary(doctor).is_counted);    /* counts are of this process */
}

/* Names in it may be the client's, who makes new ones without end. */
static void a_kind_of_finding_takes_no_more_than_its_share(void **state)
{
    char text[32];
    DoctorState told, other = { .code = DOCTOR_ID_6, .found_ms = 50 * DAY_MS, .told_ms = 50 * DAY_MS,
                                .last_ms = 50 * DAY_MS };
    (void)state;
    (void)note("ffffffffffffffff", 50 * DAY_MS, 50 * DAY_MS);
    assert_int_equal(mute_it("ffffffffffffffff", true, STR("known"), 600 * DAY_MS), OK);
    for (int at = 1; at < CODE_MAX; at++) {
        snprintf(text, sizeof text, "%016x", at);
        (void)note(text, 50 * DAY_MS, 50 * DAY_MS);
    }
    DoctorState one_more = { .code = DOCTOR_ID_4, .found_ms = 50 * DAY_MS, .told_ms = 50 * DAY_MS,
                             .last_ms = 50 * DAY_MS, .fingerprint = "eeeeeeeeeeeeeeee" };
    assert_false(doctor_note(doctor, &one_more, &told));
    snprintf(other.fingerprint, sizeof other.fingerprint, "dddddddddddddddd");
    assert_true(doctor_note(doctor, &other, &told));         /* others have their place all the same */
    assert_int_equal(ended(60 * DAY_MS), CODE_MAX + 1);
    one_more.told_ms = one_more.last_ms = one_more.found_ms = 60 * DAY_MS;
    assert_true(doctor_note(doctor, &one_more, &told));      /* what is over gives way */
    assert_true(find(doctor, STR("ffffffffffffffff"))->muted_until_ms > 0);
    assert_int_equal(doctor->count, CODE_MAX + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(when_it_was_examined_outlives_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_event_name_is_on_the_disk_nor_outlives_an_erasure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_of_an_older_onym_are_written_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_finding_keeps_its_age_through_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_ends_by_itself_and_is_reopened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_told_now_has_not_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mute_has_a_reason_and_an_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_none_begins_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kind_of_finding_takes_no_more_than_its_share, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
