/* batch: a table that keeps rows and the position in one act has every record once, whatever fails and however often
 * it is opened anew. The consumer here is the example for those to come. */
#include "batch/batch.c"
#include "tests/model/journal_world.h"

/* ---- The example: a table in memory ---- */

struct table {
    JournalPos kept;
    JournalPos rows[WORLD_RECORDS];
    size_t count, calls, largest;
    unsigned fails_every;            /* 0: never */
};

static Status table_find_position(void *context, JournalPos *ret, Err *err)
{
    (void)err;
    *ret = ((struct table *)context)->kept;
    return OK;
}

static Status table_keep(void *context, const BatchRecord *records, size_t count, JournalPos next, Err *err)
{
    struct table *table = context;
    assert_true(count > 0);
    if (count > table->largest) table->largest = count;
    if (table->fails_every && ++table->calls % table->fails_every == 0)
        return err_set(err, ERR_IO, "the warehouse is away");
    for (size_t at = 0; at < count; at++) {
        assert_true(records[at].bytes.len > 0);
        table->rows[table->count++] = records[at].pos;
    }
    table->kept = next;
    return OK;
}

static const BatchConsumer example = { "a table", table_find_position, table_keep };

/* ---- Tests ---- */

static struct world world;
static struct table table;

static int setup(void **state)
{
    world_init(&world, 7);
    world.is_in_memory = *state != NULL;
    assert_int_equal(world_open(&world), OK);
    table = (struct table){ 0 };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_done(&world);
    return 0;
}

static struct batch *open_batch(BatchLimits limits)
{
    struct batch *batch;
    Err err;
    assert_int_equal(batch_open(world.journal, &example, &table, limits, &batch, &err), OK);
    return batch;
}

/* Until there is nothing more; failures are tried again. */
static void run(struct batch *batch)
{
    Err err;
    bool more = true;
    for (int turns = 0; more; turns++) {
        assert_true(turns < 10000);
        more = batch_step(batch, &more, &err) != OK || more;
    }
}

static void check_table(void)
{
    assert_int_equal(table.count, world.count);
    for (size_t at = 1; at < table.count; at++) assert_true(table.rows[at - 1] < table.rows[at]);
}

static void each_record_comes_once_whatever_fails(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++) {
        struct batch *batch = open_batch((BatchLimits){ .records_max = (size_t)(1 + round % 7) });
        table.fails_every = (unsigned)(round % 4 == 0 ? 0 : 1 + round % 4);
        assert_int_equal(world_commit(&world, 3, 5, 200), OK);
        if (table.fails_every == 1) table.fails_every = 2;
        run(batch);
        check_table();
        batch_close(batch);
    }
    assert_true(table.count > 0);
}

static void a_batch_is_as_large_as_it_was_asked_for(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) assert_int_equal(world_commit(&world, 4, 10, 300), OK);
    struct batch *batch = open_batch((BatchLimits){ .records_max = 64 });
    run(batch);
    check_table();
    assert_int_equal(table.largest, 64);
    batch_close(batch);
    table = (struct table){ 0 };
    batch = open_batch((BatchLimits){ .bytes_max = 1000 });
    run(batch);
    check_table();
    assert_true(table.largest > 1 && table.largest < 64);
    batch_close(batch);
}

static void nothing_is_no_batch(void **state)
{
    (void)state;
    Err err;
    bool more = true;
    struct batch *batch = open_batch((BatchLimits){ 0 });
    assert_int_equal(batch_step(batch, &more, &err), OK);
    assert_false(more);
    assert_int_equal(table.largest, 0);
    batch_close(batch);
}

/* Journals in files, and in memory: a consumer does not see which. */
#define ON_BOTH(test) cmocka_unit_test_setup_teardown(test, setup, teardown), \
    { #test " (memory)", test, setup, teardown, &world }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(each_record_comes_once_whatever_fails), ON_BOTH(a_batch_is_as_large_as_it_was_asked_for),
        ON_BOTH(nothing_is_no_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
