/* http_asset: pages, scripts and pictures that the build put into the program, in three forms each. An asset is a row
 * in its folder's table (api/assets.tbl.h: the browser library; demo/assets.tbl.h: the example site). The row names its
 * file; this file does the rest: which form a client gets, the ETag, what a page may do.
 */
#ifndef ONYM_HTTP_ASSET_H
#define ONYM_HTTP_ASSET_H

#include "http_exchange.h"

struct exchange;

typedef struct Asset {
    Str name;                        /* as its folder finds it: a file's name, or a path */
    const char *type;                /* Content-Type */
    const char *cache_control;
    const char *policy;              /* Content-Security-Policy of a page; NULL: it is not a page */
    const char *plain, *gzip, *brotli, *end;             /* marks in a row: where each form begins, and the end */
} Asset;

/* For a row: the marks between the forms that http_asset_bytes.h put into the program. */
#define ASSET_MARKS_DECLARE(symbol) \
    extern const char asset_##symbol[], asset_##symbol##_gzip[], asset_##symbol##_brotli[], asset_##symbol##_end[];
#define ASSET_MARKS(symbol) asset_##symbol, asset_##symbol##_gzip, asset_##symbol##_brotli, asset_##symbol##_end

/* A page of our own: nothing embeds it, and it takes no other address for its own. */
#define ASSET_POLICY_PAGE "base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"

const Asset *asset_find(const Asset *assets, size_t count, Str name);        /* NULL: there is none */
Str asset_plain(const Asset *asset);
/* Does an Accept or Accept-Encoding header name `what` in full, with a weight above zero? */
bool asset_is_accepted(Str header, Str what);
/* Replies with the form that the client asks for; 304 if the client has it already. */
void reply_asset(struct exchange *exchange, const Asset *asset);
/* Replies in plain form, with this status: the "not found" page. No ETag, since it is an answer about another path. */
void reply_asset_as(struct exchange *exchange, const Asset *asset, unsigned status);

#endif
