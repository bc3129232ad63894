/* http_wire: bytes of a connection become requests, exactly by RFC 9112. Pure: no socket, no clock.
 *
 * What two servers could read differently is refused, since that is how requests are smuggled past a proxy: CR or LF
 * alone, spaces before a colon, folded lines, NUL; two lengths, a length together with chunks, chunks in HTTP/1.0,
 * codings that are not exactly "chunked"; no Host or two. After a refusal nothing more is read.
 *
 * Private to http/. */
#ifndef ONYM_HTTP_WIRE_H
#define ONYM_HTTP_WIRE_H

#include "base/base.h"

enum { WIRE_HEADERS_MAX = 128, WIRE_TRAILER_BYTES = 8 * 1024, WIRE_EXTENSION_BYTES = 256 };

typedef struct WireHeader {
    Str name, value;                 /* the value without the spaces around it */
} WireHeader;

typedef struct WireHead {
    Str method, target;
    bool is_1_0;
    bool wants_close;                /* Connection: close, or HTTP/1.0 */
    bool wants_continue;             /* Expect: 100-continue */
    bool is_chunked, has_length;
    uint64_t length;                 /* of the body; 0: there is none */
    size_t header_count;
    WireHeader headers[WIRE_HEADERS_MAX];
} WireHead;

typedef struct WireRefusal {
    unsigned status;                 /* 400, 414, 431, 505 */
    const char *why;
} WireRefusal;

typedef enum WireStep { WIRE_MORE, WIRE_DONE, WIRE_REFUSED } WireStep;

/* Searches for the end of a head at the front of bytes, beginning at *scanned (0 at first), which it moves. */
WireStep wire_find_head(Str bytes, size_t *scanned, size_t *ret_head_len, WireRefusal *ret_refusal);
/* Parses a head that was found; what it gives borrows from it. Only WIRE_DONE or WIRE_REFUSED. */
WireStep wire_parse_head(Str head, WireHead *ret, WireRefusal *ret_refusal);

/* How far a body's framing was read. */

struct wire_body {
    int state;
    uint64_t left;                   /* of the body or of the chunk */
    unsigned digits;
    size_t line_bytes;               /* of an extension, or of all trailers */
};

void wire_begin_body(struct wire_body *body, const WireHead *head);
/* Takes from the front of *bytes. WIRE_MORE with a *ret_piece that is not empty: bytes of the body, call again;
 * with an empty one: all was taken, and more must come. WIRE_DONE: the body is whole, *bytes is what follows it. */
WireStep wire_read_body(struct wire_body *body, Str *bytes, Str *ret_piece, WireRefusal *ret_refusal);

#endif
