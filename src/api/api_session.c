/* api_session: people sign in to the dashboard, by a key or by a link that `onym ui` printed, and get a cookie.
 *
 * The cookie has 256 random bits, is for the dashboard's own host and for HTTP alone (no script reads it), and is sent
 * from the dashboard only (SameSite=Strict; http_access.c asks the browser, too). access/ keeps what it stands for.
 * A new session gets a token that nobody knew before: a cookie that somebody else has put into the browser is worth
 * nothing. */
#include <stdio.h>

#include "api_routes.h"

enum { COOKIE_AGE_S = 30 * DAY_MS / SECOND_MS, BODY_BYTES = 4096 };

static void refuse(struct exchange *exchange, Status status, unsigned http_status, const Err *err)
{
    reply_error(exchange, status, err);
    exchange->reply.status = http_status;
    exchange->reply.asks_for_key = false;
}

static void put_session(struct buf *out, const AccessSession *session, bool is_own)
{
    json_object(out, NULL);
    json_string_or_null(out, "id", str_from(session->id));
    json_word(out, "role", access_role_word(session->role));
    json_string_or_null(out, "key", str_from(session->key_name));
    if (session->id[0]) {
        json_instant(out, "created_at", session->created_at_ms);
        json_instant(out, "last_seen_at", session->seen_at_ms);
        json_instant(out, "expires_at", session->expires_at_ms);
    } else {
        json_null(out, "created_at");
        json_null(out, "last_seen_at");
        json_null(out, "expires_at");
    }
    json_string_or_null(out, "agent", str_from(session->agent));
    json_bool(out, "current", is_own);
    json_object_end(out);
}

/* It comes after the JSON and a NUL: its text is in the exchange's own buffer until the answer is sent. */
static void put_cookie(struct exchange *exchange, Str token)
{
    buf_char(&exchange->answer, 0);
    buf_printf(&exchange->answer, "%s=%.*s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s",
               exchange_cookie_name(exchange), STR_FORMAT(token), token.len ? COOKIE_AGE_S : 0,
               exchange_is_secure(exchange) ? "; Secure" : "");
    buf_char(&exchange->answer, 0);
}

/* Sends the answer, which is written already, when the session is on disk or is known not to be. */
static void reply_with_cookie(struct exchange *exchange)
{
    Str body = str_from(exchange->answer.bytes);
    reply_text(exchange, 200, NULL, body);
    if (exchange->answer.len > body.len + 1) exchange->reply.cookie_at[exchange->reply.cookie_count++] = body.len + 1;
}

/* A full disk must not keep people out who come to see why: the session is good until a new start, and maintenance
 * says in the log that it is not on disk. */
static void work_begin(struct exchange *exchange, Arena *arena)
{
    (void)arena;
    IGNORE(access_write(exchange_options(exchange)->access, false, NULL));
    reply_with_cookie(exchange);
}

/* The session has ended in any case; if a new start would not know it, the answer says so. */
static void work_end(struct exchange *exchange, Arena *arena)
{
    Err err;
    (void)arena;
    Status s = access_write(exchange_options(exchange)->access, false, &err);
    if (!s) {
        reply_with_cookie(exchange);
        return;
    }
    s = err_wrap(&err, s, "the session has ended, but that is not on disk, and a new start would not know; try again");
    reply_error(exchange, s, &err);
}

/* ---- POST /api/v1/session ---- */

static Status read_body(struct exchange *exchange, Arena *arena, Str *ret_key, Str *ret_link, Err *err)
{
    const TreeNode *body;
    if (exchange->body.len > BODY_BYTES) return err_set(err, ERR_TOO_LARGE, "a body of at most %d bytes", BODY_BYTES);
    Status s = event_tree_read(buf_str(&exchange->body), arena, &body, err);
    if (s) return err_wrap(err, s, "the body");
    *ret_key = event_tree_text(body, "key");
    *ret_link = event_tree_text(body, "link");
    if ((ret_key->len > 0) == (ret_link->len > 0))
        return err_set_field(err, "key", "give either key (the secret key, or one of keys) or link (of onym ui)");
    return OK;
}

void api_session_begin(struct exchange *exchange)
{
    struct access *access = exchange_options(exchange)->access;
    char token[ACCESS_TOKEN_CHARS];
    Millis wait_ms = 0;
    AccessVisitor visitor = { .address = exchange_peer(exchange), .agent = exchange->user_agent };
    Err err;
    if (exchange_is_foreign(exchange)) {
        reply_foreign(exchange);
        return;
    }
    Status s = read_body(exchange, exchange_arena(exchange), &visitor.key, &visitor.link, &err);
    if (!s && !access) s = err_set(&err, ERR_CLOSED, "nobody signs in here: the dashboard is switched off (ui: false)");
    if (!s) s = access_sign_in(access, &visitor, token, &exchange->session, &wait_ms, &err);
    if (s == ERR_DENIED) snprintf(exchange->who, sizeof exchange->who, "somebody who was refused");
    if (s == ERR_RATE) exchange->reply.retry_after_ms = wait_ms;
    if (s) {
        refuse(exchange, s, s == ERR_CLOSED ? 404 : reply_status_of(s, false), &err);
        return;
    }
    exchange->role = exchange->session.role;
    snprintf(exchange->who, sizeof exchange->who, "session %s", exchange->session.id);
    buf_clear(&exchange->answer);
    put_session(&exchange->answer, &exchange->session, true);
    put_cookie(exchange, str_of(token, sizeof token));
    exchange_defer(exchange, work_begin);
}

/* ---- POST /api/v1/session/link ---- */

void api_session_link(struct exchange *exchange)
{
    char token[ACCESS_TOKEN_CHARS];
    struct access *access = exchange_options(exchange)->access;
    Millis now_ms = clock_now_ms(api_options(exchange)->clock);
    Str key = { 0 };
    Err err;
    if (!exchange->session.id[0])
        key = collect_key_of_authorization(exchange->authorization, exchange_arena(exchange));
    Status s = access ? access_make_link(access, key, str_from(exchange->session.id), token, &err)
                      : err_set(&err, ERR_CLOSED, "nobody signs in here: the dashboard is switched off (ui: false)");
    if (s) {
        refuse(exchange, s, s == ERR_CLOSED ? 404 : reply_status_of(s, false), &err);
        return;
    }
    buf_clear(&exchange->answer);
    json_object(&exchange->answer, NULL);
    json_string(&exchange->answer, "link", str_of(token, sizeof token));
    json_instant(&exchange->answer, "expires_at", now_ms + ACCESS_LINK_MS);
    json_object_end(&exchange->answer);
    reply_text(exchange, 200, NULL, buf_str(&exchange->answer));
}

/* ---- Looking and ending ---- */

/* Who am I: a session, or a key, which has neither beginning nor end. */
void api_session(struct exchange *exchange)
{
    AccessSession session = exchange->session;
    if (!session.id[0]) {
        session.role = exchange->role;
        snprintf(session.key_name, sizeof session.key_name, "%.*s", ACCESS_NAME_BYTES,
                 exchange->who + strlen("key "));
    }
    buf_clear(&exchange->answer);
    put_session(&exchange->answer, &session, true);
    reply_text(exchange, 200, NULL, buf_str(&exchange->answer));
}

static void end_session(struct exchange *exchange, Str id)
{
    struct access *access = exchange_options(exchange)->access;
    bool is_own = str_equal(id, str_from(exchange->session.id));
    Err err;
    if (!access || !id.len || !access_end(access, id)) {
        err_set(&err, ERR_NOT_FOUND, "there is no such session; it may have ended by itself");
        reply_error(exchange, ERR_NOT_FOUND, &err);
        return;
    }
    buf_clear(&exchange->answer);
    json_object(&exchange->answer, NULL);
    json_string(&exchange->answer, "ended", id);
    json_object_end(&exchange->answer);
    if (is_own) put_cookie(exchange, (Str){ 0 });
    else buf_char(&exchange->answer, 0);
    exchange_defer(exchange, work_end);
}

void api_session_end(struct exchange *exchange)
{
    Err err;
    if (exchange->session.id[0]) {
        end_session(exchange, str_from(exchange->session.id));
        return;
    }
    err_set(&err, ERR_INPUT, "a key does not sign out: it is taken out of keys in the configuration");
    reply_error(exchange, ERR_INPUT, &err);
}

void api_sessions_end(struct exchange *exchange) { end_session(exchange, exchange->parameter); }

void api_sessions(struct exchange *exchange)
{
    struct access *access = exchange_options(exchange)->access;
    AccessSession *sessions = arena_new(exchange_arena(exchange), AccessSession, ACCESS_SESSIONS);
    size_t count = access ? access_list(access, sessions) : 0;
    buf_clear(&exchange->answer);
    json_object(&exchange->answer, NULL);
    json_array(&exchange->answer, "sessions");
    for (size_t at = 0; at < count; at++)
        put_session(&exchange->answer, &sessions[at], !strcmp(sessions[at].id, exchange->session.id));
    json_array_end(&exchange->answer);
    json_object_end(&exchange->answer);
    reply_text(exchange, 200, NULL, buf_str(&exchange->answer));
}
