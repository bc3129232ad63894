/* deliver_json: dead letters and trials as the API shows them (docs/delivery.md). */
#include "deliver_runner.h"

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

Status deliver_write_dead(const struct outbox_rows *rows, Str name, uint64_t after, size_t limit, struct buf *out,
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
