/* os_file: what is written whole is there after a power cut. */
#include "os/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "tests/fakes/fakes.h"

/* The power goes at each call in turn: the file is the old or the new one. */
static void a_file_is_the_old_or_the_new_one(void **state)
{
    (void)state;
    bool is_over = false, was_old = false;
    for (uint64_t call = 1; !is_over; call++) {
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct fake_disk fake;
            Err err;
            fake_disk_init(&fake, seed);
            assert_int_equal(fake.disk.make_dir(&fake.disk, "/data", &err), OK);
            assert_int_equal(fake.disk.sync_dir(&fake.disk, "/", &err), OK);
            assert_int_equal(disk_write_file(&fake.disk, "/data/file", STR("old"), &err), OK);
            fake.fault = DISK_FAULT_CRASH;
            fake.fail_at_call = fake.calls + call;
            is_over = disk_write_file(&fake.disk, "/data/file", STR("the new one"), &err) == OK;
            fake_disk_die(&fake);
            fake_disk_restart(&fake, true);
            Str text = fake_disk_peek(&fake, "/data/file");
            assert_true(str_equal(text, STR("the new one")) || (!is_over && str_equal(text, STR("old"))));
            was_old |= str_equal(text, STR("old"));
            fake_disk_done(&fake);
        }
        assert_true(call < 20);
    }
    assert_true(was_old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_the_old_or_the_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
