/* site_facts: what several findings ask of the facts: which script is the library, which calls are ours. */
#include "site.h"

Str site_final_url(const struct site_facts *facts)
{
    return facts->page_count ? facts->pages[facts->page_count - 1].url : facts->asked_url;
}

bool site_is_delivered(const SiteRequest *call)
{
    return call->status == 200 && !str_contains(call->mime, STR("html")) && !call->failed.len;
}

/* Other people's collectors, which take the same calls. */
bool site_is_elsewhere(Str address)
{
    static const char *const hosts[] = { "segment.io", "segment.com", "segmentapis.com", "rudderstack.com",
                                         "rudderlabs.com", "hightouch.com", "freshpaint.io", "jitsu.com" };
    SiteUrl url;
    if (!site_url_parse(address, &url, NULL)) return false;
    for (size_t at = 0; at < countof(hosts); at++) {
        Str host = str_from(hosts[at]);
        bool is_below = url.host.len > host.len && url.host.bytes[url.host.len - host.len - 1] == '.';
        Str tail = is_below ? str_slice(url.host, url.host.len - host.len, url.host.len) : url.host;
        if (str_equal_no_case(tail, host)) return true;
    }
    return false;
}

static bool is_own_script(Str own, Str path)
{
    Str rest = str_slice(path, 1, path.len);
    if (!own.len || !str_starts(rest, own)) return false;
    rest = str_slice(rest, own.len, rest.len);
    return str_equal(rest, STR(".js")) || str_equal(rest, STR("/p.js"));
}

static bool is_library(const struct site_facts *facts, Str address)
{
    static const char *const names[] = { "/analytics.min.js", "/analytics.plus.min.js", "/rsa.min.js", "/rsa.js",
                                         "/rudder-analytics.min.js", "/rudder-analytics.js" };
    SiteUrl url;
    if (!site_url_parse(address, &url, NULL)) return false;
    if (is_own_script(facts->probe.own_path, url.path)) return true;
    for (size_t at = 0; at < countof(names); at++)
        if (str_ends(url.path, str_from(names[at]))) return true;
    return false;
}

const SiteRequest *site_library(const struct site_facts *facts)
{
    const SiteRequest *found = NULL;
    for (size_t at = 0; at < facts->script_count; at++) {
        const SiteRequest *script = &facts->scripts[at];
        if (!is_library(facts, script->url)) continue;
        /* The last page's counts, and ours before others'. */
        if (!found || site_is_elsewhere(found->url) || (script->page > found->page && !site_is_elsewhere(script->url)))
            found = script;
    }
    return found;
}

/* "/analytics.js/v1/KEY/analytics.min.js" */
static Str key_of_script(Str address)
{
    SiteUrl url;
    if (!site_url_parse(address, &url, NULL)) return (Str){ 0 };
    const char *at = memmem(url.path.bytes, url.path.len, "/analytics.js/v1/", 17);
    if (!at) return (Str){ 0 };
    Str rest, path = str_slice(url.path, (size_t)(at - url.path.bytes) + 17, url.path.len);
    return str_cut(path, '/', &rest);
}

Str site_find_key(const struct site_facts *facts)
{
    const SiteProbe *probe = &facts->probe;
    const SiteRequest *library = site_library(facts);
    for (size_t at = facts->call_count; at-- > 0;)
        if (facts->calls[at].write_key.len
            && !site_is_elsewhere(facts->calls[at].url)) return facts->calls[at].write_key;
    if (probe->key.len) return probe->key;
    Str key = library ? key_of_script(library->url) : (Str){ 0 };
    if (key.len) return key;
    for (size_t at = facts->call_count; at-- > 0;)
        if (facts->calls[at].write_key.len) return facts->calls[at].write_key;
    return probe->snippet_key_count ? probe->snippet_keys[0] : (Str){ 0 };
}

/* A call's address with its last word made that of batches, which take an empty one: /v1/t becomes /v1/b. */
static Str as_batch(Str address, Arena *arena)
{
    SiteUrl url;
    Str rest;
    if (!site_url_parse(address, &url, NULL)) return (Str){ 0 };
    Str whole = str_cut(str_cut(address, '#', &rest), '?', &rest);
    size_t end = whole.len;
    while (end > 0 && whole.bytes[end - 1] != '/') end--;
    Str word = str_slice(whole, end, whole.len);
    if (str_equal(word, STR("b")) || str_equal(word, STR("batch"))) return whole;
    return arena_printf(arena, "%.*s%s", (int)end, whole.bytes, word.len > 1 ? "batch" : "b");
}

Str site_find_collect(const struct site_facts *facts, Arena *arena)
{
    const SiteProbe *probe = &facts->probe;
    const SiteRequest *library = site_library(facts);
    for (size_t at = facts->call_count; at-- > 0;)
        if (facts->calls[at].is_collect && !site_is_elsewhere(facts->calls[at].url))
            return as_batch(facts->calls[at].url, arena);
    Str base = probe->cdn.len ? site_url_origin(probe->cdn, arena) : (Str){ 0 };
    if (!base.len && library && !site_is_elsewhere(library->url)) base = site_url_origin(library->url, arena);
    if (!base.len) base = site_url_origin(facts->server, arena);
    if (!base.len) return (Str){ 0 };
    if (probe->own_path.len) return arena_printf(arena, "%.*s/%.*s/b", STR_FORMAT(base), STR_FORMAT(probe->own_path));
    return arena_printf(arena, "%.*s/v1/b", STR_FORMAT(base));
}

/* ---- The scripts, from the bytes that the build put into the program ---- */

extern const char site_early_start[], site_early_end[], site_probe_start[], site_probe_end[];

Str site_script_early(void) { return str_of(site_early_start, (size_t)(site_early_end - site_early_start)); }
Str site_script_probe(void) { return str_of(site_probe_start, (size_t)(site_probe_end - site_probe_start)); }
