/* ask_rank: the value at each place is the one that sorting puts there, whatever order the values come in. */
#include "ask/ask_rank.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { MOST = 3000 };

static void check_every_place(const int64_t *given, size_t count, size_t step)
{
    static int64_t sorted[MOST], values[MOST];
    memcpy(sorted, given, count * sizeof *given);
    qsort(sorted, count, sizeof *sorted, compare_integers);
    for (size_t place = 0; place < count; place += step) {
        memcpy(values, given, count * sizeof *given);
        assert_int_equal(rank_select(values, count, place), sorted[place]);
        qsort(values, count, sizeof *values, compare_integers);
        assert_memory_equal(values, sorted, count * sizeof *values);            /* moved about, and none lost */
    }
}

static void a_place_has_the_value_that_sorting_puts_there(void **state)
{
    static int64_t values[MOST];
    (void)state;
    srand(3);
    for (size_t count = 1; count <= 40; count++)
        for (int kind = 0; kind < 6; kind++) {
            for (size_t at = 0; at < count; at++)
                values[at] = kind == 0 ? (int64_t)at : kind == 1 ? -(int64_t)at : kind == 2 ? 7 : kind == 3 ? rand() % 3
                           : kind == 4 ? (at % 2 ? INT64_MAX : INT64_MIN) : (int64_t)rand() - RAND_MAX / 2;
            check_every_place(values, count, 1);
        }
}

/* Orders that make the median of three cut off a few values at each turn: it must end all the same, and be right. */
static void no_order_of_values_is_too_bad(void **state)
{
    static int64_t values[MOST];
    (void)state;
    for (size_t at = 0; at < MOST / 2; at++) {                                  /* Musser's sequence */
        values[at] = (int64_t)(at % 2 ? at + MOST / 2 : at + 1);
        values[at + MOST / 2] = (int64_t)(2 * (at + 1));
    }
    check_every_place(values, MOST, 251);
    for (size_t at = 0; at < MOST; at++) values[at] = (int64_t)(at < MOST / 2 ? at : MOST - at);      /* up and down */
    check_every_place(values, MOST, 251);
}

static void a_percentile_is_of_the_nearest_rank(void **state)
{
    static const struct { size_t count; double share; size_t place; } rows[] = {
        { 1, 0.5, 0 }, { 1, 1e-9, 0 }, { 1, 1, 0 }, { 2, 0.5, 0 }, { 2, 0.51, 1 }, { 3, 0.5, 1 }, { 4, 0.5, 1 },
        { 4, 0.75, 2 }, { 4, 0.76, 3 }, { 100, 0.99, 98 }, { 100, 0.999, 99 }, { 100, 1, 99 }, { 10, 0.1, 0 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++)
        assert_int_equal(rank_place(rows[at].count, rows[at].share), rows[at].place);
    int64_t values[] = { 40, 10, 30, 20 };
    assert_int_equal(rank_of_integers(values, 4, 0.5), 20);
    assert_int_equal(rank_of_integers(values, 4, 1), 40);
}

/* By value across zero and the infinities, and as bits again afterwards. */
static void doubles_order_as_numbers_do(void **state)
{
    double sorted[] = { -INFINITY, -1e308, -2.5, -2, -5e-324, 0, 5e-324, 0.1, 2, 2.5, 1e308, INFINITY };
    enum { COUNT = countof(sorted) };
    (void)state;
    srand(5);
    for (int round = 0; round < 200; round++) {
        double values[COUNT];
        memcpy(values, sorted, sizeof sorted);
        for (size_t at = COUNT - 1; at > 0; at--) {
            size_t other = (size_t)rand() % (at + 1);
            double kept = values[at];
            values[at] = values[other], values[other] = kept;
        }
        size_t place = (size_t)round % COUNT;
        assert_true(rank_of_doubles(values, COUNT, ((double)place + 1) / COUNT) == sorted[place]);
        for (size_t wanted = 0; wanted < COUNT; wanted++) {
            size_t found = 0;
            while (found < COUNT && memcmp(&values[found], &sorted[wanted], sizeof(double)) != 0) found++;
            assert_true(found < COUNT);
        }
    }
}

/* Ascending, none left out, and the last one has room for the greatest value. */
static void buckets_rise_with_the_values(void **state)
{
    uint32_t before = 0;
    (void)state;
    for (uint64_t value = 0; value < 1 << 16; value++) {
        uint32_t bucket = rank_bucket_of(value);
        assert_true(bucket == before || bucket == before + 1);
        before = bucket;
    }
    for (unsigned bit = 16; bit < 64; bit++) {
        uint64_t power = UINT64_C(1) << bit;
        assert_int_equal(rank_bucket_of(power), rank_bucket_of(power - 1) + 1);
        assert_int_equal(rank_bucket_of(power + (power >> 6) - 1), rank_bucket_of(power));      /* 64 an octave */
        assert_int_equal(rank_bucket_of(power + (power >> 6)), rank_bucket_of(power) + 1);
    }
    assert_int_equal(rank_bucket_of(UINT64_MAX), RANK_BUCKETS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_has_the_value_that_sorting_puts_there),
        cmocka_unit_test(no_order_of_values_is_too_bad), cmocka_unit_test(a_percentile_is_of_the_nearest_rank),
        cmocka_unit_test(doubles_order_as_numbers_do), cmocka_unit_test(buckets_rise_with_the_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
