/* destination_secret: puts stars in the place of secrets when a request, an answer or an error is shown or kept.
 *
 * Headers are shown only if their name is known to hold no secret, since a webhook's own headers may hold
 * any. Elsewhere what the settings keep secret is replaced, in its own form and in the forms in which it is sent
 * (percent-encoded, in JSON, as Basic credentials): secret options, the values of a webhook's headers, and what
 * a URL holds beside the way to a host: user and password, a query's values, and the parts of a path that look
 * random, since the addresses of many hooks are their own password.
 * A vendor may quote any of it, so answers and reasons go through here, too.
 */
#include "destination.h"

#include <stdlib.h>

enum {
    SECRET_LEAST = 4,                           /* a shorter one would star half of the text */
    HEADER_LEAST = 8,                           /* a header's value; shorter ones are words */
    SECRETS = 128, FORM_BYTES = 64 * 1024, SHOWN_BYTES = 16 * 1024 * 1024,
};
#define STARS "***"

bool secret_is_header(Str name)
{
    static const char *const harmless[] = {
        "accept", "content-type", "content-encoding", "user-agent", "intercom-version", "idempotency-key",
    };
    for (size_t at = 0; at < countof(harmless); at++)
        if (str_equal_no_case(name, str_from(harmless[at]))) return false;
    return true;
}

/* ---- URLs ---- */

static size_t find_byte(Str text, char byte, size_t from)
{
    while (from < text.len && text.bytes[from] != byte) from++;
    return from;
}

/* The places in a URL: "https://" user:password "@" host "/path" "?query". */
struct url_parts { Str scheme, user, host, path, query; bool has_user, has_query; };

static struct url_parts parts_of(Str url)
{
    struct url_parts parts = { 0 };
    const char *mark = url.len ? memmem(url.bytes, url.len, "://", 3) : NULL;
    size_t start = mark ? (size_t)(mark - url.bytes) + 3 : 0, end = start, at;
    while (end < url.len && !memchr("/?#", url.bytes[end], 3)) end++;
    parts.scheme = str_slice(url, 0, start);
    Str authority = str_slice(url, start, end);
    for (at = authority.len; at > 0 && authority.bytes[at - 1] != '@'; at--) continue;
    parts.has_user = at > 0;
    parts.user = str_slice(authority, 0, at ? at - 1 : 0);
    parts.host = str_slice(authority, at, authority.len);
    at = find_byte(url, '?', end);
    parts.path = str_slice(url, end, at);
    parts.has_query = at < url.len;
    parts.query = str_slice(url, at + (at < url.len), url.len);
    return parts;
}

static bool looks_drawn(Str part)
{
    bool has_digit = false;
    for (size_t at = 0; at < part.len; at++) has_digit |= part.bytes[at] >= '0' && part.bytes[at] <= '9';
    return part.len >= 20 || (part.len >= 6 && has_digit);
}

static void put_path(struct buf *out, Str path)
{
    while (path.len > 0) {
        size_t end = find_byte(path, '/', 0);
        Str part = str_slice(path, 0, end);
        buf_str_put(out, looks_drawn(part) ? STR(STARS) : part);
        if (end < path.len) buf_char(out, '/');
        path = str_slice(path, end + 1, path.len);
    }
}

static void put_query(struct buf *out, Str query)
{
    while (query.len > 0) {
        size_t end = find_byte(query, '&', 0), equals = find_byte(query, '=', 0);
        if (equals < end) buf_str_put(out, str_slice(query, 0, equals + 1));
        buf_str_put(out, STR(STARS));
        if (end < query.len) buf_char(out, '&');
        query = str_slice(query, end + 1, query.len);
    }
}

static void put_url(struct buf *out, Str url)
{
    struct url_parts parts = parts_of(url);
    buf_str_put(out, parts.scheme);
    if (parts.has_user) buf_str_put(out, STR(STARS "@"));
    buf_str_put(out, parts.host);
    put_path(out, parts.path);
    if (parts.has_query) buf_char(out, '?');
    put_query(out, parts.query);
}

/* ---- What is secret ---- */

struct secrets {
    struct { Str text, shown; } items[SECRETS];
    size_t count;
    struct buf forms;                           /* owns the texts that are made here */
    char bytes[FORM_BYTES];
};

static void add(struct secrets *secrets, Str text, Str shown, size_t least)
{
    if (text.len < least || secrets->count == SECRETS) return;
    secrets->items[secrets->count].text = text;
    secrets->items[secrets->count++].shown = shown;
}

/* What was put into forms since, where it is another text. */
static void add_form(struct secrets *secrets, size_t from, Str text)
{
    Str form = str_slice(buf_str(&secrets->forms), from, secrets->forms.len);
    if (buf_ok(&secrets->forms) && !str_equal(form, text)) add(secrets, form, STR(STARS), SECRET_LEAST);
}

static void put_base64(struct buf *out, Str text)
{
    struct region region = { 0 };
    region_open(&region, FORM_BYTES * 4);
    Arena arena = region_arena(&region);
    if (text.len < FORM_BYTES) buf_str_put(out, base64_of(&arena, text));
    region_close(&region);
}

/* Adds it in its own form, percent-encoded, in JSON, and as the user, or user and password, of Basic credentials. */
static void add_secret(struct secrets *secrets, Str text, size_t least)
{
    struct buf *forms = &secrets->forms;
    size_t from = forms->len;
    if (text.len < least || text.len > FORM_BYTES / 8) return;
    put_base64(forms, text);
    add_form(secrets, from, text);
    from = forms->len;
    buf_str_put(forms, text);
    buf_char(forms, ':');
    Str as_user = str_slice(buf_str(forms), from, forms->len);
    from = forms->len;
    if (buf_ok(forms)) put_base64(forms, as_user);
    add_form(secrets, from, text);
    from = forms->len;
    buf_percent_encode(forms, text, PERCENT_URL);
    add_form(secrets, from, text);
    from = forms->len;
    buf_json_string(forms, text);
    if (buf_ok(forms)) {
        Str quoted = str_slice(buf_str(forms), from + 1, forms->len - 1);
        if (!str_equal(quoted, text)) add(secrets, quoted, STR(STARS), SECRET_LEAST);
    }
    add(secrets, text, STR(STARS), least);
}

static void add_decoded(struct secrets *secrets, Str text)
{
    size_t from = secrets->forms.len;
    buf_percent_decode(&secrets->forms, text, false);
    Str decoded = str_slice(buf_str(&secrets->forms), from, secrets->forms.len);
    if (buf_ok(&secrets->forms) && !str_equal(decoded, text)) add_secret(secrets, decoded, SECRET_LEAST);
    add_secret(secrets, text, SECRET_LEAST);
}

static void add_url(struct secrets *secrets, Str url)
{
    struct url_parts parts = parts_of(url);
    size_t from = secrets->forms.len;
    Str query = parts.query, path = parts.path, password;
    put_url(&secrets->forms, url);
    Str shown = str_slice(buf_str(&secrets->forms), from, secrets->forms.len);
    if (!buf_ok(&secrets->forms) || str_equal(shown, url)) return;
    add(secrets, url, shown, 1);
    (void)str_cut(parts.user, ':', &password);
    add_decoded(secrets, parts.user);                       /* the pair; its user alone may be a plain word */
    add_decoded(secrets, password);
    while (query.len > 0) {
        Str value, field = str_cut(query, '&', &query);
        if (!str_contains(field, STR("="))) value = field;
        else (void)str_cut(field, '=', &value);
        if (value.len >= HEADER_LEAST) add_decoded(secrets, value);
    }
    while (path.len > 0) {
        Str part = str_cut(path, '/', &path);
        if (looks_drawn(part)) add_decoded(secrets, part);
    }
}

static void collect(const Settings *settings, struct secrets *secrets)
{
    const DestinationOption *options = settings->destination->options;
    secrets->count = 0;
    buf_init_fixed(&secrets->forms, secrets->bytes, sizeof secrets->bytes);
    for (size_t at = 0; options[at].name; at++)                 /* first: whole URLs hold what is replaced after them */
        if (options[at].kind == OPTION_URL) add_url(secrets, settings->values[at].text);
    for (size_t at = 0; options[at].name; at++) {
        if (options[at].kind == OPTION_SECRET) add_secret(secrets, settings->values[at].text, SECRET_LEAST);
        if (options[at].kind != OPTION_MAP || strcmp(options[at].name, "headers") != 0) continue;
        node_each(child, settings->values[at].map)
            if (secret_is_header(child->key)) add_secret(secrets, child->text, HEADER_LEAST);
    }
}

/* ---- Hiding ---- */

static void replace(Str text, Str secret, Str shown, struct buf *out)
{
    while (text.len) {
        const char *found = memmem(text.bytes, text.len, secret.bytes, secret.len);
        size_t before = found ? (size_t)(found - text.bytes) : text.len;
        buf_str_put(out, str_slice(text, 0, before));
        if (found) buf_str_put(out, shown);
        text = str_slice(text, before + (found ? secret.len : 0), text.len);
    }
}

void secret_hide_into(const Settings *settings, Str text, struct buf *out)
{
    struct secrets secrets;
    struct buf both[2];
    size_t turn = 0;
    collect(settings, &secrets);
    buf_init(&both[0], SHOWN_BYTES);
    buf_init(&both[1], SHOWN_BYTES);
    for (size_t at = 0; at < secrets.count; at++) {
        if (!str_contains(text, secrets.items[at].text)) continue;
        buf_clear(&both[turn]);
        replace(text, secrets.items[at].text, secrets.items[at].shown, &both[turn]);
        text = buf_ok(&both[turn]) ? buf_str(&both[turn]) : STR("(too long to be shown)");
        turn = 1 - turn;
    }
    buf_str_put(out, text);
    buf_done(&both[0]);
    buf_done(&both[1]);
}

Str secret_hide(const Settings *settings, Str text, Arena *arena)
{
    struct buf out;
    Str hidden;
    buf_init(&out, SHOWN_BYTES);
    secret_hide_into(settings, text, &out);
    hidden = str_equal(buf_str(&out), text) ? text : arena_copy(arena, buf_str(&out));
    buf_done(&out);
    return hidden;
}

/* A letter that an older version kept has its URL as it was: user and password of it, which are never shown. In a text
 * within JSON the quotes would be escaped, so what is found is the member. */
bool secret_hide_in_letter(Str json, struct buf *out)
{
    static const char mark[] = "\"url\":\"";
    const char *found = json.len ? memmem(json.bytes, json.len, mark, sizeof mark - 1) : NULL;
    size_t from = found ? (size_t)(found - json.bytes) + sizeof mark - 1 : json.len, end = find_byte(json, '"', from);
    struct url_parts parts = parts_of(str_slice(json, from, end));
    if (!found || !parts.has_user || str_equal(parts.user, STR(STARS))) return false;
    buf_str_put(out, str_slice(json, 0, from));
    buf_str_put(out, parts.scheme);
    buf_str_put(out, STR(STARS "@"));
    buf_str_put(out, str_slice(json, (size_t)(parts.host.bytes - json.bytes), json.len));
    return buf_ok(out);
}
