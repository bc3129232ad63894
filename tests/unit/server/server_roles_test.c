/* server_roles: each role's row is one that can run. */
#include "server/server_roles.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void every_role_can_run(void **state)
{
    const Engines all = ENGINE_WORKERS | ENGINE_INGEST | ENGINE_APPLIER | ENGINE_MAINTENANCE | ENGINE_FORGETTING;
    (void)state;
    for (int role = 0; role < ROLE_COUNT; role++) {
        Engines engines = role_engines((Role)role, 2);
        assert_int_equal(engines & all, all);                /* an erasure comes to its end whoever runs */
        assert_true(engines & ENGINE_COMMITTER);
        if (engines & ENGINE_DELIVERY) assert_true(engines & ENGINE_FORGETTING);
        if (engines & ENGINE_STORY) assert_true(engines & ENGINE_PRINTER);
        if (engines & ENGINE_SITE) assert_true(engines & ENGINE_STORY);
        assert_true(engines < 1u << ENGINE_COUNT);
    }
}

static void a_single_ingest_thread_commits_for_itself(void **state)
{
    (void)state;
    assert_false(role_engines(ROLE_SERVER, 1) & ENGINE_COMMITTER);
    assert_false(role_engines(ROLE_QUESTIONS, 1) & ENGINE_COMMITTER);
    assert_true(role_engines(ROLE_DEMO, 1) & ENGINE_COMMITTER);       /* the site has a thread, too */
    assert_int_equal(role_engines(ROLE_SERVER, 1), role_engines(ROLE_SERVER, 2) & ~(Engines)ENGINE_COMMITTER);
}

static void a_question_delivers_nothing_and_ends_nobody(void **state)
{
    const Engines never = ENGINE_DELIVERY | ENGINE_EXAMINER | ENGINE_LINKS | ENGINE_SITE | ENGINE_PRINTER
                        | ENGINE_PROCESS;
    (void)state;
    assert_int_equal(role_engines(ROLE_QUESTIONS, 4) & never, 0);
    assert_int_equal(role_engines(ROLE_SERVER, 4) & (ENGINE_SITE | ENGINE_STORY), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_role_can_run),
        cmocka_unit_test(a_single_ingest_thread_commits_for_itself),
        cmocka_unit_test(a_question_delivers_nothing_and_ends_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
