/* site_url: just enough of an address to compare its parts. */
#include "site.h"

static bool refuse(const char **ret_why, const char *why)
{
    if (ret_why) *ret_why = why;
    return false;
}

static bool read_port(Str text, uint32_t *ret)
{
    int64_t port;
    if (!text.len) return true;
    if (!str_parse_int(text, 1, 65535, &port)) return false;
    *ret = (uint32_t)port;
    return true;
}

/* "user:password@" may stand in front of the host; it is no part of it. */
static Str host_and_port(Str authority)
{
    for (size_t at = authority.len; at-- > 0;)
        if (authority.bytes[at] == '@') return str_slice(authority, at + 1, authority.len);
    return authority;
}

static bool read_authority(Str authority, SiteUrl *ret)
{
    Str place = host_and_port(authority), port = { 0 };
    if (str_starts(place, STR("["))) {
        if (!memchr(place.bytes, ']', place.len)) return false;
        ret->host = str_cut(str_slice(place, 1, place.len), ']', &port);
        if (port.len && port.bytes[0] != ':') return false;
        port = str_slice(port, 1, port.len);
    } else {
        ret->host = str_cut(place, ':', &port);
    }
    for (size_t at = 0; at < ret->host.len; at++)
        if (memchr("<>\"'`\\^{|}%#?/@ ", ret->host.bytes[at], 17)) return false;
    return ret->host.len > 0 && read_port(port, &ret->port);
}

bool site_url_parse(Str text, SiteUrl *ret, const char **ret_why)
{
    SiteUrl url = { 0 };
    for (size_t at = 0; at < text.len; at++)
        if ((unsigned char)text.bytes[at] <= ' ' || text.bytes[at] == 0x7f)
            return refuse(ret_why, "it has a blank or a control character in it");
    if (text.len > SITE_TEXT_BYTES) return refuse(ret_why, "it is longer than 2048 bytes");
    bool is_https = str_equal_no_case(str_slice(text, 0, 8), STR("https://"));
    bool is_http = str_equal_no_case(str_slice(text, 0, 7), STR("http://"));
    if (!is_https && !is_http) return refuse(ret_why, "it begins with neither http:// nor https://");
    size_t begin = is_https ? 8 : 7, end = begin;
    while (end < text.len && !memchr("/?#", text.bytes[end], 3)) end++;
    url.scheme = is_https ? STR("https") : STR("http");
    url.port = is_https ? 443 : 80;
    if (!read_authority(str_slice(text, begin, end), &url)) return refuse(ret_why, "its host or port makes no sense");
    Str rest = str_slice(text, end, text.len), fragment;
    rest = str_cut(rest, '#', &fragment);
    url.path = str_cut(rest, '?', &url.query);
    if (!url.path.len) url.path = STR("/");
    *ret = url;
    return true;
}

bool site_url_same_origin(Str one, Str other)
{
    SiteUrl left, right;
    return site_url_parse(one, &left, NULL) && site_url_parse(other, &right, NULL) && left.port == right.port
           && str_equal(left.scheme, right.scheme) && str_equal_no_case(left.host, right.host);
}

Str site_url_origin(Str text, Arena *arena)
{
    SiteUrl url;
    if (!site_url_parse(text, &url, NULL)) return (Str){ 0 };
    bool is_v6 = memchr(url.host.bytes, ':', url.host.len), is_usual = url.port == (url.scheme.len == 5 ? 443 : 80);
    Str origin = arena_printf(arena, "%.*s://%s%.*s%s", STR_FORMAT(url.scheme), is_v6 ? "[" : "", STR_FORMAT(url.host),
                              is_v6 ? "]" : "");
    return is_usual ? origin : arena_printf(arena, "%.*s:%u", STR_FORMAT(origin), url.port);
}

Str site_url_shown(Str text, Arena *arena)
{
    SiteUrl url;
    if (!site_url_parse(text, &url, NULL)) return text;
    return arena_printf(arena, "%.*s%.*s%s%.*s", STR_FORMAT(site_url_origin(text, arena)), STR_FORMAT(url.path),
                        url.query.len ? "?" : "", STR_FORMAT(url.query));
}
