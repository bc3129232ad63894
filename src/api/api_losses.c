/* api_losses: GET /api/v1/losses?since=7d: calls of the browser library that were made and never came (losses/). */
#include "api_routes.h"

enum { QUIET_MS = HOUR_MS, SINCE_MOST_DAYS = 90 };

static Status read_range(struct exchange *exchange, Arena *arena, LossesRange *ret, Err *err)
{
    Millis now_ms = clock_now_ms(api_options(exchange)->clock);
    Str since = http_parameter(exchange->query, STR("since"), arena);
    Str quiet = http_parameter(exchange->query, STR("quiet"), arena);
    int64_t since_ms = 7 * DAY_MS, quiet_ms = QUIET_MS, most_ms = SINCE_MOST_DAYS * DAY_MS;
    if (since.len && (!duration_parse(since, &since_ms) || since_ms <= 0 || since_ms > most_ms))
        return err_set_field(err, "since", "wanted a time up to 90d, as in ?since=7d");
    if (quiet.len && (!duration_parse(quiet, &quiet_ms) || quiet_ms < 0 || quiet_ms > most_ms))
        return err_set_field(err, "quiet", "wanted a time up to 90d, as in ?quiet=1h");
    *ret = (LossesRange){ now_ms - since_ms, now_ms - quiet_ms };
    return OK;
}

Status api_losses(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    LossesRange range;
    Status s = read_range(exchange, arena, &range, err);
    return s ? s : losses_write(api_options(exchange)->journal, &range, &exchange->is_cancelled, out, err);
}
