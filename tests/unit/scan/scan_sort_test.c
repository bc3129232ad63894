/* scan_sort: hits by key keep their order among equals; one person's hits go by time, then steps; and it is said
 * whether two are at one millisecond. Against an insertion sort, over sizes around each of the ways that are taken. */
#include "scan/scan_sort.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MOST = 3000 };

static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % below;
}

static Hit *make_hits(uint32_t count)
{
    Hit *hits = calloc(count + 1, sizeof *hits);
    check(hits);
    for (uint32_t at = 0; at < count; at++) hits[at].ref = at;          /* where it stood */
    return hits;
}

static void hits_of_one_key_stay_in_their_order(void **state)
{
    static const struct { uint32_t count, from, range; } rows[] = {
        { 0, 7, 1 }, { 1, 7, 1 }, { 2, 0, 2 }, { 100, 500, 1 }, { 100, 500, 2 }, { 1000, 0, 3 },
        { 1000, 1u << 31, 16383 }, { 1000, 9, 16384 }, { 1000, 9, 16385 }, { 3000, 1, 1u << 20 },
        { 3000, 0, UINT32_MAX },
    };
    (void)state;
    for (size_t row = 0; row < countof(rows); row++) {
        uint32_t count = rows[row].count, least = UINT32_MAX, greatest = 0;
        Hit *hits = make_hits(count), *spare = make_hits(count);
        random_state = row + 1;
        for (uint32_t at = 0; at < count; at++) {
            uint32_t key = hits[at].key = rows[row].from + draw(rows[row].range);
            if (key < least) least = key;
            if (key > greatest) greatest = key;
        }
        Hit *sorted = hits_sort_by_key(hits, spare, count, count ? least : 0, greatest);
        assert_true(sorted == hits || sorted == spare);
        for (uint32_t at = 1; at < count; at++) {
            const Hit *before = &sorted[at - 1], *here = &sorted[at];
            assert_true(before->key < here->key || (before->key == here->key && before->ref < here->ref));
        }
        free(hits), free(spare);
    }
}

/* By time, then steps; what is equal in both may stand in any order. */
static void check_by_time(Hit *hits, uint32_t count)
{
    Hit *wanted = make_hits(count), *spare = make_hits(count);
    bool has_ties = false;
    memcpy(wanted, hits, count * sizeof *hits);
    for (uint32_t at = 1; at < count; at++)
        for (uint32_t to = at; to > 0 && chain_hit_is_before(&wanted[to], &wanted[to - 1]); to--) {
            Hit hit = wanted[to];
            wanted[to] = wanted[to - 1];
            wanted[to - 1] = hit;
        }
    for (uint32_t at = 1; at < count; at++) has_ties |= wanted[at].time_ms == wanted[at - 1].time_ms;
    assert_int_equal(hits_sort_by_time(hits, count, spare), has_ties);
    uint64_t seen = 0, all = 0;
    for (uint32_t at = 0; at < count; at++) {
        assert_true(hits[at].time_ms == wanted[at].time_ms && hits[at].steps == wanted[at].steps);
        seen += hits[at].ref, all += at;
    }
    assert_int_equal(seen, all);                             /* none is lost, none twice */
    free(wanted), free(spare);
}

static void a_persons_hits_go_by_time_and_ties_are_told(void **state)
{
    static const uint32_t counts[] = { 0, 1, 2, 3, SHORT_COUNT, SHORT_COUNT + 1, 49, 100, 700 };
    static const uint32_t ranges[] = { 1, 2, 30, 1000000 };
    (void)state;
    for (size_t size = 0; size < countof(counts); size++)
        for (size_t range = 0; range < countof(ranges); range++) {
            Hit *hits = make_hits(counts[size]);
            random_state = size * 10 + range + 1;
            for (uint32_t at = 0; at < counts[size]; at++) {
                hits[at].time_ms = (Millis)draw(ranges[range]) - (Millis)ranges[range] / 2;
                hits[at].steps = draw(4);
            }
            check_by_time(hits, counts[size]);
            for (uint32_t at = 0; at < counts[size]; at++) hits[at].ref = at;
            check_by_time(hits, counts[size]);               /* in order already */
            free(hits);
        }
}

static void hits_backwards_are_turned_round(void **state)
{
    (void)state;
    Hit *hits = make_hits(MOST);
    for (uint32_t at = 0; at < MOST; at++) hits[at].time_ms = MOST - at;
    check_by_time(hits, MOST);
    free(hits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hits_of_one_key_stay_in_their_order),
        cmocka_unit_test(a_persons_hits_go_by_time_and_ties_are_told),
        cmocka_unit_test(hits_backwards_are_turned_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
