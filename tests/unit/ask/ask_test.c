/* ask: whoever asked has left. Each kind of question, over many people with traits to be looked up, and over one shared
 * subject with many events to be judged: how often the world is asked after that is counted, not timed. */
#include "ask/ask.c"

#include "ask_fixture.h"

enum { LEAVES_AFTER = 100, LOOKS_MOST = 16384 + 64 };

#define PRO "\"where\":[{\"field\":\"traits.plan\",\"op\":\"=\",\"value\":\"pro\"}]"

static const struct { QueryKind kind; const char *text; bool has_many_looks; } questions[] = {
    { QUERY_FUNNEL, "{\"steps\":[\"A\",\"B\"]}", true },
    { QUERY_FUNNEL, "{\"steps\":[\"A\",\"B\"]," PRO "}", true },
    { QUERY_FUNNEL, "{\"steps\":[\"A\",\"B\"],\"order\":\"strict\",\"by\":\"traits.plan\"}", true },
    { QUERY_FUNNEL, "{\"steps\":[\"A\",\"B\"],\"by\":\"properties.plan\",\"attribution\":\"any\"}", true },
    { QUERY_FUNNEL_PEOPLE, "{\"steps\":[\"A\",\"B\"]," PRO "}", true },
    { QUERY_FUNNEL_PEOPLE, "{\"steps\":[\"A\",\"B\"],\"limit\":1000}", true },
    { QUERY_TRENDS, "{\"series\":[{\"event\":\"A\",\"measure\":\"people\"}]," PRO "}", true },
    { QUERY_TRENDS, "{\"series\":[{\"event\":\"A\"}],\"by\":\"traits.plan\"}", true },
    { QUERY_TRENDS, "{\"series\":[{\"event\":\"A\",\"measure\":\"median\",\"property\":\"properties.n\"}],"
                    "\"by\":\"traits.plan\"}", true },
    { QUERY_RETENTION, "{\"birth\":\"A\"}", true },
    { QUERY_RETENTION, "{\"birth\":\"A\",\"return\":\"B\",\"by\":\"traits.plan\"}", true },
    { QUERY_PATHS, "{\"event\":\"A\"}", true },
    { QUERY_PATHS_PEOPLE, "{\"event\":\"A\",\"step\":1}", true },
    { QUERY_PATHS, "{\"event\":\"A\"," PRO "}", true },
    { QUERY_SIGNUPS, "{\"event\":\"A\"}", true },
    { QUERY_SIGNUPS, "{\"event\":\"A\"," PRO "}", true },
    { QUERY_EVENTS, "{}", false },
    { QUERY_EVENTS, "{\"field\":\"properties.plan\"}", false },
};

static Status run(struct world *world, size_t number, uint64_t leaves_after, Err *err)
{
    struct buf answer;
    buf_init(&answer, 16 << 20);
    world->looks = 0;
    world->leaves_after = leaves_after;
    Status s = query_run(questions[number].kind, str_from(questions[number].text), &world->query, &answer, err);
    buf_done(&answer);
    return s;
}

static void a_question_ends_soon_after_its_client_left(void **state)
{
    struct world world;
    Err err = { 0 };
    (void)state;
    open_world(&world, false);
    for (size_t at = 0; at < countof(questions); at++) {
        atomic_store(&world.is_cancelled, false);
        if (run(&world, at, UINT64_MAX, &err)) fail_msg("%s: %s", questions[at].text, err.text);
        uint64_t all = world.looks;
        if (questions[at].has_many_looks != (all >= 4 * LEAVES_AFTER))
            fail_msg("%s asks the world %llu times", questions[at].text, (unsigned long long)all);
        if (!questions[at].has_many_looks) continue;
        Status s = run(&world, at, LEAVES_AFTER, &err);
        if (s != ERR_CLOSED) fail_msg("%s: %d %s", questions[at].text, s, err.text);
        uint64_t later = world.looks - LEAVES_AFTER;
        if (later > LOOKS_MOST)
            fail_msg("%s: %llu looks of %llu after its client left", questions[at].text, (unsigned long long)later,
                     (unsigned long long)all);
    }
    close_world(&world);
}

static void nothing_is_looked_up_for_a_client_that_left_before(void **state)
{
    struct world world;
    Err err = { 0 };
    (void)state;
    open_world(&world, false);
    for (size_t at = 0; at < countof(questions); at++) {
        atomic_store(&world.is_cancelled, true);
        Status s = run(&world, at, UINT64_MAX, &err);
        if (s != ERR_CLOSED || world.looks)
            fail_msg("%s: %d, %llu looks", questions[at].text, s, (unsigned long long)world.looks);
    }
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_ends_soon_after_its_client_left),
        cmocka_unit_test(nothing_is_looked_up_for_a_client_that_left_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
