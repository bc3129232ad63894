/* http_site: what it finds in a request, and that its table of files is whole. What the site does as a whole
 * is tests/browser/signup.test.mjs. */
#include "http/http_site.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void cookies_are_found_by_their_whole_name(void **state)
{
    (void)state;
    struct exchange exchange = {
        .cookie = STR("xajs_anonymous_id=no; ajs_anonymous_id=a%201;rdio_session=s=1; ajs_anonymous_id=2"),
    };
    assert_true(str_equal(find_cookie(&exchange, STR("ajs_anonymous_id")), STR("a%201")));
    assert_true(str_equal(find_cookie(&exchange, STR("rdio_session")), STR("s=1")));
    assert_int_equal(find_cookie(&exchange, STR("session")).len, 0);
    exchange.cookie = STR(";;=;");
    assert_int_equal(find_cookie(&exchange, STR("rdio_session")).len, 0);
}

static Str file_of(const char *path)
{
#define FILE_IF(row_path, name, type) \
    if (strcmp(path, row_path) == 0) \
        return str_of(http_site_##name, (size_t)(http_site_##name##_end - http_site_##name));
    FILES(FILE_IF)
    return (Str){ 0 };
}

static void every_page_and_all_that_it_names_is_served(void **state)
{
    static const char *const pages[] = { "/", "/browse", "/signup", "/connect", "/login", "/welcome", "/account" };
    static const Str attributes[] = { STR("href=\""), STR("src=\""), STR("action=\"") };
    (void)state;
    for (size_t at = 0; at < countof(pages); at++) {
        Str page = file_of(pages[at]);
        assert_true(str_starts(page, STR("<!doctype html>")));
        for (size_t which = 0; which < countof(attributes); which++) {
            Str rest = page, attribute = attributes[which];
            const char *found;
            while ((found = memmem(rest.bytes, rest.len, attribute.bytes, attribute.len))) {
                Str value = str_of(found + attribute.len, (size_t)(page.bytes + page.len - found) - attribute.len);
                rest = value;
                value = str_cut(value, '"', &rest);
                bool is_known = false;
                Method method = which == 2 ? METHOD_POST : METHOD_GET;
                if (!http_site_route(method, value, &is_known)) fail_msg("%s: %.*s", pages[at], STR_FORMAT(value));
            }
        }
    }
}

static void nothing_else_is_there(void **state)
{
    static const char *const absent[] = { "/v1/track", "/api/v1/people", "/metrics", "/assets/",
                                          "/assets/../server.mjs", "" };
    bool is_known;
    (void)state;
    for (size_t at = 0; at < countof(absent); at++) {
        assert_null(http_site_route(METHOD_GET, str_from(absent[at]), &is_known));
        assert_false(is_known);
    }
    assert_null(http_site_route(METHOD_POST, STR("/browse"), &is_known));
    assert_true(is_known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookies_are_found_by_their_whole_name),
        cmocka_unit_test(every_page_and_all_that_it_names_is_served),
        cmocka_unit_test(nothing_else_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
