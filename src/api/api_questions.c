/* api_questions: GET /api/v1/questions: what is being asked right now, and how far each answer is. A client may
 * name its question (`POST /api/v1/funnels?id=abc`) and finds it by that name; `onym funnel` draws its progress bar
 * from here. A question without a name has no id. */
#include "api_routes.h"

enum { ID_BYTES_MAX = 64 };

struct listing {
    struct exchange *asker;
};

/* Under the lock of the jobs, for a moment. The exchange is another thread's: only what stays as it is until it is
 * handed back is read, and the two counters. */
static void tell(void *context, struct exchange *exchange, bool is_running)
{
    struct listing *listing = context;
    struct buf *answer = &listing->asker->answer;
    Str id = http_parameter(exchange->query, STR("id"), exchange_arena(listing->asker));
    uint32_t done = atomic_load_explicit(&exchange->progress_done, memory_order_relaxed);
    uint32_t all = atomic_load_explicit(&exchange->progress_all, memory_order_relaxed);
    int64_t took_ns = clock_monotonic_ns(api_options(listing->asker)->clock) - exchange->began_ns;
    json_object(answer, NULL);
    if (id.len && id.len <= ID_BYTES_MAX) json_string(answer, "id", id);
    else json_null(answer, "id");
    json_string(answer, "path", exchange->path);
    json_word(answer, "state", is_running ? "running" : "waiting");
    json_int(answer, "ms", took_ns / 1000000);
    json_uint(answer, "done", done < all ? done : all);
    json_uint(answer, "all", all);
    json_object_end(answer);
}

void api_questions(struct exchange *exchange)
{
    struct listing listing = { .asker = exchange };
    buf_clear(&exchange->answer);
    json_object(&exchange->answer, NULL);
    json_array(&exchange->answer, "questions");
    http_jobs_list(api_options(exchange)->jobs, tell, &listing);
    json_array_end(&exchange->answer);
    json_object_end(&exchange->answer);
    reply_text(exchange, 200, NULL, buf_str(&exchange->answer));
}
