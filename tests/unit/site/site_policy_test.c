/* site_policy, site_url: what a policy allows, and the parts of an address. */
#include "site/site_policy.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define PAGE "https://www.example.com/signup"
#define ONYM "https://t.example.com/v1/b"

static void a_policy_allows_what_browsers_let_through(void **state)
{
    (void)state;
    static const struct { const char *policy, *directive, *url; bool is_allowed; const char *by; } rows[] = {
        { "", "connect-src", ONYM, true, "" },
        { "img-src 'none'", "connect-src", ONYM, true, "" },
        { "default-src 'none'", "connect-src", ONYM, false, "default-src" },
        { "default-src 'none'; connect-src https://t.example.com", "connect-src", ONYM, true, "connect-src" },
        { "default-src *; connect-src 'self'", "connect-src", ONYM, false, "connect-src" },
        { "CONNECT-SRC HTTPS://T.EXAMPLE.COM", "connect-src", ONYM, true, "connect-src" },
        { "connect-src 'none'; connect-src *", "connect-src", ONYM, false, "connect-src" },
        { "connect-src *.example.com", "connect-src", ONYM, true, "connect-src" },
        { "connect-src *.t.example.com", "connect-src", ONYM, false, "connect-src" },
        { "connect-src *.example.com", "connect-src", "https://example.com/", false, "connect-src" },
        { "connect-src https:", "connect-src", ONYM, true, "connect-src" },
        { "connect-src http:", "connect-src", ONYM, true, "connect-src" },
        { "connect-src wss:", "connect-src", ONYM, false, "connect-src" },
        { "connect-src t.example.com:8443", "connect-src", ONYM, false, "connect-src" },
        { "connect-src t.example.com:*", "connect-src", "https://t.example.com:8443/v1/b", true, "connect-src" },
        { "connect-src t.example.com", "connect-src", "https://t.example.com:8443/v1/b", false, "connect-src" },
        { "connect-src t.example.com:80", "connect-src", ONYM, true, "connect-src" },
        { "connect-src https://t.example.com/v1/", "connect-src", ONYM, true, "connect-src" },
        { "connect-src https://t.example.com/v2/", "connect-src", ONYM, false, "connect-src" },
        { "connect-src https://t.example.com/v1/b", "connect-src", ONYM, true, "connect-src" },
        { "connect-src https://t.example.com/v1", "connect-src", ONYM, false, "connect-src" },
        { "connect-src 'self'", "connect-src", "https://www.example.com/v1/b", true, "connect-src" },
        { "connect-src 'self'", "connect-src", "http://www.example.com/v1/b", false, "connect-src" },
        { "connect-src 'SELF' ", "connect-src", "https://WWW.example.com/v1/b", true, "connect-src" },
        { "connect-src\t\n'self'\n" ONYM, "connect-src", ONYM, true, "connect-src" },
        { "connect-src *, connect-src 'none'", "connect-src", ONYM, false, "connect-src" },
        { "connect-src *, connect-src *", "connect-src", ONYM, true, "connect-src" },
        { "script-src 'nonce-x' 'strict-dynamic'", "script-src", ONYM, true, "script-src" },
        { "script-src 'nonce-x'", "script-src", ONYM, false, "script-src" },
        { "script-src 'none'; script-src-elem *", "script-src", ONYM, true, "script-src-elem" },
        { "script-src *; script-src-elem 'self'", "script-src", ONYM, false, "script-src-elem" },
        { "connect-src 'strict-dynamic'", "connect-src", ONYM, false, "connect-src" },
        { "connect-src", "connect-src", ONYM, false, "connect-src" },
        { ";;; ,;", "connect-src", ONYM, true, "" },
        { "connect-src ://", "connect-src", ONYM, false, "connect-src" },
        { "connect-src : :: [ [::1 'unsafe", "connect-src", ONYM, false, "connect-src" },
        { "connect-src http://[::1]:8080", "connect-src", "http://[::1]:8080/v1/b", true, "connect-src" },
        { "connect-src https://t.example.com.evil.test", "connect-src", ONYM, false, "connect-src" },
    };
    for (size_t at = 0; at < countof(rows); at++) {
        Str by = { 0 };
        bool is = site_policy_allows(str_from(rows[at].policy), str_from(rows[at].directive), str_from(rows[at].url),
                                     STR(PAGE), &by);
        if (is != rows[at].is_allowed || !str_equal(by, str_from(rows[at].by)))
            fail_msg("%s for %s: %d by %.*s", rows[at].policy, rows[at].url, is, STR_FORMAT(by));
    }
}

static void an_address_has_its_parts_or_is_none(void **state)
{
    (void)state;
    char room[8192];
    static const struct { const char *text, *origin, *path; } rows[] = {
        { "https://example.com", "https://example.com", "/" }, { "HTTP://a:80/b?c#d", "http://a", "/b" },
        { "http://a:8080?x", "http://a:8080", "/" }, { "https://user:secret@a.b:444/x", "https://a.b:444", "/x" },
        { "http://[::1]:81/x", "http://[::1]:81", "/x" }, { "http://a@b@c/", "http://c", "/" },
        { "https://münchen.example/", "https://münchen.example", "/" }, { "http://a:/", "http://a", "/" },
        { "", "", "" }, { "http://", "", "" }, { "http:///x", "", "" }, { "http://a:0/", "",
                                                                          "" }, { "http://a:65536/", "", "" },
        { "http://a:b/", "", "" }, { "http://a b/", "", "" }, { "http://a\n/", "", "" }, { "ftp://a/", "", "" },
        { "javascript:alert(1)", "", "" }, { "file:///etc/passwd", "", "" }, { "//a/", "", "" }, { "http://<b>/", "",
                                                                                                   "" },
        { "http://[::1/", "", "" }, { "http://[::1]x/", "", "" }, { "http://:80/", "", "" }, { "http", "", "" },
    };
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = { room, room + sizeof room };
        SiteUrl url;
        const char *why = NULL;
        bool is = site_url_parse(str_from(rows[at].text), &url, &why);
        assert_int_equal(is, rows[at].origin[0] != 0);
        assert_true(is || why);
        assert_true(str_equal(site_url_origin(str_from(rows[at].text), &arena), str_from(rows[at].origin)));
        if (is) assert_true(str_equal(url.path, str_from(rows[at].path)));
        if (is) assert_false(str_contains(site_url_shown(str_from(rows[at].text), &arena), STR("secret")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_allows_what_browsers_let_through),
        cmocka_unit_test(an_address_has_its_parts_or_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
