/* derive_hold: retention takes nothing that a start would need, and waits for no store that could write. */
#include "control/control_private.h"
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
    world_open(1024, (DeriveOptions){ .may_append = true });
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
        assert_int_equal(journal_commit(world.journal, NULL, &err), OK);     /* what control said again */
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

/* ---- What lives only as a command ---- */

static CommandId user_id(int n, char *text, size_t bytes)
{
    snprintf(text, bytes, "somebody-%d", n);
    return (CommandId){ COMMAND_USER_ID, str_from(text), INT64_MIN, INT64_MAX, false };
}

static void put_order(struct journal_append *append, CommandKind kind, int from, int to)
{
    static char texts[512][32];
    static CommandId ids[512];
    assert_true(to - from <= 512);
    for (int n = from; n < to; n++) ids[n - from] = user_id(n, texts[n - from], sizeof texts[0]);
    JournalCommand command = { .kind = kind, .ids = ids, .id_count = (size_t)(to - from) };
    size_t begun = journal_begin_record(append);
    command_encode(&append->frames, &command);
    journal_end_record(append, begun);
}

/* An order as server/ hands it in: the same append until it is durable. */
static struct order { struct journal_append append; struct control_orders *orders; bool is_durable; } order;

static void order_durable(struct journal_append *append, Status status, JournalPos first)
{
    (void)append, (void)first;
    assert_int_equal(status, OK);
    control_order_over(order.orders, status);
    order.is_durable = true;
}

static void hand_in(CommandKind kind, int from, int to)
{
    Err err;
    order.is_durable = false;
    journal_append_init(&order.append, LIMIT_APPEND_BYTES);
    order.append.on_durable = order_durable;
    put_order(&order.append, kind, from, to);
    assert_int_equal(control_order(derive_control(world.applier), &order.append, &order.orders, &err), OK);
}

static void finish(void)
{
    Err err;
    if (!order.is_durable) assert_int_equal(journal_commit(world.journal, NULL, &err), OK);
    assert_true(order.is_durable);
    journal_append_done(&order.append);
}

static bool is_suppressed(int n)
{
    char text[32];
    CommandId id = user_id(n, text, sizeof text);
    return control_is_suppressed(derive_control(world.applier), id.kind, id.value);
}

static void rebuild(void)
{
    world_close(false);
    world_open(1024, (DeriveOptions){ .may_append = true, .makes_anew = true });
    apply();
}

/* 5,000 of them are several records. */
static void who_is_suppressed_stays_so_when_the_record_is_gone(void **state)
{
    enum { PEOPLE = 5000 };
    (void)state;
    world_begin();
    open_world();
    for (int n = 0; n < MESSAGES; n++) append(n);
    for (int n = 0; n < PEOPLE; n += 500) hand_in(COMMAND_SUPPRESS, n, n + 500), finish();
    for (int n = 0; n < MESSAGES; n++) append(1000 + n);
    apply();
    JournalPos said = journal_end(world.journal);
    hand_in(COMMAND_UNSUPPRESS, 7, 9), finish();
    for (int times = 0; times < 3; times++) {
        live(2 * DAY_MS, true);
        assert_true(journal_first(world.journal) >= said);
        said = derive_control(world.applier)->said;
        rebuild();
        for (int n = 0; n < PEOPLE; n++) assert_int_equal(is_suppressed(n), n != 7 && n != 8);
    }
    hand_in(COMMAND_UNSUPPRESS, 100, 600), finish();
    for (int n = 600; n < PEOPLE; n += 400) hand_in(COMMAND_UNSUPPRESS, n, n + 400), finish();
    hand_in(COMMAND_UNSUPPRESS, 0, 100), finish();
    live(2 * DAY_MS, true);                                  /* nobody is, so nothing is said */
    assert_int_equal(journal_first(world.journal), journal_end(world.journal));
    world_close(false);
    world_end();
}

/* Nothing may be said between an order and its place in the journal: it would undo it. */
static void saying_again_waits_for_orders_on_their_way(void **state)
{
    Err err;
    bool more;
    (void)state;
    world_begin();
    open_world();
    hand_in(COMMAND_SUPPRESS, 0, 3), finish();
    for (int n = 0; n < MESSAGES; n++) append(n);
    apply();
    JournalPos first = journal_first(world.journal), end = journal_end(world.journal);
    hand_in(COMMAND_UNSUPPRESS, 1, 2);
    for (int at = 0; at < 200; at++) {                       /* nobody commits, and retention waits */
        fake_clock_advance(&world.clock, DAY_MS / 32);
        assert_int_equal(journal_maintain(world.journal, &more, &err), OK);
        if (derive_maintain(world.applier, &more, &err)) fail_msg("%s", err.text);
        apply();
    }
    assert_int_equal(journal_first(world.journal), first);
    assert_int_equal(journal_end(world.journal), end);
    finish();
    live(2 * DAY_MS, true);
    assert_true(journal_first(world.journal) >= end);
    rebuild();
    assert_true(is_suppressed(0));
    assert_false(is_suppressed(1));
    assert_true(is_suppressed(2));
    world_close(false);
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_little_comes_it_goes_in_time),
        cmocka_unit_test(what_is_not_applied_stays),
        cmocka_unit_test(what_is_not_on_disk_stays),
        cmocka_unit_test(who_is_suppressed_stays_so_when_the_record_is_gone),
        cmocka_unit_test(saying_again_waits_for_orders_on_their_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
