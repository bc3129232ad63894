/* http_site: the example site of `onym demo`, route by route what examples/rdio/README.md says. That folder's
 * server.mjs is the same for people who look for something to copy; the same browser test runs both.
 *
 * Accounts and sessions live in memory, in tables of fixed size: it is a demonstration, for one machine. The
 * call that the server makes itself goes the way of every other: through collect/ into the journal, and the
 * visitor's next page waits until it is on disk. One server drives a site, so nothing here is locked. */
#include <stdio.h>
#include <stdlib.h>

#include "http_exchange.h"

enum {
    FIRST_USER_ID = 12345,
    ACCOUNTS_MAX = 1000,
    SESSIONS_MAX = 1000,
    SESSION_CHARS = 32,
    FORM_BYTES = 4096,
    FIELD_BYTES = 256,
    MESSAGE_BYTES = 32 * 1024,
};

struct account {
    char user_id[16], name[FIELD_BYTES], email[FIELD_BYTES], created_at[INSTANT_TEXT_BYTES + 1];
    bool is_unlimited;
};

struct session {
    char id[SESSION_CHARS];
    struct account *account;         /* NULL: none, or logged out */
};

struct http_site {
    HttpSiteOptions options;
    struct account accounts[ACCOUNTS_MAX];
    size_t account_count;
    struct session sessions[SESSIONS_MAX];
    size_t next_session;             /* the oldest makes room */
};

struct http_site *http_site_open(const HttpSiteOptions *options)
{
    struct http_site *site = calloc(1, sizeof *site);
    if (site) site->options = *options;
    return site;
}

void http_site_close(struct http_site *site) { free(site); }

static struct http_site *exchange_site(const struct exchange *exchange) { return exchange_options(exchange)->site; }

/* ---- What the browser says ---- */

static Str find_cookie(const struct exchange *exchange, Str name)
{
    Str rest = exchange->cookie;
    while (rest.len) {
        Str value, pair = str_trim(str_cut(rest, ';', &rest)), key = str_cut(pair, '=', &value);
        if (str_equal(key, name)) return value;
    }
    return (Str){ 0 };
}

static struct session *find_session(const struct exchange *exchange)
{
    struct http_site *site = exchange_site(exchange);
    Str id = find_cookie(exchange, STR("rdio_session"));
    for (size_t at = 0; at < SESSIONS_MAX; at++) {
        struct session *session = &site->sessions[at];
        if (session->account && str_equal_constant_time(id, str_of(session->id, SESSION_CHARS))) return session;
    }
    return NULL;
}

static struct account *find_account(struct http_site *site, Str email)
{
    for (size_t at = 0; at < site->account_count; at++)
        if (str_equal(str_from(site->accounts[at].email), email)) return &site->accounts[at];
    return NULL;
}

static Str form_field(struct exchange *exchange, Str name)
{
    Str rest = buf_str(&exchange->body);
    while (rest.len) {
        Str value, pair = str_cut(rest, '&', &rest), key = str_cut(pair, '=', &value);
        if (!str_equal(key, name)) continue;
        value = percent_decode(value, true, exchange_arena(exchange));
        return str_slice(value, 0, FIELD_BYTES - 1);
    }
    return (Str){ 0 };
}

/* ---- Answers ---- */

/* Where the visitor goes next stands in the body's buffer, whose form has been read by then: the first text is
 * the address, the second, if there is one, a cookie. */
static void aim(struct exchange *exchange, const char *location, const char *cookie)
{
    buf_clear(&exchange->body);
    buf_put(&exchange->body, location, strlen(location) + 1);
    if (cookie) buf_put(&exchange->body, cookie, strlen(cookie) + 1);
}

static void redirect(struct exchange *exchange)
{
    reply_text(exchange, 303, "text/plain; charset=utf-8", (Str){ 0 });
    buf_clear(&exchange->answer);
    buf_put(&exchange->answer, exchange->body.bytes, exchange->body.len);
    exchange->reply.location = exchange->answer.bytes;
    size_t location_bytes = strlen(exchange->answer.bytes) + 1;
    if (exchange->answer.len > location_bytes)
        exchange->reply.cookie_at[exchange->reply.cookie_count++] = location_bytes;
}

static void redirect_to(struct exchange *exchange, const char *location)
{
    aim(exchange, location, NULL);
    redirect(exchange);
}

static void write_traits(const struct account *account, struct buf *out)
{
    buf_str_put(out, STR("\"name\":"));
    buf_json_string(out, str_from(account->name));
    buf_str_put(out, STR(",\"email\":"));
    buf_json_string(out, str_from(account->email));
    buf_printf(out, ",\"plan\":\"%s\",\"createdAt\":\"%s\"", account->is_unlimited ? "Unlimited" : "Free",
               account->created_at);
}

/* ---- The server's own call ---- */

/* It knows for certain who this is, and which visitor: the browser's cookie came along. */
static void write_identify(struct exchange *exchange, const struct account *account, struct buf *out)
{
    const HttpSiteOptions *options = &exchange_site(exchange)->options;
    Str anonymous_id = percent_decode(find_cookie(exchange, STR("ajs_anonymous_id")), false, exchange_arena(exchange));
    char uuid[36];
    dice_uuid(options->dice, uuid);
    buf_printf(out, "{\"type\":\"identify\",\"messageId\":\"rdio-%.36s\",\"timestamp\":\"", uuid);
    buf_instant(out, clock_now_ms(options->clock));
    buf_printf(out, "\",\"userId\":\"%s\"", account->user_id);
    if (anonymous_id.len) {
        buf_str_put(out, STR(",\"anonymousId\":"));
        buf_json_string(out, str_slice(anonymous_id, 0, FIELD_BYTES));
    }
    buf_str_put(out, STR(",\"traits\":{"));
    write_traits(account, out);
    buf_str_put(out, STR("},\"context\":{\"library\":{\"name\":\"rdio-server\",\"version\":\"1\"},\"userAgent\":"));
    buf_json_string(out, str_slice(exchange->user_agent, 0, 1024));
    buf_str_put(out, STR("}}"));
}

/* Redirects to what was aimed at, once the call is on disk; should it fail, at once, for that is no reason to
 * keep the visitor. */
static void identify_and_redirect(struct exchange *exchange, const struct account *account)
{
    Arena *arena = exchange_arena(exchange);
    struct buf message;
    char *bytes = arena_bytes(arena, MESSAGE_BYTES + EVENT_PADDING_BYTES);
    buf_init_fixed(&message, bytes, MESSAGE_BYTES);
    write_identify(exchange, account, &message);
    check(buf_ok(&message));
    memset(bytes + message.len, 0, EVENT_PADDING_BYTES);
    CollectRequest request = {
        .implied_type = EVENT_IDENTIFY,
        .body = buf_str(&message),
        .header_key = exchange_site(exchange)->options.write_key,
    };
    Err err;
    exchange->append = exchange_take_append(exchange);
    Status s = collect_request(exchange_worker(exchange), &request, exchange->append, &exchange->collected, &err);
    if (s) log_write(LOG_WARN, "the site's identify was not taken", LOG_TEXT("error", err.text));
    if (!s && exchange->append->record_count) exchange_submit(exchange);
    if (exchange->state != EXCHANGE_WAITING) redirect(exchange);
}

void http_site_durable(struct exchange *exchange, Status status)
{
    if (status) log_write(LOG_WARN, "the site's identify was not kept", LOG_TEXT("error", status_meaning(status)));
    else health_add(exchange_options(exchange)->health, COUNT_ACCEPTED, exchange->collected.accepted);
    redirect(exchange);
}

/* ---- Handlers ---- */

static void aim_with_session(struct exchange *exchange, struct account *account, const char *location)
{
    struct http_site *site = exchange_site(exchange);
    struct session *session = &site->sessions[site->next_session++ % SESSIONS_MAX];
    session->account = account;
    dice_key(site->options.dice, session->id, SESSION_CHARS);
    aim(exchange, location, arena_printf(exchange_arena(exchange), "rdio_session=%.*s; Path=/; HttpOnly; SameSite=Lax",
                                         SESSION_CHARS, session->id).bytes);
}

static bool is_form_fine(struct exchange *exchange)
{
    if (exchange->body.len <= FORM_BYTES) return true;
    reply_text(exchange, 400, "text/plain; charset=utf-8", STR("a form may have 4,096 bytes\n"));
    return false;
}

static void copy_field(char *room, Str field)
{
    memcpy(room, field.bytes, field.len);
    room[field.len] = 0;
}

static void sign_up(struct exchange *exchange, const char *location)
{
    struct http_site *site = exchange_site(exchange);
    Str name = form_field(exchange, STR("name")), email = form_field(exchange, STR("email"));
    if (!is_form_fine(exchange)) return;
    if (!name.len || !email.len || memchr(name.bytes, 0, name.len) || memchr(email.bytes, 0, email.len)) {
        redirect_to(exchange, "/signup");
        return;
    }
    if (find_account(site, email)) {
        redirect_to(exchange, "/signup?taken");
        return;
    }
    if (site->account_count == ACCOUNTS_MAX) {
        reply_text(exchange, 503, "text/plain; charset=utf-8", STR("this demonstration has room for 1,000 accounts\n"));
        return;
    }
    struct account *account = &site->accounts[site->account_count];
    snprintf(account->user_id, sizeof account->user_id, "%zu", FIRST_USER_ID + site->account_count++);
    copy_field(account->name, name);
    copy_field(account->email, email);
    account->is_unlimited = str_equal(form_field(exchange, STR("plan")), STR("Unlimited"));
    instant_write(clock_now_ms(site->options.clock), account->created_at);
    aim_with_session(exchange, account, location);
    identify_and_redirect(exchange, account);
}

static void site_signup(struct exchange *exchange) { sign_up(exchange, "/welcome?via=form"); }
static void site_connect(struct exchange *exchange) { sign_up(exchange, "/welcome?via=faceplace"); }

static void site_login(struct exchange *exchange)
{
    if (!is_form_fine(exchange)) return;
    struct account *account = find_account(exchange_site(exchange), form_field(exchange, STR("email")));
    if (account) aim_with_session(exchange, account, "/browse?login");
    else aim(exchange, "/login?unknown", NULL);
    redirect(exchange);
}

static void site_logout(struct exchange *exchange)
{
    struct session *session = find_session(exchange);
    if (session) session->account = NULL;
    aim(exchange, "/", "rdio_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    redirect(exchange);
}

static void site_change_plan(struct exchange *exchange)
{
    struct session *session = find_session(exchange);
    if (!is_form_fine(exchange)) return;
    if (!session) {
        redirect_to(exchange, "/login");
        return;
    }
    session->account->is_unlimited = str_equal(form_field(exchange, STR("plan")), STR("Unlimited"));
    aim(exchange, "/account?saved", NULL);
    identify_and_redirect(exchange, session->account);
}

static void site_me(struct exchange *exchange)
{
    struct session *session = find_session(exchange);
    struct buf *out = &exchange->answer;
    buf_clear(out);
    if (session) {
        buf_printf(out, "{\"userId\":\"%s\",", session->account->user_id);
        write_traits(session->account, out);
        buf_char(out, '}');
    } else {
        buf_str_put(out, STR("null"));
    }
    reply_text(exchange, 200, NULL, buf_str(out));
}

/* The snippet as a file, with the address of this Onym and the key: what a real site pastes into its head. */
static void site_snippet(struct exchange *exchange)
{
    const HttpSiteOptions *options = &exchange_site(exchange)->options;
    struct buf *out = &exchange->answer;
    buf_clear(out);
    buf_str_put(out, http_snippet());
    buf_str_put(out, STR(";analytics._cdn="));
    buf_json_string(out, options->onym_url);
    buf_str_put(out, STR(";analytics.load("));
    buf_json_string(out, options->write_key);
    buf_str_put(out, STR(");analytics.page();\n"));
    reply_text(exchange, 200, "text/javascript; charset=utf-8", buf_str(out));
    exchange->reply.cache_control = "no-cache";
}

/* ---- Files and routes ---- */

#define FILES(FILE)                                                      \
    FILE("/",                  index,   "text/html; charset=utf-8")      \
    FILE("/browse",            browse,  "text/html; charset=utf-8")      \
    FILE("/signup",            signup,  "text/html; charset=utf-8")      \
    FILE("/connect",           connect, "text/html; charset=utf-8")      \
    FILE("/login",             login,   "text/html; charset=utf-8")      \
    FILE("/welcome",           welcome, "text/html; charset=utf-8")      \
    FILE("/account",           account, "text/html; charset=utf-8")      \
    FILE("/assets/rdio.css",   style,   "text/css; charset=utf-8")       \
    FILE("/assets/rdio.js",    script,  "text/javascript; charset=utf-8") \
    FILE("/assets/albums.js",  albums,  "text/javascript; charset=utf-8") \
    FILE("/assets/icon.svg",   icon,    "image/svg+xml")

#define FILE_BYTES(path, name, type) extern const char http_site_##name[], http_site_##name##_end[];
FILES(FILE_BYTES)

static void site_file(struct exchange *exchange)
{
    static const struct { const char *path, *start, *end, *type; } files[] = {
#define FILE_ROW(path, name, type) { path, http_site_##name, http_site_##name##_end, type },
        FILES(FILE_ROW)
    };
    for (size_t at = 0; at < countof(files); at++) {
        if (strcmp(files[at].path, exchange->route->path)) continue;
        reply_text(exchange, 200, files[at].type, str_of(files[at].start, (size_t)(files[at].end - files[at].start)));
        exchange->reply.cache_control = "no-cache";
        return;
    }
    check(!"a route of a file that is not in the table");
}

const Route *http_site_route(Method method, Str path, bool *ret_known_path)
{
    static const Route routes[] = {
#define FILE_ROUTE(path, name, type) { METHOD_GET, path, site_file, 0, EVENT_NONE },
        FILES(FILE_ROUTE)
        { METHOD_GET,  "/onym.js", site_snippet,     0, EVENT_NONE },
        { METHOD_GET,  "/me",      site_me,          0, EVENT_NONE },
        { METHOD_POST, "/signup",  site_signup,      0, EVENT_NONE },
        { METHOD_POST, "/connect", site_connect,     0, EVENT_NONE },
        { METHOD_POST, "/login",   site_login,       0, EVENT_NONE },
        { METHOD_POST, "/logout",  site_logout,      0, EVENT_NONE },
        { METHOD_POST, "/account", site_change_plan, 0, EVENT_NONE },
    };
    Str parameter;
    return route_find_among(routes, countof(routes), method, path, &parameter, ret_known_path);
}
