/* api_own: a script and a path of a source's own (sources: own_path).
 *
 * Ad blockers know /analytics.js/ and /v1/, and if they block the script, the sign-up is lost. A source may have a word
 * of its own instead: with own_path: m4p the library is at /m4p.js, and all that it calls is below /m4p/. The word also
 * says which source it is, so that calls need no key.
 *
 *     /WORD.js        the library                  /WORD/s     its settings
 *     /WORD/b         batches                      /WORD/c     the cookies that the server sets
 *     /WORD/p.js      the library with more
 *     /WORD/m.js      what the library asks for when a page uses it
 *     /WORD/t.js      what begins the tools in the page
 *     /WORD/x/NAME    the small files              /WORD/REST      what /v1/REST is
 *
 * The request goes on as if it had been sent to the usual path: one place decides what each path does. */
#include <stdio.h>

#include "api_routes.h"

/* False if there is no room for it: then there is nothing at that path. */
static bool put_path(char room[OWN_PATH_BYTES], const Source *source, Str rest, bool is_script)
{
    Str key = source->write_key;
    int len;
    if (is_script) len = snprintf(room, OWN_PATH_BYTES, "/analytics.js/v1/%.*s/analytics.min.js", STR_FORMAT(key));
    else if (str_equal(rest, STR("p.js")))
        len = snprintf(room, OWN_PATH_BYTES, "/analytics.js/v1/%.*s/analytics.plus.min.js", STR_FORMAT(key));
    else if (str_equal(rest, STR("m.js")))
        len = snprintf(room, OWN_PATH_BYTES, "/analytics.js/v1/%.*s/more.min.js", STR_FORMAT(key));
    else if (str_equal(rest, STR("t.js")))
        len = snprintf(room, OWN_PATH_BYTES, "/analytics.js/v1/%.*s/tools.js", STR_FORMAT(key));
    else if (str_equal(rest, STR("s")))
        len = snprintf(room, OWN_PATH_BYTES, "/v1/projects/%.*s/settings", STR_FORMAT(key));
    else if (str_starts(rest, STR("x/")))
        len = snprintf(room, OWN_PATH_BYTES, "/analytics.js/v1/%.*s/%.*s", STR_FORMAT(key), STR_FORMAT(rest));
    else if (str_equal(rest, STR("b"))) len = snprintf(room, OWN_PATH_BYTES, "/v1/batch");
    else if (str_equal(rest, STR("c"))) len = snprintf(room, OWN_PATH_BYTES, "/v1/cookie");
    else len = snprintf(room, OWN_PATH_BYTES, "/v1/%.*s", STR_FORMAT(rest));
    return len < OWN_PATH_BYTES;
}

void own_path_resolve(struct exchange *exchange)
{
    struct collector *collector = api_options(exchange)->collector;
    Str path = exchange->path, rest;
    if (path.len > 1 && path.bytes[path.len - 1] == '/') path.len--;
    Str word = str_cut(str_slice(path, 1, path.len), '/', &rest);
    bool is_script = !rest.len && str_ends(word, STR(".js"));
    if (is_script) word.len -= 3;
    const Source *source = collector && word.len ? collector_find_own(collector, word) : NULL;
    if (!source || (!rest.len && !is_script) || !put_path(exchange->own_path, source, rest, is_script)) return;
    exchange->path = str_from(exchange->own_path);
    if (!exchange->header_key.len) exchange->header_key = source->write_key;
}
