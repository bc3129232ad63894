/* collect_stamp: when a message happened by our clock, and what is added to it. */
#include "collect/collect_stamp.c"
#include "tests/unit/collect/collect_world.h"

/* The value of a top-level field of the record's JSON, as raw JSON. */
static Str stored(uint32_t index, const char *path)
{
    static char arena_room[1 << 16];
    Arena arena = { arena_room, arena_room + sizeof arena_room };
    Field field;
    Err err;
    assert_int_equal(event_find_field(world.parser, world_event(index).json, str_from(path), &arena, &field, &err), OK);
    return field.raw;
}

/* A message's own fields, the envelope's sentAt, and what comes of them. */
static const struct {
    const char *own, *envelope, *timestamp, *original, *sent_at, *problem, *unread;
} rows_of_times[] = {
    { "", "", NOW_TEXT, "", "", NULL, NULL },
    /* without sentAt the time is as it was given */
    { "\"timestamp\":\"2023-11-14T22:13:10.000Z\"", "", "2023-11-14T22:13:10.000Z",
      "\"2023-11-14T22:13:10.000Z\"", "", NULL, NULL },
    { "\"timestamp\":\"2023-11-14T22:13:10.000Z\",\"sentAt\":null", "null", "2023-11-14T22:13:10.000Z",
      "\"2023-11-14T22:13:10.000Z\"", "", NULL, NULL },
    { "\"timestamp\":\"2023-11-14T22:13:10.000Z\"", "\"yesterday\"", "2023-11-14T22:13:10.000Z",
      "\"2023-11-14T22:13:10.000Z\"", "\"yesterday\"", "sent_at_unreadable", NULL },
    /* a clock an hour slow, an hour fast, and right */
    { "\"timestamp\":\"2023-11-14T21:13:10.000Z\"", "\"2023-11-14T21:13:20.000Z\"", "2023-11-14T22:13:10.000Z",
      "\"2023-11-14T21:13:10.000Z\"", "\"2023-11-14T21:13:20.000Z\"", NULL, NULL },
    { "\"timestamp\":\"2023-11-14T23:13:10.500Z\"", "\"2023-11-14T23:13:20.000Z\"", "2023-11-14T22:13:10.500Z",
      "\"2023-11-14T23:13:10.500Z\"", "\"2023-11-14T23:13:20.000Z\"", NULL, NULL },
    { "\"timestamp\":\"2023-11-14T22:13:10.000Z\"", "\"2023-11-14T22:13:20Z\"", "2023-11-14T22:13:10.000Z",
      "\"2023-11-14T22:13:10.000Z\"", "\"2023-11-14T22:13:20Z\"", NULL, NULL },
    /* the message's own sentAt comes before the envelope's, where it can be read */
    { "\"timestamp\":\"2023-11-14T22:13:10Z\",\"sentAt\":\"2023-11-14T22:13:19Z\"", "\"2020-01-01\"",
      "2023-11-14T22:13:11.000Z", "\"2023-11-14T22:13:10Z\"", "\"2023-11-14T22:13:19Z\"", NULL, NULL },
    { "\"timestamp\":\"2023-11-14T22:13:10Z\",\"sentAt\":\"soon\"", "\"2023-11-14T22:13:18Z\"",
      "2023-11-14T22:13:12.000Z", "\"2023-11-14T22:13:10Z\"", "\"2023-11-14T22:13:18Z\"", "sent_at_unreadable", NULL },
    /* sentAt equal to an old timestamp makes it now: Segment's trap, kept */
    { "\"timestamp\":\"2015-02-23T22:28:55.387Z\"", "\"2015-02-23T22:28:55.387Z\"", NOW_TEXT,
      "\"2015-02-23T22:28:55.387Z\"", "\"2015-02-23T22:28:55.387Z\"", NULL, NULL },
    /* zones and fractions */
    { "\"timestamp\":\"2023-11-14T23:13:10.123456789+01:00\"", "", "2023-11-14T22:13:10.123Z",
      "\"2023-11-14T23:13:10.123456789+01:00\"", "", NULL, NULL },
    { "\"timestamp\":\"2020-01-01\"", "", "2020-01-01T00:00:00.000Z", "\"2020-01-01\"", "", NULL, NULL },
    /* numbers: seconds, milliseconds */
    { "\"timestamp\":1699999990", "", "2023-11-14T22:13:10.000Z", "1699999990", "", NULL, NULL },
    { "\"timestamp\":1699999990500", "1700000000000", "2023-11-14T22:13:10.500Z", "1699999990500",
      "1700000000000", NULL, NULL },
    { "\"timestamp\":-5", "", NOW_TEXT, "-5", "", NULL, NULL },
    /* what cannot be read or be true is kept, and means now */
    { "\"timestamp\":\"tomorrow\"", "\"2023-11-14T22:13:18Z\"", NOW_TEXT, "\"tomorrow\"",
      "\"2023-11-14T22:13:18Z\"", NULL, NULL },
    { "\"timestamp\":{\"a\":1}", "", NOW_TEXT, "{\"a\":1}", "", NULL, NULL },
    { "\"timestamp\":\"\"", "", NOW_TEXT, "\"\"", "", NULL, NULL },
    { "\"timestamp\":\"0001-01-01T00:00:00Z\"", "", NOW_TEXT, "\"0001-01-01T00:00:00Z\"", "", NULL, NULL },
    { "\"timestamp\":\"1969-12-31T23:59:59.999Z\"", "", NOW_TEXT, "\"1969-12-31T23:59:59.999Z\"", "", NULL, NULL },
    { "\"timestamp\":\"1970-01-01T00:00:00.000Z\"", "", "1970-01-01T00:00:00.000Z",
      "\"1970-01-01T00:00:00.000Z\"", "", NULL, NULL },
    { "\"timestamp\":\"2023-11-15T22:13:20.000Z\"", "", "2023-11-15T22:13:20.000Z",
      "\"2023-11-15T22:13:20.000Z\"", "", NULL, NULL },
    { "\"timestamp\":\"2023-11-15T22:13:20.001Z\"", "", NOW_TEXT, "\"2023-11-15T22:13:20.001Z\"", "", NULL, NULL },
    /* a sentAt that cannot be right destroys no good timestamp: unset, or of another clock */
    { "\"timestamp\":\"2023-11-14T22:13:10Z\"", "\"1970-01-01\"", "2023-11-14T22:13:10.000Z",
      "\"2023-11-14T22:13:10Z\"", "\"1970-01-01\"", "sent_at_ignored", NULL },
    { "\"timestamp\":\"2023-11-14T22:13:10Z\",\"sentAt\":\"0001-01-01T00:00:00Z\"", "", "2023-11-14T22:13:10.000Z",
      "\"2023-11-14T22:13:10Z\"", "\"0001-01-01T00:00:00Z\"", "sent_at_ignored", NULL },
    { "\"timestamp\":\"2023-11-14T22:13:10Z\",\"sentAt\":0", "", "2023-11-14T22:13:10.000Z",
      "\"2023-11-14T22:13:10Z\"", "0", "sent_at_ignored", NULL },
    { "\"timestamp\":\"2023-11-14T22:13:10Z\",\"sentAt\":\"9999-12-31T23:59:59Z\"", "", "2023-11-14T22:13:10.000Z",
      "\"2023-11-14T22:13:10Z\"", "\"9999-12-31T23:59:59Z\"", "sent_at_ignored", NULL },
    { "\"timestamp\":\"2023-11-14T22:13:10Z\",\"sentAt\":\"2040-01-01\"", "", "2023-11-14T22:13:10.000Z",
      "\"2023-11-14T22:13:10Z\"", "\"2040-01-01\"", "sent_at_ignored", NULL },
    { "\"timestamp\":\"2023-11-14T22:13:10Z\",\"sentAt\":\"2023-11-14T21:13:10Z\"", "", "2023-11-14T22:13:10.000Z",
      "\"2023-11-14T22:13:10Z\"", "\"2023-11-14T21:13:10Z\"", "sent_at_ignored", NULL },
    { "\"timestamp\":\"2023-11-14T22:13:10Z\",\"sentAt\":\"0001-01-01\"", "\"2023-11-14T22:13:18Z\"",
      "2023-11-14T22:13:12.000Z", "\"2023-11-14T22:13:10Z\"", "\"2023-11-14T22:13:18Z\"", "sent_at_ignored", NULL },
    { "\"timestamp\":\"2023-11-14T22:13:10Z\",\"sentAt\":\"\"", "\"2023-11-14T22:13:18Z\"",
      "2023-11-14T22:13:12.000Z", "\"2023-11-14T22:13:10Z\"", "\"2023-11-14T22:13:18Z\"", NULL, NULL },
    /* a clock that was never set says 1970 for both, and is corrected; one that is years fast, too */
    { "\"timestamp\":\"1970-01-01T00:05:00Z\"", "\"1970-01-01T00:05:10Z\"", "2023-11-14T22:13:10.000Z",
      "\"1970-01-01T00:05:00Z\"", "\"1970-01-01T00:05:10Z\"", NULL, NULL },
    { "\"timestamp\":\"2036-01-01T00:00:00Z\"", "\"2036-01-01T00:00:10Z\"", "2023-11-14T22:13:10.000Z",
      "\"2036-01-01T00:00:00Z\"", "\"2036-01-01T00:00:10Z\"", NULL, NULL },
    /* a sending by a clock that was set right after the event: a minute or two are the clock's, not nonsense */
    { "\"timestamp\":\"2023-11-14T22:15:00Z\"", "\"2023-11-14T22:13:20Z\"", "2023-11-14T22:15:00.000Z",
      "\"2023-11-14T22:15:00Z\"", "\"2023-11-14T22:13:20Z\"", NULL, NULL },
    /* what languages print */
    { "\"timestamp\":1699999990.5", "", "2023-11-14T22:13:10.500Z", "1699999990.5", "", NULL, NULL },
    { "\"timestamp\":1699999990123.4", "", "2023-11-14T22:13:10.123Z", "1699999990123.4", "", NULL, NULL },
    { "\"timestamp\":1.69999999e9", "", "2023-11-14T22:13:10.000Z", "1.69999999e9", "", NULL, NULL },
    { "\"timestamp\":\"1699999990.5\"", "", "2023-11-14T22:13:10.500Z", "\"1699999990.5\"", "", NULL, NULL },
    { "\"timestamp\":1699999990123456789", "", "2023-11-14T22:13:10.123Z", "1699999990123456789", "", NULL, NULL },
    { "\"timestamp\":\"Tue, 14 Nov 2023 22:13:10 GMT\"", "\"Tue Nov 14 2023 23:13:18 GMT+0100 (CET)\"",
      "2023-11-14T22:13:12.000Z", "\"Tue, 14 Nov 2023 22:13:10 GMT\"", "\"Tue Nov 14 2023 23:13:18 GMT+0100 (CET)\"",
          NULL, NULL },
    { "\"timestamp\":\"\\/Date(1699999990000)\\/\"", "", "2023-11-14T22:13:10.000Z",
      "\"\\/Date(1699999990000)\\/\"", "", NULL, NULL },
    /* nothing is guessed, and nothing that was sent is lost */
    { "\"timestamp\":\"11/12/2023 22:13:10\"", "", NOW_TEXT, "\"11/12/2023 22:13:10\"", "", "timestamp_ambiguous",
        NULL },
    { "\"timestamp\":\"\",\"originalTimestamp\":\"2023-11-14T22:13:10Z\"", "\"2023-11-14T22:13:18Z\"",
      "2023-11-14T22:13:12.000Z", "\"2023-11-14T22:13:10Z\"", "\"2023-11-14T22:13:18Z\"", "timestamp_unreadable",
          NULL },
    { "\"timestamp\":\"soon\",\"originalTimestamp\":\"2023-11-14T22:13:10Z\"", "",
      "2023-11-14T22:13:10.000Z", "\"2023-11-14T22:13:10Z\"", "", "timestamp_unreadable", "\"soon\"" },
    { "\"timestamp\":\"0001-01-01\",\"originalTimestamp\":\"2023-11-14T22:13:10Z\"", "",
      "2023-11-14T22:13:10.000Z", "\"2023-11-14T22:13:10Z\"", "", "timestamp_before_1970", "\"0001-01-01\"" },
    /* an unset time of C, Java and Go; where it is all that there is, it stands */
    { "\"timestamp\":0,\"originalTimestamp\":\"2023-11-14T22:13:10Z\"", "\"2023-11-14T22:13:18Z\"",
      "2023-11-14T22:13:12.000Z", "\"2023-11-14T22:13:10Z\"", "\"2023-11-14T22:13:18Z\"",
      "timestamp_before_1970", "0" },
    { "\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"originalTimestamp\":1699999990", "", "2023-11-14T22:13:10.000Z",
      "1699999990", "", "timestamp_before_1970", "\"1970-01-01T00:00:00.000Z\"" },
    { "\"timestamp\":0.0,\"originalTimestamp\":\"junk\"", "", "1970-01-01T00:00:00.000Z", "0.0", "", NULL, NULL },
    { "\"timestamp\":0,\"originalTimestamp\":\"1970-01-01\"", "", "1970-01-01T00:00:00.000Z", "0", "", NULL, NULL },
    { "\"timestamp\":\"2099-01-01\",\"originalTimestamp\":\"2023-11-14T22:13:10Z\"", "",
      "2023-11-14T22:13:10.000Z", "\"2023-11-14T22:13:10Z\"", "", "timestamp_in_future", "\"2099-01-01\"" },
    { "\"timestamp\":\"\",\"originalTimestamp\":\"junk\"", "", NOW_TEXT, "\"junk\"", "", "timestamp_unreadable", NULL },
    { "\"timestamp\":\"late\",\"originalTimestamp\":\"later\"", "", NOW_TEXT, "\"later\"", "",
      "timestamp_unreadable", "\"late\"" },
    { "\"timestamp\":\"late\",\"originalTimestamp\":\"\"", "", NOW_TEXT, "\"late\"", "", "timestamp_unreadable", NULL },
    { "\"timestamp\":\"late\",\"timeProblem\":\"mine\",\"unreadTimestamp\":[1]", "", NOW_TEXT, "\"late\"", "",
      "timestamp_unreadable", NULL },
    /* some old clients name it otherwise; timestamp wins */
    { "\"originalTimestamp\":\"2023-11-14T22:13:10Z\"", "", "2023-11-14T22:13:10.000Z",
      "\"2023-11-14T22:13:10Z\"", "", NULL, NULL },
    { "\"originalTimestamp\":\"2020-01-01\",\"timestamp\":\"2023-11-14T22:13:10Z\"", "", "2023-11-14T22:13:10.000Z",
      "\"2023-11-14T22:13:10Z\"", "", NULL, NULL },
    { "\"receivedAt\":\"2020-01-01\"", "", NOW_TEXT, "", "", NULL, NULL },
};

static void happened_is_what_the_client_said_corrected_by_its_clock(void **state)
{
    (void)state;
    for (size_t at = 0; at < countof(rows_of_times); at++) {
        char body[1024];
        snprintf(body, sizeof body, "{\"batch\":[{\"type\":\"page\",\"userId\":\"u\"%s%s}]%s%s}",
          *rows_of_times[at].own ? "," : "",
                 rows_of_times[at].own, *rows_of_times[at].envelope ? ",\"sentAt\":" : "", rows_of_times[at].envelope);
        assert_int_equal(world_send_body("wk_web", EVENT_NONE, body), OK);
        int64_t expected_ms, original_ms, sent_ms;
        Event event = world_event(0);
        assert_true(instant_parse(str_from(rows_of_times[at].timestamp), &expected_ms));
        if (event.timestamp_ms != expected_ms) fail_msg("%s: %" PRId64 " ms off", body,
          event.timestamp_ms - expected_ms);
        assert_text(str_trim(stored(0, "originalTimestamp")), rows_of_times[at].original);
        assert_text(stored(0, "sentAt"), rows_of_times[at].sent_at);
        assert_text(stored(0, "receivedAt"), "\"" NOW_TEXT "\"");
        assert_int_equal(stored(0, "timestamp").len, INSTANT_TEXT_BYTES + 2);
        assert_memory_equal(stored(0, "timestamp").bytes + 1, rows_of_times[at].timestamp, INSTANT_TEXT_BYTES);
        assert_int_equal(event.received_at_ms, NOW_MS);
        if (rows_of_times[at].problem) {
            snprintf(body, sizeof body, "\"%s\"", rows_of_times[at].problem);
            assert_text(stored(0, "timeProblem"), body);
            assert_text(stored(0, "unreadTimestamp"), rows_of_times[at].unread ? rows_of_times[at].unread : "");
        } else if (event.timestamp_ms != NOW_MS) {
            assert_text(stored(0, "timeProblem"), "");
        }
        if (!instant_parse(str_slice(str_from(rows_of_times[at].original), 1,
          strlen(rows_of_times[at].original) - 1), &original_ms))
            continue;
        assert_int_equal(event.original_timestamp_ms, original_ms);
        if (instant_parse(str_slice(str_from(rows_of_times[at].sent_at), 1,
          strlen(rows_of_times[at].sent_at) - 1), &sent_ms))
            assert_int_equal(event.sent_at_ms, sent_ms);
    }
}

static void small_differences_of_clocks_may_be_left_alone(void **state)
{
    (void)state;
    const char *body = "{\"type\":\"page\",\"userId\":\"u\",\"timestamp\":\"2023-11-14T22:13:10.000Z\","
                       "\"sentAt\":\"2023-11-14T22:13:18.000Z\"}";
    world.workspace->collector->options.skew_least_ms = 2001;
    assert_int_equal(world_send_body("wk_web", EVENT_NONE, body), OK);
    assert_int_equal(world_event(0).timestamp_ms, NOW_MS - 10000);
    world.workspace->collector->options.skew_least_ms = 2000;
    assert_int_equal(world_send_body("wk_web", EVENT_NONE, body), OK);
    assert_int_equal(world_event(0).timestamp_ms, NOW_MS - 8000);
    world.workspace->collector->options.skew_least_ms = 0;
}

static void message_ids_are_the_clients_where_it_gave_good_ones(void **state)
{
    char body[2048], id[300];
    (void)state;
    memset(id, 'x', sizeof id);
    for (int len = 0; len < 300; len += len < 99 ? 33 : len < 103 ? 1 : 98) {
        snprintf(body, sizeof body, "{\"userId\":\"u\",\"messageId\":\"%.*s\"}", len, id);
        assert_int_equal(world_send_body("wk_web", EVENT_PAGE, body), OK);
        Event first = world_event(0);
        char copy[128];
        memcpy(copy, first.message_id.bytes, first.message_id.len);
        Str first_id = { copy, first.message_id.len };
        assert_int_equal(first.message_id.len, len == 0 ? UUID_BYTES : len <= 100 ? len : 37);
        assert_int_equal(world_send_body("wk_web", EVENT_PAGE, body), OK);
        assert_int_equal(str_equal(world_event(0).message_id, first_id), len > 0);      /* a retry finds itself */
    }
    static const char *const bad[] = { "null", "true", "{}", "[1]", "\"\"" };
    for (size_t at = 0; at < countof(bad); at++) {
        snprintf(body, sizeof body, "{\"userId\":\"u\",\"messageId\":%s}", bad[at]);
        assert_int_equal(world_send_body("wk_web", EVENT_PAGE, body), OK);
        assert_int_equal(world_event(0).message_id.len, UUID_BYTES);
        assert_int_equal(stored(0, "messageId").len, UUID_BYTES + 2);
    }
}

static void the_address_is_filled_in_for_clients_only(void **state)
{
    static const struct { const char *key, *context, *stored; } rows[] = {
        { "wk_web", "", "{\"ip\":\"203.0.113.9\"}" },
        { "wk_web", ",\"context\":{}", "{\"ip\":\"203.0.113.9\"}" },
        { "wk_web", ",\"context\":[]", "{\"ip\":\"203.0.113.9\"}" },
        { "wk_web", ",\"context\":null", "{\"ip\":\"203.0.113.9\"}" },
        { "wk_web", ",\"context\":{\"a\":1}", "{\"a\":1,\"ip\":\"203.0.113.9\"}" },
        { "wk_web", ",\"context\":{\"ip\":\"0.0.0.0\"}", "{\"ip\":\"0.0.0.0\"}" },
        { "wk_web", ",\"context\":{\"ip\":null}", "{\"ip\":null}" },
        { "wk_web", ",\"context\":{\"page\":{\"ip\":1}}", "{\"page\":{\"ip\":1},\"ip\":\"203.0.113.9\"}" },
        { "wk_server", "", "" },
        { "wk_server", ",\"context\":null", "" },
        { "wk_server", ",\"context\":{\"a\":1}", "{\"a\":1}" },
        { "wk_server", ",\"context\":{\"direct\":true}", "{\"direct\":true,\"ip\":\"203.0.113.9\"}" },
        { "wk_server", ",\"context\":{\"direct\":\"true\"}", "{\"direct\":\"true\"}" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        char body[256];
        snprintf(body, sizeof body, "{\"userId\":\"u\"%s}", rows[at].context);
        assert_int_equal(world_send((CollectRequest){ .implied_type = EVENT_PAGE, .header_key = str_from(rows[at].key),
                                                      .body = str_from(body), .ip = STR("203.0.113.9") }), OK);
        assert_text(stored(0, "context"), rows[at].stored);
    }
}

/* RudderStack's SDKs for Python and browsers send an identify's traits in its context alone. */
static void an_identify_without_traits_has_those_of_its_context(void **state)
{
    static const struct { EventType type; const char *fields, *traits; } rows[] = {
        { EVENT_IDENTIFY, "\"context\":{\"traits\":{\"email\":\"k@x.y\"}}", "{\"email\":\"k@x.y\"}" },
        { EVENT_IDENTIFY, "\"traits\":null,\"context\":{\"traits\":{\"a\":{\"b\":1}}}", "{\"a\":{\"b\":1}}" },
        { EVENT_IDENTIFY, "\"traits\":{\"own\":1},\"context\":{\"traits\":{\"a\":1}}", "{\"own\":1}" },
        { EVENT_IDENTIFY, "\"traits\":{},\"context\":{\"traits\":{\"a\":1}}", "{}" },
        { EVENT_IDENTIFY, "\"context\":{\"traits\":{}}", "" },
        { EVENT_IDENTIFY, "\"context\":{\"traits\":[1]}", "" },
        { EVENT_IDENTIFY, "\"context\":{\"traits\":\"a\"}", "" },
        { EVENT_IDENTIFY, "\"context\":{\"page\":{\"traits\":{\"a\":1}}}", "" },
        { EVENT_IDENTIFY, "\"context\":{\"traits\":{\"a\":1}},\"context\":{}", "" },
        { EVENT_TRACK, "\"event\":\"E\",\"context\":{\"traits\":{\"a\":1}}", "" },
        { EVENT_GROUP, "\"groupId\":\"g\",\"context\":{\"traits\":{\"a\":1}}", "" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        char body[512];
        snprintf(body, sizeof body, "{\"userId\":\"u\",%s}", rows[at].fields);
        assert_int_equal(world_send_body("wk_server", rows[at].type, body), OK);
        assert_text(stored(0, "traits"), rows[at].traits);
    }
}

static void a_pixels_browser_is_filled_in(void **state)
{
    (void)state;
    CollectRequest request = { .implied_type = EVENT_PAGE, .header_key = STR("wk_web"),
      .body = STR("{\"userId\":\"u\"}"),
                               .ip = STR("2001:db8::1"), .user_agent = STR("A \"B\"\xFF") };
    assert_int_equal(world_send(request), OK);
    assert_text(stored(0, "context"), "{\"userAgent\":\"A \\\"B\\\"\xEF\xBF\xBD\",\"ip\":\"2001:db8::1\"}");
    request.body = STR("{\"userId\":\"u\",\"context\":{\"userAgent\":\"own\"}}");
    assert_int_equal(world_send(request), OK);
    assert_text(stored(0, "context"), "{\"userAgent\":\"own\",\"ip\":\"2001:db8::1\"}");
}

static void a_batchs_address_is_none_of_ours_to_overwrite(void **state)
{
    (void)state;
    assert_int_equal(world_send((CollectRequest){ .header_key = STR("wk_web"), .ip = STR("203.0.113.9"),
        .body = STR("{\"batch\":[{\"type\":\"page\",\"userId\":\"u\"}],\"context\":{\"ip\":\"0.0.0.0\"}}") }), OK);
    assert_text(stored(0, "context"), "{\"ip\":\"0.0.0.0\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(happened_is_what_the_client_said_corrected_by_its_clock),
        cmocka_unit_test(small_differences_of_clocks_may_be_left_alone),
        cmocka_unit_test(message_ids_are_the_clients_where_it_gave_good_ones),
        cmocka_unit_test(the_address_is_filled_in_for_clients_only),
        cmocka_unit_test(an_identify_without_traits_has_those_of_its_context),
        cmocka_unit_test(a_pixels_browser_is_filled_in),
        cmocka_unit_test(a_batchs_address_is_none_of_ours_to_overwrite),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}
