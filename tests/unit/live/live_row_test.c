/* live_row: a record becomes a row of JSON on one line, whatever the message has in it: a line's end would end the
 * event of the stream. */
#include "live/live_row.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct buf record, out;
static struct region region;

static int set_up(void **state)
{
    (void)state;
    buf_init(&record, LIMIT_RECORD_BYTES);
    buf_init(&out, 16 * LIMIT_RECORD_BYTES);
    region_open(&region, 64 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_done(&record), buf_done(&out);
    region_close(&region);
    return 0;
}

static LiveRow read_record(Arena *arena)
{
    LiveRow row;
    bool is_message;
    Err err;
    assert_int_equal(live_row_read(buf_str(&record), 4096, arena, &row, &is_message, &err), OK);
    assert_true(is_message);
    return row;
}

static LiveRow row_of(const char *json, Arena *arena)
{
    buf_clear(&record);
    event_encode(&record, &(Event){ .type = EVENT_TRACK, .source = STR("web"), .message_id = STR("m"),
                                    .user_id = STR("kim"), .json = str_from(json), .received_at_ms = 1000 });
    return read_record(arena);
}

static LiveRow rejected_row(const char *json, const char *text, Arena *arena)
{
    buf_clear(&record);
    rejected_encode(&record, &(Rejected){ .source = STR("we\nb"), .reason = STR("no_type"), .field = STR("type"),
                                          .text = str_from(text), .json = str_from(json), .received_at_ms = 1000 });
    return read_record(arena);
}

/* What is written, read again; it must be on one line. */
static const TreeNode *written(const LiveRow *row, Arena *arena)
{
    const TreeNode *root;
    Err err;
    buf_clear(&out);
    live_row_write(row, STR("{\"person_id\":\"u_kim\"}"), &out);
    assert_true(buf_ok(&out));
    for (size_t at = 0; at < out.len; at++) assert_true((unsigned char)out.bytes[at] >= ' ');
    assert_false(str_contains(buf_str(&out), STR("\xe2\x80\xa8")) || str_contains(buf_str(&out), STR("\xe2\x80\xa9")));
    if (event_tree_read(buf_str(&out), arena, &root, &err)) fail_msg("%.*s: %s", STR_FORMAT(buf_str(&out)), err.text);
    return root;
}

static void a_row_is_one_line_of_json_whatever_the_message_has(void **state)
{
    static const char *const messages[] = {
        "{}", "{\"a\":\n\n{\"b\"\r:\t1}}", "{\"text\":\"one\xe2\x80\xa8two\xe2\x80\xa9three\"}",
        "{\"text\":\"\\n\\u2028\"}",
        "{\"\xe2\x80\xa8\":1}",
    };
    (void)state;
    for (size_t at = 0; at < countof(messages); at++) {
        Arena arena = region_arena(&region);
        LiveRow row = row_of(messages[at], &arena);
        const TreeNode *root = written(&row, &arena), *before;
        assert_true(str_equal(event_tree_text(root, "fate"), STR("accepted")));
        assert_true(str_equal(event_tree_text(root, "position"), STR("4096")));
        assert_true(str_equal(event_tree_text(root, "person.person_id"), STR("u_kim")));
        assert_int_equal(event_tree_read(str_from(messages[at]), &arena, &before, NULL), OK);
        if (before->first) {                                 /* the same members as were sent */
            const TreeNode *message = event_tree_find(root, "message");
            assert_non_null(message->first);
            assert_true(str_equal(message->first->key, before->first->key));
            assert_true(str_equal(message->first->text, before->first->text) || before->first->first);
        }
    }
}

static void a_rejected_message_is_told_whole_or_as_text(void **state)
{
    (void)state;
    Arena arena = region_arena(&region);
    LiveRow row = rejected_row("{\"event\":\n\"A\"}", "a message needs a type", &arena);
    const TreeNode *root = written(&row, &arena);
    assert_true(str_equal(event_tree_text(root, "fate"), STR("rejected")));
    assert_true(str_equal(event_tree_text(root, "reason"), STR("no_type")));
    assert_true(str_equal(event_tree_text(root, "message.event"), STR("A")));
    assert_true(str_equal(event_tree_text(root, "source"), STR("we\nb")));
    row = rejected_row("{\"event\":\"\xe2\x80\xa8", "cut", &arena);
    root = written(&row, &arena);
    assert_true(event_tree_is_kind(event_tree_find(root, "message"), FIELD_STRING));
    assert_true(str_equal(event_tree_text(root, "message"), STR("{\"event\":\"\xe2\x80\xa8")));
}

static void of_a_suppressed_message_nothing_is_told_but_what_kind_it_was(void **state)
{
    (void)state;
    Arena arena = region_arena(&region);
    LiveRow row = row_of("{\"event\":\"secret\",\"userId\":\"kim\"}", &arena);
    row.fate = LIVE_SUPPRESSED;
    const TreeNode *root = written(&row, &arena);
    assert_false(str_contains(buf_str(&out), STR("secret")) || str_contains(buf_str(&out), STR("kim")));
    assert_true(str_equal(event_tree_text(root, "message.type"), STR("track")));
    assert_true(str_equal(event_tree_text(root, "source"), STR("web")));
}

static void records_that_are_no_messages_make_no_row(void **state)
{
    JournalCommand command = { .kind = COMMAND_ERASE, .author = STR("api"), .ids = &(CommandId){ .value = STR("kim") },
                               .id_count = 1 };
    Arena arena = region_arena(&region);
    LiveRow row;
    bool is_message = true;
    Err err;
    (void)state;
    buf_clear(&record);
    command_encode(&record, &command);
    assert_int_equal(live_row_read(buf_str(&record), 4096, &arena, &row, &is_message, &err), OK);
    assert_false(is_message);
    assert_int_equal(live_row_read(STR("\x7f nothing known"), 4096, &arena, &row, &is_message, &err), ERR_DAMAGED);
    assert_false(is_message);
    buf_clear(&record);
    event_encode(&record, &(Event){ .type = EVENT_TRACK, .source = STR("web"), .json = STR("{}") });
    for (size_t len = 1; len < record.len; len++)            /* cut anywhere: told, not guessed */
        assert_int_not_equal(live_row_read(str_of(record.bytes, len), 4096, &arena, &row, &is_message, &err), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_one_line_of_json_whatever_the_message_has),
        cmocka_unit_test(a_rejected_message_is_told_whole_or_as_text),
        cmocka_unit_test(of_a_suppressed_message_nothing_is_told_but_what_kind_it_was),
        cmocka_unit_test(records_that_are_no_messages_make_no_row),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
