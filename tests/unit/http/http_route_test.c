/* http_route: paths, before they are looked up. */
#include "http/http_route.c"

#include <setjmp.h>
#include <stdio.h>
#include <stdarg.h>
#include <cmocka.h>

static void slashes_that_follow_each_other_are_one(void **state)
{
    static const struct { const char *sent, *path; } rows[] = {
        { "//v1/batch", "/v1/batch" }, { "/v1//batch", "/v1/batch" }, { "/v1/batch//", "/v1/batch/" }, { "//", "/" },
        { "///v1///t//", "/v1/t/" }, { "", "" }, { "/", "/" }, { "/v1/batch", "/v1/batch" }, { "*", "*" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        char path[64];
        snprintf(path, sizeof path, "%s", rows[at].sent);
        assert_true(str_equal(str_of(path, route_join_slashes(path, strlen(path))), str_from(rows[at].path)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slashes_that_follow_each_other_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
