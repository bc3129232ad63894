/* server_stop: the bound of a stop follows from its numbers, and holds whatever hangs. */
#include "server/server_stop.c"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "server/server_threads.h"

static Millis default_ms(void)
{
#define CONFIG(name, field, kind, standard, ...) { name, standard },
    static const struct { const char *name, *standard; } rows[] = {
#include "config/config.tbl.h"
    };
#undef CONFIG
    Millis ret = 0;
    for (size_t at = 0; at < countof(rows); at++)
        if (strcmp(rows[at].name, "limits.stop_timeout") == 0)
            assert_true(duration_parse(str_from(rows[at].standard), &ret));
    return ret;
}

static void who_has_begun_has_his_time_and_the_kernel_has_its(void **state)
{
    (void)state;
    for (Millis stop_ms = 1000; stop_ms <= 600000; stop_ms += 7) {
        StopTimes times = stop_times(stop_ms);
        assert_true(times.answer_ms >= stop_ms / 4 && times.answer_ms < times.end_ms);
        assert_true(times.end_ms - times.answer_ms >= stop_ms / 3);      /* for closing */
        assert_true(stop_ms - times.end_ms >= stop_ms / 8);              /* for the kernel */
    }
    assert_int_equal(default_ms(), 3000);
    assert_true(stop_times(default_ms()).end_ms <= 2500);
}

/* ---- A process that hangs ---- */

typedef void Child(void);

/* Writes into a pipe of its own until it is full: from now on whoever writes there blocks. */
static void fill_stderr(void)
{
    int ends[2];
    char bytes[4096] = { 0 };
    if (pipe2(ends, O_NONBLOCK)) _exit(99);
    while (write(ends[1], bytes, sizeof bytes) > 0) {}
    if (fcntl(ends[1], F_SETFL, 0) || dup2(ends[1], STDERR_FILENO) < 0) _exit(99);
}

static void hang_while_stopping(void)
{
    stop_listen();
    stop_is_started(1000);
    stop_begin(0);
    if (!stop_wait() || strcmp(stop_signal_name(), strsignal(SIGTERM)) != 0) _exit(98);
    for (;;) pause();
}

static void hang_after_a_failure(void)
{
    stop_listen();
    stop_is_started(1000);
    stop_begin(1);
    for (;;) pause();
}

static void hang_in_a_reload(void)
{
    stop_listen();
    stop_is_started(1000);
    if (kill(getpid(), SIGHUP) || stop_wait()) _exit(98);    /* the caller reads the configuration, from a dead disk */
    if (kill(getpid(), SIGTERM)) _exit(98);
    for (;;) pause();
}

static void hang_in_the_terminal(void)
{
    fill_stderr();
    stop_listen();
    stop_is_started(1000);
    if (kill(getpid(), SIGINT)) _exit(98);
    for (;;) if (write(STDERR_FILENO, "x", 1) < 0) _exit(98);
}

static void hang_while_starting(void)
{
    stop_listen();
    if (kill(getpid(), SIGTERM)) _exit(98);
    for (;;) pause();
}

static void hang_while_starting_in_the_terminal(void)
{
    fill_stderr();
    hang_while_starting();
}

/* As a process that began anew is: with the signals blocked. */
static void hang_with_signals_blocked(void)
{
    sigset_t all;
    sigfillset(&all);
    if (sigprocmask(SIG_BLOCK, &all, NULL)) _exit(98);
    hang_while_stopping();
}

static void go_on_at_a_second_signal(void)
{
    stop_listen();
    stop_is_started(600000);
    if (kill(getpid(), SIGTERM) || kill(getpid(), SIGTERM) || kill(getpid(), SIGHUP)) _exit(98);
    _exit(stop_wait() ? 7 : 98);
}

static const struct { Child *run; int status; } hanging[] = {
    { hang_while_stopping, 0 }, { hang_after_a_failure, 1 }, { hang_in_a_reload, 0 }, { hang_in_the_terminal, 0 },
    { hang_while_starting, 0 }, { hang_while_starting_in_the_terminal, 0 }, { hang_with_signals_blocked, 0 },
    { go_on_at_a_second_signal, 7 },
};

static void whatever_hangs_the_process_ends_itself(void **state)
{
    pid_t children[countof(hanging)];
    int status;
    (void)state;
    for (size_t at = 0; at < countof(hanging); at++) {
        children[at] = fork();
        assert_true(children[at] >= 0);
        if (children[at] == 0) {
            if (prctl(PR_SET_PDEATHSIG, SIGKILL)) _exit(99);
            hanging[at].run();
            _exit(99);
        }
    }
    (void)alarm(300);                                        /* for one that does not end */
    for (size_t at = 0; at < countof(hanging); at++) {
        assert_int_equal(waitpid(children[at], &status, 0), children[at]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), hanging[at].status);
    }
    (void)alarm(0);
}

/* ---- Threads ---- */

struct engine {
    atomic_int steps, last_steps;
};

static void step(void *context, bool is_stopping)
{
    struct engine *engine = context;
    atomic_fetch_add(is_stopping ? &engine->last_steps : &engine->steps, 1);
}

static bool is_never_done(void *context) { return (void)context, false; }

static void an_engine_that_is_never_done_is_left_at_the_deadline(void **state)
{
    struct threads threads = { .nice = 0 };
    struct engine engines[2] = { 0 };
    Err err;
    (void)state;
    assert_int_equal(threads_start(&threads, &(Engine){ "never", step, is_never_done, NULL, &engines[0] }, &err), OK);
    assert_int_equal(threads_start(&threads, &(Engine){ "at once", step, NULL, NULL, &engines[1] }, &err), OK);
    threads_stop(&threads, clock_monotonic_ns(os_clock()));
    assert_int_equal(threads.count, 0);
    assert_int_equal(engines[0].last_steps, 1);              /* the deadline is over: one look, and no other */
    assert_int_equal(engines[1].last_steps, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_begun_has_his_time_and_the_kernel_has_its),
        cmocka_unit_test(whatever_hangs_the_process_ends_itself),
        cmocka_unit_test(an_engine_that_is_never_done_is_left_at_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
