/* deliver_forget: whoever is forgotten is in no row, and nothing of theirs is sent while it is looked up. Random
 * histories of it: tests/model/deliver_forget_model_test.c. */
#include "deliver/deliver_forget.c"

#include "tests/model/deliver_forget_world.h"

/* ---- A journal that cannot be read meanwhile ---- */

static void step_without_a_journal(int steps)
{
    Err err = { 0 };
    world->disk.fault = DISK_FAULT_IO;
    world->disk.fail_at_call = world->disk.calls + 1;
    world->disk.fail_count = UINT64_MAX / 2;
    for (int step = 0; step < steps; step++) {
        IGNORE(deliver_step(world->deliver, 0, &err));
        fake_clock_advance(&world->clock, 1000);
    }
    world->disk.fail_at_call = 0;
}

static size_t count_seen(const char *user)
{
    size_t count = 0;
    for (size_t at = 0; at < world->seen_count; at++) count += strcmp(world->seen[at].user, user) == 0;
    return count;
}

/* Frozen, so only the journal knows whose it is; tried, and in need of a second try. */
static void wait_for_a_second_try(bool is_suppression)
{
    open_world(3);
    world->trouble_per_thousand = 0;
    for (int destination = 0; destination < 2; destination++) {
        say(2, EVENT_TRACK, true, false, -1000);
        say(3, EVENT_TRACK, true, false, -1000);
    }
    world->dead_destination = 1;
    pass(1000, 100);
    while (fake_fetch_next_ms(&world->fetch) != INT64_MAX) pass(100, 100);  /* what is under way would still arrive */
    world->seen_count = 0;
    world->dead_destination = -1;
    want(is_suppression);
}

static void nothing_is_sent_while_it_is_not_known_whose_it_is(void **state)
{
    (void)state;
    for (int is_suppression = 0; is_suppression < 2; is_suppression++) {
        wait_for_a_second_try(is_suppression);
        step_without_a_journal(5);
        assert_false(wanted.is_ended);
        assert_int_equal(count_seen("user-2"), 0);
        pass(400000, 1000);
        assert_true(wanted.is_ended);
        assert_int_equal(count_seen("user-2"), 0);
        assert_true(count_seen("user-3") > 0);
        close_world();
    }
}

/* A restart makes deliveries of rows while the rows are walked already. */
static void rows_that_became_deliverys_are_looked_at_though_a_try_failed(void **state)
{
    (void)state;
    for (int is_suppression = 0; is_suppression < 2; is_suppression++) {
        wait_for_a_second_try(is_suppression);
        world_crash(world);
        world->seen_count = 0;
        world_step(world);
        step_without_a_journal(1);
        pass(400000, 1000);
        assert_true(wanted.is_ended);
        assert_int_equal(count_seen("user-2"), 0);
        assert_true(count_seen("user-3") > 0);
        close_world();
    }
}

/* A full disk keeps back what was put together; when it has room again, somebody of it is to be forgotten. */
static void what_was_put_together_and_not_sent_is_taken_apart(void **state)
{
    (void)state;
    open_world(4);
    world->trouble_per_thousand = 0;
    pass(1000, 100);
    world->rows.full_from = world->rows.commits + 1;
    world->rows.full_until = UINT64_MAX;
    say(2, EVENT_TRACK, true, false, -1000);
    say(3, EVENT_TRACK, true, false, -1000);
    pass(3000, 100);
    assert_int_equal(world->seen_count, 0);
    want(true);
    world->rows.full_until = 0;
    pass(3000, 100);
    assert_true(wanted.is_ended);
    assert_int_equal(count_seen("user-2"), 0);
    assert_true(count_seen("user-3") > 0);
    assert_true(deliver_is_idle(world->deliver));               /* no request counts as under way that was none */
    close_world();
}

static void a_journal_that_stays_unreadable_stops_nobody_elses(void **state)
{
    (void)state;
    wait_for_a_second_try(true);
    step_without_a_journal(400);
    assert_true(wanted.is_ended);
    assert_int_equal(count_seen("user-2"), 0);
    assert_true(count_seen("user-3") > 0);
    close_world();
}

/* ---- Rows that no running destination has ---- */

static void put_row(struct runner *runner, char kind, Str rest, Str value)
{
    char bytes[ROW_KEY_BYTES];
    RowChange change = { row_key(runner, kind, rest, bytes), value };
    Err err;
    assert_int_equal(world->rows.rows.commit(world->rows.rows.context, &change, 1, &err), OK);
}

static void rows_of_a_destination_that_is_gone_are_found_by_their_keys(void **state)
{
    static char long_id[LIMIT_ID_BYTES], other_id[LIMIT_ID_BYTES];
    struct runner gone = { .name = "gone" };
    Str id = str_of(long_id, sizeof long_id), other = str_of(other_id, sizeof other_id);
    (void)state;
    memset(long_id, 'x', sizeof long_id);
    memset(other_id, 'x', sizeof other_id);
    other_id[LIMIT_ID_BYTES - 1] = 'y';                    /* the same in what a key shows of it */
    open_world(1);
    put_row(&gone, ROW_USER, STR("user-2"), STR("1"));
    put_row(&gone, ROW_USER, STR("user-22"), STR("1"));
    put_row(&gone, ROW_LINK, STR("visitor-2"), STR("user-2"));
    put_row(&gone, ROW_LINK, STR("shared"), STR("user-2"));
    put_row(&gone, ROW_LINK, STR("another"), STR("user-22"));
    put_row(&gone, ROW_STATE, STR("traits:visitor-2"), STR("{}"));
    put_row(&gone, ROW_STATE, STR("alias:user-22"), STR("visitor-2"));
    put_row(&gone, ROW_USER, id, STR("1"));
    put_row(&gone, ROW_USER, other, STR("1"));
    char key[LIMIT_ID_BYTES + 8];
    int len = snprintf(key, sizeof key, "seen:%.*s", STR_FORMAT(id));
    put_row(&gone, ROW_STATE, str_of(key, (size_t)len), STR("17"));
    want(false);
    CommandId ids[3] = { wanted.ids[0], wanted.ids[1], { COMMAND_USER_ID, id, INT64_MIN, INT64_MAX, false } };
    wanted.what.ids = ids;
    wanted.what.id_count = 3;
    pass(1000, 100);
    assert_true(wanted.is_ended);
    assert_int_equal(fake_rows_count(&world->rows, "gone", ROW_USER), 2);           /* user-22, the other long one */
    assert_int_equal(fake_rows_count(&world->rows, "gone", ROW_LINK), 2);           /* shared: with nobody; another */
    assert_int_equal(fake_rows_count(&world->rows, "gone", ROW_STATE), 1);
    assert_int_equal(count_rows_with("user-2"), 3);                                 /* as a part of user-22 only */
    assert_int_equal(count_rows_with("user-22"), 3);
    assert_int_equal(count_rows_with("visitor-2"), 0);
    close_world();
}

static void want_suppressed(Str id)
{
    static CommandId one;
    one = (CommandId){ COMMAND_USER_ID, id, INT64_MIN, INT64_MAX, false };
    wanted = (struct wanted){ .is_wanted = true, .before = UINT64_MAX,
                              .what = { .kind = COMMAND_SUPPRESS, .ids = &one, .id_count = 1 } };
    pass(1000, 100);
    assert_true(wanted.is_ended);
}

static bool carries(void *context, struct event_parser *parser, const Event *event, Arena scratch)
{
    (void)context, (void)scratch;
    assert_non_null(parser);
    return str_equal(event->user_id, STR("user-2"));
}

/* No row and no line is by an external id: each message is asked. */
static void what_carries_a_suppressed_external_id_is_not_sent_any_more(void **state)
{
    (void)state;
    wait_for_a_second_try(true);
    wanted = (struct wanted){ 0 };
    world->deliver->options.people.is_suppressed = carries;
    static CommandId phone = { COMMAND_EXTERNAL_ID, STR("phone:1"), INT64_MIN, INT64_MAX, false };
    wanted = (struct wanted){ .is_wanted = true, .before = UINT64_MAX,
                              .what = { .kind = COMMAND_SUPPRESS, .ids = &phone, .id_count = 1 } };
    pass(400000, 1000);
    assert_true(wanted.is_ended);
    assert_int_equal(count_seen("user-2"), 0);
    assert_true(count_seen("user-3") > 0);
    close_world();
}

static void the_store_is_rewritten_where_something_may_be_left(void **state)
{
    struct runner gone = { .name = "gone" };
    (void)state;
    open_world(1);
    want_suppressed(STR("nobody"));
    assert_int_equal(world->rows.rewrites, 1);              /* what a crash may have cut off */
    want_suppressed(STR("nobody-else"));
    assert_int_equal(world->rows.rewrites, 1);
    put_row(&gone, ROW_USER, STR("somebody"), STR("1"));
    want_suppressed(STR("somebody"));
    assert_int_equal(world->rows.rewrites, 2);
    want_suppressed(STR("nobody-else"));
    assert_int_equal(world->rows.rewrites, 2);
    world->rows.rewrites_in_vain = 3;
    wanted = (struct wanted){ 0 };
    want(false);                                            /* of what was removed long ago copies may be left */
    pass(1000, 100);
    assert_true(wanted.is_ended);
    assert_int_equal(world->rows.rewrites, 3);
    close_world();
}

static void an_id_is_found_in_a_text_as_a_word(void **state)
{
    struct forgetting *forgetting = forget_open();
    CommandId ids[] = { { COMMAND_USER_ID, STR("kim@example.com"), INT64_MIN, INT64_MAX, false },
                        { COMMAND_USER_ID, STR("user"), INT64_MIN, INT64_MAX, false },
                        { COMMAND_USER_ID, STR("user-1"), INT64_MIN, INT64_MAX, false },
                        { COMMAND_USER_ID, STR("say \"hi\""), INT64_MIN, INT64_MAX, false },
                        { COMMAND_USER_ID, STR("123"), INT64_MIN, INT64_MAX, false } };
    DeliverForget forget = { 9, { .kind = COMMAND_ERASE, .ids = ids, .id_count = countof(ids) }, 1 };
    Err err;
    (void)state;
    forgetting->arena = region_arena(&forgetting->region);
    forgetting->forgets = &forget;
    forgetting->count = 1;
    assert_int_equal(name_all(forgetting, &err), OK);
    assert_true(names_in_text(forgetting, STR("{\"distinct_id\":\"user-1\"}")));
    assert_true(names_in_text(forgetting, STR("user-17")));                 /* user, and a part of another: rather */
    assert_true(names_in_text(forgetting, STR("user")));
    assert_true(names_in_text(forgetting, STR("_p=kim%40example.com&_n=x")));
    assert_true(names_in_text(forgetting, STR("\"say \\\"hi\\\"\"")));
    assert_false(names_in_text(forgetting, STR("superuser users 123 im@example.com")));
    assert_false(names_in_text(forgetting, STR("us")));
    forget_close(forgetting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_sent_while_it_is_not_known_whose_it_is),
        cmocka_unit_test(rows_that_became_deliverys_are_looked_at_though_a_try_failed),
        cmocka_unit_test(what_was_put_together_and_not_sent_is_taken_apart),
        cmocka_unit_test(a_journal_that_stays_unreadable_stops_nobody_elses),
        cmocka_unit_test(rows_of_a_destination_that_is_gone_are_found_by_their_keys),
        cmocka_unit_test(what_carries_a_suppressed_external_id_is_not_sent_any_more),
        cmocka_unit_test(the_store_is_rewritten_where_something_may_be_left),
        cmocka_unit_test(an_id_is_found_in_a_text_as_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
