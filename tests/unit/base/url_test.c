/* url: hosts, of addresses that are sound and of such as are none. */
#include "base/url.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void hosts(void **state)
{
    static const struct { const char *url, *host; } rows[] = {
        { "https://www.Example.com/a?b=//c", "www.Example.com" }, { "http://localhost:8080/", "localhost" },
        { "https://kim:pw@shop.example.com#a", "shop.example.com" }, { "https://a@b@c.de/", "c.de" },
        { "android-app://com.google.android.gm/", "com.google.android.gm" },
        { "//cdn.example.com/x", "cdn.example.com" },
        { "www.google.com", "www.google.com" }, { "localhost:3000/x", "localhost" }, { "http://[::1]:80/", "[::1]" },
        { "http://[::1", "[" }, { "https://x.de?u=a@b.de", "x.de" }, { "https://x.de\\@evil.de", "x.de" },
        { "", "" }, { "/a/path", "" }, { "https://", "" }, { "https:////", "" }, { "://x.de/", "" }, { "?a=b", "" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Str host = url_host(str_from(rows[at].url));
        if (!str_equal(host, str_from(rows[at].host)))
            fail_msg("%s: \"%.*s\", not \"%s\"", rows[at].url, STR_FORMAT(host), rows[at].host);
    }
    assert_int_equal(url_host((Str){ 0 }).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(hosts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
