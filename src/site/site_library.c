/* site_library: snippet, script, write key, and the policies that stand in their way. */
#include "site.h"
#include "terminal/terminal.h"

static const SitePage *last_page(const struct site_facts *facts) { return &facts->pages[facts->page_count - 1]; }

static size_t count_collects(const struct site_facts *facts)
{
    size_t count = 0;
    for (size_t at = 0; at < facts->call_count; at++) count += facts->calls[at].is_collect;
    return count;
}

static Str join(const Str *texts, size_t count, Arena *arena)
{
    Str all = { 0 };
    for (size_t at = 0; at < count; at++)
        all = at ? arena_printf(arena, "%.*s, %.*s", STR_FORMAT(all), STR_FORMAT(texts[at])) : texts[at];
    return all;
}

/* ---- Snippet ---- */

static bool console_says_twice(const struct site_facts *facts)
{
    for (size_t at = 0; at < facts->line_count; at++)
        if (str_contains(facts->lines[at], STR("is in use")) || str_contains(facts->lines[at], STR("included twice")))
            return true;
    return false;
}

static void judge_twice(const struct site_facts *facts, struct site_findings *findings)
{
    const SiteProbe *probe = &facts->probe;
    Str keys = join(probe->snippet_keys, probe->snippet_key_count, findings->arena);
    unsigned count = probe->onym_snippets + probe->segment_snippets;
    if (probe->library_tags > count) count = probe->library_tags;
    site_found(findings, FINDING_snippet_twice,
               STR("keep one of them (look into the tag manager and the page's template); one snippet, one load"),
               "The snippet is on the page %s%s%.*s%s. Each call is then counted twice, or under two keys.",
               count > 2 ? "several times" : "twice", keys.len ? " (write keys: " : "", STR_FORMAT(keys),
               keys.len ? ")" : "");
}

static void judge_beside(const struct site_facts *facts, struct site_findings *findings)
{
    const SiteProbe *probe = &facts->probe;
    const char *other = NULL;
    size_t ours = 0;
    for (size_t at = 0; at < facts->call_count; at++) ours += !site_is_elsewhere(facts->calls[at].url);
    for (size_t at = 0; at < facts->script_count && !other; at++)
        if (site_is_elsewhere(facts->scripts[at].url) && site_library(facts) != &facts->scripts[at])
            other = str_contains(facts->scripts[at].url, STR("rudder")) ? "RudderStack's" : "Segment's";
    for (size_t at = 0; at < facts->call_count && !other && ours; at++)
        if (facts->calls[at].is_collect && site_is_elsewhere(facts->calls[at].url))
            other = str_contains(facts->calls[at].url, STR("rudder")) ? "RudderStack's" : "Segment's";
    if (!other && probe->rudder_snippets && probe->onym_snippets + probe->segment_snippets) other = "RudderStack's";
    if (!other && probe->onym_snippets && probe->segment_snippets) other = "Segment's";
    if (other)
        site_found(findings, FINDING_snippet_beside,
                   STR("fine for a while, to compare; in the end keep only one: both write the same cookies (ajs_*)"),
                   "%s snippet or library is on the page as well.", other);
    if (probe->vendor_count)
        site_found(findings, FINDING_snippet_others, (Str){ 0 }, "Also on the page: %.*s. They do no harm to each "
                   "other.",
                   STR_FORMAT(join(probe->vendors, probe->vendor_count, findings->arena)));
}

/* False: there is none, and nothing else of the library is to be judged. */
static bool judge_snippet(const struct site_facts *facts, struct site_findings *findings)
{
    const SiteProbe *probe = &facts->probe;
    const SiteRequest *library = site_library(facts);
    unsigned snippets = probe->onym_snippets + probe->segment_snippets + probe->rudder_snippets;
    bool has_calls = false;
    if (library && library->page + 1 < facts->page_count) library = NULL;              /* the one of an earlier page */
    for (size_t at = 0; at < facts->call_count; at++) has_calls |= facts->calls[at].page + 1 == facts->page_count;
    bool is_there = snippets || library || probe->library_tags || probe->kind != SITE_NO_LIBRARY || has_calls;
    /* Said already: the page did not answer, or did not come to its end. */
    if (!is_there && (!probe->is_read || last_page(facts)->parsed_s == 0)) return false;
    if (!is_there && probe->frames_with_snippet) {
        site_found(findings, FINDING_snippet_in_frame,
                   STR("put it into the <head> of the page itself: a frame has an address and a title of its own"),
                   "The snippet is only in a frame of the page.");
        return false;
    }
    if (!is_there) {
        site_found(findings, FINDING_snippet_missing,
                   STR("paste what `onym keys --snippet` prints into the page's <head>"),
                   "There is no snippet on %.*s, and no call of a library was seen.",
                   STR_FORMAT(site_url_shown(last_page(facts)->url, findings->arena)));
        return false;
    }
    bool is_twice = probe->onym_snippets > 1 || probe->segment_snippets > 1 || probe->library_tags > 1
        || console_says_twice(facts);
    if (is_twice) judge_twice(facts, findings);
    judge_beside(facts, findings);
    if (is_twice) return true;
    bool is_bundle = !snippets && !library && count_collects(facts);
    const char *whose = probe->onym_snippets ? "Onym's snippet" : probe->segment_snippets ? "Segment's snippet"
                      : probe->rudder_snippets ? "RudderStack's snippet" : NULL;
    if (whose) site_found(findings, FINDING_snippet_fine, (Str){ 0 }, "%s, once.", whose);
    else if (is_bundle)
        site_found(findings, FINDING_snippet_fine, (Str){ 0 }, "No snippet: the library is part of the site's own "
                   "scripts.");
    else site_found(findings, FINDING_snippet_fine, (Str){ 0 }, "It is there, from one of the site's own scripts.");
    return true;
}

/* ---- Script ---- */

static Str describe_library(const struct site_facts *facts, Arena *arena)
{
    const SiteProbe *probe = &facts->probe;
    for (size_t at = facts->message_count; at-- > 0;)
        if (facts->messages[at].library.len)
            return arena_printf(arena, "%.*s %.*s", STR_FORMAT(facts->messages[at].library),
                                STR_FORMAT(facts->messages[at].version));
    if (!probe->is_stub && probe->version.len)
        return arena_printf(arena, "%s %.*s", probe->kind == SITE_ONYM ? "onym.js" : "analytics.js",
                            STR_FORMAT(probe->version));
    return (Str){ 0 };
}

static void judge_script_trouble(const SiteRequest *script, Str shown, struct site_findings *findings)
{
    if (str_equal(script->blocked, STR("csp"))) return;      /* policy says it */
    if (str_starts(script->blocked, STR("corp-")) || str_starts(script->blocked, STR("coep-"))) return;
    if (str_equal(script->blocked, STR("mixed-content")))
        site_found(findings, FINDING_script_mixed, STR("serve Onym over https, and change the address in the snippet"),
                   "The page is https and the script http (%.*s): browsers do not load it.", STR_FORMAT(shown));
    else if (script->blocked.len)
        site_found(findings, FINDING_script_blocked, STR("look at the reason; own_path gives the source a path that "
                   "blockers do not know"), "%.*s was blocked: %.*s.", STR_FORMAT(shown), STR_FORMAT(script->blocked));
    else if (str_contains(script->failed, STR("BLOCKED_BY_ORB")) && script->status && script->status < 400)
        site_found(findings, FINDING_script_html, STR("the web server answers every path with something of its own; "
                                                      "hand "
                   "/analytics.js/ and /v1/ on to Onym"), "%.*s is no script (%.*s).", STR_FORMAT(shown),
                   STR_FORMAT(script->mime));
    else if (script->failed.len && script->status < 400)
        site_found(findings, FINDING_script_failed, STR("is Onym running there, and is that its address? `_cdn` in the "
                   "snippet, public_url in onym.yaml"), "%.*s did not load: %.*s.", STR_FORMAT(shown),
                   STR_FORMAT(script->failed));
    else if (script->status >= 400)
        site_found(findings, FINDING_script_status, STR("the proxy in front must hand /analytics.js/ on to Onym"),
                   "%.*s answers HTTP %d.", STR_FORMAT(shown), script->status);
}

static void judge_script(const struct site_facts *facts, struct site_findings *findings)
{
    Arena *arena = findings->arena;
    const SiteProbe *probe = &facts->probe;
    const SiteRequest *script = site_library(facts);
    Str version = describe_library(facts, arena);
    if (!script) {
        if (version.len)
            site_found(findings, FINDING_script_fine, (Str){ 0 }, "%.*s, from the site's own scripts.",
                       STR_FORMAT(version));
        return;
    }
    char size[32];
    Str shown = site_url_shown(script->url, arena);
    bool is_bad = script->blocked.len || script->failed.len || script->status >= 400;
    if (is_bad) {
        judge_script_trouble(script, shown, findings);
        return;
    }
    bool is_html = str_contains(script->mime, STR("html"));
    if (script->status && is_html)
        site_found(findings, FINDING_script_html, STR("the web server answers every path with the site's own page; "
                                                      "hand "
                   "/analytics.js/ and /v1/ on to Onym"), "%.*s is HTML, not a script.", STR_FORMAT(shown));
    else if (script->status && probe->is_read && probe->is_stub && !count_collects(facts)
             && last_page(facts)->loaded_s > 0)
        site_found(findings, FINDING_script_silent, STR("look at the page's console for its error; load the script "
                                                        "without "
                   "changes (no `type`, no bundling)"),
                   "%.*s loaded, but the library did not start.", STR_FORMAT(shown));
    else if (script->status)
        site_found(findings, FINDING_script_fine, (Str){ 0 }, "%.*s%s%.*s%s%s, after %.1f s.", STR_FORMAT(version),
                   version.len ? " from " : "From ", STR_FORMAT(shown), script->bytes ? ", " : "",
                   script->bytes ? bytes_text(script->bytes, size, sizeof size) : "", script->answered_s);
    else
        site_found(findings, FINDING_script_slow, STR("--timeout 30 waits longer; is a firewall in between?"),
                   "%.*s was not answered before the visit ended.", STR_FORMAT(shown));
}

/* ---- Write key ---- */

static void judge_key(const struct site_facts *facts, struct site_findings *findings)
{
    Str key = facts->write_key, origin = site_url_origin(site_final_url(facts), findings->arena);
    Str why = facts->key_says;
    if (!key.len) {
        if (facts->probe.is_read)
            site_found(findings, FINDING_key_missing, STR("analytics.load('wk_…') with a key of `onym keys`"),
                       "No write key was found: load was not called, or with an empty key.");
        return;
    }
    if (facts->wanted_key.len && !str_equal(facts->wanted_key, key))
        site_found(findings, FINDING_key_other, STR("change the key in the snippet, or leave --write-key out"),
                   "The page has the write key %.*s, not %.*s.", STR_FORMAT(key), STR_FORMAT(facts->wanted_key));
    switch (facts->key) {
    case KEY_KNOWN:
        site_found(findings, FINDING_key_fine, (Str){ 0 }, "%.*s: known, enabled, and open to %.*s.", STR_FORMAT(key),
                   STR_FORMAT(origin));
        break;
    case KEY_UNKNOWN:
        site_found(findings, FINDING_key_unknown, STR("put a key of `onym keys` into the snippet, or the source into "
                   "onym.yaml"), "Onym knows no write key %.*s: all calls are kept as rejected, and counted nowhere.",
                   STR_FORMAT(key));
        break;
    case KEY_DISABLED:
        site_found(findings, FINDING_key_disabled, STR("enabled: true at the source in onym.yaml"),
                   "The write key %.*s is of a source that is disabled (%.*s).", STR_FORMAT(key), STR_FORMAT(why));
        break;
    case KEY_ORIGIN: {
        Str mend = arena_printf(findings->arena, "add %.*s to allowed_origins of the source in onym.yaml",
                                STR_FORMAT(origin));
        site_found(findings, FINDING_key_origin, mend, "The source of %.*s takes no calls from %.*s (%.*s).",
                   STR_FORMAT(key), STR_FORMAT(origin), STR_FORMAT(why));
        break;
    }
    case KEY_NO_ONYM:
    case KEY_NO_ANSWER:
    case KEY_NOT_ASKED:
        site_found(findings, FINDING_key_unasked, STR("--server URL says where Onym listens"),
                   "Onym could not be asked whether it knows %.*s%s%.*s.", STR_FORMAT(key), why.len ? ": " : "",
                   STR_FORMAT(why));
        break;
    }
}

/* ---- Policies ---- */

static bool is_blocked(const struct site_facts *facts, Str directive, Str address)
{
    for (size_t at = 0; at < facts->block_count; at++) {
        const SiteBlock *block = &facts->blocks[at];
        if (block->is_report_only || !str_starts(block->directive, directive)) continue;
        if (address.len && site_url_same_origin(block->url, address)) return true;
    }
    return false;
}

/* What no policy of the page allows: the first that refuses, and by which directive. */
static bool allows(const struct site_facts *facts, Str directive, Str address, Str *ret_directive)
{
    const SitePage *page = last_page(facts);
    for (size_t at = 0; at < page->policy_count; at++)
        if (!site_policy_allows(page->policies[at], directive, address, page->url, ret_directive)) return false;
    for (size_t at = 0; at < facts->probe.meta_policy_count; at++)
        if (!site_policy_allows(facts->probe.meta_policies[at], directive, address, page->url,
                                ret_directive)) return false;
    return true;
}

static bool judge_inline(const struct site_facts *facts, struct site_findings *findings)
{
    const SiteProbe *probe = &facts->probe;
    unsigned snippets = probe->onym_snippets + probe->segment_snippets + probe->rudder_snippets;
    bool is_stopped = false;
    for (size_t at = 0; at < facts->block_count; at++)
        is_stopped |= !facts->blocks[at].is_report_only && str_equal(facts->blocks[at].kind, STR("kInlineViolation"));
    if (!is_stopped || !snippets || probe->kind != SITE_NO_LIBRARY) return false;
    Str mend = arena_printf(findings->arena, "give its <script> the policy's nonce, or add its hash to "
                            "script-src%s%.*s",
                            facts->inline_hash.len ? ": " : "", STR_FORMAT(facts->inline_hash));
    site_found(findings, FINDING_csp_inline, mend,
               "The page's Content-Security-Policy stops the snippet, which is an inline script: nothing is counted.");
    return true;
}

static void judge_policies(const struct site_facts *facts, struct site_findings *findings)
{
    Arena *arena = findings->arena;
    const SitePage *page = last_page(facts);
    const SiteRequest *script = site_library(facts);
    bool has_policy = page->policy_count || facts->probe.meta_policy_count, is_bad = judge_inline(facts, findings);
    Str by = STR("script-src"), collect = facts->collect_url, origin;
    Str address = script ? script->url : site_url_origin(facts->probe.cdn, arena);
    bool is_script_stopped = script ? str_equal(script->blocked, STR("csp"))
                           : address.len && !allows(facts, STR("script-src"), address, &by);
    if (is_script_stopped) {
        (void)allows(facts, STR("script-src"), address, &by);
        origin = site_url_origin(address, arena);
        site_found(findings, FINDING_csp_script,
                   arena_printf(arena, "add %.*s to %.*s", STR_FORMAT(origin), STR_FORMAT(by)),
                   "The page's Content-Security-Policy stops the script from %.*s (%.*s).", STR_FORMAT(origin),
                   STR_FORMAT(by));
    }
    Str connect = STR("connect-src");
    bool is_connect_stopped = collect.len
        && (is_blocked(facts, STR("connect-src"), collect) || is_blocked(facts, STR("default-src"), collect)
            || !allows(facts, STR("connect-src"), collect, &connect));
    if (is_connect_stopped) {
        (void)allows(facts, STR("connect-src"), collect, &connect);
        origin = site_url_origin(collect, arena);
        bool is_default = str_equal(connect, STR("default-src"));
        site_found(findings, FINDING_csp_connect, arena_printf(arena, "add %s%.*s to %s%s", "", STR_FORMAT(origin),
                   "connect-src", is_default ? " (there is none yet: begin it with what default-src has)" : ""),
                   "The page's Content-Security-Policy stops calls and beacons to %.*s (%.*s).", STR_FORMAT(origin),
                   STR_FORMAT(connect));
    }
    if (page->report_only.len)
        site_found(findings, FINDING_csp_report_only, (Str){ 0 },
                   "There is also a report-only policy; it stops nothing, and was not judged.");
    if (!is_bad && !is_script_stopped && !is_connect_stopped)
        site_found(findings, FINDING_csp_fine, (Str){ 0 }, "%s", has_policy
                   ? "The page's Content-Security-Policy lets script and calls through." : "The page has none.");
}

static void judge_isolation(const struct site_facts *facts, struct site_findings *findings)
{
    const SitePage *page = last_page(facts);
    const SiteRequest *script = site_library(facts);
    bool is_stopped = script && (str_starts(script->blocked, STR("corp-")) || str_starts(script->blocked,
                                                                                         STR("coep-")));
    if (is_stopped) {
        site_found(findings, FINDING_isolation_blocks,
                   STR("let the answer's Cross-Origin-Resource-Policy: cross-origin through (Onym sends it; a proxy "
                       "or CDN took it away)"),
                   "The page isolates itself (Cross-Origin-Embedder-Policy: %.*s), and the script is stopped by it "
                       "(%.*s).", STR_FORMAT(page->coep), STR_FORMAT(script->blocked));
        return;
    }
    bool is_isolated = page->coep.len && !str_starts(page->coep, STR("unsafe-none"));
    if (is_isolated)
        site_found(findings, FINDING_isolation_fine, (Str){ 0 },
                   "The page isolates itself (Cross-Origin-Embedder-Policy: %.*s), and script and calls pass.",
                   STR_FORMAT(page->coep));
    else
        site_found(findings, FINDING_isolation_fine, (Str){ 0 }, "No Cross-Origin-Embedder-Policy%s%.*s.",
                   page->coop.len ? "; Cross-Origin-Opener-Policy: " : "", STR_FORMAT(page->coop));
}

void site_judge_library(const struct site_facts *facts, struct site_findings *findings)
{
    if (!judge_snippet(facts, findings)) return;
    judge_script(facts, findings);
    judge_key(facts, findings);
    judge_policies(facts, findings);
    judge_isolation(facts, findings);
}
