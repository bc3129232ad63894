/* assistant_tools: which tools the rows make, and that no argument leads out of its place in a path. */
#include "assistant/assistant_tools.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

static char memory[1 << 20];

static Arena fresh(void) { return (Arena){ memory, memory + sizeof memory }; }

static Status compose(const char *tool, const char *arguments, AssistantRequest *ret, Arena *arena)
{
    const TreeNode *root = NULL;
    Err err;
    assert_int_equal(event_tree_read(str_from(arguments), arena, &root, &err), OK);
    return assistant_compose(str_from(tool), root, arena, ret, &err);
}

static void every_tool_has_a_name_of_its_own_and_only_reads(void **state)
{
    (void)state;
    char one[NAME_BYTES], other[NAME_BYTES];
    for (size_t at = 0; at < countof(operations); at++) {
        if (!is_tool(&operations[at])) continue;
        assert_true(is_question(&operations[at]) || !strcmp(operations[at].method, "GET"));
        for (size_t before = 0; before < at; before++)
            if (is_tool(&operations[before]))
                assert_false(str_equal(tool_name(&operations[at], one), tool_name(&operations[before], other)));
    }
    assert_false(assistant_has_tool(STR("destinations_user_hash")));
    assert_false(assistant_has_tool(STR("people_export")));
    assert_false(assistant_has_tool(STR("")));
}

static void arguments_stay_where_they_belong(void **state)
{
    (void)state;
    static const struct { const char *tool, *arguments, *path; } calls[] = {
        { "people_one", "{\"person_id\":\"u_a/../../x?y#z\"}", "/api/v1/people/u_a%2F..%2F..%2Fx%3Fy%23z" },
        { "people_one", "{\"person_id\":\"..\"}", NULL }, { "people_one", "{\"person_id\":\".\"}", NULL },
        { "people_one", "{\"person_id\":\"\"}", NULL }, { "people_one", "{\"person_id\":null}", NULL },
        { "people_one", "{\"person_id\":{}}", NULL }, { "people_one", "{\"person_id\":\"u_a\",\"limit\":1}", NULL },
        { "people_one", "{\"person_id\":12}", "/api/v1/people/12" },
        { "people_events", "{\"limit\":5,\"person_id\":\"u_a\"}", "/api/v1/people/u_a/events?limit=5" },
        { "people_resolve", "{\"user_id\":\"a&id=b c\"}", "/api/v1/people/resolve?user_id=a%26id%3Db%20c" },
        { "people_resolve", "{\"id\":null}", "/api/v1/people/resolve" }, { "people", "{}", "/api/v1/people" },
    };
    for (size_t at = 0; at < countof(calls); at++) {
        Arena arena = fresh();
        AssistantRequest request;
        Status s = compose(calls[at].tool, calls[at].arguments, &request, &arena);
        assert_int_equal(s, calls[at].path ? OK : ERR_INPUT);
        if (calls[at].path) assert_true(str_equal(request.path, str_from(calls[at].path)));
    }
}

static void an_argument_of_any_length_is_refused_or_fits(void **state)
{
    (void)state;
    static char arguments[3 * LIMIT_URL_BYTES];
    int start = snprintf(arguments, sizeof arguments, "{\"search\":\"");
    memset(arguments + start, 'x', LIMIT_URL_BYTES);
    snprintf(arguments + start + LIMIT_URL_BYTES, 8, "\"}");
    Arena arena = fresh();
    AssistantRequest request;
    assert_int_equal(compose("people", arguments, &request, &arena), ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tool_has_a_name_of_its_own_and_only_reads),
        cmocka_unit_test(arguments_stay_where_they_belong),
        cmocka_unit_test(an_argument_of_any_length_is_refused_or_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
