/* http_route: a path finds its row in a table of routes. */
#include "http_exchange.h"

Method method_from(Str word)
{
    static const char *const words[] = { "GET", "HEAD", "POST", "DELETE", "OPTIONS" };
    for (size_t at = 0; at < countof(words); at++)
        if (str_equal(word, str_from(words[at]))) return (Method)at;
    return METHOD_OTHER;
}

/* Matches segment by segment; "*" takes one segment that is not empty. */
static bool path_matches(Str pattern, Str path, Str *ret_parameter)
{
    if (!memchr(pattern.bytes, '*', pattern.len)) return str_equal(pattern, path);
    Str parameter = { 0 };
    while (pattern.len || path.len) {
        Str want = str_cut(pattern, '/', &pattern), have = str_cut(path, '/', &path);
        if (str_equal(want, STR("**"))) {
            *ret_parameter = str_of(have.bytes, have.len + (path.len ? path.len + 1 : 0));
            return true;
        }
        if (str_equal(want, STR("*"))) {
            if (have.len == 0) return false;
            parameter = have;
        } else if (!str_equal(want, have)) {
            return false;
        }
    }
    *ret_parameter = parameter;
    return true;
}

const Route *route_find_among(RouteTable table, Method method, Str path, Str *ret_parameter, bool *ret_known_path)
{
    if (path.len > 1 && path.bytes[path.len - 1] == '/') path.len--;      /* Java posts to /v1/import/ */
    Method wanted = method == METHOD_HEAD ? METHOD_GET : method;
    *ret_known_path = false;
    for (size_t at = 0; at < table.count; at++) {
        const Route *row = (const Route *)(const void *)((const char *)table.rows + at * table.stride);
        if (!path_matches(str_from(row->path), path, ret_parameter)) continue;
        *ret_known_path = true;
        if (row->method == wanted || method == METHOD_OPTIONS) return row;
    }
    return NULL;
}

size_t route_join_slashes(char *path, size_t len)
{
    size_t to = 0;
    for (size_t at = 0; at < len; at++)
        if (path[at] != '/' || to == 0 || path[to - 1] != '/') path[to++] = path[at];
    return to;
}
