/* http_answer, http_reply, http_parameter: what a head says, what an error becomes, and what a query string holds. No
 * text of a client ends a header's line or a string of JSON. */
#include "http/http_answer.c"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct fake_clock now;
static struct http_server server;

static int setup(void **state)
{
    (void)state;
    fake_clock_init(&now, 784111777000);
    buf_init(&server.head, 1 << 20);
    server.options.clock = &now.clock;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_done(&server.head);
    return 0;
}

static void handle(struct exchange *exchange) { (void)exchange; }

/* The head as a text with an end, until the next one. */
static const char *head_of(struct exchange *exchange, bool closes)
{
    exchange->server = &server;
    answer_write_head(exchange, closes);
    buf_char(&server.head, 0);
    assert_true(buf_ok(&server.head));
    return server.head.bytes;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)); text++) count++;
    return count;
}

static void a_head_says_what_the_reply_is(void **state)
{
    struct exchange exchange = { .method = METHOD_GET, .reply = { .status = 200, .body = STR("{}") } };
    (void)state;
    assert_string_equal(head_of(&exchange, false),
                        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 2\r\n"
                        "Content-Type: application/json\r\nCache-Control: no-store\r\n"
                        "X-Content-Type-Options: nosniff\r\n\r\n");
    assert_int_equal(count_of(head_of(&exchange, true), "\r\nConnection: close\r\n"), 1);
    fake_clock_advance(&now, 999);
    assert_int_equal(count_of(head_of(&exchange, false), "08:49:37 GMT"), 1);
    fake_clock_advance(&now, 1);
    assert_int_equal(count_of(head_of(&exchange, false), "08:49:38 GMT"), 1);
}

/* RFC 9110, 8.6: no length where there is no content. */
static void what_has_no_body_has_no_length_and_no_type(void **state)
{
    static const unsigned statuses[] = { 204, 304 };
    (void)state;
    for (size_t at = 0; at < countof(statuses); at++) {
        Reply reply = { .status = statuses[at], .etag = "\"1\"", .cache_control = "no-cache" };
        struct exchange exchange = { .reply = reply };
        const char *head = head_of(&exchange, false);
        assert_int_equal(count_of(head, "Content-Length") + count_of(head, "Content-Type:"), 0);
        assert_int_equal(count_of(head, "\r\nETag: \"1\"\r\nX-Content"), 1);
        assert_int_equal(count_of(head, "\r\nCache-Control: no-cache\r\n"), 1);
    }
    struct exchange empty = { .reply = { .status = 200 } };
    assert_int_equal(count_of(head_of(&empty, false), "\r\nContent-Length: 0\r\n"), 1);
    struct exchange unknown = { .reply = { .status = 299 } };
    assert_int_equal(count_of(head_of(&unknown, false), "HTTP/1.1 299 Status\r\n"), 1);
}

static void a_value_that_would_end_its_line_is_left_out(void **state)
{
    static const char *const forged[] = {
        "http://a\r\nSet-Cookie: x=1", "http://a\nX: 1", "http://a\rX: 1", "http://a\x01", "http://a\x7f", "\x1b[2J",
    };
    static const Route route = { METHOD_POST, "/v1/t", handle, ROUTE_COLLECT, EVENT_NONE };
    (void)state;
    for (size_t at = 0; at < countof(forged); at++) {
        struct exchange exchange = { .method = METHOD_OPTIONS, .route = &route, .origin = str_from(forged[at]),
                                     .request_headers = str_from(forged[at]), .reply = { .status = 204 } };
        const char *head = head_of(&exchange, false);
        assert_int_equal(count_of(head, "Allow-Origin") + count_of(head, "Allow-Headers"), 0);
        assert_int_equal(count_of(head, "\r\n\r\n"), 1);
        assert_null(strpbrk(head, "\x01\x7f\x1b"));
    }
    struct exchange with_nul = { .method = METHOD_GET, .route = &route, .origin = STR("http://a\0b"),
                                 .reply = { .status = 200 } };
    head_of(&with_nul, false);
    assert_null(memchr(server.head.bytes, 0, server.head.len - 1));
    char long_origin[2048];
    memset(long_origin, 'a', sizeof long_origin);
    struct exchange too_long = { .route = &route, .origin = str_of(long_origin, 2048), .reply = { .status = 200 } };
    assert_int_equal(count_of(head_of(&too_long, false), "Allow-Origin"), 0);
    too_long.origin.len = 2047;
    assert_int_equal(count_of(head_of(&too_long, false), "Allow-Origin"), 1);
}

static void only_routes_for_pages_answer_their_origins(void **state)
{
    static const struct { int flags; bool says_so; } rows[] = {
        { ROUTE_COLLECT, true }, { ROUTE_PUBLIC, true }, { ROUTE_SECRET, false }, { ROUTE_PROFILE, false },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Route route = { METHOD_GET, "/x", handle, rows[at].flags, EVENT_NONE };
        struct exchange exchange = { .method = METHOD_GET, .route = &route, .origin = STR("https://shop.example"),
                                     .reply = { .status = 200 } };
        const char *head = head_of(&exchange, false);
        assert_int_equal(count_of(head, "\r\nAccess-Control-Allow-Origin: https://shop.example\r\n"), rows[at].says_so);
        assert_int_equal(count_of(head, "Allow-Origin: *"), 0);
        assert_int_equal(count_of(head, "\r\nVary: Origin\r\n"), rows[at].says_so);
        assert_int_equal(count_of(head, "\r\nCross-Origin-Resource-Policy: cross-origin\r\n"), rows[at].says_so);
        assert_int_equal(count_of(head, "Access-Control-Max-Age"), 0);           /* that is a preflight's */
        exchange.origin = (Str){ 0 };
        assert_int_equal(count_of(head_of(&exchange, false), "Access-Control"), 0);
        exchange.route = NULL, exchange.origin = STR("https://shop.example");
        assert_int_equal(count_of(head_of(&exchange, false), "Access-Control"), 0);
    }
}

/* "no-store" on the answer to a POST keeps a page's request pending in Chromium until the page is gone. */
static void only_an_answer_to_a_post_says_nothing_of_caches(void **state)
{
    static const Method methods[] = { METHOD_GET, METHOD_POST, METHOD_OPTIONS, METHOD_HEAD };
    (void)state;
    for (size_t at = 0; at < countof(methods); at++) {
        struct exchange exchange = { .method = methods[at], .reply = { .status = 200 } };
        assert_int_equal(count_of(head_of(&exchange, false), "no-store"), methods[at] != METHOD_POST);
    }
}

static void a_wait_is_told_in_whole_seconds_that_are_enough(void **state)
{
    static const struct { Millis ms; const char *line; } rows[] = {
        { 1, "\r\nRetry-After: 1\r\n" }, { 1000, "\r\nRetry-After: 1\r\n" }, { 1001, "\r\nRetry-After: 2\r\n" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        struct exchange exchange = { .reply = { .status = 429, .retry_after_ms = rows[at].ms } };
        assert_int_equal(count_of(head_of(&exchange, false), rows[at].line), 1);
    }
    struct exchange none = { .reply = { .status = 429 } };
    assert_int_equal(count_of(head_of(&none, false), "Retry-After"), 0);
}

/* ---- Errors ---- */

static void every_kind_of_error_has_its_status(void **state)
{
    static const struct { Status status; unsigned collect, other; } rows[] = {
        { OK, 200, 200 }, { ERR_INPUT, 400, 400 }, { ERR_TOO_LARGE, 400, 413 }, { ERR_DENIED, 401, 401 },
        { ERR_NOT_FOUND, 404, 404 }, { ERR_CONFLICT, 409, 409 }, { ERR_RATE, 429, 429 }, { ERR_FULL, 503, 503 },
        { ERR_IO, 503, 503 }, { ERR_DAMAGED, 500, 500 }, { ERR_CLOSED, 503, 503 }, { ERR_TIMEOUT, 503, 503 },
        { ERR_UNSUPPORTED, 400, 400 }, { (Status)999, 500, 500 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        assert_int_equal(reply_status_of(rows[at].status, true), rows[at].collect);
        assert_int_equal(reply_status_of(rows[at].status, false), rows[at].other);
    }
}

static Reply refuse_with(Status status, const Err *err, const Route *route, Millis asked_ms)
{
    static struct exchange exchange;
    static char bytes[4096];
    exchange = (struct exchange){ .server = &server, .route = route, .reply = { .retry_after_ms = asked_ms,
                                  .status = 200, .etag = "\"left\"", .content_type = "text/html" } };
    buf_init_fixed(&exchange.answer, bytes, sizeof bytes);
    buf_str_put(&exchange.answer, STR("half an answer"));
    reply_error(&exchange, status, err);
    assert_int_equal(exchange.state, EXCHANGE_ANSWERED);
    return exchange.reply;
}

static void an_error_is_json_for_sdks_and_for_readers(void **state)
{
    static const Route collect = { METHOD_POST, "/v1/t", handle, ROUTE_COLLECT, EVENT_NONE };
    Err err = { 0 };
    (void)state;
    IGNORE(err_set_field(&err, "limit", "must be \"small\", not \x01 or <b>"));
    Reply reply = refuse_with(ERR_INPUT, &err, &collect, 0);
    assert_true(str_equal(reply.body, STR("{\"success\":false,\"code\":\"invalid_request\",\"message\":"
                                          "\"must be \\\"small\\\", not \\u0001 or <b>\",\"error\":"
                                          "\"must be \\\"small\\\", not \\u0001 or <b>\"}")));
    assert_null(reply.content_type);                        /* nothing of the answer that was begun is left */
    assert_null(reply.etag);
    assert_false(str_contains(reply.body, STR("half")));
    reply = refuse_with(ERR_INPUT, &err, NULL, 0);
    assert_true(str_starts(reply.body, STR("{\"error\":{\"code\":\"")));
    assert_true(str_contains(reply.body, STR(",\"field\":\"limit\"}}")));
    Err plain = { 0 };
    IGNORE(err_set(&plain, ERR_NOT_FOUND, "nobody"));
    assert_false(str_contains(refuse_with(ERR_NOT_FOUND, &plain, NULL, 0).body, STR("field")));
}

static void who_is_to_wait_is_told_how_long(void **state)
{
    Err err = { 0 };
    (void)state;
    assert_int_equal(refuse_with(ERR_RATE, &err, NULL, 0).retry_after_ms, 1000);
    assert_int_equal(refuse_with(ERR_RATE, &err, NULL, 7000).retry_after_ms, 7000);
    assert_int_equal(refuse_with(ERR_FULL, &err, NULL, 0).retry_after_ms, 5000);
    assert_int_equal(refuse_with(ERR_INPUT, &err, NULL, 7000).retry_after_ms, 0);
    assert_true(refuse_with(ERR_DENIED, &err, NULL, 0).asks_for_key);
    assert_false(refuse_with(ERR_INPUT, &err, NULL, 0).asks_for_key);
}

/* ---- Query strings ---- */

static void the_first_parameter_of_the_name_counts(void **state)
{
    static const struct { const char *query, *name, *value; } rows[] = {
        { "a=1", "a", "1" }, { "a=1&a=2", "a", "1" }, { "b=1&a=2", "a", "2" }, { "", "a", "" }, { "a", "a", "" },
        { "a=", "a", "" }, { "a&b=2", "b", "2" }, { "&&a=1&", "a", "1" }, { "=1", "", "1" }, { "a=b=c", "a", "b=c" },
        { "aa=1", "a", "" }, { "A=1", "a", "" }, { "a=x+y%20z", "a", "x y z" }, { "%61=1", "a", "1" },
        { "a=1%262", "a", "1&2" }, { "a%3Db=1", "a=b", "1" }, { "a=%", "a", "%" }, { "a=%4", "a", "%4" },
        { "a=%zz", "a", "%zz" }, { "a=1;b=2", "a", "1;b=2" }, { "a=%e2%82%ac", "a", "\xe2\x82\xac" },
        { "a+b=1", "a b", "1" },
    };
    struct region region;
    (void)state;
    region_open(&region, 1 << 16);
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = region_arena(&region);
        Str value = http_parameter(str_from(rows[at].query), str_from(rows[at].name), &arena);
        if (!str_equal(value, str_from(rows[at].value))) fail_msg("%s", rows[at].query);
    }
    Arena arena = region_arena(&region);
    Str with_nul = http_parameter(STR("a=x%00y"), STR("a"), &arena);
    assert_int_equal(with_nul.len, 3);
    assert_memory_equal(with_nul.bytes, "x\0y", 3);
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_says_what_the_reply_is), cmocka_unit_test(what_has_no_body_has_no_length_and_no_type),
        cmocka_unit_test(a_value_that_would_end_its_line_is_left_out),
        cmocka_unit_test(only_routes_for_pages_answer_their_origins),
        cmocka_unit_test(only_an_answer_to_a_post_says_nothing_of_caches),
        cmocka_unit_test(a_wait_is_told_in_whole_seconds_that_are_enough),
        cmocka_unit_test(every_kind_of_error_has_its_status),
        cmocka_unit_test(an_error_is_json_for_sdks_and_for_readers),
        cmocka_unit_test(who_is_to_wait_is_told_how_long), cmocka_unit_test(the_first_parameter_of_the_name_counts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
