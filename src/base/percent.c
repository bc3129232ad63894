/* percent: see the header. Runs of plain bytes are copied whole: most texts that are decoded have no escapes. */
#include "base.h"

static bool is_plain(char c, const char *alphabet)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr(alphabet, c));
}

void buf_percent_encode(struct buf *out, Str text, const char *alphabet)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t plain = 0;
    for (size_t at = 0; at < text.len; at++) {
        if (is_plain(text.bytes[at], alphabet)) continue;
        unsigned char c = (unsigned char)text.bytes[at];
        buf_put(out, text.bytes + plain, at - plain);
        buf_put(out, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
        plain = at + 1;
    }
    if (plain < text.len) buf_put(out, text.bytes + plain, text.len - plain);       /* a text of none may be NULL */
}

void buf_percent_decode(struct buf *out, Str text, bool plus_is_space)
{
    size_t plain = 0;
    for (size_t at = 0; at < text.len; at++) {
        char c = text.bytes[at];
        bool is_escape = c == '%' && text.len - at >= 3 && hex_value(text.bytes[at + 1]) >= 0
                         && hex_value(text.bytes[at + 2]) >= 0;
        if (!is_escape && (c != '+' || !plus_is_space)) continue;
        buf_put(out, text.bytes + plain, at - plain);
        buf_char(out, is_escape ? (char)(hex_value(text.bytes[at + 1]) << 4 | hex_value(text.bytes[at + 2])) : ' ');
        if (is_escape) at += 2;
        plain = at + 1;
    }
    if (plain < text.len) buf_put(out, text.bytes + plain, text.len - plain);       /* a text of none may be NULL */
}

/* Gives what was written as a text, with a NUL after it. */
static Str close_text(struct buf *out)
{
    size_t len = out->len;
    buf_char(out, 0);
    check(buf_ok(out));
    return str_of(out->bytes, len);
}

Str percent_encode(Arena *arena, Str text, const char *alphabet)
{
    struct buf out;
    buf_init_fixed(&out, arena_bytes(arena, text.len * 3 + 1), text.len * 3 + 1);
    buf_percent_encode(&out, text, alphabet);
    return close_text(&out);
}

Str percent_decode(Str text, bool plus_is_space, Arena *arena)
{
    struct buf out;
    buf_init_fixed(&out, arena_bytes(arena, text.len + 1), text.len + 1);
    buf_percent_decode(&out, text, plus_is_space);
    return close_text(&out);
}
