/* deliver_forget: whoever is forgotten is in no row, whatever was under way, failed or crashed meanwhile; and nobody
 * else loses anything. */
#include "deliver/deliver_forget.c"

#include "tests/model/deliver_world.h"

enum { PEOPLE = 6, GONE = 2, ROUNDS = 60 };

static struct world *world;

/* Who is to be forgotten: people[GONE], by a command like the applier's. */
static struct wanted {
    bool is_wanted, is_ended, is_suppression;
    CommandId ids[2];
    JournalCommand what;
    JournalPos before;
} wanted;

static Status list_wanted(void *context, Arena *arena, DeliverForget **ret, size_t *ret_count, Err *err)
{
    (void)context;
    (void)err;
    *ret_count = wanted.is_wanted && !wanted.is_ended;
    *ret = arena_new(arena, DeliverForget, 1);
    **ret = (DeliverForget){ wanted.before, wanted.what, 7 };
    return OK;
}

static void end_wanted(void *context, const DeliverForget *forget)
{
    (void)context;
    assert_int_equal(forget->number, 7);
    wanted.is_ended = true;
}

static bool is_suppressed_now(void *context, const Event *event)
{
    (void)context;
    if (!wanted.is_wanted || !wanted.is_suppression) return false;
    return str_equal(event->user_id, wanted.ids[0].value) || str_equal(event->anonymous_id, wanted.ids[1].value);
}

static bool should_erase(void *context, Str record, JournalPos pos)
{
    Event event;
    (void)context;
    (void)pos;
    return record_kind(record) == RECORD_EVENT && event_decode(record, &event, NULL) == OK
        && command_names_event(&wanted.what, &event);
}

static void want(bool is_suppression)
{
    uint64_t erased;
    Err err;
    wanted.ids[0] = (CommandId){ COMMAND_USER_ID, STR("user-2"), INT64_MIN, INT64_MAX, false };
    wanted.ids[1] = (CommandId){ COMMAND_ANONYMOUS_ID, STR("visitor-2"), INT64_MIN, INT64_MAX, false };
    wanted.what = (JournalCommand){ .kind = is_suppression ? COMMAND_SUPPRESS : COMMAND_ERASE, .ids = wanted.ids,
                                    .id_count = 2 };
    wanted.before = is_suppression ? UINT64_MAX : journal_end(world->journal);
    wanted.is_suppression = is_suppression;
    if (!is_suppression)
        assert_int_equal(journal_erase(world->journal, 0, wanted.before, should_erase, NULL,
                                       EVENT_RECORD_VERSION << 4 | RECORD_ERASED, &erased, &err), OK);
    wanted.is_wanted = true;
}

static void say(int person, EventType type, bool has_user, bool has_visitor, Millis at_ms)
{
    struct made *made = &world->made[world->made_count++];
    *made = (struct made){ .type = type, .at_ms = world->clock.now_ms + at_ms, .received_ms = world->clock.now_ms };
    snprintf(made->id, sizeof made->id, "message-%d-%zu", person, world->made_count);
    if (has_user) snprintf(made->user, sizeof made->user, "user-%d", person);
    if (has_visitor) snprintf(made->anonymous, sizeof made->anonymous, "visitor-%d", person);
    world_append(world, made);
    world->known = journal_end(world->journal);
}

static void open_world(uint64_t seed)
{
    static const char *const batch[] = { "url=http://0.test/", "allow_private=true", "batch_size=50",
                                         "rule.start=beginning", "rule.retry_hours=0", NULL };
    static const char *const alone[] = { "url=http://1.test/", "allow_private=true", "rule.start=beginning", NULL };
    static const char *const simple[] = { "token=T", "identity=simplified", "endpoint=http://2.test",
                                          "rule.start=beginning", NULL };
    static const char *const legacy[] = { "token=T", "identity=legacy", "endpoint=http://3.test", "rule.start=beginning",
                                          "rule.grace_seconds=60", NULL };
    wanted = (struct wanted){ 0 };
    world = malloc(sizeof *world);
    world_open(world, seed);
    world->forgets = (struct deliver_people){ .is_suppressed = is_suppressed_now, .list_forgets = list_wanted,
                                              .end_forget = end_wanted };
    world_add_destination(world, "batch", "webhook", batch);
    world_add_destination(world, "alone", "webhook", alone);
    world_add_destination(world, "simple", "mixpanel", simple);
    world_add_destination(world, "legacy", "mixpanel", legacy);
    world_start(world);
}

static void close_world(void)
{
    world_close(world);
    free(world);
}

static size_t count_rows_with(const char *text)
{
    size_t count = 0;
    for (size_t at = 0; at < world->rows.count; at++) {
        const struct fake_row *row = &world->rows.list[at];
        count += str_contains(str_of(row->bytes, row->key_len + row->value_len), str_from(text));
    }
    return count;
}

static bool has_come(int destination, const struct made *made)
{
    for (size_t at = 0; at < world->seen_count; at++)
        if (world->seen[at].destination == destination && strcmp(world->seen[at].key, made->id) == 0) return true;
    return false;
}

static bool is_in_letter(const struct made *made)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"message_id\":\"%s\"", made->id);
    return count_rows_with(quoted) > 0;
}

static void pass(Millis ms, Millis by_ms)
{
    for (Millis passed = 0; passed < ms; passed += by_ms) {
        world_step(world);
        fake_clock_advance(&world->clock, by_ms);
    }
}

static void live_a_moment(struct fake_dice *dice)
{
    int person = (int)fake_dice_below(dice, PEOPLE);
    switch (fake_dice_below(dice, 4)) {
    case 0: say(person, EVENT_TRACK, false, true, -(Millis)fake_dice_below(dice, 400)); break;
    case 1: say(person, EVENT_IDENTIFY, true, true, -(Millis)fake_dice_below(dice, 400)); break;
    case 2: say(person, EVENT_IDENTIFY, true, false, -(Millis)fake_dice_below(dice, 400)); break;
    default: say(person, EVENT_TRACK, true, false, -(Millis)fake_dice_below(dice, 400)); break;
    }
}

static void forget_somebody(uint64_t seed, bool is_suppression)
{
    struct fake_dice dice;
    fake_dice_init(&dice, seed);
    open_world(seed);
    world->trouble_per_thousand = 300;
    world->dead_destination = fake_dice_chance(&dice, 500) ? 1 : -1;
    int when = 20 + (int)fake_dice_below(&dice, 40);
    for (int at = 0; at < 80; at++) {
        if (at == when) want(is_suppression);
        if (at < when || fake_dice_chance(&dice, 500)) live_a_moment(&dice);
        if (at >= when && world->made_count && strstr(world->made[world->made_count - 1].id, "message-2-"))
            world->made[world->made_count - 1].is_later = true;
        if (fake_dice_chance(&dice, 60)) world->rows.full_from = world->rows.commits + 1,
                                         world->rows.full_until = world->rows.commits + 3;
        pass((Millis)fake_dice_below(&dice, 300) + 1, 100);
        if (fake_dice_chance(&dice, 40)) world_crash(world);
        if (wanted.is_ended && is_suppression) assert_int_equal(count_rows_with("user-2"), 0);
    }
    for (int turn = 0; turn < 50 && !wanted.is_ended; turn++) pass(200, 100);
    assert_true(wanted.is_ended);
    world->dead_destination = -1;
    world->trouble_per_thousand = 0;
    pass(700000, 5000);
    for (size_t at = 0; at < world->made_count; at++) {
        const struct made *made = &world->made[at];
        if (strstr(made->id, "message-2-")) continue;
        assert_true(has_come(1, made));
        assert_true(has_come(0, made) || is_in_letter(made));
    }
}

/* Nothing of before is left, though what came later is somebody new, who may be known and have letters. */
static void who_is_erased_is_in_no_row(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        print_message("SEED=%d%s", (int)seed, seed < ROUNDS ? " " : "\n");
        forget_somebody(seed, false);
        bool has_later = false;
        for (size_t at = 0; at < world->made_count; at++) {
            const struct made *made = &world->made[at];
            if (!strstr(made->id, "message-2-")) continue;
            has_later |= made->is_later;
            char quoted[48];
            snprintf(quoted, sizeof quoted, "%s\"", made->id);
            if (!made->is_later) assert_int_equal(count_rows_with(quoted), 0);
        }
        if (!has_later) assert_int_equal(count_rows_with("user-2") + count_rows_with("visitor-2"), 0);
        close_world();
    }
}

static void who_is_suppressed_is_in_no_row_and_nothing_more_is_sent(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        print_message("SEED=%d%s", (int)seed, seed < ROUNDS ? " " : "\n");
        forget_somebody(seed, true);
        assert_int_equal(count_rows_with("user-2") + count_rows_with("visitor-2"), 0);
        size_t seen = world->seen_count;
        say(2, EVENT_IDENTIFY, true, true, -100);
        pass(120000, 1000);
        for (size_t at = seen; at < world->seen_count; at++) assert_null(strstr(world->seen[at].user, "user-2"));
        close_world();
    }
}

/* ---- Rows that no running destination has ---- */

static void put_row(struct outlet *outlet, char kind, Str rest, Str value)
{
    char bytes[ROW_KEY_BYTES];
    RowChange change = { row_key(outlet, kind, rest, bytes), value };
    Err err;
    assert_int_equal(world->rows.rows.commit(world->rows.rows.context, &change, 1, &err), OK);
}

static void rows_of_a_destination_that_is_gone_are_found_by_their_keys(void **state)
{
    static char long_id[LIMIT_ID_BYTES], other_id[LIMIT_ID_BYTES];
    struct outlet gone = { .name = "gone" };
    Str id = str_of(long_id, sizeof long_id), other = str_of(other_id, sizeof other_id);
    (void)state;
    memset(long_id, 'x', sizeof long_id);
    memset(other_id, 'x', sizeof other_id);
    other_id[LIMIT_ID_BYTES - 1] = 'y';                    /* the same in what a key shows of it */
    open_world(1);
    put_row(&gone, ROW_USER, STR("user-2"), STR("1"));
    put_row(&gone, ROW_USER, STR("user-22"), STR("1"));
    put_row(&gone, ROW_LINK, STR("visitor-2"), STR("user-2"));
    put_row(&gone, ROW_LINK, STR("shared"), STR("user-2"));
    put_row(&gone, ROW_LINK, STR("another"), STR("user-22"));
    put_row(&gone, ROW_MEMORY, STR("traits:visitor-2"), STR("{}"));
    put_row(&gone, ROW_MEMORY, STR("alias:user-22"), STR("visitor-2"));
    put_row(&gone, ROW_USER, id, STR("1"));
    put_row(&gone, ROW_USER, other, STR("1"));
    char key[LIMIT_ID_BYTES + 8];
    int len = snprintf(key, sizeof key, "seen:%.*s", STR_FORMAT(id));
    put_row(&gone, ROW_MEMORY, str_of(key, (size_t)len), STR("17"));
    want(false);
    CommandId ids[3] = { wanted.ids[0], wanted.ids[1], { COMMAND_USER_ID, id, INT64_MIN, INT64_MAX, false } };
    wanted.what.ids = ids;
    wanted.what.id_count = 3;
    pass(1000, 100);
    assert_true(wanted.is_ended);
    assert_int_equal(fake_rows_count(&world->rows, "gone", ROW_USER), 2);           /* user-22, the other long one */
    assert_int_equal(fake_rows_count(&world->rows, "gone", ROW_LINK), 2);           /* shared: with nobody; another */
    assert_int_equal(fake_rows_count(&world->rows, "gone", ROW_MEMORY), 1);
    assert_int_equal(count_rows_with("user-2"), 3);                                 /* as a part of user-22 only */
    assert_int_equal(count_rows_with("user-22"), 3);
    assert_int_equal(count_rows_with("visitor-2"), 0);
    close_world();
}

static void want_suppressed(Str id)
{
    static CommandId one;
    one = (CommandId){ COMMAND_USER_ID, id, INT64_MIN, INT64_MAX, false };
    wanted = (struct wanted){ .is_wanted = true, .before = UINT64_MAX,
                              .what = { .kind = COMMAND_SUPPRESS, .ids = &one, .id_count = 1 } };
    pass(1000, 100);
    assert_true(wanted.is_ended);
}

static void the_store_is_rewritten_where_something_may_be_left(void **state)
{
    struct outlet gone = { .name = "gone" };
    (void)state;
    open_world(1);
    want_suppressed(STR("nobody"));
    assert_int_equal(world->rows.rewrites, 1);              /* what a crash may have cut off */
    want_suppressed(STR("nobody-else"));
    assert_int_equal(world->rows.rewrites, 1);
    put_row(&gone, ROW_USER, STR("somebody"), STR("1"));
    want_suppressed(STR("somebody"));
    assert_int_equal(world->rows.rewrites, 2);
    want_suppressed(STR("nobody-else"));
    assert_int_equal(world->rows.rewrites, 2);
    world->rows.rewrites_in_vain = 3;
    wanted = (struct wanted){ 0 };
    want(false);                                            /* of what was removed long ago copies may be left */
    pass(1000, 100);
    assert_true(wanted.is_ended);
    assert_int_equal(world->rows.rewrites, 3);
    close_world();
}

static void an_id_is_found_in_a_text_as_a_word(void **state)
{
    struct forgetting *forgetting = forget_open();
    CommandId ids[] = { { COMMAND_USER_ID, STR("kim@example.com"), INT64_MIN, INT64_MAX, false },
                        { COMMAND_USER_ID, STR("user"), INT64_MIN, INT64_MAX, false },
                        { COMMAND_USER_ID, STR("user-1"), INT64_MIN, INT64_MAX, false },
                        { COMMAND_USER_ID, STR("say \"hi\""), INT64_MIN, INT64_MAX, false },
                        { COMMAND_USER_ID, STR("123"), INT64_MIN, INT64_MAX, false } };
    DeliverForget forget = { 9, { .kind = COMMAND_ERASE, .ids = ids, .id_count = countof(ids) }, 1 };
    Err err;
    (void)state;
    forgetting->arena = region_arena(&forgetting->region);
    forgetting->forgets = &forget;
    forgetting->count = 1;
    assert_int_equal(name_all(forgetting, &err), OK);
    assert_true(names_in_text(forgetting, STR("{\"distinct_id\":\"user-1\"}")));
    assert_true(names_in_text(forgetting, STR("user-17")));                 /* user, and a part of another: rather */
    assert_true(names_in_text(forgetting, STR("user")));
    assert_true(names_in_text(forgetting, STR("_p=kim%40example.com&_n=x")));
    assert_true(names_in_text(forgetting, STR("\"say \\\"hi\\\"\"")));
    assert_false(names_in_text(forgetting, STR("superuser users 123 im@example.com")));
    assert_false(names_in_text(forgetting, STR("us")));
    forget_close(forgetting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_erased_is_in_no_row),
        cmocka_unit_test(who_is_suppressed_is_in_no_row_and_nothing_more_is_sent),
        cmocka_unit_test(rows_of_a_destination_that_is_gone_are_found_by_their_keys),
        cmocka_unit_test(the_store_is_rewritten_where_something_may_be_left),
        cmocka_unit_test(an_id_is_found_in_a_text_as_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
