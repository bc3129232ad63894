/* apply_erase: many erasures in one step of the applier, and what waits for the destinations' store. */
#include "apply/apply_erase.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <unistd.h>

#include "tests/fakes/fakes.h"

enum { MANY = APPLY_ERASURES_MOST + 500, OTHERS = 100 };

struct world {
    struct fake_clock clock;
    struct fake_dice dice;
    struct fake_disk disk;
    struct journal *journal;
    struct applier *applier;
    char state_dir[64];
};

static struct world world;

static void open_applier(bool has_destinations)
{
    JournalRecovery recovery;
    Err err;
    JournalOptions journal = { .dir = "journal", .disk = &world.disk.disk, .clock = &world.clock.clock,
                               .dice = &world.dice.dice, .segment_bytes = 65536, .seal_level = 1, .reserve_bytes = 1 };
    ApplyOptions apply = { .disk = &world.disk.disk, .dice = &world.dice.dice, .dir = "derived",
                           .clock = &world.clock.clock, .state_dir = world.state_dir,
                           .dedup_window_ms = 30 * 86400000LL, .has_destinations = has_destinations };
    assert_int_equal(journal_open(&journal, &world.journal, &recovery, &err), OK);
    apply.journal = world.journal;
    assert_int_equal(apply_open(&apply, &world.applier, &err), OK);
}

static void close_applier(bool is_crash)
{
    if (is_crash) apply_abandon(world.applier);
    else apply_close(world.applier);
    journal_close(world.journal);
}

static int setup(void **state)
{
    (void)state;
    fake_clock_init(&world.clock, 1700000000000);
    fake_dice_init(&world.dice, 5);
    fake_disk_init(&world.disk, 5);
    strcpy(world.state_dir, "/tmp/onym-erase-XXXXXX");
    assert_non_null(mkdtemp(world.state_dir));
    return 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    fake_disk_done(&world.disk);
    snprintf(command, sizeof command, "rm -rf %s", world.state_dir);
    return system(command);
}

static void ignore_durable(struct journal_append *append, Status status, JournalPos first)
{
    (void)append;
    (void)first;
    assert_int_equal(status, OK);
}

static void append_record(Str record)
{
    struct journal_append append;
    Err err;
    journal_append_init(&append, LIMIT_APPEND_BYTES);
    append.on_durable = ignore_durable;
    journal_put_record(&append, record);
    assert_int_equal(journal_submit(world.journal, &append, &err), OK);
    assert_int_equal(journal_commit(world.journal, NULL, &err), OK);
    journal_append_done(&append);
}

static void say(int person)
{
    char user[24], id[24], json[64];
    struct buf buf;
    int user_len = snprintf(user, sizeof user, "user-%d", person), id_len = snprintf(id, sizeof id, "m-%d", person);
    int json_len = snprintf(json, sizeof json, "{\"userId\":\"user-%d\"}", person);
    Event event = { .type = EVENT_TRACK, .source = STR("s"), .message_id = str_of(id, (size_t)id_len),
                    .user_id = str_of(user, (size_t)user_len), .name = STR("Done"),
                    .timestamp_ms = 1700000000000 + person, .original_timestamp_ms = INSTANT_NONE,
                    .sent_at_ms = INSTANT_NONE, .received_at_ms = 1700000000000,
                    .json = str_of(json, (size_t)json_len) };
    buf_init(&buf, LIMIT_RECORD_BYTES);
    event_encode(&buf, &event);
    append_record(buf_str(&buf));
    buf_done(&buf);
}

static void ask_to_erase(int person)
{
    char user[24];
    struct buf buf;
    int len = snprintf(user, sizeof user, "user-%d", person);
    CommandId id = { COMMAND_USER_ID, str_of(user, (size_t)len), INT64_MIN, INT64_MAX, false };
    JournalCommand command = { .kind = COMMAND_ERASE, .ids = &id, .id_count = 1 };
    buf_init(&buf, LIMIT_RECORD_BYTES);
    command_encode(&buf, &command);
    append_record(buf_str(&buf));
    buf_done(&buf);
}

static void catch_up(void)
{
    bool more = true;
    Err err = { 0 };
    while (more)
        if (apply_step(world.applier, &more, &err)) fail_msg("%s", err.text);
}

static void work(int turns)
{
    Err err = { 0 };
    bool more;
    for (int turn = 0; turn < turns; turn++) {
        if (apply_maintain(world.applier, &more, &err)) fail_msg("%s", err.text);
        catch_up();
    }
}

static size_t count_running(void)
{
    static ApplyErasure erasures[2 * MANY];
    uint64_t done;
    return apply_list_erasures(world.applier, erasures, countof(erasures), &done);
}

/* Records that name one of the people, by kind. */
static size_t count_records(RecordKind kind)
{
    struct journal_reader *reader;
    JournalRecord record;
    size_t count = 0;
    Err err;
    assert_int_equal(journal_reader_open(world.journal, 0, &reader, &err), OK);
    while (journal_read(reader, &record, &err) == OK) count += record_kind(record.bytes) == kind;
    journal_reader_close(reader);
    return count;
}

static size_t count_known(int from, int to)
{
    size_t known = 0;
    for (int person = from; person < to; person++) {
        char user[24];
        int len = snprintf(user, sizeof user, "user-%d", person);
        known += identity_find(world.applier->identity, IDENTITY_USER, str_of(user, (size_t)len)) != IDENTITY_NONE;
    }
    return known;
}

static void more_erasures_than_may_be_asked_for_are_all_done(void **state)
{
    (void)state;
    open_applier(false);
    for (int person = 0; person < MANY + OTHERS; person++) say(person);
    for (int person = 0; person < MANY; person++) ask_to_erase(person);
    catch_up();                                             /* one step of the applier has them all */
    assert_int_equal(count_running(), MANY);
    assert_int_equal(count_known(0, MANY), 0);
    close_applier(true);                                    /* and before and after any save */
    open_applier(false);
    catch_up();
    assert_int_equal(count_running(), MANY);
    work(3);
    close_applier(true);
    open_applier(false);
    catch_up();
    work(12);
    assert_int_equal(count_running(), 0);
    assert_int_equal(count_records(RECORD_ERASED), 2 * MANY);
    assert_int_equal(count_records(RECORD_EVENT), OTHERS);
    assert_int_equal(count_records(RECORD_COMMAND), 0);
    assert_int_equal(count_known(0, MANY), 0);
    assert_int_equal(count_known(MANY, MANY + OTHERS), OTHERS);
    close_applier(false);
}

static void erasures_wait_for_the_destinations_store(void **state)
{
    struct region region;
    ApplyForget *forgets;
    size_t count, ended = 0;
    Err err;
    (void)state;
    region_open(&region, 64 << 20);
    open_applier(true);
    for (int person = 0; person < MANY + OTHERS; person++) say(person);
    for (int person = 0; person < MANY; person++) ask_to_erase(person);
    catch_up();
    work(10);
    assert_int_equal(count_running(), MANY);
    assert_int_equal(count_records(RECORD_COMMAND), MANY);  /* they are known as long as somebody has to forget them */
    close_applier(true);
    open_applier(true);
    catch_up();
    work(10);
    for (int turn = 0; turn < 10; turn++) {
        Arena arena = region_arena(&region);
        assert_int_equal(apply_list_forgets(world.applier, &arena, &forgets, &count, &err), OK);
        assert_true(count <= APPLY_ERASURES_MOST);
        for (size_t at = 0; at < count; at++) {
            assert_int_equal(forgets[at].what.id_count, 1);
            apply_end_forget(world.applier, &forgets[at]);
        }
        ended += count;
        work(2);
    }
    work(10);
    assert_int_equal(ended, MANY);
    assert_int_equal(count_running(), 0);
    assert_int_equal(count_records(RECORD_COMMAND), 0);
    close_applier(false);
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(more_erasures_than_may_be_asked_for_are_all_done, setup, teardown),
        cmocka_unit_test_setup_teardown(erasures_wait_for_the_destinations_store, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
