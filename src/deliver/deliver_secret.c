/* deliver_secret: stars for what must not be seen where a request is shown or kept.
 *
 * Headers are shown only where their name is known to hold no secret, since a webhook's own headers may hold
 * any. Elsewhere (URL, body) the values of secret settings are replaced, as they are and percent-encoded.
 */
#include "deliver_outlet.h"

enum { SECRET_LEAST = 4, SHOWN_BYTES = 4 * 1024 * 1024 };      /* a shorter one would star half of the text */

bool secret_is_header(Str name)
{
    static const char *const harmless[] = {
        "accept", "content-type", "content-encoding", "user-agent", "intercom-version", "idempotency-key",
    };
    for (size_t at = 0; at < countof(harmless); at++)
        if (str_equal_no_case(name, str_from(harmless[at]))) return false;
    return true;
}

static Str replace(Str text, Str secret, Arena *arena)
{
    struct buf out;
    Str replaced;
    if (secret.len < SECRET_LEAST || !str_contains(text, secret)) return text;
    buf_init(&out, SHOWN_BYTES * 2);
    while (text.len) {
        const char *found = memmem(text.bytes, text.len, secret.bytes, secret.len);
        size_t before = found ? (size_t)(found - text.bytes) : text.len;
        buf_str_put(&out, str_slice(text, 0, before));
        if (found) buf_str_put(&out, STR("***"));
        text = str_slice(text, before + (found ? secret.len : 0), text.len);
    }
    replaced = buf_ok(&out) ? arena_copy(arena, buf_str(&out)) : STR("(too long to be shown)");
    buf_done(&out);
    return replaced;
}

Str secret_hide(const Settings *settings, Str text, Arena *arena)
{
    const Option *options = settings->destination->options;
    for (size_t at = 0; options[at].name; at++) {
        Str secret = settings->values[at].text;
        char bytes[1024];
        struct buf escaped;
        if (options[at].kind != OPTION_SECRET || secret.len == 0) continue;
        text = replace(text, secret, arena);
        buf_init_fixed(&escaped, bytes, sizeof bytes);
        url_escape(&escaped, secret);
        if (buf_ok(&escaped)) text = replace(text, buf_str(&escaped), arena);
    }
    return text;
}
