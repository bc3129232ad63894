/* collect: requests in, records out. */
#include "collect/collect.c"
#include "tests/unit/collect/collect_world.h"

/* What is stored of a message, but for receivedAt and projectId, which stand where TIMES and NAME are. */
#define TIMES "\"timestamp\":\"" NOW_TEXT "\",\"receivedAt\":\"" NOW_TEXT "\""
#define NAME "\"projectId\":\"server\""

static void messages_are_stored_in_one_form(void **state)
{
    static const struct { EventType type; const char *body, *stored; } rows[] = {
        { EVENT_TRACK, "{\"event\":\"A\",\"userId\":\"u\",\"messageId\":\"m\"}",
          "{\"messageId\":\"m\",\"userId\":\"u\"," TIMES ",\"type\":\"track\",\"event\":\"A\"," NAME "}" },
        /* the path's type wins; white space goes; values stay as they are written */
        { EVENT_TRACK, " {\"type\":\"page\", \"messageId\" : \"m\",\n\t\"properties\": { \"a\" : 1.10,"
          " \"b\": [ 1, 2 ] },"
          " \"event\":\"A b\", \"anonymousId\":\"x\"}\r\n",
          "{\"messageId\":\"m\",\"anonymousId\":\"x\"," TIMES ",\"type\":\"track\",\"event\":\"A b\"," NAME
          ",\"properties\":{\"a\":1.10,\"b\":[1,2]}}" },
        /* numbers as ids; null stays */
        { EVENT_IDENTIFY, "{\"messageId\":7,\"userId\":42,\"anonymousId\":null,\"traits\":{}}",
          "{\"messageId\":\"7\",\"anonymousId\":null,\"userId\":\"42\"," TIMES ",\"type\":\"identify\"," NAME
          ",\"traits\":{}}" },
        { EVENT_IDENTIFY, "{\"messageId\":\"m\",\"userId\":42.0,\"anonymousId\":4.2e1}",
          "{\"messageId\":\"m\",\"anonymousId\":\"42\",\"userId\":\"42\"," TIMES ",\"type\":\"identify\"," NAME "}" },
        { EVENT_IDENTIFY, "{\"messageId\":\"m\",\"userId\":123456789012345678901234567890,\"anonymousId\":1.5}",
          "{\"messageId\":\"m\",\"anonymousId\":\"1.5\",\"userId\":\"123456789012345678901234567890\"," TIMES
          ",\"type\":\"identify\"," NAME "}" },
        /* of a name that is there twice the last counts; unknown fields stay; the write key goes */
        { EVENT_TRACK, "{\"messageId\":\"m\",\"event\":\"A\",\"event\":\"B\",\"email\":1,\"userId\":\"u\",\"email\":2,"
          "\"writeKey\":\"wk_web\",\"\\u0065mail\":3}",
          "{\"messageId\":\"m\",\"userId\":\"u\"," TIMES ",\"type\":\"track\",\"event\":\"B\"," NAME ","
            "\"\\u0065mail\":3}" },
        /* PHP's empty objects; Ruby's empty name */
        { EVENT_PAGE, "{\"messageId\":\"m\",\"userId\":\"u\",\"name\":\"\",\"properties\":[],\"context\":[],"
          "\"integrations\":[]}",
          "{\"messageId\":\"m\",\"userId\":\"u\"," TIMES ",\"type\":\"page\"," NAME ",\"properties\":{},\"context\":{},"
          "\"integrations\":{}}" },
        /* lone surrogates, NaN and bytes that are no UTF-8 */
        { EVENT_TRACK, "{\"messageId\":\"m\",\"userId\":\"u\\ud83d\",\"event\":\"\xFF\",\"properties\":{\"a\":NaN,"
          "\"b\":[-Infinity , Infinity],\"c\":\"\\ud83d\\ude00 NaN\"}}",
          "{\"messageId\":\"m\",\"userId\":\"u\\ufffd\"," TIMES ",\"type\":\"track\",\"event\":\"\xEF\xBF\xBD\"," NAME
          ",\"properties\":{\"a\":null,\"b\":[null,null],\"c\":\"\\ud83d\\ude00 NaN\"}}" },
        /* a byte order mark */
        { EVENT_TRACK, "\xEF\xBB\xBF{\"messageId\":\"m\",\"userId\":\"u\",\"event\":\"A\"}",
          "{\"messageId\":\"m\",\"userId\":\"u\"," TIMES ",\"type\":\"track\",\"event\":\"A\"," NAME "}" },
        /* a group that names nobody is still about a group */
        { EVENT_GROUP, "{\"messageId\":\"m\",\"groupId\":\"g\",\"traits\":{\"plan\":\"x\"}}",
          "{\"messageId\":\"m\",\"groupId\":\"g\"," TIMES ",\"type\":\"group\"," NAME ",\"traits\":{\"plan\":\"x\"}}" },
        { EVENT_ALIAS, "{\"messageId\":\"m\",\"previousId\":\"a\",\"userId\":\"u\"}",
          "{\"messageId\":\"m\",\"userId\":\"u\",\"previousId\":\"a\"," TIMES ",\"type\":\"alias\"," NAME "}" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        if (world_send_body("wk_server", rows[at].type, rows[at].body)) fail_msg("%s: %s", rows[at].body,
          world.err.text);
        assert_int_equal(world.result.accepted, 1);
        assert_text(world_event(0).json, rows[at].stored);
    }
}

static void broken_rules_name_their_reason(void **state)
{
    static const struct { EventType type; const char *body, *reason, *field; } rows[] = {
        { EVENT_NONE, "{\"userId\":\"u\"}", "type_not_known", "type" },
        { EVENT_NONE, "{\"userId\":\"u\",\"type\":\"Track\"}", "type_not_known", "type" },
        { EVENT_TRACK, "{\"event\":\"A\"}", "no_user_anon_id", "userId" },
        { EVENT_TRACK, "{\"event\":\"A\",\"userId\":null,\"anonymousId\":\"\"}", "no_user_anon_id", "userId" },
        { EVENT_TRACK, "{\"event\":\"A\",\"userId\":true}", "id_not_string", "userId" },
        { EVENT_TRACK, "{\"event\":\"A\",\"userId\":\"u\",\"anonymousId\":{}}", "id_not_string", "anonymousId" },
        { EVENT_GROUP, "{\"userId\":\"u\",\"groupId\":[]}", "id_not_string", "groupId" },
        { EVENT_ALIAS, "{\"userId\":\"u\",\"previousId\":false}", "id_not_string", "previousId" },
        { EVENT_GROUP, "{\"userId\":\"u\"}", "id_required", "groupId" },
        { EVENT_ALIAS, "{\"userId\":\"u\"}", "id_required", "previousId" },
        { EVENT_ALIAS, "{\"previousId\":\"u\"}", "no_user_anon_id", "userId" },
        { EVENT_TRACK, "{\"userId\":\"u\"}", "event_not_defined", "event" },
        { EVENT_TRACK, "{\"userId\":\"u\",\"event\":null}", "event_not_defined", "event" },
        { EVENT_TRACK, "{\"userId\":\"u\",\"event\":\"\"}", "event_not_defined", "event" },
        { EVENT_TRACK, "{\"userId\":\"u\",\"event\":5}", "event_not_string", "event" },
        { EVENT_TRACK, "{\"userId\":\"u\",\"event\":\"A\",\"properties\":\"p\"}", "properties_not_object",
          "properties" },
        { EVENT_TRACK, "{\"userId\":\"u\",\"event\":\"A\",\"properties\":[1]}", "properties_not_object", "properties" },
        { EVENT_SCREEN, "{\"userId\":\"u\",\"properties\":1}", "properties_not_object", "properties" },
        { EVENT_IDENTIFY, "{\"userId\":\"u\",\"traits\":\"p\"}", "traits_not_object", "traits" },
        { EVENT_GROUP, "{\"userId\":\"u\",\"groupId\":\"g\",\"traits\":true}", "traits_not_object", "traits" },
        { EVENT_PAGE, "{\"userId\":\"u\",\"name\":1}", "name_not_string", "name" },
        { EVENT_SCREEN, "{\"userId\":\"u\",\"category\":{}}", "category_not_string", "category" },
        { EVENT_PAGE, "{\"userId\":\"u\",\"context\":\"c\"}", "context_not_object", "context" },
        { EVENT_PAGE, "{\"userId\":\"u\",\"integrations\":true}", "integrations_not_object", "integrations" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        assert_int_equal(world_send_body("wk_server", rows[at].type, rows[at].body), OK);
        assert_int_equal(world.result.accepted, 0);
        assert_int_equal(world.result.rejected, 1);
        Rejected rejected = world_rejected(0);
        assert_text(rejected.reason, rows[at].reason);
        assert_text(rejected.field, rows[at].field);
        assert_text(rejected.source, "server");
        assert_text(rejected.json, rows[at].body);
        assert_true(rejected.text.len > 0);
        assert_false(rejected.from_import);
        assert_int_equal(rejected.received_at_ms, NOW_MS);
    }
}

static void bodies_that_are_no_json_are_refused(void **state)
{
    static const char *const rows[] = {
        "", " ", "\xEF\xBB\xBF", "null", "[]", "[{}]", "\"x\"", "1", "{", "}", "{}}", "{}{}", "{\"a\"}",
          "{\"a\":}", "{\"a\":1,}",
        "{a:1}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":+1}", "{\"a\":1e}", "{\"a\":-}", "{\"a\":0x1}",
        "{\"a\":tru}", "{\"a\":True}", "{\"a\":nul}", "{\"a\":undefined}", "{\"a\":NaNa}", "{\"a\":[1,]}",
          "{\"a\":[,1]}",
        "{\"a\":[1}", "{\"a\":{]}", "{\"a\":\"b}", "{\"a\":\"b\nc\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}",
          "{\"a\":\"\\u12\"}",
        "{\"a\":\"b\"c}", "{\"a\":1 2}", "{\"a\" 1}", "{,}", "{\"a\":1]", "{'a':1}", "{\"a\":1}x",
          "\\{\"a\":1}", "{\"a\":\\\"x\"}",
        "{\"batch\":1}", "{\"batch\":{}}", "{\"batch\":null}", "{\"batch\":[{]}", "{\"batch\":[{},]}",
          "{\"batch\":[{\"a\":nan}]}",
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Status s = world_send_body("wk_server", EVENT_NONE, rows[at]);
        if (s != ERR_INPUT) fail_msg("%s: %s", rows[at], status_word(s));
    }
}

static void one_bad_message_costs_only_itself(void **state)
{
    (void)state;
    assert_int_equal(world_send_body("wk_server", EVENT_NONE, "{\"batch\":[{\"type\":\"track\",\"event\":\"A\","
      "\"userId\":\"u\"},7,"
        "{\"type\":\"track\",\"userId\":\"u\"},{\"type\":\"page\",\"userId\":\"v\"}],"
          "\"sentAt\":\"" NOW_TEXT "\"}"), OK);
    assert_int_equal(world.result.accepted, 2);
    assert_int_equal(world.result.rejected, 2);
    assert_int_equal(world.append.record_count, 4);
    assert_text(world_event(0).name, "A");
    assert_text(world_rejected(1).reason, "bad_request");
    assert_text(world_rejected(1).json, "7");
    assert_text(world_rejected(2).reason, "event_not_defined");
    assert_text(world_event(3).user_id, "v");
    assert_int_equal(world_event(3).type, EVENT_PAGE);
    assert_int_equal(world_event(0).message_id.len, UUID_BYTES);
    assert_false(str_equal(world_event(0).message_id, world_event(3).message_id));
}

static void a_batchs_context_stands_in_for_what_a_message_lacks(void **state)
{
    (void)state;
    assert_int_equal(world_send_body("wk_server", EVENT_NONE,
        "{\"batch\":[{\"type\":\"track\",\"event\":\"A\",\"userId\":\"u\",\"messageId\":\"1\","
                     "\"context\":{\"\\u0061pp\":{\"x\":1},\"ip\":\"1.2.3.4\"},\"integrations\":{\"All\":false}},"
                    "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"u\",\"messageId\":\"2\",\"context\":null}],"
         "\"context\":{\"library\":{\"name\":\"go\"},\"app\":{\"y\":2},\"library\":{\"name\":\"java\"}},"
         "\"integrations\":{\"All\":true,\"Mixpanel\":{\"a\":[1,2]}}}"), OK);
    assert_text(world_event(0).json, "{\"messageId\":\"1\",\"userId\":\"u\"," TIMES ",\"type\":\"track\","
      "\"event\":\"A\"," NAME
                ",\"context\":{\"\\u0061pp\":{\"x\":1},\"ip\":\"1.2.3.4\",\"library\":{\"name\":\"java\"}},"
                "\"integrations\":{\"All\":false,\"Mixpanel\":{\"a\":[1,2]}}}");
    assert_text(world_event(1).json, "{\"messageId\":\"2\",\"userId\":\"u\"," TIMES ",\"type\":\"track\","
      "\"event\":\"A\"," NAME
                ",\"context\":{\"library\":{\"name\":\"java\"},\"app\":{\"y\":2}},"
                "\"integrations\":{\"All\":true,\"Mixpanel\":{\"a\":[1,2]}}}");
}

static void keys_are_found_wherever_sdks_put_them(void **state)
{
    static const struct { const char *header, *query, *body, *source; } rows[] = {
        { "wk_web", "", "{\"userId\":\"u\"}", "website" },
        { "", "wk_web", "{\"userId\":\"u\"}", "website" },
        { "", "", "{\"userId\":\"u\",\"writeKey\":\"wk_web\"}", "website" },
        { "wk_server", "wk_web", "{\"userId\":\"u\",\"writeKey\":\"wk_web\"}", "server" },
        { "an OAuth token", "", "{\"userId\":\"u\",\"writeKey\":\"wk_web\"}", "website" },
        { "", "", "{\"batch\":[{\"type\":\"page\",\"userId\":\"u\"}],\"writeKey\":\"wk_web\"}", "website" },
        { "", "", "{\"batch\":[{\"type\":\"page\",\"userId\":\"u\",\"writeKey\":\"wk_server\"}]}", "server" },
        { "", "", "{\"batch\":[{\"type\":\"page\",\"userId\":\"u\",\"writeKey\":\"wk_server\"}],"
          "\"writeKey\":\"wk_web\"}", "website" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        CollectRequest request = { .implied_type = EVENT_PAGE, .body = str_from(rows[at].body),
                                   .header_key = str_from(rows[at].header), .query_key = str_from(rows[at].query) };
        assert_int_equal(world_send(request), OK);
        assert_int_equal(world.result.accepted, 1);
        assert_text(world.result.source->name, rows[at].source);
        assert_text(world_event(0).source, rows[at].source);
    }
    assert_int_equal(world_send_body("", EVENT_PAGE, "{\"userId\":\"u\"}"), ERR_DENIED);
}

static void unknown_and_disabled_sources_are_kept_as_rejected(void **state)
{
    (void)state;
    assert_int_equal(world_send_body("wk_nobody", EVENT_PAGE, "{\"userId\":\"u\"}"), OK);
    assert_null(world.result.source);
    assert_int_equal(world.result.rejected, 1);
    assert_text(world_rejected(0).reason, "project_not_found");
    assert_int_equal(world_send_body("wk_off", EVENT_PAGE, "{\"userId\":\"u\"}"), OK);
    assert_text(world.result.source->name, "off");
    assert_text(world_rejected(0).reason, "source_disabled");
}

static bool is_mute(void *context, EventType type, Str user_id, Str anonymous_id, Str previous_id)
{
    ++*(int *)context;
    return str_equal(user_id, STR("mute")) || str_equal(anonymous_id, STR("mute-visitor"))
        || (type == EVENT_ALIAS && str_equal(previous_id, STR("mute")));
}

static void a_message_of_a_suppressed_id_is_answered_and_not_kept(void **state)
{
    static const struct { EventType type; const char *key, *body; bool is_kept; } rows[] = {
        { EVENT_TRACK, "wk_web", "{\"userId\":\"mute\",\"event\":\"E\"}", false },
        { EVENT_TRACK, "wk_web", "{\"userId\":\"mu\\u0074e\",\"event\":\"E\"}", false },
        { EVENT_PAGE, "wk_web", "{\"userId\":\"u\",\"anonymousId\":\"mute-visitor\"}", false },
        { EVENT_ALIAS, "wk_web", "{\"userId\":\"u\",\"previousId\":\"mute\"}", false },
        { EVENT_TRACK, "wk_web", "{\"userId\":\"mute\"}", false },                     /* rejected else: no event */
        { EVENT_TRACK, "wk_nobody", "{\"userId\":\"mute\",\"event\":\"E\"}", false },
        { EVENT_TRACK, "wk_off", "{\"userId\":\"mute\",\"event\":\"E\"}", false },
        { EVENT_PAGE, "wk_web", "{\"userId\":\"u\",\"anonymousId\":\"mute\"}", true },
        { EVENT_PAGE, "wk_web", "{\"userId\":\"u\",\"previousId\":\"mute\"}", true },
    };
    int asked = 0;
    (void)state;
    world.workspace->collector->options.is_suppressed = is_mute;
    world.workspace->collector->options.suppressed_context = &asked;
    for (size_t at = 0; at < countof(rows); at++) {
        assert_int_equal(world_send_body(rows[at].key, rows[at].type, rows[at].body), OK);
        assert_int_equal(world.append.record_count, rows[at].is_kept);
        assert_int_equal(world.result.accepted, rows[at].is_kept);
        assert_int_equal(world.result.suppressed, !rows[at].is_kept);
        assert_int_equal(world.result.rejected, 0);
    }
    assert_int_equal(asked, countof(rows));
    world.workspace->collector->options.is_suppressed = NULL;
}

static bool is_the_secret(void *context, Str key)
{
    (void)context;
    return str_equal(key, STR("sk_0123456789"));
}

static void a_key_that_reads_is_in_nothing_that_is_kept(void **state)
{
    static const char *const bodies[] = {
        "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"e\",\"writeKey\":\"sk_0123456789\"}",
        "{\"batch\":[{\"type\":\"track\",\"userId\":\"u\",\"event\":\"e\",\"writeKey\": \"sk_0123456789\"}]}",
        "{\"batch\":[{\"type\":\"track\",\"x\":\"sk_0123456789, sk_0123456789\",\"writeKey\":\"sk_0123456789\"}]}",
        "{\"batch\":[{\"type\":\"no type\",\"api_key\":\"sk_0123456789\",\"writeKey\":\"wk_web\"}]}",
        "{\"batch\":[[{\"key\":\"sk_0123456789\"}]],\"writeKey\":\"wk_web\"}",
        "{\"writeKey\":\"sk_0123456789\",\"batch\":[{\"type\":\"track\",\"userId\":\"u\",\"event\":\"e\"}]}",
        "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"e\","
        "\"writeKey\":\"sk\\u005F012345678\\u0039\"}",                      /* some libraries escape so */
    };
    (void)state;
    CollectOptions options = { .clock = &world.time.clock, .dice = &world.chance.dice,
                               .is_reading_key = is_the_secret };
    static const Source source = { .name = STR("website"), .write_key = STR("wk_web"), .is_enabled = true };
    collect_workspace_close(world.workspace);
    collector_close(world.collector);
    assert_int_equal(collector_open(&options, &world.collector, &world.err), OK);
    assert_int_equal(collector_set_sources(world.collector, &source, 1, &world.err), OK);
    assert_int_equal(collect_workspace_open(world.collector, &world.workspace, &world.err), OK);
    for (size_t at = 0; at < countof(bodies); at++) {
        assert_int_equal(world_send_body("", EVENT_NONE, bodies[at]), OK);
        assert_int_equal(world.result.rejected, 1);
        assert_false(str_contains(buf_str(&world.append.frames), STR("012345678")));
        assert_int_equal(str_starts(world_rejected(0).text, STR("this key reads, ")), at < 3 || at >= 5);
    }
    assert_true(str_contains(world_rejected(0).json, STR("\"event\":\"e\"")));
    assert_int_equal(world_send_body("", EVENT_NONE, bodies[2]), OK);
    assert_true(str_contains(world_rejected(0).json, STR("\"x\":\"*************, *************\"")));
    assert_int_equal(world_send_body("", EVENT_TRACK, "{\"userId\":\"u\",\"writeKey\":\"wk_wbe\"}"), OK);
    assert_text(world_rejected(0).text, "no source has this write key");
    assert_true(str_contains(world_rejected(0).json, STR("wk_wbe")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_stored_in_one_form),
        cmocka_unit_test(broken_rules_name_their_reason),
        cmocka_unit_test(bodies_that_are_no_json_are_refused),
        cmocka_unit_test(one_bad_message_costs_only_itself),
        cmocka_unit_test(a_batchs_context_stands_in_for_what_a_message_lacks),
        cmocka_unit_test(keys_are_found_wherever_sdks_put_them),
        cmocka_unit_test(unknown_and_disabled_sources_are_kept_as_rejected),
        cmocka_unit_test(a_message_of_a_suppressed_id_is_answered_and_not_kept),
        cmocka_unit_test(a_key_that_reads_is_in_nothing_that_is_kept),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}
