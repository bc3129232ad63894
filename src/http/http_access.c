/* http_access: who may read and administer, and what a page may not make a browser send.
 *
 * A browser that was given the secret key once (as http://KEY@host/) sends it with every request that any page makes to
 * this host. So routes that read and administer are refused to requests from pages of other origins: browsers
 * tell by Origin or Sec-Fetch-Site, and no page can prevent that. Programs send neither.
 *
 * A session's cookie is sent in the same way, but is only for the dashboard: the browser must say that
 * our own page asks, unless something is only read. If a request brings a key, the key decides. */
#include "http_exchange.h"

#include <stdio.h>

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

/* A form can post JSON as text/plain, and browsers from before 2020 did not say from where. */
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

/* ---- By cookie ---- */

bool exchange_is_secure(const struct exchange *exchange)
{
    return exchange->is_tls || str_equal_no_case(exchange->forwarded_proto, STR("https"));
}

const char *exchange_cookie_name(const struct exchange *exchange)
{
    return exchange_is_secure(exchange) ? "__Host-onym_session" : "onym_session";
}

bool exchange_is_own_page(const struct exchange *exchange)
{
    Str site = exchange->fetch_site;
    bool is_read = exchange->method == METHOD_GET || exchange->method == METHOD_HEAD;
    if (is_read && str_equal_no_case(site, STR("none"))) return true;
    if (site.len) return str_equal_no_case(site, STR("same-origin"));
    if (exchange->origin.len) return str_equal_no_case(authority_of(exchange->origin), exchange->host);
    return is_read;
}

static bool refuse_page(struct exchange *exchange)
{
    Err err;
    err_set(&err, ERR_DENIED, "a session may be used by the dashboard alone: the browser did not say that this came "
            "from there (Sec-Fetch-Site, Origin); programs use a key, as Authorization: Bearer");
    reply_error(exchange, ERR_DENIED, &err);
    exchange->reply.status = 403;
    exchange->reply.asks_for_key = false;
    return false;
}

/* ---- By key ---- */

/* The role of the options' secret key, or of a key that access/ knows. */
static AccessRole judge_key(const HttpOptions *options, Str key, char name[ACCESS_NAME_BYTES + 1])
{
    snprintf(name, ACCESS_NAME_BYTES + 1, "secret_key");
    if (options->secret_key.len && key.len && str_equal_constant_time(key, options->secret_key)) return ACCESS_ADMIN;
    return options->access ? access_judge_key(options->access, key, name) : ACCESS_NOBODY;
}

Status exchange_find_key(struct exchange *exchange, Str key, AccessFound *ret, Err *err)
{
    const HttpOptions *options = exchange_options(exchange);
    Status s = OK;
    *ret = (AccessFound){ 0 };
    if (!options->access) ret->role = judge_key(options, key, ret->name);
    else s = access_find_key(options->access, key, exchange_peer(exchange), ret, err);
    exchange->reply.retry_after_ms = ret->wait_ms;
    if (s == ERR_RATE || ret->role != ACCESS_NOBODY) return s;
    return err_set(err, ERR_DENIED, "this needs the secret key, as Authorization: Bearer; onym keys --secret shows it");
}

static bool find_by_key(struct exchange *exchange)
{
    AccessFound found;
    Err err;
    if (may_be_forged(exchange)) {
        reply_foreign(exchange);
        return false;
    }
    Str key = collect_key_of_authorization(exchange->authorization, exchange_arena(exchange));
    Status s = exchange_find_key(exchange, key, &found, &err);
    if (s) {
        reply_error(exchange, s, &err);
        return false;
    }
    exchange->role = found.role;
    snprintf(exchange->who, sizeof exchange->who, "key %s", found.name);
    return true;
}

static bool find_by_cookie(struct exchange *exchange, Str token)
{
    Err err;
    if (!exchange_is_own_page(exchange)) return refuse_page(exchange);
    if (access_find(exchange_options(exchange)->access, token, &exchange->session)) {
        exchange->role = exchange->session.role;
        snprintf(exchange->who, sizeof exchange->who, "session %s", exchange->session.id);
        return true;
    }
    err_set(&err, ERR_DENIED, "the session has ended; sign in again");
    reply_error(exchange, ERR_DENIED, &err);
    return false;
}

static AccessRole least_role(int flags)
{
    return flags & ROUTE_READER ? ACCESS_READER : flags & ROUTE_ANALYST ? ACCESS_ANALYST : ACCESS_ADMIN;
}

bool exchange_role_may(const struct exchange *exchange, int flags) { return exchange->role >= least_role(flags); }

static bool may_role(struct exchange *exchange)
{
    AccessRole least = least_role(exchange->route->flags);
    Err err;
    if (exchange->role >= least) return true;
    err_set(&err, ERR_DENIED, "not for the role %s, which %s; this wants %s", access_role_word(exchange->role),
            exchange->role == ACCESS_READER ? "reads numbers and nobody's data" : "reads and changes nothing",
            least == ACCESS_ADMIN ? "admin" : "analyst or admin");
    reply_error(exchange, ERR_DENIED, &err);
    return false;
}

bool exchange_may(struct exchange *exchange)
{
    Str token;
    if (!(exchange->route->flags & ROUTE_SECRET)) return true;
    bool has_cookie = exchange_options(exchange)->access && exchange->authorization.len == 0 &&
                      access_read_cookie(exchange->cookie, str_from(exchange_cookie_name(exchange)), &token);
    return (has_cookie ? find_by_cookie(exchange, token) : find_by_key(exchange)) && may_role(exchange);
}

bool exchange_may_still(struct exchange *exchange, Arena *arena)
{
    const HttpOptions *options = exchange_options(exchange);
    char name[ACCESS_NAME_BYTES + 1];
    if (exchange->session.id[0]) return access_is_alive(options->access, str_from(exchange->session.id));
    Str key = collect_key_of_authorization(exchange->authorization, arena);
    return judge_key(options, key, name) >= exchange->role;
}
