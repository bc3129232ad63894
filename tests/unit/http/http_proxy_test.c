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
        Str client = proxy_find_client(trusted, countof(trusted), str_from(rows[at].peer), forwarded);
        assert_true(str_equal(client, str_from(rows[at].client)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_hold_what_they_say),
        cmocka_unit_test(the_client_is_the_first_stranger_from_the_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
