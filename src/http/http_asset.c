/* http_asset: one way to answer with a file. */
#include "http_asset.h"

const Asset *asset_find(const Asset *assets, size_t count, Str name)
{
    for (size_t at = 0; at < count; at++)
        if (str_equal(assets[at].name, name)) return &assets[at];
    return NULL;
}

static Str bytes_between(const char *start, const char *end) { return str_of(start, (size_t)(end - start)); }

Str asset_plain(const Asset *asset) { return bytes_between(asset->plain, asset->gzip); }

bool asset_is_accepted(Str header, Str what)
{
    while (header.len) {
        Str weight, name = str_trim(str_cut(str_cut(header, ',', &header), ';', &weight));
        if (!str_equal_no_case(name, what)) continue;
        str_cut(weight, '=', &weight);
        weight = str_trim(weight);
        size_t zeros = 0;
        while (zeros < weight.len && (weight.bytes[zeros] == '0' || weight.bytes[zeros] == '.')) zeros++;
        return !weight.len || zeros < weight.len;
    }
    return false;
}

void reply_asset(struct exchange *exchange, const Asset *asset)
{
    Str plain = asset_plain(asset), body = plain;
    const char *encoding = NULL;
    if (asset_is_accepted(exchange->accept_encoding, STR("br"))) {
        body = bytes_between(asset->brotli, asset->end);
        encoding = "br";
    } else if (asset_is_accepted(exchange->accept_encoding, STR("gzip"))) {
        body = bytes_between(asset->gzip, asset->brotli);
        encoding = "gzip";
    }
    Str etag = arena_printf(exchange_arena(exchange), "\"%016llx-%s\"", (unsigned long long)hash_64(plain, 0),
                            encoding ? encoding : "plain");
    buf_clear(&exchange->answer);
    buf_str_put(&exchange->answer, etag);
    buf_char(&exchange->answer, 0);
    bool is_known = str_equal(exchange->if_none_match, etag);
    reply_text(exchange, is_known ? 304 : 200, asset->type, is_known ? (Str){ 0 } : body);
    exchange->reply.encoding = is_known ? NULL : encoding;
    exchange->reply.etag = exchange->answer.bytes;
    exchange->reply.cache_control = asset->cache_control;
    exchange->reply.varies = "Accept-Encoding";
    exchange->reply.policy = asset->policy;
}

void reply_asset_as(struct exchange *exchange, const Asset *asset, unsigned status)
{
    reply_text(exchange, status, asset->type, asset_plain(asset));
    exchange->reply.policy = asset->policy;
}
