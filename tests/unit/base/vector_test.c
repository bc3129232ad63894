/* vector: growth, ceilings of every size, overflow, and no memory at every call. */
#include <stddef.h>
#include <stdlib.h>

static size_t calls, failing_call;
static void *move_or_fail(void *items, size_t bytes) { return ++calls == failing_call ? NULL : realloc(items, bytes); }
#define realloc move_or_fail
#include "base/vector.c"
#undef realloc

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void it_grows_up_to_its_ceiling_and_not_beyond(void **state)
{
    (void)state;
    for (size_t most = 0; most < 200; most++) {
        uint64_t *items = NULL;
        size_t count = 0, capacity = 0;
        while (vector_reserve(items, capacity, count + 1, most)) {
            items[count] = count;
            count++;
            assert_true(capacity >= count && capacity <= most);
        }
        assert_int_equal(count, most);
        for (size_t at = 0; at < count; at++) assert_int_equal(items[at], at);
        free(items);
    }
}

static void pushing_moves_seldom(void **state)
{
    (void)state;
    uint32_t *items = NULL;
    uint32_t count = 0, capacity = 0;
    calls = failing_call = 0;
    for (; count < 100000; count++) {
        assert_true(vector_reserve(items, capacity, count + 1, UINT32_MAX));
        items[count] = count;
    }
    assert_true(calls <= 14);
    assert_true(vector_reserve(items, capacity, 3 * (size_t)capacity, UINT32_MAX));       /* more at once */
    assert_int_equal(items[99999], 99999);
    free(items);
}

/* The capacity never says more than its type can, however near the ceiling is. */
static void a_small_type_of_capacity_is_kept(void **state)
{
    (void)state;
    char *items = NULL;
    uint8_t capacity = 0;
    for (size_t count = 1; count <= UINT8_MAX; count++) assert_true(vector_reserve(items, capacity, count, UINT8_MAX));
    assert_int_equal(capacity, UINT8_MAX);
    assert_false(vector_reserve(items, capacity, UINT8_MAX + 1, UINT8_MAX));
    assert_int_equal(capacity, UINT8_MAX);
    free(items);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    struct large { char bytes[1 << 20]; } *items = NULL;
    size_t capacity = 0;
    calls = failing_call = 0;
    assert_false(vector_reserve(items, capacity, SIZE_MAX / 2, SIZE_MAX));
    assert_false(vector_reserve(items, capacity, SIZE_MAX, SIZE_MAX));
    assert_int_equal(calls, 0);
    assert_null(items);
    assert_int_equal(capacity, 0);
}

static void without_memory_everything_stays(void **state)
{
    (void)state;
    for (failing_call = 1; failing_call <= 6; failing_call++) {
        uint64_t *items = NULL;
        size_t count = 0, capacity = 0, failures = 0;
        calls = 0;
        while (count < 400) {
            uint64_t *before = items;
            size_t room = capacity;
            if (!vector_reserve(items, capacity, count + 1, 1000)) {
                assert_ptr_equal(items, before);
                assert_int_equal(capacity, room);
                failures++;
                continue;                                   /* the next try finds some */
            }
            items[count] = count;
            count++;
        }
        assert_int_equal(failures, failing_call <= calls);
        for (size_t at = 0; at < count; at++) assert_int_equal(items[at], at);
        free(items);
    }
    failing_call = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_grows_up_to_its_ceiling_and_not_beyond),
        cmocka_unit_test(pushing_moves_seldom),
        cmocka_unit_test(a_small_type_of_capacity_is_kept),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(without_memory_everything_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
