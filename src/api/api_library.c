/* api_library: the browser library, from the bytes that the build put into the program. */
#include <stdio.h>

#include "api_routes.h"

extern const char api_snippet_start[], api_snippet_end[];

#define ASSET(symbol, file) ASSET_MARKS_DECLARE(symbol)
#include "assets.tbl.h"
#undef ASSET

#define SCRIPT "text/javascript; charset=utf-8"
#define AWHILE "public, max-age=300, stale-while-revalidate=86400"
static const Asset assets[] = {
#define ASSET(symbol, file) { { #file, sizeof #file - 1 }, SCRIPT, AWHILE, NULL, ASSET_MARKS(symbol) },
#include "assets.tbl.h"
#undef ASSET
};

static const Asset *find_asset(Str name) { return asset_find(assets, countof(assets), name); }

Str api_snippet(void)
{
    return str_trim(str_of(api_snippet_start, (size_t)(api_snippet_end - api_snippet_start)));
}

/* Why calls with the key in the path are going to be refused, or "" when they are not. */
static Str problem_of_key(struct exchange *exchange)
{
    const ApiOptions *options = api_options(exchange);
    Arena *arena = exchange_arena(exchange);
    Str key = percent_decode(exchange->parameter, false, arena), page = exchange_page(exchange);
    const Source *source = collector_find_source(options->collector, key);
    exchange->collected.source = source;                   /* CORS looks at it */
    if (!source) {
        health_add(options->health, COUNT_UNKNOWN_KEYS, 1);
        return arena_printf(arena, "no source has the write key %.*s; see sources in onym.yaml, or: onym keys",
                            STR_FORMAT(key));
    }
    if (!source->is_enabled) return arena_printf(arena, "source %.*s: is disabled", STR_FORMAT(source->name));
    if (page.len && !source_allows_origin(source, page))
        return arena_printf(arena, "source %.*s: not open to %.*s; see allowed_origins in onym.yaml",
                            STR_FORMAT(source->name), STR_FORMAT(page));
    return (Str){ 0 };
}

/* The key is in the path, where the script reads it. The bytes are the same for every source, with one more line if the
 * key is refused: collection answers 200 whatever the key is (protocol 0.1), so nothing else would say so. */
static void reply_script(struct exchange *exchange, Str name)
{
    const Asset *asset = find_asset(name);
    Str problem = problem_of_key(exchange);
    check(asset);
    if (!problem.len) {
        reply_asset(exchange, asset);
        return;
    }
    buf_clear(&exchange->answer);
    buf_str_put(&exchange->answer, asset_plain(asset));
    buf_str_put(&exchange->answer, STR("\n;console.error(\"Onym: nothing is counted here:\","));
    buf_json_string(&exchange->answer, problem);
    buf_str_put(&exchange->answer, STR(");\n"));
    reply_text(exchange, 200, "text/javascript; charset=utf-8", buf_str(&exchange->answer));
    exchange->reply.cache_control = "no-store";
    exchange->reply.varies = "Origin";
}

/* One that tells the tools of device_mode what it does, where the source has any. */
static void reply_library(struct exchange *exchange, Str name, Str with_tools)
{
    const HttpOptions *options = exchange_options(exchange);
    Str key = percent_decode(exchange->parameter, false, exchange_arena(exchange));
    const Source *source = collector_find_source(options->collector, key);
    reply_script(exchange, source && source->device_mode.len ? with_tools : name);
}

void api_library(struct exchange *exchange)
{
    reply_library(exchange, STR("analytics.min.js"), STR("analytics.tools.min.js"));
}
/* The part that most pages never use; the library loads it when a page does. */
void api_library_more(struct exchange *exchange) { reply_script(exchange, STR("more.min.js")); }
/* The library with receipts, and with the options losses and attribution, for sites that ask for them. */
void api_library_plus(struct exchange *exchange)
{
    reply_library(exchange, STR("analytics.plus.min.js"), STR("analytics.plus.tools.min.js"));
}

/* Small files besides the library: hand-over links, consent, links and forms, tools. The same for every source. */
void api_library_extra(struct exchange *exchange)
{
    Err err;
    Str name = arena_printf(exchange_arena(exchange), "x/%.*s", STR_FORMAT(exchange->parameter));
    const Asset *asset = find_asset(name);
    if (asset) {
        reply_asset(exchange, asset);
        return;
    }
    err_set(&err, ERR_NOT_FOUND, "the library has no file of this name beside it");
    reply_error(exchange, ERR_NOT_FOUND, &err);
}
