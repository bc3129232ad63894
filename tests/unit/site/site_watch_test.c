/* site_watch: events become facts. Each row is a few events; what is asked of the facts stands beside them. */
#include "site/site_watch.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct region region;
static Arena arena;
static struct site_facts *facts;
static struct site_watch watch;

static int open_all(void **state)
{
    (void)state;
    region_open(&region, 64 << 20);
    arena = region_arena(&region);
    facts = arena_new(&arena, struct site_facts, 1);
    site_watch_open(&watch, facts, &arena);
    watch.frame = STR("F");
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    region_close(&region);
    return 0;
}

/* An event, with ' for each ". */
static void see(const char *event)
{
    char text[2048];
    size_t length = strlen(event);
    assert_true(length < sizeof text);
    for (size_t at = 0; at < length; at++) text[at] = event[at] == '\'' ? '"' : event[at];
    site_watch_event(&watch, str_of(text, length));
}

#define REQUEST "{'method':'Network.requestWillBeSent','params':{'frameId':'F','timestamp':10.5,"
#define RESPONSE "{'method':'Network.responseReceived','params':{'frameId':'F','timestamp':11,"
#define EXTRA "{'method':'Network.responseReceivedExtraInfo','params':{"

static void open_page(void)
{
    see(REQUEST "'requestId':'L1','loaderId':'L1','type':'Document','request':{'url':'http://a/'}}}");
    see(RESPONSE "'requestId':'L1','loaderId':'L1','response':{'status':200,'mimeType':'text/html','headers':"
        "{'Content-Security-Policy':'a b\\nc','cross-origin-embedder-policy':'require-corp'}}}}");
    see("{'method':'Page.frameNavigated','params':{'frame':{'id':'F','loaderId':'L1'}}}");
}

static void a_page_is_its_last_redirect_with_its_headers(void **state)
{
    (void)state;
    see(REQUEST "'requestId':'L1','loaderId':'L1','type':'Document','request':{'url':'http://0/'}}}");
    see(REQUEST "'requestId':'L1','loaderId':'L1','type':'Document','redirectResponse':{'status':301},"
        "'request':{'url':'http://a/'}}}");
    see(RESPONSE "'requestId':'L1','loaderId':'L1','response':{'status':200,'headers':"
        "{'Content-Security-Policy':'a b\\nc','cross-origin-embedder-policy':'require-corp'}}}}");
    see("{'method':'Page.loadEventFired','params':{'timestamp':12}}");
    assert_int_equal(facts->page_count, 1);
    SitePage *page = &facts->pages[0];
    assert_true(str_equal(page->url, STR("http://a/")) && page->redirects == 1 && page->is_committed);
    assert_int_equal(page->policy_count, 2);
    assert_true(str_equal(page->policies[1], STR("c")) && str_equal(page->coep, STR("require-corp")));
    assert_true(page->loaded_s == 1.5);
}

static void a_call_is_known_by_its_path_or_by_its_body(void **state)
{
    (void)state;
    static const struct { const char *request; size_t calls, messages; const char *key; } rows[] = {
        { "'url':'http://t/v1/b','method':'POST','postData':'{\\'writeKey\\':\\'k\\',\\'batch\\':[{\\'type\\':"
          "\\'page\\',\\'messageId\\':\\'m\\'},{\\'type\\':\\'track\\',\\'userId\\':7}]}'", 1, 2, "k" },
        { "'url':'http://t/m4p/x','method':'POST','postData':'{\\'type\\':\\'track\\',\\'messageId\\':\\'m\\',"
          "\\'writeKey\\':\\'w\\'}'", 1, 1, "w" },
        { "'url':'http://t/v1/t','method':'POST','headers':{'authorization':'Basic d2tfbmV4dDo='}", 1,
          0, "wk_next" },
        { "'url':'http://t/v1/t','method':'POST','headers':{'Authorization':'Basic %%%'}", 1, 0, "" },
        { "'url':'http://t/v1/t','method':'GET'", 0, 0, "" },
        { "'url':'http://t/v1/projects/k/settings','method':'GET'", 1, 0, "" },
        { "'url':'http://posthog/batch','method':'POST','postData':'{\\'batch\\':[{\\'event\\':\\'x\\'}]}'", 0, 0, "" },
        { "'url':'http://t/v1/b','method':'POST','postData':'no json \\'messageId\\''", 1, 0, "" },
        { "'url':'data:text/plain,v1/b','method':'POST'", 0, 0, "" }, { "'url':7", 0, 0, "" },
    };
    for (size_t at = 0; at < countof(rows); at++) {
        char event[1024];
        open_page();
        snprintf(event, sizeof event,
                 REQUEST "'requestId':'R','loaderId':'L1','type':'Fetch','request':{%s}}}",
                 rows[at].request);
        see(event);
        if (facts->call_count != rows[at].calls || facts->message_count != rows[at].messages)
            fail_msg("row %zu: %zu calls, %zu messages", at, facts->call_count, facts->message_count);
        if (facts->call_count) assert_true(str_equal(facts->calls[0].write_key, str_from(rows[at].key)));
        *facts = (struct site_facts){ 0 };
    }
}

static void what_the_browser_keeps_from_the_page_is_seen_all_the_same(void **state)
{
    (void)state;
    open_page();
    see(REQUEST "'requestId':'R','loaderId':'L1','type':'Fetch','request':{'url':'http://t/v1/b','method':'POST'}}}");
    see(EXTRA "'requestId':'R','statusCode':301,'headers':{'Location':'/login'},'blockedCookies':[{'cookieLine':"
        "'ajs_user_id=1; Domain=com','blockedReasons':['InvalidDomain']},{'cookieLine':'sid=1'}]}}");
    see("{'method':'Network.loadingFailed','params':{'requestId':'R','timestamp':12,'errorText':'net::ERR_FAILED'}}");
    assert_int_equal(facts->calls[0].redirect_status, 301);
    assert_true(str_equal(facts->calls[0].location, STR("/login")) && str_equal(facts->calls[0].failed,
                                                                                STR("net::ERR_FAILED")));
    assert_int_equal(facts->refused_cookie_count, 1);
    assert_true(str_equal(facts->refused_cookies[0], STR("ajs_user_id (InvalidDomain)")) && watch.has_answer);
}

static void a_call_belongs_to_the_page_that_made_it(void **state)
{
    (void)state;
    open_page();
    see("{'method':'Runtime.bindingCalled','params':{'name':'onymCheckSite','payload':'{\\'url\\':\\'http://a/\\',"
        "\\'queued\\':[\\'track A\\',7],\\'kept\\':true}'}}");
    see(REQUEST "'requestId':'L2','loaderId':'L2','type':'Document','request':{'url':'http://a/two'}}}");
    see(REQUEST "'requestId':'R','loaderId':'L1','type':'Ping','request':{'url':'http://t/v1/b','method':'POST',"
        "'hasPostData':true}}}");
    assert_int_equal(facts->page_count, 2);
    assert_true(facts->calls[0].page == 0 && facts->calls[0].is_beacon && facts->calls[0].wants_body);
    assert_int_equal(facts->pages[0].queued_count, 2);
    assert_true(facts->pages[0].are_queued_kept && str_equal(facts->pages[0].queued[0], STR("track A")));
    site_watch_body(&watch, &facts->calls[0], STR("{\"type\":\"track\",\"event\":\"A\",\"userId\":{\"x\":1}}"));
    assert_true(facts->message_count == 1 && facts->messages[0].page == 0 && !facts->calls[0].wants_body);
    assert_true(str_equal(facts->messages[0].user_id, STR("{\"x\":1}")));
}

static void lists_end_and_frames_and_floods_are_passed_over(void **state)
{
    (void)state;
    char event[512];
    open_page();
    see("{'method':'Network.requestWillBeSent','params':{'frameId':'G','requestId':'R','type':'Script','request':{}}}");
    assert_int_equal(facts->script_count, 0);
    for (int at = 0; at < 2 * SITE_CALLS; at++) {
        snprintf(event, sizeof event, REQUEST "'requestId':'R%d','loaderId':'L1','type':'XHR','request':"
                 "{'url':'http://t/v1/b','method':'POST'}}}", at);
        see(event);
        snprintf(event, sizeof event,
                 "{'method':'Runtime.consoleAPICalled','params':{'args':[{'value':'Onym: %d'}]}}", at);
        see(event);
    }
    assert_int_equal(facts->call_count, SITE_CALLS);
    assert_int_equal(facts->line_count, SITE_LINES);
    assert_int_equal(facts->left_out_count, SITE_CALLS);
    static const char *const noise[] = { "", "{", "[]", "{'method':'Network.requestWillBeSent'}",
                                         "{'method':'Page.loadEventFired'}",
        "{'method':'Audits.issueAdded','params':[]}", "{'method':'Runtime.bindingCalled','params':{'payload':1}}" };
    for (size_t at = 0; at < countof(noise); at++) see(noise[at]);
    site_watch_probe(&watch, NULL);
    site_watch_cookies(&watch, NULL, 0);
    assert_false(facts->probe.is_read);
}

/* The network's own word comes by another way than the page's, and overtakes it under load. */
static void an_answer_may_come_before_its_request(void **state)
{
    (void)state;
    open_page();
    for (int at = 0; at < SITE_EARLY - 2; at++) see(EXTRA "'requestId':'other','statusCode':200,'headers':{}}}");
    see(EXTRA "'requestId':'1.2','statusCode':404,'headers':{'Content-Type':'application/json'}}}");
    see(EXTRA "'requestId':'1.3','statusCode':307,'headers':{'location':'/elsewhere'}}}");
    see(REQUEST "'requestId':'1.2','loaderId':'L1','type':'Script','request':{'url':'http://t/a.min.js'}}}");
    see("{'method':'Network.loadingFailed','params':{'requestId':'1.2','timestamp':12,"
        "'errorText':'net::ERR_BLOCKED_BY_ORB'}}");
    see(REQUEST "'requestId':'1.3','loaderId':'L1','type':'Fetch','request':{'url':'http://t/v1/b','method':'POST'}}}");
    assert_int_equal(facts->scripts[0].status, 404);
    assert_true(str_equal(facts->scripts[0].mime, STR("application/json")));
    assert_int_equal(facts->calls[0].redirect_status, 307);
    assert_true(str_equal(facts->calls[0].location, STR("/elsewhere")));
}

int main(void)
{
#define WATCH_TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
    const struct CMUnitTest tests[] = {
        WATCH_TEST(a_page_is_its_last_redirect_with_its_headers),
        WATCH_TEST(a_call_is_known_by_its_path_or_by_its_body),
        WATCH_TEST(what_the_browser_keeps_from_the_page_is_seen_all_the_same),
        WATCH_TEST(a_call_belongs_to_the_page_that_made_it),
        WATCH_TEST(lists_end_and_frames_and_floods_are_passed_over),
        WATCH_TEST(an_answer_may_come_before_its_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
