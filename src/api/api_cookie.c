/* api_cookie: ids as cookies that the server sets, for browsers that forget what scripts set (the contract
 * is in browser/README.md). A page may set cookies for its own site only: its origin, the host that it
 * asks and the domain must belong together. */
#include "api_routes.h"

enum { COOKIE_ID_BYTES = 256, DOMAIN_BYTES = 253 };

/* Is the host the domain, or below it? Ports do not count. */
static bool host_is_below(Str host, Str domain)
{
    const char *colon = host.len && host.bytes[host.len - 1] != ']' ? memrchr(host.bytes, ':', host.len) : NULL;
    if (colon) host.len = (size_t)(colon - host.bytes);
    if (str_equal_no_case(host, domain)) return true;
    if (host.len <= domain.len) return false;
    return host.bytes[host.len - domain.len - 1] == '.' &&
           str_equal_no_case(str_slice(host, host.len - domain.len, host.len), domain);
}

static bool is_plain_domain(Str domain)
{
    for (size_t at = 0; at < domain.len; at++) {
        char c = domain.bytes[at];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '-') return false;
    }
    return domain.len <= DOMAIN_BYTES && memchr(domain.bytes, '.', domain.len) != NULL && domain.bytes[0] != '.';
}

static Str origin_host(Str origin)
{
    if (str_starts(origin, STR("https://"))) return str_slice(origin, 8, origin.len);
    if (str_starts(origin, STR("http://"))) return str_slice(origin, 7, origin.len);
    return (Str){ 0 };
}

static Status check_cookie(struct exchange *exchange, Str key, Str anonymous_id, Str user_id, Str domain, Err *err)
{
    const Source *source = collector_find_source(api_options(exchange)->collector, key);
    Str page = exchange_page(exchange);
    if (!source) return err_set_field(err, "writeKey", "no source has this write key");
    exchange->collected.source = source;                   /* CORS looks at it */
    if (page.len && !source_allows_origin(source, page))
        return err_set(err, ERR_DENIED, "source %.*s: not open to this origin", STR_FORMAT(source->name));
    if (str_equal_no_case(exchange->fetch_site, STR("cross-site")))
        return err_set(err, ERR_DENIED, "a page of another site says who visits its own, not who visits this one");
    if (!source->is_enabled)
        return err_set_field(err, "writeKey", "source %.*s: is disabled", STR_FORMAT(source->name));
    if (anonymous_id.len > COOKIE_ID_BYTES) return err_set_field(err, "anonymousId", "longer than 256 bytes");
    if (user_id.len > COOKIE_ID_BYTES) return err_set_field(err, "userId", "longer than 256 bytes");
    if (domain.len == 0) return OK;
    if (!is_plain_domain(domain)) return err_set_field(err, "domain", "not a domain name");
    if (!host_is_below(exchange->host, domain)) return err_set_field(err, "domain", "this host is not below it");
    if (exchange->origin.len && !host_is_below(origin_host(exchange->origin), domain))
        return err_set_field(err, "domain", "the page is not below it");
    return OK;
}

static const char *make_cookie(const struct exchange *exchange, const char *name, Str id, Str domain, Arena *arena)
{
    bool is_https = exchange->is_tls || str_equal(exchange->forwarded_proto, STR("https"));
    Str value = percent_encode(arena, id, PERCENT_COMPONENT);        /* so that the library reads back what it wrote */
    return arena_printf(arena, "%s=%.*s; Path=/; Max-Age=31536000; SameSite=Lax%s%.*s%s", name,
                        STR_FORMAT(value), domain.len ? "; Domain=" : "", STR_FORMAT(domain),
                        is_https ? "; Secure" : "").bytes;
}

void api_cookie(struct exchange *exchange)
{
    Arena *arena = exchange_arena(exchange);
    const TreeNode *tree;
    Err err;
    Status s = event_tree_read(buf_str(&exchange->body), arena, &tree, &err);
    if (s) {
        reply_error(exchange, s, &err);
        return;
    }
    Str key = event_tree_text(tree, "writeKey"), domain = event_tree_text(tree, "domain");
    Str anonymous_id = event_tree_text(tree, "anonymousId"), user_id = event_tree_text(tree, "userId");
    s = check_cookie(exchange, key, anonymous_id, user_id, domain, &err);
    if (s) {
        reply_error(exchange, s, &err);
        return;
    }
    reply_text(exchange, 200, NULL, STR("{\"success\":true}"));
    /* The arena is reset before the reply is made: the cookies live in the exchange's own buffer. */
    const char *cookies[] = {
        anonymous_id.len ? make_cookie(exchange, "ajs_anonymous_id", anonymous_id, domain, arena) : NULL,
        user_id.len ? make_cookie(exchange, "ajs_user_id", user_id, domain, arena) : NULL,
    };
    buf_clear(&exchange->answer);
    for (size_t at = 0; at < countof(cookies); at++) {
        if (!cookies[at]) continue;
        exchange->reply.cookie_at[exchange->reply.cookie_count++] = exchange->answer.len;
        buf_put(&exchange->answer, cookies[at], strlen(cookies[at]) + 1);
    }
}
