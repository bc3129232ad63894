/* collect_import: archives and exports, line by line. */
#include "collect/collect_import.c"
#include "tests/unit/collect/collect_world.h"

static Status import_text(const char *key, const char *text)
{
    return world_send((CollectRequest){ .is_import = true, .header_key = str_from(key), .body = str_from(text),
                                        .ip = STR("203.0.113.9"), .import_line = 1001 });
}

/* As Segment's raw-data archives have them. */
static const char archived[] =
    "{\"anonymousId\":\"a\",\"channel\":\"client\",\"context\":{\"ip\":\"1.2.3.4\"},\"event\":\"Old\","
      "\"integrations\":{},"
    "\"messageId\":\"ajs-1\",\"originalTimestamp\":\"2015-12-10T04:08:31.905Z\",\"projectId\":\"BZ2T9\","
      "\"properties\":{},"
    "\"receivedAt\":\"2015-12-10T04:08:32.008Z\",\"sentAt\":\"2015-12-10T04:08:31.581Z\","
    "\"timestamp\":\"2015-12-10T04:08:31.909Z\",\"type\":\"track\",\"userId\":null,\"version\":1.1}";

static void archived_messages_keep_their_times(void **state)
{
    (void)state;
    assert_int_equal(import_text("wk_web", archived), OK);
    assert_int_equal(world.result.accepted, 1);
    Event event = world_event(0);
    assert_text(event.json,
        "{\"messageId\":\"ajs-1\",\"anonymousId\":\"a\",\"userId\":null,\"timestamp\":\"2015-12-10T04:08:31.909Z\","
        "\"originalTimestamp\":\"2015-12-10T04:08:31.905Z\",\"sentAt\":\"2015-12-10T04:08:31.581Z\","
        "\"receivedAt\":\"2015-12-10T04:08:32.008Z\",\"type\":\"track\",\"event\":\"Old\",\"projectId\":\"website\","
        "\"properties\":{},\"context\":{\"ip\":\"1.2.3.4\"},\"integrations\":{},\"channel\":\"client\","
          "\"version\":1.1}");
    assert_true(event.from_import);
    assert_int_equal(event.timestamp_ms, 1449720511909);
    assert_int_equal(event.received_at_ms, NOW_MS);             /* when this Onym took it in */
}

static void what_was_exported_is_imported_as_it_was(void **state)
{
    char line[4096];
    (void)state;
    assert_int_equal(world_send_body("wk_spoilt", EVENT_NONE, "{\"type\":\"page\",\"userId\":\"u\\\"\","
      "\"messageId\":\"m\","
        "\"timestamp\":\"2023-11-14T22:13:10Z\",\"sentAt\":\"2023-11-14T22:13:19Z\",\"x\":1}"), OK);
    Str json = world_event(0).json;
    memcpy(line, json.bytes, json.len);
    line[json.len] = 0;
    fake_clock_advance(&world.time, 3600000);
    assert_int_equal(import_text("", line), OK);                /* to the source that projectId names */
    assert_int_equal(world.result.accepted, 1);
    assert_text(world_event(0).json, line);
    assert_text(world_event(0).source, "sp\"oilt");
    assert_text(world_event(0).user_id, "u\"");
    fake_clock_init(&world.time, NOW_MS);
}

static void a_bad_line_costs_only_itself_and_says_its_number(void **state)
{
    (void)state;
    assert_int_equal(import_text("wk_web", "{\"type\":\"page\",\"timestamp\":1,"
      "\"userId\":\"1\"}\n\n  \r\nnonsense\r\n{\"type\":\"page\"}\n[1]\n"
                                           "{\"type\":\"page\",\"timestamp\":1,\"userId\":\"2\"}\r\n"
                                           "{\"type\":\"page\",\"timestamp\":1,\"userId\":\"3\"}"), OK);
    assert_int_equal(world.result.accepted, 3);
    assert_int_equal(world.result.rejected, 3);
    assert_text(world_event(0).user_id, "1");
    assert_text(world_rejected(1).reason, "bad_request");
    assert_true(str_starts(world_rejected(1).text, STR("line 1004: body: not ")));
    assert_text(world_rejected(1).json, "nonsense\r");
    assert_true(world_rejected(1).from_import);
    assert_text(world_rejected(2).text, "line 1005: neither userId nor anonymousId");
    assert_text(world_rejected(3).json, "[1]");
    assert_text(world_event(4).user_id, "2");
    assert_text(world_event(5).user_id, "3");
}

static void times_that_an_archive_lacks_are_those_it_has(void **state)
{
    static const struct { const char *fields, *timestamp, *received_at; } rows[] = {
        { ",\"receivedAt\":\"2015-01-01\"", "2015-01-01T00:00:00.000Z", "2015-01-01T00:00:00.000Z" },
        { ",\"receivedAt\":\"2015-01-01\",\"originalTimestamp\":\"2014-01-01\"", "2014-01-01T00:00:00.000Z",
          "2015-01-01T00:00:00.000Z" },
        { ",\"timestamp\":\"2013-01-01T01:00:00+01:00\",\"sentAt\":\"2014-01-01\"", "2013-01-01T00:00:00.000Z",
          NOW_TEXT },
        { ",\"sentAt\":1420070400", "2015-01-01T00:00:00.000Z", NOW_TEXT },
        { ",\"timestamp\":\"\",\"originalTimestamp\":1420070400.5", "2015-01-01T00:00:00.500Z", NOW_TEXT },
        { ",\"timestamp\":0,\"originalTimestamp\":1420070400.5", "2015-01-01T00:00:00.500Z", NOW_TEXT },
        { ",\"timestamp\":0,\"receivedAt\":\"2015-01-01\"", "1970-01-01T00:00:00.000Z", "2015-01-01T00:00:00.000Z" },
        { ",\"timestamp\":\"0001-01-01\",\"receivedAt\":\"2015-01-01\"", "2015-01-01T00:00:00.000Z",
          "2015-01-01T00:00:00.000Z" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        char line[512], expected[128];
        snprintf(line, sizeof line, "{\"type\":\"page\",\"userId\":\"u\"%s}", rows[at].fields);
        assert_int_equal(import_text("wk_web", line), OK);
        snprintf(expected, sizeof expected, "\"timestamp\":\"%s\"", rows[at].timestamp);
        assert_true(str_contains(world_event(0).json, str_from(expected)));
        snprintf(expected, sizeof expected, "\"receivedAt\":\"%s\"", rows[at].received_at);
        assert_true(str_contains(world_event(0).json, str_from(expected)));
    }
}

/* The present time is never right for an archive: a line without a good time is refused, with number and reason. */
static void a_line_whose_time_cannot_be_told_is_refused(void **state)
{
    static const struct { const char *fields, *reason, *text; } rows[] = {
        { "", "timestamp_missing", "it has no timestamp, originalTimestamp, receivedAt or sentAt; the "
          "present time would be wrong" },
        { ",\"timestamp\":null", "timestamp_missing", NULL },
        { ",\"timestamp\":\"\"", "timestamp_unreadable", "timestamp \"\" is no time that can be read" },
        { ",\"timestamp\":\"junk\",\"receivedAt\":\"2215-01-01\"", "timestamp_unreadable",
          "timestamp \"junk\" is no time that can be read" },
        { ",\"timestamp\":\"01/02/2015\"", "timestamp_ambiguous",
          "timestamp \"01/02/2015\" can be read as more than one time" },
        { ",\"originalTimestamp\":\"0001-01-01\"", "timestamp_before_1970",
          "originalTimestamp \"0001-01-01\" is before 1970" },
        { ",\"timestamp\":99999999999", "timestamp_in_future", "timestamp 99999999999 is over a day in the future" },
        { ",\"timestamp\":[2015,1,1]", "timestamp_unreadable", NULL },
        { ",\"timestamp\":\"\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
          "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3"
          "\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\"", "timestamp_unreadable", NULL },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        char line[512], text[256];
        snprintf(line, sizeof line, "{\"type\":\"page\",\"userId\":\"u\"%s}", rows[at].fields);
        assert_int_equal(import_text("wk_web", line), OK);
        assert_int_equal(world.result.accepted, 0);
        assert_int_equal(world.result.rejected, 1);
        assert_text(world_rejected(0).reason, rows[at].reason);
        snprintf(text, sizeof text, "line 1001: %s", rows[at].text);
        if (rows[at].text) assert_text(world_rejected(0).text, text);
    }
}

static void a_time_that_was_passed_over_is_kept_and_named(void **state)
{
    (void)state;
    assert_int_equal(import_text("wk_web", "{\"type\":\"page\",\"userId\":\"u\",\"messageId\":\"m\","
        "\"timestamp\":\"junk\",\"originalTimestamp\":\"2015-01-01\"}"), OK);
    assert_text(world_event(0).json, "{\"messageId\":\"m\",\"userId\":\"u\",\"timestamp\":\"2015-01-01T00:00:00.000Z\","
        "\"originalTimestamp\":\"2015-01-01\",\"receivedAt\":\"" NOW_TEXT "\","
        "\"type\":\"page\",\"projectId\":\"website\","
        "\"timeProblem\":\"timestamp_unreadable\",\"unreadTimestamp\":\"junk\"}");
    assert_int_equal(world.result.time_problems[TIME_UNREADABLE], 1);
}

static void a_line_without_an_id_gets_the_same_each_time(void **state)
{
    char first[64];
    (void)state;
    assert_int_equal(import_text("wk_web", "{\"type\":\"page\",\"timestamp\":1,\"userId\":\"u\"}"), OK);
    Str id = world_event(0).message_id;
    memcpy(first, id.bytes, id.len);
    first[id.len] = 0;
    assert_int_equal(import_text("wk_web", "{\"type\":\"page\",\"timestamp\":1,\"userId\":\"v\"}\n"
      "{\"type\":\"page\",\"timestamp\":1,\"userId\":\"u\"}"), OK);
    assert_text(world_event(1).message_id, first);
    assert_false(str_equal(world_event(0).message_id, world_event(1).message_id));
}

static void imports_know_their_source_or_are_refused(void **state)
{
    (void)state;
    assert_int_equal(import_text("wk_nobody", archived), ERR_DENIED);
    assert_int_equal(import_text("", archived), OK);
    assert_text(world_rejected(0).reason, "project_not_found");
    /* a line is one message, whatever it holds: its key is none, its "batch" a field like any other */
    assert_int_equal(import_text("",
        "{\"type\":\"page\",\"timestamp\":1,\"userId\":\"u\",\"projectId\":\"website\",\"batch\":[{}],"
                                     "\"writeKey\":\"wk_server\"}"), OK);
    assert_text(world_event(0).source, "website");
    assert_true(str_ends(world_event(0).json, STR(",\"batch\":[{}]}")));
    assert_int_equal(import_text("", ""), OK);
    assert_int_equal(world.append.record_count, 0);
}

static void imports_have_no_rate_and_no_batch_limit(void **state)
{
    struct buf lines;
    (void)state;
    buf_init(&lines, 1 << 20);
    for (int at = 0; at < 5000; at++) buf_printf(&lines, "{\"type\":\"page\",\"timestamp\":1,\"userId\":\"%d\"}\n", at);
    buf_char(&lines, 0);
    assert_int_equal(import_text("wk_slow", lines.bytes), OK);
    assert_int_equal(world.result.accepted, 5000);
    assert_int_equal(world.append.record_count, 5000 + (world.result.rejected != 0));
    buf_done(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(archived_messages_keep_their_times),
        cmocka_unit_test(what_was_exported_is_imported_as_it_was),
        cmocka_unit_test(a_bad_line_costs_only_itself_and_says_its_number),
        cmocka_unit_test(times_that_an_archive_lacks_are_those_it_has),
        cmocka_unit_test(a_line_whose_time_cannot_be_told_is_refused),
        cmocka_unit_test(a_time_that_was_passed_over_is_kept_and_named),
        cmocka_unit_test(a_line_without_an_id_gets_the_same_each_time),
        cmocka_unit_test(imports_know_their_source_or_are_refused),
        cmocka_unit_test(imports_have_no_rate_and_no_batch_limit),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}
