/* site_devtools: messages out of a pipe, however they are cut, and never more of them than fits. */
#include "site/site_devtools.c"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct ends { int to[2], from[2]; struct devtools devtools; };

static void open_ends(struct ends *ends)
{
    assert_int_equal(pipe2(ends->to, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(pipe2(ends->from, O_NONBLOCK | O_CLOEXEC), 0);
    devtools_open(&ends->devtools, ends->from[0], ends->to[1]);
}

static void close_ends(struct ends *ends)
{
    devtools_close(&ends->devtools);
    close(ends->to[0]), close(ends->to[1]), close(ends->from[0]);
    if (ends->from[1] >= 0) close(ends->from[1]);
}

static void put(struct ends *ends, const char *bytes, size_t count)
{
    assert_int_equal(write(ends->from[1], bytes, count), count);
}
#define PUT(ends, literal) put(ends, literal, sizeof(literal) - 1)

static Str next(struct ends *ends)
{
    Err err;
    Str message;
    assert_int_equal(devtools_next(&ends->devtools, 0, &message, &err), OK);
    return message;
}

static void messages_come_one_by_one_however_they_are_cut(void **state)
{
    (void)state;
    struct ends ends;
    open_ends(&ends);
    PUT(&ends, "{\"id\":1}\0{\"id\":2}\0\0\0{\"i");
    assert_true(str_equal(next(&ends), STR("{\"id\":1}")));
    assert_true(str_equal(next(&ends), STR("{\"id\":2}")));
    assert_int_equal(next(&ends).len, 0);
    PUT(&ends, "d\":3}\0");
    assert_true(str_equal(next(&ends), STR("{\"id\":3}")));
    assert_int_equal(next(&ends).len, 0);
    close_ends(&ends);
}

static void what_is_too_long_is_dropped_and_the_next_one_is_whole(void **state)
{
    (void)state;
    struct ends ends;
    char piece[32 * 1024];
    open_ends(&ends);
    memset(piece, 'x', sizeof piece);
    for (size_t sent = 0; sent < 3 * (size_t)DEVTOOLS_MESSAGE_BYTES; sent += sizeof piece) {
        put(&ends, piece, sizeof piece);
        assert_int_equal(next(&ends).len, 0);
        assert_true(ends.devtools.read.len <= DEVTOOLS_MESSAGE_BYTES + PIECE_BYTES);
    }
    PUT(&ends, "tail\0{\"id\":4}\0");
    assert_true(str_equal(next(&ends), STR("{\"id\":4}")));
    assert_int_equal(ends.devtools.skipped_count, 1);
    close_ends(&ends);
}

static void an_end_is_told_behind_what_came_before_it(void **state)
{
    (void)state;
    struct ends ends;
    Err err;
    Str message;
    open_ends(&ends);
    PUT(&ends, "{\"id\":5}\0{\"half");
    close(ends.from[1]);
    ends.from[1] = -1;
    assert_true(str_equal(next(&ends), STR("{\"id\":5}")));
    assert_int_equal(devtools_next(&ends.devtools, 0, &message, &err), ERR_CLOSED);
    close_ends(&ends);
}

static void commands_go_out_whole_and_a_reader_that_stops_is_no_wait(void **state)
{
    (void)state;
    struct ends ends;
    char got[256];
    open_ends(&ends);
    assert_int_equal(devtools_send(&ends.devtools, STR("S\"1"), "Page.navigate", STR("{\"url\":\"http://a/\"}")), 1);
    assert_int_equal(devtools_send(&ends.devtools, (Str){ 0 }, "Page.enable", (Str){ 0 }), 2);
    assert_int_equal(next(&ends).len, 0);
    ssize_t count = read(ends.to[0], got, sizeof got);
    static const char wanted[] = "{\"id\":1,\"method\":\"Page.navigate\",\"sessionId\":\"S\\\"1\",\"params\":"
                                 "{\"url\":\"http://a/\"}}\0{\"id\":2,\"method\":\"Page.enable\"}";
    assert_int_equal(count, sizeof wanted);
    assert_memory_equal(got, wanted, sizeof wanted);
    uint64_t id = 2;
    char params[30000];
    memset(params, ' ', sizeof params);
    for (int at = 0; at < 1000 && id; at++) id = devtools_send(&ends.devtools, (Str){ 0 }, "A", str_of(params,
                                                                                                       sizeof params));
    assert_int_equal(id, 0);
    assert_true(ends.devtools.queue.len <= DEVTOOLS_QUEUE_BYTES);
    assert_int_equal(next(&ends).len, 0);
    close_ends(&ends);
}

static void the_method_is_read_without_a_tree(void **state)
{
    (void)state;
    static const struct { const char *message, *method; } rows[] = {
        { "{\"method\":\"Page.loadEventFired\",\"params\":{}}", "Page.loadEventFired" }, { "{\"id\":1,\"result\":{}}",
                                                                                           "" },
        { "", "" }, { "{\"method\":\"", "" }, { "{\"method\":\"x", "x" }, { "[]", "" }, { "{\"method\":7}", "" },
    };
    for (size_t at = 0; at < countof(rows); at++)
        assert_true(str_equal(devtools_method(str_from(rows[at].message)), str_from(rows[at].method)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_one_by_one_however_they_are_cut),
        cmocka_unit_test(what_is_too_long_is_dropped_and_the_next_one_is_whole),
        cmocka_unit_test(an_end_is_told_behind_what_came_before_it),
        cmocka_unit_test(commands_go_out_whole_and_a_reader_that_stops_is_no_wait),
        cmocka_unit_test(the_method_is_read_without_a_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
