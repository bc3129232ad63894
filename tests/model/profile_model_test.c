/* Profiles = a reference over the set of writes: in any order, repeated, and however the subjects are put together
 * to people. ROUNDS=n histories (500 by default), SEED=n. */
#include "profile/profile_row.h"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { SUBJECTS, GROUPS, MEMBERS, NAMES };
enum { PEOPLE = 4, KEYS = 3, WRITES = 24, ANONYMOUS = 3, LATER = 1000 };

static const char *const tables[] = { "subjects", "groups", "members", "names" };
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

static void write_one(struct profile *profile, const Written *w)
{
    Err err;
    ProfileWrite write = { w->time, str_from(w->id), (uint64_t)w->time, 1 };
    ProfileTrait trait = { str_from(keys[w->key]), str_from(values[w->value]) };
    ProfileWriter writer = { .subject = w->subject, .keeps_all = w->subject == ANONYMOUS, .member.low = w->subject };
    if (w->is_group) {
        assert_int_equal(profile_join_group(profile, &writer, &write, trait.key, &err), OK);
        assert_int_equal(profile_set_group_traits(profile, trait.key, &write, &trait, 1, &err), OK);
    } else {
        assert_int_equal(profile_set_traits(profile, &writer, &write, &trait, 1, &err), OK);
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

static bool check_person(struct profile_reader *reader, const Written *w, int count, unsigned set, int until,
                         Arena scratch)
{
    ProfileSubject subjects[PEOPLE];
    ProfileValues got;
    size_t subject_count = 0, expected = 0;
    Err err;
    for (uint32_t i = 0; i < PEOPLE; i++)
        if (set >> i & 1) subjects[subject_count++] = (ProfileSubject){ i, owns_early, &until };
    ProfileSubjects all = { subjects, subject_count };
    assert_int_equal(profile_read_traits(reader, all, &scratch, &got, &err), OK);
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
    assert_int_equal(profile_read_groups(reader, all, &scratch, &got, &err), OK);
    for (int key = 0; key < KEYS; key++) expected += model_current(w, count, set, until, key, true) != NULL;
    return got.count == expected;
}

/* Traits of groups by the last write of anybody; the members of each. */
static bool check_groups(struct profile_reader *reader, const Written *w, int count, Arena scratch)
{
    for (int key = 0; key < KEYS; key++) {
        const Written *last = model_current(w, count, ~0u, LATER, key, true);
        ProfileValues got;
        ProfileMember room[PEOPLE + 1];
        ProfileMembers members = { .items = room, .max = PEOPLE + 1 };
        size_t expected = 0;
        Err err;
        Status s = profile_read_group(reader, str_from(keys[key]), &scratch, &got, &err);
        if ((s == ERR_NOT_FOUND) != !last) return false;
        if (last && got.count != (size_t)(last->value != 0)) return false;
        if (last && last->value && !str_equal(got.items[0].json, str_from(values[last->value]))) return false;
        assert_int_equal(profile_list_group_members(reader, str_from(keys[key]), NULL, &members, &err), OK);
        for (unsigned i = 0; i < PEOPLE; i++) expected += model_current(w, count, 1u << i, LATER, key, true) != NULL;
        if (members.count != expected) return false;
    }
    return true;
}

/* History tells, within its bounds, the same in every order: here that of the order that it is compared with. */
static bool has_same_history(struct profile_reader *a, struct profile_reader *b, Arena scratch)
{
    for (uint32_t i = 0; i < PEOPLE; i++) {
        ProfileSubject subject = { i, NULL, NULL };
        ProfileValues of_a, of_b;
        Err err;
        assert_int_equal(profile_read_history(a, (ProfileSubjects){ &subject, 1 }, STR(""), &scratch, &of_a, &err), OK);
        assert_int_equal(profile_read_history(b, (ProfileSubjects){ &subject, 1 }, STR(""), &scratch, &of_b, &err), OK);
        if (of_a.count != of_b.count) return false;
        for (size_t k = 0; k < of_a.count; k++)
            if (!str_equal(of_a.items[k].json, of_b.items[k].json) || of_a.items[k].time_ms != of_b.items[k].time_ms ||
                !str_equal(of_a.items[k].message_id, of_b.items[k].message_id)) return false;
    }
    return true;
}

/* Who ever wrote a string into the trait that is a name, found by its beginning. */
static bool check_names(struct profile_reader *reader, const Written *w, int count)
{
    uint32_t found[PEOPLE + 1];
    size_t found_count;
    unsigned expected = 0, got = 0;
    Err err;
    for (int i = 0; i < count; i++)
        if (!w[i].is_group && w[i].key == 0 && w[i].value == 3) expected |= 1u << w[i].subject;
    assert_int_equal(profile_find_name(reader, STR("A"), PEOPLE + 1, found, &found_count, &err), OK);
    for (size_t i = 0; i < found_count; i++) got |= 1u << found[i];
    return got == expected && found_count == (size_t)__builtin_popcount(expected);
}

struct lasts { const Written *w; Written of[PEOPLE]; bool is_known[PEOPLE]; };

static bool note_last(void *context, const ProfileValue *value)
{
    struct lasts *lasts = context;
    Written *last = &lasts->of[value->subject], now = { .time = (int)value->time_ms };
    snprintf(now.id, sizeof now.id, "%.*s", STR_FORMAT(value->message_id));
    while (!str_equal(str_from(values[now.value]), value->json)) now.value++;
    if (lasts->is_known[value->subject] && in_order(&now, last) <= 0) return true;
    *last = now;
    lasts->is_known[value->subject] = true;
    return true;
}

static bool check_everybody(struct profile_reader *reader, const Written *w, int count)
{
    struct lasts lasts = { .w = w };
    Err err;
    assert_int_equal(profile_visit_trait(reader, str_from(keys[1]), note_last, &lasts, &err), OK);
    for (uint32_t subject = 0; subject < PEOPLE; subject++) {
        const Written *last = model_current(w, count, 1u << subject, LATER, 1, false);
        if (!last != !lasts.is_known[subject]) return false;
        if (last && in_order(last, &lasts.of[subject])) return false;
    }
    return true;
}

static void save(struct profile *profile, struct kv *kv)
{
    struct kv_txn *txn;
    Err err;
    assert_int_equal(kv_begin_write(kv, &txn, &err), OK);
    assert_int_equal(profile_save(profile, txn, &err), OK);
    assert_int_equal(kv_commit(txn, &err), OK);
    profile_end_save(profile, true);
}

static void write_all(struct fake_dice *dice, struct profile *profile, struct kv *kv, const Written *w, int count)
{
    int order[2 * WRITES], ops = 0;
    unsigned saves_per_mille = fake_dice_chance(dice, 700) ? 0 : 100;
    for (int i = 0; i < count; i++) {
        order[ops++] = i;
        if (fake_dice_chance(dice, 300)) order[ops++] = i;
    }
    for (int i = ops - 1; i >= 0; i--) {
        int k = (int)fake_dice_below(dice, (uint64_t)i + 1), at = order[k];
        order[k] = order[i];
        write_one(profile, &w[at]);
        if (fake_dice_chance(dice, saves_per_mille)) save(profile, kv);
    }
}

struct stores { struct kv *a, *b; char dirs[2][40]; };

static struct profile *open_profile(struct kv *kv)
{
    ProfileOptions options = { kv, SUBJECTS, GROUPS, MEMBERS, NAMES };
    return profile_open(&options);
}

static struct profile_reader *begin_reading(struct profile *profile)
{
    struct profile_reader *reader;
    Err err;
    assert_int_equal(profile_begin_reading(profile, &reader, &err), OK);
    return reader;
}

static void clear(struct kv *kv)
{
    struct kv_txn *txn;
    Err err;
    assert_int_equal(kv_begin_write(kv, &txn, &err), OK);
    for (size_t table = 0; table < countof(tables); table++) assert_int_equal(kv_clear(txn, table, &err), OK);
    assert_int_equal(kv_commit(txn, &err), OK);
}

static void open_stores(struct stores *stores)
{
    Err err;
    for (int i = 0; i < 2; i++) {
        snprintf(stores->dirs[i], sizeof stores->dirs[i], "/tmp/onym-profile-XXXXXX");
        assert_non_null(mkdtemp(stores->dirs[i]));
        KvOptions options = { .dir = stores->dirs[i], .tables = tables, .table_count = 4 };
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
        Written w[WRITES];
        fake_dice_init(&dice, seed + (uint64_t)round);
        int count = 1 + (int)fake_dice_below(&dice, WRITES);
        for (int i = 0; i < count; i++) {
            w[i] = (Written){ (uint32_t)fake_dice_below(&dice, PEOPLE), (int)fake_dice_below(&dice, KEYS),
                              (int)fake_dice_below(&dice, countof(values)), (int)fake_dice_below(&dice, 8), "",
                              fake_dice_chance(&dice, 200) };
            snprintf(w[i].id, sizeof w[i].id, "%c%d", "abz"[fake_dice_below(&dice, 3)], i);
        }
        struct profile *a = open_profile(stores.a), *b = open_profile(stores.b);
        struct profile_reader *read_a = begin_reading(a), *read_b = begin_reading(b);
        if (fake_dice_chance(&dice, 500)) (void)check_groups(read_a, w, 0, region_arena(&region));    /* reads early */
        write_all(&dice, a, stores.a, w, count);
        write_all(&dice, b, stores.b, w, count);
        bool ok = has_same_history(read_a, read_b, region_arena(&region)) &&
                  check_groups(read_a, w, count, region_arena(&region)) &&
                  check_names(read_a, w, count) && check_everybody(read_a, w, count);
        for (unsigned set = 0; ok && set < 1u << PEOPLE; set++)
            ok = check_person(read_a, w, count, set, (int)fake_dice_below(&dice, 9), region_arena(&region));
        profile_end_reading(read_a);
        profile_end_reading(read_b);
        bool is_saved = a->saves || b->saves;
        profile_close(a);
        profile_close(b);
        if (is_saved) clear(stores.a), clear(stores.b);
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
    struct region region;
    ProfileValues got;
    Err err;
    (void)state;
    region_open(&region, 1 << 24);
    open_stores(&stores);
    struct profile *profile = open_profile(stores.a);
    struct profile_reader *reader = begin_reading(profile);
    for (uint32_t subject = 0; subject < 2; subject++) {
        for (int i = 0; i < 200; i++) {
            char json[16], id[16];
            snprintf(json, sizeof json, "%d", i / 3);
            snprintf(id, sizeof id, "m%d", i);
            ProfileWrite write = { i, str_from(id), (uint64_t)i, 0 };
            ProfileTrait trait = { STR("step"), str_from(json) };
            ProfileWriter writer = { .subject = subject, .keeps_all = subject == 1 };
            assert_int_equal(profile_set_traits(profile, &writer, &write, &trait, 1, &err), OK);
        }
        ProfileSubject one = { subject, NULL, NULL };
        Arena arena = region_arena(&region);
        ProfileSubjects alone = { &one, 1 };
        assert_int_equal(profile_read_history(reader, alone, STR("step"), &arena, &got, &err), OK);
        assert_int_equal(got.count, subject == 1 ? PROFILE_HISTORY : 2 * PROFILE_HISTORY);
        assert_true(str_equal(got.items[0].json, STR("66")));
        assert_int_equal(got.items[0].time_ms, 199);
    }
    for (int i = 0; i < PROFILE_KEYS + 10; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        ProfileWrite write = { 1000 + i, STR("m"), 0, 0 };
        ProfileTrait trait = { str_from(key), STR("true") };
        assert_int_equal(profile_set_traits(profile, &(ProfileWriter){ 0 }, &write, &trait, 1, &err), OK);
    }
    ProfileSubject one = { 0, NULL, NULL };
    Arena arena = region_arena(&region);
    assert_int_equal(profile_read_traits(reader, (ProfileSubjects){ &one, 1 }, &arena, &got, &err), OK);
    assert_int_equal(got.count, PROFILE_KEYS);
    assert_int_equal(profile_erase(profile, 0, (Hash128){ 0 }, INT64_MIN, INT64_MAX, &err), OK);
    assert_int_equal(profile_read_traits(reader, (ProfileSubjects){ &one, 1 }, &arena, &got, &err), OK);
    assert_int_equal(got.count, 0);
    profile_end_reading(reader);
    profile_close(profile);
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
