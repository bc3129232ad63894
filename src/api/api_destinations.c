/* api_destinations: /api/v1/destinations: their states, what they could not deliver, and requests to them. */
#include "api_routes.h"

enum { DEAD_A_PAGE = 100, ASKED_WAIT_MS = 10000 };

/* ---- States (docs/delivery.md) ---- */

/* Left out where it is empty. */
static void put_text(struct buf *out, const char *name, Str text)
{
    if (text.len) json_string(out, name, text);
}

static void put_instant(struct buf *out, const char *name, Millis at_ms)
{
    if (at_ms) json_instant(out, name, at_ms);
    else json_null(out, name);
}

static void put_counts(struct buf *out, const DeliverState *state)
{
    const struct { const char *key; uint64_t value; } counts[] = {
        { "position", state->position }, { "lag_bytes", state->lag_bytes }, { "lag_ms", (uint64_t)state->lag_ms },
        { "unfinished", state->unfinished }, { "under_way", state->under_way }, { "taken", state->taken },
        { "delivered", state->delivered }, { "skipped", state->skipped }, { "refused", state->refused },
        { "retried", state->retried }, { "requests", state->requests }, { "links", state->links },
        { "reports", state->reports }, { "dead_letters", state->dead_letters },
    };
    for (size_t at = 0; at < countof(counts); at++) json_int(out, counts[at].key, (int64_t)counts[at].value);
}

static void write_state(const DeliverState *state, struct buf *out)
{
    static const char *const words[] = { "running", "disabled", "waiting" };
    json_object(out, NULL);
    put_text(out, "name", str_from(state->name));
    put_text(out, "type", str_from(state->type));
    put_text(out, "state", str_from(words[state->condition]));
    put_instant(out, "waits_until", state->until_ms);
    put_counts(out, state);
    json_double(out, "messages_per_second", state->messages_per_second);
    put_instant(out, "last_success_at", state->last_success_ms);
    put_instant(out, "last_error_at", state->last_error_ms);
    json_string_or_null(out, "last_error", str_from(state->last_error));
    json_object(out, "replay");
    json_bool(out, "is_under_way", state->is_replaying || state->replay_unfinished > 0);
    json_int(out, "left_bytes", (int64_t)state->replay_left_bytes);
    json_int(out, "unfinished", (int64_t)state->replay_unfinished);
    json_int(out, "taken", (int64_t)state->replay_taken);
    json_int(out, "delivered", (int64_t)state->replay_delivered);
    json_object_end(out);
    json_object_end(out);
}

static Str name_of(const struct exchange *exchange, Arena *arena)
{
    return percent_decode(exchange->parameter, false, arena);
}

/* ---- Looking ---- */

static size_t read_states(struct deliver *deliver, Arena *arena, DeliverState **ret)
{
    *ret = arena_new(arena, DeliverState, DELIVER_STATES);
    return deliver_read_states(deliver, *ret, DELIVER_STATES);
}

Status api_destinations(struct exchange *exchange, struct deliver *deliver, Arena *arena, struct buf *out, Err *err)
{
    DeliverState *states;
    size_t count = read_states(deliver, arena, &states);
    (void)err;
    json_object(out, NULL);
    json_array(out, "destinations");
    for (size_t at = 0; at < count; at++) {
        write_state(&states[at], out);
    }
    json_array_end(out);
    api_warehouses_write(api_options(exchange), out);
    json_object_end(out);
    return OK;
}

Status api_destinations_one(struct exchange *exchange, struct deliver *deliver, Arena *arena, struct buf *out, Err *err)
{
    Str name = name_of(exchange, arena);
    DeliverState *states;
    size_t count = read_states(deliver, arena, &states);
    for (size_t at = 0; at < count; at++) {
        if (!str_equal(str_from(states[at].name), name)) continue;
        write_state(&states[at], out);
        return OK;
    }
    return err_set(err, ERR_NOT_FOUND, "there is no destination %.*s", STR_FORMAT(name));
}

Status api_destinations_dead(struct exchange *exchange, struct deliver *deliver, Arena *arena, struct buf *out,
                             Err *err)
{
    Str limit_text = http_parameter(exchange->query, STR("limit"), arena);
    Str after_text = http_parameter(exchange->query, STR("after"), arena);
    int64_t limit = DEAD_A_PAGE;
    PageCursor after;
    (void)deliver;                              /* one that was taken out of the configuration keeps its letters */
    if (limit_text.len && !str_parse_int(limit_text, 1, LIMIT_PAGE_ITEMS, &limit))
        return err_set_field(err, "limit", "must be a number from 1 to %d", LIMIT_PAGE_ITEMS);
    Status s = page_read(PAGE_NUMBER, INT64_MAX - 1, after_text, "after", &after, err);
    return s ? s : deliver_write_dead(&api_options(exchange)->outbox_rows, name_of(exchange, arena), after.number,
                                      (size_t)limit, out, err);
}

Status api_destinations_series(struct exchange *exchange, struct deliver *deliver, Arena *arena, struct buf *out,
                               Err *err)
{
    Str text = http_parameter(exchange->query, STR("minutes"), arena);
    int64_t minutes = DELIVER_MINUTES;
    if (text.len && !str_parse_int(text, 1, DELIVER_MINUTES, &minutes))
        return err_set_field(err, "minutes", "wanted a number from 1 to %d", DELIVER_MINUTES);
    return deliver_write_series(deliver, name_of(exchange, arena), (int)minutes, out, err);
}

Status api_destinations_errors(struct exchange *exchange, struct deliver *deliver, Arena *arena, struct buf *out,
                               Err *err)
{
    (void)deliver;
    return faults_write(&api_options(exchange)->outbox_rows, name_of(exchange, arena), out, err);
}

Status api_destinations_user_hash(struct exchange *exchange, struct deliver *deliver, Arena *arena, struct buf *out,
                                  Err *err)
{
    Str user_id = http_parameter(exchange->query, STR("user_id"), arena), hash;
    if (user_id.len == 0) return err_set_field(err, "user_id", "give the user id to sign");
    Status s = deliver_user_hash(deliver, name_of(exchange, arena), user_id, arena, &hash, err);
    if (s) return s;
    json_object(out, NULL);
    json_string(out, "user_id", user_id);
    json_string(out, "user_hash", hash);
    json_object_end(out);
    return OK;
}

/* ---- Asking for more ---- */

static Status read_instant(const TreeNode *body, const char *key, bool is_needed, Millis *ret_ms, Err *err)
{
    Str text = event_tree_text(body, key);
    if (text.len == 0 && !is_needed) return OK;
    if (text.len && instant_parse(text, ret_ms)) return OK;
    return err_set_field(err, key, "%s: wanted an instant, like 2026-11-23 or 2026-11-23T12:00:00Z", key);
}

Status api_destinations_replay(struct exchange *exchange, struct deliver *deliver, Arena *arena, struct buf *out,
                               Err *err)
{
    Millis from_ms = 0, to_ms = clock_now_ms(api_options(exchange)->clock);
    const TreeNode *body;
    uint64_t ticket = 0;
    Status s = api_read_object(exchange, arena, &body, err);
    if (!s) s = read_instant(body, "from", true, &from_ms, err);
    if (!s) s = read_instant(body, "to", false, &to_ms, err);
    const TreeNode *held = s ? NULL : event_tree_get(body, STR("held"));
    bool is_release = event_tree_is_kind(held, FIELD_BOOL) && held->truth;
    if (!s && event_tree_is_given(held) && held->kind != FIELD_BOOL)
        s = err_set_field(err, "held", "held: wanted true or false");
    if (!s) s = (is_release ? deliver_ask_release : deliver_ask_replay)(deliver, name_of(exchange, arena), from_ms,
                                                                        to_ms,
                                                                       &ticket, err);
    if (!s) s = deliver_wait_asked(deliver, ticket, ASKED_WAIT_MS, &exchange->is_cancelled, err);
    return s ? s : api_destinations_one(exchange, deliver, arena, out, err);
}

Status api_destinations_redo(struct exchange *exchange, struct deliver *deliver, Arena *arena, struct buf *out,
                             Err *err)
{
    const TreeNode *body;
    int64_t number = 0;
    uint64_t ticket = 0;
    Status s = api_read_object(exchange, arena, &body, err);
    if (!s && event_tree_is_given(event_tree_get(body, STR("number")))
        && !str_parse_int(event_tree_text(body, "number"), 1, INT64_MAX - 1, &number))
        s = err_set_field(err, "number", "number: wanted that of a dead letter; left out, all are tried again");
    if (!s) s = deliver_ask_redo(deliver, name_of(exchange, arena), (uint64_t)number, &ticket, err);
    if (!s) s = deliver_wait_asked(deliver, ticket, ASKED_WAIT_MS, &exchange->is_cancelled, err);
    return s ? s : api_destinations_one(exchange, deliver, arena, out, err);
}

/* ---- Trying out ---- */

static void put_exchange(void *context, const DeliverExchange *exchange)
{
    struct buf *out = context;
    deliver_write_exchange(exchange, out);
}

/* What the destination or its vendor said is the answer, not an error of the question. */
static void put_outcome(struct buf *out, Status s, const Err *err)
{
    json_array_end(out);
    json_bool(out, "is_delivered", s == OK);
    json_word(out, "error", s ? err->text : NULL);
    json_object_end(out);
}

Status api_destinations_test(struct exchange *exchange, struct deliver *deliver, Arena *arena, struct buf *out,
                             Err *err)
{
    DeliverOptions options = { .clock = api_options(exchange)->clock, .dice = os_dice() };
    DestinationConfig config;
    const TreeNode *body, *message;
    Status s = api_read_object(exchange, arena, &body, err);
    if (!s) s = deliver_find_config(deliver, name_of(exchange, arena), arena, &config, err);
    if (!s) s = os_fetcher_open(&(FetchOptions){ 0 }, &options.fetcher, err);
    if (s) return s;
    message = event_tree_get(body, STR("message"));
    json_object(out, NULL);
    json_array(out, "exchanges");
    DeliverTrial trial = { message ? message->raw : (Str){ 0 }, put_exchange, out, &exchange->is_cancelled };
    s = deliver_try(&options, &config, &trial, err);
    put_outcome(out, s, err);
    options.fetcher->close(options.fetcher);
    return OK;
}

/* ---- Metrics ---- */

static double condition_of(const DeliverState *state) { return state->condition == DELIVER_RUNNING; }
static double lag_bytes_of(const DeliverState *state) { return (double)state->lag_bytes; }
static double lag_of(const DeliverState *state) { return (double)state->lag_ms / 1000; }
static double unfinished_of(const DeliverState *state) { return (double)state->unfinished; }
static double delivered_of(const DeliverState *state) { return (double)state->delivered; }
static double refused_of(const DeliverState *state) { return (double)state->refused; }
static double retried_of(const DeliverState *state) { return (double)state->retried; }
static double requests_of(const DeliverState *state) { return (double)state->requests; }
static double dead_letters_of(const DeliverState *state) { return (double)state->dead_letters; }

void api_destinations_metrics(struct deliver *deliver, struct buf *out)
{
    static const struct {
        const char *metric, *kind, *help;
        double (*value)(const DeliverState *state);
    } rows[] = {
        { "onym_destination_running", "gauge", "0 while it is disabled or waits after an error", condition_of },
        { "onym_destination_lag_seconds", "gauge", "Age of the oldest message that is not delivered", lag_of },
        { "onym_destination_lag_bytes", "gauge", "Journal bytes that it has not read", lag_bytes_of },
        { "onym_destination_unfinished", "gauge", "Messages taken and not finished", unfinished_of },
        { "onym_destination_delivered_total", "counter", "Messages delivered", delivered_of },
        { "onym_destination_refused_total", "counter", "Calls that became dead letters", refused_of },
        { "onym_destination_retried_total", "counter", "Requests that failed and are tried again", retried_of },
        { "onym_destination_requests_total", "counter", "Requests sent", requests_of },
        { "onym_destination_dead_letters", "gauge", "Dead letters in the list", dead_letters_of },
    };
    DeliverState states[64];
    size_t count = deliver ? deliver_read_states(deliver, states, countof(states)) : 0;
    for (size_t row = 0; count && row < countof(rows); row++) {
        health_write_head(out, rows[row].metric, rows[row].kind, rows[row].help);
        for (size_t at = 0; at < count; at++)
            health_write_labelled(out, rows[row].metric, "destination", str_from(states[at].name),
                                  rows[row].value(&states[at]));
    }
}
