/* site_watch: one event of Chromium after the other becomes facts. Nothing here waits or asks; what the event
 * names is a table below, and everything that is kept is copied, cut and counted. */
#include "site_devtools.h"
#include "site.h"

enum { EVENT_SCRATCH_BYTES = 1 << 20, BODY_BYTES = 512 * 1024 };

static Str keep(struct site_watch *watch, Str text)
{
    text = str_slice(text, 0, SITE_TEXT_BYTES);
    if (arena_left(watch->arena) < text.len + EVENT_SCRATCH_BYTES) return (Str){ 0 };
    return arena_copy(watch->arena, text);
}

static Str keep_text(struct site_watch *watch, const TreeNode *object, const char *path)
{
    return keep(watch, event_tree_text(object, path));
}

static bool truth(const TreeNode *object, const char *path)
{
    const TreeNode *node = event_tree_find(object, path);
    return event_tree_is_kind(node, FIELD_BOOL) && node->truth;
}

static double number(const TreeNode *object, const char *path)
{
    double value;
    return str_parse_double(event_tree_text(object, path), &value) ? value : 0;
}

static double seconds(struct site_watch *watch, const TreeNode *params)
{
    double at = number(params, "timestamp");
    if (watch->began_s == 0) watch->began_s = at;
    return at > watch->began_s ? at - watch->began_s : 0;
}

static SitePage *current(struct site_watch *watch)
{
    struct site_facts *facts = watch->facts;
    return facts->page_count ? &facts->pages[facts->page_count - 1] : NULL;
}

/* The page that a request belongs to: one that is being left may still make some while the next one begins. */
static unsigned page_of(struct site_watch *watch, Str loader)
{
    struct site_facts *facts = watch->facts;
    for (size_t at = facts->page_count; at-- > 0;)
        if (str_equal(facts->pages[at].loader, loader)) return (unsigned)at;
    return facts->page_count ? (unsigned)facts->page_count - 1 : 0;
}

static bool is_main(struct site_watch *watch, Str frame) { return frame.len > 0 && str_equal(frame, watch->frame); }

void site_watch_open(struct site_watch *watch, struct site_facts *facts, Arena *arena)
{
    *watch = (struct site_watch){ .facts = facts, .arena = arena };
}

/* ---- Headers ---- */

static Str find_header(const TreeNode *headers, Str name)
{
    for (const TreeNode *one = headers ? headers->first : NULL; one; one = one->next)
        if (str_equal_no_case(one->key, name)) return one->text;
    return (Str){ 0 };
}

/* The key of "Basic d2tfd2Vic2l0ZTo=": what stands before the colon. */
static Str read_basic(struct site_watch *watch, Str header)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[LIMIT_WRITE_KEY_BYTES + 4];
    size_t length = 0;
    uint32_t bits = 0, count = 0;
    if (!str_equal_no_case(str_slice(header, 0, 6), STR("Basic "))) return (Str){ 0 };
    for (size_t at = 6; at < header.len && header.bytes[at] != '='; at++) {
        const char *place = memchr(alphabet, header.bytes[at], 64);
        if (!place || length >= sizeof text) return (Str){ 0 };
        bits = bits << 6 | (uint32_t)(place - alphabet);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        text[length++] = (char)(bits >> count & 0xff);
    }
    Str rest;
    return keep(watch, str_cut(str_of(text, length), ':', &rest));
}

/* ---- Pages ---- */

static void read_policies(struct site_watch *watch, SitePage *page, const TreeNode *headers)
{
    for (const TreeNode *one = headers ? headers->first : NULL; one; one = one->next) {
        if (!str_equal_no_case(one->key, STR("content-security-policy"))) continue;
        Str rest = one->text;                               /* several headers of a name come as lines */
        while (rest.len && page->policy_count < SITE_POLICIES)
            page->policies[page->policy_count++] = keep(watch, str_cut(rest, '\n', &rest));
    }
    page->report_only = keep(watch, find_header(headers, STR("content-security-policy-report-only")));
    page->coep = keep(watch, find_header(headers, STR("cross-origin-embedder-policy")));
    page->coop = keep(watch, find_header(headers, STR("cross-origin-opener-policy")));
}

/* A navigation of the main frame, or one more redirect of it. */
static void begin_page(struct site_watch *watch, const TreeNode *params)
{
    struct site_facts *facts = watch->facts;
    SitePage *page = current(watch);
    if (event_tree_get(params, STR("redirectResponse")) && page && !page->is_committed) {
        page->redirects++;
        page->url = keep_text(watch, params, "request.url");
        return;
    }
    if (page && !page->is_committed && !page->status) {     /* gave way to this one before it had begun */
        *page = (SitePage){ .url = keep_text(watch, params, "request.url"), .began_s = seconds(watch, params),
                            .loader = keep_text(watch, params, "loaderId"),
                            .began_at_s = number(params, "wallTime") };
        return;
    }
    if (facts->page_count == SITE_PAGES) {
        facts->pages_left_out++;
        return;
    }
    page = &facts->pages[facts->page_count++];
    *page = (SitePage){ .url = keep_text(watch, params, "request.url"), .began_s = seconds(watch, params),
                        .loader = keep_text(watch, params, "loaderId"), .began_at_s = number(params, "wallTime") };
}

static void answer_page(struct site_watch *watch, const TreeNode *params)
{
    SitePage *page = current(watch);
    const TreeNode *response = event_tree_get(params, STR("response"));
    if (!page || page->is_committed || !str_equal(page->loader, event_tree_text(params, "loaderId"))) return;
    page->status = (int)number(response, "status");
    page->mime = keep_text(watch, response, "mimeType");
    read_policies(watch, page, event_tree_get(response, STR("headers")));
}

static void on_navigated(struct site_watch *watch, const TreeNode *params)
{
    SitePage *page = current(watch);
    if (event_tree_text(params, "frame.parentId").len || !page) return;
    if (is_main(watch, event_tree_text(params, "frame.id"))) page->is_committed = true;
}

static void on_parsed(struct site_watch *watch, const TreeNode *params)
{
    SitePage *page = current(watch);
    double at_s = seconds(watch, params);
    if (page && page->status) page->is_committed = true;
    if (page && page->is_committed && page->parsed_s == 0) page->parsed_s = at_s > 0 ? at_s : 0.001;
}

static void on_loaded(struct site_watch *watch, const TreeNode *params)
{
    SitePage *page = current(watch);
    double at_s = seconds(watch, params);
    if (page && page->status) page->is_committed = true;
    if (page && page->is_committed && page->loaded_s == 0) page->loaded_s = at_s > 0 ? at_s : 0.001;
}

static void on_download(struct site_watch *watch, const TreeNode *params)
{
    SitePage *page = current(watch);
    if (page && !page->is_committed && is_main(watch, event_tree_text(params, "frameId"))) page->is_download = true;
}

/* ---- Requests ---- */

static const char *const types[] = { "identify", "track", "page", "screen", "group", "alias" };

static bool is_type(Str text)
{
    for (size_t at = 0; at < countof(types); at++)
        if (str_equal(text, str_from(types[at]))) return true;
    return false;
}

/* A path that the Tracking API has: /v1/batch, /v1/b, /v1/track, /v1/t … */
static bool is_collect_path(Str path)
{
    static const char *const ends[] = { "batch", "b", "t", "p", "i", "s", "g", "a", "import" };
    Str last = path, version = { 0 };
    while (last.len && memchr(last.bytes, '/', last.len)) version = str_cut(last, '/', &last);
    if (!str_equal(version, STR("v1"))) return false;
    for (size_t at = 0; at < countof(ends); at++)
        if (str_equal(last, str_from(ends[at]))) return true;
    return is_type(last);
}

static bool is_settings_path(Str path)
{
    return (str_starts(path, STR("/v1/projects/")) && str_ends(path, STR("/settings")))
        || str_ends(path, STR("/sourceConfig"));
}

static bool is_message(const TreeNode *message)
{
    return is_type(event_tree_text(message, "type"))
        && (event_tree_get(message, STR("messageId")) || event_tree_get(message, STR("anonymousId"))
            || event_tree_get(message, STR("userId")) || event_tree_get(message, STR("event")));
}

/* The path with its query: another query is another view. */
static Str keep_place(struct site_watch *watch, const TreeNode *message)
{
    char room[SITE_TEXT_BYTES];
    struct buf place;
    buf_init_fixed(&place, room, sizeof room);
    buf_str_put(&place, str_slice(event_tree_text(message, "context.page.path"), 0, sizeof room / 2));
    buf_str_put(&place, str_slice(event_tree_text(message, "context.page.search"), 0, sizeof room / 2));
    return keep(watch, buf_str(&place));
}

/* Which page made it: the one that sent it, or one before, whose call was kept in the browser. */
static unsigned made_by(struct site_watch *watch, const TreeNode *message, unsigned sender)
{
    const SitePage *pages = watch->facts->pages;
    Str text = event_tree_text(message, "originalTimestamp");
    Millis made_ms;
    if (!text.len) text = event_tree_text(message, "timestamp");
    if (!instant_parse(text, &made_ms)) return sender;
    while (sender > 0 && pages[sender].began_at_s * 1000 > (double)made_ms) sender--;
    return sender;
}

static void add_message(struct site_watch *watch, const TreeNode *one, unsigned call)
{
    struct site_facts *facts = watch->facts;
    if (facts->message_count == SITE_MESSAGES) {
        facts->left_out_count++;
        return;
    }
    const TreeNode *user = event_tree_get(one, STR("userId"));
    bool is_odd = event_tree_is_given(user) && !event_tree_is_kind(user, FIELD_STRING)
               && !event_tree_is_kind(user, FIELD_NUMBER);
    Str event = event_tree_text(one, "event");
    facts->messages[facts->message_count++] = (SiteMessage){
        .type = keep_text(watch, one, "type"), .event = keep(watch, event.len ? event : event_tree_text(one, "name")),
        .message_id = keep_text(watch, one, "messageId"),
        .user_id = keep(watch, is_odd ? user->raw : event_tree_text(one, "userId")),
        .anonymous_id = keep_text(watch, one, "anonymousId"), .path = keep_place(watch, one),
        .library = keep_text(watch, one, "context.library.name"),
        .version = keep_text(watch, one, "context.library.version"), .call = call,
        .page = made_by(watch, one, facts->calls[call].page),
    };
}

void site_watch_body(struct site_watch *watch, SiteRequest *call, Str body)
{
    const TreeNode *root;
    unsigned index = (unsigned)(call - watch->facts->calls);
    call->wants_body = false;
    struct region region;
    if (body.len > BODY_BYTES) return;
    region_open(&region, 64 << 20);
    Arena scratch = region_arena(&region);
    if (event_tree_read(body, &scratch, &root, NULL) == OK) {
        const TreeNode *batch = event_tree_get(root, STR("batch"));
        const TreeNode *first = event_tree_is_kind(batch, FIELD_ARRAY) ? batch->first : root;
        if (!call->write_key.len) call->write_key = keep_text(watch, root, "writeKey");
        for (const TreeNode *one = first; one; one = one->next) {
            if (!is_message(one)) continue;
            call->is_collect = true;
            if (!call->write_key.len) call->write_key = keep_text(watch, one, "writeKey");
            add_message(watch, one, index);
        }
    }
    region_close(&region);
}

static SiteRequest *find_request(struct site_facts *facts, Str id)
{
    if (!id.len) return NULL;
    for (size_t at = facts->call_count; at-- > 0;)
        if (str_equal(facts->calls[at].id, id)) return &facts->calls[at];
    for (size_t at = facts->script_count; at-- > 0;)
        if (str_equal(facts->scripts[at].id, id)) return &facts->scripts[at];
    return NULL;
}

/* ---- What the network says ---- */

static void take_status(struct site_watch *watch, SiteRequest *request, int status, Str mime, Str location)
{
    if (status >= 300 && status < 400 && location.len && !request->redirect_status) {
        request->redirect_status = status;
        request->location = keep(watch, location);
    } else if (!request->status) {
        request->status = status;
        request->mime = keep(watch, mime);
    }
}

static void copy_text(char *room, size_t size, Str text)
{
    text = str_slice(text, 0, size - 1);
    if (text.len) memcpy(room, text.bytes, text.len);
    room[text.len] = '\0';
}

/* What the browser hides from the page (a redirect that may not be followed, an error instead of a script) is said only
 * here, and sometimes before the request itself. */
static void note_status(struct site_watch *watch, const TreeNode *params)
{
    Str id = event_tree_text(params, "requestId");
    SiteRequest *request = find_request(watch->facts, id);
    const TreeNode *headers = event_tree_get(params, STR("headers"));
    int status = (int)number(params, "statusCode");
    Str mime = find_header(headers, STR("content-type")), location = find_header(headers, STR("location"));
    if (request) {
        take_status(watch, request, status, mime, location);
    } else if (id.len && id.len < sizeof watch->early->id) {
        SiteEarly *early = &watch->early[watch->early_count++ % SITE_EARLY];
        early->status = status;
        copy_text(early->id, sizeof early->id, id);
        copy_text(early->mime, sizeof early->mime, mime);
        copy_text(early->location, sizeof early->location, location);
    }
}

static void take_early(struct site_watch *watch, SiteRequest *request)
{
    for (size_t at = 0; at < SITE_EARLY; at++) {
        SiteEarly *early = &watch->early[at];
        if (!request->id.len || !str_equal(str_from(early->id), request->id)) continue;
        take_status(watch, request, early->status, str_from(early->mime), str_from(early->location));
        early->id[0] = '\0';
    }
}

static bool is_redirect_of(struct site_watch *watch, const TreeNode *params, SiteRequest *known)
{
    const TreeNode *response = event_tree_get(params, STR("redirectResponse"));
    if (!response || !known) return false;
    if (!known->redirect_status) {
        known->redirect_status = (int)number(response, "status");
        known->location = keep_text(watch, params, "request.url");
    }
    return true;
}

static SiteRequest *new_request(struct site_watch *watch, const TreeNode *params, SiteRequest *list, size_t *count,
                                size_t most)
{
    struct site_facts *facts = watch->facts;
    if (*count == most) {
        facts->left_out_count++;
        return NULL;
    }
    SiteRequest *one = &list[(*count)++];
    *one = (SiteRequest){
        .id = keep_text(watch, params, "requestId"), .url = keep_text(watch, params, "request.url"),
        .method = keep_text(watch, params, "request.method"), .asked_s = seconds(watch, params),
        .page = page_of(watch, event_tree_text(params, "loaderId")),
    };
    take_early(watch, one);
    return one;
}

static void on_call(struct site_watch *watch, const TreeNode *params, Str type)
{
    struct site_facts *facts = watch->facts;
    const TreeNode *request = event_tree_get(params, STR("request"));
    Str body = event_tree_text(request, "postData"), method = event_tree_text(request, "method");
    SiteUrl url;
    if (!site_url_parse(str_slice(event_tree_text(request, "url"), 0, SITE_TEXT_BYTES), &url, NULL)) return;
    bool is_settings = str_equal(method, STR("GET")) && is_settings_path(url.path);
    bool is_post = str_equal(method, STR("POST")), has_path = is_post && is_collect_path(url.path);
    bool is_unread = is_post && !body.len && truth(request, "hasPostData");
    bool is_likely = has_path || str_contains(body, STR("\"messageId\"")) || str_contains(body, STR("\"anonymousId\""));
    if (!is_settings && !is_unread && !is_likely) return;
    SiteRequest *call = new_request(watch, params, facts->calls, &facts->call_count, SITE_CALLS);
    if (!call) return;
    call->is_settings = is_settings;
    call->is_collect = has_path;
    call->is_beacon = str_equal(type, STR("Ping"));
    call->write_key = read_basic(watch, find_header(event_tree_get(request, STR("headers")), STR("authorization")));
    if (body.len) site_watch_body(watch, call, body);
    else call->wants_body = is_unread;
}

static void on_request(struct site_watch *watch, const TreeNode *params)
{
    struct site_facts *facts = watch->facts;
    Str type = event_tree_text(params, "type"), id = event_tree_text(params, "requestId");
    if (!is_main(watch, event_tree_text(params, "frameId"))) return;
    if (str_equal(type, STR("Document")) && str_equal(id, event_tree_text(params, "loaderId"))) {
        begin_page(watch, params);
        return;
    }
    if (is_redirect_of(watch, params, find_request(facts, id)) || event_tree_get(params,
                                                                                 STR("redirectResponse"))) return;
    if (str_equal(type, STR("Script"))) {
        SiteRequest *script = new_request(watch, params, facts->scripts, &facts->script_count, SITE_SCRIPTS);
        if (script) script->is_script = true;
    } else if (str_equal(type, STR("Fetch")) || str_equal(type, STR("XHR")) || str_equal(type, STR("Ping"))) {
        on_call(watch, params, type);
    }
}

static void on_response(struct site_watch *watch, const TreeNode *params)
{
    Str id = event_tree_text(params, "requestId");
    if (str_equal(id, event_tree_text(params, "loaderId"))) {
        if (is_main(watch, event_tree_text(params, "frameId"))) answer_page(watch, params);
        return;
    }
    SiteRequest *request = find_request(watch->facts, id);
    if (!request) return;
    request->status = (int)number(params, "response.status");
    request->mime = keep_text(watch, params, "response.mimeType");
    request->answered_s = seconds(watch, params);
    if (request->is_collect) watch->has_answer = true;
}

static void on_failed(struct site_watch *watch, const TreeNode *params)
{
    SiteRequest *request = find_request(watch->facts, event_tree_text(params, "requestId"));
    if (!request) return;
    request->failed = keep_text(watch, params, "errorText");
    if (!request->failed.len) request->failed = STR("blocked");
    request->blocked = keep_text(watch, params, "blockedReason");
    request->cors = keep_text(watch, params, "corsErrorStatus.corsError");
    request->answered_s = seconds(watch, params);
    if (request->is_collect && !str_contains(request->failed, STR("ERR_ABORTED"))) watch->has_answer = true;
}

static void on_finished(struct site_watch *watch, const TreeNode *params)
{
    SiteRequest *request = find_request(watch->facts, event_tree_text(params, "requestId"));
    double bytes = number(params, "encodedDataLength");
    if (!request) return;
    request->bytes = bytes > 0 && bytes < 1e12 ? (uint64_t)bytes : 0;
    double at_s = seconds(watch, params);
    if (at_s > request->answered_s) request->answered_s = at_s;
}

/* ---- The rest ---- */

static void on_extra(struct site_watch *watch, const TreeNode *params)
{
    struct site_facts *facts = watch->facts;
    note_status(watch, params);
    const TreeNode *list = event_tree_get(params, STR("blockedCookies"));
    for (const TreeNode *one = list ? list->first : NULL; one; one = one->next) {
        Str rest, name = str_trim(str_cut(event_tree_text(one, "cookieLine"), '=', &rest));
        const TreeNode *reasons = event_tree_get(one, STR("blockedReasons"));
        if (!str_starts(name, STR("ajs_")) || facts->refused_cookie_count == SITE_NAMES) continue;
        Str why = reasons && reasons->first ? reasons->first->text : STR("refused");
        Str text = keep(watch, arena_printf(watch->arena, "%.*s (%.*s)", STR_FORMAT(str_slice(name, 0, 64)),
                                            STR_FORMAT(str_slice(why, 0, 64))));
        bool is_known = false;
        for (size_t at = 0; at < facts->refused_cookie_count; at++)
            is_known |= str_equal(facts->refused_cookies[at], text);
        if (!is_known) facts->refused_cookies[facts->refused_cookie_count++] = text;
    }
}

static void on_issue(struct site_watch *watch, const TreeNode *params)
{
    struct site_facts *facts = watch->facts;
    const TreeNode *details = event_tree_find(params, "issue.details.contentSecurityPolicyIssueDetails");
    if (!details || facts->block_count == SITE_BLOCKS) return;
    SiteBlock block = {
        .url = keep_text(watch, details, "blockedURL"), .directive = keep_text(watch, details, "violatedDirective"),
        .kind = keep_text(watch, details, "contentSecurityPolicyViolationType"),
        .is_report_only = truth(details, "isReportOnly"),
    };
    facts->blocks[facts->block_count++] = block;
    if (!block.is_report_only && str_equal(block.directive, STR("connect-src"))) watch->has_answer = true;
}

/* "… Either the 'unsafe-inline' keyword, a hash ('sha256-…'), or a nonce … is required": of the first. */
static void on_entry(struct site_watch *watch, const TreeNode *params)
{
    Str text = event_tree_text(params, "entry.text");
    const char *hash = text.len ? memmem(text.bytes, text.len, "('sha256-", 9) : NULL;
    if (!hash || watch->facts->inline_hash.len || !str_contains(text, STR("script"))) return;
    Str rest, word = str_cut(str_slice(text, (size_t)(hash - text.bytes) + 1, text.len), ')', &rest);
    if (word.len < 80) watch->facts->inline_hash = keep(watch, word);
}

static void on_console(struct site_watch *watch, const TreeNode *params)
{
    struct site_facts *facts = watch->facts;
    const TreeNode *list = event_tree_get(params, STR("args"));
    struct buf line;
    char room[600];
    buf_init_fixed(&line, room, sizeof room);
    for (const TreeNode *one = list ? list->first : NULL; one; one = one->next) {
        Str value = event_tree_text(one, "value"), rest;
        if (!value.len) value = str_cut(event_tree_text(one, "description"), '\n', &rest);
        value = str_slice(value, 0, 500);
        if (line.len) buf_str_put(&line, STR(" "));
        if (line.len + value.len < sizeof room) buf_str_put(&line, value);
    }
    Str text = buf_str(&line);
    bool is_ours = str_starts(text, STR("Onym:")) || str_contains(text, STR("nippet included twice"));
    if (!is_ours || facts->line_count == SITE_LINES) return;
    for (size_t at = 0; at < facts->line_count; at++)
        if (str_equal(facts->lines[at], text)) return;
    facts->lines[facts->line_count++] = keep(watch, text);
}

static void read_texts(struct site_watch *watch, const TreeNode *list, Str *texts, size_t *count, size_t most)
{
    for (const TreeNode *one = list ? list->first : NULL; one && *count < most; one = one->next)
        if (one->text.len) texts[(*count)++] = keep(watch, one->text);
}

static void on_binding(struct site_watch *watch, const TreeNode *params)
{
    struct site_facts *facts = watch->facts;
    Arena scratch = *watch->arena;
    const TreeNode *root;
    SitePage *page = current(watch);
    if (!page || !str_equal(event_tree_text(params, "name"), STR("onymCheckSite"))) return;
    Str payload = keep(watch, event_tree_text(params, "payload"));
    scratch = *watch->arena;
    if (!payload.len || event_tree_read(payload, &scratch, &root, NULL)) return;
    *watch->arena = scratch;
    /* The next page may have begun already. */
    Str url = event_tree_text(root, "url");
    for (size_t at = facts->page_count; at-- > 0;) {
        if (!facts->pages[at].status || !str_equal(facts->pages[at].url, url)) continue;
        page = &facts->pages[at];
        break;
    }
    page->queued_count = 0;
    page->are_queued_kept = truth(root, "kept");
    read_texts(watch, event_tree_get(root, STR("queued")), page->queued, &page->queued_count, SITE_QUEUED);
}

static void on_dialog(struct site_watch *watch, const TreeNode *params)
{
    (void)params;
    watch->facts->dialog_count++;
    watch->is_dialog_open = true;
}

static void on_crash(struct site_watch *watch, const TreeNode *params)
{
    (void)params;
    watch->facts->has_crashed = true;
}

void site_watch_event(struct site_watch *watch, Str message)
{
    typedef void Taker(struct site_watch *watch, const TreeNode *params);
    static const struct { const char *method; Taker *take; } rows[] = {
        { "Network.requestWillBeSent", on_request }, { "Network.responseReceived", on_response },
        { "Network.loadingFailed", on_failed }, { "Network.loadingFinished", on_finished },
        { "Network.responseReceivedExtraInfo", on_extra }, { "Page.frameNavigated", on_navigated },
        { "Page.loadEventFired", on_loaded },
        { "Page.domContentEventFired", on_parsed }, { "Page.downloadWillBegin", on_download },
        { "Page.javascriptDialogOpening", on_dialog }, { "Inspector.targetCrashed", on_crash },
        { "Audits.issueAdded", on_issue }, { "Log.entryAdded", on_entry }, { "Runtime.consoleAPICalled", on_console },
        { "Runtime.bindingCalled", on_binding },
    };
    Str method = devtools_method(message);
    const TreeNode *root;
    struct region region;
    /* A page can flood us. So no tree is made of a message before its bytes show that it can say something. */
    bool is_console = str_equal(method, STR("Runtime.consoleAPICalled"));
    if (is_console && !str_contains(message, STR("Onym:")) && !str_contains(message, STR("nippet included"))) return;
    if (str_equal(method, STR("Audits.issueAdded")) && str_contains(message, STR("\"PerformanceIssue\""))) return;
    for (size_t at = 0; at < countof(rows); at++) {
        if (!str_equal(method, str_from(rows[at].method))) continue;
        region_open(&region, (size_t)256 << 20);            /* of address space */
        Arena scratch = region_arena(&region);
        if (event_tree_read(message, &scratch, &root, NULL) == OK)
            rows[at].take(watch, event_tree_get(root, STR("params")));
        region_close(&region);
        return;
    }
}

/* ---- The last look ---- */

void site_watch_cookies(struct site_watch *watch, const TreeNode *list, double now_s)
{
    struct site_facts *facts = watch->facts;
    for (const TreeNode *one = list ? list->first : NULL; one && facts->cookie_count < SITE_COOKIES; one = one->next) {
        if (!str_starts(event_tree_text(one, "name"), STR("ajs_"))) continue;
        double expires_s = number(one, "expires");
        facts->cookies[facts->cookie_count++] = (SiteCookie){
            .name = keep_text(watch, one, "name"), .domain = keep_text(watch, one, "domain"),
            .path = keep_text(watch, one, "path"), .same_site = keep_text(watch, one, "sameSite"),
            .is_http_only = truth(one, "httpOnly"), .is_secure = truth(one, "secure"),
            .is_session = truth(one, "session"), .expires_s = expires_s > 0 ? expires_s - now_s : 0,
        };
    }
}

static unsigned count_of(const TreeNode *object, const char *path)
{
    double value = number(object, path);
    return value > 0 && value < 1e6 ? (unsigned)value : 0;
}

void site_watch_probe(struct site_watch *watch, const TreeNode *value)
{
    SiteProbe *probe = &watch->facts->probe;
    const TreeNode *analytics = event_tree_get(value, STR("analytics"));
    *probe = (SiteProbe){ .is_read = event_tree_is_kind(value, FIELD_OBJECT) };
    probe->has_analytics = event_tree_is_kind(analytics, FIELD_OBJECT);
    bool has_rudder = event_tree_is_kind(event_tree_get(value, STR("rudder")), FIELD_OBJECT);
    probe->kind = probe->has_analytics ? truth(analytics, "onym") ? SITE_ONYM : SITE_SEGMENT
                : has_rudder ? SITE_RUDDERSTACK : SITE_NO_LIBRARY;
    probe->is_stub = probe->has_analytics ? truth(analytics, "stub") : truth(value, "rudder.stub");
    probe->is_initialized = truth(analytics, "initialized");
    probe->holds_consent = truth(analytics, "holds") || truth(value, "snippets.holds");
    probe->is_disabled = truth(analytics, "disabled");
    probe->version = keep_text(watch, analytics, "version");
    probe->key = keep_text(watch, analytics, "key");
    probe->cdn = keep_text(watch, analytics, "cdn");
    if (!probe->cdn.len) probe->cdn = keep_text(watch, value, "snippets.cdn");
    probe->own_path = keep_text(watch, analytics, "own");
    if (!probe->own_path.len) probe->own_path = keep_text(watch, value, "snippets.own");
    probe->onym_snippets = count_of(value, "snippets.onym");
    probe->segment_snippets = count_of(value, "snippets.segment");
    probe->rudder_snippets = count_of(value, "snippets.rudder");
    probe->library_tags = count_of(value, "snippets.tags");
    probe->frames_with_snippet = count_of(value, "frames");
    probe->waiting = count_of(value, "waiting");
    probe->widest = keep_text(watch, value, "widest");
    probe->title = keep_text(watch, value, "title");
    read_texts(watch, event_tree_find(value, "snippets.keys"), probe->snippet_keys, &probe->snippet_key_count,
               SITE_NAMES);
    read_texts(watch, event_tree_get(value, STR("vendors")), probe->vendors, &probe->vendor_count, SITE_NAMES);
    read_texts(watch, event_tree_get(value, STR("consents")), probe->consents, &probe->consent_count, SITE_NAMES);
    read_texts(watch, event_tree_get(value, STR("policies")), probe->meta_policies, &probe->meta_policy_count,
               SITE_POLICIES);
    read_texts(watch, event_tree_get(value, STR("queued")), probe->queued, &probe->queued_count, SITE_QUEUED);
}
