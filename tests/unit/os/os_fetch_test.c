/* os_fetch: a server of a few lines in the same thread, its own steps between those of the fetcher. */
#include "src/os/os_fetch.c"

#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct server {
    int listener, peer;
    uint16_t port;
    const char *answer;             /* NULL: closes without one; "": keeps still */
    char seen[8192];
    size_t seen_len;
    int accepted, requests;
};

static void server_open(struct server *server, const char *answer)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    *server = (struct server){ .peer = -1, .answer = answer };
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
}

static void server_close(struct server *server)
{
    if (server->peer >= 0) close(server->peer);
    close(server->listener);
}

/* A request is whole when its head has ended and as many bytes as it says have followed. */
static bool is_whole(const struct server *server)
{
    const char *end = strstr(server->seen, "\r\n\r\n"), *length = strcasestr(server->seen, "content-length:");
    size_t behind = end ? server->seen_len - (size_t)(end + 4 - server->seen) : 0;
    return end && (!length || behind >= strtoul(length + 15, NULL, 10));
}

static void server_step(struct server *server)
{
    ssize_t got;
    if (server->peer < 0) {
        server->peer = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK);
        if (server->peer < 0) return;
        server->accepted++;
        server->seen_len = 0;
    }
    got = recv(server->peer, server->seen + server->seen_len, sizeof server->seen - 1 - server->seen_len, 0);
    if (got > 0) server->seen_len += (size_t)got;
    server->seen[server->seen_len] = 0;
    if (got == 0) {
        close(server->peer);
        server->peer = -1;
    } else if (is_whole(server) && (!server->answer || server->answer[0])) {
        server->requests++;
        server->seen_len = 0;
        if (server->answer) assert_true(send(server->peer, server->answer, strlen(server->answer), 0) > 0);
        if (!server->answer || strstr(server->answer, "close")) {
            close(server->peer);
            server->peer = -1;
        }
    }
}

struct heard {
    struct fetch fetch;
    bool is_done;
    FetchOutcome outcome;
    int status;
    char body[256], error[256], retry_after[32];
    bool is_cut;
};

static void hear(struct fetch *fetch, const FetchAnswer *answer)
{
    struct heard *heard = fetch->owner;
    Str retry = fetch_header(answer->headers, STR("retry-after"));
    assert_false(heard->is_done);
    heard->is_done = true;
    heard->outcome = answer->outcome;
    heard->status = answer->status;
    heard->is_cut = answer->is_cut;
    snprintf(heard->body, sizeof heard->body, "%.*s", STR_FORMAT(answer->body));
    snprintf(heard->error, sizeof heard->error, "%s", answer->error);
    snprintf(heard->retry_after, sizeof heard->retry_after, "%.*s", STR_FORMAT(retry));
}

static struct fetcher *open_fetcher(void)
{
    struct fetcher *fetcher;
    Err err;
    assert_int_equal(os_fetcher_open(&(FetchOptions){ 0 }, &fetcher, &err), OK);
    return fetcher;
}

static void fetch_all(struct fetcher *fetcher, struct server *server, const FetchRequest *request,
                      struct heard *heard)
{
    Err err = { 0 };
    *heard = (struct heard){ .fetch = { .on_done = hear, .owner = heard } };
    assert_int_equal(fetcher->submit(fetcher, request, &heard->fetch, &err), OK);
    for (int turn = 0; turn < 5000 && !heard->is_done; turn++) {
        if (server) server_step(server);
        assert_int_equal(fetcher->step(fetcher, 1, &err), OK);
    }
    assert_true(heard->is_done);
}

static FetchRequest local_request(struct server *server, char url[64])
{
    snprintf(url, 64, "http://127.0.0.1:%u/path?x=1", server->port);
    return (FetchRequest){ .method = STR("POST"), .url = str_from(url), .body = STR("{\"a\":1}"),
                           .headers = { { STR("Content-Type"), STR("application/json") } }, .header_count = 1,
                           .timeout_ms = 2000, .allow_private = true };
}

static void request_and_answer_pass_whole_and_the_connection_is_kept(void **state)
{
    struct server server;
    struct heard heard;
    struct fetcher *fetcher = open_fetcher();
    char url[64];
    FetchRequest request;
    (void)state;
    server_open(&server, "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nhello");
    request = local_request(&server, url);
    for (int round = 0; round < 3; round++) {
        fetch_all(fetcher, &server, &request, &heard);
        assert_int_equal(heard.outcome, FETCH_ANSWERED);
        assert_int_equal(heard.status, 429);
        assert_string_equal(heard.body, "hello");
        assert_string_equal(heard.retry_after, "7");
        assert_non_null(strstr(server.seen, "POST /path?x=1 HTTP/1.1\r\n"));
        assert_non_null(strstr(server.seen, "Content-Type: application/json\r\n"));
        assert_non_null(strstr(server.seen, "\r\n\r\n{\"a\":1}"));
    }
    assert_int_equal(server.accepted, 1);
    request.is_once = true;                     /* must not ride on a connection that may be dead */
    close(server.peer);
    server.peer = -1;
    fetch_all(fetcher, &server, &request, &heard);
    assert_int_equal(server.accepted, 2);
    fetcher->close(fetcher);
    server_close(&server);
}

static void a_large_body_goes_compressed_where_that_is_wanted(void **state)
{
    struct server server;
    struct heard heard;
    struct fetcher *fetcher = open_fetcher();
    char url[64], body[4000], inflated[sizeof body];
    FetchRequest request;
    FetchStats stats;
    (void)state;
    for (size_t at = 0; at < sizeof body; at++) body[at] = (char)('a' + at * at % 7);
    server_open(&server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    request = local_request(&server, url);
    request.wants_gzip = true;
    fetch_all(fetcher, &server, &request, &heard);
    assert_null(strstr(server.seen, "gzip"));                   /* not worth it */
    assert_non_null(strstr(server.seen, "\r\n\r\n{\"a\":1}"));
    request.body = str_of(body, sizeof body);
    fetch_all(fetcher, &server, &request, &heard);
    assert_int_equal(heard.status, 200);
    assert_non_null(strstr(server.seen, "Content-Encoding: gzip\r\n"));
    const char *zipped = strstr(server.seen, "\r\n\r\n") + 4;
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)zipped, .avail_in = sizeof body, .next_out = (Bytef *)inflated,
                        .avail_out = sizeof inflated };
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, sizeof body);
    assert_memory_equal(inflated, body, sizeof body);
    inflateEnd(&stream);
    fetcher->read_stats(fetcher, &stats);
    assert_true(stats.sent_bytes < sizeof body);
    request.wants_gzip = false;
    fetch_all(fetcher, &server, &request, &heard);
    assert_null(strstr(server.seen, "gzip"));
    fetcher->close(fetcher);
    server_close(&server);
}

static void private_addresses_are_refused_before_a_byte_is_sent(void **state)
{
    struct server server;
    struct heard heard;
    struct fetcher *fetcher = open_fetcher();
    char url[64];
    FetchRequest request;
    (void)state;
    server_open(&server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    request = local_request(&server, url);
    request.allow_private = false;
    fetch_all(fetcher, &server, &request, &heard);
    assert_int_equal(heard.outcome, FETCH_FORBIDDEN);
    assert_non_null(strstr(heard.error, "loopback"));
    assert_int_equal(server.accepted, 0);

    request.allow_private = true;               /* leaves a connection that is kept alive ... */
    fetch_all(fetcher, &server, &request, &heard);
    assert_int_equal(heard.status, 200);
    request.allow_private = false;              /* ... which the next must not use */
    fetch_all(fetcher, &server, &request, &heard);
    assert_int_equal(heard.outcome, FETCH_FORBIDDEN);
    assert_int_equal(server.requests, 1);
    snprintf(url, sizeof url, "http://localhost:%u/", server.port);
    request.url = str_from(url);
    fetch_all(fetcher, &server, &request, &heard);
    assert_int_equal(heard.outcome, FETCH_FORBIDDEN);
    fetcher->close(fetcher);
    server_close(&server);
}

static void what_was_not_sent_is_told_from_what_is_in_doubt(void **state)
{
    struct server server;
    struct heard heard;
    struct fetcher *fetcher = open_fetcher();
    char url[64];
    FetchRequest request;
    (void)state;
    server_open(&server, NULL);
    request = local_request(&server, url);
    fetch_all(fetcher, &server, &request, &heard);
    assert_int_equal(heard.outcome, FETCH_IN_DOUBT);          /* read, then closed without an answer */
    assert_true(heard.error[0] != 0);
    server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf close";
    fetch_all(fetcher, &server, &request, &heard);
    assert_int_equal(heard.outcome, FETCH_IN_DOUBT);          /* half an answer */
    server.answer = "";
    request.timeout_ms = 30;
    fetch_all(fetcher, &server, &request, &heard);
    assert_int_equal(heard.outcome, FETCH_IN_DOUBT);          /* no answer in time */
    server_close(&server);
    fetch_all(fetcher, NULL, &request, &heard);
    assert_int_equal(heard.outcome, FETCH_NOT_SENT);          /* nobody listens */
    fetcher->close(fetcher);
}

static void an_answer_is_cut_at_its_limit(void **state)
{
    struct server server;
    struct heard heard;
    struct fetcher *fetcher = open_fetcher();
    char url[64];
    FetchRequest request;
    (void)state;
    server_open(&server, "HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\n0123456789");
    request = local_request(&server, url);
    request.answer_bytes_max = 4;
    fetch_all(fetcher, &server, &request, &heard);
    assert_int_equal(heard.outcome, FETCH_ANSWERED);
    assert_int_equal(heard.status, 500);
    assert_true(heard.is_cut);
    assert_string_equal(heard.body, "0123");
    fetcher->close(fetcher);
    server_close(&server);
}

static void requests_that_can_be_none_are_refused_at_once(void **state)
{
    static const char *const urls[] = { "", "ftp://example.com/", "file:///etc/passwd", "http://a b/",
                                        "http://example.com/\r\nX: y", "gopher://x/", "//example.com" };
    struct fetcher *fetcher = open_fetcher();
    struct heard heard = { .fetch = { .on_done = hear, .owner = &heard } };
    FetchRequest request = { .method = STR("GET"), .url = STR("http://127.0.0.1:1/"), .header_count = 1 };
    Err err;
    (void)state;
    for (size_t at = 0; at < countof(urls); at++) {
        FetchRequest bad = { .method = STR("GET"), .url = str_from(urls[at]) };
        assert_int_equal(fetcher->submit(fetcher, &bad, &heard.fetch, &err), ERR_INPUT);
    }
    request.headers[0] = (FetchHeader){ STR("X-Evil"), STR("a\r\nInjected: yes") };
    assert_int_equal(fetcher->submit(fetcher, &request, &heard.fetch, &err), ERR_INPUT);
    request.headers[0] = (FetchHeader){ STR("X Evil"), STR("a") };
    assert_int_equal(fetcher->submit(fetcher, &request, &heard.fetch, &err), ERR_INPUT);
    request.headers[0] = (FetchHeader){ STR("Custom-Header"), STR("\xd9\x87") };
    assert_int_equal(fetcher->submit(fetcher, &request, &heard.fetch, &err), ERR_INPUT);
    fetcher->close(fetcher);
}

static void addresses_that_are_not_public(void **state)
{
    static const struct { const char *text; bool is_public; } rows[] = {
        { "127.0.0.1", false }, { "127.255.255.255", false }, { "0.0.0.0", false }, { "10.1.2.3", false },
        { "100.64.0.1", false }, { "100.127.255.255", false }, { "169.254.169.254", false },
        { "172.16.0.1", false }, { "172.31.255.255", false }, { "192.168.1.1", false }, { "192.0.2.1", false },
        { "198.18.0.1", false }, { "224.0.0.1", false }, { "255.255.255.255", false }, { "192.0.0.8", false },
        { "8.8.8.8", true }, { "100.63.255.255", true }, { "100.128.0.0", true }, { "172.15.0.1", true },
        { "172.32.0.1", true }, { "1.1.1.1", true }, { "192.169.0.1", true }, { "126.255.255.255", true },
        { "::1", false }, { "::", false }, { "fe80::1", false }, { "febf::1", false }, { "fc00::1", false },
        { "fdff::1", false }, { "ff02::1", false }, { "::ffff:127.0.0.1", false }, { "::ffff:10.0.0.1", false },
        { "::127.0.0.1", false }, { "64:ff9b::10.0.0.1", false }, { "2002:7f00:1::", false },
        { "2002:a00:1::1", false }, { "2001:db8::1", false }, { "2001::1", false }, { "3fff::1", false },
        { "::ffff:8.8.8.8", true }, { "64:ff9b::808:808", true }, { "2606:4700::1111", true },
        { "2a00:1450:4001::1", true }, { "2002:808:808::1", true }, { "4000::1", false }, { "100::1", false },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        const char *why;
        if (text_is_public(rows[at].text, &why) != rows[at].is_public) fail_msg("%s: %s", rows[at].text, why);
    }
}

static void a_cancelled_request_is_heard_of_no_more(void **state)
{
    struct server server;
    struct fetcher *fetcher = open_fetcher();
    struct heard heard = { .fetch = { .on_done = hear, .owner = &heard } };
    char url[64];
    FetchRequest request;
    FetchStats stats;
    Err err;
    (void)state;
    server_open(&server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    request = local_request(&server, url);
    assert_int_equal(fetcher->submit(fetcher, &request, &heard.fetch, &err), OK);
    assert_int_equal(fetcher->step(fetcher, 0, &err), OK);
    fetcher->cancel(fetcher, &heard.fetch);
    fetcher->wake(fetcher);
    assert_int_equal(fetcher->step(fetcher, 10, &err), OK);
    assert_false(heard.is_done);
    fetcher->read_stats(fetcher, &stats);
    assert_int_equal(stats.under_way, 0);
    assert_int_equal(fetcher->submit(fetcher, &request, &heard.fetch, &err), OK);
    fetcher->close(fetcher);                    /* with one under way */
    assert_false(heard.is_done);
    server_close(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_and_answer_pass_whole_and_the_connection_is_kept),
        cmocka_unit_test(a_large_body_goes_compressed_where_that_is_wanted),
        cmocka_unit_test(private_addresses_are_refused_before_a_byte_is_sent),
        cmocka_unit_test(what_was_not_sent_is_told_from_what_is_in_doubt),
        cmocka_unit_test(an_answer_is_cut_at_its_limit),
        cmocka_unit_test(requests_that_can_be_none_are_refused_at_once),
        cmocka_unit_test(addresses_that_are_not_public),
        cmocka_unit_test(a_cancelled_request_is_heard_of_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
