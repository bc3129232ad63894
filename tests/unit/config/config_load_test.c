/* config_load: the file, and keys that are made once and never lost. */
#include "config/config_load.c"

#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static Err err;

static Status load(struct disk *disk, const char *file, struct region *region, Arena *arena, struct config *config)
{
    static struct config_problems problems;
    ConfigOptions request = { .file = file, .disk = disk };
    region_open(region, CONFIG_ARENA_BYTES);
    *arena = region_arena(region);
    return config_load(&request, arena, config, &problems, &err);
}

static void a_file_that_is_not_there_is_no_configuration(void **state)
{
    (void)state;
    struct fake_disk disk;
    struct region region;
    Arena arena;
    struct config config;
    fake_disk_init(&disk, 1);
    assert_int_equal(load(&disk.disk, "none.yaml", &region, &arena, &config), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "none.yaml"));
    region_close(&region);
    fake_disk_done(&disk);
}

static Status complete(struct fake_disk *disk, uint64_t seed, bool may_make, Str *ret_secret, Str *ret_key)
{
    static char kept[2][64];
    struct region region;
    Arena arena;
    struct config config;
    struct fake_dice dice;
    fake_dice_init(&dice, seed);
    assert_int_equal(load(&disk->disk, NULL, &region, &arena, &config), OK);
    config.data = STR("data");
    Status s = config_complete_keys(&config, &disk->disk, &dice.dice, may_make, &arena, &err);
    if (!s) {
        assert_int_equal(config.source_count, 1);
        snprintf(kept[0], sizeof kept[0], "%.*s", STR_FORMAT(config.secret_key));
        snprintf(kept[1], sizeof kept[1], "%.*s", STR_FORMAT(config.sources[0].write_key));
        *ret_secret = str_from(kept[0]), *ret_key = str_from(kept[1]);
    }
    region_close(&region);
    return s;
}

static void keys_are_made_once_and_outlive_a_power_cut(void **state)
{
    (void)state;
    for (uint64_t call = 1; call < 30; call++) {
        struct fake_disk disk;
        Str secret, key;
        char first[64];
        fake_disk_init(&disk, call);
        assert_int_equal(complete(&disk, 1, false, &secret, &key), ERR_NOT_FOUND);
        disk.fail_at_call = disk.calls + call;
        disk.fault = DISK_FAULT_CRASH;
        Status s = complete(&disk, 2, true, &secret, &key);
        if (s == OK) snprintf(first, sizeof first, "%.*s", STR_FORMAT(secret));
        if (!disk.is_dead) fake_disk_die(&disk);
        fake_disk_restart(&disk, true);
        Status again = complete(&disk, 3, true, &secret, &key);
        assert_int_equal(again, OK);
        if (s == OK) assert_string_equal(first, secret.bytes);
        assert_int_equal(key.len, 32);
        assert_int_equal(secret.len, 43);
        fake_disk_done(&disk);
    }
}

static void a_file_of_keys_that_lacks_one_is_told_and_not_replaced(void **state)
{
    (void)state;
    struct fake_disk disk;
    Str secret, key;
    fake_disk_init(&disk, 1);
    assert_int_equal(disk.disk.make_dir(&disk.disk, "data", &err), OK);
    fake_disk_poke(&disk, "data/keys.yaml", 0, STR("write_key: wk_1\n"));
    assert_int_equal(complete(&disk, 1, true, &secret, &key), ERR_INPUT);
    assert_non_null(strstr(err.text, "data/keys.yaml"));
    assert_true(str_equal(fake_disk_peek(&disk, "data/keys.yaml"), STR("write_key: wk_1\n")));
    fake_disk_done(&disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_not_there_is_no_configuration),
        cmocka_unit_test(keys_are_made_once_and_outlive_a_power_cut),
        cmocka_unit_test(a_file_of_keys_that_lacks_one_is_told_and_not_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
