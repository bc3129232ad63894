/* deliver: whoever is forgotten is in no row, whatever was under way, failed or crashed meanwhile; and nobody else
 * loses anything. Random histories with faults, full disks and crashes; ROUNDS=n of each kind (60 by default). */
#include "deliver_forget_world.h"

enum { PEOPLE = 6, ROUNDS = 60 };

static uint64_t rounds(void)
{
    const char *given = getenv("ROUNDS");
    return given ? strtoull(given, NULL, 10) : ROUNDS;
}

static void live_a_moment(struct fake_dice *dice)
{
    int person = (int)fake_dice_below(dice, PEOPLE);
    switch (fake_dice_below(dice, 4)) {
    case 0: say(person, EVENT_TRACK, false, true, -(Millis)fake_dice_below(dice, 400)); break;
    case 1: say(person, EVENT_IDENTIFY, true, true, -(Millis)fake_dice_below(dice, 400)); break;
    case 2: say(person, EVENT_IDENTIFY, true, false, -(Millis)fake_dice_below(dice, 400)); break;
    default: say(person, EVENT_TRACK, true, false, -(Millis)fake_dice_below(dice, 400)); break;
    }
}

static void forget_somebody(uint64_t seed, bool is_suppression)
{
    struct fake_dice dice;
    fake_dice_init(&dice, seed);
    open_world(seed);
    world->trouble_per_thousand = 300;
    world->dead_destination = fake_dice_chance(&dice, 500) ? 1 : -1;
    int when = 20 + (int)fake_dice_below(&dice, 40);
    for (int at = 0; at < 80; at++) {
        if (at == when) want(is_suppression);
        if (at < when || fake_dice_chance(&dice, 500)) live_a_moment(&dice);
        if (at >= when && world->made_count && strstr(world->made[world->made_count - 1].id, "message-2-"))
            world->made[world->made_count - 1].is_later = true;
        if (fake_dice_chance(&dice, 60)) world->rows.full_from = world->rows.commits + 1,
                                         world->rows.full_until = world->rows.commits + 3;
        pass((Millis)fake_dice_below(&dice, 300) + 1, 100);
        if (fake_dice_chance(&dice, 40)) world_crash(world);
        if (wanted.is_ended && is_suppression) assert_int_equal(count_rows_with("user-2"), 0);
    }
    for (int turn = 0; turn < 50 && !wanted.is_ended; turn++) pass(200, 100);
    assert_true(wanted.is_ended);
    world->dead_destination = -1;
    world->trouble_per_thousand = 0;
    pass(700000, 5000);
    for (size_t at = 0; at < world->made_count; at++) {
        const struct made *made = &world->made[at];
        if (strstr(made->id, "message-2-")) continue;
        assert_true(has_come(1, made));
        assert_true(has_come(0, made) || is_in_letter(made));
    }
}

/* Nothing of before is left, though what came later is somebody new, who may be known and have letters. */
static void who_is_erased_is_in_no_row(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= rounds(); seed++) {
        print_message("SEED=%d%s", (int)seed, seed < rounds() ? " " : "\n");
        forget_somebody(seed, false);
        bool has_later = false;
        for (size_t at = 0; at < world->made_count; at++) {
            const struct made *made = &world->made[at];
            if (!strstr(made->id, "message-2-")) continue;
            has_later |= made->is_later;
            char quoted[48];
            snprintf(quoted, sizeof quoted, "%s\"", made->id);
            if (!made->is_later) assert_int_equal(count_rows_with(quoted), 0);
        }
        if (!has_later) assert_int_equal(count_rows_with("user-2") + count_rows_with("visitor-2"), 0);
        close_world();
    }
}

static void who_is_suppressed_is_in_no_row_and_nothing_more_is_sent(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= rounds(); seed++) {
        print_message("SEED=%d%s", (int)seed, seed < rounds() ? " " : "\n");
        forget_somebody(seed, true);
        assert_int_equal(count_rows_with("user-2") + count_rows_with("visitor-2"), 0);
        size_t seen = world->seen_count;
        say(2, EVENT_IDENTIFY, true, true, -100);
        pass(120000, 1000);
        for (size_t at = seen; at < world->seen_count; at++) assert_null(strstr(world->seen[at].user, "user-2"));
        close_world();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_erased_is_in_no_row),
        cmocka_unit_test(who_is_suppressed_is_in_no_row_and_nothing_more_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
