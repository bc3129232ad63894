/* demo: the example site of `onym demo`, route by route what examples/rdio/README.md says. That folder's
 * server.mjs is the same for people who look for something to copy; the same browser test runs both.
 *
 * Accounts and sessions live in memory, in tables of fixed size: it is a demonstration, for one machine. The
 * call that the server makes itself goes the way of every other: through collect/ into the journal, and the
 * visitor's next page waits until it is on disk. One server drives a site, so nothing here is locked. */
#include "demo.h"
#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>


enum {
    FIRST_USER_ID = 12345,
    ACCOUNTS_MAX = 1000,
    SESSIONS_MAX = 1000,
    SESSION_CHARS = 32,
    FORM_BYTES = 4096,
    FIELD_BYTES = 256,
    ID_CHARS_MAX = 100,              /* of a hidden field, into which anybody can write what they like */
    MESSAGE_BYTES = 32 * 1024,
    HISTORY_MOST = 50,
    HISTORY_WAIT_MS = 2000,
};

struct account {
    char user_id[16], name[FIELD_BYTES], email[FIELD_BYTES], created_at[INSTANT_TEXT_BYTES + 1];
    char sign_up_call[ID_CHARS_MAX + 1];   /* the messageId that the page has stamped into its form; empty: none */
    bool is_unlimited;
};

struct session {
    char id[SESSION_CHARS];
    struct account *account;         /* NULL: none, or logged out */
};

struct demo {
    DemoOptions options;
    struct account accounts[ACCOUNTS_MAX];
    size_t account_count;
    struct session sessions[SESSIONS_MAX];
    size_t next_session;             /* the oldest makes room */
};

struct demo *demo_open(const DemoOptions *options)
{
    struct demo *site = calloc(1, sizeof *site);
    if (site) site->options = *options;
    return site;
}

void demo_close(struct demo *site) { free(site); }

/* The one server of a site changes it: const is for those who share. */
static struct demo *exchange_site(const struct exchange *exchange)
{
    return (struct demo *)(uintptr_t)exchange_context(exchange);
}

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
    struct demo *site = exchange_site(exchange);
    Str id = find_cookie(exchange, STR("rdio_session"));
    for (size_t at = 0; at < SESSIONS_MAX; at++) {
        struct session *session = &site->sessions[at];
        if (session->account && str_equal_constant_time(id, str_of(session->id, SESSION_CHARS))) return session;
    }
    return NULL;
}

static bool is_fine_id(Str id) { return id.len && id.len <= ID_CHARS_MAX && !memchr(id.bytes, 0, id.len); }

static struct account *find_account(struct demo *site, Str email)
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
    json_string(out, "name", str_from(account->name));
    json_string(out, "email", str_from(account->email));
    json_word(out, "plan", account->is_unlimited ? "Unlimited" : "Free");
    json_word(out, "createdAt", account->created_at);
}

/* ---- The server's own calls ---- */

/* It knows for certain who this is, and which visitor: the browser's cookie came along, or the form's hidden field. */
static Str find_visitor(struct exchange *exchange)
{
    Str id = percent_decode(find_cookie(exchange, STR("ajs_anonymous_id")), false, exchange_arena(exchange));
    return is_fine_id(id) ? id : form_field(exchange, STR("anonymousId"));
}

static void write_call(struct exchange *exchange, const struct account *account, Str visitor, const char *type,
                       Str message_id, struct buf *out)
{
    const DemoOptions *options = &exchange_site(exchange)->options;
    char uuid[36];
    dice_uuid(options->dice, uuid);
    json_object(out, NULL);
    json_word(out, "type", type);
    json_name(out, STR("messageId"));
    if (message_id.len) json_string(out, NULL, message_id);
    else json_printf(out, NULL, "rdio-%.36s", uuid);
    json_instant(out, "timestamp", clock_now_ms(options->clock));
    json_word(out, "userId", account->user_id);
    if (is_fine_id(visitor)) json_string(out, "anonymousId", visitor);
    json_object(out, "context");
    json_object(out, "library");
    json_word(out, "name", "rdio-server");
    json_word(out, "version", "1");
    json_object_end(out);
    json_string(out, "userAgent", str_slice(exchange->user_agent, 0, 1024));
    json_object_end(out);
}

/* The track is the call that the page has stamped into its form, once more: under one messageId it is one event. */
static void write_calls(struct exchange *exchange, const struct account *account, bool repeats, struct buf *out)
{
    Str visitor = find_visitor(exchange);
    json_object(out, NULL);
    json_array(out, "batch");
    write_call(exchange, account, visitor, "identify", STR(""), out);
    json_object(out, "traits");
    write_traits(account, out);
    json_object_end(out);
    json_object_end(out);
    if (repeats) {
        write_call(exchange, account, visitor, "track", str_from(account->sign_up_call), out);
        json_word(out, "event", "Sign Up Submitted");
        json_object(out, "properties");
        json_word(out, "plan", account->is_unlimited ? "Unlimited" : "Free");
        json_object_end(out);
        json_object_end(out);
    }
    json_array_end(out);
    json_object_end(out);
}

/* Takes the calls, redirects once they are on disk; should that fail, at once, for that is no reason to keep the
 * visitor. Where to go is aimed at by then, and the form that stood in its place is gone. */
static void send_and_redirect(struct exchange *exchange, Str calls)
{
    CollectRequest request = {
        .implied_type = EVENT_NONE,
        .body = calls,
        .header_key = exchange_site(exchange)->options.write_key,
    };
    Err err;
    exchange->append = exchange_take_append(exchange);
    Status s = collect_request(exchange_workspace(exchange), &request, exchange->append, &exchange->collected, &err);
    if (s) log_write(LOG_WARN, "the site's calls were not taken", LOG_TEXT("error", err.text));
    if (!s && exchange->append->record_count) exchange_submit(exchange);
    if (exchange->state != EXCHANGE_WAITING) redirect(exchange);
}

static void call_durable(struct exchange *exchange, Status status)
{
    if (status) log_write(LOG_WARN, "the site's calls were not kept", LOG_TEXT("error", status_meaning(status)));
    else health_add(exchange_site(exchange)->options.health, COUNT_ACCEPTED, exchange->collected.accepted);
    redirect(exchange);
}

/* ---- Handlers ---- */

static void aim_with_session(struct exchange *exchange, struct account *account, const char *location)
{
    struct demo *site = exchange_site(exchange);
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

/* Before aim: the visitor's id may be in the form. */
static Str prepare_calls(struct exchange *exchange, const struct account *account, bool repeats)
{
    struct buf calls;
    char *bytes = arena_bytes(exchange_arena(exchange), MESSAGE_BYTES + EVENT_PADDING_BYTES);
    buf_init_fixed(&calls, bytes, MESSAGE_BYTES);
    write_calls(exchange, account, repeats, &calls);
    check(buf_ok(&calls));
    memset(bytes + calls.len, 0, EVENT_PADDING_BYTES);
    return buf_str(&calls);
}

static void sign_up(struct exchange *exchange, const char *location, bool is_form)
{
    struct demo *site = exchange_site(exchange);
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
    Str stamped = form_field(exchange, STR("messageId"));
    if (is_form && is_fine_id(stamped)) copy_field(account->sign_up_call, stamped);
    Str calls = prepare_calls(exchange, account, is_form);
    aim_with_session(exchange, account, location);
    send_and_redirect(exchange, calls);
}

static void site_signup(struct exchange *exchange) { sign_up(exchange, "/welcome?via=form", true); }
static void site_connect(struct exchange *exchange) { sign_up(exchange, "/welcome?via=faceplace", false); }

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
    Str calls = prepare_calls(exchange, session->account, false);
    aim(exchange, "/account?saved", NULL);
    send_and_redirect(exchange, calls);
}

static void site_me(struct exchange *exchange)
{
    struct session *session = find_session(exchange);
    struct buf *out = &exchange->answer;
    buf_clear(out);
    if (session) {
        json_object(out, NULL);
        json_word(out, "userId", session->account->user_id);
        write_traits(session->account, out);
        json_string_or_null(out, "signUpCall", str_from(session->account->sign_up_call));
        json_object_end(out);
    } else {
        json_null(out, NULL);
    }
    reply_text(exchange, 200, NULL, buf_str(out));
}

/* ---- What was kept ---- */

/* By a worker, since it reads the journal: what Onym knows of the member, newest first, from before the account, too.
 * It waits for what is on disk to be applied: the sign-up was a moment ago. The member's id is in the body. */
static void work_history(struct exchange *exchange, Arena *arena)
{
    struct applier *applier = exchange_site(exchange)->options.applier;
    People people = derive_people(applier);
    IdentityPerson person;
    Err err;
    buf_clear(&exchange->answer);
    (void)derive_wait_known(applier, journal_end(people.journal), HISTORY_WAIT_MS, &exchange->is_cancelled);
    derive_begin_reading(applier);
    Status s = people_find_user(&people, buf_str(&exchange->body), &person, &err);
    PeoplePage page = { .limit = HISTORY_MOST };
    if (!s) s = people_write_events(&people, person, &page, arena, &exchange->answer, &err);
    derive_end_reading(applier);
    if (s) {
        buf_clear(&exchange->answer);
        json_null(&exchange->answer, NULL);
    }
    reply_text(exchange, 200, NULL, buf_str(&exchange->answer));
}

static void site_history(struct exchange *exchange)
{
    struct session *session = find_session(exchange);
    buf_clear(&exchange->body);
    if (session) {
        buf_str_put(&exchange->body, str_from(session->account->user_id));
        exchange_defer(exchange, work_history);
    } else {
        reply_text(exchange, 200, NULL, STR("null"));
    }
}

#define ASSET(symbol, file, path, type, policy) ASSET_MARKS_DECLARE(symbol)
#include "assets.tbl.h"
#undef ASSET
extern const char demo_start[], demo_start_end[];

/* The snippet as a file, with the address of this Onym and the key, and what a real site pastes after it. */
static void site_snippet(struct exchange *exchange)
{
    const DemoOptions *options = &exchange_site(exchange)->options;
    struct buf *out = &exchange->answer;
    buf_clear(out);
    buf_str_put(out, api_snippet());
    buf_str_put(out, STR(";window.rdio="));
    json_object(out, NULL);
    json_string(out, "onym", options->onym_url);
    json_string(out, "key", options->write_key);
    json_string(out, "own", options->own_path);
    json_object_end(out);
    buf_str_put(out, STR(";\n"));
    buf_str_put(out, str_of(demo_start, (size_t)(demo_start_end - demo_start)));
    reply_text(exchange, 200, "text/javascript; charset=utf-8", buf_str(out));
    exchange->reply.cache_control = "no-cache";
}

/* Where the pages send their calls while somebody has switched Onym off. */
static void site_down(struct exchange *exchange) { reply_text(exchange, 503, "text/plain", STR("switched off\n")); }

/* ---- Files and routes ---- */

#define HTML "text/html; charset=utf-8"
#define CSS "text/css; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define PICTURE "image/svg+xml"
#define PAGE ASSET_POLICY_PAGE
#define PART NULL
static const Asset files[] = {
#define ASSET(symbol, file, path, type, policy) \
    { { path, sizeof path - 1 }, type, "no-cache", policy, ASSET_MARKS(symbol) },
#include "assets.tbl.h"
#undef ASSET
};

static const Asset *find_file(const char *path) { return asset_find(files, countof(files), str_from(path)); }

static void site_file(struct exchange *exchange)
{
    const Asset *asset = find_file(exchange->route->path);
    check(asset);
    reply_asset(exchange, asset);
}

/* Any other path: a page of the site's own, with a way back. */
static void site_missing(struct exchange *exchange) { reply_asset_as(exchange, find_file("/missing"), 404); }

static const Route *find_route(Method method, Str path, Str *ret_parameter, bool *ret_known_path)
{
    static const Route routes[] = {
#define ASSET(symbol, file, path, type, policy) { METHOD_GET, path, site_file, 0, EVENT_NONE },
#include "assets.tbl.h"
#undef ASSET
        { METHOD_GET,  "/onym.js", site_snippet,     0, EVENT_NONE },
        { METHOD_GET,  "/me",      site_me,          0, EVENT_NONE },
        { METHOD_GET,  "/history", site_history,     0, EVENT_NONE },
        { METHOD_POST, "/signup",  site_signup,      0, EVENT_NONE },
        { METHOD_POST, "/connect", site_connect,     0, EVENT_NONE },
        { METHOD_POST, "/login",   site_login,       0, EVENT_NONE },
        { METHOD_POST, "/logout",  site_logout,      0, EVENT_NONE },
        { METHOD_POST, "/account", site_change_plan, 0, EVENT_NONE },
        { METHOD_POST, "/down/**", site_down,        0, EVENT_NONE },
    };
    RouteTable table = { routes, countof(routes), sizeof routes[0] };
    return route_find_among(table, method, path, ret_parameter, ret_known_path);
}

static const Route missing_route = { METHOD_GET, "/missing", site_missing, 0, EVENT_NONE };
const HttpApp demo_app = { .find = find_route, .missing = &missing_route, .on_durable = call_durable };
