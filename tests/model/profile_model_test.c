/* Profiles = a reference over the set of writes: in any order, repeated, and however the subjects are put together
 * to people. ROUNDS=n histories (500 by default), SEED=n. */
#include "profile/profile.h"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { SUBJECTS, GROUPS, MEMBERS };
enum { PEOPLE = 4, KEYS = 3, WRITES = 24, ANONYMOUS = 3, LATER = 1000 };

static const Profile profile = { SUBJECTS, GROUPS, MEMBERS };
static const char *const tables[] = { "subjects", "groups", "members" };
static const char *const values[] = { "null", "\"\"", "1", "\"a\"", "{\"b\":[2]}" };
static const char *const keys[KEYS] = { "email", "plan", "e" };

typedef struct Written {                /* one trait of one message */
    uint32_t subject;
    int key, value, time;
    char id[8];
    bool is_group;
} Written;

static int in_order(const Written *a, const Written *b)
{
    if (a->time != b->time) return a->time - b->time;
    return strcmp(a->id, b->id) ? strcmp(a->id, b->id) : strcmp(values[a->value], values[b->value]);
}

/* Whose the writes of the anonymous subject are depends on the instant, as on a shared device. */
static bool owns_early(void *context, uint32_t subject, Millis time_ms, Str message_id)
{
    (void)message_id;
    return subject != ANONYMOUS || time_ms < *(const int *)context;
}

static void write_one(struct kv_txn *txn, const Written *w)
{
    Err err;
    ProfileWrite write = { w->time, str_from(w->id), (uint64_t)w->time, 1 };
    ProfileTrait trait = { str_from(keys[w->key]), str_from(values[w->value]) };
    bool keeps_all = w->subject == ANONYMOUS;
    if (w->is_group) {
        assert_int_equal(profile_join_group(profile, txn, w->subject, keeps_all, &write, trait.key, &err), OK);
        assert_int_equal(profile_set_group_traits(profile, txn, trait.key, &write, &trait, 1, &err), OK);
    } else {
        assert_int_equal(profile_set_traits(profile, txn, w->subject, keeps_all, &write, &trait, 1, &err), OK);
    }
}

/* The last write of the key by any of the subjects in the set (bits) that counts; NULL where there is none. */
static const Written *model_current(const Written *w, int count, unsigned subjects, int until, int key, bool is_group)
{
    const Written *last = NULL;
    for (int i = 0; i < count; i++) {
        if (w[i].key != key || w[i].is_group != is_group || !(subjects >> w[i].subject & 1)) continue;
        if (w[i].subject == ANONYMOUS && w[i].time >= until) continue;
        if (!last || in_order(&w[i], last) > 0) last = &w[i];
    }
    return last;
}

static bool check_person(struct kv_txn *txn, const Written *w, int count, unsigned set, int until, Arena scratch)
{
    ProfileSubject subjects[PEOPLE];
    ProfileValues got;
    size_t subject_count = 0, expected = 0;
    Err err;
    for (uint32_t i = 0; i < PEOPLE; i++)
        if (set >> i & 1) subjects[subject_count++] = (ProfileSubject){ i, owns_early, &until };
    assert_int_equal(profile_read_traits(profile, txn, subjects, subject_count, &scratch, &got, &err), OK);
    for (int key = 0; key < KEYS; key++) {
        const Written *last = model_current(w, count, set, until, key, false);
        if (!last || last->value == 0) continue;
        size_t at = 0;
        while (at < got.count && !str_equal(got.items[at].key, str_from(keys[key]))) at++;
        if (at == got.count || !str_equal(got.items[at].json, str_from(values[last->value]))) return false;
        if (got.items[at].time_ms != last->time) return false;
        if (!str_equal(got.items[at].message_id, str_from(last->id))) return false;
        expected++;
    }
    if (got.count != expected) return false;
    expected = 0;
    assert_int_equal(profile_read_groups(profile, txn, subjects, subject_count, &scratch, &got, &err), OK);
    for (int key = 0; key < KEYS; key++) expected += model_current(w, count, set, until, key, true) != NULL;
    return got.count == expected;
}

/* Traits of groups by the last write of anybody; the members of each. */
static bool check_groups(struct kv_txn *txn, const Written *w, int count, Arena scratch)
{
    for (int key = 0; key < KEYS; key++) {
        const Written *last = model_current(w, count, ~0u, LATER, key, true);
        ProfileValues got;
        uint32_t members[PEOPLE + 1];
        size_t member_count, expected = 0;
        Err err;
        Status s = profile_read_group(profile, txn, str_from(keys[key]), &scratch, &got, &err);
        if ((s == ERR_NOT_FOUND) != !last) return false;
        if (last && got.count != (size_t)(last->value != 0)) return false;
        if (last && last->value && !str_equal(got.items[0].json, str_from(values[last->value]))) return false;
        assert_int_equal(profile_list_group_subjects(profile, txn, str_from(keys[key]), NULL, PEOPLE + 1, members,
                                                     &member_count, &err), OK);
        for (unsigned i = 0; i < PEOPLE; i++) expected += model_current(w, count, 1u << i, LATER, key, true) != NULL;
        if (member_count != expected) return false;
    }
    return true;
}

/* History tells, within its bounds, the same in every order: here that of the order that it is compared with. */
static bool has_same_history(struct kv_txn *a, struct kv_txn *b, Arena scratch)
{
    for (uint32_t i = 0; i < PEOPLE; i++) {
        ProfileSubject subject = { i, NULL, NULL };
        ProfileValues of_a, of_b;
        Err err;
        assert_int_equal(profile_read_history(profile, a, &subject, 1, STR(""), &scratch, &of_a, &err), OK);
        assert_int_equal(profile_read_history(profile, b, &subject, 1, STR(""), &scratch, &of_b, &err), OK);
        if (of_a.count != of_b.count) return false;
        for (size_t k = 0; k < of_a.count; k++)
            if (!str_equal(of_a.items[k].json, of_b.items[k].json) || of_a.items[k].time_ms != of_b.items[k].time_ms ||
                !str_equal(of_a.items[k].message_id, of_b.items[k].message_id)) return false;
    }
    return true;
}

static void write_all(struct fake_dice *dice, struct kv_txn *txn, const Written *w, int count)
{
    int order[2 * WRITES], ops = 0;
    for (int i = 0; i < count; i++) {
        order[ops++] = i;
        if (fake_dice_chance(dice, 300)) order[ops++] = i;
    }
    for (int i = ops - 1; i >= 0; i--) {
        int k = (int)fake_dice_below(dice, (uint64_t)i + 1), at = order[k];
        order[k] = order[i];
        write_one(txn, &w[at]);
    }
}

struct stores { struct kv *a, *b; char dirs[2][40]; };

static void open_stores(struct stores *stores)
{
    Err err;
    for (int i = 0; i < 2; i++) {
        snprintf(stores->dirs[i], sizeof stores->dirs[i], "/tmp/onym-profile-XXXXXX");
        assert_non_null(mkdtemp(stores->dirs[i]));
        KvOptions options = { .dir = stores->dirs[i], .tables = tables, .table_count = 3 };
        assert_int_equal(kv_open(&options, i ? &stores->b : &stores->a, &err), OK);
    }
}

static void close_stores(struct stores *stores)
{
    kv_close(stores->a);
    kv_close(stores->b);
    for (int i = 0; i < 2; i++) {
        char path[80];
        snprintf(path, sizeof path, "%s/data.mdb", stores->dirs[i]);
        unlink(path);
        snprintf(path, sizeof path, "%s/lock.mdb", stores->dirs[i]);
        unlink(path);
        rmdir(stores->dirs[i]);
    }
}

static void profiles_equal_the_model_on_random_histories(void **state)
{
    const char *rounds_text = getenv("ROUNDS");
    long rounds = rounds_text ? strtol(rounds_text, NULL, 10) : 500;
    uint64_t seed = fake_seed("profile_model");
    struct stores stores;
    struct region region;
    (void)state;
    region_open(&region, 1 << 20);
    open_stores(&stores);
    for (long round = 0; round < rounds; round++) {
        struct fake_dice dice;
        struct kv_txn *a, *b;
        Written w[WRITES];
        Err err;
        fake_dice_init(&dice, seed + (uint64_t)round);
        int count = 1 + (int)fake_dice_below(&dice, WRITES);
        for (int i = 0; i < count; i++) {
            w[i] = (Written){ (uint32_t)fake_dice_below(&dice, PEOPLE), (int)fake_dice_below(&dice, KEYS),
                              (int)fake_dice_below(&dice, countof(values)), (int)fake_dice_below(&dice, 8), "",
                              fake_dice_chance(&dice, 200) };
            snprintf(w[i].id, sizeof w[i].id, "%c%d", "abz"[fake_dice_below(&dice, 3)], i);
        }
        assert_int_equal(kv_begin_write(stores.a, &a, &err), OK);
        assert_int_equal(kv_begin_write(stores.b, &b, &err), OK);
        write_all(&dice, a, w, count);
        write_all(&dice, b, w, count);
        bool ok = has_same_history(a, b, region_arena(&region)) && check_groups(a, w, count, region_arena(&region));
        for (unsigned set = 0; ok && set < 1u << PEOPLE; set++)
            ok = check_person(a, w, count, set, (int)fake_dice_below(&dice, 9), region_arena(&region));
        kv_abort(a);
        kv_abort(b);
        if (ok) continue;
        printf("SEED=%" PRIu64 " (round %ld), %d writes\n", seed + (uint64_t)round, round, count);
        for (int i = 0; i < count; i++)
            printf("  subject %u %s %s=%s at %d %s\n", w[i].subject, w[i].is_group ? "group" : "trait", keys[w[i].key],
                   values[w[i].value], w[i].time, w[i].id);
        fail();
    }
    close_stores(&stores);
    region_close(&region);
}

static void history_and_keys_are_bounded_and_the_current_value_survives(void **state)
{
    struct stores stores;
    struct kv_txn *txn;
    struct region region;
    ProfileValues got;
    Err err;
    (void)state;
    region_open(&region, 1 << 24);
    open_stores(&stores);
    assert_int_equal(kv_begin_write(stores.a, &txn, &err), OK);
    for (uint32_t subject = 0; subject < 2; subject++) {
        for (int i = 0; i < 200; i++) {
            char json[16], id[16];
            snprintf(json, sizeof json, "%d", i / 3);
            snprintf(id, sizeof id, "m%d", i);
            ProfileWrite write = { i, str_from(id), (uint64_t)i, 0 };
            ProfileTrait trait = { STR("step"), str_from(json) };
            assert_int_equal(profile_set_traits(profile, txn, subject, subject == 1, &write, &trait, 1, &err), OK);
        }
        ProfileSubject one = { subject, NULL, NULL };
        Arena arena = region_arena(&region);
        assert_int_equal(profile_read_history(profile, txn, &one, 1, STR("step"), &arena, &got, &err), OK);
        assert_int_equal(got.count, subject == 1 ? PROFILE_HISTORY : 2 * PROFILE_HISTORY);
        assert_true(str_equal(got.items[0].json, STR("66")));
        assert_int_equal(got.items[0].time_ms, 199);
    }
    for (int i = 0; i < PROFILE_KEYS + 10; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        ProfileWrite write = { 1000 + i, STR("m"), 0, 0 };
        ProfileTrait trait = { str_from(key), STR("true") };
        assert_int_equal(profile_set_traits(profile, txn, 0, false, &write, &trait, 1, &err), OK);
    }
    ProfileSubject one = { 0, NULL, NULL };
    Arena arena = region_arena(&region);
    assert_int_equal(profile_read_traits(profile, txn, &one, 1, &arena, &got, &err), OK);
    assert_int_equal(got.count, PROFILE_KEYS);
    assert_int_equal(profile_erase(profile, txn, 0, &err), OK);
    assert_int_equal(profile_read_traits(profile, txn, &one, 1, &arena, &got, &err), OK);
    assert_int_equal(got.count, 0);
    kv_abort(txn);
    close_stores(&stores);
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_equal_the_model_on_random_histories),
        cmocka_unit_test(history_and_keys_are_bounded_and_the_current_value_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
