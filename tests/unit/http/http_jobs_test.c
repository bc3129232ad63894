/* The workers' queue: who runs what, and who helps. Threads are real; every wait is for a state, with an end. */
#include "http/http_jobs.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static atomic_uint handed_back;

void exchange_hand_back(struct exchange *exchange)
{
    (void)exchange;
    atomic_fetch_add(&handed_back, 1);
}

/* A server without an applier: reply_error asks. */
const HttpOptions *exchange_options(const struct exchange *exchange)
{
    static const HttpOptions options;
    (void)exchange;
    return &options;
}

/* Workers as server/ drives them. */
struct crew {
    struct http_jobs *jobs;
    pthread_t threads[8];
    size_t count;
    atomic_bool is_over;
};

static void *crew_work(void *context)
{
    struct crew *crew = context;
    struct region region;
    region_open(&region, 1 << 20);
    while (!atomic_load(&crew->is_over)) http_jobs_step(crew->jobs, region_arena(&region), 1000);
    region_close(&region);
    return NULL;
}

static void crew_open(struct crew *crew, size_t count, uint32_t seats, uint32_t long_max)
{
    *crew = (struct crew){ .jobs = http_jobs_open(seats, long_max), .count = count };
    atomic_store(&handed_back, 0);
    for (size_t at = 0; at < count; at++)
        assert_int_equal(pthread_create(&crew->threads[at], NULL, crew_work, crew), 0);
}

static void crew_close(struct crew *crew)
{
    atomic_store(&crew->is_over, true);
    http_jobs_stop(crew->jobs);
    for (size_t at = 0; at < crew->count; at++) pthread_join(crew->threads[at], NULL);
    http_jobs_close(crew->jobs);
}

static void wait_until(atomic_uint *what, unsigned least)
{
    int64_t until_ns = clock_monotonic_ns(os_clock()) + INT64_C(20000000000);
    while (atomic_load(what) < least) {
        if (clock_monotonic_ns(os_clock()) > until_ns) fail_msg("it never became %u", least);
        sched_yield();
    }
}

/* An exchange whose work says that it began, and waits for the gate. */
struct piece {
    struct exchange exchange;
    atomic_uint has_begun, gate;
    struct http_jobs *jobs;
    atomic_uint tasks_run, seats_used, tasks_begun;
};

static void finish(struct exchange *exchange)
{
    reply_text(exchange, 200, NULL, STR("{}"));
}

static void work_gated(struct exchange *exchange, Arena *arena)
{
    struct piece *piece = (struct piece *)exchange;
    (void)arena;
    atomic_store(&piece->has_begun, 1);
    wait_until(&piece->gate, 1);
    finish(exchange);
}

static void work_plain(struct exchange *exchange, Arena *arena)
{
    (void)arena;
    atomic_store(&((struct piece *)exchange)->has_begun, 1);
    finish(exchange);
}

/* Tasks that only end once two of them run at the same time, or the gate is open. */
static void paired_task(void *context, uint32_t task, uint32_t worker)
{
    struct piece *piece = context;
    (void)task;
    atomic_fetch_or(&piece->seats_used, 1u << worker);
    atomic_fetch_add(&piece->tasks_begun, 1);
    wait_until(&piece->tasks_begun, 2);
    atomic_fetch_add(&piece->tasks_run, 1);
}

static void work_paired(struct exchange *exchange, Arena *arena)
{
    struct piece *piece = (struct piece *)exchange;
    (void)arena;
    http_jobs_share(piece->jobs, paired_task, piece, 40);
    finish(exchange);
}

/* The owner's tasks wait for the gate; the helper runs one and then leaves for a look-up. */
static void gated_task(void *context, uint32_t task, uint32_t worker)
{
    struct piece *piece = context;
    (void)task;
    atomic_fetch_or(&piece->seats_used, 1u << worker);
    atomic_fetch_add(&piece->tasks_begun, 1);
    wait_until(&piece->gate, 1);
    atomic_fetch_add(&piece->tasks_run, 1);
}

static void work_shared_gated(struct exchange *exchange, Arena *arena)
{
    struct piece *piece = (struct piece *)exchange;
    (void)arena;
    http_jobs_share(piece->jobs, gated_task, piece, 40);
    finish(exchange);
}

static void submit(struct crew *crew, struct piece *piece, ExchangeWork *work, bool is_long)
{
    *piece = (struct piece){ .jobs = crew->jobs };
    piece->exchange.work = work;
    piece->exchange.is_long = is_long;
    buf_init(&piece->exchange.answer, 1024);
    assert_true(http_jobs_submit(crew->jobs, &piece->exchange));
}

static void an_idle_worker_helps_with_a_question(void **state)
{
    struct crew crew;
    static struct piece question;
    (void)state;
    crew_open(&crew, 2, 2, 1);
    submit(&crew, &question, work_paired, true);
    wait_until(&handed_back, 1);
    crew_close(&crew);
    assert_int_equal(atomic_load(&question.tasks_run), 40);
    assert_int_equal(atomic_load(&question.seats_used), 3);
}

static void a_look_up_is_answered_beside_as_many_questions_as_may_run(void **state)
{
    struct crew crew;
    static struct piece questions[3], look_up;
    (void)state;
    crew_open(&crew, 3, 1, 2);
    for (size_t at = 0; at < 3; at++) submit(&crew, &questions[at], work_gated, true);
    wait_until(&questions[0].has_begun, 1);
    wait_until(&questions[1].has_begun, 1);
    submit(&crew, &look_up, work_plain, false);
    wait_until(&handed_back, 1);
    assert_int_equal(atomic_load(&look_up.has_begun), 1);
    assert_int_equal(atomic_load(&questions[2].has_begun), 0);
    atomic_store(&questions[0].gate, 1);
    wait_until(&questions[2].has_begun, 1);
    atomic_store(&questions[1].gate, 1);
    atomic_store(&questions[2].gate, 1);
    wait_until(&handed_back, 4);
    crew_close(&crew);
}

static void a_helper_leaves_for_an_exchange_that_waits(void **state)
{
    struct crew crew;
    static struct piece question, look_ups[2];
    (void)state;
    crew_open(&crew, 2, 2, 1);
    submit(&crew, &question, work_shared_gated, true);
    wait_until(&question.tasks_begun, 2);                 /* both workers are in a task */
    for (size_t at = 0; at < 2; at++) submit(&crew, &look_ups[at], work_gated, false);
    atomic_store(&question.gate, 1);
    wait_until(&look_ups[0].has_begun, 1);                /* the helper has left; the owner ends alone */
    wait_until(&question.tasks_run, 40);
    wait_until(&look_ups[1].has_begun, 1);
    atomic_store(&look_ups[0].gate, 1);
    atomic_store(&look_ups[1].gate, 1);
    wait_until(&handed_back, 3);
    crew_close(&crew);
}

/* Its work sees that it is cancelled, and says so at once. */
static void a_question_whose_client_left_waits_for_no_turn(void **state)
{
    struct crew crew;
    static struct piece questions[2];
    (void)state;
    crew_open(&crew, 2, 1, 1);
    submit(&crew, &questions[0], work_gated, true);
    wait_until(&questions[0].has_begun, 1);
    questions[1] = (struct piece){ 0 };
    questions[1].exchange.work = work_plain;
    questions[1].exchange.is_long = true;
    atomic_store(&questions[1].exchange.is_cancelled, true);
    assert_true(http_jobs_submit(crew.jobs, &questions[1].exchange));
    wait_until(&handed_back, 1);
    assert_int_equal(atomic_load(&questions[1].has_begun), 1);
    atomic_store(&questions[0].gate, 1);
    wait_until(&handed_back, 2);
    crew_close(&crew);
}

struct heard {
    const struct exchange *exchanges[8];
    bool is_running[8];
    size_t count;
};

static void hear(void *context, struct exchange *exchange, bool is_running)
{
    struct heard *heard = context;
    assert_true(heard->count < 8);
    heard->exchanges[heard->count] = exchange;
    heard->is_running[heard->count++] = is_running;
}

static void questions_are_listed_until_they_are_handed_back(void **state)
{
    struct crew crew;
    struct heard heard = { 0 };
    static struct piece questions[2], look_up;
    (void)state;
    crew_open(&crew, 2, 1, 1);
    for (size_t at = 0; at < 2; at++) submit(&crew, &questions[at], work_gated, true);
    submit(&crew, &look_up, work_gated, false);
    wait_until(&questions[0].has_begun, 1);
    wait_until(&look_up.has_begun, 1);
    http_jobs_list(crew.jobs, hear, &heard);
    assert_int_equal(heard.count, 2);
    assert_ptr_equal(heard.exchanges[0], &questions[0]);
    assert_ptr_equal(heard.exchanges[1], &questions[1]);
    assert_true(heard.is_running[0]);
    assert_false(heard.is_running[1]);
    atomic_store(&questions[0].gate, 1);
    wait_until(&questions[1].has_begun, 1);
    heard = (struct heard){ 0 };
    http_jobs_list(crew.jobs, hear, &heard);
    assert_int_equal(heard.count, 1);
    assert_ptr_equal(heard.exchanges[0], &questions[1]);
    atomic_store(&questions[1].gate, 1);
    atomic_store(&look_up.gate, 1);
    wait_until(&handed_back, 3);
    heard = (struct heard){ 0 };
    http_jobs_list(crew.jobs, hear, &heard);
    assert_int_equal(heard.count, 0);
    crew_close(&crew);
}

static void the_queue_is_bounded(void **state)
{
    static struct exchange exchanges[JOBS_MAX + 1];
    struct http_jobs *jobs = http_jobs_open(1, 1);
    (void)state;
    for (size_t at = 0; at < JOBS_MAX; at++) assert_true(http_jobs_submit(jobs, &exchanges[at]));
    assert_false(http_jobs_submit(jobs, &exchanges[JOBS_MAX]));
    for (size_t at = 0; at < JOBS_MAX; at++) assert_ptr_equal(take_exchange(jobs), &exchanges[at]);
    assert_null(take_exchange(jobs));
    http_jobs_close(jobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_worker_helps_with_a_question),
        cmocka_unit_test(a_look_up_is_answered_beside_as_many_questions_as_may_run),
        cmocka_unit_test(a_helper_leaves_for_an_exchange_that_waits),
        cmocka_unit_test(a_question_whose_client_left_waits_for_no_turn),
        cmocka_unit_test(questions_are_listed_until_they_are_handed_back),
        cmocka_unit_test(the_queue_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
