/* deliver: a window that is full of what cannot go yet stops nobody. */
#include "deliver_fixture.h"

static void answer_but_for_bad(void *owner, const FetchRequest *request, FakeAnswer *answer)
{
    vendor_answer(owner, request, answer);
    answer->status = str_contains(request->body, STR("\"bad\"")) ? 500 : 200;
}

static void say_at_once(const char *user, Millis received_ms)
{
    struct made *made = &world->made[world->made_count++];
    *made = (struct made){ .type = EVENT_TRACK, .at_ms = received_ms - 1000 + (Millis)world->made_count,
                           .received_ms = received_ms };
    snprintf(made->id, sizeof made->id, "message-%zu", world->made_count);
    snprintf(made->user, sizeof made->user, "%s", user);
    world_append(world, made);
    world->known = journal_end(world->journal);
}

static void say_by_many(const char *who, int count)
{
    char user[32];
    for (int at = 0; at < count; at++) {
        snprintf(user, sizeof user, "%s-%d", who, at);
        say_at_once(user, world->clock.now_ms);
    }
}

/* One person's messages wait for hours; what settles has the rest of the window, and there is more to read. */
static void what_waits_and_what_settles_fill_the_window_and_stop_nothing(void **state)
{
    static const char *const small[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning",
                                         "rule.window=64", "rule.settle_ms=500", NULL };
    (void)state;
    world->fetch.world = answer_but_for_bad;
    start("hook", "webhook", small);
    for (int at = 0; at < 33; at++) say_at_once("bad", world->clock.now_ms - 5000);
    pass(3000, 100);
    say_by_many("user", 60);
    pass(60000, 100);
    assert_int_equal(count_bodies("user-"), 60);
    assert_int_equal(state_of(0).lag_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(what_waits_and_what_settles_fill_the_window_and_stop_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
