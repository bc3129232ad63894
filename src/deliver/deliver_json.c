/* deliver_json: what destinations say of themselves, as the API has it (docs/delivery.md). */
#include "deliver_outlet.h"

static void put_bool(struct buf *out, Str key, bool value) { json_raw(out, key, value ? STR("true") : STR("false")); }

static void put_instant(struct buf *out, Str key, Millis at_ms)
{
    json_key(out, key);
    if (at_ms == 0) {
        buf_str_put(out, STR("null"));
        return;
    }
    buf_char(out, '"');
    buf_instant(out, at_ms);
    buf_char(out, '"');
}

static void put_text_or_null(struct buf *out, Str key, Str text)
{
    json_key(out, key);
    if (text.len) buf_json_string(out, text);
    else buf_str_put(out, STR("null"));
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
    for (size_t at = 0; at < countof(counts); at++) json_int(out, str_from(counts[at].key), (int64_t)counts[at].value);
}

void deliver_write_state(const DeliverState *state, struct buf *out)
{
    static const char *const words[] = { "running", "disabled", "waiting" };
    buf_char(out, '{');
    json_text(out, STR("name"), str_from(state->name));
    json_text(out, STR("type"), str_from(state->type));
    json_text(out, STR("state"), str_from(words[state->condition]));
    put_instant(out, STR("waits_until"), state->until_ms);
    put_counts(out, state);
    json_key(out, STR("messages_per_second"));
    buf_json_double(out, state->messages_per_second);
    put_instant(out, STR("last_success_at"), state->last_success_ms);
    put_instant(out, STR("last_error_at"), state->last_error_ms);
    put_text_or_null(out, STR("last_error"), str_from(state->last_error));
    json_key(out, STR("replay"));
    buf_char(out, '{');
    put_bool(out, STR("is_under_way"), state->is_replaying || state->replay_unfinished > 0);
    json_int(out, STR("left_bytes"), (int64_t)state->replay_left_bytes);
    json_int(out, STR("unfinished"), (int64_t)state->replay_unfinished);
    json_int(out, STR("taken"), (int64_t)state->replay_taken);
    json_int(out, STR("delivered"), (int64_t)state->replay_delivered);
    buf_str_put(out, STR("}}"));
}

/* ---- Dead letters ---- */

struct page {
    struct buf *out;
    size_t count, limit;
    uint64_t last;
    bool has_more;
};

static bool put_letter(void *context, const DeadLetter *letter)
{
    struct page *page = context;
    if (page->count == page->limit) {
        page->has_more = true;
        return false;
    }
    json_comma(page->out);
    buf_str_put(page->out, letter->json);
    page->count++;
    page->last = letter->number;
    return buf_ok(page->out);
}

Status deliver_write_dead(const struct deliver_rows *rows, Str name, uint64_t after, size_t limit, struct buf *out,
                          Err *err)
{
    struct page page = { .out = out, .limit = limit };
    Status s;
    buf_str_put(out, STR("{\"dead\":["));
    s = deliver_list_dead(rows, name, after, put_letter, &page, err);
    if (s) return s;
    buf_str_put(out, STR("],\"next\":"));
    if (page.has_more) buf_int(out, (int64_t)page.last);
    else buf_str_put(out, STR("null"));
    buf_char(out, '}');
    return OK;
}

/* ---- Trying out ---- */

static void put_headers(struct buf *out, Str lines)
{
    json_key(out, STR("headers"));
    buf_char(out, '{');
    while (lines.len) {
        Str value, line = str_cut(lines, '\n', &lines), name = str_cut(line, ':', &value);
        json_text(out, name, str_trim(value));
    }
    buf_char(out, '}');
}

void deliver_write_exchange(const DeliverExchange *exchange, struct buf *out)
{
    buf_str_put(out, STR("{\"request\":{"));
    json_text(out, STR("method"), exchange->method);
    json_text(out, STR("url"), exchange->url);
    put_headers(out, exchange->headers);
    json_text(out, STR("body"), exchange->body);
    buf_str_put(out, STR("},\"answer\":{"));
    if (exchange->status) json_int(out, STR("status"), exchange->status);
    json_text(out, STR("body"), exchange->answer);
    json_text(out, STR("error"), str_from(exchange->error));
    json_int(out, STR("took_ms"), exchange->took_ms);
    buf_str_put(out, STR("}}"));
}
