/* derive_traits: a trait of everybody, as questions ask for it. */
#include "derive/derive_traits.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "tests/unit/derive/derive_world.h"

enum { STRANGERS = 40, CROWD = 2000, LONG = 20000, MAX_BYTES = 128 << 10 };

/* anonymous: another id of his, which begins with "a" and goes on as this does; NULL: he has none. */
static void identify_as(const char *user, const char *anonymous, const char *plan)
{
    char json[LONG + 200];
    struct buf buf;
    char other[40] = "";
    if (anonymous) snprintf(other, sizeof other, "a%s", anonymous);
    snprintf(json, sizeof json, "{\"userId\":\"%s\",\"traits\":{\"plan\":\"%s\"}}", user, plan);
    Event event = { .type = EVENT_IDENTIFY, .source = STR("s"), .message_id = str_from(user), .user_id = str_from(user),
                    .anonymous_id = str_from(other),
                    .timestamp_ms = 1700000000000, .original_timestamp_ms = INSTANT_NONE,
                    .sent_at_ms = INSTANT_NONE, .received_at_ms = 1700000000000, .json = str_from(json) };
    buf_init(&buf, LIMIT_RECORD_BYTES);
    event_encode(&buf, &event);
    world_append(buf_str(&buf));
    buf_done(&buf);
}

static void identify(const char *user, const char *plan) { identify_as(user, NULL, plan); }

static void expect(const struct trait_table *table, const char *user, const char *json)
{
    static char memory[1 << 16];
    Str got;
    Err err;
    IdentityNode node = identity_find(world.applier->identity, IDENTITY_USER, str_from(user));
    assert_int_not_equal(node, IDENTITY_NONE);
    assert_int_equal(derive_find_trait(table, identity_person_now(world.applier->identity, node),
                                       (Arena){ memory, memory + sizeof memory }, &got, &err), OK);
    assert_true(str_equal(got, str_from(json)));
}

static void long_values_of_strangers_stop_no_question(void **state)
{
    static char plan[LONG + 1];
    struct trait_table *table = NULL;
    bool more = true;
    Err err = { 0 };
    (void)state;
    memset(plan, 'x', LONG);
    world_begin();
    world_open(1 << 20, (DeriveOptions){ 0 });
    identify("ours", "pro");
    for (int at = 0; at < STRANGERS; at++) {
        char user[32];
        snprintf(user, sizeof user, "stranger-%d", at);
        identify(user, plan);
    }
    identify("ours-too", "free");
    while (more) assert_int_equal(derive_step(world.applier, &more, &err), OK);
    const struct identity_view *view = identity_take_view(world.applier->identity);
    Status s = derive_open_trait(world.applier, &(DeriveReading){ view, MAX_BYTES, NULL }, STR("plan"), &table, &err);
    if (s) fail_msg("%s", err.text);
    expect(table, "ours", "\"pro\"");
    expect(table, "ours-too", "\"free\"");
    expect(table, "stranger-7", "{}");
    derive_close_trait(table);
    /* with room enough all of it is told */
    DeriveReading roomy = { view, STRANGERS * LONG * 2, NULL };
    assert_int_equal(derive_open_trait(world.applier, &roomy, STR("plan"), &table, &err), OK);
    char json[LONG + 3];
    snprintf(json, sizeof json, "\"%s\"", plan);
    expect(table, "stranger-7", json);
    derive_close_trait(table);
    identity_give_view(world.applier->identity, view);
    world_close(false);
    world_end();
}

/* Short ones, but more of them than all the memory: the rarest go, and what many have stays. */
static void short_values_of_strangers_stop_no_question(void **state)
{
    struct trait_table *table = NULL;
    bool more = true;
    Err err = { 0 };
    (void)state;
    world_begin();
    world_open(1 << 20, (DeriveOptions){ 0 });
    for (int at = 0; at < CROWD; at++) {
        char user[32], plan[320];
        snprintf(user, sizeof user, "user-%d", at);
        snprintf(plan, sizeof plan, at % 20 ? "made-up-%0300d" : "pro", at);
        identify(user, plan);
    }
    while (more) assert_int_equal(derive_step(world.applier, &more, &err), OK);
    const struct identity_view *view = identity_take_view(world.applier->identity);
    Status s = derive_open_trait(world.applier, &(DeriveReading){ view, MAX_BYTES, NULL }, STR("plan"), &table, &err);
    if (s) fail_msg("%s", err.text);
    expect(table, "user-0", "\"pro\"");
    expect(table, "user-1980", "\"pro\"");
    expect(table, "user-1", "{}");
    derive_close_trait(table);
    /* of the names within it the outer one, too */
    DeriveReading little = { view, MAX_BYTES, NULL };
    assert_int_equal(derive_open_trait(world.applier, &little, STR("plan.name"), &table, &err), OK);
    expect(table, "user-0", "");
    expect(table, "user-1", "{}");                            /* what was not kept might have had a name */
    derive_close_trait(table);
    identity_give_view(world.applier->identity, view);
    world_close(false);
    world_end();
}

/* People of several ids, whose traits are put together before they are counted: in parts, where all do not fit. */
static void which_traits_there_are_is_told_of_any_crowd(void **state)
{
    static char memory[8 << 20];
    DeriveTraitName *roomy, *narrow;
    size_t roomy_count, narrow_count;
    bool more = true;
    Err err = { 0 };
    (void)state;
    world_begin();
    world_open(1 << 20, (DeriveOptions){ 0 });
    for (int at = 0; at < CROWD; at++) {
        char user[32], plan[400];
        snprintf(user, sizeof user, "user-%d", at);
        snprintf(plan, sizeof plan, "%0300d\",\"%s\":{\"x\":1,\"%s\":2},\"z\":\"", at, at % 3 ? "a" : "b",
                 at % 2 ? "y" : "z");
        identify_as(user, at % 4 ? user : NULL, plan);
    }
    while (more) assert_int_equal(derive_step(world.applier, &more, &err), OK);
    const struct identity_view *view = identity_take_view(world.applier->identity);
    Arena arena = { memory, memory + sizeof memory / 2 };
    assert_int_equal(derive_list_traits(world.applier, &(DeriveReading){ view, 64 << 20, NULL }, &arena, &roomy,
                                        &roomy_count, &err), OK);
    arena = (Arena){ memory + sizeof memory / 2, memory + sizeof memory };
    DeriveReading little = { view, MAX_BYTES, NULL };
    Status s = derive_list_traits(world.applier, &little, &arena, &narrow, &narrow_count, &err);
    if (s) fail_msg("%s", err.text);
    assert_int_equal(roomy_count, 8);
    assert_int_equal(narrow_count, roomy_count);
    for (size_t at = 0, other; at < roomy_count; at++) {
        for (other = 0; other < narrow_count && !str_equal(roomy[at].name, narrow[other].name); other++) {}
        assert_true(other < narrow_count);
        assert_int_equal(roomy[at].people, narrow[other].people);
    }
    identity_give_view(world.applier->identity, view);
    world_close(false);
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_values_of_strangers_stop_no_question),
        cmocka_unit_test(short_values_of_strangers_stop_no_question),
        cmocka_unit_test(which_traits_there_are_is_told_of_any_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
