/* derive_many: the same as the table of everything, where values fit; where they do not, the frequent ones stay. */
#include "derive/derive_many.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { PEOPLE = 5000, WRITES = 40000, PRO = 10, TEXT = 64, ROOMY = 64 << 20, NARROW = 128 << 10 };

struct write { uint32_t person; ProfileValue value; char json[TEXT], id[TEXT]; };

static struct write *writes;
static struct latest_table right;

/* Every tenth person says "pro" and nothing else; the others something of their own. At few instants many tie. */
static void make_writes(bool have_own_values, int instants)
{
    srand(7);
    writes = calloc(WRITES, sizeof *writes);
    assert_non_null(writes);
    assert_true(latest_open(&right, ROOMY));
    for (int at = 0; at < WRITES; at++) {
        struct write *write = &writes[at];
        write->person = (uint32_t)rand() % PEOPLE;
        if (write->person % PRO == 0) snprintf(write->json, TEXT, "\"pro\"");
        else if (have_own_values) snprintf(write->json, TEXT, "\"%d-%d\"", at, rand());
        else snprintf(write->json, TEXT, "%d", rand() % 50);
        snprintf(write->id, TEXT, "m-%d", rand() % 3);
        write->value = (ProfileValue){ .json = str_from(write->json), .message_id = str_from(write->id),
                                       .time_ms = 1700000000000 + rand() % instants };
        assert_true(latest_put(&right, write->person, STR(""), &write->value));
    }
}

static void done(struct many *many)
{
    many_close(many);
    latest_close(&right);
    free(writes);
}

static void put_all(struct many *many)
{
    int passes = 0;
    do for (int at = 0; at < WRITES; at++) many_put(many, writes[at].person, &writes[at].value);
    while (many_next_pass(many) && ++passes < 10);
    assert_true(passes < 10);
}

/* How many people's value was not kept; all others' are right. */
static int compare(const struct many *many, bool must_know_pro)
{
    int unkept = 0;
    for (uint32_t person = 0; person < PEOPLE + 10; person++) {
        const struct latest *row = latest_find(&right, person, STR(""));
        Str found = many_find(many, person);
        if (!row) assert_int_equal(found.len, 0);
        else if (!str_equal(found, latest_json(&right, row))) {
            assert_true(str_equal(found, STR("{}")) && many_is_unkept(found));
            assert_true(person % PRO != 0 || !must_know_pro);
            unkept++;
        }
    }
    return unkept;
}

static void values_that_fit_are_all_told(void **state)
{
    struct many many;
    (void)state;
    make_writes(true, 20);
    assert_true(many_open(&many, PEOPLE, ROOMY));
    put_all(&many);
    assert_int_equal(compare(&many, true), 0);
    done(&many);
}

static void few_values_of_many_people_fit_anywhere(void **state)
{
    struct many many;
    (void)state;
    make_writes(false, 3);
    assert_true(many_open(&many, PEOPLE, NARROW));
    put_all(&many);
    compare(&many, false);                               /* those who tie are too many for this table */
    assert_true(many.ties.is_full);
    done(&many);
    make_writes(false, 3);
    assert_true(many_open(&many, PEOPLE, 4 << 20));
    put_all(&many);
    assert_int_equal(compare(&many, true), 0);
    done(&many);
}

static void of_too_many_values_the_frequent_ones_stay(void **state)
{
    struct many many;
    (void)state;
    make_writes(true, 20);
    assert_true(many_open(&many, PEOPLE, 512 << 10));
    put_all(&many);
    assert_true(many.values.is_folded);
    assert_false(many.ties.is_full);
    int unkept = compare(&many, true);
    assert_true(unkept > PEOPLE / 2 && unkept < PEOPLE);
    done(&many);
}

static void people_alone_may_be_too_many(void **state)
{
    struct many many;
    (void)state;
    assert_false(many_open(&many, PEOPLE, PEOPLE));
    many_close(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_that_fit_are_all_told),
        cmocka_unit_test(few_values_of_many_people_fit_anywhere),
        cmocka_unit_test(of_too_many_values_the_frequent_ones_stay),
        cmocka_unit_test(people_alone_may_be_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
