/* buf: a byte builder with a ceiling and a sticky error. Append freely; ask buf_ok once at the end.
 * After an append that did not fit (or that the machine had no memory for) the buffer keeps what it
 * had, ignores every later append, and buf_ok is false. Growing memory is owned until buf_done.
 */
#ifndef ONYM_BASE_BUF_H
#define ONYM_BASE_BUF_H

#include "str.h"
#include "arena.h"

#ifdef __cplusplus
extern "C" {
#endif

struct buf {
    char *bytes;
    size_t len, capacity, max;
    bool failed, is_fixed;
};

void buf_init(struct buf *buf, size_t max);                          /* grows on the heap up to max */
void buf_init_fixed(struct buf *buf, void *bytes, size_t capacity);  /* borrows; never grows */
void buf_done(struct buf *buf);                                      /* frees; may be initialised again */
void buf_clear(struct buf *buf);                                     /* empty again, error forgotten, memory kept */
static inline bool buf_ok(const struct buf *buf) { return !buf->failed; }
static inline Str buf_str(const struct buf *buf) { return (Str){ buf->bytes, buf->len }; }

bool buf_reserve(struct buf *buf, size_t more);                      /* room for more bytes, or the sticky error */
void buf_put(struct buf *buf, const void *bytes, size_t count);
void buf_str_put(struct buf *buf, Str s);
void buf_char(struct buf *buf, char c);
void buf_int(struct buf *buf, int64_t value);
void buf_uint(struct buf *buf, uint64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One value of JSON by itself; json_out.h writes members and items, with their commas.
 * This one is a string with its quotes; invalid UTF-8 becomes U+FFFD. */
void buf_json_string(struct buf *buf, Str s);
/* A number; NaN and infinities, which JSON lacks, become null. */
void buf_json_double(struct buf *buf, double value);

#ifdef __cplusplus
}
#endif
#endif
