/* control_erase: many erasures in one step of the applier, and what waits for the destinations' store. */
#include "control/control_erase.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <unistd.h>

#include "tests/unit/derive/derive_world.h"

enum { MANY = CONTROL_ERASURES_MOST + 500, OTHERS = 100 };

static void open_applier(bool has_destinations)
{
    static const Str fields[] = { { "traits.email", 12 } };
    static const IdentityExternal email = { { "email", 5 }, 0, false };
    world_open(65536, (DeriveOptions){ .has_destinations = has_destinations,
                                       .rules = { { .externals = &email, .external_count = 1 }, fields } });
}

static int setup(void **state)
{
    (void)state;
    world_begin();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_end();
    return 0;
}

static void say_beside(int person, const char *anonymous)
{
    char user[24], id[64], json[64];
    struct buf buf;
    int user_len = snprintf(user, sizeof user, "user-%d", person);
    int id_len = snprintf(id, sizeof id, "m-%d%s", person, anonymous);
    int json_len = snprintf(json, sizeof json, "{\"userId\":\"user-%d\"}", person);
    Event event = { .type = EVENT_TRACK, .source = STR("s"), .message_id = str_of(id, (size_t)id_len),
                    .user_id = person < 0 ? STR("") : str_of(user, (size_t)user_len), .name = STR("Done"),
                    .anonymous_id = str_from(anonymous),
                    .timestamp_ms = 1700000000000 + person, .original_timestamp_ms = INSTANT_NONE,
                    .sent_at_ms = INSTANT_NONE, .received_at_ms = 1700000000000,
                    .json = str_of(json, (size_t)json_len) };
    buf_init(&buf, LIMIT_RECORD_BYTES);
    event_encode(&buf, &event);
    world_append(buf_str(&buf));
    buf_done(&buf);
}

static void say(int person) { say_beside(person, ""); }

static void ask_to_erase_both(int person, const char *anonymous)
{
    char user[24];
    struct buf buf;
    int len = snprintf(user, sizeof user, "user-%d", person);
    CommandId ids[] = { { COMMAND_ANONYMOUS_ID, str_from(anonymous), INT64_MIN, INT64_MAX, false },
                        { COMMAND_USER_ID, str_of(user, (size_t)len), INT64_MIN, INT64_MAX, false } };
    JournalCommand command = { .kind = COMMAND_ERASE, .ids = ids + !*anonymous, .id_count = 1 + (*anonymous != 0) };
    buf_init(&buf, LIMIT_RECORD_BYTES);
    command_encode(&buf, &command);
    world_append(buf_str(&buf));
    buf_done(&buf);
}

static void ask_to_erase(int person) { ask_to_erase_both(person, ""); }

static void catch_up(void)
{
    bool more = true;
    Err err = { 0 };
    while (more)
        if (derive_step(world.applier, &more, &err)) fail_msg("%s", err.text);
}

static void work(int turns)
{
    Err err = { 0 };
    bool more;
    for (int turn = 0; turn < turns; turn++) {
        if (derive_maintain(world.applier, &more, &err)) fail_msg("%s", err.text);
        catch_up();
    }
}

static size_t count_running(void)
{
    static ControlErasure erasures[2 * MANY];
    uint64_t done;
    return control_list_erasures(derive_control(world.applier), erasures, countof(erasures), &done);
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
        Str id = str_of(user, (size_t)len);
        known += identity_find(derive_identity(world.applier), IDENTITY_USER, id) != IDENTITY_NONE;
    }
    return known;
}

static bool knows(const char *anonymous)
{
    return identity_find(derive_identity(world.applier), IDENTITY_ANONYMOUS, str_from(anonymous)) != IDENTITY_NONE;
}

/* Person -1 has no user id. */
static void an_id_that_came_after_it_was_asked_for_goes_with_its_messages(void **state)
{
    (void)state;
    open_applier(false);
    say_beside(1, "laptop");
    say_beside(1, "shared");
    say_beside(2, "shared");
    say_beside(1, "own");
    say_beside(-1, "own");
    ask_to_erase(1);                                        /* it names the user alone */
    say_beside(1, "new");
    for (int life = 0; life < 3; life++) {
        catch_up();
        assert_false(knows("laptop"));
        assert_true(knows("shared") && knows("own") && knows("new"));
        work(12);
        world_close(life == 0);
        Err err;
        if (life == 1) assert_int_equal(kv_destroy(world.state_dir, &err), OK);     /* derived anew: the same */
        open_applier(false);
    }
    world_close(false);
}

/* Whose it is now; -1: nobody's. */
static int user_of(const char *anonymous)
{
    struct identity *identity = derive_identity(world.applier);
    IdentityNode node = identity_find(identity, IDENTITY_ANONYMOUS, str_from(anonymous));
    for (int person = 1; person < 4; person++) {
        char user[24];
        int len = snprintf(user, sizeof user, "user-%d", person);
        IdentityNode other = identity_find(identity, IDENTITY_USER, str_of(user, (size_t)len));
        if (node == IDENTITY_NONE || other == IDENTITY_NONE) continue;
        if (identity_person_now(identity, node) == identity_person_now(identity, other)) return person;
    }
    return -1;
}

static void an_id_that_another_had_when_it_was_erased_stays_theirs(void **state)
{
    (void)state;
    open_applier(false);
    say_beside(-1, "phone");
    say_beside(1, "phone");
    say_beside(2, "phone");                                 /* after it was asked for */
    ask_to_erase_both(1, "phone");
    for (int life = 0; life < 3; life++) {
        catch_up();
        assert_int_equal(user_of("phone"), 2);
        assert_int_equal(count_known(1, 2), 0);
        work(12);
        assert_int_equal(count_records(RECORD_EVENT), 1);
        world_close(life == 0);
        Err err;
        if (life == 1) assert_int_equal(kv_destroy(world.state_dir, &err), OK);     /* derived anew: the same */
        open_applier(false);
    }
    world_close(false);
}

/* ---- What one message said, of several ids ---- */

struct told { EventType type; Millis at; const char *user, *anonymous, *previous, *email; };

static void tell(struct told told)
{
    static int number;
    char id[32], json[80] = "{}";
    struct buf buf;
    int len = snprintf(id, sizeof id, "told-%06d", number++);
    if (told.email) snprintf(json, sizeof json, "{\"traits\":{\"email\":\"%s\"}}", told.email);
    Event event = { .type = told.type, .source = STR("s"), .message_id = str_of(id, (size_t)len),
                    .user_id = str_from(told.user ? told.user : ""), .name = STR(""),
                    .anonymous_id = str_from(told.anonymous ? told.anonymous : ""),
                    .previous_id = str_from(told.previous ? told.previous : ""),
                    .timestamp_ms = 1700000000000 + told.at, .original_timestamp_ms = INSTANT_NONE,
                    .sent_at_ms = INSTANT_NONE, .received_at_ms = 1700000000000, .json = str_from(json) };
    buf_init(&buf, LIMIT_RECORD_BYTES);
    event_encode(&buf, &event);
    world_append(buf_str(&buf));
    buf_done(&buf);
}
#define TELL(...) tell((struct told){ __VA_ARGS__ })

static void ask_to_erase_ids(const CommandId *ids, size_t count)
{
    struct buf buf;
    JournalCommand command = { .kind = COMMAND_ERASE, .ids = (CommandId *)(uintptr_t)ids, .id_count = count };
    buf_init(&buf, LIMIT_RECORD_BYTES);
    command_encode(&buf, &command);
    world_append(buf_str(&buf));
    buf_done(&buf);
}

/* "u_ann(3)": whose the id is now, and of how many ids that person is; "-": it is not known. */
static const char *who(IdentityKind kind, const char *value)
{
    static char text[IDENTITY_PERSON_ID_BYTES];
    static struct region region;
    struct identity *identity = derive_identity(world.applier);
    IdentityNode node = identity_find(identity, kind, str_from(value));
    IdentityMember *members;
    size_t count;
    struct buf buf;
    Err err;
    if (node == IDENTITY_NONE) return "-";
    region_open(&region, 1 << 20);
    Arena arena = region_arena(&region);
    IdentityPerson person = identity_person_now(identity, node);
    assert_int_equal(identity_list_members(identity, person, &arena, &members, &count, &err), OK);
    region_close(&region);
    buf_init_fixed(&buf, text, sizeof text);
    identity_write_person_id(identity, person, &buf);
    buf_printf(&buf, "(%zu)%c", count, 0);
    return text;
}
#define USER(value) who(IDENTITY_USER, value)
#define ANON(value) who(IDENTITY_ANONYMOUS, value)
#define EMAIL(value) who(IDENTITY_EXTERNAL, value)

static size_t count_rows(void)
{
    struct index_snapshot *snapshot;
    size_t rows = 0;
    Err err;
    assert_int_equal(index_snapshot_open(world.applier->index, &snapshot, &err), OK);
    for (uint32_t run = 0; run < index_snapshot_run_count(snapshot); run++)
        rows += index_snapshot_run(snapshot, run)->row_count;
    index_snapshot_close(snapshot);
    return rows;
}

/* The order was asked for when phone was known alone; the aliases came on its way (simulator, SEED=1181). */
static void an_alias_that_is_erased_leaves_nothing_of_what_it_said(void **state)
{
    static const CommandId phone = { COMMAND_ANONYMOUS_ID, STR("phone"), INT64_MIN, INT64_MAX, false };
    (void)state;
    open_applier(false);
    TELL(EVENT_PAGE, 1, .anonymous = "phone");
    TELL(EVENT_ALIAS, 2, .user = "ann", .anonymous = "phone", .previous = "phone");
    TELL(EVENT_TRACK, 3, .user = "ann");
    TELL(EVENT_TRACK, 4, .user = "ben", .anonymous = "phone");
    TELL(EVENT_ALIAS, 5, .user = "cat", .anonymous = "tablet", .previous = "phone");
    TELL(EVENT_ALIAS, 6, .user = "dan", .anonymous = "laptop", .previous = "phone");
    TELL(EVENT_PAGE, 7, .anonymous = "laptop");
    TELL(EVENT_TRACK, 8, .user = "dan");
    TELL(EVENT_ALIAS, 9, .user = "eve", .previous = "cat");
    TELL(EVENT_ALIAS, 10, .user = "fay", .anonymous = "watch", .previous = "phone");
    TELL(EVENT_IDENTIFY, 11, .user = "fay", .anonymous = "watch");
    ask_to_erase_ids(&phone, 1);
    for (int life = 0; life < 3; life++) {
        catch_up();
        assert_string_equal(ANON("phone"), "u_ben(2)");
        assert_string_equal(USER("ann"), "u_ann(1)");
        assert_string_equal(USER("cat"), "-");               /* nothing else is known of cat and tablet … */
        assert_string_equal(ANON("tablet"), "-");
        assert_string_equal(ANON("cat"), "u_eve(2)");        /* … so that this names no user any more */
        assert_string_equal(USER("dan"), "u_dan(1)");
        assert_string_equal(ANON("laptop"), "a_laptop(1)");
        assert_string_equal(ANON("watch"), "u_fay(2)");
        work(12);
        assert_int_equal(count_records(RECORD_EVENT), 6);
        assert_int_equal(count_rows(), 6);
        world_close(life == 0);
        Err err;
        if (life == 1) assert_int_equal(kv_destroy(world.state_dir, &err), OK);     /* derived anew: the same */
        open_applier(false);
    }
    world_close(false);
}

/* Where no other message has the id, it is not known; where its user is erased, too, nor is the user. */
static void an_id_that_only_an_erased_alias_had_is_not_known(void **state)
{
    static const CommandId old = { COMMAND_USER_ID, STR("old"), INT64_MIN, INT64_MAX, false };
    (void)state;
    open_applier(false);
    TELL(EVENT_TRACK, 1, .user = "old");
    TELL(EVENT_ALIAS, 2, .user = "new", .anonymous = "phone", .previous = "old");
    TELL(EVENT_TRACK, 3, .user = "ben", .anonymous = "phone");
    TELL(EVENT_ALIAS, 4, .user = "ben", .anonymous = "tablet", .previous = "old");
    ask_to_erase_ids(&old, 1);
    for (int life = 0; life < 3; life++) {
        catch_up();
        assert_string_equal(USER("old"), "-");
        assert_string_equal(USER("new"), "-");
        assert_string_equal(ANON("tablet"), "-");
        assert_string_equal(ANON("phone"), "u_ben(2)");
        work(12);
        assert_int_equal(count_records(RECORD_EVENT), 1);
        assert_int_equal(count_rows(), 1);
        world_close(life == 0);
        Err err;
        if (life == 1) assert_int_equal(kv_destroy(world.state_dir, &err), OK);
        open_applier(false);
    }
    world_close(false);
}

/* Two erasures, each of which takes an alias of new; nothing else is known of new. Between the two, Onym starts anew,
 * at any step of the first. */
static void an_erasure_knows_after_a_start_what_the_one_before_it_takes(void **state)
{
    static const CommandId old = { COMMAND_USER_ID, STR("old"), INT64_MIN, INT64_MAX, false };
    static const CommandId older = { COMMAND_USER_ID, STR("older"), INT64_MIN, INT64_MAX, false };
    (void)state;
    for (int step = 0; step < 8; step++) {
        if (step) world_end(), world_begin();
        open_applier(false);
        TELL(EVENT_TRACK, 1, .user = "old");
        TELL(EVENT_TRACK, 2, .user = "older");
        TELL(EVENT_ALIAS, 3, .user = "new", .previous = "old");
        TELL(EVENT_ALIAS, 4, .user = "new", .previous = "older");
        TELL(EVENT_TRACK, 5, .user = "ben");
        ask_to_erase_ids(&old, 1);
        catch_up();
        assert_string_equal(USER("new"), "u_new(2)");
        world_close(false);
        open_applier(false);
        work(step);
        world_close(step % 2);
        open_applier(false);
        catch_up();
        ask_to_erase_ids(&older, 1);
        for (int life = 0; life < 2; life++) {
            catch_up();
            assert_string_equal(USER("new"), "-");
            assert_string_equal(USER("ben"), "u_ben(1)");
            work(12);
            assert_int_equal(count_running(), 0);
            assert_int_equal(count_records(RECORD_EVENT), 1);
            assert_int_equal(count_rows(), 1);
            world_close(life == 0);
            open_applier(false);
        }
        world_close(false);
    }
}

/* The journal lost the alias, then the power went: its row of the index goes all the same. */
static void a_row_goes_though_its_record_went_before_a_start(void **state)
{
    static const CommandId old = { COMMAND_USER_ID, STR("old"), INT64_MIN, INT64_MAX, false };
    Err err;
    bool more;
    (void)state;
    open_applier(false);
    TELL(EVENT_TRACK, 1, .user = "old");
    TELL(EVENT_ALIAS, 2, .user = "new", .previous = "old");
    TELL(EVENT_TRACK, 3, .user = "new");
    ask_to_erase_ids(&old, 1);
    catch_up();
    world_close(false);
    open_applier(false);
    assert_int_equal(control_maintain(derive_control(world.applier), &more, &err), OK);
    assert_int_equal(count_records(RECORD_EVENT), 1);
    assert_int_equal(count_rows(), 3);
    world_close(true);
    open_applier(false);
    work(12);
    assert_int_equal(count_running(), 0);
    assert_int_equal(count_rows(), 1);
    world_close(false);
}

/* By its life: with no other message, with another, with one that names nobody else, with one that goes, too. */
static void an_email_that_only_erased_messages_had_is_not_known(void **state)
{
    static const CommandId ids[] = { { COMMAND_USER_ID, STR("old"), INT64_MIN, INT64_MAX, false },
                                     { COMMAND_ANONYMOUS_ID, STR("phone"), INT64_MIN, INT64_MAX, false },
                                     { COMMAND_ANONYMOUS_ID, STR("desk"), INT64_MIN, 1700000000000 + 20, false } };
    (void)state;
    open_applier(false);
    TELL(EVENT_TRACK, 1, .user = "old");
    TELL(EVENT_ALIAS, 2, .user = "new", .previous = "old", .email = "only@x.y");
    TELL(EVENT_ALIAS, 3, .user = "new", .previous = "old", .email = "both@x.y");
    TELL(EVENT_IDENTIFY, 4, .user = "ben", .email = "both@x.y");
    TELL(EVENT_ALIAS, 5, .user = "new", .previous = "old", .email = "alone@x.y");
    TELL(EVENT_IDENTIFY, 6, .anonymous = "null", .email = "alone@x.y");
    TELL(EVENT_ALIAS, 7, .user = "new", .previous = "old", .email = "tablet@x.y");
    TELL(EVENT_IDENTIFY, 8, .anonymous = "tablet", .email = "tablet@x.y");
    TELL(EVENT_IDENTIFY, 9, .user = "cat", .anonymous = "tablet");
    TELL(EVENT_IDENTIFY, 10, .anonymous = "phone", .email = "phone@x.y");
    TELL(EVENT_IDENTIFY, 11, .anonymous = "desk", .email = "desk@x.y");            /* within the time that goes */
    TELL(EVENT_IDENTIFY, 12, .user = "old", .anonymous = "desk");
    TELL(EVENT_IDENTIFY, 20, .user = "ben", .anonymous = "desk");
    TELL(EVENT_IDENTIFY, 21, .anonymous = "desk", .email = "later@x.y");
    for (int life = 0; life < 3; life++) {
        if (life == 1) ask_to_erase_ids(ids, countof(ids));  /* all evidence is saved by then, and some is not */
        if (life == 1) TELL(EVENT_IDENTIFY, 30, .user = "new", .email = "new@x.y");
        catch_up();
        if (life == 1) work(12);
        assert_string_equal(EMAIL("only@x.y"), life ? "-" : "u_new(7)");
        assert_string_equal(EMAIL("phone@x.y"), life ? "-" : "x_email:phone~40x.y(2)");
        assert_string_equal(EMAIL("desk@x.y"), life ? "-" : "x_email:desk~40x.y(1)");
        assert_string_equal(EMAIL("later@x.y"), "x_email:later~40x.y(1)");
        assert_string_equal(EMAIL("both@x.y"), life ? "u_ben(3)" : "u_ben(3)");
        assert_string_equal(EMAIL("alone@x.y"), life ? "x_email:alone~40x.y(1)" : "u_new(7)");
        assert_string_equal(EMAIL("tablet@x.y"), life ? "x_email:tablet~40x.y(1)" : "u_new(7)");
        assert_string_equal(USER("new"), life ? "u_new(2)" : "u_new(7)");
        world_close(life == 0);
        Err err;
        if (life == 1) assert_int_equal(kv_destroy(world.state_dir, &err), OK);     /* derived anew: the same */
        open_applier(false);
    }
    world_close(false);
}

/* The times of "pad" among the ids of the user's person: from and to, in ms after 1700000000000; 0: open. */
static void assert_times_of_pad(const char *user, Millis from, Millis to)
{
    struct region region;
    region_open(&region, 1 << 20);
    Arena arena = region_arena(&region);
    CommandId *ids;
    size_t count, found = 0;
    Err err;
    struct identity *identity = derive_identity(world.applier);
    IdentityPerson person = identity_person_now(identity, identity_find(identity, IDENTITY_USER, str_from(user)));
    assert_int_equal(control_list_person_ids(derive_control(world.applier), person, &arena, &ids, &count, &err), OK);
    for (size_t at = 0; at < count; at++) {
        if (!str_equal(ids[at].value, STR("pad"))) continue;
        found++;
        assert_int_equal(ids[at].from_ms, from ? 1700000000000 + from : INT64_MIN);
        assert_int_equal(ids[at].to_ms, to ? 1700000000000 + to : INT64_MAX);
    }
    assert_int_equal(found, 1);
    region_close(&region);
}

/* Whose a message of the pad is depends on who had the family's address then. */
static void an_id_that_an_external_id_had_goes_in_the_times_of_its_owners(void **state)
{
    (void)state;
    open_applier(false);
    TELL(EVENT_IDENTIFY, 1, .anonymous = "pad", .email = "guest@x.y");
    TELL(EVENT_IDENTIFY, 3, .anonymous = "pad", .email = "family@x.y");
    TELL(EVENT_IDENTIFY, 2, .user = "ann", .email = "family@x.y");
    TELL(EVENT_TRACK, 5, .anonymous = "pad");
    TELL(EVENT_IDENTIFY, 10, .user = "ben", .email = "family@x.y");
    TELL(EVENT_TRACK, 15, .anonymous = "pad");
    catch_up();
    assert_times_of_pad("ann", 3, 10);
    assert_times_of_pad("ben", 10, 0);
    world_close(false);
}

/* ---- A disk that fails ---- */

static struct disk disk;                                     /* as it is */
static int reads_left;                                       /* until one fails */

static Status read_or_fail(struct disk *self, DiskFile file, uint64_t offset, void *bytes, size_t count,
                           size_t *ret_count, Err *err)
{
    if (reads_left-- == 0) return err_set(err, ERR_IO, "the disk of this test says no");
    return disk.read(self, file, offset, bytes, count, ret_count, err);
}

/* phone is an anonymous id that two share, and somebody's user id; aliases name it. Both who shared it are erased: in
 * whatever order all of it came, what is known is what a rebuild finds. */
static void an_id_that_is_a_user_id_too_is_forgotten_as_a_rebuild_has_it(void **state)
{
    static const struct told messages[] = {
        { EVENT_PAGE, 1, NULL, "phone", NULL, NULL }, { EVENT_TRACK, 2, "ann", "phone", NULL, NULL },
        { EVENT_TRACK, 3, "ben", "phone", NULL, NULL }, { EVENT_TRACK, 4, "phone", NULL, NULL, NULL },
        { EVENT_ALIAS, 5, "ann", NULL, "phone", NULL }, { EVENT_ALIAS, 6, "ben", "tablet", "phone", NULL },
        { EVENT_ALIAS, 7, "cat", NULL, "phone", NULL },
    };
    static const char *const names[] = { "phone", "tablet", "ann", "ben", "cat" };
    static const CommandId ids[2][2] = {
        { { COMMAND_ANONYMOUS_ID, STR("phone"), INT64_MIN, INT64_MAX, false },
          { COMMAND_USER_ID, STR("ann"), INT64_MIN, INT64_MAX, false } },
        { { COMMAND_ANONYMOUS_ID, STR("phone"), INT64_MIN, INT64_MAX, false },
          { COMMAND_USER_ID, STR("ben"), INT64_MIN, INT64_MAX, false } },
    };
    (void)state;
    for (uint32_t round = 0; round < 40; round++) {
        char before[2 * countof(names)][IDENTITY_PERSON_ID_BYTES];
        /* Each message is there or not, and they come in one order or the other. */
        uint32_t is_there = round % 20 == 0 ? 127 : (round * 2654435761u) >> 25;
        if (round) world_end(), world_begin();
        open_applier(false);
        for (size_t at = 0; at < countof(messages); at++) {
            size_t pick = round < 20 ? at : countof(messages) - 1 - at;
            if (is_there >> pick & 1) tell(messages[pick]);
        }
        ask_to_erase_ids(ids[round & 1], 2);
        ask_to_erase_ids(ids[~round & 1], 2);
        for (int life = 0; life < 3; life++) {
            catch_up();
            for (size_t at = 0; at < 2 * countof(names); at++) {
                const char *now = at % 2 ? ANON(names[at / 2]) : USER(names[at / 2]);
                if (!life) snprintf(before[at], sizeof before[at], "%s", now);
                else if (strcmp(before[at], now) != 0)
                    fail_msg("round %u, life %d: %s was %s and is %s", round, life, names[at / 2], before[at], now);
            }
            assert_string_equal(USER("ann"), "-");
            assert_string_equal(USER("ben"), "-");
            work(12);
            world_close(life == 0);
            Err err;
            if (life == 1) assert_int_equal(kv_destroy(world.state_dir, &err), OK);
            open_applier(false);
        }
        world_close(false);
    }
}

/* All four have phone at one instant, so that its owners stand in the order of messageIds, which lie in the journal. */
static void an_erasure_that_a_disk_broke_off_is_whole_later(void **state)
{
    static const CommandId both[] = {
        { COMMAND_USER_ID, STR("ann"), INT64_MIN, INT64_MAX, false },
        { COMMAND_USER_ID, STR("abe"), INT64_MIN, INT64_MAX, false },
    };
    (void)state;
    bool is_over = false;
    for (int fails_at = 0; !is_over; fails_at++) {
        if (fails_at) world_end(), world_begin();
        open_applier(false);
        TELL(EVENT_TRACK, 1, .user = "ann", .anonymous = "phone");
        TELL(EVENT_TRACK, 1, .user = "abe", .anonymous = "phone");
        TELL(EVENT_TRACK, 1, .user = "ben", .anonymous = "phone");
        TELL(EVENT_TRACK, 1, .user = "cat", .anonymous = "phone");
        TELL(EVENT_TRACK, 2, .user = "ann", .anonymous = "own");
        TELL(EVENT_ALIAS, 3, .user = "dee", .anonymous = "phone", .previous = "ann");
        catch_up();
        ask_to_erase_ids(both, countof(both));
        disk = world.disk.disk;
        world.disk.disk.read = read_or_fail;
        reads_left = fails_at;
        Err err = { 0 };
        bool more;
        is_over = derive_step(world.applier, &more, &err) == OK;
        world.disk.disk.read = disk.read;
        for (int life = 0; life < 2; life++) {
            catch_up();
            assert_string_equal(USER("ann"), "-");
            assert_string_equal(USER("abe"), "-");
            assert_string_equal(USER("dee"), "-");
            assert_string_equal(ANON("own"), "-");
            assert_string_equal(ANON("phone"), "u_cat(2)");
            assert_string_equal(USER("ben"), "u_ben(2)");
            work(12);
            assert_int_equal(count_running(), 0);
            assert_int_equal(count_records(RECORD_EVENT), 2);
            assert_int_equal(count_rows(), 2);
            world_close(false);
            open_applier(false);
        }
        world_close(false);
        assert_true(is_over || fails_at < 100);
    }
}

/* Times of a device go, and with them what it said of an email; the disk fails while those that stay are put in
 * order. */
static void what_a_device_said_is_forgotten_though_a_disk_failed(void **state)
{
    static const CommandId some[] = { { COMMAND_ANONYMOUS_ID, STR("desk"), INT64_MIN, 1700000000000 + 3, false } };
    char whole[IDENTITY_PERSON_ID_BYTES] = "";
    (void)state;
    for (int fails_at = -1; fails_at < 30; fails_at++) {     /* -1: it does not */
        if (fails_at >= 0) world_end(), world_begin();
        open_applier(false);
        TELL(EVENT_IDENTIFY, 1, .anonymous = "desk", .email = "gone@x.y");
        TELL(EVENT_IDENTIFY, 5, .anonymous = "desk", .email = "one@x.y");
        TELL(EVENT_IDENTIFY, 5, .anonymous = "desk", .email = "two@x.y");
        catch_up();
        ask_to_erase_ids(some, countof(some));
        disk = world.disk.disk;
        world.disk.disk.read = read_or_fail;
        reads_left = fails_at < 0 ? INT32_MAX : fails_at;
        Err err = { 0 };
        bool more;
        (void)!derive_step(world.applier, &more, &err);
        world.disk.disk.read = disk.read;
        catch_up();
        if (fails_at < 0) snprintf(whole, sizeof whole, "%s", ANON("desk"));
        assert_string_equal(ANON("desk"), whole);
        assert_string_equal(EMAIL("gone@x.y"), "-");
        work(12);
        world_close(false);
        assert_int_equal(kv_destroy(world.state_dir, &err), OK);
        open_applier(false);
        catch_up();
        assert_string_equal(ANON("desk"), whole);
        world_close(false);
    }
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
    world_close(true);                                    /* and before and after any save */
    open_applier(false);
    catch_up();
    assert_int_equal(count_running(), MANY);
    work(3);
    world_close(true);
    open_applier(false);
    catch_up();
    work(12);
    assert_int_equal(count_running(), 0);
    assert_int_equal(count_records(RECORD_ERASED), 2 * MANY);
    assert_int_equal(count_records(RECORD_EVENT), OTHERS);
    assert_int_equal(count_records(RECORD_COMMAND), 0);
    assert_int_equal(count_known(0, MANY), 0);
    assert_int_equal(count_known(MANY, MANY + OTHERS), OTHERS);
    world_close(false);
}

static void erasures_wait_for_the_destinations_store(void **state)
{
    struct region region;
    ControlForget *forgets;
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
    world_close(true);
    open_applier(true);
    catch_up();
    work(10);
    for (int turn = 0; turn < 10; turn++) {
        Arena arena = region_arena(&region);
        assert_int_equal(control_list_forgets(derive_control(world.applier), &arena, &forgets, &count, &err), OK);
        assert_true(count <= CONTROL_ERASURES_MOST);
        for (size_t at = 0; at < count; at++) {
            assert_int_equal(forgets[at].what.id_count, 1);
            control_end_forget(derive_control(world.applier), &forgets[at]);
        }
        ended += count;
        work(2);
    }
    work(10);
    assert_int_equal(ended, MANY);
    assert_int_equal(count_running(), 0);
    assert_int_equal(count_records(RECORD_COMMAND), 0);
    world_close(false);
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_id_that_came_after_it_was_asked_for_goes_with_its_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(an_id_that_another_had_when_it_was_erased_stays_theirs, setup, teardown),
        cmocka_unit_test_setup_teardown(an_alias_that_is_erased_leaves_nothing_of_what_it_said, setup, teardown),
        cmocka_unit_test_setup_teardown(an_id_that_only_an_erased_alias_had_is_not_known, setup, teardown),
        cmocka_unit_test_setup_teardown(an_erasure_knows_after_a_start_what_the_one_before_it_takes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_row_goes_though_its_record_went_before_a_start, setup, teardown),
        cmocka_unit_test_setup_teardown(an_email_that_only_erased_messages_had_is_not_known, setup, teardown),
        cmocka_unit_test_setup_teardown(an_id_that_an_external_id_had_goes_in_the_times_of_its_owners, setup, teardown),
        cmocka_unit_test_setup_teardown(an_id_that_is_a_user_id_too_is_forgotten_as_a_rebuild_has_it, setup, teardown),
        cmocka_unit_test_setup_teardown(an_erasure_that_a_disk_broke_off_is_whole_later, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_device_said_is_forgotten_though_a_disk_failed, setup, teardown),
        cmocka_unit_test_setup_teardown(more_erasures_than_may_be_asked_for_are_all_done, setup, teardown),
        cmocka_unit_test_setup_teardown(erasures_wait_for_the_destinations_store, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
