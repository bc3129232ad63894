/* http_jobs: work that takes longer than an ingest thread may wait: queries, exports, erasures. The exchange
 * waits suspended; a worker thread runs its work and hands it back to its server's done list. */
#include "http_exchange.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { JOBS_MAX = 256 };

struct http_jobs {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct exchange *first, **last;        /* linked by next, oldest first */
    size_t count;
    bool is_closing;
};

struct http_jobs *http_jobs_open(void)
{
    struct http_jobs *jobs = calloc(1, sizeof *jobs);
    pthread_condattr_t monotonic;
    check(jobs != NULL && pthread_condattr_init(&monotonic) == 0);
    check(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    check(pthread_mutex_init(&jobs->lock, NULL) == 0 && pthread_cond_init(&jobs->some, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
    jobs->last = &jobs->first;
    return jobs;
}

void http_jobs_close(struct http_jobs *jobs)
{
    if (!jobs) return;
    check(jobs->count == 0);
    pthread_cond_destroy(&jobs->some);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}

bool http_jobs_submit(struct http_jobs *jobs, struct exchange *exchange)
{
    pthread_mutex_lock(&jobs->lock);
    bool has_room = jobs->count < JOBS_MAX && !jobs->is_closing;
    if (has_room) {
        exchange->next = NULL;
        *jobs->last = exchange;
        jobs->last = &exchange->next;
        jobs->count++;
        pthread_cond_signal(&jobs->some);
    }
    pthread_mutex_unlock(&jobs->lock);
    return has_room;
}

static struct exchange *jobs_take(struct http_jobs *jobs, Millis timeout_ms)
{
    int64_t until_ns = clock_monotonic_ns(os_clock()) + timeout_ms * 1000000;
    struct timespec until = { until_ns / 1000000000, until_ns % 1000000000 };
    pthread_mutex_lock(&jobs->lock);
    while (!jobs->first && !jobs->is_closing)
        if (pthread_cond_timedwait(&jobs->some, &jobs->lock, &until) == ETIMEDOUT) break;
    struct exchange *exchange = jobs->first;
    if (exchange) {
        jobs->first = exchange->next;
        if (!jobs->first) jobs->last = &jobs->first;
        jobs->count--;
    }
    pthread_mutex_unlock(&jobs->lock);
    return exchange;
}

void http_jobs_step(struct http_jobs *jobs, Arena arena, Millis timeout_ms)
{
    struct exchange *exchange = jobs_take(jobs, timeout_ms);
    if (!exchange) return;
    if (atomic_load_explicit(&exchange->is_cancelled, memory_order_relaxed)) {
        Err err;
        err_set(&err, ERR_CLOSED, "the client went away");
        reply_error(exchange, ERR_CLOSED, &err);
    } else {
        exchange->work(exchange, &arena);
    }
    check(exchange->state == EXCHANGE_ANSWERED);
    exchange_hand_back(exchange);
}

void http_jobs_stop(struct http_jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->is_closing = true;
    pthread_cond_broadcast(&jobs->some);
    pthread_mutex_unlock(&jobs->lock);
}
