/* derive_hold: retention takes nothing that a start would need, and waits for no store that could write. */
#include "derive/derive_hold.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "tests/unit/derive/derive_world.h"

enum { MESSAGES = 40 };

static void append(int n)
{
    char id[32], user[32];
    struct buf buf;
    buf_init(&buf, LIMIT_RECORD_BYTES);
    snprintf(id, sizeof id, "m%d", n);
    snprintf(user, sizeof user, "user-%d", n);
    Event event = { .type = EVENT_TRACK, .source = STR("web"), .message_id = str_from(id), .name = STR("Done"),
                    .user_id = str_from(user), .timestamp_ms = world.clock.now_ms,
                    .original_timestamp_ms = INSTANT_NONE, .sent_at_ms = INSTANT_NONE,
                    .received_at_ms = world.clock.now_ms, .json = STR("{\"properties\":{\"filler\":\"0123456789\"}}") };
    event_encode(&buf, &event);
    world_append(buf_str(&buf));
    buf_done(&buf);
}

static void open_world(void)
{
    world.retention_ms = DAY_MS;
    world_open(1024, (DeriveOptions){ 0 });
}

static void apply(void)
{
    bool more = true;
    Err err;
    while (more)
        if (derive_step(world.applier, &more, &err)) fail_msg("%s", err.text);
}

/* What the maintenance thread does, and the clock going on. */
static void live(Millis ms, bool is_applied)
{
    bool more;
    Err err;
    for (Millis at = 0; at < ms; at += 30 * SECOND_MS) {
        fake_clock_advance(&world.clock, 30 * SECOND_MS);
        assert_int_equal(journal_maintain(world.journal, &more, &err), OK);
        if (!is_applied) continue;
        if (derive_maintain(world.applier, &more, &err)) fail_msg("%s", err.text);
        apply();
    }
}

static uint64_t rows(void)
{
    DeriveSizes sizes;
    derive_read_sizes(world.applier, &sizes);
    return sizes.index.rows;
}

/* Stores that are far from full hold a journal for ever, if they need not write. */
static void where_little_comes_it_goes_in_time(void **state)
{
    (void)state;
    world_begin();
    open_world();
    for (int n = 0; n < MESSAGES; n++) append(n);
    apply();
    live(2 * DAY_MS, true);
    assert_int_equal(journal_first(world.journal), journal_end(world.journal));
    world_close(true);                                       /* the power goes: nothing is lost that is gone */
    open_world();
    assert_null(derive_remade_why(world.applier));
    apply();
    assert_int_equal(rows(), MESSAGES);
    for (int n = 0; n < MESSAGES; n += 7) append(n);         /* and each is remembered */
    apply();
    assert_int_equal(rows(), MESSAGES);
    world_close(false);
    world_end();
}

static void what_is_not_applied_stays(void **state)
{
    (void)state;
    world_begin();
    open_world();
    for (int n = 0; n < MESSAGES; n++) append(n);
    JournalPos first = journal_first(world.journal);
    live(2 * DAY_MS, false);
    assert_int_equal(journal_first(world.journal), first);
    world_close(true);
    open_world();                                            /* a start that has not come to it yet */
    live(DAY_MS, false);
    assert_int_equal(journal_first(world.journal), first);
    apply();
    assert_int_equal(rows(), MESSAGES);
    world_close(false);
    world_end();
}

/* In memory alone is not on disk. */
static void what_is_not_on_disk_stays(void **state)
{
    bool more;
    Err err;
    (void)state;
    world_begin();
    open_world();
    for (int n = 0; n < MESSAGES; n++) append(n);
    apply();
    assert_int_equal(derive_save(world.applier, &err), OK);
    fake_clock_advance(&world.clock, 30 * SECOND_MS);
    for (Millis at = 0; at < 2 * DAY_MS; at += 30 * SECOND_MS) {
        fake_clock_advance(&world.clock, 30 * SECOND_MS);
        assert_int_equal(journal_maintain(world.journal, &more, &err), OK);
    }
    world_close(true);
    open_world();
    apply();
    assert_int_equal(rows(), MESSAGES);
    world_close(false);
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_little_comes_it_goes_in_time),
        cmocka_unit_test(what_is_not_applied_stays),
        cmocka_unit_test(what_is_not_on_disk_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
