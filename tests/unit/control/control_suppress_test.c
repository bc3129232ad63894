/* control_suppress: the table that collection asks, by many threads while it changes. */
#include "control/control_suppress.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/fakes/fakes.h"

enum { IDS = 3000, TURNS = 60000, READERS = 3 };

static struct control control;
static atomic_bool is_over;

static Str id_of(unsigned number, char text[24])
{
    return str_of(text, (size_t)snprintf(text, 24, "id-%u", number));
}

/* Of the first hundred, even ones are always suppressed, odd ones never. */
static void *ask(void *context)
{
    char text[24];
    (void)context;
    for (unsigned turn = 0; !atomic_load(&is_over); turn++) {
        Str id = id_of(turn % 100, text);
        check(control_suppresses(&control, EVENT_TRACK, id, (Str){ 0 }, (Str){ 0 }) == (turn % 2 == 0));
        check(!control_suppresses(&control, EVENT_TRACK, (Str){ 0 }, id, id));
        check(control_suppresses(&control, EVENT_ALIAS, STR("x"), (Str){ 0 }, id) == (turn % 2 == 0));
    }
    return NULL;
}

static void the_table_says_what_a_list_says_while_others_ask(void **state)
{
    static bool is_in[IDS];
    struct fake_dice dice;
    pthread_t readers[READERS];
    char text[24];
    (void)state;
    fake_dice_init(&dice, 11);
    assert_false(control_suppresses(&control, EVENT_TRACK, STR("id-0"), (Str){ 0 }, (Str){ 0 }));
    for (unsigned id = 0; id < 100; id += 2) control_add_suppressed(&control, COMMAND_USER_ID, id_of(id, text));
    for (int at = 0; at < READERS; at++) assert_int_equal(pthread_create(&readers[at], NULL, ask, NULL), 0);
    for (int turn = 0; turn < TURNS; turn++) {
        unsigned id = 100 + (unsigned)fake_dice_below(&dice, IDS - 100);
        if (fake_dice_chance(&dice, turn % 20000 < 10000 ? 700 : 300)) {
            control_add_suppressed(&control, COMMAND_USER_ID, id_of(id, text));
            is_in[id] = true;
        } else {
            control_remove_suppressed(&control, COMMAND_USER_ID, id_of(id, text));
            is_in[id] = false;
        }
        id = 100 + (unsigned)fake_dice_below(&dice, IDS - 100);
        assert_int_equal(control_suppresses(&control, EVENT_TRACK, id_of(id, text), (Str){ 0 }, (Str){ 0 }), is_in[id]);
    }
    atomic_store(&is_over, true);
    for (int at = 0; at < READERS; at++) assert_int_equal(pthread_join(readers[at], NULL), 0);
    control_forget_suppressed(&control);
    assert_false(control_suppresses(&control, EVENT_TRACK, STR("id-0"), (Str){ 0 }, (Str){ 0 }));
    control_close_suppressed(&control);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_says_what_a_list_says_while_others_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
