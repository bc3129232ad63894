/* json_out: see the header. The byte before tells whether a comma is needed, so there is no state to keep. */
#include "base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Can this byte be the last of a value? The letters are those of true, false and null. */
static bool ends_value(char c)
{
    return c == '"' || c == '}' || c == ']' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z');
}

/* Writes what comes before a value: the comma, and the name with its colon. */
static void begin(struct buf *out, const char *name)
{
    if (out->len && ends_value(out->bytes[out->len - 1])) buf_char(out, ',');
    if (!name) return;
    buf_json_string(out, str_from(name));
    buf_char(out, ':');
}

void json_object(struct buf *out, const char *name)
{
    begin(out, name);
    buf_char(out, '{');
}

void json_object_end(struct buf *out) { buf_char(out, '}'); }

void json_array(struct buf *out, const char *name)
{
    begin(out, name);
    buf_char(out, '[');
}

void json_array_end(struct buf *out) { buf_char(out, ']'); }

void json_name(struct buf *out, Str name)
{
    begin(out, NULL);
    buf_json_string(out, name);
    buf_char(out, ':');
}

void json_raw(struct buf *out, const char *name, Str json)
{
    begin(out, name);
    buf_str_put(out, json);
}

void json_null(struct buf *out, const char *name) { json_raw(out, name, STR("null")); }

void json_bool(struct buf *out, const char *name, bool value)
{
    json_raw(out, name, value ? STR("true") : STR("false"));
}

void json_string(struct buf *out, const char *name, Str value)
{
    begin(out, name);
    buf_json_string(out, value);
}

void json_string_or_null(struct buf *out, const char *name, Str value)
{
    if (value.len) json_string(out, name, value);
    else json_null(out, name);
}

void json_word(struct buf *out, const char *name, const char *value)
{
    if (value) json_string(out, name, str_from(value));
    else json_null(out, name);
}

void json_printf(struct buf *out, const char *name, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    char small[256], *text = small;
    int len = vsnprintf(small, sizeof small, format, list);
    va_end(list);
    check(len >= 0);
    if ((size_t)len < sizeof small || (text = malloc((size_t)len + 1)) != NULL) {
        if (text != small) vsnprintf(text, (size_t)len + 1, format, again);
        json_string(out, name, str_of(text, (size_t)len));
    } else {
        out->failed = true;
    }
    va_end(again);
    if (text != small) free(text);
}

void json_instant(struct buf *out, const char *name, Millis at_ms)
{
    char text[INSTANT_TEXT_BYTES];
    instant_write(at_ms, text);
    json_string(out, name, str_of(text, sizeof text));
}

void json_int(struct buf *out, const char *name, int64_t value)
{
    begin(out, name);
    buf_int(out, value);
}

void json_uint(struct buf *out, const char *name, uint64_t value)
{
    begin(out, name);
    buf_uint(out, value);
}

void json_double(struct buf *out, const char *name, double value)
{
    begin(out, name);
    buf_json_double(out, value);
}
