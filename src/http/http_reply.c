/* http_reply: Status becomes an HTTP status and a JSON problem; one switch without default, so that whoever adds a
 * kind of error must decide here.
 *
 * Two kinds of clients read problems. SDKs need the string keys code, message and error on the top level
 * (protocol 0.2: older Python and Ruby retry for ever without them), and 400 for what can never succeed;
 * the reading API answers {"error":{"code","message","field"}}. */
#include "http_exchange.h"

unsigned reply_status_of(Status status, bool is_collect)
{
    switch (status) {
    case OK:              return 200;
    case ERR_INPUT:       return 400;
    case ERR_TOO_LARGE:   return is_collect ? 400 : 413;      /* Segment answers 400, and SDKs know only that */
    case ERR_DENIED:      return 401;
    case ERR_NOT_FOUND:   return 404;
    case ERR_CONFLICT:    return 409;
    case ERR_RATE:        return 429;
    case ERR_FULL:        return 503;
    case ERR_IO:          return 503;
    case ERR_DAMAGED:     return 500;
    case ERR_CLOSED:      return 503;
    case ERR_TIMEOUT:     return 503;
    case ERR_UNSUPPORTED: return 400;
    }
    return 500;
}

void reply_error(struct exchange *exchange, Status status, const Err *err)
{
    bool is_collect = exchange->route && (exchange->route->flags & ROUTE_COLLECT);
    struct buf *out = &exchange->answer;
    Err noted = *err;
    const HttpApp *app = exchange_options(exchange)->app;
    if (status == ERR_NOT_FOUND && app && app->explain_missing) app->explain_missing(exchange, &noted);
    Str word = str_from(status_word(status)), text = str_from(noted.text);
    buf_clear(out);
    if (is_collect) {
        json_object(out, NULL);
        json_bool(out, "success", false);
        json_string(out, "code", word);
        json_string(out, "message", text);
        json_string(out, "error", text);
        json_object_end(out);
    } else {
        json_object(out, NULL);
        json_object(out, "error");
        json_string(out, "code", word);
        json_string(out, "message", text);
        if (err->field[0]) json_string(out, "field", str_from(err->field));
        json_object_end(out);
        json_object_end(out);
    }
    Millis retry_after_ms = exchange->reply.retry_after_ms;
    exchange->reply = (Reply){ .status = reply_status_of(status, is_collect), .body = buf_str(out) };
    bool is_known = status == ERR_DENIED && exchange->role != ACCESS_NOBODY;       /* he is known, but may not */
    if (is_known) exchange->reply.status = 403;
    exchange->reply.asks_for_key = status == ERR_DENIED && !is_known;
    if (status == ERR_RATE) exchange->reply.retry_after_ms = retry_after_ms ? retry_after_ms : 1000;
    else if (exchange->reply.status == 503) exchange->reply.retry_after_ms = 5000;
    exchange->state = EXCHANGE_ANSWERED;
}

void reply_text(struct exchange *exchange, unsigned status, const char *content_type, Str body)
{
    exchange->reply = (Reply){ .status = status, .content_type = content_type, .body = body };
    exchange->state = EXCHANGE_ANSWERED;
}
