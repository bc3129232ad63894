/* server_threads: pthread_create, once. */
#include "server_threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/os.h"

struct thread {
    pthread_t id;
    Engine engine;
    atomic_bool is_stopping;
    int64_t deadline_ns;
    int nice;
};

static void *thread_run(void *context)
{
    struct thread *thread = context;
    Engine *engine = &thread->engine;
    pthread_setname_np(pthread_self(), engine->name);
    if (thread->nice && setpriority(PRIO_PROCESS, (id_t)gettid(), thread->nice))    /* on Linux: this thread's own */
        log_write(LOG_WARN, "a thread runs at the normal priority", LOG_TEXT("thread", engine->name));
    while (!atomic_load_explicit(&thread->is_stopping, memory_order_acquire)) engine->step(engine->context, false);
    int64_t deadline_ns = thread->deadline_ns;
    do engine->step(engine->context, true);
    while (engine->is_done && !engine->is_done(engine->context) && clock_monotonic_ns(os_clock()) < deadline_ns);
    return NULL;
}

Status threads_start(struct threads *threads, const Engine *engine, Err *err)
{
    check(threads->count < THREADS_MAX && strlen(engine->name) < 16);
    struct thread *thread = calloc(1, sizeof *thread);
    if (!thread) return err_set(err, ERR_IO, "thread %s: no memory", engine->name);
    thread->engine = *engine;
    thread->nice = threads->nice;
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS);                                 /* os_guard.c handles it, in the thread that reads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread->id, NULL, thread_run, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        free(thread);
        return err_set_errno(err, failed, "thread %s", engine->name);
    }
    threads->running[threads->count++] = thread;
    return OK;
}

void threads_stop(struct threads *threads, int64_t deadline_ns)
{
    for (size_t at = threads->count; at-- > 0;) {            /* stop all at once, so that their times do not add up */
        struct thread *thread = threads->running[at];
        thread->deadline_ns = deadline_ns;
        atomic_store_explicit(&thread->is_stopping, true, memory_order_release);
        if (thread->engine.wake) thread->engine.wake(thread->engine.context);
    }
    while (threads->count > 0) {
        struct thread *thread = threads->running[--threads->count];
        check(pthread_join(thread->id, NULL) == 0);
        free(thread);
    }
}
