/* derive_missing: records whose checksum is right and that say nothing we know. */
#include "derive/derive_missing.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/derive/derive_world.h"

static struct {
    char why[1024];
    int count;
} passed;

static void note_passed(void *context, const char *why, uint64_t bytes)
{
    (void)context;
    assert_true(bytes > 0);
    snprintf(passed.why, sizeof passed.why, "%s", why);
    passed.count++;
}

static void open_applier(bool stops_at_damage, bool passes_newer)
{
    world_open(65536, (DeriveOptions){ .passed = note_passed, .stops_at_damage = stops_at_damage,
                                      .passes_newer = passes_newer });
}

static void begin(void)
{
    memset(&passed, 0, sizeof passed);
    world_begin();
}

static void put_event(struct buf *buf, const char *id)
{
    Event event = { .type = EVENT_TRACK, .source = STR("s"), .message_id = str_from(id), .user_id = STR("u"),
                    .name = STR("Done"), .timestamp_ms = 1700000000000, .original_timestamp_ms = INSTANT_NONE,
                    .sent_at_ms = INSTANT_NONE, .received_at_ms = 1700000000000, .json = STR("{\"userId\":\"u\"}") };
    event_encode(buf, &event);
}

static void put_command(struct buf *buf)
{
    CommandId id = { COMMAND_USER_ID, STR("somebody"), INT64_MIN, INT64_MAX, false };
    command_encode(buf, &(JournalCommand){ .kind = COMMAND_SUPPRESS, .ids = &id, .id_count = 1 });
}

/* What stands in the middle of twenty events. */
static const struct {
    const char *what;
    bool is_command, is_newer;
    size_t at;
    unsigned char byte;
    size_t len;
} rows[] = {
    { "an event of no type", false, false, 1, 0, 0 },
    { "an event whose parts lie beyond its end", false, false, 2, 0xff, 0 },
    { "an event that is cut", false, false, 0, 0x11, 5 },
    { "an event of another version", false, true, 0, 0x21, 0 },
    { "an event of a type to come", false, true, 1, 0x0f, 0 },
    { "a kind of record to come", false, true, 0, 0x1f, 0 },
    { "a command that is cut", true, false, 0, 0x13, 20 },
    { "a command with more ids than it has", true, false, 2, 9, 0 },
    { "a command of another version", true, true, 0, 0x23, 0 },
    { "a command of a kind to come", true, true, 1, 0x7f, 0 },
};

static void append_row(size_t row)
{
    struct buf buf;
    buf_init(&buf, LIMIT_RECORD_BYTES);
    if (rows[row].is_command) put_command(&buf);
    else put_event(&buf, "lost");
    if (rows[row].byte != 0x13 && rows[row].byte != 0x11) buf.bytes[rows[row].at] = (char)rows[row].byte;
    world_append(rows[row].len ? str_slice(buf_str(&buf), 0, rows[row].len) : buf_str(&buf));
    buf_done(&buf);
}

static Status catch_up(Err *err)
{
    bool more = true;
    Status s = OK;
    while (!s && more) s = derive_step(world.applier, &more, err);
    return s;
}

static void append_ten(char first)
{
    for (int at = 0; at < 10; at++) {
        char id[3] = { first, (char)('0' + at), 0 };
        struct buf buf;
        buf_init(&buf, LIMIT_RECORD_BYTES);
        put_event(&buf, id);
        world_append(buf_str(&buf));
        buf_done(&buf);
    }
}

static void expect(size_t row, uint64_t events, uint64_t places)
{
    DeriveStats stats;
    derive_read_stats(world.applier, &stats);
    uint64_t messages = rows[row].is_command || rows[row].byte == 0x1f ? 0 : places;
    if (stats.events == events && stats.missing_places == places && stats.missing_messages == messages) return;
    fail_msg("%s: %llu events, %llu places, %llu messages", rows[row].what, (unsigned long long)stats.events,
             (unsigned long long)stats.missing_places, (unsigned long long)stats.missing_messages);
}

static void it_waits_or_passes_as_the_operator_says(void **state)
{
    (void)state;
    for (size_t row = 0; row < countof(rows); row++) {
        Err err = { 0 };
        begin();
        open_applier(true, false);                           /* it waits, however often it is tried, and says why */
        append_ten('a');
        append_row(row);
        append_ten('b');
        for (int turn = 0; turn < 3; turn++) {
            assert_int_equal(catch_up(&err), rows[row].is_newer ? ERR_UNSUPPORTED : ERR_DAMAGED);
            assert_non_null(strstr(err.text, rows[row].is_newer ? "on_newer: skip" : "on_damage: skip"));
            assert_non_null(strstr(err.text, "the record at "));
            expect(row, 10, 0);
        }
        world_close(row % 2);
        open_applier(false, true);                           /* told to, it passes, says so, and counts */
        assert_int_equal(catch_up(&err), OK);
        expect(row, 20, 1);
        assert_int_equal(passed.count, 1);
        assert_non_null(strstr(passed.why, "the record at "));
        assert_int_equal(strstr(passed.why, "ask for it again") != NULL, rows[row].is_command);
        world_close(row % 2);
        open_applier(false, true);                           /* once, whatever a start reads again */
        assert_int_equal(catch_up(&err), OK);
        expect(row, 20, 1);
        world_close(false);
        world_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_waits_or_passes_as_the_operator_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
