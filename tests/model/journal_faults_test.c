/* The same day in a journal's life, again and again, with each call to the disk going wrong in turn and in
 * each way; then the restart. Nothing acknowledged may be missing, nothing may be there that was never
 * submitted, no position may move, and the journal must go on. */
#include "tests/model/journal_world.h"

/* Looks, with no fault meanwhile and without counting calls. */
static void check_quietly(struct world *world)
{
    struct fake_disk disk = world->disk;
    if (disk.is_dead) return;
    world->disk.fail_at_call = 0;
    world_check(world, false);
    world->disk.fail_at_call = disk.fail_at_call;
    world->disk.calls = disk.calls;
}

/* The day. Any step may fail from the fault on; what is acknowledged is in the world's list. */
static void live_a_day(struct world *world)
{
    uint64_t erased;
    if (world_open(world)) return;
    (void)world_commit(world, 1, 1, 100);
    (void)world_commit(world, 3, 2, 400);
    (void)world_commit(world, 2, 5, 600);                    /* past a segment */
    (void)world_maintain(world);
    (void)world_commit(world, 1, 3, 2000);
    (void)world_erase(world, 3, &erased);
    (void)world_commit(world, 2, 2, 900);
    fake_clock_advance(&world->clock, 20000);                /* past every pause after trouble */
    (void)world_commit(world, 1, 4, 1500);
    (void)world_maintain(world);
    (void)world_commit(world, 4, 1, 200);
    check_quietly(world);
    world_close(world);
    if (world_open(world)) return;
    (void)world_commit(world, 2, 2, 500);
    (void)world_maintain(world);
}

/* After a fault that is over: what the disk then says is true again. */
static void live_on(struct world *world)
{
    Status s = world_open(world);
    if (s) print_error("%s\n", world->err.text);
    assert_int_equal(s, OK);
    world_check(world, true);
    assert_int_equal(world_commit(world, 2, 2, 300), OK);
    world_check(world, false);
    fake_clock_advance(&world->clock, 20000);
    assert_int_equal(world_maintain(world), OK);
    world_check(world, false);
    assert_int_equal(world_commit(world, 1, 1, 3000), OK);
    world_close(world);
    assert_int_equal(world_verify(world).torn_bytes, 0);
    assert_int_equal(world_open(world), OK);
    world_check(world, false);
    world_close(world);
}

static void set_options(struct world *world)
{
    world->options.retention_bytes = 6000;
    world->may_retire = true;
    world->hold = 9000;
}

static uint64_t count_calls(void)
{
    static struct world world;
    world_init(&world, 1);
    set_options(&world);
    live_a_day(&world);
    assert_int_equal(world.disk.faults, 0);
    uint64_t calls = world.disk.calls;
    JournalStats stats;
    journal_read_stats(world.journal, &stats);
    assert_true(stats.sealed_segments > 0);
    world_done(&world);
    return calls;
}

typedef enum Restart { RESTART_KILLED, RESTART_POWER_LOST, RESTART_BOTH } Restart;

static void one_day(uint64_t call, DiskFault fault, uint64_t fail_count, Restart restart, uint64_t seed)
{
    static struct world world;
    world_init(&world, seed);
    set_options(&world);
    world.disk.fail_at_call = call;
    world.disk.fail_count = fail_count;
    world.disk.fault = fault;
    live_a_day(&world);
    fake_disk_die(&world.disk);                              /* no farewell: the process is gone */
    world_close(&world);
    fake_disk_restart(&world.disk, restart == RESTART_POWER_LOST);
    /* killed; and the power goes after the recovery */
    if (restart == RESTART_BOTH) {
        if (world_open(&world) == OK) {
            world_check(&world, true);
            (void)world_commit(&world, 1, 2, 300);
        }
        fake_disk_die(&world.disk);
        world_close(&world);
        fake_disk_restart(&world.disk, true);
    }
    live_on(&world);
    world_done(&world);
}

static void every_call_fails_in_every_way(void **state)
{
    uint64_t calls = count_calls(), days = 0, rounds = world_rounds(1);
    (void)state;
    for (uint64_t round = 0; round < rounds; round++)
        for (uint64_t call = 1; call <= calls; call++)
            for (int fault = 0; fault < DISK_FAULT_COUNT; fault++)
                for (int restart = 0; restart <= RESTART_BOTH; restart++, days++) {
                    if (getenv("TRACE"))
                        fprintf(stderr, "call %d fault %d restart %d\n", (int)call, fault, restart);
                    uint64_t seed = round * 1000003 + call * 101 + (uint64_t)fault * 7 + (uint64_t)restart;
                    one_day(call, (DiskFault)fault, 1, (Restart)restart, seed);
                }
    printf("%llu calls, %llu days\n", (unsigned long long)calls, (unsigned long long)days);
}

static void a_fault_that_stays(void **state)
{
    uint64_t calls = count_calls();
    (void)state;
    for (uint64_t call = 1; call <= calls; call += 3)
        for (int fault = 0; fault < DISK_FAULT_CRASH; fault++)
            one_day(call, (DiskFault)fault, 1000000, (Restart)(call % 3), call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_fails_in_every_way),
        cmocka_unit_test(a_fault_that_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
