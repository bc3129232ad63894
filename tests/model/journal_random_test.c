/* Random lives of a journal: commits, rolls, sealing, retiring, erasing, jumping clocks, a disk that fails now
 * and then, kills and power cuts, with one reader following in the process and one beside it read-only. The
 * reference is the list of journal_world.h. SEED repeats a life; ROUNDS says how many. */
#include "tests/model/journal_world.h"

struct follower {
    struct journal *journal;        /* the world's, or its own read-only one */
    struct journal_reader *reader;
    uint32_t id;                    /* of the next record at the earliest */
    bool is_exact;                  /* sees nothing that was not acknowledged */
};

static void assert_nothing_missed(struct world *world, const struct follower *follower, uint32_t until)
{
    JournalPos first = journal_first(follower->journal);
    for (uint32_t id = follower->id; id < until; id++)
        assert_false(world->records[id].is_durable && world->records[id].pos >= first);
}

/* Everything that is durable comes, once and in order. */
static void follow(struct world *world, struct follower *follower)
{
    JournalRecord record;
    uint64_t skipped;
    if (!follower->journal) return;
    if (!follower->is_exact && journal_refresh(follower->journal, &world->err)) return;      /* a fault: later */
    if (!follower->reader) {
        if (journal_reader_open(follower->journal, 0, &follower->reader, &world->err)) return;
        follower->id = 0;
    }
    Status s;
    while ((s = journal_read(follower->reader, &record, &world->err)) == OK) {
        uint32_t found = world_recognize(world, &record, follower->id, !follower->is_exact);
        assert_nothing_missed(world, follower, found);
        assert_true(world->records[found].is_durable || !follower->is_exact);
        follower->id = found + 1;
    }
    if (s == ERR_CONFLICT) {                                 /* retired under it */
        assert_int_equal(journal_skip_damage(follower->reader, &skipped, &world->err), OK);
        assert_true(skipped > 0);
        follow(world, follower);
        return;
    }
    if (s == ERR_IO || s == ERR_FULL) return;
    /* The disk refused one place for long: that is damage to a reader; a new one begins at the beginning. */
    bool is_refused = s == ERR_DAMAGED && strstr(world->err.text, "does not unpack, or the file ends");
    if (is_refused && world->disk.fault_per_million) {
        journal_reader_close(follower->reader);
        follower->reader = NULL;
        return;
    }
    if (s != ERR_NOT_FOUND) print_error("%s\n", world->err.text);
    assert_int_equal(s, ERR_NOT_FOUND);
    assert_nothing_missed(world, follower, world->count);
}

static void stop_following(struct follower *follower)
{
    journal_reader_close(follower->reader);
    follower->reader = NULL;
    if (!follower->is_exact) journal_close(follower->journal);
    follower->journal = NULL;
}

static void start_following(struct world *world, struct follower *inside, struct follower *beside)
{
    *inside = (struct follower){ .journal = world->journal, .is_exact = true };
    *beside = (struct follower){ 0 };
    if (segments_open_read_only(&world->options, &beside->journal, &world->err)) beside->journal = NULL;
}

static bool chance(struct world *world, unsigned per_thousand) { return fake_dice_chance(&world->dice, per_thousand); }

static void random_commit(struct world *world)
{
    static const uint32_t lens[] = { 40, 300, 300, 1000, 9000, LIMIT_RECORD_BYTES };
    size_t appends = 1 + fake_dice_below(&world->dice, 4), records = 1 + fake_dice_below(&world->dice, 4);
    Status s = world_commit(world, appends, records, lens[fake_dice_below(&world->dice, countof(lens))]);
    if (s == ERR_FULL) fake_clock_advance(&world->clock, 1001);
}

static void random_step(struct world *world, struct follower *inside, struct follower *beside)
{
    uint64_t erased;
    bool is_more;
    switch (fake_dice_below(&world->dice, 12)) {
    case 0: if (journal_maintain(world->journal, &is_more, &world->err) == OK && is_more) random_commit(world);
            break;
    case 1: (void)world_maintain(world); break;
    case 2: fake_clock_advance(&world->clock, (Millis)fake_dice_below(&world->dice, 20000)); break;
    case 3: if (chance(world, 100)) fake_clock_jump(&world->clock, (Millis)fake_dice_below(&world->dice, 8000) - 4000);
            break;
    case 4: if (chance(world, 200)) (void)world_erase(world, (uint32_t)fake_dice_below(&world->dice, 7), &erased);
            break;
    case 5: if (world->may_retire) {
                world->hold = journal_end(world->journal);
                journal_set_hold(world->journal, "test", world->hold);
            }
            break;
    case 6: follow(world, beside); break;
    case 7: follow(world, inside); break;
    default: random_commit(world);
    }
}

static void random_restart(struct world *world, struct follower *inside, struct follower *beside)
{
    unsigned fault_per_million = world->disk.fault_per_million;
    bool power_lost = chance(world, 500), in_good_order = chance(world, 300);
    stop_following(inside);
    stop_following(beside);
    if (!in_good_order) fake_disk_die(&world->disk);
    world_close(world);
    fake_disk_restart(&world->disk, power_lost && !in_good_order);
    for (int turn = 0; world_open(world); turn++) {          /* a start that fails may be tried again, and killed */
        if (chance(world, 300)) {
            fake_disk_die(&world->disk);
            fake_disk_restart(&world->disk, chance(world, 500));
        }
        if (turn >= 5) world->disk.fault_per_million = 0;
        if (turn >= 9) print_error("%s\n", world->err.text);
        assert_true(turn < 10);
    }
    world->disk.fault_per_million = 0;
    world_check(world, true);
    start_following(world, inside, beside);
    world->disk.fault_per_million = fault_per_million;
}

static void live(uint64_t seed)
{
    static struct world world;
    struct follower inside, beside;
    world_init(&world, seed);
    world.options.segment_bytes = 2000 + fake_dice_below(&world.dice, 60000);
    if (chance(&world, 500)) {
        world.may_retire = true;
        world.options.retention_bytes = 20000 + fake_dice_below(&world.dice, 100000);
        if (chance(&world, 500)) world.options.retention_ms = 50000;
    }
    if (chance(&world, 300)) world.disk.capacity_bytes = 400000;
    assert_int_equal(world_open(&world), OK);
    start_following(&world, &inside, &beside);
    unsigned fault_per_million = chance(&world, 700) ? (unsigned)fake_dice_below(&world.dice, 20000) : 0;
    for (int step = 0; step < 300 && world.count < WORLD_RECORDS - 100; step++) {
        world.disk.fault_per_million = chance(&world, 500) ? fault_per_million : 0;
        random_step(&world, &inside, &beside);
        JournalStats now;
        journal_read_stats(world.journal, &now);
        if (chance(&world, 20) || (now.is_poisoned && chance(&world, 300))) random_restart(&world, &inside, &beside);
    }
    world.disk.fault_per_million = 0;
    world_check(&world, false);
    follow(&world, &inside);
    follow(&world, &beside);
    stop_following(&inside);
    stop_following(&beside);
    JournalStats stats;
    journal_read_stats(world.journal, &stats);
    world_close(&world);
    fake_disk_restart(&world.disk, true);                    /* this power cut finds nothing unsynced that counts */
    SegmentsVerdict verdict = world_verify(&world);
    assert_true(verdict.torn_bytes == 0 || stats.is_poisoned || world.disk.capacity_bytes);
    assert_int_equal(world_open(&world), OK);
    world_check(&world, true);
    world_done(&world);
}

static void random_lives_agree_with_the_list(void **state)
{
    uint64_t seed = fake_seed("journal_random"), rounds = world_rounds(12);
    (void)state;
    for (uint64_t round = 0; round < rounds; round++) {
        if (rounds > 1) fprintf(stderr, "round %llu: SEED=%llu ROUNDS=1\n", (unsigned long long)round,
                                (unsigned long long)(seed + round));
        live(seed + round);
    }
}

/* A life in which the reader beside has read a commit that is taken back, and the segment is sealed before it looks. */
static void what_was_taken_back_before_it_was_sealed_is_read_anew(void **state)
{
    (void)state;
    live(1789442925379805);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_lives_agree_with_the_list),
                                        cmocka_unit_test(what_was_taken_back_before_it_was_sealed_is_read_anew) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
