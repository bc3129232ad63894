/* api_routes: every path of the protocol finds its handler, and nothing else does. */
#include "api/api_routes.c"

#include <setjmp.h>
#include <stdio.h>
#include <stdarg.h>
#include <cmocka.h>

static const Route *row_of(Method method, const char *path)
{
    Str parameter;
    bool is_known;
    return find(method, str_from(path), &parameter, &is_known);
}

static void every_spelling_of_a_call_means_its_type(void **state)
{
    static const struct { const char *word, *letter; EventType type; } calls[] = {
        { "identify", "i", EVENT_IDENTIFY }, { "track", "t", EVENT_TRACK }, { "page", "p", EVENT_PAGE },
        { "screen", "s", EVENT_SCREEN }, { "group", "g", EVENT_GROUP }, { "alias", "a", EVENT_ALIAS },
    };
    (void)state;
    for (size_t at = 0; at < countof(calls); at++) {
        char path[64];
        const struct { Method method; const char *format, *name; } forms[] = {
            { METHOD_POST, "/v1/%s", calls[at].word }, { METHOD_POST, "/v1/%s", calls[at].letter },
            { METHOD_POST, "/%s", calls[at].word }, { METHOD_POST, "/v1/%s/", calls[at].word },
            { METHOD_GET, "/v1/pixel/%s", calls[at].word }, { METHOD_GET, "/v1/%s", calls[at].letter },
        };
        for (size_t form = 0; form < countof(forms); form++) {
            snprintf(path, sizeof path, forms[form].format, forms[form].name);
            const Route *route = row_of(forms[form].method, path);
            assert_non_null(route);
            assert_int_equal(route->implied_type, calls[at].type);
        }
    }
}

static void parameters_are_one_segment(void **state)
{
    Str parameter;
    bool is_known;
    (void)state;
    assert_non_null(find(METHOD_GET, STR("/v1/projects/wk_1/settings"), &parameter, &is_known));
    assert_true(str_equal(parameter, STR("wk_1")));
    assert_non_null(find(METHOD_GET, STR("/analytics.js/v1/wk_1/analytics.min.js"), &parameter, &is_known));
    assert_non_null(find(METHOD_GET, STR("/analytics.js/v1/wk_1/more.min.js"), &parameter, &is_known));
    assert_null(row_of(METHOD_GET, "/v1/projects//settings"));
    assert_null(row_of(METHOD_GET, "/v1/projects/a/b/settings"));
    assert_null(row_of(METHOD_GET, "/v1/projects/a/settings/x"));
    assert_null(row_of(METHOD_GET, "/v1/projects/a"));
}

static void a_known_path_with_another_method_says_so(void **state)
{
    Str parameter;
    bool is_known;
    (void)state;
    assert_null(find(METHOD_DELETE, STR("/v1/track"), &parameter, &is_known));
    assert_true(is_known);
    assert_null(find(METHOD_POST, STR("/v1/nothing"), &parameter, &is_known));
    assert_false(is_known);
    assert_non_null(row_of(METHOD_OPTIONS, "/v1/batch"));
    assert_non_null(row_of(METHOD_HEAD, "/healthz"));
    assert_null(row_of(METHOD_GET, "/../etc/passwd"));
    assert_null(row_of(METHOD_GET, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_of_a_call_means_its_type),
        cmocka_unit_test(parameters_are_one_segment),
        cmocka_unit_test(a_known_path_with_another_method_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
