/* terminal_visitors: when a visitor becomes somebody is said once, with what is kept of before. */
#include "terminal/terminal_visitors.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct buf record, said;

static Str encode(EventType type, const char *user, const char *anonymous, const char *json)
{
    Event event = {
        .type = type, .source = STR("website"), .message_id = STR("m"), .user_id = str_from(user),
        .anonymous_id = str_from(anonymous), .json = str_from(json), .original_timestamp_ms = INSTANT_NONE,
        .sent_at_ms = INSTANT_NONE,
    };
    buf_clear(&record);
    event_encode(&record, &event);
    return buf_str(&record);
}

static const char *say(struct visitors *visitors, EventType type, const char *user, const char *anonymous)
{
    buf_clear(&said);
    if (!visitors_note(visitors, encode(type, user, anonymous, "{\"traits\":{\"name\":\"Kim\"}}"), &said)) return NULL;
    buf_char(&said, 0);
    return said.bytes;
}

static int open_visitors(void **state)
{
    buf_init(&record, 1024 * 1024);
    buf_init(&said, 1024 * 1024);
    return (*state = visitors_open()) ? 0 : 1;
}

static int close_visitors(void **state)
{
    visitors_close(*state);
    buf_done(&record);
    buf_done(&said);
    return 0;
}

static void the_first_call_that_names_a_visitor_is_told_with_what_came_before(void **state)
{
    struct visitors *visitors = *state;
    assert_null(say(visitors, EVENT_PAGE, "", "7f3e8a01-aaaa"));
    assert_null(say(visitors, EVENT_TRACK, "", "7f3e8a01-aaaa"));
    assert_null(say(visitors, EVENT_PAGE, "", "another"));
    assert_string_equal(say(visitors, EVENT_IDENTIFY, "12345", "7f3e8a01-aaaa"),
                        "= ~7f3e8a01-… is now user 12345 (Kim) · 2 earlier events kept");
    assert_null(say(visitors, EVENT_IDENTIFY, "12345", "7f3e8a01-aaaa"));
    assert_null(say(visitors, EVENT_TRACK, "", "7f3e8a01-aaaa"));
    assert_null(say(visitors, EVENT_TRACK, "12345", "7f3e8a01-aaaa"));
    assert_string_equal(say(visitors, EVENT_TRACK, "6", "another"), "= ~another is now user 6 · 1 earlier event kept");
}

static void who_was_never_anonymous_is_no_news(void **state)
{
    struct visitors *visitors = *state;
    assert_null(say(visitors, EVENT_IDENTIFY, "12345", "a"));
    assert_null(say(visitors, EVENT_PAGE, "", "a"));
    assert_null(say(visitors, EVENT_IDENTIFY, "12345", "a"));
    assert_null(say(visitors, EVENT_IDENTIFY, "12345", ""));
    assert_null(say(visitors, EVENT_ALIAS, "12345", "b"));
    assert_false(visitors_note(visitors, STR("no record"), &said));
}

static void any_number_of_visitors_fits(void **state)
{
    struct visitors *visitors = *state;
    char id[32];
    for (int at = 0; at < 6 * VISITORS_MAX; at++) {
        snprintf(id, sizeof id, "visitor-%d", at);
        assert_null(say(visitors, EVENT_PAGE, "", id));
        assert_true(visitors->count <= VISITORS_MAX);
    }
    assert_non_null(say(visitors, EVENT_IDENTIFY, "1", id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_call_that_names_a_visitor_is_told_with_what_came_before,
                                        open_visitors, close_visitors),
        cmocka_unit_test_setup_teardown(who_was_never_anonymous_is_no_news, open_visitors, close_visitors),
        cmocka_unit_test_setup_teardown(any_number_of_visitors_fits, open_visitors, close_visitors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
