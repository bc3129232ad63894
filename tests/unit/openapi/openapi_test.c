/* openapi: the document says something of every route, and of nothing else. That it is a sound OpenAPI document,
 * tests/api/openapi has a public validator say; that real answers are of its schemas, every test of tests/api. */
#include "openapi/openapi.c"
#include "api/api_routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void every_route_is_described(void **state)
{
    (void)state;
    for (size_t at = 0; at < api_route_count; at++) {
        const char *path = NULL;
        const Operation *operation = describe(&api_routes[at].route, &path);
        if (!operation) fail_msg("%s has no row in openapi.tbl.h (OPERATION, or SAME)", api_routes[at].route.path);
        assert_true(is_path(path, api_routes[at].route.path));
        assert_true(strlen(path) < PATH_BYTES_MAX);
    }
}

static bool has_route(Method method, const char *named)
{
    for (size_t at = 0; at < api_route_count; at++)
        if (api_routes[at].route.method == method && is_path(named, api_routes[at].route.path)) return true;
    return false;
}

static void every_row_has_its_route_and_is_there_once(void **state)
{
    (void)state;
    for (size_t at = 0; at < countof(operations); at++) {
        if (!has_route(operations[at].method, operations[at].path)) fail_msg("no route %s", operations[at].path);
        for (size_t other = 0; other < at; other++)
            if (operations[other].method == operations[at].method)
                assert_string_not_equal(operations[other].path, operations[at].path);
    }
    for (size_t at = 0; at < countof(sames); at++) {
        if (!has_route(sames[at].method, sames[at].path)) fail_msg("no route %s", sames[at].path);
        if (!operation_at(sames[at].method, sames[at].as)) fail_msg("%s is the same as nothing", sames[at].path);
        assert_null(operation_at(sames[at].method, sames[at].path));
    }
}

static bool is_schema(Str name)
{
    for (size_t at = 0; at < countof(schemas); at++)
        if (str_equal(str_from(schemas[at].name), name)) return true;
    return false;
}

static void what_a_row_names_exists(void **state)
{
    (void)state;
    for (size_t at = 0; at < countof(operations); at++) {
        const Operation *operation = &operations[at];
        Str query = str_from(operation->parameters), schema, type = str_cut(str_from(operation->answer), ' ', &schema);
        bool has_tag = false;
        while (query.len) assert_non_null(parameter_find(str_cut(query, ' ', &query)));
        for (const char *brace = strchr(operation->path, '{'); brace; brace = strchr(brace + 1, '{'))
            assert_non_null(parameter_find(str_of(brace + 1, (size_t)(strchr(brace, '}') - brace - 1))));
        Str request = str_from(operation->request);
        if (request.len && !is_schema(request)) fail_msg("no schema %s", operation->request);
        if (!memchr(type.bytes, '/', type.len)) schema = type;
        if (schema.len && !is_schema(schema)) fail_msg("no schema %.*s", STR_FORMAT(schema));
        for (size_t tag = 0; tag < countof(tags); tag++) has_tag |= !strcmp(tags[tag].name, operation->tag);
        assert_true(has_tag);
    }
}

static void paths_match_names_with_stars(void **state)
{
    (void)state;
    assert_true(is_path("/a/{b}/c", "/a/*/c"));
    assert_true(is_path("/a/{b}", "/a/*"));
    assert_true(is_path("/a", "/a"));
    assert_false(is_path("/a/b", "/a/*"));
    assert_false(is_path("/a/{b}", "/a"));
    assert_false(is_path("/a", "/a/*"));
    assert_false(is_path("/a/{b}/d", "/a/*/c"));
}

static void the_document_is_json_and_always_the_same(void **state)
{
    struct buf once, twice;
    (void)state;
    buf_init(&once, LIMIT_ANSWER_BYTES);
    buf_init(&twice, LIMIT_ANSWER_BYTES);
    api_write_openapi(&once);
    api_write_openapi(&twice);
    assert_true(buf_ok(&once));
    assert_true(str_equal(buf_str(&once), buf_str(&twice)));
    struct region region;
    region_open(&region, 64 * 1024 * 1024);
    Arena arena = region_arena(&region);
    const TreeNode *tree;
    Err err;
    assert_int_equal(event_tree_read(str_trim(buf_str(&once)), &arena, &tree, &err), OK);
    assert_true(str_equal(event_tree_text(tree, "openapi"), STR("3.1.0")));
    region_close(&region);
    buf_done(&once);
    buf_done(&twice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_described),
        cmocka_unit_test(every_row_has_its_route_and_is_there_once),
        cmocka_unit_test(what_a_row_names_exists),
        cmocka_unit_test(paths_match_names_with_stars),
        cmocka_unit_test(the_document_is_json_and_always_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
