/* deliver_take: what of the journal cannot be read is reported, and everything after it goes on. */
#include "deliver_fixture.h"

static const char *const hook[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning", NULL };

static void append_record(Str record)
{
    struct journal_append append;
    struct made made = { 0 };
    Err err;
    journal_append_init(&append, LIMIT_APPEND_BYTES);
    append.on_durable = world_noop;
    append.owner = &made;
    journal_put_record(&append, record);
    assert_int_equal(journal_submit(world->journal, &append, &err), OK);
    assert_int_equal(journal_commit(world->journal, NULL, &err), OK);
    journal_append_done(&append);
    world->known = journal_end(world->journal);
}

/* Its checksum is right. */
static void say_unreadable(size_t at, unsigned char byte, const char *json)
{
    struct buf record;
    Event event = { .type = EVENT_TRACK, .source = STR("website"), .message_id = STR("bad"), .user_id = STR("u"),
                    .name = STR("E"), .timestamp_ms = world->clock.now_ms, .original_timestamp_ms = INSTANT_NONE,
                    .sent_at_ms = INSTANT_NONE, .received_at_ms = world->clock.now_ms, .json = str_from(json) };
    buf_init(&record, 8192);
    event_encode(&record, &event);
    if (byte) record.bytes[at] = (char)byte;
    append_record(buf_str(&record));
    buf_done(&record);
}

static void expect_letter(const char *text, int count)
{
    struct letters letters = { 0 };
    Err err;
    assert_int_equal(deliver_list_dead(&world->rows.rows, STR("hook"), 0, note_letter, &letters, &err), OK);
    assert_int_equal(letters.count, count);
    assert_non_null(strstr(letters.text, "\"report\""));
    assert_non_null(strstr(letters.text, text));
}

static void a_record_that_cannot_be_read_is_reported(void **state)
{
    static const struct { size_t at; unsigned char byte; const char *json; } rows[] = {
        { 0, 0x21, "{}" }, { 1, 0x0f, "{}" }, { 2, 0xff, "{}" }, { 0, 0, "{\"a\":}" }, { 0, 0, "{\"\x01\"}" },
    };
    (void)state;
    for (size_t row = 0; row < countof(rows); row++) {
        teardown(NULL);
        setup(NULL);
        start("hook", "webhook", hook);
        say(EVENT_TRACK, "u", "", -2000);
        say_unreadable(rows[row].at, rows[row].byte, rows[row].json);
        say(EVENT_TRACK, "u", "", -1000);
        pass(20000, 500);
        assert_int_equal(count_bodies("\"message-1\"") + count_bodies("\"message-2\""), 2);
        assert_int_equal(state_of(0).unfinished + state_of(0).lag_bytes, 0);
        expect_letter("cannot be read, and is passed over: the record at position ", 1);
    }
}

/* A block in the middle goes bad before it is delivered; and once more when it is replayed. */
static void a_bad_block_is_reported_and_a_replay_goes_over_it(void **state)
{
    uint64_t ticket;
    Err err;
    (void)state;
    start("hook", "webhook", hook);
    JournalPos middle = 0;
    for (int at = 0; at < 20; at++) {
        if (at == 10) middle = journal_end(world->journal);
        say(EVENT_TRACK, "u", "", -20000 + at * 1000);
    }
    fake_disk_flip(&world->disk, "journal/00000000000000000000.journal", middle + 60, 0x40);
    pass(20000, 500);
    for (int at = 1; at <= 20; at++) {
        char id[32];
        snprintf(id, sizeof id, "\"message-%d\"", at);
        if (count_bodies(id) != (at != 11)) fail_msg("%s: %zu", id, count_bodies(id));
    }
    assert_int_equal(state_of(0).unfinished + state_of(0).lag_bytes, 0);
    expect_letter("cannot be read, and is passed over: ", 1);
    assert_int_equal(deliver_ask_replay(world->deliver, STR("hook"), 0, world->clock.now_ms, &ticket, &err), OK);
    pass(30000, 500);
    assert_int_equal(state_of(0).unfinished, 0);
    assert_int_equal(count_bodies("\"message-20\""), 2);
    assert_int_equal(count_bodies("\"message-1\""), 2);
    expect_letter("cannot be read, and is passed over: ", 1);     /* it was said */
    assert_non_null(strstr(state_of(0).last_error, "position"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(a_record_that_cannot_be_read_is_reported),
        with_world(a_bad_block_is_reported_and_a_replay_goes_over_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
