/* doctor_peek: some texts of a message, found in one walk over its JSON.
 *
 * A record's JSON has no blanks between tokens and is sound (event.h), so a walk that knows strings and brackets is
 * enough; a tree of each message would cost five times as much. Whatever the bytes are, it ends at their end. */
#include "doctor_private.h"

#include <ctype.h>

typedef void Member(DoctorPeek *peek, Str key, Str value);

/* Behind the closing quote; at stands at the opening one. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\') at++;
    return at < end ? at + 1 : end;
}

static const char *skip_value(const char *at, const char *end)
{
    size_t depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
        } else if (*at == '{' || *at == '[') {
            depth++, at++;
        } else if (*at == '}' || *at == ']') {
            if (!depth) return at;
            depth--, at++;
        } else if (*at == ',' && !depth) {
            return at;
        } else {
            at++;
            if (!depth) continue;
        }
        if (!depth && at < end && (*at == ',' || *at == '}')) return at;
    }
    return end;
}

static void walk(Str object, Member *member, DoctorPeek *peek)
{
    const char *at = object.bytes, *end = object.bytes + object.len;
    if (object.len < 2 || *at != '{') return;
    for (at++; at < end && *at == '"';) {
        const char *key = at;
        at = skip_string(at, end);
        Str name = str_of(key, (size_t)(at - key));
        if (at >= end || *at != ':') return;
        const char *value = ++at;
        at = skip_value(at, end);
        member(peek, name, str_of(value, (size_t)(at - value)));
        if (at >= end || *at != ',') return;
        at++;
    }
}

static Str text_of(Str value)
{
    return value.len >= 2 && value.bytes[0] == '"' ? str_slice(value, 1, value.len - 1) : (Str){ 0 };
}

static void see_library(DoctorPeek *peek, Str key, Str value)
{
    if (str_equal(key, STR("\"name\""))) peek->library = text_of(value);
    else if (str_equal(key, STR("\"version\""))) peek->version = text_of(value);
}

static void see_page(DoctorPeek *peek, Str key, Str value)
{
    if (str_equal(key, STR("\"url\""))) peek->url = text_of(value);
    else if (str_equal(key, STR("\"referrer\""))) peek->referrer = text_of(value);
}

static void see_context(DoctorPeek *peek, Str key, Str value)
{
    if (str_equal(key, STR("\"library\""))) walk(value, see_library, peek);
    else if (str_equal(key, STR("\"page\""))) walk(value, see_page, peek);
    else if (str_equal(key, STR("\"userAgent\""))) peek->agent = text_of(value);
}

static void see_message(DoctorPeek *peek, Str key, Str value)
{
    if (str_equal(key, STR("\"context\""))) walk(value, see_context, peek);
    else if (str_equal(key, STR("\"properties\"")) || str_equal(key, STR("\"traits\""))) peek->payload = value;
}

void doctor_peek(Str json, DoctorPeek *ret)
{
    *ret = (DoctorPeek){ 0 };
    walk(json, see_message, ret);
}

/* ---- Hosts ---- */

Str doctor_host(Str url, char room[256])
{
    size_t len = 0;
    const char *slashes = url.len ? memmem(url.bytes, url.len, "//", 2) : NULL;
    if (!slashes) return (Str){ 0 };
    Str rest = str_slice(url, (size_t)(slashes - url.bytes) + 2, url.len);
    for (size_t at = 0; at < rest.len && len < 255; at++) {
        char c = rest.bytes[at];
        if (c == '/' || c == '?' || c == '#' || c == ':' || c == '\\') break;
        if (c == '@') {
            len = 0;                                        /* what stood before was a user */
            continue;
        }
        room[len++] = (char)tolower((unsigned char)c);
    }
    return str_of(room, len);
}

/* "example.co.uk" of "www.example.co.uk": the last two labels, or three where the last two look like a suffix. */
static Str site_of(Str host)
{
    size_t dots = 0, wanted = 2, last = host.len, second = host.len;
    for (size_t at = host.len; at-- > 0;) {
        if (host.bytes[at] != '.') continue;
        dots++;
        if (dots == 1) last = at;
        if (dots == 2) second = at;
        if (dots == 2 && host.len - last - 1 == 2 && last - second - 1 <= 3) wanted = 3;
        if (dots == wanted) return str_slice(host, at + 1, host.len);
    }
    return host;
}

bool doctor_is_same_site(Str a, Str b) { return a.len && b.len && str_equal(site_of(a), site_of(b)); }
