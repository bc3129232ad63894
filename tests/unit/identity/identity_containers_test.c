/* identity_containers: the vector, the map and the set of the engine, against plain arrays, with keys that all want the
 * same place: what is removed leaves no hole in which another would be lost. */
#include "identity/identity_containers.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { KEYS = 400, TURNS = 40000 };

static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % below;
}

static void a_vector_gives_zeroed_items_and_keeps_the_others(void **state)
{
    struct vector vector = { 0 };
    (void)state;
    for (uint64_t at = 0; at < 1000; at++) {
        uint64_t *item = vector_push(&vector, sizeof *item);
        assert_int_equal(*item, 0);
        *item = at * 3 + 1;
    }
    assert_int_equal(vector.count, 1000);
    for (uint64_t at = 0; at < 1000; at++) assert_int_equal(((uint64_t *)vector.items)[at], at * 3 + 1);
    vector_done(&vector);
    assert_true(vector.count == 0 && vector.items == NULL);
}

static void a_map_finds_what_was_put_last(void **state)
{
    struct map32 map = { 0 };
    uint32_t values[KEYS] = { 0 };
    bool is_there[KEYS] = { false };
    size_t count = 0;
    (void)state;
    assert_null(map32_find(&map, 7));
    for (int turn = 0; turn < TURNS; turn++) {
        uint32_t key = draw(KEYS), value = draw(UINT32_MAX);
        count += !is_there[key];
        map32_put(&map, key, value);
        values[key] = value, is_there[key] = true;
        assert_int_equal(map.count, count);
    }
    for (uint32_t key = 0; key < KEYS; key++) {
        uint32_t *found = map32_find(&map, key);
        assert_int_equal(found != NULL, is_there[key]);
        if (!found) continue;
        assert_int_equal(*found, values[key]);
        *found = key;                                        /* what is found may be written */
        assert_int_equal(*map32_find(&map, key), key);
    }
    assert_null(map32_find(&map, KEYS));
    assert_null(map32_find(&map, UINT32_MAX));
    map32_put(&map, UINT32_MAX, 5);                          /* NONE is a key like any other */
    assert_int_equal(*map32_find(&map, UINT32_MAX), 5);
    map32_done(&map);
}

/* Keys that want one of few places, the last of the table among them: clusters, and ones that go round its end. */
static Hash128 key_at(uint32_t number, uint32_t homes)
{
    uint64_t home = number % homes == 0 ? UINT64_C(0xfffff) : number % homes;
    return (Hash128){ .high = number, .low = home << 20 | 1 };
}

static void a_set_forgets_one_key_and_no_other(void **state)
{
    static const uint32_t homes[] = { 1, 2, 7, 64 };
    (void)state;
    for (size_t way = 0; way < countof(homes); way++) {
        struct set128 set = { 0 };
        bool is_there[KEYS] = { false };
        size_t count = 0;
        random_state = way + 1;
        assert_false(set128_has(&set, key_at(1, homes[way])));
        set128_remove(&set, key_at(1, homes[way]));          /* of an empty set */
        for (int turn = 0; turn < TURNS / 4; turn++) {
            uint32_t number = draw(turn < TURNS / 8 ? KEYS / 8 : KEYS);
            Hash128 key = key_at(number, homes[way]);
            assert_int_equal(set128_has(&set, key), is_there[number]);
            bool puts = draw(2);
            if (puts) set128_put(&set, key);
            else set128_remove(&set, key);
            count += puts && !is_there[number];
            count -= !puts && is_there[number];
            is_there[number] = puts;
            assert_int_equal(set.count, count);
            uint32_t other = draw(KEYS);
            assert_int_equal(set128_has(&set, key_at(other, homes[way])), is_there[other]);
        }
        for (uint32_t number = 0; number < KEYS; number++)
            assert_int_equal(set128_has(&set, key_at(number, homes[way])), is_there[number]);
        set128_done(&set);
    }
}

static void a_key_whose_low_half_is_zero_is_a_key(void **state)
{
    struct set128 set = { 0 };
    (void)state;
    set128_put(&set, (Hash128){ .high = 3, .low = 0 });
    assert_true(set128_has(&set, (Hash128){ .high = 3, .low = 0 }));
    assert_false(set128_has(&set, (Hash128){ .high = 4, .low = 0 }));
    set128_remove(&set, (Hash128){ .high = 3, .low = 0 });
    assert_false(set128_has(&set, (Hash128){ .high = 3, .low = 0 }));
    set128_done(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vector_gives_zeroed_items_and_keeps_the_others),
        cmocka_unit_test(a_map_finds_what_was_put_last),
        cmocka_unit_test(a_set_forgets_one_key_and_no_other),
        cmocka_unit_test(a_key_whose_low_half_is_zero_is_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
