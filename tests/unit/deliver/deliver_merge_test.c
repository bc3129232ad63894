/* Two users who are one person, told to destinations: once, and where a vendor cannot take it the operator is told. */
#include "deliver_fixture.h"

static const char *const in_original[] = { "token=T", "identity=original", "endpoint=http://0.test",
                                           "rule.grace_seconds=0", "rule.start=beginning", NULL };
static const char *const in_legacy[] = { "token=T", "identity=legacy", "endpoint=http://0.test",
                                         "rule.grace_seconds=0", "rule.start=beginning", NULL };
static const char *const in_simplified[] = { "token=T", "identity=simplified", "endpoint=http://0.test",
                                             "rule.start=beginning", NULL };

static void say_alias(const char *previous, const char *user, Millis at_ms)
{
    struct made *made = &world->made[world->made_count++];
    *made = (struct made){ .type = EVENT_ALIAS, .at_ms = world->clock.now_ms + at_ms,
                           .received_ms = world->clock.now_ms };
    snprintf(made->id, sizeof made->id, "message-%zu", world->made_count);
    snprintf(made->previous, sizeof made->previous, "%s", previous);
    snprintf(made->user, sizeof made->user, "%s", user);
    world_append(world, made);
    world->known = journal_end(world->journal);
}

static void merge_old_and_new(void)
{
    say(EVENT_TRACK, "old", "", -9000);
    say(EVENT_TRACK, "new", "", -8000);
    say_alias("old", "new", -7000);
    say_alias("old", "new", -6000);
    say_alias("new", "old", -5000);
    say(EVENT_TRACK, "new", "", -4000);
    pass(3000, 100);
}

static void a_merge_of_two_users_is_told_once(void **state)
{
    (void)state;
    start("mix", "mixpanel", in_original);
    merge_old_and_new();
    assert_int_equal(count_bodies("$merge"), 1);
    world_crash(world);
    say(EVENT_TRACK, "old", "", -1000);
    pass(3000, 100);
    assert_int_equal(count_bodies("$merge"), 1);
    assert_int_equal(fake_rows_count(&world->rows, "mix", 'd'), 0);
}

static void a_merge_from_before_a_destination_began_is_told_too(void **state)
{
    static const char *const from_now[] = { "token=T", "identity=original", "endpoint=http://0.test", NULL };
    (void)state;
    say(EVENT_TRACK, "old", "", -9000);
    say_alias("old", "new", -7000);
    say(EVENT_TRACK, "new", "", -6000);
    start("mix", "mixpanel", from_now);
    pass(1000, 100);
    assert_int_equal(vendor.count, 0);
    say(EVENT_TRACK, "old", "", -1000);
    pass(3000, 100);
    assert_int_equal(count_bodies("$merge"), 0);                /* nothing is there of the other one yet */
    say(EVENT_TRACK, "new", "", -500);
    pass(3000, 100);
    assert_int_equal(count_bodies("[\"new\",\"old\"]"), 1);
}

static void a_merge_that_a_vendor_cannot_take_is_reported_once(void **state)
{
    struct letters letters = { 0 };
    Err err;
    (void)state;
    start("mix", "mixpanel", in_simplified);
    merge_old_and_new();
    assert_int_equal(deliver_list_dead(&world->rows.rows, STR("mix"), 0, note_letter, &letters, &err), OK);
    assert_int_equal(letters.count, 1);
    assert_non_null(strstr(letters.text, "cannot be merged"));
    assert_int_equal(count_bodies("\"event\":\"E\""), 2);               /* and nothing else */
}

/* The new id becomes another name of what the old one is a name of, while nothing came under it. */
static void in_legacy_a_user_can_change_its_id_once(void **state)
{
    struct letters letters = { 0 };
    Err err;
    (void)state;
    start("mix", "mixpanel", in_legacy);
    say(EVENT_IDENTIFY, "old", "a", -9000);
    say_alias("old", "new", -8000);
    say(EVENT_TRACK, "new", "", -7000);
    pass(6000, 100);
    assert_int_equal(count_bodies("\"distinct_id\":\"a\",\"ip\":0,\"alias\":\"old\""), 1);
    assert_int_equal(count_bodies("\"distinct_id\":\"a\",\"ip\":0,\"alias\":\"new\""), 1);
    assert_int_equal(fake_rows_count(&world->rows, "mix", 'd'), 0);
    say(EVENT_TRACK, "other", "", -3000);
    pass(2000, 100);
    say_alias("new", "other", -2000);
    pass(6000, 100);
    assert_int_equal(count_bodies("$create_alias"), 2);
    assert_int_equal(deliver_list_dead(&world->rows.rows, STR("mix"), 0, note_letter, &letters, &err), OK);
    assert_int_equal(letters.count, 1);
    assert_non_null(strstr(letters.text, "users new and other cannot be merged"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(a_merge_of_two_users_is_told_once),
        with_world(a_merge_from_before_a_destination_began_is_told_too),
        with_world(a_merge_that_a_vendor_cannot_take_is_reported_once),
        with_world(in_legacy_a_user_can_change_its_id_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
