/* destination_text: see the header. Hashing is GnuTLS's, which the HTTP layer links anyway. */
#include "destination_text.h"

#include <gnutls/crypto.h>

/* ---- JSON ---- */

void member_raw(struct buf *buf, Str key, Str raw)
{
    json_name(buf, key);
    json_raw(buf, NULL, raw);
}

void member_text(struct buf *buf, Str key, Str text)
{
    if (text.len == 0) return;
    json_name(buf, key);
    json_string(buf, NULL, text);
}

void member_int(struct buf *buf, Str key, int64_t value)
{
    json_name(buf, key);
    json_int(buf, NULL, value);
}

void member_node(struct buf *buf, Str key, const TreeNode *node)
{
    if (event_tree_is_given(node)) member_raw(buf, key, node->raw);
}

/* ---- URLs ---- */

void url_field(struct buf *buf, Str key, Str value)
{
    if (buf->len) buf_char(buf, '&');
    buf_percent_encode(buf, key, PERCENT_URL);
    buf_char(buf, '=');
    buf_percent_encode(buf, value, PERCENT_URL);
}

/* ---- Fields ---- */

void field_put(struct buf *buf, Str field)
{
    buf_int(buf, (int64_t)field.len);
    buf_char(buf, ':');
    buf_str_put(buf, field);
}

Str field_take(Str *rest)
{
    Str behind, digits = str_cut(*rest, ':', &behind), field;
    int64_t len;
    if (!str_parse_int(digits, 0, (int64_t)behind.len, &len)) {
        *rest = (Str){ 0 };
        return (Str){ 0 };
    }
    field = str_slice(behind, 0, (size_t)len);
    *rest = str_slice(behind, (size_t)len, behind.len);
    return field;
}

/* ---- Keys and signatures ---- */

static Str hex_of(Arena *arena, const uint8_t *bytes, size_t count)
{
    static const char hex[] = "0123456789abcdef";
    char *text = arena_bytes(arena, count * 2);
    for (size_t at = 0; at < count; at++) {
        text[at * 2] = hex[bytes[at] >> 4];
        text[at * 2 + 1] = hex[bytes[at] & 15];
    }
    return str_of(text, count * 2);
}

bool is_uuid(Str text, int version)
{
    if (text.len != 36) return false;
    for (size_t at = 0; at < 36; at++) {
        char c = text.bytes[at];
        bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (at == 8 || at == 13 || at == 18 || at == 23 ? c != '-' : !is_hex) return false;
    }
    return version == 0 || text.bytes[14] == '0' + version;
}

Str key_of_parts(Arena *arena, const Str *parts, size_t count)
{
    gnutls_hash_hd_t hash;
    uint8_t digest[32];
    check(gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) == 0);
    for (size_t at = 0; at < count; at++) {
        uint64_t len = parts[at].len;
        check(gnutls_hash(hash, &len, sizeof len) == 0);
        if (len) check(gnutls_hash(hash, parts[at].bytes, parts[at].len) == 0);
    }
    gnutls_hash_deinit(hash, digest);
    return hex_of(arena, digest, 18);
}

Str key_of_message(Arena *arena, const Event *event)
{
    Str parts[2] = { event->source, event->message_id };
    return key_of_parts(arena, parts, countof(parts));
}

Str hmac_hex(Arena *arena, HmacKind kind, Str secret, const Str *parts, size_t count)
{
    gnutls_hmac_hd_t hmac;
    uint8_t digest[32];
    gnutls_mac_algorithm_t mac = kind == HMAC_SHA1 ? GNUTLS_MAC_SHA1 : GNUTLS_MAC_SHA256;
    check(gnutls_hmac_init(&hmac, mac, secret.bytes, secret.len) == 0);
    for (size_t at = 0; at < count; at++)
        if (parts[at].len) check(gnutls_hmac(hmac, parts[at].bytes, parts[at].len) == 0);
    gnutls_hmac_deinit(hmac, digest);
    return hex_of(arena, digest, kind == HMAC_SHA1 ? 20 : 32);
}

Str base64_of(Arena *arena, Str bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = (bytes.len + 2) / 3 * 4;
    char *text = arena_bytes(arena, len), *out = text;
    for (size_t at = 0; at < bytes.len; at += 3) {
        size_t left = bytes.len - at;
        uint32_t three = (uint32_t)(uint8_t)bytes.bytes[at] << 16;
        if (left > 1) three |= (uint32_t)(uint8_t)bytes.bytes[at + 1] << 8;
        if (left > 2) three |= (uint8_t)bytes.bytes[at + 2];
        *out++ = digits[three >> 18];
        *out++ = digits[three >> 12 & 63];
        *out++ = left > 1 ? digits[three >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[three & 63] : '=';
    }
    return str_of(text, len);
}

Str basic_authorization(Arena *arena, Str user, Str password)
{
    Str pair = arena_printf(arena, "%.*s:%.*s", STR_FORMAT(user), STR_FORMAT(password));
    Str encoded = base64_of(arena, pair);
    return arena_printf(arena, "Basic %.*s", STR_FORMAT(encoded));
}

/* ---- Values ---- */

bool is_date_text(Str text, Millis *ret_ms)
{
    return text.len >= 8 && text.len <= 40 && text.bytes[0] >= '0' && text.bytes[0] <= '9'
        && memchr(text.bytes, '-', 8) && instant_read(text, ret_ms) == INSTANT_READ;
}

bool number_of_node(const TreeNode *node, double *ret)
{
    bool may = event_tree_is_kind(node, FIELD_NUMBER) || event_tree_is_kind(node, FIELD_STRING);
    return may && str_parse_double(node->text, ret);
}

bool instant_of_node(const TreeNode *node, Millis *ret_ms)
{
    if (event_tree_is_kind(node, FIELD_STRING)) return instant_read(node->text, ret_ms) == INSTANT_READ;
    return event_tree_is_kind(node, FIELD_NUMBER) && instant_read_number(node->raw, ret_ms) == INSTANT_READ;
}

bool fill_template(struct buf *buf, Str text, const TreeNode *json)
{
    bool is_full = true;
    while (text.len > 0) {
        const char *open = memmem(text.bytes, text.len, "{{", 2);
        const char *close = open ? memmem(open, (size_t)(text.bytes + text.len - open), "}}", 2) : NULL;
        char path[128];
        Str name, value;
        if (!close) {
            buf_str_put(buf, text);
            break;
        }
        buf_put(buf, text.bytes, (size_t)(open - text.bytes));
        name = str_trim(str_of(open + 2, (size_t)(close - open - 2)));
        text = str_slice(text, (size_t)(close + 2 - text.bytes), text.len);
        if (name.len >= sizeof path) name.len = sizeof path - 1;
        memcpy(path, name.bytes, name.len);
        path[name.len] = 0;
        value = event_tree_text(json, path);
        if (value.len == 0) is_full = false;
        buf_str_put(buf, value);
    }
    return is_full;
}

/* Blanks, "_" and "-" mean nothing. */
static bool is_same_name(Str event, const char *plain)
{
    for (size_t at = 0; at < event.len; at++) {
        char c = event.bytes[at];
        if (c == ' ' || c == '_' || c == '-') continue;
        if (c >= 'A' && c <= 'Z') c = (char)(c + 'a' - 'A');
        if (!*plain || c != *plain++) return false;
    }
    return !*plain;
}

bool is_order_completed(Str event)
{
    return is_same_name(event, "ordercompleted") || is_same_name(event, "completedorder");
}

/* ---- Browsers ---- */

/* By the first mark that is found, in this order: later ones are in the strings of earlier browsers, too. */
static const struct { const char *mark, *version, *name; } browsers[] = {
    { " OPR/", " OPR/", "Opera" },
    { "Opera", "Version/", "Opera" },
    { "SamsungBrowser/", "SamsungBrowser/", "Samsung Internet" },
    { "UCBrowser/", "UCBrowser/", "UC Browser" },
    { "BB10", "Version/", "BlackBerry" },
    { "BlackBerry", "Version/", "BlackBerry" },
    { "IEMobile/", "IEMobile/", "Internet Explorer Mobile" },
    { "EdgiOS/", "EdgiOS/", "Microsoft Edge" },
    { "EdgA/", "EdgA/", "Microsoft Edge" },
    { "Edg/", "Edg/", "Microsoft Edge" },
    { "Edge/", "Edge/", "Microsoft Edge" },
    { "FBIOS", "FBAV/", "Facebook Mobile" },
    { "CriOS/", "CriOS/", "Chrome iOS" },
    { "FxiOS/", "FxiOS/", "Firefox iOS" },
    { "Chrome/", "Chrome/", "Chrome" },
    { "Firefox/", "Firefox/", "Firefox" },
    { "MSIE ", "MSIE ", "Internet Explorer" },
    { "Trident/", "rv:", "Internet Explorer" },
    { "Android", "Version/", "Android Mobile" },
    { "Mobile/", "Version/", "Mobile Safari" },
    { "Safari/", "Version/", "Safari" },
};

Browser browser_of(Str user_agent)
{
    Browser found = { 0 };
    for (size_t at = 0; at < countof(browsers) && !found.name.bytes; at++) {
        Str version = str_from(browsers[at].version);
        const char *hit;
        if (!str_contains(user_agent, str_from(browsers[at].mark))) continue;
        found.name = str_from(browsers[at].name);
        hit = memmem(user_agent.bytes, user_agent.len, version.bytes, version.len);
        if (!hit) continue;
        found.version.bytes = hit + version.len;
        while (found.version.bytes + found.version.len < user_agent.bytes + user_agent.len
               && strchr("0123456789.", found.version.bytes[found.version.len])
               && found.version.bytes[found.version.len]) found.version.len++;
    }
    return found;
}
