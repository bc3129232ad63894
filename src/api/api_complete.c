/* api_complete: how complete an answer is. Questions are answered from derived state, which follows the journal: within
 * milliseconds while the server runs, later while it starts (docs/queries.md). An answer says which it was,
 * or waits until it has everything that was on disk when the question came (?wait=10s). */
#include "api_routes.h"

enum { WAIT_MOST_MS = 60000 };

Status complete_begin(struct exchange *exchange, Err *err)
{
    struct applier *applier = api_options(exchange)->applier;
    struct region region;
    DeriveLag lag;
    Millis wait_ms = 0;
    region_open(&region, 4096);
    Arena arena = region_arena(&region);
    Str wait = http_parameter(exchange->query, STR("wait"), &arena);
    bool is_good = !wait.len || (duration_parse(wait, &wait_ms) && wait_ms <= WAIT_MOST_MS);
    region_close(&region);
    if (!is_good) {
        err_set_field(err, "wait", "wanted a time up to 60s, as in ?wait=10s");
        return ERR_INPUT;
    }
    derive_read_lag(applier, &lag);
    if (wait_ms > 0) (void)derive_wait_known(applier, lag.durable, wait_ms, &exchange->is_cancelled);
    return OK;
}

QueryMoment complete_moment(struct exchange *exchange)
{
    DeriveLag lag;
    const ApiOptions *options = api_options(exchange);
    derive_read_lag(options->applier, &lag);
    JournalPos first = journal_first(options->journal);
    double all = (double)journal_distance(first, lag.durable), done = (double)journal_distance(first, lag.applied);
    return (QueryMoment){
        .is_complete = lag.is_complete, .is_starting = lag.is_starting, .behind_ms = lag.behind_ms,
        .share_applied = all > 0 ? (double)(int64_t)(done / all * 10000) / 10000 : 1,
    };
}
