/* apply_dedup: the same answers as a list that remembers everything, through freezing, merging, expiry
 * and restarts. */
#include "apply/apply_dedup.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <unistd.h>

#include "tests/fakes/fakes.h"

enum { DAY_MS = 86400000, MODEL_MAX = 40000 };

/* The reference: every (id, first applied at) in a list. */
struct model {
    struct { uint64_t id; Millis at_ms; JournalPos pos; } seen[MODEL_MAX];
    size_t count;
    Millis now_ms;
};

static bool model_add(struct model *model, uint64_t id, Millis at_ms, Millis window_ms, JournalPos pos)
{
    if (at_ms > model->now_ms) model->now_ms = at_ms;
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
    return (DedupOptions){ .dir = dir, .disk = os_disk(), .dice = &dice->dice, .window_ms = 10 * (Millis)DAY_MS,
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
        model.now_ms = 0;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_equal_a_list_through_restarts),
        cmocka_unit_test(sources_do_not_share_message_ids),
        cmocka_unit_test(a_damaged_run_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
