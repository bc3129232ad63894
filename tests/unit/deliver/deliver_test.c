/* deliver: the framework, by a clock turned by hand and a vendor that answers as told. */
#include "deliver_fixture.h"

static const char *const plain[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning", NULL };

/* ---- Order and time ---- */

static void what_arrives_together_goes_in_order_of_event_time(void **state)
{
    (void)state;
    start("hook", "webhook", plain);
    say(EVENT_TRACK, "u", "a", -1000);
    say(EVENT_IDENTIFY, "u", "a", -3000);
    say(EVENT_TRACK, "u", "a", -2000);
    pass(2000, 100);
    assert_int_equal(vendor.count, 3);
    assert_non_null(strstr(vendor.bodies[0], "message-2"));
    assert_non_null(strstr(vendor.bodies[1], "message-3"));
    assert_non_null(strstr(vendor.bodies[2], "message-1"));
}

/* A request's messages are applied one by one: after a crash, or under load, long after they have arrived. */
static void what_arrived_together_waits_until_identity_has_read_all_of_it(void **state)
{
    JournalPos between;
    (void)state;
    start("hook", "webhook", plain);
    say(EVENT_TRACK, "u", "", -1000);
    between = journal_end(world->journal);
    say(EVENT_IDENTIFY, "u", "a", -2000);
    world->known = between;
    pass(5000, 100);
    assert_int_equal(vendor.count, 0);
    world->known = journal_end(world->journal);
    pass(1000, 100);
    assert_int_equal(vendor.count, 2);
    assert_non_null(strstr(vendor.bodies[0], "message-2"));
    assert_non_null(strstr(vendor.bodies[1], "message-1"));
}

/* Where identity stands before a record, but after the one before it: at the head of a segment, or at a commit's. */
static void a_record_that_identity_has_not_read_waits_though_the_one_before_it_ends_earlier(void **state)
{
    (void)state;
    start("hook", "webhook", plain);
    (void)say(EVENT_TRACK, "u", "", -2000);
    pass(2000, 200);
    assert_int_equal(vendor.count, 1);
    struct made *next = say(EVENT_TRACK, "u", "", -1000);
    world->known = next->pos - 1;
    pass(2000, 200);
    assert_int_equal(vendor.count, 1);
    assert_true(state_of(0).lag_bytes > 0);
    (void)say(EVENT_TRACK, "u", "", -500);
    pass(2000, 200);
    assert_int_equal(vendor.count, 3);
    assert_int_equal(count_bodies(next->id), 1);
}

static void one_persons_trouble_does_not_keep_another(void **state)
{
    (void)state;
    vendor.script[0] = 500;
    vendor.script_count = 1;
    start("hook", "webhook", plain);
    say(EVENT_TRACK, "first", "", -5000);
    say(EVENT_TRACK, "first", "", -4000);
    say(EVENT_TRACK, "second", "", -3000);
    pass(600, 100);
    assert_int_equal(vendor.count, 2);              /* the first's first, refused for now; the second's */
    assert_non_null(strstr(vendor.bodies[1], "message-3"));
    pass(3000, 100);
    assert_int_equal(vendor.count, 4);
    assert_non_null(strstr(vendor.bodies[2], "message-1"));
    assert_non_null(strstr(vendor.bodies[3], "message-2"));
}

static void a_busy_person_travels_in_one_request(void **state)
{
    static const char *const batch[] = { "url=http://0.test/", "allow_private=true", "batch_size=100",
                                         "rule.start=beginning", NULL };
    (void)state;
    start("hook", "webhook", batch);
    for (int at = 0; at < 20; at++) say(EVENT_TRACK, "u", "", -5000 + at);
    pass(1000, 100);
    assert_int_equal(vendor.count, 1);
    assert_true(strstr(vendor.bodies[0], "message-1\"") < strstr(vendor.bodies[0], "message-20"));
}

/* ---- Retries ---- */

/* A destination that waits, with its window full of what settled long ago and of more to read: nothing can be done
 * before its time, so nothing is tried. It kept a core busy. */
static void who_can_do_nothing_waits(void **state)
{
    static const char *const small[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning",
                                         "rule.window=64", NULL };
    Millis waited_ms = 0;
    (void)state;
    vendor.outcome = FETCH_NOT_SENT;
    start("hook", "webhook", small);
    for (int at = 0; at < 100; at++) {
        char user[16];
        snprintf(user, sizeof user, "user-%d", at % 40);
        say(EVENT_TRACK, user, "", -5000 + at);
        if (at == 20) pass(2000, 100);          /* the others fill the rest of the window before they settle */
    }
    pass(3000, 100);
    assert_int_equal(state_of(0).condition, DELIVER_WAITING);
    for (int at = 0; at < 1000 && waited_ms < 60000; at++) {
        Err err;
        assert_int_equal(deliver_step(world->deliver, 1000, &err), OK);
        fake_clock_advance(&world->clock, world->fetch.wait_ms);
        waited_ms += world->fetch.wait_ms;
    }
    assert_true(waited_ms >= 60000);
}

/* Requests that came slowly stand in the journal in front of later ones. With the window full of such, the first one
 * alone looked as if nothing had settled yet, and nothing went for good. */
static void slow_requests_that_fill_the_window_stop_nothing(void **state)
{
    static const char *const small[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning",
                                         "rule.window=64", NULL };
    (void)state;
    start("hook", "webhook", small);
    for (int at = 0; at < 100; at++) {
        struct made *made = &world->made[world->made_count++];
        *made = (struct made){ .type = EVENT_TRACK, .at_ms = world->clock.now_ms - 60000 + at,
                               .received_ms = world->clock.now_ms - (at < 10 ? 0 : 3000) };
        snprintf(made->id, sizeof made->id, "message-%zu", world->made_count);
        snprintf(made->user, sizeof made->user, "user-%d", at);
        world_append(world, made);
    }
    world->known = journal_end(world->journal);
    pass(60000, 100);
    assert_int_equal(vendor.count, 100);
    assert_int_equal(state_of(0).unfinished + state_of(0).lag_bytes, 0);
}

/* Neither fills half of it, and together they leave no room to read on. */
static void a_replay_and_new_messages_that_fill_the_window_together_go_on(void **state)
{
    static const char *const small[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning",
                                         "rule.window=64", NULL };
    uint64_t ticket;
    Err err;
    (void)state;
    start("hook", "webhook", small);
    for (int at = 0; at < 100; at++) {
        char user[16];
        snprintf(user, sizeof user, "user-%d", at);
        say(EVENT_TRACK, user, "", -60000);
        fake_clock_advance(&world->clock, 1);
    }
    pass(60000, 100);
    assert_int_equal(vendor.count, 100);
    assert_int_equal(deliver_ask_replay(world->deliver, STR("hook"), 0, INT64_MAX, &ticket, &err), OK);
    for (int step = 0; step < 3; step++) assert_int_equal(deliver_step(world->deliver, 0, &err), OK);
    for (int at = 0; at < 50; at++) say(EVENT_TRACK, "new", "", -60000 + at);
    pass(60000, 100);
    assert_int_equal(state_of(0).unfinished + state_of(0).lag_bytes, 0);
    assert_false(state_of(0).is_replaying);
}

static void a_rate_limit_makes_the_whole_destination_wait_as_asked(void **state)
{
    (void)state;
    vendor.script[0] = 429;
    vendor.script_count = 1;
    vendor.headers = "Retry-After: 30\r\n";
    start("hook", "webhook", plain);
    say(EVENT_TRACK, "u", "", -2000);
    pass(1000, 100);
    say(EVENT_TRACK, "v", "", -1000);
    pass(20000, 500);
    assert_int_equal(vendor.count, 1);
    assert_int_equal(state_of(0).condition, DELIVER_WAITING);
    pass(15000, 500);
    assert_int_equal(vendor.count, 3);
    assert_int_equal(state_of(0).condition, DELIVER_RUNNING);
}

/* A vendor whose clock is wrong, or who counts in milliseconds, must not silence it for years. */
static void a_wait_of_more_than_a_day_is_not_believed(void **state)
{
    static const char *const headers[] = {
        "Retry-After: 30000000\r\n", "Retry-After: Wed, 21 Oct 2999 07:28:00 GMT\r\n",
        "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", "Retry-After: soon\r\n",
    };
    (void)state;
    for (size_t at = 0; at < countof(headers); at++) {
        teardown(NULL);
        setup(NULL);
        vendor.headers = headers[at];
        vendor.script[0] = 429;
        vendor.script_count = 1;
        start("hook", "webhook", plain);
        say(EVENT_TRACK, "u", "", -1000);
        pass(20000, 100);
        assert_int_equal(vendor.count, 2);
    }
}

static void expect_attempts(const char *name, int attempts)
{
    struct letters letters = { 0 };
    char wanted[32];
    Err err;
    snprintf(wanted, sizeof wanted, "\"attempts\":%d,", attempts);
    assert_int_equal(deliver_list_dead(&world->rows.rows, str_from(name), 0, note_letter, &letters, &err), OK);
    assert_int_equal(letters.count, 1);
    if (!strstr(letters.text, wanted)) fail_msg("no %s in %s", wanted, letters.text);
}

static void after_the_hours_are_over_a_message_is_a_dead_letter(void **state)
{
    (void)state;
    vendor.status = 503;
    start("hook", "webhook", plain);
    say(EVENT_TRACK, "u", "", -1000);
    pass(5 * 3600 * 1000, 10000);
    assert_int_equal(fake_rows_count(&world->rows, "hook", 'd'), 1);
    assert_int_equal(fake_rows_count(&world->rows, "hook", 'p'), 0);
    assert_true(vendor.count > 30 && vendor.count < 80);        /* doubling up to five minutes, for four hours */
    expect_attempts("hook", (int)vendor.count);
    vendor.status = 200;
    say(EVENT_TRACK, "u", "", -1000);
    pass(400000, 10000);
    assert_int_equal(state_of(0).delivered, 1);
    assert_int_equal(state_of(0).dead_letters, 1);
}

/* Set ahead: nothing is given up. Set back: nothing waits for the day that it had been. */
static void a_clock_that_jumps_gives_up_nothing_and_stops_nothing(void **state)
{
    (void)state;
    static const Millis jumps[] = { INT64_C(400) * 86400 * 1000, INT64_C(-400) * 86400 * 1000 };
    vendor.status = 503;
    start("hook", "webhook", plain);
    say(EVENT_TRACK, "u", "", -1000);
    pass(60000, 1000);
    for (size_t at = 0; at < countof(jumps); at++) {
        unsigned before = (unsigned)vendor.count;
        fake_clock_jump(&world->clock, jumps[at]);
        pass(20 * 60 * 1000, 10000);
        assert_int_equal(fake_rows_count(&world->rows, "hook", 'd'), 0);
        assert_int_equal(fake_rows_count(&world->rows, "hook", 'p'), 1);
        assert_true(vendor.count > before + 1);              /* tried again all the same */
    }
    vendor.status = 200;
    pass(400000, 10000);
    assert_int_equal(state_of(0).delivered, 1);
}

static void what_is_refused_is_kept_with_request_and_answer_and_can_be_sent_again(void **state)
{
    static const char *const signed_hook[] = { "url=http://0.test/", "allow_private=true", "secret=s3cret",
                                               "rule.start=beginning", NULL };
    struct letters letters = { 0 };
    uint64_t ticket;
    Err err;
    (void)state;
    vendor.script[0] = 422;
    vendor.script_count = 1;
    vendor.body = STR("no such thing");
    start("hook", "webhook", signed_hook);
    say(EVENT_TRACK, "u", "", -2000);
    say(EVENT_TRACK, "u", "", -1000);
    pass(1500, 100);
    assert_int_equal(vendor.count, 2);                          /* the next one is not kept by it */
    assert_int_equal(deliver_list_dead(&world->rows.rows, STR("hook"), 0, note_letter, &letters, &err), OK);
    assert_int_equal(letters.count, 1);
    assert_non_null(strstr(letters.text, "message-1"));
    assert_non_null(strstr(letters.text, "no such thing"));
    assert_non_null(strstr(letters.text, "HTTP 422"));
    assert_non_null(strstr(letters.text, "\"X-Signature\":\"***\""));
    assert_int_equal(deliver_ask_redo(world->deliver, STR("hook"), letters.number, &ticket, &err), OK);
    pass(500, 100);
    assert_int_equal(vendor.count, 3);
    assert_string_equal(vendor.bodies[2], vendor.bodies[0]);
    assert_int_equal(fake_rows_count(&world->rows, "hook", 'd'), 0);
    assert_int_equal(deliver_ask_redo(world->deliver, STR("other"), 1, &ticket, &err), ERR_NOT_FOUND);
}

static void a_letter_says_how_often_the_call_was_sent(void **state)
{
    static const int rows[][4] = {                  /* what the vendor answers; a last one of 422 is in each */
        { 422 }, { 503, 422 }, { 503, 500, 422 }, { 429, 503, 500, 422 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        teardown(NULL);
        setup(NULL);
        for (size_t step = 0; step <= at; step++) vendor.script[step] = rows[at][step];
        vendor.script_count = at + 1;
        start("hook", "webhook", plain);
        say(EVENT_TRACK, "u", "", -2000);
        pass(400000, 1000);
        assert_int_equal(vendor.count, at + 1);
        expect_attempts("hook", (int)at + 1);
        uint64_t ticket;
        Err err;
        vendor.status = 422;                            /* tried by hand it is counted anew */
        assert_int_equal(deliver_ask_redo(world->deliver, STR("hook"), 1, &ticket, &err), OK);
        pass(5000, 100);
        expect_attempts("hook", 1);
    }
}

static void wrong_credentials_lose_nothing(void **state)
{
    static const char *const mixpanel[] = { "token=T", "identity=simplified", "endpoint=http://0.test",
                                            "rule.start=beginning", NULL };
    (void)state;
    vendor.status = 401;
    start("mix", "mixpanel", mixpanel);
    for (int at = 0; at < 5; at++) say(EVENT_TRACK, "u", "", -1000 + at);
    pass(6 * 3600 * 1000, 20000);
    assert_int_equal(fake_rows_count(&world->rows, "mix", 'd'), 0);
    assert_true(strstr(state_of(0).last_error, "401"));
    vendor.status = 200;
    pass(400000, 10000);
    assert_int_equal(state_of(0).delivered, 5);
}

static void what_is_too_large_together_goes_apart(void **state)
{
    static const char *const batch[] = { "url=http://0.test/", "allow_private=true", "batch_size=100",
                                         "rule.start=beginning", NULL };
    (void)state;
    vendor.script[0] = 413;
    vendor.script_count = 1;
    start("hook", "webhook", batch);
    for (int at = 0; at < 10; at++) say(EVENT_TRACK, "u", "", -5000 + at);
    pass(1000, 100);
    assert_int_equal(vendor.count, 3);
    assert_non_null(strstr(vendor.bodies[1], "message-5\""));
    assert_null(strstr(vendor.bodies[1], "message-6\""));
    assert_int_equal(state_of(0).delivered, 10);
}

/* ---- Once ---- */

static const char *const counting[] = { "token=T", "identity=simplified", "endpoint=http://0.test", "increments=E",
                                        "rule.start=beginning", NULL };

static void a_count_whose_answer_was_lost_is_not_sent_again(void **state)
{
    struct letters letters = { 0 };
    Err err;
    (void)state;
    vendor.script[0] = -(int)FETCH_IN_DOUBT;
    vendor.script_count = 1;
    start("mix", "mixpanel", counting);
    say(EVENT_TRACK, "u", "", -1000);
    pass(60000, 500);
    assert_int_equal(count_bodies("$add"), 1);
    assert_int_equal(count_bodies("$insert_id"), 1);            /* the event itself is sent all the same */
    assert_int_equal(deliver_list_dead(&world->rows.rows, STR("mix"), 0, note_letter, &letters, &err), OK);
    assert_int_equal(letters.count, 1);
    assert_non_null(strstr(letters.text, "in doubt"));
}

static void a_count_that_certainly_did_not_come_is_sent_again(void **state)
{
    (void)state;
    vendor.script[0] = -(int)FETCH_NOT_SENT;
    vendor.script[1] = 503;
    vendor.script_count = 2;
    start("mix", "mixpanel", counting);
    say(EVENT_TRACK, "u", "", -1000);
    pass(60000, 500);
    assert_int_equal(count_bodies("$add"), 3);
    assert_int_equal(fake_rows_count(&world->rows, "mix", 'd'), 0);
}

static void a_count_under_way_when_the_process_died_is_not_sent_again(void **state)
{
    (void)state;
    start("mix", "mixpanel", counting);
    say(EVENT_TRACK, "u", "", -1000);
    fake_clock_advance(&world->clock, 1000);
    world->fetch.clock = &world->clock;
    world_step(world);                          /* frozen, committed, submitted, and answered at once … */
    assert_int_equal(count_bodies("$add"), 1);
    world->rows.is_dead = true;                 /* … but nothing of the answer is kept */
    deliver_close(world->deliver);
    world->rows.is_dead = false;
    world_start(world);
    pass(10000, 500);
    assert_int_equal(count_bodies("$add"), 1);
    assert_int_equal(count_bodies("$insert_id"), 1);
    assert_int_equal(fake_rows_count(&world->rows, "mix", 'd'), 1);
}

/* ---- Links ---- */

static const char *const original[] = { "token=T", "identity=original", "endpoint=http://0.test",
                                        "rule.start=beginning", NULL };

static void a_server_that_was_faster_than_the_browser_waits_for_the_link(void **state)
{
    (void)state;
    start("mix", "mixpanel", original);
    say(EVENT_IDENTIFY, "u", "", -1000);
    pass(4000, 200);
    assert_int_equal(vendor.count, 0);
    say(EVENT_IDENTIFY, "u", "91304156-cafc-4673-a237-623d1129c801", -500);
    pass(2000, 100);
    assert_non_null(strstr(vendor.bodies[0], "\"$anon_id\":\"91304156-cafc-4673-a237-623d1129c801\""));
    assert_non_null(strstr(vendor.bodies[1], "message-1"));
}

static void without_a_link_the_grace_time_ends(void **state)
{
    (void)state;
    start("mix", "mixpanel", original);
    say(EVENT_IDENTIFY, "u", "", -1000);
    pass(9000, 500);
    assert_int_equal(vendor.count, 0);
    pass(2000, 500);
    assert_int_equal(vendor.count, 1);
    say(EVENT_IDENTIFY, "u", "", -1000);        /* one that is known does not wait again */
    pass(1500, 500);
    assert_int_equal(vendor.count, 2);
}

static void legacy_rests_after_its_alias(void **state)
{
    static const char *const legacy[] = { "token=T", "identity=legacy", "endpoint=http://0.test",
                                          "rule.start=beginning", NULL };
    Millis linked_ms;
    (void)state;
    start("mix", "mixpanel", legacy);
    say(EVENT_TRACK, "u", "a", -1000);
    while (vendor.count == 0) pass(50, 50);
    linked_ms = world->clock.now_ms;
    assert_non_null(strstr(vendor.bodies[0], "$create_alias"));
    while (vendor.count == 1) pass(50, 50);
    assert_true(world->clock.now_ms - linked_ms >= 1000);
    say(EVENT_TRACK, "u", "b", -1000);          /* a second device: said once, sent all the same */
    pass(3000, 100);
    assert_int_equal(count_bodies("$create_alias"), 1);
    assert_int_equal(vendor.count, 3);
    assert_int_equal(state_of(0).reports, 1);
}

static void a_shared_device_is_joined_to_its_first_user_only(void **state)
{
    (void)state;
    start("mix", "mixpanel", original);
    say(EVENT_TRACK, "", "91304156-cafc-4673-a237-623d1129c801", -9000);
    say(EVENT_TRACK, "one", "91304156-cafc-4673-a237-623d1129c801", -8000);
    say(EVENT_TRACK, "two", "91304156-cafc-4673-a237-623d1129c801", -7000);
    say(EVENT_TRACK, "", "91304156-cafc-4673-a237-623d1129c801", -6000);
    pass(15000, 200);
    assert_int_equal(count_bodies("$identified_id"), 1);
    assert_non_null(strstr(vendor.bodies[vendor.count - 1], "\"distinct_id\":\"two\""));   /* whose it then was */
}

/* ---- What goes where ---- */

static void sources_types_events_integrations_and_consent_are_asked(void **state)
{
    static const char *const rules[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning",
                                         "rule.consent=ads", NULL };
    static const struct { const char *more; bool is_sent; } rows[] = {
        { "", true },
        { ",\"integrations\":{\"All\":false}", false },
        { ",\"integrations\":{\"All\":false,\"Webhook\":true}", true },
        { ",\"integrations\":{\"All\":false,\"hook\":{\"x\":1}}", true },
        { ",\"integrations\":{\"webhook\":false}", false },
        { ",\"integrations\":{\"Mixpanel\":false}", true },
        { ",\"integrations\":{\"all\":false}", false },
        { ",\"context\":{\"consent\":{\"categoryPreferences\":{\"ads\":false}}}", false },
        { ",\"context\":{\"consent\":{\"categoryPreferences\":{\"ads\":true}}}", true },
        { ",\"context\":{\"consent\":{\"categoryPreferences\":{\"other\":true}}}", false },
    };
    size_t expected = 0;
    (void)state;
    start("hook", "webhook", rules);
    for (size_t at = 0; at < countof(rows); at++) {
        say_json(rows[at].more);
        pass(1000, 200);
        expected += rows[at].is_sent;
        if (vendor.count != expected) fail_msg("row %zu: %s", at, rows[at].more);
    }
}

static void events_are_allowed_and_denied_by_name(void **state)
{
    Node deny = { .kind = NODE_TEXT, .key = STR("deny"), .text = STR("E*") };
    Node events = { .kind = NODE_MAP, .key = STR("events"), .first = &deny, .count = 1 };
    (void)state;
    world_add_destination(world, "hook", "webhook", plain);
    world_add_node((Node *)(uintptr_t)world->configs[0].rules, &events);
    world_start(world);
    say_json("");
    say(EVENT_IDENTIFY, "u", "", -1000);
    pass(1000, 200);
    assert_int_equal(vendor.count, 1);
    assert_non_null(strstr(vendor.bodies[0], "identify"));
}

static void properties_are_left_out_and_hashed(void **state)
{
    Node deny = { .kind = NODE_TEXT, .key = STR("deny"), .text = STR("password") };
    Node hash = { .kind = NODE_TEXT, .key = STR("hash"), .text = STR("email") };
    Node properties = { .kind = NODE_MAP, .key = STR("properties"), .first = &deny, .count = 2 };
    (void)state;
    deny.next = &hash;
    world_add_destination(world, "hook", "webhook", plain);
    world_add_node((Node *)(uintptr_t)world->configs[0].rules, &properties);
    world_start(world);
    say_json(",\"properties\":{\"password\":\"p\",\"email\":\"ada@example.com\",\"plan\":\"pro\"},"
             "\"context\":{\"traits\":{\"password\":\"p\"},\"page\":{\"password\":\"kept\"}}");
    pass(1000, 200);
    assert_null(strstr(vendor.bodies[0], "\"p\""));
    assert_null(strstr(vendor.bodies[0], "ada@"));
    assert_non_null(strstr(vendor.bodies[0], "\"plan\":\"pro\""));
    assert_non_null(strstr(vendor.bodies[0], "kept"));
}

/* ---- Many destinations ---- */

static void a_dead_destination_slows_no_other(void **state)
{
    static const char *const dead[] = { "url=http://1.test/", "allow_private=true", "rule.start=beginning",
                                        "rule.window=64", NULL };
    (void)state;
    world_add_destination(world, "well", "webhook", plain);
    world_add_destination(world, "dead", "webhook", dead);
    fake_fetch_init(&world->fetch, &world->clock, world_answer, NULL, world);
    world->dead_destination = 1;
    world_start(world);
    for (int at = 0; at < 200; at++) {
        char user[24];
        snprintf(user, sizeof user, "u%d", at);
        say(EVENT_TRACK, user, "", -1000 + at);
    }
    pass(3000, 50);
    assert_int_equal(state_of(0).delivered, 200);
    assert_int_equal(state_of(1).delivered, 0);
    assert_true(state_of(1).unfinished <= 64);
    world->dead_destination = -1;
    pass(400000, 1000);
    assert_int_equal(state_of(1).delivered, 200);
}

static void a_new_configuration_goes_on_where_the_old_one_was(void **state)
{
    Err err;
    (void)state;
    start("hook", "webhook", plain);
    say(EVENT_TRACK, "u", "", -1000);
    pass(1000, 100);
    world->configs[0].is_enabled = false;
    assert_int_equal(deliver_set_config(world->deliver, world->configs, 1, &err), OK);
    say(EVENT_TRACK, "u", "", -1000);
    pass(2000, 100);
    assert_int_equal(vendor.count, 1);
    assert_int_equal(state_of(0).condition, DELIVER_DISABLED);
    world->configs[0].is_enabled = true;
    assert_int_equal(deliver_set_config(world->deliver, world->configs, 1, &err), OK);
    pass(2000, 100);
    assert_int_equal(vendor.count, 2);
    assert_non_null(strstr(vendor.bodies[1], "message-2"));
    world->configs[0].type = STR("nothing");
    assert_int_equal(deliver_set_config(world->deliver, world->configs, 1, &err), ERR_INPUT);
    assert_string_equal(err.field, "type");
    say(EVENT_TRACK, "u", "", -1000);
    pass(2000, 100);
    assert_int_equal(vendor.count, 3);              /* a wrong one changes nothing */
}

static void what_is_new_begins_now_unless_told_otherwise(void **state)
{
    static const char *const from_now[] = { "url=http://0.test/", "allow_private=true", NULL };
    (void)state;
    say(EVENT_TRACK, "u", "", -1000);
    start("hook", "webhook", from_now);
    say(EVENT_TRACK, "u", "", -1000);
    pass(1000, 100);
    assert_int_equal(vendor.count, 1);
    assert_non_null(strstr(vendor.bodies[0], "message-2"));
    assert_true(deliver_position(world->deliver) > 0);
}

/* The journal with small segments, of which few may stay. */
static void keep_little(void)
{
    SegmentsOptions options = { .dir = "journal", .disk = &world->disk.disk, .clock = &world->clock.clock,
                               .dice = &world->dice.dice, .segment_bytes = 16 * 1024, .retention_bytes = 24 * 1024 };
    Err err;
    journal_close(world->journal);
    assert_int_equal(segments_open(&options, &world->journal, NULL, &err), OK);
}

static void retire(void)
{
    bool has_more = true;
    Err err;
    while (has_more) assert_int_equal(journal_maintain(world->journal, &has_more, &err), OK);
}

static void what_retention_removed_is_reported_and_the_rest_is_delivered(void **state)
{
    static const char *const narrow[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning",
                                          "rule.window=64", "batch_size=50", NULL };
    struct letters letters = { 0 };
    size_t before;
    Err err;
    (void)state;
    for (int is_restarted = 0; is_restarted < 2; is_restarted++) {
        teardown(NULL);
        setup(NULL);
        keep_little();
        start("hook", "webhook", narrow);
        vendor.outcome = FETCH_NOT_SENT;
        for (int at = 0; at < 350; at++) say(EVENT_TRACK, "u", "", -400000 + at * 1000);
        pass(20000, 1000);                                      /* the window is full */
        JournalPos first = journal_first(world->journal);
        retire();
        assert_true(journal_first(world->journal) > first);
        if (is_restarted) world_crash(world);
        vendor.outcome = FETCH_ANSWERED;
        before = vendor.count;
        pass(600000, 1000);
        assert_true(vendor.count > before);
        assert_int_equal(state_of(0).unfinished + state_of(0).lag_bytes, 0);
        assert_int_equal(count_bodies("\"message-350\""), 1);   /* the newest are there */
        assert_int_equal(deliver_list_dead(&world->rows.rows, STR("hook"), 0, note_letter, &letters, &err), OK);
        assert_non_null(strstr(letters.text, "\"report\""));
        assert_non_null(strstr(letters.text, "retention removed"));
    }
}

/* An idle journal begins another segment so that the last one with events can go: its head holds up nothing. */
static void who_has_everything_holds_nothing(void **state)
{
    bool has_more;
    Err err;
    (void)state;
    journal_close(world->journal);
    SegmentsOptions options = { .dir = "journal", .disk = &world->disk.disk, .clock = &world->clock.clock,
                               .dice = &world->dice.dice, .retention_ms = HOUR_MS };
    assert_int_equal(segments_open(&options, &world->journal, NULL, &err), OK);
    start("hook", "webhook", (const char *const[]){ "url=http://0.test/", "allow_private=true", NULL });
    say(EVENT_TRACK, "u", "", 0);
    for (int at = 0; at < 300; at++) {
        pass(30000, 30000);
        journal_set_hold(world->journal, "destinations", deliver_position(world->deliver));
        assert_int_equal(journal_maintain(world->journal, &has_more, &err), OK);
        world->known = journal_end(world->journal);
    }
    assert_int_equal(vendor.count, 1);
    assert_int_equal(journal_first(world->journal), journal_end(world->journal));
}

/* Nor does it miss what retention removed after it: heads of segments, and the marks of clean ends. */
static void who_has_everything_misses_nothing_after_a_restart(void **state)
{
    struct letters letters = { 0 };
    bool has_more;
    Err err;
    (void)state;
    SegmentsOptions options = { .dir = "journal", .disk = &world->disk.disk, .clock = &world->clock.clock,
                               .dice = &world->dice.dice, .retention_ms = HOUR_MS };
    start("hook", "webhook", (const char *const[]){ "url=http://0.test/", "allow_private=true", NULL });
    say(EVENT_TRACK, "u", "", 0);
    pass(5000, 500);
    for (int starts = 0; starts < 3; starts++) {
        deliver_close(world->deliver);
        journal_close(world->journal);
        assert_int_equal(segments_open(&options, &world->journal, NULL, &err), OK);
        world_start(world);
        for (int at = 0; at < 300; at++) {
            pass(30000, 30000);
            journal_set_hold(world->journal, "destinations", deliver_position(world->deliver));
            assert_int_equal(journal_maintain(world->journal, &has_more, &err), OK);
            world->known = journal_end(world->journal);
        }
    }
    assert_int_equal(journal_first(world->journal), journal_end(world->journal));
    say(EVENT_TRACK, "u", "", 0);
    pass(5000, 500);
    assert_int_equal(vendor.count, 2);
    assert_int_equal(deliver_list_dead(&world->rows.rows, STR("hook"), 0, note_letter, &letters, &err), OK);
    if (letters.count) fail_msg("%s", letters.text);
}

/* ---- Trying ---- */

static void note_exchange(void *context, const DeliverExchange *exchange)
{
    int *count = context;
    ++*count;
    assert_int_equal(exchange->status, 200);
    assert_null(memmem(exchange->headers.bytes, exchange->headers.len, "Basic", 5));
}

static Millis never(void *owner, const FetchRequest *request)
{
    (void)owner, (void)request;
    return INT64_C(1) << 40;
}

static void a_message_is_tried_aloud(void **state)
{
    DeliverOptions options;
    int count = 0;
    Err err;
    (void)state;
    world_add_destination(world, "mix", "mixpanel", original);
    options = world_options(world);
    DeliverTrial trial = { .tell = note_exchange, .context = &count };
    assert_int_equal(deliver_try(&options, &world->configs[0], &trial, &err), OK);
    assert_int_equal(count, 1);
    atomic_bool is_left = true;                              /* a stop, or a client that went away */
    FakeDelay *delay = world->fetch.delay;
    world->fetch.delay = never;
    trial.is_cancelled = &is_left;
    assert_int_equal(deliver_try(&options, &world->configs[0], &trial, &err), ERR_CLOSED);
    trial.is_cancelled = NULL;
    world->fetch.delay = delay;
    vendor.status = 400;
    vendor.body = STR("{\"error\":\"no\"}");
    world->configs[0].settings = NULL;
    assert_int_equal(deliver_try(&options, &world->configs[0], &trial, &err), ERR_INPUT);
    assert_string_equal(err.field, "token");
}

static void user_ids_are_signed_for_the_messenger(void **state)
{
    static const char *const intercom[] = { "access_token=T", "identity_secret=secret", NULL };
    Arena arena;
    Str hash;
    Err err;
    (void)state;
    start("chat", "intercom", intercom);
    arena = region_arena(&world->region);
    assert_int_equal(deliver_user_hash(world->deliver, STR("other"), STR("12345"), &arena, &hash, &err), ERR_NOT_FOUND);
    assert_int_equal(deliver_user_hash(world->deliver, STR("chat"), STR("12345"), &arena, &hash, &err), OK);
    assert_int_equal(hash.len, 64);
    /* printf 12345 | openssl dgst -sha256 -hmac secret */
    assert_memory_equal(hash.bytes, "f88c7ebe4740db59c873cecf5e1f18e3726a1ad64068a13d764b79028430ab0e", 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(what_arrives_together_goes_in_order_of_event_time),
        with_world(what_arrived_together_waits_until_identity_has_read_all_of_it),
        with_world(a_record_that_identity_has_not_read_waits_though_the_one_before_it_ends_earlier),
        with_world(one_persons_trouble_does_not_keep_another),
        with_world(a_busy_person_travels_in_one_request),
        with_world(who_can_do_nothing_waits),
        with_world(slow_requests_that_fill_the_window_stop_nothing),
        with_world(a_replay_and_new_messages_that_fill_the_window_together_go_on),
        with_world(a_rate_limit_makes_the_whole_destination_wait_as_asked),
        with_world(a_wait_of_more_than_a_day_is_not_believed),
        with_world(after_the_hours_are_over_a_message_is_a_dead_letter),
        with_world(a_clock_that_jumps_gives_up_nothing_and_stops_nothing),
        with_world(what_is_refused_is_kept_with_request_and_answer_and_can_be_sent_again),
        with_world(a_letter_says_how_often_the_call_was_sent),
        with_world(wrong_credentials_lose_nothing),
        with_world(what_is_too_large_together_goes_apart),
        with_world(a_count_whose_answer_was_lost_is_not_sent_again),
        with_world(a_count_that_certainly_did_not_come_is_sent_again),
        with_world(a_count_under_way_when_the_process_died_is_not_sent_again),
        with_world(a_server_that_was_faster_than_the_browser_waits_for_the_link),
        with_world(without_a_link_the_grace_time_ends),
        with_world(legacy_rests_after_its_alias),
        with_world(a_shared_device_is_joined_to_its_first_user_only),
        with_world(sources_types_events_integrations_and_consent_are_asked),
        with_world(events_are_allowed_and_denied_by_name),
        with_world(properties_are_left_out_and_hashed),
        with_world(a_dead_destination_slows_no_other),
        with_world(a_new_configuration_goes_on_where_the_old_one_was),
        with_world(what_is_new_begins_now_unless_told_otherwise),
        with_world(what_retention_removed_is_reported_and_the_rest_is_delivered),
        with_world(who_has_everything_holds_nothing),
        with_world(who_has_everything_misses_nothing_after_a_restart),
        with_world(a_message_is_tried_aloud),
        with_world(user_ids_are_signed_for_the_messenger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
