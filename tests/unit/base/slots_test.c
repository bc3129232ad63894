/* slots: against a plain search, with hashes that all collide, after clearing, and without memory. */
#include <stddef.h>
#include <stdbool.h>
#include <stdlib.h>

static bool is_without_memory;
static void *give(size_t count, size_t bytes) { return is_without_memory ? NULL : calloc(count, bytes); }
#define calloc give
#include "base/slots.c"
#undef calloc

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { KEYS = 5000 };

static uint32_t find(const struct slots *slots, const uint64_t *keys, uint64_t hash, uint64_t key)
{
    for (uint32_t at, probe = 0; (at = slots_next(slots, hash, &probe)) != SLOTS_NONE;)
        if (keys[at] == key) return at;
    return SLOTS_NONE;
}

static uint64_t all_equal(uint64_t key) { return (void)key, 7; }
static uint64_t few(uint64_t key) { return (key % 13) << 32; }
static uint64_t lower_half_only(uint64_t key) { return key & UINT32_MAX; }
static uint64_t good(uint64_t key) { return hash_64(str_of(&key, sizeof key), 1); }

static void it_finds_what_a_plain_search_finds(void **state)
{
    (void)state;
    static const struct { uint64_t (*hash)(uint64_t); uint32_t keys; } rows[] = {
        { all_equal, 300 }, { few, 1000 }, { lower_half_only, 300 }, { good, KEYS },
    };
    for (size_t row = 0; row < countof(rows); row++) {
        struct slots slots = { 0 };
        static uint64_t keys[KEYS];
        assert_int_equal(find(&slots, keys, rows[row].hash(3), 3), SLOTS_NONE);
        for (int round = 0; round < 2; round++) {                       /* the second time after it was cleared */
            for (uint32_t at = 0; at < rows[row].keys; at++) {
                keys[at] = at * 3;
                assert_true(slots_reserve(&slots, at + 1));
                slots_put(&slots, rows[row].hash(keys[at]), at);
                assert_true(slots.count <= slots.capacity / 2);
            }
            for (uint32_t key = 0; key < rows[row].keys * 3; key++)
                assert_int_equal(find(&slots, keys, rows[row].hash(key), key), key % 3 ? SLOTS_NONE : key / 3);
            slots_clear(&slots);
            assert_int_equal(find(&slots, keys, rows[row].hash(3), 3), SLOTS_NONE);
        }
        slots_done(&slots);
    }
}

static void without_memory_everything_stays(void **state)
{
    (void)state;
    struct slots slots = { 0 };
    static uint64_t keys[100];
    is_without_memory = true;
    assert_false(slots_reserve(&slots, 1));
    is_without_memory = false;
    uint32_t count = 0;
    for (uint32_t failures = 0; count < 100;) {
        uint32_t capacity = slots.capacity;
        is_without_memory = failures % 2 == 0;
        if (!slots_reserve(&slots, count + 1)) {
            assert_int_equal(slots.capacity, capacity);
            assert_int_equal(slots.count, count);
            failures++;
            continue;
        }
        is_without_memory = false;
        if (slots.capacity != capacity) failures++;
        keys[count] = count;
        slots_put(&slots, good(count), count);
        count++;
        for (uint32_t at = 0; at < count; at++) assert_int_equal(find(&slots, keys, good(at), at), at);
    }
    is_without_memory = false;
    slots_done(&slots);
}

static void laid_ones_hold_what_they_were_laid_for(void **state)
{
    (void)state;
    static uint64_t keys[1000];
    for (uint32_t count = 0; count <= countof(keys); count = count < 70 ? count + 1 : count * 2) {
        struct region region;
        struct slots slots;
        region_open(&region, slots_bytes(count));
        Arena arena = region_arena(&region);
        slots_lay(&slots, &arena, count);
        for (uint32_t at = 0; at < count; at++) {
            keys[at] = at * 3;
            slots_put(&slots, good(keys[at]), at);
        }
        for (uint32_t key = 0; key < count * 3; key++)
            assert_int_equal(find(&slots, keys, good(key), key), key % 3 ? SLOTS_NONE : key / 3);
        assert_int_equal(find(&slots, keys, good(1), 1), SLOTS_NONE);
        region_close(&region);
    }
}

static void more_than_the_most_is_refused(void **state)
{
    (void)state;
    struct slots slots = { 0 };
    assert_false(slots_reserve(&slots, (uint32_t)SLOTS_MOST + 1));
    assert_false(slots_reserve(&slots, UINT32_MAX));
    assert_null(slots.entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_what_a_plain_search_finds),
        cmocka_unit_test(without_memory_everything_stays),
        cmocka_unit_test(laid_ones_hold_what_they_were_laid_for),
        cmocka_unit_test(more_than_the_most_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
