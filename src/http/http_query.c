/* http_query: POST /api/v1/funnels and its like. A question is long work: it runs on a worker thread, with the
 * help of idle ones, and ends when its client leaves. */
#include "http_query.h"

enum { SLOW_MS = 5000 };

static const char *const words[QUERY_KIND_COUNT] = {
    [QUERY_FUNNEL] = "funnel", [QUERY_FUNNEL_PEOPLE] = "funnel people", [QUERY_TRENDS] = "trends",
    [QUERY_RETENTION] = "retention", [QUERY_PATHS] = "paths", [QUERY_SIGNUPS] = "sign-ups",
    [QUERY_EVENTS] = "events",
};

/* What an operator wants to know of questions next day: that some were given up, and which ones take long. */
static void note_end(struct exchange *exchange, QueryKind kind, Status status)
{
    struct health *health = exchange_options(exchange)->health;
    int64_t took_ns = clock_monotonic_ns(exchange_options(exchange)->clock) - exchange->began_ns;
    health_add(health, COUNT_QUERIES, 1);
    health_add(health, COUNT_QUERY_MS, (uint64_t)(took_ns / 1000000));
    if (status == ERR_CLOSED) {
        health_add(health, COUNT_QUERIES_CANCELLED, 1);
        log_write(LOG_INFO, "question given up: its client went away", LOG_TEXT("question", words[kind]),
                  LOG_INT("ms", took_ns / 1000000));
    } else if (took_ns / 1000000 >= SLOW_MS) {
        log_write(LOG_INFO, "slow question", LOG_TEXT("question", words[kind]), LOG_INT("ms", took_ns / 1000000));
    }
}

static void answer(struct exchange *exchange, QueryKind kind)
{
    struct question question;
    Err err = { 0 };
    buf_clear(&exchange->answer);
    if (atomic_load_explicit(&exchange->is_cancelled, memory_order_relaxed)) {      /* before its turn came */
        note_end(exchange, kind, err_set(&err, ERR_CLOSED, "the client went away"));
        reply_error(exchange, ERR_CLOSED, &err);
        return;
    }
    Status s = question_open(&question, exchange, &err);
    if (!s) s = question_run(&question, kind, buf_str(&exchange->body), &exchange->answer, &err);
    question_close(&question);
    note_end(exchange, kind, s);
    if (s) reply_error(exchange, s, &err);
    else reply_text(exchange, 200, NULL, buf_str(&exchange->answer));
}

#define QUESTION(name, kind)                                                                           \
    static void work_##name(struct exchange *exchange, Arena *arena)                                   \
    {                                                                                                  \
        (void)arena;                                                                                   \
        answer(exchange, kind);                                                                        \
    }                                                                                                  \
    void http_query_##name(struct exchange *exchange)                                                  \
    {                                                                                                  \
        exchange->is_long = true;                                                                      \
        exchange_defer(exchange, work_##name);                                                         \
    }

QUESTION(funnel, QUERY_FUNNEL)
QUESTION(funnel_people, QUERY_FUNNEL_PEOPLE)
QUESTION(trends, QUERY_TRENDS)
QUESTION(retention, QUERY_RETENTION)
QUESTION(paths, QUERY_PATHS)
QUESTION(signups, QUERY_SIGNUPS)
QUESTION(events, QUERY_EVENTS)
