/* outbox: both back ends of rows pass one suite, the LMDB store and the one in memory that tests of deliver/ have; a
 * step's changes are seen before they are kept, kept all at once, and stay after a commit that failed. */
#include "outbox/outbox.c"
#include "outbox/outbox_pending.c"
#include "tests/fakes/fake_rows.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

enum { KEYS = 24, STEPS = 200, ARENA_BYTES = 16 * 1024 * 1024 };

static char dir[64];
static struct outbox *store;
static struct fake_rows memory;
static struct region region;
static Err err;

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/onym-outbox-XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(outbox_open(dir, false, &store, &err), OK);
    fake_rows_init(&memory);
    region_open(&region, ARENA_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    outbox_close(store);
    fake_rows_done(&memory);
    region_close(&region);
    snprintf(command, sizeof command, "rm -r %s %s.life", dir, dir);
    return system(command);
}

/* ---- What rows are, beside a model that is two arrays ---- */

static char held[KEYS][32];                 /* value of key k; empty: none */

static Str key_of_number(size_t number, char bytes[32])
{
    int len = snprintf(bytes, 32, "%s/%02zu", number % 3 ? "far" : "far-off", number);
    return str_of(bytes, (size_t)len);
}

struct walked { size_t count; Str last; size_t most; Arena *arena; };

static bool note_row(void *context, Str key, Str value)
{
    struct walked *walked = context;
    assert_true(walked->count == 0 || str_compare(walked->last, key) < 0);      /* by the order of their bytes */
    assert_true(value.len > 0);
    walked->last = arena_copy(walked->arena, key);
    return ++walked->count < walked->most;
}

static size_t count_held(const char *prefix)
{
    size_t count = 0;
    for (size_t at = 0; at < KEYS; at++) {
        char bytes[32];
        count += held[at][0] && str_starts(key_of_number(at, bytes), str_from(prefix));
    }
    return count;
}

static size_t count_walked(const struct outbox_rows *rows, const char *prefix, const char *from, size_t most)
{
    Arena arena = region_arena(&region);
    struct walked walked = { .most = most, .arena = &arena };
    assert_int_equal(rows->walk(rows->context, str_from(prefix), str_from(from), note_row, &walked, &err), OK);
    return walked.count;
}

static void compare(const struct outbox_rows *rows)
{
    for (size_t at = 0; at < KEYS; at++) {
        Arena arena = region_arena(&region);
        char bytes[32];
        Str value = { 0 };
        Status s = rows->get(rows->context, key_of_number(at, bytes), &arena, &value, &err);
        assert_int_equal(s, held[at][0] ? OK : ERR_NOT_FOUND);
        if (!s) assert_true(str_equal(value, str_from(held[at])));
    }
    assert_int_equal(count_walked(rows, "far/", "far/", SIZE_MAX), count_held("far/"));
    assert_int_equal(count_walked(rows, "far-off/", "", SIZE_MAX), count_held("far-off/"));
    assert_int_equal(count_walked(rows, "far/", "far0", SIZE_MAX), 0);
    assert_int_equal(count_walked(rows, "none", "none", SIZE_MAX), 0);
    if (count_held("far") > 1) assert_int_equal(count_walked(rows, "far", "far", 1), 1);        /* false ends it */
}

static void step_at_random(struct pending *pending, struct fake_dice *dice)
{
    for (uint64_t change = fake_dice_below(dice, 6); change-- > 0;) {
        size_t at = (size_t)fake_dice_below(dice, KEYS);
        char bytes[32];
        Str key = key_of_number(at, bytes), value;
        Arena arena = region_arena(&region);
        if (fake_dice_chance(dice, 300)) {
            pending_remove(pending, key);
            held[at][0] = '\0';
            assert_true(pending_removes(pending, key));
            assert_int_equal(pending_get(pending, key, &arena, &value, &err), ERR_NOT_FOUND);
        } else {
            snprintf(held[at], sizeof held[at], "%" PRIx64, fake_dice_below(dice, 1 << 30));
            pending_put(pending, key, str_from(held[at]));
            assert_false(pending_removes(pending, key));
            assert_int_equal(pending_get(pending, key, &arena, &value, &err), OK);
            assert_true(str_equal(value, str_from(held[at])));
        }
        assert_false(pending_is_empty(pending));
        assert_false(pending_is_full(pending));
    }
}

static void run_suite(const struct outbox_rows *rows, struct fake_dice *dice)
{
    memset(held, 0, sizeof held);
    struct pending *pending = pending_open(rows);
    for (int step = 0; step < STEPS; step++) {
        step_at_random(pending, dice);
        assert_int_equal(pending_commit(pending, &err), OK);
        assert_true(pending_is_empty(pending));
        if (step % 10 == 0) compare(rows);
    }
    compare(rows);
    pending_close(pending);
}

static void both_back_ends_pass_one_suite(void **state)
{
    struct fake_dice dice;
    struct outbox_rows rows = outbox_rows_of(store);
    uint64_t seed = fake_seed("outbox");
    (void)state;
    fake_dice_init(&dice, seed);
    run_suite(&memory.rows, &dice);
    fake_dice_init(&dice, seed);
    run_suite(&rows, &dice);
    outbox_close(store);                                    /* and what was kept is there after a start */
    assert_int_equal(outbox_open(dir, false, &store, &err), OK);
    rows = outbox_rows_of(store);
    compare(&rows);
}

static void changes_stay_after_a_commit_that_failed(void **state)
{
    struct pending *pending = pending_open(&memory.rows);
    Arena arena = region_arena(&region);
    Str value;
    (void)state;
    pending_put(pending, STR("a"), STR("1"));
    pending_put(pending, STR("b"), STR("2"));
    memory.is_dead = true;
    assert_int_not_equal(pending_commit(pending, &err), OK);
    assert_false(pending_is_empty(pending));
    assert_int_equal(memory.count, 0);
    assert_int_equal(pending_get(pending, STR("a"), &arena, &value, &err), OK);
    memory.is_dead = false;
    assert_int_equal(pending_commit(pending, &err), OK);
    assert_int_equal(memory.count, 2);
    pending_close(pending);
    pending_close(NULL);
}

/* ---- The store ---- */

static void a_store_that_is_gone_is_not_taken_for_a_new_one(void **state)
{
    char path[128];
    struct outbox *again = NULL;
    uint64_t rows = 7;
    (void)state;
    outbox_close(store);
    store = NULL;
    assert_int_equal(outbox_verify(dir, &rows, &err), OK);
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(outbox_open(dir, false, &again, &err), ERR_DAMAGED);
    assert_non_null(strstr(err.text, "is gone"));
    assert_non_null(strstr(err.text, "onym replay"));       /* the way out */
    assert_int_equal(outbox_verify(dir, &rows, &err), ERR_DAMAGED);
    assert_int_equal(rows, 0);
}

static void a_store_that_was_never_there_is_in_order(void **state)
{
    uint64_t rows = 7;
    (void)state;
    assert_int_equal(outbox_verify("/tmp/onym-outbox-of-nobody", &rows, &err), OK);
    assert_int_equal(rows, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_back_ends_pass_one_suite, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changes_stay_after_a_commit_that_failed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_store_that_is_gone_is_not_taken_for_a_new_one, set_up, tear_down),
        cmocka_unit_test(a_store_that_was_never_there_is_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
