/* http_jobs: work that takes longer than an ingest thread may wait: look-ups, questions, erasures. The exchange
 * waits suspended; a worker thread runs its work and hands it back to its server's done list.
 *
 * Short and long. A look-up takes a millisecond, a question over all events may take minutes. Only so much
 * long work (long_max) runs at a time that one worker is always left for short work.
 *
 * Sharing. A worker that runs a long question cuts it into tasks and offers them as a *share*. Workers with
 * nothing else to do help with it, and leave after their task as soon as an exchange waits that they may
 * run. So one question on an idle machine has all cores, and no look-up waits longer than one task takes. */
#include "http_exchange.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { JOBS_MAX = 256 };

/* The tasks of one question; it is on its worker's stack while they run. The lock guards all of it. */
struct share {
    struct share *next;
    HttpTask *task;
    void *context;
    uint32_t count, given;                 /* tasks; how many of them were given to a worker */
    uint32_t helpers;
    uint64_t seats;                        /* one bit for each worker number in use; 0 is the owner's */
};

struct http_jobs {
    pthread_mutex_t lock;
    pthread_cond_t some, helped;           /* signalled when there is something to do; when a helper has left */
    struct exchange *first, **last;        /* linked by next, oldest first */
    size_t count;
    struct share *shares;
    struct exchange *running[HTTP_WORKERS_MAX];           /* long ones, in any order; long_count of them */
    uint32_t seat_count, long_max, long_count;
    bool is_closing;
};

struct http_jobs *http_jobs_open(uint32_t workers_a_question, uint32_t long_max)
{
    struct http_jobs *jobs = calloc(1, sizeof *jobs);
    pthread_condattr_t monotonic;
    check(jobs != NULL && pthread_condattr_init(&monotonic) == 0);
    check(workers_a_question >= 1 && workers_a_question <= HTTP_WORKERS_MAX);
    check(long_max >= 1 && long_max <= HTTP_WORKERS_MAX);
    check(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    check(pthread_mutex_init(&jobs->lock, NULL) == 0 && pthread_cond_init(&jobs->some, &monotonic) == 0);
    check(pthread_cond_init(&jobs->helped, NULL) == 0);
    pthread_condattr_destroy(&monotonic);
    jobs->last = &jobs->first;
    jobs->seat_count = workers_a_question;
    jobs->long_max = long_max;
    return jobs;
}

void http_jobs_close(struct http_jobs *jobs)
{
    if (!jobs) return;
    if (jobs->count || jobs->shares) return;     /* their time to end is over, and the process ends now */
    pthread_cond_destroy(&jobs->some);
    pthread_cond_destroy(&jobs->helped);
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

uint32_t http_jobs_seats(const struct http_jobs *jobs) { return jobs->seat_count; }

/* ---- Under the lock ---- */

static bool may_run(const struct http_jobs *jobs, const struct exchange *exchange)
{
    bool is_gone = atomic_load_explicit(&exchange->is_cancelled, memory_order_relaxed);
    uint32_t most = is_gone ? HTTP_WORKERS_MAX : jobs->long_max;
    return !exchange->is_long || jobs->long_count < most;
}

/* The link to the oldest exchange that may run now; NULL: there is none. */
static struct exchange **find_exchange(struct http_jobs *jobs)
{
    for (struct exchange **at = &jobs->first; *at; at = &(*at)->next)
        if (may_run(jobs, *at)) return at;
    return NULL;
}

static struct exchange *take_exchange(struct http_jobs *jobs)
{
    struct exchange **at = find_exchange(jobs);
    if (!at) return NULL;
    struct exchange *exchange = *at;
    *at = exchange->next;
    if (!*at) jobs->last = at;
    jobs->count--;
    if (exchange->is_long) jobs->running[jobs->long_count++] = exchange;
    return exchange;
}

static struct share *find_share(struct http_jobs *jobs, uint32_t *ret_seat)
{
    for (struct share *share = jobs->shares; share; share = share->next)
        for (uint32_t seat = 1; share->given < share->count && seat < jobs->seat_count; seat++)
            if (!(share->seats >> seat & 1)) return *ret_seat = seat, share;
    return NULL;
}

/* Runs tasks until there are none left, or (if it only helps) until an exchange waits. */
static void run_tasks(struct http_jobs *jobs, struct share *share, uint32_t seat)
{
    while (share->given < share->count && (seat == 0 || !find_exchange(jobs))) {
        uint32_t task = share->given++;
        pthread_mutex_unlock(&jobs->lock);
        share->task(share->context, task, seat);
        pthread_mutex_lock(&jobs->lock);
    }
}

static void help(struct http_jobs *jobs, struct share *share, uint32_t seat)
{
    share->seats |= UINT64_C(1) << seat;
    share->helpers++;
    run_tasks(jobs, share, seat);
    share->seats &= ~(UINT64_C(1) << seat);
    if (--share->helpers == 0) pthread_cond_broadcast(&jobs->helped);
}

/* ---- For workers ---- */

void http_jobs_share(void *pool, HttpTask *task, void *context, uint32_t count)
{
    struct http_jobs *jobs = pool;
    struct share share = { .task = task, .context = context, .count = count, .seats = 1 };
    if (count <= 1 || jobs->seat_count == 1) {
        for (uint32_t at = 0; at < count; at++) task(context, at, 0);
        return;
    }
    pthread_mutex_lock(&jobs->lock);
    struct share **at = &jobs->shares;
    while (*at) at = &(*at)->next;                         /* the older question is helped first */
    *at = &share;
    pthread_cond_broadcast(&jobs->some);
    run_tasks(jobs, &share, 0);
    for (at = &jobs->shares; *at != &share;) at = &(*at)->next;
    *at = share.next;
    while (share.helpers) pthread_cond_wait(&jobs->helped, &jobs->lock);
    pthread_mutex_unlock(&jobs->lock);
}

/* Waits for an exchange that may run, and helps with questions meanwhile. NULL: none came in that time. */
static struct exchange *jobs_take(struct http_jobs *jobs, Millis timeout_ms)
{
    int64_t until_ns = clock_monotonic_ns(os_clock()) + timeout_ms * 1000000;
    struct timespec until = { until_ns / 1000000000, until_ns % 1000000000 };
    struct exchange *exchange;
    struct share *share;
    uint32_t seat;
    pthread_mutex_lock(&jobs->lock);
    while (!(exchange = take_exchange(jobs)) && !jobs->is_closing) {
        if ((share = find_share(jobs, &seat))) help(jobs, share, seat);
        else if (pthread_cond_timedwait(&jobs->some, &jobs->lock, &until) == ETIMEDOUT) break;
    }
    pthread_mutex_unlock(&jobs->lock);
    return exchange;
}

/* This must happen before the exchange is handed back: from then on another thread owns it. */
static void jobs_end_long(struct http_jobs *jobs, const struct exchange *exchange)
{
    uint32_t at = 0;
    pthread_mutex_lock(&jobs->lock);
    while (jobs->running[at] != exchange) at++;
    jobs->running[at] = jobs->running[--jobs->long_count];
    pthread_cond_signal(&jobs->some);
    pthread_mutex_unlock(&jobs->lock);
}

void http_jobs_step(struct http_jobs *jobs, Arena arena, Millis timeout_ms)
{
    struct exchange *exchange = jobs_take(jobs, timeout_ms);
    if (!exchange) return;
    exchange->work(exchange, &arena);
    check(exchange->state == EXCHANGE_ANSWERED);
    if (exchange->is_long) jobs_end_long(jobs, exchange);
    exchange_hand_back(exchange);
}

void http_jobs_list(struct http_jobs *jobs, void (*tell)(void *context, struct exchange *exchange, bool is_running),
                    void *context)
{
    pthread_mutex_lock(&jobs->lock);
    for (uint32_t at = 0; at < jobs->long_count; at++) tell(context, jobs->running[at], true);
    for (struct exchange *exchange = jobs->first; exchange; exchange = exchange->next)
        if (exchange->is_long) tell(context, exchange, false);
    pthread_mutex_unlock(&jobs->lock);
}

void http_jobs_stop(struct http_jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->is_closing = true;
    pthread_cond_broadcast(&jobs->some);
    pthread_mutex_unlock(&jobs->lock);
}
