/* collect_unread: what cannot be read, where nobody reads the answer, is kept with its reason and without secrets. */
#include "collect/collect_unread.c"
#include "tests/unit/collect/collect_world.h"

static bool is_the_secret(void *context, Str key)
{
    (void)context;
    return str_equal(key, STR("sk_secret==")) || str_equal(key, STR("sk'quoted,and;so"));
}

static void reopen(bool refuses)
{
    static const Str origins[] = { STR("https://www.example.com") };
    static const Source sources[] = {
        { .name = STR("website"), .write_key = STR("wk_web"), .is_enabled = true },
        { .name = STR("off"), .write_key = STR("wk_off") },
        { .name = STR("slow"), .write_key = STR("wk_slow"), .is_enabled = true, .events_per_second = 1,
          .burst_events = 1 },
        { .name = STR("shop"), .write_key = STR("wk_shop"), .is_enabled = true, .allowed_origins = origins,
          .allowed_origin_count = countof(origins) },
    };
    CollectOptions options = { .clock = &world.time.clock, .dice = &world.chance.dice, .refuse_unknown_keys = refuses,
                               .is_reading_key = is_the_secret };
    collect_workspace_close(world.workspace);
    collector_close(world.collector);
    assert_int_equal(collector_open(&options, &world.collector, &world.err), OK);
    assert_int_equal(collector_set_sources(world.collector, sources, countof(sources), &world.err), OK);
    assert_int_equal(collect_workspace_open(world.collector, &world.workspace, &world.err), OK);
}

static Status send_query(const char *query, const char *query_key)
{
    Str body, callback;
    Err err;
    Arena arena = region_arena(&world.region);
    Status s = collect_decode_query(str_from(query), &arena, &body, &callback, &err);
    return world_send((CollectRequest){ .implied_type = EVENT_TRACK, .body = body, .unread = s ? err.text : NULL,
                                        .keeps_unread = true, .query_key = str_from(query_key) });
}

static void what_cannot_be_read_is_kept_with_its_reason(void **state)
{
    static const struct { const char *query, *key, *source, *reason, *says, *kept; } rows[] = {
        { "data=!!!!", "wk_web", "website", "bad_request", "no base64", "" },
        { "data=e!", "", "", "bad_request", "no base64", "" },
        /* {"writeKey":"wk_web","userId":"u-1","ev */
        { "data=eyJ3cml0ZUtleSI6IndrX3dlYiIsInVzZXJJZCI6InUtMSIsImV2", "", "website", "bad_request", "JSON", "u-1" },
        { "data=eyJ3cml0ZUtleSI6IndrX3dlYiIsInVzZXJJZCI6InUtMSIsImV2!!ZW50IjoxfQ", "", "website", "bad_request",
          "no base64", "u-1" },
        { "data={\"writeKey\":\"wk_web\",\"userId\":\"u-1\"}", "", "website", "bad_request", "base64", "u-1" },
        { "data=%7B'writeKey':'wk_web','userId':'u-1'%7D", "", "website", "bad_request", "base64", "u-1" },
        { "data=W10", "wk_web", "website", "bad_request", "object", "[]" },
        { "data=MTc", "wk_web", "website", "bad_request", "object", "17" },
        { "data=W10", "nobody", "", "bad_request", "object", "[]" },
        { "data=W10", "wk_off", "off", "source_disabled", "disabled", "[]" },
        { "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t=u-1&writeKey=wk_web", "", "website", "bad_request", "deeper",
          "u-1" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        assert_int_equal(send_query(rows[at].query, rows[at].key), OK);
        assert_int_equal(world.append.record_count, 1);
        assert_int_equal(world.result.rejected, 1);
        assert_int_equal(world.result.accepted, 0);
        assert_int_equal(world.result.unread.code, ERR_INPUT);
        Rejected rejected = world_rejected(0);
        assert_text(rejected.source, rows[at].source);
        assert_text(rejected.reason, rows[at].reason);
        if (!str_contains(rejected.text, str_from(rows[at].says))
            || !str_contains(rejected.json, str_from(rows[at].kept)))
            fail_msg("%s: %.*s: %.*s", rows[at].query, STR_FORMAT(rejected.text), STR_FORMAT(rejected.json));
    }
}

static void a_posts_answer_that_somebody_reads_is_an_error_only(void **state)
{
    (void)state;
    assert_int_equal(world_send_body("wk_web", EVENT_TRACK, "[1"), ERR_INPUT);
    assert_int_equal(world_send((CollectRequest){ .body = STR("[1"), .query_key = STR("wk_web"),
                                                  .keeps_unread = true }), OK);
    assert_int_equal(world.append.record_count, 1);
    assert_int_equal(world_send((CollectRequest){ .body = STR("\x1f\x8b\x08 broken"), .query_key = STR("wk_web"),
                                                  .keeps_unread = true }), OK);
    assert_text(world_rejected(0).json, "");
    assert_int_equal(send_query("userId=u&event=E&writeKey=wk_web", ""), OK);     /* and what can be read is as ever */
    assert_int_equal(world.result.accepted, 1);
    assert_int_equal(world.result.unread.code, OK);
}

static void it_counts_as_a_message_of_its_source(void **state)
{
    (void)state;
    reopen(false);
    assert_int_equal(send_query("data=W10", "wk_slow"), OK);
    assert_int_equal(send_query("data=W10", "wk_slow"), ERR_RATE);
    assert_int_equal(world_send((CollectRequest){ .body = STR("["), .query_key = STR("wk_shop"), .keeps_unread = true,
                                                  .origin = STR("https://evil.example") }), ERR_DENIED);
    uint32_t kept = 0;
    for (int at = 0; at < 11 * COLLECT_UNKNOWN_PER_SECOND; at++) {
        assert_int_equal(send_query("data=W10", ""), OK);
        assert_int_equal(world.result.rejected, 1);                    /* counted all the same */
        kept += world.append.record_count;
    }
    assert_in_range(kept, 1, 10 * COLLECT_UNKNOWN_PER_SECOND + 1);      /* ten seconds at once */
    reopen(true);
    assert_int_equal(send_query("data=W10", ""), ERR_DENIED);
    reopen(false);
}

static void no_secret_and_no_part_of_one_is_kept(void **state)
{
    static const char *const bodies[] = {
        "{\"writeKey\":\"sk_secret==\",", "{'writeKey':'sk_secret=='}", "{\"writeKey\" : \"sk_secret==\"} x",
        "writeKey=sk_secret==&a=1", "?writeKey=sk_secret==", "sk_secret==",
        "{\"a\":\"{\\\"k\\\":\\\"sk_secret==\\\"}\"",
        "[\"sk'quoted,and;so\"", "{\"k\":\"sk'quoted,and;so\"} x", "x=1&key=sk'quoted,and;so&b", "{a: sk_secret==}",
        "{writeKey:sk_secret==", "type=track&writeKey=sk_secret%3D%3d&x", "[\"sk_secret\\u003d\\u003D\"",
        "{\"a\":\"sk_secret\\=\\=\",",
        "[\"{\\\"k\\\":\\\"sk_secret\\u003d=\\\"}\"",
    };
    (void)state;
    reopen(false);
    for (size_t at = 0; at < countof(bodies); at++) {
        assert_int_equal(world_send((CollectRequest){ .body = str_from(bodies[at]), .query_key = STR("wk_web"),
                                                      .keeps_unread = true }), OK);
        if (str_contains(world_record(0), STR("sk_secret")) || str_contains(world_record(0), STR("quoted,and"))
            || str_contains(world_record(0), STR("sk_")) || str_contains(world_record(0), STR("sk'")))
            fail_msg("%s: %.*s: %.*s", bodies[at], STR_FORMAT(world_rejected(0).json),
                     STR_FORMAT(world_rejected(0).text));
    }
    /* {"writeKey":"sk_secret and then a byte that is no base64 */
    assert_int_equal(send_query("data=eyJ3cml0ZUtleSI6InNrX3NlY3JldA!PT0i", "wk_web"), OK);
    assert_false(str_contains(world_record(0), STR("sk_secr")));
    assert_int_equal(send_query("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t=1&writeKey=%73k_secret%3D%3D", ""), OK);
    assert_false(str_contains(world_record(0), STR("sk_secr")));
    for (size_t before = LIMIT_REJECTED_BYTES - 16; before < LIMIT_REJECTED_BYTES + 2; before++) {  /* cut within it */
        char body[LIMIT_REJECTED_BYTES + 64] = "[\"";
        memset(body + 2, 'x', before - 2);
        strcpy(body + before, "\",\"sk_secret==\",\"more and more");
        assert_int_equal(world_send((CollectRequest){ .body = str_from(body), .query_key = STR("wk_web"),
                                                      .keeps_unread = true }), OK);
        assert_false(str_contains(world_record(0), STR("sk_")));
        assert_true(world_rejected(0).json.len <= LIMIT_REJECTED_BYTES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_read_is_kept_with_its_reason),
        cmocka_unit_test(a_posts_answer_that_somebody_reads_is_an_error_only),
        cmocka_unit_test(it_counts_as_a_message_of_its_source),
        cmocka_unit_test(no_secret_and_no_part_of_one_is_kept),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}
