/* event_record: records there and back. */
#include "event/event_record.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static Event some_event(void)
{
    static const char json[] = "{\"messageId\":\"m-1\",\"userId\":\"u\",\"type\":\"track\",\"event\":\"A\\/B\","
      "\"projectId\":\"web\"}";
    Str text = { json, sizeof json - 1 };
    return (Event){
        .type = EVENT_TRACK, .json = text, .message_id = { strstr(json, "m-1"), 3 }, .user_id = { strstr(json,
          "u\","), 1 },
        .name = STR("A/B"), .source = { strstr(json, "web"), 3 }, .timestamp_ms = -1, .received_at_ms = 1700000000000,
        .original_timestamp_ms = INSTANT_NONE, .sent_at_ms = 5, .from_import = true,
    };
}

static Str encode_event(struct buf *buf, const Event *event)
{
    buf_init(buf, 1 << 20);
    event_encode(buf, event);
    assert_true(buf_ok(buf));
    return buf_str(buf);
}

static void assert_str(Str a, Str b) { assert_true(str_equal(a, b)); }

static void an_event_comes_back_as_it_was(void **state)
{
    Event event = some_event(), back;
    struct buf buf;
    Err err;
    (void)state;
    Str record = encode_event(&buf, &event);
    assert_int_equal(record_kind(record), RECORD_EVENT);
    assert_int_equal(event_decode(record, &back, &err), OK);
    assert_str(back.json, event.json);
    assert_str(back.message_id, event.message_id);
    assert_str(back.user_id, event.user_id);
    assert_str(back.name, event.name);
    assert_str(back.source, event.source);
    assert_int_equal(back.anonymous_id.len + back.previous_id.len + back.group_id.len + back.category.len, 0);
    assert_int_equal(back.type, EVENT_TRACK);
    assert_int_equal(back.timestamp_ms, -1);
    assert_int_equal(back.received_at_ms, 1700000000000);
    assert_true(back.original_timestamp_ms == INSTANT_NONE);
    assert_int_equal(back.sent_at_ms, 5);
    assert_true(back.from_import);
    /* strings that stand in the JSON are not stored again */
    assert_int_equal(record.len, RECORD_HEAD_BYTES + event.json.len + strlen("A/B") + 3 * sizeof(Millis));
    buf_done(&buf);
}

static void strings_may_come_from_anywhere(void **state)
{
    Event event = some_event(), back;
    struct buf buf;
    Err err;
    (void)state;
    event.json = STR("{}");
    event.anonymous_id = STR("anonymous");
    event.category = STR("c\0d");
    assert_int_equal(event_decode(encode_event(&buf, &event), &back, &err), OK);
    assert_str(back.json, STR("{}"));
    assert_str(back.message_id, STR("m-1"));
    assert_str(back.anonymous_id, STR("anonymous"));
    assert_str(back.category, STR("c\0d"));
    buf_done(&buf);
}

static void strings_in_another_order_than_the_heads_are_kept_too(void **state)
{
    static const char json[] = "{\"projectId\":\"web\",\"userId\":\"u-1\",\"messageId\":\"m-1\"}";
    Event event = some_event(), back;
    struct buf buf;
    Err err;
    (void)state;
    event.json = str_from(json);
    event.message_id = (Str){ strstr(json, "m-1"), 3 };
    event.user_id = (Str){ strstr(json, "u-1"), 3 };
    event.source = (Str){ strstr(json, "web"), 3 };
    assert_int_equal(event_decode(encode_event(&buf, &event), &back, &err), OK);
    assert_str(back.message_id, STR("m-1"));
    assert_str(back.user_id, STR("u-1"));
    assert_str(back.source, STR("web"));
    buf_done(&buf);
}

/* (A shorter JSON is for the frame's checksum to find.) */
static void no_damage_makes_a_record_read_beyond_itself(void **state)
{
    Event event = some_event(), back;
    struct buf buf;
    Err err;
    (void)state;
    Str record = encode_event(&buf, &event);
    for (size_t len = 0; len < record.len; len++) {
        char *exact = test_malloc(len + 1);
        memcpy(exact, record.bytes, len);
        if (event_decode((Str){ exact, len }, &back, &err) == OK)
            assert_true(back.json.len < event.json.len && back.json.bytes + back.json.len <= exact + len);
        test_free(exact);
    }
    for (size_t at = 0; at < record.len; at++)
        for (int bit = 0; bit < 8; bit++) {
            buf.bytes[at] ^= (char)(1 << bit);
            if (event_decode(record, &back, &err) == OK) {
                assert_true(back.json.bytes + back.json.len <= record.bytes + record.len);
                assert_true(back.source.bytes + back.source.len <= record.bytes + record.len);
            }
            buf.bytes[at] ^= (char)(1 << bit);
        }
    buf_done(&buf);
}

static void records_of_the_future_and_of_other_kinds_say_so(void **state)
{
    Event event = some_event(), back;
    Rejected rejected;
    struct buf buf;
    Err err;
    (void)state;
    Str record = encode_event(&buf, &event);
    buf.bytes[0] = 2 << 4 | RECORD_EVENT;
    assert_int_equal(event_decode(record, &back, &err), ERR_UNSUPPORTED);
    buf.bytes[0] = 1 << 4 | RECORD_EVENT;
    assert_int_equal(rejected_decode(record, &rejected, &err), ERR_DAMAGED);
    assert_int_equal(record_kind(STR("")), 0);
    assert_int_equal(record_kind(STR("\x1f")), 0);
    assert_int_equal(record_kind(STR("\x14\0\0")), RECORD_ERASED);
    buf_done(&buf);
}

static void a_rejected_message_is_cut_between_characters(void **state)
{
    static char json[LIMIT_REJECTED_BYTES + 100];
    struct buf buf;
    Err err;
    Rejected back, rejected = { .source = STR("web"), .reason = STR("bad_request"), .field = STR("userId"),
                                .text = STR("why"), .received_at_ms = 7 };
    (void)state;
    for (size_t at = 0; at < sizeof json - 1; at += 2) memcpy(json + at, "\xC3\xA9", 2);
    for (size_t from = 0; from < 2; from++) {
        rejected.json = str_of(json + from, sizeof json - 2 - from);
        rejected.from_import = from == 1;
        buf_init(&buf, 1 << 20);
        rejected_encode(&buf, &rejected);
        assert_int_equal(rejected_decode(buf_str(&buf), &back, &err), OK);
        assert_int_equal(back.json.len, LIMIT_REJECTED_BYTES - from);
        assert_str(back.source, rejected.source);
        assert_str(back.reason, rejected.reason);
        assert_str(back.field, rejected.field);
        assert_str(back.text, rejected.text);
        assert_int_equal(back.received_at_ms, 7);
        assert_int_equal(back.from_import, from == 1);
        buf_done(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_comes_back_as_it_was),
        cmocka_unit_test(strings_may_come_from_anywhere),
        cmocka_unit_test(strings_in_another_order_than_the_heads_are_kept_too),
        cmocka_unit_test(no_damage_makes_a_record_read_beyond_itself),
        cmocka_unit_test(records_of_the_future_and_of_other_kinds_say_so),
        cmocka_unit_test(a_rejected_message_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
