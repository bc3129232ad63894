/* api_ask: POST /api/v1/funnels and the like. A question is long work: it runs on a worker thread, with the
 * help of idle ones, and ends when its client leaves. */
#include "api_routes.h"

enum { SLOW_MS = 5000 };

static const char *const words[QUERY_KIND_COUNT] = {
#define QUESTION(KIND, answer, path, word, ...) [QUERY_##KIND] = word,
#include "ask/questions.tbl.h"
};

/* Logs what an operator may want to know next day: questions that were given up, and those that take long. */
static void note_end(struct exchange *exchange, QueryKind kind, Status status)
{
    struct health *health = api_options(exchange)->health;
    int64_t took_ns = clock_monotonic_ns(api_options(exchange)->clock) - exchange->began_ns;
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

static void note_progress(void *context, uint32_t done, uint32_t all)
{
    struct exchange *exchange = context;
    atomic_store_explicit(&exchange->progress_done, done, memory_order_relaxed);
    atomic_store_explicit(&exchange->progress_all, all, memory_order_relaxed);
}

/* Traits and user ids are about people: the role reader, which sees numbers only, may not filter or break down by them.
 * */
Status api_check_reader(const TreeNode *node, Err *err)
{
    Status s = OK;
    if (str_starts(node->text, STR("traits.")) || str_equal(node->text, STR("userId"))) {
        s = err_set(err, ERR_DENIED, "not for the role reader: %.*s is about people; this wants analyst or admin",
                    STR_FORMAT(str_slice(node->text, 0, 100)));
        return s;
    }
    for (const TreeNode *child = node->first; !s && child; child = child->next) s = api_check_reader(child, err);
    return s;
}

static Status answer_of_now(struct exchange *exchange, QueryKind kind, struct buf *out, Err *err)
{
    const ApiOptions *options = api_options(exchange);
    struct derive_world *world;
    DeriveAsker asker = {
        .pool = { http_jobs_seats(options->jobs), http_jobs_share, options->jobs },
        .moment = complete_moment(exchange), .progress = note_progress, .context = exchange,
        .is_cancelled = &exchange->is_cancelled, .now_ms = clock_now_ms(options->clock),
        .memory_bytes = options->query_memory_bytes,
    };
    Status s = derive_open_world(options->applier, &asker, &world, err);
    if (s) return s;
    s = query_run(kind, buf_str(&exchange->body), derive_query_world(world), out, err);
    if (!s) s = derive_check_world(world, err);
    derive_close_world(world);
    return s;
}

Status api_ask(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    QueryKind kind = api_row(exchange)->question;
    if (exchange->role == ACCESS_READER) {
        const TreeNode *body;
        Status read = event_tree_read(buf_str(&exchange->body), arena, &body, err);
        if (!read) read = api_check_reader(body, err);
        if (read) return read;
    }
    if (atomic_load_explicit(&exchange->is_cancelled, memory_order_relaxed)) {      /* before its turn came */
        note_end(exchange, kind, ERR_CLOSED);
        return err_set(err, ERR_CLOSED, "the client went away");
    }
    Status s = complete_begin(exchange, err);
    if (!s) s = answer_of_now(exchange, kind, out, err);
    note_end(exchange, kind, s);
    return s;
}
