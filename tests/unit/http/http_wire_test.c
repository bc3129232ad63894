/* http_wire: what is a request, what is none, and that it does not matter how its bytes are cut. */
#include "http/http_wire.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static WireHead head;

/* What becomes of the bytes when they come in pieces of this size: the refusal's status, 0 where more must come, 200
 * where a request is whole; then *ret_rest bytes are behind it. The body's own bytes land in body_bytes. */
static char body_bytes[4096];
static size_t body_len;

static unsigned read_all(Str bytes, size_t piece, size_t *ret_rest)
{
    WireRefusal refusal = { 0 };
    size_t scanned = 0, head_len = 0, at = 0;
    WireStep step = WIRE_MORE;
    body_len = 0;
    while (step == WIRE_MORE && at < bytes.len) {
        at = at + piece < bytes.len ? at + piece : bytes.len;
        char *copy = malloc(at);                             /* of its exact size, for the sanitizer */
        memcpy(copy, bytes.bytes, at);
        step = wire_find_head(str_of(copy, at), &scanned, &head_len, &refusal);
        free(copy);
    }
    if (step == WIRE_REFUSED) return refusal.status;
    if (step == WIRE_MORE) return 0;
    static char kept[64 * 1024];
    memcpy(kept, bytes.bytes, head_len);
    if (wire_parse_head(str_of(kept, head_len), &head, &refusal) == WIRE_REFUSED) return refusal.status;
    struct wire_body body;
    wire_begin_body(&body, &head);
    for (at = head_len, step = WIRE_MORE; step == WIRE_MORE;) {
        Str some = str_slice(bytes, at, at + piece), taken;
        size_t before = some.len;
        do {
            step = wire_read_body(&body, &some, &taken, &refusal);
            if (taken.len) memcpy(body_bytes + body_len, taken.bytes, taken.len);
            body_len += taken.len;
        } while (step == WIRE_MORE && taken.len);
        at += before - some.len;
        if (step == WIRE_MORE && at == bytes.len) return 0;
    }
    *ret_rest = bytes.len - at;
    return step == WIRE_REFUSED ? refusal.status : 200;
}

#define GET "GET / HTTP/1.1\r\nHost: x\r\n"
#define POST "POST /v1/t HTTP/1.1\r\nHost: x\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

static const struct { const char *bytes; unsigned status; } rows[] = {
    { GET "\r\n", 200 }, { "GET / HTTP/1.0\r\n\r\n", 200 }, { GET "X:\r\n\r\n", 200 },
    { GET "X: \t a\tb \r\n\r\n", 200 },
    { GET "X: \xff\xc3\xa9\r\n\r\n", 200 }, { "GET http://x/a?b HTTP/1.1\r\nHost: x\r\n\r\n", 200 },
    { "GET HTTPS://X:80/ HTTP/1.1\r\nHost: x:80\r\n\r\n", 200 }, { "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 200 },
    { "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 200 }, { "GET / HTTP/1.1\r\nHost: a_b.example\r\n\r\n", 200 },
    { "M-SEARCH / HTTP/1.1\r\nHost: x\r\n\r\n", 200 }, { POST "Content-Length: 3\r\n\r\nabc", 200 },
    { POST "Content-Length: 0\r\n\r\n", 200 }, { POST "content-LENGTH:\t3\t\r\n\r\nabc", 200 },
    { CHUNKED "3\r\nabc\r\n0\r\n\r\n", 200 }, { CHUNKED "00000003\r\nabc\r\n0\r\n\r\n", 200 },
    { CHUNKED "3;a=\"b\";c\r\nabc\r\n0\r\n\r\n", 200 },
    { CHUNKED "1\r\na\r\n2\r\nbc\r\n0;x\r\nT: a\r\nU:\r\n\r\n", 200 },
    { POST "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200 },
    /* lines */
    { "GET / HTTP/1.1\nHost: x\n\n", 400 }, { "GET / HTTP/1.1\r\nHost: x\n\r\n", 400 }, { GET "X: a\rb\r\n\r\n", 400 },
    { GET "X: a\r\r\n\r\n", 400 }, { "\rGET / HTTP/1.1\r\n", 400 }, { "\n", 400 }, { GET "\rX", 400 },
    { GET "X: a\x01" "b\r\n\r\n", 400 }, { GET "X: a\x7f" "b\r\n\r\n", 400 }, { GET "X: a\x0b\r\n\r\n", 400 },
    { GET " folded: x\r\n\r\n", 400 }, { GET "X: a\r\n b\r\n\r\n", 400 }, { GET "X: a\r\n\tb\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400 },
    /* the request line */
    { "GET /\r\n\r\n", 400 }, { "GET\r\n\r\n", 400 }, { "\r\n\r\n", 400 },
    { "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET /  HTTP/1.1\r\nHost: x\r\n\r\n", 400 }, { "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400 },
    { " GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400 }, { "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400 }, { "GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400 }, { "GET / http/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET / HTTP/1.10\r\nHost: x\r\n\r\n", 400 }, { "GET / HTTP/11\r\nHost: x\r\n\r\n", 400 },
    { "GET / HTTP/1,1\r\nHost: x\r\n\r\n", 400 }, { "GET / HTTP/+.1\r\nHost: x\r\n\r\n", 400 },
    { "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505 }, { "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505 },
    { "GET / HTTP/0.9\r\nHost: x\r\n\r\n", 505 }, { "PRI * HTTP/2.0\r\n\r\n", 505 },
    { "GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400 }, { "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n", 400 }, { "GET http://u@x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET http:/x HTTP/1.1\r\nHost: x\r\n\r\n", 400 }, { "GET http://x:81/ HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    /* names, and Host */
    { GET "X : a\r\n\r\n", 400 }, { GET "X\t: a\r\n\r\n", 400 }, { GET ": a\r\n\r\n", 400 }, { GET "X\r\n\r\n", 400 },
    { GET "X(: a\r\n\r\n", 400 }, { GET "X\xff: a\r\n\r\n", 400 }, { GET "Content-Length : 3\r\n\r\nabc", 400 },
    { "GET / HTTP/1.1\r\n\r\n", 400 }, { "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400 },
    { "GET / HTTP/1.0\r\nHost: x\r\nhost: y\r\n\r\n", 400 }, { "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n", 400 }, { "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: u@x\r\n\r\n", 400 }, { "GET / HTTP/1.1\r\nHost: x:a\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: x:123456\r\n\r\n", 400 }, { "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: []\r\n\r\n", 400 }, { "GET / HTTP/1.1\r\nHost: x\"y\r\n\r\n", 400 },
    { GET "Authorization: Bearer x\r\nAUTHORIZATION: Bearer x\r\n\r\n", 400 },
    { GET "Origin: https://a\r\nOrigin: https://b\r\n\r\n", 400 },
    { GET "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n\r\n", 400 },
    { GET "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 1.2.3.5\r\n\r\n", 200 },
    { "GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n", 400 }, { "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400 },
    /* how long */
    { POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400 }, { POST "Content-Length: 3, 3\r\n\r\nabc", 400 },
    { POST "Content-Length: +3\r\n\r\nabc", 400 }, { POST "Content-Length: -3\r\n\r\nabc", 400 },
    { POST "Content-Length: 3 3\r\n\r\nabc", 400 }, { POST "Content-Length: 0x3\r\n\r\nabc", 400 },
    { POST "Content-Length:\r\n\r\n", 400 }, { POST "Content-Length: 3.\r\n\r\nabc", 400 },
    { POST "Content-Length: 18446744073709551619\r\n\r\nabc", 400 },
    { POST "Content-Length: 9999999999999999999\r\n\r\n", 400 },
    { POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
    { POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400 },
    { POST "Transfer-Encoding: identity\r\n\r\n", 400 },
    { POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400 },
    { POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400 },
    { POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
    { POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400 },
    { POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400 },
    { POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400 },
    { POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", 400 },
    { POST "Transfer-Encoding:\r\n\r\n", 400 }, { POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400 },
    { "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
    /* chunks */
    { CHUNKED "3\nabc\r\n0\r\n\r\n", 400 }, { CHUNKED "3\r\nabc\n0\r\n\r\n", 400 },
    { CHUNKED "3\r\nabcd\r\n0\r\n\r\n", 400 },
    { CHUNKED "3 \r\nabc\r\n0\r\n\r\n", 400 }, { CHUNKED " 3\r\nabc\r\n0\r\n\r\n", 400 },
    { CHUNKED "0x3\r\nabc\r\n0\r\n\r\n", 400 },
    { CHUNKED "+3\r\nabc\r\n0\r\n\r\n", 400 }, { CHUNKED "-3\r\nabc\r\n0\r\n\r\n", 400 }, { CHUNKED "\r\n", 400 },
    { CHUNKED "000000003\r\nabc\r\n0\r\n\r\n", 400 }, { CHUNKED "FFFFFFFFFFFFFFFF1\r\nabc", 400 },
    { CHUNKED ";x\r\n", 400 },
    { CHUNKED "3;a\nb\r\nabc\r\n0\r\n\r\n", 400 }, { CHUNKED "3\rabc", 400 }, { CHUNKED "0\r\n\n", 400 },
    { CHUNKED "0\r\nT : a\r\n\r\n", 400 }, { CHUNKED "0\r\nT\r\n\r\n", 400 }, { CHUNKED "0\r\n: a\r\n\r\n", 400 },
    { CHUNKED "0\r\n T: a\r\n\r\n", 400 }, { CHUNKED "0\r\nT: a\nU: b\r\n\r\n", 400 },
    { CHUNKED "0\r\nT: a\x01\r\n\r\n", 400 },
    /* not whole yet */
    { "", 0 }, { "G", 0 }, { GET, 0 }, { GET "\r", 0 }, { POST "Content-Length: 4\r\n\r\nabc", 0 }, { CHUNKED, 0 },
    { CHUNKED "3\r\nabc\r\n0\r\n", 0 }, { CHUNKED "0\r\nT: a\r\n\r", 0 },
};

static void requests_are_read_strictly_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t at = 0; at < countof(rows); at++)
        for (size_t piece = 1; piece < 200; piece += piece < 8 ? 1 : 37) {
            Str bytes = str_from(rows[at].bytes);
            size_t rest = 0;
            unsigned status = read_all(bytes, piece, &rest);
            if (status != rows[at].status) fail_msg("%s: %u, wanted %u", rows[at].bytes, status, rows[at].status);
            if (status == 200) assert_int_equal(rest, 0);
            bool is_abc = status == 200 && strstr(rows[at].bytes, "abc");
            if (is_abc) assert_memory_equal(body_bytes, "abc", 3);
        }
}

static void a_zero_anywhere_in_a_head_is_refused(void **state)
{
    static const char text[] = POST "Content-Length: 3\r\nX: y\r\n\r\nabc";
    (void)state;
    for (size_t at = 0; at < sizeof text - 4; at++) {
        char copy[sizeof text];
        size_t rest;
        memcpy(copy, text, sizeof text);
        copy[at] = 0;
        assert_int_equal(read_all(str_of(copy, sizeof text - 1), 1000, &rest), 400);
    }
}

static void what_is_behind_a_request_is_left(void **state)
{
    static const char *const both[] = { GET "\r\nGET /2", POST "Content-Length: 3\r\n\r\nabcGET /2",
                                        CHUNKED "3\r\nabc\r\n0\r\n\r\nGET /2" };
    (void)state;
    for (size_t at = 0; at < countof(both); at++) {
        size_t rest = 0;
        assert_int_equal(read_all(str_from(both[at]), 1000, &rest), 200);
        assert_int_equal(rest, 6);
    }
}

static void heads_are_bounded(void **state)
{
    static char bytes[64 * 1024];
    size_t rest;
    (void)state;
    memset(bytes, 'a', sizeof bytes);
    memcpy(bytes, "GET /", 5);
    assert_int_equal(read_all(str_of(bytes, sizeof bytes), 1000, &rest), 414);
    memcpy(bytes, GET "X: ", strlen(GET) + 3);
    assert_int_equal(read_all(str_of(bytes, sizeof bytes), 1000, &rest), 431);
    static const char long_url[] = "GET /%0*d HTTP/1.1\r\nHost: x\r\n\r\n";
    size_t len = (size_t)snprintf(bytes, sizeof bytes, long_url, LIMIT_URL_BYTES - 1, 0);
    assert_int_equal(read_all(str_of(bytes, len), 1000, &rest), 200);
    len = (size_t)snprintf(bytes, sizeof bytes, long_url, LIMIT_URL_BYTES, 0);
    assert_int_equal(read_all(str_of(bytes, len), 1000, &rest), 414);
    for (int count = WIRE_HEADERS_MAX - 1; count <= WIRE_HEADERS_MAX; count++) {
        len = (size_t)snprintf(bytes, sizeof bytes, GET);
        for (int at = 0; at < count; at++) len += (size_t)snprintf(bytes + len, sizeof bytes - len, "X%d: y\r\n", at);
        len += (size_t)snprintf(bytes + len, sizeof bytes - len, "\r\n");
        assert_int_equal(read_all(str_of(bytes, len), 1000, &rest), count < WIRE_HEADERS_MAX ? 200 : 431);
    }
    len = (size_t)snprintf(bytes, sizeof bytes, CHUNKED "1;%0*d\r\n", WIRE_EXTENSION_BYTES + 1, 0);
    assert_int_equal(read_all(str_of(bytes, len), 1000, &rest), 400);
    len = (size_t)snprintf(bytes, sizeof bytes, CHUNKED "0\r\nT: %0*d\r\n\r\n", WIRE_TRAILER_BYTES, 0);
    assert_int_equal(read_all(str_of(bytes, len), 1000, &rest), 400);
}

static void connection_and_expectation_are_told(void **state)
{
    static const struct { const char *bytes; bool wants_close, wants_continue; } told[] = {
        { GET "\r\n", false, false }, { GET "Connection: close\r\n\r\n", true, false },
        { GET "Connection: keep-alive, Close\r\n\r\n", true, false },
        { GET "Connection: closed\r\n\r\n", false, false },
        { GET "Connection: x\r\nConnection: close\r\n\r\n", true, false },
        { "GET / HTTP/1.0\r\n\r\n", true, false },
        { GET "Expect: 100-Continue\r\n\r\n", false, true },
        { "GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", true, false },
    };
    (void)state;
    for (size_t at = 0; at < countof(told); at++) {
        size_t rest;
        assert_int_equal(read_all(str_from(told[at].bytes), 1000, &rest), 200);
        assert_int_equal(head.wants_close, told[at].wants_close);
        assert_int_equal(head.wants_continue, told[at].wants_continue);
    }
}

/* Requests with a byte or two changed, dropped or put in: whatever they are, they are it however they are cut. */
static void broken_requests_are_read_alike_however_they_are_cut(void **state)
{
    static const char *const whole[] = {
        GET "\r\nGET /2", POST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabcGET /2",
        CHUNKED "3;a=\"b\"\r\nabc\r\n1\r\nd\r\n0\r\nT: x\r\n\r\nGET /2",
    };
    static const char bytes[] = "\r\n :;,0159aAfFxGHPT/\t\"=\\\x01\x7f\xff-+";
    static const size_t pieces[] = { 1, 2, 3, 7, 1000 };
    unsigned seen[3] = { 0 };
    (void)state;
    srand(23);
    for (int round = 0; round < 6000; round++) {
        char text[256], body[sizeof body_bytes];
        size_t len = strlen(whole[round % 3]), rest = 0, first_rest = 0, first_len = 0;
        memcpy(text, whole[round % 3], len);
        for (int change = rand() % 3; change > 0; change--) {
            size_t at = (size_t)rand() % len;
            int kind = rand() % 3;
            if (kind == 0) text[at] = bytes[(size_t)rand() % sizeof bytes];
            else if (kind == 1) memmove(text + at, text + at + 1, --len - at);
            else memmove(text + at + 1, text + at, len++ - at), text[at] = bytes[(size_t)rand() % sizeof bytes];
        }
        unsigned status = read_all(str_of(text, len), pieces[0], &first_rest);
        first_len = body_len;
        memcpy(body, body_bytes, body_len);
        for (size_t at = 1; at < countof(pieces); at++) {
            if (read_all(str_of(text, len), pieces[at], &rest) != status) fail_msg("%.*s", (int)len, text);
            if (status == 200) assert_int_equal(rest, first_rest);
            if (status != 200) continue;
            assert_int_equal(body_len, first_len);
            assert_memory_equal(body, body_bytes, first_len);
        }
        seen[status == 0 ? 0 : status == 200 ? 1 : 2]++;
    }
    assert_true(seen[0] > 20 && seen[1] > 500 && seen[2] > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_read_strictly_however_they_are_cut),
        cmocka_unit_test(a_zero_anywhere_in_a_head_is_refused),
        cmocka_unit_test(what_is_behind_a_request_is_left),
        cmocka_unit_test(heads_are_bounded),
        cmocka_unit_test(connection_and_expectation_are_told),
        cmocka_unit_test(broken_requests_are_read_alike_however_they_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
