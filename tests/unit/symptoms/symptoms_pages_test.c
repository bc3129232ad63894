/* symptoms_pages: leaks in URLs, hosts of developers, robots; with what is taken for one and is none. */
#include "symptoms/symptoms_pages.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct row { const char *text, *kind; };

static void hold(const struct row *rows, size_t count, const char *(*judge)(Str text))
{
    for (size_t at = 0; at < count; at++) {
        const char *kind = judge(str_from(rows[at].text));
        if ((kind == NULL) != (rows[at].kind == NULL) || (kind && strcmp(kind, rows[at].kind)))
            fail_msg("%s: %s", rows[at].text, kind ? kind : "none");
    }
}

static void urls_leak(void **state)
{
    static const struct row rows[] = {
        { "https://x.de/?email=kim@firma.de", "email" }, { "https://x.de/?email=kim%40firma.de", "email" },
        { "https://x.de/?email=kim%2540firma.de", "email" }, { "https://x.de/u/kim@firma.de/edit", "email" },
        { "?q=kim%40firma.de", "email" }, { "https://x.de/?next=%2Flogin%3Fu%3Dkim%40firma.de", "email" },
        { "https://x.de/?token=8f2a9c1e77", "secret" }, { "https://x.de/#access_token=8f2a9c1e77", "secret" },
        { "https://x.de/#/login?token=8f2a9c1e77", "secret" }, { "https://x.de/?password=hunter2", "secret" },
        { "https://x.de/reset/3f9a8b7c6d5e4f3a2b1c0d9e", "token path" },
        { "/users/password/reset/Zk3mQ9aX7Lp2Rt8Vb4Nc6", "token path" },
        { "https://x.de/invite/9b2f6c1e-7777-4aaa-8bbb-0c0c0c0c0c0c", "token path" },
        { "https://x.de/", NULL }, { "https://x.de/?token=yes", NULL }, { "https://x.de/?tokens=123456789", NULL },
        { "https://x.de/?token=required", NULL }, { "https://medium.com/@kim/story", NULL },
        { "https://unpkg.com/react@18.2.0/index.js", NULL }, { "https://maps.x/@52.5,13.4,15z", NULL },
        { "https://x.de/reset", NULL }, { "https://x.de/reset/how-to-reset-your-password-in-2026", NULL },
        { "https://x.de/orders/3f9a8b7c6d5e4f3a2b1c0d9e", NULL }, { "https://x.de/?mail=support%40firma.de", NULL },
        { "100%", NULL }, { "https://x.de/%zz%4", NULL }, { "", NULL },
    };
    (void)state;
    hold(rows, countof(rows), symptoms_url_leak);
}

static void developers_have_hosts(void **state)
{
    static const struct row rows[] = {
        { "http://localhost:3000/x", "localhost" }, { "http://127.0.0.1/", "localhost" }, { "http://[::1]:80/",
            "localhost" },
        { "http://app.localhost/", "localhost" }, { "http://0.0.0.0:8080", "localhost" }, { "file:///home/kim/x.html",
            "file" },
        { "http://192.168.0.7/", "private address" }, { "http://10.1.2.3/", "private address" },
        { "http://172.20.0.1/", "private address" }, { "http://shop.test/", "test" }, { "http://mac.local:3000/",
            "test" },
        { "https://staging.x.de/", "staging" }, { "https://app-staging.x.de/", "staging" }, { "https://stage.x.de",
            "staging" },
        { "https://deploy-preview-12--x.netlify.app/", "preview" }, { "https://x-git-main-kim.vercel.app/", "preview" },
        { "https://ab12.ngrok-free.app/", "preview" },
        { "https://x.de/", NULL }, { "https://localhost.x.de/", NULL }, { "http://172.32.0.1/", NULL },
        { "https://backstage.x.de/", NULL }, { "https://x.vercel.app/", NULL }, { "https://x.de/?u=localhost", NULL },
        { "https://test.de/", NULL }, { "https://latest.x.de", NULL }, { "http://1.2.3/", NULL }, { "", NULL },
    };
    (void)state;
    hold(rows, countof(rows), symptoms_dev_host);
}

static void robots_say_their_names(void **state)
{
    static const struct { const char *agent, *name; } rows[] = {
        { "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot" },
        { "Mozilla/5.0 AppleWebKit/537.36 HeadlessChrome/120.0.0.0 Safari/537.36", "HeadlessChrome" },
        { "facebookexternalhit/1.1", "facebookexternalhit" }, { "AhrefsBot/7.0", "AhrefsBot" },
        { "Mozilla/5.0 (Linux; Android 12; CUBOT P50) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36", "" },
        { "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36", "" },
        { "analytics-node/2.1.0", "" }, { "Bottega/1.0", "" }, { "", "" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Str name = symptoms_find_bot(str_from(rows[at].agent));
        if (!str_equal(name, str_from(rows[at].name))) fail_msg("%s: %.*s", rows[at].agent, STR_FORMAT(name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_leak), cmocka_unit_test(developers_have_hosts), cmocka_unit_test(robots_say_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
