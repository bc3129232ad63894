/* ask: whatever a question may use, it answers as it does with plenty, or it says that it may not use more. Never
 * another number (but that of values that are told together, and it says that they are), never a bug of ours. Each kind
 * of question, with each of its ways to need memory. */
#include "ask/ask.c"

#include "ask_fixture.h"

enum { ANSWER_BYTES = 64 << 20, LEAST_BYTES = 128 << 10 };
static const size_t plenty_bytes = (size_t)1 << 30;

#define FILTER "\"where\":[{\"field\":\"traits.plan\",\"op\":\"exists\"}]"

static const struct { QueryKind kind; const char *text; } questions[] = {
    { QUERY_FUNNEL, "{\"steps\":[\"A\",\"B\"]}" },
    { QUERY_FUNNEL, "{\"steps\":[\"A\",\"B\"]," FILTER "}" },
    { QUERY_FUNNEL, "{\"steps\":[\"A\",\"B\"],\"by\":\"traits.plan\"}" },
    { QUERY_FUNNEL, "{\"steps\":[\"A\",\"B\"],\"by\":\"properties.plan\"}" },
    { QUERY_FUNNEL, "{\"steps\":[\"A\",\"B\"],\"by\":\"properties.plan\",\"attribution\":\"any\"}" },
    { QUERY_FUNNEL, "{\"steps\":[\"A\",\"B\",\"A\"],\"order\":\"any\"}" },
    { QUERY_FUNNEL, "{\"steps\":[\"A\",\"B\",\"A\"],\"order\":\"strict\",\"by\":\"properties.n\"}" },
    { QUERY_FUNNEL, "{\"steps\":[\"A\",{\"event\":\"B\",\"window\":\"1d\"}],\"by\":\"properties.n\"}" },
    { QUERY_FUNNEL_PEOPLE, "{\"steps\":[\"A\",\"B\"],\"limit\":1000}" },
    { QUERY_FUNNEL_PEOPLE, "{\"steps\":[\"A\",\"B\"],\"by\":\"traits.plan\",\"group\":null,\"limit\":1000}" },
    { QUERY_FUNNEL_PEOPLE, "{\"steps\":[\"A\",\"B\"],\"by\":\"properties.plan\",\"group\":\"x\"," FILTER "}" },
    { QUERY_FUNNEL_PEOPLE, "{\"steps\":[\"A\",\"B\",\"A\"],\"order\":\"any\",\"outcome\":\"dropped\"}" },
    { QUERY_TRENDS, "{\"series\":[{\"event\":\"A\",\"measure\":\"people\"}]}" },
    { QUERY_TRENDS, "{\"series\":[{\"event\":\"A\",\"measure\":\"people\"}],\"by\":\"properties.plan\"}" },
    { QUERY_TRENDS, "{\"series\":[{\"event\":\"A\",\"measure\":\"people\"}],\"by\":\"event\",\"unit\":\"hour\"}" },
    { QUERY_TRENDS, "{\"series\":[{\"event\":\"A\"}],\"by\":\"traits.plan\"," FILTER "}" },
    { QUERY_TRENDS, "{\"series\":[{\"event\":\"A\",\"measure\":\"median\",\"property\":\"properties.n\"}]}" },
    { QUERY_TRENDS, "{\"series\":[{\"event\":\"A\",\"measure\":\"sum\",\"property\":\"properties.n\"},"
                    "{\"event\":\"B\",\"measure\":\"p90\",\"property\":\"properties.n\"}],"
                    "\"by\":\"properties.plan\"}" },
    { QUERY_RETENTION, "{\"birth\":\"A\"}" },
    { QUERY_RETENTION, "{\"birth\":\"A\",\"return\":\"B\",\"by\":\"traits.plan\"}" },
    { QUERY_RETENTION, "{\"birth\":\"A\",\"return\":\"B\",\"by\":\"properties.plan\"," FILTER "}" },
    { QUERY_FUNNEL, "{\"steps\":[\"A\",\"B\"],\"of\":\"groups\",\"by\":\"traits.plan\"}" },
    { QUERY_TRENDS, "{\"series\":[{\"event\":\"A\",\"measure\":\"people\"}],\"of\":\"groups\"," FILTER "}" },
    { QUERY_RETENTION, "{\"birth\":\"A\",\"of\":\"groups\",\"by\":\"traits.plan\"}" },
    { QUERY_PATHS, "{\"event\":\"A\"}" },
    { QUERY_PATHS_PEOPLE, "{\"event\":\"A\",\"step\":1,\"went_to\":null,\"page\":1000}" },
    { QUERY_PATHS, "{\"event\":\"B\",\"direction\":\"before\",\"depth\":5," FILTER "}" },
    { QUERY_SIGNUPS, "{\"event\":\"A\"}" },
    { QUERY_SIGNUPS, "{\"event\":\"A\"," FILTER "}" },
    { QUERY_EVENTS, "{}" },
    { QUERY_EVENTS, "{\"field\":\"properties.plan\"}" },
};

/* Where two answers part, for people. */
static const char *rest(struct buf *answer, size_t from)
{
    buf_char(answer, 0);
    return answer->bytes + from;
}

/* It says that it tells fewer values apart. */
static bool tells_fewer(const struct buf *answer)
{
    return str_contains(buf_str(answer), STR("the rarest are told together as (not indexed)"));
}

static void serve(void *pool, QueryTask *task, void *context, uint32_t count)
{
    const QueryPool *self = pool;
    for (uint32_t at = 0; at < count; at++) task(context, at, at % self->worker_count);
}

static void a_question_has_its_answer_or_says_that_it_may_not_use_more(void **state)
{
    static struct world world;
    static const uint32_t workers[] = { 1, 3, 17 };
    struct buf right, answer;
    Err err;
    (void)state;
    open_world(&world, true);
    buf_init(&right, ANSWER_BYTES);
    buf_init(&answer, ANSWER_BYTES);
    for (size_t at = 0; at < countof(questions); at++) {
        Str text = str_from(questions[at].text);
        size_t refused = 0;
        buf_clear(&right);
        world.query.memory_bytes = plenty_bytes;
        world.query.pool = NULL;
        world.leaves_after = UINT64_MAX;
        err = (Err){ 0 };
        Status whole = query_run(questions[at].kind, text, &world.query, &right, &err);
        if (whole) fail_msg("%s: %s (%s)", questions[at].text, err.text, err.field);
        for (size_t bytes = plenty_bytes / 8; bytes >= LEAST_BYTES; bytes /= 4) {
            for (size_t number = 0; number < countof(workers); number++) {
                QueryPool pool = { workers[number], serve, &pool };
                world.query.memory_bytes = bytes;
                world.query.pool = &pool;
                buf_done(&answer);
                err = (Err){ 0 };
                Status s = query_run(questions[at].kind, text, &world.query, &answer, &err);
                refused += s != OK;
                bool is_said = s == ERR_TOO_LARGE && (strstr(err.text, "memory") || strstr(err.text, "narrow"));
                if (!s ? str_equal(buf_str(&answer), buf_str(&right)) : is_said && answer.len == 0) continue;
                if (!s && tells_fewer(&answer)) continue;
                size_t same = 0;
                while (!s && same < answer.len && same < right.len && answer.bytes[same] == right.bytes[same]) same++;
                fail_msg("%s with %zu bytes, %u workers: %d %s\n%.99s\n%.99s", questions[at].text, bytes,
                         workers[number], s, err.text, s ? "" : rest(&answer, same), s ? "" : rest(&right, same));
            }
        }
        bool is_bounded = questions[at].kind == QUERY_EVENTS;       /* whatever there is, it needs no more */
        if (!refused && !is_bounded)
            fail_msg("%s is answered with any memory: this world is too small for it", questions[at].text);
    }
    buf_done(&right);
    buf_done(&answer);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_has_its_answer_or_says_that_it_may_not_use_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
