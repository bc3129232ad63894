/* deliver_json: what destinations say of themselves, as the API has it (docs/delivery.md). */
#include "deliver_runner.h"

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

void deliver_write_state(const DeliverState *state, struct buf *out)
{
    static const char *const words[] = { "running", "disabled", "waiting" };
    json_object(out, NULL);
    member_text(out, STR("name"), str_from(state->name));
    member_text(out, STR("type"), str_from(state->type));
    member_text(out, STR("state"), str_from(words[state->condition]));
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
    json_raw(page->out, NULL, letter->json);
    page->count++;
    page->last = letter->number;
    return buf_ok(page->out);
}

Status deliver_write_dead(const struct deliver_rows *rows, Str name, uint64_t after, size_t limit, struct buf *out,
                          Err *err)
{
    struct page page = { .out = out, .limit = limit };
    Status s;
    json_object(out, NULL);
    json_array(out, "dead");
    s = deliver_list_dead(rows, name, after, put_letter, &page, err);
    if (s) return s;
    json_array_end(out);
    if (page.has_more) json_uint(out, "next", page.last);
    else json_null(out, "next");
    json_object_end(out);
    return OK;
}

/* ---- Trying out ---- */

static void put_headers(struct buf *out, Str lines)
{
    json_object(out, "headers");
    while (lines.len) {
        Str value, line = str_cut(lines, '\n', &lines), name = str_cut(line, ':', &value);
        member_text(out, name, str_trim(value));
    }
    json_object_end(out);
}

void deliver_write_exchange(const DeliverExchange *exchange, struct buf *out)
{
    json_object(out, NULL);
    json_object(out, "request");
    member_text(out, STR("method"), exchange->method);
    member_text(out, STR("url"), exchange->url);
    put_headers(out, exchange->headers);
    member_text(out, STR("body"), exchange->body);
    json_object_end(out);
    json_object(out, "answer");
    if (exchange->status) json_int(out, "status", exchange->status);
    member_text(out, STR("body"), exchange->answer);
    member_text(out, STR("error"), str_from(exchange->error));
    json_int(out, "took_ms", exchange->took_ms);
    json_object_end(out);
    json_object_end(out);
}
