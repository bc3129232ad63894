/* site_policy: whether a Content Security Policy lets a page load an address, by CSP level 3 (6.7.2): several
 * policies must all allow it; a directive falls back to the one above it; a source is a word in quotes, a scheme, or
 * scheme, host, port and path with wildcards. Chromium says what it stopped; this says what it would stop next. */
#include "site.h"

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

static Str next_word(Str *rest)
{
    size_t from = 0, to;
    while (from < rest->len && is_space(rest->bytes[from])) from++;
    for (to = from; to < rest->len && !is_space(rest->bytes[to]);) to++;
    Str word = str_slice(*rest, from, to);
    *rest = str_slice(*rest, to, rest->len);
    return word;
}

/* The value of a directive in one policy: the first of its name counts. */
static bool find_directive(Str policy, Str name, Str *ret)
{
    while (policy.len) {
        Str directive = str_cut(policy, ';', &policy), word = next_word(&directive);
        if (!str_equal_no_case(word, name)) continue;
        *ret = directive;
        return true;
    }
    return false;
}

/* ---- One source ---- */

static bool scheme_matches(Str wanted, Str scheme)
{
    if (str_equal_no_case(wanted, scheme)) return true;
    bool is_plain = str_equal_no_case(wanted, STR("http")) || str_equal_no_case(wanted, STR("ws"));
    return is_plain && str_equal(scheme, STR("https"));
}

static bool host_matches(Str wanted, Str host)
{
    if (str_equal(wanted, STR("*"))) return true;
    if (!str_starts(wanted, STR("*."))) return str_equal_no_case(wanted, host);
    Str tail = str_slice(wanted, 1, wanted.len);
    return host.len > tail.len && str_equal_no_case(str_slice(host, host.len - tail.len, host.len), tail);
}

static bool port_matches(Str wanted, bool has_port, const SiteUrl *url)
{
    int64_t port;
    uint32_t own = str_equal(url->scheme, STR("https")) ? 443 : 80;
    if (!has_port) return url->port == own;
    if (str_equal(wanted, STR("*"))) return true;
    if (!str_parse_int(wanted, 0, 65535, &port)) return false;
    return (uint32_t)port == url->port || (port == 80 && url->port == 443);
}

static bool path_matches(Str wanted, Str path)
{
    if (!wanted.len || str_equal(wanted, STR("/"))) return true;
    return str_ends(wanted, STR("/")) ? str_starts(path, wanted) : str_equal(wanted, path);
}

static bool source_allows(Str source, const SiteUrl *url, const SiteUrl *page)
{
    if (str_equal(source, STR("*"))) return true;            /* of http and https, which all of ours are */
    if (str_equal_no_case(source, STR("'self'")))
        return str_equal_no_case(url->host, page->host)
               && (url->port == page->port || (url->port == 443 && page->port == 80))
               && scheme_matches(page->scheme, url->scheme);
    if (str_starts(source, STR("'"))) return false;
    Str scheme = { 0 }, rest = source;
    const char *colon = memmem(source.bytes, source.len, "://", 3);
    if (colon) {
        scheme = str_slice(source, 0, (size_t)(colon - source.bytes));
        rest = str_slice(source, scheme.len + 3, source.len);
    } else if (str_ends(source, STR(":"))) {
        return scheme_matches(str_slice(source, 0, source.len - 1), url->scheme);
    }
    if (!scheme_matches(scheme.len ? scheme : page->scheme, url->scheme)) return false;
    Str after, place = str_cut(rest, '/', &after), path = str_slice(rest, place.len, rest.len), port;
    Str host = str_cut(place, ':', &port);
    if (str_starts(place, STR("["))) {
        host = str_cut(str_slice(place, 1, place.len), ']', &port);
        port = str_slice(port, 1, port.len);
    }
    return host_matches(host, url->host) && port_matches(port, port.len > 0, url) && path_matches(path, url->path);
}

/* ---- The whole ---- */

static bool list_allows(Str sources, bool is_script, const SiteUrl *url, const SiteUrl *page)
{
    bool allows = false, is_strict = false;
    for (Str word; (word = next_word(&sources)).len;) {
        is_strict |= is_script && str_equal_no_case(word, STR("'strict-dynamic'"));
        allows |= source_allows(word, url, page);
    }
    /* What a trusted script puts into the page is trusted; addresses do not count then. */
    return is_strict || allows;
}

static bool one_allows(Str policy, Str directive, const SiteUrl *url, const SiteUrl *page, Str *ret_directive)
{
    static const Str elements = { "script-src-elem", 15 }, scripts = { "script-src", 10 }, all = { "default-src", 11 };
    bool is_script = str_equal(directive, scripts);
    const Str names[] = { is_script ? elements : directive, directive, all };
    for (size_t at = 0; at < countof(names); at++) {
        Str sources;
        if (!find_directive(policy, names[at], &sources)) continue;
        *ret_directive = names[at];
        return list_allows(sources, is_script, url, page);
    }
    return true;
}

bool site_policy_allows(Str policy, Str directive, Str url, Str page_url, Str *ret_directive)
{
    SiteUrl target, page;
    if (!site_url_parse(url, &target, NULL) || !site_url_parse(page_url, &page, NULL)) return true;
    while (policy.len) {
        Str one = str_cut(policy, ',', &policy);
        if (!one_allows(one, directive, &target, &page, ret_directive)) return false;
    }
    return true;
}
