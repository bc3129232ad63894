/* people: what is told of somebody, from a journal through the applier: who an id names, the answers' JSON with ids
 * that are spelt to break it, pages of the timeline, the evidence, and why two ids are one person or two. */
#include "people/people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/derive/derive_world.h"

#define START_MS INT64_C(1699000000000)

static struct region region;
static struct buf out;

static int setup(void **state)
{
    (void)state;
    world_begin();
    world_open(1 << 20, (DeriveOptions){ 0 });
    region_open(&region, 64 << 20);
    buf_init(&out, 8 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_done(&out);
    region_close(&region);
    world_close(false);
    world_end();
    return 0;
}

struct told { EventType type; int at; const char *id, *user, *anonymous, *previous; };

static JournalPos tell(struct told told)
{
    struct buf record, json;
    buf_init(&json, 4096);
    buf_str_put(&json, STR("{\"messageId\":"));
    buf_json_string(&json, str_from(told.id));
    buf_str_put(&json, STR(",\"timestamp\":\""));
    buf_instant(&json, START_MS + told.at);
    buf_str_put(&json, STR("\",\"traits\":{\"plan\":\"pro\"}}"));
    Event event = {
        .type = told.type, .source = STR("web"), .message_id = str_from(told.id), .user_id = str_from(told.user),
        .anonymous_id = str_from(told.anonymous), .previous_id = str_from(told.previous),
        .name = told.type == EVENT_TRACK ? STR("Done") : STR(""), .timestamp_ms = START_MS + told.at,
        .original_timestamp_ms = INSTANT_NONE, .sent_at_ms = INSTANT_NONE, .received_at_ms = 1700000000000,
        .json = buf_str(&json),
    };
    buf_init(&record, LIMIT_RECORD_BYTES);
    event_encode(&record, &event);
    JournalPos pos = world_append(buf_str(&record));
    buf_done(&record);
    buf_done(&json);
    return pos;
}

static void catch_up(void)
{
    bool more = true;
    Err err;
    while (more) assert_int_equal(derive_step(world.applier, &more, &err), OK);
}

/* The answer as a tree: what is no JSON fails here. */
static const TreeNode *read_answer(void)
{
    Arena arena = region_arena(&region);
    const TreeNode *tree;
    Err err;
    Str kept = arena_copy(&arena, buf_str(&out));
    if (event_tree_read(kept, &arena, &tree, &err)) fail_msg("%s in %.*s", err.text, STR_FORMAT(kept));
    return tree;
}

static IdentityPerson find_user(const char *user)
{
    People people = derive_people(world.applier);
    IdentityPerson person;
    Err err;
    assert_int_equal(people_find_user(&people, str_from(user), &person, &err), OK);
    return person;
}

static const TreeNode *write_person(const char *user)
{
    People people = derive_people(world.applier);
    Arena arena = region_arena(&region);
    Err err;
    buf_clear(&out);
    assert_int_equal(people_write_person(&people, find_user(user), &arena, &out, &err), OK);
    return read_answer();
}

/* ---- Finding ---- */

static void an_id_that_names_two_people_names_nobody(void **state)
{
    People people = derive_people(world.applier);
    IdentityNode node, other;
    Err err;
    (void)state;
    (void)tell((struct told){ EVENT_TRACK, 0, "m1", "kim", "", "" });
    (void)tell((struct told){ EVENT_TRACK, 1, "m2", "", "kim", "" });            /* spelt as somebody's user id */
    (void)tell((struct told){ EVENT_TRACK, 2, "m3", "", "u_kim", "" });          /* … and as a person id */
    (void)tell((struct told){ EVENT_IDENTIFY, 3, "m4", "same", "same", "" });    /* both are one person */
    catch_up();
    assert_int_equal(people_find_node(&people, STR("kim"), &node, &err), ERR_INPUT);
    assert_string_equal(err.field, "id");
    assert_non_null(strstr(err.text, "user_id:"));
    assert_non_null(strstr(err.text, "anonymous_id:"));
    assert_int_equal(people_find_node(&people, STR("u_kim"), &node, &err), ERR_INPUT);
    assert_non_null(strstr(err.text, "person_id:"));
    assert_int_equal(people_find_node(&people, STR("user_id:kim"), &node, &err), OK);
    assert_int_equal(people_find_node(&people, STR("person_id:u_kim"), &other, &err), OK);
    assert_int_equal(identity_person_now(people.identity, node), identity_person_now(people.identity, other));
    assert_int_equal(people_find_node(&people, STR("anonymous_id:kim"), &other, &err), OK);
    assert_int_not_equal(identity_person_now(people.identity, node), identity_person_now(people.identity, other));
    assert_int_equal(people_find_node(&people, STR("same"), &node, &err), OK);
}

static void what_was_never_seen_is_not_found_and_says_so(void **state)
{
    static const char *const ids[] = { "nobody", "user_id:nobody", "anonymous_id:", "person_id:u_nobody", "email:x@y.z",
                                       ":", "" };
    People people = derive_people(world.applier);
    IdentityPerson person;
    IdentityNode node;
    Err err;
    (void)state;
    (void)tell((struct told){ EVENT_TRACK, 0, "m1", "kim", "a", "" });
    (void)tell((struct told){ EVENT_TRACK, 1, "m2", "device:5", "", "" });       /* "device" is no kind of the rules */
    catch_up();
    for (size_t at = 0; at < countof(ids); at++)
        assert_int_equal(people_find_node(&people, str_from(ids[at]), &node, &err), ERR_NOT_FOUND);
    assert_int_equal(people_find_node(&people, STR("device:5"), &node, &err), OK);
    assert_int_equal(people_find_user(&people, STR("a"), &person, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "no event was ever seen with user_id \"a\""));
    assert_int_equal(people_find_user(&people, STR("null"), &person, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "blocked"));
    assert_int_equal(people_find_anonymous(&people, STR("kim"), &person, &err), ERR_NOT_FOUND);
    assert_int_equal(people_find(&people, STR("u_nobody"), &person, &err), ERR_NOT_FOUND);
}

/* ---- Answers ---- */

static void a_person_is_told_whole_whatever_the_ids_are_spelt_like(void **state)
{
    static const char hostile[] = "\"},{\"user_ids\":[\"<script>\\ \n\t\x01\xff";
    (void)state;
    (void)tell((struct told){ EVENT_TRACK, 5, "m1", "", hostile, "" });
    (void)tell((struct told){ EVENT_IDENTIFY, 7, "m2", "kim", hostile, "" });
    (void)tell((struct told){ EVENT_TRACK, 9, "m3", "kim", "b", "" });
    catch_up();
    const TreeNode *person = write_person("kim");
    assert_true(str_equal(event_tree_text(person, "person_id"), STR("u_kim")));
    assert_int_equal(event_tree_get(person, STR("user_ids"))->count, 1);
    assert_int_equal(event_tree_get(person, STR("anonymous_ids"))->count, 2);
    assert_true(str_equal(event_tree_text(person, "events"), STR("3")));
    assert_true(str_equal(event_tree_text(person, "traits.plan"), STR("pro")));
    Millis first, last;
    assert_true(instant_parse(event_tree_text(person, "first_seen"), &first));
    assert_true(instant_parse(event_tree_text(person, "last_seen"), &last));
    assert_true(first == START_MS + 5 && last == START_MS + 9);
}

static const TreeNode *write_page(const char *user, size_t limit, Str cursor)
{
    People people = derive_people(world.applier);
    Arena arena = region_arena(&region);
    PeoplePage page = { .cursor = cursor, .field = "cursor", .limit = limit };
    Err err;
    buf_clear(&out);
    assert_int_equal(people_write_events(&people, find_user(user), &page, &arena, &out, &err), OK);
    return read_answer();
}

/* Several at one instant, and pages that end between them. */
static void pages_of_the_timeline_have_every_event_once_newest_first(void **state)
{
    enum { EVENTS = 23 };
    char next[64] = "", id[16];
    bool seen[EVENTS] = { false };
    size_t count = 0;
    Millis before_ms = INT64_MAX;
    (void)state;
    for (int at = 0; at < EVENTS; at++) {
        snprintf(id, sizeof id, "m-%d", at);
        (void)tell((struct told){ EVENT_TRACK, at * 7 % 5, id, "kim", at % 2 ? "a" : "b", "" });
    }
    (void)tell((struct told){ EVENT_TRACK, 2, "m-x", "lee", "", "" });
    catch_up();
    for (bool has_more = true; has_more;) {
        const TreeNode *page = write_page("kim", 4, str_from(next));
        for (const TreeNode *event = event_tree_get(page, STR("events"))->first; event; event = event->next) {
            int64_t number;
            Millis at_ms;
            Str message_id = event_tree_text(event, "messageId");
            assert_true(instant_parse(event_tree_text(event, "timestamp"), &at_ms));
            assert_true(at_ms <= before_ms);
            before_ms = at_ms;
            assert_true(str_parse_int(str_slice(message_id, 2, message_id.len), 0, EVENTS - 1, &number));
            assert_false(seen[number]);
            seen[number] = true;
            count++;
        }
        has_more = event_tree_find(page, "cursor.has_more")->truth;
        snprintf(next, sizeof next, "%.*s", STR_FORMAT(event_tree_text(page, "cursor.next")));
    }
    assert_int_equal(count, EVENTS);
}

static void a_cursor_that_no_page_gave_is_refused_by_name(void **state)
{
    static const char *const cursors[] = { "x", "1", "1-", "-1", "1-x", "99999999999999999999-1", "--", "1-2-3" };
    People people = derive_people(world.applier);
    Err err;
    (void)state;
    (void)tell((struct told){ EVENT_TRACK, 0, "m1", "kim", "", "" });
    catch_up();
    for (size_t at = 0; at < countof(cursors); at++) {
        Arena arena = region_arena(&region);
        PeoplePage page = { .cursor = str_from(cursors[at]), .field = "cursor", .limit = 10 };
        buf_clear(&out);
        assert_int_equal(people_write_events(&people, find_user("kim"), &page, &arena, &out, &err), ERR_INPUT);
        assert_string_equal(err.field, "cursor");
        assert_int_equal(out.len, 0);
    }
}

static void a_shared_device_gives_each_the_time_that_was_theirs(void **state)
{
    (void)state;
    (void)tell((struct told){ EVENT_TRACK, 0, "m0", "", "phone", "" });
    (void)tell((struct told){ EVENT_IDENTIFY, 10, "m1", "kim", "phone", "" });
    (void)tell((struct told){ EVENT_TRACK, 20, "m2", "", "phone", "" });
    (void)tell((struct told){ EVENT_IDENTIFY, 30, "m3", "lee", "phone", "" });
    (void)tell((struct told){ EVENT_TRACK, 40, "m4", "", "phone", "" });
    catch_up();
    assert_true(str_equal(event_tree_text(write_person("kim"), "events"), STR("3")));
    assert_true(str_equal(event_tree_text(write_person("lee"), "events"), STR("2")));
    assert_int_equal(event_tree_get(write_page("lee", 10, STR("")), STR("events"))->count, 2);
}

/* ---- Evidence ---- */

static void the_evidence_names_the_messages_and_why_says_which(void **state)
{
    static const struct { const char *a, *b, *reason; } rows[] = {
        { "user_id:kim", "anonymous_id:laptop", "same" }, { "user_id:kim", "user_id:lee", "shared" },
        { "user_id:kim", "user_id:max", "no_evidence" }, { "user_id:kim", "user_id:nobody", "unseen" },
        { "user_id:kim", "null", "blocked" }, { "user_id:kim", "user_id:kim", "same" },
    };
    People people = derive_people(world.applier);
    Err err;
    (void)state;
    JournalPos first = tell((struct told){ EVENT_IDENTIFY, 10, "m1", "kim", "laptop", "" });
    (void)tell((struct told){ EVENT_IDENTIFY, 20, "m1b", "kim", "phone", "" });
    (void)tell((struct told){ EVENT_IDENTIFY, 30, "m2", "lee", "phone", "" });
    (void)tell((struct told){ EVENT_TRACK, 40, "m3", "max", "", "" });
    catch_up();
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = region_arena(&region);
        buf_clear(&out);
        assert_int_equal(people_write_why(&people, str_from(rows[at].a), str_from(rows[at].b), &arena, &out, &err), OK);
        const TreeNode *why = read_answer();
        assert_true(str_equal(event_tree_text(why, "reason"), str_from(rows[at].reason)));
        assert_int_equal(event_tree_get(why, STR("same"))->truth, strcmp(rows[at].reason, "same") == 0);
    }
    Arena arena = region_arena(&region);
    buf_clear(&out);
    assert_int_equal(people_write_links(&people, find_user("kim"), &arena, &out, &err), OK);
    const TreeNode *link = event_tree_get(read_answer(), STR("links"))->first;
    int64_t position;
    while (link && !str_equal(event_tree_text(link, "message_id"), STR("m1"))) link = link->next;
    assert_non_null(link);
    assert_true(str_parse_int(event_tree_text(link, "position"), 0, INT64_MAX, &position));
    assert_true(journal_position((uint64_t)position) == first);
}

/* The first message gave `old` a smaller node than `laptop`; it is erased, so after a rebuild `laptop` has the smaller
 * one. Both links are told by one alias (simulator, SEED=1115). */
static void links_of_one_message_stand_in_one_order_after_a_rebuild(void **state)
{
    CommandId max = { COMMAND_USER_ID, STR("max"), INT64_MIN, INT64_MAX, false };
    JournalCommand command = { .kind = COMMAND_ERASE, .ids = &max, .id_count = 1 };
    struct buf record, before;
    bool more;
    Err err;
    (void)state;
    (void)tell((struct told){ EVENT_TRACK, 10, "m1", "max", "old", "" });
    (void)tell((struct told){ EVENT_ALIAS, 20, "m2", "kim", "laptop", "old" });
    buf_init(&record, LIMIT_RECORD_BYTES);
    command_encode(&record, &command);
    (void)world_append(buf_str(&record));
    buf_done(&record);
    buf_init(&before, 1 << 20);
    for (int life = 0; life < 2; life++) {
        catch_up();
        People people = derive_people(world.applier);
        Arena arena = region_arena(&region);
        buf_clear(&out);
        assert_int_equal(people_write_links(&people, find_user("kim"), &arena, &out, &err), OK);
        assert_int_equal(event_tree_get(read_answer(), STR("links"))->count, 2);
        if (life == 1) assert_true(str_equal(buf_str(&out), buf_str(&before)));
        else buf_str_put(&before, buf_str(&out));
        for (int turn = 0; turn < 12; turn++) {
            if (derive_maintain(world.applier, &more, &err)) fail_msg("%s", err.text);
            catch_up();
        }
        world_close(false);
        assert_int_equal(kv_destroy(world.state_dir, &err), OK);
        world_open(1 << 20, (DeriveOptions){ 0 });
    }
    buf_done(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_id_that_names_two_people_names_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_never_seen_is_not_found_and_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(a_person_is_told_whole_whatever_the_ids_are_spelt_like, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_of_the_timeline_have_every_event_once_newest_first, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cursor_that_no_page_gave_is_refused_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(a_shared_device_gives_each_the_time_that_was_theirs, setup, teardown),
        cmocka_unit_test_setup_teardown(the_evidence_names_the_messages_and_why_says_which, setup, teardown),
        cmocka_unit_test_setup_teardown(links_of_one_message_stand_in_one_order_after_a_rebuild, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
