/* site_findings and its parts: what the facts come to. A healthy page is changed in one thing a row. */
#include "site/site_findings.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SITE "https://www.shop.example/"
#define ONYM "https://t.shop.example"
#define NEVER "net::ERR_CONNECTION_REFUSED"

static struct region region;
static struct site_facts *facts;
static SitePage *page_one;
static SiteRequest *script_one, *call_one;
static SiteMessage *message_one;
static SiteProbe *probe;

static void make_healthy(Arena *arena)
{
    facts = arena_new(arena, struct site_facts, 1);
    facts->asked_url = STR(SITE);
    facts->page_count = facts->script_count = facts->call_count = facts->message_count = facts->cookie_count = 1;
    page_one = &facts->pages[0];
    *page_one = (SitePage){ .url = STR(SITE), .mime = STR("text/html"), .status = 200, .loaded_s = 1, .parsed_s = 1,
                            .is_committed = true };
    script_one = &facts->scripts[0];
    *script_one = (SiteRequest){ .url = STR(ONYM "/analytics.js/v1/wk/analytics.min.js"), .is_script = true,
                                 .status = 200, .mime = STR("text/javascript"),
                                 .bytes = 9000, .asked_s = 0.1, .answered_s = 0.3 };
    call_one = &facts->calls[0];
    *call_one = (SiteRequest){ .url = STR(ONYM "/v1/b"), .method = STR("POST"), .is_collect = true, .status = 200,
                               .mime = STR("application/json"), .answered_s = 0.5, .write_key = STR("wk") };
    message_one = &facts->messages[0];
    *message_one = (SiteMessage){ .type = STR("page"), .message_id = STR("m-1"), .path = STR("/"),
                                  .library = STR("onym.js"), .version = STR("1.0.0"), .anonymous_id = STR("a-1") };
    facts->cookies[0] = (SiteCookie){ .name = STR("ajs_anonymous_id"), .domain = STR(".shop.example"), .path = STR("/"),
                                      .expires_s = 3e7 };
    probe = &facts->probe;
    *probe = (SiteProbe){ .is_read = true, .kind = SITE_ONYM, .has_analytics = true, .is_initialized = true,
                          .onym_snippets = 1, .library_tags = 1, .widest = STR("shop.example") };
    facts->write_key = STR("wk");
    facts->collect_url = STR(ONYM "/v1/b");
    facts->key = KEY_KNOWN;
    facts->collect = COLLECT_FINE;
}

/* ---- One change each ---- */

static void nothing(void) { }
static void status_404(void) { page_one->status = 404; }
static void status_403(void) { page_one->status = 403; }
static void is_pdf(void) { page_one->mime = STR("application/pdf"); }
static void is_slow(void) { page_one->loaded_s = 0; }
static void crashed(void) { facts->has_crashed = true; }
static void dialogs(void) { facts->dialog_count = 3; }
static void unread(void) { *probe = (SiteProbe){ 0 }; }
static void no_snippet(void)
{
    *probe = (SiteProbe){ .is_read = true };
    facts->script_count = facts->call_count = facts->message_count = facts->cookie_count = 0;
    facts->write_key = facts->collect_url = (Str){ 0 };
}
static void in_frame(void) { no_snippet(); probe->frames_with_snippet = 1; }
static void no_snippet_slow(void) { no_snippet(); page_one->loaded_s = page_one->parsed_s = 0; }
static void twice(void) { probe->onym_snippets = 2; }
static void twice_said(void) { facts->lines[facts->line_count++] = STR("Onym: window.analytics is in use, with the "
                                                                       "key a"); }
static void beside(void)
{
    facts->scripts[facts->script_count++]
        = (SiteRequest){ .url = STR("https://cdn.segment.com/analytics.js/v1/x/analytics.min.js"), .status = 200 };
}
static void others(void) { probe->vendors[probe->vendor_count++] = STR("Mixpanel"); }
static void bundle(void) { facts->script_count = 0; *probe = (SiteProbe){ .is_read = true,
                                                                          .widest = STR("shop.example") }; }
static void script_404(void) { script_one->status = 404; }
static void script_html(void) { script_one->mime = STR("text/html"); }
static void script_refused(void) { script_one->status = 0; script_one->failed = STR(NEVER); }
static void script_mixed(void) { script_refused(); script_one->blocked = STR("mixed-content"); }
static void script_blocked(void) { script_refused(); script_one->blocked = STR("inspector"); }
static void script_waits(void) { script_one->status = 0; }
static void script_corp(void) { script_refused(); script_one->blocked = STR("corp-not-same-origin"); }
static void silent(void)
{
    facts->call_count = facts->message_count = 0;
    probe->is_stub = true;
    probe->queued[probe->queued_count++] = STR("page");
}
static void key_unknown(void) { facts->key = KEY_UNKNOWN; }
static void key_disabled(void) { facts->key = KEY_DISABLED; }
static void key_origin(void) { facts->key = KEY_ORIGIN; }
static void key_missing(void) { facts->write_key = (Str){ 0 }; }
static void key_other(void) { facts->wanted_key = STR("wk_mine"); }
static void key_unasked(void) { facts->key = KEY_NO_ANSWER; }
static void policy(Str text) { page_one->policies[page_one->policy_count++] = text; }
static void policy_connect(void) { policy(STR("script-src * 'unsafe-inline'; connect-src 'self'")); }
static void policy_allows(void) { policy(STR("default-src 'self' " ONYM)); }
static void policy_meta(void) { probe->meta_policies[probe->meta_policy_count++] = STR("connect-src 'none'"); }
static void policy_script(void)
{
    policy(STR("script-src 'self'"));
    script_refused();
    script_one->blocked = STR("csp");
}
static void policy_inline(void)
{
    policy(STR("script-src " ONYM "; connect-src " ONYM));
    facts->blocks[facts->block_count++] = (SiteBlock){ .directive = STR("script-src-elem"),
                                                       .kind = STR("kInlineViolation") };
    facts->inline_hash = STR("'sha256-x='");
    facts->script_count = facts->call_count = facts->message_count = facts->cookie_count = 0;
    *probe = (SiteProbe){ .is_read = true, .onym_snippets = 1 };
    page_one->loaded_s = 0.5;
}
static void policy_reports(void) { page_one->report_only = STR("default-src 'none'"); }
static void isolated(void) { page_one->coep = STR("require-corp"); }
static void elsewhere(void) { call_one->url = STR("https://api.segment.io/v1/b"); }
static void call_html(void) { call_one->mime = STR("text/html"); }
static void call_redirect(void) { call_one->redirect_status = 301; call_one->location = STR(SITE "login"); }
static void call_mixed(void)
{
    call_one->status = 0;
    call_one->failed = STR("x");
    call_one->blocked = STR("mixed-content");
}
static void call_cors(void)
{
    call_one->failed = STR("net::ERR_FAILED");
    call_one->cors = STR("MissingAllowOriginHeader");
}
static void call_403(void) { call_one->status = 403; }
static void call_refused(void) { call_one->status = 0; call_one->failed = STR(NEVER); }
static void asked_html(void) { facts->collect = COLLECT_HTML; facts->collect_status = 200; }
static void asked_other(void) { facts->collect = COLLECT_OTHER; facts->collect_status = 200; }
static void asked_nobody(void) { facts->collect = COLLECT_NO_ANSWER; }
static void page_twice(void)
{
    facts->messages[facts->message_count] = *message_one;
    facts->messages[facts->message_count++].message_id = STR("m-2");
}
static void page_again(void) { facts->messages[facts->message_count++] = *message_one; }
static void page_other(void) { page_twice(); facts->messages[1].path = STR("/two"); }
static void no_page(void) { message_one->type = STR("track"); }
static void identified(void) { message_one->user_id = STR("12345"); }
static void odd_user(void) { message_one->user_id = STR("undefined"); }
static void odd_user_object(void) { message_one->user_id = STR("{\"id\":1}"); }
static void holds(void)
{
    facts->call_count = facts->message_count = 0;
    probe->holds_consent = true;
}
static void holds_by_tool(void) { holds(); probe->consents[probe->consent_count++] = STR("OneTrust"); }
static void ignores_tool(void) { probe->consents[probe->consent_count++] = STR("OneTrust"); }
static void goes_on(void)
{
    facts->pages[facts->page_count] = *page_one;
    facts->pages[facts->page_count++].url = STR(SITE "welcome");
}
static void lost(void)
{
    goes_on();
    facts->calls[facts->call_count] = (SiteRequest){ .url = STR(ONYM "/v1/b"), .is_collect = true, .answered_s = 1,
                                                     .failed = STR("net::ERR_ABORTED") };
    facts->messages[facts->message_count++]
        = (SiteMessage){ .type = STR("track"), .event = STR("Signed Up"), .message_id = STR("m-9"), .call = 1 };
    facts->call_count++;
    message_one->page = 1;
}
static void kept(void)
{
    lost();
    facts->messages[facts->message_count] = facts->messages[1];
    facts->messages[facts->message_count].call = 0;
    facts->messages[facts->message_count++].page = 1;
}
static void lost_in_the_snippet(void) { goes_on(); page_one->queued[page_one->queued_count++] = STR("track Signed "
                                                                                                    "Up"); }
static void kept_in_the_snippet(void) { lost_in_the_snippet(); page_one->are_queued_kept = true; }
static void waits_in_the_browser(void) { kept_in_the_snippet(); probe->waiting = 1; }
static void shadowed(void)
{
    facts->cookies[facts->cookie_count] = facts->cookies[0];
    facts->cookies[facts->cookie_count++].domain = STR("www.shop.example");
}
static void http_only(void) { facts->cookies[0].is_http_only = true; }
static void path_only(void) { facts->cookies[0].path = STR("/shop"); }
static void host_only(void) { facts->cookies[0].domain = STR("www.shop.example"); }
static void narrow(void) { facts->cookies[0].domain = STR(".www.shop.example"); }
static void session(void) { facts->cookies[0].is_session = true; facts->cookies[0].expires_s = 0; }
static void soon(void) { facts->cookies[0].expires_s = 86400; }
static void refused(void) { facts->refused_cookies[facts->refused_cookie_count++] = STR("ajs_user_id "
                                                                                        "(InvalidDomain)"); }
static void no_cookies(void) { facts->cookie_count = 0; }
static void says(void) { facts->lines[facts->line_count++] = STR("Onym: something"); }
static void loops(void) { for (int at = 0; at < 12; at++) goes_on(); }

/* names: those of warnings and errors that must be there, and no others; also: a fine one or a note that must be. */
static const struct { void (*change)(void); const char *names[4], *also; } changes[] = {
    { nothing, { NULL }, "page_fine" }, { nothing, { NULL }, "collect_fine" }, { nothing, { NULL }, "cookies_fine" },
    { status_404, { "page_status" }, NULL }, { status_403, { "page_status" }, NULL },
    { is_pdf, { "page_not_html" }, NULL }, { is_slow, { "page_slow" }, NULL }, { crashed, { "page_crashed" }, NULL },
    { dialogs, { "page_dialogs" }, NULL }, { unread, { "page_unread" }, NULL },
    { no_snippet, { "snippet_missing" }, NULL }, { no_snippet_slow, { "page_slow" }, NULL },
    { in_frame, { "snippet_in_frame" }, NULL }, { twice, { "snippet_twice" }, NULL },
    { twice_said, { "snippet_twice" }, NULL }, { beside, { "snippet_beside" }, NULL },
    { others, { NULL }, "snippet_others" }, { bundle, { NULL }, "snippet_fine" },
    { script_404, { "script_status" }, NULL }, { script_html, { "script_html" }, NULL },
    { script_refused, { "script_failed" }, NULL }, { script_mixed, { "script_mixed" }, NULL },
    { script_blocked, { "script_blocked" }, NULL }, { script_waits, { "script_slow" }, NULL },
    { script_corp, { "isolation_blocks" }, NULL }, { silent, { "script_silent" }, "page_call_waits" },
    { key_unknown, { "key_unknown" }, NULL }, { key_disabled, { "key_disabled" }, NULL },
    { key_origin, { "key_origin" }, NULL }, { key_missing, { "key_missing" }, NULL },
    { key_other, { "key_other" }, NULL }, { key_unasked, { "key_unasked" }, NULL },
    { policy_connect, { "csp_connect" }, NULL }, { policy_allows, { NULL }, "csp_fine" },
    { policy_meta, { "csp_connect" }, NULL }, { policy_script, { "csp_script" }, NULL },
    { policy_inline, { "csp_inline", "page_call_missing" }, NULL }, { policy_reports, { NULL }, "csp_report_only" },
    { isolated, { NULL }, "isolation_fine" }, { elsewhere, { "collect_elsewhere" }, NULL },
    { call_html, { "collect_html" }, NULL }, { call_redirect, { "collect_redirect" }, NULL },
    { call_mixed, { "collect_mixed" }, NULL }, { call_cors, { "collect_cors" }, NULL },
    { call_403, { "collect_status" }, NULL }, { call_refused, { "collect_unreachable" }, NULL },
    { asked_html, { "collect_html" }, NULL }, { asked_other, { "collect_other" }, NULL },
    { asked_nobody, { NULL }, "collect_fine" }, { page_twice, { "page_call_twice" }, NULL },
    { page_again, { NULL }, "page_call_fine" }, { page_other, { NULL }, "page_call_fine" },
    { no_page, { "page_call_missing" }, NULL }, { identified, { NULL }, NULL },
    { odd_user, { "identify_odd" }, NULL }, { odd_user_object, { "identify_odd" }, NULL },
    { holds, { "consent_unasked" }, "page_call_waits" }, { holds_by_tool, { NULL }, "consent_holds" },
    { ignores_tool, { "consent_ignored" }, NULL }, { goes_on, { NULL }, "redirect_kept" },
    { lost, { "redirect_lost" }, NULL }, { kept, { NULL }, "redirect_kept" },
    { lost_in_the_snippet, { "redirect_lost" }, NULL }, { kept_in_the_snippet, { NULL }, "redirect_kept" },
    { waits_in_the_browser, { "redirect_waits" }, NULL }, { shadowed, { "cookies_shadowed" }, NULL },
    { http_only, { "cookies_http_only" }, NULL }, { path_only, { "cookies_path" }, NULL },
    { host_only, { "cookies_host_only" }, NULL }, { narrow, { "cookies_narrow" }, NULL },
    { session, { "cookies_session" }, NULL }, { soon, { "cookies_session" }, NULL },
    { refused, { "cookies_refused" }, NULL }, { no_cookies, { NULL }, "cookies_none" },
    { says, { "console_says" }, NULL }, { loops, { "page_goes_on" }, NULL },
};

static bool is_wanted(size_t row, const char *name)
{
    for (size_t at = 0; at < countof(changes[row].names) && changes[row].names[at]; at++)
        if (!strcmp(changes[row].names[at], name)) return true;
    return false;
}

static void each_change_is_found_and_nothing_else(void **state)
{
    (void)state;
    region_open(&region, 64 << 20);
    for (size_t row = 0; row < countof(changes); row++) {
        Arena arena = region_arena(&region);
        struct site_findings *findings = arena_new(&arena, struct site_findings, 1);
        size_t wanted = 0, found = 0, also = 0;
        make_healthy(&arena);
        changes[row].change();
        site_judge(facts, &arena, findings);
        while (wanted < countof(changes[row].names) && changes[row].names[wanted]) wanted++;
        for (size_t at = 0; at < findings->count; at++) {
            const char *name = site_finding_word(findings->items[at].name);
            SiteLevel level = site_finding_level(findings->items[at].name);
            also += changes[row].also && !strcmp(changes[row].also, name);
            assert_int_equal(findings->items[at].mend.len > 0, level >= SITE_WARNING);
            if (level < SITE_WARNING) continue;
            if (!is_wanted(row, name)) print_message("row %zu: %s: %s\n", row, name, findings->items[at].text.bytes);
            found += is_wanted(row, name);
            assert_true(is_wanted(row, name));
        }
        if (found != wanted) fail_msg("row %zu: %zu of %zu (%s)", row, found, wanted, changes[row].names[0]);
        if (changes[row].also && !also) fail_msg("row %zu has no %s", row, changes[row].also);
    }
    region_close(&region);
}

static void what_a_page_said_is_cut_and_too_many_findings_end(void **state)
{
    (void)state;
    region_open(&region, 64 << 20);
    Arena arena = region_arena(&region);
    struct site_findings findings = { .arena = &arena };
    char endless[5 * SITE_TEXT_BYTES];
    memset(endless, 'x', sizeof endless);
    for (int at = 0; at < 2 * SITE_FINDINGS; at++)
        site_found(&findings, FINDING_console_says, STR("look"), "%.*s", (int)sizeof endless, endless);
    assert_int_equal(findings.count, SITE_FINDINGS);
    assert_int_equal(findings.warning_count, SITE_FINDINGS);
    assert_true(findings.items[0].text.len < 3 * SITE_TEXT_BYTES);
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_is_found_and_nothing_else),
        cmocka_unit_test(what_a_page_said_is_cut_and_too_many_findings_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
