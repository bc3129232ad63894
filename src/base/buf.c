/* buf: doubling up to the maximum; the JSON writers live here because every answer needs them. */
#include "base.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *buf, size_t max) { *buf = (struct buf){ .max = max }; }

void buf_init_fixed(struct buf *buf, void *bytes, size_t capacity)
{
    *buf = (struct buf){ .bytes = bytes, .capacity = capacity, .max = capacity, .is_fixed = true };
}

void buf_done(struct buf *buf)
{
    if (!buf->is_fixed) free(buf->bytes);
    *buf = (struct buf){ .max = buf->max };
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

bool buf_reserve(struct buf *buf, size_t more)
{
    if (buf->failed) return false;
    if (more <= buf->capacity - buf->len) return true;
    if (buf->is_fixed || more > buf->max - buf->len) return buf->failed = true, false;
    size_t capacity = buf->capacity ? buf->capacity : buf->max < 256 ? buf->max : 256;
    while (capacity - buf->len < more) capacity = capacity > buf->max / 2 ? buf->max : capacity * 2;
    char *bytes = realloc(buf->bytes, capacity);
    if (!bytes) return buf->failed = true, false;
    buf->bytes = bytes;
    buf->capacity = capacity;
    return true;
}

void buf_put(struct buf *buf, const void *bytes, size_t count)
{
    if (count == 0 || !buf_reserve(buf, count)) return;
    memcpy(buf->bytes + buf->len, bytes, count);
    buf->len += count;
}

void buf_str_put(struct buf *buf, Str s) { buf_put(buf, s.bytes, s.len); }

void buf_char(struct buf *buf, char c) { buf_put(buf, &c, 1); }

static void put_digits(struct buf *buf, const char *sign, uint64_t value)
{
    char digits[24], *at = digits + sizeof digits;
    do *--at = (char)('0' + value % 10);
    while (value /= 10);
    if (*sign) *--at = *sign;
    buf_put(buf, at, (size_t)(digits + sizeof digits - at));
}

void buf_int(struct buf *buf, int64_t value)
{
    put_digits(buf, value < 0 ? "-" : "", value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void buf_uint(struct buf *buf, uint64_t value) { put_digits(buf, "", value); }

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int len = vsnprintf(NULL, 0, format, list);
    va_end(list);
    check(len >= 0);
    char small[256], *text = small;
    if ((size_t)len >= sizeof small && !(text = malloc((size_t)len + 1))) {
        buf->failed = true;
        return;
    }
    va_start(list, format);
    vsnprintf(text, (size_t)len + 1, format, list);
    va_end(list);
    buf_put(buf, text, (size_t)len);
    if (text != small) free(text);
}

/* Length of the valid UTF-8 sequence at s[at], or 0 (RFC 3629: no overlong forms, no surrogates). */
static size_t utf8_sequence(Str s, size_t at)
{
    unsigned char lead = (unsigned char)s.bytes[at];
    size_t len = lead < 0x80 ? 1 : lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3
               : lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
    if (len == 0 || len > s.len - at) return 0;
    for (size_t next = 1; next < len; next++)
        if (((unsigned char)s.bytes[at + next] & 0xC0) != 0x80) return 0;
    unsigned char second = len > 1 ? (unsigned char)s.bytes[at + 1] : 0;
    if (lead == 0xE0 && second < 0xA0) return 0;
    if (lead == 0xED && second > 0x9F) return 0;
    if (lead == 0xF0 && second < 0x90) return 0;
    if (lead == 0xF4 && second > 0x8F) return 0;
    return len;
}

static void buf_json_escape(struct buf *buf, unsigned char c)
{
    switch (c) {
    case '"':  buf_put(buf, "\\\"", 2); break;
    case '\\': buf_put(buf, "\\\\", 2); break;
    case '\n': buf_put(buf, "\\n", 2); break;
    case '\r': buf_put(buf, "\\r", 2); break;
    case '\t': buf_put(buf, "\\t", 2); break;
    default:   buf_printf(buf, "\\u%04x", c);
    }
}

void buf_json_string(struct buf *buf, Str s)
{
    buf_char(buf, '"');
    size_t plain = 0, at = 0;
    while (at < s.len) {
        unsigned char c = (unsigned char)s.bytes[at];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {      /* nearly all there is */
            at++;
            continue;
        }
        size_t len = utf8_sequence(s, at);
        if (len > 1) {
            at += len;
            continue;
        }
        buf_put(buf, s.bytes + plain, at - plain);
        if (len) buf_json_escape(buf, c);
        else buf_put(buf, "\xEF\xBF\xBD", 3);
        plain = ++at;
    }
    buf_put(buf, s.bytes + plain, s.len - plain);
    buf_char(buf, '"');
}

void buf_json_double(struct buf *buf, double value)
{
    if (!isfinite(value)) {
        buf_put(buf, "null", 4);
        return;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {       /* the shortest that reads back the same */
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    buf_put(buf, text, strlen(text));
}
