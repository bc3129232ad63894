/* http_library: the browser library, from the bytes that the build put into the program. */
#include <stdio.h>

#include "http_exchange.h"

extern const char http_library_start[], http_library_end[], http_library_gzip_start[], http_library_gzip_end[];
extern const char http_snippet_start[], http_snippet_end[];

Str http_snippet(void) { return str_trim(str_of(http_snippet_start, (size_t)(http_snippet_end - http_snippet_start))); }

/* The key stands in the path for the script to read; the bytes are the same for every source. */
void http_library(struct exchange *exchange)
{
    Str plain = str_of(http_library_start, (size_t)(http_library_end - http_library_start));
    Str packed = str_of(http_library_gzip_start, (size_t)(http_library_gzip_end - http_library_gzip_start));
    bool is_gzip = str_contains(exchange->accept_encoding, STR("gzip"));
    Str etag = arena_printf(exchange_arena(exchange), "\"%016llx%s\"", (unsigned long long)hash_64(plain, 0),
                            is_gzip ? "-gzip" : "");
    buf_clear(&exchange->answer);
    buf_str_put(&exchange->answer, etag);
    buf_char(&exchange->answer, 0);
    bool is_known = str_equal(exchange->if_none_match, etag);
    reply_text(exchange, is_known ? 304 : 200, "text/javascript; charset=utf-8", is_known ? (Str){ 0 }
                                                                                : is_gzip ? packed : plain);
    exchange->reply.is_gzip = is_gzip && !is_known;
    exchange->reply.etag = exchange->answer.bytes;
    exchange->reply.cache_control = "public, max-age=300, stale-while-revalidate=86400";
    exchange->reply.varies = "Accept-Encoding";
}
