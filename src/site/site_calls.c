/* site_calls: what became of the calls: where they went, what was answered, which were made and how often, and
 * those of a page that went on to another one. */
#include "site.h"

static size_t count_messages(const struct site_facts *facts, const char *type)
{
    size_t count = 0;
    for (size_t at = 0; at < facts->message_count; at++) count += str_equal(facts->messages[at].type, str_from(type));
    return count;
}

static bool is_same_message(const SiteMessage *one, const SiteMessage *other)
{
    return one->message_id.len && str_equal(one->message_id, other->message_id);
}

/* Did it arrive, by this request or by another one with the same message? */
static bool has_arrived(const struct site_facts *facts, const SiteMessage *message)
{
    for (size_t at = 0; at < facts->message_count; at++) {
        const SiteMessage *one = &facts->messages[at];
        bool is_it = one == message || is_same_message(one, message);
        if (is_it && site_is_delivered(&facts->calls[one->call])) return true;
    }
    return false;
}

/* ---- Where they go ---- */

/* What is wrong with one call; false: nothing, or policies and the judgement of the whole say it. */
static bool judge_call(const SiteRequest *call, Str shown, struct site_findings *findings)
{
    Str hand_on = STR("the web server in front must hand /v1/ on to Onym, unchanged");
    if (str_equal(call->blocked, STR("csp"))) return false;
    if (str_equal(call->blocked, STR("mixed-content"))) {
        site_found(findings, FINDING_collect_mixed, STR("serve Onym over https, and change the address in the snippet"),
                   "The page is https and calls go to http (%.*s): browsers stop them.", STR_FORMAT(shown));
    } else if (call->redirect_status) {
        site_found(findings, FINDING_collect_redirect, hand_on,
                   "%.*s answers HTTP %d and redirects to %.*s: calls get lost on the way.", STR_FORMAT(shown),
                   call->redirect_status, STR_FORMAT(site_url_shown(call->location, findings->arena)));
    } else if (call->cors.len) {
        bool is_redirect = str_contains(call->cors, STR("Redirect"));
        site_found(findings, is_redirect ? FINDING_collect_redirect : FINDING_collect_cors,
                   is_redirect ? hand_on : STR("hand OPTIONS requests and the header Origin on to Onym; neither add "
                   "nor remove Access-Control-* headers; allowed_origins of the source must name the site"),
                   "The browser stops calls to %.*s because of what it answers to another origin (%.*s).",
                   STR_FORMAT(shown), STR_FORMAT(call->cors));
    } else if (call->failed.len) {
        bool is_cancelled = str_contains(call->failed, STR("ERR_ABORTED"));
        if (is_cancelled) return false;                      /* the page went on: redirect says it */
        site_found(findings, FINDING_collect_unreachable, call->blocked.len
                   ? STR("look at the reason; own_path gives the source a path that blockers do not know")
                   : STR("is Onym running there, and is that its address? public_url in onym.yaml"),
                   "Calls to %.*s get no answer: %.*s%s%.*s.", STR_FORMAT(shown), STR_FORMAT(call->failed),
                   call->blocked.len ? ", " : "", STR_FORMAT(call->blocked));
    } else if (call->status && call->status != 200) {
        site_found(findings, FINDING_collect_status, call->status == 429
                   ? STR("the source sends more than its rate allows, or the server is too far behind; see /metrics")
                   : hand_on, "%.*s answers HTTP %d; calls need a 200.", STR_FORMAT(shown), call->status);
    } else if (call->status && str_contains(call->mime, STR("html"))) {
        site_found(findings, FINDING_collect_html, STR("the web server answers every path with the site's own page (a "
                   "single-page app's fallback); hand /v1/ on to Onym before it"),
                   "%.*s answers 200 with HTML, not with JSON: calls count as sent, and are lost.", STR_FORMAT(shown));
    } else {
        return false;
    }
    return true;
}

/* What the server said to this command, where no call of the page did. */
static bool judge_answer(const struct site_facts *facts, struct site_findings *findings)
{
    Str shown = site_url_shown(facts->collect_url, findings->arena), says = facts->collect_says;
    SiteRequest call = { .status = facts->collect_status, .location = says };
    switch (facts->collect) {
    case COLLECT_HTML:
        call.mime = STR("text/html");
        return judge_call(&call, shown, findings);
    case COLLECT_REDIRECT:
        call.redirect_status = facts->collect_status;
        return judge_call(&call, shown, findings);
    case COLLECT_REFUSED:
        /* An unknown key, or an origin: the line about the write key says so. */
        if (facts->key == KEY_ORIGIN || facts->key == KEY_UNKNOWN || facts->key == KEY_DISABLED) return true;
        return judge_call(&call, shown, findings);
    case COLLECT_NO_ANSWER:
        call.failed = says.len ? says : STR("no answer");
        return judge_call(&call, shown, findings);
    case COLLECT_OTHER:
        site_found(findings, FINDING_collect_other, STR("is that Onym's address? `_cdn` in the snippet, public_url in "
                   "onym.yaml"), "%.*s answers 200, but not as Onym does (%.*s).", STR_FORMAT(shown), STR_FORMAT(says));
        return true;
    case COLLECT_NOT_ASKED:
    case COLLECT_FINE:
        break;
    }
    return false;
}

static bool judge_elsewhere(const struct site_facts *facts, struct site_findings *findings)
{
    size_t ours = 0;
    const SiteRequest *theirs = NULL;
    for (size_t at = 0; at < facts->call_count; at++) {
        const SiteRequest *call = &facts->calls[at];
        if (!call->is_collect) continue;
        if (site_is_elsewhere(call->url)) theirs = call;
        else ours++;
    }
    if (!theirs || ours) return false;
    site_found(findings, FINDING_collect_elsewhere, STR("change the host in the snippet to Onym's: `onym keys "
                                                        "--snippet`"),
               "All calls go to %.*s, and none to an Onym.", STR_FORMAT(site_url_origin(theirs->url, findings->arena)));
    return true;
}

static void judge_collect(const struct site_facts *facts, struct site_findings *findings)
{
    size_t count = 0, delivered = 0;
    bool is_bad = judge_elsewhere(facts, findings), is_done[FINDING_COUNT] = { false };
    const SiteRequest *last = NULL;
    bool is_told = false;
    for (size_t at = 0; at < facts->call_count; at++)
        is_told |= facts->calls[at].is_collect && (facts->calls[at].redirect_status || facts->calls[at].cors.len);
    for (size_t at = 0; at < facts->call_count && !is_bad; at++) {
        const SiteRequest *call = &facts->calls[at];
        size_t before = findings->count;
        if (!call->is_collect || site_is_elsewhere(call->url)) continue;
        count++;
        delivered += site_is_delivered(call) && !call->redirect_status;
        last = call;
        /* "The browser has stopped it" says less than the reason of another call. */
        bool is_vague = str_equal(call->failed, STR("net::ERR_FAILED")) && !call->redirect_status && !call->cors.len;
        if (is_vague && is_told) continue;
        if (!judge_call(call, site_url_shown(call->url, findings->arena), findings)) continue;
        SiteFindingName name = findings->items[before].name;
        if (!is_done[name]) is_done[name] = true;
        else findings->count = before, findings->error_count--;             /* the same again: one line is enough */
    }
    for (size_t at = 0; at < FINDING_COUNT; at++) is_bad |= is_done[at];
    /* If the browser reaches the server and this command does not, nothing is wrong with the page. */
    if (!is_bad && !(delivered && facts->collect == COLLECT_NO_ANSWER)) is_bad = judge_answer(facts, findings);
    if (is_bad) return;
    if (delivered)
        site_found(findings, FINDING_collect_fine, (Str){ 0 }, "%zu of %zu requests to %.*s were answered with 200.",
                   delivered, count, STR_FORMAT(site_url_shown(last->url, findings->arena)));
    else if (facts->collect == COLLECT_FINE)
        site_found(findings, FINDING_collect_fine, (Str){ 0 }, "%.*s answers as Onym does; no call of the page was "
                   "answered in this time.", STR_FORMAT(site_url_shown(facts->collect_url, findings->arena)));
}

/* ---- Which were made ---- */

/* Two page calls of one page with the same path, under two ids: a view that counts twice. */
static const SiteMessage *find_twice(const struct site_facts *facts)
{
    for (size_t at = 0; at < facts->message_count; at++) {
        const SiteMessage *one = &facts->messages[at];
        for (size_t other = 0; other < at && str_equal(one->type, STR("page")); other++) {
            const SiteMessage *before = &facts->messages[other];
            bool is_one_place = site_url_same_origin(facts->calls[one->call].url, facts->calls[before->call].url);
            if (str_equal(before->type, STR("page")) && before->page == one->page && is_one_place
                && str_equal(before->path, one->path) && str_equal(before->event, one->event)
                && !is_same_message(one, before)) return one;
        }
    }
    return NULL;
}

static size_t count_queued(const SiteProbe *probe, const char *type)
{
    size_t count = 0;
    for (size_t at = 0; at < probe->queued_count; at++) {
        Str rest;
        count += str_equal(str_cut(probe->queued[at], ' ', &rest), str_from(type));
    }
    return count;
}

static bool is_held(const struct site_facts *facts)
{
    return facts->probe.holds_consent || facts->probe.consent_count;
}

static void judge_page_call(const struct site_facts *facts, struct site_findings *findings)
{
    size_t count = 0;
    const SiteMessage *twice = find_twice(facts);
    for (size_t at = 0; at < facts->message_count; at++) {
        bool is_new = str_equal(facts->messages[at].type, STR("page"));
        for (size_t other = 0; other < at && is_new; other++)
            is_new = !is_same_message(&facts->messages[at], &facts->messages[other]);
        count += is_new;
    }
    if (twice)
        site_found(findings, FINDING_page_call_twice,
                   STR("call page() once for each view: not both in the snippet and in the app's router, "
                       "and not in addition to autoPage or initialPageview"),
                   "The view of %.*s is counted twice: two page calls with different ids.", STR_FORMAT(twice->path));
    else if (count)
        site_found(findings, FINDING_page_call_fine, (Str){ 0 }, "%zu seen.", count);
    else if (count_queued(&facts->probe, "page") || facts->probe.waiting || is_held(facts))
        site_found(findings, FINDING_page_call_waits, (Str){ 0 }, "None was sent; calls wait in the browser.");
    else if (facts->probe.is_read && facts->pages[facts->page_count - 1].loaded_s > 0)
        site_found(findings, FINDING_page_call_missing, STR("analytics.page() after load, or the option autoPage in a "
                   "single-page app"), "None was seen: funnels that begin with a page have no beginning.");
}

static bool is_odd_id(Str id)
{
    static const char *const odd[] = { "undefined", "null", "[object Object]", "NaN", "true", "false", "0", "-1",
                                       "anonymous" };
    for (size_t at = 0; at < countof(odd); at++)
        if (str_equal_no_case(id, str_from(odd[at]))) return true;
    return str_starts(id, STR("{")) || str_starts(id, STR("["));
}

static void judge_identify(const struct site_facts *facts, struct site_findings *findings)
{
    for (size_t at = 0; at < facts->message_count; at++) {
        const SiteMessage *message = &facts->messages[at];
        if (!message->user_id.len || !is_odd_id(message->user_id)) continue;
        site_found(findings, FINDING_identify_odd, STR("call identify only when the id is known; leave it out for "
                                                       "visitors who are not logged in"),
                   "A %.*s call has the user id \"%.*s\": everybody who gets it becomes one person.",
                   STR_FORMAT(message->type), STR_FORMAT(str_slice(message->user_id, 0, 80)));
        return;
    }
    size_t count = count_messages(facts, "identify");
    if (count) site_found(findings, FINDING_identify_seen, (Str){ 0 }, "%zu seen.", count);
    else
        site_found(findings, FINDING_identify_none, (Str){ 0 }, "None was seen, as is right for a visitor who is "
                   "not logged in; check the page after the sign-up, too.");
}

/* ---- Before a redirect ---- */

/* A call that a snippet kept, "track Signed Up": did one of its kind and name arrive, from its page or a later one? */
static bool has_queued_arrived(const struct site_facts *facts, Str queued, size_t page)
{
    Str event, type = str_cut(queued, ' ', &event);
    for (size_t at = 0; at < facts->message_count; at++) {
        const SiteMessage *one = &facts->messages[at];
        bool is_named = str_equal(type, STR("track")) || str_equal(type, STR("screen"));
        if (one->page >= page && str_equal(one->type, type) && (!is_named || str_equal(one->event, event))
            && site_is_delivered(&facts->calls[one->call])) return true;
    }
    return false;
}

static Str name_of(const SiteMessage *message, Arena *arena)
{
    return arena_printf(arena, "%.*s%s%.*s", STR_FORMAT(message->type), message->event.len ? " " : "",
                        STR_FORMAT(str_slice(message->event, 0, 100)));
}

/* The first call that a page made just before the next page came, and that never arrived; and how many such calls. */
static size_t count_lost(const struct site_facts *facts, Arena *arena, Str *ret_name, unsigned *ret_page,
                         size_t *ret_made)
{
    size_t lost = 0;
    unsigned last = (unsigned)facts->page_count - 1;
    for (size_t at = 0; at < facts->message_count; at++) {
        const SiteMessage *message = &facts->messages[at];
        if (message->page >= last) continue;
        (*ret_made)++;
        bool is_stored = facts->probe.waiting && facts->probe.kind == SITE_ONYM;
        if (has_arrived(facts, message) || is_stored || lost++) continue;
        *ret_name = name_of(message, arena);
        *ret_page = message->page;
    }
    for (size_t page = 0; page < last; page++) {
        if (facts->pages[page].are_queued_kept) {
            *ret_made += facts->pages[page].queued_count;
            continue;
        }
        for (size_t at = 0; at < facts->pages[page].queued_count; at++) {
            (*ret_made)++;
            if (has_queued_arrived(facts, facts->pages[page].queued[at], page) || lost++) continue;
            *ret_name = facts->pages[page].queued[at];
            *ret_page = (unsigned)page;
        }
    }
    return lost;
}

static void judge_redirect(const struct site_facts *facts, struct site_findings *findings)
{
    Str name = { 0 };
    unsigned page = 0;
    size_t made = 0, lost = facts->page_count > 1 ? count_lost(facts, findings->arena, &name, &page, &made) : 0;
    if (lost)
        site_found(findings, FINDING_redirect_lost, STR("with Onym's own snippet calls survive the page (`onym keys "
                   "--snippet`); else wait for the call before going on"),
                   "%zu call%s made on %.*s just before it went on did not arrive: %.*s%s.", lost, lost == 1 ? "" : "s",
                   STR_FORMAT(site_url_shown(facts->pages[page].url, findings->arena)), STR_FORMAT(name),
                   lost > 1 ? ", …" : "");
    else if (made && facts->probe.waiting)
        site_found(findings, FINDING_redirect_waits, STR("put the snippet on the page that follows, too"),
                   "%u call%s of a page that went on wait%s in the browser until a page of the site can send.",
                   facts->probe.waiting, facts->probe.waiting == 1 ? "" : "s", facts->probe.waiting == 1 ? "s" : "");
    else if (made)
        site_found(findings, FINDING_redirect_kept, (Str){ 0 }, "%zu call%s made before the page went on; all arrived.",
                   made, made == 1 ? " was" : "s were");
    else
        site_found(findings, FINDING_redirect_none, (Str){ 0 }, "%s", facts->page_count > 1
                   ? "The page went on to another one, and no call was made before." : "The page went on to no "
                       "other one.");
}

/* ---- The rest ---- */

static void judge_console(const struct site_facts *facts, struct site_findings *findings)
{
    for (size_t at = 0; at < facts->line_count; at++) {
        Str line = facts->lines[at];
        /* Other findings say these, and more about them. */
        if (str_contains(line, STR("is in use")) || str_contains(line, STR("included twice"))
            || str_contains(line, STR("did not load")) || str_contains(line, STR("nothing is counted here"))) continue;
        site_found(findings, FINDING_console_says, STR("docs/browser.md explains each line that begins with Onym:"),
                   "The library says: %.*s", STR_FORMAT(line));
    }
}

static void judge_time(const struct site_facts *facts, struct site_findings *findings)
{
    const SiteRequest *script = site_library(facts), *first = NULL;
    for (size_t at = 0; at < facts->call_count && !first; at++)
        if (site_is_delivered(&facts->calls[at]) && facts->calls[at].is_collect) first = &facts->calls[at];
    if (!script || script->answered_s <= 0) return;
    Str call = first ? arena_printf(findings->arena, "; the first call was answered after %.2f s", first->answered_s)
                     : (Str){ 0 };
    site_found(findings, FINDING_time, (Str){ 0 }, "The script was there %.2f s after the start, %.2f s of it its "
               "own%.*s.",
               script->answered_s, script->answered_s - script->asked_s, STR_FORMAT(call));
}

void site_judge_calls(const struct site_facts *facts, struct site_findings *findings)
{
    const SiteProbe *probe = &facts->probe;
    bool is_there = facts->call_count || site_library(facts) || probe->kind != SITE_NO_LIBRARY
        || probe->onym_snippets + probe->segment_snippets + probe->rudder_snippets;
    if (!is_there) return;
    judge_collect(facts, findings);
    judge_page_call(facts, findings);
    judge_identify(facts, findings);
    judge_redirect(facts, findings);
    judge_console(facts, findings);
    judge_time(facts, findings);
}
