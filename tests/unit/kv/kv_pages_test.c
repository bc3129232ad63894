#include "kv/kv_pages.c"
#include "tests/fakes/fakes.h"

#include <fcntl.h>
#include <lmdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { ROWS, OTHER };
static const char *const tables[] = { "rows", "other" };
static char dir[64], path[96];

static void make_dir(void)
{
    snprintf(dir, sizeof dir, "%s/onym-kv-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/data.mdb", dir);
}

static void remove_dir(void)
{
    assert_int_equal(kv_destroy(dir, NULL), OK);
    rmdir(dir);
}

static Status try_open(struct kv **ret, Err *err)
{
    return kv_open(&(KvOptions){ .dir = dir, .tables = tables, .table_count = 2, .max_bytes = 1 << 30 }, ret, err);
}

static struct kv *open_kv(void)
{
    struct kv *kv;
    Err err;
    Status s = try_open(&kv, &err);
    if (s) fail_msg("%s", err.text);
    return kv;
}

static void expect_sound(void)
{
    KvPages pages;
    Err err = { 0 };
    Status s = kv_pages_check(os_disk(), path, tables, 2, &pages, &err);
    if (s) fail_msg("a sound file is called damaged: %s", err.text);
    assert_true(pages.has_sums);
}

/* ---- A store with everything in it ---- */

/* Long keys make a deep tree, long values pages of their own; what is removed makes free pages. */
static void change(struct kv *kv, struct fake_dice *dice, int count)
{
    static char value[40000];
    struct kv_txn *txn;
    Err err;
    assert_int_equal(kv_begin_write(kv, &txn, &err), OK);
    for (int i = 0; i < count; i++) {
        char key[KV_KEY_BYTES];
        size_t table = fake_dice_below(dice, 2), key_bytes = 4 + fake_dice_below(dice, 2) * fake_dice_below(dice, 500);
        size_t bytes = fake_dice_below(dice, fake_dice_chance(dice, 100) ? sizeof value : 200);
        void *room;
        memset(key, 'k', sizeof key);
        kv_key_u32(key, (uint32_t)fake_dice_below(dice, 400));
        memset(value, 'a' + (int)fake_dice_below(dice, 26), bytes);
        Str name = { key, key_bytes };
        if (fake_dice_chance(dice, 350)) {
            assert_int_equal(kv_remove(txn, table, name, &err), OK);
        } else if (fake_dice_chance(dice, 300)) {
            assert_int_equal(kv_reserve(txn, table, name, bytes, &room, &err), OK);
            memcpy(room, value, bytes);
        } else {
            assert_int_equal(kv_put(txn, table, name, (Str){ value, bytes }, &err), OK);
        }
    }
    if (fake_dice_chance(dice, 20)) assert_int_equal(kv_clear(txn, OTHER, &err), OK);
    if (fake_dice_chance(dice, 100)) kv_abort(txn);
    else assert_int_equal(kv_commit(txn, &err), OK);
}

/* A number of all that is in it; false: something could not be read, and that was said. */
static bool tell(struct kv *kv, uint64_t *ret)
{
    struct kv_txn *txn;
    uint64_t told = 0;
    Err err;
    Status s = kv_begin_read(kv, &txn, &err);
    if (s) return assert_int_equal(s, ERR_DAMAGED), false;
    for (size_t table = 0; table < 2 && (!s || s == ERR_NOT_FOUND); table++) {
        struct kv_cursor *cursor;
        Str key, value, got;
        s = kv_cursor_open(txn, table, &cursor, &err);
        if (s) break;
        s = kv_find(cursor, STR(""), &key, &value, &err);
        for (; !s; s = s ? s : kv_next(cursor, &key, &value, &err)) {
            told = hash_64(key, hash_64(value, told + table));
            s = kv_get(txn, table, key, &got, &err);
            if (!s) assert_true(str_equal(got, value));
        }
        kv_cursor_close(cursor);
    }
    kv_end_read(txn);
    if (s != ERR_NOT_FOUND) return assert_int_equal(s, ERR_DAMAGED), false;
    *ret = told;
    return true;
}

static void every_sound_file_is_called_sound(void **state)
{
    struct fake_dice dice;
    const char *rounds_text = getenv("ROUNDS");
    int rounds = rounds_text ? (int)strtol(rounds_text, NULL, 10) : 12;
    fake_dice_init(&dice, fake_seed("kv_pages"));
    (void)state;
    for (int round = 0; round < rounds; round++) {
        uint64_t before, after;
        make_dir();
        struct kv *kv = open_kv();
        expect_sound();
        for (int step = 0; step < 40; step++) {
            change(kv, &dice, 1 + (int)fake_dice_below(&dice, step % 10 == 0 ? 600 : 40));
            expect_sound();
            if (fake_dice_chance(&dice, 50)) {
                assert_int_equal(kv_rewrite(kv, 0, NULL), OK);
                expect_sound();
            }
        }
        assert_true(tell(kv, &before));
        kv_close(kv);
        kv = open_kv();
        assert_true(tell(kv, &after) && before == after);
        kv_close(kv);
        remove_dir();
    }
}

/* ---- Damage ---- */

struct image { char *bytes; size_t count; };

static struct image read_image(void)
{
    struct stat about;
    int file = open(path, O_RDONLY);
    assert_true(file >= 0 && fstat(file, &about) == 0);
    struct image image = { malloc((size_t)about.st_size + 1), (size_t)about.st_size };
    assert_true(read(file, image.bytes, image.count) == about.st_size);
    close(file);
    return image;
}

static void write_image(const char *bytes, size_t count)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0 && write(file, bytes, count) == (ssize_t)count);
    close(file);
}

static void damage(struct fake_dice *dice, char *bytes, size_t *count)
{
    enum { PAGE = 4096 };
    size_t pages = *count / PAGE, at = fake_dice_below(dice, *count), page = fake_dice_below(dice, pages),
           other = fake_dice_below(dice, pages);
    char swapped[PAGE];
    switch (fake_dice_below(dice, 12)) {
    case 0: *count = fake_dice_below(dice, *count - 1) + 1; break;
    case 1: memset(bytes + page * PAGE, 0, PAGE); break;
    case 2: memmove(bytes + page * PAGE, bytes + other * PAGE, PAGE); break;
    case 3:
        memcpy(swapped, bytes + page * PAGE, PAGE);
        memmove(bytes + page * PAGE, bytes + other * PAGE, PAGE);
        memcpy(bytes + other * PAGE, swapped, PAGE);
        break;
    case 4: memset(bytes + page * PAGE, 0xff, PAGE); break;
    case 5:                                                   /* among what LMDB believes: heads and offsets */
    case 6: case 7: case 8: at = page * PAGE + fake_dice_below(dice, 160); /* fallthrough */
    default: bytes[at] ^= (char)(1 << fake_dice_below(dice, 8)); break;
    }
}

static void damage_is_said_or_harmless(void **state)
{
    const char *rounds_text = getenv("ROUNDS");
    int rounds = rounds_text ? (int)strtol(rounds_text, NULL, 10) * 100 : 1500, said = 0;
    struct fake_dice dice;
    uint64_t before, after;
    fake_dice_init(&dice, fake_seed("kv_damage"));
    (void)state;
    make_dir();
    struct kv *kv = open_kv();
    for (int step = 0; step < 20; step++) change(kv, &dice, 60);
    assert_true(tell(kv, &before));
    kv_close(kv);
    struct image image = read_image();
    char *bytes = malloc(image.count + 1);
    for (int round = 0; round < rounds; round++) {
        Err err = { 0 };
        size_t count = image.count;
        memcpy(bytes, image.bytes, image.count);
        damage(&dice, bytes, &count);
        write_image(bytes, count);
        Status s = try_open(&kv, &err);
        if (s) {
            assert_int_equal(s, ERR_DAMAGED);
            assert_non_null(strstr(err.text, "data.mdb"));
            said++;
            continue;
        }
        if (!tell(kv, &after)) fail_msg("round %d: found only when it was read", round);
        if (before != after) fail_msg("round %d: other rows, and nobody says so", round);
        change(kv, &dice, 5);                                /* and it can be written */
        kv_close(kv);
        expect_sound();                                      /* nothing was left for LMDB to carry on */
    }
    assert_true(said > rounds / 4);
    free(bytes);
    free(image.bytes);
    remove_dir();
}

/* LMDB passes over a page that says that it is dirty, loose or kept when it writes: so what comes after is lost. */
static void every_bit_of_a_head_in_use_is_looked_at(void **state)
{
    enum { PAGE = 4096, PAD_AT = 8, PAD_END = 10 };
    struct fake_dice dice;
    int heads = 0;
    (void)state;
    fake_dice_init(&dice, 11);
    make_dir();
    struct kv *kv = open_kv();
    for (int step = 0; step < 6; step++) change(kv, &dice, 30);
    kv_close(kv);
    struct image image = read_image();
    for (size_t page = 0; page < image.count; page += PAGE) {
        /* A free page keeps its old head, which nobody reads: in use is where another number is found out. */
        char *at = image.bytes + page, number = *at;
        KvPages pages;
        *at ^= 1;
        write_image(image.bytes, image.count);
        *at = number;
        if (kv_pages_check(os_disk(), path, tables, 2, &pages, NULL) == OK) continue;
        heads++;
        for (size_t bit = 0; bit < HEAD * 8; bit++) {
            if (bit / 8 >= PAD_AT && bit / 8 < PAD_END) continue;
            if (page < 2 * PAGE && bit / 8 >= PAD_END + 2) continue;        /* metas have no offsets */
            at[bit / 8] ^= (char)(1 << bit % 8);
            write_image(image.bytes, image.count);
            at[bit / 8] ^= (char)(1 << bit % 8);
            if (kv_pages_check(os_disk(), path, tables, 2, &pages, NULL) != ERR_DAMAGED)
                fail_msg("page %zu: bit %zu of its head is not looked at", page / PAGE, bit);
        }
    }
    assert_true(heads > 10);
    free(image.bytes);
    remove_dir();
}

static void a_file_cut_while_it_is_open_is_an_error(void **state)
{
    struct fake_dice dice;
    struct kv_txn *txn;
    uint64_t told;
    Err err;
    (void)state;
    fake_dice_init(&dice, 7);
    for (unsigned part = 0; part < 4; part++) {
        make_dir();
        struct kv *kv = open_kv();
        for (int step = 0; step < 20; step++) change(kv, &dice, 60);
        struct image image = read_image();
        assert_true(tell(kv, &told));
        assert_null(kv_damage(kv));
        assert_int_equal(truncate(path, (off_t)(image.count * part / 4)), 0);
        assert_false(tell(kv, &told));
        assert_non_null(strstr(kv_damage(kv), "cut while it was in use"));
        Status s = kv_begin_write(kv, &txn, &err);
        if (!s) {
            (void)!kv_put(txn, ROWS, STR("a"), STR("b"), &err);
            assert_int_equal(kv_commit(txn, &err), ERR_DAMAGED);
        }
        kv_close(kv);
        free(image.bytes);
        remove_dir();
    }
}

static void another_value_under_a_key_is_noticed(void **state)
{
    Str a = STR("rows"), key = STR("k"), value = STR("v");
    uint64_t sum = kv_sum(a, key, value);
    (void)state;
    assert_true(sum != kv_sum(STR("other"), key, value) && sum != kv_sum(a, STR("l"), value));
    assert_true(sum != kv_sum(a, key, STR("w")) && sum != kv_sum(a, STR(""), STR("kv")));
    assert_true(sum != kv_sum(a, STR("kv"), STR("")));
}

/* ---- Of before checksums ---- */

static void a_file_of_before_checksums_gets_them(void **state)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    struct kv_txn *reader;
    Str value;
    Err err;
    (void)state;
    make_dir();
    assert_int_equal(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 16);
    assert_int_equal(mdb_env_open(env, dir, MDB_NOTLS, 0600), 0);
    for (size_t one = 0; one < 2; one++) {
        MDB_val k = { 1, "a" }, v = { 3, one ? "two" : "one" };
        assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
        assert_int_equal(mdb_dbi_open(txn, tables[one], MDB_CREATE, &table), 0);
        assert_int_equal(mdb_put(txn, table, &k, &v, 0), 0);
        assert_int_equal(mdb_txn_commit(txn), 0);
    }
    mdb_env_close(env);
    struct kv *kv = open_kv();
    expect_sound();
    assert_int_equal(kv_begin_read(kv, &reader, &err), OK);
    assert_int_equal(kv_get(reader, OTHER, STR("a"), &value, &err), OK);
    assert_true(str_equal(value, STR("two")));
    kv_end_read(reader);
    kv_close(kv);
    remove_dir();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sound_file_is_called_sound),
        cmocka_unit_test(damage_is_said_or_harmless),
        cmocka_unit_test(every_bit_of_a_head_in_use_is_looked_at),
        cmocka_unit_test(a_file_cut_while_it_is_open_is_an_error),
        cmocka_unit_test(another_value_under_a_key_is_noticed),
        cmocka_unit_test(a_file_of_before_checksums_gets_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
