/* api_slow: collection is slowed down before derived state falls behind it without bound.
 *
 * The journal takes more events in a second than can be applied (memory's latency limits that). A later answer
 * waits for all earlier events, so the lead is bounded: by how long that wait would be, not by a count of bytes.
 * Clients that can wait are refused first: an import comes again from its file, a batch from its SDK's queue. A single
 * event, which may be somebody's sign-up from a page that is about to close, is refused last. Nothing is lost: every
 * SDK sends again after 429 with Retry-After, and what was answered with 200 is kept.
 *
 * One source's flood is not the fault of the others: a source that sent little lately (api_share.c) is refused later,
 * at a higher limit, so there is room for all others in spite of the flood. Most SDKs of servers name their
 * source in a header; for others it is known when the body has been read.
 *
 * While a server still applies what was on disk at its start, nothing is slowed: that may be all of the journal, and
 * collecting comes first. */
#include "api_routes.h"

enum {
    NEAR_MS = 125,                          /* below it no request is looked at: this costs one look at the clock */
    SMALL_BATCH_BYTES = 8192,               /* SDKs of servers send single events as batches, too */
};

static const struct { Millis most_ms, light_ms; Counter counter; } rows[] = {
    [SLOW_IMPORT] = { 500, 1000, COUNT_SLOWED_IMPORTS }, [SLOW_BATCH] = { 1000, 1700, COUNT_SLOWED_BATCHES },
    [SLOW_SINGLE] = { 1500, 1900, COUNT_SLOWED_SINGLE },
};

static bool is_small(const struct exchange *exchange)
{
    return exchange->body.len <= SMALL_BATCH_BYTES && !exchange->content_encoding.len;
}

static SlowKind kind_of(const struct exchange *exchange)
{
    bool is_import = exchange->import_header.len || str_equal(exchange->path, STR("/v1/import"));
    if (is_import) return SLOW_IMPORT;
    return exchange->route->implied_type == EVENT_NONE && !is_small(exchange) ? SLOW_BATCH : SLOW_SINGLE;
}

static bool refuse(struct exchange *exchange, const Slow *slow)
{
    Err err;
    health_add(api_options(exchange)->health, rows[slow->kind].counter, 1);
    err_set(&err, ERR_RATE, "events come faster than they can be counted (%lld ms behind): nothing of this request was "
            "kept, send it again", (long long)slow->drain_ms);
    exchange->reply.retry_after_ms = slow->drain_ms - rows[slow->kind].most_ms / 2;
    reply_error(exchange, ERR_RATE, &err);
    return true;
}

static bool is_too_much(const struct exchange *exchange, const Slow *slow, Str source)
{
    const ApiOptions *options = api_options(exchange);
    if (slow->drain_ms <= rows[slow->kind].most_ms) return false;
    return !options->shares || !share_is_light(options->shares, source, clock_monotonic_ns(options->clock));
}

bool slow_begin(struct exchange *exchange, Str header_key, Slow *ret)
{
    const ApiOptions *options = api_options(exchange);
    DeriveLag lag;
    *ret = (Slow){ 0 };
    if (!options->applier || derive_noted_drain(options->applier) < NEAR_MS) return false;
    derive_read_lag(options->applier, &lag);
    if (lag.is_starting) return false;
    *ret = (Slow){ .is_near = true, .kind = kind_of(exchange), .drain_ms = lag.drain_ms };
    if (lag.drain_ms > rows[ret->kind].light_ms) return refuse(exchange, ret);
    const Source *source = header_key.len ? collector_find_source(options->collector, header_key) : NULL;
    return source && is_too_much(exchange, ret, source->name) && refuse(exchange, ret);
}

bool slow_end(struct exchange *exchange, const Slow *slow)
{
    const ApiOptions *options = api_options(exchange);
    const Source *source = exchange->collected.source;
    Str name = source ? source->name : (Str){ 0 };
    if (!slow->is_near) return false;
    if (is_too_much(exchange, slow, name)) return refuse(exchange, slow);
    if (options->shares)
        share_note(options->shares, name, exchange->append->frames.len, clock_monotonic_ns(options->clock));
    return false;
}
