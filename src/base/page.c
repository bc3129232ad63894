/* page: a kind is one or two decimal numbers with a separator between them, or a hash. */
#include "base.h"

#include <stdio.h>

static const char hex_digits[] = "0123456789abcdef";

static bool read_hash(Str text, Hash128 *ret)
{
    uint64_t halves[2] = { 0, 0 };
    if (text.len != 33 || text.bytes[0] != 'm') return false;
    for (size_t at = 0; at < 32; at++) {
        const char *digit = memchr(hex_digits, text.bytes[at + 1], 16);
        if (!digit) return false;
        halves[at / 16] = halves[at / 16] << 4 | (uint64_t)(digit - hex_digits);
    }
    *ret = (Hash128){ .high = halves[0], .low = halves[1] };
    return true;
}

static bool read_number(Str text, uint64_t most, uint64_t *ret)
{
    int64_t number;
    if (!str_parse_int(text, 0, most < INT64_MAX ? (int64_t)most : INT64_MAX, &number)) return false;
    *ret = (uint64_t)number;
    return true;
}

/* Cuts at the last separator: a time before 1970 begins with "-". */
static bool read_pair(Str text, char separator, bool is_number_first, uint64_t most, PageCursor *ret)
{
    const char *at = text.len ? memrchr(text.bytes, separator, text.len) : NULL;
    if (!at) return false;
    size_t middle = (size_t)(at - text.bytes);
    Str first = str_slice(text, 0, middle), second = str_slice(text, middle + 1, text.len);
    return str_parse_int(is_number_first ? second : first, INT64_MIN, INT64_MAX, &ret->time_ms)
        && read_number(is_number_first ? first : second, most, &ret->number);
}

Status page_read(PageKind kind, uint64_t most, Str text, const char *field, PageCursor *ret, Err *err)
{
    PageCursor cursor = { 0 };
    bool is_one = text.len == 0;
    if (!is_one) switch (kind) {
        case PAGE_NUMBER: is_one = read_number(text, most, &cursor.number); break;
        case PAGE_EVENT: is_one = read_pair(text, '-', false, most, &cursor); break;
        case PAGE_NEXT_EVENT: is_one = read_pair(text, '.', true, most, &cursor); break;
        case PAGE_PERSON: is_one = read_pair(text, '.', false, most, &cursor); break;
        case PAGE_HASH: is_one = read_hash(text, &cursor.hash); break;
        case PAGE_KINDS: default: break;
    }
    if (!is_one) return err_set_field(err, field, "is not one that a page gave; begin with the first page");
    *ret = cursor;
    return OK;
}

Str page_write(PageKind kind, PageCursor cursor, char room[PAGE_CURSOR_BYTES])
{
    int len = 0;
    check(cursor.number <= INT64_MAX && kind < PAGE_KINDS);
    switch (kind) {
    case PAGE_NUMBER: len = snprintf(room, PAGE_CURSOR_BYTES, "%" PRIu64, cursor.number); break;
    case PAGE_EVENT:
        len = snprintf(room, PAGE_CURSOR_BYTES, "%" PRIi64 "-%" PRIu64, cursor.time_ms, cursor.number);
        break;
    case PAGE_NEXT_EVENT:
        len = snprintf(room, PAGE_CURSOR_BYTES, "%" PRIu64 ".%" PRIi64, cursor.number, cursor.time_ms);
        break;
    case PAGE_PERSON:
        len = snprintf(room, PAGE_CURSOR_BYTES, "%" PRIi64 ".%" PRIu64, cursor.time_ms, cursor.number);
        break;
    case PAGE_HASH:
        len = snprintf(room, PAGE_CURSOR_BYTES, "m%016" PRIx64 "%016" PRIx64, cursor.hash.high, cursor.hash.low);
        break;
    case PAGE_KINDS: default: break;
    }
    return str_of(room, (size_t)len);
}

void page_put(struct buf *out, Str next)
{
    json_object(out, "cursor");
    json_bool(out, "has_more", next.len > 0);
    json_string_or_null(out, "next", next);
    json_object_end(out);
}
