/* api_links: links that take a visitor's id to another domain, where no cookie of the first one can be read.
 *
 * The link carries an anonymous id that Onym, or somebody else who knows the secret key, has signed:
 *
 *     onym1 . <expires: seconds since 1970> . <nonce> . <anonymous id: base64url> . <signature>
 *     signature = hex of HMAC-SHA256(secret key, everything before the last dot)
 *
 * The page at the other end redeems it (POST /v1/link) before it uses the id. This works once: an address is
 * copied, shared and indexed, and a later visitor is somebody else. So each signature that was redeemed is kept
 * on disk, before the answer, until a day after it has expired (a clock may be set back); nothing else is kept, no id.
 *
 * A forged or expired link is answered at once and leaves no trace: it costs neither memory nor disk. REDEEMED_A_SECOND
 * and REDEEMED_MAX limit what is written. A damaged store begins anew; then links that were used are valid again until
 * they expire. */
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdlib.h>

#include "api_routes.h"
#include "kv/kv.h"

enum {
    DIGEST_BYTES = 32, NONCE_LEAST = 16, NONCE_MOST = 64, TOKEN_BYTES = 1024,
    LIFE_S = 600, LIFE_MOST_S = 7 * DAY_MS / SECOND_MS, SWEEP_AFTER_S = DAY_MS / SECOND_MS, SWEEP_ROWS = 64,
    REDEEMED_A_SECOND = 500, REDEEMED_MAX = 500000, KEY_BYTES = 8 + DIGEST_BYTES,
};
static const uint64_t STORE_BYTES = UINT64_C(1) << 28;
static const char *const tables[] = { "redeemed" };

struct api_links {
    struct kv *kv;
    pthread_mutex_t lock;                    /* one redeems at a time: between looking and keeping nobody else looks */
    int64_t second;
    uint32_t this_second;
};

Status api_links_open(const char *dir, struct api_links **ret, bool *ret_is_anew, Err *err)
{
    KvOptions options = { .dir = dir, .tables = tables, .table_count = 1, .max_bytes = STORE_BYTES, .is_synced = true };
    struct kv *kv;
    *ret_is_anew = false;
    Status s = kv_open(&options, &kv, err);
    if (s == ERR_DAMAGED) {
        *ret_is_anew = true;
        s = kv_destroy(dir, err);
        if (!s) s = kv_open(&options, &kv, err);
    }
    if (s) return s;
    struct api_links *links = calloc(1, sizeof *links);
    check(links != NULL && pthread_mutex_init(&links->lock, NULL) == 0);
    links->kv = kv;
    *ret = links;
    return OK;
}

Status api_links_verify(const char *dir, uint64_t *ret_rows, Err *err)
{
    Status s = kv_check(dir, tables, 1, ret_rows, err);
    return s == ERR_NOT_FOUND ? OK : s;
}

void api_links_close(struct api_links *links)
{
    if (!links) return;
    kv_close(links->kv);
    pthread_mutex_destroy(&links->lock);
    free(links);
}

/* ---- The token ---- */

typedef struct Link {
    Str signed_part, id;                     /* id: decoded, not as the token has it */
    int64_t expires_s;
    unsigned char digest[DIGEST_BYTES];
} Link;

static void sign(Str secret, Str text, unsigned char digest[DIGEST_BYTES])
{
    check(gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret.bytes, secret.len, text.bytes, text.len, digest) == 0);
}

static void put_hex(struct buf *out, const unsigned char *bytes, size_t count)
{
    for (size_t at = 0; at < count; at++) buf_printf(out, "%02x", bytes[at]);
}

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void put_base64url(struct buf *out, Str text)
{
    for (size_t at = 0; at < text.len; at += 3) {
        uint32_t bits = 0;
        size_t count = text.len - at < 3 ? text.len - at : 3;
        for (size_t byte = 0; byte < 3; byte++)
            bits = bits << 8 | (byte < count ? (unsigned char)text.bytes[at + byte] : 0);
        for (size_t letter = 0; letter <= count; letter++) buf_char(out, letters[bits >> (18 - 6 * letter) & 63]);
    }
}

/* With or without padding: languages differ. False: it is no base64url, or empty. */
static bool read_base64url(Str text, Arena *arena, Str *ret)
{
    while (text.len && text.bytes[text.len - 1] == '=') text.len--;
    char *bytes = arena_bytes(arena, text.len + 1);
    size_t len = 0;
    uint32_t bits = 0, have = 0;
    for (size_t at = 0; at < text.len; at++) {
        const char *letter = text.bytes[at] ? strchr(letters, text.bytes[at]) : NULL;
        if (!letter) return false;
        bits = bits << 6 | (uint32_t)(letter - letters);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        bytes[len++] = (char)(bits >> have & 255);
    }
    *ret = str_of(bytes, len);
    return len > 0 && have < 6;
}

static bool is_nonce(Str text)
{
    for (size_t at = 0; at < text.len; at++)
        if (!text.bytes[at] || !strchr(letters, text.bytes[at])) return false;
    return text.len >= NONCE_LEAST && text.len <= NONCE_MOST;
}

static Status refuse(Err *err, const char *why) { return err_set_field(err, "token", "the link %s", why); }

/* Only of a signed link do we say what is wrong with its form, so that the answers teach nobody to forge. */
static Status link_read(Str secret, Str token, int64_t now_s, Arena *arena, Link *ret, Err *err)
{
    const char *dot = token.len ? memrchr(token.bytes, '.', token.len) : NULL;
    char hex[2 * DIGEST_BYTES + 1];
    struct buf written;
    Str version, expires, nonce, rest;
    if (!secret.len) return refuse(err, "cannot be checked: this Onym has no secret_key");
    if (!dot || token.len > TOKEN_BYTES) return refuse(err, "is not one that Onym has signed");
    ret->signed_part = str_of(token.bytes, (size_t)(dot - token.bytes));
    sign(secret, ret->signed_part, ret->digest);
    buf_init_fixed(&written, hex, sizeof hex);
    put_hex(&written, ret->digest, DIGEST_BYTES);
    Str theirs = str_slice(token, ret->signed_part.len + 1, token.len);
    if (!str_equal_constant_time(theirs, str_of(hex, 2 * DIGEST_BYTES)))
        return refuse(err, "is not one that Onym has signed");
    version = str_cut(ret->signed_part, '.', &rest);
    expires = str_cut(rest, '.', &rest);
    nonce = str_cut(rest, '.', &rest);
    if (!str_equal(version, STR("onym1"))) return refuse(err, "is of a version that is not known here");
    if (!str_parse_int(expires, 0, INT64_MAX / 2, &ret->expires_s))
        return refuse(err, "has no expiry in seconds since 1970");
    if (!is_nonce(nonce)) return refuse(err, "has no nonce of 16 to 64 letters, digits, - and _");
    if (!read_base64url(rest, arena, &ret->id)) return refuse(err, "has no id in base64url");
    if (ret->id.len > LIMIT_ID_BYTES) return refuse(err, "has an id of more than 512 bytes");
    if (ret->expires_s <= now_s) return refuse(err, "has expired");
    if (ret->expires_s - now_s > LIFE_MOST_S) return refuse(err, "lives longer than the 7 days that one may");
    return OK;
}

/* ---- Once ---- */

static void write_key_of(const Link *link, char key[KEY_BYTES])
{
    kv_key_u64(key, (uint64_t)link->expires_s);
    memcpy(key + 8, link->digest, DIGEST_BYTES);
}

/* With each new link we remove some that have expired long ago, so that no big clean-up is ever needed. */
static Status sweep(struct kv_txn *txn, int64_t now_s, Err *err)
{
    struct kv_cursor *cursor;
    for (int row = 0; row < SWEEP_ROWS; row++) {
        Str key, value;
        char copy[KEY_BYTES];
        Status s = kv_cursor_open(txn, 0, &cursor, err);
        if (s) return s;
        s = kv_find(cursor, str_of("", 1), &key, &value, err);
        bool is_old = !s && key.len == KEY_BYTES && (int64_t)kv_read_u64(key.bytes) + SWEEP_AFTER_S < now_s;
        if (is_old) memcpy(copy, key.bytes, KEY_BYTES);
        kv_cursor_close(cursor);
        if (s && s != ERR_NOT_FOUND) return s;
        if (!is_old) return OK;
        s = kv_remove(txn, 0, str_of(copy, KEY_BYTES), err);
        if (s) return s;
    }
    return OK;
}

static Status keep(struct api_links *links, const Link *link, int64_t now_s, Err *err)
{
    char key[KEY_BYTES];
    Str value;
    struct kv_txn *txn;
    write_key_of(link, key);
    Status s = kv_begin_write(links->kv, &txn, err);
    if (s) return s;
    s = kv_get(txn, 0, str_of(key, KEY_BYTES), &value, err);
    if (!s) s = err_set(err, ERR_CONFLICT, "the link has been used already");
    else if (s == ERR_NOT_FOUND) s = sweep(txn, now_s, err);
    if (!s) s = kv_put(txn, 0, str_of(key, KEY_BYTES), STR("1"), err);
    if (!s) return kv_commit(txn, err);
    kv_abort(txn);
    return s;
}

static Status redeem(struct api_links *links, const Link *link, int64_t now_s, Err *err)
{
    KvStats stats;
    if (!links)
        return err_set(err, ERR_CLOSED, "this Onym redeems no links: its store (data/links) could not "
                       "be opened; the log says why");
    pthread_mutex_lock(&links->lock);
    if (links->second != now_s) links->second = now_s, links->this_second = 0;
    Status s = kv_read_stats(links->kv, &stats, err);
    if (!s && stats.rows[0] >= REDEEMED_MAX)
        s = err_set(err, ERR_RATE, "%d links were redeemed within a week; more fit when those expire", REDEEMED_MAX);
    if (!s && ++links->this_second > REDEEMED_A_SECOND)
        s = err_set(err, ERR_RATE, "more than %d links in a second", REDEEMED_A_SECOND);
    if (!s) s = keep(links, link, now_s, err);
    pthread_mutex_unlock(&links->lock);
    return s;
}

/* ---- POST /v1/link: by the page at the other end ---- */

static Status read_asked(struct exchange *exchange, Arena *arena, Link *ret, Err *err)
{
    const ApiOptions *options = api_options(exchange);
    const TreeNode *tree;
    Status s = event_tree_read(buf_str(&exchange->body), arena, &tree, err);
    if (s) return s;
    Str key = event_tree_text(tree, "writeKey"), page = exchange_page(exchange);
    if (!key.len) key = exchange->header_key;
    const Source *source = collector_find_source(options->collector, key);
    if (!source) return err_set_field(err, "writeKey", "no source has this write key");
    exchange->collected.source = source;                   /* CORS looks at it */
    if (page.len && !source_allows_origin(source, page))
        return err_set(err, ERR_DENIED, "source %.*s: not open to this origin", STR_FORMAT(source->name));
    if (!source->is_enabled)
        return err_set_field(err, "writeKey", "source %.*s: is disabled", STR_FORMAT(source->name));
    int64_t now_s = clock_now_ms(options->clock) / 1000;
    return link_read(options->secret_key, event_tree_text(tree, "token"), now_s, arena, ret, err);
}

static void work_redeem(struct exchange *exchange, Arena *arena)
{
    const ApiOptions *options = api_options(exchange);
    Link link;
    Err err = { 0 };
    Status s = read_asked(exchange, arena, &link, &err);
    if (!s) s = redeem(options->links, &link, clock_now_ms(options->clock) / 1000, &err);
    if (s) {
        reply_error(exchange, s, &err);
        return;
    }
    buf_clear(&exchange->answer);
    json_object(&exchange->answer, NULL);
    json_bool(&exchange->answer, "success", true);
    json_string(&exchange->answer, "anonymousId", link.id);
    json_object_end(&exchange->answer);
    reply_text(exchange, 200, NULL, buf_str(&exchange->answer));
}

/* A forged link is answered here, so it takes no worker's time. */
void api_link(struct exchange *exchange)
{
    Link link;
    Err err = { 0 };
    Status s = read_asked(exchange, exchange_arena(exchange), &link, &err);
    if (s) reply_error(exchange, s, &err);
    else exchange_defer(exchange, work_redeem);
}

/* ---- POST /api/v1/links: by the site's own server ---- */

static Status make(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    const ApiOptions *options = api_options(exchange);
    const TreeNode *body;
    unsigned char noise[24], digest[DIGEST_BYTES];
    char bytes[TOKEN_BYTES + 1];
    struct buf token;
    int64_t life_s = LIFE_S, now_s = clock_now_ms(options->clock) / 1000;
    Status s = event_tree_read(buf_str(&exchange->body), arena, &body, err);
    if (s) return err_wrap(err, s, "the body");
    Str id = event_tree_text(body, "anonymous_id"), life = event_tree_text(body, "expires_in");
    if (id.len == 0 || id.len > LIMIT_ID_BYTES)
        return err_set_field(err, "anonymous_id", "give the visitor's anonymous id, 1 to %d bytes", LIMIT_ID_BYTES);
    if (event_tree_is_given(event_tree_get(body, STR("expires_in"))) && !str_parse_int(life, 1, LIFE_MOST_S, &life_s))
        return err_set_field(err, "expires_in", "must be a number of seconds from 1 to %d (7 days)", LIFE_MOST_S);
    os_dice()->fill(os_dice(), noise, sizeof noise);
    buf_init_fixed(&token, bytes, sizeof bytes);
    buf_printf(&token, "onym1.%lld.", (long long)(now_s + life_s));
    put_base64url(&token, str_of(noise, sizeof noise));
    buf_char(&token, '.');
    put_base64url(&token, id);
    sign(options->secret_key, buf_str(&token), digest);
    buf_char(&token, '.');
    put_hex(&token, digest, DIGEST_BYTES);
    check(buf_ok(&token));
    json_object(out, NULL);
    json_string(out, "token", buf_str(&token));
    json_printf(out, "parameter", "ajs_aid=%.*s", STR_FORMAT(buf_str(&token)));
    json_instant(out, "expires_at", (now_s + life_s) * 1000);
    json_object_end(out);
    return OK;
}

void api_links_make(struct exchange *exchange)
{
    Err err = { 0 };
    buf_clear(&exchange->answer);
    Status s = make(exchange, exchange_arena(exchange), &exchange->answer, &err);
    if (s) reply_error(exchange, s, &err);
    else reply_text(exchange, 200, NULL, buf_str(&exchange->answer));
}
