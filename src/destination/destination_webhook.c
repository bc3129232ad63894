/* destination_webhook: any URL of the operator's, the messages as JSON, one a request or in lists.
 *
 * Two signatures. X-Signature is what receivers written for Segment check: the hex HMAC-SHA1 of the body,
 * in a list only of its first element. X-Onym-Signature, "t=<seconds>,v1=<hex>", is the HMAC-SHA256 of
 * "<t>.<body>", over every byte, with a time against replays.
 *
 * Private addresses are refused unless allow_private says otherwise: without this, anybody who may write a URL here
 * could read what answers inside the network.
 */
#include "destination.h"
#include "destination_text.h"

/* A call is its key and, after it, the JSON that is sent. In the old version 0 it was the messageId, a line end, the
 * JSON. */
enum { CALL_OF_LINES = 0, CALL_OF_FIELDS = 1 };

enum {
    WEBHOOK_URL, WEBHOOK_METHOD, WEBHOOK_HEADERS, WEBHOOK_SECRET, WEBHOOK_BATCH, WEBHOOK_DATA,
    WEBHOOK_TIMEOUT, WEBHOOK_PRIVATE,
};

static const DestinationOption webhook_options[] = {
    [WEBHOOK_URL] = { "url", OPTION_URL, NULL, NULL, "where the messages go" },
    [WEBHOOK_METHOD] = { "method", OPTION_WORD, "POST", "POST|PUT|PATCH", "the request's method" },
    [WEBHOOK_HEADERS] = { "headers", OPTION_MAP, "", NULL, "headers of your own, by name" },
    [WEBHOOK_SECRET] = { "secret", OPTION_SECRET, "", NULL, "signs every request: X-Signature and X-Onym-Signature" },
    [WEBHOOK_BATCH] = { "batch_size", OPTION_INT, "0", "0..4000",
        "0: one message a request, as an object; more: lists of up to so many" },
    [WEBHOOK_DATA] = { "data", OPTION_TEXT, "", NULL,
        "which part of the message is sent: \"properties\", \"traits\", \"context.page\"; empty: all of it" },
    [WEBHOOK_TIMEOUT] = { "timeout_ms", OPTION_INT, "10000", "100..120000",
        "how long an answer may take, in milliseconds" },
    [WEBHOOK_PRIVATE] = { "allow_private", OPTION_BOOL, "false", NULL,
        "let the URL lead to loopback, private and link-local addresses" },
    { 0 }
};

/* These say how long a request is and when its connection ends, and only our HTTP code may say that: if a setting had
 * one of them, no receiver could read the requests. */
static bool is_of_the_wire(Str name)
{
    static const char *const taken[] = { "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Expect",
                                         "Upgrade", "TE", "Trailer" };
    size_t at = 0;
    while (at < countof(taken) && !str_equal_no_case(name, str_from(taken[at]))) at++;
    return at < countof(taken);
}

static Status webhook_validate(const Settings *settings, Err *err)
{
    if (setting_text(settings, WEBHOOK_URL).len == 0) return err_set_field(err, "url", "url: is empty");
    node_each(child, settings->values[WEBHOOK_HEADERS].map) {
        bool is_good = child->kind == NODE_TEXT && child->key.len > 0;
        for (size_t at = 0; at < child->key.len; at++)
            is_good &= child->key.bytes[at] > ' ' && child->key.bytes[at] < 0x7f && child->key.bytes[at] != ':';
        for (size_t at = 0; at < child->text.len; at++)
            is_good &= child->text.bytes[at] >= ' ' && child->text.bytes[at] < 0x7f;
        if (!is_good)
            return err_set_field(err, "headers", "headers: \"%.*s\" is no legal HTTP header", STR_FORMAT(child->key));
        if (is_of_the_wire(child->key))
            return err_set_field(err, "headers", "headers: %.*s is set by Onym; leave it out", STR_FORMAT(child->key));
    }
    if (settings->values[WEBHOOK_HEADERS].map && settings->values[WEBHOOK_HEADERS].map->count > FETCH_HEADERS - 8)
        return err_set_field(err, "headers", "headers: at most %d", FETCH_HEADERS - 8);
    return OK;
}

static LaneLimits webhook_limits(const Settings *settings, uint8_t lane)
{
    int64_t batch = setting_number(settings, WEBHOOK_BATCH);
    (void)lane;
    return (LaneLimits){ batch > 1 ? (uint32_t)batch : 1, 4 * 1024 * 1024 };
}

/* "website/9f3c…", percent-encoded: text of a client gets into a header only so. A messageId is unique in its source
 * only. */
static void put_key(struct plan *plan, struct buf *out, const Event *event)
{
    char bytes[3 * (LIMIT_ID_BYTES + LIMIT_MESSAGE_ID_BYTES) + 8];
    struct buf key;
    buf_init_fixed(&key, bytes, sizeof bytes);
    buf_percent_encode(&key, event->source, PERCENT_URL);
    if (event->source.len) buf_char(&key, '/');
    buf_percent_encode(&key, event->message_id, PERCENT_URL);
    field_put(out, buf_ok(&key) ? buf_str(&key) : key_of_message(plan->arena, event));
}

static bool webhook_takes_whole(const Settings *settings) { return setting_text(settings, WEBHOOK_DATA).len == 0; }

static Status webhook_build(struct plan *plan, const Outgoing *message, Err *err)
{
    Str path = setting_text(plan->settings, WEBHOOK_DATA);
    const TreeNode *data = path.len ? event_tree_find(message->json, path.bytes) : message->json;
    struct buf *out;
    if (!data) {
        plan->skipped = "the message has no such part";
        return OK;
    }
    out = plan_call(plan, 0, CALL_OF_FIELDS);
    put_key(plan, out, message->event);
    buf_str_put(out, data->raw);
    return plan_end_call(plan, 0, 0, err);
}

/* In the old kind the last line is the JSON: it has no line end in it, but the id before it may have one. */
static Str json_of_call(const Call *call, Arena *arena, Str *ret_key)
{
    Str rest = call->body;
    size_t end = rest.len;
    if (call->kind == CALL_OF_FIELDS) {
        *ret_key = field_take(&rest);
        return rest;
    }
    while (end > 0 && rest.bytes[end - 1] != '\n') end--;
    *ret_key = str_slice(rest, 0, end ? end - 1 : 0);
    if (!fetch_is_visible(*ret_key)) *ret_key = key_of_parts(arena, ret_key, 1);
    return str_slice(rest, end, rest.len);
}

static Str list_body(const Str *texts, size_t count, Arena *arena)
{
    struct buf body;
    Str text;
    buf_init(&body, 8 * 1024 * 1024);
    json_array(&body, NULL);
    for (size_t at = 0; at < count; at++) json_raw(&body, NULL, texts[at]);
    json_array_end(&body);
    text = arena_copy(arena, buf_str(&body));
    buf_done(&body);
    return text;
}

void webhook_sign(Str secret, Str first, Millis now_ms, Arena *arena, FetchRequest *ret)
{
    Str parts[2], hex;
    if (secret.len == 0) return;
    request_header(ret, STR("X-Signature"), hmac_hex(arena, HMAC_SHA1, secret, &first, 1));
    parts[0] = arena_printf(arena, "%" PRId64 ".", now_ms / 1000);
    parts[1] = ret->body;
    hex = hmac_hex(arena, HMAC_SHA256, secret, parts, 2);
    request_header(ret, STR("X-Onym-Signature"),
                   arena_printf(arena, "t=%" PRId64 ",v1=%.*s", now_ms / 1000, STR_FORMAT(hex)));
}

/* For one message its key; for a list a hash of the keys, equal whenever the same messages are sent together. */
static Str idempotency_key(const Str *keys, size_t count, Arena *arena)
{
    return count == 1 ? keys[0] : key_of_parts(arena, keys, count);
}

static Status webhook_pack(const PackInput *input, Arena *arena, FetchRequest *ret, Err *err)
{
    const Settings *settings = input->settings;
    size_t count = input->call_count;
    Str *keys = arena_new(arena, Str, count), *texts = arena_new(arena, Str, count);
    (void)err;
    for (size_t at = 0; at < count; at++) texts[at] = json_of_call(input->calls[at], arena, &keys[at]);
    ret->method = setting_text(settings, WEBHOOK_METHOD);
    ret->url = setting_text(settings, WEBHOOK_URL);
    ret->timeout_ms = setting_number(settings, WEBHOOK_TIMEOUT);
    ret->allow_private = setting_is_on(settings, WEBHOOK_PRIVATE);
    ret->body = setting_number(settings, WEBHOOK_BATCH) > 0 ? list_body(texts, count, arena) : texts[0];
    request_header(ret, STR("Content-Type"), STR("application/json"));
    request_header(ret, STR("Idempotency-Key"), idempotency_key(keys, count, arena));
    webhook_sign(setting_text(settings, WEBHOOK_SECRET), texts[0], input->now_ms, arena, ret);
    node_each(child, settings->values[WEBHOOK_HEADERS].map) request_header(ret, child->key, child->text);
    return OK;
}

const struct destination destination_webhook = {
    .name = "webhook",
    .label = "Webhook",
    .description = "messages as JSON to a URL of your own, signed",
    .options = webhook_options,
    .requests_at_once = 16,
    .validate = webhook_validate,
    .limits = webhook_limits,
    .takes_whole = webhook_takes_whole,
    .build = webhook_build,
    .pack = webhook_pack,
};
