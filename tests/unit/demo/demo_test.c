/* demo: what it finds in a request, and that its table of files is whole. What the site does as a whole
 * is tests/browser/signup.test.mjs. */
#include "demo/demo.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <zlib.h>

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

static Str file_of(const char *path) { return find_file(path) ? asset_plain(find_file(path)) : (Str){ 0 }; }

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
                Str parameter;
                Method method = which == 2 ? METHOD_POST : METHOD_GET;
                if (!find_route(method, value, &parameter, &is_known))
                    fail_msg("%s: %.*s", pages[at], STR_FORMAT(value));
            }
        }
    }
}

static void every_file_is_the_same_in_all_its_forms(void **state)
{
    (void)state;
    for (size_t at = 0; at < countof(files); at++) {
        static unsigned char unpacked[1 << 20];
        const Asset *file = &files[at];
        bool is_page = strcmp(file->type, HTML) == 0;
        Str plain = asset_plain(file);
        z_stream gzip = { .next_in = (unsigned char *)(uintptr_t)file->gzip, .next_out = unpacked,
                          .avail_in = (unsigned)(file->brotli - file->gzip), .avail_out = sizeof unpacked };
        assert_int_equal(inflateInit2(&gzip, 15 + 16), Z_OK);
        assert_int_equal(inflate(&gzip, Z_FINISH), Z_STREAM_END);
        assert_true(str_equal(plain, str_of((char *)unpacked, gzip.total_out)));
        inflateEnd(&gzip);
        assert_true(file->end > file->brotli && plain.len > 0);
        assert_int_equal(is_page, file->policy != NULL);     /* what a page may do is said for each of them */
    }
}

static void nothing_else_is_there(void **state)
{
    static const char *const absent[] = { "/v1/track", "/api/v1/people", "/metrics", "/assets/",
                                          "/assets/../server.mjs", "" };
    Str parameter;
    bool is_known;
    (void)state;
    for (size_t at = 0; at < countof(absent); at++) {
        assert_null(find_route(METHOD_GET, str_from(absent[at]), &parameter, &is_known));
        assert_false(is_known);
    }
    assert_null(find_route(METHOD_POST, STR("/browse"), &parameter, &is_known));
    assert_true(is_known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookies_are_found_by_their_whole_name),
        cmocka_unit_test(every_page_and_all_that_it_names_is_served),
        cmocka_unit_test(every_file_is_the_same_in_all_its_forms),
        cmocka_unit_test(nothing_else_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
