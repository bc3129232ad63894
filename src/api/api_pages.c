/* api_pages: the small documents: settings, the browser library, health, metrics, the greeting. */
#include "api_routes.h"

/* "host/v1" and the protocol that the client used to reach us, so that events come the same way. */
static void put_api_host(struct exchange *exchange, struct buf *out)
{
    struct buf host;
    buf_init(&host, 512);
    buf_str_put(&host, exchange->host);
    buf_str_put(&host, STR("/v1"));
    json_string(out, "apiHost", buf_str(&host));
    bool is_https = exchange->is_tls || str_equal(exchange->forwarded_proto, STR("https"));
    json_word(out, "protocol", is_https ? "https" : "http");
    buf_done(&host);
}

/* The source that a settings document is for; NULL, with the reply, if there is none or not for this page. An
 * unknown key is the one case in which Segment says 404. */
static const Source *settings_source(struct exchange *exchange, Str key)
{
    const ApiOptions *options = api_options(exchange);
    const Source *source = collector_find_source(options->collector, key);
    Str page = exchange_page(exchange);
    Err err;
    if (!source || !source->is_enabled) {
        if (!source) health_add(options->health, COUNT_UNKNOWN_KEYS, 1);
        if (source) err_set(&err, ERR_NOT_FOUND, "source %.*s: is disabled", STR_FORMAT(source->name));
        else err_set(&err, ERR_NOT_FOUND, "no source has this write key; see sources in onym.yaml, or: onym keys");
        reply_error(exchange, ERR_NOT_FOUND, &err);
        return NULL;
    }
    exchange->collected.source = source;                   /* CORS looks at it */
    if (!page.len || source_allows_origin(source, page)) return source;
    err_set(&err, ERR_DENIED, "source %.*s: not open to this origin", STR_FORMAT(source->name));
    reply_error(exchange, ERR_DENIED, &err);
    return NULL;
}

/* The document names the host that the client asked, or is for one key: no cache may give it to somebody else. */
static void reply_settings(struct exchange *exchange)
{
    reply_text(exchange, 200, NULL, buf_str(&exchange->answer));
    exchange->reply.cache_control = "private, max-age=300";
    exchange->reply.varies = "Origin";
}

/* What RudderStack's browser SDKs load first, from configUrl: a source without destinations of its own in the page, and
 * nobody who wants the SDK's own statistics. The key comes as Basic user name and as ?writeKey=. */
void api_source_config(struct exchange *exchange)
{
    struct buf *out = &exchange->answer;
    Str key = exchange_header_key(exchange);
    if (!key.len || !collector_find_source(api_options(exchange)->collector, key)) {
        Str other = exchange_query_key(exchange);
        if (other.len) key = other;
    }
    const Source *source = settings_source(exchange, key);
    if (!source) return;
    buf_clear(out);
    json_object(out, NULL);
    json_object(out, "source");
    json_string(out, "id", source->name);
    json_string(out, "name", source->name);
    json_string(out, "writeKey", key);
    json_bool(out, "enabled", true);
    json_word(out, "workspaceId", "onym");
    json_raw(out, "config", STR("{\"statsCollection\":{\"errors\":{\"enabled\":false},"
                                "\"metrics\":{\"enabled\":false}}}"));
    json_raw(out, "destinations", STR("[]"));
    json_raw(out, "connections", STR("[]"));
    json_raw(out, "dataplanes", STR("{}"));
    json_object_end(out);
    json_object_end(out);
    reply_settings(exchange);
}

/* The settings that analytics-next and the mobile SDKs load first (protocol 3.9): one integration, no
 * chunk to download, no client metrics. */
void api_settings(struct exchange *exchange)
{
    struct buf *out = &exchange->answer;
    Str key = percent_decode(exchange->parameter, false, exchange_arena(exchange));
    const Source *source = settings_source(exchange, key);
    if (!source) return;
    buf_clear(out);
    json_object(out, NULL);
    json_object(out, "integrations");
    json_object(out, "Segment.io");
    json_string(out, "apiKey", key);
    put_api_host(exchange, out);
    json_raw(out, "unbundledIntegrations", STR("[]"));
    json_bool(out, "addBundledMetadata", true);
    json_object_end(out);
    json_object_end(out);
    json_raw(out, "plan", STR("{\"track\":{\"__default\":{\"enabled\":true}},"
                              "\"identify\":{\"__default\":{\"enabled\":true}},"
                              "\"group\":{\"__default\":{\"enabled\":true}}}"));
    json_raw(out, "edgeFunction", STR("{}"));
    json_bool(out, "analyticsNextEnabled", true);
    json_raw(out, "middlewareSettings", STR("{}"));
    json_raw(out, "enabledMiddleware", STR("{}"));
    json_raw(out, "metrics", STR("{\"sampleRate\":0}"));
    json_bool(out, "legacyVideoPluginsEnabled", false);
    json_raw(out, "remotePlugins", STR("[]"));
    /* Apart from the integrations: analytics-next would ask a CDN for a bundle of each that stands there. */
    json_raw(out, "deviceMode", source->device_mode.len ? source->device_mode : STR("{}"));
    json_object_end(out);
    reply_settings(exchange);
}

/* The same for the library: a module that begins what device_mode names. A text within a text, since "__proto__" is a
 * key like any other in JSON and none in a script. */
void api_tools(struct exchange *exchange)
{
    struct buf *out = &exchange->answer;
    Str key = percent_decode(exchange->parameter, false, exchange_arena(exchange));
    const Source *source = settings_source(exchange, key);
    if (!source) return;
    buf_clear(out);
    buf_str_put(out, STR("import{begin}from\"./x/device.tool.js\";export const start=given=>begin(JSON.parse("));
    buf_json_string(out, source->device_mode.len ? source->device_mode : STR("{}"));
    buf_str_put(out, STR("),given);\n"));
    reply_text(exchange, 200, "text/javascript; charset=utf-8", buf_str(out));
    exchange->reply.cache_control = "private, max-age=300";
    exchange->reply.varies = "Origin";
}

void api_healthz(struct exchange *exchange) { reply_text(exchange, 200, NULL, STR("{\"status\":\"alive\"}\n")); }

/* Why nothing can be collected, or NULL. */
static const char *collect_trouble(const ApiOptions *options)
{
    JournalStats stats;
    journal_read_stats(options->journal, &stats);
    if (stats.is_astray) return "the journal's file was moved, removed or replaced";
    if (stats.is_poisoned) return "the journal refuses after a failed sync";
    return stats.is_full ? "the disk is full" : stats.is_failing ? "the journal cannot be written" : NULL;
}

static void reply_ready(struct exchange *exchange, const char *trouble, const DeriveLag *lag)
{
    buf_clear(&exchange->answer);
    json_object(&exchange->answer, NULL);
    json_word(&exchange->answer, "status", trouble ? trouble : "ready");
    if (lag) json_int(&exchange->answer, "behind_ms", lag->behind_ms);
    json_object_end(&exchange->answer);
    buf_char(&exchange->answer, '\n');
    reply_text(exchange, trouble ? 503 : 200, NULL, buf_str(&exchange->answer));
}

static void reply_readiness(struct exchange *exchange, bool of_collecting)
{
    const ApiOptions *options = api_options(exchange);
    DeriveLag lag;
    const char *trouble = of_collecting ? collect_trouble(options) : NULL;
    derive_read_lag(options->applier, &lag);
    if (!trouble && !lag.is_complete) trouble = "catching up";
    reply_ready(exchange, trouble, &lag);
}

/* Are events accepted, whatever must still be applied? For the load balancer of collection. */
void api_readyz_collect(struct exchange *exchange)
{
    reply_ready(exchange, collect_trouble(api_options(exchange)), NULL);
}

/* Do answers have everything up to less than a second ago? */
void api_readyz_answer(struct exchange *exchange) { reply_readiness(exchange, false); }

void api_readyz(struct exchange *exchange) { reply_readiness(exchange, true); }

static void write_derived(struct applier *applier, struct buf *out)
{
    DeriveStats apply;
    DeriveLag lag;
    DeriveSizes sizes;
    derive_read_stats(applier, &apply);
    derive_read_lag(applier, &lag);
    derive_read_sizes(applier, &sizes);
    const IdentityStats *identity = &sizes.identity;
    const IndexStats *index = &sizes.index;
    const struct { const char *metric, *kind, *help; double value; } rows[] = {
        { "onym_applied_events_total", "counter", "Events applied since the start", (double)apply.events },
        { "onym_duplicates_total", "counter", "Duplicates dropped since the start", (double)apply.duplicates },
        { "onym_blocked_events_total", "counter", "Events whose every id is blocked", (double)apply.blocked },
        { "onym_apply_lag_bytes", "gauge", "Journal bytes that are durable and not yet applied",
          (double)journal_distance(lag.applied, lag.durable) },
        { "onym_apply_lag_seconds", "gauge", "For how long the oldest event that is durable and not yet applied waits",
          (double)lag.behind_ms / 1000 },
        { "onym_answers_complete", "gauge", "1 if answers count everything up to less than a second ago",
          lag.is_complete },
        { "onym_missing_places", "gauge", "Places of the journal that cannot be read and are in no answer",
          (double)apply.missing_places },
        { "onym_missing_bytes", "gauge", "Bytes of the journal in them", (double)apply.missing_bytes },
        { "onym_missing_messages", "gauge", "Records in them, as far as that can be told",
          (double)apply.missing_messages },
        { "onym_identity_users", "gauge", "User ids seen", identity->users },
        { "onym_identity_anonymous", "gauge", "Anonymous ids seen", identity->anonymous },
        { "onym_identity_shared", "gauge", "Anonymous ids of several users", identity->shared },
        { "onym_identity_links", "gauge", "Pieces of evidence kept", (double)identity->links },
        { "onym_identity_resident_bytes", "gauge", "Memory of the identity engine", (double)identity->resident_bytes },
        { "onym_index_rows", "gauge", "Events in the index", (double)index->rows },
        { "onym_index_disk_bytes", "gauge", "Size of the index's files", (double)index->disk_bytes },
        { "onym_index_memory_bytes", "gauge", "Memory of the index's unsealed part", (double)index->memory_bytes },
    };
    for (size_t at = 0; at < countof(rows); at++)
        health_write_sample(out, rows[at].metric, rows[at].kind, rows[at].help, rows[at].value);
}

static void write_count(void *context, const char *code, const char *severity, uint32_t count)
{
    buf_printf(context, "onym_findings{code=\"%s\",severity=\"%s\"} %" PRIu32 "\n", code, severity, count);
}

/* Of the server's own examinations. Both labels are words of Onym's table. */
static void write_findings(struct doctor *doctor, struct buf *out)
{
    DoctorSummary summary = doctor ? doctor_read_summary(doctor) : (DoctorSummary){ 0 };
    if (!summary.is_counted) return;
    health_write_sample(out, "onym_examined_timestamp_seconds", "gauge", "When the doctor last examined by itself",
                        (double)summary.at_ms / 1000);
    health_write_head(out, "onym_findings", "gauge", "Findings of the doctor that are not muted, as of that time");
    doctor_visit_counts(doctor, write_count, out);
}

void api_metrics(struct exchange *exchange)
{
    const ApiOptions *options = api_options(exchange);
    JournalStats stats;
    journal_read_stats(options->journal, &stats);
    buf_clear(&exchange->answer);
    health_write_metrics(options->health, &stats, &exchange->answer);
    write_derived(options->applier, &exchange->answer);
    api_destinations_metrics(options->deliver, &exchange->answer);
    api_warehouses_metrics(options, &exchange->answer);
    write_findings(options->doctor, &exchange->answer);
    reply_text(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&exchange->answer));
}

void api_root(struct exchange *exchange)
{
    if (asset_is_accepted(exchange->accept, STR("text/html")) && api_dashboard(exchange)) return;
    reply_text(exchange, 200, "text/plain; charset=utf-8",
               STR("This is Onym. Events go to /v1/..., the browser library is at\n"
                   "/analytics.js/v1/WRITE_KEY/analytics.min.js, health at /healthz, numbers at /metrics.\n"));
    exchange->reply.varies = "Accept";
}

void api_write_openapi(struct buf *out)
{
    openapi_write((RouteTable){ &api_routes[0].route, api_route_count, sizeof api_routes[0] }, out);
}

/* It needs no key: it is the same for every server. */
void api_openapi(struct exchange *exchange)
{
    buf_clear(&exchange->answer);
    api_write_openapi(&exchange->answer);
    check(buf_ok(&exchange->answer));
    reply_text(exchange, 200, NULL, buf_str(&exchange->answer));
    exchange->reply.cache_control = "public, max-age=300";
}
