/* doctor_peek: some texts of a message, found in one walk over its JSON.
 *
 * A record's JSON has no blanks between tokens and is sound (event.h), so a walk that knows strings and brackets is
 * enough; a tree of each message would cost five times as much. Whatever the bytes are, it ends at their end. */
#include "doctor_private.h"

#include <ctype.h>

/* A member that matters: of an object that is walked itself, or whose text or bytes are kept. */
struct member {
    const char *key;                        /* with its quotes */
    const struct member *inside;            /* NULL: it is kept */
    size_t offset;                          /* of a Str of DoctorPeek */
    bool is_whole;                          /* as it stands, whatever it is; else texts alone, without their quotes */
};

#define TEXT(key, field) { "\"" key "\"", NULL, offsetof(DoctorPeek, field), false }
#define WHOLE(key, field) { "\"" key "\"", NULL, offsetof(DoctorPeek, field), true }
#define INSIDE(key, members) { "\"" key "\"", members, 0, false }
#define END { NULL, NULL, 0, false }
static const struct member of_library[] = { TEXT("name", library), TEXT("version", version), END };
static const struct member of_page[] = { TEXT("url", url), TEXT("referrer", referrer), END };
static const struct member of_context[] = {
    INSIDE("library", of_library), INSIDE("page", of_page), TEXT("userAgent", agent), END
};
static const struct member of_message[] = {
    INSIDE("context", of_context), WHOLE("properties", payload), WHOLE("traits", payload), END
};

/* Behind the closing quote; at stands at the opening one. */
static const char *skip_string(const char *at, const char *end)
{
    for (const char *from = ++at; at < end; at++) {
        at = memchr(at, '"', (size_t)(end - at));
        if (!at) return end;
        const char *slash = at;
        while (slash > from && slash[-1] == '\\') slash--;
        if ((at - slash) % 2 == 0) return at + 1;           /* else it is escaped */
    }
    return end;
}

/* Behind the value; at its end, or where what holds it ends. */
static const char *skip_value(const char *at, const char *end)
{
    size_t depth = 0;
    while (at < end) {
        char c = *at;
        if (c == '"') {
            at = skip_string(at, end);
        } else if (c == '{' || c == '[') {
            depth++, at++;
        } else if (c == '}' || c == ']') {
            if (!depth) return at;
            depth--, at++;
        } else if (c == ',' && !depth) {
            return at;
        } else {
            at++;
            continue;
        }
        if (!depth) return at;
    }
    return end;
}

static const struct member *find_member(const struct member *members, Str key)
{
    for (; members->key; members++)
        if (str_equal(key, str_from(members->key))) return members;
    return NULL;
}

static void keep(const struct member *member, Str value, DoctorPeek *peek)
{
    bool is_text = value.len >= 2 && value.bytes[0] == '"';
    if (!is_text && !member->is_whole) return;
    Str kept = member->is_whole ? value : str_slice(value, 1, value.len - 1);
    memcpy((char *)peek + member->offset, &kept, sizeof kept);
}

/* Behind the object; at stands at its brace. Three levels deep at most, as the tables are. */
static const char *walk(const char *at, const char *end, const struct member *members, DoctorPeek *peek)
{
    for (at++; at < end && *at == '"';) {
        const char *key = at;
        at = skip_string(at, end);
        const struct member *member = find_member(members, str_of(key, (size_t)(at - key)));
        if (at >= end || *at != ':') return end;
        const char *value = ++at;
        bool is_walked = member && member->inside && at < end && *at == '{';
        at = is_walked ? walk(at, end, member->inside, peek) : skip_value(at, end);
        if (member && !member->inside) keep(member, str_of(value, (size_t)(at - value)), peek);
        if (at >= end || *at != ',') break;
        at++;
    }
    return at < end && *at == '}' ? at + 1 : end;
}

void doctor_peek(Str json, DoctorPeek *ret)
{
    *ret = (DoctorPeek){ 0 };
    if (json.len > 1 && json.bytes[0] == '{') (void)walk(json.bytes, json.bytes + json.len, of_message, ret);
}

/* ---- Hosts ---- */

Str doctor_host(Str url, char room[256])
{
    if (!str_contains(url, STR("//"))) return (Str){ 0 };   /* a path alone */
    Str host = str_slice(url_host(url), 0, 255);
    for (size_t at = 0; at < host.len; at++) room[at] = (char)tolower((unsigned char)host.bytes[at]);
    return str_of(room, host.len);
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
