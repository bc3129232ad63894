/* api_track: collection. A request becomes a CollectRequest; its records go to the journal; the answer
 * is made when they are durable. Even if something is wrong with single messages, the answer is what SDKs expect:
 * exactly 200 with {"success":true} (protocol 0.1, 0.3). */
#include "api_routes.h"

static const Str success = STR("{\"success\":true}");
/* The smallest transparent GIF (protocol 1.2). */
static const Str pixel = STR("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x21\xf9\x04\x01\x00\x00\x00"
                             "\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b");

static bool is_pixel(const struct exchange *exchange)
{
    return str_starts(exchange->path, STR("/v1/pixel/")) || str_starts(exchange->path, STR("/pixel/"));
}

/* "?writeKey=" of a beacon, which can carry no header. A plus is a plus: no key has a space in it. */
Str exchange_query_key(struct exchange *exchange)
{
    for (Str rest = exchange->query; rest.len > 0;) {
        Str value, name = str_cut(str_cut(rest, '&', &rest), '=', &value);
        if (str_equal(name, STR("writeKey"))) return percent_decode(value, false, exchange_arena(exchange));
    }
    return (Str){ 0 };
}

Str exchange_header_key(struct exchange *exchange)
{
    if (exchange->authorization.len)
        return collect_key_of_authorization(exchange->authorization, exchange_arena(exchange));
    return exchange->header_key;
}

static void collect(struct exchange *exchange, const CollectRequest *request)
{
    const ApiOptions *options = api_options(exchange);
    Err err;
    Slow slow;
    if (slow_begin(exchange, request->header_key, &slow)) return;
    exchange->append = exchange_take_append(exchange);
    Status s = collect_request(exchange_workspace(exchange), request, exchange->append, &exchange->collected, &err);
    if (s) {
        exchange->reply.retry_after_ms = exchange->collected.retry_after_ms;
        if (s == ERR_RATE) health_add(options->health, COUNT_RATE_LIMITED, 1);
        reply_error(exchange, s, &err);
        return;
    }
    if (slow_end(exchange, &slow)) return;
    if (!exchange->collected.source) health_add(options->health, COUNT_UNKNOWN_KEYS, 1);
    if (exchange->append->record_count == 0) api_track_durable(exchange, OK);      /* nothing to keep */
    else exchange_submit(exchange);
}

/* `onym import` says X-Onym-Import, the number of the body's first line in its file, with the secret key;
 * X-Write-Key names the source, or is left out where the lines name their own. */
static bool may_import(struct exchange *exchange, int64_t *ret_line)
{
    AccessFound found;
    Err err;
    if (exchange_is_foreign(exchange)) {               /* a browser may have kept the key, and any page may ask it */
        reply_foreign(exchange);
        return false;
    }
    Status s = exchange_find_key(exchange, exchange_header_key(exchange), &found, &err);
    bool is_secret = !s && strcmp(found.name, "secret_key") == 0;        /* no other key may be called so */
    if (is_secret && str_parse_int(exchange->import_header, 1, INT64_MAX, ret_line)) return true;
    if (is_secret) s = err_set(&err, ERR_INPUT, "X-Onym-Import: wanted the number of the first line");
    else if (s != ERR_RATE) s = err_set(&err, ERR_DENIED, "X-Onym-Import: wanted the secret key as Bearer");
    reply_error(exchange, s, &err);
    return false;
}

void api_track(struct exchange *exchange)
{
    bool is_import = exchange->import_header.len > 0;
    int64_t line = 0;
    if (is_import && !may_import(exchange, &line)) return;
    CollectRequest request = {
        .implied_type = exchange->route->implied_type,
        .is_import = is_import,
        .import_line = (uint64_t)line,
        .body = buf_str(&exchange->body),
        .is_gzip = str_equal_no_case(exchange->content_encoding, STR("gzip")) ||
                   str_equal_no_case(exchange->content_encoding, STR("x-gzip")),
        .is_deflate = str_equal_no_case(exchange->content_encoding, STR("deflate")),
        .header_key = is_import ? exchange->header_key : exchange_header_key(exchange),
        .query_key = exchange_query_key(exchange),
        .keeps_unread = exchange_query_key(exchange).len > 0,   /* as beacons have it: nobody reads the answer */
        .ip = exchange->ip,
        .origin = exchange_page(exchange),
        .received_at_ms = exchange->received_at_ms,
    };
    collect(exchange, &request);
}

void api_track_query(struct exchange *exchange)
{
    Err err;
    Str body, callback;
    Status s = collect_decode_query(exchange->query, exchange_arena(exchange), &body, &callback, &err);
    CollectRequest request = {
        .implied_type = exchange->route->implied_type,
        .body = body,
        .unread = s ? err.text : NULL,
        .keeps_unread = true,
        .header_key = exchange_header_key(exchange),
        .query_key = exchange_query_key(exchange),
        .ip = exchange->ip,
        .user_agent = exchange->user_agent,
        .origin = exchange_page(exchange),
        .received_at_ms = exchange->received_at_ms,
    };
    if (callback.len) {                                /* kept for when the answer is made */
        buf_clear(&exchange->answer);
        buf_str_put(&exchange->answer, callback);
    }
    collect(exchange, &request);
    /* A pixel is a picture even when it is refused (protocol 1.2); a full disk still says so by status. */
    if (exchange->state == EXCHANGE_ANSWERED && is_pixel(exchange) && exchange->reply.status < 500)
        reply_text(exchange, 200, "image/gif", pixel);
}

static void count_time_problems(struct health *health, const CollectResult *collected)
{
    static_assert(COUNT_TIME_SENT_IGNORED - COUNT_TIME_UNREADABLE == TIME_PROBLEM_COUNT - 2, "a counter each");
    for (int problem = 1; problem < TIME_PROBLEM_COUNT; problem++)
        if (collected->time_problems[problem])
            health_add(health, (Counter)(COUNT_TIME_UNREADABLE + problem - 1), collected->time_problems[problem]);
}

static void count_plan(struct health *health, const CollectResult *collected)
{
    static_assert(COUNT_PLAN_NAME_PATTERN - COUNT_PLAN_UNPLANNED_EVENT == TRACKING_CODES - 1, "a counter each");
    static_assert(COUNT_PLAN_RUNG_REJECT - COUNT_PLAN_RUNG_REPORT == TRACKING_REJECT - TRACKING_REPORT, "as well");
    for (int code = 0; code < TRACKING_CODES; code++)
        if (collected->plan_codes[code])
            health_add(health, (Counter)(COUNT_PLAN_UNPLANNED_EVENT + code), collected->plan_codes[code]);
    for (int rung = TRACKING_REPORT; rung < TRACKING_RUNGS; rung++)
        if (collected->plan_rungs[rung])
            health_add(health, (Counter)(COUNT_PLAN_RUNG_REPORT + rung - TRACKING_REPORT), collected->plan_rungs[rung]);
    if (collected->plan_undecided) health_add(health, COUNT_PLAN_UNDECIDED, collected->plan_undecided);
}

static void note_suppressed(const struct exchange *exchange)
{
    const ApiOptions *options = api_options(exchange);
    const CollectResult *collected = &exchange->collected;
    if (!collected->suppressed) return;
    health_add(options->health, COUNT_SUPPRESSED, collected->suppressed);
    if (options->live)
        live_note_suppressed(options->live, collected->source ? collected->source->name : (Str){ 0 },
                             collected->suppressed_types, exchange->received_at_ms);
}

void api_track_durable(struct exchange *exchange, Status status)
{
    const ApiOptions *options = api_options(exchange);
    if (status) {
        Err err;
        err_set(&err, status, "%s; the events were not kept, send them again", status_meaning(status));
        reply_error(exchange, status, &err);
        return;
    }
    health_add(options->health, COUNT_ACCEPTED, exchange->collected.accepted);
    if (exchange->collected.rejected) health_add(options->health, COUNT_REJECTED, exchange->collected.rejected);
    count_time_problems(options->health, &exchange->collected);
    count_plan(options->health, &exchange->collected);
    note_suppressed(exchange);
    if (is_pixel(exchange)) {
        reply_text(exchange, 200, "image/gif", pixel);
    } else if (exchange->collected.unread.code) {
        reply_error(exchange, exchange->collected.unread.code, &exchange->collected.unread);
    } else if (exchange->method == METHOD_POST && exchange->import_header.len) {
        buf_clear(&exchange->answer);
        json_object(&exchange->answer, NULL);
        json_bool(&exchange->answer, "success", true);
        json_uint(&exchange->answer, "accepted", exchange->collected.accepted);
        json_uint(&exchange->answer, "rejected", exchange->collected.rejected);
        json_object_end(&exchange->answer);
        reply_text(exchange, 200, NULL, buf_str(&exchange->answer));
    } else if (exchange->method == METHOD_GET && exchange->answer.len) {
        buf_char(&exchange->answer, '(');
        json_object(&exchange->answer, NULL);
        json_bool(&exchange->answer, "success", true);
        json_object_end(&exchange->answer);
        buf_str_put(&exchange->answer, STR(");"));
        reply_text(exchange, 200, "application/javascript", buf_str(&exchange->answer));
    } else {
        reply_text(exchange, 200, NULL, success);
    }
}

void api_client_metrics(struct exchange *exchange)
{
    health_add(api_options(exchange)->health, COUNT_CLIENT_METRICS, 1);
    reply_text(exchange, 200, NULL, success);
}
