/* site_visit: drives the browser. It ends as soon as the page has shown what it does (loaded, calls answered, and
 * a little longer), and at the given instant in any case, whatever the page does. */
#include "site.h"
#include "site_chromium.h"

#include <stdio.h>

enum { BODIES = 64, ANSWER_BYTES = 1024 * 1024, LAST_LOOK_MS = 1500, LEAST_LOOK_MS = 200, STEP_MS = 200,
       DIALOGS = 200 };
static const int64_t MS_NS = 1000000;

struct visit {
    const SiteVisit *asked;
    struct site_facts *facts;
    Arena *arena;
    struct chromium chromium;
    struct site_watch watch;
    Str session;
    uint64_t navigate_id, wanted_id;
    const TreeNode *answer;                /* to wanted_id: its result, or NULL and is_answered */
    bool is_answered, is_navigated;
    struct { uint64_t id; size_t call; } bodies[BODIES];
    size_t body_count, bodies_seen;
    size_t loaded_page;
    int64_t loaded_ns;
};

static int64_t now_ns(void) { return clock_monotonic_ns(os_clock()); }

/* ---- Commands ---- */

static Str quoted(Arena *arena, const char *before, Str text, const char *after)
{
    struct buf out;
    buf_init(&out, DEVTOOLS_COMMAND_BYTES);
    buf_str_put(&out, str_from(before));
    buf_json_string(&out, text);
    buf_str_put(&out, str_from(after));
    Str params = buf_ok(&out) ? arena_copy(arena, buf_str(&out)) : (Str){ 0 };
    buf_done(&out);
    return params;
}

static uint64_t tell(struct visit *visit, const char *method, Str params)
{
    return devtools_send(&visit->chromium.devtools, visit->session, method, params);
}

/* ---- What comes ---- */

static void take_body(struct visit *visit, uint64_t id, const TreeNode *result)
{
    for (size_t at = 0; at < visit->body_count; at++)
        if (visit->bodies[at].id == id)
            site_watch_body(&visit->watch, &visit->facts->calls[visit->bodies[at].call], event_tree_text(result,
                                                                                                         "postData"));
}

static void take_answer(struct visit *visit, Str message)
{
    const TreeNode *root;
    int64_t id;
    Arena scratch = *visit->arena;
    if (message.len > ANSWER_BYTES || arena_left(visit->arena) < 8 * message.len + ANSWER_BYTES) return;
    Str copy = arena_copy(&scratch, message);
    if (event_tree_read(copy, &scratch, &root, NULL)) return;
    if (!str_parse_int(event_tree_text(root, "id"), 1, INT64_MAX, &id)) return;
    const TreeNode *result = event_tree_get(root, STR("result"));
    if ((uint64_t)id == visit->navigate_id) {
        visit->is_navigated = true;
        Str trouble = event_tree_text(result, "errorText");
        if (!trouble.len) trouble = event_tree_text(root, "error.message");
        bool is_download = event_tree_is_kind(event_tree_get(result, STR("isDownload")), FIELD_BOOL)
            && event_tree_get(result, STR("isDownload"))->truth;
        if (trouble.len && !is_download) visit->facts->navigation_error = arena_copy(visit->arena, trouble);
        return;
    }
    if ((uint64_t)id == visit->wanted_id) {
        *visit->arena = scratch;                            /* kept: the answer is asked for */
        visit->answer = result;
        visit->is_answered = true;
        return;
    }
    take_body(visit, (uint64_t)id, result);
}

/* What the page makes necessary: dialogs are closed, bodies that were not in the event are asked for. */
static void react(struct visit *visit)
{
    struct site_facts *facts = visit->facts;
    if (visit->watch.is_dialog_open) {
        visit->watch.is_dialog_open = false;
        if (facts->dialog_count < DIALOGS) (void)tell(visit, "Page.handleJavaScriptDialog", STR("{\"accept\":false}"));
    }
    for (; visit->bodies_seen < facts->call_count; visit->bodies_seen++) {
        const SiteRequest *call = &facts->calls[visit->bodies_seen];
        if (!call->wants_body || visit->body_count == BODIES) continue;
        Arena scratch = *visit->arena;
        uint64_t id = tell(visit, "Network.getRequestPostData", quoted(&scratch, "{\"requestId\":", call->id, "}"));
        visit->bodies[visit->body_count].id = id;
        visit->bodies[visit->body_count++].call = visit->bodies_seen;
    }
}

/* One message, or none until the instant. */
static Status step(struct visit *visit, int64_t until_ns, Err *err)
{
    Str message;
    Arena scratch = *visit->arena;
    if (visit->asked->is_interrupted()) return err_set(err, ERR_CLOSED, "interrupted");
    int64_t soon_ns = now_ns() + STEP_MS * MS_NS;
    Status s = devtools_next(&visit->chromium.devtools, soon_ns < until_ns ? soon_ns : until_ns, &message, err);
    if (s == ERR_CLOSED) {
        Str words = chromium_last_words(&visit->chromium, &scratch);
        return err_set(err, ERR_UNSUPPORTED, "%.*s ended%s%.*s", STR_FORMAT(visit->facts->browser),
                       words.len ? ": " : " at once", STR_FORMAT(words));
    }
    if (s || !message.len) return s;
    if (devtools_method(message).len) site_watch_event(&visit->watch, message);
    else take_answer(visit, message);
    react(visit);
    return OK;
}

/* A command whose answer is waited for; *ret NULL: none came, or an error did. */
static Status ask(struct visit *visit, const char *method, Str params, int64_t until_ns, const TreeNode **ret, Err *err)
{
    Status s = OK;
    *ret = NULL;
    visit->is_answered = false;
    visit->answer = NULL;
    visit->wanted_id = tell(visit, method, params);
    while (!s && visit->wanted_id && !visit->is_answered && now_ns() < until_ns) s = step(visit, until_ns, err);
    *ret = visit->answer;
    visit->wanted_id = 0;
    return s;
}

/* ---- The way through ---- */

static Status open_tab(struct visit *visit, int64_t until_ns, Err *err)
{
    static const struct { const char *method, *params; } first[] = {
        { "Network.enable",
          "{\"maxTotalBufferSize\":4000000,\"maxResourceBufferSize\":1000000,\"maxPostDataSize\":524288}" },
        { "Page.enable", "" }, { "Runtime.enable", "" }, { "Log.enable", "" }, { "Audits.enable", "" },
        { "Inspector.enable", "" }, { "Runtime.addBinding", "{\"name\":\"onymCheckSite\"}" },
    };
    const TreeNode *answer;
    Status s = ask(visit, "Target.createTarget", STR("{\"url\":\"about:blank\"}"), until_ns, &answer, err);
    if (s) return s;
    Str target = event_tree_text(answer, "targetId");
    if (!target.len) return err_set(err, ERR_UNSUPPORTED, "%.*s did not start in this time; --timeout 30 waits "
                                    "longer", STR_FORMAT(visit->facts->browser));
    visit->watch.frame = target;
    s = ask(visit, "Target.attachToTarget", quoted(visit->arena, "{\"targetId\":", target, ",\"flatten\":true}"),
            until_ns, &answer, err);
    if (s) return s;
    Str session = event_tree_text(answer, "sessionId");
    if (!session.len) return err_set(err, ERR_UNSUPPORTED, "%.*s does not take commands by its pipe; is it a recent "
                                     "Chromium or Chrome?", STR_FORMAT(visit->facts->browser));
    (void)tell(visit, "Browser.setDownloadBehavior", STR("{\"behavior\":\"deny\"}"));
    visit->session = session;
    /* One by one, each answered: a command that is under way when the page begins can be lost with the process of the
     * empty page. */
    for (size_t at = 0; at < countof(first) && !s; at++)
        s = ask(visit, first[at].method, str_from(first[at].params), until_ns, &answer, err);
    Str early = quoted(visit->arena, "{\"source\":", site_script_early(), "}");
    if (!s) s = ask(visit, "Page.addScriptToEvaluateOnNewDocument", early, until_ns, &answer, err);
    if (s) return s;
    visit->navigate_id = tell(visit, "Page.navigate", quoted(visit->arena, "{\"url\":", visit->asked->url, "}"));
    return visit->navigate_id ? OK : err_set(err, ERR_UNSUPPORTED, "%.*s takes no commands",
                                             STR_FORMAT(visit->facts->browser));
}

static bool is_pending(const struct site_facts *facts)
{
    for (size_t at = 0; at < facts->call_count; at++)
        if (facts->calls[at].answered_s == 0 || facts->calls[at].wants_body) return true;
    return false;
}

/* Is nothing more expected? If no call was answered: only if no answer can come, since there is no library or it did
 * not load. A page that shows less than a healthy one is watched until the time is over. */
static bool is_over(struct visit *visit)
{
    const struct site_facts *facts = visit->facts;
    const SitePage *page = facts->page_count ? &facts->pages[facts->page_count - 1] : NULL;
    if (facts->navigation_error.len || facts->has_crashed || facts->pages_left_out) return true;
    if (!page || !page->is_committed) return page && page->is_download;
    if (page->loaded_s == 0) return false;
    if (visit->loaded_page != facts->page_count) {
        visit->loaded_page = facts->page_count;
        visit->loaded_ns = now_ns();
    }
    Millis after_ms = (now_ns() - visit->loaded_ns) / MS_NS;
    if (after_ms < visit->asked->wait_ms || is_pending(facts)) return false;
    bool is_html = !page->mime.len || str_contains(page->mime, STR("html")) || str_contains(page->mime, STR("xml"));
    const SiteRequest *library = site_library(facts);
    if (visit->watch.has_answer || !is_html || page->status >= 400) return true;
    if (!library && !facts->call_count) return after_ms >= 2 * visit->asked->wait_ms;
    return library && (library->failed.len || library->status >= 400 || str_contains(library->mime, STR("html")));
}

static Status look_last(struct visit *visit, int64_t until_ns, Err *err)
{
    const TreeNode *answer;
    Str url = site_final_url(visit->facts);
    Status s = ask(visit, "Network.getCookies", quoted(visit->arena, "{\"urls\":[", url, "]}"), until_ns, &answer, err);
    if (s) return s;
    site_watch_cookies(&visit->watch, event_tree_get(answer, STR("cookies")), (double)clock_now_ms(os_clock()) / 1000);
    int64_t left_ms = (until_ns - now_ns()) / MS_NS;
    Str limit = arena_printf(visit->arena, "{\"returnByValue\":true,\"silent\":true,\"timeout\":%lld,\"expression\":",
                             (long long)(left_ms > LEAST_LOOK_MS ? left_ms : LEAST_LOOK_MS));
    s = ask(visit, "Runtime.evaluate", quoted(visit->arena, limit.bytes, site_script_probe(), "}"), until_ns, &answer,
            err);
    if (s) return s;
    const TreeNode *value = event_tree_find(answer, "result.value");
    if (value) site_watch_probe(&visit->watch, value);
    return OK;
}

/* Chromium's words for a page that is not there, and what helps. */
static Status no_page(Str trouble, Str url, Arena *arena, Err *err)
{
    static const struct { const char *word, *help; } rows[] = {
        { "NAME_NOT_RESOLVED", "there is no such host (is the name right, is there a network?)" },
        { "CONNECTION_REFUSED", "nothing listens there (is the site up, is the port right?)" },
        { "CONNECTION_TIMED_OUT", "the host does not answer (a firewall?)" },
        { "TIMED_OUT", "the host does not answer (a firewall?)" },
        { "ADDRESS_UNREACHABLE", "there is no route to that host (is there a network?)" },
        { "INTERNET_DISCONNECTED", "this machine has no network" },
        { "TOO_MANY_REDIRECTS", "it redirects in a circle; look at the redirects to https, and to or from www" },
        { "CERT_AUTHORITY_INVALID", "its certificate is not signed by anybody that browsers trust" },
        { "CERT_COMMON_NAME_INVALID", "its certificate is for another host" },
        { "CERT_DATE_INVALID", "its certificate has expired, or this machine's clock is wrong" },
        { "SSL_PROTOCOL_ERROR", "it does not speak https there; try http://" },
        { "SSL", "https fails there" }, { "CERT", "its certificate is refused" },
        { "EMPTY_RESPONSE", "it closes the connection without an answer" },
        { "CONNECTION_RESET", "it breaks off the connection" },
        { "INVALID_RESPONSE", "what answers there is no web server" },
        { "INVALID_HTTP_RESPONSE", "what answers there is no web server" },
        { "INVALID_AUTH_CREDENTIALS", "it wants a name and a password: http://NAME:PASSWORD@host/" },
        { "UNSAFE_PORT", "browsers open no page on that port" },
        { "ABORTED", "it has no page to show (a download, or HTTP 204)" },
        { "BLOCKED", "the browser refuses to open it" },
    };
    const char *help = "the browser cannot open it";
    for (size_t at = countof(rows); at-- > 0;)
        if (str_contains(trouble, str_from(rows[at].word))) help = rows[at].help;
    return err_set(err, ERR_IO, "%.*s does not answer as a page: %s (%.*s)",
                   STR_FORMAT(str_slice(site_url_shown(url, arena), 0, 200)), help, STR_FORMAT(str_slice(trouble, 0,
                                                                                                         80)));
}

static Status watch_page(struct visit *visit, Err *err)
{
    int64_t until_ns = visit->asked->until_ns, least_ns = LAST_LOOK_MS * MS_NS, quarter_ns = (until_ns - now_ns()) / 4;
    int64_t look_ns = until_ns - (quarter_ns > least_ns ? quarter_ns : least_ns);
    Status s = open_tab(visit, look_ns, err);
    while (!s && now_ns() < look_ns && !is_over(visit)) s = step(visit, look_ns, err);
    if (s) return s;
    const struct site_facts *facts = visit->facts;
    const SitePage *page = facts->page_count ? &facts->pages[facts->page_count - 1] : NULL;
    if (page && page->is_download) return OK;
    if (facts->navigation_error.len && !(page && page->is_committed && page->status))
        return no_page(facts->navigation_error, visit->asked->url, visit->arena, err);
    if (!page || (!page->is_committed && !page->status && facts->page_count < 2))
        return err_set(err, ERR_IO, "%.*s has not answered until now (the page never begins); --timeout 30 waits "
                       "longer",
                       STR_FORMAT(str_slice(site_url_shown(visit->asked->url, visit->arena), 0, 200)));
    return facts->has_crashed ? OK : look_last(visit, until_ns, err);
}

Status site_visit(const SiteVisit *asked, struct site_facts *facts, Arena *arena, Err *err)
{
    struct visit *visit = arena_new(arena, struct visit, 1);
    *visit = (struct visit){ .asked = asked, .facts = facts, .arena = arena };
    site_watch_open(&visit->watch, facts, arena);
    facts->asked_url = asked->url;
    Status s = chromium_find(arena, &facts->browser, err);
    if (!s) s = chromium_start(facts->browser, asked->user_agent, &visit->chromium, err);
    if (s) return s;
    facts->is_without_sandbox = visit->chromium.is_without_sandbox;
    s = watch_page(visit, err);
    chromium_stop(&visit->chromium);
    return s;
}
