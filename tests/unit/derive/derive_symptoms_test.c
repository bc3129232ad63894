/* derive_symptoms: what is counted is a function of the journal, whatever crash, replay or rebuild comes between. */
#include "derive/derive_symptoms.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "tests/unit/derive/derive_world.h"

enum { MESSAGES = 60, EVERY_SAVE = 7 };
static const Millis BEGIN = 1700000000000;

static void append_event(int n)
{
    static const char *const users[] = { "kim", "null", "lee", "" };
    char id[32], json[512];
    struct buf buf;
    buf_init(&buf, LIMIT_RECORD_BYTES);
    snprintf(id, sizeof id, "m%d", n % 50);                  /* the last ten are repetitions */
    snprintf(json, sizeof json, "{\"projectId\":\"web\",\"properties\":{\"n\":%d,\"password\":\"%s\"},\"context\":"
             "{\"page\":{\"url\":\"http://localhost/\",\"path\":\"/\"}}}", n, n % 5 ? "" : "hunter22");
    Event event = { .type = EVENT_TRACK, .source = STR("web"), .message_id = str_from(id), .name = STR("Done"),
                    .user_id = str_from(users[n % 4]), .anonymous_id = STR("a"), .timestamp_ms = BEGIN + n * HOUR_MS,
                    .original_timestamp_ms = INSTANT_NONE, .sent_at_ms = INSTANT_NONE,
                    .received_at_ms = BEGIN + n * HOUR_MS, .json = str_from(json) };
    event_encode(&buf, &event);
    world_append(buf_str(&buf));
    buf_done(&buf);
}

static void append_rejected(void)
{
    struct buf buf;
    buf_init(&buf, LIMIT_RECORD_BYTES);
    rejected_encode(&buf, &(Rejected){ .source = STR("web"), .reason = STR("no_user_anon_id"), .field = STR("userId"),
                                       .text = STR("x"), .received_at_ms = BEGIN, .json = STR("{}") });
    world_append(buf_str(&buf));
    buf_done(&buf);
}

static void append_command(CommandKind kind)
{
    CommandId id = { COMMAND_USER_ID, STR("kim"), INT64_MIN, INT64_MAX, false };
    struct buf buf;
    buf_init(&buf, LIMIT_RECORD_BYTES);
    command_encode(&buf, &(JournalCommand){ .kind = kind, .at_ms = BEGIN, .ids = &id, .id_count = 1 });
    world_append(buf_str(&buf));
    buf_done(&buf);
}

static void apply_all(void)
{
    bool more = true;
    Err err;
    while (more)
        if (derive_step(world.applier, &more, &err)) fail_msg("%s", err.text);
}

/* A line a row, an event and a field. */
static void describe(char *text, size_t room)
{
    int32_t day = (int32_t)(BEGIN / DAY_MS);
    struct symptoms_view *view;
    size_t len = 0;
    Err err;
    if (derive_open_symptoms(world.applier, day, day + 20, &view, &err)) fail_msg("%s", err.text);
    const SymptomDay *of = symptoms_view_day(view);
    for (uint32_t at = 0; at < of->row_count; at++) {
        const SymptomRow *row = &of->rows[at];
        len += (size_t)snprintf(text + len, room - len, "%s %.*s %.*s %d %u %u %llx %lld\n", symptoms_code(row->code),
                                STR_FORMAT(row->field), STR_FORMAT(row->value), (int)row->count, row->example_count,
                                row->subject_count, (unsigned long long)row->days[0], (long long)row->last_ms);
    }
    for (uint32_t at = 0; at < of->event_count; at++)
        len += (size_t)snprintf(text + len, room - len, "%.*s %d %u %d\n", STR_FORMAT(of->events[at].name),
                                (int)of->events[at].count, of->events[at].field_count,
                                (int)of->events[at].fields[0].types[TYPE_NUMBER]);
    symptoms_close_view(view);
}

static void open_world(bool is_anew) { world_open(65536, (DeriveOptions){ .makes_anew = is_anew,
    .save_events = EVERY_SAVE }); }

static void crashes_and_rebuilds_give_the_same(void **state)
{
    static char expected[8192], other[8192];
    (void)state;
    world_begin();
    open_world(false);
    for (int n = 0; n < MESSAGES; n++) {
        append_event(n);
        if (n == 20) append_rejected();
        if (n % 16 != 15) continue;
        apply_all();
        world_close(n % 32 == 15);                           /* every other time a crash: what was not saved is lost */
        open_world(false);
    }
    apply_all();
    describe(expected, sizeof expected);
    assert_non_null(strstr(expected, "ID-5 userId null 13 5 1"));
    assert_non_null(strstr(expected, "LO-1 userId no_user_anon_id 1 1 0"));
    assert_non_null(strstr(expected, "TW-4   10 5 0"));
    assert_non_null(strstr(expected, "PD-1 properties.password key 10 5"));
    assert_non_null(strstr(expected, "Done 50 2 50"));
    world_close(true);
    open_world(false);
    apply_all();
    describe(other, sizeof other);
    assert_string_equal(expected, other);
    world_close(false);
    open_world(true);
    apply_all();
    describe(other, sizeof other);
    assert_string_equal(expected, other);
    world_close(false);
    world_end();
}

/* kim wrote half of the first shapes of ids, on the first day alone: what was counted of kim alone goes. */
static void who_is_erased_or_suppressed_leaves(CommandKind kind)
{
    static char text[8192];
    world_begin();
    open_world(false);
    for (int n = 0; n < 8; n++) append_event(n);
    apply_all();
    describe(text, sizeof text);
    assert_non_null(strstr(text, "ID-8  other 4 4 2"));      /* kim and lee, twice each */
    append_command(kind);
    apply_all();
    describe(text, sizeof text);
    assert_non_null(strstr(text, "ID-8  other 3 2 1"));
    world_close(false);
    open_world(false);
    describe(text, sizeof text);
    assert_non_null(strstr(text, "ID-8  other 3 2 1"));
    world_close(false);
    world_end();
}

static void an_erased_person_leaves(void **state) { (void)state, who_is_erased_or_suppressed_leaves(COMMAND_ERASE); }
static void a_suppressed_person_leaves(void **state) { (void)state,
    who_is_erased_or_suppressed_leaves(COMMAND_SUPPRESS); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crashes_and_rebuilds_give_the_same), cmocka_unit_test(an_erased_person_leaves),
        cmocka_unit_test(a_suppressed_person_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
