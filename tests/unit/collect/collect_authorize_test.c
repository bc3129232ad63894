/* collect_authorize, collect_rate: sources, their origins and their rates. */
#include "collect/collect_authorize.c"
#include "tests/unit/collect/collect_world.h"

static void sources_may_be_replaced_while_old_ones_are_in_use(void **state)
{
    char name[16], key[16];
    Source sources[40];
    (void)state;
    const Source *old = collector_find_source(world.collector, STR("wk_web"));
    assert_text(old->name, "website");
    for (size_t count = 1; count <= countof(sources); count++) {
        for (size_t at = 0; at < count; at++) {
            snprintf(name, sizeof name, "name %zu", at);
            snprintf(key, sizeof key, "key %zu", at);
            Arena arena = { (char *)world.region.start + 100 * at, (char *)world.region.start + 100 * (at + 1) };
            sources[at] = (Source){ .name = arena_copy(&arena, str_from(name)), .is_enabled = true };
            sources[at].write_key = arena_copy(&arena, str_from(key));
        }
        assert_int_equal(collector_set_sources(world.collector, sources, count, &world.err), OK);
        for (size_t at = 0; at < count; at++)
            assert_text(collector_find_source(world.collector, sources[at].write_key)->name, sources[at].name.bytes);
        assert_null(collector_find_source(world.collector, STR("wk_web")));
        assert_null(collector_find_source(world.collector, STR("")));
    }
    assert_text(old->name, "website");
    assert_text(old->write_key, "wk_web");
    world_close(NULL);
    world_open(NULL);
}

static void sources_that_cannot_be_told_apart_are_refused(void **state)
{
    const Source rows[][2] = {
        { { .name = STR("a"), .write_key = STR("1") }, { .name = STR("a"), .write_key = STR("2") } },
        { { .name = STR("a"), .write_key = STR("1") }, { .name = STR("b"), .write_key = STR("1") } },
        { { .name = STR("a"), .write_key = STR("1") }, { .name = STR(""), .write_key = STR("2") } },
        { { .name = STR("a"), .write_key = STR("1") }, { .name = STR("b"), .write_key = STR("") } },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++)
        assert_int_equal(collector_set_sources(world.collector, rows[at], 2, &world.err), ERR_INPUT);
    assert_non_null(collector_find_source(world.collector, STR("wk_web")));      /* the old ones stay */
}

static void origins_are_held_to_those_allowed(void **state)
{
    static const struct { const char *key, *origin; Status status; } rows[] = {
        { "wk_web", "https://anywhere.example", OK },
        { "wk_shop", "https://www.example.com", OK },
        { "wk_shop", "HTTPS://Example.com", OK },
        { "wk_shop", "", OK },                                  /* no browser */
        { "wk_shop", "https://evil.example", ERR_DENIED },
        { "wk_shop", "http://example.com", ERR_DENIED },
        { "wk_shop", "https://example.com.evil.example", ERR_DENIED },
        { "wk_shop", "null", ERR_DENIED },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++)
        assert_int_equal(world_send((CollectRequest){ .implied_type = EVENT_PAGE, .body = STR("{\"userId\":\"u\"}"),
                         .header_key = str_from(rows[at].key), .origin = str_from(rows[at].origin) }), rows[at].status);
}

static Status send_batch(const char *origin, const char *keys)
{
    char body[4096];
    size_t len = (size_t)snprintf(body, sizeof body, "{\"batch\":[");
    for (Str rest = str_from(keys), key; rest.len;) {
        key = str_cut(rest, ' ', &rest);
        len += (size_t)snprintf(body + len, sizeof body - len,
                                "{\"type\":\"page\",\"userId\":\"u\",\"writeKey\":\"%.*s\"}%s", STR_FORMAT(key),
                                rest.len ? "," : "]}");
    }
    return world_send((CollectRequest){ .body = str_of(body, len), .origin = str_from(origin) });
}

static void each_message_is_held_to_the_origins_of_its_own_source(void **state)
{
    static const struct { const char *origin, *keys; Status status; uint32_t accepted, rejected; } rows[] = {
        { "https://evil.example", "wk_web wk_shop", OK, 1, 1 },
        { "https://evil.example", "wk_shop wk_web", OK, 1, 1 },
        { "https://evil.example", "wk_nobody wk_shop", ERR_DENIED, 0, 0 },
        { "https://evil.example", "wk_shop wk_shop", ERR_DENIED, 0, 0 },
        { "https://evil.example", "wk_nobody wk_web wk_shop wk_off", OK, 1, 3 },
        { "https://example.com", "wk_web wk_shop wk_nobody", OK, 2, 1 },
        { "", "wk_web wk_shop", OK, 2, 0 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        assert_int_equal(send_batch(rows[at].origin, rows[at].keys), rows[at].status);
        if (rows[at].status) continue;
        assert_int_equal(world.result.accepted, rows[at].accepted);
        assert_int_equal(world.result.rejected, rows[at].rejected);
    }
}

static void each_message_counts_against_the_rate_of_its_own_source(void **state)
{
    (void)state;
    fake_clock_advance(&world.time, 60000);
    for (int at = 0; at < 10; at++) assert_int_equal(send_batch("", "wk_web wk_nobody wk_slow wk_slow"), OK);
    assert_int_equal(send_batch("", "wk_web wk_slow"), ERR_RATE);
    assert_true(world.result.retry_after_ms > 0);
    assert_int_equal(send_batch("", "wk_nobody wk_slow"), ERR_RATE);
    assert_int_equal(send_batch("", "wk_web wk_nobody"), OK);
    fake_clock_advance(&world.time, 60000);
}

static void what_was_taken_for_a_request_that_is_refused_is_given_back(void **state)
{
    struct rate_bucket bucket = { 0 };
    Millis wait_ms;
    (void)state;
    assert_true(collect_take_rate(&bucket, 10, 20, 20, 0, &wait_ms));
    collect_give_rate(&bucket, 10, 20);
    assert_true(collect_take_rate(&bucket, 10, 20, 20, 0, &wait_ms));
    assert_false(collect_take_rate(&bucket, 10, 20, 1, 0, &wait_ms));
}

static void an_old_key_is_as_good_until_its_time_is_over_and_then_known(void **state)
{
    const Source rotated = { .name = STR("shop"), .write_key = STR("wk_new"), .old_key = STR("wk_old"),
                             .old_key_until_ms = world.time.now_ms + 1000, .is_enabled = true };
    struct collector *before = world.collector;
    CollectOptions options = before->options;
    struct collector *own;
    (void)state;
    assert_int_equal(collector_open(&options, &own, &world.err), OK);
    assert_int_equal(collector_set_sources(own, &rotated, 1, &world.err), OK);
    world.workspace->collector = own;
    for (int at = 0; at < 2; at++) {
        assert_int_equal(world_send_body("wk_old", EVENT_PAGE, "{\"userId\":\"u\"}"), OK);
        assert_text(world.result.source->name, "shop");
        assert_int_equal(world.result.accepted, at == 0);
        if (at) assert_text(world_rejected(0).reason, "key_rotated");
        assert_int_equal(world_send_body("wk_new", EVENT_PAGE, "{\"userId\":\"u\"}"), OK);
        assert_int_equal(world.result.accepted, 1);
        fake_clock_advance(&world.time, 1000);
    }
    assert_non_null(collector_source_at(own, 0));
    assert_null(collector_source_at(own, 1));
    world.workspace->collector = before;
    collector_close(own);
}

static void unknown_keys_are_refused_where_the_options_say_so(void **state)
{
    (void)state;
    world.collector->options.refuse_unknown_keys = true;
    assert_int_equal(world_send_body("wk_nobody", EVENT_PAGE, "{\"userId\":\"u\"}"), ERR_DENIED);
    world.collector->options.refuse_unknown_keys = false;
}

static void strangers_cannot_fill_the_disk(void **state)
{
    (void)state;
    uint32_t kept = 0;
    for (int at = 0; at < 3000; at++) {
        assert_int_equal(world_send_body("wk_nobody", EVENT_PAGE, "{\"userId\":\"u\"}"), OK);
        assert_int_equal(world.result.rejected, 1);
        kept += world.append.record_count;
    }
    assert_in_range(kept, COLLECT_UNKNOWN_PER_SECOND, 10 * COLLECT_UNKNOWN_PER_SECOND);
    fake_clock_advance(&world.time, 60000);
    assert_int_equal(world_send_body("wk_nobody", EVENT_PAGE, "{\"userId\":\"u\"}"), OK);
    assert_int_equal(world.append.record_count, 1);
    fake_clock_jump(&world.time, -60000);
}

static void a_sources_rate_is_held(void **state)
{
    (void)state;
    for (int at = 0; at < 20; at++) assert_int_equal(world_send_body("wk_slow", EVENT_PAGE, "{\"userId\":\"u\"}"), OK);
    assert_int_equal(world_send_body("wk_slow", EVENT_PAGE, "{\"userId\":\"u\"}"), ERR_RATE);
    assert_int_equal(world.result.retry_after_ms, 101);
    fake_clock_advance(&world.time, world.result.retry_after_ms);
    assert_int_equal(world_send_body("wk_slow", EVENT_PAGE, "{\"userId\":\"u\"}"), OK);
    assert_int_equal(world_send_body("wk_slow", EVENT_PAGE, "{\"userId\":\"u\"}"), ERR_RATE);
    assert_int_equal(world_send_body("wk_web", EVENT_PAGE, "{\"userId\":\"u\"}"), OK);
}

static void a_full_bucket_lets_any_batch_pass_once(void **state)
{
    struct rate_bucket bucket = { 0 };
    Millis wait_ms = 0;
    (void)state;
    assert_true(collect_take_rate(&bucket, 10, 20, 1000, 0, &wait_ms));
    assert_false(collect_take_rate(&bucket, 10, 20, 1000, 0, &wait_ms));
    assert_int_equal(wait_ms, 100001);                          /* when it is full again */
    assert_false(collect_take_rate(&bucket, 10, 20, 1, 0, &wait_ms));
    assert_int_equal(wait_ms, 98101);
    assert_true(collect_take_rate(&bucket, 10, 20, 1, 98101LL * 1000000, &wait_ms));
    assert_true(collect_take_rate(&bucket, 0, 0, 1000000, 0, &wait_ms));
}

static void a_steady_rate_is_never_refused_and_never_exceeded(void **state)
{
    struct rate_bucket bucket = { 0 };
    Millis wait_ms;
    uint32_t taken = 0;
    (void)state;
    for (int64_t now_ns = 0; now_ns < 100000000000; now_ns += 1000000)       /* asks 1,000 times a second */
        taken += collect_take_rate(&bucket, 50, 10, 1, now_ns, &wait_ms);
    assert_in_range(taken, 4999, 5011);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_may_be_replaced_while_old_ones_are_in_use),
        cmocka_unit_test(sources_that_cannot_be_told_apart_are_refused),
        cmocka_unit_test(origins_are_held_to_those_allowed),
        cmocka_unit_test(each_message_is_held_to_the_origins_of_its_own_source),
        cmocka_unit_test(each_message_counts_against_the_rate_of_its_own_source),
        cmocka_unit_test(what_was_taken_for_a_request_that_is_refused_is_given_back),
        cmocka_unit_test(an_old_key_is_as_good_until_its_time_is_over_and_then_known),
        cmocka_unit_test(unknown_keys_are_refused_where_the_options_say_so),
        cmocka_unit_test(strangers_cannot_fill_the_disk),
        cmocka_unit_test(a_sources_rate_is_held),
        cmocka_unit_test(a_full_bucket_lets_any_batch_pass_once),
        cmocka_unit_test(a_steady_rate_is_never_refused_and_never_exceeded),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}
