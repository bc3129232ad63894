/* dedup_test: the same answers as a list that remembers everything, through freezing, merging, expiry
 * and restarts. */
#include "dedup/dedup.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <unistd.h>

#include "tests/fakes/fakes.h"

enum { MODEL_MAX = 40000 };

/* The reference: every (id, first applied at) in a list. */
struct model {
    struct { uint64_t id; Millis at_ms; JournalPos pos; } seen[MODEL_MAX];
    size_t count;
    Millis now_ms, stamp_ms;
};

static bool model_add(struct model *model, uint64_t id, Millis at_ms, Millis window_ms, JournalPos pos)
{
    Millis ahead_ms = model->stamp_ms ? at_ms - model->stamp_ms : at_ms;
    Millis most_ms = model->stamp_ms ? window_ms / 32 : at_ms;
    if (ahead_ms > 0) {
        model->now_ms += ahead_ms < most_ms ? ahead_ms : most_ms;
        model->stamp_ms = at_ms;
    }
    at_ms = model->now_ms;
    for (size_t at = 0; at < model->count; at++) {
        int64_t apart = model->seen[at].at_ms / MINUTE_MS - at_ms / MINUTE_MS;
        if (model->seen[at].id == id && llabs(apart) <= window_ms / MINUTE_MS) return false;
    }
    check(model->count < MODEL_MAX);
    model->seen[model->count].id = id;
    model->seen[model->count].at_ms = at_ms;
    model->seen[model->count++].pos = pos;
    return true;
}

static char dir[64];

static DedupOptions small_options(struct fake_dice *dice)
{
    return (DedupOptions){ .dir = dir, .disk = os_disk(), .dice = &dice->dice, .window_ms = 10 * DAY_MS,
                           .table_entries = 300 };
}

static void new_dir(void)
{
    strcpy(dir, "/tmp/onym-dedup-XXXXXX");
    assert_non_null(mkdtemp(dir));
}

static void remove_dir(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static bool add(struct dedup *dedup, uint64_t id, Millis at_ms, JournalPos pos)
{
    char text[32];
    int len = snprintf(text, sizeof text, "message-%llu", (unsigned long long)id);
    Hash128 fingerprint = dedup_fingerprint(dedup, STR("website"), str_of(text, (size_t)len));
    dedup_prefetch(dedup, fingerprint);
    return dedup_add(dedup, fingerprint, at_ms, pos);
}

static void random_histories_equal_a_list_through_restarts(void **state)
{
    struct fake_dice dice;
    static struct model model;
    Err err = { 0 };
    (void)state;
    fake_dice_init(&dice, fake_seed("dedup"));
    for (int history = 0; history < 3; history++) {
        struct dedup *dedup = NULL;
        DedupOptions options = small_options(&dice);
        new_dir();
        model.count = 0;
        model.now_ms = model.stamp_ms = 0;
        assert_int_equal(dedup_open(&options, &dedup, &err), OK);
        struct { uint64_t id; Millis at_ms; } log[20000];
        Millis now_ms = 1700000000000;
        JournalPos safe_pos = 0;
        for (JournalPos pos = 0; pos < countof(log); pos++) {
            now_ms += (Millis)fake_dice_below(&dice, 2 * DAY_MS / 400);
            log[pos].id = fake_dice_chance(&dice, 300) ? fake_dice_below(&dice, pos + 1) : pos;
            log[pos].at_ms = now_ms - (Millis)fake_dice_below(&dice, 20 * 3600000);
            bool is_new = add(dedup, log[pos].id, log[pos].at_ms, pos);
            assert_int_equal(is_new, model_add(&model, log[pos].id, log[pos].at_ms, options.window_ms, pos));
            bool more;
            if (pos > safe_pos && fake_dice_chance(&dice, 100)) safe_pos = pos - fake_dice_below(&dice, pos - safe_pos);
            assert_int_equal(dedup_step(dedup, safe_pos, pos + 1, &more, &err), OK);
            if (!fake_dice_chance(&dice, 2)) continue;
            dedup_close(dedup);                              /* a crash: memory is gone, runs stay */
            assert_int_equal(dedup_open(&options, &dedup, &err), OK);
            assert_true(dedup_position(dedup) <= safe_pos);
            for (JournalPos again = dedup_position(dedup); again <= pos; again++)
                (void)add(dedup, log[again].id, log[again].at_ms, again);
        }
        DedupStats stats;
        dedup_read_stats(dedup, &stats);
        assert_true(stats.runs >= 1 && stats.runs < 20);
        dedup_close(dedup);
        remove_dir();
    }
}

static void sources_do_not_share_message_ids(void **state)
{
    struct fake_dice dice;
    struct dedup *dedup = NULL;
    (void)state;
    fake_dice_init(&dice, 7);
    new_dir();
    DedupOptions options = small_options(&dice);
    assert_int_equal(dedup_open(&options, &dedup, NULL), OK);
    assert_true(dedup_add(dedup, dedup_fingerprint(dedup, STR("a"), STR("1")), 1000, 0));
    assert_true(dedup_add(dedup, dedup_fingerprint(dedup, STR("b"), STR("1")), 1000, 1));
    assert_false(dedup_add(dedup, dedup_fingerprint(dedup, STR("a"), STR("1")), 1000, 2));
    dedup_close(dedup);
    remove_dir();
}

static void a_damaged_run_is_named(void **state)
{
    struct fake_dice dice;
    struct dedup *dedup = NULL;
    Err err;
    bool more = true;
    (void)state;
    fake_dice_init(&dice, 8);
    new_dir();
    DedupOptions options = small_options(&dice);
    assert_int_equal(dedup_open(&options, &dedup, NULL), OK);
    for (JournalPos pos = 0; pos < 300; pos++) assert_true(add(dedup, pos, 1000, pos));
    for (int step = 0; step < 10 && dedup_position(dedup) == 0; step++)
        assert_int_equal(dedup_step(dedup, 300, 300, &more, &err), OK);
    assert_int_equal(dedup_position(dedup), 300);
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, dedup->runs[0].name);
    dedup_close(dedup);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(dedup_open(&options, &dedup, &err), ERR_DAMAGED);
    assert_non_null(strstr(err.text, "onym rebuild"));
    remove_dir();
}

/* What wall clocks do, in steps: messages are received an hour apart by a clock that is true, but for the jumps; then
 * the first message comes again. A window of 320 days, so that a jump counts as ten at most. */
static void a_wrong_clock_ends_no_window_and_makes_none_endless(void **state)
{
    static const struct { const char *what; Millis jump_days[4]; int days; bool is_known; } rows[] = {
        { "a true clock, within", { 0 }, 319, true },
        { "a true clock, behind", { 0 }, 322, false },
        { "ahead for a while", { 400, -400 }, 100, true },
        { "ahead again and again", { 400, -400, 400, -400 }, 200, true },
        { "ahead, and it stays so", { 4000 }, 300, true },
        { "ahead, and it stays so, behind", { 4000 }, 322, false },
        { "behind for a while", { -400, 400 }, 100, true },
        { "behind, and it stays so, behind", { -400 }, 322, false },
        { "ahead for a while, behind", { 40000, -40000 }, 322, false },
        { "before 1970", { -30000, 30000 }, 100, true },
        { "beyond any year", { 100000000, -100000000 }, 100, true },
        { "by less than a day", { 0, 1, -1, 0 }, 310, true },
    };
    struct fake_dice dice;
    (void)state;
    fake_dice_init(&dice, 9);
    for (size_t row = 0; row < countof(rows); row++) {
        for (int restarts = 0; restarts < 2; restarts++) {
            struct dedup *dedup = NULL;
            new_dir();
            DedupOptions options = small_options(&dice);
            options.window_ms = 320 * DAY_MS;
            assert_int_equal(dedup_open(&options, &dedup, NULL), OK);
            Millis now_ms = 1700000000000;
            JournalPos pos = 0;
            assert_true(add(dedup, 0, now_ms, pos++));
            bool more;
            for (int hour = 0; hour < rows[row].days * 24; hour++) {
                now_ms += 3600000;
                for (int at = 0; at < 4; at++)
                    if (hour == 48 + 24 * at) now_ms += rows[row].jump_days[at] * DAY_MS;
                assert_true(add(dedup, 1000 + pos, now_ms, pos));
                pos++;
                assert_int_equal(dedup_step(dedup, pos, pos, &more, NULL), OK);
                if (!restarts || hour % 700 != 699) continue;
                struct dedup_clock before = dedup->saved_clock;
                dedup_close(dedup);
                assert_int_equal(dedup_open(&options, &dedup, NULL), OK);
                assert_memory_equal(&dedup->saved_clock, &before, sizeof before);
                Millis again_ms = now_ms - (Millis)(pos - dedup_position(dedup)) * 3600000;
                for (JournalPos again = dedup_position(dedup); again < pos; again++)
                    (void)add(dedup, again ? 1000 + again : 0, again_ms += 3600000, again);
            }
            if (add(dedup, 0, now_ms, pos) == rows[row].is_known)
                fail_msg("%s: the message is %s", rows[row].what, rows[row].is_known ? "forgotten" : "still known");
            dedup_close(dedup);
            remove_dir();
        }
    }
}

/* A message that is not asked about is time that passed, too: what is left out of a replay changes no answer. */
static void time_passes_with_every_message(void **state)
{
    struct fake_dice dice;
    struct dedup *dedup = NULL;
    (void)state;
    fake_dice_init(&dice, 10);
    new_dir();
    DedupOptions options = small_options(&dice);
    assert_int_equal(dedup_open(&options, &dedup, NULL), OK);
    assert_true(add(dedup, 1, DAY_MS, 0));
    for (int hour = 0; hour < 11 * 24; hour++) dedup_pass_time(dedup, DAY_MS + hour * 3600000LL);
    assert_true(add(dedup, 1, 12LL * DAY_MS, 1));
    dedup_close(dedup);
    remove_dir();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_equal_a_list_through_restarts),
        cmocka_unit_test(sources_do_not_share_message_ids),
        cmocka_unit_test(a_damaged_run_is_named),
        cmocka_unit_test(a_wrong_clock_ends_no_window_and_makes_none_endless),
        cmocka_unit_test(time_passes_with_every_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
