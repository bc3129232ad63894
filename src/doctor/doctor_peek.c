/* doctor_peek: some texts of a message, found in one walk over its JSON.
 *
 * Only nine texts are wanted, so the walk passes over the rest (event/event_members.h): building a tree of each message
 * would cost many times as much. */
#include "doctor_private.h"

#include <ctype.h>

/* A member that matters: either an object that is walked, too, or a value that is kept. */
struct member {
    Str key;
    const struct member *inside;            /* members of the object; NULL: the value is kept */
    size_t offset;                          /* where in DoctorPeek the value goes */
    bool is_whole;                          /* keeps the raw JSON of any value; else only texts, without quotes */
};

#define TEXT(key, field) { { key, sizeof key - 1 }, NULL, offsetof(DoctorPeek, field), false }
#define WHOLE(key, field) { { key, sizeof key - 1 }, NULL, offsetof(DoctorPeek, field), true }
#define INSIDE(key, members) { { key, sizeof key - 1 }, members, 0, false }
#define END { { NULL, 0 }, NULL, 0, false }
static const struct member of_library[] = { TEXT("name", library), TEXT("version", version), END };
static const struct member of_app[] = { TEXT("version", app), END };
static const struct member of_page[] = { TEXT("url", url), TEXT("referrer", referrer), END };
static const struct member of_onym[] = { WHOLE("health", health), TEXT("visit", visit), END };
static const struct member of_context[] = {
    INSIDE("library", of_library), INSIDE("page", of_page), TEXT("userAgent", agent), INSIDE("onym", of_onym),
    INSIDE("app", of_app), END
};
static const struct member of_message[] = {
    INSIDE("context", of_context), WHOLE("properties", payload), WHOLE("traits", payload), END
};

static const struct member *find_member(const struct member *members, Str key)
{
    for (; members->key.len; members++)
        if (str_equal_inline(key, members->key)) return members;
    return NULL;
}

static void keep(const struct member *member, Str value, DoctorPeek *peek)
{
    bool is_text = value.len >= 2 && value.bytes[0] == '"';
    if (!is_text && !member->is_whole) return;
    Str kept = member->is_whole ? value : event_raw_text(value);
    memcpy((char *)peek + member->offset, &kept, sizeof kept);
}

/* At most three levels deep, since the tables are. */
static void walk(EventMembers *at, const struct member *members, DoctorPeek *peek)
{
    EventMembers inside;
    EventMember found;
    while (event_members_key(at, &found.key)) {
        const struct member *member = find_member(members, found.key);
        if (member && member->inside && event_members_enter(at, &inside)) {
            walk(&inside, member->inside, peek);
            if (!event_members_leave(at, &inside)) return;
            continue;
        }
        if (!event_members_take(at, &found)) return;
        if (member && !member->inside) keep(member, found.raw, peek);
    }
}

void doctor_peek(Str json, DoctorPeek *ret)
{
    EventMembers members;
    *ret = (DoctorPeek){ 0 };
    if (event_members_open(&members, json)) walk(&members, of_message, ret);
}

void doctor_peek_event(const Event *event, DoctorPeek *ret)
{
    EventMembers members;
    *ret = (DoctorPeek){ 0 };
    if (event_members_of(event, &members)) walk(&members, of_message, ret);
}

/* ---- Hosts ---- */

Str doctor_host(Str url, char room[256])
{
    if (!str_contains(url, STR("//"))) return (Str){ 0 };   /* only a path */
    Str host = str_slice(url_host(url), 0, 255);
    for (size_t at = 0; at < host.len; at++) room[at] = (char)tolower((unsigned char)host.bytes[at]);
    return str_of(room, host.len);
}

/* "example.co.uk" of "www.example.co.uk": the last two labels, or three if the last two look like a public suffix. */
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
