/* deliver: random histories with faults and crashes, and what the vendors saw of them.
 *
 * Whatever happened: nothing missing, nothing twice under different keys, the same key always with the same
 * bytes, every person's messages in order of their time, and the link before anything under its user.
 */
#include "deliver_world.h"

enum { TURNS = 150, SHORT_TURNS = 45, EVERY = 5 };
enum { HISTORIES = 4 };                 /* HISTORIES=1000 in the environment: for the night */

static const char *const webhook_single[] = { "url=http://0.test/", "allow_private=true", "rule.start=beginning", NULL };
static const char *const webhook_batch[] = { "url=http://1.test/", "batch_size=7", "rule.start=beginning",
                                             "rule.window=64", NULL };
static const char *const mixpanel_simplified[] = { "token=T", "identity=simplified", "endpoint=http://2.test",
                                                   "batch_size=9", "rule.start=beginning", NULL };
static const char *const mixpanel_original[] = { "token=T", "identity=original", "endpoint=http://3.test",
                                                 "batch_size=5", "rule.start=beginning", NULL };
static const char *const mixpanel_legacy[] = { "token=T", "identity=legacy", "endpoint=http://4.test",
                                               "batch_size=50", "rule.start=beginning", NULL };
static const char *const kissmetrics[] = { "api_key=K", "endpoint=http://5.test", "rule.start=beginning", NULL };

static void add_destinations(struct world *world)
{
    world_add_destination(world, "single", "webhook", webhook_single);
    world_add_destination(world, "batch", "webhook", webhook_batch);
    world_add_destination(world, "simplified", "mixpanel", mixpanel_simplified);
    world_add_destination(world, "original", "mixpanel", mixpanel_original);
    world_add_destination(world, "legacy", "mixpanel", mixpanel_legacy);
    world_add_destination(world, "kiss", "kissmetrics", kissmetrics);
}

/* ---- Histories ---- */

struct visitor {
    int stage;                          /* 0 browses, 1 has signed up */
    char anonymous[40], user[24];
};

static void name_visitor(struct world *world, struct visitor *visitor, int number)
{
    snprintf(visitor->user, sizeof visitor->user, "user-%d", number);
    dice_uuid(&world->dice.dice, visitor->anonymous);
    visitor->anonymous[36] = 0;
    if (number % 3 == 0) snprintf(visitor->anonymous, sizeof visitor->anonymous, "visitor-%d", number);
}

static struct made *make(struct world *world, EventType type, Millis at_ms)
{
    struct made *made = &world->made[world->made_count++];
    *made = (struct made){ .type = type, .at_ms = at_ms, .pos = UINT64_MAX };
    dice_uuid(&world->dice.dice, made->id);
    made->id[36] = 0;
    return made;
}

/* One visitor does one thing. Event times are seconds apart, so that KISSmetrics counts each. */
static void visit(struct world *world, struct visitor *visitor, Millis at_ms)
{
    uint64_t what = fake_dice_below(&world->dice, 10);
    struct made *made;
    if (visitor->stage == 0 && what == 0) {
        visitor->stage = 1;
        if (world->is_server_first && fake_dice_chance(&world->dice, 500)) {
            made = make(world, EVENT_IDENTIFY, at_ms);              /* the server knows the user alone */
            snprintf(made->user, sizeof made->user, "%s", visitor->user);
            at_ms += 1000;
        }
        made = make(world, fake_dice_chance(&world->dice, 800) ? EVENT_IDENTIFY : EVENT_ALIAS, at_ms);
        snprintf(made->user, sizeof made->user, "%s", visitor->user);
        if (made->type == EVENT_ALIAS) snprintf(made->previous, sizeof made->previous, "%s", visitor->anonymous);
        else snprintf(made->anonymous, sizeof made->anonymous, "%s", visitor->anonymous);
        return;
    }
    made = make(world, what == 1 && visitor->stage ? EVENT_IDENTIFY : EVENT_TRACK, at_ms);
    if (visitor->stage) snprintf(made->user, sizeof made->user, "%s", visitor->user);
    if (!visitor->stage || what < 6) snprintf(made->anonymous, sizeof made->anonymous, "%s", visitor->anonymous);
}

/* What was made since the last time arrives, shuffled within less than the settle time. */
static void arrive(struct world *world, size_t from)
{
    for (size_t at = from; at < world->made_count; at++) {
        size_t other = from + fake_dice_below(&world->dice, world->made_count - from);
        struct made swapped = world->made[at];
        world->made[at] = world->made[other];
        world->made[other] = swapped;
    }
    for (size_t at = from; at < world->made_count; at++) {
        world->made[at].received_ms = world->clock.now_ms + (Millis)(at - from);
        world_append(world, &world->made[at]);
    }
    world->known = journal_end(world->journal);
}

static void play(struct world *world, int turns, bool has_crashes)
{
    struct visitor visitors[VISITORS_MOST] = { 0 };
    int visitor_count = 2 + (int)fake_dice_below(&world->dice, VISITORS_MOST - 2);
    Millis at_ms = world->clock.now_ms - 100000;
    for (int at = 0; at < visitor_count; at++) name_visitor(world, &visitors[at], at);
    for (int turn = 0; turn < turns; turn++) {
        if (fake_dice_chance(&world->dice, 400) && world->made_count + 12 < MESSAGES_MOST) {
            size_t from = world->made_count;
            for (uint64_t left = 1 + fake_dice_below(&world->dice, 5); left > 0; left--, at_ms += 2000)
                visit(world, &visitors[fake_dice_below(&world->dice, (uint64_t)visitor_count)], at_ms);
            arrive(world, from);
        }
        world_step(world);
        if (has_crashes && fake_dice_chance(&world->dice, 60)) world_crash(world);
        fake_clock_advance(&world->clock, (Millis)fake_dice_below(&world->dice, 1500));
    }
}

/* The troubles end; everything is delivered within a bounded time. */
static void drain(struct world *world)
{
    DeliverState states[DESTINATIONS_MOST];
    world->trouble_per_thousand = 0;
    world->dead_destination = -1;
    world->rows.fail_per_thousand = 0;
    for (int turn = 0; turn < 6000; turn++) {
        uint64_t left = 0;
        world_step(world);
        deliver_read_states(world->deliver, states, DESTINATIONS_MOST);
        for (size_t at = 0; at < world->config_count; at++)
            left += states[at].unfinished + states[at].lag_bytes;
        if (turn > 10 && left == 0) return;
        fake_clock_advance(&world->clock, 500);
    }
    fail_msg("not drained: %" PRIu64 " unfinished, %" PRIu64 " bytes behind", states[0].unfinished,
             states[0].lag_bytes);
}

/* ---- Checks ---- */

static bool is_first_sight(const struct world *world, size_t at)
{
    for (size_t before = 0; before < at; before++)
        if (world->seen[before].destination == world->seen[at].destination
            && strcmp(world->seen[before].key, world->seen[at].key) == 0) return false;
    return true;
}

static void tell(const struct world *world, int destination, const char *id)
{
    for (size_t at = 0; at < world->made_count; at++) {
        const struct made *made = &world->made[at];
        if (strcmp(made->user, id) == 0 || strcmp(made->anonymous, id) == 0)
            printf("  made %-8s %s user=%s anonymous=%s previous=%s at %" PRId64 " received %" PRId64 "\n",
                   event_type_word(made->type), made->id, made->user, made->anonymous, made->previous, made->at_ms,
                   made->received_ms);
    }
    for (size_t at = 0; at < world->seen_count; at++) {
        const struct seen *seen = &world->seen[at];
        if (seen->destination == destination && (strcmp(seen->user, id) == 0 || strcmp(seen->anonymous, id) == 0))
            printf("  seen %zu %s user=%s anonymous=%s at %" PRId64 " %s\n", at, seen->is_link ? "LINK" : "",
                   seen->user, seen->anonymous, seen->at_ms, seen->key);
    }
}

static void check_repeats_are_equal(const struct world *world)
{
    for (size_t at = 0; at < world->seen_count; at++)
        for (size_t later = at + 1; later < world->seen_count; later++)
            if (world->seen[at].destination == world->seen[later].destination
                && strcmp(world->seen[at].key, world->seen[later].key) == 0
                && world->seen[at].hash != world->seen[later].hash)
                fail_msg("%s: the same key %s with other bytes", world->configs[world->seen[at].destination].name.bytes,
                         world->seen[at].key);
}

static size_t count_of(const struct world *world, int destination, const char *id)
{
    size_t count = 0;
    for (size_t at = 0; at < world->seen_count; at++)
        if (world->seen[at].destination == destination && strstr(world->seen[at].key, id))
            count += is_first_sight(world, at);
    return count;
}

static void check_nothing_is_missing_or_doubled(const struct world *world)
{
    for (int destination = 0; destination < (int)world->config_count; destination++) {
        for (size_t at = 0; at < world->made_count; at++) {
            const struct made *made = &world->made[at];
            bool is_webhook = destination < 2;
            size_t count;
            if (!is_webhook && made->type == EVENT_ALIAS) continue;
            count = count_of(world, destination, made->id);
            if (count != 1)
                fail_msg("%s: message %s came %zu times", world->configs[destination].name.bytes, made->id, count);
        }
    }
}

static bool is_of(const struct seen *seen, const char *id)
{
    return strcmp(seen->user, id) == 0 || strcmp(seen->anonymous, id) == 0;
}

/* First sights of messages that name an id come in order of event time. */
static void check_order_of(const struct world *world, int destination, const char *id)
{
    Millis last_ms = INT64_MIN;
    for (size_t at = 0; at < world->seen_count; at++) {
        const struct seen *seen = &world->seen[at];
        if (seen->destination != destination || seen->is_link || !is_of(seen, id)) continue;
        if (!is_first_sight(world, at)) continue;
        if (seen->at_ms < last_ms) {
            tell(world, destination, id);
            fail_msg("%s: out of order for %s", world->configs[destination].name.bytes, id);
        }
        last_ms = seen->at_ms;
    }
}

/* Under a user that was ever linked, the link comes first, once under one key, and is not overtaken. */
static void check_link_first(const struct world *world, int destination, const char *user)
{
    bool has_link = false, has_other = false;
    for (size_t at = 0; at < world->seen_count; at++) {
        const struct seen *seen = &world->seen[at];
        if (seen->destination != destination || strcmp(seen->user, user) != 0) continue;
        if (seen->is_link && has_other && !has_link) {
            tell(world, destination, user);
            fail_msg("%s: something under %s came before its link", world->configs[destination].name.bytes, user);
        }
        if (seen->is_link) has_link = true;
        else has_other = true;
    }
}

static void check_all(const struct world *world)
{
    check_repeats_are_equal(world);
    check_nothing_is_missing_or_doubled(world);
    for (int destination = 0; destination < (int)world->config_count; destination++) {
        for (size_t at = 0; at < world->made_count; at++) {
            if (world->made[at].user[0]) check_order_of(world, destination, world->made[at].user);
            if (world->made[at].anonymous[0]) check_order_of(world, destination, world->made[at].anonymous);
            if (destination >= 2 && world->made[at].user[0]) check_link_first(world, destination, world->made[at].user);
        }
    }
    for (size_t at = 0; at < world->config_count; at++)
        assert_int_equal(fake_rows_count(&world->rows, world->configs[at].name.bytes, 'd'), 0);
}

static void run(uint64_t seed, unsigned trouble_per_thousand, bool has_crashes, unsigned full_per_thousand)
{
    struct world *world = malloc(sizeof *world);
    world_open_on(world, seed, seed / 2 % 2);            /* whatever the journal's back end */
    add_destinations(world);
    world_start(world);
    world->trouble_per_thousand = trouble_per_thousand;
    world->is_server_first = seed % 2 == 0;
    world->rows.dice = &world->dice;
    world->rows.fail_per_thousand = full_per_thousand;
    if (trouble_per_thousand && seed % 3 == 0) world->dead_destination = (int)(seed % 6);
    play(world, TURNS, has_crashes);
    drain(world);
    check_all(world);
    world_close(world);
    free(world);
}

static void histories_arrive_whole_once_in_order_and_linked_first(void **state)
{
    uint64_t seed = fake_seed("deliver_model");
    const char *given = getenv("HISTORIES");
    uint64_t histories = given ? strtoull(given, NULL, 10) : HISTORIES;
    (void)state;
    for (uint64_t history = 0; history < histories; history++) {
        printf("history SEED=%" PRIu64 "\n", seed + history);       /* the last one printed is the one that failed */
        run(seed + history, 0, false, 0);
        run(seed + history, 250, false, 0);
        run(seed + history, 150, true, 50);
    }
}

/* One short history for each commit that it makes: there the disk is full for a while, or the process dies, just
 * before or just after. Gives how many commits there were. */
static uint64_t run_with_fault(uint64_t seed, uint64_t commit, int kind)
{
    struct world *world = malloc(sizeof *world);
    uint64_t commits;
    world_open(world, seed);
    add_destinations(world);
    world_start(world);
    world->trouble_per_thousand = 100;
    world->is_server_first = true;
    if (kind == 0) world->rows.full_from = commit, world->rows.full_until = commit + 3;
    else world->rows.dies_at = commit, world->rows.dies_after = kind == 2;
    play(world, SHORT_TURNS, false);
    drain(world);
    check_all(world);
    commits = world->rows.commits;
    world_close(world);
    free(world);
    return commits;
}

static void a_fault_at_any_commit_loses_nothing(void **state)
{
    uint64_t seed = fake_seed("deliver_commits"), commits = run_with_fault(seed, UINT64_MAX, 1);
    uint64_t every = getenv("HISTORIES") ? 1 : EVERY;
    (void)state;
    for (uint64_t commit = 1 + seed % every; commit <= commits; commit += every)
        for (int kind = 0; kind < 3; kind++) {
            printf("fault %d at commit %" PRIu64 " of %" PRIu64 " SEED=%" PRIu64 "\n", kind, commit, commits, seed);
            (void)run_with_fault(seed, commit, kind);
        }
}

/* ---- Replays ---- */

/* Asks for all that ever happened, of every destination, until each has answered. A process that died had not. */
static void ask_for_replays(struct world *world)
{
    uint64_t tickets[DESTINATIONS_MOST];
    for (bool is_answered = false; !is_answered;) {
        bool was_alive = world->rows.commits < world->rows.dies_at;
        Err err;
        for (size_t at = 0; at < world->config_count; at++)
            if (deliver_ask_replay(world->deliver, world->configs[at].name, 0, INT64_MAX, &tickets[at], &err))
                fail_msg("%s", err.text);
        for (int step = 0; step < 3; step++) {
            world_step(world);
            fake_clock_advance(&world->clock, 100);
        }
        is_answered = !was_alive || world->rows.commits < world->rows.dies_at;
        for (size_t at = 0; at < world->config_count; at++)
            is_answered &= deliver_wait_asked(world->deliver, tickets[at], 0, NULL, &err) == OK;
    }
}

static void check_all_came_since(const struct world *world, size_t from)
{
    for (int destination = 0; destination < (int)world->config_count; destination++) {
        for (size_t at = 0; at < world->made_count; at++) {
            const struct made *made = &world->made[at];
            bool is_there = destination >= 2 && made->type == EVENT_ALIAS;
            for (size_t seen = from; !is_there && seen < world->seen_count; seen++)
                is_there = world->seen[seen].destination == destination && strstr(world->seen[seen].key, made->id);
            if (!is_there)
                fail_msg("%s: message %s was not replayed", world->configs[destination].name.bytes, made->id);
        }
    }
}

/* kind 0: the disk is full at that commit, and at the two after it; 1, 2: the process dies, before and after it. */
static uint64_t replay_with_fault(uint64_t seed, uint64_t commit, int kind)
{
    struct world *world = malloc(sizeof *world);
    world_open(world, seed);
    add_destinations(world);
    world_start(world);
    world->is_server_first = true;
    play(world, SHORT_TURNS, false);
    drain(world);
    size_t from = world->seen_count;
    uint64_t before = world->rows.commits;
    world->trouble_per_thousand = 100;
    world->rows.dies_at = UINT64_MAX;
    if (kind == 0) world->rows.full_from = before + commit, world->rows.full_until = before + commit + 3;
    else world->rows.dies_at = before + commit, world->rows.dies_after = kind == 2;
    ask_for_replays(world);
    drain(world);
    check_all(world);
    check_all_came_since(world, from);
    while (!deliver_is_idle(world->deliver)) world_step(world);         /* what the full disk put off */
    for (size_t at = 0; at < world->config_count; at++) {
        assert_int_equal(fake_rows_count(&world->rows, world->configs[at].name.bytes, 'r'), 0);
        assert_int_equal(fake_rows_count(&world->rows, world->configs[at].name.bytes, 'p'), 0);
    }
    uint64_t commits = world->rows.commits - before;
    world_close(world);
    free(world);
    return commits;
}

static void a_replay_that_was_answered_is_whole_after_a_fault_at_any_commit(void **state)
{
    uint64_t seed = fake_seed("deliver_replays"), commits = replay_with_fault(seed, UINT64_MAX / 2, 1);
    uint64_t every = getenv("HISTORIES") ? 1 : EVERY;
    (void)state;
    for (uint64_t commit = 1; commit <= commits; commit += commit < 8 ? 1 : every)
        for (int kind = 0; kind < 3; kind++) {
            printf("replay: fault %d at commit %" PRIu64 " of %" PRIu64 " SEED=%" PRIu64 "\n", kind, commit, commits,
                   seed);
            (void)replay_with_fault(seed, commit, kind);
        }
}

/* A follower overtook what had only its link in the request. */
static void histories_that_once_failed_still_pass(void **state)
{
    static const uint64_t seeds[] = { 900004 };
    (void)state;
    for (size_t at = 0; at < countof(seeds); at++) {
        run(seeds[at], 250, false, 0);
        run(seeds[at], 150, true, 50);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histories_arrive_whole_once_in_order_and_linked_first),
        cmocka_unit_test(a_fault_at_any_commit_loses_nothing),
        cmocka_unit_test(a_replay_that_was_answered_is_whole_after_a_fault_at_any_commit),
        cmocka_unit_test(histories_that_once_failed_still_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
