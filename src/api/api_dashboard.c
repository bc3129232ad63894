/* api_dashboard: what people look at: GET / if a browser asks, and its parts below /ui/.
 *
 * A part is named with a hash of its bytes, /ui/app.0123456789abcdef.js, which the build puts into the page: it may be
 * kept for ever, and an old page never gets a new script. Without the hash, or with that of another build, there is no
 * such part. The browser asks for the page itself anew each time (ETag).
 *
 * The page can only speak with this host: no script, style, picture or request from elsewhere, no markup made
 * of texts (events are hostile), nobody may frame it, and pages from elsewhere have no handle on it. */
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdio.h>

#include "api_routes.h"

#define PAGE_POLICY \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " \
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " \
    "require-trusted-types-for 'script'; trusted-types 'none'"
#define FOR_EVER "public, max-age=31536000, immutable"

enum { HASH_CHARS = 16, DIGEST_BYTES = 32 };

#define ASSET(symbol, file, type) ASSET_MARKS_DECLARE(symbol)
#include "dashboard.tbl.h"
#undef ASSET

static const Asset assets[] = {
#define ASSET(symbol, file, type) { { #file, sizeof #file - 1 }, type, FOR_EVER, NULL, ASSET_MARKS(symbol) },
#include "dashboard.tbl.h"
#undef ASSET
};

static char hashes[countof(assets)][HASH_CHARS + 1];
static pthread_once_t hashed = PTHREAD_ONCE_INIT;

static void hash_all(void)
{
    for (size_t at = 0; at < countof(assets); at++) {
        unsigned char digest[DIGEST_BYTES];
        Str bytes = asset_plain(&assets[at]);
        check(gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes.bytes, bytes.len, digest) == 0);
        for (size_t byte = 0; byte < HASH_CHARS / 2; byte++)
            snprintf(&hashes[at][2 * byte], 3, "%02x", digest[byte]);
    }
}

/* "app.0123456789abcdef.js" is app.js, if that is its hash. */
static const Asset *find_part(Str name, Arena *arena)
{
    Str hash, ending, stem = str_cut(name, '.', &hash);
    hash = str_cut(hash, '.', &ending);
    const Asset *asset = asset_find(assets, countof(assets),
                                    arena_printf(arena, "%.*s.%.*s", STR_FORMAT(stem), STR_FORMAT(ending)));
    check(pthread_once(&hashed, hash_all) == 0);
    return asset && str_equal(hash, str_from(hashes[asset - assets])) ? asset : NULL;
}

bool api_dashboard(struct exchange *exchange)
{
    if (!api_options(exchange)->has_page) return false;
    Asset page = assets[0];
    page.cache_control = "no-cache";
    page.policy = PAGE_POLICY;
    reply_asset(exchange, &page);
    exchange->reply.varies = "Accept, Accept-Encoding";
    exchange->reply.is_apart = true;
    return true;
}

void api_dashboard_part(struct exchange *exchange)
{
    Err err;
    bool has_page = api_options(exchange)->has_page;
    const Asset *asset = has_page ? find_part(exchange->parameter, exchange_arena(exchange)) : NULL;
    if (asset) {
        reply_asset(exchange, asset);
        exchange->reply.is_apart = true;
        return;
    }
    err_set(&err, ERR_NOT_FOUND, has_page
            ? "the dashboard has no part of this name; a new version has others: load / anew"
            : "the dashboard is switched off (ui: false)");
    reply_error(exchange, ERR_NOT_FOUND, &err);
}
