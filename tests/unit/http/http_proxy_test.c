/* http_proxy: whose word about addresses is believed. */
#include "http/http_proxy.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const Str trusted[] = { STR("127.0.0.1"), STR("10.0.0.0/8"), STR("2001:db8::/33"), STR("nonsense/8") };

static void networks_hold_what_they_say(void **state)
{
    static const struct { const char *peer; bool is_trusted; } rows[] = {
        { "127.0.0.1", true }, { "127.0.0.2", false }, { "10.255.0.1", true }, { "11.0.0.1", false },
        { "::ffff:10.1.2.3", true }, { "2001:db8:7fff::1", true }, { "2001:db8:8000::1", false },
        { "", false }, { "10.0.0", false },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++)
        assert_int_equal(proxy_is_trusted(trusted, countof(trusted), str_from(rows[at].peer)), rows[at].is_trusted);
}

static void the_client_is_the_first_stranger_from_the_right(void **state)
{
    static const struct { const char *peer, *forwarded, *client; } rows[] = {
        { "8.8.8.8", "1.1.1.1", "8.8.8.8" },                             /* a stranger's claim is ignored */
        { "127.0.0.1", "1.1.1.1", "1.1.1.1" },
        { "127.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.9", "1.1.1.1" },        /* what the client itself claims is left */
        { "127.0.0.1", "10.0.0.1, 10.0.0.2", "10.0.0.1" },
        { "127.0.0.1", "evil\r\n", "127.0.0.1" },
        { "127.0.0.1", "", "127.0.0.1" },
        { "127.0.0.1", ", ,", "127.0.0.1" },
        { "127.0.0.1", "2001:db8:9000::7", "2001:db8:9000::7" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Str forwarded = str_from(rows[at].forwarded);
        Str client = proxy_find_client(trusted, countof(trusted), str_from(rows[at].peer), &forwarded, 1);
        assert_true(str_equal(client, str_from(rows[at].client)));
    }
}

static void a_network_that_is_none_trusts_nobody(void **state)
{
    static const struct { const char *network, *peer; bool is_trusted; } rows[] = {
        { "0.0.0.0/0", "8.8.8.8", true }, { "0.0.0.0/0", "2001:db8::1", false }, { "::/0", "2001:db8::1", true },
        { "::/0", "8.8.8.8", true }, { "10.0.0.1/32", "10.0.0.1", true }, { "10.0.0.1/32", "10.0.0.2", false },
        { "10.0.0.1/31", "10.0.0.0", true }, { "10.0.0.0/33", "10.0.0.0", false }, { "10.0.0.0/-1", "10.0.0.0", false },
        { "10.0.0.0/", "10.0.0.0", false }, { "10.0.0.0/8x", "10.0.0.0", false }, { "/8", "10.0.0.0", false },
        { "", "10.0.0.0", false }, { "10.0.0", "10.0.0.0", false }, { "::1/128", "::1", true },
        { "::1/129", "::1", false }, { "::1%lo", "::1", false }, { "fe80::/10", "febf::1", true },
        { "fe80::/10", "fec0::1", false }, { "::ffff:10.0.0.0/104", "10.9.9.9", true },
        { "10.0.0.0/8", "::ffff:10.9.9.9", true }, { "10.0.0.0/8", "10.9.9.9:80", false },
        { "10.0.0.0/8", " 10.9.9.9", false }, { "10.0.0.0/8", "010.9.9.9", false },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Str network = str_from(rows[at].network);
        if (proxy_is_trusted(&network, 1, str_from(rows[at].peer)) != rows[at].is_trusted)
            fail_msg("%s of %s", rows[at].peer, rows[at].network);
        assert_false(proxy_is_trusted(&network, 0, str_from(rows[at].peer)));
    }
    char long_text[100];
    memset(long_text, '1', sizeof long_text);
    unsigned char address[16];
    for (size_t len = 0; len < sizeof long_text; len++)
        assert_false(proxy_parse_address(str_of(long_text, len), address));
}

/* What stands in the header is a client's word: it never becomes an address that is none. */
static void a_claim_that_is_no_address_ends_the_search(void **state)
{
    static const struct { const char *forwarded, *client; } rows[] = {
        { "1.1.1.1:4711", "127.0.0.1" }, { "[2001:db8:9000::7]", "127.0.0.1" }, { "unknown", "127.0.0.1" },
        { "_hidden, 10.0.0.9", "10.0.0.9" }, { "1.1.1.1, unknown, 10.0.0.9", "10.0.0.9" }, { "1.1.1.1,", "127.0.0.1" },
        { " \t1.1.1.1\t ", "1.1.1.1" }, { "1.1.1.1, 2.2.2.2", "2.2.2.2" }, { "::ffff:1.1.1.1", "::ffff:1.1.1.1" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Str forwarded = str_from(rows[at].forwarded);
        Str client = proxy_find_client(trusted, countof(trusted), STR("127.0.0.1"), &forwarded, 1);
        if (!str_equal(client, str_from(rows[at].client))) fail_msg("%s: %.*s", rows[at].forwarded, STR_FORMAT(client));
    }
}

static void several_lines_are_one_list(void **state)
{
    static const struct { const char *lines[3], *client; } rows[] = {
        { { "6.6.6.6", "1.1.1.1", "10.0.0.9" }, "1.1.1.1" }, { { "1.1.1.1", "", "10.0.0.9" }, "1.1.1.1" },
        { { "6.6.6.6", "unknown", "10.0.0.9" }, "10.0.0.9" }, { { "6.6.6.6, 7.7.7.7", "10.0.0.9", "" }, "7.7.7.7" },
        { { "6.6.6.6", "10.0.0.1", "2.2.2.2" }, "2.2.2.2" }, { { "", "", "" }, "127.0.0.1" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Str lines[3];
        for (size_t line = 0; line < 3; line++) lines[line] = str_from(rows[at].lines[line]);
        Str client = proxy_find_client(trusted, countof(trusted), STR("127.0.0.1"), lines, 3);
        if (!str_equal(client, str_from(rows[at].client))) fail_msg("row %zu: %.*s", at, STR_FORMAT(client));
    }
}

static void a_socket_address_is_told_as_text(void **state)
{
    static const struct { const char *text, *told; } rows[] = {
        { "203.0.113.7", "203.0.113.7" }, { "2001:db8::1", "2001:db8::1" }, { "::ffff:203.0.113.7", "203.0.113.7" },
        { "::", "::" },
    };
    char text[INET6_ADDRSTRLEN];
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        struct sockaddr_in four = { .sin_family = AF_INET };
        struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
        bool is_four = inet_pton(AF_INET, rows[at].text, &four.sin_addr) == 1;
        if (!is_four) assert_int_equal(inet_pton(AF_INET6, rows[at].text, &six.sin6_addr), 1);
        proxy_format_address(is_four ? (const struct sockaddr *)&four : (const struct sockaddr *)&six, text);
        assert_string_equal(text, rows[at].told);
    }
    proxy_format_address(NULL, text);
    assert_string_equal(text, "");
    struct sockaddr other = { .sa_family = AF_UNIX };
    proxy_format_address(&other, text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_hold_what_they_say),
        cmocka_unit_test(the_client_is_the_first_stranger_from_the_right),
        cmocka_unit_test(a_network_that_is_none_trusts_nobody),
        cmocka_unit_test(a_claim_that_is_no_address_ends_the_search),
        cmocka_unit_test(several_lines_are_one_list),
        cmocka_unit_test(a_socket_address_is_told_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
