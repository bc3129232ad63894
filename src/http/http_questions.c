/* http_questions: GET /api/v1/questions: what is being asked right now, and how far each answer is. Whoever asked
 * names the question (`POST /api/v1/funnels?id=abc`) and finds it by that name; `onym funnel` draws its progress bar
 * from here. A question that nobody named has no id. */
#include "http_exchange.h"

enum { ID_BYTES_MAX = 64 };

struct listing {
    struct exchange *asker;
    bool has_one;
};

/* Under the lock of the jobs, for a moment. The exchange is another thread's: only what stays as it is until it is
 * handed back is read, and the two counters. */
static void tell(void *context, struct exchange *exchange, bool is_running)
{
    struct listing *listing = context;
    struct buf *answer = &listing->asker->answer;
    Str id = query_parameter(exchange->query, STR("id"), exchange_arena(listing->asker));
    uint32_t done = atomic_load_explicit(&exchange->progress_done, memory_order_relaxed);
    uint32_t all = atomic_load_explicit(&exchange->progress_all, memory_order_relaxed);
    int64_t took_ns = clock_monotonic_ns(exchange_options(listing->asker)->clock) - exchange->began_ns;
    buf_str_put(answer, listing->has_one ? STR(",{\"id\":") : STR("{\"id\":"));
    listing->has_one = true;
    if (id.len && id.len <= ID_BYTES_MAX) buf_json_string(answer, id);
    else buf_str_put(answer, STR("null"));
    buf_str_put(answer, STR(",\"path\":"));
    buf_json_string(answer, exchange->path);
    buf_printf(answer, ",\"state\":\"%s\",\"ms\":%" PRIi64 ",\"done\":%u,\"all\":%u}",
               is_running ? "running" : "waiting", took_ns / 1000000, done < all ? done : all, all);
}

void http_questions(struct exchange *exchange)
{
    struct listing listing = { .asker = exchange };
    buf_clear(&exchange->answer);
    buf_str_put(&exchange->answer, STR("{\"questions\":["));
    http_jobs_list(exchange_options(exchange)->jobs, tell, &listing);
    buf_str_put(&exchange->answer, STR("]}"));
    reply_text(exchange, 200, NULL, buf_str(&exchange->answer));
}
