/* url: parts of an address (RFC 3986, 3; browsers also take "\" as the end of the host). */
#include "url.h"

/* What follows "scheme://" or "//". */
static Str skip_scheme(Str url)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
    size_t at = 0;
    while (at < url.len && memchr(letters, url.bytes[at], sizeof letters - 1)) at++;
    Str rest = str_slice(url, at, url.len);
    if (at > 0 && str_starts(rest, STR("://"))) return str_slice(rest, 3, rest.len);
    return str_starts(url, STR("//")) ? str_slice(url, 2, url.len) : url;
}

Str url_host(Str url)
{
    static const char ends[] = "/?#\\";
    Str rest = skip_scheme(url), port;
    size_t end = 0, begin;
    while (end < rest.len && !memchr(ends, rest.bytes[end], sizeof ends - 1)) end++;
    for (begin = end; begin > 0 && rest.bytes[begin - 1] != '@';) begin--;
    rest = str_slice(rest, begin, end);
    const char *bracket = rest.len && rest.bytes[0] == '[' ? memchr(rest.bytes, ']', rest.len) : NULL;
    return bracket ? str_slice(rest, 0, (size_t)(bracket - rest.bytes) + 1) : str_cut(rest, ':', &port);
}
