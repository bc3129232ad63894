/* derive: what dedup writes while a start still reads the journal again holds what was read, and claims no more. */
#include "derive/derive.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "tests/unit/derive/derive_world.h"

enum { TABLE = 2 * STEP_GROUPS * GROUP_RECORDS, MESSAGES = TABLE + 500 };        /* three steps of a start */

static void append(int n)
{
    char id[32], user[32];
    struct buf buf;
    buf_init(&buf, LIMIT_RECORD_BYTES);
    snprintf(id, sizeof id, "m%d", n);
    snprintf(user, sizeof user, "user-%d", n % 50);
    Event event = { .type = EVENT_TRACK, .source = STR("web"), .message_id = str_from(id), .name = STR("Done"),
                    .user_id = str_from(user), .timestamp_ms = world.clock.now_ms,
                    .original_timestamp_ms = INSTANT_NONE, .sent_at_ms = INSTANT_NONE,
                    .received_at_ms = world.clock.now_ms, .json = STR("{}") };
    event_encode(&buf, &event);
    world_append(buf_str(&buf));
    buf_done(&buf);
}

static void apply(void)
{
    bool more = true;
    Err err;
    for (int step = 0; more || step < 50; step++)
        if (derive_step(world.applier, &more, &err)) fail_msg("%s", err.text);
}

static uint64_t rows(void)
{
    DeriveSizes sizes;
    derive_read_sizes(world.applier, &sizes);
    return sizes.index.rows;
}

static void check_that_all_are_remembered(DeriveOptions options)
{
    world_close(false);
    world_open(1 << 24, options);
    apply();
    assert_int_equal(rows(), MESSAGES);
    for (int n = 0; n < MESSAGES; n += 7) append(n);
    append(MESSAGES - 1);
    apply();
    assert_int_equal(rows(), MESSAGES);
    world_close(false);
    world_end();
}

static void begin(void)
{
    world_begin();
    world_open(1 << 24, (DeriveOptions){ 0 });
    for (int n = 0; n < MESSAGES; n++) append(n);
    apply();
    world_close(false);                                      /* the index has all on disk, dedup nothing */
}

static void a_table_that_fills_while_a_start_reads_again_claims_no_more_than_it_has(void **state)
{
    (void)state;
    begin();
    world_open(1 << 24, (DeriveOptions){ .dedup_table_entries = TABLE });
    apply();
    check_that_all_are_remembered((DeriveOptions){ .dedup_table_entries = TABLE });
}

/* Retention is due in the middle of it. */
static void making_way_while_a_start_reads_again_claims_no_more_than_there_is(void **state)
{
    bool more;
    Err err;
    (void)state;
    begin();
    world_open(1 << 24, (DeriveOptions){ 0 });
    assert_int_equal(derive_step(world.applier, &more, &err), OK);
    assert_true(dedup_make_way(world.applier->dedup) == 0);
    apply();
    check_that_all_are_remembered((DeriveOptions){ 0 });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_that_fills_while_a_start_reads_again_claims_no_more_than_it_has),
        cmocka_unit_test(making_way_while_a_start_reads_again_claims_no_more_than_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
