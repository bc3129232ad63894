/* deliver: what anybody with a public write key can say, and a vendor can answer, costs only the message itself. */
#include "deliver_fixture.h"
#include "src/deliver/deliver_runner.h"

extern const struct destination destination_webhook;

static const char *const plain[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning", "secret=s3cret",
                                     NULL };
static const char *const lists[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning",
                                     "batch_size=100", NULL };

/* A track as collection would keep it, whatever its messageId holds. */
static void say_as(const char *source, Str message_id, const char *user)
{
    struct journal_append append;
    struct made made = { 0 };
    struct buf record, json;
    char now[24];
    Event event;
    Err err;
    instant_write(world->clock.now_ms, now);
    buf_init(&json, 8192);
    buf_str_put(&json, STR("{\"type\":\"track\",\"event\":\"E\",\"messageId\":"));
    buf_json_string(&json, message_id);
    buf_printf(&json, ",\"userId\":\"%s\",\"timestamp\":\"%.24s\",\"projectId\":\"%s\"}", user, now, source);
    event = (Event){ .type = EVENT_TRACK, .source = str_from(source), .message_id = message_id,
                     .user_id = str_from(user), .name = STR("E"), .timestamp_ms = world->clock.now_ms,
                     .original_timestamp_ms = INSTANT_NONE, .sent_at_ms = INSTANT_NONE,
                     .received_at_ms = world->clock.now_ms, .json = buf_str(&json) };
    buf_init(&record, 16384);
    event_encode(&record, &event);
    journal_append_init(&append, LIMIT_APPEND_BYTES);
    append.on_durable = world_noop;
    append.owner = &made;
    journal_put_record(&append, buf_str(&record));
    assert_int_equal(journal_submit(world->journal, &append, &err), OK);
    assert_int_equal(journal_commit(world->journal, NULL, &err), OK);
    journal_append_done(&append);
    buf_done(&record);
    buf_done(&json);
    world->known = journal_end(world->journal);
}

/* ---- Headers ---- */

static char keys[256][256];
static size_t key_count;

static void keep_key(void *owner, const FetchRequest *request, FakeAnswer *answer)
{
    vendor_answer(owner, request, answer);
    for (size_t at = 0; at < request->header_count; at++)
        if (str_equal(request->headers[at].name, STR("Idempotency-Key")))
            snprintf(keys[key_count++], sizeof keys[0], "%.*s", STR_FORMAT(request->headers[at].value));
}

static void no_message_id_keeps_others_from_a_webhook(void **state)
{
    static const Str ids[] = {
        { "é0", 3 }, { "é1", 3 }, { "a\nb", 3 }, { "a\r\nX-Evil: 1", 12 }, { "\0", 1 }, { "\x7f", 1 }, { " ", 1 },
        { "\t", 1 }, { "a%0Ab", 5 }, { "a/b", 3 }, { "日本", 6 }, { "\"quoted\"", 8 }, { ",", 1 }, { ";", 1 },
    };
    (void)state;
    fake_fetch_init(&world->fetch, &world->clock, keep_key, NULL, NULL);
    key_count = 0;
    start("hook", "webhook", plain);
    for (size_t at = 0; at < countof(ids); at++) {
        char user[16];
        snprintf(user, sizeof user, "u%zu", at);
        say_as("website", ids[at], user);
    }
    for (int at = 0; at < 20; at++) {
        char user[16];
        snprintf(user, sizeof user, "good%d", at);
        say_as("website", STR("m-1"), user);
    }
    say_as("server", STR("m-1"), "else");
    pass(3000, 100);
    assert_int_equal(vendor.count, countof(ids) + 21);
    assert_int_equal(state_of(0).delivered, countof(ids) + 21);
    assert_int_equal(state_of(0).retried, 0);
    assert_string_equal(keys[countof(ids)], "website/m-1");
    assert_string_equal(keys[countof(ids) + 20], "server/m-1");
    for (size_t at = 0; at < countof(ids); at++)
        for (size_t other = 0; other < at; other++) assert_string_not_equal(keys[at], keys[other]);
}

/* ---- Bodies ---- */

static void the_body_is_exactly_the_message(void **state)
{
    static const Str ids[] = {
        { "x\n{\"type\":\"track\",\"event\":\"Refund\"}", 36 }, { "x\n{\"a\":1},", 10 }, { "7:website", 9 },
        { "0:", 2 },
    };
    (void)state;
    for (int is_list = 0; is_list < 2; is_list++) {
        teardown(NULL);
        setup(NULL);
        start("hook", "webhook", is_list ? lists : plain);
        for (size_t at = 0; at < countof(ids); at++) say_as("website", ids[at], "u");
        pass(2000, 100);
        assert_int_equal(vendor.count, is_list ? 1 : countof(ids));
        for (size_t at = 0; at < vendor.count; at++) {
            Arena arena = region_arena(&world->region);
            const TreeNode *body;
            Err err;
            assert_int_equal(event_tree_read(str_from(vendor.bodies[at]), &arena, &body, &err), OK);
            assert_int_equal(body->kind, is_list ? FIELD_ARRAY : FIELD_OBJECT);
            if (is_list) assert_int_equal(body->count, countof(ids));
            const TreeNode *first = is_list ? body->first : body;
            for (const TreeNode *message = first; message; message = is_list ? message->next : NULL)
                assert_true(str_equal(event_tree_text(message, "event"), STR("E")));
            if (!is_list) assert_true(str_equal(event_tree_text(body, "messageId"), ids[at]));
        }
    }
}

/* ---- Requests that can never be made ---- */

/* Stands for whatever a destination may one day put into a header or URL. */
static Status pack_wrongly(const PackInput *input, Arena *arena, FetchRequest *ret, Err *err)
{
    Status s = destination_webhook.pack(input, arena, ret, err);
    bool has_bad = false;
    for (size_t at = 0; at < input->call_count; at++) has_bad |= str_contains(input->calls[at]->body, STR("\"bad"));
    if (!s && has_bad) request_header(ret, STR("X-Id"), STR("a\nb"));
    return s;
}

static void a_request_that_can_never_be_made_is_a_dead_letter_at_once(void **state)
{
    struct destination wrong = destination_webhook;
    (void)state;
    wrong.pack = pack_wrongly;
    for (int is_list = 0; is_list < 2; is_list++) {
        struct letters letters = { 0 };
        DeliverState seen;
        Err err;
        teardown(NULL);
        setup(NULL);
        start("hook", "webhook", is_list ? lists : plain);
        world_step(world);
        world->deliver->runners[0]->destination = &wrong;
        for (int at = 0; at < 30; at++) {
            char user[16], id[16];
            snprintf(user, sizeof user, "u%d", at);
            snprintf(id, sizeof id, at % 3 ? "good-%d" : "bad-%d", at);
            say_as("website", str_from(id), user);
        }
        pass(2000, 100);
        seen = state_of(0);
        assert_int_equal(seen.delivered, 20);
        assert_int_equal(seen.refused, 10);
        assert_int_equal(seen.retried, 0);
        assert_int_equal(seen.condition, DELIVER_RUNNING);
        assert_int_equal(seen.unfinished, 0);
        assert_int_equal(deliver_list_dead(&world->rows.rows, STR("hook"), 0, note_letter, &letters, &err), OK);
        assert_int_equal(letters.count, 10);
        assert_non_null(strstr(letters.text, "header X-Id"));
        assert_non_null(strstr(letters.text, "\"attempts\":0,"));     /* nothing was ever sent */
        assert_non_null(strstr(letters.text, "bad-27"));
    }
}

/* ---- Lists that are refused ---- */

static void refuse_poison(void *owner, const FetchRequest *request, FakeAnswer *answer)
{
    vendor_answer(owner, request, answer);
    if (str_contains(request->body, STR("poison"))) answer->status = vendor.script[15];
}

static void one_poisonous_message_takes_no_other_of_its_list_along(void **state)
{
    static const int statuses[] = { 400, 404, 422, 301, 501, 418, 451 };
    (void)state;
    for (size_t row = 0; row < countof(statuses); row++) {
        DeliverState seen;
        teardown(NULL);
        setup(NULL);
        fake_fetch_init(&world->fetch, &world->clock, refuse_poison, NULL, NULL);
        vendor.script[15] = statuses[row];
        start("hook", "webhook", lists);
        for (int at = 0; at < 40; at++) {
            char user[16], id[16];
            snprintf(user, sizeof user, "u%d", at);
            snprintf(id, sizeof id, at == 17 || at == 18 ? "poison-%d" : "good-%d", at);
            say_as("website", str_from(id), user);
        }
        pass(3000, 100);
        seen = state_of(0);
        if (seen.delivered != 38 || seen.refused != 2)
            fail_msg("HTTP %d: %d of 38", statuses[row], (int)seen.delivered);
        assert_int_equal(seen.condition, DELIVER_RUNNING);
    }
}

/* ---- A receiver that falls over ---- */

static void fall_over(void *owner, const FetchRequest *request, FakeAnswer *answer)
{
    struct vendor *out = &vendor;
    (void)owner;
    out->script_at++;                               /* requests; the list of urls is too short for them */
    answer->status = out->script_count || str_contains(request->body, STR("poison")) ? 500 : 200;
}

static void say_many(const char *what, int count)
{
    for (int at = 0; at < count; at++) {
        char user[24], id[24];
        snprintf(user, sizeof user, "%s-u%d", what, at);
        snprintf(id, sizeof id, "%s-%d", what, at);
        say_as("website", str_from(id), user);
    }
}

/* Two hundred messages that a receiver answers with 500, by anybody with the public key, and twenty of others. */
static void what_a_receiver_falls_over_keeps_others_by_seconds_only(void **state)
{
    Millis passed = 0;
    (void)state;
    fake_fetch_init(&world->fetch, &world->clock, fall_over, NULL, NULL);
    start("hook", "webhook", plain);
    say_many("poison", 200);
    say_many("good", 20);
    for (; state_of(0).delivered < 20; passed += 800) {
        pass(500, 100);
        if (passed > 150000) fail_msg("%d of 20 delivered", (int)state_of(0).delivered);
    }
    say_many("later", 20);
    for (passed = 0; state_of(0).delivered < 40; passed += 800) {
        pass(500, 100);
        if (passed > 150000) fail_msg("%d of 40 delivered", (int)state_of(0).delivered);
    }
    pass(5 * 3600 * 1000, 5000);
    assert_int_equal(state_of(0).dead_letters, 200);
    assert_int_equal(state_of(0).unfinished, 0);
}

static void a_receiver_that_is_down_is_not_pestered(void **state)
{
    (void)state;
    fake_fetch_init(&world->fetch, &world->clock, fall_over, NULL, NULL);
    vendor.script_count = 1;                        /* 500 to everything */
    start("hook", "webhook", plain);
    say_many("good", 300);
    pass(3600 * 1000, 1000);
    if (vendor.script_at > 8 * 720) fail_msg("%zu requests in an hour", vendor.script_at);
    vendor.script_count = 0;
    pass(600 * 1000, 1000);
    assert_int_equal(state_of(0).delivered, 300);
}

/* ---- Links ---- */

/* KISSmetrics stores nothing of before 2009: the message is refused, and the link that it was to bring goes on with
 * the user's next. */
static void a_message_that_is_refused_keeps_no_link_back(void **state)
{
    static const char *const kiss[] = { "api_key=K", "endpoint=http://0.test", "rule.start=beginning",
                                        "rule.grace_seconds=0", NULL };
    (void)state;
    for (int is_restarted = 0; is_restarted < 2; is_restarted++) {
        size_t links = 0;
        teardown(NULL);
        setup(NULL);
        start("kiss", "kissmetrics", kiss);
        struct made *old = say(EVENT_TRACK, "u", "a", -1000);
        assert_int_equal(old->type, EVENT_TRACK);
        say(EVENT_TRACK, "w", "b", 1230000000000 - world->clock.now_ms);
        pass(2000, 100);
        assert_int_equal(state_of(0).refused, 1);
        if (is_restarted) world_crash(world);
        say(EVENT_TRACK, "w", "b", -500);
        say(EVENT_TRACK, "w", "", -400);
        pass(3000, 100);
        for (size_t at = 0; at < vendor.count; at++) {
            bool is_link = strstr(vendor.urls[at], "/a?") && strstr(vendor.urls[at], "_p=w&_n=b");
            links += is_link;
            if (strstr(vendor.urls[at], "/e?") && strstr(vendor.urls[at], "_p=w")) assert_int_equal(links, 1);
        }
        assert_int_equal(links, 1);
    }
}

/* ---- What was frozen before ---- */

static const struct delivery *only_delivery(void)
{
    struct runner *runner = world->deliver->runners[0];
    for (size_t at = 0; at < runner->window; at++)
        if (runner->deliveries[at].stage != DELIVERY_FREE) return &runner->deliveries[at];
    return NULL;
}

/* An older version froze "id, line end, JSON": it is sent as it was frozen, under the same key, and whole. */
static void what_an_older_version_froze_is_sent_as_it_was(void **state)
{
    static const struct { const char *frozen, *key, *body; } rows[] = {
        { "m-1\n{\"messageId\":\"m-1\"}", "m-1", "{\"messageId\":\"m-1\"}" },
        { "x\n{\"forged\":1}\n{\"messageId\":\"x\\n{}\"}", NULL, "{\"messageId\":\"x\\n{}\"}" },
        { "\xc3\xa9\n{\"messageId\":\"e\"}", NULL, "{\"messageId\":\"e\"}" },
    };
    (void)state;
    for (size_t row = 0; row < countof(rows); row++) {
        teardown(NULL);
        setup(NULL);
        fake_fetch_init(&world->fetch, &world->clock, keep_key, NULL, NULL);
        key_count = 0;
        vendor.script[0] = 503;
        vendor.script_count = 1;
        start("hook", "webhook", plain);
        say_as("website", STR("m-1"), "u");
        pass(1000, 100);
        struct delivery *delivery = (struct delivery *)(uintptr_t)only_delivery();
        assert_non_null(delivery);
        delivery->calls[0].kind = 0;
        delivery->calls[0].body = str_from(rows[row].frozen);
        delivery_save(world->deliver->runners[0], delivery);
        world_step(world);
        world_crash(world);
        pass(10000, 500);
        assert_true(vendor.count >= 2);
        assert_string_equal(vendor.bodies[vendor.count - 1], rows[row].body);
        if (rows[row].key) assert_string_equal(keys[key_count - 1], rows[row].key);
        else assert_int_equal(strlen(keys[key_count - 1]), 36);
        assert_int_equal(state_of(0).unfinished, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(no_message_id_keeps_others_from_a_webhook),
        with_world(the_body_is_exactly_the_message),
        with_world(a_request_that_can_never_be_made_is_a_dead_letter_at_once),
        with_world(one_poisonous_message_takes_no_other_of_its_list_along),
        with_world(what_a_receiver_falls_over_keeps_others_by_seconds_only),
        with_world(a_receiver_that_is_down_is_not_pestered),
        with_world(a_message_that_is_refused_keeps_no_link_back),
        with_world(what_an_older_version_froze_is_sent_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
