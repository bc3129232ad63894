/* http_pages: the small documents: settings, the browser library, health, metrics, the greeting. */
#include "http_exchange.h"

/* "host/v1" and the protocol that the client used to reach us, so that events come the same way. */
static void put_api_host(struct exchange *exchange, struct buf *out)
{
    struct buf host;
    buf_init(&host, 512);
    buf_str_put(&host, exchange->host);
    buf_str_put(&host, STR("/v1"));
    buf_str_put(out, STR("\"apiHost\":"));
    buf_json_string(out, buf_str(&host));
    bool is_https = exchange->is_tls || str_equal(exchange->forwarded_proto, STR("https"));
    buf_printf(out, ",\"protocol\":\"%s\"", is_https ? "https" : "http");
    buf_done(&host);
}

/* The settings that analytics-next and the mobile SDKs load first (protocol 3.9): one integration, no
 * chunk to download, no client metrics. An unknown key is the one place where Segment says 404. */
void http_settings(struct exchange *exchange)
{
    const HttpOptions *options = exchange_options(exchange);
    struct buf *out = &exchange->answer;
    if (!collector_find_source(options->collector, exchange->parameter)) {
        Err err;
        health_add(options->health, COUNT_UNKNOWN_KEYS, 1);
        err_set(&err, ERR_NOT_FOUND, "no source has this write key; see sources in onym.yaml, or: onym keys");
        reply_error(exchange, ERR_NOT_FOUND, &err);
        return;
    }
    buf_clear(out);
    buf_str_put(out, STR("{\"integrations\":{\"Segment.io\":{\"apiKey\":"));
    buf_json_string(out, exchange->parameter);
    buf_char(out, ',');
    put_api_host(exchange, out);
    buf_str_put(out, STR(",\"unbundledIntegrations\":[],\"addBundledMetadata\":true}},"
                         "\"plan\":{\"track\":{\"__default\":{\"enabled\":true}},"
                         "\"identify\":{\"__default\":{\"enabled\":true}},"
                         "\"group\":{\"__default\":{\"enabled\":true}}},"
                         "\"edgeFunction\":{},\"analyticsNextEnabled\":true,\"middlewareSettings\":{},"
                         "\"enabledMiddleware\":{},\"metrics\":{\"sampleRate\":0},"
                         "\"legacyVideoPluginsEnabled\":false,\"remotePlugins\":[]}"));
    reply_text(exchange, 200, NULL, buf_str(out));
    exchange->reply.cache_control = "public, max-age=300";
}

void http_healthz(struct exchange *exchange) { reply_text(exchange, 200, NULL, STR("{\"status\":\"alive\"}\n")); }

void http_readyz(struct exchange *exchange)
{
    const HttpOptions *options = exchange_options(exchange);
    JournalStats stats;
    journal_read_stats(options->journal, &stats);
    bool is_ready = !options->is_ready || options->is_ready(options->is_ready_context);
    if (stats.is_poisoned)
        reply_text(exchange, 503, NULL, STR("{\"status\":\"the journal refuses after a failed sync\"}\n"));
    else if (stats.is_full) reply_text(exchange, 503, NULL, STR("{\"status\":\"the disk is full\"}\n"));
    else if (!is_ready) reply_text(exchange, 503, NULL, STR("{\"status\":\"catching up\"}\n"));
    else reply_text(exchange, 200, NULL, STR("{\"status\":\"ready\"}\n"));
}

static void write_derived(struct applier *applier, struct buf *out)
{
    ApplyStats apply;
    IdentityStats identity;
    IndexStats index;
    apply_read_stats(applier, &apply);
    index_read_stats(apply_index(applier), &index);
    apply_begin_reading(applier);
    identity_read_stats(apply_identity(applier), &identity);
    apply_end_reading(applier);
    const struct { const char *metric, *kind, *help; double value; } rows[] = {
        { "onym_applied_events_total", "counter", "Events applied since the start", (double)apply.events },
        { "onym_duplicates_total", "counter", "Duplicates dropped since the start", (double)apply.duplicates },
        { "onym_blocked_events_total", "counter", "Events whose every id is blocked", (double)apply.blocked },
        { "onym_apply_lag_bytes", "gauge", "Journal bytes that are durable and not yet applied",
          (double)(apply.durable - apply.applied) },
        { "onym_identity_users", "gauge", "User ids seen", identity.users },
        { "onym_identity_anonymous", "gauge", "Anonymous ids seen", identity.anonymous },
        { "onym_identity_shared", "gauge", "Anonymous ids of several users", identity.shared },
        { "onym_identity_links", "gauge", "Pieces of evidence kept", (double)identity.links },
        { "onym_identity_resident_bytes", "gauge", "Memory of the identity engine", (double)identity.resident_bytes },
        { "onym_index_rows", "gauge", "Events in the index", (double)index.rows },
        { "onym_index_disk_bytes", "gauge", "Size of the index's files", (double)index.disk_bytes },
        { "onym_index_memory_bytes", "gauge", "Memory of the index's unsealed part", (double)index.memory_bytes },
    };
    for (size_t at = 0; at < countof(rows); at++)
        health_write_sample(out, rows[at].metric, rows[at].kind, rows[at].help, rows[at].value);
}

void http_metrics(struct exchange *exchange)
{
    const HttpOptions *options = exchange_options(exchange);
    JournalStats stats;
    journal_read_stats(options->journal, &stats);
    buf_clear(&exchange->answer);
    health_write_metrics(options->health, &stats, &exchange->answer);
    write_derived(options->applier, &exchange->answer);
    http_destinations_metrics(options->deliver, &exchange->answer);
    reply_text(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&exchange->answer));
}

void http_root(struct exchange *exchange)
{
    reply_text(exchange, 200, "text/plain; charset=utf-8",
               STR("This is Onym. Events go to /v1/..., the browser library is at\n"
                   "/analytics.js/v1/WRITE_KEY/analytics.min.js, health at /healthz, numbers at /metrics.\n"));
}
