/* http_access: who may read and administer, and what a page may not make a browser send.
 *
 * A browser that was given the secret key once (as http://KEY@host/) sends it along with whatever any page asks of
 * this host. So what reads and administers is refused to requests that a page of somewhere else has made: browsers say
 * so by Origin or Sec-Fetch-Site, and no page can keep them from it. Programs send neither. */
#include "http_exchange.h"

static Str authority_of(Str url)
{
    Str rest, ignored;
    if (str_starts(url, STR("https://"))) rest = str_slice(url, 8, url.len);
    else if (str_starts(url, STR("http://"))) rest = str_slice(url, 7, url.len);
    else return (Str){ 0 };
    return str_cut(rest, '/', &ignored);
}

Str exchange_page(const struct exchange *exchange)
{
    if (exchange->origin.len) return exchange->origin;
    Str authority = authority_of(exchange->referer);
    if (!authority.len) return (Str){ 0 };
    return str_of(exchange->referer.bytes, (size_t)(authority.bytes - exchange->referer.bytes) + authority.len);
}

bool exchange_is_foreign(const struct exchange *exchange)
{
    Str site = exchange->fetch_site;
    if (site.len && !str_equal_no_case(site, STR("same-origin")) && !str_equal_no_case(site, STR("none"))) return true;
    return exchange->origin.len && !str_equal_no_case(authority_of(exchange->origin), exchange->host);
}

/* A form can be posted as text/plain with JSON in it, and browsers of before 2020 did not say from where. */
static bool is_posted_form(const struct exchange *exchange)
{
    Str ignored, type = str_trim(str_cut(exchange->content_type, ';', &ignored));
    Str scheme = str_cut(str_trim(exchange->authorization), ' ', &ignored);
    return str_equal_no_case(scheme, STR("Basic")) && exchange->body.len > 0 &&
           (str_equal_no_case(type, STR("text/plain")) || str_equal_no_case(type, STR("multipart/form-data")));
}

static bool may_be_forged(const struct exchange *exchange)
{
    return exchange_is_foreign(exchange) || is_posted_form(exchange);
}

void reply_foreign(struct exchange *exchange)
{
    Err err;
    if (exchange_is_foreign(exchange))
        err_set(&err, ERR_DENIED,
                "not for pages of another origin (Origin, Sec-Fetch-Site); ask from a program or a server");
    else
        err_set(&err, ERR_DENIED,
                "not as %.*s with the key by Basic, as a form would; say Content-Type: application/json",
                STR_FORMAT(exchange->content_type));
    reply_error(exchange, ERR_DENIED, &err);
    exchange->reply.status = 403;
    exchange->reply.asks_for_key = false;
}

/* Reading and administering need the secret key, as Bearer or as Basic's user name. */
bool exchange_may(struct exchange *exchange)
{
    Str secret = exchange_options(exchange)->secret_key;
    if (!(exchange->route->flags & ROUTE_SECRET)) return true;
    if (may_be_forged(exchange)) {
        reply_foreign(exchange);
        return false;
    }
    Str key = collect_key_of_authorization(exchange->authorization, exchange_arena(exchange));
    if (secret.len && key.len && str_equal_constant_time(key, secret)) return true;
    Err err;
    err_set(&err, ERR_DENIED, "this needs the secret key, as Authorization: Bearer; onym keys --secret shows it");
    reply_error(exchange, ERR_DENIED, &err);
    return false;
}
